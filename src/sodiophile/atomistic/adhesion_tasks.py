"""The pieces of work of an adhesion calculation: strained film -> shifts tried rigidly -> the best relaxed -> taken apart.

The substrate and the unstrained film are relaxed as any clean slab is (`relax_clean` of
`sodiophile.atomistic.adsorption_tasks`). Structures travel as JSON, lengths in angstrom, energies in eV for the whole cell;
in an interface the atoms of the substrate come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from numpy.typing import NDArray

from sodiophile.atomistic.coincidence import Match, deformation, registries, registry_cell, stretch_of
from sodiophile.atomistic.engines import Engine
from sodiophile.atomistic.interface import gap_A, stacked, strained
from sodiophile.atomistic.relaxation import Journal, pack, relax, unpack
from sodiophile.atomistic.tasks import engine_for, require, versions

Array = NDArray[np.float64]

# Of the rigid film: the gap counts as found when the next step is shorter; the first guess of how stiff a contact is.
_GAP_STEP_A = 0.03
_GAP_ENERGIES = 9
_CONTACT_STIFFNESS_EV_A2 = 0.5
_LONGEST_STEP_A = 0.4
_CAME_OFF_A = 6.0


def relax_film(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Strain the film as it is in the interface and relax it alone, both faces free.

    Inputs: ``engine``, ``match``, ``fmax_eV_A``, ``max_steps``. After: ``clean`` (substrate), ``film`` (unstrained).
    """
    engine = engine_for(inputs, context)
    clean = require(after["clean"], "the clean slab of the interlayer")
    film = require(after["film"], "the film of the metal")
    match = match_of(inputs["match"])
    substrate_A = np.array(clean["slab"]["cell_A"])[:2, :2]
    flat = unpack(film["slab"])
    done = relax(
        strained(flat, match, substrate_A),
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=film["stiffness_eV_A2"],
    )
    low, high = np.linalg.eigvalsh(stretch_of(deformation(match, substrate_A, np.asarray(flat.cell[:2, :2])))) - 1.0
    return {
        **done.summary(),
        "slab": pack(done.atoms, 9),
        "strains": [float(high), float(low)],
        "area_A2": float(abs(np.linalg.det(match.substrate @ substrate_A))),
        "strain_energy_eV": done.energy_eV - film["energy_eV"],
        "made_with": versions(engine),
    }


