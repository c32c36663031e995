r"""Fits of circuits to spectra: weighting, bounds, standard errors, profile likelihood; many spectra in one call.

The sum :math:`\sum_k w_k^2\,[(Z'_k-\hat Z'_k)^2 + (Z''_k-\hat Z''_k)^2]` is minimized. With the weighting ``modulus``,
w = 1/\|Z\|: an instrument's error is a share of the modulus, and both parts carry the same (Orazem and Tribollet,
chapter 21).

Standard errors come from the scatter of the residuals about the fit. Where neighbouring residuals go together, the fit has
fewer independent points than it seems; the variance is then multiplied by (1 + r)/(1 - r), r being the correlation of
neighbours along the frequency axis (first-order autoregressive residuals).

References
----------
M. E. Orazem, B. Tribollet, Electrochemical Impedance Spectroscopy, 2nd ed. (Wiley, 2017).
D. M. Bates, D. G. Watts, Nonlinear Regression Analysis and Its Applications (Wiley, 1988), chapter 6 (profiles).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sodiophile.physics.circuits import Array, Circuit, ComplexArray
from sodiophile.physics.least_squares import Minimum, covariance, minimize_squares

Weighting = Literal["modulus", "unit", "proportional"]

CONFIDENCE = 0.95
_SMALLEST_PART = 0.01


@dataclass(frozen=True)
class Spectra:
    """Spectra side by side, shorter ones filled up with points of weight zero.

    Parameters
    ----------
    log_omega
        Natural logarithm of the angular frequency in rad/s, shape (b, n), falling.
    impedance
        ohm, shape (b, n).
    weight
        Of real and imaginary part, 1/ohm, shape (b, 2, n).
    points
        Measured points of each, shape (b,).
    """

    log_omega: Array
    impedance: ComplexArray
    weight: Array
    points: NDArray[np.intp]

    @classmethod
    def of(cls, spectra: Sequence[tuple[Array, ComplexArray]], weighting: Weighting = "modulus") -> Spectra:
        """Lay (frequency in Hz, impedance in ohm) pairs side by side."""
        longest = max(len(frequency) for frequency, _ in spectra)
        log_omega = np.zeros((len(spectra), longest))
        impedance = np.ones((len(spectra), longest), dtype=complex)
        weight = np.zeros((len(spectra), 2, longest))
        for k, (frequency, Z) in enumerate(spectra):
            n = len(frequency)
            log_omega[k, :n] = np.log(2 * np.pi * frequency)
            log_omega[k, n:] = log_omega[k, n - 1]
            impedance[k, :n] = Z
            weight[k, :, :n] = _weights(Z, weighting)
        return cls(log_omega, impedance, weight, np.array([len(frequency) for frequency, _ in spectra]))

    def residuals(self, circuit: Circuit, u: Array, owner: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return weighted residuals (k, 2n) and derivatives (k, p, 2n); problem k belongs to spectrum ``owner[k]``."""
        Z, dZ = circuit.evaluate(u, self.log_omega[owner])
        weight = self.weight[owner]
        error = Z - self.impedance[owner]
        r = np.concatenate([error.real * weight[:, 0], error.imag * weight[:, 1]], axis=-1)
        J = np.concatenate([dZ.real * weight[:, None, 0], dZ.imag * weight[:, None, 1]], axis=-1)
        return r, J


def _weights(Z: ComplexArray, weighting: Weighting) -> Array:
    modulus = np.maximum(np.abs(Z), np.finfo(float).tiny)
    if weighting == "unit":
        return np.full((2, len(Z)), 1 / float(np.median(modulus)))
    if weighting == "modulus":
        return np.stack([1 / modulus, 1 / modulus])
    # a part that crosses zero must not get an endless weight
    return np.stack([1 / np.maximum(np.abs(part), _SMALLEST_PART * modulus) for part in (Z.real, Z.imag)])


