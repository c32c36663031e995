"""From energies and stresses of a crystal to lattice, moduli and the verdict: the last task of a bulk calculation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ase.units import GPa
from numpy.typing import NDArray

from sodiophile._version import __version__
from sodiophile.atomistic.crystal_energies import birch_murnaghan
from sodiophile.atomistic.elastic import Moduli, conventional_lattice, moduli, stability, symmetrized
from sodiophile.atomistic.engines import Engine, engine_of
from sodiophile.atomistic.references import cohesive_energy
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.tasks import require
from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

Array = NDArray[np.float64]

_LENGTHS, _ANGLES = ("a", "b", "c"), ("alpha", "beta", "gamma")
# Lengths and angles that symmetry fixes, up to rounding.
_FIXED_ANGLES_DEG = (90.0, 120.0)
_SAME_LENGTH, _SAME_ANGLE_DEG = 1e-6, 1e-4
# Elastic constants that differ by less than this part of the largest one are equal by symmetry, up to rounding.
_SAME_CONSTANT = 1e-6
# Two ways to the same number of one engine that differ by more are worth a word.
_SAME_VOLUME, _SAME_MODULUS = 0.005, 0.03


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Fit the energies, symmetrize the elastic constants, judge them, and save the result into the folder."""
    engine = engine_of(inputs["engine"], trusted=bool(context.get("trusted", False)))
    stressed = require(after["crystal"], "the crystal")
    curve = require(after.get("curve", stressed), "the crystal at one of its volumes")
    crystal = unpack(curve["crystal"])
    points = np.array(curve["points"]) / len(crystal)
    fitted = birch_murnaghan(points[:, 0], points[:, 1])
    quantities, group = _from_energies(fitted, curve, engine)
    tables = {"energies": _energies(points, fitted["energy_eV"])}
    if "elastic" in after:
        elastic = require(after["elastic"], "a strained crystal")
        per_atom = stressed["volume_A3_per_atom"]
        definition = "per atom, where the stress of the engine is zero, shape free"
        quantities["volume_from_stress"] = Quantity(per_atom, "angstrom^3", None, definition, "computed")
        raw = np.array(elastic["elastic_GPa"])
        C, in_place = symmetrized(raw, unpack(stressed["crystal"]))
        found, verdicts = _from_stresses(C, float(np.abs(raw - in_place).max()), inputs, engine)
        quantities.update(found)
        verdicts["energies_against_stresses"] = _compared(quantities)
        tables["elastic"] = _matrix(C)
    else:
        why = "the stress of plane waves at a fixed cutoff is off, and elastic constants come from stresses here"
        verdicts = {"mechanical_stability": Verdict("cannot be told", (f"no elastic constants with {engine.name}: {why}",))}
    quantities.update(_cohesive(crystal.get_chemical_symbols()))
    result = Result(
        kind="bulk",
        inputs={
            **inputs,
            "space_group": group,
            "made_with": {"sodiophile": __version__, **stressed["made_with"]},
        },
        quantities=quantities,
        verdicts=verdicts,
        warnings=tuple(_warnings(engine)),
        tables=tables,
    )
    return result.save(folder)


def _from_energies(
    fitted: Mapping[str, float], curve: Mapping[str, Any], engine: Engine
) -> tuple[dict[str, Quantity], str]:
    crystal = unpack(curve["crystal"])
    lattice, group = conventional_lattice(crystal)
    how = f"energies at {len(curve['points'])} volumes, Birch-Murnaghan, shape kept, positions relaxed; {engine.name}, 0 K"
    own, implied = _independent_lattice(lattice)
    cell = f"standard cell of {group}{', ' if implied else ''}{implied}; {how}"
    found = {
        f"lattice:{name}": Quantity(value, "angstrom" if name in _LENGTHS else "degree", None, cell, "computed")
        for name, value in own.items()
    }
    found["volume"] = Quantity(fitted["volume_A3"], "angstrom^3", None, f"per atom; {how}", "computed")
    modulus = fitted["bulk_modulus_eV_A3"] / GPa
    found["bulk_modulus"] = Quantity(modulus, "GPa", None, how, "computed")
    derivative = fitted["pressure_derivative"]
    found["bulk_modulus_derivative"] = Quantity(derivative, "1", None, f"by pressure; {how}", "computed")
    return found, group


def _independent_lattice(lattice: Sequence[float]) -> tuple[dict[str, float], str]:
    """Return the lattice parameters that say something of their own, and in words what the others are."""
    values = dict(zip((*_LENGTHS, *_ANGLES), map(float, lattice), strict=True))
    own: dict[str, float] = {}
    words = []
    for name in _LENGTHS:
        same = next((one for one in own if abs(values[name] / own[one] - 1.0) < _SAME_LENGTH), None)
        if same is None:
            own[name] = values[name]
        else:
            words.append(f"{name} = {same}")
    for name in _ANGLES:
        fixed = next((angle for angle in _FIXED_ANGLES_DEG if abs(values[name] - angle) < _SAME_ANGLE_DEG), None)
        if fixed is None:
            own[name] = values[name]
        else:
            words.append(f"{name} = {fixed:g} degrees")
    return own, ", ".join(words)


