"""Engines in a process of their own: the same numbers; crash, hang and nonsense are one line; nothing is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from sodiophile.atomistic import engines as registry
from sodiophile.atomistic.adsorption import AdsorptionInputs
from sodiophile.atomistic.engines import Engine, engine, engine_of, engines, trust
from sodiophile.atomistic.engines._process import FILE_VARIABLE, Child, Declaration, process_engine
from sodiophile.errors import EngineError, InputError
from sodiophile.schema import checked, written

# What an ASE calculator of another environment may do: behave, or not, as a file tells it.
MODULE = """
import os, sys, time
from pathlib import Path
from ase.calculators.emt import EMT

class Odd(EMT):
    def __init__(self, how="well", count=None, **more):
        super().__init__(**more)
        print("a banner on standard output")
        self.how, self.count = how, Path(count) if count else None

    def calculate(self, *given, **more):
        print("chatter on standard output")
        if self.count is not None:
            times = len(self.count.read_text()) if self.count.exists() else 0
            self.count.write_text("x" * (times + 1))
            if times:
                return super().calculate(*given, **more)
        if self.how == "crashes":
            print("out of something", file=sys.stderr)
            os._exit(3)
        if self.how == "is killed":
            os.kill(os.getpid(), 9)
        if self.how == "hangs":
            time.sleep(60)
        super().calculate(*given, **more)
        if self.how == "is nan":
            self.results["forces"][0] = float("nan")
"""


def _atoms() -> Any:
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Declaration]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "oddity.py").write_text(MODULE)

    def make(**settings: Any) -> Declaration:
        more = {
            name: settings.pop(name)
            for name in ("timeout", "weights", "calculator", "python", "launch")
            if name in settings
        }
        given = {
            "python": sys.executable, "calculator": "oddity:Odd", "package": "ase", "settings": settings,
            "environment": {"PYTHONPATH": str(tmp_path / "site")}, "timeout": "20 s", **more,
        }  # fmt: skip
        return checked(Declaration, given)

    return make


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_energies_forces_and_stresses_are_those_of_the_same_calculator_here(declare: Callable[..., Declaration]) -> None:
    found = process_engine("other", declare())
    there, here = _atoms(), _atoms()
    there.calc, here.calc = found.calculator(), EMT()
    assert there.get_potential_energy() == pytest.approx(here.get_potential_energy(), abs=1e-12)
    np.testing.assert_allclose(there.get_forces(), here.get_forces(), atol=1e-12)
    np.testing.assert_allclose(there.get_stress(), here.get_stress(), atol=1e-12)
    assert found.calculator() is found.calculator()
    identity = found.identity()
    assert identity["version"] == identity["ase"] == engine("emt").identity()["version"]
    assert identity["calculator"] == "oddity:Odd"


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("crashes", r"ended with code 3 \(out of something\); started anew, again"),
        ("is killed", r"was killed by signal 9"),
        ("hangs", r"did not answer within 1 s; started anew, again"),
        ("is nan", r"gave a forces of the shape \(8, 3\), expected finite numbers"),
    ],
)
def test_a_child_that_fails_twice_is_one_line(how: str, line: str, declare: Callable[..., Declaration]) -> None:
    child = Child("other", declare(how=how, timeout="1 s"))
    with pytest.raises(EngineError, match=line) as caught:
        child.ask(_atoms(), stress=False)
    assert "\n" not in str(caught.value)
    assert child.pid is None


@pytest.mark.parametrize("how", ["crashes", "hangs"])
def test_a_child_that_fails_once_is_started_anew(how: str, declare: Callable[..., Declaration], tmp_path: Path) -> None:
    count = tmp_path / "count"
    child = Child("other", declare(how=how, count=str(count), timeout="2 s"))
    answer = child.ask(_atoms(), stress=False)
    here = _atoms()
    here.calc = EMT()
    assert answer["energy"] == pytest.approx(here.get_potential_energy(), abs=1e-12)
    assert len(count.read_text()) == 2
    child.end()


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("print('hello')", "answered 'hello', expected a JSON object"),
        ("print('[1, 2]')", r"answered '\[1, 2\]', expected a JSON object"),
        ("print('{\"id\": 7}')", "not with being ready"),
        ("print('{\"ready\": true}'); input(); print('{\"id\": 7}')", "answered another question"),
        ("print('{\"ready\": true}'); input(); print('{\"id\": 1}'); input()", "gave no energy"),
        ("print('{\"ready\": true}'); input(); print('[' * 100000)", "expected a JSON object"),
        ("import sys; sys.exit(4)", "ended with code 4"),
    ],
)
def test_nonsense_from_a_child_is_one_line(
    program: str, line: str, declare: Callable[..., Declaration], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Declaration, "command", lambda *_, **__: [sys.executable, "-u", "-c", program])
    with pytest.raises(EngineError, match=line):
        Child("other", declare()).ask(_atoms(), stress=False)


def test_what_the_calculator_refuses_is_said_and_the_child_lives_on(declare: Callable[..., Declaration]) -> None:
    child = Child("other", declare())
    with pytest.raises(EngineError, match="No EMT-potential for Na"):
        child.ask(bulk("Na"), stress=False)
    pid = child.pid
    child.ask(_atoms(), stress=False)
    assert child.pid == pid is not None
    child.end()
    assert not _alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes by /proc")
def test_a_child_ends_with_its_parent_even_while_it_computes(declare: Callable[..., Declaration], tmp_path: Path) -> None:
    declaration = declare(how="hangs", timeout="60 s")
    code = f"""
    import threading, time
    from ase.build import bulk
    from sodiophile.atomistic.engines._process import Child, Declaration
    from sodiophile.schema import checked
    child = Child("other", checked(Declaration, {written(declaration)!r}))
    threading.Thread(target=child.ask, args=(bulk("Cu"),), kwargs={{"stress": False}}, daemon=True).start()
    while child.pid is None: time.sleep(0.01)
    time.sleep(1.0)
    print(child.pid, flush=True)
    time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_launcher_stands_for_the_python_and_is_no_part_of_the_identity(
    declare: Callable[..., Declaration], tmp_path: Path
) -> None:
    script = tmp_path / "mpiexec"
    script.write_text(f'#!/bin/sh\necho "$1 $2" > {tmp_path}/launched\nshift 2\nexec "$@"\n')
    script.chmod(0o755)
    launched = process_engine("odd", declare(launch=[str(script), "-n", "1", sys.executable]))
    plain = process_engine("odd", declare())
    assert launched.identity() == plain.identity()
    there, here = _atoms(), _atoms()
    there.calc, here.calc = launched.calculator(), EMT()
    assert there.get_potential_energy() == pytest.approx(here.get_potential_energy(), abs=1e-12)
    assert (tmp_path / "launched").read_text() == "-n 1\n"
    with pytest.raises(EngineError, match="launched by /no/mpiexec, which is no program here"):
        process_engine("odd", declare(launch=["/no/mpiexec"])).identity()


