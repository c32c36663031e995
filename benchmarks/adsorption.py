"""Na at the four sites of VN(001), p(2x2), three layers, with the default potential: from an empty store, then again.

Everything counts: planning, two worker processes and their imports, both crystals, the clean slab (symmetric and rattled),
each site with the adatom held, let go, and taken off. Beside it, in one process, the steps that ASE's BFGS with its default
Hessian takes for the four held adatoms, against ours from the same start.

Run: python benchmarks/adsorption.py             two workers
     python benchmarks/adsorption.py --thickness  held adatoms on 3, 5 and 7 layers (minutes)
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms, FixedLine
from ase.io import write
from ase.optimize import BFGS

from sodiophile.atomistic import calculation
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.relaxation import relax
from sodiophile.atomistic.sites import contact_height
from sodiophile.result import Result
from sodiophile.schema import checked
from sodiophile.study.execute import compute
from sodiophile.study.store import Store
from sodiophile.task import Task

LATTICE_A = 4.139  # ICDD


def plan(folder: Path, **inputs: Any) -> Task:
    """Plan Na on VN(001)."""
    path = folder / "VN.cif"
    write(path, bulk("VN", "rocksalt", a=LATTICE_A, cubic=True))
    chosen = calculation("adsorption")
    return chosen.plan(checked(chosen.inputs, {"structure": str(path), "facet": "001", **inputs}, "adsorption"))


def run(task: Task, store: Store) -> tuple[Result, float]:
    """Do a task with two workers; return its result and the seconds it took."""
    started = time.perf_counter()
    folder = compute(task, store, workers=2, progress=False)
    return Result.load(folder), time.perf_counter() - started


def energies(result: Result) -> str:
    """List the energies of the held adatoms."""
    rows = result.table("sites").to_dicts()
    return "  ".join(f"{row['site']} {row['adsorption_energy_vs_bulk_eV']:+.3f}" for row in rows)


def four_sites(folder: Path) -> None:
    """Time the four sites, and what the store saves."""
    started = time.perf_counter()
    task = plan(folder, layers=3)
    planned = time.perf_counter() - started
    _, held = run(plan(folder, layers=3, free=False), Store(folder / "held"))
    store = Store(folder / "store")
    result, seconds = run(task, store)
    _, again = run(task, store)
    table = result.table("sites")
    steps = int(sum(table["steps"]) + sum(table["steps_free"]))
    print(f"planned in {planned:.1f} s; four sites on two workers: map of held adatoms {held:.1f} s")
    print(f"the same and each adatom let go: {seconds:.1f} s; again from the store {again:.2f} s")
    print(f"steps with an adatom, held and let go: {steps}; {energies(result)} eV against bulk Na")
    peer(result, folder)


def peer(result: Result, folder: Path) -> None:
    """Count the steps of ASE's BFGS for the held adatoms."""
    from ase.io.extxyz import read_extxyz

    with (folder / "clean.xyz").open("w+") as file:
        file.write(result.attachments["Na-VN-001-clean.xyz"])
        file.seek(0)
        clean = next(iter(read_extxyz(file)))
    fixed = np.flatnonzero(clean.positions[:, 2] < clean.positions[:, 2].min() + 0.5)
    task = plan(folder, layers=3, free=False)
    ours = theirs = 0
    stiffness = np.full(len(clean) + 1, 15.0)
    stiffness[-1] = 3.0
    for number, site in enumerate(task.inputs["surfaces"][0]["known_sites"]):
        start = Atoms(clean.symbols, positions=clean.positions, cell=clean.cell, pbc=clean.pbc)
        z = contact_height(start, site["fractional"], "Na")
        start.extend(Atoms("Na", positions=[(*(np.array(site["fractional"]) @ clean.cell[:2, :2]), z)]))
        start.set_constraint([FixAtoms(indices=fixed), FixedLine(len(clean), (0, 0, 1))])
        calculator = engine("7net").calculator()
        journal = folder / f"{number}.jsonl"
        ours += relax(start, calculator, journal, fmax_eV_A=0.03, max_steps=200, stiffness_eV_A2=stiffness).steps
        start.calc = calculator
        optimizer = BFGS(start, logfile=None)
        optimizer.run(fmax=0.03, steps=200)
        theirs += optimizer.nsteps + 1
    print(f"energies for the four held adatoms: ours {ours}, ASE BFGS as it comes {theirs}")


def thickness(folder: Path) -> None:
    """Print the energies of the held adatoms against the number of layers."""
    for layers in (3, 5, 7):
        result, seconds = run(plan(folder, layers=layers, free=False), Store(folder / "store"))
        print(f"{layers} layers: {energies(result)} eV against bulk Na ({seconds:.0f} s)")
        print("   ", "; ".join(result.verdicts["clean_surface"].evidence))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        (thickness if "--thickness" in sys.argv[1:] else four_sites)(Path(place))
