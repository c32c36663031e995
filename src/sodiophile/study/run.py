"""The main job: run a study, and set what came out beside what was reported; start a new study."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile.errors import InputError
from sodiophile.records import file_sha256
from sodiophile.result import Result
from sodiophile.study.compare import compare, cover, orders
from sodiophile.study.consistency import as_result, consistency, findings
from sodiophile.study.derived import derived
from sodiophile.study.execute import Done, console_of, run_tasks
from sodiophile.study.explanations import explanations
from sodiophile.study.explanations import findings as explanations_found
from sodiophile.study.facts import facts_of
from sodiophile.study.labels import labelled
from sodiophile.study.lifespans import lifespan_comparison, own_lifespans
from sodiophile.study.load import STUDY_NAME, Study, load_study, nearest, study_path
from sodiophile.study.ordering_result import KIND as ORDERING
from sodiophile.study.ordering_result import findings as order_findings
from sodiophile.study.outcome import JobOutcome, Outcome
from sodiophile.study.plan import Plan, Planned, duration, kind_of, plan_study, unknown_quantities
from sodiophile.study.record import asks_for_dft, dates
from sodiophile.study.schema import Electrode
from sodiophile.study.store import Entry, Store, study_store

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["load_study", "new", "report_folder", "run"]


_EXPLANATIONS: tuple[str, Any, str, str, str] = (
    "explanations",
    "comparison",
    "explanations",
    "Which calculation explains the reported adsorption energies",
    "all electrodes",
)
_CONSISTENCY: tuple[str, Any, str, str, str] = (
    "consistency",
    "comparison",
    "consistency",
    "The numbers of this study against each other",
    "all electrodes",
)


def report_folder(path: str | Path) -> Path:
    """Return where the report of a study goes: ``results`` beside its file."""
    return study_path(path).parent / "results"


def run(
    path: str | Path,
    *,
    only: str | Sequence[str] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    progress: bool = True,
) -> Outcome:
    """Run a study: do what the store does not hold, and compare with what was reported.

    Parameters
    ----------
    path
        The TOML file, or the folder with a ``study.toml``.
    only
        Names of the experiments or calculations to run; of the others, what is finished already is shown.
    workers
        Processes to use; one a core by default.
    scheduler
        The address of a Dask scheduler to use instead.
    fresh
        Do again what the store holds.
    progress
        Show the plan and how far it is, on standard error.

    Raises
    ------
    InputError
        If the study is at fault, the store cannot be written, or no scheduler answers; one line.
    InterruptedRunError
        If the user stopped the run; what is finished is kept.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    study = load_study(path)
    chosen = _chosen(study, only)
    store = study_store(study.folder)
    plan = plan_study(study, store, only=chosen, fresh=fresh)
    warnings = (*plan.warnings, *unknown_quantities(study))
    console = console_of(progress)
    if console is not None:
        announce(plan, warnings, console)
    if plan.to_do:
        _keep_out_of_version_control(store, study.folder)
    did = run_tasks(plan.to_do, store, workers=workers, scheduler=scheduler, fresh=fresh, console=console)
    entries = {**plan.done, **{key: entry for key in did if (entry := store.find(key)) is not None}}
    outcomes = [(planned, job_outcome(planned, entries, did)) for planned in plan.jobs]
    jobs = [outcome for planned, outcome in outcomes if planned.wanted or outcome.result is not None]
    used = {key for planned in plan.jobs for key in planned.tasks if key in entries}
    outcome = _outcome(study, store, jobs, {key: entries[key] for key in used}, warnings)
    computed = sum(one.error is None and not one.reused for one in did.values())
    return Outcome(
        **outcome,
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - clock,
        computed=computed,
        reused=len(used) - computed,
        store=store.root,
    )


def _chosen(study: Study, only: str | Sequence[str] | None) -> tuple[str, ...]:
    names = (only,) if isinstance(only, str) else tuple(only or ())
    for name in names:
        known = [*study.names, *(job.title for job in study.jobs)]
        if name not in known:
            hint = nearest(name, study.names, "experiment or calculation")
            raise InputError(f"found {name!r}, which is not in {study.path}; {hint}", "only")
    return names


