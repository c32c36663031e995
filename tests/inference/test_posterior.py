"""Least squares and posterior against exact answers; bounds, failures, kills; coverage over many seeds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from sodiophile.errors import InputError
from sodiophile.inference.least_squares import discrepancy_scale, least_squares
from sodiophile.inference.posterior import ensemble, r_hat, sample, weighted_quantile
from sodiophile.inference.priors import sobol_normal
from sodiophile.inference.runs import Datum, Runs, log_likelihood

A = np.array([[3.0, 1.0], [-1.0, 2.0], [0.5, 0.5]])


def linear(u):
    return A @ u + 1.0


def designed(simulator, dimensions=2, path=None, points=32):
    runs = Runs(simulator, path)
    for u in sobol_normal(points, dimensions):
        runs(u)
    return runs


def test_a_linear_simulator_gives_the_conjugate_posterior():
    """Normal prior, linear simulator, normal noise: mean and covariance are known in closed form."""
    data = [Datum(0, 3.0, 0.5), Datum(1, 0.0, 1.0)]
    W = A[:2] / np.array([0.5, 1.0])[:, None]
    covariance = np.linalg.inv(W.T @ W + np.eye(2))
    mean = covariance @ W.T @ (np.array([2.0, -1.0]) / np.array([0.5, 1.0]))
    found = sample(designed(linear), data, draws=400, seed=3)
    assert found.fit.converged
    assert found.fit.u == pytest.approx(mean, abs=1e-3)
    assert found.fit.covariance == pytest.approx(covariance, rel=1e-3)
    assert found.effective > 380
    spread = np.sqrt(np.diag(covariance))
    assert found.weights @ found.u == pytest.approx(mean, abs=4 * spread.max() / 20)
    assert np.cov(found.u.T, aweights=found.weights) == pytest.approx(covariance, abs=0.25 * spread.max() ** 2)


def test_weights_make_up_for_a_poor_emulator():
    """A simulator with a kink that few runs do not show: the posterior is that of the simulator all the same."""

    def kinked(u):
        return np.array([abs(u[0]) + 0.2 * u[0] + 0.1 * np.sin(9 * u[0])])

    data = [Datum(0, 0.8, 0.15)]
    grid = np.linspace(-5, 5, 20001)
    density = np.exp(log_likelihood(np.array([kinked([g]) for g in grid]), data) - grid**2 / 2)
    below = np.cumsum(density) / density.sum()
    found = sample(designed(kinked, 1, points=12), data, draws=600, seed=1)
    exact = np.interp([0.25, 0.5, 0.75], below, grid)
    mine = found.quantile(found.u[:, 0], [0.25, 0.5, 0.75])
    share_below_0 = float(found.weights[found.u[:, 0] < 0].sum())
    assert share_below_0 == pytest.approx(float(np.interp(0.0, grid, below)), abs=0.1)
    assert mine[2] == pytest.approx(exact[2], abs=0.15)


def test_a_bound_pushes_only_from_its_side():
    lower = [Datum(0, 0.0, 0.1, "lower")]
    assert log_likelihood(np.array([[5.0]]), lower) == pytest.approx(0.0, abs=1e-12)
    assert log_likelihood(np.array([[-0.3]]), lower) == pytest.approx(norm.logcdf(-3.0))
    found = sample(designed(lambda u: u.copy(), 1, points=16), lower, draws=400, seed=2)
    # the half of the normal law above 0
    assert found.quantile(found.u[:, 0], [0.5])[0] == pytest.approx(norm.ppf(0.75), abs=0.12)
    assert (found.u[:, 0] > -0.4).mean() > 0.99


def test_failures_are_counted_kept_out_and_not_fatal():
    def fails_above_one(u):
        if u[0] > 1.0:
            raise InputError("no metal grows")
        return np.array([u[0]])

    runs = designed(fails_above_one, 1, points=32)
    design_failures = len(runs.reasons)
    assert design_failures == 5
    found = sample(runs, [Datum(0, 1.0, 1.0)], draws=200)
    assert found.failed >= design_failures
    assert found.u.max() <= 1.0
    assert found.made == len(runs.u)


def test_a_simulator_that_always_fails_says_why():
    def never(u):
        raise InputError("no metal grows")

    with pytest.raises(InputError, match=r"only 0 of 32 runs.*no metal grows"):
        sample(designed(never), [Datum(0, 1.0, 1.0)], draws=50)


def test_a_killed_calibration_goes_on_and_ends_with_the_same_numbers(tmp_path):
    calls = []

    def counted(u):
        calls.append(1)
        return linear(u)

    data = [Datum(0, 3.0, 0.5), Datum(1, 0.0, 1.0)]
    whole = sample(designed(counted, path=tmp_path / "whole.jsonl"), data, draws=60, seed=5)
    all_calls = len(calls)
    text = (tmp_path / "whole.jsonl").read_text()
    lines = text.splitlines()
    # killed in the middle of writing a line
    (tmp_path / "killed.jsonl").write_text("\n".join(lines[:70]) + "\n" + lines[70][:20])
    calls.clear()
    again = sample(designed(counted, path=tmp_path / "killed.jsonl"), data, draws=60, seed=5)
    assert len(calls) == all_calls - 70
    assert np.array_equal(again.u, whole.u)
    assert np.array_equal(again.weights, whole.weights)
    assert (tmp_path / "killed.jsonl").read_text() == text
    assert all(json.loads(line) for line in lines)


def test_failures_are_remembered_in_the_file(tmp_path):
    def never(u):
        raise InputError("no metal grows")

    designed(never, path=tmp_path / "runs.jsonl", points=4)
    read = Runs(linear, tmp_path / "runs.jsonl")
    assert read(sobol_normal(4, 2)[0]) is None
    assert read.reasons == ["no metal grows"]


def test_the_ensemble_samples_a_correlated_normal_law():
    covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
    inverse = np.linalg.inv(covariance)
    random = np.random.default_rng(0)
    start = random.standard_normal((40, 2))
    chain, accepted = ensemble(lambda u: -0.5 * np.einsum("ki,ij,kj->k", u, inverse, u), start, 1500, random)
    draws = chain[300:].reshape(-1, 2)
    assert 0.3 < accepted < 0.95
    assert draws.mean(axis=0) == pytest.approx([0.0, 0.0], abs=0.1)
    assert np.cov(draws.T) == pytest.approx(covariance, abs=0.12)
    assert 0.99 < r_hat(chain[300:]) < 1.05


def test_an_ensemble_that_has_not_settled_is_told():
    """Two walkers' worth of places that never meet, or one slow drift; independent draws have R-hat 1."""
    random = np.random.default_rng(1)
    settled = random.standard_normal((800, 48, 2))
    assert r_hat(settled) == pytest.approx(1.0, abs=0.005)
    apart = settled + np.where(np.arange(48) < 24, -2.0, 2.0)[None, :, None] * [1.0, 0.0]
    assert r_hat(apart) > 2
    drift = settled + np.linspace(0.0, 2.0, 800)[:, None, None]
    assert r_hat(drift) > 1.1


