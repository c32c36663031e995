"""From relaxed slabs to the energies on, in and below a surface: the last task of a substitution calculation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ase import Atoms

from sodiophile._version import __version__
from sodiophile.atomistic.adsorption_tables import extxyz, file_name
from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.engines import Engine, trust
from sodiophile.atomistic.engines import engine as engine_named
from sodiophile.atomistic.interaction import thin_slab
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.tasks import require
from sodiophile.errors import EngineError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

# Kept in or below the layer if it is no higher above its atoms; else it came out.
_IN_LAYER_A = 0.0
# About half of a bond: an atom of the crystal that moved farther has another place.
_CHANGED_PLACE_A = 1.2


@dataclass(frozen=True)
class Reservoir:
    """Where a replaced atom goes.

    Attributes
    ----------
    potential_eV
        Its chemical potential.
    words
        What it is.
    """

    potential_eV: float
    words: str


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put the energies together, judge them, and save the result into the folder."""
    if context.get("trusted", False):
        trust(inputs["engine"]["engine"])
    engine = engine_named(inputs["engine"]["engine"])
    rows, warnings = [], []
    structures: dict[str, str] = {}
    if not engine.is_dft:
        warnings.append(f"{engine.name} is a potential, not DFT: {engine.accuracy.sentence(engine.name)}.")
    reservoirs = _reservoirs(after)
    for i, surface in enumerate(inputs["surfaces"]):
        warnings += thin_slab(f"{surface['crystal']}{facet_text(surface['miller'])}", after[f"{i} clean"], engine.name)
        found, said, files = _of_surface(i, surface, inputs, after, reservoirs)
        rows += found
        warnings += said
        structures |= files
    if all(row["energy_vs_bulk_eV"] is None for row in rows):
        raise EngineError("no place converged: there is nothing to compare")
    about = inputs["surfaces"][0]
    result = Result(
        kind="substitution",
        inputs={
            "crystal": about["crystal"],
            "facet": facet_text(about["miller"])[1:-1],
            "adsorbate": inputs["adsorbate"],
            "engine": inputs["engine"],
            "supercell": "x".join(str(n) for n in about["supercell"]),
            "layers": [surface["layers"] for surface in inputs["surfaces"]],
            "fixed_layers": [surface["fixed_layers"] for surface in inputs["surfaces"]],
            "vacuum_A": inputs["vacuum_A"],
            "fmax_eV_A": inputs["fmax_eV_A"],
            "made_with": {"sodiophile": __version__, **after["metal"]["made_with"]},
        },
        quantities=_quantities(rows, inputs, engine),
        verdicts=_verdicts(rows, inputs, engine),
        warnings=tuple(warnings),
        tables={"places": pl.DataFrame(rows, schema_overrides=_TYPES, infer_schema_length=None)},
        attachments=structures,
    )
    return result.save(folder)


_TYPES = {
    "replaced": pl.String,
    "reservoir": pl.String,
    "chemical_potential_eV": pl.Float64,
    "energy_vs_bulk_eV": pl.Float64,
    "anomaly": pl.String,
}


def _reservoirs(after: Mapping[str, Any]) -> dict[str, Reservoir]:
    """Return the reservoir of every element of the crystal that has one."""
    found = {}
    for name, outcome in after.items():
        if name.startswith("reservoir "):
            symbol = name.removeprefix("reservoir ")
            require(outcome, f"bulk {symbol}")
            found[symbol] = Reservoir(outcome["energy_eV_per_atom"], f"bulk {symbol}")
    crystal = require(after["crystal"], "the crystal")
    count = Counter(crystal["crystal"]["symbols"])
    lacking = [symbol for symbol in count if symbol not in found]
    if len(lacking) == 1 and len(count) > 1:
        # in equilibrium with the crystal and with the bulk metals of its other elements
        rest = crystal["energy_eV"] - sum(n * found[symbol].potential_eV for symbol, n in count.items() if symbol in found)
        others = ", ".join(f"bulk {symbol}" for symbol in count if symbol in found)
        words = f"the crystal in equilibrium with {others}"
        found[lacking[0]] = Reservoir(rest / count[lacking[0]], words)
    return found


