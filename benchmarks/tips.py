"""How far the stated uncertainty of a nucleation tip holds: virtual cells, whose tip is known, sampled as a cycler does.

The records come from the generator of the tests (tests/experiments/test_nucleation_closure.py), each from another moment.
Prints, for each cell and sampling interval, how many dips were resolved, in how many of them the truth lay within one and
within 1.96 stated uncertainties, and the median uncertainty at the smallest and the largest noise.

Run: python benchmarks/tips.py [RECORDS_PER_FIELD]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent / "tests" / "experiments"
CELLS = ("bare-na", "sodiophilic-na", "bare-li", "bare-zn")
INTERVALS_S = (0.01, 0.02, 0.05, 0.1, 0.2)
NOISES_V = (2e-5, 5e-5, 2e-4, 5e-4, 1e-3)
FIRST_SEED = 90_000


def _closure() -> Any:
    spec = importlib.util.spec_from_file_location("closure", TESTS / "test_nucleation_closure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["closure"] = module
    spec.loader.exec_module(module)
    return module


def _field(closure: Any, name: str, interval_s: float, noise_V: float, records: int) -> tuple[np.ndarray, np.ndarray]:
    """Return z and stated uncertainty (mV) of the resolved tips of one field."""
    tip_mV = -1e3 * closure.solution(name)[1].min()
    found = [
        closure.sampled(name, interval_s, noise_V, FIRST_SEED + seed).quantities.get("tip_overpotential")
        for seed in range(records)
    ]
    tips = [one for one in found if one is not None and one.bound is None]
    u = np.array([one.uncertainty for one in tips])
    return np.array([(one.value - tip_mV) / one.uncertainty for one in tips]), u


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("records", nargs="?", type=int, default=40)
    records = parser.parse_args().records
    closure = _closure()
    every = []
    print("| cell | interval | resolved | within 1 | within 1.96 | uncertainty, mV |\n|---|---|---|---|---|---|")
    for name in CELLS:
        for interval_s in INTERVALS_S:
            fields = [_field(closure, name, interval_s, noise_V, records) for noise_V in NOISES_V]
            z = np.concatenate([one for one, _ in fields])
            every.append(z)
            row = f"| `{name}` | {interval_s:g} s | {z.size} of {records * len(NOISES_V)} |"
            if z.size < records:
                print(f"{row} | | |")
                continue
            medians = [float(np.median(u)) if u.size else np.nan for _, u in fields]
            within = " | ".join(f"{100 * np.mean(np.abs(z) < k):.0f} %" for k in (1.0, 1.96))
            print(f"{row} {within} | {medians[0]:.2g}, {medians[-1]:.2g} |")
    z = np.concatenate(every)
    print(f"\nall {z.size}: within 1 {np.mean(np.abs(z) < 1):.1%}, within 1.96 {np.mean(np.abs(z) < 1.96):.1%}")


if __name__ == "__main__":
    main()
