"""Calibrations of a study: what is fitted comes back, what is held out is told, faults are named."""

from __future__ import annotations

import re

import polars as pl
import pytest

from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.study.calibration_tasks import posterior
from sodiophile.study.load import load_study
from sodiophile.study.plan import plan_study
from sodiophile.study.run import run, study_store

TABLE = "[calibrations.parameters]"

CALIBRATION = """
[[calibrations]]
name = "film"
draws = 80
runs = 16
[calibrations.parameters]
"electrode.interphase_resistance" = { low = "50 ohm cm^2", high = "400 ohm cm^2" }
"electrode.transfer_coefficient" = { value = "0.5", uncertainty = "0.05" }
[[calibrations.to]]
experiment = "slow"
quantity = "resistance"
uncertainty = "10 ohm cm^2"
[[calibrations.predict]]
experiment = "fast"
quantity = "resistance"
"""

STUDY = f"""
title = "A toy"
[electrodes.bare]
metal = "Na"
area = "2 cm^2"
cell = "bare-na"
[[experiments]]
name = "slow"
kind = "toy-resistance"
current_density = "0.5 mA/cm^2"
simulate = {{ noise = "5 mV" }}
[[experiments]]
name = "fast"
kind = "toy-resistance"
current_density = "1 mA/cm^2"
simulate = true
[[reported]]
experiment = "slow"
electrode = "bare"
quantity = "resistance"
value = "200 ohm cm^2"
[[reported]]
experiment = "fast"
electrode = "bare"
quantity = "resistance"
value = "260.0 ohm cm^2"
{CALIBRATION}"""


@pytest.fixture(scope="module")
def finished():
    """Outcome and folder of a run that several tests look at."""
    return {}


@pytest.fixture
def outcome(toykit, tmp_path_factory, finished):
    if not finished:
        folder = tmp_path_factory.mktemp("study")
        (folder / "study.toml").write_text(STUDY)
        finished["outcome"], finished["folder"] = run(folder, workers=1), folder
    return finished["outcome"]


def _job(outcome, name="film"):
    return next(job for job in outcome.jobs if job.name == name)


def test_what_is_fitted_comes_back_and_what_is_held_out_is_told(outcome, tmp_path):
    """The toy's resistance is that of the interphase, so that the posterior is the value and its uncertainty."""
    job = _job(outcome)
    assert job.error is None
    result = job.result
    assert result.simulated
    film = result.quantities["electrode.interphase_resistance"]
    # 10 ohm cm2 as stated, and the rounding of "200 ohm cm^2"
    assert film.value == pytest.approx(200.0, abs=5.0)
    assert film.uncertainty == pytest.approx(10.0, abs=3.0)
    assert film.status == "calibrated"
    assert "200 ohm cm^2" in film.calibrated_to
    rows = {row["experiment"]: row for row in result.table("values").to_dicts()}
    assert rows["slow"]["label"] == "calibrated"
    assert rows["fast"]["label"] == "contradicts"
    assert rows["fast"]["high"] < 260
    assert result.quantities["resistance (fast)"].status == "simulated"
    assert "0 of 1" in result.verdicts["hold-out"].answer
    rests = result.verdicts["posterior"]
    assert re.fullmatch(r"\d+ effective draws of 80", rests.answer)
    assert float(re.search(r"R-hat (\S+) of", rests.evidence[0])[1]) < 1.1
    assert any("contradiction" in warning for warning in result.warnings)
    # the next study can go on from here
    path = tmp_path / "calibrated.toml"
    path.write_text(result.attachments["calibrated-cell.toml"], encoding="utf-8")
    found = load_cell(path).electrode.interphase_resistance
    assert found.status == "calibrated"
    row = result.table("parameters").row(0, named=True)
    assert found.value == pytest.approx(row["best"])
    assert found.interval == pytest.approx((row["low"], row["high"]))


def test_what_the_data_do_not_tell_is_said(outcome):
    result = _job(outcome).result
    assert result.verdicts["identifiability"].answer.startswith("1 of 2 combinations")
    rows = {row["parameter"]: row for row in result.table("parameters").to_dicts()}
    assert rows["electrode.transfer_coefficient"]["learned_percent"] < 10
    assert rows["electrode.interphase_resistance"]["learned_percent"] > 80
    share = result.table("sensitivities").filter(pl.col("experiment") == "fast")
    assert share["first_order"].to_list() == pytest.approx([1.0, 0.0], abs=0.05)


def test_every_reported_value_says_what_it_is_to_the_simulation(outcome):
    labels = {one.subject: one.label for one in outcome.comparisons}
    assert labels["slow"].startswith("calibrated: 95 % between ")
    assert labels["fast"].startswith("contradicts: 95 % between ")


def test_every_view_has_its_figure(outcome):
    from sodiophile.report.figures import draw

    for name in ("film", "film, posterior", "film, what decides"):
        assert draw(_job(outcome, name).result) is not None


