"""A million rows of a symmetric cell: the half-cycle table beside a pandas group-by of the same, and the whole verdict.

The sums, extremes and edges of both agree to 1e-9. For medians, percentiles and noise pandas takes every row, the table 49
rows of each half cycle at equal charge: these agree within the noise of the trace. How long pandas takes for the sums,
extremes and edges alone is printed as well.

Run: python benchmarks/half_cycles.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl

from sodiophile.experiments import experiment
from sodiophile.experiments._halfcycles import Trace, half_cycles
from sodiophile.records import CyclingRecord
from sodiophile.schema import checked

ROWS = 1_000_000
EXACT = ["samples", "start_h", "end_h", "charge_mAh", "current_mean_mA", "voltage_mean_mV", "voltage_peak_mV"]


def cell(half_cycle_s: float = 7200.0) -> CyclingRecord:
    """1000 h of half cycles, 2 h each if not said otherwise, 3.6 s a sample, with noise; a hard short at 700 h."""
    rng = np.random.default_rng(1)
    seconds = np.arange(ROWS) * 3.6
    sign = np.where((seconds // half_cycle_s) % 2 == 0, -1.0, 1.0)
    current = 5e-4 * sign * (1 + 1e-4 * rng.standard_normal(ROWS))
    voltage = sign * (0.05 + 0.01 * (seconds % half_cycle_s) / half_cycle_s) + 2e-4 * rng.standard_normal(ROWS)
    voltage = np.where(seconds >= 700 * 3600, current * 1.0, voltage)
    table = {"test_time_second": seconds, "current_ampere": current, "voltage_volt": voltage}
    return CyclingRecord(pl.DataFrame(table), ())


def runs(frame: pd.DataFrame) -> pd.DataFrame:
    """Label the runs of one sign the way a notebook does, with charge and energy of each sample."""
    sign = np.sign(frame["current"].where(frame["current"].abs() > 5e-5, 0.0))
    run = (sign != sign.shift()).cumsum()
    step = frame["time"].diff().where(run == run.shift(), 0.0)
    charge = ((frame["current"] + frame["current"].shift()) / 2 * step).fillna(0.0)
    energy = (charge * (frame["voltage"] + frame["voltage"].shift()) / 2).fillna(0.0)
    return frame.assign(run=run, charge=charge, energy=energy)


def sums_with_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """Sums, extremes and edges by a group-by."""
    return _sums(runs(frame))


def _sums(work: pd.DataFrame) -> pd.DataFrame:
    out = work.groupby("run").agg(
        samples=("time", "size"),
        start=("time", "first"),
        end=("time", "last"),
        charge=("charge", "sum"),
        energy=("energy", "sum"),
        low=("voltage", "min"),
        high=("voltage", "max"),
    )
    return pd.DataFrame(
        {
            "samples": out["samples"],
            "start_h": (out["start"] - out["start"].iloc[0]) / 3600,
            "end_h": (out["end"] - out["start"].iloc[0]) / 3600,
            "charge_mAh": out["charge"].abs() / 3.6,
            "current_mean_mA": out["charge"] / (out["end"] - out["start"]) * 1e3,
            "voltage_mean_mV": out["energy"] / out["charge"] * 1e3,
            "voltage_peak_mV": out["high"].where(out["charge"] > 0, out["low"]) * 1e3,
        }
    )


def table_with_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """All of the table: medians, percentiles and noise as well."""
    work = runs(frame)
    out = _sums(work)
    by = work.groupby("run")
    fraction = by["charge"].cumsum() / by["charge"].transform("sum")
    core = work[fraction.between(0.25, 0.75)].groupby("run")
    level, current = core["voltage"].median(), core["current"].median()
    size = work["voltage"].abs()
    low, high = size.groupby(work["run"]).quantile(0.1), size.groupby(work["run"]).quantile(0.9)
    steps = by["voltage"].diff()
    spread = (steps - steps.groupby(work["run"]).transform("median")).abs().groupby(work["run"]).median()
    end = by.tail(3).groupby("run")["voltage"].median()
    return out.assign(
        cycle=(np.arange(len(out)) // 2) + 1,
        plated_mAh_cm2=out["charge_mAh"].where(current < 0, 0.0).cumsum(),
        duration_h=out["end_h"] - out["start_h"],
        current_set_mA=current * 1e3,
        voltage_start_mV=by.head(3).groupby("run")["voltage"].median() * 1e3,
        voltage_median_mV=level * 1e3,
        voltage_middle_mV=work[fraction.between(0.48, 0.52)].groupby("run")["voltage"].median() * 1e3,
        voltage_end_mV=end * 1e3,
        noise_mV=spread * 1.4826 / np.sqrt(2) * 1e3,
        rectangularity=low / high,
        end_rise=end / level - 1,
        peak_at_start=size[fraction < 0.1].groupby(work["run"]).max() / level.abs(),
        resistance_ohm=level / current,
    )


def best_of_each(*tasks: Callable[[], object], times: int = 15) -> list[float]:
    """Shortest time of each, taken in turns, so that a busy machine is busy for all."""
    best = [float("inf")] * len(tasks)
    for _ in range(times):
        for number, task in enumerate(tasks):
            begun = time.perf_counter()
            task()
            best[number] = min(best[number], time.perf_counter() - begun)
    return best


def main() -> None:
    record = cell()
    frame = pd.DataFrame({"time": record.time_s, "current": record.current_A, "voltage": record.voltage_V})
    ours = half_cycles(Trace.of(record)).table(1.0)
    theirs = table_with_pandas(frame)
    for column in EXACT:
        np.testing.assert_allclose(ours[column].to_numpy(), theirs[column].to_numpy(), rtol=1e-9, atol=1e-9, err_msg=column)
    for column in ("voltage_start_mV", "voltage_median_mV", "voltage_middle_mV", "voltage_end_mV"):
        # the trace has 0.2 mV of noise a sample
        np.testing.assert_allclose(ours[column].to_numpy(), theirs[column].to_numpy(), atol=0.6, err_msg=column)
    np.testing.assert_allclose(ours["current_set_mA"].to_numpy(), theirs["current_set_mA"].to_numpy(), rtol=1e-4)
    print(f"{ROWS:,} rows, {ours.height} half cycles; sums, extremes and edges agree to 1e-9, medians within the noise")

    kind = experiment("symmetric-cycling")
    protocol = checked(kind.protocol, {"area": "1 cm^2"})
    sums_s, pandas_s, table_s, whole_s = best_of_each(
        lambda: sums_with_pandas(frame),
        lambda: table_with_pandas(frame),
        lambda: half_cycles(Trace.of(record)).table(1.0),
        lambda: kind.run([record], protocol),
    )
    verdict = kind.run([record], protocol).verdicts["lifespan"].answer
    many = cell(half_cycle_s=360.0)
    count = kind.run([many], protocol).table("half_cycles").height
    many_s, many_table_s = best_of_each(lambda: kind.run([many], protocol), lambda: half_cycles(Trace.of(many)).table(1.0))
    print(f"pandas group-by, sums, extremes, edges only {sums_s * 1e3:7.1f} ms")
    print(f"pandas group-by, the table                  {pandas_s * 1e3:7.1f} ms")
    print(f"half-cycle table                            {table_s * 1e3:7.1f} ms   (promised: a fifth of the pandas table)")
    print(
        f"    {pandas_s / table_s:.1f} times faster than the pandas table, {sums_s / table_s:.1f} times than its sums alone"
    )
    print(f"table, polarization, verdict ({verdict})   {whole_s * 1e3:7.1f} ms   (promised: 100 ms)")
    print(f"the same rows in {count:,} half cycles, table  {many_table_s * 1e3:7.1f} ms")
    print(f"    table, polarization, verdict            {many_s * 1e3:7.1f} ms   (promised: 100 ms)")


if __name__ == "__main__":
    main()
