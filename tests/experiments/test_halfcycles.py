"""Segmentation: what counts as a half cycle, its charge, and what must not matter."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import Trace, half_cycles
from sodiophile.experiments._medians import median_of_rows
from sodiophile.records import CyclingRecord


def of(record: CyclingRecord, **options: object):
    return half_cycles(Trace.of(record), **options)


def test_square_wave_gives_its_half_cycles_charge_and_cycles(SymmetricCell):
    cell = SymmetricCell(cycles=7, interval_s=10, current_noise=0.0)
    half = of(cell.record())
    table = half.table(area_cm2=2.0)
    assert len(half) == 14
    assert table["cycle"].to_list() == [k // 2 + 1 for k in range(14)]
    assert table["direction"].to_list() == ["plating", "stripping"] * 7
    # 720 samples 10 s apart span 7190 s
    np.testing.assert_allclose(table["charge_mAh"], 0.5 * 7190 / 3600, rtol=1e-9)
    np.testing.assert_allclose(table["charge_mAh_cm2"], 0.25 * 7190 / 3600, rtol=1e-9)
    np.testing.assert_allclose(table["current_density_mA_cm2"], [-0.25, 0.25] * 7, rtol=1e-9)


def test_voltages_of_a_known_shape(as_record):
    time = np.arange(0.0, 14400.0, 1.0)
    sign = np.where(time < 7200, -1.0, 1.0)
    fraction = (time % 7200) / 7199
    voltage = sign * (0.02 + 0.01 * fraction)
    table = of(as_record(time, sign * 1e-3, voltage)).table(1.0)
    np.testing.assert_allclose(table["voltage_mean_mV"], [-25, 25], atol=1e-6)
    np.testing.assert_allclose(table["voltage_middle_mV"], [-25, 25], atol=0.01)
    np.testing.assert_allclose(table["voltage_end_mV"], [-30, 30], atol=0.01)
    np.testing.assert_allclose(table["voltage_peak_mV"], [-30, 30], atol=1e-6)
    np.testing.assert_allclose(table["voltage_start_mV"], [-20, 20], atol=0.01)
    np.testing.assert_allclose(table["resistance_ohm"], 25, atol=0.05)
    np.testing.assert_allclose(table["rectangularity"], 21.2 / 28.8, atol=0.02)


def test_step_time_gives_the_charge_before_the_first_sample(as_record):
    # the first sample of each step is recorded one interval after the step began
    step = np.tile(np.arange(60.0, 3601.0, 60.0), 2)
    time = np.arange(1, step.size + 1) * 60.0
    current = np.where(time <= 3600, -1e-3, 1e-3)
    with_step = of(as_record(time, current, current * 50, step_time_second=step)).table(1.0)
    without = of(as_record(time, current, current * 50)).table(1.0)
    np.testing.assert_allclose(with_step["charge_mAh"][1], 1.0, rtol=1e-12)
    np.testing.assert_allclose(without["charge_mAh"][1], 59 / 60, rtol=1e-12)


def test_impedance_points_are_no_trace_and_hold_no_charge(as_record):
    time = np.arange(0.0, 7200.0, 60.0)
    current = np.where(time < 3600, -1e-3, 1e-3)
    frequency = np.zeros(time.size)
    clean = of(as_record(time, current, current * 50)).table(1.0)
    # 20 minutes of impedance in the middle of the first half cycle, during which no direct current flows
    at = 30
    time2 = np.concatenate([time[:at], time[at - 1] + np.linspace(1, 1199, 40), time[at:] + 1200])
    wild = np.concatenate([current[:at], np.full(40, 5e-3), current[at:]])
    frequency = np.concatenate([frequency[:at], np.logspace(6, -1, 40), frequency[at:]])
    half = of(as_record(time2, wild, wild * 50, frequency_hertz=frequency), bridge_rest_s=1800.0)
    table = half.table(1.0)
    assert len(half) == 2
    np.testing.assert_allclose(table["charge_mAh"][0], clean["charge_mAh"][0] - 1 / 60, rtol=1e-9)
    np.testing.assert_allclose(table["voltage_mean_mV"], [-50, 50], rtol=1e-9)


@pytest.mark.parametrize("noise_fraction", [0.0, 1e-3, 0.05])
def test_noise_at_rest_is_no_current(SymmetricCell, as_record, noise_fraction):
    time, current, voltage = SymmetricCell(cycles=4, interval_s=30, rest_s=1800).trace()
    rng = np.random.default_rng(3)
    current = current + noise_fraction * 0.5e-3 * rng.standard_normal(time.size)
    assert len(of(as_record(time, current, voltage))) == 8


def test_a_cell_that_mostly_rests(as_record):
    time = np.arange(0.0, 400 * 3600, 60.0)
    phase = (time / 3600) % 100
    current = np.where(phase < 1, -1e-3, np.where((phase >= 50) & (phase < 51), 1e-3, 2e-6))
    assert len(of(as_record(time, current, current * 50))) == 8


def test_rates_over_two_decades_are_all_seen(SymmetricCell):
    cell = SymmetricCell(cycles=12, rates=(0.05, 0.2, 1.0, 4.0))
    assert len(of(cell.record())) == 24


def test_spikes_and_stray_samples_interrupt_nothing(SymmetricCell, as_record):
    time, current, voltage = SymmetricCell(cycles=5, interval_s=30).trace()
    rng = np.random.default_rng(1)
    inside = rng.choice(np.arange(5, 235), 20, replace=False) + 240 * rng.integers(0, 10, 20)
    wild = current.copy()
    wild[inside] *= rng.choice([-1.0, 0.0, 10.0], 20)
    half = of(as_record(time, wild, voltage))
    assert len(half) == 10
    np.testing.assert_array_equal(half.first, np.arange(10) * 240)


def test_short_rests_within_a_half_cycle_are_bridged_and_long_ones_are_not(as_record):
    time = np.arange(0.0, 3 * 3600, 30.0)
    current = np.where(time < 7200, -1e-3, 1e-3)
    current[(time > 3000) & (time < 3240)] = 0.0
    record = as_record(time, current, current * 50)
    assert len(of(record, bridge_rest_s=300.0)) == 2
    apart = of(record, bridge_rest_s=60.0)
    assert len(apart) == 3
    assert apart.cycle.tolist() == [1, 1, 1]


def test_a_constant_voltage_hold_stays_in_its_half_cycle(as_record):
    time = np.arange(0.0, 7200.0, 10.0)
    hold = np.where(time % 3600 > 2400, np.exp(-((time % 3600) - 2400) / 400), 1.0)
    sign = np.where(time < 3600, -1.0, 1.0)
    assert len(of(as_record(time, sign * 1e-3 * hold, sign * 0.05))) == 2


def test_no_current_is_said_in_words(as_record):
    time = np.arange(10.0)
    with pytest.raises(InputError, match="no half cycle found"):
        of(as_record(time, np.zeros(10), np.zeros(10)), where="rest.csv")


@settings(max_examples=40, deadline=None)
@given(
    scale=st.floats(1e-6, 1e3),
    shift=st.floats(0, 1e6),
    interval=st.sampled_from([1.0, 7.0, 60.0]),
    cycles=st.integers(1, 6),
)
def test_unit_of_current_and_origin_of_time_do_not_matter(scale, shift, interval, cycles):
    time = np.arange(0.0, cycles * 7200.0, interval)
    current = np.where((time // 3600) % 2 == 0, -1e-3, 1e-3)
    voltage = current * 50
    one = half_cycles(Trace(time, current, voltage, None, np.empty(0, int)))
    two = half_cycles(Trace(time + shift, current * scale, voltage, None, np.empty(0, int)))
    np.testing.assert_array_equal(one.first, two.first)
    np.testing.assert_array_equal(one.last, two.last)
    np.testing.assert_allclose(two.charge_C, one.charge_C * scale, rtol=1e-6)
    np.testing.assert_allclose(two.level_V, one.level_V)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_finite_trace_is_divided_or_refused(data):
    size = data.draw(st.integers(1, 60))
    numbers = st.floats(-1e3, 1e3, allow_nan=False)
    time = np.cumsum(data.draw(st.lists(st.floats(0, 1e4), min_size=size, max_size=size)))
    current = np.array(data.draw(st.lists(numbers, min_size=size, max_size=size)))
    voltage = np.array(data.draw(st.lists(numbers, min_size=size, max_size=size)))
    try:
        half = half_cycles(Trace(time, current, voltage, None, np.empty(0, int)))
    except InputError:
        return
    table = half.table(1.0)
    assert (half.last >= half.first).all()
    assert (half.first[1:] > half.last[:-1]).all()
    assert table["charge_mAh"].min() >= 0
    assert table.select(pl.col("half_cycle").is_sorted()).item()


def test_plating_by_the_other_sign(SymmetricCell):
    record = SymmetricCell(cycles=2).record()
    one, two = of(record), of(record, plating_sign=1)
    np.testing.assert_array_equal(one.plating, ~two.plating)


@pytest.mark.parametrize("columns", [1, 2, 3, 8, 25, 49])
def test_medians_of_rows_are_those_of_numpy(columns):
    values = np.round(np.random.default_rng(columns).standard_normal((200, columns)), 1)
    np.testing.assert_array_equal(median_of_rows(values), np.median(values, axis=1))
    values[::7, columns // 2] = np.nan
    np.testing.assert_array_equal(median_of_rows(values), np.median(values, axis=1))
