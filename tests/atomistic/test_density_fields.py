"""Fields, their differences and sections, on densities whose integrals are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sodiophile.atomistic.density_difference import cumulative, density_difference, displaced, section
from sodiophile.atomistic.fields import Field
from sodiophile.errors import InputError

CELL = np.array([[6.0, 0.0, 0.0], [1.5, 7.0, 0.0], [0.5, -0.8, 10.0]])


def gaussian(shape: tuple[int, int, int], fraction: tuple[float, float, float], electrons: float, sigma_A: float) -> Field:
    """A normalized Gaussian and its periodic images."""
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)
    values = np.zeros(shape)
    for shift in np.ndindex(3, 3, 3):
        d = (grid - np.array(fraction) + np.array(shift) - 1.0) @ CELL
        values += np.exp(-0.5 * np.sum(d**2, axis=-1) / sigma_A**2)
    return Field(values * electrons / (2 * np.pi * sigma_A**2) ** 1.5, CELL)


def test_the_integral_of_a_gaussian_is_its_charge_in_any_cell() -> None:
    field = gaussian((24, 28, 40), (0.3, 0.9, 0.5), 3.0, 0.7)
    assert field.integral() == pytest.approx(3.0, abs=1e-9)
    assert field.planar_sum().sum() * field.height_A / 40 == pytest.approx(3.0, abs=1e-9)
    assert field.height_A == pytest.approx(10.0)
    assert field.area_A2 == pytest.approx(42.0)


def test_a_moved_charge_is_accumulated_there_and_depleted_here() -> None:
    shape = (24, 28, 60)
    whole = gaussian(shape, (0.5, 0.5, 0.75), 1.5, 0.6)
    part = gaussian(shape, (0.5, 0.5, 0.25), 1.5, 0.6)
    difference = density_difference(whole, part)
    moved = displaced(difference)
    assert moved.accumulated_e == pytest.approx(1.5, abs=1e-4)
    assert moved.depleted_e == pytest.approx(-1.5, abs=1e-4)
    assert abs(moved.net_e) < 1e-9
    # all of it has left the lower half: half way up, the charge displaced to below is -1.5
    below = cumulative(difference)
    assert below[30] == pytest.approx(-1.5, abs=1e-3)
    assert abs(below[0]) < 1e-3
    assert abs(below[-1]) < 1e-3


def test_parts_in_place_of_the_whole_leave_nothing() -> None:
    shape = (12, 14, 20)
    a, b = gaussian(shape, (0.2, 0.2, 0.4), 2.0, 1.0), gaussian(shape, (0.7, 0.6, 0.5), 1.0, 0.8)
    difference = density_difference(Field(a.values + b.values, CELL), a, b)
    assert np.abs(difference.values).max() < 1e-12


def test_grids_that_differ_are_refused() -> None:
    field = gaussian((12, 14, 20), (0.2, 0.2, 0.4), 2.0, 1.0)
    with pytest.raises(InputError, match="12x14x20 and 12x14x22 points"):
        density_difference(field, gaussian((12, 14, 22), (0.2, 0.2, 0.4), 2.0, 1.0))
    with pytest.raises(InputError, match=r"cells of two grids differ by up to 0\.01"):
        density_difference(field, Field(field.values, CELL + 0.01 * np.eye(3)))
    with pytest.raises(InputError, match=r"1\.000 electrons more than its parts"):
        density_difference(field, Field(field.values / 2, CELL))
    with pytest.raises(InputError, match="at least one part"):
        density_difference(field)


@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.zeros((0, 2, 2)), np.full((2, 2, 2), np.nan)])
def test_what_is_no_grid_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(InputError):
        Field(bad, CELL)
    with pytest.raises(InputError, match="span a volume"):
        Field(np.zeros((2, 2, 2)), np.ones((3, 3)))


def test_thinning_keeps_the_integral_and_the_shape() -> None:
    fine = gaussian((30, 36, 50), (0.5, 0.5, 0.5), 2.0, 1.0)
    coarse = fine.thinned(0.6)
    assert coarse.shape == (10, 12, 17)
    assert coarse.integral() == pytest.approx(fine.integral(), abs=1e-12)
    again = gaussian((10, 12, 17), (0.5, 0.5, 0.5), 2.0, 1.0)
    assert np.abs(coarse.values - again.values).max() < 0.01 * again.values.max()
    assert fine.thinned(0.01) is fine


def test_moving_by_whole_points_moves_the_charge() -> None:
    field = gaussian((24, 28, 40), (0.25, 0.5, 0.5), 1.0, 0.7)
    other = gaussian((24, 28, 40), (0.5, 0.5, 0.25), 1.0, 0.7)
    assert np.abs(field.moved((6, 0, -10)).values - other.values).max() < 1e-12


def test_a_section_through_a_charge_shows_its_profile() -> None:
    field = gaussian((48, 56, 80), (0.5, 0.5, 0.5), 1.0, 0.8)
    centre = np.array([0.5, 0.5, 0.5]) @ CELL
    along, height, values = section(field, centre, np.array([3.0, 4.0]))
    assert along[[0, -1]] == pytest.approx([-2.5, 2.5])
    expected = np.exp(-0.5 * (along[:, None] ** 2 + (height[None, :] - centre[2]) ** 2) / 0.8**2)
    assert np.abs(values - values.max() * expected).max() < 0.02 * values.max()


def test_a_packed_field_comes_back_to_a_65000th_of_its_largest_value() -> None:
    field = gaussian((12, 14, 20), (0.2, 0.2, 0.4), -2.0, 1.0)
    again = Field.unpacked(json.loads(json.dumps(field.packed())))
    assert np.abs(again.values - field.values).max() <= 0.51 * np.abs(field.values).max() / 32767
    assert np.allclose(again.cell_A, CELL)
    nothing = Field(np.zeros((3, 4, 5)), CELL)
    assert not Field.unpacked(nothing.packed()).values.any()


@pytest.mark.parametrize(
    "change",
    [{"shape": [12, 14, 21]}, {"shape": [0, 1, 1]}, {"values": "AAAA"}, {"values": "<>"}, {"scale": "x"}, {"cell_A": [1]}],
)
def test_a_damaged_packed_field_is_one_line(change: dict[str, object]) -> None:
    data = gaussian((12, 14, 20), (0.2, 0.2, 0.4), 2.0, 1.0).packed() | change
    with pytest.raises(InputError):
        Field.unpacked(data)


def test_smoothing_keeps_the_integral_and_widens_a_gaussian_as_it_should() -> None:
    field = gaussian((30, 34, 48), (0.5, 0.5, 0.5), 2.0, 0.6)
    smooth = field.thinned(0.3, 0.5)
    assert smooth.integral() == pytest.approx(2.0, abs=1e-6)
    expected = gaussian(smooth.shape, (0.5, 0.5, 0.5), 2.0, float(np.hypot(0.6, 0.5)))
    assert np.abs(smooth.values - expected.values).max() < 2e-3 * expected.values.max()
