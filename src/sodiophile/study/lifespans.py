"""Lifespans of one's own among published ones, only where current and capacity are the same unless asked otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict
from sodiophile.study.lifespans_figure import draw
from sodiophile.study.literature import published
from sodiophile.study.outcome import JobOutcome
from sodiophile.study.survival import kaplan_meier

KIND = "lifespan-comparison"
Axis = Literal["hours", "cycles", "plated capacity"]
Show = Literal["same conditions", "all"]

SAME = 0.05
"""Conditions are the same if current density and areal capacity each differ by no more than this."""
ENOUGH, ENOUGH_EXACT = 10, 5
"""A Kaplan-Meier median is stated for this many claims at one condition, of which this many are no bounds."""

_COLUMNS: Mapping[str, str] = {"hours": "lifespan_h", "cycles": "cycles", "plated capacity": "plated_capacity_mAh_cm2"}
UNITS: Mapping[str, str] = {"hours": "h", "cycles": "cycles", "plated capacity": "mAh/cm²"}


@dataclass(frozen=True)
class Own:
    """A lifespan of one's own.

    Parameters
    ----------
    label
        As it is called in the figure.
    current_density_mA_cm2, capacity_mAh_cm2
        The conditions; None where not known.
    lifespan_h, cycles, plated_mAh_cm2
        Lower bounds where the test ended first; None where not known.
    bound
        ``at least`` or empty.
    simulated
        True if a virtual instrument made it.
    """

    label: str
    current_density_mA_cm2: float | None
    capacity_mAh_cm2: float | None
    lifespan_h: float | None
    cycles: float | None = None
    plated_mAh_cm2: float | None = None
    bound: str = ""
    simulated: bool = False


def own_lifespans(jobs: Sequence[JobOutcome], names: Sequence[str] | None = None) -> list[Own]:
    """Return the lifespans among the results of a study or a batch.

    Parameters
    ----------
    jobs
        What was found; those without a lifespan are passed over.
    names
        Of the experiments to take; all by default.
    """
    found = []
    for job in jobs:
        if job.result is None or job.what != "experiment" or (names is not None and job.name not in names):
            continue
        one = own_of(job.title, job.result.quantities, simulated=job.result.simulated)
        if one is not None:
            found.append(one)
    return found


def own_of(label: str, quantities: Mapping[str, Quantity], *, simulated: bool = False) -> Own | None:
    """Return the lifespan among the quantities of a result; None without one."""
    lifespan = quantities.get("lifespan")
    if lifespan is None:
        return None
    bound = {"lower": "at least", "upper": "less than", None: ""}[lifespan.bound]

    def value(name: str, unit: str) -> float | None:
        return quantities[name].to(unit).value if name in quantities else None

    return Own(
        label,
        value("current_density", "mA/cm^2"),
        value("capacity", "mAh/cm^2"),
        lifespan.to("h").value,
        value("lifespan_cycles", "1"),
        value("lifespan_plated_capacity", "mAh/cm^2"),
        bound,
        simulated,
    )


def lifespan_comparison(
    own: Sequence[Own], *, axis: Axis = "hours", show: Show = "same conditions", more: Path | None = None
) -> Result:
    """Set lifespans of one's own among published ones.

    Hours hide throughput: ten times the current plates ten times the charge in the same time. The other axes are
    the cycles, :math:`t j / 2Q`, and the cumulative plated charge, :math:`t j / 2`, with time :math:`t`, current density
    :math:`j` and areal capacity :math:`Q` of a half cycle, both without rests; where a paper prints cycles, they are taken.

    Parameters
    ----------
    own
        May be empty: the published ones alone.
    axis
        What is compared.
    show
        Only claims at the conditions of one's own, or all.
    more
        A table with further published rows, see `sodiophile.study.literature.published`.

    Returns
    -------
    Result
        Tables ``lifespans`` (what is shown) and ``conditions`` (how many there are, at each); a verdict for each of
        one's own.

    Raises
    ------
    InputError
        If `axis` or `show` is unknown, or `more` is at fault.
    """
    for name, value, known in (("axis", axis, get_args(Axis)), ("show", show, get_args(Show))):
        if value not in known:
            raise InputError(f"found {value!r}, expected one of {', '.join(known)}", name)
    claims = [row for row in (_claim(row) for row in published(more).iter_rows(named=True)) if row is not None]
    mine = [_mine(one) for one in own]
    column = _COLUMNS[axis]
    places = _places(mine or claims)
    for row in [*mine, *claims]:
        row["condition"] = next((text for text, at in places if _same(row, at)), "")
    shown = [row for row in [*mine, *claims] if row[column] is not None]
    if show == "same conditions":
        shown = [row for row in shown if row["condition"]]
    order = [text for text, _ in places]
    shown.sort(key=lambda row: (order.index(row["condition"]) if row["condition"] else len(order), -row[column]))
    warnings = _warnings(own, mine, claims, column, axis)
    verdicts = {row["label"]: _verdict(row, claims, column, axis) for row in mine if row[column] is not None}
    simulated = any(one.simulated for one in own)
    inputs = {"axis": axis, "show": show, "published": len(claims), "own": [one.label for one in own], "same_within": SAME}
    tables = {"lifespans": pl.DataFrame(shown, schema=_SCHEMA), "conditions": _conditions(places, claims, column)}
    return Result(KIND, inputs, {}, verdicts, warnings, tables, simulated, drawer=draw)


def _claim(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a published claim with what follows from it on the other axes; None if it is no lifespan of a metal anode."""
    hours, cycles = row["lifespan_h"], row["lifespan_cycles"]
    if (hours is None and cycles is None) or row.get("cell") == "full" or row.get("secondary"):
        return None
    j, capacity = row["current_density_mA_cm2"], row["areal_capacity_mAh_cm2"]
    how = "as printed"
    if cycles is None and None not in {hours, j, capacity}:
        cycles, how = hours * j / (2 * capacity), "cycles from hours, current and capacity, without rests"
    elif hours is None and None not in {cycles, j, capacity}:
        hours, how = cycles * 2 * capacity / j, "hours from cycles, current and capacity, without rests"
    plated = hours * j / 2 if hours is not None and j is not None else None
    if row["lifespan_cycles"] is not None and capacity is not None:
        plated = row["lifespan_cycles"] * capacity
    electrolyte = row.get("electrolyte") or ""
    state = "not named" if not electrolyte else "solid" if electrolyte.startswith("solid") else "liquid"
    label = f"{row['material']} ({row['key']})"
    return {
        "whose": "published", "key": row["key"], "label": label, "doi": row["doi"], "strategy": row.get("strategy") or "",
        "electrolyte": electrolyte, "electrolyte_state": state, "current_density_mA_cm2": j,
        "areal_capacity_mAh_cm2": capacity, "lifespan_h": hours, "cycles": cycles, "plated_capacity_mAh_cm2": plated,
        "bound": row["bound"], "how": how, "note": row.get("note") or "",
    }  # fmt: skip


