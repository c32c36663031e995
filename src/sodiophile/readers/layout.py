"""Where the table of a text file starts, what separates its fields, which decimal sign it has and how it is encoded."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sodiophile.errors import InputError
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.units import is_unit

HEAD_BYTES = 1 << 20
"""The header of a file must end, and its first rows stand, within so many bytes."""

_ENOUGH_ROWS = 100
_ENOUGH_HEADERS = 3
_DELIMITERS = ("\t", ";", "|", ",", " ")
_CHINESE = ("电流", "电压", "时间", "容量", "循环", "工步")
_NUMBER = re.compile(r"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?")
_CLOCK = re.compile(
    r"(\d+\s*d\w*\s*)?[-\d/.]*[ T]?\d{1,4}[:\-/.]\d{1,2}([:\-/.]\d{1,4}([.,]\d+)?)?[\d: .APMapm]*(Z|[+-]\d\d:?\d\d)?"
)
_DAY_MONTH_NAME = re.compile(r"\d{1,2}[- ][A-Za-z]{3}[- ]\d{2,4}( [\d:.]+( [AP]M)?)?")
_DOT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_COMMA_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+")
_CONTROL = bytes({*range(1, 9), 11, *range(14, 26), *range(27, 32)})


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text file holds its table.

    Parameters
    ----------
    headers
        As written, the units line (if there is one) appended in brackets.
    delimiter
        Between two fields; a blank stands for runs of blanks.
    decimal
        The decimal sign.
    width
        The number of fields of a row, empty ones at its end included.
    first_line
        The line of the first row, counted from 0.
    above
        The lines above the headers.
    """

    headers: tuple[str, ...]
    delimiter: str
    decimal: str
    width: int
    first_line: int
    above: tuple[str, ...]


def decode(data: bytes, encoding: str | None, where: object) -> tuple[bytes, str]:
    """Return the text of a file as UTF-8 with the line ends of Unix or Windows, and the encoding it had.

    Raises
    ------
    InputError
        If the file is empty, is no text, or not in the encoding that the user named.
    """
    if not data[:HEAD_BYTES].strip() and not data.strip():
        raise InputError("is empty, expected a table", where)
    found = "utf-8"
    if encoding is not None or data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        found = encoding or "utf-16"
        try:
            data = data.decode(found).encode()
        except (UnicodeError, LookupError, ValueError) as error:
            raise InputError(f"is not text in the encoding {found!r}", where) from error
    if b"\xef\xbb\xbf" in data:
        data = data.replace(b"\xef\xbb\xbf", b"")  # a mark of the order of bytes, which some programs write at the end too
    nul = data.find(b"\0")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise InputError(
            f"line {line}: holds NUL bytes, expected text; a binary file, one in UTF-16, or cut off while being written",
            where,
        )
    head = data[: 1 << 16]
    if len(head) - len(head.translate(None, _CONTROL)) > len(head) // 200:
        raise InputError("is binary data, expected text", where)
    if encoding is None and not data.isascii():
        data, found = _as_utf8(data, found)
    if b"\n" not in head and b"\r" in head:
        data = data.replace(b"\r", b"\n")
    return data, found


def _as_utf8(data: bytes, found: str) -> tuple[bytes, str]:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        chinese = data[:HEAD_BYTES].decode("gb18030", errors="replace")
        if any(word in chinese for word in _CHINESE):
            return data.decode("gb18030", errors="replace").encode(), "gb18030"
        return data.decode("latin-1").encode(), "latin-1"
    return data, found


def fields(line: str, delimiter: str) -> list[str]:
    """Split one line into its fields, stripped."""
    if delimiter == " ":
        return line.split()
    if '"' in line:
        try:
            return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            return [field.strip() for field in line.split(delimiter)]
    return [field.strip() for field in line.split(delimiter)]


def is_data(field: str) -> bool:
    """Tell whether a field is a number, a duration or a date."""
    if len(field) >= 64:
        return False
    if _NUMBER.fullmatch(field) is not None:
        return True
    return _CLOCK.fullmatch(field) is not None or _DAY_MONTH_NAME.fullmatch(field) is not None


def find_layout(data: bytes, options: ReadOptions, known: Callable[[str], bool], where: object) -> Layout:
    """Find the table in UTF-8 text.

    Parameters
    ----------
    data
        What `decode` returned.
    options
        The delimiter and decimal sign named there are taken.
    known
        Tells whether a header is one that some reader knows.
    where
        The file, for messages.

    Raises
    ------
    InputError
        If there is no table in it.
    """
    samples: list[str] = []
    # most tables begin near the top: what follows need not be looked at
    for size, most in ((1 << 16, 300), (HEAD_BYTES, 4000)):
        if len(data) <= 1 << 17 and size < HEAD_BYTES:
            continue
        lines = _lines(data, size, where)
        samples = samples or _samples(data, lines)
        delimiter = options.delimiter or _delimiter(samples)
        rows = [fields(line, delimiter) for line in lines[:most]]
        header, first = find_header(rows, known)
        if header is not None and first is not None and _is_plain(rows, header, first, known):
            break
    if first is None:
        raise InputError("holds no table: expected a line of headers and rows of numbers under it", where)
    names = rows[header] if header is not None else [f"column {place + 1}" for place in range(len(rows[first]))]
    if header is not None and first > header + 1:
        names = with_units(names, rows, header, first)
    names = _closed_up(_stripped(names), rows, first)
    body = [fields(line, delimiter) for line in samples]
    widths = [len(row) for row in body[-300:]] + [len(row) for row in rows[first : first + 200]]
    if not names[0] and header:
        widths += [len(row) for row in rows[header:first]]  # perhaps a table of several levels: `levels` knows
    else:
        _check_width(rows, first, len(names), where)
    decimal = options.decimal or _decimal(delimiter, [*rows[first : first + 200], *body])
    return Layout(tuple(names), delimiter, decimal, max(len(names), *widths), first, tuple(lines[: header or 0]))


