"""Closure: cycle a virtual cell of known parameters, analyze its record as a lab would, and get them back."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from sodiophile.experiments import experiment
from sodiophile.experiments.symmetric_cycling.simulate import VirtualInstrument, simulate
from sodiophile.physics.cell import load_cell
from sodiophile.schema import checked

EXPERIMENT = experiment("symmetric-cycling")


def _physics_tests():
    path = Path(__file__).parent.parent / "physics" / "test_symmetric.py"
    spec = importlib.util.spec_from_file_location("symmetric_cell_laws", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LAWS = _physics_tests()
FLAT = LAWS.FLAT


def protocol(**changes):
    given = {"area": "1.13 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "1 mAh/cm^2"}
    return checked(EXPERIMENT.protocol, {**given, **changes})


def analyzed(cell, given, seed=0, duration="40 h", **instrument):
    set_up = checked(VirtualInstrument, {"duration": duration, **instrument})
    return EXPERIMENT.run([simulate(cell, given, seed, set_up)], given)


@pytest.mark.parametrize("current", [0.1, 0.5, 2.0])
def test_polarization_is_the_analytic_one(current):
    """Half of the steady voltage of the two electrodes: within the stated uncertainty, without noise within 10 uV."""
    given = protocol(current_density=f"{current} mA/cm^2", capacity=f"{4 * current} mAh/cm^2")
    truth = LAWS.analytic_V(FLAT, current) * 1e3
    quiet = analyzed(
        FLAT,
        given,
        duration="80 h",
        voltage_noise="0 V",
        voltage_resolution="0 V",
        current_noise=0,
        current_resolution="0 A",
    )
    for name in ("polarization_middle", "polarization_end"):
        assert quiet.quantities[name].value == pytest.approx(truth, abs=0.01)
    noisy = analyzed(FLAT, given, 1).quantities["polarization_middle"]
    assert abs(noisy.value - truth) < 3 * noisy.uncertainty
    assert noisy.uncertainty < 0.1


def test_conditions_come_back():
    result = analyzed(FLAT, protocol(), 2)
    assert result.quantities["current_density"].value == pytest.approx(0.5, rel=1e-3)
    assert result.quantities["capacity"].value == pytest.approx(1.0, rel=2e-3)
    assert result.quantities["sampling_interval"].value == pytest.approx(30.0, rel=1e-3)


def test_apparent_resistance_is_that_of_the_parameters():
    truth = LAWS.analytic_V(FLAT, 0.5) / 0.5 * 1e3
    found = analyzed(FLAT, protocol(), 3).quantities["apparent_resistance"]
    assert abs(found.value - truth) < 3 * max(found.uncertainty, 1e-3 * truth)


def z_scores(name, truth, seeds, **instrument):
    found = [analyzed(FLAT, protocol(), seed, **instrument).quantities[name] for seed in seeds]
    return np.array([(quantity.value - truth) / quantity.uncertainty for quantity in found])


@pytest.mark.parametrize("name", ["polarization_middle", "polarization_end"])
def test_uncertainty_covers_where_noise_decides(name):
    """With noise above the last digit one standard uncertainty covers about 68 %, two about 95 % of the repeats."""
    z = z_scores(name, LAWS.analytic_V(FLAT, 0.5) * 1e3, range(40), voltage_noise="1 mV", voltage_resolution="0.1 mV")
    # of 40 repeats of probability 0.68 and 0.95: binomial bounds of less than 1 in 1000
    assert 18 <= (np.abs(z) < 1).sum() <= 36
    assert (np.abs(z) < 1.96).sum() >= 33
    assert abs(z.mean()) < 0.55


@pytest.mark.slow
@pytest.mark.parametrize("name", ["polarization_middle", "polarization_end"])
def test_coverage_over_many_repeats(name):
    truth = LAWS.analytic_V(FLAT, 0.5) * 1e3
    z = z_scores(name, truth, range(400), voltage_noise="1 mV", voltage_resolution="0.1 mV")
    assert 0.60 < (np.abs(z) < 1).mean() < 0.78
    assert 0.90 < (np.abs(z) < 1.96).mean() < 0.985


@pytest.mark.parametrize("at_h", [20.1, 25.0333, 31.9])
def test_a_hard_short_is_found_to_the_sample(at_h):
    result = analyzed(load_cell("bare-na"), protocol(), 4, "60 h", hard_short_at=f"{at_h} h")
    assert result.verdicts["lifespan"].answer == "hard short"
    low, high = result.quantities["lifespan"].interval
    sample_h = 30 / 3600
    # the clock of the analysis starts at the first sample under current, the short lies between two samples
    assert low <= at_h + 1e-6
    assert at_h <= high + sample_h + 1e-6
    assert high - low <= 2 * sample_h + 1e-9


def test_nothing_fails_where_nothing_was_asked_for():
    result = analyzed(load_cell("bare-na"), protocol(), 5, "200 h")
    assert "right-censored" in result.verdicts["lifespan"].answer
    assert result.quantities["lifespan"].bound == "lower"
    assert result.quantities["lifespan"].value == pytest.approx(200, abs=0.1)


def test_soft_shorts_are_suspected_after_they_begin():
    result = analyzed(load_cell("bare-na"), protocol(), 6, "200 h", soft_shorts_from="100 h", soft_shorts_per_h="0.5 1/h")
    assert "soft short" in result.verdicts["lifespan"].answer
    assert 100 <= result.quantities["soft_short_onset"].value <= 112


def test_passivation_is_told_from_a_short():
    result = analyzed(
        load_cell("bare-na"), protocol(), 7, "200 h", passivation_from="60 h", passivation_rate="60 ohm cm^2/h"
    )
    assert result.verdicts["lifespan"].answer == "passivated"
    # the layer must add four times the lowest polarization of 83 mV: at 0.5 mA/cm^2 it takes 11 h
    assert result.quantities["lifespan"].value == pytest.approx(60 + 11.1, abs=2)


def test_exhaustion_of_the_metal_is_found():
    """A foil with metal for some twenty cycles of loss ends at the voltage limit."""
    cell = LAWS.altered(load_cell("bare-na"), dead_fraction=0.2, metal_capacity=4.0)
    result = analyzed(cell, protocol(), 8, "200 h")
    assert result.verdicts["lifespan"].answer == "passivated"
    assert 20 < result.quantities["lifespan"].value < 120


def test_first_cycles_are_higher_than_the_relaxed_ones():
    result = analyzed(load_cell("bare-na"), protocol(), 9)
    halves = result.table("half_cycles")["voltage_mean_mV"].abs().to_list()
    assert halves[0] > 1.5 * halves[4]


@pytest.mark.parametrize("current", [6.0, 8.0, 30.0])
def test_a_cell_that_never_takes_the_current_is_not_called_healthy(current):
    """Above the limiting current each half cycle ends at the limit, from the first on: with the capacity that was set, or
    by what they have in common, the verdict says so at once."""
    given = protocol(current_density=f"{current} mA/cm^2")
    record = simulate(load_cell("bare-na"), given, 1, checked(VirtualInstrument, {"duration": "5 h"}))
    told = EXPERIMENT.run([record], given)
    assert told.verdicts["lifespan"].answer == "passivated"
    assert told.quantities["lifespan"].value < 0.1
    if current < 10.0:
        untold = EXPERIMENT.run([record], checked(EXPERIMENT.protocol, {"area": "1.13 cm^2"}))
        assert untold.verdicts["lifespan"].answer == "passivated"


@pytest.mark.parametrize("name", ["bare-na", "na-vn", "bare-li", "bare-k", "bare-zn"])
def test_a_cell_that_takes_it_is_not_called_passivated(name):
    result = analyzed(load_cell(name), protocol(), 3, "60 h")
    assert "right-censored" in result.verdicts["lifespan"].answer
