"""Impedance records: what they refuse, how spectra are told apart, that nothing is guessed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.records import CyclingRecord, ImpedanceRecord, Provenance
from sodiophile.records.impedance import impedance_of_trace, impedance_record

ORIGIN = (Provenance("cell.z", "0" * 64, "test", "0"),)


def table(**columns):
    base = {
        "frequency_hertz": [1000.0, 100.0, 10.0],
        "real_impedance_ohm": [1.0, 2.0, 3.0],
        "imaginary_impedance_ohm": [-0.1, -0.5, -0.1],
    }
    return pl.DataFrame({**base, **columns})


def test_a_record_without_spectrum_numbers_holds_one_spectrum_from_high_to_low_frequency():
    record = ImpedanceRecord(table().reverse(), ORIGIN)
    (spectrum,) = record.spectra()
    assert record.count == 1
    assert list(spectrum.frequency_Hz) == [1000.0, 100.0, 10.0]
    assert spectrum.impedance_ohm[1] == 2.0 - 0.5j
    assert spectrum.temperature_K is None
    assert spectrum.name == "cell.z"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"real_impedance_ohm": [1.0, float("nan"), 3.0]}, "row 2: real_impedance_ohm is nan"),
        ({"imaginary_impedance_ohm": [1.0, float("inf"), 3.0]}, "row 2: imaginary_impedance_ohm is inf"),
        ({"real_impedance_ohm": [1.0, None, 3.0]}, "row 2: real_impedance_ohm"),
        ({"frequency_hertz": [10.0, 0.0, 1.0]}, "row 2: frequency_hertz is 0"),
        ({"frequency_hertz": [10.0, 1.0, -1.0]}, "row 3: frequency_hertz is -1"),
    ],
)
def test_a_bad_row_is_named(columns, message):
    with pytest.raises(InputError, match=message):
        ImpedanceRecord(table(**columns), ORIGIN)


def test_a_missing_column_and_an_empty_table_are_refused():
    with pytest.raises(InputError, match="imaginary_impedance_ohm"):
        ImpedanceRecord(table().drop("imaginary_impedance_ohm"), ORIGIN)
    with pytest.raises(InputError, match="no points"):
        ImpedanceRecord(table().head(0), ORIGIN)


def test_repeated_frequencies_are_noted_not_dropped():
    record = ImpedanceRecord(table(frequency_hertz=[100.0, 100.0, 10.0]), ORIGIN)
    assert len(record) == 3
    assert "2 points share their frequency" in record.notes[0]


def test_the_same_frequency_in_two_spectra_is_no_repetition():
    record = ImpedanceRecord(table(frequency_hertz=[100.0, 100.0, 10.0], spectrum=[1, 2, 2]), ORIGIN)
    assert record.notes == ()
    assert [len(one.frequency_Hz) for one in record.spectra()] == [1, 2]


def test_temperatures_are_one_for_all_or_one_each():
    several = table(spectrum=[1, 2, 3])
    assert ImpedanceRecord(several, ORIGIN, 300.0).temperature_K == (300.0,) * 3
    assert [one.temperature_K for one in ImpedanceRecord(several, ORIGIN, (290.0, 300.0, 310.0)).spectra()] == [
        290,
        300,
        310,
    ]
    with pytest.raises(InputError, match="2 temperatures for 3 spectra"):
        ImpedanceRecord(several, ORIGIN, (290.0, 300.0))
    with pytest.raises(InputError, match="-5"):
        ImpedanceRecord(several, ORIGIN, -5.0)


def trace(frequencies):
    n = len(frequencies)
    return CyclingRecord(
        pl.DataFrame(
            {
                "test_time_second": np.arange(n, dtype=float),
                "current_ampere": np.zeros(n),
                "voltage_volt": np.zeros(n),
                "frequency_hertz": frequencies,
                "real_impedance_ohm": np.ones(n),
                "imaginary_impedance_ohm": -np.ones(n),
            }
        ),
        ORIGIN,
    )


def test_impedance_points_of_a_trace_become_spectra_split_at_pauses_and_new_sweeps():
    sweep = [1e3, 1e2, 1e1, 1e0]
    record = impedance_of_trace(trace([0.0, *sweep, 0.0, 0.0, *sweep, *sweep, None]))
    assert record.count == 3
    assert [len(one.frequency_Hz) for one in record.spectra()] == [4, 4, 4]
    assert [one.time_s for one in record.spectra()] == [1.0, 7.0, 11.0]


def test_an_upward_sweep_is_split_as_well():
    assert impedance_of_trace(trace([1.0, 10.0, 100.0, 1e3, 1.0, 10.0, 100.0, 1e3])).count == 2


def test_a_trace_without_impedance_is_refused():
    with pytest.raises(InputError, match="no row has a frequency"):
        impedance_of_trace(trace([0.0, 0.0, None]))


@given(st.permutations(range(6)))
def test_the_order_of_rows_does_not_matter(order):
    frequency = np.geomspace(1e4, 1.0, 6)
    Z = 1 / (1 + 1j * frequency)
    (spectrum,) = impedance_record(frequency[list(order)], Z[list(order)], ORIGIN).spectra()
    assert np.array_equal(spectrum.frequency_Hz, frequency)
    assert np.array_equal(spectrum.impedance_ohm, Z)
