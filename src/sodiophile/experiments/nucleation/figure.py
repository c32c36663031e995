"""Voltage over plated capacity with tip, plateau window and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.experiments.nucleation.tip import UNDERSAMPLED
from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NARROW = 0.08
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
        text = f"tip \N{MINUS SIGN} plateau {'' if difference.bound else '= '}{difference}"
        if answer == UNDERSAMPLED:
            text += "\n(tip undersampled)"
        place = (beside, plateau + 0.3 * (tip - plateau))
        ax.annotate(text, place, (4, 0), textcoords="offset points", va="center", color=VERMILION, fontsize="small")
        if at < _NARROW * total:
            _magnify(result, ax, 6 * max(at, 0.005 * total), (at, tip))
    else:
        ax.set_title(answer, fontsize="small", loc="right")
    if result.simulated:
        ax.set_title("simulated", fontsize="small", loc="left", color=VERMILION)


def _magnify(result: Result, ax: Axes, until: float, tip: tuple[float, float]) -> None:
    """Show the samples around a narrow dip in the empty corner beside it."""
    trace = result.table("trace")
    near = trace.filter(trace["capacity_mAh_cm2"] <= until)
    below = tip[1] < 0
    inset = ax.inset_axes((0.5, 0.12 if below else 0.48, 0.46, 0.4))
    inset.plot(near["capacity_mAh_cm2"], near["voltage_mV"], ".-", color=BLUE, lw=0.8, ms=2)
    inset.plot(*tip, "o", ms=4.5, mfc="none", mec=VERMILION)
    inset.tick_params(labelsize="x-small")
    inset.margins(y=0.15)
    inset.locator_params(nbins=3)
