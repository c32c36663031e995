"""Lives until a short: the law of the tallest spot, its sampling, its limits, and the Weibull law that describes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.physics.lifetime import Growth, Weibull, weibull_of
from sodiophile.physics.parts import Shorts

GROWTH = Growth(reach_um=260.0, first_um=30.0, rate_um_h=0.2, spots=1e4, spread=0.4)


def shorted_cell(**changes):
    given = {
        "spot_density": "1e4 1/cm^2", "growth_spread": "0.4", "solidity": "0.3", "kept_fraction": "0.02",
        "growth_per_time": "0.05 um/h", "bridge_resistance": "1 ohm cm^2", **changes,
    }  # fmt: skip
    return load_cell("bare-na").model_copy(update={"shorts": Shorts.model_validate(given)})


def test_height_of_a_half_cycle_is_the_volume_of_its_charge():
    """1 mAh/cm2 of sodium is 8.86 um when dense."""
    growth = Growth.of(shorted_cell(), 0.5, 1.0, 1.0)
    assert growth.first_um == pytest.approx(8.86 / 0.3, rel=1e-3)
    assert growth.rate_um_h == pytest.approx(0.05 + 0.02 * growth.first_um / 4.0, rel=1e-12)
    assert growth.reach_um == 260.0
    assert Growth.of(shorted_cell(compression="0.5"), 0.5, 1.0, 1.0).reach_um == 130.0


def test_samples_are_the_tallest_of_many_spots():
    """The law in closed form against spots that are drawn one by one."""
    random = np.random.default_rng(2)
    growth = Growth(260.0, 30.0, 0.2, spots=200.0, spread=0.4)
    tallest = [np.exp(0.4 * random.standard_normal(max(random.poisson(200.0), 1))).max() for _ in range(4000)]
    by_spots = np.maximum(260.0 / np.array(tallest) - 30.0, 0.0) / 0.2
    drawn = growth.draw_h(4000, random)
    for part in (0.1, 0.5, 0.9):
        assert np.quantile(drawn, part) == pytest.approx(np.quantile(by_spots, part), rel=0.02)
        assert growth.quantile_h(part) == pytest.approx(np.quantile(by_spots, part), rel=0.02)


@given(st.floats(0.01, 0.99), st.floats(1.0, 1e8), st.floats(0.05, 2.0))
def test_quantile_is_the_inverse_of_survival(part, spots, spread):
    growth = Growth(1e6, 1e-6, 1.0, spots, spread)
    time = float(growth.quantile_h(part))
    if np.isfinite(time) and time > 0:
        assert 1 - growth.survival(time) == pytest.approx(part, rel=1e-6)


def test_growth_by_time_alone_lives_as_long_at_any_current_and_by_charge_as_its_inverse():
    """The two exponents between which the lives at two currents lie: 0 and 1 in 1/j."""
    by_time = shorted_cell(kept_fraction="0", growth_per_time="0.1 um/h")
    by_charge = shorted_cell(kept_fraction="0.05", growth_per_time="0 um/h")
    slow, fast = (Growth.of(by_time, j, 1.0, 1.0).quantile_h(0.5) for j in (0.5, 1.0))
    assert slow == pytest.approx(fast)
    slow, fast = (Growth.of(by_charge, j, 1.0, 1.0).quantile_h(0.5) for j in (0.5, 1.0))
    assert slow == pytest.approx(2 * fast)


def test_more_area_more_spots_shorter_lives():
    lives = [Growth.of(shorted_cell(), 0.5, 1.0, area).quantile_h(0.5) for area in (0.1, 1.0, 10.0)]
    assert lives[0] > lives[1] > lives[2]


def test_a_thin_separator_is_bridged_in_the_first_half_cycle():
    growth = Growth(10.0, 30.0, 0.2, 1e4, 0.4)
    assert growth.draw_h(10, np.random.default_rng(0)).max() == 0.0
    assert growth.survival(0.0) == pytest.approx(0.0, abs=1e-12)


def test_weibull_gives_the_law_back_with_and_without_censoring():
    random = np.random.default_rng(4)
    lives = 500.0 * random.weibull(3.0, 4000)
    plain = weibull_of(lives)
    assert plain.shape == pytest.approx(3.0, rel=0.05)
    assert plain.scale_h == pytest.approx(500.0, rel=0.02)
    ended = np.minimum(lives, 450.0)
    cut = weibull_of(ended, lives > 450.0)
    assert cut.shape == pytest.approx(3.0, rel=0.08)
    assert cut.scale_h == pytest.approx(500.0, rel=0.03)


def test_lives_of_many_spots_are_nearly_weibull():
    lives = GROWTH.draw_h(3000, np.random.default_rng(5))
    law = weibull_of(lives[lives > 0])
    times = GROWTH.quantile_h([0.1, 0.3, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(law.survival(times), GROWTH.survival(times), atol=0.04)
    assert Weibull(2.0, 10.0).survival(10.0) == pytest.approx(np.exp(-1))


@pytest.mark.parametrize("call", [([1.0],), ([1.0, 1.0],), ([1.0, -1.0],), ([1.0, np.inf],), ([],), ([1, 2, 3], [1, 1, 0])])
def test_lives_that_tell_nothing_are_refused(call):
    with pytest.raises(InputError, match="expected"):
        weibull_of(*call)


def test_a_cell_without_shorts_says_what_is_missing():
    with pytest.raises(InputError, match="shorts: missing"):
        Growth.of(load_cell("bare-li").model_copy(update={"shorts": None}), 0.5, 1.0, 1.0)
    with pytest.raises(InputError, match="above 0"):
        Growth.of(shorted_cell(), 0.0, 1.0, 1.0)
