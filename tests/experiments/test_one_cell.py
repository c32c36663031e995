"""One cell through every experiment: each ordinary analysis finds the same parameter, for each metal and temperature."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile import api
from sodiophile.experiments import experiment
from sodiophile.physics.cell import load_cell
from sodiophile.physics.cell_impedance import diffusion_ohm_cm2_s
from sodiophile.physics.constants import inverse_thermal_voltage_1_V
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.schema import checked

AREA = {"area": "1.13 cm^2"}
METALS = ["bare-na", "bare-li", "bare-k", "bare-zn"]


def record(kind, cell, protocol, **instrument):
    chosen = experiment(kind)
    return chosen.simulate(cell, checked(chosen.protocol, protocol), 1, checked(chosen.instrument, instrument))


def charge_transfer(cell, **instrument):
    """R_ct of one electrode by the ordinary analysis of a spectrum, ohm cm2, and its uncertainty."""
    protocol = {**AREA, "electrodes": 2, "electrons": cell.properties.z}
    found = api.analyze("impedance", record("impedance", cell, protocol, **instrument), **protocol).quantities
    return found["charge_transfer_resistance"]


def separated(name):
    """The cell with an interphase whose arc stands clear of charge transfer, at 25 degC."""
    cell = load_cell(name)
    e = cell.electrode
    return cell.changed({"electrode.interphase_capacitance": 0.01 * e.double_layer_capacitance.value})


@pytest.mark.parametrize("kelvin", [283.15, 298.15, 313.15])
@pytest.mark.parametrize("name", METALS)
def test_impedance_and_sweep_find_one_exchange_current_density(name, kelvin):
    """R_ct j0 zF/RT = 1 between two experiments on one cell, each analyzed as a laboratory does."""
    cell = separated(name).at(kelvin)
    true = cell.electrode.exchange_current_density.value * cell.factor(cell.electrode.exchange_activation_energy)
    f = inverse_thermal_voltage_1_V(kelvin, cell.properties.z)
    by_impedance = charge_transfer(cell)
    assert by_impedance.value * true * f / 1e3 == pytest.approx(1.0, abs=4 * by_impedance.uncertainty / by_impedance.value)
    sweep = {**AREA, "electrodes": 1, "electrons": cell.properties.z, "temperature": f"{kelvin} K"}
    asked = {"uncompensated_resistance": "0 ohm cm^2", "sweep_to": "0.3 V"}
    found = api.analyze("exchange-current", record("exchange-current", cell, sweep, **asked), **sweep).quantities
    j0 = found["apparent_exchange_current_density"]
    assert j0.value == pytest.approx(true, abs=max(4 * j0.uncertainty, 2e-3 * true))


@pytest.mark.parametrize("name", METALS)
def test_small_currents_polarize_by_the_resistances_of_the_spectrum(name):
    """Symmetric cycling at a small current: twice both arcs, the electrolyte and, once it is settled, the salt."""
    cell = load_cell(name)
    pair = SymmetricCell(cell)
    protocol = {**AREA, "electrodes": 2, "electrons": cell.properties.z}
    spectrum = api.analyze("impedance", record("impedance", cell, protocol, noise="0.001"), **protocol).quantities
    interfacial, series = spectrum["interfacial_resistance"], spectrum["series_resistance"]
    ohm_cm2 = 2 * interfacial.value + series.value + diffusion_ohm_cm2_s(pair)[0]
    j = 0.1 / inverse_thermal_voltage_1_V(298.15, cell.properties.z) / interfacial.value
    cycling = {**AREA, "current_density": f"{j} mA/cm^2", "capacity": f"{2 * j} mAh/cm^2"}
    quiet = {"voltage_noise": "0 V", "voltage_resolution": "0 V", "current_noise": 0, "current_resolution": "0 A"}
    trace = record("symmetric-cycling", cell, cycling, duration="2 h", **quiet)
    assert abs(trace.voltage_V[-1]) == pytest.approx(1e-3 * j * ohm_cm2, rel=0.02)


@pytest.mark.parametrize("name", ["bare-na", "bare-zn"])
def test_temperature_series_finds_the_activation_energies_of_the_cell(name):
    cell = separated(name)
    protocol = {**AREA, "electrodes": 2, "electrons": cell.properties.z, "temperatures": "5, 15, 25, 35, 45 degC"}
    protocol["temperature_error"] = "0 K"
    found = api.analyze("activation-energy", record("activation-energy", cell, protocol), **protocol).quantities
    e = cell.electrode
    energy = found["charge_transfer_activation_energy"]
    assert energy.value == pytest.approx(e.exchange_activation_energy.value, abs=4 * energy.uncertainty + 0.05)


def test_after_cycling_one_state_answers_both():
    """The dc limit of the spectrum of a cycled cell is the first slope of its next half cycle."""
    cell = load_cell("na-vn")
    pair = SymmetricCell(cell)
    for half in range(10):
        pair.step(0.5, plating=half % 2 == 0).finish(7200.0)
    pair.salt.advance(1e9, 0.0, pair.salt_time_s)
    asked = {"cycles_before": 5, "current_density_before": "0.5 mA/cm^2", "capacity_before": "1 mAh/cm^2"}
    spectrum = record("impedance", cell, {**AREA, "electrodes": 2}, **asked, noise="0", lowest_frequency="1e-5 Hz")
    dc_ohm_cm2 = spectrum.data["real_impedance_ohm"][-1] * 1.13
    step = pair.step(1e-6, plating=True)
    assert np.isclose(dc_ohm_cm2, abs(step.voltage_V(1e-3)[0]) / 1e-9 + diffusion_ohm_cm2_s(pair)[0], rtol=0.02)


def test_marcus_kinetics_come_back_from_a_sweep():
    """A cell with a reorganization energy, analyzed with the option for it: both parameters, and not Butler-Volmer."""
    cell = load_cell("bare-na").changed({"electrode.reorganization_energy": 0.3, "electrode.interphase_resistance": 0.0})
    sweep = {**AREA, "electrodes": 1, "temperature": "25 degC", "model": "marcus"}
    found = api.analyze(
        "exchange-current", record("exchange-current", cell, sweep, uncompensated_resistance="0 ohm cm^2"), **sweep
    )
    energy = found.quantities["apparent_reorganization_energy"]
    j0 = found.quantities["apparent_exchange_current_density_marcus"]
    assert energy.value == pytest.approx(0.3, abs=max(4 * energy.uncertainty, 3e-4))
    assert j0.value == pytest.approx(0.2, abs=max(4 * j0.uncertainty, 2e-4))
    assert found.verdicts["kinetics"].answer == "Marcus describes it better"
