"""From a vendor's table to a record: numbers, units, time, channel, bad rows and the sign of the current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers import values
from sodiophile.readers.mapping import Mapped, choose, shown
from sodiophile.readers.options import CHANNEL, ReadOptions
from sodiophile.readers.signs import signed
from sodiophile.readers.table import Table
from sodiophile.readers.times import forward, has_no_unit, no_unit, with_time
from sodiophile.readers.units import doubtful_temperature, factor
from sodiophile.readers.vendors import ANY, Vendor
from sodiophile.records.cycling import REQUIRED

_COUNTS = frozenset({"cycle_count", "step_count", "step_id", "record_index"})
_MOST_V = 100.0
_MOST_C = 1000.0
_TEXTS = frozenset({"step_type", CHANNEL})


@dataclass(frozen=True)
class Understood:
    """A table under BDF names.

    Parameters
    ----------
    data
        BDF columns; other columns of the file after them, where they were asked for.
    mapped
        Where each came from.
    notes
        What was odd, one sentence each.
    """

    data: pl.DataFrame
    mapped: tuple[Mapped, ...]
    notes: tuple[str, ...]


def understand(table: Table, vendor: Vendor, options: ReadOptions, where: object, *, keep: bool = False) -> Understood:
    """Bring a table under BDF names, units and sign.

    Parameters
    ----------
    table
        As the file holds it.
    vendor
        Whose names and conventions apply.
    options
        What the user says.
    where
        The file, for messages.
    keep
        True if the columns without a BDF name are kept, under the names of the file.

    Raises
    ------
    InputError
        If a column is missing, several cells stand in the table, or rows are at fault; the line of the file is named.
    """
    notes = list(table.notes)
    mapped = _with_known_degrees(choose(table.headers, vendor, options, where), notes)
    _check_units(mapped, notes, where)
    extra = [header for header in table.headers if header not in {entry.header for entry in mapped}] if keep else []
    texts = [entry.header for entry in mapped if entry.column in _TEXTS]
    raw = table.load([*dict.fromkeys(entry.header for entry in mapped), *extra], text=texts)
    lines = np.arange(raw.height)
    raw, lines = _one_channel(raw, lines, mapped, options, notes, where)
    data = _columns(raw, mapped, table.decimal)
    data = _without_sensors(data, notes)
    data = with_time(data, raw, mapped, table.decimal, notes, where)
    good = data.select(
        pl.all_horizontal([pl.col(column).is_finite().fill_null(value=False) for column in REQUIRED])
    ).to_series()
    if not good.all():
        blank = [values.is_blank(raw[entry.header]).alias(entry.column) for entry in mapped]
        empty = pl.DataFrame(blank).select(pl.all_horizontal(pl.all())).to_series()
        if empty.any():
            notes.append(f"{int(empty.sum())} rows hold none of the columns and were left out")
        whole = _whole_rows(data, raw, lines, ~empty, good, mapped, table, options, notes, where)
        data, raw, lines = data.filter(whole), raw.filter(whole), lines[whole.to_numpy()]
    if data.is_empty():
        raise InputError("holds no rows of data", where)
    data = forward(data, lambda row: table.locate(int(lines[row])), notes, where)
    _doubt_volts(data, notes)
    data = signed(data, vendor, options, lambda row: table.locate(int(lines[row])), notes, where)
    if extra:
        data = pl.concat([data, raw.select([_typed(raw[header], table.decimal) for header in extra])], how="horizontal")
    return Understood(data, tuple(mapped), tuple(notes))


def _one_channel(
    raw: pl.DataFrame, lines: np.ndarray, mapped: Sequence[Mapped], options: ReadOptions, notes: list[str], where: object
) -> tuple[pl.DataFrame, np.ndarray]:
    entry = next((entry for entry in mapped if entry.column == CHANNEL), None)
    if entry is None:
        if options.channel is not None:
            raise InputError(f"no column tells cells apart, so there is no channel {options.channel!r}", where)
        return raw, lines
    names = raw[entry.header].cast(pl.String).str.strip_chars()
    found = names.filter(~values.is_blank(names)).unique(maintain_order=True).to_list()
    if options.channel is not None:
        if options.channel not in found:
            raise InputError(f"no channel {options.channel!r} in column {entry.header!r}; found {shown(found)}", where)
        chosen = (names == options.channel).fill_null(value=False)
        notes.append(f"channel {options.channel!r} of {len(found)} was taken, {int(chosen.sum())} of {raw.height} rows")
        return raw.filter(chosen), lines[chosen.to_numpy()]
    if len(found) > 1:
        raise InputError(
            f"holds {len(found)} cells in column {entry.header!r}: {shown(found)}; choose one: --channel {found[0]}", where
        )
    return raw, lines


def _columns(raw: pl.DataFrame, mapped: Sequence[Mapped], decimal: str) -> pl.DataFrame:
    """Return the BDF columns but for time and dates."""
    out: dict[str, pl.Series] = {}
    for entry in mapped:
        source = raw[entry.header]
        if entry.column in {"test_time_second", "unix_time_second", CHANNEL}:
            continue
        if entry.column in _TEXTS:
            out[entry.column] = source.cast(pl.String).str.strip_chars()
            continue
        scale, offset = factor(entry.column, entry.unit)
        if entry.column == "step_time_second":
            kind, ways = values.clock(source, decimal)
            if kind == "date":
                continue
            number = ways[0][1]
            scale = scale if kind == "number" else 1.0
        else:
            number = values.numbers(source, decimal)
        if entry.column not in REQUIRED and number.null_count() == len(number):
            continue
        if scale != 1.0 or offset or entry.sign != 1:
            number = number * (scale * entry.sign) + offset
        out[entry.column] = _whole_numbers(number) if entry.column in _COUNTS else number
    if not out:
        return pl.DataFrame({"_": [None] * raw.height}).drop("_")
    return pl.DataFrame({name: series.alias(name) for name, series in out.items()})


def _without_sensors(data: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Empty the columns of temperature where no sensor was connected: below absolute zero, or as hot as no cell."""
    for name in data.columns:
        if not name.endswith("_celsius"):
            continue
        cold = ~data[name].is_between(-273.15, _MOST_C).fill_null(value=True)
        here = data[name].filter(~cold)
        if (doubt := doubtful_temperature(here[0]) if len(here) else None) is not None:
            notes.append(f"{name}: {doubt}")
        if cold.any():
            said = f"{data[name].filter(cold)[0]:.5g} °C"
            notes.append(f"{name} is {said} and the like in {int(cold.sum())} rows, and was emptied there: no sensor?")
            data = data.with_columns(pl.when(cold).then(None).otherwise(pl.col(name)).alias(name))
    return data


