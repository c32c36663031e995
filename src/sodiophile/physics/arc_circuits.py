"""The circuits of series resistance, depressed arcs and tails that compete for a spectrum; the arcs of any circuit.

All competing circuits are one, ``L0-R0-Zarc1-Zarc2-CPE3``, with some of its elements switched off: held where they
contribute a billionth of the impedance. So they can all be fitted in one batch.

References
----------
G. J. Brug et al., J. Electroanal. Chem. 1984, 176, 275, doi 10.1016/S0022-0728(84)80324-1.
C. H. Hsu, F. Mansfeld, Corrosion 2001, 57, 747, doi 10.5006/1.3280607.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sodiophile.physics.circuit_parser import Element, Parallel, Series, elements
from sodiophile.physics.circuits import Array, Circuit

Tail = Literal["none", "warburg", "cpe"]

FULL = Circuit("L0-R0-Zarc1-Zarc2-CPE3")


class Place(IntEnum):
    """Places among the coordinates of `FULL`."""

    L = 0
    R0 = 1
    R1 = 2
    TAU1 = 3
    ALPHA1 = 4
    R2 = 5
    TAU2 = 6
    ALPHA2 = 7
    Q = 8
    ALPHA_TAIL = 9


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the competing circuits.

    Parameters
    ----------
    arcs
        0, 1 or 2.
    tail
        At low frequency: none, a Warburg element, or a constant-phase element.
    inductance
        Whether there is one in series.
    """

    arcs: int
    tail: Tail
    inductance: bool

    @property
    def text(self) -> str:
        """The circuit as a string."""
        parts = (["L0"] if self.inductance else []) + ["R0"]
        parts += [f"p(R{k},CPE{k})" for k in range(1, self.arcs + 1)]
        parts += {"none": [], "warburg": ["W3"], "cpe": ["CPE3"]}[self.tail]
        return "-".join(parts)

    def fixed(self) -> NDArray[np.bool_]:
        """Return which coordinates of `FULL` are not fitted, shape (10,)."""
        held = np.zeros(10, dtype=bool)
        held[Place.L] = not self.inductance
        held[Place.R1 : Place.ALPHA1 + 1] = self.arcs < 1
        held[Place.R2 : Place.ALPHA2 + 1] = self.arcs < 2
        held[Place.Q] = self.tail == "none"
        held[Place.ALPHA_TAIL] = self.tail != "cpe"
        return held


ALL = tuple(
    Candidate(arcs, tail, inductance) for arcs, tail, inductance in product((0, 1, 2), get_args(Tail), (False, True))
)
"""Every candidate."""


@dataclass(frozen=True, slots=True)
class ArcPlace:
    """Where the parameters of an arc stand among the coordinates of a circuit.

    Parameters
    ----------
    resistance
        Of R.
    tau
        Of the time constant, None where a capacitor or a constant-phase element stands for it.
    capacity
        Of C or Q where there is no time constant.
    alpha
        Of the exponent, None for an ideal capacitor.
    """

    resistance: int
    tau: int | None
    capacity: int | None
    alpha: int | None

    def exponent(self, u: Array) -> float:
        """Return alpha; 1 for an ideal capacitor."""
        return 1.0 if self.alpha is None else float(u[self.alpha])

    def log_tau(self, u: Array) -> float:
        """Return the logarithm of the time constant in s: tau = (RQ)^(1/alpha)."""
        if self.tau is not None:
            return float(u[self.tau])
        assert self.capacity is not None  # noqa: S101  an arc has one or the other
        return float(u[self.resistance] + u[self.capacity]) / self.exponent(u)

    def log_capacitance(self, u: Array, series: int | None, formula: Literal["hsu-mansfeld", "brug"]) -> float:
        r"""Return the logarithm of the effective capacitance in F.

        .. math::
            C_\mathrm{HM} = Q^{1/\alpha} R^{1/\alpha-1} = \tau/R,\qquad
            C_\mathrm{B} = Q^{1/\alpha}\left(R_0^{-1}+R^{-1}\right)^{1-1/\alpha}

        Hsu and Mansfeld's holds for a distribution through a layer, Brug's for one along the surface.
        """
        log_tau, log_R = self.log_tau(u), float(u[self.resistance])
        if formula == "hsu-mansfeld" or series is None:
            return log_tau - log_R
        alpha = self.exponent(u)
        log_Q = alpha * log_tau - log_R
        return log_Q / alpha + (1 - 1 / alpha) * float(np.logaddexp(-u[series], -log_R))


def arcs_of(circuit: Circuit) -> list[ArcPlace]:
    """Return the arcs of a circuit: every Zarc, and every p(...) of a capacitive branch and a branch with one resistor."""
    found: list[ArcPlace] = []
    parts = circuit.tree.parts if isinstance(circuit.tree, Series) else (circuit.tree,)
    for part in parts:
        if isinstance(part, Element) and part.kind == "Zarc":
            first = circuit.index(f"{part.name}.R")
            found.append(ArcPlace(first, first + 1, None, first + 2))
        if not isinstance(part, Parallel) or len(part.branches) != 2:
            continue
        for branch, other in (part.branches, part.branches[::-1]):
            resistors = [element.name for element in elements(other) if element.kind == "R"]
            if not isinstance(branch, Element) or branch.kind not in {"C", "CPE"} or len(resistors) != 1:
                continue
            place = circuit.index(resistors[0])
            if branch.kind == "C":
                found.append(ArcPlace(place, None, circuit.index(branch.name), None))
            else:
                first = circuit.index(f"{branch.name}.Q")
                found.append(ArcPlace(place, None, first, first + 1))
    return found
