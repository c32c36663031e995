"""Which of our calculations explains reported adsorption energies best: facet, termination, coverage, engine, reference.

Papers often print a row of adsorption energies and leave out facet, coverage or reference. Every adsorption calculation of
the study on the same electrode is tried against the row, with bulk metal and with the free atom as reference: how far it
is off, how far once an offset common to all sites is taken out (a wrong reference or a functional's error is mostly that),
and how many pairs of sites stand in the reported order. Nothing is fitted.

Where the facet is not known, neither is what a paper calls "hollow" or "bridge" there: on a surface without a site of that
name the lowest of its kind stands in, and the table says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt
from typing import Any

import polars as pl

from sodiophile.atomistic.dft_points import coverage_of
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict
from sodiophile.study.explanations_figure import draw
from sodiophile.study.outcome import Comparison, JobOutcome

KIND = "explanations"
_REFERENCES = {"adsorption_energy_vs_bulk": "bulk metal", "adsorption_energy_vs_atom": "free atom"}
# Of one site nothing can be said but the difference; an order needs more.
_FEWEST_TO_ORDER = 3
# What sites of different surfaces have in common; a top site is that of its atom.
_KINDS = ("hollow", "bridge")


@dataclass(frozen=True)
class Candidate:
    """One calculation, termination and reference beside a row of reported energies.

    Attributes
    ----------
    electrode, calculation, termination, reference, engine, coverage
        What was computed; an empty termination where the surface has one only.
    sites
        Site -> (reported, ours), eV, of those that both have.
    missing
        Sites that were reported and that this surface does not have.
    uncertainty_eV
        Of ours; None where none is known.
    stand_ins
        Reported site -> the site of this surface that stands for it under another name.
    """

    electrode: str
    calculation: str
    termination: str
    reference: str
    engine: str
    coverage: str
    sites: dict[str, tuple[float, float]]
    missing: tuple[str, ...]
    uncertainty_eV: float | None
    stand_ins: dict[str, str] = field(default_factory=dict)

    @property
    def differences_eV(self) -> list[float]:
        """Ours minus reported."""
        return [ours - reported for reported, ours in self.sites.values()]

    @property
    def rms_eV(self) -> float:
        """Root mean square of the differences."""
        return sqrt(sum(x * x for x in self.differences_eV) / len(self.sites))

    @property
    def offset_eV(self) -> float:
        """Their mean: what is common to all sites."""
        return sum(self.differences_eV) / len(self.sites)

    @property
    def scatter_eV(self) -> float | None:
        """Their root mean square about the mean; None for one site."""
        if len(self.sites) < 2:
            return None
        return sqrt(sum((x - self.offset_eV) ** 2 for x in self.differences_eV) / len(self.sites))

    @property
    def pairs(self) -> tuple[int, int]:
        """How many pairs of sites stand in the reported order, and how many there are."""
        values = list(self.sites.values())
        right = sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in combinations(values, 2))
        return right, len(values) * (len(values) - 1) // 2

    @property
    def name(self) -> str:
        """What was computed, in words."""
        where = f", {self.termination}" if self.termination else ""
        return f"{self.calculation}{where} ({self.engine}), against {self.reference}"

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table."""
        right, pairs = self.pairs
        return {
            "electrode": self.electrode,
            "calculation": self.calculation,
            "termination": self.termination,
            "engine": self.engine,
            "coverage": self.coverage,
            "reference": self.reference,
            "sites": len(self.sites),
            "sites_missing": ", ".join(self.missing),
            "stand_ins": ", ".join(f"{ours} for {site}" for site, ours in self.stand_ins.items()),
            "rms_eV": self.rms_eV,
            "offset_eV": self.offset_eV,
            "scatter_eV": self.scatter_eV,
            "pairs_in_order": right,
            "pairs": pairs,
            "uncertainty_eV": self.uncertainty_eV,
        }


def explanations(comparisons: Sequence[Comparison], jobs: Sequence[JobOutcome]) -> Result | None:
    """Try every adsorption calculation against the reported energies of its electrode.

    Parameters
    ----------
    comparisons
        Of the study; those of adsorption energies are used, each site of an electrode once.
    jobs
        What was found.

    Returns
    -------
    Result or None
        None where nothing was reported, or nothing computed that could explain it.
    """
    found: list[Candidate] = []
    verdicts: dict[str, Verdict] = {}
    for electrode, reported in _reported(comparisons).items():
        tried = [one for job in jobs if job.electrode == electrode for one in _candidates(job, reported)]
        if tried:
            tried.sort(key=lambda one: (-len(one.sites), one.rms_eV))
            found += tried
            verdicts[f"reported energies of {electrode}"] = _verdict(tried, reported)
    if not found:
        return None
    table = pl.DataFrame([one.row() for one in found], infer_schema_length=None)
    sites = pl.DataFrame(
        [
            {"electrode": one.electrode, "candidate": one.name, "site": site, "reported_eV": reported, "ours_eV": ours}
            for one in found
            for site, (reported, ours) in one.sites.items()
        ]
    )
    return Result(KIND, {"tried": len(found)}, {}, verdicts, tables={"candidates": table, "sites": sites}, drawer=draw)


