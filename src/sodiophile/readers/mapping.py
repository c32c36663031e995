"""Which column of a file is which BDF column: as the user says, as the vendor declares, or guessed (and then said so)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sodiophile.errors import InputError
from sodiophile.readers.options import CHANNEL, SPECTRUM_COLUMNS, ReadOptions
from sodiophile.readers.units import dimension, known_units, plain, readings, suits
from sodiophile.readers.vendors import ANY, VENDORS, Header, Vendor
from sodiophile.records.cycling import COLUMNS, REQUIRED

How = Literal["given", "declared", "guessed"]

_GIVEN = re.compile(r"(?P<header>.*\S)\s*\[(?P<unit>[^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Mapped:
    """One BDF column and where it comes from.

    Parameters
    ----------
    column
        The BDF name.
    header
        The header in the file.
    unit
        Its unit as the file or the user writes it; empty where nobody does.
    sign
        -1 where the file holds the negative.
    how
        Given by the user, declared for the vendor, or guessed.
    name
        The name in the vendor's declaration by which it was found.
    """

    column: str
    header: str
    unit: str = ""
    sign: int = 1
    how: How = "declared"
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {"column": self.column, "header": self.header, "unit": self.unit, "how": self.how}


def recognize(headers: Sequence[str]) -> Vendor | None:
    """Return the vendor whose table has these headers, None if none does."""
    bases = {base for header in headers for base, _ in readings(header)}
    for vendor in VENDORS:
        if any(all(plain(name) in bases for name in names) for names in vendor.signature):
            return vendor
    return None


def is_known(header: str) -> bool:
    """Tell whether any declaration knows a header."""
    return any(base in _known_names() for base, _ in readings(header))


def _known_names() -> frozenset[str]:
    return _KNOWN


_KNOWN = frozenset(
    plain(header.name) for vendor in (*VENDORS, ANY) for names in vendor.columns.values() for header in names
)


def choose(headers: Sequence[str], vendor: Vendor, options: ReadOptions, where: object) -> list[Mapped]:
    """Find the columns of a table.

    Parameters
    ----------
    headers
        Of the file, unique.
    vendor
        Whose names to look for; `vendors.ANY` guesses.
    options
        Its column map goes before everything.
    where
        The file, for messages.

    Raises
    ------
    InputError
        If a column that the user names is not there, a required one is not found, or two headers fit it.
    """
    chosen = {
        column: _given(column, text, headers, where)
        for column, text in options.columns.items()
        if column not in SPECTRUM_COLUMNS
    }
    taken = {mapped.header for mapped in chosen.values()}
    faults: dict[str, InputError] = {}
    for column, names in vendor.columns.items():
        if column in chosen:
            continue
        try:
            found = _declared(column, names, [header for header in headers if header not in taken], vendor, where)
        except InputError as error:
            faults[column] = error
            continue
        if found is not None:
            chosen[column] = found
            taken.add(found.header)
    if "unix_time_second" in chosen:
        faults.pop("test_time_second", None)  # the date tells the time
    for fault in faults.values():
        raise fault
    for column in REQUIRED:
        if column not in chosen and not (column == "test_time_second" and "unix_time_second" in chosen):
            raise _not_found(column, headers, where)
    return list(chosen.values())


def _given(column: str, text: str, headers: Sequence[str], where: object) -> Mapped:
    text = " ".join(text.split())
    match = _GIVEN.fullmatch(text)
    if text in headers:
        unit = next((unit for _, unit in readings(text) if unit is not None and suits(column, unit)), "")
        header = text
    elif match is not None and match["header"] in headers:
        header, unit = match["header"], match["unit"]
        if not suits(column, unit):
            raise InputError(f"{unit!r} is not a unit of {column}; expected one of {known_units(column)}", where)
    else:
        wanted = match["header"] if match is not None else text
        near = difflib.get_close_matches(wanted, headers, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"no column {wanted!r} for {column}{hint}; headers found: {shown(headers)}", where)
    return Mapped(column, header, unit, 1, "given")


def _declared(column: str, names: Sequence[Header], headers: Sequence[str], vendor: Vendor, where: object) -> Mapped | None:
    how: How = "guessed" if vendor is ANY else "declared"
    for name in names:
        wanted = plain(name.name)
        fits: list[tuple[str, str]] = []
        for header in headers:
            for base, unit in readings(header):
                if base == wanted and suits(column, unit):
                    fits.append((header, unit or ""))
                    break
        if len(fits) > 1 and sum(bool(unit) for _, unit in fits) == 1:
            fits = [fit for fit in fits if fit[1]]
        if len(fits) > 1 and column in REQUIRED:
            both = " and ".join(repr(header) for header, _ in fits)
            raise InputError(f"{both} could both be {column}; say which: --column {column}={fits[0][0]!r}", where)
        if fits:
            header, unit = fits[0]
            return Mapped(column, header, unit or name.unit, name.sign, how, name.name)
    return None


def _not_found(column: str, headers: Sequence[str], where: object) -> InputError:
    kind = dimension(column)
    near = next(
        (
            f"{header!r} is per mass or area, or in a unit that is none of {known_units(column)}; "
            for header in headers
            for base, unit in readings(header)
            if unit and column in REQUIRED and _is_name_of(base, column) and not suits(column, unit)
        ),
        "",
    )
    unit = {"second": "s", "ampere": "mA", "volt": "V"}[kind or "second"]
    if any(base.startswith("freq") for header in headers for base, _ in readings(header)):
        near += "with a column of frequencies it may be a spectrum whose real and imaginary part were not found; "
    return InputError(
        f"no column found for {column} ({COLUMNS[column]}); {near}headers found: {shown(headers)}; "
        f'name it: --column {column}="HEADER [{unit}]"',
        where,
    )


def _is_name_of(base: str, column: str) -> bool:
    return any(base == plain(header.name) for vendor in (*VENDORS, ANY) for header in vendor.columns.get(column, ()))


def shown(headers: Sequence[str], most: int = 20) -> str:
    """Return headers for a message, cut where they are long or many."""
    cut = [header if len(header) <= 40 else f"{header[:39]}…" for header in headers[:most]]
    more = f" and {len(headers) - most} more" if len(headers) > most else ""
    return ", ".join(repr(header) for header in cut) + more


__all__ = ["CHANNEL", "Mapped", "choose", "is_known", "recognize", "shown"]
