"""The virtual instrument of symmetric cycling: a record like a cycler's, that says it is none."""

from __future__ import annotations

import importlib.util
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.symmetric_cycling.simulate import VirtualInstrument, simulate
from sodiophile.physics.cell import load_cell
from sodiophile.physics.lifetime import Growth
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.schema import checked

EXPERIMENT = experiment("symmetric-cycling")
AREA = 1.13
QUIET = {"voltage_noise": "0 V", "voltage_resolution": "0 V", "current_noise": 0, "current_resolution": "0 A"}


def protocol(**changes):
    given = {"area": f"{AREA} cm^2", "current_density": "0.5 mA/cm^2", "capacity": "1 mAh/cm^2"}
    return checked(EXPERIMENT.protocol, {**given, **changes})


def instrument(**changes):
    return checked(VirtualInstrument, {**QUIET, "duration": "20 h", **changes})


def test_the_experiment_offers_it():
    assert EXPERIMENT.simulate is simulate


def test_what_the_record_says_of_itself():
    record = simulate(load_cell("bare-na"), protocol(), 7, checked(VirtualInstrument, {"duration": "20 h"}))
    assert record.simulated
    assert record.provenance[0].reader == "virtual"
    assert len(record.provenance[0].sha256) == 64
    assert record.metadata["seed"] == "7"
    assert "electrode.exchange_current_density" in record.metadata["assumed"]
    assert "double layer" in record.metadata["not included"]
    assert record.notes == ("simulated: the test ran for its 20 h",)
    result = EXPERIMENT.run([record], protocol())
    assert result.simulated
    assert {quantity.status for quantity in result.quantities.values()} == {"simulated"}


def test_same_seed_same_record_other_seed_other_noise():
    noisy = checked(VirtualInstrument, {"duration": "20 h"})
    one, same, other = (simulate(load_cell("bare-na"), protocol(), seed, noisy) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.voltage_V, same.voltage_V)
    assert one.provenance[0].sha256 == same.provenance[0].sha256 != other.provenance[0].sha256
    assert (one.voltage_V != other.voltage_V).mean() > 0.3


def test_times_currents_and_charge_are_the_operators():
    record = simulate(load_cell("bare-na"), protocol(), 0, instrument(rest="600 s"))
    assert record.time_s[-1] == pytest.approx(20 * 3600)
    levels = np.unique(np.round(record.current_A * 1e3 / AREA, 9))
    np.testing.assert_allclose(levels, [-0.5, 0.0, 0.5])
    steps = record.data.group_by("step_count", maintain_order=True).agg("step_time_second", "current_ampere")
    for times, current in zip(steps["step_time_second"], steps["current_ampere"], strict=True):
        if current[0] != 0 and times[-1] > 7199:
            assert abs(current[0]) * times[-1] / 3.6 / AREA == pytest.approx(1.0)
    assert record.data["cycle_count"].to_list() == sorted(record.data["cycle_count"].to_list())


def test_plating_is_negative_unless_the_operator_says_otherwise():
    negative = simulate(load_cell("bare-na"), protocol(), 0, instrument())
    positive = simulate(load_cell("bare-na"), protocol(plating="positive current"), 0, instrument())
    assert negative.current_A[1] < 0 > negative.voltage_V[1]
    np.testing.assert_array_equal(negative.voltage_V, -positive.voltage_V)
    np.testing.assert_array_equal(negative.current_A, -positive.current_A)


def test_area_scales_the_current_alone():
    small, large = (simulate(load_cell("bare-na"), protocol(area=a), 0, instrument()) for a in ("1 cm^2", "3 cm^2"))
    np.testing.assert_allclose(large.current_A, 3 * small.current_A)
    np.testing.assert_array_equal(large.voltage_V, small.voltage_V)


def test_sampling_less_often_takes_the_same_voltages():
    often = simulate(load_cell("bare-na"), protocol(), 0, instrument(sampling_interval="10 s"))
    rarely = simulate(load_cell("bare-na"), protocol(), 0, instrument(sampling_interval="60 s"))
    at = np.searchsorted(often.time_s, rarely.time_s - 1e-6)
    np.testing.assert_allclose(often.time_s[at], rarely.time_s, atol=1e-6)
    np.testing.assert_allclose(often.voltage_V[at], rarely.voltage_V, rtol=1e-9)


def test_a_change_of_voltage_triggers_samples():
    coarse = {"sampling_interval": "600 s", "duration": "4 h"}
    plain = simulate(load_cell("bare-na"), protocol(), 0, instrument(**coarse))
    more = simulate(load_cell("bare-na"), protocol(), 0, instrument(**coarse, voltage_interval="5 mV"))
    assert len(more) > 1.5 * len(plain)
    inside = more.data["step_count"].to_numpy()[1:] == more.data["step_count"].to_numpy()[:-1]
    assert np.abs(np.diff(more.voltage_V))[inside].max() < 8e-3
    assert np.diff(more.time_s).max() <= 600 + 1e-6