def findings(explained: Result | None) -> tuple[str, ...]:
    """Return one sentence for each electrode."""
    verdicts = explained.verdicts if explained is not None else {}
    return tuple(f"Adsorption, {about}: {verdict.answer}." for about, verdict in verdicts.items())


def _reported(comparisons: Sequence[Comparison]) -> dict[str, dict[str, float]]:
    """Return electrode -> site -> reported energy (eV), each site once, without bounds."""
    found: dict[str, dict[str, float]] = {}
    for one in comparisons:
        family, _, site = one.quantity.partition(":")
        if family in _REFERENCES and site and one.reported.bound is None:
            found.setdefault(one.electrode, {}).setdefault(site, one.reported.to("eV").value)
    return found


def _candidates(job: JobOutcome, reported: dict[str, float]) -> list[Candidate]:
    """Return a job beside reported energies, once for each termination and reference."""
    if job.kind != "adsorption" or job.result is None:
        return []
    found = []
    about = job.result.inputs
    terminations = list(about.get("terminations", []))
    several = len(terminations) > 1
    for termination in terminations or [""]:
        prefix = f"{termination}-terminated, " if several else ""
        for family, reference in _REFERENCES.items():
            beginning = f"{family}:{prefix}"
            here = {
                name.removeprefix(beginning): one
                for name, one in job.result.quantities.items()
                if name.startswith(beginning)
            }
            ours = {site: name for site in reported if (name := _same_site(site, here, reported))}
            if ours:
                label = f"{termination}-terminated" if several else ""
                found.append(
                    _candidate(job, label, reference, {site: here[name] for site, name in ours.items()}, reported, ours)
                )
    return found


def _same_site(site: str, here: dict[str, Quantity], reported: dict[str, float]) -> str | None:
    """Return the label that a reported site has on a surface, or the lowest of its kind that was not reported itself."""
    if site in here:
        return site
    kind = next((one for one in _KINDS if site.endswith(one)), None)
    alike = [name for name in here if kind and kind in name and name not in reported]
    return min(alike, key=lambda name: here[name].value, default=None)


def _candidate(
    job: JobOutcome,
    termination: str,
    reference: str,
    ours: dict[str, Quantity],
    reported: dict[str, float],
    labels: dict[str, str],
) -> Candidate:
    assert job.result is not None  # noqa: S101  of a finished job
    about = job.result.inputs
    errors = [one.uncertainty for one in ours.values() if one.uncertainty is not None]
    first, _, second = str(about.get("supercell", "1x1")).partition("x")
    return Candidate(
        electrode=job.electrode,
        calculation=job.name,
        termination=termination,
        reference=reference,
        engine=str(about.get("engine", {}).get("engine", "")),
        coverage=f"{coverage_of(int(first) * int(second or 1))} monolayer",
        sites={site: (reported[site], quantity.value) for site, quantity in ours.items()},
        missing=tuple(site for site in reported if site not in ours),
        uncertainty_eV=max(errors) if errors else None,
        stand_ins={site: name for site, name in labels.items() if name != site},
    )


def _verdict(tried: Sequence[Candidate], reported: dict[str, float]) -> Verdict:
    """Say which candidate is nearest, and whether any has the reported order."""
    enough = min(len(reported), _FEWEST_TO_ORDER)
    whole = [one for one in tried if len(one.sites) >= enough] or list(tried)
    best = min(whole, key=lambda one: one.rms_eV)
    evidence = [_sentence(one) for one in sorted(whole, key=lambda one: one.rms_eV)[:6]]
    if len(whole) < len(tried):
        evidence.append(f"{len(tried) - len(whole)} more have too few of the reported sites (see the table)")
    if len(reported) < _FEWEST_TO_ORDER:
        return Verdict(f"nearest: {best.name}, off by {best.offset_eV:+.2f} eV", tuple(evidence))
    lowest = min(reported, key=lambda site: reported[site])
    in_order = [one for one in whole if one.pairs[0] == one.pairs[1] and not one.missing]
    if in_order:
        closest = min(in_order, key=lambda one: one.rms_eV)
        return Verdict(f"the reported order is that of {closest.name}, rms {closest.rms_eV:.2f} eV", tuple(evidence))
    most = max(whole, key=lambda one: (one.pairs[0] / one.pairs[1], -one.rms_eV))
    same = [one for one in whole if min(one.sites, key=lambda site: one.sites[site][1]) == lowest]
    evidence.append(
        f"the most stable site reported, {lowest}, is that of {', '.join(one.name for one in same)}"
        if same
        else f"in none is the most stable site the reported one, {lowest}"
    )
    evidence.append(f"most pairs in order: {most.pairs[0]} of {most.pairs[1]}, {most.name}")
    return Verdict(
        f"none of {len(whole)} tried has the reported order; nearest in value: {best.name}, rms {best.rms_eV:.2f} eV",
        tuple(evidence),
    )


def _sentence(one: Candidate) -> str:
    right, pairs = one.pairs
    text = f"{one.name}: rms {one.rms_eV:.2f} eV, offset {one.offset_eV:+.2f} eV"
    if one.missing:
        text += f", without {', '.join(one.missing)}"
    if one.scatter_eV is not None:
        text += f", {one.scatter_eV:.2f} eV about it, {right} of {pairs} pairs in order"
    return text
