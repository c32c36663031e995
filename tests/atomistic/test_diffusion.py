"""Diffusion with EMT: symmetric and reversed hops, another code's band, restart, constraints, failures told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import FIRE

from sodiophile.atomistic import calculation, dft_points, diffusion_tasks
from sodiophile.atomistic.band import climb, first_path
from sodiophile.atomistic.dft_points import Point
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.site_network import distinct_basins, find_hops, surface_of, symmetrised
from sodiophile.atomistic.surfaces import build_slabs
from sodiophile.errors import InputError
from sodiophile.schema import checked

Compute = Callable[..., Any]
KIND = calculation("diffusion")
BRIDGE = "four-fold hollow to four-fold hollow over bridge"


def _plan(**inputs: Any) -> Any:
    return KIND.plan(checked(KIND.inputs, {"engine": "emt", "adsorbate": "Cu", "structure": "Cu", **inputs}, "diffusion"))


@pytest.fixture
def copper(compute: Compute) -> Any:
    return compute("diffusion", structure="Cu", facet="100", adsorbate="Cu", max_hops=2)


@pytest.fixture
def hollows(compute: Compute) -> Any:
    """Al on Cu(111): two kinds of hollow, a hop that symmetry does not reverse."""
    return compute("diffusion", structure="Cu", facet="111", adsorbate="Al", max_hops=1, fmax="0.01 eV/angstrom")


def test_a_hop_between_equal_hollows_is_symmetric(copper: Any) -> None:
    quantities = copper.result.quantities
    assert quantities[f"barrier:{BRIDGE}"].value == pytest.approx(quantities[f"barrier_back:{BRIDGE}"].value, abs=1e-9)
    profile = copper.result.table("profiles")["energy_eV"].to_numpy()
    assert np.allclose(profile, profile[::-1], atol=1e-9)
    hop = copper.outcome("hop 0")
    assert hop["halved"]
    assert abs(hop["end_mismatch_eV"]) < 1e-6
    assert copper.outcome("hop 1") == {"exists": False}


def test_the_error_of_a_barrier_is_that_of_differences_where_it_was_measured(
    copper: Any, compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is common to all sites of a surface, 0.5 eV here, is in no barrier; two sites are 0.04 eV off."""
    points = tuple(
        Point(
            adsorbate="Cu", system="Cu", facet="100", termination="Cu", site=site, coverage="1/4", layers=6,
            functional="PBE", level="made up", dft_eV=-0.5 + own, engine_eV={"emt": 0.0}, source="a test",
        )
        for site, own in (("top Cu", 0.0), ("bridge", 0.04), ("four-fold hollow", 0.0))
    )  # fmt: skip
    assert copper.result.quantities[f"barrier:{BRIDGE}"].uncertainty is None
    monkeypatch.setattr(dft_points, "_shipped", lambda: points)
    done = compute("diffusion", structure="Cu", facet="100", adsorbate="Cu", max_hops=2)
    assert done.result.quantities[f"barrier:{BRIDGE}"].uncertainty == pytest.approx(0.04 * (2 / 3) ** 0.5, abs=1e-3)
    assert any("off by 0.03 eV" in line for line in done.result.verdicts["diffusion"].evidence)


def test_half_a_band_gives_what_the_whole_one_gives(copper: Any, tmp_path: Path) -> None:
    hop, clean = copper.outcome("hop 0"), copper.outcome("clean")
    path = np.array([entry["positions_A"] for entry in hop["path"]])
    start = unpack(hop["path"][0])
    energies = (hop["energies_eV"][0], hop["energies_eV"][-1])
    first = first_path(path[0], path[-1], np.asarray(start.cell[:]), 5)
    stiffness = np.full(len(start), 5.0)
    whole = climb(
        first, energies, start, EMT(), tmp_path, fixed=clean["fixed"],
        fmax_eV_A=0.01, max_steps=200, stiffness_eV_A2=stiffness,
    )  # fmt: skip
    assert whole.converged
    assert whole.highest == 3
    assert max(whole.energies_eV) - energies[0] == pytest.approx(hop["barrier_eV"], abs=1e-3)
    assert hop["evaluations"] < whole.evaluations


