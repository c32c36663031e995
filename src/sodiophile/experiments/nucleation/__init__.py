"""Nucleation overpotential: tip and plateau of the first galvanostatic plating on a substrate."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.nucleation.analysis import KIND, VERSION, analyze
from sodiophile.experiments.nucleation.figure import draw
from sodiophile.experiments.nucleation.protocol import NucleationProtocol
from sodiophile.experiments.nucleation.simulate import VirtualInstrument, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Nucleation overpotential",
    summary="The first plating of a metal on a substrate gives the nucleation overpotential by both common definitions.",
    version=VERSION,
    protocol=NucleationProtocol,
    analyze=analyze,
    draw=draw,
    simulate=simulate,
    instrument=VirtualInstrument,
    quantities={
        "nucleation_overpotential": "tip minus plateau: |V_tip| - |V_plateau| (mV)",
        "tip_overpotential": "tip alone: |V_tip| against 0 V (mV)",
        "plateau_overpotential": "|V_plateau| against 0 V, median over a window of capacity (mV)",
        "plateau_slope": "slope of the overpotential in the plateau window (mV cm^2/mAh)",
        "plateau_against_rest": "plateau against the voltage at rest just before plating, positive while plating (mV)",
        "resting_voltage": "voltage of the last sample at rest before plating (mV)",
        "visible_dip": "where no dip is seen: the lowest that would have shown, if it lasted two sampling intervals (mV)",
        "tip_capacity": "plated capacity at the tip (mAh/cm^2)",
        "tip_time": "time from the beginning of plating to the tip (s)",
        "noise": "standard deviation of a sample of the voltage (mV)",
        "ohmic_drop": "change of voltage at the first sample under current, an upper bound of the ohmic drop (mV)",
        "sampling_interval": "median time between samples around the tip (s)",
        "current_density": "median current per geometric area (mA/cm^2)",
        "plated_capacity": "charge plated per geometric area (mAh/cm^2)",
    },
)

__all__ = ["EXPERIMENT", "NucleationProtocol"]
