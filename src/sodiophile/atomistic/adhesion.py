"""How well a metal sticks to an interlayer: two crystals and an engine in; work of adhesion and contact angle out.

    W_ad = [E(interlayer) + E(metal) - E(interface)] / A            cos(theta) = W_ad / gamma - 1     (Young and Dupre)

A film of the metal is laid on the interlayer in the smallest common cells that strain it little
(`sodiophile.atomistic.coincidence`), tried at several shifts, and relaxed. E(metal) is that of the film strained as in the
interface, with both faces free: the strain that the common cell imposes is in both terms and does not pass for adhesion.
gamma is the surface energy of the unstrained metal, computed in place with the same engine.

References
----------
M. W. Finnis, J. Phys.: Condens. Matter 8, 5811 (1996), doi 10.1088/0953-8984/8/32/003 (recalled): work of adhesion and of
separation. Dupre's equation: A. Dupre, Theorie mecanique de la chaleur (1869).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from sodiophile.atomistic.adhesion_figure import draw
from sodiophile.atomistic.base import Calculation, facet_text
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.planning import CrystalInputs, crystal_task, engine_task
from sodiophile.errors import InputError, importing
from sodiophile.schema import InUnit, element_symbol
from sodiophile.task import Task

if TYPE_CHECKING:
    from sodiophile.atomistic.coincidence import Match
    from sodiophile.atomistic.surfaces import Slab

_TASKS = "sodiophile.atomistic.adhesion_tasks"
_VERSION = 1
_STEPS_GUESS = {"film": 12, "registry": 6, "interface": 30, "part": 15}
# The densest plane of the usual structures of metals, on which they grow as a rule.
_DENSEST = {"bcc": "110", "fcc": "111", "hcp": "0001", "diamond": "111"}
_MOST_LAYERS = 40
_THINNEST_A = 10.0
# Slabs of the metal whose energies make the line that gives its surface energy.
_THICKNESSES = 4


class AdhesionInputs(CrystalInputs):
    """What the user sets."""

    facet: str = Field("001", description="of the interlayer: Miller indices, such as 001, 1-10, 0001")
    termination: str | None = Field(None, description="of the interlayer, where the facet has several")
    metal: Annotated[str, AfterValidator(element_symbol)] = Field("Na", description="element of the metal on top")
    metal_facet: str | None = Field(None, description="that the metal lays on the interlayer (default: its densest)")
    max_area_A2: Annotated[float, InUnit("angstrom^2")] = Field(
        100.0, alias="max_area", ge=5.0, le=500.0, description="of a common cell"
    )
    max_strain: float = Field(0.05, gt=0.0, le=0.15, description="of the metal along any direction in a common cell")
    matches: int = Field(3, ge=1, le=10, description="common cells to compute, smallest first, each with less strain")
    registries: int = Field(6, ge=1, le=40, description="shifts of the metal over the interlayer to try, at most")
    relaxations: int = Field(1, ge=1, le=10, description="of the shifts tried, the lowest to relax")
    layers: int | None = Field(None, ge=1, le=40, description="of the interlayer (default: at least 8 angstrom)")
    metal_layers: int | None = Field(
        None, ge=2, le=_MOST_LAYERS, description="of the metal (default: at least 10 angstrom)"
    )
    fixed_layers: int | None = Field(
        None, ge=0, description="layers at the bottom of the interlayer held as in the crystal (default: the lower half)"
    )
    vacuum_A: Annotated[float, InUnit("angstrom")] = Field(
        15.0, alias="vacuum", ge=8.0, le=100.0, description="height without atoms above the metal and below"
    )
    surface_energy_J_m2: Annotated[float, InUnit("J/m^2")] | None = Field(
        None,
        alias="surface_energy",
        gt=0.0,
        lt=20.0,
        description="of the metal, for the contact angle (default: that computed with the engine)",
    )
    temperature_K: Annotated[float, InUnit("K")] = Field(
        298.15, alias="temperature", ge=50.0, le=2000.0, description="of the nucleation barrier that follows"
    )

    @field_validator("facet", "metal_facet", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, Path | int) and not isinstance(value, bool) else value


def plan(inputs: AdhesionInputs) -> Task:
    """Return the last of the tasks that an adhesion calculation asks for.

    Raises
    ------
    InputError
        If the structure, a facet or the termination is wrong, or no common cell is small enough.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    identity = engine(inputs.engine).identity()
    with importing("atomistic", "a work of adhesion"):
        from sodiophile.atomistic.relaxation import canonical
        from sodiophile.atomistic.structures import crystal_named, formula, metal_crystal
    crystal, metal = canonical(crystal_named(inputs.structure)), canonical(metal_crystal(inputs.metal))
    substrate, index = _substrate(crystal, inputs)
    facet = inputs.metal_facet or _densest(inputs.metal)
    films = _films(metal, facet, inputs)
    film = films[0]
    matches = _matches(substrate, film, inputs)
    chosen = _chosen(matches, inputs.matches)
    criteria: dict[str, Any] = {"fmax_eV_A": inputs.fmax_eV_A, "max_steps": inputs.max_steps}
    relaxed = {
        slab: crystal_task(cell, engine_name=inputs.engine, **criteria)
        for slab, cell in (("clean", crystal), ("film", metal))
    }
    fixed = substrate.layers // 2 if inputs.fixed_layers is None else inputs.fixed_layers
    if fixed >= substrate.layers:
        raise InputError(
            f"{fixed} of {substrate.layers} layers, expected fewer, so that the surface can relax", "fixed_layers"
        )
    planner = _Planner(inputs)
    clean = planner.slab(substrate, index, fixed, relaxed["clean"])
    loose = planner.slab(film, 0, 0, relaxed["film"])
    after = {"clean": clean, "film": loose, "metal": relaxed["film"]}
    after |= {f"film {i}": planner.slab(one, 0, 0, relaxed["film"]) for i, one in enumerate(films)}
    for number, match in enumerate(chosen):
        tasks = planner.match(match, substrate, film, clean, loose)
        after |= {f"{number} {name}": task for name, task in tasks.items()}
    return Task(
        function="sodiophile.atomistic.adhesion_result:assemble",
        version=_VERSION,
        inputs={
            "engine": identity,
            **criteria,
            "crystal": substrate.formula,
            "miller": list(substrate.miller),
            "termination": substrate.termination,
            "layers": substrate.layers,
            "fixed_layers": fixed,
            "polar": substrate.polar,
            "metal": formula(metal.numbers),
            "metal_miller": list(film.miller),
            "metal_layers": film.layers,
            "thicknesses": len(films),
            "matches": [_as_json(match) for match in chosen],
            "found": [_as_json(match) for match in matches],
            "max_area_A2": inputs.max_area_A2,
            "max_strain": inputs.max_strain,
            "registries": inputs.registries,
            "relaxations": inputs.relaxations,
            "vacuum_A": inputs.vacuum_A,
            "temperature_K": inputs.temperature_K,
            "surface_energy_J_m2": inputs.surface_energy_J_m2,
        },
        after=after,
        context=clean.context,
        label=f"{_name(substrate, film)}: adhesion",
        cost_s=0.2,
    )


