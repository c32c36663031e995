"""Crystal structures from files and from the tables of elements, checked before anything is computed from them."""

from __future__ import annotations

import io
import warnings
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers, chemical_symbols, covalent_radii
from ase.neighborlist import neighbor_list

from sodiophile.errors import InputError
from sodiophile.records import refuse_special

MAX_BYTES = 2_000_000
MAX_LINES = 20_000
SMALLEST_HEIGHT_A = 1.0
LARGEST_LENGTH_A = 1000.0
# Between the sheets of layered crystals 3 to 4 are empty, between planes of the largest atoms, caesium, 4.4.
LARGEST_GAP_A = 6.0
# A hydrogen molecule, the tightest bond there is against its radii, stands at 1.19; strained real bonds stay above 0.75.
OVERLAP_FRACTION = 0.6

_FORMATS = {".cif": "cif", ".vasp": "vasp", ".poscar": "vasp", ".contcar": "vasp", ".extxyz": "extxyz", ".xyz": "extxyz"}


def read_structure(path: str | Path) -> Atoms:
    """Read one periodic structure from a CIF, POSCAR or (extended) XYZ file.

    Only these text formats are read, by the name of the file; nothing in a file is ever executed, and no other file is
    opened on its behalf.

    Parameters
    ----------
    path
        ``*.cif``, ``POSCAR``/``CONTCAR`` (also with an ending) or ``*.vasp``, ``*.xyz``/``*.extxyz`` with a ``Lattice``.

    Returns
    -------
    ase.Atoms
        Positions and cell in angstrom, periodic as the file says (in three directions when it says nothing).

    Raises
    ------
    InputError
        If the file is missing, too large, of another format, damaged, empty, without a cell, holds several structures,
        sites of partial occupancy or overlapping atoms.
    """
    path = Path(path)
    refuse_special(path)
    if path.is_dir():
        raise InputError("is no file; expected a structure file", path)
    kind = _format(path)
    text = _text(path)
    if kind == "vasp":
        _require_elements(text, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            images = _parse(text, kind)
    except InputError as error:
        raise InputError(str(error), path) from None
    except Exception as error:  # noqa: BLE001  whatever a damaged file makes the parser raise, the file is at fault
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"cannot be read as {kind}; it is damaged or cut off ({reason})", path) from None
    if not images:
        raise InputError(f"holds no structure; expected a whole {kind} file", path)
    if len(images) != 1:
        raise InputError(f"holds {len(images)} structures, expected one; save the one that is meant", path)
    atoms = images[0]
    _check_complete(atoms, path)
    if kind == "cif":
        _check_occupancy(atoms, path)
    check_overlap(atoms, path)
    return Atoms(atoms.get_chemical_symbols(), atoms.get_positions(), cell=atoms.cell[:], pbc=atoms.pbc)


def metal_crystal(element: str, *, primitive: bool = False) -> Atoms:
    """Return the bulk crystal of a metal in its reference structure and lattice constant.

    Parameters
    ----------
    element
        Chemical symbol.
    primitive
        The primitive cell instead of the conventional one.

    Returns
    -------
    ase.Atoms
        Structure and lattice constants (angstrom) of ``ase.data.reference_states`` (Ashcroft and Mermin,
        Solid State Physics, 1976): experimental, to be relaxed with the engine that is used.

    Raises
    ------
    InputError
        If the element is unknown or its reference state is not a crystal that can be built.
    """
    if element not in atomic_numbers or atomic_numbers[element] == 0:
        raise InputError(f"{element!r} is not a chemical element; expected a symbol such as 'Na'")
    try:
        cell = bulk(element)
    except (ValueError, RuntimeError, KeyError, NotImplementedError, AssertionError):
        raise InputError(
            f"no reference crystal of {element} is tabulated in a form that can be built; give its structure as a file"
        ) from None
    if primitive:
        return cell
    try:
        return bulk(element, cubic=True)
    except (ValueError, RuntimeError, AssertionError):
        return cell


def element_crystal(element: str) -> Atoms | None:
    """Return the crystal of an element from the same table, None where there is none: a gas, or a structure too large."""
    try:
        return metal_crystal(element)
    except InputError:
        return None


def crystal_named(structure: str) -> Atoms:
    """Return the crystal in a file, or of a metal given by its symbol.

    Raises
    ------
    InputError
        If it is neither, the file is at fault, or what it holds is a slab, a sheet or a molecule in an empty cell.
    """
    if Path(structure).is_file():
        crystal = read_structure(structure)
        _check_filled(crystal, structure)
        return crystal
    if structure in chemical_symbols[1:]:
        return metal_crystal(structure)
    if not Path(structure).suffix and structure.capitalize() in chemical_symbols[1:]:
        raise InputError(f"found {structure!r}; did you mean {structure.capitalize()!r}?", "structure")
    if not Path(structure).exists():
        raise InputError(
            f"found {structure!r}, which is neither a file nor the symbol of a metal such as 'Na'", "structure"
        )
    return read_structure(structure)


def check_overlap(atoms: Atoms, where: object = "") -> None:
    """Refuse atoms closer than 0.6 of the sum of their covalent radii, periodic images included.

    Raises
    ------
    InputError
        Naming the closest such pair and its distance.
    """
    radii = covalent_radii[atoms.numbers]
    cutoffs = OVERLAP_FRACTION * radii
    first, second, distances = neighbor_list("ijd", atoms, list(cutoffs))
    if len(first) == 0:
        return
    worst = int(np.argmin(distances / (radii[first] + radii[second])))
    i, j = sorted((int(first[worst]), int(second[worst])))
    limit = cutoffs[i] + cutoffs[j]
    pair = f"{chemical_symbols[atoms.numbers[i]]} (atom {i + 1}) and {chemical_symbols[atoms.numbers[j]]} (atom {j + 1})"
    raise InputError(
        f"{pair} overlap: they are {distances[worst]:.2f} angstrom apart, expected more than {limit:.2f}; "
        "check the cell and the units",
        where,
    )


