"""Which column of a file is which part of an impedance spectrum: the header tells the part, its sign and its unit.

Programs write Im Z as it is, or its negative, since a Nyquist plot shows that; the header tells which. A record holds Im Z
itself: negative for a capacitive cell.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sodiophile.errors import InputError
from sodiophile.readers.mapping import shown
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.units import FACTORS, spelled

ROLES: Mapping[str, frozenset[str]] = {
    "frequency_hertz": frozenset(
        {"freq", "frequency", "frequencies", "frequencyhertz", "f", "frequenz", "fréquence", "频率"}
    ),
    "real_impedance_ohm": frozenset(
        {
            *(
                "re",
                "rez",
                "zre",
                "zreal",
                "realz",
                "real",
                "zr",
                "z'",
                "zs'",
                "rezs",
                "z're",
                "realimpedance",
                "realpart",
                "realvalues",
            ),
            *("realimpedanceohm", "realpartofimpedance", "实部", "阻抗实部"),
        }
    ),
    "imaginary_impedance_ohm": frozenset(
        {
            *("im", "imz", "zim", "zimag", "zimg", "imagz", "imag", "imaginary", "zi", "z''", "zs''", "imzs", "z''im"),
            *(
                "imaginaryimpedance",
                "imaginarypart",
                "imagvalues",
                "imaginaryimpedanceohm",
                "imaginarypartofimpedance",
                "虚部",
                "阻抗虚部",
            ),
        }
    ),
    "impedance_modulus_ohm": frozenset(
        {"|z|", "zmod", "modz", "zmodulus", "modulus", "magnitude", "zmag", "absz", "z", "impedance", "impedancemodulusohm"}
    ),
    "impedance_phase_degree": frozenset(
        {
            "phase",
            "phasez",
            "zphz",
            "theta",
            "phaseangle",
            "phi",
            "φ",
            "θ",
            "argz",
            "angle",
            "phasedeg",
            "impedancephasedegree",
        }
    ),
    "test_time_second": frozenset({"time", "testtimesecond", "testtime", "elapsedtime", "timesec"}),
    "temperature": frozenset(
        {"temperature", "temp", "t", "celltemperature", "sampletemperature", "surfacetemperaturecelsius"}
    ),
    "spectrum": frozenset({"spectrum", "cyclenumber", "spectrumnumber", "sweep", "scan"}),
}
"""Part of a spectrum -> the names that a header may have without sign, unit, case, blanks and brackets."""

PARTS = (
    "real_impedance_ohm",
    "imaginary_impedance_ohm",
    "impedance_modulus_ohm",
    "impedance_phase_degree",
)
UNIT_OF = {
    "frequency_hertz": "hertz",
    "real_impedance_ohm": "ohm",
    "imaginary_impedance_ohm": "ohm",
    "impedance_modulus_ohm": "ohm",
    "test_time_second": "second",
    "temperature": "celsius",
}
PHASE_UNITS = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "": 1.0, "rad": 57.29577951308232, "radian": 57.29577951308232}
PHASE_UNITS |= {"radians": 57.29577951308232, "grad": 0.9, "m-bm-0": 1.0, "\N{DEGREE SIGN}": 1.0}
_QUOTES = {"″": "''", "”": "''", "“": "''", '"': "''", "′": "'", "’": "'", "‘": "'", "`": "'", "´": "'"}
_MINUS = re.compile(r"^(?:[-\N{MINUS SIGN}\N{EN DASH}]|minus|neg(?:ative)?|-1\*)")
_OF_WHOLE = re.compile(r"(cm2|cm\^2|cm²|m2|m²|m\^2)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One column of a spectrum.

    Parameters
    ----------
    role
        A key of `ROLES`.
    header
        As in the file.
    unit
        As the file or the user writes it; empty where nobody does.
    sign
        -1 where the header says that the negative is written.
    given
        True if the user named the column.
    """

    role: str
    header: str
    unit: str = ""
    sign: int = 1
    given: bool = False


def bare(name: str) -> tuple[str, int]:
    """Return a header's name as `ROLES` writes it, and its sign: ``-Im(Z)`` -> ("imz", -1)."""
    text = name.strip().casefold()
    for quote, plain in _QUOTES.items():
        text = text.replace(quote, plain)
    text = re.sub(r"[\s_.:]", "", text)
    sign = 1
    match = _MINUS.match(text)
    if match is not None and len(text) > match.end():
        text, sign = text[match.end() :], -1
    # ZPlot names what it plots: Z'(a), Z''(b)
    text = re.sub(r"\([ab]\)$", "", text)
    return text.translate({ord(bracket): None for bracket in "()[]{}*-,"}), sign


def parts_of(header: str) -> list[Part]:
    """Return what a header may be, best first: its unit known, then without one."""
    out: list[Part] = []
    for base, unit in [(header, None), *_split(header)]:
        name, sign = bare(base)
        for role, names in ROLES.items():
            if name in names and _suits(role, unit):
                out.append(Part(role, header, unit or "", sign))
    return sorted(out, key=lambda part: not part.unit)


