"""What is in a file, as a person with the file would ask."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, describe, write
from sodiophile.readers.describing import current_levels
from sodiophile.records import CyclingRecord


def cell(time, current, voltage, **columns):
    data = {"test_time_second": time, "current_ampere": current, "voltage_volt": voltage, **columns}
    return CyclingRecord(pl.DataFrame(data), ())


def odd(record, tmp_path, suffix=".csv"):
    return " | ".join(describe(write(record, tmp_path / f"cell{suffix}"))["odd"])


TIME = np.arange(2000) * 10.0
NOISE = np.random.default_rng(1).normal(0, 1e-5, TIME.size)
CURRENT = np.where((TIME // 2000).astype(int) % 2, 5e-4, -5e-4) * (1 + NOISE)
VOLTAGE = np.sign(CURRENT) * 0.036 + NOISE


def test_levels_are_found_through_noise_with_their_time():
    rng = np.random.default_rng(3)
    time = np.arange(6000.0)
    true = np.repeat([-1e-3, -5e-4, 0, 5e-4, 1e-3, 2e-3], 1000)
    current = true * (1 + rng.normal(0, 1e-3, time.size))
    levels, between = current_levels(cell(time, current, current))
    assert [level.current_A for level in levels] == pytest.approx([-1e-3, -5e-4, 0, 5e-4, 1e-3, 2e-3], rel=1e-3)
    assert [level.time_h for level in levels] == pytest.approx([1000 / 3600] * 6, abs=2 / 3600)
    assert between == pytest.approx(0, abs=1e-6)


def test_levels_do_not_depend_on_the_sampling():
    time = np.concatenate([np.arange(0, 1000, 0.5), np.arange(1000, 2000, 50.0), [2000.0]])
    current = np.where(time < 1000, -1e-3, 1e-3)
    levels, _ = current_levels(cell(time, current, current))
    assert [level.time_h * 3600 for level in levels] == pytest.approx([1000, 1000])


def test_a_sweep_and_a_decay_have_no_levels():
    time = np.arange(500.0)
    levels, between = current_levels(cell(time, 1e-3 * np.exp(-time / 60), time))
    assert sum(level.time_h for level in levels if level.current_A > 0) < 0.2 * between + 1
    sweep, _ = current_levels(cell(time, np.linspace(-1e-3, 1e-3, 500), time))
    assert all(level.time_h < 0.05 * 500 / 3600 for level in sweep)


def test_json_ready_and_complete(tmp_path):
    told = describe(write(cell(TIME, CURRENT, VOLTAGE, cycle_count=(TIME // 4000).astype(int) + 1), tmp_path / "a.bdf.csv"))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["rows"] == 2000
    assert told["duration_h"] == pytest.approx(TIME[-1] / 3600)
    assert told["cycles"] == {"first": 1, "last": 5, "count": 5}
    assert told["sampling_s"] == {"median": 10.0, "min": 10.0, "max": 10.0}
    assert [level["current_A"] for level in told["current_levels"]] == pytest.approx([-5e-4, 5e-4], rel=1e-3)
    assert told["reader"]["why"]


def test_an_ordinary_file_is_not_odd(tmp_path):
    assert (
        odd(cell(TIME, CURRENT, VOLTAGE), tmp_path) == "the file was changed in the last 5 minutes: it may be still growing"
    )


def test_gaps_and_repeated_times(tmp_path):
    time = TIME + np.where(np.arange(TIME.size) > 700, 5000, 0)
    time[300] = time[299]
    told = odd(cell(time, CURRENT, VOLTAGE), tmp_path)
    assert "1 gaps" in told
    assert "5010 s after" in told
    assert "1 rows have the time of the row before" in told


def test_saturation(tmp_path):
    voltage = VOLTAGE.copy()
    voltage[230:300] = 5.0
    assert "stands still at its highest value, 5 V, in 70 rows" in odd(cell(TIME, CURRENT, voltage), tmp_path)


def test_a_coarse_current(tmp_path):
    current = np.sign(CURRENT) * np.where(NOISE > 0, 5e-4, 6e-4)
    assert "the current comes in steps of 0.0001 A" in odd(cell(TIME, current, VOLTAGE), tmp_path)
    current = np.sign(CURRENT) * 2e-4
    assert "no other value than 0.0002 A and 0" in odd(cell(TIME, current, VOLTAGE), tmp_path)


def test_capacity_in_the_wrong_unit(tmp_path):
    charge = np.cumsum(np.where(CURRENT > 0, CURRENT, 0) * 10 / 3600)
    assert "capacity" not in odd(cell(TIME, CURRENT, VOLTAGE, charging_capacity_ah=charge), tmp_path)
    told = odd(cell(TIME, CURRENT, VOLTAGE, charging_capacity_ah=charge * 1e3), tmp_path)
    assert "the unit of one of them is wrong" in told


def test_current_against_its_states(tmp_path):
    states = np.where(CURRENT > 0, "charge", "discharge")
    states[:40] = "charge"
    assert "in 40 rows the current flows against" in odd(cell(TIME, CURRENT, VOLTAGE, step_type=states), tmp_path)


def test_a_clock_that_was_set(tmp_path):
    date = 1.7e9 + TIME + np.where(TIME > 9000, 3600, 0)
    assert "drift apart by 3600 s" in odd(cell(TIME, CURRENT, VOLTAGE, unix_time_second=date), tmp_path)


def test_a_refused_file_is_described_without_its_bad_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Time (s),Current (A),Voltage (V)\n" + "".join(f"{s},0.5,{3 + s}\n" for s in range(30)) + "30,0.")
    told = describe(path)
    assert told["rows"] == 30
    assert told["odd"][0].startswith("refused as it is: ")
    assert "cut off" in told["odd"][0]
    path.write_text("Time (s),Current (A),Voltage (V)\n5,1,1\n4,1,1\n")
    with pytest.raises(InputError, match="backwards"):
        describe(path)


def test_claims_are_told_and_never_used(real_data):
    told = describe(real_data("echem/cyclers/sample_data_novonix.csv"), ReadOptions())
    assert told["claims_never_used"] == {"Mass (g)": "1.000", "Area (cm2)": "1.000"}
    assert "Step Type" in told["unused_columns"]
