"""What the ordinary analyses of a laboratory make of cells whose truth is known: bias as curves.

- a Tafel line through a sweep that is not corrected for a resistance in series;
- the lowest sample of a nucleation dip that is sampled too seldom;
- two arcs of an impedance spectrum that merge.

Each is simulated by a virtual instrument and analyzed twice: the ordinary way, written out here, and by the experiment of
this package, which may refuse. Prints the tables of docs/bias.md; ``--figure FILE`` draws its figure.

Run: python benchmarks/bias.py [--figure docs/bias.png]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sodiophile import api
from sodiophile.experiments import experiment
from sodiophile.experiments.nucleation.simulate import cell_voltage
from sodiophile.physics.cell import Cell, load_cell
from sodiophile.physics.kinetics import charge_transfer_resistance_ohm_cm2
from sodiophile.schema import checked

SEEDS = 8
TAFEL_WINDOW_V = (0.06, 0.15)
SLOPE_WINDOW_V = 0.01
PLATEAU = (0.3, 0.7)
RESISTANCES = (0.0, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0)
INTERVALS_s = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
SEPARATIONS = (1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 40.0, 100.0)
CELLS = {"bare-na": "bare foil", "sodiophilic-na": "wetted layer"}


def simulated(kind: str, cell: Cell, protocol: dict[str, Any], instrument: dict[str, Any], seed: int) -> Any:
    """Return the record of a virtual instrument of a changed cell."""
    chosen = experiment(kind)
    assert chosen.simulate is not None
    assert chosen.instrument is not None
    return chosen.simulate(cell, checked(chosen.protocol, protocol), seed, checked(chosen.instrument, instrument))


def tafel_bias() -> list[tuple[float, float, float, float]]:
    """Return (series resistance over R_ct, j0 over the true one by: a Tafel line, micropolarization, a whole fit)."""
    cell = load_cell("bare-na").changed({"electrode.interphase_resistance": 0.0})
    true = cell.electrode.exchange_current_density.value
    R_ct = float(charge_transfer_resistance_ohm_cm2(true, cell.temperature.value))
    protocol = {"area": "1 cm^2", "electrodes": 1, "temperature": "25 degC"}
    rows = []
    for part in RESISTANCES:
        record = simulated(
            "exchange-current",
            cell,
            protocol,
            {"uncompensated_resistance": f"{part * R_ct} ohm cm^2", "sweep_to": "0.2 V"},
            1,
        )
        eta, j = -record.voltage_V, -1e3 * record.current_A
        window = (eta > TAFEL_WINDOW_V[0]) & (eta < TAFEL_WINDOW_V[1])
        line = np.polyfit(eta[window], np.log10(j[window]), 1)
        near = np.abs(eta) < SLOPE_WINDOW_V
        slope_ohm_cm2 = 1e3 * np.polyfit(j[near], eta[near], 1)[0]
        found = api.analyze("exchange-current", record, **protocol).quantities
        fitted = found.get("apparent_exchange_current_density")
        rows.append(
            (
                part,
                10 ** line[1] / true,
                R_ct / slope_ohm_cm2,
                np.nan if fitted is None else fitted.value / true,
            )
        )
    return rows


def dip_bias() -> dict[str, list[tuple[float, float, float]]]:
    """Return, by cell, (interval, depth by the lowest sample over the true one, by the experiment or NaN if refused)."""
    operator = {"area": "1 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "0.2 mAh/cm^2"}
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for name in CELLS:
        cell = load_cell(name)
        time_s, voltage_V = cell_voltage(cell, 0.5, 1440.0)
        plateau = np.interp(np.linspace(*PLATEAU, 1000) * 1440.0, time_s, voltage_V)
        true = float(np.median(plateau) - voltage_V.min())
        rows[name] = []
        for interval_s in INTERVALS_s:
            record = simulated("nucleation", cell, operator, {"sampling_interval": f"{interval_s} s"}, 1)
            plating = record.current_A < 0
            t, v = record.time_s[plating] - 60.0, record.voltage_V[plating]
            within = (t > PLATEAU[0] * 1440.0) & (t < PLATEAU[1] * 1440.0)
            ordinary = float(np.median(v[within]) - v.min())
            found = api.analyze("nucleation", record, area="1 cm^2").quantities.get("nucleation_overpotential")
            told = np.nan if found is None or found.bound else 1e-3 * found.value / true
            rows[name].append((interval_s, ordinary / true, told))
    return rows


def arc_bias() -> list[tuple[float, tuple[float, float, float], float]]:
    """Return (ratio of time constants, R_ct over the true one: low, median, high of many seeds, part told of these)."""
    cell = load_cell("bare-na")
    R_sei = cell.electrode.interphase_resistance.value
    R_ct = float(charge_transfer_resistance_ohm_cm2(cell.electrode.exchange_current_density.value, cell.temperature.value))
    slow_s = R_ct * cell.electrode.double_layer_capacitance.value
    protocol = {"area": "1 cm^2", "electrodes": 2}
    rows = []
    for ratio in SEPARATIONS:
        one = cell.changed({"electrode.interphase_capacitance": slow_s / ratio / R_sei})
        forced, told = [], 0
        for seed in range(SEEDS):
            record = simulated("impedance", one, protocol, {"noise": "0.005"}, seed)
            # what a laboratory does: two arcs, whatever the spectrum, and their resistances as they come
            plain = api.analyze("impedance", record, **protocol, arcs="2", arc_separation=1.0, largest_error=1.0).quantities
            if "charge_transfer_resistance" in plain:
                forced.append(plain["charge_transfer_resistance"].value / R_ct)
            told += "charge_transfer_resistance" in api.analyze("impedance", record, **protocol).quantities
        # most spectra of the closest arcs give resistances with an error of all of them
        enough = 2 * len(forced) > SEEDS
        low, middle, high = np.quantile(forced, [0.16, 0.5, 0.84]) if enough else (np.nan,) * 3
        rows.append((ratio, (float(low), float(middle), float(high)), told / SEEDS))
    return rows


def draw(tafel: list[Any], dips: dict[str, list[Any]], arcs: list[Any], file: str) -> None:
    """Draw the three curves in a column."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    blue, orange, green = "#0072B2", "#D55E00", "#009E73"
    with plt.rc_context({"font.size": 8}):
        figure, axes = plt.subplots(3, 1, figsize=(8.5 / 2.54, 18 / 2.54), layout="constrained")
        part, line, slope, whole = np.array(tafel).T
        axes[0].plot(part, line, "o-", color=orange, ms=3, label="Tafel line, not corrected")
        axes[0].plot(part, slope, "s-", color=blue, ms=3, label="micropolarization, not corrected")
        axes[0].plot(part, whole, "^", color=green, ms=4, label="Butler-Volmer and resistance fitted")
        axes[0].set(xlabel="series resistance / charge-transfer resistance", ylabel="$j_0$ found / true", ylim=(0, 1.45))
        for (name, rows), colour, marker in zip(dips.items(), (orange, blue), "os", strict=True):
            interval, ordinary, told = np.array(rows).T
            axes[1].semilogx(interval, ordinary, marker + "-", color=colour, ms=3, label=f"{CELLS[name]}, lowest sample")
            axes[1].plot(interval, told, marker, color=colour, ms=6, mfc="none", label=f"{CELLS[name]}, told by analysis")
        axes[1].set(xlabel="sampling interval (s)", ylabel="dip depth found / true", ylim=(-0.08, 1.75))
        ratio = np.array([row[0] for row in arcs])
        low, middle, high = np.array([row[1] for row in arcs]).T
        axes[2].errorbar(ratio, middle, (middle - low, high - middle), fmt="o-", color=orange, ms=3, lw=1, capsize=2,
                         label="$R_{ct}$ of two arcs, forced")  # fmt: skip
        axes[2].plot(
            ratio, [row[2] for row in arcs], "s--", color=blue, ms=3, lw=1, label="part of spectra that analysis tells"
        )
        axes[2].set(
            xscale="log",
            xlabel="ratio of the time constants of the arcs",
            ylabel="found / true, or part",
            ylim=(-0.05, 2.1),
        )
        for ax, letter in zip(axes, "abc", strict=True):
            ax.axhline(1.0, color="0.6", lw=0.8, zorder=0)
            ax.legend(frameon=False, fontsize=6.5, loc="upper right")
            ax.set_title(f"({letter}) simulated", loc="left", fontsize=8)
        figure.savefig(file, dpi=200)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--figure", help="where to draw the figure")
    chosen = options.parse_args()
    tafel = tafel_bias()
    print("| R_s / R_ct | Tafel line | micropolarization | whole fit |\n|---|---|---|---|")
    for row in tafel:
        print("| " + " | ".join(f"{value:.3g}" for value in row) + " |")
    dips = dip_bias()
    for name, rows in dips.items():
        print(f"\n{name}\n| interval (s) | lowest sample | analysis |\n|---|---|---|")
        for interval_s, ordinary, told in rows:
            print(f"| {interval_s:g} | {ordinary:.3f} | {'not told' if np.isnan(told) else f'{told:.3f}'} |")
    arcs = arc_bias()
    print("\n| ratio of time constants | R_ct forced: 16 %, median, 84 % | told |\n|---|---|---|")
    for ratio, (low, middle, high), told in arcs:
        print(f"| {ratio:g} | {low:.2f}, {middle:.2f}, {high:.2f} | {told:.0%} |")
    if chosen.figure:
        draw(tafel, dips, arcs, chosen.figure)


if __name__ == "__main__":
    main()
