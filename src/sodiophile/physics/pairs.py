"""Two cells side by side: drawn together, and led from one to the other by one parameter at a time."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell
from sodiophile.schema import Model

_MOST_DRAWS = 100


def shared_places(first: Cell, second: Cell) -> list[str]:
    """Return the parameters whose spread is the same in both: nobody knows of a difference, so they are drawn once."""
    own = second.spreads()
    return [place for place, spread in first.spreads().items() if own.get(place) == spread]


def drawn_pair(first: Cell, second: Cell, random: np.random.Generator) -> tuple[Cell, Cell]:
    """Return a draw of both cells from the spreads of their parameters, `shared_places` drawn once for the pair.

    Parameters
    ----------
    first, second
        The cells.
    random
        Of the draw.

    Raises
    ------
    InputError
        If next to no draw of the second cell fits together with what it shares.
    """
    shared = shared_places(first, second)
    for _ in range(_MOST_DRAWS):
        one, other = first.varied(random), second.varied(random)
        values = one.parameters()
        try:
            return one, other.changed({place: values[place].value for place in shared})
        except InputError as error:
            reason = error
    raise reason


def one_at_a_time(first: Cell, second: Cell) -> dict[str, Cell]:
    """Return the second cell with one thing at a time taken over from the first: what -> cell.

    Parameters
    ----------
    first
        Where values are taken from.
    second
        Into which they are put.

    Returns
    -------
    dict
        One for each parameter whose value differs, by its place, and one for each part (an interlayer) that only one of the
        two has, by its name.
    """
    theirs, ours = first.parameters(), second.parameters()
    found: dict[str, Cell] = {}
    for name in type(first).model_fields:
        part, own = getattr(first, name), getattr(second, name)
        if (part is None) != (own is None):
            found[name] = second.model_copy(update={name: part})
    for place, quantity in theirs.items():
        section = place.partition(".")[0]
        if section in found:
            continue
        if place not in ours or ours[place].value != quantity.value:
            with suppress(InputError):  # one that does not fit with what the second has leads nowhere alone
                found[place] = second.changed({place: quantity})
    for place in ours:
        section, _, key = place.rpartition(".")
        if section not in found and section and place not in theirs:
            mine: Model = getattr(second, section)
            found[place] = second.model_copy(update={section: mine.model_copy(update={key: None})})
    return found
