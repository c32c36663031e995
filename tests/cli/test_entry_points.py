"""A package of somebody else's, installed beside ours, offers an experiment, a format and an engine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import rows

DOCS = Path(__file__).parents[2] / "docs"

ENGINE = """
from sodiophile.atomistic.engines import Engine


def _calculator():
    from ase.calculators.emt import EMT

    return EMT()


ENGINE = Engine(name="thirdpot", summary="somebody's potential", package="ase", extra="", make=_calculator)
"""

STUDY = """
title = "Somebody else's parts"
[electrodes.bare]
metal = "Cu"
area = "1 cm^2"
[[experiments]]
name = "rest"
kind = "resting-voltage"
window = "2 min"
files = { bare = "rest.acm" }
[[calculations]]
kind = "adsorption"
facet = "001"
engine = "thirdpot"
layers = 3
supercell = "1x1"
sites = "top Cu"
free = false
"""


def _block(page: str) -> str:
    found = re.search(r"```python\n(\"\"\"|from sodiophile.readers)(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return found[1] + found[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with one in it, as pip would leave it."""
    folder = tmp_path / "site"
    package = folder / "third"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "rest.py").write_text(_block("adding-an-experiment.md"))
    (package / "acme.py").write_text(_block("adding-a-format.md"))
    (package / "potential.py").write_text(ENGINE)
    about = folder / "third-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: third\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[sodiophile.experiments]\nresting-voltage = third.rest:EXPERIMENT\n"
        "[sodiophile.readers]\nacme = third.acme:READER\n"
        "[sodiophile.engines]\nthirdpot = third.potential:ENGINE\n"
    )
    return folder


def test_its_parts_are_listed(process, site):
    assert "resting-voltage" in process("kinds", path=site).out
    assert "Acme cycler" in process("formats", path=site).out
    assert "thirdpot" in process("engines", path=site).out
    assert "--window" in process("analyze", "resting-voltage", "--help", path=site).out
    assert "resting-voltage" not in process("kinds").out


def test_a_study_uses_all_three(process, site, tmp_path):
    pytest.importorskip("ase")
    study = tmp_path / "study"
    study.mkdir()
    (study / "study.toml").write_text(STUDY)
    lines = [f"{t:g};0;{1e3 * v:g}" for t, _, v in rows()]
    (study / "rest.acm").write_text("\n".join(["ACME CYCLER 2", *lines]) + "\n")
    said = process("run", study, path=site)
    assert said.code == 0, said.err
    results = json.loads((study / "results" / "results.json").read_text())
    assert [job["error"] for job in results["jobs"]] == [None, None]
    assert "everything is done already" in process("run", study, path=site).err


def test_a_broken_one_is_one_line(process, site, good):
    (site / "third" / "rest.py").write_text("1 / 0\n")
    said = process("analyze", "resting-voltage", good, "--area", "1 cm^2", path=site)
    assert (said.code, said.out) == (1, "")
    assert len(said.err.splitlines()) == 1
    assert "third.rest:EXPERIMENT" in said.err
    assert "nucleation" in process("kinds", path=site).out
    assert process("analyze", "nucleation", good, "--area", "1 cm^2", path=site).code == 0
