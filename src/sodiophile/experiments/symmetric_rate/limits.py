"""Which half cycles of a rate test the cycler ended at its voltage limit, before their programme was through.

A half cycle that ends by its programme has the charge, or the duration, of the others. One that ends at a limit has their
*voltage*: it runs away from its own level to the highest voltage at which any half cycle of the test ends, and how much
charge that takes is up to the cell. A cell that does so does not sustain the current: salt or metal is used up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.experiments._halfcycles import HalfCycles
from sodiophile.experiments._levels import same_level

_AT_ITS_HIGHEST = 0.97
_RUNS_AWAY = 2.0
_SHORT = 0.9
_ABOVE_NOISE = 5.0
_GIVEN_LIMIT = 0.99
_HELD_CURRENT = 0.9
_IRREGULAR = 0.02
_TIMED = 0.002


@dataclass(frozen=True)
class CutShort:
    """What ended the n half cycles of a rate test.

    Parameters
    ----------
    at_limit
        True for those that ended at the voltage limit, shape (n,).
    irregular
        True for those that ended early for no reason the file shows: less than the usual charge, and no two alike.
    share
        Part of the programme of the other half cycles that was passed, shape (n,); NaN where that cannot be told.
    limit_V
        The voltage limit: as given, or the median at which those ended; None where no half cycle did.
    """

    at_limit: NDArray[np.bool_]
    irregular: NDArray[np.bool_]
    share: NDArray[np.float64]
    limit_V: float | None

    @property
    def early(self) -> NDArray[np.bool_]:
        """Ended before their programme was through, for either reason, shape (n,)."""
        return self.at_limit | self.irregular


def cut_short(half: HalfCycles, voltage_limit_V: float | None) -> CutShort:
    """Find the half cycles that ended before their programme was through.

    Parameters
    ----------
    half
        The half cycles.
    voltage_limit_V
        The limit of the cycler, of either sign, where the user states it.

    Notes
    -----
    With a limit given, a half cycle that ended at 99 % of it or beyond. Without, one that ended within 3 % of the highest
    voltage at which half cycles end (the second highest of all: one may be a stray sample), that being its own highest and
    at least twice its level, and that

    - passed under 90 % of the programme, which is the charge or the duration that the other half cycles have in common,
      where those at its current do not agree in charge as half cycles do that a clock ends (0.2 %, and twice better than in
      the voltage at their end); or
    - was held there: the current had fallen below 90 % of what it was at first.

    The last half cycle may simply have been stopped: it ended early at a voltage limit only if others at its current did.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _cut_short(half, voltage_limit_V)


def _cut_short(half: HalfCycles, voltage_limit_V: float | None) -> CutShort:
    level, end = half.level_V, half.near(-1)[:, 0]
    highest = np.where(
        half.sign > 0,
        half.by_half_cycle(np.maximum, half.trace.voltage_V),
        -half.by_half_cycle(np.minimum, half.trace.voltage_V),
    )
    number = same_level(half.set_A)
    away = (
        (end >= _AT_ITS_HIGHEST * highest)
        & (end >= _AT_ITS_HIGHEST * float(np.sort(end)[-2:].min()))
        & (end > _RUNS_AWAY * np.minimum(level, _in_proportion(half, number)))
        & (end > _ABOVE_NOISE * half.noise_V)
    )
    share = _share_of_programme(half, number, away)
    # up to an interval is unseen at either end where the file does not tell the age of the first sample
    unseen = 2 / np.maximum(half.samples - 1, 1) if half.trace.step_time_s is None else 0.0
    short = share * (1 + unseen) < _SHORT
    at_limit = away & (short & ~_ends_by_charge(half, end, number, away) | _held(half))
    if voltage_limit_V is not None:
        at_limit |= np.maximum(end, half.quantile_V[1]) >= _GIVEN_LIMIT * voltage_limit_V
    if not (at_limit[:-1] & (number[:-1] == number[-1])).any() and voltage_limit_V is None:
        at_limit[-1] = False
    irregular = np.zeros(len(half), dtype=bool)
    for k in range(int(number.max()) + 1):
        inside = (number == k) & ~at_limit
        inside[-1] = False
        if inside.sum() > 2 and short[inside].mean() > 0.5 and _spread(half.charge_C[inside & short]) > _IRREGULAR:
            irregular |= inside & short
    limit_V = (
        voltage_limit_V if voltage_limit_V is not None else float(np.median(end[at_limit])) if at_limit.any() else None
    )
    return CutShort(at_limit, irregular, share, limit_V)


def _in_proportion(half: HalfCycles, number: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the voltage at each current in proportion to that at the lowest one: no healthy cell has more, V, (n,)."""
    lowest = number == 0
    return half.set_A * float(np.median(half.level_V[lowest] / half.set_A[lowest]))


def _share_of_programme(half: HalfCycles, number: NDArray[np.int64], away: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return charge or duration over that which most currents have in common where nothing runs away, shape (n,)."""
    duration_s = half.end_s - half.start_s + half.lead_C / half.set_A
    kept = [k for k in range(int(number.max()) + 1) if (~away[number == k]).any()]
    charges, durations = (
        np.array([np.median(values[(number == k) & ~away]) for k in kept]) for values in (half.charge_C, duration_s)
    )
    if not kept:
        return np.full(len(half), np.nan)
    by_charge = half.charge_C / np.median(charges)
    if len(kept) == 1:
        # one level fits both programmes: short is what is short by either
        return np.where(half.set_A >= half.set_A[number == kept[0]].max(), by_charge, duration_s / np.median(durations))
    for values, usual in ((half.charge_C, charges), (duration_s, durations)):
        alike = np.abs(usual / np.median(usual) - 1) <= 1 - _SHORT
        if alike.sum() > max(1.0, usual.size / 2):
            return np.asarray(values / np.median(usual[alike]))
    # a programme of its own for each current: only half cycles at the same one can be compared
    share = np.full(len(half), np.nan)
    for k, charge in zip(kept, charges, strict=True):
        share[number == k] = half.charge_C[number == k] / charge
    return share


def _ends_by_charge(
    half: HalfCycles, end_V: NDArray[np.float64], number: NDArray[np.int64], away: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell where the half cycles of one current agree better in charge than in the voltage at their end, shape (n,)."""
    out = np.zeros(len(half), dtype=bool)
    for k in range(int(number.max()) + 1):
        inside = away & (number == k)
        if inside.sum() > 1:
            charge, end = _spread(half.charge_C[inside]), _spread(end_V[inside])
            out |= inside & (charge < min(_TIMED, 0.5 * end))
    return out


def _held(half: HalfCycles) -> NDArray[np.bool_]:
    """Tell which half cycles end with less current than they began with, shape (n,)."""
    current_A = np.abs(half.trace.current_A)
    return current_A[half.last] < _HELD_CURRENT * current_A[np.minimum(half.first + 1, half.last)]


def _spread(values: NDArray[np.float64]) -> float:
    return float(np.std(values) / np.mean(values)) if values.size > 1 else 0.0
