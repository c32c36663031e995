"""Adsorption sites of a slab: found by geometry and symmetry, named by coordination.

The rule, the same for every material: the sites are the critical points of the height surface on which a ball of one
contact distance rests (`sodiophile.atomistic.contact`), tops, bridges and hollows, one for each orbit of the plane group of
the one-sided slab (`sodiophile.atomistic.symmetry2d`). Each tells in how many directions of the plane symmetry leaves it
free: at 0 the in-plane force vanishes by symmetry and a relaxation stays; at 1 or 2 (the bridge between unlike atoms) it
may slide away, so that a map of sites needs constrained relaxations.

Adatoms on top of the surface only; substitutional and sub-surface sites are not adatom sites of the height surface.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols, covalent_radii
from numpy.typing import ArrayLike, NDArray

from sodiophile.atomistic.contact import (
    CriticalPoint,
    contact_distance_A,
    critical_points,
    images_around,
    layers_from_top,
    levelled,
    merged,
    sphere_height_A,
)
from sodiophile.atomistic.structures import check_overlap
from sodiophile.atomistic.surfaces import Slab
from sodiophile.atomistic.symmetry2d import PlaneGroup, distance_2d, plane_group, reduce_2d, wrap
from sodiophile.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_SMALLEST_VACUUM_A = 5.0
_BENEATH_A = 0.3
_FOLD = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight"}


@dataclass(frozen=True)
class Site:
    """One orbit of equivalent adsorption sites.

    Attributes
    ----------
    label
        Its name, unique within a slab: ``top V``, ``V-N bridge``, ``four-fold hollow``, ``three-fold hollow (hcp)``.
    kind
        ``top``, ``bridge`` or ``hollow``.
    fractional
        One of the orbit, in-plane fractional coordinates in the cell of the slab.
    multiplicity
        Number of equivalents in the cell of the slab (of the supercell, if it is one).
    free_inplane_dims
        Dimension (0, 1, 2) of the in-plane space that the symmetry of the site leaves free.
    coordination
        The atoms in contact as (element, number, distance in angstrom from the adatom at contact height), nearest first.
    equivalents
        All of the orbit in the cell of the slab.
    """

    label: str
    kind: str
    fractional: tuple[float, float]
    multiplicity: int
    free_inplane_dims: int
    coordination: tuple[tuple[str, int, float], ...]
    equivalents: tuple[tuple[float, float], ...]


class Classification(NamedTuple):
    """The site nearest to an adatom and the in-plane distance (angstrom) to its nearest equivalent."""

    label: str
    distance_A: float


def find_sites(slab: Slab | Atoms, adsorbate: str = "Na", *, tolerance_A: float = 0.1) -> tuple[Site, ...]:
    """Find the distinct adsorption sites on the top side of a slab.

    Parameters
    ----------
    slab
        A slab with its surface normal along z; its vacuum may be of any size.
    adsorbate
        Element of the adatom.
    tolerance_A
        Of the symmetry: atoms displaced by less are taken as equivalent, so that a relaxed or slightly rattled slab has
        the sites of its average structure. Distortions below it are not seen.

    Returns
    -------
    tuple of Site
        Tops first, then hollows, then bridges.

    Raises
    ------
    InputError
        If the element is unknown, atoms overlap, or this is not a slab: its plane is not that of x and y, or there is
        no vacuum.
    """
    atoms = slab.atoms if isinstance(slab, Slab) else slab
    ads = _element(adsorbate)
    check_overlap(atoms)
    positions, cell = _as_slab(atoms)
    group = plane_group(positions, atoms.numbers, cell, tolerance_A=tolerance_A)
    distance = contact_distance_A(group.numbers, ads)
    points = merged(critical_points(levelled(group.positions_A), group.cell_A, distance), group.cell_A)
    orbits = _orbits(points, group)
    labels = _labels([point for point, _ in orbits], group, ads)
    sites = [_site(label, point, orbit, group, cell, ads) for label, (point, orbit) in zip(labels, orbits, strict=True)]
    rank = {"top": 0, "hollow": 1, "bridge": 2}
    return tuple(sorted(sites, key=lambda s: (rank[s.kind], s.label)))


def contact_height(atoms: Atoms, fractional: ArrayLike, adsorbate: str) -> float:
    """Return the z (angstrom) at which an adatom from above touches the first atom of the slab.

    Spheres of the sum of the covalent radii (Cordero et al., Dalton Trans. 2008, 2832), or, in a hole too wide for them,
    of the common contact distance that the sites come from. A starting height, not a bond length.

    Raises
    ------
    InputError
        If nothing is within reach below that point.
    """
    positions, cell = _as_slab(atoms)
    return _height(np.asarray(fractional, float) @ cell, positions, atoms.numbers, cell, _element(adsorbate))


def place(atoms: Atoms, site: Site, adsorbate: str) -> Atoms:
    """Return the slab with an adatom at contact height over a site, appended last, with tag 0."""
    z = contact_height(atoms, site.fractional, adsorbate)
    placed: Atoms = atoms.copy()
    adatom = Atoms([adsorbate], positions=[np.append(np.asarray(site.fractional) @ placed.cell[:2, :2], z)], tags=[0])
    placed.extend(adatom)
    return placed


def classify(atoms: Atoms, position_A: ArrayLike, sites: Sequence[Site]) -> Classification:
    """Return the site nearest in the plane to an adatom, over all periodic images and equivalents.

    Parameters
    ----------
    atoms
        The clean slab that the sites were found on.
    position_A
        (2,) or (3,) position of the adatom.
    sites
        From `find_sites` on that slab.
    """
    if not sites:
        raise InputError("there are no sites to compare with; expected those of find_sites")
    cell = atoms.cell[:2, :2]
    reduced = reduce_2d(cell)
    inverse = np.linalg.inv(reduced)
    point = np.asarray(position_A, float)[:2]
    distances = {
        site.label: min(distance_2d((point - np.array(e) @ cell) @ inverse, reduced) for e in site.equivalents)
        for site in sites
    }
    nearest = min(distances, key=lambda label: distances[label])
    return Classification(nearest, distances[nearest])


def _height(point: Array, positions: Array, numbers: Ints, cell: Array, ads: int) -> float:
    for reach in (covalent_radii[numbers] + covalent_radii[ads], np.full(len(numbers), contact_distance_A(numbers, ads))):
        height = sphere_height_A(point, positions, cell, reach)
        if height is not None:
            return height
    raise InputError(f"{chemical_symbols[ads]} would fall through the slab there: no atom is within contact of its column")


def _element(symbol: str) -> int:
    number = atomic_numbers.get(symbol, 0)
    if number == 0:
        raise InputError(f"{symbol!r} is not a chemical element; expected a symbol such as 'Na'")
    return int(number)


def _as_slab(atoms: Atoms) -> tuple[Array, Array]:
    """Return positions with the slab in one piece, lowest atom first seen below the vacuum, and the in-plane cell."""
    if len(atoms) == 0:
        raise InputError("the slab holds no atoms")
    cell = np.asarray(atoms.cell[:], float)
    if abs(np.linalg.det(cell[:2, :2])) < 1e-3 or np.any(np.abs(cell[:2, 2]) > 1e-3):
        raise InputError("the first two cell vectors do not span the x-y plane; turn the slab so that its normal is z")
    positions = np.array(atoms.positions, float)
    if atoms.pbc[2] and abs(cell[2, 2]) > 1e-3:
        fractional = positions[:, 2] / cell[2, 2]
        ordered = np.sort(fractional % 1.0)
        gaps = np.diff(np.append(ordered, ordered[0] + 1.0))
        widest = int(np.argmax(gaps))
        if gaps[widest] * abs(cell[2, 2]) < _SMALLEST_VACUUM_A:
            raise InputError(
                f"the widest gap along the normal is {gaps[widest] * abs(cell[2, 2]):.1f} A: this is a bulk crystal, "
                "expected a slab with vacuum"
            )
        lowest = ordered[(widest + 1) % len(ordered)]
        positions -= np.floor(fractional - lowest + 1e-9)[:, None] * cell[2]
    return positions, cell[:2, :2]


def _orbits(points: list[CriticalPoint], group: PlaneGroup) -> list[tuple[CriticalPoint, Array]]:
    orbits: list[tuple[CriticalPoint, Array]] = []
    for point in points:
        known = any(
            other.kind == point.kind and any(distance_2d(point.fractional - e, group.cell_A) < 1e-2 for e in orbit)
            for other, orbit in orbits
        )
        if not known:
            orbits.append((point, group.orbit(point.fractional, 1e-2)))
    return orbits


def _site(label: str, point: CriticalPoint, orbit: Array, group: PlaneGroup, cell: Array, ads: int) -> Site:
    height = _height(point.fractional @ group.cell_A, group.positions_A, group.numbers, group.cell_A, ads)
    flat = np.linalg.norm(point.corners_A[:, :2], axis=1)
    distances = np.sqrt(flat**2 + (height - group.positions_A[list(point.contacts), 2]) ** 2)
    coordination = _shells([chemical_symbols[group.numbers[atom]] for atom in point.contacts], distances)
    images = _in_cell(orbit, group.cell_A, cell)
    return Site(
        label=label,
        kind=point.kind,
        fractional=images[0],
        multiplicity=len(images),
        free_inplane_dims=group.free_dimensions(point.fractional, 1e-2),
        coordination=coordination,
        equivalents=images,
    )


def _shells(elements: list[str], distances: Array) -> tuple[tuple[str, int, float], ...]:
    shells: list[tuple[str, int, float]] = []
    for element, distance in sorted(zip(elements, (float(d) for d in distances), strict=True), key=lambda p: (p[0], p[1])):
        if shells and shells[-1][0] == element and distance - shells[-1][2] < 0.01:
            shells[-1] = (element, shells[-1][1] + 1, shells[-1][2])
        else:
            shells.append((element, 1, distance))
    nearest_first = sorted(shells, key=lambda shell: (round(shell[2], 3), shell[0]))
    return tuple((element, number, round(distance, 4)) for element, number, distance in nearest_first)


def _in_cell(orbit: Array, small_A: Array, cell_A: Array) -> tuple[tuple[float, float], ...]:
    """Return the images of an orbit of the primitive cell within a larger cell, in a fixed order."""
    ratio = cell_A @ np.linalg.inv(small_A)
    n = round(abs(float(np.linalg.det(ratio))))
    span = range(-int(np.abs(ratio).sum()) - 1, int(np.abs(ratio).sum()) + 2)
    shifts = np.array([(i, j) for i in span for j in span]) @ np.linalg.inv(ratio)
    inside = shifts[np.all((shifts > -1e-6) & (shifts < 1 - 1e-6), axis=1)]
    found = wrap((orbit @ np.linalg.inv(ratio))[:, None, :] + inside[None, :, :]).reshape(-1, 2)
    if len(found) != n * len(orbit):
        raise AssertionError("the translations of the surface cell do not fill the cell of the slab")
    order = np.lexsort((np.round(found[:, 1], 6), np.round(found[:, 0], 6)))
    return tuple((float(x), float(y)) for x, y in found[order])


def _labels(points: list[CriticalPoint], group: PlaneGroup, ads: int) -> list[str]:
    """Name the points; names that are shared get what tells them apart, one feature after the other."""
    layers = layers_from_top(group.positions_A[:, 2])
    elemental = len(np.unique(group.numbers)) == 1
    names = [_name(p, group.numbers, elemental) for p in points]
    features: tuple[Callable[[list[CriticalPoint]], list[str]], ...] = (
        lambda same: [_layers_of(p, layers) for p in same],
        lambda same: [_elements_of(p, group.numbers) for p in same],
        lambda same: _beneath(same, group, layers, elemental),
        _lengths,
        lambda same: _numbered(same, group, ads),
    )
    for feature in features:
        for name in {n for n in names if names.count(n) > 1}:
            same = [i for i, n in enumerate(names) if n == name]
            told = feature([points[i] for i in same])
            if len(set(told)) > 1:
                for i, text in zip(same, told, strict=True):
                    names[i] = _joined(name, text)
    return names


def _joined(name: str, text: str) -> str:
    if not text:
        return name
    if text in {"short", "long"}:
        return f"{text} {name}"
    return f"{name} {text}"


def _name(point: CriticalPoint, numbers: Ints, elemental: bool) -> str:
    kinds = numbers[list(point.contacts)]
    if point.kind == "top":
        return f"top {chemical_symbols[kinds[0]]}"
    if point.kind == "bridge":
        if elemental:
            return "bridge"
        opposite = _opposite(point.corners_A)
        return f"{'-'.join(chemical_symbols[k] for k in sorted(kinds[opposite], key=_by_radius))} bridge"
    return f"{_FOLD.get(len(kinds), str(len(kinds)))}-fold hollow"


def _by_radius(number: int) -> tuple[float, int]:
    return (-float(covalent_radii[number]), int(number))


def _opposite(corners: Array) -> list[int]:
    """Return the two atoms that a bridge rests on: the pair on the most opposite sides."""
    unit = corners[:, :2] / np.linalg.norm(corners[:, :2], axis=1)[:, None]
    first, second = np.unravel_index(np.argmin(unit @ unit.T), (len(unit), len(unit)))
    return [int(first), int(second)]


def _layers_of(point: CriticalPoint, layers: Ints) -> str:
    found = sorted(int(layers[atom]) for atom in point.contacts)
    return f"(layer{'s' if len(found) > 1 else ''} {'-'.join(map(str, found))})"


def _elements_of(point: CriticalPoint, numbers: Ints) -> str:
    counts = Counter(int(numbers[atom]) for atom in point.contacts)
    text = "".join(
        f"{chemical_symbols[k]}{n if n > 1 else ''}" for k, n in sorted(counts.items(), key=lambda c: _by_radius(c[0]))
    )
    return f"({text})"


def _beneath(points: list[CriticalPoint], group: PlaneGroup, layers: Ints, elemental: bool) -> list[str]:
    """Tell hollows apart by the first atom straight below.

    On a hexagonal layer of one element, the hollow over an atom of the next layer is hcp and the other fcc; elsewhere the
    element below is named, and its depth where that is needed.
    """
    if points[0].kind != "hollow":
        return [""] * len(points)
    fractional = group.fractional(group.positions_A)
    below = []
    for point in points:
        lowest = max(int(layers[atom]) for atom in point.contacts)
        column = [
            i
            for i in range(len(layers))
            if layers[i] > lowest and distance_2d(fractional[i] - point.fractional, group.cell_A) < _BENEATH_A
        ]
        below.append(min(column, key=lambda i: int(layers[i])) if column else None)
    top = min(min(int(layers[atom]) for atom in p.contacts) for p in points)
    next_layer = [i is not None and layers[i] == top + 1 for i in below]
    hexagonal = elemental and all(len(p.contacts) == 3 and p.spans_A[-1] < 1.05 * p.spans_A[0] for p in points)
    if hexagonal and len(points) == 2 and sum(next_layer) == 1:
        return ["(hcp)" if over else "(fcc)" for over in next_layer]
    names = ["" if i is None else f"over {chemical_symbols[group.numbers[i]]}" for i in below]
    if len(set(names)) == len(names):
        return names
    tops = [float(p.corners_A[:, 2].max()) for p in points]
    return [
        name if i is None else f"{name} {z - group.positions_A[i, 2]:.1f} A below"
        for name, i, z in zip(names, below, tops, strict=True)
    ]


def _lengths(points: list[CriticalPoint]) -> list[str]:
    longest = [round(p.spans_A[-1], 2) if p.spans_A else 0.0 for p in points]
    if len(points) == 2 and points[0].kind == "bridge" and longest[0] != longest[1]:
        return ["short" if length == min(longest) else "long" for length in longest]
    return [f"({length:.2f} A)" for length in longest]


def _numbered(points: list[CriticalPoint], group: PlaneGroup, ads: int) -> list[str]:
    """Give numbers to sites that only their wider surroundings tell apart, in the order of the distances to atoms near."""
    reach = 2 * contact_distance_A(group.numbers, ads)
    depth = group.positions_A[:, 2].max() - group.positions_A[:, 2]
    keys = []
    for point in points:
        centre = point.fractional @ group.cell_A
        images, owner = images_around(group.positions_A, group.cell_A, reach, centre[None, :])
        flat = np.linalg.norm(images[:, :2] - centre, axis=1)
        rows = zip(flat.round(2), depth[owner].round(2), group.numbers[owner], strict=True)
        keys.append(sorted((float(f), float(d), int(z)) for f, d, z in rows if d < reach))
    order = sorted(range(len(points)), key=lambda i: keys[i])
    return [str(order.index(i) + 1) for i in range(len(points))]
