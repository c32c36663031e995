"""The figure of a committee: every member at every site, their mean and spread, the calibrated mean, and DFT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MEMBERS = ("#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#0072B2")
_MARKERS = ("o", "s", "^", "v", "D", "P")
_GREY = "#6b6b6b"


def draw(result: Result, ax: Axes) -> None:
    """Draw the main table into axes.

    Parameters
    ----------
    result
        Of the kind ``committee``.
    ax
        Energies against bulk metal, one column a site.
    """
    from sodiophile.atomistic.adsorption_figure import short_label, wrapped

    rows = result.table("sites").to_dicts()
    names = list(result.inputs["members"])
    ax.axhline(0.0, color=_GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    columns = range(len(rows))
    for i, name in enumerate(names):
        x = [column - 0.24 + 0.12 * i / max(1, len(names) - 1) for column in columns]
        y = [row[f"{name}_eV"] for row in rows]
        style: dict[str, Any] = {
            "color": _MEMBERS[i % 6],
            "marker": _MARKERS[i % 6],
            "markersize": 4.0,
            "markeredgecolor": "black",
        }
        ax.plot(x, y, linestyle="none", markeredgewidth=0.4, label=name, zorder=3, **style)
    mean, spread = [row["mean_eV"] for row in rows], [row["spread_eV"] for row in rows]
    bars: dict[str, Any] = {"linestyle": "none", "elinewidth": 0.9, "capsize": 2.0, "markersize": 5.0, "zorder": 4}
    ax.errorbar([c + 0.02 for c in columns], mean, spread, fmt="_", color="black", label="mean, spread", **bars)
    if rows[0]["calibrated_eV"] is not None:
        values, errors = [row["calibrated_eV"] for row in rows], [row["calibrated_error_eV"] for row in rows]
        ax.errorbar(
            [c + 0.16 for c in columns], values, errors, fmt="D", color="#0072B2", mfc="white", label="calibrated", **bars
        )
    known = [
        (c + 0.30, row["reference_eV"]) for c, row in zip(columns, rows, strict=True) if row["reference_eV"] is not None
    ]
    if known:
        label = str(result.inputs["reference"]["engine"])
        ax.plot(*zip(*known, strict=True), "*", color="black", markersize=6.5, linestyle="none", label=label, zorder=5)
    ticks = [wrapped(short_label(row["site"]), max(10, 46 // len(rows))) for row in rows]
    ax.set_xticks(list(columns), ticks, fontsize=6.5)
    ax.set_xlim(-0.5, len(rows) - 0.5)
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.04 * (high - low), max(high, 0.0) + 0.34 * (high - low))
    ax.set_ylabel(f"E$_{{ads}}$ vs bulk {rows[0]['adsorbate']} (eV)", fontsize=8)
    ax.tick_params(axis="y", labelsize=7)
    ax.set_title(f"{rows[0]['adsorbate']} on {rows[0]['surface']}", fontsize=8)
    ax.legend(fontsize=6, frameon=False, loc="upper center", ncols=3, handletextpad=0.2, columnspacing=0.9)
