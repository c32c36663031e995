"""Which phases have the least energy at a composition: a linear program, and its outcome as a balanced reaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from sodiophile.errors import InputError

_DENOMINATOR = 1000
_NOTHING = 1e-7
# Potentials trained on the Materials Project mix two theories: Hubbard U on these metals, in oxides and fluorides only.
_HUBBARD_METALS = frozenset({"V", "Cr", "Mn", "Fe", "Co", "Ni", "Mo", "W"})
_HUBBARD_ANIONS = frozenset({"O", "F"})


def has_hubbard_u(elements: Iterable[str]) -> bool:
    """Return whether the training data of universal potentials have a Hubbard U in a compound of these elements."""
    found = set(elements)
    return bool(found & _HUBBARD_METALS and found & _HUBBARD_ANIONS)


@dataclass(frozen=True)
class Phase:
    """A formula unit: atoms by symbol, and its energy in eV."""

    name: str
    counts: Mapping[str, int]
    energy_eV: float

    @property
    def atoms(self) -> int:
        """Return how many atoms it has."""
        return sum(self.counts.values())


def lowest(target: Mapping[str, float], phases: Sequence[Phase]) -> tuple[float, dict[str, float]] | None:
    """Return the least energy (eV) of phases that hold the atoms of `target`, and their amounts; None if none do.

    Minimises sum n_j E_j over n_j >= 0 with the atoms of each element kept.
    """
    from scipy.optimize import linprog

    elements = sorted({*target, *(symbol for phase in phases for symbol in phase.counts)})
    if not phases:
        return None
    matrix = np.array([[phase.counts.get(symbol, 0) for phase in phases] for symbol in elements], float)
    wanted = np.array([target.get(symbol, 0.0) for symbol in elements])
    done = linprog([phase.energy_eV for phase in phases], A_eq=matrix, b_eq=wanted, bounds=(0, None), method="highs")
    if done.status != 0:
        return None
    amounts = {phase.name: float(n) for phase, n in zip(phases, done.x, strict=True) if n > _NOTHING}
    return float(done.fun), amounts


def balanced(
    interlayer: Phase, metal: Phase, products: Mapping[str, float], phases: Mapping[str, Phase]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the whole numbers of reactants and products, metal left over taken off; every atom is kept exactly.

    Raises
    ------
    InputError
        If no whole numbers keep the atoms.
    """
    symbol = next(iter(metal.counts))
    right = {name: Fraction(n).limit_denominator(_DENOMINATOR) for name, n in products.items() if name != metal.name}
    held = sum((n * phases[name].counts.get(symbol, 0) for name, n in right.items()), Fraction(0))
    left = {interlayer.name: Fraction(1)}
    needed = held - interlayer.counts.get(symbol, 0)
    if needed > 0:
        left[metal.name] = needed
    elif needed < 0:
        right[metal.name] = -needed
    for element in {*interlayer.counts, symbol}:
        before = sum(
            n * (interlayer if name == interlayer.name else metal).counts.get(element, 0) for name, n in left.items()
        )
        if before != sum(n * phases[name].counts.get(element, 0) for name, n in right.items()):
            raise InputError(f"no whole numbers keep the atoms of {element} at this limit; expected a whole one", "limit")
    factor = lcm(*(n.denominator for n in (*left.values(), *right.values())))
    return {k: int(n * factor) for k, n in left.items()}, {k: int(n * factor) for k, n in right.items() if n}
