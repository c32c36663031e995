"""The task functions of a calibration: runs of the virtual instruments over the prior, and the posterior."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError
from sodiophile.inference.posterior import sample
from sodiophile.inference.priors import Prior, sobol_normal
from sodiophile.inference.runs import Datum, Runs
from sodiophile.quantity import Quantity, measure

if TYPE_CHECKING:
    from sodiophile.physics.cell import Cell
    from sodiophile.result import Result

VERSION = 2
RUNS_FILE = "runs.jsonl"
_DESIGN_SEED = 0
_REPORT_EVERY = 25


class Forward:
    """From standard normal variables to quantities: the cell with these parameters, its virtual instruments, the analyses.

    Parameters
    ----------
    inputs
        ``cell``, ``priors``, ``experiments`` and ``outputs`` of a calibration.
    where
        The cell: a file or the name of one that ships.

    Raises
    ------
    InputError
        If the cell has changed since the study was planned.
    """

    def __init__(self, inputs: Mapping[str, Any], where: str) -> None:
        from sodiophile.physics.cell import load_cell

        self.cell = load_cell(where)
        if self.cell.to_dict() != inputs["cell"]:
            raise InputError("the cell has changed since the study was planned; run again", where)
        self.priors = [Prior(**one) for one in inputs["priors"]]
        self.experiments = inputs["experiments"]
        self.outputs = [(one["experiment"], one["quantity"]) for one in inputs["outputs"]]
        self.units: list[str] = []

    def __call__(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quantities at `u`, shape (m,).

        Raises
        ------
        InputError
            If the parameters are no cell, a simulation or an analysis fails, or a quantity cannot be told.
        """
        cell = self.cell.changed({one.name: float(one.value(x)) for one, x in zip(self.priors, u, strict=True)})
        results = {name: simulated_result(one, cell) for name, one in self.experiments.items()}
        found = [told(results[name], name, quantity) for name, quantity in self.outputs]
        if not self.units:
            self.units = [one.unit for one in found]
        return np.array([one.to(unit).value for one, unit in zip(found, self.units, strict=True)])


def simulated_result(experiment: Mapping[str, Any], cell: Cell) -> Result:
    """Return what the analysis of an experiment finds in its simulated record.

    Parameters
    ----------
    experiment
        Of `sodiophile.study.calibration.noiseless`.
    cell
        The cell.

    Raises
    ------
    InputError
        If the simulation or the analysis fails.
    """
    from sodiophile import experiments
    from sodiophile.experiments.base import simulated_record
    from sodiophile.schema import checked

    kind = experiments.experiment(experiment["kind"])
    try:
        record = simulated_record(kind, cell, experiment["protocol"], experiment["instrument"], experiment["seed"])
        return kind.run([record], checked(kind.protocol, experiment["protocol"]))
    except (ArithmeticError, ValueError, RuntimeError, IndexError) as error:
        raise InputError(f"the simulation ended with {type(error).__name__}: {error}") from None


def told(result: Result, experiment: str, name: str) -> Quantity:
    """Return a quantity of a result that is a value.

    Raises
    ------
    InputError
        If the result has no such quantity, or it only bounds the truth; the line says why.
    """
    quantity = result.quantities.get(name)
    if quantity is None:
        answers = "; ".join(f"{key.replace('_', ' ')}: {verdict.answer}" for key, verdict in result.verdicts.items())
        raise InputError(f"{experiment}: no {name.replace('_', ' ')} ({answers})")
    if quantity.bound is not None:
        raise InputError(f"{experiment}: {name.replace('_', ' ')} is only a {quantity.bound} bound")
    return quantity