def formula(numbers: np.ndarray) -> str:
    """Return the reduced formula of some atoms, larger covalent radius (the metal, as a rule) first: ``VN``, ``TiO2``."""
    elements, counts = np.unique(np.asarray(numbers, int), return_counts=True)
    divisor = gcd(*(int(n) for n in counts))
    by_radius = sorted(zip(elements, counts, strict=True), key=lambda pair: (-covalent_radii[pair[0]], pair[0]))
    return "".join(f"{chemical_symbols[e]}{n // divisor if n > divisor else ''}" for e, n in by_radius)


def _format(path: Path) -> str:
    name = path.name.lower()
    if name.startswith(("poscar", "contcar")):
        return "vasp"
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"ends in {path.suffix or 'nothing'!r}, expected .cif, POSCAR, .vasp, .extxyz or .xyz", path)
    return kind


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be opened ({error.strerror}); expected a structure file", path) from None
    if len(raw) > MAX_BYTES:
        raise InputError(f"is larger than {MAX_BYTES // 10**6} MB, expected one structure", path)
    if not raw.strip():
        raise InputError("is empty, expected a structure", path)
    if b"\0" in raw:
        raise InputError("is binary, expected text", path)
    if raw.count(b"\n") > MAX_LINES:
        raise InputError(f"has more than {MAX_LINES} lines, expected one structure", path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _require_elements(text: str, path: Path) -> None:
    """Refuse a POSCAR of the old kind: without symbols, the parser would look for other files beside it."""
    lines = text.splitlines()
    symbols = lines[5].split() if len(lines) > 5 else []
    if not symbols or symbols[0].isdigit():
        raise InputError("does not name its elements in line 6 (the format of VASP 4); add them above the counts", path)


def _parse(text: str, kind: str) -> list[Atoms]:
    file = io.StringIO(text)
    if kind == "cif":
        from ase.io.cif import parse_cif

        blocks = [block for block in parse_cif(file) if block.has_structure()]
        images = [block.get_atoms(fractional_occupancies=True) for block in blocks]
        for block, atoms in zip(blocks, images, strict=True):
            if not atoms.info.get("occupancy"):
                _check_shared_places(block, atoms)
        return images
    if kind == "vasp":
        from ase.io.vasp import read_vasp

        return [read_vasp(file)]
    from ase.io.extxyz import read_extxyz

    return list(read_extxyz(file, index=slice(None)))


def _check_filled(atoms: Atoms, path: str) -> None:
    """Refuse a cell with more empty height along one of its axes than layers of a crystal leave between them."""
    heights_A = 1 / np.linalg.norm(np.linalg.inv(atoms.cell[:]), axis=0)
    for axis, height_A, places in zip("abc", heights_A, atoms.get_scaled_positions().T, strict=True):
        along = np.sort(places)
        gap_A = height_A * np.diff(along, append=along[0] + 1).max()
        if gap_A > LARGEST_GAP_A:
            raise InputError(
                f"holds no atoms over {gap_A:.1f} angstrom along {axis}: a slab, a sheet or a molecule; expected a bulk "
                "crystal (slabs are cut from it, also single sheets: layers = those of one)",
                path,
            )


def _check_shared_places(block: Any, atoms: Atoms) -> None:
    """Refuse two elements at one place: without occupancies, the parser keeps the first of them and drops the other."""
    listed = block.get_unsymmetrized_structure()
    symbols, places = np.array(listed.get_chemical_symbols()), listed.get_scaled_positions(wrap=False)
    spacegroup = block.get_spacegroup(subtrans_included=True)
    for element in sorted(set(symbols)):
        own, _ = spacegroup.equivalent_sites(places[symbols == element], onduplicates="keep")
        if len(own) > np.count_nonzero(atoms.symbols == element):
            raise InputError(f"lists {element} at a place of another element; expected an ordered structure")


def _check_complete(atoms: Atoms, path: Path) -> None:
    if len(atoms) == 0:
        raise InputError("holds no atoms", path)
    if not (np.all(np.isfinite(atoms.positions)) and np.all(np.isfinite(atoms.cell[:]))):
        raise InputError("holds positions or cell vectors that are not finite numbers", path)
    if atoms.cell.rank < 3 or atoms.cell.volume < 1.0:
        raise InputError('has no unit cell; expected three lattice vectors (in an .xyz file: Lattice="...")', path)
    heights_A = 1 / np.linalg.norm(np.linalg.inv(atoms.cell[:]), axis=0)
    if heights_A.min() < SMALLEST_HEIGHT_A or atoms.cell.lengths().max() > LARGEST_LENGTH_A:
        raise InputError(
            f"has a cell of {heights_A.min():.3g} to {atoms.cell.lengths().max():.3g} angstrom, expected "
            f"{SMALLEST_HEIGHT_A:g} to {LARGEST_LENGTH_A:g}; check its units and angles",
            path,
        )
    if np.any(atoms.numbers == 0):
        raise InputError("holds atoms of no known element", path)


def _check_occupancy(atoms: Atoms, path: Path) -> None:
    """Refuse sites of a CIF that are not wholly of one element; what is not given ('.' and '?') counts as whole."""
    for site in (atoms.info.get("occupancy") or {}).values():
        for element, fraction in site.items():
            whole = fraction in {".", "?"} or (isinstance(fraction, int | float) and fraction >= 0.999)
            if not whole or len(site) > 1:
                raise InputError(f"has partly occupied sites ({element} {fraction}); expected an ordered structure", path)
