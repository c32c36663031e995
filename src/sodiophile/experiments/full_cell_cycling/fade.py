"""How capacity fades: a line with correlated scatter, whether it bends, and when a fraction of it is reached.

Comes in: cycle numbers and capacities at one current. Goes out: `Fade` and `EndOfLife`. The scatter of neighbouring cycles
is correlated (the room warms and cools), so plain regression states intervals that are several times too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.experiments._fullcell_statistics import Line, autocorrelation, line

_LEAST = 5
_LEAST_SIDE = 8
_LEAST_BREAK = 24
_BREAK_GAIN = 10.0
_BREAK_RATIO = 1.5
_SUSTAINED = 3
_LOCAL = 7


@dataclass(frozen=True)
class Fade:
    """The fade of a cell.

    Parameters
    ----------
    whole
        The line through all cycles.
    knee
        Cycle at which the slope changes; None where one line does.
    before, after
        Lines on both sides of it.
    evidence
        Difference of the Bayesian information criterion; above 10 counts as very strong (Kass and Raftery 1995).
    scatter
        Standard deviation of one cycle about a smooth course.
    """

    whole: Line
    knee: float | None
    before: Line | None
    after: Line | None
    evidence: float
    scatter: float


def fade(cycle: np.ndarray, capacity: np.ndarray) -> Fade | None:
    """Fit the fade.

    Parameters
    ----------
    cycle, capacity
        Complete cycles at one current, shape (n,).

    Returns
    -------
    None where there are fewer than 5 cycles.
    """
    if cycle.size < _LEAST:
        return None
    whole = line(cycle, capacity)
    scatter = _scatter(capacity)
    if cycle.size < _LEAST_BREAK:
        return Fade(whole, None, None, None, 0.0, scatter)
    at, rho = _best_break(cycle, capacity)
    broken = _broken_squares(cycle, capacity, at, rho)
    straight = _straight_squares(cycle, capacity, rho)
    n = cycle.size
    # three more parameters: another level and slope, tied at the break, and the place
    gain = n * np.log(max(straight, 1e-300) / max(broken, 1e-300)) - 2 * np.log(n)
    left, right = cycle <= at, cycle > at
    before, after = line(cycle[left], capacity[left]), line(cycle[right], capacity[right])
    slow, fast = sorted((abs(before.slope), abs(after.slope)))
    opposite = before.slope * after.slope < 0
    if gain < _BREAK_GAIN or (fast < _BREAK_RATIO * slow and not opposite):
        return Fade(whole, None, None, None, float(gain), scatter)
    return Fade(whole, at, before, after, float(gain), scatter)


def _scatter(capacity: np.ndarray) -> float:
    """Return the standard deviation of one cycle about a smooth course, from second differences.

    Second differences are blind to a slope. Correlation makes them smaller: their variance is (6 - 8 rho + 2 rho^2) times
    that of a cycle, with rho of what a cubic leaves.
    """
    second = capacity[2:] - 2 * capacity[1:-1] + capacity[:-2]
    x = np.arange(capacity.size, dtype=float)
    degree = min(3, capacity.size - 2)
    smooth = np.polynomial.Polynomial.fit(x, capacity, degree)(x)
    residual = capacity - smooth
    rho = autocorrelation(residual, 2) if capacity.size >= 4 * _LEAST else 0.0
    variance = float(np.mean(second**2)) / (6.0 - 8.0 * rho + 2.0 * rho**2)
    return float(np.sqrt(max(variance, 0.0)))


def _design(cycle: np.ndarray, at: float) -> np.ndarray:
    return np.stack([np.ones(cycle.size), cycle, np.maximum(cycle - at, 0.0)], axis=1)


def _best_break(cycle: np.ndarray, capacity: np.ndarray) -> tuple[float, float]:
    """Return the place where two joined lines leave least, and the correlation of what they leave."""
    candidates = cycle[_LEAST_SIDE : cycle.size - _LEAST_SIDE]
    step = max(1, candidates.size // 100)
    rho = 0.0
    at = float(candidates[0])
    for _ in range(2):
        at = float(min(candidates[::step], key=lambda place: _broken_squares(cycle, capacity, float(place), rho)))
        design = _design(cycle, at)
        left = capacity - design @ np.linalg.lstsq(design, capacity, rcond=None)[0]
        rho = autocorrelation(left, 2)
    return at, rho


def _broken_squares(cycle: np.ndarray, capacity: np.ndarray, at: float, rho: float) -> float:
    return _squares(_design(cycle, at), capacity, rho)


def _straight_squares(cycle: np.ndarray, capacity: np.ndarray, rho: float) -> float:
    return _squares(np.stack([np.ones(cycle.size), cycle], axis=1), capacity, rho)


def _squares(design: np.ndarray, capacity: np.ndarray, rho: float) -> float:
    x, y = design[1:] - rho * design[:-1], capacity[1:] - rho * capacity[:-1]
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(left @ left)


@dataclass(frozen=True)
class EndOfLife:
    """When the capacity falls to a fraction of its reference for good.

    Parameters
    ----------
    cycle
        Interpolated between cycles; the last cycle where it was not reached.
    uncertainty
        Standard uncertainty from the scatter of the capacity, of the reference, and of one cycle; None where not reached.
    reached
        False where the test ended before.
    between
        The last cycle above and the first of those below.
    """

    cycle: float
    uncertainty: float | None
    reached: bool
    between: tuple[float, float]


def end_of_life(cycle: np.ndarray, capacity: np.ndarray, threshold: float, scatter: float, fraction: float) -> EndOfLife:
    """Find where capacity crosses a threshold downwards and stays below.

    Parameters
    ----------
    cycle, capacity
        Complete cycles at one current from the reference on, shape (n,).
    threshold
        The capacity at the end of life.
    scatter
        Standard deviation of one cycle.
    fraction
        The threshold over the capacity of the reference cycle, which scatters as any other.

    Notes
    -----
    It counts where the median of three cycles in succession (fewer at the end) is below. There a line through the seven
    cycles around tells where it crosses.
    """
    padded = np.concatenate([capacity, np.full(_SUSTAINED - 1, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SUSTAINED)
    below = (np.nanmedian(windows, axis=1) < threshold) & (capacity < threshold)
    if not below.any():
        return EndOfLife(float(cycle[-1]), None, False, (float(cycle[-1]), float(cycle[-1])))
    k = int(np.argmax(below))
    if k == 0:
        return EndOfLife(float(cycle[0]), 0.5, True, (float(cycle[0]), float(cycle[0])))
    between = (float(cycle[k - 1]), float(cycle[k]))
    inside = slice(max(0, k - _LOCAL), k + _LOCAL)
    near, values = cycle[inside], capacity[inside]
    slope, level = np.polyfit(near - near.mean(), values, 1) if near.size > 2 else (np.nan, np.nan)
    part = (capacity[k - 1] - threshold) / (capacity[k - 1] - capacity[k])
    crossing = between[0] + float(np.clip(part, 0.0, 1.0)) * (between[1] - between[0])
    width = np.sqrt(1 / 12) * (between[1] - between[0])
    if not slope < 0:
        return EndOfLife(crossing, float(width), True, between)
    line_at = float(near.mean() + (threshold - level) / slope)
    if near[0] <= line_at <= near[-1]:
        crossing = line_at
    # a cycle that is early or late by chance counts as its neighbours do, which scatter alike
    of_line = scatter * np.sqrt(1.0 / near.size + (crossing - near.mean()) ** 2 / np.sum((near - near.mean()) ** 2))
    uncertainty = float(np.hypot(of_line, fraction * scatter) / -slope)
    return EndOfLife(crossing, float(np.hypot(uncertainty, width / 2)), True, between)
