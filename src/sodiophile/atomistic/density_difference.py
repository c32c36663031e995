"""Where electrons go when an adatom binds: the density of the whole minus those of its parts, in place.

    delta n(r) = n(slab with adatom) - n(slab alone, atoms where they are under the adatom) - n(adatom alone, where it is)

All three on one grid of one cell. Positive is accumulation, negative depletion of electrons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.atomistic.fields import Field
from sodiophile.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Displaced:
    """How much charge a difference moves.

    Attributes
    ----------
    accumulated_e
        Integral where it is positive, electrons.
    depleted_e
        Integral where it is negative, electrons; not positive.
    net_e
        Their sum; what the parts lack of the whole, or the error of the grid.
    """

    accumulated_e: float
    depleted_e: float
    net_e: float


def density_difference(whole: Field, *parts: Field, net_tolerance_e: float = 0.02) -> Field:
    """Return the density of the whole minus those of its parts, electrons per cubic angstrom.

    Parameters
    ----------
    whole
        Density of all atoms together.
    *parts
        Densities of the parts, every atom where it is in the whole.
    net_tolerance_e
        Largest difference of the electron numbers of whole and parts.

    Raises
    ------
    InputError
        If there is no part, a grid or cell differs, or electrons are missing.
    """
    if not parts:
        raise InputError("a difference of densities needs the density of at least one part")
    values = whole.values.copy()
    for part in parts:
        whole.require_same_grid(part)
        values -= part.values
    difference = Field(values, whole.cell_A)
    net = difference.integral()
    if abs(net) > net_tolerance_e:
        raise InputError(
            f"the whole has {net:+.3f} electrons more than its parts, expected the same number to {net_tolerance_e:g}: "
            "the parts are not those of the whole, or a calculation lost charge"
        )
    return difference


def displaced(difference: Field) -> Displaced:
    """Return what a difference accumulates and depletes."""
    values, voxel = difference.values, difference.voxel_A3
    return Displaced(
        accumulated_e=float(values[values > 0].sum() * voxel),
        depleted_e=float(values[values < 0].sum() * voxel),
        net_e=float(values.sum() * voxel),
    )


def cumulative(difference: Field) -> Array:
    """Return (n3,) the charge displaced to below each plane, in electrons.

        Q(z) = integral from 0 to z of the planar sum

    The bottom of the cell must lie in the vacuum. A minimum between a surface and an atom above it, where the atom stands
    at larger z, is what has gone upwards through that plane; a maximum is what has come down.
    """
    lines = difference.planar_sum()
    step = difference.height_A / len(lines)
    # the plane at z cuts through its own voxel
    return np.asarray((np.cumsum(lines) - 0.5 * lines) * step)


def section(field: Field, through_A: Array, direction_A: Array) -> tuple[Array, Array, Array]:
    """Return the values on a plane that stands on the first two vectors of the cell and holds a point and a direction.

    Parameters
    ----------
    field
        What to cut; its third vector need not be normal to the others, the plane is.
    through_A
        (3,) a point of the plane, which becomes the middle of the section.
    direction_A
        (2,) in-plane direction; its length is that of the section.

    Returns
    -------
    along_A, height_A
        (m,), (n,) coordinates: along the direction from the point, and above the bottom of the cell.
    values
        (m, n), interpolated linearly along each vector.
    """
    from scipy.ndimage import map_coordinates

    length = float(np.linalg.norm(direction_A))
    if not length > 0:
        raise InputError("a section needs a direction")
    unit = np.array([*np.asarray(direction_A, float) / length, 0.0])
    spacing = float(np.min(np.linalg.norm(field.steps_A, axis=1)))
    along = np.linspace(-length / 2, length / 2, max(2, int(np.ceil(length / spacing)) + 1))
    heights = field.planes_A()
    normal = np.array([0.0, 0.0, 1.0])
    foot = np.array([through_A[0], through_A[1], 0.0])
    points = foot + along[:, None, None] * unit + heights[None, :, None] * normal
    fractional = points @ np.linalg.inv(field.cell_A)
    at = (fractional * np.array(field.shape)).reshape(-1, 3).T
    values = map_coordinates(field.values, at, order=1, mode="grid-wrap")
    return along, heights, np.asarray(values.reshape(len(along), len(heights)))
