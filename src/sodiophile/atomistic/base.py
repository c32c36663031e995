"""The contract of a calculation: inputs, the tasks that they ask for, the result, the figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sodiophile.result import Result
from sodiophile.schema import Model
from sodiophile.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Calculation:
    """One kind of atomistic calculation.

    Parameters
    ----------
    kind
        Its name in a study: lower case, words joined by ``-``.
    title
        Its name in a report.
    summary
        One sentence: what goes in and what comes out.
    inputs
        The model of what the user sets.
    plan
        inputs -> the last task, which follows all the others. Its function returns what `Result.save` returned for its
        folder, so that the result can be loaded from there. Planning is quick: no engine is started.
    draw
        Draws a result of this kind into axes.
    quantities
        Name -> what it is and in which unit.
    """

    kind: str
    title: str
    summary: str
    inputs: type[Model]
    plan: Callable[[Any], Task]
    draw: Callable[[Result, Axes], None]
    quantities: dict[str, str] | None = None


def facet_text(miller: Sequence[int]) -> str:
    """Return Miller indices as people write them: ``(001)``, ``(1-10)``."""
    return "(" + "".join(str(i) if i >= 0 else f"-{-i}" for i in miller) + ")"
