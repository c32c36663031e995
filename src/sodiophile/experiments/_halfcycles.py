"""From a cycling trace to its half cycles: contiguous runs of one sign of current, never step numbers.

Comes in: time, current and voltage of one cell. Goes out: where each half cycle begins and ends, and what its voltage and
charge were, as arrays and as a table. Plating and stripping are told by the sign of the current at the working electrode.

The rules
---------
- Current flows where its magnitude exceeds a threshold, which lies in the widest gap (on a logarithmic axis) between what
  the instrument shows at rest and the lowest level of current.
- A half cycle is a run of one sign. A single sample of another sign or of none, or a run that passes under 1 % of the
  charge of a typical half cycle at under a fifth of the typical current, is a glitch and interrupts nothing. Two runs of
  the same sign with a rest of no more than `bridge_rest_s` between them are one half cycle.
- Charge is the trapezoid of the current over the samples of the run. Where the file says how long the step had lasted at
  its first sample, the time before that sample counts as well. Nothing is integrated across rows that were taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._integrals import RunningIntegrals, integrated
from sodiophile.experiments._medians import median_of_rows, weighted_median
from sodiophile.experiments._meters import current_threshold_A, resolution_V
from sodiophile.records import CyclingRecord

GRID = np.linspace(0.02, 0.98, 49)
"""Fractions of the charge of a half cycle at which its voltage is looked at for everything that must be robust."""

_CORE = (GRID > 0.249) & (GRID < 0.751)
_GLITCH_CHARGE = 0.01
_GLITCH_CURRENT = 0.2
_MOST_mA_cm2 = 100.0


@dataclass(frozen=True)
class Trace:
    """The rows of a record that are a galvanostatic trace.

    Parameters
    ----------
    time_s, current_A, voltage_V
        Shape (n,); positive current charges.
    step_time_s
        Time since the start of the cycler's step, shape (n,), or None where the file does not say.
    breaks
        Rows before which other rows (impedance) were taken out, shape (m,).
    """

    time_s: np.ndarray
    current_A: np.ndarray
    voltage_V: np.ndarray
    step_time_s: np.ndarray | None
    breaks: np.ndarray

    @classmethod
    def of(cls, record: CyclingRecord) -> Trace:
        """Take the trace of a record, without its impedance points."""
        kept = record.without_impedance()
        breaks = np.empty(0, dtype=np.int64)
        if len(kept) < len(record):
            frequency = record.data["frequency_hertz"].cast(pl.Float64).fill_null(0.0).to_numpy()
            is_impedance = np.nan_to_num(frequency) > 0
            position = np.cumsum(~is_impedance)
            breaks = np.unique(position[is_impedance])
            breaks = breaks[(breaks > 0) & (breaks < len(kept))]
        step_time = None
        if "step_time_second" in kept.data.columns:
            step_time = kept.data["step_time_second"].cast(pl.Float64).to_numpy()
        return cls(kept.time_s, kept.current_A, kept.voltage_V, step_time, breaks)


@dataclass(frozen=True)
class HalfCycles:
    """The half cycles of a trace, n of them.

    Parameters
    ----------
    trace
        The trace.
    threshold_A
        Magnitude above which current counts as flowing.
    first, last
        Rows of the first and the last sample of each half cycle, shape (n,).
    sign
        Sign of the current, +1 or -1, shape (n,).
    plating_sign
        Sign of the current that plates.
    integrals
        Charge that passed, of either sign, and energy.
    first_C, last_C
        Charge that passed up to `first` and up to `last`, shape (n,).
    lead_C
        Charge before the first sample of each half cycle, where the file tells its step time, shape (n,).
    """

    trace: Trace
    threshold_A: float
    first: np.ndarray
    last: np.ndarray
    sign: np.ndarray
    plating_sign: int
    integrals: RunningIntegrals
    first_C: np.ndarray
    last_C: np.ndarray
    lead_C: np.ndarray

    def __len__(self) -> int:
        return self.first.size

    @cached_property
    def samples(self) -> np.ndarray:
        """Number of samples, shape (n,)."""
        return self.last - self.first + 1

    @cached_property
    def plating(self) -> np.ndarray:
        """True where the electrode under study is plated, shape (n,)."""
        return self.sign == self.plating_sign

    @cached_property
    def start_s(self) -> np.ndarray:
        """Time at the first sample, s, shape (n,)."""
        return self.trace.time_s[self.first]

    @cached_property
    def end_s(self) -> np.ndarray:
        """Time at the last sample, s, shape (n,)."""
        return self.trace.time_s[self.last]

    @property
    def passed_C(self) -> np.ndarray:
        """Charge that passed, of either sign, up to each row, C, shape (rows,)."""
        return self.integrals.passed_C

    @cached_property
    def inner_C(self) -> np.ndarray:
        """Charge between the first and the last sample, C, shape (n,); positive."""
        return self.last_C - self.first_C

    @cached_property
    def charge_C(self) -> np.ndarray:
        """Charge, C, shape (n,); positive."""
        return self.inner_C + self.lead_C

    @cached_property
    def cycle(self) -> np.ndarray:
        """Number of the cycle, from 1, shape (n,): a new one begins whenever the first direction returns."""
        again = self.sign == self.sign[:1]
        begins = again.copy()
        begins[1:] &= ~again[:-1]
        return np.cumsum(begins)

    @cached_property
    def grid_rows(self) -> np.ndarray:
        """Rows at the charge fractions `GRID`, shape (n, 49)."""
        wanted = self.first_C[:, None] + GRID * self.inner_C[:, None]
        return self.integrals.rows_near(wanted, self.first, self.last)

    @cached_property
    def grid_V(self) -> np.ndarray:
        """Voltage in the direction of the current at the fractions `GRID` of the charge, V, shape (n, 49).

        Positive for anything passive, in plating and in stripping.
        """
        return self.trace.voltage_V[self.grid_rows] * self.sign[:, None]

    @cached_property
    def level_V(self) -> np.ndarray:
        """Median of `grid_V` between 25 and 75 % of the charge, V, shape (n,)."""
        return median_of_rows(self.grid_V[:, _CORE])

    @cached_property
    def set_A(self) -> np.ndarray:
        """Median magnitude of the current between 25 and 75 % of the charge, A, shape (n,)."""
        return median_of_rows(np.abs(self.trace.current_A[self.grid_rows[:, _CORE]]))

    @cached_property
    def noise_V(self) -> np.ndarray:
        """Noise of a sample (standard deviation), V, shape (n,).

        From the median absolute deviation of differences between neighbours, at least that of the resolution of the file
        (step / sqrt(12)).
        """
        rows = np.minimum(self.grid_rows, np.maximum(self.last - 1, self.first)[:, None])
        after = np.minimum(rows + 1, self.last[:, None])
        steps = self.trace.voltage_V[after] - self.trace.voltage_V[rows]
        spread = median_of_rows(np.abs(steps - median_of_rows(steps)[:, None]))
        return np.maximum(spread * 1.4826 / np.sqrt(2), self.resolution_V / np.sqrt(12))

    @cached_property
    def resolution_V(self) -> float:
        """Smallest difference between two voltages of the file, V; 0 where the file does not show it."""
        return resolution_V(self.trace.voltage_V, self.trace.current_A)

    @cached_property
    def quantile_V(self) -> tuple[np.ndarray, np.ndarray]:
        """Tenth and ninetieth percentile of `grid_V`, V, each of shape (n,)."""
        ordered = np.sort(self.grid_V, axis=1)
        return ordered[:, 5], ordered[:, -6]

    def near(self, *offsets: int) -> np.ndarray:
        """Voltage in the direction of the current at samples counted from the start (>= 0) or the end (< 0), (n, k)."""
        rows = np.stack([self.first + offset if offset >= 0 else self.last + 1 + offset for offset in offsets], axis=1)
        rows = np.clip(rows, self.first[:, None], self.last[:, None])
        return self.trace.voltage_V[rows] * self.sign[:, None]

    def by_half_cycle(self, reduce: np.ufunc, values: np.ndarray) -> np.ndarray:
        """Reduce `values` over the rows of each half cycle, shape (n,)."""
        edges = np.stack([self.first, self.last + 1], axis=1).ravel()
        return reduce.reduceat(values, edges[:-1] if edges[-1] >= values.size else edges)[::2]

    @property
    def mean_V(self) -> np.ndarray:
        """Charge-weighted mean voltage of each half cycle with its sign, V, shape (n,)."""
        inner_VC = self.integrals.energy_between(self.first, self.last)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where((self.inner_C > 0) & (self.samples > 1), inner_VC / self.inner_C, self.level_V * self.sign)

    @property
    def middle_V(self) -> np.ndarray:
        """Voltage at half of the charge of each half cycle with its sign, V, shape (n,): median of 48, 50 and 52 %."""
        return median_of_rows(self.grid_V[:, 23:26]) * self.sign

    def table(self, area_cm2: float, origin_s: float | None = None) -> pl.DataFrame:
        """Return the half-cycle table; voltages carry their sign, shape indices do not.

        Parameters
        ----------
        area_cm2
            Geometric area of the electrode.
        origin_s
            Time that counts as zero; the start of the first half cycle by default.
        """
        sign, voltage = self.sign, self.trace.voltage_V
        origin = float(self.start_s[0]) if origin_s is None else origin_s
        level = self.level_V
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            peak = np.where(sign > 0, self.by_half_cycle(np.maximum, voltage), self.by_half_cycle(np.minimum, voltage))
            low, high = self.quantile_V
            rectangularity = np.clip(np.where(high > 0, low / high, 0.0), 0.0, 1.0)
            end = median_of_rows(self.near(-3, -2, -1))
            end_rise = np.where(level > 0, (end - level) / level, np.nan)
            peak_at_start = np.where(level > 0, self.grid_V[:, :5].max(axis=1) / level, np.nan)
            resistance = level / self.set_A
        charge_mAh = self.charge_C / 3.6
        duration_h = (self.end_s - self.start_s) / 3600
        plated = np.cumsum(np.where(self.plating, charge_mAh, 0.0)) / area_cm2
        return pl.DataFrame(
            {
                "half_cycle": np.arange(1, len(self) + 1),
                "cycle": self.cycle,
                "direction": pl.Series(
                    ["plating" if plates else "stripping" for plates in self.plating.tolist()], dtype=pl.Utf8
                ),
                "start_h": (self.start_s - origin) / 3600,
                "end_h": (self.end_s - origin) / 3600,
                "duration_h": duration_h,
                "samples": self.samples,
                "current_mean_mA": sign * self._mean_A() * 1e3,
                "current_set_mA": sign * self.set_A * 1e3,
                "current_density_mA_cm2": sign * self.set_A * 1e3 / area_cm2,
                "charge_mAh": charge_mAh,
                "charge_mAh_cm2": charge_mAh / area_cm2,
                "plated_mAh_cm2": plated,
                "voltage_start_mV": median_of_rows(self.near(0, 1, 2)) * sign * 1e3,
                "voltage_mean_mV": self.mean_V * 1e3,
                "voltage_median_mV": level * sign * 1e3,
                "voltage_middle_mV": self.middle_V * 1e3,
                "voltage_end_mV": end * sign * 1e3,
                "voltage_peak_mV": peak * 1e3,
                "noise_mV": self.noise_V * 1e3,
                "rectangularity": rectangularity,
                "end_rise": end_rise,
                "peak_at_start": peak_at_start,
                "resistance_ohm": resistance,
                "resistance_ohm_cm2": resistance * area_cm2,
            }
        )

    def _mean_A(self) -> np.ndarray:
        elapsed = self.end_s - self.start_s
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(elapsed > 0, self.inner_C / elapsed, self.set_A)


def half_cycles(
    trace: Trace, *, where: str = "", plating_sign: int = -1, threshold_A: float | None = None, bridge_rest_s: float = 300.0
) -> HalfCycles:
    """Divide a trace into half cycles.

    Parameters
    ----------
    trace
        The trace.
    where
        The name of the record, for the message.
    plating_sign
        Sign of the current that plates the electrode under study.
    threshold_A
        Magnitude above which current counts as flowing; from the data if None (see `current_threshold_A`).
    bridge_rest_s
        The longest rest between two runs of one sign that are still one half cycle.

    Raises
    ------
    InputError
        If no current flows.
    """
    time, current = trace.time_s, trace.current_A
    threshold, typical_A = current_threshold_A(time, current)
    threshold = threshold if threshold_A is None else threshold_A
    integrals, begins = integrated(time, current, trace.voltage_V, trace.breaks, threshold)
    ends = np.append(begins[1:], time.size) - 1
    sign = (current[begins] > threshold).astype(np.int64) - (current[begins] < -threshold)
    begins_C, ends_C = integrals.charge_at(np.stack([begins, ends]))
    charge = ends_C - begins_C
    flowing = (sign != 0) & ~_glitches(current, charge, begins, ends, sign, typical_A)
    if not flowing.any():
        raise InputError(
            f"no half cycle found: the current never exceeds {threshold * 1e3:.3g} mA in two samples of one sign in "
            "succession; expected a cell that is plated and stripped",
            where,
        )
    begins, ends, sign = begins[flowing], ends[flowing], sign[flowing]
    new = np.ones(begins.size, dtype=bool)
    new[1:] = (sign[1:] != sign[:-1]) | (time[begins[1:]] - time[ends[:-1]] > _bridge_s(bridge_rest_s, time, begins, ends))
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], begins.size) - 1
    first, last = begins[starts], ends[stops]
    first_C, last_C = begins_C[flowing][starts], ends_C[flowing][stops]
    lead_C = _lead_C(trace, first)
    return HalfCycles(trace, threshold, first, last, sign[starts], plating_sign, integrals, first_C, last_C, lead_C)


def doubtful_current(half: HalfCycles, area_cm2: float) -> list[str]:
    """Return a sentence if the current per area is beyond what metal is plated at: a header of A over numbers in mA."""
    usual = float(np.median(half.set_A)) * 1e3 / area_cm2
    if usual < _MOST_mA_cm2:
        return []
    return [
        f"the current density is {usual:.4g} mA/cm^2, more than metal is plated at: is the current in mA, the area right?"
    ]


def _bridge_s(bridge_rest_s: float, time: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Gaps that are bridged, s: the rest that the user allows, or a single missing or stray sample."""
    interval = (time[ends] - time[begins]) / np.maximum(ends - begins, 1)
    return np.maximum(bridge_rest_s, 2.5 * np.minimum(interval[1:], interval[:-1]))


def _glitches(
    current: np.ndarray, charge: np.ndarray, begins: np.ndarray, ends: np.ndarray, sign: np.ndarray, typical_A: float
) -> np.ndarray:
    flowing = sign != 0
    if not flowing.any():
        return ~flowing
    typical_C = weighted_median(charge[flowing], charge[flowing])
    small = charge <= _GLITCH_CHARGE * typical_C
    weak = np.maximum(np.abs(current[begins]), np.abs(current[ends])) < _GLITCH_CURRENT * typical_A
    return small & ((begins == ends) | weak)


def _lead_C(trace: Trace, first: np.ndarray) -> np.ndarray:
    lead = np.zeros(first.size)
    if trace.step_time_s is None:
        return lead
    inside = first > 0
    rows = first[inside]
    gap = trace.time_s[rows] - trace.time_s[rows - 1]
    before = np.nan_to_num(trace.step_time_s[rows])
    # a step time longer than the gap to the row before is not the age of this run
    lead[inside] = np.where((before > 0) & (before <= gap * 1.001), before, 0.0) * np.abs(trace.current_A[rows])
    return lead
