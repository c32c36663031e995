"""Doing tasks: as futures of dask.distributed, in the order of what they follow, each kept in the store once it is done."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile._version import __version__
from sodiophile.errors import SodiophileError
from sodiophile.study.plan import needed_tasks, unique_tasks
from sodiophile.study.progress import Progress
from sodiophile.study.store import Store, user_store
from sodiophile.study.work import TaskFailedError, perform
from sodiophile.task import Task

if TYPE_CHECKING:
    from rich.console import Console


class InterruptedRunError(SodiophileError):
    """The user stopped the run; what is finished is kept."""

    exit_code = 130


@dataclass(frozen=True)
class Done:
    """What became of one task.

    Parameters
    ----------
    seconds
        Work done for it in this run; 0 if another process did it.
    reused
        True if another process did it meanwhile.
    error, exit_code
        One line and the exit code, if it failed.
    label
        Of the task that failed: this one, or one that it follows.
    """

    seconds: float = 0.0
    reused: bool = False
    error: str | None = None
    exit_code: int = 0
    label: str = ""

    def error_within(self, title: str = "") -> str | None:
        """Return the error, led by what failed where that is not `title` itself."""
        return self.error if self.error is None or self.label == title else f"{self.label}: {self.error}"


def console_of(progress: bool) -> Console | None:
    """Return the console for what the user sees while work goes on, None if nothing."""
    if not progress:
        return None
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def run_tasks(
    tasks: Mapping[str, Task],
    store: Store,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    console: Console | None = None,
) -> dict[str, Done]:
    """Do tasks.

    Parameters
    ----------
    tasks
        By key, each after those it follows. What they follow and is not among them is in the store.
    store
        Where outcomes go.
    workers
        Processes to use; one a core by default, never more than there are tasks.
    scheduler
        The address of a Dask scheduler to use instead.
    fresh
        Do them even if the store holds them.
    console
        Where progress goes.

    Returns
    -------
    dict
        Key -> what became of it, for all of `tasks`. One that failed does not end the others.

    Raises
    ------
    InterruptedRunError
        If the user stopped the run.
    InputError
        If the store cannot be written, or no scheduler answers.
    """
    if not tasks:
        return {}
    store.check_writable()
    newer_than = 0.0
    if fresh:
        newer_than = time.time()
        for key in tasks:
            store.forget_unfinished(key)
    # started here, where there is something to do: a run that finds everything done imports nothing of Dask
    from sodiophile.study.cluster import client_for, cores

    count = min(workers or cores(), len(tasks))
    done: dict[str, Done] = {}
    try:
        with Progress(console, dict(tasks), count) as progress, client_for(count, scheduler) as client:
            if scheduler is not None and console is not None and not client.scheduler_info()["workers"]:
                console.print(f"the scheduler {scheduler} has no worker yet; waiting for one", markup=False)
            _follow(client, tasks, store, newer_than, progress, done)
    except KeyboardInterrupt:
        finished = sum(one.error is None for one in done.values())
        raise InterruptedRunError(
            f"interrupted after {finished} of {len(tasks)} tasks; what is finished is kept, run again to go on"
        ) from None
    return done


def _follow(
    client: Any, tasks: Mapping[str, Task], store: Store, newer_than: float, progress: Progress, done: dict[str, Done]
) -> None:
    """Submit all tasks, and take note of each as it ends."""
    from distributed import as_completed

    run = uuid.uuid4().hex[:8]
    futures: dict[str, Any] = {}
    for key, task in tasks.items():
        before = [futures[one.key] for one in task.after.values() if one.key in futures]
        name = f"sodiophile-{key[:16]}-{run}"
        futures[key] = client.submit(perform, task, store, __version__, newer_than, *before, key=name, pure=False)
    keys = {future.key: key for key, future in futures.items()}
    for future in as_completed(futures.values(), loop=client.loop):
        key = keys[future.key]
        if future.status == "finished":
            outcome = future.result()
            done[key] = Done(outcome["seconds"], outcome["reused"])
            progress.finished(key, outcome["seconds"])
            continue
        before_failed = [one for one in tasks[key].after.values() if one.key in done and done[one.key].error is not None]
        done[key] = done[before_failed[0].key] if before_failed else _failure(future, tasks[key])
        progress.finished(key, 0.0, "what it follows has failed" if before_failed else done[key].error)


def _failure(future: Any, task: Task) -> Done:
    """Return why a task failed, in one line."""
    label = _label(task)
    if future.status != "error":
        message = "the connection to the scheduler was lost; run again to go on"
        return Done(error=message, exit_code=1, label=label)
    error = future.exception()
    if isinstance(error, TaskFailedError):
        return Done(error=str(error), exit_code=error.exit_code, label=label)
    if type(error).__name__ == "KilledWorker":
        message = "its worker process died, twice (is there enough memory? fewer workers need less)"
    else:
        message = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return Done(error=message, exit_code=1, label=label)


def _label(task: Task) -> str:
    return task.label or task.function.partition(":")[2]


def compute(
    task: Task,
    store: Store | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    progress: bool = True,
) -> Path:
    """Do a task, and those that it follows, outside any study.

    Parameters
    ----------
    task
        The last task.
    store
        Where outcomes go and are looked for; the user's own by default (`sodiophile.study.store.user_store`).
    workers, scheduler, fresh
        As for a study.
    progress
        Show on standard error how far it is.

    Returns
    -------
    Path
        The folder of the task in the store.

    Raises
    ------
    TaskFailedError
        If a task failed; one line.
    InterruptedRunError
        If the user stopped it.
    """
    place = store or user_store()
    console = console_of(progress)
    warnings: list[str] = []
    every = unique_tasks([task])
    found = {key: entry for key in every if (entry := place.find(key, warnings)) is not None}
    if console is not None:
        for warning in warnings:
            console.print(f"warning: {warning}", markup=False)
    to_do = every if fresh else needed_tasks([task], found)
    for done in run_tasks(to_do, place, workers=workers, scheduler=scheduler, fresh=fresh, console=console).values():
        if (error := done.error_within()) is not None:
            raise TaskFailedError(error, done.exit_code)
    entry = place.find(task.key)
    if entry is None:
        raise TaskFailedError(f"the outcome of {_label(task)} has left the store {place.root}; run again")
    return entry.folder
