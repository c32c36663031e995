"""Adsorption with EMT: identities, invariances, keys; what is told when something goes wrong."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import read, write

from sodiophile.atomistic import adsorption_tasks, calculation
from sodiophile.atomistic import engines as registry
from sodiophile.atomistic.engines import Engine, engine
from sodiophile.errors import EngineError, InputError
from sodiophile.schema import checked

Compute = Callable[..., Any]
KIND = calculation("adsorption")
HELD, FREE = "adsorption_energy_vs_bulk:", "adsorption_energy_vs_bulk_free:"


def _plan(**inputs: Any) -> Any:
    return KIND.plan(checked(KIND.inputs, {"engine": "emt", "adsorbate": "Al", "structure": "Cu", **inputs}, "adsorption"))


@pytest.fixture
def copper(compute: Compute) -> Any:
    return compute(structure="Cu", facet="100", adsorbate="Al")


def test_the_choice_of_reference_is_an_identity(copper: Any) -> None:
    quantities = copper.result.quantities
    cohesive = quantities["cohesive_energy"].value
    held = [name for name in quantities if name.startswith(HELD)]
    assert {name.partition(":")[2] for name in held} == {"top Cu", "four-fold hollow", "bridge", "most stable"}
    for name in [*held, *(name for name in quantities if name.startswith(FREE))]:
        other = name.replace("vs_bulk", "vs_atom")
        assert quantities[name].value - quantities[other].value == pytest.approx(cohesive, abs=1e-9)


def test_energies_are_those_of_the_structures_given_out(copper: Any) -> None:
    """Assembled again from nothing but the attachments and ASE."""

    def energy(text: str) -> float:
        atoms = read(io.StringIO(text), format="extxyz")
        atoms.calc = EMT()
        return float(atoms.get_potential_energy())

    files = copper.result.attachments
    references = copper.result.table("references").to_dicts()
    metal = next(row for row in references if row["reference"] == "bulk Al")
    cell = bulk("Al", "fcc", a=(4 * metal["volume_A3_per_atom"]) ** (1 / 3))
    cell.calc = EMT()
    assert cell.get_potential_energy() == pytest.approx(metal["energy_eV"] / metal["atoms"], abs=1e-6)
    clean = {row["reference"].rpartition(", ")[2]: row["energy_eV"] for row in references}
    assert energy(files["Al-Cu-100-clean.xyz"]) == pytest.approx(clean["clean"], abs=1e-5)
    for row in copper.result.table("sites").to_dicts():
        covered = energy(files[f"Al-Cu-100-{row['site'].replace(' ', '-')}.xyz"])
        expected = covered - clean["clean"] - cell.get_potential_energy()
        assert copper.value(HELD + row["site"]) == pytest.approx(expected, abs=1e-5)
        # the slab is stable: with the adatom taken off it is the clean slab again
        assert row["reference_above_clean_eV"] == 0.0
        assert abs(row["emptied_above_clean_eV"]) < 5e-3


def test_the_hollow_wins_on_fcc_100_and_the_others_slide_into_it(copper: Any) -> None:
    held = {site: copper.value(HELD + site) for site in ("four-fold hollow", "bridge", "top Cu")}
    assert sorted(held, key=lambda site: held[site]) == ["four-fold hollow", "bridge", "top Cu"]
    table = copper.result.table("sites")
    assert table["final_site_free"].to_list() == ["four-fold hollow"] * 3
    free = [copper.value(FREE + site) for site in held]
    assert free == pytest.approx([held["four-fold hollow"]] * 3, abs=5e-3)
    assert copper.result.verdicts["most_stable_site"].answer == "four-fold hollow"
    assert copper.value(HELD + "most stable") == min(held.values())
    assert copper.value(FREE + "most stable") == min(free)
    assert "four-fold hollow" in copper.result.quantities[HELD + "most stable"].definition
    assert copper.result.verdicts["order"].answer == "four-fold hollow < bridge < top Cu"
    moved = dict(zip(table["site"], table["anomaly_free"], strict=True))
    assert moved == {
        "top Cu": "moved to four-fold hollow", "four-fold hollow": "", "bridge": "moved to four-fold hollow"
    }  # fmt: skip
    basins = copper.result.table("basins").to_dicts()
    assert len(basins) == 1
    assert set(basins[0]["reached_from"].split(", ")) == set(held)


def test_every_number_says_what_it_is(copper: Any) -> None:
    for name, quantity in copper.result.quantities.items():
        assert quantity.status == ("assumed" if name == "cohesive_energy" else "computed")
        assert quantity.definition
    text = copper.result.quantities[HELD + "bridge"].definition
    for fact in ("Cu(100)", "1/4 monolayer", "2x2", "6 layers, the lowest 3 held", "E(bulk Al)", "emt", "26.1 angstrom^2"):
        assert fact in text
    assert "cohesive energy 3.390" in copper.result.quantities["adsorption_energy_vs_atom:bridge"].definition
    assert "is a potential, not DFT" in copper.result.warnings[0]
    documented = {name.partition(":")[0] for name in KIND.quantities or {}} - {"engine_difference"}  # of two engines
    assert {name.partition(":")[0] for name in copper.result.quantities} == documented


def test_the_result_can_be_read_back_and_drawn(copper: Any) -> None:
    axes = copper.result.draw()
    assert [label.get_text().splitlines()[0] for label in axes.get_xticklabels()] == ["top Cu", "4-fold hollow", "bridge"]
    assert "bulk Al" in axes.get_ylabel()


def test_vacuum_and_lattice_constant_of_the_file_do_not_matter(compute: Compute, tmp_path: Path) -> None:
    options = {"facet": "100", "adsorbate": "Al", "free": False, "sites": "four-fold hollow", "fmax": "0.005 eV/angstrom"}
    usual = compute(structure="Cu", **options).value(HELD + "four-fold hollow")
    roomy = compute(structure="Cu", vacuum="25 angstrom", **options).value(HELD + "four-fold hollow")
    assert roomy == pytest.approx(usual, abs=1e-6)
    for a in (3.5, 3.72):
        path = tmp_path / f"{a}.cif"
        write(path, bulk("Cu", "fcc", a=a, cubic=True))
        strained = compute(structure=path, **options).value(HELD + "four-fold hollow")
        assert strained == pytest.approx(usual, abs=1e-3)


def test_a_clean_slab_is_extensive(compute: Compute) -> None:
    options = {"structure": "Cu", "facet": "100", "adsorbate": "Al", "free": False, "fmax": "0.003 eV/angstrom"}
    one, four = (compute(supercell=n, **options).outcome("0 clean")["energy_eV"] for n in ("1x1", "2x2"))
    assert four == pytest.approx(4 * one, abs=2e-5)


def test_equivalent_sites_have_one_energy(copper: Any, tmp_path: Path) -> None:
    surface = copper.task.inputs["surfaces"][0]
    bridge = next(site for site in surface["known_sites"] if site["label"] == "bridge")
    task = copper.task.after["0 site 2"]
    clean = copper.outcome("0 clean")
    energies = []
    for number, point in enumerate(bridge["equivalents"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        inputs = {**task.inputs, "fractional": point, "fmax_eV_A": 0.005}
        energies.append(adsorption_tasks.relax_site(inputs, {"clean": clean}, {}, folder)["energy_eV"])
    assert len(energies) == 8
    assert np.ptp(energies) < 1e-4


def test_thicker_slabs_agree(compute: Compute) -> None:
    options = {"structure": "Cu", "facet": "100", "adsorbate": "Al", "free": False, "sites": "four-fold hollow"}
    energies = [compute(layers=n, **options).value(HELD + "four-fold hollow") for n in (4, 6, 8)]
    assert abs(energies[2] - energies[1]) < 0.01
    assert abs(energies[1] - energies[0]) < 0.05


def test_each_termination_has_its_sites(compute: Compute, tmp_path: Path) -> None:
    path = tmp_path / "CuAu.cif"
    write(path, Atoms("CuAu", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)], cell=(2.8, 2.8, 3.66), pbc=True))
    done = compute(structure=path, facet="001", adsorbate="Al", free=False)
    tops = sorted(name for name in done.result.quantities if name.startswith(HELD) and "top" in name)
    assert tops == [HELD + "Au-terminated, top Au", HELD + "Cu-terminated, top Cu"]
    assert "most_stable_site:Cu-terminated" in done.result.verdicts
    only = compute(structure=path, facet="001", adsorbate="Al", free=False, terminations="Cu", sites="top Cu")
    assert only.value(HELD + "top Cu") == pytest.approx(done.value(HELD + "Cu-terminated, top Cu"), abs=0.02)
    with pytest.raises(InputError, match=r"terminations.*expected some of"):
        compute(structure=path, facet="001", adsorbate="Al", terminations="Ag")


def test_a_site_asked_for_alone_still_knows_where_it_goes(compute: Compute) -> None:
    done = compute(structure="Cu", facet="100", adsorbate="Al", sites=["top Cu"])
    row = done.result.table("sites").to_dicts()[0]
    assert row["site"] == "top Cu"
    assert row["final_site_free"] == "four-fold hollow"


def test_the_metal_on_itself_is_one_crystal(compute: Compute) -> None:
    done = compute(structure="Cu", facet="111", adsorbate="Cu", free=False)
    assert done.task.after["crystal"].key == done.task.after["metal"].key
    assert not any("free" in name for name in done.result.quantities)
    # an adatom has fewer neighbours than an atom of the bulk: it is always above it
    assert all(done.value(name) > 0 for name in done.result.quantities if name.startswith(HELD))
    assert done.result.verdicts["metallophilic"].answer == "no, by the sign alone"


def test_a_trusted_calculator_gives_what_the_engine_gives(copper: Any, compute: Compute, monkeypatch: Any) -> None:
    monkeypatch.setattr(registry, "_TRUSTED", {"ase.calculators.emt:EMT"})
    other = compute(structure="Cu", facet="100", adsorbate="Al", engine="ase.calculators.emt:EMT", free=False)
    assert other.value(HELD + "bridge") == pytest.approx(copper.value(HELD + "bridge"), abs=5e-3)
    assert other.task.context == {"trusted": True}
    assert copper.task.context == {}


# what changes a key, and what does not


def test_keys_change_with_what_decides_an_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        "usual": _plan(),
        "fmax": _plan(fmax="0.02 eV/angstrom"),
        "layers": _plan(layers=5),
        "held layers": _plan(fixed_layers=1),
        "supercell": _plan(supercell="2x3"),
        "facet": _plan(facet="110"),
        "free": _plan(free=False),
        "cohesive energy": _plan(cohesive_energy="3.4 eV"),
        "vacuum": _plan(vacuum="20 angstrom"),
    }
    monkeypatch.setattr(Engine, "identity", lambda self: {"engine": self.name, "weights_sha256": "0" * 64})
    keys["weights"] = _plan()
    assert len({task.key for task in keys.values()}) == len(keys)
    crystals = {name: task.after["crystal"].key for name, task in keys.items()}
    assert crystals["weights"] != crystals["usual"]
    assert crystals["layers"] == crystals["facet"] == crystals["usual"]
    assert keys["cohesive energy"].after["0 site 0"].key == keys["usual"].after["0 site 0"].key
    held = _plan(fixed_layers=1).after["0 site 0"].key
    assert held != keys["usual"].after["0 site 0"].key
    assert keys["usual"].after["0 site 0"].key != keys["usual"].after["0 free 0"].key


def test_keys_do_not_change_with_the_file(tmp_path: Path) -> None:
    crystal = bulk("VN", "rocksalt", a=4.139, cubic=True)
    crystal.symbols[crystal.symbols == "V"] = "Cu"
    crystal.symbols[crystal.symbols == "N"] = "Au"
    write(tmp_path / "one.vasp", crystal, direct=True)
    shuffled = crystal[[5, 2, 7, 0, 3, 6, 1, 4]]
    shuffled.positions[3] += shuffled.cell[0] - shuffled.cell[2]
    write(tmp_path / "two.extxyz", shuffled)
    one, two = (_plan(structure=str(tmp_path / name)) for name in ("one.vasp", "two.extxyz"))
    assert one.key == two.key


# what is told when something goes wrong


def test_no_number_for_what_did_not_converge(copper: Any) -> None:
    result = copper.again(**{"0_site_2": {"converged": False, "fmax_eV_A": 0.2}})
    assert HELD + "bridge" not in result.quantities
    assert HELD + "top Cu" in result.quantities
    row = result.table("sites").filter(result.table("sites")["site"] == "bridge").to_dicts()[0]
    assert row["adsorption_energy_vs_bulk_eV"] is None
    assert "not converged" in row["anomaly"]
    assert any("bridge: not converged after 200 steps: 0.200 eV/A left" in text for text in result.warnings)
    said = copper.again(**{"0_free_1": {"converged": False}, "0_free_2": {"converged": False}}).verdicts
    left_out = ("four-fold hollow", "bridge")
    assert f"not converged, so not among them: {', '.join(f'{site}, let go' for site in left_out)}" in (
        said["most_stable_site"].evidence
    )
    assert "let go, it stays at every site" not in said["most_stable_site"].evidence
    assert any(
        "every site but four-fold hollow (let go), bridge (let go), not" in one for one in said["clean_surface"].evidence
    )
    KIND.draw(result, copper.result.draw().figure.subplots())


def test_an_adatom_that_feels_no_force_is_told(copper: Any) -> None:
    slab = copper.outcome("0 free 1")["slab"]
    positions = [list(position) for position in slab["positions_A"]]
    positions[-1][0] += 0.25
    result = copper.again(**{"0_free_1": {"slab": {**slab, "positions_A": positions}}})
    anomaly = dict(zip(result.table("sites")["site"], result.table("sites")["anomaly_free"], strict=True))
    assert anomaly["four-fold hollow"].startswith("flat: no force drives it back, it stays 0.2")
    assert any("let go from four-fold hollow: flat" in text for text in result.warnings)


def test_a_run_out_of_steps_has_not_converged(copper: Any, tmp_path: Path) -> None:
    inputs = {**copper.task.after["0 site 0"].inputs, "max_steps": 1}
    outcome = adsorption_tasks.relax_site(inputs, {"clean": copper.outcome("0 clean")}, {}, tmp_path)
    assert outcome["converged"] is False
    assert outcome["steps"] == 2


def test_a_reference_that_did_not_converge_stops_everything(copper: Any, tmp_path: Path) -> None:
    clean = {**copper.outcome("0 clean"), "converged": False}
    with pytest.raises(EngineError, match="the clean slab did not relax"):
        adsorption_tasks.relax_site(copper.task.after["0 site 0"].inputs, {"clean": clean}, {}, tmp_path)


def _distorted(outcome: dict[str, Any]) -> dict[str, Any]:
    """A state 0.1 eV lower, every other atom of the slab 0.1 A to one side."""
    positions = [list(position) for position in outcome["slab"]["positions_A"]]
    for position in positions[12:24:2]:
        position[0] += 0.1
    return {"energy_eV": outcome["energy_eV"] - 0.1, "slab": {**outcome["slab"], "positions_A": positions}}


def test_the_energy_of_a_distortion_is_not_adsorption_energy(copper: Any) -> None:
    """A slab that falls into a lower state under its adatom stays there when the adatom is taken off."""
    covered, emptied = copper.outcome("0 site 2"), copper.outcome("0 site 2 emptied")
    result = copper.again(**{"0_site_2": _distorted(covered), "0_site_2_emptied": _distorted(emptied)})
    assert result.quantities[HELD + "bridge"].value == pytest.approx(copper.value(HELD + "bridge"), abs=5e-3)
    assert result.verdicts["clean_surface"].answer == "the clean surface distorts"
    assert any("under the adatom too for bridge (held)" in text for text in result.warnings)
    assert copper.result.verdicts["clean_surface"].answer == "stable"


def test_a_distortion_that_only_the_removal_brings_changes_no_energy(copper: Any) -> None:
    emptied = copper.outcome("0 site 2 emptied")
    result = copper.again(**{"0_site_2_emptied": _distorted(emptied)})
    assert result.quantities[HELD + "bridge"].value == copper.value(HELD + "bridge")
    assert result.verdicts["clean_surface"].answer == "the clean surface distorts"
    assert any("to which all energies refer" in text for text in result.warnings)


def test_a_clean_surface_that_distorts_by_itself_is_told(copper: Any) -> None:
    clean = copper.outcome("0 clean")["energy_eV"]
    result = copper.again(**{"0_rattled": {"energy_eV": clean - 0.1}})
    assert result.verdicts["clean_surface"].answer == "the clean surface distorts"
    assert any("-0.100 eV a cell" in text for text in result.warnings)


def test_surface_energies_do_not_hide_a_changed_crystal(tmp_path: Path) -> None:
    """A slab cut from another crystal than the one planned with is refused."""
    task = _plan(facet="110").after["0 clean"]
    other = _plan(structure="Al").after["crystal"]
    crystal = {"crystal": other.inputs["crystal"], "converged": True, "stiffness_eV_A2": 5.0}
    with pytest.raises(EngineError, match="does not describe it"):
        adsorption_tasks.relax_clean(task.inputs, {"crystal": crystal}, {}, tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sites": "top V"}, r"sites: found 'top V', expected some of: top Cu, "),
        ({"facet": "0 0"}, "is not a facet"),
        ({"facet": "000"}, "not all zero"),
        ({"supercell": "2"}, "supercell: found '2', expected two whole numbers such as 2x2"),
        ({"supercell": "0x2"}, "expected two whole numbers"),
        ({"adsorbate": "Xx"}, "expected the symbol of an element"),
        ({"adsorbate": "Fe"}, "no cohesive energy of Fe is tabulated"),
        ({"cohesive_energy": "1.1"}, "without a unit"),
        ({"cohesive_energy": "1.1 V"}, "dimensions differ"),
        ({"fmax": "0 eV/angstrom"}, "more than 0"),
        ({"vacuum": "2 angstrom"}, "at least 8 angstrom"),
        ({"fixed_layers": 9}, "expected fewer"),
        ({"structure": "nothing.cif"}, "neither a file nor"),
        ({"structure": "Xy"}, "neither a file nor"),
        ({"layer": 3}, "unknown key; did you mean 'layers'"),
        ({"free": "perhaps"}, "free: found 'perhaps'"),
    ],
)
def test_bad_input_is_one_line(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        _plan(**wrong)
    assert "\n" not in str(caught.value)


def test_unknown_engine_has_its_exit_code() -> None:
    with pytest.raises(EngineError, match="did you mean 'emt'") as caught:
        _plan(engine="ent")
    assert caught.value.exit_code == 3


@pytest.mark.skipif(not engine("7net-0").installed, reason="sevenn is not installed")
def test_a_potential_binds_sodium_to_sodium(compute: Compute) -> None:
    """Smoke test: an adatom of Na(100) sits in the hollow, above bulk Na and below the free atom."""
    done = compute(
        structure="Na", facet="100", adsorbate="Na", engine="7net-0", layers=4, free=False, sites="four-fold hollow"
    )
    assert 0.0 < done.value(HELD + "four-fold hollow") < done.value("cohesive_energy")
    error = engine("7net-0").accuracy.error_eV
    assert error is not None
    assert done.result.quantities[HELD + "four-fold hollow"].uncertainty == pytest.approx(error)
    assert any(re.search(rf"7net-0 is a potential, not DFT: .*{error:g} eV", text) for text in done.result.warnings)


@pytest.mark.slow
@pytest.mark.skipif(not engine("7net").installed, reason="sevenn is not installed")
def test_sodium_on_vanadium_nitride(compute: Compute, tmp_path: Path) -> None:
    """The four sites of rocksalt(001): the bridge is no stationary point, so an adatom let go there leaves it."""
    path = tmp_path / "VN.cif"
    write(path, bulk("VN", "rocksalt", a=4.139, cubic=True))  # a: ICDD
    done = compute(structure=path, facet="001", adsorbate="Na", engine="7net", layers=3)
    table = done.result.table("sites")
    assert dict(zip(table["site"], table["free_inplane_dims"], strict=True)) == {
        "top N": 0, "top V": 0, "four-fold hollow": 0, "V-N bridge": 1
    }  # fmt: skip
    assert all(energy is not None for energy in table["adsorption_energy_vs_bulk_eV"])
    ends = dict(zip(table["site"], table["final_site_free"], strict=True))
    assert ends["V-N bridge"] != "V-N bridge"
    assert done.result.verdicts["sodiophilic"].answer in {"yes", "probably yes", "cannot be told"}


def test_a_cheaper_engine_first_changes_nothing_but_the_way(copper: Any, compute: Compute) -> None:
    """EMT led by another EMT ends where EMT ends, in fewer steps; both have their keys."""
    registry.trust("ase.calculators.emt:EMT")
    guided = compute(structure="Cu", facet="100", adsorbate="Al", prerelax="ase.calculators.emt:EMT")
    assert guided.task.key != copper.task.key
    for site in ("four-fold hollow", "bridge", "top Cu"):
        assert guided.value(HELD + site) == pytest.approx(copper.value(HELD + site), abs=5e-3)
    for row in guided.result.table("engine_difference").iter_rows(named=True):
        assert abs(row["difference_eV"]) < 5e-3
    verdict = guided.result.verdicts["cheaper_engine"]
    assert verdict.answer.endswith("in the same order of sites")
    assert guided.value("engine_difference:bridge") == pytest.approx(0.0, abs=5e-3)
    steps = {one: sum(one.result.table("sites")["steps"]) for one in (copper, guided)}
    assert steps[guided] < steps[copper]


def test_a_distortion_that_was_not_looked_for_is_said(copper: Any, compute: Compute) -> None:
    quick = compute(structure="Cu", facet="100", adsorbate="Al", distortion=False)
    assert len(quick.task.after) < len(copper.task.after)
    assert quick.result.verdicts["clean_surface"].answer == "not looked for"
    for name in (HELD + "bridge", FREE + "bridge"):
        # the slab with the adatom taken off may be the reference, equal to the clean one within the relaxations
        assert quick.value(name) == pytest.approx(copper.value(name), abs=5e-3)
    assert "rattled" not in " ".join(quick.result.table("references")["reference"])


def test_what_the_cheaper_engine_is_off_by_is_told_site_by_site(copper: Any, compute: Compute) -> None:
    """A potential that is off by 0.1 eV on every atom of the slab with an adatom, by 0.2 eV over the bridge."""
    registry.trust("ase.calculators.emt:EMT")
    guided = compute(structure="Cu", facet="100", adsorbate="Al", prerelax="ase.calculators.emt:EMT", free=False)
    sites = guided.result.table("sites")["site"].to_list()
    shifted = {
        f"guide_0_site_{i}": {
            "energy_eV": guided.outcome(f"guide 0 site {i}")["energy_eV"] - (0.2 if site == "bridge" else 0.1)
        }
        for i, site in enumerate(sites)
    }
    again = guided.again(**shifted)
    for site in sites:
        off = again.quantities[f"engine_difference:{site}"].value
        assert off == pytest.approx(-0.2 if site == "bridge" else -0.1, abs=5e-3)
    assert "binds 0.13 eV too strongly on average" in again.verdicts["cheaper_engine"].answer
