"""What an analysis or a calculation found: quantities, verdicts with evidence, warnings, tables; one type everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer in words, with the evidence for it.

    Parameters
    ----------
    answer
        The verdict in a few words: ``hard short``, ``no resolvable dip``.
    evidence
        The numbers and observations that it rests on, one sentence each.
    """

    answer: str
    evidence: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {"answer": self.answer, "evidence": list(self.evidence)}


@dataclass(frozen=True)
class Result:
    """The outcome of one experiment or calculation.

    Parameters
    ----------
    kind
        The experiment or calculation, as in ``sodiophile kinds``.
    inputs
        Everything that decided the outcome, JSON-ready: protocol, provenance, versions.
    quantities
        By name; the name says the quantity, not the unit.
    verdicts
        Answers in words, by name.
    warnings
        What the reader of the numbers must know, one sentence each.
    tables
        By name; the first is the main one. What the figure needs is a table too, so that it can be drawn again from the
        store: long traces thinned before they come here.
    simulated
        True if a virtual instrument made the record; figures and tables say so.
    attachments
        Text files that belong to the result (structures), by file name.
    drawer
        Draws the figure; set by whoever knows the kind.
    """

    kind: str
    inputs: Mapping[str, Any]
    quantities: Mapping[str, Quantity]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    simulated: bool = False
    attachments: Mapping[str, str] = field(default_factory=dict)
    drawer: Callable[[Result, Axes], None] | None = field(default=None, compare=False, repr=False)

    def table(self, name: str | None = None) -> pl.DataFrame:
        """Return a table by name, the main one by default.

        Raises
        ------
        InputError
            If there is no such table.
        """
        if name is None:
            if not self.tables:
                raise InputError(f"a result of kind {self.kind!r} without a table")
            return next(iter(self.tables.values()))
        if name not in self.tables:
            raise InputError(f"no table {name!r}; there are {', '.join(self.tables)}")
        return self.tables[name]

    def draw(self, ax: Axes | None = None) -> Axes:
        """Draw the figure of this kind of result.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure one column wide (8.5 cm) by default.

        Raises
        ------
        InputError
            If this kind has no figure.
        """
        if self.drawer is None:
            raise InputError(f"a result of kind {self.kind!r} has no figure")
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=(8.5 / 2.54, 6.4 / 2.54), layout="constrained").subplots()
        self.drawer(self, ax)
        return ax

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints: kind, inputs, quantities, verdicts, warnings."""
        return {
            "kind": self.kind,
            "inputs": dict(self.inputs),
            "quantities": {name: quantity.to_dict() for name, quantity in self.quantities.items()},
            "verdicts": {name: verdict.to_dict() for name, verdict in self.verdicts.items()},
            "warnings": list(self.warnings),
            "simulated": self.simulated,
        }

    def save(self, folder: Path) -> dict[str, Any]:
        """Write ``result.json``, one Parquet file a table and the attachments into `folder`; return what the JSON holds."""
        folder.mkdir(parents=True, exist_ok=True)
        names = list(self.tables)
        for name, table in self.tables.items():
            table.write_parquet(folder / f"{_file_name(name)}.parquet")
        for name, text in self.attachments.items():
            (folder / _file_name(name)).write_text(text, encoding="utf-8")
        payload = {**self.to_dict(), "tables": names, "attachments": list(self.attachments)}
        (folder / "result.json").write_text(json.dumps(payload, indent=1, allow_nan=False), encoding="utf-8")
        return payload

    @classmethod
    def load(cls, folder: Path, drawer: Callable[[Result, Axes], None] | None = None) -> Result:
        """Read back what `save` wrote."""
        payload = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return cls(
            kind=payload["kind"],
            inputs=payload["inputs"],
            quantities={name: Quantity.from_dict(entry) for name, entry in payload["quantities"].items()},
            verdicts={
                name: Verdict(entry["answer"], tuple(entry["evidence"])) for name, entry in payload["verdicts"].items()
            },
            warnings=tuple(payload["warnings"]),
            tables={name: pl.read_parquet(folder / f"{_file_name(name)}.parquet") for name in payload["tables"]},
            simulated=payload["simulated"],
            attachments={name: (folder / _file_name(name)).read_text(encoding="utf-8") for name in payload["attachments"]},
            drawer=drawer,
        )


def _file_name(name: str) -> str:
    """Return `name` if it is fit to be a file name, else raise."""
    if not name or name.startswith(".") or not all(letter.isalnum() or letter in "-_. " for letter in name):
        raise InputError(f"{name!r} cannot name a table or an attachment; use letters, digits, '-', '_' and '.'")
    return name
