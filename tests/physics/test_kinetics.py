"""Butler-Volmer and its inverse: identities, limits, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.physics.kinetics import (
    arrhenius_factor,
    butler_volmer_mA_cm2,
    butler_volmer_overpotential_V,
    charge_transfer_resistance_ohm_cm2,
    concentration_factor,
    differential_resistance_ohm_cm2,
    tafel_overpotential_V,
    tafel_slope_V_decade,
)

T = 298.15
alphas = st.floats(0.05, 0.95)
exchange = st.floats(-6, 3).map(lambda power: 10.0**power)
temperatures = st.floats(230, 370)


def test_constants_are_those_of_the_si():
    assert FARADAY_C_mol == pytest.approx(96485.33212, rel=1e-10)
    assert GAS_J_mol_K == pytest.approx(8.314462618, rel=1e-10)


@given(
    st.floats(-9, 6).map(lambda power: 10.0**power), st.sampled_from([-1.0, 1.0]), exchange, temperatures, alphas,
    st.sampled_from([1, 2]),
)  # fmt: skip
def test_inverse_round_trip(ratio, sign, j0, temperature, alpha, z):
    j = sign * ratio * j0
    eta = butler_volmer_overpotential_V(j, j0, temperature, z=z, alpha=alpha)
    # an error of one part in 1e16 of eta is f eta parts of j
    f_eta = abs(float(eta)) * z * FARADAY_C_mol / (GAS_J_mol_K * temperature)
    assert butler_volmer_mA_cm2(eta, j0, temperature, z=z, alpha=alpha) == pytest.approx(j, rel=1e-14 * (10 + f_eta))


def test_inverse_at_one_half_is_the_limit_of_the_general_one():
    j = np.geomspace(1e-9, 1e6, 40)
    exact = butler_volmer_overpotential_V(j, 0.3, T)
    near = butler_volmer_overpotential_V(j, 0.3, T, alpha=0.5 + 1e-12)
    np.testing.assert_allclose(near, exact, rtol=1e-11)


@given(exchange, temperatures, alphas, st.sampled_from([1, 2]))
def test_resistance_identity(j0, temperature, alpha, z):
    """R_ct j0 z F / R T = 1, and R_ct is the slope of the overpotential at rest for every alpha."""
    resistance = float(charge_transfer_resistance_ohm_cm2(j0, temperature, z=z))
    assert resistance * j0 * 1e-3 * z * FARADAY_C_mol / (GAS_J_mol_K * temperature) == pytest.approx(1.0, rel=1e-14)
    small = 1e-8 * j0
    slope = float(butler_volmer_overpotential_V(small, j0, temperature, z=z, alpha=alpha)) / (small * 1e-3)
    assert slope == pytest.approx(resistance, rel=1e-7)
    assert differential_resistance_ohm_cm2(0.0, j0, temperature, z=z, alpha=alpha) == pytest.approx(resistance, rel=1e-14)


def test_differential_resistance_is_the_derivative():
    j = np.array([-3.0, -0.1, 0.0, 0.2, 5.0])
    eta = butler_volmer_overpotential_V(j, 0.4, T, alpha=0.35)
    step = 1e-6
    after = butler_volmer_overpotential_V(j + step, 0.4, T, alpha=0.35)
    before = butler_volmer_overpotential_V(j - step, 0.4, T, alpha=0.35)
    expected = (after - before) / (2e-3 * step)
    np.testing.assert_allclose(differential_resistance_ohm_cm2(eta, 0.4, T, alpha=0.35), expected, rtol=1e-7)


@given(alphas, temperatures, st.sampled_from([1, 2]))
def test_tafel_slope_of_the_branches(alpha, temperature, z):
    """Far from rest the plating branch rises 2.303 RT/(alpha z F) a decade, the stripping branch that of 1 - alpha."""
    j = np.array([1e12, 1e13])
    plating = np.diff(butler_volmer_overpotential_V(j, 1.0, temperature, z=z, alpha=alpha))[0]
    stripping = -np.diff(butler_volmer_overpotential_V(-j, 1.0, temperature, z=z, alpha=alpha))[0]
    assert plating == pytest.approx(tafel_slope_V_decade(temperature, z=z, alpha=alpha), rel=1e-9)
    assert stripping == pytest.approx(tafel_slope_V_decade(temperature, z=z, alpha=1 - alpha), rel=1e-9)


def test_tafel_slope_at_room_temperature():
    assert tafel_slope_V_decade(298.15) == pytest.approx(0.1183, abs=5e-5)


def test_tafel_limit_within_one_per_cent_of_current_at_118_mV():
    """The reverse reaction is 1 % of the forward one at 118 mV: the criterion for a Tafel fit."""
    eta = 0.1183
    ratio = butler_volmer_mA_cm2(eta, 1.0, T) / 10 ** (eta / tafel_slope_V_decade(T))
    assert 1 - ratio == pytest.approx(0.01, rel=0.01)
    assert tafel_overpotential_V(1e4, 1.0, T) == pytest.approx(butler_volmer_overpotential_V(1e4, 1.0, T), rel=1e-8)


@given(st.floats(-0.4, 0.4), alphas)
def test_plating_and_stripping_mirror(eta, alpha):
    forward = butler_volmer_mA_cm2(eta, 1.0, T, alpha=alpha)
    backward = butler_volmer_mA_cm2(-eta, 1.0, T, alpha=1 - alpha)
    assert forward == pytest.approx(-backward, rel=1e-13)


def test_no_overflow_far_from_rest():
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(butler_volmer_mA_cm2([-3.0, 3.0], 1.0, T)).all()


def test_arrhenius_and_the_activation_energy_of_a_resistance():
    """ln(1/R_ct) against 1/T has the slope of ln(j0) less RT: Ea(R_ct) = Ea(j0) - RT at the middle temperature."""
    energy, reference = 60.0, 298.15
    temperature = np.array([reference - 0.01, reference + 0.01])
    j0 = [0.1 * arrhenius_factor(energy, t, reference) for t in temperature]
    resistance = [float(charge_transfer_resistance_ohm_cm2(j, t)) for j, t in zip(j0, temperature, strict=True)]
    found = GAS_J_mol_K * 1e-3 * np.log(resistance[1] / resistance[0]) / (1 / temperature[1] - 1 / temperature[0])
    assert found == pytest.approx(energy - GAS_J_mol_K * 1e-3 * reference, rel=1e-6)
    assert arrhenius_factor(energy, reference, reference) == 1.0


@given(st.floats(0.05, 3.0), alphas, st.floats(1e-3, 1e3))
def test_concentration_form_equals_the_bracket_form(ratio, alpha, j):
    """j0 (c/c0)^(1-alpha) with eta from the surface's equilibrium is (c/c0) e^(..) - e^(..) with eta from the bulk's."""
    f = FARADAY_C_mol / (GAS_J_mol_K * T)
    eta = float(butler_volmer_overpotential_V(j, concentration_factor(ratio, alpha), T, alpha=alpha)) - np.log(ratio) / f
    bracket = ratio * np.exp(alpha * f * eta) - np.exp(-(1 - alpha) * f * eta)
    assert bracket == pytest.approx(j, rel=1e-9)


@pytest.mark.parametrize(
    ("j0", "temperature", "alpha"), [(0.0, T, 0.5), (-1.0, T, 0.5), (1.0, 0.0, 0.5), (1.0, T, 0.0), (1.0, T, 1.0),
                                     (np.nan, T, 0.5)]
)  # fmt: skip
def test_unphysical_input_is_refused(j0, temperature, alpha):
    with pytest.raises(InputError, match="expected"):
        butler_volmer_overpotential_V(1.0, j0, temperature, alpha=alpha)
