"""Rate performance of a symmetric cell: polarization against current density, step by step."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.symmetric_rate.analysis import KIND, VERSION, analyze
from sodiophile.experiments.symmetric_rate.figure import draw
from sodiophile.experiments.symmetric_rate.protocol import SymmetricRateProtocol
from sodiophile.experiments.symmetric_rate.simulate import VirtualInstrument, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Symmetric cell, rate performance",
    summary="Cycling at one current density after the other gives polarization against current density, and its stability.",
    version=VERSION,
    protocol=SymmetricRateProtocol,
    analyze=analyze,
    draw=draw,
    simulate=simulate,
    instrument=VirtualInstrument,
    quantities={
        "polarization": "(|V_plate| + |V_strip|)/2 at the current density asked for (mV)",
        "polarization_first": "the same in the first step (mV)",
        "polarization_highest": "the same at the highest current density (mV)",
        "highest_current_density": "of the test, as measured (mA/cm^2)",
        "stable_current_density": "highest up to which every step is stable and none ends at a voltage limit (mA/cm^2)",
        "levels": "current densities on the way up that the cell sustains (1)",
        "line_resistance": "slope of polarization against current density (ohm cm^2)",
        "line_intercept": "intercept of that line (mV)",
        "ohmic_share": "part of the polarization that is linear in the current, at the highest sustained (percent)",
        "ohmic_share_impedance": "part that a series resistance from impedance makes, at the highest sustained (percent)",
        "return_ratio": "polarization back at the first current density over that at first (1)",
    },
)

__all__ = ["EXPERIMENT", "SymmetricRateProtocol"]
