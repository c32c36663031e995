"""What the operator of a cycle-life test set, and what retention is referred to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sodiophile.experiments._fullcell import FullCellProtocol


class FullCellCyclingProtocol(FullCellProtocol):
    """Charge and discharge at one current until the capacity has faded; cycles at other currents are recognized."""

    reference: Literal["first", "first after formation", "maximum"] = Field(
        default="first after formation", description="the cycle whose capacity is 100 % for retention, fade and end of life"
    )
    end_of_life: float = Field(
        default=0.8, gt=0, lt=1, description="part of the reference capacity at which the life of the cell ends"
    )
