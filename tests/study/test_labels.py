"""What a reported value is to the simulation beside it."""

from __future__ import annotations

import polars as pl
import pytest

from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict
from sodiophile.study.compare import compare
from sodiophile.study.labels import labelled
from sodiophile.study.outcome import JobOutcome
from sodiophile.study.schema import Reported

UNIT = "mV"


def _job(result, what="experiment", name="dip"):
    return JobOutcome(name, what, "k", "K", "vn", result)


def _simulated(value=30.0, *, simulated=True):
    quantities = {} if value is None else {"tip": Quantity(value, UNIT, 0.1)}
    return _job(Result("k", {}, quantities, {}, simulated=simulated))


def _prediction(answer):
    dip = Quantity(40.0, UNIT, interval=(20.0, 60.0))
    return _job(
        Result(
            "atoms-to-volts", {"experiment": {"name": "dip"}}, {"tip": dip}, {"hold-out": Verdict(answer)}, simulated=True
        ),
        "prediction",
        "from atoms",
    )


def _calibration(label, value=31.0, verdict="", high=2.0):
    row = {"experiment": "dip", "quantity": "tip", "label": label, "value": value, "low": 1.0, "high": high, "unit": UNIT,
           "verdict": verdict}  # fmt: skip
    tables = {"values": pl.DataFrame([row])}
    return _job(Result("calibration", {}, {}, {}, tables=tables, simulated=True), "calibration", "fit")


def _label(*jobs, put_in=False):
    entry = Reported(experiment="dip", electrode="vn", quantity="tip", value="31 mV", put_in=put_in)
    (one,) = labelled([compare(entry, jobs, {"dip": ["vn"]})], [entry], jobs)
    return one.label


@pytest.mark.parametrize(
    ("jobs", "put_in", "start"),
    [
        ([_simulated(simulated=False)], False, ""),
        ([_simulated()], True, "input"),
        ([_simulated(), _calibration("calibrated")], True, "input"),
        ([_simulated(), _calibration("calibrated")], False, "calibrated: 95 % between 1 and 2 mV (fit)"),
        ([_simulated(), _calibration("predicted")], False, "predicted: 95 %"),
        ([_simulated(), _calibration("contradicts")], False, "contradicts: 95 %"),
        ([_simulated(), _calibration("predicted", None)], False, "contradicts what is put in"),
        (
            [_simulated(), _prediction("within the 95 % interval")],
            False,
            "predicted: 95 % between 20 and 60 mV (from atoms)",
        ),
        ([_simulated(), _prediction("contradicts: outside")], False, "contradicts: 95 %"),
        ([_simulated(), _prediction("within"), _calibration("calibrated")], False, "calibrated"),
        ([_simulated(31.0)], False, "predicted from what is put in"),
        ([_simulated(60.0)], False, "contradicts what is put in"),
        ([_simulated(None)], False, "contradicts: the simulation has no such value"),
        ([], False, ""),
    ],
)
def test_labels(jobs, put_in, start):
    label = _label(*jobs, put_in=put_in)
    assert label.startswith(start)
    assert bool(label) == bool(start)


def _verdict(*jobs, value="31 mV", put_in=False, **more):
    entry = Reported(experiment="dip", electrode="vn", quantity="tip", value=value, put_in=put_in, **more)
    (one,) = labelled([compare(entry, jobs, {"dip": ["vn"]})], [entry], jobs)
    return one


@pytest.mark.parametrize(
    ("jobs", "value", "more", "start"),
    [
        # without an interval of the parameters the tenth of a millivolt of one record weighs nothing
        ([_simulated(30.0)], "31 mV", {}, "differs by -1 mV, -3.2 %; one run"),
        ([_simulated(31.05)], "31 mV", {}, "agrees"),
        ([_simulated(30.0), _prediction("within")], "31 mV", {}, "not excluded: reported lies within"),
        ([_simulated(30.0), _prediction("within")], "55 mV", {}, "agrees: reported lies within our interval"),
        ([_simulated(30.0), _prediction("contradicts")], "0.019 V", {}, "disagrees: reported lies outside our"),
        ([_simulated(1.5), _calibration("calibrated")], "1.9 mV", {}, "agrees, calibrated to it: within 1 to 2 mV"),
        ([_simulated(9.0), _calibration("calibrated")], "1.9 mV", {}, "differs by +7.1 mV, +3.7e+02 %: not the cell"),
        ([_simulated(1.5), _calibration("predicted")], "1.9 mV", {"bound": "lower"}, "agrees: our interval, 1 to 2"),
        ([_simulated(1.5), _calibration("predicted")], "2.1 mV", {"bound": "lower"}, "disagrees: our interval, 1 to 2"),
        ([_simulated(1.5), _calibration("predicted")], "0.9 mV", {"bound": "upper"}, "disagrees: our interval, 1 to 2"),
        ([_simulated(30.0)], "31 mV", {"bound": "lower"}, "differs by -1 mV"),
    ],
)  # fmt: skip
def test_a_simulated_value_is_judged_by_its_parameters(jobs, value, more, start):
    one = _verdict(*jobs, value=value, **more)
    assert one.verdict.startswith(start)
    assert one.sigmas is None
    assert one.difference.uncertainty is None


def test_what_was_put_in_and_what_was_measured_is_judged_by_the_analysis():
    assert _verdict(_simulated(30.0), put_in=True).sigmas == pytest.approx(-10.0)
    assert _verdict(_simulated(30.0, simulated=False)).verdict.startswith("disagrees by -1 mV")


def test_what_cannot_be_fitted_says_so_in_both_places():
    """A misfit widens the interval until it holds the value: that is no agreement."""
    jobs = [_simulated(), _calibration("contradicts", verdict="cannot be fitted: 2.7 sigma away", high=200.0)]
    entry = Reported(experiment="dip", electrode="vn", quantity="tip", value="31 mV")
    (one,) = labelled([compare(entry, jobs, {"dip": ["vn"]})], [entry], jobs)
    assert one.verdict == "disagrees: cannot be fitted: 2.7 sigma away; what fits best leaves 1 to 200 mV"
    assert one.label == "contradicts: cannot be fitted: 2.7 sigma away (fit)"
