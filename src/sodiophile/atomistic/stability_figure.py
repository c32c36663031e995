"""The figure of a stability: reaction energies against the part of metal in the mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(result: Result, ax: Axes) -> None:
    """Draw the least energy of the mixture, the least without the interlayer, and the best reaction of those."""
    table = result.table("hull")
    crystal, metal = result.inputs["crystal"], result.inputs["metal"]
    fraction = table["metal_fraction"]
    ax.axhline(0.0, color="#6b6b6b", linewidth=0.8)
    without = table["without_interlayer_eV_per_atom"]
    if without.count():
        ax.plot(fraction, without, color="#D55E00", linestyle="--", linewidth=1.2, label=f"without {crystal}")
    ax.plot(fraction, table["reaction_energy_eV_per_atom"], color="#0072B2", linewidth=1.8, label="of all phases given")
    for row in result.table("reaction").to_dicts():
        ax.plot(
            row["metal_fraction"], row["reaction_energy_eV_per_atom"], "D", color="#D55E00", markersize=5, clip_on=False,
            label=row["reaction"].replace("->", "→"),
        )  # fmt: skip
    ax.set_xlim(0.0, 1.0)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.55 * (high - low))
    ax.legend(fontsize=7, frameon=False, loc="upper right")
    ax.tick_params(labelsize=7)
    ax.set_xlabel(f"atoms of added {metal} / all atoms", fontsize=8)
    ax.set_ylabel("reaction energy (eV/atom)", fontsize=8)
    ax.set_title(f"{crystal} and {metal}, {result.inputs['engine']['engine']}", fontsize=8)