class _Planner:
    """Makes the tasks of one calculation: they share the engine and the criteria."""

    def __init__(self, inputs: AdhesionInputs) -> None:
        self._inputs = inputs
        self._criteria = {"fmax_eV_A": inputs.fmax_eV_A, "max_steps": inputs.max_steps}

    def slab(self, slab: Slab, index: int, fixed: int, crystal: Task) -> Task:
        """Return the task that relaxes a primitive slab: the same as that of a clean slab in an adsorption calculation."""
        from sodiophile.atomistic.relaxation import pack

        cut = {"miller": list(slab.miller), "vacuum_A": self._inputs.vacuum_A, "supercell": [1, 1], "layers": slab.layers}
        own = {
            "slab": pack(slab.atoms),
            "layer_of": [int(layer) for layer in slab.layer_of],
            "cut": cut,
            "termination": index,
            "fixed_layers": fixed,
        }
        label = f"{slab.formula}{facet_text(slab.miller)} alone"
        return self._task(
            "sodiophile.atomistic.adsorption_tasks:relax_clean",
            {**self._criteria, **own},
            {"crystal": crystal},
            label,
            len(slab.atoms),
            8,
        )

    def match(self, match: Match, substrate: Slab, film: Slab, clean: Task, loose: Task) -> dict[str, Task]:
        """Return the tasks of one common cell, by name."""
        n, m = match.cells
        below, above = n * len(substrate.atoms), m * len(film.atoms)
        own: dict[str, Any] = {"match": _as_json(match)}
        name = f"{_name(substrate, film)}, {n} on {m} cells"
        vacuum = {"vacuum_A": self._inputs.vacuum_A}
        slabs = {"clean": clean, "film": loose}
        strained = self._task(
            f"{_TASKS}:relax_film", {**own, **self._criteria}, slabs, f"{name}: strained metal", len(film.atoms),
            _STEPS_GUESS["film"],
        )  # fmt: skip
        tried = self._task(
            f"{_TASKS}:try_registries",
            {**own, **vacuum, "registries": self._inputs.registries},
            {"clean": clean, "strained": strained},
            f"{name}: shifts",
            below + above,
            self._inputs.registries * _STEPS_GUESS["registry"],
        )
        tasks = {"strained": strained, "tried": tried}
        for rank in range(self._inputs.relaxations):
            tasks[f"interface {rank}"] = self._task(
                f"{_TASKS}:relax_interface",
                {**own, **vacuum, **self._criteria, "rank": rank},
                {**slabs, "strained": strained, "tried": tried},
                f"{name}: interface {rank + 1}",
                below + above,
                _STEPS_GUESS["interface"],
            )
        tasks["apart"] = self._task(
            f"{_TASKS}:take_apart",
            {**own, **self._criteria},
            {**slabs, **{name: task for name, task in tasks.items() if name.startswith("interface ")}},
            f"{name}: taken apart",
            max(below, above),
            2 * _STEPS_GUESS["part"],
        )
        return tasks

    def _task(
        self, function: str, own: Mapping[str, Any], after: Mapping[str, Task], label: str, atoms: int, steps: float
    ) -> Task:
        return engine_task(
            function, _VERSION, own, after, engine_name=self._inputs.engine, label=label, atoms=atoms, steps=steps
        )


