"""What is in a file: the answer to ``sodiophile read FILE``, JSON-ready."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from sodiophile.errors import InputError
from sodiophile.readers import describing_spectra, oddities
from sodiophile.readers.base import File
from sodiophile.readers.delimited import peek_headers
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.reading import read, read_spectra
from sodiophile.readers.registry import chosen
from sodiophile.records import CyclingRecord, ImpedanceRecord

_CLAIM = re.compile(r"area|mass|weight|loading|density|SCap|SCQ|volume|diameter|thickness", re.IGNORECASE)
_INSTRUMENT = ("instrument", "Device", "Tester", "device")
_START = ("Acquisition started on", "start_time", "Started", "Start Time", "Date of Test")
_STILL_GROWING_S = 300
_BIN = np.log(1.02)
_SHARE = 0.01
_FOLLOWING = 0.7
REST = 0.002
"""A current below this part of the largest counts as rest."""


@dataclass(frozen=True, slots=True)
class Level:
    """A current that was held.

    Parameters
    ----------
    current_A
        Its time-weighted median, A; positive charges.
    time_h
        How long it flowed, h.
    """

    current_A: float
    time_h: float


def describe(path: str | Path, options: ReadOptions | None = None) -> dict[str, Any]:
    """Tell what is in a file.

    A file that `read` refuses only for rows without numbers is described without them, and the refusal is among its
    oddities.

    Parameters
    ----------
    path
        The file.
    options
        As for `read`.

    Returns
    -------
    dict
        JSON-ready: file, reader and why, instrument, what it holds, claims of the header that are never used, notes, and
        what is odd. Of a trace start, duration, rows, columns and how each was found, steps, cycles, current levels with
        the time at each, voltage range, sampling, impedance rows and the spectra that they make. Of spectra how many,
        points, range of frequency and modulus, the sign convention of Im Z, temperatures, and each of them.

    Raises
    ------
    InputError
        If the file cannot be read.
    MissingExtraError
        If the format needs an extra that is not installed.
    """
    options = options or ReadOptions()
    file = File(Path(path))
    reader, why = chosen(file, options)
    odd: list[str] = []
    try:
        record = read(path, options)
    except InputError as error:
        if options.bad_rows == "drop":
            raise
        try:
            record = read(path, options.model_copy(update={"bad_rows": "drop"}))
        except InputError:
            raise error from None
        odd.append(f"refused as it is: {error}")
    place = record.provenance[0]
    told = {
        "file": place.source,
        "size_bytes": place.size_bytes,
        "sha256": place.sha256,
        "reader": {"name": reader.name, "version": reader.version, "why": why},
        "instrument": next((record.metadata[key] for key in _INSTRUMENT if key in record.metadata), None),
        "simulated": record.simulated,
    }
    if time.time() - file.path.stat().st_mtime < _STILL_GROWING_S:
        odd.append("the file was changed in the last 5 minutes: it may be still growing")
    claims = {key: value for key, value in record.metadata.items() if _CLAIM.search(key)}
    about = {"claims_never_used": claims, "metadata": dict(record.metadata), "notes": list(record.notes)}
    if isinstance(record, ImpedanceRecord):
        odd += describing_spectra.oddities(record)
        return {**told, **describing_spectra.inside(record), "options": dict(options.told()), **about, "odd": odd}
    trace = record
    impedance = 0
    if "frequency_hertz" in record.data.columns:
        impedance = int((record.data["frequency_hertz"].fill_null(0.0) > 0).sum())
        if 0 < impedance < len(record):
            trace = record.without_impedance()
    odd += oddities.found(trace)
    levels, between_h = current_levels(trace)
    return {
        **told,
        "holds": "a cycling trace and impedance spectra" if impedance > 0 else "a cycling trace",
        "start": _start(record),
        "duration_h": float(record.time_s[-1] - record.time_s[0]) / 3600,
        "rows": len(record),
        "impedance_rows": impedance,
        "impedance_spectra": _beside(path, options) if impedance else None,
        "columns": _columns(record),
        "unused_columns": _unused(file, options, record),
        "options": dict(options.told()),
        "steps": _steps(record),
        "cycles": _cycles(record),
        "current_levels": [{"current_A": level.current_A, "time_h": level.time_h} for level in levels],
        "time_between_levels_h": between_h,
        "voltage_V": {"min": float(trace.voltage_V.min()), "max": float(trace.voltage_V.max())},
        "sampling_s": _sampling(trace),
        **about,
        "odd": odd,
    }


def _beside(path: str | Path, options: ReadOptions) -> dict[str, Any]:
    """Return what the spectra beside a trace are, or why they cannot be had."""
    try:
        return describing_spectra.summary(read_spectra(path, options))
    except InputError as error:
        return {"refused": str(error)}


def current_levels(record: CyclingRecord) -> tuple[list[Level], float]:
    """Return the currents that were held, and the time at none of them.

    Currents are put into bins 2 % wide on a logarithmic scale, for each sign; neighbouring bins that hold at least 1 % of
    the time with current each are one level. What is spread thinner (the decay of a potentiostatic step, a sweep) is no
    level.

    Parameters
    ----------
    record
        A trace without impedance rows.

    Returns
    -------
    levels
        From the most negative to the most positive; rest is the level 0.
    between_h
        Time with a current that is no level, h.
    """
    current = record.current_A
    held_s = np.diff(record.time_s, append=record.time_s[-1])
    largest = float(np.abs(current).max())
    resting = np.abs(current) <= REST * largest
    levels: list[Level] = []
    if held_s[resting].sum() > 0 or largest == 0:
        levels.append(Level(0.0, float(held_s[resting].sum()) / 3600))
    flowing_s = float(held_s[~resting].sum())
    told_s = 0.0
    for sign in (-1.0, 1.0):
        here = ~resting & (np.sign(current) == sign)
        if not here.any() or flowing_s == 0:
            continue
        size, weight = np.abs(current[here]), held_s[here]
        bins = np.round(np.log(size / largest) / _BIN).astype(int)
        bins -= bins.min()
        time_s = np.bincount(bins, weights=weight)
        full = np.flatnonzero(time_s >= _SHARE * flowing_s)
        for group in np.split(full, np.flatnonzero(np.diff(full) > 1) + 1) if full.size else []:
            inside = (bins >= group[0] - 1) & (bins <= group[-1] + 1)
            if not _is_held(np.flatnonzero(here)[inside]):
                continue
            levels.append(Level(sign * _weighted_median(size[inside], weight[inside]), float(weight[inside].sum()) / 3600))
            told_s += float(weight[inside].sum())
    return sorted(levels, key=lambda level: level.current_A), max(0.0, flowing_s - told_s) / 3600


def _is_held(rows: np.ndarray) -> bool:
    """Tell whether most of the rows of a level follow one another: a sweep only passes through."""
    return rows.size <= 2 or float(np.mean(np.diff(rows) == 1)) >= _FOLLOWING


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][int(np.searchsorted(total, total[-1] / 2))])


def _start(record: CyclingRecord) -> str | None:
    if "unix_time_second" in record.data.columns:
        first = record.data["unix_time_second"].drop_nulls().drop_nans()
        if len(first) and 0 < first[0] < 1e11:
            return datetime.fromtimestamp(first[0], UTC).isoformat(timespec="seconds")
    return next((record.metadata[key] for key in _START if key in record.metadata), None)


def _columns(record: CyclingRecord) -> list[dict[str, str]]:
    told = record.provenance[0].options
    sources = told.get("column_map", {})
    guessed, given = set(told.get("guessed", ())), set(told.get("columns", {}))
    return [
        {
            "column": column,
            "header": sources.get(column, column if column not in sources and not sources else ""),
            "how": "guessed" if column in guessed else "given" if column in given else "declared",
        }
        for column in record.data.columns
    ]


def _unused(file: File, options: ReadOptions, record: CyclingRecord) -> list[str]:
    sources = record.provenance[0].options.get("column_map", {})
    used = {name for source in sources.values() for name in (source, source.rpartition(" [")[0])}
    return [header for header in peek_headers(file, options) if header not in used] if sources else []


def _steps(record: CyclingRecord) -> dict[str, Any]:
    data = record.data
    column = next((name for name in ("step_count", "step_id") if name in data.columns), None)
    changes = None if column is None else int((data[column].diff().fill_null(0) != 0).sum()) + 1
    kinds = data["step_type"].drop_nulls().unique(maintain_order=True).to_list()[:50] if "step_type" in data.columns else []
    return {"count": changes, "types": [str(kind) for kind in kinds]}


def _cycles(record: CyclingRecord) -> dict[str, Any] | None:
    """Return the cycles as the cycler counted them, which is not how an analysis does."""
    if "cycle_count" not in record.data.columns:
        return None
    cycles = record.data["cycle_count"].drop_nulls()
    return {"first": cycles.min(), "last": cycles.max(), "count": cycles.n_unique()} if len(cycles) else None


def _sampling(record: CyclingRecord) -> dict[str, float] | None:
    steps = np.diff(record.time_s)
    steps = steps[steps > 0]
    if not steps.size:
        return None
    return {"median": float(np.median(steps)), "min": float(steps.min()), "max": float(steps.max())}
