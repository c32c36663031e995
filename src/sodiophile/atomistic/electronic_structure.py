"""The ground state that GPAW finds, kept as text; densities, potentials and free atoms from it.

A ground state without its wave functions (density on the coarse grid, density matrices of the atoms) is some hundred
kilobytes, from which the density of all electrons follows on a grid of any fineness. Only GPAW's own interface is used.

References
----------
GPAW: Mortensen et al., J. Chem. Phys. 160, 092503 (2024), doi 10.1063/5.0182685.
Projector augmented waves: Bloechl, Phys. Rev. B 50, 17953 (1994), doi 10.1103/PhysRevB.50.17953.
"""

from __future__ import annotations

import base64
import math
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import Bohr
from numpy.typing import NDArray

from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.hirshfeld import FreeAtom
from sodiophile.errors import EngineError, InputError

Array = NDArray[np.float64]

# Of a ground state kept as text; far above any that these calculations make.
_MOST_BYTES = 400_000_000


def solve(calculator: Any, atoms: Atoms) -> dict[str, Any]:
    """Find the ground state of atoms as they stand.

    Parameters
    ----------
    calculator
        Of an engine that solves the electronic structure with GPAW.
    atoms
        Not moved.

    Returns
    -------
    dict
        JSON-ready: ``energy_eV``, ``fermi_eV``, ``valence_electrons``, ``eigenvalues_eV`` (spin, k, band), ``k_weights``,
        ``k_points`` (of the whole zone), ``potential_eV`` (planar average of the electrostatic potential of an electron, at
        even heights from the bottom of the cell), ``work_functions_eV`` ([top, bottom], None in a crystal), ``seconds``.

    Raises
    ------
    EngineError
        If the calculation fails or does not converge.
    """
    started = time.perf_counter()
    bare = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    bare.calc = calculator
    try:
        energy = float(bare.get_potential_energy())
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise EngineError(f"the ground state of {bare.get_chemical_formula()} was not found: {what}") from error
    ground = ground_state_of(calculator)
    potential = np.asarray(ground.get_electrostatic_potential()).mean(axis=(0, 1))
    eigenvalues = np.asarray(ground.eigenvalues())
    return {
        "energy_eV": energy,
        "fermi_eV": float(ground.get_fermi_level()),
        "valence_electrons": float(ground.get_number_of_electrons()),
        "eigenvalues_eV": np.round(eigenvalues, 5).tolist(),
        "k_weights": np.round(np.asarray(ground.get_k_point_weights()), 12).tolist(),
        "k_points": len(ground.get_bz_k_points()),
        "potential_eV": np.round(potential, 5).tolist(),
        "work_functions_eV": _work_functions(ground),
        "seconds": round(time.perf_counter() - started, 3),
    }


def ground_state_of(calculator: Any) -> Any:
    """Return GPAW's own calculator, which an engine may keep inside its own.

    Raises
    ------
    EngineError
        If there is none: the engine does not solve the electronic structure with GPAW.
    """
    for one in (calculator, getattr(calculator, "inner", None)):
        if hasattr(one, "get_all_electron_density") and hasattr(one, "dft"):
            return one
    raise EngineError(f"{type(calculator).__name__} gives no electron density; expected the engine 'gpaw'")


