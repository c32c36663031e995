"""The task functions of experiments: read files and analyze them; simulate a record and analyze it the same way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sodiophile import experiments
from sodiophile.errors import InputError, SolverError
from sodiophile.experiments.base import simulated_record
from sodiophile.records import CyclingRecord, file_sha256
from sodiophile.schema import checked

VERSION = 1


def analyze_files(
    inputs: Mapping[str, Any], _after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Read the files of one test and analyze them.

    Parameters
    ----------
    inputs
        ``kind``, ``protocol`` and ``read`` as a user would write them, ``files`` with name and sha256; the versions of
        analysis and readers are there for the key.
    _after
        Nothing.
    context
        ``paths``: where the files lie now.
    folder
        Where the result goes.

    Raises
    ------
    InputError
        If a file has changed since the study was planned, or cannot be read or analyzed.
    """
    from sodiophile import readers

    kind = experiments.experiment(inputs["kind"])
    options = checked(readers.ReadOptions, {"record": kind.record, **inputs["read"]})
    records = []
    for entry, path in zip(inputs["files"], context["paths"], strict=True):
        record = readers.read(Path(path), options)
        # after reading: a file that changed meanwhile must not pass under the old sum
        if file_sha256(path) != entry["sha256"]:
            raise InputError("the file has changed since the study was planned; run again", entry["name"])
        records.append(record)
    return kind.run(records, checked(kind.protocol, inputs["protocol"])).save(folder)


def simulate_and_analyze(
    inputs: Mapping[str, Any], _after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Let the virtual instrument make a record, and analyze it as a measured one; the record is kept beside the result.

    Parameters
    ----------
    inputs
        ``kind``, ``protocol`` and ``instrument`` as a user would write them, ``seed``, and the parameters of the ``cell``;
        the versions are there for the key.
    _after
        Nothing.
    context
        ``cell``: the file or the shipped name of the cell.
    folder
        Where the result goes.

    Raises
    ------
    InputError
        If the cell has changed since the study was planned, or a parameter is unphysical.
    SolverError
        If the equations could not be solved to the end; the line names the file that holds the record up to there.
    """
    from sodiophile import readers
    from sodiophile.physics.cell import load_cell

    kind = experiments.experiment(inputs["kind"])
    cell = load_cell(context["cell"])
    if cell.to_dict() != inputs["cell"]:
        raise InputError("the cell has changed since the study was planned; run again", context["cell"])
    try:
        record = simulated_record(kind, cell, inputs["protocol"], inputs["instrument"], inputs["seed"])
    except SolverError as error:
        if isinstance(error.so_far, CyclingRecord):
            place = readers.write(error.so_far, folder / "record-so-far.parquet")
            raise SolverError(f"{error}; {place} holds the record up to there") from None
        raise
    readers.write(record, folder / "record.parquet")
    return kind.run([record], checked(kind.protocol, inputs["protocol"])).save(folder)
