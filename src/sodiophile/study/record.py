"""The record of a study: work that was done elsewhere and is kept beside the study file, such as hours of DFT.

A folder ``store`` beside the study file holds finished tasks, and ``store/engines.json`` the identity of each engine that
they were done with. A calculation all of whose pieces are in the record is put together from it, whatever engine, or
version of it, is installed here. `sodiophile record` makes a record.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.engines.base import as_recorded
from sodiophile.errors import InputError, SodiophileError
from sodiophile.study.load import Job, load_study
from sodiophile.study.store import DONE, LOG, Entry, Store, study_store
from sodiophile.task import Task

ENGINES = "engines.json"
# Work that is estimated to take less only puts things together.
_QUICK_S = 1.0


@dataclass(frozen=True)
class Record:
    """The record beside a study; empty where there is none.

    Parameters
    ----------
    folders
        Stores that are only read.
    engines
        Name of an engine -> its identity where the work was done.
    """

    folders: tuple[Path, ...] = ()
    engines: Mapping[str, Mapping[str, Any]] | None = None

    def holds(self, task: Task) -> bool:
        """Whether everything that `task` puts together is there."""
        here = [Store(folder) for folder in self.folders]
        return bool(task.after) and all(any(store.find(one.key) for store in here) for one in task.after.values())


def record_of(store: Store, warnings: list[str]) -> Record:
    """Return the record among the stores that are only read.

    Parameters
    ----------
    store
        As `sodiophile.study.store.study_store` returns it.
    warnings
        Gets a sentence if the list of engines is damaged.
    """
    engines: dict[str, Mapping[str, Any]] = {}
    for folder in store.also:
        path = folder / ENGINES
        if not path.exists():
            continue
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or any(one.get("engine") != name for name, one in found.items()):
                raise ValueError("not a table of engines by name")
            engines |= found
        except (OSError, ValueError, AttributeError) as error:
            warnings.append(f"the record {path} cannot be read and is not used: {error}")
    return Record(store.also, engines) if engines else Record()


def recorded_task(job: Job, record: Record, plan: Any) -> Task | None:
    """Return the last task of a job if the record holds what it puts together, None otherwise.

    Parameters
    ----------
    job
        A calculation.
    record
        The record.
    plan
        Function that plans a job.
    """
    if not record.engines or job.what != "calculation":
        return None
    try:
        with as_recorded(record.engines):
            task: Task = plan(job)
    except SodiophileError:
        return None
    return task if record.holds(task) else None


def asks_for_dft(job: Job) -> bool:
    """Whether a job names an engine that solves the electronic structure."""
    name = getattr(job.model, "engine", None)
    return isinstance(name, str) and engine(name).is_dft


def dates(entries: Iterable[Entry]) -> str:
    """Return when finished work was done: one day, or the first and the last."""
    days = sorted({datetime.fromtimestamp(entry.finished, UTC).date().isoformat() for entry in entries})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else ""


def keep(study_folder: Path, tasks: Iterable[Task], store: Store) -> list[str]:
    """Copy finished tasks into the record of a study.

    Parameters
    ----------
    study_folder
        The folder of the study file.
    tasks
        What to keep; tasks that `store` does not hold are left out.
    store
        Where they were done.

    Returns
    -------
    list of str
        The keys that were copied.

    Raises
    ------
    InputError
        If the record cannot be written, or was done with another version of an engine.
    """
    target = study_folder / "store"
    path = target / ENGINES
    copied = []
    try:
        target.mkdir(exist_ok=True)
        engines = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for task in tasks:
            entry = store.find(task.key)
            if entry is None or Store(target).find(task.key) is not None:
                continue
            identity = task.inputs.get("engine")
            if isinstance(identity, Mapping):
                name = str(identity["engine"])
                if engines.setdefault(name, dict(identity)) != dict(identity):
                    raise InputError(f"the record was made with another {name}; a record has one version of each", path)
            shutil.rmtree(target / task.key, ignore_errors=True)
            _copy(entry, target / task.key)
            copied.append(task.key)
        path.write_text(json.dumps(engines, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"the record cannot be written: {error.strerror or error}", target) from None
    return copied


def _copy(entry: Entry, target: Path) -> None:
    """Copy an entry without its log, which names the machine and its folders."""
    shutil.copytree(entry.folder, target, ignore=lambda folder, _: [LOG, DONE] if Path(folder) == entry.folder else [])
    files = {name: about for name, about in entry.done["files"].items() if name != LOG}
    # written last: without it the copy of an interrupted run is no entry
    (target / DONE).write_text(json.dumps({**entry.done, "files": files}, indent=1), encoding="utf-8")


def record_study(path: str | Path, only: Sequence[str] = ()) -> dict[str, int]:
    """Copy what was finished of the calculations of a study into its record.

    Parameters
    ----------
    path
        The study file, or its folder.
    only
        Names of calculations; those that ask for DFT by default.

    Returns
    -------
    dict
        Calculation -> how many pieces were copied; those that are there already do not count.

    Raises
    ------
    InputError
        If a name is no calculation of the study, one of them is not finished, or the record cannot be written.
    """
    from sodiophile.study.plan import task_of

    study = load_study(path)
    store = study_store(study.folder)
    calculations = {job.title: job for job in study.jobs if job.what == "calculation"}
    for name in only:
        if name not in {*calculations, *(job.name for job in calculations.values())}:
            raise InputError(f"found {name!r}, expected one of {', '.join(calculations) or 'none'}", "only")
    chosen = [
        job
        for job in calculations.values()
        if (job.name in only or job.title in only if only else job.missing is None and asks_for_dft(job))
    ]
    if not chosen:
        raise InputError("no calculation of this study asks for density functional theory; name those to keep", study.path)
    copied = {}
    for job in chosen:
        last = task_of(job)
        missing = [one.label for one in last.after.values() if store.find(one.key) is None]
        if missing:
            raise InputError(f"{missing[0]!r} and {len(missing) - 1} more are not finished; run the study first", job.title)
        copied[job.title] = len(keep(study.folder, _pieces(last), store))
    return copied


def _pieces(last: Task) -> list[Task]:
    """Return what a calculation is put together from.

    Putting together is quick and changes with the package, so what lies behind a quick piece is kept too, as the members of
    a series; what lies behind long work may be large.
    """
    found = list(last.after.values())
    return found + [one for piece in found if piece.cost_s < _QUICK_S for one in piece.after.values()]
