"""From the energies of several engines to their mean, spread and calibration: the last task of a committee."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sodiophile._version import __version__
from sodiophile.atomistic.calibration import (
    FEWEST_POINTS,
    Calibration,
    fit,
    leave_one_out,
    left_out_rms_eV,
)
from sodiophile.atomistic.dft_points import Point, SurfaceKey, coverage_of
from sodiophile.atomistic.families import energies_of, place_key
from sodiophile.errors import EngineError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

Place = tuple[str, str, str]

# Name of the mean among the engines of a DFT point.
MEAN = "committee mean"
# Of a DFT energy, where it is computed with the committee: cutoff, k-points, forces left (assumed).
_REFERENCE_ERROR_EV = 0.02
# A spread below this part of the error says less than it seems to.
_NARROW = 0.5


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Compare the members, calibrate their mean, and save the result into the folder."""
    del context
    names: list[str] = inputs["members"]
    payloads = {name: after[f"member {name}"] for name in names}
    by_member = {name: {one.place: one.energy_eV for one in energies_of(payload)} for name, payload in payloads.items()}
    places = list(dict.fromkeys(place for energies in by_member.values() for place in energies))
    complete = [place for place in places if all(place in energies for energies in by_member.values())]
    if not complete:
        raise EngineError("no site converged with every member of the committee: there is nothing to compare")
    table = np.array([[by_member[name][place] for name in names] for place in complete])
    mean, spread = table.mean(axis=1), table.std(axis=1, ddof=1)
    about = payloads[names[0]]["inputs"]
    reference = {one.place: one.energy_eV for one in energies_of(after["reference"])} if "reference" in after else {}
    points = [Point(**point) for point in inputs["points"]]
    points += [
        _point(place, reference[place], dict(zip(names, row, strict=True)), about, after["reference"], inputs)
        for place, row in zip(complete, table.tolist(), strict=True)
        if place in reference
    ]
    points = [point.model_copy(update={"engine_eV": {**point.engine_eV, MEAN: _mean_of(point, names)}}) for point in points]
    enough = len(points) >= FEWEST_POINTS
    fits = {name: fit(name, points) for name in [MEAN, *names]} if enough else {}
    surface = {place: _surface(place, about) for place in complete}
    corrected = {
        place: fits[MEAN].corrected(float(value), surface[place])
        for place, value in zip(complete, mean, strict=True)
        if fits
    }
    several = len({termination for termination, _, _ in places}) > 1
    keys = {place: place_key(place, several) for place in places}
    rows = zip(complete, mean.tolist(), spread.tolist(), strict=True)
    quantities = _quantities(list(rows), keys, corrected, fits, inputs, about)
    result = Result(
        kind="committee",
        inputs={
            **{
                key: about[key] for key in ("crystal", "facet", "adsorbate", "supercell", "layers", "vacuum_A", "fmax_eV_A")
            },
            "members": {name: payload["inputs"]["engine"] for name, payload in payloads.items()},
            "reference": after["reference"]["inputs"]["engine"] if "reference" in after else None,
            "functional": inputs["functional"],
            "made_with": {"sodiophile": __version__},
        },
        quantities=quantities,
        verdicts=_verdicts(complete, table, keys, points, fits, inputs),
        warnings=tuple(_warnings(payloads, places, complete, by_member, keys, len(points))),
        tables={
            "sites": _site_table(complete, keys, table, names, corrected, reference, about),
            **({"calibration": _calibration_table(fits)} if fits else {}),
            **({"dft points": _point_table(fits[MEAN], names)} if fits else {}),
        },
    )
    return result.save(folder)


def _mean_of(point: Point, names: Sequence[str]) -> float:
    return float(np.mean([point.engine_eV[name] for name in names]))


def _surface(place: Place, about: Mapping[str, Any]) -> SurfaceKey:
    return (about["crystal"], about["facet"], place[0], about["adsorbate"], _coverage(about))


def _coverage(about: Mapping[str, Any]) -> str:
    first, _, second = about["supercell"].partition("x")
    return coverage_of(int(first) * int(second))


