"""From relaxations of many starts to basins: the last task of a calculation with several starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from sodiophile._version import __version__
from sodiophile.atomistic.adsorption_result import site_from
from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.engines import engine as engine_named
from sodiophile.atomistic.engines import trust
from sodiophile.atomistic.interaction import thin_slab
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.sites import classify
from sodiophile.atomistic.tasks import require
from sodiophile.errors import EngineError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Group the relaxations by the site where they ended, and save the result into the folder."""
    if context.get("trusted", False):
        trust(inputs["engine"]["engine"])
    engine = engine_named(inputs["engine"]["engine"])
    rows = [row for i, surface in enumerate(inputs["surfaces"]) for row in _runs(i, surface, inputs, after)]
    done = [row for row in rows if row["converged"]]
    if not done:
        raise EngineError("none of the relaxations converged: nothing can be said of where they end")
    basins: dict[str, list[dict[str, Any]]] = {}
    for row in done:
        basins.setdefault(row["ended"], []).append(row)
    ranked = sorted(basins.items(), key=lambda entry: min(row["energy_vs_bulk_eV"] for row in entry[1]))
    about = inputs["surfaces"][0]
    where = f"{inputs['adsorbate']} on {about['crystal']}{facet_text(about['miller'])}"
    quantities: dict[str, Quantity] = {}
    for name, members in ranked:
        energies = [row["energy_vs_bulk_eV"] for row in members]
        definition = f"{where}: {len(members)} of {len(rows)} starts ended near {name}; {engine.name}, against bulk metal"
        error = engine.accuracy.error_eV
        quantities[f"energy_vs_bulk:{name}"] = Quantity(min(energies), "eV", error, f"lowest; {definition}", "computed")
        spread = max(energies) - min(energies)
        quantities[f"energy_spread:{name}"] = Quantity(
            spread, "eV", None, f"highest minus lowest; {definition}", "computed"
        )
    lowest, members = ranked[0]
    part = len(members) / len(rows)
    definition = f"part of {len(rows)} starts that ended near {lowest}, the lowest; {where}"
    quantities["part_of_starts:lowest"] = Quantity(part, "", None, definition, "computed")
    single = [name for name, members in ranked if len(members) == 1]
    evidence = [f"near {name}: {len(members)} of {len(rows)} starts" for name, members in ranked]
    if single:
        evidence.append(f"found once only: {', '.join(single)}; more starts may find others")
    lost = [row for row in rows if not row["converged"]]
    warnings = [
        f"start {row['start']} from {row['site']}: not converged after {inputs['max_steps']} steps; it is left out."
        for row in lost
    ]
    for i, surface in enumerate(inputs["surfaces"]):
        warnings += thin_slab(f"{surface['crystal']}{facet_text(surface['miller'])}", after[f"{i} clean"], engine.name)
    if not engine.is_dft:
        warnings.insert(0, f"{engine.name} is a potential, not DFT: {engine.accuracy.sentence(engine.name)}.")
    result = Result(
        kind="starts",
        inputs={
            "crystal": about["crystal"],
            "facet": facet_text(about["miller"])[1:-1],
            "adsorbate": inputs["adsorbate"],
            "engine": inputs["engine"],
            "starts": inputs["starts"],
            "displacement_A": inputs["displacement_A"],
            "fmax_eV_A": inputs["fmax_eV_A"],
            "vacuum_A": inputs["vacuum_A"],
            "made_with": {"sodiophile": __version__, **after["metal"]["made_with"]},
        },
        quantities=quantities,
        verdicts={"lowest_basin": Verdict(lowest, tuple(evidence))},
        warnings=tuple(warnings),
        tables={"starts": pl.DataFrame(rows, schema_overrides={"energy_vs_bulk_eV": pl.Float64}, infer_schema_length=None)},
    )
    return result.save(folder)


def _runs(
    number: int, surface: Mapping[str, Any], inputs: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return one row a relaxation of a surface."""
    clean = require(after[f"{number} clean"], "the clean slab")
    metal = require(after["metal"], f"bulk {inputs['adsorbate']}")["energy_eV_per_atom"]
    known = tuple(site_from(site) for site in surface["known_sites"])
    prefix = f"{surface['termination']}-terminated, " if len(inputs["surfaces"]) > 1 else ""
    rows = []
    for k, site in enumerate(surface["sites"]):
        for seed in range(inputs["starts"]):
            outcome = after[f"{number} free {k} start {seed}"]
            slab = unpack(outcome["slab"])
            end = classify(unpack(clean["slab"]), slab.positions[-1], known)
            energy = outcome["energy_eV"] - clean["energy_eV"] - metal
            rows.append(
                {
                    "surface": f"{surface['crystal']}{facet_text(surface['miller'])}",
                    "site": prefix + site,
                    "start": seed + 1,
                    "ended": prefix + end.label,
                    "distance_A": end.distance_A,
                    "energy_vs_bulk_eV": energy if outcome["converged"] else None,
                    "converged": outcome["converged"],
                    "steps": outcome["steps"],
                    "adsorbate": inputs["adsorbate"],
                    "engine": inputs["engine"]["engine"],
                }
            )
    return rows
