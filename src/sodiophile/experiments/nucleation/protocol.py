"""What the operator of a nucleation experiment set, and which definitions its analysis uses."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from sodiophile.experiments._plating_protocol import PlatingProtocol
from sodiophile.schema import InUnit


class NucleationProtocol(PlatingProtocol):
    """Galvanostatic plating of a metal on a foreign or protected substrate.

    The first group is what the operator set; a virtual instrument needs it, and where it is given for a measured file the
    file is checked against it. The second says which half cycle is looked at and how tip and plateau are defined.
    """

    capacity_mAh_cm2: Annotated[float | None, InUnit("mAh/cm^2")] = Field(
        default=None, alias="capacity", gt=0, description="the areal capacity to plate that was set"
    )

    half_cycle: int = Field(
        default=1, ge=1, description="which plating half cycle is looked at; the first meets the bare substrate"
    )
    plateau_from: float = Field(
        default=0.3, ge=0.02, lt=1, description="the plateau window begins at this fraction of the plated capacity"
    )
    plateau_to: float = Field(
        default=0.7, gt=0, le=1, description="the plateau window ends at this fraction of the plated capacity"
    )
    prominence: float = Field(
        default=5.0, ge=3, description="a dip must exceed its noise this many times (standard deviations) to be claimed"
    )
    dip_duration_s: Annotated[float, InUnit("s")] = Field(
        default=3.0,
        alias="dip_duration",
        gt=0,
        description="no dip is denied unless one that is above half of its height for this long would have shown",
    )
    tip_samples: int = Field(
        default=5, ge=3, description="a dip described by fewer samples above its half height counts as undersampled"
    )

    @model_validator(mode="after")
    def _window_is_a_window(self) -> Self:
        if self.plateau_from >= self.plateau_to:
            raise ValueError(f"found plateau_from {self.plateau_from} and plateau_to {self.plateau_to}, expected from < to")
        return self
