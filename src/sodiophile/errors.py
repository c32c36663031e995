"""The errors that a user may see: each one line that names the file, row or key, what was found and what was expected.

Every class carries the exit code of the command line: 1 the input is at fault, 3 an engine or an extra is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class SodiophileError(Exception):
    """Something the user can mend; printed as one line, never as a traceback."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class InputError(SodiophileError):
    """The input is at fault.

    Parameters
    ----------
    message
        What was found, what was expected, and what to do, in one sentence.
    where
        The file, row, column or key at fault; printed first.
    """

    def __init__(self, message: str, where: object = "") -> None:
        self.where = str(where)
        super().__init__(f"{where}: {message}" if str(where) else message)

    def within(self, where: object) -> InputError:
        """Return the same error, located in a larger thing (a file within a study, say)."""
        return InputError(str(self), where)


class MissingExtraError(SodiophileError):
    """An optional part of the installation is missing.

    Parameters
    ----------
    extra
        The extra that brings it, as in ``sodiophile[extra]``.
    what_for
        What the user wanted it for.
    """

    exit_code = 3

    def __init__(self, extra: str, what_for: str) -> None:
        self.extra = extra
        super().__init__(f"{what_for} needs an extra that is not installed: pip install 'sodiophile[{extra}]'")


class MissingProgramError(MissingExtraError):
    """A program of the operating system is missing.

    Parameters
    ----------
    program
        Its name.
    install
        The command that installs it.
    what_for
        What the user wanted it for.
    """

    def __init__(self, program: str, install: str, what_for: str) -> None:
        super().__init__(program, what_for)
        self.args = (f"{what_for} needs the program {program}, which is not installed: {install}",)


@contextmanager
def importing(extra: str, what_for: str) -> Iterator[None]:
    """Import inside this what an extra brings: a package that is not there is the line that names the extra.

    A module of sodiophile itself that is not there is a fault of ours and stays one.

    Parameters
    ----------
    extra, what_for
        As of `MissingExtraError`.

    Raises
    ------
    MissingExtraError
        If a package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "sodiophile":
            raise
        raise MissingExtraError(extra, what_for) from None


class EngineError(SodiophileError):
    """An engine is unknown, or failed at a calculation in a way that the line explains."""

    exit_code = 3


class SolverError(SodiophileError):
    """The equations of a simulation could not be solved to the end.

    Parameters
    ----------
    message
        When it stopped, and what drove the cell there.
    so_far
        The solution up to that moment, None where there is none.
    """

    def __init__(self, message: str, so_far: object = None) -> None:
        self.so_far = so_far
        super().__init__(message)