def _point(
    place: Place,
    dft_eV: float,
    engine_eV: dict[str, float],
    about: Mapping[str, Any],
    reference: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> Point:
    """Return a site that the reference computed as a DFT point."""
    termination, site, relaxation = place
    engine = reference["inputs"]["engine"]
    return Point(
        adsorbate=about["adsorbate"],
        system=about["crystal"],
        facet=about["facet"],
        termination=termination,
        site=site,
        relaxation="held" if relaxation == "held" else "free",
        coverage=_coverage(about),
        layers=about["layers"][about["terminations"].index(termination)],
        functional=inputs["functional"],
        level=f"{engine['engine']} {engine['version']}",
        dft_eV=dft_eV,
        dft_error_eV=_REFERENCE_ERROR_EV,
        engine_eV=engine_eV,
        source="this calculation",
    )


def _quantities(
    rows: Sequence[tuple[Place, float, float]],
    keys: Mapping[Place, str],
    corrected: Mapping[Place, Quantity],
    fits: Mapping[str, Calibration],
    inputs: Mapping[str, Any],
    about: Mapping[str, Any],
) -> dict[str, Quantity]:
    names = inputs["members"]
    known = [error for error in inputs["errors_eV"].values() if error is not None]
    measured = float(np.sqrt(np.mean(np.square(known)))) if known else None
    where = f"{about['adsorbate']} on {about['crystal']}({about['facet']}), one in a {about['supercell']} surface cell"
    found: dict[str, Quantity] = {}
    for place, value, spread in rows:
        site = f"{where}, {keys[place]}"
        error, how = spread, "uncertainty: their standard deviation, which is no error against DFT"
        if measured is not None and measured > spread:
            error, how = measured, "uncertainty: root mean square of the members' measured errors against DFT"
        definition = f"mean of {', '.join(names)}, per adatom against bulk metal; {site}; {how}"
        found[f"adsorption_energy_vs_bulk:{keys[place]}"] = Quantity(value, "eV", error, definition, "computed")
        definition = f"sample standard deviation between {', '.join(names)}; {site}"
        found[f"committee_spread:{keys[place]}"] = Quantity(spread, "eV", None, definition, "computed")
        if place in corrected:
            found[f"adsorption_energy_calibrated:{keys[place]}"] = corrected[place]
    rms = float(np.sqrt(np.mean([spread**2 for _, _, spread in rows])))
    found["committee_spread:all sites"] = Quantity(
        rms, "eV", None, f"root mean square over {len(rows)} sites of the standard deviation between members", "computed"
    )
    if fits:
        mean = fits[MEAN]
        definition = (
            f"root mean square of mean minus {inputs['functional']} over {len(mean.points)} sites: {mean.systems()}"
        )
        found["committee_error"] = Quantity(mean.raw_rms_eV, "eV", None, definition, "computed")
        left = left_out_rms_eV(leave_one_out(mean))
        if left is not None:
            definition = f"the same after correction, each of the {len(mean.points)} sites predicted from the others"
            found["committee_error:left out"] = Quantity(left, "eV", None, definition, "computed")
    return found


def _verdicts(
    places: Sequence[Place],
    table: np.ndarray,
    keys: Mapping[Place, str],
    points: Sequence[Point],
    fits: Mapping[str, Calibration],
    inputs: Mapping[str, Any],
) -> dict[str, Verdict]:
    names = inputs["members"]
    held = [i for i, place in enumerate(places) if place[2] == "held"]
    found: dict[str, Verdict] = {}
    if held:
        best = [keys[places[held[int(np.argmin(table[held, j]))]]] for j in range(len(names))]
        votes = Counter(best).most_common()
        evidence = tuple(f"{name}: {site}" for name, site in zip(names, best, strict=True))
        found["most_stable_site"] = Verdict(votes[0][0] if len(votes) == 1 else "the members disagree", evidence)
    if len(held) > 1:
        swapped = [
            f"{keys[places[i]]} / {keys[places[j]]}"
            for i, j in combinations(held, 2)
            if len(set(np.sign(table[i] - table[j]).tolist())) > 1
        ]
        pairs = len(held) * (len(held) - 1) // 2
        ranked = sorted(held, key=lambda i: float(table[i].mean()))
        evidence = (f"by their mean: {' < '.join(keys[places[i]] for i in ranked)}",)
        if swapped:
            evidence += (f"the members order these differently: {', '.join(swapped)}",)
        answer = f"{pairs - len(swapped)} of {pairs} pairs of sites in one order"
        found["order"] = Verdict("all members agree" if not swapped else answer, evidence)
    found["spread"] = _spread(points, fits, names, inputs["functional"])
    return found


def _spread(points: Sequence[Point], fits: Mapping[str, Calibration], names: Sequence[str], functional: str) -> Verdict:
    """Say whether the spread between members tells their error."""
    if not fits:
        known = f"{len(points)} {functional} points with all members, expected at least {FEWEST_POINTS}"
        why = "the spread between potentials trained on the same data is not their error; name a reference, such as gpaw"
        return Verdict("cannot be told", (f"{known}: {why}",))
    spreads = [float(np.std([point.engine_eV[name] for name in names], ddof=1)) for point in points]
    spread, error = float(np.sqrt(np.mean(np.square(spreads)))), fits[MEAN].raw_rms_eV
    offset, offset_error = fits[MEAN].offset_eV
    inside = sum(abs(p.engine_eV[MEAN] - p.dft_eV) <= s for p, s in zip(points, spreads, strict=True))
    evidence = (
        f"over {len(points)} points the members are {spread:.2f} eV apart, their mean is {error:.2f} eV off",
        f"{functional} lies within one standard deviation of the mean at {inside} of them (about two thirds expected)",
        f"{functional} minus mean is {offset:+.2f} ± {offset_error:.2f} eV on average",
    )
    return Verdict("too narrow" if spread < _NARROW * error else "of the size of the error", evidence)


def _warnings(
    payloads: Mapping[str, Any],
    places: Sequence[Place],
    complete: Sequence[Place],
    by_member: Mapping[str, Mapping[Place, float]],
    keys: Mapping[Place, str],
    points: int,
) -> list[str]:
    found = []
    for place in places:
        if place not in complete:
            lacking = ", ".join(name for name, energies in by_member.items() if place not in energies)
            found.append(f"{keys[place]} is left out: it did not converge with {lacking}.")
    if points < FEWEST_POINTS:
        found.append(
            "Not calibrated: the uncertainty of the mean is the members' spread, or their measured error elsewhere."
        )
    for name, payload in payloads.items():
        found += [f"{name}: {text}" for text in payload["warnings"] if "is a potential, not DFT" not in text]
    return found


def _site_table(
    places: Sequence[Place],
    keys: Mapping[Place, str],
    table: np.ndarray,
    names: Sequence[str],
    corrected: Mapping[Place, Quantity],
    reference: Mapping[Place, float],
    about: Mapping[str, Any],
) -> pl.DataFrame:
    rows = []
    for place, energies in zip(places, table, strict=True):
        one = corrected.get(place)
        rows.append(
            {
                "termination": place[0],
                "site": keys[place],
                "relaxation": place[2],
                **{f"{name}_eV": float(energy) for name, energy in zip(names, energies, strict=True)},
                "mean_eV": float(energies.mean()),
                "spread_eV": float(energies.std(ddof=1)),
                "calibrated_eV": None if one is None else one.value,
                "calibrated_error_eV": None if one is None else one.uncertainty,
                "reference_eV": reference.get(place),
                "adsorbate": about["adsorbate"],
                "surface": f"{about['crystal']}({about['facet']})",
            }
        )
    numbers = dict.fromkeys(("calibrated_eV", "calibrated_error_eV", "reference_eV"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)


def _calibration_table(fits: Mapping[str, Calibration]) -> pl.DataFrame:
    """Return one row an engine: how far it is off, and how far it is after correction."""
    rows = []
    for name, one in fits.items():
        offset, offset_error = one.offset_eV
        slope, slope_error = one.slope
        rows.append(
            {
                "engine": name,
                "points": len(one.points),
                "rms_error_eV": one.raw_rms_eV,
                "dft_minus_engine_eV": offset,
                "its_error_eV": offset_error,
                "slope": slope,
                "slope_error": slope_error,
                "site_scatter_eV": one.site_error_eV,
                "left_out_rms_eV": left_out_rms_eV(leave_one_out(one)),
            }
        )
    return pl.DataFrame(rows)


def _point_table(mean: Calibration, names: Sequence[str]) -> pl.DataFrame:
    """Return one row a DFT point, with what the others predict for it."""
    return pl.DataFrame(
        [
            {
                "system": f"{one.point.adsorbate} on {one.point.system}({one.point.facet}), {one.point.termination}",
                "site": one.point.site,
                "dft_eV": one.point.dft_eV,
                "mean_eV": one.point.engine_eV[MEAN],
                "spread_eV": float(np.std([one.point.engine_eV[name] for name in names], ddof=1)),
                "predicted_by_others_eV": one.prediction.energy_eV,
                "prediction_error_eV": one.prediction.error_eV,
                "within_95_percent": one.inside,
                "level": one.point.level,
                "source": one.point.source,
            }
            for one in leave_one_out(mean)
        ]
    )
