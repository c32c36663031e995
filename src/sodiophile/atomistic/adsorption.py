"""How strongly an adatom binds to each site of a surface: a crystal, a facet and an engine in, a map of sites out.

    E_ads(bulk metal) = E(slab with one adatom) - E(clean slab, relaxed) - E(bulk metal) / N
    E_ads(free atom)  = E_ads(bulk metal) - E_coh

E_coh, the cohesive energy of the metal, is a stated number: the free atom is never computed with a potential that was
trained on solids. Negative means bound. Each site is relaxed twice: with the adatom held in the plane (the map of sites)
and let go (where does it end?).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from sodiophile.atomistic.adsorption_correction import calibration_points
from sodiophile.atomistic.adsorption_figure import draw
from sodiophile.atomistic.base import Calculation, facet_text
from sodiophile.atomistic.engines import engine, is_trusted
from sodiophile.atomistic.planning import crystal_task
from sodiophile.errors import InputError, importing
from sodiophile.schema import InUnit, Model, checked, element_symbol, written
from sodiophile.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from sodiophile.atomistic.sites import Site
    from sodiophile.atomistic.surfaces import Slab

_TASKS = "sodiophile.atomistic.adsorption_tasks"
_VERSION = 1
# Small against the way to the next site, large enough to leave the flat tops that potentials have around some saddles.
_DISPLACEMENT_A = 0.3
_RATTLE_A = 0.03
_SEED = 0
_STEPS_GUESS = {"clean": 8, "rattled": 20, "site": 9, "free": 15, "emptied": 7}


class SurfaceInputs(Model):
    """What the user sets in every calculation of an adatom at the sites of a surface."""

    structure: str = Field(description="a crystal structure file (CIF, POSCAR, extended XYZ), or the symbol of a metal")
    facet: str = Field("001", description="Miller indices, such as 001, 1-10, 0001")
    adsorbate: Annotated[str, AfterValidator(element_symbol)] = Field(
        "Na", description="element of the adatom; its bulk metal is the reference"
    )
    engine: str = Field("7net-l3i5", description="what gives energies and forces; see 'sodiophile engines'")
    supercell: str = Field("2x2", description="repetitions of the primitive surface cell; one adatom in each")
    layers: int | None = Field(None, ge=1, le=40, description="atomic layers (default: at least 8 angstrom of crystal)")
    vacuum_A: Annotated[float, InUnit("angstrom")] = Field(
        15.0, alias="vacuum", ge=8.0, le=100.0, description="height without atoms between slab and slab"
    )
    fixed_layers: int | None = Field(
        None, ge=0, description="layers at the bottom held as in the crystal (default: the lower half, rounded down)"
    )
    prerelax: str | None = Field(
        None, description="a cheaper engine whose relaxed structures the engine starts from, such as 7net-l3i5 before gpaw"
    )
    sites: str = Field("all", description="labels of sites, separated by commas, or all")
    terminations: str = Field("all", description="terminations, separated by commas, or all")
    fmax_eV_A: Annotated[float, InUnit("eV/angstrom")] = Field(
        0.03, alias="fmax", gt=0.0, le=0.5, description="largest force left on any atom"
    )
    max_steps: int = Field(200, ge=1, le=5000, description="steps after which a relaxation counts as not converged")

    @field_validator("structure", "facet", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, Path | int) and not isinstance(value, bool) else value

    @field_validator("sites", "terminations", mode="before")
    @classmethod
    def _joined(cls, value: object) -> object:
        if isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value):
            return ", ".join(value)
        return value

    @field_validator("engine", "prerelax")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return None if value is None else engine(value).name

    @field_validator("supercell")
    @classmethod
    def _two_numbers(cls, value: str) -> str:
        match = re.fullmatch(r"\s*([1-9]\d?)\s*[xX×]\s*([1-9]\d?)\s*", value)
        if match is None:
            raise ValueError(f"found {value!r}, expected two whole numbers such as 2x2")
        return f"{match[1]}x{match[2]}"


class AdsorptionInputs(SurfaceInputs):
    """What the user sets."""

    free: bool = Field(True, description="also let the adatom go from each site")
    distortion: bool = Field(
        True, description="also look for a lower, distorted clean slab: rattle it, and take each adatom off again"
    )
    cohesive_energy_eV: Annotated[float, InUnit("eV")] | None = Field(
        None,
        alias="cohesive_energy",
        gt=0.0,
        lt=15.0,
        description="of the bulk metal, per atom (default: experimental, tabulated)",
    )


def of_adsorption(inputs: Model, **changed: object) -> AdsorptionInputs:
    """Return the inputs of the adsorption calculation whose adatoms another calculation takes.

    Parameters
    ----------
    inputs
        Of the other one; what both ask for is taken over.
    **changed
        What is set otherwise, by the key that a user writes.

    Raises
    ------
    InputError
        If one of them is wrong.
    """
    keys = {field.alias or name for name, field in AdsorptionInputs.model_fields.items()}
    shared = {key: value for key, value in written(inputs).items() if key in keys}
    # no adsorption energy is asked for: the number only keeps metals without a tabulated one from being refused
    return checked(AdsorptionInputs, {**shared, "cohesive_energy": "1 eV", **changed})


def plan(inputs: AdsorptionInputs) -> Task:
    """Return the last of the tasks that an adsorption calculation asks for.

    Raises
    ------
    InputError
        If the structure, the facet, or a label of a site or termination is wrong.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    identity = engine(inputs.engine).identity()
    with importing("atomistic", "a calculation on a surface"):
        from sodiophile.atomistic.references import cohesive_energy
        from sodiophile.atomistic.relaxation import canonical
        from sodiophile.atomistic.structures import crystal_named, metal_crystal
        from sodiophile.atomistic.surfaces import build_slabs, parse_miller
    planner = _Planner(inputs)
    cohesive = cohesive_energy(inputs.adsorbate, inputs.cohesive_energy_eV)
    crystal = canonical(crystal_named(inputs.structure))
    metal = canonical(metal_crystal(inputs.adsorbate))
    miller = parse_miller(inputs.facet, crystal)
    first, _, second = inputs.supercell.partition("x")
    supercell = (int(first), int(second))
    cut = {"miller": list(miller), "vacuum_A": inputs.vacuum_A, "supercell": list(supercell)}
    slabs = build_slabs(crystal, miller, layers=inputs.layers, vacuum_A=inputs.vacuum_A, supercell=supercell)
    chosen = _selected(inputs.terminations, [slab.termination for slab in slabs], "terminations")
    after = {"crystal": planner.crystal(crystal), "metal": planner.crystal(metal)}
    guide = guide_crystal = None
    if inputs.prerelax is not None:
        guide = _Planner(inputs.model_copy(update={"engine": inputs.prerelax, "prerelax": None}))
        guide_crystal = guide.crystal(crystal)
        after["guide metal"] = guide.crystal(metal)
    surfaces: list[dict[str, Any]] = []
    for index, slab in enumerate(slabs):
        if slab.termination in chosen:
            this_cut = {**cut, "layers": slab.layers}
            guiding = guide.surface(slab, index, this_cut, guide_crystal, {})[1] if guide and guide_crystal else {}
            surface, tasks = planner.surface(slab, index, this_cut, after["crystal"], guiding)
            after.update({f"{len(surfaces)} {name}": task for name, task in tasks.items()})
            after.update({f"guide {len(surfaces)} {name}": task for name, task in guiding.items()})
            surfaces.append(surface)
    _check_sites(inputs.sites, surfaces, planner.labels)
    return Task(
        function="sodiophile.atomistic.adsorption_result:assemble",
        version=_VERSION,
        inputs={
            "engine": identity,
            "adsorbate": inputs.adsorbate,
            "cohesive_energy": cohesive.to_dict(),
            "free": inputs.free,
            **({} if inputs.distortion else {"distortion": False}),
            **({} if inputs.prerelax is None else {"prerelax": inputs.prerelax}),
            **calibration_points(inputs.engine, inputs.adsorbate),
            "fmax_eV_A": inputs.fmax_eV_A,
            "max_steps": inputs.max_steps,
            "displacement_A": _DISPLACEMENT_A,
            "rattle_A": _RATTLE_A,
            "vacuum_A": inputs.vacuum_A,
            "surfaces": surfaces,
        },
        after=after,
        context=planner.context,
        label=f"{inputs.adsorbate} on {surfaces[0]['crystal']}{facet_text(surfaces[0]['miller'])}: energies",
        cost_s=0.2,
    )


