"""DFT points that engines are calibrated on: energies of sites by DFT and by each engine, their file, and what ships."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from sodiophile.errors import InputError
from sodiophile.schema import Model, checked, element_symbol

SurfaceKey = tuple[str, str, str, str, str]
"""Crystal, facet, termination, adsorbate, coverage. Coverage is among them because potentials err differently for an
adatom that stands alone, and gives its electron away, than for a full layer."""


def coverage_of(cells: int) -> str:
    """Return the coverage of one adatom in that many primitive surface cells, as points have it: ``1/4``, ``1``."""
    return f"1/{cells}" if cells > 1 else "1"


class Point(Model):
    """One site, by DFT and by engines; energies per adatom against the bulk metal (eV)."""

    adsorbate: Annotated[str, AfterValidator(element_symbol)] = Field(description="symbol of the adatom")
    system: str = Field(min_length=1, description="reduced formula of the crystal, such as 'VN'")
    facet: str = Field(min_length=1, description="Miller indices, such as '001'")
    termination: str = Field(min_length=1, description="composition of the topmost layer")
    site: str = Field(min_length=1, description="label of the site")
    relaxation: Literal["held", "free"] = Field("held", description="adatom held in the plane, or let go")
    geometry: Literal["own", "engine"] = Field("own", description="each at its own structure, or DFT at the engine's")
    coverage: str = Field(description="part of a monolayer, such as '1/4'")
    layers: int = Field(ge=1, le=100, description="atomic layers of the slab")
    functional: str = Field(min_length=1, description="such as 'PBE'")
    level: str = Field(min_length=1, description="basis, cutoff, k-points, code")
    dft_eV: float = Field(ge=-20.0, le=20.0, allow_inf_nan=False, description="adsorption energy by DFT")
    dft_error_eV: float = Field(0.02, ge=0.0, le=1.0, allow_inf_nan=False, description="its numerical error")
    engine_eV: dict[str, float] = Field(min_length=1, description="the same by engines, by their names")
    source: str = Field(min_length=1, description="where it was computed")

    @field_validator("engine_eV")
    @classmethod
    def _finite(cls, value: dict[str, float]) -> dict[str, float]:
        for name, energy in value.items():
            if not -20.0 <= energy <= 20.0:
                raise ValueError(f"found {energy} for {name}, expected an adsorption energy in eV")
        return value

    @property
    def surface(self) -> SurfaceKey:
        """Crystal, facet, termination, adsorbate, coverage: what sites have in common."""
        return (self.system, self.facet, self.termination, self.adsorbate, self.coverage)


def load_points(path: Path | None = None) -> tuple[Point, ...]:
    """Read DFT points.

    Parameters
    ----------
    path
        A TOML file with tables ``[[points]]``; those that come with the package by default.

    Raises
    ------
    InputError
        Naming the file, the point and the key at fault, or a point given twice.
    """
    return _shipped() if path is None else _parsed(_text(path), path)


@cache
def _shipped() -> tuple[Point, ...]:
    text = files("sodiophile.atomistic").joinpath("data/dft_points.toml").read_text(encoding="utf-8")
    return _parsed(text, "dft_points.toml")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error}); expected a TOML file of DFT points", path) from None


def _parsed(text: str, where: object) -> tuple[Point, ...]:
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML: {error}", where) from None
    tables = content.get("points")
    if not isinstance(tables, list) or set(content) != {"points"} or not all(isinstance(one, dict) for one in tables):
        raise InputError("expected tables [[points]] and nothing else", where)
    points = tuple(checked(Point, table, where, f"points[{i}]") for i, table in enumerate(tables, start=1))
    seen: dict[tuple[object, ...], int] = {}
    for i, point in enumerate(points, start=1):
        key = (*point.surface, point.site, point.relaxation, point.geometry, point.layers, point.level)
        if key in seen:
            raise InputError(f"points[{i}]: the same site at the same level as points[{seen[key]}]", where)
        seen[key] = i
    return points
