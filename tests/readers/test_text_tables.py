"""Any delimited text: delimiter, decimal sign, headers, units, times, channels and signs, sniffed or told."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, describe, detect, read

N = 40
TIME = np.arange(N) * 30.0
CURRENT = np.where(np.arange(N) < N // 2, -0.5, 0.5)
VOLTAGE = np.where(CURRENT < 0, -0.0361, 0.0352)


def table(headers, *, delimiter=",", decimal=".", above="", columns=None, units=None):
    def number(value):
        return str(value).replace(".", decimal) if isinstance(value, float | np.floating) else str(value)

    columns = columns or (TIME, CURRENT, VOLTAGE)
    lines = [delimiter.join(headers)]
    if units:
        lines.append(delimiter.join(units))
    lines += [delimiter.join(number(value) for value in row) for row in zip(*columns, strict=True)]
    return above + "\n".join(lines) + "\n"


@pytest.fixture
def write(tmp_path):
    def put(content, name="cell.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return put


def same(record, current_A=CURRENT * 1e-3):
    assert record.time_s == pytest.approx(TIME)
    assert record.current_A == pytest.approx(current_A)
    assert record.voltage_V == pytest.approx(VOLTAGE)


HEADERS = ["Time (s)", "Current (mA)", "Voltage (V)"]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_and_decimal_sign(write, delimiter, decimal):
    if delimiter == decimal:
        pytest.skip("cannot be told apart by anybody")
    same(read(write(table(HEADERS, delimiter=delimiter, decimal=decimal))))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(write, encoding):
    record = read(write(table(["Zeit [s]", "Strom [µA]", "Spannung [V]"]), encoding=encoding))
    same(record, CURRENT * 1e-6)


def test_chinese_export(write):
    record = read(write(table(["测试时间(s)", "电流(mA)", "电压(V)"]), encoding="gb18030"))
    same(record)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends(write, end):
    same(read(write(table(HEADERS).replace("\n", end).encode())))


@pytest.mark.parametrize(
    "above",
    ["", "Cell: bare 3\nOperator: ,someone\n\n", "# exported on 2024-01-02 03:04:05\nmass,1.0,g\n", "x\n" * 300],
)
def test_lines_above_the_table(write, above):
    record = read(write(table(HEADERS, above=above)))
    same(record)


def test_units_in_a_row_of_their_own(write):
    same(read(write(table(["Time", "Current", "Voltage"], units=["s", "mA", "V"]))))
    same(read(write(table(["Time", "Current", "Voltage"], units=["(s)", "(mA)", "(V)"], delimiter="\t"))))


def test_units_are_converted(write):
    columns = (TIME / 3600, CURRENT * 1e3, VOLTAGE * 1e3)
    same(read(write(table(["Time / h", "I/µA", "U/mV"], columns=columns))))


def test_a_column_map_in_every_spelling(write):
    path = write(table(["a", "b", "c"]))
    with pytest.raises(InputError, match=r"no column found for test_time_second.*headers found: 'a', 'b', 'c'.*--column"):
        read(path)
    given = {"test_time_second": "a [s]", "current_ampere": "b [mA]", "voltage_volt": "c"}
    record = read(path, ReadOptions(columns=given))
    same(record)
    assert record.provenance[0].options["columns"] == given
    path = write(table(["a", "I [mA]", "c"]))
    same(read(path, ReadOptions(columns={**given, "current_ampere": "I [mA]"})))
    path = write(table(["a", "I(A)", "c"]))
    same(read(path, ReadOptions(columns={**given, "current_ampere": "I(A) [mA]"})))


def test_a_column_map_that_fits_nothing(write):
    path = write(table(HEADERS))
    with pytest.raises(InputError, match=r"did you mean 'Current \(mA\)'"):
        read(path, ReadOptions(columns={"current_ampere": "Curent (mA)"}))
    with pytest.raises(InputError, match="'furlong' is not a unit of current_ampere"):
        read(path, ReadOptions(columns={"current_ampere": "Current (mA) [furlong]"}))


def test_a_guess_is_shown(write):
    path = write(table(HEADERS))
    record = read(path)
    assert "guessed" in record.notes[0]
    assert set(record.provenance[0].options["guessed"]) == {"test_time_second", "current_ampere", "voltage_volt"}
    assert {entry["how"] for entry in describe(path)["columns"]} == {"guessed"}


def test_a_table_without_headers_goes_by_place(write):
    path = write(table(HEADERS).split("\n", 1)[1])
    with pytest.raises(InputError, match="'column 1', 'column 2', 'column 3'"):
        read(path)
    columns = {"test_time_second": "column 1 [s]", "current_ampere": "column 2 [mA]", "voltage_volt": "column 3 [V]"}
    same(read(path, ReadOptions(columns=columns)))


def clocks(seconds):
    return [f"{int(s) // 3600:02d}:{int(s) % 3600 // 60:02d}:{int(s) % 60:02d}" for s in seconds]


@pytest.mark.parametrize(
    "written",
    [
        clocks(TIME + 90 * 3600),
        [f"3d {clock}" for clock in clocks(TIME)],
        [f"{clock}.5" for clock in clocks(TIME)],
        [f"2024-01-31 {clock}" for clock in clocks(TIME)],
        [f"2024-01-31T{clock}Z" for clock in clocks(TIME)],
        [f"01/31/2024 {clock}" for clock in clocks(TIME)],
        [f"31.01.2024 {clock}" for clock in clocks(TIME)],
        [45131.78 + s / 86400 for s in TIME],
    ],
    ids=lambda written: str(written[1]),
)
def test_times_as_people_write_them(write, written):
    record = read(write(table(["Time", "Current (mA)", "Voltage (V)"], columns=(written, CURRENT, VOLTAGE))))
    assert record.time_s - record.time_s[0] == pytest.approx(TIME, abs=1e-4)


def test_day_and_month_that_cannot_be_told_apart_are_refused(write):
    dates = [f"04/05/2024 {clock}" for clock in clocks(TIME)]
    path = write(table(["Date", "Current (mA)", "Voltage (V)"], columns=(dates, CURRENT, VOLTAGE)))
    same(read(path))  # as a time of the test both readings say the same
    both = write(table(["Time (s)", "Date", "Current (mA)", "Voltage (V)"], columns=(TIME, dates, CURRENT, VOLTAGE)))
    record = read(both)
    same(record)
    assert "unix_time_second" not in record.data.columns
    assert any("cannot be told apart" in note for note in record.notes)


def test_two_cells_in_one_file(write):
    cells = ["A1"] * (N // 2) + ["A2"] * (N // 2)
    path = write(table([*HEADERS, "Channel"], columns=(TIME, CURRENT, VOLTAGE, cells)))
    with pytest.raises(InputError, match="holds 2 cells in column 'Channel': 'A1', 'A2'"):
        read(path)
    record = read(path, ReadOptions(channel="A2"))
    assert len(record) == N // 2
    assert (record.current_A > 0).all()
    with pytest.raises(InputError, match=r"no channel 'B7'.*'A1', 'A2'"):
        read(path, ReadOptions(channel="B7"))


def test_channels_keep_their_zeros(write):
    cells = ["014"] * (N // 2) + ["015"] * (N // 2)
    path = write(table([*HEADERS, "Channel"], columns=(TIME, CURRENT, VOLTAGE, cells)))
    assert len(read(path, ReadOptions(channel="014"))) == N // 2


def test_two_currents_are_not_guessed_between(write):
    path = write(
        table(["Time (s)", "Current (mA)", "Current (A)", "Voltage (V)"], columns=(TIME, CURRENT, CURRENT, VOLTAGE))
    )
    with pytest.raises(InputError, match="could both be current_ampere"):
        read(path)


def test_unsigned_current_takes_its_sign_from_the_state(write):
    states = np.where(CURRENT < 0, "CC DChg", "CC Chg")
    path = write(table([*HEADERS, "State"], columns=(TIME, np.abs(CURRENT), VOLTAGE, states)))
    record = read(path)
    same(record)
    assert any("without sign" in note for note in record.notes)


def test_unsigned_current_without_a_state_but_with_a_capacity_is_refused(write):
    discharged = np.cumsum(np.where(CURRENT < 0, 1e-3, 0.0))
    path = write(table([*HEADERS, "Discharge Capacity (Ah)"], columns=(TIME, np.abs(CURRENT), VOLTAGE, discharged)))
    with pytest.raises(InputError, match="line 3: the current is never negative"):
        read(path)
    assert (read(path, ReadOptions(sign="as written")).current_A > 0).all()


def test_a_sign_against_the_states_is_refused_and_can_be_reversed(write):
    states = np.where(CURRENT < 0, "CC Chg", "CC DChg")
    path = write(table([*HEADERS, "State"], columns=(TIME, CURRENT, VOLTAGE, states)))
    with pytest.raises(InputError, match="--sign reversed"):
        read(path)
    assert read(path, ReadOptions(sign="reversed")).current_A == pytest.approx(-CURRENT * 1e-3)
    assert read(path, ReadOptions(sign="as written")).current_A == pytest.approx(CURRENT * 1e-3)


def test_current_per_mass_is_refused(write):
    with pytest.raises(InputError, match="per mass or area"):
        read(write(table(["Time (s)", "Current (mA/g)", "Voltage (V)"])))


def test_the_format_can_be_forced(write):
    path = write(table(HEADERS))
    assert detect(path).reader == "table"
    assert detect(path, ReadOptions(format="table")).why == "as asked for"
    with pytest.raises(InputError, match="did you mean 'neware'"):
        read(path, ReadOptions(format="newarre"))


def test_thousands(write):
    columns = ([f'"1,{int(s):03d}.5"' for s in TIME[:20]], CURRENT[:20], VOLTAGE[:20])
    record = read(write(table(HEADERS, columns=columns)))
    assert record.time_s == pytest.approx(TIME[:20] + 1000.5)


def test_names_are_just_text(write):
    record = read(write(table([*HEADERS, "<script>alert(1)</script>"], columns=(TIME, CURRENT, VOLTAGE, VOLTAGE))))
    same(record)
    with pytest.raises(InputError, match="<script>"):
        read(write(table(["<script>", "b", "c"])))


def test_a_point_among_decimal_commas_is_never_taken_for_one(write):
    """1.234 in a German table is 1234, and nobody can tell: such a row is refused wherever it stands."""
    lines = table(
        HEADERS, delimiter=";", decimal=",", columns=[np.repeat(column, 10) for column in (TIME, CURRENT, VOLTAGE)]
    )
    assert len(read(write(lines))) == 10 * N
    rows = lines.splitlines()
    rows[350] = f"{rows[350].split(';')[0]};1.234;0,1"
    with pytest.raises(InputError, match=r"line 351: .*'1\.234'"):
        read(write("\n".join(rows)))


def test_numbers_are_the_same_whichever_way_they_are_loaded(write):
    """Plain columns are parsed at once, others as text first: the values must not differ in the last bit."""
    rng = np.random.default_rng(5)
    columns = (np.arange(400) / 3, rng.normal(0, 1e-3, 400), rng.normal(0, 1, 400))
    fast = read(write(table(HEADERS, columns=columns)))
    slow = read(write(table(HEADERS, columns=columns).replace("\n0.0,", "\n 0.0 ,")))
    comma = read(write(table(HEADERS, columns=columns, delimiter=";", decimal=",")))
    for other in (slow, comma):
        assert np.array_equal(fast.time_s, other.time_s)
        assert np.array_equal(fast.current_A, other.current_A)
        assert np.array_equal(fast.voltage_V, other.voltage_V)


def test_a_guess_without_a_unit_is_refused(write):
    path = write(table(["time", "current", "voltage"]))
    with pytest.raises(
        InputError, match=r"no unit found for 'current' and 'voltage'; .*--column current_ampere=\"current \[mA\]\""
    ):
        read(path)
    units = {"current_ampere": "current [mA]", "voltage_volt": "voltage [V]"}
    with pytest.raises(InputError, match=r"no unit found for 'time'; .*--column test_time_second=\"time \[s\]\""):
        read(path, ReadOptions(columns=units))
    same(read(path, ReadOptions(columns={**units, "test_time_second": "time [s]"})))


def test_dates_beside_a_time_without_a_unit_tell_it(write):
    dates = [f"2024-01-31 {clock}" for clock in clocks(TIME)]
    record = read(write(table(["time", *HEADERS[1:], "Date"], columns=(TIME / 60, CURRENT, VOLTAGE, dates))))
    same(record)
    assert any("it is in min" in note for note in record.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(("delimiter", "decimal"), [(",", "."), ("\t", "."), (";", ",")])
def test_the_minus_sign_of_typography_is_read_and_noted(write, encoding, delimiter, decimal):
    rows = [
        ("Test Time / s", "Current / A", "Voltage / V"),
        ("0", "-0.5", "-2e-2"),
        ("1", "-0.5", "-.02"),
        ("2", "0.5", "1"),
    ]
    plain = "\n".join(delimiter.join(cell.replace(".", decimal) for cell in row) for row in rows)
    record = read(write(plain.replace("-", "\u2212"), encoding=encoding))
    same_plain = read(write(plain, "plain.csv"))
    assert record.data.equals(same_plain.data)
    assert record.voltage_V.tolist() == [-0.02, -0.02, 1.0]
    assert "5 minus signs of typography (U+2212) before numbers were read as '-'" in record.notes
    assert not any("minus" in note for note in same_plain.notes)
