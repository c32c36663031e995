"""From made-up divided densities to the result: numbers, words, files and pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.io.cube import read_cube

from sodiophile.atomistic import charge_density as module
from sodiophile.atomistic.charge_density import ChargeDensityInputs
from sodiophile.atomistic.charge_density_pictures import SURFACES, centred, common_level, held_part, read_attachment
from sodiophile.atomistic.charge_density_result import assemble
from sodiophile.atomistic.engines.base import as_recorded
from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.relaxation import pack
from sodiophile.report.figures import draw
from sodiophile.result import Result
from sodiophile.schema import checked
from sodiophile.task import Task

CELL = np.diag([4.0, 4.0, 16.0])
MOVED_E = 0.6
CHARGE_E = 0.7


@pytest.fixture(autouse=True, scope="module")
def _without_gpaw() -> Iterator[None]:
    with as_recorded({"gpaw": {"engine": "gpaw", "package": "gpaw", "version": "0"}}):
        yield


def planned(**changes: Any) -> Task:
    inputs = {"structure": "Al", "adsorbate": "Na", "supercell": "1x1", "layers": 2, "relax_engine": "emt", **changes}
    return module.plan(checked(ChargeDensityInputs, inputs))


def ball(height_A: float, electrons: float) -> np.ndarray:
    """A normalized Gaussian in the middle of the plane, with its periodic images."""
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in (20, 20, 80)), indexing="ij"), axis=-1) @ CELL
    values = np.zeros(grid.shape[:3])
    for i, j in np.ndindex(3, 3):
        d = grid - np.array([2.0 + 4.0 * (i - 1), 2.0 + 4.0 * (j - 1), height_A])
        values += np.exp(-0.5 * np.sum(d**2, axis=-1) / 0.5**2)
    return np.asarray(values * electrons / (2 * np.pi * 0.25) ** 1.5)


def divided(count: int) -> dict[str, Any]:
    """Electrons that go from the adatom, the last of the atoms, to between it and the slab."""
    heights = np.append(np.linspace(5.0, 7.0, count - 1), 10.0)
    atoms = Atoms(["Al"] * (count - 1) + ["Na"], [[2.0, 2.0, z] for z in heights], cell=CELL, pbc=(True, True, False))
    field = Field(ball(8.5, MOVED_E) + ball(10.5, -MOVED_E), CELL)
    shares = np.full(count - 1, -CHARGE_E / (count - 1))
    charges = {
        "charges_e": [*shares, CHARGE_E], "volumes_A3": [20.0] * count, "vacuum_electrons": 0.0, "vacuum_A3": 0.0,
        "elsewhere": [[0.0, 0.0, 0.0, 1e-4]],
    }  # fmt: skip
    alone = {**charges, "charges_e": [0.0] * (count - 1)}
    displaced = {"accumulated_e": MOVED_E, "depleted_e": -MOVED_E, "net_e": 0.0}
    state = {"work_functions_eV": [3.1, 4.2], "potential_eV": [4.0] * 80, "fermi_eV": 1.0}
    lines = field.planar_sum()
    return {
        "bader": charges,
        "bader_coarser": {**charges, "charges_e": [*shares, CHARGE_E - 0.03]},
        "bader_slab_alone": alone,
        "hirshfeld_e": [*(shares / 3), CHARGE_E / 3],
        "hirshfeld_coarser_e": [*(shares / 3), CHARGE_E / 3],
        "hirshfeld_slab_alone_e": [0.0] * (count - 1),
        "displaced": displaced,
        "displaced_coarser": displaced | {"accumulated_e": MOVED_E + 0.01},
        "displaced_pseudo": displaced | {"accumulated_e": MOVED_E - 0.02},
        "planar": {
            "height_A": field.planes_A().tolist(),
            "difference_e_A": lines.tolist(),
            "displaced_below_e": (np.cumsum(lines) * 0.2).tolist(),
        },
        "difference": field.packed(),
        "atoms": pack(atoms, 9),
        "states": {"whole": state, "slab": {"work_functions_eV": [4.2, 4.2]}, "adatom": {"work_functions_eV": [2.0, 2.0]}},
    }


def outcomes(task: Task) -> dict[str, Any]:
    count = len(task.inputs["surface"]["slab"]["symbols"]) + 1
    slab = Atoms("Al", cell=CELL, pbc=(True, True, False))
    mesh = {"edges_eV": {"gap_eV": None}, "dos_per_eV": [0.4, 0.4, 0.4]}
    found: dict[str, Any] = {
        "clean": {"work_functions_eV": [4.2, 4.2], "potential_eV": [4.0] * 79 + [4.01], "atoms": pack(slab)},
        "crystal": {
            "meshes": [{**mesh, "mesh": [6, 6, 6]}, {**mesh, "mesh": [9, 9, 9], "dos_per_eV": [0.4, 0.38, 0.4]}],
            "energies_above_fermi_eV": [-1.0, 0.0, 1.0],
            "atoms": pack(Atoms("Al", cell=CELL, pbc=True)),
            "made_with": {"ase": "0"},
        },
    }
    return found | {name: divided(count) for name in task.after if name.startswith("site")}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    task, folder = planned(), tmp_path_factory.mktemp("result")
    assemble(task.inputs, outcomes(task), {}, folder)
    return Result.load(folder, drawer=module.CALCULATION.draw)


def test_the_numbers_are_those_that_were_divided(result: Result) -> None:
    for site in result.table("sites")["site"]:
        assert result.quantities[f"accumulated:{site}"].value == pytest.approx(MOVED_E)
        assert result.quantities[f"accumulated:{site}"].uncertainty == pytest.approx(0.02)
        assert result.quantities[f"bader_charge:{site}"].value == pytest.approx(CHARGE_E)
        assert result.quantities[f"bader_charge:{site}"].uncertainty == pytest.approx(0.03)
        assert result.quantities[f"work_function:{site}"].value == 3.1
    assert result.quantities["work_function:clean"].value == 4.2
    assert result.quantities["dos_at_fermi"].value == pytest.approx(0.38)
    assert result.quantities["dos_at_fermi"].uncertainty == pytest.approx(0.02)
    row = result.table("sites").to_dicts()[0]
    assert row["work_function_change_eV"] == pytest.approx(-1.1)
    # what of both clouds lies between the top layer, 3 sigma below the one, and the adatom, 1 sigma below the other
    between = MOVED_E * (0.5 + 0.5 * erf(3 / sqrt(2)) - 0.0013 - 0.1587)
    assert row["gained_between_e"] == pytest.approx(between, abs=0.05)
    assert row["peak_above_top_layer_A"] + 7.0 == pytest.approx(8.4, abs=0.3)
    # 0.6 e that went 2 A down, over 16 A2: a dipole that the potentials given above do not have
    assert row["vacuum_step_eV"] == pytest.approx(1.1)
    assert row["vacuum_step_by_dipole_eV"] == pytest.approx(180.951 * MOVED_E * 2.0 / 16.0, rel=1e-3)
    assert any("moves the two vacuum levels apart by +1.10 eV" in sentence for sentence in result.warnings)
    atoms = result.table("atoms")
    assert atoms.filter(atoms["site"] == row["site"])["bader_charge_e"].sum() == pytest.approx(0.0, abs=1e-12)


def test_the_words_follow_the_numbers(result: Result) -> None:
    assert result.verdicts["electrons_go"].answer == "from Na to Al"
    assert result.verdicts["interlayer"].answer == "conductor"
    assert result.verdicts["work_function"].answer == "lowered"
    assert any("emt, a potential" in sentence for sentence in result.warnings)
    assert not any("maxima" in sentence for sentence in result.warnings)


def test_every_quantity_is_announced_and_defined(result: Result) -> None:
    announced = {name.partition(":")[0] for name in module.CALCULATION.quantities or {}}
    assert {name.partition(":")[0] for name in result.quantities} == announced
    assert all(quantity.definition for quantity in result.quantities.values())


def test_the_cube_holds_the_difference_in_bohr(result: Result) -> None:
    name = next(name for name in result.attachments if name.endswith(".cube"))
    read = read_cube(io.StringIO(result.attachments[name]), read_data=True)
    assert read["data"].shape == (20, 20, 80)
    voxel = abs(np.linalg.det(read["atoms"].cell[:])) / read["data"].size / 0.529177210903**3
    positive = read["data"][read["data"] > 0].sum() * voxel
    # two clouds 4 sigma apart, less what they take from each other
    assert positive == pytest.approx(MOVED_E * erf(sqrt(2)), rel=0.005)
    assert read["data"].sum() * voxel == pytest.approx(0.0, abs=1e-3)
    assert np.allclose(read["atoms"].cell[:], CELL, atol=1e-4)


def test_surfaces_stand_where_the_electrons_are(result: Result) -> None:
    for meshes in read_attachment(result.attachments[SURFACES]).values():
        gained, lost = (meshes[name].vertices_A for name in ("accumulation", "depletion"))
        assert gained[:, 2].mean() == pytest.approx(8.5, abs=0.3)
        assert lost[:, 2].mean() == pytest.approx(10.5, abs=0.3)
        # the adatom in the middle of the plane
        assert gained[:, :2].mean(axis=0) == pytest.approx([2.0, 2.0], abs=0.1)
        assert meshes["accumulation"].volume_A3() > 0
    table = result.table("surfaces")
    assert (table["part_of_accumulation_inside"] >= 0.45).all()


def test_an_isovalue_is_taken_and_changes_no_other_task(tmp_path: Path) -> None:
    task, plain = planned(isovalue="0.02 1/angstrom^3"), planned()
    assert task.key != plain.key
    assert {name: one.key for name, one in task.after.items()} == {name: one.key for name, one in plain.after.items()}
    assemble(task.inputs, outcomes(task), {}, tmp_path)
    result = Result.load(tmp_path)
    assert result.table("surfaces")["level_e_per_A3"].to_list() == pytest.approx([0.02] * len(result.table("sites")))
    assert result.table("surfaces")["level_e_per_bohr3"][0] == pytest.approx(0.02 * 0.529177210903**3)


def test_it_can_be_drawn_with_one_site_and_with_all(result: Result, tmp_path: Path) -> None:
    figure = draw(result)
    assert figure is not None
    assert len(figure.png) > 10_000
    assert len(figure.svg) < 1_500_000
    task = planned(sites=result.table("sites")["site"][0])
    assemble(task.inputs, outcomes(task), {}, tmp_path / "one")
    assert draw(Result.load(tmp_path / "one", drawer=module.CALCULATION.draw)) is not None


def test_a_common_level_holds_half_of_either_sign() -> None:
    field = Field(ball(8.5, 0.5) + ball(4.0, -0.3) + ball(12.0, -0.2), CELL)
    level = common_level([field])
    assert held_part(field, level) >= 0.49
    assert held_part(Field(-field.values, CELL), level) >= 0.49


def test_centring_moves_atoms_and_field_alike() -> None:
    atoms = Atoms("AlNa", [[0.0, 0.0, 5.0], [3.3, 0.4, 9.0]], cell=CELL, pbc=(True, True, False))
    values = np.zeros((20, 20, 80))
    values[17, 2, 45] = 1.0  # nearly at the adatom
    moved, field, rest = centred(atoms, Field(values, CELL))
    spot = np.array(np.unravel_index(int(np.argmax(field.values)), field.shape)) / np.array(field.shape) @ CELL + rest
    before = np.array([17 / 20, 2 / 20, 45 / 80]) @ CELL - atoms.positions[1]
    assert spot - moved.positions[1] == pytest.approx(before, abs=1e-9)
    assert moved.positions[1, :2] == pytest.approx([2.0, 2.0])
    apart = moved.positions[0] - moved.positions[1] - (atoms.positions[0] - atoms.positions[1])
    assert np.allclose(apart[:2] / 4.0, np.round(apart[:2] / 4.0), atol=1e-9)
