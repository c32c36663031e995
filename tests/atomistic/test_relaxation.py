"""Relaxations: minima, constraints, and going on after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100, fcc111
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixedLine
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.atomistic.relaxation import canonical, pack, relax, unpack
from sodiophile.errors import EngineError
from sodiophile.task import canonical_json


def _covered() -> Atoms:
    slab = fcc100("Cu", (2, 2, 3), vacuum=6.0)
    slab.pbc = (True, True, False)
    slab.extend(Atoms("Al", positions=[(0.4, 0.3, slab.positions[:, 2].max() + 2.0)]))
    slab.set_constraint(FixAtoms(indices=range(4)))
    return slab


def _relax(atoms: Atoms, journal: Path, calculator: Any = None, **options: Any) -> Any:
    chosen = {"fmax_eV_A": 0.01, "max_steps": 200, **options}
    return relax(atoms, calculator or EMT(), journal, **chosen)


def test_finds_the_lattice_constant_that_a_scan_finds(tmp_path: Path) -> None:
    scan = np.linspace(3.5, 3.7, 41)
    energies = []
    for a in scan:
        cell = bulk("Cu", "fcc", a=a)
        cell.calc = EMT()
        energies.append(cell.get_potential_energy())
    fit = np.polyfit(scan, energies, 4)
    roots = np.roots(np.polyder(fit))
    a_scan = min(
        (float(r.real) for r in roots if abs(r.imag) < 1e-9 and 3.5 < r.real < 3.7), key=lambda a: np.polyval(fit, a)
    )
    for number, a in enumerate((3.5, 3.75)):
        done = _relax(bulk("Cu", "fcc", a=a, cubic=True), tmp_path / str(number), cell=True, fmax_eV_A=0.001)
        assert done.converged
        assert done.atoms.get_volume() ** (1 / 3) == pytest.approx(a_scan, abs=2e-3)


def test_keeps_constraints_and_meets_the_criterion(tmp_path: Path) -> None:
    start = _covered()
    start.set_constraint([FixAtoms(indices=range(4)), FixedLine(12, (0, 0, 1))])
    done = _relax(start, tmp_path / "journal")
    assert done.converged
    assert done.fmax_eV_A < 0.01
    assert np.array_equal(done.atoms.positions[:4], start.positions[:4])
    assert done.atoms.positions[12, :2] == pytest.approx(start.positions[12, :2], abs=1e-12)
    free = np.linalg.norm(done.forces_eV_A[4:12], axis=1)
    assert free.max() < 0.01
    assert np.linalg.norm(done.forces_eV_A[12, :2]) > 0.01  # held where the surface pushes it


def test_one_criterion_an_atom(tmp_path: Path) -> None:
    limits = np.full(13, 0.05)
    limits[12] = 0.002
    done = _relax(_covered(), tmp_path / "journal", fmax_eV_A=limits)
    assert np.linalg.norm(done.forces_eV_A[12]) < 0.002


def test_says_when_it_has_not_converged(tmp_path: Path) -> None:
    done = _relax(_covered(), tmp_path / "journal", max_steps=2)
    assert not done.converged
    assert done.steps == 3
    assert done.fmax_eV_A > 0.01


def test_leaves_a_saddle(tmp_path: Path) -> None:
    """From a step off the bridge of fcc(111) it must reach a hollow, not crawl on the ridge."""
    slab = fcc111("Al", (2, 2, 3), vacuum=6.0)
    slab.pbc = (True, True, False)
    top = slab.positions[slab.positions[:, 2] > slab.positions[:, 2].max() - 0.1]
    bridge = (top[0] + top[1]) / 2
    slab.extend(Atoms("Au", positions=[bridge + np.array([0.02, 0.05, 2.0])]))
    slab.set_constraint(FixAtoms(indices=range(4)))
    done = _relax(slab, tmp_path / "journal", max_steps=60)
    assert done.converged
    assert np.linalg.norm((done.atoms.positions[-1] - bridge)[:2]) > 0.5


_KILLED = """
import os, signal, sys
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("these", sys.argv[1])
these = importlib.util.module_from_spec(spec)
spec.loader.exec_module(these)
these._relax(these._covered(), Path(sys.argv[2]), these.Dying(int(sys.argv[3])))
"""


class Dying(EMT):
    """EMT in a process that is killed at the n-th energy."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.left = n

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        import os

        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        super().calculate(*args, **kwargs)


