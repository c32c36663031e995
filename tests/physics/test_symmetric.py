"""The symmetric cell: exact where it is flat, conserving metal, growing as it should, failing as cells do."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.physics._surfaces_kernel import overpotential_V
from sodiophile.physics.cell import Cell, load_cell
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.physics.kinetics import (
    butler_volmer_mA_cm2,
    butler_volmer_overpotential_V,
    charge_transfer_resistance_ohm_cm2,
)
from sodiophile.physics.symmetric import Surface, SymmetricCell
from sodiophile.physics.symmetric_step import ended_by
from sodiophile.quantity import Quantity

HOUR = 3600.0


def altered(cell: Cell, part: str = "electrode", **values: float) -> Cell:
    """Return `cell` with parameters of one part set to values in the unit they have."""
    section = getattr(cell, part)
    found = {
        name: Quantity(value, getattr(section, name).unit, status="assumed", source="set by the test")
        for name, value in values.items()
    }
    return cell.model_copy(update={part: section.model_copy(update=found)})


FLAT = altered(
    load_cell("bare-na"),
    deposit_area=0.0,
    interphase_growth=0.0,
    interphase_growth_per_capacity=0.0,
    dead_fraction=0.0,
    metal_capacity=1e9,
)


def analytic_V(cell: Cell, j: float) -> float:
    """Return the steady voltage of a flat cell, from its parameters alone."""
    e, electrolyte, separator = cell.electrode, cell.electrolyte, cell.separator
    f = FARADAY_C_mol / (GAS_J_mol_K * cell.temperature.value)
    path = separator.thickness.value * 1e-6 / separator.porosity.value**separator.bruggeman.value
    resistance = 1e4 * path / (0.1 * electrolyte.conductivity.value)
    t = electrolyte.transference_number.value
    limit = (
        0.1 * 2 * FARADAY_C_mol * 1e3 * electrolyte.concentration.value * electrolyte.diffusivity.value / ((1 - t) * path)
    )
    drive = j / limit
    total = 2e-3 * j * e.interphase_resistance.value + 1e-3 * j * resistance
    for ratio in (1 - drive, 1 + drive):
        total += 2 / f * np.arcsinh(j / (2 * e.exchange_current_density.value * np.sqrt(ratio)))
    return total + 2 * (1 - t) / f * np.log((1 + drive) / (1 - drive))


@pytest.mark.parametrize("j", [1e-4, 0.1, 0.5, 2.0])
def test_flat_cell_is_analytic(j):
    step = SymmetricCell(FLAT).step(j, plating=True)
    assert -step.voltage_V([1e6])[0] == pytest.approx(analytic_V(FLAT, j), rel=1e-9)


def test_small_currents_see_resistances_in_series():
    """V/j -> 2 (R_ct + R_interphase) + R_electrolyte + the resistance of diffusion."""
    cell = SymmetricCell(FLAT)
    j = 1e-5
    f = FARADAY_C_mol / (GAS_J_mol_K * 298.15)
    charge_transfer = 1e3 / (f * FLAT.electrode.exchange_current_density.value)
    diffusion = 1e3 * 2 * (1 - 0.45) / f * 2 / cell.limiting_current_density_mA_cm2
    expected = 2 * (charge_transfer + FLAT.electrode.interphase_resistance.value)
    expected += cell.electrolyte_resistance_ohm_cm2 + diffusion
    assert -1e3 * cell.step(j, plating=True).voltage_V([1e6])[0] / j == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("j", [1e-10, 1e-7, 1e-5])
def test_the_smallest_currents_are_solved_too(j):
    """Deposits of next to nothing: the voltage is that of the resistances in every half cycle, and metal is conserved."""
    cell = SymmetricCell(load_cell("bare-na"))
    before = cell.working.total_mAh_cm2
    seen = []
    for k in range(6):
        step = cell.step(j, plating=k % 2 == 0)
        seen.append(abs(step.voltage_V([0.0])[0]) / j)
        step.finish(600.0)
    assert cell.working.total_mAh_cm2 == pytest.approx(before, rel=1e-12)
    electrodes = 2 * (float(charge_transfer_resistance_ohm_cm2(0.2, 298.15)) + 180.0)
    np.testing.assert_allclose(1e3 * np.array(seen), electrodes + cell.electrolyte_resistance_ohm_cm2, rtol=0.05)


def test_a_step_says_why_it_met_a_limit():
    """Salt or metal that runs out, or polarization alone: what comes first is named, nothing that comes later."""
    salt = SymmetricCell(FLAT).step(10.0, plating=True)
    runs_out_s = float(re.search(r"after (\S+) s", salt.exhausted(3600.0))[1])
    assert "the salt at one electrode is used up" in ended_by(salt, 0.999 * runs_out_s, "plating", 5.0)
    early = ended_by(salt, 1e-2, "plating", 1.0)
    assert "at 10 mA/cm^2 polarization alone is that high" in early
    assert f"{1e-2 * SymmetricCell(FLAT).electrolyte_resistance_ohm_cm2:.3g} V of it in the electrolyte" in early
    metal = SymmetricCell(altered(FLAT, metal_capacity=0.6)).step(0.5, plating=True)
    assert "the metal to strip is used up" in ended_by(metal, 1.2 * HOUR, "plating", 5.0)


def test_plating_and_stripping_mirror_in_a_fresh_cell():
    cell = SymmetricCell(load_cell("bare-na"))
    times = np.linspace(0, 7200, 30)
    forth = cell.step(0.5, plating=True).voltage_V(times)
    back = cell.step(0.5, plating=False).voltage_V(times)
    np.testing.assert_allclose(forth, -back, rtol=1e-12)
    assert (forth < 0).all()


@settings(max_examples=40, deadline=None)
@given(
    st.floats(1e-3, 20), st.floats(1e-5, 50), st.floats(0, 1000), st.floats(0, 300), st.floats(0.2, 0.8),
    st.booleans(), st.floats(0.2, 2),
)  # fmt: skip
def test_surfaces_in_parallel_share_one_overpotential(j, area, resistance, fresh, alpha, plating, ratio):
    """Both branches at the overpotential found carry, together, the current."""
    surface = Surface(0.3, alpha, fresh, 298.15, 1)
    eta, share = (float(x) for x in surface.shared(j, area, resistance, ratio, plating=plating))
    j0 = 0.3 * ratio ** (1 - alpha)
    sign = 1 if plating else -1
    for current, series in (((1 - share) * j, resistance), (share * j / area, fresh)):
        kinetic = sign * float(butler_volmer_overpotential_V(sign * current, j0, 298.15, alpha=alpha))
        assert kinetic + 1e-3 * current * series == pytest.approx(eta, rel=1e-6, abs=1e-9)
    assert 0 <= share <= 1


@given(st.floats(-1e4, 1e4), st.floats(0.05, 0.95))
def test_compiled_overpotential_is_that_of_the_equations(ratio, alpha):
    assert overpotential_V(ratio, alpha, 38.9, np.empty(0)) == pytest.approx(
        float(butler_volmer_overpotential_V(ratio, 1.0, FARADAY_C_mol / GAS_J_mol_K / 38.9, alpha=alpha)),
        rel=1e-12,
        abs=1e-15,
    )


def test_deposit_without_any_resistance_adds_its_area():
    """With no interphase anywhere the two surfaces are one of area 1 + a."""
    surface = Surface(0.3, 0.5, 0.0, 298.15, 1)
    eta, share = surface.shared(1.0, 3.0, 0.0, 1.0, plating=True)
    assert butler_volmer_mA_cm2(eta, 0.3, 298.15) == pytest.approx(1.0 / 4.0, rel=1e-9)
    assert share == pytest.approx(0.75, rel=1e-9)


@pytest.mark.parametrize("name", ["bare-na", "bare-zn", "sodiophilic-na", "na-vn"])
@pytest.mark.parametrize("changes", [{}, {"electrode.interphase_metal_use": 1e-3, "electrode.pit_area": 3.0}])
def test_metal_is_conserved(name, changes):
    """Live, dead and reacted metal of both electrodes change by the charge that passed, and their sum not at all."""
    cell = SymmetricCell(load_cell(name).changed(changes))
    before = cell.working.total_mAh_cm2
    for k in range(100):
        cell.step(0.5, plating=k % 2 == 0).finish(2 * HOUR)
        assert cell.working.total_mAh_cm2 - before == pytest.approx(1.0 if k % 2 == 0 else 0.0, abs=1e-9)
        assert cell.counter.total_mAh_cm2 - before == pytest.approx(-1.0 if k % 2 == 0 else 0.0, abs=1e-9)


def test_deposit_that_alone_carries_loses_what_is_dead():
    """A deposit far better than the metal is stripped by its charge over 1-x: x of it stays as dead metal."""
    cell = SymmetricCell(altered(load_cell("bare-na"), dead_fraction=0.2, interphase_resistance=1e9, metal_capacity=50.0))
    cell.step(0.5, plating=True).finish(2 * HOUR)
    cell.step(0.5, plating=False).finish(1 * HOUR)
    assert cell.working.deposit_mAh_cm2 == pytest.approx(1 - 0.5 / 0.8, rel=2e-3)
    assert cell.working.dead_mAh_cm2 == pytest.approx(0.2 * 0.5 / 0.8, rel=2e-3)


def test_stripping_quadrature_converges(monkeypatch):
    from sodiophile.physics import symmetric_step

    def left(points):
        monkeypatch.setattr(symmetric_step, "STRIPPING_POINTS", points)
        cell = SymmetricCell(load_cell("bare-na"))
        cell.step(0.5, plating=True).finish(2 * HOUR)
        cell.step(0.5, plating=False).finish(1.5 * HOUR)
        return cell.working.deposit_mAh_cm2

    exact = left(4096)
    errors = [abs(left(points) - exact) for points in (32, 64, 128)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[1] < 2e-4


def test_interphase_grows_by_the_root_of_time():
    """Without cracking R^2 = R_0^2 + 2 k t, whatever the steps; with cracking alone R = R_0 + k_q j t."""
    by_time = SymmetricCell(altered(FLAT, interphase_growth=60.0, interphase_resistance=100.0))
    for _ in range(50):
        by_time.step(0.5, plating=True).finish(10 * HOUR)
    assert by_time.working.resistance_ohm_cm2 == pytest.approx(np.sqrt(100.0**2 + 2 * 60.0 * 500), rel=1e-12)
    by_charge = SymmetricCell(altered(FLAT, interphase_growth_per_capacity=0.1, interphase_resistance=100.0))
    for _ in range(50):
        by_charge.step(0.5, plating=True).finish(10 * HOUR)
    assert by_charge.working.resistance_ohm_cm2 == pytest.approx(100.0 + 0.1 * 250, rel=1e-7)


def test_growth_by_both_converges_to_its_implicit_solution():
    r"""R' = k/R + b gives t = (R - R_0)/b - k/b^2 ln[(k + b R)/(k + b R_0)]."""
    cell = SymmetricCell(altered(FLAT, interphase_growth=60.0, interphase_growth_per_capacity=1.0))
    start, k, b = 100.0, 60.0, 0.5
    end = cell.grown_ohm_cm2(start, 0.5, 2 * HOUR)
    assert (end - start) / b - k / b**2 * np.log((k + b * end) / (k + b * start)) == pytest.approx(2.0, rel=1e-4)


