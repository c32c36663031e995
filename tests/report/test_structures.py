import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.report.structures import flat, read_xyz

from .sample import EVIL, slab


def test_extended_xyz_is_read():
    (found,) = read_xyz(slab((2, 2, 2.6), "top V"), "file")
    assert found.name == "top V"
    assert found.formula == "V24 N24 Na1"
    assert found.cell_A is not None
    np.testing.assert_allclose(np.diag(found.cell_A), [8.26, 8.26, 24])
    assert np.flatnonzero(found.adsorbed).tolist() == [48]
    assert [kind["label"] for kind in found.kinds()] == ["V", "N", "Na (adsorbed)"]


def test_an_adsorbate_of_the_same_element_has_a_colour_of_its_own():
    (found,) = read_xyz(slab((1, 1, 2.5), "hollow", "Na", 4.2), "file")
    colours = [kind["colour"] for kind in found.kinds()]
    assert len(colours) == len(set(colours)) == 2


def test_plain_xyz_and_several_frames():
    text = "2\nwater without one hydrogen\nO 0 0 0\nH 0 0 0.96\n\n1\n\nHe 1 2 3\n"
    first, second = read_xyz(text, "two")
    assert (first.name, second.name) == ("two 1", "two 2")
    assert first.cell_A is None
    assert first.bonds() == [(0, 1)]
    assert second.bonds() == []
    np.testing.assert_allclose(second.positions_A, [[1, 2, 3]])


def test_columns_may_come_in_any_order():
    (found,) = read_xyz("1\nProperties=pos:R:3:forces:R:3:species:S:1\n1 2 3 0 0 0 Na\n", "x")
    assert found.symbols == ("Na",)
    np.testing.assert_allclose(found.positions_A, [[1, 2, 3]])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "two\n\nNa 0 0 0",
        "2\n\nNa 0 0 0",
        "-1\n\n",
        "99999999\n\n",
        "1\n\nNa 0 0",
        "1\n\nNa 0 0 nan",
        "1\n\n<b> 0 0 0",
        '1\nLattice="1 2 3"\nNa 0 0 0',
        "1\nProperties=species:S:1\nNa 0 0 0",
        "1\n\nNa 0 0 0\n" * 41,
    ],
)
def test_what_is_no_structure_is_refused_in_one_line(text):
    with pytest.raises(InputError) as caught:
        read_xyz(text, "bad")
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="0123456789 \n.NaO=\"':-eLatticePropertiesspeciesposSR\t", max_size=200))
def test_no_text_does_worse_than_be_refused(text):
    try:
        structures = read_xyz(text, "any")
    except InputError:
        return
    for one in structures:
        assert flat(one).startswith("<svg")


def test_the_number_of_bonds_does_not_depend_on_order_or_place():
    (found,) = read_xyz(slab((2, 2, 2.6), "top V"), "file")
    rows = slab((2, 2, 2.6), "top V").splitlines()
    turned = "\n".join([*rows[:2], *reversed(rows[2:])])
    (other,) = read_xyz(turned, "file")
    # every V-N neighbour within the slab: 2 * 4 * 3 in each of 3 layers, and 16 between layers, twice
    assert len(found.bonds()) == len(other.bonds()) == 3 * 24 + 2 * 16


def test_an_adsorbate_is_shown_amid_its_neighbours_and_no_distance_changes():
    (found,) = read_xyz(slab((0, 0, 2.6), "top V"), "file")
    moved = found.centred()
    np.testing.assert_allclose(moved.positions_A[-1], [4.13, 4.13, found.positions_A[-1, 2]])
    np.testing.assert_allclose(moved.positions_A[:, 2], found.positions_A[:, 2])
    assert moved.positions_A[:, :2].min() > -0.02
    assert moved.positions_A[:, :2].max() < 8.26

    def nearest(structure):
        apart = structure.positions_A[:, None] - structure.positions_A[None]
        apart[..., :2] -= 8.26 * np.round(apart[..., :2] / 8.26)
        return np.linalg.norm(apart, axis=-1)

    np.testing.assert_allclose(nearest(moved), nearest(found), atol=1e-9)


def test_what_does_not_repeat_is_not_moved():
    text = slab((0, 0, 2.6), "top V").replace("T T F", "F F F")
    (found,) = read_xyz(text, "file")
    np.testing.assert_allclose(found.centred().positions_A, found.positions_A)
    (molecule,) = read_xyz("2\n\nO 0 0 0\nH 0 0 1\n", "file")
    assert molecule.centred() is molecule


def test_drawings_hold_every_atom_and_no_foreign_markup():
    (found,) = read_xyz(slab((2, 2, 2.6), f"top {EVIL}"), f"{EVIL}")
    for view in ("side", "top"):
        drawing = flat(found, view)
        assert drawing.count("<circle") == 49
        assert "<script" not in drawing


def test_the_viewer_gets_every_atom_where_it_is():
    (found,) = read_xyz(slab((2, 2, 2.6), "top V"), "file")
    data = found.for_viewer()
    np.testing.assert_allclose([atom[1:] for atom in data["atoms"]], found.positions_A, atol=1e-4)
    assert [data["kinds"][atom[0]]["label"] for atom in data["atoms"]] == list(found.labels)
