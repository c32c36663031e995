"""From relaxed crystals to reaction energies: the last task of a calculation of stability.

The energy of the phases that interlayer + x metal becomes, against the unreacted mixture, is convex in x (interface
reactions: Richards et al., Chem. Mater. 28, 266 (2016), doi 10.1021/acs.chemmater.5b04082).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ase.formula import Formula

from sodiophile._version import __version__
from sodiophile.atomistic.engines import engine_of
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.stability_model import Phase, balanced, has_hubbard_u, lowest
from sodiophile.atomistic.structures import formula
from sodiophile.atomistic.tasks import require
from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

_POINTS = 61
_SAME_EV = 1e-6
_REACTION = {"reaction": pl.String(), "metal_fraction": pl.Float64(), "reaction_energy_eV_per_atom": pl.Float64()}


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Minimise the energy over the phases, judge it, and save the result into the folder."""
    engine = engine_of(inputs["engine"], trusted=bool(context.get("trusted", False)))
    interlayer, metal = _phase(after["interlayer"], "the interlayer"), _phase(after["metal"], "the metal")
    computed = [_phase(outcome, name) for name, outcome in after.items() if name.startswith("phase ")]
    given = _stated(inputs["stated"], interlayer, [metal, *computed])
    others = _distinct([metal, *computed, *given], interlayer)
    x = np.linspace(0.0, inputs["limit"], _POINTS)
    rows = [_row(float(one), interlayer, metal, others) for one in x]
    best = lowest(_mixture(interlayer, metal, inputs["limit"]), others)
    alone = lowest(dict(interlayer.counts), others)
    quantities: dict[str, Quantity] = {}
    above = 0.0 if alone is None else max(0.0, (interlayer.energy_eV - alone[0]) / interlayer.atoms)
    energies = _Energies(inputs)
    known = {phase.name: phase for phase in others}
    reactions: list[dict[str, Any]] = []
    if best is None:
        why = (
            f"the phases given cannot hold all atoms of {interlayer.name} without it, up to {inputs['limit']:g} "
            f"{metal.name} per formula unit: no reaction was compared"
        )
        verdict = Verdict("cannot be told", (why,))
    else:
        left, right = balanced(interlayer, metal, best[1], known)
        energy = best[0] - interlayer.energy_eV - inputs["limit"] * metal.energy_eV
        taken = left.get(metal.name, 0) / left[interlayer.name]
        per_atom = energy / (interlayer.atoms + taken)
        reaction = f"{_side(left)} -> {_side(right)}"
        fraction = taken / (interlayer.atoms + taken)
        reactions = [{"reaction": reaction, "metal_fraction": fraction, "reaction_energy_eV_per_atom": per_atom}]
        for name, value, words in (
            ("reaction_energy", energy, "per formula unit of interlayer"),
            ("reaction_energy_per_atom", per_atom, "per atom of the reactants"),
            ("reaction_energy_per_metal_atom", energy / taken if taken else None, "per atom of metal taken"),
        ):
            if value is not None:
                quantities[name] = energies.quantity(value, f"{words}, of {reaction}", right)
        verdict = _verdict(reaction, energy, per_atom, taken, inputs, metal.name)
    products = {} if alone is None else alone[1]
    quantities["energy_above_hull"] = energies.quantity(above, "per atom, among the phases given", products)
    result = Result(
        kind="stability",
        inputs={
            **{key: inputs[key] for key in inputs},
            "phases": [phase.name for phase in others],
            "made_with": {"sodiophile": __version__, **after["interlayer"]["made_with"]},
        },
        quantities=quantities,
        verdicts={"stability": verdict},
        warnings=tuple(_warnings([interlayer, *others], inputs, engine.is_dft)),
        tables={
            "hull": pl.DataFrame(rows, schema_overrides={"without_interlayer_eV_per_atom": pl.Float64()}),
            "reaction": pl.DataFrame(reactions, schema=_REACTION),
            "phases": _phase_table(interlayer, others, inputs),
        },
    )
    return result.save(folder)


