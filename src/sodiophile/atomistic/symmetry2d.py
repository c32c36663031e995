"""The plane group of a one-sided slab: which in-plane operations leave the slab, seen from above, as it is.

An operation acts on in-plane fractional coordinates as ``f' = R f + t`` and leaves heights alone. Only such operations make
adsorption sites equivalent: those that exchange top and bottom do not. The slab is first reduced to its primitive in-plane
cell and averaged over the operations found, so that the sites of a supercell, or of a slab that a relaxation left slightly
uneven, are those of the surface cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Cells come from files with few digits: lengths may differ by 0.5 %, angles by 0.3 degrees.
_METRIC_TOLERANCE = 0.01
_SMALLEST_TOLERANCE_A = 1e-4


@dataclass(frozen=True, eq=False)
class PlaneGroup:
    """The primitive surface cell of a slab and its in-plane operations.

    Attributes
    ----------
    cell_A
        (2, 2) primitive in-plane vectors as rows, reduced, right-handed, angle between 90 and 120 degrees.
    positions_A
        (n, 3) symmetrised positions of the atoms of one primitive cell.
    numbers
        (n,) atomic numbers.
    rotations, translations
        (g, 2, 2) integer matrices and (g, 2) vectors that act on fractional coordinates of `cell_A`.
    """

    cell_A: Array
    positions_A: Array
    numbers: Ints
    rotations: Ints
    translations: Array

    @property
    def order(self) -> int:
        """Number of operations in the primitive cell."""
        return len(self.rotations)

    def fractional(self, position_A: Array) -> Array:
        """Return in-plane fractional coordinates in the primitive cell, for (..., 2) or (..., 3) Cartesian positions."""
        return np.asarray(np.asarray(position_A)[..., :2] @ np.linalg.inv(self.cell_A))

    def orbit(self, fractional: Array, tolerance_A: float = 1e-3) -> Array:
        """Return all equivalents of a point in one primitive cell, (m, 2), the point itself first."""
        found: list[Array] = []
        for image in np.einsum("gij,j->gi", self.rotations, fractional) + self.translations:
            if not any(distance_2d(image - other, self.cell_A) < tolerance_A for other in found):
                found.append(image)
        return np.array(found)

    def free_dimensions(self, fractional: Array, tolerance_A: float = 1e-3) -> int:
        """Return the dimension (0, 1, 2) of the space in which a point can move without losing its site symmetry.

        Zero means that symmetry alone makes the forces in the plane vanish there.
        """
        images = np.einsum("gij,j->gi", self.rotations, fractional) + self.translations
        fixing = [
            rotation - np.eye(2)
            for rotation, image in zip(self.rotations, images, strict=True)
            if distance_2d(image - fractional, self.cell_A) < tolerance_A
        ]
        return 2 - int(np.linalg.matrix_rank(np.vstack(fixing), tol=1e-6)) if fixing else 2

    def special_positions(self) -> Array:
        """Return the points with no free in-plane dimension, (m, 2), one for each orbit.

        They are the fixed points of the rotations, f = R f + t + n with n a lattice vector.
        """
        found: list[Array] = []
        for rotation, translation in zip(self.rotations, self.translations, strict=True):
            moved = np.eye(2) - rotation
            if np.linalg.det(rotation) < 0 or abs(np.linalg.det(moved)) < 0.5:
                continue
            for n in product(range(-2, 3), repeat=2):
                point = np.linalg.solve(moved, translation + n)
                orbit = self.orbit(point)
                if not any(distance_2d(p - other, self.cell_A) < 1e-3 for p in orbit for other in found):
                    found.append(wrap(point))
        return np.array(found).reshape(-1, 2)


def plane_group(positions_A: Array, numbers: Ints, cell_A: Array, *, tolerance_A: float = 0.1) -> PlaneGroup:
    """Find the primitive in-plane cell and the plane group of a one-sided slab.

    Parameters
    ----------
    positions_A
        (n, 3) positions, z along the surface normal.
    numbers
        (n,) atomic numbers.
    cell_A
        (2, 2) in-plane cell vectors as rows.
    tolerance_A
        Atoms that an operation brings this close to an atom of the same element count as mapped onto it. When the
        operations found so are not a group (a distortion as large as the tolerance), it is halved until they are.
    """
    positions_A, numbers, cell_A = np.asarray(positions_A, float), np.asarray(numbers, int), np.asarray(cell_A, float)
    tolerance = tolerance_A
    while True:
        reduced = reduce_2d(cell_A)
        small, atoms, kinds = _primitive(positions_A, numbers, reduced, tolerance)
        rotations, perms = _operations(atoms, kinds, small, tolerance)
        if _closed(rotations, perms) or tolerance < _SMALLEST_TOLERANCE_A:
            break
        tolerance /= 2
    atoms, translations = _symmetrise(atoms, small, rotations, perms)
    return PlaneGroup(small, atoms, kinds, rotations, translations)


def reduce_2d(cell_A: Array) -> Array:
    """Return the reduced in-plane cell: the two shortest vectors, right-handed, at an angle of 90 to 120 degrees."""
    a, b = np.array(cell_A[0], float), np.array(cell_A[1], float)
    while True:
        if np.dot(b, b) < np.dot(a, a) * (1 - 1e-9):
            a, b = b, a
        shift = np.rint(np.dot(a, b) / np.dot(a, a) * (1 - 1e-9))
        if shift == 0:
            break
        b = b - shift * a
    small = 1e-9 * np.dot(a, a)
    if np.dot(a, b) > small:
        b = -b
    if a[0] * b[1] - a[1] * b[0] < 0:
        a, b = (a, -b) if abs(np.dot(a, b)) <= small else (b, a)
    return np.array([a, b])


def distance_2d(difference: Array, cell_A: Array) -> float:
    """Return the shortest in-plane length of a difference of fractional coordinates of a reduced cell, lattice aside."""
    rest = np.asarray(difference) - np.rint(difference)
    around = rest + np.array(list(product((-1, 0, 1), repeat=2)))
    return float(np.sqrt(np.min(np.sum((around @ cell_A) ** 2, axis=1))))


def wrap(fractional: Array) -> Array:
    """Return fractional coordinates in [0, 1), with what is 1 but for rounding at 0."""
    inside = np.asarray(fractional, float) % 1.0
    return np.where(inside > 1 - 1e-6, 0.0, inside)


def _match(image: Array, fractional: Array, z: Array, kinds: Ints, cell: Array, tolerance: float) -> Ints | None:
    """Return the permutation that brings each image onto an atom, None if some image has no partner.

    The shift between the two comes from one atom, itself displaced: partners are looked for within twice the tolerance,
    and judged once their mean shift is taken out.
    """
    difference = image[:, None, :] - fractional[None, :, :]
    flat = (difference - np.rint(difference)) @ cell
    rise = z[:, None] - z[None, :]
    squared = np.sum(flat**2, axis=2) + rise**2
    squared[kinds[:, None] != kinds[None, :]] = np.inf
    every = np.arange(len(z))
    partner = np.argmin(squared, axis=1)
    if np.any(squared[every, partner] > (2 * tolerance) ** 2) or len(np.unique(partner)) < len(z):
        return None
    left = flat[every, partner] - flat[every, partner].mean(axis=0)
    if np.any(np.sum(left**2, axis=1) + rise[every, partner] ** 2 > tolerance**2):
        return None
    return np.asarray(partner)


def _anchors(z: Array, kinds: Ints, tolerance: float) -> Ints:
    """Return the smallest set of atoms alike in element and height: an operation maps the first onto one of them."""
    sets = [np.flatnonzero((kinds == kinds[i]) & (np.abs(z - z[i]) <= tolerance)) for i in range(len(z))]
    best = min(range(len(z)), key=lambda i: (len(sets[i]), i))
    return np.concatenate([[best], sets[best][sets[best] != best]])


def _primitive(positions: Array, numbers: Ints, cell: Array, tolerance: float) -> tuple[Array, Array, Ints]:
    fractional, z = positions[:, :2] @ np.linalg.inv(cell), positions[:, 2]
    anchors = _anchors(z, numbers, tolerance)
    shifts, perms = [], []
    for j in anchors:
        shift = fractional[j] - fractional[anchors[0]]
        perm = _match(fractional + shift, fractional, z, numbers, cell, tolerance)
        if perm is not None:
            shifts.append(shift)
            perms.append(perm)
    n = len(shifts)
    if len(numbers) % n:
        return cell, positions, numbers
    exact = np.rint(np.array(shifts) * n) / n  # translations of a group of order n are multiples of 1/n
    small = _lattice(exact, cell, n)
    if small is None:
        return cell, positions, numbers
    kept, seen = [], np.zeros(len(numbers), bool)
    for i in range(len(numbers)):
        if seen[i]:
            continue
        steps = []
        for shift, perm in zip(exact, perms, strict=True):
            seen[perm[i]] = True
            flat = fractional[perm[i]] - shift - fractional[i]
            steps.append(np.append((flat - np.rint(flat)) @ cell, z[perm[i]] - z[i]))
        kept.append((positions[i] + np.mean(steps, axis=0), numbers[i]))
    if len(kept) * n != len(numbers):
        return cell, positions, numbers
    return small, np.array([p for p, _ in kept]), np.array([k for _, k in kept])


def _lattice(shifts: Array, cell: Array, n: int) -> Array | None:
    """Return the reduced cell that n translations (fractions of the cell) and the cell itself span."""
    if n == 1:
        return cell
    points = np.array([s + m for s in shifts for m in product((-1, 0, 1), repeat=2)]) @ cell
    lengths = np.linalg.norm(points, axis=1)
    points = points[np.argsort(lengths, kind="stable")]
    points = points[np.linalg.norm(points, axis=1) > 1e-6]
    area = abs(np.linalg.det(cell)) / n
    for second in points[1:]:
        if abs(abs(points[0][0] * second[1] - points[0][1] * second[0]) / area - 1) < 1e-3:
            return reduce_2d(np.array([points[0], second]))
    return None


def _operations(positions: Array, kinds: Ints, cell: Array, tolerance: float) -> tuple[Ints, list[Ints]]:
    fractional, z = positions[:, :2] @ np.linalg.inv(cell), positions[:, 2]
    metric = cell @ cell.T
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    anchors = _anchors(z, kinds, tolerance)
    rotations, perms = [], []
    # the automorphisms of a reduced plane lattice have no entries but these
    for entries in product((-1, 0, 1), repeat=4):
        rotation = np.array(entries).reshape(2, 2)
        if abs(round(np.linalg.det(rotation))) != 1:
            continue
        if np.any(np.abs(rotation.T @ metric @ rotation - metric) > _METRIC_TOLERANCE * scale):
            continue
        turned = fractional @ rotation.T
        for j in anchors:
            perm = _match(turned + fractional[j] - turned[anchors[0]], fractional, z, kinds, cell, tolerance)
            if perm is not None:
                rotations.append(rotation)
                perms.append(perm)
                break
    return np.array(rotations), perms


def _closed(rotations: Ints, perms: list[Ints]) -> bool:
    known = {(r.tobytes(), p.tobytes()) for r, p in zip(rotations, perms, strict=True)}
    return all(
        ((rotations[i] @ rotations[j]).tobytes(), perms[i][perms[j]].tobytes()) in known
        for i in range(len(perms))
        for j in range(len(perms))
    )


def _symmetrise(positions: Array, cell: Array, rotations: Ints, perms: list[Ints]) -> tuple[Array, Array]:
    """Average the atoms over the operations; return them with the translations that then hold exactly."""
    inverse = np.linalg.inv(cell)
    fractional, z = positions[:, :2] @ inverse, positions[:, 2]
    flat, heights = np.zeros_like(fractional), np.zeros_like(z)
    for rotation, perm in zip(rotations, perms, strict=True):
        raw = fractional[perm] - fractional @ rotation.T
        shift = _mean_shift(raw)
        back = (fractional[perm] - shift) @ np.linalg.inv(rotation).T - fractional
        flat += back - np.rint(back)
        heights += z[perm]
    fractional = fractional + flat / len(perms)
    z = heights / len(perms)
    translations = np.array([_mean_shift(fractional[p] - fractional @ r.T) for r, p in zip(rotations, perms, strict=True)])
    return np.column_stack([fractional @ cell, z]), wrap(translations)


def _mean_shift(raw: Array) -> Array:
    """Return the mean of shifts that are equal but for lattice translations and noise."""
    rest = raw - raw[0]
    return np.asarray(raw[0] + np.mean(rest - np.rint(rest), axis=0))
