"""Is it a conductor? The density of states, above all at the Fermi level, and whether the bands overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BandEdges:
    """Where the bands that the electrons would fill end, and where the next begin.

    Attributes
    ----------
    highest_filled_eV, lowest_empty_eV
        Over all k-points of the mesh.
    gap_eV
        Their difference. Negative: bands overlap, which no denser mesh can undo. Positive: an upper bound of the gap,
        for between the points of the mesh bands may come closer. None where the electrons fill no whole number of bands.
    """

    highest_filled_eV: float | None
    lowest_empty_eV: float | None
    gap_eV: float | None


def density_of_states(cell_A: Array, bands_eV: Array, energies_eV: Array) -> Array:
    """Return the density of states of a crystal with paired electrons, both spins, states per electronvolt and cell.

    Linear interpolation in the tetrahedra that the points of the mesh make: no broadening. P. E. Bloechl, O. Jepsen,
    O. K. Andersen, Phys. Rev. B 49, 16223 (1994), doi 10.1103/PhysRevB.49.16223, without its correction for curvature.

    Parameters
    ----------
    cell_A
        (3, 3) of the crystal.
    bands_eV
        (n1, n2, n3, bands) over the whole zone, on a mesh with its centre at ``[0, 0, 0]`` or shifted.
    energies_eV
        (m,) even, rising.

    Returns
    -------
    (m,) array

    Raises
    ------
    InputError
        If the mesh has fewer than two points along a vector.
    """
    from ase.dft.dos import linear_tetrahedron_integration

    if min(bands_eV.shape[:3]) < 2:
        raise InputError(f"a mesh of {bands_eV.shape[:3]} k-points, expected two or more along each vector")
    return 2.0 * np.asarray(linear_tetrahedron_integration(cell_A, bands_eV, energies_eV), float)


def band_edges(eigenvalues_eV: Array, electrons: float) -> BandEdges:
    """Return the edges of the bands that an even number of paired electrons would fill.

    Parameters
    ----------
    eigenvalues_eV
        (k-points, bands), rising with the band.
    electrons
        In the cell.
    """
    values = np.asarray(eigenvalues_eV, float)
    filled = electrons / 2.0
    whole = round(filled)
    if abs(filled - whole) > 1e-3 or not 0 < whole < values.shape[1]:
        return BandEdges(None, None, None)
    top, bottom = float(values[:, whole - 1].max()), float(values[:, whole].min())
    return BandEdges(top, bottom, bottom - top)
