"""From cells to groups: mean, spread and lifespans of replicates, and each two groups compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments.base import Experiment
from sodiophile.quantity import Quantity, Status, convert, format_number
from sodiophile.result import Result, Verdict
from sodiophile.study.groups import differ, holm, summarize
from sodiophile.study.replicates_figure import draw
from sodiophile.study.survival import Survival, kaplan_meier, log_rank

KIND = "replicates"

SETTINGS = frozenset({"current_density", "capacity", "sampling_interval", "noise", "cut_off"})
"""What was set or is the instrument's own: shown for each group, never tested for a difference."""

_MOST_NAMED = 6
_MOST_IN_ANSWER = 3
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Member:
    """A cell that counts: its name, its group, its result."""

    name: str
    group: str
    result: Result


def replicates(kind: Experiment, members: Sequence[Member], compare: Sequence[str] = ()) -> Result | None:
    """Compare groups of replicate cells.

    Parameters
    ----------
    kind
        The kind of experiment of all results.
    members
        The cells; order decides that of the groups.
    compare
        Names of the quantities to test; by default all that are no setting.

    Returns
    -------
    Result or None
        Tables ``cells``, ``groups``, ``comparisons`` and ``survival``; quantities ``NAME:GROUP``. None without a cell.
    """
    if not members:
        return None
    groups = list(dict.fromkeys(one.group for one in members))
    simulated = any(one.result.simulated for one in members)
    status: Status = "simulated" if simulated else "measured"
    quantities: dict[str, Quantity] = {}
    rows: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    warnings: list[str] = []
    for name in _names(kind, members):
        unit, by_group, fault = _values(name, groups, members)
        if fault:
            warnings.append(fault)
            continue
        if gap := _missing(name, by_group, members):
            warnings.append(gap)
        lives = _is_lifespan(name, by_group)
        tested = name in compare or name.partition(":")[0] in compare if compare else name not in SETTINGS
        for group, own in by_group.items():
            row, quantity = _group(name, group, own, unit, status, lives)
            rows.append(row)
            if quantity is not None:
                quantities[f"{name}:{group}"] = quantity
            if lives:
                steps += _steps(name, group, own, unit)
        if tested:
            tests += [_test(name, a, b, by_group[a], by_group[b], unit, lives) for a, b in combinations(by_group, 2)]
    _adjust(tests)
    sentences = _sentences(groups, members, rows, tests)
    tables = {
        "groups": _frame(rows, _GROUP_SCHEMA),
        "comparisons": _frame(tests, _TEST_SCHEMA),
        "cells": _cells(members),
        "survival": _frame(steps, _STEP_SCHEMA),
    }
    return Result(
        KIND,
        {"kind": kind.kind, "cells": [one.name for one in members], "groups": groups, "compare": list(compare)},
        quantities,
        {"groups": Verdict(_answer(groups, tests), sentences)},
        tuple(warnings),
        {name: table for name, table in tables.items() if table.height},
        simulated,
        drawer=draw,
    )


def _names(kind: Experiment, members: Sequence[Member]) -> list[str]:
    """Return the quantities that any cell has, those that people quote first."""
    found = dict.fromkeys(name for one in members for name in one.result.quantities)
    order = list(kind.quantities or ())
    return sorted(found, key=lambda name: order.index(name) if name in order else len(order))


def _values(name: str, groups: Sequence[str], members: Sequence[Member]) -> tuple[str, dict[str, list[Quantity]], str]:
    """Return the unit of a quantity, group -> its values, and why they cannot be put together, if so."""
    found: dict[str, list[Quantity]] = {}
    unit = ""
    for group in groups:
        own = [one.result.quantities[name] for one in members if one.group == group and name in one.result.quantities]
        if own:
            unit = unit or own[0].unit
            found[group] = [one.to(unit) for one in own]
    bounds = {one.bound for own in found.values() for one in own}
    if "upper" in bounds or ("lower" in bounds and not _is_time(name, unit)):
        return unit, {}, f"{name} is only a bound in some cells: nothing is stated of the groups"
    return unit, found, ""


