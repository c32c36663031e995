import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.build import bulk, make_supercell, surface
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sodiophile.atomistic.structures import metal_crystal
from sodiophile.atomistic.surfaces import build_slabs, parse_miller
from sodiophile.errors import InputError

A = 4.2
ROCKSALT = bulk("TiC", "rocksalt", a=A, cubic=True)
CRYSTALS = {
    "rocksalt": ROCKSALT,
    "bcc": metal_crystal("Na"),
    "fcc": metal_crystal("Cu"),
    "hcp": metal_crystal("Zn"),
    "diamond": bulk("Si", "diamond", a=5.43, cubic=True),
    "zincblende": bulk("ZnS", "zincblende", a=5.41, cubic=True),
    "fluorite": bulk("CaF2", "fluorite", a=5.46, cubic=True),
    "wurtzite": bulk("ZnO", "wurtzite", a=3.25, c=5.2),
}


def environments(atoms, cutoff_A, which=None):
    """Element and sorted neighbour distances of each atom: equal for congruent structures."""
    first, second, distances = neighbor_list("ijd", atoms, cutoff_A)
    rows = []
    for i in range(len(atoms)) if which is None else which:
        mine = first == i
        around = sorted(zip(np.round(distances[mine], 3), atoms.numbers[second[mine]], strict=True))
        rows.append((int(atoms.numbers[i]), tuple((float(d), int(z)) for d, z in around)))
    return sorted(rows)


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        ("001", (0, 0, 1)),
        ("1-10", (1, -1, 0)),
        ("-1-1-1", (-1, -1, -1)),
        ("(110)", (1, 1, 0)),
        ("0001", (0, 0, 1)),
        ("10-10", (1, 0, 0)),
        ("11-20", (1, 1, 0)),
        ("1 0 12", (1, 0, 12)),
        ("1,-1,0", (1, -1, 0)),
        ([0, 0, 2], (0, 0, 1)),
        ((1, 0, -1, 1), (1, 0, 1)),
    ],
)
def test_facets_are_read_as_they_are_written(given_as, expected):
    assert parse_miller(given_as) == expected


@pytest.mark.parametrize("bad", ["", "abc", "00", "000", "1--1", "10001", "1010", [1, 0.5, 0], [0, 0], "1.5 0 0"])
def test_what_is_no_facet_is_refused(bad):
    with pytest.raises(InputError):
        parse_miller(bad)


@pytest.mark.parametrize("element", ["Zn", "Sb", "Cu", "Na"])
def test_four_indices_are_for_hexagonal_axes(element):
    crystal = metal_crystal(element, primitive=True)
    if element in {"Zn", "Sb"}:  # hexagonal, and trigonal in its rhombohedral cell
        assert parse_miller("10-10", crystal) == (1, 0, 0)
    else:
        with pytest.raises(InputError, match=f"four indices, but {element} has no hexagonal axes"):
            parse_miller("10-10", crystal)


def test_rocksalt_001_has_the_primitive_surface_cell():
    (slab,) = build_slabs(ROCKSALT, "001", layers=3, supercell=(2, 2), vacuum_A=11.0)
    assert len(slab.atoms) == 24
    assert slab.termination == "TiC"
    assert slab.stoichiometric
    assert slab.symmetric
    assert not slab.polar
    assert np.allclose(slab.atoms.cell.cellpar(), [2 * A / np.sqrt(2)] * 2 + [A + 11.0, 90, 90, 90])
    assert list(np.bincount(slab.layer_of)) == [8, 8, 8]
    heights = [slab.atoms.positions[slab.layer_of == i, 2] for i in range(3)]
    assert np.allclose([h.mean() for h in heights], 5.5 + A / 2 * np.arange(3))
    assert np.allclose(np.ptp(heights, axis=1), 0)
    assert list(slab.atoms.get_tags()) == list(3 - slab.layer_of)
    assert list(slab.atoms.pbc) == [True, True, False]


def test_rocksalt_111_has_two_polar_terminations():
    """Planes of one element alternate along [111]; the threefold axis and the mirrors keep each plane where it is."""
    slabs = {s.termination: s for s in build_slabs(ROCKSALT, "111", layers=6)}
    assert set(slabs) == {"Ti", "C"}
    for termination, slab in slabs.items():
        top = slab.atoms[slab.layer_of == slab.layers - 1]
        assert set(top.get_chemical_symbols()) == {termination}
        assert slab.polar
        assert slab.stoichiometric
        assert not slab.symmetric
    for slab in build_slabs(ROCKSALT, "111", layers=7):
        assert slab.polar
        assert not slab.stoichiometric
        assert slab.symmetric


