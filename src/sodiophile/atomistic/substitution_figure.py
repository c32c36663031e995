"""The figure of a substitution calculation: the energy at every place, on, in and below the surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY = "#6b6b6b"
_LOOK = {"on the surface": ("#0072B2", "o"), "substituted": ("#D55E00", "s"), "below": ("#009E73", "v")}
_WORDS = {"substituted": "in place of an atom", "below": "below the first layer"}


def draw(result: Result, ax: Axes) -> None:
    """Draw the main table into axes.

    Parameters
    ----------
    result
        Of the kind ``substitution``.
    ax
        Energies against bulk metal along x, one line a place.
    """
    from sodiophile.atomistic.adsorption_figure import short_label

    every = result.table("places").to_dicts()
    rows = [row for row in every if row["energy_vs_bulk_eV"] is not None]
    several = len({row["termination"] for row in rows}) > 1
    ax.axvline(0.0, color=_GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    for kind, (colour, marker) in _LOOK.items():
        for out in (False, True):
            points = [
                (row["energy_vs_bulk_eV"], -i)
                for i, row in enumerate(rows)
                if row["kind"] == kind and (kind == "below" and row["height_A"] > 0) == out
            ]
            if points:
                label = f"{_WORDS.get(kind, kind)}{', came out' if out else ''}"
                style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4.5, "zorder": 3}
                ax.plot(*zip(*points, strict=True), linestyle="none", mfc="white" if out else colour, label=label, **style)
    labels = [short_label(row["place"]).replace("below layer 1, between", "void") for row in rows]
    if several:
        labels = [f"{row['termination']}: {label}" for row, label in zip(rows, labels, strict=True)]
    ax.set_yticks([-i for i in range(len(rows))], labels, fontsize=6)
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    ax.set_xlabel(f"E vs bulk {every[0]['adsorbate']} (eV)", fontsize=8)
    ax.tick_params(axis="x", labelsize=7)
    ax.set_title(f"{every[0]['adsorbate']} and {every[0]['surface']}, {every[0]['engine']}", fontsize=8)
    ax.legend(fontsize=6, frameon=False, loc="best", handletextpad=0.2)