def test_resolution_is_the_last_digit():
    record = simulate(load_cell("bare-na"), protocol(), 0, instrument(voltage_resolution="1 mV"))
    np.testing.assert_allclose(record.voltage_V / 1e-3, np.round(record.voltage_V / 1e-3), atol=1e-9)


def test_a_hard_short_is_its_resistance_in_parallel():
    """After the short the cell is a resistor of nearly R_short; once the salt has settled, with its own beside it."""
    record = simulate(
        load_cell("bare-na"), protocol(), 0, instrument(hard_short_at="10.5 h", hard_short_resistance="2 ohm cm^2")
    )
    after = record.time_s > 10.5 * 3600 - 1e-6
    ohm_cm2 = record.voltage_V[after] / record.current_A[after] * AREA
    assert ((ohm_cm2 > 1.5) & (ohm_cm2 < 2.0 + 1e-9)).all()
    own_ohm_cm2 = 1 / (1 / ohm_cm2[-1] - 1 / 2.0)
    assert 50 < own_ohm_cm2 < 300
    assert np.abs(record.voltage_V[~after][1:]).min() > 0.05


def test_a_soft_short_shares_the_current():
    """At the sample in a short the cell carries j - V/R: its own voltage at that current is the one recorded."""
    cell = load_cell("bare-na")
    short = {"duration": "2 h", "sampling_interval": "600 s"}
    asked = instrument(
        **short,
        soft_shorts_from="0 h",
        soft_shorts_per_h="1000 1/h",
        soft_short_duration="1 h",
        soft_short_resistance="1e5 ohm cm^2",
    )
    record = simulate(cell, protocol(), 3, asked)
    clean = simulate(cell, protocol(), 3, instrument(**short))
    step = SymmetricCell(cell).step(0.5, plating=True)
    for k in range(1, 13):
        volts = record.voltage_V[k]
        assert abs(volts) < abs(clean.voltage_V[k])
        # how many shorts are open is random: their conductance follows from the voltage, and must be a whole number of them
        low, high = 0.0, 0.5
        for _ in range(60):
            middle = 0.5 * (low + high)
            if abs(step.voltage_V([record.time_s[k]], [middle])[0]) < abs(volts):
                low = middle
            else:
                high = middle
        beside_mA_cm2 = 0.5 - low
        open_now = beside_mA_cm2 / (1e3 * abs(volts)) * 1e5
        assert open_now == pytest.approx(round(open_now), abs=1e-3)
        assert open_now > 100


def test_passivation_adds_its_resistance():
    clean = simulate(load_cell("bare-na"), protocol(), 0, instrument())
    blocked = simulate(
        load_cell("bare-na"), protocol(), 0, instrument(passivation_from="5 h", passivation_rate="30 ohm cm^2/h")
    )
    added = (blocked.voltage_V - clean.voltage_V) / (clean.current_A + 1e-300) * AREA
    hours = clean.time_s / 3600
    flowing = clean.current_A != 0
    np.testing.assert_allclose(added[flowing], 30 * np.maximum(hours[flowing] - 5, 0), atol=1e-6)


def test_the_voltage_limit_ends_half_cycles_and_then_the_test():
    given = protocol(voltage_limit="0.3 V")
    blocked = instrument(duration="100 h", passivation_from="2 h", passivation_rate="100 ohm cm^2/h")
    record = simulate(load_cell("bare-na"), given, 0, blocked)
    assert np.abs(record.voltage_V).max() == pytest.approx(0.3)
    assert record.time_s[-1] < 100 * 3600
    assert "the limit of 0.3 V was reached at once in both directions" in record.notes[0]


def test_above_the_limiting_current_the_test_ends_at_the_limit():
    given = protocol(current_density="10 mA/cm^2")
    record = simulate(load_cell("bare-na"), given, 0, instrument(duration="0.5 h"))
    assert np.abs(record.voltage_V).max() == pytest.approx(5.0)
    halves = record.data.filter(record.data["current_ampere"] != 0).group_by("step_count").agg("step_time_second")
    # at 0.1 h a half cycle would be complete
    assert max(times.max() for times in halves["step_time_second"]) < 0.05 * 3600
    assert "ended at 5 V: the salt at one electrode is used up after" in record.notes[1]


def test_more_half_cycles_than_a_record_takes_are_refused_before_they_are_simulated():
    with pytest.raises(InputError, match=r"sampling_interval: 5e\+08 samples at every 0\.0072 s"):
        simulate(load_cell("bare-na"), protocol(capacity="1e-6 mAh/cm^2"), 0, instrument(duration="1000 h"))


