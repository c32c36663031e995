"""Damaged, hostile and foreign files: one clear line that names the place, and nothing else."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import polars as pl
import pytest

from sodiophile.errors import InputError, MissingExtraError
from sodiophile.readers import ReadOptions, describe, detect, guard, read
from sodiophile.readers.base import Reader
from sodiophile.records import file_sha256

GOOD = "Time (s),Current (A),Voltage (V)\n" + "".join(f"{s},0.5,{3 + s / 1000}\n" for s in range(30))


def rejects(path, match, options=None):
    with pytest.raises(InputError, match=match) as caught:
        read(path, options)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


def put(tmp_path, content, name="cell.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.mpt", "a.ndax", "a.nda", "a.xlsx", "a.parquet", "a.gz", "a.zip", "a.res"])
@pytest.mark.parametrize("content", [b"", b"\n \n\t\n"])
def test_empty(tmp_path, name, content):
    rejects(put(tmp_path, content, name), "empty|damaged|cannot be read|no whole")


def test_missing_and_folder(tmp_path):
    rejects(tmp_path / "none.csv", "no such file")
    (tmp_path / "folder.csv").mkdir()
    rejects(tmp_path / "folder.csv", "is a folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("options", [None, ReadOptions(format="bdf"), ReadOptions(format="parquet")])
def test_a_pipe_or_a_device_is_refused_before_it_is_opened(tmp_path, options):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path / "link.csv", Path(os.devnull)):
        rejects(path, "is no regular file", options)
        for function in (detect, describe, file_sha256):
            with pytest.raises(InputError, match="is no regular file"):
                function(path)


def test_binary_under_a_text_name(tmp_path):
    rejects(put(tmp_path, bytes(range(256)) * 40), "NUL bytes")
    rejects(put(tmp_path, bytes(range(1, 256)) * 40), "binary data")


def test_missing_current_column(tmp_path):
    rejects(
        put(tmp_path, GOOD.replace("Current", "Whatever")), "current_ampere.*'Whatever \\(A\\)'.*--column current_ampere="
    )


def test_wrong_decimal_comma(tmp_path):
    path = put(tmp_path, GOOD.replace(",", ";").replace(".", ","))
    assert len(read(path)) == 30
    rejects(path, "line 2: .*--decimal ,", ReadOptions(decimal="."))
    rejects(put(tmp_path, GOOD.replace(",", ";")), "line .*--decimal \\.", ReadOptions(decimal=","))


def test_comma_for_everything(tmp_path):
    rows = "".join(f"{s},5,0,5,3,1\n" for s in range(30))
    rejects(put(tmp_path, "Time (s),Current (A),Voltage (V)\n" + rows), "6 fields under 3 headers")


def test_time_runs_backwards(tmp_path):
    lines = GOOD.splitlines()
    lines[10], lines[11] = lines[11], lines[10]
    rejects(put(tmp_path, "about: x\n\n" + "\n".join(lines)), "line 14: time runs backwards, from 10 s to 9 s")


def test_rows_without_numbers(tmp_path):
    lines = GOOD.splitlines()
    lines[5], lines[9] = "4,NaN,3.0", "8,oops,3.0"
    path = put(tmp_path, "\n".join(lines))
    rejects(path, r"line 6: 'Current \(A\)' holds 'NaN', expected a number \(2 such rows\); .*--bad-rows drop")
    record = read(path, ReadOptions(bad_rows="drop"))
    assert len(record) == 28
    assert any("2 rows" in note and "line 6, 10" in note for note in record.notes)


def test_mostly_bad_rows_are_never_dropped(tmp_path):
    lines = [line if number < 8 else f"{number},x,3" for number, line in enumerate(GOOD.splitlines())]
    rejects(put(tmp_path, "\n".join(lines)), "expected a number", ReadOptions(bad_rows="drop"))


def test_infinite_current(tmp_path):
    rejects(put(tmp_path, GOOD.replace("7,0.5", "7,inf")), "line 9: .*'inf'")


def test_a_line_with_too_many_fields(tmp_path):
    many = GOOD + "".join(f"{s},0.5,3\n" for s in range(30, 3000)) + "3000,0.5,3,9,9\n"
    rejects(put(tmp_path, many + "3001,0.5,3\n" * 900), "line 3002: holds 5 fields, expected 3")


def test_nul_bytes_in_the_middle(tmp_path):
    rejects(put(tmp_path, (GOOD + "\0" * 100).encode()), "line 32: holds NUL bytes")


def test_one_huge_line(tmp_path):
    rejects(put(tmp_path, b"a,b,c," * 400_000), "longer than")


def test_stray_quote(tmp_path):
    rejects(put(tmp_path, GOOD.replace("9,0.5,", '9,0.5,"', 1)), "cell.csv")


def test_parquet_of_wrong_types(tmp_path):
    path = tmp_path / "cell.parquet"
    frame = pl.DataFrame({"test_time_second": [[1.0], [2.0]], "current_ampere": [0.1, 0.2], "voltage_volt": ["x", "y"]})
    frame.write_parquet(path)
    rejects(path, "row 1: .*expected a number")
    frame.with_columns(test_time_second=pl.Series([1.0, 2.0])).write_parquet(path)
    rejects(path, "row 1: 'voltage_volt' holds 'x'")
    path.write_bytes(path.read_bytes()[:-20])
    rejects(path, "damaged or cut off")


def archive(members, **kwargs):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content, **kwargs)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["bomb.ndax", "bomb.xlsx", "bomb.zip"])
def test_zip_bomb(tmp_path, name):
    zeros = bytes(64 << 20)
    content = archive({"data.ndc": zeros, "xl/workbook.xml": b"<a/>"} if name != "bomb.zip" else {"cell.csv": zeros})
    assert len(content) < 1 << 20
    rejects(put(tmp_path, content, name), "expands .*-fold|would expand")


def test_an_archive_that_lies_about_its_size(tmp_path):
    content = bytearray(archive({"xl/workbook.xml": b"<a/>", "xl/big.xml": bytes(4 << 20)}))
    size = (4 << 20).to_bytes(4, "little")
    while size in content:
        place = content.index(size)
        content[place : place + 4] = (100).to_bytes(4, "little")
    path = put(tmp_path, bytes(content), "lie.xlsx")
    rejects(path, "beyond the size it claims|damaged")


def test_gzip_bomb(tmp_path):
    rejects(put(tmp_path, gzip.compress(bytes(64 << 20)), "bomb.csv.gz"), "expands to more than")


def test_paths_that_leave_their_folder(tmp_path):
    for name in ("../../evil.ndc", "/etc/evil", "C:/evil", "..\\evil"):
        rejects(put(tmp_path, archive({"data.ndc": b"x", name: b"x"}), "a.ndax"), "leaves its folder")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["a.ndax", "a.xlsx"])
def test_entities(tmp_path, name, encoding):
    text = "<?xml version='1.0'?>" + " " * (2 << 20) + "<!DOCTYPE lolz [<!ENTITY lol 'lol'>]><lolz>&lol;</lolz>"
    content = archive({"data.ndc": b"x", "xl/workbook.xml": "<a/>", "TestInfo.xml": text.encode(encoding)})
    rejects(put(tmp_path, content, name), "document type or entities")


def test_archives_in_archives(tmp_path):
    inner = archive({"cell.csv": GOOD})
    record = read(put(tmp_path, inner, "cell.zip"))
    assert len(record) == 30
    assert record.name == "cell.zip"
    assert record.provenance[0].options["member"] == "cell.csv"
    assert len(read(put(tmp_path, gzip.compress(GOOD.encode()), "cell.csv.gz"))) == 30
    rejects(put(tmp_path, archive({"cell.zip": inner}), "twice.zip"), "another archive")
    rejects(put(tmp_path, archive({"a.csv": GOOD, "b.csv": GOOD}), "two.zip"), "archive of 2 files")


def test_a_fault_inside_a_wrapper_names_both(tmp_path):
    rejects(
        put(tmp_path, archive({"inner.csv": GOOD.replace("Current", "C")}), "outer.zip"), "outer.zip: inner.csv: no column"
    )


def test_truncated_ndax(tmp_path, real_data):
    pytest.importorskip("fastnda")
    whole = real_data("echem/neware/21_10_7_85.ndax").read_bytes()
    for part in (10, 100, len(whole) // 2, len(whole) - 30):
        rejects(put(tmp_path, whole[:part], "cut.ndax"), "damaged or cut off|no reader|holds no")


def test_missing_extra(monkeypatch, tmp_path):
    monkeypatch.setattr(Reader, "installed", property(lambda self: not self.extra))
    path = put(tmp_path, b"NEWARE" + bytes(100), "cell.nda")
    assert detect(path).reader == "neware"
    with pytest.raises(MissingExtraError, match=r"pip install 'sodiophile\[neware\]'"):
        read(path)


def test_whatever_a_library_raises_is_one_line(tmp_path):
    class PanicException(BaseException):
        pass

    for error in (RuntimeError("a\nb"), PanicException("boom"), MemoryError(), KeyError()):
        with pytest.raises(InputError, match=r"x\.csv") as caught, guard.one_line(tmp_path / "x.csv", "a table"):
            raise error
        assert "\n" not in str(caught.value)
    with pytest.raises(KeyboardInterrupt), guard.one_line(tmp_path / "x.csv", "a table"):
        raise KeyboardInterrupt


def test_line_breaks_within_quotes_are_counted(tmp_path):
    rows = [f'{s},0.5,{3 + s / 1000},"note {s}"' for s in range(30)]
    rows[4] = '4,0.5,3.004,"two\nlines"'
    rows[10] = '10,oops,3.01,"x"'
    text = "Time (s),Current (A),Voltage (V),Note\n" + "\n".join(rows)
    line = text.split("\n").index(rows[10]) + 1
    rejects(put(tmp_path, text), f"line {line}: .*'oops'")


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:-8] + b"\xff\xff\xff\x7fPAR1", lambda b: b[: len(b) // 2]]
)
def test_damaged_parquet_leaves_the_terminal_alone(tmp_path, capfd, damage):
    path = tmp_path / "cell.parquet"
    pl.DataFrame({"test_time_second": [1.0], "current_ampere": [0.1], "voltage_volt": [1.0]}).write_parquet(path)
    path.write_bytes(damage(path.read_bytes()))
    rejects(path, "no whole Parquet file")
    assert capfd.readouterr().err == ""


def test_empty_claims_are_no_claims(tmp_path):
    record = read(put(tmp_path, "cell id: ,,,,\nmass:,,2 mg,,\narea,,,,\n" + GOOD))
    assert record.metadata == {"mass": "2 mg", "text encoding": "utf-8", "decimal sign": "."}


def test_a_panic_is_unsaid_and_all_else_is_passed_on(capfd):
    def failing(said):
        os.write(2, said)
        raise InputError("at fault")

    with guard.panics_unsaid():
        os.write(2, b"before")
    assert capfd.readouterr().err == "before"
    for said, passed in ((b"a warning", "a warning"), (b"thread 'x' panicked at a.rs:1:1", "")):
        with pytest.raises(InputError), guard.panics_unsaid():
            failing(said)
        assert capfd.readouterr().err == passed
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