def _from_stresses(
    C: Array, asymmetry_GPa: float, inputs: Mapping[str, Any], engine: Engine
) -> tuple[dict[str, Quantity], dict[str, Verdict]]:
    how = f"stresses at strains of +-{inputs['strain']:g}, positions relaxed, symmetrized; {engine.name}, 0 K"
    axes = f"axes of the standard conventional cell, Voigt order; {how}"
    found = {
        f"elastic:C{i + 1}{j + 1}": Quantity(float(C[i, j]), "GPa", None, axes, "computed") for i, j in _independent(C)
    }
    definition = f"largest change that symmetrizing made to an elastic constant; {how}"
    found["elastic_asymmetry"] = Quantity(asymmetry_GPa, "GPa", None, definition, "computed")
    definition = f"under equal strain along all axes (Voigt), the same as from energies at fixed shape; {how}"
    bulk = float(C[:3, :3].sum() / 9)
    found["bulk_modulus_from_stress"] = Quantity(bulk, "GPa", None, definition, "computed")
    eigenvalues = stability(C)
    evidence = (
        "eigenvalues of the elastic tensor: " + ", ".join(f"{value:.1f}" for value in eigenvalues) + " GPa",
        f"the softest is {100 * eigenvalues[0] / eigenvalues[-1]:.1f} % of the stiffest; an error of that size decides",
    )
    if eigenvalues[0] <= 0.0:
        unstable = "unstable: a small strain lowers the energy"
        return found, {"mechanical_stability": Verdict(unstable, (*evidence, "moduli of a polycrystal have no meaning"))}
    found.update(_polycrystal(moduli(C), how))
    return found, {"mechanical_stability": Verdict("stable against any small strain", evidence)}


def _independent(C: Array) -> list[tuple[int, int]]:
    """Return places of the elastic constants that are not zero, the first of those that symmetry makes equal."""
    found: list[tuple[int, int]] = []
    same = _SAME_CONSTANT * float(np.abs(C).max())
    for i in range(6):
        for j in range(i, 6):
            size = abs(C[i, j])
            if size > same and all(abs(size - abs(C[place])) > same for place in found):
                found.append((i, j))
    return found


def _polycrystal(of: Moduli, how: str) -> dict[str, Quantity]:
    words = "of a polycrystal without texture, Voigt-Reuss-Hill"
    bounds = "half the distance of the bounds of Voigt and Reuss as its uncertainty"
    half_bulk, half_shear = (0.5 * abs(of.bulk_voigt - of.bulk_reuss), 0.5 * abs(of.shear_voigt - of.shear_reuss))
    return {
        "bulk_modulus_hill": Quantity(of.bulk, "GPa", half_bulk, f"{words}, {bounds}; {how}", "computed"),
        "shear_modulus": Quantity(of.shear, "GPa", half_shear, f"{words}, {bounds}; {how}", "computed"),
        "young_modulus": Quantity(of.young, "GPa", None, f"{words}; {how}", "computed"),
        "poisson_ratio": Quantity(of.poisson, "1", None, f"{words}; {how}", "computed"),
    }


def _compared(quantities: Mapping[str, Quantity]) -> Verdict:
    volume = quantities["volume_from_stress"].value / quantities["volume"].value - 1.0
    modulus = quantities["bulk_modulus_from_stress"].value / quantities["bulk_modulus"].value - 1.0
    evidence = (
        f"volume from stress {100 * volume:+.2f} % against energies (same: within {100 * _SAME_VOLUME:g} %)",
        f"bulk modulus from stress {100 * modulus:+.1f} % against energies (same: within {100 * _SAME_MODULUS:g} %)",
    )
    same = abs(volume) <= _SAME_VOLUME and abs(modulus) <= _SAME_MODULUS
    return Verdict("the same" if same else "not the same: trust neither without a finer search", evidence)


def _cohesive(symbols: list[str]) -> dict[str, Quantity]:
    if len(set(symbols)) != 1:
        return {}
    try:
        return {"cohesive_energy": cohesive_energy(symbols[0])}
    except InputError:
        return {}  # not tabulated


def _warnings(engine: Engine) -> list[str]:
    if engine.is_dft:
        return []
    return [
        f"{engine.name} is a potential, not DFT; the error of its lattices and elastic constants has not been measured."
    ]


def _energies(points: Array, lowest_eV: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "volume_A3_per_atom": points[:, 0],
            "energy_eV_per_atom": points[:, 1],
            "above_lowest_meV_per_atom": 1e3 * (points[:, 1] - lowest_eV),
        }
    )


def _matrix(C: Array) -> pl.DataFrame:
    return pl.DataFrame({"row": list(range(1, 7)), **{f"C{j + 1}_GPa": C[:, j] for j in range(6)}})
