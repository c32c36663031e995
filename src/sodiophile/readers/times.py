"""The time of a table: seconds since the start of the test, from a count, a duration, a step time or dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers import values
from sodiophile.readers.mapping import Mapped
from sodiophile.readers.units import factor, plain

_CLOCK_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_STEPS = ("cycle_count", "step_count", "step_id")
_LEAP_S = 10 * 86400.0
_JITTER = 0.1
_JITTER_S = 1.0
_SECOND = 1.5
"""Two clocks that print whole seconds agree so far, s."""


def with_time(
    data: pl.DataFrame, raw: pl.DataFrame, mapped: Sequence[Mapped], decimal: str, notes: list[str], where: object
) -> pl.DataFrame:
    """Add ``test_time_second``, and ``unix_time_second`` where there are dates, to the BDF columns of a table.

    A time that starts anew at every step is made to run on: from the dates where there are some, else by adding up.

    Parameters
    ----------
    data
        The BDF columns but for time and dates.
    raw, mapped, decimal
        The table as the file holds it, what its columns are, and its decimal sign.
    notes
        What was odd is added here.
    where
        The file, for messages.

    Raises
    ------
    InputError
        If no column tells the time, or its unit is not known.
    """
    by_column = {entry.column: entry for entry in mapped}
    date_ways: list[tuple[str, pl.Series]] = []
    date_entry = by_column.get("unix_time_second")
    if date_entry is not None:
        date_ways = values.dates(raw[date_entry.header])
    time_entry = by_column.get("test_time_second")
    time: pl.Series | None = None
    if time_entry is not None:
        kind, ways = values.clock(raw[time_entry.header], decimal)
        if kind == "date":
            time = _from_start(_one_date(ways, None, time_entry.header, notes, where))
            notes.append(f"time is counted from the first date of {time_entry.header!r}")
            date_ways = date_ways or list(ways)
        else:
            time = ways[0][1]
            if kind == "number":
                time = _in_seconds(time, time_entry, date_ways, notes, where)
            joined = _run_on(time, data, date_ways, time_entry.header, notes)
            if joined is not None:
                if joined[1] and "step_time_second" not in data.columns:
                    data = data.with_columns(time.alias("step_time_second"))
                time = joined[0]
    elif date_entry is not None:
        if not date_ways:
            raise InputError(f"no column of time, and {date_entry.header!r} holds no dates that could tell it", where)
        date = _one_date(date_ways, None, date_entry.header, notes, where)
        time = _from_start(_finer(date, data))
        notes.append(f"there is no column of time: it is counted from the first date of {date_entry.header!r}")
    columns = [pl.Series("test_time_second", time)]
    if date_ways:
        try:
            date = _one_date(date_ways, time, (date_entry or time_entry or mapped[0]).header, notes, where)
            columns.append(date.alias("unix_time_second"))
        except InputError as error:
            notes.append(f"dates are left out: {str(error).removeprefix(f'{where}: ')}")
    return data.with_columns(columns) if data.width else pl.DataFrame(columns)


def _run_on(
    time: pl.Series, data: pl.DataFrame, date_ways: Sequence[tuple[str, pl.Series]], header: str, notes: list[str]
) -> tuple[pl.Series, bool] | None:
    """Return a time that runs backwards as one that runs on, and whether it was that of the steps; None if it cannot."""
    value = time.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    rows = np.flatnonzero(np.isfinite(value))
    step_s = value[rows]
    back = np.flatnonzero(np.diff(step_s) < 0) + 1
    if not back.size:
        return None
    usual = _usual(np.diff(step_s))
    if float(-np.diff(step_s).min()) <= min(_JITTER_S, _JITTER * usual):
        return None  # `forward` knows
    dated = [way[1] for way in date_ways if not (way[1].drop_nulls().diff() < -_SECOND).any()]
    date = _plain(min(dated, key=_longest))[rows] if dated else None
    by_date = None
    if date is not None and np.isfinite(date).all():
        by_date = np.full(value.size, np.nan)
        by_date[rows] = np.maximum.accumulate(date) - date[0]
    if (step_s[back] > np.maximum(usual, 0.01 * step_s[back - 1])).any():
        return _from_dates(by_date, time, header, back.size, notes)
    changes = _changes(data, rows)
    by_steps = changes is not None and changes[back].all() and changes.sum() <= 1.25 * back.size
    first = np.concatenate(([0], back))
    counts = np.diff(np.append(first, rows.size))
    if date is not None:
        start = np.repeat(date[first] - step_s[first], counts)
        along = start + step_s
        if not by_steps and not np.max(np.abs(along - date)) <= _SECOND + 1e-3 * float(step_s.max()):
            return _from_dates(by_date, time, header, back.size, notes)
        how = "the dates tell when each began"
    elif by_steps:
        ends = np.concatenate(([0.0], np.cumsum(step_s[back - 1] - step_s[first[:-1]])))
        along = np.repeat(ends - step_s[first] + step_s[0], counts) + step_s
        how = "the times of the steps were added up"
    else:
        return None
    notes.append(f"{header!r} starts anew {back.size} times, at the steps: it is their time; {how}")
    out = np.full(value.size, np.nan)
    # a date in whole seconds may put the start of a step before the end of the one before
    out[rows] = np.maximum.accumulate(along) - along[0]
    return pl.Series(time.name, out).fill_nan(None), True


def _from_dates(
    by_date: np.ndarray | None, time: pl.Series, header: str, back: int, notes: list[str]
) -> tuple[pl.Series, bool] | None:
    """Return the time that the dates tell, where they run forward and the time does not."""
    if by_date is None:
        return None
    notes.append(f"{header!r} runs backwards {back} times, the dates do not: they tell the time")
    return pl.Series(time.name, by_date).fill_nan(None), False


def _usual(steps: np.ndarray) -> float:
    """Return the usual interval between rows; 0 where time never goes on."""
    return float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0


def _changes(data: pl.DataFrame, rows: np.ndarray) -> np.ndarray | None:
    """Tell for each of the rows whether the step of the cycler changed there; None where no column says."""
    names = [name for name in _STEPS if name in data.columns] or [name for name in ("step_type",) if name in data.columns]
    if not names:
        return None
    here = data.select(names)[rows]
    return here.select(pl.any_horizontal([pl.col(name) != pl.col(name).shift(1) for name in names]).fill_null(value=False))[
        :, 0
    ].to_numpy()


def _finer(date: pl.Series, data: pl.DataFrame) -> pl.Series:
    """Return dates of whole seconds with the fractions that the time of the step has."""
    if "step_time_second" not in data.columns:
        return date
    whole, step_s = _plain(date), _plain(data["step_time_second"])
    if whole.size != step_s.size or whole.size < 2 or np.isnan(whole).any() or np.isnan(step_s).any():
        return date
    if (whole % 1).any() or not (step_s % 1).any():
        return date
    first = np.concatenate(([0], np.flatnonzero(np.diff(step_s) < 0) + 1))
    along = np.repeat(whole[first] - step_s[first], np.diff(np.append(first, whole.size))) + step_s
    if np.abs(along - whole).max() > _SECOND:
        return date
    return pl.Series(date.name, np.maximum.accumulate(along))


def _longest(date: pl.Series) -> float:
    """Return the longest interval between dates, s."""
    return float(np.max(np.diff(_plain(date.drop_nulls())), initial=0.0))


def _from_start(date: pl.Series) -> pl.Series:
    filled = date.drop_nulls()
    return date - filled[0] if len(filled) else date


def _in_seconds(
    time: pl.Series, entry: Mapped, date_ways: Sequence[tuple[str, pl.Series]], notes: list[str], where: object
) -> pl.Series:
    """Scale time to seconds; where the header has no unit and there are dates, these tell the unit."""
    if not has_no_unit(entry):
        return time * factor("test_time_second", entry.unit)[0]
    serial = values.dates(time) if entry.how != "given" else []
    if serial:
        notes.append(f"{entry.header!r} holds {serial[0][0]}; time is counted from the first")
        return _from_start(serial[0][1])
    for _, date in date_ways:
        both = pl.DataFrame({"time": time, "date": date}).drop_nulls()
        span, dated = (float(both[name][-1] - both[name][0]) if both.height else 0.0 for name in ("time", "date"))
        if span <= 0 or dated < 60:
            continue
        for unit, seconds in _CLOCK_UNITS.items():
            if abs(dated / span / seconds - 1) < 0.02:
                if unit != "s":
                    notes.append(f"{entry.header!r} has no unit; beside the dates of the file it is in {unit}")
                return time * seconds
    if entry.how == "guessed":
        raise no_unit([entry], where)
    notes.append(f"{entry.header!r} has no unit; taken as s")
    return time


def _one_date(
    ways: Sequence[tuple[str, pl.Series]], time: pl.Series | None, header: str, notes: list[str], where: object
) -> pl.Series:
    """Choose among the ways to read dates the one that never runs backwards and goes along with the time."""
    if len(ways) > 1:
        forward = [way for way in ways if not (way[1].drop_nulls().diff() < -1.5).any()]
        ways = forward or ways
    if len(ways) > 1:
        # a day that is read as a month makes the record leap by a month at midnight
        longest = [_longest(way[1]) for way in ways]
        ways = [way for way, gap in zip(ways, longest, strict=True) if gap <= max(_LEAP_S, min(longest))]
    if len(ways) > 1 and time is not None:
        drift = [abs(float(np.nanmax(_plain(way[1] - time)) - np.nanmin(_plain(way[1] - time)))) for way in ways]
        least = min(drift)
        ways = [way for way, off in zip(ways, drift, strict=True) if off <= least + 3600]
    if len(ways) > 1 and any(not _same(ways[0][1], way[1], shifted=time is None) for way in ways[1:]):
        forms = " or ".join(form.split(" ")[0].replace("%", "") for form, _ in ways)
        raise InputError(f"{header!r}: day and month cannot be told apart ({forms})", where)
    if "Z" not in ways[0][0] and ways[0][0] != "Unix time" and "date" not in ways[0][0]:
        note = f"the dates of {header!r} name no time zone; taken as UTC"
        if note not in notes and time is not None:
            notes.append(note)
    return ways[0][1]


def _plain(series: pl.Series) -> np.ndarray:
    array = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return array if array.size and not np.isnan(array).all() else np.zeros(1)


def _same(one: pl.Series, other: pl.Series, *, shifted: bool) -> bool:
    """Tell whether two readings of dates agree; as a time that is counted from the first they may be shifted."""
    apart = (one - other).drop_nulls()
    return bool(apart.n_unique() <= 1) if shifted else bool((apart == 0).all())


def forward(data: pl.DataFrame, locate: Callable[[int], str], notes: list[str], where: object) -> pl.DataFrame:
    """Return a trace whose time never runs backwards: clocks that differ by less than the sampling are put right.

    Raises
    ------
    InputError
        If it runs backwards by more, or stands still.
    """
    time = data["test_time_second"].to_numpy()
    steps = np.diff(time)
    back = np.flatnonzero(steps < 0)
    if not back.size and time.size > 2 and not steps.any():
        raise InputError(f"the time is {time[0]:.10g} s in all of its {time.size} rows, expected one that runs on", where)
    if not back.size:
        return data
    usual = _usual(steps)
    if -steps.min() <= min(_JITTER_S, _JITTER * usual) and back.size <= max(3, 0.01 * time.size):
        notes.append(
            f"in {back.size} rows the time is up to {-steps.min():.3g} s before that of the row before; "
            "they were given that of the row before"
        )
        return data.with_columns(pl.Series("test_time_second", np.maximum.accumulate(time)))
    row = int(back[0]) + 1
    raise InputError(
        f"{locate(row)}: time runs backwards, from {time[row - 1]:.10g} s to {time[row]:.10g} s; "
        "expected one test of one cell in the order of measurement; is this the time since the start of the test?",
        where,
    )


def has_no_unit(entry: Mapped) -> bool:
    """Tell whether neither the file, nor the user, nor the name of BDF says the unit of a column."""
    return not entry.unit and plain(entry.header) != plain(entry.column)


def no_unit(entries: Sequence[Mapped], where: object) -> InputError:
    """Return the error of columns without a unit."""
    units = {"test_time_second": "s", "current_ampere": "mA", "voltage_volt": "V"}
    said = " ".join(f'--column {entry.column}="{entry.header} [{units[entry.column]}]"' for entry in entries)
    names = " and ".join(repr(entry.header) for entry in entries)
    return InputError(f"no unit found for {names}; say it, such as {said}", where)
