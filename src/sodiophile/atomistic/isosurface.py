"""Surfaces on which a field has one value, as triangles: marching tetrahedra.

Every box of the grid is cut into the six tetrahedra around one of its diagonals, the same way everywhere, so that faces of
neighbours agree and no case is ambiguous. A. Doi and A. Koide, IEICE Trans. E74, 214 (1991); H. W. Kuhn, IBM J. Res. Dev.
4, 518 (1960), doi 10.1147/rd.45.0518 (the cut).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodiophile.atomistic.fields import Field

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Positions are written in 16 bits to this: 655 angstrom fit.
_STEP_A = 0.01
# Of an edge of the grid.
_OFF_CORNER = 1e-4


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of triangles.

    Attributes
    ----------
    vertices_A
        (n, 3).
    triangles
        (m, 3) numbers of vertices, counter-clockwise seen from the side of lower values.
    """

    vertices_A: Array
    triangles: Ints

    def area_A2(self) -> float:
        """Return the area of all triangles."""
        a, b, c = (self.vertices_A[self.triangles[:, i]] for i in range(3))
        return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())

    def volume_A3(self) -> float:
        """Return the volume that a closed surface encloses, positive if higher values are inside."""
        a, b, c = (self.vertices_A[self.triangles[:, i]] for i in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)

    def moved(self, by_A: Array) -> Mesh:
        """Return the surface elsewhere."""
        return Mesh(self.vertices_A + by_A, self.triangles)

    def packed(self) -> dict[str, Any]:
        """Return the surface as JSON-ready data: little-endian base64, positions in hundredths of an angstrom."""
        whole = np.clip(np.rint(self.vertices_A / _STEP_A), -32768, 32767).astype("<i2")
        return {
            "vertices": base64.b64encode(whole.tobytes()).decode(),
            "step_A": _STEP_A,
            "triangles": base64.b64encode(self.triangles.astype("<u4" if len(whole) > 65535 else "<u2").tobytes()).decode(),
            "bytes_a_number": 4 if len(whole) > 65535 else 2,
        }

    @classmethod
    def unpacked(cls, data: Mapping[str, Any]) -> Mesh:
        """Return the surface that `packed` wrote."""
        vertices = np.frombuffer(base64.b64decode(data["vertices"]), "<i2").reshape(-1, 3) * float(data["step_A"])
        kind = {2: "<u2", 4: "<u4"}[data["bytes_a_number"]]
        triangles = np.frombuffer(base64.b64decode(data["triangles"]), kind).reshape(-1, 3).astype(np.int64)
        return cls(vertices, triangles)


def isosurface(field: Field, level: float) -> Mesh:
    """Return where a field has a value, over one cell, faces at its border included.

    Parameters
    ----------
    field
        Periodic; the surface is open where it leaves the cell.
    level
        The value.
    """
    values = np.pad(field.values, ((0, 1), (0, 1), (0, 1)), mode="wrap")
    shape = np.array(values.shape)
    flat = values.ravel()
    inside = values > level
    corners = [inside[i : i - 1 or None, j : j - 1 or None, k : k - 1 or None] for i, j, k in np.ndindex(2, 2, 2)]
    some, every = np.logical_or.reduce(corners), np.logical_and.reduce(corners)
    boxes = np.argwhere(some & ~every)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    edges = [np.zeros((0, 3, 2), np.int64)]
    for path in permutations(range(3)):
        steps = np.cumsum([np.zeros(3, np.int64), *np.eye(3, dtype=np.int64)[list(path)]], axis=0)
        edges += _cut((boxes[:, None, :] + steps[None, :, :]) @ strides, flat, level)
    found = np.concatenate(edges)
    pairs = np.sort(found.reshape(-1, 2), axis=1)
    unique, numbers = np.unique(pairs, axis=0, return_inverse=True)
    ends = [np.stack(np.unravel_index(unique[:, i], tuple(shape)), axis=1) for i in (0, 1)]
    low, high = flat[unique[:, 0]], flat[unique[:, 1]]
    # a corner that has the level itself would make triangles without an area, and so without a front
    part = np.clip((level - low) / (high - low), _OFF_CORNER, 1 - _OFF_CORNER)[:, None]
    grid = ends[0] * (1 - part) + ends[1] * part
    vertices = (grid / np.array(field.shape)) @ field.cell_A
    return _outward(Mesh(vertices, numbers.reshape(-1, 3)), found, flat, shape, field)


def _cut(corners: Ints, flat: Array, level: float) -> list[Ints]:
    """Return the triangles in tetrahedra as triples of the edges that their corners lie on, (n, 3, 2) each."""
    above = flat[corners] > level
    count = above.sum(axis=1)
    # those inside first, in one order, so that each case is handled once
    order = np.argsort(~above, axis=1, kind="stable")
    ordered = np.take_along_axis(corners, order, axis=1)

    def triangles(which: NDArray[np.bool_], *edges: tuple[int, int]) -> Ints:
        return np.stack([ordered[which][:, list(edge)] for edge in edges], axis=1)

    one, two, three = count == 1, count == 2, count == 3
    return [
        triangles(one, (0, 1), (0, 2), (0, 3)),
        triangles(three, (3, 0), (3, 1), (3, 2)),
        triangles(two, (0, 2), (0, 3), (1, 3)),
        triangles(two, (0, 2), (1, 3), (1, 2)),
    ]


def _outward(mesh: Mesh, edges: Ints, flat: Array, shape: Ints, field: Field) -> Mesh:
    """Turn every triangle so that its front is on the side of lower values."""
    a, b, c = (mesh.vertices_A[mesh.triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    first, second = edges[:, 0, 0], edges[:, 0, 1]
    ends = [
        np.stack(np.unravel_index(one, tuple(shape)), axis=1) / np.array(field.shape) @ field.cell_A
        for one in (first, second)
    ]
    down = np.sign(flat[first] - flat[second])[:, None] * (ends[1] - ends[0])
    wrong = np.einsum("ij,ij->i", normal, down) < 0
    triangles = mesh.triangles.copy()
    triangles[wrong] = triangles[wrong][:, ::-1]
    return Mesh(mesh.vertices_A, triangles)


def level_holding(values: Array, part: float) -> float:
    """Return the level above which a part of the positive values lies, by their sum.

    Parameters
    ----------
    values
        Of any shape.
    part
        Between 0 and 1.
    """
    positive = np.sort(np.asarray(values, float)[np.asarray(values) > 0])[::-1]
    if not len(positive):
        return 0.0
    total = np.cumsum(positive)
    return float(positive[min(int(np.searchsorted(total, part * total[-1])), len(positive) - 1)])
