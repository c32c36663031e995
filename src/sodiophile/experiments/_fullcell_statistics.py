"""What numbers of full cells are worth: means over cycles, accuracy of current and mass, fade with correlated scatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.experiments._fullcell import FullCellProtocol
from sodiophile.quantity import Quantity, Status

_RHO_MOST = 0.95
_CORRELATED_LEAST = 12


@dataclass(frozen=True)
class Mean:
    """A mean over cycles.

    Parameters
    ----------
    value, uncertainty
        The mean and its standard uncertainty, random and systematic.
    spread
        Standard deviation between the cycles; 0 with one.
    low, high
        95 % interval, by Student's t with the effective degrees of freedom of Welch and Satterthwaite.
    count
        Cycles.
    """

    value: float
    uncertainty: float
    spread: float
    low: float
    high: float
    count: int


def mean(values: np.ndarray, systematic: float = 0.0, *, correlated: bool = False) -> Mean:
    """Return the mean of `values` with its uncertainty.

    Parameters
    ----------
    values
        One a cycle, in order, shape (n,), at least one.
    systematic
        Standard uncertainty that all share, of which no averaging rids, in the unit of the values.
    correlated
        Take the correlation between neighbours into account (needs 12 values).

    Notes
    -----
    A single cycle has no scatter to judge by: only the systematic part is stated then.
    """
    from scipy.special import stdtrit

    values = np.asarray(values, dtype=float)
    count = values.size
    spread = float(np.std(values, ddof=1)) if count > 1 else 0.0
    rho = autocorrelation(values - values.mean(), 1) if correlated and count >= _CORRELATED_LEAST else 0.0
    effective = max(count * (1.0 - rho) / (1.0 + rho), 2.0) if count > 1 else 1.0
    random = spread / np.sqrt(effective)
    total = float(np.hypot(random, systematic))
    freedom = (effective - 1.0) * (total / random) ** 4 if random > 0 and count > 1 else np.inf
    factor = float(stdtrit(min(freedom, 1e6), 0.975))
    value = float(values.mean())
    return Mean(value, total, spread, value - factor * total, value + factor * total, count)


def autocorrelation(residuals: np.ndarray, fitted: int) -> float:
    """Return the correlation of neighbours in residuals, freed from the bias of a fit; between 0 and 0.95.

    The bias of the plain estimate is -(1 + 3 rho)/n where a mean was fitted (Marriott and Pope 1954) and -(2 + 4 rho)/n
    where a line was.
    """
    total = float(np.sum(residuals**2))
    if total <= 0:
        return 0.0
    plain = float(np.sum(residuals[1:] * residuals[:-1])) / total
    n = residuals.size
    constant, factor = (1.0, 3.0) if fitted == 1 else (2.0, 4.0)
    return float(np.clip((plain + constant / n) / (1.0 - factor / n) if n > factor else plain, 0.0, _RHO_MOST))


@dataclass(frozen=True)
class Line:
    """A straight line through capacities over the cycle number, with scatter that neighbours may share.

    Parameters
    ----------
    centre, level, slope
        y = level + slope (x - centre).
    slope_u, level_u
        Standard uncertainties.
    factor
        Half of a 95 % interval over the standard uncertainty, by Student's t with the effective degrees of freedom.
    scatter
        Standard deviation of a point about the line.
    rho
        Correlation of neighbours.
    squares
        Sum of the squares of the innovations: what is left after the correlation.
    """

    centre: float
    level: float
    slope: float
    slope_u: float
    level_u: float
    factor: float
    scatter: float
    rho: float
    squares: float

    def at(self, x: float) -> float:
        """Return y at x."""
        return self.level + self.slope * (x - self.centre)

    def at_u(self, x: float) -> float:
        """Return the standard uncertainty of the line at x."""
        return float(np.hypot(self.level_u, self.slope_u * (x - self.centre)))


def line(x: np.ndarray, y: np.ndarray) -> Line:
    """Fit a line by generalized least squares with first-order autoregressive scatter (Prais and Winsten 1954).

    Parameters
    ----------
    x, y
        Shape (n,), n at least 3.
    """
    from scipy.special import stdtrit

    n = x.size
    centre = float(x.mean())
    design = np.stack([np.ones(n), x - centre], axis=1)
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    rho = 0.0
    if n >= _CORRELATED_LEAST:
        for _ in range(3):
            rho = autocorrelation(y - design @ coefficients, 2)
            coefficients = np.linalg.lstsq(_whitened(design, rho), _whitened(y[:, None], rho)[:, 0], rcond=None)[0]
    white = _whitened(design, rho)
    left = _whitened(y[:, None], rho)[:, 0] - white @ coefficients
    squares = float(left @ left)
    freedom = n - 2
    variance = squares / freedom
    covariance = variance * np.linalg.inv(white.T @ white)
    # what is not known of rho widens the interval as fewer points would
    effective = max((n - 2) * (1.0 - rho) / (1.0 + rho), 2.0) if rho > 0 else float(freedom)
    return Line(
        centre,
        float(coefficients[0]),
        float(coefficients[1]),
        float(np.sqrt(covariance[1, 1])),
        float(np.sqrt(covariance[0, 0])),
        float(stdtrit(min(effective, 1e6), 0.975)),
        float(np.sqrt(variance / (1.0 - rho**2))),
        rho,
        squares,
    )


def _whitened(columns: np.ndarray, rho: float) -> np.ndarray:
    out = columns.astype(float).copy()
    out[1:] -= rho * columns[:-1]
    out[0] *= np.sqrt(1.0 - rho**2)
    return out


def capacity_systematic(protocol: FullCellProtocol) -> float:
    """Return the relative standard uncertainty of every capacity per gram: accuracy of current (rectangular) and mass."""
    return float(
        np.hypot(protocol.current_accuracy / np.sqrt(3.0), protocol.active_mass_uncertainty_mg / protocol.active_mass_mg)
    )


def efficiency_systematic(protocol: FullCellProtocol) -> float:
    """Return the relative standard uncertainty of every Coulombic efficiency.

    Charge and discharge are taken to be off independently, each rectangularly within the accuracy: sqrt(2) a / sqrt(3).
    """
    return float(np.sqrt(2.0 / 3.0) * protocol.current_accuracy)


def stated(found: Mean, unit: str, definition: str, status: Status) -> Quantity:
    """Return a mean as a quantity; its 95 % interval stands in the tables."""
    return Quantity(found.value, unit, found.uncertainty, definition, status)
