"""Importing the package, and asking for help, loads nothing heavy: that is what keeps both quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
