"""Impedance: resistances and their conventions, words where the data do not tell, and one line for every bad spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.base import simulated_record
from sodiophile.physics.cell import load_cell
from sodiophile.physics.cell_impedance import symmetric_cell_parameters
from sodiophile.physics.circuits import Circuit
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.records.impedance import ImpedanceRecord, impedance_record
from sodiophile.result import Result
from sodiophile.schema import checked

FREQUENCY = np.geomspace(1e6, 1e-2, 65)
VALUES = {
    "R0": 6.0,
    "Zarc1.R": 80.0,
    "Zarc1.tau": 1e-4,
    "Zarc1.alpha": 0.88,
    "Zarc2.R": 150.0,
    "Zarc2.tau": 6e-3,
    "Zarc2.alpha": 0.82,
}
IMPEDANCE = experiment("impedance")


def spectrum(values=VALUES, noise=0.003, seed=0, frequency=FREQUENCY, text="R0-Zarc1-Zarc2", **about):
    Z = Circuit(text).impedance_ohm(frequency, values)
    random = np.random.default_rng(seed)
    Z = Z + noise * np.abs(Z) * (random.standard_normal(len(Z)) + 1j * random.standard_normal(len(Z)))
    return impedance_record(frequency, Z, **about)


def analyzed(*records, **protocol) -> Result:
    settings = {"area": "1 cm^2", "electrodes": 1, **protocol}
    return IMPEDANCE.run(records, checked(IMPEDANCE.protocol, settings, "impedance"))


def test_area_and_electrodes_enter_as_they_must():
    one, two = analyzed(spectrum()), analyzed(spectrum(), area="2 cm^2", electrodes=2)
    for name in ("sei_resistance", "charge_transfer_resistance", "interfacial_resistance"):
        assert two.quantities[name].value == pytest.approx(one.quantities[name].value, rel=1e-12)  # x 2 cm2, / 2 electrodes
    assert two.quantities["series_resistance"].value == pytest.approx(2 * one.quantities["series_resistance"].value)
    for name in ("sei_capacitance", "charge_transfer_capacitance"):
        assert two.quantities[name].value == pytest.approx(one.quantities[name].value, rel=1e-12)


def test_the_sum_is_known_better_than_its_parts_and_equals_them():
    found = analyzed(spectrum()).quantities
    parts = [found[name] for name in ("sei_resistance", "charge_transfer_resistance")]
    total = found["interfacial_resistance"]
    assert sum(part.value for part in parts) == pytest.approx(total.value, rel=1e-9)
    assert total.uncertainty / total.value < min(part.uncertainty / part.value for part in parts)


def test_exchange_current_density_obeys_its_identity_and_needs_a_temperature():
    assert "apparent_exchange_current_density" not in analyzed(spectrum()).quantities
    found = analyzed(spectrum(), temperature="25 degC", electrons=2).quantities
    j0_A_cm2 = found["apparent_exchange_current_density"].to("A/cm^2").value
    R = found["charge_transfer_resistance"].value
    assert R * j0_A_cm2 * 2 * FARADAY_C_mol / (GAS_J_mol_K * 298.15) == pytest.approx(1.0, rel=1e-9)
    stated = analyzed(spectrum(temperature_K=298.15), electrons=2).quantities
    assert stated["apparent_exchange_current_density"].value == pytest.approx(1e3 * j0_A_cm2)


def test_a_spectrum_given_twice_is_said():
    assert any("one measurement, given twice" in warning for warning in analyzed(spectrum(), spectrum()).warnings)
    assert not any("given twice" in warning for warning in analyzed(spectrum(), spectrum(seed=1)).warnings)


def test_one_arc_is_one_arc():
    result = analyzed(spectrum({name: VALUES[name] for name in list(VALUES)[:4]}, text="R0-Zarc1"), temperature="300 K")
    assert result.verdicts["arcs"].answer == "one arc"
    assert {"sei_resistance", "charge_transfer_resistance"}.isdisjoint(result.quantities)
    assert result.quantities["interfacial_resistance"].value == pytest.approx(80.0, rel=0.02)
    assert result.quantities["apparent_exchange_current_density"].bound == "lower"


def test_arcs_too_close_are_reported_by_their_sum_with_the_reason():
    result = analyzed(spectrum(VALUES | {"Zarc2.tau": 5e-4}, noise=0.001), arcs="2")
    assert result.verdicts["arcs"].answer.startswith("arcs not told apart")
    assert any("ratio" in reason or "uncertain" in reason for reason in result.verdicts["arcs"].evidence)
    assert {"sei_resistance", "charge_transfer_resistance"}.isdisjoint(result.quantities)
    total = result.quantities["interfacial_resistance"]
    assert abs(total.value - 230.0) < 4 * total.uncertainty


def test_an_arc_beyond_the_frequencies_is_not_made_up():
    low = FREQUENCY[FREQUENCY < 50]
    result = analyzed(spectrum(frequency=low))
    assert "sei_resistance" not in result.quantities
    assert any("no frequencies above 1000 Hz" in warning for warning in result.warnings)


def test_no_arc_is_said_in_words():
    result = analyzed(spectrum({"R0": 20.0, "CPE3.Q": 1e-3, "CPE3.alpha": 0.9}, text="R0-CPE3"))
    assert result.verdicts["arcs"].answer == "no arc that these data tell"
    assert set(result.quantities) == {"series_resistance"}


def test_drift_is_seen_by_the_kramers_kronig_test():
    record = spectrum(noise=0.001)
    (one,) = record.spectra()
    late = np.cumsum(1 / one.frequency_Hz) / np.sum(1 / one.frequency_Hz)
    result = analyzed(impedance_record(one.frequency_Hz, one.impedance_ohm * (1 + 0.2 * late)))
    assert result.verdicts["kramers_kronig"].answer.startswith("inconsistent")
    assert analyzed(record).verdicts["kramers_kronig"].answer == "consistent"


def test_a_lone_point_is_named_and_makes_no_spectrum_inconsistent():
    (one,) = spectrum().spectra()
    Z = one.impedance_ohm.copy()
    at = int(np.argmin(np.abs(one.frequency_Hz - 50)))
    Z[at] *= 1.2
    result = analyzed(impedance_record(one.frequency_Hz, Z))
    assert result.verdicts["kramers_kronig"].answer == "consistent"
    assert result.verdicts["fit"].answer == "adequate"
    assert any(f"a lone point at {one.frequency_Hz[at]:.4g} Hz" in warning for warning in result.warnings)
    total = result.quantities["interfacial_resistance"]
    assert abs(total.value - 230.0) < 4 * total.uncertainty


def test_a_circuit_that_is_too_simple_is_told():
    result = analyzed(spectrum(noise=0.001), arcs="1", tail="none")
    assert result.verdicts["fit"].answer == "the circuit is too simple"


def test_over_a_series_fast_and_slow_keep_their_names_while_their_sizes_cross():
    sizes = np.linspace(40, 240, 6)
    records = [spectrum(VALUES | {"Zarc1.R": float(a), "Zarc2.R": float(280 - a)}, seed=k) for k, a in enumerate(sizes)]
    table = analyzed(*records).table()
    assert np.allclose(table["sei_resistance_ohm_cm2"], sizes, rtol=0.06)
    assert np.allclose(table["charge_transfer_resistance_ohm_cm2"], 280 - sizes, rtol=0.12)
    assert table["circuit"].n_unique() == 1


def test_quantities_are_those_of_the_chosen_spectrum():
    records = [spectrum(), spectrum(VALUES | {"Zarc2.R": 300.0})]
    assert analyzed(*records, spectrum=2).quantities["charge_transfer_resistance"].value == pytest.approx(300, rel=0.05)
    with pytest.raises(InputError, match="spectrum 3 of a series of 2"):
        analyzed(*records, spectrum=3)


def test_the_users_circuit_gives_the_same_resistances():
    automatic, chosen = analyzed(spectrum()), analyzed(spectrum(), circuit="R0-p(R1,CPE1)-p(R2,CPE2)")
    for name, quantity in automatic.quantities.items():
        assert chosen.quantities[name].value == pytest.approx(quantity.value, rel=1e-3), name
        assert chosen.quantities[name].uncertainty == pytest.approx(quantity.uncertainty, rel=0.02), name


def test_the_order_of_points_does_not_matter():
    record = spectrum()
    shuffled = ImpedanceRecord(record.data.sample(fraction=1.0, shuffle=True, seed=1), record.provenance)
    assert analyzed(shuffled).quantities == analyzed(record).quantities


@pytest.mark.parametrize(
    ("frequency", "change", "message"),
    [
        (FREQUENCY[:3], lambda Z: Z, "3 points at different frequencies, expected at least 8"),
        (np.repeat(FREQUENCY[:4], 3), lambda Z: Z, "4 points at different frequencies"),
        (FREQUENCY, np.conj, "Im Z is positive at .* set imaginary_part = reversed"),
        (FREQUENCY, lambda Z: Z - 20, "Re Z is not positive at .* points"),
        (FREQUENCY, lambda Z: -Z, "Re Z is not positive"),
        (FREQUENCY, lambda Z: 0 * Z, "is zero"),
    ],
)
def test_bad_spectra_are_refused_in_one_line(frequency, change, message):
    Z = Circuit("R0-Zarc1-Zarc2").impedance_ohm(frequency, VALUES)
    with pytest.raises(InputError, match=message) as caught:
        analyzed(impedance_record(frequency, change(Z)))
    assert "\n" not in str(caught.value)


def test_a_reversed_sign_is_turned_only_when_asked_and_noted():
    (one,) = spectrum().spectra()
    record = impedance_record(one.frequency_Hz, one.impedance_ohm.conj())
    result = analyzed(record, imaginary_part="reversed")
    assert result.quantities == analyzed(spectrum()).quantities
    assert any("sign of Im Z was turned" in warning for warning in result.warnings)
    with pytest.raises(InputError, match="leave imaginary_part as stated"):
        analyzed(spectrum(), imaginary_part="reversed")


def test_repeated_frequencies_are_averaged_and_said():
    (one,) = spectrum().spectra()
    doubled = impedance_record(np.tile(one.frequency_Hz, 2), np.tile(one.impedance_ohm, 2))
    result = analyzed(doubled)
    assert any("measured more than once and are averaged" in warning for warning in result.warnings)
    assert result.quantities == analyzed(spectrum()).quantities


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ({"electrodes": None}, "electrodes"),
        ({"electrodes": 3}, "electrodes: found 3"),
        ({"temperature": 25}, "without a unit"),
        ({"circuit": "R0-p(R1"}, "character 8"),
        ({"circuit": "R0", "arcs": "2"}, "expected one of them"),
        ({"frequency_min": "1 kHz", "frequency_max": "1 Hz"}, "expected min < max"),
        ({"weigting": "unit"}, "did you mean 'weighting'"),
    ],
)
def test_a_wrong_protocol_is_one_line(protocol, message):
    with pytest.raises(InputError, match=message):
        analyzed(spectrum(), **protocol)


def test_the_virtual_instrument_gives_the_cell_back():
    cell = load_cell("bare-na")
    protocol = {"area": "1.13 cm^2", "electrodes": 2, "temperature": "10 degC"}
    record = simulated_record(IMPEDANCE, cell, protocol, {"interphase_capacitance": "0.5 uF/cm^2"}, 7)
    assert record.simulated
    assert record.temperature_K == (283.15,)
    truth = symmetric_cell_parameters(cell.at(283.15), 0.5, 20.0, 0.9)
    result = analyzed(record, **protocol)
    assert result.simulated
    for name, value in (
        ("series_resistance", truth["R0"]),
        ("sei_resistance", truth["Zarc1.R"] / 2),
        ("charge_transfer_resistance", truth["Zarc2.R"] / 2),
        ("sei_capacitance", 0.5),
        ("charge_transfer_capacitance", 20.0),
    ):
        quantity = result.quantities[name]
        assert quantity.status == "simulated"
        assert abs(quantity.value - value) < 4 * quantity.uncertainty, name
    again = simulated_record(IMPEDANCE, cell, protocol, {"interphase_capacitance": "0.5 uF/cm^2"}, 7)
    assert again.data.equals(record.data)


def test_the_figure_has_equal_scales_and_draws_again_from_the_store(tmp_path):
    result = analyzed(spectrum())
    result.save(tmp_path)
    ax = Result.load(tmp_path, drawer=IMPEDANCE.draw).draw()
    ax.figure.canvas.draw()
    assert ax.get_aspect() == 1.0
    assert "cm" in ax.get_xlabel()
    analyzed(spectrum(), spectrum(seed=1)).draw().figure.canvas.draw()
