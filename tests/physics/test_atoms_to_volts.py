"""The links from atoms to volts: identities, limits and independent solutions of the same equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.physics import atoms_to_volts as links
from sodiophile.physics.constants import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C
from sodiophile.physics.nucleation import contact_angle_deg, nucleation_barrier_J

V_M, T = 23.75e-6, 298.15
kT = BOLTZMANN_J_K * T


def test_a_layer_that_costs_nothing_against_bulk_just_wets():
    """E_ads against bulk = 0: W_ad = 2 gamma, the work of cohesion, so the angle is 0."""
    adhesion = links.adhesion_from_adsorption_J_m2(0.0, 10.0, 0.2)
    assert adhesion == pytest.approx(0.4)
    assert links.wetting_contact_angle_deg(adhesion, 0.2) == pytest.approx(0.0, abs=1e-5)
    # 0.2 J/m2 over 10 A2 is 0.125 eV
    assert links.adhesion_from_adsorption_J_m2(0.2 * 10e-20 / ELEMENTARY_CHARGE_C, 10.0, 0.2) == pytest.approx(0.2)


@given(st.floats(0.0, 0.4), st.floats(0.05, 0.5))
def test_the_angle_is_that_of_young_and_dupre_and_never_fails(adhesion, gamma):
    assert links.wetting_contact_angle_deg(adhesion, gamma) == pytest.approx(float(contact_angle_deg(adhesion, gamma)))
    assert links.wetting_contact_angle_deg(-adhesion - 0.01, gamma) == pytest.approx(180.0)


@given(st.floats(0.01, 0.4), st.floats(5.0, 180.0), st.sampled_from([1, 2]))
def test_barrier_constant_is_the_barrier(eta, angle, z):
    B = links.barrier_constant_V2(0.2, angle, V_M, T, z=z)
    assert B / eta**2 == pytest.approx(float(nucleation_barrier_J(eta, 0.2, V_M, angle, z=z)) / kT)


@given(st.floats(1e-5, 1.0), st.floats(1e4, 1e13), st.floats(1e-4, 1e2))
def test_onset_solves_its_equation(B, attempts, rate):
    eta = float(links.nucleation_overpotential_V(B, attempts, rate))
    assert attempts / rate * eta**3 / (2 * B) * np.exp(-B / eta**2) == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize("B", [0.01, 0.1, 0.5])
def test_onset_against_the_integral_itself(B):
    """Laplace's integral is good to B >> eta^2; the overpotential, which depends on its logarithm, to a few per mille."""
    attempts, rate = 1e10, 0.5
    eta = np.linspace(1e-4, 1.0, 400_001)
    X = np.cumsum(attempts / rate * np.exp(-B / eta**2)) * (eta[1] - eta[0])
    exact = float(np.interp(1.0, X, eta))
    assert links.nucleation_overpotential_V(B, attempts, rate) == pytest.approx(exact, rel=5e-3)


def test_onset_scales_as_the_root_of_the_wetting_factor_at_a_given_barrier():
    """eta ~ B^(1/2) but for logarithms: a quarter of B gives half of eta within a few per cent; no barrier gives 0."""
    whole, quarter = links.nucleation_overpotential_V([0.4, 0.1], 1e10, 0.5)
    assert whole / quarter == pytest.approx(2.0, rel=0.04)
    assert links.nucleation_overpotential_V(0.0, 1e10, 0.5) == 0.0


