"""The verdict on how a symmetric cell ended: on ensembles of healthy and failing cells, and on the awkward cases."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.experiments import experiment
from sodiophile.schema import checked

HARD, SOFT, PASSIVATED = "hard short", "soft short suspected", "passivated"
CENSORED, UNDETERMINED = "protocol ended (right-censored)", "cannot be told from this file"
STEPS = (1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 0.5, 0.5, 0.5, 0.5, 0.5)


def analyzed(record, **options):
    kind = experiment("symmetric-cycling")
    return kind.run([record], checked(kind.protocol, {"area": "1 cm^2", **options}))


def verdict(record, **options):
    return analyzed(record, **options).verdicts["lifespan"].answer


def healthy(SymmetricCell, seed: int):
    """A healthy cell of the widest kind: 4 to 300 mV, noise, drift, temperature, formation, quantization, rates."""
    rng = np.random.default_rng(seed)
    level = 10 ** rng.uniform(0.6, 2.5)
    return SymmetricCell(
        level_mV=level,
        noise_mV=level * 10 ** rng.uniform(-3, -1.5),
        current_noise=10 ** rng.uniform(-4, -2),
        drift=rng.uniform(-0.5, 1.0),
        wiggle=rng.uniform(0, 0.1),
        formation=rng.choice([0, 0, 0.5, 1, 3]),
        formation_cycles=rng.uniform(0.5, 5),
        end_rise=rng.uniform(-0.1, 0.8),
        start_peak=rng.uniform(0, 1),
        resolution_mV=level * rng.choice([0, 0.003, 0.03, 0.05]),
        outliers=rng.choice([0, 1e-3]),
        asymmetry=rng.uniform(-0.1, 0.1),
        offset_mV=level * rng.uniform(-0.05, 0.05),
        rest_s=rng.choice([0, 0, 300, 600]),
        interval_s=rng.choice([10, 30, 60, 120, 300]),
        cycles=int(rng.integers(3, 60)),
        first_sign=int(rng.choice([-1, 1])),
        rates=STEPS if rng.random() < 0.25 else (),
        seed=seed,
    )


def duration_h(cell) -> float:
    return cell.cycles * 2 * (cell.half_h + cell.rest_s / 3600)


def test_false_alarms_on_healthy_cells_are_under_two_percent(SymmetricCell):
    # seeds that no threshold was chosen on
    answers = [verdict(healthy(SymmetricCell, seed).record()) for seed in range(10_000, 10_200)]
    assert sum(answer != CENSORED for answer in answers) <= 4


def test_every_hard_short_is_found_to_the_sample(SymmetricCell):
    for seed in range(20_000, 20_100):
        cell = healthy(SymmetricCell, seed)
        rng = np.random.default_rng(seed)
        ohm = rng.uniform(0.001, 0.1) * cell.level_mV / cell.current_mA / 2
        cell = cell.but(failure="hard", fail_h=rng.uniform(0.05, 0.98) * duration_h(cell), ohm=ohm)
        result = analyzed(cell.record())
        assert result.verdicts["lifespan"].answer == HARD, cell
        low, high = result.quantities["lifespan"].interval
        assert low - 1e-9 <= cell.fail_h <= high + 1e-9, cell
        assert (high - low) * 3600 <= 3 * cell.interval_s + cell.rest_s + 1e-6, cell


def test_nine_of_ten_soft_shorts_are_suspected(SymmetricCell):
    found, total = 0, 80
    for seed in range(30_000, 30_000 + total):
        rng = np.random.default_rng(seed)
        cell = healthy(SymmetricCell, seed).but(rates=(), cycles=30, end_rise=rng.uniform(0.1, 0.6))
        begins = rng.uniform(0.2, 0.9) * duration_h(cell)
        lasts = rng.choice([rng.uniform(0.5, 8), np.inf])
        cell = cell.but(failure="soft", fail_h=begins, remains=rng.uniform(0.3, 0.6), heal_h=begins + lasts)
        found += verdict(cell.record()) == SOFT
    assert found >= 0.9 * total


def test_every_cell_that_dries_out_is_passivated(SymmetricCell):
    for seed in range(40_000, 40_040):
        cell = healthy(SymmetricCell, seed).but(rates=(), cycles=30)
        cell = cell.but(failure="dry", fail_h=0.5 * duration_h(cell))
        assert verdict(cell.record()) == PASSIVATED
        limited = analyzed(cell.but(limit_mV=20 * cell.level_mV).record(), voltage_limit=f"{20 * cell.level_mV} mV")
        assert limited.verdicts["lifespan"].answer == PASSIVATED
        assert limited.quantities["lifespan"].value > 0.45 * duration_h(cell)


def test_collapse_within_one_sample_is_found_to_the_sample(SymmetricCell):
    cell = SymmetricCell(failure="hard", fail_h=33.333, ohm=1.0, interval_s=30)
    result = analyzed(cell.record())
    life = result.quantities["lifespan"]
    time_h = cell.trace()[0] / 3600
    first_failed = time_h[time_h >= 33.333][0]
    assert life.interval == pytest.approx((first_failed - 30 / 3600, first_failed), abs=1e-9)
    assert result.verdicts["lifespan"].answer == HARD
    assert "as a resistance of" in result.verdicts["lifespan"].evidence[1]
    assert result.quantities["lifespan_cycles"].interval == (8, 9)
    # plated during half cycles 1, 3, ..., 17, the last of which had begun 1.333 h before
    assert result.quantities["lifespan_plated_capacity"].value == pytest.approx(8 * 1.0 + 1.333 / 2, rel=0.01)


@pytest.mark.parametrize("samples_after", [3, 5, 40])
def test_record_that_ends_soon_after_the_short(SymmetricCell, samples_after):
    cell = SymmetricCell(failure="hard", fail_h=41.0, stop_h=41.0 + samples_after / 60)
    assert verdict(cell.record()) == HARD


def test_two_low_samples_at_the_end_are_not_enough(SymmetricCell):
    assert verdict(SymmetricCell(failure="hard", fail_h=41.0, stop_h=41.0 + 2 / 60).record()) == CENSORED


def test_short_in_the_very_first_half_cycle(SymmetricCell):
    result = analyzed(SymmetricCell(failure="hard", fail_h=1.2, cycles=10).record())
    assert result.verdicts["lifespan"].answer == HARD
    assert result.quantities["lifespan"].value == pytest.approx(1.2, abs=1 / 60)


def test_shorted_from_the_start(SymmetricCell):
    result = analyzed(SymmetricCell(failure="hard", fail_h=0.0, ohm=0.4, noise_mV=0.01).record())
    assert result.verdicts["lifespan"].answer == HARD
    assert result.quantities["lifespan"].value == 0


def test_healed_collapse_is_a_soft_short(SymmetricCell):
    cell = SymmetricCell(failure="hard", fail_h=40.5, heal_h=41.0)
    result = analyzed(cell.record())
    assert result.verdicts["lifespan"].answer == SOFT
    assert result.quantities["lifespan"].value == pytest.approx(40.5, abs=1 / 60)


def test_soft_short_before_a_hard_one_is_told_beside_it(SymmetricCell, as_record):
    time, current, voltage = SymmetricCell(failure="hard", fail_h=80.0).trace()
    soft = (time / 3600 > 40.5) & (time / 3600 < 44)
    result = analyzed(as_record(time, current, np.where(soft, 0.5 * voltage, voltage)))
    assert result.verdicts["lifespan"].answer == HARD
    assert result.quantities["lifespan"].value == pytest.approx(80.0, abs=1 / 60)
    assert result.quantities["soft_short_onset"].value == pytest.approx(40.5, abs=1 / 60)
    assert any("soft short is suspected already" in warning for warning in result.warnings)


def test_short_before_a_change_of_rate_stays_one_and_is_ohmic(SymmetricCell):
    cell = SymmetricCell(rates=(1, 1, 1, 1, 1, 0.5, 2, 4), failure="hard", fail_h=17.5, ohm=4.0, cycles=16, noise_mV=0.02)
    result = analyzed(cell.record())
    assert result.verdicts["lifespan"].answer == HARD
    assert any("voltage over current is constant" in line for line in result.verdicts["lifespan"].evidence)


@pytest.mark.parametrize("rates", [STEPS, STEPS[::-1], (8, 0.5), (1, 1, 1, 1, 1, 1, 1, 0.1)])
def test_changes_of_rate_are_no_failures(SymmetricCell, rates):
    assert verdict(SymmetricCell(rates=rates, cycles=40).record()) == CENSORED


def test_low_polarization_with_noise_is_no_short(SymmetricCell):
    cell = SymmetricCell(level_mV=3.8, noise_mV=0.15, current_mA=0.0028, interval_s=30, rest_s=600, half_h=1, cycles=40)
    assert verdict(cell.record()) == CENSORED


def test_polarization_within_the_noise_cannot_be_judged(SymmetricCell):
    result = analyzed(SymmetricCell(level_mV=1.0, noise_mV=1.0, end_rise=0, start_peak=0).record())
    assert result.verdicts["lifespan"].answer == UNDETERMINED
    assert "lifespan" not in result.quantities


def test_a_slow_fall_over_the_life_is_no_short(SymmetricCell):
    assert verdict(SymmetricCell(drift=-0.85, cycles=60).record()) == CENSORED


def test_activation_by_a_factor_of_six_is_no_short(SymmetricCell):
    for cycles in (0.5, 1, 2, 4):
        assert verdict(SymmetricCell(formation=5, formation_cycles=cycles).record()) == CENSORED


def test_one_truncated_half_cycle_at_the_end_of_the_record_is_censored(SymmetricCell):
    result = analyzed(SymmetricCell(stop_h=41.37).record())
    assert result.verdicts["lifespan"].answer == CENSORED
    life = result.quantities["lifespan"]
    assert life.bound == "lower"
    assert life.interval is None
    assert life.value == pytest.approx(41.37, abs=1 / 60)
    assert result.quantities["lifespan_cycles"].value == 10


def test_rest_after_the_last_half_cycle_is_no_life(SymmetricCell, as_record):
    time, current, voltage = SymmetricCell(cycles=5).trace()
    more = time[-1] + np.arange(60.0, 36_000, 60)
    quiet = np.zeros(more.size)
    record = as_record(np.append(time, more), np.append(current, quiet), np.append(voltage, quiet))
    result = analyzed(record)
    assert result.verdicts["lifespan"].answer == CENSORED
    assert result.quantities["lifespan"].value == pytest.approx(20, abs=1 / 30)


def test_a_change_of_current_within_a_half_cycle_is_no_step(SymmetricCell, as_record):
    time, current, voltage = SymmetricCell(cycles=10).trace()
    late = (time % 7200) > 3600
    assert (
        verdict(as_record(time, np.where(late, 0.5 * current, current), np.where(late, 0.55 * voltage, voltage)))
        == CENSORED
    )


def test_limit_found_without_being_given(SymmetricCell):
    cell = SymmetricCell(failure="dry", fail_h=60.0, limit_mV=400.0)
    result = analyzed(cell.record())
    assert result.verdicts["lifespan"].answer == PASSIVATED
    assert result.table("half_cycles")["limit_hit"].any()


def test_thresholds_are_options(SymmetricCell):
    record = SymmetricCell(failure="soft", fail_h=40.5, remains=0.5, end_rise=0.4).record()
    assert verdict(record) == SOFT
    assert verdict(record, step_fraction=0.9, soft_fraction=0.2) == CENSORED


def test_the_verdict_does_not_depend_on_units_of_size(SymmetricCell, as_record):
    cell = SymmetricCell(failure="hard", fail_h=50.0)
    time, current, voltage = cell.trace()
    small = analyzed(as_record(time, current * 1e-3, voltage), area="0.001 cm^2")
    large = analyzed(as_record(time, current, voltage))
    assert small.quantities["lifespan"].interval == large.quantities["lifespan"].interval
    assert small.quantities["lifespan_plated_capacity"].value == pytest.approx(
        large.quantities["lifespan_plated_capacity"].value, rel=1e-9
    )


def test_spikes_above_the_given_limit_are_no_passivation(SymmetricCell):
    record = SymmetricCell(outliers=0.01, interval_s=120, cycles=20).record()
    assert verdict(record, voltage_limit="100 mV") != PASSIVATED


def test_a_hold_at_the_given_limit_is_passivation(SymmetricCell, as_record):
    time, current, voltage = SymmetricCell(cycles=20).trace()
    held = (time / 3600 > 60) & (np.abs(voltage) > 0.04)
    record = as_record(time, np.where(held, 0.6 * current, current), np.where(held, np.sign(voltage) * 0.2, voltage))
    result = analyzed(record, voltage_limit="200 mV")
    assert result.verdicts["lifespan"].answer == PASSIVATED
    assert result.quantities["lifespan"].value == pytest.approx(60, abs=0.1)
    assert "(given)" in result.verdicts["lifespan"].evidence[0]


def test_a_voltage_of_zero_in_the_first_direction_is_no_reference(as_record):
    """A stopped clock and a dead channel: whatever is answered, nothing is divided by."""
    record = as_record(np.zeros(5), np.array([5.0, 5.0, 0.0, -5.0, -5.0]), np.array([0.0, 0.0, 0.0, -1.0, -1.00002]))
    with np.errstate(all="raise"):
        assert analyzed(record).verdicts["lifespan"].answer
