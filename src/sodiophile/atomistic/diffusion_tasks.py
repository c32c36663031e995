"""The pieces of work of a diffusion calculation that adsorption does not share: basins, then one hop each.

Structures travel as JSON, lengths in angstrom, energies in eV for the whole cell; the adatom is the last atom.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from sodiophile.atomistic.adsorption_anomalies import anomalies
from sodiophile.atomistic.band import climb, first_path, hermite_top
from sodiophile.atomistic.engines import Engine
from sodiophile.atomistic.relaxation import Journal, pack, relax, unpack
from sodiophile.atomistic.site_network import distinct_basins, find_hops, surface_of, symmetrised
from sodiophile.atomistic.sites import Site, classify
from sodiophile.atomistic.tasks import engine_for, require, versions
from sodiophile.errors import EngineError

Array = NDArray[np.float64]

_DISPLACEMENT_A = 0.02
# An adatom that has done one of these is not in a basin on top of the surface.
_NO_BASIN = ("desorbed", "intercalated", "overlap")
# A saddle may lie this far below the higher of the two ends before it counts as none: the noise of relaxations.
_NOISE_EV = 0.002
_ADATOM_STIFFNESS_EV_A2 = 3.0


def relax_basins(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the distinct basins among the adatoms that were let go, relax each at its full symmetry, take its curvatures.

    Inputs: ``engine``, ``adsorbate``, ``sites`` (all of the surface, as JSON), ``fmax_eV_A``, ``max_steps``. After:
    ``clean``, ``free 0``, ``free 1``, ...
    """
    engine = engine_for(inputs, context)
    clean = require(after["clean"], "the clean slab")
    slab, sites = unpack(clean["slab"]), [site_of(entry) for entry in inputs["sites"]]
    surface = surface_of(slab)
    candidates, left_out = [], []
    for number in range(len(sites)):
        outcome = after[f"free {number}"]
        covered = unpack(outcome["slab"])
        odd = [text for text in anomalies(slab, covered, sites[number], sites, held=False) if text.startswith(_NO_BASIN)]
        if not outcome["converged"]:
            odd.append("not converged")
        if odd:
            left_out.append(f"the adatom let go from {sites[number].label} is in no basin: {'; '.join(odd)}")
        else:
            candidates.append((covered, outcome["energy_eV"]))
    if not candidates:
        raise EngineError("no adatom that was let go ended in a basin on this surface: " + "; ".join(left_out))
    chosen = distinct_basins([c.positions[-1] for c, _ in candidates], [e for _, e in candidates], surface)
    basins = []
    for number, i in enumerate(chosen):
        covered, _ = candidates[i]
        covered.set_positions(symmetrised(covered.positions, surface))
        covered.set_constraint(FixAtoms(indices=clean["fixed"]))
        done = relax(
            covered,
            engine.calculator(),
            folder / f"basin-{number}.jsonl",
            fmax_eV_A=inputs["fmax_eV_A"],
            max_steps=inputs["max_steps"],
            stiffness_eV_A2=_stiffness(clean),
        )
        end = classify(slab, done.atoms.positions[-1], sites)
        curvatures, _ = adatom_curvatures(done.atoms, engine, folder / f"basin-{number}-curvatures.jsonl")
        basins.append({
            **done.summary(),
            "slab": pack(done.atoms, 9),
            "site": end.label,
            "off_site_A": end.distance_A,
            "curvatures_eV_A2": curvatures.tolist(),
        })  # fmt: skip
    _, hops = find_hops([np.array(basin["slab"]["positions_A"][-1]) for basin in basins], surface)
    return {
        "basins": basins,
        "left_out": left_out,
        "hops": len(hops),
        "cell_A": surface.cell_A.tolist(),
        "operations": len(surface.operations),
        "mass_u": float(atomic_masses[atomic_numbers[inputs["adsorbate"]]]),
        "made_with": versions(engine),
    }


