"""Impedance spectra: frequency and complex impedance under BDF column names, one or several spectra in one record.

``frequency_hertz``, ``real_impedance_ohm`` and ``imaginary_impedance_ohm`` are required. The sign is the physical one: the
imaginary part of a capacitive cell is negative. Files often hold its negative; whoever reads them turns it.

A column ``spectrum`` (integer) tells the spectra of a series apart; a record without it holds one. Like the area of an
electrode, a temperature is what somebody states, with its unit; it is never guessed from a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.records.cycling import CyclingRecord
from sodiophile.records.provenance import Provenance

REQUIRED = ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm")


@dataclass(frozen=True)
class Spectrum:
    """One spectrum of a record, sorted from high to low frequency.

    Parameters
    ----------
    frequency_Hz
        Shape (n,), falling.
    impedance_ohm
        Complex, shape (n,); the imaginary part of a capacitive cell is negative.
    temperature_K
        As stated by the user or the file, None if nobody did.
    time_s
        Time of its first point since the start of the test, None if the record does not say.
    name
        The record's name, with the number of the spectrum where there are several.
    """

    frequency_Hz: np.ndarray
    impedance_ohm: np.ndarray
    temperature_K: float | None = None
    time_s: float | None = None
    name: str = "spectrum"


@dataclass(frozen=True)
class ImpedanceRecord:
    """One or several impedance spectra of one cell.

    Parameters
    ----------
    data
        Table with at least the `REQUIRED` columns; ``spectrum`` (integer) where it holds several spectra, and
        ``test_time_second`` where the instrument gave the time.
    provenance
        Where it came from.
    temperature_K
        Temperature of every spectrum, K, or one for each; None where nobody stated it.
    metadata
        What the file says of itself, as text. Claims, not facts.
    notes
        What was odd while reading, one sentence each. Repeated frequencies are noted here.
    simulated
        True if a virtual instrument made it.

    Raises
    ------
    InputError
        If a column is missing, a number not finite, a frequency not positive, or the temperatures do not fit; the row is
        named, counted from 1.
    """

    data: pl.DataFrame
    provenance: tuple[Provenance, ...]
    temperature_K: float | tuple[float, ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    simulated: bool = False

    def __post_init__(self) -> None:
        where = self.name
        missing = [column for column in REQUIRED if column not in self.data.columns]
        if missing:
            raise InputError(f"column {missing[0]!r} is missing; found {', '.join(self.data.columns[:12])}", where)
        if self.data.height == 0:
            raise InputError("holds no points of an impedance spectrum", where)
        table = self.data.with_columns([pl.col(column).cast(pl.Float64) for column in REQUIRED])
        if "spectrum" not in table.columns:
            table = table.with_columns(pl.lit(1, dtype=pl.Int64).alias("spectrum"))
        table = table.with_columns(pl.col("spectrum").cast(pl.Int64))
        object.__setattr__(self, "data", table)
        for column in (*REQUIRED, "spectrum"):
            values = table[column].cast(pl.Float64).to_numpy()
            if not np.isfinite(values).all():
                row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
                raise InputError(f"row {row}: {column} is {values[row - 1]}, expected a number", where)
        frequency = table["frequency_hertz"].to_numpy()
        if (frequency <= 0).any():
            row = int(np.flatnonzero(frequency <= 0)[0]) + 1
            raise InputError(f"row {row}: frequency_hertz is {frequency[row - 1]:g}, expected a positive number", where)
        repeated = int(table.select(pl.struct("spectrum", "frequency_hertz").is_duplicated().sum()).item())
        note = f"{repeated} points share their frequency with another of the same spectrum"
        if repeated and note not in self.notes:
            object.__setattr__(self, "notes", (*self.notes, note))
        self._check_temperatures()

    def _check_temperatures(self) -> None:
        if self.temperature_K is None:
            return
        given = self.temperature_K if isinstance(self.temperature_K, tuple) else (self.temperature_K,) * self.count
        if len(given) != self.count:
            raise InputError(f"{len(given)} temperatures for {self.count} spectra, expected one for each", self.name)
        for temperature in given:
            if not (np.isfinite(temperature) and temperature > 0):
                raise InputError(f"a temperature of {temperature} K, expected a positive number in kelvin", self.name)
        object.__setattr__(self, "temperature_K", tuple(float(temperature) for temperature in given))

    @property
    def name(self) -> str:
        """The name of the file, or of the virtual instrument."""
        return self.provenance[0].source if self.provenance else "record"

    @property
    def count(self) -> int:
        """How many spectra it holds."""
        return int(self.data["spectrum"].n_unique())

    def __len__(self) -> int:
        return self.data.height

    def spectra(self) -> list[Spectrum]:
        """Return the spectra in the order of the record, each sorted from high to low frequency."""
        temperatures = self.temperature_K if isinstance(self.temperature_K, tuple) else (None,) * self.count
        several = self.count > 1
        found = []
        for number, ((_, points), temperature) in enumerate(
            zip(self.data.group_by("spectrum", maintain_order=True), temperatures, strict=True), start=1
        ):
            part = points.sort("frequency_hertz", descending=True, maintain_order=True)
            impedance = part["real_impedance_ohm"].to_numpy() + 1j * part["imaginary_impedance_ohm"].to_numpy()
            time_s = None
            if "test_time_second" in part.columns and part["test_time_second"].null_count() < part.height:
                time_s = float(part["test_time_second"].cast(pl.Float64).min())  # type: ignore[arg-type]
            found.append(
                Spectrum(
                    part["frequency_hertz"].to_numpy(),
                    impedance,
                    temperature,
                    time_s,
                    f"{self.name} (spectrum {number})" if several else self.name,
                )
            )
        return found

    def describe(self) -> dict[str, Any]:
        """Return what is inside: spectra, points, frequency range, range of the modulus."""
        frequency = self.data["frequency_hertz"].to_numpy()
        modulus = np.hypot(self.data["real_impedance_ohm"].to_numpy(), self.data["imaginary_impedance_ohm"].to_numpy())
        return {
            "spectra": self.count,
            "points": len(self),
            "columns": list(self.data.columns),
            "frequency_min_Hz": float(frequency.min()),
            "frequency_max_Hz": float(frequency.max()),
            "modulus_min_ohm": float(modulus.min()),
            "modulus_max_ohm": float(modulus.max()),
            "temperatures_K": list(self.temperature_K) if isinstance(self.temperature_K, tuple) else None,
        }


def impedance_of_trace(record: CyclingRecord) -> ImpedanceRecord:
    """Return the impedance points of a cycling trace (rows with a frequency) as a record of their own.

    A spectrum ends where rows without a frequency come between, and where the frequency jumps back by more than a decade
    against the direction of the sweep.

    Parameters
    ----------
    record
        A trace whose rows hold a frequency where an impedance was measured.

    Raises
    ------
    InputError
        If the trace has no impedance points.
    """
    columns = [column for column in REQUIRED if column in record.data.columns]
    if len(columns) < len(REQUIRED):
        raise InputError("holds no impedance: expected the columns " + ", ".join(REQUIRED), record.name)
    frequency = record.data["frequency_hertz"].cast(pl.Float64).fill_null(0.0).fill_nan(0.0).to_numpy()
    rows = np.flatnonzero(frequency > 0)
    if rows.size == 0:
        raise InputError("no row has a frequency, expected the points of an impedance spectrum", record.name)
    steps = np.diff(np.log10(frequency[rows]))
    direction = -1.0 if np.median(steps) <= 0 else 1.0
    starts = np.concatenate([[True], (np.diff(rows) > 1) | (steps * direction < -1.0)])
    table = record.data[rows].with_columns(pl.Series("spectrum", np.cumsum(starts), dtype=pl.Int64))
    return ImpedanceRecord(table, record.provenance, None, record.metadata, record.notes, record.simulated)


def impedance_record(
    frequency_Hz: Sequence[float] | np.ndarray,
    impedance_ohm: Sequence[complex] | np.ndarray,
    provenance: tuple[Provenance, ...] = (),
    **about: Any,
) -> ImpedanceRecord:
    """Make a record of one spectrum from arrays.

    Parameters
    ----------
    frequency_Hz, impedance_ohm
        Shape (n,); the imaginary part of a capacitive cell is negative.
    provenance
        Where it came from.
    **about
        ``temperature_K``, ``metadata``, ``notes``, ``simulated`` of `ImpedanceRecord`.

    Raises
    ------
    InputError
        As `ImpedanceRecord`.
    """
    impedance = np.asarray(impedance_ohm, dtype=complex)
    table = pl.DataFrame(
        {
            "frequency_hertz": np.asarray(frequency_Hz, dtype=float),
            "real_impedance_ohm": impedance.real,
            "imaginary_impedance_ohm": impedance.imag,
        }
    )
    return ImpedanceRecord(table, provenance, **about)