def announce(plan: Plan, warnings: Sequence[str], console: Console) -> None:
    """Show the plan, and how much of it is left to do."""
    for warning in warnings:
        console.print(f"warning: {warning}", markup=False, soft_wrap=True)
    if not plan.jobs:
        console.print("nothing to do: the study names no experiment and no calculation")
        return
    if not plan.to_do:
        console.print("everything is done already")
        return
    console.print(plan.table())
    cost = sum(task.cost_s for task in plan.to_do.values())
    console.print(f"{len(plan.to_do)} tasks to do, about {duration(cost)} of work on one core", markup=False)


def _keep_out_of_version_control(store: Store, folder: Path) -> None:
    own = folder.absolute() / ".sodiophile"
    if not store.root.is_relative_to(own) or (own / ".gitignore").exists():
        return
    try:
        own.mkdir(exist_ok=True)
        (own / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        message = f"the store cannot be made here: {error.strerror or error}; SODIOPHILE_STORE names another folder"
        raise InputError(message, own) from None


def _drawer(planned: Planned) -> tuple[str, Any]:
    """Return the title of the kind, and what draws it."""
    kind = kind_of(planned.job)
    return (kind.title, kind.draw) if kind is not None else (planned.job.kind, None)


def job_outcome(planned: Planned, entries: Mapping[str, Entry], did: Mapping[str, Done]) -> JobOutcome:
    """Return what came of a job.

    Parameters
    ----------
    planned
        The job.
    entries
        Key -> finished work of all its tasks.
    did
        Key -> what became of the tasks that this run did.
    """
    job, task = planned.job, planned.task
    title, draw = _drawer(planned)
    result, error, key = None, planned.error, ""
    mine = [did[one] for one in planned.tasks if one in did]
    if task is not None:
        key = task.key
        last = did.get(key)
        if last is not None and last.error is not None:
            error = last.error_within(job.title)
        elif key in entries:
            try:
                result = Result.load(entries[key].folder, drawer=draw)
            except Exception as fault:  # noqa: BLE001  a store may come from elsewhere and hold anything
                error = f"its stored result {entries[key].folder} cannot be read ({fault}); run with --fresh"
        else:
            error = "not yet done"
    return JobOutcome(
        name=job.name,
        what=job.what,
        kind=job.kind,
        kind_title=title,
        electrode=job.electrode,
        result=result,
        error=error,
        key=key,
        reused=result is not None and all(one.reused for one in mine),
        seconds=sum(one.seconds for one in mine),
        recorded=_recorded(planned, entries),
    )


def _recorded(planned: Planned, entries: Mapping[str, Entry]) -> str:
    if not planned.recorded or planned.task is None:
        return ""
    pieces = [entries[one.key] for one in planned.task.after.values() if one.key in entries]
    level = "density functional theory" if asks_for_dft(planned.job) else "calculations"
    return f"{level} of {dates(pieces)}, kept in the record beside the study file"


def _outcome(
    study: Study, store: Store, jobs: Sequence[JobOutcome], entries: Mapping[str, Entry], warnings: Sequence[str]
) -> dict[str, Any]:
    """Return what the outcome says besides times and counts."""
    file = study.file
    electrodes: dict[str, list[str]] = {}
    for job in study.jobs:
        electrodes.setdefault(job.name, []).append(job.electrode)
    notes = list(warnings)
    elsewhere = sorted({str(entry.folder.parent) for entry in entries.values() if entry.folder.parent != store.root})
    for place in elsewhere:
        count = sum(str(entry.folder.parent) == place for entry in entries.values())
        notes.append(f"{count} of {len(entries)} tasks were not done here: they were found finished in {Path(place).name}")
    comparisons = labelled([compare(entry, jobs, electrodes) for entry in file.reported], file.reported, jobs)
    jobs = [view for job in jobs for view in (job, *_views(job))]
    jobs = [*jobs, *_comparisons(study, jobs)]
    explained = explanations(comparisons, jobs)
    if explained is not None:
        jobs = [*jobs, JobOutcome(*_EXPLANATIONS, explained)]
    checks = consistency(facts_of(jobs, file.reported, study))
    simulated = any(job.result is not None and job.result.simulated for job in jobs)
    agreement = as_result(checks, simulated=simulated and any(one.source == "this study" for one in checks))
    if agreement is not None:
        jobs = [*jobs, JobOutcome(*_CONSISTENCY, agreement)]
    return {
        "title": file.title,
        "description": file.description,
        "reference": file.reference,
        "study_name": study.folder.absolute().name if study.path.name == STUDY_NAME else study.path.stem,
        "study_file": study.text,
        "jobs": tuple(jobs),
        "comparisons": comparisons,
        "findings": (
            *orders(comparisons),
            *order_findings([(job.name, job.result) for job in jobs if job.kind == ORDERING and job.result is not None]),
            *explanations_found(explained),
            *findings(checks, simulated=agreement is not None and agreement.simulated),
        ),
        "coverage": tuple(cover(row, jobs) for row in sorted(file.coverage, key=lambda row: row.row)),
        "electrodes": {name: _facts(electrode) for name, electrode in file.electrodes.items()},
        "versions": versions_of(entries.values()),
        "inputs": tuple(
            {"name": name, "sha256": file_sha256(path), "size": path.stat().st_size}
            for name, path in {study.path.name: study.path, **study.files}.items()
        ),
        "warnings": tuple(notes),
    }


def _views(job: JobOutcome) -> list[JobOutcome]:
    """Return what else there is to see of a job that rests on others, each with its own figure."""
    if job.what not in {"calibration", "prediction"} or job.result is None:
        return []
    kind = derived(job.kind)
    return [
        replace(job, name=f"{job.name}, {title}", what="comparison", kind_title=title.capitalize(), result=view(job.result))
        for title, view in kind.views.items()
    ]


def _comparisons(study: Study, jobs: Sequence[JobOutcome]) -> list[JobOutcome]:
    """Set the lifespans that were found among published ones, as the study asks for."""
    found = []
    for entry in study.file.comparisons:
        own = own_lifespans(jobs, entry.experiments)
        more = study.folder / entry.published if entry.published is not None else None
        electrodes = ", ".join(dict.fromkeys(one.electrode for one in jobs if one.name in entry.experiments))
        job = JobOutcome(entry.name, "comparison", entry.kind, "Lifespans among published ones", electrodes, None)
        if own:
            result = lifespan_comparison(own, axis=entry.axis, show=entry.show, more=more)
            found.append(replace(job, result=result))
        else:
            found.append(replace(job, error="none of its experiments has found a lifespan"))
    return found


def versions_of(entries: Any) -> dict[str, str]:
    """Return package -> version of everything that took part; several where finished work is older."""
    from sodiophile.study.work import versions

    found: dict[str, list[str]] = {
        name: [version] for name, version in versions().items() if name in {"sodiophile", "python"}
    }
    for entry in entries:
        for name, version in dict(entry.done.get("versions") or {}).items():
            several = found.setdefault(str(name), [])
            if str(version) not in several:
                several.append(str(version))
    return {name: ", ".join(several) for name, several in sorted(found.items())}


def _facts(electrode: Electrode) -> dict[str, str]:
    """Return what the study says of an electrode, as text by key."""
    facts = {"metal": electrode.metal, "structure": electrode.structure or ""}
    if electrode.interlayer is not None:
        layer = electrode.interlayer
        facts["interlayer"] = layer.material
        facts["interlayer structure"] = layer.structure or ""
        facts["interlayer thickness"] = f"{layer.thickness_um:g} um" if layer.thickness_um is not None else ""
        facts["interlayer note"] = layer.note
        facts["interlayer source"] = layer.source
    facts["area"] = f"{electrode.area_cm2:g} cm^2" if electrode.area_cm2 is not None else ""
    facts["cell"] = electrode.cell or ""
    facts["note"], facts["source"] = electrode.note, electrode.source
    return {key: value for key, value in facts.items() if value}


def new(directory: str | Path) -> Path:
    """Write a commented study to fill in, which runs as it is.

    Parameters
    ----------
    directory
        A folder that does not exist yet, or is empty.

    Returns
    -------
    Path
        The study file.

    Raises
    ------
    InputError
        If something is there already, or the folder cannot be written.
    """
    folder = Path(directory)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("is there already and is not an empty folder; nothing was written", folder)
    text = resources.files("sodiophile.study").joinpath("template.toml").read_text(encoding="utf-8")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / STUDY_NAME).open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", folder) from None
    return folder / STUDY_NAME
