"""The contract of an experiment: protocol, analysis, virtual instrument, figure; the same four parts every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sodiophile.result import Result
from sodiophile.schema import InUnit, Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Protocol(Model):
    """What the operator set, as far as the analysis must know it. Every experiment has its own, derived from this one."""

    area_cm2: Annotated[float, InUnit("cm^2")] = Field(
        alias="area", gt=0, description="the geometric area of the electrode (a file's header is never trusted for it)"
    )


@dataclass(frozen=True)
class Experiment:
    """One kind of measurement.

    Parameters
    ----------
    kind
        Its name on the command line and in a study: lower case, words joined by ``-``.
    title
        Its name in a report.
    summary
        One sentence: what goes in and what comes out.
    version
        Of the analysis; counted up whenever the same record gives another result.
    protocol
        The model of its protocol.
    analyze
        (records, protocol) -> result. A single test may come as several records, one a file, in order.
    draw
        Draws a result of this kind into axes.
    simulate
        (cell, protocol, seed) -> record: the virtual instrument; the record is marked simulated.
    quantities
        Name -> what it is and in which unit; what a study's ``[[reported]]`` may compare with.
    """

    kind: str
    title: str
    summary: str
    version: int
    protocol: type[Protocol]
    analyze: Callable[[Sequence[Any], Any], Result]
    draw: Callable[[Result, Axes], None]
    simulate: Callable[[Any, Any, int], Any] | None = None
    quantities: dict[str, str] | None = None

    def run(self, records: Sequence[Any], protocol: Protocol) -> Result:
        """Analyze `records` and return a result that can draw itself."""
        return replace(self.analyze(records, protocol), drawer=self.draw)
