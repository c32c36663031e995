"""The slab cut from a relaxed crystal is the one that was planned with, whatever axes the symmetry search takes."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from sodiophile.atomistic.adsorption_tasks import _carried_over
from sodiophile.atomistic.relaxation import pack
from sodiophile.atomistic.surfaces import build_slabs, parse_miller
from sodiophile.errors import EngineError

CRYSTALS = {
    "fcc": bulk("Cu"),
    "bcc": bulk("Na"),
    "hcp": bulk("Mg"),
    "rocksalt": bulk("MgO", "rocksalt", a=4.2),
    "zincblende": bulk("ZnS", "zincblende", a=5.41),
    "diamond": bulk("C"),
}
LAYERS = 5


def planned(crystal: Atoms, facet: str, index: int, supercell: tuple[int, int] = (2, 2)) -> dict:
    slab = build_slabs(crystal, facet, layers=LAYERS, vacuum_A=10.0, supercell=supercell)[index]
    return {
        "slab": pack(slab.atoms),
        "layer_of": slab.layer_of.tolist(),
        "cut": {"miller": parse_miller(facet), "layers": LAYERS, "vacuum_A": 10.0, "supercell": list(supercell)},
        "termination": index,
        "engine": {"engine": "none"},
    }


@pytest.mark.parametrize("supercell", [(2, 2), (2, 1), (1, 3)])
@pytest.mark.parametrize("facet", ["001", "111", "110", "210"])
@pytest.mark.parametrize("name", CRYSTALS)
def test_last_digits_of_a_primitive_cell_do_not_matter(name, facet, supercell):
    crystal = CRYSTALS[name]
    slabs = build_slabs(crystal, facet, layers=LAYERS, vacuum_A=10.0, supercell=supercell)
    for index, slab in enumerate(slabs):
        inputs = planned(crystal, facet, index, supercell)
        for seed in range(5):
            relaxed = crystal.copy()
            noise = np.random.default_rng(seed).normal(0.0, 1e-6, (3, 3))
            relaxed.set_cell(crystal.cell * 1.0085 + noise, scale_atoms=True)
            carried = _carried_over(inputs, relaxed)
            assert (carried.numbers == slab.atoms.numbers).all()
            ours, theirs = (atoms.get_scaled_positions(wrap=False)[:, :2] for atoms in (carried, slab.atoms))
            assert np.abs(ours - theirs - np.rint(ours - theirs)).max() < 1e-4
            assert np.allclose(
                carried.get_all_distances(mic=True), 1.0085 * slab.atoms.get_all_distances(mic=True), atol=2e-3
            )


def test_another_structure_is_told():
    with pytest.raises(EngineError, match="changed its structure"):
        _carried_over(planned(bulk("Cu", cubic=True), "111", 0), bulk("Cu", "hcp", a=2.56, c=4.18))
