"""Fields of text as numbers, durations and dates, whole columns at a time; what cannot be read is null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

Kind = Literal["number", "duration", "date"]

_BLANK = ("", "-", "--", "nan", "null", "none", "n/a", "na", "#n/a", "#value!", "#div/0!")
_DURATION = (
    r"^(?<sign>-?)(?:(?<days>\d+)\s*(?:d|D|day|days)?[\s\-.]+)?"
    r"(?<hours>\d+):(?<minutes>\d{1,2}):(?<seconds>\d{1,2}(?:[.,]\d+)?)$"
)
_PREFIXED = r"^(?<number>[+-]?(?:\d+[.,]?\d*|[.,]\d+))\s?(?<prefix>[fpnuµμmkKMG])$"
_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3}
_PREFIXES |= {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
_DATES = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y.%m.%d %H:%M:%S%.f",
    "%m/%d/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M:%S%.f",
    "%d-%m-%Y %H:%M:%S%.f",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%d-%b-%y %I:%M:%S %p",
    "%d-%b-%Y %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
)
_ZONED = "%Y-%m-%dT%H:%M:%S%.f%#z"
_EXCEL_EPOCH_DAYS = 25569  # 1970-01-01 as a serial day of a workbook
_CELL_OF_TIME = r"^(?:1899-12-3[01]|1900-\d\d-\d\d)[ T]\d"
_DAY_0_S = -2209075200.0  # 1899-12-31, day 0 of a workbook, since 1970-01-01
_LEAP_S = -2203891200.0  # 1900-03-01: a workbook counts a 29 February before it, which there was not
_LAST_S = -2177452800.0  # 1901-01-01: what ends before is no date of a measurement


def is_blank(column: pl.Series) -> pl.Series:
    """Tell for each field whether it holds nothing: blank, ``-``, ``NaN`` and the like."""
    if column.dtype != pl.String:
        return column.is_null() | (column.is_nan() if column.dtype.is_float() else False)
    return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(_BLANK)


def numbers(column: pl.Series, decimal: str) -> pl.Series:
    """Return a column as floats.

    A grouping sign is understood only where a decimal sign follows it (``1,234.5``): alone it cannot be told from the
    other decimal sign, and such a field is null.
    """
    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        return column.cast(pl.Float64)
    if column.dtype != pl.String:
        return pl.Series(column.name, [None] * len(column), dtype=pl.Float64)
    if decimal == ".":
        out = column.cast(pl.Float64, strict=False)
        if out.null_count() == 0:
            return out
        text = column.str.strip_chars()
        grouped = text.str.contains(r"^[+-]?\d{1,3}(,\d{3})+\.\d+$")
        plain = text.str.replace_all(",", "", literal=True)
    else:
        text = column.str.strip_chars()
        grouped = ~text.str.contains(".", literal=True) | text.str.contains(r"^[+-]?\d{1,3}(\.\d{3})+,\d+$")
        plain = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return _chosen(grouped, plain, text if decimal == "." else None)


def prefixed(column: pl.Series, decimal: str) -> tuple[pl.Series, int]:
    """Return a column as floats where some numbers carry a prefix of the SI (``735.9m``, ``1.4k``), and how many do."""
    out = numbers(column, decimal)
    if column.dtype != pl.String or out.null_count() == 0:
        return out, 0
    parts = column.str.strip_chars().str.extract_groups(_PREFIXED).struct.unnest()
    scale = parts["prefix"].replace_strict(_PREFIXES, default=None, return_dtype=pl.Float64)
    found = numbers(parts["number"], decimal) * scale
    return out.fill_null(found), int((out.is_null() & found.is_not_null()).sum())


def _chosen(mask: pl.Series, yes: pl.Series, no: pl.Series | None) -> pl.Series:
    frame = pl.DataFrame(
        {"mask": mask.fill_null(value=False), "yes": yes, "no": no if no is not None else [None] * len(yes)}
    )
    picked = pl.when("mask").then("yes").otherwise(pl.col("no").cast(pl.String))
    return frame.select(picked.cast(pl.Float64, strict=False).alias(yes.name)).to_series()


def durations(column: pl.Series) -> pl.Series:
    """Return a column of ``1d 02:03:04.5`` or ``27:03:04`` as seconds.

    A cell of a workbook that holds a time of day, or a time of some days, arrives as a date about 1900-01-01; programs
    that write such cells go on in text after the first day (``1-00:00:57``).
    """
    if column.dtype == pl.Duration:
        return column.dt.total_nanoseconds().cast(pl.Float64) / 1e9
    if column.dtype == pl.Datetime:
        return _since_day_0(column.dt.epoch("us").cast(pl.Float64) / 1e6)
    if column.dtype != pl.String:
        return pl.Series(column.name, [None] * len(column), dtype=pl.Float64)
    text = column.str.strip_chars()
    value = _clocked(text)
    cells = text.str.contains(_CELL_OF_TIME)
    if cells.any():
        stamps = text.set(~cells.fill_null(value=False), None).str.replace("T", " ", literal=True)
        value = value.fill_null(_since_day_0(_seconds(stamps, _DATES[0])))
    return value


def _since_day_0(stamp: pl.Series) -> pl.Series:
    """Return the times that cells of a workbook hold, s; null where the stamp is that of a date."""
    since = stamp - _DAY_0_S + (stamp >= _LEAP_S).cast(pl.Float64) * 86400.0
    return since.set(~stamp.is_between(_DAY_0_S - 86400.0, _LAST_S, closed="left").fill_null(value=False), None)


def _clocked(text: pl.Series) -> pl.Series:
    parts = text.str.extract_groups(_DURATION).struct.unnest()
    size = [pl.col(part).cast(pl.Float64) for part in ("days", "hours", "minutes")]
    seconds = pl.col("seconds").str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    value = size[0].fill_null(0.0) * 86400 + size[1] * 3600 + size[2] * 60 + seconds
    signed = pl.when(pl.col("sign") == "-").then(-value).otherwise(value)
    return parts.select(signed.alias(text.name)).to_series()


def dates(column: pl.Series) -> list[tuple[str, pl.Series]]:
    """Return the ways to read a column as dates: (format, seconds since 1970-01-01).

    Several where day and month cannot be told apart. A date without a zone is taken as UTC. Serial days of a workbook
    and Unix times are dates too.
    """
    if column.dtype == pl.Datetime:
        return [("date", column.dt.epoch("us").cast(pl.Float64) / 1e6)]
    if column.dtype == pl.Date:
        return [("date", column.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6)]
    if column.dtype.is_numeric():
        return _numeric_dates(column.cast(pl.Float64))
    if column.dtype != pl.String:
        return []
    text = column.str.strip_chars()
    sample = text.filter(~is_blank(text)).head(50)
    if sample.is_empty():
        return []
    serial = sample.cast(pl.Float64, strict=False)
    if serial.null_count() == 0:
        return _numeric_dates(text.cast(pl.Float64, strict=False))
    out: list[tuple[str, pl.Series]] = []
    for form in (*_DATES, _ZONED):
        if _seconds(sample, form).null_count() == 0:
            whole = _seconds(text, form)
            # a year of two digits read as one of four gives the first century
            if whole.null_count() <= is_blank(text).sum() and _earliest(whole) > 0:
                out.append((form, whole))
    return out


def _seconds(text: pl.Series, form: str) -> pl.Series:
    if form == _ZONED:
        zoned = text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
        return zoned.dt.epoch("us").cast(pl.Float64) / 1e6
    return text.str.to_datetime(form, time_unit="us", strict=False).dt.epoch("us").cast(pl.Float64) / 1e6


def _earliest(seconds: pl.Series) -> float:
    low = seconds.min()
    return low if isinstance(low, float) else -1.0


def _numeric_dates(value: pl.Series) -> list[tuple[str, pl.Series]]:
    low, high = value.min(), value.max()
    if not isinstance(low, float) or not isinstance(high, float):
        return []
    if 30000 < low <= high < 80000:
        return [("serial days", (value - _EXCEL_EPOCH_DAYS) * 86400)]
    if 5e8 < low <= high < 4e9:
        return [("Unix time", value)]
    if 5e11 < low <= high < 4e12:
        return [("Unix time, ms", value / 1e3)]
    return []


def clock(column: pl.Series, decimal: str) -> tuple[Kind, Sequence[tuple[str, pl.Series]]]:
    """Return a column of times as what most of its first fields are: numbers, durations (s) or dates (s since 1970)."""
    first = column.filter(~is_blank(column)).head(50)
    if column.dtype.is_numeric() or numbers(first, decimal).null_count() * 2 < max(1, len(first)):
        return "number", [("number", numbers(column, decimal))]
    if durations(first).null_count() * 2 < max(1, len(first)):
        return "duration", [("duration", durations(column))]
    found = dates(column)
    return ("date", found) if found else ("number", [("number", numbers(column, decimal))])
