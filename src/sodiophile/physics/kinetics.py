"""Charge transfer at a metal surface: Butler-Volmer and its exact inverse, its limits, and the Arrhenius law.

Plating is the forward direction: a positive overpotential drives a positive current density into the metal. All current
densities are per unit of the area that carries them; what that area is, is the caller's business.

References
----------
A. J. Bard, L. R. Faulkner, Electrochemical Methods, 2nd ed. (Wiley, 2001), chapter 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError
from sodiophile.physics.constants import GAS_J_mol_K, inverse_thermal_voltage_1_V

_LN_10 = float(np.log(10.0))
_ROUND_OFF = 4.0 * float(np.finfo(float).eps)
_MOST_STEPS = 100


def butler_volmer_mA_cm2(
    overpotential_V: ArrayLike,
    exchange_current_density_mA_cm2: ArrayLike,
    temperature_K: float,
    *,
    z: int = 1,
    alpha: float = 0.5,
) -> NDArray[np.float64]:
    r"""Return the current density that a charge-transfer overpotential drives.

    .. math:: j = j_0\left[e^{\alpha f\eta} - e^{-(1-\alpha) f\eta}\right],\quad f = zF/RT

    Parameters
    ----------
    overpotential_V
        Surface overpotential, V, any shape; positive plates.
    exchange_current_density_mA_cm2
        At the concentration of the surface and at `temperature_K`, mA/cm2; broadcast with `overpotential_V`.
    temperature_K
        Temperature, K.
    z
        Electrons per ion.
    alpha
        Transfer coefficient of plating, between 0 and 1.

    Returns
    -------
    ndarray
        Current density, mA/cm2; positive plates.

    Raises
    ------
    InputError
        If the exchange current density or the temperature is not positive, or alpha not between 0 and 1.

    Notes
    -----
    The two branches share one f, so that the current vanishes at the Nernst potential for every alpha.
    """
    j0 = _checked(exchange_current_density_mA_cm2, temperature_K, alpha)
    x = inverse_thermal_voltage_1_V(temperature_K, z) * np.asarray(overpotential_V, dtype=float)
    # e^(a x) - e^(-(1-a) x) = e^((a-1) x) (e^x - 1), which keeps its digits at small overpotentials;
    # the form mirrored in x keeps them from overflowing
    plating = np.exp((alpha - 1.0) * np.abs(x)) * np.expm1(np.abs(x))
    stripping = np.exp(-alpha * np.abs(x)) * np.expm1(np.abs(x))
    return np.asarray(j0 * np.where(x >= 0, plating, -stripping))


def butler_volmer_overpotential_V(
    current_density_mA_cm2: ArrayLike,
    exchange_current_density_mA_cm2: ArrayLike,
    temperature_K: float,
    *,
    z: int = 1,
    alpha: float = 0.5,
) -> NDArray[np.float64]:
    r"""Return the charge-transfer overpotential at a current density: the inverse of `butler_volmer_mA_cm2`.

    At :math:`\alpha = 1/2` it is :math:`\eta = (2/f)\,\mathrm{arsinh}(j/2j_0)`. Otherwise, with :math:`J = |j|/j_0`,
    Newton's method on the concave :math:`h(y) = \alpha y - \ln(J + e^{-(1-\alpha)y})`, which from any point left of the
    root climbs to it and never passes it, so that it needs no safeguard but its start, :math:`y = \max(0, \ln J/\alpha)`.
    Stripping is the same with :math:`\alpha` and :math:`1-\alpha` exchanged.

    Parameters
    ----------
    current_density_mA_cm2
        mA/cm2, any shape; positive plates.
    exchange_current_density_mA_cm2
        mA/cm2; broadcast with `current_density_mA_cm2`.
    temperature_K
        Temperature, K.
    z
        Electrons per ion.
    alpha
        Transfer coefficient of plating, between 0 and 1.

    Returns
    -------
    ndarray
        Overpotential, V; positive plates.

    Raises
    ------
    InputError
        If the exchange current density or the temperature is not positive, or alpha not between 0 and 1.
    """
    j0 = _checked(exchange_current_density_mA_cm2, temperature_K, alpha)
    f = inverse_thermal_voltage_1_V(temperature_K, z)
    ratio = np.asarray(current_density_mA_cm2, dtype=float) / j0
    if alpha == 0.5:
        return np.asarray(2.0 / f * np.arcsinh(0.5 * ratio))
    size = np.abs(ratio)
    forward = np.where(ratio >= 0, alpha, 1.0 - alpha)
    with np.errstate(divide="ignore"):
        y = np.maximum(0.0, np.log(size) / forward)
    for _ in range(_MOST_STEPS):
        back = np.exp(-(1.0 - forward) * y)
        h = forward * y - np.log1p(size + np.expm1(-(1.0 - forward) * y))
        slope = forward + (1.0 - forward) * back / (size + back)
        step = h / slope
        y = y - step
        if np.all(np.abs(step) <= _ROUND_OFF * np.abs(y)):
            break
    return np.asarray(np.sign(ratio) * y / f)


def charge_transfer_resistance_ohm_cm2(
    exchange_current_density_mA_cm2: ArrayLike, temperature_K: float, *, z: int = 1
) -> NDArray[np.float64]:
    r"""Return the slope of the overpotential at rest, :math:`R_{ct} = RT/(zFj_0)`, ohm cm2, of one electrode."""
    j0 = _checked(exchange_current_density_mA_cm2, temperature_K, 0.5)
    return np.asarray(1e3 / (inverse_thermal_voltage_1_V(temperature_K, z) * j0))


def differential_resistance_ohm_cm2(
    overpotential_V: ArrayLike,
    exchange_current_density_mA_cm2: ArrayLike,
    temperature_K: float,
    *,
    z: int = 1,
    alpha: float = 0.5,
) -> NDArray[np.float64]:
    r"""Return :math:`d\eta/dj = \left(fj_0[\alpha e^{\alpha f\eta} + (1-\alpha)e^{-(1-\alpha)f\eta}]\right)^{-1}`, ohm cm2.

    At rest it is `charge_transfer_resistance_ohm_cm2`.
    """
    j0 = _checked(exchange_current_density_mA_cm2, temperature_K, alpha)
    f = inverse_thermal_voltage_1_V(temperature_K, z)
    x = f * np.asarray(overpotential_V, dtype=float)
    return np.asarray(1e3 / (f * j0 * (alpha * np.exp(alpha * x) + (1.0 - alpha) * np.exp((alpha - 1.0) * x))))


def tafel_slope_V_decade(temperature_K: float, *, z: int = 1, alpha: float = 0.5) -> float:
    r"""Return :math:`\ln(10)\,RT/(\alpha zF)`, V a decade of current: 0.118 at 25 degC, z = 1 and alpha = 1/2."""
    return _LN_10 / (alpha * inverse_thermal_voltage_1_V(temperature_K, z))


def tafel_overpotential_V(
    current_density_mA_cm2: ArrayLike,
    exchange_current_density_mA_cm2: ArrayLike,
    temperature_K: float,
    *,
    z: int = 1,
    alpha: float = 0.5,
) -> NDArray[np.float64]:
    r"""Return :math:`\eta = (RT/\alpha zF)\ln(j/j_0)`, V: the limit of `butler_volmer_overpotential_V` where j >> j0."""
    j0 = _checked(exchange_current_density_mA_cm2, temperature_K, alpha)
    slope = tafel_slope_V_decade(temperature_K, z=z, alpha=alpha)
    return np.asarray(slope * np.log10(np.asarray(current_density_mA_cm2, dtype=float) / j0))


def arrhenius_factor(activation_energy_kJ_mol: float, temperature_K: float, reference_temperature_K: float) -> float:
    r"""Return how many times faster a process is than at the reference temperature.

    .. math:: \exp\left[-\frac{E_a}{R}\left(\frac1T - \frac1{T_{ref}}\right)\right]

    A rate, a conductivity or an exchange current density is multiplied by it, a resistance divided.

    Raises
    ------
    InputError
        If a temperature is not positive.
    """
    if temperature_K <= 0 or reference_temperature_K <= 0:
        raise InputError(
            f"found a temperature of {min(temperature_K, reference_temperature_K):g} K, expected more than 0 K"
        )
    return float(
        np.exp(-1e3 * activation_energy_kJ_mol / GAS_J_mol_K * (1.0 / temperature_K - 1.0 / reference_temperature_K))
    )


def concentration_factor(concentration_ratio: ArrayLike, alpha: float = 0.5) -> NDArray[np.float64]:
    r"""Return :math:`(c_s/c_0)^{1-\alpha}`, by which a concentration at the surface changes the exchange current density.

    Written so, overpotentials are counted from the equilibrium at the surface, and the Nernst shift between surface and
    bulk belongs to the concentration overpotential of `sodiophile.physics.transport`; never count it in both.
    """
    return np.asarray(np.asarray(concentration_ratio, dtype=float) ** (1.0 - alpha))


def _checked(exchange_current_density_mA_cm2: ArrayLike, temperature_K: float, alpha: float) -> NDArray[np.float64]:
    j0 = np.asarray(exchange_current_density_mA_cm2, dtype=float)
    if not np.all(j0 > 0):
        raise InputError(f"found an exchange current density of {np.min(j0):g} mA/cm2, expected more than 0")
    if not temperature_K > 0:
        raise InputError(f"found a temperature of {temperature_K:g} K, expected more than 0 K")
    if not 0 < alpha < 1:
        raise InputError(f"found a transfer coefficient of {alpha:g}, expected one between 0 and 1")
    return j0
