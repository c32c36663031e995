"""Which cells a batch has: the files of a folder, or the rows of a table with what was set for each."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from sodiophile.errors import InputError

NO_GROUP = "all cells"
LARGEST_TABLE_BYTES = 10_000_000
_FILE, _CELL, _GROUP = ("file", "files"), ("cell", "name"), ("group",)
_HEADER = re.compile(r"\s*([^\[(/]+?)\s*(?:\[([^\]]*)\]|\(([^)]*)\)|/\s*(\S.*?))?\s*")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SKIPPED = frozenset({".", "~"})


@dataclass(frozen=True)
class Cell:
    """One cell of a batch.

    Parameters
    ----------
    name, group
        As people call it, and the replicates that it belongs to.
    files
        Of its one test, in the order of measurement.
    settings
        Keys of the protocol and of the reader, as a user writes them, that hold for this cell.
    labels
        What else the table says of it.
    where
        Where it stands: the row of the table.
    fault
        Why it cannot be analyzed, where that is known already.
    """

    name: str
    group: str
    files: tuple[Path, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    fault: InputError | None = None


def cells_of(source: Path, keys: Sequence[str], group_by: str | None = None) -> tuple[list[Cell], list[str]]:
    """Return the cells that `source` names, and what its reader must know.

    Parameters
    ----------
    source
        A folder: every file in it is a cell, and the files of a folder inside it are a group. Or a table (CSV) with a
        column ``file``; ``cell``, ``group`` and any key of `keys` may follow, with units in the cells or in the header.
    keys
        Of the protocol and of the reader.
    group_by
        The column of the table that names the group; ``group`` by default.

    Raises
    ------
    InputError
        If it is neither, holds nothing, or a column is missing or resembles a key without being one.
    """
    if source.is_dir():
        if group_by is not None:
            raise InputError("a folder has no columns; its folders are the groups, or give a table", "group-by")
        return _of_folder(source), []
    if not source.is_file():
        raise InputError("no such folder or table; expected a folder of files, or a CSV table with a column 'file'", source)
    return _of_table(source, keys, group_by)


def _of_folder(folder: Path) -> list[Cell]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.name[:1] in _SKIPPED:
            continue
        if path.is_dir():
            inner = sorted(one for one in path.iterdir() if one.is_file() and one.name[:1] not in _SKIPPED)
            found += [(one, path.name) for one in inner]
        elif path.is_file():
            found.append((path, NO_GROUP))
    if not found:
        raise InputError("the folder holds no file; expected one file a cell, or folders of them, one a group", folder)
    stems = [_stem(path) for path, _ in found]
    return [
        Cell(
            _stem(path) if stems.count(_stem(path)) == 1 else str(path.relative_to(folder)), group, (path,), where=str(path)
        )
        for path, group in found
    ]


def _stem(path: Path) -> str:
    return path.stem.removesuffix(".bdf")


def _of_table(path: Path, keys: Sequence[str], group_by: str | None) -> tuple[list[Cell], list[str]]:
    rows = _rows(path)
    header = [cell.strip() for cell in rows[0][1]]
    named = [_column(text, path) for text in header]
    names = [name for name, _ in named]
    for name in names:
        if name and names.count(name) > 1:
            raise InputError(f"has {names.count(name)} columns {name!r}, expected each once", path)
    file_at = _find(names, _FILE)
    if file_at is None:
        raise InputError(f"has no column 'file'; found {', '.join(header)}", path)
    group_name = group_by.strip().lower() if group_by is not None else None
    if group_name is not None and group_name not in names:
        raise InputError(f"has no column {group_by!r}; found {', '.join(header)}", path)
    group_at = names.index(group_name) if group_name is not None else _find(names, _GROUP)
    cell_at = _find(names, _CELL)
    notes = _stray(names, keys, {file_at, group_at, cell_at}, path)
    cells: list[Cell] = []
    for line, row in rows[1:]:
        where = f"{path.name}, line {line}"
        values = [one.strip() for one in row]
        if len(values) > len(header):
            raise InputError(f"line {line} has {len(values)} fields under {len(header)} headers; quote a comma", path)
        values += [""] * (len(header) - len(values))
        listed = [one.strip() for one in values[file_at].split(";") if one.strip()]
        name = values[cell_at] if cell_at is not None and values[cell_at] else _stem(Path(listed[0])) if listed else where
        if any(one.name == name for one in cells):
            name = f"{name} (line {line})"
        said = {
            key: _with_unit(value, unit)
            for (key, unit), value in zip(named, values, strict=True)
            if key and value and key not in {*_FILE, *_CELL, *_GROUP}
        }
        group = values[group_at] if group_at is not None else ""
        settings = {key: value for key, value in said.items() if key in keys}
        labels = {key: value for key, value in said.items() if key not in keys}
        try:
            if not listed:
                raise InputError("names no file", where)
            files, fault = tuple(_inside(path.parent, one, where) for one in listed), None
        except InputError as error:
            files, fault = (), error
        cells.append(Cell(name, group or NO_GROUP, files, settings, labels, where, fault))
    if not cells:
        raise InputError("has a header and no row, expected one row a cell", path)
    return cells, notes


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return line number and fields of every row that says something."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_TABLE_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path) from None
    if len(content) > LARGEST_TABLE_BYTES:
        raise InputError(f"larger than {LARGEST_TABLE_BYTES // 1_000_000} MB, which no table of cells is", path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"line {line}: found a byte that is not UTF-8; save the table as CSV UTF-8", path) from None
    if "\0" in text:
        raise InputError("is not a text file; expected a CSV table with a column 'file', or a folder", path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    # files of one cell are joined by ';', so that only a header without comma and tab can be meant by it
    delimiter = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: not CSV: {error}", path) from None
    if not rows:
        raise InputError("is empty, expected a CSV table with a column 'file'", path)
    return rows


def _column(text: str, path: Path) -> tuple[str, str]:
    """Return name and unit of a header: ``Area [cm^2]`` is area in cm^2."""
    if not text:
        return "", ""
    match = _HEADER.fullmatch(text)
    if match is None:
        raise InputError(f"found the header {text!r}, expected a name such as 'area' or 'area [cm^2]'", path)
    unit = next((one for one in match.groups()[1:] if one), "")
    return re.sub(r"[\s-]+", "_", match[1].strip().lower()), unit.strip()


def _find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(one) for one in wanted if one in names), None)


def _stray(names: Sequence[str], keys: Sequence[str], used: set[int | None], path: Path) -> list[str]:
    """Refuse a column that is nearly a key, so that no setting is lost to a typing error; name the others."""
    labels = []
    for at, name in enumerate(names):
        if not name or at in used or name in keys:
            continue
        near = difflib.get_close_matches(name, keys, n=1, cutoff=0.75)
        if near:
            raise InputError(f"found the column {name!r}; did you mean {near[0]!r}?", path)
        labels.append(name)
    if not labels:
        return []
    return [f"{path.name}: no key of this kind of experiment, kept as a label: {', '.join(labels)}"]


def _with_unit(value: str, unit: str) -> str:
    return f"{value} {unit}" if unit and _NUMBER.fullmatch(value) else value


def _inside(folder: Path, name: str, where: str) -> Path:
    advice = "name it relative to the table, in its folder or below"
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or PureWindowsPath(name).root or "\0" in name:
        raise InputError(f"found the absolute path {name!r}; {advice}", where)
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:
        raise InputError(f"found {name!r}, which cannot be followed: {error}", where) from None
    if not inside:
        raise InputError(f"found {name!r}, which leads out of the folder of the table; {advice}", where)
    if not path.is_file():
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"found {name!r}, but there is no such file{hint}", where)
    return path
