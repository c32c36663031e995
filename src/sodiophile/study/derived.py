"""The kinds of job that rest on others: how each is called, drawn, planned, and shown in further views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sodiophile.result import Result
from sodiophile.study import calibration, ordering, volts, volts_tasks
from sodiophile.study.calibration import Derivation
from sodiophile.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Derived:
    """One kind of job that rests on others.

    Parameters
    ----------
    kind, title
        Its name in code and in a report.
    plan
        (what it needs, last tasks of the jobs before, the cell, a label) -> its last task.
    draw
        Draws its result into axes.
    views
        Further results that show other sides of the same one: title -> (result -> result that can draw itself).
    quantities
        Name -> what it is; None where the names depend on the study.
    """

    kind: str
    title: str
    plan: Callable[[Derivation, Mapping[tuple[str, str], Task], str | Path, str], Task]
    draw: Callable[[Result, Axes], None]
    views: Mapping[str, Callable[[Result], Result]]
    quantities: dict[str, str] | None = None


def derived(kind: str) -> Derived:
    """Return the kind of that name."""
    from sodiophile.study import calibration_figure, ordering_figure

    return {
        calibration.KIND: Derived(
            calibration.KIND,
            "Calibration and prediction",
            calibration.tasks,
            calibration_figure.draw,
            {
                "posterior": calibration_figure.posterior_view,
                "what decides": calibration_figure.sensitivity_view,
            },
        ),
        volts.KIND: Derived(volts.KIND, "From atoms to volts", volts.tasks, volts_tasks.draw, {}),
        ordering.KIND: Derived(ordering.KIND, "Order of two electrodes", ordering.tasks, ordering_figure.draw, {}),
    }[kind]
