"""From the jobs of a study to tasks: which there are, in which order, which of them the store holds already."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile._version import __version__
from sodiophile.atomistic.base import Calculation
from sodiophile.errors import InputError, SodiophileError
from sodiophile.experiments.base import Experiment
from sodiophile.records import file_sha256
from sodiophile.schema import Model, checked, written
from sodiophile.study import tasks as task_functions
from sodiophile.study.calibration import Derivation
from sodiophile.study.derived import Derived, derived
from sodiophile.study.load import Job, Study, nearest
from sodiophile.study.record import Record, asks_for_dft, record_of, recorded_task
from sodiophile.study.store import Entry, Store
from sodiophile.task import Task

if TYPE_CHECKING:
    from rich.table import Table

# Rough, for the time left only: a cycler file of some 1e5 rows; a simulated test of 1000 h.
_ANALYSIS_S = 1.0
_SIMULATION_S = 3.0


@dataclass(frozen=True)
class Planned:
    """A job with its last task.

    Parameters
    ----------
    job
        The job.
    task
        Follows all the others of the job; None if the job cannot be planned.
    error
        One line, if it cannot.
    wanted
        Whether this run does what is not yet done of it.
    recorded
        Whether all that its last task puts together is in the record beside the study.
    """

    job: Job
    task: Task | None
    error: str | None = None
    wanted: bool = True
    recorded: bool = False

    @property
    def tasks(self) -> dict[str, Task]:
        """All its tasks by key, deepest first."""
        return unique_tasks([self.task]) if self.task is not None else {}


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Parameters
    ----------
    jobs
        One for each job of the study.
    done
        Key -> finished work, of all tasks that the store holds.
    warnings
        About damaged entries.
    fresh
        Whether finished work is done again.
    """

    jobs: tuple[Planned, ...]
    done: Mapping[str, Entry]
    warnings: tuple[str, ...] = ()
    fresh: bool = False

    @cached_property
    def to_do(self) -> dict[str, Task]:
        """The tasks that this run must do, by key, each after those it follows."""
        last = [job.task for job in self.jobs if job.task is not None and job.wanted]
        if not self.fresh:
            return needed_tasks(last, self.done)
        recorded = [task for job in self.jobs if job.recorded and job.task for task in job.task.after.values()]
        return needed_tasks(last, {task.key for task in recorded})

    def table(self) -> Table:
        """Return the plan as people read it."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title="plan", title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
        for header, justify in (("job", "left"), ("electrode", "left"), ("tasks", "right"), ("done", "right")):
            table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
        table.add_column("estimate", justify="right")
        seen: set[str] = set()
        to_do = self.to_do
        for planned in self.jobs:
            keys = planned.tasks
            left = [task for key, task in keys.items() if key in to_do and key not in seen]
            seen.update(keys)
            done = sum(key not in to_do and key in self.done for key in keys)
            if planned.error is not None:
                estimate = "cannot run"
            elif not planned.wanted:
                estimate = "not asked for"
            else:
                estimate = duration(sum(task.cost_s for task in left)) if left else "-"
            table.add_row(escape(planned.job.name), escape(planned.job.electrode), str(len(keys)), str(done), estimate)
        return table


def unique_tasks(last: Iterable[Task]) -> dict[str, Task]:
    """Return the given tasks and all that they follow, by key, each once and after those it follows."""
    found: dict[str, Task] = {}

    def visit(task: Task) -> None:
        if task.key not in found:
            for before in task.after.values():
                visit(before)
            found[task.key] = task

    for task in last:
        visit(task)
    return found


def needed_tasks(last: Iterable[Task], done: Container[str]) -> dict[str, Task]:
    """Return those tasks without which `last` cannot be done; nothing before a task that is done itself."""
    found: dict[str, Task] = {}

    def visit(task: Task) -> None:
        if task.key not in found and task.key not in done:
            for before in task.after.values():
                visit(before)
            found[task.key] = task

    for task in last:
        visit(task)
    return found


def plan_study(study: Study, store: Store, *, only: Sequence[str] = (), fresh: bool = False) -> Plan:
    """Plan the jobs of a study.

    Parameters
    ----------
    study
        The study.
    store
        Where finished work is looked for.
    only
        Names of experiments and calculations; of the others only finished work is used.
    fresh
        Do again what the store holds.
    """
    warnings: list[str] = []
    anew = fresh and study.file.level == "dft"
    record = Record() if anew else record_of(store, warnings)
    jobs = []
    last: dict[tuple[str, str], Task] = {}
    for job in study.jobs:
        wanted = not only or job.name in only or job.title in only
        try:
            task = recorded_task(job, record, task_of)
            recorded = task is not None
            if task is None and study.file.level == "potential" and asks_for_dft(job):
                raise InputError(
                    "asks for density functional theory, which the record beside the study does not hold; "
                    "'level = \"dft\"' in the study file computes it"
                )
            task = task or task_of(job, last)
            jobs.append(Planned(job, task, wanted=wanted, recorded=recorded))
            last[job.name, job.electrode] = task
        except SodiophileError as error:
            jobs.append(Planned(job, None, str(error), wanted))
    done = {}
    for key in unique_tasks([job.task for job in jobs if job.task is not None]):
        entry = store.find(key, warnings)
        if entry is not None:
            done[key] = entry
    return Plan(tuple(jobs), done, tuple(warnings), fresh)


def kind_of(job: Job) -> Experiment | Calculation | Derived | None:
    """Return the kind of a job; None if its extra is not installed."""
    from sodiophile import atomistic, experiments

    if job.missing is not None:
        return None
    if job.derivation is not None:
        return derived(job.kind)
    return experiments.experiment(job.kind) if job.what == "experiment" else atomistic.calculation(job.kind)


def unknown_quantities(study: Study) -> list[str]:
    """Return a sentence for each reported quantity that its experiment or calculation does not name as one of its own.

    It is said before the work begins, and refused only by the comparison: a kind need not name all that it may find.
    """
    found = []
    for at, entry in enumerate(study.file.reported, start=1):
        kind = next((kind_of(job) for job in study.jobs if job.name == entry.subject), None)
        if kind is None or not kind.quantities:
            continue
        # "height:SITE" stands for one quantity a site
        known = {name.partition(":")[0] for name in kind.quantities}
        if entry.quantity.partition(":")[0] not in known:
            hint = nearest(entry.quantity, kind.quantities, "quantity")
            found.append(f"reported[{at}].quantity: {entry.quantity!r} is no quantity of {kind.kind!r}; {hint}")
    return found


def task_of(job: Job, before: Mapping[tuple[str, str], Task] | None = None) -> Task:
    """Return the last task of a job.

    Parameters
    ----------
    job
        The job.
    before
        (name, electrode) -> last task of the jobs before it, on which it may rest.

    Raises
    ------
    InputError
        If a file cannot be read, or the inputs do not make a calculation.
    MissingExtraError
        If its extra is not installed.
    """
    if job.missing is not None:
        raise job.missing
    if job.derivation is not None:
        return _derived(job, job.derivation, before or {})
    assert job.model is not None  # noqa: S101  checked, as nothing is missing
    kind = kind_of(job)
    if isinstance(kind, Calculation):
        return kind.plan(job.model)
    assert isinstance(kind, Experiment)  # noqa: S101
    inputs = {"kind": job.kind, "analysis_version": kind.version, "protocol": _as_written(job.model, job)}
    return _simulation(job, inputs) if job.simulated else _analysis(job, inputs)


def _derived(job: Job, derivation: Derivation, before: Mapping[tuple[str, str], Task]) -> Task:
    for name, electrode in derivation.needs.values():
        if (name, electrode) not in before:
            raise InputError(f"{name!r} on {electrode!r}, on which it rests, cannot run")
    assert job.cell is not None  # noqa: S101  checked when the study was loaded
    return derived(job.kind).plan(derivation, before, job.cell, job.title)


def _analysis(job: Job, inputs: dict[str, Any]) -> Task:
    from sodiophile import readers

    assert job.read is not None  # noqa: S101  files come with reading options
    found = [readers.detect(path, job.read) for path in job.files]
    inputs["read"] = _as_written(job.read, job)
    inputs["readers"] = [[one.reader, one.version] for one in found]
    inputs["files"] = [{"name": path.name, "sha256": file_sha256(path)} for path in job.files]
    context = {"paths": [str(path.absolute()) for path in job.files]}
    return Task(
        f"{task_functions.__name__}:analyze_files",
        task_functions.VERSION,
        inputs,
        context=context,
        label=job.title,
        cost_s=_ANALYSIS_S,
    )


def _simulation(job: Job, inputs: dict[str, Any]) -> Task:
    from sodiophile.physics.cell import load_cell

    assert job.cell is not None  # noqa: S101  simulated means it has a cell
    assert job.instrument is not None  # noqa: S101
    cell = str(job.cell.absolute()) if isinstance(job.cell, Path) else job.cell
    inputs["cell"] = load_cell(cell).to_dict()
    inputs["instrument"] = _as_written(job.instrument, job)
    inputs["seed"] = job.seed
    # a virtual instrument has no version of its own: its equations change with the package
    inputs["sodiophile"] = __version__
    return Task(
        f"{task_functions.__name__}:simulate_and_analyze",
        task_functions.VERSION,
        inputs,
        context={"cell": cell},
        label=job.title,
        cost_s=_SIMULATION_S,
    )


def _as_written(model: Model, job: Job) -> dict[str, Any]:
    """Return the model as text with units, which a worker can read back exactly."""
    text = written(model)
    if checked(type(model), text) != model:
        raise InputError(f"{type(model).__name__} of {job.kind!r} cannot be written as text and read back")
    return text


def duration(seconds: float) -> str:
    """Write a duration roughly: ``40 s``, ``3 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "1 s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"
