"""Anomalies, each brought about on purpose."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc100

from sodiophile.atomistic.adsorption_anomalies import anomalies, nearest_neighbours
from sodiophile.atomistic.sites import Site, find_sites, place

SLAB = fcc100("Cu", (3, 3, 4), vacuum=8.0)
SLAB.pbc = (True, True, False)
SITES = {site.label: site for site in find_sites(SLAB, "Na")}
HOLLOW = SITES["four-fold hollow"]


def _covered(site: Site = HOLLOW) -> Atoms:
    return place(SLAB, site, "Na")


def _odd(covered: Atoms, *, start: Site = HOLLOW, held: bool = False) -> list[str]:
    return anomalies(SLAB, covered, start, list(SITES.values()), held=held)


@pytest.mark.parametrize("label", sorted(SITES))
def test_an_adatom_at_contact_is_nothing_odd(label: str) -> None:
    assert _odd(_covered(SITES[label]), start=SITES[label]) == []


def test_moved_to_another_site() -> None:
    assert _odd(_covered(SITES["bridge"])) == ["moved to bridge"]
    # held in the plane it cannot have moved, whatever the nearest label
    assert _odd(_covered(SITES["bridge"]), held=True) == []


def test_an_equivalent_site_is_the_same_site() -> None:
    covered = _covered()
    step = np.array(HOLLOW.equivalents[1]) - np.array(HOLLOW.fractional)
    covered.positions[-1, :2] += step @ covered.cell[:2, :2]
    covered.positions[-1] += covered.cell[0]
    assert _odd(covered) == []


def test_desorbed() -> None:
    covered = _covered()
    covered.positions[-1, 2] += 3.0
    assert _odd(covered) == ["desorbed"]


def test_overlap() -> None:
    covered = _covered(SITES["top Cu"])
    covered.positions[-1, 2] -= 1.4
    assert any(text.startswith("overlap") for text in _odd(covered, start=SITES["top Cu"]))


def test_surface_changed() -> None:
    covered = _covered()
    top = int(np.argmax(covered.positions[:-1, 2]))
    covered.positions[top] += (0.4, 0.4, 0.3)
    assert any(text == "surface changed: an atom moved 0.64 A" for text in _odd(covered))
    # through the boundary of the cell is no move
    covered = _covered()
    covered.positions[top] += covered.cell[0] - covered.cell[1]
    assert _odd(covered) == []


def test_intercalated() -> None:
    covered = _covered()
    covered.positions[-1, 2] -= 2.5
    assert any(text.startswith("intercalated: 2.5 A") for text in _odd(covered))


def test_neighbours_are_named_and_counted() -> None:
    text = nearest_neighbours(_covered())
    assert text.startswith("Cu ")
    assert text.endswith("x4")