class _Planner:
    """Makes the tasks of one calculation: they share the engine and the criteria."""

    def __init__(self, inputs: AdsorptionInputs) -> None:
        self._inputs = inputs
        self._engine = engine(inputs.engine)
        identity = self._engine.identity()
        self._common = {"engine": identity, "fmax_eV_A": inputs.fmax_eV_A, "max_steps": inputs.max_steps}
        self.context = {"trusted": True} if is_trusted(inputs.engine) else {}
        self.labels: list[str] = []

    def crystal(self, crystal: Atoms) -> Task:
        """Return the task that relaxes a crystal."""
        inputs = self._inputs
        return crystal_task(crystal, engine_name=inputs.engine, fmax_eV_A=inputs.fmax_eV_A, max_steps=inputs.max_steps)

    def surface(
        self, slab: Slab, index: int, cut: dict[str, Any], crystal: Task, guide: Mapping[str, Task]
    ) -> tuple[dict[str, Any], dict[str, Task]]:
        """Return what the result must know of a surface, and its tasks by name.

        `guide` holds the tasks of a cheaper engine by the same names: each task then starts from the structure that its
        counterpart ended with.
        """
        from sodiophile.atomistic.relaxation import pack
        from sodiophile.atomistic.sites import find_sites

        adsorbate = self._inputs.adsorbate
        fixed = slab.layers // 2 if self._inputs.fixed_layers is None else self._inputs.fixed_layers
        if fixed >= slab.layers:
            raise InputError(
                f"{fixed} of {slab.layers} layers, expected fewer, so that the surface can relax", "fixed_layers"
            )
        packed, layer_of = pack(slab.atoms), [int(layer) for layer in slab.layer_of]
        name = f"{slab.formula}{facet_text(slab.miller)}"
        size = len(slab.atoms)

        def guided(name: str, **others: str) -> dict[str, Task]:
            if not guide:
                return {}
            return {"guide": guide[name], **{f"guide {key}": guide[other] for key, other in others.items()}}

        clean = self._task(
            "clean",
            {"slab": packed, "layer_of": layer_of, "cut": cut, "termination": index, "fixed_layers": fixed},
            {"crystal": crystal, **guided("clean")},
            f"{name} clean",
            size,
        )
        tasks = {"clean": clean}
        if self._inputs.distortion:
            inputs: dict[str, Any] = {"amplitude_A": _RATTLE_A, "seed": _SEED}
            before = {"clean": clean, **guided("rattled", clean="clean")}
            tasks["rattled"] = self._task("rattled", inputs, before, f"{name} clean, rattled", size)
        found = find_sites(slab, adsorbate)
        self.labels += [site.label for site in found if site.label not in self.labels]
        sites = [site for site in found if self._wanted(site)]
        for number, site in enumerate(sites):
            fractional = [round(x, 6) % 1.0 for x in site.fractional]
            own = f"site {number}"
            before = {"clean": clean, **guided(own, clean="clean")}
            inputs = {"adsorbate": adsorbate, "fractional": fractional}
            held = tasks[own] = self._task("site", inputs, before, f"{name} {site.label}", size)
            if self._inputs.distortion:
                tasks[f"{own} emptied"] = self._emptied(clean, held, size, guided(f"{own} emptied", clean="clean"))
            if self._inputs.free:
                inputs = {"displacement_A": _DISPLACEMENT_A, "seed": _SEED}
                before = {"clean": clean, "site": held, **guided(f"free {number}", site=own)}
                free = tasks[f"free {number}"] = self._task("free", inputs, before, f"{name} {site.label}, let go", size)
                if self._inputs.distortion:
                    tasks[f"free {number} emptied"] = self._emptied(
                        clean, free, size, guided(f"free {number} emptied", clean="clean")
                    )
        surface = {
            "crystal": slab.formula,
            "miller": list(slab.miller),
            "termination": slab.termination,
            "layers": slab.layers,
            "fixed_layers": fixed,
            "supercell": list(slab.supercell),
            "polar": slab.polar,
            "stoichiometric": slab.stoichiometric,
            "area_A2": round(slab.area_A2, 6),
            "slab": packed,
            "layer_of": layer_of,
            "sites": [site.label for site in sites],
            "known_sites": [_as_json(site) for site in found],
        }
        return surface, tasks

    def _emptied(self, clean: Task, covered: Task, size: int, guided: Mapping[str, Task]) -> Task:
        label = f"{covered.label}, {self._inputs.adsorbate} taken off"
        return self._task("emptied", {}, {"clean": clean, "covered": covered, **guided}, label, size)

    def _wanted(self, site: Site) -> bool:
        wanted = self._inputs.sites
        return wanted.strip() == "all" or site.label in _split(wanted)

    def _task(self, name: str, inputs: dict[str, Any], after: dict[str, Task], label: str, atoms: int) -> Task:
        return Task(
            function=f"{_TASKS}:relax_{name}",
            version=_VERSION,
            inputs={**self._common, **inputs},
            after=after,
            context=self.context,
            label=label,
            cost_s=self._engine.seconds_per_atom * (atoms + 1) * _STEPS_GUESS[name],
        )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _selected(wanted: str, known: list[str], key: str) -> set[str]:
    if wanted.strip() == "all":
        return set(known)
    chosen = _split(wanted)
    strange = [name for name in chosen if name not in known]
    if strange or not chosen:
        raise InputError(f"found {wanted!r}, expected some of: {', '.join(known)}", key)
    return set(chosen)


