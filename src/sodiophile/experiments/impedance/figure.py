"""The Nyquist plot of impedance spectra: equal scales on both axes, fit, arcs, and where each decade of frequency lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sodiophile.result import Result

_BLACK, _BLUE, _ARCS = "#000000", "#0072B2", ("#E69F00", "#009E73")
_MOST_SPECTRA = 8
_MOST_NAMES = 4
_SHAPE = 0.72
_UNITS = (("GΩ", 1e9), ("MΩ", 1e6), ("kΩ", 1e3), ("Ω", 1.0), ("mΩ", 1e-3), ("µΩ", 1e-6))


def draw(result: Result, ax: Axes) -> None:
    """Draw the spectra of an impedance result; a single one with its arcs and decades."""
    points, fits = result.table("points"), result.table("fits")
    numbers = points["spectrum"].unique(maintain_order=True).to_list()
    if len(numbers) == 1:
        _one(
            ax, points, fits, float(result.inputs["protocol"]["area_cm2"]), "simulated" if result.simulated else "measured"
        )
    else:
        _series(ax, points, fits, numbers)
    _frame(ax, points)
    ax.axhline(0, color="0.7", linewidth=0.5, zorder=0)
    if result.simulated:
        ax.text(0.99, 0.98, "simulated", transform=ax.transAxes, ha="right", va="top", fontsize=6.5, color="#D55E00")


def _frame(ax: Axes, points: pl.DataFrame) -> None:
    """Set equal scales with the room that is left over above the data, and write the axes in a fitting unit."""
    from matplotlib.ticker import MaxNLocator

    x, y = points["real_ohm_cm2"].to_numpy(), -points["imaginary_ohm_cm2"].to_numpy()
    left, right, low, high = float(x.min()), float(x.max()), min(float(y.min()), 0.0), float(y.max())
    width = max(right - left, (high - low) * 1.15 / _SHAPE) * 1.22
    middle = (left + right) / 2
    ax.set_xlim(middle - width / 2, middle + width / 2)
    ax.set_ylim(low - 0.04 * width, low + (_SHAPE - 0.04) * width)
    ax.set_aspect("equal", adjustable="box")
    name, factor = next(((name, factor) for name, factor in _UNITS if right >= factor), _UNITS[-1])
    ax.set_xlabel(f"$Z'$ / {name} cm$^2$")
    ax.set_ylabel(f"$-Z''$ / {name} cm$^2$")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value / factor:.6g}")
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))


def _one(ax: Axes, points: pl.DataFrame, fits: pl.DataFrame, area_cm2: float, status: str) -> None:
    row = fits.row(0, named=True)
    start = row["R0_ohm"] or 0.0
    omega = np.geomspace(1e-7, 1e12, 400)
    for which, color in zip((1, 2), _ARCS, strict=True):
        R, tau, alpha = (row[f"{name}{which}{unit}"] for name, unit in (("R", "_ohm"), ("tau", "_s"), ("alpha", "")))
        if R is None:
            continue
        Z = (start + R / (1 + (1j * omega * tau) ** alpha)) * area_cm2
        label = f"arc {which}" if row["arcs"] > 1 else "arc"
        ax.fill_between(Z.real, 0, -Z.imag, color=color, alpha=0.3, linewidth=0, label=label)
        start += R
    ax.plot(points["fitted_real_ohm_cm2"], -points["fitted_imaginary_ohm_cm2"], color=_BLUE, label="fit", zorder=2)
    ax.plot(
        points["real_ohm_cm2"],
        -points["imaginary_ohm_cm2"],
        "o",
        color=_BLACK,
        markerfacecolor="white",
        markeredgewidth=0.7,
        label=status,
        zorder=3,
    )
    _decades(ax, points)
    ax.legend(loc="upper left")


def _decades(ax: Axes, points: pl.DataFrame) -> None:
    """Fill the point nearest to each power of ten and write it there, where it does not stand on the one before."""
    log_f = np.log10(points["frequency_Hz"].to_numpy())
    x, y = points["real_ohm_cm2"].to_numpy(), -points["imaginary_ohm_cm2"].to_numpy()
    size = max(float(np.ptp(x)), float(np.ptp(y)))
    written: list[tuple[float, float]] = []
    for exponent in range(int(np.floor(log_f.max())), int(np.ceil(log_f.min())) - 1, -1):
        k = int(np.argmin(np.abs(log_f - exponent)))
        if abs(log_f[k] - exponent) > 0.15:
            continue
        ax.plot(x[k], y[k], "o", color=_BLACK, zorder=4)
        if any(np.hypot(x[k] - a, y[k] - b) < 0.12 * size for a, b in written):
            continue
        written.append((float(x[k]), float(y[k])))
        # the text stands off the curve, on its left as frequency falls
        before, after = max(k - 2, 0), min(k + 2, len(x) - 1)
        along = np.array([x[after] - x[before], y[after] - y[before]])
        off = 9 * np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-300)
        text = f"$10^{{{exponent}}}$ Hz" if len(written) == 1 else f"$10^{{{exponent}}}$"
        ax.annotate(
            text,
            (x[k], y[k]),
            xytext=tuple(off),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=6,
            zorder=5,
        )


def _series(ax: Axes, points: pl.DataFrame, fits: pl.DataFrame, numbers: list[int]) -> None:
    import matplotlib as mpl

    shown = [numbers[k] for k in np.unique(np.linspace(0, len(numbers) - 1, _MOST_SPECTRA).round().astype(int))]
    colors = mpl.colormaps["cividis"](np.linspace(0, 0.9, len(shown)))
    named = {shown[k] for k in np.unique(np.linspace(0, len(shown) - 1, _MOST_NAMES).round().astype(int))}
    for number, color in zip(shown, colors, strict=True):
        part = points.filter(pl.col("spectrum") == number)
        row = fits.filter(pl.col("spectrum") == number).row(0, named=True)
        ax.plot(part["fitted_real_ohm_cm2"], -part["fitted_imaginary_ohm_cm2"], color=color, linewidth=0.8)
        ax.plot(
            part["real_ohm_cm2"],
            -part["imaginary_ohm_cm2"],
            "o",
            color=color,
            markersize=2.2,
            label=_label(row) if number in named else None,
        )
    count = f"{len(shown)} of {len(numbers)}" if len(shown) < len(numbers) else f"{len(numbers)}"
    title = None if len(named) == len(numbers) else f"{count} spectra"
    ax.legend(loc="upper left", ncols=2, title=title, title_fontsize=6.5)


def _label(row: dict[str, object]) -> str:
    temperature, time = row["temperature_K"], row["time_s"]
    if isinstance(temperature, float):
        return f"{temperature - 273.15:.0f} °C"
    if isinstance(time, float):
        return f"{time / 3600:.1f} h"
    return f"spectrum {row['spectrum']}"
