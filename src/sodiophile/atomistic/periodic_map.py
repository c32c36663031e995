r"""A smooth function on a surface cell from its values at some points: symmetric Fourier series, minima, saddles, barriers.

The function has the plane group P of the surface, so it is a sum of symmetrised waves (stars)

.. math:: E(f) = \sum_G \frac{1}{|P|} \sum_{(R, t) \in P}
    \bigl[c_G \cos(2\pi\, G \cdot (R f + t)) + s_G \sin(2\pi\, G \cdot (R f + t))\bigr],

with :math:`G` integer. The coefficients minimise :math:`\sum_i (E(f_i) - E_i)^2 + \lambda \sum_G |G|^4 c_G^2` (the bending
of the surface), and :math:`\lambda` the leave-one-out error, which for a linear smoother is residual / (1 - leverage)
(Craven and Wahba, Numer. Math. 31, 377 (1979)). That error is the error of the interpolation.

On a torus the numbers of minima, saddles and maxima of a smooth function obey n_min - n_saddle + n_max = 0 (Morse): a list
of stationary points that does not is not complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sodiophile.atomistic.symmetry2d import PlaneGroup, distance_2d, wrap
from sodiophile.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_STRENGTHS = np.geomspace(1e-10, 1e2, 49)
_GRID = 72
_NEWTON_STEPS = 40
# Stationary points closer than this are one.
_SAME_A = 0.05
_FLAT = 1e-9
_LARGEST_INDEX = 14
_ARRIVED_A = 1e-3


@dataclass(frozen=True, eq=False)
class Stationary:
    """A stationary point of a map.

    Attributes
    ----------
    kind
        ``minimum``, ``saddle`` or ``maximum``.
    fractional
        One of its orbit, in the primitive cell.
    energy
        Value there.
    multiplicity
        Number of equivalents in the primitive cell.
    """

    kind: str
    fractional: Array
    energy: float
    multiplicity: int


@dataclass(frozen=True, eq=False)
class PeriodicMap:
    """A function on a surface cell; made by `interpolate`.

    Attributes
    ----------
    group
        Plane group and primitive cell.
    waves
        (m, 2) integer vectors G of the stars.
    odd
        (m,) whether the star is of sines.
    coefficients
        (m,)
    left_out
        (n,) value minus what the others predict, for each point it was made from.
    """

    group: PlaneGroup
    waves: Ints
    odd: NDArray[np.bool_]
    coefficients: Array
    left_out: Array

    @property
    def error(self) -> float:
        """Root mean square of `left_out`."""
        return float(np.sqrt(np.mean(self.left_out**2)))

    def __call__(self, fractional: Array) -> Array:
        """Return the values at (..., 2) fractional coordinates of the primitive cell."""
        flat = np.reshape(fractional, (-1, 2))
        return (_stars(self.group, self.waves, self.odd, flat) @ self.coefficients).reshape(np.shape(fractional)[:-1])

    def derivatives(self, fractional: Array) -> tuple[Array, Array]:
        """Return gradient (2,) and Hessian (2, 2) at a point, by Cartesian coordinates (angstrom)."""
        rotations, translations = self.group.rotations, self.group.translations
        vectors = np.einsum("mi,gij->gmj", self.waves, rotations).astype(float)
        phase = 2 * np.pi * (np.einsum("gmj,j->gm", vectors, fractional) + (translations @ self.waves.T))
        first = np.where(self.odd, np.cos(phase), -np.sin(phase))
        second = -np.where(self.odd, np.sin(phase), np.cos(phase))
        weight = self.coefficients / len(rotations)
        gradient = 2 * np.pi * np.einsum("m,gm,gmj->j", weight, first, vectors)
        hessian = 4 * np.pi**2 * np.einsum("m,gm,gmi,gmj->ij", weight, second, vectors, vectors)
        inverse = np.linalg.inv(self.group.cell_A)
        return inverse @ gradient, inverse @ hessian @ inverse.T

    @cached_property
    def grid(self) -> tuple[Array, Array]:
        """Fractional coordinates (n, n, 2) of a fine grid, and the values there (n, n)."""
        ticks = np.linspace(0.0, 1.0, _GRID, endpoint=False)
        along, across = np.meshgrid(ticks, ticks, indexing="ij")
        points = np.stack([along, across], axis=-1)
        return points, self(points)

    def stationary(self) -> list[Stationary]:
        """Return the stationary points, one an orbit, minima first, each kind by its value."""
        points, values = self.grid
        padded = np.pad(values, 1, mode="wrap")
        slopes = np.stack([np.gradient(padded, axis=0), np.gradient(padded, axis=1)], axis=-1)[1:-1, 1:-1]
        # of the covariant gradient, so that the search does not depend on the axes of the cell
        inverse = np.linalg.inv(self.group.cell_A)
        steep = np.sum((slopes @ inverse.T) ** 2, axis=-1)
        starts = points[_lowest_around(steep) | _lowest_around(values) | _lowest_around(-values)]
        found: list[Stationary] = []
        if np.ptp(values) < _FLAT:
            return found
        for start in [*starts, *self.group.special_positions()]:
            point = self._settled(start)
            if point is None or any(_near(self.group, point, other.fractional) for other in found):
                continue
            _, hessian = self.derivatives(point)
            kind = ("minimum", "saddle", "maximum")[int(np.sum(np.linalg.eigvalsh(hessian) < 0))]
            orbit = self.group.orbit(point, _SAME_A)
            found.append(Stationary(kind, wrap(point), float(self(point)), len(orbit)))
        order = ("minimum", "saddle", "maximum")
        return sorted(found, key=lambda one: (order.index(one.kind), one.energy))

    def _settled(self, point: Array) -> Array | None:
        """Follow Newton's steps to a stationary point; None where they leave."""
        start = np.array(point, float)
        point = start.copy()
        for _ in range(_NEWTON_STEPS):
            gradient, hessian = self.derivatives(point)
            step = -np.linalg.lstsq(hessian, gradient, rcond=1e-12)[0]
            length = float(np.linalg.norm(step))
            point = point + step * min(1.0, 0.1 / max(length, 1e-12)) @ np.linalg.inv(self.group.cell_A)
            if length < 1e-7:
                return point
        return None

    def descended(self, point: Array, step_A: float = 0.03) -> Array:
        """Return the path (k, 2) of steepest descent from a point to a minimum, fractional coordinates not wrapped."""
        path = [np.array(point, float)]
        inverse = np.linalg.inv(self.group.cell_A)
        for _ in range(2000):
            gradient, hessian = self.derivatives(path[-1])
            size = float(np.linalg.norm(gradient))
            # not beyond the bottom, where the valley bends upwards
            step = min(step_A, size / max(float(np.linalg.eigvalsh(hessian)[-1]), size / step_A))
            if step < _ARRIVED_A:
                break
            # the slope half way ahead: the one at the start alone runs from side to side along a valley
            ahead, _ = self.derivatives(path[-1] - 0.5 * step * gradient / size @ inverse)
            after = path[-1] - step * ahead / max(float(np.linalg.norm(ahead)), 1e-12) @ inverse
            if self(after) >= self(path[-1]):
                step_A /= 2
                continue
            path.append(after)
        return np.array(path)


