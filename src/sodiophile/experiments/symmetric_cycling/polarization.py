"""Polarization, hysteresis and offset of each cycle, and over a stated window of cycles with their uncertainty."""

from __future__ import annotations

import numpy as np
import polars as pl

from sodiophile.experiments._levels import same_level
from sodiophile.quantity import Quantity, Status

WAYS = {
    "mean": "charge-weighted mean over the half cycle",
    "middle": "at half of the charge of the half cycle (median of three samples at 48 to 52 %)",
    "end": "at the end of the half cycle (median of the last three samples)",
    "peak": "at the highest sample of the half cycle",
}


def cycle_table(half_cycles: pl.DataFrame, truncation: float) -> pl.DataFrame:
    """Pair plating and stripping of each cycle.

    Parameters
    ----------
    half_cycles
        The half-cycle table.
    truncation
        A cycle whose halves differ in charge by more than this fraction counts as not complete and is left out.

    Returns
    -------
    DataFrame
        One row a complete cycle; polarization = (V_strip - V_plate)/2 of the signed voltages (for a
        positive stripping current), which is half the sum of their magnitudes in any passive cell; voltages in mV.
    """
    columns = [
        "samples",
        "cycle",
        "direction",
        "start_h",
        "end_h",
        "current_density_mA_cm2",
        "charge_mAh_cm2",
        "resistance_ohm_cm2",
    ]
    voltages = [f"voltage_{way}_mV" for way in WAYS]
    first = half_cycles.select(*columns, *voltages, "noise_mV").unique(
        ["cycle", "direction"], keep="first", maintain_order=True
    )
    plating = first.filter(pl.col("direction") == "plating").drop("direction")
    stripping = first.filter(pl.col("direction") == "stripping").drop("direction")
    both = plating.join(stripping, on="cycle", suffix="_strip").sort("cycle")
    least = pl.min_horizontal("charge_mAh_cm2", "charge_mAh_cm2_strip")
    most = pl.max_horizontal("charge_mAh_cm2", "charge_mAh_cm2_strip")
    both = both.filter(least >= truncation * most)
    # the electrode under study is stripped by the current opposite to that of plating, whatever its sign
    sign = pl.col("current_density_mA_cm2_strip").sign()
    half = [
        ((pl.col(f"{name}_strip") - pl.col(name)) * sign / 2).alias(f"polarization_{way}_mV")
        for way, name in zip(WAYS, voltages, strict=True)
    ]
    return both.select(
        "cycle",
        pl.min_horizontal("start_h", "start_h_strip").alias("start_h"),
        pl.max_horizontal("end_h", "end_h_strip").alias("end_h"),
        pl.col("current_density_mA_cm2").abs().alias("current_density_mA_cm2"),
        pl.col("charge_mAh_cm2").alias("capacity_mAh_cm2"),
        *half,
        ((pl.col("voltage_mean_mV_strip") - pl.col("voltage_mean_mV")) * sign).alias("hysteresis_mV"),
        ((pl.col("voltage_mean_mV_strip") + pl.col("voltage_mean_mV")) / 2).alias("offset_mV"),
        ((pl.col("resistance_ohm_cm2") + pl.col("resistance_ohm_cm2_strip")) / 2).alias("resistance_ohm_cm2"),
        pl.max_horizontal("noise_mV", "noise_mV_strip").alias("noise_mV"),
        (pl.col("samples") + pl.col("samples_strip")).alias("samples"),
    )


def window(cycles: pl.DataFrame, first: int, last: int | None) -> tuple[pl.DataFrame, list[str]]:
    """Take the cycles of the window that ran at one current density: the one with most cycles in it.

    Returns
    -------
    tuple
        The cycles, and warnings.
    """
    inside = cycles.filter((pl.col("cycle") >= first) & (pl.col("cycle") <= (last or 2**31)))
    if inside.height < 2:
        return inside, []
    levels = same_level(inside["current_density_mA_cm2"].to_numpy())
    counts = np.bincount(levels)
    if counts.size == 1:
        return inside, []
    taken = inside.filter(pl.Series(levels == int(np.argmax(counts))))
    return taken, [
        (
            f"the window holds {counts.size} current densities; polarization is stated for the {taken.height} cycles at "
            f"{np.median(taken['current_density_mA_cm2'].to_numpy()):.4g} mA/cm^2"
        )
    ]


