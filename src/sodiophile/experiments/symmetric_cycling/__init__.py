"""Galvanostatic cycling of a symmetric cell: polarization, hysteresis, and lifespan as a verdict with evidence."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.symmetric_cycling.analysis import KIND, VERSION, analyze
from sodiophile.experiments.symmetric_cycling.figure import draw
from sodiophile.experiments.symmetric_cycling.protocol import SymmetricCyclingProtocol
from sodiophile.experiments.symmetric_cycling.simulate import VirtualInstrument, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Symmetric cell cycling",
    summary=(
        "A trace of plating and stripping between two electrodes of one metal gives polarization, hysteresis "
        "and the lifespan, "
        "with a verdict on how it ended."
    ),
    version=VERSION,
    protocol=SymmetricCyclingProtocol,
    analyze=analyze,
    draw=draw,
    simulate=simulate,
    instrument=VirtualInstrument,
    quantities={
        "polarization_mean": "(|V_plate| + |V_strip|)/2 of the charge-weighted mean voltages, median over the window (mV)",
        "polarization_middle": "(|V_plate| + |V_strip|)/2 at half of the charge, median over the window (mV)",
        "polarization_end": "(|V_plate| + |V_strip|)/2 at the end of the half cycles, median over the window (mV)",
        "polarization_peak": "(|V_plate| + |V_strip|)/2 of the highest samples, median over the window (mV)",
        "hysteresis": "|V_plate| + |V_strip| of the charge-weighted mean voltages, median over the window (mV)",
        "voltage_offset": "(V_plate + V_strip)/2 of the charge-weighted mean voltages, median over the window (mV)",
        "polarization_initial": "polarization_mean of the first cycles (mV)",
        "polarization_half_life": "polarization_mean at half of the healthy life (mV)",
        "polarization_final": "polarization_mean of the last healthy cycles (mV)",
        "apparent_resistance": "voltage over current times area, both electrodes and the electrolyte (ohm cm^2)",
        "lifespan": "time from the first current to the onset of failure; a lower bound if there was none (h)",
        "lifespan_cycles": "complete cycles before the onset of failure (1)",
        "lifespan_plated_capacity": "areal charge plated before the onset of failure (mAh/cm^2)",
        "soft_short_onset": "time from the first current to the first suspected soft short, where there is one (h)",
        "current_density": "median current of a half cycle per geometric area (mA/cm^2)",
        "capacity": "charge plated in a half cycle per geometric area (mAh/cm^2)",
        "sampling_interval": "mean time between two samples (s)",
    },
)

__all__ = ["EXPERIMENT", "SymmetricCyclingProtocol"]