@pytest.mark.parametrize(
    ("crystal", "facet", "terminations", "polar"),
    [
        ("rocksalt", "110", 1, [False]),
        ("bcc", "110", 1, [False]),
        ("hcp", "0001", 1, [False]),  # the two planes of a cell are related by the 6_3 screw axis
        ("diamond", "111", 2, [False, False]),  # cut within a bilayer or between two
        ("zincblende", "110", 1, [False]),
        ("zincblende", "111", 2, [True, True]),
        ("wurtzite", "0001", 2, [True, True]),
        ("fluorite", "110", 1, [False]),
        ("fluorite", "111", 3, [False, True, True]),  # Tasker type 2 only when cut between two F planes
        ("fcc", "211", 1, [False]),
    ],
)
def test_terminations_are_told_apart(crystal, facet, terminations, polar):
    slabs = build_slabs(CRYSTALS[crystal], facet)
    assert len(slabs) == terminations
    assert len({s.termination for s in slabs}) == terminations
    assert sorted(s.polar for s in slabs) == polar
    assert all(s.stoichiometric for s in slabs)


def spacing_below_top(slab):
    planes = np.unique(np.round(slab.atoms.positions[:, 2], 4))
    return planes[-1] - planes[-2]


def test_the_opposite_facet_of_a_polar_crystal_is_another():
    """The stable cut of zincblende leaves the narrow bilayer whole: Zn is its outer plane on (111), S on (-1-1-1)."""
    for facet, outer in (("111", "Zn"), ("-1-1-1", "S")):
        slabs = build_slabs(CRYSTALS["zincblende"], facet, layers=8)
        assert min(slabs, key=spacing_below_top).termination == outer


@pytest.mark.parametrize("crystal", sorted(CRYSTALS))
@pytest.mark.parametrize("facet", ["001", "110", "111", "211", "310", "1-10"])
def test_a_slab_is_a_piece_of_the_crystal(crystal, facet):
    """Its inner atoms have exactly the neighbours of the bulk, and its cell is primitive, with c along the normal."""
    material = CRYSTALS[crystal]
    cutoff = 3.2
    inner = set(environments(material, cutoff))
    for slab in build_slabs(material, facet, thickness_A=2 * cutoff + 4.0):
        atoms = slab.atoms
        z = atoms.positions[:, 2]
        deep = (z > z.min() + cutoff) & (z < z.max() - cutoff)
        assert deep.any()
        assert set(environments(atoms, cutoff, np.flatnonzero(deep))) <= inner
        cell = atoms.cell[:]
        assert np.linalg.det(cell) > 0
        assert np.allclose(cell[2, :2], 0)
        assert np.allclose(cell[:2, 2], 0)
        assert np.allclose(cell[0, 1:], 0)
        # no lattice translation is left within the surface cell
        found = spglib.find_primitive((cell, atoms.get_scaled_positions(), atoms.numbers), symprec=1e-3)
        assert len(found[2]) == len(atoms)


@pytest.mark.parametrize("facet", [(0, 0, 1), (1, 1, 0), (1, 1, 1), (2, 1, 1), (3, 1, 0)])
@pytest.mark.parametrize("crystal", ["fcc", "bcc"])
def test_area_and_spacing_agree_with_the_builder_of_ase(crystal, facet):
    material = CRYSTALS[crystal]
    (slab,) = build_slabs(material, facet, layers=9)
    reference = surface(material, facet, 9, vacuum=5.0)
    planes = np.unique(np.round(reference.positions[:, 2], 4))
    density = len(reference) / len(planes) / np.linalg.norm(np.cross(*reference.cell[:2]))
    assert slab.area_A2 == pytest.approx(1 / density, rel=1e-6)
    heights = np.unique(np.round(slab.atoms.positions[:, 2], 4))
    assert np.allclose(np.diff(heights), np.diff(planes)[0], atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["rocksalt", "bcc", "hcp", "fluorite"]),
    facet=st.sampled_from(["001", "110", "111"]),
    quaternion=st.tuples(*[st.floats(-1, 1)] * 3),
    shift=st.tuples(*[st.floats(0, 1)] * 3),
    seed=st.integers(0, 1000),
    repeat=st.sampled_from([(1, 1, 1), (2, 1, 1), (1, 1, 2)]),
)
def test_the_same_slab_from_any_description_of_the_crystal(name, facet, quaternion, shift, seed, repeat):
    material = CRYSTALS[name]
    other = material.repeat(repeat)
    other.translate(np.array(shift) @ other.cell[:])
    turn = Rotation.from_quat([*quaternion, 1.0]).as_matrix()
    other = Atoms(other.numbers, positions=other.positions @ turn.T, cell=other.cell[:] @ turn.T, pbc=True)
    other.wrap()
    other = other[np.random.default_rng(seed).permutation(len(other))]
    first, second = build_slabs(material, facet, layers=6), build_slabs(other, facet, layers=6)
    assert sorted(s.termination for s in first) == sorted(s.termination for s in second)
    for slab in first:
        twin = next(s for s in second if s.termination == slab.termination)
        assert np.allclose(np.sort(slab.atoms.cell.cellpar()), np.sort(twin.atoms.cell.cellpar()), atol=1e-4)
        assert environments(slab.atoms, 3.0) == environments(twin.atoms, 3.0)
        assert (slab.polar, slab.stoichiometric, slab.symmetric) == (twin.polar, twin.stoichiometric, twin.symmetric)