def packed(ground: Any) -> str:
    """Return a ground state as text, densities in single precision (which moves charges by less than 1e-5 electrons)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ground-state.gpw"
        ground.write(path, precision="single", include_projections=False)
        return base64.b64encode(zlib.compress(path.read_bytes(), 6)).decode()


def opened(text: str) -> Any:
    """Return GPAW's calculator with the ground state that `packed` wrote.

    Raises
    ------
    InputError
        If the text is not such a state.
    """
    from gpaw import GPAW

    try:
        inflater = zlib.decompressobj()
        content = inflater.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
        if inflater.unconsumed_tail or not inflater.eof:
            raise InputError("a stored ground state is cut off or too large; compute it again")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ground-state.gpw"
            path.write_bytes(content)
            return GPAW(path, txt=None)
    except (ValueError, zlib.error, OSError, KeyError) as error:
        raise InputError(f"a stored ground state cannot be read ({type(error).__name__}); compute it again") from error


def all_electron_density(ground: Any, refinement: int) -> Field:
    """Return the density of all electrons, cores included, on the grid of the ground state, refined.

    Electrons per cubic angstrom. Close to nuclei, where no such grid resolves it, GPAW corrects it atom by atom so that
    it integrates to all electrons.
    """
    values = np.asarray(ground.get_all_electron_density(gridrefinement=refinement), float)
    return Field(values, np.asarray(ground.atoms.cell[:], float))


def pseudo_density(ground: Any, refinement: int) -> Field:
    """Return the smooth pseudo density on the same grid, electrons per cubic angstrom."""
    values = np.asarray(ground.get_pseudo_density(gridrefinement=refinement), float)
    return Field(values, np.asarray(ground.atoms.cell[:], float))


def free_atoms(ground: Any) -> dict[str, FreeAtom]:
    """Return the free atom of each element, all electrons: the reference atom of its PAW data set.

    Neutral, spherical, not spin polarized, with the functional of the data set: core density plus occupied partial waves.
    """
    found = {}
    for setup in ground.setups:
        data = setup.data
        # the core is stored times the square root of 4 pi, the waves without their spherical harmonic
        density = np.asarray(data.nc_g, float) / math.sqrt(4 * math.pi)
        for occupation, wave in zip(data.f_j, data.phi_jg, strict=True):
            if occupation > 0:
                density = density + occupation * np.asarray(wave, float) ** 2 / (4 * math.pi)
        found[str(setup.symbol)] = FreeAtom(np.asarray(data.rgd.r_g, float) * Bohr, density / Bohr**3)
    return found


def _work_functions(ground: Any) -> list[float] | None:
    """Return the work functions of top and bottom; None where there is no vacuum or no dipole layer in it."""
    try:
        top, bottom = (float(one) for one in ground.dft.workfunctions())
    except Exception as error:
        # GPAW's class for "no vacuum" or "no dipole layer" is private
        if type(error).__name__ != "NonsenseError":
            raise
        return None
    return [top, bottom] if math.isfinite(top) and math.isfinite(bottom) else None


def bands_on_mesh(ground: Any, mesh: tuple[int, int, int], above_eV: float) -> tuple[Array, Array]:
    """Return the eigenvalues on another mesh of k-points, in the potential of the ground state.

    Parameters
    ----------
    ground
        Of a crystal whose electrons are paired.
    mesh
        Number of points along each reciprocal vector; it holds the zone centre.
    above_eV
        Bands are converged to this height above the lowest empty one.

    Returns
    -------
    bands_eV
        (n1, n2, n3, bands) over the whole zone.
    distinct_eV
        (k, bands) at the points that symmetry tells apart.
    """
    filled = math.ceil(ground.get_number_of_electrons() / 2)
    dense = ground.fixed_density(
        kpts={"size": mesh, "gamma": True},
        txt=None,
        convergence={"bands": f"CBM+{above_eV:g}"},
        nbands=filled + max(6, filled // 2),
    )
    dense.get_potential_energy()
    distinct = np.asarray(dense.eigenvalues(), float)[0]
    zone = dense.dft.ibzwfs.ibz
    n1, n2, n3 = mesh
    return distinct[np.asarray(zone.bz2ibz_K)].reshape(n1, n2, n3, -1), distinct


def mesh_of(cell_A: Array, length_A: float) -> tuple[int, int, int]:
    """Return the mesh whose points are as dense in every direction as those of a period of this length would be."""
    reciprocal = np.linalg.norm(np.linalg.inv(np.asarray(cell_A, float)).T, axis=1)
    n1, n2, n3 = (max(1, math.ceil(length_A * float(b) - 1e-9)) for b in reciprocal)
    return n1, n2, n3
