"""The virtual instrument of exchange current: a sweep of a cell through rest, with its capacitances and its salt."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from sodiophile.errors import InputError, SolverError
from sodiophile.experiments._history import History
from sodiophile.experiments.base import electrons_of_metal
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.dynamics import CellDynamics, Response
from sodiophile.physics.instrument import Instrument, virtual_record
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_MOST_SAMPLES = 20_000_000
_TOLERANCE_V = 1e-5
_STEPS_AT_LEAST = 150
_FEWEST_STEPS = 4
_LEFT_OUT = [
    "growth of the interphase, deposits and dead metal during the sweep",
    "change of conductivity, diffusivity and transference number with concentration",
]


class VirtualInstrument(Instrument, History):
    """The potentiostat and its sweep, and what the cell went through before."""

    sweep_to_V: Annotated[float, InUnit("V")] = Field(
        default=0.3, alias="sweep_to", gt=0, le=5, description="the sweep runs to this voltage of either sign"
    )
    scan_rate_mV_s: Annotated[float, InUnit("mV/s")] = Field(default=0.1, alias="scan_rate", gt=0, description="scan rate")
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=5.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )
    uncompensated_resistance_ohm_cm2: Annotated[float | None, InUnit("ohm cm^2")] = Field(
        default=None,
        alias="uncompensated_resistance",
        ge=0,
        description="in series; that of the electrolyte between two electrodes, none to a reference, if not given",
    )


def simulate(
    cell: Cell, protocol: ExchangeCurrentProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Sweep the voltage of a cell from `sweep_to` on the stripping side to as much on the plating side.

    The sweep begins at the steady state of its first voltage, held until the current has settled.

    Parameters
    ----------
    cell
        The cell; with two electrodes its electrolyte is in series, with one the electrode alone is seen.
    protocol
        What the operator sets.
    seed
        Of the noise.
    instrument
        The potentiostat and its sweep; a good one and 0.1 mV/s between -0.3 and 0.3 V by default.

    Returns
    -------
    CyclingRecord
        Marked simulated.

    Raises
    ------
    InputError
        If the electrons are not those of the metal, or the record would have more than 20 million rows.
    SolverError
        If the salt cannot carry what the voltage asks for, or a step cannot be solved; the line says when and names the
        limiting current density, and the error holds the record up to there.
    """
    from scipy.interpolate import CubicSpline

    instrument = instrument or VirtualInstrument()
    electrons_of_metal(protocol.electrons, cell)
    duration_s = 2e3 * instrument.sweep_to_V / instrument.scan_rate_mV_s
    interval_s = instrument.sampling_interval_s
    if instrument.voltage_interval_V is not None:
        # the voltage moves evenly, and so comes a sample with every such change of it
        every_s = max(1e3 * instrument.voltage_interval_V / instrument.scan_rate_mV_s, instrument.shortest_interval_s)
        interval_s = min(interval_s, every_s)
    count = duration_s / interval_s
    if not 10 <= count <= _MOST_SAMPLES:
        raise InputError(
            f"{count:.3g} samples in a sweep of {duration_s:.4g} s, expected 10 to {_MOST_SAMPLES:.0e}", "sampling_interval"
        )
    time_s = interval_s * np.arange(int(count) + 1)
    u = np.asarray(-instrument.sweep_to_V + 1e-3 * instrument.scan_rate_mV_s * time_s, dtype=np.float64)
    pair = instrument.lived(cell).at(protocol.temperature_K)
    dynamics = CellDynamics(
        pair, electrodes=protocol.electrodes, series_ohm_cm2=instrument.uncompensated_resistance_ohm_cm2
    )
    failure: SolverError | None = None
    try:
        answer = dynamics.run(
            lambda t: -instrument.sweep_to_V + 1e-3 * instrument.scan_rate_mV_s * t,
            duration_s,
            mode="voltage",
            tolerance_V=_TOLERANCE_V,
            longest_step_s=duration_s / _STEPS_AT_LEAST,
            start="steady",
        )
    except SolverError as error:
        if not isinstance(error.so_far, Response) or error.so_far.time_s.size < _FEWEST_STEPS:
            raise
        failure, answer = error, error.so_far
        kept = time_s <= answer.time_s[-1]
        time_s, u = time_s[kept], u[kept]
    density = CubicSpline(answer.time_s, answer.current_density_mA_cm2)(time_s)
    random = np.random.default_rng(seed)
    sign = -1.0 if protocol.plating == "negative current" else 1.0
    inputs = {
        "experiment": "exchange-current",
        "cell": pair.cell.to_dict(),
        "protocol": protocol.model_dump(mode="json"),
        "instrument": instrument.model_dump(mode="json"),
        "seed": seed,
    }
    record = virtual_record(
        "exchange-current",
        inputs,
        {
            "test_time_second": time_s,
            "current_ampere": instrument.read_current(sign * 1e-3 * protocol.area_cm2 * density, random),
            "voltage_volt": instrument.read_voltage(sign * u, random),
        },
        assumptions=pair.cell.assumptions(),
        left_out=_LEFT_OUT,
        notes=() if failure is None else (f"simulated: the sweep ended early: {failure}",),
    )
    if failure is not None:
        raise SolverError(str(failure), record)
    return record