def test_a_primitive_cell_means_the_conventional_facet():
    primitive = bulk("TiC", "rocksalt", a=A)
    assert len(primitive) == 2
    (slab,) = build_slabs(primitive, "001", layers=2)
    assert slab.atoms.cell.cellpar()[3:] == pytest.approx([90, 90, 90])
    assert slab.area_A2 == pytest.approx(A**2 / 2)


def test_given_axes_are_kept_when_the_cell_is_conventional():
    """An orthorhombic crystal in a setting of its own: (001) is normal to the third vector as given."""
    crystal = Atoms("NaCl", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.4)], cell=[5.0, 3.5, 4.2], pbc=True)
    for facet, area in (("001", 5.0 * 3.5), ("100", 3.5 * 4.2), ("010", 5.0 * 4.2)):
        assert {round(s.area_A2, 6) for s in build_slabs(crystal, facet)} == {round(area, 6)}


@pytest.mark.parametrize("stretch", [1.0, 1.001, 1.03])
@pytest.mark.parametrize("facet", ["001", "100", "010"])
def test_a_small_distortion_does_not_turn_the_axes(stretch, facet):
    """A slightly tetragonal rocksalt cell has a smaller conventional cell, turned by 45 degrees: the given one counts."""
    crystal = ROCKSALT.copy()
    crystal.set_cell([A, A, stretch * A], scale_atoms=True)
    (slab,) = build_slabs(crystal, facet, layers=3)
    assert slab.termination == "TiC"
    assert len(slab.atoms) == 6
    assert slab.area_A2 == pytest.approx(A**2 / 2 * (1 if facet == "001" else stretch))


def test_noise_of_a_relaxation_does_not_turn_the_axes():
    crystal = ROCKSALT.copy()
    crystal.rattle(0.001, seed=3)
    (slab,) = build_slabs(crystal, "100", layers=3)
    assert slab.area_A2 == pytest.approx(A**2 / 2)


def test_thickness_is_at_least_what_was_asked_for():
    for name, crystal in CRYSTALS.items():
        for slab in build_slabs(crystal, "111", thickness_A=9.0):
            extent = np.ptp(slab.atoms.positions[:, 2])
            assert extent >= 9.0 - 1e-6, name
            assert slab.stoichiometric


def test_vacuum_is_what_is_left_of_the_cell():
    for slab in build_slabs(CRYSTALS["fcc"], "111", layers=4, vacuum_A=17.0):
        z = slab.atoms.positions[:, 2]
        assert slab.atoms.cell[2, 2] - np.ptp(z) == pytest.approx(17.0)
        assert z.min() == pytest.approx(8.5)


@pytest.mark.parametrize(
    "bad",
    [
        {"layers": 0},
        {"layers": 3, "thickness_A": 5.0},
        {"thickness_A": -1.0},
        {"vacuum_A": 0.0},
        {"vacuum_A": float("nan")},
        {"supercell": (0, 1)},
        {"supercell": (100, 100)},
    ],
)
def test_sizes_without_sense_are_refused(bad):
    with pytest.raises(InputError):
        build_slabs(ROCKSALT, "001", **bad)


def test_what_is_no_crystal_is_refused():
    with pytest.raises(InputError, match="overlap"):
        build_slabs(Atoms("Na2", positions=[(0, 0, 0), (1.0, 0, 0)], cell=[4, 4, 4], pbc=True), "001")
    with pytest.raises(InputError, match="cell"):
        build_slabs(Atoms("Na"), "001")


def test_a_supercell_of_lower_symmetry_keeps_the_operations_of_the_crystal():
    (one,) = build_slabs(CRYSTALS["hcp"], "111")
    (other,) = build_slabs(CRYSTALS["hcp"].repeat((2, 1, 1)), "111")
    assert one.termination == other.termination == "Zn"


def test_supercells_of_the_input_do_not_enlarge_the_surface_cell():
    big = make_supercell(ROCKSALT, [[1, 1, 0], [-1, 1, 0], [0, 0, 1]])
    (slab,) = build_slabs(big, "001", layers=3)
    assert len(slab.atoms) == 6


def test_a_slab_tells_its_name():
    assert {s.name for s in build_slabs(ROCKSALT, "111", layers=7)} == {
        "TiC(111) terminated by Ti",
        "TiC(111) terminated by C",
    }
    assert build_slabs(ROCKSALT, "1-10")[0].name == "TiC(1-10) terminated by TiC"
