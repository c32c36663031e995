"""Every kind of calculation, given too few steps, an element that its engine does not know: one line, no number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sodiophile.errors import EngineError

Compute = Callable[..., Any]

ADATOM = {"structure": "Cu", "facet": "111", "adsorbate": "Al", "supercell": "1x1", "layers": 3}
KINDS: dict[str, dict[str, Any]] = {
    "bulk": {"structure": "Cu"},
    "surface-energy": {"structure": "Cu", "facets": "111"},
    "stability": {"structure": "Cu", "metal": "Al", "elements": "Cu"},
    "adhesion": {"structure": "Cu", "facet": "111", "metal": "Al", "matches": 1, "registries": 1, "max_strain": 0.15},
    "adsorption": ADATOM,
    "site-map": ADATOM,
    "starts": ADATOM,
    "substitution": ADATOM,
    "diffusion": ADATOM,
    "convergence": {**ADATOM, "series": "layers"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_crystal_that_did_not_relax_gives_no_number(kind: str, compute: Compute) -> None:
    with pytest.raises(EngineError, match=r"did not relax within 1 steps .*raise max_steps") as caught:
        compute(kind, **KINDS[kind], max_steps=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_element_that_the_engine_does_not_know_is_named(kind: str, compute: Compute) -> None:
    given = {name: value for name, value in KINDS[kind].items() if name != "elements"} | {"structure": "Na"}
    with pytest.raises(EngineError, match=r"the engine failed on Na.*: .*No EMT-potential for Na") as caught:
        compute(kind, **given)
    assert "\n" not in str(caught.value)
