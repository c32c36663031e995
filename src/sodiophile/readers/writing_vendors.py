"""Write a record in the layout of a vendor, for programs that read nothing else; its header says where it comes from.

EC-Lab's text (.mpt) takes a trace, with its rows of impedance where it has some, and spectra; ZPlot's text (.z) takes one
spectrum. What the layout has no place for is left out; Battery Data Format keeps everything. A line of the header holds
the same JSON object as our csv, so that metadata, notes and the word simulated come back when we read the file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from sodiophile._version import __version__
from sodiophile.errors import InputError
from sodiophile.readers.base import Record
from sodiophile.readers.bdf import IN_WORDS, ORIGIN
from sodiophile.records import CyclingRecord, ImpedanceRecord

_GALVANOSTATIC, _REST = 1, 3
_SPECTRUM = {
    "frequency_hertz": ("freq/Hz", 1.0),
    "real_impedance_ohm": ("Re(Z)/Ohm", 1.0),
    "imaginary_impedance_ohm": ("-Im(Z)/Ohm", -1.0),
}
_TRACE = {
    "step_id": ("Ns", 1.0),
    "step_count": ("Ns", 1.0),
    "test_time_second": ("time/s", 1.0),
    "step_time_second": ("step time/s", 1.0),
    "voltage_volt": ("Ewe/V", 1.0),
    "current_ampere": ("I/mA", 1e3),
    "cycle_count": ("cycle number", 1.0),
}


def said(record: Record) -> str:
    """Return one line that says who made the numbers."""
    what = f"{IN_WORDS}, no cell was measured" if record.simulated else "converted"
    return f"{what}; written by sodiophile {__version__}"


def write_mpt(record: Record, path: Path, origin: str) -> None:
    """Write the text of EC-Lab.

    Parameters
    ----------
    record
        A trace or spectra.
    path
        Where.
    origin
        What `writing` says of the record, JSON on one line.
    """
    if isinstance(record, ImpedanceRecord):
        technique = "Potentio Electrochemical Impedance Spectroscopy"
        columns = _columns(record.data, _SPECTRUM)
        columns["cycle number"] = record.data["spectrum"].cast(pl.Float64)
    else:
        technique = "Galvanostatic Cycling with Potential Limitation"
        columns = {"mode": _mode(record), **_columns(record.data, _TRACE)}
        if "frequency_hertz" in record.data.columns:
            columns |= _columns(record.data.with_columns(pl.col(list(_SPECTRUM)).fill_null(0.0)), _SPECTRUM)
    above = [
        "EC-Lab ASCII FILE",
        "Nb header lines : {count}",
        "",
        technique,
        "",
        f"Comments : {said(record)}",
        f"{ORIGIN} : {origin}",
        "",
    ]
    above[1] = above[1].format(count=len(above) + 1)
    _table(path, above, pl.DataFrame(columns))


def write_z(record: Record, path: Path, origin: str) -> None:
    """Write the text of ZPlot.

    Parameters
    ----------
    record
        One spectrum.
    path
        Where.
    origin
        What `writing` says of the record, JSON on one line.

    Raises
    ------
    InputError
        If the record is a trace, or holds several spectra.
    """
    if isinstance(record, CyclingRecord):
        raise InputError("a .z file holds an impedance spectrum, found a trace; expected .bdf.csv, .parquet or .mpt")
    number = record.data["spectrum"].n_unique()
    if number > 1:
        raise InputError(f"a .z file holds one spectrum, found {number}; expected .bdf.csv, .parquet or .mpt")
    data, nothing = record.data, pl.Series([0.0] * len(record.data))
    time = data["test_time_second"] if "test_time_second" in data.columns else nothing
    above = [
        "ZPLOT2 ASCII",
        f"Comments: {said(record)}",
        f"{ORIGIN}: {origin}",
        "Data Points:",
        str(len(data)),
    ]
    table = pl.DataFrame(
        {
            "Freq(Hz)": data["frequency_hertz"],
            "Ampl": nothing,
            "Bias": nothing,
            "Time(Sec)": time,
            "Z'(a)": data["real_impedance_ohm"],
            "Z''(b)": data["imaginary_impedance_ohm"],
            "GD": nothing,
            "Err": nothing,
            "Range": nothing,
        }
    )
    _table(path, above, table, "End Comments")


def _columns(data: pl.DataFrame, layout: dict[str, tuple[str, float]]) -> dict[str, pl.Series]:
    found = {}
    for column, (header, factor) in layout.items():
        if column in data.columns:
            series = data[column]
            found[header] = series if factor == 1.0 else series * factor
    return found


def _mode(record: CyclingRecord) -> pl.Series:
    flows = record.data["current_ampere"] != 0
    return pl.Series(pl.select(pl.when(flows).then(_GALVANOSTATIC).otherwise(_REST)).to_series())


def _table(path: Path, above: list[str], table: pl.DataFrame, below: str | None = None) -> None:
    """Write lines of text, then the table under its headers, and a line between the two if there is one."""
    lines = [*above, "\t".join(table.columns), *([below] if below else [])]
    rows = table.write_csv(separator="\t", include_header=False, quote_style="never", null_value="0")
    path.write_text("\r\n".join(lines) + "\r\n" + rows, encoding="utf-8", newline="")


VENDORS: dict[str, Callable[[Record, Path, str], None]] = {".mpt": write_mpt, ".z": write_z}
"""Extension -> who writes it."""
