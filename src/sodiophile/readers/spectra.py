"""From a table to impedance spectra: units, sign of Im Z, polar form, bad rows, where one spectrum ends, temperature.

The sign of Im Z is what the header says, held against the data: in a stable cell the phase goes with the slope of the
modulus, phase = (pi/2) d ln|Z| / d ln f to first order (Bode 1945, Network Analysis and Feedback Amplifier Design), so |Z|
that falls with frequency means a negative phase. A header against which the data speak is refused, not believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers import values
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.spectrum_columns import PARTS, ROLES, Part, bare, scale
from sodiophile.readers.table import Table
from sodiophile.readers.units import doubtful_temperature

CONTRADICTED = 0.6
"""A correlation of phase and slope beyond this (1: all points agree) decides about the sign of Im Z."""

FEWEST = 5
"""Fewer points at different frequencies say nothing of the sign."""

_SMALL_PHASE = 0.02
_DEGREES_PER_SLOPE = 12.0
"""Between 90 (degrees) and pi/2 (radians), on a logarithmic scale."""
_MODULUS_OFF = 0.02
_TEMPERATURE = re.compile(r"(cell |sample |chamber |stage )?temperature\s*[\[(/]?\s*(?P<unit>[^\])]*)[\])]?", re.IGNORECASE)
_WITH_UNIT = re.compile(r"(?P<value>[-+]?\d+(?:[.,]\d+)?)\s*(?P<unit>°\s*C|deg\s*C|C|K)")
_IN_NAME = re.compile(r"(?<![A-Za-z0-9])-?\d+(?:\.\d+)?\s?(?:deg ?[CK]?|°C|C|K)(?![A-Za-z0-9])")
_TEMPERATURES = ROLES["temperature"] - {"t"}
_ZERO_C = 273.15


@dataclass(frozen=True)
class Spectra:
    """Spectra under BDF names.

    Parameters
    ----------
    data
        ``frequency_hertz``, ``real_impedance_ohm``, ``imaginary_impedance_ohm``, ``spectrum``, and ``test_time_second``
        where the file has it.
    temperature_K
        One for each spectrum, where the file states them with their unit.
    told
        Column map and sign convention, for the provenance.
    notes
        What was odd, one sentence each.
    """

    data: pl.DataFrame
    temperature_K: tuple[float, ...] | None
    told: dict[str, Any]
    notes: tuple[str, ...]


def understand_spectra(
    table: Table, parts: dict[str, Part], options: ReadOptions, where: object, *, declared: bool = False
) -> Spectra:
    """Bring a table of impedance points under BDF names, units and sign.

    Parameters
    ----------
    table
        As the file holds it.
    parts
        What `spectrum_columns.find_parts` found.
    options
        What the user says.
    where
        The file, for messages.
    declared
        True if the format is known to write Hz and ohm where a header states no unit.

    Raises
    ------
    InputError
        If a row is at fault, no point has a frequency, or the data speak against the sign that the header gives to Im Z.
    """
    notes = list(table.notes)
    raw = table.load(list(dict.fromkeys(part.header for part in parts.values())), text=())
    columns, blank = {}, {}
    for role, part in parts.items():
        source = raw[part.header]
        factor, offset = scale(part)
        # a clock time or a name counts for nothing here: such a column becomes empty
        series, prefixed = values.prefixed(source, table.decimal)
        if prefixed:
            notes.append(f"{part.header!r}: {prefixed} numbers with a prefix (m, k, M and the like) were read")
        number = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        columns[role] = number * factor + offset
        blank[role] = values.is_blank(source).to_numpy()
    frequency = columns["frequency_hertz"]
    shape = [role for role in PARTS if role in parts]
    rows = np.arange(len(frequency))
    empty = np.all([blank[role] for role in ("frequency_hertz", *shape)], axis=0)
    direct = ~empty & (
        (frequency == 0) | (blank["frequency_hertz"] & np.all([_none(columns[role]) for role in shape], axis=0))
    )
    keep = ~empty & ~direct
    if not keep.any():
        raise InputError("no row has a frequency, expected the points of an impedance spectrum", where)
    if direct.any():
        notes.append(f"{int(direct.sum())} rows without a frequency are no points of a spectrum and were left out")
    cartesian = {"real_impedance_ohm", "imaginary_impedance_ohm"} <= set(parts)
    needed = PARTS[:2] if cartesian else PARTS[2:]
    keep = _whole(columns, raw, parts, keep, needed, table, options, notes, where)
    columns = {role: column[keep] for role, column in columns.items()}
    rows, frequency = rows[keep], frequency[keep]
    impedance, convention = _impedance(columns, parts, cartesian, options, notes, where)
    numbers = _numbers(frequency, rows, columns.get("spectrum"), notes)
    impedance, convention = _signed(
        frequency, impedance, numbers, convention, parts, columns, cartesian, options, notes, where
    )
    data = {
        "frequency_hertz": frequency,
        "real_impedance_ohm": impedance.real,
        "imaginary_impedance_ohm": impedance.imag,
        "spectrum": numbers,
    }
    if "test_time_second" in columns and np.isfinite(columns["test_time_second"]).all():
        data["test_time_second"] = columns["test_time_second"]
    for role in ("frequency_hertz", *needed):
        unitless = not parts[role].unit and not bare(parts[role].header)[0].endswith(("hertz", "ohm"))
        if unitless and not declared and role != "impedance_phase_degree":
            notes.append(f"{parts[role].header!r} has no unit; taken as {'Hz' if role == 'frequency_hertz' else 'ohm'}")
    temperature = _temperature(columns.get("temperature"), numbers, table, notes)
    notes += [said for kelvin in dict.fromkeys(temperature or ()) if (said := doubtful_temperature(kelvin - _ZERO_C))][:1]
    if temperature is None and "temperature" not in parts:
        notes += _without_unit(table.headers)
    told = {
        "column_map": {role: _source(part) for role, part in parts.items() if role in {"frequency_hertz", *needed}},
        "imaginary_part": convention,
    }
    return Spectra(pl.DataFrame(data), temperature, told, tuple(notes))


def _source(part: Part) -> str:
    return part.header if not part.unit or part.unit in part.header else f"{part.header} [{part.unit}]"


def _none(column: np.ndarray) -> np.ndarray:
    return np.isnan(column) | (column == 0)


def _whole(
    columns: dict[str, np.ndarray],
    raw: pl.DataFrame,
    parts: dict[str, Part],
    keep: np.ndarray,
    needed: Sequence[str],
    table: Table,
    options: ReadOptions,
    notes: list[str],
    where: object,
) -> np.ndarray:
    """Return the rows with a positive frequency and a finite impedance; refuse the others, or note their loss."""
    good = columns["frequency_hertz"] > 0
    for role in needed:
        good &= np.isfinite(columns[role])
    good &= np.isfinite(columns["frequency_hertz"])
    bad = np.flatnonzero(keep & ~good)
    if bad.size == 0:
        return keep
    row = int(bad[0])
    role = next((role for role in ("frequency_hertz", *needed) if not np.isfinite(columns[role][row])), "frequency_hertz")
    found = raw[parts[role].header][row]
    said = "nothing" if found is None or not str(found).strip() else repr(str(found)[:40])
    wanted = "a positive number" if role == "frequency_hertz" else "a number"
    if options.bad_rows == "refuse" or bad.size * 2 > keep.sum():
        many = f" ({bad.size} such rows)" if bad.size > 1 else ""
        drop = "" if bad.size * 2 > keep.sum() else "; to leave such rows out say --bad-rows drop"
        raise InputError(f"{table.locate(row)}: {parts[role].header!r} holds {said}, expected {wanted}{many}{drop}", where)
    places = ", ".join(table.locate(int(index)) for index in bad[:10])
    notes.append(f"{bad.size} rows without a finite frequency and impedance dropped ({places})")
    return keep & good


def _impedance(
    columns: dict[str, np.ndarray],
    parts: dict[str, Part],
    cartesian: bool,
    options: ReadOptions,
    notes: list[str],
    where: object,
) -> tuple[np.ndarray, str]:
    """Return the impedance by what the headers say, and that in words."""
    part = parts["imaginary_impedance_ohm" if cartesian else "impedance_phase_degree"]
    what = "Im Z" if cartesian else "the phase"
    sign = part.sign
    convention = f"{part.header!r} holds {'-' if sign < 0 else ''}{what}, by its header"
    if options.imaginary is not None:
        sign = -1 if options.imaginary == "-Im Z" else 1
        convention = f"{part.header!r} holds {'-' if sign < 0 else ''}{what}, as told"
    if cartesian:
        return columns["real_impedance_ohm"] + 1j * sign * columns["imaginary_impedance_ohm"], convention
    phase = columns["impedance_phase_degree"]
    if not part.unit:
        per_slope = _phase_per_slope(columns["frequency_hertz"], columns["impedance_modulus_ohm"], phase)
        if per_slope is None:
            raise InputError(
                f"{part.header!r} has no unit, and the data do not tell degrees from radians; "
                f'say --column impedance_phase_degree="{part.header} [deg]" or [rad]',
                where,
            )
        degrees = per_slope > _DEGREES_PER_SLOPE
        notes.append(
            f"{part.header!r} has no unit; taken as {'degrees' if degrees else 'radians'}: beside the slope of |Z| it is "
            f"{per_slope:.3g}, where 90 degrees or 1.57 radians are expected"
        )
        phase = phase if degrees else np.rad2deg(phase)
    return columns["impedance_modulus_ohm"] * np.exp(1j * sign * np.deg2rad(phase)), convention


def _distinct(frequency_Hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies that differ by more than rounding, rising, and where each first stands."""
    _, first = np.unique(np.round(np.log(frequency_Hz), 6), return_index=True)
    return frequency_Hz[first], first