def test_another_code_finds_the_same_saddle(copper: Any) -> None:
    """ASE's own slab, constraints, band and optimizer; only EMT and the question are shared."""
    slab = fcc100("Cu", (2, 2, 6), a=3.5897, vacuum=7.5)
    slab.set_constraint(FixAtoms(indices=[atom.index for atom in slab if atom.tag > 3]))
    ends = []
    for site in ((0.25, 0.25), (0.75, 0.25)):
        atoms = slab.copy()
        x, y = np.array(site) @ slab.cell[:2, :2]
        atoms.extend(Atoms("Cu", positions=[(x, y, slab.positions[:, 2].max() + 1.6)]))
        atoms.calc = EMT()
        FIRE(atoms, logfile=None).run(fmax=0.01)
        ends.append(atoms)
    images = [ends[0], *(ends[0].copy() for _ in range(3)), ends[1]]
    for image in images[1:-1]:
        image.calc = EMT()
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate(mic=True)
    FIRE(band, logfile=None).run(fmax=0.02, steps=300)
    barrier = max(image.get_potential_energy() for image in images) - ends[0].get_potential_energy()
    assert barrier == pytest.approx(copper.value("barrier:lowest"), abs=3e-3)


def test_the_reversed_path_has_the_same_saddle(hollows: Any, tmp_path: Path) -> None:
    hop = hollows.outcome("hop 0")
    assert not hop["swaps"]
    path = np.array([entry["positions_A"] for entry in hop["path"]])
    start = unpack(hop["path"][0])
    first = first_path(path[-1], path[0], np.asarray(start.cell[:]), 5)
    back = climb(
        first, (hop["energies_eV"][-1], hop["energies_eV"][0]), start, EMT(), tmp_path,
        fixed=hollows.outcome("clean")["fixed"], fmax_eV_A=0.01, max_steps=300, stiffness_eV_A2=np.full(len(start), 3.0),
    )  # fmt: skip
    assert back.converged
    assert max(back.energies_eV) - back.energies_eV[-1] == pytest.approx(hop["barrier_eV"], abs=1e-3)
    assert np.linalg.norm(back.positions_A[back.highest][-1] - np.array(hop["saddle"]["positions_A"][-1])) < 0.05
    quantities = hollows.result.quantities
    name = next(key.partition(":")[2] for key in quantities if key.startswith("hop_rate:"))
    # both ends above one saddle: the barriers differ by what the basins do
    difference = quantities[f"barrier:{name}"].value - quantities[f"barrier_back:{name}"].value
    basins = [value.value for key, value in quantities.items() if key.startswith("basin_energy:")]
    assert difference == pytest.approx(max(basins) - min(basins), abs=1e-6)


def test_held_atoms_are_held_in_every_image(copper: Any) -> None:
    hop, clean = copper.outcome("hop 0"), copper.outcome("clean")
    fixed = clean["fixed"]
    assert len(fixed) == 12
    held = np.array(clean["slab"]["positions_A"])[fixed]
    for image in hop["path"]:
        assert np.allclose(np.array(image["positions_A"])[fixed], held, atol=1e-6)


