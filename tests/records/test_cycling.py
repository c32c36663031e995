"""The cycling record: what it refuses, how parts of one test join, what it leaves out."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from sodiophile.errors import InputError
from sodiophile.records import CyclingRecord, Provenance
from sodiophile.records.cycling import joined


def record(time_s, current_A=None, voltage_V=None, name="a.csv", **columns) -> CyclingRecord:
    n = len(time_s)
    data = pl.DataFrame(
        {
            "test_time_second": time_s,
            "current_ampere": np.zeros(n) if current_A is None else current_A,
            "voltage_volt": np.zeros(n) if voltage_V is None else voltage_V,
            **columns,
        }
    )
    return CyclingRecord(data, (Provenance(name, hashlib.sha256(name.encode()).hexdigest(), "test", "1"),))


def test_time_running_backwards_is_refused_with_its_row():
    with pytest.raises(InputError, match=r"a\.csv: row 3: time runs backwards, from 10 s to 5 s"):
        record([0, 10, 5, 20])
    assert len(record([0, 10, 10, 20])) == 4  # two samples in one tick of the clock


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_with_its_row(bad):
    with pytest.raises(InputError, match="row 2: current_ampere"):
        record([0, 1, 2], current_A=[0.0, bad, 0.0])


@pytest.mark.parametrize(
    ("column", "value"), [("time_s", 1e200), ("current_A", -1e7), ("voltage_V", 1e300), ("voltage_V", 9.91e37)]
)
def test_a_number_beyond_any_cell_is_refused_with_its_row(column, value):
    columns = {"time_s": [0.0, 1.0, 2.0], "current_A": [0.0, 0.0, 0.0], "voltage_V": [0.0, 0.0, 0.0]}
    columns[column][2] = value
    with pytest.raises(InputError, match=r"a\.csv: row 3: .* at most"):
        record(**columns)


def test_a_missing_column_and_an_empty_table_are_refused():
    with pytest.raises(InputError, match="'voltage_volt' is missing"):
        CyclingRecord(pl.DataFrame({"test_time_second": [0.0], "current_ampere": [0.0]}), ())
    with pytest.raises(InputError, match="no rows"):
        record([])


def test_impedance_rows_are_no_trace():
    full = record([0, 1, 2, 3], frequency_hertz=[0.0, 1e5, 1e4, None])
    trace = full.without_impedance()
    assert trace.time_s.tolist() == [0, 3]
    assert "2 rows are impedance" in trace.notes[-1]
    plain = record([0, 1])
    assert plain.without_impedance() is plain


def test_files_of_one_test_join_whether_their_clock_restarts_or_not():
    restarted = joined([record([0, 10]), record([0, 10], name="b.csv")])
    assert restarted.time_s.tolist() == [0, 10, 10, 20]
    assert "clock starts again" in restarted.notes[0]
    continued = joined([record([0, 10]), record([11, 20], name="b.csv")])
    assert continued.time_s.tolist() == [0, 10, 11, 20]
    assert continued.notes == ()
    assert [origin.source for origin in continued.provenance] == ["a.csv", "b.csv"]
    with pytest.raises(InputError):
        joined([])


def test_one_file_twice_is_no_test_of_two_files():
    first, second = record([0, 10]), record([0, 10], name="b.csv")
    with pytest.raises(InputError, match=r"a\.csv: the same file is given before; expected"):
        joined([first, second, first])
    copied = CyclingRecord(first.data, (Provenance("copy.csv", first.provenance[0].sha256, "test", "1"),))
    with pytest.raises(InputError, match=r"copy\.csv: the same file is given before as a\.csv"):
        joined([first, copied])
    half = CyclingRecord(second.data.tail(1), second.provenance)
    assert len(joined([CyclingRecord(second.data.head(1), second.provenance), half])) == 2
