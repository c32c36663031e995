"""Capacity over the cycles with each rate named, and below it a charge and a discharge curve of each rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#555555"
_MOST_NAMES = 12
_MOST_LEVEL_NAMES = 5


def draw(result: Result, ax: Axes) -> None:
    """Draw capacity (mAh/g) against cycle, and voltage (V) against capacity of one cycle at each rate.

    Parameters
    ----------
    result
        Of kind ``full-cell-rate``; only its tables are used.
    ax
        The axes; the figure lies in two panels inside it.
    """
    cycles, rates, curves = result.table("cycles"), result.table("rates"), result.table("curves")
    ax.set_axis_off()
    above = ax.inset_axes((0.0, 0.6, 1.0, 0.4))
    below = ax.inset_axes((0.0, 0.0, 1.0, 0.4))
    above.plot(cycles["cycle"], cycles["charge_mAh_g"], "o", ms=3.2, mfc="none", mec=VERMILION, mew=0.7, label="charge")
    above.plot(cycles["cycle"], cycles["discharge_mAh_g"], "o", ms=2.6, color=BLUE, label="discharge")
    highest = float(max(cycles["charge_mAh_g"].max(), cycles["discharge_mAh_g"].max()))  # type: ignore[type-var, arg-type]
    upright = rates.height > _MOST_LEVEL_NAMES
    top = (2.0 if upright else 1.35) * highest
    above.set_ylim(0.0, top if highest > 0 else 1.0)
    above.set_xlabel("cycle", labelpad=1)
    above.set_ylabel("capacity\n(mAh g$^{-1}$)")
    above.legend(
        loc="lower left",
        fontsize="x-small",
        frameon=False,
        ncols=2,
        columnspacing=1.0,
        handletextpad=0.1,
        borderaxespad=0.2,
    )
    named = rates.height <= _MOST_NAMES
    for number, row in enumerate(rates.to_dicts()):
        if number:
            above.axvline(row["first_cycle"] - 0.5, color=GREY, lw=0.4, ls=":")
        if named:
            middle = 0.5 * (row["first_cycle"] + row["last_cycle"])
            text = row["rate"].removesuffix(" again")
            angle = 90 if upright else 0
            above.text(middle, 0.97 * top, text, ha="center", va="top", fontsize="xx-small", rotation=angle)
    _draw_curves(curves.partition_by("label", maintain_order=True), below)
    if result.simulated:
        above.set_title("simulated", fontsize="small", loc="left", color=VERMILION)


def _draw_curves(parts: list[pl.DataFrame], ax: Axes) -> None:
    from matplotlib import colormaps

    shades = colormaps["cividis"]
    for number, part in enumerate(parts):
        colour = shades(0.9 * number / max(len(parts) - 1, 1))
        for index, curve in enumerate(part.partition_by("direction", maintain_order=True)):
            label = str(part["label"][0]) if index == 0 else None
            ax.plot(curve["capacity_mAh_g"], curve["voltage_V"], color=colour, lw=0.8, label=label)
    ax.set_xlabel("capacity (mAh g$^{-1}$)")
    ax.set_ylabel("voltage (V)")
    if 1 < len(parts) <= _MOST_NAMES:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="xx-small", frameon=False, handlelength=1.0)
