"""Write a record as BDF csv or Parquet, whole: read back it is the same, simulated stays simulated.

Two layouts of vendors besides, for programs that read nothing else (`writing_vendors`).
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import Record
from sodiophile.readers.bdf import ORIGIN, SIMULATED
from sodiophile.readers.writing_vendors import VENDORS
from sodiophile.records import ImpedanceRecord


def write(record: Record, path: str | Path) -> Path:
    """Write a record under BDF's machine-readable names, or in the layout of a vendor.

    A csv gets one column more, ``sodiophile_origin``, with metadata, notes and provenance in its first row (JSON) and the
    word ``simulated`` in every other row of a simulated record; a Parquet file keeps them in its metadata.

    Parameters
    ----------
    record
        What to write.
    path
        Ends in ``.csv`` (``.bdf.csv`` by custom), ``.parquet``, ``.mpt`` (EC-Lab) or ``.z`` (ZPlot, one spectrum). An older
        file is replaced once the new one is whole.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    InputError
        If the extension is another one, its layout has no place for the record, or the file cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in {".csv", ".parquet", *VENDORS}:
        raise InputError(
            f"found the extension {kind or 'none'!r}, expected .bdf.csv, .csv or .parquet, or {' or '.join(VENDORS)}", path
        )
    origin = json.dumps(
        {
            "simulated": record.simulated,
            "metadata": dict(record.metadata),
            "notes": list(record.notes),
            "provenance": [place.to_dict() for place in record.provenance],
            **_temperatures(record),
        },
        ensure_ascii=False,
    )
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as stream:
            unfinished = Path(stream.name)
        try:
            if kind in VENDORS:
                _as_vendor(record, path, unfinished, origin)
            elif kind == ".parquet":
                record.data.write_parquet(unfinished, metadata={ORIGIN: origin})
            else:
                _marked(record, origin).write_csv(unfinished)
            unfinished.chmod(0o666 & ~_umask())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", path) from error
    return path


def _as_vendor(record: Record, path: Path, unfinished: Path, origin: str) -> None:
    try:
        # without letters that another encoding would read otherwise
        VENDORS[path.suffix.lower()](record, unfinished, json.dumps(json.loads(origin)))
    except InputError as error:
        raise error.within(path) from None


def _temperatures(record: Record) -> dict[str, list[float]]:
    if isinstance(record, ImpedanceRecord) and isinstance(record.temperature_K, tuple):
        return {"temperature_K": list(record.temperature_K)}
    return {}


def _marked(record: Record, origin: str) -> pl.DataFrame:
    rest = SIMULATED if record.simulated else None
    return record.data.with_columns(pl.Series(ORIGIN, [origin, *[rest] * (len(record) - 1)], dtype=pl.String))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
