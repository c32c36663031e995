"""``sodiophile volts``: from a calculated adhesion to a dip, and one line for what is wrong."""

from __future__ import annotations

import json

import pytest

GAMMA = ("--surface-energy", "0.22(2) J/m^2")


def test_a_result_of_a_calculation_ends_in_a_dip(command, tmp_path):
    path = tmp_path / "adhesion.json"
    quantities = {
        "work_of_adhesion": {"value": 0.35, "unit": "J/m^2", "uncertainty": 0.05, "definition": "", "status": "computed"}
    }
    path.write_text(json.dumps({"kind": "adhesion", "quantities": quantities}))
    done = command("volts", str(path), *GAMMA, "--draws", "20", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["quantities"]["nucleation_overpotential"]
    assert found["unit"] == "mV"
    assert found["status"] == "simulated"
    assert "95 % between" in found["definition"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "expected one of a file"),
        (("--adhesion", "0.3(1) J/m^2", "--adsorption", "-0.3(1) eV", *GAMMA), "expected one of a file"),
        (("--adhesion", "0.3 J/m^2", *GAMMA), "without an uncertainty"),
        (("--adhesion", "0.3(1) J/m^2"), "surface_energy"),
        (("--adhesion", "0.3(1) J/m^2", *GAMMA, "--electrode", "na-vm"), "na-vn"),
        (("--adhesion", "0.3(1) J/m^2", *GAMMA, "--current-density", "1 mV"), "mV"),
        (("nothing.json", *GAMMA), "cannot be read"),
    ],
)
def test_bad_input_is_one_line(command, arguments, words):
    done = command("volts", *arguments)
    assert done.code == 1
    assert words in done.line
