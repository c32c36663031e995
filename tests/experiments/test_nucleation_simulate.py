"""The virtual instrument of nucleation: what the cycler sees of a dip, and what it misses."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.nucleation.simulate import VirtualInstrument, cell_voltage, simulate
from sodiophile.physics.cell import cells, load_cell
from sodiophile.physics.transport import sand_time_s
from sodiophile.schema import checked

EXPERIMENT = experiment("nucleation")
QUIET = {"voltage_noise": "0 V", "voltage_resolution": "0 V", "current_noise": 0, "current_resolution": "0 A"}


def protocol(**changes):
    given = {"area": "1 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "0.2 mAh/cm^2"}
    return checked(EXPERIMENT.protocol, {**given, **changes})


def instrument(**changes):
    return checked(VirtualInstrument, {**QUIET, "rest": "10 s", **changes})


def test_the_experiment_offers_it():
    assert EXPERIMENT.simulate is simulate


@pytest.mark.parametrize("name", cells())
def test_a_dip_and_a_plateau_for_every_metal(name):
    time, voltage = cell_voltage(load_cell(name), 0.5, 1440.0)
    tip = int(voltage.argmin())
    assert 0 < tip < time.size - 1
    assert voltage[tip] < 1.2 * voltage[-1] < 0
    assert voltage[0] > 0


def test_record_rests_then_plates():
    cell = load_cell("bare-na")
    record = simulate(cell, protocol(), 5, checked(VirtualInstrument, {"rest": "10 s"}))
    assert record.simulated
    assert record.provenance[0].reader == "virtual"
    rest = record.current_A == 0
    assert record.time_s[rest].max() == pytest.approx(10.0)
    np.testing.assert_allclose(record.voltage_V[rest], cell.substrate.open_circuit_potential.value, atol=1e-3)
    assert record.time_s[-1] == pytest.approx(10 + 1440)
    passed = -np.trapezoid(record.current_A[~rest], record.time_s[~rest]) / 3.6
    assert passed == pytest.approx(0.2, rel=2e-3)
    assert "overlap" in record.metadata["not included"]


def test_samples_are_those_of_the_solution():
    cell = load_cell("sodiophilic-na")
    record = simulate(cell, protocol(), 0, instrument(sampling_interval="2 s"))
    time, voltage = cell_voltage(cell, 0.5, 1440.0)
    plating = record.current_A < 0
    np.testing.assert_allclose(record.voltage_V[plating], np.interp(record.time_s[plating] - 10, time, voltage), atol=1e-12)


def test_ten_seconds_miss_the_tip():
    cell = load_cell("bare-na")
    _, voltage = cell_voltage(cell, 0.5, 1440.0)
    seen = simulate(cell, protocol(), 0, instrument(sampling_interval="10 s"))
    fine = simulate(cell, protocol(), 0, instrument(sampling_interval="0.01 s"))
    tip = -voltage.min()
    assert -seen.voltage_V.min() < 0.7 * tip
    assert -fine.voltage_V.min() == pytest.approx(tip, abs=5e-4)


def test_a_change_of_voltage_catches_the_tip():
    cell = load_cell("bare-na")
    _, voltage = cell_voltage(cell, 0.5, 1440.0)
    record = simulate(cell, protocol(), 0, instrument(sampling_interval="10 s", voltage_interval="2 mV"))
    assert -record.voltage_V.min() == pytest.approx(-voltage.min(), abs=4e-3)
    assert len(record) < 2000


def test_warmer_nucleates_more_easily():
    tips = [cell_voltage(load_cell("bare-na").at(t), 0.5, 1440.0)[1].min() for t in (283.15, 298.15, 318.15)]
    assert tips[0] < tips[1] < tips[2]


@pytest.mark.parametrize("key", ["current_density", "capacity"])
def test_what_the_operator_must_set(key):
    given = {"area": "1 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "1 mAh/cm^2"}
    del given[key]
    with pytest.raises(InputError, match=f"^{key}: missing"):
        simulate(load_cell("bare-na"), checked(EXPERIMENT.protocol, given))


def test_above_the_limiting_current_plating_ends_as_a_cell_does_with_the_reason():
    """The voltage runs into the compliance of the cycler when the salt is used up, a little after Sand's time."""
    cell = load_cell("bare-na")
    record = simulate(cell, protocol(current_density="10 mA/cm^2", capacity="5 mAh/cm^2"))
    assert np.abs(record.voltage_V).max() == pytest.approx(5.0, abs=1e-3)
    (note,) = record.notes
    assert "plating ended at 5 V: the salt at one electrode is used up after" in note
    assert "above the limiting current density of" in note
    e, layer = cell.electrolyte, cell.separator.porous
    open_s = sand_time_s(10.0, 1e3 * e.concentration.value, e.diffusivity.value, e.transference_number.value)
    porous_s = float(open_s) * layer.porosity ** (1 + layer.bruggeman)
    assert record.time_s[-1] - 60.0 == pytest.approx(porous_s, rel=0.02)
    assert float(re.search(r"after (\S+) s", note).group(1)) == pytest.approx(porous_s, rel=0.02)
    with pytest.raises(InputError, match="which is no overpotential of plating"):
        EXPERIMENT.run([record], protocol(current_density="10 mA/cm^2", capacity="5 mAh/cm^2"))


def test_too_many_samples_are_refused():
    with pytest.raises(InputError, match="sampling_interval"):
        simulate(load_cell("bare-na"), protocol(), 0, instrument(sampling_interval="1e-6 s"))


@pytest.mark.parametrize("kind", ["nucleation", "symmetric-cycling"])
def test_the_analysis_is_not_asked_for_what_only_the_instrument_needs(kind):
    keys = [{field.alias or name for name, field in model.model_fields.items()} for model in _models(kind)]
    assert not keys[0] & keys[1]
    assert {"sampling_interval", "rest"} <= keys[1]


def _models(kind):
    return experiment(kind).protocol, experiment(kind).instrument


def test_nuclei_without_supply_end_the_plating_with_the_reason():
    # a gap so thin that the salt of the cell never runs out
    changes = {"electrolyte.diffusivity": "1e-13 m^2/s", "separator.thickness": "1 um", "substrate.site_density": 1e10}
    record = simulate(load_cell("bare-na").changed(changes), protocol(capacity="10 mAh/cm^2"))
    (note,) = record.notes
    assert "ions do not reach the nuclei fast enough for 0.5 mA/cm^2" in note
    assert np.abs(record.voltage_V).max() == pytest.approx(5.0, abs=1e-3)


def test_a_current_that_polarization_alone_stops_leaves_both_ends_of_its_step():
    """Not a word of the salt, which would have run out much later; the analysis says that nothing can be told."""
    record = simulate(load_cell("bare-na"), protocol(current_density="60 mA/cm^2", capacity="5 mAh/cm^2"))
    (note,) = record.notes
    assert "at 60 mA/cm^2 polarization alone is that high" in note
    assert np.count_nonzero(record.current_A) == 2
    assert "nucleation_dip" in EXPERIMENT.run([record], protocol()).verdicts
