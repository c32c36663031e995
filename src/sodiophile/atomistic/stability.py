"""Whether an interlayer reacts with the metal: crystals in, the reaction of lowest energy among the phases given out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from sodiophile.atomistic.base import Calculation
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.planning import CrystalInputs, crystal_task
from sodiophile.atomistic.stability_figure import draw
from sodiophile.errors import InputError, importing
from sodiophile.schema import AreFiles, file_names, one_a_line
from sodiophile.task import Task

if TYPE_CHECKING:
    from ase import Atoms

_VERSION = 3
_STATED = re.compile(r"([A-Za-z0-9]+)\s*=\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)\s*eV")


class StabilityInputs(CrystalInputs):
    """What the user sets."""

    metal: str = Field("Na", description="symbol of the metal that the interlayer meets")
    phases: Annotated[str, AreFiles()] = Field("", description="structure files of what may form, separated by commas")
    elements: str = Field("", description="elements whose bulk crystal may form, by symbol, separated by commas")
    stated: str = Field(
        "", description="formation energies per formula unit instead of structures: 'VN = -2.25 eV, Na3N = 0.6 eV'"
    )
    stated_source: str = Field("", description="where the stated formation energies are from")
    limit: float = Field(10.0, gt=0.0, le=100.0, description="atoms of metal per formula unit of interlayer, at most")
    margin_eV: float = Field(
        0.03,
        alias="margin",
        ge=0.0,
        le=1.0,
        description="error of the engine to be allowed for, eV per atom; the default is assumed, not measured",
    )

    @field_validator("phases", mode="before")
    @classmethod
    def _files(cls, value: object) -> object:
        if isinstance(value, list | tuple) and all(isinstance(entry, str | Path) for entry in value):
            return one_a_line(map(str, value))
        return one_a_line([str(value)]) if isinstance(value, Path) else value

    @field_validator("elements", mode="before")
    @classmethod
    def _joined(cls, value: object) -> object:
        if isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value):
            return ", ".join(value)
        return value


def plan(inputs: StabilityInputs) -> Task:
    """Return the last of the tasks that a calculation of stability asks for.

    Raises
    ------
    InputError
        If a structure or a stated energy is wrong, or a phase holds an element that is not there.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    identity = engine(inputs.engine).identity()
    with importing("atomistic", "stability"):
        from sodiophile.atomistic.relaxation import canonical
        from sodiophile.atomistic.structures import crystal_named, formula, metal_crystal, read_structure
    crystal, metal = crystal_named(inputs.structure), metal_crystal(inputs.metal)
    there = {*crystal.get_chemical_symbols(), inputs.metal}
    cells: dict[str, Atoms] = {}
    for name in file_names(inputs.phases):
        cells[name] = read_structure(name)
        _require(set(cells[name].get_chemical_symbols()), there, name)
    for symbol in _split(inputs.elements):
        cells[symbol] = metal_crystal(symbol)
        _require({symbol}, there, "elements")
    stated = _stated(inputs, there)
    after = {"interlayer": _relaxed(canonical(crystal), inputs), "metal": _relaxed(canonical(metal), inputs)}
    after.update({f"phase {i}": _relaxed(canonical(cell), inputs) for i, cell in enumerate(cells.values())})
    return Task(
        function="sodiophile.atomistic.stability_result:assemble",
        version=_VERSION,
        inputs={
            "engine": identity,
            "crystal": formula(crystal.numbers),
            "metal": inputs.metal,
            "stated": stated,
            "stated_source": inputs.stated_source,
            "limit": inputs.limit,
            "margin_eV": inputs.margin_eV,
            "fmax_eV_A": inputs.fmax_eV_A,
            "max_steps": inputs.max_steps,
        },
        after=after,
        context=after["interlayer"].context,
        label=f"{formula(crystal.numbers)}: stability against {inputs.metal}",
        cost_s=0.2,
    )


def _relaxed(crystal: Atoms, inputs: StabilityInputs) -> Task:
    return crystal_task(crystal, engine_name=inputs.engine, fmax_eV_A=inputs.fmax_eV_A, max_steps=inputs.max_steps)


def _require(found: set[str], there: set[str], where: str) -> None:
    if not found <= there:
        strange = ", ".join(sorted(found - there))
        raise InputError(f"holds {strange}, which is neither in the interlayer nor the metal", where)


def _stated(inputs: StabilityInputs, there: set[str]) -> dict[str, float]:
    from ase.formula import Formula

    found: dict[str, float] = {}
    for part in _split(inputs.stated):
        match = _STATED.fullmatch(part)
        try:
            counts: Mapping[str, int] = Formula(match[1], strict=True).count() if match else {}
        except ValueError:
            counts = {}
        if match is None or not counts:
            raise InputError(f"found {part!r}, expected a formula and an energy such as 'Na3N = 0.6 eV'", "stated")
        _require(set(counts), there, "stated")
        if match[1] in found:
            raise InputError(f"{match[1]} is there twice", "stated")
        found[match[1]] = float(match[2])
    if found and not inputs.stated_source.strip():
        raise InputError("found nothing, expected where the stated energies are from", "stated_source")
    return found


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


CALCULATION: Calculation = Calculation(
    kind="stability",
    title="Stability against the metal",
    summary="an interlayer, a metal and the phases that may form in; the reaction of lowest energy out",
    inputs=StabilityInputs,
    plan=plan,
    draw=draw,
    quantities={
        "reaction_energy": "of the best reaction without the interlayer left, per formula unit of interlayer, eV",
        "reaction_energy_per_metal_atom": "the same, per atom of metal that it takes, eV",
        "reaction_energy_per_atom": "the same, per atom of the reactants, eV",
        "energy_above_hull": "of the interlayer, without the metal, per atom, eV",
    },
)
