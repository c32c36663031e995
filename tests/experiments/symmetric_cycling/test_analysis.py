"""Polarization and the other numbers of a symmetric cell, what is refused, the figure, and a real cell."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.symmetric_cycling.polarization import stated
from sodiophile.records import CyclingRecord
from sodiophile.result import Result
from sodiophile.schema import checked

KIND = experiment("symmetric-cycling")


def analyzed(*records, **options) -> Result:
    return KIND.run(list(records), checked(KIND.protocol, {"area": "1 cm^2", **options}))


def test_identities_of_polarization_hysteresis_and_offset(SymmetricCell):
    quantities = analyzed(SymmetricCell(asymmetry=0.1, offset_mV=1.0).record()).quantities
    eta, gap, offset = (quantities[name] for name in ("polarization_mean", "hysteresis", "voltage_offset"))
    assert gap.value == pytest.approx(2 * eta.value, rel=1e-9)
    # |V_plate| and |V_strip| back from the two
    assert eta.value + offset.value > eta.value - offset.value > 0
    assert (
        quantities["polarization_peak"].value
        > quantities["polarization_end"].value
        > quantities["polarization_middle"].value
    )


def test_known_polarization_within_the_stated_uncertainty(SymmetricCell):
    misses = 0
    for seed in range(40):
        cell = SymmetricCell(end_rise=0, start_peak=0, noise_mV=1.0, resolution_mV=0.2, seed=seed, cycles=20)
        for way in ("mean", "middle", "end"):
            eta = analyzed(cell.record()).quantities[f"polarization_{way}"]
            misses += abs(eta.value - 50.0) > 2 * eta.uncertainty
    assert misses <= 0.1 * 120


def test_offset_is_recovered_with_its_sign(SymmetricCell):
    for offset in (-3.0, 3.0):
        found = analyzed(SymmetricCell(offset_mV=offset).record()).quantities["voltage_offset"]
        assert found.value == pytest.approx(offset, abs=3 * found.uncertainty)


def test_uncertainty_has_the_parts_it_names():
    exact = stated(np.full(50, 10.0), 0.0, 0.0, "mV", "", "measured")
    coarse = stated(np.full(50, 10.0), 0.0, 1.0, "mV", "", "measured")
    scattered = stated(10 + np.tile([-1.0, 0.0, 1.0], 30), 0.0, 0.0, "mV", "", "measured")
    assert exact.uncertainty == 0
    assert coarse.uncertainty == pytest.approx(1 / np.sqrt(12))
    assert scattered.uncertainty == pytest.approx(1.2533 * 1.4826 / np.sqrt(90))


def test_window_is_an_option_and_stated(SymmetricCell):
    record = SymmetricCell(drift=1.0, cycles=40).record()
    early = analyzed(record, first_cycle=1, last_cycle=5).quantities["polarization_mean"]
    late = analyzed(record, first_cycle=36).quantities["polarization_mean"]
    assert late.value > 1.7 * early.value
    assert "cycles 1 to 5 (5 complete healthy cycles)" in early.definition
    assert "cycles 36 to 40" in late.definition


def test_evolution_over_the_life(SymmetricCell):
    quantities = analyzed(SymmetricCell(drift=1.0, cycles=40).record()).quantities
    initial, half, final = (quantities[f"polarization_{name}"].value for name in ("initial", "half_life", "final"))
    assert half == pytest.approx((initial + final) / 2, rel=0.02)
    assert final / initial == pytest.approx(1.9, abs=0.1)


def test_polarization_is_that_of_the_healthy_cycles(SymmetricCell):
    whole = analyzed(SymmetricCell(cycles=20).record()).quantities["polarization_mean"].value
    shorted = analyzed(SymmetricCell(cycles=80, failure="hard", fail_h=80.0).record()).quantities
    assert shorted["polarization_mean"].value == pytest.approx(whole, rel=2e-3)
    assert shorted["polarization_final"].value == pytest.approx(whole, rel=2e-3)


def test_a_rate_test_states_one_current_density(SymmetricCell):
    result = analyzed(SymmetricCell(rates=(1, 1, 1, 2, 2, 4), cycles=12).record())
    assert result.quantities["current_density"].value == pytest.approx(0.5, rel=1e-3)
    assert any("3 current densities" in warning for warning in result.warnings)


def test_files_of_one_test_in_order(SymmetricCell):
    cell = SymmetricCell(cycles=20)
    whole = cell.record()
    cut = 4 * 120 * 3
    parts = [CyclingRecord(whole.data[:cut], whole.provenance), CyclingRecord(whole.data[cut:], whole.provenance)]
    one, two = analyzed(whole), analyzed(*parts)
    assert one.quantities == two.quantities
    assert len(two.inputs["records"]) == 2


def test_a_current_that_no_metal_is_plated_at_is_doubted(SymmetricCell):
    """A header of A over numbers in mA shows in the current per area."""
    record = SymmetricCell(cycles=5).record()
    doubt = "is the current in mA"
    assert not any(doubt in warning for warning in analyzed(record).warnings)
    assert any(doubt in warning for warning in analyzed(record, area="0.001 cm^2").warnings)


def test_simulated_is_said_everywhere(SymmetricCell):
    record = SymmetricCell(cycles=6).record()
    result = analyzed(CyclingRecord(record.data, record.provenance, simulated=True))
    assert result.simulated
    assert {quantity.status for quantity in result.quantities.values()} == {"simulated"}
    drawn = result.draw()
    assert "simulated" in [axes.get_title("left") for axes in drawn.figure.get_axes() + drawn.child_axes]


def test_every_quantity_is_documented_and_json_ready(SymmetricCell, tmp_path):
    result = analyzed(SymmetricCell(failure="hard", fail_h=60.0).record(), current_density="0.5 mA/cm^2")
    assert set(result.quantities) <= set(KIND.quantities)
    json.dumps(result.to_dict(), allow_nan=False)
    result.save(tmp_path)
    again = Result.load(tmp_path, drawer=KIND.draw)
    assert again.quantities == result.quantities
    again.draw()
    assert result.inputs["protocol"]["current_density_mA_cm2"] == 0.5


@pytest.mark.parametrize("failure", ["", "hard", "soft", "dry"])
def test_figure_marks_the_onset_and_keeps_the_spikes(SymmetricCell, failure):
    stop_h = 80.0 if failure == "dry" else np.inf
    cell = SymmetricCell(failure=failure, fail_h=60.5 if failure else np.inf, interval_s=10, cycles=60, stop_h=stop_h)
    result = analyzed(cell.record())
    trace = result.table("trace")
    assert trace.height < 7000
    assert trace["voltage_mV"].max() == pytest.approx(np.max(cell.trace()[2]) * 1e3)
    axes = result.draw()
    assert axes.figure is not None
    lines = [line.get_linestyle() for line in axes.child_axes[0].get_lines()]
    assert ("--" in lines) == bool(failure)


def test_stated_current_density_is_checked_against_the_file(SymmetricCell):
    record = SymmetricCell(cycles=5).record()
    assert not analyzed(record, current_density="0.5 mA/cm^2").warnings
    wrong = analyzed(record, current_density="0.5 mA/cm^2", area="1.13 cm^2").warnings
    assert any("check the area" in warning for warning in wrong)


def test_a_full_cell_is_refused(SymmetricCell, as_record):
    time, current, voltage = SymmetricCell().trace()
    with pytest.raises(InputError, match=r"synthetic: the voltage is not centred on zero: 3\.8.* V while charging"):
        analyzed(as_record(time, current, voltage + 3.75))


def test_an_inverted_sign_is_refused(SymmetricCell, as_record):
    time, current, voltage = SymmetricCell().trace()
    with pytest.raises(InputError, match="the voltage opposes the current"):
        analyzed(as_record(time, current, -voltage))


def test_one_direction_alone_is_refused(as_record):
    time = np.arange(0.0, 7200, 60)
    with pytest.raises(InputError, match="one direction only"):
        analyzed(as_record(time, np.full(time.size, 1e-3), np.full(time.size, 0.05)))


def test_coarse_sampling_and_gaps_are_said(SymmetricCell):
    coarse = analyzed(SymmetricCell(interval_s=900).record())
    assert any("fewer than 20 samples" in warning for warning in coarse.warnings)
    record = SymmetricCell(cycles=5).record()
    holed = CyclingRecord(record.data[:140].vstack(record.data[180:]), record.provenance)
    assert any("gap of" in warning for warning in analyzed(holed).warnings)


def test_solid_state_cell(real_data):
    from sodiophile.readers import read

    result = analyzed(read(real_data("echem/symmetric_metal/li_llzo_li_symmetric_mb.mpt")), area="0.283 cm^2")
    table = result.table("half_cycles")
    assert table.height == 8
    assert result.table("cycles").height == 4
    strip, plate = (table.filter(table["direction"] == name) for name in ("stripping", "plating"))
    # the plateaus, which the file's own noise of 0.1 mV makes uncertain by a few hundredths of a millivolt
    assert strip["voltage_middle_mV"].median() == pytest.approx(3.79, abs=0.05)
    assert plate["voltage_middle_mV"].median() == pytest.approx(-3.81, abs=0.05)
    assert strip["current_set_mA"].median() == pytest.approx(2.80e-3, rel=1e-3)
    np.testing.assert_allclose(table["duration_h"], 1.0, rtol=1e-4)
    np.testing.assert_allclose(table["charge_mAh"], 2.80e-3, rtol=1e-3)
    assert result.verdicts["lifespan"].answer == "protocol ended (right-censored)"
    assert result.quantities["lifespan_cycles"].value == 4
    assert "soft_short_onset" not in result.quantities


@pytest.mark.parametrize(
    "name",
    ["neware/test.nda", "fullcell_rate/nw4-120-6-1-36.ndax", "cyclers/arbin_example.bdf.csv", "cyclers/neware_uio.csv"],
)
def test_real_cells_that_are_not_symmetric_are_refused(real_data, name):
    from sodiophile.readers import read

    with pytest.raises(InputError, match="not centred on zero"):
        analyzed(read(real_data(f"echem/{name}")))
