"""Battery Data Format: csv with machine-readable names or labels, and Parquet; what `writing` wrote comes back whole.

What a csv cannot say stands in one more column, ``sodiophile_origin``: the first row holds a JSON object, and every row of
a simulated record says ``simulated``, so that the mark outlives a cut file. In Parquet it is metadata of the file.
"""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader
from sodiophile.readers.delimited import content_table, peek_headers
from sodiophile.readers.mapping import recognize
from sodiophile.readers.normal import understand
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.provenance import record
from sodiophile.readers.table import Table, unique_headers
from sodiophile.readers.vendors import ANY, BDF
from sodiophile.records import CyclingRecord

VERSION = "1"
ORIGIN = "sodiophile_origin"
SIMULATED = "simulated"
_MAX_CELLS = 1 << 30
_MAX_ORIGIN = 1 << 20


@dataclass(frozen=True)
class Origin:
    """What a file that we wrote says of its record.

    Parameters
    ----------
    simulated
        Whether a virtual instrument made it.
    metadata, notes
        Of the record.
    provenance
        Of the record, as dictionaries.
    """

    simulated: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: tuple[dict[str, Any], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Origin | None:
        """Read it from JSON; None if it is not ours. It comes from a file, so nothing in it is believed to be of a type."""
        try:
            found = json.loads(text[:_MAX_ORIGIN])
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        about, notes, places = (found.get(key) for key in ("metadata", "notes", "provenance"))
        return cls(
            simulated=found.get("simulated") is True,
            metadata={str(key): str(value) for key, value in about.items()} if isinstance(about, dict) else {},
            notes=tuple(map(str, notes)) if isinstance(notes, list) else (),
            provenance=tuple(entry for entry in places if isinstance(entry, dict)) if isinstance(places, list) else (),
        )


def _sniff(file: File, options: ReadOptions) -> str | None:
    if recognize(peek_headers(file, options)) is BDF:
        return "its columns have the names of the Battery Data Format"
    return "the extension .bdf.csv" if file.path.name.lower().endswith(".bdf.csv") else None


def _read_csv(file: File, options: ReadOptions) -> CyclingRecord:
    table = content_table(file, options)
    origin = None
    if ORIGIN in table.headers:
        marks = table.load([ORIGIN], text=[ORIGIN])[ORIGIN].drop_nulls()
        first = marks[0] if len(marks) else ""
        origin = Origin.parse(first) or Origin()
        if (marks == SIMULATED).any():
            origin = replace(origin, simulated=True)
        table = replace(table, headers=[header for header in table.headers if header != ORIGIN])
    return _record(file, CSV, table, origin, options)


def _read_parquet(file: File, options: ReadOptions) -> CyclingRecord:
    about = pl.read_parquet_metadata(file.path)
    scan = pl.scan_parquet(file.path)
    schema = scan.collect_schema()
    rows = int(scan.select(pl.len()).collect().item())
    if rows * max(1, len(schema)) > _MAX_CELLS:
        raise InputError(f"holds {rows} rows of {len(schema)} columns, expected at most {_MAX_CELLS} fields", file.path)
    names = dict(zip(unique_headers(schema.names()), schema.names(), strict=True))

    def load(wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:  # noqa: ARG001  typed already
        return scan.select([pl.col(names[name]).alias(name) for name in wanted]).collect()

    origin = Origin.parse(about[ORIGIN]) if ORIGIN in about else None
    return _record(file, PARQUET, Table(list(names), load, lambda row: f"row {row + 1}"), origin, options)


def _record(file: File, reader: Reader, table: Table, origin: Origin | None, options: ReadOptions) -> CyclingRecord:
    vendor = recognize(table.headers) or ANY
    # what we wrote is signed already: its states may be of a protocol that calls plating a discharge
    told = options.model_copy(update={"sign": "as written"}) if origin is not None and options.sign is None else options
    found = understand(table, vendor, told, file.path, keep=True)
    if origin is None:
        return record(file, reader, options, found, table.metadata)
    found = replace(found, notes=(*origin.notes, *(note for note in found.notes if note not in origin.notes)))
    made = record(file, reader, options, found, origin.metadata, simulated=origin.simulated)
    place = replace(made.provenance[0], options={**made.provenance[0].options, "converted_from": list(origin.provenance)})
    return replace(made, provenance=(place,))


CSV = Reader("bdf", "Battery Data Format, csv", VERSION, (".bdf.csv", ".csv"), _read_csv, sniff=_sniff)

PARQUET = Reader(
    "parquet", "Battery Data Format or any table, Parquet", VERSION, (".parquet",), _read_parquet, magic=(b"PAR1",)
)