def test_done_once_it_is_not_done_again(outcome, finished):
    study = load_study(finished["folder"])
    assert not plan_study(study, study_store(study.folder)).to_do


def _changed(old, new):
    assert old in STUDY
    return STUDY.replace(old, new)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (_changed('"electrode.interphase_resistance" =', '"electrode.interphase_resistenc" ='), "parameters", "resistance"),
        (_changed('low = "50 ohm cm^2"', 'low = "50 mV"'), "interphase_resistance.low", "mV"),
        (_changed('low = "50 ohm cm^2"', 'low = "-50 ohm cm^2"'), "interphase_resistance", "reaches too far"),
        (_changed('low = "50 ohm cm^2", ', ""), "parameters", "low and high"),
        (_changed(TABLE, f"{TABLE}\nelectrode = {{}}"), "electrode", "no such parameter"),
        (_changed(TABLE, f"{TABLE}\n'electrode.pit_area' = {{}}"), "pit_area", "no prior"),
        (_changed('uncertainty = "0.05"', 'uncertainty = "0.5"'), "transfer_coefficient", "reaches too far"),
        (_changed('uncertainty = "10 ohm cm^2"', ""), "to[1].uncertainty", "states no uncertainty"),
        (_changed('uncertainty = "10 ohm cm^2"', 'uncertainty = "0 ohm cm^2"'), "to[1].uncertainty", "more than 0"),
        (_changed('uncertainty = "10 ohm cm^2"', 'uncertainty = "10 mV"'), "to[1].uncertainty", "mV"),
        (_changed('[[calibrations.to]]\nexperiment = "slow"', '[[calibrations.to]]\nexperiment = "slo"'),
         "to[1].experiment", "did you mean 'slow'?"),
        (_changed('[[calibrations.predict]]\nexperiment = "fast"', '[[calibrations.predict]]\nexperiment = "slow"'),
         "predict[1]", "a second time"),
        (_changed('cell = "bare-na"\n', "").replace("simulate = true", "files = { bare = 'bare.csv' }").replace(
            'simulate = { noise = "5 mV" }', "files = { bare = 'bare.csv' }"), "electrodes.bare.cell", "missing"),
        (_changed('value = "200 ohm cm^2"', 'value = "200 ohm cm^2"\nbound = "lowest"'), "bound", "lower"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_that_names_the_key(toykit, write_study, text, place, words):
    with pytest.raises(InputError) as caught:
        load_study(write_study(text))
    message = str(caught.value)
    assert place in message
    assert words in message
    assert "\n" not in message


def test_a_fitted_value_that_nobody_reported_is_missed(toykit, write_study):
    text = _changed('[[reported]]\nexperiment = "slow"', "[[reported]]\nrow = 3")
    with pytest.raises(InputError, match=r"to\[1\].*found no \[\[reported\]\] value"):
        load_study(write_study(text))


@pytest.mark.slow
def test_what_no_prior_reaches_cannot_be_fitted_and_says_which_end(toykit, write_study):
    """Label, verdict and evidence say the same: a misfit widens the interval, and that is no agreement."""
    text = STUDY.replace('value = "200 ohm cm^2"', 'value = "700 ohm cm^2"').replace("draws = 80", "draws = 20")
    outcome = run(write_study(text), workers=1)
    fit = _job(outcome).result.verdicts["fit"]
    assert fit.answer == "0 of 1 values can be fitted together"
    assert any("upper end of its prior" in words and "interphase_resistance" in words for words in fit.evidence)
    slow = next(one for one in outcome.comparisons if one.subject == "slow")
    assert slow.verdict.startswith("disagrees: cannot be fitted: ")
    assert slow.label.startswith("contradicts: cannot be fitted: ")


def test_measured_values_are_fitted_too(toykit, write_study):
    """Of files the value comes from the analysis, with its uncertainty; the same protocol is simulated."""
    text = _changed('simulate = { noise = "5 mV" }', "files = { bare = 'bare.csv' }")
    outcome = run(write_study(text), workers=1)
    measured = _job(outcome, "slow").result.quantities["resistance"]
    film = _job(outcome).result.quantities["electrode.interphase_resistance"]
    # ten percent of it are stated in the study; of some 80 draws the median is known to a tenth of that
    assert film.value == pytest.approx(measured.value, abs=4.0)
    row = _job(outcome).result.table("values").row(0, named=True)
    assert row["origin"] == "measured"


def test_no_run_of_the_prior_that_works_is_an_answer(toykit, write_study, tmp_path):
    (job,) = [job for job in load_study(write_study(STUDY)).jobs if job.what == "calibration"]
    none = {"u": [[0.0, 0.0]], "y": [None], "failed": ["slow: only a lower bound"], "units": []}
    with pytest.raises(InputError, match=r"all 1 runs within the prior failed.*only a lower bound"):
        posterior(job.derivation.inputs, {"runs 1 to 1": none}, {"cell": "bare-na"}, tmp_path)
