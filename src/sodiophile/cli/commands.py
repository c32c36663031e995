"""What each command takes and does; the work itself is in `sodiophile.api` and below."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sodiophile._version import __version__
from sodiophile.cli.words import PlainCommand
from sodiophile.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from sodiophile.result import Result

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Figure = Annotated[
    Path | None, typer.Option("--figure", metavar="FILE", help="Draw the figure: .svg, .pdf or .png.", show_default=False)
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="NAME=HEADER", help="Which header holds a column, as 'current_ampere=I [mA]'; repeat."
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, help="Processes to use (default: one a core).")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Compute again what is already there.")]

_SETTINGS = {"help_option_names": ["-h", "--help"]}


def application(words: Sequence[str]) -> typer.Typer:
    """Return the application for a command line.

    Only the command that `words` name gets its options from the models of its inputs, so that ``--help`` stays quick.
    """
    app = typer.Typer(
        name="sodiophile",
        help="From crystal to cycle life: metal anodes with artificial interlayers.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings=_SETTINGS,
    )
    app.callback()(_root)
    app.command("run", cls=PlainCommand, help="Run a study and write its report.")(_run)
    app.add_typer(_per_kind("analyze", words), name="analyze", help="Analyze the files of one kind of experiment.")
    app.add_typer(_per_kind("simulate", words), name="simulate", help="Let a virtual instrument make a record.")
    if words[:1] == ["batch"]:
        from sodiophile.cli.batch import batch_application

        app.add_typer(batch_application(words), name="batch", help="Analyze many cells and compare their groups.")
    else:
        app.command("batch", help="Analyze many cells and compare their groups.")(_nothing)
    if words[:1] == ["calculate"]:
        from sodiophile.cli.calculate import calculate_application

        application_of_kinds = calculate_application(words, _check_figure, show_result)
        app.add_typer(application_of_kinds, name="calculate", help="Any calculation from a crystal structure.")
    else:
        app.command("calculate", help="Any calculation from a crystal structure.")(_nothing)
    if words[:1] == ["adsorption"]:
        from sodiophile.atomistic import calculation
        from sodiophile.cli.options import with_options

        model = {"inputs": calculation("adsorption").inputs}
        app.command("adsorption", cls=PlainCommand)(with_options(_adsorption, model, frozenset({"structure"})))
    else:
        app.command("adsorption", help="How strongly an atom binds to each site of a surface.")(_nothing)
    if words[:1] == ["screen"]:
        from sodiophile.atomistic import calculation
        from sodiophile.cli.options import with_options

        model = {"inputs": calculation("adsorption").inputs}
        app.command("screen", cls=PlainCommand)(with_options(_screen, model, frozenset({"structure"})))
    else:
        app.command("screen", help="Rank many candidates for an interlayer.")(_nothing)
    if words[:1] == ["read"]:
        from sodiophile.cli.options import with_options
        from sodiophile.readers import ReadOptions

        app.command("read", cls=PlainCommand)(with_options(_read, {"options": ReadOptions}, frozenset({"columns"})))
    else:
        app.command("read", help="What is in this file? Convert it to BDF.")(_nothing)
    if words[:1] == ["lifespan-comparison"]:
        from sodiophile.cli.lifespans import lifespan_comparison

        app.command("lifespan-comparison")(lifespan_comparison)
    else:
        app.command("lifespan-comparison", help="Set lifespans of your own among published ones.")(_nothing)
    if words[:1] == ["volts"]:
        from sodiophile.cli.volts import volts

        app.command("volts")(volts)
    else:
        app.command("volts", help="Predict a nucleation dip from a calculated adhesion.")(_nothing)
    app.command("record", cls=PlainCommand, help="Keep long calculations of a study beside its file.")(_record)
    app.command("kinds", help="What it can do here.")(_kinds)
    app.command("formats", help="Which files it reads, and missing extras.")(_formats)
    app.command("engines", help="Sources of energies and forces, and missing extras.")(_engines)
    app.command("new", cls=PlainCommand, help="Start a study: a commented file to fill in.")(_new)
    return app


def _per_kind(verb: str, words: Sequence[str]) -> typer.Typer:
    """Return the sub-application with a command a kind of experiment."""
    inner = typer.Typer(no_args_is_help=True, rich_markup_mode=None, context_settings=_SETTINGS)
    # typer turns an application of one command into that command; a callback keeps it a group
    inner.callback()(_root_of_kind)
    if words[:1] != [verb]:
        inner.command("kind")(_nothing)
        return inner
    from sodiophile.experiments import experiment, kinds

    wanted = next((word for word in words[1:] if not word.startswith("-")), None)
    for kind in kinds():
        if kind != wanted:
            # only the list of all kinds shows what each is
            inner.command(kind, short_help=experiment(kind).summary if wanted is None else kind)(_nothing)
    if wanted is None:
        return inner
    chosen = experiment(wanted)
    from sodiophile.cli.options import with_options
    from sodiophile.readers import ReadOptions

    if verb == "analyze":

        def analyze(
            files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of one test, in order.")],
            protocol: dict[str, Any],
            options: dict[str, Any],
            column: Column = None,
            as_json: Json = False,
            figure: Figure = None,
        ) -> None:
            _analyze(wanted, files, protocol, {**options, **_columns(column)}, as_json=as_json, figure=figure)

        models: dict[str, type[BaseModel]] = {"protocol": chosen.protocol, "options": ReadOptions}
        inner.command(wanted, cls=PlainCommand, help=chosen.summary)(with_options(analyze, models, frozenset({"columns"})))
    else:

        def simulate(
            electrode: Annotated[str, typer.Option("--electrode", metavar="NAME|FILE", help="A cell, by name or file.")],
            output: Annotated[
                Path, typer.Option("--output", "-o", metavar="RECORD", help="A .bdf.csv, .parquet, .mpt or .z file.")
            ],
            protocol: dict[str, Any],
            instrument: dict[str, Any],
            seed: Annotated[int, typer.Option("--seed", metavar="INTEGER", min=0, help="Of the noise.")] = 0,
        ) -> None:
            _simulate(wanted, electrode, output, protocol, instrument, seed)

        if chosen.instrument is None:
            raise InputError(f"{wanted!r} has no virtual instrument")
        models = {"protocol": chosen.protocol, "instrument": chosen.instrument}
        inner.command(wanted, cls=PlainCommand, help=f"Simulate: {chosen.summary}")(with_options(simulate, models))
    return inner


def _columns(pairs: list[str] | None) -> dict[str, Any]:
    if not pairs:
        return {}
    columns = {}
    for pair in pairs:
        name, equals, header = pair.partition("=")
        if not equals or not name or not header:
            raise InputError(f"found {pair!r}, expected NAME=HEADER such as 'current_ampere=I [mA]'", "--column")
        columns[name.strip()] = header.strip()
    return {"columns": columns}


def _nothing() -> None:
    raise InputError("this command was asked for in an unexpected way")


def _root_of_kind() -> None:
    pass


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sodiophile {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _console(*, error: bool = False) -> Console:
    from rich.console import Console

    # a pipe has no width of its own: leave long definitions on one line there
    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, highlight=False, width=None if stream.isatty() else 160)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def show_result(found: Result, *, as_json: bool, figure: Path | None) -> None:
    """Print a result as people or as programs read it, and save its figure where one is asked for."""
    if figure is not None:
        from sodiophile.report.figures import save_figure

        save_figure(found, figure)
    if as_json:
        _print_json(found.to_dict())
    else:
        from sodiophile.cli import show

        show.result(found, _console())
    if figure is not None:
        typer.echo(f"figure: {figure}", err=True)


def _check_figure(figure: Path | None) -> None:
    if figure is not None:
        from sodiophile.report.figures import check_figure_path

        check_figure_path(figure)


def _analyze(
    kind: str, files: list[Path], protocol: dict[str, Any], options: dict[str, Any], *, as_json: bool, figure: Path | None
) -> None:
    from sodiophile import api
    from sodiophile.experiments import experiment
    from sodiophile.readers.guard import panics_unsaid

    _check_figure(figure)
    told = {"record": experiment(kind).record, **options}
    with panics_unsaid():
        records = [api.read(file, **told) for file in files]
    show_result(api.analyze(kind, records, **protocol), as_json=as_json, figure=figure)


def _simulate(
    kind: str, electrode: str, output: Path, protocol: dict[str, Any], instrument: dict[str, Any], seed: int
) -> None:
    from sodiophile import api, readers
    from sodiophile.errors import SolverError
    from sodiophile.records import CyclingRecord

    try:
        record = api.simulate(kind, electrode, seed=seed, instrument=instrument, **protocol)
    except SolverError as error:
        if isinstance(error.so_far, CyclingRecord):
            readers.write(error.so_far, output)
            raise SolverError(f"{error}; {output} holds the record up to there", error.so_far) from None
        raise
    readers.write(record, output)
    typer.echo(f"{output}: {len(record)} rows, simulated", err=True)
    for note in record.notes:
        typer.echo(note, err=True)


def _adsorption(
    structure: Annotated[str, typer.Argument(metavar="STRUCTURE", help="A crystal structure file, or a metal's symbol.")],
    inputs: dict[str, Any],
    workers: Workers = None,
    fresh: Fresh = False,
    as_json: Json = False,
    figure: Figure = None,
) -> None:
    """How strongly an atom binds to each site of a surface."""
    from sodiophile import api

    _check_figure(figure)
    show_result(api.adsorption(structure, workers=workers, fresh=fresh, **inputs), as_json=as_json, figure=figure)


def _screen(
    candidates: Annotated[list[Path], typer.Argument(metavar="CANDIDATE...", help="Crystal structure files, or metals.")],
    inputs: dict[str, Any],
    workers: Workers = None,
    fresh: Fresh = False,
    as_json: Json = False,
    figure: Figure = None,
) -> None:
    """Rank many candidates for an interlayer by how strongly they bind the metal."""
    from sodiophile import api

    _check_figure(figure)
    show_result(api.screen(candidates, workers=workers, fresh=fresh, **inputs), as_json=as_json, figure=figure)


def _read(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of an instrument.")],
    options: dict[str, Any],
    column: Column = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it as .bdf.csv, .parquet, .mpt or .z.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is in this file; convert it to BDF."""
    from sodiophile import readers
    from sodiophile.readers.guard import panics_unsaid
    from sodiophile.schema import checked

    chosen = checked(readers.ReadOptions, {**options, **_columns(column)}, "read")
    if output is not None and output.exists() and file.exists() and output.samefile(file):
        raise InputError("is the file that is read; nothing was written, name another one", output)
    with panics_unsaid():
        content = readers.describe(file, chosen)
        if output is not None:
            readers.write(readers.read(file, chosen), output)
    if as_json:
        _print_json(content)
    else:
        from sodiophile.cli import show

        show.tree(content, _console())
    if output is not None:
        typer.echo(f"written: {output}", err=True)


