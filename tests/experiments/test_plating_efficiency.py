"""Coulombic efficiency: closure with known losses and instruments, protocols told apart, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.plating_efficiency.analysis import INDISTINGUISHABLE, MORE_THAN_PLATED, RESOLVED
from sodiophile.physics.cell import load_cell
from sodiophile.schema import checked

EXPERIMENT = experiment("plating-efficiency")


def protocol(**changes):
    return checked(EXPERIMENT.protocol, {"area": "1 cm^2", **changes})


def instrument(**settings):
    return checked(EXPERIMENT.instrument, settings)


@dataclass
class Trace:
    """A trace written step by step; the instrument reads gain * current + offset, the cell keeps the true charge."""

    current_mA: float = 0.5
    interval_s: float = 30.0
    gain_plate: float = 1.0
    gain_strip: float = 1.0
    offset_mA: float = 0.0
    noise_mV: float = 0.2
    cut_off_V: float = 1.0
    step_time: bool = True
    seed: int = 0
    clock_s: float = 0.0
    rows: list = field(default_factory=list)

    def __post_init__(self):
        self.random = np.random.default_rng(self.seed)
        self.rows.append((np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1)))

    def run(self, plating, charge_mAh, *, empties):
        duration = charge_mAh / self.current_mA * 3600
        start = 0.0 if self.step_time else self.random.uniform(0, self.interval_s)
        times = np.append(np.arange(start + 1e-6, duration, self.interval_s), duration)
        volts = np.full(times.size, -0.03 if plating else 0.03)
        if plating:
            volts -= 0.05 * np.exp(-times / 60)
        if empties:
            left = (duration - times) / duration
            volts = np.minimum(0.03 + 0.002 / np.maximum(left, 1e-9), self.cut_off_V)
        volts = volts + 1e-3 * self.noise_mV * self.random.standard_normal(times.size)
        sign, gain = (-1, self.gain_plate) if plating else (1, self.gain_strip)
        read = sign * self.current_mA * gain + self.offset_mA
        self.rows.append((self.clock_s + times, np.full(times.size, read * 1e-3), volts, times))
        self.clock_s += duration
        return self

    def cycle(self, charge_mAh, efficiency):
        return self.run(True, charge_mAh, empties=False).run(False, charge_mAh * efficiency, empties=True)

    def reservoir(self, total, cycled, n, final):
        self.run(True, total, empties=False)
        for _ in range(n):
            self.run(False, cycled, empties=False).run(True, cycled, empties=False)
        return self.run(False, final, empties=True)

    def record(self, as_record):
        time, current, voltage, step = (np.concatenate(column) for column in zip(*self.rows, strict=True))
        more = {"step_time_second": step} if self.step_time else {}
        return as_record(time, current, voltage, **more)


def test_stripped_over_plated_by_cycle(as_record):
    trace = Trace()
    for value in (0.90, 0.97, 0.98, 0.98):
        trace.cycle(1.0, value)
    result = EXPERIMENT.run([trace.record(as_record)], protocol(first_cycle="3"))
    found = result.table("cycles")["coulombic_efficiency_percent"].to_numpy()
    assert found == pytest.approx([90, 97, 98, 98], abs=0.02)
    assert result.quantities["coulombic_efficiency"].value == pytest.approx(98, abs=0.02)
    assert "cycles 3 to 4" in result.quantities["coulombic_efficiency"].definition
    assert result.quantities["coulombic_efficiency_first"].value == pytest.approx(90, abs=0.02)
    assert result.quantities["cut_off"].value == pytest.approx(1.0, abs=0.01)
    assert result.quantities["hysteresis"].value == pytest.approx(30 + 30 + 2 / 0.5, abs=0.3)
    assert result.verdicts["efficiency"].answer == RESOLVED


def test_the_reservoir_formula_is_the_charge_balance(as_record):
    """(n Q_C + Q_S)/(n Q_C + Q_T): with a loss of 1 % of all that is plated, whatever n is, it gives 99 %."""
    for n in (1, 5, 10):
        total = 4.0 + n * 1.0
        final = 0.99 * total - n * 1.0
        trace = Trace(current_mA=1.0).cycle(4.0, 0.93).reservoir(4.0, 1.0, n, final)
        result = EXPERIMENT.run([trace.record(as_record)], protocol())
        found = result.quantities
        assert found["coulombic_efficiency_reservoir"].value == pytest.approx(99.0, abs=0.02)
        assert found["reservoir_cycles"].value == n
        assert found["reservoir_capacity"].value == pytest.approx(4.0, rel=1e-3)
        assert found["cycled_capacity"].value == pytest.approx(1.0, rel=1e-3)
        assert found["final_capacity"].value == pytest.approx(final, rel=1e-3)
        # the conditioning cycle is a plain one, and never part of the reservoir protocol
        assert found["coulombic_efficiency_first"].value == pytest.approx(93.0, abs=0.05)


def test_the_method_can_be_told(as_record):
    record = Trace().cycle(1.0, 0.97).cycle(1.0, 0.97).record(as_record)
    with pytest.raises(InputError, match="no complete reservoir protocol"):
        EXPERIMENT.run([record], protocol(method="reservoir"))
    both = Trace().cycle(4.0, 0.97).reservoir(4.0, 1.0, 3, 3.8).record(as_record)
    only = EXPERIMENT.run([both], protocol(method="reservoir"))
    assert "coulombic_efficiency" not in only.quantities


def test_direction_follows_the_plating_sign_never_charge_and_discharge(as_record):
    record = Trace().cycle(1.0, 0.9).cycle(1.0, 0.9).record(as_record)
    turned = as_record(
        record.time_s, -record.current_A, -record.voltage_V, step_time_second=record.data["step_time_second"]
    )
    plain = EXPERIMENT.run([record], protocol()).quantities["coulombic_efficiency"]
    other = EXPERIMENT.run([turned], protocol(plating="positive current")).quantities["coulombic_efficiency"]
    assert other.value == pytest.approx(plain.value, abs=1e-9)
    assert other.value < 100


def test_an_unfinished_last_cycle_is_left_out_and_said(as_record):
    trace = Trace().cycle(1.0, 0.95).cycle(1.0, 0.95)
    for last in ([True], [True, False]):
        more = Trace(rows=list(trace.rows), clock_s=trace.clock_s)
        del more.rows[-1]
        for plating in last:
            more.run(plating, 0.4, empties=False)
        result = EXPERIMENT.run([more.record(as_record)], protocol())
        assert result.table("cycles").height == 2
        assert result.quantities["coulombic_efficiency"].value == pytest.approx(95, abs=0.05)
        assert any("unfinished" in warning for warning in result.warnings)


def test_a_symmetric_cell_is_refused_with_the_reason(as_record, SymmetricCell):
    with pytest.raises(InputError, match="symmetric cell, and the ratio of the charges") as error:
        EXPERIMENT.run([SymmetricCell(cycles=5).record()], protocol())
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="no stripping reaches the stated cut-off of 1 V"):
        EXPERIMENT.run([SymmetricCell(cycles=5).record()], protocol(cut_off="1 V"))


def test_an_insertion_electrode_is_refused(as_record):
    trace = Trace().cycle(1.0, 0.95)
    record = trace.record(as_record)
    lifted = as_record(record.time_s, record.current_A, record.voltage_V + 0.15)
    with pytest.raises(InputError, match="insertion electrode or a full cell"):
        EXPERIMENT.run([lifted], protocol())


def test_more_stripped_than_plated_is_no_efficiency(as_record):
    record = Trace().cycle(1.0, 0.98).cycle(1.0, 1.05).record(as_record)
    result = EXPERIMENT.run([record], protocol())
    assert result.verdicts["efficiency"].answer == MORE_THAN_PLATED


def test_accuracy_bounds_what_can_be_claimed(as_record):
    """With 0.1 % of accuracy and independent errors, 99.9 % cannot be told from 100 %; with errors that cancel it can."""
    trace = Trace(interval_s=1.0)
    for _ in range(8):
        trace.cycle(0.5, 0.999)
    record = trace.record(as_record)
    doubtful = EXPERIMENT.run([record], protocol(current_accuracy="0.001"))
    assert doubtful.verdicts["efficiency"].answer == INDISTINGUISHABLE
    assert doubtful.quantities["coulombic_efficiency"].uncertainty == pytest.approx(0.1 * np.sqrt(2), rel=0.05)
    known = EXPERIMENT.run([record], protocol(current_accuracy="0.001", accuracy_correlation="1"))
    assert known.verdicts["efficiency"].answer == RESOLVED
    assert any("further cycles" in warning for warning in doubtful.warnings)


@pytest.mark.parametrize("step_time", [True, False])
def test_stated_intervals_cover(as_record, step_time):
    """Over 200 instruments with gains, zeros and sampling drawn anew, the 95 % intervals cover 90 to 98 %."""
    random = np.random.default_rng(7)
    inside = 0
    draws = 200
    for seed in range(draws):
        accuracy, offset = 0.002, 0.0005
        zero = random.normal(0, offset)
        trace = Trace(
            interval_s=60.0,
            gain_plate=1 + random.normal(0, accuracy),
            gain_strip=1 + random.normal(0, accuracy),
            offset_mA=zero,
            step_time=step_time,
            seed=seed,
        )
        truth = random.uniform(0.9, 0.99)
        for _ in range(4):
            trace.cycle(0.5, truth + random.normal(0, 0.002))
        given = protocol(current_accuracy=str(accuracy), current_offset=f"{offset} mA")
        found = EXPERIMENT.run([trace.record(as_record)], given).quantities["coulombic_efficiency"]
        inside += abs(found.value - 100 * truth) < 1.96 * found.uncertainty
    assert 0.90 <= inside / draws <= 0.985


@pytest.mark.slow
def test_stated_intervals_cover_in_a_thousand_draws(as_record):
    random = np.random.default_rng(8)
    inside = 0
    for seed in range(1000):
        gains = 1 + random.normal(0, 0.001, 2)
        trace = Trace(interval_s=60.0, gain_plate=gains[0], gain_strip=gains[1], seed=seed, current_mA=1.0)
        total = 4.0 + 10 * 1.0
        truth = random.uniform(0.95, 0.999)
        trace.reservoir(4.0, 1.0, 10, truth * total - 10.0)
        found = EXPERIMENT.run([trace.record(as_record)], protocol()).quantities["coulombic_efficiency_reservoir"]
        inside += abs(found.value - 100 * truth) < 1.96 * found.uncertainty
    assert 900 <= inside <= 980


@pytest.mark.parametrize("name", ["bare-na", "bare-li"])
def test_the_virtual_cell_loses_its_dead_metal(name):
    cell = load_cell(name)
    given = protocol(current_density="0.5 mA/cm^2", capacity="1 mAh/cm^2", cut_off="1 V")
    record = EXPERIMENT.simulate(cell, given, 3, instrument(cycles="4"))
    result = EXPERIMENT.run([record], given)
    found = result.table("cycles")["coulombic_efficiency_percent"].to_numpy()
    assert found[1:] == pytest.approx(100 * (1 - cell.electrode.dead_fraction.value), abs=0.1)
    assert result.simulated
    result.draw()


def test_the_virtual_reservoir_protocol_is_recognized():
    given = protocol(current_density="1 mA/cm^2", capacity="1 mAh/cm^2")
    programme = instrument(reservoir_capacity="4 mAh/cm^2", cycles="5", rest="60 s")
    result = EXPERIMENT.run([EXPERIMENT.simulate(load_cell("bare-na"), given, 0, programme)], given)
    assert result.table("cycles")["kind"].to_list() == ["cycle", "reservoir"]
    assert result.quantities["reservoir_cycles"].value == 5


@pytest.mark.parametrize(
    "name",
    [
        "echem/symmetric_metal/li_llzo_li_symmetric_mb.mpt",
        "echem/cyclers/arbin_example.bdf.csv",
        "echem/cyclers/maccor_two.txt",
        "echem/cyclers/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv",
        "echem/cyclers/neware_uio.csv",
        "echem/symmetric_metal/lsv.mpt",
    ],
)
def test_real_files_of_other_cells_are_refused_in_one_line(real_data, name):
    """Symmetric cells, insertion electrodes, full cells, sweeps: none of them has an efficiency of plating."""
    import sodiophile as sp

    with pytest.raises(InputError) as error:
        sp.analyze("plating-efficiency", real_data(name), area="1 cm^2")
    assert "\n" not in str(error.value)


def test_bad_options_name_their_key():
    given = protocol(current_density="1 mA/cm^2", capacity="4 mAh/cm^2")
    with pytest.raises(InputError, match=r"reservoir_capacity: .* larger reservoir"):
        EXPERIMENT.simulate(load_cell("bare-na"), given, 0, instrument(reservoir_capacity="1 mAh/cm^2"))
    with pytest.raises(InputError, match="first <= last"):
        protocol(first_cycle="5", last_cycle="2")
    with pytest.raises(InputError, match="capacity: missing"):
        EXPERIMENT.simulate(load_cell("bare-na"), protocol(current_density="1 mA/cm^2"), 0, None)


def test_the_analysis_is_not_asked_for_what_only_the_instrument_needs():
    models = (EXPERIMENT.protocol, EXPERIMENT.instrument)
    asked, own = ({field.alias or name for name, field in model.model_fields.items()} for model in models)
    assert not asked & own
    assert {"reservoir_capacity", "cycles", "conditioning", "rest", "sampling_interval"} <= own


def test_a_block_of_many_half_cycles_is_drawn_and_told():
    from sodiophile.experiments.base import simulated_record
    from sodiophile.physics.cell import load_cell

    kind = experiment("plating-efficiency")
    protocol = {"area": "1 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "1 mAh/cm^2"}
    settings = {
        "reservoir_capacity": "4 mAh/cm^2",
        "cycles": 3,
        "conditioning": False,
        "rest": "60 s",
        "sampling_interval": "20 s",
    }
    record = simulated_record(kind, load_cell("bare-na"), protocol, settings, 0)
    assert kind.run([record], checked(kind.protocol, protocol)).draw() is not None
