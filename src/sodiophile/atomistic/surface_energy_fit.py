"""From energies of slabs of several thicknesses to surface energies: straight lines, and what an excess of atoms costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

EV_A2_IN_J_M2 = 16.02176634


@dataclass(frozen=True)
class Line:
    """The straight line through the energies of slabs.

    Attributes
    ----------
    intercept_eV
        What both faces cost together: E(N) at N = 0.
    slope_eV
        Bulk energy of one formula unit.
    uncertainty_eV
        Standard uncertainty of the intercept: that of the fit and the change when the thinnest slab is left out, together.
    two_slab_eV
        Intercept from the two thickest slabs alone.
    without_thinnest_eV
        Intercept without the thinnest slab.
    residuals_eV
        (n,) energies minus the line.
    """

    intercept_eV: float
    slope_eV: float
    uncertainty_eV: float
    two_slab_eV: float
    without_thinnest_eV: float
    residuals_eV: Array


def line(units: ArrayLike, energies_eV: ArrayLike) -> Line:
    """Fit E(N) = I + N e to slabs of at least three thicknesses.

    Parameters
    ----------
    units
        (n,) formula units in each slab, in order of thickness.
    energies_eV
        (n,) their energies.

    References
    ----------
    V. Fiorentini and M. Methfessel, J. Phys.: Condens. Matter 8, 6525 (1996), doi 10.1088/0953-8984/8/36/005.
    """
    x, y = np.asarray(units, float), np.asarray(energies_eV, float)
    if len(x) < 3:
        raise ValueError(f"found {len(x)} slabs, expected at least 3")
    intercept, slope = _fit(x, y)
    residuals = y - intercept - slope * x
    spread = sqrt(float(residuals @ residuals) / (len(x) - 2))
    from_fit = spread * sqrt(1 / len(x) + x.mean() ** 2 / float(np.sum((x - x.mean()) ** 2)))
    without = _fit(x[1:], y[1:])[0]
    return Line(
        intercept_eV=intercept,
        slope_eV=slope,
        uncertainty_eV=hypot(from_fit, intercept - without),
        two_slab_eV=_fit(x[-2:], y[-2:])[0],
        without_thinnest_eV=without,
        residuals_eV=residuals,
    )


def _fit(x: Array, y: Array) -> tuple[float, float]:
    slope = float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
    return float(y.mean() - slope * x.mean()), slope


@dataclass(frozen=True)
class Composition:
    """How slabs of a binary crystal M_x X_y are counted: in formula units by X, and atoms of M beyond them."""

    element: str
    other: str
    per_formula: int
    other_per_formula: int

    def units(self, counts: dict[str, int]) -> float:
        """Return the formula units that the atoms of X make."""
        return counts.get(self.other, 0) / self.other_per_formula

    def excess(self, counts: dict[str, int]) -> float:
        """Return the atoms of M beyond those units; negative where they are too few."""
        return counts.get(self.element, 0) - self.per_formula * self.units(counts)
