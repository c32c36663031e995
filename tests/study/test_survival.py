"""Kaplan-Meier and log-rank against published numbers, limits and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.study.survival import kaplan_meier, log_rank

# Weeks in remission of 21 pairs of patients (E. J. Freireich et al., Blood 1963, 21, 699), the worked example of textbooks.
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
TREATED_FAILED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

lives = st.lists(
    st.tuples(st.floats(0.1, 1e4, allow_nan=False).map(lambda t: round(t, 1)), st.booleans()), min_size=1, max_size=7
)


def _flags(marks: list[int]) -> list[bool]:
    return [bool(mark) for mark in marks]


def test_kaplan_meier_gives_the_textbook_table() -> None:
    found = kaplan_meier(TREATED, _flags(TREATED_FAILED))
    assert found.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert found.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert found.surviving == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    assert found.median == 23
    assert (found.n, found.events) == (21, 9)
    # the interval of ln(-ln S): 0.620 to 0.952 at six weeks, 13 weeks to no end for the median
    assert (found.low_95[0], found.high_95[0]) == pytest.approx((0.620, 0.952), abs=5e-4)
    assert found.median_interval == (13, None)


def test_without_censoring_it_is_the_share_alive() -> None:
    found = kaplan_meier(PLACEBO, [True] * 21)
    alive = [np.mean(np.array(PLACEBO) > time) for time in found.time]
    assert found.surviving == pytest.approx(alive)
    assert found.median == 8
    assert found.median_interval == (4, 11)


def test_log_rank_gives_the_textbook_statistic() -> None:
    found = log_rank(TREATED, _flags(TREATED_FAILED), PLACEBO, [True] * 21)
    assert found is not None
    assert found.chi2 == pytest.approx(16.79, abs=5e-3)
    assert found.p == pytest.approx(4.17e-5, rel=5e-3)
    assert not found.exact


def test_few_cells_are_dealt_in_every_way() -> None:
    found = log_rank([10, 11, 12], [True] * 3, [20, 21, 22], [True] * 3)
    assert found is not None
    # 2 of the 20 ways to deal six cells are as extreme
    assert (found.p, found.smallest_p, found.exact) == (pytest.approx(0.1), pytest.approx(0.1), True)


def test_a_median_that_is_not_reached_is_not_stated() -> None:
    found = kaplan_meier([100, 200, 300], [True, False, False])
    assert found.median is None
    assert found.longest == 300


def test_no_failure_tells_nothing() -> None:
    assert log_rank([100, 200], [False, False], [50, 60], [False, False]) is None
    # all of one group had left before the first failure
    assert log_rank([10, 20], [False, False], [50, 60], [True, True]) is None


@pytest.mark.parametrize(("times", "failed"), [([], []), ([1.0], []), ([-1.0], [True]), ([float("nan")], [True])])
def test_bad_lifespans_are_refused(times: list[float], failed: list[bool]) -> None:
    with pytest.raises(InputError):
        kaplan_meier(times, failed)


@given(lives)
def test_survival_falls_from_one_and_does_not_know_the_order(cells: list[tuple[float, bool]]) -> None:
    times, failed = zip(*cells, strict=True)
    found = kaplan_meier(times, failed)
    again = kaplan_meier(times[::-1], failed[::-1])
    assert np.array_equal(found.surviving, again.surviving)
    steps = np.concatenate([[1.0], found.surviving])
    assert np.all(np.diff(steps) < 0)
    assert np.all((found.low_95 <= found.surviving) | np.isnan(found.low_95))
    assert np.all((found.high_95 >= found.surviving) | np.isnan(found.high_95))


@given(lives, lives, st.floats(0.01, 100))
def test_log_rank_knows_neither_the_unit_nor_which_group_is_first(
    first: list[tuple[float, bool]], second: list[tuple[float, bool]], scale: float
) -> None:
    a, b = ([list(part) for part in zip(*cells, strict=True)] for cells in (first, second))
    found, swapped = log_rank(*a, *b), log_rank(*b, *a)
    scaled = log_rank([t * scale for t in a[0]], a[1], [t * scale for t in b[0]], b[1])
    if found is None:
        assert swapped is None
        assert scaled is None
        return
    assert swapped is not None
    assert scaled is not None
    assert (swapped.chi2, swapped.p) == pytest.approx((found.chi2, found.p))
    assert (scaled.chi2, scaled.p) == pytest.approx((found.chi2, found.p))
    assert 0 < (found.smallest_p or 0) <= found.p <= 1


def test_the_exact_test_keeps_its_false_alarms() -> None:
    """Groups that live equally long differ at p <= 0.05 in no more than 5 % of draws, half of the cells censored."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(400):
        life, end = rng.exponential(100, (2, 5)), rng.uniform(20, 200, (2, 5))
        times, failed = np.minimum(life, end), life <= end
        found = log_rank(times[0], failed[0], times[1], failed[1])
        alarms += found is not None and found.p <= 0.05
    # three standard deviations above 5 %
    assert alarms <= 400 * 0.05 + 3 * np.sqrt(400 * 0.05 * 0.95)
