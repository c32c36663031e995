"""From relaxed slabs to adsorption energies, verdicts and tables: the last task of an adsorption calculation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sodiophile._version import __version__
from sodiophile.atomistic.adsorption_anomalies import anomalies
from sodiophile.atomistic.adsorption_correction import (
    calibration_sentences,
    corrected_energy,
    corrected_quantities,
    site_scatter_eV,
)
from sodiophile.atomistic.adsorption_difference import difference_quantities, difference_table, difference_verdict
from sodiophile.atomistic.adsorption_tables import (
    Adatom,
    Surface,
    basin_table,
    reference_table,
    site_table,
    structures,
)
from sodiophile.atomistic.adsorption_verdicts import clean_surface, most_stable, order, sodiophilic, stability_word
from sodiophile.atomistic.dft_points import coverage_of
from sodiophile.atomistic.engines import Engine, trust
from sodiophile.atomistic.engines import engine as engine_named
from sodiophile.atomistic.interaction import crowded_layer, thin_slab
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.sites import Site, classify
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

# A clean slab lower than the reference by more than this is another state of the surface, not noise of the relaxation.
DISTORTED_EV = 0.02
# An adatom that keeps more than this part of the displacement it was let go with has not felt the site.
_FLAT = 0.5
# Where both clean slabs are one state, rounding must not choose between them: the emptied one has to be clearly closer.
_CLOSER = 0.8
# Thermal expansion and the functional together shrink soft metals by up to 7 % from their size at room temperature.
_VOLUME_CHANGE = 0.10


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put the energies together, judge them, and save the result into the folder."""
    # what is known of the engine; it need not be installed where finished work is put together
    if context.get("trusted", False):
        trust(inputs["engine"]["engine"])
    engine = engine_named(inputs["engine"]["engine"])
    cohesive = Quantity.from_dict(inputs["cohesive_energy"])
    surfaces = [_surface(about, _outcomes(f"{i} ", after), inputs, after) for i, about in enumerate(inputs["surfaces"])]
    guides = [
        _surface(about, _outcomes(f"guide {i} ", after), inputs, {"metal": after["guide metal"]})
        for i, about in enumerate(inputs["surfaces"])
        if "prerelax" in inputs
    ]
    difference = difference_table(surfaces, guides, engine.name, inputs["prerelax"]) if guides else None
    error = engine.accuracy.error_eV
    sites = pl.concat([site_table(surface, inputs, cohesive, error) for surface in surfaces])
    result = Result(
        kind="adsorption",
        inputs=_shown_inputs(inputs, surfaces, after),
        quantities=_quantities(surfaces, inputs, cohesive, error)
        | corrected_quantities(surfaces, inputs)
        | ({} if difference is None else difference_quantities(difference)),
        verdicts=_verdicts(surfaces, inputs, engine)
        | ({} if difference is None else {"cheaper_engine": difference_verdict(difference)}),
        warnings=tuple(_warnings(surfaces, inputs, engine, after)),
        tables={
            "sites": sites,
            "basins": basin_table(surfaces),
            "references": reference_table(surfaces, inputs, after),
            **({} if difference is None else {"engine_difference": difference}),
        },
        attachments=structures(surfaces, inputs),
    )
    return result.save(folder)


def _outcomes(prefix: str, after: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): outcome for name, outcome in after.items() if name.startswith(prefix)}


