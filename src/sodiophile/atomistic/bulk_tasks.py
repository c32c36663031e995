"""The pieces of work of a calculation of a bulk crystal: energies at several volumes, stresses at small strains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase.units import GPa

from sodiophile.atomistic.crystal_energies import relax_crystal_by_energies
from sodiophile.atomistic.elastic import strained
from sodiophile.atomistic.relaxation import Journal, relax, unpack
from sodiophile.atomistic.tasks import engine_for, require, versions


def energy_curve(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the volume of lowest energy around the crystal that stress has relaxed, at its shape.

    Inputs: ``engine``, ``fmax_eV_A``, ``max_steps``. After: ``crystal``.
    """
    crystal = require(after["crystal"], "the crystal")
    return relax_crystal_by_energies({**inputs, "crystal": crystal["crystal"]}, {}, context, folder)


def stresses(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Relax the positions inside the cell at each small strain, and tell the elastic constants from the stresses there.

    Inputs: ``engine``, ``fmax_eV_A``, ``max_steps``, ``strain``. After: ``crystal``. The outcome has
    ``elastic_GPa`` (6 x 6, column: of strain), not symmetrized, in the axes of the crystal's cell.
    """
    engine = engine_for(inputs, context)
    crystal = require(after["crystal"], "the crystal")
    start, calculator, strain = unpack(crystal["crystal"]), engine.calculator(), inputs["strain"]
    columns, runs = [], []
    for component in range(6):
        found = []
        for sign in (1, -1):
            name = f"strain{component}{'+' if sign > 0 else '-'}"
            done = relax(
                strained(start, component, sign * strain),
                calculator,
                folder / f"{name}.jsonl",
                fmax_eV_A=inputs["fmax_eV_A"],
                max_steps=inputs["max_steps"],
                stiffness_eV_A2=crystal["stiffness_eV_A2"],
            )
            runs.append(done)
            done.atoms.calc = Journal(calculator, folder / f"{name}-stress.jsonl", stress=True)
            found.append(done.atoms.get_stress())
        # the stress left in the crystal and the first non-linear term cancel
        columns.append((found[0] - found[1]) / (2 * strain) / GPa)
    return {
        "elastic_GPa": np.array(columns).T.tolist(),
        "converged": all(done.converged for done in runs),
        "fmax_eV_A": max(done.fmax_eV_A for done in runs),
        "steps": max(done.steps for done in runs),
        "seconds": round(sum(done.seconds for done in runs), 3),
        "made_with": versions(engine),
    }
