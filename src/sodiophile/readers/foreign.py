"""Formats that are known but not read here: what to export instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sodiophile.errors import InputError
from sodiophile.readers.base import File


@dataclass(frozen=True, slots=True)
class Foreign:
    """A format that another program must turn into a readable one.

    Parameters
    ----------
    title
        What it is.
    instead
        What to do.
    """

    title: str
    instead: str


_MPT = "in EC-Lab or BT-Lab export it as text (.mpt) with time, Ewe (or Ecell), I, Ns and freq"

BY_MAGIC: Mapping[bytes, Foreign] = {
    b"EC-LAB SETTING FILE": Foreign("a BioLogic settings file (.mps), without measured data", _MPT),
    b"SQLite format 3": Foreign("a data base", "export the table as csv"),
    b"\x89HDF": Foreign("an HDF5 or MATLAB file", "export time, current and voltage as csv"),
    b"MATLAB 5.0": Foreign("a MATLAB file", "export time, current and voltage as csv"),
    b"VERSION8.": Foreign("an Autolab FRA file (.dfr)", "export it as text with frequency, Z' and -Z''"),
    b'<?xml version="1.0" encoding="UTF-8"?>\n<?maccor': Foreign(
        "a Maccor procedure, without measured data", "give the file of the test"
    ),
    b"%PDF": Foreign("a PDF document", "give the data, not their print"),
    b"\x89PNG": Foreign("a picture", "give the data, not their picture"),
}
"""First bytes -> what the file is."""

BY_EXTENSION: Mapping[str, Foreign] = {
    ".mpr": Foreign("a binary file, but does not begin as a BioLogic .mpr does", _MPT),
    ".res": Foreign(
        "a binary file, but does not begin as an Arbin .res does", "export it from Arbin's program as csv or xlsx"
    ),
    ".cex": Foreign("a LANDT binary file", "export it from LANDT's program as csv or txt"),
    ".ccs": Foreign("a LANDT binary file", "export it from LANDT's program as csv or txt"),
    ".ndc": Foreign("a part of a Neware .ndax", "give the whole .ndax"),
    ".xlsb": Foreign("a binary workbook", "save it as xlsx"),
    ".mat": BY_MAGIC[b"MATLAB 5.0"],
}
"""Extension of a binary file -> what it is."""


def refuse(file: File) -> None:
    """Refuse a file of a known foreign format.

    Raises
    ------
    InputError
        Naming what to export instead.
    """
    found = next((foreign for magic, foreign in BY_MAGIC.items() if file.head.startswith(magic)), None)
    if found is None and (b"\0" in file.head or not file.head):
        found = BY_EXTENSION.get(file.extension)
    if found is not None:
        raise InputError(f"is {found.title}, which this version does not read; {found.instead}", file.path)
