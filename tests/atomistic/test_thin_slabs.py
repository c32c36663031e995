"""A slab thinner than the range of its engine is said by every kind of calculation on a surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ase.build import bulk, fcc111

from sodiophile.atomistic.interaction import crowded_layer

Compute = Callable[..., Any]

ADATOM = {"facet": "111", "adsorbate": "Al", "supercell": "1x1"}
METAL = {"facet": "111", "metal": "Al", "metal_layers": 3, "matches": 1, "registries": 1, "max_strain": 0.15}


@pytest.mark.parametrize(
    ("kind", "inputs", "above"),
    [
        ("adsorption", {**ADATOM, "free": False, "distortion": False}, "the adatom"),
        ("site-map", {**ADATOM, "points": 8}, "the adatom"),
        ("starts", {**ADATOM, "starts": 2}, "the adatom"),
        ("substitution", ADATOM, "the adatom"),
        ("diffusion", {**ADATOM, "images": 3, "max_hops": 1}, "the adatom"),
        ("adhesion", METAL, "the metal"),
    ],
)
def test_a_thin_slab_is_said(kind: str, inputs: dict[str, Any], above: str, compute: Compute) -> None:
    done = compute(kind, structure="Cu", layers=2, fixed_layers=1, **inputs)
    said = [text for text in done.result.warnings if "thinner than the" in text]
    assert len(said) == 1
    assert f"{above} feels the missing crystal below; ask for more layers" in said[0]


def test_a_thick_one_is_not(compute: Compute) -> None:
    done = compute(structure="Cu", layers=4, free=False, distortion=False, **ADATOM)
    assert not [text for text in done.result.warnings if "thinner than the" in text]


@pytest.mark.parametrize(("a_A", "said"), [(3.61, True), (2 * 3.61, False), (3.66 * 2**0.5, False)])
def test_adatoms_closer_than_in_their_metal_are_said(a_A: float, said: bool) -> None:
    """Neighbours in bcc sodium of a = 4.23 are 3.66 apart."""
    found = crowded_layer("Cu(111)", fcc111("Cu", (1, 1, 2), a=a_A, vacuum=8), bulk("Na", "bcc", a=4.23))
    assert bool(found) == said
    if said:
        assert "stand 2.55 angstrom apart, closer than atoms of bulk Na, 3.66" in found[0]
