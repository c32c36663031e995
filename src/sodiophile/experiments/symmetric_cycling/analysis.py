"""From the record of a symmetric cell to polarization, lifespan with a verdict, and the tables behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import HalfCycles, doubtful_current
from sodiophile.experiments._thinning import kept_rows
from sodiophile.experiments.symmetric_cycling import polarization
from sodiophile.experiments.symmetric_cycling.lifespan import CENSORED, UNDETERMINED, Ending, ending, hard_short
from sodiophile.experiments.symmetric_cycling.protocol import SymmetricCyclingProtocol
from sodiophile.experiments.symmetric_cycling.references import references
from sodiophile.experiments.symmetric_cycling.soft_shorts import Step, soft_short, steps
from sodiophile.quantity import Quantity, Status
from sodiophile.records import CyclingRecord
from sodiophile.records.cycling import joined
from sodiophile.result import Result, Verdict

KIND = "symmetric-cycling"
VERSION = 2

_OFF_CENTRE_V = 0.05
_TRACE_POINTS = 6000


def analyze(records: Sequence[CyclingRecord], protocol: SymmetricCyclingProtocol) -> Result:
    """Analyze the cycling of a symmetric cell.

    Parameters
    ----------
    records
        The files of one test of one cell, in order.
    protocol
        The area, what was set, and every threshold.

    Returns
    -------
    Result
        Tables ``half_cycles``, ``cycles``, ``trace`` (thinned for the figure), ``steps``; times in h since current first
        flowed.

    Raises
    ------
    InputError
        If no current flows, no cycle is complete, or the voltage is not that of a symmetric cell.
    """
    record = joined(records)
    half = protocol.half_cycles(record)
    _refuse_what_is_no_symmetric_cell(half, record.name)
    table = half.table(protocol.area_cm2)
    found, end = judge(half, table, protocol)
    table = table.with_columns(pl.col("end_rise", "peak_at_start").fill_nan(None), pl.Series("limit_hit", end.limit_hit))
    status: Status = "simulated" if record.simulated else "measured"

    cycles = polarization.cycle_table(table, protocol.truncation)
    healthy = cycles if end.onset is None else cycles.filter(pl.col("end_h") <= _hours(half, end.onset.last_healthy))
    chosen, warnings = polarization.window(healthy, protocol.first_cycle, protocol.last_cycle)
    same = healthy
    if chosen.height:
        usual = float(chosen["current_density_mA_cm2"].median())  # type: ignore[arg-type]
        same = healthy.filter((pl.col("current_density_mA_cm2") / usual - 1).abs() <= 0.05)
    quantities = polarization.quantities(same, chosen, half.resolution_V * 1e3, status)
    quantities |= lifespan_quantities(half, end, protocol, status)
    quantities |= _what_was_run(half, table, chosen, status)
    doubts = doubtful_current(half, protocol.area_cm2)
    warnings = [*_warnings(half, chosen, protocol, end), *warnings, *doubts, *record.notes]
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(mode="json"),
            "records": [origin.to_dict() for origin in record.provenance],
            "version": VERSION,
            "time_zero": f"current first flowed {half.start_s[0] / 3600:.6g} h into the test",
            "current_threshold_mA": half.threshold_A * 1e3,
            "voltage_resolution_mV": half.resolution_V * 1e3,
        },
        quantities=quantities,
        verdicts={"lifespan": Verdict(end.answer, end.evidence)},
        warnings=tuple(warnings),
        tables={
            "half_cycles": table,
            "cycles": cycles,
            "trace": _drawn(half),
            "steps": _step_table(half, found),
        },
        simulated=record.simulated,
    )


def judge(half: HalfCycles, table: pl.DataFrame, protocol: SymmetricCyclingProtocol) -> tuple[list[Step], Ending]:
    """Find how the record ended, and the sudden falls of voltage on the way.

    Parameters
    ----------
    half, table
        The half cycles and their table.
    protocol
        The thresholds.
    """
    shape, rise = table["rectangularity"].to_numpy(), table["end_rise"].to_numpy()
    reference = references(half, shape, rise, protocol.reference_cycles)
    hard, healed = hard_short(half, reference, protocol)
    end_row = hard.first_failed if hard is not None else half.trace.time_s.size
    found = sorted([*healed, *steps(half, protocol, end_row)], key=lambda step: step.row)
    soft = soft_short(half, reference, shape, rise, found, end_row, protocol)
    return found, ending(half, reference, protocol, soft, hard)


def lifespan_quantities(
    half: HalfCycles, end: Ending, protocol: SymmetricCyclingProtocol, status: Status
) -> dict[str, Quantity]:
    """State the lifespan in hours, cycles and plated capacity; a lower bound where the record ended first."""
    if end.answer == UNDETERMINED:
        return {}
    last = len(half) - 1
    until = f"until the end of the record ({CENSORED})" if end.onset is None else f"until the onset: {end.answer}"
    row, k = (int(half.last[-1]), last) if end.onset is None else (end.onset.last_healthy, end.onset.half_cycle)
    hours = f"time since current first flowed, {until}"
    plated = f"charge plated on the electrode under study since current first flowed, per area, {until}"
    cycles = f"complete cycles {until}"
    area = protocol.area_cm2
    if end.onset is None:
        complete = int(half.cycle[-1]) - (0 if _complete(half, protocol) else 1)
        out = {
            "lifespan": Quantity(_hours(half, row), "h", None, hours, status, bound="lower"),
            "lifespan_cycles": Quantity(max(complete, 0), "1", None, cycles, status, bound="lower"),
            "lifespan_plated_capacity": Quantity(_plated(half, row, area), "mAh/cm^2", None, plated, status, bound="lower"),
        }
    else:
        failed = end.onset.first_failed
        number = int(half.cycle[k])
        out = {
            "lifespan": _between(_hours(half, row), _hours(half, failed), "h", hours, status),
            "lifespan_cycles": Quantity(number - 1, "1", None, cycles, status, interval=(number - 1, number)),
            "lifespan_plated_capacity": _between(
                _plated(half, row, area), _plated(half, failed, area), "mAh/cm^2", plated, status
            ),
        }
    if end.soft is not None:
        out["soft_short_onset"] = _between(
            _hours(half, end.soft.last_healthy),
            _hours(half, end.soft.first_failed),
            "h",
            "time since current first flowed, until the first suspected soft short",
            status,
        )
    return out


def _between(low: float, high: float, unit: str, definition: str, status: Status) -> Quantity:
    words = f"{definition}; between the last healthy and the first failed sample"
    return Quantity((low + high) / 2, unit, (high - low) / np.sqrt(12), words, status, interval=(low, high))


def _hours(half: HalfCycles, row: int) -> float:
    return float(half.trace.time_s[row] - half.start_s[0]) / 3600


def _plated(half: HalfCycles, row: int, area_cm2: float) -> float:
    """Areal capacity plated up to a row, mAh/cm2."""
    done = half.last <= row
    charge = float(half.charge_C[done & half.plating].sum())
    inside = np.flatnonzero(half.plating & (half.first <= row) & (half.last > row))
    if inside.size:
        k = int(inside[0])
        charge += float(half.passed_C[row] - half.passed_C[half.first[k]] + half.lead_C[k])
    return charge / 3.6 / area_cm2


def _complete(half: HalfCycles, protocol: SymmetricCyclingProtocol) -> bool:
    """Tell whether the last cycle has both halves, the last of them with its usual charge."""
    if half.sign[-1] == half.sign[0] or len(half) < 2:
        return False
    return bool(half.charge_C[-1] >= protocol.truncation * half.charge_C[-2])


def _refuse_what_is_no_symmetric_cell(half: HalfCycles, where: str) -> None:
    signed = half.level_V * half.sign
    charging, discharging = signed[half.sign > 0], signed[half.sign < 0]
    if charging.size == 0 or discharging.size == 0:
        direction = "positive" if charging.size else "negative"
        raise InputError(
            f"current flows in one direction only ({len(half)} half cycles of {direction} current); expected "
            "plating and stripping",
            where,
        )
    up, down = float(np.median(charging)), float(np.median(discharging))
    offset, polarization_V = (up + down) / 2, (up - down) / 2
    if polarization_V < 0 and -polarization_V > max(5 * float(np.median(half.noise_V)), abs(offset)):
        raise InputError(
            f"the voltage opposes the current ({up * 1e3:.4g} mV while the current is positive, "
            f"{down * 1e3:.4g} mV while negative); "
            "no cell does that: the file's sign of current or voltage is inverted, read it with the other sign",
            where,
        )
    if abs(offset) > max(abs(polarization_V), _OFF_CENTRE_V):
        raise InputError(
            f"the voltage is not centred on zero: {up:.4g} V while charging and {down:.4g} V while "
            "discharging, so the electrodes "
            f"differ by {offset:.4g} V; expected two electrodes of the same metal, so this is no symmetric cell",
            where,
        )


def _what_was_run(half: HalfCycles, table: pl.DataFrame, chosen: pl.DataFrame, status: Status) -> dict[str, Quantity]:
    part = chosen if chosen.height else table.with_columns(pl.col("charge_mAh_cm2").alias("capacity_mAh_cm2"))
    density = part["current_density_mA_cm2"].abs().to_numpy()
    capacity = part["capacity_mAh_cm2"].to_numpy()
    sampled = half.samples > 1
    spans = (half.end_s - half.start_s)[sampled] / (half.samples[sampled] - 1)
    interval = float(np.median(spans)) if spans.size else 0.0
    return {
        "current_density": polarization.stated(
            density, 0.0, 0.0, "mA/cm^2", "median current of a half cycle per geometric area, in the window", status
        ),
        "capacity": polarization.stated(
            capacity, 0.0, 0.0, "mAh/cm^2", "charge plated in a half cycle per geometric area, in the window", status
        ),
        "sampling_interval": Quantity(
            interval, "s", None, "median of the mean time between samples in a half cycle", status
        ),
    }


def _warnings(half: HalfCycles, chosen: pl.DataFrame, protocol: SymmetricCyclingProtocol, end: Ending) -> list[str]:
    out: list[str] = []
    if chosen.height == 0:
        out.append("no complete healthy cycle in the window: polarization is not stated")
    else:
        eta = float(chosen["polarization_mean_mV"].median())  # type: ignore[arg-type]
        offset = float(chosen["offset_mV"].median())  # type: ignore[arg-type]
        if abs(offset) > 0.2 * abs(eta):
            out.append(
                f"plating and stripping differ: the offset of {offset:.3g} mV is "
                f"{100 * abs(offset / eta):.0f} % of the polarization"
            )
        for name, column, given, unit in (
            ("current density", "current_density_mA_cm2", protocol.current_density_mA_cm2, "mA/cm^2"),
            ("capacity", "capacity_mAh_cm2", protocol.capacity_mAh_cm2, "mAh/cm^2"),
        ):
            seen = float(chosen[column].median())  # type: ignore[arg-type]
            if given is not None and abs(seen / given - 1) > 0.05:
                out.append(f"the {name} in the file is {seen:.4g} {unit}, not the {given:g} {unit} stated; check the area")
    if end.soft is not None and end.onset is not None and end.soft.first_failed < end.onset.first_failed:
        out.append(
            f"a soft short is suspected already at {_hours(half, end.soft.first_failed):.4g} h: {end.soft.evidence[0]}"
        )
    coarse = int((half.samples < 20).sum())
    if coarse > len(half) / 2:
        out.append(
            f"{coarse} of {len(half)} half cycles have fewer than 20 samples: sudden falls within a half "
            "cycle cannot be told"
        )
    gap = np.diff(half.trace.time_s, prepend=half.trace.time_s[0])
    gap[half.first] = 0.0
    gap[half.trace.breaks] = 0.0
    longest = half.by_half_cycle(np.maximum, gap)
    duration = half.end_s - half.start_s
    holes = (longest > 0.1 * duration) & (half.samples >= 20)
    if holes.any():
        k = int(np.argmax(holes))
        out.append(
            f"half cycle {k + 1} has a gap of {longest[k]:.4g} s without samples ({int(holes.sum())} half "
            "cycles have one); its charge "
            "assumes that the current went on"
        )
    return out


def _drawn(half: HalfCycles) -> pl.DataFrame:
    trace = half.trace
    rows = kept_rows(trace.voltage_V, _TRACE_POINTS)
    return pl.DataFrame(
        {"time_h": (trace.time_s[rows] - half.start_s[0]) / 3600, "voltage_mV": trace.voltage_V[rows] * 1e3}
    )


def _step_table(half: HalfCycles, found: list[Step]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time_h": [_hours(half, step.row) for step in found],
            "half_cycle": [step.half_cycle + 1 for step in found],
            "before_mV": [step.before_V * 1e3 for step in found],
            "fall_mV": [step.fall_V * 1e3 for step in found],
            "recovered": [step.recovered for step in found],
        },
        schema={
            "time_h": pl.Float64,
            "half_cycle": pl.Int64,
            "before_mV": pl.Float64,
            "fall_mV": pl.Float64,
            "recovered": pl.Boolean,
        },
    )
