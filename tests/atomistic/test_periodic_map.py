"""Symmetric maps: exact where the function is smooth enough, symmetric, complete in the sense of Morse; barriers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from ase.build import bulk
from numpy.typing import NDArray

from sodiophile.atomistic.percolation import percolation
from sodiophile.atomistic.periodic_map import interpolate, irreducible_points
from sodiophile.atomistic.surfaces import build_slabs
from sodiophile.atomistic.symmetry2d import PlaneGroup, distance_2d, plane_group
from sodiophile.errors import InputError

Array = NDArray[np.float64]

CRYSTALS = {
    "rocksalt 001": (bulk("VN", "rocksalt", a=4.13, cubic=True), "001"),
    "fcc 111": (bulk("Cu", cubic=True), "111"),
    "fcc 110": (bulk("Cu", cubic=True), "110"),
    "bcc 110": (bulk("Na", cubic=True), "110"),
}


def _group(name: str) -> PlaneGroup:
    slab = build_slabs(*CRYSTALS[name], supercell=(2, 2))[0]
    return plane_group(slab.atoms.positions, slab.atoms.numbers, np.asarray(slab.atoms.cell[:2, :2]))


def _function(group: PlaneGroup, seed: int) -> Callable[[Array], Array]:
    """A random smooth function with the symmetry of the group."""
    rng = np.random.default_rng(seed)
    waves = [(h, k) for h in range(-2, 3) for k in range(-2, 3)]
    terms = [(w, rng.normal() * np.exp(-0.7 * (w[0] ** 2 + w[1] ** 2)), rng.uniform(0, 6.3)) for w in waves]

    def function(fractional: Array) -> Array:
        images = np.einsum("gij,nj->gni", group.rotations, np.reshape(fractional, (-1, 2)))
        images = images + group.translations[:, None, :]
        return sum(c * np.cos(2 * np.pi * images @ np.array(w) + p).mean(axis=0) for w, c, p in terms)

    return function


@pytest.fixture(params=list(CRYSTALS))
def case(request: pytest.FixtureRequest) -> tuple[PlaneGroup, Array, Callable[[Array], Array]]:
    group = _group(request.param)
    points = irreducible_points(group, 30, np.zeros((0, 2)))
    return group, points, _function(group, 4)


def test_no_two_points_are_equivalent_and_together_they_are_the_whole_grid(
    case: tuple[PlaneGroup, Array, Callable[[Array], Array]],
) -> None:
    group, points, _ = case
    assert 15 <= len(points) <= 30
    orbits = [group.orbit(point) for point in points]
    for i, point in enumerate(points):
        assert not any(distance_2d(point - e, group.cell_A) < 1e-3 for o in orbits[:i] for e in o)
    size = np.rint(1 / np.min([x for x in np.abs(points).ravel() if x > 1e-9]))
    assert sum(map(len, orbits)) in {int(size * n) for n in range(1, int(size) + 1)}
    fewer = irreducible_points(group, 30, points[:1])
    assert not any(distance_2d(e - p, group.cell_A) < 1e-3 for e in orbits[0] for p in fewer)


def test_a_smooth_function_comes_back_with_its_symmetry(
    case: tuple[PlaneGroup, Array, Callable[[Array], Array]],
) -> None:
    group, points, function = case
    surface = interpolate(group, points, function(points))
    anywhere = np.random.default_rng(1).uniform(-2, 2, (300, 2))
    span = np.ptp(function(anywhere))
    assert np.max(np.abs(surface(anywhere) - function(anywhere))) < 0.02 * span
    assert surface.error < 0.02 * span
    for rotation, translation in zip(group.rotations, group.translations, strict=True):
        np.testing.assert_allclose(surface(anywhere @ rotation.T + translation), surface(anywhere), atol=1e-9)


def test_left_out_errors_are_those_of_maps_made_without_the_point() -> None:
    group = _group("fcc 110")
    points = irreducible_points(group, 12, np.zeros((0, 2)))
    values = _function(group, 2)(points) + np.random.default_rng(0).normal(0, 0.05, len(points))
    surface = interpolate(group, points, values)
    # the strength of the smoothing is kept; a map without one point chooses its own, so compare where noise decides it
    for i in (0, 3, 7):
        rest = np.arange(len(points)) != i
        other = interpolate(group, points[rest], values[rest])
        assert values[i] - float(other(points[i])) == pytest.approx(surface.left_out[i], abs=0.06)


def test_slopes_and_bends_are_those_of_the_function(case: tuple[PlaneGroup, Array, Callable[[Array], Array]]) -> None:
    group, points, function = case
    surface = interpolate(group, points, function(points))
    at, h, inverse = np.array([0.31, 0.17]), 1e-4, np.linalg.inv(group.cell_A)
    gradient, hessian = surface.derivatives(at)
    for i, step in enumerate(np.eye(2) * h):
        ahead, behind = at + step @ inverse, at - step @ inverse
        assert gradient[i] == pytest.approx((surface(ahead) - surface(behind)) / (2 * h), abs=1e-5)
        slopes = (surface.derivatives(ahead)[0] - surface.derivatives(behind)[0]) / (2 * h)
        np.testing.assert_allclose(hessian[i], slopes, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_minima_saddles_and_maxima_obey_morse(seed: int) -> None:
    group = _group("fcc 111")
    points = irreducible_points(group, 30, np.zeros((0, 2)))
    surface = interpolate(group, points, _function(group, seed)(points))
    sign = {"minimum": 1, "saddle": -1, "maximum": 1}
    found = surface.stationary()
    assert sum(sign[one.kind] * one.multiplicity for one in found) == 0
    values = surface.grid[1]
    assert found[0].energy == pytest.approx(values.min(), abs=0.01 * np.ptp(values))
    for one in found:
        assert np.linalg.norm(surface.derivatives(one.fractional)[0]) < 1e-6


def test_the_barrier_is_the_saddle_between_a_minimum_and_its_translate() -> None:
    """cos + cos on a square: saddles at the bridges, level 0; a ridge along one axis leaves rows."""
    group = _group("rocksalt 001")
    points = irreducible_points(group, 30, np.zeros((0, 2)))
    square = interpolate(group, points, np.cos(2 * np.pi * points).sum(axis=1))
    levels = percolation(square)
    assert levels.one == pytest.approx(0.0, abs=0.01)
    assert levels.both == pytest.approx(0.0, abs=0.01)
    rows = _group("fcc 110")
    points = irreducible_points(rows, 30, np.zeros((0, 2)))
    weights = np.array([0.2, 1.0])
    channels = interpolate(rows, points, np.cos(2 * np.pi * points) @ weights)
    levels = percolation(channels)
    assert levels.one == pytest.approx(0.2 - 1.0, abs=0.02)
    assert levels.both == pytest.approx(1.0 - 0.2, abs=0.02)


def test_an_adatom_goes_down_to_a_minimum() -> None:
    group = _group("fcc 111")
    points = irreducible_points(group, 30, np.zeros((0, 2)))
    surface = interpolate(group, points, _function(group, 1)(points))
    minima = [one for one in surface.stationary() if one.kind == "minimum"]
    path = surface.descended(np.array([0.21, 0.43]))
    energies = surface(path)
    assert np.all(np.diff(energies) < 0)
    ends = [distance_2d(path[-1] - e, group.cell_A) for one in minima for e in group.orbit(one.fractional)]
    assert min(ends) < 0.03


def test_a_flat_map_has_no_stationary_points_and_few_points_make_none() -> None:
    group = _group("rocksalt 001")
    points = irreducible_points(group, 12, np.zeros((0, 2)))
    assert interpolate(group, points, np.full(len(points), -1.0)).stationary() == []
    with pytest.raises(InputError, match="3 points, expected at least 4"):
        interpolate(group, points[:3], np.zeros(3))
