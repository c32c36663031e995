"""What needs an extra that is not installed says which, and what to type; the rest works without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

# to Python a module that is None is one that is not installed
HIDE = "import sys; sys.modules.update(dict.fromkeys({names!r}))"
ATOMISTIC = ("ase", "spglib", "torch", "sevenn", "chgnet")
EXTRAS = (*ATOMISTIC, "gpaw", "fastnda", "fastexcel")


@pytest.mark.parametrize(
    ("hidden", "words", "extra"),
    [
        (ATOMISTIC, ["adsorption", "Na"], "atomistic"),
        (ATOMISTIC, ["adsorption", "Cu", "--engine", "emt", "--adsorbate", "Cu"], "atomistic"),
        (["spglib"], ["adsorption", "Cu", "--engine", "emt", "--adsorbate", "Cu"], "atomistic"),
        (["sevenn"], ["adsorption", "Na"], "atomistic"),
        (["chgnet"], ["adsorption", "Na", "--engine", "chgnet"], "chgnet"),
        (["gpaw"], ["adsorption", "Na", "--engine", "gpaw"], "dft"),
    ],
)
def test_a_calculation_names_its_extra(process, hidden, words, extra):
    said = process(*words, code=HIDE.format(names=hidden))
    assert said.code == 3
    assert f"pip install 'sodiophile[{extra}]'" in said.line


def test_a_package_there_by_halves_names_its_extra(process, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "spglib.py").write_text("raise ImportError('libsymspg.so: cannot open', name='spglib')\n")
    said = process("adsorption", "Cu", "--engine", "emt", "--adsorbate", "Cu", path=tmp_path / "site")
    assert (said.code, "sodiophile[atomistic]" in said.line) == (3, True)


def test_a_reader_names_its_extra(process, real_data):
    said = process("read", real_data("echem/neware/test.ndax"), code=HIDE.format(names=["fastnda"]))
    assert (said.code, "pip install 'sodiophile[neware]'" in said.line) == (3, True)


def test_a_study_does_what_it_can(process, good: Path):
    study = good.parent / "study.toml"
    study.write_text(
        'title = "t"\n[electrodes.bare]\nmetal = "Cu"\narea = "1 cm^2"\n'
        '[[experiments]]\nname = "c"\nkind = "symmetric-cycling"\nfiles = { bare = "good.csv" }\n'
        '[[calculations]]\nkind = "adsorption"\nengine = "emt"\n'
    )
    said = process("run", study, code=HIDE.format(names=ATOMISTIC))
    assert said.code in {1, 3}
    assert "pip install 'sodiophile[atomistic]'" in said.err
    jobs = json.loads((good.parent / "results" / "results.json").read_text())["jobs"]
    assert [job["error"] is None for job in jobs] == [True, False]


def test_lists_and_help_need_none(process, good):
    code = HIDE.format(names=EXTRAS)
    assert "nucleation" in process("kinds", code=code).out
    rows = json.loads(process("engines", "--json", code=code).out)["engines"]
    assert [row["installed"] for row in rows] == [False] * len(rows)
    assert process("formats", code=code).code == 0
    assert process("adsorption", "--help", code=code).code == 0
    assert process("analyze", "symmetric-cycling", good, "--area", "1 cm^2", code=code).code == 0
