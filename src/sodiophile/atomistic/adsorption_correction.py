"""Adsorption energies of an engine corrected to DFT, where there are DFT points to calibrate it on.

The points are inputs of the calculation: with other points its result is another one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sodiophile.atomistic.engines import engine

if TYPE_CHECKING:
    from sodiophile.atomistic.adsorption_tables import Surface
    from sodiophile.atomistic.calibration import Calibration
    from sodiophile.quantity import Quantity

# Of the points that the package brings; others need a committee with a reference of that functional.
_FUNCTIONAL = "PBE"


def calibration_points(engine_name: str, adsorbate: str) -> dict[str, Any]:
    """Return the input ``points``: the DFT points of this adatom that come with the package, if there are enough of them.

    Potentials err differently for each metal, and points of one say nothing of how differently: where there are only
    others, ``points_of_others`` names their adatoms, and no energy is corrected.
    """
    from sodiophile.atomistic.calibration import FEWEST_POINTS
    from sodiophile.atomistic.dft_points import load_points

    chosen = engine(engine_name)
    known = [point for point in load_points() if point.functional == _FUNCTIONAL and chosen.name in point.engine_eV]
    own = [point.model_dump() for point in known if point.adsorbate == adsorbate]
    if chosen.is_dft:
        return {}
    if len(own) >= FEWEST_POINTS:
        return {"points": own}
    others = sorted({point.adsorbate for point in known} - {adsorbate})
    return {"points_of_others": others} if others else {}


def corrected_quantities(surfaces: Sequence[Surface], inputs: Mapping[str, Any]) -> dict[str, Quantity]:
    """Return ``adsorption_energy_calibrated:SITE`` of each site that converged; none without points.

    Parameters
    ----------
    surfaces
        With their relaxed adatoms.
    inputs
        Of the calculation.
    """
    found = {}
    for surface in surfaces:
        prefix = f"{surface.about['termination']}-terminated, " if len(surfaces) > 1 else ""
        for site, adatom in zip(surface.sites, surface.held, strict=True):
            corrected = None if adatom.energy_eV is None else corrected_energy(adatom.energy_eV, surface, inputs)
            if corrected is not None:
                found[f"adsorption_energy_calibrated:{prefix}{site.label}"] = corrected
    return found


def corrected_energy(energy_eV: float, surface: Surface, inputs: Mapping[str, Any]) -> Quantity | None:
    """Return what DFT would give for an adatom on a surface, with its error; None without points.

    Parameters
    ----------
    energy_eV
        Of the engine, against bulk metal.
    surface
        What the adatom sits on; its coverage is that of the supercell.
    inputs
        Of the calculation.
    """
    from sodiophile.atomistic.dft_points import coverage_of

    calibration = _calibration(inputs)
    if calibration is None:
        return None
    about = surface.about
    facet = "".join(str(i) if i >= 0 else f"-{-i}" for i in about["miller"])
    where = (about["crystal"], facet, about["termination"], inputs["adsorbate"], coverage_of(surface.cells))
    return calibration.corrected(energy_eV, where)


def calibration_sentences(inputs: Mapping[str, Any]) -> list[str]:
    """Say what the calibration found, or that there is none for this adatom; nothing without points."""
    if "points_of_others" in inputs:
        others, name = ", ".join(inputs["points_of_others"]), inputs["engine"]["engine"]
        return [
            f"Not corrected to DFT: {name} is calibrated on DFT points of {others}, none of them of {inputs['adsorbate']}."
        ]
    calibration = _calibration(inputs)
    return [] if calibration is None else [f"Calibrated: {calibration.sentence()}."]


def site_scatter_eV(inputs: Mapping[str, Any]) -> float | None:
    """Return the part of the engine's error that is a site's own; None without points."""
    calibration = _calibration(inputs)
    return None if calibration is None else calibration.site_error_eV


def difference_error(inputs: Mapping[str, Any]) -> tuple[float, str] | None:
    """Return the error (eV) of energies between two sites of one surface, and what it was found on; None without points."""
    calibration = _calibration(inputs)
    error_eV = None if calibration is None else calibration.difference_rms_eV
    if calibration is None or error_eV is None:
        return None
    return error_eV, f"{len(calibration.pairs)} pairs of sites against {_FUNCTIONAL}: {calibration.systems()}"


def _calibration(inputs: Mapping[str, Any]) -> Calibration | None:
    points = inputs.get("points")
    return _fitted(inputs["engine"]["engine"], json.dumps(points)) if points else None


@cache
def _fitted(engine_name: str, points: str) -> Calibration:
    from sodiophile.atomistic.calibration import fit
    from sodiophile.atomistic.dft_points import Point

    return fit(engine_name, [Point(**point) for point in json.loads(points)])
