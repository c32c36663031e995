"""Sites of adatoms. The sets expected are argued from the plane group (International Tables A) of the one-sided surface.

A position with a rotation axis has no free in-plane coordinate (0), one on a mirror line only has one (1), a general
position has two (2).
"""

from collections import Counter

import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.build import bulk, graphene, make_supercell
from ase.data import covalent_radii
from ase.spacegroup import crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Voronoi

from sodiophile.atomistic.sites import classify, contact_height, find_sites, place
from sodiophile.atomistic.structures import metal_crystal
from sodiophile.atomistic.surfaces import build_slabs
from sodiophile.atomistic.symmetry2d import distance_2d, plane_group
from sodiophile.errors import InputError

VN = bulk("VN", "rocksalt", a=4.13, cubic=True)
RUTILE = crystal(["Ti", "O"], [(0, 0, 0), (0.305, 0.305, 0)], spacegroup=136, cellpar=[4.594, 4.594, 2.959, 90, 90, 90])
CORUNDUM = crystal(["Al", "O"], [(0, 0, 0.352), (0.306, 0, 0.25)], spacegroup=167, cellpar=[4.76, 4.76, 12.99, 90, 90, 120])
NACL = bulk("NaCl", "rocksalt", a=5.64, cubic=True)

# p4mm, metal on 1a and nitrogen on 1b (4mm: 0 free); the hollow is 2c (2mm: 0); the bridge lies on the mirror 4d (..m: 1)
ROCKSALT_001 = {"top V": (1, 0), "top N": (1, 0), "four-fold hollow": (2, 0), "V-N bridge": (4, 1)}


def sites_of(crystal, facet, adsorbate="Na", **options):
    (slab,) = build_slabs(crystal, facet, **options)
    return table(find_sites(slab, adsorbate))


def table(sites):
    assert len({s.label for s in sites}) == len(sites)
    return {s.label: (s.multiplicity, s.free_inplane_dims) for s in sites}


def test_vn_001():
    assert sites_of(VN, "001", layers=3) == ROCKSALT_001


def test_nacl_001():
    """The same plane group and positions as VN(001)."""
    assert sites_of(NACL, "001") == {
        "top Na": (1, 0),
        "top Cl": (1, 0),
        "four-fold hollow": (2, 0),
        "Na-Cl bridge": (4, 1),
    }


def test_na_110():
    """c2mm, one atom on 2a (2mm). 2b (2mm) is the long bridge, 4c (2) the short bridge, both 0; the hollow, the centre of
    an acute triangle, lies on the mirror 4e (.m.): 1. Multiplicities for the primitive cell, half the centred one.
    """
    assert sites_of(metal_crystal("Na"), "110") == {
        "top Na": (1, 0),
        "long bridge": (1, 0),
        "short bridge": (2, 0),
        "three-fold hollow": (2, 1),
    }


@pytest.mark.parametrize(("metal", "facet"), [("Na", "100"), ("Li", "100"), ("K", "100"), ("Cu", "100"), ("Al", "100")])
def test_square_faces_of_metals(metal, facet):
    """p4mm, one atom on 1a (4mm); the hollow is 1b (4mm), the bridge 2c (2mm): all are fixed by symmetry."""
    assert sites_of(metal_crystal(metal), facet) == {
        f"top {metal}": (1, 0),
        "four-fold hollow": (1, 0),
        "bridge": (2, 0),
    }


def test_vn_110():
    """p2mm with V on 1a, N on 1b (chains V-N-V-N along x): 1c and 1d (2mm: 0) are the bridges V-V and N-N from chain to
    chain, over N and V of the second layer. The bridge within the chain lies on its mirror (1), and so does the centre of
    the rectangle of two V and two N, between the chains (1).
    """
    assert sites_of(VN, "110") == {
        "top V": (1, 0),
        "top N": (1, 0),
        "V-V bridge": (1, 0),
        "N-N bridge": (1, 0),
        "V-N bridge": (2, 1),
        "four-fold hollow": (2, 1),
    }


