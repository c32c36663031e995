"""Two slabs on one another: cells, strain, contact, and shifts that are none, with EMT as the judge."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.calculators.emt import EMT
from ase.data import covalent_radii

from sodiophile.atomistic.coincidence import Match, find_matches, registry_cell
from sodiophile.atomistic.interface import gap_A, repeated, stacked, strained
from sodiophile.atomistic.surfaces import build_slabs

ONE = np.eye(2, dtype=int)[None]


def _slab(metal: str, facet: str, layers: int) -> Atoms:
    return build_slabs(bulk(metal, cubic=True), facet, layers=layers)[0].atoms


def _energy(atoms: Atoms) -> float:
    copy = atoms.copy()
    copy.calc = EMT()
    return float(copy.get_potential_energy())


@pytest.fixture(scope="module")
def silver_on_copper() -> tuple[Atoms, Atoms, Match]:
    copper, silver = _slab("Cu", "100", 3), _slab("Ag", "111", 2)
    planes = [np.asarray(slab.cell[:2, :2]) for slab in (copper, silver)]
    match = find_matches(*planes, ONE, ONE, max_area_A2=60.0, max_strain=0.05)[0]
    return copper, strained(silver, match, planes[0]), match


def test_a_repeated_slab_is_the_supercell_of_another_code() -> None:
    slab = _slab("Cu", "111", 2)
    for N in ([[2, 1], [-1, 3]], [[1, 0], [2, 1]], [[0, -2], [3, 1]]):
        ours = repeated(slab, np.array(N))
        theirs = make_supercell(slab, [[*N[0], 0], [*N[1], 0], [0, 0, 1]])
        assert len(ours) == len(theirs) == len(slab) * round(abs(np.linalg.det(N)))
        assert np.allclose(ours.cell[:], theirs.cell[:])
        assert _energy(ours) == pytest.approx(_energy(theirs), abs=1e-9)


def test_a_strained_film_fits_and_thins_where_it_is_stretched(silver_on_copper: tuple[Atoms, Atoms, Match]) -> None:
    copper, film, match = silver_on_copper
    assert np.allclose(match.film @ film.cell[:2, :2], match.substrate @ copper.cell[:2, :2], atol=1e-9)
    thin = np.ptp(film.positions[:, 2]) / np.ptp(_slab("Ag", "111", 2).positions[:, 2]) - 1
    assert np.sign(thin) == -np.sign(match.area_strain)
    assert abs(thin) == pytest.approx(abs(match.area_strain) / 2, rel=1e-6)


def test_contact_is_where_the_closest_pair_touches(silver_on_copper: tuple[Atoms, Atoms, Match]) -> None:
    copper, film, match = silver_on_copper
    split = len(copper) * match.cells[0]
    for shift in ((0.0, 0.0), (0.31, 0.77)):
        both = stacked(copper, film, match, shift, None, 12.0)
        between = both.get_all_distances(mic=True)[:split, split:]
        radii = covalent_radii[both.numbers]
        ratio = between / (radii[:split, None] + radii[None, split:])
        assert ratio.min() == pytest.approx(1.0, abs=1e-9)
        assert both.positions[:, 2].min() == pytest.approx(6.0)
        assert both.cell[2, 2] - both.positions[:, 2].max() == pytest.approx(6.0)


def test_shifts_by_registry_vectors_and_other_cells_of_the_same_match_are_the_same_interface(
    silver_on_copper: tuple[Atoms, Atoms, Match],
) -> None:
    copper, film, match = silver_on_copper
    split = len(copper) * match.cells[0]
    first = stacked(copper, film, match, (0.2, 0.4), 2.4, 12.0)
    assert gap_A(first, split) == pytest.approx(2.4)
    energy = _energy(first)
    for shift in ((1.2, 0.4), (-0.8, 2.4), (7.2, -3.6)):
        assert _energy(stacked(copper, film, match, shift, 2.4, 12.0)) == pytest.approx(energy, abs=1e-6)
    assert abs(_energy(stacked(copper, film, match, (0.7, 0.9), 2.4, 12.0)) - energy) > 1e-3
    other = np.array([[1, 1], [0, 1]])
    sheared = Match(other @ match.substrate, other @ match.film, match.area_A2, match.strains, match.angle_deg)
    # shifts are fractions of a registry cell, which may be another basis of the same lattice
    plane = match.substrate @ np.asarray(copper.cell[:2, :2])
    moved_A = np.array([0.2, 0.4]) @ registry_cell(match) @ plane
    shift = moved_A @ np.linalg.inv(registry_cell(sheared) @ other @ plane)
    assert _energy(stacked(copper, film, sheared, shift, 2.4, 12.0)) == pytest.approx(energy, abs=1e-6)
