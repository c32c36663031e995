"""Closure for every metal: simulate with every virtual instrument, analyze as a laboratory does, get the parameters back.

Sodium, lithium and potassium with single-charged ions, zinc with z = 2. What the ordinary analysis of a kind of test can
tell is compared with the parameters of the cell themselves, or with closed forms written down here again.
"""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile import api
from sodiophile.experiments import experiment
from sodiophile.experiments.nucleation.simulate import cell_voltage
from sodiophile.physics.cell import load_cell
from sodiophile.physics.lifetime import Growth
from sodiophile.schema import checked

METALS = ["bare-na", "bare-li", "bare-k", "bare-zn"]
AREA = {"area": "1.13 cm^2"}
R_J_mol_K, F_C_mol, T_K = 8.314462618, 96485.33212, 298.15
FLAT = {
    "electrode.deposit_area": 0.0,
    "electrode.interphase_growth": 0.0,
    "electrode.interphase_growth_per_capacity": 0.0,
    "electrode.dead_fraction": 0.0,
    "electrode.metal_capacity": 1e6,
}


def found(kind, cell, protocol, seed=1, **instrument):
    chosen = experiment(kind)
    record = chosen.simulate(cell, checked(chosen.protocol, protocol), seed, checked(chosen.instrument, instrument))
    return api.analyze(kind, record, **protocol)


def separated(name):
    """The cell with an interphase whose arc stands clear of charge transfer."""
    cell = load_cell(name)
    return cell.changed({"electrode.interphase_capacitance": 0.01 * cell.electrode.double_layer_capacitance.value})


def series_ohm_cm2(cell):
    layer, kappa_S_m = cell.separator, 0.1 * cell.electrolyte.conductivity.value
    return 1e4 * 1e-6 * layer.thickness.value / layer.porosity.value**layer.bruggeman.value / kappa_S_m


def steady_mV(cell, j):
    """The steady voltage of a flat cell: interphase, charge transfer, electrolyte, concentration; alpha 1/2."""
    e, electrolyte, z = cell.electrode, cell.electrolyte, cell.properties.z
    f = z * F_C_mol / (R_J_mol_K * T_K)
    path = 1e-6 * cell.separator.thickness.value / cell.separator.porosity.value**cell.separator.bruggeman.value
    t, c = electrolyte.transference_number.value, 1e3 * electrolyte.concentration.value
    limit = 0.1 * 2 * z * F_C_mol * c * electrolyte.diffusivity.value / ((1 - t) * path)
    drive = j / limit
    total = 1e-3 * j * (2 * e.interphase_resistance.value + series_ohm_cm2(cell))
    for ratio in (1 - drive, 1 + drive):
        total += 2 / f * np.arcsinh(j / (2 * e.exchange_current_density.value * np.sqrt(ratio)))
    salt = electrolyte.ions_per_cation.value * (1 - t) * electrolyte.thermodynamic_factor.value / f
    return 1e3 * (total + salt * np.log((1 + drive) / (1 - drive)))


@pytest.mark.parametrize("name", METALS)
def test_cycling_gives_the_polarization_of_the_parameters(name):
    cell = load_cell(name).changed(FLAT)
    protocol = {**AREA, "current_density": "0.5 mA/cm^2", "capacity": "2 mAh/cm^2"}
    end = found("symmetric-cycling", cell, protocol, duration="40 h").quantities["polarization_end"]
    assert abs(end.value - steady_mV(cell, 0.5)) < 3 * end.uncertainty
    assert end.uncertainty < 0.05 * end.value


@pytest.mark.parametrize("name", METALS)
def test_a_rate_test_gives_that_of_every_step(name):
    cell = load_cell(name).changed(FLAT)
    protocol = {**AREA, "current_densities": "0.1, 0.2, 0.4, 0.1 mA/cm^2", "electrons": cell.properties.z}
    programme = {"capacity": "2 mAh/cm^2", "cycles_per_rate": 3, "sampling_interval": "60 s"}
    table = found("symmetric-rate", cell, protocol, **programme).table("steps")
    assert table["stable"].all()
    for j, eta, error in table.select("current_density_mA_cm2", "polarization_mV", "uncertainty_mV").iter_rows():
        # salt takes minutes of hours to settle, which a mean over the half cycle still sees a little of
        assert abs(eta - steady_mV(cell, j)) < 3 * error + 0.01 * eta