def test_a_killed_band_goes_on_where_it_stopped(hollows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = hollows.task.after["hop 0"]
    after = {name: hollows.outcomes[before.key] for name, before in task.after.items()}
    whole = hollows.outcome("hop 0")
    asked = []

    class Dying(EMT):
        def calculate(self, *args: Any, **kwargs: Any) -> None:
            asked.append(1)
            if len(asked) == 23:
                raise KeyboardInterrupt
            super().calculate(*args, **kwargs)

    class Stand:
        def calculator(self) -> Any:
            return Dying()

    monkeypatch.setattr(diffusion_tasks, "engine_for", lambda *_: Stand())
    monkeypatch.setattr(diffusion_tasks, "versions", lambda _: {})
    with pytest.raises(KeyboardInterrupt):
        task.call(after, tmp_path)
    assert len(list(tmp_path.glob("image-*.jsonl"))) == 5
    last = tmp_path / "image-2.jsonl"
    last.write_text(last.read_text()[:-40])  # torn
    again = task.call(after, tmp_path)
    # but for the neighbour list, which EMT carries from one step to the next
    assert np.allclose(again["energies_eV"], whole["energies_eV"], atol=1e-9, rtol=0)
    assert again["evaluations"] == whole["evaluations"]
    # 23 were asked before (one failed), one was torn: nothing else is asked twice; 1 at the end, 6 for the curvatures
    assert len(asked) == whole["evaluations"] + 7 + 2


def test_a_band_that_did_not_converge_gives_no_barrier(compute: Compute) -> None:
    done = compute("diffusion", structure="Cu", facet="111", adsorbate="Al", max_hops=1, fmax="0.01 eV/angstrom")
    task = done.task.after["hop 0"]
    after = {name: done.outcomes[before.key] for name, before in task.after.items()}
    folder = done.folder / "short"
    folder.mkdir()
    short = diffusion_tasks.climb_hop({**task.inputs, "max_steps": 1}, after, {}, folder)
    result = done.again(hop_0=short)
    assert not [name for name in result.quantities if name.startswith(("barrier", "diffusion"))]
    assert result.verdicts["diffusion"].answer == "cannot be told"
    assert any("did not converge within 1 steps" in text for text in result.warnings)
    assert result.table("hops")["barrier_eV"].to_list() == [None]


def test_what_is_no_saddle_gives_no_barrier(copper: Any) -> None:
    hop = copper.outcome("hop 0")
    for curvatures, words in (([-0.5, -0.1, 3.0], "2 unstable"), ([0.1, 0.2, 3.0], "0 unstable")):
        result = copper.again(hop_0={**hop, "curvatures_eV_A2": curvatures})
        assert any(words in text for text in result.warnings)
        assert "barrier:lowest" not in result.quantities
    dip = [*hop["energies_eV"]]
    dip[3] = dip[0] + 0.1
    assert any("basin of its own" in text for text in copper.again(hop_0={**hop, "energies_eV": dip}).warnings)
    assert any("not symmetric" in text for text in copper.again(hop_0={**hop, "end_mismatch_eV": 0.02}).warnings)


def test_numbers_of_one_hop_agree(copper: Any) -> None:
    quantities = {name: quantity.value for name, quantity in copper.result.quantities.items()}
    length, rate = quantities[f"hop_length:{BRIDGE}"] * 1e-8, quantities[f"hop_rate:{BRIDGE}"]
    # four hops of one length: a quarter of 4 Gamma l^2
    assert quantities["diffusion_coefficient"] == pytest.approx(rate * length**2, rel=1e-6)
    assert quantities["activation_energy"] == pytest.approx(quantities[f"barrier:{BRIDGE}"], rel=1e-6)
    expected = quantities[f"attempt_frequency:{BRIDGE}"] * 1e12 * length**2
    assert quantities["diffusion_prefactor"] == pytest.approx(expected, rel=1e-6)
    assert copper.result.verdicts["directions"].answer == "isotropic"
    documented = {name.partition(":")[0] for name in KIND.quantities or {}}
    assert {name.partition(":")[0] for name in quantities} <= documented
    for quantity in copper.result.quantities.values():
        assert "emt" in quantity.definition
        assert "Cu(100)" in quantity.definition
    axes = copper.result.draw()
    assert len(axes.child_axes) == 2


def test_adsorption_and_diffusion_share_their_work() -> None:
    chosen = calculation("adsorption")
    inputs = {"engine": "emt", "adsorbate": "Cu", "structure": "Cu", "facet": "100"}
    adsorption = {task.key for task in chosen.plan(checked(chosen.inputs, inputs)).walk()}
    own = [task for task in _plan(facet="100").walk() if task.key not in adsorption]
    assert {task.function.partition(":")[2] for task in own} == {"relax_basins", "climb_hop", "assemble"}


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "CuAu.cif"
    from ase.io import write

    write(path, Atoms("CuAu", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)], cell=[2.8, 2.8, 3.7], pbc=True))
    with pytest.raises(InputError, match="termination: this facet has several terminations, expected one of"):
        _plan(structure=path, facet="001")
    assert _plan(structure=path, facet="001", termination="Au").inputs["surface"]["termination"] == "Au"
    with pytest.raises(InputError, match="termination"):
        _plan(structure=path, facet="001", termination="Ag")
    with pytest.raises(InputError, match="supercell"):
        _plan(supercell="2 by 2")
    with pytest.raises(InputError, match="temperature"):
        _plan(temperature="300")


@pytest.mark.parametrize(
    ("crystal", "facet", "supercell", "basins", "lengths"),
    [
        (bulk("Cu", cubic=True), "100", (2, 2), ["four-fold hollow"], [(2.5527, 4)]),
        (bulk("Cu", cubic=True), "111", (2, 2), ["three-fold hollow (fcc)", "three-fold hollow (hcp)"], [(1.4738, 6)]),
        (bulk("Cu", cubic=True), "111", (1, 1), ["three-fold hollow (fcc)"], [(2.5527, 6)]),
        (bulk("Na", cubic=True), "110", (2, 2), ["long bridge"], [(3.6633, 4), (4.23, 2)]),
        (bulk("VN", "rocksalt", a=4.14, cubic=True), "001", (2, 2), ["top N"], [(2.9274, 4)]),
        (bulk("VN", "rocksalt", a=4.14, cubic=True), "001", (2, 2), ["top N", "four-fold hollow"], [(1.4637, 8)]),
        (bulk("VN", "rocksalt", a=4.14, cubic=True), "001", (2, 2), ["top N", "top V"], [(2.07, 8)]),
    ],
)
def test_hops_of_known_lattices(crystal: Atoms, facet: str, supercell: Any, basins: list[str], lengths: Any) -> None:
    from sodiophile.atomistic.sites import find_sites

    slab = build_slabs(crystal, facet, supercell=supercell)[0]
    sites = {site.label: site for site in find_sites(slab, "Na")}
    points = [np.array(sites[label].fractional) @ slab.atoms.cell[:2, :2] for label in basins]
    surface = surface_of(slab.atoms)
    _, hops = find_hops(points, surface)
    assert [(pytest.approx(hop.length_A, abs=1e-3), len(hop.directed)) for hop in hops] == lengths
    for hop in hops:
        assert hop.swaps == (hop.start == hop.end)
        # whatever leaves a basin comes back: the steps of an orbit add up to nothing
        assert np.allclose(np.sum([step for _, _, step, _ in hop.directed], axis=0), 0.0, atol=1e-6)
        assert np.allclose(hop.operation.point(points[hop.end]), points[hop.start] + hop.step_A, atol=1e-6)