def _phase_per_slope(frequency_Hz: np.ndarray, modulus: np.ndarray, phase: np.ndarray) -> float | None:
    """Return |phase| over the slope d ln|Z| / d ln f by least squares; None where the modulus hardly changes."""
    frequency, first = _distinct(frequency_Hz)
    if len(frequency) < FEWEST or not (modulus[first] > 0).all():
        return None
    slope = np.gradient(np.log(modulus[first]), np.log(frequency))
    size = float(slope @ slope)
    return abs(float(phase[first] @ slope)) / size if size > len(frequency) * _SMALL_PHASE**2 else None


def phase_follows_slope(frequency_Hz: np.ndarray, impedance_ohm: np.ndarray, numbers: np.ndarray) -> float | None:
    """Return how far the phase goes with the slope of the modulus, between -1 (reversed) and 1.

    Parameters
    ----------
    frequency_Hz, impedance_ohm, numbers
        Points and the number of the spectrum of each, shape (n,).

    Returns
    -------
    float or None
        The correlation sum(phase slope) / sqrt(sum(phase^2) sum(slope^2)) over all spectra; None where there are too few
        points, or none with a clear phase.
    """
    both = phases = slopes = 0.0
    clear = False
    for number in np.unique(numbers):
        here = numbers == number
        frequency, first = _distinct(frequency_Hz[here])
        Z = impedance_ohm[here][first]
        if len(frequency) < FEWEST or (np.abs(Z) == 0).any():
            continue
        slope = np.gradient(np.log(np.abs(Z)), np.log(frequency))
        phase = np.arctan2(Z.imag, np.abs(Z.real))
        both += float(phase @ slope)
        phases += float(phase @ phase)
        slopes += float(slope @ slope)
        clear |= bool((np.abs(phase) > _SMALL_PHASE).sum() >= FEWEST)
    if not clear or phases == 0 or slopes == 0:
        return None
    return both / float(np.sqrt(phases * slopes))


