"""What task functions of every calculation need: the engine they were planned with, versions, a converged outcome."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from sodiophile.atomistic.engines import Engine, engine_of
from sodiophile.errors import EngineError


def engine_for(inputs: Mapping[str, Any], context: Mapping[str, Any]) -> Engine:
    """Return the engine that a task was planned with.

    Raises
    ------
    EngineError
        If the one installed here is another version or has other weights.
    """
    return engine_of(inputs["engine"], trusted=bool(context.get("trusted", False)))


def versions(engine: Engine) -> dict[str, str]:
    """Return the versions of the packages, the engine's own aside, that decide an energy."""
    names = ["ase", "numpy"] + (["torch"] if engine.extra and engine.package != "ase" and not engine.is_dft else [])
    return {name: version(name) for name in names}


def require(outcome: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    """Return the outcome of a relaxation that others are referred to.

    Raises
    ------
    EngineError
        If it did not converge.
    """
    if not outcome["converged"]:
        raise EngineError(
            f"{what} did not relax within {outcome['steps'] - 1} steps (largest force {outcome['fmax_eV_A']:.3f} eV/A): "
            "nothing can be referred to it; raise max_steps, or the engine does not describe this material"
        )
    return outcome
