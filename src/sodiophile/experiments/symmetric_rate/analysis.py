"""From the record of a symmetric rate test to polarization against current density, and what it says of the cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import HalfCycles, doubtful_current
from sodiophile.experiments._thinning import kept_rows
from sodiophile.experiments.symmetric_cycling.analysis import judge
from sodiophile.experiments.symmetric_cycling.lifespan import CENSORED, Ending
from sodiophile.experiments.symmetric_cycling.polarization import cycle_table
from sodiophile.experiments.symmetric_cycling.protocol import SymmetricCyclingProtocol
from sodiophile.experiments.symmetric_rate.limits import CutShort, cut_short
from sodiophile.experiments.symmetric_rate.line import Line, ascending, straight_line
from sodiophile.experiments.symmetric_rate.protocol import SymmetricRateProtocol, rates_of
from sodiophile.experiments.symmetric_rate.steps import RateStep, rate_steps, step_table
from sodiophile.experiments.symmetric_rate.verdicts import returned, returning, scaling_verdict, stability, straightness
from sodiophile.quantity import Quantity, Status
from sodiophile.records import CyclingRecord
from sodiophile.records.cycling import joined
from sodiophile.result import Result, Verdict
from sodiophile.schema import checked

KIND = "symmetric-rate"
VERSION = 2

_OFF_CENTRE_V = 0.05
_TRACE_POINTS = 6000


def analyze(records: Sequence[CyclingRecord], protocol: SymmetricRateProtocol) -> Result:
    """Analyze a symmetric cell that was cycled at one current density after the other.

    Parameters
    ----------
    records
        The files of one test of one cell, in order.
    protocol
        The area, what was set, and every threshold.

    Returns
    -------
    Result
        Tables ``steps``, ``cycles``, ``half_cycles`` and ``trace`` (thinned for the figure).

    Raises
    ------
    InputError
        If no current flows, no cycle is complete, the cell is not symmetric, or only one current density was run.
    """
    record = joined(records)
    where = record.name
    half = protocol.half_cycles(record)
    _refuse_what_is_no_symmetric_cell(half, where)
    rules = checked(SymmetricCyclingProtocol, {"area": f"{protocol.area_cm2} cm^2", "plating": protocol.plating})
    table = half.table(protocol.area_cm2)
    _, end = judge(half, table, rules)
    cut = cut_short(half, protocol.voltage_limit_V)
    table = table.with_columns(pl.Series("limit_hit", cut.at_limit), pl.Series("ended_early", cut.early))
    cycles = _cycles(table, cut, rules.truncation)
    healthy = cycles
    if end.onset is not None:
        healthy = cycles.filter(pl.col("end_h") <= (half.trace.time_s[end.onset.last_healthy] - half.start_s[0]) / 3600)
    # line and return rest on all steps: a soft short shows in them
    steps = rate_steps(cycles, half.resolution_V * 1e3, protocol)
    if len(steps) < 2:
        level = f"{steps[0].current_density_mA_cm2:.4g} mA/cm^2" if steps else "no complete cycle"
        raise InputError(
            f"one step of current density found ({level}, {cycles.height} complete cycles), expected several; a test at "
            "one current density is analyzed by symmetric-cycling",
            where,
        )
    status: Status = "simulated" if record.simulated else "measured"
    up = ascending(steps)
    line = straight_line(up, protocol.repeatability)
    back = returned(steps, protocol)
    too_high = _too_high(half, steps, protocol)
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(mode="json"),
            "records": [origin.to_dict() for origin in record.provenance],
            "version": VERSION,
            "time_zero": f"current first flowed {half.start_s[0] / 3600:.6g} h into the test",
            "current_threshold_mA": half.threshold_A * 1e3,
        },
        quantities=_quantities(steps, up, line, back, protocol, status, bool(too_high)),
        verdicts={
            "stability": stability(steps, cut, protocol),
            "scaling": scaling_verdict(up, protocol),
            "ohmic": straightness(up, line, protocol),
            "return": returning(steps[0], back, protocol),
            "short": Verdict(end.answer if end.answer != CENSORED else "none found in the trace", end.evidence),
        },
        warnings=(
            *_warnings(steps, up, end, healthy, cycles, protocol),
            *too_high,
            *doubtful_current(half, protocol.area_cm2),
            *record.notes,
        ),
        tables={
            "steps": step_table(steps, protocol),
            "cycles": cycles,
            "half_cycles": table.with_columns(pl.col("end_rise", "peak_at_start").fill_nan(None)),
            "trace": _drawn(half),
        },
        simulated=record.simulated,
    )


def _cycles(table: pl.DataFrame, cut: CutShort, truncation: float) -> pl.DataFrame:
    """Return the complete cycles, and those that a voltage limit kept from being complete, with what ended them."""
    ends = (
        table.with_columns(pl.Series("share", cut.share))
        .group_by("cycle")
        .agg(
            pl.col("limit_hit").sum().cast(pl.Int64).alias("at_limit"),
            pl.col("ended_early").sum().cast(pl.Int64),
            pl.col("share").filter(pl.col("ended_early")).fill_nan(None).median(),
        )
    )
    complete = cycle_table(table, truncation)["cycle"].implode()
    return (
        cycle_table(table, 0.0)
        .join(ends, on="cycle", maintain_order="left")
        .filter(pl.col("current_density_mA_cm2") > 0, pl.col("cycle").is_in(complete) | (pl.col("ended_early") > 0))
    )


def _refuse_what_is_no_symmetric_cell(half: HalfCycles, where: str) -> None:
    if half.plating.all() or not half.plating.any():
        raise InputError(f"current flows in one direction only ({len(half)} half cycles); expected both", where)
    up = float(np.median((half.level_V * half.sign)[half.sign > 0]))
    down = float(np.median((half.level_V * half.sign)[half.sign < 0]))
    offset, polarization = (up + down) / 2, (up - down) / 2
    if polarization < -5 * float(np.median(half.noise_V)) and -polarization > abs(offset):
        raise InputError("the voltage opposes the current; the file's sign of current or voltage is inverted", where)
    if abs(offset) > max(abs(polarization), _OFF_CENTRE_V):
        raise InputError(
            f"the voltage is not centred on zero ({up:.4g} V while charging, {down:.4g} V while discharging); expected two "
            "electrodes of the same metal, so this is no symmetric cell",
            where,
        )


def _quantities(
    steps: list[RateStep],
    up: list[RateStep],
    line: Line | None,
    back: RateStep | None,
    protocol: SymmetricRateProtocol,
    status: Status,
    untaken: bool,
) -> dict[str, Quantity]:
    words = "(|V_plate| + |V_strip|)/2, charge-weighted means, mean over the cycles of the step after settling"

    def polarization(step: RateStep, which: str) -> Quantity:
        text = (
            f"{words}; {which}, {step.current_density_mA_cm2:.4g} mA/cm^2, cycles {step.first_cycle} to {step.last_cycle}"
        )
        if step.ended_early == 2 * step.cycles:
            early = f"{text}; up to where each half cycle was cut short, so the least that the whole one would have"
            return Quantity(step.polarization_mV, "mV", None, early, status, bound="lower")
        return Quantity(step.polarization_mV, "mV", step.error_mV, text, status)

    highest = max(steps, key=lambda step: step.current_density_mA_cm2)
    out = {
        "polarization_first": polarization(steps[0], "first step"),
        "polarization_highest": polarization(highest, "highest current density"),
        "highest_current_density": Quantity(
            highest.current_density_mA_cm2, "mA/cm^2", None, "measured current per geometric area, highest step", status
        ),
        "levels": Quantity(len(up), "1", None, "current densities on the way up that the cell sustains", status),
    }
    if protocol.current_density_mA_cm2 is not None:
        near = [
            step
            for step in steps
            if abs(step.current_density_mA_cm2 / protocol.current_density_mA_cm2 - 1) <= protocol.same_current
        ]
        if near:
            out["polarization"] = polarization(near[0], "first step at the asked current density")
    steady = 0.0
    for step in sorted(steps[: steps.index(highest) + 1], key=lambda step: step.current_density_mA_cm2):
        if not step.stable(protocol):
            break
        steady = step.current_density_mA_cm2
    if steady > 0:
        text = (
            f"highest up to which every step drifts by less than {100 * protocol.stable_drift:g} % of its polarization "
            "and no half cycle ends early"
        )
        all_stable = steady == highest.current_density_mA_cm2
        out["stable_current_density"] = Quantity(
            steady, "mA/cm^2", None, text, status, bound="lower" if all_stable and not untaken else None
        )
    if up:
        out |= _line_quantities(up[-1], line, len(up), protocol, status)
    if back is not None and not back.ended_early and not steps[0].ended_early:
        ratio = back.polarization_mV / steps[0].polarization_mV
        error = abs(ratio) * float(
            np.hypot(back.error_mV / back.polarization_mV, steps[0].error_mV / steps[0].polarization_mV)
        )
        out["return_ratio"] = Quantity(
            ratio, "1", error, f"polarization back at the first current density (step {back.number}) over the first", status
        )
    return out


def _line_quantities(
    highest: RateStep, line: Line | None, levels: int, protocol: SymmetricRateProtocol, status: Status
) -> dict[str, Quantity]:
    out: dict[str, Quantity] = {}
    if protocol.series_resistance_ohm is not None and highest.polarization_mV > 0:
        ohmic = protocol.series_resistance_ohm * protocol.area_cm2 * highest.current_density_mA_cm2
        out["ohmic_share_impedance"] = Quantity(
            100 * ohmic / highest.polarization_mV,
            "%",
            100 * ohmic / highest.polarization_mV * highest.error_mV / abs(highest.polarization_mV),
            "series resistance as given times the current, of the polarization at "
            f"{highest.current_density_mA_cm2:.4g} mA/cm^2, the highest current density that the cell sustains",
            status,
        )
    if line is None or levels < 3:
        return out
    wide = line.widened()
    errors = np.sqrt(np.diag(line.covariance)) * wide
    text = f"of the weighted straight line eta = a + R j through {levels} levels on the way up"
    out["line_resistance"] = Quantity(
        line.resistance_ohm_cm2,
        "ohm cm^2",
        float(errors[1]),
        f"slope R {text}; whole cell, an upper bound of its ohmic resistance (correlation with a: {line.correlation:.2f})",
        status,
    )
    out["line_intercept"] = Quantity(line.intercept_mV, "mV", float(errors[0]), f"intercept a {text}", status)
    predicted = line.intercept_mV + line.resistance_ohm_cm2 * highest.current_density_mA_cm2
    if predicted > 0 and line.resistance_ohm_cm2 > 0:
        j = highest.current_density_mA_cm2
        share = line.resistance_ohm_cm2 * j / predicted
        # d share/d(a, R) at a fixed current, with the covariance of both
        gradient = np.array([-share / predicted, j * line.intercept_mV / predicted**2])
        spread = float(np.sqrt(gradient @ line.covariance @ gradient)) * wide
        out["ohmic_share"] = Quantity(
            100 * share,
            "%",
            100 * spread,
            f"R j over a + R j at {j:.4g} mA/cm^2, the highest current density that the cell sustains; an upper bound of "
            "the ohmic share",
            status,
        )
    return out


def _warnings(
    steps: list[RateStep],
    up: list[RateStep],
    end: Ending,
    healthy: pl.DataFrame,
    cycles: pl.DataFrame,
    protocol: SymmetricRateProtocol,
) -> list[str]:
    out: list[str] = []
    if healthy.height < cycles.height:
        out.append(
            f"{end.answer} from cycle {int(cycles['cycle'][healthy.height])}: the steps from there on are of a failed cell "
            f"({end.evidence[0] if end.evidence else 'see the verdict'})"
        )
    single = [step.number for step in steps if step.cycles == 1]
    if single:
        out.append(f"step {single[0]} has a single complete cycle ({len(single)} steps have): its stability cannot be told")
    if protocol.current_densities is not None:
        stated = rates_of(protocol.current_densities)
        seen = [step.current_density_mA_cm2 for step in steps]
        same = len(stated) == len(seen) and all(
            abs(b / a - 1) <= protocol.same_current for a, b in zip(stated, seen, strict=True)
        )
        if not same:
            found = ", ".join(f"{value:.4g}" for value in seen)
            out.append(
                f"the file holds steps at {found} mA/cm^2, not {protocol.current_densities} as stated; check the area"
            )
    if protocol.current_density_mA_cm2 is not None and not any(
        abs(step.current_density_mA_cm2 / protocol.current_density_mA_cm2 - 1) <= protocol.same_current for step in steps
    ):
        out.append(f"no step at {protocol.current_density_mA_cm2:g} mA/cm^2: its polarization is not stated")
    early = [f"{step.current_density_mA_cm2:.3g} mA/cm^2" for step in steps if step.ended_early]
    if early:
        out.append(
            f"half cycles at {', '.join(dict.fromkeys(early))} end early: these steps are left out of the line, of scaling "
            "and of the return"
        )
    elif len(up) < len(steps) - 1 and len(up) < 3:
        out.append("the current density does not rise over at least three levels: no line is drawn through them")
    return out


def _too_high(half: HalfCycles, steps: list[RateStep], protocol: SymmetricRateProtocol) -> list[str]:
    """Warn of currents above those of all steps: the cell took them for no complete half cycle, or for a sample only."""
    highest_A = max(step.current_density_mA_cm2 for step in steps) * protocol.area_cm2 / 1e3
    current_A = np.abs(half.trace.current_A)
    above = current_A > highest_A * (1 + 2 * protocol.same_current)
    if not above.any():
        return []
    density = float(np.median(current_A[above])) * 1e3 / protocol.area_cm2
    return [
        (
            f"{int(above.sum())} samples have {density:.3g} mA/cm^2, above every step, but make no complete cycle: "
            "the cell may not take that current at all"
        )
    ]


def _drawn(half: HalfCycles) -> pl.DataFrame:
    trace = half.trace
    rows = kept_rows(trace.voltage_V, _TRACE_POINTS)
    return pl.DataFrame(
        {"time_h": (trace.time_s[rows] - half.start_s[0]) / 3600, "voltage_mV": trace.voltage_V[rows] * 1e3}
    )
