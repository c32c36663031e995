"""Read a file, whatever it is."""

from __future__ import annotations

from pathlib import Path

from sodiophile.errors import InputError
from sodiophile.readers import guard
from sodiophile.readers.base import File, Record
from sodiophile.readers.bdf import restored
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.registry import chosen
from sodiophile.records import CyclingRecord, ImpedanceRecord


def read(path: str | Path, options: ReadOptions | None = None) -> Record:
    """Read a file of one cell, of any format that `formats` lists.

    Parameters
    ----------
    path
        The file.
    options
        What the file does not say itself: column map, channel, decimal sign.

    Returns
    -------
    CyclingRecord or ImpedanceRecord
        What the file holds, with BDF columns, units and sign; with its provenance; what was odd is in its notes. Of a file
        that holds both a trace and spectra the trace, unless ``options.record`` says otherwise.

    Raises
    ------
    InputError
        If the file is at fault: one line naming it, the line in it, what was found, what was expected, what to do.
    MissingExtraError
        If the format needs an extra that is not installed.
    """
    options = options or ReadOptions()
    file = File(Path(path))
    reader, _ = chosen(file, options)
    reader.need(file.path.name)
    with guard.one_line(file.path, reader.title):
        found = restored(reader.read(file, options))
    if options.record is not None and isinstance(found, ImpedanceRecord) != (options.record == "spectra"):
        has = "impedance spectra" if isinstance(found, ImpedanceRecord) else "a trace"
        wanted = "impedance spectra" if options.record == "spectra" else "a trace"
        raise InputError(f"holds {has} alone, expected {wanted}", file.path)
    return found


def read_spectra(path: str | Path, options: ReadOptions | None = None) -> ImpedanceRecord:
    """Read the impedance spectra of a file, also of one that holds a trace beside them.

    Parameters
    ----------
    path
        The file.
    options
        As for `read`.

    Raises
    ------
    InputError
        As `read`, and if the file holds no spectra.
    MissingExtraError
        If the format needs an extra that is not installed.
    """
    found = read(path, (options or ReadOptions()).model_copy(update={"record": "spectra"}))
    assert isinstance(found, ImpedanceRecord)  # noqa: S101  asked for by the option
    return found


def read_trace(path: str | Path, options: ReadOptions | None = None) -> CyclingRecord:
    """Read the cycling trace of a file, also of one that holds spectra beside it.

    Parameters
    ----------
    path
        The file.
    options
        As for `read`.

    Raises
    ------
    InputError
        As `read`, and if the file holds no trace.
    MissingExtraError
        If the format needs an extra that is not installed.
    """
    found = read(path, (options or ReadOptions()).model_copy(update={"record": "trace"}))
    assert isinstance(found, CyclingRecord)  # noqa: S101  asked for by the option
    return found