def _signed(
    frequency: np.ndarray,
    impedance: np.ndarray,
    numbers: np.ndarray,
    convention: str,
    parts: dict[str, Part],
    columns: dict[str, np.ndarray],
    cartesian: bool,
    options: ReadOptions,
    notes: list[str],
    where: object,
) -> tuple[np.ndarray, str]:
    follows = phase_follows_slope(frequency, impedance, numbers)
    part = parts["imaginary_impedance_ohm" if cartesian else "impedance_phase_degree"]
    if part.header.startswith("column ") and options.imaginary is None:
        # no header says anything
        if follows is None or abs(follows) < CONTRADICTED:
            raise InputError(
                f"no header says whether {part.header!r} holds Im Z or -Im Z, and the data do not show it; "
                "say --imaginary 'Im Z' or '-Im Z'",
                where,
            )
        minus = "" if follows > 0 else "-"
        shows = (
            f"{part.header!r} holds {minus}Im Z: no header, but its sign goes with the slope of |Z| ({abs(follows):.2f})"
        )
        notes.append(shows)
        return (impedance if follows > 0 else impedance.conj()), shows
    if cartesian and "impedance_phase_degree" in columns and options.imaginary is None:
        phase = columns["impedance_phase_degree"] * parts["impedance_phase_degree"].sign
        clear = np.isfinite(phase) & (np.abs(impedance.imag) > _SMALL_PHASE * np.abs(impedance))
        against = clear & (np.sign(np.sin(np.deg2rad(phase))) == -np.sign(impedance.imag))
        if against.sum() * 2 > max(4, clear.sum()):
            notes.append(
                f"{part.header!r} and {parts['impedance_phase_degree'].header!r} have opposite signs in "
                f"{int(against.sum())} of {int(clear.sum())} points with a clear phase"
            )
    if options.imaginary is None and follows is not None and follows < -CONTRADICTED:
        said = "-Im Z" if part.sign < 0 else "Im Z"
        other = "Im Z" if part.sign < 0 else "-Im Z"
        if cartesian and _phase_says_so(impedance.conj(), parts, columns):
            shows = f"{part.header!r} holds {other}, not {said}: so say the phase in the file and the slope of |Z|"
            notes.append(shows)
            return impedance.conj(), shows
        raise InputError(
            f"{part.header!r} says {said}, but the data say {other}: its sign goes against the slope of |Z| over frequency "
            f"({follows:.2f}, expected near 1); say --imaginary '{other}' to turn it, or --imaginary '{said}' to keep it",
            where,
        )
    if cartesian and "impedance_modulus_ohm" in columns:
        modulus = columns["impedance_modulus_ohm"]
        there = modulus > 0
        off = float(np.nanmedian(np.abs(np.abs(impedance) - modulus)[there] / modulus[there])) if there.any() else 0.0
        if off > _MODULUS_OFF:
            notes.append(
                f"{parts['impedance_modulus_ohm'].header!r} differs from real and imaginary part by {off:.0%}: "
                "is one of the columns another quantity?"
            )
    return impedance, convention


