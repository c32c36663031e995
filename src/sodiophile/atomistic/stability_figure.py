"""The figure of a stability: reaction energy against the part of metal in the mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(result: Result, ax: Axes) -> None:
    """Draw the least energy per atom of the mixture, and as a diamond the best reaction that leaves no interlayer."""
    table = result.table("hull")
    ax.plot(table["metal_fraction"], table["reaction_energy_eV_per_atom"], color="#0072B2", marker=".", markersize=3)
    for row in result.table("reaction").to_dicts():
        ax.plot(row["metal_fraction"], row["reaction_energy_eV_per_atom"], "D", color="#D55E00", markersize=5)
        ax.margins(y=0.25)
        ax.annotate(
            row["reaction"].replace("->", "→"), (0.5, 0.97), xycoords="axes fraction", ha="center", va="top",
            fontsize=7, color="#D55E00",
        )  # fmt: skip
    ax.axhline(0.0, color="#6b6b6b", linewidth=0.8)
    ax.set_xlim(0.0, 1.0)
    ax.tick_params(labelsize=7)
    metal, crystal = result.inputs["metal"], result.inputs["crystal"]
    ax.set_xlabel(f"atoms of added {metal} / all atoms", fontsize=8)
    ax.set_ylabel("reaction energy (eV/atom)", fontsize=8)
    ax.set_title(f"{crystal} and {metal}, {result.inputs['engine']['engine']}", fontsize=8)
