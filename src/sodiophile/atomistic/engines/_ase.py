"""Any ASE calculator: by its name in ASE (``lj``), or by its import path (``package.module:Class``), with settings.

Settings of the constructor follow the name as a JSON object: ``lj {"sigma": 2.5, "epsilon": 0.2, "rc": 8}``. Calculators
run programs that their settings may name, so settings, like import paths, need trust.
"""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import Any

from sodiophile.atomistic.engines.base import Engine
from sodiophile.errors import EngineError
from sodiophile.task import canonical_json


def split(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the settings of an engine as a user writes them.

    Raises
    ------
    EngineError
        If what follows the name is no JSON object.
    """
    name, brace, rest = text.strip().partition("{")
    if not brace:
        return name.strip(), {}
    try:
        settings = json.loads(brace + rest)
        canonical_json(settings)
    except ValueError as error:
        raise EngineError(f"the settings of the engine {name.strip()!r} are no JSON object: {error}") from None
    return name.strip(), settings


def canonical(text: str) -> str:
    """Return the one way to write an engine with settings, so that equal ones have one key."""
    name, settings = split(text)
    return f"{name} {canonical_json(settings)}" if settings else name


@cache
def ase_names() -> frozenset[str]:
    """Return the names of ASE's calculators; empty where ASE is not installed."""
    try:
        from ase.calculators.calculator import names
    except ModuleNotFoundError:
        return frozenset()
    return frozenset(names)


def of_ase(text: str) -> Engine:
    """Return the engine around an ASE calculator, by name or import path, with or without settings.

    Raises
    ------
    EngineError
        If there is no such calculator.
    """
    return _of_ase(canonical(text))


@cache
def _of_ase(text: str) -> Engine:
    name, settings = split(text)
    found: Any
    try:
        if ":" in name:
            module_name, _, class_name = name.partition(":")
            found = getattr(importlib.import_module(module_name), class_name)
            package = module_name.partition(".")[0]
        else:
            from ase.calculators.calculator import get_calculator_class

            found = get_calculator_class(name)
            package = found.__module__.partition(".")[0]
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError(f"no calculator at {name!r}: {error}") from error
    if not callable(found) or not hasattr(found, "get_potential_energy"):
        raise EngineError(f"{name!r} is not an ASE calculator class")
    return Engine(
        name=text,
        summary="an ASE calculator",
        package=package,
        extra="",
        make=lambda: found(**settings),
        settings=settings,
    )
