"""From works of adhesion to a contact angle, what follows from it, verdicts and warnings: the last task."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np

from sodiophile._version import __version__
from sodiophile.atomistic.adhesion_cells import (
    EV_A2_IN_J_M2,
    LEAST_THICKNESSES,
    Cell,
    best_of,
    cells_of,
    spread_J_m2,
    surface_energy_J_m2,
)
from sodiophile.atomistic.adhesion_tables import (
    cell_table,
    found_table,
    interface_table,
    shift_table,
    side_table,
    structures,
)
from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.engines import Engine
from sodiophile.atomistic.interaction import thin_slab
from sodiophile.atomistic.tasks import engine_for
from sodiophile.physics.atoms_to_volts import barrier_constant_V2, wetting_contact_angle_deg
from sodiophile.physics.nucleation import wetting_factor
from sodiophile.physics.parts import metals
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

_CM3_PER_MOL_OF_A3 = 0.602214076
# A part that gains more than this per area by relaxing from the interface than the clean one has, is another state.
_DISTORTED_J_M2 = 0.02
# Below this distance of the closest planes a film and its substrate are no longer two.
_MIXED_A = 0.5
_SLID_A = 3.0
_LARGE_STRAIN = 0.03


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put works of adhesion and the contact angle together, judge them, and save the result into the folder."""
    engine = engine_for(inputs, context)
    cells = cells_of(inputs, after, sampled=engine.is_dft)
    surface = surface_energy_J_m2(inputs, after)
    quantities = _quantities(inputs, after, cells, surface, engine)
    result = Result(
        kind="adhesion",
        inputs=_shown_inputs(inputs, after),
        quantities=quantities,
        verdicts=_verdicts(inputs, cells, quantities, engine),
        warnings=tuple(_warnings(inputs, cells, surface, engine, after["clean"])),
        tables={
            "cells": cell_table(inputs, cells),
            "interfaces": interface_table(cells),
            "shifts": shift_table(cells),
            "found": found_table(inputs),
            "side": side_table(cells),
        },
        attachments=structures(inputs, cells),
    )
    return result.save(folder)


def _engine_error_J_m2(cell: Cell, engine: Engine) -> float | None:
    """Return the error of an engine's adsorption energy, taken for every atom of the metal's lowest layer, per area."""
    error = engine.accuracy.error_eV
    return None if error is None else error * cell.m / cell.strained["area_A2"] * EV_A2_IN_J_M2


def _quantities(
    inputs: Mapping[str, Any],
    after: Mapping[str, Any],
    cells: list[Cell],
    surface: tuple[float, float] | None,
    engine: Engine,
) -> dict[str, Quantity]:
    about = _about(inputs)
    quantities: dict[str, Quantity] = {}
    for cell in cells:
        if cell.adhesion_J_m2 is None or cell.separation_J_m2 is None or cell.best is None:
            continue
        error = _engine_error_J_m2(cell, engine)
        where = f"{cell.name}, metal strained by {cell.strains}; {about}"
        for key, value, unit, uncertainty, what in (
            (
                "work_of_adhesion",
                cell.adhesion_J_m2,
                "J/m^2",
                error,
                "both parts relaxed once taken apart, equally strained",
            ),
            ("work_of_separation", cell.separation_J_m2, "J/m^2", error, "both parts as they are in the interface"),
            ("strain", cell.strain, "1", None, "larger principal strain of the metal"),
            ("strain_energy", cell.strain_energy_J_m2, "J/m^2", None, "of the metal film, left out of the adhesion"),
            ("gap", cell.best["gap_A"], "angstrom", None, "highest atom of the interlayer to lowest of the metal"),
        ):
            quantities[f"{key}:{cell.name}"] = Quantity(value, unit, uncertainty, f"{what}; {where}", "computed")
    if surface is not None:
        quantities["surface_energy"] = Quantity(
            surface[0],
            "J/m^2",
            surface[1] if engine.is_dft else None,
            f"{inputs['metal']}{facet_text(inputs['metal_miller'])}, unstrained, line through slabs of "
            f"{inputs['thicknesses']} thicknesses; {inputs['engine']['engine']}",
            "computed",
        )
    volume = after["metal"]["volume_A3_per_atom"] * _CM3_PER_MOL_OF_A3
    quantities["molar_volume"] = Quantity(
        volume, "cm^3/mol", None, f"{inputs['metal']} crystal, relaxed; {inputs['engine']['engine']}", "computed"
    )
    best = best_of(cells)
    # what is asked for comes first
    return (_wetting(inputs, cells, best, quantities, volume, engine) if best is not None else {}) | quantities


