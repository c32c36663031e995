"""How often the verdict on a symmetric cell is right: synthetic cells of nine classes, and two thresholds varied.

The cells come from the generator of the tests (tests/experiments), which shares no code with the analysis. No threshold was
chosen on these seeds. Rates are given with their 95 % interval (Clopper and Pearson).

Run: python benchmarks/short_verdicts.py [CELLS_PER_CLASS] [--no-sweep]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sodiophile.experiments import experiment
from sodiophile.schema import checked

HARD, SOFT, PASSIVATED = "hard short", "soft short suspected", "passivated"
CENSORED, UNTOLD = "protocol ended (right-censored)", "cannot be told from this file"
ANSWERS = {"censored": CENSORED, "soft": SOFT, "hard": HARD, "passivated": PASSIVATED, "untold": UNTOLD}
TESTS = Path(__file__).resolve().parent.parent / "tests" / "experiments"
FIRST_SEED = 7_000_000
SWEEP = {"short_fraction": (0.05, 0.1, 0.2, 0.3, 0.4), "soft_fraction": (0.5, 0.6, 0.7, 0.8, 0.9)}


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


GENERATOR = _module(TESTS / "conftest.py")
LIFESPAN = _module(TESTS / "symmetric_cycling" / "test_lifespan.py")


def _healthy(seed: int) -> tuple[Any, np.random.Generator]:
    """Return a healthy cell of the widest kind, of 60 cycles at most, and a generator for what happens to it."""
    return LIFESPAN.healthy(GENERATOR.SymmetricCell, seed), np.random.default_rng([seed, 1])


def _as_it_is(cell: Any, random: np.random.Generator) -> Any:  # noqa: ARG001  one signature for all changes
    return cell


def _noisy(cell: Any, random: np.random.Generator) -> Any:
    """The same cell at an instrument whose noise is 3 to 8 % of the polarization, with one sample of 200 astray."""
    return cell.but(noise_mV=cell.level_mV * random.uniform(0.03, 0.08), outliers=5e-3, resolution_mV=0.02 * cell.level_mV)


def _hard(cell: Any, random: np.random.Generator) -> Any:
    """0.1 to 10 % of the polarization remain, as a resistance."""
    ohm = random.uniform(0.001, 0.1) * cell.level_mV / cell.current_mA / 2
    return cell.but(failure="hard", ohm=ohm, fail_h=random.uniform(0.05, 0.95) * LIFESPAN.duration_h(cell))


def _soft(cell: Any, random: np.random.Generator, *, heals: bool) -> Any:
    """30 to 60 % remain, flat within each half cycle and noisier, for 0.5 to 8 h or for good."""
    cell = cell.but(rates=(), cycles=30, end_rise=random.uniform(0.1, 0.6))
    begins = random.uniform(0.2, 0.9) * LIFESPAN.duration_h(cell)
    lasts = random.uniform(0.5, 8.0) if heals else np.inf
    return cell.but(failure="soft", fail_h=begins, remains=random.uniform(0.3, 0.6), heal_h=begins + lasts)


def _dry(cell: Any, random: np.random.Generator) -> Any:
    """Polarization grows by e in 5 h, until the cycler's limit at twenty times the usual ends each half cycle."""
    cell = cell.but(rates=(), cycles=30)
    begins = random.uniform(0.3, 0.6) * LIFESPAN.duration_h(cell)
    return cell.but(failure="dry", fail_h=begins, limit_mV=20 * cell.level_mV, stop_h=begins + 25.0)


def _dropped(cell: Any, random: np.random.Generator) -> Any:
    """A record without 2 to 20 % of its samples, and without five stretches of up to ten."""
    columns = cell.trace()
    size = columns[0].size
    kept = random.random(size) > random.uniform(0.02, 0.2)
    for begin in random.integers(0, size, 5):
        kept[begin : begin + int(random.integers(2, 11))] = False
    return GENERATOR.as_record(*(column[kept] for column in columns))


def _whole(cell: Any, random: np.random.Generator) -> Any:  # noqa: ARG001  one signature for all ways to take a record
    return cell.record()


Change = Callable[[Any, np.random.Generator], Any]
CLASSES: dict[str, tuple[str, Change, Change]] = {
    "healthy": (CENSORED, _as_it_is, _whole),
    "healthy, noisy instrument": (CENSORED, _noisy, _whole),
    "healthy, dropped samples": (CENSORED, _as_it_is, _dropped),
    "hard short": (HARD, _hard, _whole),
    "hard short, noisy instrument": (HARD, lambda cell, random: _hard(_noisy(cell, random), random), _whole),
    "hard short, dropped samples": (HARD, _hard, _dropped),
    "transient soft short": (SOFT, lambda cell, random: _soft(cell, random, heals=True), _whole),
    "rectangular soft short": (SOFT, lambda cell, random: _soft(cell, random, heals=False), _whole),
    "passivation": (PASSIVATED, _dry, _whole),
}


def cells(count: int) -> dict[str, list[Any]]:
    """Return `count` records of each class; twice as many of the plain healthy ones."""
    out: dict[str, list[Any]] = {}
    for number, (name, (_, change, take)) in enumerate(CLASSES.items()):
        out[name] = []
        for seed in range(count * (2 if name == "healthy" else 1)):
            cell, random = _healthy(FIRST_SEED + 10_000 * number + seed)
            out[name].append(take(change(cell, random), random))
    return out


def answers(records: list[Any], **options: object) -> list[str]:
    """Return the verdict on each record."""
    kind = experiment("symmetric-cycling")
    protocol = checked(kind.protocol, {"area": "1 cm^2", **options})
    return [kind.run([record], protocol).verdicts["lifespan"].answer for record in records]


def interval(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate, by Clopper and Pearson."""
    from scipy.stats import beta

    low = beta.ppf(0.025, hits, total - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, total - hits) if hits < total else 1.0
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("count", nargs="?", type=int, default=100)
    parser.add_argument("--no-sweep", action="store_true")
    given = parser.parse_args()
    begun = time.perf_counter()
    records = cells(given.count)
    print(f"{sum(map(len, records.values()))} cells\n")
    print(f"{'class':30} {'cells':>5}" + "".join(f" {name:>10}" for name in ANSWERS) + "   right, 95 % interval")
    for name, some in records.items():
        found = answers(some)
        hits = found.count(CLASSES[name][0])
        low, high = interval(hits, len(some))
        counts = "".join(f" {found.count(answer):>10}" for answer in ANSWERS.values())
        print(f"{name:30} {len(some):>5}{counts}   {100 * hits / len(some):.1f} % ({100 * low:.1f} to {100 * high:.1f})")
    print(f"{time.perf_counter() - begun:.0f} s")
    for option, values in () if given.no_sweep else SWEEP.items():
        print(f"\n{option}: cells with the right answer")
        for value in values:
            right = {
                name: sum(a == CLASSES[name][0] for a in answers(some[: given.count // 2], **{option: value}))
                for name, some in records.items()
            }
            print(f"{value:<5g}", "  ".join(f"{name} {hits}/{given.count // 2}" for name, hits in right.items()))
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