@pytest.mark.parametrize("name", METALS)
def test_plating_efficiency_gives_what_is_cut_off(name):
    cell = load_cell(name)
    protocol = {**AREA, "current_density": "0.5 mA/cm^2", "capacity": "1 mAh/cm^2", "cut_off": "1 V"}
    result = found("plating-efficiency", cell, protocol, cycles=6)
    efficiency = result.quantities["coulombic_efficiency"].to("1")
    kept = 1 - cell.electrode.dead_fraction.value
    assert abs(efficiency.value - kept) < 3 * efficiency.uncertainty + 5e-4


@pytest.mark.parametrize("name", METALS)
def test_a_dip_gives_its_tip_and_its_plateau(name):
    cell = load_cell(name)
    protocol = {**AREA, "current_density": "0.5 mA/cm^2", "capacity": "0.2 mAh/cm^2"}
    quantities = found("nucleation", cell, protocol, sampling_interval="0.01 s").quantities
    time_s, voltage_V = cell_voltage(cell, 0.5, 1440.0)
    tip = quantities["tip_overpotential"]
    assert abs(tip.value + 1e3 * voltage_V.min()) < 3 * tip.uncertainty
    begins = np.interp(0.0, -voltage_V[: voltage_V.argmin()], time_s[: voltage_V.argmin()])
    window = begins + (1440.0 - begins) * np.linspace(0.3, 0.7, 401)
    plateau = quantities["plateau_overpotential"]
    truth = -1e3 * float(np.median(np.interp(window, time_s, voltage_V)))
    assert abs(plateau.value - truth) < 3 * plateau.uncertainty


@pytest.mark.parametrize("alpha", [0.4, 0.6])
@pytest.mark.parametrize("name", METALS)
def test_a_sweep_gives_kinetics_and_interphase(name, alpha):
    cell = load_cell(name).changed({"electrode.transfer_coefficient": alpha})
    protocol = {**AREA, "electrodes": 1, "electrons": cell.properties.z, "temperature": "25 degC"}
    quantities = found(
        "exchange-current", cell, protocol, uncompensated_resistance="0 ohm cm^2", sweep_to="0.3 V"
    ).quantities
    for quantity, truth in (
        ("apparent_exchange_current_density", cell.electrode.exchange_current_density.value),
        ("apparent_transfer_coefficient", alpha),
        ("apparent_series_resistance", cell.electrode.interphase_resistance.value),
    ):
        one = quantities[quantity]
        # double layer and salt of a slow sweep are not in the model of the fit
        assert abs(one.value - truth) < 4 * one.uncertainty + 1e-3 * truth, quantity


@pytest.mark.parametrize("name", METALS)
def test_a_spectrum_gives_every_part_of_the_cell(name):
    cell = separated(name)
    e = cell.electrode
    f = cell.properties.z * F_C_mol / (R_J_mol_K * T_K)
    protocol = {**AREA, "electrodes": 2, "electrons": cell.properties.z}
    quantities = found("impedance", cell, protocol, noise="0.001", points_per_decade=12).quantities
    for quantity, truth in (
        ("series_resistance", series_ohm_cm2(cell)),
        ("sei_resistance", e.interphase_resistance.value),
        ("charge_transfer_resistance", 1e3 / (f * e.exchange_current_density.value)),
        ("sei_capacitance", e.interphase_capacitance.value),
        ("charge_transfer_capacitance", e.double_layer_capacitance.value),
        ("apparent_exchange_current_density", e.exchange_current_density.value),
    ):
        one = quantities[quantity]
        assert abs(one.value - truth) < 4 * one.uncertainty, quantity
        assert one.uncertainty < 0.1 * truth, quantity


