"""What a cell too small does: a slab thinner than its engine looks feels its lower side, an adatom feels its images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from sodiophile.atomistic.symmetry2d import reduce_2d

# Layers of a metal follow their support by a few percent; the repulsion in a denser one is no property of a site.
_CROWDED = 0.9


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


def crowded_layer(surface: str, covered: Atoms, metal: Atoms) -> list[str]:
    """Return a warning if an adatom is much closer to its own images than atoms are in its bulk metal, else none.

    Parameters
    ----------
    surface
        Its name.
    covered
        A slab with an adatom.
    metal
        The relaxed crystal of the adatom's metal.
    """
    apart_A = float(np.linalg.norm(reduce_2d(covered.cell[:2, :2]), axis=1).min())
    # of a metal, no neighbour is twice as far as the edge of the cube that an atom fills
    bulk_A = float(neighbor_list("d", metal, 2 * (metal.get_volume() / len(metal)) ** (1 / 3)).min())
    if apart_A >= _CROWDED * bulk_A:
        return []
    element = metal.get_chemical_symbols()[0]
    text = (
        f"{surface}: the adatoms stand {apart_A:.2f} angstrom apart, closer than atoms of bulk {element}, {bulk_A:.2f}: "
        "their repulsion is part of every energy; a larger supercell has less of it."
    )
    return [text]
