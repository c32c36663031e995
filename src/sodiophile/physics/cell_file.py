"""A cell as the text of its TOML file: what `sodiophile.physics.cell.load_cell` reads back as the same cell."""

from __future__ import annotations

import json

from sodiophile.physics.cell import Cell
from sodiophile.physics.parts import Curve
from sodiophile.quantity import Quantity
from sodiophile.schema import Model

_CURVE_UNITS = {"conductivity_curve": "S/m", "diffusivity_curve": "m^2/s"}


def cell_text(cell: Cell, remark: str = "") -> str:
    """Return a cell as TOML.

    Parameters
    ----------
    cell
        The cell; sets that its file named are written out.
    remark
        Goes on top, as a comment.
    """
    plain = [
        f"{name} = {_value(getattr(cell, name))}" for name in ("title", "metal", "reference_temperature", "temperature")
    ]
    lines = [*(f"# {line}" for line in remark.splitlines()), *([""] if remark else []), *plain]
    for name in type(cell).model_fields:
        part = getattr(cell, name)
        if isinstance(part, Model):
            lines += ["", f"[{name}]", *_section(part)]
            for key in type(part).model_fields:
                curve = getattr(part, key)
                if isinstance(curve, Curve):
                    lines += ["", f"[{name}.{key}]", *_curve(curve, _CURVE_UNITS[key])]
    return "\n".join(lines) + "\n"


def _section(part: Model) -> list[str]:
    entries = {key: getattr(part, key) for key in type(part).model_fields}
    return [
        f"{key} = {_value(entry)}" for key, entry in entries.items() if entry is not None and not isinstance(entry, Model)
    ]


def _curve(curve: Curve, unit: str) -> list[str]:
    columns = {
        "concentration": [f"{one!r} mol/m^3" for one in curve.concentration_mol_m3],
        "value": [f"{one!r} {unit}" for one in curve.value],
        "source": curve.source,
    }
    return [f"{key} = {_value(column)}" for key, column in columns.items()]


def _value(entry: object) -> str:
    # a JSON text or list of texts is one of TOML too
    if not isinstance(entry, Quantity):
        return json.dumps(entry, ensure_ascii=False)
    unit = "" if entry.unit == "1" else f" {entry.unit}"
    parts = {"value": f"{entry.value!r}{unit}"}
    if entry.uncertainty is not None:
        parts["uncertainty"] = f"{entry.uncertainty!r}{unit}"
    parts["status"] = entry.status
    if entry.calibrated_to:
        parts["calibrated_to"] = entry.calibrated_to
    parts["source"] = entry.source
    texts = [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in parts.items()]
    if entry.interval is not None:
        ends = ", ".join(json.dumps(f"{end!r}{unit}") for end in entry.interval)
        texts.insert(1, f"range = [{ends}]")
    return "{ " + ", ".join(texts) + " }"
