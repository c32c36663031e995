"""Relax atoms with any ASE calculator so that a killed run goes on exactly where it stopped.

Every energy that an engine gives is written, with the positions it belongs to, as one line of a journal before it is
used. A relaxation that finds a journal walks the same path again and reads what it finds instead of asking the engine;
the optimizer is deterministic, so the result is the one an uninterrupted run would have given (to the rounding of an
engine that carries something, such as a neighbour list, from one step to the next). A line that was torn when
the process died is dropped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.filters import FrechetCellFilter
from numpy.typing import NDArray

from sodiophile.errors import EngineError

Array = NDArray[np.float64]

# Longest step of one atom; far below a bond, so that no step jumps over a neighbouring site.
_MAX_STEP_A = 0.2
# Positions of a journal that differ by less are those asked for (another machine may round otherwise in the last bits).
_SAME_A = 1e-7


@dataclass(frozen=True)
class Relaxed:
    """The end of a relaxation.

    Attributes
    ----------
    atoms
        Without calculator and constraints.
    energy_eV
        Potential energy of the last positions.
    fmax_eV_A
        Largest force left on an atom that may move, along the directions in which it may.
    steps
        Energies that the path took, the first included.
    resumed
        How many of them were read from the journal of a killed run.
    converged
        Whether every force met its criterion.
    seconds
        Time that the engine took, over all runs.
    forces_eV_A
        (n, 3) forces at the end, without constraints.
    """

    atoms: Atoms
    energy_eV: float
    fmax_eV_A: float
    steps: int
    resumed: int
    converged: bool
    seconds: float
    forces_eV_A: Array

    def summary(self) -> dict[str, Any]:
        """Return what every outcome tells of its relaxation, JSON-ready."""
        return {
            "energy_eV": self.energy_eV,
            "fmax_eV_A": self.fmax_eV_A,
            "steps": self.steps,
            "converged": self.converged,
            "seconds": round(self.seconds, 3),
        }


class Journal(Calculator):
    """An ASE calculator that writes each answer of another one to a file, and reads it from there the next time.

    Parameters
    ----------
    calculator
        The engine's.
    path
        The journal, one JSON object a line; made if absent.
    stress
        Whether stresses are asked for too.
    """

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, calculator: Any, path: Path, *, stress: bool = False) -> None:
        super().__init__()
        self._inner = calculator
        self._path = path
        self._stress = stress
        self._entries, self._good_bytes = _read_journal(path)
        self.answered = 0
        self.resumed = 0
        self.seconds = 0.0

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Answer from the journal where it goes on with these positions, else from the engine."""
        assert atoms is not None  # noqa: S101  ASE always gives them
        super().calculate(atoms, properties, system_changes)
        entry = self._entries[self.answered] if self.answered < len(self._entries) else None
        if entry is not None and _same(entry, atoms):
            self.resumed += 1
        else:
            entry = self._ask(atoms)
        self.answered += 1
        self.seconds += entry["seconds"]
        self.results = {"energy": entry["energy"], "forces": np.array(entry["forces"])}
        if self._stress:
            self.results["stress"] = np.array(entry["stress"])

    def _ask(self, atoms: Atoms) -> dict[str, Any]:
        bare = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        bare.calc = self._inner
        started = time.perf_counter()
        try:
            entry: dict[str, Any] = {"energy": float(bare.get_potential_energy())}
            entry["forces"] = np.asarray(bare.get_forces(), float).tolist()
            if self._stress:
                entry["stress"] = np.asarray(bare.get_stress(), float).tolist()
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:
            if callable(reset := getattr(self._inner, "reset", None)):
                reset()  # what failed half-way must not pass for set up when the same atoms come again
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise EngineError(f"the engine failed on {bare.get_chemical_formula()}: {what}") from error
        entry["seconds"] = time.perf_counter() - started
        if not np.isfinite(entry["energy"]) or not np.all(np.isfinite(entry["forces"])):
            raise EngineError(f"the engine gave an energy or forces of {bare.get_chemical_formula()} that are not finite")
        entry["positions"] = atoms.positions.tolist()
        entry["cell"] = atoms.cell[:].tolist()
        self._append(entry)
        return entry

    def _append(self, entry: dict[str, Any]) -> None:
        # what comes after the last answer given belongs to another path, or was torn
        del self._entries[self.answered :]
        size = self._good_bytes[self.answered]
        del self._good_bytes[self.answered + 1 :]
        line = (json.dumps(entry, allow_nan=False) + "\n").encode()
        with self._path.open("r+b" if self._path.exists() else "w+b") as file:
            file.truncate(size)
            file.seek(size)
            file.write(line)
        self._entries.append(entry)
        self._good_bytes.append(size + len(line))


