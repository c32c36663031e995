"""Relaxations from several starts: they end in basins, and what an adsorption calculation found is among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sodiophile.atomistic.starts import StartsInputs, plan
from sodiophile.errors import EngineError, InputError

Compute = Callable[..., Any]
GIVEN = {"structure": "Cu", "facet": "100", "adsorbate": "Al", "layers": 4, "sites": "bridge, four-fold hollow"}


def test_starts_end_in_the_hollow_and_agree(compute: Compute) -> None:
    copper = compute(kind="starts", **GIVEN, starts=3)
    rows = copper.result.table("starts").to_dicts()
    assert len(rows) == 6
    assert {row["ended"] for row in rows} == {"four-fold hollow"}
    assert copper.value("part_of_starts:lowest") == 1.0
    assert copper.value("energy_spread:four-fold hollow") < 0.02
    assert copper.result.verdicts["lowest_basin"].answer == "four-fold hollow"
    assert copper.result.draw().get_xlabel() == "ended near"
    lost = copper.again(**{"0_free_0_start_1": {"converged": False}})
    assert any("start 2 from four-fold hollow: not converged" in warning for warning in lost.warnings)
    assert lost.quantities["part_of_starts:lowest"].value == pytest.approx(5 / 6)
    with pytest.raises(EngineError, match="none of the relaxations converged"):
        copper.again(**{f"0_free_{k}_start_{s}": {"converged": False} for k in range(2) for s in range(3)})


def test_the_first_start_is_that_of_an_adsorption_calculation() -> None:
    from sodiophile.atomistic import adsorption

    first = plan(StartsInputs(**GIVEN, engine="emt", starts=2)).after["0 free 0 start 0"]
    alone = adsorption.plan(adsorption.AdsorptionInputs(**GIVEN, engine="emt")).after["0 free 0"]
    assert first.key == alone.key
    with pytest.raises(InputError, match="prerelax"):
        plan(StartsInputs(**GIVEN, engine="emt", prerelax="emt"))
