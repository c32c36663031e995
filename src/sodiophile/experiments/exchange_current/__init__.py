"""Apparent exchange current density by Tafel, micropolarization, full Butler-Volmer (and Marcus) fit, and impedance."""

from __future__ import annotations

from sodiophile.experiments.base import Experiment
from sodiophile.experiments.exchange_current.analysis import KIND, VERSION, analyze
from sodiophile.experiments.exchange_current.figure import draw
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol
from sodiophile.experiments.exchange_current.simulate import VirtualInstrument, simulate

EXPERIMENT = Experiment(
    kind=KIND,
    title="Exchange current density",
    summary="A slow sweep or steps through rest give the apparent exchange current density by every method, side by side.",
    version=VERSION,
    protocol=ExchangeCurrentProtocol,
    analyze=analyze,
    draw=draw,
    simulate=simulate,
    instrument=VirtualInstrument,
    quantities={
        "apparent_exchange_current_density": "by the full Butler-Volmer fit (mA/cm^2)",
        "apparent_exchange_current_density_marcus": "by the Marcus-Hush-Chidsey fit (mA/cm^2)",
        "apparent_exchange_current_density_tafel": "by the Tafel line of a symmetric cell (mA/cm^2)",
        "apparent_exchange_current_density_tafel_plating": "by the Tafel line of plating, one electrode (mA/cm^2)",
        "apparent_exchange_current_density_tafel_stripping": "by the Tafel line of stripping, one electrode (mA/cm^2)",
        "apparent_exchange_current_density_micropolarization": "by the slope at rest (mA/cm^2)",
        "apparent_exchange_current_density_impedance": "by a charge-transfer resistance that the user gives (mA/cm^2)",
        "apparent_tafel_slope": "of the Tafel line of a symmetric cell, a decade of current (mV)",
        "apparent_tafel_slope_plating": "of the Tafel line of plating (mV)",
        "apparent_tafel_slope_stripping": "of the Tafel line of stripping (mV)",
        "apparent_transfer_coefficient": "by the Butler-Volmer fit; of two electrodes the smaller of alpha, 1 - alpha (1)",
        "apparent_series_resistance": "by the full Butler-Volmer fit, whole cell (ohm cm^2)",
        "apparent_rest_potential": "voltage without current, by the fit (mV)",
        "apparent_reorganization_energy": "by the Marcus-Hush-Chidsey fit (eV)",
        "apparent_largest_overpotential": "the largest overpotential of one electrode in the file (mV)",
    },
)

__all__ = ["EXPERIMENT", "ExchangeCurrentProtocol"]
