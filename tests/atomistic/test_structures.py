import io
import os

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sodiophile.atomistic import structures
from sodiophile.atomistic.structures import check_overlap, crystal_named, formula, metal_crystal, read_structure
from sodiophile.errors import InputError

ROCKSALT = bulk("NaCl", "rocksalt", a=5.64, cubic=True)

CIF = """data_x
_cell_length_a 4.2
_cell_length_b 4.2
_cell_length_c 4.2
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Mg1 Mg 0 0 0 {occupancy}
O1 O 0.5 0.5 0.5 1.0
"""
# neither says how much of it is there: on (0, 1/2, 1/2), an image of the place of Mg
_WITHOUT = CIF.replace("_atom_site_occupancy\n", "").replace(" {occupancy}", "").replace(" 1.0", "")
TWO_AT_ONE_PLACE = _WITHOUT + "Ca1 Ca 0 0.5 0.5\n"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.cif", "cif"),
        ("POSCAR", "vasp"),
        ("CONTCAR_relaxed", "vasp"),
        ("a.vasp", "vasp"),
        ("a.extxyz", "extxyz"),
        ("a.xyz", "extxyz"),
    ],
)
def test_every_format_gives_the_same_crystal(tmp_path, name, kind):
    write(tmp_path / name, ROCKSALT, format=kind)
    read = read_structure(tmp_path / name)
    assert sorted(read.get_chemical_symbols()) == sorted(ROCKSALT.get_chemical_symbols())
    assert np.allclose(read.cell.cellpar(), ROCKSALT.cell.cellpar())
    assert read.pbc.all()
    # the same neighbours, so the same crystal
    distances = [np.sort(a.get_all_distances(mic=True).ravel()) for a in (read, ROCKSALT)]
    assert np.allclose(*distances, atol=1e-4)


def test_a_cif_is_filled_by_its_space_group(tmp_path):
    (tmp_path / "a.cif").write_text(CIF.format(occupancy=1.0))
    assert read_structure(tmp_path / "a.cif").get_chemical_formula() == "Mg4O4"


def _poscar(atoms):
    file = io.StringIO()
    write(file, atoms, format="vasp")
    return file.getvalue()


def _without_symbols():
    lines = _poscar(ROCKSALT).splitlines()
    return "\n".join(["a", *lines[1:5], *lines[6:]])


