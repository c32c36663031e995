"""How high a function on a surface cell must be climbed to move on without end: in one direction, in all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.atomistic.periodic_map import PeriodicMap


@dataclass(frozen=True)
class Percolation:
    """How high an adatom must climb to cross the surface.

    Attributes
    ----------
    one
        Lowest value at which the region below it that holds the lowest minimum runs across the surface in one direction:
        along rows, without end.
    both
        The same for two independent directions: all over the surface. Not below `one`.
    """

    one: float
    both: float


def percolation(surface: PeriodicMap) -> Percolation:
    """Return the levels at which the lowest minimum is joined to its translates, which are the barriers above it.

    The pixels of the fine grid are added from low to high; each region keeps the lattice vector between its pixels and its
    root, so that a region that meets itself across the cell is noticed (Newman and Ziff, Phys. Rev. E 64, 016706 (2001),
    on clusters that wrap). A level lies above its saddle by what the grid misses of it.
    """
    _, values = surface.grid
    n = len(values)
    regions = _Regions(n * n)
    lowest = int(np.argmin(values))
    one: float | None = None
    for pixel in np.argsort(values, axis=None):
        i, j = divmod(int(pixel), n)
        regions.open(int(pixel))
        for di, dj in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)):
            across = ((i + di) // n, (j + dj) // n)
            regions.join(int(pixel), ((i + di) % n) * n + (j + dj) % n, across)
        directions = regions.directions(lowest)
        if directions >= 1 and one is None:
            one = float(values.flat[pixel])
        if directions == 2:
            assert one is not None  # noqa: S101  set above
            return Percolation(one, float(values.flat[pixel]))
    raise AssertionError("a filled torus winds in both directions")


class _Regions:
    """Sets of pixels of a torus, with the lattice vectors by which each set meets itself."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._offset = [(0, 0)] * count
        self._size = [1] * count
        self._open = [False] * count
        self._windings: dict[int, list[tuple[int, int]]] = {}

    def open(self, pixel: int) -> None:
        """Add a pixel, a region of its own."""
        self._open[pixel] = True

    def join(self, pixel: int, other: int, across: tuple[int, int]) -> None:
        """Join two neighbours if both are open; `across` is the lattice vector from the cell of one to the other's."""
        if not self._open[other]:
            return
        (a, shift_a), (b, shift_b) = self._root(pixel), self._root(other)
        # the lattice vector that the root of b gets where the root of a has none
        step = (across[0] + shift_a[0] - shift_b[0], across[1] + shift_a[1] - shift_b[1])
        if a == b:
            self._wind(a, step)
            return
        if self._size[a] < self._size[b]:
            a, b, step = b, a, (-step[0], -step[1])
        self._parent[b], self._offset[b] = a, step
        self._size[a] += self._size[b]
        for winding in self._windings.pop(b, []):
            self._wind(a, winding)

    def directions(self, pixel: int) -> int:
        """Return in how many independent directions the region of a pixel runs across the torus."""
        return len(self._windings.get(self._root(pixel)[0], []))

    def _wind(self, root: int, step: tuple[int, int]) -> None:
        known = self._windings.get(root, [])
        if step != (0, 0) and not any(u[0] * step[1] == u[1] * step[0] for u in known):
            self._windings[root] = [*known, step]

    def _root(self, pixel: int) -> tuple[int, tuple[int, int]]:
        """Return the root of a pixel, and the lattice vector of the pixel's cell where the root is in its own."""
        x = y = 0
        while self._parent[pixel] != pixel:
            dx, dy = self._offset[pixel]
            x, y, pixel = x + dx, y + dy, self._parent[pixel]
        return pixel, (x, y)
