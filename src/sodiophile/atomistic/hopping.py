"""From barriers and curvatures to hop rates and a diffusion coefficient: harmonic transition state theory on a lattice.

    nu* = prod_i nu_i(basin) / prod_j nu_j(saddle)        Gamma = nu* exp(-E_a / k_B T)
    D   = 1/2 sum_i p_i sum_h Gamma_h d_h d_h  +  sum_i p_i v_i x_i ,     L x = v ,   v_i = sum_h Gamma_h d_h

L is the generator of the hops, p its equilibrium. The second term of D, never positive, is the memory of a lattice whose
basins have a preferred way out: an adatom that has hopped into one is likely to hop back. It vanishes where the hops from
every basin balance, and for one kind of basin D is then the familiar 1/4 sum Gamma l^2 in two dimensions.

References
----------
Attempt frequency: Vineyard, J. Phys. Chem. Solids 3, 121 (1957). Random walk with several basins a cell: the long-time
limit of the master equation, as in Haus and Kehr, Phys. Rep. 150, 263 (1987) (both cited from memory).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.units import _amu, _e, kB
from numpy.typing import NDArray

Array = NDArray[np.float64]

# frequency in THz of an oscillator of 1 eV/A2 and 1 u
_THZ = float(np.sqrt(_e * 1e20 / _amu) / (2 * np.pi) * 1e-12)
CM2_PER_A2 = 1e-16


@dataclass(frozen=True)
class LatticeHop:
    """One directed hop from a basin of the unit cell.

    Attributes
    ----------
    start, end
        Indices of basins of the cell.
    step_A
        (2,) vector from one to the other, lattice translations included.
    rate_Hz
        Of this hop alone.
    """

    start: int
    end: int
    step_A: tuple[float, float]
    rate_Hz: float


def frequencies_THz(curvatures_eV_A2: Array, mass_u: float) -> Array:
    """Return the frequencies of the positive curvatures of an atom in a frozen surrounding."""
    curvatures = np.asarray(curvatures_eV_A2, float)
    return np.asarray(_THZ * np.sqrt(curvatures[curvatures > 0] / mass_u))


def attempt_frequency_THz(basin_eV_A2: Array, saddle_eV_A2: Array, mass_u: float) -> float:
    """Return the attempt frequency of Vineyard for the adatom alone.

    Parameters
    ----------
    basin_eV_A2, saddle_eV_A2
        (3,) eigenvalues of the adatom's Hessian: all positive in the basin, one negative on the saddle.
    mass_u
        Its mass.

    Raises
    ------
    ValueError
        If the signs are others.
    """
    basin, saddle = frequencies_THz(basin_eV_A2, mass_u), frequencies_THz(saddle_eV_A2, mass_u)
    if len(basin) != 3 or len(saddle) != 2:
        raise ValueError(
            f"expected 3 positive curvatures in the basin and 2 on the saddle, found {len(basin)}, {len(saddle)}"
        )
    return float(np.prod(basin) / np.prod(saddle))


def hop_rate_Hz(attempt_frequency: float, barrier_eV: float, temperature_K: float) -> float:
    """Return the rate of one hop, in 1/s, from an attempt frequency in THz."""
    return float(attempt_frequency * 1e12 * np.exp(-barrier_eV / (kB * temperature_K)))


def populations(energies_eV: Array, curvatures_eV_A2: Array, temperature_K: float) -> Array:
    """Return the equilibrium share of each basin of the cell: Boltzmann factor over the product of its frequencies.

    Parameters
    ----------
    energies_eV
        (m,) energies of the basins.
    curvatures_eV_A2
        (m, 3) positive curvatures.
    """
    logarithm = -np.asarray(energies_eV) / (kB * temperature_K) - 0.5 * np.sum(np.log(curvatures_eV_A2), axis=1)
    weights = np.exp(logarithm - logarithm.max())
    return np.asarray(weights / weights.sum())


def diffusion_tensor_A2_s(hops: Sequence[LatticeHop], shares: Array) -> Array:
    """Return the (2, 2) tensor of tracer diffusion of one adatom on a lattice of basins, in angstrom^2/s.

    Parameters
    ----------
    hops
        All directed hops from all basins of one cell; with their reverse, so that detailed balance holds with `shares`.
    shares
        (m,) equilibrium shares of the basins of the cell.
    """
    m = len(shares)
    generator = np.zeros((m, m))
    drift = np.zeros((m, 2))
    direct = np.zeros((2, 2))
    for hop in hops:
        step = np.asarray(hop.step_A)
        generator[hop.start, hop.end] += hop.rate_Hz
        generator[hop.start, hop.start] -= hop.rate_Hz
        drift[hop.start] += hop.rate_Hz * step
        direct += 0.5 * shares[hop.start] * hop.rate_Hz * np.outer(step, step)
    # one basin alone keeps its probability, so the generator is singular; drifts that balance lie in its range
    memory, *_ = np.linalg.lstsq(generator, drift, rcond=1e-12)
    back = (shares[:, None] * drift).T @ memory
    tensor = direct + back
    return np.asarray((tensor + tensor.T) / 2)


def arrhenius(temperatures_K: Array, values: Array) -> tuple[float, float]:
    """Return (activation energy in eV, prefactor in the unit of `values`) of the line through ln(value) over 1/T."""
    slope, intercept = np.polyfit(1 / np.asarray(temperatures_K), np.log(values), 1)
    return float(-slope * kB), float(np.exp(intercept))
