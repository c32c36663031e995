"""Systems that others have computed: another slab code with EMT; with the default potential published signs and orders.

The slow ones take minutes each; what they give, and the numbers of the sources, stands in docs/known-systems.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100, fcc111
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixedLine
from ase.filters import FrechetCellFilter
from ase.io import write
from ase.optimize import BFGS

Compute = Callable[..., Any]


def _relaxed(atoms: Atoms) -> float:
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=0.005, steps=300)
    return float(atoms.get_potential_energy())


@pytest.mark.parametrize(
    ("facet", "adsorbate", "cut", "sites"),
    [
        ("100", "Cu", fcc100, {"hollow": "four-fold hollow", "bridge": "bridge", "ontop": "top Cu"}),
        ("111", "Al", fcc111, {"fcc": "three-fold hollow (fcc)", "hcp": "three-fold hollow (hcp)", "bridge": "bridge"}),
    ],
)
def test_another_slab_code_gives_the_same_adsorption_energy(
    compute: Compute, facet: str, adsorbate: str, cut: Any, sites: dict[str, str]
) -> None:
    """ASE's slabs, sites, start heights, optimizer and crystals; EMT and the question are all that is shared."""
    ours = compute(
        structure="Cu", facet=facet, adsorbate=adsorbate, layers=6, free=False, distortion=False, fmax="0.005 eV/angstrom"
    )
    cells = {}
    for metal in {"Cu", adsorbate}:
        crystal = bulk(metal)
        crystal.calc = EMT()
        BFGS(FrechetCellFilter(crystal), logfile=None).run(fmax=1e-4, steps=100)
        cells[metal] = (crystal.cell.lengths()[0] * np.sqrt(2), crystal.get_potential_energy())
    clean = cut("Cu", (2, 2, 6), a=cells["Cu"][0], vacuum=7.5)
    held = FixAtoms(indices=[atom.index for atom in clean if atom.tag > 3])
    clean.set_constraint(held)
    energy = _relaxed(clean)
    for theirs, label in sites.items():
        covered = clean.copy()
        add_adsorbate(covered, adsorbate, 2.2, theirs)
        covered.set_constraint([held, FixedLine(len(covered) - 1, (0, 0, 1))])
        expected = _relaxed(covered) - energy - cells[adsorbate][1]
        assert ours.value(f"adsorption_energy_vs_bulk:{label}") == pytest.approx(expected, abs=2e-3)


@pytest.fixture
def graphite(tmp_path: Path) -> Path:
    path = tmp_path / "graphite.cif"
    a, c = 2.46, 6.71  # experiment
    places = [(0, 0, 0), (1 / 3, 2 / 3, 0), (0, 0, 0.5), (2 / 3, 1 / 3, 0.5)]
    write(path, Atoms("C4", scaled_positions=places, cell=[a, a, c, 90, 90, 120], pbc=True))
    return path


@pytest.mark.slow
def test_sodium_binds_weaker_to_graphene_than_lithium_and_potassium(compute: Compute, graphite: Path) -> None:
    """Liu, Merinov and Goddard, PNAS 113, 3735 (2016); heights and order: Rytkonen et al., PRB 75, 075401 (2007)."""
    energy, height = {}, {}
    for metal in ("Li", "Na", "K"):
        done = compute(
            structure=graphite, facet="0001", adsorbate=metal, engine="7net", layers=1, fixed_layers=0,
            supercell="4x4", sites="six-fold hollow", free=False, distortion=False,
        )  # fmt: skip
        energy[metal] = done.value("adsorption_energy_vs_atom:six-fold hollow")
        height[metal] = done.value("height:six-fold hollow")
    # bound, in this order, closer the smaller the atom; how strongly is another question (docs/known-systems.md)
    assert energy["Li"] < energy["K"] < energy["Na"] < 0
    assert height["Li"] < height["Na"] < height["K"]


@pytest.mark.slow
def test_a_sodium_atom_hops_on_sodium_as_published(compute: Compute) -> None:
    """The hops of a dimer on Na(110) cost 0.03 to 0.15 eV by PBE (Gaissmaier et al., ChemSusChem 13, 771 (2020), table 7).

    A lone atom rests where the crystal would grow on, the long bridge, and leaves it over the short bridge. 7net-0 is the
    one potential here that has this basin lowest and a saddle: docs/known-systems.md.
    """
    done = compute(
        "diffusion", structure="Na", facet="110", adsorbate="Na", engine="7net-0", supercell="3x3", layers=5,
        images=3, max_hops=1, fmax="0.02 eV/angstrom",
    )  # fmt: skip
    hop = done.outcome("hop 0")
    assert hop["converged"]
    assert sum(curvature < 0 for curvature in hop["curvatures_eV_A2"]) == 1
    assert 0.03 <= done.value("barrier:long bridge to short bridge over short bridge") <= 0.15
    assert done.value("basin_energy:long bridge") == 0.0


@pytest.mark.slow
def test_sodium_does_not_reduce_vanadium_nitride(compute: Compute, tmp_path: Path) -> None:
    """VN + 3 Na -> V + Na3N, +2.91 eV from measured enthalpies.

    Na3N: anti-ReO3, a = 4.73301(6) A, +64(2) kJ/mol (Vajenine, Inorg. Chem. 46, 5146 (2007)); VN: -217 kJ/mol (recalled).
    """
    nitrides = {
        "VN": bulk("VN", "rocksalt", a=4.139),
        "Na3N": Atoms(
            "Na3N", scaled_positions=[(0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5), (0, 0, 0)], cell=[4.733] * 3, pbc=True
        ),
    }
    for name, crystal in nitrides.items():
        write(tmp_path / f"{name}.cif", crystal)
    done = compute(
        "stability", structure=tmp_path / "VN.cif", metal="Na", engine="7net", phases=tmp_path / "Na3N.cif", elements="V"
    )
    measured = (64 + 217) / 96.485
    assert done.value("reaction_energy") == pytest.approx(measured, abs=0.3)
    assert done.result.verdicts["stability"].answer == "stable against Na among the phases given"


@pytest.mark.slow
def test_a_magnesium_adatom_slides_over_its_own_basal_plane(compute: Compute) -> None:
    """Bound by about 0.6 eV, hops over 9 and 25 meV between the hollows (Surf. Sci. 632, 14 (2015)).

    Which of the two hollows is lower, by 15 meV there, is below what this potential resolves: docs/known-systems.md.
    """
    given = {"structure": "Mg", "facet": "0001", "adsorbate": "Mg", "engine": "7net", "supercell": "2x2", "layers": 6}
    given |= {"fmax": "0.02 eV/angstrom"}
    hops = compute("diffusion", **given, images=3, max_hops=1)
    for name in ("barrier", "barrier_back"):
        hop = "three-fold hollow (hcp) to three-fold hollow (fcc) over bridge"
        assert 0.0 < hops.value(f"{name}:{hop}") < 0.06
    done = compute("adsorption", **given, distortion=False)
    energy = {site: done.value(f"adsorption_energy_vs_atom:{site}") for site in done.result.table("sites")["site"]}
    hollows = [energy[f"three-fold hollow ({stacking})"] for stacking in ("hcp", "fcc")]
    assert abs(hollows[0] - hollows[1]) < 0.03
    assert max(hollows) < energy["bridge"] < energy["top Mg"] < 0
    assert -1.1 < min(hollows) < -0.4
