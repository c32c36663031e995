"""From atoms to volts in a study: the adhesion that a calculation finds, or that is given, ends in a predicted measurement.

The chain (`sodiophile.physics.atoms_chain`) draws the calculated energy within its uncertainty and the substrate within its
spreads; each draw goes through the virtual instrument and the ordinary analysis of an experiment of the study. What
somebody reported of that experiment is held out and only compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile._version import __version__
from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.quantity import Quantity
from sodiophile.study import volts_tasks
from sodiophile.study.calibration import Derivation, noiseless, reported_value, simulated_job
from sodiophile.study.schema import AtomsToVolts, Reported
from sodiophile.task import Task

if TYPE_CHECKING:
    from sodiophile.study.load import Job

KIND = volts_tasks.KIND
_RUN_S = 0.2


def resolve(
    entry: AtomsToVolts, electrode: str, where: str | Path, jobs: Sequence[Job], reported: Sequence[Reported]
) -> Derivation:
    """Follow the names of a prediction from atoms.

    Parameters
    ----------
    entry
        The table.
    electrode
        Of which the dip is predicted.
    where
        Its cell: a file or the name of one that ships.
    jobs
        The experiments and calculations of the study.
    reported
        The values that somebody printed.

    Raises
    ------
    InputError
        If a name, a unit or a value is at fault; the line names the key.
    """
    job = simulated_job(entry.experiment, entry.quantity, electrode, jobs, "")
    needs: dict[str, tuple[str, str]] = {}
    if entry.calculation is not None:
        found = next((one for one in jobs if one.name == entry.calculation and one.what == "calculation"), None)
        if found is None or found.kind not in volts_tasks.SOURCES:
            kinds = " or ".join(volts_tasks.SOURCES)
            raise InputError(f"found {entry.calculation!r}, expected the name of a calculation of {kinds}", "calculation")
        own = [one for one in jobs if one.name == entry.calculation and one.electrode == electrode]
        needs["atoms"] = ((own or [found])[0].name, (own or [found])[0].electrode)
    given = {key: getattr(entry, key) for key in ("adhesion", "adsorption", "surface_energy", "uncertainty")}
    check_energies(given)
    inputs: dict[str, Any] = {
        "cell": load_cell(where).to_dict(),
        "given": given,
        "experiment": {"name": entry.experiment, **noiseless(job, "experiment")},
        "quantity": entry.quantity,
        "draws": entry.draws,
        "seed": entry.seed,
        # a virtual instrument has no version of its own: its equations change with the package
        "sodiophile": __version__,
    }
    value = reported_value(entry.experiment, entry.quantity, electrode, reported)
    if value is not None:
        quantity = value.as_quantity()
        inputs["reported"] = {"value": quantity.value, "unit": quantity.unit, "bound": quantity.bound, "where": value.where}
    return Derivation(inputs, needs)


def check_energies(given: Mapping[str, str | None]) -> None:
    """Check texts of energies.

    Parameters
    ----------
    given
        ``adhesion``, ``adsorption`` and ``surface_energy``, each a text or None.

    Raises
    ------
    InputError
        If one is no number with a unit and an uncertainty; the line names it.
    """
    for key, unit in {"adhesion": "J/m^2", "adsorption": "eV", "surface_energy": "J/m^2"}.items():
        text = given[key]
        if text is not None:
            _with_uncertainty(text, unit, key)


def _with_uncertainty(text: str, unit: str, key: str) -> None:
    try:
        quantity = Quantity.parse(text).to(unit)
    except InputError as error:
        raise error.within(key) from None
    if not quantity.uncertainty:
        raise InputError(f"found {text!r} without an uncertainty, expected one, such as '0.30(10) {unit}'", key)


def tasks(derivation: Derivation, before: Mapping[tuple[str, str], Task], where: str | Path, label: str) -> Task:
    """Return the task of a prediction from atoms, after the calculation that it rests on.

    Parameters
    ----------
    derivation
        From `resolve`.
    before
        (name, electrode) -> the last task of that job.
    where
        The cell.
    label
        What the user sees.
    """
    return Task(
        f"{volts_tasks.__name__}:predict",
        volts_tasks.VERSION,
        dict(derivation.inputs),
        after={name: before[key] for name, key in derivation.needs.items()},
        context={"cell": str(where.absolute()) if isinstance(where, Path) else where},
        label=label,
        cost_s=_RUN_S * derivation.inputs["draws"],
    )
