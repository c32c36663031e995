"""Classical nucleation theory and the transients of Scharifker and Hills."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.physics.constants import FARADAY_C_mol
from sodiophile.physics.nucleation import (
    contact_angle_deg,
    critical_radius_m,
    nucleation_barrier_J,
    scharifker_hills_current_density_A_m2,
    scharifker_hills_instantaneous,
    scharifker_hills_progressive,
    wetting_factor,
)

GAMMA, V_M = 0.2, 23.75e-6
C0, D = 1000.0, 1e-10


def test_wetting_factor_is_the_volume_of_a_cap():
    assert wetting_factor(180.0) == pytest.approx(1.0)
    assert wetting_factor(90.0) == pytest.approx(0.5)
    angle = np.radians(50.0)
    height = np.linspace(np.cos(angle), 1.0, 20001)
    volume = np.trapezoid(np.pi * (1 - height**2), height)
    assert wetting_factor(50.0) == pytest.approx(volume / (4 / 3 * np.pi), rel=1e-7)


@given(st.floats(1.0, 180.0))
def test_young_dupre_round_trip(angle):
    adhesion = GAMMA * (1 + np.cos(np.radians(angle)))
    # near 0 and 180 deg the cosine knows the angle to the root of round-off only
    assert contact_angle_deg(adhesion, GAMMA) == pytest.approx(angle, abs=2e-6)


def test_adhesion_beyond_full_wetting_and_nonsense():
    assert contact_angle_deg(3 * GAMMA, GAMMA) == 0.0
    with pytest.raises(InputError, match="negative"):
        contact_angle_deg(-0.1, GAMMA)


@given(st.floats(0.005, 0.5), st.floats(5.0, 180.0), st.sampled_from([1, 2]))
def test_critical_nucleus_is_the_maximum_of_the_free_energy(eta, angle, z):
    """dG(r) = f(theta) (4 pi r^2 gamma - 4/3 pi r^3 zF eta / V_m) has its maximum, of height dG*, at r*."""
    radius = float(critical_radius_m(eta, GAMMA, V_M, z=z))
    factor = float(wetting_factor(angle))

    def energy(r):
        return factor * (4 * np.pi * r**2 * GAMMA - 4 / 3 * np.pi * r**3 * z * FARADAY_C_mol * eta / V_M)

    # a barrier of 1e-19 J lies far below the absolute tolerance that approx has of itself
    assert energy(radius) == pytest.approx(float(nucleation_barrier_J(eta, GAMMA, V_M, angle, z=z)), rel=1e-12, abs=0)
    assert energy(0.999 * radius) < energy(radius) > energy(1.001 * radius)


def test_nucleation_overpotential_goes_as_the_root_of_the_wetting_factor():
    """At equal barrier eta^2 is proportional to f(theta)."""
    low, high = 30.0, 80.0
    eta = 0.05
    barrier = float(nucleation_barrier_J(eta, GAMMA, V_M, low))
    other = eta * float(np.sqrt(wetting_factor(high) / wetting_factor(low)))
    assert nucleation_barrier_J(other, GAMMA, V_M, high) == pytest.approx(barrier, rel=1e-12, abs=0)


def reduced(rate, sites, times):
    j = scharifker_hills_current_density_A_m2(times, rate, sites, C0, D, V_M)
    peak = int(j.argmax())
    return times / times[peak], (j / j[peak]) ** 2, times[peak], j[peak]


def test_instantaneous_limit():
    """Universal curve and I_m^2 t_m = 0.1629 (zFc)^2 D (Scharifker and Hills 1983)."""
    times = np.geomspace(1e-3, 10, 200_001)
    tau, square, t_m, j_m = reduced(1e9, 1e12, times)
    near = (tau > 0.1) & (tau < 6)
    np.testing.assert_allclose(square[near], scharifker_hills_instantaneous(tau[near]), atol=3e-4)
    assert j_m**2 * t_m == pytest.approx(0.1629 * (FARADAY_C_mol * C0) ** 2 * D, rel=1e-3)


def test_progressive_limit():
    """Universal curve and I_m^2 t_m = 0.2598 (zFc)^2 D (Scharifker and Hills 1983)."""
    times = np.geomspace(1e-3, 10, 200_001)
    tau, square, t_m, j_m = reduced(1e-5, 1e17, times)
    near = (tau > 0.1) & (tau < 4)
    np.testing.assert_allclose(square[near], scharifker_hills_progressive(tau[near]), atol=3e-4)
    assert j_m**2 * t_m == pytest.approx(0.2598 * (FARADAY_C_mol * C0) ** 2 * D, rel=1e-3)


def test_cottrell_at_last():
    late = 1e4
    j = scharifker_hills_current_density_A_m2(late, 10.0, 1e12, C0, D, V_M)
    assert j == pytest.approx(FARADAY_C_mol * C0 * np.sqrt(D / (np.pi * late)), rel=1e-12)


def test_general_transient_is_smooth_where_its_series_takes_over():
    times = np.array([0.9999e-4, 1.0001e-4])
    j = scharifker_hills_current_density_A_m2(times, 1.0, 1e10, C0, D, V_M)
    # there j grows as t^(3/2)
    assert np.log(j[1] / j[0]) / np.log(times[1] / times[0]) == pytest.approx(1.5, abs=2e-3)
