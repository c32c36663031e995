"""What a library warns of and logs while it reads becomes notes of the record, not lines on the terminal."""

from __future__ import annotations

import logging
import warnings
from typing import Self


class Listener(logging.Handler):
    """Collects the log of one library, from warnings up, and Python's warnings, while it is entered.

    Parameters
    ----------
    library
        The name of its logger.
    """

    def __init__(self, library: str) -> None:
        super().__init__(logging.WARNING)
        self._heard: list[str] = []
        self._log = logging.getLogger(library)
        self._catch = warnings.catch_warnings(record=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line of the log."""
        self._heard.append((record.getMessage().splitlines() or [""])[0][:300])

    def __enter__(self) -> Self:
        self._warned = self._catch.__enter__()
        warnings.simplefilter("always")
        self._log.addHandler(self)
        self._propagate, self._log.propagate = self._log.propagate, False
        return self

    def __exit__(self, *exception: object) -> None:
        self._log.propagate = self._propagate
        self._log.removeHandler(self)
        self._catch.__exit__(None, None, None)
        self._heard += [str(warning.message).split(" - ")[0][:300] for warning in self._warned or []]

    def heard(self) -> list[str]:
        """Return what was heard, once each."""
        return list(dict.fromkeys(self._heard))