def test_gpaw_python_can_be_the_launcher(declare: Callable[..., Declaration]) -> None:
    pytest.importorskip("gpaw")
    gpaw = Path(sys.executable).with_name("gpaw")
    found = process_engine("odd-gpaw", declare(launch=[str(gpaw), "python"]))
    atoms, here = _atoms(), _atoms()
    atoms.calc, here.calc = found.calculator(), EMT()
    assert atoms.get_potential_energy() == pytest.approx(here.get_potential_energy(), abs=1e-12)


def test_of_several_processes_only_the_first_listens_and_speaks(tmp_path: Path) -> None:
    # a world of two, one after the other: what the first is asked reaches the second, which says nothing
    (tmp_path / "two.py").write_text(
        "import os, pathlib, ase.parallel\n"
        "from ase.calculators.emt import EMT\n"
        "rank, place = int(os.environ['RANK']), pathlib.Path(os.environ['PLACE'])\n"
        "ase.parallel.world = type('World', (), {'rank': rank, 'size': 2})()\n"
        "def broadcast(line, root=0):\n"
        "    if rank == 0:\n"
        "        place.write_text(line)\n"
        "        return line\n"
        "    if not place.exists():\n"
        "        os._exit(0)\n"
        "    line = place.read_text(); place.unlink(); return line\n"
        "ase.parallel.broadcast = broadcast\n"
    )
    declaration = checked(
        Declaration, {"python": sys.executable, "calculator": "two:EMT", "package": "ase", "launch": [sys.executable]}
    )
    atoms = _atoms()
    asked = {"id": 1, "numbers": atoms.numbers.tolist(), "positions": atoms.positions.tolist(), "stress": False,
             "cell": atoms.cell[:].tolist(), "pbc": [True] * 3}  # fmt: skip
    said = []
    for rank, text in (("0", json.dumps(asked) + "\n"), ("1", "")):
        variables = {**os.environ, "PYTHONPATH": str(tmp_path), "RANK": rank, "PLACE": str(tmp_path / "place")}
        child = subprocess.Popen(
            declaration.command(identify=False), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
        )
        if rank == "0":
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(text)
            child.stdin.flush()
            said.append([json.loads(child.stdout.readline()), json.loads(child.stdout.readline())])
        out, _ = child.communicate(timeout=60)
        assert child.returncode == 0
        if rank == "1":
            assert out == ""
    atoms.calc = EMT()
    assert said[0][0] == {"ready": True}
    assert said[0][1]["energy"] == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
    assert not (tmp_path / "place").exists()


