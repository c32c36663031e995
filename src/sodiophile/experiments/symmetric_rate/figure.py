"""Voltage over time, step by step, and below it polarization against current density with its straight line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, VERMILION, GREY = "#0072B2", "#E69F00", "#D55E00", "#555555"
_LABEL_WIDTH = 0.08


def draw(result: Result, ax: Axes) -> None:
    """Draw voltage (mV) against time (h), and polarization (mV) against current density (mA/cm2).

    Parameters
    ----------
    result
        Of kind ``symmetric-rate``; only its tables, quantities and verdicts are used.
    ax
        The axes; two panels are placed inside it.
    """
    steps, trace = result.table("steps"), result.table("trace")
    ax.set_axis_off()
    above, below = ax.inset_axes((0.0, 0.62, 1.0, 0.38)), ax.inset_axes((0.0, 0.0, 1.0, 0.38))
    above.plot(trace["time_h"], trace["voltage_mV"], color=BLUE, lw=0.4, rasterized=trace.height > 3000)
    high = float(np.quantile(np.abs(trace["voltage_mV"].to_numpy()), 0.995)) * 1.5
    above.set_ylim(-high if high > 0 else -1.0, high if high > 0 else 1.0)
    span_h = float(trace["time_h"].max() or 1.0)  # type: ignore[arg-type]
    before_h, lower = -span_h, False
    for row in steps.to_dicts():
        above.axvline(row["start_h"], color=GREY, lw=0.4, ls=":")
        middle_h = (row["start_h"] + row["end_h"]) / 2
        # short steps beside each other: every other label stands lower
        lower = not lower and middle_h - before_h < _LABEL_WIDTH * span_h
        above.text(
            middle_h,
            1.14 if lower else 1.26,
            f"{row['current_density_mA_cm2']:.3g}",
            transform=above.get_xaxis_transform(),
            color=VERMILION if row["ended_early"] else "black",
            ha="center",
            va="top",
            fontsize="x-small",
        )
        before_h = middle_h
    above.set_xlabel("time (h); labels: mA cm$^{-2}$", labelpad=1)
    above.set_ylabel("voltage (mV)")
    _curve(result, below)
    if result.simulated:
        above.set_title("simulated", fontsize="small", loc="left", color=VERMILION, pad=15)


def _curve(result: Result, ax: Axes) -> None:
    steps = result.table("steps")
    j, eta = steps["current_density_mA_cm2"].to_numpy(), steps["polarization_mV"].to_numpy()
    top = int(np.argmax(j))
    rising = np.arange(j.size) <= top
    early = steps["ended_early"].to_numpy() > 0
    for part, colour, label, mark in (
        (rising & ~early, BLUE, "rising", "o"),
        (~rising & ~early, ORANGE, "after the highest", "s"),
        (early, VERMILION, "cut short: at least", "^"),
    ):
        if part.any():
            spread = steps["uncertainty_mV"].to_numpy()[part]
            ax.errorbar(j[part], eta[part], yerr=spread, fmt=mark, ms=3.5, mfc="none", lw=0.7, color=colour, label=label)
    slope, intercept = result.quantities.get("line_resistance"), result.quantities.get("line_intercept")
    if slope is not None and intercept is not None:
        x = np.array([0.0, float(j[~early].max())])
        ax.plot(
            x,
            intercept.value + slope.value * x,
            color=GREY,
            lw=0.8,
            label=f"R = {slope}".replace("ohm cm^2", "$\\Omega$ cm$^2$"),
        )
    ax.set_xlim(0.0, 1.06 * float(j.max()))
    ax.set_ylim(0.0, 1.25 * float(np.max(np.append(eta, 1e-6))))
    ax.set_xlabel("current density (mA cm$^{-2}$)")
    ax.set_ylabel("polarization\n(mV)")
    ax.legend(frameon=False, fontsize="x-small", loc="lower right", handlelength=1.2, labelspacing=0.3)
