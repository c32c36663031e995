r"""Calibrate an engine on DFT points: its offset, how it differs from surface to surface and from site to site.

For one engine, the residual of a site i on the surface s (crystal, facet, termination, adsorbate, coverage)
is modelled as

.. math:: E_\mathrm{DFT} - E_\mathrm{engine} = \mu + \beta\,(E_\mathrm{engine} - \bar E) + u_s + \varepsilon_i,
    \qquad u_s \sim N(0, \tau^2), \quad \varepsilon_i \sim N(0, \sigma^2 + e_i^2),

with the offset :math:`\mu` and the slope :math:`\beta` common to all, :math:`u_s` common to all sites of a surface,
:math:`\varepsilon_i` a site's own, and :math:`e_i` the numerical error of the DFT point. Few points leave :math:`\tau` and
:math:`\sigma` open, so they are not fitted but integrated over, on a grid, with weak priors; given them the model is linear
and Gaussian, and its marginal likelihood is known in closed form (Gelman et al., Bayesian Data Analysis, 3rd ed. (2013),
ch. 5 and 14). A prediction is the mixture over the grid: for a surface that has points its own offset is known, for a new
one :math:`\tau` is part of the error. The slope answers the softening of potentials trained near equilibrium (Deng et al.,
npj Comput. Mater., doi 10.1038/s41524-024-01500-6).

Priors (assumed; a few tenths of an eV is what potentials miss DFT by): :math:`\mu \sim N(0, 1)` eV,
:math:`\beta \sim N(0, 0.3)`, :math:`\tau \sim` half normal 0.5 eV, :math:`\sigma \sim` half normal 0.3 eV.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sodiophile.atomistic.dft_points import Point, SurfaceKey, load_points
from sodiophile.errors import InputError
from sodiophile.quantity import Quantity

Array = NDArray[np.float64]

OFFSET_PRIOR_EV, SLOPE_PRIOR, SURFACE_PRIOR_EV, SITE_PRIOR_EV = 1.0, 0.3, 0.5, 0.3
# The grid of each scale: from far below what matters to where its prior has died out.
_GRID = 24
_SMALLEST_EV = 0.005
# Fewer points than this say nothing that the priors did not say before.
FEWEST_POINTS = 3


@dataclass(frozen=True)
class Prediction:
    """What DFT would give, according to a calibration.

    Attributes
    ----------
    energy_eV, error_eV
        Mean and standard deviation.
    low_eV, high_eV
        The central 95 %.
    known_surface
        Whether the calibration has points on this surface.
    """

    energy_eV: float
    error_eV: float
    low_eV: float
    high_eV: float
    known_surface: bool


@dataclass(frozen=True, eq=False)
class Calibration:
    """An engine calibrated on DFT points; made by `fit`.

    Attributes
    ----------
    engine
        Its name.
    points
        What it was fitted to.
    weights
        (k,) posterior weights of the grid of (surface scale, site scale).
    surface_scales_eV, site_scales_eV
        (k,) the grid.
    means
        (k, 2 + surfaces) posterior means of offset, slope, and the surfaces' own offsets.
    covariances
        (k, 2 + surfaces, 2 + surfaces) their covariances.
    centre_eV
        Mean energy of the engine over the points; the slope is counted from it.
    """

    engine: str
    points: tuple[Point, ...]
    weights: Array
    surface_scales_eV: Array
    site_scales_eV: Array
    means: Array
    covariances: Array
    centre_eV: float

    @property
    def surfaces(self) -> list[SurfaceKey]:
        """The surfaces that have points."""
        return _surfaces(self.points)

    @property
    def offset_eV(self) -> tuple[float, float]:
        """Mean and standard deviation of the offset common to all: DFT minus engine."""
        return self._moments(self.means[:, 0], self.covariances[:, 0, 0])

    @property
    def slope(self) -> tuple[float, float]:
        """Mean and standard deviation of the slope of the residual against the engine's energy."""
        return self._moments(self.means[:, 1], self.covariances[:, 1, 1])

    @property
    def site_error_eV(self) -> float:
        """Posterior mean of what is a site's own: two sites of one surface differ by the root of 2 times that."""
        return float(self.weights @ self.site_scales_eV)

    @property
    def surface_error_eV(self) -> float:
        """Posterior mean of what is common to the sites of one surface and differs from surface to surface."""
        return float(self.weights @ self.surface_scales_eV)

    @property
    def raw_rms_eV(self) -> float:
        """Root mean square of engine minus DFT over the points: the error of an energy that is not corrected."""
        residuals = [point.dft_eV - point.engine_eV[self.engine] for point in self.points]
        return float(np.sqrt(np.mean(np.square(residuals))))

    @property
    def pairs(self) -> list[tuple[Point, Point]]:
        """All pairs of points on one surface."""
        return [pair for pair in combinations(self.points, 2) if pair[0].surface == pair[1].surface]

    @property
    def difference_rms_eV(self) -> float | None:
        """Root mean square error of the energy between two sites of one surface, not corrected; None without a pair."""
        errors = [(a.engine_eV[self.engine] - b.engine_eV[self.engine]) - (a.dft_eV - b.dft_eV) for a, b in self.pairs]
        return float(np.sqrt(np.mean(np.square(errors)))) if errors else None

    def predict(self, energy_eV: float, surface: SurfaceKey) -> Prediction:
        """Return what DFT would give at a site where the engine gives `energy_eV`.

        Parameters
        ----------
        energy_eV
            Of the engine, against bulk metal.
        surface
            Crystal, facet, termination, adsorbate, coverage.
        """
        known = surface in self.surfaces
        x = np.zeros(self.means.shape[1])
        x[0], x[1] = 1.0, energy_eV - self.centre_eV
        if known:
            x[2 + self.surfaces.index(surface)] = 1.0
        mean = energy_eV + self.means @ x
        variance = np.einsum("i,kij,j->k", x, self.covariances, x) + self.site_scales_eV**2
        if not known:
            variance = variance + self.surface_scales_eV**2
        centre, error = self._moments(mean, variance)
        low, high = (_mixture_quantile(q, mean, np.sqrt(variance), self.weights) for q in (0.025, 0.975))
        return Prediction(centre, error, low, high, known)

    def corrected(self, energy_eV: float, surface: SurfaceKey) -> Quantity:
        """Return `predict` as a Quantity of the status ``calibrated``, with what it was calibrated on."""
        found = self.predict(energy_eV, surface)
        where = "this surface among them" if found.known_surface else "none of them on this surface"
        functional = self.points[0].functional
        definition = (
            f"adsorption energy against bulk metal of {self.engine}, {energy_eV:+.3f} eV, corrected to {functional}; "
            f"mean and error of what DFT would give; 95 % between {found.low_eV:+.2f} and {found.high_eV:+.2f} eV"
        )
        calibrated_to = f"{len(self.points)} DFT points, {where}: {self.systems()}"
        return Quantity(
            found.energy_eV,
            "eV",
            found.error_eV,
            definition,
            "calibrated",
            calibrated_to,
            self.sources(),
        )

    def systems(self) -> str:
        """Name what it was calibrated on: ``Na on VN(001) (8), Na(110) (2)``."""
        counts = Counter((point.adsorbate, f"{point.system}({point.facet})") for point in self.points)
        return "; ".join(
            f"{metal} on {', '.join(f'{where} ({n})' for (one, where), n in counts.items() if one == metal)}"
            for metal in dict.fromkeys(metal for metal, _ in counts)
        )

    def sources(self) -> str:
        """Name where the points come from."""
        return "; ".join(dict.fromkeys(f"{point.functional}, {point.level}: {point.source}" for point in self.points))

    def sentence(self) -> str:
        """Say in one sentence what the calibration found."""
        offset, error = self.offset_eV
        word = "too strongly" if offset > 0 else "too weakly"
        return (
            f"against {self.points[0].functional} on {len(self.points)} sites ({self.systems()}), {self.engine} binds "
            f"{abs(offset):.2f} ± {error:.2f} eV {word}, {self.site_error_eV:.2f} eV of scatter from site to site"
        )

    def _moments(self, mean: Array, variance: Array) -> tuple[float, float]:
        centre = float(self.weights @ mean)
        return centre, float(np.sqrt(self.weights @ (variance + (mean - centre) ** 2)))


