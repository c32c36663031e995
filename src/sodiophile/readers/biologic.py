"""BioLogic EC-Lab binary files (.mpr), by a plug-in under the GPL that is installed apart: extra ``biologic``.

The plug-in gives the columns under the names of the text export, so the rest is that of `eclab`. Files of some techniques
hold the charge of each row but no current: it is then the charge over the time of the row, as EC-Lab's own export has it;
others hold impedance in polar form alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers import guard
from sodiophile.readers.base import File, Reader, Record
from sodiophile.readers.eclab import eclab_record, resting
from sodiophile.readers.listening import Listener
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.table import Table, framed

VERSION = "2"
MAGIC = b"BIO-LOGIC MODULAR FILE"
_CURRENTS = ("I/mA", "<I>/mA")
_CHARGES = ("dq/mA.h", "dQ/mA.h")
_LARGEST = 1 << 31


def _read(file: File, options: ReadOptions) -> Record:
    if file.path.stat().st_size > _LARGEST:
        raise InputError("is larger than 2 GiB, expected a test in parts", file.path)
    from galvani import BioLogic

    with (
        Listener("galvani") as listener,
        guard.one_line(file.path, "a BioLogic file (.mpr)"),
        file.path.open("rb") as stream,
    ):
        measured = BioLogic.MPRfile(stream)
        columns = _columns(measured.data, file)
    about = {"instrument": "BioLogic"}
    start = getattr(measured, "timestamp", None) or getattr(measured, "startdate", None)
    if start is not None:
        about["Acquisition started on"] = str(start)
    notes = listener.heard()
    if not any(name in columns for name in _CURRENTS):
        charge = next((name for name in _CHARGES if name in columns), None)
        if charge is not None and "time/s" in columns:
            columns["<I>/mA"] = mean_current_mA(columns["time/s"], columns[charge])
            notes.append(f"the file holds no current: it is the charge {charge!r} over the time of each row")

    if "Re(Z)/Ohm" not in columns and {"|Z|/Ohm", "Phase(Z)/deg"} <= set(columns):
        phase = np.deg2rad(columns["Phase(Z)/deg"])
        columns["Re(Z)/Ohm"] = columns["|Z|/Ohm"] * np.cos(phase)
        columns["-Im(Z)/Ohm"] = -columns["|Z|/Ohm"] * np.sin(phase)
    table = Table(
        list(columns), framed(pl.DataFrame(columns)), lambda row: f"row {row + 1}", metadata=about, notes=tuple(notes)
    )
    # a binary file holds all columns of its technique: one without current and charge is at open circuit
    return eclab_record(file, READER, options, resting(table))


def _columns(data: Any, file: File) -> dict[str, np.ndarray]:
    if data.dtype.names is None or not len(data):
        raise InputError("holds no rows of data; it is cut off, or the test never started", file.path)
    return {name: np.ascontiguousarray(data[name]).astype(float) for name in data.dtype.names if name != "flags"}


def mean_current_mA(time_s: np.ndarray, charge_mAh: np.ndarray) -> np.ndarray:
    """Return the mean current of each row: its charge over the time since the row before.

    Parameters
    ----------
    time_s, charge_mAh
        Time, and charge since the row before, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,), mA. A row without a time of its own has the current of the row before; the first row has none.
    """
    step_h = np.diff(time_s, prepend=time_s[:1]) / 3600
    current = np.divide(charge_mAh, step_h, out=np.zeros(len(time_s)), where=step_h > 0)
    last = np.maximum.accumulate(np.where(step_h > 0, np.arange(len(time_s)), 0))
    return current[last]


READER = Reader(
    name="biologic",
    title="BioLogic EC-Lab binary (.mpr)",
    version=VERSION,
    extensions=(".mpr",),
    read=_read,
    magic=(MAGIC,),
    extra="biologic",
    module="galvani",
)
