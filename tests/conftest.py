"""Shared fixtures: real measured files, where they are present."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples every time, so that a change is judged by what it changes; HYPOTHESIS_PROFILE=explore draws new ones
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Return a function from the name of a real measured file to its path; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SODIOPHILE_TEST_DATA", ROOT / ".." / "shared" / "data")).resolve()

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"real measured file {name} is absent from SODIOPHILE_TEST_DATA ({folder})")
        return path

    return find