def _phase_says_so(impedance: np.ndarray, parts: dict[str, Part], columns: dict[str, np.ndarray]) -> bool:
    """Tell whether the file has a phase beside real and imaginary part, and it is that of the impedance."""
    if "impedance_phase_degree" not in columns:
        return False
    phase = columns["impedance_phase_degree"] * parts["impedance_phase_degree"].sign
    off = np.abs(np.angle(impedance * np.exp(-1j * np.deg2rad(phase)), deg=True))
    return bool(np.isfinite(phase).all() and np.median(off) < 1 and np.median(np.abs(phase)) > 2)


def _numbers(frequency: np.ndarray, rows: np.ndarray, told: np.ndarray | None, notes: list[str]) -> np.ndarray:
    """Return the number of the spectrum of each point, from 1.

    A spectrum ends where the file counts on, where other rows come between, and where the frequency jumps back against
    the direction of the sweep by a decade, or half of the whole range if that is less.
    """
    if len(frequency) < 2:
        return np.ones(len(frequency), dtype=np.int64)
    steps = np.diff(np.log10(frequency))
    starts = np.diff(rows) > 1
    if told is not None:
        starts |= np.diff(np.nan_to_num(told)) != 0
    within = steps[~starts]
    direction = -1.0 if not within.size or np.median(within) <= 0 else 1.0
    back = steps * direction < -min(1.0, 0.5 * float(np.ptp(np.log10(frequency))) or 1.0)
    if back.sum() * 4 > len(frequency):
        notes.append("the frequencies are in no order: the points are taken as one spectrum, sorted")
        back[:] = False
    return np.concatenate([[1], 1 + np.cumsum(starts | back)]).astype(np.int64)


