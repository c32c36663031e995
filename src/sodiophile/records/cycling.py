"""A cycling trace: time, current, voltage and what the cycler said beside them, under BDF column names.

Columns follow the machine-readable names of the Battery Data Format (BDF 1.3): ``test_time_second``,
``current_ampere`` and ``voltage_volt`` are required. The sign is BDF's: positive current charges. At the working
electrode of a metal cell this makes a negative current plating (the electrode is reduced) and a positive one stripping,
where the file's working electrode is the metal that the user studies.

The area of an electrode is no part of a record: headers of cycler files hold defaults that nobody set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.records.provenance import Provenance

REQUIRED = ("test_time_second", "current_ampere", "voltage_volt")

_LARGEST = {"test_time_second": (1e12, "s"), "current_ampere": (1e6, "A"), "voltage_volt": (1e6, "V")}

COLUMNS: Mapping[str, str] = {
    "test_time_second": "time since the start of the test, s",
    "current_ampere": "current, A; positive charges",
    "voltage_volt": "cell voltage, V",
    "unix_time_second": "seconds since 1970-01-01 UTC",
    "cycle_count": "cycle as the cycler counted it",
    "step_count": "counts up at every step of the protocol",
    "step_id": "step as named in the protocol; repeats",
    "step_type": "what the cycler called the step",
    "step_time_second": "time since the start of the step, s",
    "record_index": "number of the row in the file",
    "charging_capacity_ah": "charge passed while charging, Ah",
    "discharging_capacity_ah": "charge passed while discharging, Ah",
    "step_net_capacity_ah": "charge passed in the step, Ah",
    "charging_energy_wh": "energy taken up while charging, Wh",
    "discharging_energy_wh": "energy given while discharging, Wh",
    "ambient_temperature_celsius": "temperature of the surroundings, degC",
    "surface_temperature_celsius": "temperature at the cell, degC",
    "frequency_hertz": "frequency of an impedance point; such rows are no part of the trace",
    "real_impedance_ohm": "real part of the impedance, ohm",
    "imaginary_impedance_ohm": "imaginary part of the impedance, ohm",
}
"""The columns that readers know how to fill, with their meaning. Others may stand beside them under the file's name."""


