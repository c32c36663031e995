"""What planners of calculations on crystals share: the inputs that all have, and the task that relaxes a crystal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from sodiophile.atomistic.engines import engine, is_trusted
from sodiophile.schema import InUnit, Model
from sodiophile.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

# The crystal is cheap; stress left in it would stay in everything that is cut from it.
_CRYSTAL_PART_OF_FMAX = 0.1
_CRYSTAL_STEPS = 5
# Where energies at several volumes decide, force only settles positions inside the cell: one criterion for all.
_CRYSTAL_FMAX_EV_A = 0.05 * _CRYSTAL_PART_OF_FMAX
# By energies: at least five volumes and the lowest one; a cell of few atoms has many k-points.
_VOLUMES = 6


class CrystalInputs(Model):
    """What the user sets in every calculation that starts from a crystal."""

    structure: str = Field(description="a crystal structure file (CIF, POSCAR, extended XYZ), or the symbol of a metal")
    engine: str = Field("7net-l3i5", description="what gives energies and forces; see 'sodiophile engines'")
    fmax_eV_A: Annotated[float, InUnit("eV/angstrom")] = Field(
        0.03, alias="fmax", gt=0.0, le=0.5, description="largest force left on any atom; a tenth of it in the crystal"
    )
    max_steps: int = Field(200, ge=1, le=5000, description="steps after which a relaxation counts as not converged")

    @field_validator("structure", mode="before")
    @classmethod
    def _path(cls, value: object) -> object:
        return str(value) if isinstance(value, Path) else value

    @field_validator("engine")
    @classmethod
    def _known(cls, value: str) -> str:
        return engine(value).name


def engine_task(
    function: str,
    version: int,
    inputs: Mapping[str, Any],
    after: Mapping[str, Task],
    *,
    engine_name: str,
    label: str,
    atoms: int,
    steps: float,
) -> Task:
    """Return a task that asks an engine; its identity enters the inputs.

    Parameters
    ----------
    function, version, inputs, after, label
        Of the task.
    engine_name
        Of the engine.
    atoms, steps
        A guess of how large the structure is and how often its energy is asked for.
    """
    chosen = engine(engine_name)
    return Task(
        function=function,
        version=version,
        inputs={"engine": chosen.identity(), **inputs},
        after=after,
        context={"trusted": True} if is_trusted(engine_name) else {},
        label=label,
        cost_s=chosen.seconds_per_atom * atoms * steps,
    )


def crystal_task(crystal: Atoms, *, engine_name: str, fmax_eV_A: float, max_steps: int) -> Task:
    """Return the task that relaxes a crystal: the same one, and so the same outcome, for every calculation.

    Parameters
    ----------
    crystal
        As `sodiophile.atomistic.relaxation.canonical` returns it.
    engine_name
        Of the engine.
    fmax_eV_A
        Criterion of the calculation; a tenth of it is asked of the crystal.
    max_steps
        Of the relaxation.
    """
    from sodiophile.atomistic.relaxation import pack
    from sodiophile.atomistic.structures import formula

    # the stress of plane waves at a fixed cutoff is off: there the energies at several volumes decide
    by_energies = engine(engine_name).is_dft
    function = "crystal_energies:relax_crystal_by_energies" if by_energies else "adsorption_tasks:relax_crystal"
    return engine_task(
        f"sodiophile.atomistic.{function}",
        1,
        {
            "fmax_eV_A": _CRYSTAL_FMAX_EV_A if by_energies else fmax_eV_A * _CRYSTAL_PART_OF_FMAX,
            "max_steps": max_steps,
            "crystal": pack(crystal),
        },
        {},
        engine_name=engine_name,
        label=f"{formula(crystal.numbers)} crystal",
        atoms=len(crystal) + 1,
        steps=_VOLUMES if by_energies else _CRYSTAL_STEPS,
    )
