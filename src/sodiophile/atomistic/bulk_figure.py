"""The figure of a bulk crystal: energies at several volumes, and the Birch-Murnaghan curve through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(result: Result, ax: Axes) -> None:
    """Draw the table of energies, in meV an atom above the lowest, and the curve."""
    rows = result.table("energies").sort("volume_A3_per_atom")
    volume, energy = (rows[name].to_numpy() for name in ("volume_A3_per_atom", "above_lowest_meV_per_atom"))
    x = np.linspace(volume.min(), volume.max(), 200)
    # the third-order equation is a cubic in V^(-2/3)
    line = np.polynomial.Polynomial.fit(volume ** (-2 / 3), energy, 3)(x ** (-2 / 3))
    ax.plot(x, line, color="#0072B2", linewidth=1.3, label="Birch-Murnaghan")
    ax.plot(volume, energy, "o", color="#D55E00", markersize=4, label="computed")
    stress = result.quantities.get("volume_from_stress")
    if stress is not None:
        ax.axvline(stress.value, ymax=0.66, color="#6b6b6b", linewidth=0.9, linestyle=(0, (4, 2)), label="zero stress")
    ax.set_xlabel("volume per atom (Å$^3$)", fontsize=8)
    ax.set_ylabel("energy above the lowest (meV/atom)", fontsize=8)
    ax.tick_params(labelsize=7)
    ax.legend(fontsize=6.5, frameon=False, loc="upper center")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_title(f"{result.inputs['crystal']}, {result.inputs['engine']['engine']}", fontsize=8)