def _surface(
    about: Mapping[str, Any], outcomes: Mapping[str, Any], inputs: Mapping[str, Any], after: Mapping[str, Any]
) -> Surface:
    clean = unpack(outcomes["clean"]["slab"])
    known = tuple(site_from(site) for site in about["known_sites"])
    sites = tuple(site for site in known if site.label in about["sites"])
    symmetric = outcomes["clean"]["energy_eV"]
    metal = after["metal"]["energy_eV_per_atom"]
    top = [i for i, layer in enumerate(about["layer_of"]) if layer == max(about["layer_of"])]

    def adatom(number: int, name: str) -> Adatom:
        covered, emptied = outcomes[f"{name} {number}"], outcomes.get(f"{name} {number} emptied")
        slab = unpack(covered["slab"])
        slab.set_tags([*(max(about["layer_of"]) + 1 - layer for layer in about["layer_of"]), 0])
        end = classify(clean, slab.positions[-1], known)
        odd = anomalies(clean, slab, sites[number], known, held=name == "site")
        if name == "free" and end.label == sites[number].label and end.distance_A > _FLAT * inputs["displacement_A"]:
            odd.append(f"flat: no force drives it back, it stays {end.distance_A:.2f} A off the site")
        for what, outcome in (("", covered), ("with the adatom taken off, ", emptied)):
            if outcome is not None and not outcome["converged"]:
                steps = f"{what}not converged after {inputs['max_steps']} steps"
                odd.append(f"{steps}: {outcome['fmax_eV_A']:.3f} eV/A left")
        done = covered["converged"] and (emptied is None or emptied["converged"])
        reference = _reference(covered, emptied, outcomes["clean"])["energy_eV"]
        return Adatom(
            energy_eV=covered["energy_eV"] - reference - metal if done else None,
            reference_eV=reference - symmetric if done else None,
            emptied_eV=emptied["energy_eV"] - symmetric if done and emptied is not None else None,
            slab=slab,
            height_A=float(slab.positions[-1, 2] - slab.positions[top, 2].mean()),
            final_site=end.label,
            distance_A=end.distance_A,
            anomalies=tuple(odd),
            steps=covered["steps"],
            seconds=covered["seconds"],
        )

    numbers = range(len(sites))
    rattled = outcomes.get("rattled")
    return Surface(
        about=about,
        sites=sites,
        known_sites=known,
        held=tuple(adatom(i, "site") for i in numbers),
        free=tuple(adatom(i, "free") if inputs["free"] else None for i in numbers),
        clean=clean,
        clean_eV=symmetric,
        rattled_eV=rattled["energy_eV"] if rattled is not None and rattled["converged"] else None,
        looked_for_distortion=rattled is not None,
    )


