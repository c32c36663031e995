"""What the operator of a rate test set, and how its cycles are averaged."""

from __future__ import annotations

from pydantic import Field

from sodiophile.experiments._fullcell import FullCellProtocol


class FullCellRateProtocol(FullCellProtocol):
    """Charge and discharge at one current after another; the rates are found from the currents in the file."""

    settling_cycles: int = Field(
        default=0, ge=0, description="first cycles after each change of current that are in no mean"
    )
