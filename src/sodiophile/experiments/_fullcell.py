"""From a cycling trace of a full cell or half cell to its cycles: what went in and out, at which voltage.

Comes in: the record and a `FullCellProtocol`. Goes out: a `FullCell` with one row a cycle. A half cycle is all current of
one sign until the sign changes, whatever rests, constant-voltage holds or smaller currents it holds. A cycle is an uptake
followed by a release: charge then discharge where the working electrode is a cathode (and in any full cell), discharge then
charge where it is an anode against its metal, as its metal goes in first. What is no such pair is left out and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import HalfCycles, Trace, half_cycles
from sodiophile.experiments._levels import same_level
from sodiophile.experiments._medians import median
from sodiophile.experiments.base import Protocol
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_CONSTANT = 0.95
_CV_BAND_V = 0.01
_LIMIT_BAND = 0.02
_SHORT = 0.9
_MOST_EFFICIENT = 1.1
_COUNTER_BAND = 0.01


class FullCellProtocol(Protocol):
    """What the operator of a full cell, or of a half cell with an insertion electrode, set.

    The first group gives the masses and currents that numbers are referred to; the second says how the file is read, the
    third when a sudden step of the voltage counts.
    """

    # a full cell is judged per gram: its area is welcome, not needed
    area_cm2: Annotated[float | None, InUnit("cm^2")] = Field(  # type: ignore[assignment]
        default=None,
        alias="area",
        gt=0,
        description="the geometric area of the electrode, for capacity and current per area; left out if not given",
    )
    active_mass_mg: Annotated[float, InUnit("mg")] = Field(
        alias="active_mass",
        gt=0,
        description="the mass of active material that capacity is divided by (a file's header is never trusted for it)",
    )
    active_mass_uncertainty_mg: Annotated[float, InUnit("mg")] = Field(
        default=0.0, alias="active_mass_uncertainty", ge=0, description="standard uncertainty of that mass"
    )
    one_c_current_mA: Annotated[float | None, InUnit("mA")] = Field(
        default=None, alias="one_c_current", gt=0, description="the current called 1C; rates are currents only if not known"
    )
    theoretical_capacity_mAh_g: Annotated[float | None, InUnit("mAh/g")] = Field(
        default=None,
        alias="theoretical_capacity",
        gt=0,
        description="the capacity per gram which, times the active mass, passes in 1 h at 1C; instead of one_c_current",
    )
    working_electrode: Literal["cathode", "anode"] = Field(
        default="cathode",
        description="cathode: a full cell or a cathode against metal, efficiency is discharge over charge; anode: an anode "
        "against metal, efficiency is charge over the discharge before it",
    )
    current_threshold_mA: Annotated[float | None, InUnit("mA")] = Field(
        default=None,
        alias="current_threshold",
        gt=0,
        description="current flows above this; taken from the gap between rest and the lowest current level if not given",
    )
    current_accuracy: float = Field(
        default=1e-3, ge=0, lt=0.1, description="accuracy of the cycler's current (largest error, part of the current)"
    )
    formation_cycles: int | None = Field(
        default=None, ge=0, description="first cycles that are formation; found from their lower current if not given"
    )

    step_size_V: Annotated[float, InUnit("V")] = Field(
        default=5e-3, alias="step_size", gt=0, description="the smallest sudden step of the voltage that counts"
    )
    step_noise: float = Field(
        default=6.0, ge=3, description="and it must exceed its standard uncertainty from noise this many times"
    )
    step_structure: float = Field(
        default=6.0,
        ge=3,
        description="and the usual unevenness of the same curve this many times (robust standard deviation)",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.one_c_current_mA is not None and self.theoretical_capacity_mAh_g is not None:
            raise ValueError("found one_c_current and theoretical_capacity, expected one of them")
        return self

    @property
    def one_c_mA(self) -> float | None:
        """The current called 1C, mA; None where neither it nor the theoretical capacity is known."""
        if self.theoretical_capacity_mAh_g is not None:
            return self.theoretical_capacity_mAh_g * self.active_mass_mg / 1e3
        return self.one_c_current_mA

    @property
    def one_c_words(self) -> str:
        """How 1C is defined, for a definition."""
        if self.theoretical_capacity_mAh_g is not None:
            return f"1C = {self.theoretical_capacity_mAh_g:g} mAh/g x {self.active_mass_mg:g} mg in 1 h"
        return f"1C = {self.one_c_current_mA:g} mA as stated" if self.one_c_current_mA is not None else "1C not stated"

    @property
    def uptake_sign(self) -> int:
        """Sign of the current that begins a cycle."""
        return 1 if self.working_electrode == "cathode" else -1

    @property
    def efficiency_words(self) -> str:
        """How Coulombic efficiency is defined."""
        if self.working_electrode == "cathode":
            return "discharge over the charge before it, same cycle"
        return "charge (metal out of the anode) over the discharge before it, same cycle"

    @property
    def capacity_words(self) -> str:
        """Which capacity is quoted."""
        direction = "discharge" if self.working_electrode == "cathode" else "charge (metal out of the anode)"
        return f"{direction} capacity per {self.active_mass_mg:g} mg of active material"


@dataclass(frozen=True)
class FullCell:
    """The cycles of a cell, m of them.

    Parameters
    ----------
    half
        The half cycles.
    uptake, release
        Index of the half cycles of each cycle, shape (m,).
    cycles
        One row a cycle; `complete` is false where a half cycle ended before its limit or holds no charge,
        `efficiency_valid` where more came out than can have gone in.
    notes
        What was left out, and why.
    """

    half: HalfCycles
    uptake: np.ndarray
    release: np.ndarray
    cycles: pl.DataFrame
    notes: tuple[str, ...]

    def capacity_mAh(self, k: int, rows: np.ndarray) -> np.ndarray:
        """Capacity passed in half cycle `k` up to each of `rows`, mAh."""
        half = self.half
        return np.asarray((half.passed_C[rows] - half.passed_C[half.first[k]] + half.lead_C[k]) / 3.6)


def full_cell(record: CyclingRecord, protocol: FullCellProtocol) -> FullCell:
    """Divide the record of a full cell or half cell into cycles.

    Parameters
    ----------
    record
        The trace.
    protocol
        Mass, definition of 1C, and orientation.

    Raises
    ------
    InputError
        If no cycle is complete, or the voltage is that of a symmetric cell or opposes the current.
    """
    half = half_cycles(
        Trace.of(record),
        where=record.name,
        threshold_A=None if protocol.current_threshold_mA is None else protocol.current_threshold_mA / 1e3,
        bridge_rest_s=np.inf,
    )
    notes: list[str] = []
    start = int(half.sign[0] != protocol.uptake_sign)
    count = (len(half) - start) // 2
    if count < 1:
        wanted = (
            "a charge and the discharge after it" if protocol.uptake_sign > 0 else "a discharge and the charge after it"
        )
        found = " and ".join(f"one {'charge' if sign > 0 else 'discharge'}" for sign in half.sign)
        raise InputError(
            f"holds {found}, so no complete cycle; expected {wanted}; set working_electrode otherwise where metal goes in "
            "or out first",
            record.name,
        )
    if start:
        direction = "discharge" if half.sign[0] < 0 else "charge"
        notes.append(
            f"the record begins with a {direction} of {half.charge_C[0] / 3.6:.4g} mAh; it has no partner before it "
            "and is in no cycle"
        )
    uptake = start + 2 * np.arange(count)
    release = uptake + 1
    if (len(half) - start) % 2:
        notes.append(
            f"the last cycle is unfinished: it ends in its {'charge' if half.sign[-1] > 0 else 'discharge'} after "
            f"{half.charge_C[-1] / 3.6:.4g} mAh; left out"
        )
    table = _cycle_table(half, uptake, release, protocol)
    _refuse_what_is_no_full_cell(table, half, record.name)
    complete, said = _complete(half, uptake, release, table)
    notes += said
    table = table.hstack([pl.Series("complete", complete)])
    if count > 1 and not complete[-1]:
        notes.append("the last cycle ends before its usual limit and is left out as unfinished")
        uptake, release, table = uptake[:-1], release[:-1], table[:-1]
    if not table["complete"].any():
        raise InputError(
            "no cycle holds charge in both directions; expected a cell that is charged and discharged", record.name
        )
    notes += _odd_efficiencies(table)
    notes += _against_counter(record, half)
    return FullCell(half, uptake, release, table, tuple(notes))


def set_current_A(half: HalfCycles) -> np.ndarray:
    """Magnitude of the current that each half cycle was run at, A: the highest held for at least a tenth of its charge."""
    magnitude = np.abs(half.trace.current_A[half.grid_rows])
    return np.asarray(np.sort(magnitude, axis=1)[:, -6])


def constant_voltage_share(half: HalfCycles, set_A: np.ndarray) -> np.ndarray:
    """Part of the charge of each half cycle that passed in a hold at constant voltage at its end, shape (n,).

    A hold is what follows the last sample at 95 % of the current, at a voltage within 10 mV of the end.
    """
    current, voltage, share = half.trace.current_A, half.trace.voltage_V, np.zeros(len(half))
    for k in np.flatnonzero((np.abs(current[half.last]) < _CONSTANT * set_A) & (half.charge_C > 0)):
        start, stop = int(half.first[k]), int(half.last[k]) + 1
        magnitude = np.abs(current[start:stop])
        full = np.flatnonzero(magnitude >= _CONSTANT * set_A[k])
        begins = int(full[-1]) if full.size else 0
        held = voltage[start + begins + 1 : stop][magnitude[begins + 1 :] > half.threshold_A]
        if held.size and np.all(np.abs(held - held[-1]) <= _CV_BAND_V):
            share[k] = (half.passed_C[stop - 1] - half.passed_C[start + begins]) / half.charge_C[k]
    return share


def _cycle_table(half: HalfCycles, uptake: np.ndarray, release: np.ndarray, protocol: FullCellProtocol) -> pl.DataFrame:
    cathode = protocol.uptake_sign > 0
    charge, discharge = (uptake, release) if cathode else (release, uptake)
    mAh, mean_V, middle_V = half.charge_C / 3.6, half.mean_V, half.middle_V
    set_A = set_current_A(half)
    share = constant_voltage_share(half, set_A)
    mass_g = protocol.active_mass_mg / 1e3
    level = same_level(set_A[release])
    energy = mAh * mean_V
    one_c = protocol.one_c_mA

    def ratio(top: np.ndarray, bottom: np.ndarray) -> pl.Series:
        valid = bottom > 0
        return pl.Series(np.where(valid, top / np.where(valid, bottom, 1.0), np.nan), nan_to_null=True)

    columns: dict[str, object] = {
        "cycle": np.arange(1, uptake.size + 1),
        "start_h": (half.start_s[uptake] - half.start_s[0]) / 3600,
        "end_h": (half.end_s[release] - half.start_s[0]) / 3600,
        "charge_current_mA": set_A[charge] * 1e3,
        "discharge_current_mA": set_A[discharge] * 1e3,
        "current_mA_g": set_A[release] * 1e3 / mass_g,
        "charge_mAh": mAh[charge],
        "discharge_mAh": mAh[discharge],
        "charge_mAh_g": mAh[charge] / mass_g,
        "discharge_mAh_g": mAh[discharge] / mass_g,
        "capacity_mAh_g": mAh[release] / mass_g,
        "coulombic_efficiency": ratio(mAh[release], mAh[uptake]),
        "charge_mWh": energy[charge],
        "discharge_mWh": energy[discharge],
        "energy_efficiency": ratio(energy[discharge], energy[charge]),
        "charge_mean_V": mean_V[charge],
        "discharge_mean_V": mean_V[discharge],
        "polarization_mean_mV": (mean_V[charge] - mean_V[discharge]) * 1e3,
        "polarization_middle_mV": (middle_V[charge] - middle_V[discharge]) * 1e3,
        "charge_end_V": half.trace.voltage_V[half.last[charge]],
        "discharge_end_V": half.trace.voltage_V[half.last[discharge]],
        "charge_cv_share": share[charge],
        "discharge_cv_share": share[discharge],
        "level": level,
    }
    if one_c is not None:
        columns["charge_rate_C"] = set_A[charge] * 1e3 / one_c
        columns["discharge_rate_C"] = set_A[discharge] * 1e3 / one_c
    if protocol.area_cm2 is not None:
        columns["capacity_mAh_cm2"] = mAh[release] / protocol.area_cm2
        columns["current_density_mA_cm2"] = set_A[release] * 1e3 / protocol.area_cm2
    efficiency = np.where(mAh[uptake] > 0, mAh[release] / np.where(mAh[uptake] > 0, mAh[uptake], 1.0), np.inf)
    columns["efficiency_valid"] = efficiency <= _MOST_EFFICIENT
    return pl.DataFrame(columns)


def _refuse_what_is_no_full_cell(table: pl.DataFrame, half: HalfCycles, where: str) -> None:
    up, down = (median(table[name].to_numpy()) for name in ("charge_mean_V", "discharge_mean_V"))
    gap, offset = up - down, (up + down) / 2
    rise = half.trace.voltage_V[half.last] - half.trace.voltage_V[half.first]
    while_up, while_down = (median(rise[half.sign == sign]) for sign in (1, -1))
    # a first discharge from a fresh cell's high voltage may lie above the charge; only the way tells
    if gap < 0 and while_up < 0 < while_down:
        raise InputError(
            f"the voltage falls by {-while_up:.4g} V while the current is positive and rises by {while_down:.4g} V while "
            "negative; no cell does that: the file's sign of current or voltage is inverted, read it with the other sign",
            where,
        )
    if abs(offset) <= gap / 2:
        raise InputError(
            f"the voltage is centred on zero ({up:.4g} V while charging, {down:.4g} V while discharging), as that of a "
            "symmetric cell, which has no capacity of its own; expected a full cell or a half cell; see symmetric-cycling",
            where,
        )


def _complete(
    half: HalfCycles, uptake: np.ndarray, release: np.ndarray, table: pl.DataFrame
) -> tuple[np.ndarray, list[str]]:
    """Tell which cycles hold charge in both directions and were released to their usual limit."""
    charge = half.charge_C
    end_V = half.trace.voltage_V[half.last]
    usual = median(end_V[release])
    span = abs(median(end_V[uptake]) - usual)
    sign = half.sign[release]
    missed = (usual - end_V[release]) * sign > max(_LIMIT_BAND * span, 0.01)
    level = table["level"].to_numpy()
    typical = np.array([median(charge[release][level == number]) for number in range(int(level.max()) + 1)])[level]
    early = missed & (charge[release] < _SHORT * typical)
    if release.size > 1:
        # alone at its current, the last cycle has only its own uptake to be compared with
        alone = np.count_nonzero(level == level[-1]) == 1
        early[-1] |= bool(missed[-1] and alone and charge[release[-1]] < _SHORT * charge[uptake[-1]])
    empty = (charge[uptake] <= 0) | (charge[release] <= 0)
    notes = []
    inside = np.flatnonzero((early | empty)[:-1])
    if inside.size:
        k = int(inside[0])
        notes.append(
            f"{inside.size} cycles end before their usual limit of {usual:.4g} V or pass no charge (first: cycle {k + 1}, "
            f"at {end_V[release[k]]:.4g} V); they are in no mean and no fit"
        )
    return ~(early | empty), notes


def _odd_efficiencies(table: pl.DataFrame) -> list[str]:
    odd = np.flatnonzero(~table["efficiency_valid"].to_numpy() & table["complete"].to_numpy())
    if not odd.size:
        return []
    first = table.row(int(odd[0]), named=True)
    said = (
        f"cycle {first['cycle']}: more came out than went in (Coulombic efficiency {first['coulombic_efficiency']:.3f}), "
        f"so the cell was not empty when it began; its efficiency is in no mean ({odd.size} such cycles)"
    )
    return [said]


def _against_counter(record: CyclingRecord, half: HalfCycles) -> list[str]:
    """Compare the charge of the half cycles with the cycler's own counter of the step, where the record has it."""
    data = record.without_impedance().data
    if "step_net_capacity_ah" not in data.columns or "step_count" not in data.columns:
        return []
    # only the rows that are needed: a million rows are not turned over for a check
    step = data["step_count"]
    begins, ends = (step[rows].cast(pl.Float64).to_numpy() for rows in (half.first, half.last))
    whole = (begins == ends) & (half.charge_C > 0)
    if not whole.any():
        return []
    counted = np.nan_to_num(data["step_net_capacity_ah"][half.last[whole]].cast(pl.Float64).to_numpy())
    deviation = np.abs(counted) * 3600 / half.charge_C[whole] - 1
    worst = int(np.argmax(np.abs(deviation)))
    if abs(deviation[worst]) <= _COUNTER_BAND:
        return []
    said = (
        f"the cycler's own counter differs from the integral of the current by {100 * deviation[worst]:+.2f} % in half "
        f"cycle {int(np.flatnonzero(whole)[worst]) + 1}; samples are missing or too far apart"
    )
    return [said]


