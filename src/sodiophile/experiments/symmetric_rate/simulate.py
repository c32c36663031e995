"""The virtual instrument of a symmetric rate test: one cell, one current density after the other."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.experiments.base import set_by_operator
from sodiophile.experiments.symmetric_rate.protocol import SymmetricRateProtocol, rates_of
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import Instrument, sample_times_s, until_limit, virtual_record
from sodiophile.physics.symmetric import LEFT_OUT, SymmetricCell, ended_by
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_MOST_SAMPLES = 20_000_000


class VirtualInstrument(Instrument):
    """The cycler and its programme."""

    capacity_mAh_cm2: Annotated[float | None, InUnit("mAh/cm^2")] = Field(
        default=None, alias="capacity", gt=0, description="the areal capacity of a half cycle"
    )
    cycles_per_rate: int = Field(default=5, ge=1, le=1000, description="cycles at each current density")
    rest_s: Annotated[float, InUnit("s")] = Field(
        default=0.0, alias="rest", ge=0, description="the rest after each half cycle"
    )
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=10.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )
    compliance_V: Annotated[float, InUnit("V")] = Field(
        default=5.0, alias="compliance", gt=0, description="the highest voltage of the cycler; it ends a half cycle"
    )


def simulate(
    cell: Cell, protocol: SymmetricRateProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Cycle a symmetric cell of two pristine electrodes at one current density after the other.

    Parameters
    ----------
    cell
        The cell.
    protocol
        What the operator sets; current densities must be given.
    seed
        Of the noise.
    instrument
        The cycler and its programme; the capacity of a half cycle must be given.

    Returns
    -------
    CyclingRecord
        Marked simulated.

    Raises
    ------
    InputError
        If current densities or capacity are missing, or the record would have more than 20 million rows.

    Notes
    -----
    A half cycle that uses up salt or metal ends at the compliance of the cycler; a note of the record for each
    current density at which one does says so and why.
    """
    instrument = instrument or VirtualInstrument()
    if protocol.current_densities is None:
        raise InputError("missing; a virtual instrument needs it, such as '0.5, 1, 2, 0.5 mA/cm^2'", "current_densities")
    (capacity,) = set_by_operator(instrument, "capacity_mAh_cm2")
    rates = rates_of(protocol.current_densities)
    hours = 2 * instrument.cycles_per_rate * sum(capacity / j + instrument.rest_s / 3600.0 for j in rates)
    if hours * 3600 / instrument.sampling_interval_s > _MOST_SAMPLES:
        raise InputError(f"more than {_MOST_SAMPLES:.0e} samples in {hours:.4g} h; sample less often", "sampling_interval")
    pair = SymmetricCell(cell)
    clock_s = 0.0
    ended: dict[float, str] = {}
    columns: list[tuple[NDArray[np.float64], ...]] = [(np.zeros(1),) * 4]
    for j in rates:
        for half in range(2 * instrument.cycles_per_rate):
            plating = half % 2 == 0
            step = pair.step(j, plating=plating)
            duration_s = capacity / j * 3600.0
            due_s = sample_times_s(duration_s, instrument.sampling_interval_s)
            times_s, voltage_V = until_limit(step.voltage_V, due_s, instrument.compliance_V, instrument.shortest_interval_s)
            if times_s[-1] < duration_s:
                which = f"half cycle {half + 1}, the first to do so, at {j:g} mA/cm^2"
                ended.setdefault(j, ended_by(step, duration_s, which, instrument.compliance_V))
                duration_s = float(times_s[-1])
            columns.append((clock_s + times_s, np.full(times_s.size, -j if plating else j), voltage_V, times_s))
            clock_s += duration_s
            step.finish(duration_s)
            if instrument.rest_s > 0:
                rest = pair.step(0.0, plating=plating)
                times_s = sample_times_s(instrument.rest_s, instrument.sampling_interval_s)
                columns.append((clock_s + times_s, np.zeros(times_s.size), rest.voltage_V(times_s), times_s))
                clock_s += instrument.rest_s
                rest.finish(instrument.rest_s)
    time_s, current, voltage_V, step_s = (np.concatenate(column) for column in zip(*columns, strict=True))
    random = np.random.default_rng(seed)
    sign = -1.0 if protocol.plating == "negative current" else 1.0
    inputs = {
        "experiment": "symmetric-rate",
        "cell": cell.to_dict(),
        "protocol": protocol.model_dump(mode="json"),
        "instrument": instrument.model_dump(mode="json"),
        "seed": seed,
    }
    return virtual_record(
        "symmetric-rate",
        inputs,
        {
            "test_time_second": time_s,
            "current_ampere": instrument.read_current(-sign * 1e-3 * protocol.area_cm2 * current, random),
            "voltage_volt": instrument.read_voltage(-sign * voltage_V, random),
            "step_time_second": step_s,
        },
        assumptions=cell.assumptions(),
        left_out=LEFT_OUT,
        notes=tuple(ended.values()),
    )
