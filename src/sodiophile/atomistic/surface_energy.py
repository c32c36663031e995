"""What it costs to make a surface: a crystal and facets in, surface energies with their thickness convergence out.

Slabs of several thicknesses are cut from the *relaxed* crystal and relaxed, both faces free. Their energies are a straight
line in the number of formula units, whose slope is the bulk energy that belongs to these slabs and whose intercept is
twice the surface energy (V. Fiorentini and M. Methfessel, J. Phys.: Condens. Matter 8, 6525 (1996),
doi 10.1088/0953-8984/8/36/005): nothing has to cancel between two different calculations.

    E(N) = 2 A gamma + N e_bulk
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from sodiophile.atomistic.base import Calculation, facet_text
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.planning import CrystalInputs, crystal_task, engine_task
from sodiophile.atomistic.surface_energy_figure import draw
from sodiophile.errors import InputError, importing
from sodiophile.schema import AreFiles, InUnit, file_names, one_a_line
from sodiophile.task import Task

if TYPE_CHECKING:
    from ase import Atoms

    from sodiophile.atomistic.surfaces import Slab

_VERSION = 1
_SLAB_STEPS = 12
# Steps of thickness shorter than about one close-packed layer would only repeat a slab.
_SHORTEST_STEP_A = 1.8
# Those that bring the faces over each other alike are taken up to this length: three layers of a close-packed metal.
_LONGEST_STEP_A = 7.0
# In fractions of the vectors of the surface cell.
_SAME_PLACE = 1e-3
_SMALLEST_COUNT = 3


class SurfaceEnergyInputs(CrystalInputs):
    """What the user sets."""

    facets: str = Field("001, 110, 111", description="Miller indices, facets separated by commas: '001, 110, 111'")
    terminations: str = Field("all", description="terminations, separated by commas, or all")
    thicknesses: int = Field(4, ge=_SMALLEST_COUNT, le=12, description="slabs of different thickness on each facet")
    thinnest_A: Annotated[float, InUnit("angstrom")] = Field(
        8.0, alias="thinnest", ge=3.0, le=60.0, description="the least distance from face to face of the thinnest slab"
    )
    vacuum_A: Annotated[float, InUnit("angstrom")] = Field(
        15.0, alias="vacuum", ge=8.0, le=100.0, description="height without atoms between slab and slab"
    )
    references: Annotated[str, AreFiles()] = Field(
        "", description="structure files of elements whose reference crystal is not built in, separated by commas"
    )
    formation_energy_eV: Annotated[float, InUnit("eV")] | None = Field(
        None,
        alias="formation_energy",
        gt=-100.0,
        lt=0.0,
        description="of the crystal from its elements, per formula unit, where the engine cannot give it: "
        "bounds the chemical potential at the end rich in the gas",
    )

    @field_validator("references", mode="before")
    @classmethod
    def _files(cls, value: object) -> object:
        if isinstance(value, list | tuple) and all(isinstance(entry, str | Path) for entry in value):
            return one_a_line(map(str, value))
        return one_a_line([str(value)]) if isinstance(value, Path) else value

    @field_validator("facets", "terminations", mode="before")
    @classmethod
    def _joined(cls, value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, list | tuple) and all(isinstance(entry, str | int) for entry in value):
            return ", ".join(str(entry) for entry in value)
        return value


@dataclass(frozen=True)
class _Series:
    """The slabs of one termination: equal but for their thickness."""

    slabs: tuple[Slab, ...]
    symmetric: bool


def plan(inputs: SurfaceEnergyInputs) -> Task:
    """Return the last of the tasks that a calculation of surface energies asks for.

    Raises
    ------
    InputError
        If the structure, a facet or a termination is wrong.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    identity = engine(inputs.engine).identity()
    with importing("atomistic", "a surface energy"):
        from sodiophile.atomistic.relaxation import canonical
        from sodiophile.atomistic.structures import crystal_named, formula
    crystal = canonical(crystal_named(inputs.structure))
    relaxed = _crystal_task(crystal, inputs)
    after = {"crystal": relaxed}
    references = _references(crystal, inputs)
    after.update({f"element {symbol}": _crystal_task(cell, inputs) for symbol, cell in references.items()})
    surfaces: list[dict[str, Any]] = []
    known: list[str] = []
    for miller in _facets(inputs.facets, crystal):
        for index, series in enumerate(_all_series(crystal, miller, inputs)):
            slab = series.slabs[0]
            known.append(slab.termination)
            if inputs.terminations.strip() != "all" and slab.termination not in _split(inputs.terminations):
                continue
            surfaces.append(_about(series, index))
            for number, one in enumerate(series.slabs):
                after[f"{len(surfaces) - 1} {number}"] = _slab_task(one, relaxed, inputs)
    strange = [name for name in _split(inputs.terminations) if name != "all" and name not in known]
    if strange or not surfaces:
        raise InputError(
            f"found {inputs.terminations!r}, expected some of: {', '.join(dict.fromkeys(known))}", "terminations"
        )
    return Task(
        function="sodiophile.atomistic.surface_energy_result:assemble",
        version=_VERSION,
        inputs={
            "engine": identity,
            "crystal": formula(crystal.numbers),
            "fmax_eV_A": inputs.fmax_eV_A,
            "max_steps": inputs.max_steps,
            "vacuum_A": inputs.vacuum_A,
            "formation_energy_eV": inputs.formation_energy_eV,
            "surfaces": surfaces,
        },
        after=after,
        context=relaxed.context,
        label=f"{formula(crystal.numbers)}: surface energies",
        cost_s=0.2,
    )


