"""Somebody else's package on the path, in this process and in those that it starts; studies to run."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

SITE = Path(__file__).parent / "site"

CELL = "bare-na"

BDF = "test_time_second,current_ampere,voltage_volt\n0,-0.001,-0.05\n3600,-0.001,-0.05\n7200,-0.001,-0.05\n"

STUDY = """
title = "A toy"
[electrodes.bare]
metal = "Na"
area = "2 cm^2"
cell = "bare-na"
[electrodes.coated]
metal = "Na"
area = "1 cm^2"
interlayer = { material = "VN" }
[[experiments]]
name = "resistance"
kind = "toy-resistance"
current_density = "0.5 mA/cm^2"
files = { bare = "bare.csv", coated = "coated.csv" }
"""


@pytest.fixture
def toykit(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(SITE))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SITE), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.delenv("SODIOPHILE_STORE", raising=False)
    yield importlib.import_module("toykit")
    from sodiophile import experiments

    experiments.experiment.cache_clear()
    sys.modules.pop("toykit", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files of a cycler."""
    (tmp_path / "bare.csv").write_text(BDF)
    (tmp_path / "coated.csv").write_text(BDF.replace("0.05", "0.02"))
    return tmp_path


@pytest.fixture
def write_study(folder: Path) -> Callable[[str], Path]:
    def write(text: str = STUDY) -> Path:
        path = folder / "study.toml"
        path.write_text(text)
        return path

    return write
