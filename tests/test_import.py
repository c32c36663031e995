"""Importing the package, and asking for help, loads nothing heavy: that is what keeps both quick."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from sodiophile.errors import MissingExtraError, importing

HEAVY = {
    "numpy",
    "polars",
    "scipy",
    "matplotlib",
    "pydantic",
    "pint",
    "ase",
    "torch",
    "dask",
    "distributed",
    "jinja2",
    "pandas",
}


@pytest.mark.parametrize(
    "code",
    ["import sodiophile", "from sodiophile.cli.commands import application; application(['--help'])"],
)
def test_nothing_heavy_is_imported(code):
    script = f"{code}\nimport sys; print(*sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_verbs_are_there_and_nothing_else_is():
    import sodiophile

    assert all(getattr(sodiophile, name) is not None for name in sodiophile.__all__)
    with pytest.raises(AttributeError):
        sodiophile.nonsense  # noqa: B018


def test_a_missing_package_names_its_extra_and_a_missing_module_of_ours_stays_a_fault() -> None:
    extra = r"a drawing needs an extra .* pip install 'sodiophile\[atomistic\]'"
    with pytest.raises(MissingExtraError, match=extra), importing("atomistic", "a drawing"):
        importlib.import_module("no_such_package.part")
    with pytest.raises(ModuleNotFoundError, match=r"sodiophile\.no_such_module"), importing("atomistic", "a drawing"):
        importlib.import_module("sodiophile.no_such_module")
