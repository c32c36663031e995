"""The virtual instrument of plating efficiency: a metal electrode against a bare substrate, on a cycler with a cut-off."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.experiments._virtual_cycler import Trace, refuse_too_many
from sodiophile.experiments.base import set_by_operator
from sodiophile.experiments.plating_efficiency.protocol import PlatingEfficiencyProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import Instrument
from sodiophile.physics.symmetric import LEFT_OUT, SymmetricCell
from sodiophile.physics.symmetric_step import ended_by
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

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
    most_s = sum(charge for _, charge in plan if np.isfinite(charge)) * 2 * 3600 / j + len(plan) * instrument.rest_s
    refuse_too_many(most_s / instrument.sampling_interval_s, instrument.sampling_interval_s)
    limit_V = protocol.cut_off_V or _DEFAULT_CUT_OFF_V
    pair = SymmetricCell(cell)
    pair.working.metal_mAh_cm2 = 0.0
    trace = Trace()
    trace.add(np.zeros(1), 0.0, np.zeros(1), 1, 0.0)
    for half, (plating, charge) in enumerate(plan):
        stop = charge if np.isfinite(charge) else 2 * pair.working.total_mAh_cm2 + 1e-6
        ends_V = _COMPLIANCE_V if plating else limit_V
        duration_s, cycle = stop / j * 3600.0, half // 2 + 1
        step, lasted_s = trace.half_cycle(
            pair,
            j,
            plating=plating,
            duration_s=duration_s,
            interval_s=instrument.sampling_interval_s,
            instrument=instrument,
            limit_V=ends_V,
            precision_s=_PRECISION_s,
            cycle=cycle,
        )
        if lasted_s < instrument.sampling_interval_s and np.isinf(charge):
            why = "".join(f" ({note.removeprefix('simulated: ')})" for note in trace.notes)
            raise InputError(
                f"stripping at {j:g} mA/cm^2 reaches the cut-off of {limit_V:g} V after {lasted_s:.2g} s, within the "
                f"first sampling interval{why}; set a higher cut-off or a smaller current",
                "cut_off",
            )
        if plating and lasted_s < duration_s and not trace.notes:
            trace.notes.append(ended_by(step, lasted_s, "plating", ends_V))
        step.finish(lasted_s)
        trace.rest(pair, instrument.rest_s, instrument.sampling_interval_s, plating=plating, cycle=cycle)
    return trace.record(
        "plating-efficiency",
        cell,
        protocol,
        instrument,
        seed,
        left_out=[*LEFT_OUT, "side reactions on the substrate (the efficiency falls short by dead metal alone)"],
        notes=tuple(trace.notes),
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