def _of_surface(
    number: int,
    surface: Mapping[str, Any],
    inputs: Mapping[str, Any],
    after: Mapping[str, Any],
    reservoirs: Mapping[str, Reservoir],
) -> tuple[list[dict[str, Any]], list[str], dict[str, str]]:
    clean = require(after[f"{number} clean"], "the clean slab")
    metal = require(after["metal"], f"bulk {inputs['adsorbate']}")["energy_eV_per_atom"]
    where = f"{surface['crystal']}{facet_text(surface['miller'])}, {surface['termination']}-terminated"
    layers = np.array(surface["layer_of"])
    top = float(unpack(clean["slab"]).positions[layers == layers.max(), 2].mean())
    rows, warnings, files = [], [], {}
    places = [
        *({"label": site, "kind": "on the surface", "replaced": None, "atom": None} for site in surface["sites"]),
        *surface["places"],
    ]
    for i, place in enumerate(places):
        sites = len(surface["sites"])
        outcome = after[f"{number} site {i}" if i < sites else f"{number} place {i - sites}"]
        slab: Atoms = unpack(outcome["slab"])
        height = float(slab.positions[-1, 2]) - top
        odd = []
        # without the atom that was replaced
        atoms = [atom for atom in range(len(layers)) if atom != place["atom"]]
        slab.set_tags([*(layers.max() + 1 - layers[atoms]), 0])
        energy: float | None = outcome["energy_eV"] - clean["energy_eV"] - metal
        reservoir = reservoirs.get(place["replaced"] or "")
        if not outcome["converged"]:
            energy = None
            odd.append(f"not converged after {inputs['max_steps']} steps: {outcome['fmax_eV_A']:.3f} eV/A left")
        if place["replaced"] and reservoir is None:
            energy = None
            odd.append(f"where {place['replaced']} goes has no energy: neither it nor all the others have a bulk metal")
        elif reservoir is not None and energy is not None:
            energy += reservoir.potential_eV
        moved = float(np.linalg.norm(slab.positions[:-1] - unpack(clean["slab"]).positions[atoms], axis=1).max())
        if moved > _CHANGED_PLACE_A:
            odd.append(f"an atom of the crystal moved by {moved:.1f} A: it was pushed out, or the surface has rebuilt")
        if place["kind"] == "below" and height > _IN_LAYER_A:
            odd.append(f"it came out: {height:.2f} A above the first layer")
        rows.append(
            {
                "surface": f"{surface['crystal']}{facet_text(surface['miller'])}",
                "termination": surface["termination"],
                "place": place["label"],
                "kind": place["kind"],
                "energy_vs_bulk_eV": energy,
                "replaced": place["replaced"],
                "reservoir": reservoir.words if reservoir else None,
                "chemical_potential_eV": reservoir.potential_eV if reservoir else None,
                "height_A": height,
                "anomaly": "; ".join(odd) or None,
                "converged": outcome["converged"],
                "steps": outcome["steps"],
                "adsorbate": inputs["adsorbate"],
                "engine": inputs["engine"]["engine"],
            }
        )
        warnings += [f"{where}, {place['label']}: {text}." for text in odd]
        title = f"{inputs['adsorbate']} at {where}, {place['label']}"
        stem = f"{inputs['adsorbate']}-{surface['crystal']}-{surface['termination']}-{place['label']}"
        files[file_name(stem)] = extxyz(slab, title, {"energy_vs_bulk_eV": energy})
    return rows, warnings, files


