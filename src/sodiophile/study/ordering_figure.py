"""The figure of an order: the ratio of two electrodes over the drawn pairs, one line for each number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette
_BETTER, _WORSE, _OPEN, _GREY = "#009E73", "#D55E00", "#0072B2", "#6b6b6b"
_SURE = 0.8
_CROWDED = 100.0


def draw(result: Result, ax: Axes) -> None:
    """Draw first over second of every pair, its 68 and 95 %, and the cells as they stand.

    Parameters
    ----------
    result
        Of the kind ``ordering``.
    ax
        Where.
    """
    from matplotlib.ticker import FormatStrFormatter, LogLocator

    first, second = result.inputs["electrodes"]
    rows = result.table("orders").to_dicts()
    ratios = result.table("ratios")
    random = np.random.default_rng(0)
    for at, row in enumerate(rows):
        values = ratios[row["number"]].drop_nulls().to_numpy()
        part = row["better_in"] if row["pairs"] else 0.5
        colour = _BETTER if part >= _SURE else _WORSE if part <= 1 - _SURE else _OPEN
        if values.size:
            low, inner_low, inner_high, high = np.quantile(values, [0.025, 0.16, 0.84, 0.975])
            ax.plot([low, high], [-at, -at], color=colour, linewidth=0.9, zorder=2)
            ax.plot(
                [inner_low, inner_high], [-at, -at], color=colour, linewidth=3.4, alpha=0.5, solid_capstyle="butt", zorder=3
            )
            ax.plot(
                values,
                -at + random.uniform(-0.3, -0.12, values.size),
                "o",
                color=colour,
                markersize=1.5,
                alpha=0.6,
                zorder=4,
            )
        ours, theirs = row[f"{first} as it stands"], row[f"{second} as it stands"]
        if ours and theirs:
            ax.plot([ours / theirs], [-at], "D", color="black", markersize=3.4, zorder=5)
        share = f"{100 * part:.0f} % of {row['pairs']}" if row["pairs"] else "not told"
        ax.text(1.02, -at, share, transform=ax.get_yaxis_transform(), fontsize=5.8, va="center", color=colour)
    ax.axvline(1.0, color=_GREY, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < _CROWDED else (1.0,)))
    ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.minorticks_off()
    ax.tick_params(axis="x", labelsize=5.8)
    ax.set_yticks(
        [-at for at in range(len(rows))], [f"{row['number']}\n({row['better']} is better)" for row in rows], fontsize=5.8
    )
    ax.set_ylim(-len(rows) + 0.4, 0.8)
    ax.set_xlabel(f"{first} / {second}", fontsize=6.4)
    ax.text(1.02, 0.62, f"{first} better in", transform=ax.get_yaxis_transform(), fontsize=5.8, va="center", color=_GREY)
    handles = [
        ax.plot([], [], "o", color=_GREY, markersize=1.8, label="pairs drawn")[0],
        ax.plot([], [], color=_GREY, linewidth=3.4, alpha=0.5, label="68 %")[0],
        ax.plot([], [], color=_GREY, linewidth=0.9, label="95 %")[0],
        ax.plot([], [], "D", color="black", markersize=3.4, linestyle="none", label="as they stand")[0],
    ]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.4, -0.17),
        ncols=4,
        fontsize=5.4,
        columnspacing=0.9,
        handletextpad=0.4,
        frameon=False,
    )
