"""The virtual instrument of a cycle-life test: formation, then many cycles at one rate."""

from __future__ import annotations

from pydantic import Field

from sodiophile.experiments._fullcell_simulate import FullCellInstrument, run
from sodiophile.experiments.full_cell_cycling.protocol import FullCellCyclingProtocol
from sodiophile.physics.cell import Cell
from sodiophile.records import CyclingRecord


class VirtualInstrument(FullCellInstrument):
    """The insertion electrode, the cycler and its programme."""

    rate: float = Field(default=1.0, gt=0, le=1e4, description="rate in units of 1C")
    cycles: int = Field(default=200, ge=1, le=100_000, description="cycles at that rate")
    formation_rate: float = Field(default=0.1, gt=0, le=1e4, description="rate of the formation cycles in units of 1C")
    formation: int = Field(default=0, ge=0, le=1000, description="formation cycles before")


def simulate(
    cell: Cell, protocol: FullCellCyclingProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Cycle a virtual full cell.

    Parameters
    ----------
    cell
        Its metal electrode, electrolyte, separator and temperature are used; the insertion electrode is the instrument's.
    protocol
        Area, mass, and what 1C is.
    seed
        Of the noise and the scatter between cycles.
    instrument
        The insertion electrode, the cycler and the programme.

    Raises
    ------
    InputError
        If the area is missing, or the rate leaves no capacity.
    """
    instrument = instrument or VirtualInstrument()
    rates = [instrument.formation_rate] * instrument.formation + [instrument.rate] * instrument.cycles
    return run("full-cell-cycling", cell, protocol, seed, instrument, rates)[0]
