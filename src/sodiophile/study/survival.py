"""How long cells live where some had not failed when their test ended: Kaplan-Meier and log-rank, for few cells.

A lifespan that is only a lower bound (the test ended first) is censored: leaving it out, or taking it for a failure, would
both make the group look worse than it is, so no mean is taken through such values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError

MOST_RELABELLINGS = 50_000
"""Up to this many ways of dealing the cells to two groups, all are looked at; the p value is exact then."""


@dataclass(frozen=True)
class Survival:
    """The Kaplan-Meier estimate of one group.

    Parameters
    ----------
    time
        When cells failed, ascending, shape (k,).
    at_risk, failed
        Cells alive just before, and cells that failed then, shape (k,).
    surviving
        Share of the group alive after that time, shape (k,).
    low_95, high_95
        95 % interval of that share, shape (k,); NaN once all have failed.
    n, events
        Cells, and those of them that failed.
    longest
        The longest time observed, failed or not.
    """

    time: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    failed: NDArray[np.int64]
    surviving: NDArray[np.float64]
    low_95: NDArray[np.float64]
    high_95: NDArray[np.float64]
    n: int
    events: int
    longest: float

    @property
    def median(self) -> float | None:
        """The first time by which half of the group or more had failed; None if that many never did."""
        return _first(self.time, self.surviving)

    @property
    def median_interval(self) -> tuple[float | None, float | None]:
        """The 95 % interval of the median (Brookmeyer and Crowley); None where an end is not reached."""
        return _first(self.time, self.low_95), _first(self.time, self.high_95)


def _first(time: NDArray[np.float64], share: NDArray[np.float64]) -> float | None:
    # a share of 1/2 computed as 0.5000000000000001 is 1/2
    below = np.flatnonzero(share <= 0.5 + 1e-12)
    return float(time[below[0]]) if below.size else None


def kaplan_meier(times: Sequence[float], failed: Sequence[bool]) -> Survival:
    r"""Estimate the share of cells alive over time.

    .. math:: S(t) = \prod_{t_i \le t} \left(1 - \frac{d_i}{n_i}\right)

    with :math:`d_i` failures among :math:`n_i` cells at risk; cells censored at the time of a failure were at risk of it.
    The interval is that of :math:`\ln(-\ln S)` with Greenwood's variance, which stays between 0 and 1.

    Parameters
    ----------
    times
        Lifespans, or how long the test lasted, shape (n,).
    failed
        False for a cell that had not failed when its test ended, shape (n,).

    Raises
    ------
    InputError
        If there is no cell, or a time is negative or not finite.

    References
    ----------
    E. L. Kaplan, P. Meier, J. Am. Stat. Assoc. 1958, 53, 457, doi 10.1080/01621459.1958.10501452; R. Brookmeyer,
    J. Crowley, Biometrics 1982, 38, 29, doi 10.2307/2530286.
    """
    t, event = _checked(times, failed)
    time = np.unique(t[event])
    at_risk = (t >= time[:, None]).sum(axis=1)
    died = ((t == time[:, None]) & event).sum(axis=1)
    surviving = np.cumprod(1 - died / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(died / (at_risk * (at_risk - died)))
        log_s = np.log(surviving)
        reach = 1.959963984540054 * np.sqrt(greenwood) / np.abs(log_s)
        low, high = surviving ** np.exp(reach), surviving ** np.exp(-reach)
    # once all have failed the variance is undefined, and so is the interval
    low, high = np.where(surviving > 0, low, np.nan), np.where(surviving > 0, high, np.nan)
    return Survival(
        time,
        at_risk,
        died,
        surviving,
        low,
        high,
        len(t),
        int(event.sum()),
        float(t.max()),
    )


def _checked(times: Sequence[float], failed: Sequence[bool]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    t, event = np.asarray(times, dtype=float), np.asarray(failed, dtype=bool)
    if t.ndim != 1 or t.size == 0 or t.shape != event.shape:
        raise InputError(f"found {t.size} lifespans and {event.size} marks of failure, expected as many, at least one")
    if not np.all(np.isfinite(t)) or np.any(t < 0):
        raise InputError(f"found a lifespan of {t[~np.isfinite(t) | (t < 0)][0]:g}, expected 0 or more")
    return t, event


@dataclass(frozen=True)
class LogRank:
    """The comparison of two groups' lifespans.

    Parameters
    ----------
    chi2
        The statistic, of one degree of freedom.
    p
        Probability of at least this statistic if the group made no difference.
    exact
        True if `p` counts all ways of dealing the cells to the groups; else it is the limit for many cells.
    smallest_p
        The smallest p that so few cells can give at all; None where `p` is not exact.
    """

    chi2: float
    p: float
    exact: bool
    smallest_p: float | None


def log_rank(
    times_a: Sequence[float], failed_a: Sequence[bool], times_b: Sequence[float], failed_b: Sequence[bool]
) -> LogRank | None:
    r"""Test whether two groups of cells live equally long, censoring respected.

    .. math:: \chi^2 = \frac{\left[\sum_i (d_{Ai} - d_i n_{Ai}/n_i)\right]^2}
        {\sum_i d_i \frac{n_{Ai}}{n_i}\frac{n_{Bi}}{n_i}\frac{n_i - d_i}{n_i - 1}}

    For few cells its distribution is far from that of chi square, so the cells are dealt to the groups in
    every possible way.

    Returns
    -------
    LogRank or None
        None if no cell failed while cells of both groups were at risk: nothing can be told.

    Raises
    ------
    InputError
        If a group is empty or a time is not finite.

    References
    ----------
    N. Mantel, Cancer Chemother. Rep. 1966, 50, 163.
    """
    ta, ea = _checked(times_a, failed_a)
    tb, eb = _checked(times_b, failed_b)
    t, event = np.concatenate([ta, tb]), np.concatenate([ea, eb])
    n, size = len(t), len(ta)
    own = np.zeros((1, n))
    own[0, :size] = 1
    chi2 = _statistics(t, event, own)[0]
    if not np.isfinite(chi2):
        return None
    ways = comb(n, size)
    if ways > MOST_RELABELLINGS:
        from scipy.special import chdtrc

        return LogRank(float(chi2), float(chdtrc(1, chi2)), exact=False, smallest_p=None)
    dealt = np.zeros((ways, n))
    for row, chosen in enumerate(combinations(range(n), size)):
        dealt[row, chosen] = 1
    every = np.nan_to_num(_statistics(t, event, dealt), nan=0.0)
    largest = float(np.mean(every >= every.max() * (1 - 1e-9)))
    return LogRank(float(chi2), float(np.mean(every >= chi2 * (1 - 1e-9))), exact=True, smallest_p=largest)


def _statistics(t: NDArray[np.float64], event: NDArray[np.bool_], in_a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return chi square for each dealing of the cells; NaN where nothing can be told. `in_a` has shape (ways, n)."""
    observed, variance = np.zeros(len(in_a)), np.zeros(len(in_a))
    for time in np.unique(t[event]):
        alive, dying = (t >= time).astype(float), ((t == time) & event).astype(float)
        total, deaths = alive.sum(), dying.sum()
        share = in_a @ alive / total
        observed += in_a @ dying - deaths * share
        if total > 1:
            variance += deaths * share * (1 - share) * (total - deaths) / (total - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 1e-12, observed**2 / variance, np.nan)
