"""The adatom on the surface, in the place of a surface atom, or below the first layer: which is lowest.

    E(below)           = E(slab with one adatom) - E(clean slab) - E(bulk metal) / N
    E(in place of X)   = E(slab, one X less, one adatom more) + mu(X) - E(clean slab) - E(bulk metal) / N

The atom X that is pushed out goes to a reservoir of the chemical potential mu(X): that of its bulk metal, or, for an
element that has no bulk metal (N of VN), that of the crystal in equilibrium with the bulk metal of its other element.
Substitution is how alloying begins (Na on Al(111): Neugebauer and Scheffler, Phys. Rev. B 46, 16067 (1992), recalled).
Voids below the first layer are the centres of empty spheres: vertices of the Voronoi cells of the atoms there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodiophile.atomistic import adsorption
from sodiophile.atomistic.adsorption import AdsorptionInputs, SurfaceInputs
from sodiophile.atomistic.base import Calculation
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.planning import crystal_task, engine_task
from sodiophile.atomistic.site_map import plane_group_of, to_primitive
from sodiophile.atomistic.substitution_figure import draw
from sodiophile.errors import InputError, importing
from sodiophile.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = 1
_TASKS = "sodiophile.atomistic.substitution_tasks"
_STEPS_GUESS = 30
# Layers, from the top, in which atoms are replaced.
_DEPTH = 2


class SubstitutionInputs(SurfaceInputs):
    """What the user sets: as for adsorption."""


def plan(inputs: SubstitutionInputs) -> Task:
    """Return the last of the tasks.

    Raises
    ------
    InputError
        If the inputs do not make an adsorption calculation, or no atom of the surface may move.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    if inputs.prerelax is not None:
        raise InputError("this kind starts from no other engine's structures; leave it out", "prerelax")
    asked = AdsorptionInputs.model_construct(**inputs.model_dump(), free=False, distortion=False, cohesive_energy_eV=None)
    with importing("atomistic", "a calculation on a surface"):
        from sodiophile.atomistic.voids import label_of, voids_below_first_layer
    base = adsorption.plan(asked)
    after = {name: task for name, task in base.after.items() if not name.startswith("guide")}
    criteria = {"fmax_eV_A": inputs.fmax_eV_A, "max_steps": inputs.max_steps}
    first = base.inputs["surfaces"][0]
    after |= _reservoirs(first["slab"]["symbols"], inputs.engine, **criteria)
    surfaces: list[dict[str, Any]] = []
    for i, surface in enumerate(base.inputs["surfaces"]):
        name = after[f"{i} clean"].label.removesuffix(" clean")
        places: list[dict[str, Any]] = []
        for atom, depth in _distinct_atoms(surface):
            symbol = surface["slab"]["symbols"][atom]
            label = f"for {symbol} in layer {depth}"
            number = sum(place["label"].startswith(label) for place in places)
            label += f" ({number + 1})" if number else ""
            given = {"adsorbate": inputs.adsorbate, "atom": atom}
            after[f"{i} place {len(places)}"] = _task(
                "relax_substituted", given, criteria, after, i, inputs, f"{name} {label}"
            )
            places.append({"label": label, "kind": "substituted", "replaced": symbol, "atom": atom})
        if surface["layers"] - surface["fixed_layers"] >= _DEPTH:
            for void in voids_below_first_layer(surface, *plane_group_of(surface)):
                label = label_of(void, [place["label"] for place in places])
                given = {"adsorbate": inputs.adsorbate, "fractional": void.fractional, "below": void.below}
                after[f"{i} place {len(places)}"] = _task(
                    "relax_below", given, criteria, after, i, inputs, f"{name} {label}"
                )
                places.append({"label": label, "kind": "below", "replaced": None, "atom": None})
        surfaces.append({**surface, "places": places})
    if not any(surface["places"] for surface in surfaces):
        raise InputError("no atom of the first two layers may move, expected fewer", "fixed_layers")
    keep = ("engine", "adsorbate", "fmax_eV_A", "max_steps", "vacuum_A")
    return Task(
        function="sodiophile.atomistic.substitution_result:assemble",
        version=_VERSION,
        inputs={**{key: base.inputs[key] for key in keep}, "surfaces": surfaces},
        after=after,
        context=base.context,
        label=base.label.replace("energies", "on, in or below the surface"),
        cost_s=0.3,
    )


def _task(
    function: str,
    given: Mapping[str, Any],
    criteria: Mapping[str, Any],
    after: Mapping[str, Task],
    surface: int,
    inputs: SubstitutionInputs,
    label: str,
) -> Task:
    clean = after[f"{surface} clean"]
    return engine_task(
        f"{_TASKS}:{function}",
        _VERSION,
        {**criteria, **given, "layer_of": clean.inputs["layer_of"]},
        {"clean": clean},
        engine_name=inputs.engine,
        label=label,
        atoms=len(clean.inputs["layer_of"]),
        steps=_STEPS_GUESS,
    )


def _reservoirs(symbols: list[str], engine_name: str, **criteria: Any) -> dict[str, Task]:
    """Return the tasks of the bulk crystals of the elements that have one, as ``reservoir V``."""
    from sodiophile.atomistic.relaxation import canonical
    from sodiophile.atomistic.structures import metal_crystal

    engine(engine_name).require()
    found = {}
    for symbol in sorted(set(symbols)):
        try:
            crystal = canonical(metal_crystal(symbol))
        except InputError:
            continue
        found[f"reservoir {symbol}"] = crystal_task(crystal, engine_name=engine_name, **criteria)
    return found


def _distinct_atoms(surface: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return one atom of each kind in the uppermost layers that may move, with its layer counted from the top as 1."""
    import numpy as np

    from sodiophile.atomistic.symmetry2d import distance_2d

    group, supercell_A = plane_group_of(surface)
    positions = np.array(surface["slab"]["positions_A"])
    layers, symbols = surface["layer_of"], surface["slab"]["symbols"]
    found: list[tuple[int, int]] = []
    for depth in range(1, _DEPTH + 1):
        layer = max(layers) + 1 - depth
        if layer < surface["fixed_layers"]:
            break
        seen: list[tuple[str, Any]] = []
        for atom in (i for i, one in enumerate(layers) if one == layer):
            point = to_primitive(positions[atom, :2] @ np.linalg.inv(supercell_A), group, supercell_A)
            orbit = group.orbit(point)
            if not any(
                symbol == symbols[atom] and min(distance_2d(one - other, group.cell_A) for one in orbit) < 0.1
                for symbol, other in seen
            ):
                seen.append((symbols[atom], point))
                found.append((atom, depth))
    return found


CALCULATION = Calculation(
    kind="substitution",
    title="On, in or below the surface",
    summary="a crystal, a facet and an adatom in; its energy on the surface, in place of its atoms and below them out",
    inputs=SubstitutionInputs,
    plan=plan,
    draw=draw,
    quantities={
        "energy_vs_bulk": "of the adatom at a place, against bulk metal and the reservoir of what it replaces, eV",
        "energy_vs_bulk:on the surface": "the lowest on the surface, eV",
        "incorporation_energy": "the lowest in or below the surface minus the lowest on it, eV",
    },
)
