"""A surface with the line through its slabs, and the window of chemical potentials in which its crystal exists.

Slabs of a binary crystal M_x X_y that hold atoms of M beyond its composition are counted in formula units by X; the excess
is taken from bulk M, plus what M costs more or less than there:

    gamma(mu) = [E - N e_bulk - n_excess (e_M + mu)] / 2 A,        dH_f / x <= mu <= 0

mu = 0 where bulk M would grow, dH_f / x where the element X would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

from ase.data import atomic_numbers, covalent_radii

from sodiophile.atomistic.surface_energy_fit import EV_A2_IN_J_M2, Composition, Line, line


@dataclass(frozen=True)
class Surface:
    """A termination with its slabs that converged and the line through them; without it, why there is none."""

    about: Mapping[str, Any]
    name: str
    area_A2: float
    units: tuple[float, ...]
    energies_eV: tuple[float, ...]
    thicknesses_A: tuple[float, ...]
    excess: float
    fitted: Line | None
    why: str

    def per_face_J_m2(self, energy_eV: float) -> float:
        """Return an energy that both faces of the slab share, per area of one of them."""
        return energy_eV / (2.0 * self.area_A2) * EV_A2_IN_J_M2

    def gamma_J_m2(self, chemical_potential_eV: float) -> float:
        """Return the surface energy where the element in excess costs so much more than in its bulk."""
        assert self.fitted is not None  # noqa: S101  asked only of those that have a line
        return self.per_face_J_m2(self.fitted.intercept_eV - self.excess * chemical_potential_eV)


@dataclass(frozen=True)
class Window:
    """Between which chemical potentials the crystal exists: that of M against bulk M, and what bounds it.

    Attributes
    ----------
    composition
        M and X of the binary crystal; None where there is no such choice.
    element_eV
        Energy of bulk M per atom; None where it has no reference.
    formation_eV
        Of the crystal from its elements, per formula unit: its end rich in X is at formation_eV / x.
    source
        Where that number is from.
    given
        Whether the user gave it.
    why
        Why an end cannot be told.
    """

    composition: Composition | None
    element_eV: float | None = None
    formation_eV: float | None = None
    source: str = ""
    given: bool = False
    why: str = ""

    @property
    def poorest_eV(self) -> float | None:
        """Chemical potential of M, against bulk M, at the end rich in X."""
        if self.composition is None or self.formation_eV is None:
            return None
        return self.formation_eV / self.composition.per_formula

    def ends(self, surface: Surface) -> dict[str, float]:
        """Return the chemical potentials, against bulk M, at which a surface is told: by the words that follow its name."""
        if surface.excess == 0.0 or self.composition is None:
            return {"": 0.0}
        found = {f", {self.composition.element}-rich": 0.0}
        if self.poorest_eV is not None:
            found[f", {self.composition.other}-rich"] = self.poorest_eV
        return found

    def all_ends(self, surfaces: Sequence[Surface]) -> dict[str, float]:
        """Return the ends at which some surface differs; one without a name where none depends on them."""
        return {words: x for surface in surfaces if surface.excess for words, x in self.ends(surface).items()} or {"": 0.0}


def window_of(inputs: Mapping[str, Any], after: Mapping[str, Any], symbols: list[str]) -> Window:
    """Return between which chemical potentials the crystal exists, as far as the outcomes and the user tell."""
    elements = sorted(set(symbols))
    if len(elements) != 2:
        return Window(None, why=f"{len(elements)} elements make {len(elements) - 1} free chemical potentials")
    references = {
        name.removeprefix("element "): outcome
        for name, outcome in after.items()
        if name.startswith("element ") and outcome["converged"]
    }
    units = formula_units(symbols)
    per_formula = {symbol: symbols.count(symbol) // units for symbol in elements}
    # the element that has a reference crystal is the one whose chemical potential is told; of two, the first by symbol
    anchor = next((symbol for symbol in _metals_first(elements) if symbol in references), None)
    if anchor is None:
        return Window(
            None, why=f"neither {elements[0]} nor {elements[1]} has a reference crystal; give one by 'references'"
        )
    other = next(symbol for symbol in elements if symbol != anchor)
    composition = Composition(anchor, other, per_formula[anchor], per_formula[other])
    anchor_eV = references[anchor]["energy_eV_per_atom"]
    crystal_eV = after["crystal"]["energy_eV"] / units
    if other in references:
        rest = crystal_eV - per_formula[anchor] * anchor_eV - per_formula[other] * references[other]["energy_eV_per_atom"]
        if rest >= 0:
            why = f"with this engine {inputs['crystal']} is {rest:.2f} eV above its elements: nowhere does it exist"
            return Window(composition, anchor_eV, why=why)
        return Window(composition, anchor_eV, rest, f"computed against bulk {anchor} and bulk {other}")
    if inputs["formation_energy_eV"] is not None:
        return Window(composition, anchor_eV, inputs["formation_energy_eV"], "given by the user", given=True)
    why = (
        f"the end rich in {other} needs the energy of {other} in its element, which is no crystal that is built in; "
        "give formation_energy (per formula unit), or its crystal by 'references'"
    )
    return Window(composition, anchor_eV, why=why)


def _metals_first(elements: list[str]) -> list[str]:
    return sorted(elements, key=lambda symbol: -covalent_radii[atomic_numbers[symbol]])


def formula_units(symbols: Sequence[str]) -> int:
    """Return how many formula units some atoms are."""
    return gcd(*(symbols.count(symbol) for symbol in set(symbols)))


def surface_of(
    about: Mapping[str, Any],
    outcomes: list[Mapping[str, Any]],
    window: Window,
    symbols: list[str],
    crystal: str,
) -> Surface:
    """Return a termination with the line through those of its slabs that relaxed."""
    name = f"{about['facet']} {about['termination']}-terminated" if about["termination"] != crystal else about["facet"]
    done = [(counts, outcome) for counts, outcome in zip(about["counts"], outcomes, strict=True) if outcome["converged"]]
    composition = None if about["stoichiometric"] else window.composition
    per_formula = {symbol: symbols.count(symbol) / formula_units(symbols) for symbol in set(symbols)}

    def units(counts: dict[str, int]) -> float:
        if composition is not None:
            return composition.units(counts)
        return sum(counts.values()) / sum(per_formula.values())

    def corrected(counts: dict[str, int], energy_eV: float) -> float:
        # bulk M is where the excess is taken from: the line is the surface energy at the end rich in M
        if composition is None or window.element_eV is None:
            return energy_eV
        return energy_eV - composition.excess(counts) * window.element_eV

    pairs = [(units(counts), corrected(counts, outcome["energy_eV"])) for counts, outcome in done]
    why = ""
    if not about["stoichiometric"] and window.composition is None:
        why = window.why
    elif len(done) < 3:
        why = f"{len(done)} of {len(outcomes)} slabs relaxed within the steps allowed, expected at least 3"
    return Surface(
        about=about,
        name=name,
        area_A2=outcomes[0]["area_A2"],
        units=tuple(pair[0] for pair in pairs),
        energies_eV=tuple(pair[1] for pair in pairs),
        thicknesses_A=tuple(outcome["thickness_A"] for _, outcome in done),
        excess=0.0 if composition is None else composition.excess(about["counts"][0]),
        fitted=None if why else line([pair[0] for pair in pairs], [pair[1] for pair in pairs]),
        why=why,
    )
