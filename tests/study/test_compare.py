"""What is said of a reported value beside ours, and of a row of the source."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict
from sodiophile.schema import checked
from sodiophile.study.compare import compare, cover, judge, orders
from sodiophile.study.outcome import Comparison, JobOutcome
from sodiophile.study.schema import Coverage, Reported


def _q(text: str, **more: Any) -> Quantity:
    parsed = Quantity.parse(text)
    return Quantity(parsed.value, parsed.unit, parsed.uncertainty, bound=parsed.bound, **more)


def _reported(value: str, **more: Any) -> Reported:
    return checked(Reported, {"experiment": "e", "electrode": "vn", "quantity": "x", "value": value, **more})


def _job(result: Result | None, **more: Any) -> JobOutcome:
    return JobOutcome(
        **{"name": "e", "what": "experiment", "kind": "k", "kind_title": "K", "electrode": "vn", **more}, result=result
    )


def _result(simulated: bool = False, **quantities: Quantity) -> Result:
    return Result("k", {}, quantities, {"nucleation": Verdict("no resolvable dip")}, simulated=simulated)


@pytest.mark.parametrize(
    ("ours", "reported", "words"),
    [
        ("25.1(4) mV", "25 mV", "agrees: +0.1 mV, +0.4 % (0.3 sigma, from our uncertainty alone)"),
        ("25.1(4) mV", "25.0(3) mV", "agrees: +0.1 mV, +0.4 % (0.2 sigma)"),
        ("30.0(4) mV", "25.0(3) mV", "disagrees by +5 mV, +20 % (10.0 sigma)"),
        ("25.30(1) mV", "25 mV", "agrees to the digits printed"),
        ("25.3 mV", "25 mV", "agrees to the digits printed"),
        ("30 mV", "25 mV", "differs by +5 mV, +20 %; no uncertainty is known that would tell whether this matters"),
        ("-1.2 eV", "-1.5 eV", "differs by +0.3 eV, +20 %; no uncertainty"),
        # reported only bounds the truth
        ("1200 h", "> 1000 h", "agrees: ours lies above the reported lower bound 1000 h"),
        ("900 h", "> 1000 h", "disagrees: ours lies below the reported lower bound 1000 h by 100 h"),
        ("950 +/- 50 h", "> 1000 h", "agrees within 2 sigma with the reported lower bound 1000 h"),
        ("> 1200 h", "> 1000 h", "agrees: both are lower bounds, and ours already lies above the reported lower bound"),
        ("> 100 h", "> 1000 h", "cannot be told: ours is a lower bound too, and ends before the reported lower bound"),
        ("< 900 h", "> 1000 h", "disagrees: ours, < 900 h, and the reported bound, > 1000 h, exclude each other"),
        ("< 1500 h", "> 1000 h", "cannot be told: ours, < 1500 h, and the reported bound, > 1000 h, leave room"),
        ("5 mV", "< 8 mV", "agrees: ours lies below the reported upper bound 8 mV"),
        ("9 mV", "< 8 mV", "disagrees: ours lies above the reported upper bound 8 mV by 1 mV"),
        # only ours does: the test ended before the cell failed
        ("> 100 h", "150 h", "cannot be told: ours is only a lower bound, and lies below the reported 150 h"),
        ("> 200 h", "150 h", "disagrees: ours is more than 200 h, reported 150 h"),
        ("< 100 h", "150 h", "disagrees: ours is less than 100 h, reported 150 h"),
        ("< 200 h", "150 h", "cannot be told: ours is only an upper bound, and lies above the reported 150 h"),
    ],
)  # fmt: skip
def test_the_verdict_in_words(ours: str, reported: str, words: str) -> None:
    entry = _reported(reported)
    assert judge(_q(ours), entry.as_quantity(), entry.half_digit).startswith(words)


def test_the_interval_between_last_healthy_and_first_failed_counts() -> None:
    ours = _q("148 h", interval=(140, 160))
    assert judge(ours, _q("150 h")).startswith("agrees: reported lies within our interval, 140 to 160 h")
    assert judge(ours, _q("> 155 h")).startswith("agrees: the reported lower bound 155 h lies within")


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(1e-3, 10), st.floats(1e-3, 10))
def test_agreement_knows_no_unit_and_no_side(a: float, b: float, u: float, v: float) -> None:
    one, other = Quantity(a, "mV", u), Quantity(b, "mV", v)
    agrees = judge(one, other).startswith("agrees")
    assert judge(other, one).startswith("agrees") == agrees
    if abs(abs(a - b) - 2 * (u**2 + v**2) ** 0.5) > 1e-6:
        assert judge(one.to("V"), other.to("V")).startswith("agrees") == agrees


@pytest.mark.parametrize(("text", "half"), [("25 mV", 0.5), ("1.250 eV", 0.0005), ("-0.75 eV", 0.005), ("3e-3 A", 0.0005)])
def test_half_a_digit_is_that_of_the_last_one_printed(text: str, half: float) -> None:
    assert _reported(text).half_digit == pytest.approx(half)


def test_ours_is_given_in_the_reported_unit_with_the_combined_uncertainty() -> None:
    found = compare(_reported("36(3) mV"), [_job(_result(x=Quantity(0.040, "V", 0.004)))], {"e": ["vn"]})
    assert found.ours is not None
    assert found.difference is not None
    assert (found.ours.unit, found.ours.value) == ("mV", pytest.approx(40))
    assert (found.difference.value, found.difference.uncertainty) == (pytest.approx(4), pytest.approx(5))
    assert found.sigmas == pytest.approx(0.8)
    assert found.reported.status == "reported"


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        ([], "not yet"),
        ([_job(None, error="cell.csv: no current")], "not yet: experiment failed: cell.csv: no current"),
        ([_job(_result(x=Quantity(1, "h")))], "cannot be compared: ours is 1 h, reported in mV"),
        ([_job(_result(xx=Quantity(1, "mV")))], "cannot be compared: the result has no 'x'; did you mean 'xx'? it has xx"),
        ([_job(_result())], "cannot be compared: the result has no 'x'; it has no quantity at all (nucleation: no reso"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_says_why(jobs: list[JobOutcome], words: str) -> None:
    found = compare(_reported("25 mV"), jobs, {"e": ["vn"]})
    assert found.verdict.startswith(words)
    assert found.ours is None
    assert found.difference is None


def test_a_value_that_belongs_to_a_row_alone_is_not_yet_compared() -> None:
    entry = checked(Reported, {"row": 8, "electrode": "vn", "quantity": "lifespan", "value": "1000 h", "bound": "lower"})
    found = compare(entry, [], {})
    assert (found.subject, found.verdict, found.row) == ("row 8", "not yet", 8)
    assert str(found.reported) == "> 1000 h"


def test_a_row_is_covered_by_what_ran() -> None:
    measured, simulated = _job(_result()), _job(_result(simulated=True), name="s")
    computed = _job(_result(), name="c", what="calculation")
    failed = _job(None, name="f", error="x")

    def status(by: list[str]) -> tuple[str, str]:
        row = cover(checked(Coverage, {"row": 1, "title": "A", "by": by}), [measured, simulated, computed, failed])
        return row.status, row.note

    assert status(["e"]) == ("measured", "")
    assert status(["s"]) == ("simulated", "")
    assert status(["c"]) == ("computed", "")
    assert status(["f"]) == ("failed", "")
    assert status([]) == ("not yet", "")
    assert status(["never ran"]) == ("not yet", "")
    assert status(["s", "f"]) == ("simulated", "simulated: s: vn; failed: f: vn")
    assert status(["c", "s", "later"]) == ("computed", "computed: c: vn; simulated: s: vn; not yet: later")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("-1.830 eV", "-1.830"),
        ("−1.830 eV", "-1.830"),
        ("> 1060 h", "1060"),
        ("36.1(4) mV", "36.1(4)"),
        ("1.2e-5 A", "1.2e-5"),
    ],
)
def test_the_printed_digits_are_kept(text, digits):
    assert _reported(text).digits == digits


def test_a_large_uncertainty_excludes_nothing_and_says_so():
    assert judge(_q("-1.2(4) eV"), _q("-1.8 eV")).startswith("not excluded: +0.6 eV, +33 % (1.5 sigma")
    assert judge(_q("-1.20(4) eV"), _q("-1.25 eV")).startswith("agrees")


def _found(member: str, reported: float, ours: float) -> Comparison:
    quantity = f"adsorption_energy:{member}"
    return Comparison(Quantity(reported, "eV"), "", "Na on X", "x", quantity, Quantity(ours, "eV"), None, None, "")


def test_the_order_of_a_family_is_a_finding():
    reversed_order = [_found("a", -3, -1), _found("b", -2, -2), _found("c", -1, -3)]
    (sentence,) = orders(reversed_order)
    assert "reported order is a < b < c, ours is c < b < a: 0 of 3 pairs stand in the same order" in sentence
    assert "the same order." in orders([_found("a", -3, -9), _found("b", -2, -8), _found("c", -1, -7)])[0]
    assert orders(reversed_order[:2]) == ()