def test_onset_against_the_full_dip():
    """With fast kinetics the tip of the solved dip is the onset within a quarter; with slow ones it lies above, always."""
    from dataclasses import replace

    from sodiophile.physics.cell import load_cell
    from sodiophile.physics.dip import plate

    for angle in (40.0, 75.0, 140.0):
        fast = replace(
            load_cell("bare-na").nucleation,
            contact_angle_deg=angle,
            side_current_density_A_m2=0.0,
            exchange_current_density_A_m2=2000.0,
        )
        B = links.barrier_constant_V2(fast.interfacial_energy_J_m2, angle, fast.molar_volume_m3_mol, T)
        onset = float(links.nucleation_overpotential_V(B, fast.attempt_frequency_1_s, 5.0 / fast.capacitance_F_m2))
        assert onset == pytest.approx(plate(fast, 5.0, 60.0).overpotential_V.max(), rel=0.25)
        slow = replace(fast, exchange_current_density_A_m2=20.0)
        assert plate(slow, 5.0, 60.0).overpotential_V.max() > onset


@given(st.floats(0.02, 0.5), st.floats(-0.3, 0.0))
def test_disc_barrier_is_the_maximum_of_the_free_energy(eta, excess):
    tension, area = 5e-11, 1.3e-19
    drive = (eta - excess) * ELEMENTARY_CHARGE_C
    r = np.linspace(0.0, 3.0, 30_001) * tension * area / drive
    energy = 2 * np.pi * r * tension - np.pi * r**2 / area * drive
    assert links.disc_barrier_J(eta, tension, area, excess) == pytest.approx(energy.max(), rel=1e-6, abs=0)
    barrier = float(links.disc_barrier_J(eta, tension, area, excess)) / kT
    assert links.disc_overpotential_V(tension, area, barrier, T, excess) == pytest.approx(eta)


def test_a_disc_without_drive_has_no_finite_barrier():
    assert np.isinf(links.disc_barrier_J(0.1, 5e-11, 1e-19, 0.2))
    assert np.isinf(links.disc_barrier_J(0.0, 5e-11, 1e-19))


def test_adatoms_fill_the_sites_at_strong_binding_and_halve_them_at_equilibrium():
    assert links.adatom_density_1_m2(-1.0, 0.0, 1e19, T) == pytest.approx(1e19)
    assert links.adatom_density_1_m2(0.1, 0.1, 1e19, T) == pytest.approx(5e18)
    # dilute: each kT ln 10 of energy is a decade
    low, lower = links.adatom_density_1_m2([0.5, 0.5 + kT * np.log(10) / ELEMENTARY_CHARGE_C], 0.0, 1e19, T)
    assert low / lower == pytest.approx(10.0, rel=1e-6)


def test_diffusion_scales_and_islands_follow():
    D = links.surface_diffusivity_m2_s(0.0, 3e-10, T, 4e12)
    assert float(D) == pytest.approx(4e12 * 9e-20 / 4, abs=0)
    slow = links.surface_diffusivity_m2_s(0.3, 3e-10, T, 4e12)
    # N ~ D^(-1/3), N ~ j^(1/3)
    N = links.island_density_1_m2([5.0, 40.0], slow, 1e19)
    assert N[1] / N[0] == pytest.approx(2.0)
    assert links.island_density_1_m2(5.0, slow / 8, 1e19) / N[0] == pytest.approx(2.0)
    # N / n_s is a function of F / (D n_s^2) alone: areas may be counted in any unit
    assert links.island_density_1_m2(5e-4, slow * 1e4, 1e19 * 1e-4) == pytest.approx(N[0] * 1e-4)
    assert links.island_density_1_m2(1e30, slow, 1e19) == 1e19


def test_mean_free_path_and_exchange_current():
    # tau = z e n / j0 = 1 s: the path is sqrt(D)
    n = 1e18
    assert links.mean_free_path_m(4e-14, n, ELEMENTARY_CHARGE_C * n) == pytest.approx(2e-7, abs=0)
    # Arrhenius: the slope of ln(j0 / T) against 1/T is -Ea/R
    low, high = (links.exchange_current_from_sites_A_m2(1e18, 60.0, t) / t for t in (290.0, 310.0))
    slope = np.log(high / low) / (1 / 310.0 - 1 / 290.0)
    assert -slope * 8.314462618 == pytest.approx(60e3, rel=1e-6)
