"""How long a million rows take to read, beside other readers: ``python benchmarks/reading.py [FILE.ndax | FILE.mpr ...]``.

pandas, fastnda and galvani return a table; ours is a checked record with BDF columns, units, sign and the SHA-256 of the
file.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from sodiophile.readers import read, write

ROWS = 1_000_000


def best(action: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest of several runs, s."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def line(name: str, ours_s: float, peer: str, peer_s: float, rows: int) -> None:
    print(
        f"{name:34} {ours_s:7.3f} s ({rows / ours_s / 1e6:5.2f} M rows/s)   "
        f"{peer} {peer_s:7.3f} s   ratio {peer_s / ours_s:5.2f}"
    )


def main() -> None:
    logging.disable(logging.WARNING)  # fastnda has something to say of some files
    rng = np.random.default_rng(0)
    seconds = np.arange(ROWS) * 1.0
    current_mA = np.where((seconds // 3600) % 2 < 1, -0.5, 0.5) * (1 + rng.normal(0, 1e-4, ROWS))
    table = pl.DataFrame(
        {
            "Test Time (s)": seconds,
            "Current (mA)": current_mA.round(6),
            "Voltage (V)": (np.sign(current_mA) * 0.036 + rng.normal(0, 1e-4, ROWS)).round(6),
            "Step": (seconds // 3600).astype(int) + 1,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        text, decimal, bdf, packed = (Path(folder) / name for name in ("a.csv", "b.csv", "c.bdf.csv", "d.parquet"))
        table.write_csv(text)
        decimal.write_text(text.read_text().replace(",", ";").replace(".", ","))
        record = read(text)
        write(record, bdf)
        write(record, packed)
        print(f"{ROWS} rows, {text.stat().st_size / 1e6:.0f} MB of text")
        line("csv", best(lambda: read(text)), "pandas.read_csv", best(lambda: pd.read_csv(text)), ROWS)
        peer = best(lambda: pd.read_csv(decimal, sep=";", decimal=","))
        line("csv, decimal comma", best(lambda: read(decimal)), "pandas.read_csv", peer, ROWS)
        line("BDF csv", best(lambda: read(bdf)), "pandas.read_csv", best(lambda: pd.read_csv(bdf, low_memory=False)), ROWS)
        line("Parquet", best(lambda: read(packed)), "polars.read_parquet", best(lambda: pl.read_parquet(packed)), ROWS)
    for name in map(Path, sys.argv[1:]):
        peer, alone = raw_reader(name)
        line(name.name, best(lambda path=name: read(path)), peer, best(partial(alone, name)), len(read(name)))


def raw_reader(path: Path) -> tuple[str, Callable[[Path], object]]:
    """Return the reader of a binary format that ours stands on."""
    if path.suffix == ".mpr":
        from galvani import BioLogic

        return "galvani.MPRfile", lambda path: BioLogic.MPRfile(str(path))
    import fastnda

    return "fastnda.read", fastnda.read


if __name__ == "__main__":
    main()
