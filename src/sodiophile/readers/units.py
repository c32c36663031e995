"""Headers of vendor files: the name and the unit in them, and the factor from a vendor's unit to the BDF unit."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TIME = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "mins": 60.0}
_TIME |= {"minute": 60.0, "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0}
_TIME |= {"d": 86400.0, "day": 86400.0, "days": 86400.0, "秒": 1.0, "分": 60.0, "小时": 3600.0}
_CURRENT = {"a": 1.0, "amp": 1.0, "amps": 1.0, "ampere": 1.0, "amperes": 1.0, "ma": 1e-3, "ua": 1e-6, "na": 1e-9}
_VOLTAGE = {"v": 1.0, "volt": 1.0, "volts": 1.0, "mv": 1e-3, "uv": 1e-6}
_CHARGE = {"ah": 1.0, "mah": 1e-3, "uah": 1e-6, "as": 1 / 3600, "c": 1 / 3600, "mas": 1e-3 / 3600, "uas": 1e-6 / 3600}
_ENERGY = {"wh": 1.0, "mwh": 1e-3, "uwh": 1e-6, "ws": 1 / 3600, "j": 1 / 3600, "mws": 1e-3 / 3600, "kwh": 1e3}
_TEMPERATURE = {"c": 1.0, "degc": 1.0, "celsius": 1.0, "k": 1.0, "kelvin": 1.0}
_FREQUENCY = {"hz": 1.0, "hertz": 1.0, "khz": 1e3, "mHz": 1e-3, "MHz": 1e6}
_RESISTANCE = {"ohm": 1.0, "ohms": 1.0, "kohm": 1e3, "mohm": 1e-3, "Mohm": 1e6}

FACTORS: Mapping[str, Mapping[str, float]] = {
    "second": _TIME,
    "ampere": _CURRENT,
    "volt": _VOLTAGE,
    "ah": _CHARGE,
    "wh": _ENERGY,
    "celsius": _TEMPERATURE,
    "hertz": _FREQUENCY,
    "ohm": _RESISTANCE,
}
"""Last word of a BDF column name -> vendor's spelling of a unit -> factor to the BDF unit."""

_NO_UNIT = frozenset({"", "1", "-", "#"})
_CLOCKS = frozenset(
    {"hh:mm:ss", "h:m:s", "hh:mm:ss.ms", "hh:mm:ss.xxx", "h:min:s.ms", "hoursinhh:mm:ss.xxx", "date", "datetime"}
)
_MILLI_OR_MEGA = re.compile(r"(?P<prefix>[mM])(?P<unit>hz|hertz|ohms?)", re.IGNORECASE)
_KELVIN = frozenset({"k", "kelvin"})
_ZERO_C_K = 273.15
_COLDEST_C = -123.15  # 150 K: colder than any cell that still conducts
_AS_KELVIN_C = (250.0, 350.0)  # what a cell between -23 and 77 degC is in kelvin
_SPLITS = (
    re.compile(r"(?P<base><[^<>/]+)/(?P<unit>[^<>/]+)>"),
    re.compile(r"(?P<base>.*\S)\s*[\[(](?P<unit>[^\[\]()]*)[\])]\s*"),
    re.compile(r"(?P<base>.*\S)\s*/\s*(?P<unit>[^/]*)"),
    re.compile(r"(?P<base>.*\S)\s*,\s*(?P<unit>[^,]*)"),
    re.compile(r"(?P<base>.*\S)[_ ](?P<unit>[^_ ]+)"),
)


def dimension(column: str) -> str | None:
    """Return the key of `FACTORS` for a BDF column, None for counts and text."""
    last = column.rpartition("_")[2]
    return last if last in FACTORS else None


def spelled(unit: str) -> str:
    """Return the one spelling under which `FACTORS` knows a unit: ``mA.h`` -> ``mah``, ``°C`` -> ``c``."""
    # "V vs. Na/Na+" is V
    text = re.sub(r"\s+vs\b.*", "", unit.strip().casefold()).replace("µ", "u").replace("μ", "u").replace("ω", "ohm")
    text = re.sub(r"[\s.·*°º]", "", text) if ":" not in text else text.replace(" ", "")
    prefixed = _MILLI_OR_MEGA.fullmatch(text)
    if prefixed is not None:
        # only here does the case tell: mHz and MHz, mohm and Mohm; in capitals alone it tells nothing
        written = re.sub(r"[\s.·*]", "", unit.strip())
        if written.isascii() and written.isupper():
            return text.upper()
        return written[0] + prefixed["unit"].replace("hertz", "hz").replace("ohms", "ohm").replace("hz", "Hz")
    # a micro or degree sign that was lost in a wrong encoding
    if text[:1] == "\N{REPLACEMENT CHARACTER}":
        rest = text.lstrip("\N{REPLACEMENT CHARACTER}")
        return rest if rest == "c" else f"u{rest}"
    return text


def plain(header: str) -> str:
    """Return a header without case, blanks and separators, for comparison: ``Test_Time`` -> ``testtime``."""
    text = header.strip().strip("\N{ZERO WIDTH NO-BREAK SPACE}").casefold()
    return text[:1] + re.sub(r"[\s_.:#\-]", "", text[1:]) if text else text


def readings(header: str) -> list[tuple[str, str | None]]:
    """Return the ways to take a header apart, as (plain name, unit or None), the whole header first."""
    out: list[tuple[str, str | None]] = [(plain(header), None)]
    for split in _SPLITS:
        match = split.fullmatch(header.strip())
        if match is not None:
            base = match["base"]
            out.append((plain(f"{base}>" if base.startswith("<") and ">" not in base else base), match["unit"]))
    return out


def is_unit(text: str) -> bool:
    """Tell whether a text is a unit of any column, or the mark of a column without one."""
    inner = text.strip().strip("[]()").strip()
    word = spelled(inner)
    return word in _NO_UNIT or word in _CLOCKS or any(word in factors for factors in FACTORS.values())


def suits(column: str, unit: str | None) -> bool:
    """Tell whether a column of this BDF name can come in this unit."""
    word = spelled(unit or "")
    kind = dimension(column)
    if word in _NO_UNIT:
        return True
    if kind is None:
        return False
    return word in FACTORS[kind] or (kind == "second" and word in _CLOCKS)


def factor(column: str, unit: str | None) -> tuple[float, float]:
    """Return (factor, offset) from a vendor's unit to the BDF unit of `column`; (1, 0) where there is none."""
    kind = dimension(column)
    word = spelled(unit or "")
    if kind is None or word in _NO_UNIT or word in _CLOCKS:
        return 1.0, 0.0
    return FACTORS[kind][word], -_ZERO_C_K if kind == "celsius" and word in _KELVIN else 0.0


def known_units(column: str) -> str:
    """Return the units that a column may come in, for a message."""
    return ", ".join(FACTORS[dimension(column) or "second"])


def doubtful_temperature(celsius: float) -> str | None:
    """Return a sentence about a temperature that looks as if the header had K for degC, or the other way round."""
    if celsius < _COLDEST_C:
        return f"the temperature is {celsius + _ZERO_C_K:.4g} K: no cell is so cold; is it in degC?"
    if _AS_KELVIN_C[0] < celsius < _AS_KELVIN_C[1]:
        return f"the temperature is {celsius:.4g} degC: is it in K?"
    return None
