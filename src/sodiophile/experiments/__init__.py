"""One kind of measurement a file (a folder once it outgrows one), each with protocol, analysis, virtual instrument, figure.

A module here is an experiment if its name does not start with ``_``; it offers ``EXPERIMENT``. Its kind is its name with
``-`` for ``_``. Other packages offer theirs through the entry point group ``sodiophile.experiments``.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from sodiophile.errors import InputError
from sodiophile.experiments.base import Experiment, Protocol

__all__ = ["Experiment", "Protocol", "experiment", "kinds"]


def kinds() -> list[str]:
    """Return the kinds of experiment that are there, without importing them."""
    own = [module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__) if _is_kind(module.name)]
    return sorted({*own, *(point.name for point in entry_points(group="sodiophile.experiments"))})


def _is_kind(name: str) -> bool:
    return not name.startswith("_") and name != "base"


@cache
def experiment(kind: str) -> Experiment:
    """Return the experiment of a kind.

    Raises
    ------
    InputError
        If there is none of that name (the nearest is offered), or another package offers one that cannot be loaded.
    """
    if kind not in kinds():
        near = difflib.get_close_matches(kind, kinds(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(kinds())}"
        raise InputError(f"{kind!r} is not a kind of experiment; {hint}")
    for point in entry_points(group="sodiophile.experiments", name=kind):
        try:
            loaded = point.load()
        except Exception as error:  # noqa: BLE001  whatever a foreign module raises is one line about that module
            raise InputError(
                f"the entry point {point.value!r} for {kind!r} cannot be loaded: {type(error).__name__}: {error}"
            ) from None
        if not isinstance(loaded, Experiment):
            raise InputError(f"the entry point {point.value!r} for {kind!r} is not an Experiment")
        return loaded
    found = importlib.import_module(f"{__name__}.{kind.replace('-', '_')}").EXPERIMENT
    assert isinstance(found, Experiment)  # noqa: S101  our own module
    return found