def bounds(circuit: Circuit, spectra: Spectra) -> tuple[Array, Array]:
    """Return lower and upper bounds of the coordinates for every spectrum, shapes (b, p).

    Resistances may lie between 1e-4 of the smallest and 100 times the largest modulus; time constants of arcs from a tenth
    of the shortest to three times the longest that the frequencies show; exponents between 0.3 (0.4 in an arc) and 1.
    """
    modulus = np.log(np.abs(spectra.impedance))
    small = np.array([modulus[k, :n].min() for k, n in enumerate(spectra.points)])
    large = np.array([modulus[k, :n].max() for k, n in enumerate(spectra.points)])
    fast = spectra.log_omega.max(axis=1)
    slow = spectra.log_omega.min(axis=1)
    lower = np.empty((len(small), len(circuit.parameters)))
    upper = np.empty_like(lower)
    low_R, high_R = small + np.log(1e-4), large + np.log(100.0)
    for place, parameter in enumerate(circuit.parameters):
        ends: tuple[Array | float, Array | float]
        if parameter.role == "alpha":
            ends = (0.4 if parameter.name.startswith("Zarc") else 0.3, 1.0)
        elif parameter.role == "R":
            ends = (low_R, high_R)
        elif parameter.role == "tau":
            reach = np.log(3.0) if parameter.name.startswith("Zarc") else np.log(1e3)
            ends = (np.log(0.1) - fast, reach - slow)
        elif parameter.role == "L":
            ends = (low_R - fast, high_R - slow)
        elif parameter.role == "sigma":
            ends = (low_R + 0.5 * slow, high_R + 0.5 * fast)
        else:  # C, Q: 1/(Q w^alpha) is an impedance for any alpha between 0.3 and 1
            exponents = np.stack([exponent * end for exponent in (0.3, 1.0) for end in (slow, fast)])
            ends = (-high_R - exponents.max(axis=0), -low_R - exponents.min(axis=0))
        lower[:, place], upper[:, place] = ends
    return lower, upper


@dataclass(frozen=True)
class CircuitFit:
    """The fit of a circuit to one spectrum.

    Parameters
    ----------
    circuit
        The circuit.
    coordinates
        Shape (p,).
    covariance
        Of the coordinates, zero for those that are held; shape (p, p).
    free
        False where a coordinate is held, by a bound or because it was fixed; shape (p,).
    at_bound
        True where a bound holds it although it was meant to be free; shape (p,).
    frequency_Hz, impedance_ohm, fitted_ohm
        The spectrum and the fit, shape (n,).
    cost
        Sum of squared weighted residuals.
    dof
        Degrees of freedom: 2 n minus the free coordinates.
    correlation_of_neighbours
        First-order correlation of the residuals along the frequency axis.
    widening
        Factor on the variance for it, 1 or more.
    known
        False if the curvature at the minimum is singular: then there are no standard errors.
    converged
        Whether the search ended at a minimum.
    """

    circuit: Circuit
    coordinates: Array
    covariance: Array
    free: NDArray[np.bool_]
    at_bound: NDArray[np.bool_]
    frequency_Hz: Array
    impedance_ohm: ComplexArray
    fitted_ohm: ComplexArray
    cost: float
    dof: int
    correlation_of_neighbours: float
    widening: float
    known: bool
    converged: bool

    @property
    def variance(self) -> float:
        """Variance of a weighted residual, widened for correlated neighbours."""
        return self.cost / self.dof * self.widening

    @property
    def misfit(self) -> float:
        """Root mean square of |Z - fit|/|Z|."""
        error = np.abs(self.impedance_ohm - self.fitted_ohm) / np.abs(self.impedance_ohm)
        return float(np.sqrt(np.mean(error**2)))

    @property
    def t(self) -> float:
        """Quantile of Student's t for a two-sided 95 % interval."""
        return student_t(self.dof)

    def log_error(self, gradient: Array) -> float:
        """Return the standard error of a function with this gradient in the coordinates (delta method)."""
        return float(np.sqrt(max(float(gradient @ self.covariance @ gradient), 0.0)))

    def correlation(self, first: int, second: int) -> float:
        """Return the correlation of two coordinates, 0 if one is held."""
        product = self.covariance[first, first] * self.covariance[second, second]
        return float(self.covariance[first, second] / np.sqrt(product)) if product > 0 else 0.0


