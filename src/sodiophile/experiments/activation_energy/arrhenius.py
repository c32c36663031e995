r"""The straight line of Arrhenius through resistances of unequal uncertainty, and what speaks against it.

.. math::

    \ln\frac{T}{R} = \ln A - \frac{E_a}{\mathcal{R}T}\quad\text{or}\quad\ln\frac{1}{R} = \ln A' - \frac{E_a'}{\mathcal{R}T}

A point weighs by the uncertainty of its resistance and of its temperature. If the points scatter more than these explain,
the same variance is added to all until they do not (Mandel and Paule). The interval is that of Student's t with n - 2
degrees of freedom from the scatter about the line (Knapp and Hartung), and never less than one standard uncertainty, as
resistances and temperatures explain it, to either side: few points can lie on a line by luck.

References
----------
R. C. Paule, J. Mandel, J. Res. Natl. Bur. Stand. 1982, 87, 377, doi 10.6028/jres.087.022.
G. Knapp, J. Hartung, Stat. Med. 2003, 22, 2693, doi 10.1002/sim.1482.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.errors import InputError
from sodiophile.physics.circuit_fit import student_t
from sodiophile.physics.circuits import Array
from sodiophile.physics.constants import GAS_J_mol_K

_SIGNIFICANT = 0.05
_SMALL_SPAN = 2.0
_NARROW_K = 20.0


@dataclass(frozen=True)
class ArrheniusLine:
    """A line through ln(T/R) or ln(1/R) against 1/T.

    Parameters
    ----------
    temperature_K, y
        The points, shape (n,).
    sigma
        Standard uncertainty of y that the resistances and temperatures explain, shape (n,).
    activation_energy_kJ_mol, error_kJ_mol
        Ea and its standard uncertainty.
    log_prefactor
        ln A; A in K/ohm (cm2) for T/R.
    covariance
        Of (ln A, -Ea/R in K), shape (2, 2).
    scatter
        Standard deviation added to every point so that they agree with the line.
    dof
        n - 2.
    spread
        Root of the mean squared residual over its uncertainty; 1 where scatter was added.
    flags
        What speaks against the line, one sentence each.
    """

    temperature_K: Array
    y: Array
    sigma: Array
    activation_energy_kJ_mol: float
    error_kJ_mol: float
    log_prefactor: float
    covariance: Array
    scatter: float
    dof: int
    spread: float
    flags: tuple[str, ...]

    @property
    def coverage_factor(self) -> float:
        """Half of the 95 % interval over the standard uncertainty; 0 with two points."""
        return max(1.0, student_t(self.dof) * self.spread) / max(1.0, self.spread) if self.dof > 0 else 0.0

    @property
    def interval_kJ_mol(self) -> tuple[float, float] | None:
        """95 % interval of Ea by Student's t; None with two points."""
        if self.dof < 1:
            return None
        reach = self.coverage_factor * self.error_kJ_mol
        return self.activation_energy_kJ_mol - reach, self.activation_energy_kJ_mol + reach

    def at(self, temperature_K: Array) -> tuple[Array, Array]:
        """Return y of the line and its standard uncertainty at other temperatures, shapes (m,)."""
        X = np.stack([np.ones_like(temperature_K), 1 / temperature_K])
        slope = -self.activation_energy_kJ_mol * 1e3 / GAS_J_mol_K
        error = np.sqrt(np.maximum(np.einsum("im,ij,jm->m", X, self.covariance, X), 0.0))
        return self.log_prefactor + slope / temperature_K, error


def arrhenius_line(
    temperature_K: Array, resistance: Array, relative_error: Array, temperature_error_K: float, *, with_T: bool = True
) -> ArrheniusLine:
    """Fit the line.

    Parameters
    ----------
    temperature_K, resistance, relative_error
        Of each point, shape (n,); the resistance in any one unit.
    temperature_error_K
        Standard uncertainty of each temperature.
    with_T
        True for T/R, False for 1/R.

    Raises
    ------
    InputError
        If there are fewer than two different temperatures.
    """
    T = np.asarray(temperature_K, dtype=float)
    if len(np.unique(np.round(T, 3))) < 2:
        raise InputError("one temperature, expected at least two different ones (four for a number to rely on)")
    y = np.log(T / resistance) if with_T else -np.log(resistance)
    x = 1 / T
    slope = float(np.polyfit(x, y, 1)[0])
    # moving T moves the point along the line and off it
    sideways = (slope / T**2 + (1 / T if with_T else 0.0)) * temperature_error_K
    sigma = np.maximum(np.hypot(relative_error, sideways), 1e-9)
    scatter = _added_scatter(x, y, sigma)
    beta, covariance, residual, leverage = _weighted(x, y, np.hypot(sigma, scatter))
    dof = len(T) - 2
    spread = float(np.sqrt(np.sum((residual / np.hypot(sigma, scatter)) ** 2) / dof)) if dof > 0 else 1.0
    covariance = covariance * max(1.0, spread) ** 2
    energy = -beta[1] * GAS_J_mol_K * 1e-3
    error = float(np.sqrt(covariance[1, 1])) * GAS_J_mol_K * 1e-3
    flags = _flags(T, y, sigma, leverage, energy, error)
    return ArrheniusLine(T, y, sigma, float(energy), error, float(beta[0]), covariance, scatter, dof, spread, tuple(flags))


