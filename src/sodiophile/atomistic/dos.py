"""Is it a conductor? The density of states at the Fermi level, and whether the bands overlap on a mesh of k-points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def dos_at(eigenvalues_eV: Array, k_weights: Array, energy_eV: float, width_eV: float) -> float:
    """Return the density of states at an energy, both spins, states per electronvolt and cell.

        D(E) = sum over s, k, n of w_k g exp(-(E - e)^2 / (2 s^2)) / (sqrt(2 pi) s),   g = 2 / number of spins

    Parameters
    ----------
    eigenvalues_eV
        (spins, k-points, bands).
    k_weights
        (k-points,), summing to 1.
    energy_eV
        Where.
    width_eV
        Standard deviation of the Gaussian that each state is broadened by.
    """
    values = np.asarray(eigenvalues_eV, float)
    x = (energy_eV - values) / width_eV
    lines = np.exp(-0.5 * x**2) / (np.sqrt(2 * np.pi) * width_eV)
    return float(2.0 / values.shape[0] * np.einsum("skn,k->", lines, np.asarray(k_weights, float)))


def band_edges(eigenvalues_eV: Array, electrons: float) -> BandEdges:
    """Return the edges of the bands that an even number of paired electrons would fill.

    Parameters
    ----------
    eigenvalues_eV
        (spins, k-points, bands), rising with the band. With two spins, each is filled by what it holds below the
        overlap: only the case of one spin is told here.
    electrons
        In the cell.
    """
    values = np.asarray(eigenvalues_eV, float)
    filled = electrons / 2.0
    whole = round(filled)
    if values.shape[0] != 1 or abs(filled - whole) > 1e-3 or not 0 < whole < values.shape[2]:
        return BandEdges(None, None, None)
    top, bottom = float(values[0, :, whole - 1].max()), float(values[0, :, whole].min())
    return BandEdges(top, bottom, bottom - top)
