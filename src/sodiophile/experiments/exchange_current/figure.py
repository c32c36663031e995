"""The polarization curve on a Tafel plot, with the fit, the windows, and the exchange current density by each method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, VERMILION, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#555555"
_MARKS = {
    "Butler-Volmer fit": ("o", VERMILION),
    "Marcus fit": ("s", PURPLE),
    "Tafel": ("^", GREEN),
    "Tafel, plating": ("^", GREEN),
    "Tafel, stripping": ("v", GREEN),
    "micropolarization": ("D", ORANGE),
    "impedance": ("X", GREY),
}


def draw(result: Result, ax: Axes) -> None:
    """Draw current density (mA/cm2, logarithmic) against the overpotential of one electrode (mV).

    Parameters
    ----------
    result
        Of kind ``exchange-current``; only its tables, quantities and verdicts are used.
    ax
        The axes.
    """
    table = result.table("points")
    eta, current = table["overpotential_mV"].to_numpy(), np.abs(table["current_density_mA_cm2"].to_numpy())
    seen = current > 0
    ax.semilogy(eta[seen], current[seen], ".", ms=3, color=BLUE, label="measured" if not result.simulated else "simulated")
    told = result.quantities.get("apparent_exchange_current_density")
    for column, label, colour in (("butler_volmer_mV", "Butler-Volmer", VERMILION), ("marcus_mV", "Marcus", PURPLE)):
        if column in table.columns and (told is not None or column == "marcus_mV"):
            fitted = table[column].to_numpy()
            order = np.argsort(fitted)
            order = order[current[order] > 0]
            ax.semilogy(fitted[order], current[order], color=colour, lw=0.9, label=label)
    for row in result.table("methods").to_dicts():
        value = row["apparent_exchange_current_density_mA_cm2"]
        if value is not None:
            mark, colour = _MARKS[row["method"]]
            label = f"$j_0$ {row['method']}" + (" (lower bound)" if row["lower_bound"] else "")
            ax.semilogy(0.0, value, mark, ms=4.5, mfc="none", mec=colour, label=label)
    _limit(ax, current[seen])
    window = table.filter(table["in_tafel_window"])["overpotential_mV"].to_numpy()
    for side in (window[window > 0], window[window < 0]):
        if side.size:
            ax.axvspan(float(side.min()), float(side.max()), color=GREY, alpha=0.1, lw=0)
    ax.set_xlabel("overpotential of one electrode (mV)")
    ax.set_ylabel("|current density| (mA cm$^{-2}$)")
    _explain(ax)
    if result.simulated:
        ax.set_title("simulated", fontsize="small", loc="left", color=VERMILION)
    ax.set_title(f"$j_0$ = {told}" if told is not None else "no $j_0$ by fit", fontsize="small", loc="right")


def _explain(ax: Axes) -> None:
    """Put curves and values into the two corners that a curve through rest leaves empty."""
    handles, labels = ax.get_legend_handles_labels()
    values = [k for k, label in enumerate(labels) if label.startswith("$j_0$")]
    curves = [k for k in range(len(labels)) if k not in values]
    for picked, place in ((curves, "lower left"), (values, "lower right")):
        if picked:
            legend = ax.legend(
                [handles[k] for k in picked],
                [labels[k].removeprefix("$j_0$ ") for k in picked],
                frameon=False,
                fontsize="xx-small",
                loc=place,
                handlelength=1.0,
                labelspacing=0.3,
                borderpad=0.1,
                title="$j_0$" if picked is values else None,
                title_fontsize="xx-small",
            )
            ax.add_artist(legend)


def _limit(ax: Axes, current: np.ndarray) -> None:
    """Keep the few points next to rest, where the logarithm runs away, from pressing the curve flat."""
    high = float(current.max())
    ax.set_ylim(max(float(np.quantile(current, 0.02)), 1e-5 * high) / 2, 3 * high)
