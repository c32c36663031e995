"""Every header that is marked tested is exercised by a measured file, and none that is marked assumed is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sodiophile.readers import ReadOptions, read, write
from sodiophile.readers.bdf import ORIGIN
from sodiophile.readers.delimited import text_table
from sodiophile.readers.eclab import eclab_table
from sodiophile.readers.mapping import choose, recognize
from sodiophile.readers.spreadsheet import _peek
from sodiophile.readers.vendors import ANY, VENDORS
from sodiophile.records import CyclingRecord

TEXTS = [
    "cyclers/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv",
    "cyclers/Test25209.csv",
    "cyclers/arbin_example.bdf.csv",
    "cyclers/neware_uio.csv",
    "cyclers/sample.bdf.csv",
    "cyclers/sample_data_arbin.csv",
    "cyclers/sample_data_maccor.csv",
    "cyclers/sample_data_novonix.csv",
    "cyclers/Sample_data_biologic_CA1.txt",
    "cyclers/Sample_data_biologic_no_header.mpt",
    "cyclers/Pt_poly_cv_CUT.mpt",
    "cyclers/maccor_two.txt",
    "fullcell_rate/neware_export_rate_B443.csv",
    "neware/interp-test.csv",
    "symmetric_metal/li_llzo_li_symmetric_mb.mpt",
    "symmetric_metal/lsv.mpt",
    "eis_two_arc/yadg_peis.mpt",
    "eis_formats/exampleDataParstat.txt",
]
BINARIES = ["46_1_5_60_bts16.ndax"]
BOOK = "cyclers/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx"


def headers_of(path: Path) -> list[str]:
    if path.suffix == ".xlsx":
        fastexcel = pytest.importorskip("fastexcel")
        return list(_peek(fastexcel.read_excel(path), "Channel_11_1").headers)
    find = eclab_table if path.suffix == ".mpt" or "biologic" in path.name else text_table
    return list(find(path.read_bytes(), ReadOptions(), path).headers)


@pytest.fixture(scope="module")
def exercised(real_data, tmp_path_factory) -> set[tuple[str, str, str]]:
    pytest.importorskip("fastnda")
    pytest.importorskip("fastexcel")
    folder = tmp_path_factory.mktemp("written")
    paths = [real_data(f"echem/{name}") for name in (*TEXTS, BOOK)]
    # the names of BDF itself: what we write from measured files
    for number, path in enumerate((*paths, *(real_data(f"echem/neware/{name}") for name in BINARIES))):
        if path.name == "sample_data_maccor.csv":
            continue  # its current has no sign: refused
        record = read(path, ReadOptions(bad_rows="drop"))
        if isinstance(record, CyclingRecord):
            paths.append(write(record, folder / f"{number}.bdf.csv"))
    out = set()
    for path in paths:
        headers = headers_of(path)
        vendor = recognize(headers) or (VENDORS[1] if path.suffix == ".mpt" else None)
        assert vendor is not None, path
        out |= {(vendor.name, entry.column, entry.name) for entry in choose(headers, vendor, ReadOptions(), path)}
    return out


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_marks_are_true(vendor, exercised):
    names = {
        (vendor.name, column, header.name): header.tested for column, names in vendor.columns.items() for header in names
    }
    claimed = {key for key, tested in names.items() if tested}
    used = {key for key in exercised if key[0] == vendor.name}
    assert claimed - used == set(), "marked tested, but no measured file has it"
    assert used - claimed == set(), "marked assumed, but a measured file has it"


def test_guesses_are_never_marked_tested():
    assert not any(header.tested for names in ANY.columns.values() for header in names)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_vendor_declares_what_it_is_recognized_by(vendor):
    assert {"test_time_second", "current_ampere", "voltage_volt"} <= set(vendor.columns)
    assert vendor.signature


def test_the_column_of_origin_is_no_bdf_name():
    assert ORIGIN not in {column for vendor in VENDORS for column in vendor.columns}


ASSUMED = {
    "basytec": (
        "~Resultfile from Basytec Battery Test System\n~\n"
        "~Time[h] DataSet DateTime t-Step[h] Line Command U[V] I[A] Ah[Ah] Ah-Step Wh[Wh] T1[°C] Cyc-Count\n"
    ).replace(" ", "\t"),
    "maccor": "Rec#\tCyc#\tStep\tTest (Min)\tStep (Min)\tAmp-hr\tWatt-hr\tAmps\tVolts\tState\tES\tDPt Time\n",
    "neware-export": (
        "Record number\tState\tJump\tCycle\tSteps\tCurrent(mA)\tVoltage(V)\tCapaCity(mAh)\tEnergy(mWh)\t"
        "Relative Time(h:min:s.ms)\tAbsolute Time\n"
    ),
}


def assumed_rows(name: str) -> str:
    rows = []
    for minute in range(60):
        charge = minute < 30
        date = f"2024-03-05 10:{minute:02d}:00"
        current = 0.5e-3 if charge else -0.5e-3
        if name == "basytec":
            cells = [
                minute / 60,
                minute,
                date,
                minute / 60,
                1,
                "Charge" if charge else "Discharge",
                0.03,
                current,
                0,
                0,
                0,
                25,
                1,
            ]
        elif name == "maccor":
            cells = [minute + 1, 1, 2, minute, minute, 0, 0, abs(current), 0.03, "C" if charge else "D", 1, date]
        else:
            state = "CC_Chg" if charge else "CC_DChg"
            cells = [
                minute + 1,
                state,
                0,
                1,
                2,
                current * 1e3,
                0.03,
                0,
                0,
                f"0:{minute}:00.000".replace(":", ":0", minute < 10),
                date,
            ]
        rows.append("\t".join(map(str, cells)))
    return "\n".join(rows)


@pytest.mark.parametrize("name", list(ASSUMED))
def test_assumed_headers_give_a_trace(tmp_path, name):
    path = tmp_path / "cell.txt"
    path.write_text(ASSUMED[name] + assumed_rows(name), encoding="utf-8")
    record = read(path)
    assert record.provenance[0].reader == name
    assert record.time_s - record.time_s[0] == pytest.approx([60.0 * minute for minute in range(60)])
    assert record.current_A == pytest.approx([0.5e-3] * 30 + [-0.5e-3] * 30)
    assert record.voltage_V == pytest.approx([0.03] * 60)