def climb_hop(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the saddle of one hop, from the shortest; whether it is one is told by the curvatures of the adatom.

    Inputs: ``engine``, ``hop`` (number, 0 for the shortest), ``images``, ``fmax_eV_A``, ``max_steps``, ``sites``. After:
    ``clean``, ``basins``. There may be fewer hops than were planned: then ``exists`` is false and nothing is computed.
    """
    engine = engine_for(inputs, context)
    clean, found = after["clean"], after["basins"]
    surface = surface_of(unpack(clean["slab"]))
    ends = [unpack(basin["slab"]) for basin in found["basins"]]
    images, hops = find_hops([end.positions[-1] for end in ends], surface)
    if inputs["hop"] >= len(hops):
        return {"exists": False}
    hop = hops[inputs["hop"]]
    start, end = ends[hop.start], ends[hop.end]
    clean_A = surface.clean.positions
    end_A = hop.operation.structure(end.positions, clean_A)
    energies = (found["basins"][hop.start]["energy_eV"], found["basins"][hop.end]["energy_eV"])
    path = first_path(start.positions, end_A, np.asarray(start.cell[:]), inputs["images"])
    band = climb(
        path,
        energies,
        start,
        engine.calculator(),
        folder,
        fixed=clean["fixed"],
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=_stiffness(clean),
        swap=(hop.operation, clean_A) if hop.swaps and inputs["images"] % 2 else None,
    )
    # an operation takes the end there with the energy that it had; the engine must agree
    copied = _with_positions(end, end_A)
    copied.calc = Journal(engine.calculator(), folder / "end.jsonl")
    mismatch = float(copied.get_potential_energy()) - energies[1]
    saddle = _with_positions(start, band.positions_A[band.highest])
    inner = 0 < band.highest < len(path) - 1 and band.energies_eV[band.highest] > max(energies) - _NOISE_EV
    curvatures, modes = (
        adatom_curvatures(saddle, engine, folder / "saddle-curvatures.jsonl") if inner else (np.zeros(0), np.zeros((0, 0)))
    )
    over = classify(surface.clean, saddle.positions[-1], [site_of(entry) for entry in inputs["sites"]])
    return {
        "exists": True,
        "start": hop.start,
        "end": hop.end,
        "step_A": hop.step_A.tolist(),
        "length_A": hop.length_A,
        "swaps": hop.swaps,
        "halved": bool(hop.swaps and inputs["images"] % 2),
        "directed": [[a, b, list(step), forward] for a, b, step, forward in hop.directed],
        "image_basins": [image.basin for image in images],
        "converged": band.converged,
        "fmax_eV_A": band.fmax_eV_A,
        "iterations": band.iterations,
        "evaluations": band.evaluations,
        "seconds": round(band.seconds, 3),
        "energies_eV": band.energies_eV.tolist(),
        "along_eV_A": band.along_eV_A.tolist(),
        "distances_A": band.distances_A.tolist(),
        "adatom_A": band.positions_A[:, -1].tolist(),
        "highest": band.highest,
        "is_inner": bool(inner),
        "barrier_eV": float(band.energies_eV[band.highest] - energies[0]),
        "barrier_back_eV": float(band.energies_eV[band.highest] - energies[1]),
        "interpolation_eV": hermite_top(band.distances_A, band.energies_eV, band.along_eV_A)
        - float(band.energies_eV[band.highest]),
        "end_mismatch_eV": mismatch,
        "saddle": pack(saddle, 9),
        "saddle_site": over.label,
        "saddle_off_site_A": over.distance_A,
        "curvatures_eV_A2": curvatures.tolist(),
        "unstable_inplane_part": float(np.sum(modes[:2, 0] ** 2)) if len(curvatures) else 0.0,
        "path": [pack(_with_positions(start, one), 6) for one in band.positions_A],
        "made_with": versions(engine),
    }


def adatom_curvatures(atoms: Atoms, engine: Engine, journal: Path) -> tuple[Array, Array]:
    """Return eigenvalues (eV/A2, lowest first) and eigenvectors (columns) of the Hessian of the adatom, the slab held.

    Central differences of the forces on it, 0.02 A to both sides.
    """
    recorder = Journal(engine.calculator(), journal)
    hessian = np.zeros((3, 3))
    for axis in range(3):
        forces = []
        for sign in (1, -1):
            moved = _with_positions(atoms, atoms.positions)
            moved.positions[-1, axis] += sign * _DISPLACEMENT_A
            moved.calc = recorder
            forces.append(moved.get_forces()[-1])
        hessian[axis] = -(forces[0] - forces[1]) / (2 * _DISPLACEMENT_A)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    return values, vectors


def site_of(data: Mapping[str, Any]) -> Site:
    """Return the site that the plan of an adsorption calculation wrote as JSON."""
    return Site(
        label=data["label"],
        kind=data["kind"],
        fractional=(data["fractional"][0], data["fractional"][1]),
        multiplicity=data["multiplicity"],
        free_inplane_dims=data["free_inplane_dims"],
        coordination=tuple((element, number, distance) for element, number, distance in data["coordination"]),
        equivalents=tuple((x, y) for x, y in data["equivalents"]),
    )


def _stiffness(clean: Mapping[str, Any]) -> Array:
    stiffness = np.full(len(clean["slab"]["symbols"]) + 1, clean["stiffness_eV_A2"])
    stiffness[-1] = min(_ADATOM_STIFFNESS_EV_A2, clean["stiffness_eV_A2"])
    return stiffness


def _with_positions(atoms: Atoms, positions_A: Array) -> Atoms:
    return Atoms(atoms.numbers, positions=positions_A, cell=atoms.cell, pbc=atoms.pbc)
