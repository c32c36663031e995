"""sodiophile: from crystal to cycle life, for metal anodes protected by artificial interlayers.

>>> import sodiophile as sp
>>> record = sp.read("cell.mpt")                              # doctest: +SKIP
>>> result = sp.analyze("nucleation", record, area="1.13 cm^2")  # doctest: +SKIP
>>> print(result.quantities["nucleation_overpotential"])      # doctest: +SKIP
36.1(4) mV
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sodiophile._version import __version__

if TYPE_CHECKING:
    from sodiophile.api import adsorption, analyze, calculate, kinds, read, run, screen, simulate
    from sodiophile.errors import InputError, MissingExtraError, SodiophileError
    from sodiophile.quantity import Quantity
    from sodiophile.result import Result

# looked up on first use: importing sodiophile imports nothing heavy
_HOMES = {
    "adsorption": "sodiophile.api",
    "analyze": "sodiophile.api",
    "calculate": "sodiophile.api",
    "kinds": "sodiophile.api",
    "read": "sodiophile.api",
    "run": "sodiophile.api",
    "screen": "sodiophile.api",
    "simulate": "sodiophile.api",
    "InputError": "sodiophile.errors",
    "MissingExtraError": "sodiophile.errors",
    "SodiophileError": "sodiophile.errors",
    "Quantity": "sodiophile.quantity",
    "Result": "sodiophile.result",
}

__all__ = [
    "InputError",
    "MissingExtraError",
    "Quantity",
    "Result",
    "SodiophileError",
    "__version__",
    "adsorption",
    "analyze",
    "calculate",
    "kinds",
    "read",
    "run",
    "screen",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sodiophile' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
