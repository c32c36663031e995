"""Delimited text of any vendor: the table of a csv, txt or mpt file."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import PEEK_BYTES, File
from sodiophile.readers.layout import Layout, decode, fields, find_layout, is_data
from sodiophile.readers.levels import headers_above, records, widened
from sodiophile.readers.mapping import is_known
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.spectrum_columns import is_spectral
from sodiophile.readers.table import Table, unique_headers

_BLANKS = re.compile(rb"[ \t]+")
_IN_QUOTES = re.compile(rb'"[^"]*[,;\t][^"]*"\r?$')
_LINES_IN_QUOTES = re.compile(rb'(?m)^"([^"\n]*[,;\t][^"\n]*)"(\r?)$')
_MINUS = "\N{MINUS SIGN}".encode()
_TYPESET_MINUS = re.compile(rb"(?:(?<![\w)\]])|(?<=\d[eE]))" + _MINUS + rb"(?=[.,]?\d)")
_METADATA_LINES = 200
_PROBE_ROWS = 100
_PLAIN = {sign: re.compile(rf"[+-]?(\d+[{sign}]?\d*|[{sign}]\d+)([eE][+-]?\d+)?") for sign in ".,"}


def text_table(data: bytes, options: ReadOptions, where: object) -> Table:
    """Find the table in the bytes of a text file.

    Raises
    ------
    InputError
        If the file is empty, no text, or holds no table.
    """
    text, encoding = decode(data, options.encoding, where)
    text, notes = _plain_minus(text)
    text, notes = _unwrapped(text, notes)
    named = {column.partition("[")[0].strip() for column in options.columns.values()}
    layout = find_layout(text, options, lambda header: is_known(header) or is_spectral(header) or header in named, where)
    text, notes = _joined(text, layout, notes)
    above = headers_above(layout)
    if above:
        layout = widened(layout, above)
    table = replace(table_at(text, layout, where, metadata(layout.above), encoding), notes=notes)
    return records(table, layout.width, above) if above else table


def _plain_minus(text: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return UTF-8 text with the minus signs of typography before numbers as hyphens, and a note of it."""
    if text.isascii() or _MINUS not in text:
        return text, ()
    text, count = _TYPESET_MINUS.subn(b"-", text)
    return text, (f"{count} minus signs of typography (U+2212) before numbers were read as '-'",) if count else ()


def _unwrapped(text: bytes, notes: tuple[str, ...]) -> tuple[bytes, tuple[str, ...]]:
    """Return text whose lines stand whole in quotes (written by one program, as one field, by the next) without these."""
    sample = text[: 1 << 18].split(b"\n")[-200:-1]
    if sum(_IN_QUOTES.match(line) is not None for line in sample) * 2 <= len(sample) or not sample:
        return text, notes
    return _LINES_IN_QUOTES.sub(rb"\1\2", text), (*notes, "lines that stand whole in quotes were read without them")


def _joined(text: bytes, layout: Layout, notes: tuple[str, ...]) -> tuple[bytes, tuple[str, ...]]:
    """Return text in which the headers stand once: what stands about their repetitions is emptied, the rows are joined."""
    start = 0
    for _ in layout.above:
        start = text.index(b"\n", start) + 1
    end = text.find(b"\n", start)
    headers = text[start:end]
    # numbers alone hold no such letter, and one letter is looked for far faster than a line
    letter = re.search(rb"[^\d\seE.,;:/+\-]", headers)
    if end < 0 or layout.headers[0] == "column 1" or letter is None or text.find(letter[0], end) < 0:
        return text, notes
    if text.find(b"\n" + headers, end) < 0:
        return text, notes
    lines = text.split(b"\n")
    first = len(layout.above)
    units = layout.first_line - first - 1
    again = [place for place, line in enumerate(lines) if place > first and line == headers]
    for place in again:
        lines[place : place + 1 + units] = [b""] * len(lines[place : place + 1 + units])
        before = place - 1
        while before > first and not _is_row(lines[before], layout):
            lines[before] = b""
            before -= 1
    said = f"the headers stand {len(again) + 1} times (again in line {', '.join(str(place + 1) for place in again[:10])})"
    return b"\n".join(lines), (*notes, f"{said}: the rows under them were joined")


