"""Transport between two metal electrodes against the analytic laws: Sand, the limiting current, steady state, reversal."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sodiophile.physics.cell import load_cell
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.physics.transport import (
    PorousLayer,
    SaltProfile,
    concentration_overpotential_V,
    limiting_current_density_mA_cm2,
    relaxation_time_s,
    sand_time_s,
)

C0, D, T_PLUS, T = 1000.0, 1e-10, 0.4, 298.15


def finite_volumes(
    j_mA_cm2: float, length_m: float, times_s: np.ndarray, cells: int = 200, step: float = 0.01
) -> np.ndarray:
    """Return c/c0 at the plating face by an implicit scheme: independent of the modes."""
    x = length_m / cells
    flux = (1 - T_PLUS) * j_mA_cm2 * 10 / FARADAY_C_mol
    c = np.ones(cells) * C0
    out, now = [], 0.0
    laplacian = np.diag(np.full(cells, -2.0)) + np.diag(np.ones(cells - 1), 1) + np.diag(np.ones(cells - 1), -1)
    laplacian[0, 0] = laplacian[-1, -1] = -1.0
    inverse = np.linalg.inv(np.eye(cells) - step * D / x**2 * laplacian)
    source = np.zeros(cells)
    source[0], source[-1] = -flux / x, flux / x
    for time in times_s:
        while now < time - 1e-9:
            c = inverse @ (c + step * source)
            now += step
        out.append(c[0] - flux * x / (2 * D))
    return np.array(out) / C0


def test_porous_layers_add():
    one, half = PorousLayer(100e-6, 0.5, 2.0), PorousLayer(50e-6, 0.5, 2.0)
    assert one.path_m == pytest.approx(2 * half.path_m)
    assert one.path_m == pytest.approx(400e-6)
    assert one.pore_m == pytest.approx(50e-6)


def test_steady_state_reaches_zero_at_the_limiting_current():
    """The steady gradient (1-t) j / (z F D) over half the gap takes all of c0 at j_lim."""
    length = 100e-6
    for z in (1, 2):
        limit = float(limiting_current_density_mA_cm2(C0, D, T_PLUS, length, z=z))
        gradient = (1 - T_PLUS) * limit * 10 / (z * FARADAY_C_mol * D)
        assert gradient * length / 2 == pytest.approx(C0, rel=1e-12)


def test_profile_against_finite_volumes():
    length = 100e-6
    limit = float(limiting_current_density_mA_cm2(C0, D, T_PLUS, length))
    times = np.array([0.5, 2, 5, 10, 20, 60])
    depletion = SaltProfile(40).during(times, 0.8, relaxation_time_s(length, length, D))
    np.testing.assert_allclose(1 - depletion, finite_volumes(0.8 * limit, length, times), atol=0.001)


@pytest.mark.parametrize("z", [1, 2])
@pytest.mark.parametrize("drive", [4.0, 8.0, 20.0])
def test_sand_time_within_one_per_cent(drive, z):
    """Between distant electrodes, well above j_lim, the plating face is empty at Sand's time."""
    length = 1e-3
    limit = float(limiting_current_density_mA_cm2(C0, D, T_PLUS, length, z=z))
    sand = float(sand_time_s(drive * limit, C0, D, T_PLUS, z=z))
    tau = relaxation_time_s(length, length, D)
    times = np.linspace(0.8 * sand, 1.2 * sand, 4001)
    depletion = SaltProfile(800).during(times, drive, tau)
    found = times[np.argmax(depletion >= 1)]
    assert found == pytest.approx(sand, rel=0.01)


@pytest.mark.parametrize("name", ["bare-na", "bare-li", "bare-k", "bare-zn"])
def test_cells_of_every_metal_run_out_of_salt_at_sand_s_time(name):
    """In the pores of a separator, t = eps^(1+b) of that in free electrolyte."""
    cell = load_cell(name)
    e, layer = cell.electrolyte, cell.separator
    much = 12 * SymmetricCell(cell).limiting_current_density_mA_cm2
    free_s = (
        np.pi
        * e.diffusivity.value
        * 1e-2
        * (cell.properties.z * FARADAY_C_mol * 1e3 * e.concentration.value / (2 * much * (1 - e.transference_number.value)))
        ** 2
    )
    expected_s = free_s * layer.porosity.value ** (1 + layer.bruggeman.value)
    said = SymmetricCell(cell).step(much, plating=True).exhausted(2 * expected_s)
    assert float(re.search(r"used up after (\S+) s", said)[1]) == pytest.approx(expected_s, rel=0.01)


def test_sand_time_scales_as_one_over_the_square_of_current():
    times = sand_time_s([1.0, 2.0], C0, D, T_PLUS)
    assert times[0] / times[1] == pytest.approx(4.0, rel=1e-12)


def test_profile_forgets_how_it_was_stepped():
    tau = 100.0
    one, many = SaltProfile(), SaltProfile()
    one.advance(50.0, 0.3, tau)
    for _ in range(10):
        many.advance(5.0, 0.3, tau)
    np.testing.assert_allclose(one.during([0, 10, 100], -0.3, tau), many.during([0, 10, 100], -0.3, tau), rtol=1e-12)


def test_reversal_ends_in_the_mirrored_steady_state():
    profile = SaltProfile()
    profile.advance(1e6, 0.5, 100.0)
    later = profile.during([0.0, 1e6], -0.5, 100.0)
    assert later[1] == pytest.approx(-0.5, rel=1e-12)
    rest = profile.during([1e6], 0.0, 100.0)
    assert rest[0] == pytest.approx(0.0, abs=1e-12)


def test_concentration_overpotential():
    """Its slope at small current is nu/nu+ RT/zF (1-t+) TDF 2 j/j_lim; it is odd, and has no bound at exhaustion."""
    small = 1e-6
    found = concentration_overpotential_V(1 - small, 1 + small, T, T_PLUS, thermodynamic_factor=1.3)
    assert found == pytest.approx(2 * GAS_J_mol_K * T / FARADAY_C_mol * (1 - T_PLUS) * 1.3 * 2 * small, rel=1e-6)
    forth = concentration_overpotential_V(0.4, 1.6, T, T_PLUS, z=2, ions_per_cation=3)
    back = concentration_overpotential_V(1.6, 0.4, T, T_PLUS, z=2, ions_per_cation=3)
    assert forth == pytest.approx(-back)
    assert concentration_overpotential_V(0.0, 2.0, T, T_PLUS) == np.inf
