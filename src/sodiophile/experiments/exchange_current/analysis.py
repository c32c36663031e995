"""From a polarization curve to the apparent exchange current density, by every method that the curve allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import Trace
from sodiophile.experiments.exchange_current.fitting import Fit, fit
from sodiophile.experiments.exchange_current.methods import (
    Correction,
    Reading,
    correction,
    from_resistance,
    micropolarization,
    overpotential_V,
    tafel,
    tafel_window_V,
)
from sodiophile.experiments.exchange_current.points import Points, points
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol
from sodiophile.experiments.exchange_current.words import identifiability, kinetics, methods
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.quantity import Quantity, Status
from sodiophile.records import CyclingRecord
from sodiophile.records.cycling import joined
from sodiophile.result import Result, Verdict

KIND = "exchange-current"
VERSION = 1

_WORST_MISFIT = 0.03
_UNSETTLED = 0.05
_NAMES = {
    "Butler-Volmer fit": "",
    "Marcus fit": "_marcus",
    "Tafel": "_tafel",
    "Tafel, plating": "_tafel_plating",
    "Tafel, stripping": "_tafel_stripping",
    "micropolarization": "_micropolarization",
    "impedance": "_impedance",
}


def analyze(records: Sequence[CyclingRecord], protocol: ExchangeCurrentProtocol) -> Result:
    """Analyze a slow sweep, or steps of current or potential.

    Parameters
    ----------
    records
        The files of one measurement of one cell, in order.
    protocol
        Area, temperature, number of electrodes, windows.

    Returns
    -------
    Result
        Tables ``methods`` (each with its value, or the reason why it has none), ``points`` and ``fit``.

    Raises
    ------
    InputError
        If there is no polarization curve, its rest potential cannot be known, or voltage and current oppose each other.
    """
    record = joined(records)
    curve = points(Trace.of(record), protocol, record.name)
    _refuse_what_is_no_polarization(curve, protocol, record.name)
    status: Status = "simulated" if record.simulated else "measured"
    found = fit(curve, protocol, "butler-volmer")
    told = _told(found, protocol)
    taken = correction(found, told, protocol)
    other = fit(curve, protocol, "marcus") if protocol.model == "marcus" else None

    readings = [_of_fit("Butler-Volmer fit", found, told)]
    if other is not None:
        readings.append(_of_fit("Marcus fit", other, _told(other, protocol)))
    directions = ["both"] if protocol.electrodes == 2 else ["plating", "stripping"]
    readings += [tafel(curve, taken, protocol, direction) for direction in directions]
    readings.append(micropolarization(curve, taken, protocol))
    by_resistance = from_resistance(protocol)
    if by_resistance is not None:
        readings.append(by_resistance)

    verdicts = {
        "identifiability": identifiability(curve, found, told, taken, readings, protocol, _WORST_MISFIT),
        "methods": methods(readings),
        "kinetics": kinetics(found, other, told, _WORST_MISFIT),
    }
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(mode="json"),
            "records": [origin.to_dict() for origin in record.provenance],
            "version": VERSION,
            "data": f"{curve.kind}, {curve.current_mA_cm2.size} points",
            "series_resistance": f"{taken.resistance_ohm_cm2:.6g} ohm cm^2, {taken.source}" if taken.known else "not known",
        },
        quantities=_quantities(curve, found, told, other, readings, taken, protocol, status),
        verdicts=verdicts,
        warnings=(*_warnings(curve, found, readings, taken, verdicts, protocol), *record.notes),
        tables={
            "methods": _method_table(readings),
            "points": _point_table(curve, found, other, taken, protocol),
            "fit": _fit_table(found, other),
        },
        simulated=record.simulated,
    )


def _refuse_what_is_no_polarization(curve: Points, protocol: ExchangeCurrentProtocol, where: str) -> None:
    if not curve.both_directions and protocol.rest_potential_V is None and protocol.electrodes == 1:
        raise InputError(
            f"current flows in one direction only ({curve.current_mA_cm2.min():.3g} to {curve.current_mA_cm2.max():.3g} "
            "mA/cm^2, plating positive), so the rest potential is not in the file and no overpotential can be formed; "
            "expected a sweep through rest, or the option rest_potential",
            where,
        )
    i = curve.current_mA_cm2
    u = curve.voltage_V - (np.median(curve.voltage_V) if curve.both_directions else 0.0)
    if protocol.rest_potential_V is not None:
        sign = -1.0 if protocol.plating == "negative current" else 1.0
        u = curve.voltage_V - sign * protocol.rest_potential_V
    if float(np.sum(i * u)) <= 0:
        raise InputError(
            "the voltage opposes the current; no cell does that: the file's sign of current or voltage is inverted, or the "
            "rest potential lies beyond the curve",
            where,
        )
    centre = float(np.interp(0.0, np.sort(i), curve.voltage_V[np.argsort(i)])) if curve.both_directions else 0.0
    if (
        protocol.electrodes == 2
        and protocol.rest_potential_V is None
        and abs(centre) > max(0.25 * np.ptp(curve.voltage_V), 0.02)
    ):
        raise InputError(
            f"no current flows at {centre:.4g} V, not at 0 V; two electrodes of the same metal rest at 0 V, so this is no "
            "symmetric cell: state electrodes = 1 for a voltage against a reference",
            where,
        )


def _told(found: Fit, protocol: ExchangeCurrentProtocol) -> bool:
    error = found.errors.get("log_exchange")
    return error is not None and error <= protocol.largest_error and found.misfit <= _WORST_MISFIT


def _of_fit(name: str, found: Fit, told: bool) -> Reading:
    error = found.errors.get("log_exchange")
    words = f"all points, residuals {100 * found.misfit:.2g} % of the span of the voltage"
    if not told:
        why = (
            f"does not describe the curve (residuals {100 * found.misfit:.2g} % of its span)"
            if found.misfit > _WORST_MISFIT
            else "not identified: relative standard error "
            + (f"{error:.2g}" if error is not None else "unknown (on a bound)")
        )
        return Reading(name, None, None, None, why)
    value = found.exchange_mA_cm2
    return Reading(name, value, value * (error or 0.0), None, words)


def _quantities(
    curve: Points,
    found: Fit,
    told: bool,
    other: Fit | None,
    readings: list[Reading],
    taken: Correction,
    protocol: ExchangeCurrentProtocol,
    status: Status,
) -> dict[str, Quantity]:
    out: dict[str, Quantity] = {}
    for reading in readings:
        if reading.exchange_mA_cm2 is None:
            continue
        words = f"apparent (with the interphase), {reading.method}: {reading.words}; per geometric area of one electrode"
        name = f"apparent_exchange_current_density{_NAMES[reading.method]}"
        given = reading.method == "impedance"
        out[name] = Quantity(
            reading.exchange_mA_cm2,
            "mA/cm^2",
            reading.error_mA_cm2,
            words,
            "computed" if given else status,
            bound="lower" if reading.lower else None,
        )
        if reading.slope_mV_decade is not None:
            out[f"apparent_tafel_slope{_NAMES[reading.method].removeprefix('_tafel')}"] = Quantity(
                reading.slope_mV_decade, "mV", None, f"a decade of current, {reading.words}", status
            )
    if told:
        if "form" in found.errors and "form" not in found.bounds:
            which = "alpha or 1 - alpha, whichever is smaller" if protocol.electrodes == 2 else "alpha of plating"
            out["apparent_transfer_coefficient"] = Quantity(
                found.form, "1", found.errors["form"], f"{which}, Butler-Volmer fit", status
            )
        if "resistance" in found.errors and "resistance" not in found.bounds:
            out["apparent_series_resistance"] = Quantity(
                found.resistance_ohm_cm2,
                "ohm cm^2",
                found.errors["resistance"],
                "what is linear in current in the whole cell, Butler-Volmer fit: electrolyte and any linear interphase",
                status,
            )
        if "rest" in found.errors:
            sign = -1.0 if protocol.plating == "negative current" else 1.0
            out["apparent_rest_potential"] = Quantity(
                sign * found.rest_V * 1e3, "mV", found.errors["rest"] * 1e3, "voltage without current, fitted", status
            )
    if other is not None and _told(other, protocol) and "form" in other.errors and other.errors["form"] < 0.5 * other.form:
        electronvolt = GAS_J_mol_K * protocol.temperature_K / FARADAY_C_mol
        out["apparent_reorganization_energy"] = Quantity(
            other.form * electronvolt,
            "eV",
            other.errors["form"] * electronvolt,
            "of Marcus-Hush-Chidsey kinetics in its asymptotic form",
            status,
        )
    out["apparent_largest_overpotential"] = Quantity(
        1e3 * float(np.abs(overpotential_V(curve, taken, protocol.electrodes)).max()),
        "mV",
        None,
        "of one electrode" + (", iR corrected" if taken.known else ", not iR corrected"),
        status,
    )
    return out


def _warnings(
    curve: Points,
    found: Fit,
    readings: list[Reading],
    taken: Correction,
    verdicts: dict[str, Verdict],
    protocol: ExchangeCurrentProtocol,
) -> list[str]:
    out: list[str] = []
    if verdicts["methods"].answer.startswith("differ"):
        out.append(f"the methods {verdicts['methods'].answer}: {verdicts['methods'].evidence[0]}")
    if not taken.known and any(reading.method.startswith("Tafel") and reading.exchange_mA_cm2 for reading in readings):
        out.append("the Tafel value is not iR corrected: it comes out too high; give series_resistance (from impedance)")
    if abs(found.correlation) > protocol.largest_correlation:
        out.append(
            f"series resistance and exchange current density are correlated by {found.correlation:.3f}: what one takes the "
            "other gives; a resistance from impedance (series_resistance) parts them"
        )
    if curve.drift > _UNSETTLED:
        out.append(f"the steps have not settled: over their last part they still move by {100 * curve.drift:.2g} %")
    if not curve.both_directions and protocol.rest_potential_V is None:
        out.append("current flows in one direction only; the rest potential of the symmetric cell is taken as 0 V")
    return out


def _method_table(readings: list[Reading]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "method": [reading.method for reading in readings],
            "apparent_exchange_current_density_mA_cm2": [reading.exchange_mA_cm2 for reading in readings],
            "uncertainty_mA_cm2": [reading.error_mA_cm2 for reading in readings],
            "tafel_slope_mV_decade": [reading.slope_mV_decade for reading in readings],
            "lower_bound": [reading.lower for reading in readings],
            "how": [reading.words for reading in readings],
        },
        schema_overrides={
            "apparent_exchange_current_density_mA_cm2": pl.Float64,
            "uncertainty_mA_cm2": pl.Float64,
            "tafel_slope_mV_decade": pl.Float64,
        },
    )


def _point_table(
    curve: Points, found: Fit, other: Fit | None, taken: Correction, protocol: ExchangeCurrentProtocol
) -> pl.DataFrame:
    begin, end = tafel_window_V(protocol)
    eta = overpotential_V(curve, taken, protocol.electrodes)

    def shared(fitted_V: np.ndarray) -> np.ndarray:
        kinetic = fitted_V - taken.rest_V - 1e-3 * taken.resistance_ohm_cm2 * curve.current_mA_cm2
        return kinetic / protocol.electrodes * 1e3

    columns = {
        "current_density_mA_cm2": curve.current_mA_cm2,
        "voltage_mV": curve.voltage_V * 1e3,
        "overpotential_mV": eta * 1e3,
        "butler_volmer_mV": shared(found.fitted_V),
        "in_tafel_window": (np.abs(eta) >= begin) & (np.abs(eta) <= end),
        "in_micropolarization_window": np.abs(eta) <= protocol.micropolarization_to_V,
    }
    if other is not None:
        columns["marcus_mV"] = shared(other.fitted_V)
    return pl.DataFrame(columns)


def _fit_table(found: Fit, other: Fit | None) -> pl.DataFrame:
    fits = [found, *([other] if other is not None else [])]
    return pl.DataFrame(
        {
            "model": [entry.model for entry in fits],
            "apparent_exchange_current_density_mA_cm2": [entry.exchange_mA_cm2 for entry in fits],
            "relative_standard_error": [entry.errors.get("log_exchange") for entry in fits],
            "series_resistance_ohm_cm2": [entry.resistance_ohm_cm2 for entry in fits],
            "variance_log_exchange": [entry.covariance[0, 0] for entry in fits],
            "covariance_ohm_cm2": [entry.covariance[0, 1] for entry in fits],
            "variance_resistance_ohm2_cm4": [entry.covariance[1, 1] for entry in fits],
            "correlation": [entry.correlation for entry in fits],
            "transfer_coefficient_or_reorganization_RT": [entry.form for entry in fits],
            "chi_square": [entry.chi_square for entry in fits],
            "degrees_of_freedom": [entry.freedom for entry in fits],
            "on_bound": [", ".join(entry.bounds) for entry in fits],
        },
        schema_overrides={"relative_standard_error": pl.Float64},
    )