def _weighted(x: Array, y: Array, sigma: Array, power: int = 1) -> tuple[Array, Array, Array, Array]:
    """Return coefficients, their covariance for known sigma, residuals and leverages of a weighted polynomial."""
    center, scale = float(x.mean()), float(np.ptp(x))
    t = (x - center) / scale
    X = np.stack([t**k for k in range(power + 1)], axis=1) / sigma[:, None]
    inverse = np.linalg.inv(X.T @ X)
    coefficients = inverse @ X.T @ (y / sigma)
    leverage = np.einsum("ni,ij,nj->n", X, inverse, X)
    residual = y - (X * sigma[:, None]) @ coefficients
    if power == 1:  # back to intercept and slope in x
        back = np.array([[1.0, -center / scale], [0.0, 1 / scale]])
        return back @ coefficients, np.asarray(back @ inverse @ back.T), residual, leverage
    return coefficients, np.asarray(inverse), residual, leverage


def _added_scatter(x: Array, y: Array, sigma: Array) -> float:
    dof = len(x) - 2

    def excess(added: float) -> float:
        total = np.hypot(sigma, added)
        return float(np.sum((_weighted(x, y, total)[2] / total) ** 2)) - dof

    if dof < 1 or excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(np.abs(y - y.mean()).max()) + float(sigma.max())
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return 0.5 * (low + high)


def _flags(T: Array, y: Array, stated: Array, leverage: Array, energy: float, error: float) -> list[str]:
    from scipy.special import stdtr

    flags = []
    n, x = len(T), 1 / T
    if n < 4:
        flags.append(f"{n} temperatures: fewer than four show neither curvature nor an outlier")
    if np.ptp(T) < _NARROW_K:
        flags.append(f"the temperatures span {np.ptp(T):.0f} K, less than {_NARROW_K:.0f} K")
    if np.ptp(y) < np.log(_SMALL_SPAN):
        flags.append(f"the resistances span a factor of {np.exp(np.ptp(y)):.2f}, less than {_SMALL_SPAN:g}")
    if energy <= 0:
        flags.append("the activation energy is not positive: the resistance does not fall with temperature")
    if n >= 5:
        # added scatter would hide a bend; but a bend within the stated uncertainties is none
        coefficients, inverse, residual, _ = _weighted(x, y, stated, power=2)
        spread = max(1.0, float(np.sum((residual / stated) ** 2)) / (n - 3))
        t = float(coefficients[2] / np.sqrt(inverse[2, 2] * spread))
        p = 2 * float(stdtr(n - 3, -abs(t)))
        if p < _SIGNIFICANT:
            bend = "flatter" if coefficients[2] < 0 else "steeper"
            flags.append(
                f"curved (p = {p:.3f}): the line is {bend} on the hot side, as where the mechanism changes with temperature"
            )
    # the rest alone says how much scatter there is: an outlier must not hide in its own
    for k in range(n) if n >= 4 else ():
        rest = np.arange(n) != k
        if len(np.unique(T[rest])) < 2:
            continue
        beta, covariance, residual, _ = _weighted(x[rest], y[rest], stated[rest])
        if n >= 5:
            spread = max(1.0, float(np.sum((residual / stated[rest]) ** 2)) / (n - 3))
            off = float(y[k] - beta[0] - beta[1] * x[k])
            room = stated[k] ** 2 + float(np.array([1, x[k]]) @ covariance @ np.array([1, x[k]]))
            p = 2 * n * float(stdtr(n - 3, -abs(off) / np.sqrt(room * spread)))
            if p < _SIGNIFICANT:
                flags.append(f"{_celsius(T[k])} is an outlier (p = {p:.3f} for the worst of {n}), off by {off:+.2f} in ln")
        moved = -beta[1] * GAS_J_mol_K * 1e-3 - energy
        if leverage[k] > 0.6 and abs(moved) > 2 * error:
            flags.append(f"{_celsius(T[k])} decides: without it the activation energy moves by {moved:+.1f} kJ/mol")
    return flags


def _celsius(temperature_K: float) -> str:
    return f"the point at {temperature_K - 273.15:.1f} degC"
