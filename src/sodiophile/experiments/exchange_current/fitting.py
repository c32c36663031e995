r"""The full fit of a polarization curve: exchange current density, series resistance, rest potential, form of the rate.

.. math:: u = u_0 + iR + \eta(i)\quad\text{(one electrode)},\qquad
          u = u_0 + iR + \eta(i) - \eta(-i)\quad\text{(two like electrodes, of which one plates and one strips)}

with :math:`\eta(i)` the inverse of Butler-Volmer (`sodiophile.physics.kinetics`) or of Marcus-Hush-Chidsey
(`sodiophile.physics.marcus`). Two like electrodes show :math:`\alpha` and :math:`1-\alpha` alike, so that their fit runs
over :math:`4\alpha(1-\alpha)` and states the smaller of the two. Both axes have errors; a point weighs
:math:`1/[\sigma_u^2 + (du/di)^2\sigma_i^2]`, renewed between fits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.experiments.exchange_current.points import Points
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol
from sodiophile.physics.constants import inverse_thermal_voltage_1_V
from sodiophile.physics.kinetics import butler_volmer_overpotential_V
from sodiophile.physics.marcus import marcus_overpotential_V

_Array = NDArray[np.float64]

_LEAST_SYMMETRY = 4 * 0.05 * 0.95
_ENERGIES_RT = (1.0, 500.0)
_REWEIGHTED = 4
_ON_BOUND = 1e-6
_SHARES = (0.0, 0.5, 0.9)
_BEYOND_V = 50.0
_SINGULAR = 1e-13


@dataclass(frozen=True)
class Fit:
    """A fit.

    Parameters
    ----------
    model
        ``butler-volmer`` or ``marcus``.
    exchange_mA_cm2, resistance_ohm_cm2, rest_V
        What was fitted or held.
    form
        Transfer coefficient (the smaller of the two for two electrodes), or reorganization energy in RT.
    errors
        Standard errors by name (``log_exchange``, ``resistance``, ``rest``, ``form``); absent where held.
    correlation
        Of log_exchange and resistance; 0 where the latter is not fitted.
    covariance
        Of log_exchange and resistance, shape (2, 2).
    chi_square, freedom
        Weighted sum of squares, degrees of freedom.
    misfit
        Root mean square of the residuals over the span of the voltage.
    inflation
        Factor on the variances: the reduced chi-square where above 1, and for residuals that follow each other.
    fitted_V
        The model at the points, shape (n,).
    bounds
        Names that sit on a bound.
    """

    model: str
    exchange_mA_cm2: float
    resistance_ohm_cm2: float
    rest_V: float
    form: float
    errors: dict[str, float]
    correlation: float
    covariance: _Array
    chi_square: float
    freedom: int
    misfit: float
    inflation: float
    fitted_V: _Array
    bounds: tuple[str, ...]


def cell_voltage_V(
    current_mA_cm2: _Array, log_exchange: float, form: float, model: str, protocol: ExchangeCurrentProtocol
) -> _Array:
    """Return the overpotential of charge transfer in the whole cell, V, shape (n,)."""
    j0, temperature_K, z = float(np.exp(log_exchange)), protocol.temperature_K, protocol.electrons
    if model == "marcus":
        eta = marcus_overpotential_V(current_mA_cm2, j0, form, temperature_K, z=z)
        return np.asarray(np.clip(protocol.electrodes * eta, -_BEYOND_V, _BEYOND_V))
    eta = butler_volmer_overpotential_V(current_mA_cm2, j0, temperature_K, z=z, alpha=form)
    if protocol.electrodes == 1:
        return eta
    return np.asarray(eta - butler_volmer_overpotential_V(-current_mA_cm2, j0, temperature_K, z=z, alpha=form))


def fit(points: Points, protocol: ExchangeCurrentProtocol, model: str) -> Fit:
    """Fit the curve, from several starting values.

    Parameters
    ----------
    points
        The polarization curve.
    protocol
        What is held: resistance, rest potential, transfer coefficient.
    model
        ``butler-volmer`` or ``marcus``.
    """
    starts = [_Parameters(points, protocol, model, share, form) for share in _SHARES for form in _forms(protocol, model)]
    tried = [_solved(points, protocol, model, start, start.start, 1) for start in starts]
    parameters, best = min(zip(starts, tried, strict=True), key=lambda pair: pair[1][2])
    at, jacobian, _, fitted, residual = _solved(points, protocol, model, parameters, best[0], _REWEIGHTED)
    return _stated(parameters, at, jacobian, fitted, residual, points, model)


def _forms(protocol: ExchangeCurrentProtocol, model: str) -> tuple[float, ...]:
    if model == "marcus":
        return (8.0, 40.0)
    return (protocol.transfer_coefficient or 0.5,) if protocol.electrodes == 1 else (0.4,)


class _Parameters:
    """What is free, and how coordinates become physical values."""

    def __init__(self, points: Points, protocol: ExchangeCurrentProtocol, model: str, share: float, form: float) -> None:
        area = protocol.area_cm2
        order = np.argsort(np.abs(points.current_mA_cm2))
        i, u = points.current_mA_cm2, points.voltage_V
        small = order[: max(order.size // 5, 4)]
        slope = float(np.dot(i[small], u[small] - u[small].mean()) / max(float(np.dot(i[small], i[small])), 1e-300))
        total = max(slope * 1e3, 1e-6)
        thermal_mV = 1e3 / inverse_thermal_voltage_1_V(protocol.temperature_K, protocol.electrons)
        large = order[-max(order.size // 5, 4) :]
        chord = float(np.median(np.abs(u[large] - np.median(u[small])) / np.maximum(np.abs(i[large]), 1e-300))) * 1e3
        given = protocol.series_resistance_ohm
        resistance = given * area if given is not None else share * min(chord, total)
        left = max(total - resistance, 0.05 * total)
        self.names = ["log_exchange"]
        start = [float(np.log(protocol.electrodes * thermal_mV / left))]
        lower, upper = [start[0] - 16.0], [start[0] + 16.0]
        self.held: dict[str, float] = {}
        self.prior_ohm_cm2 = 0.0
        spread = protocol.series_resistance_uncertainty_ohm * area
        if given is not None and spread == 0:
            self.held["resistance"] = resistance
        else:
            self.prior_ohm_cm2 = spread if given is not None else 0.0
            self.names.append("resistance")
            start.append(resistance)
            lower.append(0.0)
            upper.append(np.inf)
        self.given_ohm_cm2 = resistance
        sign = -1.0 if protocol.plating == "negative current" else 1.0
        if protocol.rest_potential_V is not None:
            self.held["rest"] = sign * protocol.rest_potential_V
        elif points.both_directions:
            self.names.append("rest")
            start.append(float(np.interp(0.0, i[np.argsort(i)], u[np.argsort(i)])))
            lower.append(-np.inf)
            upper.append(np.inf)
        else:
            self.held["rest"] = 0.0
        self.folded = model == "butler-volmer" and protocol.electrodes == 2
        if model == "butler-volmer" and protocol.transfer_coefficient is not None:
            alpha = protocol.transfer_coefficient
            self.held["form"] = min(alpha, 1 - alpha) if protocol.electrodes == 2 else alpha
        else:
            self.names.append("form")
            if model == "marcus":
                start.append(float(np.log(form)))
                lower.append(float(np.log(_ENERGIES_RT[0])))
                upper.append(float(np.log(_ENERGIES_RT[1])))
            else:
                start.append(4 * form * (1 - form) if self.folded else form)
                lower.append(_LEAST_SYMMETRY if self.folded else 0.05)
                upper.append(1.0 if self.folded else 0.95)
        self.logarithmic = model == "marcus"
        self.start, self.lower, self.upper = np.array(start), np.array(lower), np.array(upper)

    def value(self, coordinates: _Array, name: str) -> float:
        if name in self.held:
            return self.held[name]
        found = float(coordinates[self.names.index(name)])
        if name != "form":
            return found
        if self.logarithmic:
            return float(np.exp(found))
        return 0.5 * (1 - float(np.sqrt(max(1 - found, 0.0)))) if self.folded else found


def _solved(
    points: Points, protocol: ExchangeCurrentProtocol, model: str, parameters: _Parameters, start: _Array, rounds: int
) -> tuple[_Array, _Array, float, _Array, _Array]:
    """Return coordinates, Jacobian and cost of the minimum, and the voltages and residuals there."""
    from scipy.optimize import least_squares

    i, u = points.current_mA_cm2, points.voltage_V

    def predicted(at: _Array, current: _Array = i) -> _Array:
        kinetic = cell_voltage_V(
            current, parameters.value(at, "log_exchange"), parameters.value(at, "form"), model, protocol
        )
        return parameters.value(at, "rest") + 1e-3 * parameters.value(at, "resistance") * current + kinetic

    at = np.clip(start, parameters.lower, parameters.upper)
    scale = max(float(np.ptp(u)), 1e-12)
    weight = np.full(i.size, 1.0 / scale)
    prior = parameters.prior_ohm_cm2

    def residuals(coordinates: _Array) -> _Array:
        out = (u - predicted(coordinates)) * weight
        if prior > 0:
            out = np.append(out, (coordinates[1] - parameters.given_ohm_cm2) / prior)
        return out

    jacobian, cost = np.zeros((0, 0)), 0.0
    for turn in range(rounds):
        solved = least_squares(
            residuals, at, jac="3-point", bounds=(parameters.lower, parameters.upper), x_scale="jac", max_nfev=200
        )
        at, jacobian, cost = solved.x, solved.jac, float(solved.cost)
        if turn == rounds - 1:
            break
        step = np.maximum(1e-4 * np.abs(i), 1e-9 * float(np.abs(i).max()))
        slope = (predicted(at, i + step) - predicted(at, i - step)) / (2 * step)
        variance = points.voltage_error_V**2 + (slope * points.current_error_mA_cm2) ** 2
        weight = 1.0 / np.sqrt(variance + (1e-9 * scale) ** 2)
    return at, jacobian, cost, predicted(at), residuals(at)


def _stated(
    parameters: _Parameters,
    at: _Array,
    jacobian: _Array,
    fitted: _Array,
    residual: _Array,
    points: Points,
    model: str,
) -> Fit:
    span = np.where(np.isfinite(parameters.upper - parameters.lower), parameters.upper - parameters.lower, 1.0)
    on_bound = (at - parameters.lower <= _ON_BOUND * span) | (parameters.upper - at <= _ON_BOUND * span)
    freedom = max(residual.size - at.size, 1)
    own = residual[: points.voltage_V.size]
    chi_square = float(residual @ residual)
    inflation = max(chi_square / freedom, 1.0) * _following(own)
    # a parameter on its bound is as uncertain as any other: to leave it out would claim what the curve does not show
    covariance = _inverse(jacobian.T @ jacobian) * inflation
    errors = {name: float(np.sqrt(covariance[k, k])) for k, name in enumerate(parameters.names)}
    if "form" in errors:
        k = parameters.names.index("form")
        value = parameters.value(at, "form")
        if parameters.logarithmic:
            errors["form"] *= value
        elif parameters.folded:
            # a step of one standard error in 4 alpha (1 - alpha); its derivative vanishes at one half
            low = parameters.value(np.where(np.arange(at.size) == k, at - errors["form"], at), "form")
            high = parameters.value(np.where(np.arange(at.size) == k, np.minimum(at + errors["form"], 1.0), at), "form")
            errors["form"] = max(value - low, high - value)
    pair = np.zeros((2, 2))
    pair[0, 0] = covariance[0, 0]
    if "resistance" in parameters.names:
        pair = covariance[:2, :2]
    spread = np.sqrt(pair[0, 0] * pair[1, 1])
    return Fit(
        model=model,
        exchange_mA_cm2=float(np.exp(at[0])),
        resistance_ohm_cm2=parameters.value(at, "resistance"),
        rest_V=parameters.value(at, "rest"),
        form=parameters.value(at, "form"),
        errors=errors,
        correlation=float(pair[0, 1] / spread) if spread > 0 else 0.0,
        covariance=pair,
        chi_square=chi_square,
        freedom=freedom,
        misfit=float(np.sqrt(np.mean((points.voltage_V - fitted) ** 2)) / max(float(np.ptp(points.voltage_V)), 1e-300)),
        inflation=inflation,
        fitted_V=fitted,
        bounds=tuple(name for k, name in enumerate(parameters.names) if on_bound[k]),
    )


def _inverse(normal: _Array) -> _Array:
    """Return the inverse of a normal matrix, with enormous variances where it is singular."""
    size = np.sqrt(np.maximum(np.diag(normal), 1e-200))
    scaled = normal / np.outer(size, size)
    values, vectors = np.linalg.eigh(scaled)
    return np.asarray((vectors / np.maximum(values, _SINGULAR)) @ vectors.T / np.outer(size, size))


def _following(residual: _Array) -> float:
    """Return the factor by which residuals that follow each other carry less than their number: (1 + r)/(1 - r)."""
    if residual.size < 8:
        return 1.0
    centred = residual - residual.mean()
    total = float(centred @ centred)
    r = float(centred[1:] @ centred[:-1]) / total if total > 0 else 0.0
    if r < 2 / np.sqrt(residual.size):
        return 1.0
    return (1 + min(r, 0.98)) / (1 - min(r, 0.98))
