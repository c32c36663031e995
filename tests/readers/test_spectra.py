"""Impedance tables of any column order, unit, form and sign of Im Z give back the spectrum that was written into them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, describe, read, read_spectra, read_trace, write
from sodiophile.readers.spectra import phase_follows_slope
from sodiophile.readers.spectrum_columns import bare, find_parts
from sodiophile.records import CyclingRecord, ImpedanceRecord

SETTINGS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
FREQUENCY_HZ = np.logspace(5, -1, 31)


def two_arcs(frequency_Hz: np.ndarray = FREQUENCY_HZ, scale: float = 1.0) -> np.ndarray:
    """Series resistance, two arcs with constant phase elements, and a diffusion tail."""
    w = 2j * np.pi * frequency_Hz
    arcs = 20 / (1 + 20 * 1e-5 * w**0.9) + 60 / (1 + 60 * 2e-4 * w**0.85)
    return scale * (8 + arcs + 5 / np.sqrt(w))


def put(tmp_path, lines, name="cell.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def table(headers, columns, delimiter=",", decimal="."):
    rows = [delimiter.join(f"{value:.9e}".replace(".", decimal) for value in row) for row in zip(*columns, strict=True)]
    return [delimiter.join(headers), *rows]


def plain(frequency=FREQUENCY_HZ, Z=None, headers=("freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm"), sign=-1):
    Z = two_arcs(frequency) if Z is None else Z
    return table(headers, (frequency, Z.real, sign * Z.imag))


def only_spectrum(record: ImpedanceRecord):
    assert isinstance(record, ImpedanceRecord)
    (spectrum,) = record.spectra()
    return spectrum


IMAGINARY = {
    1: ("Z''/ohm", "Im(Z) (Ohm)", "Zim [ohm]", 'Z"/ohm', "Zimag (Ω)", "Z Imag (ohms)", "Im Z / Ohm", "Z″ (Ω)"),
    -1: ("-Z''/ohm", "-Im(Z)/Ohm", "-Zim [ohm]", '-Z"/ohm', "−Z'' (Ω)", "-Im Z / Ohm", "minus Im(Z) [ohm]", "-Zimag (Ω)"),
}
REAL = ("Z'/ohm", "Re(Z)/Ohm", "Zre [ohm]", "Zreal (Ω)", "Z Real (ohms)", "Re Z / Ohm", "Z′ (Ω)")
FREQUENCY = ("freq/Hz", "Frequency (Hz)", "f [Hz]", "Freq. [Hz]", "Frequency / Hz")


@SETTINGS
@given(
    sign=st.sampled_from([1, -1]),
    data=st.data(),
    order=st.permutations(range(4)),
    delimiter=st.sampled_from([",", ";", "\t"]),
    rising=st.booleans(),
)
def test_any_header_order_and_sign(tmp_path, sign, data, order, delimiter, rising):
    decimal = data.draw(st.sampled_from([".", ","])) if delimiter != "," else "."
    Z = two_arcs()
    columns = [FREQUENCY_HZ, Z.real, sign * Z.imag, np.arange(31.0)]
    headers = [data.draw(st.sampled_from(names)) for names in (FREQUENCY, REAL, IMAGINARY[sign])] + ["Range"]
    turned = slice(None, None, -1) if rising else slice(None)
    lines = table([headers[place] for place in order], [columns[place][turned] for place in order], delimiter, decimal)
    spectrum = only_spectrum(read(put(tmp_path, lines)))
    assert np.allclose(spectrum.frequency_Hz, FREQUENCY_HZ, rtol=1e-8)
    assert np.allclose(spectrum.impedance_ohm, Z, rtol=1e-8)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("mOhm", 1e3), ("mΩ", 1e3), ("kOhm", 1e-3), ("kΩ", 1e-3), ("MOhm", 1e-6), ("Ω", 1.0), ("ohms", 1.0)],
)
def test_units_of_impedance(tmp_path, unit, factor):
    Z = two_arcs()
    lines = table(["f/Hz", f"Z'/{unit}", f"Z''/{unit}"], (FREQUENCY_HZ, Z.real * factor, Z.imag * factor))
    assert np.allclose(only_spectrum(read(put(tmp_path, lines))).impedance_ohm, Z, rtol=1e-8)


@pytest.mark.parametrize(("unit", "factor"), [("kHz", 1e-3), ("mHz", 1e3), ("MHz", 1e-6)])
def test_units_of_frequency(tmp_path, unit, factor):
    Z = two_arcs()
    lines = table([f"f/{unit}", "Z'/ohm", "Z''/ohm"], (FREQUENCY_HZ * factor, Z.real, Z.imag))
    assert np.allclose(only_spectrum(read(put(tmp_path, lines))).frequency_Hz, FREQUENCY_HZ, rtol=1e-8)


@pytest.mark.parametrize("unit", ["MOHM", "MHZ"])
def test_milli_and_mega_in_capitals_are_not_guessed(tmp_path, unit):
    headers = ["f/Hz", f"Z'/{unit}", f"Z''/{unit}"] if unit == "MOHM" else [f"f/{unit}", "Z'/ohm", "Z''/ohm"]
    Z = two_arcs()
    with pytest.raises(InputError, match="no column found"):
        read(put(tmp_path, table(headers, (FREQUENCY_HZ, Z.real, Z.imag))))


def test_impedance_per_area_is_refused(tmp_path):
    Z = two_arcs()
    alone = table(["f/Hz", "Z'(Ohm.cm^2)", "-Z''(Ohm.cm^2)"], (FREQUENCY_HZ, Z.real, -Z.imag))
    with pytest.raises(InputError, match="times area"):
        read(put(tmp_path, alone))
    lines = table(
        ["f/Hz", "Z' (ohm cm2)", "Z'' (ohm cm2)", "Re(Z)/Ohm", "Im(Z)/Ohm"], (FREQUENCY_HZ, *[Z.real] * 2, Z.real, Z.imag)
    )
    with pytest.raises(InputError, match=r"times area.*divide it by the area"):
        read(put(tmp_path, lines))


@pytest.mark.parametrize(("unit", "factor"), [("deg", 1.0), ("°", 1.0), ("rad", np.pi / 180)])
@pytest.mark.parametrize("sign", [1, -1])
def test_polar_form(tmp_path, unit, factor, sign):
    Z = two_arcs()
    name = "Phase" if sign > 0 else "-Phase"
    phase = sign * np.angle(Z, deg=True) * factor
    lines = table(["Frequency (Hz)", "|Z| (kOhm)", f"{name} ({unit})"], (FREQUENCY_HZ, np.abs(Z) / 1e3, phase))
    assert np.allclose(only_spectrum(read(put(tmp_path, lines))).impedance_ohm, Z, rtol=1e-7)


@pytest.mark.parametrize(("word", "factor"), [("degrees", 1.0), ("radians", np.pi / 180)])
def test_polar_form_without_a_unit_says_what_was_taken(tmp_path, word, factor):
    Z = two_arcs()
    columns = (FREQUENCY_HZ, np.abs(Z), np.angle(Z, deg=True) * factor)
    record = read(put(tmp_path, table(["Frequency", "Zmod", "Phase"], columns)))
    assert np.allclose(only_spectrum(record).impedance_ohm, Z, rtol=1e-7)
    assert any(f"'Phase' has no unit; taken as {word}" in note for note in record.notes)
    assert any("'Zmod' has no unit; taken as ohm" in note for note in record.notes)


def test_a_phase_without_unit_nor_evidence_is_refused(tmp_path):
    lines = table(["Frequency", "Zmod", "Phase"], (FREQUENCY_HZ, np.full(31, 10.0), np.full(31, 0.01)))
    with pytest.raises(InputError, match="the data do not tell degrees from radians"):
        read(put(tmp_path, lines))


def test_a_sheet_of_a_workbook(tmp_path):
    pytest.importorskip("fastexcel")
    openpyxl = pytest.importorskip("openpyxl")
    Z = two_arcs()
    book = openpyxl.Workbook()
    for sheet, scale in ((book.active, 1), (book.create_sheet("second"), 2)):
        sheet.append(["Frequency (Hz)", "Z' (ohm)", "-Z'' (ohm)"])
        for f, z in zip(FREQUENCY_HZ, Z, strict=True):
            sheet.append([f, scale * z.real, -scale * z.imag])
    path = tmp_path / "cell.xlsx"
    book.save(path)
    with pytest.raises(InputError, match="several sheets hold a test: 'Sheet', 'second'"):
        read(path)
    assert np.allclose(only_spectrum(read(path, ReadOptions(sheet="second"))).impedance_ohm, 2 * Z)


def test_a_header_against_which_the_data_speak_is_refused(tmp_path):
    path = put(tmp_path, plain(headers=("freq/Hz", "Z'/ohm", "Z''/ohm")))
    with pytest.raises(
        InputError, match=r"'Z''/ohm' says Im Z, but|\"Z''/ohm\" says Im Z, but the data say -Im Z.*--imaginary '-Im Z'"
    ):
        read(path)
    turned = only_spectrum(read(path, ReadOptions(imaginary="-Im Z")))
    assert np.allclose(turned.impedance_ohm, two_arcs(), rtol=1e-8)
    kept = read(path, ReadOptions(imaginary="Im Z"))
    assert np.allclose(only_spectrum(kept).impedance_ohm, two_arcs().conj(), rtol=1e-8)
    assert "as told" in kept.provenance[0].options["imaginary_part"]
    assert kept.provenance[0].options["imaginary"] == "Im Z"


@SETTINGS
@given(
    R0=st.floats(0.01, 1e3),
    R1=st.floats(1, 1e5),
    tau=st.floats(1e-4, 1),
    alpha=st.floats(0.6, 1.0),
    L=st.sampled_from([0.0, 1e-6]),
)
def test_phase_goes_with_slope_whatever_the_arc(R0, R1, tau, alpha, L):
    w = 2j * np.pi * FREQUENCY_HZ
    Z = R0 + R1 / (1 + (w * tau) ** alpha) + L * w
    ones = np.ones(len(Z))
    follows = phase_follows_slope(FREQUENCY_HZ, Z, ones)
    reversed_follows = phase_follows_slope(FREQUENCY_HZ, Z.conj(), ones)
    assert follows is None or follows > 0.6
    assert reversed_follows == (None if follows is None else pytest.approx(-follows))


def test_pure_resistance_says_nothing_of_the_sign():
    Z = np.full(31, 10 + 0j)
    assert phase_follows_slope(FREQUENCY_HZ, Z, np.ones(31)) is None
    assert phase_follows_slope(FREQUENCY_HZ[:3], two_arcs()[:3], np.ones(3)) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_without_headers_the_sign_is_found_and_said(tmp_path, sign):
    record = read(put(tmp_path, plain(sign=sign)[1:], "cell.txt"))
    assert np.allclose(only_spectrum(record).impedance_ohm, two_arcs(), rtol=1e-8)
    word = "Im Z" if sign > 0 else "-Im Z"
    assert any(f"'column 3' holds {word}: no header" in note for note in record.notes)
    assert any("no headers" in note for note in record.notes)


def test_without_headers_nor_evidence_it_is_refused(tmp_path):
    rng = np.random.default_rng(1)
    Z = 10 + 1e-3 * (rng.normal(size=31) + 1j * rng.normal(size=31))
    path = put(tmp_path, plain(Z=Z)[1:], "cell.txt")
    with pytest.raises(InputError, match=r"no header says whether 'column 3' holds Im Z or -Im Z"):
        read(path)
    assert np.allclose(only_spectrum(read(path, ReadOptions(imaginary="-Im Z"))).impedance_ohm, Z, rtol=1e-8)


def test_a_trace_without_headers_is_no_spectrum(tmp_path):
    time = np.arange(1, 40) * 30.0
    lines = table(["x"] * 3, (time, np.full(39, 1e-3), 3 + time / 1e4))[1:]
    with pytest.raises(InputError, match="no column found for test_time_second"):
        read(put(tmp_path, lines))


def test_named_columns(tmp_path):
    path = put(tmp_path, plain(headers=("a", "b", "c")))
    with pytest.raises(InputError, match="no column found"):
        read(path)
    columns = {"frequency_hertz": "a [Hz]", "real_impedance_ohm": "b [ohm]", "imaginary_impedance_ohm": "c [ohm]"}
    found = read(path, ReadOptions(columns=columns, imaginary="-Im Z"))
    assert np.allclose(only_spectrum(found).impedance_ohm, two_arcs(), rtol=1e-8)
    with pytest.raises(InputError, match=r"no column 'd' for frequency_hertz.*headers found: 'a', 'b', 'c'"):
        read(path, ReadOptions(columns={**columns, "frequency_hertz": "d"}))
    with pytest.raises(InputError, match="'V' is not a unit of real_impedance_ohm"):
        read(path, ReadOptions(columns={**columns, "real_impedance_ohm": "b [V]"}))


def test_two_columns_that_could_both_be_the_real_part(tmp_path):
    Z = two_arcs()
    lines = table(["f/Hz", "Zre/ohm", "Z'/ohm", "Z''/ohm"], (FREQUENCY_HZ, Z.real, Z.real, Z.imag))
    path = put(tmp_path, lines)
    with pytest.raises(InputError, match=r"could both be real_impedance_ohm; say which"):
        read(path)
    found = read(path, ReadOptions(columns={"real_impedance_ohm": "Zre/ohm"}))
    assert np.allclose(only_spectrum(found).impedance_ohm, Z, rtol=1e-8)


@pytest.mark.parametrize("rising", [True, False])
def test_a_series_in_one_table(tmp_path, rising):
    lines = plain()
    order = slice(None, None, -1) if rising else slice(None)
    for scale in (2.0, 3.0):
        lines += table(["", "", ""], (FREQUENCY_HZ, two_arcs(scale=scale).real, -two_arcs(scale=scale).imag))[1:]
    if rising:
        body = lines[1:]
        lines = [lines[0], *[line for part in range(3) for line in body[31 * part : 31 * part + 31][order]]]
    record = read(put(tmp_path, lines))
    assert record.count == 3
    for spectrum, scale in zip(record.spectra(), (1, 2, 3), strict=True):
        assert np.allclose(spectrum.impedance_ohm, two_arcs(scale=scale), rtol=1e-8)


def test_a_counted_series_of_short_sweeps(tmp_path):
    frequency = np.array([100.0, 50.0, 20.0] * 4)
    Z = two_arcs(frequency)
    numbers = np.repeat([1.0, 2.0, 3.0, 4.0], 3)
    lines = table(["freq/Hz", "Re(Z)/Ohm", "Im(Z)/Ohm", "cycle number"], (frequency, Z.real, Z.imag, numbers))
    assert read(put(tmp_path, lines)).count == 4


def test_points_in_no_order_are_one_spectrum(tmp_path):
    order = np.random.default_rng(0).permutation(31)
    lines = plain()
    record = read(put(tmp_path, [lines[0], *[lines[1 + place] for place in order]]))
    assert np.allclose(only_spectrum(record).impedance_ohm, two_arcs(), rtol=1e-8)
    assert any("in no order" in note for note in record.notes)


def test_repeated_frequencies_are_kept_and_noted(tmp_path):
    lines = plain()
    record = read(put(tmp_path, [*lines[:10], lines[9], *lines[10:]]))
    assert len(record) == 32
    assert record.count == 1
    assert any("share their frequency" in note for note in record.notes)


def test_three_points(tmp_path):
    path = put(tmp_path, plain(np.array([1e4, 1e2, 1.0])))
    assert len(only_spectrum(read(path)).frequency_Hz) == 3
    assert any("only 3 different frequencies" in sentence for sentence in describe(path)["odd"])


@pytest.mark.parametrize("bad", ["NaN", "", "inf", "oops"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_rows_without_numbers(tmp_path, bad, place):
    lines = plain()
    fields = lines[7].split(",")
    fields[place] = bad
    lines[7] = ",".join(fields)
    path = put(tmp_path, lines)
    with pytest.raises(InputError, match=r"line 8: .*expected a (positive )?number.*--bad-rows drop"):
        read(path)
    record = read(path, ReadOptions(bad_rows="drop"))
    assert len(record) == 30
    assert any("1 rows without" in note and "line 8" in note for note in record.notes)


def test_negative_frequency(tmp_path):
    lines = plain()
    lines[4] = f"-{lines[4]}"
    with pytest.raises(InputError, match=r"line 5: 'freq/Hz' holds '-.*expected a positive number"):
        read(put(tmp_path, lines))


def test_negative_real_part_is_read_and_said(tmp_path):
    path = put(tmp_path, plain(Z=two_arcs() - 50))
    told = describe(path)
    assert any("Re Z is not positive" in sentence for sentence in told["odd"])


def both(tmp_path):
    """A trace with a spectrum within: thirty rows of current, the sweep, thirty rows of current."""
    rows = [f"{30 * n},1e-3,{0.02 + n / 1e5},0,0,0" for n in range(30)]
    Z = two_arcs()
    rows += [
        f"{900 + n},0,0.0,{f:.9e},{z.real:.9e},{-z.imag:.9e}" for n, (f, z) in enumerate(zip(FREQUENCY_HZ, Z, strict=True))
    ]
    rows += [f"{1000 + 30 * n},-1e-3,-0.02,0,0,0" for n in range(30)]
    return put(tmp_path, ["Time (s),Current (A),Voltage (V),freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm", *rows])


def test_a_file_with_a_trace_and_spectra(tmp_path):
    path = both(tmp_path)
    trace = read(path)
    assert isinstance(trace, CyclingRecord)
    assert any("31 of 91 rows are points of impedance spectra" in note for note in trace.notes)
    assert len(read_trace(path).without_impedance()) == 60
    spectra = read_spectra(path)
    assert np.allclose(only_spectrum(spectra).impedance_ohm, two_arcs(), rtol=1e-8)
    assert only_spectrum(spectra).time_s == 900
    told = describe(path)
    assert told["holds"] == "a cycling trace and impedance spectra"
    assert told["impedance_spectra"]["spectra"] == 1
    assert told["impedance_rows"] == 31


def test_what_is_not_there_cannot_be_asked_for(tmp_path):
    spectrum = put(tmp_path, plain())
    with pytest.raises(InputError, match="no column found for test_time_second"):
        read_trace(spectrum)
    trace = put(tmp_path, ["Time (s),Current (A),Voltage (V)", *[f"{n},1e-3,0.1" for n in range(20)]], "trace.csv")
    with pytest.raises(InputError, match="no impedance spectrum: a frequency not found; headers found: 'Time"):
        read_spectra(trace)
    never = put(tmp_path, [*both(tmp_path).read_text().splitlines()[:20]], "never.csv")
    assert isinstance(read(never), CyclingRecord)
    with pytest.raises(InputError, match="no frequency above 0"):
        read_spectra(never)


@pytest.mark.parametrize(("header", "value", "kelvin"), [("Temperature/°C", 60.0, 333.15), ("T [K]", 310.0, 310.0)])
def test_temperature_of_a_column_with_its_unit(tmp_path, header, value, kelvin):
    Z = two_arcs()
    lines = table(["f/Hz", "Z'/ohm", "Z''/ohm", header], (FREQUENCY_HZ, Z.real, Z.imag, np.full(31, value)))
    assert read(put(tmp_path, lines)).temperature_K == pytest.approx((kelvin,))


@pytest.mark.parametrize("header", ["Temperature", "T", "Temp"])
def test_temperature_without_a_unit_is_never_taken(tmp_path, header):
    Z = two_arcs()
    lines = table(["f/Hz", "Z'/ohm", "Z''/ohm", header], (FREQUENCY_HZ, Z.real, Z.imag, np.full(31, 60.0)))
    record = read(put(tmp_path, lines))
    assert record.temperature_K is None
    assert header == "T" or any(f"{header!r} has no unit, degC or K" in note for note in record.notes)


@pytest.mark.parametrize(
    ("header", "value", "said"), [("T [K]", 25.0, "is it in degC"), ("T/°C", 298.0, "is it in K"), ("T/°C", 25.0, None)]
)
def test_a_temperature_that_no_cell_has_is_doubted(tmp_path, header, value, said):
    Z = two_arcs()
    lines = table(["f/Hz", "Z'/ohm", "Z''/ohm", header], (FREQUENCY_HZ, Z.real, Z.imag, np.full(31, value)))
    doubts = [note for note in read(put(tmp_path, lines)).notes if "is it in" in note]
    assert [said in note for note in doubts] == ([True] if said else [])


@pytest.mark.parametrize(
    ("line", "kelvin"),
    [
        ("Temperature (C): 25", 298.15),
        ("Temperature: 25 °C", 298.15),
        ("Cell temperature [K]: 300", 300),
        ("Temperature: 25", None),
    ],
)
def test_temperature_of_a_line_above_the_table(tmp_path, line, kelvin):
    record = read(put(tmp_path, [line, "", *plain()]))
    assert record.temperature_K == (None if kelvin is None else pytest.approx((kelvin,)))


@pytest.mark.parametrize(("name", "said"), [("cell-60degC.csv", "60degC"), ("c_-25C.csv", "-25C"), ("n_300K.csv", "300K")])
def test_temperature_of_a_name_is_a_note(tmp_path, name, said):
    record = read(put(tmp_path, plain(), name))
    assert record.temperature_K is None
    assert any(f"name says '{said}': no temperature is taken" in note for note in record.notes)


@pytest.mark.parametrize("name", ["cell_C12_a.csv", "x_C-24_data.csv", "2C9.csv"])
def test_names_without_a_temperature(tmp_path, name):
    assert read(put(tmp_path, plain(), name)).notes == ()


def test_no_sensor(tmp_path):
    Z = two_arcs()
    lines = table(["f/Hz", "Z'/ohm", "Z''/ohm", "Temp (deg C)"], (FREQUENCY_HZ, Z.real, Z.imag, np.full(31, -327.67)))
    record = read(put(tmp_path, lines))
    assert record.temperature_K is None
    assert any("no sensor" in note for note in record.notes)


@pytest.mark.parametrize("name", ["out.bdf.csv", "out.parquet"])
def test_what_is_written_comes_back(tmp_path, name):
    Z = two_arcs()
    lines = table(["f/Hz", "Z'/ohm", "Z''/ohm", "T/K"], (FREQUENCY_HZ, Z.real, Z.imag, np.full(31, 300.0)))
    more = table(["", "", "", ""], (FREQUENCY_HZ, Z.real, Z.imag, np.full(31, 310.0)))[1:]
    record = read(put(tmp_path, ["operator: x", "", *lines, *more]))
    back = read(write(record, tmp_path / name))
    assert isinstance(back, ImpedanceRecord)
    assert back.data.select(record.data.columns).equals(record.data)
    assert back.temperature_K == record.temperature_K == pytest.approx((300, 310))
    assert dict(back.metadata) == dict(record.metadata)
    assert back.notes == record.notes


def test_a_written_spectrum_against_the_rule_keeps_its_sign(tmp_path):
    record = read(put(tmp_path, plain(headers=("freq/Hz", "Z'/ohm", "Z''/ohm"))), ReadOptions(imaginary="Im Z"))
    back = read(write(record, tmp_path / "out.bdf.csv"))
    assert np.allclose(only_spectrum(back).impedance_ohm, two_arcs().conj(), rtol=1e-8)


def test_another_modulus_than_its_parts_is_said(tmp_path):
    Z = two_arcs()
    lines = table(["f/Hz", "Z'/ohm", "Z''/ohm", "|Z|/ohm"], (FREQUENCY_HZ, Z.real, Z.imag, np.abs(Z) * 1.5))
    assert any("'|Z|/ohm' differs from real and imaginary part by 33%" in note for note in read(put(tmp_path, lines)).notes)


def test_describe_says_what_the_spectra_are(tmp_path):
    told = describe(put(tmp_path, plain()))
    assert told["holds"] == "impedance spectra"
    assert (told["spectra"], told["points"]) == (1, 31)
    assert told["frequency_Hz"] == pytest.approx({"min": 0.1, "max": 1e5})
    assert told["modulus_ohm"]["min"] == pytest.approx(np.abs(two_arcs()).min())
    assert told["imaginary_part"] == "'-Im(Z)/Ohm' holds -Im Z, by its header"
    assert told["odd"][1:] == [] or told["odd"] == []


@pytest.mark.parametrize(
    ("header", "name"),
    [("-Im(Z)", ("imz", -1)), ("Z''(b)", ("z''", 1)), ('−Z"', ("z''", -1)), ("|Z|", ("|z|", 1)), ("Z Real", ("zreal", 1))],
)
def test_bare_names(header, name):
    assert bare(header) == name


def test_cycling_headers_are_no_spectrum():
    for headers in (
        ["Time (s)", "Current (A)", "Voltage (V)"],
        ["Test_Time", "Current", "Voltage", "AC_Impedance", "ACI_Phase_Angle"],
        ["T [s]", "Vf [V]", "Im [A]"],
    ):
        assert find_parts(headers, ReadOptions(), "x") is None


def test_the_experiment_takes_the_spectra_by_itself(tmp_path):
    import sodiophile

    path = both(tmp_path)
    result = sodiophile.analyze("impedance", path, area="1 cm^2", electrodes=1)
    assert "interfacial_resistance" in result.quantities
    with pytest.raises(InputError, match=r"no column found|there is no trace"):
        sodiophile.analyze("symmetric-cycling", put(tmp_path, plain()), area="1 cm^2")
