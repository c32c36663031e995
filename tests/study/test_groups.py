"""Groups of few cells: mean and interval, Welch, permutation, Holm."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.study.groups import differ, holm, summarize

values = st.lists(st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 3)), min_size=2, max_size=5)


def test_one_cell_has_no_spread() -> None:
    found = summarize([3.0])
    assert (found.n, found.mean, found.standard_deviation, found.low_95) == (1, 3.0, None, None)


def test_the_interval_is_that_of_student() -> None:
    found = summarize([1.0, 2.0, 3.0])
    # t(2) = 4.303 at 97.5 %
    assert (found.low_95, found.high_95) == pytest.approx((2 - 4.3027 / np.sqrt(3), 2 + 4.3027 / np.sqrt(3)), rel=1e-4)


@settings(deadline=None)
@given(values, values)
def test_welch_is_that_of_scipy(first: list[float], second: list[float]) -> None:
    from scipy.stats import ttest_ind

    found = differ(first, second)
    if found.p_welch is None:
        assert np.ptp(first) == pytest.approx(0, abs=1e-9)
        assert np.ptp(second) == pytest.approx(0, abs=1e-9)
        return
    reference = ttest_ind(first, second, equal_var=False)
    assert found.p_welch == pytest.approx(reference.pvalue, rel=1e-6, abs=1e-12)
    interval = reference.confidence_interval()
    assert (found.low_95, found.high_95) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(values, values)
def test_the_permutation_test_counts_every_dealing_and_sees_only_differences(
    first: list[float], second: list[float]
) -> None:
    found = differ(first, second)
    # the same in whole numbers, where ties are ties
    both, n = [round(1000 * x) for x in (*first, *second)], len(first)
    m = len(both) - n
    shifts = [abs(m * sum(chosen) - n * (sum(both) - sum(chosen))) for chosen in combinations(both, n)]
    observed = abs(m * sum(both[:n]) - n * sum(both[n:]))
    assert found.p_permutation == pytest.approx(np.mean([shift >= observed for shift in shifts]))
    moved = differ([x + 100 for x in first], [x + 100 for x in second])
    assert moved.p_permutation == pytest.approx(found.p_permutation)
    assert differ(second, first).difference == pytest.approx(-found.difference)


def test_so_few_cells_cannot_show_much() -> None:
    found = differ([1.0, 1.1], [5.0, 5.2])
    assert found.p_permutation == pytest.approx(1 / 3)
    assert found.smallest_p == pytest.approx(1 / 3)
    assert found.borne_out


def test_an_outlier_is_not_borne_out() -> None:
    assert not differ([1.0, 2.0, 3.0, 4.0], [1.5, 2.5, 3.5, 60.0]).borne_out


def test_the_effect_size_is_corrected_for_few_cells() -> None:
    found = differ([2.0, 4.0, 6.0], [1.0, 3.0, 5.0])
    # Cohen's d is 1/2; J(4) = 1 - 3/15
    assert found.effect_size == pytest.approx(0.5 * 0.8)


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(1000):
        found = differ(rng.normal(5, 1, 4), rng.normal(3, 3, 3))
        assert found.low_95 is not None
        assert found.high_95 is not None
        inside += found.low_95 <= 2.0 <= found.high_95
    assert 0.90 < inside / 1000 < 0.98


def test_holm_is_the_published_procedure() -> None:
    # the step-down rule by hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, 1 * 0.04 raised to what came before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_no_value_is_refused() -> None:
    with pytest.raises(InputError, match="found 0 values"):
        summarize([])