@pytest.mark.parametrize("key", ["current_density", "capacity"])
def test_what_the_operator_must_set(key):
    given = {"area": "1 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "1 mAh/cm^2"}
    del given[key]
    with pytest.raises(InputError, match=f"^{key}: missing"):
        simulate(load_cell("bare-na"), checked(EXPERIMENT.protocol, given))


def test_too_many_samples_are_refused():
    with pytest.raises(InputError, match=r"sampling_interval: 3\.6e\+08 samples"):
        simulate(load_cell("bare-na"), protocol(), 0, instrument(duration="1e5 h", sampling_interval="1 s"))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("voltage_noise", "-1 mV", "voltage_noise"), ("voltage_noise", "1", "without a unit"),
     ("hard_short_resistance", "0 ohm cm^2", "more than 0"), ("hard_short", "3 h", "did you mean 'hard_short_at'"),
     ("voltage_interval", "1 uV", "noise would trigger every sample")],
)  # fmt: skip
def test_wrong_instruments_are_one_line(key, value, said):
    with pytest.raises(InputError) as caught:
        checked(VirtualInstrument, {key: value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_example_of_the_documentation_works_as_printed(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "virtual-instruments.md"
    path = tmp_path / "example.py"
    path.write_text(re.search(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[1])
    spec = importlib.util.spec_from_file_location("virtual_instruments_example", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.result.verdicts["lifespan"].answer == "hard short"
    assert module.result.quantities["lifespan"].value == pytest.approx(500, abs=0.05)


def test_spots_of_the_cell_bridge_it_at_times_of_their_law():
    """Asked for, the short comes at a time by chance, the same for a seed; its law is that of `Growth`."""
    cell = load_cell("bare-na").changed({"shorts.kept_fraction": 0.1})
    asked = instrument(duration="60 h", sampling_interval="1 h", grow_shorts=True)
    note = re.compile(r"bridged its separator after (\S+) h, with 5 ohm cm\^2")
    lives = []
    for seed in range(12):
        (found,) = [note.search(one) for one in simulate(cell, protocol(), seed, asked).notes if "bridged" in one]
        lives.append(float(found.group(1)))
    assert len(set(lives)) == 12
    growth = Growth.of(cell, 0.5, 1.0, AREA)
    low, high = growth.quantile_h([0.001, 0.999])
    assert low < min(lives) < growth.quantile_h(0.5) < max(lives) < high
    short = instrument(duration="0.9 h", grow_shorts=True)
    assert "no spot of the cell bridged its separator within 0.9 h" in simulate(cell, protocol(), 0, short).notes[-1]


@pytest.mark.parametrize(("bridge", "answer"), [("1 ohm cm^2", "hard short"), ("100 ohm cm^2", "soft short suspected")])
def test_a_bridge_is_found_as_what_it_is(bridge, answer):
    """A bridge that is small beside the cell is a hard short to the ordinary analysis, one of its size a soft one."""
    cell = load_cell("bare-na").changed({"shorts.bridge_resistance": bridge, "shorts.kept_fraction": 0.05})
    record = simulate(cell, protocol(), 1, checked(VirtualInstrument, {"duration": "100 h", "grow_shorts": True}))
    (life_h,) = [float(re.search(r"after (\S+) h", one).group(1)) for one in record.notes if "bridged" in one]
    result = EXPERIMENT.run([record], protocol())
    assert answer in result.verdicts["lifespan"].answer
    assert result.quantities["lifespan"].value == pytest.approx(life_h, abs=4.1)


def test_beside_a_soft_bridge_metal_moves_by_what_the_cell_carries():
    """A bridge of the cell's own resistance halves what is plated; one of next to nothing stops it."""
    cell = SymmetricCell(load_cell("bare-na"))
    full = cell.step(0.5, plating=True)
    half = cell.step(0.5, plating=True, carried=0.5)
    half.finish(7200.0)
    assert cell.working.deposit_mAh_cm2 == pytest.approx(0.5, rel=1e-9)
    assert full.voltage_V(1.0)[0] == pytest.approx(half.voltage_V(1.0)[0], rel=0.1)


@pytest.mark.slow
def test_memory_is_that_of_the_samples_whatever_the_cycles():
    """Four times as many cycles with as many samples take little more."""

    def peak(cycles: int) -> int:
        asked = instrument(duration=f"{cycles} h", sampling_interval=f"{cycles} s")
        tracemalloc.start()
        simulate(load_cell("bare-na"), protocol(capacity="0.25 mAh/cm^2"), 0, asked)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(800) < 1.3 * peak(200)
