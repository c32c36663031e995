"""The map of adsorption energies with EMT: it goes through the sites of an adsorption calculation, whose work it shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sodiophile.atomistic import calculation
from sodiophile.errors import EngineError, InputError
from sodiophile.schema import checked

Compute = Callable[..., Any]
GIVEN = {"structure": "Cu", "facet": "100", "adsorbate": "Al", "layers": 4}


def _plan(kind: str, **inputs: Any) -> Any:
    chosen = calculation(kind)
    return chosen.plan(checked(chosen.inputs, {"engine": "emt", **inputs}, kind))


@pytest.fixture
def copper(compute: Compute) -> Any:
    return compute(kind="site-map", **GIVEN)


def test_the_map_goes_through_the_energies_of_the_sites(copper: Any, compute: Compute) -> None:
    sites = compute(**GIVEN, free=False)
    held = {name: sites.value(f"adsorption_energy_vs_bulk:{name}") for name in ("top Cu", "bridge", "four-fold hollow")}
    points = copper.result.table("points")
    computed = dict(zip(points["site"], points["energy_eV"], strict=True))
    assert {name: computed[name] for name in held} == pytest.approx(held, abs=1e-9)
    table = {row["near"]: row for row in copper.result.table("stationary points").to_dicts()}
    assert {name: row["kind"] for name, row in table.items()} == {
        "four-fold hollow": "minimum", "bridge": "saddle", "top Cu": "maximum"
    }  # fmt: skip
    error = copper.value("interpolation_error")
    assert error < 0.01
    for name, energy in held.items():
        assert table[name]["adsorption_energy_vs_bulk_eV"] == pytest.approx(energy, abs=4 * error)
    barrier = copper.result.quantities["barrier:one direction"]
    assert barrier.value == pytest.approx(held["bridge"] - held["four-fold hollow"], abs=4 * error)
    assert copper.value("barrier:all directions") == pytest.approx(barrier.value, abs=1e-9)
    assert copper.result.verdicts["most_stable_site"].answer == "four-fold hollow"
    assert copper.result.verdicts["map"].answer == "smooth"
    path = copper.result.table("path")
    assert path["energy_eV"].max() == pytest.approx(
        copper.value("adsorption_energy_vs_bulk:minimum") + barrier.value, abs=1e-6
    )
    # from hollow to hollow over the bridge: one lattice vector
    assert path["distance_A"].max() == pytest.approx(3.589 / np.sqrt(2), abs=0.05)
    documented = set(calculation("site-map").quantities or {})
    assert set(copper.result.quantities) == documented


def test_work_is_shared_with_an_adsorption_calculation() -> None:
    site_map, adsorption = _plan("site-map", **GIVEN, points=12), _plan("adsorption", **GIVEN)
    shared = {task.key for task in site_map.walk()} & {task.key for task in adsorption.walk()}
    labels = {task.label for task in adsorption.walk() if task.key in shared}
    assert labels == {
        "Cu crystal",
        "Al crystal",
        "Cu(100) clean",
        "Cu(100) top Cu",
        "Cu(100) bridge",
        "Cu(100) four-fold hollow",
    }
    assert len({task.key for task in site_map.walk()}) == 4 + len(site_map.inputs["points"])


def test_two_hollows_of_fcc_111_and_the_bridge_between(compute: Compute) -> None:
    result = compute(
        kind="site-map", structure="Cu", facet="111", adsorbate="Cu", layers=3, supercell="2x2", points=16
    ).result
    minima = {row["near"] for row in result.table("stationary points").to_dicts() if row["kind"] == "minimum"}
    assert minima == {"three-fold hollow (fcc)", "three-fold hollow (hcp)"}
    assert 0 < result.quantities["barrier:all directions"].value < result.quantities["corrugation"].value


def test_it_can_be_drawn(copper: Any) -> None:
    axes = copper.result.draw()
    assert axes.get_xlabel() == "x (Å)"
    assert "Al on Cu(100)" in axes.get_title()
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"minimum", "saddle", "lowest path"}


def test_a_facet_with_several_terminations_asks_for_one(tmp_path: Any) -> None:
    from ase.build import bulk
    from ase.io import write

    write(tmp_path / "VN.cif", bulk("VN", "rocksalt", a=4.13, cubic=True))
    given = {"structure": tmp_path / "VN.cif", "facet": "111", "adsorbate": "Na", "engine": "emt"}
    with pytest.raises(InputError, match=r"terminations: this facet has the terminations (V, N|N, V)"):
        _plan("site-map", **given)
    assert _plan("site-map", **given, terminations="V").inputs["surface"]["termination"] == "V"


def test_points_that_do_not_converge_are_left_out_and_too_many_end_it(copper: Any) -> None:
    lost = {f"site_{i}": {"converged": False} for i in (3, 4)}
    result = copper.again(**lost)
    assert sum("left out of the map" in warning for warning in result.warnings) == 2
    assert result.quantities["corrugation"].value == pytest.approx(copper.value("corrugation"), abs=0.02)
    with pytest.raises(EngineError, match="points did not converge within 200 steps"):
        copper.again(**{f"site_{i}": {"converged": False} for i in range(15)})
