"""Adhesion with EMT: a metal on itself, supercells, strain left out, what does not converge, wrong inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import cos, radians
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from matplotlib.figure import Figure

from sodiophile.atomistic import adhesion, adhesion_tasks, calculation
from sodiophile.atomistic.adhesion_cells import EV_A2_IN_J_M2, cells_of
from sodiophile.atomistic.coincidence import Match
from sodiophile.atomistic.links import cell_parameters
from sodiophile.atomistic.relaxation import unpack
from sodiophile.errors import InputError
from sodiophile.physics.atoms_to_volts import barrier_constant_V2, nucleation_overpotential_V, wetting_contact_angle_deg
from sodiophile.physics.cell import load_cell
from sodiophile.physics.nucleation import wetting_factor
from sodiophile.result import Result
from sodiophile.schema import checked
from sodiophile.study.volts_tasks import energies_of

Compute = Callable[..., Any]
KIND = calculation("adhesion")
FINE = "0.01 eV/angstrom"


def _plan(**inputs: Any) -> Any:
    return KIND.plan(checked(KIND.inputs, {"engine": "emt", "structure": "Cu", "metal": "Ag", **inputs}, "adhesion"))


@pytest.fixture
def silver(compute: Compute) -> Any:
    """Ag(111) on Cu(001): it is strained, and has to be laid in one of several ways."""
    return compute("adhesion", structure="Cu", metal="Ag", max_area="70 angstrom^2", matches=1, relaxations=2, fmax=FINE)


@pytest.mark.parametrize("facet", ["111", "001"])
def test_a_metal_on_itself_takes_twice_its_surface_energy(compute: Compute, facet: str) -> None:
    """Both faces that a cut makes: W = 2 gamma, from two ways that share no slab."""
    done = compute(
        "adhesion", structure="Cu", metal="Cu", facet=facet, metal_facet=facet, max_area="8 angstrom^2", fmax=FINE, layers=7
    )
    gamma, W = done.value("surface_energy"), done.value("work_of_adhesion")
    assert 2 * gamma == pytest.approx(W, rel=5e-3)
    assert done.value("contact_angle") == pytest.approx(0.0, abs=10.0)
    assert abs(done.value("spreading")) < 0.01
    best = done.result.table("cells").sort("work_of_adhesion_J_m2")[-1].to_dicts()[0]
    assert best["turn_deg"] == pytest.approx(0.0, abs=1e-6)
    assert best["strain_energy_J_m2"] == pytest.approx(0.0, abs=1e-6)
    # the crystal goes on where it was cut
    crystal = unpack(done.outcome("metal")["crystal"])
    spacing = crystal.cell.volume / len(crystal) / best["area_A2"]
    assert best["gap_A"] == pytest.approx(spacing, abs=0.03)


def test_the_supercell_does_not_matter(compute: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same common cell, and one of twice the area that is sheared: the same interface described in two ways."""
    other = np.array([[2, 1], [0, 1]])

    def both(matches: list[Match], wanted: int) -> list[Match]:
        first = matches[0]
        return [
            first,
            Match(other @ first.substrate, other @ first.film, 2 * first.area_A2, first.strains, first.angle_deg),
        ]

    monkeypatch.setattr(adhesion, "_chosen", both)
    done = compute("adhesion", structure="Cu", metal="Ag", max_area="70 angstrom^2", fmax=FINE, registries=1, relaxations=1)
    rows = done.result.table("cells").to_dicts()
    assert rows[1]["area_A2"] == pytest.approx(2 * rows[0]["area_A2"])
    for name in ("work_of_adhesion_J_m2", "work_of_separation_J_m2", "strain_energy_J_m2"):
        assert rows[1][name] == pytest.approx(rows[0][name], abs=3e-3)
    assert rows[1]["gap_A"] == pytest.approx(rows[0]["gap_A"], abs=0.02)


