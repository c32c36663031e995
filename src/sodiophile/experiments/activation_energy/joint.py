r"""One fit of all spectra of a temperature series: every resistance follows Arrhenius, everything else changes smoothly.

.. math:: \ln R_k(T) = \ln\frac{T}{T_0} + c_k + \frac{E_k}{\mathcal R}\left(\frac1T-\frac1{T_0}\right)

Capacitances, exponents and the series resistance are each linear in 1/T (the logarithm of those that are positive); the
tail is free at every temperature, with an exponent linear in 1/T. What one spectrum cannot tell apart, the series may.

The uncertainty is that of leaving out one temperature after the other (jackknife), so that it holds errors of temperature
and departures from Arrhenius, not only the noise of the spectra.

References
----------
B. Efron, C. Stein, Ann. Stat. 1981, 9, 586, doi 10.1214/aos/1176345462.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sodiophile.physics.arc_circuits import FULL, Candidate, Place
from sodiophile.physics.arcs import candidate_bounds
from sodiophile.physics.circuit_fit import CircuitFit, Spectra
from sodiophile.physics.circuits import Array
from sodiophile.physics.constants import GAS_J_mol_K
from sodiophile.physics.least_squares import minimize_squares

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
    converged
        Whether the fit, and all that leave out one temperature, ended at a minimum.
    """

    activation_energies_kJ_mol: tuple[float, ...]
    errors_kJ_mol: tuple[float, ...]
    misfit: float
    converged: bool


def joint_fit(temperature_K: Array, fits: Sequence[CircuitFit], spectra: Spectra, candidate: Candidate) -> JointFit | None:
    """Fit a temperature series at once.

    Parameters
    ----------
    temperature_K
        Of each spectrum, shape (b,).
    fits
        The fits of the candidate to each spectrum: starting values.
    spectra
        The spectra.
    candidate
        The circuit; None is returned for one without arcs, and for fewer than three temperatures.
    """
    if candidate.arcs == 0 or len(np.unique(temperature_K)) < 3:
        return None
    everything = np.arange(len(fits))
    best, cost, converged = _fit(temperature_K, fits, spectra, candidate, everything, None)
    left_out = [
        _fit(temperature_K, fits, spectra, candidate, np.delete(everything, k), best)
        for k in everything
        if len(np.unique(np.delete(temperature_K, k))) > 1
    ]
    energies = np.array([_energies(v, candidate) for v, _, _ in left_out])
    n = len(energies)
    errors = np.sqrt((n - 1) / n * np.sum((energies - energies.mean(axis=0)) ** 2, axis=0))
    return JointFit(
        tuple(_energies(best, candidate)),
        tuple(float(error) for error in errors),
        float(np.sqrt(cost / spectra.points.sum())),
        converged and all(ended for _, _, ended in left_out),
    )


def _energies(v: Array, candidate: Candidate) -> list[float]:
    return [float(v[4 * k + 1]) for k in range(candidate.arcs)]


def _design(temperature_K: Array, candidate: Candidate, held: Array) -> tuple[Array, Array]:
    """Return (M, u0): coordinates of all spectra are u0 + M v; shapes (b, 10, q), (b, 10)."""
    b = len(temperature_K)
    z = (1e3 / GAS_J_mol_K) * (1 / temperature_K - np.mean(1 / temperature_K))
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


def _fit(
    temperature_K: Array,
    fits: Sequence[CircuitFit],
    spectra: Spectra,
    candidate: Candidate,
    chosen: np.ndarray,
    near: Array | None,
) -> tuple[Array, float, bool]:
    T = temperature_K[chosen]
    u_each = np.stack([fits[k].coordinates for k in chosen])
    M, u0 = _design(T, candidate, u_each)
    flat = M.reshape(-1, M.shape[2])
    start = np.asarray(np.linalg.lstsq(flat, (u_each - u0).reshape(-1), rcond=None)[0], dtype=np.float64)
    low, high = (end[chosen] for end in candidate_bounds(candidate, spectra))

    def residuals(v: Array, _: np.ndarray) -> tuple[Array, Array]:
        wanted = u0[None] + np.einsum("bpq,kq->kbp", M, v)
        u = np.clip(wanted, low, high)
        outs_r, outs_J = [], []
        for k in range(len(v)):
            r, J = spectra.residuals(FULL, u[k], chosen)
            # a coordinate beyond its bound stands still
            J = J * ((wanted[k] >= low) & (wanted[k] <= high))[:, :, None]
            outs_r.append(r.reshape(-1))
            outs_J.append(np.einsum("bpm,bpq->qbm", J, M).reshape(M.shape[2], -1))
        return np.stack(outs_r), np.stack(outs_J)

    starts = [start] if near is None else [start, _shortened(near, start)]
    far = np.full((len(starts), M.shape[2]), 1e3)
    found = minimize_squares(residuals, np.stack(starts), -far, far, tolerance=1e-9)
    k = int(np.argmin(found.cost))
    return found.coordinates[k], float(found.cost[k]), bool(found.converged[k])


def _shortened(near: Array, start: Array) -> Array:
    """Return the result of all temperatures as a start for fewer: what belongs to the arcs comes first in both."""
    out = start.copy()
    shared = min(8, len(near), len(start))
    out[:shared] = near[:shared]
    return out
