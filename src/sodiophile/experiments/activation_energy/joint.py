r"""One fit of all spectra of a temperature series: every resistance follows Arrhenius, everything else changes smoothly.

.. math:: \ln R_k(T) = \ln\frac{T}{T_0} + c_k + \frac{E_k}{\mathcal R}\left(\frac1T-\frac1{T_0}\right)

Capacitances, exponents and the series resistance are each linear in 1/T (the logarithm of those that are positive); the
tail is free at every temperature, with an exponent linear in 1/T. Each temperature may be off by its uncertainty. What one
spectrum cannot tell apart, the series may.

The uncertainty is that of leaving out one temperature after the other (jackknife), so that it holds errors of temperature
and departures from Arrhenius, not only the noise of the spectra. Where what the spectra are made to share costs more misfit
than noise explains, it is widened by the root of that ratio; and as in single fits, where residuals follow a pattern.

References
----------
B. Efron, C. Stein, Ann. Stat. 1981, 9, 586, doi 10.1214/aos/1176345462.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.physics.arc_circuits import FULL, Candidate, Place
from sodiophile.physics.arcs import candidate_bounds
from sodiophile.physics.circuit_fit import CircuitFit, Spectra
from sodiophile.physics.circuits import Array
from sodiophile.physics.constants import GAS_J_mol_K
from sodiophile.physics.least_squares import minimize_squares

_KJ_OVER_R = 1e3 / GAS_J_mol_K
_ARCS = ((Place.R1, Place.TAU1, Place.ALPHA1), (Place.R2, Place.TAU2, Place.ALPHA2))


@dataclass(frozen=True)
class JointFit:
    """Activation energies from one fit of all spectra.

    Parameters
    ----------
    activation_energies_kJ_mol, errors_kJ_mol
        One an arc, fast ones first.
    misfit
        Root mean square of the relative residual over all spectra.
    lack_of_fit
        How much more the misfit rises by what the spectra are made to share than noise explains (F ratio, at least 1); the
        errors are widened by its root.
    converged
        Whether the fit, and all that leave out one temperature, ended at a minimum.
    """

    activation_energies_kJ_mol: tuple[float, ...]
    errors_kJ_mol: tuple[float, ...]
    misfit: float
    lack_of_fit: float
    converged: bool


@dataclass(frozen=True)
class _Series:
    temperature_K: Array
    fits: Sequence[CircuitFit]
    spectra: Spectra
    temperature_error_K: float
    noise: float


def joint_fit(
    temperature_K: Array,
    fits: Sequence[CircuitFit],
    spectra: Spectra,
    candidate: Candidate,
    temperature_error_K: float,
) -> JointFit | None:
    """Fit a temperature series at once.

    Parameters
    ----------
    temperature_K
        Of each spectrum, shape (b,).
    fits
        The fits of the candidate to each spectrum: starting values, and what the noise is.
    spectra
        The spectra.
    candidate
        The circuit; None is returned for one without arcs, and for fewer than four spectra or three temperatures.
    temperature_error_K
        Standard uncertainty of each temperature.
    """
    everything = np.arange(len(fits))
    if candidate.arcs == 0 or len(fits) < 4 or len(np.unique(temperature_K)) < 3:
        return None
    separate, dof = sum(fit.cost for fit in fits), sum(fit.dof for fit in fits)
    series = _Series(temperature_K, fits, spectra, temperature_error_K, float(np.sqrt(separate / dof)))
    best, cost, converged = _fit(series, candidate, everything, None)
    left_out = [
        _fit(series, candidate, np.delete(everything, k), best)
        for k in everything
        if len(np.unique(np.delete(temperature_K, k))) > 1
    ]
    energies = np.array([_energies(v, candidate) for v, _, _ in left_out])
    n = len(energies)
    errors = np.sqrt((n - 1) / n * np.sum((energies - energies.mean(axis=0)) ** 2, axis=0))
    saved = sum(int(fit.free.sum()) for fit in fits) - (len(best) - len(fits))
    worse = max(1.0, (cost - separate) / max(saved, 1) / (separate / dof))
    return JointFit(
        tuple(_energies(best, candidate)),
        tuple(float(error) for error in errors * np.sqrt(worse * np.mean([fit.widening for fit in fits]))),
        float(np.sqrt(cost / spectra.points.sum())),
        worse,
        converged and all(ended for _, _, ended in left_out),
    )


def _energies(v: Array, candidate: Candidate) -> list[float]:
    return [float(v[4 * k + 1]) for k in range(candidate.arcs)]


def _design(temperature_K: Array, candidate: Candidate, held: Array) -> tuple[Array, Array]:
    """Return (M, u0): coordinates of all spectra are u0 + M v; shapes (b, 10, q), (b, 10)."""
    b = len(temperature_K)
    z = _KJ_OVER_R * (1 / temperature_K - np.mean(1 / temperature_K))
    columns: list[Array] = []

    def add(*entries: tuple[int, Array | float]) -> None:
        column = np.zeros((b, 10))
        for place, value in entries:
            column[:, place] = value
        columns.append(column)

    u0 = held.copy()
    for R, tau, _ in _ARCS[: candidate.arcs]:
        u0[:, R] = u0[:, tau] = np.log(temperature_K / temperature_K.mean())
        add((R, 1.0), (tau, 1.0))
        add((R, z), (tau, z))
        add((tau, 1.0))
        add((tau, z))
    for _, _, alpha in _ARCS[: candidate.arcs]:
        u0[:, alpha] = 0.0
        add((alpha, 1.0))
        add((alpha, z))
    u0[:, Place.R0] = 0.0
    add((Place.R0, 1.0))
    add((Place.R0, z))
    if candidate.inductance:
        u0[:, Place.L] = 0.0
        add((Place.L, 1.0))
    if candidate.tail != "none":
        u0[:, Place.Q] = 0.0
        for k in range(b):
            add((Place.Q, np.eye(b)[k]))
    if candidate.tail == "cpe":
        u0[:, Place.ALPHA_TAIL] = 0.0
        add((Place.ALPHA_TAIL, 1.0))
        add((Place.ALPHA_TAIL, z))
    return np.stack(columns, axis=2), u0


def _fit(series: _Series, candidate: Candidate, chosen: NDArray[np.intp], near: Array | None) -> tuple[Array, float, bool]:
    T = series.temperature_K[chosen]
    u_each = np.stack([series.fits[k].coordinates for k in chosen])
    M, u0 = _design(T, candidate, u_each)
    b, _, q = M.shape
    start = np.asarray(np.linalg.lstsq(M.reshape(-1, q), (u_each - u0).reshape(-1), rcond=None)[0], dtype=np.float64)
    low, high = (end[chosen] for end in candidate_bounds(candidate, series.spectra))
    stiffness = series.noise / max(series.temperature_error_K, 1e-6)

    def residuals(v: Array, _: NDArray[np.intp]) -> tuple[Array, Array]:
        outs = [_residuals(one, series, candidate, chosen, M, u0, low, high, stiffness) for one in v]
        return np.stack([r for r, _ in outs]), np.stack([J for _, J in outs])

    shifts = np.zeros(b)
    starts = [np.concatenate([start, shifts])]
    if near is not None:
        starts.append(np.concatenate([_shortened(near, start), shifts]))
    far = np.full((len(starts), q + b), 1e3)
    found = minimize_squares(residuals, np.stack(starts), -far, far, tolerance=1e-9)
    k = int(np.argmin(found.cost))
    return found.coordinates[k], float(found.cost[k]), bool(found.converged[k])


def _residuals(
    v: Array,
    series: _Series,
    candidate: Candidate,
    chosen: NDArray[np.intp],
    M: Array,
    u0: Array,
    low: Array,
    high: Array,
    stiffness: float,
) -> tuple[Array, Array]:
    """Return residuals and derivatives for one set of parameters: those of the design, then each temperature's error."""
    T = series.temperature_K[chosen]
    b, _, q = M.shape
    shift = v[q:]
    wanted = u0 + M @ v[:q]
    slope = np.zeros((b, 10, q + b))
    slope[:, :, :q] = M
    place = np.arange(b)
    for k, (R, tau, _) in enumerate(_ARCS[: candidate.arcs]):
        # ln R moves by this with the true temperature
        per_kelvin = 1 / T - v[4 * k + 1] * _KJ_OVER_R / T**2
        for coordinate in (R, tau):
            wanted[:, coordinate] += per_kelvin * shift
            slope[place, coordinate, q + place] = per_kelvin
            slope[:, coordinate, 4 * k + 1] -= _KJ_OVER_R / T**2 * shift
    r, J = series.spectra.residuals(FULL, np.clip(wanted, low, high), chosen)
    # a coordinate beyond its bound stands still
    J = J * ((wanted >= low) & (wanted <= high))[:, :, None]
    out = np.concatenate([r.reshape(-1), stiffness * shift])
    derivative = np.einsum("bpm,bpq->qbm", J, slope).reshape(q + b, -1)
    held = np.zeros((q + b, b))
    held[q + place, place] = stiffness
    return out, np.concatenate([derivative, held], axis=1)


def _shortened(near: Array, start: Array) -> Array:
    """Return the result of all temperatures as a start for fewer: what belongs to the arcs comes first in both."""
    out = start.copy()
    shared = min(8, len(near), len(start))
    out[:shared] = near[:shared]
    return out
