"""Two slabs on one another: repeated to a common cell, the film strained onto the substrate, at contact, at some shift.

The substrate lies below and keeps its lattice; the film lies above. Atoms of the substrate come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray

from sodiophile.atomistic.coincidence import Match, deformation, registry_cell

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Poisson's ratio of a metal: a first guess of how the film answers across its plane, before it relaxes.
_POISSON = 1 / 3
# Beyond the sum of two covalent radii no first contact is looked for.
_LONGEST_REACH_A = 8.0


def strained(film: Atoms, match: Match, substrate_A: Array) -> Atoms:
    """Return the primitive film in the plane of the substrate, strained and turned as in the interface.

    Parameters
    ----------
    film
        Primitive slab, unstrained.
    match
        The common cell.
    substrate_A
        (2, 2) primitive in-plane cell of the substrate.
    """
    plane = np.asarray(film.cell[:2, :2])
    M = deformation(match, substrate_A, plane)
    area_strain = float(np.linalg.det(M)) - 1.0
    out = film.copy()
    out.set_constraint()
    cell = np.array(film.cell[:])
    cell[:2, :2] = plane @ M
    out.set_cell(cell)
    out.positions[:, :2] = film.positions[:, :2] @ M
    middle = film.positions[:, 2].mean()
    out.positions[:, 2] = middle + (film.positions[:, 2] - middle) * (1.0 - _POISSON / (1.0 - _POISSON) * area_strain)
    return out


def repeated(slab: Atoms, N: Ints) -> Atoms:
    """Return a slab in the supercell whose in-plane vectors are N, (2, 2), times its own."""
    inverse = np.linalg.inv(N)
    span = np.abs(N).sum(axis=0)
    points = np.array(list(product(*(range(-int(s), int(s) + 1) for s in span))))
    fractional = points @ inverse
    inside = np.all((fractional > -1e-9) & (fractional < 1 - 1e-9), axis=1)
    plane = np.asarray(slab.cell[:2, :2])
    steps = np.pad(points[inside] @ plane, ((0, 0), (0, 1)))
    cell = np.array(slab.cell[:])
    cell[:2, :2] = N @ plane
    return Atoms(
        np.tile(slab.numbers, len(steps)),
        positions=(slab.positions[None, :, :] + steps[:, None, :]).reshape(-1, 3),
        cell=cell,
        pbc=slab.pbc,
    )


def stacked(
    substrate: Atoms, film: Atoms, match: Match, shift: Sequence[float], gap_A: float | None, vacuum_A: float
) -> Atoms:
    """Return the interface: the strained film over the substrate, shifted within the registry cell.

    Parameters
    ----------
    substrate
        Primitive slab.
    film
        As `strained` returns it, relaxed or not.
    match
        The common cell.
    shift
        (2,) of the film, in fractions of the registry cell.
    gap_A
        From the highest atom of the substrate to the lowest of the film; None puts them at contact, where the closest
        pair is as far apart as their covalent radii add up to.
    vacuum_A
        Height without atoms, half below and half above.
    """
    lower, upper = repeated(substrate, match.substrate), repeated(film, match.film)
    cell = np.array(lower.cell[:])
    plane = cell[:2, :2]
    upper.positions[:, :2] = upper.positions[:, :2] @ np.linalg.inv(upper.cell[:2, :2]) @ plane
    upper.positions[:, :2] += np.asarray(shift, float) @ registry_cell(match) @ plane
    top, bottom = float(lower.positions[:, 2].max()), float(upper.positions[:, 2].min())
    rise = top - bottom + gap_A if gap_A is not None else _contact_rise_A(lower, upper, plane)
    upper.positions[:, 2] += rise
    both = Atoms(
        np.concatenate([lower.numbers, upper.numbers]),
        positions=np.vstack([lower.positions, upper.positions]),
        pbc=lower.pbc,
    )
    both.positions[:, 2] += vacuum_A / 2 - both.positions[:, 2].min()
    cell[2] = (0.0, 0.0, both.positions[:, 2].max() + vacuum_A / 2)
    both.set_cell(cell)
    return both


def gap_A(interface: Atoms, substrate_atoms: int) -> float:
    """Return the distance from the highest atom of the substrate to the lowest of the film; negative where they mix."""
    heights = interface.positions[:, 2]
    return float(heights[substrate_atoms:].min() - heights[:substrate_atoms].max())


def _contact_rise_A(lower: Atoms, upper: Atoms, plane: Array) -> float:
    """Return by how much the film must be lifted so that the closest pair is at contact."""
    reach = covalent_radii[lower.numbers][:, None] + covalent_radii[upper.numbers][None, :]
    rise = lower.positions[:, 2][:, None] - upper.positions[:, 2][None, :]
    difference = (upper.positions[None, :, :2] - lower.positions[:, None, :2]) @ np.linalg.inv(plane)
    flat = difference - np.rint(difference)
    heights = 1.0 / np.linalg.norm(np.linalg.inv(plane), axis=0)
    images = [range(-n, n + 1) for n in np.ceil(min(_LONGEST_REACH_A, float(reach.max())) / heights).astype(int)]
    best = -np.inf
    for image in product(*images):
        squared = np.sum(((flat + np.array(image)) @ plane) ** 2, axis=2)
        near = squared < reach**2
        if np.any(near):
            best = max(best, float(np.max((rise + np.sqrt(np.clip(reach**2 - squared, 0.0, None)))[near])))
    return best if np.isfinite(best) else float(lower.positions[:, 2].max() - upper.positions[:, 2].min() + 2.0)
