"""The Gaussian process that stands in for a simulator."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.inference.emulator import Emulator
from sodiophile.inference.priors import sobol_normal


def smooth(u):
    return np.column_stack([np.sin(u[:, 0]) + 0.3 * u[:, 1] ** 2, np.exp(1.2 * u[:, 0] - 0.5 * u[:, 1])])


def test_a_line_is_reproduced_to_round_off():
    u = sobol_normal(24, 3)
    y = (1.0 + u @ np.array([2.0, -1.0, 0.5]))[:, None]
    new = sobol_normal(50, 3, seed=9)
    mean, _ = Emulator.fit(u, y).predict(new)
    assert mean[:, 0] == pytest.approx(1.0 + new @ np.array([2.0, -1.0, 0.5]), abs=1e-6)


def test_a_smooth_simulator_is_emulated_and_the_stated_error_is_true():
    u, new = sobol_normal(64, 2), 0.8 * sobol_normal(256, 2, seed=5)
    emulator = Emulator.fit(u, smooth(u))
    mean, error = emulator.predict(new)
    miss = np.abs(mean - smooth(new))
    assert np.sqrt((miss**2).mean(axis=0)) == pytest.approx([0.0, 0.0], abs=0.05)
    # what is left out is missed as much as what is new, and the error bars hold
    assert (miss <= 3 * error + 1e-6).mean() > 0.95
    assert np.all(emulator.error < 0.3)


def test_left_out_in_closed_form_is_what_leaving_out_gives():
    """With the lengths held, the closed form equals refitting without that run."""
    from sodiophile.inference import emulator as module

    u = sobol_normal(20, 2)
    y = smooth(u)[:, :1]
    whole = Emulator.fit(u, y)
    one = whole.processes[0]
    K = np.exp(-0.5 * module._distances(u, u) @ one.lengths**-2.0) + one.nugget * np.eye(20)
    H = np.column_stack([np.ones(20), u])
    for k in (0, 7, 19):
        keep = np.arange(20) != k
        inverse = np.linalg.inv(K[np.ix_(keep, keep)])
        beta = np.linalg.solve(H[keep].T @ inverse @ H[keep], H[keep].T @ inverse @ y[keep, 0])
        predicted = H[k] @ beta + K[k, keep] @ inverse @ (y[keep, 0] - H[keep] @ beta)
        assert one.left_out[k] == pytest.approx(y[k, 0] - predicted, rel=5e-3, abs=1e-6)


def test_noise_ends_in_the_error_not_in_the_curve():
    random = np.random.default_rng(0)
    u = sobol_normal(128, 1)
    y = np.sin(u) + 0.1 * random.standard_normal(u.shape)
    at = np.linspace(-1.5, 1.5, 40)[:, None]
    mean, error = Emulator.fit(u, y).predict(at)
    assert np.abs(mean - np.sin(at)).max() < 0.1
    assert error.mean() == pytest.approx(0.1, rel=0.4)


def test_a_constant_output_and_too_few_runs():
    u = sobol_normal(12, 2)
    mean, _ = Emulator.fit(u, np.full((12, 1), 3.0)).predict(sobol_normal(5, 2, seed=3))
    assert mean == pytest.approx(np.full((5, 1), 3.0))
    with pytest.raises(InputError, match="at least 6"):
        Emulator.fit(u[:5], np.ones((5, 1)))
