"""The cycle table of a full cell, 700 000 rows in memory, beside a pandas group-by and the peers that are installed.

In memory, all start from time, current and voltage; peers are given the number of the cycle and the direction of the
current as well, which ours finds. Integrating the charge is in the time of all. All give both capacities of each cycle and
their ratio; the capacities are compared, relative to the first so that no unit decides. PyProBE, the fastest peer, gives no
more than that; pandas and aurora give energies and mean voltages too, ours also the rates, polarization at half capacity,
holds at constant voltage and what is incomplete. From the file, reading is in the time too, of ours and of the peers that
open a Neware .ndax themselves (aurora, navani, cellpy; PyProBE asks for an export). Each peer runs in an interpreter of its
own, given by an option or an environment variable; one that is not given is named as missing.

Run: python benchmarks/full_cell.py [FILE] [--aurora PYTHON] [--navani PYTHON] [--pyprobe PYTHON] [--cellpy PYTHON]

FILE is a Neware .ndax or any file that sodiophile reads; a synthetic rate test without one. That record tells how long each
step had lasted at its first sample; ours counts the charge before it, the others do not, so the capacities of its fastest
cycles differ.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# one thread for all, said before any library starts its own
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

PEERS = ("aurora", "navani", "pyprobe", "cellpy")
TIMES = 15
PROMISED = 5.0


def best(task: Callable[[], object], times: int = TIMES) -> float:
    """Shortest processor time, s: other programs on the machine disturb it less, and one thread is asked for."""
    shortest = float("inf")
    for _ in range(times):
        begun = time.process_time()
        task()
        shortest = min(shortest, time.process_time() - begun)
    return shortest


def _columns(record: Any) -> dict[str, Any]:
    """Time, current, voltage, and cycle and step as the cycler counted them (by the sign of current where it did not)."""
    import numpy as np

    sign = np.sign(np.where(np.abs(record.current_A) > 1e-6, record.current_A, 0.0))
    flows = np.maximum.accumulate(np.where(sign != 0, np.arange(sign.size), 0))
    direction = np.where(sign[flows] < 0, 2, 1)
    return {
        "seconds": record.time_s,
        "current": record.current_A,
        "voltage": record.voltage_V,
        "direction": direction,
        "cycle": 1 + np.cumsum(np.diff(direction, prepend=1) < 0),
    }


def with_pandas(path: str) -> tuple[Callable[[], Any], Callable[[Any], list[float]]]:
    """What a notebook does: runs of one sign, sums, and the table of cycles."""
    import numpy as np
    import pandas as pd

    given = np.load(path)
    trace = pd.DataFrame({name: given[name] for name in ("seconds", "current", "voltage")})

    def summary() -> pd.DataFrame:
        sign = np.sign(trace["current"].where(trace["current"].abs() > 1e-6, 0.0))
        run = ((sign != sign.shift()) & (sign != 0)).cumsum()
        step = trace["seconds"].diff().where(sign == sign.shift(), 0.0)
        charge = (trace["current"] + trace["current"].shift()) / 2 * step / 3.6
        energy = charge * (trace["voltage"] + trace["voltage"].shift()) / 2
        work = pd.DataFrame({"run": run, "sign": sign, "charge": charge, "energy": energy})
        work = (
            work[work["sign"] != 0]
            .groupby("run")
            .agg(sign=("sign", "first"), charge=("charge", "sum"), energy=("energy", "sum"))
        )
        up, down = work[work["sign"] > 0], work[work["sign"] < 0]
        count = min(len(up), len(down))
        out = pd.DataFrame(
            {
                "charge": up["charge"].to_numpy()[:count],
                "discharge": -down["charge"].to_numpy()[:count],
                "charge_energy": up["energy"].to_numpy()[:count],
                "discharge_energy": -down["energy"].to_numpy()[:count],
            }
        )
        out["efficiency"] = out["discharge"] / out["charge"]
        out["polarization"] = out["charge_energy"] / out["charge"] - out["discharge_energy"] / out["discharge"]
        return out

    return summary, lambda table: table["discharge"].tolist()


def with_aurora(path: str) -> tuple[Callable[[], Any], Callable[[Any], list[float]]]:
    """aurora-cycler-manager: merge_dfs and analyse_cycles; they need neither its project settings nor its database."""
    import collections
    from unittest import mock

    import aurora_cycler_manager.config as config
    import numpy as np
    import polars as pl

    config.get_config = lambda *_: collections.defaultdict(lambda: ":memory:")
    sys.modules["aurora_cycler_manager.database_funcs"] = mock.MagicMock()
    from aurora_cycler_manager import analysis

    if path.endswith(".ndax"):
        from aurora_cycler_manager import neware_harvester

        def from_file() -> pl.DataFrame:
            merged, _ = analysis.merge_dfs([neware_harvester.get_neware_data(Path(path))])
            return analysis.analyse_cycles(merged, 5.0, {"form_cycle_count": 3, "finished": True})[0]

        return from_file, lambda table: table["Discharge capacity (mAh)"].to_list()

    given = np.load(path)
    trace = pl.DataFrame(
        {"uts": given["seconds"], "I (A)": given["current"], "V (V)": given["voltage"], "cycle_number": given["cycle"]}
    )

    def summary() -> pl.DataFrame:
        merged, _ = analysis.merge_dfs([trace])
        return analysis.analyse_cycles(merged, 5.0, {"form_cycle_count": 3, "finished": True})[0]

    return summary, lambda table: table["Discharge capacity (mAh)"].to_list()


def with_navani(path: str) -> tuple[Callable[[], Any], Callable[[Any], list[float]]]:
    """navani: cycle_summary of a table with state, half cycle and capacity, which its readers make."""
    import numpy as np
    import pandas as pd
    from navani import echem

    if path.endswith(".ndax"):
        return lambda: echem.cycle_summary(echem.echem_file_loader(path)), lambda table: table[
            "Discharge Capacity"
        ].tolist()

    given = np.load(path)
    current, seconds, voltage, direction = (given[name] for name in ("current", "seconds", "voltage", "direction"))

    def summary() -> pd.DataFrame:
        half = 1 + np.cumsum(np.diff(direction, prepend=direction[0]) != 0)
        charge = np.abs(np.append(0.0, (current[1:] + current[:-1]) / 2 * np.diff(seconds))) / 3.6
        frame = pd.DataFrame({"Current": current * 1e3, "Voltage": voltage, "half cycle": half, "state": direction - 1})
        frame["Capacity"] = pd.Series(charge).groupby(half).cumsum()
        return echem.cycle_summary(frame)

    return summary, lambda table: table["Discharge Capacity"].dropna().tolist()


def with_pyprobe(path: str) -> tuple[Callable[[], Any], Callable[[Any], list[float]]]:
    """PyProBE: cycling.summary of a procedure, from the columns that its importers make."""
    import numpy as np
    import polars as pl
    from pyprobe.analysis import cycling
    from pyprobe.filters import Procedure

    given = np.load(path)
    trace = pl.DataFrame(
        {
            "Time [s]": given["seconds"],
            "Step": given["direction"],
            "Current [A]": given["current"],
            "Voltage [V]": given["voltage"],
        }
    )
    charge = (pl.col("Current [A]") + pl.col("Current [A]").shift(1)) / 2 * pl.col("Time [s]").diff() / 3600
    event, capacity = pl.col("Step").rle_id().cast(pl.Int64).alias("Event"), charge.fill_null(0.0).cum_sum()

    def summary() -> pl.DataFrame:
        lazy = trace.lazy().with_columns(event, capacity.alias("Capacity [Ah]"))
        procedure = Procedure(lf=lazy, info={}, readme_dict={}, column_definitions={})
        return cycling.summary(procedure, dchg_before_chg=False).data

    return summary, lambda table: (1e3 * table["Discharge Capacity [Ah]"].drop_nulls()).to_list()


def with_cellpy(path: str) -> tuple[Callable[[], Any], Callable[[Any], list[float]]]:
    """cellpy: make_step_table and make_summary of a raw table, as its loaders make it."""
    import numpy as np
    import pandas as pd
    from cellpy.parameters.internal_settings import get_headers_normal
    from cellpy.readers.cellreader import CellpyCell
    from cellpy.readers.core import Data

    given = np.load(path)
    headers = get_headers_normal()
    if path.endswith(".ndax"):
        import cellpy

        def from_file() -> Any:
            cell = cellpy.get(path, instrument="neware_nda", mass=5.0, nominal_capacity=1.0, testing=True)
            return cell.data.summary

        return from_file, lambda table: [1e3 * value for value in table["discharge_capacity"]]

    current, seconds = given["current"], given["seconds"]

    def summary() -> Any:
        charge = np.append(0.0, (current[1:] + current[:-1]) / 2 * np.diff(seconds)) / 3600
        cycle = pd.Series(given["cycle"])
        data = Data()
        data.raw = pd.DataFrame(
            {
                headers.data_point_txt: np.arange(1, seconds.size + 1),
                headers.test_time_txt: seconds,
                headers.step_time_txt: seconds,
                headers.datetime_txt: pd.to_datetime(seconds, unit="s"),
                headers.cycle_index_txt: cycle,
                headers.step_index_txt: given["direction"],
                headers.current_txt: current,
                headers.voltage_txt: given["voltage"],
                headers.charge_capacity_txt: pd.Series(charge.clip(min=0)).groupby(cycle).cumsum(),
                headers.discharge_capacity_txt: pd.Series((-charge).clip(min=0)).groupby(cycle).cumsum(),
            }
        )
        data.mass, data.nom_cap = 5.0, 1.0
        cell = CellpyCell(initialize=True)
        cell.data = data
        cell.make_step_table()
        cell.make_summary()
        return cell.data.summary

    return summary, lambda table: [1e3 * value for value in table["discharge_capacity"]]


WITH = {"aurora": with_aurora, "navani": with_navani, "pyprobe": with_pyprobe, "cellpy": with_cellpy}


def as_peer(name: str, path: str) -> None:
    """Run in the interpreter of a peer: print its shortest time and its capacities."""
    summary, capacities = WITH[name](path)
    slow = name == "cellpy" or (name == "navani" and path.endswith(".ndax"))
    shortest = best(summary, 1 if slow else 5 if path.endswith(".ndax") else TIMES)
    print(json.dumps({"seconds": shortest, "capacities": [float(value) for value in capacities(summary())]}))


def record_of(path: str | None) -> Any:
    """Return the record of a file, or a synthetic rate test."""
    import sodiophile as sp

    if path:
        return sp.read(path)
    programme = {"model": "simple", "rates": "0.1, 0.2, 0.5, 1, 2, 5, 10", "sampling_interval": "0.7 s"}
    return sp.simulate(
        "full-cell-rate",
        "bare-na",
        active_mass="2 mg",
        area="1 cm^2",
        theoretical_capacity="110 mAh/g",
        instrument=programme,
    )


def ask(name: str, interpreter: str, path: str) -> dict[str, Any] | str:
    """Let a peer run; return what it printed, or the last line of its complaint."""
    done = subprocess.run(
        [interpreter, __file__, "--as-peer", name, path], capture_output=True, text=True, check=False, timeout=900
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", nargs="?")
    for name in PEERS:
        variable = f"SODIOPHILE_PEER_{name.upper()}"
        parser.add_argument(f"--{name}", default=os.environ.get(variable), help=f"a Python with it, or {variable}")
    given = parser.parse_args()

    import numpy as np

    from sodiophile.experiments._fullcell import FullCellProtocol, full_cell
    from sodiophile.experiments._fullcell_steps import find_steps
    from sodiophile.schema import checked

    record = record_of(given.file)
    protocol = checked(FullCellProtocol, {"active_mass": "5 mg"})
    ours = full_cell(record, protocol).cycles["discharge_mAh"].to_numpy()
    print(f"{len(record):,} rows, {ours.size} cycles; processor time of one thread, shortest of {TIMES}")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "trace.npz")
        np.savez(path, **_columns(record))
        summary, capacities = with_pandas(path)
        found: dict[str, tuple[float, list[float]]] = {}
        seconds = best(lambda: full_cell(record, protocol))
        found["pandas group-by"] = (best(summary), capacities(summary()))
        for name in PEERS:
            interpreter = getattr(given, name)
            if not interpreter:
                print(f"{name:16} missing: give --{name} PYTHON or SODIOPHILE_PEER_{name.upper()}")
                continue
            answer = ask(name, interpreter, path)
            # ours between the peers, so that a busy machine is busy for all
            seconds = min(seconds, best(lambda: full_cell(record, protocol)))
            if isinstance(answer, str):
                print(f"{name:16} does not run: {answer}")
                continue
            found[name] = (answer["seconds"], answer["capacities"])
    whole = best(lambda: find_steps(full_cell(record, protocol), protocol))
    print(f"{'sodiophile':16} {seconds * 1e3:8.1f} ms   with the search for voltage steps {whole * 1e3:.1f} ms")
    for name, (taken, theirs) in sorted(found.items(), key=lambda entry: entry[1][0]):
        count = min(len(theirs), ours.size)
        ratio = np.array(theirs[:count]) / ours[:count]
        off = float(np.max(np.abs(ratio / ratio[0] - 1))) if count else float("nan")
        compared = f"{taken / seconds:6.1f} times ours; capacities differ by {100 * off:.2g} %"
        print(f"{name:16} {taken * 1e3:8.1f} ms   {compared}")
    fastest = min(taken for taken, _ in found.values())
    print(f"fastest peer takes {fastest / seconds:.1f} times as long (promised: {PROMISED:g})")
    if given.file and given.file.endswith(".ndax"):
        from_the_file(given, protocol)


def from_the_file(given: argparse.Namespace, protocol: Any) -> None:
    """Print the times from the file to the table of cycles."""
    from sodiophile import read
    from sodiophile.experiments._fullcell import full_cell

    path = str(Path(given.file).resolve())
    seconds = best(lambda: full_cell(read(path), protocol), 5)
    print(f"from the file, reading included\n{'sodiophile':16} {seconds * 1e3:8.1f} ms")
    for name in ("aurora", "navani", "cellpy"):
        interpreter = getattr(given, name)
        answer = ask(name, interpreter, path) if interpreter else "missing"
        if isinstance(answer, str):
            print(f"{name:16} {answer}")
            continue
        print(f"{name:16} {answer['seconds'] * 1e3:8.1f} ms   {answer['seconds'] / seconds:6.1f} times ours")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-peer"]:
        as_peer(sys.argv[2], sys.argv[3])
    else:
        main()