def _is_time(name: str, unit: str) -> bool:
    """Whether a lower bound means that the test ended first: the quantity is a time, cycles, or a lifespan in charge."""
    if name.startswith("lifespan") or "cycles" in name:
        return True
    try:
        convert(1.0, unit, "h")
    except InputError:
        return False
    return True


def _is_lifespan(name: str, by_group: Mapping[str, Sequence[Quantity]]) -> bool:
    return name.startswith("lifespan") or any(one.bound == "lower" for own in by_group.values() for one in own)


def _missing(name: str, by_group: Mapping[str, Sequence[Quantity]], members: Sequence[Member]) -> str:
    """Say of which cells a quantity is not known: what is left of a group may be a choice."""
    short = []
    for group, own in by_group.items():
        total = sum(one.group == group for one in members)
        if len(own) < total:
            short.append(f"{len(own)} of {total} cells of {group}")
    return f"{name} is known of {', '.join(short)} alone, which may be the better or the worse ones" if short else ""


def _survival(own: Sequence[Quantity]) -> Survival:
    return kaplan_meier([one.value for one in own], [one.bound is None for one in own])


def _group(
    name: str, group: str, own: Sequence[Quantity], unit: str, status: Status, lives: bool
) -> tuple[dict[str, Any], Quantity | None]:
    row: dict[str, Any] = {"quantity": name, "group": group, "unit": unit, "n": len(own)}
    if lives:
        found = _survival(own)
        low, high = found.median_interval
        row |= {
            "failed": found.events, "still_alive": found.n - found.events, "smallest": min(one.value for one in own),
            "largest": found.longest, "median": found.median, "median_low_95": low, "median_high_95": high,
        }  # fmt: skip
        words = f"Kaplan-Meier median of {found.n} cells, {found.events} of which failed"
        if found.median is None:
            # fewer than half have failed by the last time that any was watched
            words += "; the median is not reached, so that it lies beyond the longest test"
            return row, Quantity(found.longest, unit, None, words, status, bound="lower")
        ends = (low, high) if low is not None and high is not None else None
        return row, Quantity(found.median, unit, None, words, status, interval=ends)
    values = summarize([one.value for one in own])
    row |= {
        "mean": values.mean, "standard_deviation": values.standard_deviation, "low_95": values.low_95,
        "high_95": values.high_95, "smallest": values.smallest, "largest": values.largest,
    }  # fmt: skip
    if values.standard_deviation is None or values.low_95 is None or values.high_95 is None:
        return row, Quantity(values.mean, unit, own[0].uncertainty, "of the one cell of the group", status)
    words = (
        f"mean of {values.n} cells, which scatter by {values.standard_deviation:.3g} {unit} (standard deviation); "
        "uncertainty is the standard error of the mean, interval is Student's t, 95 %"
    )
    error = values.standard_deviation / values.n**0.5
    return row, Quantity(values.mean, unit, error, words, status, interval=(values.low_95, values.high_95))


def _steps(name: str, group: str, own: Sequence[Quantity], unit: str) -> list[dict[str, Any]]:
    """Return the Kaplan-Meier curve as a table: a row at zero, at each failure, and at the end of each test before one."""
    found = _survival(own)
    rows: list[dict[str, Any]] = [
        {"time": 0.0, "surviving": 1.0, "low_95": None, "high_95": None, "at_risk": found.n, "failed": 0}
    ]
    for at, time in enumerate(found.time):
        ends = [float(one[at]) for one in (found.low_95, found.high_95)]
        low, high = (None if math.isnan(end) else end for end in ends)
        rows.append(
            {
                "time": float(time), "surviving": float(found.surviving[at]), "low_95": low, "high_95": high,
                "at_risk": int(found.at_risk[at]), "failed": int(found.failed[at]),
            }
        )  # fmt: skip
    for one in own:
        if one.bound == "lower":
            alive = [float(s) for t, s in zip(found.time, found.surviving, strict=True) if t <= one.value]
            at_risk = sum(other.value >= one.value for other in own)
            rows.append({"time": one.value, "surviving": alive[-1] if alive else 1.0, "at_risk": at_risk, "failed": 0})
    rows.sort(key=lambda row: (row["time"], -row["failed"]))
    return [{"quantity": name, "group": group, "unit": unit, **row} for row in rows]


