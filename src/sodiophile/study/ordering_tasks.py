"""The tasks of a question of order: cells as they stand and one parameter at a time, pairs drawn, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sodiophile.errors import InputError, SodiophileError
from sodiophile.physics.cell import Cell, load_cell
from sodiophile.physics.pairs import drawn_pair, one_at_a_time
from sodiophile.quantity import Quantity
from sodiophile.result import Result
from sodiophile.study.calibration_tasks import simulated_result

VERSION = 2


def stand(
    inputs: Mapping[str, Any], _after: Mapping[str, Any], context: Mapping[str, Any], _folder: Path
) -> dict[str, Any]:
    """Return the numbers of both cells as they stand, and of the first with one thing at a time put back to the second's.

    Parameters
    ----------
    inputs
        ``cells`` and ``numbers`` of `sodiophile.study.ordering.resolve`.
    context
        ``cells``: where they lie.
    """
    first, second = _cells(inputs, context)
    return {
        "first": numbers_of(first, inputs["numbers"], 0),
        "second": numbers_of(second, inputs["numbers"], 1),
        "one at a time": {
            what: numbers_of(cell, inputs["numbers"], 0) for what, cell in one_at_a_time(second, first).items()
        },
    }


def pairs(
    inputs: Mapping[str, Any], _after: Mapping[str, Any], context: Mapping[str, Any], _folder: Path
) -> dict[str, Any]:
    """Return the numbers of some pairs drawn, and the parameters that were drawn; each pair has a seed of its own.

    Parameters
    ----------
    inputs
        Those of `stand`, ``seed``, and ``first`` and ``count`` of the pairs.
    context
        ``cells``: where they lie.
    """
    cells = _cells(inputs, context)
    spreads = [list(cell.spreads()) for cell in cells]
    found = []
    for at in range(inputs["first"], inputs["first"] + inputs["count"]):
        pair = drawn_pair(*cells, np.random.default_rng([inputs["seed"], at]))
        values = [cell.parameters() for cell in pair]
        found.append(
            {
                "first": numbers_of(pair[0], inputs["numbers"], 0),
                "second": numbers_of(pair[1], inputs["numbers"], 1),
                "drawn": [{place: values[k][place].value for place in spreads[k]} for k in (0, 1)],
            }
        )
    return {"pairs": found}


def order(inputs: Mapping[str, Any], after: Mapping[str, Any], _context: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Put together what follows, and save it.

    Parameters
    ----------
    inputs
        Of `sodiophile.study.ordering.resolve`.
    after
        The outcomes of `stand` and `pairs`.
    folder
        Where the result goes.
    """
    from sodiophile.study.ordering_result import as_result

    parts = {name: outcome for name, outcome in after.items() if "pairs" in outcome}
    drawn = [pair for name in sorted(parts, key=_first) for pair in parts[name]["pairs"]]
    found: Result = as_result(inputs, after["as they stand"], drawn)
    return found.save(folder)


def _first(name: str) -> int:
    return int(name.split()[1])


def _cells(inputs: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[Cell, Cell]:
    cells = [load_cell(where) for where in context["cells"]]
    for cell, planned, where in zip(cells, inputs["cells"], context["cells"], strict=True):
        if cell.to_dict() != planned:
            raise InputError("the cell has changed since the study was planned; run again", where)
    return cells[0], cells[1]


def numbers_of(cell: Cell, numbers: Sequence[Mapping[str, Any]], which: int) -> list[dict[str, Any]]:
    """Return each number of a cell: ``value``, ``unit`` and ``bound``, or ``failed`` with the reason.

    Parameters
    ----------
    cell
        The cell.
    numbers
        Of `sodiophile.study.ordering.resolve`.
    which
        0 for the first electrode, 1 for the second: each has its own area and settings.
    """
    results: dict[str, Result | str] = {}
    found = []
    for number in numbers:
        experiment = number["of"][which]
        key = repr(experiment)
        if key not in results:
            try:
                results[key] = simulated_result(experiment, cell)
            except SodiophileError as error:
                results[key] = str(error)
        result = results[key]
        if isinstance(result, str):
            found.append({"failed": result})
            continue
        quantity = result.quantities.get(number["quantity"])
        found.append(_plain(quantity, number["quantity"], result))
    return found


def _plain(quantity: Quantity | None, name: str, result: Result) -> dict[str, Any]:
    if quantity is None or not np.isfinite(quantity.value):
        answers = "; ".join(f"{key.replace('_', ' ')}: {verdict.answer}" for key, verdict in result.verdicts.items())
        return {"failed": f"no {name.replace('_', ' ')} ({answers})"}
    return {"value": quantity.value, "unit": quantity.unit, "bound": quantity.bound}
