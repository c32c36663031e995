"""The figure of a stability: reaction energy against the part of metal in the mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(result: Result, ax: Axes) -> None:
    """Draw the table ``hull`` into axes; per atom of the mixture, as interface reactions are drawn."""
    table = result.table("hull")
    ax.plot(table["metal_fraction"], table["reaction_energy_eV_per_atom"], color="#0072B2", marker=".", markersize=3)
    ax.axhline(0.0, color="#6b6b6b", linewidth=0.8)
    ax.set_xlim(0.0, 1.0)
    ax.tick_params(labelsize=7)
    metal, crystal = result.inputs["metal"], result.inputs["crystal"]
    ax.set_xlabel(f"atoms of added {metal} / all atoms", fontsize=8)
    ax.set_ylabel("reaction energy (eV/atom)", fontsize=8)
    ax.set_title(f"{crystal} and {metal}, {result.inputs['engine']['engine']}", fontsize=8)
