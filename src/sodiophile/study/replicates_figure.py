"""The figure of groups of cells: survival where lifespans are known, else every cell with the mean of its group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sodiophile.result import Result

# M. Okabe and K. Ito, Color Universal Design (2008): told apart by all eyes
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_LINES = ("-", "--", "-.", ":")
_MOST_GROUPS = 7


def draw(result: Result, ax: Axes) -> None:
    """Draw Kaplan-Meier curves with censored cells as ticks, or, without lifespans, cells and means of one quantity."""
    if "survival" in result.tables:
        _survival(result.tables["survival"], ax)
    else:
        _strips(result, ax)


def _survival(table: pl.DataFrame, ax: Axes) -> None:
    name = table["quantity"][0]
    table = table.filter(pl.col("quantity") == name)
    groups = table["group"].unique(maintain_order=True).to_list()[:_MOST_GROUPS]
    for at, group in enumerate(groups):
        own = table.filter(pl.col("group") == group)
        time, surviving = own["time"].to_numpy(), own["surviving"].to_numpy()
        colour = _COLOURS[at % len(_COLOURS)]
        total = int(own["at_risk"][0])
        label = f"{_short(group)} ({total})"
        ax.step(time, 100 * surviving, where="post", color=colour, linestyle=_LINES[at % len(_LINES)], label=label)
        ended = own.filter((pl.col("failed") == 0) & (pl.col("time") > 0))
        if ended.height:
            x, y = ended["time"].to_numpy(), 100 * ended["surviving"].to_numpy()
            ax.plot(x, y, linestyle="none", marker="|", markersize=8, markeredgewidth=1.3, color=colour)
    ax.set_ylim(-3, 106)
    ax.set_xlim(left=0)
    unit = table["unit"][0]
    ax.set_xlabel(f"{_words(name)}" + (f" ({unit})" if unit != "1" else ""))
    ax.set_ylabel("cells alive (%)")
    ax.legend(loc="best", title="group (cells); | test ended alive", title_fontsize="small")


def _strips(result: Result, ax: Axes) -> None:
    table = result.table("groups")
    tests = result.tables.get("comparisons")
    name = tests["quantity"][0] if tests is not None and tests.height else table["quantity"][0]
    own = table.filter(pl.col("quantity") == name).head(_MOST_GROUPS)
    unit = own["unit"][0]
    column = name if unit == "1" else f"{name} [{unit}]"
    cells = result.table("cells")
    for at, row in enumerate(own.iter_rows(named=True)):
        values = cells.filter(pl.col("group") == row["group"])[column].drop_nulls().to_numpy()
        colour = _COLOURS[at % len(_COLOURS)]
        spread = np.linspace(-0.12, 0.12, values.size) if values.size > 1 else np.zeros(1)
        ax.plot(at + spread, values, linestyle="none", marker="o", markersize=4, color=colour, alpha=0.8)
        if row["low_95"] is not None:
            reach = [[row["mean"] - row["low_95"]], [row["high_95"] - row["mean"]]]
            ax.errorbar(at + 0.27, row["mean"], yerr=reach, fmt="_", markersize=9, capsize=3, color=colour)
    ax.set_xticks(range(own.height), [f"{_short(group)}\n({n})" for group, n in own.select("group", "n").iter_rows()])
    ax.set_xlim(-0.5, own.height - 0.3)
    ax.set_ylabel(f"{_words(name)}" + (f" ({unit})" if unit != "1" else ""))
    ax.set_xlabel("group (cells); bars: mean, 95 % interval")


def _words(name: Any) -> str:
    return str(name).replace("_", " ")


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"
