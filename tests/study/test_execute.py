"""Tasks run each once, in their order, whatever happens to the processes that do them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sodiophile.errors import InputError
from sodiophile.study.execute import compute, run_tasks
from sodiophile.study.plan import needed_tasks, unique_tasks
from sodiophile.study.progress import TimeLeft
from sodiophile.study.store import Store
from sodiophile.study.work import TaskFailedError
from sodiophile.task import Task

# What a user would write, without the guard that multiprocessing asks for.
SCRIPT = """
import json, signal, sys, pathlib
from sodiophile.study.execute import run_tasks
from sodiophile.study.plan import needed_tasks, unique_tasks
from sodiophile.study.store import Store
from sodiophile.errors import SodiophileError
from sodiophile.task import Task
SECRET_OF_THE_SCRIPT = 1
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it runs in the background ignore ctrl-c
given = json.loads(sys.argv[1])
context = {"marks": given["marks"], "step_s": given["step_s"]}
first = [Task("toykit:number", 1, {"name": f"n{i}", "number": i, "steps": given["steps"]}, context=context)
         for i in range(given["count"])]
last = Task("toykit:number", 1, {"name": "sum", "number": 0}, after={t.inputs["name"]: t for t in first}, context=context)
where = Task("toykit:environment", 1, {"salt": given["count"]})
store = Store(pathlib.Path(given["store"]))
every = unique_tasks([last, where])
todo = needed_tasks([last, where], {key for key in every if store.find(key)})
print("ready", flush=True)
try:
    did = run_tasks(todo, store, workers=2, scheduler=given.get("scheduler"))
except SodiophileError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
errors = [one.error for one in did.values() if one.error]
print(json.dumps({"errors": errors, "computed": sum(not one.reused for one in did.values()), "todo": len(todo),
                  "sum": store.find(last.key).outcome["number"], "where": store.find(where.key).outcome,
                  "distributed": "distributed" in sys.modules}))
