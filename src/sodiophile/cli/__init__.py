"""The commands. Results go to standard output, progress and messages to standard error.

Exit codes: 0 done; 1 the input is at fault; 2 usage; 3 an engine or an extra is missing; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from sodiophile.errors import MissingExtraError, SodiophileError

_INTERRUPTED = 130
# Packages that may be there by halves, so that looking for them finds them and importing them fails.
_EXTRAS = {
    "ase": "atomistic",
    "spglib": "atomistic",
    "torch": "atomistic",
    "sevenn": "atomistic",
    "chgnet": "chgnet",
    "gpaw": "dft",
    "fastnda": "neware",
    "fastexcel": "excel",
    "galvani": "biologic",
    "dask_jobqueue": "cluster",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments
        What follows the program's name; of the process by default.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # the shell closed it (>&-)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  open until the process ends
    with warnings.catch_warnings():
        if not sys.warnoptions and not _debugging():
            # what libraries warn programmers of; what concerns the user is in our messages and results
            warnings.simplefilter("ignore")
        code = _code(words)
    sys.exit(code)


def _code(words: list[str]) -> int:
    """Run a command line and return its exit code; every failure is one line on standard error."""
    try:
        from sodiophile.cli.commands import application

        code = application(words)(args=words, prog_name="sodiophile", standalone_mode=False)
        sys.stdout.flush()
        if code == _INTERRUPTED:  # typer catches Ctrl-C itself, and says nothing
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):
            return _reader_left()
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except SodiophileError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted; finished work is kept", _INTERRUPTED)
    except BrokenPipeError:
        return _reader_left()
    except Exception as error:
        if hasattr(error, "format_message"):
            return _misused(error)
        if isinstance(error, ImportError) and (extra := _EXTRAS.get((error.name or "").partition(".")[0])):
            return _fail(str(MissingExtraError(extra, f"this (for the package {error.name})")), MissingExtraError.exit_code)
        if _debugging():
            raise
        if isinstance(error, OSError) and error.strerror:
            return _no_output(error) if error.filename is None else _fail(f"{error.filename}: {error.strerror}", 1)
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"an error in sodiophile itself, please report it: {what} (SODIOPHILE_DEBUG=1 shows where)", 70)


def _debugging() -> bool:
    return bool(os.environ.get("SODIOPHILE_DEBUG"))


def _fail(message: str, code: int, program: str = "sodiophile") -> int:
    print(f"{program}: {message}", file=sys.stderr)  # noqa: T201
    return code


def _misused(error: Any) -> int:
    """Say what is wrong with the words of a command, or show its help where there are none."""
    context = getattr(error, "ctx", None)
    program = context.command_path if context is not None else "sodiophile"
    if context is not None and "NoArgs" in type(error).__name__:
        print(context.get_help(), file=sys.stderr)  # noqa: T201
        return 2
    message = " ".join(error.format_message().split()).rstrip(".")
    message = message.replace("Input should be", "should be")
    return _fail(f"{message[:1].lower()}{message[1:]}; see {program} --help", 2, program)


def _reader_left() -> int:
    """Leave quietly: the reader of a pipe (head) has what it wanted; Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
    return 0


def _no_output(error: OSError) -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
    return _fail(f"the result cannot be written: {error.strerror}", 1)
