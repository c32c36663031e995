"""What an instrument does to a voltage: it samples, adds noise, and rounds to its last digit; and the record it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from sodiophile._version import __version__
from sodiophile.errors import InputError
from sodiophile.records import CyclingRecord, Provenance
from sodiophile.schema import InUnit, Model
from sodiophile.task import canonical_json


class Instrument(Model):
    """A cycler, as far as it shows in a record; every experiment's virtual instrument adds its own to it."""

    voltage_noise_V: Annotated[float, InUnit("V")] = Field(
        default=5e-5, alias="voltage_noise", ge=0, le=1, description="standard deviation of the noise of one voltage sample"
    )
    voltage_resolution_V: Annotated[float, InUnit("V")] = Field(
        default=1e-4, alias="voltage_resolution", ge=0, le=1, description="step of the voltage's last digit; 0 for none"
    )
    voltage_interval_V: Annotated[float | None, InUnit("V")] = Field(
        default=None,
        alias="voltage_interval",
        gt=0,
        description="a change of the voltage after which a sample is taken before its time; none if not given",
    )
    shortest_interval_s: Annotated[float, InUnit("s")] = Field(
        default=0.01, alias="shortest_interval", gt=0, description="two samples are never closer than this"
    )
    current_noise: float = Field(
        default=1e-4, ge=0, le=0.1, description="standard deviation of the noise of one current sample, part of the current"
    )
    current_resolution_A: Annotated[float, InUnit("A")] = Field(
        default=1e-7, alias="current_resolution", ge=0, description="step of the current's last digit; 0 for none"
    )

    def read_voltage(self, voltage_V: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        """Return what the instrument reads, V, shape (n,)."""
        noisy = voltage_V + self.voltage_noise_V * random.standard_normal(voltage_V.size)
        return rounded(noisy, self.voltage_resolution_V)

    def read_current(self, current_A: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        """Return what the instrument reads, A, shape (n,); at rest no more than its last digit is left.

        Raises
        ------
        InputError
            If its last digit is so coarse that no current would be left at all.
        """
        largest = float(np.max(np.abs(current_A), initial=0.0))
        if 0 < largest < 0.5 * self.current_resolution_A:
            raise InputError(
                f"found {self.current_resolution_A:g} A, above twice the largest current, {largest:.3g} A: every sample "
                "would read 0",
                "current_resolution",
            )
        noisy = current_A * (1.0 + self.current_noise * random.standard_normal(current_A.size))
        return rounded(noisy, self.current_resolution_A)


def rounded(values: NDArray[np.float64], resolution: float) -> NDArray[np.float64]:
    """Round to a multiple of `resolution`; leave as it is where that is 0."""
    return np.round(values / resolution) * resolution if resolution > 0 else values


def sample_times_s(duration_s: float, interval_s: float) -> NDArray[np.float64]:
    """Return the times at which a step is sampled: every interval after its beginning, and at its end; s, shape (n,)."""
    count = int(np.ceil(duration_s / interval_s * (1.0 - 1e-12)))
    return np.append(interval_s * np.arange(1, count), duration_s)


def sample_times_by_voltage_s(
    times_s: NDArray[np.float64],
    voltage_V: NDArray[np.float64],
    interval_s: float,
    voltage_interval_V: float,
    shortest_interval_s: float,
) -> NDArray[np.float64]:
    """Return the times at which a step is sampled if a change of the voltage triggers a sample too.

    Parameters
    ----------
    times_s
        Times since the beginning of the step at which the voltage is known, the first one 0, s, shape (n,).
    voltage_V
        The voltage without noise at these times, V, shape (n,).
    interval_s
        The longest time between two samples, s.
    voltage_interval_V
        The change that triggers a sample, V.
    shortest_interval_s
        The shortest time between two samples, s.

    Returns
    -------
    ndarray
        s, increasing; the end of the step is the last one.
    """
    found: list[float] = []
    last_s, last_V, end_s = 0.0, float(voltage_V[0]), float(times_s[-1])
    while last_s < end_s:
        due_s = min(last_s + interval_s, end_s)
        first = int(np.searchsorted(times_s, last_s + shortest_interval_s))
        stop = int(np.searchsorted(times_s, due_s))
        moved = np.abs(voltage_V[first:stop] - last_V) >= voltage_interval_V
        at = int(moved.argmax()) if moved.size else 0
        last_s = float(times_s[first + at]) if moved.size and moved[at] else due_s
        last_V = float(np.interp(last_s, times_s, voltage_V))
        found.append(last_s)
    return np.array(found)


def until_limit(
    voltage_V: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    times_s: NDArray[np.float64],
    limit_V: float,
    precision_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and voltages of the samples of a step that ends when its voltage reaches a limit of either sign.

    Parameters
    ----------
    voltage_V
        The voltage at times since the beginning of the step, V, shape (n,) for shape (n,).
    times_s
        When samples are due, s, above 0, shape (n,).
    limit_V
        The limit, V, above 0.
    precision_s
        A cycler watches the voltage between samples: the moment of the limit is found to this, and not before it, s.

    Returns
    -------
    times_s, voltage_V : ndarray
        Shape (m,), m at most n; where the limit is reached, the last sample is that moment and the limit.
    """
    found_V = voltage_V(times_s)
    beyond = np.abs(found_V) >= limit_V
    if not beyond.any():
        return times_s, found_V
    at = int(beyond.argmax())
    low_s, high_s = float(times_s[at - 1]) if at else 0.0, float(times_s[at])
    while high_s - low_s > precision_s:
        middle_s = 0.5 * (low_s + high_s)
        if abs(float(voltage_V(np.array([middle_s]))[0])) >= limit_V:
            high_s = middle_s
        else:
            low_s = middle_s
    high_s = max(high_s, precision_s)
    return np.append(times_s[:at], high_s), np.append(found_V[:at], np.copysign(limit_V, found_V[at]))


def virtual_record(
    kind: str,
    inputs: Mapping[str, Any],
    data: Mapping[str, NDArray[Any]],
    *,
    assumptions: list[str],
    left_out: list[str],
    notes: tuple[str, ...] = (),
) -> CyclingRecord:
    """Return the record of a virtual instrument.

    Parameters
    ----------
    kind
        The experiment.
    inputs
        Everything that decides the record, JSON-ready; its SHA-256 is the provenance of the record.
    data
        Columns, each of shape (n,).
    assumptions
        The assumed parameters, one sentence each.
    left_out
        The physics that the model does not have, one sentence each.
    notes
        What the reader must know of this run.
    """
    text = canonical_json(inputs)
    origin = Provenance(
        source=f"virtual {kind}",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        reader="virtual",
        reader_version=__version__,
        options={"inputs": text},
    )
    metadata = {
        "instrument": "virtual",
        "cell": str(inputs["cell"]["title"]),
        "seed": str(inputs["seed"]),
        "assumed": "; ".join(assumptions),
        "not included": "; ".join(left_out),
    }
    return CyclingRecord(pl.DataFrame(dict(data)), (origin,), metadata, notes, simulated=True)
