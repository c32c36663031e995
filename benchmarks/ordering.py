"""Is sodium under a layer better than bare sodium, whatever the assumed parameters are? Part of draws in which it is.

`bare-na` and `na-vn` are drawn from the ranges of their parameters. What is the same in both, value and range, is drawn
once for the pair: the two cells then differ by the layer, and by what the layer is assumed to change. Prints the table of
docs/virtual-instruments.md.

Run: python benchmarks/ordering.py [PAIRS]
"""

from __future__ import annotations

import sys

import numpy as np

from sodiophile.errors import InputError
from sodiophile.experiments.nucleation.simulate import cell_voltage
from sodiophile.physics.cell import Cell, load_cell
from sodiophile.physics.cell_impedance import diffusion_ohm_cm2_s, impedance_ohm_cm2
from sodiophile.physics.lifetime import Growth
from sodiophile.physics.pairs import drawn_pair
from sodiophile.physics.symmetric import SymmetricCell

PAIRS = 100
J_mA_cm2, CAPACITY_mAh_cm2 = 0.5, 1.0
FAST_mA_cm2, REST_s = 2.0, 3600.0
CYCLES = 10
NUMBERS = (
    "depth of the nucleation dip at 0.5 mA/cm^2 (mV)",
    "polarization at 0.5 mA/cm^2, tenth cycle, half way (mV)",
    "interfacial resistance after 10 cycles (ohm cm^2, both electrodes)",
    "polarization at 2 mA/cm^2 after these and a rest, after 0.5 mAh/cm^2 (mV)",
    "median life at 0.5 mA/cm^2 (h)",
)


def numbers(cell: Cell) -> list[float]:
    """Return `NUMBERS` of a cell; NaN where it cannot give one."""
    try:
        time_s, voltage_V = cell_voltage(cell, J_mA_cm2, 1440.0, tolerance_V=1e-4)
        depth_mV = 1e3 * (np.interp(720.0, time_s, voltage_V) - voltage_V.min())
    except InputError:
        depth_mV = np.nan
    pair = SymmetricCell(cell)
    half_s = CAPACITY_mAh_cm2 / J_mA_cm2 * 3600.0
    half_way_mV = np.nan
    for half in range(2 * CYCLES):
        step = pair.step(J_mA_cm2, plating=half % 2 == 0)
        half_way_mV = 1e3 * abs(float(step.voltage_V(0.5 * half_s)[0]))
        step.finish(half_s)
    dc = impedance_ohm_cm2(pair, [1e-7])[0].real
    interfacial = dc - diffusion_ohm_cm2_s(pair)[0] - pair.electrolyte_resistance_ohm_cm2
    pair.step(0.0, plating=True).finish(REST_s)
    fast_mV = 1e3 * abs(float(pair.step(FAST_mA_cm2, plating=True).voltage_V(0.5 / FAST_mA_cm2 * 3600.0)[0]))
    life_h = float(Growth.of(cell, J_mA_cm2, CAPACITY_mAh_cm2, 1.13).quantile_h(0.5))
    return [depth_mV, half_way_mV, interfacial, fast_mV, life_h]


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    bare, layered = load_cell("bare-na"), load_cell("na-vn")
    random = np.random.default_rng(1)
    found = np.array([[numbers(one) for one in drawn_pair(bare, layered, random)] for _ in range(pairs)])
    usual = np.array([numbers(bare), numbers(layered)])
    print(f"{pairs} pairs\n| | bare-na | na-vn | better under the layer in |\n|---|---|---|---|")
    for k, name in enumerate(NUMBERS):
        one, other = found[:, 0, k], found[:, 1, k]
        told = np.isfinite(one) & np.isfinite(other)
        better = other[told] > one[told] if "life" in name else other[told] < one[told]
        cells = []
        for at, values in ((0, one), (1, other)):
            low, high = np.quantile(values[np.isfinite(values)], [0.16, 0.84])
            cells.append(f"{usual[at, k]:.3g} ({low:.3g} to {high:.3g})")
        print(f"| {name} | {cells[0]} | {cells[1]} | {better.mean():.0%} of {told.sum()} |")


if __name__ == "__main__":
    main()