def _run(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study file, or the folder with a study.toml.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the report goes (default: results beside the study).")
    ] = None,
    only: Annotated[str | None, typer.Option("--only", metavar="NAME", help="Run this one of the study.")] = None,
    workers: Workers = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler to use instead of this machine.")
    ] = None,
    fresh: Fresh = False,
) -> None:
    from sodiophile import report
    from sodiophile.study.run import report_folder
    from sodiophile.study.run import run as run_study

    if workers is not None and scheduler is not None:
        raise typer.BadParameter("give --workers or --scheduler, not both")
    place = report_folder(study) if out is None else out
    report.check_place(place)
    outcome = run_study(study, only=only, workers=workers, scheduler=scheduler, fresh=fresh, progress=True)
    page = report.write(outcome, place)
    failed = [job for job in outcome.jobs if job.error]
    for job in failed:
        typer.echo(f"sodiophile: {job.title}: {job.error}", err=True)
    typer.echo(str(page))
    if failed:
        raise typer.Exit(code=1)


def _record(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study file, or the folder with a study.toml.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Keep this calculation (default: those by DFT).")
    ] = None,
) -> None:
    """Copy finished calculations into the folder 'store' beside the study, which travels with it."""
    from sodiophile.study.record import record_study

    for title, count in record_study(study, tuple(only or ())).items():
        typer.echo(f"{title}: " + (f"{count} pieces copied" if count else "nothing new to copy"))


