r"""A full cell as a simple, stated model: an insertion electrode against metal, with polarization, fade and efficiency.

With x the inserted part of the accessible capacity Q (0 charged, 1 discharged), I the current and A how soft the ends are,

    V = E0 + A (1/x - 1/(1 - x))  -/+  [ I R + (2 R T / F) asinh(I / (2 I0)) ]      (discharge / charge)

    Q(C, n) = Q0 (1 - a sqrt(C)) (1 - k (n - 1) - s sqrt(n - 1))

a loss with the square root of the rate C as for diffusion, a linear and a square-root fade with the cycle n (side reactions
at a constant rate, and limited by a growing film). A part 1 - eta of the charging current goes to side reactions. Where the
limits of the voltage are met is in closed form, and so is every capacity. The curve is empirical: a plateau with soft ends.
There is no porous electrode, no concentration, no change of temperature; x is kept where the accessible capacity changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.physics.constants import inverse_thermal_voltage_1_V

_HOLD_POINTS = 60

LEFT_OUT = [
    "porous electrode theory and concentration in the full cell: polarization is a resistance and one charge transfer",
    "potential of the insertion electrode beyond one plateau with logarithmic ends",
    "relaxation in rests of the full cell",
]


@dataclass(frozen=True)
class InsertionCell:
    """An insertion electrode against a metal.

    Parameters
    ----------
    capacity_mAh
        Accessible at the first cycle and no current, Q0.
    plateau_V
        Potential of the insertion electrode against the metal at x = 1/2, E0.
    softness_V
        A, of the ends of the plateau.
    resistance_ohm
        R, of everything ohmic.
    exchange_current_mA
        I0 of the charge transfer.
    temperature_K
        T.
    rate_loss
        a, at the square root of 1C.
    fade_linear, fade_sqrt
        k and s, parts of the capacity.
    efficiency
        eta.
    """

    capacity_mAh: float
    plateau_V: float
    softness_V: float
    resistance_ohm: float
    exchange_current_mA: float
    temperature_K: float
    rate_loss: float = 0.0
    fade_linear: float = 0.0
    fade_sqrt: float = 0.0
    efficiency: float = 1.0

    @property
    def thermal_V(self) -> float:
        """R T / F, V."""
        return 1.0 / inverse_thermal_voltage_1_V(self.temperature_K)

    def open_circuit_V(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return E(x), V, shape of x."""
        return np.asarray(self.plateau_V + self.softness_V * (1.0 / x - 1.0 / (1.0 - x)))

    def overpotential_V(self, current_mA: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return I R + (2RT/F) asinh(I/(2 I0)), V; positive."""
        current = np.asarray(current_mA, dtype=float)
        transfer = 2.0 * self.thermal_V * np.arcsinh(current / (2.0 * self.exchange_current_mA))
        return np.asarray(1e-3 * current * self.resistance_ohm + transfer)

    def inserted_at(self, potential_V: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return x at an open-circuit potential, the inverse of `open_circuit_V`."""
        u = (np.asarray(potential_V, dtype=float) - self.plateau_V) / self.softness_V
        # the root in (0, 1) of u x^2 - (u + 2) x + 1 = 0; by symmetry solved where nothing cancels
        low = 2.0 / (np.abs(u) + 2.0 + np.sqrt(u**2 + 4.0))
        return np.asarray(np.where(u >= 0, low, 1.0 - low))

    def accessible_mAh(self, rate_C: float, cycle: int) -> float:
        """Return Q(C, n), mAh; not below 0. `cycle` counts from 1."""
        faded = 1.0 - self.fade_linear * (cycle - 1) - self.fade_sqrt * np.sqrt(cycle - 1)
        return float(self.capacity_mAh * max(1.0 - self.rate_loss * np.sqrt(rate_C), 0.0) * max(faded, 0.0))

    def charged_to(self, upper_V: float, current_mA: float) -> float:
        """Return x at which a charge meets the upper limit."""
        return float(self.inserted_at(upper_V - float(self.overpotential_V(current_mA))))

    def discharged_to(self, lower_V: float, current_mA: float, extra_V: float = 0.0) -> float:
        """Return x at which a discharge with `extra_V` more of polarization meets the lower limit."""
        return float(self.inserted_at(lower_V + float(self.overpotential_V(current_mA)) + extra_V))

    def hold(
        self, upper_V: float, current_mA: float, cut_off_mA: float, accessible_mAh: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return time (s), current (mA) and the x reached of a hold at the upper limit down to a cut-off current.

        The current is the parameter: at each, x follows from the limit, the charge from x, and the time from the charge.
        """
        current = np.geomspace(current_mA, cut_off_mA, _HOLD_POINTS)
        x = self.inserted_at(upper_V - self.overpotential_V(current))
        charge_mAh = -np.diff(x) * accessible_mAh / self.efficiency
        time = np.concatenate([[0.0], np.cumsum(3600.0 * charge_mAh / (0.5 * (current[1:] + current[:-1])))])
        return time, current, float(x[-1])
