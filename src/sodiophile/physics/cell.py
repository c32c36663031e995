"""The cell as parameters: metal, electrodes, substrate, electrolyte, separator; every value with unit, source and status.

A cell is a TOML file, the user's own or one that ships with the package (`cells`). A parameter is written with its unit
and, to be honest, its source:

    exchange_current_density = { value = "0.1 mA/cm^2", source = "assumed: order of magnitude in carbonates" }

A bare text such as ``"0.1 mA/cm^2"`` is taken too; it counts as assumed, by whoever wrote the file.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from sodiophile.errors import InputError
from sodiophile.physics.kinetics import arrhenius_factor
from sodiophile.physics.nucleation import Substrate
from sodiophile.physics.transport import PorousLayer
from sodiophile.quantity import Quantity, measure
from sodiophile.schema import Model, checked

_LARGEST_FILE = 1_000_000
_KEYS = {"value", "source", "status", "uncertainty", "calibrated_to"}


@dataclass(frozen=True)
class Parameter:
    """Marks a field that is a `Quantity` in a given unit, within bounds.

    Parameters
    ----------
    unit
        The unit that the field holds, whatever unit the user wrote.
    above, least, most
        Bounds in that unit: above (exclusive), least and most (inclusive).
    """

    unit: str
    above: float | None = None
    least: float | None = None
    most: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read text or a table with value and source."""
        return core_schema.no_info_plain_validator_function(self._read)

    def _read(self, found: object) -> Quantity:
        try:
            quantity = self._quantity(found)
        except InputError as error:
            raise ValueError(str(error)) from error
        value, unit = quantity.value, "" if self.unit == "1" else f" {self.unit}"
        if self.above is not None and not value > self.above:
            raise ValueError(f"found {value:g}{unit}, expected more than {self.above:g}{unit}")
        if self.least is not None and value < self.least:
            raise ValueError(f"found {value:g}{unit}, expected at least {self.least:g}{unit}")
        if self.most is not None and value > self.most:
            raise ValueError(f"found {value:g}{unit}, expected at most {self.most:g}{unit}")
        return quantity

    def _quantity(self, found: object) -> Quantity:
        if isinstance(found, Quantity):
            return found.to(self.unit)
        if not isinstance(found, Mapping):
            return Quantity(measure(found, self.unit), self.unit, status="assumed", source="stated without a source")
        unknown = set(found) - _KEYS
        if unknown or "value" not in found:
            raise InputError(
                f"found the keys {', '.join(sorted(found))}, expected value and some of {', '.join(sorted(_KEYS))}"
            )
        uncertainty = None if found.get("uncertainty") is None else measure(found["uncertainty"], self.unit)
        return Quantity(
            measure(found["value"], self.unit),
            self.unit,
            uncertainty,
            status=found.get("status", "assumed"),
            source=str(found.get("source", "stated without a source")),
            calibrated_to=str(found.get("calibrated_to", "")),
        )


@dataclass(frozen=True, slots=True)
class Metal:
    """What is known of a metal.

    Parameters
    ----------
    symbol
        Its chemical symbol.
    z
        Electrons per ion.
    molar_mass_g_mol
        Molar mass, g/mol.
    density_g_cm3
        At 20 degC, g/cm3.
    source
        Of both.
    """

    symbol: str
    z: int
    molar_mass_g_mol: float
    density_g_cm3: float
    source: str

    @property
    def molar_volume_m3_mol(self) -> float:
        """Molar volume, m3/mol."""
        return self.molar_mass_g_mol / self.density_g_cm3 * 1e-6


@cache
def metals() -> dict[str, Metal]:
    """Return the metals by symbol."""
    text = resources.files("sodiophile.physics").joinpath("data", "metals.toml").read_text(encoding="utf-8")
    return {symbol: Metal(symbol, **entry) for symbol, entry in tomllib.loads(text).items()}


class Layer(Model):
    """A layer between the electrodes that electrolyte fills."""

    thickness: Annotated[Quantity, Parameter("um", above=0, most=2e4)] = Field(description="thickness")
    porosity: Annotated[Quantity, Parameter("1", above=0, most=1)] = Field(description="volume fraction of electrolyte")
    bruggeman: Annotated[Quantity, Parameter("1", least=1, most=10)] = Field(
        description="exponent b of an effective property X eps^b"
    )

    @property
    def porous(self) -> PorousLayer:
        """The layer as the transport equations take it."""
        return PorousLayer(self.thickness.value * 1e-6, self.porosity.value, self.bruggeman.value)


