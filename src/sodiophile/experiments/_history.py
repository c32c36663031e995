"""What a cell went through before it is measured: the same state then answers impedance, polarization and all the rest."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.schema import InUnit, Model


class History(Model):
    """What is done to a symmetric cell before the measurement; nothing by default."""

    cycles_before: int = Field(default=0, ge=0, le=100_000, description="cycles of the cell before it is measured")
    current_density_before_mA_cm2: Annotated[float | None, InUnit("mA/cm^2")] = Field(
        default=None, alias="current_density_before", gt=0, description="current density of these cycles"
    )
    capacity_before_mAh_cm2: Annotated[float | None, InUnit("mAh/cm^2")] = Field(
        default=None, alias="capacity_before", gt=0, description="areal capacity of their half cycles"
    )
    rest_before_h: Annotated[float, InUnit("h")] = Field(
        default=0.0, alias="rest_before", ge=0, le=1e6, description="rest before the measurement, after these cycles"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = (self.current_density_before_mA_cm2 is not None, self.capacity_before_mAh_cm2 is not None)
        if (self.cycles_before > 0) != all(given) or any(given) != all(given):
            raise ValueError(
                "cycles_before, current_density_before and capacity_before go together: expected all of them or none"
            )
        return self

    def lived(self, cell: Cell) -> SymmetricCell:
        """Return a symmetric cell that has gone through this, at its own temperature, relaxed.

        Raises
        ------
        InputError
            If salt or metal is used up on the way.
        """
        pair = SymmetricCell(cell)
        j, capacity = self.current_density_before_mA_cm2, self.capacity_before_mAh_cm2
        if j is not None and capacity is not None:
            for half in range(2 * self.cycles_before):
                step = pair.step(j, plating=half % 2 == 0)
                duration_s = capacity / j * 3600.0
                reason = step.exhausted(duration_s)
                if reason:
                    raise InputError(f"half cycle {half + 1} before the measurement: {reason}", "cycles_before")
                step.finish(duration_s)
        if self.rest_before_h > 0:
            pair.step(0.0, plating=True).finish(3600.0 * self.rest_before_h)
        return pair
