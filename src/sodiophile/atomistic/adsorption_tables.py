"""Relaxed adatoms and surfaces, as the result of an adsorption calculation holds them: records, tables, structure files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from ase import Atoms
from ase.io.extxyz import write_extxyz

from sodiophile.atomistic.adsorption_anomalies import nearest_neighbours
from sodiophile.atomistic.sites import Site
from sodiophile.quantity import Quantity


@dataclass(frozen=True)
class Adatom:
    """One relaxed adatom.

    Attributes
    ----------
    energy_eV
        Against bulk metal; None if the relaxation did not converge.
    reference_eV
        Energy of the clean slab that it is referred to, above that of the symmetric one.
    emptied_eV
        Energy of the slab with the adatom taken off, relaxed, above that of the symmetric one.
    slab
        The relaxed slab with the adatom.
    height_A
        Above the mean height of the top layer.
    final_site, distance_A
        The nearest site and how far off it is, in the plane.
    anomalies
        What was odd.
    steps, seconds
        What it took.
    """

    energy_eV: float | None
    reference_eV: float | None
    emptied_eV: float | None
    slab: Atoms
    height_A: float
    final_site: str
    distance_A: float
    anomalies: tuple[str, ...]
    steps: int
    seconds: float


@dataclass(frozen=True)
class Surface:
    """One termination with its relaxed adatoms.

    Attributes
    ----------
    about
        What was planned: crystal, facet, termination, layers, supercell.
    sites, known_sites
        Those asked for, and all there are.
    held, free
        One a site: the adatom held in the plane, and let go (None if not asked for).
    clean, clean_eV
        The symmetric clean slab and its energy.
    rattled_eV
        Energy of the clean slab relaxed from positions off their symmetry; None if that did not converge.
    looked_for_distortion
        Whether the clean slab was rattled, and relaxed again with each adatom taken off.
    """

    about: Mapping[str, Any]
    sites: tuple[Site, ...]
    known_sites: tuple[Site, ...]
    held: tuple[Adatom, ...]
    free: tuple[Adatom | None, ...]
    clean: Atoms
    clean_eV: float
    rattled_eV: float | None
    looked_for_distortion: bool = True

    @property
    def name(self) -> str:
        """As in ``VN(001)``."""
        return (
            str(self.about["crystal"]) + "(" + "".join(str(i) if i >= 0 else f"-{-i}" for i in self.about["miller"]) + ")"
        )

    @property
    def cells(self) -> int:
        """Primitive surface cells in the supercell: one adatom in each supercell."""
        return int(np.prod(self.about["supercell"]))


def site_table(surface: Surface, inputs: Mapping[str, Any], cohesive: Quantity, error: float | None) -> pl.DataFrame:
    """Return one row a site: energies held and let go, heights, neighbours, where it ended, what was odd, the work."""
    rows = []
    for site, held, free in zip(surface.sites, surface.held, surface.free, strict=True):
        row: dict[str, Any] = {
            "surface": surface.name,
            "termination": surface.about["termination"],
            "site": site.label,
            "kind": site.kind,
            "free_inplane_dims": site.free_inplane_dims,
            "multiplicity": site.multiplicity,
        }
        for suffix, adatom in (("", held), ("_free", free)):
            energy = adatom.energy_eV if adatom else None
            row[f"adsorption_energy_vs_bulk{suffix}_eV"] = energy
            row[f"adsorption_energy_vs_atom{suffix}_eV"] = None if energy is None else energy - cohesive.value
            row[f"reference_above_clean{suffix}_eV"] = adatom.reference_eV if adatom else None
            row[f"emptied_above_clean{suffix}_eV"] = adatom.emptied_eV if adatom else None
            row[f"height{suffix}_A"] = adatom.height_A if adatom else None
            row[f"neighbours{suffix}_A"] = nearest_neighbours(adatom.slab) if adatom else None
            if suffix:
                row["final_site_free"] = adatom.final_site if adatom else None
                row["distance_from_final_site_A"] = adatom.distance_A if adatom else None
            row[f"anomaly{suffix}"] = "; ".join(adatom.anomalies) if adatom else None
            row[f"steps{suffix}"] = adatom.steps if adatom else None
            row[f"seconds{suffix}"] = adatom.seconds if adatom else None
        row |= {
            "uncertainty_eV": error,
            "cohesive_energy_eV": cohesive.value,
            "adsorbate": inputs["adsorbate"],
            "engine": inputs["engine"]["engine"],
            "cells": surface.cells,
        }
        rows.append(row)
    return pl.DataFrame(rows, schema_overrides=_types(rows[0]), infer_schema_length=None)


def _types(row: Mapping[str, Any]) -> dict[str, Any]:
    """Types by name, so that a column of missing values has one."""
    text = ("neighbours", "anomaly", "final_site")
    return {
        name: pl.String if name.startswith(text) else pl.Int64 if name.startswith("steps") else pl.Float64
        for name in row
        if name.endswith(("_eV", "_A", "_free")) or name.startswith((*text, "steps", "seconds"))
    }


def basin_table(surfaces: list[Surface]) -> pl.DataFrame:
    """Where the adatoms that were let go ended: one row a final site, with the sites they came from."""
    rows = []
    for surface in surfaces:
        ended: dict[str, list[tuple[float, str]]] = {}
        for site, adatom in zip(surface.sites, surface.free, strict=True):
            if adatom is not None and adatom.energy_eV is not None:
                ended.setdefault(adatom.final_site, []).append((adatom.energy_eV, site.label))
        for label, members in sorted(ended.items(), key=lambda entry: min(entry[1])):
            energies = [energy for energy, _ in members]
            rows.append(
                {
                    "termination": surface.about["termination"],
                    "final_site": label,
                    "reached_from": ", ".join(name for _, name in members),
                    "lowest_energy_vs_bulk_eV": min(energies),
                    "spread_eV": max(energies) - min(energies),
                }
            )
    schema = {
        "termination": pl.String,
        "final_site": pl.String,
        "reached_from": pl.String,
        "lowest_energy_vs_bulk_eV": pl.Float64,
        "spread_eV": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def reference_table(surfaces: list[Surface], inputs: Mapping[str, Any], after: Mapping[str, Any]) -> pl.DataFrame:
    """Return one row a reference: the relaxed crystals, and the clean slabs that were tried."""
    rows: list[dict[str, Any]] = []
    for name, what in (("crystal", surfaces[0].about["crystal"]), ("metal", f"bulk {inputs['adsorbate']}")):
        outcome = after[name]
        rows.append(
            {
                "reference": what,
                "atoms": len(outcome["crystal"]["symbols"]),
                "energy_eV": outcome["energy_eV"],
                "converged": outcome["converged"],
                "steps": outcome["steps"],
                "volume_A3_per_atom": outcome["volume_A3_per_atom"],
                "volume_change": outcome["volume_change"],
                "bulk_modulus_GPa": outcome["bulk_modulus_GPa"],
            }
        )
    for surface in surfaces:
        rattled = [("clean, rattled", surface.rattled_eV)] if surface.looked_for_distortion else []
        for title, energy in [("clean", surface.clean_eV), *rattled]:
            rows.append(
                {
                    "reference": f"{surface.name}, {surface.about['termination']}-terminated, {title}",
                    "atoms": len(surface.clean),
                    "energy_eV": energy,
                    "converged": energy is not None,
                }
            )
    columns = {
        "reference": pl.String,
        "atoms": pl.Int64,
        "energy_eV": pl.Float64,
        "converged": pl.Boolean,
        "steps": pl.Int64,
        "volume_A3_per_atom": pl.Float64,
        "volume_change": pl.Float64,
        "bulk_modulus_GPa": pl.Float64,
    }
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=columns)


def structures(surfaces: list[Surface], inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return every relaxed slab as extended XYZ text, by file name; the adatom has tag 0."""
    found: dict[str, str] = {}
    for surface in surfaces:
        base = f"{inputs['adsorbate']}-{surface.about['crystal']}-{''.join(str(abs(i)) for i in surface.about['miller'])}"
        where = surface.name
        if len(surfaces) > 1:
            base += f"-{surface.about['termination']}"
            where += f", {surface.about['termination']}-terminated,"
        clean = surface.clean.copy()
        clean.set_tags([max(surface.about["layer_of"]) + 1 - layer for layer in surface.about["layer_of"]])
        found[file_name(f"{base}-clean")] = extxyz(clean, f"{where} clean", {"energy_eV": surface.clean_eV})
        for i, site in enumerate(surface.sites):
            for suffix, adatom in (("", surface.held[i]), ("-free", surface.free[i])):
                if adatom is not None:
                    title = (
                        f"{inputs['adsorbate']} on {where.removesuffix(',')}, {site.label}{', let go' if suffix else ''}"
                    )
                    found[file_name(f"{base}-{site.label}{suffix}")] = extxyz(
                        adatom.slab, title, {"adsorption_energy_vs_bulk_eV": adatom.energy_eV}
                    )
    return found


def file_name(name: str) -> str:
    """Return a name fit for a structure file."""
    safe = "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "-." else "-" for letter in name)
    while "--" in safe:
        safe = safe.replace("--", "-")
    return f"{safe.strip('-')}.xyz"


def extxyz(atoms: Atoms, title: str, energies_eV: Mapping[str, float | None]) -> str:
    """Return a structure as extended XYZ text with a title and energies."""
    atoms = atoms.copy()
    atoms.info = {"title": title} | {name: round(energy, 6) for name, energy in energies_eV.items() if energy is not None}
    text = io.StringIO()
    write_extxyz(text, [atoms], columns=["symbols", "positions", "tags"], write_results=False)
    return text.getvalue()
