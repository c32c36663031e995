"""What a study knows of each electrode, as facts that can be set against each other: found here, or reported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.study.outcome import JobOutcome

if TYPE_CHECKING:
    from sodiophile.study.load import Study
    from sodiophile.study.schema import Reported

Source = Literal["this study", "reported"]

ROOM_TEMPERATURE_K = 298.15
"""Assumed, and said so, where nobody states a temperature."""

_SAME_TEMPERATURE_K = 2.0


@dataclass(frozen=True)
class Fact:
    """One number, whose it is, and the conditions that it holds for.

    Parameters
    ----------
    source
        Whether this study found it or somebody reported it.
    electrode, subject
        Of which electrode, and from which experiment or place.
    kind
        The kind of experiment; empty for a reported value without one.
    name, quantity
        The quantity by its name in a result.
    protocol
        What was set, by the names of the protocol's fields: ``current_density_mA_cm2``, ``temperature_K``.
    """

    source: Source
    electrode: str
    subject: str
    kind: str
    name: str
    quantity: Quantity
    protocol: Mapping[str, Any]

    def number(self, unit: str) -> float | None:
        """Return the value in `unit`; None if it is of another dimension."""
        try:
            return self.quantity.to(unit).value
        except InputError:
            return None

    @property
    def relative_uncertainty(self) -> float | None:
        """Standard uncertainty over value; None where it is not known."""
        if not self.quantity.uncertainty or not self.quantity.value:
            return None
        return abs(self.quantity.uncertainty / self.quantity.value)

    @property
    def where(self) -> str:
        """The fact in words: name, value, origin."""
        return f"{self.name.replace('_', ' ')} {self.quantity} ({self.subject})"

    def setting(self, name: str) -> float | None:
        """Return what was set, by the field's name; None if nobody said."""
        value = self.protocol.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def facts_of(jobs: Sequence[JobOutcome], reported: Sequence[Reported] = (), study: Study | None = None) -> list[Fact]:
    """Gather the facts of a study.

    Parameters
    ----------
    jobs
        What was found.
    reported
        What somebody printed; only what the study states of its conditions is taken for known.
    study
        Whose experiments say under which conditions a reported value was found.
    """
    found = [
        Fact("this study", job.electrode, job.name, job.kind, name, quantity, _protocol(job))
        for job in jobs
        if job.result is not None and job.what == "experiment"
        for name, quantity in job.result.quantities.items()
    ]
    for entry in reported:
        model = _model(entry, study)
        electrode = entry.electrode or _only_electrode(entry, study)
        if not electrode:
            continue
        protocol = dict(model.model_dump(mode="json")) if model is not None else {}
        for key in ("current_density_mA_cm2", "temperature_K"):
            if getattr(entry, key) is not None:
                protocol[key] = getattr(entry, key)
        kind = next((job.kind for job in study.jobs if job.name == entry.subject), "") if study is not None else ""
        place = entry.where or entry.subject or f"row {entry.row}"
        found.append(Fact("reported", electrode, place, kind, entry.quantity, entry.as_quantity(), protocol))
    return found


def _protocol(job: JobOutcome) -> Mapping[str, Any]:
    protocol = job.result.inputs.get("protocol") if job.result is not None else None
    return protocol if isinstance(protocol, Mapping) else {}


def _model(entry: Reported, study: Study | None) -> Any:
    if study is None or entry.subject is None:
        return None
    return next((job.model for job in study.jobs if job.name == entry.subject and job.what == "experiment"), None)


def _only_electrode(entry: Reported, study: Study | None) -> str:
    own = {job.electrode for job in study.jobs if job.name == entry.subject} if study is not None else set()
    return next(iter(own)) if len(own) == 1 else ""


def named(facts: Sequence[Fact], pattern: str, kinds: Sequence[str] = ()) -> list[Fact]:
    """Return the facts whose name matches, one a subject: the first, which is what its kind puts first.

    Parameters
    ----------
    facts
        Of one source and electrode.
    pattern
        Of the whole name.
    kinds
        Of experiment; a reported value may have none.
    """
    taken: dict[str, Fact] = {}
    for fact in facts:
        if re.fullmatch(pattern, fact.name) and (not kinds or fact.kind in kinds or not fact.kind):
            taken.setdefault(fact.subject, fact)
    return list(taken.values())


def common_temperature(*facts: Fact) -> tuple[float | None, str]:
    """Return the temperature at which facts hold together, and a remark where it is assumed; None if they do not."""
    known = [value for fact in facts if (value := fact.setting("temperature_K")) is not None]
    if not known:
        return ROOM_TEMPERATURE_K, f"at {ROOM_TEMPERATURE_K:g} K, assumed: no temperature is stated"
    if max(known) - min(known) > _SAME_TEMPERATURE_K:
        return None, f"at different temperatures, {min(known):.4g} and {max(known):.4g} K"
    temperature = sum(known) / len(known)
    remark = f"at {temperature:.4g} K"
    return temperature, remark if len(known) == len(facts) else f"{remark}, which only one of them states"