class _Energies:
    """Energies of reactions as quantities: what rests on a stated energy is assumed, and says so."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._stated = inputs["stated"]
        self._source = inputs["stated_source"]
        self._engine = inputs["engine"]["engine"]

    def quantity(self, value_eV: float, words: str, products: Iterable[str]) -> Quantity:
        """Return an energy of the reaction to these products."""
        how = f"{self._engine}, every crystal relaxed; the error of its formation energies is not measured"
        stated = [name for name in products if name in self._stated]
        if not stated:
            return Quantity(value_eV, "eV", None, f"{words}; {how}", "computed")
        definition = f"{words}; rests on the stated formation energies, {', '.join(stated)} among them; else {how}"
        return Quantity(value_eV, "eV", None, definition, "assumed", source=self._source)


def _phase(outcome: Mapping[str, Any], what: str) -> Phase:
    done = require(outcome, what)
    atoms = unpack(done["crystal"])
    name = formula(atoms.numbers)
    counts = Formula(name).count()
    return Phase(name, counts, done["energy_eV"] * sum(counts.values()) / len(atoms))


def _stated(stated: Mapping[str, float], interlayer: Phase, computed: Sequence[Phase]) -> list[Phase]:
    """Return phases from formation energies; that of the interlayer fixes the energy of an element without a crystal."""
    elements = {next(iter(p.counts)): p.energy_eV / p.atoms for p in computed if len(p.counts) == 1}
    for name, energy in stated.items():
        counts = Formula(name).count()
        missing = set(counts) - set(elements)
        if Formula(name).reduce()[0].count() == dict(interlayer.counts) and len(missing) == 1:
            symbol = missing.pop()
            units = sum(counts.values()) / interlayer.atoms
            rest = sum(n * elements[one] for one, n in counts.items() if one != symbol)
            elements[symbol] = (units * interlayer.energy_eV - energy - rest) / counts[symbol]
    found = []
    for name, energy in stated.items():
        counts = Formula(name).count()
        missing = set(counts) - set(elements)
        if missing:
            raise InputError(
                f"{name} needs the energy of {', '.join(sorted(missing))}: name it in 'elements', or, for a gas, state "
                f"the formation energy of {interlayer.name} as well",
                "stated",
            )
        found.append(Phase(name, counts, energy + sum(n * elements[one] for one, n in counts.items())))
    return found


def _distinct(phases: Sequence[Phase], interlayer: Phase) -> list[Phase]:
    """Return the lowest phase of each formula; one like the interlayer only where it is lower."""
    found: dict[str, Phase] = {}
    for phase in phases:
        if phase.counts == interlayer.counts and phase.energy_eV > interlayer.energy_eV - _SAME_EV:
            continue
        if phase.name not in found or phase.energy_eV < found[phase.name].energy_eV:
            found[phase.name] = phase
    return list(found.values())


def _mixture(interlayer: Phase, metal: Phase, x: float) -> dict[str, float]:
    return dict(Counter(interlayer.counts) + Counter({next(iter(metal.counts)): x}))


def _row(x: float, interlayer: Phase, metal: Phase, others: Sequence[Phase]) -> dict[str, Any]:
    unreacted = interlayer.energy_eV + x * metal.energy_eV
    found = lowest(_mixture(interlayer, metal, x), [interlayer, *others])
    energy, amounts = (unreacted, {}) if found is None else found
    atoms = interlayer.atoms + x
    without = lowest(_mixture(interlayer, metal, x), others)
    return {
        "metal_per_formula_unit": x,
        "metal_fraction": x / atoms,
        "reaction_energy_eV": energy - unreacted,
        "reaction_energy_eV_per_atom": (energy - unreacted) / atoms,
        "phases": ", ".join(f"{n:.4g} {name}" for name, n in amounts.items()),
        "without_interlayer_eV_per_atom": None if without is None else (without[0] - unreacted) / atoms,
    }


def _verdict(reaction: str, energy: float, per_atom: float, taken: float, inputs: Mapping[str, Any], metal: str) -> Verdict:
    evidence = (
        f"{reaction}: {energy:+.3f} eV per formula unit, {per_atom:+.4f} eV/atom",
        f"margin of {inputs['margin_eV']:g} eV/atom allowed for the engine; its error was not measured",
        "phases that were not given are not considered",
    )
    if abs(per_atom) <= inputs["margin_eV"]:
        return Verdict("cannot be told", evidence)
    if energy > 0:
        return Verdict(f"stable against {metal} among the phases given", evidence)
    return Verdict("reacts" if taken else "unstable by itself, without the metal", evidence)


def _side(amounts: Mapping[str, int]) -> str:
    return " + ".join(name if n == 1 else f"{n} {name}" for name, n in amounts.items())


def _warnings(phases: Sequence[Phase], inputs: Mapping[str, Any], is_dft: bool) -> list[str]:
    found = ["Phases that were not given are not considered; one more can only make the interlayer less stable."]
    if not is_dft:
        found.append(
            f"{inputs['engine']['engine']} is a potential, not DFT; its formation energies were not measured here."
        )
        mixed = [phase.name for phase in phases if has_hubbard_u(phase.counts)]
        if mixed and len(mixed) < len(phases):
            found.append(
                f"{', '.join(mixed)}: the training data of universal potentials have a Hubbard U on the metal here and not "
                "in the other phases (PBE+U beside PBE): these reaction energies are not to be trusted"
            )
    if inputs["stated"]:
        found.append(f"Stated, not computed: {', '.join(inputs['stated'])}; source: {inputs['stated_source']}.")
    return found


def _phase_table(interlayer: Phase, others: Sequence[Phase], inputs: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "phase": phase.name,
                "energy_eV_per_formula_unit": phase.energy_eV,
                "stated": phase.name in inputs["stated"],
            }
            for phase in (interlayer, *others)
        ]
    )