@pytest.mark.parametrize("layers", [6, 7])
def test_both_terminations_of_vn_111(layers):
    """p3m1: top on 1a, hollows on 1b and 1c (3m: 0), told apart by what is below; the bridge is 3d (.m.: 1)."""
    slabs = build_slabs(VN, "111", layers=layers)
    assert len(slabs) == 2
    for slab in slabs:
        top = slab.termination
        assert table(find_sites(slab)) == {
            f"top {top}": (1, 0),
            "three-fold hollow over V": (1, 0),
            "three-fold hollow over N": (1, 0),
            f"{top}-{top} bridge": (3, 1),
        }


def test_graphene():
    """p6mm: C on 2b (3m), the centre of the ring on 1a (6mm), the middle of a bond on 3c (2mm): all 0."""
    assert table(find_sites(graphene(vacuum=8.0))) == {"top C": (2, 0), "six-fold hollow": (1, 0), "bridge": (3, 0)}


@pytest.mark.parametrize(("metal", "facet"), [("Zn", "0001"), ("Mg", "0001"), ("Cu", "111"), ("Al", "111")])
def test_close_packed_faces_tell_hcp_from_fcc(metal, facet):
    """p3m1: top on 1a, hollows on 1b and 1c (3m: 0), the bridge only on a mirror (1): not stationary by symmetry."""
    (slab,) = build_slabs(metal_crystal(metal), facet)
    sites = {s.label: s for s in find_sites(slab)}
    assert table(sites.values()) == {
        f"top {metal}": (1, 0),
        "three-fold hollow (hcp)": (1, 0),
        "three-fold hollow (fcc)": (1, 0),
        "bridge": (3, 1),
    }
    second = slab.atoms[slab.layer_of == slab.layers - 2]
    cell = slab.atoms.cell[:2, :2]
    offset = second.positions[0, :2] @ np.linalg.inv(cell) - sites["three-fold hollow (hcp)"].fractional
    assert distance_2d(offset, cell) < 1e-6


def test_a_monolayer_cannot_tell_its_hollows_apart():
    """p6mm: the two hollows are one orbit, 2b (3m), and the bridge is 3c (2mm)."""
    (slab,) = build_slabs(metal_crystal("Cu"), "111", layers=1)
    assert table(find_sites(slab)) == {"top Cu": (1, 0), "three-fold hollow": (2, 0), "bridge": (3, 0)}


def test_fcc_110():
    """p2mm: 1a top, 1b and 1c bridges, 1d hollow in the trough: all 2mm."""
    assert sites_of(metal_crystal("Cu"), "110") == {
        "top Cu": (1, 0),
        "short bridge": (1, 0),
        "long bridge": (1, 0),
        "four-fold hollow": (1, 0),
    }


@pytest.mark.parametrize(("metal", "facet"), [("Cu", "211"), ("Na", "310")])
def test_stepped_faces(metal, facet):
    """Plane group pm (c1m1 for bcc(310)): no rotation, so no site is fixed by symmetry. The step edge is a row of atoms on
    a mirror, its bridge on the mirror half way; atoms of the terrace below it are exposed too, and the foot of the step is
    a hollow with atoms of two rows. Everything is on a mirror (1) but bridges from row to row (2, two mirror images).
    """
    (slab,) = build_slabs(metal_crystal(metal), facet)
    sites = find_sites(slab)
    assert not len(plane_group(slab.atoms.positions, slab.atoms.numbers, slab.atoms.cell[:2, :2]).special_positions())
    found = table(sites)
    assert found[f"top {metal} (layer 1)"] == (1, 1)
    assert found[f"top {metal} (layer 2)"] == (1, 1)
    assert found["bridge (layers 1-1)"] == (1, 1)
    for site in sites:
        assert site.free_inplane_dims == site.multiplicity, site.label
    hollows = [s for s in sites if s.kind == "hollow"]
    assert hollows
    assert all(s.free_inplane_dims == 1 for s in hollows)


def test_na_111_is_so_open_that_the_second_layer_is_exposed():
    """p3m1: 1a top, 1b over the second layer, 1c hollow over the third."""
    found = sites_of(metal_crystal("Na"), "111")
    assert {label for label, (_, free) in found.items() if free == 0} == {
        "top Na (layer 1)",
        "top Na (layer 2)",
        "three-fold hollow (layers 1-1-1)",
    }


