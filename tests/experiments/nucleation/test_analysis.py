"""Tip, plateau and their difference on curves of known height; and the answers where there is nothing to claim."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.records import CyclingRecord
from sodiophile.result import Result
from sodiophile.schema import checked

KIND = experiment("nucleation")
RESOLVED, NO_DIP, UNDERSAMPLED = "dip resolved", "no resolvable dip", "tip undersampled"
TOO_COARSE = "sampling too coarse to tell"


def analyzed(record, **options) -> Result:
    return KIND.run([record], checked(KIND.protocol, {"area": "1 cm^2", **options}))


def answer(result: Result) -> str:
    return result.verdicts["nucleation_dip"].answer


def test_known_dip_within_the_stated_uncertainty(PlatingCell):
    misses, total = 0, 60
    for seed in range(total):
        rng = np.random.default_rng(seed)
        cell = PlatingCell(
            dip_mV=10 ** rng.uniform(0.7, 2),
            plateau_mV=10 ** rng.uniform(1, 2),
            relax_s=rng.uniform(60, 300),
            rise_s=rng.uniform(5, 30),
            interval_s=rng.choice([1.0, 2.0]),
            noise_mV=10 ** rng.uniform(-2, -0.5),
            resolution_mV=rng.choice([0, 0.1]),
            slope_mV=rng.uniform(-2, 2),
            seed=seed,
        )
        result = analyzed(cell.record())
        assert answer(result) == RESOLVED, cell
        time = np.linspace(0, 3600, 400_000)
        tip = float(cell.response_mV(time).max())
        found = result.quantities
        assert abs(found["tip_overpotential"].value - tip) < max(0.03 * cell.dip_mV, 4 * cell.noise_mV), cell
        misses += abs(found["tip_overpotential"].value - tip) > 2 * found["tip_overpotential"].uncertainty
        misses += (
            abs(found["plateau_overpotential"].value - cell.plateau_mV) > 2 * found["plateau_overpotential"].uncertainty
        )
    assert misses <= 0.1 * 2 * total


def test_both_definitions_and_their_identity(PlatingCell):
    found = analyzed(PlatingCell().record()).quantities
    difference, tip, plateau = (
        found[name] for name in ("nucleation_overpotential", "tip_overpotential", "plateau_overpotential")
    )
    assert difference.value == pytest.approx(tip.value - plateau.value, rel=1e-12)
    assert "tip minus plateau" in difference.definition
    assert "against 0 V" in tip.definition
    assert difference.uncertainty >= tip.uncertainty
    assert difference.value == pytest.approx(30, abs=0.6)


def test_no_dip_is_claimed_without_one(PlatingCell):
    for seed in range(100):
        rng = np.random.default_rng(seed)
        cell = PlatingCell(dip_mV=0.0, noise_mV=rng.uniform(0.01, 3), slope_mV=rng.uniform(-5, 5), seed=seed)
        result = analyzed(cell.record())
        assert answer(result) == NO_DIP
        # what lies between two samples is not known: nothing bounds the dip itself
        assert not {"nucleation_overpotential", "tip_overpotential"} & set(result.quantities)
        assert result.quantities["visible_dip"].value > 10 * 0.9 * cell.noise_mV
        assert "a shorter one is not excluded" in result.verdicts["nucleation_dip"].evidence[-1]


def test_a_dip_within_the_noise_is_bounded_from_above(PlatingCell):
    result = analyzed(PlatingCell(dip_mV=5.0, noise_mV=3.0).record())
    assert answer(result) == NO_DIP
    visible = result.quantities["visible_dip"]
    assert visible.value > 5.0
    assert "2 s or longer" in visible.definition


def test_a_dip_that_lasts_two_intervals_and_is_higher_than_the_visible_one_is_never_denied(PlatingCell):
    for seed in range(80):
        rng = np.random.default_rng(seed)
        cell = PlatingCell(
            dip_mV=10 ** rng.uniform(-1, 1.5),
            relax_s=rng.uniform(2, 60),
            rise_s=rng.uniform(0.5, 1.9),
            noise_mV=10 ** rng.uniform(-2, 0.3),
            slope_mV=rng.uniform(-5, 5),
            hours=0.5,
            seed=seed,
        )
        result = analyzed(cell.record())
        time = np.linspace(0, 600, 60_001)
        bump = cell.but(slope_mV=0.0).response_mV(time) - cell.plateau_mV
        lasts_s = 0.01 * np.count_nonzero(bump > bump.max() / 2)
        if answer(result) == NO_DIP and lasts_s >= 2:
            plateau = result.quantities["plateau_overpotential"].value
            tip = cell.response_mV(time).max()
            assert tip - plateau < result.quantities["visible_dip"].value, cell


def test_nothing_is_denied_where_a_dip_may_lie_between_two_samples(PlatingCell):
    for interval in (2.0, 5.0, 30.0, 60.0):
        result = analyzed(PlatingCell(dip_mV=0.0, interval_s=interval).record())
        assert answer(result) == TOO_COARSE
        assert not {"nucleation_overpotential", "tip_overpotential", "visible_dip"} & set(result.quantities)
        evidence = result.verdicts["nucleation_dip"].evidence[-1]
        assert f"{interval:.3g} s apart" in evidence
        assert f"less than {2 * interval:.3g} s may lie between them unseen" in evidence
        assert analyzed(PlatingCell(dip_mV=0.0, interval_s=interval).record(), dip_duration="130 s").quantities[
            "visible_dip"
        ]


def test_a_gap_before_the_first_sample_counts(PlatingCell):
    record = PlatingCell(dip_mV=0.0).record()
    time = record.time_s
    late = CyclingRecord(record.data.filter((time < 60) | (time > 70)), record.provenance)
    assert answer(analyzed(record)) == NO_DIP
    assert answer(analyzed(late)) == TOO_COARSE


def test_a_slow_rise_shows_that_the_sampling_is_dense(PlatingCell, as_record):
    time = np.arange(0.0, 7200.0, 10.0)
    voltage = -0.02 * (1 - np.exp(-time / 100)) - 1e-6
    noise = 5e-5 * np.random.default_rng(0).standard_normal(time.size)
    assert answer(analyzed(as_record(time, np.full(time.size, -5e-4), voltage + noise * (time > 100)))) == NO_DIP


def test_one_side_of_a_tip_is_not_enough(PlatingCell):
    """A rise within one interval: any number of samples on the fall do not say how high the tip is."""
    result = analyzed(PlatingCell(rise_s=0.1, relax_s=200).record())
    assert answer(result) == UNDERSAMPLED
    assert result.quantities["tip_overpotential"].bound == "lower"


def test_the_plateau_against_the_voltage_at_rest(PlatingCell, as_record):
    record = PlatingCell(dip_mV=0.0).record()
    shifted = as_record(record.time_s, record.current_A, record.voltage_V - 0.091)
    result = analyzed(shifted)
    assert result.quantities["resting_voltage"].value == pytest.approx(-91, abs=0.5)
    assert result.quantities["plateau_overpotential"].value == pytest.approx(111, abs=0.5)
    against = result.quantities["plateau_against_rest"]
    assert abs(against.value - 20) < 3 * against.uncertainty
    assert any("plateau_against_rest" in warning for warning in result.warnings)
    positive = as_record(record.time_s, -record.current_A, -record.voltage_V + 0.091)
    other = analyzed(positive, plating="positive current").quantities["plateau_against_rest"]
    assert other.value == pytest.approx(against.value)
    assert "resting_voltage" not in analyzed(PlatingCell(rest_s=0.0).record()).quantities


def test_a_voltage_that_never_changes(as_record):
    time = np.arange(0.0, 600.0)
    result = analyzed(as_record(time, np.full(time.size, -5e-4), np.full(time.size, -0.02)))
    assert answer(result) == NO_DIP
    assert result.quantities["plateau_overpotential"].value == pytest.approx(20)


def test_a_slow_drift_is_no_dip(PlatingCell):
    for relax_s in (5000, 20_000, 100_000):
        assert answer(analyzed(PlatingCell(dip_mV=20.0, relax_s=relax_s, rise_s=5).record())) == NO_DIP


def test_coarse_sampling_gives_a_lower_bound(PlatingCell):
    for interval in (30.0, 60.0):
        result = analyzed(PlatingCell(interval_s=interval, relax_s=40).record())
        assert answer(result) == UNDERSAMPLED
        difference = result.quantities["nucleation_overpotential"]
        assert difference.bound == "lower"
        assert difference.value < 30.5
        assert result.quantities["sampling_interval"].value == interval
        assert f"{interval:.3g} s apart" in result.verdicts["nucleation_dip"].evidence[1]


def test_a_tip_at_the_first_sample_is_undersampled(PlatingCell):
    record = PlatingCell(rise_s=0.01, relax_s=200, rest_s=0).record()
    without_the_rise = CyclingRecord(record.data[1:], record.provenance)
    result = analyzed(without_the_rise)
    assert answer(result) == UNDERSAMPLED
    assert "0 samples lie before the tip" in result.verdicts["nucleation_dip"].evidence[1]


def test_spikes_are_no_tips(PlatingCell):
    clean = analyzed(PlatingCell(interval_s=2.0).record()).quantities["tip_overpotential"]
    spiked = analyzed(PlatingCell(interval_s=2.0, spikes=5).record()).quantities["tip_overpotential"]
    assert spiked.value == pytest.approx(clean.value, abs=3 * clean.uncertainty)
    assert answer(analyzed(PlatingCell(dip_mV=0, spikes=5).record())) == NO_DIP


def test_what_passes_above_zero_is_left_out(PlatingCell):
    plain = analyzed(PlatingCell().record()).quantities
    result = analyzed(PlatingCell(sei_s=1800.0).record())
    for name in ("nucleation_overpotential", "plated_capacity"):
        assert result.quantities[name].value == pytest.approx(plain[name].value, rel=0.02)
    assert any("is left out" in warning for warning in result.warnings)
    assert "ohmic_drop" not in result.quantities


def test_plating_by_positive_current(PlatingCell):
    one = analyzed(PlatingCell(seed=1).record()).quantities
    two = analyzed(PlatingCell(sign=1).record(), plating="positive current").quantities
    assert two["nucleation_overpotential"].value == pytest.approx(one["nucleation_overpotential"].value, abs=0.5)


def test_area_scales_charge_and_not_voltage(PlatingCell):
    record = PlatingCell().record()
    one, two = analyzed(record).quantities, analyzed(record, area="2 cm^2").quantities
    assert two["plated_capacity"].value == pytest.approx(one["plated_capacity"].value / 2)
    assert two["nucleation_overpotential"].value == one["nucleation_overpotential"].value


def test_windows_are_options_and_stated(PlatingCell):
    record = PlatingCell(slope_mV=10.0, noise_mV=0.01).record()
    early = analyzed(record, plateau_from=0.2, plateau_to=0.3).quantities["plateau_overpotential"]
    late = analyzed(record, plateau_from=0.8, plateau_to=0.9).quantities["plateau_overpotential"]
    assert late.value - early.value == pytest.approx(6.0, abs=0.05)
    assert "0.8 to 0.9" in late.definition
    # the drift over the window is part of the uncertainty: 1 mV / sqrt(12)
    assert late.uncertainty == pytest.approx(1 / np.sqrt(12), rel=0.05)


def test_ohmic_drop_is_an_upper_bound(PlatingCell):
    drop = analyzed(PlatingCell(rise_s=20.0).record()).quantities["ohmic_drop"]
    assert drop.bound == "upper"
    assert drop.value == pytest.approx(20.0, abs=1.0)


def test_later_half_cycles(PlatingCell):
    record = PlatingCell(strip=True).record()
    with pytest.raises(InputError, match="holds 1 plating half cycles"):
        analyzed(record, half_cycle=2)


def test_cells_that_plate_nothing_are_refused(PlatingCell, as_record):
    record = PlatingCell().record()
    full = as_record(record.time_s, record.current_A, record.voltage_V + 3.5)
    with pytest.raises(InputError, match="stays above 0 V"):
        analyzed(full)
    with pytest.raises(InputError, match="no overpotential"):
        analyzed(as_record(record.time_s, -record.current_A, record.voltage_V + 3.5), plating="positive current")


def test_too_few_samples_are_said(PlatingCell):
    result = analyzed(PlatingCell(interval_s=1800.0).record())
    assert answer(result) == "cannot be told from this file"
    assert "nucleation_overpotential" not in result.quantities
    result.draw()


def test_simulated_saved_and_drawn_again(PlatingCell, tmp_path):
    record = PlatingCell().record()
    result = analyzed(CyclingRecord(record.data, record.provenance, simulated=True))
    assert {quantity.status for quantity in result.quantities.values()} == {"simulated"}
    assert set(result.quantities) <= set(KIND.quantities)
    json.dumps(result.to_dict(), allow_nan=False)
    result.save(tmp_path)
    axes = Result.load(tmp_path, drawer=KIND.draw).draw()
    assert axes.get_title("left") == "simulated"


def test_window_must_be_a_window():
    with pytest.raises(InputError, match="expected from < to"):
        checked(KIND.protocol, {"area": "1 cm^2", "plateau_from": 0.8})


def test_solid_state_cell_has_no_dip(real_data):
    from sodiophile.readers import read

    result = analyzed(read(real_data("echem/symmetric_metal/li_llzo_li_symmetric_mb.mpt")), area="0.283 cm^2")
    # sampled every 30 s: no dip is claimed, and none is denied
    assert answer(result) == TOO_COARSE
    assert not {"nucleation_overpotential", "tip_overpotential"} & set(result.quantities)
    assert result.quantities["plateau_overpotential"].value == pytest.approx(3.8, abs=0.1)


def test_drawn_for_every_answer(PlatingCell):
    cells = {
        RESOLVED: PlatingCell(),
        UNDERSAMPLED: PlatingCell(interval_s=30.0, relax_s=40),
        NO_DIP: PlatingCell(dip_mV=0.0),
        TOO_COARSE: PlatingCell(dip_mV=0.0, interval_s=30.0),
    }
    for expected, cell in cells.items():
        for sign in (-1, 1):
            result = analyzed(cell.but(sign=sign).record(), plating=f"{'negative' if sign < 0 else 'positive'} current")
            axes = result.draw()
            assert axes.get_title("right") == ("" if expected == RESOLVED else expected)
            for inset in axes.child_axes:
                box = inset.get_position().transformed(axes.figure.transFigure).transformed(axes.transData.inverted())
                trace = result.table("trace")
                behind = (trace["capacity_mAh_cm2"] > box.x0).to_numpy()
                covered = trace["voltage_mV"].to_numpy()[behind]
                assert ((covered < box.y0) | (covered > box.y1)).all()


def test_full_cell_is_refused(real_data):
    from sodiophile.readers import read

    with pytest.raises(InputError, match="stays above 0 V"):
        analyzed(read(real_data("echem/fullcell_rate/nw4-120-6-1-36.ndax")))