@dataclass(frozen=True)
class CyclingRecord:
    """One cell's cycling trace.

    Parameters
    ----------
    data
        Table with at least the `REQUIRED` columns as floats; one row a sample, time never decreasing.
    provenance
        Where it came from; several where files of one test were joined.
    metadata
        What the file says of itself (instrument, channel, device, start), as text. Claims, not facts.
    notes
        What was odd while reading, one sentence each.
    simulated
        True if a virtual instrument made it.

    Raises
    ------
    InputError
        If a required column is missing, a number is not finite or beyond any cell, or time runs backwards; the row is
        named, counted from 1.
    """

    data: pl.DataFrame
    provenance: tuple[Provenance, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    simulated: bool = False

    def __post_init__(self) -> None:
        where = self.name
        missing = [column for column in REQUIRED if column not in self.data.columns]
        if missing:
            raise InputError(f"column {missing[0]!r} is missing; found {', '.join(self.data.columns[:12])}", where)
        if self.data.height == 0:
            raise InputError("holds no rows of data", where)
        floats = self.data.with_columns([pl.col(column).cast(pl.Float64) for column in REQUIRED])
        object.__setattr__(self, "data", floats)
        for column in REQUIRED:
            values = floats[column].to_numpy()
            if not np.isfinite(values).all():
                row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
                raise InputError(f"row {row}: {column} is {values[row - 1]}, expected a number", where)
            limit, unit = _LARGEST[column]
            if np.abs(values).max() > limit:
                row = int(np.argmax(np.abs(values) > limit)) + 1
                raise InputError(
                    f"row {row}: {column} is {values[row - 1]:g} {unit}, expected {limit:g} {unit} at most; "
                    "is it an overflow of the instrument, or a wrong unit?",
                    where,
                )
        backwards = np.flatnonzero(np.diff(self.time_s) < 0)
        if backwards.size:
            row = int(backwards[0]) + 2
            before, after = self.time_s[row - 2], self.time_s[row - 1]
            raise InputError(
                f"row {row}: time runs backwards, from {before:g} s to {after:g} s; "
                "expected one test of one cell in the order of measurement",
                where,
            )

    @property
    def name(self) -> str:
        """The name of the file, or of the virtual instrument; of the first where several were joined."""
        return self.provenance[0].source if self.provenance else "record"

    @property
    def time_s(self) -> np.ndarray:
        """Time since the start of the test, s, shape (n,)."""
        return self.data["test_time_second"].to_numpy()

    @property
    def current_A(self) -> np.ndarray:
        """Current, A, shape (n,); positive charges."""
        return self.data["current_ampere"].to_numpy()

    @property
    def voltage_V(self) -> np.ndarray:
        """Voltage, V, shape (n,)."""
        return self.data["voltage_volt"].to_numpy()

    def __len__(self) -> int:
        return self.data.height

    def without_impedance(self) -> CyclingRecord:
        """Return the record without the rows of impedance measurements (those with a frequency), which are no trace."""
        if "frequency_hertz" not in self.data.columns:
            return self
        kept = self.data.filter(~(pl.col("frequency_hertz").fill_null(0.0).fill_nan(0.0) > 0))
        if kept.height == self.data.height:
            return self
        dropped = self.data.height - kept.height
        note = f"{dropped} rows are impedance points and were left out of the trace"
        return CyclingRecord(kept, self.provenance, self.metadata, (*self.notes, note), self.simulated)

    def describe(self) -> dict[str, Any]:
        """Return what is inside: rows, duration, columns, current levels, voltage range."""
        current, voltage, time = self.current_A, self.voltage_V, self.time_s
        return {
            "rows": len(self),
            "duration_h": float(time[-1] - time[0]) / 3600,
            "columns": list(self.data.columns),
            "voltage_min_V": float(voltage.min()),
            "voltage_max_V": float(voltage.max()),
            "current_min_A": float(current.min()),
            "current_max_A": float(current.max()),
        }


def joined(records: Sequence[CyclingRecord]) -> CyclingRecord:
    """Join the files of one test into one record, each following the one before.

    A file whose clock starts again is placed after the end of the previous one; a file that continues the clock keeps it.

    Parameters
    ----------
    records
        In the order of measurement.

    Raises
    ------
    InputError
        If there is none, or one is given twice.
    """
    if not records:
        raise InputError("no record given, expected at least one")
    if len(records) == 1:
        return records[0]
    _refuse_repeated(records)
    parts: list[pl.DataFrame] = []
    notes: list[str] = []
    end = -np.inf
    shared = [column for column in records[0].data.columns if all(column in record.data.columns for record in records)]
    for record in records:
        data = record.data.select(shared)
        start = record.time_s[0]
        if start < end:
            data = data.with_columns(pl.col("test_time_second") + (end - start))
            notes.append(f"{record.name}: its clock starts again; placed after the file before it, gap unknown")
        end = float(data["test_time_second"][-1])
        parts.append(data)
        notes.extend(record.notes)
    return CyclingRecord(
        pl.concat(parts, how="vertical_relaxed"),
        tuple(origin for record in records for origin in record.provenance),
        records[0].metadata,
        tuple(notes),
        any(record.simulated for record in records),
    )


def _refuse_repeated(records: Sequence[CyclingRecord]) -> None:
    """Refuse a file that is given twice, under whatever names: its cycles would count twice. Parts of one may follow."""
    for place, record in enumerate(records):
        bytes_of = [origin.sha256 for origin in record.provenance]
        for before in records[:place]:
            if bytes_of == [origin.sha256 for origin in before.provenance] and _same_trace(record, before):
                named = "" if before.name == record.name else f" as {before.name}"
                raise InputError(f"the same file is given before{named}; expected each part of a test once", record.name)


def _same_trace(one: CyclingRecord, other: CyclingRecord) -> bool:
    return one.data.select(REQUIRED).equals(other.data.select(REQUIRED))
