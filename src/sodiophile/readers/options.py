"""What a user may tell a reader: the same keys in a study, on the command line and in Python."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from sodiophile.errors import InputError
from sodiophile.records.cycling import COLUMNS
from sodiophile.schema import Model

CHANNEL = "channel"
"""The key of a column map that names the column telling the cells of one file apart."""

SPECTRUM_COLUMNS = ("impedance_modulus_ohm", "impedance_phase_degree", "spectrum")
"""Keys of a column map that only a spectrum has: polar form, and which spectrum of a file a point belongs to."""


class ReadOptions(Model):
    """How to read a file, where the file does not say it itself.

    Every option is a scalar except `columns`. Whatever is set here is kept in the provenance of the record.
    """

    format: str | None = Field(default=None, description="the reader to use, a name of `sodiophile formats`")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="column map: BDF name -> header in the file, with its unit in brackets where the header lacks one",
    )
    sheet: str | None = Field(default=None, description="the sheet of a workbook")
    channel: str | None = Field(default=None, description="the cell to take from a file that holds several")
    decimal: Literal[".", ","] | None = Field(default=None, description="the decimal sign")
    delimiter: str | None = Field(
        default=None, description="what stands between two fields: one character, 'tab' or 'blank' for runs of blanks"
    )
    sign: Literal["as written", "reversed"] | None = Field(
        default=None, description="the sign of the current; a positive current charges in BDF"
    )
    record: Literal["trace", "spectra"] | None = Field(
        default=None, description="what to take from a file that holds a cycling trace and impedance spectra"
    )
    imaginary: Literal["Im Z", "-Im Z"] | None = Field(
        default=None,
        description="what the column of the imaginary part (or phase) holds, where its header is wrong or silent",
    )
    bad_rows: Literal["refuse", "drop"] = Field(
        default="refuse", description="what to do with rows without a finite time, current or voltage, or impedance"
    )
    encoding: str | None = Field(default=None, description="the text encoding, such as 'utf-8', 'latin-1' or 'gb18030'")

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, str]) -> dict[str, str]:
        for name, header in value.items():
            if name not in COLUMNS and name not in {CHANNEL, *SPECTRUM_COLUMNS}:
                known = ", ".join((*COLUMNS, CHANNEL, *SPECTRUM_COLUMNS))
                raise ValueError(f"found the column {name!r}, expected one of {known}")
            if not header.strip():
                raise ValueError(f"found no header for {name!r}, expected one such as 'I [mA]'")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        named = {"tab": "\t", "\\t": "\t", "blank": " "}
        value = named.get(value, value) if value is not None else None
        if value is not None and (len(value) != 1 or value in '"\r\n' or value.isalnum() or not value.isascii()):
            raise ValueError(f"found the delimiter {value!r}, expected one character, 'tab' or 'blank'")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        import codecs

        if value is not None:
            try:
                text = codecs.lookup(value)._is_text_encoding
            except (LookupError, ValueError):
                text = False
            if not text:
                raise ValueError(f"found the encoding {value!r}, expected one such as 'utf-8', 'latin-1' or 'gb18030'")
        return value

    def told(self) -> dict[str, object]:
        """Return what was set, JSON-ready, for the provenance; a trace need not be asked for, so asking says nothing."""
        told = self.model_dump(exclude_defaults=True)
        return {name: value for name, value in told.items() if (name, value) != ("record", "trace")}


def column_options(pairs: list[str]) -> dict[str, str]:
    """Read ``NAME=HEADER`` pairs of the command line as a column map.

    Raises
    ------
    InputError
        If a pair has no ``=``, or names a column twice.
    """
    columns: dict[str, str] = {}
    for pair in pairs:
        name, equals, header = pair.partition("=")
        if not equals or not name.strip() or not header.strip():
            raise InputError(f"found {pair!r}, expected NAME=HEADER such as 'current_ampere=I [mA]'", "--column")
        if name.strip() in columns:
            raise InputError(f"names {name.strip()!r} twice", "--column")
        columns[name.strip()] = header.strip()
    return columns
