"""What a reported value is to the simulation beside it: put in, calibrated to, predicted, or contradicted.

The uncertainty of an analysis is that of reading one record. What the parameters of a simulation leave open is usually much
more, so a simulated value is judged by the interval of a calibration or prediction; without one no more is said than how
far apart the two are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sodiophile.quantity import Quantity, convert, format_number
from sodiophile.study.compare import signed
from sodiophile.study.outcome import Comparison, JobOutcome
from sodiophile.study.schema import Reported
from sodiophile.study.volts_tasks import KIND as ATOMS_TO_VOLTS

WIDE_INTERVAL = 1.0
"""An interval wider than this part of the reported value says little by holding it."""

Key = tuple[str, str, str]
"""Experiment, quantity, electrode."""


def labelled(
    comparisons: Sequence[Comparison], reported: Sequence[Reported], jobs: Sequence[JobOutcome]
) -> tuple[Comparison, ...]:
    """Return the comparisons with labels.

    Parameters
    ----------
    comparisons, reported
        As many, in the same order.
    jobs
        What was found; calibrations and predictions among them say what was fitted, and give intervals to what was not.
    """
    held = _told(jobs)
    virtual = {(job.name, job.electrode) for job in jobs if job.result is not None and job.result.simulated}
    found = []
    for one, entry in zip(comparisons, reported, strict=True):
        if (one.subject, one.electrode) in virtual:
            told = held.get((one.subject, one.quantity, one.electrode))
            judged = one if entry.put_in else _judged_as_simulated(one, told)
            found.append(replace(judged, label=_label(judged, entry, told)))
        else:
            found.append(one)
    return tuple(found)


def _judged_as_simulated(one: Comparison, told: Mapping[str, Any] | None) -> Comparison:
    """Return the comparison judged by what the parameters leave open, not by how well one record was read."""
    if one.ours is None or one.difference is None:
        return one
    verdict, unit = one.verdict, one.reported.unit
    if told is not None:
        low, high = (convert(told[side], told["unit"], unit) for side in ("low", "high"))
        if told["unfit"]:
            # the interval is widened by the misfit, so that holding the value says nothing
            verdict = f"disagrees: {told['unfit']}; what fits best leaves {_ends(low, high, unit)}"
            return replace(one, difference=replace(one.difference, uncertainty=None), sigmas=None, verdict=verdict)
        verdict = _by_interval(low, high, one.reported, calibrated=told["label"] == "calibrated")
        if told["label"] == "calibrated" and not low <= one.ours.value <= high:
            apart = signed(one.difference.value, one.reported)
            verdict = f"differs by {apart}: not the cell that was calibrated, whose interval is {_ends(low, high, unit)}"
    elif verdict.startswith("disagrees"):
        apart = signed(one.difference.value, one.reported)
        verdict = f"differs by {apart}; one run, whose parameters have no interval"
    return replace(one, difference=replace(one.difference, uncertainty=None), sigmas=None, verdict=verdict)


def _by_interval(low: float, high: float, reported: Quantity, *, calibrated: bool) -> str:
    ends = _ends(low, high, reported.unit)
    if reported.bound is not None:
        reaches = high >= reported.value if reported.bound == "lower" else low <= reported.value
        how = "agrees: our interval, {}, reaches beyond" if reaches else "disagrees: our interval, {}, ends before"
        return f"{how.format(ends)} the reported {reported.bound} bound"
    if not low <= reported.value <= high:
        return f"disagrees: reported lies outside our interval, {ends}"
    if calibrated:
        return f"agrees, calibrated to it: within {ends}"
    if high - low > WIDE_INTERVAL * abs(reported.value):
        return f"not excluded: reported lies within our interval, {ends}, which is wide"
    return f"agrees: reported lies within our interval, {ends}"


def _ends(low: float, high: float, unit: str) -> str:
    return f"{format_number(low)} to {format_number(high)} {unit}"


def _label(one: Comparison, entry: Reported, told: Mapping[str, Any] | None) -> str:
    if entry.put_in:
        return "input: it was put into the cell, so that this tests the analysis and not the model"
    if told is not None:
        if told["unfit"]:
            return f"contradicts: {told['unfit']} ({told['by']})"
        low, high = (format_number(told[side]) for side in ("low", "high"))
        return f"{told['label']}: 95 % between {low} and {high} {told['unit']} ({told['by']})"
    if one.ours is None:
        return "contradicts: the simulation has no such value" if one.verdict.startswith("cannot be compared") else ""
    if one.verdict.startswith(("disagree", "differ")):
        return "contradicts what is put in and assumed; one run, without an interval"
    return "predicted from what is put in and assumed; one run, without an interval"


def _told(jobs: Sequence[JobOutcome]) -> dict[Key, dict[str, Any]]:
    """Return what calibrations and predictions say of the quantities that they give; what was fitted comes first."""
    found: dict[Key, dict[str, Any]] = {}
    for job in jobs:
        if job.result is None:
            continue
        if job.what == "calibration":
            for row in job.result.table("values").to_dicts():
                if row["label"] != "input" and row["value"] is not None:
                    key = (row["experiment"], row["quantity"], job.electrode)
                    unfit = row["verdict"] if row["verdict"].startswith("cannot be fitted") else ""
                    found[key] = _entry(row["label"], row["low"], row["high"], row["unit"], job.name, unfit)
        elif job.result.kind == ATOMS_TO_VOLTS:
            name = next(iter(job.result.quantities))
            quantity: Quantity = job.result.quantities[name]
            key = (str(job.result.inputs["experiment"]["name"]), name, job.electrode)
            if key not in found and quantity.interval is not None and "hold-out" in job.result.verdicts:
                contradicts = job.result.verdicts["hold-out"].answer.startswith("contradicts")
                label = "contradicts" if contradicts else "predicted"
                found[key] = _entry(label, *quantity.interval, quantity.unit, job.name)
    return found


def _entry(label: str, low: float, high: float, unit: str, by: str, unfit: str = "") -> dict[str, Any]:
    return {"label": label, "low": low, "high": high, "unit": unit, "by": by, "unfit": unfit}
