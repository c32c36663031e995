"""Formats, options, detection, and readers of other packages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sodiophile.errors import InputError
from sodiophile.readers import Reader, ReadOptions, column_options, detect, formats, read, registry
from sodiophile.schema import checked

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-format.md"


def test_formats_are_json_and_name_their_extras():
    told = formats()
    assert json.loads(json.dumps(told)) == told
    extras = {entry["name"]: entry["extra"] for entry in told}
    assert extras["neware"] == "neware"
    assert extras["excel"] == "excel"
    assert extras["eclab"] == ""
    assert len(extras) == len(told)
    assert told[-1]["name"] == "table"


def test_listing_formats_imports_none_of_their_libraries():
    code = (
        "import sys; from sodiophile import readers; readers.formats(); "
        "print([name for name in ('fastnda', 'fastexcel') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"curent": "I"}}, "columns: found the column 'curent', expected one of test_time_second"),
        ({"columns": {"current_ampere": " "}}, "found no header for 'current_ampere'"),
        ({"delimiter": "ab"}, "expected one character"),
        ({"delimiter": "1"}, "expected one character"),
        ({"encoding": "klingon"}, "found the encoding 'klingon'"),
        ({"encoding": "zip"}, "found the encoding 'zip'"),
        ({"decimal": "x"}, "decimal: found 'x'"),
        ({"sheets": "a"}, "did you mean 'sheet'"),
        ({"bad_rows": "keep"}, "bad_rows: found 'keep'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        checked(ReadOptions, options, "read")


def test_delimiters_have_names():
    assert ReadOptions(delimiter="tab").delimiter == "\t"
    assert ReadOptions(delimiter="blank").delimiter == " "


def test_column_options_of_the_command_line():
    assert column_options(["current_ampere=I [mA]", "voltage_volt=a=b"]) == {
        "current_ampere": "I [mA]",
        "voltage_volt": "a=b",
    }
    for wrong in (["current_ampere"], ["=x"], ["a=1", "a=2"]):
        with pytest.raises(InputError, match="--column"):
            column_options(wrong)


@pytest.fixture
def example(monkeypatch, tmp_path):
    """The reader of the page on adding a format, as another package would bring it."""
    code = re.search(r"```python\n(.*?READER = .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    (tmp_path / "acme_reader.py").write_text(code[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    install(monkeypatch, "acme_reader:READER")
    yield tmp_path
    sys.modules.pop("acme_reader", None)


def install(monkeypatch, value):
    point = EntryPoint("acme", value, registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    monkeypatch.setattr(registry, "_offered", registry._offered.__wrapped__)


def test_the_example_of_the_page_reads_its_file(example):
    content = re.search(r"```text\n(ACME.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = example / "cell.acm"
    path.write_text(content[1], encoding="utf-8")
    assert detect(path).reader == "acme"
    record = read(path)
    assert len(record) == 3
    assert record.current_A == pytest.approx([-0.5e-3] * 3)
    assert record.voltage_V[0] == pytest.approx(-0.0361)
    assert record.provenance[0].reader == "acme"
    assert "acme" in {entry["name"] for entry in formats()}
    path.write_text(content[1].replace("8;-0.5", "8;oops"), encoding="utf-8")
    with pytest.raises(InputError, match=r"line 3: .*'oops'"):
        read(path)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("json:dumps", "is not a Reader"),
        ("no_such_module_here:READER", "cannot be loaded: ModuleNotFoundError"),
        ("broken_reader:READER", "cannot be loaded: ZeroDivisionError: first second"),
    ],
)
def test_an_entry_point_that_is_no_reader_is_told_and_stops_no_other(monkeypatch, tmp_path, value, reason):
    (tmp_path / "broken_reader.py").write_text("raise ZeroDivisionError('first\\nsecond')")
    monkeypatch.syspath_prepend(tmp_path)
    install(monkeypatch, value)
    path = tmp_path / "a.csv"
    path.write_text("Time (s),Current (A),Voltage (V)\n0,0.5,3\n1,0.5,3\n")
    assert len(read(path)) == 2
    listed = {entry["name"]: entry for entry in formats()}
    assert listed["bdf"]["installed"]
    assert reason in listed["acme"]["title"]
    assert not listed["acme"]["installed"]
    with pytest.raises(InputError, match=reason):
        read(path, ReadOptions(format="acme"))


def test_whatever_a_reader_raises_is_one_line(monkeypatch, tmp_path):
    def broken(file, options):
        raise ZeroDivisionError("first\nsecond")

    monkeypatch.setattr(registry, "other_readers", lambda: (Reader("x", "an x", "1", (".x",), broken),))
    path = tmp_path / "a.x"
    path.write_text("1")
    with pytest.raises(InputError, match=r"a\.x: cannot be read as an x.*first") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_reader_of_others_that_fails_to_look_stops_no_other(monkeypatch, tmp_path):
    def look(file, options):
        raise IndexError("first\nsecond")

    monkeypatch.setattr(registry, "other_readers", lambda: (Reader("x", "an x", "1", (".x",), read, sniff=look),))
    path = tmp_path / "a.csv"
    path.write_text("Time (s),Current (A),Voltage (V)\n0,0.5,3\n1,0.5,3\n")
    with pytest.warns(UserWarning, match=r"'x' failed to look at a\.csv: IndexError: first second"):
        assert len(read(path)) == 2
