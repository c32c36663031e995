r"""What the data can tell of the parameters, and what they cannot: Fisher information, combinations, profile likelihood.

In the standard normal variables of the priors the information of the data is :math:`F = J^TJ`, J the derivatives of the
values over their sigmas. Its eigenvectors are combinations that the data see one by one: an eigenvalue far above 1 means
better known than by the prior, far below 1 not informed at all. With :math:`s_i = d\ln p_i/du_i` a direction v stands for
the product :math:`\prod_i p_i^{v_i/s_i}`: what one dip knows of interfacial energy and contact angle comes out as such
a product, and neither alone.

References
----------
A. Raue et al., Bioinformatics 25 (2009) 1923, doi 10.1093/bioinformatics/btp358 (recalled).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.inference.emulator import Emulator
from sodiophile.inference.priors import Prior
from sodiophile.inference.runs import Datum, log_likelihood

Array = NDArray[np.float64]

INFORMED = 1.0
"""A direction with an eigenvalue of the information above this is known better from the data than from the prior."""
DROP_95 = 1.92
"""The fall of the logarithm of a profile likelihood at the ends of its 95 % interval: half of chi squared (0.95, 1)."""

_GRID = np.linspace(-2.4, 2.4, 17)
_REACH_U = 3.0
_SMALL_LOADING = 0.1
_BY_CHANCE = 0.05


@dataclass(frozen=True)
class Direction:
    """A combination of parameters that the data see on its own.

    Parameters
    ----------
    information
        Eigenvalue of the Fisher information; 1 is as much as the prior knows.
    loadings
        Of the parameters in standard normal variables, unit length, shape (d,).
    exponents
        Of the parameters in the product that stands for it, the largest 1 in size, shape (d,).
    words
        The product.
    """

    information: float
    loadings: Array
    exponents: Array
    words: str

    @property
    def informed(self) -> bool:
        """Whether the data know it better than the prior."""
        return self.information > INFORMED


def directions(jacobian: Array, data: Sequence[Datum], priors: Sequence[Prior], u: Array) -> list[Direction]:
    """Return all combinations, the best known first.

    Parameters
    ----------
    jacobian
        Derivatives of the outputs, shape (m, d).
    data
        The values; one that only bounds tells nothing at the point where it is kept.
    priors
        Of the parameters.
    u
        Where, shape (d,).
    """
    rows = [jacobian[datum.output] / datum.sigma for datum in data if datum.bound is None]
    scaled = np.array(rows).reshape(len(rows), len(priors))
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    slopes = np.array([_log_slope(prior, float(at)) for prior, at in zip(priors, u, strict=True)])
    found = []
    for k in np.argsort(values)[::-1]:
        v = vectors[:, k]
        exponents = v / slopes
        # a parameter that hardly takes part is left out of the words
        exponents = np.where(np.abs(v) < _SMALL_LOADING * np.abs(v).max(), 0.0, exponents)
        exponents /= exponents[np.argmax(np.abs(exponents))]
        words = " × ".join(
            prior.name if abs(e - 1) < 5e-3 else f"{prior.name}^{e:.2g}"
            for prior, e in zip(priors, exponents, strict=True)
            if e
        )
        found.append(Direction(float(max(values[k], 0.0)), v, exponents, words))
    return found


def _log_slope(prior: Prior, u: float, step: float = 1e-4) -> float:
    """Return d ln p / du; for a parameter that can be 0 or negative, dp/du over the width of its prior instead."""
    low, high = (float(one) for one in prior.value([u - step, u + step]))
    if low > 0:
        return float(np.log(high / low) / (2 * step))
    ends = prior.value([-1.0, 1.0])
    return (high - low) / (2 * step) / float(ends[1] - ends[0]) * 2.0


@dataclass(frozen=True)
class Profile:
    """The profile likelihood of one parameter.

    Parameters
    ----------
    u
        Standard normal values of the parameter, shape (k,).
    log_likelihood
        The largest, over all other parameters, shape (k,), less its maximum.
    verdict
        ``identified``, ``bounded below only``, ``bounded above only`` or ``not identified``.
    """

    u: Array
    log_likelihood: Array
    verdict: str


def profile(emulator: Emulator, data: Sequence[Datum], index: int, start: Array) -> Profile:
    """Return the profile likelihood of a parameter, with the emulator for the simulator.

    Parameters
    ----------
    emulator
        Of the outputs.
    data
        The values.
    index
        Which parameter.
    start
        The best point, shape (d,).

    Notes
    -----
    The prior enters only as the box, of three standard deviations, in which all parameters stay.
    """
    from scipy.optimize import minimize

    d = len(start)
    others = [k for k in range(d) if k != index]

    def best(value: float, guess: Array) -> tuple[float, Array]:
        def cost(x: Array) -> float:
            point = np.empty((1, d))
            point[0, index], point[0, others] = value, x
            mean, error = emulator.predict(point)
            return -float(log_likelihood(mean, data, error)[0])

        if not others:
            return cost(np.empty(0)), guess
        found = minimize(
            cost, guess, method="L-BFGS-B", bounds=[(-_REACH_U, _REACH_U)] * len(others), options={"maxiter": 40}
        )
        return float(found.fun), np.asarray(found.x)

    middle = int(np.argmin(np.abs(_GRID - start[index])))
    costs = np.empty(_GRID.size)
    for way in (range(middle, _GRID.size), range(middle, -1, -1)):
        guess = np.clip(start[others], -_REACH_U, _REACH_U)
        for k in way:
            costs[k], guess = best(float(_GRID[k]), guess)
    fall = -(costs - costs.min())
    top = int(np.argmax(fall))
    below, above = bool(fall[: top + 1].min() < -DROP_95), bool(fall[top:].min() < -DROP_95)
    verdict = {
        (True, True): "identified",
        (True, False): "bounded below only",
        (False, True): "bounded above only",
        (False, False): "not identified",
    }[below, above]
    return Profile(_GRID.copy(), fall, verdict)


def sobol_indices(
    function: Callable[[Array], Array], dimensions: int, points: int = 1024, seed: int = 0
) -> tuple[Array, Array]:
    """Return first-order and total Sobol indices of every output over the prior, shapes (d, m) twice.

    First by Saltelli's estimator, total by Jansen's, on (d + 2) times `points` evaluations of `function`, which takes
    (k, d) and returns (k, m). An output that does not vary has indices 0.

    References
    ----------
    A. Saltelli et al., Comput. Phys. Commun. 181 (2010) 259, doi 10.1016/j.cpc.2009.09.018 (recalled).
    """
    from sodiophile.inference.priors import sobol_normal

    both = sobol_normal(points, 2 * dimensions, seed)
    A, B = both[:, :dimensions], both[:, dimensions:]
    fA, fB = function(A), function(B)
    centre = 0.5 * (fA.mean(axis=0) + fB.mean(axis=0))
    variance = np.var(np.concatenate([fA, fB]), axis=0)
    safe = np.where(variance > 1e-24 * np.maximum(centre**2, 1e-300), variance, np.inf)
    first, total = np.empty((dimensions, fA.shape[1])), np.empty((dimensions, fA.shape[1]))
    for k in range(dimensions):
        mixed = A.copy()
        mixed[:, k] = B[:, k]
        fM = function(mixed)
        first[k] = np.mean((fB - centre) * (fM - fA), axis=0) / safe
        total[k] = 0.5 * np.mean((fA - fM) ** 2, axis=0) / safe
    return first, total


def chance_share(inputs: int, draws: int) -> float:
    """Return the squared rank correlation with an outcome that the best of so many inputs reaches by chance once in twenty.

    Of independent ranks the correlation is normal with variance 1/(n - 1), n the draws.
    """
    from scipy.stats import norm

    return float(norm.isf(0.5 * _BY_CHANCE / max(inputs, 1))) ** 2 / (draws - 1)
