"""Bader charges on densities whose division is known: far Gaussians, symmetry, invariance, convergence with the grid."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.atomistic.bader import bader, grid_neighbours
from sodiophile.atomistic.fields import Field
from sodiophile.errors import InputError

CUBE = np.eye(3) * 8.0
SKEW = np.array([[8.0, 0.0, 0.0], [-3.0, 7.0, 0.0], [1.0, 2.0, 9.0]])


def gaussians(shape: tuple[int, ...], cell: np.ndarray, atoms: list[tuple[tuple[float, ...], float, float]]) -> Field:
    """Sum of normalized Gaussians: (fraction, electrons, sigma in angstrom), images included."""
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)
    values = np.zeros(shape)
    for fraction, electrons, sigma in atoms:
        for shift in np.ndindex(3, 3, 3):
            d = (grid - np.array(fraction) + np.array(shift) - 1.0) @ cell
            values += electrons * np.exp(-0.5 * np.sum(d**2, axis=-1) / sigma**2) / (2 * np.pi * sigma**2) ** 1.5
    return Field(values, cell)


PAIR = [((0.2, 0.25, 0.3), 3.0, 0.5), ((0.7, 0.7, 0.75), 1.0, 0.4)]


@pytest.mark.parametrize("cell", [CUBE, SKEW])
def test_far_charges_keep_their_own(cell: np.ndarray) -> None:
    density = gaussians((40, 40, 44), cell, PAIR)
    positions = np.array([fraction for fraction, *_ in PAIR]) @ cell
    found = bader(density, positions, vacuum_e_A3=0.0)
    assert found.electrons == pytest.approx([3.0, 1.0], abs=3e-3)
    assert found.total() == pytest.approx(density.integral(), abs=1e-10)
    assert found.volumes_A3.sum() + found.vacuum_A3 == pytest.approx(abs(np.linalg.det(cell)))
    assert found.elsewhere == ()


def test_equal_charges_share_equally() -> None:
    density = gaussians((32, 32, 32), CUBE, [((0.25, 0.5, 0.5), 1.0, 0.9), ((0.75, 0.5, 0.5), 1.0, 0.9)])
    found = bader(density, np.array([[2.0, 4, 4], [6.0, 4, 4]]), vacuum_e_A3=0.0)
    assert found.electrons == pytest.approx([1.0, 1.0], abs=1e-9)
    assert found.volumes_A3 == pytest.approx([256.0, 256.0], rel=1e-6)


def test_neither_origin_nor_axes_nor_supercell_matter() -> None:
    atoms = [((0.2, 0.25, 0.3), 3.0, 0.8), ((0.55, 0.6, 0.65), 1.0, 0.7)]
    density = gaussians((36, 36, 40), SKEW, atoms)
    positions = np.array([fraction for fraction, *_ in atoms]) @ SKEW
    plain = bader(density, positions).electrons
    moved = bader(density.moved((5, -7, 11)), positions + np.array([5, -7, 11]) @ density.steps_A).electrons
    assert moved == pytest.approx(plain, abs=1e-9)
    turned = Field(density.values.transpose(2, 0, 1), SKEW[[2, 0, 1]])
    assert bader(turned, positions).electrons == pytest.approx(plain, abs=1e-9)
    mirrored = Field(np.roll(density.values[::-1], 1, axis=0), SKEW * np.array([[-1.0], [1], [1]]))
    assert bader(mirrored, positions).electrons == pytest.approx(plain, abs=1e-9)
    double = Field(np.tile(density.values, (2, 1, 1)), SKEW * np.array([[2.0], [1], [1]]))
    both = bader(double, np.concatenate([positions, positions + SKEW[0]])).electrons
    assert both == pytest.approx([*plain, *plain], abs=1e-9)


def test_another_cell_of_the_same_lattice_divides_alike() -> None:
    """The grid of a skewed cell must not pull the surface along its axes."""
    atoms = [((0.2, 0.3, 0.3), 2.0, 0.8), ((0.6, 0.7, 0.7), 1.0, 0.6)]
    straight = bader(gaussians((48, 48, 48), CUBE, atoms), np.array([f for f, *_ in atoms]) @ CUBE).electrons
    operation = np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]])
    cell = operation @ CUBE
    inverse = np.linalg.inv(operation)
    again = [(tuple((np.array(f) @ inverse) % 1.0), q, s) for f, q, s in atoms]
    skewed = bader(gaussians((48, 48, 48), cell, again), np.array([f for f, *_ in atoms]) @ CUBE).electrons
    assert skewed == pytest.approx(straight, abs=4e-3)


def test_the_division_converges_with_the_grid() -> None:
    atoms = [((0.31, 0.27, 0.33), 2.0, 0.8), ((0.61, 0.58, 0.66), 1.0, 0.6)]
    positions = np.array([fraction for fraction, *_ in atoms]) @ SKEW
    coarse, middle, fine = (bader(gaussians((n, n, n), SKEW, atoms), positions).electrons[0] for n in (16, 32, 64))
    assert abs(middle - fine) < 2e-3
    assert abs(middle - fine) < 0.5 * abs(coarse - middle)


def test_ripples_of_the_vacuum_belong_to_no_atom() -> None:
    atom = gaussians((32, 32, 32), CUBE, [((0.5, 0.5, 0.25), 1.0, 0.5)])
    ripples = 1e-4 * np.cos(2 * np.pi * 4 * np.arange(32) / 32)
    field = Field(atom.values + ripples, CUBE)
    found = bader(field, np.array([[4.0, 4.0, 2.0]]))
    assert found.electrons[0] == pytest.approx(1.0, abs=5e-3)
    assert found.vacuum_A3 > 100
    assert found.total() == pytest.approx(1.0, abs=1e-6)
    assert bader(field, np.array([[4.0, 4.0, 2.0]]), vacuum_e_A3=0.0).elsewhere


def test_a_nucleus_without_a_maximum_is_refused() -> None:
    density = gaussians((24, 24, 24), CUBE, PAIR)
    with pytest.raises(InputError, match=r"no maximum of the density within .* of atom 1"):
        bader(density, np.array([[4.0, 0.0, 0.0]]), vacuum_e_A3=0.0)


def test_a_maximum_that_is_no_atom_is_told() -> None:
    density = gaussians((32, 32, 32), CUBE, PAIR)
    found = bader(density, np.array([PAIR[0][0]]) @ CUBE, vacuum_e_A3=0.0)
    assert len(found.elsewhere) == 1
    x, y, z, electrons = found.elsewhere[0]
    assert (x, y, z) == pytest.approx(np.array(PAIR[1][0]) * 8.0, abs=0.2)
    assert electrons == pytest.approx(1.0, abs=5e-3)


def test_facets_of_known_lattices() -> None:
    offsets, weights = grid_neighbours(np.diag([0.1, 0.2, 0.4]))
    assert len(offsets) == 6
    assert sorted(weights) == pytest.approx([0.05, 0.05, 0.2, 0.2, 0.8, 0.8])
    # hexagonal: six facets of side a / sqrt 3, two hexagons
    offsets, weights = grid_neighbours(np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, 2.0]]))
    assert len(offsets) == 8
    assert np.sort(weights)[2:] == pytest.approx(np.full(6, 2 / np.sqrt(3)))
    # fcc: rhombic dodecahedron
    offsets, weights = grid_neighbours(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0.0]]))
    assert len(offsets) == 12
    assert weights == pytest.approx(np.full(12, weights[0]))


@pytest.mark.parametrize("steps", [SKEW / 40, np.array([[1, 0, 0], [9.3, 1, 0], [-4.2, 6.1, 1.0]])])
def test_facets_close_the_voronoi_cell(steps: np.ndarray) -> None:
    """A third of area times half the distance, summed over all facets, is the volume; their areas cancel as vectors."""
    offsets, weights = grid_neighbours(steps)
    vectors = offsets @ steps
    distance = np.linalg.norm(vectors, axis=1)
    assert np.sum(weights * distance * distance / 2) / 3 == pytest.approx(abs(np.linalg.det(steps)))
    assert np.abs(weights @ vectors).max() < 1e-9
    # sum of (a / l) v v^T = 2 V 1: what makes the flux of a linear density exact
    assert (vectors.T * weights) @ vectors == pytest.approx(2 * abs(np.linalg.det(steps)) * np.eye(3), abs=1e-9)
