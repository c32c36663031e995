"""What data can tell: the known degeneracy of a nucleation barrier, profiles, Sobol indices with exact values."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.inference.emulator import Emulator
from sodiophile.inference.identifiability import chance_share, directions, profile, sobol_indices
from sodiophile.inference.least_squares import jacobian_at
from sodiophile.inference.posterior import sample
from sodiophile.inference.priors import Prior, sobol_normal
from sodiophile.inference.runs import Datum, Runs
from sodiophile.physics.atoms_to_volts import barrier_constant_V2, nucleation_overpotential_V
from sodiophile.physics.nucleation import wetting_factor

PRIORS = [Prior("gamma", "J/m^2", "log-uniform", 0.08, 0.3), Prior("theta", "deg", "uniform", 20.0, 150.0)]


def onset_mV(u):
    gamma, theta = (float(prior.value(x)) for prior, x in zip(PRIORS, u, strict=True))
    B = barrier_constant_V2(gamma, theta, 23.75e-6, 298.15)
    return 1e3 * np.array([float(nucleation_overpotential_V(B, 1e10, rate)) for rate in (0.5, 1.0)])


@pytest.fixture(scope="module")
def calibrated():
    runs = Runs(onset_mV)
    for u in sobol_normal(48, 2):
        runs(u)
    data = [Datum(0, 70.0, 3.0)]
    return sample(runs, data, draws=150), data


def test_one_dip_knows_a_product_of_interfacial_energy_and_angle_and_neither_alone(calibrated):
    found, data = calibrated
    known, unknown = directions(found.fit.jacobian, data, PRIORS, found.fit.u)
    assert known.informed
    assert not unknown.informed
    # only gamma^3 f(theta) enters the barrier: the exponents stand as 3 to d ln f / d ln theta
    theta = float(PRIORS[1].value(found.fit.u[1]))
    slope = np.log(wetting_factor(theta * 1.001) / wetting_factor(theta * 0.999)) / np.log(1.001 / 0.999)
    assert known.exponents[0] / known.exponents[1] == pytest.approx(3.0 / float(slope), rel=0.02)
    assert "gamma" in known.words
    assert "theta" in known.words


def test_two_dips_at_two_currents_do_not_tell_them_apart_either(calibrated):
    found, _ = calibrated
    both = [Datum(0, 70.0, 0.1), Datum(1, 70.0, 0.1)]
    known, unknown = directions(found.fit.jacobian, both, PRIORS, found.fit.u)
    assert known.informed
    assert unknown.information < 1e-3 * known.information


def test_profiles_show_the_same(calibrated):
    found, data = calibrated
    gamma = profile(found.emulator, data, 0, found.fit.u)
    assert gamma.verdict != "identified"
    # the other value fixed by a second, direct measurement: both are known
    u = sobol_normal(40, 2)
    y = np.column_stack([[onset_mV(x)[0] for x in u], PRIORS[0].value(u[:, 0])])
    emulator = Emulator.fit(u, y)
    both = [*data, Datum(1, float(PRIORS[0].value(0.0)), 0.005)]
    assert [profile(emulator, both, k, np.zeros(2)).verdict for k in (0, 1)] == ["identified", "identified"]


def test_the_jacobian_is_that_of_the_function():
    runs = Runs(lambda u: np.array([np.sin(u[0]) * u[1]]))
    u = np.array([0.4, 1.3])
    exact = [[np.cos(0.4) * 1.3, np.sin(0.4)]]
    assert jacobian_at(runs, u, np.array([np.sin(0.4) * 1.3])) == pytest.approx(np.array(exact), rel=1e-3)


def test_sobol_indices_of_a_function_with_known_ones():
    """y = 2 a + b + a c: variances 4, 1, 1; c acts only together with a. The third output is constant."""

    def function(u):
        y = 2 * u[:, 0] + u[:, 1] + u[:, 0] * u[:, 2]
        return np.column_stack([y, u[:, 1], np.ones(len(u))])

    first, total = sobol_indices(function, 3, points=8192)
    assert first[:, 0] == pytest.approx([4 / 6, 1 / 6, 0.0], abs=0.04)
    assert total[:, 0] == pytest.approx([5 / 6, 1 / 6, 1 / 6], abs=0.04)
    assert first[:, 1] == pytest.approx([0.0, 1.0, 0.0], abs=0.04)
    assert np.all(first[:, 2] == 0.0)


def test_the_best_of_inputs_that_decide_nothing_is_beyond_chance_once_in_twenty():
    random = np.random.default_rng(2)
    inputs, draws, times = 12, 40, 600
    ranks = np.argsort(random.random((times, inputs + 1, draws)), axis=2) - 0.5 * (draws - 1)
    correlation = np.einsum("tkn,tn->tk", ranks[:, :-1], ranks[:, -1]) / (draws * (draws**2 - 1) / 12)
    best = (correlation**2).max(axis=1)
    assert np.mean(best > chance_share(inputs, draws)) == pytest.approx(0.05, abs=0.03)
