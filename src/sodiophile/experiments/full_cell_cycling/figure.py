"""Capacity over the cycles with its fade and Coulombic efficiency, and below it charge and discharge curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#555555"


def draw(result: Result, ax: Axes) -> None:
    """Draw capacity (mAh/g) and Coulombic efficiency (%) against cycle, and voltage (V) against capacity of some cycles.

    Parameters
    ----------
    result
        Of kind ``full-cell-cycling``; only its tables and quantities are used.
    ax
        The axes; the figure lies in two panels inside it.
    """
    cycles, curves, fade = result.table("cycles"), result.table("curves"), result.table("fade")
    ax.set_axis_off()
    above = ax.inset_axes((0.0, 0.6, 1.0, 0.4))
    below = ax.inset_axes((0.0, 0.0, 1.0, 0.4))
    used, rest = cycles.filter(pl.col("used")), cycles.filter(~pl.col("used"))
    above.plot(used["cycle"], used["capacity_mAh_g"], "o", ms=2.4, color=BLUE)
    above.plot(rest["cycle"], rest["capacity_mAh_g"], "o", ms=2.4, mfc="none", mec=GREY, mew=0.5)
    if fade.height:
        above.plot(fade["cycle"], fade["capacity_mAh_g"], color=GREY, lw=0.8, ls="--")
    highest = float(cycles["capacity_mAh_g"].max() or 0.0)  # type: ignore[arg-type]
    above.set_ylim(0.0, 1.25 * highest if highest > 0 else 1.0)
    above.set_xlabel("cycle", labelpad=1)
    above.set_ylabel("capacity\n(mAh g$^{-1}$)", color=BLUE)
    # beside, not a twin: a twin of an axes within axes is drawn over it
    efficiency = ax.inset_axes((0.0, 0.6, 1.0, 0.4), sharex=above)
    efficiency.patch.set_visible(False)
    efficiency.tick_params(left=False, labelleft=False, right=True, labelright=True, labelbottom=False)
    efficiency.yaxis.set_label_position("right")
    valid = cycles.filter(pl.col("efficiency_valid") & pl.col("complete"))
    efficiency.plot(valid["cycle"], 100 * valid["coulombic_efficiency"], ".", ms=2, color=GREEN)
    low, high = (
        float(valid["coulombic_efficiency"].quantile(part) or 1.0) if valid.height else 1.0 for part in (0.02, 0.98)
    )
    efficiency.set_ylim(100 * min(low - 0.02, 0.9), 100 * max(high + 0.005, 1.01))
    efficiency.set_ylabel("CE (%)", color=GREEN)
    life = result.quantities.get("cycles_to_end_of_life")
    retention = result.quantities["retention"]
    text = f"retention {100 * retention.value:.3g} % at cycle {int(used['cycle'][-1])}"
    if life is not None and life.bound is None and life.interval is not None:
        start = float(cycles.filter(pl.col("retention") == 1.0)["cycle"].min() or 0)  # type: ignore[arg-type]
        above.axvline(life.value + start, color=VERMILION, lw=0.8, ls=":")
    above.set_title(text, fontsize="small", loc="right")
    _draw_curves(curves.partition_by("label", maintain_order=True), below)
    if result.simulated:
        above.text(0.02, 0.06, "simulated", transform=above.transAxes, fontsize="x-small", color=VERMILION)


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
    if len(parts) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="xx-small", frameon=False, handlelength=1.0)
