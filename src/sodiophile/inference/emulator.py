r"""A stand-in for a slow simulator: a Gaussian process through the runs that were made, with its own error.

For every output, :math:`y(u) = h(u)^T\beta + Z(u)` with :math:`h = (1, u)` and Z a Gaussian process of covariance
:math:`s^2[\exp(-\tfrac12\sum_i(\Delta u_i/l_i)^2) + g\,\delta]`. Mean and variance at new points follow in closed form; the
lengths and the nugget are those of the largest likelihood. How far it can be trusted is measured: every run is left out
once and predicted from the others.

References
----------
C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006), sections 2.2, 2.7, 5.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError

Array = NDArray[np.float64]

_LENGTHS = (0.15, 30.0)
_NUGGET = (1e-8, 0.3)
_LOG_ABOVE = 3.0
"""Outputs above 0 that span more than this factor are emulated by their logarithm."""


@dataclass(frozen=True)
class _Process:
    """One output."""

    logarithm: bool
    centre: float
    scale: float
    lengths: Array
    beta: Array
    weights: Array
    whitened: Array
    whitener: Array
    trend: Array
    variance: float
    nugget: float
    left_out: Array


@dataclass(frozen=True)
class Emulator:
    """Gaussian processes for all outputs of a simulator.

    Parameters
    ----------
    u
        Where the simulator ran, shape (n, d).
    processes
        One an output.
    """

    u: Array
    processes: tuple[_Process, ...]

    @classmethod
    def fit(cls, u: Array, y: Array) -> Emulator:
        """Return the emulator of runs.

        Parameters
        ----------
        u
            Points, shape (n, d), of the order of one (standard normal).
        y
            Outputs, shape (n, m), finite.

        Raises
        ------
        InputError
            If there are fewer runs than a line in every direction needs, and three more.
        """
        n, d = u.shape
        if n < d + 4:
            raise InputError(f"{n} runs cannot stand for a simulator of {d} parameters; expected at least {d + 4}")
        return cls(u, tuple(_fitted(u, y[:, k]) for k in range(y.shape[1])))

    def predict(self, u: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of all outputs at points `u`, (k, d) -> (k, m) twice."""
        squared = _distances(u, self.u)
        found = [_predicted(one, squared, u) for one in self.processes]
        return np.stack([mean for mean, _ in found], axis=1), np.stack([error for _, error in found], axis=1)

    @property
    def left_out(self) -> Array:
        """What each run differs from its prediction by the others, in the unit of the output, shape (n, m)."""
        return np.stack([one.left_out for one in self.processes], axis=1)

    @property
    def error(self) -> Array:
        """Root mean square of `left_out`, shape (m,)."""
        return np.asarray(np.sqrt(np.mean(self.left_out**2, axis=0)))


def _distances(a: Array, b: Array) -> Array:
    """Return the squared distances in each direction, shape (n, k, d)."""
    return np.asarray((a[:, None, :] - b[None, :, :]) ** 2)


def _fitted(u: Array, y: Array) -> _Process:
    logarithm = bool(np.all(y > 0) and y.max() > _LOG_ABOVE * y.min())
    raw = np.log(y) if logarithm else y
    centre, scale = float(raw.mean()), float(raw.std())
    if scale <= 1e-12 * max(1.0, abs(centre)):
        scale = 1.0
    target = (raw - centre) / scale
    n, d = u.shape
    basis = np.column_stack([np.ones(n), u])
    squared = _distances(u, u)

    def parts(theta: Array) -> tuple[Array, Array, Array, Array, float, float]:
        lengths, nugget = np.exp(theta[:d]), float(np.exp(theta[d]))
        K = np.exp(-0.5 * squared @ lengths**-2.0)
        K[np.diag_indices(n)] += nugget
        L = np.asarray(np.linalg.cholesky(K), dtype=np.float64)
        HL: Array = np.asarray(np.linalg.solve(L, basis), dtype=np.float64)
        yL = np.linalg.solve(L, target)
        beta, *_ = np.linalg.lstsq(HL, yL, rcond=None)
        rest = yL - HL @ beta
        variance = float(rest @ rest) / max(n - d - 1, 1) + 1e-20
        return L, HL, np.asarray(beta, dtype=np.float64), np.asarray(rest), variance, nugget

    def cost(theta: Array) -> float:
        """Return minus twice the restricted likelihood, and a weak preference for lengths of the order of the prior."""
        try:
            L, HL, _, _, variance, _ = parts(theta)
        except np.linalg.LinAlgError:
            return 1e10
        _, logdet = np.linalg.slogdet(HL.T @ HL)
        preference = 0.02 * float(np.sum((theta[:d] - np.log(3.0)) ** 2))
        return float((n - d - 1) * np.log(variance) + 2.0 * np.log(np.diag(L)).sum() + logdet + preference)

    bounds = [tuple(np.log(_LENGTHS))] * d + [tuple(np.log(_NUGGET))]
    starts = [np.append(np.full(d, np.log(length)), np.log(nugget)) for length, nugget in ((2.0, 1e-6), (6.0, 1e-3))]
    theta = _least(cost, starts, bounds)
    L, HL, beta, rest, variance, nugget = parts(theta)
    lengths = np.exp(theta[:d])
    weights = np.asarray(np.linalg.solve(L.T, rest), dtype=np.float64)
    # leaving one out in closed form, the line refitted: residual_i = (Q y)_i / Q_ii
    inverse = np.asarray(np.linalg.inv(L), dtype=np.float64)
    K_inverse = inverse.T @ inverse
    KH = K_inverse @ basis
    Q = K_inverse - KH @ np.linalg.pinv(basis.T @ KH) @ KH.T
    left = (Q @ target) / np.maximum(np.diag(Q), 1e-12) * scale
    left = y - np.exp(raw - left) if logarithm else left
    trend = np.asarray(np.linalg.pinv(HL.T @ HL), dtype=np.float64)
    return _Process(logarithm, centre, scale, lengths, beta, weights, HL, inverse, trend, variance, nugget, left)


def _least(cost: Callable[[Array], float], starts: list[Array], bounds: list[tuple[float, float]]) -> Array:
    from scipy.optimize import minimize

    found = [minimize(cost, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60}) for start in starts]
    return np.asarray(min(found, key=lambda one: float(one.fun)).x)


def _predicted(one: _Process, squared: Array, u: Array) -> tuple[Array, Array]:
    k = np.exp(-0.5 * squared @ one.lengths**-2.0)
    h = np.column_stack([np.ones(len(u)), u])
    mean = h @ one.beta + k @ one.weights
    white = one.whitener @ k.T
    gap = h.T - one.whitened.T @ white
    trend = np.sum(gap * (one.trend @ gap), axis=0)
    spread = one.variance * (1.0 + one.nugget - np.sum(white**2, axis=0) + trend)
    value, error = one.centre + one.scale * mean, one.scale * np.sqrt(np.maximum(spread, 0.0))
    if one.logarithm:
        value = np.exp(np.minimum(value, 700.0))
        error = value * error
    return value, error