def _test(
    name: str, a: str, b: str, first: Sequence[Quantity], second: Sequence[Quantity], unit: str, lives: bool
) -> dict[str, Any]:
    row: dict[str, Any] = {"quantity": name, "first": a, "second": b, "unit": unit, "n_first": len(first)}
    row["n_second"] = len(second)
    if lives:
        found = log_rank(
            [one.value for one in first], [one.bound is None for one in first],
            [one.value for one in second], [one.bound is None for one in second],
        )  # fmt: skip
        if found is None:
            return row | {"test": "log-rank", "note": "no failure while cells of both groups were watched"}
        test = "log-rank, exact" if found.exact else "log-rank"
        return row | {"test": test, "chi2": found.chi2, "p": found.p, "smallest_p": found.smallest_p}
    values = differ([one.value for one in first], [one.value for one in second])
    note = ""
    if min(len(first), len(second)) < 2:
        note = "a group of one cell has no spread to judge by"
    elif values.low_95 is None:
        note = "neither group scatters at all"
    elif not values.borne_out:
        note = "the permutation test, which assumes no normal scatter, does not bear it out"
    return row | {
        "test": "Welch t", "difference": values.difference, "low_95": values.low_95, "high_95": values.high_95,
        "effect_size": values.effect_size, "p": values.p_welch, "degrees_of_freedom": values.degrees_of_freedom,
        "p_permutation": values.p_permutation, "smallest_p": values.smallest_p, "note": note,
    }  # fmt: skip


def _adjust(tests: list[dict[str, Any]]) -> None:
    """Add to each test its p value adjusted for how many pairs of groups are compared by that quantity, and its answer."""
    for name in dict.fromkeys(test["quantity"] for test in tests):
        own = [test for test in tests if test["quantity"] == name and test.get("p") is not None]
        for test, adjusted in zip(own, holm([test["p"] for test in own]), strict=True):
            test["p_holm"] = adjusted
            test["shown"] = "yes" if adjusted < _SIGNIFICANT and not test.get("note") else "no"


def _answer(groups: Sequence[str], tests: Sequence[Mapping[str, Any]]) -> str:
    if len(groups) < 2:
        return "one group: nothing to compare with"
    told = list(dict.fromkeys(test["quantity"] for test in tests if test.get("shown") == "yes"))
    if told:
        # how long cells live is what the groups are for
        told.sort(key=lambda name: not name.startswith("lifespan"))
        more = f" and {len(told) - _MOST_IN_ANSWER} more" if len(told) > _MOST_IN_ANSWER else ""
        return f"the groups differ in {', '.join(name.replace('_', ' ') for name in told[:_MOST_IN_ANSWER])}{more}"
    return "no difference between the groups is shown"


