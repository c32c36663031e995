"""BioLogic EC-Lab and BT-Lab text exports (.mpt, .txt), with their header or without it.

The header says how many lines it has; the table under it is separated by tabs, in UTF-8 or Latin-1, with a decimal point
or comma. Times are seconds since the start of the test, or dates. Rows of impedance measurements inside a technique
carry a frequency above zero; a file with no others becomes spectra. The sign of the current is that of oxidation at the
working electrode.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.delimited import peek_headers, table_at, text_table
from sodiophile.readers.either import table_record
from sodiophile.readers.layout import Layout, decode, fields
from sodiophile.readers.mapping import recognize
from sodiophile.readers.normal import Understood
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.table import Table
from sodiophile.readers.vendors import ECLAB

VERSION = "3"
_TITLE = re.compile(rb"\s*(EC|BT)-Lab\s+ASCII\s+FILE", re.IGNORECASE)
_COUNT = re.compile(rb"Nb header lines\s*:\s*(\d{1,6})", re.IGNORECASE)
_CURRENT = "I/mA"
OPEN_CIRCUIT = "open circuit voltage"
_ABOUT = re.compile(r"\t?(?P<name>[A-Za-z][^:\t]{1,40}?)\s*:\s+(?P<value>\S.*)")


def _sniff(file: File, options: ReadOptions) -> str | None:
    if _TITLE.match(file.head.removeprefix(b"\xef\xbb\xbf")):
        return "its first line says EC-Lab ASCII FILE"
    if recognize(peek_headers(file, options)) is ECLAB:
        return "its columns are those of EC-Lab"
    return "the extension .mpt" if file.extension == ".mpt" else None


def eclab_table(data: bytes, options: ReadOptions, where: object) -> Table:
    """Find the table of an EC-Lab text export.

    Raises
    ------
    InputError
        If it is cut off within its header, or its rows are wider than its headers.
    """
    text, encoding = decode(data, options.encoding, where)
    count = _COUNT.search(text[:2000])
    if count is None:
        return text_table(data, options, where)
    lines = text[: 1 << 20].decode("utf-8", errors="replace").split("\n")
    place = int(count[1]) - 1
    if place >= len(lines) - 1 or place < 2:
        raise InputError(f"says it has {int(count[1])} header lines, found {len(lines)}; it is cut off", where)
    names = fields(lines[place].rstrip("\r\n"), "\t")
    while names and not names[-1]:
        names.pop()
    samples = [fields(line, "\t") for line in lines[place + 1 : place + 200] if line.strip()]
    if not names or not samples:
        raise InputError("holds a header but no rows of data", where)
    filled = [len(row) - (row[-1] == "") for row in samples]
    if max(filled) > len(names):
        raise InputError(
            f"line {place + 2 + filled.index(max(filled))}: holds {max(filled)} fields under {len(names)} headers; "
            "the columns cannot be told apart, export the file again",
            where,
        )
    above = tuple(line.rstrip("\r") for line in lines[:place])
    decimal = options.decimal or ("," if any("," in field for row in samples for field in row[: len(names)]) else ".")
    width = max(len(names), *(len(row) for row in samples))
    about = {"technique": above[3].strip()} if len(above) > 3 and above[3].strip() else {}
    for line in above:
        match = _ABOUT.fullmatch(line.rstrip())
        if match is not None:
            about.setdefault(match["name"].strip(), match["value"].strip())
    return table_at(text, Layout(tuple(names), "\t", decimal, width, place + 1, above), where, about, encoding)


def _read(file: File, options: ReadOptions) -> Record:
    table = eclab_table(file.content(), options, file.path)
    if table.metadata.get("technique", "").casefold().startswith(OPEN_CIRCUIT):
        table = resting(table)
    return eclab_record(file, READER, options, table)


def resting(table: Table) -> Table:
    """Return the table of a technique at open circuit, which holds no current, with the current that it has: none."""
    if any(part in header for header in table.headers for part in ("/mA", "/A", "/C")):
        return table

    def load(wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:
        others = [name for name in wanted if name != _CURRENT]
        frame = table.load(others or list(table.headers[:1]), text=text)
        return frame.with_columns(pl.lit(0.0).alias(_CURRENT)).select(wanted)

    note = "a technique at open circuit, without a column of current: the current is 0"
    return replace(table, headers=[*table.headers, _CURRENT], load=load, notes=(*table.notes, note))


def eclab_record(file: File, reader: Reader, options: ReadOptions, table: Table) -> Record:
    """Make the record of a table with the columns of EC-Lab, from text or binary.

    Raises
    ------
    InputError
        If the table is at fault, or does not hold what was asked for.
    """

    def finish(found: Understood) -> Understood:
        notes = list(found.notes)
        others = [header for header in table.headers if header in {"Ewe-Ece/V", "Ecell/V", "<Ewe-Ece>/V"}]
        voltage = next(entry.header for entry in found.mapped if entry.column == "voltage_volt")
        if others and voltage not in others:
            notes.append(
                f"a file of three electrodes: the voltage is {voltage!r}, the working electrode against the reference; "
                f"the cell voltage stands in {others[0]!r}"
            )
        data = found.data
        if "step_count" not in data.columns and "step_id" in data.columns:
            data = data.with_columns(_steps())
        return replace(found, data=data, notes=tuple(notes))

    return table_record(file, reader, options, table, ECLAB, table.metadata, finish)


def _steps() -> pl.Expr:
    """Count the steps: EC-Lab numbers its sequences and comes back to the same number in a loop."""
    changed = pl.col("step_id").diff().fill_null(0) != 0
    return (changed.cum_sum() + 1).cast(pl.Int64).alias("step_count")


READER = Reader(
    name=ECLAB.name,
    title=ECLAB.title,
    version=VERSION,
    extensions=(".mpt", ".txt"),
    read=_read,
    sniff=_sniff,
)
