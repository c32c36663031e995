r"""Nucleation and growth of a metal on a substrate: classical theory, and the transients of Scharifker and Hills.

The barrier, the critical nucleus and the shape of a cap are those of classical nucleation theory with a contact angle. The
galvanostatic dip follows, per geometric area, from the balance of charge

.. math:: C\,\dot\eta = j - j_{growth}(\eta) - j_{side}(\eta)

and from nuclei of every age, each a cap with its own Gibbs-Thomson shift (`sodiophile.physics.dip`).

On a metal that is already there, growth has no barrier: the barrier of this model is that of forming a nucleus on the
substrate, or on the interphase that covers it. Call its parameters effective.

References
----------
A. Milchev, Electrocrystallization (Kluwer, 2002).
B. Scharifker, J. Mostany, J. Electroanal. Chem. 177 (1984) 13, doi 10.1016/0022-0728(84)80207-7.
B. Scharifker, G. Hills, Electrochim. Acta 28 (1983) 879, doi 10.1016/0013-4686(83)85163-9.
V. A. Isaev, O. V. Grishenkova, Y. P. Zaikov, Materials 14 (2021) 6330, doi 10.3390/ma14216330.
A. Pei et al., Nano Lett. 17 (2017) 1132, doi 10.1021/acs.nanolett.6b04755.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError
from sodiophile.physics.constants import BOLTZMANN_J_K, FARADAY_C_mol


def wetting_factor(contact_angle_deg: ArrayLike) -> NDArray[np.float64]:
    r"""Return :math:`f(\theta) = \tfrac14(2+\cos\theta)(1-\cos\theta)^2`: the volume of a cap as a part of its sphere.

    The barrier on a substrate is this part of the barrier without one: 0 at full wetting, 1/2 at 90 deg, 1 at 180 deg.
    """
    cosine = np.cos(np.radians(np.asarray(contact_angle_deg, dtype=float)))
    return np.asarray(0.25 * (2.0 + cosine) * (1.0 - cosine) ** 2)


def contact_angle_deg(adhesion_J_m2: ArrayLike, interfacial_energy_J_m2: ArrayLike) -> NDArray[np.float64]:
    r"""Return the contact angle of Young and Dupré, :math:`W_{ad} = \gamma(1+\cos\theta)`, deg; 0 where it wets fully.

    Raises
    ------
    InputError
        If the adhesion is negative or the interfacial energy not positive.
    """
    adhesion, gamma = np.asarray(adhesion_J_m2, dtype=float), np.asarray(interfacial_energy_J_m2, dtype=float)
    if np.any(adhesion < 0) or not np.all(gamma > 0):
        raise InputError("found a negative adhesion or an interfacial energy that is not positive, expected J/m2 above 0")
    return np.asarray(np.degrees(np.arccos(np.clip(adhesion / gamma - 1.0, -1.0, 1.0))))


def critical_radius_m(
    overpotential_V: ArrayLike, interfacial_energy_J_m2: float, molar_volume_m3_mol: float, *, z: int = 1
) -> NDArray[np.float64]:
    r"""Return :math:`r^* = 2\gamma V_m/(zF\eta)`, m: a nucleus below it dissolves, one above it grows."""
    eta = np.asarray(overpotential_V, dtype=float)
    return np.asarray(2.0 * interfacial_energy_J_m2 * molar_volume_m3_mol / (z * FARADAY_C_mol * eta))


def nucleation_barrier_J(
    overpotential_V: ArrayLike,
    interfacial_energy_J_m2: float,
    molar_volume_m3_mol: float,
    contact_angle_deg: ArrayLike,
    *,
    z: int = 1,
) -> NDArray[np.float64]:
    r"""Return :math:`\Delta G^* = \dfrac{16\pi\gamma^3V_m^2 f(\theta)}{3(zF\eta)^2}`, J, for eta > 0."""
    eta = np.asarray(overpotential_V, dtype=float)
    volume_energy = z * FARADAY_C_mol * eta / molar_volume_m3_mol
    return np.asarray(
        16.0 * np.pi * interfacial_energy_J_m2**3 / (3.0 * volume_energy**2) * wetting_factor(contact_angle_deg)
    )


@dataclass(frozen=True, slots=True)
class Substrate:
    """What decides how a metal nucleates and grows on a substrate, at one temperature.

    Parameters
    ----------
    temperature_K
        Temperature, K.
    z
        Electrons per ion.
    molar_volume_m3_mol
        Of the metal, m3/mol.
    interfacial_energy_J_m2
        Of the metal against what surrounds it, J/m2.
    contact_angle_deg
        Effective, above 0, at most 180 deg.
    site_density_1_m2
        Nuclei that find a place, 1/m2.
    attempt_frequency_1_s
        Nucleation rate of one free site without a barrier, 1/s.
    exchange_current_density_A_m2
        Of the fresh metal, per area of it, A/m2.
    alpha
        Transfer coefficient of plating.
    capacitance_F_m2
        Double layer, of substrate and metal alike, F/m2.
    side_current_density_A_m2
        Reduction of electrolyte on the free substrate at zero overpotential, A/m2; may be 0.
    concentration_mol_m3, diffusivity_m2_s
        Of the salt, for the supply of a single nucleus.
    """

    temperature_K: float
    z: int
    molar_volume_m3_mol: float
    interfacial_energy_J_m2: float
    contact_angle_deg: float
    site_density_1_m2: float
    attempt_frequency_1_s: float
    exchange_current_density_A_m2: float
    alpha: float
    capacitance_F_m2: float
    side_current_density_A_m2: float
    concentration_mol_m3: float
    diffusivity_m2_s: float

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            may_be_zero = name == "side_current_density_A_m2"
            if not (np.isfinite(value) and (value >= 0 if may_be_zero else value > 0)):
                raise InputError(f"found {value:g}, expected a number above 0", name)
        if self.contact_angle_deg > 180 or self.alpha >= 1:
            raise InputError(
                f"found {self.contact_angle_deg:g} deg and alpha {self.alpha:g}, expected at most 180 and below 1"
            )


@dataclass(frozen=True)
class Transient:
    """The solution of `plate`, one row a step of the solver; all arrays of shape (n,).

    Parameters
    ----------
    time_s
        Since the current was switched on, s.
    overpotential_V
        Of the electrode against the metal, V, positive plating; without any series resistance.
    coverage
        Part of the substrate under metal.
    number_density_1_m2
        Nuclei, 1/m2.
    thickness_m
        Volume of metal per geometric area by the charge of growth, m.
    cap_volume_m
        Volume of the caps as if none overlapped, per geometric area, m; equals `thickness_m` while coverage is small.
    side_charge_C_m2
        Charge that went into the side reaction, C/m2.
    steps_rejected
        Steps that the error control threw away.
    """

    time_s: NDArray[np.float64]
    overpotential_V: NDArray[np.float64]
    coverage: NDArray[np.float64]
    number_density_1_m2: NDArray[np.float64]
    thickness_m: NDArray[np.float64]
    cap_volume_m: NDArray[np.float64]
    side_charge_C_m2: NDArray[np.float64]
    steps_rejected: int

    def at(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """Return the overpotential at `times_s`, V, linear between the steps (whose error control allows for it)."""
        return np.asarray(np.interp(np.asarray(times_s, dtype=float), self.time_s, self.overpotential_V))


def scharifker_hills_current_density_A_m2(
    times_s: ArrayLike,
    rate_per_site_1_s: float,
    site_density_1_m2: float,
    concentration_mol_m3: float,
    diffusivity_m2_s: float,
    molar_volume_m3_mol: float,
    *,
    z: int = 1,
) -> NDArray[np.float64]:
    r"""Return the potentiostatic transient of hemispheres whose diffusion zones grow and overlap; Cottrell's law at last.

    .. math:: j = zFc\sqrt{\frac{D}{\pi t}}\left[1-\exp\!\left(-N_0\pi kD\left[t-\frac{1-e^{-At}}{A}\right]\right)\right],
              \quad k = \sqrt{8\pi cV_m}

    Nuclei are born as :math:`N_0(1-e^{-At})`. At :math:`A\to\infty` (all at once) it is the instantaneous law of Scharifker
    and Hills (1983). At :math:`A\to0` the exponent is :math:`N_0A\pi kDt^2/2`: their progressive law, but for their
    k' = 4k/3, which changes the apparent rate and neither the shape nor the product of maximum and its time.

    Parameters
    ----------
    times_s
        Above 0, s, any shape.
    rate_per_site_1_s
        A, 1/s.
    site_density_1_m2
        N0, 1/m2.
    concentration_mol_m3, diffusivity_m2_s
        Of the depositing ion.
    molar_volume_m3_mol
        Of the metal.
    z
        Electrons per ion.
    """
    t = np.asarray(times_s, dtype=float)
    D, c, A = diffusivity_m2_s, concentration_mol_m3, rate_per_site_1_s
    k = np.sqrt(8.0 * np.pi * c * molar_volume_m3_mol)
    # t - (1 - e^(-At))/A loses its digits where At is small: its series there
    age = np.where(A * t > 1e-4, t + np.expm1(-A * t) / A, 0.5 * A * t**2 * (1.0 - A * t / 3.0))
    covered = -np.expm1(-site_density_1_m2 * np.pi * k * D * age)
    return np.asarray(z * FARADAY_C_mol * c * np.sqrt(D / (np.pi * t)) * covered)


def scharifker_hills_instantaneous(reduced_time: ArrayLike) -> NDArray[np.float64]:
    r"""Return :math:`(I/I_m)^2 = \frac{1.9542}{\tau}\left[1-e^{-1.2564\tau}\right]^2` at :math:`\tau = t/t_m > 0`."""
    tau = np.asarray(reduced_time, dtype=float)
    return np.asarray(1.9542 / tau * np.expm1(-1.2564 * tau) ** 2)


def scharifker_hills_progressive(reduced_time: ArrayLike) -> NDArray[np.float64]:
    r"""Return :math:`(I/I_m)^2 = \frac{1.2254}{\tau}\left[1-e^{-2.3367\tau^2}\right]^2` at :math:`\tau = t/t_m > 0`."""
    tau = np.asarray(reduced_time, dtype=float)
    return np.asarray(1.2254 / tau * np.expm1(-2.3367 * tau**2) ** 2)


def nucleation_rate_1_s(overpotential_V: float, substrate: Substrate) -> float:
    r"""Return the rate of one free site, :math:`A_0e^{-\Delta G^*/k_BT}`, 1/s; 0 where eta does not plate."""
    if overpotential_V <= 0:
        return 0.0
    barrier_J = nucleation_barrier_J(
        overpotential_V,
        substrate.interfacial_energy_J_m2,
        substrate.molar_volume_m3_mol,
        substrate.contact_angle_deg,
        z=substrate.z,
    )
    return float(substrate.attempt_frequency_1_s * np.exp(-barrier_J / (BOLTZMANN_J_K * substrate.temperature_K)))
