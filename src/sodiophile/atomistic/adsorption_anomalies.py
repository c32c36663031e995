"""What went otherwise than planned in a relaxation with an adatom; for an anode these are findings, not failures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from sodiophile.atomistic.sites import Site, classify, contact_height
from sodiophile.errors import InputError

Array = NDArray[np.float64]

MOVED_A = 0.5
SURFACE_CHANGED_A = 0.5
# Bonds are counted to 1.25 of the sum of the covalent radii; an adatom farther than 1.5 of it from every atom is off.
_BOND = 1.25
_DESORBED = 1.5
_OVERLAP = 0.6
# An adatom rests up to 0.9 angstrom below the contact of hard spheres; one much deeper has gone into the slab.
_INTERCALATED_A = 1.6


def anomalies(clean: Atoms, covered: Atoms, start: Site, sites: Sequence[Site], *, held: bool) -> list[str]:
    """Return what is odd about a relaxed slab with an adatom, one short phrase each; none as a rule.

    Parameters
    ----------
    clean
        The relaxed clean slab.
    covered
        The relaxed slab with the adatom, which is its last atom.
    start
        The site it started from.
    sites
        All sites of the slab.
    held
        Whether the adatom was held in the plane, so that it cannot have moved.

    Returns
    -------
    list of str
        Of ``moved to ...``, ``desorbed``, ``surface changed ...``, ``intercalated ...``, ``overlap ...``.
    """
    adsorbate = covered.get_chemical_symbols()[-1]
    found: list[str] = []
    if not held:
        end = classify(clean, covered.positions[-1], sites)
        if end.label != start.label:
            found.append(f"moved to {end.label}")
        elif end.distance_A > MOVED_A:
            found.append(f"moved {end.distance_A:.2f} A off the site")
    ratio = float(np.min(neighbour_distances(covered) / _radii(covered)))
    if ratio > _DESORBED:
        found.append("desorbed")
    if ratio < _OVERLAP:
        found.append(f"overlap: an atom of the surface at {ratio:.2f} of the sum of the covalent radii")
    change = _surface_change(clean, covered)
    if change:
        found.append(change)
    try:
        fractional = covered.positions[-1, :2] @ np.linalg.inv(covered.cell[:2, :2])
        depth = contact_height(clean, fractional, adsorbate) - float(covered.positions[-1, 2])
    except InputError:
        depth = 0.0
    if depth > _INTERCALATED_A:
        found.append(f"intercalated: {depth:.1f} A below contact with the surface")
    return found


def neighbour_distances(covered: Atoms) -> Array:
    """Return the distances (angstrom) of the last atom to the nearest image of each other one."""
    last = len(covered) - 1
    return np.asarray(covered.get_distances(last, range(last), mic=True))


def nearest_neighbours(covered: Atoms) -> str:
    """Describe the atoms bonded to the adatom, nearest first: ``N 2.35, V 2.61 x2``."""
    cutoffs = list(_BOND * covalent_radii[covered.numbers])
    first, second, distance = neighbor_list("ijd", covered, cutoffs)
    bonded = first == len(covered) - 1
    symbols = covered.get_chemical_symbols()
    shells: dict[tuple[str, float], int] = {}
    for j, d in sorted(zip(second[bonded], distance[bonded], strict=True), key=lambda pair: pair[1]):
        known = next((key for key in shells if key[0] == symbols[j] and abs(key[1] - d) < 0.05), None)
        shells[known or (symbols[j], float(d))] = shells.get(known, 0) + 1 if known else 1
    return ", ".join(f"{symbol} {d:.2f}" + (f" x{n}" if n > 1 else "") for (symbol, d), n in shells.items())


def _radii(covered: Atoms) -> Array:
    radii = covalent_radii[covered.numbers]
    return np.asarray(radii[:-1] + radii[-1])


def _surface_change(clean: Atoms, covered: Atoms) -> str:
    steps = covered.positions[:-1] - clean.positions
    fractional = steps @ np.linalg.inv(clean.cell[:])
    fractional[:, :2] -= np.rint(fractional[:, :2])
    farthest = float(np.max(np.linalg.norm(fractional @ clean.cell[:], axis=1)))
    if farthest > SURFACE_CHANGED_A:
        return f"surface changed: an atom moved {farthest:.2f} A"
    # a bond counts as broken or made only when its length also changed: neighbours at the cutoff's edge flicker
    before, after = (_bonds(atoms) for atoms in (clean, covered[:-1]))
    changed = [
        pair for pair in set(before) ^ set(after) if abs(_length(clean, pair) - _length(covered, pair)) > SURFACE_CHANGED_A
    ]
    return f"surface changed: {len(changed)} bonds broken or made" if changed else ""


def _bonds(atoms: Atoms) -> set[tuple[int, int]]:
    first, second = neighbor_list("ij", atoms, list(_BOND * covalent_radii[atoms.numbers]))
    return {(int(i), int(j)) for i, j in zip(first, second, strict=True) if i < j}


def _length(atoms: Atoms, pair: tuple[int, int]) -> float:
    return float(atoms.get_distance(*pair, mic=True))