def test_first_half_cycle_is_the_highest_then_relaxed():
    """The pristine electrodes have no deposit: the first plating starts highest, later ones lie lower."""
    cell = SymmetricCell(load_cell("bare-na"))
    times = np.linspace(0, 2 * HOUR, 50)
    peaks = []
    for k in range(4):
        step = cell.step(0.5, plating=k % 2 == 0)
        voltage = np.abs(step.voltage_V(times))
        peaks.append(voltage.max())
        step.finish(2 * HOUR)
    assert peaks[0] > 1.5 * peaks[1] > 1.5 * peaks[2] * 0.9
    assert np.abs(peaks[3] / peaks[2] - 1) < 0.2


def test_minimum_then_rise_when_the_deposit_is_used_up():
    cell = SymmetricCell(altered(load_cell("bare-na"), dead_fraction=0.3))
    cell.step(0.5, plating=True).finish(2 * HOUR)
    step = cell.step(0.5, plating=False)
    voltage = step.voltage_V(np.linspace(0, 2 * HOUR, 200))
    low = int(voltage.argmin())
    assert 20 < low < 190
    assert voltage[-1] > 1.1 * voltage[low]


def test_above_the_limiting_current_the_voltage_has_no_bound():
    cell = SymmetricCell(FLAT)
    step = cell.step(1.5 * cell.limiting_current_density_mA_cm2, plating=True)
    voltage = step.voltage_V(np.linspace(0, 20 * cell.salt_time_s, 500))
    assert np.isfinite(voltage[0])
    assert voltage[-1] == -np.inf
    below = cell.step(0.98 * cell.limiting_current_density_mA_cm2, plating=True)
    assert np.isfinite(below.voltage_V([1e7])).all()


