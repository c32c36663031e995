"""Structures of a result, from their xyz text: what the viewer of the page needs, and flat drawings for paper."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from markupsafe import Markup, escape

from sodiophile.errors import InputError
from sodiophile.report.surfaces import Surface

# element: colour, covalent radius in A (B. Cordero et al., Dalton Trans. 2008, 2832, doi:10.1039/b801115j)
_LOOK = {
    "H": ("#d9d9d9", 0.31), "Li": ("#b08cd9", 1.28), "B": ("#e8a79b", 0.84), "C": ("#4d4d4d", 0.76),
    "N": ("#3f6fd1", 0.71), "O": ("#d7403a", 0.66), "F": ("#7cc15a", 0.57), "Na": ("#f0b429", 1.66),
    "Mg": ("#7fbf3f", 1.41), "Al": ("#b3a5a5", 1.21), "Si": ("#d9b98c", 1.11), "P": ("#e88630", 1.07),
    "S": ("#d9c52b", 1.05), "Cl": ("#3fae5a", 1.02), "K": ("#8f40d4", 2.03), "Ca": ("#58a12e", 1.76),
    "Ti": ("#8d99a6", 1.60), "V": ("#8a939c", 1.53), "Cr": ("#7a8fbf", 1.39), "Mn": ("#9c7ac7", 1.39),
    "Fe": ("#c9703a", 1.32), "Co": ("#d98294", 1.26), "Ni": ("#5fb36b", 1.24), "Cu": ("#c07a3d", 1.32),
    "Zn": ("#7d80b0", 1.22), "Ga": ("#b98a8a", 1.22), "Ge": ("#668f8f", 1.20), "Se": ("#d99a2b", 1.20),
    "Br": ("#a64a2a", 1.20), "Zr": ("#79b8b8", 1.75), "Nb": ("#6fa8b5", 1.64), "Mo": ("#54a3a8", 1.54),
    "Ag": ("#a8a8b0", 1.45), "Sn": ("#66808f", 1.39), "Sb": ("#9e63b5", 1.39), "Te": ("#c97a1a", 1.38),
    "I": ("#8a1f94", 1.39), "Hf": ("#5fa8d6", 1.75), "Ta": ("#5f9ed6", 1.70), "W": ("#4a86bf", 1.62),
    "Pt": ("#a9a9bf", 1.36), "Au": ("#d9b32b", 1.36), "Bi": ("#8a5fb0", 1.48), "Cs": ("#57178f", 2.44),
    "Rb": ("#702eb0", 2.20),
}  # fmt: skip
_UNKNOWN = ("#b0a0b8", 1.40)
_ADSORBED = {"colour": "#d55e00"}

# of a molecule of water upwards; a bond is drawn where two different elements are closer than this times their radii
_BOND = 1.18
MOST_ATOMS = 4000
MOST_FRAMES = 40
_MOST_BONDED = 1500

_PAIR = re.compile(r"""([A-Za-z_][\w-]*)=(?:"([^"]*)"|'([^']*)'|(\S+))""")
_ELEMENT = re.compile(r"[A-Z][a-z]?")


