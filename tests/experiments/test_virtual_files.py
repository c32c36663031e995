"""Every virtual instrument writes files that the ordinary commands open, with the same numbers, and that say simulated."""

from __future__ import annotations

import numpy as np
import pytest

import sodiophile as sp
from sodiophile.errors import InputError
from sodiophile.experiments import experiment, kinds
from sodiophile.readers import read_spectra, read_trace, write
from sodiophile.records import CyclingRecord, ImpedanceRecord

PLATING = {"area": "1.13 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "0.5 mAh/cm^2"}
FULL = {"area": "1 cm^2", "active_mass": "2 mg", "theoretical_capacity": "117.6 mAh/g"}
SPECTRUM = {"area": "1.13 cm^2", "electrodes": 2}

TESTS = {
    "symmetric-cycling": (PLATING, {"duration": "30 h", "sampling_interval": "60 s"}),
    "symmetric-rate": (
        {"area": "1.13 cm^2", "current_densities": "0.5, 1, 0.5 mA/cm^2"},
        {"capacity": "0.25 mAh/cm^2", "cycles_per_rate": 2},
    ),
    "nucleation": (PLATING, {"rest": "10 s", "sampling_interval": "0.5 s"}),
    "plating-efficiency": (PLATING, {"cycles": 4}),
    "exchange-current": ({**SPECTRUM, "temperature": "25 degC"}, {"scan_rate": "1 mV/s", "sampling_interval": "1 s"}),
    "impedance": (SPECTRUM, {}),
    "activation-energy": ({**SPECTRUM, "temperatures": "10, 20, 30 degC"}, {}),
    "full-cell-rate": (FULL, {"rates": "1, 5, 1", "cycles_per_rate": 1}),
    "full-cell-cycling": (FULL, {"rate": 5, "cycles": 4}),
}
EXTENSIONS = [".bdf.csv", ".parquet", ".mpt", ".z"]


@pytest.fixture(scope="module", params=list(TESTS))
def simulated(request):
    protocol, instrument = TESTS[request.param]
    return request.param, protocol, sp.simulate(request.param, "bare-na", seed=2, instrument=instrument, **protocol)


def test_no_virtual_instrument_is_left_out():
    assert {kind for kind in kinds() if experiment(kind).simulate is not None} == set(TESTS)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_file_brings_back_numbers_label_and_result(simulated, tmp_path, extension):
    kind, protocol, record = simulated
    path = tmp_path / f"virtual{extension}"
    if extension == ".z" and (isinstance(record, CyclingRecord) or record.data["spectrum"].n_unique() > 1):
        with pytest.raises(InputError, match=r"virtual\.z: a \.z file holds .* found .*; expected \.bdf\.csv"):
            write(record, path)
        assert not list(tmp_path.iterdir())
        return
    write(record, path)
    back = sp.read(path)
    assert back.simulated
    assert dict(back.metadata) == dict(record.metadata)
    assert back.notes[: len(record.notes)] == record.notes
    assert back.provenance[0].options["converted_from"] == [record.provenance[0].to_dict()]
    for column in ("test_time_second", "current_ampere", "voltage_volt", "cycle_count", "frequency_hertz",
                   "real_impedance_ohm", "imaginary_impedance_ohm", "spectrum"):  # fmt: skip
        if column in record.data.columns:
            # a milliampere is 1000 times an ampere to the last bit but one
            np.testing.assert_allclose(back.data[column].to_numpy(), record.data[column].to_numpy(), rtol=4e-16)
    if isinstance(record, ImpedanceRecord):
        assert back.temperature_K == record.temperature_K
    one, other = (sp.analyze(kind, found, **protocol) for found in (record, back))
    assert other.simulated
    assert other.quantities.keys() == one.quantities.keys()
    for name, quantity in one.quantities.items():
        assert other.quantities[name].status == "simulated"
        assert other.quantities[name].value == pytest.approx(quantity.value, rel=1e-6), name


@pytest.mark.parametrize("extension", [".mpt", ".z"])
def test_the_header_says_it_in_words(simulated, tmp_path, extension):
    """Whoever opens the file in an editor is told; where another program dropped our own line, so is who analyzes it.

    Without that line nothing of the truth is in the file, and the analysis finds the same.
    """
    kind, protocol, record = simulated
    path = tmp_path / f"virtual{extension}"
    try:
        write(record, path)
    except InputError:
        return
    comments = [line for line in path.read_text().splitlines()[:10] if line.startswith("Comments")]
    assert "SIMULATED: a virtual instrument made these numbers, no cell was measured" in comments[0]
    lines = [line for line in path.read_text().splitlines() if not line.startswith("sodiophile_origin")]
    lines = [line.replace("header lines : 9", "header lines : 8") for line in lines]
    stripped = tmp_path / f"stripped{extension}"
    stripped.write_text("\n".join(lines) + "\n")
    assert "electrode." not in stripped.read_text()
    back = sp.read(stripped)
    assert back.simulated
    one, other = (sp.analyze(kind, found, **protocol).quantities for found in (record, back))
    # an exchange current density from a spectrum needs the temperature, which no column holds
    assert one.keys() - other.keys() <= {"apparent_exchange_current_density"}
    for name, quantity in other.items():
        assert quantity.status == "simulated"
        assert quantity.value == pytest.approx(one[name].value, rel=1e-6), name


def test_a_trace_with_spectra_in_it_keeps_both(tmp_path):
    record = sp.simulate(
        "full-cell-rate", "bare-na", instrument={"rates": "1, 2", "cycles_per_rate": 1, "spectra_at": "1"}, **FULL
    )
    path = write(record, tmp_path / "cell.mpt")
    trace, spectra = read_trace(path), read_spectra(path)
    assert trace.simulated
    assert spectra.simulated
    before = record.without_impedance()
    assert len(trace.without_impedance()) == len(before)
    inside = record.data.filter(record.data["frequency_hertz"].is_not_null())
    np.testing.assert_array_equal(spectra.data["real_impedance_ohm"], inside["real_impedance_ohm"])
    np.testing.assert_array_equal(spectra.data["imaginary_impedance_ohm"], inside["imaginary_impedance_ohm"])


def test_a_measured_record_is_not_called_simulated(tmp_path):
    record = sp.simulate("nucleation", "bare-na", instrument=TESTS["nucleation"][1], **PLATING)
    measured = CyclingRecord(record.data, record.provenance)
    back = sp.read(write(measured, tmp_path / "cell.mpt"))
    assert not back.simulated
    assert "SIMULATED" not in (tmp_path / "cell.mpt").read_text()
