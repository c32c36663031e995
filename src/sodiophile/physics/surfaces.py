"""Surfaces of a metal electrode in parallel: metal under its interphase, and fresh metal (deposit, pits) beside it.

At steady state they share the current so that all have one overpotential (`Surface.shared`); each is also a branch of two
capacitances, double layer and interphase, for what happens within a second (`Branch`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.physics.constants import inverse_thermal_voltage_1_V
from sodiophile.physics.interlayer import LayerSurface
from sodiophile.physics.kinetics import charge_transfer_resistance_ohm_cm2, concentration_factor

_Array = NDArray[np.float64]

LEAST_AREA = 1e-12
"""A real area per geometric area below which there is no surface."""
_TABLE_REACH = 120.0


@dataclass(frozen=True, slots=True)
class Branch:
    r"""One surface of an electrode in a given state: interphase and charge transfer in series, each with its capacitance.

    .. math:: z = \frac{R}{1+(i\omega RC)^{\alpha}} + \frac{R_{ct}}{1+(i\omega R_{ct}C_{dl})^{\alpha}},
              \qquad R_{ct} = \frac{RT}{zFj_0}

    All per real area of it.

    Parameters
    ----------
    area
        Real area per geometric area, above 0.
    resistance_ohm_cm2, capacitance_uF_cm2
        Of the interphase.
    double_layer_uF_cm2
        Capacitance of the double layer.
    exchange_current_density_mA_cm2
        At the temperature of the cell and the mean concentration.
    layer, part
        The interlayer whose inner surface this is, and the part of that surface that takes part; `area` is then the one in
        direct current.
    """

    area: float
    resistance_ohm_cm2: float
    capacitance_uF_cm2: float
    double_layer_uF_cm2: float
    exchange_current_density_mA_cm2: float
    layer: LayerSurface | None = None
    part: float = 1.0

    def with_capacitances(self, interphase: float, double_layer: float) -> Branch:
        """Return the same surface with both capacitances multiplied."""
        return replace(
            self,
            capacitance_uF_cm2=self.capacitance_uF_cm2 * interphase,
            double_layer_uF_cm2=self.double_layer_uF_cm2 * double_layer,
        )

    def impedance_ohm_cm2(
        self,
        frequency_Hz: _Array,
        temperature_K: float,
        *,
        z: int = 1,
        exponent: float = 1.0,
        kinetics: ArrayLike = 1.0,
    ) -> NDArray[np.complex128]:
        """Return the impedance at rest per real area of this surface, ohm cm2, shape (n,).

        Parameters
        ----------
        frequency_Hz
            Shape (n,).
        temperature_K
            K.
        z
            Electrons per ion.
        exponent
            Of both arcs: 1 for ideal capacitances.
        kinetics
            Factor on the charge-transfer resistance; broadcast with `frequency_Hz`.
        """
        R_ct = np.asarray(kinetics) * charge_transfer_resistance_ohm_cm2(
            self.exchange_current_density_mA_cm2, temperature_K, z=z
        )
        s = 2j * np.pi * np.asarray(frequency_Hz, dtype=float) * 1e-6
        interphase = self.resistance_ohm_cm2 / (1.0 + (s * self.resistance_ohm_cm2 * self.capacitance_uF_cm2) ** exponent)
        z_surface = np.asarray(interphase + R_ct / (1.0 + (s * R_ct * self.double_layer_uF_cm2) ** exponent))
        if self.layer is None:
            return z_surface
        return np.asarray(z_surface * self.area / self.layer.area(z_surface, self.part))


@dataclass(frozen=True, slots=True)
class Surface:
    """What decides the overpotential of one electrode, at its temperature.

    Parameters
    ----------
    exchange_current_density_mA_cm2
        Per real area, at the mean concentration.
    alpha
        Transfer coefficient of plating.
    deposit_resistance_ohm_cm2
        Of the interphase on the deposit, per real area.
    temperature_K
        K.
    z
        Electrons per ion.
    reorganization_energy_RT
        Of Marcus-Hush-Chidsey kinetics, in units of RT; Butler-Volmer if not given.
    """

    exchange_current_density_mA_cm2: float
    alpha: float
    deposit_resistance_ohm_cm2: float
    temperature_K: float
    z: int
    reorganization_energy_RT: float | None = None

    @property
    def hindrance(self) -> _Array:
        """Logarithm of the factor by which the rate falls behind Butler-Volmer, at even steps of |zF eta|/RT; or empty."""
        return _hindrance(self.reorganization_energy_RT)

    def shared(
        self,
        current_density_mA_cm2: ArrayLike,
        deposit_area: ArrayLike,
        resistance_ohm_cm2: ArrayLike,
        concentration_ratio: ArrayLike,
        *,
        plating: bool,
    ) -> tuple[_Array, _Array]:
        """Return the overpotential of the two surfaces in parallel and the part of the current on the deposit.

        Parameters
        ----------
        current_density_mA_cm2
            Per geometric area, at least 0, mA/cm2; all parameters broadcast.
        deposit_area
            Real area of the deposit per geometric area.
        resistance_ohm_cm2
            Of the interphase on the metal; infinite where no metal is left under it.
        concentration_ratio
            c_s/c_0, above 0.
        plating
            True for plating, False for stripping.

        Returns
        -------
        overpotential_V : ndarray
            Its size, V.
        share : ndarray
            Part of the current that the deposit carries, 0 to 1.
        """
        from sodiophile.physics import _surfaces_kernel

        scale = concentration_factor(concentration_ratio, self.alpha) * self.exchange_current_density_mA_cm2
        j, area, resistance, j0 = np.broadcast_arrays(
            *(np.asarray(entry, dtype=float) for entry in (current_density_mA_cm2, deposit_area, resistance_ohm_cm2, scale))
        )
        eta, share = np.empty(j.shape), np.empty(j.shape)
        _surfaces_kernel.shared(
            *(np.ascontiguousarray(entry).reshape(-1) for entry in (j, area, resistance, j0)),
            self.deposit_resistance_ohm_cm2,
            self.alpha,
            inverse_thermal_voltage_1_V(self.temperature_K, self.z),
            1.0 if plating else -1.0,
            LEAST_AREA,
            self.hindrance,
            eta.reshape(-1),
            share.reshape(-1),
        )
        return eta, share


@cache
def _hindrance(reorganization_energy_RT: float | None) -> _Array:
    from sodiophile.physics._surfaces_kernel import TABLE_STEP
    from sodiophile.physics.marcus import log_factor_table

    if reorganization_energy_RT is None:
        return np.empty(0)
    return log_factor_table(reorganization_energy_RT, TABLE_STEP, _TABLE_REACH)
