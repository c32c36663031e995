r"""From atoms to volts: the links between what a calculation gives of a surface and what a cell shows of it.

Adhesion gives a contact angle, the angle a barrier, the barrier an overpotential; adsorption gives adatoms, their diffusion
the distance between nuclei; a disc one atom high is the other way to begin. Each link is one equation with one assumption.
None is exact, and the product of all is known to a factor; `sodiophile.physics.atoms_chain` carries the uncertainty.

A metal that grows on itself has no barrier of this kind. The barrier of a real electrode is that of breaking through what
covers it, which no clean-surface calculation knows: whatever comes out here is an *effective* barrier of a clean substrate.

Signs: an adsorption energy is negative where it binds; against the bulk metal, negative means that a first layer wets.

References
----------
E. Bauer, Z. Kristallogr. 110 (1958) 372, doi 10.1524/zkri.1958.110.1-6.372 (recalled).
E. Budevski, G. Staikov, W. J. Lorenz, Electrochemical Phase Formation and Growth (VCH, 1996), chapters 4 and 5 (recalled).
A. Milchev, Electrocrystallization (Kluwer, 2002).
J. A. Venables, G. D. T. Spiller, M. Hanbücken, Rep. Prog. Phys. 47 (1984) 399, doi 10.1088/0034-4885/47/4/001 (recalled).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.physics.constants import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C, FARADAY_C_mol
from sodiophile.physics.nucleation import wetting_factor

Array = NDArray[np.float64]

_J_PER_eV = ELEMENTARY_CHARGE_C
_PLANCK_J_s = 6.62607015e-34
_STEPS = 60


def adhesion_from_adsorption_J_m2(
    adsorption_energy_vs_bulk_eV: ArrayLike, site_area_A2: ArrayLike, surface_energy_J_m2: ArrayLike
) -> Array:
    r"""Return the adhesion of a metal on a substrate that the adsorption energy of its first layer suggests, J/m2.

    .. math:: W_{ad} = 2\gamma - \frac{E_{ads}^{bulk}}{a_{site}}

    The first layer replaces the surface of the substrate by an interface and a surface of metal; its energy against bulk
    metal is :math:`\gamma + \gamma_{int} - \gamma_{sub} = 2\gamma - W_{ad}` (Bauer's criterion). It is negative where the
    metal wets. Assumption: a film of one layer already has the surface energy of thick metal, and the adatom of the
    calculation binds as in a full layer. Prefer a calculated adhesion where there is one.

    Parameters
    ----------
    adsorption_energy_vs_bulk_eV
        A metal atom on the substrate, against bulk metal, eV; all parameters broadcast.
    site_area_A2
        Area of substrate a metal atom of the full layer, A2.
    surface_energy_J_m2
        Of the metal, J/m2.
    """
    energy = np.asarray(adsorption_energy_vs_bulk_eV, dtype=float) * _J_PER_eV
    return np.asarray(2.0 * np.asarray(surface_energy_J_m2) - energy / (np.asarray(site_area_A2) * 1e-20))


def wetting_contact_angle_deg(adhesion_J_m2: ArrayLike, interfacial_energy_J_m2: ArrayLike) -> Array:
    r"""Return the contact angle of Young and Dupré for any adhesion, deg: 0 beyond full wetting, 180 below none.

    .. math:: \cos\theta = \frac{W_{ad}}{\gamma} - 1

    Unlike `sodiophile.physics.nucleation.contact_angle_deg` it takes draws of an uncertain adhesion, negative ones too.
    """
    ratio = np.asarray(adhesion_J_m2, dtype=float) / np.asarray(interfacial_energy_J_m2, dtype=float)
    return np.asarray(np.degrees(np.arccos(np.clip(ratio - 1.0, -1.0, 1.0))))


def barrier_constant_V2(
    interfacial_energy_J_m2: ArrayLike,
    contact_angle_deg: ArrayLike,
    molar_volume_m3_mol: float,
    temperature_K: float,
    *,
    z: int = 1,
) -> Array:
    r"""Return B of :math:`\Delta G^*/k_BT = B/\eta^2`, V2: :math:`B = 16\pi\gamma^3V_m^2f(\theta)/(3(zF)^2k_BT)`.

    All that a dip can tell of interfacial energy and angle is in this one number.
    """
    gamma = np.asarray(interfacial_energy_J_m2, dtype=float)
    volume = molar_volume_m3_mol / (z * FARADAY_C_mol)
    factor = 16.0 * np.pi / 3.0 * volume**2 / (BOLTZMANN_J_K * temperature_K)
    return np.asarray(factor * gamma**3 * wetting_factor(contact_angle_deg))


def nucleation_overpotential_V(
    barrier_constant_V2: ArrayLike,
    attempt_frequency_1_s: ArrayLike,
    charging_rate_V_s: ArrayLike,
) -> Array:
    r"""Return the overpotential at which nucleation sets in while the double layer is charged at a constant rate, V.

    With :math:`\dot\eta = j/C` the chance of a site to have ignited is :math:`1-e^{-X}`, and the overpotential is that at
    X = 1:

    .. math:: X = \int A_0e^{-B/\eta^2}dt \approx A_0\,\frac{C}{j}\,\frac{\eta^3}{2B}\,e^{-B/\eta^2}

    The integral is Laplace's, good to some per cent where :math:`B \gg \eta^2`. Without a barrier (B = 0) it is 0.

    This is where nuclei appear, not yet the tip of a dip. That lies above wherever young nuclei are too few, small or
    slow to carry the current, which hides a low barrier altogether; and a little below where few of many sites are enough.
    `sodiophile.physics.dip` solves both together.

    Parameters
    ----------
    barrier_constant_V2
        B, V2; all parameters broadcast.
    attempt_frequency_1_s
        :math:`A_0` of one site, 1/s.
    charging_rate_V_s
        :math:`j/C`, V/s.
    """
    B, attempts, rate = np.broadcast_arrays(
        *(np.asarray(entry, dtype=float) for entry in (barrier_constant_V2, attempt_frequency_1_s, charging_rate_V_s))
    )
    # y = B / eta^2 solves y = ln(A0 sqrt(B) / 2 rate) - 1.5 ln y
    drive = np.log(np.maximum(attempts * np.sqrt(np.maximum(B, 0.0)) / (2.0 * rate), 1e-300))
    # Newton on y + 1.5 ln y = drive, convex in ln y; below this start it climbs without passing the root
    y = np.where(
        drive > 1.0, np.maximum(drive - 1.5 * np.log(np.maximum(drive, 1.0)), 0.1), np.exp(np.minimum(drive, 1.0) / 1.5)
    )
    for _ in range(_STEPS):
        change = (y + 1.5 * np.log(y) - drive) / (1.0 + 1.5 / y)
        y = np.maximum(y - change, 0.1 * y)
        if np.all(np.abs(change) <= 1e-12 * y):
            break
    return np.asarray(np.where(B > 0, np.sqrt(np.maximum(B, 0.0) / y), 0.0))


def line_tension_J_m(surface_energy_J_m2: ArrayLike, step_height_m: float) -> Array:
    r"""Return the line tension of a disc one layer high, :math:`\lambda = \gamma h`, J/m.

    Assumption: the edge is a strip of surface of the height of a layer (no step relaxation, no kink entropy).
    """
    return np.asarray(np.asarray(surface_energy_J_m2, dtype=float) * step_height_m)


def disc_barrier_J(
    overpotential_V: ArrayLike,
    line_tension_J_m: ArrayLike,
    site_area_m2: float,
    excess_energy_eV: ArrayLike = 0.0,
    *,
    z: int = 1,
) -> Array:
    r"""Return the barrier of a disc one atom high, J; infinite where the disc gains nothing by growing.

    .. math:: \Delta G(r) = 2\pi r\lambda - \frac{\pi r^2}{a_{site}}(ze\eta - \epsilon),\qquad
              r^* = \frac{\lambda a_{site}}{ze\eta-\epsilon},\qquad
              \Delta G^* = \frac{\pi\lambda^2a_{site}}{ze\eta-\epsilon}

    with :math:`\epsilon` the energy of an atom of the disc against bulk metal: 0 on the metal itself, the adsorption energy
    against bulk in a full layer on a substrate. Negative, and the disc grows even before the Nernst potential is reached
    (underpotential deposition; Budevski, Staikov and Lorenz, 1996).

    Parameters
    ----------
    overpotential_V
        V; broadcasts with line tension and excess energy.
    line_tension_J_m
        J/m.
    site_area_m2
        Area an atom takes in the disc, m2.
    excess_energy_eV
        :math:`\epsilon`, eV.
    z
        Electrons per ion.
    """
    drive = (z * np.asarray(overpotential_V, dtype=float) - np.asarray(excess_energy_eV, dtype=float)) * _J_PER_eV
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(drive > 0, np.pi * np.asarray(line_tension_J_m) ** 2 * site_area_m2 / drive, np.inf))


def disc_overpotential_V(
    line_tension_J_m: ArrayLike, site_area_m2: float, barrier_kT: ArrayLike, temperature_K: float,
    excess_energy_eV: ArrayLike = 0.0, *, z: int = 1,
) -> Array:  # fmt: skip
    r"""Return the overpotential at which `disc_barrier_J` has fallen to `barrier_kT` :math:`k_BT`, V; its inverse."""
    energy = np.pi * np.asarray(line_tension_J_m, dtype=float) ** 2 * site_area_m2
    drive = energy / (np.asarray(barrier_kT, dtype=float) * BOLTZMANN_J_K * temperature_K)
    return np.asarray((drive / _J_PER_eV + np.asarray(excess_energy_eV, dtype=float)) / z)


def adatom_density_1_m2(
    adsorption_energy_vs_bulk_eV: ArrayLike, overpotential_V: ArrayLike, site_density_1_m2: ArrayLike, temperature_K: float,
    *, z: int = 1,
) -> Array:  # fmt: skip
    r"""Return the density of adatoms in equilibrium with the metal at an overpotential, 1/m2.

    .. math:: n = \frac{n_s}{1 + \exp[(E_{ads}^{bulk} - ze\eta)/k_BT]}

    Assumption: sites that do not see each other (Langmuir); vibrations as in the bulk; no solvent to push away.
    """
    energy = np.asarray(adsorption_energy_vs_bulk_eV, dtype=float) - z * np.asarray(overpotential_V, dtype=float)
    exponent = np.clip(energy * _J_PER_eV / (BOLTZMANN_J_K * temperature_K), -700.0, 700.0)
    return np.asarray(np.asarray(site_density_1_m2, dtype=float) / (1.0 + np.exp(exponent)))


def surface_diffusivity_m2_s(
    barrier_eV: ArrayLike, hop_m: ArrayLike, temperature_K: float, attempt_frequency_1_s: ArrayLike = 1e12
) -> Array:
    r"""Return the diffusivity of an adatom on a surface, :math:`D = \tfrac14\nu l^2e^{-E_d/k_BT}`, m2/s.

    :math:`\nu` counts the hops to all neighbours together. Assumption: single hops between equal sites, no solvent.
    """
    exponent = -np.asarray(barrier_eV, dtype=float) * _J_PER_eV / (BOLTZMANN_J_K * temperature_K)
    return np.asarray(0.25 * np.asarray(attempt_frequency_1_s) * np.asarray(hop_m, dtype=float) ** 2 * np.exp(exponent))


def island_density_1_m2(
    current_density_A_m2: ArrayLike, diffusivity_m2_s: ArrayLike, site_density_1_m2: ArrayLike, *, z: int = 1
) -> Array:
    r"""Return the density of islands that diffusion of adatoms allows, 1/m2: an upper bound of the density of nuclei.

    .. math:: N = \left(\frac{n_sF}{D}\right)^{1/3},\qquad F = \frac{j}{ze}

    The scaling of Venables for a critical nucleus of one atom and complete condensation, with a prefactor of one (Venables,
    Spiller and Hanbücken, 1984), at most one island a site. Assumption: every ion that arrives stays as an adatom. In an
    electrolyte it may leave again, pairs of atoms are not stable, and defects decide: nuclei are fewer and larger.
    """
    flux = np.asarray(current_density_A_m2, dtype=float) / (z * ELEMENTARY_CHARGE_C)
    sites = np.asarray(site_density_1_m2, dtype=float)
    return np.asarray(np.minimum(np.cbrt(sites * flux / np.asarray(diffusivity_m2_s, dtype=float)), sites))


def mean_free_path_m(
    diffusivity_m2_s: ArrayLike, adatom_density_1_m2: ArrayLike, exchange_current_density_A_m2: ArrayLike, *, z: int = 1
) -> Array:
    r"""Return how far an adatom wanders before it dissolves again, :math:`\sqrt{D\tau}`, :math:`\tau = zen/j_0`, m.

    Assumption: all of the exchange current passes through adatoms (Budevski, Staikov and Lorenz, 1996).
    """
    life_s = (
        z * ELEMENTARY_CHARGE_C * np.asarray(adatom_density_1_m2, dtype=float) / np.asarray(exchange_current_density_A_m2)
    )
    return np.asarray(np.sqrt(np.asarray(diffusivity_m2_s, dtype=float) * life_s))


def exchange_current_from_sites_A_m2(
    active_density_1_m2: ArrayLike, activation_energy_kJ_mol: ArrayLike, temperature_K: float, *, z: int = 1
) -> Array:
    r"""Return the exchange current density of sites that exchange ions by one activated step, A/m2.

    .. math:: j_0 = ze\,n\,\frac{k_BT}{h}\,e^{-E_a/RT}

    A prior, not a value: n (kinks, steps, all atoms) spans five decades, and the prefactor of transition state theory knows
    no entropy of desolvation. Read the other way, a measured :math:`j_0` and :math:`E_a` give the n they need.
    """
    gas = BOLTZMANN_J_K * FARADAY_C_mol / ELEMENTARY_CHARGE_C
    rate = BOLTZMANN_J_K * temperature_K / _PLANCK_J_s
    exponent = -1e3 * np.asarray(activation_energy_kJ_mol, dtype=float) / (gas * temperature_K)
    return np.asarray(z * ELEMENTARY_CHARGE_C * np.asarray(active_density_1_m2, dtype=float) * rate * np.exp(exponent))
