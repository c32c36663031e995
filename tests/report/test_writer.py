import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sodiophile.errors import InputError
from sodiophile.report import write, writer

from .sample import sample


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write(sample(), tmp_path_factory.mktemp("one") / "report").parent


def test_everything_is_there(report):
    names = set(_files(report))
    assert {
        "report.html",
        "results.json",
        "tables/quantities.csv",
        "tables/comparisons.csv",
        "tables/coverage.csv",
    } <= names
    data = json.loads((report / "results.json").read_text(encoding="utf-8"))
    listed = {
        name
        for job in data["jobs"]
        for group in job["files"].values()
        for name in (group.values() if isinstance(group, dict) else group)
    }
    assert listed <= names
    own = {"report.html", "results.json", "tables/quantities.csv", "tables/comparisons.csv", "tables/coverage.csv"}
    assert names - own == listed
    assert {Path(name).suffix for name in listed} == {".svg", ".pdf", ".png", ".csv", ".extxyz", ".xyz", ".log", ".json"}


def test_names_are_safe_and_every_link_of_the_page_leads_somewhere(report):
    for name in _files(report):
        assert re.fullmatch(r"[a-z0-9./-]+", name)
        assert len(name) < 120
    page = (report / "report.html").read_text(encoding="utf-8")
    local = {link for link in re.findall(r'href="([^"#:]+)"', page) if link}
    assert len(local) > 20
    for link in local:
        assert (report / link).is_file(), link


def test_tables_on_disk_are_whole(report):
    outcome = sample()
    job = next(job for job in outcome.jobs if job.electrode == "bare" and job.what == "experiment")
    table = pl.read_csv(report / "tables" / "life-at-0.5-bare--trace.csv")
    assert table.equals(job.result.tables["trace"])


def test_the_same_outcome_gives_the_same_bytes(report, tmp_path):
    assert _files(write(sample(), tmp_path / "two").parent) == _files(report)


def test_another_date_changes_nothing_but_the_date(report, tmp_path):
    other = _files(write(replace(sample(), started="2032-01-01T00:00:00+00:00"), tmp_path / "two").parent)
    changed = {name for name, content in _files(report).items() if other[name] != content}
    assert changed == {"report.html", "results.json"}
    page = other["report.html"].replace(b"2032-01-01 00:00:00 UTC", b"2031-02-03 04:05:06 UTC")
    assert page == (report / "report.html").read_bytes()


def test_an_interrupted_run_leaves_the_former_report_whole(report, tmp_path, monkeypatch):
    out = tmp_path / "report"
    write(replace(sample(), jobs=()), out)
    before = _files(out)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "render", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(sample(), out)
    assert _files(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_report_is_replaced_and_the_files_of_others_stay(tmp_path):
    out = tmp_path / "report"
    write(sample(), out)
    (out / "notes.txt").write_text("mine")
    write(replace(sample(), jobs=(), title="second"), out)
    assert (out / "notes.txt").read_text() == "mine"
    assert "second" in (out / "report.html").read_text(encoding="utf-8")
    assert not list((out / "figures").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "results.json").write_text("[]")
    with pytest.raises(InputError, match="holds other files"):
        write(sample(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", "results.json"}


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "report").write_text("")
    with pytest.raises(InputError, match="is a file"):
        write(sample(), tmp_path / "report")
    with pytest.raises(InputError, match="cannot be written"):
        write(sample(), tmp_path / "report" / "below")


def test_an_outcome_of_nothing_is_a_report_too(tmp_path):
    empty = replace(
        sample(), jobs=(), comparisons=(), coverage=(), electrodes={}, versions={}, inputs=(), warnings=(), study_file="",
        description="", reference="",
    )  # fmt: skip
    page = write(empty, tmp_path / "deep" / "er").read_text(encoding="utf-8")
    assert "no experiment and no calculation" in page
    assert "3dmol v" not in page
    assert len(page) < 60_000
