"""The command for many cells: ``sodiophile batch KIND FOLDER|TABLE.csv``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sodiophile.cli.words import PlainCommand


def batch_application(words: Sequence[str]) -> typer.Typer:
    """Return the sub-application with a command a kind of experiment; only the kind that `words` name gets its options."""
    from sodiophile.experiments import experiment, kinds

    inner = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
    )
    # typer turns an application of one command into that command; a callback keeps it a group
    inner.callback()(_root)
    wanted = next((word for word in words[1:] if not word.startswith("-")), None)
    for kind in kinds():
        if kind != wanted:
            inner.command(kind, short_help=experiment(kind).summary if wanted is None else kind)(_root)
    if wanted is None:
        return inner
    chosen = experiment(wanted)
    from sodiophile.cli.options import with_options
    from sodiophile.readers import ReadOptions

    def batch(
        cells: Annotated[
            Path,
            typer.Argument(
                metavar="FOLDER|TABLE.csv", help="One file a cell, folders are groups; or a table: file, group..."
            ),
        ],
        protocol: dict[str, Any],
        options: dict[str, Any],
        group_by: Annotated[
            str | None,
            typer.Option("--group-by", metavar="COLUMN", help="The column that names the group (default: group)."),
        ] = None,
        compare: Annotated[
            list[str] | None,
            typer.Option("--compare", metavar="QUANTITY", help="Test only this quantity between groups; repeat."),
        ] = None,
        out: Annotated[
            Path | None, typer.Option("--out", metavar="DIR", help="Where the report goes (default: beside the cells).")
        ] = None,
        workers: Annotated[
            int | None, typer.Option("--workers", metavar="N", min=1, help="Processes to use (default: one a core).")
        ] = None,
        scheduler: Annotated[
            str | None, typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler to use instead.")
        ] = None,
        fresh: Annotated[bool, typer.Option("--fresh", help="Compute again what is already there.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    ) -> None:
        from sodiophile import report
        from sodiophile.study.batch import default_report, run_batch

        if workers is not None and scheduler is not None:
            raise typer.BadParameter("give --workers or --scheduler, not both")
        outcome = run_batch(
            wanted, cells, protocol=protocol, read=options, group_by=group_by, compare=compare or (), workers=workers,
            scheduler=scheduler, fresh=fresh,
        )  # fmt: skip
        page = report.write(outcome, default_report(wanted, cells) if out is None else out)
        failed = [job for job in outcome.jobs if job.error]
        for job in failed:
            typer.echo(f"sodiophile: {job.title}: {job.error}", err=True)
        if as_json:
            typer.echo(json.dumps(_object(wanted, outcome), indent=1, ensure_ascii=False, allow_nan=False))
        else:
            for sentence in outcome.findings:
                typer.echo(sentence)
        typer.echo(str(page), err=as_json)
        if failed:
            raise typer.Exit(code=1)

    inner.command(wanted, cls=PlainCommand, help=f"Many cells in one go: {chosen.summary}")(
        with_options(batch, {"protocol": chosen.protocol, "options": ReadOptions}, frozenset({"columns"}))
    )
    return inner


def _object(kind: str, outcome: Any) -> dict[str, Any]:
    """Return what ``--json`` prints: every cell with its result or its error, and the groups."""
    groups = next((job.result for job in outcome.jobs if job.kind == "replicates"), None)
    return {
        "kind": kind,
        "cells": [
            {
                "cell": job.name,
                "group": job.electrode,
                "error": job.error,
                "result": None if job.result is None else job.result.to_dict(),
            }
            for job in outcome.jobs
            if job.kind != "replicates"
        ],
        "groups": None
        if groups is None
        else {**groups.to_dict(), "tables": {name: groups.tables[name].to_dicts() for name in groups.tables}},
        "warnings": list(outcome.warnings),
    }


def _root() -> None:
    pass