def _read_journal(path: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the whole lines of a journal and, for each count of them, the bytes they take."""
    entries: list[dict[str, Any]] = []
    sizes = [0]
    if not path.exists():
        return entries, sizes
    with path.open("rb") as file:
        for line in file:
            try:
                entry = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                entry = None
            if not isinstance(entry, dict) or not {"energy", "forces", "positions", "cell", "seconds"} <= set(entry):
                break
            entries.append(entry)
            sizes.append(sizes[-1] + len(line))
    return entries, sizes


def _same(entry: Mapping[str, Any], atoms: Atoms) -> bool:
    positions, cell = np.array(entry["positions"]), np.array(entry["cell"])
    return (
        positions.shape == atoms.positions.shape
        and bool(np.all(np.abs(positions - atoms.positions) < _SAME_A))
        and bool(np.all(np.abs(cell - atoms.cell[:]) < _SAME_A))
    )


def relax(
    atoms: Atoms,
    calculator: Any,
    journal: Path,
    *,
    fmax_eV_A: float | Array,
    max_steps: int,
    stiffness_eV_A2: float | Array = 15.0,
    cell: bool = False,
) -> Relaxed:
    """Move `atoms`, which keep their ASE constraints, until no force exceeds its criterion.

    BFGS with Powell's damping (Nocedal and Wright, Numerical Optimization, 2nd ed., procedure 18.2), which keeps the
    Hessian positive where the energy is not convex, as beside the saddle that an adatom leaves, and a diagonal first
    guess. How stiff each atom is bound decides how many steps it takes: with one guess for an adatom on a soft surface
    and for the nitride below, the softer one crawls.

    Parameters
    ----------
    atoms
        Start; not changed.
    calculator
        Of the engine.
    journal
        Path of the journal.
    fmax_eV_A
        Largest force allowed, one for all atoms or one an atom.
    max_steps
        Steps after which it stops without having converged.
    stiffness_eV_A2
        First guess of the second derivative of the energy by the position of an atom, one for all or one an atom.
    cell
        Whether the cell relaxes too; its generalised forces must meet the same criterion.

    Raises
    ------
    EngineError
        If the engine fails or gives numbers that are not finite.
    """
    moving = atoms.copy()
    recorder = Journal(calculator, journal, stress=cell)
    moving.calc = recorder
    target = FrechetCellFilter(moving) if cell else moving
    limits = np.broadcast_to(np.asarray(fmax_eV_A, float), (len(moving),))
    if cell:
        limits = np.append(limits, np.full(3, limits.min()))
    stiffness = np.broadcast_to(np.asarray(stiffness_eV_A2, float), (len(moving),))
    if cell:
        stiffness = np.append(stiffness, np.full(3, 70.0))
    path = _DampedBFGS(np.diag(np.repeat(stiffness, 3)))
    for step in range(max_steps + 1):
        forces = target.get_forces()
        sizes = np.linalg.norm(forces, axis=1)
        converged = bool(np.all(sizes < limits))
        if converged or step == max_steps:
            break
        positions = target.get_positions()
        target.set_positions(positions + path.step(positions, forces))
    return Relaxed(
        atoms=Atoms(moving.numbers, positions=moving.positions, cell=moving.cell, pbc=moving.pbc, tags=moving.get_tags()),
        energy_eV=float(moving.get_potential_energy()),
        fmax_eV_A=float(sizes.max()),
        steps=recorder.answered,
        resumed=recorder.resumed,
        converged=converged,
        seconds=recorder.seconds,
        forces_eV_A=np.array(moving.get_forces(apply_constraint=False)),
    )


class _DampedBFGS:
    """Quasi-Newton steps from positions and forces, (n, 3) each."""

    def __init__(self, hessian: Array) -> None:
        self._hessian = hessian
        self._before: tuple[Array, Array] | None = None

    def step(self, positions: Array, forces: Array) -> Array:
        """Return the next step, no atom farther than the longest step allowed."""
        if self._before is not None:
            self._learn((positions - self._before[0]).ravel(), (self._before[1] - forces).ravel())
        self._before = (positions.copy(), forces.copy())
        step = np.linalg.solve(self._hessian, forces.ravel()).reshape(-1, 3)
        longest = float(np.max(np.linalg.norm(step, axis=1)))
        return np.asarray(step * min(1.0, _MAX_STEP_A / max(longest, 1e-12)))

    def _learn(self, s: Array, y: Array) -> None:
        """Update the Hessian with the step `s` and the change `y` of the gradient along it."""
        Hs = self._hessian @ s
        sHs = float(s @ Hs)
        if sHs < 1e-16:
            return
        theta = 1.0 if s @ y >= 0.2 * sHs else 0.8 * sHs / (sHs - float(s @ y))
        r = theta * y + (1.0 - theta) * Hs
        self._hessian = self._hessian + np.outer(r, r) / float(s @ r) - np.outer(Hs, Hs) / sHs


def pack(atoms: Atoms, digits: int = 6) -> dict[str, Any]:
    """Return a structure as JSON-ready data, lengths in angstrom rounded to `digits` decimals."""
    return {
        "symbols": atoms.get_chemical_symbols(),
        "positions_A": np.round(atoms.positions, digits).tolist(),
        "cell_A": np.round(atoms.cell[:], digits).tolist(),
        "pbc": [bool(periodic) for periodic in atoms.pbc],
    }


def unpack(data: Mapping[str, Any]) -> Atoms:
    """Return the structure that `pack` wrote."""
    return Atoms(data["symbols"], positions=data["positions_A"], cell=data["cell_A"], pbc=data["pbc"])


def canonical(crystal: Atoms, digits: int = 6) -> Atoms:
    """Return a crystal with atoms wrapped into the cell, sorted and rounded: one key whatever order a file gives them.

    Fractional coordinates are rounded so that positions keep 1e-6 angstrom.
    """
    cell = np.round(crystal.cell[:], digits)
    fractional = np.round(crystal.get_scaled_positions(wrap=False), digits + 1)
    fractional -= np.floor(fractional)
    fractional[fractional > 1 - 0.5 * 10.0 ** -(digits + 1)] = 0.0
    order = np.lexsort((*np.round(fractional, digits).T[::-1], crystal.numbers))
    return Atoms(crystal.numbers[order], scaled_positions=fractional[order], cell=cell, pbc=True)
