"""Words for people and names for files: units, numbers, headings, safe file names, JSON that may stand inside a page."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from sodiophile.quantity import Quantity, format_number

_SUPERSCRIPT = str.maketrans("0123456789-+.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺·")
_POWER = re.compile(r"(?:\*\*|\^)\s*\(?([-−]?\d+)\)?|(?<=[A-Za-zΩμµ])([-−]\d+)|(?<=[A-Za-zΩμµ])(\d)(?![\w.])")
_UNIT_WORDS = {"ohm": "Ω", "degC": "°C", "deg": "°", "um": "µm", "angstrom": "Å", "percent": "%", "delta_degC": "°C"}
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
_LINK = re.compile(r"https?://[^\s<>\"']+|(?<![\w/.])(?:doi:\s*)?(10\.\d{4,9}/[^\s<>\"',;]+)", re.IGNORECASE)

# the ends of column names that carry a unit, longest first
_COLUMN_UNITS = {
    "mA_cm2": "mA cm⁻²", "uA_cm2": "µA cm⁻²", "A_cm2": "A cm⁻²", "A_m2": "A m⁻²", "mAh_cm2": "mAh cm⁻²", "mAh_g": "mAh g⁻¹",
    "C_cm2": "C cm⁻²", "ohm_cm2": "Ω cm²", "kJ_mol": "kJ mol⁻¹", "J_m2": "J m⁻²", "cm2_s": "cm² s⁻¹", "m2_s": "m² s⁻¹",
    "S_cm": "S cm⁻¹", "e_A3": "e Å⁻³", "eV_A": "eV Å⁻¹", "g_cm3": "g cm⁻³", "mol_L": "mol L⁻¹", "mAh": "mAh", "mA": "mA",
    "uA": "µA", "mV": "mV", "eV": "eV", "meV": "meV", "ohm": "Ω", "mohm": "mΩ", "Hz": "Hz", "kHz": "kHz", "degC": "°C",
    "deg": "°", "cm2": "cm²", "cm": "cm", "mm": "mm", "um": "µm", "nm": "nm", "min": "min", "kJ": "kJ", "percent": "%",
    "mg": "mg", "A": "A", "V": "V", "K": "K", "s": "s", "h": "h", "g": "g", "J": "J", "C": "C", "W": "W", "Wh": "Wh",
    "GPa": "GPa", "A3": "Å³", "A2": "Å²",
}  # fmt: skip


def words(name: str) -> str:
    """Return a name of code as words: ``specific_capacity:5C`` -> ``specific capacity: 5C``."""
    return re.sub(r":(?=\S)", ": ", name.replace("_", " ")).strip() or "(no name)"


def column_words(name: str) -> tuple[str, str]:
    """Return the words and the unit of a column: ``current_density_mA_cm2`` -> ("current density", "mA cm⁻²")."""
    if name in _COLUMN_UNITS:
        return name, ""
    for suffix in sorted(_COLUMN_UNITS, key=len, reverse=True):
        stem = name.removesuffix(f"_{suffix}")
        if stem and stem != name:
            return words(stem), _COLUMN_UNITS[suffix]
    return words(name), ""


def unit_text(unit: str) -> str:
    """Return a unit as it is printed: ``mA/cm^2`` -> ``mA cm⁻²``; nothing for ``1``."""
    if unit.strip() in {"", "1"}:
        return ""
    numerator, slash, denominator = unit.replace("·", " ").partition("/")
    if slash and ("/" in denominator or "(" in unit or ")" in unit):
        numerator, slash = unit, ""  # not a simple fraction: left as it is written
    text = _raised(numerator, 1)
    if slash:
        text = f"{text} {_raised(denominator, -1)}".replace("1 ", "", 1 if numerator.strip() == "1" else 0)
    return text


def _raised(unit: str, sign: int) -> str:
    parts = []
    for part in re.split(r"\s*(?<!\*)\*(?!\*)\s*|\s+(?![-−]?\d)", unit.strip()):
        power = _POWER.search(part)
        base = _POWER.sub("", part).strip()
        base = _UNIT_WORDS.get(base, base)
        exponent = sign * int(next(group for group in power.groups() if group).replace("−", "-")) if power else sign
        parts.append(base if exponent == 1 else base + str(exponent).translate(_SUPERSCRIPT))
    return " ".join(parts)


def number_text(value: float, uncertainty: float | None = None) -> str:
    """Return a number with its uncertainty in parentheses, with a true minus sign and a power of ten where it needs one."""
    return _typeset(format_number(value, uncertainty))


def _typeset(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.replace("-", "\N{MINUS SIGN}")
    if not exponent:
        return mantissa
    return f"{mantissa}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def quantity_text(quantity: Quantity, *, signed: bool = False, digits: str = "") -> str:
    """Return value(uncertainty) and unit, with ``>`` or ``<`` for a bound.

    `signed` writes the plus sign too; `digits` is the number as somebody printed it, used instead of our formatting.
    """
    sign = {"lower": ">\N{NO-BREAK SPACE}", "upper": "<\N{NO-BREAK SPACE}", None: ""}[quantity.bound]
    number = _typeset(digits.lower()) if digits else number_text(quantity.value, quantity.uncertainty)
    if signed and quantity.value > 0:
        number = f"+{number}"
    unit = unit_text(quantity.unit).replace(" ", "\N{NO-BREAK SPACE}")
    blank = "" if not unit or unit in {"°", "%"} else "\N{NO-BREAK SPACE}"
    return f"{sign}{number}{blank}{unit}"


def interval_text(quantity: Quantity) -> str:
    """Return the interval of a quantity in words; nothing without one."""
    if quantity.interval is None:
        return ""
    low, high = (number_text(end) for end in quantity.interval)
    return f"{low} to {high} {unit_text(quantity.unit)}".strip()


def start(text: str, longest: int) -> str:
    """Return the beginning of a long text, up to a word's end and with an ellipsis; about two thirds of `longest`."""
    return text[: 2 * longest // 3].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def plural(number: int, thing: str, things: str = "") -> str:
    """Return ``1 job`` or ``3 jobs``."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def joined(parts: list[str]) -> str:
    """Return ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def size_text(size_bytes: float) -> str:
    """Return a size of a file for people."""
    for unit in ("B", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} GB"


def duration_text(seconds: float) -> str:
    """Return a duration for people."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def with_links(text: str) -> Markup:
    """Return `text` escaped, its web addresses and DOIs as links."""
    out, end = [], 0
    for match in _LINK.finditer(text):
        found = _trimmed(match[0])
        address = found if found.lower().startswith("http") else f"https://doi.org/{_trimmed(match[1])}"
        out += [escape(text[end : match.start()]), Markup('<a rel="noreferrer" href="{}">{}</a>').format(address, found)]
        end = match.start() + len(found)
    return Markup("").join([*out, escape(text[end:])])


def _trimmed(address: str) -> str:
    """Return an address without the punctuation of the sentence around it."""
    while address[-1] in ".,;" or (address[-1] == ")" and address.count(")") > address.count("(")):
        address = address[:-1]
    return address


def json_in_page(value: object) -> Markup:
    """Return `value` as JSON that may stand inside a ``<script>`` element whatever texts it holds."""
    text = json.dumps(json_ready(value), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704 nothing of HTML is left


def json_ready(value: object) -> Any:
    """Return `value` with only what JSON can say: numbers that are not finite become null, unknown things their text."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_ready(entry) for entry in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def file_stem(text: str, longest: int = 60) -> str:
    """Return a file name, without its ending, that every system takes: ASCII, lower case, words joined by ``-``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9.]+", "-", plain)[:longest].strip("-.")
    stem = re.sub(r"\.+", ".", stem)
    if not stem:
        return "item"
    return f"{stem}-" if stem.split(".")[0] in _RESERVED else stem


class Names:
    """Gives each thing a name that no other has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, text: str, longest: int = 60) -> str:
        """Return `file_stem` of the text, with a number where it is taken."""
        stem = name = file_stem(text, longest)
        count = 1
        while name in self._taken:
            count += 1
            name = f"{stem}-{count}"
        self._taken.add(name)
        return name
