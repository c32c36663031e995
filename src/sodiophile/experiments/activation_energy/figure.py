"""The Arrhenius plot: ln(T/R) against 1000/T with error bars, lines and their 95 % bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sodiophile.result import Result

_LOOK = {
    "interfacial": ("#000000", "o", "sum of arcs"),
    "sei": ("#E69F00", "s", "faster arc (SEI)"),
    "charge_transfer": ("#0072B2", "^", "slower arc (charge transfer)"),
}


def draw(result: Result, ax: Axes) -> None:
    """Draw the points and lines of an activation-energy result."""
    from sodiophile.quantity import format_number

    points, lines, energies = (result.table(name) for name in ("arrhenius", "lines", "activation_energies"))
    for process in points["process"].unique(maintain_order=True).to_list() if points.height else []:
        color, marker, label = _LOOK[process]
        part, line = (table.filter(pl.col("process") == process) for table in (points, lines))
        energy = energies.filter((pl.col("process") == process) & (pl.col("method") == "line, T/R")).row(0, named=True)
        value = format_number(energy["activation_energy_kJ_mol"], energy["error_kJ_mol"])
        x = line["reciprocal_temperature_1000_K"]
        ax.fill_between(x, line["low_95"], line["high_95"], color=color, alpha=0.18, linewidth=0)
        ax.plot(x, line["log_T_over_R"], color=color, linewidth=0.9)
        ax.errorbar(
            part["reciprocal_temperature_1000_K"],
            part["log_T_over_R"],
            yerr=part["error_of_log"],
            fmt=marker,
            color=color,
            markerfacecolor="white",
            markeredgewidth=0.8,
            elinewidth=0.7,
            capsize=1.5,
            label=f"{label}: {value} kJ/mol",
        )
    ax.set_xlabel("1000 K / $T$")
    ax.set_ylabel("ln ($T R^{-1}$ / K Ω$^{-1}$ cm$^{-2}$)")
    if not points.height:
        ax.text(0.5, 0.5, "no resistance is told at three temperatures", transform=ax.transAxes, ha="center", fontsize=6.5)
        return
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.28 * (high - low))
    ax.legend(loc="upper right")
    top = ax.secondary_xaxis("top", functions=(_to_celsius, _to_reciprocal))
    top.set_xlabel("temperature / °C")
    if result.simulated:
        ax.text(0.02, 0.02, "simulated", transform=ax.transAxes, ha="left", va="bottom", fontsize=6.5, color="#D55E00")


def _to_celsius(reciprocal: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(1e3 / np.maximum(reciprocal, 1e-6) - 273.15)


def _to_reciprocal(celsius: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(1e3 / np.maximum(np.asarray(celsius) + 273.15, 1e-6))
