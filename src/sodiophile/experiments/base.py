"""The contract of an experiment: protocol, analysis, virtual instrument, figure; the same four parts every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.result import Result
from sodiophile.schema import InUnit, Model, checked, unit_of_field

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Protocol(Model):
    """What the operator set, as far as the analysis must know it. Every experiment has its own, derived from this one."""

    area_cm2: Annotated[float, InUnit("cm^2")] = Field(
        alias="area",
        gt=0,
        le=1e8,
        description="the geometric area of the electrode (a file's header is never trusted for it)",
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
        (cell, protocol, seed, instrument) -> record: the virtual instrument; the record is marked simulated.
    instrument
        The model of the virtual instrument's own settings: sampling, noise, how long it runs, what fails when.
    quantities
        Name -> what it is and in which unit; what a study's ``[[reported]]`` may compare with.
    record
        What is read of a file that holds a cycling trace and impedance spectra: "trace" or "spectra".
    """

    kind: str
    title: str
    summary: str
    version: int
    protocol: type[Protocol]
    analyze: Callable[[Sequence[Any], Any], Result]
    draw: Callable[[Result, Axes], None]
    simulate: Callable[[Any, Any, int, Any], Any] | None = None
    instrument: type[Model] | None = None
    quantities: dict[str, str] | None = None
    record: Literal["trace", "spectra"] = "trace"

    def run(self, records: Sequence[Any], protocol: Protocol) -> Result:
        """Analyze `records` and return a result that can draw itself."""
        return replace(self.analyze(records, protocol), drawer=self.draw)


def simulated_record(
    experiment: Experiment, cell: Any, protocol: Mapping[str, Any], instrument: Mapping[str, Any], seed: int
) -> Any:
    """Let the virtual instrument of `experiment` make the record of `cell`.

    Parameters
    ----------
    experiment
        The kind of measurement.
    cell
        The `sodiophile.physics.cell.Cell`.
    protocol, instrument
        What the operator sets, as users write it.
    seed
        Of the noise.

    Raises
    ------
    InputError
        If the experiment has no virtual instrument, or a key is missing or wrong.
    """
    if experiment.simulate is None or experiment.instrument is None:
        raise InputError(f"{experiment.kind!r} has no virtual instrument; give files instead")
    return experiment.simulate(
        cell,
        checked(experiment.protocol, protocol, experiment.kind),
        seed,
        checked(experiment.instrument, instrument, f"{experiment.kind} instrument"),
    )


def set_by_operator(model: Model, *names: str) -> tuple[float, ...]:
    """Return fields that may be left out for a measured file, but that a virtual instrument needs.

    Raises
    ------
    InputError
        If one is not set; the line names its key and unit.
    """
    values = []
    for name in names:
        field, value = type(model).model_fields[name], getattr(model, name)
        if value is None:
            unit = unit_of_field(field)
            example = f", such as '1 {unit}'" if unit else ""
            raise InputError(f"missing; a virtual instrument needs what the operator sets{example}", field.alias or name)
        values.append(float(value))
    return tuple(values)


def electrons_of_metal(electrons: int, cell: Any) -> None:
    """Refuse a protocol whose number of electrons is not that of the metal of a virtual cell.

    Raises
    ------
    InputError
        If it is not; an analysis of the record would be off by that factor.
    """
    if electrons != cell.properties.z:
        raise InputError(f"found {electrons}, expected {cell.properties.z} for {cell.metal}", "electrons")
