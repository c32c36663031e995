"""Measured spectra: dummy boxes give their resistors, and a temperature series the activation energies of its authors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sodiophile.experiments import experiment
from sodiophile.records import Provenance
from sodiophile.records.impedance import ImpedanceRecord, impedance_record
from sodiophile.schema import checked

EV_TO_KJ_MOL = 96.48533
CELSIUS = (140, 150, 160, 170, 180, 190, 200)

# S. C. Adediwura et al., their fits of this series as published with it (Sheyigold/EISFitpython, Example3, MIT),
# each spectrum for itself: activation energy in eV and its error
PUBLISHED_EV = {"sei": (0.5869, 0.0163), "charge_transfer": (0.8919, 0.0025), "interfacial": (0.8555, 0.0006)}
# the same fits: resistances at 140 degC in ohm
PUBLISHED_140_OHM = {"R1_ohm": 1.462e5, "R2_ohm": 2.012e6}


def columns(path: Path, frequency: int, real: int, imaginary: int, least: int) -> ImpedanceRecord:
    """Read whatever lines of a file are numbers."""
    rows = []
    for line in path.read_text(encoding="latin-1").splitlines():
        try:
            numbers = [float(entry) for entry in line.split()]
        except ValueError:
            continue
        if len(numbers) >= least:
            rows.append([numbers[frequency], numbers[real], numbers[imaginary]])
    f, re, im = np.array(rows).T
    return impedance_record(f, re + 1j * im, (Provenance(path.name, "0" * 64, "test", "0"),))


def analyzed(kind, records, **protocol):
    chosen = experiment(kind)
    return chosen.run(records, checked(chosen.protocol, {"electrodes": 1, **protocol}, kind))


@pytest.mark.parametrize(
    ("name", "series_ohm", "arc_ohm"),
    # resistors of the E12 and E24 series that the boxes are built of, as an independent reading of the two plateaus shows
    [("Circuit1_EIS_1.z", None, 47.0), ("Circuit2_EIS_1.z", 150.0, None), ("Circuit3_EIS_1.z", 1500.0, 4700.0)],
)
def test_a_dummy_box_gives_its_resistors(real_data, name, series_ohm, arc_ohm):
    record = columns(real_data(f"echem/eis_formats/{name}"), 0, 4, 5, 6)
    result = analyzed("impedance", [record], area="1 cm^2")
    assert result.verdicts["arcs"].answer == "one arc"
    assert result.verdicts["kramers_kronig"].answer == "consistent"
    plateaus = record.data.sort("frequency_hertz")["real_impedance_ohm"]
    found = {name: result.quantities[name].value for name in ("series_resistance", "interfacial_resistance")}
    assert sum(found.values()) == pytest.approx(plateaus[0], rel=0.005)
    if series_ohm is not None:
        assert found["series_resistance"] == pytest.approx(series_ohm, rel=0.02)
    if arc_ohm is not None:
        assert found["interfacial_resistance"] == pytest.approx(arc_ohm, rel=0.02)


@pytest.fixture(scope="module")
def temperature_series(real_data):
    records = [columns(real_data(f"echem/eis_temperature/s04147-{celsius}deg.txt"), 0, 1, 2, 3) for celsius in CELSIUS]
    listed = ", ".join(map(str, CELSIUS))
    return analyzed("activation-energy", records, area="0.5027 cm^2", temperatures=f"{listed} degC")


def test_activation_energies_of_each_arc_and_of_their_sum_agree_with_those_published(temperature_series):
    for process, (value_eV, error_eV) in PUBLISHED_EV.items():
        published, error = value_eV * EV_TO_KJ_MOL, error_eV * EV_TO_KJ_MOL
        quantities = temperature_series.quantities
        ours = [quantities[f"{process}_activation_energy"]]
        if process != "interfacial":
            ours.append(quantities[f"{process}_activation_energy:joint"])
        for quantity in ours:
            assert abs(quantity.value - published) < 2 * np.hypot(quantity.uncertainty, error), (process, quantity)
            assert quantity.uncertainty < 0.12 * quantity.value


def test_the_first_spectrum_gives_the_resistances_published(temperature_series):
    row = temperature_series.table("fits").row(0, named=True)
    for name, value in PUBLISHED_140_OHM.items():
        assert row[name] == pytest.approx(value, rel=1e-3)


def test_what_the_two_arc_circuit_does_not_describe_is_said(temperature_series):
    assert any("the circuit leaves a pattern" in warning for warning in temperature_series.warnings)
    assert any("grain boundaries of a solid" in warning for warning in temperature_series.warnings)
    assert temperature_series.verdicts["arcs"].answer.startswith("two arcs told apart at")
    assert temperature_series.verdicts["joint_fit"].answer == "ended at a minimum"


def test_a_lithium_ion_cell_is_consistent_but_more_than_two_arcs(real_data):
    path = real_data("echem/eis_two_arc/pydrt_LIB_data.txt")
    result = analyzed("impedance", [columns(path, 0, 1, 2, 3)], area="1 cm^2")
    assert result.verdicts["kramers_kronig"].answer == "consistent"
    assert result.verdicts["fit"].answer == "the circuit is too simple"


def test_impedance_points_inside_a_cycling_file_become_spectra(real_data):
    from sodiophile import read
    from sodiophile.records.impedance import impedance_of_trace

    record = read(real_data("echem/symmetric_metal/li_llzo_li_symmetric_mb.mpt"))
    if "frequency_hertz" not in record.data.columns:
        pytest.skip("the reader of this format gives no impedance columns")
    spectra = impedance_of_trace(record).spectra()
    assert len(spectra) >= 1
    assert all(len(one.frequency_Hz) > 8 for one in spectra)
