"""Surfaces of equal density difference around an adatom: for the viewer of a page, and drawn flat in a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.isosurface import Mesh, isosurface, level_holding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

ACCUMULATION, DEPLETION = "#f2d60d", "#23c4d9"
# The attachment that holds all surfaces.
SURFACES = "density-difference.surfaces.json"
# Of the surfaces: coarse enough for a page, fine enough for the eye.
_MESH_A = 0.25
# What the surfaces of the default level hold, or more, of what accumulates and of what is depleted, over all sites.
HELD_PART = 0.5
BOHR_PER_A = 1.0 / 0.529177210903
_TURN_DEG, _TILT_DEG = -28.0, -78.0
_BALL = 8


def common_level(fields: Sequence[Field]) -> float:
    """Return the highest level (e/A3) whose surfaces hold half of what accumulates, and half of what is depleted."""
    values = np.concatenate([field.values.ravel() for field in fields])
    return min(level_holding(values, HELD_PART), level_holding(-values, HELD_PART))


def held_part(field: Field, level: float) -> float:
    """Return what part of the accumulation lies within its surface of a level."""
    positive = field.values[field.values > 0]
    return float(positive[positive > level].sum() / positive.sum()) if len(positive) else 0.0


def centred(atoms: Atoms, field: Field) -> tuple[Atoms, Field, Array]:
    """Return atoms and field with the last atom in the middle of the plane, and the rest of a step that the field lacks."""
    moved = atoms.copy()
    fractional = moved.get_scaled_positions(wrap=False)
    by = np.array([0.5, 0.5, 0.0]) - np.array([*fractional[-1, :2], 0.0])
    fractional += by
    edge = 1e-3
    fractional[:, :2] = (fractional[:, :2] + edge) % 1.0 - edge
    moved.set_scaled_positions(fractional)
    whole = np.rint(by * np.array(field.shape)).astype(int)
    rolled = field.moved((int(whole[0]), int(whole[1]), 0))
    return moved, rolled, (by - whole / np.array(field.shape)) @ field.cell_A


def surfaces(atoms: Atoms, difference: Field, level: float) -> tuple[Atoms, dict[str, Mesh]]:
    """Return the atoms around the adatom, and the surfaces of accumulation and depletion in their frame."""
    moved, field, rest = centred(atoms, difference.thinned(_MESH_A))
    negative = Field(-field.values, field.cell_A)
    return moved, {
        "accumulation": isosurface(field, level).moved(rest),
        "depletion": isosurface(negative, level).moved(rest),
    }


def as_attachment(found: Mapping[str, Mapping[str, Mesh]], level: float) -> str:
    """Return surfaces by the title of their structure as the JSON text that the report's viewer reads."""
    looks = {"accumulation": ("+", ACCUMULATION), "depletion": ("−", DEPLETION)}
    data = {
        title: [
            {"label": f"{name}, {looks[name][0]}{level:.3g} e/Å³", "colour": looks[name][1], **mesh.packed()}
            for name, mesh in meshes.items()
        ]
        for title, meshes in found.items()
    }
    return json.dumps({"surfaces": data}, separators=(",", ":"), ensure_ascii=False)


def cube(atoms: Atoms, field: Field, comment: str) -> str:
    """Return a field as a Gaussian cube file (bohr, electrons per cubic bohr), which VESTA and others open."""
    lines = [comment.replace("\n", " "), "electrons per cubic bohr; lengths in bohr"]
    lines.append(f"{len(atoms):5d} {0.0:11.6f} {0.0:11.6f} {0.0:11.6f}")
    for n, step in zip(field.shape, field.steps_A * BOHR_PER_A, strict=True):
        lines.append(f"{n:5d} " + " ".join(f"{x:11.6f}" for x in step))
    for number, place in zip(atoms.numbers, atoms.positions * BOHR_PER_A, strict=True):
        lines.append(f"{number:5d} {float(number):11.6f} " + " ".join(f"{x:11.6f}" for x in place))
    values = field.values / BOHR_PER_A**3
    for row in values.reshape(-1, field.shape[2]):
        lines += [" ".join(f"{x:12.5e}" for x in row[i : i + 6]) for i in range(0, len(row), 6)]
    return "\n".join(lines) + "\n"


def draw_scene(ax: Axes, atoms: Atoms, meshes: Mapping[str, Mesh]) -> None:
    """Draw atoms and surfaces as seen from the side, a little from above, into axes without a frame."""
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    turn = _rotation()
    colour_of = {"accumulation": to_rgb(ACCUMULATION), "depletion": to_rgb(DEPLETION)}
    parts = [
        (mesh.vertices_A[mesh.triangles] @ turn.T, np.array(colour_of[name]))
        for name, mesh in meshes.items()
        if len(mesh.triangles)
    ]
    ball = _ball()
    for number, place in zip(atoms.numbers, atoms.positions, strict=True):
        radius = 0.42 * covalent_radii[number] + 0.12
        parts.append((ball * radius + place @ turn.T, np.array(jmol_colors[number])))
    corners, colours = [], []
    for triangles, colour in parts:
        normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        length = np.linalg.norm(normal, axis=1)
        keep = length > 1e-9
        # a surface cut by the border of the cell shows its inside, lit as its outside
        light = np.abs(normal[keep] @ np.array([-0.35, 0.45, 0.82])) / length[keep]
        shade = 0.5 + 0.5 * light
        corners.append(triangles[keep])
        colours.append(np.clip(colour * shade[:, None] + 0.12 * (light[:, None] ** 8), 0.0, 1.0))
    every, colour = np.concatenate(corners), np.concatenate(colours)
    order = np.argsort(every[:, :, 2].mean(axis=1))
    faces = PolyCollection(
        list(every[order][:, :, :2]), facecolors=colour[order], edgecolors=colour[order], linewidths=0.15, rasterized=True
    )
    ax.add_collection(faces)
    low, high = every[:, :, :2].min(axis=(0, 1)), every[:, :, :2].max(axis=(0, 1))
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    ax.set_aspect("equal")
    ax.set_axis_off()


def _rotation() -> Array:
    around, tilt = np.radians(_TURN_DEG), np.radians(_TILT_DEG)
    c, s = np.cos(around), np.sin(around)
    spin = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(tilt), np.sin(tilt)
    return np.asarray(np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ spin)


def _ball() -> Array:
    """Return the triangles (n, 3, 3) of the half of a unit sphere that looks at the eye."""
    polar = np.linspace(0.0, np.pi / 2, _BALL + 1)
    around = np.linspace(0.0, 2 * np.pi, 4 * _BALL + 1)
    p, a = np.meshgrid(polar, around, indexing="ij")
    points = np.stack([np.sin(p) * np.cos(a), np.sin(p) * np.sin(a), np.cos(p)], axis=-1)
    one = np.stack([points[:-1, :-1], points[1:, :-1], points[1:, 1:]], axis=2)
    two = np.stack([points[:-1, :-1], points[1:, 1:], points[:-1, 1:]], axis=2)
    return np.concatenate([one, two]).reshape(-1, 3, 3)


def read_attachment(text: str) -> dict[str, dict[str, Any]]:
    """Return the surfaces of each structure, by its title and by the first word of their label."""
    data: dict[str, list[dict[str, Any]]] = json.loads(text)["surfaces"]
    return {
        title: {str(one["label"]).partition(",")[0]: Mesh.unpacked(one) for one in meshes} for title, meshes in data.items()
    }
