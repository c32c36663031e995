"""What `sodiophile.physics.porous_cell` is given beside the cell, and how it lays the cell out in control volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell
from sodiophile.physics.constants import FARADAY_C_mol
from sodiophile.physics.parts import Cathode

_Array = NDArray[np.float64]
_LEAST_DEAD_m = 1e-9
_GRADING, _GRADING_ELECTRODE, _COARSER = 8.0, 3.0, 4.0


@dataclass(frozen=True, slots=True)
class Ageing:
    """What use does to the insertion electrode; nothing, unless it is set.

    Parameters
    ----------
    active_loss
        Part of the active material that is lost for each charge and discharge of the full capacity.
    resistance_growth_ohm_cm2
        Added in series by each charge and discharge of the full capacity.
    efficiency
        Part of the charging current that takes the ion out of the material; the rest oxidizes electrolyte, which leaves a
        cation in it in place of the one that is plated.
    contact_ohm_cm2
        In series from the beginning.
    """

    active_loss: float = 0.0
    resistance_growth_ohm_cm2: float = 0.0
    efficiency: float = 1.0
    contact_ohm_cm2: float = 0.0

    def __post_init__(self) -> None:
        for name, least, most in (
            ("active_loss", 0.0, 0.5),
            ("resistance_growth_ohm_cm2", 0.0, 1e6),
            ("efficiency", 0.5, 1.0),
            ("contact_ohm_cm2", 0.0, 1e6),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(f"found {value:g}, expected {least:g} to {most:g}", name)


@dataclass(frozen=True, slots=True)
class Grid:
    """How finely the cell is resolved.

    Parameters
    ----------
    layer, electrode, particle
        Control volumes of each layer, of the porous electrode, and of a particle.
    tolerance
        Error allowed in a step of time: in mV of potential and in thousandths of a concentration.
    """

    layer: int = 20
    electrode: int = 16
    particle: int = 16
    tolerance: float = 0.5

    def __post_init__(self) -> None:
        for name in ("layer", "electrode", "particle"):
            if not 3 <= getattr(self, name) <= 500:
                raise InputError(f"found {getattr(self, name)} control volumes, expected 3 to 500", name)
        if not 0 < self.tolerance <= 100:
            raise InputError(f"found {self.tolerance:g}, expected more than 0 and at most 100", "tolerance")


class Layout:
    """Control volumes from the metal to the current collector, and from the middle of a particle to its surface.

    The first layer is that of dead metal, a nanometre before there is any; its pores fill with electrolyte from outside.

    Parameters
    ----------
    cell, cathode, loading_mg_cm2, grid
        As of `sodiophile.physics.porous_cell.PorousCell`.

    Attributes
    ----------
    dead_cells, separator_cells
        Control volumes of the dead metal, and of all that lies before the insertion electrode.
    thickness_m
        Of the insertion electrode.
    widths_m, porosity, effective
        Of each control volume: width, volume fraction of electrolyte, and that to the power b, shape (n,).
    shell_volume, shell_rate, surface, outer
        Of a particle: volumes over 4 pi, diffusion through their faces, what a current density takes from the outermost,
        and how the filling of the surface follows from the last two and the current density.
    """

    def __init__(self, cell: Cell, cathode: Cathode, loading_mg_cm2: float, grid: Grid) -> None:
        self.thickness_m = cathode.thickness.value * 1e-6 * loading_mg_cm2 / cathode.loading.value
        layers = [*([cell.interlayer.porous] if cell.interlayer else []), cell.separator.porous]
        dead = (_LEAST_DEAD_m, cell.electrode.dead_porosity.value, cell.separator.bruggeman.value, max(grid.layer // 2, 3))
        parts = [dead, *((layer.thickness_m, layer.porosity, layer.bruggeman, grid.layer) for layer in layers)]
        self.dead_cells = dead[-1]
        self.separator_cells = sum(count for *_, count in parts)
        parts.append((self.thickness_m, cathode.porosity.value, cathode.bruggeman.value, grid.electrode))
        widths = [_graded(thickness, count) for thickness, _, _, count in parts[:-1]]
        self.widths_m = np.concatenate([*widths, _graded(self.thickness_m, grid.electrode, _GRADING_ELECTRODE)])
        self.porosity = np.concatenate([np.full(count, porosity) for _, porosity, _, count in parts])
        self.effective = np.concatenate([np.full(count, porosity**power) for _, porosity, power, count in parts])
        R = cathode.particle_radius.value * 1e-9
        D = cathode.diffusivity.value * cell.factor(cathode.diffusivity_activation_energy)
        sites = cathode.maximum_concentration_mol_m3
        # finer towards the surface, where a pulse of current is felt first
        faces = R * (1.0 - (1.0 - np.linspace(0.0, 1.0, grid.particle + 1)) ** 1.5)
        centres = 0.5 * (faces[1:] + faces[:-1])
        self.shell_volume = np.diff(faces**3) / 3.0
        self.shell_rate = np.zeros(grid.particle + 1)
        self.shell_rate[1:-1] = D * faces[1:-1] ** 2 / np.diff(centres)
        self.surface = R**2 / (FARADAY_C_mol * sites)
        # a parabola through the last two centres with the slope that the current density asks for
        inner, second = R - centres[-1], R - centres[-2]
        q = inner**2 / (second**2 - inner**2)
        self.outer = np.array([1.0 + q, -q, -(inner - inner**2 / (inner + second)) / (FARADAY_C_mol * D * sites)])

    def thicken(self, dead_m: float, concentration: _Array) -> None:
        """Let the layer of dead metal have this thickness; overwrite the concentrations (parts of the mean) in its pores.

        What electrolyte comes in from outside has the mean concentration.
        """
        dead = slice(0, self.dead_cells)
        old = self.widths_m[dead].copy()
        self.widths_m[dead] = _graded(max(dead_m, _LEAST_DEAD_m), self.dead_cells)
        concentration[dead] = 1.0 + (concentration[dead] - 1.0) * old / self.widths_m[dead]


def full_cell_cathode(cell: Cell, cathode: Cathode | None) -> Cathode:
    """Return the insertion electrode of a full cell.

    Raises
    ------
    InputError
        If there is none, its charge transfer is not symmetric, or the ions of the metal are not single-charged.
    """
    cathode = cathode or cell.cathode
    if cathode is None:
        raise InputError("missing; a full cell needs an insertion electrode, such as 'nvp'", "cathode")
    if cell.properties.z != 1:
        raise InputError(f"found {cell.metal}, expected a metal of single-charged ions for a full cell", "metal")
    if cathode.transfer_coefficient.value != 0.5:
        raise InputError(
            f"found {cathode.transfer_coefficient.value:g}, expected 0.5: charge transfer is solved in closed form",
            "cathode.transfer_coefficient",
        )
    return cathode


def cathode_potential_V(filling: ArrayLike, cathode: Cathode) -> _Array:
    r"""Return the equilibrium potential :math:`U = E_0 + A(1/x - 1/(1-x))` of an insertion electrode, V, shape as x."""
    x = np.asarray(filling, dtype=float)
    return np.asarray(cathode.plateau.value + cathode.softness.value * (1.0 / x - 1.0 / (1.0 - x)))


def electrolyte_tables(cell: Cell) -> tuple[_Array, _Array, _Array]:
    """Return concentrations (parts of the mean), diffusivity (m2/s) and conductivity (S/m) there, at the temperature.

    The curves of the electrolyte, where it has them, are scaled so that they pass through its values at the mean
    concentration; otherwise both are constant.
    """
    electrolyte = cell.electrolyte
    mean = electrolyte.concentration.value * 1e3
    faster = cell.factor(electrolyte.activation_energy)
    stated = (electrolyte.diffusivity.value, electrolyte.conductivity.value * 0.1)
    curves = (electrolyte.diffusivity_curve, electrolyte.conductivity_curve)
    points = sorted({0.0, mean, *(c for curve in curves if curve for c in curve.concentration_mol_m3)})
    columns = []
    for value, curve in zip(stated, curves, strict=True):
        if curve is None:
            columns.append(np.full(len(points), value * faster))
            continue
        at = np.interp(points, curve.concentration_mol_m3, curve.value)
        columns.append(value * faster * at / np.interp(mean, curve.concentration_mol_m3, curve.value))
    return np.array(points) / mean, columns[0], columns[1]


def _graded(thickness_m: float, count: int, grading: float = _GRADING) -> _Array:
    """Return widths that grow from both faces of a layer, m, shape (count,).

    They are finest on the side of the metal, where a current of short duration changes the salt within a micrometre.
    """
    place = (np.arange(count) + 0.5) / count
    width = 1.0 / (np.exp(-grading * place) + np.exp(-grading * (1.0 - place)) / _COARSER)
    return np.asarray(thickness_m * width / width.sum())