def _mine(one: Own) -> dict[str, Any]:
    return {
        "whose": "simulated" if one.simulated else "own", "key": one.label, "label": one.label, "doi": "", "strategy": "",
        "electrolyte": "", "electrolyte_state": "own", "current_density_mA_cm2": one.current_density_mA_cm2,
        "areal_capacity_mAh_cm2": one.capacity_mAh_cm2, "lifespan_h": one.lifespan_h, "cycles": one.cycles,
        "plated_capacity_mAh_cm2": one.plated_mAh_cm2, "bound": one.bound, "how": "from the result", "note": "",
    }  # fmt: skip


_TEXTS = (
    "whose",
    "key",
    "condition",
    "label",
    "bound",
    "doi",
    "strategy",
    "electrolyte",
    "electrolyte_state",
    "how",
    "note",
)
_FLOATS = ("current_density_mA_cm2", "areal_capacity_mAh_cm2", "lifespan_h", "cycles", "plated_capacity_mAh_cm2")
_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(_TEXTS[:4], pl.String), **dict.fromkeys(_FLOATS, pl.Float64), **dict.fromkeys(_TEXTS[4:], pl.String),
}  # fmt: skip


def _places(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the conditions that occur, in words, each with a row that has them; by current, then capacity."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    known = [row for row in rows if row["current_density_mA_cm2"] and row["areal_capacity_mAh_cm2"]]
    for row in sorted(known, key=lambda row: (row["current_density_mA_cm2"], row["areal_capacity_mAh_cm2"])):
        if not any(_same(row, at) for _, at in found):
            j, capacity = row["current_density_mA_cm2"], row["areal_capacity_mAh_cm2"]
            found.append((f"{j:.2g} mA/cm², {capacity:.2g} mAh/cm²", row))
    return found


def _same(row: Mapping[str, Any], at: Mapping[str, Any]) -> bool:
    for name in ("current_density_mA_cm2", "areal_capacity_mAh_cm2"):
        if not row[name] or not at[name] or abs(math.log(row[name] / at[name])) > math.log1p(SAME):
            return False
    return True


def _conditions(
    places: Sequence[tuple[str, Mapping[str, Any]]], claims: Sequence[Mapping[str, Any]], column: str
) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for text, at in places:
        own = [row for row in claims if _same(row, at) and row[column] is not None]
        exact = [row for row in own if row["bound"] in {"exact", "about"}]
        row: dict[str, Any] = {"condition": text, "published": len(own), "bounds": len(own) - len(exact)}
        values = [one[column] for one in own]
        row["smallest"], row["largest"] = (min(values), max(values)) if values else (None, None)
        row["median"], row["remark"] = None, "a mean or median through so few values, some of them bounds, would mislead"
        usable = [one for one in own if one["bound"] != "less than"]
        if len(usable) >= ENOUGH and len(exact) >= ENOUGH_EXACT:
            found = kaplan_meier([one[column] for one in usable], [one["bound"] != "at least" for one in usable])
            row["median"], row["remark"] = found.median, "Kaplan-Meier, printed numbers taken for failures"
        rows.append(row)
    schema: dict[str, Any] = {
        "condition": pl.String, "published": pl.Int64, "bounds": pl.Int64, "smallest": pl.Float64, "largest": pl.Float64,
        "median": pl.Float64, "remark": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _verdict(row: Mapping[str, Any], claims: Sequence[Mapping[str, Any]], column: str, axis: str) -> Verdict:
    """Say how one's own stands among the claims at its conditions, bounds respected."""
    others = [one for one in claims if _same(row, one) and one[column] is not None]
    sign = "> " if row["bound"] == "at least" else ""
    mine = f"{sign}{row[column]:.4g} {UNITS[axis]}"
    where = row["condition"] or "conditions that are not known"
    if not others:
        return Verdict(f"{mine}; nothing published here has the same conditions", (f"at {where}",))
    answers = [_longer(one, row, column) for one in others]
    longer, shorter, open_ = (answers.count(answer) for answer in (True, False, None))
    evidence = []
    for one, answer in zip(others, answers, strict=True):
        words = {True: "longer", False: "shorter", None: "cannot be told: a bound stands in the way"}[answer]
        printed = {"at least": "> ", "less than": "< ", "about": "about "}.get(one["bound"], "")
        named = {"solid": ", solid electrolyte", "not named": ", electrolyte not named"}.get(one["electrolyte_state"], "")
        evidence.append(f"{one['label']}, doi {one['doi']}: {printed}{one[column]:.4g} {UNITS[axis]}{named}: {words}")
    said = f"{mine} at {where}: of {len(others)} published, {longer} lived longer, {shorter} shorter"
    return Verdict(said + (f", {open_} cannot be told" if open_ else ""), tuple(evidence))


def _longer(other: Mapping[str, Any], mine: Mapping[str, Any], column: str) -> bool | None:
    """Return whether another lived longer for certain; None where a bound leaves it open."""
    reach = []
    for row in (other, mine):
        value = row[column]
        low = 0.0 if row["bound"] == "less than" else value
        high = math.inf if row["bound"] == "at least" else value
        reach.append((low, high))
    (low, high), (own_low, own_high) = reach
    if low > own_high or (low == own_high and other["bound"] == "at least"):
        return True
    return False if high <= own_low else None


def _warnings(
    own: Sequence[Own], mine: Sequence[Mapping[str, Any]], claims: Sequence[Mapping[str, Any]], column: str, axis: str
) -> tuple[str, ...]:
    found = []
    for one, row in zip(own, mine, strict=True):
        if not one.current_density_mA_cm2 or not one.capacity_mAh_cm2:
            found.append(f"{one.label}: current density or areal capacity is not known, so nothing is set beside it")
        elif row[column] is None:
            found.append(f"{one.label}: its lifespan is not known in {axis}")
    unplaced = sum(one["current_density_mA_cm2"] is None or one["areal_capacity_mAh_cm2"] is None for one in claims)
    if unplaced:
        found.append(
            f"{unplaced} of {len(claims)} published lifespans are printed without current or areal capacity: at the "
            "same conditions as another they cannot be shown"
        )
    if any(one["electrolyte_state"] == "not named" for one in claims):
        found.append(
            "where the electrolyte is not named, carbonate and ether may stand side by side, which changes lifespans more "
            "than most coatings do"
        )
    return tuple(found)