def test_a_cell_without_metal_left_has_no_bound():
    cell = SymmetricCell(altered(FLAT, metal_capacity=0.6))
    voltage = cell.step(0.5, plating=True).voltage_V(np.array([1.19, 1.21]) * HOUR)
    assert np.isfinite(voltage[0])
    assert voltage[1] == -np.inf


def test_when_the_metal_is_used_up_the_deposit_carries_all():
    cell = SymmetricCell(altered(load_cell("bare-na"), metal_capacity=1.05, dead_fraction=0.0))
    for k in range(60):
        step = cell.step(0.5, plating=k % 2 == 0)
        assert np.isfinite(step.voltage_V(np.linspace(0, 2 * HOUR, 50))).all()
        step.finish(2 * HOUR)
    assert min(cell.working.metal_mAh_cm2, cell.counter.metal_mAh_cm2) == 0.0
    assert cell.working.deposit_mAh_cm2 >= 0


def test_no_step_while_metal_lasts():
    """From one cycle to the next the voltage changes by no more than the slow growth of interphase and dead metal."""
    cell = SymmetricCell(load_cell("bare-na"))
    middle = []
    for k in range(500):
        step = cell.step(0.5, plating=k % 2 == 0)
        middle.append(abs(step.voltage_V([1 * HOUR])[0]))
        step.finish(2 * HOUR)
    assert cell.working.metal_mAh_cm2 > 5
    change = np.diff(middle[10:])
    assert np.abs(change).max() < 0.005 * middle[10]


