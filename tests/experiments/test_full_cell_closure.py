"""Closure of the full cell: simulate with known parameters, analyze, and get them back within the stated intervals."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.experiments import experiment
from sodiophile.experiments._fullcell_simulate import insertion_cell, run
from sodiophile.experiments._fullcell_statistics import line, mean
from sodiophile.experiments.full_cell_cycling.fade import end_of_life, fade
from sodiophile.experiments.full_cell_cycling.simulate import VirtualInstrument as CyclingInstrument
from sodiophile.experiments.full_cell_rate.simulate import VirtualInstrument as RateInstrument
from sodiophile.physics.cell import load_cell
from sodiophile.schema import checked

RATE, CYCLING = experiment("full-cell-rate"), experiment("full-cell-cycling")
CELL = load_cell("bare-na")
MASS_MG, MASS_U_MG, ACCURACY = 2.0, 0.01, 1e-3
BASE = {
    "active_mass": f"{MASS_MG} mg",
    "active_mass_uncertainty": f"{MASS_U_MG} mg",
    "area": "1 cm^2",
    "theoretical_capacity": "110 mAh/g",
    "current_accuracy": ACCURACY,
}
DRAWS = [pytest.param(100, id="100"), pytest.param(1000, id="1000", marks=pytest.mark.slow)]


def covered(share: float, draws: int) -> None:
    """90 to 98 % of 1000 draws; with 100 draws the binomial scatter of the ends comes on top (three sigma of 95 %)."""
    margin = 0.0 if draws >= 1000 else 3 * np.sqrt(0.95 * 0.05 / draws) - 0.03
    assert 0.90 - margin <= share <= min(0.98 + margin, 1.0), f"covered {share:.3f}"


@pytest.mark.parametrize("draws", DRAWS)
def test_capacity_and_efficiency_at_a_rate(draws):
    """Current off within its accuracy, mass off as stated, cycles scattering, samples noisy and rounded."""
    random = np.random.default_rng(1)
    hits = []
    for seed in range(draws):
        mass_mg = MASS_MG + MASS_U_MG * random.standard_normal()
        settings = {
            "model": "simple",
            "rates": "1, 5, 1",
            "cycles_per_rate": 4,
            "scatter": 3e-3,
            "fade_linear": 0.0,
            "efficiency": float(random.uniform(0.98, 1.0)),
            "current_error": float(random.uniform(-ACCURACY, ACCURACY)),
            "sampling_interval": "60 s",
            "rest": "0 s",
        }
        instrument = checked(RateInstrument, settings)
        rates = [1.0] * 4 + [5.0] * 4 + [1.0] * 4
        # the cell has the true mass, the analysis is told the nominal one; 1C as set is a current
        true = checked(
            RATE.protocol, {"active_mass": f"{mass_mg} mg", "area": "1 cm^2", "one_c_current": f"{0.11 * MASS_MG} mA"}
        )
        record, _ = run("full-cell-rate", CELL, true, seed, instrument, rates)
        model = insertion_cell(CELL, true, instrument)
        result = RATE.run([record], checked(RATE.protocol, BASE))
        table = result.table("rates")
        for row, rate in enumerate((1.0, 5.0)):
            current = rate * 0.11 * MASS_MG
            window = model.discharged_to(2.5, current) - model.charged_to(3.8, current)
            truth = model.accessible_mAh(rate, 1) * window / (mass_mg / 1e3)
            hits.append(table["capacity_low_mAh_g"][row] <= truth <= table["capacity_high_mAh_g"][row])
    covered(float(np.mean(hits)), draws)


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize(("cycles", "correlation"), [(30, 0.0), (200, 0.5), (400, 0.8)])
def test_fade_with_correlated_scatter(draws, cycles, correlation):
    random = np.random.default_rng(2)
    number = np.arange(1.0, cycles + 1)
    hits = 0
    for _ in range(draws):
        slope = random.uniform(0, 2e-3)
        found = line(number, 100 * (1 - slope * (number - 1)) + scatter(random, cycles, correlation, 0.3))
        hits += abs(found.slope + 100 * slope) <= found.factor * found.slope_u
    covered(hits / draws, draws)


@pytest.mark.parametrize("draws", DRAWS)
def test_end_of_life(draws):
    """The cycle at which the true capacity crosses 80 % of the true reference."""
    random = np.random.default_rng(3)
    number = np.arange(1.0, 301)
    hits = 0
    for _ in range(draws):
        slope = random.uniform(1e-3, 3e-3)
        capacity = 100 * (1 - slope * (number - 1)) + scatter(random, 300, 0.0, 0.3)
        found = fade(number, capacity)
        life = end_of_life(number, capacity, 0.8 * capacity[0], found.scatter, 0.8)
        hits += abs(life.cycle - (1 + 0.2 / slope)) <= 1.96 * life.uncertainty
    covered(hits / draws, draws)


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("count", [3, 5, 40])
def test_means_of_few_cycles(draws, count):
    random = np.random.default_rng(4)
    found = [mean(5 + 0.1 * random.standard_normal(count), 0.02) for _ in range(draws)]
    off = 0.02 * random.standard_normal(draws)
    covered(float(np.mean([one.low <= 5 + shift <= one.high for one, shift in zip(found, off, strict=True)])), draws)


@pytest.mark.parametrize("draws", DRAWS)
def test_retention(draws):
    random = np.random.default_rng(5)
    number = np.arange(1.0, 101)
    hits = 0
    for _ in range(draws):
        slope = random.uniform(0, 3e-3)
        course = 100 * (1 - slope * (number - 1))
        capacity = course + scatter(random, 100, 0.3, 0.2)
        retention = capacity[-1] / capacity[0]
        relative = fade(number, capacity).scatter * np.hypot(1 / capacity[0], 1 / capacity[-1])
        hits += abs(retention - course[-1] / course[0]) <= 1.96 * retention * relative
    covered(hits / draws, draws)


def scatter(random, count, correlation, size):
    white = random.standard_normal(count)
    out = np.empty(count)
    out[0] = white[0]
    for n in range(1, count):
        out[n] = correlation * out[n - 1] + np.sqrt(1 - correlation**2) * white[n]
    return size * out


def test_a_whole_life_comes_back():
    given = checked(CYCLING.protocol, BASE)
    settings = {"model": "simple", "cycles": 300, "formation": 3, "fade_linear": 1e-3, "scatter": 1e-3, "efficiency": 0.995}
    instrument = checked(CyclingInstrument, {**settings, "sampling_interval": "60 s"})
    result = CYCLING.run([CYCLING.simulate(CELL, given, 1, instrument)], given)
    found = result.quantities
    assert result.simulated
    assert found["formation_cycles"].value == 3
    assert found["cycles"].value == 300
    # the reference is cycle 4, when the capacity has lost three thousandths
    truth = 1e-3 / (1 - 3e-3)
    assert abs(found["fade_per_cycle"].value - truth) < 3 * found["fade_per_cycle"].uncertainty + 2e-3 * truth
    assert abs(found["coulombic_efficiency"].value - 0.995) < 3 * found["coulombic_efficiency"].uncertainty
    assert abs(found["cycles_to_end_of_life"].value - 0.2 / truth) < 3 * found["cycles_to_end_of_life"].uncertainty
    assert result.verdicts["end_of_life"].answer == "end of life reached"
    assert result.verdicts["fade"].answer == "fades steadily"
    assert result.verdicts["voltage_step"].answer == "cannot be told: sampling too coarse"


def test_polarization_is_the_models():
    given = checked(RATE.protocol, BASE)
    instrument = checked(
        RateInstrument,
        {"model": "simple", "rates": "0.5, 1, 2", "scatter": 0.0, "fade_linear": 0.0, "sampling_interval": "2 s"},
    )
    result = RATE.run([RATE.simulate(CELL, given, 0, instrument)], given)
    model = insertion_cell(CELL, given, instrument)
    for rate in (0.5, 1.0, 2.0):
        # at half of either capacity the state is half of the window, the same on both ways but for its shift
        low, high = model.charged_to(3.8, rate * 0.22), model.discharged_to(2.5, rate * 0.22)
        middle = model.open_circuit_V(np.array(0.5 * (low + high)))
        assert abs(float(middle) - 3.3) < 1e-3
        truth = 2e3 * float(model.overpotential_V(rate * 0.22))
        assert abs(result.quantities[f"polarization_middle: {rate:g}C"].value - truth) < 0.5


@pytest.mark.parametrize("step_mV", [0.0, 15.0, 40.0])
def test_a_step_of_the_counter_electrode(step_mV):
    given = checked(RATE.protocol, BASE)
    settings = {
        "model": "simple",
        "rates": "0.5, 2",
        "counter_step": f"{step_mV / 2} mV",
        "counter_step_at": 0.4,
        "sampling_interval": "2 s",
    }
    result = RATE.run([RATE.simulate(CELL, given, 3, checked(RateInstrument, settings))], given)
    answer = result.verdicts["voltage_step"].answer
    if step_mV == 0:
        assert answer == "no voltage step"
        assert "voltage_step" not in result.quantities
        return
    assert answer == "voltage step"
    fast = result.table("steps").filter(result.table("steps")["current_mA"] > 0.4)
    assert set(fast["direction"]) == {"discharge"}
    assert set(fast["attribution"]) == {"counter electrode suspected"}
    np.testing.assert_allclose(fast["size_mV"].to_numpy(), step_mV, atol=1.0)
    # the step comes at 0.4 of what is accessible at this rate; the two windows are 2 % of the capacity apart
    accessible = 110 * (1 - 0.05 * np.sqrt(2))
    np.testing.assert_allclose(fast["position_mAh_g"].to_numpy(), 0.4 * accessible, atol=0.01 * accessible)
