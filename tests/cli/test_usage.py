"""Options: what is wrong with them is one line; results alone stand on standard output; codes are those documented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SET = ("--area", "1 cm^2", "--current-density", "0.5 mA/cm^2", "--capacity", "0.1 mAh/cm^2")
CYCLING = ("analyze", "symmetric-cycling")


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ([], 1, "area: missing"),
        (["--area", "1"], 1, "without a unit"),
        (["--area", "-1 cm^2"], 1, "expected more than 0 cm^2"),
        (["--area", "\u22121 cm^2"], 1, "expected more than 0 cm^2"),
        (["--area", "0 cm^2"], 1, "expected more than 0 cm^2"),
        (["--area", "1 cm"], 1, "dimensions differ"),
        (["--area", "1,13 cm^2"], 1, "'1.13 cm^2'"),
        (["--area", "1e999 cm^2"], 1, "finite"),
        (["--area", "1e308 cm^2"], 1, "area: found '1e+308 cm^2', expected at most"),
        (["--area", "nan cm^2"], 1, "expected a number"),
        (["--area", "__import__('os') cm^2"], 1, "expected a number"),
        (["--area", "9**9**9 cm^2"], 1, "not a unit"),
        (["--area", "1 cm^2", "--first-cycle", "1.5"], 1, "expected a whole number"),
        (["--area", "1 cm^2", "--plating", "up"], 1, "'negative current' or 'positive current'"),
        (["--area", "1 cm^2", "--column", "I"], 1, "NAME=HEADER"),
        (["--area", "1 cm^2", "--column", "current=I"], 1, "current_ampere"),
        (["--area", "1 cm^2", "--column", "current_ampere=I"], 1, "no column 'I'"),
        (["--area", "1 cm^2", "--format", "nope"], 1, "is not a format"),
        (["--area", "1 cm^2", "--encoding", "nope"], 1, "encoding"),
        (["--area", "1 cm^2", "--figure", "x.docx"], 1, "expected .svg, .pdf, .png"),
        (["--area", "1 cm^2", "--figure", "x"], 1, "expected .svg, .pdf, .png"),
        (["--area", "1 cm^2", "--figure", "absent/x.svg"], 1, "no such folder"),
        (["--area", "1 cm^2", "--nonsense", "1"], 2, "no such option"),
    ],
)
def test_a_wrong_option_is_one_line(command, good, words, code, expected):
    said = command(*CYCLING, good, *words)
    assert said.code == code
    assert expected in said.line


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["analyse"], 2, "did you mean 'analyze'"),
        (["analyze", "symetric-cycling", "x"], 1, "did you mean 'symmetric-cycling'?"),
        (["analyze", "nonsense", "x"], 1, "nucleation"),
        (["simulate", "nucleation"], 2, "--electrode"),
        (["simulate", "nucleation", "--electrode", "bare-na", "-o", "x.csv", "--seed", "-1"], 2, "--seed"),
        (["simulate", "nucleation", "--electrode", "bare-na", "-o", "x.csv"], 1, "area: missing"),
        (["simulate", "nucleation", "--electrode", "bare-nn", "-o", "x.csv", *SET], 1, "did you mean"),
        (["simulate", "nucleation", "--electrode", "bare-na", "-o", "x.docx", *SET], 1, ".bdf.csv"),
        (["analyze", "nucleation"], 2, "FILE"),
        (["read"], 2, "FILE"),
        (["read", "a", "b"], 2, "unexpected"),
        (["run", "absent"], 1, "no such study"),
        (["run", ".", "--workers", "0"], 2, "--workers"),
        (["run", ".", "--workers", "1", "--scheduler", "tcp://127.0.0.1:1"], 2, "not both"),
        (["new"], 2, "DIR"),
        (["adsorption", "Na", "--engine", "nonsense"], 3, "7net"),
        (["adsorption", "Na", "--engine", "chgnt"], 3, "did you mean 'chgnet'?"),
        (["adsorption", "Na", "--figure", "x.docx"], 1, ".svg"),
        (["calculate", "adsorptoin", "Na"], 1, "did you mean 'adsorption'?"),
        (["calculate", "adsorption"], 2, "STRUCTURE"),
        (["calculate", "adsorption", "Na", "--figure", "x.docx"], 1, ".svg"),
        (["calculate", "adsorption", "Na", "--engine", "nonsense"], 3, "7net"),
        (["calculate", "adsorption", "Na", "--workers", "1", "--scheduler", "tcp://127.0.0.1:1"], 2, "not both"),
    ],
)
def test_a_wrong_command_is_one_line(command, words, code, expected):
    said = command(*words)
    assert said.code == code
    assert expected.lower() in said.line.lower()


@pytest.mark.parametrize(
    "words",
    [
        [], ["run"], ["read"], ["new"], ["kinds"], ["formats"], ["engines"], ["adsorption"], ["analyze"], ["simulate"],
        ["calculate"], ["calculate", "adsorption"],
        ["analyze", "nucleation"], ["analyze", "symmetric-cycling"], ["simulate", "nucleation"],
    ],
)  # fmt: skip
def test_help_fits_a_terminal_and_names_nothing_internal(command, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    said = command(*words, "--help")
    assert said.code == 0
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) <= 80
    for internal in ("<path>", "<str>", "list[", "int range", "{", "None", "_A ", "_cm2", "..."):
        assert internal not in said.out.replace("FILE...", "").replace("ARGS]...", ""), internal


@pytest.fixture
def more(good):
    """The next file of the same test, its clock started again."""
    path = good.with_name("more.csv")
    path.write_text("\n".join(good.read_text().splitlines()[:-1]))
    return path


def test_json_is_one_object_and_nothing_else(command, good, more):
    for words in ([*CYCLING, good, more, "--area", "1 cm^2"], ["read", good], ["kinds"], ["formats"], ["engines"]):
        said = command(*words, "--json")
        assert (said.code, said.err) == (0, "")
        assert isinstance(json.loads(said.out), dict)


def test_json_of_a_result_carries_warnings_and_every_quantity_its_five_facts(command, good, more):
    found = json.loads(command(*CYCLING, good, more, "--area", "1 cm^2", "--json").out)
    assert {"kind", "inputs", "quantities", "verdicts", "warnings"} <= set(found)
    assert any("clock" in warning for warning in found["warnings"])
    for quantity in found["quantities"].values():
        assert {"value", "unit", "uncertainty", "definition", "status"} <= set(quantity)


def test_one_file_given_twice_is_refused(command, good):
    said = command(*CYCLING, good, good, "--area", "1 cm^2")
    assert (said.code, "good.csv: the same file is given before" in said.line) == (1, True)


def test_a_figure_beside_json(command, good, tmp_path):
    figure = tmp_path / "a.png"
    said = command(*CYCLING, good, "--area", "1 cm^2", "--json", "--figure", figure)
    assert json.loads(said.out)["kind"] == "symmetric-cycling"
    assert said.err == f"figure: {figure}\n"
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_is_there_is_left_alone(command, tmp_path):
    assert command("new", tmp_path / "study").code == 0
    before = (tmp_path / "study" / "study.toml").read_bytes()
    assert "nothing was written" in command("new", tmp_path / "study").line
    assert (tmp_path / "study" / "study.toml").read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_that_takes_nothing_is_one_line():
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "sodiophile", "kinds", "--json"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "sodiophile: the result cannot be written: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe of POSIX")
@pytest.mark.parametrize("words", [["formats", "--json"], ["formats"]])
def test_a_reader_that_leaves_early_is_no_fault(words):
    producer = subprocess.Popen(
        [sys.executable, "-m", "sodiophile", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    producer.stdout.close()
    assert producer.stderr.read() == ""
    producer.stderr.close()
    assert producer.wait(60) == 0
