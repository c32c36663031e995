"""Published sodium metal anodes: the table that ships here, every row with its doi, and rows that a user adds.

Each number is printed in the article that the doi names. ``bound`` says how: ``at least`` (over, more than, exceeding),
``about`` (up to, nearly), ``less than``, or ``exact``, which means *as printed*, and not that a failure was observed.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile.errors import InputError

if TYPE_CHECKING:
    import polars as pl

LARGEST_BYTES = 10_000_000
BOUNDS = ("at least", "about", "exact", "less than")
NUMBERS = ("current_density_mA_cm2", "areal_capacity_mAh_cm2", "lifespan_h", "lifespan_cycles")
_NEEDED = ("key", "doi", "material", "bound", *NUMBERS)
_DOI = re.compile(r"10\.\d{4,9}/\S+")


@cache
def _shipped() -> pl.DataFrame:
    data = resources.files("sodiophile.study").joinpath("data/na_anodes.csv").read_bytes()
    return _checked(data, "na_anodes.csv")


def published(more: Path | None = None) -> pl.DataFrame:
    """Return the published anodes, one printed claim a row.

    Parameters
    ----------
    more
        A CSV table with further rows, in the same columns; needed are ``key``, ``doi``, ``material``, ``bound``,
        ``current_density_mA_cm2``, ``areal_capacity_mAh_cm2``, ``lifespan_h`` and ``lifespan_cycles``, which may be empty
        but for the first three.

    Returns
    -------
    polars.DataFrame
        With the columns of the shipped table; what is not printed is null.

    Raises
    ------
    InputError
        If `more` cannot be read, lacks a column, or has a row without a doi or with a number that is none.
    """
    import polars as pl

    if more is None:
        return _shipped()
    try:
        with more.open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", more) from None
    if len(data) > LARGEST_BYTES:
        raise InputError(f"larger than {LARGEST_BYTES // 1_000_000} MB, which no table of anodes is", more)
    own = _checked(data, more)
    return pl.concat([_shipped(), own.select(one for one in own.columns if one in _shipped().columns)], how="diagonal")


def _checked(data: bytes, where: object) -> pl.DataFrame:
    import polars as pl

    try:
        table = pl.read_csv(data, infer_schema=False).fill_null("")
    except (pl.exceptions.PolarsError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"is no CSV table in UTF-8: {reason}", where) from None
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise InputError(f"has no column {missing[0]!r}; expected {', '.join(_NEEDED)}", where)
    for at, row in enumerate(table.iter_rows(named=True), start=2):
        _check_row(row, f"{where}, line {at}")
    numeric = [name for name in table.columns if name in _NUMERIC]
    return table.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).cast(pl.Float64) for name in numeric)


def _check_row(row: dict[str, Any], where: str) -> None:
    for name in ("key", "material"):
        if not row[name]:
            raise InputError(f"{name}: missing", where)
    if not _DOI.fullmatch(row["doi"]):
        raise InputError(f"doi: found {row['doi']!r}, expected one such as 10.1000/182: a number needs its source", where)
    if row["bound"] and row["bound"] not in BOUNDS:
        raise InputError(f"bound: found {row['bound']!r}, expected one of {', '.join(BOUNDS)}", where)
    for name, value in row.items():
        if name in _NUMERIC and value and not _is_number(value, positive=name in NUMBERS):
            raise InputError(f"{name}: found {value!r}, expected a number" + " above 0" * (name in NUMBERS), where)


def _is_number(text: str, *, positive: bool) -> bool:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text):
        return False
    value = float(text)
    return abs(value) < float("inf") and (value > 0 or not positive)


_NUMERIC = frozenset(
    {
        *NUMBERS, "nucleation_overpotential_mV", "polarization_mV", "coulombic_efficiency_percent", "ce_cycles",
        "adsorption_energy_eV", "full_cell_rate_C", "full_cell_cycles", "full_cell_retention_percent",
    }
)  # fmt: skip
