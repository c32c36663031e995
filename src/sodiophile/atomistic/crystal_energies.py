r"""The lattice of a crystal from energies at several volumes, for engines whose stress cannot be trusted.

In plane waves the stress lacks the change of the basis with the cell (Pulay stress; Dacosta, Nielsen, Kunc, J. Phys. C
19, 3163 (1986)): for VN at 350 eV it is off by tens of GPa, and a cell relaxed by it comes out 6 % too small. Energies at
several volumes, with one set of k-points and the higher cutoff that the engine keeps for this, lie on a smooth curve. The
energy of the crystal, to which others are referred, is that of the volume found, with the settings of all other energies.
The third-order Birch-Murnaghan equation (Birch, Phys. Rev. 71, 809 (1947), doi 10.1103/PhysRev.71.809),

.. math:: E(V) = a + b V^{-2/3} + c V^{-4/3} + d V^{-2},

is linear in its four coefficients. The shape of the cell is kept; positions inside relax at each volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixSymmetry
from ase.units import GPa
from numpy.typing import NDArray

from sodiophile.atomistic.adsorption_tasks import stiffness_of
from sodiophile.atomistic.engines.base import Engine, on_one_curve
from sodiophile.atomistic.relaxation import Relaxed, pack, relax, unpack
from sodiophile.atomistic.tasks import engine_for, versions
from sodiophile.errors import EngineError

Array = NDArray[np.float64]

# Of the volume between neighbouring points; 3 % is 1 % of the lattice parameter, and five points span a minimum well.
_STEP = 0.03
_POINTS = 5
_MOST_POINTS = 13


def relax_crystal_by_energies(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Find the volume of lowest energy of a crystal at fixed shape, its bulk modulus, and the energy there.

    Inputs: ``engine`` (identity), ``crystal``, ``fmax_eV_A``, ``max_steps``. The outcome has what that of
    `sodiophile.atomistic.adsorption_tasks.relax_crystal` has, and ``points``: volumes (A3) and energies (eV) of the cell.
    """
    del after
    engine = engine_for(inputs, context)
    start = unpack(inputs["crystal"])
    volume_A3 = start.get_volume()
    energies: dict[int, Relaxed] = {}
    centre = 0
    while True:
        wanted = range(centre - _POINTS // 2, centre + _POINTS // 2 + 1)
        for k in wanted:
            if k not in energies:
                energies[k] = _on_the_curve(
                    start, volume_A3 * (1 + k * _STEP), engine, inputs, folder / f"volume{k:+d}.jsonl"
                )
        lowest = min(energies, key=lambda k: energies[k].energy_eV)
        if lowest - 1 in energies and lowest + 1 in energies and abs(lowest - centre) <= 1:
            break
        if len(energies) >= _MOST_POINTS:
            raise EngineError(
                f"no volume of lowest energy within {min(energies) * 100 * _STEP:+.0f} % and "
                f"{max(energies) * 100 * _STEP:+.0f} % of the crystal as given: the engine does not describe it"
            )
        centre = lowest
    found = birch_murnaghan(
        np.array([done.atoms.get_volume() for done in energies.values()]),
        np.array([done.energy_eV for done in energies.values()]),
    )
    last = _relaxed(_strained(start, found["volume_A3"]), engine, inputs, folder / "lowest.jsonl")
    every = [*energies.values(), last]
    per_atom = last.atoms.get_volume() / len(start)
    return {
        **last.summary(),
        "converged": all(done.converged for done in every),
        "steps": sum(done.steps for done in every),
        "seconds": round(sum(done.seconds for done in every), 3),
        "crystal": pack(last.atoms, 9),
        "energy_eV_per_atom": last.energy_eV / len(start),
        "volume_A3_per_atom": per_atom,
        "volume_change": last.atoms.get_volume() / volume_A3 - 1.0,
        "bulk_modulus_GPa": found["bulk_modulus_eV_A3"] / GPa,
        "stiffness_eV_A2": stiffness_of(found["bulk_modulus_eV_A3"], per_atom),
        "points": sorted([done.atoms.get_volume(), done.energy_eV] for done in energies.values()),
        "rms_eV": found["rms_eV"],
        "made_with": versions(engine),
    }


def _on_the_curve(start: Atoms, volume_A3: float, engine: Engine, inputs: Mapping[str, Any], journal: Path) -> Relaxed:
    with on_one_curve(engine.calculator(), start.cell[:]):
        return _relaxed(_strained(start, volume_A3), engine, inputs, journal)


def _relaxed(crystal: Atoms, engine: Engine, inputs: Mapping[str, Any], journal: Path) -> Relaxed:
    crystal.set_constraint(FixSymmetry(crystal, symprec=1e-3))
    return relax(crystal, engine.calculator(), journal, fmax_eV_A=inputs["fmax_eV_A"], max_steps=inputs["max_steps"])


def _strained(crystal: Atoms, volume_A3: float) -> Atoms:
    strained = crystal.copy()
    strained.set_cell(crystal.cell * (volume_A3 / crystal.get_volume()) ** (1 / 3), scale_atoms=True)
    return strained


def birch_murnaghan(volumes_A3: Array, energies_eV: Array) -> dict[str, float]:
    """Fit the third-order Birch-Murnaghan equation.

    Parameters
    ----------
    volumes_A3, energies_eV
        (n,) of one cell, four points or more.

    Returns
    -------
    dict
        ``volume_A3``, ``energy_eV`` and ``bulk_modulus_eV_A3`` at the minimum, its ``pressure_derivative``, and the root
        mean square of the residuals, ``rms_eV``.

    Raises
    ------
    EngineError
        If the points have no minimum among them.
    """
    scale = float(np.mean(volumes_A3))
    x = (volumes_A3 / scale) ** (-2 / 3)
    energy = np.polynomial.Polynomial(np.polynomial.polynomial.polyfit(x, energies_eV, 3))
    slope, curvature, third = energy.deriv(1), energy.deriv(2), energy.deriv(3)
    roots = [float(root.real) for root in slope.roots() if abs(root.imag) < 1e-9 and curvature(root.real) > 0]
    inside = [root for root in roots if x.min() <= root <= x.max()]
    if not inside:
        raise EngineError("the energies at several volumes have no minimum between them: no lattice can be told")
    x0 = inside[0]
    volume = scale * x0**-1.5
    # E'' by V from E'' by x, where E' is zero: x = (V / scale)^(-2/3)
    dx = -2 / 3 * x0 / volume
    modulus = volume * float(curvature(x0)) * dx**2
    ratio = float(third(x0) / curvature(x0))
    return {
        "volume_A3": volume,
        "energy_eV": float(energy(x0)),
        "bulk_modulus_eV_A3": modulus,
        "pressure_derivative": 4.0 + 2 / 3 * x0 * ratio,
        "rms_eV": float(np.sqrt(np.mean((energy(x) - energies_eV) ** 2))),
    }
