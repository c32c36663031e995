"""Voltage over capacity of one cycle and, where there are several, the efficiency of each below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, VERMILION, GREY = "#0072B2", "#E69F00", "#D55E00", "#555555"


def draw(result: Result, ax: Axes) -> None:
    """Draw voltage (V) against capacity (mAh/cm2) of one cycle, and Coulombic efficiency (%) against cycle below.

    Parameters
    ----------
    result
        Of kind ``plating-efficiency``; only its tables, quantities and verdicts are used.
    ax
        The axes; two panels are placed inside it where there are several cycles.
    """
    cycles = result.table("cycles").filter(result.table("cycles")["kind"] == "cycle")
    above = ax
    if cycles.height > 1:
        ax.set_axis_off()
        above = ax.inset_axes((0.0, 0.6, 1.0, 0.4))
        _cycles(result, ax.inset_axes((0.0, 0.0, 1.0, 0.27)))
    profile = result.table("profile")
    for direction, colour in (("plating", BLUE), ("stripping", VERMILION)):
        part = profile.filter(profile["direction"] == direction)
        above.plot(part["capacity_mAh_cm2"], part["voltage_V"], color=colour, lw=1.0, label=direction)
    above.axhline(0.0, color=GREY, lw=0.4)
    above.set_xlabel("capacity (mAh cm$^{-2}$)")
    above.set_ylabel("voltage (V)")
    above.legend(frameon=False, fontsize="x-small", loc="upper center", ncols=2)
    reservoir = result.quantities.get("coulombic_efficiency_reservoir")
    chosen = reservoir if reservoir is not None else result.quantities.get("coulombic_efficiency")
    if chosen is not None:
        above.set_title(f"CE {chosen}" + (" (reservoir)" if reservoir is not None else ""), fontsize="small", loc="right")
    if result.simulated:
        above.set_title("simulated", fontsize="small", loc="left", color=VERMILION)


def _cycles(result: Result, ax: Axes) -> None:
    cycles = result.table("cycles").filter(result.table("cycles")["kind"] == "cycle")
    mean = result.quantities.get("coulombic_efficiency")
    number, value = cycles["number"].to_numpy(), cycles["coulombic_efficiency_percent"].to_numpy()
    spread = cycles["uncertainty_percent"].to_numpy()
    ax.errorbar(number, value, yerr=spread, fmt=".", ms=3.5, lw=0.6, color=BLUE)
    if mean is not None and mean.uncertainty is not None:
        low, high = mean.value - mean.uncertainty, mean.value + mean.uncertainty
        ax.axhspan(low, high, color=ORANGE, alpha=0.35, lw=0)
    ax.axhline(100.0, color=GREY, lw=0.4, ls="--")
    ax.set_xlabel("cycle")
    ax.set_ylabel("CE (%)")
    ax.locator_params(axis="x", integer=True)
