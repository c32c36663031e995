"""Density functional theory with GPAW in plane waves: the reference level.

PAW data sets come from the package ``gpaw-data``; nothing is downloaded. Functionals are those that GPAW carries itself
(PBE, RPBE, revPBE, LDA), so that a build without libxc gives the same energies. Options stand in brackets behind the
name: ``gpaw[xc=RPBE, ecut=450, kpts=2.5]``. With ``dispersion=D3`` the energy of Grimme's D3 with rational (Becke-Johnson)
damping and its derivatives are added.

References
----------
GPAW: Mortensen et al., J. Chem. Phys. 160, 092503 (2024), doi 10.1063/5.0182685.
PBE: Perdew, Burke, Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996), doi 10.1103/PhysRevLett.77.3865.
D3: Grimme, Antony, Ehrlich, Krieg, J. Chem. Phys. 132, 154104 (2010), doi 10.1063/1.3382344; its damping: Grimme, Ehrlich,
Goerigk, J. Comput. Chem. 32, 1456 (2011), doi 10.1002/jcc.21759. Computed by the package ``dftd3``.
Dipole correction: Bengtsson, Phys. Rev. B 59, 12301 (1999), doi 10.1103/PhysRevB.59.12301.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from sodiophile.atomistic.engines.base import Engine, sha256_of
from sodiophile.errors import EngineError

_FUNCTIONALS = ("PBE", "RPBE", "revPBE", "LDA")
# option -> what users write -> as it is kept; a functional without dispersion has no key for it
_DISPERSION = {"d3": "D3(BJ)", "d3bj": "D3(BJ)", "d3(bj)": "D3(BJ)"}
# name of an option -> (lowest, highest, what it is)
_NUMBERS = {
    "ecut": (150.0, 1200.0, "plane-wave cutoff, eV"),
    "ecut_lattice": (150.0, 1500.0, "the same where the volume of a crystal is sought, eV"),
    "kpts": (0.5, 12.0, "k-points per 1/angstrom along each periodic vector of a slab"),
    "kpts_crystal": (1.0, 16.0, "the same for a crystal"),
    "width": (0.005, 0.5, "width of the Fermi-Dirac smearing, eV"),
}
_DEFAULTS: dict[str, Any] = {
    "xc": "PBE",
    "ecut": 350.0,
    "ecut_lattice": 600.0,
    "kpts": 1.8,
    "kpts_crystal": 4.0,
    "width": 0.1,
}
# Of the density, in electrons per valence electron; the energy of 25 atoms is then steady to a millielectronvolt.
_DENSITY = 3e-4
_EIGENSTATES_EV2 = 1e-6
_ENERGY_EV = 1e-5
_MAX_SCF = 150


def configured(options: Mapping[str, str]) -> Engine:
    """Return the engine with the options that a user wrote in brackets.

    Raises
    ------
    EngineError
        If an option is unknown or out of its range.
    """
    settings = dict(_DEFAULTS)
    for name, text in options.items():
        if name == "xc":
            known = {functional.lower(): functional for functional in _FUNCTIONALS}
            if text.lower() not in known:
                raise EngineError(f"gpaw: found xc={text}, expected one of {', '.join(_FUNCTIONALS)}")
            settings["xc"] = known[text.lower()]
        elif name == "dispersion":
            if text.lower() not in _DISPERSION:
                raise EngineError(f"gpaw: found dispersion={text}, expected D3, or no such option")
            settings["dispersion"] = _DISPERSION[text.lower()]
        elif name in _NUMBERS:
            low, high, what = _NUMBERS[name]
            try:
                number = float(text)
            except ValueError:
                number = float("nan")
            if not low <= number <= high:
                raise EngineError(f"gpaw: found {name}={text}, expected a number from {low:g} to {high:g} ({what})")
            settings[name] = number
        else:
            raise EngineError(f"gpaw: {name!r} is no option; there are xc, dispersion, {', '.join(_NUMBERS)}")
    if "dispersion" in settings and settings["xc"] == "LDA":
        raise EngineError("gpaw: there is no D3 for LDA, expected dispersion with xc=PBE, RPBE or revPBE")
    return _engine(settings)


def _engine(settings: Mapping[str, Any]) -> Engine:
    return _cached(tuple(settings.items()))


@cache
def _cached(items: tuple[tuple[str, Any], ...]) -> Engine:
    settings = dict(items)
    changed = [f"{name}={_short(settings[name])}" for name in settings if settings[name] != _DEFAULTS.get(name)]
    name = f"gpaw[{', '.join(changed)}]" if changed else "gpaw"
    kept = {
        **settings,
        "mode": "plane waves",
        "spin": "paired; free atoms polarised",
        "dipole_correction": "slabs, along z",
        "convergence": {"density": _DENSITY, "eigenstates_eV2": _EIGENSTATES_EV2, "energy_eV": _ENERGY_EV},
    }
    return Engine(
        name=name,
        summary=f"density functional theory ({_theory(settings)}) in plane waves, GPAW; minutes to hours",
        package="gpaw",
        extra="dft",
        make=lambda: _calculator(settings),
        settings=kept,
        fingerprint=lambda: _data_sets(str(settings["xc"])) | _dispersion_of(settings),
        is_dft=True,
        seconds_per_atom=3.0,
    )


def _theory(settings: Mapping[str, Any]) -> str:
    return "-".join(str(settings[name]) for name in ("xc", "dispersion") if name in settings)


def _dispersion_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the version of the package that computes dispersion, nothing where none is asked for."""
    if "dispersion" not in settings:
        return {}
    try:
        return {"dispersion_by": f"dftd3 {version('dftd3')}"}
    except PackageNotFoundError:
        raise EngineError("dispersion needs the package dftd3: pip install dftd3") from None


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _data_sets(xc: str) -> dict[str, str]:
    """Return version and SHA-256 of the PAW data sets of a functional, all elements together."""
    spec = importlib.util.find_spec("gpaw_data")
    places = (spec.submodule_search_locations or []) if spec is not None else []
    paths = sorted(path for place in places for path in (Path(place) / "setups").glob(f"*.{xc}.gz"))
    if not paths:
        raise EngineError(f"the PAW data sets of {xc} are not installed: pip install gpaw-data")
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name} {sha256_of(path)}\n".encode())
    try:
        number = version("gpaw-data")
    except PackageNotFoundError:
        number = "unknown"
    return {"paw": f"gpaw-data {number}", "paw_sha256": digest.hexdigest()}


