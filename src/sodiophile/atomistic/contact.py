"""Where a hard sphere rests on a surface: the height of contact, and its tops, saddles and hollows.

Two different spheres are meant. The *height* of an adatom is that at which its sphere touches the first atom, with the sum
of their covalent radii. The *sites* come from one common contact distance to all atoms: with the radius of each element the
small atoms of a compound (N between V) would vanish below the spheres of the large ones, and no site above them would be
found. With one distance D the height surface

    h(x, y) = max_i [ z_i + sqrt(D^2 - |(x, y) - (x_i, y_i)|^2) ]

is divided among the atoms as the plane is by their Voronoi cells (exactly so for atoms of one height; for others it is the
upper side of their alpha shape of radius D). Its critical points are the sites: maxima on top of exposed atoms, saddles
between two neighbours, minima at Voronoi vertices that lie within the polygon of the atoms around them. Every point that
symmetry makes stationary is among them, and on a closed surface maxima - saddles + minima = 0 (Morse; the Euler
characteristic of the torus).

References
----------
Radii: Cordero et al., Dalton Trans. 2008, 2832, doi:10.1039/b801115j, as tabulated in ``ase.data.covalent_radii``.
Alpha shapes: Edelsbrunner and Muecke, ACM Trans. Graph. 13, 43 (1994), doi:10.1145/174462.156635.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

from sodiophile.atomistic.symmetry2d import distance_2d, wrap

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Bonds are counted up to about 1.2 times the sum of the covalent radii; a ball of that reach does not fall through the
# hollows of close-packed or body-centred metals.
_REACH = 1.2
# Atoms this little below the highest of a layer belong to it: rumpling of relaxed surfaces is below, steps are above.
_RUMPLING_A = 0.4
_TOUCH_A = 1e-5
_ANGLE = 1e-5


@dataclass(frozen=True, eq=False)
class CriticalPoint:
    """A maximum (``top``), saddle (``bridge``) or minimum (``hollow``) of the height surface.

    Attributes
    ----------
    kind
        ``top``, ``bridge`` or ``hollow``.
    fractional
        (2,) in-plane fractional coordinates.
    contacts
        Indices of the atoms in contact, one entry for each (periodic images count).
    corners_A
        (m, 3) the atoms in contact; x and y from the point, z as in the slab.
    """

    kind: str
    fractional: Array
    contacts: tuple[int, ...]
    corners_A: Array

    @property
    def spans_A(self) -> tuple[float, ...]:
        """Distances between the atoms in contact, sorted."""
        first, second = np.triu_indices(len(self.corners_A), 1)
        return tuple(sorted(float(d) for d in np.linalg.norm(self.corners_A[first] - self.corners_A[second], axis=1)))


def contact_distance_A(numbers: Ints, adsorbate: int) -> float:
    """Return the common contact distance of an adsorbate: 1.2 (r_adsorbate + mean r of the elements of the slab)."""
    elements = np.unique(numbers)
    return float(_REACH * (covalent_radii[adsorbate] + covalent_radii[elements].mean()))


def sphere_height_A(point_A: Array, positions_A: Array, cell_A: Array, reach_A: Array) -> float | None:
    """Return the height at which a sphere that comes from above touches the first atom, None if it touches none.

    Parameters
    ----------
    point_A
        (2,) point in the plane.
    positions_A
        (n, 3) atoms.
    cell_A
        (2, 2) in-plane cell.
    reach_A
        (n,) contact distance to each atom.
    """
    images, owner = images_around(positions_A, cell_A, float(np.max(reach_A)), np.atleast_2d(point_A))
    squared = reach_A[owner] ** 2 - np.sum((images[:, :2] - point_A) ** 2, axis=1)
    below = squared > 0
    if not np.any(below):
        return None
    return float(np.max(images[below, 2] + np.sqrt(squared[below])))


def layers_from_top(z_A: Array) -> Ints:
    """Return the layer of each atom, 1 at the top: a layer reaches 0.4 A down from its highest atom."""
    layer = np.zeros(len(z_A), int)
    while np.any(layer == 0):
        rest = layer == 0
        layer[rest & (z_A > z_A[rest].max() - _RUMPLING_A)] = layer.max() + 1
    return layer


def levelled(positions_A: Array) -> Array:
    """Return the positions with each layer at its mean height.

    The ball is large, so that a rumpling of 0.1 A would shift the hollow of a rocksalt surface by 0.2 A and split it; the
    sites meant are those of the layer.
    """
    flat = positions_A.copy()
    layers = layers_from_top(positions_A[:, 2])
    for layer in range(1, layers.max() + 1):
        flat[layers == layer, 2] = positions_A[layers == layer, 2].mean()
    return flat


def images_around(positions_A: Array, cell_A: Array, reach_A: float, points_A: Array) -> tuple[Array, Ints]:
    """Return all periodic images within an in-plane distance of any of some points, and the atom each belongs to."""
    inverse = np.linalg.inv(cell_A)
    fractional = positions_A[:, :2] @ inverse
    targets = points_A[:, :2] @ inverse
    margin = reach_A * np.linalg.norm(inverse, axis=0)
    low = np.floor(targets.min(axis=0) - margin - fractional.max(axis=0)).astype(int)
    high = np.ceil(targets.max(axis=0) + margin - fractional.min(axis=0)).astype(int)
    shifts = np.array(list(product(range(low[0], high[0] + 1), range(low[1], high[1] + 1)))) @ cell_A
    images = (positions_A[None, :, :] + np.pad(shifts, ((0, 0), (0, 1)))[:, None, :]).reshape(-1, 3)
    owner = np.tile(np.arange(len(positions_A)), len(shifts))
    near = np.zeros(len(images), bool)
    for point in points_A:
        near |= np.sum((images[:, :2] - point[:2]) ** 2, axis=1) <= reach_A**2
    return images[near], owner[near]


def critical_points(positions_A: Array, cell_A: Array, distance_A: float) -> list[CriticalPoint]:
    """Return the critical points of the height surface in one cell, all images of a symmetry orbit among them.

    Parameters
    ----------
    positions_A
        (n, 3) atoms of one primitive cell.
    cell_A
        (2, 2) reduced in-plane cell.
    distance_A
        The common contact distance D.
    """
    inverse = np.linalg.inv(cell_A)
    points: list[CriticalPoint] = []
    for centre in positions_A:
        images, owner = images_around(positions_A, cell_A, 2 * distance_A, centre[None, :])
        for ball in _resting_balls(centre, images, distance_A):
            touching = np.flatnonzero(np.abs(np.linalg.norm(images - ball, axis=1) - distance_A) < _TOUCH_A)
            kind = _kind(images[touching, :2] - ball[:2])
            if kind is None:
                continue
            fractional = wrap(ball[:2] @ inverse)
            contacts = tuple(int(owner[m]) for m in touching)
            if not any(p.kind == kind and distance_2d(p.fractional - fractional, cell_A) < 1e-4 for p in points):
                points.append(CriticalPoint(kind, fractional, contacts, images[touching] - np.append(ball[:2], 0.0)))
    return points


def _resting_balls(centre: Array, images: Array, distance: float) -> Array:
    """Return the centres of the balls that rest, unobstructed, on the atom at `centre` and on none, one or two others."""
    around = images[np.sum((images - centre) ** 2, axis=1) > 1e-6] - centre
    around = around[np.argsort(np.linalg.norm(around, axis=1), kind="stable")]
    others = around[np.linalg.norm(around, axis=1) < 2 * distance]
    flat = np.linalg.norm(others[:, :2], axis=1)
    length = np.linalg.norm(others, axis=1)
    side = flat > 1e-6
    v, f, r = others[side], flat[side], length[side]
    # the highest ball on a pair stands in their vertical plane
    upward = np.column_stack([-v[:, :2] * (v[:, 2] / f)[:, None], f]) / r[:, None]
    pairs = v / 2 + np.sqrt(distance**2 - r**2 / 4)[:, None] * upward
    between = np.sum(pairs[:, :2] * v[:, :2], axis=1) / f**2
    pairs = pairs[(between > 1e-6) & (between < 1 - 1e-6)]
    a, b = (others[index] for index in np.triu_indices(len(others), 1))
    normal = np.cross(a, b)
    area = np.sum(normal**2, axis=1)
    proper = area > 1e-6
    a, b, normal, area = a[proper], b[proper], normal[proper], area[proper]
    circum = np.cross(np.sum(a**2, axis=1)[:, None] * b - np.sum(b**2, axis=1)[:, None] * a, normal) / (2 * area[:, None])
    rest = distance**2 - np.sum(circum**2, axis=1)
    reached = (rest > 0) & (np.abs(normal[:, 2]) > 1e-9)
    sign = np.sign(normal[reached, 2])
    triples = circum[reached] + (sign * np.sqrt(rest[reached] / area[reached]))[:, None] * normal[reached]
    balls = np.vstack([[[0.0, 0.0, distance]], pairs, triples])
    for other in around:
        gap = balls - other
        column = np.sum(gap[:, :2] ** 2, axis=1)
        inside = column + gap[:, 2] ** 2 < (distance - _TOUCH_A) ** 2
        above = (gap[:, 2] < 0) & (column < (distance - _TOUCH_A) ** 2)
        balls = balls[~(inside | above)]
    return np.asarray(balls + centre)


def _kind(around: Array) -> str | None:
    """Return what kind of critical point the directions (m, 2) to the atoms in contact make, None if it is none.

    The ball can move downhill unless the atoms in contact surround it: it is a minimum when no half plane is free of
    them, a saddle when two stand on opposite sides.
    """
    if len(around) == 1:
        return "top" if np.linalg.norm(around[0]) < 1e-6 else None
    if np.any(np.linalg.norm(around, axis=1) < 1e-6):
        return "top"
    angles = np.sort(np.arctan2(around[:, 1], around[:, 0]))
    widest = float(np.max(np.diff(np.append(angles, angles[0] + 2 * np.pi))))
    if widest < np.pi - _ANGLE:
        return "hollow"
    return "bridge" if widest < np.pi + _ANGLE else None


def merged(points: list[CriticalPoint], cell_A: Array, within_A: float = 0.25) -> list[CriticalPoint]:
    """Join what lies too close to be told apart: a hollow, the bridges beside it and the hollows behind these are one.

    A square of neighbours that is not quite a square has one four-fold hollow, not two three-fold ones and a bridge; a
    shallow hollow of a tilted terrace lies beside its own saddles.
    """
    groups: list[list[CriticalPoint]] = []
    for point in (p for p in points if p.kind != "top"):
        near = [g for g in groups if any(_close(point, p, cell_A, within_A) for p in g)]
        groups = [g for g in groups if g not in near] + [[point, *(p for g in near for p in g)]]
    kept = [p for p in points if p.kind == "top"]
    for group in groups:
        hollows = [p for p in group if p.kind == "hollow"]
        kept += [_joined(hollows, cell_A)] if len(hollows) > 1 else hollows or group
    return kept


def _close(first: CriticalPoint, second: CriticalPoint, cell_A: Array, within_A: float) -> bool:
    return distance_2d(first.fractional - second.fractional, cell_A) < within_A


def _joined(group: list[CriticalPoint], cell_A: Array) -> CriticalPoint:
    steps = np.array([p.fractional - group[0].fractional for p in group])
    steps -= np.rint(steps)
    mean = steps.mean(axis=0)
    contacts: list[int] = []
    corners: list[Array] = []
    for point, step in zip(group, steps, strict=True):
        for atom, corner in zip(point.contacts, point.corners_A + np.append((step - mean) @ cell_A, 0.0), strict=True):
            if not any(np.linalg.norm(corner - other) < 1e-3 for other in corners):
                contacts.append(atom)
                corners.append(corner)
    return CriticalPoint("hollow", wrap(group[0].fractional + mean), tuple(contacts), np.array(corners))
