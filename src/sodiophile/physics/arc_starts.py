"""Starting values for arcs and tails, without a guess.

With time constants and exponents on a grid the circuit is linear in the rest. What every circuit has (series resistance,
tail, inductance) is eliminated once; then every pair of arcs of the grid is a problem of two unknowns, and all are solved
at once. The best pairs with positive resistances start the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.physics.arc_circuits import Candidate, Place
from sodiophile.physics.circuit_fit import Spectra
from sodiophile.physics.circuits import Array

_TAU_POINTS = 20
_ALPHAS = (0.7, 0.82, 0.95)
_ARCS = len(_ALPHAS) * _TAU_POINTS
_TAILS = (0.45, 0.5, 0.7, 0.92)
_TAILS_OF = {"none": (), "warburg": (0.5,), "cpe": (0.45, 0.7, 0.92)}
_GRID_TAU = np.tile(np.arange(_TAU_POINTS), len(_ALPHAS))
_APART = 3


def starting_values(spectra: Spectra, candidates: Sequence[Candidate], starts: int) -> list[list[tuple[Candidate, Array]]]:
    """Return starting coordinates of the full circuit for each spectrum: candidates, each once or several times."""
    found = []
    for b in range(len(spectra.points)):
        grid = _Grid.of(spectra, b)
        found.append([(candidate, u) for candidate in candidates for u in grid.starts(candidate, starts)])
    return found


@dataclass(frozen=True)
class _Grid:
    """The linear problem of a spectrum: products of its columns, which are R0, L, tails, then arcs."""

    gram: Array
    moment: Array
    scale: Array
    log_taus: Array

    @classmethod
    def of(cls, spectra: Spectra, b: int) -> _Grid:
        n = int(spectra.points[b])
        log_omega, Z, weight = spectra.log_omega[b, :n], spectra.impedance[b, :n], spectra.weight[b, :, :n]
        log_taus = np.linspace(-log_omega.max() - 0.5, -log_omega.min() + 0.5, _TAU_POINTS)
        log_s = log_omega + 0.5j * np.pi
        exponents = np.repeat(_ALPHAS, _TAU_POINTS)[:, None]
        arcs = 1 / (1 + np.exp(exponents * (log_s + np.tile(log_taus, len(_ALPHAS))[:, None])))
        tails = np.exp(-np.array(_TAILS)[:, None] * log_s)
        columns = np.concatenate([np.ones((1, n)), np.exp(log_s)[None], tails, arcs])
        D = np.concatenate([columns.real * weight[0], columns.imag * weight[1]], axis=1)
        scale = np.sqrt(np.einsum("kn,kn->k", D, D))
        D /= scale[:, None]
        z = np.concatenate([Z.real * weight[0], Z.imag * weight[1]])
        return cls(D @ D.T, D @ z, scale, log_taus)

    def starts(self, candidate: Candidate, wanted: int) -> list[Array]:
        """Return the best starts of one candidate, time constants of any two apart by two points of the grid."""
        always = [0, 1] if candidate.inductance else [0]
        tails = [[2 + _TAILS.index(alpha)] for alpha in _TAILS_OF[candidate.tail]] or [[]]
        solutions = [self._solved(candidate.arcs, [*always, *tail]) for tail in tails]
        costs = np.concatenate([cost for cost, _, _ in solutions])
        at = np.sort(_GRID_TAU[np.concatenate([pairs for _, pairs, _ in solutions])], axis=1)
        wanted = {0: 1, 1: min(wanted, 2), 2: wanted}[candidate.arcs]
        found: list[Array] = []
        left = costs.copy()
        while len(found) < wanted:
            k = int(np.argmin(left))
            if not np.isfinite(left[k]) and found:
                break
            which, row = divmod(k, len(solutions[0][0]))
            _, pairs, common = solutions[which]
            found.append(self._coordinates(common, pairs[row]))
            left[(np.abs(at - at[k]) < _APART).all(axis=1)] = np.inf
        return found

    def _solved(self, arcs: int, common: list[int]) -> tuple[Array, NDArray[np.intp], list[int]]:
        """Solve every set of arcs together with the common columns; return the cost of each set and the set."""
        first = len(self.scale) - _ARCS
        inverse = np.linalg.inv(self.gram[np.ix_(common, common)] + 1e-10 * np.eye(len(common)))
        coupling = inverse @ self.gram[common, first:]
        base = inverse @ self.moment[common]
        G = self.gram[first:, first:] - self.gram[first:, common] @ coupling
        h = self.moment[first:] - self.gram[first:, common] @ base
        if arcs == 0:
            return _penalty(base)[None], np.empty((1, 0), dtype=np.intp), common
        g = np.maximum(np.diag(G), 1e-9)
        if arcs == 1:
            x = np.maximum(h / g, 0)
            cost = -x * h + _penalty((base[:, None] - coupling * x).T)
            return cost, np.arange(_ARCS)[:, None], common
        i, j = np.nonzero(_GRID_TAU[:, None] < _GRID_TAU[None])
        determinant = np.maximum(g[i] * g[j] - G[i, j] ** 2, 1e-9 * g[i] * g[j])
        x = (h[i] * g[j] - h[j] * G[i, j]) / determinant
        y = (h[j] * g[i] - h[i] * G[i, j]) / determinant
        rest = base[:, None] - coupling[:, i] * x - coupling[:, j] * y
        cost = -(x * h[i] + y * h[j]) + _penalty(rest.T)
        cost[(x <= 0) | (y <= 0)] = np.inf
        return cost, np.stack([i, j], axis=1), common

    def _coordinates(self, common: list[int], pair: NDArray[np.intp]) -> Array:
        first = len(self.scale) - _ARCS
        columns = np.array([*common, *(first + pair)], dtype=np.intp)
        gram = self.gram[np.ix_(columns, columns)]
        parts = np.linalg.solve(gram + 1e-9 * np.eye(len(columns)), self.moment[columns])
        # a part that came out negative starts small
        parts = np.maximum(parts, 1e-3 * np.abs(parts).max()) / self.scale[columns]
        u = np.zeros(len(Place))
        u[Place.ALPHA1] = u[Place.ALPHA2] = u[Place.ALPHA_TAIL] = 0.5
        logs = np.log(parts)
        for column, log_part in zip(common, logs, strict=False):
            if column == 0:
                u[Place.R0] = log_part
            elif column == 1:
                u[Place.L] = log_part
            else:
                u[Place.Q], u[Place.ALPHA_TAIL] = -log_part, _TAILS[column - 2]
        places = ((Place.R1, Place.TAU1, Place.ALPHA1), (Place.R2, Place.TAU2, Place.ALPHA2))
        for which, log_part, (R, tau, alpha) in zip(pair, logs[len(common) :], places, strict=False):
            u[R], u[tau], u[alpha] = log_part, self.log_taus[_GRID_TAU[which]], _ALPHAS[int(which) // _TAU_POINTS]
        return u


def _penalty(parts: Array) -> Array:
    """Return the energy of negative parts: columns have length one."""
    return np.asarray(np.sum(np.minimum(parts, 0.0) ** 2, axis=-1))
