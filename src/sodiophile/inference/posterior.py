r"""Least squares and posterior of a simulator's parameters: the emulator proposes, the simulator itself decides.

In the standard normal variables u of `sodiophile.inference.priors` the posterior is

.. math:: \pi(u) \propto e^{-|u|^2/2}\prod_k p(v_k \mid y_k(u), \sigma_k)

with a normal law for a value, and :math:`\Phi(\pm(y-v)/\sigma)` for one that only bounds. A Gaussian process through a
design of runs stands in for y: an affine-invariant ensemble samples its posterior, widened by its own error. At every draw
kept the simulator then runs, and the draw gets the weight :math:`\pi(u)/\pi_{em}(u)`: what comes out is a sample of the
true posterior, whatever the emulator; a poor one only costs effective draws, and these are counted. Runs made so teach the
emulator of the next round.

All runs stand in a file, one line each. A killed calibration goes on from there and ends with the same numbers.

References
----------
J. Goodman, J. Weare, Commun. Appl. Math. Comput. Sci. 5 (2010) 65, doi 10.2140/camcos.2010.5.65 (recalled).
M. C. Kennedy, A. O'Hagan, J. R. Stat. Soc. B 63 (2001) 425, doi 10.1111/1467-9868.00294 (recalled).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError, SodiophileError
from sodiophile.inference.emulator import Emulator
from sodiophile.quantity import Bound

Array = NDArray[np.float64]
Simulator = Callable[[Array], Array]
"""Standard normal u, shape (d,) -> all outputs, shape (m,); raises a `SodiophileError` where it has none."""

_WALKERS = 48
_BURN = 400
_STEPS = 800
_STRETCH = 2.0
_GOOD_SHARE = 0.6
_ROUNDS = 3
_STEP_U = 0.05
_NEWTON_STEPS = 8


@dataclass(frozen=True, slots=True)
class Datum:
    """A value that is calibrated to.

    Parameters
    ----------
    output
        Which output of the simulator it is a value of.
    value, sigma
        In the unit of the output; sigma is the standard deviation of measurement and model together, above 0.
    bound
        ``lower`` or ``upper`` where the value only bounds the truth.
    """

    output: int
    value: float
    sigma: float
    bound: Bound | None = None


def log_likelihood(y: Array, data: Sequence[Datum], error: Array | None = None) -> Array:
    """Return the logarithm of the likelihood of outputs `y`, (k, m) -> (k,); `error` widens each output by its own."""
    from scipy.special import log_ndtr

    total = np.zeros(len(y))
    for datum in data:
        sigma = np.full(len(y), datum.sigma) if error is None else np.hypot(datum.sigma, error[:, datum.output])
        beyond = (y[:, datum.output] - datum.value) / sigma
        if datum.bound is None:
            total += -0.5 * beyond**2 - np.log(sigma / datum.sigma)
        else:
            total += log_ndtr(beyond if datum.bound == "lower" else -beyond)
    return total


class Runs:
    """All runs of the simulator so far, in memory and in a file that outlives a killed process.

    Parameters
    ----------
    simulator
        The simulator.
    path
        The file, one JSON object a line: ``u`` and ``y``, or ``u`` and ``failed``. A last line cut short is dropped.
    """

    def __init__(self, simulator: Simulator, path: Path | None = None) -> None:
        self._simulator, self._path = simulator, path
        self.u: list[Array] = []
        self.y: list[Array | None] = []
        self.reasons: list[str] = []
        self._known: dict[tuple[float, ...], int] = {}
        # what a killed process left; it counts once it is asked for, so that everything happens in the same order again
        self._left: dict[tuple[float, ...], tuple[Array | None, str]] = {}
        if path is not None and path.exists():
            kept = []
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    y = None if "failed" in entry else np.array(entry["y"], dtype=float)
                    self._left[tuple(float(x) for x in entry["u"])] = (y, str(entry.get("failed", "")))
                except (ValueError, KeyError, TypeError):
                    break
                kept.append(line)
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def _add(self, key: tuple[float, ...], y: Array | None, reason: str) -> None:
        self._known[key] = len(self.u)
        self.u.append(np.array(key))
        self.y.append(y)
        if y is None:
            self.reasons.append(reason)

    def __call__(self, u: Array) -> Array | None:
        """Return the outputs at `u`, shape (m,); None where the simulator fails."""
        key = tuple(float(x) for x in u)
        if key in self._known:
            return self.y[self._known[key]]
        if key in self._left:
            self._add(key, *self._left[key])
            return self.y[-1]
        y, reason = None, ""
        try:
            y = np.asarray(self._simulator(u), dtype=float)
            if not np.all(np.isfinite(y)):
                y, reason = None, "an output is not finite"
        except SodiophileError as error:
            reason = str(error)
        self._add(key, y, reason)
        if self._path is not None:
            entry = {"u": list(key), **({"failed": reason} if y is None else {"y": [float(x) for x in y]})}
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")
        return y

    def adopt(self, u: Array, y: Sequence[Array | None], reasons: Sequence[str]) -> None:
        """Take in runs made elsewhere."""
        left = iter(reasons)
        for point, outputs in zip(u, y, strict=True):
            reason = next(left) if outputs is None else ""
            self._add(tuple(float(x) for x in point), outputs, reason)

    @property
    def good(self) -> tuple[Array, Array]:
        """Points and outputs of all runs that did not fail, shapes (n, d) and (n, m)."""
        pairs = [(u, y) for u, y in zip(self.u, self.y, strict=True) if y is not None]
        if not pairs:
            return np.empty((0, 0)), np.empty((0, 0))
        return np.array([u for u, _ in pairs]), np.array([y for _, y in pairs])

    def fails(self, u: Array) -> NDArray[np.bool_]:
        """Return where the nearest run failed, (k, d) -> (k,)."""
        if not self.reasons:
            return np.zeros(len(u), dtype=bool)
        points, failed = np.array(self.u), np.array([y is None for y in self.y])
        nearest = np.argmin(((u[:, None, :] - points[None, :, :]) ** 2).sum(axis=2), axis=1)
        return np.asarray(failed[nearest])


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


def ensemble(
    log_density: Callable[[Array], Array], start: Array, steps: int, random: np.random.Generator
) -> tuple[Array, float]:
    """Sample a density with an affine-invariant ensemble (stretch moves of Goodman and Weare).

    Parameters
    ----------
    log_density
        (k, d) -> (k,).
    start
        The walkers, shape (w, d), w even, at least 2 d + 2, all where the density is above 0.
    steps
        Moves of every walker.
    random
        Decides the moves.

    Returns
    -------
    draws : ndarray
        Shape (steps, w, d).
    accepted : float
        Share of accepted moves.
    """
    walkers, d = start.shape
    position, density = start.copy(), log_density(start)
    half = walkers // 2
    groups = (np.arange(half), np.arange(half, walkers))
    kept = np.empty((steps, walkers, d))
    accepted = 0
    for step in range(steps):
        for mine, others in (groups, groups[::-1]):
            z = ((_STRETCH - 1.0) * random.random(len(mine)) + 1.0) ** 2 / _STRETCH
            partner = position[random.choice(others, len(mine))]
            new = partner + z[:, None] * (position[mine] - partner)
            found = log_density(new)
            better = np.log(random.random(len(mine))) < (d - 1) * np.log(z) + found - density[mine]
            position[mine[better]], density[mine[better]] = new[better], found[better]
            accepted += int(better.sum())
        kept[step] = position
    return kept, accepted / (steps * walkers)


@dataclass(frozen=True)
class Posterior:
    r"""A weighted sample of the posterior; every draw was run by the simulator.

    Parameters
    ----------
    u, y
        Draws and their outputs, shapes (k, d) and (k, m); draws at which the simulator fails are not among them.
    weights
        Sum to one, shape (k,).
    effective
        Effective number of draws, :math:`1/\sum w^2`.
    fit
        The best point.
    emulator
        As of the last round.
    failed
        Runs that failed among all that were made.
    made
        All runs, design included.
    accepted
        Share of moves that the ensemble accepted in the last round.
    rounds
        How often the emulator was taught anew.
    """

    u: Array
    y: Array
    weights: Array
    effective: float
    fit: Fit
    emulator: Emulator
    failed: int
    made: int
    accepted: float
    rounds: int

    def quantile(self, values: Array, levels: Sequence[float]) -> Array:
        """Return weighted quantiles of `values`, shape (k,)."""
        return weighted_quantile(values, self.weights, levels)


def weighted_quantile(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Return quantiles of a weighted sample, shape (len(levels),), linear between the middles of its steps."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(levels, cumulative, values[order]))


def sample(runs: Runs, data: Sequence[Datum], *, draws: int, seed: int = 0) -> Posterior:
    """Return the posterior.

    Parameters
    ----------
    runs
        The simulator with the runs of a design.
    data
        What is calibrated to.
    draws
        Draws to keep, each a run of the simulator.
    seed
        Decides them.

    Raises
    ------
    InputError
        If too few runs of the design gave outputs, or none is left with any weight.
    """
    points, outputs = runs.good
    count = len(runs.u)
    if len(points) == 0 or len(points) < points.shape[1] + 4:
        reason = runs.reasons[0] if runs.reasons else "there was none"
        raise InputError(
            f"only {len(points)} of {count} runs within the prior gave all the values, too few to calibrate; the first "
            f"failure: {reason}"
        )
    emulator = Emulator.fit(points, outputs)
    start = points[int(np.argmax(log_likelihood(outputs, data) - 0.5 * (points**2).sum(axis=1)))]
    fit = least_squares(runs, start, data)
    for round_number in range(_ROUNDS + 1):
        last = round_number == _ROUNDS
        emulator = Emulator.fit(*runs.good)
        wanted = draws if last else max(draws // 4, 8)
        random = np.random.default_rng([seed, round_number])
        proposed, accepted = _proposed(emulator, runs, data, fit, wanted, random)
        kept, weights = _weighted(runs, proposed, emulator, data)
        effective = 1.0 / float(np.sum(weights**2)) if len(weights) else 0.0
        if last:
            break
        if effective >= _GOOD_SHARE * wanted:
            # good enough: spend the rest on draws of the same kind
            more, accepted = _proposed(emulator, runs, data, fit, draws - wanted, np.random.default_rng([seed, 1000]))
            kept, weights = _weighted(runs, np.concatenate([proposed, more]), emulator, data)
            effective = 1.0 / float(np.sum(weights**2)) if len(weights) else 0.0
            break
    if not len(kept):
        raise InputError(f"the simulator fails at every draw of the posterior; the last failure: {runs.reasons[-1]}")
    y = np.array([runs(point) for point in kept])
    return Posterior(kept, y, weights, effective, fit, emulator, len(runs.reasons), len(runs.u), accepted, round_number)


def _proposed(
    emulator: Emulator, runs: Runs, data: Sequence[Datum], fit: Fit, wanted: int, random: np.random.Generator
) -> tuple[Array, float]:
    """Return draws of the emulator's posterior, shape (wanted, d)."""

    def density(u: Array) -> Array:
        found = emulated_log_density(emulator, data, u)
        return np.where(runs.fails(u), -np.inf, found)

    d = len(fit.u)
    walkers = max(_WALKERS, 4 * d)
    spread = np.linalg.cholesky(fit.covariance + 1e-6 * np.eye(d))
    start = fit.u + 0.5 * random.standard_normal((walkers, d)) @ spread.T
    bad = ~np.isfinite(density(start))
    start[bad] = fit.u + 1e-3 * random.standard_normal((int(bad.sum()), d))
    chain, accepted = ensemble(density, start, _BURN + _STEPS, random)
    pool = chain[_BURN:].reshape(-1, d)
    return pool[random.choice(len(pool), wanted, replace=False)], accepted


def emulated_log_density(emulator: Emulator, data: Sequence[Datum], u: Array) -> Array:
    """Return the logarithm of the emulator's posterior density, but for a constant, (k, d) -> (k,)."""
    mean, error = emulator.predict(u)
    return np.asarray(log_likelihood(mean, data, error) - 0.5 * (u**2).sum(axis=1))


def _weighted(runs: Runs, proposed: Array, emulator: Emulator, data: Sequence[Datum]) -> tuple[Array, Array]:
    outputs = [runs(point) for point in proposed]
    kept = np.array([y is not None for y in outputs])
    if not kept.any():
        return proposed[:0], np.empty(0)
    u, y = proposed[kept], np.array([one for one in outputs if one is not None])
    true = log_likelihood(y, data) - 0.5 * (u**2).sum(axis=1)
    excess = true - emulated_log_density(emulator, data, u)
    weights = np.exp(excess - excess.max())
    return u, weights / weights.sum()


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
