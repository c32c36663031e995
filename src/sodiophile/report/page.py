"""The page: an outcome and its parts in, one HTML text out, which needs nothing else and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sodiophile._version import __version__
from sodiophile.quantity import Quantity
from sodiophile.report import text
from sodiophile.report.parts import Parts
from sodiophile.report.structures import flat
from sodiophile.report.summary import (
    coverage_counts,
    headline,
    manner,
    sentences,
)
from sodiophile.report.tables import job_status
from sodiophile.study.outcome import Comparison, JobOutcome, Outcome

_HERE = Path(__file__).parent
_ROWS_ON_PAGE = 12
_LONGEST_CELL = 160


@lru_cache(maxsize=8)
def _asset(name: str) -> Markup:
    """Return a file of ours that is inlined as it is."""
    content = (_HERE / "assets" / name).read_text(encoding="utf-8")
    return Markup(content)  # noqa: S704 a file of this package


def _hash_source(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _policy(scripts: Sequence[str], style: str) -> str:
    """Return a policy by which only our own scripts and style run, and nothing can be fetched from anywhere."""
    allowed = " ".join(_hash_source(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def render(outcome: Outcome, parts: Sequence[Parts]) -> str:
    """Return the page of a study's outcome.

    Parameters
    ----------
    outcome
        What the study found.
    parts
        What was made of each of its jobs, in their order.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "words": text.words,
        "quantity": text.quantity_text,
        "interval": text.interval_text,
        "duration": text.duration_text,
        "size": text.size_text,
        "links": text.with_links,
        "plural": text.plural,
        "start": text.start,
        "manner": manner,
        "sigmas": _sigmas_text,
        "flat": flat,
    }
    # a page without structures carries no viewer
    shown = any(one.structures for one in parts)
    scripts = [_asset("3Dmol-min.js"), _asset("report.js")] if shown else [_asset("report.js")]
    style = _asset("report.css")
    jobs = [
        _job(number, job, own, outcome.comparisons)
        for number, (job, own) in enumerate(zip(outcome.jobs, parts, strict=True), start=1)
    ]
    anchors = {(job.name, job.electrode): _anchor(own) for job, own in zip(outcome.jobs, parts, strict=True)}
    return environment.get_template("report.html.j2").render(
        outcome=outcome,
        version=__version__,
        policy=_policy(scripts, style),
        scripts=scripts,
        style=style,
        sentences=sentences(outcome),
        headline=headline(outcome, anchors),
        counts=coverage_counts(outcome),
        strip=[status for status, count in coverage_counts(outcome) for _ in range(count)],
        shares=_shares(outcome),
        comparisons=[(one, anchors.get((one.subject, one.electrode))) for one in outcome.comparisons],
        jobs=jobs,
        failed=[job for job in jobs if job["status"] == "failed"],
        started=_date_text(outcome.started),
    )


def _anchor(parts: Parts) -> str:
    return f"result-{parts.stem}"


def _date_text(started: str) -> str:
    return started.replace("T", " ").partition(".")[0].partition("+")[0].removesuffix("Z") + " UTC"


def _shares(outcome: Outcome) -> list[tuple[str, int]]:
    """Return how many jobs were measured, computed, simulated, failed; those that occur."""
    counts = Counter(job_status(job) for job in outcome.jobs)
    return [
        (status, counts[status]) for status in ("measured", "computed", "simulated", "compared", "failed") if counts[status]
    ]


def _sigmas_text(sigmas: float | None) -> str:
    if sigmas is None:
        return ""
    return f"{abs(sigmas):.1f}\N{NO-BREAK SPACE}σ" if abs(sigmas) < 100 else ">\N{NO-BREAK SPACE}100\N{NO-BREAK SPACE}σ"


def _job(number: int, job: JobOutcome, parts: Parts, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return what the template shows of a job."""
    status = job_status(job)
    view: dict[str, Any] = {"number": number, "job": job, "status": status, "parts": parts, "anchor": _anchor(parts)}
    if job.result is None:
        return view
    own = [one for one in comparisons if (one.subject, one.electrode) == (job.name, job.electrode)]
    rows: list[tuple[str, Quantity, list[Comparison]]] = [
        (name, quantity, [one for one in own if one.quantity == name]) for name, quantity in job.result.quantities.items()
    ]
    alt = f"{job.kind_title}, {job.title}" + (" (simulated)" if job.result.simulated else "")
    return view | {
        "figure": None if parts.figure is None else parts.figure.inline(f"f{number}-", alt),
        "quantities": rows,
        "compared": any(found for _, _, found in rows),
        "missed": [one for one in own if one.quantity not in job.result.quantities],
        "tables": [
            _table(name, table, (parts.table_files or {}).get(name, "")) for name, table in job.result.tables.items()
        ],
        "structures": [(_short(one.name, job.name), one) for one in parts.structures],
        # a clean surface says less than one with something on it
        "chosen": next((number for number, one in enumerate(parts.structures) if one.adsorbed.any()), 0),
        "viewer": text.json_in_page([one.for_viewer() for one in parts.structures]),
        "legend": _legend(parts),
        "inputs": json.dumps(text.json_ready(job.result.inputs), indent=2, ensure_ascii=False),
    }


def _short(name: str, job: str) -> str:
    """Return the name of a structure without that of its job in front."""
    return name.removeprefix(job).lstrip(" ,:;") or name


def _legend(parts: Parts) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {kind["label"]: kind for one in parts.structures for kind in one.kinds()}
    for surface in (surface for one in parts.structures for surface in one.surfaces):
        kinds[surface.label] = {"label": surface.label, "colour": surface.colour}
    return list(kinds.values())


def _table(name: str, table: pl.DataFrame, file: str) -> dict[str, Any]:
    head = table.head(_ROWS_ON_PAGE if table.height > _ROWS_ON_PAGE + 4 else table.height)
    return {
        "name": name,
        "file": file,
        "columns": [(column, *text.column_words(column), table[column].dtype.is_numeric()) for column in table.columns],
        "rows": [[_cell(cell) for cell in row] for row in head.iter_rows()],
        "height": table.height,
        "shown": head.height,
    }


def _cell(cell: object) -> str:
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.5g}".replace("-", "\N{MINUS SIGN}")
    if isinstance(cell, int):
        return str(cell).replace("-", "\N{MINUS SIGN}")
    words = str(cell)
    return words if len(words) <= _LONGEST_CELL else f"{words[: _LONGEST_CELL - 1]}…"
