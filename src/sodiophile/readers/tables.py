"""Text tables of the vendors that are declared as data, and any other table whose columns are named or guessed."""

from __future__ import annotations

from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.delimited import content_table, peek_headers
from sodiophile.readers.either import table_record
from sodiophile.readers.mapping import recognize
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.vendors import ANY, BDF, ECLAB, VENDORS, Vendor

VERSION = "3"
_EXTENSIONS = (".csv", ".txt", ".tsv", ".dat")


def _reader(vendor: Vendor) -> Reader:
    def sniff(file: File, options: ReadOptions) -> str | None:
        found = recognize(peek_headers(file, options))
        return f"its columns are those of {vendor.title}" if found is vendor else None

    def read(file: File, options: ReadOptions) -> Record:
        return read_as(vendor, reader, file, options)

    reader = Reader(vendor.name, vendor.title, VERSION, _EXTENSIONS, read, sniff=sniff)
    return reader


def read_as(vendor: Vendor, reader: Reader, file: File, options: ReadOptions) -> Record:
    """Read a text file with the names of a vendor."""
    table = content_table(file, options)
    about = {"instrument": vendor.title.split(" ")[0], **table.metadata} if vendor is not ANY else table.metadata
    return table_record(file, reader, options, table, vendor, about)


def _any(_file: File, _options: ReadOptions) -> str | None:
    return "no vendor's columns were recognized: they are named by the user or guessed"


def _read_any(file: File, options: ReadOptions) -> Record:
    return read_as(ANY, TABLE, file, options)


TABLE = Reader(ANY.name, ANY.title, VERSION, _EXTENSIONS, _read_any, sniff=_any)

READERS = (*(_reader(vendor) for vendor in VENDORS if vendor not in (BDF, ECLAB)), TABLE)
