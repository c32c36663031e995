"""What the instrument does: when it samples, how it rounds, what the record says of itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.physics.instrument import (
    Instrument,
    rounded,
    sample_times_by_voltage_s,
    sample_times_s,
    virtual_record,
)
from sodiophile.schema import checked


@given(st.floats(0.01, 1e4), st.floats(0.01, 1e3))
def test_samples_every_interval_and_at_the_end(duration, interval):
    times = sample_times_s(duration, interval)
    assert times[-1] == duration
    assert (np.diff(times) > 0).all()
    assert np.diff(times, prepend=0.0).max() <= interval * (1 + 1e-9)
    assert times.size == max(1, int(np.ceil(duration / interval * (1 - 1e-12))))


def test_a_change_of_voltage_brings_a_sample_forward():
    times = np.linspace(0, 100, 10_001)
    voltage = np.exp(-times / 2)
    taken = sample_times_by_voltage_s(times, voltage, 10.0, 0.05, 0.01)
    values = np.interp(np.append(0.0, taken), times, voltage)
    assert np.abs(np.diff(values)).max() <= 0.05 + np.abs(np.diff(voltage)).max()
    assert np.diff(np.append(0.0, taken)).max() <= 10.0 + 1e-9
    assert taken[-1] == 100.0
    assert taken.size == pytest.approx(19 + 10, abs=2)


def test_the_shortest_interval_is_kept():
    times = np.linspace(0, 1, 1001)
    taken = sample_times_by_voltage_s(times, 100 * times, 1.0, 0.001, 0.1)
    assert np.diff(taken[:-1]).min() >= 0.1 - 1e-9


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20), st.sampled_from([1e-6, 1e-4, 1e-3]))
def test_rounding_is_to_the_last_digit(values, resolution):
    found = rounded(np.array(values), resolution)
    assert np.abs(found - values).max() <= resolution / 2 * (1 + 1e-6)
    np.testing.assert_allclose(found / resolution, np.round(found / resolution), atol=1e-6)


def test_noise_has_its_standard_deviation():
    random = np.random.default_rng(1)
    instrument = checked(Instrument, {"voltage_noise": "1 mV", "voltage_resolution": "0 V"})
    read = instrument.read_voltage(np.zeros(40_000), random)
    assert read.std() == pytest.approx(1e-3, rel=0.02)
    quiet = checked(Instrument, {"voltage_noise": "0 V", "voltage_resolution": "0 V"})
    assert (quiet.read_voltage(np.ones(5), random) == 1).all()


def test_the_record_says_what_it_is():
    data = {name: np.zeros(2) for name in ("test_time_second", "current_ampere", "voltage_volt")}
    inputs = {"cell": {"title": "x"}, "seed": 3}
    record = virtual_record("nucleation", inputs, data, assumptions=["a = 1: guess"], left_out=["b"])
    again = virtual_record("nucleation", inputs, data, assumptions=["a = 1: guess"], left_out=["b"])
    other = virtual_record("nucleation", {**inputs, "seed": 4}, data, assumptions=[], left_out=[])
    origin = record.provenance[0]
    assert record.simulated
    assert origin.reader == "virtual"
    assert origin.sha256 == again.provenance[0].sha256 != other.provenance[0].sha256
    assert record.metadata["assumed"] == "a = 1: guess"
    assert record.metadata["not included"] == "b"


def test_inputs_that_are_no_numbers_are_refused():
    data = {name: np.zeros(2) for name in ("test_time_second", "current_ampere", "voltage_volt")}
    with pytest.raises(InputError, match="not a finite number"):
        virtual_record("x", {"cell": {"title": "x"}, "seed": float("nan")}, data, assumptions=[], left_out=[])
