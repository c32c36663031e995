"""EC-Lab text made here, in the variants that the program writes."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, describe, read

ABOUT = [
    "EC-Lab ASCII FILE",
    "Nb header lines : {count}                         ",
    "",
    "Modulo Bat",
    "",
    "Run on channel : 5 (SN 1)",
    "Acquisition started on : 08/23/2021 11:44:40.646",
    "Electrode surface area : 0{sign}500 cm²",
    "Cycle Definition : Charge/Discharge alternance",
    "",
]
HEADERS = ["mode", "Ns", "time/s", "Ewe/V", "I/mA", "freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", "Temperature/°C", "cycle number"]


def rows(time=lambda s: f"{s:.6E}"):
    """Rest, plating, an impedance measurement, stripping; the numbers of the sequences repeat in a second loop."""
    out = []
    second = 100.0
    for loop in (0, 1):
        for sequence, current, frequencies in (
            (0, 0.0, [0]),
            (1, -2.8e-3, [0]),
            (2, 0.0, [1e5, 1e3, 10]),
            (3, 2.8e-3, [0]),
        ):
            for frequency in frequencies * (1 if len(frequencies) > 1 else 4):
                second += 30
                real, minus = (100.0, 20.0) if frequency else (0.0, 0.0)
                out.append(
                    ["3", str(sequence), time(second), f"{np.sign(current) * 3.8e-3:.6E}", f"{current:.6E}"]
                    + [f"{value:.6E}" for value in (frequency, real, minus, 25.0, loop)]
                )
    return out


def mpt(path, body, *, decimal=".", encoding="latin-1", end="\r\n", header=True):
    lines = [*(line.format(count=len(ABOUT) + 1, sign=decimal) for line in ABOUT if header)]
    lines.append("\t".join(HEADERS) + "\t")
    lines += ["\t".join(row).replace(".", decimal) for row in body]
    path.write_bytes(end.join(lines).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("header", [True, False])
def test_variants(tmp_path, encoding, decimal, header):
    record = read(mpt(tmp_path / "cell.mpt", rows(), decimal=decimal, encoding=encoding, header=header))
    assert record.provenance[0].reader == "eclab"
    assert len(record) == 30
    assert record.time_s[0] == 130
    assert record.current_A[4] == pytest.approx(-2.8e-6)
    assert record.voltage_V[4] == pytest.approx(-3.8e-3)
    assert record.data["surface_temperature_celsius"][0] == 25
    assert record.data["cycle_count"].to_list() == [0] * 15 + [1] * 15
    if header:
        assert record.metadata["technique"] == "Modulo Bat"
        assert record.metadata["Electrode surface area"] == f"0{decimal}500 cm²"


def test_impedance_rows_can_be_dropped_and_have_the_sign_of_the_impedance(tmp_path):
    path = mpt(tmp_path / "cell.mpt", rows())
    record = read(path)
    assert len(record.without_impedance()) == 24
    spectrum = record.data.filter(record.data["frequency_hertz"] > 0)
    assert spectrum["imaginary_impedance_ohm"].to_list() == [-20.0] * 6
    assert describe(path)["impedance_rows"] == 6


def test_steps_are_counted_through_loops(tmp_path):
    record = read(mpt(tmp_path / "cell.mpt", rows()))
    assert record.data["step_count"].max() == 8
    assert record.data["step_id"].max() == 3


def test_absolute_times(tmp_path):
    def date(second):
        return f"08/23/2021 11:{int(second) // 60:02d}:{second % 60:09.6f}"

    record = read(mpt(tmp_path / "cell.mpt", rows(date)))
    assert record.time_s == pytest.approx(read(mpt(tmp_path / "b.mpt", rows())).time_s - 130)


def test_faults_name_their_line(tmp_path):
    body = rows()
    body[6][4] = "NaN"
    path = mpt(tmp_path / "cell.mpt", body)
    with pytest.raises(InputError, match=r"line 18: 'I/mA' holds"):
        read(path)
    assert len(read(path, ReadOptions(bad_rows="drop"))) == 29
    body = rows()
    body[7], body[8] = body[8], body[7]
    with pytest.raises(InputError, match="line 20: time runs backwards"):
        read(mpt(tmp_path / "cell.mpt", body))


def test_cut_off_in_its_header_or_before_its_rows(tmp_path):
    path = mpt(tmp_path / "cell.mpt", rows())
    whole = path.read_bytes()
    path.write_bytes(whole[:150])
    with pytest.raises(InputError, match="cut off"):
        read(path)
    path.write_bytes(whole[: whole.index(b"cycle number") + 15])
    with pytest.raises(InputError, match="no rows of data"):
        read(path)


def test_a_file_of_three_electrodes_says_which_voltage_it_took(tmp_path):
    path = mpt(tmp_path / "cell.mpt", rows())
    path.write_text(path.read_text(encoding="latin-1").replace("freq/Hz", "Ewe-Ece/V"), encoding="latin-1", newline="")
    record = read(path)
    assert any("three electrodes" in note for note in record.notes)
    cell = read(path, ReadOptions(columns={"voltage_volt": "Ewe-Ece/V"}))
    assert cell.voltage_V[8] == 1e5