def test_least_squares_begins_again_from_afar_and_at_a_failure_says_so():
    runs = Runs(lambda u: np.array([np.exp(u[0])]))
    fit = least_squares(runs, np.array([-2.0]), [Datum(0, 4.0, 0.01)])
    assert fit.u[0] == pytest.approx(np.log(4.0), abs=1e-3)

    def never(u):
        raise InputError("no metal grows")

    with pytest.raises(InputError, match="where the calibration begins: no metal grows"):
        least_squares(Runs(never), np.zeros(1), [Datum(0, 4.0, 0.01)])


def test_discrepancy_is_estimated_only_where_there_are_values_to_spare():
    runs = designed(lambda u: np.array([5 * u[0], 5 * u[0], 5 * u[0]]), 1)
    data = [Datum(k, value, 0.1) for k, value in enumerate((4.0, 5.0, 6.0))]
    fit = least_squares(runs, np.zeros(1), data)
    # residuals -1, 0, 1 at sigma 0.1 and two degrees of freedom
    assert discrepancy_scale(fit, data) == pytest.approx(np.sqrt(200.0 / 2), rel=0.02)
    alone = least_squares(runs, np.zeros(1), data[:1])
    assert discrepancy_scale(alone, data[:1]) is None


def test_weighted_quantiles_are_those_of_repeated_values():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([0.5, 0.25, 0.25])
    assert weighted_quantile(values, weights, [0.5]) == pytest.approx([2.3333333])
    many = np.random.default_rng(0).standard_normal(4000)
    assert weighted_quantile(many, np.full(4000, 1 / 4000), [0.1, 0.9]) == pytest.approx(
        np.quantile(many, [0.1, 0.9]), abs=0.01
    )


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say():
    """Truth from the prior, data with the stated noise: over many seeds the 95 % intervals hold it in 90 to 98 %."""
    held = []
    for seed in range(120):
        random = np.random.default_rng(seed)
        truth = random.standard_normal(2)

        def curved(u):
            return np.array([np.exp(0.5 * u[0]) + u[1], u[0] - 0.5 * u[1] ** 2, u[0] + u[1]])

        exact = curved(truth)
        data = [Datum(k, float(exact[k] + 0.3 * random.standard_normal()), 0.3) for k in range(2)]
        found = sample(designed(curved), data, draws=150, seed=seed)
        for values, value in ((found.u[:, 0], truth[0]), (found.u[:, 1], truth[1]), (found.y[:, 2], exact[2])):
            low, high = found.quantile(values, [0.025, 0.975])
            held.append(low <= value <= high)
    assert 0.90 <= np.mean(held) <= 0.98
