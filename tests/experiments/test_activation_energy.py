"""Activation energies: the line and its interval, what is flagged, and that nobody guesses a temperature."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.activation_energy import compare
from sodiophile.experiments.activation_energy.arrhenius import arrhenius_line
from sodiophile.experiments.activation_energy.protocol import listed_K
from sodiophile.experiments.base import simulated_record
from sodiophile.physics.cell import load_cell
from sodiophile.physics.circuits import Circuit
from sodiophile.physics.constants import GAS_J_mol_K
from sodiophile.records import Provenance
from sodiophile.records.impedance import ImpedanceRecord, impedance_record
from sodiophile.schema import checked

KIND = experiment("activation-energy")
T = np.array([273.15, 283.15, 293.15, 303.15, 313.15, 323.15])
CIRCUIT = Circuit("R0-Zarc1-Zarc2")
FREQUENCY = np.geomspace(1e6, 1e-1, 57)
TEMPERATURES = "0, 10, 20, 30, 40, 50 degC"


def resistance(Ea_kJ_mol, at_298K, kelvin=T):
    """R with T/R = A exp(-Ea/RT)."""
    return at_298K * kelvin / 298.15 * np.exp(Ea_kJ_mol * 1e3 / GAS_J_mol_K * (1 / kelvin - 1 / 298.15))


def series(
    Ea=(45.0, 65.0), sizes=(60.0, 120.0), noise=0.004, kelvin=T, seed=0, temperature_error_K=0.0, capacities=(1e-6, 4e-5)
):
    random = np.random.default_rng(seed)
    true_K = kelvin + temperature_error_K * random.standard_normal(len(kelvin))
    records = []
    for k in range(len(kelvin)):
        R = [float(resistance(Ea[i], sizes[i], true_K[k : k + 1])[0]) for i in (0, 1)]
        values = {"R0": 5.0}
        for i in (0, 1):
            values |= {f"Zarc{i + 1}.R": R[i], f"Zarc{i + 1}.tau": R[i] * capacities[i], f"Zarc{i + 1}.alpha": 0.9}
        Z = CIRCUIT.impedance_ohm(FREQUENCY, values)
        Z = Z + noise * np.abs(Z) * (random.standard_normal(len(Z)) + 1j * random.standard_normal(len(Z)))
        records.append(
            impedance_record(FREQUENCY, Z, (Provenance(f"cell_{kelvin[k] - 273.15:.0f}.z", "0" * 64, "test", "0"),))
        )
    return records


def analyzed(records, **protocol):
    settings = {"area": "1 cm^2", "electrodes": 2, **protocol}
    return KIND.run(records, checked(KIND.protocol, settings, "activation-energy"))


def test_an_exact_line_gives_its_activation_energy_and_the_other_variant_differs_by_RT():
    R = resistance(60.0, 100.0)
    line = arrhenius_line(T, R, np.full(6, 0.01), 0.0)
    assert line.activation_energy_kJ_mol == pytest.approx(60.0, rel=1e-9)
    assert line.flags == ()
    other = arrhenius_line(T, R, np.full(6, 0.01), 0.0, with_T=False)
    RT = GAS_J_mol_K * 1e-3 * 1 / np.mean(1 / T)
    assert line.activation_energy_kJ_mol - other.activation_energy_kJ_mol == pytest.approx(RT, rel=0.01)


def test_unit_of_the_resistance_and_order_of_points_do_not_matter():
    random = np.random.default_rng(4)
    R = resistance(60.0, 100.0) * np.exp(0.05 * random.standard_normal(6))
    error = random.uniform(0.01, 0.1, 6)
    one, two = arrhenius_line(T, R, error, 0.5), arrhenius_line(T[::-1], 1e3 * R[::-1], error[::-1], 0.5)
    assert one.activation_energy_kJ_mol == pytest.approx(two.activation_energy_kJ_mol, rel=1e-9)
    assert one.error_kJ_mol == pytest.approx(two.error_kJ_mol, rel=1e-9)
    assert one.log_prefactor - two.log_prefactor == pytest.approx(np.log(1e3), rel=1e-9)


@pytest.mark.parametrize("n", [3, 4, 6, 9])
@pytest.mark.parametrize("hidden", [0.0, 0.08])
@pytest.mark.parametrize("draws", [pytest.param(250, id="250"), pytest.param(1000, id="1000", marks=pytest.mark.slow)])
def test_intervals_of_the_line_cover_as_stated(n, hidden, draws):
    """With scatter that the stated uncertainties explain, and with scatter that they do not."""
    random = np.random.default_rng(n)
    kelvin = np.linspace(273.15, 323.15, n)
    inside = []
    for _ in range(draws):
        error = np.exp(random.uniform(np.log(0.005), np.log(0.05), n))
        actual = kelvin + 0.5 * random.standard_normal(n)
        R = resistance(55.0, 80.0, actual) * np.exp(np.hypot(error, hidden) * random.standard_normal(n))
        low, high = arrhenius_line(kelvin, R, error, 0.5).interval_kJ_mol
        inside.append(low <= 55.0 <= high)
    # the sample of 250 may be off by three standard deviations of the count, 4 %
    assert (0.92 if draws == 1000 else 0.90) <= np.mean(inside) <= (0.98 if draws == 1000 else 0.995)


def test_what_speaks_against_a_line_is_flagged():
    small = np.full(6, 0.01)
    assert arrhenius_line(T, resistance(60.0, 100.0), small, 0.1).flags == ()
    parallel = 1 / (1 / resistance(20.0, 100.0) + 1 / resistance(110.0, 100.0))
    assert any("curved" in flag for flag in arrhenius_line(T, parallel, small, 0.1).flags)
    outlier = resistance(60.0, 100.0)
    outlier[2] *= 1.6
    assert any("20.0 degC is an outlier" in flag for flag in arrhenius_line(T, outlier, small, 0.1).flags)
    assert any(
        "fewer than four" in flag for flag in arrhenius_line(T[:3], resistance(60.0, 100.0)[:3], small[:3], 0.1).flags
    )
    flat = arrhenius_line(T, resistance(3.0, 100.0), small, 0.1).flags
    assert any("span a factor" in flag for flag in flat)
    assert any("not positive" in flag for flag in arrhenius_line(T, resistance(-30.0, 100.0), small, 0.1).flags)
    with pytest.raises(InputError, match="at least two"):
        arrhenius_line(T[:1], np.ones(1), small[:1], 0.1)


def test_the_same_spectrum_at_two_temperatures_is_refused():
    records = series()
    records[3] = records[1]
    with pytest.raises(
        InputError, match=r"cell_10\.z \(10\.0 degC\) and cell_10\.z \(30\.0 degC\) hold the same impedance"
    ):
        analyzed(records, temperatures=TEMPERATURES)
    # a copy under another name, with fewer digits
    copy = records[1].spectra()[0]
    records[3] = impedance_record(
        copy.frequency_Hz, np.round(copy.impedance_ohm, 4), (Provenance("other.z", "1" * 64, "test", "0"),)
    )
    records[5] = records[4]
    with pytest.raises(InputError, match=r"cell_10\.z .* and other\.z .* hold the same impedance.* \(2 spectra are copies"):
        analyzed(records, temperatures=TEMPERATURES)


def test_the_same_spectrum_twice_in_one_file_is_refused():
    parts = [record.spectra()[0] for record in series()]
    parts[4] = parts[2]
    table = pl.concat(
        [
            pl.DataFrame(
                {
                    "frequency_hertz": one.frequency_Hz,
                    "real_impedance_ohm": one.impedance_ohm.real,
                    "imaginary_impedance_ohm": one.impedance_ohm.imag,
                    "spectrum": np.full(len(one.frequency_Hz), k + 1),
                }
            )
            for k, one in enumerate(parts)
        ]
    )
    record = ImpedanceRecord(table, (Provenance("series.mpt", "0" * 64, "test", "0"),))
    with pytest.raises(InputError, match=r"series\.mpt \(spectrum 3\) .*20.* and series\.mpt \(spectrum 5\) .*40"):
        analyzed([record], temperatures=TEMPERATURES)


def test_both_arcs_and_both_methods_give_the_activation_energies_back():
    result = analyzed(series(temperature_error_K=0.3), temperatures=TEMPERATURES, temperature_error="0.3 K")
    for name, truth in (("sei", 45.0), ("charge_transfer", 65.0)):
        for method in ("", ":joint"):
            quantity = result.quantities[f"{name}_activation_energy{method}"]
            assert abs(quantity.value - truth) < 4 * quantity.uncertainty, (name, method)
            assert quantity.uncertainty < 4.0
    assert result.quantities["activation_energy"] == result.quantities["charge_transfer_activation_energy"]
    assert result.verdicts["arcs"].answer == "two arcs told apart at 6 of 6 temperatures"


def test_the_joint_fit_tells_arcs_that_single_spectra_do_not():
    records = series(capacities=(3e-6, 1.2e-5), noise=0.006)
    result = analyzed(
        records, temperatures=TEMPERATURES, temperature_error="0.01 K", arcs="2", tail="none", inductance="no"
    )
    assert "charge_transfer_activation_energy" not in result.quantities
    assert "interfacial_activation_energy" in result.quantities
    assert "activation_energy" not in result.quantities
    joint = {row["process"]: row for row in result.table("joint").iter_rows(named=True)}
    for process, truth in (("sei", 45.0), ("charge_transfer", 65.0)):
        row = joint[process]
        assert abs(row["activation_energy_kJ_mol"] - truth) < 4 * row["error_kJ_mol"]


def test_temperatures_are_read_with_their_unit():
    assert listed_K("0, 25 degC") == pytest.approx([273.15, 298.15])
    assert listed_K("300; 310 K") == [300.0, 310.0]
    assert listed_K("0 degC, 300 K") == pytest.approx([273.15, 300.0])
    assert listed_K("-10, 0 °C") == pytest.approx([263.15, 273.15])


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ({}, "nobody stated the temperatures.*the names suggest 0, 10, 20, 30, 40, 50"),
        ({"temperatures": "0, 10, 20, 30, 40, 50"}, "without a unit"),
        ({"temperatures": "0, 10 degC"}, "2 temperatures for 6 spectra"),
        ({"temperatures": "0, ten, 20 degC"}, "'ten' among the temperatures"),
        ({"temperatures": "0, 10, 20, 30, 40, 50 K"}, "check the unit"),
        ({"temperatures": "20, 20, 20, 30, 30, 30 degC"}, "2 different temperatures"),
        ({"temperatures_from_names": True}, "without temperature_unit"),
        ({"temperatures": TEMPERATURES, "temperatures_from_names": True}, "expected one of them"),
        ({"temperatures": TEMPERATURES, "temperature_error": "0.5 degC"}, "temperature_error"),
    ],
)
def test_temperatures_are_never_guessed(protocol, message):
    with pytest.raises(InputError, match=message) as caught:
        analyzed(series(), **protocol)
    assert "\n" not in str(caught.value)


def test_names_are_taken_when_confirmed_and_records_when_they_state_it():
    records = series()
    named = analyzed(records, temperatures_from_names="true", temperature_unit="degC")
    listed = analyzed(records, temperatures=TEMPERATURES)
    assert named.quantities == listed.quantities
    assert named.inputs["temperatures_from"] == "from the names, confirmed by the user"
    in_degC = [
        ImpedanceRecord(record.data, record.provenance, kelvin - 253.15) for record, kelvin in zip(records, T, strict=True)
    ]
    with pytest.raises(InputError, match="stated as 20 K, expected that of a cell"):
        analyzed(in_degC)
    stated = [
        ImpedanceRecord(record.data, record.provenance, float(kelvin)) for record, kelvin in zip(records, T, strict=True)
    ]
    assert analyzed(stated).quantities == listed.quantities
    wrong = analyzed(stated, temperatures="0, 10, 20, 30, 40, 60 degC")
    assert any("the user's is taken" in warning for warning in wrong.warnings)


def test_the_order_of_files_does_not_matter():
    records = series()
    backwards = analyzed(records[::-1], temperatures="50, 40, 30, 20, 10, 0 degC")
    assert backwards.quantities == analyzed(records, temperatures=TEMPERATURES).quantities


def test_two_electrodes_are_compared_with_their_significance():
    one = analyzed(
        series(Ea=(45.0, 65.0), temperature_error_K=0.2, seed=1), temperatures=TEMPERATURES, temperature_error="0.2 K"
    )
    far = analyzed(
        series(Ea=(45.0, 52.0), temperature_error_K=0.2, seed=2), temperatures=TEMPERATURES, temperature_error="0.2 K"
    )
    near = analyzed(
        series(Ea=(45.0, 65.0), temperature_error_K=0.2, seed=3), temperatures=TEMPERATURES, temperature_error="0.2 K"
    )
    found = compare(one, far)
    assert found.verdict.answer == "different"
    assert found.low_95 < 13.0 < found.high_95
    assert compare(far, one).difference.value == pytest.approx(-found.difference.value)
    assert compare(one, near).verdict.answer == "not shown to differ"
    with pytest.raises(InputError, match="no activation energy of 'moon'"):
        compare(one, far, "moon")


def test_the_virtual_series_gives_the_cell_back_and_its_figure_draws():
    protocol = {"area": "1 cm^2", "electrodes": 2, "temperatures": "0, 10, 20, 30, 40 degC"}
    cell = load_cell("bare-na")
    record = simulated_record(KIND, cell, protocol, {"interphase_capacitance": "0.5 uF/cm^2"}, 5)
    assert record.count == 5
    result = analyzed([record], **protocol)
    assert result.simulated
    quantity = result.quantities["activation_energy"]
    assert abs(quantity.value - cell.electrode.exchange_activation_energy.value) < 4 * quantity.uncertainty
    ax = result.draw()
    ax.figure.canvas.draw()
    with pytest.raises(InputError, match="no temperatures"):
        simulated_record(KIND, cell, {"area": "1 cm^2", "electrodes": 2}, {}, 5)
