"""The lattice from energies: exact on its own equation, equal to the stress where the stress is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.units import GPa

from sodiophile.atomistic.adsorption_tasks import relax_crystal
from sodiophile.atomistic.crystal_energies import birch_murnaghan, relax_crystal_by_energies
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.engines.base import as_recorded
from sodiophile.atomistic.planning import crystal_task
from sodiophile.atomistic.relaxation import pack
from sodiophile.errors import EngineError


def curve(volumes: np.ndarray, volume: float, modulus: float, derivative: float) -> np.ndarray:
    """The equation as it is printed, with its own parameters."""
    x = (volume / volumes) ** (2 / 3)
    return -3.0 + 9 * volume * modulus / 16 * ((x - 1) ** 3 * derivative + (x - 1) ** 2 * (6 - 4 * x))


@pytest.mark.parametrize(("modulus_GPa", "derivative"), [(7.0, 3.6), (320.0, 4.4)])
def test_the_equation_gives_its_parameters_back(modulus_GPa: float, derivative: float) -> None:
    volumes = 40.0 * np.array([0.93, 0.97, 1.0, 1.02, 1.06])
    found = birch_murnaghan(volumes, curve(volumes, 39.7, modulus_GPa * GPa, derivative))
    assert found["volume_A3"] == pytest.approx(39.7, rel=1e-7)
    assert found["bulk_modulus_eV_A3"] / GPa == pytest.approx(modulus_GPa, rel=1e-5)
    assert found["pressure_derivative"] == pytest.approx(derivative, rel=1e-4)
    assert found["energy_eV"] == pytest.approx(-3.0, abs=1e-8)
    assert found["rms_eV"] < 1e-8


def test_no_minimum_is_no_lattice() -> None:
    volumes = np.linspace(40.0, 44.0, 5)
    with pytest.raises(EngineError, match="no minimum"):
        birch_murnaghan(volumes, curve(volumes, 50.0, 0.5, 4.0))


@pytest.mark.parametrize("scale", [0.94, 1.0, 1.05])
def test_energies_and_stress_find_one_lattice(tmp_path: Path, scale: float) -> None:
    crystal = bulk("Cu", cubic=True)
    crystal.set_cell(crystal.cell * scale, scale_atoms=True)
    inputs = {"engine": engine("emt").identity(), "crystal": pack(crystal), "fmax_eV_A": 1e-3, "max_steps": 100}
    by_energies = relax_crystal_by_energies(inputs, {}, {}, tmp_path)
    by_stress = relax_crystal(inputs, {}, {}, tmp_path)
    # five points 3 % apart; the modulus is a second derivative
    assert by_energies["volume_A3_per_atom"] == pytest.approx(by_stress["volume_A3_per_atom"], rel=1e-3)
    assert by_energies["bulk_modulus_GPa"] == pytest.approx(by_stress["bulk_modulus_GPa"], rel=0.05)
    assert by_energies["energy_eV_per_atom"] == pytest.approx(by_stress["energy_eV_per_atom"], abs=1e-4)


def test_a_crystal_far_from_any_minimum_is_refused(tmp_path: Path) -> None:
    crystal = bulk("Cu", cubic=True)
    crystal.set_cell(crystal.cell * 1.6, scale_atoms=True)
    inputs = {"engine": engine("emt").identity(), "crystal": pack(crystal), "fmax_eV_A": 1e-3, "max_steps": 100}
    with pytest.raises(EngineError, match="does not describe it"):
        relax_crystal_by_energies(inputs, {}, {}, tmp_path)


def test_dft_relaxes_crystals_by_energies() -> None:
    crystal = bulk("Cu", cubic=True)
    with as_recorded({"gpaw": {"engine": "gpaw"}}):
        tasks = [crystal_task(crystal, engine_name=name, fmax_eV_A=0.05, max_steps=9) for name in ("emt", "gpaw")]
    assert [task.function.partition(":")[2] for task in tasks] == ["relax_crystal", "relax_crystal_by_energies"]
