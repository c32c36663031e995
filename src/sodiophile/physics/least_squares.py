"""Many small least-squares problems at once: Levenberg-Marquardt with analytic derivatives and bounds, in batches.

Fits of spectra are small (some hundred residuals, about ten parameters) and many (spectra, starting values, competing
circuits, points of a profile). One at a time they cost mostly overhead; here all of them take each step together.

References
----------
D. W. Marquardt, J. Soc. Ind. Appl. Math. 1963, 11, 431, doi 10.1137/0111030; J. Nocedal, S. J. Wright, Numerical
Optimization, 2nd ed. (Springer, 2006), chapter 10 and section 16.7 (projection onto bounds).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Residuals = Callable[[Array, NDArray[np.intp]], tuple[Array, Array]]
"""(coordinates (k, p), which problems these are (k,)) -> residuals (k, m), their derivatives (k, p, m)."""

_LONGEST_STEP = 2.5
_STALLED = 1e12
_ROUNDS = 3
_IDLE = 1e-2


@dataclass(frozen=True)
class Minimum:
    """What the search found, for every problem of the batch.

    Parameters
    ----------
    coordinates
        Shape (b, p).
    cost
        Sum of squared residuals, shape (b,).
    normal
        J^T J at the minimum, shape (b, p, p).
    gradient
        J^T r at the minimum, shape (b, p).
    free
        False where a coordinate is held: it sits on a bound and the cost falls beyond, or its bounds coincide; (b, p).
    converged
        Shape (b,).
    steps
        Steps taken, shape (b,).
    """

    coordinates: Array
    cost: Array
    normal: Array
    gradient: Array
    free: NDArray[np.bool_]
    converged: NDArray[np.bool_]
    steps: NDArray[np.intp]

    def take(self, index: NDArray[np.intp]) -> Minimum:
        """Return the problems at `index`."""
        return Minimum(**{name: getattr(self, name)[index] for name in self.__dataclass_fields__})


def minimize_squares(
    residuals: Residuals, start: Array, lower: Array, upper: Array, *, tolerance: float = 1e-10, most_steps: int = 300
) -> Minimum:
    """Minimize the sum of squared residuals of every problem of a batch within bounds.

    Parameters
    ----------
    residuals
        Residuals and their derivatives for a subset of the problems.
    start
        Starting coordinates, shape (b, p); moved into the bounds.
    lower, upper
        Bounds, shape (b, p); equal where a coordinate is fixed.
    tolerance
        A problem has converged when the predicted relative decrease of its cost is smaller.
    most_steps
        Steps after which a problem is given up.
    """
    b = len(start)
    u = np.clip(start, lower, upper)
    index = np.arange(b)
    r, J = residuals(u, index)
    cost = np.einsum("bm,bm->b", r, r)
    A, g = _normal(r, J)
    damping = np.full(b, 1e-3)
    converged = np.zeros(b, dtype=bool)
    steps = np.zeros(b, dtype=np.intp)
    active = index
    fixed = lower >= upper
    for _ in range(most_steps):
        if active.size == 0:
            break
        ua, ga = u[active], g[active]
        held = fixed[active] | ((ua <= lower[active]) & (ga > 0)) | ((ua >= upper[active]) & (ga < 0))
        step, predicted = _step(A[active], ga, held, damping[active], cost[active])
        # one that a bound stops is held as well, and the others move without it: a step cut short would go nowhere
        for _ in range(_ROUNDS):
            stopped = ~held & (((ua <= lower[active]) & (step < 0)) | ((ua >= upper[active]) & (step > 0)))
            again = np.flatnonzero(stopped.any(axis=1))
            if again.size == 0:
                break
            held[again] |= stopped[again]
            who = active[again]
            step[again], predicted[again] = _step(A[who], ga[again], held[again], damping[who], cost[who])
        done = predicted <= tolerance * np.maximum(cost[active], np.finfo(float).tiny)
        trial = np.clip(ua + step, lower[active], upper[active])
        r, J = residuals(trial, active)
        trial_cost = np.einsum("bm,bm->b", r, r)
        better = trial_cost <= cost[active]  # false for NaN as well
        won = active[better]
        u[won], cost[won] = trial[better], trial_cost[better]
        A[won], g[won] = _normal(r[better], J[better])
        steps[active] += 1
        damping[won] = np.maximum(damping[won] * 0.2, 1e-12)
        lost = active[~better]
        damping[lost] *= 5.0
        # a step that is no better although it promises next to nothing ends at the limit of the arithmetic
        converged[active[done]] = True
        active = active[~done & (damping[active] < _STALLED)]
    held = fixed | ((u <= lower) & (g > 0)) | ((u >= upper) & (g < 0))
    stalled = damping >= _STALLED
    return Minimum(u, cost, A, g, ~held, converged | stalled, steps)


def covariance(minimum: Minimum) -> tuple[Array, NDArray[np.bool_]]:
    """Return (J^T J)^-1 over the free coordinates, zero elsewhere, and which problems have one; shapes (b, p, p), (b,).

    It is to be multiplied by the variance of a residual.
    """
    free = minimum.free
    both = free[:, :, None] & free[:, None, :]
    diagonal = np.where(free, np.einsum("bpp->bp", minimum.normal), 1.0)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = np.where(both, minimum.normal * scale[:, :, None] * scale[:, None, :], 0.0)
    scaled = scaled + np.where(free[:, :, None], 0.0, np.eye(free.shape[1]))
    values, vectors = np.linalg.eigh(scaled)
    known = (values[:, 0] > 1e-12) & (np.where(free, diagonal, 1.0) > 0).all(axis=1)
    inverse = np.einsum("bij,bj,bkj->bik", vectors, 1 / np.maximum(values, 1e-12), vectors)
    return np.where(both, inverse * scale[:, :, None] * scale[:, None, :], 0.0), known


def _normal(r: Array, J: Array) -> tuple[Array, Array]:
    return J @ np.swapaxes(J, 1, 2), np.einsum("bpm,bm->bp", J, r)


def _step(A: Array, g: Array, held: NDArray[np.bool_], damping: Array, cost: Array) -> tuple[Array, Array]:
    """Return the damped step, no coordinate longer than `_LONGEST_STEP`, and the decrease that it promises."""
    p = A.shape[1]
    diagonal = np.einsum("bpp->bp", A)
    scale = 1 / np.sqrt(np.maximum(diagonal, 1e-14 * diagonal.max(axis=1, keepdims=True) + np.finfo(float).tiny))
    scale = np.where(held, 0.0, scale)
    M = A * scale[:, :, None] * scale[:, None, :]
    place = np.arange(p)
    M[:, place, place] += damping[:, None] + np.where(held, 1.0, 0.0) + 1e-15
    y = np.linalg.solve(M, -(g * scale)[:, :, None])[:, :, 0]
    step = np.asarray(y * scale, dtype=np.float64)
    # one that moves the residuals by next to nothing (the exponent of a tail that is not there) must not hold others back
    idle = np.sqrt(diagonal) * _LONGEST_STEP < _IDLE * np.sqrt(cost)[:, None]
    step = np.where(idle, np.clip(step, -_LONGEST_STEP, _LONGEST_STEP), step)
    longest = np.where(idle, 0.0, np.abs(step)).max(axis=1)
    step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, np.finfo(float).tiny))[:, None]
    predicted: Array = -2 * np.einsum("bp,bp->b", g, step) - np.einsum("bp,bpq,bq->b", step, A, step)
    return step, predicted
