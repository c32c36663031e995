"""From adsorption energies at several settings to the setting that suffices: the last task of a convergence calculation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sodiophile._version import __version__
from sodiophile.atomistic.convergence import SERIES
from sodiophile.atomistic.families import energies_of, place_key
from sodiophile.errors import EngineError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

Place = tuple[str, str, str]


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Compare the energies along each series, judge them, and save the result into the folder."""
    del context
    own = after["own"]
    about = own["inputs"]
    energies = {name: {one.place: one.energy_eV for one in energies_of(payload)} for name, payload in after.items()}
    places = list(energies["own"])
    several = len(about["terminations"]) > 1
    keys = {place: place_key(place, several) for place in places}
    series = list(dict.fromkeys(member["series"] for member in inputs["members"]))
    quantities: dict[str, Quantity] = {}
    verdicts: dict[str, Verdict] = {}
    warnings: list[str] = []
    rows: list[dict[str, Any]] = []
    for name in series:
        members = [member for member in inputs["members"] if member["series"] == name]
        common = [place for place in places if all(place in energies[member["member"]] for member in members)]
        for place in places:
            if place not in common:
                lacking = [f"{m['value']:g}" for m in members if place not in energies[m["member"]]]
                warnings.append(
                    f"{keys[place]} is left out of {name}: not converged, or not there, at {', '.join(lacking)}."
                )
        if not common:
            raise EngineError(f"no site converged at every value of {name}: nothing can be said of its convergence")
        values = [float(member["value"]) for member in members]
        table = np.array([[energies[member["member"]][place] for place in common] for member in members])
        at_own = np.array([energies["own"][place] for place in common])
        found = _judged(name, values, table, at_own, inputs, [keys[place] for place in common], about)
        quantities |= found[0]
        verdicts[f"convergence:{name}"] = found[1]
        rows += [
            {
                "series": name,
                "value": value,
                "unit": SERIES[name][0],
                "termination": place[0],
                "site": keys[place],
                "adsorption_energy_vs_bulk_eV": float(energy),
                "change_to_last_eV": float(energy - table[-1, j]),
                "own_value": inputs["own"][name],
                "tolerance_eV": inputs["tolerance_eV"],
            }
            for value, line in zip(values, table, strict=True)
            for j, (place, energy) in enumerate(zip(common, line, strict=True))
        ]
    warnings += [text for text in own["warnings"] if "is a potential, not DFT" in text or "thinner" in text]
    result = Result(
        kind="convergence",
        inputs={
            **{key: about[key] for key in ("crystal", "facet", "adsorbate", "engine", "supercell", "layers", "vacuum_A")},
            "own": inputs["own"],
            "tolerance_eV": inputs["tolerance_eV"],
            "made_with": {"sodiophile": __version__},
        },
        quantities=quantities,
        verdicts=verdicts,
        warnings=tuple(warnings),
        tables={"series": pl.DataFrame(rows, infer_schema_length=None)},
    )
    return result.save(folder)


def _judged(
    name: str,
    values: Sequence[float],
    table: np.ndarray,
    own: np.ndarray,
    inputs: Mapping[str, Any],
    sites: Sequence[str],
    about: Mapping[str, Any],
) -> tuple[dict[str, Quantity], Verdict]:
    """Return the errors at the own setting, and the conclusion.

    Parameters
    ----------
    name
        Of the series.
    values
        (n,) ascending.
    table
        (n, sites) energies, eV.
    own
        (sites,) energies at the own setting.
    inputs, sites, about
        Of the calculation; the names of the sites; the adsorption calculation with the own settings.
    """
    what, unit = SERIES[name][1], SERIES[name][0]
    tolerance, setting = inputs["tolerance_eV"], inputs["own"][name]
    from_last = np.abs(table - table[-1])
    worst = int(np.argmax(np.abs(own - table[-1])))
    error = float(np.abs(own - table[-1])[worst])
    where = (
        f"{about['adsorbate']} on {about['crystal']}({about['facet']}), {what} {setting:g} against {values[-1]:g} {unit}"
    )
    quantities = {
        f"convergence_error:{name}": Quantity(
            error, "eV", None, f"largest change of an adsorption energy, at {sites[worst]}; {where.strip()}", "computed"
        )
    }
    evidence = [f"at the own setting, {setting:g}, the energies are up to {error:.3f} eV from those at {values[-1]:g}"]
    if len(sites) > 1:
        relative = table - table.mean(axis=1, keepdims=True)
        apart = float(np.max(np.abs((own - own.mean()) - relative[-1])))
        definition = f"largest change of an adsorption energy against the mean of all sites; {where.strip()}"
        quantities[f"difference_error:{name}"] = Quantity(apart, "eV", None, definition, "computed")
        evidence.append(
            f"against the mean of all sites, that is the order of the sites, they change by up to {apart:.3f} eV"
        )
    last = float(np.max(np.abs(table[-1] - table[-2])))
    evidence.append(f"from {values[-2]:g} to {values[-1]:g} they still change by up to {last:.3f} eV")
    if setting > values[-1]:
        evidence.append(f"the own setting, {setting:g}, lies beyond the series")
    # a value suffices if nothing that comes after differs; the last one alone has nothing to be compared with
    enough = [i for i in range(len(values) - 1) if bool(np.all(from_last[i:] <= tolerance))]
    if not enough:
        return quantities, Verdict(f"not converged within {tolerance:g} eV up to {values[-1]:g}", tuple(evidence))
    first = values[enough[0]]
    answer = f"converged within {tolerance:g} eV from {first:g} on"
    if setting < first:
        answer += f"; the own setting, {setting:g}, is too low"
    return quantities, Verdict(answer, tuple(evidence))
