"""Formats of instruments with a reader of their own: Gamry, ZPlot, VersaStudio, Arbin data bases, BioLogic binaries."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from sodiophile.errors import InputError, MissingExtraError, MissingProgramError
from sodiophile.readers import ReadOptions, describe, read, read_spectra, read_trace
from sodiophile.readers.biologic import mean_current_mA
from sodiophile.readers.mapping import choose
from sodiophile.readers.vendors import GAMRY, VERSASTUDIO
from sodiophile.records import CyclingRecord, ImpedanceRecord

GAMRY_HEAD = "EXPLAIN\nTAG\tEISPOT\nTITLE\tLABEL\tone\tTest &Identifier\nAREA\tQUANT\t1.0E+000\t&Area (cm^2)\n"
ZCURVE = "ZCURVE\tTABLE\n\tPt\tTime\tFreq\tZreal\tZimag\tZmod\tZphz\n\t#\ts\tHz\tohm\tohm\tohm\t°\n"
CURVE = "CURVE\tTABLE\t3\n\tPt\tT\tVf\tIm\tOver\n\t#\ts\tV vs. Ref.\tA\tbits\n"


def z_rows(scale=1.0):
    frequency = np.logspace(4, 0, 9)
    Z = scale * (5 + 20 / (1 + 2j * np.pi * frequency * 1e-2))
    rows = [
        f"\t{n}\t{n}\t{f:.8g}\t{z.real:.8g}\t{z.imag:.8g}\t{abs(z):.8g}\t{np.angle(z, deg=True):.8g}"
        for n, (f, z) in enumerate(zip(frequency, Z, strict=True))
    ]
    return Z, "\n".join(rows) + "\n"


def i_rows(start=0):
    return "".join(f"\t{n}\t{n}\t{0.1 + n / 100:.5f}\t{1e-3:.5e}\t......\n" for n in range(start, start + 5))


def put(tmp_path, text, name):
    path = tmp_path / name
    path.write_text(text, encoding="latin-1")
    return path


def test_several_tables_of_gamry_are_a_series(tmp_path):
    Z, one = z_rows()
    _, two = z_rows(2.0)
    record = read(put(tmp_path, GAMRY_HEAD + ZCURVE + one + ZCURVE.replace("ZCURVE", "ZCURVE1") + two, "a.DTA"))
    assert record.count == 2
    assert np.allclose(record.spectra()[0].impedance_ohm, Z, rtol=1e-7)
    assert np.allclose(record.spectra()[1].impedance_ohm, 2 * Z, rtol=1e-7)
    assert record.metadata["AREA"] == "1.0E+000"


def test_gamry_with_a_trace_and_a_spectrum(tmp_path):
    Z, rows = z_rows()
    path = put(tmp_path, GAMRY_HEAD + CURVE + i_rows() + ZCURVE + rows, "a.dta")
    assert isinstance(read(path), CyclingRecord)
    assert any("--record spectra" in note for note in read(path).notes)
    assert np.allclose(read_spectra(path).spectra()[0].impedance_ohm, Z, rtol=1e-7)


def test_curves_of_gamry_follow_one_another(tmp_path):
    path = put(tmp_path, GAMRY_HEAD + CURVE + i_rows() + CURVE.replace("CURVE", "CURVE2") + i_rows(5), "a.dta")
    record = read_trace(path)
    assert record.time_s == pytest.approx(np.arange(10))
    assert record.current_A == pytest.approx(np.full(10, 1e-3))
    other = CURVE.replace("CURVE", "CURVE2").replace("Over", "Temp")
    with pytest.raises(InputError, match="tables CURVE and CURVE2 have different columns"):
        read(put(tmp_path, GAMRY_HEAD + CURVE + i_rows() + other + i_rows(5), "b.dta"))


def test_gamry_without_rows(tmp_path):
    with pytest.raises(InputError, match=r"no table ZCURVE with rows; tables found: ZCURVE \(0 rows\)"):
        read(put(tmp_path, GAMRY_HEAD + ZCURVE, "a.dta"))
    with pytest.raises(InputError, match="tables found: none"):
        read(put(tmp_path, GAMRY_HEAD, "a.dta"))


def test_aborted_gamry(real_data):
    whole, aborted = (read(real_data(f"echem/eis_formats/exampleDataGamry{word}.DTA")) for word in ("", "ABORT"))
    assert any("aborted" in note for note in aborted.notes)
    assert whole.notes == ()
    assert aborted.data.equals(whole.data)
    assert whole.spectra()[0].impedance_ohm[0] == pytest.approx(825.8584 - 1367.239j)


def test_gamry_with_decimal_comma(real_data):
    point, comma = (read(real_data(f"echem/eis_formats/chronoa_{word}data.dta")) for word in ("", "de_"))
    assert comma.voltage_V[1:] == pytest.approx(point.voltage_V[1:])
    assert comma.metadata["TSTEP1"] == "3,00000E+001"


def test_gamry_rows_that_lost_their_tabs_are_read(real_data):
    record = read(real_data("echem/eis_formats/eispot_data.dta"))
    assert record.data["frequency_hertz"].to_list() == [10000, 5000, 1000, 500.1, 100, 50, 10, 5, 1, 0.5]


@pytest.mark.parametrize("name", ["Circuit1_EIS_1.z", "exampleDataZPlot.z", "exampleDataZPlot_noComments.z"])
def test_zplot(real_data, name):
    path = real_data(f"echem/eis_formats/{name}")
    record = read(path)
    rows = [line.replace(",", " ").split() for line in path.read_text().splitlines()]
    rows = [row for row in rows if len(row) == 9 and row[0][0].isdigit() and "E" in row[0]]
    assert record.data["frequency_hertz"].to_list() == pytest.approx([float(row[0]) for row in rows])
    assert record.data["real_impedance_ohm"].to_list() == pytest.approx([float(row[4]) for row in rows])
    assert record.data["imaginary_impedance_ohm"].to_list() == pytest.approx([float(row[5]) for row in rows])
    assert record.data["test_time_second"].to_list() == pytest.approx([float(row[3]) for row in rows])


def test_a_cut_off_zplot_file_says_so(real_data, tmp_path):
    assert any(
        "says it has 79 points, but holds 31" in note
        for note in read(real_data("echem/eis_formats/exampleDataZPlot_noComments.z")).notes
    )
    text = real_data("echem/eis_formats/Circuit1_EIS_1.z").read_text()
    with pytest.raises(InputError, match="holds 3 fields, expected at least 6; the last line seems cut off"):
        read(put(tmp_path, text[: text.index("3.971641E+04")] + "\n1.0E+00\t1.0E-02\t0.0", "cut.z"))
    with pytest.raises(InputError, match="cut off within its header"):
        read(put(tmp_path, text[:1000], "head.z"))


def test_autolab(real_data):
    spectrum = read(real_data("echem/eis_formats/exampleDataAutolab.txt")).spectra()[0]
    assert spectrum.frequency_Hz[0] == 10000
    assert spectrum.impedance_ohm[0] == pytest.approx(0.013785863964281 + 0.007191946305823j)
    assert spectrum.impedance_ohm[-1] == pytest.approx(0.0345697771923854 - 0.00390292888845954j)


def test_versastudio(real_data):
    record = read(real_data("echem/eis_formats/exampleDataVersaStudio.par"))
    assert record.spectra()[0].impedance_ohm[0] == pytest.approx(55.31571 + 4.575431j)
    assert record.spectra()[0].frequency_Hz[0] == 100000
    assert (
        "Working Electrode Area (cm2)"
        in describe(real_data("echem/eis_formats/exampleDataVersaStudio.par"))["claims_never_used"]
    )


def test_parstat_holds_a_trace_and_a_spectrum(real_data):
    path = real_data("echem/eis_formats/exampleDataParstat.txt")
    trace, spectra = read_trace(path), read_spectra(path)
    assert len(trace.without_impedance()) == 781
    assert len(spectra) == 31
    assert spectra.spectra()[0].impedance_ohm[-1] == pytest.approx(0.0270946491457229 - 0.00399791080333837j)


def test_ch_instruments_and_powersuite(real_data):
    first = read(real_data("echem/eis_formats/exampleDataCHInstruments.txt")).spectra()[0]
    assert first.impedance_ohm[-1] == pytest.approx(5685 - 15860j)
    second = read(real_data("echem/eis_formats/exampleDataPowersuite.txt")).spectra()[0]
    assert second.impedance_ohm[-1] == pytest.approx(423929.46 - 49014.063j)


def test_temperature_series_of_a_solid_conductor(real_data):
    for degrees in range(140, 201, 10):
        record = read(real_data(f"echem/eis_temperature/s04147-{degrees}deg.txt"))
        assert record.temperature_K is None
        assert any(f"'{degrees}deg'" in note for note in record.notes)
        assert (record.data["imaginary_impedance_ohm"] < 0).all()


needs_mdbtools = pytest.mark.skipif(shutil.which("mdb-export") is None, reason="needs mdbtools (apt-get install mdbtools)")


@needs_mdbtools
def test_arbin_data_base_equals_its_export(real_data):
    base = read(real_data("echem/cyclers/arbin_example.res"))
    # what the export calls "Current / A" is a thousandth of its own copy of the data base's column
    text = read(real_data("echem/cyclers/arbin_example.bdf.csv"), ReadOptions(columns={"current_ampere": "Current [A]"}))
    assert len(base) == len(text) == 2150
    assert base.time_s == pytest.approx(text.time_s)
    # the export printed eight digits
    assert np.allclose(base.current_A, text.current_A, atol=1e-9)
    assert np.allclose(base.voltage_V, text.voltage_V, atol=1e-6)
    assert base.data["step_id"].to_list() == text.data["step_id"].to_list()


@needs_mdbtools
def test_arbin_data_base_agrees_with_its_own_charge(real_data):
    record = read(real_data("echem/cyclers/20160805_test001_45_cc_01.res"))
    assert record.metadata["Test_Name"].startswith("20160805")
    assert (
        describe(real_data("echem/cyclers/20160805_test001_45_cc_01.res"))["claims_never_used"]["MASS"] == "0.00085283798"
    )
    hours = np.diff(record.time_s) / 3600
    charge = (np.clip(record.current_A[1:], 0, None) * hours).sum()
    grown = np.clip(np.diff(record.data["charging_capacity_ah"].to_numpy()), 0, None).sum()
    assert grown == pytest.approx(charge, rel=0.03)


@needs_mdbtools
def test_arbin_data_base_in_a_wrapper_and_damaged(real_data, tmp_path):
    path = real_data("echem/cyclers/mits7-0.res.gz")
    assert len(read(path)) == 8
    whole = gzip.decompress(path.read_bytes())
    for end in (4096, 20000, len(whole) // 2):
        cut = tmp_path / "cut.res"
        cut.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"cut\.res: ") as caught:
            read(cut)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no channel '2' in column 'Test_ID'; found '1'"):
        read(path, ReadOptions(channel="2"))


@needs_mdbtools
def test_a_name_is_never_an_option(real_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-H --help.res").write_bytes(gzip.decompress(real_data("echem/cyclers/mits7-0.res.gz").read_bytes()))
    assert len(read("-H --help.res")) == 8


def test_without_mdbtools_the_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.res"
    path.write_bytes(b"\x00\x01\x00\x00Standard Jet DB" + bytes(100))
    with pytest.raises(MissingProgramError, match="mdb-export, which is not installed: apt-get install mdbtools") as caught:
        read(path)
    assert isinstance(caught.value, MissingExtraError)
    assert caught.value.exit_code == 3


def test_without_the_plug_in_the_line_names_the_extra(tmp_path, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    path = tmp_path / "a.mpr"
    path.write_bytes(b"BIO-LOGIC MODULAR FILE" + bytes(100))
    with pytest.raises(MissingExtraError, match=r"pip install 'sodiophile\[biologic\]'"):
        read(path)


@pytest.mark.parametrize(
    "name", ["symmetric_metal/li_llzo_li_symmetric_mb", "symmetric_metal/lsv", "eis_two_arc/yadg_peis"]
)
def test_biologic_binary_equals_its_text_export(real_data, name):
    pytest.importorskip("galvani")
    binary, text = (read(real_data(f"echem/{name}.{kind}")) for kind in ("mpr", "mpt"))
    assert type(binary) is type(text)
    assert len(binary) == len(text)
    if isinstance(binary, ImpedanceRecord):
        for one, other in zip(binary.spectra(), text.spectra(), strict=True):
            # the text has eight digits
            assert np.allclose(one.frequency_Hz, other.frequency_Hz, rtol=1e-7)
            assert np.allclose(one.impedance_ohm, other.impedance_ohm, rtol=1e-6)
        return
    assert np.allclose(binary.time_s, text.time_s, atol=1e-6)
    assert np.allclose(binary.voltage_V, text.voltage_V, rtol=1e-6, atol=1e-9)
    assert np.allclose(binary.current_A, text.current_A, rtol=1e-6, atol=1e-12)


def test_spectra_of_biologic_binary_in_polar_form_equal_the_text(real_data):
    pytest.importorskip("galvani")
    binary, text = (
        read_spectra(real_data(f"echem/symmetric_metal/li_llzo_li_symmetric_mb.{kind}")) for kind in ("mpr", "mpt")
    )
    assert binary.count == text.count == 8
    for one, other in zip(binary.spectra(), text.spectra(), strict=True):
        assert len(one.frequency_Hz) == 70
        assert np.allclose(one.impedance_ohm, other.impedance_ohm, rtol=2e-6)


def test_a_binary_trace_carries_its_impedance_as_the_text_does(real_data):
    pytest.importorskip("galvani")
    binary, text = (
        read_trace(real_data(f"echem/symmetric_metal/li_llzo_li_symmetric_mb.{kind}")) for kind in ("mpr", "mpt")
    )
    for column in ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm"):
        assert np.allclose(binary.data[column], text.data[column], rtol=2e-6)


def test_current_from_charge_is_the_set_current(real_data):
    galvani = pytest.importorskip("galvani")
    path = real_data("echem/na_half_cell/na_nacoo2_gcpl_C24.mpr")
    record = read(path)
    with path.open("rb") as stream:
        control_mA = galvani.BioLogic.MPRfile(stream).data["control/V/mA"].astype(float)
    flowing = (np.abs(record.current_A) > 1e-6) & (np.abs(control_mA) > 1e-3) & (np.abs(control_mA) < 1)
    assert flowing.sum() > 40_000
    assert np.median(np.abs(record.current_A[flowing] * 1e3 / control_mA[flowing] - 1)) < 1e-3
    assert any("holds no current" in note for note in record.notes)


def test_mean_current():
    time_s = np.array([0.0, 36.0, 36.0, 72.0])
    assert mean_current_mA(time_s, np.array([0.0, 0.01, 0.0, -0.02])) == pytest.approx([0, 1, 1, -2])


def test_four_spectra_of_an_ageing_cell(real_data):
    pytest.importorskip("galvani")
    record = read(real_data("echem/eis_two_arc/aurora_fullcell_PEIS_4spectra.mpr"))
    assert [len(spectrum.frequency_Hz) for spectrum in record.spectra()] == [61] * 4
    growing = [spectrum.impedance_ohm[-1].real for spectrum in record.spectra()]
    assert growing == sorted(growing)


def test_damaged_biologic_binary(real_data, tmp_path):
    pytest.importorskip("galvani")
    whole = real_data("echem/eis_two_arc/yadg_peis.mpr").read_bytes()
    for end in (30, 60, 2000, len(whole) // 2, len(whole) - 10):
        cut = tmp_path / "cut.mpr"
        cut.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"cut\.mpr: ") as caught:
            read(cut)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("vendor", "name", "headers"),
    [
        (GAMRY, "chronoa_data.dta", ["Pt [#]", "T [s]", "Vf [V vs. Ref.]", "Im [A]", "Vu [V]", "Sig [V]", "Ach [V]"]),
        (VERSASTUDIO, "exampleDataVersaStudio.par", None),
    ],
)
def test_marks_of_vendors_with_a_reader_of_their_own(real_data, vendor, name, headers):
    text = real_data(f"echem/eis_formats/{name}").read_text(errors="replace")
    if headers is None:
        headers = re.search(r"Definition=(.*)", text)[1].split(", ")
    else:
        assert "\tPt\tT\tVf\tIm\tVu\tSig\tAch" in text
    used = {(entry.column, entry.name) for entry in choose(headers, vendor, ReadOptions(), "x")}
    assert used == {(column, one.name) for column, names in vendor.columns.items() for one in names if one.tested}
