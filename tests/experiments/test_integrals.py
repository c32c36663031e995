"""Running integrals of a trace: any row agrees with the plain trapezoid, at every length of the last block."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.experiments._integrals import integrated


def trace(n: int, seed: int = 0):
    random = np.random.default_rng(seed)
    return np.cumsum(random.uniform(0, 2, n)), random.normal(size=n), random.normal(size=n)


def plain(time, current, voltage, breaks):
    """Charge and energy up to each row, by one trapezoid over all of them."""
    steps = np.diff(time) * (np.abs(current[1:]) + np.abs(current[:-1])) / 2
    steps[breaks - 1] = 0.0
    energy = steps * (voltage[1:] + voltage[:-1]) / 2
    return np.append(0.0, np.cumsum(steps)), np.append(0.0, np.cumsum(energy))


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 65, 1000, 32767, 32768, 32769, 32770, 70_001])
@pytest.mark.parametrize("broken", [False, True])
def test_every_row_is_the_trapezoid_up_to_it(n, broken):
    time, current, voltage = trace(n)
    breaks = np.arange(7, n, 61) if broken else np.empty(0, dtype=int)
    charge, energy = plain(time, current, voltage, breaks)
    rows = np.random.default_rng(1).integers(0, n, max(1, n // 8))
    wanted = charge[-1] * np.linspace(0.0, 1.01, max(1, n // 8))
    sums, _ = integrated(time, current, voltage, breaks, 0.5)
    few, reached = sums.charge_at(rows), sums.rows_at(wanted)
    first, last = np.sort(np.stack([rows, rows[::-1]]), axis=0)
    np.testing.assert_allclose(few, charge[rows], rtol=1e-11)
    np.testing.assert_allclose(
        sums.energy_between(first, last), energy[last] - energy[first], atol=1e-11 * (1 + charge[-1])
    )
    np.testing.assert_allclose(sums.passed_C, charge, rtol=1e-11)
    assert np.array_equal(np.searchsorted(charge, wanted[1:-1]), reached[1:-1])
    assert (np.diff(sums.passed_C) >= 0).all()


def test_a_constant_current_is_its_product_with_time():
    time = np.arange(0.0, 1000.0)
    sums, begins = integrated(time, np.full(1000, -2.0), np.full(1000, 3.0), np.empty(0, dtype=int), 1.0)
    assert begins.tolist() == [0]
    assert sums.charge_at(np.array([500]))[0] == pytest.approx(1000.0)
    assert sums.energy_between(np.array([100]), np.array([600]))[0] == pytest.approx(3000.0)


@pytest.mark.parametrize("samples", [40, 900, 5000])
@pytest.mark.parametrize("decay", [0.0, 3.0])
def test_rows_near_a_charge_are_true_to_a_row(samples, decay):
    """Half cycles with rests between them, uneven sampling and a current that may fall to a twentieth."""
    random = np.random.default_rng(samples)
    count, rest = 12, 7
    shape = np.concatenate([np.exp(-decay * np.linspace(0, 1, samples)), np.zeros(rest)])
    current = np.concatenate([shape * (1 if place % 2 else -1) for place in range(count)])
    current = current * (1 + 1e-3 * random.normal(size=current.size))
    time = np.cumsum(random.uniform(0.9, 1.1, current.size))
    sums, _ = integrated(time, current, np.zeros(current.size), np.empty(0, dtype=int), 1e-3)
    first = np.arange(count) * (samples + rest)
    last = first + samples - 1
    start, end = sums.charge_at(first), sums.charge_at(last)
    wanted = start[:, None] + np.linspace(0.02, 0.98, 49) * (end - start)[:, None]
    exact = np.clip(sums.rows_at(wanted), first[:, None], last[:, None])
    near = sums.rows_near(wanted, first, last)
    assert np.abs(near - exact).max() <= (0 if samples < 784 else 1)
