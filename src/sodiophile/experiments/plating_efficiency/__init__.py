"""Coulombic efficiency of plating and stripping on a foreign substrate, by cycle or by the reservoir protocol."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.plating_efficiency.analysis import KIND, VERSION, analyze
from sodiophile.experiments.plating_efficiency.figure import draw
from sodiophile.experiments.plating_efficiency.protocol import PlatingEfficiencyProtocol
from sodiophile.experiments.plating_efficiency.simulate import VirtualInstrument, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Coulombic efficiency of plating",
    summary="Plating on a foreign substrate and stripping to a cut-off give the Coulombic efficiency with its uncertainty.",
    version=VERSION,
    protocol=PlatingEfficiencyProtocol,
    analyze=analyze,
    draw=draw,
    simulate=simulate,
    instrument=VirtualInstrument,
    quantities={
        "coulombic_efficiency": "stripped over plated charge, mean over a stated window of cycles (percent)",
        "coulombic_efficiency_first": "stripped over plated charge of the first complete cycle (percent)",
        "coulombic_efficiency_reservoir": "(n Q_C + Q_S)/(n Q_C + Q_T): all stripped over all plated charge (percent)",
        "irreversible_capacity": "plated less stripped charge per area in the cycle that is shown (mAh/cm^2)",
        "reservoir_capacity": "Q_T, plated first in the reservoir protocol (mAh/cm^2)",
        "cycled_capacity": "Q_C, mean of the charges of the cycles inside the reservoir protocol (mAh/cm^2)",
        "final_capacity": "Q_S, stripped to the cut-off at the end of the reservoir protocol (mAh/cm^2)",
        "reservoir_cycles": "n, cycles inside the reservoir protocol (1)",
        "cut_off": "the voltage at which stripping ends (V)",
        "plating_overpotential": "|V| of plating, median between 25 and 75 % of the charge, in the cycle shown (mV)",
        "stripping_overpotential": "|V| of stripping, median between 25 and 75 % of the charge, in that cycle (mV)",
        "hysteresis": "V_strip - V_plate, medians between 25 and 75 % of the charges, in that cycle (mV)",
        "current_density": "median current per geometric area (mA/cm^2)",
        "capacity": "median charge plated in a cycle per geometric area (mAh/cm^2)",
    },
)

__all__ = ["EXPERIMENT", "PlatingEfficiencyProtocol"]
