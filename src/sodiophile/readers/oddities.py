"""What is odd about a trace: gaps, repeated times, saturation, coarse steps, capacities and clocks that contradict it."""

from __future__ import annotations

import numpy as np
import polars as pl

from sodiophile.readers import signs
from sodiophile.readers.vendors import MACCOR
from sodiophile.records import CyclingRecord

_GAP_S = 60.0
_GAP_TIMES = 20.0
_SATURATED_ROWS = 10
_COARSE = 0.02
_COARSE_ROWS = 20
_ONE_VALUE_ROWS = 200


def found(record: CyclingRecord) -> list[str]:
    """Return what is odd, one sentence each.

    Parameters
    ----------
    record
        A trace without impedance rows.
    """
    if len(record) < 2:
        return ["there is only one row"]
    checks = (_gaps, _repeated, _saturated, _coarse, _contradicted, _charge, _clock, _missing)
    return [sentence for check in checks for sentence in check(record)]


def _gaps(record: CyclingRecord) -> list[str]:
    steps = np.diff(record.time_s)
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > max(_GAP_S, _GAP_TIMES * usual))
    if not gaps.size:
        return []
    longest = int(gaps[np.argmax(steps[gaps])])
    least = max(_GAP_S, _GAP_TIMES * usual)
    at = f"{steps[longest]:.4g} s after {record.time_s[longest] / 3600:.4g} h"
    return [f"{gaps.size} gaps in the sampling (over {least:.3g} s); the longest is {at}"]


def _repeated(record: CyclingRecord) -> list[str]:
    same = int((np.diff(record.time_s) == 0).sum())
    return [f"{same} rows have the time of the row before"] if same else []


def _saturated(record: CyclingRecord) -> list[str]:
    """Find where the voltage stands still at an end of its range while the current does too."""
    voltage, current = record.voltage_V, record.current_A
    if voltage.min() == voltage.max():
        return ["the voltage never changes"] if len(record) > _SATURATED_ROWS else []
    out = []
    for end, name in ((voltage.max(), "highest"), (voltage.min(), "lowest")):
        still = (voltage == end) & (np.abs(current) > 0.5 * np.abs(current).max()) & (np.abs(current).max() > 0)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], still.astype(np.int8), [0]))))
        runs = [
            (first, last)
            for first, last in zip(edges[::2], edges[1::2], strict=True)
            if last - first >= _SATURATED_ROWS and np.ptp(current[first:last]) <= 0.01 * abs(current[first])
        ]
        if runs:
            rows = sum(last - first for first, last in runs)
            out.append(
                f"the voltage stands still at its {name} value, {end:g} V, in {rows} rows with a steady current: saturated?"
            )
    return out


def _coarse(record: CyclingRecord) -> list[str]:
    """Find a current or voltage that was printed with too few digits: its values lie on a grid that is not fine."""
    out: list[str] = []
    if len(record) < _COARSE_ROWS or record.simulated:
        return out
    for name, unit, values in (("current", "A", record.current_A), ("voltage", "V", record.voltage_V)):
        size = np.abs(values[values != 0])
        distinct = np.unique(size)
        if name == "current" and distinct.size == 1 and size.size > _ONE_VALUE_ROWS:
            out.append(f"the current has no other value than {distinct[0]:g} {unit} and 0: printed with too few digits?")
        if distinct.size < 2:
            continue
        steps, usual = np.diff(distinct), float(np.median(size))
        multiples = steps / steps.min()
        # a grid shows in steps that are whole multiples of the smallest
        if steps.min() > _COARSE * usual and np.allclose(multiples, np.round(multiples), atol=0.05):
            out.append(
                f"the {name} comes in steps of {steps.min():.3g} {unit}, {steps.min() / usual:.0%} of its usual size"
            )
    return out


def _contradicted(record: CyclingRecord) -> list[str]:
    agree, against, _ = signs.disagreement(record.data, MACCOR.states)
    if against <= max(3, 0.01 * agree):
        return []
    return [f"in {against} rows the current flows against what state or capacity columns say ({agree} rows agree)"]


def _charge(record: CyclingRecord) -> list[str]:
    """Compare the charge in the current with the charge in the capacity columns: a wrong unit shows as a power of ten."""
    out = []
    current = record.current_A
    hours = np.diff(record.time_s) / 3600
    for column, sign in (("charging_capacity_ah", 1.0), ("discharging_capacity_ah", -1.0)):
        if column not in record.data.columns:
            continue
        counted = np.abs(record.data[column].cast(pl.Float64).fill_null(float("nan")).to_numpy())
        grown = float(np.nansum(np.clip(np.diff(counted), 0, None)))
        # at a step of the current nobody knows on which side of it the charge of the interval was passed
        sides = [float((np.clip(sign * side, 0, None) * hours).sum()) for side in (current[1:], current[:-1])]
        if grown <= 0 or min(sides) <= 0 or 0.8 * min(sides) < grown < 1.25 * max(sides):
            continue
        integral = 0.5 * sum(sides)
        power = np.log10(grown / integral)
        unit = ": the unit of one of them is wrong" if abs(power) > 2 and abs(power - round(power)) < 0.1 else ""
        out.append(f"{column} grows by {grown:.4g} Ah, but the current makes it {integral:.4g} Ah{unit}")
    return out


def _clock(record: CyclingRecord) -> list[str]:
    if "unix_time_second" not in record.data.columns:
        return []
    ahead = record.data["unix_time_second"].cast(pl.Float64).fill_null(float("nan")).to_numpy() - record.time_s
    ahead = ahead[np.isfinite(ahead)]
    if ahead.size < 2:
        return []
    drift = float(np.ptp(ahead))
    if drift < max(10.0, 1e-3 * float(np.ptp(record.time_s))):
        return []
    return [
        f"the dates and the time of the test drift apart by {drift:.4g} s (a pause, daylight saving or a clock set anew?)"
    ]


def _missing(record: CyclingRecord) -> list[str]:
    out = []
    for name in record.data.columns:
        column = record.data[name]
        empty = column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0)
        if 0 < empty < len(record) and name != "step_type":
            out.append(f"{name} is empty in {empty} rows")
    return out
