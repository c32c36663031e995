"""The time of a sweep that a file does not print: CH Instruments and others write potential, current and, above, the rate.

At a constant rate v the time to a point is the way that the voltage has gone to it, t = sum |dE| / v.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace

import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers import values
from sodiophile.readers.mapping import choose
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.table import Table
from sodiophile.readers.units import factor
from sodiophile.readers.vendors import Vendor

_HEADER = "time of the sweep"
_RATE = re.compile(r"(scan|sweep) ?rate\s*[(\[/]?\s*(?P<unit>m?V)\s*/\s*s\s*[)\]]?", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(?P<number>[\d.]+(?:[eE][+-]?\d+)?)\s*")


def with_sweep_time(table: Table, vendor: Vendor, options: ReadOptions, where: object) -> tuple[Table, ReadOptions]:
    """Add the time of a sweep to a table that has current and voltage but no time, if the file states the rate.

    Parameters
    ----------
    table, vendor, options, where
        As for `normal.understand`.

    Returns
    -------
    tuple
        Table and options, with the column of time and its name; as they were where there is a time, or no rate.
    """
    rate_V_s = _rate(table.metadata)
    if rate_V_s is None or "test_time_second" in options.columns:
        return table, options
    try:
        choose(table.headers, vendor, options, where)
        return table, options  # it has a time
    except InputError:
        pass
    headers = [*table.headers, _HEADER]
    named = options.model_copy(update={"columns": {**options.columns, "test_time_second": f"{_HEADER} [s]"}})
    try:
        mapped = {entry.column: entry for entry in choose(headers, vendor, named, where)}
    except InputError:
        return table, options
    voltage = mapped["voltage_volt"]

    def load(wanted: Sequence[str], text: Container[str] = ()) -> pl.DataFrame:
        own = [name for name in wanted if name != _HEADER]
        frame = table.load(list(dict.fromkeys([*own, voltage.header])), text)
        way_V = values.numbers(frame[voltage.header], table.decimal).diff().abs().fill_null(0.0)
        time = way_V.cum_sum() * (factor("voltage_volt", voltage.unit)[0] / rate_V_s)
        return frame.with_columns(time.alias(_HEADER)).select(wanted)

    note = f"there is no column of time: it is that of a sweep at {rate_V_s:.4g} V/s, which the file states"
    return replace(table, headers=headers, load=load, notes=(*table.notes, note)), named


def _rate(metadata: dict[str, str]) -> float | None:
    for name, text in metadata.items():
        unit, number = _RATE.fullmatch(name.strip()), _NUMBER.fullmatch(text)
        if unit is not None and number is not None and float(number["number"]) > 0:
            return float(number["number"]) * (1e-3 if unit["unit"].startswith("m") else 1.0)
    return None


__all__ = ["with_sweep_time"]
