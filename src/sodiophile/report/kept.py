"""Figures of an earlier report that need not be drawn again: nothing that decides how they look has changed."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sodiophile
from sodiophile.report.figures import DrawnFigure
from sodiophile.result import Result

LIST = "drawn.json"
_ENDINGS = ("svg", "pdf", "png")


def key(result: Result) -> str | None:
    """Return a digest of all that decides the look of a figure: the result, our code, and the libraries that draw.

    None where somebody else's code draws, of which it cannot be told whether it changed.
    """
    module = getattr(result.drawer, "__module__", None) or ""
    if module.partition(".")[0] != sodiophile.__name__:
        return None
    digest = hashlib.sha256(_code().encode())
    name = f"{module}.{getattr(result.drawer, '__qualname__', '')}"
    digest.update(json.dumps([name, result.to_dict()], sort_keys=True, default=str).encode())
    for title, table in result.tables.items():
        stream = io.BytesIO()
        table.write_ipc(stream)
        digest.update(title.encode() + b"\0" + stream.getbuffer())
    for title, text in result.attachments.items():
        digest.update(title.encode() + b"\0" + text.encode())
    return digest.hexdigest()


@cache
def _code() -> str:
    digest = hashlib.sha256(json.dumps([version(name) for name in ("matplotlib", "numpy", "polars")]).encode())
    root = Path(sodiophile.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Kept:
    """The figures of the report that stood at a place before, found by their keys.

    Parameters
    ----------
    folder
        ``figures`` of the earlier report; it need not be there, and nothing in it is trusted that is not as it was drawn.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, Mapping[str, Any]] = {}
        self._drawn: dict[str, dict[str, Any]] = {}
        try:
            found = json.loads((folder / LIST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(found, dict):
            self._entries = {str(name): entry for name, entry in found.items() if isinstance(entry, dict)}

    def find(self, name: str | None) -> DrawnFigure | None:
        """Return the figure with this key; None where there is none, or where a file of it is damaged or gone."""
        entry = self._entries.get(name or "")
        if entry is None or Path(str(entry.get("stem"))).name != entry.get("stem"):
            return None
        contents = {}
        for ending in _ENDINGS:
            try:
                contents[ending] = (self._folder / f"{entry.get('stem')}.{ending}").read_bytes()
            except OSError:
                return None
            if hashlib.sha256(contents[ending]).hexdigest() != entry.get(ending):
                return None
        return DrawnFigure(**contents)

    def note(self, name: str | None, stem: str, figure: DrawnFigure) -> None:
        """Take down under which key and names a figure stands in the new report."""
        if name is not None:
            self._drawn[name] = {"stem": stem} | {
                ending: hashlib.sha256(getattr(figure, ending)).hexdigest() for ending in _ENDINGS
            }

    def write(self, folder: Path) -> None:
        """Write the list of all noted figures into the ``figures`` of the new report."""
        if not self._drawn:
            return
        (folder / LIST).write_text(json.dumps(self._drawn, indent=1), encoding="utf-8", newline="\n")
