"""Interlayers that react inside: limits of their line, a ladder of resistors, one state in time and frequency, filling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.physics.cell import load_cell
from sodiophile.physics.cell_impedance import diffusion_ohm_cm2_s, impedance_ohm_cm2
from sodiophile.physics.interlayer import LayerSurface
from sodiophile.physics.symmetric import SymmetricCell


def layered(**changes) -> SymmetricCell:
    return SymmetricCell(load_cell("na-vn").changed({f"interlayer.{key}": value for key, value in changes.items()}))


def ladder(surface: complex, inner: float, resistance: float, rungs: int) -> complex:
    """Admittance seen from the electrolyte of so many equal pieces: the pore in series, the surface to the solid."""
    admittance = 0j
    for _ in range(rungs):
        # half of the pore of a piece, its surface, the other half
        admittance = 1 / (1 / admittance + 0.5 * resistance / rungs) if admittance else 0j
        admittance = 1 / (1 / (admittance + inner / rungs / surface) + 0.5 * resistance / rungs)
    return admittance


@given(st.floats(1.0, 500.0), st.floats(0.1, 30.0), st.floats(0.5, 1e3), st.floats(-1.4, 0.0))
def test_line_is_the_limit_of_a_ladder(inner, resistance, size, phase):
    surface = size * np.exp(1j * phase)
    line = complex(LayerSurface(inner, resistance).area(surface)) / surface
    coarse, fine = (ladder(surface, inner, resistance, rungs) for rungs in (200, 400))
    # the error of a ladder falls as the square of its pieces
    assert line == pytest.approx(fine + (fine - coarse) / 3, rel=2e-4)


def test_a_thin_layer_takes_part_as_a_whole_and_a_deep_one_by_the_root():
    assert LayerSurface(10.0, 1.0).area(1e6) == pytest.approx(10.0, rel=1e-4)
    assert LayerSurface(0.0, 1.0).area(1.0) == 0.0
    deep = [float(LayerSurface(inner, resistance).area(1.0)) for inner, resistance in ((1e4, 1.0), (4e4, 1.0), (1e4, 4.0))]
    assert deep[0] == pytest.approx(100.0)
    assert deep[1] == pytest.approx(2 * deep[0])
    assert deep[2] == pytest.approx(0.5 * deep[0])


@pytest.mark.parametrize("plated", [0.05, 0.3, 0.9])
def test_impedance_at_zero_frequency_is_the_slope_of_the_voltage(plated):
    """One state: the resistance of the line is that of the area with which the cell is cycled."""
    pair = layered(specific_area=2.0)
    pair.step(0.5, plating=True).finish(plated / 0.5 * 3600.0)
    pair.salt.advance(1e9, 0.0, pair.salt_time_s)
    step = pair.step(1e-7, plating=True)
    slope_ohm_cm2 = abs(step.voltage_V(1e-3)[0]) / 1e-10
    low = impedance_ohm_cm2(pair, [1e-9])[0].real
    # after a millisecond the salt has hardly moved
    assert low - diffusion_ohm_cm2_s(pair)[0] == pytest.approx(slope_ohm_cm2, rel=2e-2)


def test_a_layer_that_does_not_conduct_is_a_path_for_ions_alone():
    pair = layered(electronic_conductivity=0.0)
    pair.step(0.5, plating=True).finish(3600.0)
    assert len(pair.branches(pair.working)) == 2
    assert pair.deposit_area(0.3) == pytest.approx(2.0 * (1 - np.exp(-3.0)))
    conducting = layered()
    conducting.step(0.5, plating=True).finish(3600.0)
    assert len(conducting.branches(conducting.working)) == 3
    assert conducting.deposit_area(0.3) > pair.deposit_area(0.3)


def test_metal_fills_the_pores_and_then_grows_on_top():
    pair = layered()
    layer = pair.cell.interlayer
    full = layer.fill_capacity_mAh_cm2(pair.cell.properties)
    # 30 um at a porosity of 0.4 hold 12 um of dense sodium, 8.86 um a mAh/cm2
    assert full == pytest.approx(12.0 / 8.86, rel=2e-3)
    on_top = load_cell("bare-na").electrode.deposit_area.value
    assert pair.deposit_area(1.01 * full) == pytest.approx(on_top, rel=1e-4)
    assert pair.deposit_area(0.5 * full) > on_top


def test_an_inner_surface_lowers_the_polarization_and_a_deep_layer_gains_less():
    areas = [float(layered(specific_area=7.0, thickness=um).deposit_area(0.2)) for um in (5.0, 10.0, 20.0, 40.0)]
    gains = np.diff(areas) / np.diff([5.0, 10.0, 20.0, 40.0])
    assert np.all(gains > 0)
    assert np.all(np.diff(gains) < 0)
    voltages = []
    for pair in (layered(specific_area=7.0), SymmetricCell(load_cell("bare-na"))):
        pair.step(0.5, plating=True).finish(0.2 / 0.5 * 3600.0)
        voltages.append(abs(pair.step(0.5, plating=True).voltage_V(60.0)[0]))
    assert voltages[0] < voltages[1]
