"""The chain from atoms to cells: it ends where the single links end, with the spread of what goes in."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.physics.atoms_chain import LEAST_ANGLE_DEG, LINKS, chain
from sodiophile.physics.atoms_to_volts import (
    adhesion_from_adsorption_J_m2,
    barrier_constant_V2,
    wetting_contact_angle_deg,
)
from sodiophile.physics.cell import load_cell
from sodiophile.physics.constants import AVOGADRO_1_mol
from sodiophile.quantity import Quantity

CELL = load_cell("na-vn")
GAMMA = Quantity(0.22, "J/m^2", 1e-9)


def _chain(count=20, seed=0, surface_energy=GAMMA, cell=CELL, **energies):
    return chain(cell, 0.5, surface_energy, count, seed, **energies)


def test_sharp_energies_follow_the_links():
    found = _chain(adhesion=Quantity(0.3, "J/m^2", 1e-9)).columns
    angle = float(wetting_contact_angle_deg(0.3, 0.22))
    assert found["contact_angle_deg"] == pytest.approx(angle, rel=1e-6)
    volume = CELL.properties.molar_volume_m3_mol
    B = barrier_constant_V2(found["substrate.interfacial_energy"], angle, volume, CELL.temperature.value)
    assert found["barrier_constant_V2"] == pytest.approx(B, rel=1e-5)


def test_cells_carry_what_was_drawn():
    drawn = _chain(adhesion=Quantity(0.3, "J/m^2", 0.1))
    for k, cell in enumerate(drawn.cells):
        assert cell.substrate.contact_angle.value == pytest.approx(
            max(drawn.columns["contact_angle_deg"][k], LEAST_ANGLE_DEG)
        )
        assert cell.substrate.site_density.value == pytest.approx(drawn.columns["substrate.site_density"][k])
    assert np.ptp(drawn.columns["substrate.site_density"]) > 0


def test_an_adsorption_energy_gives_the_adhesion_of_a_full_layer():
    area = (CELL.properties.molar_volume_m3_mol / AVOGADRO_1_mol * 1e30) ** (2 / 3)
    found = _chain(adsorption=Quantity(-0.1, "eV", 1e-9)).columns["work_of_adhesion_J_m2"]
    assert found == pytest.approx(float(adhesion_from_adsorption_J_m2(-0.1, area, 0.22)), rel=1e-6)


@pytest.mark.parametrize(("W", "angle"), [(0.44, 0.0), (1.0, 0.0), (0.0, 180.0), (-0.5, 180.0)])
def test_complete_wetting_and_none_are_ends(W, angle):
    found = _chain(adhesion=Quantity(W, "J/m^2", 1e-12)).columns
    assert found["contact_angle_deg"] == pytest.approx(angle, abs=1e-2)
    assert np.all(np.isfinite(found["onset_overpotential_mV"]))


def test_a_stronger_adhesion_lowers_the_onset_in_every_draw():
    weak, strong = (_chain(adhesion=Quantity(W, "J/m^2", 1e-9)).columns["onset_overpotential_mV"] for W in (0.2, 0.35))
    assert np.all(strong < weak)


def test_what_is_less_known_spreads_more():
    sharp, wide = (
        np.std(_chain(200, adhesion=Quantity(0.25, "J/m^2", sigma)).columns["contact_angle_deg"]) for sigma in (0.01, 0.05)
    )
    assert wide > 3 * sharp


def test_the_same_seed_gives_the_same_draws():
    one, two, other = (
        _chain(seed=seed, adhesion=Quantity(0.3, "J/m^2", 0.1)).columns["work_of_adhesion_J_m2"] for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_every_link_says_what_it_assumes():
    names = _chain(adhesion=Quantity(0.3, "J/m^2", 0.1)).columns
    for link in LINKS:
        assert any(name.startswith(link.gives) for name in names)
        assert link.assumption
        assert link.reference


@pytest.mark.parametrize(
    ("energies", "words"),
    [
        ({}, "one of them"),
        ({"adhesion": Quantity(0.3, "J/m^2", 0.1), "adsorption": Quantity(-0.1, "eV", 0.1)}, "one of them"),
        ({"adhesion": Quantity(0.3, "J/m^2")}, "without an uncertainty"),
        ({"adsorption": Quantity(0.3, "J/m^2", 0.1)}, "eV"),
    ],
)
def test_bad_input_is_one_line(energies, words):
    with pytest.raises(InputError, match=words):
        _chain(**energies)


def test_a_cell_with_an_adhesion_of_its_own_is_refused():
    cell = CELL.changed({"interlayer.adhesion": {"value": "0.3 J/m^2", "source": "calculated"}})
    with pytest.raises(InputError, match="states an adhesion already"):
        _chain(cell=cell, adhesion=Quantity(0.3, "J/m^2", 0.1))
