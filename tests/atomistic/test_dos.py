"""Densities of states whose bands are known, and what band edges say."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.atomistic.charge_density_words import conductor
from sodiophile.atomistic.dos import band_edges, density_of_states
from sodiophile.errors import InputError

CUBE = 3.0 * np.eye(3)
FCC = np.array([[0.0, 2.1, 2.1], [2.1, 0.0, 2.1], [2.1, 2.1, 0.0]])


def free_electrons(cell: np.ndarray, n: int) -> np.ndarray:
    """The lowest band of E = k^2 on a mesh of n^3 points, (n, n, n, 1)."""
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    f = np.stack(np.meshgrid(*(np.arange(n) / n,) * 3, indexing="ij"), axis=-1)
    shifts = np.stack(np.meshgrid(*(np.arange(-2, 2),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    energies = [np.sum(((f + shift) @ reciprocal) ** 2, axis=-1) for shift in shifts]
    return np.min(energies, axis=0)[..., None]


@pytest.mark.parametrize("cell", [CUBE, FCC])
def test_free_electrons_have_the_root_of_the_energy_and_it_converges(cell: np.ndarray) -> None:
    energies = np.linspace(0.3, 0.9, 7)
    exact = abs(np.linalg.det(cell)) * np.sqrt(energies) / (2 * np.pi**2)
    errors = [
        float(np.max(np.abs(density_of_states(cell, free_electrons(cell, n), energies) / exact - 1))) for n in (16, 32)
    ]
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.05


def test_each_band_holds_two_electrons() -> None:
    bands = np.concatenate([free_electrons(FCC, 10), 7.0 + 0.5 * free_electrons(FCC, 10)], axis=-1)
    energies = np.linspace(-1.0, 16.0, 3401)
    assert np.trapezoid(density_of_states(FCC, bands, energies), energies) == pytest.approx(4.0, abs=0.02)


def test_a_mesh_of_one_point_has_no_tetrahedra() -> None:
    with pytest.raises(InputError, match="two or more"):
        density_of_states(CUBE, np.zeros((1, 4, 4, 1)), np.array([0.0]))


def test_edges_of_full_bands() -> None:
    values = np.array([[-3.0, 1.0, 5.0], [-2.0, 2.0, 4.0]])
    gap = band_edges(values, 4.0)
    assert (gap.highest_filled_eV, gap.lowest_empty_eV, gap.gap_eV) == (2.0, 4.0, 2.0)
    assert band_edges(values + np.array([[0.0, 3.0, 0.0]]), 4.0).gap_eV == -1.0
    # an odd number fills no whole number of bands, and bands that were not computed say nothing
    assert band_edges(values, 3.0).gap_eV is None
    assert band_edges(values, 6.0).gap_eV is None


@pytest.mark.parametrize(
    ("gaps", "dos", "answer"),
    [
        ((2.1, 2.0), 0.0, "no conductor"),
        ((-0.3, -0.3), 0.4, "conductor"),
        ((None, None), 0.4, "conductor"),
        ((-0.05, -0.05), 1e-5, "semimetal"),
        ((0.2, -0.1), 0.1, "conductor"),
    ],
)
def test_a_crystal_conducts_where_its_bands_overlap(
    gaps: tuple[float | None, float | None], dos: float, answer: str
) -> None:
    crystal = {
        "atoms": {"symbols": ["V", "N"]},
        "energies_above_fermi_eV": [-1.0, 0.0, 1.0],
        "meshes": [
            {"mesh": [n, n, n], "edges_eV": {"gap_eV": gap}, "dos_per_eV": [dos, 2 * dos, dos]}
            for n, gap in zip((8, 12), gaps, strict=True)
        ],
    }
    found = conductor("VN", crystal)
    assert found.answer == answer
    assert f"{dos:.3f} (mesh 12x12x12)" in found.evidence[0]