def try_registries(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put the rigid film on the rigid substrate at several shifts, each at its best distance; lowest energy first.

    Inputs: ``engine``, ``match``, ``registries`` (how many at most), ``vacuum_A``. After: ``clean``, ``strained``.
    """
    engine = engine_for(inputs, context)
    clean = after["clean"]
    film = require(after["strained"], "the strained film of the metal")
    match = match_of(inputs["match"])
    substrate, upper = unpack(clean["slab"]), unpack(film["slab"])
    plane = match.substrate @ np.asarray(substrate.cell[:2, :2])
    shifts = registries(registry_cell(match) @ plane)[: inputs["registries"]]
    tried = []
    for number, shift in enumerate(shifts):
        start = stacked(substrate, upper, match, shift, None, inputs["vacuum_A"])
        split = len(substrate) * match.cells[0]
        journal = Journal(engine.calculator(), folder / f"registry-{number}.jsonl")
        gap, energy = _best_gap(start, split, journal)
        moved_A = np.asarray(shift) @ registry_cell(match) @ plane
        tried.append({"shift": list(shift), "shift_A": moved_A.tolist(), "gap_A": gap, "energy_eV": energy})
    tried.sort(key=lambda one: one["energy_eV"])
    return {"tried": tried, "made_with": versions(engine)}


def relax_interface(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Relax the interface from one of the shifts that were tried; there may be fewer than were planned.

    Inputs: ``engine``, ``match``, ``rank`` (0 for the lowest), ``vacuum_A``, ``fmax_eV_A``, ``max_steps``. After:
    ``clean``, ``film``, ``strained``, ``tried``.
    """
    engine = engine_for(inputs, context)
    clean, film = after["clean"], after["strained"]
    tried = after["tried"]["tried"]
    if inputs["rank"] >= len(tried):
        return {"exists": False}
    match, chosen = match_of(inputs["match"]), tried[inputs["rank"]]
    substrate = unpack(clean["slab"])
    start = stacked(substrate, unpack(film["slab"]), match, chosen["shift"], chosen["gap_A"], inputs["vacuum_A"])
    split = len(substrate) * match.cells[0]
    fixed = _fixed(clean, match)
    start.set_constraint(FixAtoms(indices=fixed))
    done = relax(
        start,
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=_stiffness(clean, after["film"], split, len(start)),
    )
    return {
        "exists": True,
        **done.summary(),
        "slab": pack(done.atoms, 9),
        "substrate_atoms": split,
        "shift_A": chosen["shift_A"],
        "gap_A": gap_A(done.atoms, split),
        "moved": _moved(start, done.atoms, split),
        "made_with": versions(engine),
    }


def take_apart(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Take the film off the lowest relaxed interface: both parts as they are in it, then relaxed.

    Inputs: ``engine``, ``match``, ``fmax_eV_A``, ``max_steps``. After: ``clean``, ``film``, ``interface 0``, ...
    """
    engine = engine_for(inputs, context)
    clean = after["clean"]
    found = [outcome for name, outcome in after.items() if name.startswith("interface ") and outcome["exists"]]
    done = [outcome for outcome in found if outcome["converged"]]
    if not done:
        return {"exists": False}
    best = min(done, key=lambda outcome: outcome["energy_eV"])
    both, split = unpack(best["slab"]), best["substrate_atoms"]
    substrate, film = both[:split], both[split:]
    substrate.set_constraint(FixAtoms(indices=_fixed(clean, match_of(inputs["match"]))))
    parts = {}
    for name, part, stiffness in (
        ("substrate", substrate, clean["stiffness_eV_A2"]),
        ("film", film, after["film"]["stiffness_eV_A2"]),
    ):
        relaxed = relax(
            part,
            engine.calculator(),
            folder / f"{name}.jsonl",
            fmax_eV_A=inputs["fmax_eV_A"],
            max_steps=inputs["max_steps"],
            stiffness_eV_A2=stiffness,
        )
        parts[name] = {**relaxed.summary(), "frozen_eV": _frozen(part, engine, folder / f"{name}-frozen.jsonl")}
    return {"exists": True, "interface_eV": best["energy_eV"], **parts, "made_with": versions(engine)}


def match_of(data: Mapping[str, Any]) -> Match:
    """Return the common cell that a plan wrote."""
    return Match(
        np.array(data["substrate"]), np.array(data["film"]), data["area_A2"], tuple(data["strains"]), data["angle_deg"]
    )


def _best_gap(start: Atoms, split: int, journal: Journal) -> tuple[float, float]:
    """Return the gap at which the rigid film feels no force from the rigid substrate, and the lowest energy seen.

    Secant steps on the force between the parts; in the end the lowest energy decides, whether or not a zero was found.
    """
    atoms = start.copy()
    atoms.calc = journal
    seen: list[tuple[float, float, float]] = []
    gap = first = gap_A(start, split)
    for _ in range(_GAP_ENERGIES):
        atoms.positions[split:, 2] = start.positions[split:, 2] + gap - first
        # up to what keeps each part together, which is the same on both
        force = float(atoms.get_forces()[split:, 2].sum())
        seen.append((gap, float(atoms.get_potential_energy()), force))
        step = _gap_step(seen, len(start) - split)
        if abs(step) < _GAP_STEP_A or gap + step > _CAME_OFF_A:
            break
        gap += step
    best = min(seen, key=lambda one: one[1])
    return best[0], best[1]


def _gap_step(seen: list[tuple[float, float, float]], atoms: int) -> float:
    gap, _, force = seen[-1]
    stiffness = _CONTACT_STIFFNESS_EV_A2 * atoms / 3
    if len(seen) > 1:
        before, _, other = seen[-2]
        slope = -(force - other) / (gap - before)
        if slope > 0:
            stiffness = slope
    return float(np.clip(force / stiffness, -_LONGEST_STEP_A, _LONGEST_STEP_A))


def _fixed(clean: Mapping[str, Any], match: Match) -> list[int]:
    n = len(clean["slab"]["symbols"])
    return [image * n + i for image in range(match.cells[0]) for i in clean["fixed"]]


def _stiffness(clean: Mapping[str, Any], film: Mapping[str, Any], split: int, atoms: int) -> Array:
    stiffness = np.full(atoms, float(film["stiffness_eV_A2"]))
    stiffness[:split] = clean["stiffness_eV_A2"]
    return stiffness


def _frozen(part: Atoms, engine: Engine, path: Path) -> float:
    atoms = part.copy()
    atoms.calc = Journal(engine.calculator(), path)
    return float(atoms.get_potential_energy())


def _moved(before: Atoms, after: Atoms, split: int) -> dict[str, float]:
    """Return how far the parts moved: what tells a contact that mixed or slid from one that did not."""
    steps = after.positions - before.positions
    return {
        "substrate_A": float(np.linalg.norm(steps[:split], axis=1).max()),
        "film_A": float(np.linalg.norm(steps[split:] - steps[split:].mean(axis=0), axis=1).max()),
        "slid_A": float(np.linalg.norm(steps[split:, :2].mean(axis=0))),
    }
