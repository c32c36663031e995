"""Salt transport between two metal electrodes: limiting current, Sand's time, the concentrations at both faces.

A binary electrolyte in a porous separator between two electrodes of the same metal, one plating what the other strips; the
cation reacts, the anion does not. Properties of the electrolyte are those at the mean concentration (constant in space).

References
----------
J. Newman, K. E. Thomas-Alyea, Electrochemical Systems, 3rd ed. (Wiley, 2004), chapters 11 and 12.
H. J. S. Sand, Philos. Mag. 1 (1901) 45, doi 10.1080/14786440109462590.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError
from sodiophile.physics.constants import A_m2_PER_mA_cm2, FARADAY_C_mol, inverse_thermal_voltage_1_V


@dataclass(frozen=True, slots=True)
class PorousLayer:
    """A layer that electrolyte fills and no electron crosses: separator, interlayer, dead metal.

    Parameters
    ----------
    thickness_m
        Thickness, m.
    porosity
        Volume fraction of electrolyte, above 0, at most 1.
    bruggeman
        Exponent b of the effective property X eps^b; b = 1 + ln(tortuosity)/ln(1/eps) carries a measured tortuosity over.
    """

    thickness_m: float
    porosity: float
    bruggeman: float = 1.5

    @property
    def path_m(self) -> float:
        """The thickness of free electrolyte that resists as much: L / eps^b, m."""
        return self.thickness_m / self.porosity**self.bruggeman

    @property
    def pore_m(self) -> float:
        """The thickness of free electrolyte that holds as much: eps L, m."""
        return self.thickness_m * self.porosity


def limiting_current_density_mA_cm2(
    concentration_mol_m3: float, diffusivity_m2_s: float, transference_number: float, path_m: ArrayLike, *, z: int = 1
) -> NDArray[np.float64]:
    r"""Return the current density at which the steady concentration falls to zero at the plating electrode.

    .. math:: j_{lim} = \frac{2 z F c_0 D}{(1-t_+)\,\sum_i L_i/\varepsilon_i^{b_i}}

    Parameters
    ----------
    concentration_mol_m3
        Mean concentration of the cation, mol/m3.
    diffusivity_m2_s
        Of the salt in free electrolyte, m2/s.
    transference_number
        Of the cation, below 1.
    path_m
        Sum of L / eps^b over the layers between the electrodes, m (`PorousLayer.path_m`); any shape.
    z
        Charge of the cation.
    """
    limit_A_m2 = 2.0 * z * FARADAY_C_mol * concentration_mol_m3 * diffusivity_m2_s / (1.0 - transference_number)
    return np.asarray(limit_A_m2 / np.asarray(path_m, dtype=float) / A_m2_PER_mA_cm2)


def sand_time_s(
    current_density_mA_cm2: ArrayLike,
    concentration_mol_m3: float,
    diffusivity_m2_s: float,
    transference_number: float,
    *,
    z: int = 1,
) -> NDArray[np.float64]:
    r"""Return when the concentration at the plating electrode falls to zero in electrolyte without end.

    .. math:: \tau_S = \pi D\left(\frac{zFc_0}{2j(1-t_+)}\right)^2

    In a porous layer, free of the other electrode, it is multiplied by :math:`\varepsilon^{1+b}`. Between two electrodes it
    exists only above the limiting current.
    """
    j_A_m2 = np.asarray(current_density_mA_cm2, dtype=float) * A_m2_PER_mA_cm2
    charge = z * FARADAY_C_mol * concentration_mol_m3 / (2.0 * j_A_m2 * (1.0 - transference_number))
    return np.asarray(np.pi * diffusivity_m2_s * charge**2)


def concentration_overpotential_V(
    plating_ratio: ArrayLike,
    stripping_ratio: ArrayLike,
    temperature_K: float,
    transference_number: float,
    *,
    z: int = 1,
    thermodynamic_factor: float = 1.0,
    ions_per_cation: float = 2.0,
) -> NDArray[np.float64]:
    r"""Return the voltage of the concentration cell between the two electrodes.

    .. math:: \eta_{conc} = \frac{\nu}{\nu_+}\frac{RT}{zF}(1-t_+)\left(1+\frac{d\ln f_\pm}{d\ln c}\right)\ln\frac{c_s}{c_p}

    It holds both the Nernst potentials and the diffusion potential.

    Parameters
    ----------
    plating_ratio, stripping_ratio
        c/c0 at the plating and at the stripping electrode; broadcast.
    temperature_K
        Temperature, K.
    transference_number
        Of the cation.
    z
        Charge of the cation.
    thermodynamic_factor
        1 + d ln f / d ln c.
    ions_per_cation
        nu / nu_+: 2 for a salt of two ions of equal charge, 3 for Zn(OTf)2.

    Returns
    -------
    ndarray
        V, positive where the plating side is depleted; infinite where it is empty.
    """
    c_p, c_s = np.asarray(plating_ratio, dtype=float), np.asarray(stripping_ratio, dtype=float)
    factor = ions_per_cation * (1.0 - transference_number) * thermodynamic_factor
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(c_p > 0, c_s / np.where(c_p > 0, c_p, 1.0), np.inf)
        return np.asarray(factor / inverse_thermal_voltage_1_V(temperature_K, z) * np.log(ratio))


class SaltProfile:
    r"""The depletion at the plating face of a uniform cell, in time, for a current that changes in steps.

    The antisymmetric modes of :math:`c_t = D c_{xx}` between two faces that carry the flux of a current decay alone. With
    :math:`u` the depletion at the face as a part of :math:`c_0`, in units in which the steady state at :math:`j` is
    :math:`u = j/j_{lim}`,

    .. math:: u = \sum_{n\,odd}^{N}\frac{8}{\pi^2n^2}m_n + r\frac{j}{j_{lim}},\quad
              \dot m_n = \frac{n^2}{\tau}\left(\frac{j}{j_{lim}} - m_n\right),\quad
              \tau = \frac{L_{path}L_{pore}}{\pi^2D}

    where :math:`r` is what the modes above N add, taken to be there at once. A current that changes in steps is followed
    exactly, whatever the length of the steps.

    Parameters
    ----------
    modes
        Number of odd modes. The depletion is right for times above about tau / (2 modes)^2.
    """

    def __init__(self, modes: int = 12) -> None:
        if modes < 1:
            raise InputError(f"found {modes} modes of the salt profile, expected at least one")
        odd = 2.0 * np.arange(modes) + 1.0
        self._rates = odd**2
        self._weights = 8.0 / (np.pi * odd) ** 2
        self._rest = 1.0 - float(self._weights.sum())
        self._modes = np.zeros(modes)

    def during(self, times_s: ArrayLike, drive: float, time_constant_s: float) -> NDArray[np.float64]:
        """Return the depletion at `times_s` since the step began, for a drive j/j_lim; shape (n,).

        The state is left unchanged; `advance` moves it.
        """
        t = np.asarray(times_s, dtype=float)[:, None] / time_constant_s
        modes = drive + (self._modes - drive) * np.exp(-self._rates * t)
        return np.asarray(modes @ self._weights + self._rest * drive)

    def advance(self, duration_s: float, drive: float, time_constant_s: float) -> None:
        """Let a step of constant drive j/j_lim pass."""
        self._modes = drive + (self._modes - drive) * np.exp(-self._rates * duration_s / time_constant_s)


def relaxation_time_s(path_m: float, pore_m: float, diffusivity_m2_s: float) -> float:
    r"""Return the time constant of the slowest mode, :math:`\tau = L_{path}L_{pore}/(\pi^2D)`, s.

    For one layer it is :math:`L^2\varepsilon^{1-b}/(\pi^2D)`; for several it takes them as mixed.
    """
    return path_m * pore_m / (np.pi**2 * diffusivity_m2_s)
