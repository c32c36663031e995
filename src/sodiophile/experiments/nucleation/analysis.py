"""From the first plating on a substrate to tip, plateau and nucleation overpotential, or to why they cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import HalfCycles, doubtful_current
from sodiophile.experiments._thinning import kept_rows
from sodiophile.experiments.nucleation.protocol import NucleationProtocol
from sodiophile.experiments.nucleation.tip import RESOLVED, UNDERSAMPLED, Dip, find_dip
from sodiophile.quantity import Quantity, Status
from sodiophile.records import CyclingRecord
from sodiophile.records.cycling import joined
from sodiophile.result import Result, Verdict

KIND = "nucleation"
VERSION = 3

_TRACE_POINTS = 4000
_EARLY_POINTS = 500
_ABSURD_V = 1.0


@dataclass(frozen=True)
class Plating:
    """One plating half cycle from where the voltage is that of plating.

    Parameters
    ----------
    time_s
        Since plating began, shape (n,).
    capacity_mAh_cm2
        Plated since then, shape (n,).
    overpotential_V
        Against 0 V, positive in the direction of plating, shape (n,).
    row
        Row of the trace at which plating began.
    before
        Charge passed in this half cycle before that, mAh/cm2.
    gap_s
        Time since the sample before; 0 where there is none.
    """

    time_s: np.ndarray
    capacity_mAh_cm2: np.ndarray
    overpotential_V: np.ndarray
    row: int
    before: float
    gap_s: float


def analyze(records: Sequence[CyclingRecord], protocol: NucleationProtocol) -> Result:
    """Analyze the nucleation of a metal during galvanostatic plating.

    Parameters
    ----------
    records
        The files of one test of one cell, in order.
    protocol
        The area, which half cycle, and the definitions of tip and plateau.

    Returns
    -------
    Result
        Quantities by the definitions that the literature has; tables ``trace`` (thinned for the figure) and ``marks``.

    Raises
    ------
    InputError
        If there is no such plating half cycle, nothing is plated in it, or its voltage is no overpotential.
    """
    record = joined(records)
    area = protocol.area_cm2
    half = protocol.half_cycles(record)
    number = np.flatnonzero(half.plating)
    if number.size < protocol.half_cycle:
        raise InputError(
            f"holds {number.size} plating half cycles ({protocol.plating}), expected at least {protocol.half_cycle}; "
            "set plating or half_cycle otherwise",
            record.name,
        )
    k = int(number[protocol.half_cycle - 1])
    plating = _plating(half, k, area, record.name)
    dip = find_dip(
        plating.time_s, plating.capacity_mAh_cm2, plating.overpotential_V, half.resolution_V, protocol, plating.gap_s
    )
    if dip.plateau_V is not None and dip.plateau_V > _ABSURD_V:
        raise InputError(
            f"the voltage while plating is {dip.plateau_V * half.plating_sign:+.4g} V, which is no "
            "overpotential of plating; "
            "expected a metal electrode against the same metal",
            record.name,
        )
    status: Status = "simulated" if record.simulated else "measured"
    current_mA_cm2 = float(half.set_A[k]) * 1e3 / area
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(mode="json"),
            "records": [origin.to_dict() for origin in record.provenance],
            "version": VERSION,
            "plating_began": f"{half.trace.time_s[plating.row] / 3600:.6g} h into the test",
            "voltage_resolution_mV": half.resolution_V * 1e3,
        },
        quantities={
            **_overpotentials(dip, protocol, status),
            **_against_rest(half, k, dip, status),
            **_conditions(half, k, plating, area, status),
        },
        verdicts={"nucleation_dip": Verdict(dip.answer, dip.evidence)},
        warnings=(
            *_warnings(half, k, plating, dip, protocol, current_mA_cm2),
            *doubtful_current(half, area),
            *record.notes,
        ),
        tables={
            "trace": _drawn(plating, half.plating_sign),
            "marks": _marks(dip, plating, half.plating_sign, protocol),
        },
        simulated=record.simulated,
    )


def _plating(half: HalfCycles, k: int, area_cm2: float, where: str) -> Plating:
    """Take half cycle `k` from the first three samples in succession at which metal can be plated (V beyond 0)."""
    rows = slice(int(half.first[k]), int(half.last[k]) + 1)
    overpotential = half.trace.voltage_V[rows] * half.sign[k]
    beyond = overpotential > 0
    lasting = beyond.copy()
    for shift in (1, 2):
        lasting[: beyond.size - shift] &= beyond[shift:]
    if not lasting.any():
        side = "above" if half.plating_sign < 0 else "below"
        raise InputError(
            f"the voltage stays {side} 0 V in plating half cycle {int(half.plating[: k + 1].sum())} (median "
            f"{half.level_V[k] * half.sign[k]:.4g} V): no metal is plated there; expected a metal electrode against the "
            "same metal",
            where,
        )
    start = int(np.argmax(lasting))
    if overpotential.size - start < 2 or half.end_s[k] <= half.trace.time_s[rows.start + start]:
        raise InputError(
            f"the voltage is that of plating in {overpotential.size - start} samples only, at the end of the half cycle; "
            "expected a plating curve",
            where,
        )
    row = rows.start + start
    passed = half.passed_C[rows]
    lead = half.lead_C[k] if start == 0 else 0.0
    return Plating(
        time_s=half.trace.time_s[rows][start:] - half.trace.time_s[rows][start],
        capacity_mAh_cm2=(passed[start:] - passed[start] + lead) / 3.6 / area_cm2,
        overpotential_V=overpotential[start:],
        row=row,
        before=float(passed[start] - passed[0]) / 3.6 / area_cm2,
        gap_s=float(half.trace.time_s[row] - half.trace.time_s[row - 1])
        if row > 0 and row not in half.trace.breaks
        else 0.0,
    )


def _overpotentials(dip: Dip, protocol: NucleationProtocol, status: Status) -> dict[str, Quantity]:
    window = f"median over {protocol.plateau_from:g} to {protocol.plateau_to:g} of the plated capacity"
    out: dict[str, Quantity] = {}
    if dip.plateau_V is not None and dip.plateau_u_V is not None:
        out["plateau_overpotential"] = Quantity(
            dip.plateau_V * 1e3, "mV", dip.plateau_u_V * 1e3, f"|V_plateau| against 0 V, {window}", status
        )
        out["plateau_slope"] = Quantity(
            dip.slope_mV_cm2_mAh, "mV cm^2/mAh", None, "slope of the overpotential in the plateau window", status
        )
        out["noise"] = Quantity(
            dip.noise_V * 1e3, "mV", None, "standard deviation of a sample, from neighbours in the plateau window", status
        )
    if dip.visible_V is not None:
        out["visible_dip"] = Quantity(
            dip.visible_V * 1e3,
            "mV",
            None,
            f"lowest dip that would have shown if it stayed above half of its height for {dip.visible_s:.3g} s or longer: "
            f"twice the highest early sample plus {protocol.prominence:g} times the noise; a shorter one may be higher",
            status,
        )
    if dip.plateau_V is None or dip.plateau_u_V is None or dip.tip_V is None or dip.least_V is None:
        return out
    if dip.answer == UNDERSAMPLED:
        how = "highest sample less its noise, 95 % confidence"
        out["nucleation_overpotential"] = Quantity(
            dip.least_V * 1e3, "mV", None, f"tip minus plateau, tip as {how}, plateau as {window}", status, bound="lower"
        )
        out["tip_overpotential"] = Quantity(
            dip.tip_V * 1e3, "mV", None, f"tip alone: |V_tip| against 0 V, {how}", status, bound="lower"
        )
    if dip.answer == RESOLVED and dip.tip_u_V is not None:
        how, tip_mV, difference_mV = "summit of smooth curves through the samples", None, None
        if dip.tip_interval_V is not None:
            how = "middle between the summit of smooth curves through the samples and where their flanks meet"
            low, high = dip.tip_interval_V
            tip_mV = (1e3 * low, 1e3 * high)
            difference_mV = (
                1e3 * (low - dip.plateau_V - 2 * dip.plateau_u_V),
                1e3 * (high - dip.plateau_V + 2 * dip.plateau_u_V),
            )
        out["nucleation_overpotential"] = Quantity(
            (dip.tip_V - dip.plateau_V) * 1e3,
            "mV",
            float(np.hypot(dip.tip_u_V, dip.plateau_u_V)) * 1e3,
            f"tip minus plateau: |V_tip| - |V_plateau|, tip as {how}, plateau as {window}",
            status,
            interval=difference_mV,
        )
        out["tip_overpotential"] = Quantity(
            dip.tip_V * 1e3, "mV", dip.tip_u_V * 1e3, f"tip alone: |V_tip| against 0 V, {how}", status, interval=tip_mV
        )
    out["tip_capacity"] = Quantity(dip.tip_capacity, "mAh/cm^2", None, "plated capacity at the tip", status)
    out["tip_time"] = Quantity(dip.tip_time_s, "s", None, "time from the beginning of plating to the tip", status)
    return out


def _against_rest(half: HalfCycles, k: int, dip: Dip, status: Status) -> dict[str, Quantity]:
    """State the plateau against the voltage at rest as well: the electrode decides which one is the overpotential."""
    resting = _rest_before(half, k)
    if resting is None:
        return {}
    noise_mV = float(half.noise_V[k]) * 1e3
    out = {
        "resting_voltage": Quantity(
            resting * 1e3, "mV", noise_mV, "voltage of the last sample at rest before plating", status
        )
    }
    if dip.plateau_V is not None and dip.plateau_u_V is not None:
        out["plateau_against_rest"] = Quantity(
            (dip.plateau_V - half.sign[k] * resting) * 1e3,
            "mV",
            float(np.hypot(dip.plateau_u_V * 1e3, noise_mV)),
            "plateau against the voltage at rest before plating, positive in the direction of plating: the overpotential "
            "where the same metal lay on both electrodes at rest, not where the substrate was bare",
            status,
        )
    return out


def _conditions(half: HalfCycles, k: int, plating: Plating, area_cm2: float, status: Status) -> dict[str, Quantity]:
    early = plating.time_s[: max(2, int(np.searchsorted(plating.capacity_mAh_cm2, 0.3 * plating.capacity_mAh_cm2[-1])))]
    out = {
        "sampling_interval": Quantity(
            float(np.median(np.diff(early))),
            "s",
            None,
            "median time between samples in the first 0.3 of the plated capacity",
            status,
        ),
        "current_density": Quantity(
            float(half.set_A[k]) * 1e3 / area_cm2, "mA/cm^2", None, "median current per geometric area", status
        ),
        "plated_capacity": Quantity(
            float(plating.capacity_mAh_cm2[-1]),
            "mAh/cm^2",
            None,
            "charge passed since plating began, per geometric area",
            status,
        ),
    }
    resting = _rest_before(half, k)
    first = int(half.first[k])
    if resting is not None and plating.row == first:
        jump = abs(float(half.trace.voltage_V[first]) - resting)
        gap = float(half.trace.time_s[first] - half.trace.time_s[first - 1])
        out["ohmic_drop"] = Quantity(
            jump * 1e3,
            "mV",
            float(np.sqrt(2) * half.noise_V[k] * 1e3),
            f"change of voltage from rest to the first sample under current, {gap:.3g} s apart: holds the "
            "ohmic drop and all that "
            "is faster than the sampling",
            status,
            bound="upper",
        )
    return out


def _rest_before(half: HalfCycles, k: int) -> float | None:
    """Voltage of the last sample at rest just before half cycle `k`, V; None where there is none."""
    first = int(half.first[k])
    if first == 0 or half.samples[k] < 2 or abs(half.trace.current_A[first - 1]) > half.threshold_A:
        return None
    gap = half.trace.time_s[first] - half.trace.time_s[first - 1]
    if gap > 5 * (half.end_s[k] - half.start_s[k]) / (half.samples[k] - 1) or first in half.trace.breaks:
        return None
    return float(half.trace.voltage_V[first - 1])


def _warnings(
    half: HalfCycles, k: int, plating: Plating, dip: Dip, protocol: NucleationProtocol, current_mA_cm2: float
) -> list[str]:
    out: list[str] = []
    given = protocol.current_density_mA_cm2
    if given is not None and abs(current_mA_cm2 / given - 1) > 0.05:
        out.append(
            f"the current density in the file is {current_mA_cm2:.4g} mA/cm^2, not the {given:g} mA/cm^2 "
            "stated; check the area"
        )
    wanted, plated = protocol.capacity_mAh_cm2, float(plating.capacity_mAh_cm2[-1])
    if wanted is not None and abs(plated / wanted - 1) > 0.05:
        out.append(f"{plated:.4g} mAh/cm^2 was plated, not the {wanted:g} mAh/cm^2 stated")
    if plating.before > 0:
        out.append(f"{plating.before:.3g} mAh/cm^2 passed before the voltage was that of plating; it is left out")
    resting = _rest_before(half, k)
    if resting is not None and dip.plateau_V is not None and abs(resting) > max(0.2 * dip.plateau_V, 5 * dip.noise_V):
        out.append(
            f"the cell rested at {resting * 1e3:.3g} mV before plating: 0 V is the reference for a bare substrate; where "
            "metal lay on both electrodes, overpotentials against 0 V hold that difference of theirs, and "
            "plateau_against_rest does not"
        )
    if k > 0 and protocol.half_cycle == 1:
        out.append("metal was stripped before the first plating: the electrode may not be a bare substrate")
    return out


def _drawn(plating: Plating, sign: int) -> pl.DataFrame:
    """Return the trace for the figure: all of the first samples, the others thinned."""
    late = kept_rows(plating.overpotential_V[_EARLY_POINTS:], _TRACE_POINTS) + _EARLY_POINTS
    rows = np.concatenate([np.arange(min(_EARLY_POINTS, plating.time_s.size)), late])
    return pl.DataFrame(
        {
            "time_s": plating.time_s[rows],
            "capacity_mAh_cm2": plating.capacity_mAh_cm2[rows],
            "voltage_mV": plating.overpotential_V[rows] * sign * 1e3,
        }
    )


def _marks(dip: Dip, plating: Plating, sign: int, protocol: NucleationProtocol) -> pl.DataFrame:
    rows: list[tuple[str, float, float]] = []
    if dip.tip_V is not None and dip.least_V is not None:
        rows.append(("tip", dip.tip_capacity, sign * dip.tip_V * 1e3))
    if dip.plateau_V is not None:
        total = float(plating.capacity_mAh_cm2[-1])
        rows.append(("plateau begins", protocol.plateau_from * total, sign * dip.plateau_V * 1e3))
        rows.append(("plateau ends", protocol.plateau_to * total, sign * dip.plateau_V * 1e3))
    schema = {"mark": pl.Utf8, "capacity_mAh_cm2": pl.Float64, "voltage_mV": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