def explore(
    inputs: Mapping[str, Any], _after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Run the virtual instruments at some points of the design.

    Parameters
    ----------
    inputs
        Those of `Forward`, and ``first`` and ``count`` of the points.
    _after
        Nothing.
    context
        ``cell``: where it lies.
    folder
        Keeps the runs of a killed task.

    Returns
    -------
    dict
        ``u``, ``y`` (null where a run failed), ``failed`` (why, one for each null) and ``units``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    forward = Forward(inputs, context["cell"])
    runs = Runs(forward, folder / RUNS_FILE)
    # a power of two at least: the design of a larger calibration begins with the same points
    points = sobol_normal(inputs["first"] + inputs["count"], len(forward.priors), _DESIGN_SEED)
    for u in points[inputs["first"] :]:
        runs(u)
    units = forward.units
    if not units and any(y is not None for y in runs.y):
        # all runs came from the file of a killed task: one is made again for its units
        forward(next(u for u, y in zip(runs.u, runs.y, strict=True) if y is not None))
        units = forward.units
    return {
        "u": [[float(x) for x in u] for u in runs.u],
        "y": [None if y is None else [float(x) for x in y] for y in runs.y],
        "failed": list(runs.reasons),
        "units": units,
    }


def posterior(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Calibrate: least squares, posterior, predictions; the runs stand in a file that outlives a kill.

    Parameters
    ----------
    inputs
        Of `sodiophile.study.calibration.resolve`.
    after
        The outcomes of `explore`, and under ``measured:NAME`` results of measured experiments.
    context
        ``cell``: where it lies.
    folder
        Where the result goes, and the file of runs.
    """
    from sodiophile.study.calibration_result import as_result

    folder.mkdir(parents=True, exist_ok=True)
    forward = Forward(inputs, context["cell"])
    units = _units([one for name, one in after.items() if not name.startswith("measured:")])
    forward.units = units
    runs = Runs(_Counted(forward), folder / RUNS_FILE)
    for name, one in after.items():
        if not name.startswith("measured:"):
            runs.adopt(np.array(one["u"]), [None if y is None else np.array(y) for y in one["y"]], one["failed"])
    values = [_value(one, unit, after) for one, unit in zip(inputs["outputs"], units, strict=True)]
    data = [
        Datum(k, value["value"], value["total"], value["bound"])
        for k, (one, value) in enumerate(zip(inputs["outputs"], values, strict=True))
        if one["fitted"] and value is not None
    ]
    found = sample(runs, data, draws=inputs["draws"], seed=inputs["seed"])
    return as_result(inputs, forward, values, data, found, runs).save(folder)


class _Counted:
    """Tells the log how far the runs are."""

    def __init__(self, forward: Forward) -> None:
        self.forward, self.count = forward, 0

    def __call__(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        self.count += 1
        if self.count % _REPORT_EVERY == 0:
            print(f"{self.count} runs", file=sys.stderr, flush=True)  # noqa: T201  into the log of the task
        return self.forward(u)


def _units(outcomes: list[Mapping[str, Any]]) -> list[str]:
    units = next((list(one["units"]) for one in outcomes if one["units"]), None)
    if units is None:
        reasons = [reason for one in outcomes for reason in one["failed"]]
        raise InputError(
            f"all {len(reasons)} runs within the prior failed, so that nothing can be calibrated; the first: {reasons[0]}"
        )
    return units


def _value(output: Mapping[str, Any], unit: str, after: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the value that an output is fitted to or compared with, in the unit of the result; None if there is none."""
    given = output.get("value")
    if given is None:
        return None
    where = f"{output['experiment']}: {output['quantity']}"
    if given["origin"] == "measured":
        quantities = after[f"measured:{given['job']}"]["quantities"]
        if output["quantity"] not in quantities:
            if not output["fitted"]:
                return None
            raise InputError("the measured files do not give this quantity", where)
        quantity = Quantity.from_dict(quantities[output["quantity"]])
        sigma = measure(given["uncertainty"], quantity.unit, where) if "uncertainty" in given else quantity.uncertainty
        if not sigma and output["fitted"] and not output["discrepancy"]:
            raise InputError("the measured value has no uncertainty; state one in the calibration", where)
    else:
        quantity = Quantity(given["value"], given["unit"], given["sigma"], status="reported", bound=given["bound"])
        sigma = quantity.uncertainty
    try:
        quantity = Quantity(quantity.value, quantity.unit, sigma or 0.0, status="reported", bound=quantity.bound).to(unit)
    except InputError as error:
        raise error.within(where) from None
    stated = quantity.uncertainty or 0.0
    model = output["discrepancy"] * abs(quantity.value)
    return {
        "value": quantity.value,
        "sigma": stated,
        "total": float(np.hypot(stated, model)),
        "bound": quantity.bound,
        "origin": given["origin"],
        "where": given["where"],
        "printed": given.get("printed", ""),
    }
