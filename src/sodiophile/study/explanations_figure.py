"""The figure of reported adsorption energies beside ours: the nearest calculations, site by site."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "D", "^", "v", "P")
_SHOWN = 5


def draw(result: Result, ax: Axes) -> None:
    """Draw reported energies and those of the nearest candidates over the sites.

    Parameters
    ----------
    result
        Of the kind ``explanations``.
    ax
        One axis in eV; sites of the electrode with most of them along x.
    """
    sites = result.table("sites")
    counts = sites.group_by("electrode", maintain_order=True).n_unique().sort("site", descending=True)
    most = counts["electrode"][0]
    rows = sites.filter(sites["electrode"] == most)
    labels = rows["site"].unique(maintain_order=True).to_list()
    reported = dict(zip(rows["site"], rows["reported_eV"], strict=True))
    labels.sort(key=lambda site: reported[site])
    ax.plot(
        range(len(labels)), [reported[site] for site in labels], "k*", markersize=9, label="reported", zorder=4,
        linestyle="-", linewidth=0.8,
    )  # fmt: skip
    names = rows["candidate"].unique(maintain_order=True).to_list()
    for number, name in enumerate(names[:_SHOWN]):
        own = rows.filter(rows["candidate"] == name)
        values = dict(zip(own["site"], own["ours_eV"], strict=True))
        points = [(i, values[site]) for i, site in enumerate(labels) if site in values]
        x, y = zip(*points, strict=True)
        ax.plot(
            x, y, marker=_MARKERS[number], color=_COLOURS[number], markersize=4.5, linewidth=0.8, linestyle=(0, (3, 2)),
            label=name, zorder=3,
        )  # fmt: skip
    ax.set_xticks(range(len(labels)), ["\n".join(textwrap.wrap(site, 14)) for site in labels], fontsize=7)
    ax.set_xlim(-0.4, len(labels) - 0.6)
    ax.tick_params(axis="y", labelsize=7)
    ax.set_ylabel("adsorption energy (eV)", fontsize=8)
    ax.set_title(f"reported for {most}, and the nearest computed", fontsize=8)
    # below the sites, one a line: the names are as long as the axes are wide
    ax.legend(
        fontsize=5.2,
        frameon=False,
        loc="upper center",
        bbox_to_anchor=(0.45, -0.16),
        ncols=1,
        labelspacing=0.25,
        handlelength=2.4,
    )
