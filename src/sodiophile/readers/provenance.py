"""What every reader does at its end: a record with its provenance."""

from __future__ import annotations

from collections.abc import Mapping

from sodiophile.readers.base import File, Reader
from sodiophile.readers.mapping import Mapped
from sodiophile.readers.normal import Understood, guess_note
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.spectra import Spectra, name_note
from sodiophile.records import CyclingRecord, ImpedanceRecord, Provenance, file_sha256
from sodiophile.records.cycling import COLUMNS


def origin(
    file: File,
    reader: Reader,
    options: ReadOptions,
    mapped: tuple[Mapped, ...] = (),
    more: Mapping[str, object] | None = None,
) -> Provenance:
    """Return where a record comes from; the column map, guessed or not, is part of it."""
    told: dict[str, object] = {**options.told(), **(more or {})}
    if mapped:
        told["column_map"] = {entry.column: _source(entry) for entry in mapped}
        told["guessed"] = [entry.column for entry in mapped if entry.how == "guessed"]
    return Provenance(
        source=file.path.name,
        sha256=file_sha256(file.path),
        reader=reader.name,
        reader_version=reader.version,
        options=told,
        size_bytes=file.path.stat().st_size,
    )


def _source(entry: Mapped) -> str:
    return entry.header if not entry.unit or entry.unit in entry.header else f"{entry.header} [{entry.unit}]"


def record(
    file: File,
    reader: Reader,
    options: ReadOptions,
    found: Understood,
    metadata: Mapping[str, str],
    *,
    simulated: bool = False,
) -> CyclingRecord:
    """Make the record, its columns in the order of `COLUMNS`."""
    order = [column for column in COLUMNS if column in found.data.columns]
    data = found.data.select([*order, *(column for column in found.data.columns if column not in COLUMNS)])
    return CyclingRecord(
        data,
        (origin(file, reader, options, found.mapped),),
        dict(metadata),
        (*guess_note(found.mapped), *found.notes),
        simulated,
    )


def spectrum_record(
    file: File, reader: Reader, options: ReadOptions, found: Spectra, metadata: Mapping[str, str]
) -> ImpedanceRecord:
    """Make the record of impedance spectra; what the file's name says of a temperature is noted, not used."""
    notes = found.notes if found.temperature_K is not None else (*found.notes, *name_note(file.path.name))
    return ImpedanceRecord(
        found.data,
        (origin(file, reader, options, more=found.told),),
        found.temperature_K,
        dict(metadata),
        notes,
    )
