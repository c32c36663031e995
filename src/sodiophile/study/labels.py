"""What a reported value is to the simulation beside it: put in, calibrated to, predicted, or contradicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sodiophile.quantity import Quantity, format_number
from sodiophile.study.outcome import Comparison, JobOutcome
from sodiophile.study.schema import Reported

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
    return tuple(
        replace(one, label=_label(one, entry, held.get((one.subject, one.quantity, one.electrode)), jobs))
        for one, entry in zip(comparisons, reported, strict=True)
    )


def _label(one: Comparison, entry: Reported, told: Mapping[str, Any] | None, jobs: Sequence[JobOutcome]) -> str:
    job = next((job for job in jobs if (job.name, job.electrode) == (one.subject, one.electrode)), None)
    if job is None or job.result is None or not job.result.simulated:
        return ""
    if entry.put_in:
        return "input: it was put into the cell, so that this tests the analysis and not the model"
    if told is not None:
        return f"{told['label']}: 95 % between {told['low']} and {told['high']} {told['unit']} ({told['by']})"
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
                    found[key] = _entry(row["label"], row["low"], row["high"], row["unit"], job.name)
        elif job.what == "prediction":
            name = next(iter(job.result.quantities))
            quantity: Quantity = job.result.quantities[name]
            key = (str(job.result.inputs["experiment"]["name"]), name, job.electrode)
            if key not in found and quantity.interval is not None and "hold-out" in job.result.verdicts:
                contradicts = job.result.verdicts["hold-out"].answer.startswith("contradicts")
                label = "contradicts" if contradicts else "predicted"
                found[key] = _entry(label, *quantity.interval, quantity.unit, job.name)
    return found


def _entry(label: str, low: float, high: float, unit: str, by: str) -> dict[str, Any]:
    return {"label": label, "low": format_number(low), "high": format_number(high), "unit": unit, "by": by}
