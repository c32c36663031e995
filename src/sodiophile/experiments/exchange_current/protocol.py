"""What the operator of a polarization measurement set, which windows the methods use, and which model is fitted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sodiophile.experiments.base import Protocol
from sodiophile.schema import InUnit


class ExchangeCurrentProtocol(Protocol):
    """A slow sweep, or steps of current or potential, through rest, of a metal electrode.

    The first group describes the cell, the second the reading of the file and the windows.
    """

    temperature_K: Annotated[float, InUnit("K")] = Field(
        alias="temperature", ge=150, le=1500, description="temperature of the cell"
    )
    electrodes: int = Field(
        ge=1, le=2, description="like electrodes that share the voltage: 2 for a symmetric cell, 1 against a reference"
    )
    electrons: int = Field(default=1, ge=1, le=3, description="electrons that one ion of the metal takes up, z")
    series_resistance_ohm: Annotated[float | None, InUnit("ohm")] = Field(
        default=None, alias="series_resistance", ge=0, description="ohmic resistance of the cell, for the iR correction"
    )
    series_resistance_uncertainty_ohm: Annotated[float, InUnit("ohm")] = Field(
        default=0.0, alias="series_resistance_uncertainty", ge=0, description="its standard uncertainty"
    )
    charge_transfer_resistance_ohm: Annotated[float | None, InUnit("ohm")] = Field(
        default=None,
        alias="charge_transfer_resistance",
        gt=0,
        description="of the whole cell, from impedance; gives a further value",
    )
    charge_transfer_resistance_uncertainty_ohm: Annotated[float, InUnit("ohm")] = Field(
        default=0.0, alias="charge_transfer_resistance_uncertainty", ge=0, description="its standard uncertainty"
    )
    rest_potential_V: Annotated[float | None, InUnit("V")] = Field(
        default=None,
        alias="rest_potential",
        ge=-20,
        le=20,
        description="voltage at which no current flows; fitted where both directions were measured if not given",
    )

    plating: Literal["negative current", "positive current"] = Field(
        default="negative current", description="the sign of the current that plates the electrode under study"
    )
    data: Literal["auto", "sweep", "current steps", "potential steps"] = Field(
        default="auto", description="what was measured; found from the file if not told"
    )
    settled: float = Field(
        default=0.25, gt=0, le=1, description="the last part of a step, over which current and voltage are averaged"
    )
    tafel_from_V: Annotated[float | None, InUnit("V")] = Field(
        default=None,
        alias="tafel_from",
        gt=0,
        description="Tafel window begins at this overpotential; where the reverse reaction is 1 % if not given",
    )
    tafel_to_V: Annotated[float | None, InUnit("V")] = Field(
        default=None, alias="tafel_to", gt=0, description="Tafel window ends at this overpotential; open if not given"
    )
    micropolarization_to_V: Annotated[float, InUnit("V")] = Field(
        default=0.01, alias="micropolarization_to", gt=0, le=0.05, description="micropolarization window, either sign"
    )
    transfer_coefficient: float | None = Field(
        default=None, ge=0.05, le=0.95, description="held at this value in the Butler-Volmer fit; fitted if not given"
    )
    model: Literal["butler-volmer", "marcus"] = Field(
        default="butler-volmer", description="marcus fits Marcus-Hush-Chidsey kinetics as well, and compares the two"
    )
    largest_error: float = Field(
        default=0.3, gt=0, le=1, description="a fitted value with a larger relative standard error is not told"
    )
    largest_correlation: float = Field(
        default=0.95, gt=0, lt=1, description="above this correlation, series resistance and exchange current trade places"
    )

    @model_validator(mode="after")
    def _windows_are_windows(self) -> Self:
        if self.tafel_from_V is not None and self.tafel_to_V is not None and self.tafel_from_V >= self.tafel_to_V:
            raise ValueError(
                f"found tafel_from {self.tafel_from_V:g} V and tafel_to {self.tafel_to_V:g} V, expected from < to"
            )
        return self