def _kinds(as_json: Json = False) -> None:
    from sodiophile import atomistic, experiments

    lines: list[dict[str, Any]] = []
    for kind in experiments.kinds():
        try:
            chosen = experiments.experiment(kind)
        except InputError as error:  # somebody else's is broken; the others are there all the same
            lines.append({"kind": kind, "is": "experiment", "virtual_instrument": False, "summary": str(error)})
            continue
        lines.append(
            {
                "kind": kind,
                "is": "experiment",
                "virtual_instrument": chosen.simulate is not None,
                "summary": chosen.summary,
            }
        )
    for kind in atomistic.kinds():
        summary = atomistic.calculation(kind).summary
        lines.append({"kind": kind, "is": "calculation", "virtual_instrument": False, "summary": summary})
    if as_json:
        _print_json({"kinds": lines})
        return
    from sodiophile.cli import show

    texts = [[_cell(line[key]) for key in ("kind", "is", "virtual_instrument", "summary")] for line in lines]
    show.rows("kinds", ["kind", "is", "virtual instrument", "what it does"], texts, _console())


def _listed(title: str, entries: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        _print_json({title: list(entries)})
        return
    from sodiophile.cli import show

    headers = list(entries[0]) if entries else []
    lines = [[_cell(entry[header]) for header in headers] for entry in entries]
    show.rows(title, [header.replace("_", " ") for header in headers], lines, _console())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(entry) for entry in value)
    return "" if value is None else str(value)


def _formats(as_json: Json = False) -> None:
    from sodiophile import readers

    _listed("formats", readers.formats(), as_json=as_json)


def _engines(as_json: Json = False) -> None:
    from sodiophile.atomistic.engines import engines

    _listed("engines", engines(), as_json=as_json)


def _new(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")]) -> None:
    from sodiophile.study.run import new

    typer.echo(str(new(directory)))