def curve_table(cell: FullCell, chosen: Sequence[int], labels: Sequence[str], mass_g: float, points: int) -> pl.DataFrame:
    """Return charge and discharge curves of the `chosen` cycles (rows of the table), thinned, for the figure.

    Parameters
    ----------
    cell
        The cycles.
    chosen, labels
        Rows of the cycle table, and what each curve is called.
    mass_g
        Active mass, g.
    points
        Samples to keep of each curve.
    """
    from sodiophile.experiments._thinning import kept_rows

    parts = []
    for row, label in zip(chosen, labels, strict=True):
        for k in (int(cell.uptake[row]), int(cell.release[row])):
            first, last = int(cell.half.first[k]), int(cell.half.last[k])
            rows = first + kept_rows(cell.half.trace.voltage_V[first : last + 1], points)
            parts.append(
                pl.DataFrame(
                    {
                        "cycle": np.full(rows.size, int(cell.cycles["cycle"][row])),
                        "label": [label] * rows.size,
                        "direction": ["charge" if cell.half.sign[k] > 0 else "discharge"] * rows.size,
                        "capacity_mAh_g": cell.capacity_mAh(k, rows) / mass_g,
                        "voltage_V": cell.half.trace.voltage_V[rows],
                    }
                )
            )
    return pl.concat(parts)
