"""The virtual impedance analyzer: the spectrum that a symmetric cell would give, with noise, gain error and drift."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sodiophile._version import __version__
from sodiophile.errors import InputError
from sodiophile.experiments.impedance.protocol import ImpedanceProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.cell_impedance import CIRCUIT, symmetric_cell_parameters
from sodiophile.physics.circuits import Circuit
from sodiophile.records.impedance import ImpedanceRecord
from sodiophile.records.provenance import Provenance
from sodiophile.schema import InUnit, Model
from sodiophile.task import canonical_json


class ImpedanceAnalyzer(Model):
    """The virtual instrument, and the two capacitances that the cell's description does not hold."""

    highest_frequency_Hz: Annotated[float, InUnit("Hz")] = Field(
        default=1e6, alias="highest_frequency", gt=0, le=1e9, description="where the sweep begins"
    )
    lowest_frequency_Hz: Annotated[float, InUnit("Hz")] = Field(
        default=0.01, alias="lowest_frequency", gt=0, description="where the sweep ends"
    )
    points_per_decade: int = Field(default=8, ge=2, le=100, description="points in a decade of frequency")
    noise: Annotated[float, InUnit("1")] = Field(
        default=0.003, ge=0, le=0.2, description="standard deviation of either part of a point, share of |Z|"
    )
    gain_error: Annotated[float, InUnit("1")] = Field(
        default=0.0, ge=-0.2, le=0.2, description="common relative error of all points"
    )
    drift: Annotated[float, InUnit("1")] = Field(
        default=0.0, ge=-0.5, le=0.5, description="relative change of the charge-transfer resistance during the sweep"
    )
    inductance_H: Annotated[float, InUnit("H")] = Field(
        default=1e-7, alias="wire_inductance", gt=0, le=1e-3, description="of the wires, in series"
    )
    interphase_capacitance_uF_cm2: Annotated[float, InUnit("uF/cm^2")] = Field(
        default=1.0, alias="interphase_capacitance", gt=0, description="effective, of the interphase of one electrode"
    )
    double_layer_capacitance_uF_cm2: Annotated[float, InUnit("uF/cm^2")] = Field(
        default=20.0, alias="double_layer_capacitance", gt=0, description="effective, of one electrode"
    )
    exponent: float = Field(default=0.9, gt=0.5, le=1, description="alpha of both arcs: 1 for ideal semicircles")

    @model_validator(mode="after")
    def _sweeps(self) -> Self:
        if self.lowest_frequency_Hz * 10 > self.highest_frequency_Hz:
            ends = f"{self.highest_frequency_Hz:g} to {self.lowest_frequency_Hz:g} Hz"
            raise ValueError(f"found a sweep from {ends}, expected a decade at least")
        return self

    def frequencies_Hz(self) -> NDArray[np.float64]:
        """Return the frequencies of a sweep, Hz, falling."""
        decades = float(np.log10(self.highest_frequency_Hz / self.lowest_frequency_Hz))
        count = round(decades * self.points_per_decade) + 1
        return np.geomspace(self.highest_frequency_Hz, self.lowest_frequency_Hz, count)


def simulate(cell: Cell, protocol: ImpedanceProtocol, seed: int, instrument: ImpedanceAnalyzer) -> ImpedanceRecord:
    """Return the spectrum of a symmetric cell.

    Parameters
    ----------
    cell
        The cell.
    protocol
        Area, and the temperature if it is not the cell's own; ``electrodes`` must be 2.
    seed
        Of the noise; the same seed gives the same record.
    instrument
        Frequencies, noise and drift.

    Raises
    ------
    InputError
        If the protocol is not that of a symmetric cell.
    """
    if protocol.electrodes != 2:
        raise InputError("found electrodes = 1, expected 2: the virtual cell is symmetric", "impedance")
    if protocol.temperature_K is not None:
        cell = cell.at(protocol.temperature_K)
    values = symmetric_cell_parameters(
        cell, instrument.interphase_capacitance_uF_cm2, instrument.double_layer_capacitance_uF_cm2, instrument.exponent
    )
    values = {name: value / protocol.area_cm2 if name.endswith((".R", "R0")) else value for name, value in values.items()}
    circuit = Circuit(f"L0-{CIRCUIT.text}")
    values["L0"] = instrument.inductance_H
    inputs: dict[str, Any] = {
        "cell": cell.to_dict(),
        "protocol": {"area_cm2": protocol.area_cm2, "temperature_K": cell.temperature.value},
        "instrument": instrument.model_dump(by_alias=False),
        "seed": seed,
    }
    frequency = instrument.frequencies_Hz()
    Z = measured_ohm(circuit, values, frequency, instrument, np.random.default_rng(seed))
    text = canonical_json(inputs)
    origin = Provenance(
        "virtual impedance", hashlib.sha256(text.encode()).hexdigest(), "virtual", __version__, {"inputs": text}
    )
    table = {"frequency_hertz": frequency, "real_impedance_ohm": Z.real, "imaginary_impedance_ohm": Z.imag}
    metadata = {
        "instrument": "virtual",
        "cell": cell.title,
        "seed": str(seed),
        "assumed": "; ".join(cell.assumptions()),
        "not included": "growth of the interphase during the sweep; roughness and deposits; any nonlinearity",
    }
    return ImpedanceRecord(pl.DataFrame(table), (origin,), cell.temperature.value, metadata, simulated=True)


def measured_ohm(
    circuit: Circuit,
    values: dict[str, float],
    frequency_Hz: NDArray[np.float64],
    instrument: ImpedanceAnalyzer,
    random: np.random.Generator,
) -> NDArray[np.complex128]:
    """Return what the instrument reads of a circuit whose slower arc drifts as the sweep goes on, shape (n,).

    A point takes two periods of its frequency, so that most of the time and of the drift falls on the lowest ones.
    """
    elapsed = np.cumsum(2 / frequency_Hz)
    u = np.tile(circuit.coordinates(values), (len(frequency_Hz), 1))
    u[:, circuit.index("Zarc2.R")] += np.log1p(instrument.drift * elapsed / elapsed[-1])
    log_omega = np.log(2 * np.pi * frequency_Hz)[:, None]
    Z = circuit.evaluate(u, log_omega)[0][:, 0] * (1 + instrument.gain_error)
    noise = random.standard_normal(len(Z)) + 1j * random.standard_normal(len(Z))
    return np.asarray(Z + instrument.noise * np.abs(Z) * noise)
