"""The tables of an impedance result: fits, parameters, competing circuits, points, relaxation times."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from sodiophile.experiments.impedance.fitting import Estimate, Series
from sodiophile.experiments.impedance.protocol import SpectrumProtocol
from sodiophile.physics.arc_circuits import Candidate, Place
from sodiophile.physics.relaxation_times import RelaxationTimes

_FAMILIAR = ("L0", "R0", "R1", "tau1", "alpha1", "R2", "tau2", "alpha2", "CPE3.Q", "CPE3.alpha")


def fits(series: Series, protocol: SpectrumProtocol) -> pl.DataFrame:
    """One row a spectrum: what it showed, in ohm of the whole cell and in ohm cm2 per electrode."""
    rows = []
    for number, finding in enumerate(series.findings, start=1):
        row: dict[str, Any] = {
            "spectrum": number,
            "name": finding.spectrum.name,
            "time_s": finding.spectrum.time_s,
            "temperature_K": finding.spectrum.temperature_K,
            "points": len(finding.spectrum.frequency_Hz),
            "circuit": finding.circuit,
            "arcs": len(finding.arcs),
            "resolved": finding.resolved,
            "why": "; ".join(finding.reasons),
        }
        row |= _columns("R0", finding.series, "ohm")
        for which in (0, 1):
            arc = finding.arcs[which] if len(finding.arcs) > which else None
            row |= _columns(f"R{which + 1}", arc.resistance if arc else None, "ohm")
            row |= _columns(f"tau{which + 1}", arc.tau if arc else None, "s")
            row[f"alpha{which + 1}"] = arc.alpha if arc else None
            row |= _columns(f"C{which + 1}", arc.capacitance if arc else None, "F")
        row |= _columns("R_arcs", finding.total, "ohm")
        scale = protocol.area_cm2 / protocol.electrodes
        two = finding.resolved == "two"
        row["series_resistance_ohm_cm2"] = finding.series.value * protocol.area_cm2 if finding.series else None
        row["sei_resistance_ohm_cm2"] = finding.arcs[0].resistance.value * scale if two else None
        row["charge_transfer_resistance_ohm_cm2"] = finding.arcs[1].resistance.value * scale if two else None
        seen = finding.total is not None and finding.resolved != "none"
        row["interfacial_resistance_ohm_cm2"] = finding.total.value * scale if seen and finding.total else None
        row["misfit_percent"] = 100 * finding.fit.misfit
        row["kramers_kronig_percent"] = 100 * finding.consistency.rms
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _columns(name: str, estimate: Estimate | None, unit: str) -> dict[str, float | None]:
    if estimate is None:
        return {
            f"{name}_{unit}": None,
            f"{name}_error_{unit}": None,
            f"{name}_low_{unit}": None,
            f"{name}_high_{unit}": None,
        }
    return {
        f"{name}_{unit}": estimate.value,
        f"{name}_error_{unit}": estimate.value * estimate.relative_error,
        f"{name}_low_{unit}": estimate.low,
        f"{name}_high_{unit}": estimate.high,
    }


def parameters(series: Series) -> pl.DataFrame:
    """One row a parameter of the circuit and spectrum, with standard error and linear 95 % interval."""
    rows = []
    for number, finding in enumerate(series.findings, start=1):
        fit = finding.fit
        held = _off(series.candidate)
        for place, parameter in enumerate(fit.circuit.parameters):
            if held[place : place + 1].any():
                continue
            u = float(fit.coordinates[place])
            error = float(np.sqrt(fit.covariance[place, place]))
            value = float(np.exp(u)) if parameter.logarithmic else u
            ends = [u - fit.t * error, u + fit.t * error]
            low, high = (float(np.exp(np.clip(end, -300, 300))) if parameter.logarithmic else end for end in ends)
            told = fit.known and bool(fit.free[place])
            rows.append(
                {
                    "spectrum": number,
                    "parameter": _FAMILIAR[place] if series.candidate is not None else parameter.name,
                    "value": value,
                    "unit": parameter.unit,
                    "standard_error": (value * error if parameter.logarithmic else error) if told else None,
                    "low_95": low if told else None,
                    "high_95": high if told else None,
                    "held": "at its bound" if fit.at_bound[place] else "fixed" if not fit.free[place] else "",
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _off(candidate: Candidate | None) -> np.ndarray:
    """Return which coordinates of the full circuit are switched off altogether."""
    if candidate is None:
        return np.zeros(0, dtype=bool)
    held = candidate.fixed()
    held[Place.ALPHA_TAIL] = candidate.tail == "none"
    return held


def candidates(series: Series) -> pl.DataFrame:
    """One row a competing circuit, the best first."""
    schema = {"circuit": pl.String, "AICc_above_lowest": pl.Float64}
    return pl.DataFrame(list(series.differences.items()), schema=schema, orient="row")


def points(series: Series, protocol: SpectrumProtocol) -> pl.DataFrame:
    """One row a point: measured and fitted impedance times area, and the residual of the Kramers-Kronig test."""
    parts = []
    for number, finding in enumerate(series.findings, start=1):
        fit, residual, area = finding.fit, finding.consistency.residual, protocol.area_cm2
        columns: dict[str, Any] = {
            "spectrum": np.full(len(fit.frequency_Hz), number),
            "frequency_Hz": fit.frequency_Hz,
            "real_ohm_cm2": fit.impedance_ohm.real * area,
            "imaginary_ohm_cm2": fit.impedance_ohm.imag * area,
            "fitted_real_ohm_cm2": fit.fitted_ohm.real * area,
            "fitted_imaginary_ohm_cm2": fit.fitted_ohm.imag * area,
            "kramers_kronig_real_percent": 100 * residual.real,
            "kramers_kronig_imaginary_percent": 100 * residual.imag,
        }
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def distribution(found: RelaxationTimes, protocol: SpectrumProtocol) -> pl.DataFrame:
    """Return a distribution of relaxation times, times area."""
    return pl.DataFrame({"tau_s": found.tau_s, "gamma_ohm_cm2": found.gamma_ohm * protocol.area_cm2})