@pytest.mark.parametrize("name", METALS)
def test_a_temperature_series_gives_both_activation_energies(name):
    cell = separated(name).changed(
        {"electrode.exchange_activation_energy": 61.0, "electrode.interphase_activation_energy": 43.0}
    )
    protocol = {
        **AREA,
        "electrodes": 2,
        "electrons": cell.properties.z,
        "temperatures": "5, 15, 25, 35, 45 degC",
        "temperature_error": "0 K",
    }
    quantities = found("activation-energy", cell, protocol, noise="0.001", points_per_decade=12).quantities
    # T/R of charge transfer goes with j0, 1/R of the interphase with its conductivity
    for quantity, truth in (("charge_transfer_activation_energy", 61.0), ("sei_activation_energy:1/R", 43.0)):
        one = quantities[quantity]
        assert abs(one.value - truth) < 4 * one.uncertainty + 0.1, quantity


@pytest.mark.parametrize("name", METALS)
def test_a_life_is_that_of_the_law(name):
    """The median cell of spots that grow, found by the verdict on shorts, to the half cycle."""
    cell = load_cell(name).changed({"shorts.bridge_resistance": "0.5 ohm cm^2"})
    j, capacity = 0.5, 1.0
    truth = float(Growth.of(cell, j, capacity, 1.13).quantile_h(0.5))
    assert 10 < truth < 1000
    protocol = {**AREA, "current_density": f"{j} mA/cm^2", "capacity": f"{capacity} mAh/cm^2"}
    programme = {"duration": f"{1.3 * truth} h", "sampling_interval": "60 s", "grow_shorts": True, "life_quantile": 0.5}
    result = found("symmetric-cycling", cell, protocol, **programme)
    assert result.verdicts["lifespan"].answer == "hard short"
    assert result.quantities["lifespan"].value == pytest.approx(truth, abs=2.0)


@pytest.mark.parametrize("name", METALS)
def test_spectra_before_and_after_a_rest_give_the_growth_of_the_interphase(name):
    """R^2 = R_0^2 + 2kt, with both resistances from ordinary fits; the capacitance of the film falls as R grows."""
    cell = separated(name)
    R_0 = cell.electrode.interphase_resistance.value
    hours = 200.0
    k = 1.5 * R_0**2 / (2 * hours)
    cell = cell.changed({"electrode.interphase_growth": k})
    protocol = {**AREA, "electrodes": 2, "electrons": cell.properties.z}
    before, after = (
        found("impedance", cell, protocol, seed=seed, noise="0.001", rest_before=f"{rest_h} h").quantities
        for seed, rest_h in ((1, 0.0), (2, hours))
    )
    first, second = before["sei_resistance"], after["sei_resistance"]
    growth = (second.value**2 - first.value**2) / (2 * hours)
    error = np.hypot(first.value * first.uncertainty, second.value * second.uncertainty) / hours
    assert abs(growth - k) < 4 * error
    assert error < 0.05 * k
    ratio = after["sei_capacitance"].value / before["sei_capacitance"].value
    assert ratio == pytest.approx(first.value / second.value, rel=0.05)


@pytest.mark.parametrize("name", METALS)
def test_spectra_before_and_after_cycles_give_what_cycling_adds(name):
    """R = R_0 + k_q Q by cracking alone, Q of both directions."""
    cell = separated(name)
    R_0, cycles = cell.electrode.interphase_resistance.value, 40
    rate = 0.5 * R_0 / (2 * cycles)
    cell = cell.changed({**FLAT, "electrode.interphase_growth_per_capacity": rate})
    protocol = {**AREA, "electrodes": 2, "electrons": cell.properties.z}
    history = {"cycles_before": cycles, "current_density_before": "0.5 mA/cm^2", "capacity_before": "1 mAh/cm^2"}
    quantities = found("impedance", cell, protocol, noise="0.001", **history).quantities
    after = quantities["sei_resistance"]
    assert abs(after.value - 1.5 * R_0) < 4 * after.uncertainty
    assert after.uncertainty < 0.05 * R_0
