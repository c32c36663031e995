"""What a reader wants first: the outcome in sentences, the headline numbers, the counts of the coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from sodiophile.quantity import Quantity
from sodiophile.report.tables import job_status
from sodiophile.report.text import joined, plural, quantity_text, words
from sodiophile.study.outcome import Comparison, CoverageStatus, Outcome

COVERAGE_STATUSES: tuple[CoverageStatus, ...] = get_args(CoverageStatus)

_MOST_HEADLINES = 24


def manner(verdict: str) -> str:
    """Return what a verdict says: agree, disagree, differ, open, missing, incomparable or other."""
    start = verdict.strip().lower()
    for beginning, name in (
        ("agree", "agree"),
        ("disagree", "disagree"),
        ("not yet", "missing"),
        ("differ", "differ"),
        ("cannot", "incomparable"),
        ("not excluded", "open"),
    ):
        if start.startswith(beginning):
            return name
    return "other"


@dataclass(frozen=True)
class HeadlineRow:
    """One line of the headline table: a quantity of ours, beside the reported value where there is one."""

    title: str
    electrode: str
    quantity: str
    ours: Quantity
    comparison: Comparison | None
    anchor: str | None


def headline(outcome: Outcome, anchors: Mapping[tuple[str, str], str]) -> list[HeadlineRow]:
    """Return the numbers a co-author wants first: all that stand beside a reported value, and the first of every other job.

    Parameters
    ----------
    outcome
        What the study found.
    anchors
        (name, electrode) of a job -> its anchor in the page.
    """
    rows = [
        HeadlineRow(one.subject, one.electrode, one.quantity, one.ours, one, anchors.get((one.subject, one.electrode)))
        for one in outcome.comparisons
        if one.ours is not None
    ]
    compared = {(row.title, row.electrode) for row in rows}
    for job in outcome.jobs:
        if job.result is None or not job.result.quantities or (job.name, job.electrode) in compared:
            continue
        name, quantity = next(iter(job.result.quantities.items()))
        anchor = anchors.get((job.name, job.electrode))
        rows.append(HeadlineRow(job.name, job.electrode, name, quantity, None, anchor))
    return rows[:_MOST_HEADLINES]


def coverage_counts(outcome: Outcome) -> list[tuple[CoverageStatus, int]]:
    """Return how many rows of the source have each status, zeros included."""
    counts = Counter(row.status for row in outcome.coverage)
    return [(status, counts[status]) for status in COVERAGE_STATUSES]


def sentences(outcome: Outcome) -> list[str]:
    """Return the outcome in words, honest about what failed and what is missing."""
    found = (_jobs(outcome), _comparisons(outcome), _furthest(outcome), _coverage(outcome))
    return [sentence for sentence in found if sentence]


def _jobs(outcome: Outcome) -> str:
    if not outcome.jobs:
        return "This study has no experiment and no calculation."
    counts = Counter(job_status(job) for job in outcome.jobs)
    kinds = {
        "measured": "analyzed from measured files",
        "computed": "computed from structures",
        "simulated": "simulated by virtual instruments",
        "compared": "drawn from the others by comparison",
        "failed": "failed",
    }
    parts = [f"{counts[status]} {phrase}" for status, phrase in kinds.items() if counts[status]]
    return f"{plural(len(outcome.jobs), 'result').capitalize()}: {joined(parts)}."


def _comparisons(outcome: Outcome) -> str:
    if not outcome.comparisons:
        return ""
    counts = Counter(manner(one.verdict) for one in outcome.comparisons)
    phrases = {
        "agree": ("agrees with ours", "agree with ours"),
        "open": (
            "is not excluded, within an uncertainty too large to tell",
            "are not excluded, within an uncertainty too large to tell",
        ),
        "disagree": ("disagrees", "disagree"),
        "differ": ("differs, with no uncertainty known to weigh it", "differ, with no uncertainty known to weigh them"),
        "other": ("is judged in words below", "are judged in words below"),
        "incomparable": ("cannot be compared", "cannot be compared"),
        "missing": ("has nothing of ours beside it yet", "have nothing of ours beside them yet"),
    }
    parts = [f"{counts[name]} {phrase[counts[name] > 1]}" for name, phrase in phrases.items() if counts[name]]
    return f"Of {plural(len(outcome.comparisons), 'reported value')}, {joined(parts)}."


def _furthest(outcome: Outcome) -> str:
    """Name the largest disagreement: by sigmas where they are known, else by the relative difference."""
    found = [one for one in outcome.comparisons if manner(one.verdict) == "disagree" and one.ours and one.difference]
    if not found:
        return ""

    def size(one: Comparison) -> tuple[bool, float]:
        relative = abs(one.difference.value / one.reported.value) if one.difference and one.reported.value else 0.0
        return (one.sigmas is not None, abs(one.sigmas) if one.sigmas is not None else relative)

    worst = max(found, key=size)
    if worst.ours is None or worst.difference is None:
        return ""
    reported = quantity_text(worst.reported, digits=worst.printed)
    return (
        f"The largest disagreement is the {words(worst.quantity)} of {worst.electrode} ({worst.subject}): "
        f"{quantity_text(worst.ours)}, {worst.ours.status}, against {reported} reported."
    )


def _coverage(outcome: Outcome) -> str:
    if not outcome.coverage:
        return ""
    parts = [f"{count} {status}" for status, count in coverage_counts(outcome) if count]
    return f"The source's {plural(len(outcome.coverage), 'row')}: {joined(parts)}."
