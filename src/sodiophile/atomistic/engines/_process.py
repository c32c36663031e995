"""Engines that cannot share this environment: an ASE calculator of another Python, in a process of its own.

They are declared in a TOML file of the user's (`declared`), or by another package through an entry point that returns a
`ProcessEngine`. A declaration names a program to run, so a study file cannot hold one.

The child (`_child.py`) starts with the first energy that is asked for, speaks JSON lines, and ends with its parent. One
that crashes, hangs or answers nonsense is started anew once, and asked again.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from sodiophile.atomistic.engines.base import Engine
from sodiophile.errors import EngineError, InputError
from sodiophile.schema import InUnit, Model, checked, written

_IDENTIFY_S = 60.0
_LINE_BYTES = 64 * 2**20
# Set for this Python, wrong for another.
_NOT_HANDED_ON = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
FILE_VARIABLE = "SODIOPHILE_ENGINES"


class Declaration(Model):
    """What a user says of an engine in a process of its own."""

    python: str = Field(min_length=1, description="the Python of the environment that has the calculator and ASE")
    calculator: str = Field(min_length=1, description="'package.module:callable' there, or a calculator's name in ASE")
    settings: dict[str, Any] = Field(default_factory=dict, description="arguments of the callable")
    launch: list[str] = Field(
        default_factory=list,
        description="what stands for the Python to run on several cores, such as ['mpiexec', '-n', '4', 'gpaw', 'python']",
    )
    package: str = Field("", description="the package whose version identifies it (default: that of the calculator)")
    weights: list[str] = Field(default_factory=list, description="files whose SHA-256 identifies it")
    summary: str = Field("", description="what it is, in a few words")
    is_dft: bool = Field(False, description="whether it solves the electronic structure")
    environment: dict[str, str] = Field(default_factory=dict, description="environment variables for the process")
    timeout_s: Annotated[float, InUnit("s")] = Field(
        600.0, alias="timeout", gt=0.0, le=1e6, description="longest wait for one energy"
    )
    start_timeout_s: Annotated[float, InUnit("s")] = Field(
        300.0, alias="start_timeout", gt=0.0, le=1e6, description="longest wait for the calculator to be made"
    )
    seconds_per_atom: float = Field(0.05, gt=0.0, le=1e5, description="rough cost of one energy, for the time left")

    @property
    def told(self) -> dict[str, Any]:
        """What the child is told."""
        package = self.package or self.calculator.partition(":")[0].partition(".")[0]
        if ":" not in self.calculator and not self.package:
            package = "ase"
        return {
            "calculator": self.calculator,
            "settings": self.settings,
            "package": package,
            "weights": self.weights,
            "identify": False,
            "parallel": False,
        }

    def command(self, *, identify: bool) -> list[str]:
        """Return what is run."""
        program = files("sodiophile.atomistic.engines").joinpath("_child.py").read_text(encoding="utf-8")
        if self.launch and not identify:
            return [*self.launch, "-c", program, json.dumps({**self.told, "parallel": True})]
        return [self.python, "-u", "-c", program, json.dumps({**self.told, "identify": identify})]

    def variables(self) -> dict[str, str]:
        """Return the environment of the child: ours without what is meant for our Python, one thread, the user's own."""
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_HANDED_ON}
        return {**kept, "OMP_NUM_THREADS": "1", **self.environment}


@dataclass(frozen=True)
class ProcessEngine(Engine):
    """An engine in a process of its own; made by `process_engine` or from a user's file."""

    declaration: Declaration | None = None

    @property
    def installed(self) -> bool:
        """Whether its Python is there."""
        assert self.declaration is not None  # noqa: S101  set by process_engine
        return os.access(self.declaration.python, os.X_OK) and Path(self.declaration.python).is_file()

    def require(self) -> None:
        """Raise `EngineError` unless its Python is there."""
        assert self.declaration is not None  # noqa: S101
        if not self.installed:
            raise EngineError(f"the engine {self.name!r} runs in {self.declaration.python}, which is no program here")
        if self.declaration.launch and shutil.which(self.declaration.launch[0]) is None:
            raise EngineError(
                f"the engine {self.name!r} is launched by {self.declaration.launch[0]}, which is no program here"
            )

    def identity(self) -> dict[str, Any]:
        """Return what the other environment says of itself: versions, SHA-256 of the weights; and the settings.

        Raises
        ------
        EngineError
            If it does not answer, or lacks ASE, the package or a file of weights.
        """
        self.require()
        assert self.declaration is not None  # noqa: S101
        weights = tuple((path, _state(path)) for path in self.declaration.weights)
        found = json.loads(_identified(self.name, json.dumps(written(self.declaration)), weights))
        return {
            "engine": self.name,
            "package": self.package,
            "version": found["versions"][self.package],
            "calculator": self.declaration.calculator,
            "settings": dict(self.declaration.settings),
            "ase": found["versions"]["ase"],
            "python": found["python"],
            "weights_sha256": found["weights_sha256"],
        }

    def __hash__(self) -> int:
        return hash((self.name, self.weights))


