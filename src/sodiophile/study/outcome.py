"""What came out of a study: the contract between running it and reporting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sodiophile.quantity import Quantity
from sodiophile.result import Result

CoverageStatus = Literal["measured", "computed", "simulated", "failed", "not yet"]


@dataclass(frozen=True)
class JobOutcome:
    """One experiment or calculation on one electrode.

    Parameters
    ----------
    name
        As named in the study: "Na on VN(001)".
    what
        ``experiment``, ``calculation``, ``calibration`` or ``prediction``, or ``comparison`` for what sets the results of
        others side by side.
    kind, kind_title
        The kind and its name in words.
    electrode
        The electrode's name in the study.
    result
        What was found; None if the job failed.
    error
        One line if the job failed.
    key
        Of its last task in the store.
    reused
        True if nothing had to be computed.
    seconds
        Work done for it in this run, summed over its tasks.
    recorded
        When the work was done, if it was put together from the record beside the study; empty otherwise.
    """

    name: str
    what: Literal["experiment", "calculation", "calibration", "prediction", "comparison"]
    kind: str
    kind_title: str
    electrode: str
    result: Result | None
    error: str | None = None
    key: str = ""
    reused: bool = False
    seconds: float = 0.0
    recorded: str = ""

    @property
    def title(self) -> str:
        """Name and electrode, as a heading."""
        return f"{self.name}: {self.electrode}"


@dataclass(frozen=True)
class Comparison:
    """A value somebody reported beside ours.

    Parameters
    ----------
    reported
        The value as printed (status ``reported``; its `Quantity.bound` where it bounds).
    where
        Where it is printed: "Fig. 2a".
    subject
        The experiment or calculation, or the coverage row, that it belongs to.
    electrode, quantity
        Which electrode and which quantity of the result.
    ours
        Our quantity in the reported unit; None where there is none (yet).
    difference
        Ours minus reported, in the reported unit; None without ours.
    sigmas
        Difference over the combined standard uncertainty; None where neither has one.
    verdict
        In words: "agrees", "disagrees by ...", "not yet", "cannot be compared: ...".
    row
        The row of the coverage table, where given.
    note
        The study's own remark.
    printed
        The number of the reported value with the digits that were printed: "-2.50" is not "-2.5".
    label
        Beside a simulation: whether the value was put in, calibrated to, is predicted or contradicted, with the interval.
    """

    reported: Quantity
    where: str
    subject: str
    electrode: str
    quantity: str
    ours: Quantity | None
    difference: Quantity | None
    sigmas: float | None
    verdict: str
    row: int | None = None
    note: str = ""
    printed: str = ""
    label: str = ""


@dataclass(frozen=True)
class CoverageRow:
    """One row of what the source reports, and how far this study covers it."""

    row: int
    title: str
    where: str
    status: CoverageStatus
    by: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Outcome:
    """All of a study's outcome.

    Parameters
    ----------
    title, description, reference
        From the study file; `reference` is the source whose values are compared with.
    study_file
        The TOML text as run; it goes into the report.
    jobs, comparisons, coverage
        What was found.
    electrodes
        Electrode name -> what the study says of it, as text by key.
    versions
        Package -> version of everything that took part.
    inputs
        Files used, as dictionaries with name, sha256, size.
    started
        UTC, ISO 8601.
    seconds
        Wall time of the run.
    computed, reused
        Number of tasks done now and found in the store.
    findings
        What the reported values and ours say together that no single comparison shows, one sentence each.
    """

    title: str
    description: str
    reference: str
    study_name: str
    study_file: str
    jobs: tuple[JobOutcome, ...]
    comparisons: tuple[Comparison, ...]
    coverage: tuple[CoverageRow, ...]
    electrodes: Mapping[str, Mapping[str, str]]
    versions: Mapping[str, str]
    inputs: tuple[Mapping[str, Any], ...]
    started: str
    seconds: float
    computed: int
    reused: int
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    store: Path | None = None
