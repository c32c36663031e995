"""A value with its unit, its standard uncertainty, the definition used and its status; units are read and checked here.

Units meet `pint` only at this border. Inside the package numbers are floats whose unit is in their name
(``current_density_mA_cm2``); they enter by `measure` and leave inside a `Quantity`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, get_args

from sodiophile.errors import InputError

Status = Literal["measured", "computed", "simulated", "calibrated", "assumed", "reported"]
Bound = Literal["lower", "upper"]

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)$", re.DOTALL)
_SPACED_POWER = re.compile(r"(?<=[A-Za-zµμΩΩ°Å])\s*\^?\s*([-−]\d)")
_BARE_POWER = re.compile(r"(?<=[A-Za-z])(\d)(?![\w.])")
_ALLOWED_UNIT = re.compile(r"[A-Za-zµμΩΩ°Å²³⁻¹·%*/^().\s\d+-]{0,64}")
_HUGE_POWER = re.compile(r"(\*\*|\^)\s*[-+]?\d{3,}")


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    registry = pint.UnitRegistry(cache_folder=None)
    registry.define("formula_unit = 1 = fu")
    return registry


def _normalized(unit: str) -> str:
    text = unit.strip().replace("·", "*").replace("−", "-").replace("⁻¹", "**-1").replace("%", "percent")
    text = text.replace("Å", "angstrom").replace("Ω", "ohm").replace("Ω", "ohm").replace("°C", "degC")
    text = _SPACED_POWER.sub(r"**\1", text)
    text = _BARE_POWER.sub(r"**\1", text)
    text = text.replace("^", "**")
    # "mA cm**-2": a blank between two units is a product
    return re.sub(r"(?<=[\w)])\s+(?=[A-Za-zµμ(])", "*", text)


@lru_cache(maxsize=512)
def unit_of(unit: str) -> Any:
    """Return the pint unit for `unit`.

    Parameters
    ----------
    unit
        A unit as people write it: ``mA/cm^2``, ``mA cm-2``, ``µA``, ``1`` (dimensionless).

    Raises
    ------
    InputError
        If the text is not a unit.
    """
    if not _ALLOWED_UNIT.fullmatch(unit) or _HUGE_POWER.search(unit):
        raise InputError(f"{unit!r} is not a unit")
    text = _normalized(unit)
    if text in {"", "1"}:
        return _registry().dimensionless
    try:
        return _registry().Unit(text)
    except Exception as error:
        raise InputError(f"{unit!r} is not a unit") from error


def convert(value: float, unit: str, to: str) -> float:
    """Convert `value` from one unit to another.

    Raises
    ------
    InputError
        If either unit is unknown or the two have different dimensions.
    """
    if unit == to:
        return value
    import pint

    source, target = unit_of(unit), unit_of(to)
    try:
        return float(_registry().Quantity(value, source).to(target).magnitude)
    except pint.errors.DimensionalityError as error:
        raise InputError(f"{unit!r} cannot be expressed in {to!r}: the dimensions differ") from error


def measure(text: object, unit: str, key: str = "") -> float:
    """Read a number with its unit, such as ``"0.5 mA/cm^2"``, as a float in `unit`.

    Parameters
    ----------
    text
        What the user wrote; a `Quantity` is taken as well. A bare number is refused unless `unit` is ``"1"``.
    unit
        The unit of the result.
    key
        The name of the key or option, for the message.

    Raises
    ------
    InputError
        If there is no number, no unit, an unknown unit, one of another dimension, or the number is not finite.
    """
    where = key
    if isinstance(text, Quantity):
        return text.to(unit).value
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise InputError(f"found {text!r}, expected a number with a unit such as '1 {unit}'", where)
    # numbers copied from a paper have its minus sign
    match = _NUMBER.match(str(text).replace("−", "-"))
    if match is None:
        raise InputError(f"found {text!r}, expected a number with a unit such as '1 {unit}'", where)
    value, found = float(match[1]), match[2].strip()
    if re.match(r",\d", found):
        raise InputError(f"found {text!r}, expected a point as decimal sign: '{match[1]}.{found[1:]}'", where)
    if not math.isfinite(value):
        raise InputError(f"found {text!r}, expected a finite number", where)
    if not found:
        if unit_of(unit) == _registry().dimensionless:
            return value
        example = f"'{match[1]} degC' or '{match[1]} K'" if unit == "K" else f"one such as '{match[1]} {unit}'"
        raise InputError(f"found {text!r} without a unit, expected {example}", where)
    try:
        return convert(value, found, unit)
    except InputError as error:
        raise InputError(f"{error} (found {str(text)!r}, expected a unit such as {unit!r})", where) from error


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that knows what it is.

    Parameters
    ----------
    value
        The number; must be finite. What cannot be told is a verdict, not a NaN.
    unit
        Its unit, as people write it; ``"1"`` for none.
    uncertainty
        Standard uncertainty (one sigma) in the same unit; None where it is not known.
    definition
        How the number is defined, where the literature has several definitions ("tip minus plateau").
    status
        ``measured``, ``computed``, ``simulated``, ``calibrated``, ``assumed`` or ``reported``.
    calibrated_to
        What it was calibrated to; required for, and only allowed with, the status ``calibrated``.
    source
        Where an assumed or reported number comes from.
    bound
        ``lower`` or ``upper`` where the number only bounds the truth (a test that ended before failure).
    interval
        (low, high) in the same unit, where the truth is known to lie between two points (last healthy, first failed).

    Raises
    ------
    InputError
        If a number is not finite, the uncertainty negative, the unit unknown or the status inconsistent.
    """

    value: float
    unit: str
    uncertainty: float | None = None
    definition: str = ""
    status: Status = "measured"
    calibrated_to: str = ""
    source: str = ""
    bound: Bound | None = None
    interval: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))
        if not math.isfinite(self.value):
            raise InputError(f"a quantity must be finite, found {self.value}", self.definition)
        if self.uncertainty is not None:
            object.__setattr__(self, "uncertainty", float(self.uncertainty))
            if not math.isfinite(self.uncertainty) or self.uncertainty < 0:
                raise InputError(f"an uncertainty must be finite and not negative, found {self.uncertainty}")
        if self.interval is not None:
            low, high = (float(end) for end in self.interval)
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise InputError(f"an interval must be (low, high), found ({low}, {high})")
            object.__setattr__(self, "interval", (low, high))
        if self.status not in get_args(Status):
            raise InputError(f"{self.status!r} is not a status; expected one of {', '.join(get_args(Status))}")
        if self.bound is not None and self.bound not in get_args(Bound):
            raise InputError(f"{self.bound!r} is not a bound; expected lower or upper")
        if (self.status == "calibrated") != bool(self.calibrated_to):
            raise InputError("a calibrated quantity must say what it was calibrated to, and only a calibrated one may")
        unit_of(self.unit)

    @classmethod
    def parse(cls, text: str, *, status: Status = "assumed", definition: str = "", source: str = "") -> Quantity:
        """Read ``"36.1(4) mV"``, ``"36.1 +/- 0.4 mV"``, ``"36.1 mV"`` or ``"> 900 h"``.

        Raises
        ------
        InputError
            If the text is not a number with a unit.
        """
        stripped = text.strip()
        bound: Bound | None = None
        if stripped[:1] in {">", "≥"}:
            bound, stripped = "lower", stripped.lstrip(">≥= ")
        elif stripped[:1] in {"<", "≤"}:
            bound, stripped = "upper", stripped.lstrip("<≤= ")
        match = re.fullmatch(
            r"([+-]?\d*\.?\d+)(?:\((\d+)\)|\s*(?:±|\+/-)\s*(\d*\.?\d+(?:e[+-]?\d+)?))?(?:[eE]([+-]?\d+))?\s*(.*)",
            stripped.replace("−", "-"),
        )
        if match is None:
            raise InputError(f"found {text!r}, expected a number with a unit such as '36.1(4) mV'")
        number, digits, plus_minus, exponent, unit = match.groups()
        scale = 10.0 ** int(exponent or 0)
        uncertainty = None
        if digits is not None:
            places = len(number.partition(".")[2])
            uncertainty = int(digits) * 10.0**-places * scale
        elif plus_minus is not None:
            uncertainty = float(plus_minus) * scale
        return cls(float(number) * scale, unit.strip() or "1", uncertainty, definition, status, source=source, bound=bound)

    def to(self, unit: str) -> Quantity:
        """Return the same quantity in another unit.

        Raises
        ------
        InputError
            If the unit is unknown or of another dimension.
        """
        value = convert(self.value, self.unit, unit)
        uncertainty = None
        if self.uncertainty is not None:
            # a difference, so that an offset unit (degC) converts its uncertainty by its scale alone
            uncertainty = abs(convert(self.value + self.uncertainty, self.unit, unit) - value)
        interval = None
        if self.interval is not None:
            ends = sorted(convert(end, self.unit, unit) for end in self.interval)
            interval = (ends[0], ends[1])
        return replace(self, value=value, unit=unit, uncertainty=uncertainty, interval=interval)

    def __str__(self) -> str:
        sign = {"lower": "> ", "upper": "< ", None: ""}[self.bound]
        number = format_number(self.value, self.uncertainty)
        return f"{sign}{number}" if self.unit == "1" else f"{sign}{number} {self.unit}"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; keys that say nothing are left out, except the five every quantity has."""
        out: dict[str, Any] = {
            "value": self.value,
            "unit": self.unit,
            "uncertainty": self.uncertainty,
            "definition": self.definition,
            "status": self.status,
        }
        if self.calibrated_to:
            out["calibrated_to"] = self.calibrated_to
        if self.source:
            out["source"] = self.source
        if self.bound:
            out["bound"] = self.bound
        if self.interval is not None:
            out["interval"] = list(self.interval)
        return out

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Quantity:
        """Read back what `to_dict` wrote.

        Raises
        ------
        InputError
            If a key is missing or unknown.
        """
        known = set(cls.__dataclass_fields__)
        unknown = set(data) - known
        if unknown or not {"value", "unit"} <= set(data):
            raise InputError(f"not a quantity: keys {sorted(data)}, expected value, unit and some of {sorted(known)}")
        fields = dict(data)
        if fields.get("interval") is not None:
            fields["interval"] = tuple(fields["interval"])
        return cls(**fields)


def format_number(value: float, uncertainty: float | None = None) -> str:
    """Write a number with its uncertainty in parentheses, in units of the last digit: ``36.1(4)``.

    One digit of the uncertainty is kept, two where the first is 1. Without an uncertainty four significant digits are.
    """
    # below the digits of a float an uncertainty is the rounding of its computation
    if uncertainty is None or uncertainty <= 1e-12 * abs(value):
        text = f"{value:.4g}"
        if "e" in text and 1e4 <= abs(value) < 1e6:
            return f"{value:.0f}"
        return text
    if uncertainty >= 1e6 or max(abs(value), uncertainty) >= 1e7 or max(abs(value), uncertainty) < 1e-4:
        exponent = math.floor(math.log10(max(abs(value), uncertainty)))
        return f"{format_number(value / 10.0**exponent, uncertainty / 10.0**exponent)}e{exponent}"
    first = math.floor(math.log10(uncertainty))
    digits = 2 if round(uncertainty / 10.0**first, 6) < 1.95 else 1
    places = digits - 1 - first
    rounded = round(uncertainty, places)
    if rounded >= 10.0 ** (first + 1):  # 0.96 rounds up to 1.0: keep the digits that the new size asks for
        first += 1
        places = 1 - first
    if places <= 0:
        return f"{round(value, places):.0f}({round(uncertainty, places):.0f})"
    return f"{value:.{places}f}({round(uncertainty * 10.0**places)})"
