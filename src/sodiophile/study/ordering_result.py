"""What drawn pairs of cells say about an order: how often, with which interval, and from which parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sodiophile.inference.identifiability import chance_share
from sodiophile.quantity import Quantity, format_number
from sodiophile.result import Result, Verdict

KIND = "ordering"
_SURE, _MOSTLY = 0.95, 0.8
_FEWEST = 10
_QUANTILES = (0.16, 0.5, 0.84)
_SAME = 1e-9
_NAMED = 3

Order = Literal["better", "worse", "same", "untold"]


def as_result(inputs: Mapping[str, Any], stand: Mapping[str, Any], drawn: Sequence[Mapping[str, Any]]) -> Result:
    """Return what follows of the order of two electrodes.

    Parameters
    ----------
    inputs
        Of `sodiophile.study.ordering.resolve`.
    stand
        Of `sodiophile.study.ordering_tasks.stand`.
    drawn
        One for each pair, of `sodiophile.study.ordering_tasks.pairs`.
    """
    first, second = inputs["electrodes"]
    rows, causes, decides, quantities, verdicts, warnings = [], [], [], {}, {}, []
    ratios: dict[str, list[float | None]] = {}
    for k, number in enumerate(inputs["numbers"]):
        ours, theirs = [pair["first"][k] for pair in drawn], [pair["second"][k] for pair in drawn]
        told = [ordered(a, b, number["better"]) for a, b in zip(ours, theirs, strict=True)]
        part = Part.of(told)
        unit = next((one["unit"] for one in (*ours, *theirs, stand["first"][k]) if "unit" in one), "")
        ratio = _ratios(ours, theirs)
        ratios[number["name"]] = [None if not np.isfinite(x) else float(x) for x in ratio]
        because = _because(stand, k)
        shares = _shares(drawn, ratio, (first, second))
        row = {
            "number": number["name"],
            "unit": unit,
            "better": number["better"],
            **_span(first, stand["first"][k], ours),
            **_span(second, stand["second"][k], theirs),
            "better_in": part.value,
            "low": part.low,
            "high": part.high,
            "pairs": part.told,
            "not_told": len(told) - part.told,
            "answer": part.answer(first, second),
            "reported": number["reported"],
        }
        rows.append(row)
        causes += [{"number": number["name"], "unit": unit, **one} for one in because]
        decides += [{"number": number["name"], "parameter": name, "share": share} for name, share in shares]
        if part.told:
            words = f"part of {part.told} drawn pairs in which {first} has the {number['better']} {number['name']}"
            quantities[f"better:{number['name']}"] = Quantity(
                part.value, "1", None, words, "simulated", interval=(part.low, part.high)
            )
        verdicts[number["name"]] = Verdict(
            row["answer"], tuple(_evidence(row, number, (first, second), because, shares, ratio))
        )
        failed = [one["failed"] for one in (*ours, *theirs) if "failed" in one]
        if failed:
            warnings.append(
                f"{number['name']}: {len(failed)} of {2 * len(drawn)} cells gave no value; the first: {failed[0]}"
            )
    return Result(
        KIND,
        {
            "electrodes": [first, second],
            "draws": inputs["draws"],
            "seed": inputs["seed"],
            "numbers": [
                {key: number[key] for key in ("name", "experiment", "quantity", "better")} for number in inputs["numbers"]
            ],
        },
        quantities,
        verdicts,
        tuple(warnings),
        {
            "orders": pl.DataFrame(rows, infer_schema_length=None),
            "one parameter at a time": pl.DataFrame(
                causes,
                schema={
                    "number": pl.String,
                    "unit": pl.String,
                    "parameter": pl.String,
                    "change": pl.Float64,
                    "part": pl.Float64,
                },
            ),
            "what decides over the draws": pl.DataFrame(
                decides, schema={"number": pl.String, "parameter": pl.String, "share": pl.Float64}
            ),
            "ratios": pl.DataFrame(ratios, schema=dict.fromkeys(ratios, pl.Float64)),
        },
        simulated=True,
    )


def ordered(first: Mapping[str, Any], second: Mapping[str, Any], better: str) -> Order:
    """Tell whether the first of two numbers is the better one; bounds are told where they suffice.

    Parameters
    ----------
    first, second
        ``value`` and ``bound``, or ``failed``.
    better
        ``lower`` or ``higher``.
    """
    if "failed" in first or "failed" in second:
        return "untold"
    a, b = first["value"], second["value"]
    if first["bound"] is None and second["bound"] is None:
        if abs(a - b) <= _SAME * max(abs(a), abs(b)):
            return "same"
        return "better" if (a < b) == (better == "lower") else "worse"
    # a lower bound may only lie higher, an upper one only lower
    higher = a >= b and first["bound"] in {None, "lower"} and second["bound"] in {None, "upper"}
    lower = a <= b and first["bound"] in {None, "upper"} and second["bound"] in {None, "lower"}
    if higher == lower:
        return "untold"
    return "better" if lower == (better == "lower") else "worse"


class Part:
    """How many of the pairs that can be told are in order, with the interval of Jeffreys.

    Parameters
    ----------
    better, worse, same
        Numbers of pairs; those that are the same count half.
    """

    def __init__(self, better: int, worse: int, same: int) -> None:
        from scipy.stats import beta

        self.told = better + worse + same
        inside = better + 0.5 * same
        self.value = inside / self.told if self.told else float("nan")
        self.low, self.high = (
            float(x) for x in beta.ppf([0.025, 0.975], inside + 0.5, self.told - inside + 0.5)
        )  # fmt: skip
        if inside == 0:
            self.low = 0.0
        if inside == self.told:
            self.high = 1.0

    @classmethod
    def of(cls, told: Sequence[Order]) -> Part:
        """Count."""
        return cls(told.count("better"), told.count("worse"), told.count("same"))

    def answer(self, first: str, second: str) -> str:
        """Return what that means, in words."""
        if self.told < _FEWEST:
            return "cannot be told: too few pairs gave both numbers"
        for part, better, worse in ((self.value, first, second), (1.0 - self.value, second, first)):
            if part >= _SURE:
                return f"it follows that {better} is better than {worse}"
            if part >= _MOSTLY:
                return f"mostly {better} is better than {worse}"
        return "no order follows from the parameters"


def _ratios(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return first over second of each pair, shape (n,); NaN where there is none. A bound stands for its value."""
    a, b = (np.array([one.get("value", np.nan) for one in side], dtype=float) for side in (ours, theirs))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a > 0) & (b > 0), a / b, np.nan)


