"""The figure of an adhesion result: work of adhesion against strain beside what wetting asks for, and the interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# M. Okabe and K. Ito, Color Universal Design (2008)
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_GREY = "#6b6b6b"


def draw(result: Result, ax: Axes) -> None:
    """Draw the tables of an adhesion result into axes: works on the left, a view from the side on the right.

    Parameters
    ----------
    result
        Of the kind ``adhesion``.
    ax
        Is divided into the two.
    """
    ax.set_axis_off()
    rows = result.table("cells").to_dicts()
    ax.set_title(f"{rows[0]['metal']} on {rows[0]['interlayer']}\n", fontsize=8)
    ax.text(0.5, 1.02, rows[0]["engine"], transform=ax.transAxes, fontsize=6.5, ha="center", va="bottom", color=_GREY)
    if all(row["work_of_adhesion_J_m2"] is None for row in rows):
        ax.text(0.5, 0.5, "no interface converged", ha="center", va="center", fontsize=8, color=_GREY)
        return
    _works(result, ax.inset_axes((0.0, 0.0, 0.52, 1.0)))
    _side(result, ax.inset_axes((0.64, 0.0, 0.36, 1.0)))


def _works(result: Result, ax: Axes) -> None:
    rows = [row for row in result.table("cells").to_dicts() if row["work_of_adhesion_J_m2"] is not None]
    strains = [100 * max(row["strain_1"], row["strain_2"], key=abs) for row in rows]
    works = [row["work_of_adhesion_J_m2"] for row in rows]
    separations = [row["work_of_separation_J_m2"] for row in rows]
    ax.plot(strains, works, "o", color=_COLOURS[0], markersize=5, label="adhesion")
    ax.plot(strains, separations, "_", color=_COLOURS[1], markersize=9, markeredgewidth=1.4, label="separation (rigid)")
    top = max(works + separations)
    gamma = result.inputs["surface_energy_J_m2"]
    if gamma is None and "surface_energy" in result.quantities:
        gamma = result.quantities["surface_energy"].value
    if gamma is not None:
        for height, text in ((gamma, "γ: 90°"), (2 * gamma, "2γ: 0°")):
            ax.axhline(height, color=_GREY, linewidth=0.7, linestyle=(0, (4, 2)), zorder=0)
            ax.text(
                0.98, height, text, transform=ax.get_yaxis_transform(), fontsize=6.5, color=_GREY, ha="right", va="bottom"
            )
        top = max(top, 2 * gamma)
    low = min(0.0, *works)
    ax.set_ylim(low, top + 0.25 * (top - low))
    left, right = min(strains), max(strains)
    margin = max(0.5, 0.25 * (right - left))
    ax.set_xlim(left - margin, right + margin)
    ax.legend(fontsize=6.5, frameon=False, loc="upper left", handletextpad=0.3, borderpad=0.1)
    ax.set_xlabel("strain of the metal (%)", fontsize=8)
    ax.set_ylabel("work (J m$^{-2}$)", fontsize=8)
    ax.tick_params(labelsize=7)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _side(result: Result, ax: Axes) -> None:
    from ase.data import atomic_numbers, covalent_radii
    from matplotlib.patches import Circle

    atoms = sorted(result.table("side").to_dicts(), key=lambda row: -row["y_A"])
    elements = list(dict.fromkeys(row["element"] for row in sorted(atoms, key=lambda row: row["part"], reverse=True)))
    colours = {element: _COLOURS[(i + 4) % len(_COLOURS)] for i, element in enumerate(elements)}
    low = min(row["z_A"] for row in atoms)
    for row in atoms:
        radius = 0.75 * covalent_radii[atomic_numbers[row["element"]]]
        look = {"facecolor": colours[row["element"]], "edgecolor": "white", "linewidth": 0.4}
        ax.add_patch(Circle((row["x_A"], row["z_A"] - low), radius, label=row["element"], **look))
    xs, zs = [row["x_A"] for row in atoms], [row["z_A"] - low for row in atoms]
    ax.set_xlim(min(xs) - 1.2, max(xs) + 1.2)
    ax.set_ylim(-1.2, max(zs) + 1.2)
    ax.set_aspect("equal", anchor="S")
    handles = dict(zip([row["element"] for row in atoms], ax.patches, strict=True))
    ax.legend(
        [handles[element] for element in elements], elements, fontsize=6.5, frameon=False, ncols=len(elements),
        loc="lower center", bbox_to_anchor=(0.5, -0.2), handlelength=0.8, handletextpad=0.3, columnspacing=0.8,
    )  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)
