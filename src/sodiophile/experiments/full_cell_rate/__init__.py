"""Rate test of a full cell or half cell: capacity, efficiency and polarization at each rate, and what comes back."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.full_cell_rate.analysis import KIND, VERSION, analyze
from sodiophile.experiments.full_cell_rate.figure import draw
from sodiophile.experiments.full_cell_rate.protocol import FullCellRateProtocol
from sodiophile.experiments.full_cell_rate.simulate import VirtualInstrument, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Full cell: rate performance",
    summary=(
        "Charge and discharge at one current after another give capacity per gram, efficiency and polarization at each "
        "rate, what comes back at the first rate, and sudden steps of the voltage."
    ),
    version=VERSION,
    protocol=FullCellRateProtocol,
    analyze=analyze,
    draw=draw,
    simulate=simulate,
    instrument=VirtualInstrument,
    quantities={
        "capacity": "capacity per gram at a rate, as in 'capacity: 5C' (mAh/g)",
        "coulombic_efficiency": "of the cycles at a rate (1)",
        "energy_efficiency": "discharged over charged energy at a rate (1)",
        "polarization_mean": "mean charge voltage minus mean discharge voltage at a rate (mV)",
        "polarization_middle": "the same at half of each capacity (mV)",
        "current_density": "current per geometric area at a rate, where the area is given (mA/cm^2)",
        "rates": "number of rates (1)",
        "rate_capability": "capacity at the fastest rate over that at the slowest (1)",
        "capacity_recovered": "capacity back at the first rate over that at the beginning (1)",
        "voltage_step": "sudden step within a curve that is not the insertion electrode's own (mV)",
        "voltage_step_position": "capacity at that step (mAh/g)",
        "voltage_step_half_cycles": "number of half cycles with such a step (1)",
    },
)

__all__ = ["EXPERIMENT", "FullCellRateProtocol"]
