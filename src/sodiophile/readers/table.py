"""A table as a file holds it: headers, and columns of text or numbers that are loaded when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl


class Load(Protocol):
    """Loads columns."""

    def __call__(self, wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:
        """Load the columns `wanted`, by header, in full; those in `text` as text even if they look like numbers."""
        ...


@dataclass(frozen=True)
class Table:
    """One table of one file, not yet understood.

    Parameters
    ----------
    headers
        As the file writes them, made unique; fields without a header are ``column 3``.
    load
        Loads some of the columns.
    locate
        Tells where a row (counted from 0) stands in the file: ``line 17``.
    decimal
        The decimal sign.
    metadata
        What the file says of itself above the table.
    notes
        What was odd about the table.
    """

    headers: Sequence[str]
    load: Load
    locate: Callable[[int], str]
    decimal: str = "."
    metadata: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def unique_headers(headers: Sequence[str]) -> list[str]:
    """Return the headers stripped, the empty ones named by their place, repeated ones counted: ``I``, ``I (2)``."""
    out: list[str] = []
    taken: set[str] = set()
    for place, header in enumerate(headers, start=1):
        name = " ".join(header.split()) or f"column {place}"
        count, candidate = 1, name
        while candidate in taken:
            count += 1
            candidate = f"{name} ({count})"
        taken.add(candidate)
        out.append(candidate)
    return out


def text_rows(
    headers: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[int], decimal: str, metadata: dict[str, str]
) -> Table:
    """Return a table of rows that were cut out of a text.

    Parameters
    ----------
    headers
        As the file writes them.
    rows
        Their fields as text; what a row lacks is blank, what it has beyond the headers is left out.
    lines
        The line of the file in which each row stands, counted from 1.
    decimal
        The decimal sign.
    metadata
        What the file says of itself.
    """
    names = unique_headers(headers)
    filled = [[*row[: len(names)], *[""] * (len(names) - len(row))] for row in rows]
    frame = pl.DataFrame(filled, schema=dict.fromkeys(names, pl.String), orient="row")
    return Table(names, framed(frame), lambda row: f"line {lines[row]}", decimal, metadata)


def framed(frame: pl.DataFrame) -> Load:
    """Return what loads the columns of a frame, which are what they are."""

    def load(wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:  # noqa: ARG001  nothing to choose
        return frame.select(wanted)

    return load
