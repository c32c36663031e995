r"""The posterior of a simulator's parameters: the emulator proposes, the simulator itself decides.

In the standard normal variables u of `sodiophile.inference.priors` the posterior is

.. math:: \pi(u) \propto e^{-|u|^2/2}\prod_k p(v_k \mid y_k(u), \sigma_k)

with a normal law for a value, and :math:`\Phi(\pm(y-v)/\sigma)` for one that only bounds. A Gaussian process through a
design of runs stands in for y: an affine-invariant ensemble samples its posterior, widened by its own error. At every draw
kept the simulator then runs, and the draw gets the weight :math:`\pi(u)/\pi_{em}(u)`: what comes out is a sample of the
true posterior, whatever the emulator; a poor one only costs effective draws, and these are counted. Runs made so teach the
emulator of the next round.

All runs stand in a file (`sodiophile.inference.runs`).

References
----------
J. Goodman, J. Weare, Commun. Appl. Math. Comput. Sci. 5 (2010) 65, doi 10.2140/camcos.2010.5.65 (recalled).
M. C. Kennedy, A. O'Hagan, J. R. Stat. Soc. B 63 (2001) 425, doi 10.1111/1467-9868.00294 (recalled).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sodiophile.errors import InputError
from sodiophile.inference.emulator import Emulator
from sodiophile.inference.least_squares import Fit, least_squares
from sodiophile.inference.runs import Array, Datum, Runs, log_likelihood

_WALKERS = 48
_BURN = 400
_STEPS = 800
_STRETCH = 2.0
_GOOD_SHARE = 0.6
_ROUNDS = 3


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


def r_hat(chain: Array) -> float:
    r"""Return how far an ensemble is from having settled, :math:`\hat R` of the worst parameter: 1 where it has.

    Of the n draws of each half of every walker, with W the mean of their variances and B/n the variance of their means,
    :math:`\hat R = \sqrt{(n-1)/n + (B/n)/W}` (A. Gelman, D. B. Rubin, Stat. Sci. 7 (1992) 457, doi 10.1214/ss/1177011136,
    recalled; halves as in A. Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, recalled).

    Parameters
    ----------
    chain
        Shape (steps, w, d).
    """
    n = chain.shape[0] // 2
    halves = np.concatenate([chain[:n], chain[-n:]], axis=1)
    within = halves.var(axis=0, ddof=1).mean(axis=0)
    between = halves.mean(axis=0).var(axis=0, ddof=1)
    return float(np.sqrt((n - 1) / n + np.max(between / np.maximum(within, 1e-300))))


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
    r_hat
        Whether that ensemble had settled (`r_hat`).
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
    r_hat: float
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
        proposed, accepted, settled = _proposed(emulator, runs, data, fit, wanted, random)
        kept, weights = _weighted(runs, proposed, emulator, data)
        effective = 1.0 / float(np.sum(weights**2)) if len(weights) else 0.0
        if last:
            break
        if effective >= _GOOD_SHARE * wanted:
            # good enough: spend the rest on draws of the same kind
            more, accepted, settled = _proposed(
                emulator, runs, data, fit, draws - wanted, np.random.default_rng([seed, 1000])
            )
            kept, weights = _weighted(runs, np.concatenate([proposed, more]), emulator, data)
            effective = 1.0 / float(np.sum(weights**2)) if len(weights) else 0.0
            break
    if not len(kept):
        raise InputError(f"the simulator fails at every draw of the posterior; the last failure: {runs.reasons[-1]}")
    y = np.array([runs(point) for point in kept])
    return Posterior(
        kept, y, weights, effective, fit, emulator, len(runs.reasons), len(runs.u), accepted, settled, round_number
    )


def _proposed(
    emulator: Emulator, runs: Runs, data: Sequence[Datum], fit: Fit, wanted: int, random: np.random.Generator
) -> tuple[Array, float, float]:
    """Return draws of the emulator's posterior, shape (wanted, d), the share of moves accepted, and R-hat."""

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
    return pool[random.choice(len(pool), wanted, replace=False)], accepted, r_hat(chain[_BURN:])


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
