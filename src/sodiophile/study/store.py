"""The store of finished work: a folder for each task, named by the SHA-256 of what decided its outcome.

::

    STORE/<key>/input.json     the canonical JSON of the task; its SHA-256 is the name of the folder
    STORE/<key>/result.json    the outcome
    STORE/<key>/...            tables, structures and whatever else the task left
    STORE/<key>/log.txt        what it printed
    STORE/<key>/DONE           when, how long, by which versions, and the SHA-256 of every file
    STORE/work/<key>/          the same while it is being made; it outlives a killed run, and the task goes on from it
    STORE/locks/<key>          held while a process makes it
    STORE/replaced/            entries that were made again (damaged, or with --fresh)

An entry appears under its key by one rename of its whole folder, after DONE was written into it. Readers look at several
stores: the first is written to, the others (a ``store`` folder committed beside a study) are only read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodiophile.errors import InputError, SodiophileError
from sodiophile.study.locks import locked
from sodiophile.task import Task, canonical_json

INPUT, RESULT, LOG, DONE = "input.json", "result.json", "log.txt", "DONE"

# Of a larger file only the size is compared: looking a finished study up must stay quick.
_HASHED_UP_TO_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Entry:
    """One finished task in a store.

    Parameters
    ----------
    key
        Its key.
    folder
        Where its files are.
    outcome
        What the task returned.
    done
        What ``DONE`` says: label, finished (Unix time), seconds, versions, files.
    """

    key: str
    folder: Path
    outcome: dict[str, Any]
    done: dict[str, Any]

    @property
    def finished(self) -> float:
        """When it was finished, in seconds since 1970."""
        return float(self.done["finished"])


class DamagedError(SodiophileError):
    """An entry that claims to be done and is not what it claims."""


@dataclass(frozen=True)
class Store:
    """A folder that is written to, and folders that are only read.

    Parameters
    ----------
    root
        Where finished work goes.
    also
        Where it is looked for besides.
    """

    root: Path
    also: tuple[Path, ...] = ()

    def folder(self, key: str) -> Path:
        """Return where the entry of `key` stands once it is finished here."""
        return self.root / key

    def work(self, key: str) -> Path:
        """Return where the entry of `key` is being made."""
        return self.root / "work" / key

    def find(self, key: str, warnings: list[str] | None = None) -> Entry | None:
        """Return the finished entry of `key`, None if there is none or it is damaged.

        Parameters
        ----------
        key
            The key of a task.
        warnings
            Gets a sentence for each damaged entry that was passed over.
        """
        for root in (self.root, *self.also):
            try:
                return _opened(root / key, key)
            except FileNotFoundError:
                continue
            except (DamagedError, OSError) as error:
                if warnings is not None:
                    warnings.append(f"the stored work {root / key} is damaged and is done again: {error}")
        return None

    def check_writable(self) -> None:
        """Make the folder of the store.

        Raises
        ------
        InputError
            If it cannot be written to.
        """
        try:
            (self.root / "work").mkdir(parents=True, exist_ok=True)
            (self.root / "locks").mkdir(exist_ok=True)
            probe = self.root / "locks" / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            message = f"the store cannot be written: {error.strerror or error}; SODIOPHILE_STORE names another folder"
            raise InputError(message, self.root) from None

    @contextmanager
    def making(self, key: str, *, newer_than: float = 0.0) -> Iterator[Entry | None]:
        """Hold the right to make the entry of `key` for the time of the block.

        Waits while another process makes it, and yields the entry if that process finished it (after `newer_than`).
        """
        found: list[Entry] = []

        def there() -> bool:
            entry = self.find(key)
            if entry is not None and entry.finished >= newer_than:
                found.append(entry)
            return bool(found)

        with locked(self.root / "locks" / key, there) as held:
            if held and not there() and (finished := self._adopted(key)) is not None and finished.finished >= newer_than:
                found.append(finished)
            yield found[0] if found else None

    def finish(self, task: Task, outcome: Mapping[str, Any], done: Mapping[str, Any]) -> Entry:
        """Make the work folder of `task` its entry; the caller holds `making`.

        Raises
        ------
        InputError
            If the outcome is not JSON.
        """
        work, final = self.work(task.key), self.folder(task.key)
        _write(work / INPUT, canonical_json(task.payload).encode())
        try:
            text = json.dumps(outcome, indent=1, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"{task.function} returned what JSON cannot say: {error}", task.label) from None
        _write(work / RESULT, text.encode())
        (work / DONE).unlink(missing_ok=True)
        content = {"label": task.label, "finished": time.time(), **done, "files": _listing(work)}
        _write(work / DONE, json.dumps(content, indent=1, allow_nan=False).encode())
        if final.exists():
            self._replace(final)
        os.rename(work, final)
        _sync_folder(self.root)
        return _opened(final, task.key)

    def forget_unfinished(self, key: str) -> None:
        """Remove the work folder of `key`, so that the task starts anew, unless a process is at it."""
        with locked(self.root / "locks" / key, lambda: True) as held:
            if held:
                shutil.rmtree(self.work(key), ignore_errors=True)

    def _adopted(self, key: str) -> Entry | None:
        """Bring in work that was finished by a process which ended before its last rename."""
        try:
            _opened(self.work(key), key)
        except (DamagedError, OSError):
            return None
        if self.folder(key).exists():
            self._replace(self.folder(key))
        os.rename(self.work(key), self.folder(key))
        return _opened(self.folder(key), key)

    def _replace(self, final: Path) -> None:
        aside = self.root / "replaced"
        aside.mkdir(exist_ok=True)
        os.rename(final, aside / f"{final.name}-{time.time_ns()}")


def _opened(folder: Path, key: str) -> Entry:
    """Return the entry in `folder`.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DamagedError
        If its files are not those that it was finished with.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        done = json.loads((folder / DONE).read_text(encoding="utf-8"))
        files: dict[str, Any] = done["files"]
        float(done["finished"])
        if not {INPUT, RESULT} <= set(files):
            raise DamagedError(f"{DONE} does not list {INPUT} and {RESULT}")
        for name, entry in files.items():
            path = folder / name
            if path.stat().st_size != entry["size_bytes"]:
                raise DamagedError(f"{name} has {path.stat().st_size} bytes, expected {entry['size_bytes']}")
            if entry.get("sha256") is not None and _sha256(path) != entry["sha256"]:
                raise DamagedError(f"{name} is not what was written")
        if files[INPUT]["sha256"] != key:
            raise DamagedError(f"{INPUT} is not the input of this key")
        outcome = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DamagedError(f"{Path(str(error.filename)).name} is missing") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{DONE} or {RESULT} cannot be read: {type(error).__name__}") from None
    if not isinstance(outcome, dict):
        raise DamagedError(f"{RESULT} is not a table")
    return Entry(key, folder, outcome, done)


def _listing(folder: Path) -> dict[str, Any]:
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            size = path.stat().st_size
            sha256 = _sha256(path) if size <= _HASHED_UP_TO_BYTES else None
            files[path.relative_to(folder).as_posix()] = {"size_bytes": size, "sha256": sha256}
    return files


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, even if the machine stops."""
    beside = path.with_name(f"{path.name}.part")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(beside, path)


def _sync_folder(path: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def user_store() -> Store:
    """Return the store for work outside any study: ``SODIOPHILE_STORE``, or a folder among the user's data."""
    if named := os.environ.get("SODIOPHILE_STORE"):
        return Store(Path(named).expanduser().absolute())
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Store(base / "sodiophile" / "store")


def study_store(folder: Path) -> Store:
    """Return the store of the study in `folder`: ``SODIOPHILE_STORE``, or ``.sodiophile/store`` in it.

    A folder ``store`` beside the study file holds work that was done elsewhere, and is only read.
    """
    beside: Sequence[Path] = [path for path in [folder.absolute() / "store"] if path.is_dir()]
    if named := os.environ.get("SODIOPHILE_STORE"):
        return Store(Path(named).expanduser().absolute(), tuple(beside))
    return Store(folder.absolute() / ".sodiophile" / "store", tuple(beside))
