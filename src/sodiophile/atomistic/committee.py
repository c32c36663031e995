"""A committee of engines on one surface: what each says, how far they are apart, and what that is worth against DFT.

Potentials that were trained on the same data err together: their spread is not their error. So the mean of the committee
is calibrated on DFT points as a single engine is (`sodiophile.atomistic.calibration`): those that come with the package,
and those that an engine of higher level computes at some of the sites within the calculation itself (``reference``).
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from sodiophile.atomistic import adsorption
from sodiophile.atomistic.adsorption import AdsorptionInputs
from sodiophile.atomistic.base import Calculation
from sodiophile.atomistic.committee_figure import draw
from sodiophile.atomistic.engines import engine, is_trusted
from sodiophile.atomistic.families import relabelled, split_engines
from sodiophile.errors import InputError
from sodiophile.task import Task

_VERSION = 1
_MEMBERS = "7net-l3i5, 7net-0, 7net-MF-0, chgnet"


class CommitteeInputs(AdsorptionInputs):
    """What the user sets: as for adsorption, with several engines."""

    engine: str = Field(
        _MEMBERS, description="the members, separated by commas; one may run in an environment of its own (see engines)"
    )
    reference: str | None = Field(
        None, description="an engine of higher level, such as gpaw, whose energies the committee is calibrated on"
    )
    reference_sites: str = Field("all", description="labels of the sites that it computes, separated by commas, or all")
    free: bool = Field(False, description="also let the adatom go from each site")

    @field_validator("engine")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        names = [engine(one).name for one in split_engines(value or "")]
        if len(names) < 2 or len(set(names)) < len(names):
            raise ValueError(f"found {value!r}, expected at least two engines, each once")
        return ", ".join(names)

    @field_validator("reference", "prerelax")
    @classmethod
    def _one(cls, value: str | None) -> str | None:
        return None if value is None else engine(value).name


def plan(inputs: CommitteeInputs) -> Task:
    """Return the last of the tasks: an adsorption calculation by every member comes before.

    Raises
    ------
    InputError
        If the inputs do not make an adsorption calculation, or the reference is a member.
    EngineError, MissingExtraError
        If an engine is missing.
    """
    names = split_engines(inputs.engine)
    if inputs.reference in names:
        raise InputError(f"{inputs.reference!r} is a member too, expected another engine", "reference")
    shared = inputs.model_dump(exclude={"engine", "reference", "reference_sites", "prerelax"})
    asked = {name: AdsorptionInputs.model_construct(**shared, engine=name, prerelax=None) for name in names}
    if inputs.reference is not None:
        changed = {"engine": inputs.reference, "sites": inputs.reference_sites, "free": False, "prerelax": inputs.prerelax}
        asked[inputs.reference] = AdsorptionInputs.model_construct(**{**shared, **changed})
    elif inputs.prerelax is not None:
        raise InputError("only the reference starts from the structures of another engine; name a reference", "prerelax")
    members = {name: relabelled(adsorption.plan(one), name) for name, one in asked.items()}
    first = members[names[0]]
    from sodiophile.atomistic.dft_points import load_points

    functional = functional_of(inputs.reference)
    points = [
        point.model_dump()
        for point in load_points()
        if (point.functional, point.adsorbate) == (functional, inputs.adsorbate) and set(names) <= set(point.engine_eV)
    ]
    known = [f"member {name}" for name in names] + (["reference"] if inputs.reference else [])
    return Task(
        function="sodiophile.atomistic.committee_result:assemble",
        version=_VERSION,
        inputs={
            "members": names,
            "errors_eV": {name: engine(name).accuracy.error_eV for name in names},
            "reference": inputs.reference,
            "functional": functional,
            "points": points,
        },
        after=dict(zip(known, members.values(), strict=True)),
        context={"trusted": True} if any(is_trusted(name) for name in names) else {},
        label=first.label.replace(f"{names[0]}: ", "").replace("energies", f"committee of {len(names)}"),
        cost_s=0.5,
    )


def functional_of(reference: str | None) -> str:
    """Return the functional of the DFT points to calibrate on: that of the reference, PBE without one."""
    if reference is None:
        return "PBE"
    settings: Any = engine(reference).settings
    return str(settings.get("xc", reference))


CALCULATION = Calculation(
    kind="committee",
    title="Committee of engines",
    summary="a crystal, a facet and several engines in; what each says of every site, their spread and their error out",
    inputs=CommitteeInputs,
    plan=plan,
    draw=draw,
    quantities={
        "adsorption_energy_vs_bulk": "mean of the members at a site, eV",
        "committee_spread": "standard deviation between the members at a site, eV",
        "adsorption_energy_calibrated": "mean corrected to DFT, where there are DFT points, eV",
        "committee_spread:all sites": "root mean square of the spreads, eV",
        "committee_error": "root mean square of mean minus DFT over the DFT points, eV",
        "committee_error:left out": "the same after correction, each point predicted by the others, eV",
    },
)
