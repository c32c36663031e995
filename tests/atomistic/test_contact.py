from collections import Counter

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.atomistic.contact import contact_distance_A, critical_points, layers_from_top, levelled, sphere_height_A
from sodiophile.atomistic.sites import find_sites
from sodiophile.atomistic.structures import metal_crystal
from sodiophile.atomistic.surfaces import build_slabs

CELL = np.array([[3.0, 0.0], [0.0, 3.0]])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 6),
    skew=st.floats(-0.4, 0.4),
    stretch=st.floats(0.8, 1.6),
    rough=st.floats(0.0, 1.5),
)
def test_maxima_saddles_and_minima_balance(seed, n, skew, stretch, rough):
    """On a closed height surface without degeneracy, maxima - saddles + minima = 0."""
    random = np.random.default_rng(seed)
    side = 2.6 * np.sqrt(n)
    cell = np.array([[side, 0.0], [skew * side, stretch * side]])
    positions = np.column_stack([random.random((n, 2)) @ cell, rough * random.random(n)])
    # a closed floor, so that no ball falls through
    size = max(2, int(np.ceil(side * stretch / 2.0)))
    floor = np.array([[i / size, j / size] for i in range(size) for j in range(size)])
    floor += 0.2 * random.random(floor.shape) / size
    positions = np.vstack([positions, np.column_stack([floor @ cell, np.full(len(floor), -2.0)])])
    kinds = Counter(p.kind for p in critical_points(positions, cell, 3.3))
    assert kinds["top"] > 0
    assert kinds["top"] - kinds["bridge"] + kinds["hollow"] == 0


def test_the_height_over_one_atom_is_that_of_its_sphere():
    atom = np.array([[1.0, 1.0, 5.0]])
    reach = np.array([1.4])
    assert sphere_height_A(np.array([1.0, 1.0]), atom, CELL, reach) == pytest.approx(6.4)
    assert sphere_height_A(np.array([1.0, 4.0 + 0.6]), atom, CELL, reach) == pytest.approx(5 + np.sqrt(1.4**2 - 0.36))
    assert sphere_height_A(np.array([2.5, 2.5]), atom, CELL, reach) is None


@pytest.mark.parametrize("distance_A", [2.2, 3.0, 5.0])
def test_a_square_lattice_has_its_four_points_whatever_the_ball(distance_A):
    points = critical_points(np.array([[0.2, 0.3, 0.0]]), CELL, distance_A)
    assert Counter(p.kind for p in points) == {"top": 1, "bridge": 2, "hollow": 1}
    hollow = next(p for p in points if p.kind == "hollow")
    assert hollow.fractional @ CELL == pytest.approx([1.7, 1.8])
    assert len(hollow.contacts) == 4


def test_a_ball_smaller_than_the_hole_finds_no_hollow():
    points = critical_points(np.array([[0.0, 0.0, 0.0]]), CELL, 2.0)
    assert "hollow" not in {p.kind for p in points}


def test_layers_are_counted_from_the_top():
    z = np.array([0.0, 2.0, 4.0, 4.3, 1.9])
    assert list(layers_from_top(z)) == [3, 2, 1, 1, 2]
    positions = np.column_stack([np.zeros((5, 2)), z])
    assert levelled(positions)[:, 2] == pytest.approx([0.0, 1.95, 4.15, 4.15, 1.95])


def test_the_common_contact_distance_grows_with_the_adsorbate():
    distances = [contact_distance_A(np.array([23, 7]), z) for z in (3, 11, 19)]
    assert distances == sorted(distances)


def test_what_lies_under_a_distant_roof_is_not_reached():
    (sheet,) = build_slabs(metal_crystal("Cu"), "111", layers=1, vacuum_A=40.0)
    both = sheet.atoms.copy()
    lower = sheet.atoms.copy()
    lower.translate((0, 0, -9.0))
    both.extend(lower)
    assert [(s.label, s.equivalents) for s in find_sites(both)] == [(s.label, s.equivalents) for s in find_sites(sheet)]


def test_the_foot_of_a_tower_is_reached():
    """Five atoms on one another, higher than the reach of the ball: the hollows between the towers are sites still."""
    (slab,) = build_slabs(metal_crystal("Cu"), "100", layers=1, supercell=(6, 6), vacuum_A=40.0)
    atoms = slab.atoms.copy()
    atoms.extend(Atoms("Cu5", positions=[atoms.positions[0] + (0, 0, 2.2 * n) for n in range(1, 6)]))
    labels = [s.label for s in find_sites(atoms)]
    assert sum(label.startswith("top Cu") for label in labels) > 1
    assert any(label.startswith("four-fold hollow") for label in labels)
