"""The figure of a convergence calculation: how far each energy is from that at the last value, one panel a series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "black")
_MARKERS = ("o", "s", "^", "D", "v", "P", "x")
_GREY = "#6b6b6b"
_LABELS = {
    "layers": "atomic layers",
    "vacuum": "vacuum (Å)",
    "kpts": "k-points per Å$^{-1}$",
    "cutoff": "cutoff (eV)",
}


def draw(result: Result, ax: Axes) -> None:
    """Draw every series side by side into the place of `ax`.

    Parameters
    ----------
    result
        Of the kind ``convergence``.
    ax
        Taken for the frame; one panel a series is put into it.
    """
    from sodiophile.atomistic.adsorption_figure import short_label

    rows = result.table("series").to_dicts()
    series = list(dict.fromkeys(row["series"] for row in rows))
    sites = list(dict.fromkeys(row["site"] for row in rows))
    tolerance_meV = 1000 * rows[0]["tolerance_eV"]
    ax.set_title(
        f"{result.inputs['adsorbate']} on {result.inputs['crystal']}({result.inputs['facet']}), "
        f"{result.inputs['engine']['engine']}",
        fontsize=8,
    )
    about = f"grey: within {tolerance_meV:g} meV; dashed: own setting"
    ax.text(0.5, 1.0, about, transform=ax.transAxes, fontsize=6, ha="center", va="top", color=_GREY)
    ax.set_axis_off()
    gap = 0.06
    width = (1.0 - gap * (len(series) - 1)) / len(series)
    largest = max([tolerance_meV, *(abs(1000 * row["change_to_last_eV"]) for row in rows)])
    for k, name in enumerate(series):
        # words above the panels, and below them the label of their axis
        panel = ax.inset_axes((k * (width + gap), 0.14, width, 0.64))
        panel.axhspan(-tolerance_meV, tolerance_meV, color="#e6e6e6", zorder=0, linewidth=0)
        panel.axhline(0.0, color=_GREY, linewidth=0.6, zorder=1)
        for i, site in enumerate(sites):
            points = [(r["value"], 1000 * r["change_to_last_eV"]) for r in rows if (r["series"], r["site"]) == (name, site)]
            if points:
                style: dict[str, Any] = {"color": _COLOURS[i % 7], "marker": _MARKERS[i % 7], "markersize": 3.5}
                panel.plot(*zip(*points, strict=True), linewidth=0.9, label=short_label(site), **style)
        own = next(row["own_value"] for row in rows if row["series"] == name)
        panel.axvline(own, color=_GREY, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
        panel.set_xlabel(_LABELS[name], fontsize=7.5)
        panel.set_ylim(-1.15 * largest, 1.15 * largest)
        panel.tick_params(labelsize=6.5)
        panel.locator_params(axis="x", nbins=5, integer=name == "layers")
        if k:
            panel.set_yticklabels([])
        else:
            panel.set_ylabel("change to the last (meV)", fontsize=7.5)
            handles, labels = panel.get_legend_handles_labels()
    ax.legend(
        handles, labels, fontsize=6, frameon=False, ncols=2 if len(labels) > 3 else 3, loc="lower center",
        bbox_to_anchor=(0.5, 0.79),
        handletextpad=0.3, columnspacing=0.9, borderaxespad=0.0,
    )  # fmt: skip
