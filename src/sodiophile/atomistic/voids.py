"""Voids below the first layer of a surface: where a small atom could go in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from sodiophile.atomistic.site_map import to_primitive
from sodiophile.atomistic.symmetry2d import PlaneGroup, distance_2d

Array = NDArray[np.float64]

# Neighbours are those not farther than the nearest by more than this.
_SHELL_A = 0.35
# Vertices that are closer than this are one void.
_SAME_A = 0.3


@dataclass(frozen=True)
class Void:
    """An empty sphere between the first and the second layer.

    Attributes
    ----------
    fractional
        In-plane coordinates in the cell of the slab.
    below
        Depth below the first layer, as a part of the distance to the second.
    radius_A
        Distance to the nearest atoms.
    neighbours
        Their symbols.
    """

    fractional: list[float]
    below: float
    radius_A: float
    neighbours: tuple[str, ...]


def voids_below_first_layer(surface: Mapping[str, Any], group: PlaneGroup, supercell_A: Array) -> list[Void]:
    """Return the distinct voids, the largest first.

    Parameters
    ----------
    surface
        As planned: ``slab``, ``layer_of``.
    group, supercell_A
        Its plane group, and its in-plane cell (2, 2).
    """
    positions = np.array(surface["slab"]["positions_A"])
    symbols, layers = np.array(surface["slab"]["symbols"]), np.array(surface["layer_of"])
    top, second = (float(positions[layers == layers.max() - i, 2].mean()) for i in (0, 1))
    shifts = np.array([(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]) @ supercell_A
    tiled = np.concatenate([positions + np.append(shift, 0.0) for shift in shifts])
    names = np.tile(symbols, len(shifts))
    found: list[tuple[Array, Void]] = []
    for vertex in Voronoi(tiled).vertices:
        if not second + 1e-3 < vertex[2] < top - 1e-3:
            continue
        inside = vertex[:2] @ np.linalg.inv(supercell_A)
        if np.any(inside < -1e-6) or np.any(inside >= 1 - 1e-6):
            continue
        point = to_primitive(inside, group, supercell_A)
        if any(
            abs(other[1].below - (top - vertex[2]) / (top - second)) * (top - second) < _SAME_A
            and min(distance_2d(image - other[0], group.cell_A) for image in group.orbit(point)) < _SAME_A
            for other in found
        ):
            continue
        distances = np.linalg.norm(tiled - vertex, axis=1)
        near = names[distances < distances.min() + _SHELL_A]
        below = round(float((top - vertex[2]) / (top - second)), 4)
        fractional = [round(float(x), 6) % 1.0 for x in inside]
        found.append((point, Void(fractional, below, float(distances.min()), tuple(sorted(map(str, near))))))
    return sorted((void for _, void in found), key=lambda void: (-round(void.radius_A, 3), void.below, void.fractional))


def label_of(void: Void, taken: Sequence[str]) -> str:
    """Return a label such as ``below layer 1, between N2 V2``, numbered where it is taken."""
    neighbours = " ".join(f"{symbol}{n}" if n > 1 else symbol for symbol, n in sorted(Counter(void.neighbours).items()))
    label = f"below layer 1, between {neighbours}"
    number = sum(one.startswith(label) for one in taken)
    return f"{label} ({number + 1})" if number else label
