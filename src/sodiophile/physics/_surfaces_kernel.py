"""The inner loop of `sodiophile.physics.surfaces.Surface.shared`, compiled: surfaces in parallel at one overpotential."""

from __future__ import annotations

import math

from numba import njit
from numpy.typing import NDArray

_MOST_ITERATIONS = 60
_ROUND_OFF = 1e-15
TABLE_STEP = 0.05


@njit(cache=True)
def hindered(x: float, table: NDArray) -> tuple[float, float]:
    """Return ln of the factor of Marcus-Hush-Chidsey at x = |zF eta|/RT and its derivative, linear between the entries."""
    at = x / TABLE_STEP
    i = min(int(at), table.size - 2)
    slope = table[i + 1] - table[i]
    return table[i] + slope * (at - i), slope / TABLE_STEP


@njit(cache=True)
def overpotential_V(ratio: float, alpha: float, f: float, table: NDArray) -> float:
    """Return the overpotential at j/j0; infinite where the reaction saturates below that current.

    As `sodiophile.physics.kinetics.butler_volmer_overpotential_V`, or, with the table of its factor, as
    `sodiophile.physics.marcus.marcus_overpotential_V`.
    """
    if table.size > 0:
        size = abs(ratio)
        if size == 0.0:
            return 0.0
        x = 2.0 * math.asinh(0.5 * size)
        most = TABLE_STEP * (table.size - 1)
        # concave and rising: from the left Newton's method climbs to the root
        for _ in range(_MOST_ITERATIONS):
            value, slope = hindered(x, table)
            excess = 0.5 * x + math.log(-math.expm1(-x)) + value - math.log(size)
            step = excess / max(0.5 / math.tanh(0.5 * x) + slope, 1e-12)
            x -= step
            if x > most:
                return math.copysign(math.inf, ratio)
            if abs(step) <= 1e-13 * x:
                break
        return math.copysign(x, ratio) / f
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
def branch(
    current: float, series_ohm_cm2: float, j0: float, alpha: float, f: float, sign: float, table: NDArray
) -> tuple[float, float]:
    """Return the size of the voltage over a surface, V, and its derivative, V/(mA/cm2), at a current density in mA/cm2."""
    eta = overpotential_V(sign * current / j0, alpha, f, table)
    if math.isinf(eta):
        return math.inf, math.inf
    conductance = f * j0 * (alpha * math.exp(alpha * f * eta) + (1.0 - alpha) * math.exp((alpha - 1.0) * f * eta))
    if table.size > 0:
        value, slope = hindered(abs(f * eta), table)
        conductance = conductance * math.exp(value) + f * current * slope
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
    table: NDArray,
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
            eta[i] = math.inf if alone else branch(j, resistance[i], j0[i], alpha, f, sign, table)[0]
            continue
        if alone:
            share[i] = 1.0
            eta[i] = branch(j / area[i], fresh_ohm_cm2, j0[i], alpha, f, sign, table)[0]
            continue
        _, slope_metal = branch(j, resistance[i], j0[i], alpha, f, sign, table)
        _, slope_deposit = branch(j / area[i], fresh_ohm_cm2, j0[i], alpha, f, sign, table)
        under = j * slope_deposit / (slope_deposit + slope_metal * area[i])
        low, high = 0.0, j
        for _ in range(_MOST_ITERATIONS):
            eta_metal, slope_metal = branch(under, resistance[i], j0[i], alpha, f, sign, table)
            eta_deposit, slope_deposit = branch((j - under) / area[i], fresh_ohm_cm2, j0[i], alpha, f, sign, table)
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
        eta[i] = branch(under, resistance[i], j0[i], alpha, f, sign, table)[0]
        share[i] = (j - under) / j
