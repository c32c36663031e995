"""The contract of a reader: a small declaration, and what detection may look at."""

from __future__ import annotations

import importlib.util
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sodiophile.errors import InputError, MissingExtraError, MissingProgramError
from sodiophile.readers.options import ReadOptions
from sodiophile.records import CyclingRecord, ImpedanceRecord

PEEK_BYTES = 1 << 16


@dataclass(frozen=True)
class File:
    """A file that is about to be read: its name and its first bytes.

    Parameters
    ----------
    path
        Where it lies.
    seen
        What detection found out and may need again.

    Raises
    ------
    InputError
        On first use, if the file cannot be read.
    """

    path: Path
    seen: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def extension(self) -> str:
        """The last extension in lower case, with its dot: ``.csv``."""
        return self.path.suffix.lower()

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB."""
        try:
            with self.path.open("rb") as stream:
                return stream.read(PEEK_BYTES)
        except OSError as error:
            raise unreadable(self.path, error) from error

    @cached_property
    def members(self) -> tuple[str, ...]:
        """The names in a zip archive; none where the file is no (whole) archive."""
        if not self.head.startswith(b"PK"):
            return ()
        try:
            with zipfile.ZipFile(self.path) as archive:
                return tuple(archive.namelist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
            return ()

    def content(self) -> bytes:
        """Return all bytes."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise unreadable(self.path, error) from error


def unreadable(path: Path, error: OSError) -> InputError:
    """Return the error of a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return InputError("no such file", path)
    if path.is_dir():
        return InputError("is a folder, expected a file", path)
    return InputError(f"cannot be read: {error.strerror or error}", path)


Sniff = Callable[[File, ReadOptions], str | None]
"""Returns why a reader is the one for a file (``'EC-Lab ASCII FILE' in line 1``), None if it is not."""

Record = CyclingRecord | ImpedanceRecord
"""What a file holds: a trace, or impedance spectra."""

Read = Callable[[File, ReadOptions], Record]


@dataclass(frozen=True)
class Reader:
    """One format.

    Parameters
    ----------
    name
        As in ``--format`` and in the provenance: lower case, words joined by ``-``.
    title
        What a person calls it.
    version
        Counted up whenever the same file gives another record.
    extensions
        With their dot, in lower case.
    read
        Reads a file. It may raise anything: what is not a `SodiophileError` becomes an `InputError` naming the file.
    magic
        First bytes, one of which must be there (none: any).
    sniff
        Looks at the first bytes and columns; needed where extension and magic bytes do not tell the format.
    extra
        The extra of sodiophile that it needs, if any.
    module
        The module that the extra brings, to tell whether it is installed.
    program
        A program of the operating system that it needs, if any.
    install
        The command that installs the program.
    """

    name: str
    title: str
    version: str
    extensions: tuple[str, ...]
    read: Read
    magic: tuple[bytes, ...] = ()
    sniff: Sniff | None = None
    extra: str = ""
    module: str = ""
    program: str = ""
    install: str = ""

    @property
    def installed(self) -> bool:
        """Whether all it needs is there; nothing is imported to find out."""
        if self.program and shutil.which(self.program) is None:
            return False
        return not self.module or importlib.util.find_spec(self.module) is not None

    def need(self, name: str) -> None:
        """Refuse the file called `name` if the reader's extra is missing.

        Raises
        ------
        MissingExtraError
            Naming the extra, or the program and how to install it.
        """
        if self.program and not self.installed:
            raise MissingProgramError(self.program, self.install, f"reading {name}, {self.title},")
        if not self.installed:
            raise MissingExtraError(self.extra, f"reading {name}, {self.title},")


@dataclass(frozen=True, slots=True)
class Detected:
    """Which reader a file gets.

    Parameters
    ----------
    reader
        Its name.
    version
        Its version.
    why
        What spoke for it.
    """

    reader: str
    version: str
    why: str
