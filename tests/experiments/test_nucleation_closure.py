"""Closure: a virtual dip of known tip and plateau, sampled and analyzed as in a lab."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.experiments import experiment
from sodiophile.experiments.nucleation.simulate import VirtualInstrument, cell_voltage, simulate
from sodiophile.physics.cell import load_cell
from sodiophile.schema import checked

EXPERIMENT = experiment("nucleation")
CAPACITY_mAh_cm2 = 0.2
DURATION_s = CAPACITY_mAh_cm2 / 0.5 * 3600


def protocol(**changes):
    given = {"area": "1.13 cm^2", "current_density": "0.5 mA/cm^2", "capacity": f"{CAPACITY_mAh_cm2} mAh/cm^2"}
    return checked(EXPERIMENT.protocol, {**given, **changes})


def analyzed(cell, given, seed=0, **instrument):
    return EXPERIMENT.run([simulate(cell, given, seed, checked(VirtualInstrument, instrument))], given)


def truth(cell):
    """Return tip and plateau of the solution without noise, mV, by the definitions of the protocol."""
    time, voltage = cell_voltage(cell, 0.5, DURATION_s)
    tip = int(voltage.argmin())
    begin = np.interp(0.0, -voltage[: tip + 1], time[: tip + 1])
    fine = begin + (DURATION_s - begin) * np.linspace(0.3, 0.7, 4001)
    return -1e3 * voltage[tip], -1e3 * float(np.median(np.interp(fine, time, voltage)))


@pytest.mark.parametrize("name", ["bare-na", "sodiophilic-na", "bare-li", "bare-zn"])
def test_tip_and_plateau_come_back_at_fine_sampling(name):
    cell = load_cell(name)
    tip, plateau = truth(cell)
    result = analyzed(cell, protocol(sampling_interval="0.01 s"), 1, voltage_noise="0.2 mV")
    assert result.verdicts["nucleation_dip"].answer == "dip resolved"
    found = result.quantities
    for name_, value in (
        ("tip_overpotential", tip),
        ("plateau_overpotential", plateau),
        ("nucleation_overpotential", tip - plateau),
    ):
        assert abs(found[name_].value - value) < 3 * found[name_].uncertainty, name_
    assert found["tip_overpotential"].uncertainty < 0.05 * tip


@pytest.mark.parametrize("interval", ["2 s", "10 s"])
@pytest.mark.parametrize("name", ["bare-na", "bare-zn"])
def test_coarse_sampling_is_not_taken_for_the_tip(name, interval):
    """What the instrument missed is said: the tip is undersampled, and what is stated bounds the truth."""
    cell = load_cell(name)
    tip, plateau = truth(cell)
    result = analyzed(cell, protocol(sampling_interval=interval), 2)
    assert result.verdicts["nucleation_dip"].answer != "dip resolved"
    found = result.quantities["nucleation_overpotential"]
    assert found.bound == "lower"
    assert found.value < tip - plateau + 3 * (found.uncertainty or 0.1)


@pytest.mark.parametrize("interval", ["0.01 s", "1 s", "10 s"])
def test_the_plateau_does_not_depend_on_the_sampling(interval):
    cell = load_cell("bare-na")
    _, plateau = truth(cell)
    found = analyzed(cell, protocol(sampling_interval=interval), 3).quantities["plateau_overpotential"]
    assert abs(found.value - plateau) < 3 * found.uncertainty


def test_uncertainty_of_the_plateau_is_not_too_small():
    cell = load_cell("bare-na")
    _, plateau = truth(cell)
    found = [
        analyzed(cell, protocol(sampling_interval="2 s"), seed, voltage_noise="1 mV").quantities["plateau_overpotential"]
        for seed in range(30)
    ]
    z = np.array([(quantity.value - plateau) / quantity.uncertainty for quantity in found])
    assert (np.abs(z) < 1.96).sum() >= 24


def test_conditions_come_back():
    found = analyzed(load_cell("bare-na"), protocol(sampling_interval="1 s"), 4).quantities
    assert found["current_density"].value == pytest.approx(0.5, rel=1e-3)
    assert found["sampling_interval"].value == pytest.approx(1.0, rel=1e-2)
    assert found["plated_capacity"].value == pytest.approx(CAPACITY_mAh_cm2, rel=5e-3)
