"""The virtual temperature series: the spectra that a symmetric cell would give at each temperature of the protocol."""

from __future__ import annotations

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments.activation_energy.protocol import ActivationEnergyProtocol, listed_K
from sodiophile.experiments.base import electrons_of_metal
from sodiophile.experiments.impedance.protocol import ImpedanceProtocol
from sodiophile.experiments.impedance.simulate import OF_THE_FULL_CELL, ImpedanceAnalyzer, of_state
from sodiophile.physics.cell import Cell
from sodiophile.records.impedance import ImpedanceRecord
from sodiophile.records.provenance import Provenance


def simulate(cell: Cell, protocol: ActivationEnergyProtocol, seed: int, instrument: ImpedanceAnalyzer) -> ImpedanceRecord:
    """Return the spectra of a symmetric cell at the temperatures of the protocol, each in error by its uncertainty.

    Parameters
    ----------
    cell, seed, instrument
        As for the impedance of one cell.
    protocol
        With ``temperatures``.

    Raises
    ------
    InputError
        If the protocol lists no temperatures, is not that of a symmetric cell, or its electrons are not those of the metal.
    """
    if protocol.electrodes != 2:
        raise InputError("found electrodes = 1, expected 2: the virtual cell is symmetric", "activation-energy")
    if protocol.temperatures is None:
        raise InputError("no temperatures, expected temperatures = '0, 10, 20, 30 degC' or the like", "activation-energy")
    electrons_of_metal(protocol.electrons, cell)
    instrument.refuse_set(OF_THE_FULL_CELL, "expected none: the virtual cell is symmetric")
    stated = listed_K(protocol.temperatures)
    random = np.random.default_rng(seed)
    pair = instrument.lived(cell)
    records = []
    for kelvin in stated:
        true_K = kelvin + protocol.temperature_error_K * float(random.standard_normal())
        one = ImpedanceProtocol.model_validate(
            {"area": f"{protocol.area_cm2!r} cm^2", "electrodes": protocol.electrodes, "temperature": f"{true_K!r} K"}
        )
        records.append(of_state(pair, one, int(random.integers(2**31)), instrument))
    table = pl.concat(
        [record.data.with_columns(pl.lit(k, pl.Int64).alias("spectrum")) for k, record in enumerate(records, start=1)]
    )
    first = records[0].provenance[0]
    options = {"inputs": first.options["inputs"], "temperatures": protocol.temperatures, "seed": seed}
    origin = Provenance("virtual activation-energy", first.sha256, "virtual", first.reader_version, options)
    return ImpedanceRecord(table, (origin,), tuple(stated), records[0].metadata, simulated=True)
