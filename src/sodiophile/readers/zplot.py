"""Scribner ZPlot .z, with comments or without, and the Z60 text that Autolab's program writes for ZView.

The columns are always frequency, amplitude, bias, time, Z', Z'' and three more, in Hz, s and ohm. Z'' is Im Z itself. Files
differ in what stands above the rows and in what separates the fields: blanks, tabs or commas.
"""

from __future__ import annotations

import re

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.bdf import ORIGIN
from sodiophile.readers.layout import decode
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.provenance import spectrum_record
from sodiophile.readers.spectra import noted, understand_spectra
from sodiophile.readers.spectrum_columns import Part
from sodiophile.readers.table import text_rows

VERSION = "1"
HEADERS = ("Freq", "Ampl", "Bias", "Time", "Z'(a)", "Z''(b)", "GD", "Err", "Range")
PARTS = {
    "frequency_hertz": Part("frequency_hertz", "Freq", "Hz"),
    "real_impedance_ohm": Part("real_impedance_ohm", "Z'(a)", "ohm"),
    "imaginary_impedance_ohm": Part("imaginary_impedance_ohm", "Z''(b)", "ohm"),
    "test_time_second": Part("test_time_second", "Time", "s"),
}
_TITLE = re.compile(rb'"?(ZPLOT\d* ASCII|ZPlotW? Data File|Z60W? Data File)', re.IGNORECASE)
_NAMES = re.compile(r"\"?\s*Freq\s*\(?Hz\)?.*Z'\((?P<unit>[^)]*)\)\s+Z''\([^)]*\).*", re.IGNORECASE)
_UNITS = frozenset({"a", "ohm", "ohms", "\N{GREEK CAPITAL LETTER OMEGA}".casefold(), "\N{OHM SIGN}".casefold()})
_ABOUT = re.compile(r"\s*(?P<name>[A-Za-z][^:]{1,40}?)\s*:\s*(?P<value>\S.*)")


def _sniff(file: File, _options: ReadOptions) -> str | None:
    match = _TITLE.match(file.head.removeprefix(b"\xef\xbb\xbf").lstrip())
    return f"its first line says {match[1].decode('ascii')}" if match is not None else None


def _read(file: File, options: ReadOptions) -> Record:
    if options.record == "trace":
        raise InputError("holds impedance spectra alone, expected a trace", file.path)
    text, encoding = decode(file.content(), options.encoding, file.path)
    lines = [line.strip().strip('"') for line in text.decode("utf-8", errors="replace").split("\n")]
    heads = [(place, match) for place, line in enumerate(lines[:2000]) if (match := _NAMES.fullmatch(line))]
    if not heads:
        raise InputError(
            "no line names the columns Freq(Hz), ..., Z'(a), Z''(b); it is cut off within its header", file.path
        )
    named, match = heads[0]
    if match["unit"].strip().casefold() not in _UNITS:
        raise InputError(
            f"Z' and Z'' are in {match['unit']!r}, expected ohm: divide them by the area that was used", file.path
        )
    first = named + 1 + (lines[named + 1 : named + 2] == ["End Comments"])
    about = {"instrument": "Autolab" if lines[0].lstrip("\ufeff").startswith("Z60") else "ZPlot", "text encoding": encoding}
    for line in lines[:named]:
        told = _ABOUT.fullmatch(line)
        if told is not None:
            about.setdefault(told["name"], told["value"] if told["name"] == ORIGIN else told["value"][:200])
    filled = [(place + 1, line) for place, line in enumerate(lines) if place >= first and line]
    if not filled:
        raise InputError("holds a header but no points", file.path)
    comma = "," in filled[0][1] and "." in filled[0][1]
    rows = [re.split(r"\s*,\s*" if comma else r"\s+", line) for _, line in filled]
    short = next((place for place, row in enumerate(rows) if len(row) < 6), None)
    if short is not None:
        last = "; the last line seems cut off" if short == len(rows) - 1 else ""
        raise InputError(f"line {filled[short][0]}: holds {len(rows[short])} fields, expected at least 6{last}", file.path)
    table = text_rows(HEADERS, rows, [number for number, _ in filled], "." if comma else _decimal(rows), about)
    found = understand_spectra(table, PARTS, options, file.path)
    said = lines[named - 1]
    if said.isdigit() and int(said) != len(rows):
        found = noted(found, f"the file says it has {said} points, but holds {len(rows)}: cut off?")
    return spectrum_record(file, READER, options, found, about)


def _decimal(rows: list[list[str]]) -> str:
    return "," if any("," in field for row in rows[:50] for field in row) else "."


READER = Reader("zplot", "ZPlot .z, Autolab text for ZView", VERSION, (".z", ".txt"), _read, sniff=_sniff)