class Electrolyte(Model):
    """A binary electrolyte, at the reference temperature of its cell."""

    concentration: Annotated[Quantity, Parameter("mol/L", above=0, most=20)] = Field(description="salt concentration")
    conductivity: Annotated[Quantity, Parameter("mS/cm", above=0)] = Field(description="ionic conductivity")
    diffusivity: Annotated[Quantity, Parameter("m^2/s", above=0, most=1e-6)] = Field(description="of the salt")
    transference_number: Annotated[Quantity, Parameter("1", least=0, most=0.999)] = Field(description="of the cation")
    thermodynamic_factor: Annotated[Quantity, Parameter("1", above=0)] = Field(description="1 + dln f/dln c")
    ions_per_cation: Annotated[Quantity, Parameter("1", least=2, most=4)] = Field(
        description="ions of the salt per cation: 2, or 3 for a divalent cation with single-charged anions"
    )
    activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=200)] = Field(
        description="of conductivity and diffusivity alike"
    )


class Electrode(Model):
    """A metal electrode: the metal under its interphase, and the deposit that cycling leaves on it."""

    exchange_current_density: Annotated[Quantity, Parameter("mA/cm^2", above=0)] = Field(
        description="per real area of metal, at the reference temperature"
    )
    exchange_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of the exchange current density"
    )
    transfer_coefficient: Annotated[Quantity, Parameter("1", least=0.02, most=0.98)] = Field(description="of plating")
    interphase_resistance: Annotated[Quantity, Parameter("ohm cm^2", least=0)] = Field(
        description="of the interphase on the pristine metal, at the reference temperature"
    )
    interphase_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of the conduction through the interphase"
    )
    interphase_growth: Annotated[Quantity, Parameter("(ohm cm^2)^2/h", least=0)] = Field(
        description="k of the growth limited by diffusion, R dR/dt = k"
    )
    interphase_growth_per_capacity: Annotated[Quantity, Parameter("ohm cm^2/(mAh/cm^2)", least=0)] = Field(
        description="resistance that cracking and repair add for each capacity passed in either direction"
    )
    deposit_area: Annotated[Quantity, Parameter("1", least=0, most=1e4)] = Field(
        description="real area that a thick deposit adds, per geometric area; 0 for a surface that stays flat"
    )
    deposit_area_capacity: Annotated[Quantity, Parameter("mAh/cm^2", above=0)] = Field(
        description="plated capacity at which the deposit has 63 % of that area"
    )
    deposit_interphase_resistance: Annotated[Quantity, Parameter("ohm cm^2", least=0)] = Field(
        description="of the fresh interphase on the deposit, per real area of it"
    )
    dead_fraction: Annotated[Quantity, Parameter("1", least=0, most=0.99)] = Field(
        description="part of the deposit stripped that is cut off and stays as dead metal"
    )
    dead_porosity: Annotated[Quantity, Parameter("1", above=0, most=0.99)] = Field(
        description="porosity of the layer of dead metal"
    )
    metal_capacity: Annotated[Quantity, Parameter("mAh/cm^2", above=0)] = Field(description="metal present at the start")


class NucleationSubstrate(Model):
    """The surface on which the metal nucleates."""

    interfacial_energy: Annotated[Quantity, Parameter("J/m^2", above=0, most=5)] = Field(
        description="of the metal against the electrolyte"
    )
    contact_angle: Annotated[Quantity, Parameter("deg", above=0, most=180)] = Field(description="effective contact angle")
    site_density: Annotated[Quantity, Parameter("1/cm^2", above=0)] = Field(description="places where a nucleus forms")
    attempt_frequency: Annotated[Quantity, Parameter("1/s", above=0)] = Field(
        description="nucleation rate of one site without a barrier"
    )
    exchange_current_density: Annotated[Quantity, Parameter("mA/cm^2", above=0)] = Field(
        description="of the freshly deposited metal, per real area"
    )
    exchange_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of that exchange current density"
    )
    transfer_coefficient: Annotated[Quantity, Parameter("1", least=0.02, most=0.98)] = Field(description="of plating")
    capacitance: Annotated[Quantity, Parameter("uF/cm^2", above=0)] = Field(
        description="effective, of double layer and adsorption, per geometric area"
    )
    side_current_density: Annotated[Quantity, Parameter("mA/cm^2", least=0)] = Field(
        description="reduction of electrolyte on the bare substrate at the potential of the metal"
    )
    resistance: Annotated[Quantity, Parameter("ohm cm^2", least=0)] = Field(description="of an interphase in series")
    open_circuit_potential: Annotated[Quantity, Parameter("V", least=-1, most=5)] = Field(
        description="of the substrate against the metal before plating"
    )


