"""The virtual instrument of a rate test: each rate for some cycles, and back to the first."""

from __future__ import annotations

from pydantic import Field, field_validator

from sodiophile.experiments._fullcell_simulate import FullCellInstrument, run
from sodiophile.experiments.full_cell_rate.protocol import FullCellRateProtocol
from sodiophile.physics.cell import Cell
from sodiophile.records import CyclingRecord


class VirtualInstrument(FullCellInstrument):
    """The insertion electrode, the cycler and its programme of rates."""

    rates: str = Field(default="0.2, 0.5, 1, 2, 5, 0.2", description="rates in units of 1C, in order, separated by commas")
    cycles_per_rate: int = Field(default=3, ge=1, le=10_000, description="cycles at each rate")

    @field_validator("rates")
    @classmethod
    def _numbers(cls, text: str) -> str:
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            raise ValueError(f"found {text!r}, expected numbers separated by commas, such as '0.2, 1, 5, 0.2'") from None
        if not all(0 < number < 1e4 for number in numbers):
            raise ValueError(f"found {text!r}, expected rates between 0 and 10000")
        return text


def simulate(
    cell: Cell, protocol: FullCellRateProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Run a virtual full cell through a programme of rates.

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
        If the area is missing, or a rate leaves no capacity.
    """
    instrument = instrument or VirtualInstrument()
    rates = [float(part) for part in instrument.rates.split(",") for _ in range(instrument.cycles_per_rate)]
    return run("full-cell-rate", cell, protocol, seed, instrument, rates)[0]
