"""Sheets of a workbook, through fastexcel: the sheet that holds a table, or several that continue one another."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers import guard
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.either import table_record
from sodiophile.readers.layout import find_header, with_units
from sodiophile.readers.listening import Listener
from sodiophile.readers.mapping import choose, is_known, recognize, shown
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.spectrum_columns import find_parts, is_spectral
from sodiophile.readers.table import Table, unique_headers
from sodiophile.readers.vendors import ANY

VERSION = "3"
_PEEK_ROWS = 200
_CONTINUED = re.compile(r"(?P<name>.*\D\d+)_(?P<part>\d+)")
_OLD = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class _Sheet:
    name: str
    headers: tuple[str, ...]
    first_row: int


def _sniff(file: File, _options: ReadOptions) -> str | None:
    if "xl/workbook.xml" in file.members:
        return "an archive that holds xl/workbook.xml"
    if file.head.startswith(_OLD) or file.extension in {".xlsx", ".xlsm", ".xls"}:
        return "a workbook by its extension" if file.extension in READER.extensions else "a workbook by its first bytes"
    return None


def _read(file: File, options: ReadOptions) -> Record:
    if not file.head.startswith(_OLD):
        guard.check_zip(file.path, needed="xl/workbook.xml", measure=True)
    import fastexcel

    with Listener("fastexcel"), guard.one_line(file.path, "a workbook"):
        book = fastexcel.read_excel(file.path)
        names = list(book.sheet_names)
        wanted = names if options.sheet is None else [name for name in names if options.sheet in {name, _test_of(name)}]
        if not wanted:
            raise InputError(f"no sheet {options.sheet!r}; found {shown(names)}", file.path)
        sheets = [_peek(book, name) for name in wanted]
        parts = _one_test([sheet for sheet in sheets if sheet is not None], options, file)
        table = _table(book, parts)
        vendor = recognize(table.headers) or ANY
        about = {} if vendor is ANY else {"instrument": vendor.title.split(" ")[0]}
        about["sheet"] = ", ".join(sheet.name for sheet in parts)
        return table_record(file, READER, options, table, vendor, about)


def _peek(book: Any, name: str) -> _Sheet | None:
    sheet = book.load_sheet(name, header_row=None, skip_rows=0, n_rows=_PEEK_ROWS, dtypes="string").to_polars()
    rows = [[(field or "").strip() for field in row] for row in sheet.rows()]
    header, first = find_header(rows, lambda name: is_known(name) or is_spectral(name))
    if first is None:
        return None
    if header is None:
        return _Sheet(name, tuple(f"column {place + 1}" for place in range(len(rows[first]))), first)
    headers = with_units(rows[header], rows, header, first) if first > header + 1 else rows[header]
    return _Sheet(name, tuple(unique_headers(headers)), first)


def _one_test(sheets: Sequence[_Sheet], options: ReadOptions, file: File) -> list[_Sheet]:
    """Return the sheets that hold the one test: one, or several numbered on."""
    if not sheets:
        raise InputError("no sheet holds a table: expected a row of headers and rows of numbers under it", file.path)
    fitting: list[_Sheet] = []
    fault: InputError | None = None
    nearest = 0
    for sheet in sheets:
        try:
            choose(sheet.headers, recognize(sheet.headers) or ANY, options, f"{file.path}, sheet {sheet.name!r}")
            fitting.append(sheet)
        except InputError as error:
            try:
                spectral = find_parts(sheet.headers, options, f"{file.path}, sheet {sheet.name!r}") is not None
            except InputError:
                spectral = False
            if spectral:
                fitting.append(sheet)
            near = sum(is_known(header) for header in sheet.headers)
            if fault is None or near > nearest:
                fault, nearest = error, near
    if not fitting:
        raise fault or InputError("no sheet holds time, current and voltage", file.path)
    groups: dict[tuple[str, tuple[str, ...]], list[_Sheet]] = {}
    for sheet in fitting:
        groups.setdefault((_test_of(sheet.name), sheet.headers), []).append(sheet)
    if len(groups) > 1:
        raise InputError(
            f"several sheets hold a test: {shown([sheet.name for sheet in fitting])}; "
            f"choose one: --sheet {_test_of(fitting[0].name)!r}",
            file.path,
        )
    (together,) = groups.values()
    return sorted(together, key=lambda sheet: (len(sheet.name), sheet.name))


def _test_of(name: str) -> str:
    """Return the name of the test to which a sheet belongs: ``Channel_11_1`` and ``Channel_11_2`` to ``Channel_11``."""
    match = _CONTINUED.fullmatch(name)
    return match["name"] if match is not None else name


def _table(book: Any, sheets: Sequence[_Sheet]) -> Table:
    headers = sheets[0].headers
    heights: list[int] = []

    def load(wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:  # noqa: ARG001  typed already
        parts = []
        heights.clear()
        for sheet in sheets:
            part = book.load_sheet(sheet.name, header_row=None, skip_rows=sheet.first_row, schema_sample_rows=None)
            frame = part.to_polars()
            frame = frame.rename(dict(zip(frame.columns, headers, strict=False)))
            parts.append(frame.select([name for name in wanted if name in frame.columns]))
            heights.append(frame.height)
        return pl.concat(parts, how="diagonal_relaxed").select(wanted)

    def locate(row: int) -> str:
        for sheet, height in zip(sheets, heights, strict=True):
            if row < height:
                return f"row {sheet.first_row + 1 + row} of sheet {sheet.name!r}"
            row -= height
        return f"row {row + 1}"

    notes = (f"{len(sheets)} sheets that continue one another were joined",) if len(sheets) > 1 else ()
    return Table(list(headers), load, locate, notes=notes)


READER = Reader(
    name="excel",
    title="a workbook (Excel) of any vendor",
    version=VERSION,
    extensions=(".xlsx", ".xlsm", ".xls"),
    read=_read,
    sniff=_sniff,
    extra="excel",
    module="fastexcel",
)
