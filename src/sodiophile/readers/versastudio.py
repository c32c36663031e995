"""Princeton Applied Research VersaStudio .par: tagged blocks; the rows stand in ``<Segment1>``, ..., under ``Definition=``.

Segments of impedance have a frequency above zero in every row, others have none: a file may hold both. Each segment
of impedance is a spectrum of its own. The current is positive where the working electrode is oxidized.
"""

from __future__ import annotations

import re

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.either import table_record
from sodiophile.readers.layout import decode
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.table import text_rows
from sodiophile.readers.vendors import VERSASTUDIO

VERSION = "1"
_OPEN = re.compile(r"<(?P<name>[A-Za-z]+\d*)>")
_SEGMENT = re.compile(r"Segment\d+")


def _sniff(file: File, _options: ReadOptions) -> str | None:
    head = file.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<Application>") and b"VersaStudio" in head[:400]:
        return "its first block names VersaStudio"
    return None


def _read(file: File, options: ReadOptions) -> Record:
    text, encoding = decode(file.content(), options.encoding, file.path)
    about = {"instrument": "VersaStudio", "text encoding": encoding}
    headers: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    block = ""
    for number, line in enumerate(map(str.strip, text.decode("utf-8", errors="replace").split("\n")), start=1):
        opened = _OPEN.fullmatch(line)
        if opened is not None:
            block = opened["name"]
            continue
        if line.startswith("</"):
            block = ""
            continue
        name, equals, value = line.partition("=")
        if not _SEGMENT.fullmatch(block):
            if equals and value.strip() and len(about) < 200:
                about.setdefault(name.strip(), value.strip()[:200])
        elif name == "Definition":
            found = [header.strip() for header in value.split(",")]
            if headers and found != headers:
                raise InputError(f"line {number}: this segment has other columns than those before it", file.path)
            headers = found
        elif headers and not equals and line:
            rows.append([field.strip() for field in line.split(",")])
            lines.append(number)
    if not rows:
        raise InputError("holds no segment with rows of data; it is cut off, or the test never started", file.path)
    table = text_rows(headers, rows, lines, ".", about)
    return table_record(file, READER, options, table, VERSASTUDIO, about)


READER = Reader("versastudio", "VersaStudio .par", VERSION, (".par",), _read, sniff=_sniff)