SURFACES = {
    "VN(001)": (VN, "001"),
    "VN(110)": (VN, "110"),
    "VN(111)": (VN, "111"),
    "Na(110)": (metal_crystal("Na"), "110"),
    "Na(310)": (metal_crystal("Na"), "310"),
    "Cu(111)": (metal_crystal("Cu"), "111"),
    "Cu(211)": (metal_crystal("Cu"), "211"),
    "Zn(0001)": (metal_crystal("Zn"), "0001"),
    "Si(111)": (bulk("Si", "diamond", a=5.43), "111"),
    "CaF2(111)": (bulk("CaF2", "fluorite", a=5.46), "111"),
    "TiO2(110)": (RUTILE, "110"),
    "TiO2(001)": (RUTILE, "001"),
    "Al2O3(0001)": (CORUNDUM, "0001"),
    "Al2O3(11-20)": (CORUNDUM, "11-20"),
}
SLABS = {name: build_slabs(crystal, facet, thickness_A=6.0)[0].atoms for name, (crystal, facet) in SURFACES.items()}


@pytest.mark.parametrize("name", sorted(SLABS))
def test_plane_group_is_that_of_spglib(name):
    """The operations of the slab that keep its normal and its heights, counted by an independent code."""
    atoms = SLABS[name]
    found = spglib.get_symmetry((atoms.cell[:], atoms.get_scaled_positions(), atoms.numbers), symprec=1e-3)
    kept = [
        rotation
        for rotation, translation in zip(found["rotations"], found["translations"], strict=True)
        if rotation[2, 2] == 1
        and not rotation[:2, 2].any()
        and not rotation[2, :2].any()
        and abs(translation[2] - round(translation[2])) < 1e-4
    ]
    group = plane_group(atoms.positions, atoms.numbers, atoms.cell[:2, :2])
    assert group.order == len(kept)
    determinants = Counter(round(np.linalg.det(r)) for r in group.rotations)
    assert determinants == Counter(round(np.linalg.det(r)) for r in kept)


@pytest.mark.parametrize("name", sorted(SLABS))
@pytest.mark.parametrize("adsorbate", ["Li", "Na", "K", "Zn"])
def test_all_that_symmetry_fixes_is_a_site(name, adsorbate):
    atoms = SLABS[name]
    group = plane_group(atoms.positions, atoms.numbers, atoms.cell[:2, :2])
    fixed = [s for s in find_sites(atoms, adsorbate) if s.free_inplane_dims == 0]
    special = group.special_positions()
    assert len(fixed) == len(special)
    for point in special:
        label, distance = classify(atoms, point @ group.cell_A, fixed)
        assert distance < 1e-4, label


@pytest.mark.parametrize("name", sorted(SLABS))
def test_equivalents_see_the_same_surroundings(name):
    """An independent check of the orbits: the 40 nearest atoms stand at the same distances from all of an orbit."""
    atoms = SLABS[name].repeat((2, 2, 1))
    big = atoms.repeat((7, 7, 1))
    middle = 3 * (atoms.cell[0] + atoms.cell[1])
    height = atoms.positions[:, 2].max() + 2.0
    for site in find_sites(atoms):
        seen = []
        for equivalent in site.equivalents:
            point = np.append(np.array(equivalent) @ atoms.cell[:2, :2], height) + middle
            distances = np.linalg.norm(big.positions - point, axis=1)
            seen.append(np.concatenate([np.sort(distances[big.numbers == z])[:20] for z in np.unique(big.numbers)]))
        assert np.allclose(seen, seen[0], atol=1e-3), site.label


