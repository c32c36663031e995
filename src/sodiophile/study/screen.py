"""Many candidates for an interlayer, ranked by how strongly they bind the metal."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from sodiophile.atomistic import calculation
from sodiophile.atomistic.stability_model import has_hubbard_u
from sodiophile.errors import InputError, SodiophileError
from sodiophile.result import Result, Verdict
from sodiophile.schema import checked
from sodiophile.study.execute import console_of, run_tasks
from sodiophile.study.plan import needed_tasks, unique_tasks
from sodiophile.study.store import Store, user_store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sodiophile.quantity import Quantity
    from sodiophile.task import Task

RANKED_BY = "adsorption_energy_vs_bulk:most stable"


def screen(
    candidates: Sequence[str | Path],
    inputs: Mapping[str, Any],
    *,
    store: Store | None = None,
    workers: int | None = None,
    fresh: bool = False,
    progress: bool = True,
) -> Result:
    """Rank crystals by the energy of an adatom at its most stable site against the bulk metal.

    Parameters
    ----------
    candidates
        Crystal structure files, or symbols of metals.
    inputs
        What every calculation shares, as users write it: facet, adsorbate, engine, ...
    store
        Where finished work is; the user's own by default.
    workers, fresh, progress
        As for a study.

    Returns
    -------
    Result
        Table ``ranking``, strongest binding first, with one row a candidate; a candidate that fails has its line in the
        warnings and does not stop the others. The verdict says which ranks the error of the engine lets stand.

    Raises
    ------
    InputError
        If no candidate is given, two are the same, or none could be computed.
    """
    names = [str(candidate) for candidate in candidates]
    if not names:
        raise InputError("no candidate given, expected crystal structure files", "screen")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice} is given twice", "screen")
    chosen = calculation("adsorption")
    labels = _labels(names)
    failures: dict[str, str] = {}
    plans: dict[str, Task] = {}
    for name in names:
        try:
            plans[labels[name]] = chosen.plan(checked(chosen.inputs, {"structure": name, **inputs}, "screen"))
        except SodiophileError as error:
            failures[labels[name]] = str(error)
    place = store or user_store()
    every = unique_tasks(list(plans.values()))
    found = {key: entry for key in every if (entry := place.find(key, [])) is not None}
    to_do = every if fresh else needed_tasks(list(plans.values()), found)
    done = run_tasks(to_do, place, workers=workers, fresh=fresh, console=console_of(progress))
    results: dict[str, Result] = {}
    for name, task in plans.items():
        entry = place.find(task.key)
        broken = done[task.key].error_within() if task.key in done else None
        if broken is not None or entry is None:
            failures[name] = broken or "its outcome is not in the store"
        else:
            results[name] = Result.load(entry.folder)
    return _ranked(results, failures, inputs)


def _ranked(results: Mapping[str, Result], failures: Mapping[str, str], inputs: Mapping[str, Any]) -> Result:
    known = {name: result for name, result in results.items() if RANKED_BY in result.quantities}
    for name in results.keys() - known.keys():
        failures = {**failures, name: "no site gave an energy"}
    if not known:
        raise InputError("; ".join(f"{name}: {why}" for name, why in failures.items()), "screen")
    order = sorted(known, key=lambda name: known[name].quantities[RANKED_BY].value)
    quantities: dict[str, Quantity] = {
        f"adsorption_energy_vs_bulk:{name}": known[name].quantities[RANKED_BY] for name in order
    }
    rows = [_row(rank, name, known[name]) for rank, name in enumerate(order, start=1)]
    warnings = [f"{name}: {why}" for name, why in failures.items()]
    mixed = [name for name in order if _hubbard(known[name])]
    if mixed and len(mixed) < len(order):
        warnings.append(
            f"{', '.join(mixed)}: the training data of bundled potentials have a Hubbard U on the metal here and not in "
            "the other candidates; rank within each group only"
        )
    warnings.extend(dict.fromkeys(warning for name in order for warning in known[name].warnings if "not DFT" in warning))
    return Result(
        kind="screening",
        inputs={"candidates": order, "shared": {key: str(value) for key, value in inputs.items()}},
        quantities=quantities,
        verdicts={"ranking": _verdict(order, known)},
        warnings=tuple(warnings),
        tables={"ranking": pl.DataFrame(rows)},
        drawer=draw,
    )


def _row(rank: int, name: str, result: Result) -> dict[str, Any]:
    energy = result.quantities[RANKED_BY]
    atom = result.quantities[RANKED_BY.replace("vs_bulk", "vs_atom")]
    return {
        "rank": rank,
        "candidate": name,
        "crystal": str(result.inputs.get("crystal", "")),
        "facet": str(result.inputs.get("facet", "")),
        "most_stable_site": result.verdicts["most_stable_site"].answer if "most_stable_site" in result.verdicts else "",
        "energy_vs_bulk_eV": energy.value,
        "energy_vs_atom_eV": atom.value,
        "uncertainty_eV": energy.uncertainty,
        "clean_surface": result.verdicts["clean_surface"].answer if "clean_surface" in result.verdicts else "",
    }


def _verdict(order: Sequence[str], known: Mapping[str, Result]) -> Verdict:
    """Say which neighbours in the ranking differ by more than the error that each energy carries by itself."""
    evidence = []
    for stronger, weaker in pairwise(order):
        first, second = known[stronger].quantities[RANKED_BY], known[weaker].quantities[RANKED_BY]
        gap = second.value - first.value
        if first.uncertainty is None or second.uncertainty is None:
            weight = "the error of the engine is not known"
        else:
            error = math.hypot(first.uncertainty, second.uncertainty)
            weight = f"{'more' if gap > error else 'less'} than the combined error, {error:.2g} eV"
        evidence.append(f"{stronger} binds by {gap:.3g} eV more than {weaker}: {weight}")
    return Verdict(" < ".join(order), tuple(evidence))


def _hubbard(result: Result) -> bool:
    return has_hubbard_u(re.findall(r"[A-Z][a-z]?", str(result.inputs.get("crystal", ""))))


def _labels(names: Sequence[str]) -> dict[str, str]:
    """Return a short label a candidate: the name of its file without folder and ending, where that is unique."""
    stems = Counter(Path(name).stem for name in names)
    return {name: Path(name).stem if stems[Path(name).stem] == 1 else name for name in names}


def draw(result: Result, ax: Axes) -> None:
    """Draw the energies of the candidates, strongest binding on top, with the engine's error."""
    table = result.table("ranking")
    places = list(range(table.height))[::-1]
    error = table["uncertainty_eV"].fill_null(0.0)
    ax.errorbar(
        table["energy_vs_bulk_eV"], places, xerr=error, fmt="o", color="#0072B2", ecolor="0.5", capsize=2, markersize=4
    )
    ax.axvline(0.0, color="0.4", linewidth=0.8, linestyle="--")
    ax.set_yticks(places, [f"{row['candidate']}({row['facet']})" for row in table.iter_rows(named=True)])
    ax.set_ylim(-0.6, table.height - 0.4)
    ax.set_xlabel(r"$E_\mathrm{ads}$ vs bulk metal (eV)")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
