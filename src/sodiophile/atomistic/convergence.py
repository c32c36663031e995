"""How far an adsorption energy is converged: thickness, vacuum, k-points and cutoff varied one at a time.

Each member of a series is the adsorption calculation of the user's own settings with one of them changed, so that a series
shares its work with the calculation that it judges. A potential has no k-points and no cutoff of a basis; only an engine
that solves the electronic structure has these two series.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, field_validator

from sodiophile.atomistic import adsorption
from sodiophile.atomistic.adsorption import AdsorptionInputs
from sodiophile.atomistic.base import Calculation
from sodiophile.atomistic.convergence_figure import draw
from sodiophile.atomistic.engines import engine, is_trusted
from sodiophile.atomistic.families import relabelled
from sodiophile.errors import InputError
from sodiophile.schema import InUnit
from sodiophile.task import Task

_VERSION = 1
# series -> (unit of its values, what a value is)
SERIES = {
    "layers": ("", "atomic layers"),
    "vacuum": ("angstrom", "vacuum"),
    "kpts": ("per 1/angstrom", "k-points"),
    "cutoff": ("eV", "plane-wave cutoff"),
}
_OF_DFT = {"kpts": "kpts", "cutoff": "ecut"}
_MORE_LAYERS = (-1, 0, 1, 2, 4)
_VACUUM_A = (10.0, 15.0, 20.0, 30.0)
# of the user's own setting
_MORE_KPTS, _MORE_CUTOFF = (0.7, 1.0, 1.4, 1.8), (0.8, 1.0, 1.2, 1.5)
_FEWEST = 3


class ConvergenceInputs(AdsorptionInputs):
    """What the user sets: as for adsorption, and what is varied."""

    series: str = Field(
        "layers, vacuum", description="what is varied, one at a time: layers, vacuum; with DFT also kpts, cutoff; or all"
    )
    values: str = Field(
        "",
        description="the values of a series, such as 'layers: 3 5 7; vacuum: 10 15 25' (default: around the own settings)",
    )
    tolerance_eV: Annotated[float, InUnit("eV")] = Field(
        0.02, alias="tolerance", gt=0.0, le=1.0, description="a change of an energy that counts as none"
    )
    free: bool = Field(False, description="also let the adatom go from each site")
    distortion: bool = Field(False, description="also look for a lower, distorted clean slab at every setting")

    @field_validator("values", mode="before")
    @classmethod
    def _table(cls, value: object) -> object:
        if isinstance(value, dict):
            return "; ".join(f"{name}: {' '.join(map(str, entries))}" for name, entries in value.items())
        return value


def plan(inputs: ConvergenceInputs) -> Task:
    """Return the last of the tasks: an adsorption calculation for every setting comes before.

    Raises
    ------
    InputError
        If a series is unknown, has too few values, or needs DFT.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    given = _given(inputs.values)
    chosen = engine(inputs.engine)
    known = list(SERIES) if chosen.is_dft else ["layers", "vacuum"]
    wanted = known if inputs.series.strip() == "all" else [one.strip() for one in inputs.series.split(",") if one.strip()]
    for name in [*wanted, *given]:
        if name in _OF_DFT and not chosen.is_dft:
            raise InputError(f"{name!r} needs DFT: {inputs.engine} has no {SERIES[name][1]}", "series")
        if name not in SERIES:
            raise InputError(f"found {name!r}, expected some of: {', '.join(SERIES)}", "series")
    unused = [name for name in given if name not in wanted]
    if unused or not wanted:
        raise InputError(
            f"values of {', '.join(unused) or 'nothing'}, expected those of the series {inputs.series}", "values"
        )
    own = adsorption.plan(_one(inputs, {}))
    settings: dict[str, Any] = {
        "layers": max(surface["layers"] for surface in own.inputs["surfaces"]),
        "vacuum": inputs.vacuum_A,
        **{name: chosen.settings.get(key) for name, key in _OF_DFT.items()},
    }
    after: dict[str, Task] = {"own": relabelled(own, "own settings")}
    members: list[dict[str, Any]] = []
    for name in wanted:
        values = sorted(set(given.get(name) or _around(name, settings[name])))
        if len(values) < _FEWEST:
            raise InputError(f"{len(values)} values of {name}, expected at least {_FEWEST} different ones", "values")
        for value in values:
            after[f"{name} {value:g}"] = relabelled(adsorption.plan(_one(inputs, {name: value})), f"{name} {value:g}")
            members.append({"series": name, "value": value, "member": f"{name} {value:g}"})
    return Task(
        function="sodiophile.atomistic.convergence_result:assemble",
        version=_VERSION,
        inputs={"members": members, "own": {name: settings[name] for name in wanted}, "tolerance_eV": inputs.tolerance_eV},
        after=after,
        context={"trusted": True} if is_trusted(inputs.engine) else {},
        label=own.label.replace("energies", f"convergence with {', '.join(wanted)}"),
        cost_s=0.5,
    )


