"""The tables and structures of a diffusion calculation: hops, profiles, basins, temperatures, what the map shows, paths.

Everywhere `found` is the outcome of the task of the basins, `hops` are those of the bands; `names` and `faults` have one
entry a hop.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from ase.io.extxyz import write_extxyz

from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.hopping import attempt_frequency_THz, hop_rate_Hz
from sodiophile.atomistic.relaxation import unpack

# Of the table, as parts of the temperature asked for.
TABLE_T = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5)


def frequencies(hop: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[float, float]:
    """Return the attempt frequencies (THz) of a hop, forward and back."""
    saddle = np.array(hop["curvatures_eV_A2"])
    forward, back = (
        attempt_frequency_THz(np.array(found["basins"][hop[end]]["curvatures_eV_A2"]), saddle, found["mass_u"])
        for end in ("start", "end")
    )
    return forward, back


def basin_names(found: Mapping[str, Any]) -> list[str]:
    """Return one name a basin: its site, and how far off it is where several basins share one."""
    sites = [basin["site"] for basin in found["basins"]]
    return [
        f"{site}, {basin['off_site_A']:.2f} A off" if sites.count(site) > 1 else site
        for site, basin in zip(sites, found["basins"], strict=True)
    ]


def hop_table(
    inputs: Mapping[str, Any],
    found: Mapping[str, Any],
    hops: list[Mapping[str, Any]],
    names: list[str],
    faults: list[list[str]],
) -> pl.DataFrame:
    """Return one row a hop, with what is wrong with those that have no barrier."""
    rows = []
    for hop, name, odd in zip(hops, names, faults, strict=True):
        forward, back = frequencies(hop, found) if not odd else (None, None)
        rows.append({
            "hop": name,
            "length_A": hop["length_A"],
            "barrier_eV": hop["barrier_eV"] if not odd else None,
            "barrier_back_eV": hop["barrier_back_eV"] if not odd else None,
            "attempt_frequency_THz": forward,
            "attempt_frequency_back_THz": back,
            "interpolation_eV": hop["interpolation_eV"],
            "symmetric": hop["swaps"],
            "saddle": hop["saddle_site"],
            "saddle_off_site_A": hop["saddle_off_site_A"],
            "saddle_curvatures_eV_A2": ", ".join(f"{value:.3f}" for value in hop["curvatures_eV_A2"]),
            "steps": hop["iterations"],
            "energies_computed": hop["evaluations"],
            "seconds": hop["seconds"],
            "largest_force_eV_A": hop["fmax_eV_A"],
            "fault": "; ".join(odd),
            "surface": f"{inputs['surface']['crystal']}{facet_text(inputs['surface']['miller'])}",
            "adsorbate": inputs["adsorbate"],
            "engine": inputs["engine"]["engine"],
        })  # fmt: skip
    schema = {
        "hop": pl.String, "length_A": pl.Float64, "barrier_eV": pl.Float64, "barrier_back_eV": pl.Float64,
        "attempt_frequency_THz": pl.Float64, "attempt_frequency_back_THz": pl.Float64, "interpolation_eV": pl.Float64,
        "symmetric": pl.Boolean, "saddle": pl.String, "saddle_off_site_A": pl.Float64, "saddle_curvatures_eV_A2": pl.String,
        "steps": pl.Int64, "energies_computed": pl.Int64, "seconds": pl.Float64, "largest_force_eV_A": pl.Float64,
        "fault": pl.String, "surface": pl.String, "adsorbate": pl.String, "engine": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def profile_table(hops: list[Mapping[str, Any]], names: list[str]) -> pl.DataFrame:
    """Return the energies along each path, one row an image."""
    rows = [
        {
            "hop": name,
            "image": i,
            "distance_A": hop["distances_A"][i],
            "energy_eV": hop["energies_eV"][i] - hop["energies_eV"][0],
            "force_along_eV_A": hop["along_eV_A"][i],
            "adatom_x_A": hop["adatom_A"][i][0],
            "adatom_y_A": hop["adatom_A"][i][1],
            "adatom_z_A": hop["adatom_A"][i][2],
        }
        for hop, name in zip(hops, names, strict=True)
        for i in range(len(hop["energies_eV"]))
    ]
    numbers = ("distance_A", "energy_eV", "force_along_eV_A", "adatom_x_A", "adatom_y_A", "adatom_z_A")
    return pl.DataFrame(rows, schema={"hop": pl.String, "image": pl.Int64, **dict.fromkeys(numbers, pl.Float64)})


def basin_table(found: Mapping[str, Any]) -> pl.DataFrame:
    """Return one row a basin."""
    low = min(basin["energy_eV"] for basin in found["basins"])
    return pl.DataFrame([
        {
            "basin": name,
            "energy_above_lowest_eV": basin["energy_eV"] - low,
            "off_site_A": basin["off_site_A"],
            "curvatures_eV_A2": ", ".join(f"{value:.3f}" for value in basin["curvatures_eV_A2"]),
            "converged": basin["converged"],
            "largest_force_eV_A": basin["fmax_eV_A"],
        }
        for name, basin in zip(basin_names(found), found["basins"], strict=True)
    ])  # fmt: skip


def temperature_table(
    inputs: Mapping[str, Any],
    found: Mapping[str, Any],
    hops: list[Mapping[str, Any]],
    good: list[int],
    tensors: Mapping[float, np.ndarray],
) -> pl.DataFrame:
    """Return the diffusion coefficient at several temperatures, no rows where there is none; `good` hops have a barrier."""
    rows = []
    for part in TABLE_T if tensors else ():
        T = part * inputs["temperature_K"]
        slow, fast = np.linalg.eigvalsh(tensors[part])
        fastest = max(hop_rate_Hz(frequencies(hops[i], found)[0], hops[i]["barrier_eV"], T) for i in good)
        rows.append({
            "temperature_K": T,
            "diffusion_coefficient_cm2_s": float(fast + slow) / 2,
            "fast_cm2_s": float(fast),
            "slow_cm2_s": max(float(slow), 0.0),
            "fastest_hop_Hz": fastest,
        })  # fmt: skip
    columns = ("temperature_K", "diffusion_coefficient_cm2_s", "fast_cm2_s", "slow_cm2_s", "fastest_hop_Hz")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.Float64))


def map_table(
    clean: Mapping[str, Any],
    inputs: Mapping[str, Any],
    found: Mapping[str, Any],
    hops: list[Mapping[str, Any]],
    names: list[str],
) -> pl.DataFrame:
    """Return what the map of the surface shows: cell, atoms of the two top layers, basins, one hop of each orbit."""
    slab, layer_of = unpack(clean["slab"]), inputs["surface"]["layer_of"]
    top = max(layer_of)
    rows: list[dict[str, Any]] = [
        {"what": what, "name": axis, "x_A": float(cell[i][0]), "y_A": float(cell[i][1]), "z_A": 0.0}
        for what, cell in (("cell", slab.cell), ("primitive cell", found["cell_A"]))
        for i, axis in enumerate("ab")
    ]
    for atom, layer in zip(slab, layer_of, strict=True):
        if layer >= top - 1:
            x, y, z = (float(value) for value in atom.position)
            rows.append(
                {"what": "atom" if layer == top else "atom below", "name": atom.symbol, "x_A": x, "y_A": y, "z_A": z}
            )
    for name, basin in zip(basin_names(found), found["basins"], strict=True):
        x, y, z = basin["slab"]["positions_A"][-1]
        rows.append({"what": "basin", "name": name, "x_A": x, "y_A": y, "z_A": z})
    for hop, name in zip(hops, names, strict=True):
        x, y, z = hop["adatom_A"][hop["highest"]]
        rows.append({"what": "saddle", "name": name, "x_A": x, "y_A": y, "z_A": z})
    return pl.DataFrame(
        rows, schema={"what": pl.String, "name": pl.String, **dict.fromkeys(("x_A", "y_A", "z_A"), pl.Float64)}
    )


def paths(inputs: Mapping[str, Any], hops: list[Mapping[str, Any]], names: list[str]) -> dict[str, str]:
    """Return one saddle a hop as extended XYZ text; the adatom has tag 0."""
    found = {}
    surface = inputs["surface"]
    base = f"{inputs['adsorbate']}-{surface['crystal']}-{''.join(str(abs(i)) for i in surface['miller'])}"
    tags = [*(max(surface["layer_of"]) + 1 - layer for layer in surface["layer_of"]), 0]
    for number, (hop, name) in enumerate(zip(hops, names, strict=True), start=1):
        for suffix, entry in [("saddle", hop["saddle"]), *((f"image-{i}", one) for i, one in enumerate(hop["path"]))]:
            atoms = unpack(entry)
            atoms.set_tags(tags)
            atoms.info = {"title": f"{inputs['adsorbate']} on {surface['crystal']}, {name}, {suffix}"}
            text = io.StringIO()
            write_extxyz(text, [atoms], columns=["symbols", "positions", "tags"], write_results=False)
            found[f"{base}-hop-{number}-{suffix}.xyz"] = text.getvalue()
    return found