def test_strain_is_left_out_of_the_adhesion(silver: Any) -> None:
    row = silver.result.table("cells").to_dicts()[0]
    apart, strained = silver.outcome("0 apart"), silver.outcome("0 strained")
    clean, film = silver.outcome("clean"), silver.outcome("film")
    n, m = (int(x) for x in row["cell"].split(",")[0].removesuffix(" cells").split(" on "))
    assert max(map(abs, strained["strains"])) > 0.01
    # with the unstrained film as reference, the elastic energy of all of its layers would pass for poor adhesion
    naive = (n * clean["energy_eV"] + m * film["energy_eV"] - apart["interface_eV"]) / row["area_A2"] * EV_A2_IN_J_M2
    assert row["strain_energy_J_m2"] > 0.02
    assert naive == pytest.approx(row["work_of_adhesion_J_m2"] - row["strain_energy_J_m2"], abs=0.01)


def test_relaxing_the_parts_makes_them_easier_to_part(silver: Any) -> None:
    row = silver.result.table("cells").to_dicts()[0]
    assert row["work_of_separation_J_m2"] >= row["work_of_adhesion_J_m2"] > 0
    # every interface that was relaxed is below the rigid one that it started from
    area = row["area_A2"]
    tried = silver.outcome("0 tried")["tried"]
    assert [one["energy_eV"] for one in tried] == sorted(one["energy_eV"] for one in tried)
    for rank in range(2):
        assert silver.outcome(f"0 interface {rank}")["energy_eV"] <= tried[rank]["energy_eV"] + 1e-6
    assert area == pytest.approx(abs(np.linalg.det(np.array(silver.outcome("0 interface 0")["slab"]["cell_A"])[:2, :2])))


def test_the_angle_and_what_follows_from_it(silver: Any) -> None:
    value = silver.value
    expected = min(1.0, value("work_of_adhesion") / value("surface_energy") - 1)
    assert cos(radians(value("contact_angle"))) == pytest.approx(expected, abs=1e-9)
    assert value("wetting_factor") == pytest.approx(float(wetting_factor(value("contact_angle"))), abs=1e-9)
    assert value("spreading") == pytest.approx(value("work_of_adhesion") - 2 * value("surface_energy"), abs=1e-12)
    assert value("molar_volume") == pytest.approx(10.27, rel=0.03)  # Ag, experiment
    documented = {name.partition(":")[0] for name in KIND.quantities or {}}
    assert {name.partition(":")[0] for name in silver.result.quantities} <= documented
    for quantity in silver.result.quantities.values():
        assert "emt" in quantity.definition
    assert silver.result.warnings[0].startswith("emt is a potential, not DFT")
    assert len(silver.result.draw().child_axes) == 2
    assert list(silver.result.attachments) == ["Ag-111-Cu-001-interface-1.xyz"]


def test_a_surface_energy_that_is_given_makes_the_angle(silver: Any, compute: Compute) -> None:
    W = silver.value("work_of_adhesion")
    done = compute(
        "adhesion", structure="Cu", metal="Ag", max_area="70 angstrom^2", matches=1, relaxations=2, fmax=FINE,
        surface_energy=f"{W / 1.5:.6f} J/m^2",
    )  # fmt: skip
    assert done.value("contact_angle") == pytest.approx(60.0, abs=0.01)
    assert done.result.verdicts["wetting"].answer == "Ag wets Cu in part"
    assert "given by the user" in done.result.quantities["contact_angle"].definition
    assert done.value("surface_energy") == pytest.approx(silver.value("surface_energy"))


def test_the_barrier_knows_the_charge_of_the_ion(silver: Any, tmp_path: Path) -> None:
    """B goes with 1 / z^2; of a metal whose ion is not known there is none."""
    after = {name: silver.outcome(name) for name in silver.task.after}
    given = {"surface_energy_J_m2": silver.value("work_of_adhesion") / 1.5}
    found = {}
    for metal in ("Na", "Zn", "Ag"):
        replace(silver.task, inputs={**silver.task.inputs, **given, "metal": metal}).call(after, tmp_path)
        found[metal] = Result.load(tmp_path).quantities
    name = "nucleation_barrier_constant"
    assert found["Na"][name].value == pytest.approx(4 * found["Zn"][name].value, rel=1e-9)
    assert found["Na"][name].value > 0
    assert name not in found["Ag"]


