"""Groups of replicate cells: mean and spread, and what may be said of the difference of two groups of few cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError

MOST_RELABELLINGS = 200_000
"""Up to this many ways of dealing the cells to two groups (ten and ten), all are looked at."""


@dataclass(frozen=True)
class Summary:
    """Mean and spread of one quantity over the cells of a group, all in its unit.

    Parameters
    ----------
    n
        Cells.
    mean
        Their mean.
    standard_deviation
        Of one cell, with n - 1; None for one cell: one cell has no spread.
    low_95, high_95
        Student's t interval of the mean; None for one cell.
    smallest, largest
        The range.
    """

    n: int
    mean: float
    standard_deviation: float | None
    low_95: float | None
    high_95: float | None
    smallest: float
    largest: float


def summarize(values: Sequence[float]) -> Summary:
    """Return mean and spread of the cells of a group.

    Raises
    ------
    InputError
        If there is no value, or one is not finite.
    """
    x = _checked(values)
    n, mean = x.size, float(x.mean())
    if n == 1:
        return Summary(1, mean, None, None, None, mean, mean)
    from scipy.special import stdtrit

    deviation = float(x.std(ddof=1))
    reach = float(stdtrit(n - 1, 0.975)) * deviation / sqrt(n)
    return Summary(n, mean, deviation, mean - reach, mean + reach, float(x.min()), float(x.max()))


def _checked(values: Sequence[float]) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size == 0 or not np.all(np.isfinite(x)):
        raise InputError(f"found {x.size} values of a group, expected at least one, all of them finite")
    return x


@dataclass(frozen=True)
class Difference:
    """The difference of two groups, first minus second.

    Parameters
    ----------
    difference
        Of the means.
    low_95, high_95
        Welch's t interval of it; None where a group has one cell or neither has any spread.
    p_welch
        Of Welch's t test; None likewise.
    degrees_of_freedom
        Of Satterthwaite; None likewise.
    p_permutation
        Exact: the share of all ways of dealing the cells to the groups that give at least this difference; None where
        there are too many ways.
    smallest_p
        The smallest p that the permutation test of so few cells can give.
    effect_size
        Hedges' g: the difference in standard deviations, corrected for few cells; None without spread.
    """

    difference: float
    low_95: float | None
    high_95: float | None
    p_welch: float | None
    degrees_of_freedom: float | None
    p_permutation: float | None
    smallest_p: float | None
    effect_size: float | None

    @property
    def borne_out(self) -> bool:
        """Whether the permutation test, which assumes no distribution, says the same as far as so few cells can."""
        if self.p_permutation is None or self.smallest_p is None:
            return True
        return self.p_permutation <= max(0.05, self.smallest_p * (1 + 1e-9))


def differ(first: Sequence[float], second: Sequence[float]) -> Difference:
    r"""Compare two groups of cells.

    Welch's t does not assume that both groups scatter alike; the exact permutation test assumes no distribution at all.
    Hedges' :math:`g = (1 - 3/(4\nu - 1))\,(\bar x_1 - \bar x_2)/s_p`, with the pooled standard deviation and
    :math:`\nu = n_1 + n_2 - 2`.

    Parameters
    ----------
    first, second
        One value a cell, shapes (n1,) and (n2,).

    Raises
    ------
    InputError
        If a group is empty or a value not finite.

    References
    ----------
    B. L. Welch, Biometrika 1947, 34, 28, doi 10.1093/biomet/34.1-2.28; L. V. Hedges, J. Educ. Stat. 1981, 6, 107,
    doi 10.3102/10769986006002107.
    """
    a, b = _checked(first), _checked(second)
    difference = float(a.mean() - b.mean())
    p_permutation, smallest = _permutation(a, b)
    if min(a.size, b.size) < 2:
        return Difference(difference, None, None, None, None, p_permutation, smallest, None)
    variances = a.var(ddof=1) / a.size, b.var(ddof=1) / b.size
    total = float(sum(variances))
    # values that agree to rounding have no spread to judge by
    if total <= (1e-12 * max(abs(a).max(), abs(b).max())) ** 2:
        return Difference(difference, None, None, None, None, p_permutation, smallest, None)
    from scipy.special import stdtr, stdtrit

    dof = total**2 / float(variances[0] ** 2 / (a.size - 1) + variances[1] ** 2 / (b.size - 1))
    error = sqrt(total)
    reach = float(stdtrit(dof, 0.975)) * error
    free = a.size + b.size - 2
    pooled = sqrt(float((a.size - 1) * a.var(ddof=1) + (b.size - 1) * b.var(ddof=1)) / free)
    return Difference(
        difference,
        difference - reach,
        difference + reach,
        2 * float(stdtr(dof, -abs(difference) / error)),
        dof,
        p_permutation,
        smallest,
        (1 - 3 / (4 * free - 1)) * difference / pooled,
    )


def _permutation(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the exact two-sided p of the difference of means, and the smallest that could have come out."""
    ways = comb(a.size + b.size, a.size)
    if ways > MOST_RELABELLINGS:
        return None, None
    # differences are what counts: without the common part they keep their digits
    both = np.concatenate([a, b])
    both = both - both.mean()
    chosen = np.array(list(combinations(range(both.size), a.size)))
    sums = both[chosen].sum(axis=1)
    shifts = np.abs(sums / a.size - (both.sum() - sums) / b.size)
    # ties are ties whatever rounding does to them, also where all values are one
    slack = 1e-9 * float(shifts.max()) + 1e-12 * float(max(abs(a).max(), abs(b).max()))
    observed = abs(float(a.mean() - b.mean()))
    return float(np.mean(shifts >= observed - slack)), float(np.mean(shifts >= shifts.max() - slack))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted so that the chance of even one false alarm among all of them stays what it says.

    References
    ----------
    S. Holm, Scand. J. Stat. 1979, 6, 65.
    """
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, at in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = running
    return adjusted