def _reference(
    covered: Mapping[str, Any], emptied: Mapping[str, Any] | None, clean: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the clean slab in the state that the slab under the adatom is in: the symmetric one, or the emptied one.

    An adatom may knock an unstable slab into its distorted state, or only its removal may. Which of the two clean
    slabs is closer to the slab under the adatom tells.
    """
    if emptied is None:
        return clean
    under = unpack(covered["slab"]).positions[:-1]
    to_symmetric, to_emptied = (
        float(np.sqrt(np.mean((under - unpack(outcome["slab"]).positions) ** 2))) for outcome in (clean, emptied)
    )
    return emptied if to_emptied < _CLOSER * to_symmetric else clean


def site_from(data: Mapping[str, Any]) -> Site:
    """Return a site from what was planned."""
    return Site(
        label=data["label"],
        kind=data["kind"],
        fractional=(data["fractional"][0], data["fractional"][1]),
        multiplicity=data["multiplicity"],
        free_inplane_dims=data["free_inplane_dims"],
        coordination=tuple((element, number, distance) for element, number, distance in data["coordination"]),
        equivalents=tuple((x, y) for x, y in data["equivalents"]),
    )


def _definition(surface: Surface, inputs: Mapping[str, Any], how: str, against: str) -> str:
    about, metal = surface.about, inputs["adsorbate"]
    n, m = about["supercell"]
    where = f"{surface.name}, {about['termination']}-terminated"
    state = ", in the state that the slab under the adatom is in" if surface.looked_for_distortion else ""
    return (
        f"per adatom, negative means bound: E(slab + {metal}) - E(clean slab, relaxed{state}) - {against}; {where}, {how}; "
        f"one {metal} in a {n}x{m} surface cell: {_coverage(surface)}; {about['layers']} layers, the lowest "
        f"{about['fixed_layers']} held as in the crystal, {inputs['vacuum_A']:g} angstrom of vacuum, adatom on one side; "
        f"crystal and slab relaxed with {inputs['engine']['engine']}, forces below {inputs['fmax_eV_A']:g} eV/angstrom"
    )


def _coverage(surface: Surface) -> str:
    area = surface.about["area_A2"]
    coverage = coverage_of(surface.cells)
    return f"{coverage} monolayer (one adatom per {area:.1f} angstrom^2, monolayer: one per primitive surface cell)"


def _quantities(
    surfaces: list[Surface], inputs: Mapping[str, Any], cohesive: Quantity, error: float | None
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    metal = inputs["adsorbate"]
    bulk = f"E(bulk {metal}) per atom, all with the same engine"
    atom = f"E(free {metal} atom), taken as E(bulk {metal}) per atom + cohesive energy {cohesive} ({cohesive.source})"
    total = None if error is None else hypot(error, cohesive.uncertainty or 0.0)
    for surface in surfaces:
        prefix = f"{surface.about['termination']}-terminated, " if len(surfaces) > 1 else ""
        for i, site in enumerate(surface.sites):
            for suffix, adatom in (("", surface.held[i]), ("_free", surface.free[i])):
                if adatom is None or adatom.energy_eV is None:
                    continue
                how = f"adatom held in the plane over {site.label}, the rest relaxed"
                if suffix:
                    how = f"adatom let go {inputs['displacement_A']:g} angstrom off {site.label}, ended {_ended(adatom)}"
                key = f"{prefix}{site.label}"
                value = adatom.energy_eV
                about = _definition(surface, inputs, how, bulk)
                found[f"adsorption_energy_vs_bulk{suffix}:{key}"] = Quantity(value, "eV", error, about, "computed")
                about = _definition(surface, inputs, how, atom)
                found[f"adsorption_energy_vs_atom{suffix}:{key}"] = Quantity(
                    value - cohesive.value, "eV", total, about, "computed"
                )
                height = f"adatom above the mean height of the top layer of {surface.name}; {how}"
                found[f"height{suffix}:{key}"] = Quantity(adatom.height_A, "angstrom", None, height, "computed")
    for name in ("adsorption_energy_vs_bulk", "adsorption_energy_vs_bulk_free"):
        keys = [key.partition(":")[2] for key in found if key.startswith(f"{name}:")]
        if keys:
            best = min(keys, key=lambda key: found[f"{name}:{key}"].value)
            for kind in (name, name.replace("vs_bulk", "vs_atom"), name.replace("adsorption_energy_vs_bulk", "height")):
                lowest = found[f"{kind}:{best}"]
                found[f"{kind}:most stable"] = replace(
                    lowest, definition=f"at the most stable site, {best}: {lowest.definition}"
                )
    found["cohesive_energy"] = cohesive
    return found


def _ended(adatom: Adatom) -> str:
    return f"{adatom.distance_A:.2f} angstrom from {adatom.final_site}"


def _verdicts(surfaces: list[Surface], inputs: Mapping[str, Any], engine: Engine) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    scatter_eV = site_scatter_eV(inputs)
    for surface in surfaces:
        suffix = f":{surface.about['termination']}-terminated" if len(surfaces) > 1 else ""
        held = {site.label: adatom.energy_eV for site, adatom in zip(surface.sites, surface.held, strict=True)}
        energies = {label: energy for label, energy in held.items() if energy is not None}
        free = {
            site.label: (adatom.energy_eV, adatom.final_site)
            for site, adatom in zip(surface.sites, surface.free, strict=True)
            if adatom is not None and adatom.energy_eV is not None
        }
        unsettled = [label for label, energy in held.items() if energy is None]
        unsettled += [
            f"{site.label}, let go"
            for site, adatom in zip(surface.sites, surface.free, strict=True)
            if adatom is not None and adatom.energy_eV is None
        ]
        found[f"most_stable_site{suffix}"] = most_stable(energies, free, unsettled)
        found[f"order{suffix}"] = order(energies, engine, scatter_eV)
        lowest = [*energies.values(), *(energy for energy, _ in free.values())]
        found[f"{stability_word(inputs['adsorbate'])}{suffix}"] = sodiophilic(
            min(lowest, default=None),
            inputs["adsorbate"],
            engine,
            corrected_energy(min(lowest), surface, inputs) if lowest else None,
        )
        found[f"clean_surface{suffix}"] = _clean_surface(surface)
    return found


def _clean_surface(surface: Surface) -> Verdict:
    adatoms = {
        f"{site.label}{how}": adatom
        for how, adatoms in ((" (held)", surface.held), (" (let go)", surface.free))
        for site, adatom in zip(surface.sites, adatoms, strict=True)
        if adatom is not None
    }
    if not surface.looked_for_distortion:
        return Verdict(
            "not looked for", ("neither rattled nor relaxed with the adatom taken off: a distortion would count",)
        )
    return clean_surface(
        None if surface.rattled_eV is None else surface.rattled_eV - surface.clean_eV,
        {name: adatom.emptied_eV for name, adatom in adatoms.items() if adatom.emptied_eV is not None},
        [name for name, adatom in adatoms.items() if adatom.reference_eV and adatom.reference_eV < -DISTORTED_EV],
        DISTORTED_EV,
        [name for name, adatom in adatoms.items() if adatom.emptied_eV is None],
    )


def _warnings(surfaces: list[Surface], inputs: Mapping[str, Any], engine: Engine, after: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    if not engine.is_dft:
        found.append(f"{engine.name} is a potential, not DFT: {engine.accuracy.sentence(engine.name)}.")
        found += calibration_sentences(inputs)
    elif engine.accuracy.error_eV is not None:
        found.append(
            f"{engine.name}: numerical error about {engine.accuracy.error_eV:g} eV ({engine.accuracy.source}); "
            "the error of the functional itself is not in it."
        )
    for name, what in (("crystal", surfaces[0].about["crystal"]), ("metal", f"bulk {inputs['adsorbate']}")):
        change = after[name]["volume_change"]
        if abs(change) > _VOLUME_CHANGE:
            found.append(f"{engine.name} changes the volume of {what} by {100 * change:+.1f} %: it may not describe it.")
    for i, surface in enumerate(surfaces):
        where = f"{surface.name}, {surface.about['termination']}-terminated"
        found += thin_slab(where, after[f"{i} clean"], engine.name)
        found += crowded_layer(where, surface.clean, unpack(after["metal"]["crystal"]))
        if surface.about["polar"]:
            found.append(f"{where} is polar as cut; real ones compensate their dipole, by reconstruction or otherwise.")
        for site, held, free in zip(surface.sites, surface.held, surface.free, strict=True):
            found += [f"{where}, adatom held over {site.label}: {odd}." for odd in held.anomalies]
            if free is not None:
                odd = [text for text in free.anomalies if not text.startswith("moved")]
                found += [f"{where}, adatom let go from {site.label}: {text}." for text in odd]
        verdict = _clean_surface(surface)
        if verdict.answer != "stable":
            found.append(f"{where}: {verdict.answer}; {'; '.join(verdict.evidence)}.")
    return found


def _shown_inputs(inputs: Mapping[str, Any], surfaces: list[Surface], after: Mapping[str, Any]) -> dict[str, Any]:
    about = surfaces[0].about
    return {
        "crystal": about["crystal"],
        "facet": "".join(str(i) if i >= 0 else f"-{-i}" for i in about["miller"]),
        "adsorbate": inputs["adsorbate"],
        "engine": inputs["engine"],
        "supercell": "x".join(str(n) for n in about["supercell"]),
        "layers": [surface.about["layers"] for surface in surfaces],
        "fixed_layers": [surface.about["fixed_layers"] for surface in surfaces],
        "vacuum_A": inputs["vacuum_A"],
        "fmax_eV_A": inputs["fmax_eV_A"],
        "max_steps": inputs["max_steps"],
        "free": inputs["free"],
        "prerelax": inputs.get("prerelax"),
        "distortion": inputs.get("distortion", True),
        "displacement_A": inputs["displacement_A"],
        "rattle_A": inputs["rattle_A"],
        "terminations": [surface.about["termination"] for surface in surfaces],
        "cohesive_energy": inputs["cohesive_energy"],
        "made_with": {"sodiophile": __version__, **after["metal"]["made_with"]},
    }