def _split(header: str) -> list[tuple[str, str]]:
    """Return the ways to cut a unit off a header; the name stays as written, with the signs that `units.plain` drops."""
    out = []
    for pattern in (
        r"(?P<base>.*\S)\s*[\[(](?P<unit>[^\[\]()]*)[\])]\s*",
        r"(?P<base>.*\S)\s*/\s*(?P<unit>[^/]*)",
        r"(?P<base>.*\S)\s*,\s*(?P<unit>[^,]*)",
        r"(?P<base>.*[^\s_])[_ ]+(?P<unit>[^_ ]+)",
    ):
        match = re.fullmatch(pattern, header.strip())
        if match is not None:
            out.append((match["base"], match["unit"]))
    return out


def _suits(role: str, unit: str | None) -> bool:
    if role == "impedance_phase_degree":
        return unit is None or _phase_unit(unit) is not None
    if role == "spectrum":
        return unit is None
    if role == "temperature":
        return unit is not None and spelled(unit) in FACTORS["celsius"]
    return not unit or spelled(unit) in FACTORS[UNIT_OF[role]]


def _phase_unit(unit: str) -> float | None:
    text = unit.strip().casefold().rstrip(".")
    if text in {"\N{DEGREE SIGN}", "\N{MASCULINE ORDINAL INDICATOR}", "\N{REPLACEMENT CHARACTER}"}:
        return 1.0
    return PHASE_UNITS.get(text)


def scale(part: Part) -> tuple[float, float]:
    """Return (factor, offset) from the unit of a part to that of its role."""
    if part.role == "impedance_phase_degree":
        return _phase_unit(part.unit) or 1.0, 0.0
    kind = UNIT_OF.get(part.role)
    word = spelled(part.unit)
    if kind is None or not word:
        return 1.0, 0.0
    return FACTORS[kind][word], 273.15 if part.role == "temperature" and word not in {"k", "kelvin"} else 0.0


def is_spectral(header: str) -> bool:
    """Tell whether a header may be frequency or impedance."""
    return any(part.role in {"frequency_hertz", *PARTS} for part in parts_of(header))


def find_parts(headers: Sequence[str], options: ReadOptions, where: object) -> dict[str, Part] | None:
    """Find the columns of a spectrum.

    Parameters
    ----------
    headers
        Of the file, unique.
    options
        The columns that it names go before everything.
    where
        The file, for messages.

    Returns
    -------
    dict or None
        Role -> part; None if the headers are not those of a spectrum.

    Raises
    ------
    InputError
        If two headers fit one role, or impedance is per area.
    """
    found: dict[str, Part] = {}
    for role in ROLES:
        text = options.columns.get(_OPTION_OF.get(role, role))
        if text is not None:
            found[role] = _given(role, text, headers, where)
    candidates = [part for header in headers for part in parts_of(header)[:1] if header not in _taken(found)]
    for role in ROLES:
        fits = [part for part in candidates if part.role == role]
        if role in found or not fits:
            continue
        fits = [part for part in fits if part.unit] or fits
        # beside a column of Z'' one of IMag is the amplitude of the current
        if role in PARTS:
            fits = [part for part in fits if "z" in bare(part.header)[0]] or fits
        if len(fits) > 1 and role in {"frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm"}:
            both = " and ".join(repr(part.header) for part in fits)
            if "frequency_hertz" in found:
                raise InputError(f"{both} could both be {role}; say which: --column {role}={fits[0].header!r}", where)
            continue
        found[role] = fits[0]
    if "frequency_hertz" not in found:
        return None
    _refuse_per_area(headers, where)
    return found if set(PARTS[:2]) <= set(found) or set(PARTS[2:]) <= set(found) else None


_OPTION_OF = {"temperature": "surface_temperature_celsius"}


def _taken(found: Mapping[str, Part]) -> set[str]:
    return {part.header for part in found.values()}


def _given(role: str, text: str, headers: Sequence[str], where: object) -> Part:
    text = " ".join(text.split())
    header, unit = text, ""
    if text not in headers:
        header, unit = next(((base, unit) for base, unit in _split(text) if base in headers), (text, ""))
    if header not in headers:
        near = difflib.get_close_matches(header, headers, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"no column {header!r} for {role}{hint}; headers found: {shown(headers)}", where)
    if unit and not _suits(role, unit):
        raise InputError(f"{unit!r} is not a unit of {role}", where)
    known = next((part for part in parts_of(header) if part.role == role), Part(role, header, sign=bare(header)[1]))
    return replace(known, unit=unit or known.unit, given=True)


def _refuse_per_area(headers: Sequence[str], where: object) -> None:
    for header in headers:
        for base, unit in _split(header):
            name, _ = bare(base)
            word = re.sub(r"[\s.·*]", "", unit)
            if _OF_WHOLE.search(word) and any(name in ROLES[role] for role in PARTS):
                raise InputError(
                    f"{header!r} is impedance times area, expected ohm: divide it by the area that was used",
                    where,
                )


def missing_parts(headers: Sequence[str]) -> str:
    """Return what a table lacks for a spectrum, for a message."""
    roles = {part.role for header in headers for part in parts_of(header)}
    need = "a frequency" if "frequency_hertz" not in roles else "real and imaginary part, or modulus and phase"
    return (
        f"no impedance spectrum: {need} not found; headers found: {shown(headers)}; "
        'name them: --column frequency_hertz="HEADER [Hz]" and so on'
    )


__all__ = ["PARTS", "ROLES", "Part", "find_parts", "is_spectral", "missing_parts", "parts_of", "scale"]
