"""Is one electrode better than another, whatever the assumed parameters are? From the question to its tasks.

Both cells are drawn from the spreads of their parameters, what is the same in both drawn once; each pair goes through the
virtual instruments and the ordinary analyses of experiments of the study. How often the first is the better one says
whether an order follows from the parameters, and one parameter at a time says from which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile._version import __version__
from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.study import ordering_tasks
from sodiophile.study.calibration import Derivation, noiseless, simulated_job
from sodiophile.study.ordering_result import KIND
from sodiophile.study.schema import Ordering
from sodiophile.task import Task

if TYPE_CHECKING:
    from sodiophile.study.load import Job

__all__ = ["KIND", "resolve", "tasks"]

_PAIRS_A_TASK = 10
_RUN_S = 0.5


def resolve(entry: Ordering, where: str | Path, other: str | Path, jobs: Sequence[Job]) -> Derivation:
    """Follow the names of a question of order.

    Parameters
    ----------
    entry
        The table.
    where, other
        The cells of its first and second electrode: files or names of cells that ship.
    jobs
        The experiments of the study.

    Raises
    ------
    InputError
        If a name, a unit or a setting is at fault; the line names the key.
    """
    experiments: list[dict[str, Any]] = []
    for at, one in enumerate(entry.numbers, start=1):
        key = f"numbers[{at}]"
        found = [
            _experiment(one.experiment, one.quantity, electrode, entry.electrodes, jobs, key)
            for electrode in entry.electrodes
        ]
        for experiment in found:
            _set(experiment, one.simulate, key)
        experiments.append(
            {
                "name": one.name,
                "quantity": one.quantity,
                "better": one.better,
                "of": found,
                "experiment": one.experiment,
                "reported": one.reported,
            }
        )
    return Derivation(
        {
            "cells": [load_cell(where).to_dict(), load_cell(other).to_dict()],
            "electrodes": list(entry.electrodes),
            "numbers": experiments,
            "draws": entry.draws,
            "seed": entry.seed,
            # a virtual instrument has no version of its own: its equations change with the package
            "sodiophile": __version__,
        },
        {},
        other,
    )


def _experiment(
    name: str, quantity: str, electrode: str, electrodes: Sequence[str], jobs: Sequence[Job], key: str
) -> dict[str, Any]:
    """Return the experiment on an electrode; where the study does it on the other one only, as it is done there."""
    known = [job.electrode for job in jobs if job.name == name and job.what == "experiment"]
    source = electrode if electrode in known else next((one for one in electrodes if one in known), electrode)
    return noiseless(simulated_job(name, quantity, source, jobs, key), key)


def _set(experiment: dict[str, Any], settings: Mapping[str, Any], key: str) -> None:
    """Put other settings of the virtual instrument in."""
    from sodiophile import experiments
    from sodiophile.schema import checked

    kind = experiments.experiment(experiment["kind"])
    if kind.instrument is None:
        raise InputError(f"{kind.kind!r} has no virtual instrument", key)
    experiment["instrument"] = {**experiment["instrument"], **settings}
    try:
        checked(kind.instrument, experiment["instrument"], f"{key}.simulate")
    except InputError as error:
        raise InputError(str(error)) from None


def tasks(derivation: Derivation, _before: Mapping[tuple[str, str], Task], where: str | Path, label: str) -> Task:
    """Return the last task of a question of order, which follows the pairs drawn and the cells as they stand.

    Parameters
    ----------
    derivation
        From `resolve`.
    where
        The cell of the first electrode; that of the second stands in the derivation.
    label
        What the user sees.
    """
    inputs = dict(derivation.inputs)
    context = {"cells": [str(one.absolute()) if isinstance(one, Path) else one for one in (where, derivation.beside)]}
    cost_s = 2 * _RUN_S * len(inputs["numbers"])
    shared = {key: inputs[key] for key in ("cells", "numbers", "seed", "sodiophile")}
    parts: dict[str, Task] = {
        "as they stand": Task(
            f"{ordering_tasks.__name__}:stand",
            ordering_tasks.VERSION,
            shared,
            context=context,
            label=f"{label}, as they stand",
            cost_s=8 * cost_s,
        )
    }
    for first in range(0, inputs["draws"], _PAIRS_A_TASK):
        count = min(_PAIRS_A_TASK, inputs["draws"] - first)
        name = f"pairs {first + 1} to {first + count}"
        parts[name] = Task(
            f"{ordering_tasks.__name__}:pairs",
            ordering_tasks.VERSION,
            {**shared, "first": first, "count": count},
            context=context,
            label=f"{label}, {name}",
            cost_s=cost_s * count,
        )
    return Task(
        f"{ordering_tasks.__name__}:order",
        ordering_tasks.VERSION,
        inputs,
        after=parts,
        label=label,
        cost_s=1.0,
    )
