"""The figure of a map of adsorption energies: contours over the surface cell, with atoms, minima, saddles and path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodiophile.atomistic.dft_points import coverage_of
from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TILES = 2
# An element whose atom is cut by the rim is not written.
_RIM_A = 0.3
# Below the map: tick labels and the label of its axis.
_LEGEND_BELOW_PT = 30.0
_PATH, _ATOM = "#D55E00", "black"


def draw(result: Result, ax: Axes) -> None:
    """Draw the map over 2 x 2 primitive cells into axes.

    Parameters
    ----------
    result
        Of the kind ``site-map``.
    ax
        Axes in angstrom; a bar of colours is put beside them.
    """
    import numpy as np
    from matplotlib.patches import Circle
    from matplotlib.transforms import ScaledTranslation

    about = result.table("about").to_dicts()[0]
    cell = np.array([[about["cell_ax_A"], about["cell_ay_A"]], [about["cell_bx_A"], about["cell_by_A"]]])
    table = result.table("map")
    n = round(len(table) ** 0.5)
    values = table["energy_eV"].to_numpy().reshape(n, n)
    one = table["b"].to_numpy()[: n - 1]
    tiled = np.vstack([values[:-1]] * _TILES + [values[:1]])
    tiled = np.hstack([tiled[:, :-1]] * _TILES + [tiled[:, :1]])
    ticks = np.append(np.concatenate([one + tile for tile in range(_TILES)]), float(_TILES))
    along, across = np.meshgrid(ticks, ticks, indexing="ij")
    x, y = along * cell[0, 0] + across * cell[1, 0], along * cell[0, 1] + across * cell[1, 1]
    # lengths are counted from the lower left corner of the picture
    corner = np.array([x.min(), y.min()])
    x, y = x - corner[0], y - corner[1]
    span = max(float(np.ptp(values)), 1e-3)
    levels = np.linspace(values.min(), values.min() + span, 15)
    filled = ax.contourf(x, y, tiled, levels=levels, cmap="cividis")
    ax.contour(x, y, tiled, levels=levels[::2], colors="black", linewidths=0.25, alpha=0.5)
    # as high as the map, whatever shape its aspect leaves it
    bar = ax.figure.colorbar(filled, cax=ax.inset_axes((1.04, 0.0, 0.05, 1.0)))
    bar.set_label(f"E$_{{ads}}$ vs bulk {about['adsorbate']} (eV)", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.ax.yaxis.set_major_formatter("{x:.2f}")
    for row in result.table("atoms").to_dicts():
        for px, py in _images(row["x_A"], row["y_A"], cell) - corner:
            top = row["depth_A"] < 0.6
            ax.add_patch(
                Circle((px, py), 0.35 * row["radius_A"], fill=False, edgecolor=_ATOM, linewidth=0.9 if top else 0.4)
            )
            inside = _RIM_A < px < x.max() - _RIM_A and _RIM_A < py < y.max() - _RIM_A
            if top and inside:
                ax.text(px, py, row["element"], fontsize=6, ha="center", va="center", color=_ATOM, clip_on=True)
    for kind, marker in (("minimum", "o"), ("saddle", "X")):
        rows = result.table("images").to_dicts()
        spots = [_images(row["x_A"], row["y_A"], cell) - corner for row in rows if row["kind"] == kind]
        if spots:
            px, py = np.vstack(spots).T
            ax.plot(
                px, py, marker, color="white", markersize=4.5, markeredgecolor="black", markeredgewidth=0.6,
                linestyle="none", label=kind,
            )  # fmt: skip
    _draw_path(result, cell, corner, ax)
    ax.set_xlim(0, x.max())
    ax.set_ylim(0, y.max())
    ax.set_aspect("equal")
    ax.set_xlabel("x (Å)", fontsize=8)
    ax.set_ylabel("y (Å)", fontsize=8)
    ax.tick_params(labelsize=7)
    ax.set_title(f"{about['adsorbate']} on {about['surface']}, {about['termination']}-terminated\n", fontsize=8)
    what = f"{about['engine']}, {coverage_of(about['cells'])} monolayer, held in the plane"
    ax.text(0.5, 1.02, what, transform=ax.transAxes, fontsize=6.5, ha="center", va="bottom", color="#6b6b6b")
    below = ScaledTranslation(0.0, -_LEGEND_BELOW_PT / 72, ax.figure.dpi_scale_trans)
    ax.legend(
        fontsize=6, loc="upper center", bbox_to_anchor=(0.5, 0.0), bbox_transform=ax.transAxes + below, ncols=3,
        frameon=True, facecolor="#c8c8c8", edgecolor="none", handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip


def _draw_path(result: Result, cell: Any, corner: Any, ax: Axes) -> None:
    """Draw the way over the lowest saddle, moved to the middle of the picture."""
    import numpy as np

    path = result.table("path")
    if not len(path):
        return
    points = path.select("a", "b").to_numpy()
    points = points - np.round(points.mean(axis=0) - 0.5 * _TILES)
    xy = points @ cell - corner
    ax.plot(xy[:, 0], xy[:, 1], color=_PATH, linewidth=1.4, linestyle=(0, (3, 1.2)), label="lowest path")


def _images(x: float, y: float, cell: Any) -> Any:
    """Return the images (k, 2) of a point within the picture, its rim included."""
    import numpy as np

    base = np.array([x, y]) @ np.linalg.inv(cell)
    base = base - np.floor(base + 1e-6)
    steps = np.stack(np.meshgrid(range(_TILES + 1), range(_TILES + 1)), axis=-1).reshape(-1, 2)
    points = base + steps
    return points[np.all(points < _TILES + 1e-6, axis=1)] @ cell
