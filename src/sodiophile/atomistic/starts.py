"""Relaxations of an adatom from several starts: which basins are found, and how often.

From each site the adatom is let go several times, each time a small step off it in another random direction. One start can
miss the lowest basin, or stop on a flat saddle; that all of many starts end in few basins is evidence that none is missed.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from sodiophile.atomistic import adsorption
from sodiophile.atomistic.adsorption import AdsorptionInputs, SurfaceInputs
from sodiophile.atomistic.base import Calculation
from sodiophile.atomistic.starts_figure import draw
from sodiophile.errors import InputError
from sodiophile.task import Task

_VERSION = 1


class StartsInputs(SurfaceInputs):
    """What the user sets: as for adsorption, and how many starts."""

    starts: int = Field(4, ge=2, le=50, description="relaxations from each site")


def plan(inputs: StartsInputs) -> Task:
    """Return the last of the tasks.

    Raises
    ------
    InputError
        If the inputs do not make an adsorption calculation.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    if inputs.prerelax is not None:
        raise InputError("this kind starts from no other engine's structures; leave it out", "prerelax")
    shared = inputs.model_dump(exclude={"starts"})
    base = adsorption.plan(AdsorptionInputs.model_construct(**shared, free=True, distortion=False, cohesive_energy_eV=None))
    after = dict(base.after)
    for i, surface in enumerate(base.inputs["surfaces"]):
        for k in range(len(surface["sites"])):
            first = after.pop(f"{i} free {k}")
            for seed in range(inputs.starts):
                given, label = {**first.inputs, "seed": seed}, f"{first.label}, start {seed + 1}"
                after[f"{i} free {k} start {seed}"] = replace(first, inputs=given, label=label)
    keep = ("engine", "adsorbate", "displacement_A", "fmax_eV_A", "max_steps", "vacuum_A", "surfaces")
    return Task(
        function="sodiophile.atomistic.starts_result:assemble",
        version=_VERSION,
        inputs={**{key: base.inputs[key] for key in keep}, "starts": inputs.starts},
        after=after,
        context=base.context,
        label=base.label.replace("energies", f"{inputs.starts} starts a site"),
        cost_s=0.3,
    )


CALCULATION = Calculation(
    kind="starts",
    title="Relaxations from several starts",
    summary="a crystal, a facet and an adatom in; where it ends when it is let go many times, and how often, out",
    inputs=StartsInputs,
    plan=plan,
    draw=draw,
    quantities={
        "energy_vs_bulk:SITE": "lowest of the relaxations that ended near a site, against bulk metal, eV",
        "energy_spread:SITE": "highest minus lowest of them, eV",
        "part_of_starts:lowest": "part of all starts that ended in the lowest basin",
    },
)
