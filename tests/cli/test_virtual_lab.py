"""The virtual lab on the command line: every instrument leaves a record, what cannot be is one line, nothing is lost."""

from __future__ import annotations

import re

import pytest

from sodiophile import api
from sodiophile.errors import SolverError
from sodiophile.experiments import experiment, kinds
from sodiophile.physics import dip, dynamics
from sodiophile.physics.cell import load_cell
from sodiophile.study.tasks import simulate_and_analyze

AREA = ["--area", "1.13 cm^2"]
PLATING = [*AREA, "--current-density", "0.5 mA/cm^2", "--capacity", "0.5 mAh/cm^2"]
OPERATOR = {
    "symmetric-cycling": [*PLATING, "--duration", "6 h"],
    "symmetric-rate": [*AREA, "--current-densities", "0.5, 1, 0.5 mA/cm^2", "--capacity", "0.25 mAh/cm^2"],
    "nucleation": PLATING,
    "plating-efficiency": [*PLATING, "--cycles", "2"],
    "impedance": [*AREA, "--electrodes", "2"],
    "activation-energy": [*AREA, "--electrodes", "2", "--temperatures", "0, 15, 30 degC"],
    "exchange-current": [*AREA, "--electrodes", "2", "--temperature", "25 degC", "--scan-rate", "1 mV/s"],
    "full-cell-rate": [*AREA, "--active-mass", "2 mg", "--cycles-per-rate", "1"],
    "full-cell-cycling": [*AREA, "--active-mass", "2 mg", "--cycles", "2"],
}


