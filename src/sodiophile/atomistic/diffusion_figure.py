"""The figure of a diffusion result: energy along each hop, and where the hops are on the surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# M. Okabe and K. Ito, Color Universal Design (2008)
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_GREY, _ATOM, _BELOW = "#6b6b6b", "#c9c9c9", "#ececec"


def draw(result: Result, ax: Axes) -> None:
    """Draw the tables of a diffusion result into axes: profiles on the left, the map of the surface on the right.

    Parameters
    ----------
    result
        Of the kind ``diffusion``.
    ax
        Is divided into the two.
    """
    ax.set_axis_off()
    hops = result.table("hops").to_dicts()
    if not hops:
        ax.text(0.5, 0.5, "no hop between neighbouring basins", ha="center", va="center", fontsize=8, color=_GREY)
        return
    title = f"{hops[0]['adsorbate']} on {hops[0]['surface']}"
    ax.set_title(f"{title}\n", fontsize=8)
    ax.text(0.5, 1.02, hops[0]["engine"], transform=ax.transAxes, fontsize=6.5, ha="center", va="bottom", color=_GREY)
    _profiles(result, hops, ax.inset_axes((0.0, 0.0, 0.52, 1.0)))
    _map(result, hops, ax.inset_axes((0.6, 0.0, 0.4, 1.0)))


def _profiles(result: Result, hops: list[dict[str, Any]], ax: Axes) -> None:
    from scipy.interpolate import CubicHermiteSpline

    table = result.table("profiles")
    for number, hop in enumerate(hops):
        rows = table.filter(table["hop"] == hop["hop"])
        x, y = rows["distance_A"].to_numpy(), rows["energy_eV"].to_numpy()
        colour = _COLOURS[number % len(_COLOURS)]
        curve = CubicHermiteSpline(x, y, -rows["force_along_eV_A"].to_numpy())
        fine = np.linspace(x[0], x[-1], 200)
        dashed = (0, (3, 2)) if hop["fault"] else "solid"
        text = "no verified saddle" if hop["fault"] else f"{1000 * hop['barrier_eV']:.0f} meV"
        ax.plot(fine, curve(fine), color=colour, linestyle=dashed, linewidth=1.1, label=f"{number + 1}: {text}")
        ax.plot(x, y, "o", color=colour, markersize=3)
    ax.axhline(0.0, color=_GREY, linewidth=0.6, linestyle=(0, (4, 2)), zorder=0)
    low, high = ax.get_ylim()
    # room for the words above
    ax.set_ylim(low, high + (0.06 + 0.09 * len(hops)) * (high - low))
    ax.legend(fontsize=6.5, frameon=False, loc="upper center", handlelength=1.4, handletextpad=0.4, labelspacing=0.25)
    ax.set_xlabel("path length (Å)", fontsize=8)
    ax.set_ylabel("energy (eV)", fontsize=8)
    ax.tick_params(labelsize=7)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _map(result: Result, hops: list[dict[str, Any]], ax: Axes) -> None:
    from ase.data import atomic_numbers, covalent_radii
    from matplotlib.patches import Circle

    table = result.table("map")

    def vectors(what: str) -> np.ndarray:
        return table.filter(table["what"] == what).select("x_A", "y_A").to_numpy()

    cell, primitive = vectors("cell"), vectors("primitive cell")
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ cell
    paths = _centred(result, hops, primitive, corners[:4].mean(axis=0))
    seen = np.vstack([corners, *paths])
    low, high = seen.min(axis=0) - 0.8, seen.max(axis=0) + 0.8
    shifts = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)]) @ cell
    atoms = [row for row in table.to_dicts() if row["what"].startswith("atom")]
    several = len({row["name"] for row in atoms}) > 1
    for row in sorted(atoms, key=lambda row: row["z_A"]):
        below = row["what"] != "atom"
        radius = 0.6 * covalent_radii[atomic_numbers[row["name"]]] * (0.8 if below else 1.0)
        for x, y in np.array([row["x_A"], row["y_A"]]) + shifts:
            look = {"facecolor": _BELOW if below else _ATOM, "edgecolor": _GREY, "linewidth": 0.4, "zorder": 1}
            ax.add_patch(Circle((x, y), radius, clip_on=True, **look))
            if several and not below and np.all([x, y] >= low + 0.3) and np.all([x, y] <= high - 0.3):
                ax.text(x, y, row["name"], fontsize=5, ha="center", va="center", color=_GREY, zorder=2)
    ax.plot(*corners.T, color=_GREY, linewidth=0.7, linestyle=(0, (2, 2)), zorder=2)
    for number, path in enumerate(paths):
        colour = _COLOURS[number % len(_COLOURS)]
        ax.plot(*path.T, color=colour, linewidth=1.4, zorder=4)
        ax.plot(*path[[0, -1]].T, "o", color=colour, markersize=4, zorder=5, markeredgecolor="white", markeredgewidth=0.5)
        middle = path[len(path) // 2]
        ax.annotate(
            str(number + 1), middle, xytext=(3, 3), textcoords="offset points", fontsize=6.5, color=colour, zorder=6,
            fontweight="bold",
        )  # fmt: skip
    ax.set_aspect("equal")
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("top view; supercell dashed", fontsize=6.5, color=_GREY)
    for side in ax.spines.values():
        side.set_visible(False)


def _centred(result: Result, hops: list[dict[str, Any]], primitive: np.ndarray, centre: np.ndarray) -> list[np.ndarray]:
    """Return the path of the adatom in each hop, moved by a lattice vector so that all start in the middle."""
    table = result.table("profiles")
    paths = []
    for hop in hops:
        path = table.filter(table["hop"] == hop["hop"]).select("adatom_x_A", "adatom_y_A").to_numpy()
        paths.append(path - np.rint((path[0] - centre) @ np.linalg.inv(primitive)) @ primitive)
    return paths
