"""Sets of parameters as files: electrolytes, separators and insertion electrodes that ship by name, or the user's own."""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from sodiophile.errors import InputError
from sodiophile.physics.parts import Cathode, Electrolyte, Layer
from sodiophile.schema import Model, checked

_LARGEST_FILE = 1_000_000
_PARTS: dict[str, type[Model]] = {"electrolyte": Electrolyte, "separator": Layer, "cathode": Cathode}
_FOLDERS = {"electrolyte": "electrolytes", "separator": "separators", "cathode": "cathodes"}


def part_names(kind: str) -> list[str]:
    """Return the names of the electrolytes, separators or insertion electrodes that ship with the package."""
    folder = resources.files("sodiophile.physics").joinpath("data", _FOLDERS[kind])
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_part(kind: str, name_or_path: str | Path) -> Any:
    """Return an electrolyte, a separator or an insertion electrode, by the name of a set that ships or from a TOML file.

    Parameters
    ----------
    kind
        ``electrolyte``, ``separator`` or ``cathode``.
    name_or_path
        A name of `part_names`, or the path of a file.

    Returns
    -------
    Electrolyte, Layer or Cathode

    Raises
    ------
    InputError
        If there is neither, or a key, unit or value is wrong: one line naming it.
    """
    return checked(_PARTS[kind], part_table(kind, name_or_path), name_or_path)


def part_table(kind: str, name_or_path: str | Path) -> dict[str, Any]:
    """Return what the set of that name, or the file at that path, says of a part, unchecked."""
    where = str(name_or_path)
    names = part_names(kind)
    if where in names:
        place = resources.files("sodiophile.physics").joinpath("data", _FOLDERS[kind], f"{where}.toml")
        return tomllib.loads(place.read_text(encoding="utf-8"))
    path = Path(name_or_path)
    if not path.is_file():
        near = difflib.get_close_matches(where, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"by name: {', '.join(names)}"
        raise InputError(f"no such file, and no {kind} of that name; {hint}", where)
    return toml_of(path, kind)


def toml_of(path: Path, what: str) -> dict[str, Any]:
    """Return the content of a TOML file of bounded size.

    Raises
    ------
    InputError
        If it is too large, no text, no TOML, or cannot be read; one line naming it.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"is larger than {_LARGEST_FILE} bytes, expected a TOML file of a {what}", path)
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not TOML: {error}", path) from None
    except UnicodeDecodeError:
        raise InputError(f"is not text in UTF-8, expected a TOML file of a {what}", path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path) from None
