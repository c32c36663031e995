"""From a calculated adhesion, or adsorption energy, to cells whose dip can be simulated, with every uncertainty.

Each link of `sodiophile.physics.atoms_to_volts` is taken with the spread of what goes in: draws of the calculated energies
and of every parameter of the substrate that states a spread pass through all links, so that the last number has the error
bar of the whole chain. `LINKS` says what each link assumes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError
from sodiophile.physics.atoms_to_volts import (
    adhesion_from_adsorption_J_m2,
    barrier_constant_V2,
    nucleation_overpotential_V,
    wetting_contact_angle_deg,
)
from sodiophile.physics.cell import Cell
from sodiophile.physics.constants import AVOGADRO_1_mol
from sodiophile.quantity import Quantity

Array = NDArray[np.float64]

LEAST_ANGLE_DEG = 5.0
"""A cap, however flat, is kept where the metal wets completely: its barrier is then lost beside all else."""
_LEAST_ENERGY_J_m2 = 1e-3


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain.

    Parameters
    ----------
    gives
        What comes out, by the name of a column of `Chain`.
    equation, assumption, reference
        In words.
    """

    gives: str
    equation: str
    assumption: str
    reference: str


LINKS = (
    Link(
        "work_of_adhesion",
        "W = 2 gamma - E_ads / a_site, where no adhesion was calculated",
        "a film of one layer has the surface energy of thick metal, and an adatom binds as in a full layer of the density "
        "of the metal",
        "E. Bauer, Z. Kristallogr. 110 (1958) 372 (recalled)",
    ),
    Link(
        "contact_angle",
        "cos(theta) = W / gamma - 1",
        "adhesion and surface energy against vacuum; the electrolyte changes both by the same part",
        "A. Dupre, Theorie mecanique de la chaleur (1869) (recalled)",
    ),
    Link(
        "barrier_constant",
        "B = 16 pi gamma_e^3 V_m^2 f(theta) / (3 (zF)^2 kT)",
        "a cap of the bulk metal, gamma_e its energy against the electrolyte, no line tension, a clean substrate",
        "A. Milchev, Electrocrystallization (Kluwer, 2002)",
    ),
    Link(
        "onset_overpotential",
        "A0 (C / j) eta^3 / (2 B) exp(-B / eta^2) = 1",
        "one attempt frequency a site, a double layer charged at a constant rate, nothing carried by young nuclei",
        "sodiophile.physics.atoms_to_volts",
    ),
)


@dataclass(frozen=True)
class Chain:
    """Draws of all links.

    Parameters
    ----------
    columns
        Name with its unit -> draws, shape (n,): the links, and the parameters of the substrate that were drawn.
    cells
        The cell of each draw.
    """

    columns: dict[str, Array]
    cells: list[Cell]


def chain(
    cell: Cell,
    current_density_mA_cm2: float,
    surface_energy: Quantity,
    count: int,
    seed: int,
    *,
    adhesion: Quantity | None = None,
    adsorption: Quantity | None = None,
) -> Chain:
    """Draw what is calculated and what is assumed, and follow each draw through the links.

    Parameters
    ----------
    cell
        The cell; every parameter of its substrate that states a spread is drawn, but for the contact angle.
    current_density_mA_cm2
        At which the double layer is charged, for the onset.
    surface_energy
        Of the metal against vacuum, with its uncertainty.
    count
        How many draws.
    seed
        Decides them.
    adhesion
        Work of adhesion of the metal on the substrate, with its uncertainty.
    adsorption
        Adsorption energy against bulk metal, with its uncertainty; where there is no adhesion.

    Raises
    ------
    InputError
        If there is neither or both of adhesion and adsorption, one of the energies has no uncertainty, or the cell states
        an adhesion of its own.
    """
    given = adhesion if adhesion is not None else adsorption
    if given is None or (adhesion is not None and adsorption is not None):
        raise InputError("expected an adhesion or an adsorption energy, one of them")
    if cell.interlayer is not None and cell.interlayer.adhesion is not None:
        raise InputError("the cell states an adhesion already; leave it out, as the chain brings its own", "interlayer")
    metal = cell.properties
    atom_area_A2 = (metal.molar_volume_m3_mol / AVOGADRO_1_mol * 1e30) ** (2.0 / 3.0)
    random = np.random.default_rng(seed)
    gamma = np.maximum(_drawn(surface_energy, "J/m^2", count, random), _LEAST_ENERGY_J_m2)
    energy = _drawn(given, "J/m^2" if adhesion is not None else "eV", count, random)
    W = energy if adhesion is not None else adhesion_from_adsorption_J_m2(energy, atom_area_A2, gamma)
    angle = wetting_contact_angle_deg(W, gamma)
    spreads = {
        place: spread
        for place, spread in cell.spreads().items()
        if place.startswith("substrate.") and place != "substrate.contact_angle"
    }
    drawn = {
        place: np.array([spread.draw(random, cell.mark(place)) for _ in range(count)]) for place, spread in spreads.items()
    }
    cells = [
        cell.changed(
            {place: float(values[k]) for place, values in drawn.items()}
            | {"substrate.contact_angle": max(float(angle[k]), LEAST_ANGLE_DEG)}
        )
        for k in range(count)
    ]
    gamma_e = np.array([one.substrate.interfacial_energy.value for one in cells])
    B = barrier_constant_V2(
        gamma_e, np.maximum(angle, LEAST_ANGLE_DEG), metal.molar_volume_m3_mol, cell.temperature.value, z=metal.z
    )
    attempts = np.array([one.substrate.attempt_frequency.value for one in cells])
    rate_V_s = 1e3 * current_density_mA_cm2 / np.array([one.substrate.capacitance.value for one in cells])
    onset = nucleation_overpotential_V(B, attempts, rate_V_s)
    columns = {
        "work_of_adhesion_J_m2": W,
        "surface_energy_J_m2": gamma,
        "contact_angle_deg": angle,
        "barrier_constant_V2": B,
        "onset_overpotential_mV": 1e3 * onset,
    }
    return Chain(columns | drawn, cells)


def _drawn(quantity: Quantity, unit: str, count: int, random: np.random.Generator) -> Array:
    here = quantity.to(unit)
    if not here.uncertainty:
        raise InputError(f"found {quantity} without an uncertainty, expected one, such as '0.30(10) {unit}'")
    return np.asarray(here.value + here.uncertainty * random.standard_normal(count))
