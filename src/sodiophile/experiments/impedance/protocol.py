"""What the operator of an impedance measurement set, which circuit is meant, and when two arcs count as told apart."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sodiophile.errors import InputError
from sodiophile.experiments.base import Protocol
from sodiophile.physics.circuits import Circuit
from sodiophile.schema import InUnit


class SpectrumProtocol(Protocol):
    """What the fit of a spectrum must know; shared by all experiments that rest on one."""

    electrodes: int = Field(
        ge=1,
        le=2,
        description="like electrodes that share the interfacial impedance: 2 for a symmetric cell, 1 for any other",
    )
    electrons: int = Field(default=1, ge=1, le=3, description="electrons that one ion of the metal takes up, z")

    circuit: str | None = Field(
        default=None, description="a circuit to fit instead of the automatic ones, such as R0-p(R1,CPE1)-p(R2,CPE2)-W3"
    )
    arcs: Literal["auto", "1", "2"] = Field(default="auto", description="how many arcs the circuit has")
    tail: Literal["auto", "none", "warburg", "cpe"] = Field(
        default="auto", description="what the circuit has for diffusion or blocking at low frequency"
    )
    inductance: Literal["auto", "yes", "no"] = Field(
        default="auto", description="whether the circuit has the inductance of the wires in series"
    )
    weighting: Literal["modulus", "unit", "proportional"] = Field(
        default="modulus", description="weight of a point: 1/|Z|, none, or each part by its own size"
    )
    accuracy: Annotated[float, InUnit("1")] = Field(
        default=0.002,
        gt=0,
        le=0.1,
        description="relative accuracy of the instrument; a smaller misfit is no evidence for another element",
    )
    frequency_min_Hz: Annotated[float | None, InUnit("Hz")] = Field(
        default=None, alias="frequency_min", gt=0, description="points at lower frequencies are left out"
    )
    frequency_max_Hz: Annotated[float | None, InUnit("Hz")] = Field(
        default=None, alias="frequency_max", gt=0, description="points at higher frequencies are left out"
    )
    imaginary_part: Literal["as stated", "reversed"] = Field(
        default="as stated", description="reversed turns the sign of Im Z, for a file that was read with the wrong one"
    )
    capacitance: Literal["hsu-mansfeld", "brug"] = Field(
        default="hsu-mansfeld", description="formula of the effective capacitance of a depressed arc"
    )

    arc_separation: float = Field(
        default=10.0, ge=1, description="two arcs whose time constants differ by less are not told apart"
    )
    largest_error: float = Field(
        default=0.3, gt=0, le=1, description="a resistance with a larger relative standard error is not told"
    )
    largest_correlation: float = Field(
        default=0.95, gt=0, lt=1, description="resistances correlated more strongly are not told apart"
    )
    consistency: Annotated[float, InUnit("1")] = Field(
        default=0.01,
        gt=0,
        le=0.2,
        description="a systematic Kramers-Kronig residual above this share of |Z| makes a spectrum inconsistent",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        low, high = self.frequency_min_Hz, self.frequency_max_Hz
        if low is not None and high is not None and low >= high:
            raise ValueError(f"found frequency_min {low:g} Hz and frequency_max {high:g} Hz, expected min < max")
        if self.circuit is not None:
            chosen = [
                name
                for name in ("arcs", "tail", "inductance")
                if getattr(self, name) != type(self).model_fields[name].default
            ]
            if chosen:
                raise ValueError(f"found circuit and {chosen[0]}, expected one of them: the circuit says it all")
            try:
                Circuit(self.circuit)
            except InputError as error:
                raise ValueError(str(error)) from error
        return self


class ImpedanceProtocol(SpectrumProtocol):
    """Electrochemical impedance spectroscopy of a cell at rest."""

    temperature_K: Annotated[float | None, InUnit("K")] = Field(
        default=None,
        alias="temperature",
        ge=150,
        le=1500,
        description="temperature of the cell; needed for an exchange current density",
    )
    spectrum: int = Field(
        default=1, ge=1, description="which spectrum of a series the quantities are of; the table holds all"
    )
