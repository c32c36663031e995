"""Neware .nda and .ndax files, through fastnda; bounded before it gets them, since a .ndax is a zip archive with XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers import guard
from sodiophile.readers.base import File, Reader
from sodiophile.readers.listening import Listener
from sodiophile.readers.mapping import Mapped
from sodiophile.readers.normal import Understood
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.provenance import record
from sodiophile.records import CyclingRecord

VERSION = "1"

COLUMNS = {
    "index": ("record_index", 1.0),
    "voltage_V": ("voltage_volt", 1.0),
    "current_mA": ("current_ampere", 1e-3),
    "unix_time_s": ("unix_time_second", 1.0),
    "step_time_s": ("step_time_second", 1.0),
    "total_time_s": ("test_time_second", 1.0),
    "cycle_count": ("cycle_count", 1.0),
    "step_count": ("step_count", 1.0),
    "step_index": ("step_id", 1.0),
    "step_type": ("step_type", 1.0),
    "capacity_mAh": ("step_net_capacity_ah", 1e-3),
}
"""Column of fastnda -> BDF column, factor."""

_TOLD = {
    "Raw cycle column missing": "the file stores no cycles: they were counted from its steps",
    "IMPORTANT: This ndax has negative jumps": "the clock of the cycler jumps back, and so does unix_time_second",
    "read_metadata": "",
}
"""Start or part of what fastnda says -> the same for the reader of a record; empty where it does not matter to one."""
_MOST_METADATA = 400


def _sniff(file: File, _options: ReadOptions) -> str | None:
    if file.head.startswith(b"NEWARE"):
        return "its first bytes say NEWARE"
    if "data.ndc" in file.members:
        return "an archive that holds data.ndc"
    if file.extension in {".ndax", ".nda"}:
        return f"the extension {file.extension}"
    return None


def _read(file: File, options: ReadOptions) -> CyclingRecord:
    zipped = not file.head.startswith(b"NEWARE")
    if zipped:
        guard.check_zip(file.path, needed="data.ndc")
    import fastnda

    with guard.renamed(file.path, ".ndax" if zipped else ".nda") as path, Listener("fastnda") as listener:
        with guard.one_line(file.path, "a Neware file"):
            raw = fastnda.read(path, cycle_mode="raw")
        try:
            about = fastnda.read_metadata(path)
        except Exception:  # noqa: BLE001  metadata are claims: a file without them is read all the same
            about = {}
    found = _understood(raw, options, _notes(listener.heard()), file)
    return record(file, READER, options, found, {"instrument": "Neware", **_flat(about)})


def _notes(heard: list[str]) -> list[str]:
    told = [next((better for part, better in _TOLD.items() if part in line), line) for line in heard]
    return list(dict.fromkeys(line for line in told if line))


def _understood(raw: pl.DataFrame, options: ReadOptions, heard: list[str], file: File) -> Understood:
    notes = list(heard)
    here = {name: place for name, place in COLUMNS.items() if name in raw.columns}
    columns = []
    for name, (column, factor) in here.items():
        source = pl.col(name)
        if column == "step_type":
            columns.append(source.cast(pl.String).alias(column))
        elif raw[name].dtype.is_integer():
            columns.append(source.cast(pl.Int64).alias(column))
        else:
            columns.append((source.cast(pl.Float64) * factor).alias(column))
    temperature = next((name for name in raw.columns if name.startswith("aux") and name.endswith("temperature_degC")), None)
    if temperature is not None:
        columns.append(pl.col(temperature).cast(pl.Float64).alias("surface_temperature_celsius"))
    data = raw.select(columns)
    required = ("test_time_second", "current_ampere", "voltage_volt")
    if data.is_empty() or any(column not in data.columns for column in required):
        raise InputError("holds no rows of data; it is cut off, or the test never started", file.path)
    good = data.select(
        pl.all_horizontal([pl.col(name).is_finite().fill_null(value=False) for name in required])
    ).to_series()
    if not good.all():
        bad = [index + 1 for index, fine in enumerate(good.to_list()) if not fine]
        if options.bad_rows == "refuse":
            raise InputError(
                f"row {bad[0]}: time, current or voltage is no number ({len(bad)} such rows); the file is damaged; "
                "to leave such rows out say --bad-rows drop",
                file.path,
            )
        notes.append(
            f"{len(bad)} rows without a finite time, current or voltage dropped (row {', '.join(map(str, bad[:10]))})"
        )
        data = data.filter(good)
    if options.sign == "reversed":
        data = data.with_columns(-pl.col("current_ampere"))
        notes.append("the sign of the current was reversed, as asked for")
    mapped = tuple(Mapped(column, name) for name, (column, _) in here.items())
    return Understood(data, mapped, tuple(notes))


def _flat(about: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for name, value in about.items():
        if len(out) >= _MOST_METADATA:
            break
        if isinstance(value, Mapping):
            out.update(_flat(value, f"{prefix}{name}."))
        elif value not in {None, ""} if not isinstance(value, list) else False:
            out[f"{prefix}{name}"] = str(value)[:500]
    return out


READER = Reader(
    name="neware",
    title="Neware .nda or .ndax",
    version=VERSION,
    extensions=(".ndax", ".nda"),
    read=_read,
    sniff=_sniff,
    extra="neware",
    module="fastnda",
)
