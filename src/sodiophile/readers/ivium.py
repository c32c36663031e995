"""Ivium .idf and .ids: the impedance in them, which stands as text between binary parts.

A data set says its method in lines ``name=value``; its points follow a line ``primary_data``, the number of columns and the
number of rows: Z', Z'' (Im Z itself) and frequency for an impedance. An .ids holds several data sets.
"""

from __future__ import annotations

import re

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.provenance import spectrum_record
from sodiophile.readers.spectra import understand_spectra
from sodiophile.readers.spectrum_columns import Part
from sodiophile.readers.table import text_rows

VERSION = "1"
_LARGEST = 1 << 28
_DATA = re.compile(r"primary_data\s*\r?\n\s*(?P<width>\d{1,3})\s*\r?\n\s*(?P<count>\d{1,7})\s*\r?\n")
_METHOD = re.compile(r"Method=([^\r\n\0]{1,60})")
_SAID = re.compile(r"^(Title|starttime|endtime|serialnumber|software|Technique)=([^\r\n\0]{1,120})", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?\d+[.,]?\d*(?:[eE][-+]?\d+)?")
HEADERS = ("spectrum", "Z'", "Z''", "frequency")
PARTS = {
    "frequency_hertz": Part("frequency_hertz", "frequency", "Hz"),
    "real_impedance_ohm": Part("real_impedance_ohm", "Z'", "ohm"),
    "imaginary_impedance_ohm": Part("imaginary_impedance_ohm", "Z''", "ohm"),
    "spectrum": Part("spectrum", "spectrum"),
}


def _sniff(file: File, _options: ReadOptions) -> str | None:
    return f"the extension {file.extension}" if file.extension in READER.extensions else None


def _read(file: File, options: ReadOptions) -> Record:
    if options.record == "trace":
        raise InputError("of Ivium's files the impedance alone is read; export a trace as csv", file.path)
    data = file.content()
    if len(data) > _LARGEST:
        raise InputError("is larger than 256 MiB, expected impedance", file.path)
    text = data.decode("latin-1")
    rows: list[list[str]] = []
    lines: list[int] = []
    others: list[str] = []
    begun = 0
    spectra = 0
    for block in _DATA.finditer(text):
        said = _METHOD.findall(text, begun, block.start())
        method = said[-1].strip() if said else "no method"
        begun = block.end()
        if block["width"] != "3" or "impedance" not in method.casefold():
            others.append(method)
            continue
        spectra += 1
        first = text.count("\n", 0, begun) + 1
        found = text[begun:].split("\n", int(block["count"]))[: int(block["count"])]
        for place, line in enumerate(found):
            cells = line.split()
            if len(cells) != 3 or not all(map(_NUMBER.fullmatch, cells)):
                raise InputError(f"line {first + place}: expected Z', Z'' and frequency; the file is cut off", file.path)
            rows.append([str(spectra), *cells])
            lines.append(first + place)
    if not rows:
        have = f"; found data of {', '.join(map(repr, others[:5]))}" if others else ""
        raise InputError(f"holds no impedance, and nothing else of Ivium's is read; export it as csv{have}", file.path)
    about = {"instrument": "Ivium", **{name: value.strip() for name, value in _SAID.findall(text) if value.strip()}}
    comma = any("," in cell for row in rows[:50] for cell in row)
    table = text_rows(HEADERS, rows, lines, "," if comma else ".", about)
    found_spectra = understand_spectra(table, PARTS, options, file.path, declared=True)
    return spectrum_record(file, READER, options, found_spectra, about)


READER = Reader("ivium", "Ivium .idf or .ids, impedance", VERSION, (".idf", ".ids"), _read, sniff=_sniff)
