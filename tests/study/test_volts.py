"""Predictions from atoms in a study: what is given ends in a measurement, what was reported is only compared with."""

from __future__ import annotations

import pytest

from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.quantity import Quantity
from sodiophile.study.load import load_study
from sodiophile.study.run import run
from sodiophile.study.volts_tasks import energies_of, predicted

PREDICTION = """
[[predictions]]
name = "dip from atoms"
adhesion = "0.32(5) J/m^2"
surface_energy = "0.22(2) J/m^2"
experiment = "dip"
draws = 20
"""

STUDY = f"""
title = "A dip"
[electrodes.vn]
metal = "Na"
area = "1 cm^2"
cell = "na-vn"
[[experiments]]
name = "dip"
kind = "nucleation"
current_density = "0.5 mA/cm^2"
capacity = "0.1 mAh/cm^2"
simulate = {{ sampling_interval = "30 s", voltage_interval = "1 mV", shortest_interval = "1 ms", rest = "10 s" }}
[[reported]]
experiment = "dip"
quantity = "nucleation_overpotential"
value = "900 mV"
where = "nowhere"
{PREDICTION}"""


def _inputs(write_study, text=STUDY):
    (job,) = [job for job in load_study(write_study(text)).jobs if job.what == "prediction"]
    return job.derivation.inputs


def test_a_study_predicts_a_dip_and_compares_it(write_study):
    outcome = run(write_study(STUDY), workers=1)
    job = next(job for job in outcome.jobs if job.name == "dip from atoms")
    assert job.error is None
    result = job.result
    assert result.simulated
    dip = result.quantities["nucleation_overpotential"]
    assert dip.status == "simulated"
    assert dip.interval[0] < dip.value < dip.interval[1]
    assert "contradicts" in result.verdicts["hold-out"].answer
    assert result.table("links")["gives"].to_list()[0] == "work_of_adhesion"
    from sodiophile.report.figures import draw

    assert draw(result) is not None


def test_better_adhesion_means_a_smaller_dip(write_study):
    inputs, cell = _inputs(write_study), load_cell("na-vn")
    dips = []
    for W in ("0.05(1) J/m^2", "0.40(1) J/m^2"):
        energies = energies_of({**inputs["given"], "adhesion": W}, None)
        dips.append(predicted(cell, inputs, energies).quantities["nucleation_overpotential"].value)
    assert dips[1] < 0.7 * dips[0]


NOTHING = dict.fromkeys(("adhesion", "adsorption", "surface_energy", "uncertainty"))


def _atoms(**quantities):
    return {"quantities": {name: quantity.to_dict() for name, quantity in quantities.items()}}


def test_a_calculation_brings_its_energies():
    atoms = _atoms(work_of_adhesion=Quantity(0.5, "J/m^2", 0.1), surface_energy=Quantity(0.22, "J/m^2", 0.01))
    found = energies_of(NOTHING, atoms)
    assert found["adhesion"].value == 0.5
    assert found["surface_energy"].value == 0.22
    wider = energies_of({**NOTHING, "uncertainty": "0.3 J/m^2"}, atoms)
    assert wider["adhesion"].uncertainty == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("given", "atoms", "words"),
    [
        (NOTHING, _atoms(), "neither a work of adhesion nor an adsorption energy"),
        (NOTHING, _atoms(work_of_adhesion=Quantity(0.5, "J/m^2")), "states no uncertainty"),
        (NOTHING, _atoms(work_of_adhesion=Quantity(0.5, "J/m^2", 0.1)), "no surface energy"),
        ({**NOTHING, "uncertainty": "0.3 eV"}, _atoms(work_of_adhesion=Quantity(0.5, "J/m^2", 0.1)), "eV"),
    ],
)
def test_what_a_calculation_lacks_is_said(given, atoms, words):
    with pytest.raises(InputError, match=words):
        energies_of(given, atoms)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('adhesion = "0.32(5) J/m^2"', "", "one of them"),
        ('adhesion = "0.32(5) J/m^2"', 'adhesion = "0.32(5) J/m^2"\nadsorption = "-0.3(1) eV"', "one of them"),
        ('adhesion = "0.32(5) J/m^2"', 'adhesion = "0.32 J/m^2"', "without an uncertainty"),
        ('adhesion = "0.32(5) J/m^2"', 'adhesion = "0.32(5) eV"', "adhesion"),
        ('adhesion = "0.32(5) J/m^2"', 'calculation = "none"', "expected the name of a calculation"),
        ('surface_energy = "0.22(2) J/m^2"', "", "no surface_energy"),
        ('experiment = "dip"\ndraws', 'experiment = "dips"\ndraws', "did you mean 'dip'?"),
        ("draws = 20", "draws = 3", "draws"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(write_study, old, new, words):
    assert old in STUDY
    with pytest.raises(InputError) as caught:
        _inputs(write_study, STUDY.replace(old, new))
    assert words in str(caught.value)
    assert "predictions[1]" in str(caught.value)
    assert "\n" not in str(caught.value)
