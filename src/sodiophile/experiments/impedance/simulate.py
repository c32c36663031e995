"""The virtual impedance analyzer: the spectrum of a symmetric or full cell, pristine or cycled, with noise and drift."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sodiophile._version import __version__
from sodiophile.errors import InputError
from sodiophile.experiments._history import History
from sodiophile.experiments.base import electrons_of_metal
from sodiophile.experiments.impedance.protocol import ImpedanceProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.cell_impedance import impedance_ohm_cm2
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.records.impedance import ImpedanceRecord
from sodiophile.records.provenance import Provenance
from sodiophile.schema import InUnit
from sodiophile.task import canonical_json

OF_THE_FULL_CELL = ("cathode", "upper_voltage_V", "lower_voltage_V")
"""Settings that a symmetric cell does not have."""


class ImpedanceAnalyzer(History):
    """The virtual instrument, and what the cell went through before."""

    highest_frequency_Hz: Annotated[float, InUnit("Hz")] = Field(
        default=1e6, alias="highest_frequency", gt=0, le=1e9, description="where the sweep begins"
    )
    lowest_frequency_Hz: Annotated[float, InUnit("Hz")] = Field(
        default=0.01, alias="lowest_frequency", ge=1e-9, description="where the sweep ends"
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
    interphase_capacitance_uF_cm2: Annotated[float | None, InUnit("uF/cm^2")] = Field(
        default=None,
        alias="interphase_capacitance",
        gt=0,
        description="effective, of the pristine interphase of one electrode, in place of that of the cell",
    )
    double_layer_capacitance_uF_cm2: Annotated[float | None, InUnit("uF/cm^2")] = Field(
        default=None,
        alias="double_layer_capacitance",
        gt=0,
        description="effective, per real area of one electrode, in place of that of the cell",
    )
    exponent: float = Field(default=0.9, gt=0.5, le=1, description="alpha of both arcs: 1 for ideal semicircles")
    cathode: str | None = Field(
        default=None,
        description="full cell (electrodes = 1): an insertion electrode that ships, by name; that of the cell's file if "
        "not given, or nvp",
    )
    upper_voltage_V: Annotated[float, InUnit("V")] = Field(
        default=3.8, alias="upper_voltage", description="full cell: the voltage that ends a charge"
    )
    lower_voltage_V: Annotated[float, InUnit("V")] = Field(
        default=2.5, alias="lower_voltage", description="full cell: the voltage that ends a discharge"
    )

    @model_validator(mode="after")
    def _sweeps(self) -> Self:
        if self.lowest_frequency_Hz * 10 > self.highest_frequency_Hz:
            ends = f"{self.highest_frequency_Hz:g} to {self.lowest_frequency_Hz:g} Hz"
            raise ValueError(f"found a sweep from {ends}, expected a decade at least")
        return self

    def refuse_set(self, names: Sequence[str], expected: str) -> None:
        """Refuse settings that this cell does not have.

        Raises
        ------
        InputError
            If one of these fields is not at its default; the line names it and says `expected`.
        """
        for name in names:
            field = type(self).model_fields[name]
            if getattr(self, name) != field.default:
                raise InputError(f"found one, {expected}", field.alias or name)

    def frequencies_Hz(self) -> NDArray[np.float64]:
        """Return the frequencies of a sweep, Hz, falling."""
        decades = float(np.log10(self.highest_frequency_Hz / self.lowest_frequency_Hz))
        count = round(decades * self.points_per_decade) + 1
        return np.geomspace(self.highest_frequency_Hz, self.lowest_frequency_Hz, count)


def simulate(cell: Cell, protocol: ImpedanceProtocol, seed: int, instrument: ImpedanceAnalyzer) -> ImpedanceRecord:
    """Return the spectrum of a symmetric cell, or, with one electrode, of a full cell with the metal as its anode.

    Parameters
    ----------
    cell
        The cell.
    protocol
        Area, electrodes, and the temperature if it is not the cell's own.
    seed
        Of the noise; the same seed gives the same record.
    instrument
        Frequencies, noise and drift; what the cell went through before.

    Raises
    ------
    InputError
        If salt or metal is used up before the measurement, the electrons are not those of the metal, or something is set
        that this cell has not.
    """
    if protocol.electrodes == 1:
        from sodiophile.experiments.impedance.full_cell import spectrum_of_full_cell

        return spectrum_of_full_cell(cell, protocol, seed, instrument)
    electrons_of_metal(protocol.electrons, cell)
    instrument.refuse_set(
        OF_THE_FULL_CELL, "expected none with electrodes = 2: a symmetric cell has no insertion electrode"
    )
    return of_state(instrument.lived(cell), protocol, seed, instrument)


def of_state(pair: SymmetricCell, protocol: ImpedanceProtocol, seed: int, instrument: ImpedanceAnalyzer) -> ImpedanceRecord:
    """Return the spectrum of a symmetric cell in its present state; as `simulate`, but for what it went through."""
    if protocol.temperature_K is not None:
        pair = pair.at(protocol.temperature_K)

    def of_cell(frequency_Hz: NDArray[np.float64], kinetics: NDArray[np.float64]) -> NDArray[np.complex128]:
        return impedance_ohm_cm2(
            pair,
            frequency_Hz,
            exponent=instrument.exponent,
            kinetics=kinetics,
            interphase_capacitance_uF_cm2=instrument.interphase_capacitance_uF_cm2,
            double_layer_capacitance_uF_cm2=instrument.double_layer_capacitance_uF_cm2,
        )

    return record_of(pair.cell, protocol, seed, instrument, of_cell)


def record_of(
    cell: Cell,
    protocol: ImpedanceProtocol,
    seed: int,
    instrument: ImpedanceAnalyzer,
    of_cell: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.complex128]],
    *notes: str,
) -> ImpedanceRecord:
    """Return what the analyzer reads of a cell, marked simulated.

    Parameters
    ----------
    cell, protocol, seed, instrument
        What decided it.
    of_cell
        (frequencies, factors on the charge-transfer resistance) -> the impedance of the cell, ohm cm2.
    *notes
        What the reader must know.
    """

    def impedance_ohm(frequency_Hz: NDArray[np.float64], kinetics: NDArray[np.float64]) -> NDArray[np.complex128]:
        wires = 2j * np.pi * frequency_Hz * instrument.inductance_H
        return np.asarray(of_cell(frequency_Hz, kinetics) / protocol.area_cm2 + wires)

    inputs: dict[str, Any] = {
        "cell": cell.to_dict(),
        "protocol": {
            "area_cm2": protocol.area_cm2,
            "temperature_K": cell.temperature.value,
            "electrodes": protocol.electrodes,
        },
        "instrument": instrument.model_dump(by_alias=False),
        "seed": seed,
    }
    frequency = instrument.frequencies_Hz()
    Z = measured_ohm(impedance_ohm, frequency, instrument, np.random.default_rng(seed))
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
        "not included": "growth of the interphase during the sweep; any nonlinearity",
    }
    return ImpedanceRecord(pl.DataFrame(table), (origin,), cell.temperature.value, metadata, notes, simulated=True)


def measured_ohm(
    impedance_ohm: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.complex128]],
    frequency_Hz: NDArray[np.float64],
    instrument: ImpedanceAnalyzer,
    random: np.random.Generator,
) -> NDArray[np.complex128]:
    """Return what the instrument reads of a cell whose charge transfer drifts as the sweep goes on, shape (n,).

    A point takes two periods of its frequency, so that most of the time and of the drift falls on the lowest ones.

    Parameters
    ----------
    impedance_ohm
        (frequencies, factors on the charge-transfer resistance) -> the impedance at each.
    frequency_Hz
        Shape (n,).
    instrument
        Noise, gain error, drift.
    random
        Of the noise.
    """
    elapsed = np.cumsum(2 / frequency_Hz)
    Z = impedance_ohm(frequency_Hz, 1.0 + instrument.drift * elapsed / elapsed[-1]) * (1 + instrument.gain_error)
    noise = random.standard_normal(len(Z)) + 1j * random.standard_normal(len(Z))
    return np.asarray(Z + instrument.noise * np.abs(Z) * noise)
