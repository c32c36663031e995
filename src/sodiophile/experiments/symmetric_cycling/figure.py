"""Voltage over time with the onset of failure marked, and below it the polarization of each cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.experiments.symmetric_cycling.lifespan import CENSORED, HARD, PASSIVATED, SOFT
from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, VERMILION, GREY = "#0072B2", "#E69F00", "#D55E00", "#555555"
_WORDS = {HARD: "hard short", SOFT: "soft short\nsuspected", PASSIVATED: "passivated", CENSORED: "test ended"}


def draw(result: Result, ax: Axes) -> None:
    """Draw voltage (mV) against time (h), with the polarization per cycle in a panel of its own below.

    Parameters
    ----------
    result
        Of kind ``symmetric-cycling``; only its tables, quantities and verdicts are used.
    ax
        The axes; the lower quarter of its place is given to the second panel.
    """
    trace, cycles = result.table("trace"), result.table("cycles")
    # the given axes are the frame that a layout engine knows; what is drawn lies inside it
    ax.set_axis_off()
    above = ax.inset_axes((0.0, 0.4, 1.0, 0.6))
    below = ax.inset_axes((0.0, 0.0, 1.0, 0.33), sharex=above)
    above.plot(trace["time_h"], trace["voltage_mV"], color=BLUE, lw=0.5, rasterized=trace.height > 3000)
    above.axhline(0.0, color=GREY, lw=0.4)
    above.set_ylabel("voltage (mV)")
    above.tick_params(labelbottom=False)
    _limit_voltage(result, above)

    below.plot(cycles["start_h"], cycles["polarization_mean_mV"], ".", ms=2.5, color=BLUE)
    below.set_ylabel("polarization\n(mV)")
    below.set_xlabel("time since current first flowed (h)")
    highest = float(cycles["polarization_mean_mV"].max() or 0.0)  # type: ignore[arg-type]
    below.set_ylim(0.0, 1.2 * highest if highest > 0 else 1.0)
    low, high = float(trace["time_h"].min()), float(trace["time_h"].max())  # type: ignore[arg-type]
    if high > low:
        above.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    _mark_onset(result, above, below)
    if result.simulated:
        above.set_title("simulated", fontsize="small", loc="left", color=VERMILION)


def _limit_voltage(result: Result, ax: Axes) -> None:
    """Keep a few spikes from pressing the trace flat; what leaves the figure is said."""
    half = result.table("half_cycles")
    peak = half["voltage_peak_mV"].abs()
    usual = float(peak.quantile(0.98) or 0.0) * 1.35
    if usual <= 0:
        return
    ax.set_ylim(-usual, usual)
    beyond = int((peak > usual).sum())
    if beyond:
        ax.text(0.985, 0.03, f"peaks beyond: {beyond}", transform=ax.transAxes, ha="right", va="bottom", fontsize="x-small")


def _mark_onset(result: Result, ax: Axes, below: Axes) -> None:
    life = result.quantities.get("lifespan")
    answer = result.verdicts["lifespan"].answer
    if life is None:
        ax.set_title(answer, fontsize="small", loc="right")
        return
    if life.bound == "lower":
        ax.set_title(f"{_WORDS[answer]}, life {life}", fontsize="small", loc="right")
        return
    for axes in (ax, below):
        axes.axvline(life.value, color=VERMILION, lw=0.9, ls="--")
    words = _WORDS[answer].replace("\n", " ")
    ax.set_title(f"{words} at {life.value:.4g} h", fontsize="small", loc="right", color=VERMILION)
    soft = result.quantities.get("soft_short_onset")
    if soft is not None and answer != SOFT:
        for axes in (ax, below):
            axes.axvline(soft.value, color=ORANGE, lw=0.9, ls=":")