def _doubt_volts(data: pl.DataFrame, notes: list[str]) -> None:
    """Note a voltage that is none of a cell: the header says V where the column may hold mV."""
    voltage = np.abs(data["voltage_volt"].to_numpy()[:: max(1, data.height // 1000)])
    if np.median(voltage) > _MOST_V:
        notes.append(f"the voltage is {np.median(voltage):.4g} V in the middle: no cell has that; is it in mV?")


def _whole_numbers(number: pl.Series) -> pl.Series:
    finite = number.is_finite().fill_null(value=True).all()
    if finite and bool(((number % 1 == 0) & (number.abs() < 2**53)).fill_null(value=True).all()):
        return number.cast(pl.Int64)
    return number


def _typed(column: pl.Series, decimal: str) -> pl.Series:
    if column.dtype != pl.String:
        return column
    number = values.numbers(column, decimal)
    return number if number.null_count() <= int(values.is_blank(column).sum()) else column


def _whole_rows(
    data: pl.DataFrame,
    raw: pl.DataFrame,
    lines: np.ndarray,
    filled: pl.Series,
    good: pl.Series,
    mapped: Sequence[Mapped],
    table: Table,
    options: ReadOptions,
    notes: list[str],
    where: object,
) -> pl.Series:
    """Tell which rows have a finite time, current and voltage; refuse the others, or note that they are dropped."""
    bad = np.flatnonzero((filled & ~good).to_numpy())
    if bad.size == 0:
        return good & filled
    row = int(bad[0])
    column = next(name for name in REQUIRED if not (data[name][row] is not None and np.isfinite(data[name][row])))
    header = next((entry.header for entry in mapped if entry.column == column), "the dates")
    found = raw[header][row] if header in raw.columns else None
    said = "nothing" if found is None or str(found).strip() == "" else repr(str(found)[:40])
    place = table.locate(int(lines[row]))
    if bad.size * 2 > len(good) or options.bad_rows == "refuse":
        comma = isinstance(found, str) and any(sign in found for sign in ",.") and any(map(str.isdigit, found))
        other = "," if table.decimal == "." else "."
        hint = f"; the decimal sign is taken as {table.decimal!r}: if it is not, say --decimal {other}" if comma else ""
        last = "; the last line seems cut off" if row == len(good) - 1 and bad.size == 1 else ""
        many = f" ({bad.size} such rows)" if bad.size > 1 else ""
        drop = "" if bad.size * 2 > len(good) else "; to leave such rows out say --bad-rows drop"
        raise InputError(f"{place}: {header!r} holds {said}, expected a number{many}{hint}{last}{drop}", where)
    places = [table.locate(int(lines[index])).partition(" ")[2] for index in bad[:10]]
    word = place.partition(" ")[0]
    more = f" and {bad.size - 10} more" if bad.size > 10 else ""
    rows = "1 row" if bad.size == 1 else f"{bad.size} rows"
    notes.append(f"{rows} without a finite time, current or voltage dropped ({word} {', '.join(places)}{more})")
    return good & filled


def _check_units(mapped: Sequence[Mapped], notes: list[str], where: object) -> None:
    """Refuse a guessed current or voltage without a unit: nothing tells A from mA, and no result would show it."""
    bare = [entry for entry in mapped if entry.column in {"current_ampere", "voltage_volt"} and has_no_unit(entry)]
    guessed = [entry for entry in bare if entry.how == "guessed"]
    if guessed:
        raise no_unit(guessed, where)
    for entry in bare:
        unit = "A" if entry.column == "current_ampere" else "V"
        notes.append(f"{entry.header!r} has no unit; taken as {unit}")


def _with_known_degrees(mapped: list[Mapped], notes: list[str]) -> list[Mapped]:
    """Leave out a guessed column of temperatures without a unit: degC and K are not told apart by guessing."""
    bare = [
        entry for entry in mapped if entry.column.endswith("_celsius") and entry.how == "guessed" and has_no_unit(entry)
    ]
    notes.extend(
        f"{entry.header!r} has no unit, degC or K: it was left out; to take it say "
        f'--column {entry.column}="{entry.header} [degC]"'
        for entry in bare
    )
    return [entry for entry in mapped if entry not in bare]


def guess_note(mapped: Sequence[Mapped]) -> tuple[str, ...]:
    """Return the sentence that shows a guessed column map, if there is one."""
    guessed = [f"{entry.column} = {entry.header!r}" for entry in mapped if entry.how == "guessed"]
    return (f"columns were guessed from their headers: {', '.join(guessed)}",) if guessed else ()


__all__ = ["ANY", "Understood", "guess_note", "understand"]
