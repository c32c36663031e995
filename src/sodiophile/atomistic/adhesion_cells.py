"""The common cells of an adhesion calculation with the works that their energies give, and the surface energy of the metal.

    W_ad  = [min(E_i, n e_i) + min(E_m, m e_m) - E_int] / A        W_sep = [E_i(frozen) + E_m(frozen) - E_int] / A

with i the interlayer and m the metal strained as in the interface; e of one surface cell relaxed alone, E of the parts
taken off the interface and relaxed. The lower of the two is the state that the part is in: a part that the contact has led
into a distorted state of lower energy is referred to that state, and the distortion does not pass for adhesion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sodiophile.atomistic.adhesion_tasks import match_of

EV_A2_IN_J_M2 = 16.02176634
LEAST_THICKNESSES = 3


@dataclass(frozen=True)
class Cell:
    """One common cell with what was computed in it; the energies are None where no relaxation converged."""

    name: str
    about: Mapping[str, Any]
    n: int
    m: int
    strained: Mapping[str, Any]
    tried: list[Mapping[str, Any]]
    interfaces: list[Mapping[str, Any]]
    adhesion_J_m2: float | None
    separation_J_m2: float | None
    distorted_J_m2: float
    best: Mapping[str, Any] | None

    @property
    def strain(self) -> float:
        """The principal strain of larger size."""
        return max(self.strained["strains"], key=abs)

    @property
    def strains(self) -> str:
        """Both principal strains in words."""
        high, low = self.strained["strains"]
        return f"{100 * high:+.1f} % and {100 * low:+.1f} %"

    @property
    def strain_energy_J_m2(self) -> float:
        """Elastic energy of the film, per area of the interface."""
        return float(self.m * self.strained["strain_energy_eV"] / self.strained["area_A2"] * EV_A2_IN_J_M2)


def cells_of(inputs: Mapping[str, Any], after: Mapping[str, Any], *, sampled: bool = False) -> list[Cell]:
    """Return the common cells that were computed, smallest first.

    Parameters
    ----------
    inputs, after
        Of the last task.
    sampled
        Whether energies come with k-points: cells of different size then do not compare, and the parts are taken in the
        cell of the interface only.
    """
    found = []
    names = _names(inputs["matches"])
    for number, (about, name) in enumerate(zip(inputs["matches"], names, strict=True)):
        n, m = match_of(about).cells
        strained, apart = after[f"{number} strained"], after[f"{number} apart"]
        interfaces = [after[f"{number} interface {rank}"] for rank in range(inputs["relaxations"])]
        interfaces = [one for one in interfaces if one["exists"]]
        adhesion = separation = best = None
        distorted = 0.0
        if apart["exists"]:
            per_area = EV_A2_IN_J_M2 / strained["area_A2"]
            alone = {"substrate": n * after["clean"]["energy_eV"], "film": m * strained["energy_eV"]}
            gain = {part: (energy - apart[part]["energy_eV"]) * per_area for part, energy in alone.items()}
            distorted = max(gain.values())
            lowest = sum(
                apart[part]["energy_eV"] if sampled else min(energy, apart[part]["energy_eV"])
                for part, energy in alone.items()
            )
            adhesion = (lowest - apart["interface_eV"]) * per_area
            frozen = apart["substrate"]["frozen_eV"] + apart["film"]["frozen_eV"]
            separation = (frozen - apart["interface_eV"]) * per_area
            best = min((one for one in interfaces if one["converged"]), key=lambda one: one["energy_eV"])
        tried = after[f"{number} tried"]["tried"]
        found.append(Cell(name, about, n, m, strained, tried, interfaces, adhesion, separation, distorted, best))
    return found


def _names(matches: list[Mapping[str, Any]]) -> list[str]:
    cells = [match_of(match).cells for match in matches]
    return [
        f"{n} on {m} cells, {match['angle_deg']:.1f} deg" if cells.count((n, m)) > 1 else f"{n} on {m} cells"
        for (n, m), match in zip(cells, matches, strict=True)
    ]


def surface_energy_J_m2(inputs: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the surface energy of the metal and how far leaving out the thinnest slab moves it (J/m2), None if unknown.

    E(N) = 2 A gamma + N e (V. Fiorentini and M. Methfessel, J. Phys.: Condens. Matter 8, 6525 (1996), doi
    10.1088/0953-8984/8/36/005): the bulk energy is that of the slabs, so that nothing has to cancel between two
    calculations.
    """
    films = [after[f"film {i}"] for i in range(inputs["thicknesses"])]
    films = [film for film in films if film["converged"]]
    if len(films) < LEAST_THICKNESSES:
        return None
    cell = np.array(films[0]["slab"]["cell_A"])
    counts = [len(film["slab"]["symbols"]) for film in films]
    energies = [film["energy_eV"] for film in films]
    intercepts = [np.polyfit(counts[start:], energies[start:], 1)[1] for start in (0, 1)]
    gamma, other = (float(value) / (2.0 * abs(np.linalg.det(cell[:2, :2]))) * EV_A2_IN_J_M2 for value in intercepts)
    return gamma, abs(gamma - other)


def best_of(cells: list[Cell]) -> Cell | None:
    """Return the common cell of the largest work of adhesion: the lowest energy of the interface."""
    done = [cell for cell in cells if cell.adhesion_J_m2 is not None]
    return max(done, key=lambda cell: cell.adhesion_J_m2 or 0.0) if done else None


def spread_J_m2(cells: list[Cell]) -> float:
    """Return half the range of the works of adhesion over the common cells."""
    values = [cell.adhesion_J_m2 for cell in cells if cell.adhesion_J_m2 is not None]
    return (max(values) - min(values)) / 2 if values else 0.0
