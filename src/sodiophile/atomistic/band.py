"""The path of least energy between two structures: a nudged elastic band whose highest image climbs to the saddle.

Every energy is written to the journal of its image before it is used, and the optimizer is deterministic: a band that was
killed walks the same way again through its journals and goes on where they end. Held atoms are held in every image.

References
----------
Tangent: Henkelman and Jónsson, J. Chem. Phys. 113, 9978 (2000), doi:10.1063/1.1323224. Climbing image: Henkelman,
Uberuaga and Jónsson, J. Chem. Phys. 113, 9901 (2000), doi:10.1063/1.1329672. First path: Smidstrup, Pedersen, Stokbro and
Jónsson, J. Chem. Phys. 140, 214106 (2014), doi:10.1063/1.4878664 (image-dependent pair potential), here for the adatom
among atoms that move linearly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.optimize import minimize

from sodiophile.atomistic.relaxation import Journal
from sodiophile.atomistic.site_network import Operation

Array = NDArray[np.float64]

_SPRING_EV_A2 = 1.0
_MAX_STEP_A = 0.1
_MEMORY = 15
_LEAST_CURVATURE_EV_A2 = 0.01
# Below this force the highest image of a band without symmetry starts to climb: its neighbours then tell the direction.
_CLIMB_BELOW_EV_A = 0.3
_CLIMB_AFTER = 15
# Atoms within this distance of the adatom anywhere on the path enter the pair potential of the first path.
_PAIRS_A = 8.0


@dataclass(frozen=True)
class Band:
    """A band after its last step.

    Attributes
    ----------
    positions_A
        (n_images, n_atoms, 3), the ends included.
    energies_eV
        (n_images,).
    along_eV_A
        (n_images,) force along the path, positive towards the end; zero at the ends.
    distances_A
        (n_images,) length of the path up to each image, over all atoms.
    highest
        Index of the highest image.
    fmax_eV_A
        Largest force on an atom across the path; for the image that climbed, any force.
    iterations
        Steps of the whole band.
    evaluations
        Energies that it took, of all images.
    converged
        Whether `fmax_eV_A` met its criterion.
    seconds
        Time that the engine took, over all runs.
    """

    positions_A: Array
    energies_eV: Array
    along_eV_A: Array
    distances_A: Array
    highest: int
    fmax_eV_A: float
    iterations: int
    evaluations: int
    converged: bool
    seconds: float


def climb(
    path_A: Array,
    energies_eV: tuple[float, float],
    like: Atoms,
    calculator: Any,
    folder: Path,
    *,
    fixed: Sequence[int],
    fmax_eV_A: float,
    max_steps: int,
    stiffness_eV_A2: Array,
    swap: tuple[Operation, Array] | None = None,
) -> Band:
    """Relax a band and let its highest image climb.

    Parameters
    ----------
    path_A
        (n_images, n_atoms, 3) first path; the ends stay.
    energies_eV
        Of the two ends.
    like
        Elements and cell.
    calculator
        Of the engine.
    folder
        Where the journals of the images lie.
    fixed
        Atoms that are held.
    fmax_eV_A
        Largest force left on any atom of any image: across the path, and in all directions on the image that climbs.
    max_steps
        Steps of the band after which it stops without having converged.
    stiffness_eV_A2
        (n_atoms,) first guess of the second derivative by the position of each atom.
    swap
        An operation that exchanges the two ends, and the clean slab (n_atoms - 1, 3) that it refers to: half of the
        images are then images of the others and are not computed. The number of images must be odd.
    """
    band = _Calculated(path_A.copy(), energies_eV, like, calculator, folder, fixed, swap)
    steps = _Lbfgs(np.repeat(np.asarray(stiffness_eV_A2, float), 3).reshape(-1, 3))
    climbing = swap is not None
    for iteration in range(max_steps + 1):
        band.evaluate()
        forces, across = band.nudged(climbing)
        fmax = float(np.linalg.norm(across, axis=2).max())
        if fmax < fmax_eV_A and climbing:
            break
        if iteration == max_steps:
            break
        if not climbing and (fmax < max(_CLIMB_BELOW_EV_A, fmax_eV_A) or iteration >= _CLIMB_AFTER):
            climbing = True
            steps.forget()
            forces, _ = band.nudged(climbing)
        band.move(steps.step(band.independent, forces))
    return band.done(fmax, iteration, fmax < fmax_eV_A)


class _Calculated:
    """The images of a band with their energies and forces."""

    def __init__(
        self,
        path_A: Array,
        energies_eV: tuple[float, float],
        like: Atoms,
        calculator: Any,
        folder: Path,
        fixed: Sequence[int],
        swap: tuple[Operation, Array] | None,
    ) -> None:
        n = len(path_A)
        self._path, self._swap, self._fixed = path_A, swap, list(fixed)
        self._own = list(range(1, n // 2 + 1)) if swap is not None else list(range(1, n - 1))
        self._energies = np.array([energies_eV[0], *np.zeros(n - 2), energies_eV[1]])
        self._forces = np.zeros_like(path_A)
        self._atoms: dict[int, Atoms] = {}
        self._journals = {i: Journal(calculator, folder / f"image-{i}.jsonl") for i in self._own}
        for i in self._own:
            self._atoms[i] = Atoms(like.numbers, positions=path_A[i], cell=like.cell, pbc=like.pbc)
            self._atoms[i].calc = self._journals[i]
        self._mirror_path()

    def _mirror_path(self) -> None:
        if self._swap is None:
            return
        operation, clean = self._swap
        n = len(self._path)
        middle = self._path[n // 2]
        self._path[n // 2] = (middle + operation.structure(middle, clean)) / 2
        for i in self._own[:-1]:
            self._path[n - 1 - i] = operation.structure(self._path[i], clean)

    @property
    def independent(self) -> Array:
        """Positions of the images that are computed, (m, n_atoms, 3)."""
        return self._path[self._own]

    def evaluate(self) -> None:
        n = len(self._path)
        for i in self._own:
            atoms = self._atoms[i]
            atoms.set_positions(self._path[i])
            self._energies[i] = atoms.get_potential_energy()
            self._forces[i] = atoms.get_forces()
        if self._swap is not None:
            for i in self._own[:-1]:
                self._energies[n - 1 - i] = self._energies[i]
                self._forces[n - 1 - i] = self._swap[0].vectors(self._forces[i])
        self._forces[:, self._fixed] = 0.0

    def _tangents(self) -> Array:
        E, R = self._energies, self._path
        tangents = np.zeros_like(R)
        for i in range(1, len(R) - 1):
            forward, back = R[i + 1] - R[i], R[i] - R[i - 1]
            if E[i + 1] > E[i] > E[i - 1]:
                tangent = forward
            elif E[i + 1] < E[i] < E[i - 1]:
                tangent = back
            else:
                larger = max(abs(E[i + 1] - E[i]), abs(E[i - 1] - E[i]))
                smaller = min(abs(E[i + 1] - E[i]), abs(E[i - 1] - E[i]))
                rising = E[i + 1] > E[i - 1]
                # where both neighbours are alike, as in the middle of a symmetric band, the bisector is meant
                if larger < 1e-12 or abs(E[i + 1] - E[i - 1]) < 1e-9:
                    larger = smaller = 1.0
                tangent = forward * (larger if rising else smaller) + back * (smaller if rising else larger)
            tangents[i] = tangent / np.linalg.norm(tangent)
        return tangents

    def nudged(self, climbing: bool) -> tuple[Array, Array]:
        """Return the forces that move the images computed, and those that must vanish, each (m, n_atoms, 3)."""
        tangents = self._tangents()
        highest = self._highest()
        moving, across = np.zeros_like(self._path), np.zeros_like(self._path)
        for i in self._own:
            along = float(np.sum(self._forces[i] * tangents[i]))
            if climbing and i == highest:
                moving[i] = self._forces[i] - 2 * along * tangents[i]
                across[i] = moving[i]
                continue
            across[i] = self._forces[i] - along * tangents[i]
            stretch = np.linalg.norm(self._path[i + 1] - self._path[i]) - np.linalg.norm(self._path[i] - self._path[i - 1])
            moving[i] = across[i] + _SPRING_EV_A2 * stretch * tangents[i]
        return moving[self._own], across[self._own]

    def _highest(self) -> int:
        if self._swap is not None:
            return len(self._path) // 2
        return 1 + int(np.argmax(self._energies[1:-1]))

    def move(self, step: Array) -> None:
        step[:, self._fixed] = 0.0
        self._path[self._own] += step
        self._mirror_path()

    def done(self, fmax: float, iterations: int, converged: bool) -> Band:
        tangents = self._tangents()
        lengths = np.linalg.norm(np.diff(self._path, axis=0).reshape(len(self._path) - 1, -1), axis=1)
        return Band(
            positions_A=self._path,
            energies_eV=self._energies,
            along_eV_A=np.array([float(np.sum(f * t)) for f, t in zip(self._forces, tangents, strict=True)]),
            distances_A=np.append(0.0, np.cumsum(lengths)),
            highest=int(np.argmax(self._energies)),
            fmax_eV_A=fmax,
            iterations=iterations,
            evaluations=sum(journal.answered for journal in self._journals.values()),
            converged=converged,
            seconds=sum(journal.seconds for journal in self._journals.values()),
        )


class _Lbfgs:
    """Quasi-Newton steps with a memory of few, (m, n_atoms, 3) each (Nocedal and Wright, algorithm 7.4).

    The forces of a band are no gradient; pairs of steps and forces that would make the Hessian negative are left out.
    """

    def __init__(self, stiffness: Array) -> None:
        self._stiffness = stiffness
        self._pairs: list[tuple[Array, Array]] = []
        self._before: tuple[Array, Array] | None = None

    def forget(self) -> None:
        """Start anew: the forces are those of another function."""
        self._pairs, self._before = [], None

    def step(self, positions: Array, forces: Array) -> Array:
        """Return the next step, no atom farther than the longest step allowed."""
        if self._before is not None:
            s, y = positions - self._before[0], self._before[1] - forces
            if float(np.sum(s * y)) > _LEAST_CURVATURE_EV_A2 * float(np.sum(s * s)):
                self._pairs = [*self._pairs, (s, y)][-_MEMORY:]
        self._before = (positions.copy(), forces.copy())
        q = forces.copy()
        weights = []
        for s, y in reversed(self._pairs):
            a = float(np.sum(s * q) / np.sum(s * y))
            weights.append(a)
            q = q - a * y
        q = q / self._stiffness
        for (s, y), a in zip(self._pairs, reversed(weights), strict=True):
            q = q + (a - float(np.sum(y * q) / np.sum(s * y))) * s
        longest = float(np.linalg.norm(q, axis=2).max())
        return np.asarray(q * min(1.0, _MAX_STEP_A / max(longest, 1e-12)))


def first_path(start_A: Array, end_A: Array, cell_A: Array, images: int) -> Array:
    """Return a first path, (images + 2, n_atoms, 3), ends included; the adatom is the last atom and not wrapped.

    The atoms of the slab move linearly. The adatom, in each image, stands in the plane across the straight line where its
    distances to the atoms around it are nearest to those interpolated between the ends, near atoms weighted most (d^-4).
    """
    fractions = np.linspace(0.0, 1.0, images + 2)
    path = (1 - fractions)[:, None, None] * start_A + fractions[:, None, None] * end_A
    direction = end_A[-1] - start_A[-1]
    direction = direction / np.linalg.norm(direction)
    side = np.cross(direction, (0.0, 0.0, 1.0))
    side = side / np.linalg.norm(side)
    across = np.array([side, np.cross(side, direction)])
    shifts = np.array([(*pair, 0) for pair in product(range(-4, 5), repeat=2)]) @ cell_A

    def around(slab: Array) -> Array:
        return np.asarray((slab[:, None, :] + shifts[None, :, :]).reshape(-1, 3))

    ends = [np.linalg.norm(around(p[:-1]) - p[-1], axis=1) for p in (start_A, end_A)]
    near = np.minimum(*ends) < _PAIRS_A
    for f, image in zip(fractions[1:-1], path[1:-1], strict=True):
        others = around(image[:-1])[near]
        wanted = (1 - f) * ends[0][near] + f * ends[1][near]
        line = image[-1].copy()

        def strain(offset: Array, others: Array = others, wanted: Array = wanted, line: Array = line) -> float:
            d = np.linalg.norm(others - (line + offset @ across), axis=1)
            return float(np.sum((d - wanted) ** 2 / d**4))

        # from above: the straight line may pass through an atom
        best = minimize(strain, np.array([0.0, 0.3]), method="BFGS", options={"gtol": 1e-10})
        image[-1] = line + best.x @ across
    return np.asarray(path)


def hermite_top(distances_A: Array, energies_eV: Array, along_eV_A: Array) -> float:
    """Return the highest energy of the curve through the images with the forces along it as slopes (cubic pieces)."""
    from scipy.interpolate import CubicHermiteSpline

    curve = CubicHermiteSpline(distances_A, energies_eV, -np.asarray(along_eV_A))
    return float(curve(np.linspace(distances_A[0], distances_A[-1], 1001)).max())
