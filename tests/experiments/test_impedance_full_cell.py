"""The spectrum of a virtual full cell: the state that its history left, read by the ordinary analysis."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.physics.cell import load_cell
from sodiophile.physics.porous_cell import PorousCell
from sodiophile.physics.sets import load_part
from sodiophile.schema import checked

KIND = experiment("impedance")
BASE = {"area": "1.13 cm^2", "electrodes": 1}
HISTORY = {"cycles_before": 3, "current_density_before": "1 mA/cm^2", "capacity_before": "0.2 mAh/cm^2"}


def spectrum(cell, protocol=BASE, **instrument):
    return KIND.simulate(cell, checked(KIND.protocol, protocol), 1, checked(KIND.instrument, instrument))


def test_it_is_that_of_the_cell_that_was_cycled():
    cell = load_cell("bare-na")
    record = spectrum(cell, **HISTORY, noise="0")
    by_hand = PorousCell(cell, load_part("cathode", "nvp"))
    for _ in range(3):
        by_hand.charge(1.0, 3.8, 720.0)
        by_hand.rest(60.0)
        by_hand.discharge(1.0, 2.5)
        by_hand.rest(60.0)
    by_hand.charge(by_hand.capacity_mAh_cm2 / 5, 3.8, 9000.0)
    by_hand.rest(600.0)
    frequency = record.data["frequency_hertz"].to_numpy()
    expected = by_hand.impedance_ohm_cm2(frequency) / 1.13 + 2j * np.pi * frequency * 1e-7
    found = record.data["real_impedance_ohm"].to_numpy() + 1j * record.data["imaginary_impedance_ohm"].to_numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert record.simulated
    assert "a full cell with" in record.notes[0]


def test_the_ordinary_analysis_finds_what_charge_transfer_and_interphase_add():
    """A metal whose interphase has 100 ohm cm2 more everywhere shows just so much more in the arcs."""
    totals = []
    for more in (0.0, 100.0):
        cell = load_cell("bare-na").changed(
            {
                "electrode.interphase_resistance": 180.0 + more,
                "electrode.deposit_area": 0.0,
                "electrode.double_layer_capacitance": 20.0,
            }
        )
        record = spectrum(cell, noise="0.0005", points_per_decade=12)
        result = KIND.run([record], checked(KIND.protocol, BASE))
        totals.append(result.quantities["interfacial_resistance"])
        assert result.simulated
    difference = totals[1].value - totals[0].value
    assert difference == pytest.approx(100.0, abs=2.0)


def test_the_temperature_of_the_protocol_is_that_of_the_whole_life():
    warm, cold = (
        spectrum(load_cell("bare-na"), {**BASE, "temperature": f"{celsius} degC"}, **HISTORY) for celsius in (40, 10)
    )
    assert warm.temperature_K == (313.15,)
    low = [record.data["real_impedance_ohm"][-1] for record in (warm, cold)]
    assert low[1] > 2 * low[0]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("bare-na", {"drift": "0.1"}, "drift: found one, expected none with electrodes = 1"),
        ("bare-na", {"exponent": "0.8"}, "exponent: found one"),
        ("bare-na", {"interphase_capacitance": "1 uF/cm^2"}, "interphase_capacitance: found one"),
        ("bare-na", {"upper_voltage": "3 V"}, "expected them around the plateau"),
        ("bare-na", {"cathode": "nvpp"}, "did you mean 'nvp'"),
        ("bare-zn", {}, "single-charged"),
    ],
)
def test_what_a_full_cell_has_not_is_one_line(name, settings, said):
    with pytest.raises(InputError) as caught:
        spectrum(load_cell(name), **settings)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cell_that_takes_no_charge_says_so():
    dead = load_cell("bare-na").changed(
        {"electrode.interphase_resistance": 1e5, "electrode.deposit_interphase_resistance": 1e5}
    )
    with pytest.raises(
        InputError, match=r"takes no half of its charge .* polarization|takes no half of its charge .* metal"
    ):
        spectrum(dead)