def _sentences(
    groups: Sequence[str], members: Sequence[Member], rows: Sequence[Mapping[str, Any]], tests: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    counts = ", ".join(f"{group}: {sum(one.group == group for one in members)}" for group in groups)
    found = [f"Cells by group: {counts}."]
    single = [group for group in groups if sum(one.group == group for one in members) == 1]
    if single:
        found.append(f"One cell alone says nothing of the spread between cells: {', '.join(single)}.")
    judged = [test for test in tests if test.get("p") is not None]
    named = sorted(judged, key=lambda test: "chi2" not in test)
    found += [_said(test, rows) for test in named[:_MOST_NAMED]]
    if len(named) > _MOST_NAMED:
        found.append(f"{len(named) - _MOST_NAMED} further comparisons stand in the table.")
    questions = len({test["quantity"] for test in judged})
    if questions > 1:
        found.append(
            f"{questions} quantities were tested: at p < {_SIGNIFICANT:g} about {_SIGNIFICANT * questions:.1g} of them "
            "would seem to differ by chance alone, so decide beforehand which one the cells were made for."
        )
    floor = [test["smallest_p"] for test in judged if test.get("smallest_p") is not None]
    if floor and min(floor) > _SIGNIFICANT:
        found.append(
            f"With so few cells no exact p value can be smaller than {min(floor):.2g}, whatever the cells do: a difference "
            "can be shown only with more replicates."
        )
    return tuple(found)


def _said(test: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    name, a, b, unit = test["quantity"].replace("_", " "), test["first"], test["second"], test["unit"]
    told = "is shown" if test["shown"] == "yes" else "is not shown"
    p = f"p = {test['p']:.2g} ({test['test']})"
    if test["p_holm"] != test["p"]:
        p += f", {test['p_holm']:.2g} adjusted for several pairs of groups"
    if test.get("p_permutation") is not None:
        p += f"; {test['p_permutation']:.2g} by permutation, the least possible being {test['smallest_p']:.2g}"
    of = "" if unit == "1" else f" {unit}"
    if "difference" not in test:
        medians = []
        for group in (a, b):
            row = next(row for row in rows if row["quantity"] == test["quantity"] and row["group"] == group)
            median = f"> {row['largest']:.4g}" if row["median"] is None else f"{row['median']:.4g}"
            medians.append(f"{group} {median}{of} ({row['failed']} of {row['n']} failed)")
        return f"Median {name}: {medians[0]}, {medians[1]}; a difference {told}: {p}."
    size = format_number(test["difference"]) if test["low_95"] is None else f"{test['difference']:.3g}"
    reach = f" (95 % interval {test['low_95']:.3g} to {test['high_95']:.3g})" if test["low_95"] is not None else ""
    effect = f", Hedges' g = {test['effect_size']:.2g}" if test["effect_size"] is not None else ""
    return f"Mean {name}, {a} minus {b}: {size}{of}{reach}{effect}; a difference {told}: {p}."


def _cells(members: Sequence[Member]) -> pl.DataFrame:
    """Return one row a cell: every quantity with its unit in the name, and what bounds it."""
    rows = []
    columns: dict[str, Any] = {"cell": pl.String, "group": pl.String}
    for one in members:
        row: dict[str, Any] = {"cell": one.name, "group": one.group}
        for name, quantity in one.result.quantities.items():
            column = name if quantity.unit == "1" else f"{name} [{quantity.unit}]"
            columns[column] = pl.Float64
            row[column] = quantity.value
            if quantity.bound is not None:
                columns[f"{name}: bound"] = pl.String
                row[f"{name}: bound"] = quantity.bound
        for name, verdict in one.result.verdicts.items():
            columns[f"verdict: {name}"] = pl.String
            row[f"verdict: {name}"] = verdict.answer
        rows.append(row)
    return pl.DataFrame(rows, schema=columns)


def _frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{key: row.get(key) for key in schema} for row in rows], schema=dict(schema))


def _schema(texts: str, whole: str, numbers: str, last: str = "") -> dict[str, Any]:
    return {
        **dict.fromkeys(texts.split(), pl.String),
        **dict.fromkeys(whole.split(), pl.Int64),
        **dict.fromkeys(numbers.split(), pl.Float64),
        **dict.fromkeys(last.split(), pl.String),
    }


_GROUP_SCHEMA = _schema(
    "quantity group unit",
    "n failed still_alive",
    "mean standard_deviation low_95 high_95 median median_low_95 median_high_95 smallest largest",
)
_TEST_SCHEMA = _schema(
    "quantity first second unit test",
    "n_first n_second",
    "difference low_95 high_95 effect_size p p_holm degrees_of_freedom chi2 p_permutation smallest_p",
    "shown note",
)
_STEP_SCHEMA = _schema("quantity group unit", "at_risk failed", "time surviving low_95 high_95")
