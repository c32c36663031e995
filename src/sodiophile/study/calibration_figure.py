"""The figures of a calibration: values against predictions, the posterior of the parameters, what decides which number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette
_COLOURS = {"calibrated": "#0072B2", "predicted": "#009E73", "contradicts": "#D55E00"}
_PARAMETERS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#F0E442")
_GREY = "#6b6b6b"
_MOST_PAIRS = 5
_MOST_BARS = 8
_SHORT = {
    "exchange current density": "j0",
    "exchange activation energy": "Ea",
    "apparent ": "",
    "overpotential": "overpot.",
}


def draw(result: Result, ax: Axes) -> None:
    """Draw every value that was fitted or predicted, with its interval, over the reported value where there is one.

    Parameters
    ----------
    result
        Of the kind ``calibration``.
    ax
        Where; the horizontal axis is ours over reported (over our median where nothing was reported).
    """
    from matplotlib.ticker import FormatStrFormatter, LogLocator

    rows = [row for row in result.table("values").to_dicts() if row["label"] != "input"]
    for at, row in enumerate(rows):
        y = -at
        unit = row["value"] or row["median"]
        if not unit:
            continue
        colour = _COLOURS[row["label"]]
        low, high = row["low"] / unit, row["high"] / unit
        ax.plot([low, high], [y, y], color=colour, linewidth=1.0, solid_capstyle="butt", zorder=2)
        inner = [row["parameters_low"] / unit, row["parameters_high"] / unit]
        ax.plot(inner, [y, y], color=colour, linewidth=3.6, alpha=0.55, solid_capstyle="butt", zorder=3)
        ax.plot([row["median"] / unit], [y], marker="o", markersize=3.6, color=colour, zorder=4)
        if row["value"]:
            marker = {"lower": ">", "upper": "<"}.get(row["bound"], "|")
            ax.plot(
                [1.0],
                [y],
                marker=marker,
                markersize=9 if marker == "|" else 5,
                color="black",
                markeredgewidth=1.2,
                zorder=5,
            )
            sigma = (row["value_sigma"] or 0.0) / abs(unit)
            ax.plot([1.0 - sigma, 1.0 + sigma], [y - 0.22] * 2, color="black", linewidth=0.9, zorder=5)
        ax.text(1.01, y, _number(row), transform=ax.get_yaxis_transform(), fontsize=5.6, va="center", color=colour)
    ax.axvline(1.0, color=_GREY, linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
    ends = [end / (row["value"] or row["median"] or 1.0) for row in rows for end in (row["low"], row["high"])]
    if min(ends, default=1.0) > 0 and max(ends, default=1.0) / min(ends, default=1.0) > 8:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        ax.minorticks_off()
    ax.set_yticks([-at for at in range(len(rows))], [_name(row) for row in rows], fontsize=5.6)
    ax.set_ylim(-len(rows) + 0.4, 0.75)
    ax.set_xlabel("ours / reported (where none: / our median)", fontsize=6.2)
    shown = [label for label in _COLOURS if any(row["label"] == label for row in rows)]
    handles = [ax.plot([], [], color=_COLOURS[label], marker="o", markersize=3.6, label=label)[0] for label in shown]
    handles.append(ax.plot([], [], color="black", marker="|", markersize=7, linestyle="none", label="reported")[0])
    ax.legend(
        handles=handles,
        ncols=2,
        loc="lower left",
        bbox_to_anchor=(-0.35, 1.0),
        fontsize=5.6,
        columnspacing=0.9,
        handletextpad=0.4,
    )


def _number(row: Mapping[str, Any]) -> str:
    unit = "" if row["unit"] == "1" else f" {_unit(row['unit'])}"
    half = 0.5 * (row["high"] - row["low"])
    return f"{row['median']:.3g} ± {half:.2g}{unit}"


def _unit(unit: str) -> str:
    return unit.replace("^2", "²").replace("ohm", "Ω").replace("percent", "%")


def _name(row: Mapping[str, Any]) -> str:
    return f"{_shortened(row['quantity'])}\n{row['experiment'][:30]}"


def _shortened(name: str) -> str:
    text = name.replace("_", " ").replace(":", ": ")
    for long, short in _SHORT.items():
        text = text.replace(long, short)
    return text if len(text) <= 30 else f"{text[:29]}…"


def _parameter_name(place: str) -> str:
    return _shortened(place.rpartition(".")[2])


def posterior_view(result: Result) -> Result:
    """Return the parameters of a calibration as a result of its own: prior, posterior, combinations, profiles."""
    return _view(result, ("parameters", "combinations", "profiles", "draws"), ("identifiability",), draw_posterior)


def sensitivity_view(result: Result) -> Result:
    """Return which parameter decides which number as a result of its own."""
    return _view(result, ("sensitivities",), (), draw_sensitivities)


def _view(result: Result, tables: Sequence[str], verdicts: Sequence[str], drawer: Callable[[Result, Axes], None]) -> Result:
    return replace(
        result,
        inputs={"calibration": "as above"},
        quantities={},
        verdicts={name: result.verdicts[name] for name in verdicts},
        warnings=(),
        tables={name: result.tables[name] for name in tables},
        attachments={},
        drawer=drawer,
    )


def draw_posterior(result: Result, ax: Axes) -> None:
    """Draw the posterior of the parameters: each alone and in pairs; at most five, those that the data informed most.

    Parameters
    ----------
    result
        With the tables ``parameters`` and ``draws``.
    ax
        Filled with small axes.
    """
    parameters = result.table("parameters").sort("learned_percent", descending=True).to_dicts()[:_MOST_PAIRS]
    draws = result.table("draws")
    weights = draws["weight"].to_numpy()
    ax.set_axis_off()
    d = len(parameters)
    gap = 0.05
    side = (1.0 - gap * (d - 1)) / d
    for i, row in enumerate(parameters):
        for j, column in enumerate(parameters[: i + 1]):
            one = ax.inset_axes((j * (side + gap), (d - 1 - i) * (side + gap), side, side))
            x = draws[column["parameter"]].to_numpy()
            if i == j:
                edges = _edges(x, column["prior"])
                one.hist(x, bins=edges, weights=weights, color="#0072B2", alpha=0.65)
                one.set_yticks([])
                one.set_title(f"{column['learned_percent']:.0f} % learned", fontsize=5.5, pad=2, color=_GREY)
            else:
                y = draws[row["parameter"]].to_numpy()
                sizes = 2.5 * np.clip(weights * len(weights), 0.05, 4.0)
                one.scatter(x, y, s=sizes, color="#0072B2", alpha=0.45, linewidths=0)
                if _logarithmic(row["prior"]):
                    one.set_yscale("log")
            if _logarithmic(column["prior"]):
                one.set_xscale("log")
            one.tick_params(labelsize=4.8, length=1.8, pad=1.2, which="both")
            one.minorticks_off()
            if i == d - 1:
                one.set_xlabel(_axis_label(column), fontsize=5.6, labelpad=1.5)
            else:
                one.set_xticklabels([])
            if j == 0 and i > 0:
                one.set_ylabel(_axis_label(row), fontsize=5.6, labelpad=1.5)
            elif i != j:
                one.set_yticklabels([])


def _logarithmic(prior: str) -> bool:
    return prior.startswith("log-")


def _edges(x: NDArray[np.float64], prior: str) -> list[float]:
    low, high = float(x.min()), float(x.max())
    if _logarithmic(prior) and low > 0:
        return list(np.geomspace(low, high, 16))
    return list(np.linspace(low, high, 16))


def _axis_label(row: Mapping[str, Any]) -> str:
    unit = "" if row["unit"] == "1" else f"\n({_unit(row['unit'])})"
    return f"{_parameter_name(row['parameter'])}{unit}"


def draw_sensitivities(result: Result, ax: Axes) -> None:
    """Draw the Sobol indices of every number: total as a bar, first order as its filled part.

    Parameters
    ----------
    result
        With the table ``sensitivities``.
    ax
        Where; one group of bars a number.
    """
    rows = result.table("sensitivities").to_dicts()
    numbers = list(dict.fromkeys((row["experiment"], row["quantity"]) for row in rows))[:_MOST_BARS]
    parameters = list(dict.fromkeys(row["parameter"] for row in rows))
    height = 0.8 / len(parameters)
    for row in rows:
        key = (row["experiment"], row["quantity"])
        if key not in numbers:
            continue
        k = parameters.index(row["parameter"])
        y = -numbers.index(key) + 0.4 - (k + 0.5) * height
        colour = _PARAMETERS[k % len(_PARAMETERS)]
        ax.barh(y, max(row["total"], 0.0), height * 0.9, facecolor="none", edgecolor=colour, linewidth=0.7)
        ax.barh(y, max(row["first_order"], 0.0), height * 0.9, color=colour)
    ax.set_yticks(
        [-at for at in range(len(numbers))],
        [_name({"quantity": quantity, "experiment": experiment}) for experiment, quantity in numbers],
        fontsize=5.6,
    )
    ax.set_xlim(0.0, 1.05)
    ax.set_xlabel("share of the variance over the prior\n(filled: alone; outline: with others)", fontsize=6.2)
    for k, name in enumerate(parameters):
        ax.barh([np.nan], [np.nan], color=_PARAMETERS[k % len(_PARAMETERS)], label=_parameter_name(name))
    ax.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.35, 1.0), fontsize=5.6, columnspacing=0.9, handletextpad=0.4)
