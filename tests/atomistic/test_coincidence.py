"""Common cells: none missed against brute force, each told once, invariant to the cell it is asked with; known cases."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.atomistic.coincidence import (
    Match,
    deformation,
    find_matches,
    front,
    normal_forms,
    registries,
    registry_cell,
    stretch_of,
)
from sodiophile.atomistic.surfaces import build_slabs
from sodiophile.atomistic.symmetry2d import distance_2d, plane_group, reduce_2d
from sodiophile.errors import InputError

ONE = np.eye(2, dtype=int)[None]


def _surface(crystal: str, facet: str, **more: object) -> tuple[np.ndarray, np.ndarray]:
    slab = build_slabs(bulk(crystal, cubic=True, **more), facet)[0].atoms
    group = plane_group(slab.positions, slab.numbers, np.asarray(slab.cell[:2, :2]))
    return group.cell_A, group.rotations


def _strains(match: Match, substrate: np.ndarray, film: np.ndarray) -> tuple[float, float]:
    low, high = np.linalg.eigvalsh(stretch_of(deformation(match, substrate, film))) - 1
    return float(high), float(low)


def test_sublattices_are_as_many_as_the_divisors_add_up_to() -> None:
    for n in (1, 2, 6, 12):
        forms = list(normal_forms(n))
        assert len(forms) == sum(d for d in range(1, n + 1) if n % d == 0)
        assert all(round(np.linalg.det(form)) == n for form in forms)


def test_a_surface_fits_on_itself() -> None:
    cell, rotations = _surface("Cu", "100")
    found = find_matches(cell, cell, rotations, rotations, max_area_A2=8.0, max_strain=0.01)
    assert [match.cells for match in found] == [(1, 1)]
    assert found[0].largest_strain == pytest.approx(0.0, abs=1e-12)
    assert found[0].angle_deg == pytest.approx(0.0, abs=1e-9)
    # fcc(111) has three-fold sides on a six-fold lattice: the crystal and its twin
    cell, rotations = _surface("Cu", "111")
    found = find_matches(cell, cell, rotations, rotations, max_area_A2=8.0, max_strain=0.01)
    assert [round(abs(match.angle_deg), 6) for match in found] == [0.0, 60.0]
    assert front(found) == [0, 1]


def test_bcc_110_on_rocksalt_001() -> None:
    """Na(110) on VN(001), by hand: rows of Na 3 a_Na sqrt(2) / 2 along two diagonals, and so on."""
    vn, vn_operations = _surface("VN", "001", crystalstructure="rocksalt", a=4.139)
    na, na_operations = _surface("Na", "110", a=4.23)
    found = find_matches(vn, na, vn_operations, na_operations, max_area_A2=60.0, max_strain=0.05)
    assert [match.cells for match in found] == [(6, 4), (6, 4), (7, 5)]
    strain = 3 * 4.139 / np.sqrt(2) / (2 * 4.23) - 1, 2 * 4.139 / np.sqrt(2) / (4.23 * np.sqrt(2)) - 1
    assert sorted(found[0].strains) == pytest.approx(sorted(strain), abs=1e-6)


@pytest.mark.parametrize(("film_A", "angle"), [([[3.0, 0.0], [-1.3, 4.1]], 0.0), ([[3.3, 0.0], [0.0, 3.3]], 0.3)])
def test_none_is_missed_against_brute_force(film_A: list[list[float]], angle: float) -> None:
    """All pairs of vectors up to three cells long, without any of what makes the search quick."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    substrate, film = np.array([[2.9, 0.0], [0.0, 2.9]]), reduce_2d(np.array(film_A) @ turn)
    limit, area = 0.06, 35.0
    found = find_matches(substrate, film, ONE, ONE, max_area_A2=area, max_strain=limit)
    best: dict[tuple[int, int], float] = {}
    entries = [np.reshape(m, (2, 2)) for m in product(range(-3, 4), repeat=4)]
    films = np.array([m for m in entries if 1 <= round(np.linalg.det(m)) <= 4])
    for form in (f for n in range(1, int(area / 8.41) + 1) for f in normal_forms(n)):
        M = np.linalg.solve(films @ film, np.broadcast_to(form @ substrate, (len(films), 2, 2)))
        worst = np.abs(np.sqrt(np.linalg.eigvalsh(M @ np.swapaxes(M, 1, 2))) - 1).max(axis=1)
        for i in np.flatnonzero(worst <= limit):
            pair = round(np.linalg.det(form)), round(np.linalg.det(films[i]))
            minors = np.hstack([form, films[i]])
            divisor = np.gcd.reduce([round(np.linalg.det(minors[:, [a, b]])) for a in range(4) for b in range(a + 1, 4)])
            if divisor == 1:
                best[pair] = min(best.get(pair, 1.0), float(worst[i]))
    told: dict[tuple[int, int], float] = {}
    for match in found:
        told[match.cells] = min(told.get(match.cells, 1.0), match.largest_strain)
    assert set(told) == set(best)
    assert told == pytest.approx(best, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.floats(3.0, 4.5), st.floats(0.0, 2.0), st.floats(3.0, 4.5), st.floats(0.0, 6.28))
