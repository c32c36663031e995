"""Voltage over plated capacity with tip, plateau window and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sodiophile.experiments.nucleation.tip import RESOLVED
from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NARROW = 0.08
_INSET_FROM = 0.4
_INSET_TIPS = 8.0
_INSET_LEAST = 12
_BAND = 0.55
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#555555"


def draw(result: Result, ax: Axes) -> None:
    """Draw voltage (mV) against plated capacity (mAh/cm2); tip, plateau and their difference are marked.

    Parameters
    ----------
    result
        Of kind ``nucleation``; only its tables, quantities and verdicts are used.
    ax
        The axes.
    """
    trace = result.table("trace")
    marks = {row["mark"]: (row["capacity_mAh_cm2"], row["voltage_mV"]) for row in result.table("marks").to_dicts()}
    ax.plot(trace["capacity_mAh_cm2"], trace["voltage_mV"], color=BLUE, lw=1.0)
    ax.set_xlabel("plated capacity (mAh cm$^{-2}$)")
    ax.set_ylabel("voltage (mV)")
    ax.margins(y=0.12)
    ax.locator_params(axis="x", nbins=6)
    ax.ticklabel_format(axis="x", scilimits=(-2, 3))
    total = float(trace["capacity_mAh_cm2"][-1])
    answer = result.verdicts["nucleation_dip"].answer
    if "plateau begins" in marks:
        (begins, plateau), (ends, _) = marks["plateau begins"], marks["plateau ends"]
        ax.axvspan(begins, ends, color=GREY, alpha=0.12, lw=0)
        ax.plot([0.0 if "tip" in marks else begins, ends], [plateau, plateau], color=GREY, lw=0.9, ls="--")
    if "tip" in marks:
        at, tip = marks["tip"]
        ax.plot(at, tip, "o", ms=4.5, mfc="none", mec=VERMILION)
        beside = at + 0.05 * total
        ax.annotate("", (beside, tip), (beside, plateau), arrowprops={"arrowstyle": "<->", "color": VERMILION, "lw": 0.9,
                    "shrinkA": 0, "shrinkB": 0})  # fmt: skip
        ax.plot([at, beside], [tip, tip], color=VERMILION, lw=0.6)
        difference = result.quantities["nucleation_overpotential"]
        text = f"tip \N{MINUS SIGN} plateau\n{'' if difference.bound else '= '}{difference}"
        place = (beside, plateau + 0.75 * (tip - plateau))
        ax.annotate(text, place, (4, 0), textcoords="offset points", va="center", color=VERMILION, fontsize="small")
        if at < _NARROW * total:
            _magnify(result, ax, (at, tip))
    if answer != RESOLVED:
        ax.set_title(answer, fontsize="small", loc="right")
    if result.simulated:
        ax.set_title("simulated", fontsize="small", loc="left", color=VERMILION)


def _magnify(result: Result, ax: Axes, tip: tuple[float, float]) -> None:
    """Show the samples around a narrow dip at the right, in the wider of the bands that the curve leaves free there."""
    trace = result.table("trace")
    capacity = trace["capacity_mAh_cm2"].to_numpy()
    shown = max(int(np.searchsorted(capacity, _INSET_TIPS * tip[0])), int(np.searchsorted(capacity, tip[0])) + _INSET_LEAST)
    near = trace.head(shown)
    voltage = trace["voltage_mV"].to_numpy()
    right = voltage[capacity >= _INSET_FROM * capacity[-1]]
    below, above = right.min() - voltage.min(), voltage.max() - right.max()
    bottom, top = ax.get_ylim()
    if below >= above:
        bottom = min(bottom, (right.min() - _BAND * top) / (1 - _BAND))
        low, high = 0.0, (right.min() - bottom) / (top - bottom)
    else:
        top = max(top, bottom + (right.max() - bottom) / (1 - _BAND))
        low, high = (right.max() - bottom) / (top - bottom), 1.0
    ax.set_ylim(bottom, top)
    inset = ax.inset_axes((0.58, low + 0.19, 0.39, high - low - 0.23))
    inset.plot(1e3 * near["capacity_mAh_cm2"], near["voltage_mV"], ".-", color=BLUE, lw=0.8, ms=2)
    inset.plot(1e3 * tip[0], tip[1], "o", ms=4.5, mfc="none", mec=VERMILION)
    inset.tick_params(labelsize="x-small")
    inset.margins(y=0.15)
    inset.locator_params(nbins=3)
    inset.set_xlabel("µAh cm$^{-2}$", fontsize="x-small", labelpad=1)
