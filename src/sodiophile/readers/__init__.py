"""Vendor file -> record; one format a file, declared as data wherever it can be.

Other packages offer readers through the entry point group ``sodiophile.readers``.
"""

from sodiophile.readers.base import Detected, File, Reader, Record
from sodiophile.readers.describing import describe
from sodiophile.readers.options import ReadOptions, column_options
from sodiophile.readers.reading import read, read_spectra, read_trace
from sodiophile.readers.registry import detect, formats
from sodiophile.readers.writing import write

__all__ = [
    "Detected",
    "File",
    "ReadOptions",
    "Reader",
    "Record",
    "column_options",
    "describe",
    "detect",
    "formats",
    "read",
    "read_spectra",
    "read_trace",
    "write",
]
