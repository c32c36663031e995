"""The virtual instrument of a symmetric rate test: one cell, one current density after the other."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.experiments._virtual_cycler import Trace, refuse_too_many
from sodiophile.experiments.base import electrons_of_metal, set_by_operator
from sodiophile.experiments.symmetric_rate.protocol import SymmetricRateProtocol, rates_of
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import Instrument
from sodiophile.physics.symmetric import LEFT_OUT, SymmetricCell
from sodiophile.physics.symmetric_step import ended_by
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit


class VirtualInstrument(Instrument):
    """The cycler and its programme."""

    capacity_mAh_cm2: Annotated[float | None, InUnit("mAh/cm^2")] = Field(
        default=None, alias="capacity", gt=0, description="the areal capacity of a half cycle"
    )
    cycles_per_rate: int = Field(default=5, ge=1, le=1000, description="cycles at each current density")
    rest_s: Annotated[float, InUnit("s")] = Field(
        default=0.0, alias="rest", ge=0, description="the rest after each half cycle"
    )
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=10.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )
    compliance_V: Annotated[float, InUnit("V")] = Field(
        default=5.0,
        alias="compliance",
        gt=0,
        description="the highest voltage of the cycler; it ends a half cycle where the protocol sets no limit",
    )


def simulate(
    cell: Cell, protocol: SymmetricRateProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Cycle a symmetric cell of two pristine electrodes at one current density after the other.

    Parameters
    ----------
    cell
        The cell.
    protocol
        What the operator sets; current densities must be given. Its temperature, where it has one, is that of the cell.
    seed
        Of the noise.
    instrument
        The cycler and its programme; the capacity of a half cycle must be given.

    Returns
    -------
    CyclingRecord
        Marked simulated.

    Raises
    ------
    InputError
        If current densities or capacity are missing, the electrons are not those of the metal, or the record would have
        more than 20 million rows.

    Notes
    -----
    A half cycle that uses up salt or metal ends at the voltage limit or the compliance of the cycler; a note of the record
    for each current density at which one does says so and why.
    """
    instrument = instrument or VirtualInstrument()
    if protocol.current_densities is None:
        raise InputError("missing; a virtual instrument needs it, such as '0.5, 1, 2, 0.5 mA/cm^2'", "current_densities")
    (capacity,) = set_by_operator(instrument, "capacity_mAh_cm2")
    rates = rates_of(protocol.current_densities)
    hours = 2 * instrument.cycles_per_rate * sum(capacity / j + instrument.rest_s / 3600.0 for j in rates)
    refuse_too_many(hours * 3600 / instrument.sampling_interval_s, instrument.sampling_interval_s)
    limit_V = protocol.voltage_limit_V or instrument.compliance_V
    electrons_of_metal(protocol.electrons, cell)
    if protocol.temperature_K is not None:
        cell = cell.at(protocol.temperature_K)
    pair = SymmetricCell(cell)
    ended: dict[float, str] = {}
    trace = Trace()
    trace.add(np.zeros(1), 0.0, np.zeros(1), 1, 0.0)
    for number, j in enumerate(rates):
        duration_s = capacity / j * 3600.0
        for half in range(2 * instrument.cycles_per_rate):
            plating, cycle = half % 2 == 0, number * instrument.cycles_per_rate + half // 2 + 1
            step, lasted_s = trace.half_cycle(
                pair,
                j,
                plating=plating,
                duration_s=duration_s,
                interval_s=instrument.sampling_interval_s,
                instrument=instrument,
                limit_V=limit_V,
                precision_s=instrument.shortest_interval_s,
                cycle=cycle,
            )
            if lasted_s < duration_s:
                which = f"half cycle {half + 1}, the first to do so, at {j:g} mA/cm^2"
                ended.setdefault(j, ended_by(step, lasted_s, which, limit_V))
            step.finish(lasted_s)
            trace.rest(pair, instrument.rest_s, instrument.sampling_interval_s, plating=plating, cycle=cycle)
    return trace.record("symmetric-rate", cell, protocol, instrument, seed, left_out=LEFT_OUT, notes=tuple(ended.values()))
