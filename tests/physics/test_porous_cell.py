"""The full cell: conserved quantities, limits in closed form, convergence, ageing, impedance, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.physics.porous_cell import PorousCell
from sodiophile.physics.porous_layout import Ageing, Grid, cathode_potential_V, electrolyte_tables
from sodiophile.physics.sets import load_part
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.quantity import Quantity

NVP = load_part("cathode", "nvp")
BARE, LAYERED = load_cell("bare-na"), load_cell("sodiophilic-na")
# capacitances that are over in microseconds, and a surface that stays as it is
STILL = {
    "electrode.deposit_area": 0.0,
    "electrode.double_layer_capacitance": "1e-3 uF/cm^2",
    "electrode.interphase_capacitance": "1e-3 uF/cm^2",
    "electrode.interphase_growth": 0.0,
    "electrode.interphase_growth_per_capacity": 0.0,
    "electrode.dead_fraction": 0.0,
}
FINE = Grid(layer=40, electrode=40, particle=40, tolerance=0.05)


def with_values(cathode, **values):
    old = {name: getattr(cathode, name) for name in values}
    new = {name: Quantity(value, old[name].unit, status="assumed") for name, value in values.items()}
    return cathode.model_copy(update=new)


QUICK = with_values(NVP, double_layer_capacitance=1e-3)


def metal_and_ions(cell):
    """All of the metal, in the electrodes and the particles, mAh/cm2."""
    return cell.metal.total_mAh_cm2 + cell.filling * cell.capacity_mAh_cm2


def test_rates_order_and_reach_the_sites():
    cell = PorousCell(LAYERED, NVP)
    found = []
    for rate in (0.1, 1.0, 5.0, 10.0):
        cell.charge(0.1 * cell.capacity_mAh_cm2, 3.8)
        found.append(-cell.discharge(rate * cell.capacity_mAh_cm2, 2.5).charge_mAh_cm2 / cell.capacity_mAh_cm2)
    assert found == sorted(found, reverse=True)
    # 0.8 V beyond the plateau with ends of 2 mV leave less than 1 % of the sites on either side
    assert 0.98 < found[0] < 1.0


def test_salt_and_metal_are_conserved():
    """To round-off, through charge, hold, rest and discharge, with dead metal and interphase."""
    changes = {
        "electrode.dead_fraction": 0.05,
        "electrode.interphase_metal_use": 1e-4,
        "electrode.double_layer_capacitance": "0.001 uF/cm^2",
        "electrode.interphase_capacitance": "0.001 uF/cm^2",
    }
    cell = PorousCell(LAYERED.changed(changes), with_values(NVP, double_layer_capacitance=1e-6))
    metal, before = metal_and_ions(cell), cell.metal.metal_mAh_cm2
    for _ in range(3):
        up = cell.charge(0.5, 3.8)
        held = cell.hold(3.8, 0.05)
        assert (up.ended, held.ended) == ("limit", "cut-off")
        assert cell.rest(60.0).ended == "duration"
        cell.discharge(1.0, 2.5)
        cell.rest(600.0)
    assert cell.metal.dead_mAh_cm2 > 0.01
    assert cell.metal.interphase_mAh_cm2 > 1e-4
    assert cell.metal.metal_mAh_cm2 < before
    assert abs(cell.mean_concentration_mol_m3 / 1e3 - 1) < 1e-11
    # the double layers, the smallest that a cell may have, hold the rest
    assert abs(metal_and_ions(cell) - metal) < 3e-11 * metal


def test_what_is_counted_is_what_moved():
    """The charge of the record is that of the sites; the double layers hold the rest."""
    cell = PorousCell(LAYERED.changed(STILL), QUICK)
    before = cell.filling
    passed = cell.charge(0.5, 3.8).charge_mAh_cm2
    assert abs(passed - (before - cell.filling) * cell.capacity_mAh_cm2) < 1e-5 * passed


def test_a_slow_cell_is_at_equilibrium():
    cell = PorousCell(BARE.changed(STILL), QUICK)
    seen = cell.charge(1e-4 * cell.capacity_mAh_cm2, None, 0.5 * 1e4 * 3600)
    assert abs(seen.voltage_V[-1] - float(cathode_potential_V(cell.filling, NVP))) < 2e-4


def test_polarization_is_the_sum_of_its_parts():
    """Few seconds after the start of a small current: ohmic, charge transfer and interphase, all known in closed form."""
    cell = PorousCell(BARE.changed(STILL), with_values(QUICK, electronic_conductivity=1e6, softness=1e-6, diffusivity=1e-9))
    middle = PorousCell(cell.cell, cell.cathode, filling=0.5, grid=FINE)
    j = 1e-3
    seen = middle.charge(j, None, 0.05)
    thermal_V = GAS_J_mol_K * 298.15 / FARADAY_C_mol
    separator = BARE.separator.porous.path_m / 0.883 * 1e4
    metal = thermal_V * 1e3 / 0.2 + 180.0
    particles = 3 * NVP.active_fraction * NVP.accessible_fraction.value / 100e-9 * NVP.thickness.value * 1e-6
    cathode = thermal_V * 1e3 / (0.02 * particles)
    # ohmic drop in the pores of an electrode whose reaction is even: a third of its length
    pores = NVP.thickness.value * 1e-6 / 0.5**1.5 / 0.883 * 1e4 / 3
    expected_V = 1e-3 * j * (separator + metal + cathode + pores)
    assert abs((seen.voltage_V[-1] - seen.voltage_V[0]) / expected_V - 1) < 5e-3


def test_the_metal_may_have_marcus_kinetics():
    """Far from equilibrium it falls behind Butler-Volmer as its closed form says."""
    seen, expected = [], []
    for energy in ({}, {"electrode.reorganization_energy": "0.3 eV"}):
        changed = BARE.changed({**STILL, "electrode.interphase_resistance": 1.0, **energy})
        cell = PorousCell(changed, QUICK, filling=0.5)
        seen.append(cell.discharge(5.0, None, 0.05).voltage_V[-1])
        eta, _ = SymmetricCell(changed).surface.shared(5.0, 0.0, 1.0, 1.0, plating=False)
        expected.append(float(eta))
    assert expected[1] - expected[0] > 0.01
    # the salt at the face has moved a little by then
    assert abs((seen[0] - seen[1]) / (expected[1] - expected[0]) - 1) < 0.02


def test_the_grid_and_the_steps_converge():
    def middle_mV(factor, tolerance):
        grid = Grid(layer=6 * factor, electrode=8 * factor, particle=8 * factor, tolerance=tolerance)
        cell = PorousCell(LAYERED.changed(STILL), QUICK, grid=grid, filling=0.02)
        return 1e3 * cell.discharge(5 * cell.capacity_mAh_cm2, None, 300.0).voltage_V[-1]

    coarse, middle, fine = (middle_mV(factor, 1e-3) for factor in (1, 2, 4))
    assert 3.0 < (coarse - middle) / (middle - fine) < 5.5  # second order
    assert abs(middle_mV(2, 0.5) - middle) < 0.2


def test_the_deposit_used_up_shows_as_a_step():
    """Metal under an old interphase has to be stripped once the deposit is gone; without one the curve has no step."""
    changes = {"electrode.interphase_resistance": 800.0, "electrode.dead_fraction": 0.3, "electrode.deposit_area": 4.0}
    cell = PorousCell(BARE.changed({**changes, "electrode.deposit_area_capacity": 0.01}), NVP)
    cell.charge(0.1, 3.8)
    cell.rest(60.0)
    seen = cell.discharge(0.1, 2.5)
    passed = np.linspace(0.05, 0.95, 400)
    charge = -np.concatenate([[0.0], np.cumsum(np.diff(seen.time_s)) / 3600 * seen.current_density_mA_cm2[-1]])
    slope = np.gradient(np.interp(passed, charge / charge[-1], seen.voltage_V), passed)
    at = passed[np.argmin(slope)]
    assert 0.5 < at < 0.8  # what dead metal left of the deposit
    assert slope.min() < 8 * np.median(slope)
    assert cell.metal.deposit_mAh_cm2 < 0.02


def test_metal_that_runs_out_ends_the_discharge():
    changes = {"electrode.metal_capacity": 0.05, "electrode.dead_fraction": 0.4}
    cell = PorousCell(BARE.changed(changes), NVP)
    lost = []
    for _ in range(3):
        cell.charge(0.1, 3.8)
        lost.append(cell.discharge(0.1, 2.5))
    capacity = [-seen.charge_mAh_cm2 for seen in lost]
    assert capacity[2] < 0.7 * capacity[0]
    assert "the metal electrode was used up" in lost[2].words
    assert cell.metal.metal_mAh_cm2 > -1e-6


def test_a_current_above_the_limiting_one_fails_as_a_cell_does():
    changes = {"electrolyte.diffusivity": "2e-12 m^2/s", "electrode.exchange_current_density": 50.0}
    cell = PorousCell(BARE.changed({**changes, "electrode.interphase_resistance": 1.0}), NVP, filling=0.01)
    seen = cell.discharge(5.0, 1.0)
    assert seen.ended in ("limit", "salt")
    assert "limiting current" in seen.words
    assert cell.filling < 0.9
    assert seen.least_salt[-1] < 0.05


def test_a_limit_met_at_once_names_what_asks_for_the_room():
    """The metal, or, where it asks for little, the insertion electrode."""
    of_metal = PorousCell(BARE.changed({"electrode.interphase_resistance": 1000.0}), NVP, filling=0.5).charge(5.0, 3.8)
    assert of_metal.ended == "limit"
    assert "the metal electrode alone asks for" in of_metal.reason
    assert "the insertion electrode asks for the rest" not in of_metal.reason
    quick = BARE.changed({"electrode.interphase_resistance": 1.0, "electrode.exchange_current_density": 50.0})
    of_cathode = PorousCell(quick, with_values(NVP, exchange_current_density=1e-7), filling=0.5).charge(5.0, 3.8)
    assert of_cathode.ended == "limit"
    assert "the insertion electrode asks for the rest" in of_cathode.reason
    assert PorousCell(BARE, NVP).charge(0.1, 3.8).reason == ""


def test_a_thicker_interphase_adds_its_resistance():
    """Without a deposit all current passes under the interphase, which grows with the square root of time."""
    cell = PorousCell(BARE.changed({**STILL, "electrode.interphase_growth": 2000.0}), QUICK, filling=0.5)
    first = cell.discharge(0.1, None, 60.0)
    cell.rest(3.6e5 - 60.0)
    grown = np.sqrt(180.0**2 + 2 * 2000.0 * 100.0)
    assert abs(cell.metal.resistance_ohm_cm2 / grown - 1) < 1e-3
    fresh = PorousCell(BARE.changed(STILL), QUICK, filling=cell.filling)
    last, without = cell.discharge(0.1, None, 60.0), fresh.discharge(0.1, None, 60.0)
    added_V = without.voltage_V[-1] - last.voltage_V[-1]
    assert abs(added_V / (0.1e-3 * (cell.metal.resistance_ohm_cm2 - 180.0)) - 1) < 2e-2
    assert first.voltage_V[-1] > last.voltage_V[-1]


def test_dead_metal_is_a_layer_in_the_way():
    cell = PorousCell(BARE.changed({**STILL, "electrode.dead_porosity": 0.5}), QUICK, filling=0.5, grid=Grid(layer=100))
    fresh = cell.impedance_ohm_cm2([1e9])[0].real
    cell.metal.deposit_mAh_cm2, cell.metal.metal_mAh_cm2 = 0.0, 12.0
    cell.metal.dead_mAh_cm2 = 10.0
    cell.discharge(1e-6, None, 1.0)
    # 10 mAh/cm2 of sodium are 88.6 um, loosely packed twice that
    path = 2 * 88.6e-6 / 0.5**1.5
    assert abs((cell.impedance_ohm_cm2([1e9])[0].real - fresh) / (path / 0.883 * 1e4) - 1) < 5e-3


def test_ageing_of_the_insertion_electrode_counts_full_swings():
    cell = PorousCell(LAYERED, NVP, ageing=Ageing(active_loss=1e-2, efficiency=0.99))
    for _ in range(5):
        up = cell.charge(0.1, 3.8)
        down = cell.discharge(0.1, 2.5)
    # half of the loss of a cycle lies between its charge and its discharge
    assert abs(-down.charge_mAh_cm2 / up.charge_mAh_cm2 / (0.99 * (1 - 0.5e-2)) - 1) < 1e-3
    assert abs(cell.active / (1 - 1e-2) ** 5 - 1) < 1e-3


def test_impedance_is_the_response_to_a_small_current():
    """A step of current answers as the Fourier integral of the linearization says; here at both ends of the spectrum."""
    cell = PorousCell(LAYERED, NVP)
    cell.charge(0.2, 3.8)
    cell.discharge(0.2, None, 1800.0)
    cell.rest(36000.0)
    Z = cell.impedance_ohm_cm2(np.array([1e9, 1e-1]))
    layers = LAYERED.separator.porous.path_m + LAYERED.interlayer.porous.path_m
    assert abs(Z[0].real - (layers / 0.883 * 1e4)) < 0.15 * Z[0].real
    j, period = 1e-4, 10.0
    # a staircase of a sine, answered by the full equations
    steps = 240
    time = (np.arange(3 * steps) + 0.5) * period / steps
    seen = []
    for t in time:
        now = j * np.sin(2 * np.pi * t / period)
        part = (cell.charge if now > 0 else cell.discharge)(abs(now), None, period / steps)
        seen.append(np.interp(0.5 * period / steps, part.time_s, part.voltage_V))
    last = slice(2 * steps, None)
    wave = np.exp(-2j * np.pi * time[last] / period)
    response = 2j * np.mean((np.array(seen)[last] - np.mean(seen[2 * steps :])) * wave) / (1e-3 * j)
    assert abs(response / Z[1] - 1) < 0.02


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"filling": 0.0}, "filling"),
        ({"loading_mg_cm2": -1.0}, "loading"),
        ({"grid": {"layer": 2}}, "layer"),
        ({"grid": {"tolerance": 0.0}}, "tolerance"),
        ({"ageing": {"efficiency": 1.2}}, "efficiency"),
        ({"ageing": {"active_loss": -0.1}}, "active_loss"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(settings, what):
    made = {"grid": Grid, "ageing": Ageing}

    def build():
        PorousCell(BARE, NVP, **{name: made[name](**v) if name in made else v for name, v in settings.items()})

    with pytest.raises(InputError, match=f"{what}: found") as caught:
        build()
    assert "\n" not in str(caught.value)


def test_a_full_cell_needs_its_parts():
    with pytest.raises(InputError, match="cathode: missing"):
        PorousCell(BARE)
    with pytest.raises(InputError, match="single-charged"):
        PorousCell(load_cell("bare-zn"), NVP)
    with pytest.raises(InputError, match=r"transfer_coefficient: found 0\.4"):
        PorousCell(BARE, with_values(NVP, transfer_coefficient=0.4))
    cell = PorousCell(BARE, NVP)
    with pytest.raises(InputError, match="current_density: found -1"):
        cell.charge(-1.0, 3.8)
    with pytest.raises(InputError, match="duration: found 0"):
        cell.rest(0.0)
    with pytest.raises(InputError, match="frequency: found 0 Hz"):
        cell.impedance_ohm_cm2([0.0])


def test_the_electrolyte_passes_through_its_stated_values():
    points, diffusivity, conductivity = electrolyte_tables(LAYERED)
    at = list(points).index(1.0)
    assert abs(diffusivity[at] / 2.49e-11 - 1) < 1e-12
    assert abs(conductivity[at] / 0.883 - 1) < 1e-12
    assert conductivity[0] < conductivity[at]
    warm = electrolyte_tables(LAYERED.at(318.15))
    assert np.all(warm[1] > diffusivity)