class _Log:
    """Where GPAW writes: the standard output of the task that runs now, not of the one it was made in."""

    closed = False

    def write(self, text: str) -> int:
        # outside a task, such as at the end of the interpreter with the timings of a calculator, nobody waits for it
        return len(text) if sys.stdout is sys.__stdout__ else sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()

    def close(self) -> None:
        """Leave standard output open."""


def parameters(settings: Mapping[str, Any], atoms: Any, lattice_A: Any = None) -> dict[str, Any]:
    """Return what GPAW is asked for these atoms: k-points by the cell, dipole layer for slabs, spin for a free atom.

    Parameters
    ----------
    settings
        ``xc``, ``ecut`` and ``ecut_lattice`` (eV), ``kpts`` and ``kpts_crystal`` (points per 1/angstrom), ``width`` (eV).
    atoms
        ASE atoms; periodic in three directions a crystal, in two a slab with its vacuum along z, in none a free molecule.
    lattice_A
        Where energies of strained cells are compared: the cell (3, 3) whose k-points all take, at the higher cutoff.
    """
    periodic = [bool(one) for one in atoms.pbc]
    crystal, free = all(periodic), not any(periodic)
    if not crystal and not free and periodic != [True, True, False]:
        raise EngineError(f"gpaw: the atoms repeat along {periodic}, expected a crystal, a slab in x and y, or a molecule")
    found: dict[str, Any] = {
        "mode": {"name": "pw", "ecut": settings["ecut" if lattice_A is None else "ecut_lattice"]},
        "xc": settings["xc"],
        "occupations": {"name": "fermi-dirac", "width": 0.0 if free else settings["width"]},
        "convergence": {"density": _DENSITY, "eigenstates": _EIGENSTATES_EV2, "energy": _ENERGY_EV},
        "maxiter": _MAX_SCF,
    }
    if not free:
        density = settings["kpts_crystal"] if crystal else settings["kpts"]
        found["kpts"] = {"size": _grid(atoms.cell if lattice_A is None else lattice_A, periodic, density), "gamma": False}
    if not crystal and not free:
        # an adatom off its site, or a slab that distorts, breaks the symmetry within one relaxation
        found["symmetry"] = {"point_group": False}
        found["poissonsolver"] = {"dipolelayer": "xy"}
    if free and len(atoms) == 1:
        found["hund"] = True
    return found


