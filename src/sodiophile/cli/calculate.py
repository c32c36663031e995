"""The command for any calculation: ``sodiophile calculate KIND STRUCTURE``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sodiophile.cli.words import PlainCommand

if TYPE_CHECKING:
    from sodiophile.result import Result


def calculate_application(
    words: Sequence[str], check_figure: Callable[[Path | None], None], show: Callable[..., None]
) -> typer.Typer:
    """Return the sub-application with a command a kind of calculation; only the kind that `words` name gets its options.

    Parameters
    ----------
    words
        The command line.
    check_figure
        Refuses a figure's file before anything is computed.
    show
        Prints a result.
    """
    from sodiophile.atomistic import calculation, kinds

    inner = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
    )
    # typer turns an application of one command into that command; a callback keeps it a group
    inner.callback()(_root)
    wanted = next((word for word in words[1:] if not word.startswith("-")), None)
    for kind in kinds():
        if kind != wanted:
            inner.command(kind, short_help=calculation(kind).summary if wanted is None else kind)(_root)
    if wanted is None:
        return inner
    chosen = calculation(wanted)
    from sodiophile.cli.options import with_options

    def calculate(
        structure: Annotated[
            str, typer.Argument(metavar="STRUCTURE", help="A crystal structure file, or a metal's symbol.")
        ],
        inputs: dict[str, Any],
        workers: Annotated[
            int | None, typer.Option("--workers", metavar="N", min=1, help="Processes to use (default: one a core).")
        ] = None,
        scheduler: Annotated[
            str | None, typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler to use instead.")
        ] = None,
        fresh: Annotated[bool, typer.Option("--fresh", help="Compute again what is already there.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
        figure: Annotated[
            Path | None,
            typer.Option("--figure", metavar="FILE", help="Draw the figure: .svg, .pdf or .png.", show_default=False),
        ] = None,
    ) -> None:
        from sodiophile import api

        if workers is not None and scheduler is not None:
            raise typer.BadParameter("give --workers or --scheduler, not both")
        check_figure(figure)
        found: Result = api.calculate(wanted, structure, workers=workers, scheduler=scheduler, fresh=fresh, **inputs)
        show(found, as_json=as_json, figure=figure)

    inner.command(wanted, cls=PlainCommand, help=f"{chosen.title}: {chosen.summary}.")(
        with_options(calculate, {"inputs": chosen.inputs}, frozenset({"structure"}))
    )
    return inner


def _root() -> None:
    pass
