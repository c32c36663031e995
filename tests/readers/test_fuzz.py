"""Whatever the bytes are: a record, or one line. Nothing else, under any extension."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sodiophile.errors import SodiophileError
from sodiophile.readers import ReadOptions, describe, read, read_spectra, write
from sodiophile.records import CyclingRecord

EXTENSIONS = (
    ".csv",
    ".txt",
    ".mpt",
    ".ndax",
    ".nda",
    ".xlsx",
    ".xls",
    ".parquet",
    ".zip",
    ".csv.gz",
    ".bdf.csv",
    ".res",
    ".res.gz",
    ".dta",
    ".z",
    ".par",
    ".mpr",
    "",
)
REAL = (
    "neware/21_10_7_85.ndax",
    "neware/scrubbed_ndc2.ndax",
    "neware/nda_v8.nda.zip",
    "cyclers/Sample_data_biologic_no_header.mpt",
    "cyclers/sample_data_maccor.csv",
    "cyclers/sample_data_arbin.csv",
    "cyclers/Experiment_Record.xlsx",
    "eis_two_arc/yadg_peis.mpt",
    "eis_formats/chronoa_data.dta",
    "eis_formats/eispot_data.dta",
    "eis_formats/exampleDataGamryABORT.DTA",
    "eis_formats/exampleDataZPlot.z",
    "eis_formats/exampleDataZPlot_noComments.z",
    "eis_formats/exampleDataAutolab.txt",
    "eis_formats/exampleDataCHInstruments.txt",
    "eis_formats/exampleDataPowersuite.txt",
    "eis_formats/exampleDataVersaStudio.par",
    "eis_formats/exampleDataParstat.txt",
    "eis_formats/exampleData.csv",
    "eis_temperature/s04147-140deg.txt",
    "eis_two_arc/yadg_peis.mpr",
    "cyclers/GCPL-0.mpr",
    "cyclers/mits7-0.res.gz",
    "neware/nda_v8.parquet",
)
SETTINGS = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def survives(path, options=None):
    for look in (read, read_spectra, describe):
        said = ""
        try:
            look(path, options)
        except SodiophileError as error:
            said = str(error)
        assert "\n" not in said
        assert len(said) < 4000
        assert not said or path.name in said


def own_files(folder):
    time = np.arange(40) * 30.0
    current = np.where(time < 600, -5e-4, 5e-4)
    data = pl.DataFrame({"test_time_second": time, "current_ampere": current, "voltage_volt": current * 70})
    record = CyclingRecord(data, (), {"a": "b"}, ("c",), simulated=True)
    csv = write(record, folder / "own.bdf.csv").read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("own.bdf.csv", csv)
    semicolons = csv.replace(b",", b";").replace(b".", b",")
    return [csv, semicolons, write(record, folder / "own.parquet").read_bytes(), stream.getvalue()]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory, real_data):
    found = own_files(tmp_path_factory.mktemp("own"))
    for name in REAL:
        try:
            found.append(real_data(f"echem/{name}").read_bytes())
        except pytest.skip.Exception:
            continue
    return found


@SETTINGS
@given(content=st.binary(max_size=3000), extension=st.sampled_from(EXTENSIONS))
def test_random_bytes(tmp_path, content, extension):
    path = tmp_path / f"fuzz{extension}"
    path.write_bytes(content)
    survives(path)


@SETTINGS
@given(content=st.text(st.sampled_from("0123456789.,;:-+eE\t\n\r \"'/[]()AVstimehcur<>µ"), max_size=600))
def test_random_tables(tmp_path, content):
    path = tmp_path / "fuzz.csv"
    path.write_text("Time (s),I/mA,U/V\n" + content, encoding="utf-8", newline="")
    survives(path)


@SETTINGS
@given(
    header=st.sampled_from(["freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm", "f [kHz];|Z| (mOhm);Phase (rad)", "Frequency,Z',Z'',T/K", ""]),
    content=st.text(st.sampled_from('0123456789.,;-+eE\t\n "naif'), max_size=600),
    options=st.sampled_from(
        [ReadOptions(), ReadOptions(bad_rows="drop", imaginary="Im Z"), ReadOptions(bad_rows="drop", decimal=",")]
    ),
)
def test_random_spectra(tmp_path, header, content, options):
    path = tmp_path / "fuzz.txt"
    path.write_text(f"{header}\n{content}", encoding="utf-8", newline="")
    survives(path, options)


@SETTINGS
@given(
    points=st.lists(
        st.tuples(*[st.floats(width=32) | st.sampled_from([0.0, 1e-300, 1e300, float("nan")])] * 3), min_size=1, max_size=40
    ),
    decades=st.booleans(),
)
def test_any_numbers_in_a_spectrum(tmp_path, points, decades):
    path = tmp_path / "fuzz.csv"
    rows = [
        f"{10.0**-place if decades else f!r},{real!r},{imaginary!r}" for place, (f, real, imaginary) in enumerate(points)
    ]
    path.write_text("\n".join(["freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm", *rows]))
    survives(path, ReadOptions(bad_rows="drop"))


@SETTINGS
@given(data=st.data())
def test_cut_files(tmp_path, seeds, data):
    content = data.draw(st.sampled_from(seeds))
    end = data.draw(st.integers(0, len(content)))
    path = tmp_path / f"fuzz{data.draw(st.sampled_from(EXTENSIONS))}"
    path.write_bytes(content[:end])
    survives(path)


@SETTINGS
@given(data=st.data())
def test_changed_files(tmp_path, seeds, data):
    content = bytearray(data.draw(st.sampled_from(seeds)))
    places = data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=30))
    for place, value in places:
        content[place] = value
    path = tmp_path / f"fuzz{data.draw(st.sampled_from(EXTENSIONS))}"
    path.write_bytes(bytes(content))
    survives(path)


@SETTINGS
@given(
    header=st.lists(st.text(max_size=12), min_size=1, max_size=6),
    columns=st.dictionaries(
        st.sampled_from(["test_time_second", "current_ampere", "voltage_volt", "channel", "step_type"]),
        st.text(min_size=1, max_size=8),
    ),
    decimal=st.sampled_from([None, ".", ","]),
    delimiter=st.sampled_from([None, ",", ";", "tab", "blank"]),
)
def test_any_headers_and_options(tmp_path, header, columns, decimal, delimiter):
    columns = {name: text for name, text in columns.items() if text.strip()}
    path = tmp_path / "fuzz.csv"
    rows = "\n".join(",".join(str(row + place) for place in range(len(header))) for row in range(5))
    path.write_text(",".join(header) + "\n" + rows, encoding="utf-8", errors="surrogatepass")
    survives(path, ReadOptions(columns=columns, decimal=decimal, delimiter=delimiter, bad_rows="drop"))