def test_identity_follows_the_weights_and_says_what_is_missing(declare: Callable[..., Declaration], tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    found = process_engine("other", declare(weights=[str(weights)]))
    with pytest.raises(EngineError, match="is no file here"):
        found.identity()
    weights.write_bytes(b"one")
    one = found.identity()["weights_sha256"]
    weights.write_bytes(b"another")
    os.utime(weights, ns=(1, 1))
    assert found.identity()["weights_sha256"] != one
    absent = process_engine("absent", declare().model_copy(update={"package": "nothing_of_that_name"}))
    with pytest.raises(EngineError, match="needs the package 'nothing_of_that_name'"):
        absent.identity()
    nowhere = process_engine("nowhere", declare(python="/no/such/python"))
    assert not nowhere.installed
    with pytest.raises(EngineError, match="no program here"):
        nowhere.identity()


def _file(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "engines.toml"
    path.write_text(text)
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


def test_a_file_of_the_user_declares_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(
        tmp_path,
        f"[engines.my-emt]\npython = {sys.executable!r}\ncalculator = 'emt'\nsettings = {{ asap_cutoff = true }}\n",
        monkeypatch,
    )
    found = engine("My-EMT")
    assert found.name == "my-emt"
    assert "my-emt" in {row["engine"] for row in engines()}
    identity = found.identity()
    assert identity["settings"] == {"asap_cutoff": True}
    assert engine_of(identity) is found
    model = checked(AdsorptionInputs, {"structure": "Cu", "adsorbate": "Cu", "engine": "my-emt"})
    assert model.engine == "my-emt"
    there, here = _atoms(), _atoms()
    there.calc, here.calc = found.calculator(), EMT(asap_cutoff=True)
    assert there.get_potential_energy() == pytest.approx(here.get_potential_energy(), abs=1e-12)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[engines.a]\ncalculator = 'emt'\n", "engines.a.python: missing"),
        ("[engines.a]\npython = 'p'\ncalculator = 'emt'\ntimeout = 5\n", "without a unit"),
        ("[engines.a]\npython = 'p'\ncalculater = 'emt'\n", "did you mean 'calculator'"),
        ("engines = 3\n", r"expected tables \[engines.NAME\]"),
        ("[engines", "cannot be read as TOML"),
    ],
)
def test_a_declaration_at_fault_is_one_line(text: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path, text, monkeypatch)
    with pytest.raises(InputError, match=line) as caught:
        engine("a")
    assert "engines.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "absent.toml"))
    with pytest.raises(InputError, match=r"absent\.toml: no such file"):
        engine("a")


def test_ase_calculators_by_name_and_with_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_TRUSTED", set())
    assert isinstance(engine("LJ"), Engine)
    text = 'lj {"sigma": 2.3, "epsilon": 0.4, "rc": 6}'
    with pytest.raises(EngineError, match=r"given with arguments.*not in a study file"):
        checked(AdsorptionInputs, {"structure": "Cu", "adsorbate": "Cu", "engine": text})
    trust(text)
    found = engine(text)
    same = engine('lj {"rc":6,"epsilon":0.4,"sigma":2.3}')
    assert found is same
    assert found.identity()["settings"] == {"sigma": 2.3, "epsilon": 0.4, "rc": 6}
    assert found.identity() != engine("lj").identity()
    assert engine_of(found.identity()) is found
    assert found.calculator().parameters["epsilon"] == 0.4
    with pytest.raises(EngineError, match="are no JSON object"):
        trust('lj {"sigma": }')
    trust("ase.calculators.lj:LennardJones {}")
    assert engine("ase.calculators.lj:LennardJones {}").name == "ase.calculators.lj:LennardJones"