def _grid(cell: Any, periodic: Sequence[bool], density: float) -> list[int]:
    """Return how many k-points along each vector: even numbers, no fewer than `density` points per 1/angstrom."""
    reciprocal = 2.0 * np.pi * np.linalg.norm(np.linalg.inv(np.asarray(cell)).T, axis=1)
    # a hair below, so that a cell of another machine's last digit has the same grid
    return [2 * ceil(length * density / 2.0 - 1e-6) if one else 1 for length, one in zip(reciprocal, periodic, strict=True)]


def new_calculator(settings: Mapping[str, Any], atoms: Any, lattice_A: Any = None) -> Any:
    """Return a GPAW calculator for these atoms, its log on the standard output of the running task."""
    from gpaw import GPAW

    return GPAW(**parameters(settings, atoms, lattice_A), txt=_Log())


def dispersion(atoms: Any, xc: str) -> dict[str, Any]:
    """Return energy (eV), forces (n, 3) in eV/angstrom and stress (6,) in eV/A3 of D3 with rational damping.

    Parameters
    ----------
    atoms
        ASE atoms, periodic or not.
    xc
        The functional whose damping parameters are taken: PBE, RPBE or revPBE.
    """
    from ase.stress import full_3x3_to_voigt_6_stress
    from ase.units import Bohr, Hartree
    from dftd3.interface import DispersionModel, RationalDampingParam

    periodic = np.asarray(atoms.pbc)
    cell = {"lattice": atoms.cell.array / Bohr, "periodic": periodic} if periodic.any() else {}
    model = DispersionModel(atoms.numbers, atoms.positions / Bohr, **cell)
    found = model.get_dispersion(RationalDampingParam(method=xc.lower()), grad=True)
    results = {"energy": float(found["energy"]) * Hartree, "forces": -found["gradient"] * Hartree / Bohr}
    if periodic.all():
        results["stress"] = full_3x3_to_voigt_6_stress(found["virial"] * Hartree / atoms.get_volume())
    return results


def _calculator(settings: Mapping[str, Any]) -> Any:
    """Return one ASE calculator for all atoms: a GPAW of its own for each species and cell, kept while atoms only move."""
    from ase.calculators.calculator import Calculator, all_changes

    class Gpaw(Calculator):
        """GPAW, made anew where species, periodicity or cell change; between steps of a relaxation it goes on."""

        implemented_properties = ("energy", "free_energy", "forces", "stress")

        def __init__(self) -> None:
            super().__init__()
            self.settings = dict(settings)
            self._lattice_A: Any = None
            self.inner: Any = None
            self._for: Any = None

        @property
        def lattice_A(self) -> Any:
            """The cell of `on_one_curve`, None outside; what was found in one is not the answer in the other."""
            return self._lattice_A

        @lattice_A.setter
        def lattice_A(self, cell: Any) -> None:
            self._lattice_A = cell
            self.reset()

        def calculate(self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            image = self.atoms.copy()
            image.set_constraint()
            lattice = None if self.lattice_A is None else np.asarray(self.lattice_A).tobytes()
            same = (image.numbers.tobytes(), image.pbc.tobytes(), image.cell.array.tobytes(), lattice)
            if self._for != same:
                self.inner, self._for = new_calculator(self.settings, image, self.lattice_A), same
            image.calc = self.inner
            self.results = {"energy": image.get_potential_energy()}
            self.results["free_energy"] = image.get_potential_energy(force_consistent=True)
            self.results["forces"] = image.get_forces()
            if "stress" in properties:
                self.results["stress"] = image.get_stress()
            if "dispersion" in self.settings:
                more = dispersion(image, self.settings["xc"])
                more["free_energy"] = more["energy"]
                self.results = {name: value + more[name] for name, value in self.results.items()}

    return Gpaw()


ENGINES = (_engine(_DEFAULTS),)
