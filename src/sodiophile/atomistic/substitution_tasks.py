"""The pieces of work of a substitution calculation: an adatom in place of an atom, or below the first layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from sodiophile.atomistic.relaxation import pack, relax, unpack
from sodiophile.atomistic.tasks import engine_for, require, versions

# Of a foreign atom among those of the crystal: no stiffer than that of an adatom.
_STIFFNESS_EV_A2 = 3.0


def relax_substituted(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put the adatom in the place of one atom of the relaxed slab, and relax.

    Inputs: ``engine``, ``adsorbate``, ``atom`` (index), ``layer_of``, ``fmax_eV_A``, ``max_steps``. After: ``clean``.
    """
    clean = require(after["clean"], "the clean slab")
    start = unpack(clean["slab"])
    atom = inputs["atom"]
    place = start.positions[atom].copy()
    del start[atom]
    start.extend(Atoms([inputs["adsorbate"]], positions=[place]))
    fixed = [i - (i > atom) for i in clean["fixed"] if i != atom]
    return _relaxed(start, fixed, clean, inputs, context, folder)


def relax_below(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put the adatom into a void between the first two layers of the relaxed slab, and relax.

    Inputs: ``engine``, ``adsorbate``, ``fractional`` (in-plane), ``below`` (depth, in parts of the distance of the layers),
    ``layer_of``, ``fmax_eV_A``, ``max_steps``. After: ``clean``.
    """
    clean = require(after["clean"], "the clean slab")
    start = unpack(clean["slab"])
    layers = np.array(inputs["layer_of"])
    top, second = (float(start.positions[layers == layers.max() - i, 2].mean()) for i in (0, 1))
    plane = np.asarray(inputs["fractional"], float) @ start.cell[:2, :2]
    height = top - inputs["below"] * (top - second)
    start.extend(Atoms([inputs["adsorbate"]], positions=[(*plane, height)]))
    return _relaxed(start, clean["fixed"], clean, inputs, context, folder)


def _relaxed(
    start: Atoms,
    fixed: list[int],
    clean: Mapping[str, Any],
    inputs: Mapping[str, Any],
    context: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    engine = engine_for(inputs, context)
    start.set_constraint(FixAtoms(indices=fixed))
    stiffness = np.full(len(start), clean["stiffness_eV_A2"])
    stiffness[-1] = min(_STIFFNESS_EV_A2, clean["stiffness_eV_A2"])
    done = relax(
        start,
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=stiffness,
    )
    return {**done.summary(), "slab": pack(done.atoms, 9), "made_with": versions(engine)}
