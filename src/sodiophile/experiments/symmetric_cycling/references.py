"""What a half cycle is compared with: the same direction in the cycles just before, carried over to its current.

A change of current is no failure. The overpotential of a passive cell never falls when the current rises, and rises no more
than in proportion (Butler-Volmer, Marcus, and a surface layer alike: eta(i) increases, eta(i)/i decreases). So from a
healthy half cycle at i_ref the overpotential at i lies between eta_ref min(1, i/i_ref) and eta_ref max(1, i/i_ref); a
fall is judged against the lower end, a rise against the upper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.experiments._halfcycles import HalfCycles
from sodiophile.experiments._levels import same_level

_SAME_LEVEL = 0.05


@dataclass(frozen=True)
class References:
    """What each of n half cycles is compared with; NaN where there is nothing before it.

    Parameters
    ----------
    fall_V
        The lowest voltage (in the direction of the current) that a healthy cell would show, shape (n,).
    rise_V
        The highest one, shape (n,).
    best_V
        The lowest `rise_V` so far, shape (n,).
    previous_V
        The lowest voltage that a healthy cell would show, after the one before alone, shape (n,).
    charge_C
        The usual charge, shape (n,); NaN as well where the current was another.
    noise_V, rectangularity, end_rise
        Of the cycles before, shape (n,).
    """

    fall_V: np.ndarray
    rise_V: np.ndarray
    best_V: np.ndarray
    previous_V: np.ndarray
    charge_C: np.ndarray
    noise_V: np.ndarray
    rectangularity: np.ndarray
    end_rise: np.ndarray


def references(half: HalfCycles, rectangularity: np.ndarray, end_rise: np.ndarray, cycles: int) -> References:
    """Compute what each half cycle is compared with: medians over the `cycles` before it, of the same direction.

    The first half cycle of all has no predecessor; its own ninetieth percentile stands in for the fall, also for the first
    of the other direction.
    """
    current = half.set_A
    level = half.level_V
    out = {
        name: np.full(len(half), np.nan)
        for name in ("fall", "rise", "previous", "charge", "noise", "rectangularity", "end_rise")
    }
    for plating in (True, False):
        rows = np.flatnonzero(half.plating == plating)
        if rows.size < 2:
            continue

        def before(values: np.ndarray, rows: np.ndarray = rows) -> np.ndarray:
            padded = np.concatenate([np.full(cycles, np.nan), values[rows[:-1]]])
            return np.lib.stride_tricks.sliding_window_view(padded, cycles)

        ratio = current[rows, None] / before(current)
        same = np.abs(ratio - 1) <= _SAME_LEVEL
        out["fall"][rows] = _median_of_valid(before(level) * np.minimum(ratio, 1.0))
        out["rise"][rows] = _median_of_valid(before(level) * np.maximum(ratio, 1.0))
        out["previous"][rows] = (before(level) * np.minimum(ratio, 1.0))[:, -1]
        out["charge"][rows] = _median_of_valid(np.where(same, before(half.charge_C), np.nan))
        out["noise"][rows] = _median_of_valid(before(half.noise_V))
        out["rectangularity"][rows] = _median_of_valid(before(rectangularity))
        out["end_rise"][rows] = _median_of_valid(before(end_rise))
    own = half.quantile_V[1]
    missing = np.isnan(out["fall"])
    out["fall"][missing] = own[0] * np.minimum(1.0, current[missing] / current[0])
    return References(
        fall_V=out["fall"],
        rise_V=out["rise"],
        best_V=_best_V(out["rise"], current),
        previous_V=out["previous"],
        charge_C=out["charge"],
        noise_V=out["noise"],
        rectangularity=out["rectangularity"],
        end_rise=out["end_rise"],
    )


def _best_V(rise_V: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Lowest healthy upper end so far, each level of current carried over to the others."""
    best = np.full(rise_V.size, np.inf)
    level = same_level(current)
    for number in range(int(level.max()) + 1):
        here = level == number
        lowest = np.minimum.accumulate(np.where(here & ~np.isnan(rise_V), rise_V, np.inf))
        best = np.minimum(best, lowest * np.maximum(1.0, current / np.median(current[here])))
    return np.where(np.isfinite(best), best, np.nan)


def _median_of_valid(values: np.ndarray) -> np.ndarray:
    """Median along the last axis, NaN left out; NaN where nothing is left."""
    ordered = np.sort(values, axis=-1)
    count = np.sum(~np.isnan(values), axis=-1)
    rows = np.arange(values.shape[0])
    middle = (ordered[rows, np.maximum(count - 1, 0) // 2] + ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]) / 2
    return np.where(count > 0, middle, np.nan)
