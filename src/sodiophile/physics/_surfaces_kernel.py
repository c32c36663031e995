"""The inner loop of `sodiophile.physics.surfaces.Surface.shared`, compiled: surfaces in parallel at one overpotential."""

from __future__ import annotations

import math

from numba import njit
from numpy.typing import NDArray

_MOST_ITERATIONS = 60
_ROUND_OFF = 1e-15


@njit(cache=True)
def overpotential_V(ratio: float, alpha: float, f: float) -> float:
    """Return the overpotential at j/j0, as `sodiophile.physics.kinetics.butler_volmer_overpotential_V` does."""
    if alpha == 0.5:
        return 2.0 / f * math.asinh(0.5 * ratio)
    size = abs(ratio)
    if size == 0.0:
        return 0.0
    forward = alpha if ratio > 0 else 1.0 - alpha
    y = max(0.0, math.log(size) / forward)
    for _ in range(_MOST_ITERATIONS):
        back = math.exp(-(1.0 - forward) * y)
        h = forward * y - math.log1p(size + math.expm1(-(1.0 - forward) * y))
        step = h / (forward + (1.0 - forward) * back / (size + back))
        y -= step
        if abs(step) <= _ROUND_OFF * abs(y):
            break
    return math.copysign(y, ratio) / f


@njit(cache=True)
def branch(current: float, series_ohm_cm2: float, j0: float, alpha: float, f: float, sign: float) -> tuple[float, float]:
    """Return the size of the voltage over a surface, V, and its derivative, V/(mA/cm2), at a current density in mA/cm2."""
    eta = overpotential_V(sign * current / j0, alpha, f)
    conductance = f * j0 * (alpha * math.exp(alpha * f * eta) + (1.0 - alpha) * math.exp((alpha - 1.0) * f * eta))
    return sign * eta + 1e-3 * current * series_ohm_cm2, 1.0 / conductance + 1e-3 * series_ohm_cm2


@njit(cache=True)
def shared(
    current: NDArray,
    area: NDArray,
    resistance: NDArray,
    j0: NDArray,
    fresh_ohm_cm2: float,
    alpha: float,
    f: float,
    sign: float,
    least_area: float,
    eta: NDArray,
    share: NDArray,
) -> None:
    """Fill the overpotential and the part of the current on the deposit; all arrays of shape (n,).

    By Newton's method on the metal's part of the current, begun at that of two ohmic branches, within a bracket.
    """
    for i in range(current.size):
        j = current[i]
        alone = math.isinf(resistance[i])
        if area[i] <= least_area or j <= 0.0:
            share[i] = 0.0
            eta[i] = math.inf if alone else branch(j, resistance[i], j0[i], alpha, f, sign)[0]
            continue
        if alone:
            share[i] = 1.0
            eta[i] = branch(j / area[i], fresh_ohm_cm2, j0[i], alpha, f, sign)[0]
            continue
        _, slope_metal = branch(j, resistance[i], j0[i], alpha, f, sign)
        _, slope_deposit = branch(j / area[i], fresh_ohm_cm2, j0[i], alpha, f, sign)
        under = j * slope_deposit / (slope_deposit + slope_metal * area[i])
        low, high = 0.0, j
        for _ in range(_MOST_ITERATIONS):
            eta_metal, slope_metal = branch(under, resistance[i], j0[i], alpha, f, sign)
            eta_deposit, slope_deposit = branch((j - under) / area[i], fresh_ohm_cm2, j0[i], alpha, f, sign)
            excess = eta_metal - eta_deposit
            if excess > 0:
                high = under
            else:
                low = under
            following = under - excess / (slope_metal + slope_deposit / area[i])
            if not low < following < high:
                following = 0.5 * (low + high)
            change = abs(following - under)
            under = following
            # Newton's step squares the error: one of 1e-9 leaves round-off
            if change <= 1e-9 * j:
                break
        eta[i] = branch(under, resistance[i], j0[i], alpha, f, sign)[0]
        share[i] = (j - under) / j
