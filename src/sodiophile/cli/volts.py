"""The command that takes a calculated adhesion to a predicted nucleation dip: ``sodiophile volts``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sodiophile.errors import InputError

if TYPE_CHECKING:
    from sodiophile.result import Result

LARGEST_RESULT_BYTES = 200_000_000


def volts(
    calculation: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="What 'calculate adhesion STRUCTURE --json' printed.")
    ] = None,
    electrode: Annotated[str, typer.Option("--electrode", metavar="NAME|FILE", help="A cell, by name or file.")] = "na-vn",
    current_density: Annotated[
        str, typer.Option("--current-density", metavar="'NUMBER mA/cm^2'", help="Of plating.")
    ] = "0.5 mA/cm^2",
    adhesion: Annotated[
        str | None, typer.Option("--adhesion", metavar="'0.30(10) J/m^2'", help="Work of adhesion, instead of a file.")
    ] = None,
    adsorption: Annotated[
        str | None, typer.Option("--adsorption", metavar="'-0.7(2) eV'", help="Against bulk metal, instead of a file.")
    ] = None,
    surface_energy: Annotated[
        str | None,
        typer.Option("--surface-energy", metavar="'0.22(3) J/m^2'", help="Of the metal; that of the file if not given."),
    ] = None,
    uncertainty: Annotated[
        str | None, typer.Option("--uncertainty", metavar="'NUMBER J/m^2'", help="Of the energy in the file.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", metavar="N", min=20, max=20_000, help="Draws, each a simulation.")] = 100,
    seed: Annotated[int, typer.Option("--seed", metavar="INTEGER", min=0, help="Of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Draw the figure: .svg, .pdf or .png.")
    ] = None,
) -> None:
    """Predict a nucleation dip from a calculated adhesion, with the uncertainty of every link between."""
    from sodiophile.cli.commands import show_result
    from sodiophile.physics.cell import load_cell
    from sodiophile.study import volts_tasks
    from sodiophile.study.volts import check_energies

    if sum(one is not None for one in (calculation, adhesion, adsorption)) != 1:
        raise InputError("expected one of a file of a calculation, --adhesion and --adsorption", "volts")
    given = {
        "adhesion": adhesion,
        "adsorption": adsorption,
        "surface_energy": surface_energy,
        "uncertainty": uncertainty,
    }
    check_energies(given)
    energies = volts_tasks.energies_of(given, None if calculation is None else _calculated(calculation))
    inputs = {
        "experiment": _dip(current_density),
        "quantity": "nucleation_overpotential",
        "draws": draws,
        "seed": seed,
    }
    found: Result = replace(volts_tasks.predicted(load_cell(electrode), inputs, energies), drawer=volts_tasks.draw)
    show_result(found, as_json=as_json, figure=figure)


def _calculated(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_RESULT_BYTES:
            raise InputError(f"is larger than {LARGEST_RESULT_BYTES} bytes, expected what 'calculate --json' printed", path)
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path) from None
    except (ValueError, RecursionError):
        raise InputError("is not JSON, expected what 'calculate adhesion STRUCTURE --json' printed", path) from None
    if not isinstance(found, dict) or not isinstance(found.get("quantities"), dict):
        raise InputError("holds no quantities, expected what 'calculate adhesion STRUCTURE --json' printed", path)
    return found


def _dip(current_density: str) -> dict[str, Any]:
    """Return a well sampled test of nucleation, without noise, as a study would ask for."""
    from sodiophile.experiments import experiment
    from sodiophile.schema import checked
    from sodiophile.study.calibration import noiseless
    from sodiophile.study.load import Job

    kind = experiment("nucleation")
    protocol = {"area": "1 cm^2", "current_density": current_density, "capacity": "1 mAh/cm^2"}
    sampling = {"rest": "60 s", "sampling_interval": "30 s", "voltage_interval": "1 mV", "shortest_interval": "1 ms"}
    assert kind.instrument is not None  # noqa: S101  nucleation has one
    job = Job("dip", "experiment", "nucleation", "", "", checked(kind.protocol, protocol, "volts"))
    job = replace(job, instrument=checked(kind.instrument, sampling, "volts"))
    return {"name": f"plating at {current_density}", **noiseless(job, "volts")}
