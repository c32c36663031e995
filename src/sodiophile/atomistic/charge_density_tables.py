"""The tables of a charge density calculation: sites, atoms, planes, states, the surface of equal difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sodiophile.atomistic.charge_density_pictures import BOHR_PER_A, held_part

if TYPE_CHECKING:
    from sodiophile.atomistic.charge_density_result import SiteDensity


def site_table(sites: list[SiteDensity], clean_eV: float | None) -> pl.DataFrame:
    """Return one row a site."""
    rows = []
    for one in sites:
        inside = one.between()
        accumulated = one.difference_e_A[inside]
        peak = float(one.height_A[inside][int(np.argmax(accumulated))] - one.top_A) if len(accumulated) else None
        step = float(one.height_A[1] - one.height_A[0])
        rows.append(
            {
                "site": one.label,
                "adatom_height_A": one.adatom_A,
                "accumulated_e": one.accumulated_e,
                "depleted_e": -one.depleted_e,
                "gained_between_e": float(accumulated.sum() * step),
                "peak_above_top_layer_A": peak,
                "bader_charge_e": float(one.bader_e[-1]),
                "hirshfeld_charge_e": float(one.hirshfeld_e[-1]),
                "work_function_eV": one.work_function_eV,
                "work_function_change_eV": (
                    None if one.work_function_eV is None or clean_eV is None else one.work_function_eV - clean_eV
                ),
                "fermi_level_eV": one.fermi_eV,
                "vacuum_step_eV": one.step_eV,
                "vacuum_step_by_dipole_eV": one.dipole_step_eV,
                "bader_unassigned_e": one.unassigned_e,
                "bader_balance_e": one.balance_e,
            }
        )
    can_lack = ("peak_above_top_layer_A", "work_function_eV", "work_function_change_eV", "vacuum_step_eV")
    schema = dict.fromkeys(can_lack, pl.Float64)
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def atom_table(sites: list[SiteDensity]) -> pl.DataFrame:
    """Return the charges of every atom, one row a site and atom."""
    rows: list[dict[str, Any]] = []
    for one in sites:
        last = len(one.atoms) - 1
        rows += [
            {
                "site": one.label,
                "atom": i + 1,
                "element": one.atoms.symbols[i],
                "height_A": float(one.atoms.positions[i, 2] - one.top_A),
                "bader_charge_e": float(one.bader_e[i]),
                "bader_change_e": None if i == last else float(one.bader_e[i] - one.bader_alone_e[i]),
                "hirshfeld_charge_e": float(one.hirshfeld_e[i]),
                "hirshfeld_change_e": None if i == last else float(one.hirshfeld_e[i] - one.hirshfeld_alone_e[i]),
            }
            for i in np.argsort(-one.atoms.positions[:, 2], kind="stable").tolist()
        ]
    schema = {"bader_change_e": pl.Float64, "hirshfeld_change_e": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def plane_table(sites: list[SiteDensity]) -> pl.DataFrame:
    """Return the planar averages, one row a site and height."""
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "site": [one.label] * len(one.height_A),
                    "height_A": one.height_A - one.top_A,
                    "difference_e_per_A": one.difference_e_A,
                    "displaced_below_e": one.below_e,
                }
            )
            for one in sites
        ]
    )


def state_table(crystal: Mapping[str, Any]) -> pl.DataFrame:
    """Return the density of states of the crystal."""
    atoms = len(crystal["atoms"]["symbols"])
    coarse, fine = (np.array(mesh["dos_per_eV"]) / atoms for mesh in crystal["meshes"])
    return pl.DataFrame(
        {
            "energy_above_fermi_eV": crystal["energies_above_fermi_eV"],
            "states_per_eV_atom": fine,
            "coarser_mesh_states_per_eV_atom": coarse,
        }
    )


def surface_table(sites: list[SiteDensity], level: float) -> pl.DataFrame:
    """Return what the drawn surfaces of equal difference hold."""
    return pl.DataFrame(
        {
            "site": [one.label for one in sites],
            "level_e_per_A3": [level] * len(sites),
            "level_e_per_bohr3": [level / BOHR_PER_A**3] * len(sites),
            "part_of_accumulation_inside": [held_part(one.difference, level) for one in sites],
        }
    )
