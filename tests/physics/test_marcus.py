"""Marcus-Hush-Chidsey: against adaptive quadrature of its definition, its limits, and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.physics.dynamics import CellDynamics
from sodiophile.physics.kinetics import butler_volmer_mA_cm2
from sodiophile.physics.marcus import marcus_mA_cm2, marcus_overpotential_V
from sodiophile.physics.parts import Electrode
from sodiophile.physics.symmetric import SymmetricCell

T_K = 298.15
RT_F = 8.314462618 * T_K / 96485.33212


def integral(x, energy):
    """Net rate over the Fermi distribution, scaled to the slope of an exchange current density at rest."""

    def one_way(at):
        # occupied levels at y (in kT) with the barrier of Marcus, (energy - at + y)^2 / 4 energy
        return quad(
            lambda y: np.exp(-((energy - at + y) ** 2) / (4 * energy)) / (1 + np.exp(np.clip(-y, -500, 500))),
            -30 - energy - abs(at),
            30 + energy + abs(at),
            limit=500,
            points=[0.0, at - energy],
        )[0]

    return (one_way(x) - one_way(-x)) / one_way(0.0)


@pytest.mark.parametrize("energy", [5.0, 10.0, 20.0, 40.0])
@pytest.mark.parametrize("x", [0.5, 2.0, 5.0, 15.0, 30.0])
def test_follows_the_integral(energy, x):
    found = float(marcus_mA_cm2(x * RT_F, 1.0, energy, T_K))
    assert found == pytest.approx(integral(x, energy), rel=1e-6)


def test_large_reorganization_energy_is_butler_volmer():
    eta = np.linspace(-0.15, 0.15, 31)
    assert marcus_mA_cm2(eta, 0.3, 2e4, T_K) == pytest.approx(butler_volmer_mA_cm2(eta, 0.3, T_K), rel=2e-3)


@pytest.mark.parametrize("energy", [3.0, 12.0, 60.0])
def test_inverse_and_symmetry(energy):
    eta = np.linspace(-0.2, 0.2, 41)
    j = marcus_mA_cm2(eta, 0.2, energy, T_K)
    assert np.all(np.diff(j) > 0)
    assert j == pytest.approx(-j[::-1], rel=1e-12)
    reach = np.abs(eta) < 0.8 * energy * RT_F
    assert marcus_overpotential_V(j, 0.2, energy, T_K)[reach] == pytest.approx(eta[reach], abs=1e-7)


def test_what_the_reaction_cannot_carry_needs_an_infinite_overpotential():
    most = float(marcus_mA_cm2(5.0, 0.2, 10.0, T_K))
    assert np.isinf(marcus_overpotential_V([1.01 * most, -1.01 * most], 0.2, 10.0, T_K)).all()


def test_slope_at_rest_is_that_of_the_exchange_current_density():
    assert float(marcus_mA_cm2(1e-6, 0.5, 8.0, T_K)) == pytest.approx(0.5 * 1e-6 / RT_F, rel=1e-4)


def test_refuses_what_is_not_positive():
    with pytest.raises(InputError, match="reorganization energy"):
        marcus_mA_cm2(0.1, 1.0, 0.0, T_K)


@pytest.mark.parametrize("energy_eV", [0.15, 0.4, 1.0])
@pytest.mark.parametrize("j", [0.01, 0.5, 3.0])
def test_a_flat_cell_of_marcus_kinetics_polarizes_by_the_law(energy_eV, j):
    """Cycling with a table of the factor against the law itself, both electrodes."""
    cell = load_cell("bare-na").changed({"electrode.deposit_area": 0.0, "electrode.reorganization_energy": energy_eV})
    pair = SymmetricCell(cell)
    energy_RT = energy_eV * FARADAY_C_mol / (GAS_J_mol_K * 298.15)
    law_V = float(marcus_overpotential_V(j, cell.electrode.exchange_current_density.value, energy_RT, 298.15))
    plated_V, _ = pair.surface.shared(j, 0.0, 0.0, 1.0, plating=True)
    if np.isinf(law_V):
        assert np.isinf(plated_V)
    else:
        assert float(plated_V) == pytest.approx(law_V, rel=2e-5)


def test_a_very_large_reorganization_energy_is_the_cell_of_butler_volmer():
    cell = load_cell("bare-na")
    voltages = [
        SymmetricCell(one).step(0.5, plating=True).voltage_V(60.0)[0]
        for one in (cell, cell.changed({"electrode.reorganization_energy": 10.0}))
    ]
    assert voltages[0] == pytest.approx(voltages[1], rel=5e-3)
    assert abs(voltages[1]) > abs(voltages[0])


def test_a_sweep_of_a_marcus_cell_follows_the_law():
    cell = load_cell("bare-na").changed(
        {
            "electrode.reorganization_energy": 0.2,
            "electrode.interphase_resistance": 0.0,
            "electrode.double_layer_capacitance": 1e-3,
        }
    )
    driven = CellDynamics(SymmetricCell(cell), electrodes=1, modes=0, series_ohm_cm2=0.0)
    found = driven.run(lambda t: 0.3 * t, 1.0, mode="voltage", start="steady", longest_step_s=0.02)
    energy_RT = 0.2 * FARADAY_C_mol / (GAS_J_mol_K * 298.15)
    law = marcus_mA_cm2(found.voltage_V, cell.electrode.exchange_current_density.value, energy_RT, 298.15)
    np.testing.assert_allclose(found.current_density_mA_cm2[1:], law[1:], rtol=1e-3)


def test_marcus_kinetics_with_another_transfer_coefficient_is_refused():
    given = {name: getattr(load_cell("bare-na").electrode, name) for name in Electrode.model_fields}
    with pytest.raises(ValueError, match=r"expected 0\.5: Marcus-Hush-Chidsey"):
        Electrode.model_validate({**given, "reorganization_energy": "0.3 eV", "transfer_coefficient": "0.4"})