class Counting(EMT):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        self.count += 1
        super().calculate(*args, **kwargs)


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = _relax(_covered(), tmp_path / "whole")
    journal = tmp_path / "killed"
    done = subprocess.run([sys.executable, "-c", _KILLED, __file__, str(journal), "7"], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    calculator = Counting()
    resumed = _relax(_covered(), journal, calculator)
    assert resumed.resumed == 7
    assert calculator.count == whole.steps - 7
    assert resumed.steps == whole.steps
    # EMT keeps a neighbour list from step to step, so that its sums may differ in the last bits
    assert resumed.energy_eV == pytest.approx(whole.energy_eV, abs=1e-10)
    assert resumed.atoms.positions == pytest.approx(whole.atoms.positions, abs=1e-10)


@pytest.mark.parametrize("damage", ["torn", "junk", "other path"])
def test_a_damaged_journal_costs_steps_never_truth(tmp_path: Path, damage: str) -> None:
    journal = tmp_path / "journal"
    whole = _relax(_covered(), journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    if damage == "torn":
        journal.write_bytes(b"".join(lines[:5]) + lines[5][: len(lines[5]) // 2])
    elif damage == "junk":
        journal.write_bytes(b"".join(lines[:5]) + b'{"energy": 1}\n' + b"".join(lines[6:]))
    else:
        entry = json.loads(lines[5])
        entry["positions"][-1][0] += 0.5
        entry["energy"] = -99.0
        journal.write_bytes(b"".join([*lines[:5], json.dumps(entry).encode() + b"\n", *lines[6:]]))
    again = _relax(_covered(), journal)
    assert again.resumed == 5
    assert again.energy_eV == pytest.approx(whole.energy_eV, abs=1e-10)
    written, first = ([json.loads(line)["energy"] for line in text] for text in (journal.read_bytes().splitlines(), lines))
    assert written == pytest.approx(first, abs=1e-10)


class Broken(Calculator):
    implemented_properties = ("energy", "forces")

    def calculate(self, atoms: Any = None, *_: Any) -> None:
        self.results = {"energy": np.nan, "forces": np.zeros((len(atoms), 3))}


def test_an_engine_that_fails_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="not finite"):
        _relax(_covered(), tmp_path / "journal", Broken())
    with pytest.raises(EngineError, match="the engine failed on"):
        _relax(bulk("Na"), tmp_path / "journal", EMT())


@settings(max_examples=30, deadline=None)
@given(
    order=st.permutations(range(8)),
    shifts=st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=8, max_size=8),
)
def test_one_form_whatever_the_order_of_atoms(order: list[int], shifts: list[tuple[int, int, int]]) -> None:
    crystal = bulk("VN", "rocksalt", a=4.139, cubic=True)
    moved = crystal.copy()
    moved.positions += np.array(shifts) @ crystal.cell[:]
    assert canonical_json(pack(canonical(moved[list(order)]))) == canonical_json(pack(canonical(crystal)))


def test_canonical_form_is_the_same_crystal() -> None:
    crystal = bulk("Zn")
    form = canonical(crystal)
    for atoms in (crystal, form):
        atoms.set_scaled_positions(atoms.get_scaled_positions() % 1.0)
    distances = [np.sort(a.get_all_distances(mic=True).ravel()) for a in (crystal, form)]
    assert distances[0] == pytest.approx(distances[1], abs=1e-5)


def test_pack_keeps_a_structure() -> None:
    atoms = _covered()
    again = unpack(json.loads(json.dumps(pack(atoms))))
    assert again.get_chemical_symbols() == atoms.get_chemical_symbols()
    assert again.positions == pytest.approx(atoms.positions, abs=1e-6)
    assert list(again.pbc) == [True, True, False]
