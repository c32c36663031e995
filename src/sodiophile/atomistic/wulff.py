"""The equilibrium shape of a crystal: which part of its surface each family of facets takes.

Wulff's construction (G. Wulff, Z. Kristallogr. 34, 449 (1901)): the body of all points r with r . n <= gamma(n).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import spglib
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import HalfspaceIntersection, QhullError

from sodiophile.atomistic.base import facet_text

Array = NDArray[np.float64]
Miller = tuple[int, int, int]


def area_fractions(crystal: Atoms, energies: Mapping[Miller, float]) -> dict[str, float]:
    """Return the part of the area of the equilibrium shape that each facet, with those equivalent to it, takes.

    Parameters
    ----------
    crystal
        Its axes are those that the indices refer to; its symmetry makes the families.
    energies
        Miller indices -> surface energy, in any one unit.

    Returns
    -------
    dict
        Facet as text -> fraction, together 1. Empty where the facets do not close a body or an energy is not positive.
    """
    if not energies or min(energies.values()) <= 0:
        return {}
    normals, heights, families = [], [], []
    for miller, energy in energies.items():
        for normal in _family(crystal, miller):
            normals.append(normal)
            heights.append(energy)
            families.append(miller)
    planes = np.column_stack([np.array(normals), -np.array(heights)])
    try:
        corners = HalfspaceIntersection(planes, np.zeros(3)).intersections
    except (QhullError, ValueError):
        return {}
    if not np.all(np.isfinite(corners)) or np.abs(corners).max() > 1e3 * max(heights):
        return {}
    areas = dict.fromkeys(energies, 0.0)
    for normal, height, miller in zip(normals, heights, families, strict=True):
        areas[miller] += _area(corners[np.abs(corners @ normal - height) < 1e-7 * height], normal)
    total = sum(areas.values())
    return {facet_text(miller): area / total for miller, area in areas.items()}


def _family(crystal: Atoms, miller: Miller) -> list[Array]:
    """Return the unit normals of all facets that the crystal's symmetry makes equal to one."""
    cell = (crystal.cell[:], crystal.get_scaled_positions(), crystal.numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        symmetry = spglib.get_symmetry(cell, symprec=1e-2)
    found: dict[tuple[float, ...], Array] = {}
    for rotation in symmetry["rotations"]:
        normal = np.linalg.inv(crystal.cell[:]) @ (np.array(miller) @ rotation)
        normal /= np.linalg.norm(normal)
        found[tuple(np.round(normal, 6) + 0.0)] = normal
    return list(found.values())


def _area(points: Array, normal: Array) -> float:
    """Return the area of the convex polygon with these corners in the plane across `normal`."""
    if len(points) < 3:
        return 0.0
    along = points[1:] - points[0]
    along = along[np.argmax(np.linalg.norm(along, axis=1))]
    if np.linalg.norm(along) < 1e-12:
        return 0.0
    x = along / np.linalg.norm(along)
    y = np.cross(normal, x)
    flat = np.column_stack([(points - points.mean(axis=0)) @ x, (points - points.mean(axis=0)) @ y])
    ordered = flat[np.argsort(np.arctan2(flat[:, 1], flat[:, 0]))]
    closed = [*ordered, ordered[0]]
    return 0.5 * abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in pairwise(closed)))
