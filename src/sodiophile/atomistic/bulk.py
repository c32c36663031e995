"""The crystal itself: lattice, volume, bulk modulus and elastic constants, from energies and, apart from them, stresses."""

from __future__ import annotations

from pydantic import Field

from sodiophile.atomistic.base import Calculation
from sodiophile.atomistic.bulk_figure import draw
from sodiophile.atomistic.engines import engine
from sodiophile.atomistic.planning import CrystalInputs, crystal_task, engine_task
from sodiophile.errors import importing
from sodiophile.task import Task

# Of the pieces of work, and of what puts the result together.
_VERSION, _RESULT_VERSION = 1, 2
_CURVE_STEPS = 8
_STRAINED = 12
_PART_OF_FMAX = 0.1


class BulkInputs(CrystalInputs):
    """What the user sets."""

    strain: float = Field(
        0.005, ge=0.0005, le=0.02, description="of the cells whose stresses give the elastic constants, both signs"
    )


def plan(inputs: BulkInputs) -> Task:
    """Return the last of the tasks that a calculation of a bulk crystal asks for.

    Raises
    ------
    InputError
        If the structure is wrong.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    chosen = engine(inputs.engine)
    identity = chosen.identity()
    with importing("atomistic", "a bulk crystal"):
        from sodiophile.atomistic.relaxation import canonical
        from sodiophile.atomistic.structures import crystal_named, formula
    crystal = canonical(crystal_named(inputs.structure))
    name = formula(crystal.numbers)
    relaxed = crystal_task(crystal, engine_name=inputs.engine, fmax_eV_A=inputs.fmax_eV_A, max_steps=inputs.max_steps)
    after = {"crystal": relaxed}
    if not chosen.is_dft:
        settings = {"fmax_eV_A": inputs.fmax_eV_A * _PART_OF_FMAX, "max_steps": inputs.max_steps}
        pieces = {
            "curve": ("energy_curve", {}, "energies at several volumes", _CURVE_STEPS),
            "elastic": ("stresses", {"strain": inputs.strain}, "stresses at small strains", 2 * _STRAINED),
        }
        for key, (function, more, label, steps) in pieces.items():
            after[key] = engine_task(
                f"sodiophile.atomistic.bulk_tasks:{function}",
                _VERSION,
                {**settings, **more},
                {"crystal": relaxed},
                engine_name=inputs.engine,
                label=f"{name}: {label}",
                atoms=len(crystal) + 1,
                steps=steps,
            )
    return Task(
        function="sodiophile.atomistic.bulk_result:assemble",
        version=_RESULT_VERSION,
        inputs={
            "engine": identity,
            "crystal": name,
            "fmax_eV_A": inputs.fmax_eV_A,
            "max_steps": inputs.max_steps,
            "strain": inputs.strain,
        },
        after=after,
        context=relaxed.context,
        label=f"{name}: bulk crystal",
        cost_s=0.1,
    )


CALCULATION = Calculation(
    kind="bulk",
    title="Bulk crystal",
    summary="a crystal in; its lattice, bulk modulus, elastic constants and whether it is stable out",
    inputs=BulkInputs,
    plan=plan,
    draw=draw,
    quantities={
        "lattice:a": "of the standard conventional cell; also b, c, angles that symmetry does not fix, angstrom or degree",
        "volume": "per atom, at the lowest energy, angstrom^3",
        "volume_from_stress": "per atom, where the stress is zero, angstrom^3",
        "bulk_modulus": "from energies at several volumes, GPa",
        "bulk_modulus_derivative": "by pressure, 1",
        "bulk_modulus_from_stress": "from elastic constants, under equal strain along all axes, GPa",
        "elastic:C11": "and each other that symmetry leaves independent, in the standard axes, GPa",
        "elastic_asymmetry": "largest change that symmetrizing made to an elastic constant, GPa",
        "bulk_modulus_hill": "of a polycrystal, Voigt-Reuss-Hill, GPa",
        "shear_modulus": "of a polycrystal, Voigt-Reuss-Hill, GPa",
        "young_modulus": "of a polycrystal, Voigt-Reuss-Hill, GPa",
        "poisson_ratio": "of a polycrystal, Voigt-Reuss-Hill, 1",
        "cohesive_energy": "of a metal: tabulated, per atom, eV",
    },
)
