"""The DFT engine: what it is asked for, what it refuses; small runs where GPAW is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111

from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.engines.base import as_recorded, on_one_curve
from sodiophile.atomistic.engines.gpaw import dispersion, parameters
from sodiophile.errors import EngineError, MissingExtraError

SETTINGS = {"xc": "PBE", "ecut": 350.0, "ecut_lattice": 600.0, "kpts": 1.8, "kpts_crystal": 4.0, "width": 0.1}
needs_dispersion = pytest.mark.skipif(importlib.util.find_spec("dftd3") is None, reason="dftd3 is not installed")
needs_gpaw = pytest.mark.skipif(importlib.util.find_spec("gpaw") is None, reason="GPAW is not installed")


def test_a_slab_has_its_dipole_corrected_and_no_symmetry() -> None:
    slab = fcc111("Al", (2, 2, 3), vacuum=6.0)
    slab.pbc = (True, True, False)
    asked = parameters(SETTINGS, slab)
    assert asked["poissonsolver"] == {"dipolelayer": "xy"}
    assert asked["symmetry"] == {"point_group": False}
    assert asked["kpts"]["size"][2] == 1
    assert parameters(SETTINGS, slab)["mode"]["ecut"] == 350.0


def test_a_crystal_has_dense_k_points_and_a_free_atom_its_spin() -> None:
    crystal = parameters(SETTINGS, bulk("Al", cubic=True))
    assert "symmetry" not in crystal
    assert "poissonsolver" not in crystal
    density = np.array(crystal["kpts"]["size"]) * 4.05 / (2 * np.pi)
    assert np.all(density >= 4.0 - 1e-6)
    free = parameters(SETTINGS, Atoms("Na", cell=[9, 9, 9], pbc=False))
    assert free["hund"]
    assert free["occupations"]["width"] == 0.0
    assert "kpts" not in free


def test_strained_cells_share_their_k_points() -> None:
    crystal = bulk("Al", cubic=True)
    larger = crystal.copy()
    larger.set_cell(crystal.cell * 1.4, scale_atoms=True)
    assert parameters(SETTINGS, larger)["kpts"] != parameters(SETTINGS, crystal)["kpts"]
    same = parameters(SETTINGS, larger, crystal.cell[:])
    assert same["kpts"] == parameters(SETTINGS, crystal)["kpts"]
    assert same["mode"]["ecut"] == 600.0


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_density_of_k_points_does_not_change_with_the_supercell(count: int) -> None:
    small = fcc111("Al", (1, 1, 3), vacuum=6.0)
    small.pbc = (True, True, False)
    large = small.repeat((count, count, 1))
    few, many = (np.array(parameters(SETTINGS, one)["kpts"]["size"][:2]) for one in (large, small))
    length = np.linalg.norm(2 * np.pi * np.linalg.inv(small.cell[:]).T, axis=1)[:2]
    assert np.all(few * count >= 1.8 * length - 1e-5)
    assert np.all(many >= 1.8 * length - 1e-5)
    assert np.all(few % 2 == 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpaw[xc=HSE]", "found xc=HSE, expected one of PBE"),
        ("gpaw[ecut=20]", "found ecut=20, expected a number from 150"),
        ("gpaw[ecut=nan]", "found ecut=nan"),
        ("gpaw[spin=2]", "'spin' is no option"),
        ("gpaw[dispersion=TS]", "found dispersion=TS, expected D3"),
        ("gpaw[xc=LDA, dispersion=D3]", "no D3 for LDA"),
        ("gpaw[ecut]", "expected options such as"),
        ("emt[ecut=300]", "takes no options"),
    ],
)
def test_a_wrong_option_is_one_line(name: str, message: str) -> None:
    with pytest.raises(EngineError, match=message.replace("[", r"\[")):
        engine(name)


def test_options_are_part_of_the_name_and_defaults_are_not() -> None:
    assert engine("gpaw[xc=pbe, ecut=350]").name == "gpaw"
    assert engine("GPAW[ecut=400,xc=rpbe]").name == "gpaw[xc=RPBE, ecut=400]"
    assert engine("gpaw[ecut=400]").settings["ecut"] == 400.0


def test_a_recorded_identity_needs_no_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    one = engine("gpaw")
    monkeypatch.setattr(type(one), "installed", property(lambda _: False))
    with pytest.raises(MissingExtraError, match="dft"):
        one.identity()
    kept = {"engine": "gpaw", "version": "1.0"}
    with as_recorded({"gpaw": kept}):
        assert one.identity() == kept
    with pytest.raises(MissingExtraError):
        one.identity()


@needs_gpaw
def test_the_identity_holds_the_data_sets() -> None:
    pbe, rpbe = engine("gpaw").identity(), engine("gpaw[xc=RPBE]").identity()
    assert len(pbe["paw_sha256"]) == 64
    assert pbe["paw_sha256"] != rpbe["paw_sha256"]
    assert pbe["version"] == rpbe["version"] != "unknown"


@needs_gpaw
def test_an_energy_does_not_depend_on_what_was_asked_before() -> None:
    """The calculator is kept while atoms move and made anew for another cell: neither may leave a trace."""
    calculator = engine("gpaw[ecut=200, kpts_crystal=1.5]").calculator()

    def energy(lattice: float) -> float:
        atoms = bulk("Al", "fcc", a=lattice)
        atoms.calc = calculator
        return float(atoms.get_potential_energy())

    first = energy(4.05)
    energy(4.2)
    with on_one_curve(calculator, bulk("Al", "fcc", a=3.0).cell[:]):
        assert energy(4.05) != first
    assert energy(4.05) == pytest.approx(first, abs=1e-3)


def test_without_dispersion_nothing_of_it_is_in_the_identity() -> None:
    plain, more = engine("gpaw"), engine("gpaw[dispersion=d3]")
    assert "dispersion" not in plain.settings
    assert more.settings == {**plain.settings, "dispersion": "D3(BJ)"}
    assert engine(more.name) is more
    assert "PBE-D3(BJ)" in more.summary


def _graphite(interlayer_A: float) -> Atoms:
    places = [(0, 0, 0), (1 / 3, 2 / 3, 0), (0, 0, 0.5), (2 / 3, 1 / 3, 0.5)]
    return Atoms("C4", scaled_positions=places, cell=[2.46, 2.46, 2 * interlayer_A, 90, 90, 120], pbc=True)


@needs_dispersion
def test_dispersion_holds_graphite_together_and_has_the_right_derivatives() -> None:
    """Layers of graphite are bound by 35 to 70 meV an atom in all, by dispersion more, for PBE repels there."""
    near, far = dispersion(_graphite(3.35), "PBE"), dispersion(_graphite(30.0), "PBE")
    assert 0.035 < (far["energy"] - near["energy"]) / 4 < 0.12
    assert dispersion(_graphite(3.35), "RPBE")["energy"] != near["energy"]

    shift = 1e-5  # pairs cross the cutoff, with a step in the energy, when atoms move further
    atoms = _graphite(3.35)
    atoms.positions[0] += 0.2
    forces = dispersion(atoms, "PBE")["forces"]
    pair = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[0, 2] += sign * shift
        pair.append(dispersion(moved, "PBE")["energy"])
    assert forces[0, 2] == pytest.approx((pair[1] - pair[0]) / (2 * shift), rel=1e-4)
    assert np.allclose(forces.sum(axis=0), 0.0, atol=1e-9)

    atoms, pair = _graphite(3.35), []
    for sign in (1, -1):
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ np.diag([1, 1, 1 + 1e-4 * sign]), scale_atoms=True)
        pair.append(dispersion(strained, "PBE")["energy"])
    expected = (pair[0] - pair[1]) / (2e-4 * atoms.get_volume())
    assert dispersion(atoms, "PBE")["stress"][2] == pytest.approx(expected, rel=1e-4)


@needs_gpaw
@needs_dispersion
def test_the_calculator_adds_dispersion_to_energy_forces_and_stress() -> None:
    crystal = bulk("Al", cubic=True)
    crystal.positions[0, 0] += 0.1
    found = {}
    for name in ("gpaw[ecut=200, kpts_crystal=1]", "gpaw[ecut=200, kpts_crystal=1, dispersion=D3]"):
        atoms = crystal.copy()
        atoms.calc = engine(name).calculator()
        found[name] = (atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress())
    plain, more = found.values()
    only = dispersion(crystal, "PBE")
    for one, two, part in zip(plain, more, (only["energy"], only["forces"], only["stress"]), strict=True):
        assert np.allclose(np.asarray(two) - np.asarray(one), part, atol=2e-4)
