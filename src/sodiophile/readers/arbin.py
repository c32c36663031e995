"""Arbin data bases (.res, Microsoft Access), through the program mdb-export of mdbtools.

``Channel_Normal_Table`` holds the rows of one or several tests, told apart by ``Test_ID``; the header's mass and capacities
are claims and stay in the metadata.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.normal import understand
from sodiophile.readers.options import CHANNEL, ReadOptions
from sodiophile.readers.provenance import record
from sodiophile.readers.table import Table, framed
from sodiophile.readers.vendors import ARBIN

VERSION = "1"
PROGRAM = "mdb-export"
ROWS = "Channel_Normal_Table"
ABOUT = "Global_Table"
UNITS = {"Test_Time": "s", "Step_Time": "s", "Current": "A", "Voltage": "V"}
"""What the columns are in, which the data base does not say itself."""

_LONGEST_S = 300
_LARGEST = 2 << 30
_CHUNK = 1 << 20


def _read(file: File, options: ReadOptions) -> Record:
    with tempfile.TemporaryDirectory(prefix="sodiophile-") as folder:
        # an absolute path: no name of a file can be taken for an option
        base = file.path.resolve()
        rows = _exported(base, ROWS, Path(folder) / "rows.csv", file)
        about = _exported(base, ABOUT, Path(folder) / "about.csv", file)
        frame = _frame(rows, file)
        tests = _frame(about, file) if about.stat().st_size else pl.DataFrame()
    if frame.is_empty() or "Test_ID" not in frame.columns:
        raise InputError(f"its table {ROWS} holds no rows; the test never started, or it is cut off", file.path)
    frame = frame.rename({name: f"{name} ({unit})" for name, unit in UNITS.items() if name in frame.columns})
    order = [name for name in ("Test_ID", "Data_Point") if name in frame.columns]
    frame = frame.sort([pl.col(name).cast(pl.Int64, strict=False) for name in order], maintain_order=True)
    told = options.model_copy(update={"columns": {CHANNEL: "Test_ID", **options.columns}})
    table = Table(
        frame.columns,
        framed(frame),
        lambda row: f"row {row + 1} of {ROWS}",
        metadata=_about(tests, options),
    )
    found = understand(table, ARBIN, told, file.path)
    # of one test its number says nothing
    kept = tuple(entry for entry in found.mapped if entry.column != CHANNEL or options.channel is not None)
    return record(file, READER, options, replace(found, mapped=kept), table.metadata)


def _frame(path: Path, file: File) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True, raise_if_empty=False)
    except pl.exceptions.PolarsError as error:
        raise InputError("is no whole Arbin data base: its rows cannot be cut into fields", file.path) from error


def _about(tests: pl.DataFrame, options: ReadOptions) -> dict[str, str]:
    about = {"instrument": "Arbin"}
    if "Test_ID" in tests.columns and options.channel is not None:
        tests = tests.filter(pl.col("Test_ID") == options.channel)
    if tests.height == 1:
        about |= {name: value[:500] for name, value in tests.row(0, named=True).items() if value}
    return about


def _exported(base: Path, table: str, target: Path, file: File) -> Path:
    """Let mdb-export write a table as csv, within bounds of time and size.

    Raises
    ------
    InputError
        If the program refuses the file, or it expands too far.
    """
    arguments = [PROGRAM, str(base), table]
    with target.open("wb") as out, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said)  # noqa: S603
        stop = threading.Timer(_LONGEST_S, process.kill)
        stop.start()
        try:
            assert process.stdout is not None  # noqa: S101  asked for
            size = 0
            while chunk := process.stdout.read(_CHUNK):
                size += len(chunk)
                if size > _LARGEST:
                    raise InputError(f"expands to more than {_LARGEST >> 30} GiB: refused", file.path)
                out.write(chunk)
        finally:
            stop.cancel()
            if process.poll() is None and size > _LARGEST:
                process.kill()
            assert process.stdout is not None  # noqa: S101
            process.stdout.close()
            code = process.wait()
        said.seek(0)
        reason = said.read(2000).decode("utf-8", errors="replace").replace(str(base), "it").split("\n")[0].strip()
    if code != 0:
        raise InputError(
            f"cannot be read as an Arbin data base: no whole table {table} ({reason or f'{PROGRAM} ended with {code}'})",
            file.path,
        )
    if "beyond EOF" in reason:
        # the program goes on without the rows that are missing
        raise InputError(f"is cut off: part of its table {table} lies beyond its end ({reason})", file.path)
    return target


READER = Reader(
    name="arbin-res",
    title="Arbin data base (.res)",
    version=VERSION,
    extensions=(".res",),
    read=_read,
    magic=(b"\x00\x01\x00\x00Standard Jet DB", b"\x00\x01\x00\x00Standard ACE DB"),
    program=PROGRAM,
    install="apt-get install mdbtools",
)