def _substrate(crystal: Any, inputs: AdhesionInputs) -> tuple[Slab, int]:
    from sodiophile.atomistic.surfaces import build_slabs

    slabs = build_slabs(crystal, inputs.facet, layers=inputs.layers, vacuum_A=inputs.vacuum_A)
    names = [slab.termination for slab in slabs]
    if inputs.termination is None and len(slabs) > 1:
        raise InputError(f"this facet has several terminations, expected one of: {', '.join(names)}", "termination")
    if inputs.termination is not None and inputs.termination not in names:
        raise InputError(f"found {inputs.termination!r}, expected one of: {', '.join(names)}", "termination")
    index = 0 if inputs.termination is None else names.index(inputs.termination)
    return slabs[index], index


def _densest(metal: str) -> str:
    from ase.data import atomic_numbers, reference_states

    state = reference_states[atomic_numbers[metal]] or {}
    facet = _DENSEST.get(state.get("symmetry", ""))
    if facet is None:
        raise InputError(f"the densest plane of {metal} is not known here; give one, such as '001'", "metal_facet")
    return facet


def _films(metal: Any, facet: str, inputs: AdhesionInputs) -> list[Slab]:
    """Return slabs of the metal with equal faces, from the thickness asked for up: the first is laid on the interlayer."""
    from sodiophile.atomistic.surfaces import build_slabs, parse_miller

    try:
        miller = parse_miller(facet, metal)
    except InputError as error:
        raise error.within("metal_facet") from None

    def cut(layers: int | None, thickness_A: float | None = None) -> tuple[Slab, ...]:
        return build_slabs(metal, miller, layers=layers, thickness_A=thickness_A, vacuum_A=inputs.vacuum_A)

    first = cut(inputs.metal_layers, None if inputs.metal_layers else _THINNEST_A)[0]
    found: list[Slab] = []
    for layers in range(first.layers, 2 * _MOST_LAYERS):
        slab = cut(layers)[0]
        if slab.symmetric:
            found.append(slab)
        if len(found) == _THICKNESSES:
            return found
    raise InputError(f"{inputs.metal}({facet}) has no slab with two equal faces; choose another facet", "metal_facet")


