"""The figure of relaxations from several starts: the energy of each, by the site where it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "black")
_MARKERS = ("o", "s", "^", "D", "v", "P", "x")


def draw(result: Result, ax: Axes) -> None:
    """Draw one mark a relaxation into axes, coloured by the site that it started from.

    Parameters
    ----------
    result
        Of the kind ``starts``.
    ax
        Energies against bulk metal, one column a basin.
    """
    from sodiophile.atomistic.adsorption_figure import short_label, wrapped

    rows = [row for row in result.table("starts").to_dicts() if row["converged"]]
    basins = sorted(
        {row["ended"] for row in rows}, key=lambda name: min(r["energy_vs_bulk_eV"] for r in rows if r["ended"] == name)
    )
    for i, site in enumerate(dict.fromkeys(row["site"] for row in rows)):
        members = [row for row in rows if row["site"] == site]
        x = [basins.index(row["ended"]) - 0.3 + 0.1 * i + 0.06 * row["start"] / len(rows) for row in members]
        style: dict[str, Any] = {"color": _COLOURS[i % 7], "marker": _MARKERS[i % 7], "markersize": 4.0}
        y = [row["energy_vs_bulk_eV"] for row in members]
        ax.plot(x, y, linestyle="none", label=f"from {short_label(site)}", **style)
    ticks = [wrapped(short_label(name), max(10, 46 // len(basins))) for name in basins]
    ax.set_xticks(range(len(basins)), ticks, fontsize=6.5)
    ax.set_xlim(-0.6, len(basins) - 0.4)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.3 * (high - low))
    ax.set_xlabel("ended near", fontsize=8)
    ax.set_ylabel(f"E$_{{ads}}$ vs bulk {rows[0]['adsorbate']} (eV)", fontsize=8)
    ax.tick_params(axis="y", labelsize=7)
    ax.set_title(f"{rows[0]['adsorbate']} on {rows[0]['surface']}, {rows[0]['engine']}", fontsize=8)
    ax.legend(fontsize=6, frameon=False, loc="upper center", ncols=2, handletextpad=0.2)
