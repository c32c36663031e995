"""Calculations made of several adsorption calculations: the same surface by other engines, or with one setting varied.

Each member is the adsorption calculation that a user would get alone: work is shared with it, and between members.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sodiophile.task import Task

_HELD = "adsorption_energy_vs_bulk:"
_FREE = "adsorption_energy_vs_bulk_free:"
_BEST = "most stable"
# a comma between two engines, not one within the options in brackets of an engine
_COMMA = re.compile(r",(?![^\[{]*[\]}])")


@dataclass(frozen=True)
class Energy:
    """An adsorption energy of one member.

    Attributes
    ----------
    termination, site
        Where the adatom is.
    relaxation
        ``held`` in the plane, or let go (``free``).
    energy_eV
        Against bulk metal.
    """

    termination: str
    site: str
    relaxation: str
    energy_eV: float

    @property
    def place(self) -> tuple[str, str, str]:
        """Termination, site, relaxation: what members have in common."""
        return (self.termination, self.site, self.relaxation)


def split_engines(text: str) -> list[str]:
    """Return the engines of a list with commas, options in brackets kept: ``7net-0, gpaw[xc=RPBE, ecut=450]``."""
    return [part.strip() for part in _COMMA.split(text) if part.strip()]


def relabelled(task: Task, prefix: str) -> Task:
    """Return the task and all before it with labels that start with `prefix`; keys stay what they are."""
    made: dict[str, Task] = {}

    def new(one: Task) -> Task:
        if one.key not in made:
            after = {name: new(before) for name, before in one.after.items()}
            made[one.key] = replace(one, after=after, label=f"{prefix}: {one.label}")
        return made[one.key]

    return new(task)


def energies_of(payload: Mapping[str, Any]) -> list[Energy]:
    """Return the adsorption energies of a finished adsorption calculation, in the order of its sites.

    Sites whose relaxation did not converge have none.
    """
    terminations = payload["inputs"]["terminations"]
    found = []
    for name, quantity in payload["quantities"].items():
        start = next((start for start in (_HELD, _FREE) if name.startswith(start)), None)
        if start is None or (key := name.removeprefix(start)) == _BEST:
            continue
        termination, site = terminations[0], key
        if len(terminations) > 1:
            termination = next(one for one in terminations if key.startswith(f"{one}-terminated, "))
            site = key.removeprefix(f"{termination}-terminated, ")
        found.append(Energy(termination, site, "held" if start == _HELD else "free", float(quantity["value"])))
    return found


def place_key(place: tuple[str, str, str], several: bool) -> str:
    """Return how a place is named in quantities: ``top N``, ``V-terminated, top V, let go``."""
    termination, site, relaxation = place
    return (
        (f"{termination}-terminated, " if several else "") + site + ("" if relaxation == "held" else ", let go from there")
    )