def test_hops_do_not_depend_on_supercell_or_origin() -> None:
    for shift in ((0.0, 0.0), (0.37, 0.81)):
        for supercell in ((1, 1), (2, 2), (3, 3)):
            slab = build_slabs(bulk("Na", cubic=True), "110", supercell=supercell)[0].atoms
            hollow = 0.5 * (slab.cell[0, :2] + slab.cell[1, :2]) / supercell[0]
            slab.positions[:, :2] += shift
            surface = surface_of(slab)
            _, hops = find_hops([hollow + shift], surface)
            assert [round(hop.length_A, 3) for hop in hops] == [3.663, 4.23]
    # two rows one way and three the other: the mirror that made two directions one is gone, and they are told apart
    slab = build_slabs(bulk("Na", cubic=True), "110", supercell=(2, 3))[0].atoms
    _, hops = find_hops([0.5 * (slab.cell[0, :2] / 2 + slab.cell[1, :2] / 3)], surface_of(slab))
    assert [round(hop.length_A, 3) for hop in hops] == [3.663, 3.663, 4.23]


def test_an_operation_keeps_the_energy_and_the_forces(compute: Compute) -> None:
    done = compute("diffusion", structure="Cu", facet="111", adsorbate="Al", max_hops=1)
    clean = unpack(done.outcome("clean")["slab"])
    surface = surface_of(clean)
    rng = np.random.default_rng(0)
    covered = clean + Atoms("Al", positions=[(1.1, 0.7, clean.positions[:, 2].max() + 2.1)])
    covered.positions += rng.normal(0, 0.05, covered.positions.shape)
    covered.calc = EMT()
    energy, forces = covered.get_potential_energy(), covered.get_forces()
    assert len(surface.operations) == 6
    for operation in surface.operations:
        image = Atoms(
            covered.numbers,
            positions=operation.structure(covered.positions, clean.positions),
            cell=clean.cell,
            pbc=clean.pbc,
        )
        image.calc = EMT()
        assert image.get_potential_energy() == pytest.approx(energy, abs=1e-5)
        assert np.allclose(image.get_forces(), operation.vectors(forces), atol=1e-3)


def test_equivalent_adatoms_are_one_basin_and_end_up_symmetric() -> None:
    slab = build_slabs(bulk("Cu", cubic=True), "100", supercell=(2, 2))[0].atoms
    surface = surface_of(slab)
    cell = slab.cell[:2, :2]
    points = [np.append(np.array(f) @ cell + 0.05, 12.0) for f in ((0.25, 0.25), (0.75, 0.25), (0.0, 0.25), (0.25, 0.75))]
    assert distinct_basins(points, [0.0, 0.001, 0.4, -0.001], surface) == [3, 2]
    positions = np.vstack([slab.positions, points[0]])
    centred = symmetrised(positions, surface)
    assert np.allclose(centred[-1, :2], np.array([0.25, 0.25]) @ cell, atol=1e-6)
    assert np.allclose(centred[:-1], slab.positions, atol=1e-6)


def test_the_first_path_bulges_over_what_is_in_its_way() -> None:
    """From one side of an atom to the other, straight through it."""
    start = np.array([[0.0, 0.0, 0.0], [-2.5, 0.0, 0.5]])
    end = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.5]])
    path = first_path(start, end, np.diag([20.0, 20.0, 30.0]), 3)
    middle = path[2, -1]
    assert np.linalg.norm(middle) == pytest.approx(np.linalg.norm(start[-1]), abs=0.1)
    assert middle[2] > 2.0


def test_engines_are_named(copper: Any) -> None:
    assert copper.result.inputs["engine"] == engine("emt").identity()
    assert copper.result.warnings[0].startswith("emt is a potential, not DFT")
