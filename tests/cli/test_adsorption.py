"""Adsorption from the command line: what is wrong with a structure or an option is one line, told at once."""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip("ase")
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write

EMT = ("--engine", "emt", "--adsorbate", "Cu")


@pytest.fixture
def structures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SODIOPHILE_STORE", str(tmp_path / "store"))
    write("al.cif", bulk("Al", cubic=True))
    write("primitive.cif", bulk("Cu"))
    write("molecule.xyz", molecule("H2O"))
    write("overlap.vasp", bulk("Cu", cubic=True) + Atoms("Cu", positions=[(0.05, 0, 0)]))
    whole = (tmp_path / "al.cif").read_text()
    (tmp_path / "half.cif").write_text(whole[: len(whole) // 2])
    (tmp_path / "empty.cif").write_text("")
    (tmp_path / "binary.cif").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "folder.cif").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["half.cif"], 1, "expected a whole cif file"),
        (["empty.cif"], 1, "is empty"),
        (["binary.cif"], 1, "is binary"),
        (["folder.cif"], 1, "no file"),
        (["absent.cif"], 1, "neither a file nor"),
        (["molecule.xyz"], 1, "no unit cell"),
        (["overlap.vasp"], 1, "overlap"),
        (["cu"], 1, "did you mean 'Cu'?"),
        (["Qq"], 1, "neither a file nor"),
        (["al.cif", "--facet", "000"], 1, "not all zero"),
        (["al.cif", "--facet", "abc"], 1, "is not a facet"),
        (["al.cif", "--facet", "1120"], 1, "third of four"),
        (["al.cif", "--layers", "0"], 1, "at least 1"),
        (["al.cif", "--layers", "1000"], 1, "at most 40"),
        (["al.cif", "--layers", "1.5"], 1, "a whole number"),
        (["al.cif", "--supercell", "0x2"], 1, "such as 2x2"),
        (["al.cif", "--supercell", "2"], 1, "such as 2x2"),
        (["al.cif", "--sites", "top X"], 1, "expected some of: top Al"),
        (["al.cif", "--terminations", "V"], 1, "expected some of: Al"),
        (["al.cif", "--vacuum", "1 angstrom"], 1, "at least 8 angstrom"),
        (["al.cif", "--fmax", "1 eV"], 1, "dimensions differ"),
        (["al.cif", "--adsorbate", "cu"], 1, "did you mean 'Cu'?"),
        (["al.cif", "--adsorbate", "H2O"], 1, "the symbol of an element"),
        (["al.cif", "--adsorbate", "Fe"], 1, "no cohesive energy of Fe"),
        (["al.cif", "--engine", "os:system"], 3, "not an ASE calculator"),
        (["al.cif", "--engine", "absent:Class"], 3, "No module named"),
        (["al.cif", "--figure", "x.docx"], 1, ".svg"),
    ],
)
def test_one_line(command, structures, words, code, expected):
    said = command("adsorption", words[0], *EMT, *words[1:])
    assert said.code == code
    assert expected in said.line


def test_an_element_that_the_engine_does_not_know_ends_with_one_line_about_it(process, structures):
    said = process("adsorption", "al.cif", "--engine", "emt", "--adsorbate", "Na", "--layers", "2", "--supercell", "1x1")
    assert (said.code, said.out) == (3, "")
    assert "No EMT-potential for Na" in said.err.splitlines()[-1]


def test_a_primitive_cell_of_a_crystal_that_relaxes_gives_what_the_conventional_one_gives(process, structures):
    found = []
    for name in ("primitive.cif", "Cu"):
        words = ("--facet", "110", "--layers", "3", "--supercell", "1x1", "--no-free", "--sites", "long bridge")
        said = process("adsorption", name, *EMT, *words, "--json")
        assert said.code == 0, said.err
        quantities = json.loads(said.out)["quantities"]
        found.append({k: q["value"] for k, q in quantities.items() if k.startswith("adsorption_energy_vs_bulk:")})
    assert found[0].keys() == found[1].keys()
    assert found[0] == pytest.approx(found[1], abs=5e-3)


def test_calculate_is_the_same_calculation_by_its_kind(process, structures):
    words = ("al.cif", "--engine", "emt", "--adsorbate", "Al", "--layers", "2", "--supercell", "1x1", "--no-free", "--json")
    general, special = process("calculate", "adsorption", *words), process("adsorption", *words)
    assert (general.code, special.code) == (0, 0), general.err + special.err
    assert json.loads(general.out) == json.loads(special.out)


def test_an_engine_in_a_process_of_its_own_and_one_with_arguments_give_what_the_same_one_gives_here(
    process, structures, monkeypatch
):
    (structures / "engines.toml").write_text(f"[engines.other]\npython = {sys.executable!r}\ncalculator = 'emt'\n")
    monkeypatch.setenv("SODIOPHILE_ENGINES", str(structures / "engines.toml"))
    words = ("--adsorbate", "Al", "--layers", "2", "--supercell", "1x1", "--no-free", "--sites", "four-fold hollow")
    found = []
    for engine in ("emt", "other", 'ase.calculators.emt:EMT {"asap_cutoff": false}'):
        said = process("adsorption", "al.cif", *words, "--engine", engine, "--json")
        assert said.code == 0, said.err
        found.append(json.loads(said.out)["quantities"]["adsorption_energy_vs_bulk:four-fold hollow"]["value"])
    assert found[1:] == pytest.approx([found[0]] * 2, abs=1e-9)
    assert "other" in process("engines").out