def test_what_is_told_holds(a: float, lean: float, b: float, angle: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    substrate = np.array([[3.1, 0.0], [-1.55, 2.7]])
    film = reduce_2d(np.array([[a, 0.0], [-lean, b]]) @ turn)
    found = find_matches(substrate, film, ONE, ONE, max_area_A2=60.0, max_strain=0.04)
    keys = set()
    for match in found:
        assert match.area_A2 <= 60.0 + 1e-6
        assert match.largest_strain <= 0.04 + 1e-6
        assert match.strains == pytest.approx(_strains(match, substrate, film), abs=1e-9)
        areas = [abs(np.linalg.det(n @ cell)) for n, cell in ((match.substrate, substrate), (match.film, film))]
        assert areas[0] / areas[1] - 1 == pytest.approx(match.area_strain, abs=1e-9)
        assert np.linalg.det(deformation(match, substrate, film)) > 0  # turned, never mirrored
        keys.add((match.substrate.tobytes(), match.film.tobytes()))
    assert len(keys) == len(found)
    # a film that is turned first is the same set of matches
    turned = find_matches(substrate, film @ turn, ONE, ONE, max_area_A2=60.0, max_strain=0.04)
    assert [m.cells for m in turned] == [m.cells for m in found]
    assert [m.largest_strain for m in turned] == pytest.approx([m.largest_strain for m in found], abs=1e-9)


def test_shifts_by_a_registry_vector_are_no_shifts() -> None:
    """Atoms of the film over those of the substrate: the set of all offsets is periodic with the registry cell."""
    substrate, film = np.eye(2) * 2.9, np.array([[3.66, 0.0], [-1.22, 3.45]])
    match = find_matches(substrate, film, ONE, ONE, max_area_A2=120.0, max_strain=0.05)[0]
    common = match.substrate @ substrate
    small = registry_cell(match) @ common
    n, m = match.cells
    assert abs(np.linalg.det(small)) == pytest.approx(abs(np.linalg.det(common)) / (n * m), rel=1e-6)
    for vector in (*substrate, *(film @ deformation(match, substrate, film))):
        assert np.allclose(vector @ np.linalg.inv(small), np.rint(vector @ np.linalg.inv(small)), atol=1e-6)


def test_shifts_to_try_hold_the_points_of_symmetry_and_keep_apart() -> None:
    cell = np.array([[2.9, 0.0], [0.0, 2.9]])
    shifts = registries(cell)
    assert shifts[:4] == [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)]
    for i, first in enumerate(shifts):
        for second in shifts[:i]:
            assert distance_2d(np.array(first) - second, cell) > 0.5
    assert registries(0.1 * cell) == [(0.0, 0.0)]


def test_the_front_has_less_strain_with_every_larger_area() -> None:
    vn, vn_operations = _surface("VN", "001", crystalstructure="rocksalt", a=4.139)
    na, na_operations = _surface("Na", "110", a=4.23)
    found = find_matches(vn, na, vn_operations, na_operations, max_area_A2=90.0, max_strain=0.05)
    chosen = [found[i] for i in front(found)]
    assert [match.cells for match in chosen] == [(6, 4), (6, 4), (7, 5), (10, 7)]
    assert all(one.largest_strain >= other.largest_strain for one, other in pairwise(chosen))


def test_an_area_without_a_cell_or_with_too_many_is_refused() -> None:
    with pytest.raises(InputError, match=r"max_area: 5 A2 hold 0 surface cells of 9\.00 A2, expected 1 to 400"):
        find_matches(3 * np.eye(2), 3 * np.eye(2), ONE, ONE, max_area_A2=5.0, max_strain=0.02)
    with pytest.raises(InputError, match="max_area"):
        find_matches(np.eye(2), np.eye(2), ONE, ONE, max_area_A2=500.0, max_strain=0.02)
