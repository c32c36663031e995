"""The virtual instrument of exchange current: a slow sweep of a pristine cell through rest, at steady state."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import Instrument, virtual_record
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_MOST_SAMPLES = 20_000_000
_GRID_POINTS = 4000
_LEFT_OUT = [
    "concentration polarization (the sweep sees kinetics and resistances alone)",
    "charging of double layer and interphase (the sweep counts as slow)",
    "growth of the interphase and of deposits during the sweep",
]


class VirtualInstrument(Instrument):
    """The potentiostat and its sweep."""

    sweep_to_V: Annotated[float, InUnit("V")] = Field(
        default=0.3, alias="sweep_to", gt=0, le=5, description="the sweep runs to this voltage of either sign"
    )
    scan_rate_mV_s: Annotated[float, InUnit("mV/s")] = Field(default=0.1, alias="scan_rate", gt=0, description="scan rate")
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=5.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )


def simulate(
    cell: Cell, protocol: ExchangeCurrentProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Sweep the voltage of a pristine cell from `sweep_to` on the stripping side to as much on the plating side.

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
    """
    instrument = instrument or VirtualInstrument()
    if protocol.electrons != cell.properties.z:
        raise InputError(f"found {protocol.electrons}, expected {cell.properties.z} for {cell.metal}", "electrons")
    cell = cell.at(protocol.temperature_K)
    duration_s = 2e3 * instrument.sweep_to_V / instrument.scan_rate_mV_s
    count = duration_s / instrument.sampling_interval_s
    if not 10 <= count <= _MOST_SAMPLES:
        raise InputError(
            f"{count:.3g} samples in a sweep of {duration_s:.4g} s, expected 10 to {_MOST_SAMPLES:.0e}", "sampling_interval"
        )
    time_s = instrument.sampling_interval_s * np.arange(int(count) + 1)
    u = np.asarray(-instrument.sweep_to_V + 1e-3 * instrument.scan_rate_mV_s * time_s, dtype=np.float64)
    grid, voltage = _curve(cell, protocol.electrodes, instrument.sweep_to_V)
    density = np.interp(u, voltage, grid)
    random = np.random.default_rng(seed)
    sign = -1.0 if protocol.plating == "negative current" else 1.0
    inputs = {
        "experiment": "exchange-current",
        "cell": cell.to_dict(),
        "protocol": protocol.model_dump(mode="json"),
        "instrument": instrument.model_dump(mode="json"),
        "seed": seed,
    }
    return virtual_record(
        "exchange-current",
        inputs,
        {
            "test_time_second": time_s,
            "current_ampere": instrument.read_current(sign * 1e-3 * protocol.area_cm2 * density, random),
            "voltage_volt": instrument.read_voltage(sign * u, random),
        },
        assumptions=cell.assumptions(),
        left_out=_LEFT_OUT,
    )


def _curve(cell: Cell, electrodes: int, to_V: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return current densities and the voltages that drive them, both rising, plating positive."""
    pair = SymmetricCell(cell)
    interphase = pair.working.resistance_ohm_cm2 / cell.factor(cell.electrode.interphase_activation_energy)
    most = 1e-6

    def driven(j: NDArray[np.float64], *, plating: bool) -> NDArray[np.float64]:
        one, _ = pair.surface.shared(j, 0.0, interphase, 1.0, plating=plating)
        if electrodes == 1:
            return one
        other, _ = pair.surface.shared(j, 0.0, interphase, 1.0, plating=not plating)
        return np.asarray(one + other + 1e-3 * pair.electrolyte_resistance_ohm_cm2 * j)

    while min(float(driven(np.array([most]), plating=side)[0]) for side in (True, False)) < 1.05 * to_V:
        most *= 2.0
    j = np.geomspace(1e-9 * most, most, _GRID_POINTS)
    stripping, plating = driven(j, plating=False), driven(j, plating=True)
    return np.concatenate([-j[::-1], [0.0], j]), np.concatenate([-stripping[::-1], [0.0], plating])
