"""Engines: what gives energies and forces; one kind a file.

A module here whose name does not start with ``_`` offers ``ENGINES``, a tuple of `Engine`. Other packages offer theirs
through the entry point group ``sodiophile.engines``: the name of the engine, and an `Engine` or a function without
arguments that returns one. Any ASE calculator with a constructor that needs no arguments is taken by its import path,
``package.module:Class``, but only after `trust`: an import runs code, so the command line and a Python session may ask
for one and a study file may not.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from sodiophile.atomistic.engines.base import Accuracy, Engine
from sodiophile.errors import EngineError

__all__ = ["Accuracy", "Engine", "engine", "engine_of", "engines", "is_trusted", "trust"]

_TRUSTED: set[str] = set()


@cache
def _own() -> dict[str, Engine]:
    found: dict[str, Engine] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_") or module.name == "base":
            continue
        for one in importlib.import_module(f"{__name__}.{module.name}").ENGINES:
            found[one.name] = one
    return found


@cache
def _foreign(name: str) -> Engine | None:
    for point in entry_points(group="sodiophile.engines", name=name):
        try:
            loaded = point.load()
            made = loaded() if not isinstance(loaded, Engine) and callable(loaded) else loaded
        except Exception as error:  # noqa: BLE001  whatever a foreign module raises is one line about that module
            what = f"{type(error).__name__}: {error}"
            raise EngineError(f"the entry point {point.value!r} for the engine {name!r} cannot be loaded: {what}") from None
        if not isinstance(made, Engine):
            raise EngineError(f"the entry point {point.value!r} for the engine {name!r} is not an Engine")
        return made
    return None


def _names() -> list[str]:
    return [*_own(), *sorted({point.name for point in entry_points(group="sodiophile.engines")} - set(_own()))]


def engine(name: str) -> Engine:
    """Return an engine by its name, one of its aliases (in any case of letters), or a trusted import path.

    Raises
    ------
    EngineError
        If there is none of that name (the nearest is offered), or the import path is not trusted or not a calculator.
    """
    if ":" in name:
        return _imported(name)
    wanted = name.strip().lower()
    for one in _own().values():
        if wanted in {one.name.lower(), *(alias.lower() for alias in one.aliases)}:
            return one
    foreign = {other.lower(): other for other in _names()}.get(wanted)
    found = _foreign(foreign) if foreign is not None else None
    if found is not None:
        return found
    known = [*_names(), *(alias for one in _own().values() for alias in one.aliases)]
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_names())}"
    raise EngineError(f"{name!r} is not an engine; {hint}")


def engines() -> list[dict[str, Any]]:
    """Return one row an engine: its name, what it is, its error against DFT, the extra that brings it, if installed."""
    return [engine(name).row() for name in _names()]


def trust(import_path: str) -> None:
    """Allow an ASE calculator by its import path, ``package.module:Class``, in this process and in tasks planned here.

    Call it only with what a person typed at a prompt or wrote in a program, never with text from a study file.
    """
    _TRUSTED.add(import_path)


def is_trusted(import_path: str) -> bool:
    """Return whether `trust` was called for this import path in this process."""
    return import_path in _TRUSTED


def engine_of(identity: Mapping[str, Any], *, trusted: bool = False) -> Engine:
    """Return the engine with exactly this identity, for a task that was planned elsewhere.

    Parameters
    ----------
    identity
        What `Engine.identity` returned where the task was planned.
    trusted
        Whether an import path was trusted there.

    Raises
    ------
    EngineError
        If the engine here is another version or has other weights: its energies would not be those asked for.
    """
    name = str(identity["engine"])
    if trusted and ":" in name:
        trust(name)
    found = engine(name)
    here = found.identity()
    if here != dict(identity):
        differ = sorted(key for key in {*here, *identity} if here.get(key) != identity.get(key))
        what = "; ".join(f"{key} {identity.get(key)!r} planned, {here.get(key)!r} here" for key in differ)
        raise EngineError(f"the engine {name!r} differs from the one the task was planned with: {what}")
    return found


def _imported(path: str) -> Engine:
    if path not in _TRUSTED:
        raise EngineError(
            f"the engine {path!r} is an import path, which runs code of that module: it may be given on the command line "
            "or in Python (sodiophile.atomistic.engines.trust), not in a study file; an installed package can offer "
            "engines by name through the entry point group 'sodiophile.engines'"
        )
    from sodiophile.atomistic.engines.base import of_import_path

    return of_import_path(path)
