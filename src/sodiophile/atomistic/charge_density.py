"""Where the electrons go when an adatom binds: sites of a surface in; density differences, charges and work functions out.

    delta n(r) = n(slab with adatom) - n(slab, atoms where they are) - n(adatom, where it is)

The structures are those of an adsorption calculation with the same inputs, relaxed once for both. Each density is the
ground state of density functional theory in one cell, the slab in the middle of its vacuum, with a layer of dipoles at the
border of the cell, so that both sides have their own vacuum level.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from sodiophile.atomistic import adsorption
from sodiophile.atomistic.adsorption import AdsorptionInputs, SurfaceInputs
from sodiophile.atomistic.base import Calculation, facet_text
from sodiophile.atomistic.charge_density_figure import draw
from sodiophile.atomistic.engines import engine
from sodiophile.errors import InputError
from sodiophile.schema import InUnit
from sodiophile.task import Task

_TASKS = "sodiophile.atomistic.density_tasks"
_VERSION = 1
# Maxima of the density lower than this are ripples of the plane waves in the vacuum.
_VACUUM_E_A3 = 1e-3
# Energies with forces that a ground state costs, from scratch, and the bands of a crystal.
_STEPS_GUESS, _BANDS_GUESS = 3.0, 60.0


class ChargeDensityInputs(SurfaceInputs):
    """What the user sets."""

    engine: str = Field("gpaw", description="what solves the electronic structure; see 'sodiophile engines'")
    relax_engine: str | None = Field(
        None, description="what relaxes the structures, such as 7net-l3i5 (default: the engine itself)"
    )
    clearance_A: Annotated[float, InUnit("angstrom")] = Field(
        12.0,
        alias="clearance",
        ge=8.0,
        le=60.0,
        description="height without atoms above adatom and slab, both sides together",
    )
    isovalue_e_A3: Annotated[float, InUnit("1/angstrom^3")] | None = Field(
        None,
        alias="isovalue",
        gt=0.0,
        lt=10.0,
        description="electrons per volume on the surfaces drawn (default: they hold half of either sign)",
    )

    @field_validator("engine")
    @classmethod
    def _electronic(cls, value: str) -> str:
        one = engine(value)
        if not (one.is_dft and one.package == "gpaw"):
            what = "its density cannot be read here" if one.is_dft else "a potential has no electrons"
            raise ValueError(f"found {value!r}: {what}; expected 'gpaw', which solves the electronic structure")
        return one.name

    @field_validator("relax_engine")
    @classmethod
    def _known_too(cls, value: str | None) -> str | None:
        return None if value is None else engine(value).name

    def of_adsorption(self) -> AdsorptionInputs:
        """Return the inputs of the adsorption calculation whose structures are taken.

        Raises
        ------
        InputError
            If one of them is wrong.
        """
        changed = {} if self.relax_engine is None else {"engine": self.relax_engine}
        return adsorption.of_adsorption(self, free=False, distortion=False, **changed)


def plan(inputs: ChargeDensityInputs) -> Task:
    """Return the last of the tasks that a charge-density calculation asks for.

    Raises
    ------
    InputError
        If the structure, the facet, or a label of a site or termination is wrong.
    EngineError, MissingExtraError
        If an engine is missing.
    """
    one = engine(inputs.engine)
    identity = one.identity()
    shared = adsorption.plan(inputs.of_adsorption())
    surfaces = shared.inputs["surfaces"]
    if len(surfaces) > 1:
        names = ", ".join(surface["termination"] for surface in surfaces)
        raise InputError(f"this facet has the terminations {names}, expected one of them", "terminations")
    surface = surfaces[0]
    name = f"{surface['crystal']}{facet_text(surface['miller'])}"
    size = len(surface["slab"]["symbols"]) + 1

    def task(function: str, own: dict[str, Any], after: dict[str, Task], label: str, atoms: float) -> Task:
        return Task(
            function=f"{_TASKS}:{function}",
            version=_VERSION,
            inputs=own,
            after=after,
            context=shared.context,
            label=label,
            cost_s=one.seconds_per_atom * atoms * _STEPS_GUESS,
        )

    common = {"engine": identity, "vacuum_A": inputs.clearance_A}
    after = {
        "crystal": task(
            "solve_crystal",
            {"engine": identity},
            {"crystal": shared.after["crystal"]},
            f"{surface['crystal']} bands",
            _BANDS_GUESS,
        ),
        "clean": task("solve_clean", common, {"relaxed": shared.after["0 clean"]}, f"{name} clean, electrons", size),
    }
    for i, label in enumerate(surface["sites"]):
        relaxed = shared.after[f"0 site {i}"]
        parts = {
            part: task(
                "solve_part", {**common, "part": part}, {"relaxed": relaxed}, f"{name} {label}, electrons of {words}", size
            )
            for part, words in (("whole", "all"), ("slab", "the slab"), ("adatom", "the adatom"))
        }
        after[f"site {i}"] = task("divide", {"vacuum_e_A3": _VACUUM_E_A3}, parts, f"{name} {label}, charges", size / 2)
    return Task(
        function="sodiophile.atomistic.charge_density_result:assemble",
        version=_VERSION,
        inputs={
            "engine": identity,
            "relaxed_with": shared.inputs["engine"]["engine"],
            "adsorbate": inputs.adsorbate,
            "clearance_A": inputs.clearance_A,
            "vacuum_e_A3": _VACUUM_E_A3,
            **({} if inputs.isovalue_e_A3 is None else {"isovalue_e_A3": inputs.isovalue_e_A3}),
            "surface": surface,
        },
        after=after,
        context=shared.context,
        label=f"{inputs.adsorbate} on {name}: charge density",
        cost_s=2.0,
    )


CALCULATION = Calculation(
    kind="charge-density",
    title="Charge density",
    summary="sites of a surface in; where the electrons go when an adatom binds, charges, work functions and states out",
    inputs=ChargeDensityInputs,
    plan=plan,
    draw=draw,
    quantities={
        "accumulated:SITE": "integral of the positive part of the density difference, e",
        "depleted:SITE": "integral of the negative part, as a positive number, e",
        "bader_charge:SITE": "of the adatom, positive if it lost electrons, e",
        "hirshfeld_charge:SITE": "the same by Hirshfeld's scheme, e",
        "work_function:SITE": "of the side with the adatom, eV",
        "work_function:clean": "of the clean surface, eV",
        "dos_at_fermi": "states at the Fermi level of the crystal, per eV and atom",
    },
)
