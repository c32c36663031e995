"""Bulk crystals with EMT: two ways to one modulus, exact symmetry, axes that do not matter, what is unstable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from matplotlib.figure import Figure

from sodiophile.atomistic import calculation
from sodiophile.atomistic.bulk_result import _independent_lattice
from sodiophile.atomistic.elastic import moduli, stability, symmetrized
from sodiophile.errors import InputError
from sodiophile.result import Result
from sodiophile.schema import checked

Compute = Callable[..., Any]
FINE = "0.001 eV/angstrom"


def _cubic(c11: float, c12: float, c44: float) -> np.ndarray:
    C = np.diag([c11 - c12] * 3 + [c44] * 3)
    C[:3, :3] += c12
    return C


def _matrix(done: Any) -> np.ndarray:
    return done.result.table("elastic").drop("row").to_numpy()


@pytest.fixture
def copper(compute: Compute) -> Any:
    return compute("bulk", structure="Cu", fmax=FINE)


def test_energies_and_stresses_of_copper_agree(copper: Any) -> None:
    """B = (C11 + 2 C12) / 3, from stresses, is that of the energies; so is the volume."""
    c11, c12, c44 = (copper.value(f"elastic:C{ij}") for ij in ("11", "12", "44"))
    assert (c11 + 2 * c12) / 3 == pytest.approx(copper.value("bulk_modulus"), rel=0.01)
    assert copper.value("volume_from_stress") == pytest.approx(copper.value("volume"), rel=1e-3)
    assert c11 > c12 > 0
    assert c44 > 0
    assert copper.result.verdicts["energies_against_stresses"].answer == "the same"
    assert copper.result.verdicts["mechanical_stability"].answer == "stable against any small strain"
    assert copper.value("lattice:a") == pytest.approx((4 * copper.value("volume")) ** (1 / 3), rel=1e-4)
    assert copper.value("cohesive_energy") > 0


def test_the_symmetry_of_the_crystal_is_exact(copper: Any) -> None:
    C = _matrix(copper)
    assert np.allclose(C, _cubic(C[0, 0], C[0, 1], C[3, 3]), rtol=0, atol=1e-9 * C.max())
    assert copper.value("elastic_asymmetry") < 0.5
    assert [name for name in copper.result.quantities if name.startswith("elastic:")] == [
        "elastic:C11",
        "elastic:C12",
        "elastic:C44",
    ]


def test_the_axes_and_the_cell_of_the_file_do_not_matter(copper: Any, compute: Compute, tmp_path: Path) -> None:
    turned = bulk("Cu", a=3.65, cubic=True)
    turned.rotate(37.0, (1, 2, 3), rotate_cell=True)
    write(tmp_path / "turned.xyz", turned, format="extxyz")
    other = compute("bulk", structure=str(tmp_path / "turned.xyz"), fmax=FINE)
    assert _matrix(other) == pytest.approx(_matrix(copper), abs=0.3)
    for name in ("volume", "bulk_modulus", "shear_modulus", "lattice:a"):
        assert other.value(name) == pytest.approx(copper.value(name), rel=3e-3)


def test_only_what_symmetry_leaves_of_the_lattice_is_told(copper: Any) -> None:
    def told(*lattice: float) -> list[str]:
        return list(_independent_lattice(lattice)[0])

    assert [name for name in copper.result.quantities if name.startswith("lattice:")] == ["lattice:a"]
    assert "b = a, c = a, alpha = 90 degrees" in copper.result.quantities["lattice:a"].definition
    assert told(3.2, 3.2, 5.2, 90, 90, 120) == ["a", "c"]
    assert told(3, 4, 5, 90, 90, 90) == ["a", "b", "c"]
    assert told(3, 4, 5, 90, 101, 90) == ["a", "b", "c", "beta"]
    assert told(5, 5, 5, 70, 70, 70) == ["a", "alpha", "beta", "gamma"]


def test_it_can_be_drawn(copper: Any) -> None:
    axes = Figure().add_subplot()
    copper.result.drawer(copper.result, axes)
    assert axes.get_xlabel().startswith("volume")


def test_moduli_of_an_isotropic_solid_have_no_bounds() -> None:
    K, G = 100.0, 40.0
    found = moduli(_cubic(K + 4 * G / 3, K - 2 * G / 3, G))
    assert (found.bulk_voigt, found.bulk_reuss, found.shear_voigt, found.shear_reuss) == pytest.approx((K, K, G, G))
    assert found.young == pytest.approx(9 * K * G / (3 * K + G))
    assert found.young == pytest.approx(2 * G * (1 + found.poisson))


def test_voigt_is_never_below_reuss() -> None:
    random = np.random.default_rng(5)
    for _ in range(50):
        A = random.normal(size=(6, 6))
        found = moduli(A @ A.T + 0.1 * np.eye(6))
        assert found.bulk_voigt >= found.bulk_reuss > 0
        assert found.shear_voigt >= found.shear_reuss > 0


@pytest.mark.parametrize(("c11", "c12", "c44"), [(100.0, 120.0, 50.0), (100.0, 50.0, -1.0), (100.0, -60.0, 50.0)])
def test_each_of_borns_criteria_of_a_cubic_crystal_is_seen(c11: float, c12: float, c44: float) -> None:
    assert stability(_cubic(c11, c12, c44))[0] < 0
    assert stability(_cubic(100.0, 50.0, 50.0))[0] > 0


def test_symmetrizing_takes_out_what_the_crystal_forbids_only() -> None:
    crystal, random = bulk("Cu", a=3.6, cubic=True), np.random.default_rng(3)
    C = _cubic(170.0, 120.0, 75.0)
    assert symmetrized(C, crystal)[0] == pytest.approx(C, abs=1e-9)
    found, _ = symmetrized(C + random.normal(size=(6, 6)), crystal)
    assert found == pytest.approx(_cubic(found[0, 0], found[0, 1], found[3, 3]), abs=1e-9)
    low = Atoms("Cu2", positions=[(0, 0, 0), (0.9, 1.1, 1.3)], cell=[3.0, 3.5, 4.1, 80, 85, 95], pbc=True)
    general = C + (noise := random.normal(size=(6, 6))) + noise.T
    assert symmetrized(general, low)[1] == pytest.approx(general, abs=1e-9)


def test_a_strain_too_large_is_one_line() -> None:
    kind = calculation("bulk")
    with pytest.raises(InputError, match="strain"):
        checked(kind.inputs, {"engine": "emt", "structure": "Cu", "strain": 0.5}, "bulk")


def test_dft_leaves_elastic_constants_out() -> None:
    pytest.importorskip("gpaw")
    kind = calculation("bulk")
    task = kind.plan(checked(kind.inputs, {"engine": "gpaw", "structure": "Na"}, "bulk"))
    assert list(task.after) == ["crystal"]


def test_without_stresses_the_lattice_is_told_and_stability_is_not(copper: Any, tmp_path: Path) -> None:
    """What an engine of density functional theory leaves: the crystal relaxed by energies alone."""
    copper.task.call({"crystal": copper.outcome("curve")}, tmp_path)
    alone = Result.load(tmp_path)
    assert alone.quantities["bulk_modulus"].value == copper.value("bulk_modulus")
    assert not [name for name in alone.quantities if name.startswith("elastic") or "stress" in name]
    verdict = alone.verdicts["mechanical_stability"]
    assert verdict.answer == "cannot be told"
    assert "no elastic constants with" in verdict.evidence[0]
    calculation("bulk").draw(alone, Figure().add_subplot())


def test_a_crystal_that_a_shear_makes_lower_is_unstable_and_has_no_moduli(copper: Any) -> None:
    result = copper.again(elastic={"elastic_GPa": _cubic(100.0, 110.0, 50.0).tolist()})
    assert result.verdicts["mechanical_stability"].answer.startswith("unstable")
    assert "shear_modulus" not in result.quantities
    assert result.verdicts["energies_against_stresses"].answer.startswith("not the same")
