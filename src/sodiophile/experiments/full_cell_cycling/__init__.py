"""Cycle life of a full cell or half cell: retention, fade, efficiency, polarization, and cycles to the end of life."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.full_cell_cycling.analysis import KIND, VERSION, analyze
from sodiophile.experiments.full_cell_cycling.figure import draw
from sodiophile.experiments.full_cell_cycling.protocol import FullCellCyclingProtocol
from sodiophile.experiments.full_cell_cycling.simulate import VirtualInstrument, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Full cell: cycle life",
    summary=(
        "Many cycles at one current give retention against a stated reference cycle, fade per cycle with its interval, "
        "Coulombic and energy efficiency, polarization, and the cycles to the end of life."
    ),
    version=VERSION,
    protocol=FullCellCyclingProtocol,
    analyze=analyze,
    draw=draw,
    simulate=simulate,
    instrument=VirtualInstrument,
    quantities={
        "capacity_initial": "capacity per gram of the reference cycle (mAh/g)",
        "capacity_final": "capacity per gram of the last complete cycle (mAh/g)",
        "areal_capacity_initial": "capacity per geometric area of the reference cycle, where the area is given (mAh/cm^2)",
        "retention": "capacity of the last complete cycle over that of the reference cycle (1)",
        "cycles": "complete cycles after formation at the main current (1)",
        "formation_cycles": "formation cycles at the beginning (1)",
        "fade_per_cycle": "part of the reference capacity lost each cycle (1)",
        "cycles_to_end_of_life": "cycles until end_of_life of the reference capacity, 80 % by default (1)",
        "coulombic_efficiency": "discharge over charge, mean (1); charge over discharge for an anode against metal",
        "coulombic_efficiency_first": "the same of the first cycle (1)",
        "energy_efficiency": "discharged over charged energy, mean (1)",
        "constant_voltage_share": "part of the charge that passed at constant voltage (1)",
        "polarization_mean": "mean charge voltage minus mean discharge voltage (mV)",
        "polarization_mean_final": "the same of the last cycle (mV)",
        "polarization_middle": "charge minus discharge voltage, each at half of its capacity (mV)",
        "polarization_middle_final": "the same of the last cycle (mV)",
        "voltage_step": "sudden step within a curve that is not the insertion electrode's own (mV)",
        "voltage_step_position": "capacity at that step (mAh/g)",
        "voltage_step_half_cycles": "number of half cycles with such a step (1)",
    },
)

__all__ = ["EXPERIMENT", "FullCellCyclingProtocol"]