@dataclass(frozen=True)
class Structure:
    """Atoms, ready to be drawn.

    Parameters
    ----------
    name
        What it shows.
    symbols
        Element of each atom.
    positions_A
        Shape (atoms, 3).
    cell_A
        Shape (3, 3), rows are the vectors; None for a molecule.
    adsorbed
        Shape (atoms,); True where the file tags an atom as adsorbate (tag 0 beside other tags, as ASE does).
    periodic
        Along which vectors the cell repeats.
    surfaces
        Around the atoms, for the viewer.
    """

    name: str
    symbols: tuple[str, ...]
    positions_A: np.ndarray
    cell_A: np.ndarray | None
    adsorbed: np.ndarray
    periodic: tuple[bool, bool, bool] = (False, False, False)
    surfaces: tuple[Surface, ...] = ()

    def centred(self) -> Structure:
        """Return the same structure with its adsorbate in the middle of the cell, its neighbours around it.

        All atoms move by one vector along the periodic directions of the surface and are folded back into the cell.
        """
        if self.cell_A is None or not self.adsorbed.any():
            return self
        fractional = np.linalg.solve(self.cell_A.T, self.positions_A.T).T
        along = [axis for axis in (0, 1) if self.periodic[axis]]
        # of the first adsorbate: the mean of several could lie between them and their images
        fractional[:, along] += 0.5 - fractional[np.argmax(self.adsorbed), along]
        edge = 1e-3  # an atom on the edge of the cell stays there, whatever the last digit of its place
        fractional[:, along] = (fractional[:, along] + edge) % 1.0 - edge
        return replace(self, positions_A=fractional @ self.cell_A)

    @property
    def formula(self) -> str:
        """Elements and their numbers, in the order in which they appear: ``V16 N16 Na1``."""
        return " ".join(f"{symbol}{self.symbols.count(symbol)}" for symbol in dict.fromkeys(self.symbols))

    @property
    def labels(self) -> tuple[str, ...]:
        """What each atom is called in the legend."""
        return tuple(
            f"{symbol} (adsorbed)" if adsorbed else symbol
            for symbol, adsorbed in zip(self.symbols, self.adsorbed, strict=True)
        )

    def kinds(self) -> list[dict[str, Any]]:
        """Return label, colour and radius (A) of each kind of atom, in the order in which they appear."""
        out = []
        for label, symbol in dict(zip(self.labels, self.symbols, strict=True)).items():
            colour, radius_A = _LOOK.get(symbol, _UNKNOWN)
            # an adsorbate that is no other element than its substrate would be lost in it
            if label != symbol and symbol in self.labels:
                colour = _ADSORBED["colour"]
            out.append({"label": label, "element": symbol, "colour": colour, "radius": round(0.42 * radius_A + 0.12, 3)})
        return out

    def bonds(self) -> list[tuple[int, int]]:
        """Return the pairs of atoms of different elements that touch; none for a very large structure."""
        count = len(self.symbols)
        if count > _MOST_BONDED or len(set(self.symbols)) < 2:
            return []
        radii_A = np.array([_LOOK.get(symbol, _UNKNOWN)[1] for symbol in self.symbols])
        number = np.array([list(dict.fromkeys(self.symbols)).index(symbol) for symbol in self.symbols])
        apart_A = np.linalg.norm(self.positions_A[:, None] - self.positions_A[None], axis=-1)
        near = (apart_A < _BOND * (radii_A[:, None] + radii_A[None])) & (number[:, None] != number[None])
        near &= ~(
            self.adsorbed[:, None] | self.adsorbed[None]
        )  # whether an adsorbate is bonded is not for a drawing to say
        first, second = np.nonzero(np.triu(near, 1))
        return list(zip(first.tolist(), second.tolist(), strict=True))

    def for_viewer(self) -> dict[str, Any]:
        """Return what the script of the page draws: kinds, atoms (kind, x, y, z in A), bonds, cell, surfaces."""
        kinds = self.kinds()
        index = {kind["label"]: number for number, kind in enumerate(kinds)}
        atoms = [
            [index[label], *(round(float(x), 4) for x in place)]
            for label, place in zip(self.labels, self.positions_A, strict=True)
        ]
        cell = None if self.cell_A is None else [[round(float(x), 4) for x in vector] for vector in self.cell_A]
        return {
            "name": self.name,
            "kinds": kinds,
            "atoms": atoms,
            "bonds": self.bonds(),
            "cell": cell,
            "surfaces": [surface.for_viewer() for surface in self.surfaces],
        }


def read_xyz(text: str, name: str) -> list[Structure]:
    """Read xyz or extended xyz text, one structure a frame.

    Parameters
    ----------
    text
        The file.
    name
        Its name without the ending; a frame's own ``title``, ``name``, ``label`` or ``site`` goes before it.

    Raises
    ------
    InputError
        If the text is not xyz, or is larger than a page can show.
    """
    lines = text.splitlines()
    out: list[Structure] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        if len(out) == MOST_FRAMES:
            raise InputError(f"more than {MOST_FRAMES} structures, which a page cannot show", name)
        try:
            count = int(lines[at])
        except ValueError:
            raise InputError(f"line {at + 1}: found {lines[at][:40]!r}, expected the number of atoms", name) from None
        if not 0 < count <= MOST_ATOMS:
            raise InputError(f"line {at + 1}: {count} atoms, expected 1 to {MOST_ATOMS}", name)
        if at + 2 + count > len(lines):
            raise InputError(f"line {at + 1}: {count} atoms announced, but only {len(lines) - at - 2} lines follow", name)
        out.append(_frame(lines[at + 1], lines[at + 2 : at + 2 + count], at + 3, name))
        at += 2 + count
    if not out:
        raise InputError("no structure in it", name)
    if len(out) > 1:
        out = [
            replace(one, name=f"{name} {number}") if one.name == name else one for number, one in enumerate(out, start=1)
        ]
    return out


def _frame(comment: str, rows: Sequence[str], first_line: int, name: str) -> Structure:
    pairs = {
        match[1].lower(): next(text for text in match.groups()[1:] if text is not None) for match in _PAIR.finditer(comment)
    }
    columns = _columns(pairs.get("properties", "species:S:1:pos:R:3"))
    symbols, places, tags = [], [], []
    for number, row in enumerate(rows, start=first_line):
        fields = row.split()
        try:
            symbol = fields[columns["species"]]
            place = [float(fields[columns["pos"] + axis]) for axis in range(3)]
            tags.append(int(fields[columns["tags"]]) if "tags" in columns else 1)
        except (IndexError, ValueError, KeyError):
            raise InputError(
                f"line {number}: found {row[:60]!r}, expected an element and three coordinates", name
            ) from None
        if not _ELEMENT.fullmatch(symbol) or not all(math.isfinite(x) and abs(x) < 1e5 for x in place):
            raise InputError(f"line {number}: found {row[:60]!r}, expected an element and three finite coordinates", name)
        symbols.append(symbol)
        places.append(place)
    adsorbed = np.array(tags) == 0
    if adsorbed.all():
        adsorbed[:] = False
    own = next((pairs[key] for key in ("title", "name", "label", "site") if pairs.get(key)), name)
    cell_A = _cell(pairs.get("lattice"), name)
    flags = pairs.get("pbc", "T T T" if cell_A is not None else "").upper().split()
    periodic = (flags[0][0] == "T", flags[1][0] == "T", flags[2][0] == "T") if len(flags) == 3 else (False, False, False)
    return Structure(own, tuple(symbols), np.array(places), cell_A, adsorbed, periodic)


