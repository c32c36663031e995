"""A damaged, wrong or hostile file is one line that names it, what was found and what to do; the exit code is 1."""

from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path

import polars as pl
import pytest

from .conftest import HEADERS, rows, text


def _decimal_commas(path: Path) -> None:
    lines = [HEADERS, *(",".join(f"{n:g}".replace(".", ",") for n in row) for row in rows())]
    path.write_text("\n".join(lines))


def _backwards(path: Path) -> None:
    path.write_text(text([(t if k < 200 else t - 3000, i, v) for k, (t, i, v) in enumerate(rows())]))


def _two_cells(path: Path) -> None:
    lines = [f"{1 + k // 200},{t - 2000 * (k // 200):g},{i:g},{v:g}" for k, (t, i, v) in enumerate(rows())]
    path.write_text("\n".join([f"Channel,{HEADERS}", *lines]))


def _not_a_number(path: Path) -> None:
    path.write_text(text(rows()).replace("-0.0005,-0.02\n", "NaN,-0.02\n"))


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("VersionInfo.xml", "Step.xml", "TestInfo.xml"):
            archive.writestr(name, "<a/>")
        with archive.open("data.ndc", "w") as stream:
            for _ in range(16):
                stream.write(bytes(1 << 20))


BAD = {
    "empty.csv": (lambda p: p.write_bytes(b""), "empty"),
    "headers.csv": (lambda p: p.write_text(f"{HEADERS}\n"), "no table"),
    "junk.csv": (lambda p: p.write_bytes(random.Random(1).randbytes(4000)), "binary"),
    "zeros.csv": (lambda p: p.write_bytes(bytes(4000)), "NUL"),
    "no-current.csv": (
        lambda p: p.write_text("Test Time / s,Voltage / V\n0,0.1\n1,0.1\n"),
        "no column found for current_ampere",
    ),
    "commas.csv": (_decimal_commas, "decimal sign"),
    "backwards.csv": (_backwards, "time runs backwards"),
    "nan.csv": (_not_a_number, "--bad-rows drop"),
    "two.csv": (_two_cells, "backwards|several|channel"),
    "empty.ndax": (lambda p: p.write_bytes(b""), "empty"),
    "text.ndax": (lambda p: p.write_text("hello"), "archive"),
    "bomb.ndax": (_bomb, "expand|bomb|times"),
    "text.xlsx": (lambda p: p.write_text("no workbook"), "damaged|archive|workbook"),
    "half.parquet": (lambda p: p.write_bytes(b"PAR1" + bytes(40)), "damaged|parquet|Parquet"),
    "folder.csv": (Path.mkdir, "folder"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_line_names_the_file_and_the_fault(command, tmp_path, name):
    import re

    make, words = BAD[name]
    path = tmp_path / name
    make(path)
    said = command("analyze", "symmetric-cycling", path, "--area", "1 cm^2", "--json")
    assert said.code == 1
    assert name in said.line
    assert re.search(words, said.line), said.line


def test_a_truncated_ndax(command, tmp_path, real_data):
    path = tmp_path / "cut.ndax"
    whole = real_data("echem/neware/test.ndax").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    said = command("read", path)
    assert (said.code, "damaged or cut off" in said.line) == (1, True)


@pytest.mark.parametrize("words", [("read",), ("analyze", "symmetric-cycling", "--area", "1 cm^2")])
def test_a_parquet_file_damaged_inside_is_one_line(process, tmp_path, words):
    path = tmp_path / "cell.parquet"
    columns = {"test_time_second": 1.0, "current_ampere": -0.5, "voltage_volt": -0.02}
    frame = pl.DataFrame({name: [factor * place for place in range(40)] for name, factor in columns.items()})
    frame.write_parquet(path, compression="uncompressed", statistics=False)
    whole = path.read_bytes()
    runs = b"\x02\x00\x00\x00\x50\x01"  # a run of 40 values that are there
    assert runs in whole
    path.write_bytes(whole.replace(runs, b"\x02\x00\x00\x00\x02\x01", 1))
    said = process(*words, path)
    assert said.code == 1
    assert "cell.parquet" in said.line
    assert "damaged or cut off" in said.line


def test_a_missing_file(command, tmp_path):
    said = command("read", tmp_path / "absent.csv")
    assert (said.code, "no such file" in said.line) == (1, True)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read(command, good):
    good.chmod(0)
    said = command("read", good)
    assert said.code == 1
    assert "good.csv" in said.line


def test_a_name_with_a_line_break_stays_one_line(command, tmp_path):
    path = tmp_path / "a\nb.csv"
    path.write_text("")
    assert command("read", path).code == 1
    assert "b.csv" in command("read", path).line


def test_the_file_that_is_read_is_never_written_over(command, good):
    before = good.read_bytes()
    said = command("read", good, "-o", good)
    assert (said.code, "nothing was written" in said.line) == (1, True)
    link = good.with_name("link.csv")
    link.symlink_to(good)
    assert command("read", good, "-o", link).code == 1
    assert good.read_bytes() == before


def test_markup_in_headers_is_text(command, tmp_path):
    path = tmp_path / "script.csv"
    lines = [f"{t:g},{i:g},{v:g},[bold]<img src=x>" for t, i, v in rows()]
    path.write_text("\n".join([f"{HEADERS},<script>alert(1)</script>[/]", *lines]))
    assert command("read", path).code == 0
    assert command("analyze", "symmetric-cycling", path, "--area", "1 cm^2").code == 0
    said = command("read", path, "--column", "current_ampere=[red]x[/red] [A]")
    assert "[red]x[/red]" in said.line
