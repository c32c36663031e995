r"""Elastic constants as a tensor: from stresses of strained cells, symmetrized by the crystal, judged and averaged.

Voigt order is xx, yy, zz, yz, xz, xy; shear strains are engineering strains, :math:`\gamma = 2\epsilon`. A crystal at rest
is stable if its matrix of elastic constants is positive definite (M. Born; F. Mouhat, F.-X. Coudert, Phys. Rev. B 90,
224104 (2014), doi 10.1103/PhysRevB.90.224104). Moduli of a polycrystal lie between the bounds of Voigt (one strain) and
Reuss (one stress); Hill's is their mean (R. Hill, Proc. Phys. Soc. A 65, 349 (1952), doi 10.1088/0370-1298/65/5/307).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from sodiophile.errors import EngineError

Array = NDArray[np.float64]

_PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
_SYMPREC_A = 1e-3
_INDEX = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


@dataclass(frozen=True)
class Moduli:
    """Of a polycrystal without texture, in the unit of the elastic constants.

    Attributes
    ----------
    bulk_voigt, bulk_reuss, shear_voigt, shear_reuss
        The bounds.
    """

    bulk_voigt: float
    bulk_reuss: float
    shear_voigt: float
    shear_reuss: float

    @property
    def bulk(self) -> float:
        """Hill's bulk modulus."""
        return 0.5 * (self.bulk_voigt + self.bulk_reuss)

    @property
    def shear(self) -> float:
        """Hill's shear modulus."""
        return 0.5 * (self.shear_voigt + self.shear_reuss)

    @property
    def young(self) -> float:
        """Young's modulus from Hill's two."""
        return 9.0 * self.bulk * self.shear / (3.0 * self.bulk + self.shear)

    @property
    def poisson(self) -> float:
        """Poisson's ratio from Hill's two."""
        return (3.0 * self.bulk - 2.0 * self.shear) / (2.0 * (3.0 * self.bulk + self.shear))


def strained(crystal: Atoms, component: int, strain: float) -> Atoms:
    """Return a crystal with one Voigt component (0 to 5) of strain, atoms carried along."""
    i, j = _PAIRS[component]
    deformation = np.eye(3)
    if i == j:
        deformation[i, i] += strain
    else:
        deformation[i, j] = deformation[j, i] = 0.5 * strain
    found = crystal.copy()
    found.set_cell(crystal.cell[:] @ deformation, scale_atoms=True)
    return found


def symmetrized(C: Array, crystal: Atoms) -> tuple[Array, Array]:
    """Average elastic constants over the point group of a crystal and turn them into its standard axes.

    Parameters
    ----------
    C
        (6, 6), in the Cartesian axes of the crystal's cell.
    crystal
        Whose symmetry it must have.

    Returns
    -------
    tuple
        (6, 6) in the axes of the standard conventional cell, and the same in the axes given.
    """
    dataset = _dataset(crystal)
    cell = crystal.cell[:].T
    tensor = np.array(C)[_INDEX[:, :, None, None], _INDEX[None, None]]
    rotations = [_nearest(cell @ w @ np.linalg.inv(cell)) for w in np.unique(dataset.rotations, axis=0)]
    tensor = np.mean([_turned(tensor, rotation) for rotation in rotations], axis=0)
    tensor = 0.5 * (tensor + tensor.transpose(2, 3, 0, 1))
    return _voigt(_turned(tensor, _nearest(np.array(dataset.std_rotation_matrix)))), _voigt(tensor)


def conventional_lattice(crystal: Atoms) -> tuple[tuple[float, ...], str]:
    """Return a, b, c (angstrom), alpha, beta, gamma (degrees) of the standard conventional cell, and its space group."""
    from ase.geometry import cell_to_cellpar

    dataset = _dataset(crystal)
    return tuple(float(x) for x in cell_to_cellpar(np.array(dataset.std_lattice))), f"{dataset.international}"


def stability(C: Array) -> Array:
    """Return the six eigenvalues, ascending, of the elastic constants as a tensor: none may be zero or less.

    Shear rows and columns carry a factor of root two each (Mandel), so that the eigenvalues do not depend on the axes.
    """
    factor = np.array([1.0] * 3 + [np.sqrt(2.0)] * 3)
    return np.asarray(np.linalg.eigvalsh(C * np.outer(factor, factor)))


def moduli(C: Array) -> Moduli:
    """Return the bounds of Voigt and Reuss of a stable crystal."""
    S = np.linalg.inv(C)
    normal, mixed, shear = np.trace(C[:3, :3]), C[0, 1] + C[0, 2] + C[1, 2], np.trace(C[3:, 3:])
    s_normal, s_mixed, s_shear = np.trace(S[:3, :3]), S[0, 1] + S[0, 2] + S[1, 2], np.trace(S[3:, 3:])
    return Moduli(
        bulk_voigt=float((normal + 2 * mixed) / 9),
        bulk_reuss=float(1 / (s_normal + 2 * s_mixed)),
        shear_voigt=float((normal - mixed + 3 * shear) / 15),
        shear_reuss=float(15 / (4 * (s_normal - s_mixed) + 3 * s_shear)),
    )


def _dataset(crystal: Atoms) -> Any:
    import spglib

    dataset = spglib.get_symmetry_dataset(
        (crystal.cell[:], crystal.get_scaled_positions(), crystal.numbers), symprec=_SYMPREC_A
    )
    if dataset is None:
        raise EngineError("the symmetry of the relaxed crystal could not be found")
    return dataset


def _nearest(matrix: Array) -> Array:
    u, _, v = np.linalg.svd(matrix)
    return np.asarray(u @ v)


def _turned(tensor: Array, rotation: Array) -> Array:
    return np.asarray(np.einsum("ia,jb,kc,ld,abcd->ijkl", *[rotation] * 4, tensor, optimize=True))


def _voigt(tensor: Array) -> Array:
    return np.array([[tensor[(*p, *q)] for q in _PAIRS] for p in _PAIRS])
