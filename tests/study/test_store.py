"""The store: an entry is whole or not there, damage is found, keys are stable, locks die with their holder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.study.locks import locked
from sodiophile.study.store import DONE, INPUT, RESULT, Store, study_store, user_store
from sodiophile.task import Task, canonical_json


def _task(**inputs: object) -> Task:
    return Task("toykit:number", 1, {"name": "a", "number": 1, **inputs}, label="a number")


def _finished(store: Store, task: Task) -> Path:
    store.check_writable()
    with store.making(task.key) as entry:
        assert entry is None
        work = store.work(task.key)
        work.mkdir(parents=True)
        (work / "table.txt").write_text("1 2 3")
        return store.finish(task, {"number": 1}, {"seconds": 0.5, "versions": {}}).folder


def test_the_key_of_a_task_is_what_it_always_was() -> None:
    # stored work is found by it: a change here makes everybody compute everything again
    task = Task("a.b:c", 2, {"x": 0.1, "y": [1, -0.0, True, None], "z": {"b": "\u00e5", "a": 1e-300}})
    before = Task("a.b:d", 1, {"after": 1}, after={"first": task}, context={"path": "/x"}, label="l", cost_s=3)
    assert task.key == "bbc61462bf102d5df106dab69294ca2a3c04c4c187a72cc26b619b8b61e25373"
    assert before.key == "071db15dbefe74a3144e520db1773ada237f10393bca66710a51c129481d2950"


def test_the_key_knows_no_order_no_path_and_no_label() -> None:
    one = Task("a:b", 1, {"x": 1, "y": {"p": 1, "q": 2}}, context={"path": "/a"}, label="one")
    other = Task("a:b", 1, {"y": {"q": 2, "p": 1}, "x": 1}, context={"path": "/b"}, label="other", cost_s=9)
    assert one.key == other.key
    assert len({one.key, Task("a:b", 2, one.inputs).key, Task("a:c", 1, one.inputs).key}) == 3
    assert Task("a:b", 1, one.inputs, after={"n": one}).key != Task("a:b", 1, one.inputs, after={"m": one}).key


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_exactly_and_has_one_text(value: float) -> None:
    text = canonical_json({"x": value})
    assert json.loads(text)["x"] == value
    assert canonical_json(json.loads(text)) == text
    assert canonical_json({"x": -0.0 if value == 0 else value}) == text


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=6))
def test_the_order_of_a_table_does_not_matter(table: dict[str, object]) -> None:
    assert canonical_json(table) == canonical_json(dict(reversed(list(table.items()))))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, b"x", {"x": {3}}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        canonical_json({"x": value})


def test_finished_work_is_found_again_and_verifiable_by_anyone(tmp_path: Path) -> None:
    store, task = Store(tmp_path / "store"), _task()
    assert store.find(task.key) is None
    folder = _finished(store, task)
    entry = store.find(task.key)
    assert entry is not None
    assert (entry.outcome, entry.folder, entry.done["label"]) == ({"number": 1}, folder, "a number")
    assert entry.done["seconds"] == 0.5
    assert set(entry.done["files"]) == {INPUT, RESULT, "table.txt"}
    import hashlib

    assert hashlib.sha256((folder / INPUT).read_bytes()).hexdigest() == folder.name == task.key
    assert not store.work(task.key).exists()
    assert list((store.root / "locks").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (RESULT, b'{"number": 2}'),
        (RESULT, b"{"),
        (RESULT, None),
        (INPUT, b"{}"),
        ("table.txt", b"1 2 4"),
        ("table.txt", b""),
        ("table.txt", None),
        (DONE, b""),
        (DONE, None),
        (DONE, b"[]"),
        (DONE, b'{"finished": 1, "files": {}}'),
        (DONE, b"[" * 100_000),
        (DONE, b"\xff\xfe"),
    ],
)
def test_a_damaged_entry_is_passed_over_with_a_warning_and_kept_aside(
    name: str, content: bytes | None, tmp_path: Path
) -> None:
    store, task = Store(tmp_path / "store"), _task()
    folder = _finished(store, task)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    warnings: list[str] = []
    assert store.find(task.key, warnings) is None
    assert len(warnings) == 1
    assert str(folder) in warnings[0]
    _finished(store, task)
    assert store.find(task.key) is not None
    assert len(list((store.root / "replaced").iterdir())) == 1


def test_a_folder_next_to_the_study_is_read_and_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SODIOPHILE_STORE", raising=False)
    folder = _finished(Store(tmp_path / "store"), _task())
    store = study_store(tmp_path)
    assert store.root == tmp_path / ".sodiophile" / "store"
    entry = store.find(_task().key)
    assert entry is not None
    assert entry.folder == folder
    assert not store.root.exists()


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SODIOPHILE_STORE", str(tmp_path / "here"))
    assert study_store(tmp_path).root == user_store().root == tmp_path / "here"
    monkeypatch.delenv("SODIOPHILE_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if os.name != "nt":
        assert user_store().root == tmp_path / "data" / "sodiophile" / "store"


def test_work_whose_last_rename_is_missing_is_brought_in(tmp_path: Path) -> None:
    store, task = Store(tmp_path / "store"), _task()
    folder = _finished(store, task)
    os.rename(folder, store.work(task.key))
    assert store.find(task.key) is None
    with store.making(task.key) as entry:
        assert entry is not None
        assert entry.outcome == {"number": 1}
    assert store.find(task.key) is not None


def test_an_outcome_that_json_cannot_say_is_no_entry(tmp_path: Path) -> None:
    store, task = Store(tmp_path / "store"), _task()
    store.check_writable()
    store.work(task.key).mkdir()
    with pytest.raises(InputError, match="JSON cannot say"):
        store.finish(task, {"number": float("nan")}, {"seconds": 0})
    assert store.find(task.key) is None


def test_a_store_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"the store cannot be written: .*SODIOPHILE_STORE"):
        Store(tmp_path / "file" / "store").check_writable()


def test_a_lock_is_held_by_one_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, lambda: True) as held:
        assert held
        with locked(path, lambda: True) as again:
            assert not again
    with locked(path, lambda: True) as held:
        assert held


def test_the_lock_of_a_killed_process_blocks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    script = textwrap.dedent(
        """
        import sys, time, pathlib
        from sodiophile.study.locks import locked
        with locked(pathlib.Path(sys.argv[1]), lambda: True) as held:
            print(held, flush=True)
            time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with locked(path, lambda: True) as held:
            assert not held
        process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        process.wait()
    started = time.monotonic()
    with locked(path, lambda: time.monotonic() - started > 20) as held:
        assert held
