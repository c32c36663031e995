"""The machine-readable side of a report: results.json and the CSV tables."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from sodiophile.quantity import Quantity
from sodiophile.report.text import json_ready
from sodiophile.study.outcome import Comparison, CoverageRow, JobOutcome, Outcome

FORMAT = "sodiophile-report"
FORMAT_VERSION = 1

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def job_status(job: JobOutcome) -> str:
    """Return how a job came by its result: measured, computed, compared, simulated or failed."""
    if job.result is None:
        return "failed"
    if job.result.simulated:
        return "simulated"
    return {
        "experiment": "measured",
        "calculation": "computed",
        "calibration": "simulated",
        "prediction": "simulated",
        "comparison": "compared",
    }[job.what]


def harmless(cell: str) -> str:
    """Return a text cell that no spreadsheet takes for a formula: one that could be gets an apostrophe in front.

    A text that is a number stays one.
    """
    stripped = cell.lstrip()
    if stripped[:1] in {"=", "+", "-", "@"} or cell[:1] in {"\t", "\r", "\n"}:
        return cell if _NUMBER.fullmatch(cell) else f"'{cell}"
    return cell


def write_csv(table: pl.DataFrame, path: Path) -> None:
    """Write a table as CSV that opens rightly in spreadsheets: UTF-8 with its mark, no formulas, nested cells as JSON."""
    columns = []
    for name in table.columns:
        column = table[name]
        if column.dtype.is_nested() or isinstance(column.dtype, pl.Object | pl.Binary):
            texts = [None if cell is None else json.dumps(json_ready(cell)) for cell in column.to_list()]
            column = pl.Series(name, texts, dtype=pl.String)
        elif isinstance(column.dtype, pl.Categorical | pl.Enum):
            column = column.cast(pl.String)
        if column.dtype == pl.String:
            safe = [None if cell is None else harmless(cell) for cell in column.to_list()]
            column = pl.Series(name, safe, dtype=pl.String)
        columns.append(column.alias(harmless(name)))
    pl.DataFrame(columns).write_csv(path, include_bom=True)


def quantities_table(jobs: Sequence[JobOutcome]) -> pl.DataFrame:
    """Return every quantity of every job, one a row."""
    rows = [
        {"job": job.name, "electrode": job.electrode, "kind": job.kind, "quantity": name, **_flat(quantity)}
        for job in jobs
        if job.result is not None
        for name, quantity in job.result.quantities.items()
    ]
    texts = dict.fromkeys(("job", "electrode", "kind", "quantity"), pl.String)
    return pl.DataFrame(rows, schema={**texts, **_FLAT})


_FLAT: dict[str, Any] = {
    "value": pl.Float64,
    "uncertainty": pl.Float64,
    "unit": pl.String,
    "bound": pl.String,
    "interval_low": pl.Float64,
    "interval_high": pl.Float64,
    "status": pl.String,
    "calibrated_to": pl.String,
    "definition": pl.String,
    "source": pl.String,
}


def _flat(quantity: Quantity) -> dict[str, Any]:
    low, high = quantity.interval or (None, None)
    return {
        "value": quantity.value,
        "uncertainty": quantity.uncertainty,
        "unit": quantity.unit,
        "bound": quantity.bound,
        "interval_low": low,
        "interval_high": high,
        "status": quantity.status,
        "calibrated_to": quantity.calibrated_to or None,
        "definition": quantity.definition,
        "source": quantity.source or None,
    }


def comparisons_table(comparisons: Sequence[Comparison]) -> pl.DataFrame:
    """Return every reported value beside ours, one a row, in the reported unit."""
    schema: dict[str, Any] = {
        "row": pl.Int64, "subject": pl.String, "electrode": pl.String, "quantity": pl.String, "where": pl.String,
        "unit": pl.String, "reported": pl.Float64, "reported_uncertainty": pl.Float64, "reported_bound": pl.String,
        "ours": pl.Float64, "ours_uncertainty": pl.Float64, "ours_status": pl.String, "difference": pl.Float64,
        "difference_uncertainty": pl.Float64, "sigmas": pl.Float64, "verdict": pl.String, "label": pl.String,
        "note": pl.String,
    }  # fmt: skip
    rows = []
    for one in comparisons:
        ours, difference = one.ours, one.difference
        rows.append(
            (
                one.row, one.subject, one.electrode, one.quantity, one.where, one.reported.unit, one.reported.value,
                one.reported.uncertainty, one.reported.bound, ours and ours.value, ours and ours.uncertainty,
                ours and ours.status, difference and difference.value, difference and difference.uncertainty, one.sigmas,
                one.verdict, one.label, one.note,
            )
        )  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def coverage_table(coverage: Sequence[CoverageRow]) -> pl.DataFrame:
    """Return the rows of the source and how far each is covered."""
    names = ("row", "title", "where", "status", "by", "note")
    schema: dict[str, Any] = {name: pl.Int64 if name == "row" else pl.String for name in names}
    rows = [(one.row, one.title, one.where, one.status, "; ".join(one.by), one.note) for one in coverage]
    return pl.DataFrame(rows, schema=schema, orient="row")


def as_json(outcome: Outcome, files: Sequence[dict[str, Any]]) -> str:
    """Return results.json: the whole outcome, each job with the object that ``--json`` prints and with its files.

    Parameters
    ----------
    outcome
        What the study found.
    files
        For each job, in order, the names of its figures, tables and attachments.
    """
    payload = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "study": {
            "name": outcome.study_name,
            "title": outcome.title,
            "description": outcome.description,
            "reference": outcome.reference,
        },
        "run": {
            "started": outcome.started,
            "seconds": outcome.seconds,
            "computed": outcome.computed,
            "reused": outcome.reused,
        },
        "warnings": outcome.warnings,
        "findings": outcome.findings,
        "jobs": [
            {
                "name": job.name,
                "what": job.what,
                "kind": job.kind,
                "kind_title": job.kind_title,
                "electrode": job.electrode,
                "status": job_status(job),
                "error": job.error,
                "key": job.key,
                "reused": job.reused,
                "recorded": job.recorded,
                "seconds": job.seconds,
                "result": None if job.result is None else job.result.to_dict(),
                "files": own,
            }
            for job, own in zip(outcome.jobs, files, strict=True)
        ],
        "comparisons": [
            {
                "row": one.row,
                "subject": one.subject,
                "electrode": one.electrode,
                "quantity": one.quantity,
                "where": one.where,
                "reported": one.reported.to_dict(),
                "ours": one.ours and one.ours.to_dict(),
                "difference": one.difference and one.difference.to_dict(),
                "sigmas": one.sigmas,
                "verdict": one.verdict,
                "label": one.label,
                "note": one.note,
            }
            for one in outcome.comparisons
        ],
        "coverage": [
            {"row": one.row, "title": one.title, "where": one.where, "status": one.status, "by": one.by, "note": one.note}
            for one in outcome.coverage
        ],
        "electrodes": outcome.electrodes,
        "inputs": outcome.inputs,
        "versions": outcome.versions,
        "study_file": outcome.study_file,
    }
    return json.dumps(json_ready(payload), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
