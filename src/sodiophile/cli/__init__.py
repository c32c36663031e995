"""The commands. Results go to standard output, progress and messages to standard error.

Exit codes: 0 done; 1 the input is at fault; 2 usage; 3 an engine or an extra is missing; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sodiophile.errors import SodiophileError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments
        What follows the program's name; of the process by default.
    """
    from sodiophile.cli.commands import application

    words = list(sys.argv[1:] if arguments is None else arguments)
    code = 0
    try:
        application(words)(args=words, prog_name="sodiophile", standalone_mode=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except SodiophileError as error:
        print(f"sodiophile: {error}", file=sys.stderr)  # noqa: T201
        code = error.exit_code
    except KeyboardInterrupt:
        print("sodiophile: interrupted; finished work is kept", file=sys.stderr)  # noqa: T201
        code = 130
    except BrokenPipeError:
        # the reader of a pipe (head) has left; Python would complain once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if os.environ.get("SODIOPHILE_DEBUG"):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        line = f"sodiophile: an error in sodiophile itself, please report it: {what} (SODIOPHILE_DEBUG=1 shows where)"
        print(line, file=sys.stderr)  # noqa: T201
        code = 70
    sys.exit(code)
