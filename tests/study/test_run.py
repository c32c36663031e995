"""A study from its file to its outcome, with an experiment of somebody else's package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sodiophile.errors import InputError
from sodiophile.records import file_sha256
from sodiophile.study.plan import plan_study, unknown_quantities
from sodiophile.study.run import load_study, new, report_folder, run
from sodiophile.study.store import study_store

from .conftest import BDF, STUDY

Write = Callable[[str], Path]

MORE = """
[[experiments]]
name = "virtual"
kind = "toy-resistance"
electrodes = ["bare"]
simulate = { seed = 3, noise = "1 mV" }

[[experiments]]
name = "empty"
kind = "toy-resistance"
electrodes = ["bare"]
files = { bare = "empty.csv" }

[[experiments]]
name = "resting"
kind = "toy-resistance"
electrodes = ["bare"]
files = { bare = ["resting.csv"] }

[[reported]]
experiment = "resistance"
electrode = "bare"
quantity = "resistance"
value = "0.0099(2) ohm m^2"
row = 1

[[coverage]]
row = 2
title = "Nobody did this"

[[coverage]]
row = 1
title = "Resistance <script>alert(1)</script>"
by = ["resistance"]

[[coverage]]
row = 3
title = "Virtual"
by = ["virtual"]

[[coverage]]
row = 4
title = "Without current"
by = ["resting", "empty"]
"""

pytestmark = pytest.mark.usefixtures("toykit")


def test_a_study_from_end_to_end(write_study: Write, folder: Path) -> None:
    (folder / "empty.csv").write_text("")
    (folder / "resting.csv").write_text(BDF.replace("-0.001", "0"))
    path = write_study(STUDY + MORE)
    first = run(folder, workers=2, progress=False)
    jobs = {job.title: job for job in first.jobs}
    assert list(jobs) == ["resistance: bare", "resistance: coated", "virtual: bare", "empty: bare", "resting: bare"]
    measured = jobs["resistance: bare"].result
    virtual = jobs["virtual: bare"].result
    assert measured is not None
    assert virtual is not None
    assert measured.quantities["resistance"].value == pytest.approx(100)
    assert measured.table()["time_s"].to_list() == [0, 3600, 7200]
    assert measured.drawer is not None
    assert virtual.simulated
    assert not measured.simulated
    assert "is empty" in (jobs["empty: bare"].error or "")
    assert "no current flows in this file" in (jobs["resting: bare"].error or "")
    assert [(row.row, row.status) for row in first.coverage] == [
        (1, "measured"),
        (2, "not yet"),
        (3, "simulated"),
        (4, "failed"),
    ]
    assert first.coverage[0].title == "Resistance <script>alert(1)</script>"
    (comparison,) = first.comparisons
    assert comparison.ours is not None
    assert comparison.ours.value == pytest.approx(0.01)
    assert comparison.verdict.startswith("agrees: +0.0001 m ** 2 * ohm"[:15])
    assert (first.computed, first.reused) == (3, 0)
    assert {"sodiophile", "python", "polars", "toykit"} - set(first.versions) <= {"toykit"}
    assert {entry["name"]: entry["sha256"] for entry in first.inputs}["bare.csv"] == file_sha256(folder / "bare.csv")
    assert first.study_file == path.read_text()
    assert first.electrodes["coated"] == {"metal": "Na", "interlayer": "VN", "area": "1 cm^2"}
    assert (folder / ".sodiophile" / ".gitignore").read_text() == "*\n"

    # what failed is tried again, what is finished is not
    (folder / "resting.csv").write_text(BDF)
    second = run(path, workers=2, progress=False)
    again = {job.title: job for job in second.jobs}
    assert (second.computed, second.reused) == (1, 3)
    assert again["resting: bare"].error is None
    assert [job.reused for job in second.jobs] == [True, True, True, False, False]
    kept = again["resistance: bare"].result
    assert kept is not None
    assert kept.to_dict() == measured.to_dict()
    record = study_store(folder).folder(again["virtual: bare"].key) / "record.parquet"
    assert record.is_file()

    # only one of it, after a file has changed: the others are shown from the store
    (folder / "bare.csv").write_text(BDF.replace("0.05", "0.04"))
    (folder / "coated.csv").write_text(BDF.replace("0.05", "0.03"))
    third = run(path, only="resistance: coated", workers=1, progress=False)
    assert (third.computed, third.reused) == (1, 2)
    assert [job.title for job in third.jobs if job.result] == ["resistance: coated", "virtual: bare", "resting: bare"]
    assert third.comparisons[0].verdict == "not yet"


def test_a_misspelt_quantity_is_said_before_the_work_and_is_no_crash(write_study: Write, folder: Path) -> None:
    text = STUDY + MORE[MORE.index("[[reported]]") : MORE.index("row = 1")].replace('quantity = "re', 'quantity = "re_')
    study = load_study(write_study(text))
    hint = "reported[1].quantity: 're_sistance' is no quantity of 'toy-resistance'; did you mean 'resistance'?"
    assert unknown_quantities(study) == [hint]
    outcome = run(folder, workers=1, progress=False)
    assert outcome.warnings == (hint,)
    assert outcome.comparisons[0].verdict.startswith("cannot be compared: the result has no 're_sistance'; did you mean")


def test_names_that_are_not_in_the_study_are_one_line(write_study: Write) -> None:
    with pytest.raises(InputError, match=r"only: found 'resistence'.*did you mean 'resistance'"):
        run(write_study(STUDY), only="resistence", progress=False)


def test_the_key_of_an_analysis_depends_on_content_and_options_not_on_place(
    write_study: Write, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def keys(text: str = STUDY, where: Path = folder) -> list[str]:
        (where / "study.toml").write_text(text)
        study = load_study(where)
        return [job.task.key for job in plan_study(study, study_store(where)).jobs if job.task is not None]

    before = keys()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("bare.csv", "coated.csv"):
        (elsewhere / name).write_text((folder / name).read_text())
    assert keys(where=elsewhere) == before
    assert keys(STUDY.replace('title = "A toy"', 'title = "Another"')) == before
    assert keys(STUDY.replace('"0.5 mA/cm^2"', '"5 A/m^2"')) == before
    assert keys(STUDY.replace('"0.5 mA/cm^2"', '"0.6 mA/cm^2"'))[0] != before[0]
    assert keys(STUDY.replace('area = "2 cm^2"', 'area = "3 cm^2"'))[1] == before[1]
    assert keys(STUDY + 'read = { sign = "reversed" }\n')[0] != before[0]
    (folder / "bare.csv").write_text(BDF + "7201,-0.001,-0.05\n")
    assert [old == now for old, now in zip(before, keys(), strict=True)] == [False, True]


def test_a_file_that_changes_between_plan_and_work_is_not_analyzed(write_study: Write, folder: Path) -> None:
    from sodiophile.study.tasks import analyze_files

    write_study(STUDY)
    task = plan_study(load_study(folder), study_store(folder)).jobs[0].task
    assert task is not None
    (folder / "bare.csv").write_text(BDF.replace("0.05", "0.06"))
    with pytest.raises(InputError, match=r"bare\.csv: the file has changed since the study was planned"):
        analyze_files(task.inputs, {}, task.context, folder / "work")


def test_a_damaged_entry_is_done_again_with_a_warning(write_study: Write, folder: Path) -> None:
    path = write_study(STUDY)
    first = run(path, workers=1, progress=False)
    stored = study_store(folder).folder(first.jobs[0].key)
    (stored / "result.json").write_text("{")
    second = run(path, workers=1, progress=False)
    assert (second.computed, second.reused) == (1, 1)
    assert len(second.warnings) == 1
    assert "is damaged and is done again" in second.warnings[0]
    assert [job.result.to_dict() for job in second.jobs if job.result] == [
        job.result.to_dict() for job in first.jobs if job.result
    ]


def test_work_from_a_folder_beside_the_study_is_used_and_said(write_study: Write, folder: Path) -> None:
    path = write_study(STUDY)
    first = run(path, workers=1, progress=False)
    (folder / ".sodiophile" / "store").rename(folder / "store")
    second = run(path, progress=False)
    assert (second.computed, second.reused) == (0, 2)
    assert [job.result.to_dict() for job in second.jobs if job.result] == [
        job.result.to_dict() for job in first.jobs if job.result
    ]
    assert second.warnings == ("2 of 2 tasks were not done here: they were found finished in store",)


def test_progress_goes_to_standard_error_in_plain_lines(write_study: Write, folder: Path) -> None:
    path = write_study(STUDY)
    script = (
        "import sys, sodiophile.study.run as r; o = r.run(sys.argv[1]); print(o.computed, 'distributed' in sys.modules)"
    )

    def again() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)

    first, second = again(), again()
    assert first.stdout == "2 True\n"
    assert "[2/2] resistance: " in first.stderr
    assert "2 tasks to do, about 2 s of work on one core" in first.stderr
    assert "\x1b" not in first.stderr
    assert "Warning" not in first.stderr
    assert second.stdout == "0 False\n"
    assert second.stderr == "everything is done already\n"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs file permissions that hold for this user")
def test_a_folder_that_may_not_be_written_is_one_line(write_study: Write, folder: Path) -> None:
    path = write_study(STUDY)
    folder.chmod(0o500)
    with pytest.raises(InputError, match="SODIOPHILE_STORE"):
        run(path, progress=False)


def test_a_new_study_is_valid_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = new(tmp_path / "mine")
    assert report_folder(path) == report_folder(tmp_path / "mine") == tmp_path / "mine" / "results"
    study = load_study(tmp_path / "mine")
    assert {job.simulated for job in study.jobs} == {True}
    with pytest.raises(InputError, match="is not an empty folder; nothing was written"):
        new(tmp_path / "mine")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="nothing was written"):
        new(tmp_path / "file")


def test_every_commented_key_of_the_template_is_a_key(tmp_path: Path) -> None:
    """Take the comments of the template away: what it suggests must be known to the schema."""
    import tomllib

    from sodiophile.study.schema import Calculation, Coverage, Reported

    text = new(tmp_path / "mine").read_text()
    suggested = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    block = "\n".join(suggested[suggested.index("[[calculations]]") :])
    lines = [line for line in block.splitlines() if line.startswith("[[") or " = " in line]
    tables = tomllib.loads("\n".join(lines))
    assert set(tables) == {"calculations", "reported", "coverage"}
    assert set(tables["reported"][0]) <= set(Reported.model_fields)
    assert set(tables["coverage"][0]) <= set(Coverage.model_fields)
    assert set(tables["calculations"][0]) - {"facet"} <= set(Calculation.model_fields)
    assert json.dumps(tables)


def test_a_new_study_runs_as_it_is_and_says_that_it_is_simulated(tmp_path: Path) -> None:
    outcome = run(new(tmp_path / "mine"), progress=False)
    assert [job.error for job in outcome.jobs if job.what == "experiment"] == [None] * 4
    assert all(job.result is not None and job.result.simulated for job in outcome.jobs)


def test_a_real_file_gives_the_same_by_a_study_as_by_hand(
    real_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sodiophile import experiments, readers
    from sodiophile.schema import checked

    monkeypatch.delenv("SODIOPHILE_STORE", raising=False)
    name = "li_llzo_li_symmetric_mb.mpt"
    (tmp_path / name).write_bytes(real_data(f"echem/symmetric_metal/{name}").read_bytes())
    (tmp_path / "study.toml").write_text(
        'title = "Li"\n[electrodes.li]\nmetal = "Li"\narea = "1 cm^2"\n[[experiments]]\nname = "cycling"\n'
        f'kind = "symmetric-cycling"\nfiles = {{ li = "{name}" }}\n'
    )
    found = run(tmp_path, workers=1, progress=False).jobs[0].result
    kind = experiments.experiment("symmetric-cycling")
    by_hand = kind.run([readers.read(tmp_path / name, readers.ReadOptions())], checked(kind.protocol, {"area": "1 cm^2"}))
    assert found is not None
    assert json.dumps(found.to_dict()) == json.dumps(by_hand.to_dict())
    assert all(found.tables[name].equals(table) for name, table in by_hand.tables.items())
