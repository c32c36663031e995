"""A table that may hold a cycling trace, impedance spectra, or both: which of them its rows are, and what is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from sodiophile.errors import InputError
from sodiophile.readers import values
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.mapping import choose
from sodiophile.readers.normal import Understood, understand
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.provenance import record, spectrum_record
from sodiophile.readers.spectra import guess_parts, noted, understand_spectra
from sodiophile.readers.spectrum_columns import Part, find_parts, missing_parts
from sodiophile.readers.sweeps import with_sweep_time
from sodiophile.readers.table import Table
from sodiophile.readers.vendors import ANY, Vendor

GUESSED = "there are no headers: column 1 runs like a frequency, columns 2 and 3 are taken as Re Z and Im Z in ohm"


def table_record(
    file: File,
    reader: Reader,
    options: ReadOptions,
    table: Table,
    vendor: Vendor,
    about: Mapping[str, str],
    finish: Callable[[Understood], Understood] = lambda found: found,
) -> Record:
    """Make the record of a table: spectra if it holds nothing else or they are asked for, the trace otherwise.

    Parameters
    ----------
    file, reader, options
        What is read, by whom, and what the user says.
    table
        As the file holds it.
    vendor
        Whose names and conventions apply to a trace.
    about
        The metadata of the record.
    finish
        What the format adds to a trace.

    Raises
    ------
    InputError
        If the table is at fault, or does not hold what was asked for.
    """
    parts, guessed = find_parts(table.headers, options, file.path), False
    if parts is None and not options.columns:
        parts = guess_parts(table)
        guessed = parts is not None
    note: tuple[str, ...] = ()
    if parts is not None:
        taken, note = taken_as(parts, table, vendor, options, file)
        if taken == "spectra":
            spectra = understand_spectra(table, parts, options, file.path, declared=vendor is not ANY)
            return spectrum_record(file, reader, options, noted(spectra, *([GUESSED] if guessed else []), *note), about)
    elif options.record == "spectra":
        raise InputError(missing_parts(table.headers), file.path)
    table, named = with_sweep_time(table, vendor, options, file.path)
    found = finish(understand(table, vendor, named, file.path))
    return record(file, reader, options, Understood(found.data, found.mapped, (*found.notes, *note)), about)


def taken_as(
    parts: Mapping[str, Part], table: Table, vendor: Vendor, options: ReadOptions, file: File
) -> tuple[str, tuple[str, ...]]:
    """Return "trace" or "spectra", and a sentence on what else could be had.

    Raises
    ------
    InputError
        If what was asked for is not there.
    """
    try:
        choose(table.headers, vendor, options, file.path)
        fault = None
    except InputError as error:
        fault = error
    header = parts["frequency_hertz"].header
    frequency = values.numbers(table.load([header])[header], table.decimal).fill_null(0.0).fill_nan(0.0).to_numpy()
    points, rows = int((frequency > 0).sum()), len(frequency)
    if options.record == "spectra" or (fault is not None and options.record is None):
        if not points and not np.any(frequency < 0):
            raise InputError(f"{header!r} holds no frequency above 0, so there are no impedance spectra", file.path)
        return "spectra", ()
    if options.record == "trace" and fault is not None:
        raise fault
    if points == 0:
        return "trace", ()
    if points == rows and options.record == "trace":
        raise InputError(
            "every row is a point of an impedance spectrum; there is no trace: say --record spectra", file.path
        )
    if points == rows:
        return "spectra", ()
    return "trace", (
        f"{points} of {rows} rows are points of impedance spectra, no part of a trace: --record spectra reads them",
    )
