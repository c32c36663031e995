"""Bader charges: electrons divided among atoms at the surfaces where the density has no flux across.

The weight method of M. Yu and D. R. Trinkle, J. Chem. Phys. 134, 064111 (2011), doi 10.1063/1.3553716: the probability
that what stands in a voxel flows, up the gradient, to a neighbouring one is

    J(X -> X') = (a / l) max(n(X') - n(X), 0) / sum over all neighbours of the same

with l the distance of the two points and a the area of the facet that their Voronoi cells share. The charge of an atom is
what reaches its maximum. Here that flow is followed itself: voxels are visited from the lowest density to the highest,
and each passes on its charge and what it got; by linearity that sums the same weights without storing any.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodiophile.atomistic.fields import Field
from sodiophile.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Facets smaller than this part of the largest are rounding: four or more cells meet in a line or a point.
_NO_FACET = 1e-6
# A maximum of the density farther from any nucleus is not that of an atom; half the shortest bond there is.
_REACH_A = 0.37
# Maxima of the density lower than this are ripples of the plane waves in the vacuum.
VACUUM_E_A3 = 1e-3


@dataclass(frozen=True, eq=False)
class Bader:
    """Electrons and volumes of atoms.

    Attributes
    ----------
    electrons
        (n_atoms,) that flow to each nucleus.
    volumes_A3
        (n_atoms,).
    vacuum_electrons, vacuum_A3
        What flows to no atom but to a ripple of the vacuum.
    elsewhere
        Maxima that are neither near a nucleus nor in the vacuum: ``(x, y, z, electrons)``, angstrom.
    """

    electrons: Array
    volumes_A3: Array
    vacuum_electrons: float
    vacuum_A3: float
    elsewhere: tuple[tuple[float, float, float, float], ...]

    def total(self) -> float:
        """Return all electrons: of atoms, vacuum and elsewhere."""
        return float(self.electrons.sum() + self.vacuum_electrons + sum(entry[3] for entry in self.elsewhere))


def bader(density: Field, positions_A: Array, *, vacuum_e_A3: float = VACUUM_E_A3, reach_A: float = _REACH_A) -> Bader:
    """Divide a density among nuclei.

    Parameters
    ----------
    density
        Of all electrons, cores included (a pseudo density has no maxima at nuclei), electrons per cubic angstrom.
    positions_A
        (n_atoms, 3) of the nuclei; may lie outside the cell.
    vacuum_e_A3
        Maxima lower than this are vacuum.
    reach_A
        Largest distance from a nucleus at which a maximum is its own; at least the diagonal of a voxel is allowed.

    Raises
    ------
    InputError
        If a nucleus has no maximum of the density: its grid is too coarse, or the density is a pseudo density.
    """
    positions = np.atleast_2d(np.asarray(positions_A, float))
    offsets, weights = grid_neighbours(density.steps_A)
    flat = np.ascontiguousarray(density.values).ravel()
    order = np.argsort(-flat, kind="stable")
    charge, count, is_maximum = _flow()(density.values, order, offsets, weights)
    maxima = np.flatnonzero(is_maximum)
    points = np.stack(np.unravel_index(maxima, density.shape), axis=1) / np.array(density.shape)
    owner, distance = _nearest(points, positions, density.cell_A)
    allowed = max(reach_A, float(np.linalg.norm(np.abs(density.steps_A).sum(axis=0))))
    electrons, volumes = np.zeros(len(positions)), np.zeros(len(positions))
    voxel = density.voxel_A3
    vacuum, vacuum_volume = 0.0, 0.0
    elsewhere = []
    for i, index in enumerate(maxima):
        carried, volume = charge[index] * voxel, count[index] * voxel
        if flat[index] < vacuum_e_A3:
            vacuum, vacuum_volume = vacuum + carried, vacuum_volume + volume
        elif distance[i] <= allowed:
            electrons[owner[i]] += carried
            volumes[owner[i]] += volume
        else:
            place = points[i] @ density.cell_A
            elsewhere.append((float(place[0]), float(place[1]), float(place[2]), float(carried)))
    bare = np.flatnonzero(volumes == 0)
    if len(bare):
        raise InputError(
            f"no maximum of the density within {allowed:.2f} angstrom of atom {bare[0] + 1}: expected the all-electron "
            "density on a grid that resolves every nucleus"
        )
    return Bader(electrons, volumes, float(vacuum), float(vacuum_volume), tuple(elsewhere))


def grid_neighbours(steps_A: Array) -> tuple[Ints, Array]:
    """Return the neighbours of a grid point whose Voronoi cells share a facet with its own.

    Parameters
    ----------
    steps_A
        (3, 3) vectors from a point to the next along each axis of the grid; any angles.

    Returns
    -------
    offsets
        (m, 3) whole steps to each neighbour.
    weights
        (m,) area of the facet over the distance, angstrom.
    """
    from ase.geometry.minkowski_reduction import minkowski_reduce
    from scipy.spatial import Voronoi

    # in reduced vectors all neighbours lie within one step, however skewed the axes of the grid are
    reduced, operation = minkowski_reduce(np.asarray(steps_A, float))
    span = np.arange(-2, 3)
    whole = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    centre = int(np.flatnonzero(~whole.any(axis=1))[0])
    points = whole @ reduced
    diagram = Voronoi(points)
    offsets, weights = [], []
    for (first, second), corners in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True):
        if centre not in (first, second) or -1 in corners:
            continue
        other = second if first == centre else first
        area = _area(diagram.vertices[corners], points[other])
        offsets.append(whole[other] @ operation)
        weights.append(area / float(np.linalg.norm(points[other])))
    found = np.array(weights)
    kept = found > _NO_FACET * found.max()
    return np.rint(np.array(offsets)[kept]).astype(np.int64), found[kept]


def _area(corners: Array, normal: Array) -> float:
    """Return the area of a convex polygon, its corners in any order."""
    middle = corners.mean(axis=0)
    arms = corners - middle
    first = arms[int(np.argmax(np.linalg.norm(arms, axis=1)))]
    size = float(np.linalg.norm(first))
    if size < 1e-12:
        return 0.0
    x = first / size
    y = np.cross(normal / np.linalg.norm(normal), x)
    arms = arms[np.argsort(np.arctan2(arms @ y, arms @ x))]
    return float(0.5 * np.linalg.norm(np.cross(arms, np.roll(arms, -1, axis=0)).sum(axis=0)))


def _nearest(fractional: Array, positions_A: Array, cell_A: Array) -> tuple[Ints, Array]:
    """Return for each point the nearest nucleus, periodic images included, and its distance in angstrom."""
    from ase.geometry import find_mic

    owner = np.zeros(len(fractional), np.int64)
    distance = np.full(len(fractional), np.inf)
    points = fractional @ cell_A
    for i, position in enumerate(positions_A):
        _, away = find_mic(points - position, cell_A, pbc=True)
        closer = away < distance
        owner[closer], distance[closer] = i, away[closer]
    return owner, distance


@cache
def _flow() -> Any:
    """Return the compiled kernel: numba is imported where it is needed."""
    from numba import njit

    return njit(cache=True)(_follow)


def _follow(values: Array, order: Ints, offsets: Ints, weights: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Let charge and volume flow up the density; return what every point got and which of them are maxima.

    Equal neighbours (a plateau, two points at the same distance from a nucleus) are told apart by their place in the order.
    """
    n1, n2, n3 = values.shape
    flat = values.ravel()
    size = flat.size
    rank = np.empty(size, np.int64)
    for place in range(size):
        rank[order[place]] = place
    charge = flat.copy()
    count = np.ones(size)
    is_maximum = np.zeros(size, np.bool_)
    m = len(weights)
    share = np.empty(m)
    target = np.empty(m, np.int64)
    for place in range(size - 1, -1, -1):
        here = order[place]
        i, rest = here // (n2 * n3), here % (n2 * n3)
        j, k = rest // n3, rest % n3
        total = 0.0
        ties = 0
        for a in range(m):
            there = ((i + offsets[a, 0]) % n1 * n2 + (j + offsets[a, 1]) % n2) * n3 + (k + offsets[a, 2]) % n3
            target[a] = there
            share[a] = 0.0
            if rank[there] < place:
                share[a] = weights[a] * (flat[there] - flat[here])
                total += share[a]
                ties += 1
        if ties == 0:
            is_maximum[here] = True
            continue
        for a in range(m):
            if rank[target[a]] < place:
                part = share[a] / total if total > 0.0 else 1.0 / ties
                charge[target[a]] += part * charge[here]
                count[target[a]] += part * count[here]
    return charge, count, is_maximum
