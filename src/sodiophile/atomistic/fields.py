"""Fields on the grid of a periodic cell, such as an electron density: integrals, planar averages, thinning."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError

Array = NDArray[np.float64]

# Two cells are one where their vectors agree to this.
_SAME_CELL_A = 1e-6
_MOST_16_BITS = 32767


@dataclass(frozen=True, eq=False)
class Field:
    """A scalar field sampled on a regular grid of a cell that repeats in all three directions.

    Parameters
    ----------
    values
        (n1, n2, n3); the value at fraction ``(i / n1, j / n2, k / n3)`` of the vectors of the cell.
    cell_A
        (3, 3), rows are the vectors.

    Raises
    ------
    InputError
        If the values are not a finite three-dimensional grid, or the cell has no volume.
    """

    values: Array
    cell_A: Array

    def __post_init__(self) -> None:
        values, cell = np.asarray(self.values, float), np.asarray(self.cell_A, float)
        if values.ndim != 3 or 0 in values.shape:
            raise InputError(f"a grid of shape {values.shape}, expected three dimensions, none of them empty")
        if cell.shape != (3, 3) or abs(np.linalg.det(cell)) < 1e-9:
            raise InputError("a grid needs a cell of three vectors that span a volume")
        if not np.all(np.isfinite(values)):
            raise InputError(f"{int(np.sum(~np.isfinite(values)))} values of the grid are not finite numbers")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "cell_A", cell)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of points along each vector."""
        n1, n2, n3 = self.values.shape
        return n1, n2, n3

    @property
    def steps_A(self) -> Array:
        """(3, 3) vectors from a point to the next along each vector of the cell."""
        return np.asarray(self.cell_A / np.array(self.shape)[:, None])

    @property
    def voxel_A3(self) -> float:
        """Volume that belongs to one point."""
        return float(abs(np.linalg.det(self.cell_A)) / self.values.size)

    @property
    def area_A2(self) -> float:
        """Area of the face that the first two vectors span."""
        return float(np.linalg.norm(np.cross(self.cell_A[0], self.cell_A[1])))

    @property
    def height_A(self) -> float:
        """Height of the cell above that face."""
        return float(abs(np.linalg.det(self.cell_A)) / self.area_A2)

    def integral(self) -> float:
        """Return the integral over the cell: of a density in electrons per cubic angstrom, the electrons."""
        return float(self.values.sum() * self.voxel_A3)

    def require_same_grid(self, other: Field) -> None:
        """Refuse a field that is not sampled at the same points.

        Raises
        ------
        InputError
            Saying which grids or cells were found.
        """
        if self.shape != other.shape:
            one, two = ("x".join(str(n) for n in field.shape) for field in (self, other))
            raise InputError(
                f"the grids differ, {one} and {two} points: a difference needs the same cell, grid and cut-off"
            )
        apart = float(np.max(np.abs(self.cell_A - other.cell_A)))
        if apart > _SAME_CELL_A:
            raise InputError(
                f"the cells of two grids differ by up to {apart:.2g} angstrom: a difference needs the same cell"
            )

    def planes_A(self) -> Array:
        """Return (n3,) heights of the planes of points above the bottom face."""
        n = self.shape[2]
        return np.asarray(np.arange(n) / n * self.height_A)

    def planar_sum(self) -> Array:
        """Return (n3,) the integral over each plane: of a density, electrons per angstrom of height."""
        return np.asarray(self.values.mean(axis=(0, 1)) * self.area_A2)

    def planar_average(self) -> Array:
        """Return (n3,) the mean over each plane, in the unit of the values."""
        return np.asarray(self.values.mean(axis=(0, 1)))

    def moved(self, shift: tuple[int, int, int]) -> Field:
        """Return the field moved by whole points along each vector, periodically."""
        return Field(np.roll(self.values, shift, axis=(0, 1, 2)), self.cell_A)

    def thinned(self, spacing_A: float, smoothing_A: float = 0.0) -> Field:
        """Return the field on the coarsest grid whose points along each vector are no farther apart than this.

        The Fourier components that the coarse grid can carry are kept, so the integral stays exactly what it was and
        nothing of the finer structure is folded into what remains. A grid that is coarse already keeps its points.

        Parameters
        ----------
        spacing_A
            Largest distance of two points.
        smoothing_A
            Standard deviation of a Gaussian to fold the field with, against the ripples that a truncated series makes
            around what is sharper than the grid (a core); it leaves the integral as well.
        """
        lengths = np.linalg.norm(self.cell_A, axis=1)
        wanted = [min(n, max(4, int(np.ceil(length / spacing_A)))) for n, length in zip(self.shape, lengths, strict=True)]
        if list(self.shape) == wanted and smoothing_A == 0:
            return self
        spectrum = np.fft.fftn(self.values)
        if smoothing_A > 0:
            whole = np.stack(np.meshgrid(*(np.fft.fftfreq(n) * n for n in self.shape), indexing="ij"), axis=-1)
            k = 2 * np.pi * whole @ np.linalg.inv(self.cell_A).T
            spectrum = spectrum * np.exp(-0.5 * smoothing_A**2 * np.sum(k**2, axis=-1))
        for axis, n in enumerate(wanted):
            spectrum = _without_high(spectrum, axis, n)
        scale = np.prod(wanted) / self.values.size
        return Field(np.fft.ifftn(spectrum).real * scale, self.cell_A)

    def packed(self) -> dict[str, Any]:
        """Return the field as JSON-ready data: 16 bits a value, in parts of the largest."""
        scale = float(np.abs(self.values).max()) / _MOST_16_BITS or 1.0
        whole = np.rint(self.values / scale).astype("<i2")
        return {
            "shape": list(self.shape),
            "cell_A": np.round(self.cell_A, 9).tolist(),
            "scale": scale,
            "values": base64.b64encode(zlib.compress(whole.tobytes(), 9)).decode(),
        }

    @classmethod
    def unpacked(cls, data: Mapping[str, Any]) -> Field:
        """Return the field that `packed` wrote, each value to a 65 000th of the largest.

        Raises
        ------
        InputError
            If the data are not those of a field.
        """
        try:
            shape = tuple(int(n) for n in data["shape"])
            size = 2 * int(np.prod(shape))
            content = zlib.decompressobj().decompress(base64.b64decode(data["values"], validate=True), size + 1)
            if len(shape) != 3 or len(content) != size:
                raise InputError(f"a stored grid has {len(content)} bytes, expected {size}")
            values = np.frombuffer(content, "<i2").reshape(shape) * float(data["scale"])
            return cls(values, np.array(data["cell_A"], float))
        except (KeyError, ValueError, TypeError, zlib.error) as error:
            raise InputError(f"a stored grid cannot be read ({type(error).__name__})") from error


def _without_high(spectrum: NDArray[np.complex128], axis: int, n: int) -> NDArray[np.complex128]:
    """Keep the components of a spectrum that a grid of n points along an axis can carry; none at its Nyquist frequency."""
    before = spectrum.shape[axis]
    if n == before:
        return spectrum
    most = (n - 1) // 2
    kept = [k % before for k in range(-most, most + 1)]
    shape = list(spectrum.shape)
    shape[axis] = n
    out = np.zeros(shape, complex)
    into = [slice(None)] * 3
    into[axis] = np.array([k % n for k in range(-most, most + 1)])  # type: ignore[call-overload]
    out[tuple(into)] = np.take(spectrum, kept, axis=axis)
    return out
