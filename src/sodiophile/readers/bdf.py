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
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.delimited import content_table, peek_headers
from sodiophile.readers.either import taken_as
from sodiophile.readers.mapping import recognize
from sodiophile.readers.normal import understand
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.provenance import record, spectrum_record
from sodiophile.readers.spectra import understand_spectra
from sodiophile.readers.spectrum_columns import Part, find_parts, missing_parts
from sodiophile.readers.table import Table, unique_headers
from sodiophile.readers.vendors import ANY, BDF
from sodiophile.records import ImpedanceRecord

VERSION = "2"
ORIGIN = "sodiophile_origin"
IN_WORDS = "SIMULATED: a virtual instrument made these numbers"
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
    temperature_K
        Of the spectra of the record, None where nobody stated them.
    """

    simulated: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: tuple[dict[str, Any], ...] = ()
    temperature_K: tuple[float, ...] | None = None

    @classmethod
    def parse(cls, text: str) -> Origin | None:
        """Read it from JSON; None if it is not ours. It comes from a file, so nothing in it is believed to be of a type."""
        try:
            found = json.loads(text[:_MAX_ORIGIN])
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        about, notes, places, warm = (found.get(key) for key in ("metadata", "notes", "provenance", "temperature_K"))
        numbers = isinstance(warm, list) and bool(warm) and all(isinstance(entry, int | float) for entry in warm)
        return cls(
            simulated=found.get("simulated") is True,
            metadata={str(key): str(value) for key, value in about.items()} if isinstance(about, dict) else {},
            notes=tuple(map(str, notes)) if isinstance(notes, list) else (),
            provenance=tuple(entry for entry in places if isinstance(entry, dict)) if isinstance(places, list) else (),
            temperature_K=tuple(map(float, warm)) if numbers and isinstance(warm, list) else None,
        )


def _sniff(file: File, options: ReadOptions) -> str | None:
    if recognize(peek_headers(file, options)) is BDF:
        return "its columns have the names of the Battery Data Format"
    return "the extension .bdf.csv" if file.path.name.lower().endswith(".bdf.csv") else None


def _read_csv(file: File, options: ReadOptions) -> Record:
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


def _read_parquet(file: File, options: ReadOptions) -> Record:
    _check_footer(file)
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


def _check_footer(file: File) -> None:
    """Refuse a cut off file before polars sees it, whose message of a panic would go to the terminal."""
    with file.path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 8))
        end = stream.read(8)
    length = int.from_bytes(end[:4], "little") if len(end) == 8 else 0
    if size < 12 or end[4:] != b"PAR1" or not 0 < length <= size - 12:
        raise InputError("is no whole Parquet file; it is damaged or cut off", file.path)


def _record(file: File, reader: Reader, table: Table, origin: Origin | None, options: ReadOptions) -> Record:
    vendor = recognize(table.headers) or ANY
    parts = find_parts(table.headers, options, file.path)
    note: tuple[str, ...] = ()
    if parts is not None:
        taken, note = taken_as(parts, table, vendor, options, file)
        if taken == "spectra":
            return _spectra(file, reader, table, parts, origin, options)
    elif options.record == "spectra":
        raise InputError(missing_parts(table.headers), file.path)
    # what we wrote is signed already: its states may be of a protocol that calls plating a discharge
    told = options.model_copy(update={"sign": "as written"}) if origin is not None and options.sign is None else options
    found = understand(table, vendor, told, file.path, keep=True)
    found = replace(found, notes=(*found.notes, *note))
    if origin is None:
        return record(file, reader, options, found, table.metadata)
    found = replace(found, notes=(*origin.notes, *(note for note in found.notes if note not in origin.notes)))
    made = record(file, reader, options, found, origin.metadata, simulated=origin.simulated)
    place = replace(made.provenance[0], options={**made.provenance[0].options, "converted_from": list(origin.provenance)})
    return replace(made, provenance=(place,))


def _spectra(
    file: File, reader: Reader, table: Table, parts: dict[str, Part], origin: Origin | None, options: ReadOptions
) -> ImpedanceRecord:
    # what we wrote holds Im Z, however odd the spectrum is
    ours = {"imaginary": "Im Z"} if origin is not None and options.imaginary is None else {}
    found = understand_spectra(table, parts, options.model_copy(update=ours), file.path, declared=True)
    made = spectrum_record(file, reader, options, found, table.metadata if origin is None else origin.metadata)
    if origin is None:
        return made
    place = replace(made.provenance[0], options={**made.provenance[0].options, "converted_from": list(origin.provenance)})
    notes = (*origin.notes, *(note for note in made.notes if note not in origin.notes))
    temperature = origin.temperature_K or made.temperature_K
    return replace(made, provenance=(place,), notes=notes, temperature_K=temperature, simulated=origin.simulated)


def restored(record: Record) -> Record:
    """Return a record with what we said of it in the header of a vendor's layout; as it is where we said nothing.

    Where another program has dropped our line of the header, the words that stand beside it still tell a simulated record.
    """
    origin = Origin.parse(record.metadata.get(ORIGIN, ""))
    if origin is None:
        told = any(IN_WORDS in text for text in record.metadata.values())
        return replace(record, simulated=True) if told else record
    place = replace(
        record.provenance[0], options={**record.provenance[0].options, "converted_from": list(origin.provenance)}
    )
    found = replace(
        record,
        metadata=origin.metadata,
        notes=(*origin.notes, *(note for note in record.notes if note not in origin.notes)),
        provenance=(place,),
        simulated=origin.simulated,
    )
    if isinstance(found, ImpedanceRecord) and origin.temperature_K is not None:
        return replace(found, temperature_K=origin.temperature_K)
    return found


CSV = Reader("bdf", "Battery Data Format, csv", VERSION, (".bdf.csv", ".csv"), _read_csv, sniff=_sniff)

PARQUET = Reader(
    "parquet", "Battery Data Format or any table, Parquet", VERSION, (".parquet",), _read_parquet, magic=(b"PAR1",)
)