def _crystal_task(crystal: Atoms, inputs: SurfaceEnergyInputs) -> Task:
    return crystal_task(crystal, engine_name=inputs.engine, fmax_eV_A=inputs.fmax_eV_A, max_steps=inputs.max_steps)


def _slab_task(slab: Slab, crystal: Task, inputs: SurfaceEnergyInputs) -> Task:
    from sodiophile.atomistic.relaxation import pack

    cut = {"miller": list(slab.miller), "layers": slab.layers, "vacuum_A": inputs.vacuum_A}
    return engine_task(
        "sodiophile.atomistic.surface_energy_tasks:relax_slab",
        _VERSION,
        {"slab": pack(slab.atoms), "cut": cut, "fmax_eV_A": inputs.fmax_eV_A, "max_steps": inputs.max_steps},
        {"crystal": crystal},
        engine_name=inputs.engine,
        label=f"{slab.name}, {slab.layers} layers",
        atoms=len(slab.atoms) + 1,
        steps=_SLAB_STEPS,
    )


def _about(series: _Series, index: int) -> dict[str, Any]:
    """Return what the result must know of a surface."""
    slab = series.slabs[0]
    counts = [
        {
            symbol: one.atoms.get_chemical_symbols().count(symbol)
            for symbol in sorted(set(slab.atoms.get_chemical_symbols()))
        }
        for one in series.slabs
    ]
    return {
        "miller": list(slab.miller),
        "facet": facet_text(slab.miller),
        "termination": slab.termination,
        "termination_index": index,
        "layers": [one.layers for one in series.slabs],
        "counts": counts,
        "symmetric": series.symmetric,
        "stoichiometric": slab.stoichiometric,
        "polar": slab.polar,
    }


def _facets(text: str, crystal: Atoms) -> list[tuple[int, int, int]]:
    from sodiophile.atomistic.surfaces import parse_miller

    found = [parse_miller(part, crystal) for part in _split(text)]
    if not found:
        raise InputError(f"found {text!r}, expected facets such as '001, 110'", "facets")
    twice = next((miller for miller in found if found.count(miller) > 1), None)
    if twice is not None:
        raise InputError(f"{facet_text(twice)} is there twice", "facets")
    return found


