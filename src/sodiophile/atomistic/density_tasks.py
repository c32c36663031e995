"""The pieces of work of a charge-density calculation: ground states, each a task of its own, and what is read from them.

For each site: the slab with its adatom, the slab without it, the adatom without the slab, three ground states in one cell
at one geometry, and the division of their densities; then the clean slab, and the crystal on dense meshes of k-points.
A killed run loses at most the ground state that it was at. What the pictures and numbers of a report need is in the
outcomes of `divide`, `solve_clean` and `solve_crystal`; the ground states themselves are only needed until then.
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
from sodiophile.atomistic.dos import band_edges, density_of_states
from sodiophile.atomistic.electronic_structure import (
    all_electron_density,
    bands_on_mesh,
    free_atoms,
    ground_state_of,
    mesh_of,
    opened,
    packed,
    pseudo_density,
    solve,
)
from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.hirshfeld import hirshfeld
from sodiophile.atomistic.relaxation import pack, unpack
from sodiophile.atomistic.tasks import engine_for, require, versions

# Of the grid of the ground state: differences are smooth, so are Hirshfeld's weights, maxima at nuclei are not. The finer
# is what is told, the coarser what it is compared with.
_FINEST, _FINER, _FINE = 4, 3, 2
# What is kept of a difference for pictures.
_THIN_A, _SMOOTHING_A = 0.2, 0.12
# Meshes as dense as that of a period of this length with one point; the denser is what is told.
_MESH_LENGTHS_A = (30.0, 45.0)
_DOS_FROM_EV, _DOS_TO_EV, _DOS_STEP_EV = -15.0, 3.0, 0.05


def solve_part(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the ground state of a slab with its adatom, or of a part of it, every atom where it is.

    Inputs: ``engine``; ``part``: ``whole``, ``slab`` (all but the adatom, which comes last) or ``adatom``; ``vacuum_A``
    between the highest atom of the whole and the lowest of its image. After: ``relaxed``.
    """
    del folder
    engine = engine_for(inputs, context)
    whole = centred(unpack(require(after["relaxed"], "the slab with its adatom")["slab"]), inputs["vacuum_A"])
    atoms = {"whole": whole, "slab": whole[:-1], "adatom": whole[-1:]}[inputs["part"]]
    calculator = engine.calculator()
    found = solve(calculator, atoms)
    return {
        **found,
        "ground_state": packed(ground_state_of(calculator)),
        "atoms": pack(atoms, 9),
        "made_with": versions(engine),
    }