CLOSE = Atoms("VN", positions=[(0, 0, 0), (0.9, 0, 0)], cell=[6, 6, 6], pbc=True)
ACROSS = Atoms("VN", positions=[(0.1, 3, 3), (5.5, 3, 3)], cell=[6, 6, 6], pbc=True)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.cif", "", "is empty"),
        ("a.cif", "data_x\n_cell_length_a nonsense\n", "cannot be read|no atoms|holds no structure|no unit cell"),
        ("a.cif", CIF.format(occupancy=0.5), "partly occupied sites .Mg 0.5."),
        ("a.cif", TWO_AT_ONE_PLACE, "lists Ca at a place of another element"),
        ("a.cif", CIF.format(occupancy="half"), "cannot be read|partly occupied"),
        ("a.xyz", '1\nLattice="0.02 0 0 0 40 0 0 0 40"\nNa 0 0 0\n', "check its units"),
        ("a.xyz", '1\nLattice="4e6 0 0 0 4 0 0 0 4"\nNa 0 0 0\n', "check its units"),
        ("a.xyz", "1\nno cell here\nNa 0 0 0\n", "no unit cell"),
        ("a.xyz", '1\nLattice="4 0 0 0 4 0 0 0 4"\nNa nan 0 0\n', "not finite"),
        ("a.xyz", '2\nLattice="4 0 0 0 4 0 0 0 4"\nNa 0 0 0\n', "cannot be read"),
        ("a.xyz", '1\nLattice="4 0 0 0 4 0 0 0 4"\nNa 0 0 0\n' * 2, "holds 2 structures"),
        ("a.traj", "x", "ends in '.traj'"),
        ("a.py", "import os", "ends in '.py'"),
        ("POSCAR", _without_symbols(), "does not name its elements"),
        ("POSCAR", _poscar(CLOSE), r"V \(atom 1\) and N \(atom 2\) overlap: they are 0.90 angstrom apart"),
        ("POSCAR", _poscar(ACROSS), r"overlap: they are 0.60 angstrom apart"),
        ("POSCAR", "x\0y", "is binary"),
    ],
)
def test_bad_input_is_one_line_that_names_the_file(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=expected) as caught:
        read_structure(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_places_listed_twice_are_one_atom(tmp_path):
    (tmp_path / "a.cif").write_text(_WITHOUT + "Mg2 Mg 0.5 0.5 0\n")
    assert formula(read_structure(tmp_path / "a.cif").numbers) == "MgO"


def test_a_slab_and_a_molecule_are_no_crystal(tmp_path):
    slab = bulk("Cu", cubic=True).repeat((1, 1, 3))
    slab.center(vacuum=8, axis=2)
    molecule = Atoms("N2", positions=[(0, 0, 0), (0, 0, 1.1)], cell=[9, 9, 9], pbc=True)
    for axis, atoms in (("c", slab), ("a", molecule)):
        write(tmp_path / "a.extxyz", atoms)
        with pytest.raises(InputError, match=f"holds no atoms over .* along {axis}: a slab"):
            crystal_named(str(tmp_path / "a.extxyz"))


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    for path in (tmp_path / "none.cif", tmp_path):
        with pytest.raises(InputError):
            read_structure(path.with_suffix(".cif"))


def test_the_size_of_a_file_is_bounded(tmp_path, monkeypatch):
    write(tmp_path / "a.cif", ROCKSALT)
    monkeypatch.setattr(structures, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="larger"):
        read_structure(tmp_path / "a.cif")
    monkeypatch.setattr(structures, "MAX_BYTES", 10**6)
    monkeypatch.setattr(structures, "MAX_LINES", 10)
    with pytest.raises(InputError, match="more than 10 lines"):
        read_structure(tmp_path / "a.cif")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["a.cif", "POSCAR", "a.xyz"]),
    cut=st.integers(0, 400),
    junk=st.text(max_size=30),
)
def test_damage_never_escapes_as_another_error(tmp_path, name, cut, junk):
    whole = {
        "a.cif": CIF.format(occupancy=1.0),
        "POSCAR": _poscar(ROCKSALT),
        "a.xyz": '1\nLattice="4 0 0 0 4 0 0 0 4"\nNa 0 0 0\n',
    }
    text = whole[name][:cut] + junk + whole[name][cut + 5 :]
    (tmp_path / name).write_text(text, encoding="utf-8", errors="replace")
    try:
        atoms = read_structure(tmp_path / name)
    except InputError:
        return
    assert len(atoms) > 0
    assert atoms.cell.rank == 3


@pytest.mark.parametrize(("element", "atoms"), [("Na", 2), ("Li", 2), ("K", 2), ("Cu", 4), ("Al", 4), ("Zn", 2), ("Mg", 2)])
def test_metals_come_in_their_conventional_cell(element, atoms):
    crystal = metal_crystal(element)
    assert len(crystal) == atoms
    primitive = metal_crystal(element, primitive=True)
    assert crystal.cell.volume / len(crystal) == pytest.approx(primitive.cell.volume / len(primitive))


@pytest.mark.parametrize("element", ["O", "Xx", "X", "sodium", ""])
def test_what_is_no_metal_is_refused(element):
    with pytest.raises(InputError):
        metal_crystal(element)


def test_bonds_of_any_strength_are_no_overlap():
    for molecule in ("H2", "N2"):
        length = {"H2": 0.74, "N2": 1.10}[molecule]
        check_overlap(Atoms(molecule, positions=[(0, 0, 0), (length, 0, 0)], cell=[8, 8, 8], pbc=True))


def test_formulas_put_the_metal_first():
    assert formula(np.array([7, 23, 7, 23])) == "VN"
    assert formula(np.array([8, 22, 8, 8, 22, 8])) == "TiO2"
    assert formula(np.array([17, 11])) == "NaCl"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_before_it_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.cif")
    with pytest.raises(InputError, match="is no regular file"):
        read_structure(tmp_path / "pipe.cif")
