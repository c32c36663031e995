"""Cells without noise, drawn with a ruler: the verdict must not need the noise of a real instrument."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sodiophile.experiments import experiment
from sodiophile.records import CyclingRecord, Provenance
from sodiophile.schema import checked

PER_HALF = 60
INTERVAL_S = 30.0


def judged(voltage_V, current_A=None):
    n = voltage_V.size
    sign = square(n)
    data = pl.DataFrame(
        {
            "test_time_second": INTERVAL_S * np.arange(n),
            "current_ampere": 1e-3 * sign if current_A is None else current_A,
            "voltage_volt": voltage_V,
        }
    )
    record = CyclingRecord(data, (Provenance("ideal.csv", "0" * 64, "test", "1"),))
    kind = experiment("symmetric-cycling")
    return kind.run([record], checked(kind.protocol, {"area": "1 cm^2"}))


def square(n):
    return np.where(np.arange(n) // PER_HALF % 2 == 0, -1.0, 1.0)


@pytest.mark.parametrize("amplitude_V", [0.5, 0.02, 0.001])
@pytest.mark.parametrize("failed", [12 * PER_HALF + 7, 15 * PER_HALF, 9 * PER_HALF + 59, 20 * PER_HALF - 4])
def test_a_collapse_to_zero_is_a_hard_short_to_the_sample(amplitude_V, failed):
    n = 20 * PER_HALF
    voltage_V = amplitude_V * square(n)
    voltage_V[failed:] = 0.0
    result = judged(voltage_V)
    assert result.verdicts["lifespan"].answer == "hard short"
    low, high = result.quantities["lifespan"].interval
    assert low * 3600 == pytest.approx((failed - 1) * INTERVAL_S)
    assert high * 3600 == pytest.approx(failed * INTERVAL_S)


@pytest.mark.parametrize("remaining", [0.02, 0.1])
def test_a_collapse_to_a_resistance_is_a_hard_short(remaining):
    n, failed = 20 * PER_HALF, 11 * PER_HALF + 20
    voltage_V = 0.05 * square(n)
    voltage_V[failed:] *= remaining
    assert judged(voltage_V).verdicts["lifespan"].answer == "hard short"


@pytest.mark.parametrize("amplitude_V", [0.5, 0.02, 0.001])
def test_an_ideal_healthy_cell_is_right_censored(amplitude_V):
    n = 20 * PER_HALF
    for voltage_V in (amplitude_V * square(n), amplitude_V * square(n) * np.linspace(1.0, 1.5, n)):
        result = judged(voltage_V)
        assert result.verdicts["lifespan"].answer == "protocol ended (right-censored)"
        assert result.quantities["lifespan"].bound == "lower"
