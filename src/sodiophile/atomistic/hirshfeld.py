"""Hirshfeld charges: each point of space divided among the atoms as the densities of the free atoms are there.

    w_A(r) = n_A(free, |r - R_A|) / sum over B of n_B(free, |r - R_B|)        q_A = Z_A - integral of w_A n

F. L. Hirshfeld, Theor. Chim. Acta 44, 129 (1977), doi 10.1007/BF00549096. Free atoms are neutral, spherical and not spin
polarized here. Charges of this kind come out smaller than those of other schemes, since the free
atoms that divide space are neutral.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodiophile.atomistic.fields import Field
from sodiophile.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Tables of free atoms are even in the root of the distance: dense where the core falls off.
_TABLE = 4000


@dataclass(frozen=True, eq=False)
class FreeAtom:
    """The density of a free atom.

    Parameters
    ----------
    r_A
        (n,) distances from the nucleus, rising from 0 or nearly 0.
    density_e_A3
        (n,) electrons per cubic angstrom; taken as zero beyond the last distance.
    """

    r_A: Array
    density_e_A3: Array

    def electrons(self) -> float:
        """Return its electrons, by the trapezoidal rule."""
        r, n = np.asarray(self.r_A, float), np.asarray(self.density_e_A3, float)
        return float(np.trapezoid(4 * np.pi * r**2 * n, r))

    def reach_A(self, density_e_A3: float = 1e-7) -> float:
        """Return the distance beyond which the density stays below a limit."""
        above = np.flatnonzero(np.asarray(self.density_e_A3) > density_e_A3)
        return float(self.r_A[min(above[-1] + 1, len(self.r_A) - 1)]) if len(above) else 0.0

    def table(self, reach_A: float) -> Array:
        """Return the density at distances whose roots are even from 0 to that of `reach_A`."""
        s = np.linspace(0.0, np.sqrt(reach_A), _TABLE)
        return np.maximum(np.interp(s**2, self.r_A, self.density_e_A3), 0.0)


@dataclass(frozen=True, eq=False)
class Hirshfeld:
    """Charges of atoms.

    Attributes
    ----------
    charges_e
        (n_atoms,) positive where electrons were lost.
    unassigned_electrons
        In regions that no free atom reaches.
    """

    charges_e: Array
    unassigned_electrons: float


def hirshfeld(
    density: Field, symbols: Sequence[str], positions_A: Array, free: Mapping[str, FreeAtom], nuclear: Mapping[str, float]
) -> Hirshfeld:
    """Divide a density among atoms as their free densities overlap.

    Parameters
    ----------
    density
        Of the electrons that `nuclear` balances: of all, or of those outside the cores; electrons per cubic angstrom.
    symbols
        Element of each atom.
    positions_A
        (n_atoms, 3).
    free
        Element -> its free atom, with the same electrons (all, or those outside the core).
    nuclear
        Element -> the charge that neutralizes the free atom.

    Raises
    ------
    InputError
        If an element has no free atom.
    """
    missing = sorted(set(symbols) - set(free))
    if missing:
        raise InputError(f"no density of a free atom of {', '.join(missing)}")
    positions = np.atleast_2d(np.asarray(positions_A, float))
    spread, collect = _kernels()
    inverse = np.linalg.inv(density.cell_A)
    tables: dict[str, tuple[Array, float]] = {}
    for symbol in set(symbols):
        reach = free[symbol].reach_A()
        tables[symbol] = free[symbol].table(reach), reach
    promolecule = np.zeros(density.shape)
    for symbol, position in zip(symbols, positions, strict=True):
        spread(promolecule, density.cell_A, inverse, position, *tables[symbol])
    ratio = np.divide(density.values, promolecule, out=np.zeros(density.shape), where=promolecule > 0)
    electrons = np.array(
        [
            collect(ratio, density.cell_A, inverse, position, *tables[symbol]) * density.voxel_A3
            for symbol, position in zip(symbols, positions, strict=True)
        ]
    )
    charges = np.array([nuclear[symbol] for symbol in symbols]) - electrons
    return Hirshfeld(charges, float(density.integral() - electrons.sum()))


@cache
def _kernels() -> tuple[Any, Any]:
    """Return the compiled kernels: numba is imported where it is needed."""
    from numba import njit

    return njit(cache=True)(_spread), njit(cache=True)(_collect)


def _spread(total: Array, cell: Array, inverse: Array, position: Array, table: Array, reach: float) -> None:
    """Add the density of a free atom, all its images included, to a grid."""
    n1, n2, n3 = total.shape
    last = len(table) - 1
    scale = last / np.sqrt(reach)
    f = position @ inverse
    # a sphere reaches as far along an axis as the planes of that axis are dense
    w1 = reach * np.sqrt(np.sum(inverse[:, 0] ** 2))
    w2 = reach * np.sqrt(np.sum(inverse[:, 1] ** 2))
    w3 = reach * np.sqrt(np.sum(inverse[:, 2] ** 2))
    for i in range(int(np.ceil((f[0] - w1) * n1)), int(np.floor((f[0] + w1) * n1)) + 1):
        for j in range(int(np.ceil((f[1] - w2) * n2)), int(np.floor((f[1] + w2) * n2)) + 1):
            for k in range(int(np.ceil((f[2] - w3) * n3)), int(np.floor((f[2] + w3) * n3)) + 1):
                u, v, w = i / n1 - f[0], j / n2 - f[1], k / n3 - f[2]
                x = u * cell[0, 0] + v * cell[1, 0] + w * cell[2, 0]
                y = u * cell[0, 1] + v * cell[1, 1] + w * cell[2, 1]
                z = u * cell[0, 2] + v * cell[1, 2] + w * cell[2, 2]
                s = (x * x + y * y + z * z) ** 0.25 * scale
                at = int(s)
                if at < last:
                    value = table[at] + (s - at) * (table[at + 1] - table[at])
                    total[i % n1, j % n2, k % n3] += value


def _collect(ratio: Array, cell: Array, inverse: Array, position: Array, table: Array, reach: float) -> float:
    """Return the sum over a grid of the density of a free atom times what stands on the grid."""
    n1, n2, n3 = ratio.shape
    last = len(table) - 1
    scale = last / np.sqrt(reach)
    f = position @ inverse
    w1 = reach * np.sqrt(np.sum(inverse[:, 0] ** 2))
    w2 = reach * np.sqrt(np.sum(inverse[:, 1] ** 2))
    w3 = reach * np.sqrt(np.sum(inverse[:, 2] ** 2))
    found = 0.0
    for i in range(int(np.ceil((f[0] - w1) * n1)), int(np.floor((f[0] + w1) * n1)) + 1):
        for j in range(int(np.ceil((f[1] - w2) * n2)), int(np.floor((f[1] + w2) * n2)) + 1):
            for k in range(int(np.ceil((f[2] - w3) * n3)), int(np.floor((f[2] + w3) * n3)) + 1):
                u, v, w = i / n1 - f[0], j / n2 - f[1], k / n3 - f[2]
                x = u * cell[0, 0] + v * cell[1, 0] + w * cell[2, 0]
                y = u * cell[0, 1] + v * cell[1, 1] + w * cell[2, 1]
                z = u * cell[0, 2] + v * cell[1, 2] + w * cell[2, 2]
                s = (x * x + y * y + z * z) ** 0.25 * scale
                at = int(s)
                if at < last:
                    value = table[at] + (s - at) * (table[at + 1] - table[at])
                    found += value * ratio[i % n1, j % n2, k % n3]
    return found
