"""Delimited text of any vendor: the table of a csv, txt or mpt file."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import PEEK_BYTES, File
from sodiophile.readers.layout import Layout, decode, fields, find_layout
from sodiophile.readers.mapping import is_known
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.table import Table, unique_headers

_BLANKS = re.compile(rb"[ \t]+")
_METADATA_LINES = 200


def text_table(data: bytes, options: ReadOptions, where: object) -> Table:
    """Find the table in the bytes of a text file.

    Raises
    ------
    InputError
        If the file is empty, no text, or holds no table.
    """
    text, encoding = decode(data, options.encoding, where)
    named = {column.partition("[")[0].strip() for column in options.columns.values()}
    layout = find_layout(text, options, lambda header: is_known(header) or header in named, where)
    return table_at(text, layout, where, metadata(layout.above), encoding)


def table_at(text: bytes, layout: Layout, where: object, about: dict[str, str], encoding: str) -> Table:
    """Return the table that stands in UTF-8 text at a known place."""
    offset = 0
    for _ in range(layout.first_line):
        offset = text.index(b"\n", offset) + 1
    headers = unique_headers([*layout.headers, *[""] * (layout.width - len(layout.headers))])
    body = text[offset:] if offset else text
    first_line = layout.first_line + 1

    def load(wanted: Sequence[str]) -> pl.DataFrame:
        return _load(body, headers, wanted, layout.delimiter, first_line, where)

    shown = headers[: len(layout.headers)]
    return Table(
        shown,
        load,
        lambda row: f"line {first_line + row}",
        layout.decimal,
        {**about, "text encoding": encoding, "decimal sign": layout.decimal},
    )


def _load(
    body: bytes, headers: Sequence[str], wanted: Sequence[str], delimiter: str, first_line: int, where: object
) -> pl.DataFrame:
    split = delimiter
    if delimiter == " ":
        body = b"\n".join(_BLANKS.sub(b"\t", line.strip()) for line in body.split(b"\n"))
        split = "\t"
    places = {headers.index(name) for name in wanted}

    def table(*, cut: bool) -> pl.DataFrame:
        return pl.read_csv(
            body,
            has_header=False,
            separator=split,
            quote_char='"' if b'"' in body else None,
            schema=dict.fromkeys(headers, pl.String),
            columns=sorted(places),
            truncate_ragged_lines=cut,
            raise_if_empty=False,
        )

    try:
        return table(cut=False).select(wanted)
    except pl.exceptions.ComputeError:
        for number, line in enumerate(body.split(b"\n")):
            beyond = fields(line.decode("utf-8", errors="replace").rstrip("\r"), split)[len(headers) :]
            if any(beyond):
                found = len(headers) + len(beyond)
                raise InputError(
                    f"line {first_line + number}: holds {found} fields, expected {len(headers)}; the line is damaged", where
                ) from None
        return table(cut=True).select(wanted)


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
            cells = [cell for cell in fields(line, delimiter) if cell]
            if len(cells) >= 2:
                name, value = cells[0].rstrip(" :"), " ".join(cells[1:])
                break
        else:
            name, colon, value = line.partition(":")
            if not colon:
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
