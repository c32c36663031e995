r"""How long a cell lasts until metal bridges its separator: spots that run ahead of the deposit, and the law of lives.

A cell of area A has :math:`n \sim` Poisson(spot density times A) spots. Spot k is ahead of the even deposit by a factor
:math:`g_k = e^{\sigma N(0,1)}`. With half cycles of capacity Q, solidity s and the part p of each height that stripping
leaves,

.. math::

    h_k(t) = g_k\,(h_0 + vt),\qquad h_0 = \frac{QV_m}{zFs},\qquad
    v = v_t + p\,h_0\nu,\qquad \nu = \frac{1}{t_{plating} + t_{stripping} + t_{rests}}

so that one part of the growth goes by the hours (:math:`v_t`, corrosion and interphase, faster in the warm) and one by the
charge. The cell is short once the tallest spot reaches the separator's thickness :math:`L(1-c)`, c its compression:

.. math:: P(T > t) = \exp\left\{-nA\,\Phi\left[-\frac1\sigma\ln\frac{L(1-c)}{h_0+vt}\right]\right\}

which for many spots is close to a Weibull law in the time since the start. A height that the first half cycle bridges is a
life of 0. The rates by time and by charge cannot be told apart from lives at one current.

References
----------
W. Weibull, J. Appl. Mech. 18 (1951) 293. P. Bai et al., Energy Environ. Sci. 9 (2016) 3221, doi 10.1039/C6EE01674J (growth
below the limiting current is controlled by the interface, not by the salt).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell
from sodiophile.physics.constants import C_PER_mAh, FARADAY_C_mol

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth of an even deposit towards the other electrode; spots are ahead of it.

    Parameters
    ----------
    reach_um
        Height that bridges, um.
    first_um
        Height that a half cycle plates, um.
    rate_um_h
        Growth of what remains, um/h.
    spots
        Mean number of spots of the cell.
    spread
        Standard deviation of the logarithm of their factor.
    """

    reach_um: float
    first_um: float
    rate_um_h: float
    spots: float
    spread: float

    @classmethod
    def of(
        cls, cell: Cell, current_density_mA_cm2: float, capacity_mAh_cm2: float, area_cm2: float, *, rest_h: float = 0.0
    ) -> Growth:
        """Return the growth of a cell with shorts at a current density and capacity of half cycles, with rests after each.

        Raises
        ------
        InputError
            If the cell has no shorts, or a number is not positive.
        """
        shorts = cell.shorts
        if shorts is None:
            raise InputError("missing; growth through the separator needs the table [shorts] of the cell", "shorts")
        if not (current_density_mA_cm2 > 0 and capacity_mAh_cm2 > 0 and area_cm2 > 0 and rest_h >= 0):
            raise InputError("expected a current density, a capacity and an area above 0, and rests of at least 0 h")
        metal = cell.properties
        volume_m = capacity_mAh_cm2 * 1e4 * C_PER_mAh * metal.molar_volume_m3_mol / (metal.z * FARADAY_C_mol)
        first_um = 1e6 * volume_m / shorts.solidity.value
        per_h = 1.0 / (2.0 * (capacity_mAh_cm2 / current_density_mA_cm2 + rest_h))
        return cls(
            cell.separator.thickness.value * (1.0 - shorts.compression.value),
            first_um,
            shorts.growth_per_time.value * cell.factor(shorts.growth_activation_energy)
            + shorts.kept_fraction.value * first_um * per_h,
            shorts.spot_density.value * area_cm2,
            shorts.growth_spread.value,
        )

    def survival(self, time_h: ArrayLike) -> _Array:
        """Return the part of many cells that has no short at a time, shape of `time_h`."""
        from scipy.special import ndtr

        height = self.first_um + self.rate_um_h * np.asarray(time_h, dtype=float)
        return np.asarray(np.exp(-self.spots * ndtr(-np.log(self.reach_um / height) / self.spread)))

    def quantile_h(self, part: ArrayLike) -> _Array:
        """Return the time at which a part of many cells is short, h; 0 within the first half cycle, infinite if never.

        Parameters
        ----------
        part
            Above 0, below 1; any shape.
        """
        from scipy.special import ndtri

        hazard = -np.log1p(-np.asarray(part, dtype=float)) / self.spots
        with np.errstate(invalid="ignore", divide="ignore"):
            height = self.reach_um * np.exp(self.spread * ndtri(np.minimum(hazard, 1.0)))
            time = np.maximum(height - self.first_um, 0.0) / self.rate_um_h
        return np.asarray(np.where(hazard >= 1.0, np.inf, time))

    def draw_h(self, count: int, random: np.random.Generator) -> _Array:
        """Return the lives of so many cells at random, h, shape (count,); infinite for one without a spot."""
        return self.quantile_h(random.uniform(np.finfo(float).tiny, 1.0, count))


@dataclass(frozen=True, slots=True)
class Weibull:
    """A Weibull law of lives, P(T > t) = exp[-(t/scale)^shape]."""

    shape: float
    scale_h: float

    def survival(self, time_h: ArrayLike) -> _Array:
        """Return the part that lives at a time."""
        return np.asarray(np.exp(-((np.asarray(time_h, dtype=float) / self.scale_h) ** self.shape)))


def weibull_of(lives_h: ArrayLike, censored: ArrayLike | None = None) -> Weibull:
    r"""Return the Weibull law of the greatest likelihood for lives, some of which may have outlasted their test.

    The shape k solves :math:`\frac{\sum t^k\ln t}{\sum t^k} - \frac1k = \frac1d\sum_{failed}\ln t` (d the failures), and
    the scale is :math:`(\sum t^k/d)^{1/k}`.

    Parameters
    ----------
    lives_h
        Above 0, h, shape (n,).
    censored
        True where the test ended before the cell did, shape (n,); none if not given.

    Raises
    ------
    InputError
        If fewer than two cells failed, at different times, or a life is not positive.
    """
    from scipy.optimize import brentq

    t = np.asarray(lives_h, dtype=float)
    failed = np.ones(t.size, dtype=bool) if censored is None else ~np.asarray(censored, dtype=bool)
    if t.size == 0 or not np.all((t > 0) & np.isfinite(t)):
        raise InputError("found a life that is not above 0 h, expected finite lives above 0 h")
    if failed.sum() < 2 or np.ptp(t[failed]) == 0:
        raise InputError(f"found {int(failed.sum())} failures, expected at least two at different times")
    x = np.log(t / t.max())

    def slope(k: float) -> float:
        weight = np.exp(k * x)
        return float((weight @ x) / weight.sum() - 1.0 / k - x[failed].mean())

    shape = float(brentq(slope, 1e-3, 1e4))
    scale = t.max() * (np.exp(shape * x).sum() / failed.sum()) ** (1.0 / shape)
    return Weibull(shape, float(scale))