def _matches(substrate: Slab, film: Slab, inputs: AdhesionInputs) -> list[Match]:
    """Return all common cells, smallest first.

    Raises
    ------
    InputError
        If there is none.
    """
    import numpy as np

    from sodiophile.atomistic.coincidence import find_matches
    from sodiophile.atomistic.symmetry2d import plane_group

    planes, rotations = [], []
    for slab in (substrate, film):
        plane = np.asarray(slab.atoms.cell[:2, :2])
        group = plane_group(slab.atoms.positions, slab.atoms.numbers, plane)
        # a slab of few layers can have a smaller cell than its crystal: then its own operations are not known here
        same = np.allclose(group.cell_A, plane, atol=1e-6)
        planes.append(plane)
        rotations.append(group.rotations if same else np.eye(2, dtype=int)[None])
    found = find_matches(*planes, *rotations, max_area_A2=inputs.max_area_A2, max_strain=inputs.max_strain)
    if not found:
        raise InputError(
            f"no common cell of {_name(substrate, film)} within {inputs.max_area_A2:g} A2 and "
            f"{100 * inputs.max_strain:g} % strain; allow more of either (max_area, max_strain), or another metal_facet"
        )
    return found


def _chosen(matches: list[Match], wanted: int) -> list[Match]:
    from sodiophile.atomistic.coincidence import front

    return [matches[i] for i in front(matches)][:wanted]


def _name(substrate: Slab, film: Slab) -> str:
    return f"{film.formula}{facet_text(film.miller)} on {substrate.formula}{facet_text(substrate.miller)}"


def _as_json(match: Match) -> dict[str, Any]:
    return {
        "substrate": match.substrate.tolist(),
        "film": match.film.tolist(),
        "area_A2": round(match.area_A2, 6),
        "strains": [round(strain, 8) for strain in match.strains],
        "angle_deg": round(match.angle_deg, 6),
    }


CALCULATION = Calculation(
    kind="adhesion",
    title="Adhesion",
    summary="an interlayer, a metal and an engine in; coherent interfaces, work of adhesion and contact angle out",
    inputs=AdhesionInputs,
    plan=plan,
    draw=draw,
    quantities={
        "work_of_adhesion": "of the common cell in which it is largest, J/m^2",
        "work_of_adhesion:CELL": "of one common cell, both parts relaxed after they are taken apart, J/m^2",
        "work_of_separation:CELL": "the same, both parts as they are in the interface, J/m^2",
        "strain:CELL": "of the metal in that cell, the larger of the two principal strains in size, 1",
        "strain_energy:CELL": "of the metal film, per area, left out of the adhesion, J/m^2",
        "gap:CELL": "from the highest atom of the interlayer to the lowest of the metal, angstrom",
        "surface_energy": "of the facet of the metal, unstrained, J/m^2",
        "contact_angle": "of the metal on the interlayer (Young and Dupre), deg",
        "spreading": "work of adhesion minus twice the surface energy: positive where the metal wets, J/m^2",
        "wetting_factor": "f(theta), by which the substrate lowers a nucleation barrier, 1",
        "molar_volume": "of the metal, cm^3/mol",
        "nucleation_barrier_constant": "B of dG*/kT = B/eta^2 with these numbers, of Li, Na, K and Zn, V^2",
    },
)