def _columns(properties: str) -> dict[str, int]:
    """Return at which field each property of extended xyz starts."""
    parts = properties.split(":")
    starts, at = {}, 0
    for title, width in zip(parts[0::3], parts[2::3], strict=False):
        starts[title] = at
        at += int(width) if width.isdigit() else 1
    return starts


def _cell(lattice: str | None, name: str) -> np.ndarray | None:
    if lattice is None:
        return None
    try:
        cell_A = np.array([float(x) for x in lattice.split()]).reshape(3, 3)
    except ValueError:
        raise InputError(f"Lattice={lattice[:80]!r}, expected nine numbers", name) from None
    return cell_A if np.isfinite(cell_A).all() and abs(np.linalg.det(cell_A)) > 1e-6 else None


def _turned(view: str) -> np.ndarray:
    """Return the rotation from the structure to the paper: x to the right, y up, z to the eye."""
    if view == "top":
        return np.eye(3)
    around, tilt = math.radians(-28.0), math.radians(-76.0)
    c, s = math.cos(around), math.sin(around)
    spin = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = math.cos(tilt), math.sin(tilt)
    return cast("np.ndarray", np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ spin)


def flat(structure: Structure, view: str = "side") -> Markup:
    """Draw a structure on paper: an SVG of balls, sticks and the unit cell, seen from the side or from the top.

    Parameters
    ----------
    structure
        What to draw.
    view
        ``side`` (a little from above) or ``top`` (along the third axis).
    """
    turn = _turned(view)
    seen = structure.positions_A @ turn.T
    kinds = {kind["label"]: kind for kind in structure.kinds()}
    radii = [kinds[label]["radius"] for label in structure.labels]
    margin = max(radii) + 0.7
    low, high = seen.min(axis=0) - margin, seen.max(axis=0) + margin
    strokes: list[tuple[float, str]] = []
    if structure.cell_A is not None:
        strokes += _cell_lines(structure.cell_A @ turn.T)
        if view == "top":  # all of the cell fits; from the side most of it is vacuum
            corners = np.array([[i, j, 0] for i in (0, 1) for j in (0, 1)]) @ structure.cell_A @ turn.T
            low, high = np.minimum(low, corners.min(axis=0) - 0.3), np.maximum(high, corners.max(axis=0) + 0.3)
    depth_range = max(float(np.ptp(seen[:, 2])), 1e-6)
    for first, second in structure.bonds():
        strokes.append((float(min(seen[first, 2], seen[second, 2])), _line(seen[first], seen[second], "#9a9a9a", 0.16)))
    for place, label, radius in zip(seen, structure.labels, radii, strict=True):
        far = 0.45 * float(seen[:, 2].max() - place[2]) / depth_range if depth_range > 1 else 0.0
        ball = (
            f'<circle cx="{place[0]:.2f}" cy="{-place[1]:.2f}" r="{radius:.2f}" '
            f'fill="{_paler(kinds[label]["colour"], far)}" stroke="#333" stroke-width="0.05"/>'
        )
        strokes.append((float(place[2]) + 0.01, ball))
    body = "".join(stroke for _, stroke in sorted(strokes, key=lambda pair: pair[0]))
    width, height = high[0] - low[0], high[1] - low[1]
    title = escape(f"{structure.name}, seen from the {view}: {structure.formula}")
    return Markup(  # noqa: S704 numbers, our own colours, and an escaped title
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" '
        f'viewBox="{low[0]:.2f} {-high[1]:.2f} {width:.2f} {height:.2f}">{body}</svg>'
    )


def _cell_lines(cell: np.ndarray) -> list[tuple[float, str]]:
    out = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        for i in (0, 1):
            for j in (0, 1):
                a = i * cell[others[0]] + j * cell[others[1]]
                b = a + cell[axis]
                out.append((float(min(a[2], b[2])), _line(a, b, "#777", 0.06)))
    return out


def _line(start: np.ndarray, end: np.ndarray, colour: str, width: float) -> str:
    return (
        f'<line x1="{start[0]:.2f}" y1="{-start[1]:.2f}" x2="{end[0]:.2f}" y2="{-end[1]:.2f}" '
        f'stroke="{colour}" stroke-width="{width}"/>'
    )


def _paler(colour: str, share: float) -> str:
    """Mix a colour with white: what is far is paler."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)
