"""What a polarization curve can and cannot tell, in words with the numbers behind them."""

from __future__ import annotations

import numpy as np

from sodiophile.experiments.exchange_current.fitting import Fit
from sodiophile.experiments.exchange_current.methods import Correction, Reading, overpotential_V, tafel_window_V
from sodiophile.experiments.exchange_current.points import Points
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol
from sodiophile.result import Verdict

IDENTIFIED = "identified"
SUM_ONLY = "only the sum of series and charge-transfer resistance is identified"
NOT_DESCRIBED = "the curve is not that of charge transfer and a series resistance"
NO_TAFEL = "identified, but no Tafel region reached"

_FACTOR = 2.0
_DECISIVE = 10.0


def identifiability(
    curve: Points,
    found: Fit,
    told: bool,
    taken: Correction,
    readings: list[Reading],
    protocol: ExchangeCurrentProtocol,
    worst: float,
) -> Verdict:
    """Say whether the curve fixes the exchange current density."""
    reach = float(np.abs(overpotential_V(curve, taken, protocol.electrodes)).max()) * 1e3
    begin = tafel_window_V(protocol)[0] * 1e3
    tafel = any(reading.method.startswith("Tafel") and reading.exchange_mA_cm2 is not None for reading in readings)
    error = found.errors.get("log_exchange")
    reached = f"the overpotential of an electrode reaches {reach:.3g} mV{'' if taken.known else ' (not iR corrected)'}"
    relative = "unknown" if error is None else f"{error:.2g}"
    quality = (
        f"correlation with the series resistance {found.correlation:.2f}, residuals {100 * found.misfit:.2g} % of the span"
    )
    evidence = [
        f"{reached}, the Tafel window begins at {begin:.3g} mV",
        f"Butler-Volmer fit: relative standard error {relative}, {quality}",
    ]
    if found.bounds:
        evidence.append(f"on a bound: {', '.join(found.bounds)}")
    if told:
        return Verdict(IDENTIFIED if tafel else NO_TAFEL, tuple(evidence))
    if found.misfit > worst:
        return Verdict(NOT_DESCRIBED, tuple(evidence))
    if taken.known and protocol.series_resistance_ohm is not None:
        return Verdict("not identified: the series resistance leaves too little", tuple(evidence))
    return Verdict(SUM_ONLY, tuple(evidence))


def methods(readings: list[Reading]) -> Verdict:
    """Compare the methods that gave a value; lower bounds take no part."""
    there = {
        reading.method: reading.exchange_mA_cm2
        for reading in readings
        if reading.exchange_mA_cm2 is not None and not reading.lower
    }
    if len(there) < 2:
        only = next(iter(there), "none")
        return Verdict("nothing to compare", (f"methods with a value: {only}",))
    low, high = min(there, key=there.__getitem__), max(there, key=there.__getitem__)
    factor = there[high] / there[low]
    words = f"{low} gives {there[low]:.3g} and {high} {there[high]:.3g} mA/cm^2"
    if factor > _FACTOR:
        why = (
            "usual reasons: a Tafel line without iR correction, an interphase whose overpotential saturates, a window "
            "outside the validity of the method, a surface that changed in between"
        )
        return Verdict(f"differ by a factor of {factor:.3g}", (words, why))
    return Verdict("agree within a factor of two", (words,))


def kinetics(found: Fit, other: Fit | None, told: bool, worst: float) -> Verdict:
    """Say which kinetics the curve follows, as far as it can tell."""
    residual = f"residuals of Butler-Volmer {100 * found.misfit:.2g} % of the span"
    if other is None:
        if found.misfit > worst:
            return Verdict("not Butler-Volmer with a series resistance", (residual,))
        if not told:
            return Verdict("kinetics do not show: a straight line fits as well", (residual,))
        return Verdict("Butler-Volmer describes the curve", (residual, "model = marcus compares it with Marcus kinetics"))
    if min(found.misfit, other.misfit) > worst:
        return Verdict("neither Butler-Volmer nor Marcus", (residual, f"of Marcus {100 * other.misfit:.2g} %"))
    scale = min(max(found.chi_square / found.freedom, 1.0), max(other.chi_square / other.freedom, 1.0))
    difference = (found.chi_square - other.chi_square) / scale
    parameters = found.freedom - other.freedom
    information = difference - 2 * parameters
    evidence = (
        residual,
        f"of Marcus {100 * other.misfit:.2g} %",
        f"difference of Akaike's criterion {information:+.3g} (positive for Marcus), {_DECISIVE:g} counts as decisive",
    )
    if abs(information) < _DECISIVE:
        return Verdict("Butler-Volmer and Marcus are not told apart", evidence)
    return Verdict("Marcus describes it better" if information > 0 else "Butler-Volmer describes it better", evidence)