def solve_clean(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the ground state of the clean slab: its work functions.

    Inputs: ``engine``, ``vacuum_A``. After: ``relaxed``.
    """
    del folder
    engine = engine_for(inputs, context)
    clean = centred(unpack(require(after["relaxed"], "the clean slab")["slab"]), inputs["vacuum_A"])
    return {**solve(engine.calculator(), clean), "atoms": pack(clean, 9), "made_with": versions(engine)}


def solve_crystal(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the ground state of the primitive cell of a crystal, and its bands on two dense meshes of k-points.

    Inputs: ``engine``. After: ``crystal``.
    """
    del folder
    engine = engine_for(inputs, context)
    crystal = primitive(unpack(require(after["crystal"], "the crystal")["crystal"]))
    calculator = engine.calculator()
    found = solve(calculator, crystal)
    ground = ground_state_of(calculator)
    fermi, electrons = found["fermi_eV"], found["valence_electrons"]
    above = np.linspace(_DOS_FROM_EV, _DOS_TO_EV, round((_DOS_TO_EV - _DOS_FROM_EV) / _DOS_STEP_EV) + 1)
    meshes = []
    for length in _MESH_LENGTHS_A:
        mesh = mesh_of(crystal.cell[:], length)
        bands, distinct = bands_on_mesh(ground, mesh, _DOS_TO_EV)
        meshes.append(
            {
                "mesh": list(mesh),
                "k_points": len(distinct),
                "edges_eV": asdict(band_edges(distinct, electrons)),
                "dos_per_eV": np.round(density_of_states(crystal.cell[:], bands, fermi + above), 5).tolist(),
            }
        )
    return {
        "energy_eV": found["energy_eV"],
        "fermi_eV": fermi,
        "valence_electrons": electrons,
        "energies_above_fermi_eV": np.round(above, 6).tolist(),
        "meshes": meshes,
        "atoms": pack(crystal, 9),
        "volume_A3": crystal.get_volume(),
        "seconds": found["seconds"],
        "made_with": versions(engine),
    }


def centred(atoms: Atoms, vacuum_A: float) -> Atoms:
    """Return a slab in the middle of a cell with this much vacuum: the layer of dipoles stands at the cell's border."""
    slab = atoms.copy()
    slab.center(vacuum=vacuum_A / 2, axis=2)
    return unpack(pack(slab, 9))


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

    Inputs: ``vacuum_e_A3`` (see `bader`). After: ``whole``, ``slab``, ``adatom``: outcomes of `solve_part`.
    """
    del context, folder
    names = ("whole", "slab", "adatom")
    states = {name: opened(after[name]["ground_state"]) for name in names}
    whole = unpack(after["whole"]["atoms"])
    symbols, positions = whole.get_chemical_symbols(), whole.positions
    density = {name: all_electron_density(state, _FINE) for name, state in states.items()}
    difference = density_difference(density["whole"], density["slab"], density["adatom"])
    pseudo = {name: pseudo_density(state, _FINE) for name, state in states.items()}
    smooth = Field(pseudo["whole"].values - pseudo["slab"].values - pseudo["adatom"].values, whole.cell[:])
    free = free_atoms(states["whole"])
    nuclear = {symbol: float(atomic_numbers[symbol]) for symbol in set(symbols)}
    finest, finer = (all_electron_density(states["whole"], refinement) for refinement in (_FINEST, _FINER))
    bare = all_electron_density(states["slab"], _FINEST)

    def bader_of(field: Field, count: int) -> dict[str, Any]:
        found = bader(field, positions[:count], vacuum_e_A3=inputs["vacuum_e_A3"])
        return _charges(found, nuclear, symbols[:count])

    def hirshfeld_of(field: Field, count: int) -> list[float]:
        charges: list[float] = hirshfeld(field, symbols[:count], positions[:count], free, nuclear).charges_e.tolist()
        return charges

    n = len(whole)
    return {
        "bader": bader_of(finest, n),
        "bader_coarser": bader_of(finer, n),
        "bader_slab_alone": bader_of(bare, n - 1),
        "hirshfeld_e": hirshfeld_of(finer, n),
        "hirshfeld_coarser_e": hirshfeld_of(density["whole"], n),
        "hirshfeld_slab_alone_e": hirshfeld_of(density["slab"], n - 1),
        "shape": list(difference.shape),
        "displaced": asdict(displaced(difference)),
        "displaced_coarser": asdict(displaced(Field(difference.values[::2, ::2, ::2], difference.cell_A))),
        "displaced_pseudo": asdict(displaced(smooth)),
        "free_electrons": {symbol: one.electrons() for symbol, one in sorted(free.items())},
        "planar": {
            "height_A": np.round(difference.planes_A(), 6).tolist(),
            "difference_e_A": np.round(difference.planar_sum(), 7).tolist(),
            "displaced_below_e": np.round(cumulative(difference), 7).tolist(),
        },
        "difference": difference.thinned(_THIN_A, _SMOOTHING_A).packed(),
        "atoms": pack(whole, 9),
        "states": {name: {key: after[name][key] for key in _KEPT} for name in names},
        "made_with": after["whole"]["made_with"],
    }


# Of a ground state, for what is told of it.
_KEPT = (
    "energy_eV",
    "fermi_eV",
    "valence_electrons",
    "work_functions_eV",
    "potential_eV",
    "eigenvalues_eV",
    "k_weights",
    "k_points",
    "seconds",
)


def _charges(found: Bader, nuclear: Mapping[str, float], symbols: Sequence[str]) -> dict[str, Any]:
    return {
        "charges_e": [nuclear[symbol] - float(n) for symbol, n in zip(symbols, found.electrons, strict=True)],
        "volumes_A3": found.volumes_A3.tolist(),
        "vacuum_electrons": found.vacuum_electrons,
        "vacuum_A3": found.vacuum_A3,
        "elsewhere": [list(entry) for entry in found.elsewhere],
    }
