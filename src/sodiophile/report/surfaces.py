"""Surfaces around the atoms of a structure, such as those of a density difference, from an attachment of a result.

The attachment's name ends in ``.surfaces.json``; it holds ``{"surfaces": {title of a structure: [surface, ...]}}``. A
surface has a ``label``, a ``colour`` (#rrggbb), ``vertices`` (base64 of little-endian 16-bit integers, three a vertex, in
steps of ``step_A``) and ``triangles`` (base64 of unsigned integers of ``bytes_a_number``, 2 or 4, three a triangle).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from sodiophile.errors import InputError

ENDING = ".surfaces.json"
MOST_SURFACES = 80
MOST_TRIANGLES = 100_000
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Surface:
    """A surface, ready for the viewer of the page; the fields are those of the attachment."""

    label: str
    colour: str
    vertices: str
    triangles: str
    step_A: float
    bytes_a_number: int

    def for_viewer(self) -> dict[str, Any]:
        """Return what the script of the page draws."""
        return {
            "colour": self.colour,
            "vertices": self.vertices,
            "triangles": self.triangles,
            "step": self.step_A,
            "bytes": self.bytes_a_number,
        }


def read_surfaces(text: str, name: str) -> dict[str, tuple[Surface, ...]]:
    """Read an attachment.

    Parameters
    ----------
    text
        JSON.
    name
        Of the attachment, for messages.

    Returns
    -------
    dict
        Title of a structure -> its surfaces; those without a triangle are left out.

    Raises
    ------
    InputError
        If it is not such a file, or is larger than a page can show.
    """
    try:
        entries = json.loads(text)["surfaces"]
        found = {str(title): tuple(_surface(one, name) for one in surfaces) for title, surfaces in entries.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"no surfaces can be read from it ({type(error).__name__})", name) from None
    if sum(len(surfaces) for surfaces in found.values()) > MOST_SURFACES:
        raise InputError(f"more than {MOST_SURFACES} surfaces, which a page cannot show", name)
    return {title: tuple(one for one in surfaces if one.triangles) for title, surfaces in found.items()}


def _surface(data: dict[str, Any], name: str) -> Surface:
    colour, step_A, size = str(data["colour"]), float(data["step_A"]), int(data["bytes_a_number"])
    if not _COLOUR.fullmatch(colour) or not 0 < step_A < 1 or size not in {2, 4}:
        raise InputError("a surface has no colour, step or size of numbers that is known", name)
    vertices = np.frombuffer(_bytes(data["vertices"], 6, name), "<i2").reshape(-1, 3)
    triangles = np.frombuffer(_bytes(data["triangles"], 3 * size, name), f"<u{size}").reshape(-1, 3)
    if len(triangles) > MOST_TRIANGLES or len(vertices) > MOST_TRIANGLES:
        raise InputError(f"a surface of {len(triangles)} triangles, expected no more than {MOST_TRIANGLES}", name)
    if len(triangles) and triangles.max() >= len(vertices):
        raise InputError(f"a triangle has vertex {triangles.max()}, there are {len(vertices)}", name)
    # written again, so that nothing else that base64 tolerates stands in the page
    places, corners = (base64.b64encode(one.tobytes()).decode() for one in (vertices, triangles))
    return Surface(str(data["label"])[:200], colour, places, corners, step_A, size)


def _bytes(text: str, multiple: int, name: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InputError("the numbers of a surface are no base64", name) from None
    if len(content) % multiple:
        raise InputError(f"the numbers of a surface have {len(content)} bytes, expected a multiple of {multiple}", name)
    return content