def _lines(data: bytes, size: int, where: object) -> list[str]:
    """Return the whole lines within the first bytes of a text."""
    head = data[:size]
    if len(data) > size:
        cut = head.rfind(b"\n")
        if cut < 0 and size == HEAD_BYTES:
            raise InputError(f"line 1 is longer than {HEAD_BYTES} bytes, expected a table", where)
        head = head[: max(cut, 0)]
    return [line.rstrip("\r") for line in head.decode("utf-8", errors="replace").split("\n")]


def _is_plain(rows: Sequence[Sequence[str]], header: int, first: int, known: Callable[[str], bool]) -> bool:
    """Tell whether known headers stand over so many rows of data that nothing below can be the table's head."""
    below = rows[first:]
    if len(below) < _ENOUGH_ROWS or sum(map(known, filter(None, rows[header]))) < _ENOUGH_HEADERS:
        return False
    return all(sum(map(is_data, row)) >= max(2, len(row) // 2) for row in below[::4])


def _samples(data: bytes, lines: list[str]) -> list[str]:
    """Return lines from the middle and the end of the file: what stands above the table misleads."""
    if len(data) <= 1 << 17:
        filled = [line for line in lines if line.strip()]
        return filled[len(filled) // 2 :][-400:]
    out: list[str] = []
    for start in (len(data) // 2, len(data) - (1 << 15)):
        part = data[start : start + (1 << 15)].decode("utf-8", errors="replace").split("\n")[1:-1]
        out += [line.rstrip("\r") for line in part if line.strip()]
    return out


def _delimiter(samples: Sequence[str]) -> str:
    """Return the delimiter that cuts most lines into the same number of fields that hold numbers, times or short words."""
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        rows = [fields(line, delimiter) for line in samples[:200]]
        width, often = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        if width < 2:
            continue
        cells = [cell for row in rows if len(row) == width for cell in row]
        good = sum(not cell or is_data(cell) or (len(cell) < 30 and cell[0].isalpha()) for cell in cells)
        score = often / len(rows) * (good / len(cells)) ** 2
        if score > best_score + 0.01:
            best, best_score = delimiter, score
    return best


def find_header(rows: Sequence[Sequence[str]], known: Callable[[str], bool]) -> tuple[int | None, int | None]:
    """Return the row of headers (None where there is none) and the first row of data (None where there is no table)."""
    best: tuple[int, int] | None = None
    best_score = (0, 0)
    bare: int | None = None
    for row, names in enumerate(rows):
        filled = [name for name in names if name]
        if bare is None and len(filled) >= 2 and sum(map(is_data, filled)) >= max(2, len(filled) - 2):
            bare = row
        if len(filled) < 2 or any(is_data(name) for name in filled):
            continue
        first = _first_data(rows, row, len(filled))
        if first is None:
            continue
        # a row of units looks like headers too, and V is both
        score = (0 if _are_units(filled) else len({name for name in filled if known(name)}), len(filled))
        if score > best_score:
            best, best_score = (row, first), score
    if best is not None:
        return best
    return None, bare


def _first_data(rows: Sequence[Sequence[str]], header: int, width: int) -> int | None:
    """Return the first row of data under headers; blank rows, a row of units and the number of rows may stand between."""
    between = 0
    for row in range(header + 1, min(header + 6, len(rows))):
        filled = [field for field in rows[row] if field]
        if not filled:
            continue
        if sum(map(is_data, filled)) >= 2 and len(rows[row]) >= max(2, width // 2):
            return row
        if len(filled) == 1 and filled[0].isdigit():
            continue
        between += 1
        if between > 1 or not _are_units(filled):
            return None
    return None


def _are_units(filled: Sequence[str]) -> bool:
    return 2 * sum(map(is_unit, filled)) >= len(filled) and not any(map(is_data, filled))


def with_units(names: Sequence[str], rows: Sequence[Sequence[str]], header: int, first: int) -> list[str]:
    """Append the units that stand in a row of their own between headers and data."""
    for row in range(header + 1, first):
        if any(rows[row]) and _are_units([field for field in rows[row] if field]):
            units = [field.strip("[]() ") for field in rows[row]]
            units += [""] * (len(names) - len(units))
            return [f"{name} [{unit}]" if name and unit else name for name, unit in zip(names, units, strict=False)]
    return list(names)


def _stripped(row: Sequence[str]) -> list[str]:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return list(row[:end])


def _closed_up(names: list[str], rows: Sequence[Sequence[str]], first: int) -> list[str]:
    """Return headers without the blanks between them where a row has one field for each name: several tabs were set."""
    filled = [name for name in names if name]
    widths = {len(row) for row in rows[first : first + 200] if any(row)}
    return filled if len(filled) < len(names) and widths == {len(filled)} and names[0] else names


def _check_width(rows: Sequence[Sequence[str]], first: int, width: int, where: object) -> None:
    for row in range(first, min(first + 200, len(rows))):
        found = len(_stripped(rows[row]))
        if found > width:
            raise InputError(
                f"line {row + 1}: holds {found} fields under {width} headers; is the comma both decimal sign "
                "and delimiter, or is a header missing? Export it with another delimiter",
                where,
            )


def _decimal(delimiter: str, rows: Sequence[Sequence[str]]) -> str:
    dots = commas = 0
    for row in rows:
        for field in row:
            if _DOT.fullmatch(field) or _COMMA_THOUSANDS.fullmatch(field):
                dots += 1
            elif _COMMA.fullmatch(field):
                commas += 1
    return "," if commas > dots and delimiter != "," else "."
