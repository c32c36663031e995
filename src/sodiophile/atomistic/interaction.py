"""How far an engine looks: a slab thinner than that feels its own lower side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def interaction_range_A(calculator: Any) -> float | None:
    """Return the distance (angstrom) beyond which atoms are no direct neighbours for a potential, None where unknown.

    Read from the calculator after it has computed something: SevenNet and engines like it say ``cutoff``, CHGNet the cutoff
    of its graph, effective-medium theory its radius. Density functional theory has none. Potentials that pass messages see
    farther than this through their neighbours.
    """
    graph = getattr(getattr(calculator, "model", None), "graph_converter", None)
    for owner, name in ((calculator, "cutoff"), (graph, "atom_graph_cutoff"), (calculator, "rc")):
        found = getattr(owner, name, None)
        if isinstance(found, int | float) and found > 0:
            return float(found)
    return None


def thin_slab(surface: str, clean: Mapping[str, Any], engine: str, above: str = "the adatom") -> list[str]:
    """Return a warning if a slab is thinner than the range of the engine, else none.

    Parameters
    ----------
    surface
        Its name.
    clean
        The outcome of the task of the clean slab.
    engine
        Its name.
    above
        What feels that the slab ends below.
    """
    range_A = clean.get("interaction_range_A")
    thickness_A = float(np.ptp(np.array(clean["slab"]["positions_A"])[:, 2]))
    if range_A is None or thickness_A >= range_A:
        return []
    text = (
        f"{surface} is {thickness_A:.1f} angstrom thick, thinner than the {range_A:.1f} angstrom within which {engine} "
        f"sees neighbours: {above} feels the missing crystal below; ask for more layers."
    )
    return [text]
