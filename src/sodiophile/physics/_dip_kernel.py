"""The inner loops of `sodiophile.physics.dip`, compiled: currents of caps at an overpotential, and its implicit step."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MOST_NEWTON = 40
_LARGEST_EXPONENT = 700.0


@njit(cache=True)
def currents(
    eta: float,
    alpha: float,
    f: float,
    side: float,
    weights: NDArray[np.float64],
    cathodic: NDArray[np.float64],
    anodic: NDArray[np.float64],
    supply: NDArray[np.float64],
    flux: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Fill the flux j_i / j0 of each cohort; return growth and side current density and the derivative of their sum.

    Parameters
    ----------
    eta
        Overpotential, V.
    alpha, f
        Transfer coefficient and zF/RT, 1/V.
    side
        Side current density at zero overpotential on what is free, A/m2.
    weights, cathodic, anodic, supply, flux
        Of each cohort, shape (n,): area times j0, Gibbs-Thomson factors, hindrance by supply; `flux` is written.
    """
    forward = math.exp(min(alpha * f * eta, _LARGEST_EXPONENT))
    backward = math.exp(min(-(1.0 - alpha) * f * eta, _LARGEST_EXPONENT))
    growth = 0.0
    slope = 0.0
    for i in range(weights.size):
        plating = forward * cathodic[i]
        stripping = backward * anodic[i]
        hindrance = forward * supply[i]
        flux[i] = (plating - stripping) / (1.0 + hindrance)
        growth += weights[i] * flux[i]
        steeper = alpha * plating + (1.0 - alpha) * stripping - alpha * flux[i] * hindrance
        slope += weights[i] * steeper / (1.0 + hindrance)
    aside = side * forward
    return growth, aside, f * slope + alpha * f * aside


@njit(cache=True)
def root(
    current: float,
    known_V: float,
    step_over_capacitance: float,
    guess_V: float,
    alpha: float,
    f: float,
    side: float,
    weights: NDArray[np.float64],
    cathodic: NDArray[np.float64],
    anodic: NDArray[np.float64],
    supply: NDArray[np.float64],
    flux: NDArray[np.float64],
) -> float:
    """Solve eta = known + (step/C) (current - growth - side) by Newton's method; NaN where it fails."""
    eta = guess_V
    for _ in range(_MOST_NEWTON):
        growth, aside, slope = currents(eta, alpha, f, side, weights, cathodic, anodic, supply, flux)
        change = (eta - known_V - step_over_capacitance * (current - growth - aside)) / (
            1.0 + step_over_capacitance * slope
        )
        eta -= change
        if abs(change) < 1e-12 * max(1.0, abs(eta)):
            return eta
    return math.nan
