"""The cell as parameters: metal, electrodes, substrate, electrolyte, separator; every value with unit, source and status.

A cell is a TOML file, the user's own or one that ships with the package (`cells`). A parameter is written with its unit
and, to be honest, its source and how far it may vary (`sodiophile.physics.parameters`):

    exchange_current_density = { value = "0.1 mA/cm^2", source = "assumed: order of magnitude in carbonates" }

A bare text such as ``"0.1 mA/cm^2"`` is taken too; it counts as assumed, by whoever wrote the file. Electrolyte, separator
and cathode may be the name of a set that ships, or a file beside that of the cell; ``set`` within a table takes such a set
and lets the other keys of the table stand in place of its own:

    separator = "glass-fibre"

    [electrolyte]
    set = "napf6-ec-pc"
    diffusivity = { value = "1e-10 m^2/s", source = "assumed: between the two sets of the literature" }
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.physics.kinetics import arrhenius_factor
from sodiophile.physics.nucleation import Substrate, contact_angle_deg
from sodiophile.physics.parameters import Parameter, Spread
from sodiophile.physics.parts import (
    Cathode,
    Electrode,
    Electrolyte,
    Interlayer,
    Layer,
    Metal,
    NucleationSubstrate,
    Shorts,
    metals,
)
from sodiophile.physics.sets import part_table, toml_of
from sodiophile.physics.transport import PorousLayer
from sodiophile.quantity import Quantity
from sodiophile.schema import Model, checked

__all__ = ["Cell", "Electrode", "Electrolyte", "Layer", "Metal", "Parameter", "cells", "load_cell", "metals"]

_PARTS = ("electrolyte", "separator", "cathode")
_LEAST_ANGLE_DEG = 5.0
_MOST_DRAWS = 100


class Cell(Model):
    """Two electrodes of one metal with electrolyte between them, and a substrate to nucleate on."""

    title: str = Field(description="what this cell is, in a few words", max_length=200)
    metal: Literal["Li", "Na", "K", "Zn"] = Field(description="the metal")
    # beyond these bounds no electrolyte is a liquid: a number there is one of another unit
    reference_temperature: Annotated[Quantity, Parameter("K", least=150, most=500)] = Field(
        description="the temperature at which the parameters hold"
    )
    temperature: Annotated[Quantity, Parameter("K", least=150, most=500)] = Field(description="the temperature of the cell")
    electrolyte: Electrolyte
    separator: Layer
    interlayer: Interlayer | None = Field(default=None, description="a porous layer on either electrode")
    electrode: Electrode
    substrate: NucleationSubstrate
    shorts: Shorts | None = Field(default=None, description="metal that grows through the separator; none if not given")
    cathode: Cathode | None = Field(default=None, description="an insertion electrode for a full cell, if there is one")

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
        return self.changed({"temperature": found})

    @property
    def layers(self) -> tuple[PorousLayer, ...]:
        """What lies between the electrodes: the separator, and the interlayer twice."""
        return (self.separator.porous, *((self.interlayer.porous,) * 2 if self.interlayer else ()))

    @property
    def nucleation(self) -> Substrate:
        """The substrate as the nucleation equations take it, at the temperature of the cell."""
        s, e, metal, layer = self.substrate, self.electrolyte, self.properties, self.interlayer
        angle_deg, sites = s.contact_angle.value, s.site_density.value
        if layer is not None and layer.adhesion is not None:
            # full wetting has no angle; a nucleus then has no barrier, but the model keeps a cap, however flat
            angle_deg = max(float(contact_angle_deg(layer.adhesion.value, s.interfacial_energy.value)), _LEAST_ANGLE_DEG)
        if layer is not None and layer.site_density is not None:
            sites = layer.site_density.value
        return Substrate(
            temperature_K=self.temperature.value,
            z=metal.z,
            molar_volume_m3_mol=metal.molar_volume_m3_mol,
            interfacial_energy_J_m2=s.interfacial_energy.value,
            contact_angle_deg=angle_deg,
            site_density_1_m2=sites * 1e4,
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

    def parameters(self) -> dict[str, Quantity]:
        """Return every parameter that the cell has, by its place: ``electrode.exchange_current_density``."""
        found: dict[str, Quantity] = {}
        for name in type(self).model_fields:
            part = getattr(self, name)
            found |= {name: part} if isinstance(part, Quantity) else _fields(part, name)
        return found

    def spreads(self) -> dict[str, Spread]:
        """Return how far the parameters may vary that say so, by their place."""
        found = {place: Spread.of(quantity) for place, quantity in self.parameters().items()}
        return {place: spread for place, spread in found.items() if spread is not None}

    def changed(self, values: Mapping[str, Any]) -> Cell:
        """Return the same cell with other values of some parameters.

        Parameters
        ----------
        values
            Place -> a number in the unit of the parameter, a text with a unit, a table as in a file, or a `Quantity`. A
            number alone keeps source, status and uncertainty of the parameter, not its range, which it may lie beyond.

        Raises
        ------
        InputError
            If there is no such parameter, a value is none of it, or the values of a part do not fit together; the line
            names the place.
        """
        updates: dict[str, dict[str, Quantity]] = {}
        for place, value in values.items():
            section, _, key = place.rpartition(".")
            mark = self.mark(place)
            old = getattr(getattr(self, section) if section else self, key)
            try:
                if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
                    updates.setdefault(section, {})[key] = mark.read(value)
                    continue
                told = old or Quantity(float(value), mark.unit, status="assumed", source="stated without a source")
                fresh = Quantity(
                    float(value), mark.unit, told.uncertainty, told.definition, told.status, told.calibrated_to, told.source
                )
                updates.setdefault(section, {})[key] = mark.read(fresh)
            except InputError as error:
                raise error.within(place) from None
        top: dict[str, Any] = dict(updates.pop("", {}))
        for section, fields in updates.items():
            part = getattr(self, section)
            known = {key: value for key in type(part).model_fields if (value := getattr(part, key)) is not None}
            top[section] = checked(type(part), {**known, **fields}, section)
        return self.model_copy(update=top)

    def varied(self, random: np.random.Generator) -> Cell:
        """Return the cell with every parameter that states a spread drawn from it, independently of the others.

        Values that do not fit together (more material than the electrode has room for) are drawn again.

        Raises
        ------
        InputError
            If next to no draw fits together.
        """
        spreads = self.spreads()
        for _ in range(_MOST_DRAWS):
            drawn = {place: spread.draw(random, self.mark(place)) for place, spread in spreads.items()}
            try:
                return self.changed(drawn)
            except InputError as error:
                reason = error
        raise reason

    def mark(self, place: str) -> Parameter:
        """Return unit and bounds of the parameter at a place.

        Raises
        ------
        InputError
            If there is none; the nearest is offered.
        """
        section, _, key = place.rpartition(".")
        part = getattr(self, section, None) if section else self
        field = type(part).model_fields.get(key) if isinstance(part, Model) else None
        marks = [one for one in (field.metadata if field else []) if isinstance(one, Parameter)]
        if not marks:
            near = difflib.get_close_matches(place, self.parameters(), n=1)
            raise InputError(f"no such parameter of this cell{f'; did you mean {near[0]!r}?' if near else ''}", place)
        return marks[0]

    def to_dict(self) -> dict[str, Any]:
        """Return everything about the cell as a JSON-ready dictionary."""
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields}

    def assumptions(self) -> list[str]:
        """Return one sentence for every parameter that is assumed: its place, its value and why."""
        return [
            f"{place} = {quantity}: {quantity.source}"
            for place, quantity in self.parameters().items()
            if quantity.status == "assumed"
        ]


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
        return checked(Cell, _with_sets(tomllib.loads(text), Path(), where), where)
    path = Path(name_or_path)
    if not path.is_file():
        near = difflib.get_close_matches(where, cells(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"cells by name: {', '.join(cells())}"
        raise InputError(f"no such file, and no cell of that name; {hint}", where)
    return checked(Cell, _with_sets(toml_of(path, "cell"), path.parent, where), where)


def _with_sets(table: dict[str, Any], folder: Path, where: str) -> dict[str, Any]:
    """Put the content of the sets that a cell names in their place; a file is looked for beside that of the cell."""
    found = dict(table)
    for key in _PARTS:
        part = found.get(key)
        name = part.get("set") if isinstance(part, dict) else part
        if not isinstance(name, str):
            continue
        beside = folder / name
        own = {one: entry for one, entry in part.items() if one != "set"} if isinstance(part, dict) else {}
        try:
            found[key] = {**part_table(key, beside if beside.is_file() else name), **own}
        except InputError as error:
            raise error.within(f"{where}: {key}") from None
    return found
