"""The study that ships: its record must serve whatever is installed, and nobody must have to run DFT for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sodiophile.study.plan import Planned, plan_study
from sodiophile.study.run import load_study
from sodiophile.study.store import Store

STUDY = Path(__file__).parents[2] / "studies" / "na-vn"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Planned]:
    store = Store(tmp_path_factory.mktemp("store"), (STUDY / "store",))
    return {planned.job.title: planned for planned in plan_study(load_study(STUDY), store).jobs}


def test_every_calculation_by_dft_is_in_the_record(jobs: dict[str, Planned]) -> None:
    by_dft = {name: planned for name, planned in jobs.items() if getattr(planned.job.model, "engine", "") == "gpaw"}
    assert len(by_dft) >= 6
    assert [name for name, planned in by_dft.items() if not planned.recorded] == []


def test_nothing_of_it_cannot_be_planned(jobs: dict[str, Planned]) -> None:
    assert {name: planned.error for name, planned in jobs.items() if planned.error is not None} == {}


def test_the_record_names_no_machine_and_stays_small() -> None:
    files = [path for path in (STUDY / "store").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20e6
    assert not [path for path in files if path.name == "log.txt"]
    for path in files:
        if path.suffix in {".json", ".jsonl"} or path.name == "DONE":
            assert not re.search(r'"/\w+/', path.read_text(encoding="utf-8")), path