def test_a_cell_takes_the_adhesion_and_nucleates_by_it(silver: Any) -> None:
    """Adhesion, contact angle, barrier, overpotential: two routes to the same angle, and the better it sticks the lower."""
    found = cell_parameters(silver.result)
    bare = load_cell("sodiophilic-na")
    assert bare.interlayer is not None
    volts = []
    for part in (0.1, 0.2):
        gamma = bare.substrate.interfacial_energy.value
        W = replace(found["interlayer.adhesion"], value=part * gamma)
        substrate = bare.changed({"interlayer.adhesion": W}).nucleation
        angle = float(wetting_contact_angle_deg(part * gamma, gamma))
        assert substrate.contact_angle_deg == pytest.approx(angle)
        B = barrier_constant_V2(gamma, angle, substrate.molar_volume_m3_mol, substrate.temperature_K)
        volts.append(float(nucleation_overpotential_V(B, substrate.attempt_frequency_1_s, 10.0)))
    assert volts[0] > volts[1] > 0
    whole = bare.changed(found).interlayer
    assert whole is not None
    assert whole.adhesion is not None
    assert whole.adhesion.value == silver.value("work_of_adhesion")
    assert (whole.adhesion.status, whole.adhesion.source) == ("computed", "calculation of adhesion, emt")
    none = replace(silver.result, quantities={})
    with pytest.raises(InputError, match="no work of adhesion"):
        cell_parameters(none)
    with pytest.raises(InputError, match="does not stick"):
        cell_parameters(replace(none, quantities={"work_of_adhesion": replace(found["interlayer.adhesion"], value=-0.1)}))
    with pytest.raises(InputError, match="sets no parameter of a cell"):
        cell_parameters(replace(none, kind="diffusion"))


def test_a_prediction_takes_the_adhesion_of_a_calculation(silver: Any) -> None:
    """What a table [[predictions]] of a study reads from the outcome of the last task."""
    outcome = silver.outcomes[silver.task.key]
    given = {"adhesion": None, "adsorption": None, "surface_energy": "0.55(5) J/m^2", "uncertainty": "0.1 J/m^2"}
    found = energies_of(given, outcome)
    assert found["adhesion"].value == pytest.approx(silver.value("work_of_adhesion"))
    assert (found["adhesion"].unit, found["adhesion"].uncertainty) == ("J/m^2", 0.1)
    with pytest.raises(InputError, match="states no uncertainty"):
        energies_of({**given, "uncertainty": None}, outcome)
    with pytest.raises(InputError, match="surface_energy: found no surface energy with an uncertainty"):
        energies_of({**given, "surface_energy": None}, outcome)


def test_held_layers_are_held_and_the_metal_is_free(silver: Any) -> None:
    one, clean = silver.outcome("0 interface 0"), silver.outcome("clean")
    both = unpack(one["slab"])
    split = one["substrate_atoms"]
    held = len(clean["fixed"]) * split // len(clean["slab"]["symbols"])
    lowest = np.sort(both.positions[:split, 2])[:held]
    cut = np.array(clean["cut"]["positions_A"])[clean["fixed"]][:, 2]
    assert np.ptp(lowest) == pytest.approx(np.ptp(cut), abs=1e-6)
    assert set(both.get_chemical_symbols()[:split]) == {"Cu"}
    assert set(both.get_chemical_symbols()[split:]) == {"Ag"}


def test_what_does_not_converge_is_not_used(silver: Any, tmp_path: Path) -> None:
    task = silver.task.after["0 apart"]
    after = {name: silver.outcomes[before.key] for name, before in task.after.items()}
    for rank in range(2):
        after[f"interface {rank}"] = {**after[f"interface {rank}"], "converged": False}
    nothing = adhesion_tasks.take_apart(task.inputs, after, {}, tmp_path)
    assert nothing == {"exists": False}
    result = silver.again(
        **{"0_apart": nothing, "0_interface_0": {"converged": False}, "0_interface_1": {"converged": False}}
    )
    assert result.verdicts["wetting"].answer == "cannot be told"
    assert not [name for name in result.quantities if name.startswith(("work", "contact"))]
    assert any("2 of 2 interfaces did not converge" in text for text in result.warnings)
    KIND.draw(result, Figure().add_subplot())


