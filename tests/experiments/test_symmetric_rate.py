"""Rate performance of symmetric cells: closure with known curves, soft shorts at rate, return, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.symmetric_rate import verdicts
from sodiophile.experiments.symmetric_rate.protocol import rates_of
from sodiophile.physics.cell import load_cell
from sodiophile.schema import checked

EXPERIMENT = experiment("symmetric-rate")
RATES = (0.5, 1.0, 2.0, 4.0, 0.5)


def protocol(**changes):
    return checked(EXPERIMENT.protocol, {"area": "1 cm^2", **changes})


def rate_test(as_record, eta_mV, rates=RATES, cycles=5, seed=0, noise_mV=0.2, drift=None, interval_s=30.0, capacity=1.0):
    """Square waves whose polarization is that of `eta_mV`, one value a step; `drift` is the relative change over a step."""
    random = np.random.default_rng(seed)
    time, current, voltage, clock = [], [], [], 0.0
    for k, (rate, eta) in enumerate(zip(rates, eta_mV, strict=True)):
        for half in range(2 * cycles):
            duration = capacity / rate * 3600
            within = np.arange(1e-3, duration, interval_s)
            sign = -1 if half % 2 == 0 else 1
            moved = 1 + (drift[k] if drift else 0.0) * half / (2 * cycles - 1)
            time.append(clock + within)
            current.append(np.full(within.size, sign * rate * 1e-3))
            voltage.append(sign * 1e-3 * eta * moved + 1e-3 * noise_mV * random.standard_normal(within.size))
            clock += duration
    return as_record(np.concatenate(time), np.concatenate(current), np.concatenate(voltage))


def line_of(ohm, intercept=0.0, rates=RATES):
    return [intercept + ohm * rate for rate in rates]


def test_steps_are_found_from_the_measured_current(as_record):
    result = EXPERIMENT.run([rate_test(as_record, line_of(50.0, 10.0))], protocol(current_density="2 mA/cm^2"))
    steps = result.table("steps")
    assert steps["current_density_mA_cm2"].to_list() == pytest.approx(list(RATES))
    assert steps["cycles"].to_list() == [5] * 5
    assert steps["polarization_mV"].to_list() == pytest.approx(line_of(50.0, 10.0), abs=0.1)
    found = result.quantities
    assert found["polarization"].value == pytest.approx(110.0, abs=0.1)
    assert found["levels"].value == 4
    assert found["return_ratio"].value == pytest.approx(1.0, abs=0.01)
    assert found["stable_current_density"].bound == "lower"
    assert result.verdicts["stability"].answer == verdicts.STABLE
    assert result.verdicts["return"].answer == verdicts.RETURNS


def test_a_resistor_is_a_line_through_the_origin(as_record):
    result = EXPERIMENT.run([rate_test(as_record, line_of(50.0))], protocol(series_resistance="25 ohm"))
    assert result.verdicts["ohmic"].answer == verdicts.THROUGH_ORIGIN
    found = result.quantities
    assert found["line_resistance"].value == pytest.approx(50.0, rel=0.01)
    assert found["ohmic_share"].value == pytest.approx(100.0, abs=1.0)
    assert found["ohmic_share_impedance"].value == pytest.approx(50.0, abs=0.5)


def test_a_saturating_interphase_bends_the_curve_down(as_record):
    """Hess 2017: the overpotential of the interphase is not linear and saturates."""
    eta = [10.0 * rate + 60.0 * (1 - np.exp(-rate / 0.8)) for rate in RATES]
    result = EXPERIMENT.run([rate_test(as_record, eta)], protocol())
    assert result.verdicts["ohmic"].answer == verdicts.BENT_DOWN


def test_depletion_bends_it_up(as_record):
    eta = [30.0 * rate + 4.0 * rate**2 for rate in RATES]
    assert EXPERIMENT.run([rate_test(as_record, eta)], protocol()).verdicts["ohmic"].answer == verdicts.BENT_UP


@pytest.mark.parametrize("capacity_share", [1.0, 0.4])
def test_kinetics_with_a_resistance_are_no_short(as_record, capacity_share):
    """The flattest Butler-Volmer curve is a bound: any cell of charge transfer and resistance scales."""
    for j0, ohm in ((0.02, 0.0), (0.1, 10.0), (1.0, 40.0)):
        eta = [4 * 25.69 * np.arcsinh(rate / (2 * j0)) + ohm * rate for rate in RATES]
        result = EXPERIMENT.run([rate_test(as_record, eta, capacity=capacity_share)], protocol())
        assert result.verdicts["scaling"].answer == verdicts.SCALES, (j0, ohm)


def test_voltage_that_falls_while_the_current_rises_is_a_soft_short(as_record):
    result = EXPERIMENT.run([rate_test(as_record, [50.0, 90.0, 160.0, 70.0, 20.0])], protocol())
    assert result.verdicts["scaling"].answer == verdicts.SUSPECTED
    assert "from 2 to 4 mA/cm^2" in result.verdicts["scaling"].evidence[0]
    assert result.verdicts["return"].answer.startswith("lower than at first")


def test_voltage_that_stops_scaling_is_told_with_its_readings(as_record):
    result = EXPERIMENT.run([rate_test(as_record, [50.0, 90.0, 92.0, 95.0, 50.0])], protocol())
    assert result.verdicts["scaling"].answer == verdicts.SUBLINEAR


def test_a_step_that_drifts_is_not_stable(as_record):
    record = rate_test(as_record, line_of(50.0), drift=[0.0, 0.0, 0.4, 0.0, 0.0])
    result = EXPERIMENT.run([record], protocol())
    assert result.verdicts["stability"].answer == "not stable from 2 mA/cm^2 (step 3)"
    assert result.quantities["stable_current_density"].value == pytest.approx(1.0)
    assert result.quantities["stable_current_density"].bound is None


def test_an_interphase_that_grew_is_seen_on_return(as_record):
    result = EXPERIMENT.run([rate_test(as_record, [25.0, 50.0, 100.0, 200.0, 40.0])], protocol())
    assert result.verdicts["return"].answer.startswith("higher than at first")
    assert result.quantities["return_ratio"].value == pytest.approx(1.6, abs=0.02)
    never = EXPERIMENT.run([rate_test(as_record, [25.0, 50.0], rates=(0.5, 1.0))], protocol())
    assert never.verdicts["return"].answer == verdicts.NO_RETURN


def test_stated_currents_are_checked(as_record):
    record = rate_test(as_record, line_of(50.0))
    good = EXPERIMENT.run([record], protocol(current_densities="0.5, 1, 2, 4, 0.5 mA/cm^2"))
    assert not any("as stated" in warning for warning in good.warnings)
    wrong = EXPERIMENT.run([record], protocol(area="2 cm^2", current_densities="0.5, 1, 2, 4, 0.5 mA/cm^2"))
    assert any("check the area" in warning for warning in wrong.warnings)


def depleting(as_record, cut, *, directions=(-1, 1), limit_V=5.0, capacities=(1.0,) * 5, seed=0, interval_s=30.0):
    """Let the voltage run away to the limit in the steps `cut` (step -> part of its charge), in these directions."""
    random = np.random.default_rng(seed)
    time, current, voltage, clock = [], [], [], 0.0
    for k, (rate, capacity) in enumerate(zip(RATES, capacities, strict=True)):
        for half in range(10):
            sign = -1 if half % 2 == 0 else 1
            ends = capacity / rate * 3600
            gone = k in cut and sign in directions
            if gone:
                ends *= cut[k] * (1 + 0.01 * random.standard_normal())
            within = np.append(np.arange(1e-3, ends - 1e-3, interval_s), ends)
            volt = np.full(within.size, 0.05 * rate)
            if gone:
                # salt that is used up: the logarithm of what is left (Sand), until the cycler ends it
                left = np.clip(1 - np.sqrt(within / ends), 1e-12, 1)
                volt = np.append(np.minimum(volt - 0.02 * np.log(left), limit_V)[:-1], limit_V)
            time.append(clock + within)
            current.append(np.full(within.size, sign * rate * 1e-3))
            voltage.append(sign * volt + 2e-4 * random.standard_normal(within.size))
            clock += ends + 1e-3
    return as_record(np.concatenate(time), np.concatenate(current), np.concatenate(voltage))


@pytest.mark.parametrize("limit_V", [5.0, 1.0, 0.5])
@pytest.mark.parametrize(("cut", "steady", "step"), [({3: 0.34}, 2.0, 4), ({2: 0.6, 3: 0.3}, 1.0, 3), ({4: 0.5}, 4.0, 5)])
def test_a_step_that_ends_at_the_voltage_limit_is_not_stable(as_record, limit_V, cut, steady, step):
    result = EXPERIMENT.run([depleting(as_record, cut, limit_V=limit_V)], protocol())
    verdict = result.verdicts["stability"]
    assert verdict.answer == f"not stable from {RATES[step - 1]:g} mA/cm^2 (step {step}): {verdicts.AT_LIMIT}"
    assert f"10 half cycles of 5 cycles ended at the voltage limit of {limit_V:g} V" in verdict.evidence[0]
    found = result.quantities
    assert found["stable_current_density"].value == pytest.approx(steady)
    assert found["stable_current_density"].bound == ("lower" if steady == 4.0 else None)
    assert found["polarization_highest"].bound == ("lower" if 3 in cut else None)
    table = result.table("steps")
    assert table["ended_at_limit"].to_list() == [10 if k in cut else 0 for k in range(5)]
    assert table["share_of_programme"][step - 1] == pytest.approx(cut[step - 1], rel=0.05)
    # what is left is a resistor of 50 ohm cm2: the steps cut short bend nothing, and nothing comes back from them
    assert result.verdicts["scaling"].answer == verdicts.SCALES
    assert ("return_ratio" in found) == (4 not in cut)
    assert any("end early" in warning for warning in result.warnings)
    result.draw()


@pytest.mark.parametrize("directions", [(-1,), (1,)])
def test_a_limit_in_one_direction_loses_no_step(as_record, directions):
    """Halves of very different charge make no complete cycle; the step is there all the same, and not stable."""
    result = EXPERIMENT.run([depleting(as_record, {3: 0.3}, directions=directions)], protocol())
    assert result.quantities["highest_current_density"].value == pytest.approx(4.0)
    assert result.verdicts["stability"].answer.endswith(f"(step 4): {verdicts.AT_LIMIT}")
    assert result.table("steps")["ended_at_limit"].to_list() == [0, 0, 0, 5, 0]


def test_a_limit_that_is_given_is_found_without_others_to_compare_with(as_record):
    cut = dict.fromkeys(range(5), 0.5)
    result = EXPERIMENT.run([depleting(as_record, cut, limit_V=1.0)], protocol(voltage_limit="1 V"))
    assert result.table("steps")["ended_at_limit"].to_list() == [10] * 5
    assert "stable_current_density" not in result.quantities
    assert "not stable from 0.5 mA/cm^2" in result.verdicts["stability"].answer


@pytest.mark.parametrize(
    "capacities",
    [
        (1.0, 1.0, 1.0, 0.3, 1.0),  # less at the highest current, by protocol
        (0.5, 1.0, 2.0, 4.0, 0.5),  # the same hour everywhere
        (1.0, 0.5, 0.25, 0.1, 1.0),
    ],
)
def test_a_capacity_that_differs_by_protocol_is_no_limit(as_record, capacities):
    result = EXPERIMENT.run([depleting(as_record, {}, capacities=capacities)], protocol())
    assert result.verdicts["stability"].answer == verdicts.STABLE
    assert result.quantities["stable_current_density"].value == pytest.approx(4.0)
    assert set(result.table("steps")["ended_early"]) == {0}
    assert result.verdicts["return"].answer == verdicts.RETURNS


@pytest.mark.parametrize("capacities", [(1.0,) * 5, (0.5, 1.0, 2.0, 4.0, 0.5), (1.0, 1.0, 1.0, 0.3, 1.0)])
@pytest.mark.parametrize("rise", [1.5, 3.0])
def test_a_voltage_that_rises_at_the_end_is_no_limit(as_record, capacities, rise):
    """Depletion within the programme: three times the level at the end, and the highest of the record, yet no cut."""
    record = depleting(as_record, {}, capacities=capacities)
    highest = np.abs(record.current_A) > 3e-3
    starts = np.flatnonzero(np.diff(np.sign(record.current_A), prepend=0))
    within = record.time_s - record.time_s[starts][np.searchsorted(starts, np.arange(record.time_s.size), "right") - 1]
    fraction = within / np.where(highest, max(capacities[3], 0.01) / 4 * 3600, np.inf)
    rising = record.voltage_V * (1 + (rise - 1) * fraction**6)
    result = EXPERIMENT.run([as_record(record.time_s, record.current_A, rising)], protocol())
    assert result.verdicts["stability"].answer == verdicts.STABLE


def test_a_record_stopped_in_a_half_cycle_is_no_limit(as_record):
    record = depleting(as_record, {})
    part = record.time_s < record.time_s[-1] - 4000
    result = EXPERIMENT.run([as_record(record.time_s[part], record.current_A[part], record.voltage_V[part])], protocol())
    assert result.verdicts["stability"].answer == verdicts.STABLE


def test_half_cycles_that_end_early_for_no_reason_in_the_file_are_told_as_such(as_record):
    """A cycler that does not write the sample at its limit: the charge is short and never twice the same."""
    random = np.random.default_rng(1)
    record = depleting(as_record, {})
    highest = np.abs(record.current_A) > 3e-3
    number = np.cumsum(np.diff(np.sign(record.current_A), prepend=0) != 0)
    kept = np.ones(highest.size, dtype=bool)
    for k in np.unique(number[highest]):
        rows = np.flatnonzero(number == k)
        kept[rows[int(random.uniform(0.3, 0.6) * rows.size) :]] = False
    result = EXPERIMENT.run([as_record(record.time_s[kept], record.current_A[kept], record.voltage_V[kept])], protocol())
    assert result.verdicts["stability"].answer == f"not stable from 4 mA/cm^2 (step 4): {verdicts.ENDED_EARLY}"


@pytest.mark.parametrize(("name", "steady"), [("bare-na", 2.0), ("na-vn", 1.0)])
def test_a_virtual_cell_that_hits_the_limit_is_not_called_stable(name, steady):
    given = protocol(current_densities="0.5, 1, 2, 4, 0.5 mA/cm^2")
    programme = checked(
        EXPERIMENT.instrument, {"capacity": "1 mAh/cm^2", "cycles_per_rate": "3", "sampling_interval": "30 s"}
    )
    record = EXPERIMENT.simulate(load_cell(name), given, 1, programme)
    result = EXPERIMENT.run([record], given)
    assert any("ended at 5 V" in note for note in record.notes)
    assert result.quantities["stable_current_density"].value == pytest.approx(steady, rel=1e-3)
    assert result.quantities["stable_current_density"].bound is None
    assert verdicts.AT_LIMIT in result.verdicts["stability"].answer


def test_a_current_that_the_cell_does_not_take_at_all_is_told():
    given = protocol(current_densities="0.5, 1, 400 mA/cm^2")
    record = EXPERIMENT.simulate(load_cell("bare-na"), given, 1, checked(EXPERIMENT.instrument, {"capacity": "1 mAh/cm^2"}))
    result = EXPERIMENT.run([record], given)
    stable = result.quantities["stable_current_density"]
    assert stable.value < 1.1
    assert stable.bound is None


def covered(as_record, seed, repeatability=0.01):
    random = np.random.default_rng(seed)
    rates = (0.5, 1.0, 2.0, 3.0, 4.0)
    ohm, intercept = float(random.uniform(10, 80)), float(random.uniform(5, 60))
    eta = np.array(line_of(ohm, intercept, rates)) * (1 + repeatability * random.standard_normal(len(rates)))
    record = rate_test(as_record, eta, rates, cycles=2, seed=seed, noise_mV=0.5, interval_s=120.0)
    found = EXPERIMENT.run([record], protocol(settling_cycles="0")).quantities
    slope, start = found["line_resistance"], found["line_intercept"]
    return (
        abs(slope.value - ohm) < 1.96 * slope.uncertainty,
        abs(start.value - intercept) < 1.96 * start.uncertainty,
    )


def test_stated_intervals_cover(as_record):
    inside = np.mean([covered(as_record, seed) for seed in range(100)], axis=0)
    assert np.all(inside >= 0.88), inside


@pytest.mark.slow
def test_stated_intervals_cover_in_a_thousand_draws(as_record):
    inside = np.mean([covered(as_record, seed) for seed in range(1000)], axis=0)
    assert np.all((inside >= 0.90) & (inside <= 0.98)), inside


@pytest.mark.parametrize("name", ["bare-na", "sodiophilic-na", "bare-li"])
def test_the_virtual_instrument_gives_the_polarization_of_its_cell(name):
    given = protocol(current_densities="0.25, 0.5, 1, 0.25 mA/cm^2")
    programme = checked(EXPERIMENT.instrument, {"capacity": "0.25 mAh/cm^2", "cycles_per_rate": "4"})
    result = EXPERIMENT.run([EXPERIMENT.simulate(load_cell(name), given, 1, programme)], given)
    assert result.table("steps")["current_density_mA_cm2"].to_list() == pytest.approx([0.25, 0.5, 1, 0.25], rel=1e-3)
    # a deposit that grows with the current makes the surface larger; more must not be claimed
    assert result.verdicts["scaling"].answer in {verdicts.SCALES, verdicts.SUBLINEAR}
    assert result.verdicts["short"].answer == "none found in the trace"
    assert result.simulated
    result.draw()


def test_the_virtual_instrument_says_when_salt_is_used_up():
    given = protocol(current_densities="0.5, 40 mA/cm^2")
    record = EXPERIMENT.simulate(load_cell("bare-na"), given, 1, checked(EXPERIMENT.instrument, {"capacity": "5 mAh/cm^2"}))
    assert np.abs(record.voltage_V).max() == pytest.approx(5.0, abs=1e-3)
    assert any("limiting current density" in note and "at 40 mA/cm^2 ended at 5 V" in note for note in record.notes)
    assert not any("at 0.5 mA/cm^2" in note for note in record.notes)
    with pytest.raises(InputError, match="capacity: missing"):
        EXPERIMENT.simulate(load_cell("bare-na"), given, 1, None)


def test_what_is_no_rate_test_is_refused(as_record, SymmetricCell):
    with pytest.raises(InputError, match="one step of current density found"):
        EXPERIMENT.run([SymmetricCell(cycles=5).record()], protocol())
    record = rate_test(as_record, line_of(50.0))
    lifted = as_record(record.time_s, record.current_A, record.voltage_V + 2.5)
    with pytest.raises(InputError, match="no symmetric cell"):
        EXPERIMENT.run([lifted], protocol())
    turned = as_record(record.time_s, record.current_A, -record.voltage_V)
    with pytest.raises(InputError, match="opposes the current"):
        EXPERIMENT.run([turned], protocol())


@pytest.mark.parametrize("text", ["0.5, 1", "fast", "0.5, -1 mA/cm^2", "0.5 V", ""])
def test_bad_current_densities_are_one_line(text):
    with pytest.raises(InputError) as error:
        protocol(current_densities=text)
    assert "current_densities" in str(error.value)
    assert "\n" not in str(error.value)


def test_current_densities_take_a_unit():
    assert rates_of("5, 10 A/m^2") == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize(
    "name", ["echem/cyclers/maccor_two.txt", "echem/cyclers/arbin_example.bdf.csv", "echem/symmetric_metal/lsv.mpt"]
)
def test_real_files_of_other_cells_are_refused_in_one_line(real_data, name):
    import sodiophile as sp

    with pytest.raises(InputError) as error:
        sp.analyze("symmetric-rate", real_data(name), area="1 cm^2")
    assert "\n" not in str(error.value)


def test_real_lithium_in_a_ceramic_at_one_current_is_sent_elsewhere(real_data):
    """Li|LLZO|Li was cycled at one small current: no rate test, and the line says which analysis it is for."""
    import sodiophile as sp

    path = real_data("echem/symmetric_metal/li_llzo_li_symmetric_mb.mpt")
    with pytest.raises(InputError, match=r"one step of current density found \(0.00989.* symmetric-cycling"):
        sp.analyze("symmetric-rate", path, area="0.283 cm^2")


def test_the_analysis_is_not_asked_for_what_only_the_instrument_needs():
    models = (EXPERIMENT.protocol, EXPERIMENT.instrument)
    asked, own = ({field.alias or name for name, field in model.model_fields.items()} for model in models)
    assert not asked & own
    assert {"capacity", "cycles_per_rate", "rest", "sampling_interval"} <= own