def _key(row: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    several = len(inputs["surfaces"]) > 1
    return (f"{row['termination']}-terminated, " if several else "") + str(row["place"])


def _quantities(rows: list[dict[str, Any]], inputs: Mapping[str, Any], engine: Engine) -> dict[str, Quantity]:
    error = engine.accuracy.error_eV
    metal = inputs["adsorbate"]
    about = inputs["surfaces"][0]
    found: dict[str, Quantity] = {}
    for row in rows:
        if row["energy_vs_bulk_eV"] is None:
            continue
        formula = f"E(slab with {metal}) - E(clean slab) - E(bulk {metal}) per atom"
        if row["replaced"]:
            formula = (
                f"E(slab, {metal} for one {row['replaced']}) + mu({row['replaced']}) - E(clean slab) - E(bulk {metal}) per "
                f"atom, mu({row['replaced']}) = {row['chemical_potential_eV']:.3f} eV from {row['reservoir']}"
            )
        definition = (
            f"{formula}; {row['surface']}, {row['termination']}-terminated, {row['place']}; one {metal} in a "
            f"{'x'.join(map(str, about['supercell']))} surface cell; relaxed with {engine.name}, negative means bound"
        )
        found[f"energy_vs_bulk:{_key(row, inputs)}"] = Quantity(
            row["energy_vs_bulk_eV"], "eV", error, definition, "computed"
        )
    on, within = _lowest(rows, on=True), _lowest(rows, on=False)
    if on is not None:
        name = f"energy_vs_bulk:{_key(on, inputs)}"
        found["energy_vs_bulk:on the surface"] = found[name]
        if within is not None:
            difference = within["energy_vs_bulk_eV"] - on["energy_vs_bulk_eV"]
            definition = (
                f"{_key(within, inputs)} minus {_key(on, inputs)}, the lowest in or below and the lowest on it; "
                "negative means that the adatom goes in, if a barrier lets it"
            )
            found["incorporation_energy"] = Quantity(difference, "eV", error, definition, "computed")
    return found


def _lowest(rows: list[dict[str, Any]], *, on: bool) -> dict[str, Any] | None:
    """Return the row of lowest energy on the surface, or in or below it; those that came out count as neither."""
    kept = [
        row
        for row in rows
        if row["energy_vs_bulk_eV"] is not None
        and (row["kind"] == "on the surface") == on
        and not (row["kind"] == "below" and row["height_A"] > _IN_LAYER_A)
    ]
    return min(kept, key=lambda row: row["energy_vs_bulk_eV"]) if kept else None


def _verdicts(rows: list[dict[str, Any]], inputs: Mapping[str, Any], engine: Engine) -> dict[str, Verdict]:
    on, within = _lowest(rows, on=True), _lowest(rows, on=False)
    out = [row["place"] for row in rows if row["kind"] == "below" and row["height_A"] > _IN_LAYER_A]
    evidence = [f"{_key(row, inputs)}: {row['energy_vs_bulk_eV']:+.3f} eV" for row in (on, within) if row is not None]
    if out:
        evidence.append(f"put below the first layer, it came out again from {len(out)} of the voids")
    if on is None:
        return {"incorporation": Verdict("cannot be told", ("no place on the surface converged", *evidence))}
    if within is None:
        answer = "stays on the surface" if out else "cannot be told"
        return {"incorporation": Verdict(answer, ("no place in or below the surface holds it", *evidence))}
    difference = within["energy_vs_bulk_eV"] - on["energy_vs_bulk_eV"]
    answer = "stays on the surface" if difference > 0 else f"goes in: {within['place']}"
    error = engine.accuracy.error_eV
    if not engine.is_dft:
        if error is None:
            evidence.append(f"the error of {engine.name} has not been measured: the sign is this potential's")
        elif abs(difference) < error:
            evidence.append(f"the difference, {difference:+.2f} eV, is below the error of {engine.name}, {error:g} eV")
            answer = "cannot be told"
    return {"incorporation": Verdict(answer, tuple(evidence))}