def process_engine(name: str, declaration: Declaration) -> ProcessEngine:
    """Return the engine of a declaration; packages offer it through the entry point group ``sodiophile.engines``."""
    return ProcessEngine(
        name=name,
        summary=declaration.summary or f"{declaration.calculator} in a process of its own",
        package=declaration.told["package"],
        extra="",
        make=lambda: _calculator_of(name, declaration),
        settings=declaration.settings,
        is_dft=declaration.is_dft,
        seconds_per_atom=declaration.seconds_per_atom,
        declaration=declaration,
    )


def declared() -> dict[str, ProcessEngine]:
    """Return the engines of the file that the environment variable SODIOPHILE_ENGINES names, by name.

    Raises
    ------
    InputError
        If the file is missing or damaged, or says what it may not; the line names the key.
    """
    named = os.environ.get(FILE_VARIABLE)
    if not named:
        return {}
    path = Path(named).expanduser()
    state = _state(str(path))
    if state is None:
        raise InputError(f"no such file, named by {FILE_VARIABLE}", path)
    return _declared(path, state)


@cache
def _declared(path: Path, state: tuple[int, int]) -> dict[str, ProcessEngine]:  # noqa: ARG001  a changed file is another
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot be read as TOML: {error}", path) from None
    tables = content.get("engines")
    if set(content) != {"engines"} or not isinstance(tables, dict):
        raise InputError("expected tables [engines.NAME] and nothing else", path)
    found = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise InputError(f"engines.{name}: expected a table", path)
        found[name] = process_engine(name, checked(Declaration, table, path, f"engines.{name}"))
    return found


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


@cache
def _identified(name: str, text: str, weights: tuple[Any, ...]) -> str:
    """Return what the child of a declaration (JSON) says of itself, once for each state of its weights."""
    missing = [path for path, state in weights if state is None]
    if missing:
        raise EngineError(f"the engine {name!r} has weights {missing[0]!r}, which is no file here")
    declaration = checked(Declaration, json.loads(text))
    words, variables = declaration.command(identify=True), declaration.variables()
    try:
        done = subprocess.run(  # noqa: S603  what the user declared
            words, capture_output=True, text=True, timeout=_IDENTIFY_S, env=variables, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"the engine {name!r} cannot be asked who it is: {error}") from None
    try:
        found = json.loads(done.stdout)
        if "error" in found:
            raise EngineError(f"the engine {name!r} cannot say who it is: {found['error']}")
        absent = [package for package, version in found["versions"].items() if version is None]
    except (ValueError, KeyError, TypeError, AttributeError):
        tail = done.stderr.strip().splitlines()[-1:] or [f"it ended with code {done.returncode}"]
        raise EngineError(f"the engine {name!r} does not answer as it should: {tail[0][:200]}") from None
    if absent:
        raise EngineError(f"the engine {name!r} needs the package {absent[0]!r} in {words[0]}, which has none")
    return done.stdout