@pytest.mark.parametrize("name", ["VN(001)", "Cu(111)", "Zn(0001)", "Na(110)"])
def test_flat_faces_have_the_hollows_of_their_voronoi_diagram(name):
    atoms = SLABS[name]
    top = atoms[atoms.positions[:, 2] > atoms.positions[:, 2].max() - 0.1].repeat((7, 7, 1))
    vertices = Voronoi(top.positions[:, :2]).vertices
    centre = top.cell[:2, :2].sum(axis=0) / 2
    vertices = vertices[np.linalg.norm(vertices - centre, axis=1) < 5.0]
    hollows = [s for s in find_sites(atoms) if s.kind == "hollow"]
    for vertex in vertices:
        assert classify(atoms, vertex, hollows).distance_A < 1e-6
    density = sum(s.multiplicity for s in hollows)
    unique = {tuple(np.round((v @ np.linalg.inv(atoms.cell[:2, :2])) % 1.0, 4) % 1.0) for v in vertices}
    assert len(unique) == density


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(SLABS)),
    supercell=st.tuples(*[st.integers(-2, 2)] * 4).filter(lambda m: abs(m[0] * m[3] - m[1] * m[2]) in {1, 2, 3, 4}),
    vacuum=st.floats(6.0, 60.0),
    shift=st.tuples(*[st.floats(0, 1)] * 3),
    angle=st.floats(0, 360),
    seed=st.integers(0, 10_000),
    periodic=st.booleans(),
)
def test_sites_do_not_depend_on_how_the_slab_is_described(name, supercell, vacuum, shift, angle, seed, periodic):
    original = SLABS[name]
    size = abs(supercell[0] * supercell[3] - supercell[1] * supercell[2])
    a, b, c, d = supercell
    other = make_supercell(original, [[a, b, 0], [c, d, 0], [0, 0, 1]])
    cell = other.cell[:]
    cell[2, 2] = np.ptp(other.positions[:, 2]) + vacuum
    other.set_cell(cell)
    other.pbc = (True, True, periodic)
    other.translate((np.array(shift) * (1, 1, periodic)) @ cell)
    other.wrap()
    other.rotate(angle, "z", rotate_cell=True)
    other = other[np.random.default_rng(seed).permutation(len(other))]
    expected = {label: (n * size, free) for label, (n, free) in table(find_sites(original)).items()}
    assert table(find_sites(other)) == expected


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(["VN(001)", "Na(110)", "Cu(111)", "Zn(0001)", "VN(110)"]))
def test_a_slightly_uneven_slab_has_the_sites_of_its_average(seed, name):
    atoms = SLABS[name].repeat((2, 2, 1))
    smooth = find_sites(atoms)
    atoms.positions += np.clip(np.random.default_rng(seed).normal(0, 0.01, atoms.positions.shape), -0.02, 0.02)
    rough = find_sites(atoms)
    assert table(rough) == table(smooth)
    for site in rough:
        nearest = classify(atoms, np.array(site.fractional) @ atoms.cell[:2, :2], smooth)
        assert nearest.label == site.label
        assert nearest.distance_A < 0.05


def test_a_distortion_beyond_the_tolerance_is_seen():
    """One V of two raised by 0.3 A: two kinds of V, unless the tolerance says that they are one."""
    (slab,) = build_slabs(VN, "001", layers=3, supercell=(2, 1))
    moved = slab.atoms.copy()
    moved.positions[np.flatnonzero((moved.symbols == "V") & (slab.layer_of == 2))[0], 2] += 0.3
    assert sum(site.label.startswith("top V") for site in find_sites(moved)) == 2
    assert table(find_sites(moved, tolerance_A=0.4)) == {k: (2 * n, f) for k, (n, f) in ROCKSALT_001.items()}


@pytest.mark.parametrize("rumpling_A", [-0.3, -0.1, 0.1, 0.2, 0.35])
def test_rumpling_of_a_layer_does_not_split_its_hollow(rumpling_A):
    """Relaxed rocksalt surfaces rumple, anions outward: p4mm and its sites stay."""
    (slab,) = build_slabs(VN, "001", layers=3)
    atoms = slab.atoms.copy()
    atoms.positions[(atoms.symbols == "N") & (slab.layer_of == 2), 2] += rumpling_A
    assert table(find_sites(atoms)) == ROCKSALT_001