def _is_row(line: bytes, layout: Layout) -> bool:
    cells = fields(line.decode("utf-8", errors="replace").rstrip("\r"), layout.delimiter)
    return sum(map(is_data, cells)) >= max(2, len(layout.headers) // 2)


def table_at(text: bytes, layout: Layout, where: object, about: dict[str, str], encoding: str) -> Table:
    """Return the table that stands in UTF-8 text at a known place."""
    headers = unique_headers([*layout.headers, *[""] * (layout.width - len(layout.headers))])
    first_line = layout.first_line + 1
    rows = _Rows(text, headers, layout, where)
    return Table(
        headers[: len(layout.headers)],
        rows.load,
        lambda row: f"line {first_line + row + _breaks_before(text, layout, row)}",
        layout.decimal,
        {**about, "text encoding": encoding, "decimal sign": layout.decimal},
    )


def _breaks_before(text: bytes, layout: Layout, row: int) -> int:
    """Return how many line breaks within quotes stand in the rows before `row`: its line is so much further down."""
    if b'"' not in text or layout.delimiter == " ":
        return 0
    rows = breaks = 0
    inside = False
    for number, line in enumerate(text.split(b"\n")):
        if number < layout.first_line:
            continue
        if rows == row and not inside:
            break
        inside ^= line.count(b'"') % 2 == 1
        rows += not inside
        breaks += inside
    return breaks


@dataclass(frozen=True)
class _Rows:
    """The rows of a delimited text, read when the columns that are needed are known."""

    text: bytes
    headers: Sequence[str]
    layout: Layout
    where: object

    def load(self, wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:
        """Load columns: as numbers at once where the first rows hold plain ones and no later row objects, else as text."""
        body, split, skip = self.text, self.layout.delimiter, self.layout.first_line
        if split == " ":
            body = b"\n".join(_BLANKS.sub(b"\t", line.strip()) for line in body.split(b"\n"))
            split = "\t"
        plain = [name for name in self._plain_numbers() if name in wanted and name not in text]
        for kinds, cut in ((dict.fromkeys(plain, pl.Float64), False), ({}, False), ({}, True)):
            try:
                frame = pl.read_csv(
                    body,
                    has_header=False,
                    separator=split,
                    skip_lines=skip,
                    quote_char='"' if b'"' in body else None,
                    schema={name: kinds.get(name, pl.String) for name in self.headers},
                    columns=sorted({self.headers.index(name) for name in wanted}),
                    truncate_ragged_lines=cut,
                    missing_columns="insert",
                    decimal_comma=self.layout.decimal == "," and bool(kinds),
                    raise_if_empty=False,
                )
                return frame.select(wanted).rechunk()
            except pl.exceptions.ComputeError:
                if not kinds and not cut:
                    self._refuse_long_line(body, split)
        raise InputError("holds a table that cannot be cut into fields", self.where)

    def _plain_numbers(self) -> list[str]:
        """Return the headers over which the first rows hold nothing but plain numbers."""
        plain = _PLAIN[self.layout.decimal]
        if self.layout.decimal == "," and self.text.find(b".", self._offset()) >= 0:
            return []  # a point may group digits, and polars would take it for a decimal sign
        lines = self.text[: 1 << 18].decode("utf-8", errors="replace").split("\n")
        lines = lines[self.layout.first_line : self.layout.first_line + _PROBE_ROWS]
        rows = [fields(line.rstrip("\r"), self.layout.delimiter) for line in lines if line.strip()]
        columns = zip_longest(*rows, fillvalue="")
        return [
            name
            for name, column in zip(self.headers, columns, strict=False)
            if any(column) and all(not cell or plain.fullmatch(cell) for cell in column)
        ]

    def _offset(self) -> int:
        """Return where the first row starts, in bytes."""
        offset = 0
        for _ in range(self.layout.first_line):
            offset = self.text.index(b"\n", offset) + 1
        return offset

    def _refuse_long_line(self, body: bytes, split: str) -> None:
        for number, line in enumerate(body.split(b"\n")):
            if number < self.layout.first_line:
                continue
            beyond = fields(line.decode("utf-8", errors="replace").rstrip("\r"), split)[len(self.headers) :]
            if any(beyond):
                found, expected = len(self.headers) + len(beyond), len(self.headers)
                raise InputError(
                    f"line {number + 1}: holds {found} fields, expected {expected}; the line is damaged", self.where
                )


def peek_headers(file: File, options: ReadOptions) -> tuple[str, ...]:
    """Return the headers as far as the first bytes of a file tell them; none where they show no table."""
    key = f"headers {options!r}"
    if key not in file.seen:
        end = file.head.rfind(b"\n") if len(file.head) == PEEK_BYTES else len(file.head)
        try:
            file.seen[key] = tuple(text_table(file.head[:end], options, file.path).headers)
        except InputError:
            file.seen[key] = ()
    return file.seen[key]


def metadata(lines: Sequence[str]) -> dict[str, str]:
    """Read ``name: value`` lines (or name, delimiter, value) above a table, as text."""
    out: dict[str, str] = {}
    for line in lines[:_METADATA_LINES]:
        if len(line) > 500:
            continue
        for delimiter in ("\t", ",", ";"):
            cells = [cell for cell in fields(line.rstrip(" \t,;"), delimiter) if cell]
            if len(cells) >= 2:
                name, value = cells[0].rstrip(" :"), " ".join(cells[1:])
                break
        else:
            name, sign, value = line.rstrip(" \t,;").partition(":" if ":" in line else "=")
            if not sign:
                continue
        if name.strip() and value.strip():
            out.setdefault(name.strip().rstrip(":"), value.strip())
    return out


def content_table(file: File, options: ReadOptions) -> Table:
    """Return the table of a text file.

    Raises
    ------
    InputError
        If there is none.
    """
    data = file.content()
    if len(data) > 1 << 32:
        raise InputError("is larger than 4 GiB, expected a test in parts", file.path)
    return text_table(data, options, file.path)