@dataclass(frozen=True)
class LeftOut:
    """A point predicted by the others.

    Attributes
    ----------
    point
        The point.
    prediction
        Of its DFT energy.
    error_eV
        Prediction minus DFT.
    inside
        Whether DFT lies within the central 95 %.
    """

    point: Point
    prediction: Prediction
    error_eV: float
    inside: bool


def calibration_of(engine: str, functional: str = "PBE", points: Sequence[Point] | None = None) -> Calibration | None:
    """Return the calibration of an engine on the DFT points there are; None where they are too few.

    Parameters
    ----------
    engine
        Its name.
    functional
        The points of this functional are used.
    points
        Instead of those that come with the package.
    """
    every = load_points() if points is None else points
    chosen = [point for point in every if point.functional == functional and engine in point.engine_eV]
    return fit(engine, chosen) if len(chosen) >= FEWEST_POINTS else None


def fit(engine: str, points: Iterable[Point]) -> Calibration:
    """Calibrate an engine on DFT points.

    Raises
    ------
    InputError
        If there is no point, one lacks the engine, or they are of several functionals.
    """
    chosen = tuple(points)
    if not chosen:
        raise InputError(f"no DFT points for {engine!r}, expected some")
    if len(functionals := sorted({point.functional for point in chosen})) > 1:
        raise InputError(f"DFT points of several functionals ({', '.join(functionals)}), expected one")
    lacking = next((point for point in chosen if engine not in point.engine_eV), None)
    if lacking is not None:
        raise InputError(f"the DFT point {lacking.system}({lacking.facet}) {lacking.site} has no energy of {engine!r}")
    surfaces = _surfaces(chosen)
    energies = np.array([point.engine_eV[engine] for point in chosen])
    residuals = np.array([point.dft_eV for point in chosen]) - energies
    numerical = np.array([point.dft_error_eV for point in chosen])
    centre = float(energies.mean())
    design = np.zeros((len(chosen), 2 + len(surfaces)))
    design[:, 0], design[:, 1] = 1.0, energies - centre
    design[np.arange(len(chosen)), [2 + surfaces.index(point.surface) for point in chosen]] = 1.0
    tau, sigma = (grid.ravel() for grid in np.meshgrid(_scales(SURFACE_PRIOR_EV), _scales(SITE_PRIOR_EV), indexing="ij"))
    prior = np.full((len(tau), design.shape[1]), OFFSET_PRIOR_EV**2)
    prior[:, 1] = SLOPE_PRIOR**2
    prior[:, 2:] = tau[:, None] ** 2
    noise = sigma[:, None] ** 2 + numerical**2
    # of the residuals with all linear terms integrated out: N(0, X P X^T + noise), for each point (k) of the grid
    total = np.einsum("ip,kp,jp->kij", design, prior, design) + noise[:, :, None] * np.eye(len(chosen))
    factor = np.linalg.cholesky(total)
    white = np.linalg.solve(factor, np.broadcast_to(residuals[:, None], (len(tau), len(chosen), 1)))[:, :, 0]
    gain = np.swapaxes(np.linalg.solve(total, design * prior[:, None, :]), 1, 2)
    means = gain @ residuals
    covariances = prior[:, :, None] * np.eye(design.shape[1]) - gain @ (design * prior[:, None, :])
    # half normal priors; a grid that is even in the logarithm carries a factor tau sigma
    log = -0.5 * (tau / SURFACE_PRIOR_EV) ** 2 - 0.5 * (sigma / SITE_PRIOR_EV) ** 2 + np.log(tau * sigma)
    log -= 0.5 * np.sum(white**2, axis=1) + np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    weights = np.exp(log - log.max())
    return Calibration(engine, chosen, weights / weights.sum(), tau, sigma, np.array(means), np.array(covariances), centre)


