"""Sheets of a workbook."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, read

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("fastexcel")

HEADERS = ["Time (s)", "Current (mA)", "Voltage (V)"]


def rows(start=0, count=30):
    return [(start + s, -0.5, 3 + s / 7) for s in range(count)]


def book(path, sheets):
    out = openpyxl.Workbook()
    out.remove(out.active)
    for name, lines in sheets.items():
        sheet = out.create_sheet(name)
        for line in lines:
            sheet.append(line)
    out.save(path)
    return path


def test_a_table_among_other_sheets(tmp_path):
    path = book(
        tmp_path / "a.xlsx", {"Info": [["Operator", "A"]], "Data": [["exported"], [], HEADERS, *rows()], "Empty": []}
    )
    record = read(path)
    assert record.time_s == pytest.approx(np.arange(30))
    assert record.current_A == pytest.approx(-0.5e-3)
    assert record.voltage_V[1] == 3 + 1 / 7
    assert record.metadata["sheet"] == "Data"


def test_several_tests_are_not_mixed(tmp_path):
    path = book(tmp_path / "a.xlsx", {"bare": [HEADERS, *rows()], "VN": [HEADERS, *rows(count=12)]})
    with pytest.raises(InputError, match="several sheets hold a test: 'bare', 'VN'; choose one: --sheet 'bare'"):
        read(path)
    assert len(read(path, ReadOptions(sheet="VN"))) == 12
    with pytest.raises(InputError, match="no sheet 'x'; found 'bare', 'VN'"):
        read(path, ReadOptions(sheet="x"))


def test_sheets_that_continue_one_another_are_joined(tmp_path):
    parts = {f"Channel_7_{part}": [HEADERS, *rows(30 * (part - 1))] for part in (1, 2, 10)}
    parts["Channel_7_10"] = [HEADERS, *rows(60)]
    record = read(book(tmp_path / "a.xlsx", parts))
    assert record.time_s == pytest.approx(np.arange(90))


def test_bad_rows_are_named_by_their_place(tmp_path):
    lines = rows()
    lines[4] = (4, "oops", 3)
    path = book(tmp_path / "a.xlsx", {"Data": [["x"], HEADERS, *lines]})
    with pytest.raises(InputError, match=r"row 7 of sheet 'Data': .*'oops'"):
        read(path)
    assert len(read(path, ReadOptions(bad_rows="drop"))) == 29


def test_cells_that_hold_dates_and_durations(tmp_path):
    start = dt.datetime(2024, 1, 31, 23, 59, tzinfo=None)  # noqa: DTZ001  a workbook knows no zones
    headers = ["Date", "Current (mA)", "Voltage (V)"]
    dates = [(start + dt.timedelta(seconds=2 * s), -0.5, 3.0 + s) for s in range(30)]
    assert read(book(tmp_path / "a.xlsx", {"Data": [headers, *dates]})).time_s == pytest.approx(2 * np.arange(30), abs=1e-3)
    spans = [(dt.timedelta(hours=30, seconds=2 * s), -0.5, 3.0 + s) for s in range(30)]
    record = read(book(tmp_path / "b.xlsx", {"Data": [["Time", *headers[1:]], *spans]}))
    assert record.time_s - record.time_s[0] == pytest.approx(2 * np.arange(30), abs=1e-3)


def test_times_of_day_that_go_on_in_text_after_the_first_day(tmp_path):
    """LANDT writes cells of time up to a day and text from then on; in a shorter test all of them are cells."""
    every_s = 5400.0
    seconds = every_s * np.arange(30)
    cells = []
    for s in seconds:
        day, rest = divmod(dt.timedelta(seconds=s), dt.timedelta(days=1))
        time = (dt.datetime(1900, 1, 1) + rest).time()  # noqa: DTZ001  a workbook knows no zones
        cells.append(time if day == 0 else f"{day}-{time:%H:%M:%S}")
    headers = ["Record", "TestTime", "Current/mA", "Voltage/V", "CycleNo"]
    lines = [(number, cell, 0.5, 3.5, 1) for number, cell in enumerate(cells, start=1)]
    long = read(book(tmp_path / "long.xlsx", {"Cycle-Tab": [["Cycle"], [1]], "Record-Tab": [headers, *lines]}))
    assert long.time_s == pytest.approx(seconds)
    short = read(book(tmp_path / "short.xlsx", {"Record-Tab": [headers, *lines[:16]]}))
    assert short.time_s == pytest.approx(seconds[:16])
    assert "unix_time_second" not in short.data.columns


def test_no_table_anywhere(tmp_path):
    with pytest.raises(InputError, match="no sheet holds a table"):
        read(book(tmp_path / "a.xlsx", {"Data": [["hello"]]}))


def test_arbin_workbook(real_data):
    record = read(real_data("echem/cyclers/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx"))
    assert len(record) == 4526
    assert record.metadata["instrument"] == "Arbin"
    assert record.voltage_V[0] == pytest.approx(2.637298584)


def test_two_channels_are_two_cells(tmp_path):
    sheets = {f"Channel_{cell}_{part}": [HEADERS, *rows(30 * (part - 1))] for cell in (7, 8) for part in (1, 2)}
    path = book(tmp_path / "a.xlsx", sheets)
    with pytest.raises(InputError, match=r"several sheets hold a test: .*choose one: --sheet 'Channel_7'"):
        read(path)
    assert len(read(path, ReadOptions(sheet="Channel_8"))) == 60
    assert len(read(path, ReadOptions(sheet="Channel_8_2"))) == 30
