"""Layouts that instruments write and that were met in measured files, written anew here with a few rows each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, read

START = datetime(2024, 5, 29, 22, 0, 0, tzinfo=UTC)


def written(tmp_path, name: str, text: str, encoding: str = "utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def told(record, part: str) -> bool:
    return any(part in note for note in record.notes)


def steps(count: int = 4, rows: int = 6, every_s: float = 10.0):
    """Yield (step, seconds in the step, seconds since the start, current in mA) of alternate charge and discharge."""
    for step in range(count):
        for row in range(rows):
            yield step + 1, row * every_s, (step * (rows - 1) + row) * every_s, 1.0 if step % 2 == 0 else -1.0


def test_a_time_that_starts_anew_is_told_by_the_dates(tmp_path):
    rows = [
        "Record Index,Status,JumpTo,Cycle,Step,Cur(mA),Voltage(V),CapaCity(mAh),Relative Time(h:min:s.ms),Absolute Time"
    ]
    for number, (step, inside, since, current) in enumerate(steps(), start=1):
        state = "CC_Chg" if current > 0 else "CC_DChg"
        date = START + timedelta(seconds=since)
        rows.append(f"{number},{state},0,1,{step},{current},3.5,0,0:00:{inside:06.3f},{date:%Y-%m-%d %H:%M:%S}")
    record = read(written(tmp_path, "detail.csv", "\n".join(rows)))
    assert record.provenance[0].reader == "neware-export"
    assert record.time_s == pytest.approx([since for _, _, since, _ in steps()])
    assert record.current_A == pytest.approx([current * 1e-3 for *_, current in steps()])


@pytest.mark.parametrize("dated", [True, False])
def test_a_relative_time_of_any_program_is_made_to_run_on(tmp_path, dated):
    rows = ["System Time,Relative Time(Sec),Voltage(V),Current(A),Cycle ID,Step ID,Step State"]
    for step, inside, since, current in steps():
        date = f"{START + timedelta(seconds=since):%Y-%m-%d %H:%M:%S}" if dated else ""
        rows.append(f"{date},{inside:g},3.5,{current},1,{step},{'Charge' if current > 0 else 'Discharge'}")
    text = "\n".join(rows) if dated else "\n".join(row.partition(",")[2] for row in rows)
    record = read(written(tmp_path, "relative.csv", text))
    assert record.time_s == pytest.approx([since for _, _, since, _ in steps()])
    assert told(record, "starts anew 3 times")


def test_two_tests_in_one_file_are_refused_still(tmp_path):
    rows = ["Test Time (s),Current (A),Voltage (V),Step"]
    rows += [f"{since:g},{current},3.5,{step}" for _ in range(2) for step, _, since, current in steps()]
    with pytest.raises(InputError, match="line 26: time runs backwards, from 200 s to 0 s"):
        read(written(tmp_path, "two.csv", "\n".join(rows)))


def test_two_clocks_that_differ_by_a_hair_are_put_right(tmp_path):
    rows = ["Test Time (s),Current (A),Voltage (V)"]
    rows += [f"{time},0.1,3.5" for time in (1.0, 2.0, 3.0015, 3.0, 4.0, 5.0)]
    record = read(written(tmp_path, "hair.csv", "\n".join(rows)))
    assert record.time_s == pytest.approx([1.0, 2.0, 3.0015, 3.0015, 4.0, 5.0])
    assert told(record, "0.0015 s before")
    with pytest.raises(InputError, match="time runs backwards, from 3 s to 2 s"):
        read(written(tmp_path, "swapped.csv", "\n".join([*rows[:3], rows[4], rows[2], *rows[5:]]).replace("3.0,", "3,")))


def test_day_and_month_are_told_by_a_record_that_leaps_by_months(tmp_path):
    begun = datetime(2021, 5, 5, 12, tzinfo=UTC)
    dates = [begun + timedelta(hours=hour) for hour in range(72)]
    rows = ["time;Ecell/V;I/mA", *(f"{date:%m/%d/%Y %H:%M:%S.500};3.8;1.0" for date in dates)]
    record = read(written(tmp_path, "leap.csv", "\n".join(rows)))
    assert record.time_s == pytest.approx(np.arange(72) * 3600.0)
    assert record.data["unix_time_second"][0] == pytest.approx(begun.timestamp() + 0.5)


def test_lines_that_stand_whole_in_quotes(tmp_path):
    rows = ["[Summary]", "Novonix", "Cell: a.csv", "[End Summary]", "[Data]"]
    rows.append('"Date and Time,Cycle Number,Step Type,Run Time (h),Step Time (h),Current (A),Potential (V)"')
    rows += [f'"2022-04-11 10:58:0{row} AM,1,0,{row / 3600:.7f},{row / 3600:.7f},0.05,3.5"' for row in range(8)]
    record = read(written(tmp_path, "novonix.csv", "\n".join(rows)))
    assert record.provenance[0].reader == "novonix"
    assert record.time_s == pytest.approx(np.arange(8), abs=1e-3)
    assert told(record, "whole in quotes")


def test_the_number_of_points_between_headers_and_rows(tmp_path):
    frequency = np.logspace(4, 0, 21)
    Z = 100 + 500 / (1 + 2j * np.pi * frequency * 500 * 1e-5)
    lines = ["Procedure : a name", "t =  736.4 s", " f/Hz \t Z'/Ohm \t -Z''/Ohm \t time/s \t", " 21 "]
    lines += [f" {f:.3e}\t {z.real:.6e}\t {-z.imag:.6e}\t 59.3\t" for f, z in zip(frequency, Z, strict=True)]
    (spectrum,) = read(written(tmp_path, "points.P00", "\n".join(lines))).spectra()
    assert spectrum.impedance_ohm == pytest.approx(Z, rel=1e-5)


def test_numbers_with_a_prefix(tmp_path):
    def shown(number: float) -> str:
        scale, letter = (1e-3, "m") if abs(number) < 1 else (1e3, "k") if abs(number) >= 1e3 else (1.0, "")
        return f"{number / scale:.6f}{letter}"

    frequency = np.logspace(0.7, 5, 20)
    Z = 0.02 + 1 / (2j * np.pi * frequency * 2e-3)
    lines = ["Frequency;Impedance;Phase"]
    for f, z in zip(frequency, Z, strict=True):
        lines.append(f"{shown(f)};{shown(abs(z))};{np.degrees(np.angle(z)):.4f}")
    record = read(written(tmp_path, "prefix.csv", "\n".join(lines)))
    (spectrum,) = record.spectra()
    assert spectrum.frequency_Hz == pytest.approx(np.sort(frequency)[::-1], rel=1e-4)
    assert np.abs(spectrum.impedance_ohm - Z[::-1]).max() < 1e-3 * np.abs(Z).max()
    assert told(record, "with a prefix")


def test_the_amplitude_of_the_current_is_no_imaginary_part(tmp_path):
    frequency = np.logspace(5, 0, 16)
    Z = 1 + 20 / (1 + 2j * np.pi * frequency * 20 * 1e-4)
    lines = ["MACCOR, INC.    AC Impedance Test", "", "Freq(Hz)\tPolar(V)\ttime(sec)\tZ'(a)\tZ''(b)\tZ-Mag\tVMag\tIMag"]
    lines += [
        f"{f:.5f}\t1.0\t{place * 15:.6f}\t{z.real:.6f}\t{z.imag:.6f}\t{abs(z):.6f}\t\t"
        for place, (f, z) in enumerate(zip(frequency, Z, strict=True))
    ]
    (spectrum,) = read(written(tmp_path, "maccor_eis.041", "\n".join(lines))).spectra()
    assert spectrum.impedance_ohm == pytest.approx(Z, abs=1e-5)


def test_open_circuit_has_no_current(tmp_path):
    head = ["EC-Lab ASCII FILE", "Nb header lines : 5", "", "Open Circuit Voltage", "mode\terror\ttime/s\t<Ewe/V>\t"]
    rows = [f"3\t0\t{second}.0\t{3.4 + second * 1e-3:.4f}" for second in range(9)]
    record = read(written(tmp_path, "ocv.mpt", "\n".join([*head, *rows])))
    assert (record.current_A == 0).all()
    assert record.voltage_V[-1] == pytest.approx(3.408)
    assert told(record, "the current is 0")
    head[3] = "Galvanostatic Cycling with Potential Limitation"
    with pytest.raises(InputError, match="no column found for current_ampere"):
        read(written(tmp_path, "gcpl.mpt", "\n".join([*head, *rows])))


def test_open_circuit_of_gamry(tmp_path):
    lines = ["EXPLAIN", "TAG\tCORPOT", "TITLE\tLABEL\tOpen Circuit Potential\tTest", "CURVE\tTABLE\t6"]
    lines += ["\tPt\tT\tVf\tVm\tTemp", "\t#\ts\tV vs. Ref.\tV\tdeg C"]
    lines += [f"\t{row}\t{row * 5.0}\t{0.03 - row * 1e-3:.5f}\t0\t-327.75" for row in range(6)]
    record = read(written(tmp_path, "ocp.DTA", "\n".join(lines)))
    assert (record.current_A == 0).all()
    assert record.time_s[-1] == pytest.approx(25.0)
    assert told(record, "-327.75 °C and the like in 6 rows")


def test_a_header_line_that_is_longer_than_every_row(tmp_path):
    head = ["EC-Lab ASCII FILE", "Nb header lines : 5", "", "Chronopotentiometry"]
    head.append("time/s\tEwe/V\tI/mA\tNs\t\tEwe-Ece/V")
    rows = [f"{second}.0\t3.5\t1.0\t0" for second in range(6)]
    record = read(written(tmp_path, "short.mpt", "\n".join([*head, *rows])))
    assert record.current_A == pytest.approx(1e-3)


def test_a_charge_counted_once_to_the_other_side_is_no_unsigned_current(tmp_path):
    head = ["EC-Lab ASCII FILE", "Nb header lines : 5", "", "Chronopotentiometry"]
    head.append("time/s\tEwe/V\tI/mA\tQ discharge/mA.h\tQ charge/mA.h")
    rows = [
        f"{10 * pulse + row}.0\t3.5\t1.0\t{1e-3 if row == 0 and pulse else 0}\t{row * 2.8e-4}"
        for pulse in range(8)
        for row in range(10)
    ]
    assert read(written(tmp_path, "pulses.mpt", "\n".join([*head, *rows]))).current_A == pytest.approx(1e-3)


def test_autolab_nova(tmp_path):
    rows = ["Time (s);WE(1).Potential (V);WE(1).Current (A);Scan"]
    rows += [f"{row * 0.1};{0.01 * row};{1e-6 * (-1) ** row};1" for row in range(10)]
    record = read(written(tmp_path, "nova.txt", "\n".join(rows)))
    assert record.provenance[0].reader == "nova"
    assert record.current_A == pytest.approx([1e-6 * (-1) ** row for row in range(10)])


def test_gamry_table_as_csv(tmp_path):
    rows = ["Pt,T,Vf,Im,Vu,Sig,Ach,IERange,Over"]
    rows += [f"{row},{row + 1},-7.8384{row}E-001,-6.36{row}E-006,0,0,0,7,..........." for row in range(8)]
    record = read(written(tmp_path, "cycpol.csv", "\n".join(rows)))
    assert record.provenance[0].reader == "gamry-export"
    assert record.current_A[0] == pytest.approx(-6.360e-6)


def test_maccor_in_milliampere(tmp_path):
    rows = [
        "Today's Date\t03/28/2022",
        "",
        "Rec#\tCyc#\tStep\tTestTime\tStepTime\tmAmp-hr\tmAmps\tVolts\tState\tES\tDPt Time",
    ]
    for row in range(10):
        state = "C" if row < 5 else "D"
        rows.append(
            f"{row + 1}\t0\t{1 + row // 5}\t  0d 00:{row:02d}:00.00\t  0d\t0.0\t0.5\t3.5\t{state}\t1\t"
            f"08/23/2021 6:{row:02d}:18 PM"
        )
    record = read(written(tmp_path, "maccor.txt", "\n".join(rows)))
    assert record.current_A == pytest.approx([5e-4] * 5 + [-5e-4] * 5)
    assert record.time_s == pytest.approx(np.arange(10) * 60.0)


def test_maccor_without_a_state_is_refused_whatever_its_headers(tmp_path):
    rows = ["Cyc#,Step,TestTime(s),StepTime(s),Current(A),Voltage(V),DPt Time"]
    rows += [f'869,11,"5,577,6{row}.47",0d 00:22:05.05,"1,499.8856",3.92,1' for row in range(10, 30)]
    with pytest.raises(InputError, match="the current is never negative and no column says"):
        read(written(tmp_path, "maccor.csv", "\n".join(rows)))


def test_millivolt_under_a_header_of_volt_is_noted(tmp_path):
    rows = ["Test Time (s),Current (A),Voltage (V)", *(f"{row},0.1,{1853 + row}" for row in range(5))]
    assert told(read(written(tmp_path, "mv.csv", "\n".join(rows))), "is it in mV?")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_chinese_headers(tmp_path, encoding):
    rows = ["数据序号,循环号,工步号,工步类型,时间,总时间,电流(mA),电压(V),充电容量(mAh),放电容量(mAh),绝对时间"]
    for number, (step, inside, since, current) in enumerate(steps(), start=1):
        state = "恒流充电" if current > 0 else "恒流放电"
        date = START + timedelta(seconds=since)
        rows.append(
            f"{number},1,{step},{state},00:00:{inside:02.0f},00:{since // 60:02.0f}:{since % 60:02.0f},"
            f"{current},3.5,0,0,{date:%Y-%m-%d %H:%M:%S}"
        )
    record = read(written(tmp_path, "cell.csv", "\n".join(rows), encoding))
    assert record.provenance[0].reader == "neware-export"
    assert record.time_s == pytest.approx([since for _, _, since, _ in steps()])
    assert record.current_A == pytest.approx([current * 1e-3 for *_, current in steps()])


def test_the_same_in_a_layout_named_by_hand(tmp_path):
    rows = ["a;b;c", *(f"{row};0,5;3,5" for row in range(5))]
    columns = {"test_time_second": "a [s]", "current_ampere": "b [mA]", "voltage_volt": "c [V]"}
    record = read(written(tmp_path, "comma.txt", "\n".join(rows)), ReadOptions(columns=columns))
    assert record.current_A == pytest.approx(5e-4)


@pytest.mark.parametrize("joined", [True, False])
def test_cycles_steps_and_records_on_top_of_one_another(tmp_path, joined):
    rows = ["Cycle ID,Cap_Chg(mAh),Cap_DChg(mAh),Engy_Chg(mWh)"]
    rows.append(",Step ID,Step Name,Step Time(h:min:s.ms),Capacity(mAh),Energy(mWh)")
    rows.append(",,Record ID,Time(h:min:s.ms),Voltage(V),Current(mA),Capacity(mAh),Realtime")
    number, since = 0, 0
    for cycle in (1, 2):
        rows.append(f"{cycle},0.2,0.2,0.7")
        for step, (name, current) in enumerate((("Rest", 0.0), ("CC_Chg", 1.5), ("CC_DChg", -1.5)), start=1):
            about = f"{step},{name},0:00:50.000,0.2,0.7"
            if joined and step == 1:
                rows[-1] += f",{about}"
            else:
                rows.append(f",{about}")
            for row in range(6):
                number, since = number + 1, since + (10 if row else 0)
                date = START + timedelta(seconds=since)
                rows.append(f",,{number},0:00:{row * 10:02d}.000,{3.5 + row / 100},{current},0,\t{date:%Y-%m-%d %H:%M:%S}")
    record = read(written(tmp_path, "layers.csv", "\n".join(rows)))
    assert record.provenance[0].reader == "neware-export"
    assert len(record) == number == 36
    assert record.data["cycle_count"].to_list() == [1] * 18 + [2] * 18
    assert record.data["step_id"].to_list() == ([1] * 6 + [2] * 6 + [3] * 6) * 2
    assert record.data["step_type"][6] == "CC_Chg"
    assert record.current_A == pytest.approx(([0.0] * 6 + [1.5e-3] * 6 + [-1.5e-3] * 6) * 2)
    assert record.time_s[-1] == pytest.approx(since)
    assert told(record, "a table of 3 levels")
    at = next(place for place, row in enumerate(rows) if ",1.5,0," in row)
    broken = [*rows[:at], rows[at].replace(",1.5,", ",x,"), *rows[at + 1 :]]
    with pytest.raises(InputError, match=rf"line {at + 1}: 'Current\(mA\)' holds 'x'"):
        read(written(tmp_path, "broken.csv", "\n".join(broken)))


def two_arcs(frequency):
    return 10 + 50 / (1 + 2j * np.pi * frequency * 50 * 1e-5) + 200 / (1 + 2j * np.pi * frequency * 200 * 1e-3)


def ism(frequency, Z, title=b"tEST") -> bytes:
    count = len(frequency)
    body = b"".join(
        np.asarray(column, ">f8").tobytes() for column in (frequency, np.abs(Z), np.angle(Z), 1.4e9 + np.arange(count))
    )
    texts = b"".join(len(text).to_bytes(2, "big") + text for text in (b"240716", title, b"0.0v", b"", b"23.8"))
    head = b"\x00\x00\xff\xff\xff\xfe" + (count - 1).to_bytes(6, "big")
    return head + body + np.full(count, 998, ">i2").tobytes() + texts


def test_zahner(tmp_path):
    up, down = np.logspace(3, 5, 11), np.logspace(5, -1, 31)
    frequency = np.concatenate([up[:-1], down])
    path = tmp_path / "cell.ism"
    path.write_bytes(ism(frequency, two_arcs(frequency)))
    record = read(path)
    (spectrum,) = record.spectra()
    assert record.provenance[0].reader == "zahner"
    assert len(spectrum.frequency_Hz) == 41
    assert spectrum.impedance_ohm == pytest.approx(two_arcs(spectrum.frequency_Hz), rel=1e-12)
    assert record.metadata["title"] == "Test"
    for size in (5, 40, 700):
        path.write_bytes(ism(frequency, two_arcs(frequency))[:size])
        with pytest.raises(InputError, match=r"cut off|does not begin"):
            read(path)


def test_ivium(tmp_path):
    frequency = np.logspace(5, 0, 26)
    sets = []
    for scale in (1.0, 2.0):
        Z = scale * two_arcs(frequency)
        rows = [f"{z.real:.5E}  {z.imag:.5E}\t{f:.5E} " for f, z in zip(frequency, Z, strict=True)]
        sets.append("\0\0\x07Method=Impedance\r\nTitle=A cell\r\n\0primary_data    \r\n3         \r\n26        \r\n")
        sets.append("\r\n".join(rows) + "\r\n\0\0")
    sets.append("Method=LinearScan\r\n\0primary_data\r\n3\r\n1\r\n0.1 0.2 0.3\r\n")
    record = read(written(tmp_path, "cell.ids", "".join(sets), "latin-1"))
    first, second = record.spectra()
    assert first.impedance_ohm == pytest.approx(two_arcs(frequency), rel=1e-4)
    assert second.impedance_ohm == pytest.approx(2 * two_arcs(frequency), rel=1e-4)
    with pytest.raises(InputError, match=r"holds no impedance.*'LinearScan'"):
        read(written(tmp_path, "scan.idf", sets[-1], "latin-1"))
    with pytest.raises(InputError, match="cut off"):
        read(written(tmp_path, "cut.idf", (sets[0] + sets[1])[:600], "latin-1"))


def test_headers_that_stand_again_where_a_test_went_on(tmp_path):
    headers = "Date and Time,Cycle Number,Step Number,Run Time (h), Step Time (h),Current (A),Potential (V)"
    about = ["[Summary]", "Novonix HPC data file", "Mass (g): 0", "[End Summary]", "[Data]", headers]
    rows = []
    for part in range(3):
        rows += about
        for row in range(10):
            date = START + timedelta(hours=part, minutes=row)
            rows.append(f"{date:%m/%d/%Y %I:%M:%S %p},1,{part},{row / 60:.7f},{row / 60:.7f},0.01,3.5")
    record = read(written(tmp_path, "again.csv", "\n".join(rows)))
    assert record.provenance[0].reader == "novonix"
    assert record.time_s == pytest.approx([3600 * part + 60 * row for part in range(3) for row in range(10)], abs=1e-2)
    assert told(record, "the headers stand 3 times (again in line 22, 38)")


@pytest.mark.parametrize("imaginary", ["-Z'' / Ohm", "Z'' / Ohm"])
def test_palmsens(tmp_path, imaginary):
    """Two spectra under headers of their own, UTF-16; some versions write -Im Z under Z''."""
    frequency = np.logspace(5, -1, 25)
    lines = ["Date and time:,2025-01-01 12:01:00", "Notes:,"]
    for scale in (1.0, 3.0):
        lines += [f"CH 3: Fixed at {len(frequency)} freqs"]
        lines.append(f"freq / Hz,neg. Phase / °,Idc / uA,Z / Ohm,Z' / Ohm,{imaginary},Cs / F")
        lines += [
            f"{f:.6g},{-np.angle(z, deg=True):.6f},0,{abs(z):.8g},{z.real:.8g},{-z.imag:.8g},1e-9"
            for f, z in zip(frequency, scale * two_arcs(frequency), strict=True)
        ]
    record = read(written(tmp_path, "eis.csv", "\n".join(lines), "utf-16"))
    first, second = record.spectra()
    assert first.impedance_ohm == pytest.approx(two_arcs(frequency), rel=1e-5)
    assert second.impedance_ohm == pytest.approx(3 * two_arcs(frequency), rel=1e-5)
    assert told(record, "the phase in the file") == (imaginary[0] == "Z")


def test_more_than_one_tab_between_headers(tmp_path):
    text = "# a comment\n\nFreq.[Hz]\t\tZs'[ohm]\t\tZs''[ohm]\n"
    text += "".join(f"{10.0 ** (5 - n / 2):g}\t{10 + n}\t{-1 - n}\n" for n in range(12))
    record = read(written(tmp_path, "tabs.txt", text))
    assert record.spectra()[0].impedance_ohm == pytest.approx([complex(10 + n, -1 - n) for n in range(12)])
    # with a field for each place the blank ones are columns without a name
    held = text.replace("\t-", "\t\t-").replace("\t1", "\t\t1").replace("\t2", "\t\t2")
    assert read(written(tmp_path, "held.txt", held)).spectra()[0].impedance_ohm[3] == pytest.approx(13 - 4j)


def test_zview_per_area_is_refused(tmp_path):
    rows = "".join(f"{10.0 ** (5 - n / 2):.5E}\t10\t0\t{n}\t{10 + n}\t{-1 - n}\t0\t0\t0\n" for n in range(12))
    head = "Z60W Data File: Version 1.1\nSweep\nFreq(Hz)\tAmpl(mV)\tBias(V)\tTime(Sec)\tZ'({0})\tZ''({1})\tGD\tErr\tRange\n"
    assert len(read(written(tmp_path, "a.z60", head.format("a", "b") + "End Comments\n" + rows))) == 12
    with pytest.raises(InputError, match=r"in 'Ohm\.cm²', expected ohm"):
        read(written(tmp_path, "b.z60", head.format("Ohm.cm²", "Ohm.cm²") + "End Comments\n" + rows))


def test_a_time_that_stands_still_is_refused(tmp_path):
    rows = ["Test Time (s),Current (A),Voltage (V)", *["5,1e-3,0.1"] * 20]
    with pytest.raises(InputError, match="the time is 5 s in all of its 20 rows"):
        read(written(tmp_path, "still.csv", "\n".join(rows)))


def test_degrees_without_a_unit_are_left_out(tmp_path):
    rows = ["Time (s),Current (A),Voltage (V),Temp", *[f"{n},1e-3,0.1,298" for n in range(20)]]
    path = written(tmp_path, "warm.csv", "\n".join(rows))
    record = read(path)
    assert "surface_temperature_celsius" not in record.data.columns
    assert told(record, "'Temp' has no unit, degC or K")
    named = read(path, ReadOptions(columns={"surface_temperature_celsius": "Temp [K]"}))
    assert named.data["surface_temperature_celsius"][0] == pytest.approx(24.85)


def test_a_sweep_without_time_gets_it_from_the_rate_in_the_file(tmp_path):
    volts = np.concatenate([np.arange(0, 0.101, 0.01), np.arange(0.09, -0.001, -0.01)])
    head = "Nov. 12, 2024   10:00:00\nTafel Plot\nInstrument Model:  CHI660E\n\nInit E (V) = 0\nScan Rate (V/s) = 0.002\n\n"
    rows = [f"{v:.3f}, {1e-3 * (v - 0.04):.4e}, -3" for v in volts]
    text = head + "Potential/V, Current/A, log(Current/A)\n\n" + "\n".join(rows) + "\n"
    record = read(written(tmp_path, "tafel.txt", text))
    assert record.time_s == pytest.approx(5.0 * np.arange(volts.size))
    assert told(record, "a sweep at 0.002 V/s, which the file states")
    with pytest.raises(InputError, match="no column found for test_time_second"):
        read(written(tmp_path, "unknown.txt", text.replace("Scan Rate (V/s) = 0.002", "")))


def test_a_mark_of_the_order_of_bytes_at_the_end(tmp_path):
    rows = "".join(f"{10.0 ** (5 - n / 2):g},{10 + n},{-1 - n}\n" for n in range(12))
    text = "freq / Hz,Re(Z) / Ohm,Im(Z) / Ohm\n" + rows + "\ufeff"
    assert len(read(written(tmp_path, "end.csv", "\ufeff" + text, "utf-16-le"))) == 12
