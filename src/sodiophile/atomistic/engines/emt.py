"""Effective-medium theory (ASE): Al, Cu, Ag, Au, Ni, Pd, Pt in milliseconds; for learning and for tests."""

from __future__ import annotations

from typing import Any

from sodiophile.atomistic.engines.base import Engine


def _make() -> Any:
    from ase.calculators.emt import EMT

    return EMT()


ENGINES = (
    Engine(
        name="emt",
        summary="effective-medium theory of ASE (Al, Cu, Ag, Au, Ni, Pd, Pt): fast, for trying things out",
        package="ase",
        extra="atomistic",
        make=_make,
        settings={"asap_cutoff": False},
        seconds_per_atom=0.0001,
    ),
)
