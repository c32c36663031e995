"""How a command shows its arguments in ``--help``: by their names alone, whatever typer makes of their types."""

from __future__ import annotations

from typing import Any

import typer.core


class PlainCommand(typer.core.TyperCommand):
    """A command whose help says ``run [OPTIONS] STUDY``, not ``run [OPTIONS] {STUDY}`` and ``STUDY <path>``."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for parameter in self.params:
            if parameter.param_type_name == "argument":
                # typer before 0.20 shows names alone and looks at neither
                name = parameter.metavar or str(parameter.name).upper()
                vars(parameter).update(display_type_rich=lambda **_: "", _usage_display_name=lambda shown=name: shown)
