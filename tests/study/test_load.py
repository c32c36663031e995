"""A study file: what is right is taken, and every fault is one line that names the file and the key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from sodiophile.errors import InputError
from sodiophile.study.load import load_study

from .conftest import STUDY

Write = Callable[[str], Path]

SIMULATED = 'files = { bare = "bare.csv", coated = "coated.csv" }'
REPORTED = '\n[[reported]]\nexperiment = "resistance"\nelectrode = "bare"\nquantity = "resistance"\nvalue = "90 ohm cm^2"\n'
COVERAGE = '\n[[coverage]]\nrow = 1\ntitle = "A"\nby = ["resistance"]\n'


def _changed(old: str, new: str) -> str:
    assert old in STUDY
    return STUDY.replace(old, new)


@pytest.mark.usefixtures("toykit")
def test_a_right_study_gives_a_job_for_each_electrode(write_study: Write) -> None:
    study = load_study(write_study(STUDY + REPORTED + COVERAGE))
    assert [job.title for job in study.jobs] == ["resistance: bare", "resistance: coated"]
    assert [job.model.area_cm2 for job in study.jobs if job.model] == [2.0, 1.0]
    assert [path.name for job in study.jobs for path in job.files] == ["bare.csv", "coated.csv"]
    assert study.file.reported[0].as_quantity().status == "reported"


@pytest.mark.usefixtures("toykit")
def test_the_area_of_an_experiment_goes_before_that_of_the_electrode(write_study: Write) -> None:
    study = load_study(write_study(STUDY + 'area = "50 mm^2"\n'))
    assert [job.model.area_cm2 for job in study.jobs if job.model] == [0.5, 0.5]


@pytest.mark.usefixtures("toykit")
def test_the_folder_means_the_study_in_it(write_study: Write, tmp_path: Path) -> None:
    path = write_study(STUDY)
    assert load_study(tmp_path).path == path == load_study(path).path


@pytest.mark.usefixtures("toykit")
def test_text_that_a_browser_would_run_stays_text(write_study: Write) -> None:
    title = "<script>alert(1)</script>"
    assert load_study(write_study(_changed("A toy", title))).file.title == title


@pytest.mark.usefixtures("toykit")
def test_a_file_saved_by_an_editor_on_windows_is_read(folder: Path) -> None:
    (folder / "study.toml").write_bytes(b"\xef\xbb\xbf" + STUDY.replace("\n", "\r\n").encode())
    assert load_study(folder).file.title == "A toy"


FAULTS = [
    # an unknown key, here and there
    (_changed('title = "A toy"', 'titel = "A toy"'), "titel: unknown key", "'title'"),
    (STUDY.replace("title =", 'referenz = "x"\ntitle ='), "referenz: unknown key", "'reference'"),
    (_changed('metal = "Na"\narea = "1 cm^2"', 'metall = "Na"'), "electrodes.coated.metall: unknown key", "'metal'"),
    (_changed('cell = "bare-na"', 'cel = "bare-na"'), "electrodes.bare.cel: unknown key", "'cell'"),
    (_changed('{ material = "VN" }', '{ material = "VN", thicknes = "1 um" }'), "interlayer.thicknes", "'thickness'"),
    (_changed("current_density", "current_densty"), "experiments[1].current_densty: unknown key", "'current_density'"),
    (_changed("files =", "file ="), "experiments[1]: ", "did you mean 'files'"),
    (STUDY + "\n[[calculation]]\n", "calculation: unknown key", "'calculations'"),
    # a unit
    (_changed('"0.5 mA/cm^2"', '"0.5 V"'), "experiments[1].current_density: ", "mA/cm^2"),
    (_changed('"0.5 mA/cm^2"', "0.5"), "experiments[1].current_density: ", "without a unit"),
    (_changed('"0.5 mA/cm^2"', '"0.5 mA/cmm^2"'), "experiments[1].current_density: ", "is not a unit"),
    (_changed('"0.5 mA/cm^2"', '"-1 mA/cm^2"'), "experiments[1].current_density: ", "more than 0"),
    (_changed('"2 cm^2"', '"2 cm"'), "electrodes.bare.area: ", "cm^2"),
    (_changed('area = "1 cm^2"', ""), "experiments[1].area: missing", "'1 cm^2'"),
    (_changed('metal = "Na"\narea = "2', 'metal = "sodium"\narea = "2'), "electrodes.bare.metal: ", "'Na'"),
    # a name
    (_changed('"toy-resistance"', '"toy-resistence"'), "experiments[1].kind: ", "'toy-resistance'"),
    (_changed('"toy-resistance"', '"adsorption"'), "experiments[1].kind: ", "[[calculations]]"),
    (_changed("[[experiments]]", '[[experiments]]\nelectrodes = ["bear"]'), "experiments[1].electrodes: ", "'bare'"),
    (_changed("[[experiments]]", '[[experiments]]\nelectrodes = ["bare", "bare"]'), "experiments[1].electrodes", "twice"),
    (_changed("[[experiments]]", '[[experiments]]\nelectrodes = ["bare"]'), "experiments[1].files: ", "'coated'"),
    (_changed(', coated = "coated.csv" }', "}\nelectrodes = ['bare', 'coated']"), "experiments[1].files: ", "'coated'"),
    (STUDY + STUDY[STUDY.index("[[exp") :], "experiments[2].name: ", "experiments[1]"),
    (_changed('name = "resistance"', ""), "experiments[1].name: missing", ""),
    (STUDY + '\n[[calculations]]\nkind = "adsorbtion"\n', "calculations[1].kind: ", "'adsorption'"),
    (STUDY + '\n[[calculations]]\nkind = "toy-resistance"\n', "calculations[1].kind: ", "[[experiments]]"),
    # a file
    (_changed('"bare.csv"', '"bar.csv"'), "experiments[1].files.bare: ", "'bare.csv'"),
    (_changed('"bare.csv"', '"../bare.csv"'), "experiments[1].files.bare: ", "leads out of the study's folder"),
    (_changed('"bare.csv"', '"sub/../../x.csv"'), "experiments[1].files.bare: ", "leads out of the study's folder"),
    (_changed('"bare.csv"', '"/etc/passwd"'), "experiments[1].files.bare: ", "absolute path"),
    (_changed('"bare.csv"', r"'C:\data\bare.csv'"), "experiments[1].files.bare: ", "absolute path"),
    (_changed('"bare.csv"', '"link.csv"'), "experiments[1].files.bare: ", "leads out of the study's folder"),
    (_changed('"bare.csv"', '"a\\u0000b"'), "experiments[1].files.bare: ", "name of a file"),
    (_changed('"bare.csv"', '"."'), "experiments[1].files.bare: ", "no such file"),
    (_changed('"bare.csv"', "3"), "experiments[1].files.bare: ", "file name"),
    (_changed('"bare.csv"', "[]"), "experiments[1].files.bare: ", "file name"),
    (_changed('area = "2', 'structure = "Na.cif"\narea = "2'), "electrodes.bare.structure: ", "no such file"),
    (_changed('"VN" }', '"VN", structure = "VN.cif" }'), "electrodes.coated.interlayer.structure: ", "VN.cif"),
    # files or simulate
    (_changed(SIMULATED, ""), "experiments[1]: found neither", "files and simulate"),
    (_changed(SIMULATED, f"{SIMULATED}\nsimulate = true"), "experiments[1]: found both", "files and simulate"),
    (_changed(SIMULATED, "simulate = true"), "electrodes.coated.cell: missing", "experiments[1]"),
    (_changed(SIMULATED, "simulate = 3"), "experiments[1].simulate: ", "true"),
    (_changed(SIMULATED, "simulate = { nose = '1 mV' }\nelectrodes = ['bare']"), "simulate.nose: unknown key", "'noise'"),
    (_changed(SIMULATED, "simulate = { seed = 1.5 }\nelectrodes = ['bare']"), "simulate.seed: ", "whole number"),
    (_changed('cell = "bare-na"', 'cell = "bare-n"').replace(SIMULATED, "simulate = true\nelectrodes = ['bare']"),
     "electrodes.bare.cell: ", "did you mean 'bare-"),
    (_changed(SIMULATED, f"{SIMULATED}\nread = {{ sgn = 'reversed' }}"), "experiments[1].read.sgn: unknown key", "'sign'"),
    # what was reported
    (STUDY + REPORTED.replace('"resistance"\nelec', '"resistanse"\nelec'), "reported[1].experiment: ", "'resistance'"),
    (STUDY + REPORTED.replace("experiment =", "calculation ="), "reported[1].calculation: ", "no calculation"),
    (STUDY + REPORTED.replace('experiment = "resistance"\n', ""), "reported[1]: found neither", "row"),
    (STUDY + REPORTED.replace('"bare"', '"bear"'), "reported[1].electrode: ", "'bare'"),
    (STUDY + REPORTED.replace('electrode = "bare"\n', ""), "reported[1].electrode: missing", "bare, coated"),
    (STUDY + REPORTED.replace('"90 ohm cm^2"', '"many ohm"'), "reported[1].value: ", "'36.1(4) mV'"),
    (STUDY + REPORTED.replace('"90 ohm cm^2"', '"90 ohmm"'), "reported[1].value: ", "is not a unit"),
    (STUDY + REPORTED.replace('"90 ohm cm^2"', "90"), "reported[1].value: ", "text in quotes"),
    (STUDY + REPORTED + 'bound = "least"\n', "reported[1].bound: ", "lower"),
    (STUDY + REPORTED.replace('"90', '"> 90') + 'bound = "upper"\n', "reported[1]: ", "contradict"),
    (STUDY + REPORTED + "row = 7\n" + COVERAGE, "reported[1].row: ", "7"),
    (STUDY + COVERAGE + COVERAGE, "coverage[2].row: ", "another row"),
    (STUDY + COVERAGE.replace('["resistance"]', '["resistivity"]'), "coverage[1].by: ", "'resistance'"),
    (STUDY + COVERAGE + 'status = "measured"\n', "coverage[1].status: unknown key", ""),
    # no study at all
    ("", "title: missing", ""),
    ('title = "x"\n', "electrodes: missing", ""),
    ('title = "x"\n[electrodes]\n', "electrodes: ", "at least 1"),
    ('title = "\\u001b[31m"\n', "title: ", "printable"),
    (_changed('"2 cm^2"', "2 cm^2"), "line 5, column 10: not TOML", "quotes"),
    ('title = "x', "not TOML", "quotes"),
    ('title = "a"\ntitle = "b"\n', "not TOML", "line 2"),
    ("x = " + "[" * 20_000, "nested too deeply", ""),
    ("x = " + "9" * 5_000, "too many digits", ""),
    ("# " + "x" * 1_100_000, "larger than 1000 kB", ""),
]  # fmt: skip


@pytest.mark.usefixtures("toykit")
@pytest.mark.parametrize(("text", "key", "hint"), FAULTS, ids=[f"{at}-{fault[1][:40]}" for at, fault in enumerate(FAULTS)])
def test_a_fault_is_one_line_that_names_the_key(
    text: str, key: str, hint: str, write_study: Write, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text("x")
    (folder / "link.csv").symlink_to(outside)
    path = write_study(text)
    with pytest.raises(InputError) as caught:
        load_study(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert key in message
    assert hint in message
    assert "\n" not in message
    assert len(message) < 700


def test_what_is_not_a_study_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such study"):
        load_study(tmp_path / "nothing.toml")
    with pytest.raises(InputError, match=r"holds no study\.toml; 'sodiophile new DIR'"):
        load_study(tmp_path)
    (tmp_path / "study.toml").write_bytes(b'title = "x"\nnote = "\xff\xfe"\n')
    with pytest.raises(InputError, match="line 2: found a byte that is not UTF-8"):
        load_study(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs file permissions that hold for this user")
def test_a_study_that_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        load_study(path)


@pytest.mark.usefixtures("toykit")
def test_without_the_atomistic_extra_only_the_calculation_is_missing(
    write_study: Write, monkeypatch: pytest.MonkeyPatch, toykit: ModuleType
) -> None:
    from sodiophile import atomistic

    def absent(_kind: str) -> None:
        raise ModuleNotFoundError("No module named 'ase'", name="ase")

    monkeypatch.setattr(atomistic, "calculation", absent)
    study = load_study(write_study(STUDY + '\n[[calculations]]\nkind = "adsorption"\nelectrodes = ["bare"]\n'))
    assert [job.missing is None for job in study.jobs] == [True, True, False]
    assert study.jobs[2].missing is not None
    assert "pip install 'sodiophile[atomistic]'" in str(study.jobs[2].missing)
    assert study.jobs[2].missing.exit_code == 3


@pytest.mark.usefixtures("toykit")
@pytest.mark.parametrize(("kind", "key"), [("adsorption", "adsorbate"), ("adhesion", "metal")])
def test_a_calculation_takes_crystal_and_metal_from_the_electrode(write_study: Write, kind: str, key: str) -> None:
    study = load_study(write_study(STUDY + f'\n[[calculations]]\nkind = "{kind}"\nelectrodes = ["bare"]\nengine = "emt"\n'))
    model = study.jobs[2].model
    assert model is not None
    assert (getattr(model, key), model.structure) == ("Na", "Na")


def test_a_cell_of_another_metal_is_refused(write_study):
    text = """
title = "Mixed up"
[electrodes.bare]
metal = "Li"
area = "1 cm^2"
cell = "bare-na"
[[experiments]]
name = "life"
kind = "symmetric-cycling"
current_density = "0.5 mA/cm^2"
capacity = "1 mAh/cm^2"
simulate = true
"""
    with pytest.raises(InputError, match=r"electrodes\.bare\.cell: found a cell of Na, expected one of Li"):
        load_study(write_study(text))
