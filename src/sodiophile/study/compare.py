"""What we found beside what somebody reported: the difference, and in words what it means."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.study.outcome import Comparison, CoverageRow, CoverageStatus, JobOutcome

if TYPE_CHECKING:
    from sodiophile.result import Result
    from sodiophile.study.schema import Coverage, Reported

AGREES_WITHIN_SIGMAS = 2.0
"""Two values agree if they differ by no more than this many combined standard uncertainties."""

WEAK_UNCERTAINTY = 0.1
"""Where the combined uncertainty is a larger part of the value, agreement would say little: nothing is excluded."""


def compare(entry: Reported, jobs: Sequence[JobOutcome], electrodes: Mapping[str, Sequence[str]]) -> Comparison:
    """Return a reported value beside ours.

    Parameters
    ----------
    entry
        What the study says of the reported value.
    jobs
        What was found.
    electrodes
        Name of an experiment or calculation -> its electrodes, whether they ran or not.
    """
    reported = entry.as_quantity()
    own = list(electrodes.get(entry.subject or "", ()))
    electrode = entry.electrode or (own[0] if len(own) == 1 else "")
    job = next((job for job in jobs if job.name == entry.subject and job.electrode == electrode), None)
    ours: Quantity | None = None
    difference: Quantity | None = None
    sigmas: float | None = None
    if entry.subject is None or job is None:
        verdict = "not yet"
    elif job.result is None:
        verdict = f"not yet: {job.what} failed: {job.error}"
    elif entry.quantity not in job.result.quantities:
        verdict = f"cannot be compared: {_absent(entry.quantity, job.result)}"
    else:
        found = job.result.quantities[entry.quantity]
        try:
            ours = found.to(reported.unit)
        except InputError:
            verdict = f"cannot be compared: ours is {found}, reported in {reported.unit}"
        else:
            difference, sigmas = _difference(ours, reported)
            verdict = judge(ours, reported, entry.half_digit)
    return Comparison(
        reported=reported,
        where=entry.where,
        subject=entry.subject or f"row {entry.row}",
        electrode=electrode,
        quantity=entry.quantity,
        ours=ours,
        difference=difference,
        sigmas=sigmas,
        verdict=verdict,
        row=entry.row,
        note=entry.note,
        printed=entry.digits,
    )


def _absent(name: str, result: Result) -> str:
    """Return why the result has no such quantity: it may have an answer in words instead."""
    answers = [f"{key}: {verdict.answer}" for key, verdict in result.verdicts.items()]
    near = difflib.get_close_matches(name, result.quantities, n=1, cutoff=0.6)
    known = ", ".join(result.quantities) or "no quantity at all"
    hint = f"did you mean {near[0]!r}? " if near else ""
    text = f"the result has no {name!r}; {hint}it has {known}"
    return f"{text} ({'; '.join(answers)})" if answers else text


def _difference(ours: Quantity, reported: Quantity) -> tuple[Quantity, float | None]:
    known = [one.uncertainty for one in (ours, reported) if one.uncertainty is not None]
    combined = math.hypot(*known) if known else None
    value = ours.value - reported.value
    difference = Quantity(
        value,
        reported.unit,
        combined,
        "ours minus reported",
        ours.status,
        calibrated_to=ours.calibrated_to,
    )
    bounded = ours.bound is not None or reported.bound is not None
    return difference, None if bounded or not combined else value / combined


def judge(ours: Quantity, reported: Quantity, half_digit: float = 0.0) -> str:
    """Say what ours means for the reported value.

    Parameters
    ----------
    ours, reported
        In the same unit.
    half_digit
        Half a unit in the last digit printed.
    """
    if reported.bound is not None:
        return _against_bound(ours, reported)
    if ours.bound is not None:
        return _bound_against_value(ours, reported)
    value = ours.value - reported.value
    if ours.interval is not None and ours.interval[0] <= reported.value <= ours.interval[1]:
        low, high = ours.interval
        return f"agrees: reported lies within our interval, {low:.4g} to {high:.4g} {_unit(ours)}".rstrip()
    known = [one.uncertainty for one in (ours, reported) if one.uncertainty]
    size = signed(value, reported)
    if not known:
        if abs(value) <= half_digit * (1 + 1e-9):
            return "agrees to the digits printed"
        return f"differs by {size}; no uncertainty is known that would tell whether this matters"
    sigmas = value / math.hypot(*known)
    one_sided = "" if len(known) == 2 else f", from {'our' if ours.uncertainty else 'the reported'} uncertainty alone"
    if abs(sigmas) <= AGREES_WITHIN_SIGMAS:
        part = math.hypot(*known) / max(abs(ours.value), abs(reported.value), math.ulp(0.0))
        if part > WEAK_UNCERTAINTY:
            return f"not excluded: {size} ({abs(sigmas):.1f} sigma{one_sided}), but the uncertainty is {100 * part:.0f} %"
        return f"agrees: {size} ({abs(sigmas):.1f} sigma{one_sided})"
    if abs(value) <= half_digit * (1 + 1e-9):
        return "agrees to the digits printed"
    return f"disagrees by {size} ({abs(sigmas):.1f} sigma{one_sided})"


def _against_bound(ours: Quantity, reported: Quantity) -> str:
    """Judge where the reported value only bounds the truth: it lies above (lower) or below (upper)."""
    sign = 1.0 if reported.bound == "lower" else -1.0
    beyond = sign * (ours.value - reported.value)
    side, other = ("above", "below") if sign > 0 else ("below", "above")
    # how far ours may be on the other side and still not contradict
    slack = AGREES_WITHIN_SIGMAS * (ours.uncertainty or 0.0)
    text = f"the reported {reported.bound} bound {_plain(reported)}"
    if ours.bound is None:
        if beyond >= 0:
            return f"agrees: ours lies {side} {text}"
        if ours.interval is not None and ours.interval[0] <= reported.value <= ours.interval[1]:
            return f"agrees: {text} lies within our interval"
        if -beyond <= slack:
            return f"agrees within {AGREES_WITHIN_SIGMAS:g} sigma with {text}"
        return f"disagrees: ours lies {other} {text} by {_plain(reported, -beyond)}"
    if ours.bound == reported.bound:
        if beyond >= 0:
            return f"agrees: both are {ours.bound} bounds, and ours already lies {side} {text}"
        return f"cannot be told: ours is a {ours.bound} bound too, and ends before {text}"
    if beyond < 0:
        return f"disagrees: ours, {ours}, and the reported bound, {reported}, exclude each other"
    return f"cannot be told: ours, {ours}, and the reported bound, {reported}, leave room for each other"


def _bound_against_value(ours: Quantity, reported: Quantity) -> str:
    """Judge where only ours bounds the truth: our test ended before it could tell, say."""
    sign = 1.0 if ours.bound == "lower" else -1.0
    beyond = sign * (ours.value - reported.value)
    slack = AGREES_WITHIN_SIGMAS * math.hypot(ours.uncertainty or 0.0, reported.uncertainty or 0.0)
    if beyond > slack:
        more = "more" if sign > 0 else "less"
        return f"disagrees: ours is {more} than {_plain(ours)}, reported {_plain(reported)}"
    reason = "ours is only a lower bound, and lies below" if sign > 0 else "ours is only an upper bound, and lies above"
    return f"cannot be told: {reason} the reported {_plain(reported)}"


def _unit(quantity: Quantity) -> str:
    return "" if quantity.unit == "1" else quantity.unit


def _plain(quantity: Quantity, value: float | None = None) -> str:
    return f"{quantity.value if value is None else value:.4g} {_unit(quantity)}".rstrip()


def signed(value: float, reported: Quantity) -> str:
    """Return a difference in the unit of the reported value and in percent of it."""
    percent = f", {100 * value / abs(reported.value):+.2g} %" if reported.value else ""
    return f"{value:+.3g} {_unit(reported)}".rstrip() + percent


def orders(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Say whether several values of one kind stand in the reported order: sites by energy, rates by capacity.

    A family are the quantities of one result that share the name before the colon; at least three of them must have both
    values, and none be a bound.
    """
    families: dict[tuple[str, str, str], list[tuple[str, float, float]]] = {}
    for one in comparisons:
        family, colon, member = one.quantity.partition(":")
        if colon and one.ours is not None and one.ours.bound is None and one.reported.bound is None:
            entry = (member, one.reported.value, one.ours.value)
            families.setdefault((one.subject, one.electrode, family), []).append(entry)
    sentences = []
    for (subject, electrode, family), members in families.items():
        if len(members) < 3:
            continue
        pairs = [(a, b) for i, a in enumerate(members) for b in members[i + 1 :]]
        same = sum((a[1] - b[1]) * (a[2] - b[2]) > 0 for a, b in pairs)
        by_reported = " < ".join(entry[0] for entry in sorted(members, key=lambda entry: entry[1]))
        by_ours = " < ".join(entry[0] for entry in sorted(members, key=lambda entry: entry[2]))
        verdict = "the same order" if same == len(pairs) else f"{same} of {len(pairs)} pairs stand in the same order"
        sentences.append(
            f"By {family.replace('_', ' ')} ({subject}, {electrode}) the reported order is {by_reported}, "
            f"ours is {by_ours}: {verdict}."
        )
    return tuple(sentences)


def cover(row: Coverage, jobs: Sequence[JobOutcome]) -> CoverageRow:
    """Return how far a row of the source is covered, from what ran alone."""
    found: dict[CoverageStatus, list[str]] = {}
    ran = {job.name for job in jobs}
    for job in jobs:
        if job.name in row.by:
            found.setdefault(_status(job), []).append(job.title)
    for name in row.by:
        if name not in ran:
            found.setdefault("not yet", []).append(name)
    ranked: tuple[CoverageStatus, ...] = ("measured", "computed", "simulated", "failed", "not yet")
    status: CoverageStatus = next((one for one in ranked if one in found), "not yet")
    notes = [row.note] if row.note else []
    if len(found) > 1:
        notes.append("; ".join(f"{one}: {', '.join(found[one])}" for one in ranked if one in found))
    return CoverageRow(row.row, row.title, row.where, status, tuple(row.by), ". ".join(notes))


def _status(job: JobOutcome) -> CoverageStatus:
    if job.result is None:
        return "failed"
    if job.result.simulated:
        return "simulated"
    return "computed" if job.what == "calculation" else "measured"
