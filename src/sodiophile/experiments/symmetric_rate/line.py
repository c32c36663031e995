r"""Polarization against current density: the straight line, whether it is one, and where the voltage stops scaling.

.. math:: \eta = a + Rj,\qquad \chi^2 = \sum_k\frac{(\eta_k - a - Rj_k)^2}{u_k^2}

The slope R bounds the ohmic resistance from above, for kinetics rise with the current too. An interphase whose
overpotential saturates (M. Hess, Electrochim. Acta 2017, doi 10.1016/j.electacta.2017.05.017) and slow charge transfer both
bend the curve down (c < 0 in :math:`a + Rj + cj^2`), depletion of salt bends it up.

A passive cell never answers more current with less voltage. Charge transfer alone answers with at least

.. math:: \frac{\eta_2}{\eta_1} \ge \frac{\mathrm{arsinh}(j_2/2j_0)}{\mathrm{arsinh}(j_1/2j_0)},\qquad
          \eta_1 = \frac{4RT}{F}\,\mathrm{arsinh}\frac{j_1}{2j_0}

(two electrodes, :math:`\alpha = 1/2`); any resistance in series raises it. What stays below that has less than
Butler-Volmer: a saturating interphase, a surface that grew, or a conductor beside the cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.experiments.symmetric_rate.steps import RateStep
from sodiophile.physics.constants import inverse_thermal_voltage_1_V

_Array = NDArray[np.float64]
_CLEARLY = 2.0

FALLS = "falls"
FLAT = "rises less than Butler-Volmer"
SCALES = "scales"


@dataclass(frozen=True)
class Line:
    """A weighted straight line through polarization against current density.

    Parameters
    ----------
    resistance_ohm_cm2, intercept_mV
        Slope and intercept.
    covariance
        Of (intercept, slope), mV and ohm cm2, shape (2, 2); scaled by the reduced chi-square where that exceeds 1.
    freedom
        Degrees of freedom.
    scale
        The reduced chi-square; 1 where there is no freedom.
    curvature, curvature_p
        c of the parabola, mV/(mA/cm2)^2, and the level at which it differs from 0; None for fewer than four levels.
    intercept_p, misfit_p
        The levels at which the intercept differs from 0 and the points from the line; None for fewer than three levels.
    """

    resistance_ohm_cm2: float
    intercept_mV: float
    covariance: _Array
    freedom: int
    scale: float
    curvature: float | None
    curvature_p: float | None
    intercept_p: float | None
    misfit_p: float | None

    @property
    def correlation(self) -> float:
        """Of intercept and slope."""
        return float(self.covariance[0, 1] / np.sqrt(self.covariance[0, 0] * self.covariance[1, 1]))

    def widened(self) -> float:
        """Return the factor by which two standard errors from so few levels must be widened to cover as two of many do."""
        from scipy.stats import t

        return float(t.ppf(0.975, self.freedom)) / 1.96 if self.freedom > 0 and self.scale > 1 else 1.0


def ascending(steps: list[RateStep]) -> list[RateStep]:
    """Return the first visit of each level that the cell sustains, up to the highest, in order: the way up."""
    steps = [step for step in steps if not step.ended_early]
    if not steps:
        return []
    top = int(np.argmax([step.current_density_mA_cm2 for step in steps]))
    out: list[RateStep] = []
    for step in steps[: top + 1]:
        if not out or step.current_density_mA_cm2 > out[-1].current_density_mA_cm2:
            out.append(step)
    return out


def straight_line(steps: list[RateStep], repeatability: float) -> Line | None:
    """Fit the line through steps whose polarization is repeatable to a relative part; None for fewer than two levels."""
    from scipy.stats import chi2

    if len(steps) < 2:
        return None
    j = np.array([step.current_density_mA_cm2 for step in steps])
    eta = np.array([step.polarization_mV for step in steps])
    u = np.hypot([step.error_mV for step in steps], repeatability * np.abs(eta) + 1e-9)
    at, covariance, chi_square = _fitted(np.stack([np.ones_like(j), j], axis=1), eta, u)
    freedom = j.size - 2
    scale = max(chi_square / freedom, 1.0) if freedom > 0 else 1.0
    curvature = curvature_p = intercept_p = misfit_p = None
    if freedom > 0:
        intercept_p = float(chi2.sf(at[0] ** 2 / covariance[0, 0], 1))
        misfit_p = float(chi2.sf(chi_square, freedom))
    if freedom > 1:
        bent, _, left = _fitted(np.stack([np.ones_like(j), j, j**2], axis=1), eta, u)
        curvature = float(bent[2])
        curvature_p = float(chi2.sf(max(chi_square - left, 0.0), 1))
    return Line(
        float(at[1]), float(at[0]), covariance * scale, freedom, scale, curvature, curvature_p, intercept_p, misfit_p
    )


def _fitted(design: _Array, eta: _Array, u: _Array) -> tuple[_Array, _Array, float]:
    weighted = design / u[:, None]
    covariance = np.asarray(np.linalg.pinv(weighted.T @ weighted), dtype=np.float64)
    at = covariance @ weighted.T @ (eta / u)
    return at, covariance, float(np.sum(((eta - design @ at) / u) ** 2))


def scaling(before: RateStep, after: RateStep, temperature_K: float, z: int) -> tuple[str, str]:
    """Say how the voltage answers a rise of the current from one step to the next.

    Returns
    -------
    tuple
        ``scales``, ``rises less than Butler-Volmer`` or ``falls``, and a sentence with the numbers.
    """
    j1, j2 = before.current_density_mA_cm2, after.current_density_mA_cm2
    first, second = before.polarization_mV, after.polarization_mV
    error = float(np.hypot(after.error_mV, before.error_mV))
    words = f"from {j1:.3g} to {j2:.3g} mA/cm^2 the polarization goes from {first:.4g} to {second:.4g} mV"
    if second < first - _CLEARLY * error:
        return FALLS, f"{words}: more current, less voltage, which no passive cell does"
    least = first * _least_ratio(first, j2 / j1, temperature_K, z)
    if second < least - _CLEARLY * float(np.hypot(after.error_mV, before.error_mV * least / max(first, 1e-12))):
        return FLAT, f"{words}, below the {least:.4g} mV of the flattest Butler-Volmer curve through the first"
    return SCALES, words


def _least_ratio(polarization_mV: float, current_ratio: float, temperature_K: float, z: int) -> float:
    """Return the least ratio of polarizations that charge transfer alone can give."""
    thermal_mV = 1e3 / inverse_thermal_voltage_1_V(temperature_K, z)
    reduced = max(polarization_mV, 0.0) / (4 * thermal_mV)
    if reduced < 1e-9:
        return 1.0
    # arsinh(k sinh y)/y, by its limit where sinh would overflow
    higher = np.log(current_ratio) + reduced if reduced > 300 else np.arcsinh(current_ratio * np.sinh(reduced))
    return float(higher / reduced)
