"""Impedance spectra: series, interphase and charge-transfer resistance, and whether the data tell them apart."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.impedance.analysis import KIND, VERSION, analyze
from sodiophile.experiments.impedance.figure import draw
from sodiophile.experiments.impedance.protocol import ImpedanceProtocol
from sodiophile.experiments.impedance.simulate import ImpedanceAnalyzer, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Impedance spectra",
    summary="Spectra of a cell give series, interphase and charge-transfer resistance, or say that they cannot.",
    version=VERSION,
    protocol=ImpedanceProtocol,
    analyze=analyze,
    record="spectra",
    draw=draw,
    simulate=simulate,
    instrument=ImpedanceAnalyzer,
    quantities={
        "series_resistance": "high-frequency resistance of the cell times area (ohm cm^2)",
        "sei_resistance": "resistance of the faster arc times area, per electrode (ohm cm^2)",
        "charge_transfer_resistance": "resistance of the slower arc times area, per electrode (ohm cm^2)",
        "interfacial_resistance": "sum of all arcs times area, per electrode (ohm cm^2)",
        "sei_capacitance": "effective capacitance of the faster arc per area, per electrode (uF/cm^2)",
        "charge_transfer_capacitance": "effective capacitance of the slower arc per area, per electrode (uF/cm^2)",
        "interfacial_capacitance": "effective capacitance of the one arc per area, per electrode (uF/cm^2)",
        "apparent_exchange_current_density": "RT/(zF R_ct), needs a temperature (mA/cm^2)",
    },
)

__all__ = ["EXPERIMENT", "ImpedanceAnalyzer", "ImpedanceProtocol"]
