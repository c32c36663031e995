"""The record beside a study: used whatever is installed, marked, never taken for what was computed here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sodiophile._version import __version__
from sodiophile.atomistic.engines import base
from sodiophile.errors import InputError
from sodiophile.study.plan import plan_study, unique_tasks
from sodiophile.study.record import ENGINES, keep, record_of, record_study
from sodiophile.study.run import load_study, run
from sodiophile.study.store import study_store
from sodiophile.study.work import perform

STUDY = """
title = "Aluminium on copper"
level = "{level}"
[electrodes.foil]
metal = "Al"
[electrodes.foil.interlayer]
material = "Cu"

[[calculations]]
name = "Al on Cu"
kind = "adsorption"
structure = "Cu"
adsorbate = "Al"
engine = "{engine}"
sites = "bridge"
free = false
distortion = false
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.delenv("SODIOPHILE_STORE", raising=False)

    def write(engine: str = "emt", level: str = "potential") -> Path:
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        (folder / "study.toml").write_text(STUDY.format(engine=engine, level=level))
        return folder

    return write


@pytest.fixture
def recorded(study: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose work was done with another version of the engine and is kept in its record."""
    folder = study()
    before = study_store(folder)
    before.check_writable()
    with monkeypatch.context() as then:
        then.setattr(base, "_version_of", lambda _: "1.2.3")
        last = plan_study(load_study(folder), before).jobs[0].task
        assert last is not None
        for task in unique_tasks(last.after.values()).values():
            perform(task, before, __version__, 0.0)
        assert keep(folder, last.after.values(), before) == [task.key for task in last.after.values()]
    before.root.rename(before.root.with_name("away"))
    return folder


def test_a_record_serves_where_another_version_is_installed(recorded: Path) -> None:
    outcome = run(recorded, workers=1, progress=False)
    job = outcome.jobs[0]
    assert job.error is None
    assert outcome.computed == 1  # it is put together here
    assert job.result is not None
    assert job.result.inputs["engine"]["version"] == "1.2.3"
    assert "record beside the study file" in job.recorded
    assert job.recorded.split(" of ")[1][:2] == "20"


def test_afresh_keeps_the_record_unless_the_level_asks_for_all(recorded: Path, study: Callable[..., Path]) -> None:
    run(recorded, workers=1, progress=False)
    again = run(recorded, workers=1, progress=False, fresh=True)
    assert again.computed == 1
    assert again.jobs[0].recorded
    study(level="dft")
    anew = run(recorded, workers=1, progress=False, fresh=True)
    assert anew.computed > 3
    assert not anew.jobs[0].recorded
    assert anew.jobs[0].result is not None
    assert anew.jobs[0].result.inputs["engine"]["version"] != "1.2.3"
    values = [
        {name: quantity.value for name, quantity in one.jobs[0].result.quantities.items()}  # type: ignore[union-attr]
        for one in (again, anew)
    ]
    assert values[0] == pytest.approx(values[1])


def test_a_damaged_piece_of_the_record_is_done_again(recorded: Path) -> None:
    piece = next(path for path in (recorded / "store").iterdir() if path.is_dir())
    (piece / "result.json").write_text("{}")
    outcome = run(recorded, workers=1, progress=False)
    assert outcome.jobs[0].error is None
    assert not outcome.jobs[0].recorded
    assert outcome.computed > 3


@pytest.mark.parametrize("text", ["{", "[]", '{"emt": {"engine": "other"}}', '{"emt": 3}'])
def test_a_damaged_list_of_engines_is_told_and_not_used(study: Callable[..., Path], text: str) -> None:
    folder = study()
    (folder / "store").mkdir()
    (folder / "store" / ENGINES).write_text(text)
    warnings: list[str] = []
    assert not record_of(study_store(folder), warnings).engines
    assert len(warnings) == 1
    assert ENGINES in warnings[0]
    assert "is not used" in warnings[0]


def test_one_record_has_one_version_of_an_engine(recorded: Path) -> None:
    path = recorded / "store" / ENGINES
    engines = json.loads(path.read_text())
    engines["emt"]["version"] = "9"
    path.write_text(json.dumps(engines))
    away = study_store(recorded)
    plan = plan_study(load_study(recorded), away)
    run(recorded, workers=1, progress=False)
    with pytest.raises(InputError, match="one version of each"):
        keep(recorded, unique_tasks([plan.jobs[0].task]).values(), away)  # type: ignore[list-item]


def test_dft_is_never_started_where_only_potentials_are_asked_for(study: Callable[..., Path]) -> None:
    outcome = run(study(engine="gpaw"), workers=1, progress=False)
    assert outcome.computed == 0
    assert outcome.jobs[0].error is not None
    assert 'level = "dft"' in outcome.jobs[0].error


def test_a_level_that_there_is_not_is_one_line(study: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match=r"level.*'potential' or 'dft'"):
        load_study(study(level="ccsd"))


def test_the_command_keeps_what_was_named_and_refuses_what_is_not_finished(study: Callable[..., Path]) -> None:
    folder = study(level="dft")
    with pytest.raises(InputError, match="no calculation of this study asks for density functional theory"):
        record_study(folder)
    with pytest.raises(InputError, match="found 'Al on Ag'"):
        record_study(folder, ["Al on Ag"])
    with pytest.raises(InputError, match="not finished"):
        record_study(folder, ["Al on Cu"])
    run(folder, workers=1, progress=False)
    assert record_study(folder, ["Al on Cu"]) == {"Al on Cu: foil": 4}
    assert record_study(folder, ["Al on Cu"]) == {"Al on Cu: foil": 0}
    study_store(folder).root.rename(folder / "away")
    again = run(folder, workers=1, progress=False)
    assert again.jobs[0].recorded
    assert again.computed == 1
