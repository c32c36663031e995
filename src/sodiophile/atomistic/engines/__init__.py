"""Engines: what gives energies and forces; one kind a file.

A module here whose name does not start with ``_`` offers ``ENGINES``, a tuple of `Engine`, and ``configured(options)`` if
its engine takes options in brackets behind the name. Other packages offer theirs through the entry point group
``sodiophile.engines``: the name of the engine, and an `Engine` or a function without arguments that returns one. Engines
of other environments, in processes of their own, are declared by the user in the file that the environment variable
SODIOPHILE_ENGINES names (`sodiophile.atomistic.engines._process`). Any ASE calculator is taken by its name in ASE or by
its import path, ``package.module:Class``, with the arguments of its constructor behind it as JSON
(`sodiophile.atomistic.engines._ase`). Import paths and arguments need `trust`: they run code, so the command line and a
Python session may give them and a study file may not.
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

__all__ = ["Accuracy", "Engine", "engine", "engine_of", "engines", "is_trusted", "needs_trust", "trust"]

_TRUSTED: set[str] = set()


@cache
def _modules() -> tuple[Any, ...]:
    names = [found.name for found in pkgutil.iter_modules(__path__)]
    modules = (
        importlib.import_module(f"{__name__}.{name}") for name in names if not name.startswith("_") and name != "base"
    )
    return tuple(module for module in modules if hasattr(module, "ENGINES"))


@cache
def _own() -> dict[str, Engine]:
    return {one.name: one for module in _modules() for one in module.ENGINES}


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
    from sodiophile.atomistic.engines._process import declared

    others = {point.name for point in entry_points(group="sodiophile.engines")} | set(declared())
    return [*_own(), *sorted(others - set(_own()))]


def engine(name: str) -> Engine:
    """Return an engine by its name, one of its aliases (in any case of letters), or a trusted ASE calculator.

    Raises
    ------
    EngineError
        If there is none of that name (the nearest is offered), or the import path is not trusted or not a calculator.
    """
    if needs_trust(name):
        return _trusted(name)
    if "[" in name:
        return _with_options(name)
    wanted = name.strip().lower()
    for one in _own().values():
        if wanted in {one.name.lower(), *(alias.lower() for alias in one.aliases)}:
            return one
    foreign = {other.lower(): other for other in _names()}.get(wanted)
    if foreign is not None:
        found = _declared(foreign) or _foreign(foreign)
        if found is not None:
            return found
    from sodiophile.atomistic.engines._ase import ase_names, of_ase

    if wanted in ase_names():
        return of_ase(wanted)
    known = [*_names(), *(alias for one in _own().values() for alias in one.aliases)]
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_names())}"
    raise EngineError(f"{name!r} is not an engine; {hint}")


def _with_options(name: str) -> Engine:
    """Return an engine with the options in brackets behind its name: ``gpaw[xc=RPBE, ecut=450]``."""
    base, _, rest = name.partition("[")
    one = engine(base)
    module = next((m for m in _modules() if one in m.ENGINES and hasattr(m, "configured")), None)
    if module is None:
        raise EngineError(f"{name!r}: the engine {one.name!r} takes no options")
    pairs = [part.split("=") for part in rest.strip().removesuffix("]").split(",") if part.strip()]
    if not rest.strip().endswith("]") or any(len(pair) != 2 for pair in pairs):
        raise EngineError(f"found {name!r}, expected options such as {one.name}[xc=PBE, ecut=400]")
    configured: Engine = module.configured({key.strip(): value.strip() for key, value in pairs})
    return configured


def engines() -> list[dict[str, Any]]:
    """Return one row an engine: its name, what it is, its error against DFT, the extra that brings it, if installed."""
    return [engine(name).row() for name in _names()]


def _declared(name: str) -> Engine | None:
    from sodiophile.atomistic.engines._process import declared

    return declared().get(name)


def needs_trust(name: str) -> bool:
    """Return whether an engine is an import path or carries arguments, which a study file may not give."""
    return ":" in name or "{" in name


def trust(name: str) -> None:
    """Allow an ASE calculator by import path or with arguments, in this process and in tasks planned here.

    Call it only with what a person typed at a prompt or wrote in a program, never with text from a study file.
    """
    from sodiophile.atomistic.engines._ase import canonical

    _TRUSTED.add(canonical(name))


def is_trusted(name: str) -> bool:
    """Return whether `trust` was called for this engine in this process."""
    from sodiophile.atomistic.engines._ase import canonical

    return canonical(name) in _TRUSTED


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
    if trusted and needs_trust(name):
        trust(name)
    found = engine(name)
    here = found.identity()
    if here != dict(identity):
        differ = sorted(key for key in {*here, *identity} if here.get(key) != identity.get(key))
        what = "; ".join(f"{key} {identity.get(key)!r} planned, {here.get(key)!r} here" for key in differ)
        raise EngineError(f"the engine {name!r} differs from the one the task was planned with: {what}")
    return found


def _trusted(name: str) -> Engine:
    from sodiophile.atomistic.engines._ase import of_ase, split

    if not is_trusted(name):
        what = "an import path, which runs" if ":" in split(name)[0] else "given with arguments, which may run"
        raise EngineError(
            f"the engine {name!r} is {what} code of that module: it may be given on the command line "
            "or in Python (sodiophile.atomistic.engines.trust), not in a study file; an installed package can offer "
            "engines by name through the entry point group 'sodiophile.engines'"
        )
    return of_ase(name)
