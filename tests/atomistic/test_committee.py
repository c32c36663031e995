"""A committee: the mean, the spread and the calibration follow from the members, which are adsorption calculations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sodiophile.atomistic import calculation
from sodiophile.atomistic.committee import CommitteeInputs
from sodiophile.atomistic.engines import trust
from sodiophile.atomistic.families import energies_of, relabelled, split_engines
from sodiophile.errors import EngineError, InputError, SodiophileError
from sodiophile.schema import checked

Compute = Callable[..., Any]
# EMT with another cutoff is a slightly other potential: a committee of relatives, as universal potentials are
COUSIN = 'emt {"asap_cutoff":true}'
GIVEN = {"structure": "Cu", "facet": "100", "adsorbate": "Al", "layers": 4, "distortion": False}


@pytest.fixture
def cousin() -> str:
    trust(COUSIN)
    return COUSIN


@pytest.fixture
def committee(compute: Compute, cousin: str) -> Any:
    return compute(kind="committee", **GIVEN, engine=f"emt, {cousin}")


def _plan(kind: str, **inputs: Any) -> Any:
    chosen = calculation(kind)
    return chosen.plan(checked(chosen.inputs, inputs, kind))


def test_mean_and_spread_are_those_of_the_members(committee: Any, compute: Compute, cousin: str) -> None:
    alone = [compute(**GIVEN, engine=name, free=False) for name in ("emt", cousin)]
    for site in ("top Cu", "bridge", "four-fold hollow"):
        energies = [one.value(f"adsorption_energy_vs_bulk:{site}") for one in alone]
        assert energies[0] != energies[1]
        assert committee.value(f"adsorption_energy_vs_bulk:{site}") == pytest.approx(np.mean(energies), abs=1e-12)
        assert committee.value(f"committee_spread:{site}") == pytest.approx(np.std(energies, ddof=1), abs=1e-12)
    assert committee.result.verdicts["most_stable_site"].answer == "four-fold hollow"
    assert committee.result.verdicts["order"].answer == "all members agree"
    assert committee.result.verdicts["spread"].answer == "cannot be told"
    assert not any(name.startswith("adsorption_energy_calibrated") for name in committee.result.quantities)


def test_a_slab_thinner_than_the_range_of_the_potential_is_said(compute: Compute) -> None:
    thin = compute(structure="Cu", facet="100", adsorbate="Cu", layers=2, free=False, distortion=False, sites="top Cu")
    said = [text for text in thin.result.warnings if "thinner than the" in text]
    assert len(said) == 1
    assert "sees neighbours" in said[0]
    thick = compute(structure="Cu", facet="100", adsorbate="Cu", layers=6, free=False, distortion=False, sites="top Cu")
    assert not any("thinner than the" in text for text in thick.result.warnings)


def test_members_are_the_adsorption_calculations_that_one_gets_alone(cousin: str) -> None:
    committee = _plan("committee", **GIVEN, engine=f"emt, {cousin}")
    alone = _plan("adsorption", **GIVEN, engine="emt", free=False)
    assert committee.after["member emt"].key == alone.key
    assert committee.after["member emt"].label == f"emt: {alone.label}"
    assert relabelled(alone, "x").key == alone.key


def test_calibrated_on_a_reference_it_meets_the_reference_where_the_members_err_alike(committee: Any) -> None:
    reference = committee.outcome("member emt")
    shifted = {
        name: {**entry, "value": entry["value"] + 0.5} if name.startswith("adsorption_energy_vs_bulk:") else entry
        for name, entry in reference["quantities"].items()
    }
    task = committee.task
    after = {name: committee.outcome(name) for name in task.after} | {"reference": {**reference, "quantities": shifted}}
    folder = committee.folder / "calibrated"
    folder.mkdir()
    from sodiophile.atomistic.committee_result import assemble

    assemble({**task.inputs, "reference": "higher", "functional": "X"}, after, {}, folder)
    from sodiophile.result import Result

    result = Result.load(folder, drawer=calculation("committee").draw)
    for one in energies_of({**reference, "quantities": shifted}):
        found = result.quantities[f"adsorption_energy_calibrated:{one.site}"]
        assert found.status == "calibrated"
        assert found.uncertainty is not None
        assert abs(found.value - one.energy_eV) < 2 * found.uncertainty
        assert found.uncertainty < 0.25
    assert result.verdicts["spread"].answer == "too narrow"
    assert result.quantities["committee_error"].value == pytest.approx(0.5, abs=0.1)
    assert result.quantities["committee_error:left out"].value < 0.2
    assert result.table("sites")["reference_eV"].null_count() == 0
    axes = result.draw()
    assert "calibrated" in {text.get_text() for text in axes.get_legend().get_texts()}


def test_a_site_that_one_member_did_not_settle_is_left_out_and_said(committee: Any) -> None:
    quantities = dict(committee.outcome("member emt")["quantities"])
    del quantities["adsorption_energy_vs_bulk:bridge"]
    result = committee.again(member_emt={"quantities": quantities})
    assert "adsorption_energy_vs_bulk:bridge" not in result.quantities
    assert any("bridge is left out: it did not converge with emt" in warning for warning in result.warnings)
    none = {name: entry for name, entry in quantities.items() if not name.startswith("adsorption_energy_vs_bulk:")}
    with pytest.raises(EngineError, match="no site converged with every member"):
        committee.again(member_emt={"quantities": none})


def test_engines_are_split_at_commas_outside_brackets() -> None:
    assert split_engines('7net-0, gpaw[xc=RPBE, ecut=450], lj {"a": 1, "b": 2}') == [
        "7net-0", "gpaw[xc=RPBE, ecut=450]", 'lj {"a": 1, "b": 2}'
    ]  # fmt: skip


@pytest.mark.parametrize(("engine", "line"), [("emt", "at least two"), ("emt, emt", "each once"), ("emt, nope", "nope")])
def test_a_committee_needs_two_known_engines(engine: str, line: str) -> None:
    with pytest.raises((ValidationError, SodiophileError), match=line):
        CommitteeInputs(structure="Cu", engine=engine)


def test_the_reference_is_no_member() -> None:
    trust(COUSIN)
    with pytest.raises(InputError, match="reference: 'emt' is a member too"):
        _plan("committee", **GIVEN, engine=f"emt, {COUSIN}", reference="emt")


def test_dft_points_of_an_engine_correct_its_adsorption_energies(compute: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    from sodiophile.atomistic import dft_points
    from sodiophile.atomistic.dft_points import Point

    plain = compute(**GIVEN, free=False)
    points = tuple(
        Point(
            adsorbate="Al", system="Cu", facet="100", termination="Cu", site=site, coverage="1/4", layers=4,
            functional="PBE", level="made up", dft_eV=plain.value(f"adsorption_energy_vs_bulk:{site}") - 0.3,
            engine_eV={"emt": plain.value(f"adsorption_energy_vs_bulk:{site}")}, source="a test",
        )
        for site in ("top Cu", "bridge", "four-fold hollow")
    )  # fmt: skip
    monkeypatch.setattr(dft_points, "_shipped", lambda: points[:2])
    assert _plan("adsorption", **GIVEN, engine="emt", free=False).key == plain.task.key
    monkeypatch.setattr(dft_points, "_shipped", lambda: points)
    corrected = compute(**GIVEN, free=False)
    assert corrected.task.key != plain.task.key
    for point in points:
        found = corrected.result.quantities[f"adsorption_energy_calibrated:{point.site}"]
        assert found.value == pytest.approx(point.dft_eV, abs=0.05)
        assert found.status == "calibrated"
    assert any("emt binds" in warning for warning in corrected.result.warnings)
    # another metal errs otherwise, by how much these points do not say
    other = compute(**{**GIVEN, "adsorbate": "Ag"}, free=False, sites="bridge")
    assert not any(name.startswith("adsorption_energy_calibrated") for name in other.result.quantities)
    assert any("points of Al, none of them of Ag" in warning for warning in other.result.warnings)