def _check_sites(wanted: str, surfaces: list[dict[str, Any]], known: list[str]) -> None:
    if not known:
        raise InputError("no adsorption site was found on this surface", "facet")
    if wanted.strip() != "all":
        _selected(wanted, known, "sites")
    bare = [surface["termination"] for surface in surfaces if not surface["sites"]]
    if bare:
        raise InputError(f"none of {wanted!r} is on the termination {bare[0]}; leave that termination out", "sites")


def _as_json(site: Site) -> dict[str, Any]:
    return {
        "label": site.label,
        "kind": site.kind,
        "fractional": [round(x, 6) for x in site.fractional],
        "multiplicity": site.multiplicity,
        "free_inplane_dims": site.free_inplane_dims,
        "coordination": [list(shell) for shell in site.coordination],
        "equivalents": [[round(x, 6) for x in point] for point in site.equivalents],
    }


CALCULATION = Calculation(
    kind="adsorption",
    title="Adsorption",
    summary="a crystal, a facet and an adatom in; its energy at each site against its bulk metal and the free atom out",
    inputs=AdsorptionInputs,
    plan=plan,
    draw=draw,
    quantities={
        "adsorption_energy_vs_bulk:SITE": "energy of the adatom held over SITE, against its bulk metal, eV",
        "adsorption_energy_vs_atom:SITE": "the same against the free atom, eV",
        "adsorption_energy_vs_bulk_free:SITE": "energy of the adatom let go from SITE, against its bulk metal, eV",
        "adsorption_energy_vs_atom_free:SITE": "the same against the free atom, eV",
        "height:SITE": "height of the adatom held over SITE above the top layer, angstrom",
        "height_free:SITE": "height of the adatom let go from SITE above the top layer, angstrom",
        "adsorption_energy_vs_bulk:most stable": "the lowest of those held; likewise for the others above, eV",
        "engine_difference:SITE": "energy over SITE of the engine that relaxed first minus that of the engine, eV",
        "cohesive_energy": "of the adsorbate's bulk metal, per atom, eV (assumed, with its source)",
    },
)
