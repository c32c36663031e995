"""Many cells of one kind of experiment in one go: each its own task, then the groups of replicates."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile.errors import InputError, SodiophileError
from sodiophile.records import file_sha256
from sodiophile.schema import checked
from sodiophile.study.cells import Cell, cells_of
from sodiophile.study.execute import console_of, run_tasks
from sodiophile.study.load import Job
from sodiophile.study.outcome import JobOutcome, Outcome
from sodiophile.study.plan import Plan, Planned, task_of, unique_tasks
from sodiophile.study.replicates import Member, replicates
from sodiophile.study.run import announce, job_outcome, versions_of
from sodiophile.study.store import Entry, Store, user_store

if TYPE_CHECKING:
    from sodiophile.experiments.base import Experiment


def default_report(kind: str, source: str | Path) -> Path:
    """Return where the report of a batch goes: beside the folder or the table, named after it and the kind."""
    path = Path(source).absolute()
    return path.parent / f"{path.name if path.is_dir() else path.stem}-{kind}"


def run_batch(
    kind: str,
    source: str | Path,
    *,
    protocol: Mapping[str, Any] | None = None,
    read: Mapping[str, Any] | None = None,
    group_by: str | None = None,
    compare: Sequence[str] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    progress: bool = True,
) -> Outcome:
    """Analyze many cells, do what the store does not hold yet, and compare their groups.

    Parameters
    ----------
    kind
        The kind of experiment: "symmetric-cycling".
    source
        A folder of files (folders in it are groups), or a CSV table with a column ``file``; see
        `sodiophile.study.cells.cells_of`.
    protocol, read
        What holds for every cell, as users write it: ``{"area": "1.13 cm^2"}``; a row of the table may say otherwise.
    group_by
        The column of the table that names the group; ``group`` by default.
    compare
        Names of the quantities whose groups are tested against each other; all that can be by default.
    workers, scheduler, fresh, progress
        As for a study.

    Returns
    -------
    Outcome
        One job ``replicates`` with the groups, then one a cell (its electrode is its group). A cell that cannot be
        analyzed has an error, and does not stop the others.

    Raises
    ------
    InputError
        If the table is at fault, or no cell can even be planned; one line.
    InterruptedRunError
        If the user stopped it; what is finished is kept.
    """
    from sodiophile import experiments
    from sodiophile.readers import ReadOptions

    started, clock = datetime.now(UTC), time.perf_counter()
    path = Path(source)
    chosen = experiments.experiment(kind)
    reader_keys = [entry.alias or name for name, entry in ReadOptions.model_fields.items()]
    protocol_keys = [entry.alias or name for name, entry in chosen.protocol.model_fields.items()]
    cells, notes = cells_of(path, [*protocol_keys, *reader_keys], group_by)
    _known(chosen, compare)
    planned = [_plan(chosen, cell, protocol or {}, read or {}, protocol_keys) for cell in cells]
    faults = {one.error for one in planned}
    if len(faults) == 1 and None not in faults and len(cells) > 1:
        fault = str(next(iter(faults)))
        raise InputError(f"none of the {len(cells)} cells can be analyzed: {fault}", path)
    store = user_store()
    plan = Plan(tuple(planned), _done(planned, store, notes), tuple(notes), fresh)
    console = console_of(progress)
    if console is not None:
        announce(plan, notes, console)
    did = run_tasks(plan.to_do, store, workers=workers, scheduler=scheduler, fresh=fresh, console=console)
    entries = {**plan.done, **{key: entry for key in did if (entry := store.find(key)) is not None}}
    jobs = [job_outcome(one, entries, did) for one in planned]
    members, same = _members(cells, planned, jobs)
    groups = replicates(chosen, members, compare)
    if groups is not None:
        title = "Groups of replicate cells"
        jobs.insert(0, JobOutcome("replicates", "comparison", groups.kind, title, "all groups", groups))
    computed = sum(one.error is None and not one.reused for one in did.values())
    used = {key for one in planned for key in one.tasks if key in entries}
    return Outcome(
        title=f"{chosen.title}: {len(cells)} {'cells' if len(cells) > 1 else 'cell'} of {path.name}",
        description="",
        reference="",
        study_name=path.stem,
        study_file=path.read_text(encoding="utf-8-sig") if path.is_file() else "",
        jobs=tuple(jobs),
        comparisons=(),
        coverage=(),
        electrodes=_groups(cells),
        versions=versions_of([entries[key] for key in used]),
        inputs=_inputs(path, cells),
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - clock,
        computed=computed,
        reused=len(used) - computed,
        warnings=(*plan.warnings, *same),
        findings=groups.verdicts["groups"].evidence if groups is not None else (),
        store=store.root,
    )


def _known(kind: Experiment, names: Sequence[str]) -> None:
    from sodiophile.study.load import nearest

    if not kind.quantities:
        return
    known = {name.partition(":")[0] for name in kind.quantities}
    for name in names:
        if name.partition(":")[0] not in known:
            raise InputError(f"{name!r} is no quantity of {kind.kind!r}; {nearest(name, known, 'quantity')}", "compare")


def _plan(
    kind: Experiment, cell: Cell, protocol: Mapping[str, Any], read: Mapping[str, Any], protocol_keys: Sequence[str]
) -> Planned:
    """Check what was set for one cell, and find its task."""
    from sodiophile.readers import ReadOptions

    own = {key: value for key, value in cell.settings.items() if key in protocol_keys}
    rest = {key: value for key, value in cell.settings.items() if key not in own}
    job = Job(cell.name, "experiment", kind.kind, cell.group, cell.where, None, cell.files)
    try:
        if cell.fault is not None:
            raise cell.fault
        model = checked(kind.protocol, {**protocol, **own}, cell.where if cell.settings else "")
        options = checked(ReadOptions, {**read, **rest}, cell.where if cell.settings else "")
        job = Job(cell.name, "experiment", kind.kind, cell.group, cell.where, model, cell.files, options)
        return Planned(job, task_of(job))
    except SodiophileError as error:
        return Planned(job, None, str(error))


def _done(planned: Sequence[Planned], store: Store, notes: list[str]) -> dict[str, Entry]:
    found = {}
    for key in unique_tasks([one.task for one in planned if one.task is not None]):
        entry = store.find(key, notes)
        if entry is not None:
            found[key] = entry
    return found


def _members(
    cells: Sequence[Cell], planned: Sequence[Planned], jobs: Sequence[JobOutcome]
) -> tuple[list[Member], list[str]]:
    """Return the cells that count, and a sentence about each that is another one over again."""
    members: list[Member] = []
    seen: dict[tuple[str, ...], str] = {}
    notes = []
    for cell, plan, job in zip(cells, planned, jobs, strict=True):
        if job.result is None or plan.task is None:
            continue
        sums = tuple(str(entry["sha256"]) for entry in plan.task.inputs["files"])
        if sums in seen:
            notes.append(f"{cell.name} and {seen[sums]} have the same data: {cell.name} is no replicate and not counted")
            continue
        seen[sums] = cell.name
        members.append(Member(cell.name, cell.group, job.result))
    return members, notes


def _groups(cells: Sequence[Cell]) -> dict[str, dict[str, str]]:
    """Return group -> its cells and what the table says of them all alike, as text."""
    found: dict[str, dict[str, str]] = {}
    for group in dict.fromkeys(cell.group for cell in cells):
        own = [cell for cell in cells if cell.group == group]
        facts = {"cells": ", ".join(cell.name for cell in own)}
        for key in dict.fromkeys(key for cell in own for key in (*cell.settings, *cell.labels)):
            values = dict.fromkeys({**cell.labels, **cell.settings}.get(key, "") for cell in own)
            facts[key] = next(iter(values)) if len(values) == 1 else "differs from cell to cell"
        found[group] = facts
    return found


def _inputs(path: Path, cells: Sequence[Cell]) -> tuple[dict[str, Any], ...]:
    named = {str(one.relative_to(path if path.is_dir() else path.parent)): one for cell in cells for one in cell.files}
    if path.is_file():
        named = {path.name: path, **named}
    return tuple({"name": name, "sha256": file_sha256(one), "size": one.stat().st_size} for name, one in named.items())
