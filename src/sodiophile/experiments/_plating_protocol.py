"""What every test has to know that plates and strips at a set current: its half cycles, and which of them plate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sodiophile.experiments.base import Protocol
from sodiophile.schema import InUnit

if TYPE_CHECKING:
    from sodiophile.experiments._halfcycles import HalfCycles
    from sodiophile.records import CyclingRecord


class PlatingProtocol(Protocol):
    """Galvanostatic half cycles of a metal electrode: the current that was set, its sign, and where one ends."""

    current_density_mA_cm2: Annotated[float | None, InUnit("mA/cm^2")] = Field(
        default=None, alias="current_density", gt=0, description="the current density that was set"
    )
    plating: Literal["negative current", "positive current"] = Field(
        default="negative current", description="the sign of the current that plates the electrode under study"
    )
    current_threshold_mA_cm2: Annotated[float | None, InUnit("mA/cm^2")] = Field(
        default=None,
        alias="current_threshold",
        gt=0,
        description="current flows above this; taken from the gap between rest and the lowest current level if not given",
    )
    bridge_rest_s: Annotated[float, InUnit("s")] = Field(
        default=300.0,
        alias="bridge_rest",
        ge=0,
        description="two runs of the same sign with a rest up to this between them are one half cycle",
    )

    @property
    def plating_sign(self) -> int:
        """Sign of the current that plates the electrode under study."""
        return -1 if self.plating == "negative current" else 1

    def half_cycles(self, record: CyclingRecord) -> HalfCycles:
        """Return the half cycles of a record.

        Raises
        ------
        InputError
            If no current flows.
        """
        from sodiophile.experiments._halfcycles import Trace, half_cycles

        threshold = self.current_threshold_mA_cm2
        return half_cycles(
            Trace.of(record),
            where=record.name,
            plating_sign=self.plating_sign,
            threshold_A=None if threshold is None else threshold * self.area_cm2 / 1e3,
            bridge_rest_s=self.bridge_rest_s,
        )
