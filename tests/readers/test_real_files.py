"""Measured files that nobody here made: equal to the truth beside them, or to what their own columns say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sodiophile.errors import InputError
from sodiophile.readers import ReadOptions, describe, read

NEWARE = [
    "21_10_7_85.ndax",
    "46_1_5_60_bts16.ndax",
    "Unit27_Example_Data_File.ndax",
    "scrubbed_ndc2.ndax",
    "TestFile.nda",
    "nda_v22.nda.zip",
    "nda_v8.nda.zip",
]


def f32_apart(value: np.ndarray, truth: np.ndarray) -> float:
    return float(np.max(np.abs(value - truth)))


@pytest.mark.parametrize("name", NEWARE)
def test_neware_equals_the_export_of_its_own_program(real_data, name):
    pytest.importorskip("fastnda")
    record = read(real_data(f"echem/neware/{name}"))
    truth = pl.read_parquet(real_data(f"echem/neware/{name.split('.')[0]}.parquet"))
    data = record.data
    assert len(data) == len(truth)
    for ours, theirs in {"cycle_count": "Cycle Index", "step_id": "Step Index", "step_count": "Step Count"}.items():
        assert data[ours].to_list() == truth[theirs].cast(pl.Int64).to_list()
    kinds = [kind.replace("_", " ") for kind in truth["Step Type"].cast(pl.String)]
    assert [kind.replace("_", " ") for kind in data["step_type"]] == kinds
    assert f32_apart(data["step_time_second"].to_numpy(), truth["Time"].to_numpy()) < 1e-9
    assert f32_apart(record.time_s, truth["Total Time"].to_numpy()) < 1e-9
    # the export prints 0.1 mV and a current of 6 digits: half a unit of the last digit
    assert f32_apart(record.voltage_V * 1e3, truth["Voltage(mV)"].to_numpy()) <= 0.051
    current_uA = truth["Current(uA)"].to_numpy().astype(float)
    assert f32_apart(record.current_A * 1e6, current_uA) <= 0.5 + 1e-6 * np.abs(current_uA).max()
    charge_mAs = data["step_net_capacity_ah"].to_numpy() * 3.6e6
    truth_mAs = truth["Capacity(mAs)"].to_numpy()
    if truth_mAs.min() >= 0:  # some exports give the charge of a step without sign
        charge_mAs = np.abs(charge_mAs)
    assert f32_apart(charge_mAs, truth_mAs) <= 2 + 1e-6 * np.abs(truth_mAs).max()
    # dates of the export stand in the zone of its author: whole hours away from UTC
    away = data["unix_time_second"].to_numpy() - truth["Date"].dt.epoch("ms").to_numpy() / 1000
    assert np.allclose(away, np.round(away[0] / 3600) * 3600, atol=1e-3)


def test_neware_binary_and_export_agree(real_data):
    pytest.importorskip("fastnda")
    binary, text = (read(real_data(f"echem/neware/interp-test.{kind}")) for kind in ("ndax", "csv"))
    assert len(binary) == len(text)
    assert np.allclose(binary.time_s, text.time_s, atol=1e-3)
    assert np.allclose(binary.voltage_V, text.voltage_V, atol=0.6e-4)


def test_neware_sign_follows_charge(real_data):
    pytest.importorskip("fastnda")
    record = read(real_data("echem/fullcell_rate/rate_test_1p4-3p4V.ndax"))
    kinds = record.data["step_type"]
    assert record.current_A[(kinds == "CC_Chg").to_numpy()].min() >= 0
    assert record.current_A[(kinds == "CC_DChg").to_numpy()].max() <= 0


def test_symmetric_cell_of_eclab(real_data):
    path = real_data("echem/symmetric_metal/li_llzo_li_symmetric_mb.mpt")
    record = read(path)
    assert len(record) == 1588
    trace = record.without_impedance()
    assert len(record) - len(trace) == 560
    told = describe(path)
    assert told["impedance_rows"] == 560
    assert [round(level["current_A"] * 1e6, 1) for level in told["current_levels"]] == [-2.8, 0.0, 2.8]
    assert told["current_levels"][0]["time_h"] == pytest.approx(4, abs=0.02)
    plating = trace.current_A < -2e-6
    assert trace.voltage_V[plating].mean() == pytest.approx(-3.8e-3, abs=0.1e-3)
    assert told["claims_never_used"]["Electrode surface area"] == "0.500 cm²"
    # a capacitive arc lies above the axis: its imaginary part is negative
    arc = record.data.filter(pl.col("frequency_hertz").is_between(1e4, 1e6))
    assert (arc["imaginary_impedance_ohm"] < 0).mean() > 0.9


def test_impedance_rows_are_their_own_impedance(real_data):
    record = read(real_data("echem/eis_two_arc/yadg_peis.mpt"))
    real, imaginary = (record.data[f"{part}_impedance_ohm"].to_numpy() for part in ("real", "imaginary"))
    assert (record.data["frequency_hertz"] > 0).all()
    assert real[0] == pytest.approx(10.512296)
    assert imaginary[0] == pytest.approx(-0.73047662)


def test_decimal_comma_of_eclab(real_data):
    record = read(real_data("echem/cyclers/Pt_poly_cv_CUT.mpt"))
    assert len(record) == 223
    assert record.voltage_V[0] == pytest.approx(0.87869531)
    assert record.current_A[0] == pytest.approx(-2.604324994466466e-6)
    assert record.metadata["decimal sign"] == ","
    assert any("Ewe-Ece/V" in note for note in record.notes)


def test_eclab_without_header(real_data):
    record = read(real_data("echem/cyclers/Sample_data_biologic_no_header.mpt"))
    assert len(record) == 13
    assert record.provenance[0].reader == "eclab"
    assert record.voltage_V[0] == pytest.approx(2.9344745)


def test_eclab_with_a_lost_header_is_refused(real_data):
    with pytest.raises(InputError, match="line 62: holds 18 fields under 17 headers"):
        read(real_data("echem/eis_formats/exampleDataBioLogic_MissingFreq.mpt"))


@pytest.mark.parametrize(
    "name",
    [
        "cyclers/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv",
        "cyclers/neware_uio.csv",
        "cyclers/arbin_example.bdf.csv",
        "fullcell_rate/neware_export_rate_B443.csv",
        "cyclers/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx",
    ],
)
def test_current_and_capacity_columns_agree_in_sign_and_size(real_data, name):
    if name.endswith("xlsx"):
        pytest.importorskip("fastexcel")
    record = read(real_data(f"echem/{name}"))
    hours = np.diff(record.time_s) / 3600
    for column, sign in (("charging_capacity_ah", 1), ("discharging_capacity_ah", -1)):
        grown = np.clip(np.diff(np.abs(record.data[column].to_numpy())), 0, None)
        sides = [(np.clip(sign * side, 0, None) * hours).sum() for side in (record.current_A[1:], record.current_A[:-1])]
        # LANDT prints the current to 0.1 mA (half of its level) and the others lose a sample at every step
        slack = 0.5 if "Landt" in name else 0.03
        assert (1 - slack) * min(sides) <= grown.sum() <= (1 + slack) * max(sides)
        moving = grown > 0
        wrong = (np.sign(record.current_A[1:]) == -sign) & (np.sign(record.current_A[:-1]) == -sign) & moving
        assert wrong.sum() == 0


def test_landt_is_recognized_by_its_columns(real_data):
    told = describe(real_data("echem/cyclers/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv"))
    assert told["reader"]["name"] == "landt"
    assert told["rows"] == 25162
    assert told["start"] == "2024-04-30T14:33:19+00:00"
    assert any("no other value than 0.0002 A" in sentence for sentence in told["odd"])


def test_maccor_time_without_a_unit_is_told_by_its_dates(real_data):
    path = real_data("echem/cyclers/maccor_two.txt")
    with pytest.raises(InputError, match=r"line 229: .* cut off"):
        read(path)
    record = read(path, ReadOptions(bad_rows="drop"))
    # one row a minute by its dates, one unit of time by its column
    assert np.diff(record.time_s) == pytest.approx(60)
    assert any("in min" in note for note in record.notes)
    assert record.voltage_V[0] == pytest.approx(0.1377)


def test_unsigned_current_without_a_state_is_refused(real_data):
    path = real_data("echem/cyclers/sample_data_maccor.csv")
    with pytest.raises(InputError, match="never negative"):
        read(path)
    assert read(path, ReadOptions(sign="as written")).current_A.max() == pytest.approx(28.844)


def test_hours_become_seconds(real_data):
    record = read(real_data("echem/cyclers/sample_data_novonix.csv"))
    assert record.time_s[-1] == pytest.approx(3.4131889 * 3600)
