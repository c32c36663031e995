"""The galvanostatic dip: double layer, charge, growth, convergence, scaling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from sodiophile.errors import InputError
from sodiophile.physics import dip as dip_module
from sodiophile.physics._dip_kernel import currents
from sodiophile.physics.cell import load_cell
from sodiophile.physics.constants import FARADAY_C_mol
from sodiophile.physics.dip import plate
from sodiophile.physics.kinetics import butler_volmer_overpotential_V
from sodiophile.physics.nucleation import (
    Substrate,
    critical_radius_m,
    nucleation_rate_1_s,
    scharifker_hills_current_density_A_m2,
    wetting_factor,
)

J = 5.0
SUBSTRATE = Substrate(
    temperature_K=298.15,
    z=1,
    molar_volume_m3_mol=23.75e-6,
    interfacial_energy_J_m2=0.15,
    contact_angle_deg=60.0,
    site_density_1_m2=1e13,
    attempt_frequency_1_s=1e10,
    exchange_current_density_A_m2=50.0,
    alpha=0.5,
    capacitance_F_m2=1.0,
    side_current_density_A_m2=0.0,
    concentration_mol_m3=1000.0,
    diffusivity_m2_s=1e-10,
)


@pytest.fixture(scope="module")
def dip():
    return plate(SUBSTRATE, J, 3600.0)


def test_double_layer_first(dip):
    """Before the first nucleus dV/dt = j/C."""
    early = (dip.number_density_1_m2 == 0) & (dip.time_s > 0)
    assert early.sum() > 5
    np.testing.assert_allclose(dip.overpotential_V[early], J / SUBSTRATE.capacitance_F_m2 * dip.time_s[early], rtol=1e-9)


@pytest.mark.parametrize("change", [{}, {"side_current_density_A_m2": 0.05}, {"z": 2}, {"contact_angle_deg": 120.0}])
def test_charge_is_conserved_to_round_off(change):
    """What is put in is in the double layer, in the metal, or in the side reaction, at every step."""
    substrate = replace(SUBSTRATE, **change)
    solved = plate(substrate, J, 600.0, start_V=-0.5)
    layer = substrate.capacitance_F_m2 * (solved.overpotential_V + 0.5)
    metal = solved.thickness_m * substrate.z * FARADAY_C_mol / substrate.molar_volume_m3_mol
    given = J * solved.time_s
    np.testing.assert_allclose(layer + metal + solved.side_charge_C_m2, given, rtol=1e-11, atol=1e-9)


def test_volume_of_the_caps_is_the_charge_before_they_touch(dip):
    apart = (dip.coverage > 2e-4) & (dip.coverage < 5e-3)
    assert apart.sum() > 10
    caps, charge = dip.cap_volume_m[apart], dip.thickness_m[apart]
    # overlap hides less than S/2 of the growth; newborn nuclei hold volume that no charge is counted for
    np.testing.assert_allclose(caps - caps[0], charge - charge[0], rtol=3e-3, atol=1e-17)
    newborn_C_m2 = (caps[0] - charge[0]) * FARADAY_C_mol / SUBSTRATE.molar_volume_m3_mol
    assert 0 < newborn_C_m2 < 1e-4


def test_tip_then_plateau_of_touching_caps(dip):
    """At the end all current crosses the area of touching caps, 2/(1+cos theta) per geometric area."""
    tip = int(dip.overpotential_V.argmax())
    assert 0 < tip < dip.time_s.size - 1
    area = 2 / (1 + np.cos(np.radians(SUBSTRATE.contact_angle_deg)))
    radius = (3 * dip.cap_volume_m[-1] / (dip.number_density_1_m2[-1] * 4 * np.pi * wetting_factor(60.0))) ** (1 / 3)
    flat = butler_volmer_overpotential_V(J / area, SUBSTRATE.exchange_current_density_A_m2, SUBSTRATE.temperature_K)
    shift = 2 * SUBSTRATE.interfacial_energy_J_m2 * SUBSTRATE.molar_volume_m3_mol / (FARADAY_C_mol * radius)
    supply = J / area * radius / (FARADAY_C_mol * SUBSTRATE.diffusivity_m2_s * SUBSTRATE.concentration_mol_m3) / 38.92
    assert dip.coverage[-1] > 1 - 1e-9
    # the supply enters through the plating branch alone, so by at most its Nernst shift
    assert flat + shift <= dip.overpotential_V[-1] <= flat + shift + 1.1 * supply


def test_converges_with_its_tolerance():
    """Tip and transient approach those of a hundred times finer steps, and the error stays near the tolerance."""
    times = np.geomspace(0.2, 1000, 60)
    exact = plate(SUBSTRATE, J, 1000.0, tolerance_V=3e-6)
    errors = []
    for tolerance in (3e-4, 1e-4, 3e-5):
        solved = plate(SUBSTRATE, J, 1000.0, tolerance_V=tolerance)
        errors.append(max(np.abs(solved.at(times) - exact.at(times)).max(),
                          abs(solved.overpotential_V.max() - exact.overpotential_V.max())))  # fmt: skip
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < 1e-3


def test_growth_of_one_generation_is_second_order():
    """With all nuclei there at once and fixed steps of the tolerance, the radius of the caps follows the growth law."""
    # instantaneous nucleation: every site at the first chance; then r(t) from the charge: N V(r) = J t V_m / F
    substrate = replace(SUBSTRATE, attempt_frequency_1_s=1e14, capacitance_F_m2=1e-3, site_density_1_m2=1e11)
    solved = plate(substrate, J, 5.0, tolerance_V=1e-5)
    at = np.searchsorted(solved.time_s, [0.5, 1.0, 2.0, 4.0])
    assert (solved.number_density_1_m2[at] > 0.999e11).all()
    volume = solved.cap_volume_m[at] / solved.number_density_1_m2[at]
    # S is a few per cent: overlap takes S/4 of the volume of the caps at constant charge
    charge = J * solved.time_s[at] * substrate.molar_volume_m3_mol / FARADAY_C_mol / 1e11
    np.testing.assert_allclose(volume, charge, rtol=0.02)
    exponent = np.diff(np.log(volume)) / np.diff(np.log(solved.time_s[at]))
    np.testing.assert_allclose(exponent, 1.0, atol=0.02)


@pytest.mark.parametrize(("diffusivity", "z", "angle"), [(1e-10, 1, 60.0), (2e-11, 1, 60.0), (1e-10, 2, 110.0)])
def test_caps_of_one_generation_have_the_overpotential_of_their_size(diffusivity, z, angle):
    """Their radius follows from the charge, and the overpotential from that: kinetics, Gibbs-Thomson, supply of ions."""
    substrate = replace(
        SUBSTRATE, attempt_frequency_1_s=1e14, capacitance_F_m2=1e-3, site_density_1_m2=1e11, diffusivity_m2_s=diffusivity,
        z=z, contact_angle_deg=angle,
    )  # fmt: skip
    solved = plate(substrate, J, 3.0, tolerance_V=1e-6)
    zF, cosine = z * FARADAY_C_mol, np.cos(np.radians(angle))
    f = zF / (8.314462618 * substrate.temperature_K)
    for time in (0.3, 1.0, 2.5):
        volume = J * time * substrate.molar_volume_m3_mol / zF / 1e11
        radius = (volume / (4 / 3 * np.pi * wetting_factor(angle))) ** (1 / 3)
        apart = -np.expm1(-(x := 1e11 * np.pi * radius**2 * (1 - cosine**2 if cosine > 0 else 1.0))) / x
        density = J / (1e11 * 2 * np.pi * radius**2 * (1 - cosine) * apart)
        shift = 2 * substrate.interfacial_energy_J_m2 * substrate.molar_volume_m3_mol / (zF * radius)
        supply = density * radius / (zF * substrate.diffusivity_m2_s * substrate.concentration_mol_m3)

        def excess(eta, density=density, shift=shift, supply=supply):
            local = eta - shift
            forth, back = np.exp(0.5 * f * local), np.exp(-0.5 * f * local)
            # the ions at a cap are fewer by what it draws
            return substrate.exchange_current_density_A_m2 * ((1 - supply) * forth - back) - density

        expected = brentq(excess, 0.0, 2.0)
        # overlap takes S/4 of the volume of the caps at constant charge; S is below 4 %
        assert solved.at(np.array([time]))[0] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("z", [1, 2])
def test_a_nucleus_of_the_critical_radius_neither_grows_nor_dissolves(z):
    film, eta = dip_module._Film(replace(SUBSTRATE, z=z), J), 0.08
    critical = float(critical_radius_m(eta, SUBSTRATE.interfacial_energy_J_m2, SUBSTRATE.molar_volume_m3_mol, z=z))
    radii = critical * np.array([0.999, 1.0, 1.001])
    flux = dip_module._Caps(film, np.ones(3), radii).currents(eta)[3]
    assert flux[0] < 0 < flux[2]
    assert abs(flux[1]) < 1e-9 * flux[2]
    # a newborn nucleus is a little larger, and grows
    assert film.ignition(eta, 1.0)[1] > critical


def test_growth_under_a_held_overpotential_is_the_rise_of_scharifker_and_hills():
    """Hemispheres fed by diffusion: j = zF pi (2Dc)^(3/2) V_m^(1/2) N t^(1/2), before their zones meet (instantaneous)."""
    held = replace(SUBSTRATE, contact_angle_deg=90.0, exchange_current_density_A_m2=1e4, interfacial_energy_J_m2=1e-3)
    film, number, eta = dip_module._Film(held, J), 1e11, 0.6

    def growth(_, radius):
        flux = dip_module._Caps(film, np.array([number]), radius).currents(eta)[3]
        return film.speed * flux

    times = np.geomspace(1e-5, 1e-3, 9)
    radii = solve_ivp(growth, (0.0, times[-1]), [1e-10], method="LSODA", t_eval=times, rtol=1e-9, atol=1e-16).y[0]
    found = [dip_module._Caps(film, np.array([number]), np.array([radius])).currents(eta)[0] for radius in radii]
    expected = scharifker_hills_current_density_A_m2(times, 1e9, number, 1000.0, 1e-10, held.molar_volume_m3_mol)
    # at the end the zones cover 2.4 % of the surface and have taken half of that
    np.testing.assert_allclose(found, expected, rtol=0.014)


def test_better_wetting_lowers_the_tip():
    tips = [plate(replace(SUBSTRATE, contact_angle_deg=a), J, 30.0).overpotential_V.max() for a in (30, 60, 90, 120)]
    assert np.all(np.diff(tips) > 0)


def test_tip_goes_as_the_root_of_the_wetting_factor_where_nucleation_decides():
    """With a slow double layer and fast growth the tip is where the barrier gives way: eta_n ~ f(theta)^(1/2)."""
    slow = replace(SUBSTRATE, capacitance_F_m2=500.0, exchange_current_density_A_m2=1e4, site_density_1_m2=1e15)
    angles = np.array([40.0, 60.0, 90.0])
    tips = [plate(replace(slow, contact_angle_deg=a), J, 100.0).overpotential_V.max() for a in angles]
    slope = np.diff(np.log(tips)) / np.diff(np.log(wetting_factor(angles)))
    np.testing.assert_allclose(slope, 0.5, atol=0.03)


def test_number_follows_the_rate_of_nucleation():
    """While the double layer charges as j/C and growth is nothing, ln(1 - N/N0) = -integral of A0 exp(-dG/kT)."""
    substrate = replace(SUBSTRATE, capacitance_F_m2=50.0, exchange_current_density_A_m2=1e-6, attempt_frequency_1_s=1e6)
    solved = plate(substrate, J, 2.0, tolerance_V=2e-5)
    part = solved.number_density_1_m2 / substrate.site_density_1_m2
    k = int(np.argmax(part > 0.3))
    assert solved.coverage[k] < 1e-3
    fine = np.linspace(0, solved.time_s[k], 20001)
    rates = [nucleation_rate_1_s(J / substrate.capacitance_F_m2 * t, substrate) for t in fine]
    assert part[k] == pytest.approx(1 - np.exp(-np.trapezoid(rates, fine)), rel=0.02)


def test_more_current_more_overpotential_and_more_nuclei():
    sites = replace(SUBSTRATE, site_density_1_m2=1e18, attempt_frequency_1_s=1e4)
    low, high = (plate(sites, j, 4.0 / j, tolerance_V=2e-4) for j in (2.0, 20.0))
    assert high.overpotential_V.max() > low.overpotential_V.max()
    assert high.number_density_1_m2.max() > low.number_density_1_m2.max()


def test_any_substrate_is_solved_and_keeps_its_charge():
    """Nuclei that dissolve again, the last of them within an attosecond, neither stop the solver nor take charge away."""
    random = np.random.default_rng(7)
    for _ in range(25):
        substrate = replace(
            SUBSTRATE,
            site_density_1_m2=10 ** random.uniform(11, 18),
            attempt_frequency_1_s=10 ** random.uniform(8, 13),
            contact_angle_deg=random.uniform(10, 120),
            capacitance_F_m2=10 ** random.uniform(-1.5, 2),
            exchange_current_density_A_m2=10 ** random.uniform(-1, 3),
            z=int(random.integers(1, 3)),
        )
        j = 10 ** random.uniform(-1, 1.3)
        solved = plate(substrate, j, 3e3 / j, tolerance_V=1e-4)
        layer = substrate.capacitance_F_m2 * solved.overpotential_V
        metal = solved.thickness_m * substrate.z * FARADAY_C_mol / substrate.molar_volume_m3_mol
        np.testing.assert_allclose(layer + metal, j * solved.time_s, rtol=1e-9, atol=1e-9)
        assert solved.coverage[-1] > 0


def test_compiled_currents_are_those_of_the_equations():
    """Growth, side current and fluxes against numpy, written as in the equations; the derivative against differences."""
    random = np.random.default_rng(3)
    alpha, f, side = 0.4, 38.9, 0.01
    weights, cathodic, anodic, supply = random.uniform(0.1, 2.0, (4, 7))

    def by_numpy(eta):
        plating, stripping = np.exp(alpha * f * eta) * cathodic, np.exp(-(1 - alpha) * f * eta) * anodic
        return (plating - stripping) / (1 + np.exp(alpha * f * eta) * supply)

    for eta in (-0.1, 0.0, 0.05, 0.3):
        flux = np.empty(7)
        growth, aside, slope = currents(eta, alpha, f, side, weights, cathodic, anodic, supply, flux)
        np.testing.assert_allclose(flux, by_numpy(eta), rtol=1e-13)
        assert growth == pytest.approx(weights @ by_numpy(eta), rel=1e-12)
        assert aside == pytest.approx(side * np.exp(alpha * f * eta), rel=1e-12)
        near = [weights @ by_numpy(eta + d) + side * np.exp(alpha * f * (eta + d)) for d in (-1e-6, 1e-6)]
        assert slope == pytest.approx((near[1] - near[0]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("name", ["bare-na", "bare-li", "bare-k", "bare-zn"])
def test_in_the_warm_nuclei_form_at_less_overpotential(name):
    """Of each metal, with the barrier over kT, the kinetics and the supply all at the temperature of the cell."""
    tips = []
    for kelvin in (273.15, 298.15, 323.15):
        substrate = load_cell(name).at(kelvin).nucleation
        assert substrate.temperature_K == kelvin
        tips.append(plate(substrate, J, 60.0, tolerance_V=1e-4).overpotential_V.max())
    assert tips[0] > tips[1] > tips[2] > 0


def test_a_barrier_that_nothing_crosses_is_one_line():
    never = replace(SUBSTRATE, attempt_frequency_1_s=1e-300)
    with pytest.raises(InputError, match="no metal grows: the overpotential reached 10 V"):
        plate(never, J, 3600.0)


def test_caps_that_outgrow_their_supply_end_the_plating():
    """Each draws at most zFDc0/r: once caps that touch draw less than is set, the voltage runs away, and the run ends."""
    slow = replace(SUBSTRATE, site_density_1_m2=1e14, diffusivity_m2_s=1e-13)
    solved = plate(slow, J, 36000.0)
    assert 100.0 < solved.time_s[-1] < 36000.0
    assert solved.overpotential_V[-1] > 10.0
    number, covered = solved.number_density_1_m2[-1], solved.coverage[-1]
    radius = (solved.cap_volume_m[-1] / number / (4 / 3 * np.pi * wetting_factor(60.0))) ** (1 / 3)
    most = slow.z * FARADAY_C_mol * slow.diffusivity_m2_s * slow.concentration_mol_m3 / radius
    touching = covered * 2 / (1 + np.cos(np.radians(60.0)))
    assert most * touching == pytest.approx(J, rel=0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    [("contact_angle_deg", 0.0), ("contact_angle_deg", 190.0), ("exchange_current_density_A_m2", 0.0),
     ("capacitance_F_m2", -1.0), ("alpha", 1.0), ("diffusivity_m2_s", np.nan)],
)  # fmt: skip
def test_unphysical_substrates_are_refused(name, value):
    with pytest.raises(InputError, match="expected"):
        replace(SUBSTRATE, **{name: value})


@pytest.mark.parametrize("call", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_no_current_or_time_is_refused(call):
    with pytest.raises(InputError, match="expected all above 0"):
        plate(SUBSTRATE, *call)
