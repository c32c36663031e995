"""Priors as maps from a standard normal variable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.inference.priors import Prior, sobol_normal

PRIORS = [
    Prior("angle", "deg", "uniform", 20.0, 150.0),
    Prior("sites", "1/cm^2", "log-uniform", 1e6, 1e10),
    Prior("gamma", "J/m^2", "normal", 0.2, 0.03),
    Prior("j0", "mA/cm^2", "log-normal", 0.2, 3.0),
]


@pytest.mark.parametrize("prior", PRIORS, ids=lambda one: one.shape)
@given(u=st.floats(-3.5, 3.5))
def test_value_and_u_are_inverse_and_rise(prior, u):
    assert prior.u(prior.value(u)) == pytest.approx(u, abs=1e-7)
    assert prior.value(u + 0.01) > prior.value(u)


def test_moments_are_those_that_were_asked_for():
    u = sobol_normal(4096, 1)[:, 0]
    uniform, log_uniform, normal, log_normal = (prior.value(u) for prior in PRIORS)
    assert (uniform.mean(), uniform.std()) == pytest.approx((85.0, 130 / np.sqrt(12)), rel=0.01)
    assert np.log10(log_uniform).mean() == pytest.approx(8.0, rel=0.01)
    assert (normal.mean(), normal.std()) == pytest.approx((0.2, 0.03), rel=0.01)
    assert np.log(log_normal).std() == pytest.approx(np.log(3.0), rel=0.01)


@pytest.mark.parametrize(
    ("shape", "first", "second", "words"),
    [
        ("uniform", 2.0, 1.0, "low < high"),
        ("uniform", 1.0, 1.0, "low < high"),
        ("log-uniform", 0.0, 1.0, "more than 0"),
        ("normal", 1.0, 0.0, "more than 0"),
        ("log-normal", 1.0, 1.0, "more than 1"),
        ("log-normal", -1.0, 2.0, "more than 0"),
        ("normal", float("nan"), 1.0, "finite"),
        ("flat", 0.0, 1.0, "one of"),
    ],
)
def test_what_makes_no_prior_is_refused_by_name(shape, first, second, words):
    with pytest.raises(InputError, match=words) as caught:
        Prior("substrate.contact_angle", "deg", shape, first, second)
    assert "substrate.contact_angle" in str(caught.value)


def test_a_design_repeats_and_can_be_cut_anywhere():
    whole, part = sobol_normal(64, 3, seed=2), sobol_normal(40, 3, seed=2)
    assert np.array_equal(whole[:40], part)
    assert np.abs(whole.mean(axis=0)).max() < 0.1
