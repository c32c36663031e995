"""From the record of a cycle-life test to retention, fade, efficiency, polarization and the cycles to the end of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._fullcell import FullCell, curve_table, full_cell
from sodiophile.experiments._fullcell_statistics import capacity_systematic, efficiency_systematic, mean, stated
from sodiophile.experiments._fullcell_steps import find_steps, step_quantities
from sodiophile.experiments.full_cell_cycling.fade import EndOfLife, Fade, end_of_life, fade
from sodiophile.experiments.full_cell_cycling.protocol import FullCellCyclingProtocol
from sodiophile.quantity import Quantity, Status
from sodiophile.records import CyclingRecord
from sodiophile.records.cycling import joined
from sodiophile.result import Result, Verdict

KIND = "full-cell-cycling"
VERSION = 1

UNTOLD, FLAT, FADING, KNEE, RISING = (
    "cannot be told: too few cycles",
    "no fade resolved",
    "fades steadily",
    "fades, and the rate of fading changes",
    "capacity rises",
)
REACHED, CENSORED = "end of life reached", "test ended before the end of life (right-censored)"
_FORMATION_CURRENT = 0.8
_MOST_FORMATION = 10
_CURVES = 5
_CURVE_POINTS = 300


@dataclass(frozen=True)
class Course:
    """The cycles that count.

    Parameters
    ----------
    formation
        Number of formation cycles at the beginning.
    rows
        Rows of the cycle table: complete, after formation, at the main current.
    reference
        Row of the reference cycle.
    notes
        What was left out.
    """

    formation: int
    rows: np.ndarray
    reference: int
    notes: tuple[str, ...]


def analyze(records: Sequence[CyclingRecord], protocol: FullCellCyclingProtocol) -> Result:
    """Analyze the cycle life of a full cell or half cell.

    Parameters
    ----------
    records
        The files of one test of one cell, in order.
    protocol
        Mass, the reference of retention, and thresholds.

    Returns
    -------
    Result
        Tables ``cycles`` (with retention and whether a cycle counts), ``curves`` (thinned), ``steps``, ``fade`` (the line
        and its 95 % interval).

    Raises
    ------
    InputError
        If no cycle is complete, the voltage is no full cell's, or nothing is left after formation.
    """
    record = joined(records)
    cell = full_cell(record, protocol)
    course = _course(cell, protocol, record.name)
    status: Status = "simulated" if record.simulated else "measured"
    capacity = cell.cycles["capacity_mAh_g"].to_numpy()
    number = cell.cycles["cycle"].to_numpy().astype(float)
    reference = float(capacity[course.reference])
    found = fade(number[course.rows], capacity[course.rows])
    scatter = found.scatter if found is not None else None
    after = course.rows[course.rows >= course.reference]
    threshold = protocol.end_of_life * reference
    life = end_of_life(number[after], capacity[after], threshold, scatter or 0.0, protocol.end_of_life)
    steps, step_verdict = find_steps(cell, protocol)
    used = np.isin(np.arange(capacity.size), course.rows)
    table = cell.cycles.with_columns(
        pl.Series("retention", capacity / reference),
        pl.Series("formation", np.arange(capacity.size) < course.formation),
        pl.Series("used", used),
    )
    quantities = _capacities(cell, course, protocol, scatter, status)
    quantities |= _efficiencies(cell, course, protocol, status)
    quantities |= _polarization(cell, course, status)
    if found is not None:
        quantities["fade_per_cycle"] = _fade_quantity(found, reference, course, protocol, status)
    quantities |= _life_quantities(life, protocol, course, cell, status) | step_quantities(steps, status)
    chosen = sorted({int(row) for row in course.rows[np.linspace(0, course.rows.size - 1, _CURVES).astype(int)]})
    labels = [f"cycle {int(number[row])}" for row in chosen]
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(mode="json"),
            "records": [origin.to_dict() for origin in record.provenance],
            "version": VERSION,
            "current_threshold_mA": cell.half.threshold_A * 1e3,
            "one_c": protocol.one_c_words,
        },
        quantities=quantities,
        verdicts={
            "end_of_life": _life_verdict(life, protocol, reference),
            "fade": _fade_verdict(found, reference),
            "voltage_step": step_verdict,
        },
        warnings=(*course.notes, *_warnings(course, quantities), *cell.notes, *record.notes),
        tables={
            "cycles": table,
            "curves": curve_table(cell, chosen, labels, protocol.active_mass_mg / 1e3, _CURVE_POINTS),
            "steps": steps,
            "fade": _fade_table(found, number[course.rows], reference),
        },
        simulated=record.simulated,
    )


def _course(cell: FullCell, protocol: FullCellCyclingProtocol, where: str) -> Course:
    """Tell formation, the main current and the reference cycle."""
    table = cell.cycles
    level, complete = table["level"].to_numpy(), table["complete"].to_numpy()
    current = table["discharge_current_mA" if protocol.uptake_sign > 0 else "charge_current_mA"].to_numpy()
    notes = []
    counts = np.bincount(level[complete])
    main = int(counts.size - 1 - np.argmax(counts[::-1]))
    main_mA = float(np.median(current[level == main]))
    if protocol.formation_cycles is not None:
        formation = protocol.formation_cycles
    else:
        begins = int(np.argmax(level == main))
        low = current[:begins] < _FORMATION_CURRENT * main_mA
        formation = begins if 0 < begins <= _MOST_FORMATION and low.all() else 0
        if formation:
            notes.append(
                f"the first {formation} cycles ran at a lower current ({np.median(current[:begins]):.4g} mA, then "
                f"{main_mA:.4g} mA) and are taken as formation; set formation_cycles otherwise"
            )
    index = np.arange(level.size)
    rows = index[complete & (index >= formation) & (level == main)]
    if not rows.size:
        raise InputError(
            f"no complete cycle is left after {formation} formation cycles of {level.size}; expected fewer", where
        )
    other = int(np.count_nonzero(complete & (index >= formation) & (level != main)))
    if other:
        notes.append(
            f"{other} cycles at other currents than {main_mA:.4g} mA are in no fit and no mean; for a rate test see "
            "full-cell-rate"
        )
    capacity = table["capacity_mAh_g"].to_numpy()
    if protocol.reference == "first":
        reference = int(index[complete][0])
        if level[reference] != main:
            notes.append(
                f"the reference cycle {reference + 1} ran at {current[reference]:.4g} mA, the others at {main_mA:.4g} mA: "
                "retention holds the difference of the rates too"
            )
    elif protocol.reference == "maximum":
        reference = int(rows[np.argmax(capacity[rows])])
    else:
        reference = int(rows[0])
    if capacity[reference] <= 0:
        raise InputError(f"cycle {reference + 1}, the reference, has no capacity; choose another reference", where)
    return Course(formation, rows, reference, tuple(notes))


def _reference_words(course: Course, protocol: FullCellCyclingProtocol) -> str:
    return f"cycle {course.reference + 1} ({protocol.reference})"


def _capacities(
    cell: FullCell, course: Course, protocol: FullCellCyclingProtocol, scatter: float | None, status: Status
) -> dict[str, Quantity]:
    capacity = cell.cycles["capacity_mAh_g"].to_numpy()
    systematic = capacity_systematic(protocol)
    last = int(course.rows[-1])
    reference, final = float(capacity[course.reference]), float(capacity[last])

    def one(value: float, words: str) -> Quantity:
        return Quantity(
            value,
            "mAh/g",
            float(np.hypot(scatter or 0.0, systematic * value)),
            f"{protocol.capacity_words}, {words}",
            status,
        )

    retention = final / reference
    # of one cycle each; fewer than five cycles do not tell how much one scatters
    relative = None
    if scatter is not None and last != course.reference and final > 0:
        relative = float(np.hypot(scatter / reference, scatter / final))
    out = {
        "capacity_initial": one(reference, f"reference: {_reference_words(course, protocol)}"),
        "capacity_final": one(final, f"cycle {last + 1}, the last complete one at the main current"),
        "retention": Quantity(
            retention,
            "1",
            None if relative is None else retention * relative,
            f"capacity of cycle {last + 1} over that of {_reference_words(course, protocol)}; mass and accuracy cancel",
            status,
        ),
        "cycles": Quantity(course.rows.size, "1", None, "complete cycles after formation at the main current", status),
        "formation_cycles": Quantity(course.formation, "1", None, "formation cycles at the beginning", status),
    }
    if protocol.area_cm2 is not None:
        factor = protocol.active_mass_mg / 1e3 / protocol.area_cm2
        out["areal_capacity_initial"] = Quantity(
            reference * factor, "mAh/cm^2", None, f"per geometric area, {_reference_words(course, protocol)}", status
        )
    return out


def _efficiencies(cell: FullCell, course: Course, protocol: FullCellCyclingProtocol, status: Status) -> dict[str, Quantity]:
    table = cell.cycles
    relative = efficiency_systematic(protocol)
    accuracy = f"uncertainty holds a current accuracy of {100 * protocol.current_accuracy:g} % in either direction"
    out: dict[str, Quantity] = {}
    first = table.row(0, named=True)
    if first["efficiency_valid"] and first["complete"]:
        value = float(first["coulombic_efficiency"])
        out["coulombic_efficiency_first"] = Quantity(
            value, "1", relative * value, f"{protocol.efficiency_words}, cycle 1; {accuracy}", status
        )
    used = table[course.rows.tolist()].filter(pl.col("efficiency_valid"))
    # the first cycle at a new current begins from where the last left the cell
    used = used.filter(pl.col("cycle") != course.formation + 1) if used.height > 1 else used
    values = used["coulombic_efficiency"].drop_nulls().to_numpy()
    if values.size:
        found = mean(values, relative * float(values.mean()), correlated=True)
        words = f"{protocol.efficiency_words}, mean over {values.size} cycles after formation and the first; {accuracy}"
        out["coulombic_efficiency"] = stated(found, "1", words, status)
    energy = used["energy_efficiency"].drop_nulls().to_numpy()
    if energy.size and protocol.uptake_sign > 0:
        found = mean(energy, relative * abs(float(energy.mean())), correlated=True)
        words = f"discharged over charged energy of a cycle, mean over {energy.size} cycles; {accuracy}"
        out["energy_efficiency"] = stated(found, "1", words, status)
    held = table[course.rows.tolist()]["charge_cv_share"].to_numpy()
    if held.max() > 0:
        words = "part of the charge that passed in the hold at constant voltage at its end, median"
        out["constant_voltage_share"] = Quantity(float(np.median(held)), "1", None, words, status)
    return out


def _polarization(cell: FullCell, course: Course, status: Status) -> dict[str, Quantity]:
    part = cell.cycles[course.rows.tolist()].filter(pl.col("efficiency_valid"))
    if not part.height:
        return {}
    resolution = cell.half.resolution_V * 1e3 / np.sqrt(6.0)
    out = {}
    ways = {
        "polarization_mean": (
            "polarization_mean_mV",
            "mean charge voltage minus mean discharge voltage, each weighted by charge",
        ),
        "polarization_middle": (
            "polarization_middle_mV",
            "charge voltage minus discharge voltage, each at half of its own capacity",
        ),
    }
    for name, (column, words) in ways.items():
        values = part[column].to_numpy()
        found = mean(values, resolution, correlated=True)
        out[name] = stated(found, "mV", f"{words}, mean over {values.size} cycles", status)
        out[f"{name}_final"] = Quantity(float(values[-1]), "mV", None, f"{words}, cycle {int(part['cycle'][-1])}", status)
    return out


def _fade_quantity(
    found: Fade, reference: float, course: Course, protocol: FullCellCyclingProtocol, status: Status
) -> Quantity:
    whole = found.whole
    return Quantity(
        -whole.slope / reference,
        "1",
        whole.slope_u / reference,
        f"part of the capacity of {_reference_words(course, protocol)} lost each cycle: slope of a line through "
        f"{course.rows.size} cycles, with the correlation of neighbours ({whole.rho:.2f}) taken into account; 95 % "
        f"interval +/- {whole.factor:.3g} times the uncertainty",
        status,
    )


def _life_quantities(
    life: EndOfLife, protocol: FullCellCyclingProtocol, course: Course, cell: FullCell, status: Status
) -> dict[str, Quantity]:
    words = (
        f"cycles until {100 * protocol.end_of_life:g} % of the capacity of {_reference_words(course, protocol)}, for good"
    )
    before = float(cell.cycles["cycle"][course.reference])
    if not life.reached:
        ended = f"{words}; not reached when the test ended, counted from the reference cycle"
        return {"cycles_to_end_of_life": Quantity(life.cycle - before, "1", None, ended, status, bound="lower")}
    low, high = (end - before for end in life.between)
    return {
        "cycles_to_end_of_life": Quantity(
            life.cycle - before,
            "1",
            life.uncertainty,
            f"{words}, interpolated, counted from the reference cycle; the interval is the last cycle above and the first "
            "of those below",
            status,
            interval=(low, high),
        )
    }


def _life_verdict(life: EndOfLife, protocol: FullCellCyclingProtocol, reference: float) -> Verdict:
    limit = f"{100 * protocol.end_of_life:g} % of {reference:.4g} mAh/g"
    if life.reached:
        return Verdict(REACHED, (f"the capacity is below {limit} from cycle {life.between[1]:g} on",))
    return Verdict(CENSORED, (f"the capacity is above {limit} to the last cycle, {life.cycle:g}",))


def _fade_verdict(found: Fade | None, reference: float) -> Verdict:
    if found is None:
        return Verdict(UNTOLD, ("a line needs 5 complete cycles after formation",))
    whole = found.whole
    low, high = (100 * (-whole.slope + side * whole.factor * whole.slope_u) / reference for side in (-1, 1))
    numbers = f"fade {-100 * whole.slope / reference:.3g} % of the reference a cycle, 95 % interval {low:.3g} to {high:.3g}"
    scatter = f"one cycle scatters by {100 * found.scatter / reference:.2g} %, neighbours correlate by {whole.rho:.2f}"
    if found.knee is not None and found.before is not None and found.after is not None:
        bend = (
            f"at cycle {found.knee:g} the fade changes from {-100 * found.before.slope / reference:.3g} to "
            f"{-100 * found.after.slope / reference:.3g} % a cycle (information criterion better by {found.evidence:.3g})"
        )
        return Verdict(KNEE, (bend, numbers, scatter))
    answer = FADING if low > 0 else RISING if high < 0 else FLAT
    return Verdict(answer, (numbers, scatter))


def _fade_table(found: Fade | None, cycle: np.ndarray, reference: float) -> pl.DataFrame:
    if found is None:
        at = fitted = half = np.empty(0)
    else:
        at = np.unique(np.linspace(cycle[0], cycle[-1], 50))
        fitted = np.array([found.whole.at(x) for x in at])
        half = np.array([found.whole.factor * found.whole.at_u(x) for x in at])
    return pl.DataFrame(
        {
            "cycle": at,
            "capacity_mAh_g": fitted,
            "low_mAh_g": fitted - half,
            "high_mAh_g": fitted + half,
            "retention": fitted / reference,
        }
    )


def _warnings(course: Course, quantities: dict[str, Quantity]) -> list[str]:
    out = []
    efficiency = quantities.get("coulombic_efficiency")
    if efficiency is not None and efficiency.uncertainty is not None:
        distance = efficiency.value - 1
        if distance > 2 * efficiency.uncertainty:
            out.append(
                f"the mean Coulombic efficiency of {efficiency.value:.4f} is above 1 by more than its uncertainty: charge "
                "comes from elsewhere, or working_electrode is set the wrong way round"
            )
        elif abs(distance) <= 2 * efficiency.uncertainty:
            out.append(f"a Coulombic efficiency of {efficiency} cannot be told from 1 with this accuracy of the current")
    if course.rows.size < 5:
        out.append(f"{course.rows.size} complete cycles after formation: scatter and fade cannot be told")
    return out
