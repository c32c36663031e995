"""An adatom in place of a surface atom, and below the first layer: identities that hold whatever the potential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sodiophile.atomistic import calculation
from sodiophile.atomistic.substitution import SubstitutionInputs, plan
from sodiophile.errors import InputError

Compute = Callable[..., Any]


def test_an_atom_in_the_place_of_its_own_kind_costs_nothing(compute: Compute) -> None:
    copper = compute(kind="substitution", structure="Cu", facet="100", adsorbate="Cu", layers=5, fmax="0.005 eV/angstrom")
    for depth in (1, 2):
        assert copper.value(f"energy_vs_bulk:for Cu in layer {depth}") == pytest.approx(0.0, abs=2e-4)
    # so the adatom, which lacks neighbours, would rather be in the crystal
    assert copper.value("energy_vs_bulk:on the surface") > 0.1
    assert copper.value("incorporation_energy") == pytest.approx(-copper.value("energy_vs_bulk:on the surface"), abs=2e-4)
    assert copper.result.verdicts["incorporation"].answer == "goes in: for Cu in layer 1" or (
        copper.result.verdicts["incorporation"].answer == "goes in: for Cu in layer 2"
    )
    axes = copper.result.draw()
    assert "in place of an atom" in {text.get_text() for text in axes.get_legend().get_texts()}


def test_the_energy_on_the_surface_is_that_of_an_adsorption_calculation(compute: Compute) -> None:
    given = {"structure": "Cu", "facet": "111", "adsorbate": "Au", "layers": 4}
    here = compute(kind="substitution", **given)
    there = compute(**given, free=False, distortion=False)
    for site in ("top Cu", "bridge"):
        name = f"energy_vs_bulk:{site}"
        assert here.value(name) == pytest.approx(there.value(f"adsorption_{name}"), abs=1e-12)
    rows = {row["place"]: row for row in here.result.table("places").to_dicts()}
    below = [row for row in rows.values() if row["kind"] == "below"]
    # the octahedral void and two tetrahedral ones between close-packed layers
    assert len(below) == 3
    # a large atom has no room there: it comes out, or pushes an atom of the crystal out, and that is said
    assert all(row["anomaly"] for row in below)
    assert rows["for Cu in layer 1"]["reservoir"] == "bulk Cu"


def test_the_reservoir_of_a_nonmetal_is_the_crystal_beside_its_metal() -> None:
    from sodiophile.atomistic.substitution_result import _reservoirs

    crystal = {
        "converged": True,
        "energy_eV": -36.0,
        "crystal": {"symbols": ["V", "V", "N", "N"]},
        "steps": 1,
        "fmax_eV_A": 0,
    }
    bulk = {"converged": True, "energy_eV_per_atom": -9.0, "steps": 1, "fmax_eV_A": 0}
    found = _reservoirs({"crystal": crystal, "reservoir V": bulk})
    assert found["V"].potential_eV == -9.0
    assert found["N"].potential_eV == pytest.approx(-9.0)
    assert found["N"].words == "the crystal in equilibrium with bulk V"
    # one VN is what one V and one N from the reservoirs make
    assert found["V"].potential_eV + found["N"].potential_eV == pytest.approx(-18.0)


def test_rocksalt_has_one_void_below_its_surface_and_two_atoms_a_layer(tmp_path: Any) -> None:
    from ase.build import bulk
    from ase.io import write

    write(tmp_path / "VN.cif", bulk("VN", "rocksalt", a=4.13, cubic=True))
    task = plan(SubstitutionInputs(structure=str(tmp_path / "VN.cif"), engine="emt", layers=4))
    labels = [place["label"] for place in task.inputs["surfaces"][0]["places"]]
    atoms = {f"for {symbol} in layer {depth}" for symbol in "VN" for depth in (1, 2)}
    assert set(labels[:4]) == atoms
    assert labels[4:] == ["below layer 1, between N4 V4"]
    assert {"reservoir V"} == {name for name in task.after if name.startswith("reservoir")}


def test_what_cannot_be_asked_is_one_line() -> None:
    with pytest.raises(InputError, match="prerelax: this kind starts from no other"):
        plan(SubstitutionInputs(structure="Cu", engine="emt", adsorbate="Al", prerelax="emt"))
    assert calculation("substitution").kind == "substitution"


def test_what_did_not_converge_has_no_energy_and_is_said(compute: Compute) -> None:
    copper = compute(kind="substitution", structure="Cu", facet="100", adsorbate="Al", layers=4)
    result = copper.again(**{"0_place_0": {"converged": False}})
    assert "energy_vs_bulk:for Cu in layer 1" not in result.quantities
    assert any("for Cu in layer 1: not converged after 200 steps" in warning for warning in result.warnings)
