"""Zahner Thales .ism: one impedance spectrum, binary, as measured files show it to be laid out.

All numbers are big-endian: 6 bytes of kind, 6 bytes with the index of the last point, then in turn all frequencies (Hz),
all moduli (ohm), all phases (rad, negative for a capacitance) and all times (s) as 8-byte floats, and all significances
(per mille) as 2-byte integers. Texts of the operator follow, the case of their letters turned over. Thales starts in the
middle of the range, goes up, and comes back: frequencies on that way stand twice.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.provenance import spectrum_record
from sodiophile.readers.spectra import noted, understand_spectra
from sodiophile.readers.spectrum_columns import Part
from sodiophile.readers.table import Table, framed

VERSION = "1"
_KIND = b"\x00\x00\xff\xff\xff"
_HEAD = 12
_POINT = 4 * 8 + 2
_MOST_POINTS = 100_000
_TEXTS = ("date", "title", "potential", "current", "temperature", "time of day")
_SIGNIFICANT = 900
PARTS = {
    "frequency_hertz": Part("frequency_hertz", "frequency", "Hz"),
    "impedance_modulus_ohm": Part("impedance_modulus_ohm", "|Z|", "ohm"),
    "impedance_phase_degree": Part("impedance_phase_degree", "phase", "rad"),
    "test_time_second": Part("test_time_second", "time", "s"),
}


def _points(head: bytes) -> int:
    return int.from_bytes(head[6:_HEAD], "big") + 1


def _sniff(file: File, _options: ReadOptions) -> str | None:
    if file.extension != ".ism" and not (file.head.startswith(_KIND) and _points(file.head) < _MOST_POINTS):
        return None
    return "its first bytes are those of Zahner's .ism" if file.head.startswith(_KIND) else "the extension .ism"


def _read(file: File, options: ReadOptions) -> Record:
    if options.record == "trace":
        raise InputError("holds an impedance spectrum alone, expected a trace", file.path)
    data = file.content()
    count = _points(data)
    if not data.startswith(_KIND) or not 0 < count < _MOST_POINTS:
        raise InputError("does not begin as an .ism of Zahner does; export it as text", file.path)
    if len(data) < _HEAD + count * _POINT:
        raise InputError(
            f"is cut off: it says it has {count} points of {_POINT} bytes, and has {len(data)} bytes", file.path
        )
    columns = {
        name: np.frombuffer(data, ">f8", count, _HEAD + place * 8 * count).astype(float)
        for place, name in enumerate(("frequency", "|Z|", "phase", "time"))
    }
    columns["time"] -= columns["time"].min()
    significance = np.frombuffer(data, ">i2", count, _HEAD + 32 * count)
    about = {"instrument": "Zahner", **_texts(data[_HEAD + count * _POINT :])}
    table = Table(list(columns), framed(pl.DataFrame(columns)), lambda row: f"point {row + 1}", metadata=about)
    found = understand_spectra(table, PARTS, options, file.path, declared=True)
    poor = int((significance < _SIGNIFICANT).sum())
    if poor:
        found = noted(found, f"{poor} points have a significance below {_SIGNIFICANT / 1000:g}, says the file")
    return spectrum_record(file, READER, options, found, about)


def _texts(data: bytes) -> dict[str, str]:
    """Return what the operator wrote: texts with their length before them, behind a number."""
    out: dict[str, str] = {}
    place = 2 if data[:2] != b"\x00\x06" else 0
    for name in _TEXTS:
        size = int.from_bytes(data[place : place + 2], "big")
        text = data[place + 2 : place + 2 + size]
        if size > 200 or len(text) < size:
            break
        place += 2 + size
        said = text.decode("latin-1").swapcase().strip()
        if said and said.isprintable():
            out[name] = said
    return out


READER = Reader("zahner", "Zahner Thales .ism", VERSION, (".ism",), _read, sniff=_sniff)