def _wetting(
    inputs: Mapping[str, Any],
    cells: list[Cell],
    best: Cell,
    known: Mapping[str, Quantity],
    volume_cm3_mol: float,
    engine: Engine,
) -> dict[str, Quantity]:
    """Return what the largest work of adhesion and the surface energy give together."""
    assert best.adhesion_J_m2 is not None  # noqa: S101  the best has one
    W, error = best.adhesion_J_m2, _engine_error_J_m2(best, engine)
    uncertainty = hypot(error or 0.0, spread_J_m2(cells)) if error is not None or engine.is_dft else None
    which = f"the largest of {len(cells)} common cells" if len(cells) > 1 else "the only common cell computed"
    about = f"{best.name}, {which}; {_about(inputs)}"
    found = {
        "work_of_adhesion": Quantity(
            W, "J/m^2", uncertainty, f"both parts relaxed once taken apart, equally strained; {about}", "computed"
        )
    }
    gamma = _gamma_J_m2(inputs, known)
    if gamma is None:
        return found
    around = [W] if uncertainty is None else [W, W - uncertainty, W + uncertainty]

    def half_range(values: np.ndarray) -> float | None:
        return None if uncertainty is None else float(np.ptp(values)) / 2

    angles = np.atleast_1d(wetting_contact_angle_deg(around, gamma))
    factors = np.atleast_1d(wetting_factor(angles))
    origin = "computed" if inputs["surface_energy_J_m2"] is None else "given by the user"
    rule = f"Young and Dupre, cos(theta) = W/gamma - 1, gamma = {gamma:.3f} J/m2 against vacuum, {origin}"
    for name, values, unit, what in (
        ("contact_angle", angles, "deg", rule),
        ("wetting_factor", factors, "1", "(2 + cos(theta)) (1 - cos(theta))^2 / 4"),
    ):
        found[name] = Quantity(float(values[0]), unit, half_range(values), f"{what}; {about}", "computed")
    if inputs["metal"] in metals():  # elsewhere the charge of the ion is not known here
        z, T = metals()[inputs["metal"]].z, inputs["temperature_K"]
        barriers = np.atleast_1d(barrier_constant_V2(gamma, angles, volume_cm3_mol * 1e-6, T, z=z))
        what = f"classical nucleation of a cap at {T:g} K, {z} electrons an ion, interface to vacuum; {about}"
        found["nucleation_barrier_constant"] = Quantity(float(barriers[0]), "V^2", half_range(barriers), what, "computed")
    found["spreading"] = Quantity(
        W - 2 * gamma, "J/m^2", uncertainty, f"work of adhesion minus twice the surface energy; {about}", "computed"
    )
    return found


def _gamma_J_m2(inputs: Mapping[str, Any], known: Mapping[str, Quantity]) -> float | None:
    """Return the surface energy that the contact angle rests on: the user's, else the computed one."""
    given = inputs["surface_energy_J_m2"]
    if given is not None:
        return float(given)
    return known["surface_energy"].value if "surface_energy" in known else None


def _verdicts(
    inputs: Mapping[str, Any], cells: list[Cell], quantities: Mapping[str, Quantity], engine: Engine
) -> dict[str, Verdict]:
    if "contact_angle" not in quantities:
        missing = "surface energy" if "work_of_adhesion" in quantities else "work of adhesion"
        return {"wetting": Verdict("cannot be told", (f"there is no {missing}: the relaxations did not converge",))}
    W, gamma = quantities["work_of_adhesion"], _gamma_J_m2(inputs, quantities)
    assert gamma is not None  # noqa: S101  without it there is no angle
    angle = quantities["contact_angle"]
    metal, crystal = inputs["metal"], inputs["crystal"]
    if W.value >= 2 * gamma:
        answer = f"{metal} wets {crystal} completely"
        margin = W.value - 2 * gamma
    elif W.value <= 0:
        answer, margin = f"{metal} does not stick to {crystal}", -W.value
    elif angle.value < 90:
        answer = f"{metal} wets {crystal} in part"
        margin = min(2 * gamma - W.value, W.value - gamma)
    else:
        answer, margin = f"{metal} balls up on {crystal}", min(gamma - W.value, W.value)
    facet = f"{metal}{facet_text(inputs['metal_miller'])}"
    evidence = [
        f"work of adhesion {W.value:.3f} J/m2; twice the surface energy of {facet}, {gamma:.3f} J/m2, would wet completely",
        f"contact angle {angle.value:.0f} deg",
    ]
    if W.uncertainty is not None:
        if W.uncertainty > margin:
            answer += f", within the error of {engine.name}"
        evidence.append(f"the verdict changes with an error of {margin:.2f} J/m2; estimated: {W.uncertainty:.2f} J/m2")
    elif not engine.is_dft:
        evidence.append(f"the verdict changes with an error of {margin:.2f} J/m2; that of {engine.name} was not measured")
    verdicts = {"wetting": Verdict(answer, tuple(evidence))}
    done = [cell for cell in cells if cell.adhesion_J_m2 is not None]
    if len(done) > 1:
        listed = tuple(f"{cell.name}: {cell.adhesion_J_m2:.3f} J/m2, strained by {cell.strains}" for cell in done)
        small = spread_J_m2(done) < 0.1 * abs(W.value)
        verdicts["common_cells"] = Verdict("they agree" if small else "they differ", listed)
    return verdicts


