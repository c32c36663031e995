"""The pieces of work of a charge-density calculation: ground states, each a task of its own, and what is read from them.

clean slab; for each site the slab with its adatom, the slab without it, the adatom without the slab: three ground states
in one cell at one geometry, and the division of their densities; the crystal on dense meshes of k-points.
A killed run loses at most the ground state that it was at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from sodiophile.atomistic.bader import Bader, bader
from sodiophile.atomistic.density_difference import cumulative, density_difference, displaced
from sodiophile.atomistic.dos import band_edges, dos_at
from sodiophile.atomistic.electronic_structure import (
    all_electron_density,
    bands_on_mesh,
    free_atoms,
    ground_state_of,
    mesh_of,
    opened,
    pseudo_density,
    require_electronic,
    solve,
)
from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.hirshfeld import hirshfeld
from sodiophile.atomistic.relaxation import pack, unpack
from sodiophile.atomistic.tasks import engine_for, require, versions

# Of the grid of the ground state: differences are smooth, cores are not.
_DIFFERENCE_REFINEMENT = 2
_BADER_REFINEMENTS = (4, 3)
# What is kept of a difference for pictures.
_THIN_A, _SMOOTHING_A = 0.2, 0.12
_WIDTHS_EV = (0.1, 0.2)
# Meshes as dense as that of a period of this length with one point.
_MESH_LENGTHS_A = (30.0, 45.0)


def solve_part(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the ground state of a slab, or of a part of it, every atom where it is.

    Inputs: ``engine``; ``part``: ``whole``, ``slab`` (all but the adatom, which comes last) or ``adatom``; ``atoms`` where
    nothing was relaxed before. After: ``relaxed`` (with the structure as ``slab``), or nothing.
    """
    del folder
    engine = engine_for(inputs, context)
    require_electronic(inputs["engine"], is_dft=engine.is_dft)
    whole = unpack(require(after["relaxed"], "the slab")["slab"] if "relaxed" in after else inputs["atoms"])
    atoms = {"whole": whole, "slab": whole[:-1], "adatom": whole[-1:]}[inputs["part"]]
    return {**solve(engine.calculator(), atoms), "atoms": pack(atoms, 9), "made_with": versions(engine)}


def solve_crystal(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the ground state of the primitive cell of a crystal, and its bands on two dense meshes of k-points.

    Inputs: ``engine``. After: ``crystal``.
    """
    del folder
    engine = engine_for(inputs, context)
    require_electronic(inputs["engine"], is_dft=engine.is_dft)
    crystal = primitive(unpack(require(after["crystal"], "the crystal")["crystal"]))
    calculator = engine.calculator()
    found = solve(calculator, crystal)
    ground = ground_state_of(calculator)
    meshes = [bands_on_mesh(ground, mesh_of(crystal.cell[:], length)) for length in _MESH_LENGTHS_A]
    rows = []
    for mesh in meshes:
        eigenvalues, weights = np.array(mesh["eigenvalues_eV"]), np.array(mesh["k_weights"])
        edges = band_edges(eigenvalues, found["valence_electrons"])
        rows.append(
            {
                "mesh": mesh["mesh"],
                "k_points": len(weights),
                "dos_per_eV": [dos_at(eigenvalues, weights, found["fermi_eV"], width) for width in _WIDTHS_EV],
                "gap_eV": edges.gap_eV,
            }
        )
    return {
        "meshes": rows,
        "widths_eV": list(_WIDTHS_EV),
        "spins": len(found["eigenvalues_eV"]),
        "fermi_eV": found["fermi_eV"],
        "energy_eV": found["energy_eV"],
        "valence_electrons": found["valence_electrons"],
        "atoms": pack(crystal, 9),
        "volume_A3": crystal.get_volume(),
        "seconds": found["seconds"],
        "made_with": versions(engine),
    }


def primitive(crystal: Atoms) -> Atoms:
    """Return the primitive cell of a crystal; the crystal itself where none is found."""
    import spglib

    found = spglib.find_primitive((crystal.cell[:], crystal.get_scaled_positions(), crystal.numbers), symprec=1e-3)
    if found is None:
        return crystal
    cell, fractional, numbers = found
    return Atoms(numbers, scaled_positions=fractional, cell=cell, pbc=True)


def divide(inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Divide the density of a slab with its adatom: difference to its parts, Bader and Hirshfeld charges.

    Inputs: ``vacuum_e_A3``. After: ``whole``, ``slab``, ``adatom``: outcomes of `solve_part`.
    """
    del context, folder
    states = {name: opened(after[name]["ground_state"]) for name in ("whole", "slab", "adatom")}
    whole = unpack(after["whole"]["atoms"])
    symbols, positions = whole.get_chemical_symbols(), whole.positions
    density = {name: all_electron_density(state, _DIFFERENCE_REFINEMENT) for name, state in states.items()}
    difference = density_difference(density["whole"], density["slab"], density["adatom"])
    pseudo = {name: pseudo_density(state, _DIFFERENCE_REFINEMENT) for name, state in states.items()}
    smooth = Field(pseudo["whole"].values - pseudo["slab"].values - pseudo["adatom"].values, whole.cell[:])
    free = free_atoms(states["whole"])
    nuclear = {symbol: float(atomic_numbers[symbol]) for symbol in set(symbols)}
    fine = []
    for refinement in _BADER_REFINEMENTS:
        field = all_electron_density(states["whole"], refinement)
        fine.append(
            {
                "shape": list(field.shape),
                "electrons": field.integral(),
                "bader": _charges(bader(field, positions, vacuum_e_A3=inputs["vacuum_e_A3"]), nuclear, symbols),
                "hirshfeld": hirshfeld(field, symbols, positions, free, nuclear).charges_e.tolist(),
            }
        )
    bare = all_electron_density(states["slab"], _BADER_REFINEMENTS[0])
    return {
        "shape": list(difference.shape),
        "displaced": _displaced(difference),
        "displaced_coarser": _displaced(Field(difference.values[::2, ::2, ::2], difference.cell_A)),
        "displaced_pseudo": _displaced(smooth),
        "charges": fine,
        "bare_bader": _charges(bader(bare, positions[:-1], vacuum_e_A3=inputs["vacuum_e_A3"]), nuclear, symbols[:-1]),
        "free_electrons": {symbol: one.electrons() for symbol, one in free.items()},
        "planar": {
            "height_A": np.round(difference.planes_A(), 6).tolist(),
            "difference_e_A": np.round(difference.planar_sum(), 7).tolist(),
            "displaced_below_e": np.round(cumulative(difference), 7).tolist(),
        },
        "difference": difference.thinned(_THIN_A, _SMOOTHING_A).packed(),
        "atoms": pack(whole, 9),
    }


def _displaced(difference: Field) -> dict[str, float]:
    return asdict(displaced(difference))


def _charges(found: Bader, nuclear: Mapping[str, float], symbols: Sequence[str]) -> dict[str, Any]:
    return {
        "charges_e": [nuclear[symbol] - float(n) for symbol, n in zip(symbols, found.electrons, strict=True)],
        "volumes_A3": found.volumes_A3.tolist(),
        "vacuum_electrons": found.vacuum_electrons,
        "vacuum_A3": found.vacuum_A3,
        "elsewhere": [list(entry) for entry in found.elsewhere],
    }
