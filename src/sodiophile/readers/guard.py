"""Nobody's file is trusted: archives are weighed before they are opened, and foreign errors become one line."""

from __future__ import annotations

import faulthandler
import os
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from sodiophile.errors import InputError, SodiophileError

MAX_EXPANDED_BYTES = 2 << 30
"""No archive may expand to more."""

MAX_RATIO = 200
"""No member above `FREE_BYTES` may expand by more: deflate reaches 1032, cycler data 20, empty sheets about 100."""

FREE_BYTES = 8 << 20
MAX_MEMBERS = 10_000
_CHUNK = 1 << 20
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


@contextmanager
def panics_unsaid() -> Iterator[None]:
    """Keep what a Rust extension prints of its panic off standard error: `one_line` says it.

    What else is printed meanwhile comes after it. Standard error belongs to the whole process, so this is for the one of
    the command line, never for a program of others.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    panicked = False
    # an extension that aborts the process takes along what was kept: Python then says at least that, and where
    watched = faulthandler.is_enabled()
    with tempfile.TemporaryFile() as said:
        if not watched:
            faulthandler.enable(kept, all_threads=False)
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            panicked = b"panicked at" in _content(said)
            raise
        finally:
            os.dup2(kept, 2)
            if not watched:
                faulthandler.disable()
            os.close(kept)
            if not panicked:
                _pass_on(_content(said))


def _content(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read()


def _pass_on(said: bytes) -> None:
    with suppress(OSError):
        while said:
            said = said[os.write(2, said) :]


@contextmanager
def one_line(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises while it reads `path` into one `InputError`.

    Raises
    ------
    InputError
        Saying that the file is no whole `what`, with the first line of the library's message.
    """
    try:
        yield
    except SodiophileError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except MemoryError as error:
        raise InputError(f"is too large for the memory, or damaged; expected {what}", path) from error
    except BaseException as error:
        # a panic in a Rust extension is no Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"cannot be read as {what}; it is damaged or cut off ({reason})", path) from error


def check_zip(path: Path, needed: str = "", *, measure: bool = False) -> list[zipfile.ZipInfo]:
    """Weigh an archive before anything is expanded, and return its members.

    The sizes in the directory of an archive are claims. zipfile cuts what it expands at the claimed size; for a library
    that does not, `measure` expands every member once, in chunks, and refuses it where it goes beyond its claim.

    Raises
    ------
    InputError
        If the file is no whole archive, would expand too far, names paths that leave its folder, is encrypted, lacks the
        member `needed`, or holds XML with a document type or entities.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _weigh(members, path)
            if needed and needed not in {member.filename for member in members}:
                raise InputError(
                    f"an archive without {needed}; expected a whole {path.suffix.lstrip('.') or 'archive'} file", path
                )
            for member in members:
                if member.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(member) as stream:
                        if _declares(stream):
                            raise InputError(
                                f"{member.filename!r} in it declares a document type or entities: refused", path
                            )
                if measure:
                    _measure(path, member)
    except SodiophileError:
        raise
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, RuntimeError) as error:
        raise InputError(f"is no whole archive; it is damaged or cut off ({error})", path) from error
    except Exception as error:  # zlib, lzma and bz2 each raise an error of their own
        raise InputError(f"is a damaged archive ({error})", path) from error
    return members


def _weigh(members: list[zipfile.ZipInfo], path: Path) -> None:
    if len(members) > MAX_MEMBERS:
        raise InputError(f"an archive of {len(members)} files, expected at most {MAX_MEMBERS}", path)
    total = sum(member.file_size for member in members)
    if total > MAX_EXPANDED_BYTES:
        raise InputError(
            f"would expand to {total / 2**30:.1f} GiB, expected at most {MAX_EXPANDED_BYTES >> 30} GiB: refused", path
        )
    if total > FREE_BYTES and total > MAX_RATIO * path.stat().st_size:
        raise InputError(
            f"would expand {total // path.stat().st_size}-fold, expected at most {MAX_RATIO}-fold: refused", path
        )
    seen: set[int] = set()
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or re.match(r"[A-Za-z]:", name):
            raise InputError(f"holds the path {member.filename!r}, which leaves its folder: refused", path)
        if member.flag_bits & 1:
            raise InputError(f"{member.filename!r} in it is encrypted", path)
        if member.file_size > FREE_BYTES and member.file_size > MAX_RATIO * max(1, member.compress_size):
            raise InputError(
                f"{member.filename!r} in it expands {member.file_size // max(1, member.compress_size)}-fold, "
                f"expected at most {MAX_RATIO}-fold: refused",
                path,
            )
        if member.header_offset in seen:
            raise InputError("two files in it share their bytes: refused", path)
        seen.add(member.header_offset)


def _declares(stream: IO[bytes]) -> bool:
    """Tell whether XML has a document type: through all of it, since blanks and comments may stand before."""
    kept = b""
    while chunk := stream.read(_CHUNK):
        # UTF-16 writes the same letters with NUL bytes between
        part = kept + chunk.replace(b"\0", b"")
        if _DOCTYPE.search(part):
            return True
        kept = part[-16:]
    return False


def _measure(path: Path, member: zipfile.ZipInfo) -> None:
    if member.compress_type == zipfile.ZIP_STORED:
        return
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise InputError(f"{member.filename!r} in it is packed in an uncommon way", path)
    with path.open("rb") as stream:
        stream.seek(member.header_offset)
        local = stream.read(30)
        names, extra = struct.unpack("<HH", local[26:30])
        stream.seek(names + extra, os.SEEK_CUR)
        left, size, inflater = member.compress_size, 0, zlib.decompressobj(-15)
        while left > 0 and not inflater.eof:
            packed = stream.read(min(_CHUNK, left))
            left -= len(packed) or left
            while packed:
                size += len(inflater.decompress(packed, _CHUNK))
                packed = inflater.unconsumed_tail
                if size > member.file_size:
                    raise InputError(f"{member.filename!r} in it expands beyond the size it claims: refused", path)


@contextmanager
def renamed(path: Path, extension: str) -> Iterator[Path]:
    """Give `path` under a name with `extension`, for a library that goes by the name."""
    if path.suffix.lower() == extension:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="sodiophile-") as folder:
        link = Path(folder) / f"file{extension}"
        try:
            os.symlink(path.resolve(), link)
        except OSError:
            shutil.copyfile(path, link)
        yield link
