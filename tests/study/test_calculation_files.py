"""Files that a calculation of a study names besides its structure: relative to the study, their content in the key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sodiophile.atomistic import calculation
from sodiophile.errors import InputError
from sodiophile.schema import file_names, one_a_line
from sodiophile.study.load import Study, load_study

from .conftest import STUDY

Write = Callable[[str], Path]

CRYSTAL = "Cu4 Au4\n1.0\n4 0 0\n0 4 0\n0 0 4\nCu Au\n2 2\nDirect\n0 0 0\n0.5 0.5 0\n0.5 0 0.5\n0 0.5 0.5\n"
AGAINST = """
[[calculations]]
name = "against Cu"
kind = "stability"
electrodes = ["bare"]
engine = "emt"
structure = "CuAu.vasp"
metal = "Cu"
phases = """

pytestmark = pytest.mark.usefixtures("toykit")


@pytest.fixture
def load(write_study: Write, folder: Path) -> Callable[[str], Study]:
    (folder / "crystals").mkdir()
    for name in ("CuAu.vasp", "first.vasp", "crystals/second.vasp", "crystals/a, b.vasp"):
        (folder / name).write_text(CRYSTAL)
    return lambda phases: load_study(write_study(STUDY + AGAINST + phases))


def _names(study: Study) -> list[Path]:
    return [Path(name) for name in file_names(study.jobs[2].model.phases)]  # type: ignore[union-attr]


def _key(study: Study) -> str:
    return calculation("stability").plan(study.jobs[2].model).key


@pytest.mark.parametrize("phases", ['"first.vasp, crystals/second.vasp"', '["first.vasp", "crystals/second.vasp"]'])
def test_they_are_relative_to_the_study(
    phases: str, load: Callable[[str], Study], folder: Path, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    names = _names(load(phases))
    assert [name.resolve() for name in names] == [(folder / n).resolve() for n in ("first.vasp", "crystals/second.vasp")]


def test_a_name_with_a_comma_can_stand_in_a_list(load: Callable[[str], Study]) -> None:
    assert [name.name for name in _names(load('["crystals/a, b.vasp"]'))] == ["a, b.vasp"]
    assert file_names(one_a_line(["a, b", "c"])) == ["a, b", "c"]
    assert file_names("a, c,") == ["a", "c"]


def test_their_content_is_in_the_key_and_their_name_is_not(load: Callable[[str], Study], folder: Path) -> None:
    first = _key(load('"first.vasp"'))
    assert _key(load('"crystals/second.vasp"')) == first
    (folder / "first.vasp").write_text(CRYSTAL.replace("4 0 0", "4.1 0 0"))
    assert _key(load('"first.vasp"')) != first


@pytest.mark.parametrize(
    ("phases", "hint"),
    [
        ('"first.vasp, nothing.vasp"', "nothing.vasp"),
        ('"crystals/a, b.vasp"', "crystals/a"),
        ('"../outside.vasp"', "outside.vasp"),
        ("3", "expected names of files"),
        ('["first.vasp", 3]', "expected names of files"),
    ],
)
def test_what_names_no_file_of_the_study_is_one_line(phases: str, hint: str, load: Callable[[str], Study]) -> None:
    with pytest.raises(InputError, match=r"calculations\[1\]\.phases: ") as caught:
        load(phases)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_holds_no_crystal_is_one_line(load: Callable[[str], Study], folder: Path) -> None:
    (folder / "first.vasp").write_text("nothing of the kind\n")
    study = load('"first.vasp"')
    with pytest.raises(InputError, match=r"first\.vasp") as caught:
        _key(study)
    assert "\n" not in str(caught.value)