def stated(values: np.ndarray, noise: float, resolution: float, unit: str, definition: str, status: Status) -> Quantity:
    """Return the median over cycles as a quantity.

    The standard uncertainty combines the standard error of the median from the scatter between cycles (or, if larger, from
    the noise of a sample) and the resolution of the file (step / sqrt(12)), which no averaging removes.
    """
    count = values.size
    scatter = 0.0
    if count >= 5:
        scatter = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    elif count >= 2:
        scatter = float(np.std(values, ddof=1))
    spread = 1.2533 * max(scatter, noise) / np.sqrt(count)
    return Quantity(float(np.median(values)), unit, float(np.hypot(spread, resolution / np.sqrt(12))), definition, status)


def quantities(cycles: pl.DataFrame, chosen: pl.DataFrame, resolution_mV: float, status: Status) -> dict[str, Quantity]:
    """State polarization, hysteresis and offset over the chosen window, and polarization at three moments of the life.

    Parameters
    ----------
    cycles
        All healthy complete cycles at the current density of `chosen`, from the first.
    chosen
        Those of the window.
    resolution_mV
        Of the file.
    status
        ``measured`` or ``simulated``.
    """
    if chosen.height == 0:
        return {}
    noise = float(chosen["noise_mV"].median())  # type: ignore[arg-type]
    samples = float(chosen["samples"].median())  # type: ignore[arg-type]
    mean_noise = noise / np.sqrt(max(samples, 1.0))
    averaged = {"mean": max(samples, 1.0), "middle": 6.0, "end": 6.0, "peak": 2.0}
    over = f"median over cycles {chosen['cycle'][0]} to {chosen['cycle'][-1]} ({chosen.height} complete healthy cycles)"

    def over_window(
        column: str, unit: str, definition: str, noise: float = noise, resolution: float = resolution_mV
    ) -> Quantity:
        return stated(chosen[column].to_numpy(), noise, resolution, unit, f"{definition}; {over}", status)

    out = {
        f"polarization_{way}": over_window(
            f"polarization_{way}_mV", "mV", f"(|V_plate| + |V_strip|)/2, {words}", noise / np.sqrt(averaged[way])
        )
        for way, words in WAYS.items()
    }
    out["hysteresis"] = over_window(
        "hysteresis_mV", "mV", "|V_plate| + |V_strip| (the full gap), charge-weighted means", 2 * mean_noise
    )
    out["voltage_offset"] = over_window(
        "offset_mV", "mV", "(V_plate + V_strip)/2, charge-weighted means, with sign", mean_noise
    )
    level = max(float(chosen["polarization_mean_mV"].abs().median()), 1e-12)  # type: ignore[arg-type]
    resistance = float(chosen["resistance_ohm_cm2"].median())  # type: ignore[arg-type]
    out["apparent_resistance"] = over_window(
        "resistance_ohm_cm2",
        "ohm cm^2",
        "median voltage over current, times the area, mean of plating and stripping; both electrodes and the electrolyte",
        noise / 5 / level * resistance,
        resolution_mV / level * resistance,
    )
    span = max(1, min(5, cycles.height // 3))
    middle = (cycles.height - span) // 2
    for name, start, words in (
        ("initial", 0, "first"),
        ("half_life", middle, "at half of the healthy life"),
        ("final", cycles.height - span, "last healthy"),
    ):
        part = cycles.slice(start, span)
        out[f"polarization_{name}"] = stated(
            part["polarization_mean_mV"].to_numpy(),
            mean_noise,
            resolution_mV,
            "mV",
            f"(|V_plate| + |V_strip|)/2, {WAYS['mean']}; {words}: median over cycles {part['cycle'][0]} to "
            f"{part['cycle'][-1]}",
            status,
        )
    return out