def cell_file(tmp_path, pattern: str, by: str):
    from importlib import resources

    text = resources.files("sodiophile.physics").joinpath("data", "cells", "bare-na.toml").read_text(encoding="utf-8")
    found, count = re.subn(pattern, by, text, count=1, flags=re.MULTILINE)
    assert count == 1
    path = tmp_path / "cell.toml"
    path.write_text(found, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", sorted(OPERATOR))
def test_every_virtual_instrument_leaves_a_record_that_says_simulated(command, tmp_path, kind):
    """Written as BDF and read again, by `read`, it is simulated; so is the analysis of it."""
    file = tmp_path / "record.bdf.csv"
    said = command("simulate", kind, "--electrode", "bare-na", *OPERATOR[kind], "-o", file)
    assert said.code == 0, said.err
    assert "simulated" in said.err
    record = api.read(file, record=experiment(kind).record)
    assert record.simulated
    assert record.metadata["instrument"] == "virtual"


def test_every_experiment_that_offers_a_virtual_instrument_is_tried_here():
    assert {kind for kind in kinds() if experiment(kind).simulate is not None} == set(OPERATOR)


@pytest.mark.parametrize(
    ("pattern", "by", "said"),
    [
        (r'^exchange_current_density = \{ value = "0.2 mA/cm\^2", range = \[[^]]*\],',
         'exchange_current_density = { value = "0 mA/cm^2",', "electrode.exchange_current_density: found 0"),
        (r'^exchange_current_density = \{ value = "0.2 mA/cm\^2", range = \[[^]]*\],',
         'exchange_current_density = { value = "-0.2 mA/cm^2",', "expected more than 0"),
        (r'^thickness = \{ value = "260 um", range = \[[^]]*\],', 'thickness = { value = "0 um",',
         "separator.thickness: found 0"),
        (r'^conductivity = \{ value = "8.83 mS/cm", range = \[[^]]*\],', 'conductivity = { value = "8.83 mA/cm^2",',
         "electrolyte.conductivity: 'mA/cm^2' cannot be expressed in 'mS/cm'"),
        (r'^conductivity = \{ value = "8.83 mS/cm", range = \[[^]]*\],', 'conductivity = { value = "8.83",',
         "electrolyte.conductivity"),
        (r'^diffusivity = \{ value = "2.49e-11 m\^2/s", range = \[[^]]*\],', 'diffusivity = { value = "2.49e-1 m^2/s",',
         "electrolyte.diffusivity"),
        (r'^dead_fraction = \{ value = "0.03", range = \[[^]]*\],', 'dead_fraction = { value = "1.5",',
         "electrode.dead_fraction: found 1.5"),
        (r'^exchange_current_density = \{ value = "0.2 mA/cm\^2", range = \[[^]]*\],',
         'exchange_current_density = { value = "0.2 mA/cm^2", range = ["1 mA/cm^2", "2 mA/cm^2"],', "outside its range"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_is_one_line(command, tmp_path, pattern, by, said):
    file = cell_file(tmp_path, pattern, by)
    found = command("simulate", "symmetric-cycling", "--electrode", file, *PLATING, "-o", tmp_path / "x.bdf.csv")
    assert found.code == 1
    assert said in found.line
    assert not (tmp_path / "x.bdf.csv").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--current-density", "0.5 V", "--capacity", "1 mAh/cm^2"], "current_density"),
        (["--current-density", "-0.5 mA/cm^2", "--capacity", "1 mAh/cm^2"], "current_density"),
        (["--current-density", "0.5", "--capacity", "1 mAh/cm^2"], "current_density"),
        (["--current-density", "0.5 mA/cm^2", "--capacity", "1 mA/cm^2"], "capacity"),
        (["--current-density", "0.5 mA/cm^2", "--capacity", "1 mAh/cm^2", "--duration", "0 h"], "duration"),
    ],
)
def test_what_the_operator_mixes_up_is_one_line(command, tmp_path, options, said):
    found = command(
        "simulate", "symmetric-cycling", "--electrode", "bare-li", *AREA, *options, "-o", tmp_path / "x.bdf.csv"
    )
    assert found.code == 1
    assert said in found.line


@pytest.mark.parametrize(
    ("kind", "electrode", "options", "said"),
    [
        ("impedance", "bare-na", ["--temperature", "25 K"], "temperature: found '25 K', expected at least 150 K"),
        ("impedance", "bare-na", ["--temperature", "298 degC"], "temperature: found 571.15 K, expected at most 500 K"),
        ("exchange-current", "bare-na", ["--temperature", "120 K"], "temperature: found '120 K', expected at least 150 K"),
        ("activation-energy", "bare-na", ["--temperatures", "10, 20, 30 K"], "10 K is 10 K, expected a temperature"),
        ("impedance", "bare-na", ["--cathode", "nvp"], "cathode: found one, expected none with electrodes = 2"),
        ("activation-energy", "bare-na", ["--upper-voltage", "4 V"], "upper_voltage: found one, expected none"),
        ("impedance", "bare-zn", [], "electrons: found 1, expected 2 for Zn"),
        ("activation-energy", "bare-zn", [], "electrons: found 1, expected 2 for Zn"),
        ("symmetric-rate", "bare-zn", [], "electrons: found 1, expected 2 for Zn"),
        ("nucleation", "bare-na", ["--area", "1e-9 cm^2"], "current_resolution: found 1e-07 A, above twice the largest"),
        ("plating-efficiency", "bare-na", ["--rest", "1e30 s"], "sampling_interval: 4e+29 samples"),
        ("full-cell-rate", "bare-na", ["--rest", "1e30 s"], "samples, expected at most 2e+07"),
        ("full-cell-rate", "bare-na", ["--one-c-current", "1e-9 mA"], "samples, expected at most 2e+07"),
        ("full-cell-rate", "bare-na", ["--active-mass", "1e-9 mg"], "it is the active mass over the area"),
    ],
)
def test_what_would_leave_a_wrong_record_is_one_line(command, tmp_path, kind, electrode, options, said):
    words = [word for k, word in enumerate(OPERATOR[kind]) if not {word, OPERATOR[kind][k - 1]} & set(options[:1])]
    found = command("simulate", kind, "--electrode", electrode, *words, *options, "-o", tmp_path / "x.bdf.csv")
    assert found.code == 1
    assert said in found.line


def test_a_rate_test_is_that_of_the_temperature_that_the_operator_sets():
    """Colder is slower, as by the cell's own temperature."""
    words = {"area": "1 cm^2", "current_densities": "0.5 mA/cm^2"}
    programme = {"capacity": "0.25 mAh/cm^2", "cycles_per_rate": 1}
    warm, cold = (
        api.simulate("symmetric-rate", "bare-na", instrument=programme, **words, **more)
        for more in ({}, {"temperature": "0 degC"})
    )
    assert cold.voltage_V[1:].max() > 2 * warm.voltage_V[1:].max()


@pytest.mark.parametrize("kind", ["symmetric-rate", "plating-efficiency", "exchange-current"])
def test_a_change_of_the_voltage_triggers_a_sample(kind):
    """With every test that offers it; the first sample of a half cycle comes long before its interval."""
    words = {key[2:].replace("-", "_"): value for key, value in zip(*[iter(OPERATOR[kind])] * 2, strict=True)}
    fields = experiment(kind).protocol.model_fields
    aliases = {field.alias or name for name, field in fields.items()}
    protocol = {key: value for key, value in words.items() if key in aliases}
    own = {key: value for key, value in words.items() if key not in aliases}
    even, moved = (
        api.simulate(kind, "bare-na", instrument={**own, "sampling_interval": "60 s", **more}, **protocol)
        for more in ({}, {"voltage_interval": "5 mV"})
    )
    assert len(moved) > len(even)


def test_shorts_that_the_cell_does_not_know_are_one_line(command, tmp_path):
    text = cell_file(tmp_path, "^$", "").read_text(encoding="utf-8")
    file = tmp_path / "without.toml"
    file.write_text(text[: text.index("[shorts]")], encoding="utf-8")
    found = command(
        "simulate", "symmetric-cycling", "--electrode", file, *PLATING, "--grow-shorts", "-o", tmp_path / "x.bdf.csv"
    )
    assert found.code == 1
    assert "shorts: missing" in found.line


def test_above_the_limiting_current_the_record_is_that_of_a_cell_that_fails(command, tmp_path):
    file = tmp_path / "high.bdf.csv"
    words = [*AREA, "--current-density", "10 mA/cm^2", "--capacity", "5 mAh/cm^2", "--duration", "1 h"]
    said = command("simulate", "symmetric-cycling", "--electrode", "bare-na", *words, "-o", file)
    assert said.code == 0
    assert "the salt at one electrode is used up after" in said.err
    notes = " ".join(api.read(file).notes)
    assert "the salt at one electrode is used up after" in notes
    assert "above the limiting current density of" in notes


@pytest.mark.parametrize(("kind", "module", "steps"), [("exchange-current", dynamics, 80), ("nucleation", dip, 150)])
def test_when_the_solver_fails_what_it_solved_is_kept(command, tmp_path, monkeypatch, kind, module, steps):
    """One line that says where it stands and which file holds the record up to there."""
    monkeypatch.setattr(module, "_MOST_STEPS", steps)
    file = tmp_path / "so-far.bdf.csv"
    said = command("simulate", kind, "--electrode", "bare-na", *OPERATOR[kind], "-o", file)
    assert said.code == 1
    pattern = rf"was not solved within {steps} steps; it stands at (\S+) s; \S+ holds the record up to there"
    stands_s = float(re.search(pattern, said.line)[1])
    record = api.read(file)
    assert record.simulated
    assert len(record) > 10
    assert record.time_s[-1] <= stands_s + 61.0
    assert "ended early" in record.notes[0]


def test_a_study_keeps_what_the_solver_reached(tmp_path, monkeypatch):
    """The line of the job names the file, which is there and says simulated."""
    monkeypatch.setattr(dynamics, "_MOST_STEPS", 80)
    inputs = {
        "kind": "exchange-current",
        "protocol": {"area": "1 cm^2", "electrodes": 2, "temperature": "25 degC"},
        "instrument": {},
        "seed": 0,
        "cell": load_cell("bare-na").to_dict(),
    }
    with pytest.raises(SolverError, match=r"so-far\.parquet holds the record up to there"):
        simulate_and_analyze(inputs, {}, {"cell": "bare-na"}, tmp_path)
    assert api.read(tmp_path / "record-so-far.parquet").simulated


def test_no_number_of_a_reported_study_is_in_a_shipped_cell():
    """But for published properties of the electrolyte everything of sodium and of VN is assumed."""
    assert {place for place, one in load_cell("na-vn").parameters().items() if one.status == "measured"} <= {
        "electrolyte.conductivity", "electrolyte.diffusivity", "electrolyte.transference_number",
    }  # fmt: skip
