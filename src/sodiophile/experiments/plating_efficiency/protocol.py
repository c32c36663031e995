"""What the operator of a plating efficiency test set, how its cycles are read, and how accurate its instrument is."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sodiophile.experiments._plating_protocol import PlatingProtocol
from sodiophile.schema import InUnit


class PlatingEfficiencyProtocol(PlatingProtocol):
    """Plating a metal on a foreign substrate and stripping it again until a cut-off voltage.

    The first group is what the operator set; a virtual instrument needs it. The second says how the file is read, the third
    how accurate the instrument is.
    """

    capacity_mAh_cm2: Annotated[float | None, InUnit("mAh/cm^2")] = Field(
        default=None,
        alias="capacity",
        gt=0,
        description="the areal capacity that was set: plated in each cycle, or Q_C of the reservoir protocol",
    )
    cut_off_V: Annotated[float | None, InUnit("V")] = Field(
        default=None,
        alias="cut_off",
        gt=0,
        description="the voltage at which stripping ends; found from the file if not given (0.5 V in a simulated test)",
    )

    method: Literal["auto", "cycles", "reservoir"] = Field(
        default="auto", description="how the efficiency is measured: by cycle, by the reservoir protocol, or as found"
    )
    plating: Literal["negative current", "positive current"] = Field(
        default="negative current", description="the sign of the current that plates the substrate"
    )
    first_cycle: int = Field(default=1, ge=1, description="first cycle of the window over which efficiency is averaged")
    last_cycle: int | None = Field(
        default=None, ge=1, description="last cycle of that window; the last complete one if not given"
    )
    profile_cycle: int = Field(default=1, ge=1, description="the cycle whose voltage over capacity is shown")

    current_accuracy: float = Field(
        default=0.001,
        ge=0,
        le=0.1,
        description="relative standard uncertainty of the current (its gain); see the data sheet",
    )
    accuracy_correlation: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="correlation of that error between plating and stripping: 0 independent, 1 it cancels in the ratio",
    )
    current_offset_mA: Annotated[float, InUnit("mA")] = Field(
        default=0.0, alias="current_offset", ge=0, description="standard uncertainty of the zero of the current"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.last_cycle is not None and self.last_cycle < self.first_cycle:
            raise ValueError(
                f"found first_cycle {self.first_cycle} and last_cycle {self.last_cycle}, expected first <= last"
            )
        return self
