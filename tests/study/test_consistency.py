"""One study's numbers against each other: numbers made from one truth agree, numbers that cannot both hold do not."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.physics.constants import GAS_J_mol_K
from sodiophile.physics.kinetics import butler_volmer_overpotential_V, charge_transfer_resistance_ohm_cm2
from sodiophile.quantity import Quantity
from sodiophile.result import Result
from sodiophile.schema import checked
from sodiophile.study.consistency import Check, as_result, consistency, findings
from sodiophile.study.facts import facts_of
from sodiophile.study.outcome import JobOutcome
from sodiophile.study.schema import Reported

T_K = 300.0
exchange = st.floats(1e-3, 10)


def _job(kind: str, electrode: str, protocol: dict[str, Any] | None = None, **quantities: Quantity) -> JobOutcome:
    result = Result(kind, {"protocol": {"temperature_K": T_K, **(protocol or {})}}, quantities)
    return JobOutcome(f"{kind} test", "experiment", kind, kind, electrode, result)


def _tafel(j0: float, electrode: str = "a", error: float | None = None, **protocol: Any) -> JobOutcome:
    quantity = Quantity(j0, "mA/cm^2", error)
    return _job("exchange-current", electrode, protocol, apparent_exchange_current_density=quantity)


def _one(jobs: list[JobOutcome], relation: str) -> Check:
    found = [one for one in consistency(facts_of(jobs)) if one.relation == relation]
    assert len(found) == 1
    return found[0]


@settings(deadline=None)
@given(exchange, st.floats(0.2, 5))
def test_exchange_current_and_resistance_of_one_truth_agree_and_the_ratio_is_told(j0: float, factor: float) -> None:
    resistance = float(charge_transfer_resistance_ohm_cm2(j0, T_K))
    spectrum = _job("impedance", "a", charge_transfer_resistance=Quantity(resistance, "ohm cm^2"))
    found = _one([_tafel(factor * j0), spectrum], "exchange current and resistance")
    assert found.ratio == pytest.approx(factor)
    if not any(math.isclose(factor, end, rel_tol=1e-9) for end in (0.5, 2)):
        assert (found.answer == "agree") == (0.5 < factor < 2)


def test_uncertainties_decide_where_they_are_known() -> None:
    resistance = float(charge_transfer_resistance_ohm_cm2(0.1, T_K))
    spectrum = _job("impedance", "a", charge_transfer_resistance=Quantity(resistance, "ohm cm^2", 0.01 * resistance))
    near, far = (_one([_tafel(j0, error=0.01 * j0), spectrum], "exchange current and resistance") for j0 in (0.102, 0.112))
    assert near.answer == "agree"
    assert near.sigmas == pytest.approx(math.log(1.02) / math.hypot(0.01, 0.01))
    assert far.answer == "disagree"
    assert "usual causes" in far.sentence


def test_the_resistance_route_of_the_same_kind_is_no_second_witness() -> None:
    job = _job("exchange-current", "a", apparent_exchange_current_density_impedance=Quantity(0.1, "mA/cm^2"))
    spectrum = _job("impedance", "a", charge_transfer_resistance=Quantity(1e3, "ohm cm^2"))
    assert consistency(facts_of([job, spectrum])) == []


def test_different_temperatures_are_not_compared() -> None:
    spectrum = _job("impedance", "a", {"temperature_K": 330.0}, charge_transfer_resistance=Quantity(100, "ohm cm^2"))
    found = _one([_tafel(0.1), spectrum], "exchange current and resistance")
    assert found.answer == "cannot be told"
    assert "300 and 330 K" in found.sentence


def _cycling(polarization_mV: float, current: float = 0.5) -> JobOutcome:
    return _job(
        "symmetric-cycling",
        "a",
        polarization_mean=Quantity(polarization_mV, "mV"),
        current_density=Quantity(current, "mA/cm^2"),
    )


@settings(deadline=None)
@given(exchange, st.floats(0.05, 5), st.floats(0.1, 50))
def test_charge_transfer_is_only_a_part_of_the_polarization(j0: float, current: float, ohmic_mV: float) -> None:
    both = 2e3 * float(butler_volmer_overpotential_V(current, j0, T_K))
    assert _one([_tafel(j0), _cycling(both + ohmic_mV, current)], "overpotential in cycling").answer == "agree"


@settings(deadline=None)
@given(exchange, st.floats(1.1, 20))
def test_a_polarization_that_is_too_small_tells_the_area_that_would_reconcile_them(j0: float, area: float) -> None:
    # a surface that is `area` times the geometric one carries a smaller current density
    both = 2e3 * float(butler_volmer_overpotential_V(0.5 / area, j0, T_K))
    found = _one([_tafel(j0), _cycling(both)], "overpotential in cycling")
    assert found.answer == "disagree"
    told = re.search(r"at least ([\d.]+) times the geometric one", found.sentence)
    assert told is not None
    # two digits are printed
    assert float(told[1]) == pytest.approx(area, rel=0.05)


def _reported(**more: Any) -> Reported:
    return checked(Reported, {"row": 1, "electrode": "a", **more})


def test_reported_numbers_are_held_against_each_other_at_the_stated_current_alone() -> None:
    j0 = _reported(quantity="exchange_current_density", value="0.1 mA/cm^2", where="Fig. 1")
    tip = {"quantity": "nucleation_overpotential", "value": "20 mV", "where": "Fig. 2"}
    assert consistency(facts_of([], [j0, _reported(**tip)])) == []
    checks = consistency(facts_of([], [j0, _reported(**tip, current_density="1 mA/cm^2", temperature="30 degC")]))
    assert [one.answer for one in checks] == ["disagree"]
    assert "tip minus plateau" in checks[0].sentence
    sentences = findings(checks)
    assert sentences[0].startswith("The reported numbers of a contradict each other")
    # the reported and ours are not mixed
    assert consistency(facts_of([_tafel(5.0)], [_reported(**tip, current_density="1 mA/cm^2")])) == []


def test_a_simulated_cell_does_not_contradict_itself() -> None:
    """Broken relations among simulated numbers are counted in one sentence; reported ones stay findings."""
    about = ("bare", "a relation", "first", "second", 1.0, 2.0, "ohm", 0.5, 9.0, "disagree", "one is half the other")
    mine, theirs = Check("this study", *about), Check("reported", *about)
    assert len(findings([mine, mine, theirs])) == 3
    sentences = findings([mine, mine, theirs], simulated=True)
    assert len(sentences) == 2
    assert sentences[0].startswith("The reported numbers of bare contradict each other")
    assert sentences[1].startswith("2 of the usual relations")


@settings(deadline=None)
@given(st.floats(20, 100), st.floats(20, 100), st.floats(1e-3, 10), st.floats(0.01, 100))
def test_activation_energies_and_exchange_currents_of_one_prefactor_agree(
    first: float, second: float, j0: float, excess: float
) -> None:
    def jobs(ratio: float) -> list[JobOutcome]:
        energies = [
            _job("activation-energy", name, activation_energy=Quantity(value, "kJ/mol"))
            for name, value in (("a", first), ("b", second))
        ]
        return [*energies, _tafel(j0, "a"), _tafel(j0 * ratio, "b")]

    ratio = math.exp((first - second) * 1e3 / (GAS_J_mol_K * T_K))
    if not 1e-12 < j0 * ratio * excess < 1e12 or 0.49 < excess < 0.51 or 1.99 < excess < 2.01:
        return
    relation = "activation energies and exchange currents"
    assert _one(jobs(ratio), relation).answer == "agree"
    found = _one(jobs(ratio * excess), relation)
    assert (found.answer == "agree") == (0.5 <= excess <= 2)
    assert found.ratio == pytest.approx(excess if first >= second else 1 / excess, rel=1e-6)


@pytest.mark.parametrize(("true_area", "answer"), [(1.0, "agree"), (1.01, "agree"), (1.2, "disagree")])
def test_one_wrong_area_explains_current_and_charge(true_area: float, answer: str) -> None:
    job = _job(
        "symmetric-cycling",
        "a",
        {"area_cm2": 1.0, "current_density_mA_cm2": 0.5, "capacity_mAh_cm2": 1.0},
        current_density=Quantity(0.5 * true_area, "mA/cm^2"),
        capacity=Quantity(1.0 * true_area, "mAh/cm^2"),
    )
    checks = consistency(facts_of([job]))
    assert [one.answer for one in checks] == [answer] * 2
    assert all(("the area is wrong: 1.2 cm^2 instead of 1" in one.sentence) == (answer == "disagree") for one in checks)


def test_cut_half_cycles_are_not_blamed_on_the_area() -> None:
    job = _job(
        "symmetric-cycling",
        "a",
        {"area_cm2": 1.0, "current_density_mA_cm2": 0.5, "capacity_mAh_cm2": 1.0},
        current_density=Quantity(0.5, "mA/cm^2"),
        capacity=Quantity(0.7, "mAh/cm^2"),
    )
    charge = consistency(facts_of([job]))[1]
    assert "voltage limit" in charge.sentence
    assert "area is wrong" not in charge.sentence


def test_resistance_in_cycling_and_at_rest() -> None:
    cycling = _job("symmetric-cycling", "a", apparent_resistance=Quantity(250, "ohm cm^2", 2))
    spectrum = _job(
        "impedance", "a", series_resistance=Quantity(10, "ohm cm^2", 1), interfacial_resistance=Quantity(120, "ohm cm^2", 2)
    )
    found = _one([cycling, spectrum], "resistance in cycling and at rest")
    assert (found.answer, found.second_value) == ("agree", 250)
    low = _job("symmetric-cycling", "a", apparent_resistance=Quantity(100, "ohm cm^2", 2))
    assert "soft short" in _one([low, spectrum], "resistance in cycling and at rest").sentence


def test_the_result_counts_and_shows_contradictions_first() -> None:
    spectrum = _job("impedance", "a", charge_transfer_resistance=Quantity(1e5, "ohm cm^2"))
    jobs = [_tafel(0.1), spectrum, _cycling(1e4)]
    result = as_result(consistency(facts_of(jobs)))
    assert result is not None
    verdict = result.verdicts["numbers against each other"]
    assert verdict.answer == "1 agree, 1 disagree"
    assert "R_ct" in verdict.evidence[0]
    assert result.table("checks").height == 2
    assert as_result([]) is None