def _temperature(
    column: np.ndarray | None, numbers: np.ndarray, table: Table, notes: list[str]
) -> tuple[float, ...] | None:
    """Return the temperature of each spectrum where the file states it with a unit, K."""
    if column is not None:
        found = []
        for number in dict.fromkeys(numbers.tolist()):
            here = column[numbers == number]
            here = here[np.isfinite(here) & (here > 0)]
            if not here.size:
                notes.append("the column of temperatures holds none above 0 K: no sensor was connected")
                return None
            if np.ptp(here) > 2:
                notes.append(f"the temperature changed by {np.ptp(here):.3g} K within spectrum {number}; its mean is taken")
            found.append(float(here.mean()))
        return tuple(found)
    for name, text in table.metadata.items():
        match = _TEMPERATURE.fullmatch(name.strip())
        number = _WITH_UNIT.fullmatch(f"{text.strip()} {match['unit']}".strip()) if match is not None else None
        if number is not None:
            value = float(number["value"].replace(",", "."))
            kelvin = value if number["unit"] == "K" else value + _ZERO_C
            if kelvin > 0:
                notes.append(f"the temperature is what the file's line {name!r} states: {kelvin:.2f} K")
                return (kelvin,) * len(np.unique(numbers))
    return None


def _without_unit(headers: Sequence[str]) -> list[str]:
    """Return a sentence about a column of temperatures that states no unit: it is never used."""
    return [
        f"{header!r} has no unit, degC or K: no temperature is taken from it; to take it say "
        f'--column surface_temperature_celsius="{header} [degC]"'
        for header in headers
        if bare(header)[0] in _TEMPERATURES
    ][:1]


def name_note(name: str) -> tuple[str, ...]:
    """Return a sentence about a temperature in the name of a file: it is never used."""
    match = _IN_NAME.search(name.rpartition(".")[0] or name)
    if match is None:
        return ()
    return (f"the file's name says {match[0]!r}: no temperature is taken from a name, state it with its unit",)


def guess_parts(table: Table) -> dict[str, Part] | None:
    """Take a table of three columns without headers for frequency, real and imaginary part, if its numbers look so.

    The first column must be positive, rise or fall all the way over at least a decade, and do so by a steady factor
    rather than in steady steps, as frequencies do and times do not.
    """
    if len(table.headers) != 3 or any(header != f"column {place}" for place, header in enumerate(table.headers, start=1)):
        return None
    first = values.numbers(table.load([table.headers[0]])[table.headers[0]], table.decimal).drop_nulls().to_numpy()
    if len(first) < FEWEST or not (first > 0).all():
        return None
    ratios, steps = np.diff(np.log(first)), np.diff(first)
    steady = np.all(ratios > 0) or np.all(ratios < 0)
    if not steady or abs(np.log10(first[-1] / first[0])) < 1:
        return None
    if np.std(ratios) / abs(np.mean(ratios)) > 0.5 * np.std(steps) / abs(np.mean(steps)):
        return None
    roles = ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm")
    units = ("Hz", "ohm", "ohm")
    return {role: Part(role, header, unit) for role, header, unit in zip(roles, table.headers, units, strict=True)}


def noted(spectra: Spectra, *notes: str) -> Spectra:
    """Return the spectra with more notes."""
    return replace(spectra, notes=(*spectra.notes, *notes))
