"""The look of every figure of a report: one journal column wide, one family of type, colours that all eyes tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

COLUMN_CM = 8.5
HEIGHT_CM = 6.4

# M. Okabe and K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/
OKABE_ITO = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "orange": "#E69F00",
    "black": "#000000",
    "yellow": "#F0E442",
}
SIMULATED = OKABE_ITO["vermillion"]

_SANS = ("Arial", "Helvetica", "Liberation Sans", "Arimo", "Nimbus Sans")
# for names in scripts that the Latin families lack
_FALLBACK = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei")


def _families() -> list[str]:
    from matplotlib import font_manager

    present = set(font_manager.get_font_names())
    return [*[name for name in _SANS if name in present][:1], *[name for name in _FALLBACK if name in present]]


def parameters() -> dict[str, Any]:
    """Return the matplotlib parameters of a publication figure."""
    from cycler import cycler

    return {
        "figure.figsize": (COLUMN_CM / 2.54, HEIGHT_CM / 2.54),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "savefig.dpi": 400,
        "savefig.facecolor": "white",
        "font.family": _families(),
        "font.size": 7.5,
        "mathtext.fontset": "dejavusans",
        "mathtext.default": "regular",
        "axes.labelsize": 8,
        "axes.titlesize": 8,
        "axes.linewidth": 0.6,
        "axes.prop_cycle": cycler(color=list(OKABE_ITO.values())[:7]),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "lines.linewidth": 1.1,
        "lines.markersize": 3.5,
        "patch.linewidth": 0.6,
        "grid.linewidth": 0.4,
        "legend.fontsize": 6.5,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "svg.fonttype": "path",
        "svg.hashsalt": "sodiophile",
        "pdf.fonttype": 42,
        "path.simplify": True,
    }


@contextmanager
def publication() -> Iterator[None]:
    """Draw within this context to get the style of the report, whatever the user's own settings are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(parameters())
        yield
