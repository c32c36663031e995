"""Tables that hold cycles, steps and records on top of one another, as Neware's layered export does.

Three lines of headers stand above, each one field further to the right; a row belongs to the level at which its first
filled field stands. The records are the table; the numbers of their cycle and step, and the kind of the step, are taken
from the rows above them. A program may write the first step of a cycle on the line of the cycle.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from sodiophile.readers.layout import Layout, fields
from sodiophile.readers.table import Table
from sodiophile.readers.units import plain

_KEPT = frozenset(
    {"cycleindex", "cycleid", "cycle", "stepindex", "stepid", "stepnumber", "steptype", "stepname"}
    | {"循环号", "循环序号", "工步号", "工步序号", "工步类型"}
)


def headers_above(layout: Layout) -> list[list[str]]:
    """Return the headers of the levels above the records, outermost first; none where the table has but one level."""
    depth = next((place for place, name in enumerate(layout.headers) if name), 0)
    if depth == 0 or len(layout.above) < depth:
        return []
    above = [fields(line, layout.delimiter) for line in layout.above[-depth:]]
    for level, names in enumerate(above):
        if any(names[:level]) or len(names) <= level or not names[level]:
            return []
    return [[name for name in names[level:] if name] for level, names in enumerate(above)]


def widened(layout: Layout, above: Sequence[Sequence[str]]) -> Layout:
    """Return the layout with room for a line that holds a row of every level."""
    return replace(layout, width=max(layout.width, sum(map(len, above)) + len(above)))


def records(table: Table, width: int, above: Sequence[Sequence[str]]) -> Table:
    """Return the records of a layered table, with what is kept of the levels above them.

    Parameters
    ----------
    table
        All rows, as they stand in the file.
    width
        How many fields a row has at most.
    above
        What `headers_above` returned.
    """
    depth = len(above)
    columns = [*table.headers, *(f"column {place + 1}" for place in range(len(table.headers), width))]
    kept = {name: (level, place) for level, names in enumerate(above) for place, name in enumerate(names) if _kept(name)}
    own = list(table.headers[depth:])
    kept = {name: where for name, where in kept.items() if name not in own}
    lines: list[np.ndarray] = []

    def load(wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:  # noqa: ARG001  all is text here
        inner = [name for name in wanted if name not in kept]
        needed = [*columns[:depth], *(columns[place] for place in _places(kept, above, wanted)), *inner]
        needed = list(dict.fromkeys(name for name in needed if name in columns))
        frame = table.load(needed, text=needed)
        filled = [(frame[name].fill_null("").str.strip_chars() != "").to_numpy() for name in columns[:depth]]
        level = np.select(filled, range(depth), default=depth)
        out = {name: frame[name] for name in inner}
        for name in wanted:
            if name in kept:
                out[name] = _carried(frame, columns, level, *kept[name], above).alias(name)
        rows = level == depth
        lines[:] = [np.flatnonzero(rows)]
        return pl.DataFrame([out[name].alias(name) for name in wanted]).filter(pl.Series(rows))

    note = f"a table of {depth + 1} levels: the records were read, {', '.join(map(repr, kept))} from the rows above them"
    return replace(
        table,
        headers=[*own, *kept],
        load=load,
        locate=lambda row: table.locate(int(lines[0][row]) if lines else row),
        notes=(*table.notes, note),
    )


def _kept(name: str) -> bool:
    return plain(name) in _KEPT


def _places(kept: dict[str, tuple[int, int]], above: Sequence[Sequence[str]], wanted: Sequence[str]) -> list[int]:
    """Return the fields in which what is kept may stand: at its level, or behind the rows of the levels above."""
    out = []
    for name in wanted:
        if name in kept:
            level, place = kept[name]
            out += [level + place, *(sum(len(above[at]) for at in range(start, level)) + place for start in range(level))]
    return out


def _carried(
    frame: pl.DataFrame, columns: Sequence[str], level: np.ndarray, own: int, place: int, above: Sequence[Sequence[str]]
) -> pl.Series:
    """Return for every row what stands in a field of the last row of a level at or above it."""
    value = pl.Series([None] * frame.height, dtype=pl.String)
    for start in range(own + 1):
        at = start + place + sum(len(above[other]) for other in range(start, own))
        if columns[at] in frame.columns:
            here = pl.Series(level == start)
            text = frame[columns[at]].str.strip_chars()
            found = pl.select(pl.when(here & (text != "").fill_null(value=False)).then(text)).to_series()
            value = value.fill_null(found)
    return value.fill_null(strategy="forward")
