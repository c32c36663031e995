"""The figure of surface energies: bars where the slabs have the composition of the bulk, lines against mu where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sodiophile.quantity import format_number
from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
_GREY = "#6b6b6b"
# Shown left of the metal-rich end, in eV, where the other end cannot be told.
_SHOWN_EV = 1.0


def draw(result: Result, ax: Axes) -> None:
    """Draw the main table into axes; nothing else of the result is used.

    Parameters
    ----------
    result
        Of the kind ``surface-energy``.
    ax
        Bars, or, if some surface depends on a chemical potential, all surfaces against it.
    """
    rows = [row for row in result.table("surfaces").to_dicts() if row["surface_energy_J_m2"] is not None]
    if not rows:
        ax.text(0.5, 0.5, "no surface energy", transform=ax.transAxes, ha="center", va="center", fontsize=8)
        return
    if any(row["element_in_excess"] for row in rows):
        _lines(rows, ax)
    else:
        _bars(rows, ax)
    ax.tick_params(labelsize=7)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_title(f"{rows[0]['crystal']}, {rows[0]['engine']}", fontsize=8)


def _bars(rows: Sequence[Mapping[str, Any]], ax: Axes) -> None:
    places = range(len(rows))
    heights = [row["surface_energy_J_m2"] for row in rows]
    errors = [row["uncertainty_J_m2"] for row in rows]
    ax.bar(places, heights, 0.6, yerr=errors, color=_COLOURS[0], ecolor=_GREY, capsize=2.5, error_kw={"linewidth": 0.9})
    for place, height, error in zip(places, heights, errors, strict=True):
        ax.annotate(
            format_number(height, error),
            (place, height + error),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    ax.set_xticks(list(places), [row["surface"].replace("-terminated", "").replace(" ", "\n", 1) for row in rows])
    ax.set_xlim(-0.6, len(rows) - 0.4)
    ax.margins(y=0.15)
    ax.set_ylabel("surface energy (J m$^{-2}$)", fontsize=8)


def _lines(rows: Sequence[Mapping[str, Any]], ax: Axes) -> None:
    first = next(row for row in rows if row["element_in_excess"])
    element, other, poorest = first["element_in_excess"], first["other_element"], first["poorest_eV"]
    left = -_SHOWN_EV if poorest is None else poorest
    for i, row in enumerate(rows):
        at_zero = row["surface_energy_J_m2"]
        slope = -row["excess_per_A2"] * row["surface_energy_J_m2"] / row["surface_energy_eV_A2"]
        ends = [at_zero + slope * left, at_zero]
        name = row["surface"].replace("-terminated", "")
        colour, dash = _COLOURS[i % len(_COLOURS)], _DASHES[i // len(_COLOURS) % len(_DASHES)]
        ax.plot([left, 0.0], ends, color=colour, linestyle=dash, linewidth=1.5, label=name)
        error = row["uncertainty_J_m2"]
        ax.fill_between([left, 0.0], [y - error for y in ends], [y + error for y in ends], color=colour, alpha=0.2, lw=0)
    ax.axvline(0.0, color=_GREY, linewidth=0.8)
    ax.axvline(left, color=_GREY, linewidth=0.8, linestyle="-" if poorest is not None else (0, (2, 2)))
    ax.set_xlim(left - 0.04 * abs(left), 0.04 * abs(left))
    ax.locator_params(axis="x", nbins=4)
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.0), high + 0.28 * (high - min(low, 0.0)))
    words = f"{other}-rich" if poorest is not None else f"{other}-rich end: cannot be told"
    for x, text, side in ((left, words, "left"), (0.0, f"{element}-rich", "right")):
        shift = 3 if side == "left" else -3
        ax.annotate(
            text, (x, 0.01), xycoords=("data", "axes fraction"), xytext=(shift, 2), textcoords="offset points",
            fontsize=6.5, color=_GREY, ha=side, va="bottom",
        )  # fmt: skip
    ax.set_xlabel(rf"$\mu_\mathrm{{{element}}}$ against bulk {element} (eV)", fontsize=8)
    ax.set_ylabel("surface energy (J m$^{-2}$)", fontsize=8)
    ax.legend(fontsize=6.5, frameon=False, loc="upper center", ncols=2, handlelength=2.2, columnspacing=1.2)