def interpolate(group: PlaneGroup, fractional: Array, values: Array) -> PeriodicMap:
    """Return the smoothest symmetric function through, or near, some values.

    Parameters
    ----------
    group
        Plane group and primitive cell.
    fractional
        (n, 2) points in the primitive cell, one an orbit.
    values
        (n,)

    Raises
    ------
    InputError
        If there are fewer than 4 points.
    """
    fractional, values = np.asarray(fractional, float), np.asarray(values, float)
    if len(values) < 4:
        raise InputError(f"{len(values)} points, expected at least 4 to interpolate between")
    waves, odd = _independent_stars(group, 2 * len(values))
    design = _stars(group, waves, odd, fractional)
    bending = np.sum((2 * np.pi * waves @ np.linalg.inv(group.cell_A).T) ** 2, axis=1) ** 2
    scale = 1 / np.sqrt(np.where(bending > 0, bending, 1.0))
    # the constant is free: taken out together with its column
    free = bending == 0
    shifted = design[:, ~free] * scale[~free]
    mean, centred = shifted.mean(axis=0), shifted - shifted.mean(axis=0)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    best: tuple[float, float] | None = None
    target = values - values.mean()
    for strength in _STRENGTHS:
        keep = singular**2 / (singular**2 + strength)
        leverage = np.sum(left**2 * keep, axis=1) + 1 / len(values)
        residual = target - left @ (keep * (left.T @ target))
        if np.any(leverage > 1 - 1e-9):
            continue
        error = float(np.mean((residual / (1 - leverage)) ** 2))
        if best is None or error < best[0]:
            best = (error, strength)
    assert best is not None  # noqa: S101  the strongest smoothing leaves all leverages below 1
    strength = best[1]
    keep = singular**2 / (singular**2 + strength)
    leverage = np.sum(left**2 * keep, axis=1) + 1 / len(values)
    residual = target - left @ (keep * (left.T @ target))
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(singular > 1e-14, keep / singular, 0.0)
    scaled = right.T @ (inner * (left.T @ target))
    coefficients = np.zeros(len(waves))
    coefficients[~free] = scaled * scale[~free]
    coefficients[np.flatnonzero(free)[0]] = values.mean() - mean @ scaled
    return PeriodicMap(group, waves, odd, coefficients, residual / (1 - leverage))


