"""The tables and structures of an adhesion result; the figure is drawn from them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import polars as pl
from ase.io.extxyz import write_extxyz

from sodiophile.atomistic.adhesion_cells import EV_A2_IN_J_M2, Cell, best_of
from sodiophile.atomistic.adhesion_tasks import match_of
from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.relaxation import unpack


def cell_table(inputs: Mapping[str, Any], cells: list[Cell]) -> pl.DataFrame:
    """Return one row a common cell; the main table."""
    rows = [
        {
            "cell": cell.name,
            "work_of_adhesion_J_m2": cell.adhesion_J_m2,
            "work_of_separation_J_m2": cell.separation_J_m2,
            "strain_1": cell.strained["strains"][0],
            "strain_2": cell.strained["strains"][1],
            "turn_deg": cell.about["angle_deg"],
            "area_A2": cell.strained["area_A2"],
            "strain_energy_J_m2": cell.strain_energy_J_m2,
            "gap_A": None if cell.best is None else cell.best["gap_A"],
            "atoms": len(cell.interfaces[0]["slab"]["symbols"]),
            "interlayer": f"{inputs['crystal']}{facet_text(inputs['miller'])}",
            "metal": f"{inputs['metal']}{facet_text(inputs['metal_miller'])}",
            "engine": inputs["engine"]["engine"],
        }
        for cell in cells
    ]
    texts = ("cell", "interlayer", "metal", "engine")
    schema = {name: pl.String if name in texts else pl.Int64 if name == "atoms" else pl.Float64 for name in rows[0]}
    return pl.DataFrame(rows, schema=schema)


def interface_table(cells: list[Cell]) -> pl.DataFrame:
    """Return one row a relaxed interface."""
    rows = []
    for cell in cells:
        per_area = EV_A2_IN_J_M2 / cell.strained["area_A2"]
        low = min(one["energy_eV"] for one in cell.interfaces)
        rows += [
            {
                "cell": cell.name,
                "start": rank + 1,
                "energy_above_lowest_J_m2": (one["energy_eV"] - low) * per_area,
                "gap_A": one["gap_A"],
                "slid_A": one["moved"]["slid_A"],
                "steps": one["steps"],
                "seconds": one["seconds"],
                "largest_force_eV_A": one["fmax_eV_A"],
                "converged": one["converged"],
            }
            for rank, one in enumerate(cell.interfaces)
        ]
    return pl.DataFrame(rows)


def shift_table(cells: list[Cell]) -> pl.DataFrame:
    """Return one row a shift that was tried with rigid parts."""
    rows = []
    for cell in cells:
        per_area = EV_A2_IN_J_M2 / cell.strained["area_A2"]
        rows += [
            {
                "cell": cell.name,
                "shift_x_A": one["shift_A"][0],
                "shift_y_A": one["shift_A"][1],
                "gap_A": one["gap_A"],
                "energy_above_lowest_J_m2": (one["energy_eV"] - cell.tried[0]["energy_eV"]) * per_area,
            }
            for one in cell.tried
        ]
    return pl.DataFrame(rows)


def found_table(inputs: Mapping[str, Any]) -> pl.DataFrame:
    """Return one row a common cell of the lattices as given, whether it was computed or not."""
    matches = [match_of(entry) for entry in inputs["found"]]
    return pl.DataFrame([
        {
            "interlayer_cells": match.cells[0],
            "metal_cells": match.cells[1],
            "area_A2": match.area_A2,
            "strain_1": match.strains[0],
            "strain_2": match.strains[1],
            "turn_deg": match.angle_deg,
            "computed": entry in inputs["matches"],
        }
        for match, entry in zip(matches, inputs["found"], strict=True)
    ])  # fmt: skip


def side_table(cells: list[Cell]) -> pl.DataFrame:
    """Return what a view of the best interface from the side shows."""
    best = best_of(cells)
    rows: list[dict[str, Any]] = []
    if best is not None and best.best is not None:
        atoms = unpack(best.best["slab"])
        atoms.wrap(eps=1e-6)
        split = best.best["substrate_atoms"]
        rows = [
            {
                "element": atom.symbol,
                "part": "interlayer" if i < split else "metal",
                "x_A": float(atom.x),
                "y_A": float(atom.y),
                "z_A": float(atom.z),
                "width_A": float(atoms.cell[0, 0]),
            }
            for i, atom in enumerate(atoms)
        ]
    numbers = dict.fromkeys(("x_A", "y_A", "z_A", "width_A"), pl.Float64)
    return pl.DataFrame(rows, schema={"element": pl.String, "part": pl.String, **numbers})


def structures(inputs: Mapping[str, Any], cells: list[Cell]) -> dict[str, str]:
    """Return the best interface of each common cell as extended XYZ text."""
    found = {}
    for number, cell in enumerate(cells, start=1):
        if cell.best is None:
            continue
        atoms = unpack(cell.best["slab"])
        facets = "".join(str(abs(i)) for i in inputs["metal_miller"]), "".join(str(abs(i)) for i in inputs["miller"])
        atoms.info = {"title": f"{inputs['metal']} on {inputs['crystal']}, {cell.name}"}
        text = io.StringIO()
        write_extxyz(text, [atoms], columns=["symbols", "positions"], write_results=False)
        found[f"{inputs['metal']}-{facets[0]}-{inputs['crystal']}-{facets[1]}-interface-{number}.xyz"] = text.getvalue()
    return found