def _warnings(
    inputs: Mapping[str, Any],
    cells: list[Cell],
    surface: tuple[float, float] | None,
    engine: Engine,
    clean: Mapping[str, Any],
) -> list[str]:
    warnings = []
    if not engine.is_dft:
        text = (
            f"{engine.name} is a potential, not DFT: {engine.accuracy.sentence(engine.name)}. Surface energies of "
            "potentials trained near equilibrium are too low as a rule (Focassio et al., arXiv 2403.04217)"
        )
        if engine.accuracy.error_eV is not None:
            text += ". The error of an adsorption energy is taken for every atom of the metal's lowest layer"
        warnings.append(f"{text}.")
    interlayer = f"{inputs['crystal']}{facet_text(inputs['miller'])}"
    warnings += thin_slab(interlayer, clean, engine.name, "the metal")
    if inputs["polar"]:
        warnings.append(f"{interlayer} is polar: its energy depends on the thickness.")
    if surface is None:
        warnings.append(
            f"no surface energy of {inputs['metal']}: fewer than {LEAST_THICKNESSES} of {inputs['thicknesses']} slabs "
            f"relaxed within {inputs['max_steps']} steps."
        )
    for cell in cells:
        open_ones = [one for one in cell.interfaces if not one["converged"]]
        if open_ones:
            largest = max(one["fmax_eV_A"] for one in open_ones)
            warnings.append(
                f"{cell.name}: {len(open_ones)} of {len(cell.interfaces)} interfaces did not converge within "
                f"{inputs['max_steps']} steps ({largest:.3f} eV/A left) and are not used."
            )
        if cell.best is None:
            continue
        if cell.best["gap_A"] < _MIXED_A:
            warnings.append(f"{cell.name}: metal and interlayer mix (gap {cell.best['gap_A']:.2f} A): no sharp interface.")
        if cell.best["moved"]["slid_A"] > _SLID_A:
            warnings.append(f"{cell.name}: the metal slid by {cell.best['moved']['slid_A']:.1f} A while it relaxed.")
        if cell.distorted_J_m2 > _DISTORTED_J_M2:
            warnings.append(
                f"{cell.name}: a part taken off the interface relaxes {cell.distorted_J_m2:.2f} J/m2 below the one that "
                "was never in contact (a distorted state); the adhesion is referred to the lower one."
            )
        if abs(cell.strain) > _LARGE_STRAIN:
            warnings.append(
                f"{cell.name}: the metal is strained by {cell.strains}; its elastic energy is left out, what strain does "
                "to the contact itself is not."
            )
        if max(map(abs, cell.strained["strains"])) > inputs["max_strain"] + 0.005:
            warnings.append(f"{cell.name}: with the lattices of {engine.name} the strain is larger than max_strain.")
    return warnings


def _about(inputs: Mapping[str, Any]) -> str:
    return (
        f"{inputs['metal']}{facet_text(inputs['metal_miller'])}, {inputs['metal_layers']} layers, on {inputs['crystal']}"
        f"{facet_text(inputs['miller'])}, {inputs['termination']}-terminated, {inputs['layers']} layers, the lowest "
        f"{inputs['fixed_layers']} held; {inputs['engine']['engine']}, forces below {inputs['fmax_eV_A']:g} eV/angstrom"
    )


def _shown_inputs(inputs: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "crystal": inputs["crystal"],
        "facet": facet_text(inputs["miller"])[1:-1],
        "termination": inputs["termination"],
        "metal": inputs["metal"],
        "metal_facet": facet_text(inputs["metal_miller"])[1:-1],
        "engine": inputs["engine"],
        **{
            key: inputs[key]
            for key in (
                "layers", "fixed_layers", "metal_layers", "max_area_A2", "max_strain", "registries", "relaxations",
                "vacuum_A", "fmax_eV_A", "max_steps", "temperature_K", "surface_energy_J_m2",
            )
        },
        "made_with": {"sodiophile": __version__, **after["clean"]["made_with"]},
    }  # fmt: skip
