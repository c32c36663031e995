"""The figure of a charge-density result: where electrons accumulate and deplete, plane by plane, at every site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
_GREY = "#6b6b6b"


def draw(result: Result, ax: Axes) -> None:
    """Draw the planar sums of the density differences into axes.

    Parameters
    ----------
    result
        Of the kind ``charge-density``.
    ax
        Height above the top layer along x.
    """
    planes = result.table("planes")
    ax.axhline(0.0, color=_GREY, linewidth=0.6)
    ax.axvline(0.0, color=_GREY, linewidth=0.6, linestyle=(0, (4, 2)))
    for i, row in enumerate(result.table("sites").to_dicts()):
        one = planes.filter(planes["site"] == row["site"])
        colour = _COLOURS[i % len(_COLOURS)]
        ax.plot(one["height_A"], one["difference_e_per_A"], color=colour, linewidth=1.0, label=row["site"])
        ax.axvline(row["adatom_height_A"], color=colour, linewidth=0.6, linestyle=(0, (1, 1)))
    ax.set_xlabel("height above the top layer (Å)")
    ax.set_ylabel(r"$\Delta n$ (e/Å)")
    ax.legend()
