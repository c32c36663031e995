"""The figure of a charge-density result: surfaces of accumulation and depletion at every site, and the sums of planes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
_GREY = "#6b6b6b"
_MOST_PICTURES = 5
_LONG = 12
# Of the height of the axes: where the sums of planes end and the pictures begin.
_PLANES_TO, _PICTURES_FROM = 0.38, 0.50


def draw(result: Result, ax: Axes) -> None:
    """Draw the surfaces at up to five sites above, the planar sums of the differences at all of them below.

    Parameters
    ----------
    result
        Of the kind ``charge-density``.
    ax
        Divided among the parts.
    """
    ax.set_axis_off()
    sites = result.table("sites").to_dicts()
    _pictures(result, [row["site"] for row in sites][:_MOST_PICTURES], ax)
    planes = ax.inset_axes((0.0, 0.0, 1.0, _PLANES_TO))
    table = result.table("planes")
    planes.axhline(0.0, color=_GREY, linewidth=0.6)
    planes.axvline(0.0, color=_GREY, linewidth=0.6, linestyle=(0, (4, 2)))
    for i, row in enumerate(sites):
        one = table.filter(table["site"] == row["site"])
        colour = _COLOURS[i % len(_COLOURS)]
        planes.plot(one["height_A"], one["difference_e_per_A"], color=colour, linewidth=0.9, label=row["site"])
        planes.plot(row["adatom_height_A"], 0.0, "o", color=colour, markersize=3.0)
    heights = [row["adatom_height_A"] for row in sites]
    planes.set_xlim(-6.0, max(heights) + 4.0)
    planes.set_xlabel("height above the top layer (Å)", fontsize=7)
    planes.set_ylabel("Δn (e/Å)", fontsize=7)
    planes.tick_params(labelsize=6.5)
    if len(sites) > 1:
        planes.legend(fontsize=5.5, loc="upper left", frameon=False, borderpad=0.1, labelspacing=0.25, handlelength=1.2)


def _pictures(result: Result, labels: list[str], ax: Axes) -> None:
    from ase.io.extxyz import read_xyz

    from sodiophile.atomistic.charge_density_pictures import (
        ACCUMULATION,
        DEPLETION,
        SURFACES,
        draw_scene,
        read_attachment,
    )

    meshes = read_attachment(result.attachments[SURFACES])
    frames = {}
    for name, text in result.attachments.items():
        if name.endswith(".xyz"):
            atoms = next(iter(read_xyz(io.StringIO(text), 0)))
            frames[str(atoms.info["title"])] = atoms
    titles = [next(title for title in frames if title.endswith(f", {label}")) for label in labels]
    width = 1.0 / max(len(titles), 2)
    for i, (title, label) in enumerate(zip(titles, labels, strict=True)):
        picture = ax.inset_axes((i * width, _PICTURES_FROM, width, 0.93 - _PICTURES_FROM))
        draw_scene(picture, frames[title], meshes[title])
        picture.set_title(_wrapped(label), fontsize=6.5, pad=2, linespacing=0.95)
    level = result.table("surfaces")["level_e_per_A3"][0]
    words = {"accumulation": (ACCUMULATION, "+", 0.0), "depletion": (DEPLETION, "−", 0.55)}
    for name, (colour, sign, x) in words.items():
        ax.plot([x + 0.02], [0.445], "s", color=colour, markersize=5, transform=ax.transAxes, clip_on=False)
        text = f"{name}, {sign}{level:.2g} e/Å$^3$"
        ax.text(x + 0.05, 0.445, text, transform=ax.transAxes, fontsize=6.5, va="center", ha="left")


def _wrapped(label: str) -> str:
    """Return a label in two lines where one would reach into the next picture."""
    first, _, last = label.rpartition(" ")
    return f"{first}\n{last}" if first and len(label) > _LONG else label
