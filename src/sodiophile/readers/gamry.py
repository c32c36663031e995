"""Gamry Framework .DTA: a header of tagged lines, then tables whose names, headers and units stand above their rows.

``ZCURVE`` holds a spectrum (several tables: a series), ``CURVE``, ``CURVE1``, ... time, potential and current. Tables of
other kinds, of the open circuit before the test for one, are no part of either. The current is positive where the working
electrode is oxidized, unless the operator changed Gamry's setting.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.either import table_record
from sodiophile.readers.layout import decode
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.table import Table, text_rows
from sodiophile.readers.vendors import GAMRY

VERSION = "2"
_TABLE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)\tTABLE\b.*")
_TAGGED = re.compile(
    r"(?P<name>[A-Z][A-Z0-9_]*)\t(?P<kind>LABEL|QUANT|IQUANT|POTEN|PSTAT|TOGGLE|SELECTOR)\t(?P<value>[^\t]*)"
)
_IMPEDANCE = re.compile(r"ZCURVE\d*")
_TRACE = re.compile(r"CURVE\d*")


@dataclass
class _Block:
    name: str
    headers: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def _sniff(file: File, _options: ReadOptions) -> str | None:
    head = file.head.removeprefix(b"\xef\xbb\xbf")
    return "its first lines say EXPLAIN and TAG" if re.match(rb"EXPLAIN\r?\n(TAG|TITLE)\t", head) else None


def _read(file: File, options: ReadOptions) -> Record:
    text, encoding = decode(file.content(), options.encoding, file.path)
    blocks, about = _blocks(text.decode("utf-8", errors="replace"))
    spectra = [block for block in blocks if _IMPEDANCE.fullmatch(block.name) and block.rows]
    traces = [block for block in blocks if _TRACE.fullmatch(block.name) and block.rows]
    notes = []
    if about.get("EXPERIMENTABORTED") == "T":
        notes.append("the experiment was aborted, says the file: what was measured until then was read")
    about = {"instrument": "Gamry", **about, "text encoding": encoding}
    wanted = options.record or ("trace" if traces else "spectra")
    if spectra and traces and wanted == "trace":
        notes.append(f"{len(spectra)} impedance spectra stand beside the trace: --record spectra reads them")
    chosen = spectra if wanted == "spectra" else traces
    if not chosen:
        have = ", ".join(f"{block.name} ({len(block.rows)} rows)" for block in blocks) or "none"
        need = "ZCURVE" if wanted == "spectra" else "CURVE"
        raise InputError(f"holds no table {need} with rows; tables found: {have}", file.path)
    table = _joined(chosen, about, file, number=wanted == "spectra")
    if about.get("TAG") == "CORPOT" and not any(header.startswith("Im") for header in table.headers):
        notes.append("a measurement of the open circuit, without a column of current: the current is 0")
        table = _resting(table)
    return table_record(file, READER, options, replace(table, notes=tuple(notes)), GAMRY, about)


def _resting(table: Table) -> Table:
    headers = [*table.headers, "Im [A]"]

    def load(wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:
        return table.load(table.headers, text=text).with_columns(pl.lit(0.0).alias(headers[-1])).select(wanted)

    return replace(table, headers=headers, load=load)


def _blocks(text: str) -> tuple[list[_Block], dict[str, str]]:
    blocks: list[_Block] = []
    about: dict[str, str] = {}
    inside = False
    for number, line in enumerate((line.rstrip("\r") for line in text.split("\n")), start=1):
        match = _TABLE.fullmatch(line)
        if match is not None:
            blocks.append(_Block(match["name"]))
            inside = True
            continue
        if line[:1] not in {"\t", " "} or not inside:
            inside = inside and not line.strip()
            tagged = _TAGGED.match(line)
            if line.startswith("TAG\t"):
                about.setdefault("TAG", line.split("\t")[1].strip())
            if tagged is not None and tagged["value"].strip():
                about.setdefault(tagged["name"], tagged["value"].strip())
            continue
        # rows that an editor went over may have blanks for tabs
        fields = [entry.strip() for entry in line.split("\t")[1:]] if line.startswith("\t") else line.split()
        block = blocks[-1]
        if not block.headers:
            block.headers = fields
        elif not block.units:
            block.units = fields
        elif any(fields):
            block.rows.append(fields)
            block.lines.append(number)
    return blocks, about


def _joined(blocks: list[_Block], about: dict[str, str], file: File, *, number: bool) -> Table:
    """Join tables of one kind; spectra get a column with the number of their table."""
    first = blocks[0]
    for block in blocks[1:]:
        if (block.headers, block.units) != (first.headers, first.units):
            raise InputError(f"its tables {first.name} and {block.name} have different columns", file.path)
    units = [*first.units, *[""] * len(first.headers)]
    headers = [f"{name} [{unit}]" if unit else name for name, unit in zip(first.headers, units, strict=False)]
    rows = [row for block in blocks for row in block.rows]
    if number:
        headers = ["spectrum", *headers]
        rows = [[str(place), *row] for place, block in enumerate(blocks, start=1) for row in block.rows]
    lines = [line for block in blocks for line in block.lines]
    comma = any("," in entry for row in rows[:200] for entry in row)
    return text_rows(headers, rows, lines, "," if comma else ".", about)


READER = Reader("gamry", "Gamry .DTA", VERSION, (".dta",), _read, sniff=_sniff)