"""

pytestmark = pytest.mark.usefixtures("toykit")


class Run:
    """The script in a process (and process group) of its own."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.marks = folder / "marks"
        self.marks.mkdir(exist_ok=True)
        script = folder / "script.py"
        script.write_text(SCRIPT)
        self.given = {
            "store": str(folder / "store"),
            "marks": str(self.marks),
            "count": 4,
            "steps": 1,
            "step_s": 0,
            **given,
        }
        self.process = subprocess.Popen(
            [sys.executable, str(script), json.dumps(self.given)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_for_marks(self, what: str, count: int) -> None:
        until = time.monotonic() + 60
        while len(list(self.marks.glob(f"{what}-*"))) < count:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < until
            time.sleep(0.02)

    def end(self) -> dict[str, Any]:
        out, err = self.process.communicate(timeout=90)
        assert self.process.returncode == 0, err
        assert err == ""
        answer: dict[str, Any] = json.loads(out.splitlines()[-1])
        return answer

    def workers(self) -> set[int]:
        return {int(path.read_text()) for path in self.marks.iterdir()}


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _number(name: str, number: int = 1, after: dict[str, Task] | None = None, **context: Any) -> Task:
    return Task("toykit:number", 1, {"name": name, "number": number}, after or {}, context, label=name)


def test_one_task_that_fails_ends_what_follows_it_and_nothing_else(toykit: ModuleType, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    context = {"marks": str(marks)}
    a, b = _number("a", 1, **context), _number("b", 2, **context)
    c = _number("c", 10, {"a": a, "b": b}, **context)
    d = _number("d", 100, {"a": a, "c": c}, **context)
    fails = Task("toykit:fails", 1, {"name": "file.csv"}, label="bad file")
    follower = _number("follower", 1, {"a": a, "bad": fails}, **context)
    breaks = Task("toykit:breaks", 1, {"zero": 0}, label="broken")
    not_json = Task("toykit:not_json", 1, {}, label="odd")
    no_function = Task("toykit:absent", 1, {}, label="absent")
    dies_once = Task("toykit:dies", 1, {"times": 1}, context=context, label="dies once")
    every = unique_tasks([d, follower, breaks, not_json, no_function, dies_once, c])
    assert len(every) == 10
    store = Store(tmp_path / "store")
    environment = dict(os.environ)
    did = run_tasks(every, store, workers=2)
    assert dict(os.environ) == environment
    assert set(did) == set(every)
    entry = store.find(d.key)
    assert entry is not None
    assert entry.outcome["number"] == 1 + 100 + (10 + 1 + 2)
    assert "printed by d" in (entry.folder / "log.txt").read_text()
    assert entry.done["versions"]["toykit"] == "1.0"
    assert toykit.marks(marks, "start") == ["start-a", "start-b", "start-c", "start-d"]
    assert did[fails.key].error == did[follower.key].error == "file.csv: found a fault, expected none"
    assert did[follower.key].error_within("follower") == "bad file: file.csv: found a fault, expected none"
    assert did[fails.key].error_within("bad file") == did[fails.key].error
    assert store.find(follower.key) is None
    assert "ZeroDivisionError" in (did[breaks.key].error or "")
    log = store.work(breaks.key) / "log.txt"
    assert str(log) in (did[breaks.key].error or "")
    assert "Traceback" in log.read_text()
    assert "JSON cannot say" in (did[not_json.key].error or "")
    assert "AttributeError" in (did[no_function.key].error or "")
    assert did[dies_once.key].error is None
    assert len(toykit.marks(marks, "dies")) == 2
    assert not any("\n" in (one.error or "") for one in did.values())


def test_a_task_that_kills_its_process_each_time_is_given_up(toykit: ModuleType, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    task = Task("toykit:dies", 1, {"times": 99}, context={"marks": str(marks)}, label="killer")
    with pytest.raises(TaskFailedError, match="killer: its worker process died, twice"):
        compute(task, Store(tmp_path / "store"), workers=1, progress=False)
    assert len(toykit.marks(marks, "dies")) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes by /proc")
def test_a_killed_run_leaves_no_process_and_goes_on_where_it_stopped(toykit: ModuleType, tmp_path: Path) -> None:
    run = Run(tmp_path, steps=10, step_s=0.1)
    # two are finished and kept, as each worker is at its next one
    run.wait_for_marks("start", 4)
    run.wait_for_marks("step", 24)
    run.process.kill()
    run.process.communicate()
    until = time.monotonic() + 20
    while any(_alive(pid) for pid in run.workers()):
        assert time.monotonic() < until
        time.sleep(0.05)
    finished = [path.parent.name for path in (tmp_path / "store").glob("*/DONE")]
    assert 2 <= len(finished) < 6
    before = toykit.marks(run.marks, "step")
    again = Run(tmp_path, steps=10).end()
    assert again["todo"] == again["computed"] == 6 - len(finished)
    assert again["sum"] == 0 + 1 + 2 + 3
    # every step of every task was done once: the killed ones went on, the one it was killed in may count twice
    steps = toykit.marks(run.marks, "step")
    assert 41 <= len(steps) <= 41 + 2
    assert len(steps) > len(before) >= 24
    assert max(steps.count(f"step-n{number}") for number in range(4)) <= 11
    assert toykit.marks(run.marks, "end") == ["end-n0", "end-n1", "end-n2", "end-n3", "end-sum"]


def test_nothing_of_dask_is_imported_when_all_is_done_and_the_script_runs_once(tmp_path: Path) -> None:
    first = Run(tmp_path).end()
    assert first["distributed"]
    assert (first["computed"], first["errors"]) == (6, [])
    assert first["where"] == {"threads": "1", "main": False}
    again = Run(tmp_path).end()
    assert (again["todo"], again["computed"], again["distributed"]) == (0, 0, False)


def test_two_runs_on_one_store_do_each_task_once_between_them(toykit: ModuleType, tmp_path: Path) -> None:
    runs = [Run(tmp_path, count=6, step_s=0.15) for _ in range(2)]
    answers = [run.end() for run in runs]
    assert [answer["errors"] for answer in answers] == [[], []]
    assert [answer["sum"] for answer in answers] == [15, 15]
    assert toykit.marks(runs[0].marks, "start") == [f"start-n{number}" for number in range(6)] + ["start-sum"]
    assert sum(answer["computed"] for answer in answers) == 8


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to a process group")
def test_ctrl_c_says_in_one_line_that_what_is_done_is_kept(toykit: ModuleType, tmp_path: Path) -> None:
    run = Run(tmp_path, step_s=1)
    run.wait_for_marks("start", 4)
    os.killpg(run.process.pid, signal.SIGINT)
    _, err = run.process.communicate(timeout=60)
    assert run.process.returncode == 130
    assert err.startswith("interrupted after ")
    assert err.count("\n") == 1
    assert "what is finished is kept" in err
    assert not any(_alive(pid) for pid in run.workers())
    assert Run(tmp_path).end()["sum"] == 6
    assert toykit.marks(run.marks, "end") == ["end-n0", "end-n1", "end-n2", "end-n3", "end-sum"]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, as somebody would start them on other machines."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    place = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    options = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(place)]
    processes = [subprocess.Popen([*dask, "scheduler", "--port", "0", *options], **quiet)]
    try:
        until = time.monotonic() + 60
        while not place.exists() or not place.read_text().endswith("}"):
            assert time.monotonic() < until
            assert processes[0].poll() is None
            time.sleep(0.05)
        address = json.loads(place.read_text())["address"]
        worker = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        yield address, processes
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def test_workers_of_a_scheduler_elsewhere_do_the_work_and_one_may_die(
    scheduler: tuple[str, list[subprocess.Popen[bytes]]], toykit: ModuleType, tmp_path: Path
) -> None:
    address, processes = scheduler
    run = Run(tmp_path, scheduler=address, step_s=0.8)
    run.wait_for_marks("start", 4)
    workers = {process.pid: process for process in processes[1:]}
    at_work = [pid for pid in run.workers() if pid in workers]
    workers[at_work[0]].kill()
    answer = run.end()
    assert answer["errors"] == []
    assert answer["sum"] == 6
    assert run.workers() <= set(workers)
    assert toykit.marks(run.marks, "end") == ["end-n0", "end-n1", "end-n2", "end-n3", "end-sum"]


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("tcp://127.0.0.1:1", "no Dask scheduler answers"),
        ("nonsense://x", "is no address of a Dask scheduler"),
        ("127.0.0.1:99999", "no Dask scheduler answers"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_one_line(
    address: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sodiophile.study.cluster._CONNECT_S", 0.5)
    task = _number("a")
    with pytest.raises(InputError, match=f"scheduler {address}: {line}"):
        run_tasks({task.key: task}, Store(tmp_path / "store"), scheduler=address)


def test_fresh_does_finished_work_again_and_keeps_the_old(toykit: ModuleType, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    task = _number("a", marks=str(marks))
    store = Store(tmp_path / "store")
    folder = compute(task, store, workers=1, progress=False)
    assert compute(task, store, progress=False) == folder
    assert toykit.marks(marks, "start") == ["start-a"]
    assert compute(task, store, workers=1, progress=False, fresh=True) == folder
    assert toykit.marks(marks, "start") == ["start-a", "start-a"]
    assert len(list((store.root / "replaced").iterdir())) == 1


def test_what_comes_before_a_finished_task_is_not_needed() -> None:
    a = _number("a")
    b = _number("b", after={"a": a})
    c = _number("c", after={"b": b})
    assert list(needed_tasks([c], {b.key})) == [c.key]
    assert list(needed_tasks([c], {a.key})) == [b.key, c.key]
    assert list(needed_tasks([c, b], {c.key})) == [a.key, b.key]


def test_a_deep_lattice_of_tasks_is_walked_once() -> None:
    layer = [_number("0a"), _number("0b")]
    for depth in range(1, 60):
        layer = [_number(f"{depth}{name}", after={"l": layer[0], "r": layer[1]}) for name in "ab"]
    assert len(unique_tasks(layer)) == 120


def test_the_time_left_follows_how_long_tasks_took() -> None:
    left = TimeLeft([10.0] * 10, workers=2)
    assert left.seconds == pytest.approx(50)
    for _ in range(5):
        left.finished(10.0, 20.0)
    assert 25 < left.seconds <= 50
    for _ in range(5):
        left.finished(10.0, 20.0)
    assert left.seconds == 0
