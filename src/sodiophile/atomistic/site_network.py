"""Basins of an adatom on a surface and the hops between neighbouring ones, one for each that symmetry tells apart.

The operations are those of the plane group of the clean slab that its supercell keeps, with the translations of the
primitive cell: they take the relaxed structure of one basin to any equivalent one, atom by atom, with the same energy.
Two basins are neighbours when the circle over the line between them holds no third one (the Gabriel graph; a basin on the
circle counts, so that there is no hop across the diagonal of a square, which is the sum of two shorter ones).

References
----------
Gabriel and Sokal, Syst. Zool. 18, 259 (1969), doi:10.2307/2412323 (cited from memory).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from sodiophile.atomistic.symmetry2d import plane_group, reduce_2d
from sodiophile.errors import EngineError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Adatoms that relaxed to within this distance of one another, operations applied, are in one basin.
SAME_BASIN_A = 0.4
_ON_CIRCLE = 1.02
_EXACT_A = 1e-3
# An atom of the relaxed clean slab may be this far off its symmetric place; the tolerance of the plane group is half.
_MATCH_A = 0.3


@dataclass(frozen=True, eq=False)
class Operation:
    """A plane-group operation with a translation, r' = A r + t in the plane, and what it does to the atoms of a slab.

    Attributes
    ----------
    turn
        (2, 2) orthogonal matrix A.
    shift_A
        (2,) t.
    to
        (n,) the atom of the clean slab onto which each atom is mapped.
    """

    turn: Array
    shift_A: Array
    to: Ints

    def point(self, position_A: Array) -> Array:
        """Return where a point of the plane, (..., 2), goes."""
        return np.asarray(position_A[..., :2] @ self.turn.T + self.shift_A)

    def vectors(self, vectors: Array) -> Array:
        """Return what becomes of a vector an atom, (n + 1, 3), adatom last: turned, and handed to the atom mapped onto."""
        turned = vectors.copy()
        turned[:, :2] = vectors[:, :2] @ self.turn.T
        out = turned.copy()
        out[self.to] = turned[:-1]
        return out

    def structure(self, positions_A: Array, clean_A: Array) -> Array:
        """Return the image of a slab with an adatom, (n + 1, 3), adatom last; its atoms keep their places in the slab."""
        moved = self.vectors(np.vstack([positions_A[:-1] - clean_A, positions_A[-1]]))
        out = np.vstack([clean_A + moved[:-1], moved[-1]])
        out[-1, :2] += self.shift_A
        return out


@dataclass(frozen=True, eq=False)
class Surface:
    """A clean slab with the operations that act on it.

    Attributes
    ----------
    clean
        The relaxed slab, in-plane cell of the supercell.
    cell_A
        (2, 2) reduced primitive in-plane cell.
    operations
        One for each operation of the plane group that the supercell keeps, identity first.
    """

    clean: Atoms
    cell_A: Array
    operations: tuple[Operation, ...]

    def shifted(self, operation: Operation, shift_A: Array) -> Operation:
        """Return an operation followed by a translation of the primitive lattice."""
        if np.allclose(shift_A, 0.0, atol=1e-9):
            return operation
        return _operation(self.clean, operation.turn, operation.shift_A + shift_A)

    def lattice_part(self, difference_A: Array) -> tuple[Array, float]:
        """Return the lattice vector nearest to a vector and the distance between the two."""
        inverse = np.linalg.inv(self.cell_A)
        steps = np.rint(difference_A @ inverse) + np.array(list(product((-1, 0, 1), repeat=2)))
        vectors = steps @ self.cell_A
        distances = np.linalg.norm(vectors - difference_A, axis=1)
        best = int(np.argmin(distances))
        return vectors[best], float(distances[best])


@dataclass(frozen=True, eq=False)
class Image:
    """One basin of the primitive cell.

    Attributes
    ----------
    basin
        Index of the basin that it is equivalent to.
    operation
        Takes that basin here.
    position_A
        (2,) in the plane.
    """

    basin: int
    operation: Operation
    position_A: Array


@dataclass(frozen=True, eq=False)
class Hop:
    """An orbit of equivalent hops, by the one that starts in a basin as it was relaxed.

    Attributes
    ----------
    start, end
        Indices of the basins.
    operation
        Takes the end basin, as it was relaxed, to where this hop ends.
    swaps
        Whether `operation` exchanges the two ends, so that the path and its reverse are one.
    step_A
        (2,) vector from start to end.
    directed
        All hops of the orbit from all images of one primitive cell: (image, image, step, forward).
    """

    start: int
    end: int
    operation: Operation
    swaps: bool
    step_A: Array
    directed: tuple[tuple[int, int, tuple[float, float], bool], ...]

    @property
    def length_A(self) -> float:
        """Distance in the plane."""
        return float(np.linalg.norm(self.step_A))


def surface_of(clean: Atoms, tolerance_A: float = 0.1) -> Surface:
    """Return a relaxed clean slab with its operations.

    Raises
    ------
    EngineError
        If the atoms of the slab do not follow its operations.
    """
    group = plane_group(clean.positions, clean.numbers, np.asarray(clean.cell[:2, :2]), tolerance_A=tolerance_A)
    cell, supercell = group.cell_A, np.asarray(clean.cell[:2, :2])
    operations = []
    for rotation, translation in zip(group.rotations, group.translations, strict=True):
        turn = cell.T @ rotation @ np.linalg.inv(cell.T)
        multiples = supercell @ turn.T @ np.linalg.inv(supercell)
        if np.abs(multiples - np.rint(multiples)).max() < 0.02:
            operations.append(_operation(clean, turn, translation @ cell))
    operations.sort(key=lambda one: not np.allclose(one.turn, np.eye(2), atol=1e-6))
    return Surface(clean, cell, tuple(operations))


def _operation(clean: Atoms, turn: Array, shift_A: Array) -> Operation:
    supercell = reduce_2d(np.asarray(clean.cell[:2, :2]))
    inverse = np.linalg.inv(supercell)
    positions = clean.positions
    moved = positions[:, :2] @ turn.T + shift_A
    flat = (moved[:, None, :] - positions[None, :, :2]) @ inverse
    flat -= np.rint(flat)
    squared = np.sum((flat @ supercell) ** 2, axis=2) + (positions[:, None, 2] - positions[None, :, 2]) ** 2
    squared[clean.numbers[:, None] != clean.numbers[None, :]] = np.inf
    to = np.argmin(squared, axis=1)
    if len(set(to)) < len(to) or float(squared.min(axis=1).max()) > _MATCH_A**2:
        raise EngineError(
            "the relaxed clean slab does not keep the symmetry that was found for it; its hops cannot be told apart"
        )
    return Operation(turn, np.asarray(shift_A, float), to)


def distinct_basins(positions_A: Sequence[Array], energies_eV: Sequence[float], surface: Surface) -> list[int]:
    """Return which of some relaxed adatoms are distinct basins, lowest first; the lowest of equivalent ones is taken."""
    chosen: list[int] = []
    for i in sorted(range(len(positions_A)), key=lambda k: (round(energies_eV[k], 6), k)):
        images = [one.point(positions_A[i]) for one in surface.operations]
        if not any(surface.lattice_part(image - positions_A[j][:2])[1] < SAME_BASIN_A for j in chosen for image in images):
            chosen.append(i)
    return chosen


def symmetrised(positions_A: Array, surface: Surface) -> Array:
    """Return a slab with an adatom (last) averaged over the operations that bring the adatom back to its basin.

    A relaxation ends beside a point of symmetry, never on it; a hop between exactly symmetric ends is exactly symmetric.
    """
    clean_A = surface.clean.positions
    images = []
    for operation in surface.operations:
        shift, distance = surface.lattice_part(positions_A[-1, :2] - operation.point(positions_A[-1]))
        if distance < SAME_BASIN_A:
            images.append(surface.shifted(operation, shift).structure(positions_A, clean_A))
    return np.asarray(np.mean(images, axis=0))


def find_hops(basins_A: Sequence[Array], surface: Surface) -> tuple[list[Image], list[Hop]]:
    """Find the basins of one primitive cell and the distinct hops between neighbours, shortest first.

    Parameters
    ----------
    basins_A
        (2,) or (3,) positions of the adatom in each distinct basin.
    surface
        The clean slab.
    """
    images = _images(basins_A, surface)
    steps = _neighbours(images, surface.cell_A)
    left = {(i, j, _key(step)): (i, j, step) for i, j, step in steps}
    hops: list[Hop] = []
    for i, j, step in sorted(steps, key=lambda s: (round(float(np.linalg.norm(s[2])), 4), s[0], s[1], _key(s[2]))):
        # the first image of a basin is the basin as it was relaxed; every orbit has a hop, forward or back, from there
        if (i, j, _key(step)) not in left or i != next(n for n, one in enumerate(images) if one.basin == images[i].basin):
            continue
        directed = _orbit(i, step, images, surface)
        members = []
        for a, b, vector, forward in directed:
            if left.pop((a, b, _key(vector)), None) is not None:
                members.append((a, b, (float(vector[0]), float(vector[1])), forward))
        operation, swaps = _to_end(images[i], images[j], step, surface)
        hops.append(Hop(images[i].basin, images[j].basin, operation, swaps, step, tuple(members)))
    return images, hops


def _key(vector: Array) -> tuple[int, int]:
    return (round(float(vector[0]) / 0.05), round(float(vector[1]) / 0.05))


def _images(basins_A: Sequence[Array], surface: Surface) -> list[Image]:
    images: list[Image] = []
    for b, position in enumerate(basins_A):
        own: list[Image] = []
        for operation in surface.operations:
            point = operation.point(np.asarray(position))
            if not any(surface.lattice_part(point - one.position_A)[1] < SAME_BASIN_A for one in own):
                own.append(Image(b, operation, point))
        images += own
    return images


def _neighbours(images: Sequence[Image], cell_A: Array) -> list[tuple[int, int, Array]]:
    """Return (image, image, step) of all neighbours, every hop once in each direction."""
    shifts = np.array(list(product(range(-3, 4), repeat=2))) @ cell_A
    points = np.array([one.position_A for one in images])
    everywhere = (points[:, None, :] + shifts[None, :, :]).reshape(-1, 2)
    owner = np.repeat(np.arange(len(images)), len(shifts))
    # no basin is without a neighbour within the longest diagonal of the cell
    reach = float(np.linalg.norm(np.abs(cell_A).sum(axis=0))) + 1e-6
    found = []
    for i, start in enumerate(points):
        vectors = everywhere - start
        lengths = np.linalg.norm(vectors, axis=1)
        for k in np.flatnonzero((lengths > _EXACT_A) & (lengths <= reach)):
            middle = start + vectors[k] / 2
            inside = np.linalg.norm(everywhere - middle, axis=1) < _ON_CIRCLE * lengths[k] / 2
            inside &= (lengths > _EXACT_A) & (np.linalg.norm(vectors - vectors[k], axis=1) > _EXACT_A)
            if not np.any(inside):
                found.append((i, int(owner[k]), vectors[k]))
    return found


def _orbit(i: int, step: Array, images: Sequence[Image], surface: Surface) -> list[tuple[int, int, Array, bool]]:
    """Return all directed hops equivalent to a hop or to its reverse; what is both counts as forward."""

    def image_at(point: Array) -> tuple[int, Array]:
        for n, one in enumerate(images):
            shift, distance = surface.lattice_part(point - one.position_A)
            if distance < SAME_BASIN_A:
                return n, one.position_A + shift
        raise AssertionError("an operation of the surface takes a basin to where there is none")

    found = []
    ends = (images[i].position_A, images[i].position_A + step)
    for forward in (True, False):
        for operation in surface.operations:
            first, second = (image_at(operation.point(end)) for end in (ends if forward else ends[::-1]))
            found.append((first[0], second[0], second[1] - first[1], forward))
    return found


def _to_end(start: Image, end: Image, step: Array, surface: Surface) -> tuple[Operation, bool]:
    """Return an operation from the end basin as it was relaxed to the end of a hop, one that swaps the ends if there is."""
    target = start.position_A + step
    if start.basin == end.basin:
        # mirrors first: a path that bulges to one side is its own mirror image, not its own image turned by half a circle
        for operation in sorted(surface.operations, key=lambda one: float(np.linalg.det(one.turn))):
            shift, _ = surface.lattice_part(target - operation.point(start.position_A))
            swap = surface.shifted(operation, shift)
            there = np.linalg.norm(swap.point(start.position_A) - target) < SAME_BASIN_A
            if there and np.linalg.norm(swap.point(target) - start.position_A) < SAME_BASIN_A:
                twice = swap.turn @ swap.shift_A + swap.shift_A
                if np.allclose(swap.turn @ swap.turn, np.eye(2), atol=1e-6) and np.linalg.norm(twice) < _MATCH_A:
                    return swap, True
    shift, _ = surface.lattice_part(target - end.position_A)
    return surface.shifted(end.operation, shift), False
