"""Rates and the diffusion tensor: closed forms, and the master equation in reciprocal space."""

from __future__ import annotations

import numpy as np
import pytest
from ase.units import kB

from sodiophile.atomistic.hopping import (
    LatticeHop,
    arrhenius,
    attempt_frequency_THz,
    diffusion_tensor_A2_s,
    frequencies_THz,
    hop_rate_Hz,
    populations,
)

HEX = [(np.cos(t), np.sin(t)) for t in np.radians([30, 150, 270])]


def _honeycomb(forward: float, back: float, d: float) -> list[LatticeHop]:
    """Hops between the two kinds of hollow of a hexagonal surface."""
    out = [LatticeHop(0, 1, (d * x, d * y), forward) for x, y in HEX]
    return out + [LatticeHop(1, 0, (-d * x, -d * y), back) for x, y in HEX]


def test_the_frequency_of_a_known_oscillator() -> None:
    """Carbon monoxide: 1855 N/m and 6.86 u give 2143 + zero-point anharmonicity, 2170 per cm (harmonic)."""
    k_eV_A2 = 1902.0 / 16.0217663
    assert frequencies_THz(np.array([k_eV_A2]), 6.8562)[0] / 0.0299792458 == pytest.approx(2170, rel=2e-3)


def test_the_attempt_frequency_is_that_of_the_basin_where_the_others_agree() -> None:
    basin, saddle = np.array([1.0, 2.0, 3.0]), np.array([-0.5, 2.0, 3.0])
    assert attempt_frequency_THz(basin, saddle, 22.99) == pytest.approx(frequencies_THz(np.array([1.0]), 22.99)[0])
    with pytest.raises(ValueError, match="2 on the saddle"):
        attempt_frequency_THz(basin, np.array([-0.5, -0.1, 3.0]), 22.99)


def test_a_square_lattice_diffuses_with_a_quarter_of_rate_and_length_squared() -> None:
    hops = [LatticeHop(0, 0, step, 7.0) for step in ((3.0, 0.0), (-3.0, 0.0), (0.0, 3.0), (0.0, -3.0))]
    tensor = diffusion_tensor_A2_s(hops, np.array([1.0]))
    assert np.allclose(tensor, np.eye(2) * 0.25 * 4 * 7.0 * 9.0)


def test_two_kinds_of_hollow_share_the_time() -> None:
    """The closed form for a honeycomb: D = 3/2 d^2 g G / (g + G)."""
    forward, back, d = 2.0, 50.0, 1.5
    shares = np.array([back, forward]) / (back + forward)
    tensor = diffusion_tensor_A2_s(_honeycomb(forward, back, d), shares)
    assert np.allclose(tensor, np.eye(2) * 1.5 * d**2 * forward * back / (forward + back))


def test_hops_back_and_forth_lead_nowhere() -> None:
    """A chain of pairs with fast hops within and slow ones between: D is that of the slow ones, over the period."""
    fast, slow, period = 1e6, 3.0, 4.0
    hops = [
        LatticeHop(0, 1, (1.0, 0.0), fast), LatticeHop(1, 0, (-1.0, 0.0), fast),
        LatticeHop(1, 0, (period - 1.0, 0.0), slow), LatticeHop(0, 1, (1.0 - period, 0.0), slow),
    ]  # fmt: skip
    tensor = diffusion_tensor_A2_s(hops, np.array([0.5, 0.5]))
    # on a chain the times to cross the two barriers add up
    assert tensor[0, 0] == pytest.approx(period**2 / 2 / (1 / fast + 1 / slow), rel=1e-6)
    assert np.allclose(tensor[1], 0.0)


def test_the_tensor_is_the_curvature_of_the_slowest_mode_of_the_master_equation() -> None:
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(3))
    hops = []
    for a, b in ((0, 1), (1, 2), (2, 0), (0, 0), (1, 1)):
        for _ in range(2):
            step, flow = rng.normal(size=2), rng.uniform(0.5, 2.0)
            # detailed balance: the flow of a hop and of its reverse are one
            hops.append(LatticeHop(a, b, (step[0], step[1]), flow / shares[a]))
            hops.append(LatticeHop(b, a, (-step[0], -step[1]), flow / shares[b]))
    tensor = diffusion_tensor_A2_s(hops, shares)
    for angle in (0.0, 0.7, 2.0):
        direction, size = np.array([np.cos(angle), np.sin(angle)]), 1e-3
        matrix = np.zeros((3, 3), complex)
        for hop in hops:
            phase = np.exp(1j * size * direction @ np.array(hop.step_A))
            matrix[hop.start, hop.end] += hop.rate_Hz * phase
            matrix[hop.start, hop.start] -= hop.rate_Hz
        slowest = max(np.linalg.eigvals(matrix).real)
        assert -slowest / size**2 == pytest.approx(direction @ tensor @ direction, rel=1e-4)


def test_populations_make_a_hop_and_its_reverse_balance() -> None:
    """Two basins, one saddle: p_1 Gamma_12 = p_2 Gamma_21 at every temperature, attempt frequencies included."""
    curvatures = np.array([[1.0, 2.0, 4.0], [0.5, 0.6, 7.0]])
    saddle, top = np.array([-1.0, 2.0, 5.0]), 0.3
    energies = np.array([0.0, 0.08])
    for T in (200.0, 300.0, 900.0):
        p = populations(energies, curvatures, T)
        rates = [
            hop_rate_Hz(attempt_frequency_THz(c, saddle, 23.0), top - e, T)
            for c, e in zip(curvatures, energies, strict=True)
        ]
        assert p[0] * rates[0] == pytest.approx(p[1] * rates[1])


def test_arrhenius_returns_what_went_in() -> None:
    T = np.array([270.0, 300.0, 330.0])
    energy, prefactor = arrhenius(T, 3e-3 * np.exp(-0.21 / (kB * T)))
    assert energy == pytest.approx(0.21)
    assert prefactor == pytest.approx(3e-3)