def test_dead_metal_lengthens_the_path():
    cell = SymmetricCell(load_cell("bare-na"))
    resistance, limit = cell.electrolyte_resistance_ohm_cm2, cell.limiting_current_density_mA_cm2
    cell.working.dead_mAh_cm2 = 5.0
    assert cell.electrolyte_resistance_ohm_cm2 > resistance
    assert cell.limiting_current_density_mA_cm2 < limit
    # 5 mAh/cm2 of sodium are 44.3 um, 110.8 um at a porosity of 0.6
    added = 1e4 * 5 * 8.861e-6 / 0.4 / 0.6**1.5 / 0.883
    assert cell.electrolyte_resistance_ohm_cm2 - resistance == pytest.approx(added, rel=1e-3)


def test_warmer_is_easier():
    voltages = [
        -SymmetricCell(load_cell("bare-na").at(t)).step(0.5, plating=True).voltage_V([3600.0])[0]
        for t in (273.15, 298.15, 323.15)
    ]
    assert voltages[0] > voltages[1] > voltages[2]


def test_rest_relaxes_to_zero():
    cell = SymmetricCell(FLAT)
    cell.step(0.5, plating=True).finish(2 * HOUR)
    rest = cell.step(0.0, plating=True).voltage_V([0.0, 60.0, 1e5])
    assert rest[0] < rest[1] < 0
    assert rest[2] == pytest.approx(0.0, abs=1e-12)
