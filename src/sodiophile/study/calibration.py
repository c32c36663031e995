"""A calibration of a study: its names followed, its priors and values checked, and the tasks that it asks for.

The runs of the design are tasks of their own, some runs each, and the posterior follows them. What is fitted is what the
ordinary analysis finds in the record of the virtual instrument; only noise and last digit of the instrument are taken off,
so that the same parameters always give the same number. The noise of a measurement is in the uncertainty of its value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile._version import __version__
from sodiophile.errors import InputError
from sodiophile.inference.priors import Prior, Shape
from sodiophile.physics.cell import Cell, load_cell
from sodiophile.physics.parameters import Parameter, Spread
from sodiophile.quantity import Quantity, measure
from sodiophile.schema import unit_of_field, written
from sodiophile.study import calibration_tasks
from sodiophile.study.schema import CalibratedTo, Calibration, Predicted, PriorTable, Reported
from sodiophile.task import Task

if TYPE_CHECKING:
    from sodiophile.study.load import Job

KIND = "calibration"
_RUNS_A_TASK = 16
_RUN_S = 0.5
_NOISE = ("voltage_noise", "voltage_resolution", "current_noise", "current_resolution", "noise", "gain_error", "drift")


@dataclass(frozen=True)
class Derivation:
    """What a job needs that rests on other jobs.

    Parameters
    ----------
    inputs
        JSON-ready; with the keys of the tasks before, all that decides the outcome.
    needs
        Name in the task -> (name, electrode) of a job whose outcome it gets.
    beside
        A second cell: a file or the name of one that ships.
    """

    inputs: Mapping[str, Any]
    needs: Mapping[str, tuple[str, str]]
    beside: str | Path | None = None


def prior_of(place: str, table: PriorTable, cell: Cell) -> Prior:
    """Return the prior of a parameter of a cell.

    Raises
    ------
    InputError
        If the cell has no such parameter, a number has another unit, or the prior reaches beyond what is physical.
    """
    mark = cell.mark(place)
    if table.low is not None and table.high is not None:
        shape: Shape = "log-uniform" if table.logarithmic else "uniform"
        first, second = measure(table.low, mark.unit, f"{place}.low"), measure(table.high, mark.unit, f"{place}.high")
    elif table.value is not None and table.uncertainty is not None:
        shape, first = "normal", measure(table.value, mark.unit, f"{place}.value")
        second = measure(table.uncertainty, mark.unit, f"{place}.uncertainty")
    elif table.value is not None and table.factor is not None:
        shape, first, second = "log-normal", measure(table.value, mark.unit, f"{place}.value"), table.factor
    else:
        shape, first, second = _stated(place, cell)
    prior = Prior(place, mark.unit, shape, first, second)
    _physical(prior, mark)
    return prior


def _stated(place: str, cell: Cell) -> tuple[Shape, float, float]:
    quantity = cell.parameters().get(place)
    spread = Spread.of(quantity) if quantity is not None else None
    if spread is None:
        raise InputError(
            "found no prior, and the cell states neither range nor uncertainty of it; expected low and high, value and "
            "uncertainty, or value and factor",
            place,
        )
    return spread.kind, spread.first, spread.second


def _physical(prior: Prior, mark: Parameter) -> None:
    for end in prior.support:
        if not mark.holds(end):
            open_ended = prior.shape in {"normal", "log-normal"}
            advice = "; low and high keep it within" if open_ended else ""
            try:
                mark.read(Quantity(end, prior.unit, status="assumed", source="an end of the prior"))
            except InputError as error:
                raise InputError(f"the prior, {prior.words}, reaches too far: {error}{advice}", prior.name) from None


def resolve(
    entry: Calibration, electrode: str, where: str | Path, jobs: Sequence[Job], reported: Sequence[Reported]
) -> Derivation:
    """Follow the names of a calibration.

    Parameters
    ----------
    entry
        The table.
    electrode
        Of which its cell is calibrated.
    where
        The cell: a file or the name of one that ships.
    jobs
        The experiments of the study.
    reported
        The values that somebody printed.

    Raises
    ------
    InputError
        If a name, a unit, a prior or a value is at fault; the line names the key.
    """
    cell = load_cell(where)
    priors = []
    for place, table in entry.parameters.items():
        try:
            priors.append(prior_of(place, table, cell))
        except InputError as error:
            raise error.within("parameters") from None
    experiments: dict[str, dict[str, Any]] = {}
    outputs: list[dict[str, Any]] = []
    needs: dict[str, tuple[str, str]] = {}
    used: set[tuple[str, str]] = set()
    wanted: list[tuple[str, CalibratedTo | Predicted]] = [
        *((f"to[{at}]", one) for at, one in enumerate(entry.to, start=1)),
        *((f"predict[{at}]", one) for at, one in enumerate(entry.predict, start=1)),
    ]
    for key, one in wanted:
        if (one.experiment, one.quantity) in used:
            raise InputError(f"found {one.quantity!r} of {one.experiment!r} a second time", key)
        used.add((one.experiment, one.quantity))
        job = simulated_job(one.experiment, one.quantity, electrode, jobs, key)
        experiments.setdefault(one.experiment, noiseless(job, key))
        value = reported_value(one.experiment, one.quantity, electrode, reported)
        outputs.append(_output(one, key, job, value, needs))
    return Derivation(
        {
            "cell": cell.to_dict(),
            "priors": [prior.to_dict() for prior in priors],
            "experiments": experiments,
            "outputs": outputs,
            "draws": entry.draws,
            "seed": entry.seed,
            "runs": entry.runs or 16 * (len(priors) + 1),
            # a virtual instrument has no version of its own: its equations change with the package
            "sodiophile": __version__,
        },
        needs,
    )


def reported_value(experiment: str, quantity: str, electrode: str, reported: Sequence[Reported]) -> Reported | None:
    """Return what somebody printed of a quantity of an experiment on an electrode, None if nothing."""
    for value in reported:
        if (value.experiment, value.quantity) == (experiment, quantity) and value.electrode in {electrode, None}:
            return value
    return None


def simulated_job(experiment: str, quantity: str, electrode: str, jobs: Sequence[Job], key: str) -> Job:
    """Return the experiment of that name, which has a virtual instrument and gives the quantity.

    Raises
    ------
    InputError
        If there is none; the line names the key.
    """
    from sodiophile import experiments
    from sodiophile.study.load import nearest

    own = {job.name: job for job in jobs if job.electrode == electrode and job.what == "experiment"}
    if experiment not in own:
        hint = nearest(experiment, own, "experiment of this electrode")
        raise InputError(f"found {experiment!r}, which is no experiment on {electrode!r}; {hint}", f"{key}.experiment")
    kind = experiments.experiment(own[experiment].kind)
    if kind.simulate is None or kind.instrument is None:
        raise InputError(f"{kind.kind!r} has no virtual instrument, so that nothing can be fitted", f"{key}.experiment")
    known = {name.partition(":")[0] for name in kind.quantities or {}}
    if known and quantity.partition(":")[0] not in known:
        hint = nearest(quantity, kind.quantities or {}, "quantity")
        raise InputError(f"found {quantity!r}, which is no quantity of {kind.kind!r}; {hint}", f"{key}.quantity")
    return own[experiment]


def noiseless(job: Job, key: str) -> dict[str, Any]:
    """Return what the simulation and analysis of an experiment need besides the cell, noise and chance taken off.

    Raises
    ------
    InputError
        If the virtual instrument takes no zero for its noise.
    """
    from sodiophile import experiments

    kind = experiments.experiment(job.kind)
    assert job.model is not None  # noqa: S101  an experiment always has a protocol
    assert kind.instrument is not None  # noqa: S101  checked before
    instrument = written(job.instrument) if job.instrument is not None else {}
    for name, field in kind.instrument.model_fields.items():
        if (field.alias or name) in _NOISE:
            unit = unit_of_field(field)
            instrument[field.alias or name] = f"0 {unit}" if unit else 0.0
    if instrument.get("grow_shorts") is True:
        # the life of one cell is chance: the median cell's is fitted, and the scatter is in the uncertainty of the value
        instrument.setdefault("life_quantile", 0.5)
    try:
        kind.instrument.model_validate(instrument)
    except ValueError as error:
        raise InputError(f"its virtual instrument cannot be made noiseless: {error}", f"{key}.experiment") from None
    return {
        "kind": job.kind,
        "analysis_version": kind.version,
        "protocol": written(job.model),
        "instrument": instrument,
        "seed": job.seed,
    }


def _output(
    one: CalibratedTo | Predicted, key: str, job: Job, value: Reported | None, needs: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    fitted = isinstance(one, CalibratedTo)
    found: dict[str, Any] = {
        "experiment": one.experiment,
        "quantity": one.quantity,
        "fitted": fitted,
        "discrepancy": one.discrepancy,
    }
    stated = Quantity.parse(one.uncertainty) if one.uncertainty is not None else None
    if stated is not None and not stated.value > 0:
        raise InputError(f"found {one.uncertainty!r}, expected more than 0", f"{key}.uncertainty")
    if not job.simulated:
        needs[one.experiment] = (job.name, job.electrode)
        found["value"] = {"origin": "measured", "job": one.experiment, "where": one.experiment}
        if stated is not None:
            found["value"]["uncertainty"] = str(one.uncertainty)
        return found
    if value is None:
        if fitted:
            raise InputError(
                f"found no [[reported]] value of {one.quantity!r} of {one.experiment!r}; expected one, or files",
                key,
            )
        return found
    quantity = value.as_quantity()
    sigma = quantity.uncertainty
    if stated is not None:
        try:
            sigma = abs(stated.to(quantity.unit).value)
        except InputError as error:
            raise error.within(f"{key}.uncertainty") from None
    rounding = value.half_digit / math.sqrt(3.0)
    if not sigma and fitted and one.discrepancy == 0:
        raise InputError(
            f"the reported {value.value!r} states no uncertainty; expected one here, such as "
            f"'{abs(quantity.value) / 10:.2g} {quantity.unit}', or a discrepancy",
            f"{key}.uncertainty",
        )
    found["value"] = {
        "origin": "reported",
        "value": quantity.value,
        "unit": quantity.unit,
        "sigma": math.hypot(sigma or 0.0, rounding),
        "bound": quantity.bound,
        "printed": value.value,
        "where": value.where,
    }
    return found


def tasks(derivation: Derivation, before: Mapping[tuple[str, str], Task], where: str | Path, label: str) -> Task:
    """Return the last task of a calibration: its posterior, which follows the runs of the design.

    Parameters
    ----------
    derivation
        From `resolve`.
    before
        (name, electrode) -> the last task of that job.
    where
        The cell.
    label
        What the user sees.
    """
    inputs = dict(derivation.inputs)
    shared = {key: inputs[key] for key in ("cell", "priors", "experiments", "sodiophile")}
    shared["outputs"] = [{key: one[key] for key in ("experiment", "quantity")} for one in inputs["outputs"]]
    context = {"cell": str(where.absolute()) if isinstance(where, Path) else where}
    cost_s = _RUN_S * len(inputs["experiments"])
    design: dict[str, Task] = {}
    for first in range(0, inputs["runs"], _RUNS_A_TASK):
        count = min(_RUNS_A_TASK, inputs["runs"] - first)
        name = f"runs {first + 1} to {first + count}"
        design[name] = Task(
            f"{calibration_tasks.__name__}:explore",
            calibration_tasks.VERSION,
            {**shared, "first": first, "count": count},
            context=context,
            label=f"{label}, {name}",
            cost_s=cost_s * count,
        )
    measured = {f"measured:{name}": before[key] for name, key in derivation.needs.items()}
    return Task(
        f"{calibration_tasks.__name__}:posterior",
        calibration_tasks.VERSION,
        inputs,
        after={**design, **measured},
        context=context,
        label=f"{label}, posterior",
        cost_s=cost_s * 1.3 * inputs["draws"] + 10.0,
    )
