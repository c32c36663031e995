"""The tables of a calculation of surface energies: surfaces, the slabs behind them, the equilibrium shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from sodiophile.atomistic.surface_energy_fit import EV_A2_IN_J_M2
from sodiophile.atomistic.surface_energy_model import Surface, Window


def surface_table(surfaces: Sequence[Surface], window: Window, inputs: Mapping[str, Any]) -> pl.DataFrame:
    """Return a row a surface, at the end rich in the element in excess where there is one; the figure needs no more."""
    rows = []
    for surface in surfaces:
        fitted, about = surface.fitted, surface.about
        gamma = None if fitted is None else surface.gamma_J_m2(0.0)
        rows.append(
            {
                "surface": surface.name,
                "crystal": inputs["crystal"],
                "facet": about["facet"],
                "termination": about["termination"],
                "surface_energy_J_m2": gamma,
                "surface_energy_eV_A2": None if gamma is None else gamma / EV_A2_IN_J_M2,
                "uncertainty_J_m2": None if fitted is None else surface.per_face_J_m2(fitted.uncertainty_eV),
                "two_slab_J_m2": None if fitted is None else surface.per_face_J_m2(fitted.two_slab_eV),
                "element_in_excess": window.composition.element if window.composition and surface.excess else None,
                "excess_per_A2": surface.excess / (2 * surface.area_A2),
                "other_element": window.composition.other if window.composition and surface.excess else None,
                "poorest_eV": window.poorest_eV if surface.excess else None,
                "symmetric": about["symmetric"],
                "stoichiometric": about["stoichiometric"],
                "polar": about["polar"],
                "engine": inputs["engine"]["engine"],
            }
        )
    numbers = ("surface_energy_J_m2", "surface_energy_eV_A2", "uncertainty_J_m2", "two_slab_J_m2", "poorest_eV")
    words = ("element_in_excess", "other_element")
    schema = {**dict.fromkeys(numbers, pl.Float64()), **dict.fromkeys(words, pl.String())}
    return pl.DataFrame(rows, schema_overrides=schema)


def slab_table(surfaces: Sequence[Surface], after: Mapping[str, Any], bulk_eV_per_atom: float) -> pl.DataFrame:
    """Return a row a slab; where its composition is that of the bulk, with the surface energy against the crystal."""
    rows = []
    for i, surface in enumerate(surfaces):
        for k, layers in enumerate(surface.about["layers"]):
            outcome, counts = after[f"{i} {k}"], surface.about["counts"][k]
            atoms = sum(counts.values())
            direct = (outcome["energy_eV"] - atoms * bulk_eV_per_atom) / (2 * outcome["area_A2"]) * EV_A2_IN_J_M2
            rows.append(
                {
                    "surface": surface.name,
                    "layers": layers,
                    "atoms": atoms,
                    "composition": "".join(f"{symbol}{n}" for symbol, n in counts.items()),
                    "thickness_A": outcome["thickness_A"],
                    "area_A2": outcome["area_A2"],
                    "energy_eV": outcome["energy_eV"],
                    "against_crystal_J_m2": direct if surface.about["stoichiometric"] else None,
                    "converged": outcome["converged"],
                    "fmax_eV_A": outcome["fmax_eV_A"],
                    "steps": outcome["steps"],
                }
            )
    return pl.DataFrame(rows, schema_overrides={"against_crystal_J_m2": pl.Float64()})


def shape_table(shapes: Mapping[str, Mapping[str, float]]) -> pl.DataFrame:
    """Return a row a facet of the equilibrium shape."""
    rows = [
        {"at": words.removeprefix(", "), "facet": facet, "area_fraction": fraction}
        for words, fractions in shapes.items()
        for facet, fraction in fractions.items()
    ]
    return pl.DataFrame(rows, schema={"at": pl.String(), "facet": pl.String(), "area_fraction": pl.Float64()})
