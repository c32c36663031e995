"""Na at the four sites of VN(001), p(2x2), three layers, with the default potential, from an empty store.

All of it counts: two worker processes and their imports, both crystals, the clean slab, each site with the adatom held.
Beside it a plain ASE loop in one process does the same: both crystals (cell filter), the clean slab, then one site after
another from 2 angstrom above the top layer, all with FIRE to the same force threshold. Its energies must be ours; it must
take three times as long.

Run: python benchmarks/adsorption.py                    against the loop
     python benchmarks/adsorption.py --everything       with what is asked for by default, and again from the store
     python benchmarks/adsorption.py --engine 7net-0    any of these with another engine; --workers 1: on one core
     python benchmarks/adsorption.py --thickness        held adatoms on 3, 5 and 7 layers (minutes)
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms, FixedLine
from ase.filters import FrechetCellFilter
from ase.io import write
from ase.optimize import FIRE

from sodiophile.atomistic import calculation
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.relaxation import unpack
from sodiophile.result import Result
from sodiophile.schema import checked
from sodiophile.study.execute import compute
from sodiophile.study.store import Store
from sodiophile.task import Task

LATTICE_A = 4.139  # ICDD
ENGINE = sys.argv[sys.argv.index("--engine") + 1] if "--engine" in sys.argv else "7net"
WORKERS = int(sys.argv[sys.argv.index("--workers") + 1]) if "--workers" in sys.argv else 2
FMAX_EV_A = 0.03
SAME_EV = 0.01


def plan(folder: Path, **inputs: Any) -> Task:
    """Plan Na on VN(001)."""
    path = folder / "VN.cif"
    write(path, bulk("VN", "rocksalt", a=LATTICE_A, cubic=True))
    chosen = calculation("adsorption")
    return chosen.plan(
        checked(chosen.inputs, {"structure": str(path), "facet": "001", "engine": ENGINE, **inputs}, "adsorption")
    )


def run(task: Task, store: Store) -> tuple[Result, float]:
    """Do a task; return its result and the seconds it took."""
    started = time.perf_counter()
    folder = compute(task, store, workers=WORKERS, progress=False)
    return Result.load(folder), time.perf_counter() - started


def processor_seconds() -> float:
    """Return the processor time of this process and of the workers that have ended."""
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def energies(result: Result) -> str:
    """List the energies of the held adatoms."""
    rows = result.table("sites").to_dicts()
    return "  ".join(f"{row['site']} {row['adsorption_energy_vs_bulk_eV']:+.3f}" for row in rows)


def four_sites(folder: Path) -> None:
    """Time the four sites, from an empty store, against a plain loop of the same."""
    started = time.perf_counter()
    task = plan(folder, layers=3, free=False, distortion=False)
    planned = time.perf_counter() - started
    marks = [processor_seconds()]
    held, seconds = run(task, Store(folder / "held"))
    marks.append(processor_seconds())
    theirs, their_seconds, asked = plain_loop(folder)
    marks.append(processor_seconds())
    processor = [after - before for before, after in pairwise(marks)]
    ours = {row["site"]: row["adsorption_energy_vs_bulk_eV"] for row in held.table("sites").to_dicts()}
    print(f"planned in {planned:.1f} s; {energies(held)} eV against bulk Na")
    print(
        f"four sites on {WORKERS} worker(s): {seconds:.1f} s (promised: below 60), {_steps(held)} energies with an adatom"
    )
    print(f"plain ASE loop, FIRE from 2 A: {their_seconds:.1f} s, {asked} energies with an adatom")
    print(f"times faster: {their_seconds / seconds:.1f} (promised: at least 3)")
    # on a machine that others use, the clock tells less than the processor
    print(
        f"processor time: ours {processor[0]:.0f} s, imports of the workers among it; the loop {processor[1]:.0f} s: "
        f"{processor[1] / processor[0]:.1f} times"
    )
    for site, energy in theirs.items():
        print(f"  {site}: theirs {energy:+.3f} eV, ours {ours[site]:+.3f} eV")
        if abs(energy - ours[site]) > SAME_EV:
            raise SystemExit(f"the two disagree at {site} by more than {SAME_EV} eV")


def everything(folder: Path) -> None:
    """Time the same with each adatom let go and taken off, and the slab rattled; then again, from the store."""
    store = Store(folder / "store")
    task = plan(folder, layers=3)
    before = processor_seconds()
    result, seconds = run(task, store)
    processor = processor_seconds() - before
    _, again = run(task, store)
    print(f"everything: {seconds:.1f} s, {processor:.0f} s of processor time; again from the store {again:.2f} s")
    print(f"energies with an adatom, held and let go: {_steps(result)}; {energies(result)} eV against bulk Na")


def _steps(result: Result) -> int:
    table = result.table("sites")
    return sum(int(count) for name in ("steps", "steps_free") for count in table[name] if count is not None)


def plain_loop(folder: Path) -> tuple[dict[str, float], float, int]:
    """Do with ASE alone what a script of twenty lines does; return energies, seconds and how many it asked for."""
    task = plan(folder, layers=3, free=False, distortion=False)
    surface = task.inputs["surfaces"][0]
    started = time.perf_counter()
    calculator = engine(ENGINE).calculator()
    crystals = {}
    for name, crystal in (("VN", bulk("VN", "rocksalt", a=LATTICE_A)), ("Na", bulk("Na"))):
        crystal.calc = calculator
        FIRE(FrechetCellFilter(crystal), logfile=None).run(fmax=FMAX_EV_A, steps=200)
        crystals[name] = crystal
    primitive = crystals["VN"].cell.lengths()[0]
    slab = unpack(surface["slab"])
    # the planned slab, with the lattice that was relaxed
    slab.set_cell(slab.cell * (primitive * np.sqrt(2) / LATTICE_A), scale_atoms=True)
    fixed = [i for i, layer in enumerate(surface["layer_of"]) if layer < surface["fixed_layers"]]
    slab.set_constraint(FixAtoms(indices=fixed))
    slab.calc = calculator
    FIRE(slab, logfile=None).run(fmax=FMAX_EV_A, steps=500)
    clean = slab.get_potential_energy()
    metal = crystals["Na"].get_potential_energy() / len(crystals["Na"])
    found, asked = {}, 0
    for site in surface["known_sites"]:
        covered = slab.copy()
        top = covered.positions[:, 2].max()
        covered.extend(Atoms("Na", positions=[(*(np.array(site["fractional"]) @ covered.cell[:2, :2]), top + 2.0)]))
        covered.set_constraint([FixAtoms(indices=fixed), FixedLine(len(covered) - 1, (0, 0, 1))])
        covered.calc = calculator
        optimizer = FIRE(covered, logfile=None)
        optimizer.run(fmax=FMAX_EV_A, steps=500)
        asked += optimizer.nsteps + 1
        found[site["label"]] = covered.get_potential_energy() - clean - metal
    return found, time.perf_counter() - started, asked


def thickness(folder: Path) -> None:
    """Print the energies of the held adatoms against the number of layers."""
    for layers in (3, 5, 7):
        result, seconds = run(plan(folder, layers=layers, free=False), Store(folder / "store"))
        print(f"{layers} layers: {energies(result)} eV against bulk Na ({seconds:.0f} s)")
        print("   ", "; ".join(result.verdicts["clean_surface"].evidence))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        what = {"--thickness": thickness, "--everything": everything}
        next((what[option] for option in what if option in sys.argv[1:]), four_sites)(Path(place))
