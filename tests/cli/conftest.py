"""Files as users have them, and the command line as users meet it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

HEADERS = "Test Time / s,Current / A,Voltage / V"


@dataclass(frozen=True)
class Said:
    """What a command said, and the code it ended with."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line on standard error, with nothing on standard output."""
        assert self.out == ""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("sodiophile")
        assert "report it" not in lines[0]
        return lines[0]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command line in this process, which then trusts no engine more than before."""
    monkeypatch.setattr("sodiophile.atomistic.engines._TRUSTED", set())
    from sodiophile.cli import main

    def run(*words: str | Path) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(int(stop.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Said]:
    """Run a command line in a process of its own, with the packages in some folders before all others."""

    def run(*words: str | Path, path: Path | None = None, code: str = "") -> Said:
        before = [str(path)] if path is not None else []
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*before, os.environ.get("PYTHONPATH", "")])}
        environment["SODIOPHILE_STORE"] = str(tmp_path / "store")
        done = subprocess.run(
            [sys.executable, "-c", f"{code}\nfrom sodiophile.cli import main\nmain()", *map(str, words)],
            capture_output=True, text=True, timeout=120, env=environment, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def rows(count: int = 400) -> list[tuple[float, float, float]]:
    """Eight half cycles of 500 s at 0.5 mA and a slowly rising voltage of 20 mV: time / s, current / A, voltage / V."""
    signs = [-1 if (k // 50) % 2 == 0 else 1 for k in range(count)]
    return [(10.0 * k, 5e-4 * sign, sign * (0.02 + 1e-5 * (k % 50))) for k, sign in enumerate(signs)]


def text(lines: list[tuple[float, float, float]], headers: str = HEADERS) -> str:
    """Write rows as csv."""
    return "\n".join([headers, *(",".join(f"{number:g}" for number in line) for line in lines)]) + "\n"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file with nothing wrong."""
    path = tmp_path / "good.csv"
    path.write_text(text(rows()), encoding="utf-8")
    return path
