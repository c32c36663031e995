"""The command that sets lifespans among published ones: ``sodiophile lifespan-comparison``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from sodiophile.errors import InputError

if TYPE_CHECKING:
    from sodiophile.study.lifespans import Own

LARGEST_RESULTS_BYTES = 200_000_000


def lifespan_comparison(
    reports: Annotated[
        list[Path] | None, typer.Argument(metavar="[REPORT...]", help="Reports of 'run' or 'batch', or their results.json.")
    ] = None,
    lifespan: Annotated[
        str | None, typer.Option("--lifespan", metavar="'> 900 h'", help="Of one cell; '>' if it had not failed.")
    ] = None,
    current_density: Annotated[
        str | None, typer.Option("--current-density", metavar="'NUMBER mA/cm^2'", help="Of that cell.")
    ] = None,
    capacity: Annotated[
        str | None, typer.Option("--capacity", metavar="'NUMBER mAh/cm^2'", help="Of a half cycle of that cell.")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="What that cell is called.")] = "mine",
    axis: Annotated[
        str, typer.Option("--axis", metavar="hours|cycles|plated capacity", help="What is compared.")
    ] = "hours",
    show: Annotated[
        str, typer.Option("--show", metavar="same conditions|all", help="At the same current and capacity, or all.")
    ] = "same conditions",
    published: Annotated[
        Path | None, typer.Option("--published", metavar="FILE", help="A CSV table with further published lifespans.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Draw the figure: .svg, .pdf or .png.")
    ] = None,
) -> None:
    """Set lifespans of your own among published ones, at the same current density and areal capacity."""
    from sodiophile.study import lifespans

    own = [one for report in reports or () for one in _of_report(report)]
    if lifespan is not None:
        own.append(_of_options(label, lifespan, current_density, capacity))
    elif current_density is not None or capacity is not None:
        raise InputError("missing; --current-density and --capacity describe a cell whose lifespan is given", "--lifespan")
    for name, value, known in (("--axis", axis, lifespans.Axis), ("--show", show, lifespans.Show)):
        if value not in get_args(known):
            raise InputError(f"found {value!r}, expected one of {', '.join(get_args(known))}", name)
    found = lifespans.lifespan_comparison(own, axis=axis, show=show, more=published)  # type: ignore[arg-type]
    if figure is not None:
        from sodiophile.report.figures import save_figure

        save_figure(found, figure)
        typer.echo(f"figure: {figure}", err=True)
    if as_json:
        payload = {**found.to_dict(), "tables": {name: table.to_dicts() for name, table in found.tables.items()}}
        typer.echo(json.dumps(payload, indent=1, ensure_ascii=False, allow_nan=False))
        return
    column = {"hours": "lifespan_h", "cycles": "cycles", "plated capacity": "plated_capacity_mAh_cm2"}[axis]
    from rich.console import Console

    from sodiophile.cli import show as printing

    console = Console(highlight=False)
    lines = [
        [
            row["condition"],
            row["bound"],
            f"{row[column]:.4g}",
            row["whose"],
            row["label"],
            row["electrolyte_state"],
            row["doi"],
        ]
        for row in found.table("lifespans").iter_rows(named=True)
    ]
    headers = ["conditions", "", lifespans.UNITS[axis], "whose", "anode", "electrolyte", "doi"]
    printing.rows("lifespans", headers, lines, console)
    for name, verdict in found.verdicts.items():
        typer.echo(f"{name}: {verdict.answer}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)


def _of_options(label: str, lifespan: str, current_density: str | None, capacity: str | None) -> Own:
    from sodiophile.quantity import Quantity, measure
    from sodiophile.study.lifespans import Own

    try:
        time = Quantity.parse(lifespan)
        if time.unit == "1":
            raise InputError(f"found {lifespan!r} without a unit, expected one such as '{lifespan} h'")
        time = time.to("h")
    except InputError as error:
        raise error.within("--lifespan") from None
    hours = time.value
    if hours <= 0:
        raise InputError(f"found {lifespan!r}, expected more than 0", "--lifespan")
    values = []
    for name, text, unit in (
        ("--current-density", current_density, "mA/cm^2"),
        ("--capacity", capacity, "mAh/cm^2"),
    ):
        if text is None:
            raise InputError("missing; lifespans are compared at the same conditions only", name)
        value = measure(text, unit, name)
        if value <= 0:
            raise InputError(f"found {text!r}, expected more than 0", name)
        values.append(value)
    j, charge = values
    bound = {"lower": "at least", "upper": "less than", None: ""}[time.bound]
    return Own(label, j, charge, hours, hours * j / (2 * charge), hours * j / 2, bound)


def _of_report(path: Path) -> list[Own]:
    """Return the lifespans in a report."""
    from sodiophile.quantity import Quantity
    from sodiophile.study.lifespans import own_of

    file = path / "results.json" if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_RESULTS_BYTES + 1)
        if len(content) > LARGEST_RESULTS_BYTES:
            raise InputError("is too large for the results of a report", file)
        jobs: list[dict[str, Any]] = json.loads(content)["jobs"]
        found = []
        for job in jobs:
            result = job["result"]
            if job["what"] != "experiment" or result is None or "lifespan" not in result["quantities"]:
                continue
            quantities = {name: Quantity.from_dict(entry) for name, entry in result["quantities"].items()}
            one = own_of(f"{job['name']}: {job['electrode']}", quantities, simulated=bool(result["simulated"]))
            if one is not None:
                found.append(one)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file) from None
    except InputError as error:
        raise error.within(file) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            "is no results.json of a report; name the folder that 'run' or 'batch' has written", file
        ) from None
    if not found:
        raise InputError("holds no lifespan; symmetric-cycling finds them", file)
    return found
