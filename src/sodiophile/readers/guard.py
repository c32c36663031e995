"""Nobody's file is trusted: archives are weighed before they are opened, and foreign errors become one line."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sodiophile.errors import InputError, SodiophileError

MAX_EXPANDED_BYTES = 2 << 30
"""No archive may expand to more."""

MAX_RATIO = 200
"""No member above `FREE_BYTES` may expand by more: deflate reaches 1032, cycler data 20, empty sheets about 100."""

FREE_BYTES = 8 << 20
MAX_MEMBERS = 10_000
_XML_HEAD = 1 << 20
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


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


def check_zip(path: Path, needed: str = "") -> list[zipfile.ZipInfo]:
    """Weigh an archive before anything is expanded, and return its members.

    The sizes in the directory of an archive are claims: what is expanded later is cut at the claimed size by zipfile, so
    they bound it.

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
                        if _declares(stream.read(_XML_HEAD)):
                            raise InputError(
                                f"{member.filename!r} in it declares a document type or entities: refused", path
                            )
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


def _declares(head: bytes) -> bool:
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in head[:64]:
        head = head.replace(b"\0", b"")
    return _DOCTYPE.search(head) is not None


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
