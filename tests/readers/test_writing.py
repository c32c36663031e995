"""What is written comes back whole, and simulated stays simulated."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, read, write
from sodiophile.readers.bdf import ORIGIN
from sodiophile.records import CyclingRecord, Provenance

KINDS = ["cell.bdf.csv", "cell.csv", "cell.parquet"]


def record(*, simulated=False, rows=50, **columns):
    time = np.arange(rows) * 0.1
    data = pl.DataFrame(
        {
            "test_time_second": time,
            "current_ampere": np.where(time < 2, -5e-4, 5e-4) / 3,
            "voltage_volt": np.sin(time) * 0.0361,
            "cycle_count": np.arange(rows) // 20,
            "step_type": np.where(time < 2, "plating", "stripping, 2nd"),
            **columns,
        }
    )
    place = Provenance("virtual cell", "0" * 64, "virtual", "3", {"seed": 7})
    return CyclingRecord(data, (place,), {"start": 'he said "now", twice'}, ("a note; with, signs",), simulated)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("simulated", [False, True])
def test_round_trip(tmp_path, name, simulated):
    before = record(simulated=simulated, **{"thickness_nm": np.linspace(0, 1, 50) ** 2, "remark <b>": ["x,y"] * 50})
    after = read(write(before, tmp_path / name))
    assert after.data.select(before.data.columns).equals(before.data)
    assert after.simulated is simulated
    assert dict(after.metadata) == dict(before.metadata)
    assert after.notes[0] == before.notes[0]
    assert after.provenance[0].source == name
    assert after.provenance[0].options["converted_from"] == [before.provenance[0].to_dict()]
    again = read(write(after, tmp_path / f"again-{name}"))
    assert again.data.equals(after.data)
    assert again.simulated is simulated


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3, allow_subnormal=False), st.floats(-1e3, 1e3, allow_subnormal=False)),
        min_size=2,
        max_size=30,
    )
)
def test_floats_come_back_to_the_last_bit(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("bits")
    current, voltage = np.array(pairs).T
    before = record(rows=len(pairs), current_ampere=current, voltage_volt=voltage)
    for name in KINDS:
        after = read(write(before, folder / name))
        assert np.array_equal(after.current_A, current)
        assert np.array_equal(after.voltage_V, voltage)


def test_a_part_of_a_simulated_csv_is_still_simulated(tmp_path):
    path = write(record(simulated=True), tmp_path / "cell.bdf.csv")
    lines = path.read_text().splitlines()
    part = tmp_path / "part.bdf.csv"
    part.write_text("\n".join([lines[0], *lines[20:30]]))
    assert read(part).simulated


def test_other_programs_survive_the_origin(tmp_path):
    before = record(simulated=True)
    path = write(before, tmp_path / "cell.bdf.csv")
    frame = pd.read_csv(path)
    assert np.allclose(frame["voltage_volt"], before.voltage_V)
    with path.open(newline="") as stream:
        assert {len(row) for row in csv.reader(stream)} == {len(before.data.columns) + 1}


@pytest.mark.parametrize(
    "text", ["[1]", "{", '{"simulated": "no", "metadata": 3, "notes": {}, "provenance": [1]}', "x" * 10]
)
def test_an_origin_that_is_not_ours_is_no_harm(tmp_path, text):
    data = record().data.with_columns(pl.Series(ORIGIN, [text, *[None] * 49], dtype=pl.String))
    data.write_csv(tmp_path / "a.csv")
    data.drop(ORIGIN).write_parquet(tmp_path / "a.parquet", metadata={ORIGIN: text})
    for name in ("a.csv", "a.parquet"):
        after = read(tmp_path / name)
        assert after.simulated is False
        assert len(after) == 50


def test_a_written_sign_is_kept(tmp_path):
    """A virtual cell may call its plating a charge; what we wrote has BDF's sign already."""
    before = record(simulated=True, step_type=["charge"] * 20 + ["discharge"] * 30)
    after = read(write(before, tmp_path / "cell.bdf.csv"))
    assert np.array_equal(after.current_A, before.current_A)
    assert np.array_equal(read(tmp_path / "cell.bdf.csv", ReadOptions(sign="reversed")).current_A, -before.current_A)


def test_refusals(tmp_path):
    with pytest.raises(InputError, match=r"expected .bdf.csv, .csv or .parquet"):
        write(record(), tmp_path / "cell.xlsx")
    with pytest.raises(InputError, match="cannot be written"):
        write(record(), tmp_path / "nowhere" / "cell.csv")


def test_an_older_file_is_replaced_whole(tmp_path):
    path = tmp_path / "cell.csv"
    path.write_text("old")
    write(record(), path)
    assert len(read(path)) == 50
    assert [entry.name for entry in tmp_path.iterdir()] == ["cell.csv"]


@pytest.mark.parametrize(
    "name", ["symmetric_metal/li_llzo_li_symmetric_mb.mpt", "cyclers/neware_uio.csv", "cyclers/arbin_example.bdf.csv"]
)
@pytest.mark.parametrize("kind", [".bdf.csv", ".parquet"])
def test_real_files_come_back(real_data, tmp_path, name, kind):
    before = read(real_data(f"echem/{name}"))
    after = read(write(before, tmp_path / f"copy{kind}"))
    assert after.data.equals(before.data)
    assert after.provenance[0].options["converted_from"][0]["sha256"] == before.provenance[0].sha256
