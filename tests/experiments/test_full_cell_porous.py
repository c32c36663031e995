"""The virtual full cell of porous electrodes: its record, analyzed as any other, tells what was put in."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import sodiophile as sp
from sodiophile.errors import InputError, SolverError
from sodiophile.experiments import experiment
from sodiophile.experiments._fullcell_porous import PorousRun
from sodiophile.experiments._fullcell_simulate import run
from sodiophile.experiments._fullcell_trace import Trace
from sodiophile.experiments.full_cell_cycling.simulate import VirtualInstrument as CyclingInstrument
from sodiophile.experiments.full_cell_rate.simulate import VirtualInstrument as RateInstrument
from sodiophile.physics.cell import load_cell
from sodiophile.physics.porous_cell import PorousCell
from sodiophile.physics.sets import load_part
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.readers.writing import write
from sodiophile.schema import checked

RATE, CYCLING = experiment("full-cell-rate"), experiment("full-cell-cycling")
BARE, LAYERED = load_cell("bare-na"), load_cell("na-vn")
BASE = {"active_mass": "2 mg", "area": "1 cm^2", "theoretical_capacity": "117.6 mAh/g"}
QUIET = {"voltage_noise": "0 V", "current_noise": 0.0, "voltage_resolution": "0 V", "current_resolution": "0 A"}


def rate_test(cell, **settings):
    protocol = checked(RATE.protocol, BASE)
    instrument = checked(RateInstrument, settings)
    rates = [float(part) for part in instrument.rates.split(",") for _ in range(instrument.cycles_per_rate)]
    record, truth = run("full-cell-rate", cell, protocol, 1, instrument, rates)
    return record, truth, RATE.run([record], protocol)


def test_capacity_and_efficiency_of_each_cycle_come_back():
    record, truth, result = rate_test(
        BARE, rates="1, 5, 10, 1", cycles_per_rate=2, sampling_interval="5 s", efficiency=0.99
    )
    table = result.table("cycles")
    assert record.simulated
    assert result.simulated
    for name, passed in (("discharge_mAh", truth.discharge_mAh), ("charge_mAh", truth.charge_mAh)):
        # noise of a sample averages out; the last sample of a step stands at its end
        np.testing.assert_allclose(table[name].to_numpy(), passed, rtol=3e-4)
    # the first cycle begins fuller than a discharge leaves the cell; at its rate the others lose the part that is set
    assert abs(table["coulombic_efficiency"][-1] - 0.99) < 2e-3
    assert result.quantities["capacity: 1C"].status == "simulated"


def test_polarization_is_that_of_the_cell():
    """At half of each half cycle, against a cell that is run by hand."""
    _, _, result = rate_test(
        BARE, rates="2", cycles_per_rate=2, sampling_interval="2 s", efficiency=1.0, rest="60 s", **QUIET
    )
    cell = PorousCell(BARE, load_part("cathode", "nvp"))
    for _ in range(2):
        seen = []
        for go, limit in ((cell.charge, 3.8), (cell.discharge, 2.5)):
            part = go(2 * 0.2352, limit)
            seen.append(np.interp(0.5 * part.time_s[-1], part.time_s, part.voltage_V))
            cell.rest(60.0)
    found = result.table("cycles")["polarization_middle_mV"][1]
    assert abs(found - 1e3 * (seen[0] - seen[1])) < 0.5


def test_fade_of_active_material_comes_back():
    protocol = checked(CYCLING.protocol, BASE)
    settings = {"rate": 1, "cycles": 60, "active_loss": 1e-3, "sampling_interval": "30 s", "efficiency": 1.0}
    record = CYCLING.simulate(LAYERED, protocol, 3, checked(CyclingInstrument, settings))
    found = CYCLING.run([record], protocol).quantities["fade_per_cycle"]
    # the mean over the cycles of an exponential is a line within its uncertainty
    assert abs(found.value - 1e-3) < 3 * found.uncertainty + 5e-5


def test_fade_follows_from_the_history_of_the_metal():
    """Little metal, much of it cut off: the cell dies of it; with metal in excess it does not."""
    protocol = checked(CYCLING.protocol, BASE)
    settings = checked(CyclingInstrument, {"rate": 2, "cycles": 25, "sampling_interval": "20 s", "efficiency": 1.0})
    retention = {}
    for name, metal in (("scarce", 0.3), ("excess", 22.0)):
        cell = BARE.changed({"electrode.metal_capacity": metal, "electrode.dead_fraction": 0.1})
        record = CYCLING.simulate(cell, protocol, 1, settings)
        retention[name] = CYCLING.run([record], protocol).quantities["retention"].value
        used_up = any("the metal electrode was used up" in note for note in record.notes)
        assert used_up == (name == "scarce")
    assert retention["scarce"] < 0.6
    assert retention["excess"] > 0.97


def capacity_at_50C(cell):
    """Capacity of the second of two cycles, as a part of the theoretical one; what 20C left of a deposit helps."""
    _, truth, _ = rate_test(cell, rates="1, 20, 50, 50", cycles_per_rate=1, sampling_interval="1 s")
    return truth.discharge_mAh[3] / 0.2352


def test_what_a_layer_does_at_the_highest_rate_is_decided_by_its_inner_surface_and_by_the_salt():
    """Its inner surface carries what bare metal cannot; as a mere path it does not help; in slow salt it is in the way."""
    fast = {
        "electrolyte.diffusivity": "3.2e-10 m^2/s",
        "electrode.interphase_resistance": 90.0,
        "electrode.deposit_interphase_resistance": 30.0,
    }
    slow = {
        "electrolyte.diffusivity": "2.49e-11 m^2/s",
        "electrode.interphase_resistance": 45.0,
        "electrode.deposit_interphase_resistance": 15.0,
    }
    path = LAYERED.interlayer.model_copy(update={"specific_area": None, "electronic_conductivity": None})
    mere_path = LAYERED.model_copy(update={"interlayer": path})
    assert capacity_at_50C(LAYERED.changed(fast)) > 0.7
    assert capacity_at_50C(BARE.changed(fast)) < 0.01
    assert capacity_at_50C(mere_path.changed(fast)) < 0.01
    assert 0.01 < capacity_at_50C(LAYERED.changed(slow)) < 0.5 * capacity_at_50C(BARE.changed(slow))


def test_a_hold_at_constant_voltage_shows_in_the_analysis():
    _, truth, result = rate_test(
        BARE, rates="5", cycles_per_rate=2, sampling_interval="2 s", hold_until=0.1, efficiency=1.0
    )
    share = result.table("cycles")["charge_cv_share"].to_numpy()
    assert np.all((share > 1e-3) & (share < 0.2))
    np.testing.assert_allclose(result.table("cycles")["charge_mAh"].to_numpy(), truth.charge_mAh, rtol=2e-3)


def test_the_record_survives_a_file(tmp_path):
    record, truth, _ = rate_test(BARE, rates="2", cycles_per_rate=2, sampling_interval="10 s")
    path = tmp_path / "cell.bdf.csv"
    write(record, path)
    result = RATE.run([sp.read(path)], checked(RATE.protocol, BASE))
    assert result.simulated
    np.testing.assert_allclose(result.table("cycles")["discharge_mAh"].to_numpy(), truth.discharge_mAh, rtol=3e-4)


def test_spectra_among_the_cycles_come_back(tmp_path):
    """One file holds trace and spectra; either analysis takes its own, and the impedance is that of the cell."""
    cell = BARE.changed({"electrode.interphase_growth": 4e3, "electrode.deposit_area": 0.0})
    protocol = checked(CYCLING.protocol, BASE)
    programme = {"rate": 2, "cycles": 12, "spectra_at": "2, 12", "sampling_interval": "20 s"}
    record = CYCLING.simulate(cell, protocol, 1, checked(CyclingInstrument, programme))
    path = tmp_path / "cell.bdf.csv"
    write(record, path)
    # the pause splits no half cycle
    life = CYCLING.run([sp.read(path)], protocol)
    assert life.quantities["cycles"].value == 12
    assert life.quantities["retention"].value > 0.98
    spectra = sp.read(path, record="spectra")
    assert spectra.simulated
    rows = record.data.filter(record.data["frequency_hertz"] == 1e6)
    thermal = 8.314462618 * 298.15 / 96485.33212
    nvp = load_part("cathode", "nvp")
    inner = 3e7 / nvp.particle_radius.value * nvp.active_fraction * nvp.accessible_fraction.value * 20e-4
    transfer = thermal * (1 / 0.2e-3 + 1 / (0.02e-3 * inner))
    for number, hours in enumerate(rows["test_time_second"].to_numpy() / 3600, start=1):
        told = {"area": "1 cm^2", "electrodes": 1, "spectrum": number, "temperature": "298.15 K"}
        found = sp.analyze("impedance", spectra, **told).quantities
        # the interphase has grown with the root of time; charge transfer of metal and cathode are one arc
        assert abs(found["sei_resistance"].value / np.sqrt(180.0**2 + 2 * 4e3 * hours) - 1) < 0.03
        assert abs(found["charge_transfer_resistance"].value / transfer - 1) < 0.05
        assert abs(found["series_resistance"].value - 260e-4 / 0.9**1.5 / 8.83e-3) < 0.1


def test_samples_follow_the_voltage_where_asked():
    few, _, _ = rate_test(BARE, rates="2", cycles_per_rate=1, sampling_interval="60 s")
    many, _, _ = rate_test(BARE, rates="2", cycles_per_rate=1, sampling_interval="60 s", voltage_interval="5 mV")
    assert len(many) > len(few) + 50


def test_the_solver_that_gives_up_leaves_the_record_so_far(monkeypatch):
    whole, calls = PorousCell.discharge, []

    def failing(self, *args):
        seen = whole(self, *args)
        calls.append(seen)
        told = "the equations had no solution that the solver found after 3 s"
        return replace(seen, ended="solver", words=told) if len(calls) == 3 else seen

    monkeypatch.setattr(PorousCell, "discharge", failing)
    instrument = checked(CyclingInstrument, {"rate": 5, "cycles": 4})
    with pytest.raises(SolverError, match="the discharge of cycle 3 at 5C: the equations had no solution") as caught:
        CYCLING.simulate(LAYERED, checked(CYCLING.protocol, BASE), 1, instrument)
    assert caught.value.so_far.data["cycle_count"].max() == 3


def test_many_notes_are_counted():
    cell = LAYERED.model_copy(update={"cathode": load_part("cathode", "nvp")})
    run_of = PorousRun(cell, 1.0, 2.0, CyclingInstrument(), Trace(), np.random.default_rng(0))
    run_of.notes = [f"simulated: {n}" for n in range(10)]
    assert len(run_of.told) == 7
    assert run_of.told[-1] == "simulated: 4 more such half cycles"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"softness": "5 mV", "plateau": "3.2 V"}, "found plateau, which the porous model does not have"),
        ({"model": "simple", "active_loss": 0.01}, "found active_loss, which the simple model does not have"),
        ({"active_loss": -0.1}, "active_loss"),
        ({"upper_voltage": "2 V"}, "lower below the upper"),
        ({"efficiency": 1.5}, "efficiency"),
        ({"spectra_at": "1, x"}, "spectra_at: found '1, x', expected numbers of cycles"),
        ({"model": "simple", "spectra_at": "1"}, "found spectra_at, which the simple model does not have"),
        ({"contact_resistance": "-1 ohm cm^2"}, "contact_resistance"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        checked(RateInstrument, settings)
    assert "\n" not in str(caught.value)


def test_what_no_cell_can_be_is_refused_in_one_line():
    with pytest.raises(InputError, match="no cathode of that name; did you mean 'nvp'"):
        rate_test(BARE, cathode="nvpp")
    with pytest.raises(InputError, match="expected them around the plateau"):
        rate_test(BARE, lower_voltage="3.5 V")
    with pytest.raises(InputError, match="single-charged"):
        rate_test(load_cell("bare-zn"))
    with pytest.raises(InputError, match="area: missing"):
        RATE.simulate(BARE, checked(RATE.protocol, {"active_mass": "2 mg"}), 0, RateInstrument())
    with pytest.raises(InputError, match="loading: found 20000"):
        RATE.simulate(BARE, checked(RATE.protocol, {**BASE, "active_mass": "20 g"}), 0, RateInstrument())
    with pytest.raises(InputError, match="sampling_interval"):
        rate_test(BARE, sampling_interval="1e-6 s")


def test_a_rate_that_no_cell_takes_is_shown_with_its_reason():
    """Polarization beyond the window at once: the record holds both ends of each step, the analysis says it fails."""
    stiff = BARE.changed({"electrode.interphase_resistance": 600.0, "electrode.deposit_interphase_resistance": 600.0})
    record, truth, result = rate_test(stiff, rates="1, 50, 1", cycles_per_rate=1, sampling_interval="10 s", **QUIET)
    assert truth.discharge_mAh[1] < 0.01 * truth.discharge_mAh[0]
    assert result.quantities["capacity: 50C"].value < 1.0
    assert any("under 1 % of the highest capacity is left at 50C" in warning for warning in result.warnings)
    (said,) = [note for note in record.notes if "the charge of cycle 2 at 50C" in note]
    assert "the metal electrode alone asks for" in said
    of_metal, of_salt, room = (float(number) for number in re.findall(r"(\d+) mV", said))
    bare_mV = 1e3 * float(SymmetricCell(stiff).surface.shared(11.76, 0.0, 600.0, 1.0, plating=True)[0])
    assert room < of_metal < bare_mV
    separator_mV = 11.76 * BARE.separator.porous.path_m / 0.883 * 1e4
    assert abs(of_salt - separator_mV) < 0.02 * separator_mV + 0.5
    # nothing is said of the rate that works
    assert not any("at 1C" in note for note in record.notes)
