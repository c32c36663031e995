"""The figure of an adsorption result: the energy at every site, held and let go, against bulk metal and free atom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sodiophile.atomistic.dft_points import coverage_of
from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HELD, _FREE, _GREY = "#0072B2", "#D55E00", "#6b6b6b"
_SHIFT = 0.13


def draw(result: Result, ax: Axes) -> None:
    """Draw the energies of the main table into axes; nothing else of the result is used.

    Parameters
    ----------
    result
        Of the kind ``adsorption``.
    ax
        Left axis: against bulk metal, with the zero line; right axis: against the free atom.
    """
    table = result.table("sites")
    rows = table.to_dicts()
    metal = rows[0]["adsorbate"]
    several = table["termination"].n_unique() > 1
    error = rows[0]["uncertainty_eV"]
    held = [row["adsorption_energy_vs_bulk_eV"] for row in rows]
    free = [row["adsorption_energy_vs_bulk_free_eV"] for row in rows]
    ax.axhline(0.0, color=_GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    for values, shift, colour, marker, name in (
        (held, -_SHIFT, _HELD, "o", "held over the site"),
        (free, _SHIFT, _FREE, "D", "let go"),
    ):
        points = [(i + shift, value) for i, value in enumerate(values) if value is not None]
        if not points:
            continue
        x, y = zip(*points, strict=True)
        ax.errorbar(
            x,
            y,
            yerr=error,
            fmt=marker,
            color=colour,
            markersize=4.5,
            label=name,
            zorder=3,
            elinewidth=0.8,
            capsize=2.0,
            ecolor=_GREY,
            linestyle="none",
        )
    for i, row in enumerate(rows):
        if row["adsorption_energy_vs_bulk_eV"] is None:
            ax.annotate("not converged", (i, 0.0), fontsize=6, rotation=90, ha="center", va="bottom", color=_GREY)
    ax.set_xticks(range(len(rows)), [_tick(row, several, max(10, 46 // len(rows))) for row in rows], fontsize=6.5)
    ax.set_xlim(-0.6, len(rows) - 0.4)
    low, high = ax.get_ylim()
    span = high - low
    # room for the words above
    ax.set_ylim(low - 0.04 * span, max(high, 0.0) + 0.28 * span)
    ax.set_ylabel(f"E$_{{ads}}$ vs bulk {metal} (eV)", fontsize=8)
    ax.tick_params(axis="y", labelsize=7)
    cohesive = rows[0]["cohesive_energy_eV"]
    right = ax.secondary_yaxis("right", functions=(lambda e: e - cohesive, lambda e: e + cohesive))
    right.set_ylabel(f"vs free {metal} atom (eV)", fontsize=8)
    right.tick_params(labelsize=7)
    ax.annotate(
        f"bulk {metal}",
        (0.01, 0.0),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        fontsize=6.5,
        color=_GREY,
        va="bottom",
    )
    what = f"{rows[0]['engine']}, {coverage_of(rows[0]['cells'])} monolayer"
    if error is not None:
        what += "; bars: its error against DFT"
    ax.set_title(f"{metal} on {rows[0]['surface']}\n", fontsize=8)
    ax.text(0.5, 1.015, what, transform=ax.transAxes, fontsize=6.5, ha="center", va="bottom", color=_GREY)
    ax.legend(fontsize=6.5, frameon=False, loc="upper center", ncols=2, handletextpad=0.3, columnspacing=1.2)


def _tick(row: Mapping[str, Any], several: bool, width: int) -> str:
    """Return the name of a site and, after an arrow, where an adatom that was let go there ended."""
    name = f"{row['termination']}: {row['site']}" if several else row["site"]
    end = row["final_site_free"]
    lines = [short_label(name)] + ([] if end in {None, row["site"]} else [f"→ {short_label(end)}"])
    return "\n".join(wrapped(line, width) for line in lines)


def short_label(label: str) -> str:
    """Return the label of a site with digits for words, for a tick."""
    for word, digit in {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6"}.items():
        label = label.replace(f"{word}-fold", f"{digit}-fold")
    return label


def wrapped(label: str, width: int) -> str:
    """Return a label on lines of `width` letters."""
    import textwrap

    return "\n".join(textwrap.wrap(label, width, break_long_words=False, break_on_hyphens=False))