def _all_series(crystal: Atoms, miller: tuple[int, int, int], inputs: SurfaceEnergyInputs) -> list[_Series]:
    """Return one series of slabs for each termination of a facet."""
    from sodiophile.atomistic.surfaces import build_slabs

    def cut(layers: int) -> tuple[Slab, ...]:
        return build_slabs(crystal, miller, layers=layers, vacuum_A=inputs.vacuum_A)

    unit = build_slabs(crystal, miller, thickness_A=0.0, vacuum_A=inputs.vacuum_A)[0].layers
    whole, double = cut(unit + 1), cut(2 * unit + 1)
    period_A = _thickness_A(double[0]) - _thickness_A(whole[0])
    step = unit * max(1, ceil(_SHORTEST_STEP_A / period_A - 1e-6))
    for periods in range(1, int(_LONGEST_STEP_A / period_A) + 1):
        # faces that stand over each other alike in every slab: their energies do not alternate about the line
        if unit * periods >= step and _face_to_face(cut(unit * periods + 1)[0]):
            step = unit * periods
            break
    ends = {rest: cut(unit + rest) for rest in range(1, unit + 1)}
    found = []
    for index in range(len(whole)):
        symmetric = [rest for rest in ends if ends[rest][index].symmetric]
        # equal faces first; among them, slabs that need no chemical potential
        symmetric.sort(key=lambda rest: not ends[rest][index].stoichiometric)
        rest = symmetric[0] if symmetric else unit
        layers = unit + rest
        while _thickness_A(cut(layers)[index]) < inputs.thinnest_A - 1e-6:
            layers += unit
        slabs = tuple(cut(layers + step * number)[index] for number in range(inputs.thicknesses))
        found.append(_Series(slabs, bool(symmetric)))
    return found


def _face_to_face(slab: Slab) -> bool:
    """Return whether the atoms of the top layer stand over those of the lowest one."""
    import numpy as np

    fractional = slab.atoms.get_scaled_positions(wrap=False)[:, :2]
    lowest, top = (np.flatnonzero(np.asarray(slab.layer_of) == layer) for layer in (0, slab.layers - 1))
    shifts = fractional[top][:, None] - fractional[lowest]
    alike = slab.atoms.numbers[top][:, None] == slab.atoms.numbers[lowest]
    over = np.all(np.abs(shifts - np.rint(shifts)) < _SAME_PLACE, axis=2) & alike
    return len(top) == len(lowest) and bool(np.all(over.any(axis=1)))


def _thickness_A(slab: Slab) -> float:
    heights = slab.atoms.positions[:, 2]
    return float(heights.max() - heights.min())


def _references(crystal: Atoms, inputs: SurfaceEnergyInputs) -> dict[str, Atoms]:
    """Return the crystals of those elements whose chemical potential has a limit that can be computed in place."""
    from sodiophile.atomistic.relaxation import canonical
    from sodiophile.atomistic.structures import element_crystal, read_structure

    elements = sorted(set(crystal.get_chemical_symbols()))
    if len(elements) != 2:
        return {}
    found = {symbol: cell for symbol in elements if (cell := element_crystal(symbol)) is not None}
    for path in file_names(inputs.references):
        cell = read_structure(path)
        symbols = set(cell.get_chemical_symbols())
        if len(symbols) != 1 or not symbols <= set(elements):
            raise InputError(
                f"holds {'-'.join(sorted(symbols))}, expected one of the elements {' and '.join(elements)} alone", path
            )
        found[symbols.pop()] = cell
    return {symbol: canonical(cell) for symbol, cell in found.items()}


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


CALCULATION = Calculation(
    kind="surface-energy",
    title="Surface energies",
    summary="a crystal and facets in; the energy of each surface from slabs of several thicknesses, and the shape, out",
    inputs=SurfaceEnergyInputs,
    plan=plan,
    draw=draw,
    quantities={
        "surface_energy:SURFACE": "of a facet and termination, from the line through all thicknesses, J/m^2",
        "surface_energy_two_slab:SURFACE": "the same from the two thickest slabs alone, J/m^2",
        "surface_energy:SURFACE, ELEMENT-rich": "where its composition is not that of the bulk: at that limit, J/m^2",
        "excess:SURFACE": "atoms by which such a face exceeds the bulk composition, per area, 1/nm^2",
        "bulk_energy_mismatch:SURFACE": "bulk energy from the slabs minus that of the crystal, per formula unit, eV",
        "area_fraction:FACET": "of the equilibrium (Wulff) shape, 1",
        "formation_energy": "of the crystal from its elements, per formula unit, eV",
    },
)
