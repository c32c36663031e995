"""Hirshfeld charges on sums of spherical atoms, where they are known."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.hirshfeld import FreeAtom, hirshfeld
from sodiophile.errors import InputError

CELL = np.array([[7.0, 0.0, 0.0], [2.0, 6.0, 0.0], [0.0, -1.0, 9.0]])
SHAPE = (42, 42, 54)
R = np.linspace(0, 6, 3000)


def atom(electrons: float, sigma_A: float) -> FreeAtom:
    return FreeAtom(R, electrons * np.exp(-0.5 * (R / sigma_A) ** 2) / (2 * np.pi * sigma_A**2) ** 1.5)


FREE = {"Na": atom(1.0, 1.1), "Cl": atom(7.0, 0.7)}
NUCLEAR = {"Na": 1.0, "Cl": 7.0}
SYMBOLS = ["Na", "Cl"]
POSITIONS = np.array([[0.3, 0.4, 0.4], [0.4, 0.5, 0.68]]) @ CELL


def on_grid(symbol: str, position: np.ndarray) -> np.ndarray:
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in SHAPE), indexing="ij"), axis=-1)
    values = np.zeros(SHAPE)
    for shift in np.ndindex(3, 3, 3):
        d = np.linalg.norm((grid + np.array(shift) - 1.0) @ CELL - position, axis=-1)
        values += np.interp(d, FREE[symbol].r_A, FREE[symbol].density_e_A3, right=0.0)
    return values


def promolecule() -> np.ndarray:
    return on_grid("Na", POSITIONS[0]) + on_grid("Cl", POSITIONS[1])


def test_a_free_atom_has_its_electrons() -> None:
    assert FREE["Cl"].electrons() == pytest.approx(7.0, abs=1e-6)


def test_free_atoms_side_by_side_are_neutral() -> None:
    found = hirshfeld(Field(promolecule(), CELL), SYMBOLS, POSITIONS, FREE, NUCLEAR)
    assert found.charges_e == pytest.approx([0.0, 0.0], abs=2e-3)
    assert abs(found.unassigned_electrons) < 1e-4


def test_what_one_atom_gives_another_gets() -> None:
    moved = promolecule() + 0.4 * on_grid("Cl", POSITIONS[1]) / 7.0 - 0.4 * on_grid("Na", POSITIONS[0])
    found = hirshfeld(Field(moved, CELL), SYMBOLS, POSITIONS, FREE, NUCLEAR)
    assert found.charges_e.sum() == pytest.approx(0.0, abs=2e-3)
    # some of what left is in the region that both share
    assert 0.05 < found.charges_e[0] < 0.4


def test_far_atoms_keep_their_whole_charge() -> None:
    free = {"Na": atom(1.0, 0.4), "Cl": atom(7.0, 0.4)}
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in SHAPE), indexing="ij"), axis=-1)
    positions = np.array([[0.25, 0.25, 0.25], [0.75, 0.75, 0.75]]) @ CELL
    values = np.zeros(SHAPE)
    for position, electrons in zip(positions, (0.3, 7.7), strict=True):
        d = np.linalg.norm(grid @ CELL - position, axis=-1)
        values += electrons * np.exp(-0.5 * (d / 0.4) ** 2) / (2 * np.pi * 0.4**2) ** 1.5
    found = hirshfeld(Field(values, CELL), SYMBOLS, positions, free, NUCLEAR)
    assert found.charges_e == pytest.approx([0.7, -0.7], abs=2e-3)


def test_moving_everything_changes_nothing() -> None:
    density = Field(promolecule() + 0.4 * on_grid("Cl", POSITIONS[1]) / 7.0, CELL)
    plain = hirshfeld(density, SYMBOLS, POSITIONS, FREE, NUCLEAR).charges_e
    shift = (11, -3, 30)
    moved = hirshfeld(
        density.moved(shift), SYMBOLS, POSITIONS + np.array(shift) @ density.steps_A + 2 * CELL[0], FREE, NUCLEAR
    )
    assert moved.charges_e == pytest.approx(plain, abs=1e-9)


def test_an_element_without_a_free_atom_is_refused() -> None:
    with pytest.raises(InputError, match="free atom of K"):
        hirshfeld(Field(promolecule(), CELL), ["K", "Cl"], POSITIONS, FREE, NUCLEAR)