def _span(name: str, stands: Mapping[str, Any], drawn: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values = [one["value"] for one in drawn if "value" in one]
    low, middle, high = (float(x) for x in np.quantile(values, _QUANTILES)) if values else (None, None, None)
    return {
        f"{name} as it stands": stands.get("value"),
        f"{name} 16 %": low,
        f"{name} median": middle,
        f"{name} 84 %": high,
    }


def _because(stand: Mapping[str, Any], k: int) -> list[dict[str, Any]]:
    """Return, largest first, what the first cell loses when one parameter is put back to that of the second one.

    ``change`` is the number as it stands less that with the parameter put back; ``part`` its share in the difference of the
    two cells as they stand.
    """
    ours, theirs = stand["first"][k].get("value"), stand["second"][k].get("value")
    if ours is None or theirs is None:
        return []
    whole = ours - theirs
    found = []
    for what, numbers in stand["one at a time"].items():
        put_back = numbers[k].get("value")
        if put_back is None or abs(put_back - ours) <= _SAME * abs(ours):
            continue
        found.append({"parameter": what, "change": ours - put_back, "part": (ours - put_back) / whole if whole else None})
    return sorted(found, key=lambda one: -abs(one["change"]))


def _shares(
    drawn: Sequence[Mapping[str, Any]], ratio: NDArray[np.float64], electrodes: tuple[str, str]
) -> list[tuple[str, float]]:
    """Return the squared rank correlation of what was drawn with the ratio, largest first."""
    from scipy.stats import spearmanr

    kept = np.isfinite(ratio)
    if kept.sum() < _FEWEST or np.ptp(ratio[kept]) == 0:
        return []
    found: dict[str, float] = {}
    sides = [[pair["drawn"][side] for pair in drawn] for side in (0, 1)]
    for side, which in enumerate(electrodes):
        for place in sides[side][0]:
            values = np.array([one[place] for one in sides[side]])
            once = all(one.get(place) == x for one, x in zip(sides[1 - side], values, strict=True))
            if np.ptp(values) > 0:
                name = f"{place} of {'both' if once else which}"
                found[name] = float(spearmanr(values[kept], ratio[kept]).statistic ** 2)
    return sorted(found.items(), key=lambda one: -one[1])


def _evidence(
    row: Mapping[str, Any],
    number: Mapping[str, Any],
    electrodes: tuple[str, str],
    because: Sequence[Mapping[str, Any]],
    shares: Sequence[tuple[str, float]],
    ratio: NDArray[np.float64],
) -> list[str]:
    first, second = electrodes
    unit = f" {row['unit']}" if row["unit"] not in {"", "1"} else ""
    found = []
    if row["pairs"]:
        found.append(
            f"{first} has the {number['better']} {number['quantity'].replace('_', ' ')} in {100 * row['better_in']:.0f} % "
            f"of {row['pairs']} drawn pairs ({100 * row['low']:.0f} to {100 * row['high']:.0f} %, 95 % interval)"
        )
    if row["not_told"]:
        found.append(f"{row['not_told']} pairs tell nothing: bounds that do not suffice, or a value missing")
    for name in electrodes:
        stands, low, high = row[f"{name} as it stands"], row[f"{name} 16 %"], row[f"{name} 84 %"]
        if low is not None:
            now = f"{format_number(stands)}{unit} as it stands, " if stands is not None else ""
            found.append(f"{name}: {now}{format_number(low)} to {format_number(high)}{unit} in 68 % of the draws")
    for one in because[:_NAMED]:
        part = f", {100 * one['part']:.0f} % of the difference as it stands" if one["part"] is not None else ""
        found.append(f"{one['parameter']} of {second} in {first} changes it by {format_number(-one['change'])}{unit}{part}")
    if shares:
        chance = chance_share(len(shares), int(np.isfinite(ratio).sum()))
        named = [f"{name} {100 * share:.0f} %" for name, share in shares[:_NAMED] if share > chance]
        told = ", ".join(named) if named else f"no parameter beyond the {100 * chance:.0f} % that chance gives one of them"
        found.append(f"what decides the ratio over the draws (part of the variance of ranks): {told}")
    return found


def findings(results: Sequence[tuple[str, Result]]) -> list[str]:
    """Return one sentence for each number of each question of order, what was reported beside it.

    Parameters
    ----------
    results
        (name of the question, its result).
    """
    found = []
    for name, result in results:
        first, second = result.inputs["electrodes"]
        for row in result.table("orders").to_dicts():
            share = (
                f" ({100 * row['better_in']:.0f} % of {row['pairs']} pairs drawn from the stated ranges, 95 % interval "
                f"{100 * row['low']:.0f} to {100 * row['high']:.0f} %)"
                if row["pairs"]
                else ""
            )
            reported = ""
            if row["reported"] is not None:
                better, worse = (first, second) if row["reported"] == "better" else (second, first)
                same = row["answer"].endswith(f"{better} is better than {worse}")
                reported = f", as reported of {better}" if same else f", though {better} was reported to be better"
            found.append(f"{name}, {row['number']}: {row['answer']}{share}{reported}.")
    return found
