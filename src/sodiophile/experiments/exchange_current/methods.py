r"""The exchange current density by the classical readings of a polarization curve: Tafel, micropolarization, R_ct.

- Tafel: :math:`\ln|i| = \ln j_0 + b|\eta|` where the reverse reaction is negligible, :math:`e^{-zF|\eta|/RT} < 1\,\%`.
- Micropolarization: :math:`R_p = du/di` at rest, :math:`j_0 = n\,RT/[zF(R_p - R)]` with n electrodes.
- Impedance: :math:`j_0 = n\,RT/(zF\,R_{ct}A)`, with :math:`R_{ct}` that of the whole cell.

Each electrode of a symmetric cell has half of the voltage, :math:`\eta = (u - u_0 - iR)/2`. That is exact for a transfer
coefficient of one half; for another one plating and stripping share unequally, the two straight lines of the electrodes add
up to one of slope :math:`b = 2\alpha(1-\alpha)zF/RT` and the intercept stays :math:`j_0`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.experiments.exchange_current.fitting import Fit
from sodiophile.experiments.exchange_current.points import Points
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol
from sodiophile.physics.constants import inverse_thermal_voltage_1_V

_Array = NDArray[np.float64]
_REVERSE = 0.01
_LEAST_IN_WINDOW = 4
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class Reading:
    """The exchange current density by one method.

    Parameters
    ----------
    method
        ``Tafel, plating``, ``micropolarization``, ...
    exchange_mA_cm2
        The value; None where there is none, then `words` says why.
    error_mA_cm2
        Its standard uncertainty, None where unknown.
    slope_mV_decade
        Of Tafel.
    words
        Window, correction and number of points; or the reason.
    lower
        True if it is a lower bound, because series resistance could not be taken out.
    """

    method: str
    exchange_mA_cm2: float | None
    error_mA_cm2: float | None
    slope_mV_decade: float | None
    words: str
    lower: bool = False


@dataclass(frozen=True)
class Correction:
    """What is taken out of the voltage: resistance (ohm cm2) with its standard uncertainty, rest potential, and why."""

    resistance_ohm_cm2: float
    error_ohm_cm2: float
    rest_V: float
    source: str

    @property
    def known(self) -> bool:
        """True if there is a resistance to take out."""
        return self.source != ""


def correction(found: Fit, identified: bool, protocol: ExchangeCurrentProtocol) -> Correction:
    """Choose the resistance: that of the option, else that of the fit if it is identified, else none."""
    if protocol.series_resistance_ohm is not None:
        spread = protocol.series_resistance_uncertainty_ohm * protocol.area_cm2
        return Correction(protocol.series_resistance_ohm * protocol.area_cm2, spread, found.rest_V, "as given")
    if identified and "resistance" not in found.bounds:
        return Correction(found.resistance_ohm_cm2, found.errors.get("resistance", 0.0), found.rest_V, "of the full fit")
    if identified:
        return Correction(0.0, 0.0, found.rest_V, "0 by the full fit")
    return Correction(0.0, 0.0, found.rest_V, "")


def overpotential_V(points: Points, taken: Correction, electrodes: int, resistance_ohm_cm2: float | None = None) -> _Array:
    """Return the overpotential of one electrode, V, positive for plating, shape (n,)."""
    resistance = taken.resistance_ohm_cm2 if resistance_ohm_cm2 is None else resistance_ohm_cm2
    return np.asarray((points.voltage_V - taken.rest_V - 1e-3 * resistance * points.current_mA_cm2) / electrodes)


def tafel_window_V(protocol: ExchangeCurrentProtocol) -> tuple[float, float]:
    """Return where the Tafel window begins and ends, V."""
    f = inverse_thermal_voltage_1_V(protocol.temperature_K, protocol.electrons)
    begin = float(-np.log(_REVERSE) / f) if protocol.tafel_from_V is None else protocol.tafel_from_V
    return begin, protocol.tafel_to_V or float("inf")


def tafel(points: Points, taken: Correction, protocol: ExchangeCurrentProtocol, direction: str) -> Reading:
    """Read the exchange current density off a Tafel line.

    Parameters
    ----------
    points, taken, protocol
        The curve, what is corrected, the windows.
    direction
        ``plating``, ``stripping``, or ``both`` for a symmetric cell, whose directions are the same experiment.
    """
    begin, end = tafel_window_V(protocol)
    sign = -1.0 if direction == "stripping" else 1.0
    name = "Tafel" if direction == "both" else f"Tafel, {direction}"

    def line(resistance: float) -> tuple[float, float, float, int, float] | None:
        eta = overpotential_V(points, taken, protocol.electrodes, resistance)
        size, i = (np.abs(eta), np.abs(points.current_mA_cm2))
        inside = (size >= begin) & (size <= end) & (eta * points.current_mA_cm2 > 0)
        if direction != "both":
            inside &= eta * sign > 0
        if inside.sum() < _LEAST_IN_WINDOW or np.ptp(size[inside]) <= _NEGLIGIBLE * size.max():
            return None
        x, y = size[inside], np.log(i[inside])
        intercept, slope, error = _line(x, y)
        f = inverse_thermal_voltage_1_V(protocol.temperature_K, protocol.electrons)
        # Allen and Hickling: the reverse reaction divided out, what the window leaves of it is the difference
        corrected, _, _ = _line(x, y - np.log(-np.expm1(-f * x)))
        return intercept, slope, float(np.hypot(error, corrected - intercept)), int(inside.sum()), float(np.ptp(y))

    found = line(taken.resistance_ohm_cm2)
    if found is None:
        eta = overpotential_V(points, taken, protocol.electrodes)
        reach = float(np.max(eta * sign if direction != "both" else np.abs(eta)))
        return Reading(
            name,
            None,
            None,
            None,
            f"no Tafel region reached: the overpotential of an electrode reaches {max(reach, 0.0) * 1e3:.3g} mV, the "
            f"window begins at {begin * 1e3:.3g} mV",
        )
    intercept, slope, error, count, span = found
    if taken.error_ohm_cm2 > 0:
        moved = line(taken.resistance_ohm_cm2 + taken.error_ohm_cm2)
        if moved is not None:
            error = float(np.hypot(error, moved[0] - intercept))
    if slope <= 0:
        return Reading(name, None, None, None, f"the current does not grow in the window ({count} points)")
    value = float(np.exp(intercept))
    how = f"iR corrected, R {taken.source}" if taken.known else "not iR corrected"
    upto = f" to {end * 1e3:.4g} mV" if np.isfinite(end) else ""
    words = f"|eta| from {begin * 1e3:.3g} mV{upto}, {span / np.log(10):.2g} decades, {count} points, {how}"
    return Reading(name, value, value * error, 1e3 * np.log(10) / slope, words)


def micropolarization(points: Points, taken: Correction, protocol: ExchangeCurrentProtocol) -> Reading:
    """Read the exchange current density off the slope of the curve at rest."""
    n, most = protocol.electrodes, protocol.micropolarization_to_V
    eta = overpotential_V(points, taken, n)
    inside = np.abs(eta) <= most
    if (
        inside.sum() < _LEAST_IN_WINDOW
        or np.ptp(points.current_mA_cm2[inside]) <= _NEGLIGIBLE * np.abs(points.current_mA_cm2).max()
    ):
        why = f"{int(inside.sum())} points within {most * 1e3:g} mV of rest, expected {_LEAST_IN_WINDOW}"
        return Reading("micropolarization", None, None, None, why)
    _, slope, _, slope_error = _line_with_slope(points.current_mA_cm2[inside], points.voltage_V[inside])
    total, spread = 1e3 * slope, 1e3 * slope_error
    left = total - taken.resistance_ohm_cm2
    error = float(np.hypot(spread, taken.error_ohm_cm2))
    if left <= 2 * error:
        why = (
            f"the slope at rest, {total:.4g} ohm cm^2, is that of the series resistance, {taken.resistance_ohm_cm2:.4g}, "
            "within its uncertainty: nothing is left for charge transfer"
        )
        return Reading("micropolarization", None, None, None, why)
    thermal_mV = 1e3 / inverse_thermal_voltage_1_V(protocol.temperature_K, protocol.electrons)
    value = n * thermal_mV / left
    how = f"R {taken.source} taken out" if taken.known else "series resistance not taken out, so a lower bound"
    words = f"|eta| up to {most * 1e3:g} mV, slope {total:.4g}({spread:.2g}) ohm cm^2, {int(inside.sum())} points, {how}"
    return Reading("micropolarization", value, value * error / left, None, words, lower=not taken.known)


def from_resistance(protocol: ExchangeCurrentProtocol) -> Reading | None:
    """Return the exchange current density of the charge-transfer resistance that the user gives; None if none is."""
    given = protocol.charge_transfer_resistance_ohm
    if given is None:
        return None
    thermal_mV = 1e3 / inverse_thermal_voltage_1_V(protocol.temperature_K, protocol.electrons)
    value = protocol.electrodes * thermal_mV / (given * protocol.area_cm2)
    error = value * protocol.charge_transfer_resistance_uncertainty_ohm / given
    words = f"R_ct of the cell {given:g} ohm, shared by {protocol.electrodes} electrode(s)"
    return Reading("impedance", value, error or None, None, words)


def _line(x: _Array, y: _Array) -> tuple[float, float, float]:
    intercept, slope, error, _ = _line_with_slope(x, y)
    return intercept, slope, error


def _line_with_slope(x: _Array, y: _Array) -> tuple[float, float, float, float]:
    """Return intercept and slope of a straight line, and their standard errors."""
    centre = float(x.mean())
    spread = float(np.sum((x - centre) ** 2))
    slope = float(np.sum((x - centre) * (y - y.mean())) / spread)
    intercept = float(y.mean()) - slope * centre
    variance = float(np.sum((y - intercept - slope * x) ** 2)) / max(x.size - 2, 1)
    return intercept, slope, float(np.sqrt(variance * (1 / x.size + centre**2 / spread))), float(np.sqrt(variance / spread))