class Cell(Model):
    """Two electrodes of one metal with electrolyte between them, and a substrate to nucleate on."""

    title: str = Field(description="what this cell is, in a few words", max_length=200)
    metal: Literal["Li", "Na", "K", "Zn"] = Field(description="the metal")
    reference_temperature: Annotated[Quantity, Parameter("K", above=0, most=1000)] = Field(
        description="the temperature at which the parameters hold"
    )
    temperature: Annotated[Quantity, Parameter("K", above=0, most=1000)] = Field(description="the temperature of the cell")
    electrolyte: Electrolyte
    separator: Layer
    interlayer: Layer | None = Field(default=None, description="a porous layer on either electrode")
    electrode: Electrode
    substrate: NucleationSubstrate

    @property
    def properties(self) -> Metal:
        """What is known of the metal."""
        return metals()[self.metal]

    def factor(self, activation_energy: Quantity) -> float:
        """Return how many times faster than at the reference temperature a process of this activation energy is."""
        return arrhenius_factor(
            activation_energy.to("kJ/mol").value, self.temperature.value, self.reference_temperature.value
        )

    def at(self, temperature_K: float) -> Cell:
        """Return the same cell at another temperature."""
        found = Quantity(temperature_K, "K", status="assumed", source="set by the operator")
        return self.model_copy(update={"temperature": Parameter("K", above=0, most=1000)._read(found)})

    @property
    def layers(self) -> tuple[PorousLayer, ...]:
        """What lies between the electrodes: the separator, and the interlayer twice."""
        return (self.separator.porous, *((self.interlayer.porous,) * 2 if self.interlayer else ()))

    @property
    def nucleation(self) -> Substrate:
        """The substrate as the nucleation equations take it, at the temperature of the cell."""
        s, e, metal = self.substrate, self.electrolyte, self.properties
        return Substrate(
            temperature_K=self.temperature.value,
            z=metal.z,
            molar_volume_m3_mol=metal.molar_volume_m3_mol,
            interfacial_energy_J_m2=s.interfacial_energy.value,
            contact_angle_deg=s.contact_angle.value,
            site_density_1_m2=s.site_density.value * 1e4,
            attempt_frequency_1_s=s.attempt_frequency.value,
            exchange_current_density_A_m2=s.exchange_current_density.value
            * 10.0
            * self.factor(s.exchange_activation_energy),
            alpha=s.transfer_coefficient.value,
            capacitance_F_m2=s.capacitance.value * 1e-2,
            side_current_density_A_m2=s.side_current_density.value * 10.0,
            concentration_mol_m3=e.concentration.value * 1e3,
            diffusivity_m2_s=e.diffusivity.value * self.factor(e.activation_energy),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything about the cell as a JSON-ready dictionary."""
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields}

    def assumptions(self) -> list[str]:
        """Return one sentence for every parameter that is assumed: its place, its value and why."""
        found = []
        for name in type(self).model_fields:
            part = getattr(self, name)
            entries = {name: part} if isinstance(part, Quantity) else _fields(part, name)
            found += [
                f"{place} = {quantity}: {quantity.source}"
                for place, quantity in entries.items()
                if quantity.status == "assumed"
            ]
        return found


def _fields(part: object, name: str) -> dict[str, Quantity]:
    if not isinstance(part, Model):
        return {}
    values = {f"{name}.{key}": getattr(part, key) for key in type(part).model_fields}
    return {place: value for place, value in values.items() if isinstance(value, Quantity)}


def _plain(value: object) -> Any:
    if isinstance(value, Quantity):
        return value.to_dict()
    if isinstance(value, Model):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    return value


def cells() -> list[str]:
    """Return the names of the cells that ship with the package."""
    folder = resources.files("sodiophile.physics").joinpath("data", "cells")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_cell(name_or_path: str | Path) -> Cell:
    """Return a cell that ships with the package, by name, or the one that a TOML file describes.

    Raises
    ------
    InputError
        If there is neither, or the file is not TOML, is too large, or has a wrong key, unit or value: one line naming it.
    """
    where = str(name_or_path)
    if where in cells():
        text = resources.files("sodiophile.physics").joinpath("data", "cells", f"{where}.toml").read_text(encoding="utf-8")
        return checked(Cell, tomllib.loads(text), where)
    path = Path(name_or_path)
    if not path.is_file():
        near = difflib.get_close_matches(where, cells(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"cells by name: {', '.join(cells())}"
        raise InputError(f"no such file, and no cell of that name; {hint}", where)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"is larger than {_LARGEST_FILE} bytes, expected a TOML file of a cell", where)
        return checked(Cell, tomllib.loads(path.read_text(encoding="utf-8")), where)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not TOML: {error}", where) from None
    except UnicodeDecodeError:
        raise InputError("is not text in UTF-8, expected a TOML file of a cell", where) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where) from None
