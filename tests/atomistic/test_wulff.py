"""The equilibrium shape: solids whose areas are known from geometry."""

from __future__ import annotations

from math import sqrt

import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.atomistic.wulff import area_fractions

CUBIC = bulk("Cu", cubic=True)


def test_one_family_is_a_cube() -> None:
    assert area_fractions(CUBIC, {(0, 0, 1): 1.3}) == pytest.approx({"(001)": 1.0})


def test_a_facet_beyond_the_corner_of_the_cube_is_not_there() -> None:
    found = area_fractions(CUBIC, {(0, 0, 1): 1.0, (1, 1, 1): 1.001 * sqrt(3)})
    assert found["(111)"] == pytest.approx(0.0, abs=1e-12)
    found = area_fractions(CUBIC, {(0, 0, 1): 1.001 * sqrt(3), (1, 1, 1): 1.0})
    assert found == pytest.approx({"(001)": 0.0, "(111)": 1.0}, abs=1e-12)


def test_the_regular_truncated_octahedron() -> None:
    """Edge a: squares at a sqrt(2), area 6 a^2; hexagons at a sqrt(6) / 2, area 12 sqrt(3) a^2."""
    found = area_fractions(CUBIC, {(0, 0, 1): sqrt(2), (1, 1, 1): sqrt(6) / 2})
    assert found["(001)"] == pytest.approx(6 / (6 + 12 * sqrt(3)), rel=1e-6)


def test_the_prism_of_a_tetragonal_crystal() -> None:
    """Box of half-widths 1, 1, 2: two squares of 4, four rectangles of 8."""
    tetragonal = CUBIC.copy()
    tetragonal.set_cell(tetragonal.cell * [1.0, 1.0, 1.2], scale_atoms=True)
    found = area_fractions(tetragonal, {(0, 0, 1): 2.0, (1, 0, 0): 1.0})
    assert found == pytest.approx({"(001)": 8 / 40, "(100)": 32 / 40})


def test_nothing_where_facets_close_no_body_or_cost_nothing() -> None:
    tetragonal = CUBIC.copy()
    tetragonal.set_cell(tetragonal.cell * [1.0, 1.0, 1.2], scale_atoms=True)
    assert area_fractions(tetragonal, {(0, 0, 1): 1.0}) == {}
    assert area_fractions(CUBIC, {(0, 0, 1): -0.1}) == {}
    assert area_fractions(CUBIC, {}) == {}


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.floats(0.5, 2.0)] * 3), st.floats(0.1, 10.0))
def test_fractions_add_up_and_do_not_depend_on_the_unit(energies: tuple[float, float, float], unit: float) -> None:
    facets = [(0, 0, 1), (0, 1, 1), (1, 1, 1)]
    found = area_fractions(CUBIC, dict(zip(facets, energies, strict=True)))
    assert sum(found.values()) == pytest.approx(1.0)
    again = area_fractions(CUBIC, {facet: unit * energy for facet, energy in zip(facets, energies, strict=True)})
    assert again == pytest.approx(found, abs=1e-6)
