"""Slabs from any crystal and facet, one for each termination that symmetry tells apart.

Ideal bulk truncations only: reconstructions, steps between terraces (other than those of a vicinal facet), vacancies that
compensate a polar surface and adsorbed layers are not guessed; give such a slab as a structure file to the site finder.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, gcd

import numpy as np
import spglib
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray

from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.structures import check_overlap, formula
from sodiophile.atomistic.symmetry2d import reduce_2d
from sodiophile.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Atoms whose heights differ by less belong to one layer; the planes of a crystal are exact, those of a relaxed one nearly.
_LAYER_TOLERANCE_A = 0.1
_DEFAULT_THICKNESS_A = 8.0
_MAX_ATOMS = 5000
_TRIGONAL_AND_HEXAGONAL = range(143, 195)  # space groups


@dataclass(frozen=True, eq=False)
class Slab:
    """A slab: bulk layers with vacuum above and below, c along +z, periodic in the plane only.

    Attributes
    ----------
    atoms
        Half of the vacuum below and half above. Tags count the layers from the top (1); the first atom of the top
        layer stands at the origin of the plane. Atoms go from bottom to top.
    formula
        Reduced formula of the crystal.
    miller
        The facet, in the axes that `build_slabs` describes.
    termination
        Composition of the topmost layer (``"VN"``, ``"V"``); where two terminations share it, with the layer below.
    layers
        Number of atomic layers.
    supercell
        Repetitions of the primitive surface cell.
    layer_of
        (n_atoms,) index of the layer of each atom, 0 at the bottom.
    polar
        Whether the bulk repeat unit under this termination has a dipole along the normal for some neutral assignment of
        charges to the elements: their mean heights in it differ. No oxidation states are assumed, so a facet whose
        dipole vanishes only for special charges, such as SrTiO3(001), counts as polar.
    stoichiometric
        Whether the slab has the composition of the bulk.
    symmetric
        Whether an operation of the crystal exchanges top and bottom; otherwise the two sides are different surfaces.
    """

    atoms: Atoms
    formula: str
    miller: tuple[int, int, int]
    termination: str
    layers: int
    supercell: tuple[int, int]
    layer_of: Ints
    polar: bool
    stoichiometric: bool
    symmetric: bool

    @property
    def area_A2(self) -> float:
        """Area of one side of the cell."""
        return float(np.linalg.norm(np.cross(self.atoms.cell[0], self.atoms.cell[1])))

    @property
    def name(self) -> str:
        """Formula, facet and termination, as in ``VN(111) terminated by N``."""
        return f"{self.formula}{facet_text(self.miller)} terminated by {self.termination}"


@dataclass(frozen=True, eq=False)
class _Stack:
    """The crystal in the frame of the facet: in-plane cell, step to the next period, layers of one period."""

    plane_A: Array  # (2, 2)
    step_A: Array  # (3,), its z is the period
    layers: list[tuple[Array, Ints]]  # (positions, numbers), bottom to top
    heights_A: Array  # (n_layers,)
    polar_shifts_A: Array  # heights by which operations that keep the normal move the crystal
    mirror_shifts_A: Array  # z -> -z + shift


def build_slabs(
    bulk: Atoms,
    miller: str | Sequence[int],
    *,
    layers: int | None = None,
    thickness_A: float | None = None,
    vacuum_A: float = 12.0,
    supercell: tuple[int, int] = (1, 1),
    tolerance_A: float = 0.01,
) -> tuple[Slab, ...]:
    """Cut slabs from a crystal: one for each symmetry-distinct termination that can be exposed at the top.

    The crystal is cut between every two of its layers; cuts that an operation of the crystal maps onto one another
    (translation, screw, glide, mirror) give one slab. Terminations of the opposite facet (-h -k -l) are those of that
    facet: ask for it where the crystal has no operation that turns one into the other (zincblende, wurtzite).

    Parameters
    ----------
    bulk
        The crystal, in any cell and orientation.
    miller
        Three indices, four for hexagonal axes, or text (see `parse_miller`). They refer to the axes of `bulk` as given,
        repetitions of a supercell aside; if its cell is smaller than the conventional one (the primitive cell of a
        centred lattice), to the conventional axes that spglib assigns.
    layers
        Number of atomic layers.
    thickness_A
        Instead: at least this distance between the lowest and the highest layer, in whole repeat units of the crystal,
        so that the slab is stoichiometric. 8 A where neither is given.
    vacuum_A
        Height without atoms, half below and half above the slab.
    supercell
        Repetitions of the primitive surface cell along its two vectors.
    tolerance_A
        Of the crystal symmetry.

    Returns
    -------
    tuple of Slab
        In the order of the layers of the crystal.

    Raises
    ------
    InputError
        If the indices, the cell or the sizes make no sense, or atoms overlap.
    """
    indices = parse_miller(miller)
    _check_sizes(layers, thickness_A, vacuum_A, supercell)
    if len(bulk) == 0 or bulk.cell.rank < 3:
        raise InputError("a slab needs a crystal with atoms and three cell vectors")
    crystal = Atoms(bulk.numbers, positions=bulk.positions, cell=bulk.cell, pbc=True)
    check_overlap(crystal)
    stack = _stack(crystal, indices, tolerance_A)
    tops = _distinct_tops(stack)
    names = _termination_names(stack, tops)
    return tuple(
        _cut(stack, top, name, indices, layers or _layers_for(stack, top, thickness_A), vacuum_A, supercell)
        for top, name in zip(tops, names, strict=True)
    )


def parse_miller(miller: str | Sequence[int], crystal: Atoms | None = None) -> tuple[int, int, int]:
    """Return the three Miller indices of a facet, without common factor.

    Text is read digit by digit, ``-`` before an index that is negative (``"001"``, ``"1-10"``); indices above 9 are
    separated by spaces or commas. Four indices (h k i l, with i = -h - k) are those of hexagonal axes (``"0001"``);
    on a crystal that has none, where one is given, they mean nothing.

    Raises
    ------
    InputError
        If there are not three or four whole numbers, all are zero, i is not -h - k, or there are four and no hexagonal
        axes.
    """
    if isinstance(miller, str):
        text = miller.strip().strip("()[]{}")
        separated = re.split(r"[\s,]+", text) if re.search(r"[\s,]", text) else re.findall(r"-?\d|.", text)
        try:
            numbers = [int(part) for part in separated if part]
        except ValueError:
            raise InputError(f"{miller!r} is not a facet; expected Miller indices such as '001' or '1-10'") from None
    else:
        if any(int(i) != i for i in miller):
            raise InputError(f"{list(miller)} are not whole Miller indices")
        numbers = [int(i) for i in miller]
    if len(numbers) == 4:
        h, k, i, l = numbers  # noqa: E741  the names of the field
        if i != -h - k:
            raise InputError(f"{miller!r} is not a facet: the third of four indices must be -(h + k) = {-h - k}")
        if crystal is not None and not _has_hexagonal_axes(crystal):
            raise InputError(
                f"{miller!r} has four indices, but {formula(crystal.numbers)} has no hexagonal axes; expected three"
            )
        numbers = [h, k, l]
    if len(numbers) != 3 or not any(numbers):
        raise InputError(f"{miller!r} is not a facet; expected three Miller indices (four on hexagonal axes), not all zero")
    divisor = gcd(*numbers)
    return (numbers[0] // divisor, numbers[1] // divisor, numbers[2] // divisor)


def _has_hexagonal_axes(crystal: Atoms) -> bool:
    """Return whether the axes are hexagonal as given, or by the symmetry of the crystal (trigonal or hexagonal)."""
    a, b, _, *angles = crystal.cell.cellpar()
    as_given = abs(a - b) < 0.01 * a and np.allclose(angles, (90, 90, 120), atol=0.5)
    return bool(as_given) or _symmetry(crystal, 0.01)[1].number in _TRIGONAL_AND_HEXAGONAL


def _check_sizes(layers: int | None, thickness_A: float | None, vacuum_A: float, supercell: tuple[int, int]) -> None:
    if layers is not None and thickness_A is not None:
        raise InputError("layers and thickness are both given; expected one of them")
    if layers is not None and layers < 1:
        raise InputError(f"{layers} layers are asked for, expected at least 1")
    if thickness_A is not None and not 0 <= thickness_A <= 500:
        raise InputError(f"a thickness of {thickness_A} A is asked for, expected 0 to 500 A")
    if not 0 < vacuum_A <= 500:
        raise InputError(f"a vacuum of {vacuum_A} A is asked for, expected 0 to 500 A")
    if len(supercell) != 2 or any(n < 1 or int(n) != n for n in supercell):
        raise InputError(f"a supercell of {supercell} is asked for, expected two whole numbers from 1")


def _stack(crystal: Atoms, miller: tuple[int, int, int], tolerance_A: float) -> _Stack:
    primitive, dataset = _symmetry(crystal, tolerance_A)
    lattice = np.asarray(primitive.cell[:], float)
    axes = _axes(np.asarray(crystal.cell[:], float), lattice, dataset)
    normal = np.linalg.inv(axes) @ np.array(miller, float)
    # in the reciprocal axes of the primitive cell the normal is a rational direction; n cells of it fit the given axes
    steps = np.rint(lattice @ normal * round(abs(np.linalg.det(axes) / np.linalg.det(lattice)))).astype(int)
    basis = _with_plane_first(steps // gcd(*(int(s) for s in steps))) @ lattice
    normal /= np.linalg.norm(normal)
    along = basis[0] / np.linalg.norm(basis[0])
    frame = np.array([along, np.cross(normal, along), normal])
    plane = reduce_2d((basis[:2] @ frame.T)[:, :2])
    turn = np.arctan2(plane[0][1], plane[0][0])
    spin = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    frame = spin @ frame
    plane = plane @ spin[:2, :2].T
    step = frame @ basis[2]
    step[:2] -= np.rint(step[:2] @ np.linalg.inv(plane)) @ plane
    positions = primitive.positions @ frame.T
    shifts = {sign: _height_shifts(dataset, lattice, frame, sign) for sign in (1, -1)}
    layers, heights = _layers(positions, primitive.numbers, step)
    return _Stack(plane, step, layers, heights, shifts[1], shifts[-1])


def _symmetry(crystal: Atoms, tolerance_A: float) -> tuple[Atoms, spglib.SpglibDataset]:
    """Return the primitive cell, in the orientation that was given, and its symmetry.

    The symmetry of the given cell would lack the operations that a supercell of lower symmetry than its lattice breaks.
    """
    cell = (crystal.cell[:], crystal.get_scaled_positions(), crystal.numbers)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            primitive = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=tolerance_A)
            dataset = spglib.get_symmetry_dataset(primitive, symprec=tolerance_A)
    except Exception:  # noqa: BLE001  older and newer spglib tell failure by None or by errors of their own
        primitive = dataset = None
    if primitive is None or dataset is None:
        raise InputError(f"no crystal symmetry could be found within {tolerance_A} A; check the structure")
    lattice, fractional, numbers = primitive
    return Atoms(numbers, scaled_positions=fractional, cell=lattice, pbc=True), dataset


def _axes(given: Array, primitive: Array, dataset: spglib.SpglibDataset) -> Array:
    """Return the axes, right-handed rows, that Miller indices refer to: see `build_slabs`."""
    conventional = np.linalg.inv(dataset.transformation_matrix).T @ primitive
    if abs(np.linalg.det(given)) < 0.99 * abs(np.linalg.det(conventional)):
        axes = conventional
    else:
        repeats = np.rint(given @ np.linalg.inv(primitive)).astype(int)
        axes = given / np.gcd.reduce(repeats, axis=1)[:, None]
    return axes if np.linalg.det(axes) > 0 else -axes


def _with_plane_first(steps: Ints) -> Ints:
    """Return a unimodular matrix U with U @ steps = (0, 0, 1): its first two rows span the plane."""
    unimodular, rest = np.eye(3, dtype=int), np.array(steps, int)
    while np.count_nonzero(rest) > 1:
        nonzero = np.flatnonzero(rest)
        small = nonzero[np.argmin(np.abs(rest[nonzero]))]
        for i in nonzero:
            if i != small:
                factor = rest[i] // rest[small]
                rest[i] -= factor * rest[small]
                unimodular[i] -= factor * unimodular[small]
    last = int(np.flatnonzero(rest)[0])
    unimodular[last] *= rest[last]
    order = [i for i in range(3) if i != last] + [last]
    return np.asarray(unimodular[order])


def _height_shifts(dataset: spglib.SpglibDataset, lattice: Array, frame: Array, sign: int) -> Array:
    """Return the height by which each operation with R n = sign n moves the crystal."""
    to_cartesian = frame @ lattice.T
    back = np.linalg.inv(to_cartesian)
    shifts = [
        float((to_cartesian @ translation)[2])
        for rotation, translation in zip(dataset.rotations, dataset.translations, strict=True)
        if np.allclose((to_cartesian @ rotation @ back)[:, 2], (0, 0, sign), atol=1e-2)
    ]
    return np.array(shifts)


def _layers(positions: Array, numbers: Ints, step: Array) -> tuple[list[tuple[Array, Ints]], Array]:
    period = float(step[2])
    positions = positions - np.floor(positions[:, 2] / period)[:, None] * step
    order = np.argsort(positions[:, 2], kind="stable")
    positions, numbers = positions[order], numbers[order]
    gaps = np.diff(np.append(positions[:, 2], positions[0, 2] + period))
    # start above the widest gap, so that no layer is split between two periods
    start = (int(np.argmax(gaps)) + 1) % len(numbers)
    positions = np.vstack([positions[start:], positions[:start] + step])
    numbers = np.concatenate([numbers[start:], numbers[:start]])
    cuts = np.flatnonzero(np.diff(positions[:, 2]) > _LAYER_TOLERANCE_A) + 1
    layers = [(positions[ids], numbers[ids]) for ids in np.split(np.arange(len(numbers)), cuts)]
    return layers, np.array([float(p[:, 2].mean()) for p, _ in layers])


def _distinct_tops(stack: _Stack) -> list[int]:
    period = float(stack.step_A[2])
    tops: list[int] = []
    for i, height in enumerate(stack.heights_A):
        same = [j for j in tops if _any_multiple(height - stack.heights_A[j] - stack.polar_shifts_A, period)]
        if not same:
            tops.append(i)
    return tops


def _any_multiple(values: Array, period: float) -> bool:
    rest = values / period - np.rint(values / period)
    return bool(np.any(np.abs(rest) * period < _LAYER_TOLERANCE_A / 2))


def _termination_names(stack: _Stack, tops: list[int]) -> list[str]:
    n, period = len(stack.layers), float(stack.step_A[2])
    names = [formula(stack.layers[i][1]) for i in tops]
    if len(set(names)) < len(names):
        below = [(i - 1) % n for i in tops]
        gaps = [(stack.heights_A[i] - stack.heights_A[j]) % period or period for i, j in zip(tops, below, strict=True)]
        longer = [
            f"{name} ({gap:.2f} A above {formula(stack.layers[j][1])})" if names.count(name) > 1 else name
            for name, gap, j in zip(names, gaps, below, strict=True)
        ]
        names = [
            f"{name} {longer[:i].count(name) + 1}" if longer.count(name) > 1 else name for i, name in enumerate(longer)
        ]
    return names


def _layers_for(stack: _Stack, top: int, thickness_A: float | None) -> int:
    wanted = _DEFAULT_THICKNESS_A if thickness_A is None else thickness_A
    n, period = len(stack.layers), float(stack.step_A[2])
    unit = (stack.heights_A[top] - stack.heights_A[(top + 1) % n]) % period if n > 1 else 0.0
    return n * (1 + max(0, ceil((wanted - unit) / period - 1e-6)))


def _cut(
    stack: _Stack,
    top: int,
    termination: str,
    miller: tuple[int, int, int],
    layers: int,
    vacuum_A: float,
    supercell: tuple[int, int],
) -> Slab:
    n = len(stack.layers)
    per_layer = sum(len(k) for _, k in stack.layers) / n
    if per_layer * layers * supercell[0] * supercell[1] > _MAX_ATOMS:
        raise InputError(f"the slab would have more than {_MAX_ATOMS} atoms; ask for fewer layers or a smaller supercell")
    blocks, kinds, index = [], [], []
    for layer in range(layers):
        periods, which = divmod(top - (layers - 1) + layer, n)
        positions, numbers = stack.layers[which]
        order = np.lexsort((numbers, -covalent_radii[numbers]))
        blocks.append(positions[order] + periods * stack.step_A)
        kinds.append(numbers[order])
        index.append(np.full(len(numbers), layer))
    positions, numbers, layer_of = np.vstack(blocks), np.concatenate(kinds), np.concatenate(index)
    heights = np.array([b[:, 2].mean() for b in blocks])
    positions[:, :2] -= positions[np.flatnonzero(layer_of == layers - 1)[0], :2]
    positions[:, 2] += vacuum_A / 2 - positions[:, 2].min()
    cell = np.zeros((3, 3))
    cell[:2, :2] = stack.plane_A
    cell[2, 2] = positions[:, 2].max() + vacuum_A / 2
    atoms = Atoms(numbers, positions=positions, cell=cell, pbc=(True, True, False), tags=layers - layer_of)
    atoms.wrap(eps=1e-6)
    atoms = atoms.repeat((*supercell, 1))
    layer_of = np.tile(layer_of, supercell[0] * supercell[1])
    order = np.argsort(layer_of, kind="stable")
    mirrored = heights[0] + heights[-1] - stack.mirror_shifts_A
    bulk_numbers = np.concatenate([k for _, k in stack.layers])
    return Slab(
        atoms=atoms[order],
        formula=formula(bulk_numbers),
        miller=miller,
        termination=termination,
        layers=layers,
        supercell=(int(supercell[0]), int(supercell[1])),
        layer_of=layer_of[order],
        polar=_polar(stack, top),
        stoichiometric=formula(numbers) == formula(bulk_numbers),
        symmetric=_any_multiple(mirrored, float(stack.step_A[2])),
    )


def _polar(stack: _Stack, top: int) -> bool:
    """Whether the mean heights of the elements differ in the repeat unit whose uppermost layer is `top`."""
    n, period = len(stack.layers), float(stack.step_A[2])
    z = np.concatenate([stack.layers[i][0][:, 2] - (period if i > top else 0.0) for i in range(n)])
    numbers = np.concatenate([stack.layers[i][1] for i in range(n)])
    means = [z[numbers == element].mean() for element in np.unique(numbers)]
    return bool(max(means) - min(means) > _LAYER_TOLERANCE_A / 2)
