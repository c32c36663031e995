"""The sign of the current: from the file, from its state column where it is unsigned, checked against its capacities."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.readers.options import ReadOptions
from sodiophile.readers.vendors import Vendor

_DISCHARGE = re.compile(r"d\.?\s*ch|dis|dchg|放电|entlad", re.IGNORECASE)
_CHARGE = re.compile(r"ch(ar)?g|充电|ladung|laden", re.IGNORECASE)
_LETTERS = re.compile(r"(?P<letter>[CD])[_ ]", re.IGNORECASE)
_ENOUGH = 3
_SOME = 0.05


def direction(state: str | None, states: Mapping[str, int]) -> int:
    """Return what a state says of the current: +1 charge, -1 discharge, 0 neither or not told."""
    text = (state or "").strip()
    if text in states:
        return states[text]
    if _DISCHARGE.search(text):
        return -1
    if _CHARGE.search(text):
        return 1
    match = _LETTERS.match(text)
    return 0 if match is None else {"c": 1, "d": -1}[match["letter"].casefold()]


def directions(data: pl.DataFrame, states: Mapping[str, int]) -> np.ndarray:
    """Return `direction` of every row, shape (n,); all 0 without a state column."""
    if "step_type" not in data.columns:
        return np.zeros(data.height, dtype=np.int8)
    kinds = data["step_type"].cast(pl.String)
    told = {kind: direction(kind, states) for kind in kinds.unique().to_list() if kind is not None}
    if not told:
        return np.zeros(data.height, dtype=np.int8)
    return kinds.replace_strict(told, default=0, return_dtype=pl.Int8).fill_null(0).to_numpy()


def growth(data: pl.DataFrame) -> np.ndarray:
    """Return which capacity column grows up to each row: +1 charging, -1 discharging, 0 neither or both, shape (n,)."""
    out = np.zeros(data.height, dtype=np.int8)
    for column, sign in (("charging_capacity_ah", 1), ("discharging_capacity_ah", -1)):
        if column in data.columns:
            # some programs count the discharged charge as negative
            change = np.diff(np.abs(data[column].fill_null(float("nan")).to_numpy().astype(float)), prepend=np.nan)
            out += sign * (np.nan_to_num(change) > 0).astype(np.int8)
    return out


def disagreement(data: pl.DataFrame, states: Mapping[str, int]) -> tuple[int, int, np.ndarray]:
    """Count the rows whose current flows as states and capacities say, and those where it flows the other way.

    Returns
    -------
    agree, against
        Numbers of rows.
    where
        True for the rows that disagree, shape (n,).
    """
    if not {"step_type", "charging_capacity_ah", "discharging_capacity_ah"} & set(data.columns):
        return 0, 0, np.zeros(data.height, dtype=bool)
    current = np.sign(data["current_ampere"].to_numpy())
    # a row logged at the change of a step has the charge of the step before and the current of the next
    steady = current == np.roll(current, 1)
    steady[:1] = False
    # and some programs count the first row of a step to the other side
    grown = growth(data)
    steady &= (grown == np.roll(grown, 1)) | (grown == np.roll(grown, -1))
    said = directions(data, states)
    said = np.where(said != 0, said, np.where(steady, grown, 0))
    against = said * current < 0
    return int((said * current > 0).sum()), int(against.sum()), against


def signed(
    data: pl.DataFrame,
    vendor: Vendor,
    options: ReadOptions,
    locate: Callable[[int], str],
    notes: list[str],
    where: object,
) -> pl.DataFrame:
    """Give the current its sign: positive charges.

    Raises
    ------
    InputError
        If the current is unsigned and nothing tells charge from discharge, or if states or capacities of the file
        contradict its sign.
    """
    if options.sign is not None:
        if options.sign == "reversed":
            notes.append("the sign of the current was reversed, as asked for")
            return data.with_columns(-pl.col("current_ampere"))
        return data
    current = data["current_ampere"].to_numpy()
    agree, against, rows = disagreement(data, vendor.states)
    if not (current < 0).any() and (vendor.unsigned or against >= max(_ENOUGH, _SOME * agree)):
        return _from_states(data, vendor, locate, notes, where, rows)
    if against >= _ENOUGH and against > agree:
        place = locate(int(np.flatnonzero(rows)[0]))
        raise InputError(
            f"{place}: the current has the sign against which state or capacity columns speak ({against} rows against, "
            f"{agree} for); a positive current must charge: say --sign reversed, or --sign 'as written' to keep it",
            where,
        )
    if against > max(_ENOUGH, 0.01 * agree):
        notes.append(f"in {against} rows the current flows against what state or capacity columns say ({agree} rows agree)")
    return data


def _from_states(
    data: pl.DataFrame, vendor: Vendor, locate: Callable[[int], str], notes: list[str], where: object, rows: np.ndarray
) -> pl.DataFrame:
    said = directions(data, vendor.states)
    flowing = data["current_ampere"].to_numpy() > 0
    if not flowing.any():
        return data
    if (flowing & (said == 0)).sum() > 0.01 * flowing.sum():
        discharging = f"{locate(int(np.flatnonzero(rows)[0]))}: " if rows.any() else ""
        raise InputError(
            f"{discharging}the current is never negative and no column says when it charges and when it discharges; "
            "name the one that does: --column step_type=HEADER, or say --sign 'as written'",
            where,
        )
    notes.append("the current is written without sign; charge and discharge are told by the state column")
    sign = pl.Series(np.where(said < 0, -1.0, 1.0))
    return data.with_columns(pl.col("current_ampere") * sign)