def _calculator_of(name: str, declaration: Declaration) -> Any:
    """Return the ASE calculator that asks the child; ASE is imported here only."""
    from ase.calculators.calculator import Calculator, all_changes

    child = Child(name, declaration)

    class ProcessCalculator(Calculator):
        """An ASE calculator whose numbers come from a process of its own."""

        implemented_properties = ("energy", "forces", "stress")

        def calculate(self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            self.results = child.ask(atoms, stress="stress" in properties)

    return ProcessCalculator()


class Child:
    """The process of an engine, started when it is first asked.

    Parameters
    ----------
    name
        Of the engine, for messages.
    declaration
        What to run.
    """

    def __init__(self, name: str, declaration: Declaration) -> None:
        self._name = name
        self._declaration = declaration
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._said: Any = None
        self._asked = 0
        self._lock = threading.Lock()
        atexit.register(self.end)

    @property
    def pid(self) -> int | None:
        """Of the process, None where none runs."""
        return self._process.pid if self._process is not None else None

    def ask(self, atoms: Any, *, stress: bool) -> dict[str, Any]:
        """Return energy (eV), forces (n, 3; eV/angstrom) and, if asked for, stress (6; eV/angstrom^3) of some atoms.

        Raises
        ------
        EngineError
            If the calculator refuses the atoms, or the process fails twice.
        """
        with self._lock:
            try:
                return self._once(atoms, stress)
            except _LostError as first:
                self.end()
                try:
                    return self._once(atoms, stress)
                except _LostError as second:
                    self.end()
                    again = "again" if str(second) == str(first) else f"then {second}"
                    raise EngineError(f"the process of the engine {self._name!r} {first}; started anew, {again}") from None

    def end(self) -> None:
        """End the process, if one runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout, self._said):
                with suppress(OSError):
                    stream.close()  # type: ignore[union-attr]
            self._process = None

    def _once(self, atoms: Any, stress: bool) -> dict[str, Any]:
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None  # noqa: S101  started above
        assert process.stdin is not None  # noqa: S101
        self._asked += 1
        question = {
            "id": self._asked,
            "numbers": atoms.numbers.tolist(),
            "positions": atoms.positions.tolist(),
            "cell": atoms.cell[:].tolist(),
            "pbc": [bool(periodic) for periodic in atoms.pbc],
            "stress": stress,
        }
        try:
            process.stdin.write(json.dumps(question, allow_nan=False) + "\n")
            process.stdin.flush()
        except ValueError:
            raise EngineError(f"the engine {self._name!r} was asked about positions that are not finite") from None
        except OSError:
            raise _LostError(self._how_it_ended()) from None
        answer = self._answer(self._declaration.timeout_s)
        if answer.get("id") != self._asked:
            raise _LostError("answered another question than the one asked")
        if "error" in answer:
            raise EngineError(f"{answer['error']}")
        return _numbers(answer, len(atoms), stress)

    def _start(self) -> None:
        self._lines = queue.Queue()
        self._said = tempfile.TemporaryFile("w+b")  # noqa: SIM115  it is open as long as the process runs
        try:
            self._process = subprocess.Popen(  # noqa: S603  what the user declared
                self._declaration.command(identify=False),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=self._declaration.variables(),
            )
        except OSError as error:
            raise EngineError(f"the engine {self._name!r} cannot be started: {error}") from None
        threading.Thread(target=_listen, args=(self._process.stdout, self._lines), daemon=True).start()
        answer = self._answer(self._declaration.start_timeout_s)
        if "error" in answer:
            self.end()
            raise EngineError(f"the engine {self._name!r} cannot be started: {answer['error']}")
        if answer.get("ready") is not True:
            raise _LostError(f"began with {json.dumps(answer)[:80]!r}, not with being ready")

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            raise _LostError(f"did not answer within {timeout_s:g} s") from None
        if line is None:
            raise _LostError(self._how_it_ended())
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise _LostError(f"answered {line.strip()[:60]!r}, expected a JSON object")
        return answer

    def _how_it_ended(self) -> str:
        assert self._process is not None  # noqa: S101
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        how = (
            "closed its output"
            if code is None
            else f"was killed by signal {-code}"
            if code < 0
            else f"ended with code {code}"
        )
        with suppress(OSError, ValueError):
            self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - 4000))
            last = self._said.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            if last:
                return f"{how} ({last[0].strip()[:200]})"
        return how


class _LostError(Exception):
    """The process cannot be talked to any more; the message completes 'the process ...'."""


def _listen(stream: Any, lines: queue.Queue[str | None]) -> None:
    """Pass on each line that the child says, and None when it has said its last."""
    with suppress(OSError, ValueError):
        while line := stream.readline(_LINE_BYTES):
            lines.put(line)
    lines.put(None)


def _numbers(answer: Mapping[str, Any], count: int, stress: bool) -> dict[str, Any]:
    """Return the results, of the right shape and finite."""
    wanted: dict[str, tuple[int, ...]] = {"energy": (), "forces": (count, 3), **({"stress": (6,)} if stress else {})}
    found: dict[str, Any] = {}
    for name, shape in wanted.items():
        try:
            value = np.array(answer[name], dtype=float)
        except (KeyError, ValueError, TypeError):
            raise _LostError(f"gave no {name} that are numbers") from None
        if value.shape != shape or not np.all(np.isfinite(value)):
            raise _LostError(f"gave a {name} of the shape {value.shape}, expected finite numbers of the shape {shape}")
        found[name] = float(value) if not shape else value
    return found
