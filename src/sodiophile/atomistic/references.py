"""Reference energies: what an adsorption energy is measured from."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity

_DEFINITION = "energy per atom to take the bulk metal apart into free atoms"


def cohesive_energy(element: str, override_eV: float | None = None) -> Quantity:
    """Return the cohesive energy of a metal: free atom minus bulk, per atom, positive.

    Parameters
    ----------
    element
        Chemical symbol.
    override_eV
        The user's own number instead of the tabulated one.

    Returns
    -------
    Quantity
        In eV (per atom), status ``assumed``, with its source. The tabulated ones are experimental; their standard
        uncertainty is half a unit of the last digit printed, for want of a better one.

    Raises
    ------
    InputError
        If the element is not tabulated and no number is given.
    """
    if override_eV is not None:
        return Quantity(override_eV, "eV", None, _DEFINITION, "assumed", source="given by the user")
    table = _table()
    text = table["eV_per_atom"].get(element)
    if text is None:
        known = ", ".join(table["eV_per_atom"])
        raise InputError(
            f"no cohesive energy of {element} is tabulated (there are {known}); give one, such as '1.1 eV'",
            "cohesive_energy",
        )
    places = len(text.partition(".")[2])
    return Quantity(float(text), "eV", 0.5 * 10.0**-places, _DEFINITION, "assumed", source=table["source"])


@cache
def _table() -> dict[str, Any]:
    text = files("sodiophile.atomistic").joinpath("data/cohesive_energies.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