def test_with_k_points_only_equal_cells_compare(silver: Any) -> None:
    after = {name: dict(silver.outcome(name)) for name in silver.task.after}
    after["clean"]["energy_eV"] -= 1.0  # as if sampled otherwise
    inputs = silver.task.inputs
    free, sampled = cells_of(inputs, after)[0], cells_of(inputs, after, sampled=True)[0]
    assert free.adhesion_J_m2 is not None
    assert sampled.adhesion_J_m2 is not None
    assert free.adhesion_J_m2 < 0 < sampled.adhesion_J_m2
    assert sampled.adhesion_J_m2 == pytest.approx(silver.value("work_of_adhesion"), abs=0.01)


def test_states_that_hide_in_the_numbers_are_told(silver: Any) -> None:
    apart = silver.outcome("0 apart")
    lower = {**apart["substrate"], "energy_eV": apart["substrate"]["energy_eV"] - 2.0}
    result = silver.again(**{"0_apart": {**apart, "substrate": lower}})
    assert any("a distorted state" in text for text in result.warnings)
    area = silver.result.table("cells")["area_A2"][0]
    change = result.quantities["work_of_adhesion"].value - silver.value("work_of_adhesion")
    assert change == pytest.approx(-2.0 / area * EV_A2_IN_J_M2, abs=0.01)
    for rank in range(2):
        one = silver.outcome(f"0 interface {rank}")
        moved = {"moved": {**one["moved"], "slid_A": 4.0}, "gap_A": -0.3}
        warnings = silver.again(**{f"0_interface_{rank}": moved}).warnings
        if any("mix" in text for text in warnings):
            assert any("slid by 4.0 A" in text for text in warnings)
            break
    else:
        pytest.fail("no warning of mixing")


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "CuAu.cif"
    write(path, Atoms("CuAu", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)], cell=[2.8, 2.8, 3.7], pbc=True))
    for expected, inputs in {
        "termination: this facet has several terminations, expected one of: Au, Cu": {"structure": path, "facet": "001"},
        "termination: found 'Pt', expected one of": {"structure": path, "facet": "001", "termination": "Pt"},
        "no common cell of Ag.111. on Cu.001. within 8 A2 and 1 % strain": {"max_area": "8 angstrom^2", "max_strain": 0.01},
        "metal: found 'ag', expected the symbol of an element, such as 'Na'; did you mean 'Ag'": {"metal": "ag"},
        "metal_facet: the densest plane of In is not known here": {"metal": "In"},
        "no reference crystal of Ga": {"metal": "Ga"},
        "max_area: found 70.0 without a unit|max_area: found 70 without a unit": {"max_area": 70},
        "max_strain": {"max_strain": 0.5},
        "fixed_layers: 5 of 5 layers": {"layers": 5, "fixed_layers": 5},
        "did you mean 'metal_facet'": {"metal_facets": "111"},
        "'abc' is not a facet": {"facet": "abc"},
        "metal_facet: '11' is not a facet": {"metal_facet": "11"},
    }.items():
        with pytest.raises(InputError, match=expected):
            _plan(**inputs)
    assert _plan(structure=path, facet="001", termination="Au").inputs["termination"] == "Au"


def test_slabs_alone_are_those_of_other_calculations() -> None:
    chosen = calculation("adsorption")
    inputs = {"engine": "emt", "structure": "Cu", "facet": "001", "supercell": "1x1", "adsorbate": "Ag"}
    theirs = {task.key for task in chosen.plan(checked(chosen.inputs, inputs)).walk()}
    ours = {task.label for task in _plan(max_area="70 angstrom^2").walk() if task.key in theirs}
    assert ours == {"Cu crystal", "Ag crystal", "Cu(001) alone"}