@pytest.mark.parametrize("name", sorted(SLABS))
def test_an_adatom_touches_and_does_not_overlap(name):
    atoms = SLABS[name].repeat((3, 3, 1))
    for site in find_sites(atoms):
        placed = place(atoms, site, "Na")
        assert placed[-1].symbol == "Na"
        assert placed[-1].tag == 0
        assert len(placed) == len(atoms) + 1
        assert placed.positions[:-1] == pytest.approx(atoms.positions)
        distances = placed.get_distances(-1, range(len(atoms)), mic=True)
        touch = covalent_radii[atoms.numbers] + covalent_radii[11]
        assert np.min(distances - touch) == pytest.approx(0, abs=1e-6)
        assert placed[-1].position[2] == pytest.approx(contact_height(atoms, site.fractional, "Na"))


def test_coordination_counts_atoms_and_distances():
    (slab,) = build_slabs(metal_crystal("Cu"), "111", supercell=(3, 3))
    for site in find_sites(slab):
        placed = place(slab.atoms, site, "Na")
        distances = placed.get_distances(-1, range(len(slab.atoms)), mic=True)
        number = {"top": 1, "bridge": 2, "hollow": 3}[site.kind]
        assert [(e, n) for e, n, _ in site.coordination] == [("Cu", number)]
        assert np.sort(distances)[:number] == pytest.approx(site.coordination[0][2], abs=1e-3)


def test_equivalents_classify_as_their_site():
    (slab,) = build_slabs(VN, "001", layers=3, supercell=(2, 2))
    sites = find_sites(slab)
    cell = slab.atoms.cell[:2, :2]
    for site in sites:
        for equivalent in site.equivalents:
            for image in ((0, 0), (3, -2)):
                position = (np.array(equivalent) + image) @ cell
                assert classify(slab.atoms, position, sites) == (site.label, pytest.approx(0, abs=1e-6))
                label, distance = classify(slab.atoms, np.append(position + np.array([0.03, 0.04]), 9.0), sites)
                assert (label, distance) == (site.label, pytest.approx(0.05, abs=1e-6))


def test_classify_is_right_in_a_skew_cell():
    (slab,) = build_slabs(VN, "001", layers=3)
    skew = make_supercell(slab.atoms, [[1, 0, 0], [9, 1, 0], [0, 0, 1]])
    sites, plain = find_sites(skew), find_sites(slab)
    for point in np.random.default_rng(0).random((50, 2)) * 20:
        one, other = classify(skew, point, sites), classify(slab.atoms, point, plain)
        assert one.distance_A == pytest.approx(other.distance_A, abs=1e-6)


def test_a_slab_cut_by_the_edge_of_its_cell_is_put_together():
    (slab,) = build_slabs(VN, "001", layers=3)
    atoms = slab.atoms.copy()
    atoms.pbc = True
    atoms.translate((0, 0, -atoms.positions[:, 2].mean()))
    atoms.wrap()
    assert table(find_sites(atoms)) == ROCKSALT_001


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (VN, "bulk crystal"),
        (Atoms(), "no atoms"),
        (Atoms("Na", cell=[4, 4, 0], pbc=(1, 1, 0)), None),
        (Atoms("Na", positions=[(0, 0, 0)], cell=[(0, 0, 20), (4, 0, 0), (0, 4, 0)], pbc=True), "turn the slab"),
        (Atoms("VN", positions=[(0, 0, 5), (0.5, 0, 5)], cell=[4, 4, 20], pbc=True), "overlap"),
    ],
)
def test_what_is_no_slab_is_refused(atoms, message):
    if message is None:
        assert find_sites(atoms)[0].label == "top Na"
        return
    with pytest.raises(InputError, match=message):
        find_sites(atoms)


def test_an_unknown_adsorbate_is_refused():
    with pytest.raises(InputError, match="not a chemical element"):
        find_sites(SLABS["VN(001)"], "Nx")


def test_an_adatom_that_would_fall_through_is_told():
    sparse = Atoms("C", positions=[(0, 0, 5)], cell=[12, 12, 20], pbc=(True, True, False))
    with pytest.raises(InputError, match="fall through"):
        contact_height(sparse, (0.5, 0.5), "Na")
    assert table(find_sites(sparse)) == {"top C": (1, 0)}


def test_hcp_and_fcc_are_names_of_hexagonal_layers_only():
    found = sites_of(metal_crystal("Al"), "311")
    assert not any("fcc" in label or "hcp" in label for label in found)
