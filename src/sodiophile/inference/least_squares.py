"""The point of largest posterior density of a simulator's parameters, by least squares on the simulator itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sodiophile.errors import InputError
from sodiophile.inference.runs import Array, Datum, Runs

_STEP_U = 0.05
_NEWTON_STEPS = 8


@dataclass(frozen=True)
class Fit:
    """The point of largest posterior density, by least squares on the simulator itself.

    Parameters
    ----------
    u
        Where, shape (d,).
    y
        Outputs there, shape (m,).
    jacobian
        Derivatives of all outputs, central differences, shape (m, d).
    covariance
        Of u, linear, shape (d, d).
    chi_squared
        Sum over the data of squared residuals over sigma, without the prior.
    converged
        Whether the last step was small.
    """

    u: Array
    y: Array
    jacobian: Array
    covariance: Array
    chi_squared: float
    converged: bool


def _residuals(y: Array, data: Sequence[Datum]) -> Array:
    """Return residuals over sigma, shape (k,); those of bounds that are kept are 0."""
    out = np.array([(y[datum.output] - datum.value) / datum.sigma for datum in data])
    for k, datum in enumerate(data):
        if datum.bound is not None:
            out[k] = min(out[k], 0.0) if datum.bound == "lower" else max(out[k], 0.0)
    return out


def jacobian_at(runs: Runs, u: Array, y: Array) -> Array:
    """Return the derivatives of all outputs, shape (m, d): central differences, one-sided next to where a run fails."""
    columns = []
    for k in range(len(u)):
        step = np.zeros(len(u))
        step[k] = _STEP_U
        ahead, behind = runs(u + step), runs(u - step)
        if ahead is not None and behind is not None:
            columns.append((ahead - behind) / (2 * _STEP_U))
        elif ahead is not None:
            columns.append((ahead - y) / _STEP_U)
        elif behind is not None:
            columns.append((y - behind) / _STEP_U)
        else:
            columns.append(np.zeros_like(y))
    return np.stack(columns, axis=1)


def least_squares(runs: Runs, start: Array, data: Sequence[Datum]) -> Fit:
    """Minimize the squared residuals and the prior's |u|^2 by damped Gauss-Newton steps on the simulator.

    Parameters
    ----------
    runs
        The simulator.
    start
        Where to begin, shape (d,).
    data
        What to fit.

    Raises
    ------
    InputError
        If the simulator fails at the start.
    """
    u = np.asarray(start, dtype=float)
    y = runs(u)
    if y is None:
        raise InputError(f"the simulator fails where the calibration begins: {runs.reasons[-1]}")
    which = [datum.output for datum in data]
    sigma = np.array([datum.sigma for datum in data])

    def cost(point: Array, outputs: Array) -> float:
        return float(np.sum(_residuals(outputs, data) ** 2) + point @ point)

    damping, converged = 1e-3, False
    for _ in range(_NEWTON_STEPS):
        J = jacobian_at(runs, u, y)
        r = _residuals(y, data)
        active = np.array([datum.bound is None or residual != 0.0 for datum, residual in zip(data, r, strict=True)])
        scaled = J[which] / sigma[:, None] * active[:, None]
        normal = scaled.T @ scaled + np.eye(len(u))
        gradient = scaled.T @ r + u
        for _ in range(6):
            step = -np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
            # priors are flat beyond a few sigma: no farther than that in one step
            step *= min(1.0, 1.5 / max(float(np.abs(step).max()), 1e-12))
            new = u + step
            outputs = runs(new)
            if outputs is not None and cost(new, outputs) <= cost(u, y) * (1 + 1e-9):
                u, y, damping = new, outputs, max(damping / 5, 1e-6)
                break
            damping *= 8
        else:
            converged = bool(np.abs(step).max() < 0.05)
            break
        if np.abs(step).max() < 0.01:
            converged = True
            break
    J = jacobian_at(runs, u, y)
    r = _residuals(y, data)
    active = np.array([datum.bound is None or residual != 0.0 for datum, residual in zip(data, r, strict=True)])
    scaled = J[which] / sigma[:, None] * active[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled + np.eye(len(u)))
    return Fit(u, y, J, covariance, float(r @ r), converged)


def discrepancy_scale(fit: Fit, data: Sequence[Datum]) -> float | None:
    r"""Return by how much the scatter about the fit exceeds the stated sigmas; None with no more values than parameters.

    Birge's ratio, :math:`\sqrt{\chi^2/(n-p)}` with p the parameters that the data inform, if above 1.
    """
    values = [datum for datum in data if datum.bound is None]
    scaled = np.array([fit.jacobian[datum.output] / datum.sigma for datum in values])
    if not len(scaled):
        return None
    singular = np.linalg.svd(scaled, compute_uv=False)
    # each direction counts by the part that the data have in its posterior
    freedom = len(values) - float(np.sum(singular**2 / (1.0 + singular**2)))
    if freedom < 0.5:
        return None
    return max(1.0, math.sqrt(fit.chi_squared / freedom))
