"""Isosurfaces of fields whose level sets are known."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.isosurface import Mesh, isosurface, level_holding

CELL = np.array([[8.0, 0.0, 0.0], [1.0, 7.0, 0.0], [0.0, 0.0, 9.0]])


def ball(n: int, radius_A: float) -> Field:
    """Distance from the middle of the cell, as radius - distance: positive inside."""
    grid = np.stack(np.meshgrid(*(np.arange(n) / n,) * 3, indexing="ij"), axis=-1) @ CELL
    return Field(radius_A - np.linalg.norm(grid - CELL.sum(axis=0) / 2, axis=-1), CELL)


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_a_ball_has_its_area_and_volume_and_both_converge(level: float) -> None:
    radius = 2.5
    r = radius - level
    errors = []
    for n in (16, 32):
        mesh = isosurface(ball(n, radius), level)
        errors.append((abs(mesh.volume_A3() / (4 / 3 * np.pi * r**3) - 1), abs(mesh.area_A2() / (4 * np.pi * r**2) - 1)))
        assert np.linalg.norm(mesh.vertices_A - CELL.sum(axis=0) / 2, axis=1) == pytest.approx(r, abs=0.06 * 16 / n)
    for coarse, fine in zip(*errors, strict=True):
        # of second order: a quarter
        assert fine < 0.3 * coarse
        assert fine < 0.01


def test_a_closed_surface_has_every_edge_twice_and_the_euler_number_of_a_sphere() -> None:
    mesh = isosurface(ball(20, 2.7), 0.0)
    t = mesh.triangles
    directed = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    edges, counts = np.unique(np.sort(directed, axis=1), axis=0, return_counts=True)
    assert np.all(counts == 2)
    # turned alike: each edge is walked once in each direction
    assert len(np.unique(directed, axis=0)) == len(directed)
    assert len(mesh.vertices_A) - len(edges) + len(t) == 2


def test_inside_out_the_volume_changes_its_sign() -> None:
    field = ball(20, 2.7)
    mirrored = isosurface(Field(-field.values, CELL), 0.0)
    assert mirrored.volume_A3() == pytest.approx(-isosurface(field, 0.0).volume_A3(), rel=1e-3)


def test_a_plane_spans_the_whole_cell() -> None:
    n = 12
    heights = np.broadcast_to(np.arange(n) / n * 9.0, (n, n, n))
    mesh = isosurface(Field(np.where(heights < 6.0, heights, 0.0), CELL), 4.1)
    low = mesh.vertices_A[:, 2] < 5.0
    area = Mesh(mesh.vertices_A, mesh.triangles[low[mesh.triangles].all(axis=1)]).area_A2()
    assert area == pytest.approx(8.0 * 7.0, rel=1e-3)


def test_a_field_without_the_level_has_no_surface() -> None:
    mesh = isosurface(ball(10, 1.0), 5.0)
    assert mesh.triangles.shape == (0, 3)
    assert mesh.volume_A3() == 0.0


def test_writing_and_reading_moves_no_vertex_by_more_than_half_a_step() -> None:
    mesh = isosurface(ball(14, 2.5), 0.0)
    again = Mesh.unpacked(mesh.packed())
    assert np.array_equal(again.triangles, mesh.triangles)
    assert np.abs(again.vertices_A - mesh.vertices_A).max() <= 0.00501


def test_the_level_that_holds_half_of_the_charge_does() -> None:
    values = np.random.default_rng(1).normal(size=4000)
    level = level_holding(values, 0.5)
    assert values[values >= level].sum() == pytest.approx(0.5 * values[values > 0].sum(), rel=2e-3)
    assert level_holding(-np.ones(4), 0.5) == 0.0