def _one(inputs: ConvergenceInputs, changed: dict[str, float]) -> AdsorptionInputs:
    """Return the inputs of an adsorption calculation with a setting changed.

    Raises
    ------
    InputError
        If the value is out of the range of the setting.
    """
    shared = inputs.model_dump(exclude={"series", "values", "tolerance_eV"})
    for name, value in changed.items():
        if name == "layers":
            if value != int(value) or not 1 <= value <= 40:
                raise InputError(f"found {value:g} layers, expected a whole number from 1 to 40", "values")
            shared["layers"] = int(value)
        elif name == "vacuum":
            if not 8.0 <= value <= 100.0:
                raise InputError(f"found a vacuum of {value:g} angstrom, expected 8 to 100", "values")
            shared["vacuum_A"] = value
        else:
            shared["engine"] = engine(_with_option(inputs.engine, _OF_DFT[name], value)).name
    return AdsorptionInputs.model_construct(**shared)


def _with_option(name: str, option: str, value: float) -> str:
    """Return the name of an engine with an option in brackets set: ``gpaw[xc=RPBE, ecut=450]``."""
    base, _, rest = name.partition("[")
    kept = [part.strip() for part in rest.rstrip(" ]").split(",") if part.strip() and part.split("=")[0].strip() != option]
    return f"{base.strip()}[{', '.join([*kept, f'{option}={value:g}'])}]"


def _around(name: str, own: float) -> list[float]:
    if name == "layers":
        return [own + more for more in _MORE_LAYERS if own + more >= 1]
    if name == "vacuum":
        return [*_VACUUM_A, own]
    parts = _MORE_KPTS if name == "kpts" else _MORE_CUTOFF
    return [float(f"{own * part:.3g}") for part in parts]


def _given(text: str) -> dict[str, list[float]]:
    """Read ``layers: 3 5 7; vacuum: 10 15 25``."""
    found: dict[str, list[float]] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, colon, numbers = part.partition(":")
        try:
            values = [float(number) for number in re.split(r"[\s,]+", numbers.strip()) if number]
        except ValueError:
            values = []
        if not colon or not values:
            raise InputError(f"found {part.strip()!r}, expected such as 'layers: 3 5 7; vacuum: 10 15 25'", "values")
        found[name.strip()] = values
    return found


CALCULATION = Calculation(
    kind="convergence",
    title="Convergence of adsorption energies",
    summary="an adsorption calculation in; the same with thickness, vacuum, k-points or cutoff varied out",
    inputs=ConvergenceInputs,
    plan=plan,
    draw=draw,
    quantities={
        "convergence_error:layers": "largest change of a site's energy from the own thickness to the thickest slab, eV",
        "convergence_error:vacuum": "the same for the vacuum, eV",
        "convergence_error:kpts": "the same for the k-points, eV",
        "convergence_error:cutoff": "the same for the plane-wave cutoff, eV",
        "difference_error": "the same for the differences between sites, eV",
    },
)
