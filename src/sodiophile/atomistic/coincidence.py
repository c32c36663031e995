"""Common cells of two surfaces: pairs of supercells that fit on one another with little strain, each told once.

All sublattices of both surfaces up to an area come from Hermite normal forms. Two reduced supercells are laid on one
another in every way that small integer combinations allow; the deformation that takes the film onto the substrate splits
into a turn and a strain,

    x_substrate = x_film M ,   M = U R ,   U = sqrt(M M^T) ,   principal strains e_1, e_2 = eigenvalues of U - 1

with area strain (1 + e_1)(1 + e_2) - 1 and shear (e_1 - e_2) / 2. Matches that operations of either surface make equal, and
multiples of smaller ones, are left out.

References
----------
The problem: Zur and McGill, J. Appl. Phys. 55, 378 (1984), doi:10.1063/1.333084. Sublattices: Santoro and Mighell, Acta
Cryst. A 28, 284 (1972) (both cited from memory); the algorithm is written for this package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from sodiophile.atomistic.symmetry2d import reduce_2d
from sodiophile.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Reduced cells of nearly equal shape differ by no more than these; larger entries belong to larger strains.
_SMALL = np.array([m for m in product((-1, 0, 1), repeat=4) if m[0] * m[3] - m[1] * m[2] == 1]).reshape(-1, 2, 2)
_MAX_CELLS = 400
_SAME_STRAIN, _SAME_AREA_A2 = 1e-6, 1e-3


@dataclass(frozen=True, eq=False)
class Match:
    """A common cell of a substrate and a film.

    Attributes
    ----------
    substrate, film
        (2, 2) whole numbers: each row a vector of the common cell in primitive vectors of the surface.
    area_A2
        Of the supercell of the unstrained substrate.
    strains
        Principal strains (larger, smaller) that bring the whole film onto the unstrained substrate.
    angle_deg
        Turn of the film's primitive cell against the substrate's; of those that rotations of either surface make equal,
        the smallest.
    """

    substrate: Ints
    film: Ints
    area_A2: float
    strains: tuple[float, float]
    angle_deg: float

    @property
    def cells(self) -> tuple[int, int]:
        """Primitive cells of substrate and film in the common cell."""
        return round(abs(float(np.linalg.det(self.substrate)))), round(abs(float(np.linalg.det(self.film))))

    @property
    def area_strain(self) -> float:
        """Relative change of the film's area."""
        return (1 + self.strains[0]) * (1 + self.strains[1]) - 1

    @property
    def shear(self) -> float:
        """Half the difference of the principal strains."""
        return (self.strains[0] - self.strains[1]) / 2

    @property
    def largest_strain(self) -> float:
        """The principal strain of larger size, without sign."""
        return max(abs(strain) for strain in self.strains)


def find_matches(
    substrate_A: Array,
    film_A: Array,
    substrate_rotations: Ints,
    film_rotations: Ints,
    *,
    max_area_A2: float,
    max_strain: float,
) -> list[Match]:
    """Find all distinct common cells up to an area and a strain, smallest first.

    Parameters
    ----------
    substrate_A, film_A
        (2, 2) reduced primitive in-plane cells, right-handed, vectors as rows.
    substrate_rotations, film_rotations
        (g, 2, 2) the operations of each surface on fractional coordinates (f' = R f), as in
        `sodiophile.atomistic.symmetry2d.PlaneGroup`.
    max_area_A2
        Of the substrate's supercell.
    max_strain
        Largest principal strain of the film, in size.

    Raises
    ------
    InputError
        If the area holds less than one cell, or more than 400.
    """
    areas = [abs(float(np.linalg.det(cell))) for cell in (substrate_A, film_A)]
    largest = int(max_area_A2 / areas[0] + 1e-9)
    if not 1 <= largest <= _MAX_CELLS:
        raise InputError(
            f"{max_area_A2:g} A2 hold {largest} surface cells of {areas[0]:.2f} A2, expected 1 to {_MAX_CELLS}", "max_area"
        )
    stretch = (1 + max_strain) ** 2, (1 - max_strain) ** 2
    found: dict[tuple[int, ...], Match] = {}
    for n in range(1, largest + 1):
        few, many = (
            round_to(n * areas[0] / (areas[1] * s)) for s, round_to in zip(stretch, (np.ceil, np.floor), strict=True)
        )
        films = [(form, film_A) for m in range(max(1, int(few)), int(many) + 1) for form in normal_forms(m)]
        for form in normal_forms(n):
            N_s, S = _reduced(form, substrate_A)
            for other, cell in films:
                N_f, F = _reduced(other, cell)
                for small in _fits(F, S, max_strain):
                    _keep(found, N_s, small @ N_f, substrate_A, film_A, substrate_rotations, film_rotations)
    return sorted(found.values(), key=lambda one: (round(one.area_A2, 4), round(one.largest_strain, 6), one.angle_deg))


