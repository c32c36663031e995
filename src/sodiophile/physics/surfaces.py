"""Surfaces of a metal electrode in parallel: metal under its interphase, and fresh metal (deposit, pits) beside it.

At steady state they share the current so that all have one overpotential (`Surface.shared`); each is also a branch of two
capacitances, double layer and interphase, for what happens within a second (`Branch`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.physics.interlayer import LayerSurface
from sodiophile.physics.kinetics import (
    butler_volmer_overpotential_V,
    charge_transfer_resistance_ohm_cm2,
    concentration_factor,
    differential_resistance_ohm_cm2,
)

_Array = NDArray[np.float64]

_MOST_ITERATIONS = 60


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
    """

    exchange_current_density_mA_cm2: float
    alpha: float
    deposit_resistance_ohm_cm2: float
    temperature_K: float
    z: int

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
        scale = concentration_factor(concentration_ratio, self.alpha) * self.exchange_current_density_mA_cm2
        j, area, resistance, j0 = np.broadcast_arrays(
            *(np.asarray(entry, dtype=float) for entry in (current_density_mA_cm2, deposit_area, resistance_ohm_cm2, scale))
        )
        sign = 1.0 if plating else -1.0

        def branch(current: _Array, series: _Array) -> tuple[_Array, _Array]:
            eta = butler_volmer_overpotential_V(sign * current, j0, self.temperature_K, z=self.z, alpha=self.alpha)
            slope = differential_resistance_ohm_cm2(eta, j0, self.temperature_K, z=self.z, alpha=self.alpha)
            return sign * eta + 1e-3 * current * series, 1e-3 * (slope + series)

        flat, alone = (area <= 1e-12) | (j <= 0), np.isinf(resistance)
        metal = np.where(alone, 0.0, resistance)
        if flat.all():
            return np.where(alone, np.inf, branch(j, metal)[0]), np.zeros_like(j)
        fresh = np.full_like(j, self.deposit_resistance_ohm_cm2)
        real = np.where(flat, 1.0, area)
        low, high = np.zeros_like(j), j.copy()
        # the metal's part of the current, begun at that of two ohmic branches
        slope_b, slope_d = branch(j, metal)[1], branch(j / real, fresh)[1]
        under = j * slope_d / (slope_d + slope_b * real)
        settled = flat | alone
        for _ in range(_MOST_ITERATIONS):
            eta_b, slope_b = branch(under, metal)
            eta_d, slope_d = branch((j - under) / real, fresh)
            excess = eta_b - eta_d
            high = np.where(excess > 0, under, high)
            low = np.where(excess > 0, low, under)
            newton = under - excess / (slope_b + slope_d / real)
            following = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
            change = np.abs(following - under)
            under = following
            # Newton's step squares the error: one of 1e-9 leaves round-off
            if np.all((change <= 1e-9 * j) | settled):
                break
        under = np.where(flat, j, np.where(alone, 0.0, under))
        eta = np.where(alone, branch(j / real, fresh)[0], branch(under, metal)[0])
        return np.where(alone & flat, np.inf, eta), np.where(flat, 0.0, (j - under) / np.where(flat, 1.0, j))
