"""All readers, and which of them a file gets: by magic bytes and header text, by columns, by extension."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from sodiophile.errors import InputError
from sodiophile.readers import foreign
from sodiophile.readers.base import Detected, File, Reader
from sodiophile.readers.options import ReadOptions
from sodiophile.records import refuse_special

GROUP = "sodiophile.readers"


@cache
def own_readers() -> tuple[Reader, ...]:
    """Return the readers of this package in the order in which they are asked: what is told by its first bytes first."""
    from sodiophile.readers import (
        arbin,
        archives,
        bdf,
        biologic,
        eclab,
        gamry,
        ivium,
        neware,
        spreadsheet,
        tables,
        versastudio,
        zahner,
        zplot,
    )

    return (
        *(neware.READER, biologic.READER, arbin.READER, spreadsheet.READER, bdf.PARQUET, archives.GZIP, archives.ZIP),
        *(zahner.READER, ivium.READER, gamry.READER, zplot.READER, versastudio.READER, eclab.READER, bdf.CSV),
        *tables.READERS,
    )


@cache
def _offered() -> tuple[tuple[Reader, ...], dict[str, str]]:
    """Return the readers of other packages, and what is wrong with those that cannot be used, by entry point."""
    found: list[Reader] = []
    faults: dict[str, str] = {}
    for point in entry_points(group=GROUP):
        try:
            loaded = point.load()
        except Exception as error:  # noqa: BLE001  whatever a foreign module raises is one line about that module
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            faults[point.name] = f"the entry point {point.value!r} of {GROUP} cannot be loaded: {reason}"
            continue
        if isinstance(loaded, Reader):
            found.append(loaded)
        else:
            faults[point.name] = f"the entry point {point.value!r} of {GROUP} is not a Reader"
    return tuple(found), faults


def other_readers() -> tuple[Reader, ...]:
    """Return the readers of other packages, which are asked before ours; those that cannot be loaded are left out."""
    return _offered()[0]


def _faults() -> dict[str, str]:
    return _offered()[1]


def readers() -> tuple[Reader, ...]:
    """Return all readers in the order in which they are asked."""
    return (*other_readers(), *own_readers())


def formats() -> list[dict[str, Any]]:
    """Return what can be read, JSON-ready: name, title, version, extensions, the extra or program needed, if there.

    A reader of another package that cannot be used is listed as not installed, its title says why.
    """
    broken = [
        {"name": name, "title": fault, "version": "", "extensions": [], "extra": "", "program": "", "installed": False}
        for name, fault in _faults().items()
    ]
    return broken + [
        {
            "name": reader.name,
            "title": reader.title,
            "version": reader.version,
            "extensions": list(reader.extensions),
            "extra": reader.extra,
            "program": f"{reader.program} ({reader.install})" if reader.program else "",
            "installed": reader.installed,
        }
        for reader in readers()
    ]


def reader_named(name: str) -> Reader:
    """Return a reader by its name.

    Raises
    ------
    InputError
        If there is none (the nearest name is offered), or another package offers one that cannot be loaded.
    """
    known = {reader.name: reader for reader in readers()}
    if name not in known and name in _faults():
        raise InputError(_faults()[name])
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise InputError(f"{name!r} is not a format; {hint}")
    return known[name]


def chosen(file: File, options: ReadOptions) -> tuple[Reader, str]:
    """Return the reader for a file, and why.

    Raises
    ------
    InputError
        If the file cannot be read, is no regular file, is empty, or no reader knows it.
    """
    refuse_special(file.path)
    if options.format is not None:
        return reader_named(options.format), "as asked for"
    if not file.head:
        raise InputError("is empty, expected a file of measured data", file.path)
    found = _first(other_readers(), file, options, others=True)
    if found is None:
        if not any(file.head.startswith(magic) for reader in own_readers() for magic in reader.magic):
            foreign.refuse(file)
        found = _first(own_readers(), file, options)
    if found is None:
        raise InputError(f"no reader knows it; there are {', '.join(reader.name for reader in readers())}", file.path)
    return found


def _first(among: Sequence[Reader], file: File, options: ReadOptions, *, others: bool = False) -> tuple[Reader, str] | None:
    """Return the first reader that knows a file, and why; one of another package that fails to look is passed over."""
    for reader in among:
        if reader.magic and not file.head.startswith(reader.magic):
            continue
        if reader.sniff is None:
            if reader.magic or file.extension in reader.extensions:
                return reader, "its first bytes" if reader.magic else f"the extension {file.extension}"
            continue
        try:
            why = reader.sniff(file, options)
        except Exception as error:
            if not others:
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            warnings.warn(f"the reader {reader.name!r} failed to look at {file.path.name}: {reason}", stacklevel=2)
            continue
        if why is not None:
            return reader, why
    return None


def detect(path: str | Path, options: ReadOptions | None = None) -> Detected:
    """Tell which reader a file gets, without reading all of it.

    Parameters
    ----------
    path
        The file.
    options
        A format named there is taken as it is.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or no reader knows it.
    """
    reader, why = chosen(File(Path(path)), options or ReadOptions())
    return Detected(reader.name, reader.version, why)