@lru_cache(maxsize=256)
def student_t(dof: int, confidence: float = CONFIDENCE) -> float:
    """Return the two-sided quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(dof, 0.5 + 0.5 * confidence))


def search(
    circuit: Circuit,
    spectra: Spectra,
    owner: NDArray[np.intp],
    start: Array,
    lower: Array,
    upper: Array,
    most_steps: int = 300,
) -> Minimum:
    """Fit every problem of a batch: problem k fits spectrum ``owner[k]`` from ``start[k]``; shapes (k, p)."""
    return minimize_squares(
        lambda u, index: spectra.residuals(circuit, u, owner[index]), start, lower, upper, most_steps=most_steps
    )


def finished(
    circuit: Circuit, spectra: Spectra, owner: NDArray[np.intp], minimum: Minimum, fixed: NDArray[np.bool_]
) -> list[CircuitFit]:
    """Turn minima into fits with standard errors; `fixed` marks coordinates that were not to be fitted, shape (k, p)."""
    inverse, known = covariance(minimum)
    r, _ = spectra.residuals(circuit, minimum.coordinates, owner)
    fitted, _ = circuit.evaluate(minimum.coordinates, spectra.log_omega[owner])
    width = spectra.log_omega.shape[1]
    fits = []
    for k, spectrum in enumerate(owner):
        n = int(spectra.points[spectrum])
        dof = max(2 * n - int(minimum.free[k].sum()), 1)
        together = _neighbours(r[k, :n], r[k, width : width + n])
        widening = (1 + together) / (1 - together) if together > 2 / np.sqrt(2 * n) else 1.0
        fits.append(
            CircuitFit(
                circuit,
                minimum.coordinates[k],
                inverse[k] * float(minimum.cost[k]) / dof * widening,
                minimum.free[k],
                ~minimum.free[k] & ~fixed[k],
                np.exp(spectra.log_omega[spectrum, :n]) / (2 * np.pi),
                spectra.impedance[spectrum, :n],
                fitted[k, :n],
                float(minimum.cost[k]),
                dof,
                together,
                widening,
                bool(known[k]),
                bool(minimum.converged[k]),
            )
        )
    return fits


def _neighbours(real: Array, imaginary: Array) -> float:
    """Return the correlation of neighbouring residuals, both parts together, at most 0.95."""
    product = real[1:] @ real[:-1] + imaginary[1:] @ imaginary[:-1]
    total = real @ real + imaginary @ imaginary
    return float(np.clip(product / total, -0.95, 0.95)) if total > 0 else 0.0


Target = Callable[[Array], tuple[Array, Array]]
"""Coordinates (k, p) -> a function of them (k,) and its gradient (k, p)."""


def profile_intervals(
    spectra: Spectra, fits: Sequence[CircuitFit], target: Target, lower: Array, upper: Array
) -> list[tuple[float, float, bool]]:
    """Return the 95 % interval of a function of the coordinates for each fit, checked against the profile of the cost.

    The function is held at either end of the linear interval and everything else is fitted again. Where the cost rises by
    what the linear theory says (t squared times the variance, within 10 % in t), the linear interval stands; elsewhere the
    end is moved to where the profile reaches it.

    Parameters
    ----------
    spectra
        In the order of `fits`.
    fits
        Fits of the same circuit.
    target
        The function; logarithmic, so that its scale is one.
    lower, upper
        Bounds of the coordinates, shape (b, p).

    Returns
    -------
    Low end, high end, and whether the profile had to move one, for each fit.
    """
    circuit = fits[0].circuit
    best = np.stack([fit.coordinates for fit in fits])
    center, gradient = target(best)
    covariances = np.stack([fit.covariance for fit in fits])
    error = np.sqrt(np.maximum(np.einsum("bp,bpq,bq->b", gradient, covariances, gradient), 0.0))
    t = np.array([fit.t for fit in fits])
    sigma = np.sqrt(np.array([fit.variance for fit in fits]))
    cost = np.array([fit.cost for fit in fits])
    b = len(fits)
    owner = np.concatenate([np.arange(b), np.arange(b)])
    sign = np.repeat([-1.0, 1.0], b)
    usable = np.array([fit.known for fit in fits]) & (error > 0)
    reach = np.where(usable, t * error, 1.0)[owner]
    direction = np.einsum("bpq,bq->bp", covariances, gradient) / np.where(usable, error**2, 1.0)[:, None]
    start = best[owner]
    moved = np.zeros(2 * b, dtype=bool)
    low_u, high_u = lower[owner], upper[owner]
    active = np.flatnonzero(usable[owner])
    for attempt in range(6):
        if active.size == 0:
            break
        who = owner[active]
        held = center[who] + sign[active] * reach[active]
        # stiff enough that the held function is off by less than 1e-4 of its own standard error
        stiffness = 1e2 * sigma[who] / error[who]

        def residuals(
            u: Array,
            index: NDArray[np.intp],
            who: NDArray[np.intp] = who,
            held: Array = held,
            stiffness: Array = stiffness,
        ) -> tuple[Array, Array]:
            r, J = spectra.residuals(circuit, u, who[index])
            value, slope = target(u)
            extra = (value - held[index]) * stiffness[index]
            return (
                np.concatenate([r, extra[:, None]], axis=1),
                np.concatenate([J, (slope * stiffness[index, None])[:, :, None]], axis=2),
            )

        first = start[active] if attempt else best[who] + direction[who] * (sign[active] * reach[active])[:, None]
        found = minimize_squares(residuals, first, low_u[active], high_u[active], tolerance=1e-6, most_steps=60)
        start[active] = found.coordinates
        rise = np.sqrt(np.maximum(found.cost - cost[who], 0.0)) / sigma[who] / t[who]
        off = np.abs(rise - 1) > (0.1 if attempt == 0 else 0.02)
        moved[active[off]] = True
        active, rise = active[off], rise[off]
        # the square root of the rise is nearly linear in the held function
        reach[active] *= np.clip(1 / np.maximum(rise, 1e-3), 0.3, 3.0)
    low, high = center - reach[:b], center + reach[b:]
    return [
        (float(low[k]), float(high[k]), bool(moved[k] or moved[b + k])) if usable[k] else (np.nan, np.nan, False)
        for k in range(b)
    ]
