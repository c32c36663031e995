"""What a calculation tells a cell: its quantities at the places of the parameters that they set."""

from __future__ import annotations

from dataclasses import replace

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.result import Result


def cell_parameters(result: Result) -> dict[str, Quantity]:
    """Return what `sodiophile.physics.cell.Cell.changed` takes from a calculation.

    Of adhesion it is the work of adhesion of the interlayer. The cell makes a contact angle of it with the interfacial
    energy between metal and electrolyte that it has, and of the angle a barrier (`sodiophile.physics.atoms_to_volts`).

    Parameters
    ----------
    result
        Of the kind ``adhesion``.

    Raises
    ------
    InputError
        If it is of another kind, or has no work of adhesion above zero.
    """
    if result.kind != "adhesion":
        raise InputError(f"a result of kind {result.kind!r} sets no parameter of a cell, expected 'adhesion'")
    found = result.quantities.get("work_of_adhesion")
    if found is None:
        raise InputError("this calculation has no work of adhesion: no interface converged")
    if found.value <= 0:
        raise InputError(
            f"found a work of adhesion of {found.value:.3f} J/m2, expected more than 0: the metal does not stick"
        )
    return {"interlayer.adhesion": replace(found, source=f"calculation of adhesion, {result.inputs['engine']['engine']}")}
