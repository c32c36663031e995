"""Where a record came from: the file and its SHA-256, the reader and its version, or the virtual instrument."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sodiophile.errors import InputError

Simple = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of one record.

    Parameters
    ----------
    source
        The name of the file (not its path: a report travels), or of the virtual instrument.
    sha256
        SHA-256 of the bytes of the file; of the canonical inputs for a virtual instrument.
    reader
        The reader, or ``virtual`` for a virtual instrument.
    reader_version
        Its version.
    options
        What the user told the reader: column map, units, sign, channel. Plain values only.
    size_bytes
        The size of the file.
    """

    source: str
    sha256: str
    reader: str
    reader_version: str
    options: Mapping[str, Any] = field(default_factory=dict)
    size_bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "reader": self.reader,
            "reader_version": self.reader_version,
            "options": dict(self.options),
            "size_bytes": self.size_bytes,
        }


def refuse_special(path: str | Path) -> None:
    """Refuse a named pipe, a device or a socket: opening one may wait forever, and it cannot be read twice.

    Raises
    ------
    InputError
        If it is one.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):  # whoever opens it says why it cannot be read
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError("is no regular file but a pipe, a device or a socket; save its content to a file first", path)


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits.

    Raises
    ------
    InputError
        If the file is missing, is a folder, a pipe or a device, or cannot be read.
    """
    refuse_special(path)
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except IsADirectoryError:
        raise InputError("is a folder, expected a file", path) from None
    except FileNotFoundError:
        raise InputError("no such file", path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path) from None
