"""Read a file, whatever it is."""

from __future__ import annotations

from pathlib import Path

from sodiophile.readers import guard
from sodiophile.readers.base import File
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.registry import chosen
from sodiophile.records import CyclingRecord


def read(path: str | Path, options: ReadOptions | None = None) -> CyclingRecord:
    """Read a file of one cell's cycling, of any format that `formats` lists.

    Parameters
    ----------
    path
        The file.
    options
        What the file does not say itself: column map, channel, decimal sign.

    Returns
    -------
    CyclingRecord
        With BDF columns, units and sign; with its provenance; what was odd is in its notes.

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
    reader.need()
    with guard.one_line(file.path, reader.title):
        return reader.read(file, options)
