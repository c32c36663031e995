"""A file in a wrapper: .gz, or a .zip with one file in it; unwrapped within bounds and read as what it then is."""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from sodiophile.errors import InputError
from sodiophile.readers import guard
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.options import ReadOptions
from sodiophile.records import file_sha256

VERSION = "1"


class SupportsRead(Protocol):
    """An open file."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


_CHUNK = 1 << 20


def _is_gzip(file: File, _options: ReadOptions) -> str | None:
    return "a gzip wrapper by its first bytes" if file.head.startswith(b"\x1f\x8b") else None


def _is_zip(file: File, _options: ReadOptions) -> str | None:
    return "a zip archive by its first bytes" if file.head.startswith(b"PK\x03\x04") else None


def _read_gzip(file: File, options: ReadOptions) -> Record:
    name = file.path.stem if file.extension in {".gz", ".gzip"} else file.path.name
    try:
        with gzip.open(file.path) as stream:
            return _unwrapped(file, stream, name, options, GZIP)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"is a damaged or cut off gzip file ({error})", file.path) from error


def _read_zip(file: File, options: ReadOptions) -> Record:
    members = [member for member in guard.check_zip(file.path) if not member.is_dir()]
    members = [member for member in members if not member.filename.startswith(("__MACOSX/", "."))]
    if len(members) != 1:
        names = ", ".join(repr(member.filename) for member in members[:10])
        raise InputError(
            f"an archive of {len(members)} files ({names}), expected one; unpack it and give the file", file.path
        )
    try:
        with zipfile.ZipFile(file.path) as archive, archive.open(members[0]) as stream:
            return _unwrapped(file, stream, members[0].filename, options, ZIP)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise InputError(f"is a damaged or cut off archive ({error})", file.path) from error


def _unwrapped(file: File, stream: SupportsRead, name: str, options: ReadOptions, wrapper: Reader) -> Record:
    from sodiophile.readers.registry import chosen

    base = PurePosixPath(name.replace("\\", "/")).name or "file"
    with tempfile.TemporaryDirectory(prefix="sodiophile-") as folder:
        inner = Path(folder) / f"content{''.join(PurePosixPath(base).suffixes[-2:])[-40:]}"
        _copy(stream, inner, file.path)
        within = File(inner)
        try:
            reader, _ = chosen(within, options)
            if reader in {GZIP, ZIP}:
                raise InputError("holds another archive, expected a file of measured data", inner)
            reader.need(file.path.name)
            made = reader.read(within, options)
        except InputError as error:
            raise InputError(str(error).replace(str(inner), base), file.path) from error
    place = replace(
        made.provenance[0],
        source=file.path.name,
        sha256=file_sha256(file.path),
        size_bytes=file.path.stat().st_size,
        options={**made.provenance[0].options, "member": base, "member_sha256": made.provenance[0].sha256},
    )
    return replace(
        made, provenance=(place, *made.provenance[1:]), notes=(*made.notes, f"{wrapper.title}: {base!r} in it was read")
    )


def _copy(stream: SupportsRead, target: Path, where: Path) -> None:
    limit = max(guard.FREE_BYTES, guard.MAX_RATIO * where.stat().st_size)
    limit = min(limit, guard.MAX_EXPANDED_BYTES)
    size = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise InputError(f"expands to more than {limit >> 20} MiB: refused", where)
            out.write(chunk)


GZIP = Reader("gzip", "gzip wrapper", VERSION, (".gz",), _read_gzip, sniff=_is_gzip)
ZIP = Reader("zip", "zip archive of one file", VERSION, (".zip",), _read_zip, sniff=_is_zip)
