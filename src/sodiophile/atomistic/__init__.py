"""Calculations from crystal structures: slabs, sites, adsorption; engines are found in `sodiophile.atomistic.engines`."""

from __future__ import annotations

import difflib
import importlib

from sodiophile.atomistic.base import Calculation
from sodiophile.errors import InputError

__all__ = ["Calculation", "calculation", "kinds"]

_MODULES = {
    "adhesion": "sodiophile.atomistic.adhesion",
    "adsorption": "sodiophile.atomistic.adsorption",
    "bulk": "sodiophile.atomistic.bulk",
    "charge-density": "sodiophile.atomistic.charge_density",
    "committee": "sodiophile.atomistic.committee",
    "convergence": "sodiophile.atomistic.convergence",
    "diffusion": "sodiophile.atomistic.diffusion",
    "site-map": "sodiophile.atomistic.site_map",
    "surface-energy": "sodiophile.atomistic.surface_energy",
    "stability": "sodiophile.atomistic.stability",
    "starts": "sodiophile.atomistic.starts",
    "substitution": "sodiophile.atomistic.substitution",
}


def kinds() -> list[str]:
    """Return the kinds of calculation that are there, without importing them."""
    return sorted(_MODULES)


def calculation(kind: str) -> Calculation:
    """Return the calculation of a kind.

    Raises
    ------
    InputError
        If there is none of that name; the nearest name is offered.
    """
    if kind not in _MODULES:
        near = difflib.get_close_matches(kind, kinds(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(kinds())}"
        raise InputError(f"{kind!r} is not a kind of calculation; {hint}")
    found = importlib.import_module(_MODULES[kind]).CALCULATION
    assert isinstance(found, Calculation)  # noqa: S101  our own module
    return found
