"""The virtual instrument of plating efficiency: a metal electrode against a bare substrate, on a cycler with a cut-off."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.experiments.base import set_by_operator
from sodiophile.experiments.plating_efficiency.protocol import PlatingEfficiencyProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import Instrument, sample_times_s, until_limit, virtual_record
from sodiophile.physics.symmetric import LEFT_OUT, SymmetricCell, ended_by
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_MOST_SAMPLES = 20_000_000
_DEFAULT_CUT_OFF_V = 0.5
_COMPLIANCE_V = 5.0
_PRECISION_s = 1e-3


class VirtualInstrument(Instrument):
    """The cycler and its programme."""

    reservoir_capacity_mAh_cm2: Annotated[float | None, InUnit("mAh/cm^2")] = Field(
        default=None,
        alias="reservoir_capacity",
        gt=0,
        description="the areal capacity Q_T plated first in the reservoir protocol; plain cycles if not given",
    )
    cycles: int = Field(default=10, ge=1, le=5000, description="cycles of the test, or n of its reservoir protocol")
    conditioning: bool = Field(
        default=True, description="the reservoir protocol begins by plating Q_T and stripping all of it"
    )
    rest_s: Annotated[float, InUnit("s")] = Field(
        default=0.0, alias="rest", ge=0, description="the rest after each half cycle"
    )
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=10.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )


def simulate(
    cell: Cell, protocol: PlatingEfficiencyProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Plate and strip a substrate without metal of its own, by plain cycles or by the reservoir protocol.

    The working electrode is that of `cell` with no metal under its interphase; so stripping takes the deposit alone, of
    which the part `electrode.dead_fraction` is cut off, and the efficiency of a plain cycle is 1 - dead_fraction, less what
    the cut-off leaves behind. In the reservoir protocol it is higher: deposit that was buried counts as compact metal.

    Parameters
    ----------
    cell
        The cell.
    protocol
        What the operator sets; current density and capacity must be given.
    seed
        Of the noise.
    instrument
        The cycler and its programme: ten plain cycles by default, the reservoir protocol if a reservoir capacity is given.

    Returns
    -------
    CyclingRecord
        Marked simulated.

    Raises
    ------
    InputError
        If current density or capacity is missing, the cycles would empty the reservoir, stripping reaches the cut-off at
        once, or the record would have more than 20 million rows.
    """
    instrument = instrument or VirtualInstrument()
    j, capacity = set_by_operator(protocol, "current_density_mA_cm2", "capacity_mAh_cm2")
    plan = _plan(instrument, capacity)
    most = sum(charge for _, charge in plan if np.isfinite(charge)) * 2 * 3600 / j / instrument.sampling_interval_s
    if most > _MOST_SAMPLES:
        raise InputError(
            f"{most:.3g} samples, expected at most {_MOST_SAMPLES:.0e}; sample less often", "sampling_interval"
        )
    limit_V = protocol.cut_off_V or _DEFAULT_CUT_OFF_V
    pair = SymmetricCell(cell)
    pair.working.metal_mAh_cm2 = 0.0
    clock_s = 0.0
    notes: list[str] = []
    columns: list[tuple[NDArray[np.float64], ...]] = [(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1))]
    for plating, charge in plan:
        step = pair.step(j, plating=plating)
        stop = charge if np.isfinite(charge) else 2 * pair.working.total_mAh_cm2 + 1e-6
        ends_V = _COMPLIANCE_V if plating else limit_V
        due_s = sample_times_s(stop / j * 3600.0, instrument.sampling_interval_s)
        times_s, voltage_V = until_limit(step.voltage_V, due_s, ends_V, _PRECISION_s)
        if times_s[-1] < instrument.sampling_interval_s and np.isinf(charge):
            raise InputError(
                f"stripping at {j:g} mA/cm^2 reaches the cut-off of {limit_V:g} V after {times_s[-1]:.2g} s, within the "
                "first sampling interval; set a higher cut-off or a smaller current",
                "cut_off",
            )
        if plating and times_s[-1] < due_s[-1] and not notes:
            notes.append(ended_by(step, float(due_s[-1]), "plating", ends_V))
        columns.append((clock_s + times_s, np.full(times_s.size, -j if plating else j), voltage_V, times_s))
        clock_s += float(times_s[-1])
        step.finish(float(times_s[-1]))
        if instrument.rest_s > 0:
            rest = pair.step(0.0, plating=plating)
            times_s = sample_times_s(instrument.rest_s, instrument.sampling_interval_s)
            columns.append((clock_s + times_s, np.zeros(times_s.size), rest.voltage_V(times_s), times_s))
            clock_s += instrument.rest_s
            rest.finish(instrument.rest_s)
    time_s, current, voltage_V, step_s = (np.concatenate(column) for column in zip(*columns, strict=True))
    random = np.random.default_rng(seed)
    plating_sign = -1.0 if protocol.plating == "negative current" else 1.0
    inputs = {
        "experiment": "plating-efficiency",
        "cell": cell.to_dict(),
        "protocol": protocol.model_dump(mode="json"),
        "instrument": instrument.model_dump(mode="json"),
        "seed": seed,
    }
    return virtual_record(
        "plating-efficiency",
        inputs,
        {
            "test_time_second": time_s,
            "current_ampere": instrument.read_current(-plating_sign * 1e-3 * protocol.area_cm2 * current, random),
            "voltage_volt": instrument.read_voltage(-plating_sign * voltage_V, random),
            "step_time_second": step_s,
        },
        assumptions=cell.assumptions(),
        notes=tuple(notes),
        left_out=[*LEFT_OUT, "side reactions on the substrate (the efficiency falls short by dead metal alone)"],
    )


def _plan(instrument: VirtualInstrument, capacity: float) -> list[tuple[bool, float]]:
    """Return (plating, charge in mAh/cm2) of each half cycle; an infinite charge strips to the cut-off."""
    everything = (False, np.inf)
    reservoir = instrument.reservoir_capacity_mAh_cm2
    if reservoir is None:
        return [(True, capacity), everything] * instrument.cycles
    if capacity >= reservoir:
        raise InputError(
            f"found capacity {capacity:g} and reservoir_capacity {reservoir:g} mAh/cm^2, expected a larger reservoir: "
            "the cycles must not empty it",
            "reservoir_capacity",
        )
    begin = [(True, reservoir), everything] if instrument.conditioning else []
    return [*begin, (True, reservoir), *([(False, capacity), (True, capacity)] * instrument.cycles), everything]
