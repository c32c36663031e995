"""From adatoms held at points of the surface cell to a map of energies, its stationary points and barriers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ase.data import chemical_symbols, covalent_radii
from numpy.typing import NDArray

from sodiophile._version import __version__
from sodiophile.atomistic.adsorption_anomalies import anomalies
from sodiophile.atomistic.adsorption_result import site_from
from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.engines import Engine
from sodiophile.atomistic.interaction import thin_slab
from sodiophile.atomistic.percolation import percolation
from sodiophile.atomistic.periodic_map import PeriodicMap, Stationary, interpolate, length_A
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.site_map import plane_group_of, to_primitive
from sodiophile.atomistic.sites import Site, classify
from sodiophile.atomistic.symmetry2d import PlaneGroup
from sodiophile.atomistic.tasks import engine_for
from sodiophile.errors import EngineError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

Array = NDArray[np.float64]

# A stationary point this near to a site of the finder carries its name.
_AT_SITE_A = 0.35
# The pixels of the fine grid miss a saddle by little: a level this close to one is that saddle.
_SAME_LEVEL_EV = 0.01
_COARSE = 0.1
_DRAWN = 41
_SEEN_DEPTH_A = 3.0


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Interpolate, find what is stationary, judge, and save the result into the folder."""
    engine = engine_for(inputs, context)
    surface = inputs["surface"]
    clean = unpack(after["0 clean"]["slab"])
    planned, supercell = plane_group_of(surface)
    # the relaxed crystal has another size; fractional coordinates carry over
    relaxed_cell = np.asarray(clean.cell[:2, :2])
    group = replace(planned, cell_A=planned.cell_A @ np.linalg.inv(supercell) @ relaxed_cell)
    sites = tuple(site_from(site) for site in surface["known_sites"])
    points = _points(inputs, after, planned, supercell, clean, sites)
    good = points.filter(pl.col("converged"))
    if len(good) < max(4, len(points) // 2):
        raise EngineError(
            f"{len(points) - len(good)} of {len(points)} points did not converge within {inputs['max_steps']} steps: "
            "no map can be made of them; raise max_steps, or the engine does not describe this surface"
        )
    surface_map = interpolate(group, good.select("a", "b").to_numpy(), good["energy_eV"].to_numpy())
    left_out = dict(zip(good["point"], surface_map.left_out, strict=True))
    points = points.with_columns(pl.Series("left_out_error_eV", [left_out.get(i) for i in points["point"]], pl.Float64))
    stationary = surface_map.stationary()
    names = [_name(one, group, clean, sites) for one in stationary]
    path, barriers = _crossing(surface_map, stationary)
    result = Result(
        kind="site-map",
        inputs=_shown(inputs, after),
        quantities=_quantities(inputs, surface_map, barriers, engine),
        verdicts=_verdicts(inputs, surface_map, stationary, names, barriers),
        warnings=tuple(_warnings(inputs, engine, points, after["0 clean"])),
        tables={
            "stationary points": _stationary_table(stationary, names, group),
            "points": points,
            "images": _image_table(stationary, group),
            "map": _map_table(surface_map),
            "path": _path_table(surface_map, path),
            "atoms": _atom_table(group),
            "about": _about(inputs, group, engine),
        },
    )
    return result.save(folder)


def _points(
    inputs: Mapping[str, Any],
    after: Mapping[str, Any],
    group: PlaneGroup,
    supercell: Array,
    clean: Any,
    sites: tuple[Site, ...],
) -> pl.DataFrame:
    """Return one row a point: where it is in the primitive cell, its energy against bulk metal, height, what was odd."""
    surface = inputs["surface"]
    reference = after["0 clean"]["energy_eV"] + after["metal"]["energy_eV_per_atom"]
    top = [i for i, layer in enumerate(surface["layer_of"]) if layer == max(surface["layer_of"])]
    rows = []
    for i, point in enumerate(inputs["points"]):
        outcome = after[f"site {i}"]
        covered = unpack(outcome["slab"])
        a, b = to_primitive(point, group, supercell)
        labelled = i < len(surface["sites"])
        free = after[f"free {i}"] if inputs["free"] and labelled else None
        rows.append(
            {
                "point": i,
                "site": surface["sites"][i] if labelled else "",
                "a": float(a),
                "b": float(b),
                "energy_eV": float(outcome["energy_eV"] - reference),
                "height_A": float(covered.positions[-1, 2] - covered.positions[top, 2].mean()),
                "converged": bool(outcome["converged"]),
                "anomaly": "; ".join(anomalies(clean, covered, sites[0], sites, held=True)),
                "steps": int(outcome["steps"]),
                "seconds": float(outcome["seconds"]),
                "let_go_energy_eV": float(free["energy_eV"] - reference) if free and free["converged"] else None,
                "let_go_ended": classify(clean, unpack(free["slab"]).positions[-1], sites).label if free else None,
            }
        )
    return pl.DataFrame(
        rows, infer_schema_length=None, schema_overrides={"let_go_energy_eV": pl.Float64, "let_go_ended": pl.String}
    )


def _name(point: Stationary, group: PlaneGroup, clean: Any, sites: tuple[Site, ...]) -> str:
    found = classify(clean, point.fractional @ group.cell_A, sites)
    return found.label if found.distance_A < _AT_SITE_A else f"{found.distance_A:.1f} A from {found.label}"


def _crossing(surface_map: PeriodicMap, stationary: list[Stationary]) -> tuple[Array, tuple[float, float]]:
    """Return the path over the saddle that opens the first direction, and the energies of both levels."""
    levels = percolation(surface_map)
    saddles = [one for one in stationary if one.kind == "saddle"]
    energies = []
    critical: Stationary | None = None
    for i, level in enumerate((levels.one, levels.both)):
        nearest = min(saddles, key=lambda one: abs(one.energy - level), default=None)
        if nearest is not None and abs(nearest.energy - level) < _SAME_LEVEL_EV:
            energies.append(nearest.energy)
            critical = critical or (nearest if i == 0 else None)
        else:
            energies.append(level)
    if critical is None:
        return np.zeros((0, 2)), (energies[0], energies[1])
    _, hessian = surface_map.derivatives(critical.fractional)
    vectors = np.linalg.eigh(hessian)[1]
    aside = 0.05 * vectors[:, 0] @ np.linalg.inv(surface_map.group.cell_A)
    before, behind = (surface_map.descended(critical.fractional + sign * aside) for sign in (-1, 1))
    path = np.vstack([before[::-1], critical.fractional[None, :], behind])
    return path, (energies[0], energies[1])


def _quantities(
    inputs: Mapping[str, Any], surface_map: PeriodicMap, barriers: tuple[float, float], engine: Engine
) -> dict[str, Quantity]:
    surface, metal = inputs["surface"], inputs["adsorbate"]
    _, values = surface_map.grid
    low, high = float(values.min()), float(values.max())
    n, m = surface["supercell"]
    where = (
        f"{metal} on {surface['crystal']}({_facet(surface)}), {surface['termination']}-terminated, one in a {n}x{m} "
        f"surface cell, {surface['layers']} layers, the lowest {surface['fixed_layers']} held as in the crystal, height "
        f"and slab relaxed with {engine.name}, forces below {inputs['fmax_eV_A']:g} eV/angstrom; symmetric Fourier series "
        f"through {len(surface_map.left_out)} points"
    )
    against = f"E(slab + {metal}) - E(clean slab, symmetric) - E(bulk {metal}) per atom, negative means bound"
    error = engine.accuracy.error_eV
    map_error = surface_map.error
    difference = sqrt(2) * map_error
    only = "the uncertainty is that of the interpolation, the engine's own comes on top"
    crossing = "by the level at which the region below it joins the lowest minimum to its translates"
    quantities = {
        "adsorption_energy_vs_bulk:minimum": Quantity(
            low, "eV", error, f"lowest of the map: {against}; {where}", "computed"
        ),
        "adsorption_energy_vs_bulk:maximum": Quantity(
            high, "eV", error, f"highest of the map: {against}; {where}", "computed"
        ),
        "corrugation": Quantity(
            high - low, "eV", difference, f"highest minus lowest of the map; {only}; {where}", "computed"
        ),
        "interpolation_error": Quantity(
            map_error, "eV", None, f"root mean square of points predicted by the others; {where}", "computed"
        ),
    }
    for name, level, what in (
        ("one direction", barriers[0], "move without end in one direction"),
        ("all directions", barriers[1], "reach all of the surface"),
    ):
        definition = f"barrier of a held adatom from the lowest minimum to {what}, {crossing}; {only}; {where}"
        quantities[f"barrier:{name}"] = Quantity(max(0.0, level - low), "eV", difference, definition, "computed")
    return quantities


def _verdicts(
    inputs: Mapping[str, Any],
    surface_map: PeriodicMap,
    stationary: list[Stationary],
    names: list[str],
    barriers: tuple[float, float],
) -> dict[str, Verdict]:
    _, values = surface_map.grid
    low, high = float(values.min()), float(values.max())
    by_kind: dict[str, list[str]] = {"minimum": [], "saddle": [], "maximum": []}
    for one, name in zip(stationary, names, strict=True):
        by_kind[one.kind].append(f"{name} ({one.energy:+.3f} eV)")
    count = {kind: sum(one.multiplicity for one in stationary if one.kind == kind) for kind in by_kind}
    morse = count["minimum"] - count["saddle"] + count["maximum"]
    found = {}
    if stationary:
        evidence = [f"{kind if kind != 'maximum' else 'maxima'}: {', '.join(n)}" for kind, n in by_kind.items() if n]
        found["most_stable_site"] = Verdict(names[0], tuple(evidence))
    barrier, all_over = (max(0.0, level - low) for level in barriers)
    word = f"{barrier:.3f} eV"
    if all_over - barrier > sqrt(2) * surface_map.error:
        word = f"{barrier:.3f} eV along rows, {all_over:.3f} eV across them"
    crossing = [
        f"the lowest minimum is at {low:+.3f} eV, the saddle at {barriers[0]:+.3f} eV against bulk {inputs['adsorbate']}",
        f"points predicted by the others are off by {surface_map.error:.3f} eV",
        "an estimate from adatoms held in the plane; a band of images between the minima is the check",
    ]
    found["barrier"] = Verdict(word, tuple(crossing))
    quality = "smooth"
    reasons = [
        f"points predicted by the others are off by {surface_map.error:.3f} eV, the map spans {high - low:.3f} eV",
        f"in the primitive cell: minima {count['minimum']}, saddles {count['saddle']}, maxima {count['maximum']}"
        + ("" if morse == 0 else ", which is not a complete list"),
    ]
    if surface_map.error > _COARSE * (high - low):
        quality = "coarse: more points, or the slab falls into different states"
    elif morse != 0:
        quality = "smooth, but a stationary point is missing"
    found["map"] = Verdict(quality, tuple(reasons))
    return found


def _warnings(inputs: Mapping[str, Any], engine: Engine, points: pl.DataFrame, clean: Mapping[str, Any]) -> list[str]:
    found = []
    if not engine.is_dft:
        found.append(f"{engine.name} is a potential, not DFT: {engine.accuracy.sentence(engine.name)}.")
    surface = inputs["surface"]
    found += thin_slab(f"{surface['crystal']}{facet_text(surface['miller'])}", clean, engine.name)
    if surface["polar"]:
        found.append("The surface is polar as cut; real ones compensate their dipole, by reconstruction or otherwise.")
    for row in points.to_dicts():
        what = row["site"] or f"point {row['point']} at ({row['a'] % 1:.2f}, {row['b'] % 1:.2f})"
        if not row["converged"]:
            found.append(f"{what}: not converged, left out of the map.")
        if row["anomaly"]:
            found.append(f"{what}: {row['anomaly']}.")
    return found


def _stationary_table(stationary: list[Stationary], names: list[str], group: PlaneGroup) -> pl.DataFrame:
    rows = [
        {
            "kind": one.kind,
            "near": name,
            "adsorption_energy_vs_bulk_eV": one.energy,
            "a": float(one.fractional[0]),
            "b": float(one.fractional[1]),
            "x_A": float((one.fractional @ group.cell_A)[0]),
            "y_A": float((one.fractional @ group.cell_A)[1]),
            "multiplicity": one.multiplicity,
        }
        for one, name in zip(stationary, names, strict=True)
    ]
    schema = {
        "kind": pl.String,
        "near": pl.String,
        "adsorption_energy_vs_bulk_eV": pl.Float64,
        "a": pl.Float64,
        "b": pl.Float64,
        "x_A": pl.Float64,
        "y_A": pl.Float64,
        "multiplicity": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def _image_table(stationary: list[Stationary], group: PlaneGroup) -> pl.DataFrame:
    """Return every stationary point of the primitive cell, equivalents included, for the figure."""
    rows = [
        {"kind": one.kind, "x_A": float(x), "y_A": float(y)}
        for one in stationary
        for x, y in group.orbit(one.fractional, 0.05) @ group.cell_A
    ]
    return pl.DataFrame(rows, schema={"kind": pl.String, "x_A": pl.Float64, "y_A": pl.Float64})


def _map_table(surface_map: PeriodicMap) -> pl.DataFrame:
    ticks = np.linspace(0.0, 1.0, _DRAWN)
    points = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
    return pl.DataFrame({"a": points[:, 0], "b": points[:, 1], "energy_eV": surface_map(points)})


def _path_table(surface_map: PeriodicMap, path: Array) -> pl.DataFrame:
    cell = surface_map.group.cell_A
    return pl.DataFrame(
        {
            "distance_A": [length_A(path[: i + 1], cell) for i in range(len(path))],
            "energy_eV": [float(surface_map(point)) for point in path],
            "a": path[:, 0],
            "b": path[:, 1],
        },
        schema={"distance_A": pl.Float64, "energy_eV": pl.Float64, "a": pl.Float64, "b": pl.Float64},
    )


def _atom_table(group: PlaneGroup) -> pl.DataFrame:
    """Return the atoms of the primitive cell that are seen from above, highest first."""
    z = group.positions_A[:, 2]
    seen = [i for i in np.argsort(-z) if z.max() - z[i] < _SEEN_DEPTH_A]
    return pl.DataFrame(
        {
            "element": [chemical_symbols[group.numbers[i]] for i in seen],
            "x_A": [float(group.positions_A[i, 0]) for i in seen],
            "y_A": [float(group.positions_A[i, 1]) for i in seen],
            "depth_A": [float(z.max() - z[i]) for i in seen],
            "radius_A": [float(covalent_radii[group.numbers[i]]) for i in seen],
        }
    )


def _about(inputs: Mapping[str, Any], group: PlaneGroup, engine: Engine) -> pl.DataFrame:
    surface = inputs["surface"]
    return pl.DataFrame(
        {
            "surface": [f"{surface['crystal']}({_facet(surface)})"],
            "termination": [surface["termination"]],
            "adsorbate": [inputs["adsorbate"]],
            "engine": [engine.name],
            "cells": [int(np.prod(surface["supercell"]))],
            "cell_ax_A": [float(group.cell_A[0, 0])],
            "cell_ay_A": [float(group.cell_A[0, 1])],
            "cell_bx_A": [float(group.cell_A[1, 0])],
            "cell_by_A": [float(group.cell_A[1, 1])],
            "operations": [group.order],
        }
    )


def _facet(surface: Mapping[str, Any]) -> str:
    return "".join(str(i) if i >= 0 else f"-{-i}" for i in surface["miller"])


def _shown(inputs: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    surface = inputs["surface"]
    return {
        "crystal": surface["crystal"],
        "facet": _facet(surface),
        "termination": surface["termination"],
        "adsorbate": inputs["adsorbate"],
        "engine": inputs["engine"],
        "supercell": "x".join(str(n) for n in surface["supercell"]),
        "layers": surface["layers"],
        "fixed_layers": surface["fixed_layers"],
        "vacuum_A": inputs["vacuum_A"],
        "fmax_eV_A": inputs["fmax_eV_A"],
        "max_steps": inputs["max_steps"],
        "points": len(inputs["points"]),
        "made_with": {"sodiophile": __version__, **after["metal"]["made_with"]},
    }