def front(matches: Sequence[Match]) -> list[int]:
    """Return which matches have less strain than every smaller one, smallest first; of equal ones (other turns), all."""
    best, area, chosen = np.inf, 0.0, []
    for i, match in enumerate(matches):
        less = match.largest_strain < best - _SAME_STRAIN
        equal = match.largest_strain < best + _SAME_STRAIN and match.area_A2 < area + _SAME_AREA_A2
        if less or equal:
            chosen.append(i)
            best, area = match.largest_strain, match.area_A2
    return chosen


def normal_forms(n: int) -> Iterator[Ints]:
    """Yield the Hermite normal forms of determinant n, one for each sublattice of index n: sum of the divisors of n."""
    for a in range(1, n + 1):
        if n % a == 0:
            for b in range(n // a):
                yield np.array([[a, b], [0, n // a]])


def registry_cell(match: Match) -> Array:
    """Return the cell, rows in fractions of the common cell, after whose vectors a shift of the film is the same interface.

    Shifts by a lattice vector of either surface change nothing, so the lattice is that which both span together.
    """
    n, m = match.cells
    rows = np.vstack(
        [_adjugate(match.substrate) * m * _sign(match.substrate), _adjugate(match.film) * n * _sign(match.film)]
    )
    return np.asarray(_spanned(rows), float) / (n * m)


def registries(cell_A: Array, spacing_A: float = 1.2, apart_A: float = 0.5) -> list[tuple[float, float]]:
    """Return shifts to try, in fractions of a registry cell: points of symmetry and a grid, none too close to another.

    Parameters
    ----------
    cell_A
        (2, 2) registry cell.
    spacing_A
        Of the grid, at most.
    apart_A
        Shifts closer than this are one.
    """
    counts = [min(5, max(1, int(np.ceil(float(np.linalg.norm(vector)) / spacing_A)))) for vector in cell_A]
    special = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5), (1 / 3, 2 / 3), (2 / 3, 1 / 3)]
    grid = [(i / counts[0], j / counts[1]) for i in range(counts[0]) for j in range(counts[1])]
    around = np.array(list(product((-1, 0, 1), repeat=2)))
    kept: list[tuple[float, float]] = []
    for point in [*special, *grid]:
        apart = all(
            np.linalg.norm((np.array(point) - other + around) @ cell_A, axis=1).min() > apart_A
            for other in map(np.array, kept)
        )
        if apart:
            kept.append(point)
    return kept


def deformation(match: Match, substrate_A: Array, film_A: Array) -> Array:
    """Return M, (2, 2), that takes vectors of the film (rows) onto those of the substrate."""
    return np.asarray(np.linalg.solve(match.film @ film_A, match.substrate @ substrate_A))


def stretch_of(M: Array) -> Array:
    """Return U = sqrt(M M^T), the part of a deformation that is no turn."""
    values, vectors = np.linalg.eigh(M @ M.T)
    return np.asarray(vectors @ np.diag(np.sqrt(values)) @ vectors.T)


def _reduced(form: Ints, cell_A: Array) -> tuple[Ints, Array]:
    reduced = reduce_2d(form @ cell_A)
    return np.rint(reduced @ np.linalg.inv(cell_A)).astype(int), reduced


def _fits(film: Array, substrate: Array, max_strain: float) -> Ints:
    """Return the combinations of the film's vectors that come to lie on the substrate's within a strain."""
    M = np.linalg.solve(_SMALL @ film, np.broadcast_to(substrate, (len(_SMALL), 2, 2)))
    stretches = np.sqrt(np.clip(np.linalg.eigvalsh(M @ np.swapaxes(M, 1, 2)), 0, None))
    return np.asarray(_SMALL[np.max(np.abs(stretches - 1), axis=1) <= max_strain + 1e-9])


def _keep(
    found: dict[tuple[int, ...], Match],
    N_s: Ints,
    N_f: Ints,
    substrate_A: Array,
    film_A: Array,
    substrate_rotations: Ints,
    film_rotations: Ints,
) -> None:
    minors = [round(np.linalg.det(np.hstack([N_s, N_f])[:, list(pair)])) for pair in combinations(range(4), 2)]
    if gcd(*minors) > 1:
        return  # a multiple of a smaller match
    # rows are lattice vectors: an operation f' = R f makes n R^T of n; a mirror of one surface alone would mirror the film
    key = min(
        tuple(int(entry) for entry in np.hstack([form, turn @ N_f @ g.T]).ravel())
        for r, (form, turn) in zip(
            substrate_rotations, map(_hermite, N_s @ np.swapaxes(substrate_rotations, 1, 2)), strict=True
        )
        for g in film_rotations
        if np.linalg.det(r) * np.linalg.det(g) > 0
    )
    if key in found:
        return
    N_s, N_f = np.array(key).reshape(2, 4)[:, :2], np.array(key).reshape(2, 4)[:, 2:]
    # the reduced cell of the substrate is the common cell
    N_s2, S = _reduced(N_s, substrate_A)
    N_f = np.rint(N_s2 @ np.linalg.inv(N_s) @ N_f).astype(int)
    match = Match(N_s2, N_f, abs(float(np.linalg.det(S))), (0.0, 0.0), 0.0)
    M = deformation(match, substrate_A, film_A)
    U = stretch_of(M)
    low, high = (float(value) - 1 for value in np.linalg.eigvalsh(U))
    R = np.linalg.solve(U, M)
    folds = [sum(bool(np.linalg.det(r) > 0) for r in rotations) for rotations in (substrate_rotations, film_rotations)]
    turn = float(np.degrees(np.arctan2(R[0, 1], R[0, 0])))
    period = 360.0 / lcm(*folds)
    turn -= period * np.ceil(turn / period - 0.5 - 1e-9)
    found[key] = Match(N_s2, N_f, match.area_A2, (high, low), turn)


def _hermite(N: Ints) -> tuple[Ints, Ints]:
    """Return (H, U) with H = U N in Hermite normal form and U unimodular."""
    H, U = np.array(N, int), np.eye(2, dtype=int)
    while H[1, 0]:
        if H[0, 0] == 0 or abs(H[0, 0]) > abs(H[1, 0]):
            H, U = H[::-1].copy(), U[::-1].copy()
        factor = H[1, 0] // H[0, 0]
        H[1] -= factor * H[0]
        U[1] -= factor * U[0]
    for i in (0, 1):
        if H[i, i] < 0:
            H[i], U[i] = -H[i], -U[i]
    factor = H[0, 1] // H[1, 1]
    H[0] -= factor * H[1]
    U[0] -= factor * U[1]
    return H, U


def _spanned(rows: Ints) -> Ints:
    """Return a basis of the lattice that some integer rows span."""
    basis = [row.copy() for row in np.array(rows, int) if np.any(row)]
    while len([row for row in basis if row[0]]) > 1:
        basis.sort(key=lambda row: (row[0] == 0, abs(row[0])))
        first, rest = basis[0], basis[1:]
        basis = [first, *(row - (row[0] // first[0]) * first for row in rest)]
        basis = [row for row in basis if np.any(row)]
    first = next(row for row in basis if row[0])
    second = gcd(*(int(row[1]) for row in basis if not row[0]))
    return np.array([first, [0, second]])


def _adjugate(N: Ints) -> Ints:
    return np.array([[N[1, 1], -N[0, 1]], [-N[1, 0], N[0, 0]]])


def _sign(N: Ints) -> int:
    return int(np.sign(np.linalg.det(N)))