def irreducible_points(group: PlaneGroup, count: int, taken: Array) -> Array:
    """Return points of the finest even grid of the primitive cell that has at most `count` orbits, one an orbit.

    Parameters
    ----------
    group
        Plane group and primitive cell.
    count
        Largest number of orbits, those of `taken` included.
    taken
        (m, 2) points that are there already; orbits of the grid that hold one are left out.

    Returns
    -------
    ndarray, (n, 2)
    """
    lengths = np.linalg.norm(group.cell_A, axis=1)
    best = np.zeros((0, 2))
    for n in range(2, 65):
        numbers = np.maximum(2, np.rint(n * lengths / lengths.max()).astype(int))
        if numbers.max() != n:
            continue
        found = _orbits_of_grid(group, numbers, taken)
        if len(found) + len(taken) > count:
            break
        best = found
    return best


def _stars(group: PlaneGroup, waves: Ints, odd: NDArray[np.bool_], fractional: Array) -> Array:
    images = np.einsum("gij,nj->gni", group.rotations, fractional) + group.translations[:, None, :]
    phase = 2 * np.pi * np.einsum("gni,mi->gnm", images, waves)
    return np.asarray(np.where(odd, np.sin(phase), np.cos(phase)).mean(axis=0))


def _independent_stars(group: PlaneGroup, count: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the first `count` symmetrised waves, smoothest first, none zero or a combination of those before."""
    reach = min(2 + int(np.ceil(np.sqrt(4.0 * count * group.order))), _LARGEST_INDEX)
    span = range(-reach, reach + 1)
    every = np.array([(h, k) for h in span for k in span if (h, k) >= (0, 0)])
    sizes = np.linalg.norm(every @ np.linalg.inv(group.cell_A).T, axis=1)
    every = every[np.argsort(np.round(sizes, 9), kind="stable")]
    sample = np.random.default_rng(0).uniform(size=(400, 2))
    waves, odd, columns = [], [], np.zeros((400, 0))
    for wave in every:
        for sine in (False, True):
            star = _stars(group, wave[None, :], np.array([sine]), sample)[:, 0]
            rest = star - columns @ (columns.T @ star)
            if np.linalg.norm(rest) < 1e-6:
                continue
            columns = np.column_stack([columns, rest / np.linalg.norm(rest)])
            waves.append(wave)
            odd.append(sine)
            if len(waves) == count:
                return np.array(waves), np.array(odd)
    return np.array(waves), np.array(odd)


def _orbits_of_grid(group: PlaneGroup, numbers: Ints, taken: Array) -> Array:
    found: list[Array] = []
    orbits: list[Array] = [group.orbit(point) for point in taken]
    for i in range(numbers[0]):
        for j in range(numbers[1]):
            point = np.array([i, j]) / numbers
            if any(distance_2d(point - other, group.cell_A) < 1e-2 for orbit in orbits for other in orbit):
                continue
            orbits.append(group.orbit(point))
            found.append(point)
    return np.array(found).reshape(-1, 2)


def _lowest_around(values: Array) -> NDArray[np.bool_]:
    """Return where a value is not above any of its eight neighbours on the torus."""
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    return np.asarray(np.all([values <= np.roll(values, shift, axis=(0, 1)) for shift in shifts], axis=0))


def _near(group: PlaneGroup, point: Array, other: Array) -> bool:
    return any(distance_2d(image - other, group.cell_A) < _SAME_A for image in group.orbit(point, 1e-6))


def length_A(path: Array, cell_A: Array) -> float:
    """Return the length of a path of fractional coordinates (k, 2)."""
    return float(sum(np.linalg.norm((b - a) @ cell_A) for a, b in pairwise(path)))
