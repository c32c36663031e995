"""What happens to one task in a worker process: take the right to do it, do it, keep it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from sodiophile._version import __version__
from sodiophile.errors import InputError, SodiophileError
from sodiophile.study.store import LOG, Store
from sodiophile.task import Task

# The standard streams belong to the process: of several threads only one task at a time can have them.
_STREAMS = threading.Lock()


class TaskFailedError(SodiophileError):
    """A task failed; the line says why.

    Parameters
    ----------
    message
        What went wrong.
    exit_code
        Of the error behind it.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[TaskFailedError], tuple[str, int]]:
        """Travel between processes with the exit code."""
        return type(self), (str(self), self.exit_code)


def perform(task: Task, store: Store, version: str, newer_than: float, *_before: object) -> dict[str, Any]:
    """Do a task, or wait for the process that is doing it, or find it done.

    Parameters
    ----------
    task
        What to do; the tasks that it follows are done.
    store
        Where its outcome goes.
    version
        Of the sodiophile that asks: a worker elsewhere may have another one, and would do other work under the same key.
    newer_than
        Finished work older than this (Unix time) does not count.
    *_before
        What came of the tasks that it follows; only their order matters.

    Returns
    -------
    dict
        ``key``, ``seconds`` of work, and ``reused``: true if somebody else did it.

    Raises
    ------
    TaskFailedError
        If the task failed.
    """
    if version != __version__:
        raise TaskFailedError(f"a worker has sodiophile {__version__}, the study runs with {version}; install the same")
    log = store.work(task.key) / LOG
    try:
        with store.making(task.key, newer_than=newer_than) as entry:
            if entry is not None:
                return {"key": task.key, "seconds": 0.0, "reused": True}
            log.parent.mkdir(parents=True, exist_ok=True)
            started = time.perf_counter()
            with _logged(log):
                outcome = task.call(_outcomes_before(task, store), log.parent)
            seconds = time.perf_counter() - started
            store.finish(task, outcome, {"seconds": seconds, "versions": versions(task.function)})
            return {"key": task.key, "seconds": seconds, "reused": False}
    except SodiophileError as error:
        raise TaskFailedError(str(error), error.exit_code) from None
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename}" if error.filename else str(error.strerror or error)
        raise TaskFailedError(f"{what}; finished work is kept") from None
    except MemoryError:
        raise TaskFailedError("the memory was not enough; use fewer workers or a smaller model") from None
    except Exception as error:  # noqa: BLE001  a fault of one task must not end the others; its traceback is in the log
        raise TaskFailedError(f"{type(error).__name__}: {error} (the log is {log})") from None


def _outcomes_before(task: Task, store: Store) -> dict[str, Any]:
    outcomes = {}
    for name, before in task.after.items():
        entry = store.find(before.key)
        if entry is None:
            raise InputError(f"{before.label or before.function} is no longer in the store {store.root}; run again")
        outcomes[name] = entry.outcome
    return outcomes


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    """Send what a task prints, in Python or below, to its log; a traceback as well."""
    with log.open("a", encoding="utf-8", buffering=1, errors="backslashreplace") as stream:
        try:
            if not _STREAMS.acquire(blocking=False):
                yield
                return
            kept = [os.dup(1), os.dup(2)]
            try:
                sys.stdout.flush()
                os.dup2(stream.fileno(), 1)
                os.dup2(stream.fileno(), 2)
                with redirect_stdout(stream), redirect_stderr(stream):
                    yield
            finally:
                for number, descriptor in enumerate(kept, start=1):
                    os.dup2(descriptor, number)
                    os.close(descriptor)
                _STREAMS.release()
        except BaseException:
            traceback.print_exc(file=stream)
            raise


def versions(function: str = "") -> dict[str, str]:
    """Return package -> version: sodiophile, Python, the parts we stand on that are loaded, and the home of `function`."""
    found = {"sodiophile": __version__, "python": ".".join(str(part) for part in sys.version_info[:3])}
    with suppress(metadata.PackageNotFoundError):
        for requirement in metadata.requires("sodiophile") or ():
            name = requirement.partition(";")[0]
            for sign in "<>=!~[ (":
                name = name.partition(sign)[0]
            if name != "sodiophile" and name.replace("-", "_") in sys.modules:
                with suppress(metadata.PackageNotFoundError):
                    found[name] = metadata.version(name)
    home = function.partition(".")[0].partition(":")[0]
    if home and home != "sodiophile":
        with suppress(metadata.PackageNotFoundError):
            found[home] = metadata.version(home)
    return found


def dask_setup(_worker: object) -> None:
    """Make a worker process of ours quiet, and leave Ctrl-C to the process that the user sees; called by Dask."""
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"distributed", "tornado", "asyncio"}:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
