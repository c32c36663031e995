"""A full disk, an element that an engine does not know, an SCF that does not converge: one line, and nothing is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ase.build import bulk

from sodiophile._version import __version__
from sodiophile.atomistic.planning import crystal_task
from sodiophile.atomistic.relaxation import Journal, canonical
from sodiophile.errors import EngineError
from sodiophile.study.store import Store
from sodiophile.study.work import TaskFailedError, perform
from sodiophile.task import Task

# On a file system of a few pages: a task that fits, a relaxation when it is full, the same when there is room again.
SCRIPT = """
import json, pathlib, sys
from ase.build import bulk
from sodiophile._version import __version__
from sodiophile.atomistic.planning import crystal_task
from sodiophile.atomistic.relaxation import canonical
from sodiophile.study.store import Store
from sodiophile.study.work import TaskFailedError, perform

place = pathlib.Path(sys.argv[1])
store = Store(place / "store")
store.check_writable()

def crystal(symbol):
    return crystal_task(canonical(bulk(symbol, cubic=True)), engine_name="emt", fmax_eV_A=0.03, max_steps=50)

cu, al = crystal("Cu"), crystal("Al")
perform(cu, store, __version__, 0.0)
lines = []
for left in (0, 1, 2, 3):
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    with ballast.open("r+b") as file:
        file.truncate(max(0, ballast.stat().st_size - 4096 * left))
    try:
        perform(al, store, __version__, 0.0)
    except TaskFailedError as error:
        lines.append(str(error))
    kept = store.find(cu.key) is not None
    ballast.unlink()
    if not kept:
        sys.exit("finished work is lost")
perform(al, store, __version__, 0.0)
print(json.dumps({"lines": lines, "energy_eV": store.find(al.key).outcome["energy_eV"]}))
"""


def _crystal(symbol: str) -> Task:
    return crystal_task(canonical(bulk(symbol, cubic=True)), engine_name="emt", fmax_eV_A=0.03, max_steps=50)


def test_a_full_disk_is_one_line_and_costs_nothing_that_was_finished(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    (tmp_path / "script.py").write_text(SCRIPT)
    mount = f"mount -t tmpfs -o size=128k tmpfs {place}"
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rm", "sh", "-c", mount], check=False, capture_output=True).returncode
    ):
        pytest.skip("no file system of a given size can be mounted here")
    run = f"{mount} && exec {sys.executable} {tmp_path / 'script.py'} {place}"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", run], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["lines"], "the disk was never full"
    for line in answer["lines"]:
        assert "No space left on device" in line
        assert "finished work is kept" in line
        assert "\n" not in line
    task = _crystal("Al")
    store = Store(tmp_path / "store")
    store.check_writable()
    perform(task, store, __version__, 0.0)
    entry = store.find(task.key)
    assert entry is not None
    assert answer["energy_eV"] == pytest.approx(entry.outcome["energy_eV"], abs=1e-9)


def test_an_element_that_the_engine_does_not_know_is_one_line(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.check_writable()
    task = _crystal("Na")
    with pytest.raises(TaskFailedError, match=r"the engine failed on Na2: .*Na") as caught:
        perform(task, store, __version__, 0.0)
    assert "\n" not in str(caught.value)
    assert store.find(task.key) is None


def test_an_scf_that_does_not_converge_gives_no_energy_and_one_line(tmp_path: Path) -> None:
    from ase.calculators.calculator import Calculator

    class Lost(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, *_given: object, **_more: object) -> None:
            raise RuntimeError("Did not converge!\nSee the log\n  for details")

    atoms = bulk("Cu", cubic=True)
    atoms.calc = Journal(Lost(), tmp_path / "journal.jsonl")
    with pytest.raises(
        EngineError, match="the engine failed on Cu4: RuntimeError: Did not converge! See the log"
    ) as caught:
        atoms.get_potential_energy()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "journal.jsonl").exists()