def leave_one_out(calibration: Calibration, *, surface: bool = False) -> list[LeftOut]:
    """Predict each point from the others.

    Parameters
    ----------
    calibration
        Whose points.
    surface
        Leave out all points of its surface: how well a new surface is predicted. Otherwise the point alone.

    Returns
    -------
    list of LeftOut
        Points that would leave no others are not among them.
    """
    found = []
    for point in calibration.points:
        rest = [p for p in calibration.points if (p.surface != point.surface if surface else p is not point)]
        if not rest:
            continue
        prediction = fit(calibration.engine, rest).predict(point.engine_eV[calibration.engine], point.surface)
        error = prediction.energy_eV - point.dft_eV
        found.append(LeftOut(point, prediction, error, prediction.low_eV <= point.dft_eV <= prediction.high_eV))
    return found


def left_out_rms_eV(left_out: Sequence[LeftOut]) -> float | None:
    """Return the root mean square error of points predicted by the others; None where there are none."""
    return float(np.sqrt(np.mean([one.error_eV**2 for one in left_out]))) if left_out else None


def _scales(prior_eV: float) -> Array:
    return np.geomspace(_SMALLEST_EV, 4.0 * prior_eV, _GRID)


def _surfaces(points: Sequence[Point]) -> list[SurfaceKey]:
    return list(dict.fromkeys(point.surface for point in points))


def _mixture_quantile(q: float, means: Array, errors: Array, weights: Array) -> float:
    """Return the quantile of a mixture of normal distributions, by bisection of its distribution function."""
    from scipy.special import ndtr

    low, high = float(np.min(means - 9 * errors)), float(np.max(means + 9 * errors))
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if weights @ ndtr((middle - means) / errors) < q else (low, middle)
    return 0.5 * (low + high)
