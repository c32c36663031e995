"""The pieces of work of a calculation of surface energies: crystal -> slab of one thickness, both of its faces free."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from sodiophile.atomistic.relaxation import pack, relax, unpack
from sodiophile.atomistic.surfaces import build_slabs
from sodiophile.atomistic.tasks import engine_for, require, versions
from sodiophile.errors import EngineError

# Of a layer's height, as a part of the thickness, between the slab planned and that cut from the relaxed crystal.
_SAME_PROFILE = 0.08


def relax_slab(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Cut a slab from the relaxed crystal and relax all of its atoms.

    Inputs: ``engine``, ``slab`` (cut from the crystal as given), ``cut`` (arguments of `build_slabs`), ``fmax_eV_A``,
    ``max_steps``. After: ``crystal``.
    """
    engine = engine_for(inputs, context)
    crystal = require(after["crystal"], "the crystal")
    start = _like(unpack(inputs["slab"]), unpack(crystal["crystal"]), inputs)
    done = relax(
        start,
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=crystal["stiffness_eV_A2"],
    )
    return {
        **done.summary(),
        "slab": pack(done.atoms, 9),
        "area_A2": float(np.linalg.norm(np.cross(start.cell[0], start.cell[1]))),
        "thickness_A": float(np.ptp(done.atoms.positions[:, 2])),
        "made_with": versions(engine),
    }


def _like(planned: Atoms, crystal: Atoms, inputs: Mapping[str, Any]) -> Atoms:
    """Return the slab of the relaxed crystal whose layers are those of the one planned with.

    Digits in which nothing physical is left decide the order in which terminations come, so their index does not hold.
    """
    cut = dict(inputs["cut"])
    miller = cut.pop("miller")
    best: tuple[float, Atoms] | None = None
    for indices in (miller, [-i for i in miller]):
        for slab in build_slabs(crystal, indices, **cut):
            difference = _difference(planned, slab.atoms)
            if difference is not None and (best is None or difference < best[0] - 1e-9):
                best = (difference, slab.atoms)
    if best is None or best[0] > _SAME_PROFILE:
        raise EngineError(
            f"the slab cut from the crystal relaxed with {inputs['engine']['engine']} is another one than that cut from "
            "the crystal as given: the crystal has changed its structure, so this engine does not describe it"
        )
    return best[1]


def _difference(planned: Atoms, slab: Atoms) -> float | None:
    """Return how far the layers of two slabs are apart, as a part of the thickness; None if they hold other atoms."""
    if len(slab) != len(planned):
        return None
    profiles = []
    for atoms in (planned, slab):
        heights = atoms.positions[:, 2] - atoms.positions[:, 2].min()
        heights = heights / max(heights.max(), 1e-9)
        order = np.lexsort((heights, atoms.numbers))
        profiles.append((atoms.numbers[order], heights[order]))
    if not np.array_equal(profiles[0][0], profiles[1][0]):
        return None
    return float(np.max(np.abs(profiles[0][1] - profiles[1][1])))
