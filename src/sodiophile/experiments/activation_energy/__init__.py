"""Impedance spectra at several temperatures: activation energies with intervals, and what speaks against the line."""

from __future__ import annotations

from sodiophile.experiments.activation_energy.analysis import KIND, VERSION, analyze
from sodiophile.experiments.activation_energy.comparison import Comparison, compare
from sodiophile.experiments.activation_energy.figure import draw
from sodiophile.experiments.activation_energy.protocol import ActivationEnergyProtocol
from sodiophile.experiments.activation_energy.simulate import simulate
from sodiophile.experiments.base import Experiment
from sodiophile.experiments.impedance.simulate import ImpedanceAnalyzer

_PROCESSES = {"charge_transfer": "the slower arc", "sei": "the faster arc", "interfacial": "the sum of the arcs"}

EXPERIMENT = Experiment(
    kind=KIND,
    title="Activation energy",
    summary="Impedance spectra at several temperatures give activation energies with intervals.",
    version=VERSION,
    protocol=ActivationEnergyProtocol,
    analyze=analyze,
    record="spectra",
    draw=draw,
    simulate=simulate,
    instrument=ImpedanceAnalyzer,
    quantities={
        "activation_energy": "of charge transfer, or of the one arc where there is one, from T/R = A exp(-Ea/RT) (kJ/mol)",
        **{f"{name}_activation_energy": f"of {what}, from T/R (kJ/mol)" for name, what in _PROCESSES.items()},
        **{f"{name}_activation_energy:1/R": f"of {what}, from 1/R (kJ/mol)" for name, what in _PROCESSES.items()},
        **{f"{name}_activation_energy:joint": f"of {what}, one fit of all (kJ/mol)" for name, what in _PROCESSES.items()},
    },
)

__all__ = ["EXPERIMENT", "ActivationEnergyProtocol", "Comparison", "compare"]
