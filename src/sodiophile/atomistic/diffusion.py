"""How fast an adatom moves over a surface: a crystal, a facet and an engine in; barriers, attempt frequencies and D out.

    E_a = E(saddle) - E(basin)      Gamma = nu* exp(-E_a / k_B T)      D(T) from all hops of the lattice of basins

The basins are where adatoms end that are let go from every site: the same pieces of work as those of an adsorption
calculation, done once for both. Hops between neighbouring basins that symmetry tells apart are relaxed as climbing-image
elastic bands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from sodiophile.atomistic.adsorption import AdsorptionInputs, of_adsorption
from sodiophile.atomistic.adsorption import plan as plan_adsorption
from sodiophile.atomistic.adsorption_correction import calibration_points
from sodiophile.atomistic.base import Calculation, facet_text
from sodiophile.atomistic.diffusion_figure import draw
from sodiophile.atomistic.engines import engine
from sodiophile.errors import InputError
from sodiophile.schema import InUnit, Model, element_symbol
from sodiophile.task import Task

_VERSION = 1
_BAND_STEPS_GUESS = 25


class DiffusionInputs(Model):
    """What the user sets."""

    structure: str = Field(description="a crystal structure file (CIF, POSCAR, extended XYZ), or the symbol of a metal")
    facet: str = Field("001", description="Miller indices, such as 001, 1-10, 0001")
    termination: str | None = Field(None, description="which termination, where the facet has several")
    adsorbate: Annotated[str, AfterValidator(element_symbol)] = Field("Na", description="element of the adatom")
    engine: str = Field("7net-l3i5", description="what gives energies and forces; see 'sodiophile engines'")
    supercell: str = Field("2x2", description="repetitions of the primitive surface cell; one adatom in each")
    layers: int | None = Field(None, ge=1, le=40, description="atomic layers (default: at least 8 angstrom of crystal)")
    vacuum_A: Annotated[float, InUnit("angstrom")] = Field(
        15.0, alias="vacuum", ge=8.0, le=100.0, description="height without atoms between slab and slab"
    )
    fixed_layers: int | None = Field(
        None, ge=0, description="layers at the bottom held as in the crystal (default: the lower half, rounded down)"
    )
    images: int = Field(
        5, ge=3, le=15, description="structures between the ends of a hop; of a symmetric hop half are computed"
    )
    max_hops: int = Field(4, ge=1, le=20, description="distinct hops to compute at most, shortest first")
    temperature_K: Annotated[float, InUnit("K")] = Field(
        298.15, alias="temperature", ge=50.0, le=2000.0, description="of rates and of the diffusion coefficient"
    )
    fmax_eV_A: Annotated[float, InUnit("eV/angstrom")] = Field(
        0.03, alias="fmax", gt=0.0, le=0.5, description="largest force left on any atom, for a band across the path"
    )
    max_steps: int = Field(
        200, ge=1, le=5000, description="steps after which a relaxation or a band counts as not converged"
    )

    @field_validator("structure", "facet", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, Path | int) and not isinstance(value, bool) else value

    def of_adsorption(self) -> AdsorptionInputs:
        """Return the inputs of the adsorption calculation whose adatoms are taken.

        Raises
        ------
        InputError
            If one of them is wrong.
        """
        changed = {} if self.termination is None else {"terminations": self.termination}
        return of_adsorption(self, **changed)


def plan(inputs: DiffusionInputs) -> Task:
    """Return the last of the tasks that a diffusion calculation asks for.

    Raises
    ------
    InputError
        If the structure, the facet or the supercell is wrong, or several terminations are there and none is chosen.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    shared = plan_adsorption(inputs.of_adsorption())
    surfaces = shared.inputs["surfaces"]
    if len(surfaces) > 1:
        names = ", ".join(surface["termination"] for surface in surfaces)
        raise InputError(f"this facet has several terminations, expected one of: {names}", "termination")
    surface = surfaces[0]
    one = engine(inputs.engine)
    common = {"engine": shared.inputs["engine"], "fmax_eV_A": inputs.fmax_eV_A, "max_steps": inputs.max_steps}
    name = f"{inputs.adsorbate} on {surface['crystal']}{facet_text(surface['miller'])}"
    size = len(surface["slab"]["symbols"]) + 1
    before = {"clean": shared.after["0 clean"]}
    free = {f"free {i}": shared.after[f"0 free {i}"] for i in range(len(surface["sites"]))}

    def task(function: str, own: dict[str, Any], after: dict[str, Task], label: str, energies: float) -> Task:
        return Task(
            function=f"sodiophile.atomistic.diffusion_tasks:{function}",
            version=_VERSION,
            inputs={**common, "sites": surface["known_sites"], **own},
            after=after,
            context=shared.context,
            label=f"{name}: {label}",
            cost_s=one.seconds_per_atom * size * energies,
        )

    basins = task("relax_basins", {"adsorbate": inputs.adsorbate}, {**before, **free}, "basins", 12)
    hops = {
        f"hop {i}": task(
            "climb_hop",
            {"hop": i, "images": inputs.images},
            {**before, "basins": basins},
            f"hop {i + 1}",
            inputs.images * _BAND_STEPS_GUESS / (i + 1),
        )
        for i in range(inputs.max_hops)
    }
    return Task(
        function="sodiophile.atomistic.diffusion_result:assemble",
        version=_VERSION,
        inputs={
            **common,
            "adsorbate": inputs.adsorbate,
            "images": inputs.images,
            "max_hops": inputs.max_hops,
            "temperature_K": inputs.temperature_K,
            "vacuum_A": inputs.vacuum_A,
            "surface": surface,
            **calibration_points(inputs.engine, inputs.adsorbate),
        },
        after={**before, "basins": basins, **hops},
        context=shared.context,
        label=f"{name}: diffusion",
        cost_s=0.2,
    )


CALCULATION = Calculation(
    kind="diffusion",
    title="Diffusion",
    summary="a crystal, a facet and an adatom in; barriers of its hops, their rates and its diffusion coefficient out",
    inputs=DiffusionInputs,
    plan=plan,
    draw=draw,
    quantities={
        "barrier:HOP": "energy of the saddle above the basin where the hop starts, eV",
        "barrier_back:HOP": "energy of the saddle above the basin where the hop ends, eV",
        "attempt_frequency:HOP": "of the hop, harmonic, adatom alone, THz",
        "attempt_frequency_back:HOP": "of the reverse, THz",
        "hop_rate:HOP": "of one such hop at the temperature asked for, 1/s",
        "hop_length:HOP": "distance in the plane between the basins, angstrom",
        "barrier:lowest": "the lowest of those above, eV",
        "basin_energy:BASIN": "above the lowest basin, eV",
        "diffusion_coefficient": "of one adatom at the temperature asked for, mean over all directions, cm^2/s",
        "diffusion_coefficient:fast": "along the direction in which it is largest, cm^2/s",
        "diffusion_coefficient:slow": "across it, cm^2/s",
        "activation_energy": "slope of ln D against 1/T around that temperature, eV",
        "diffusion_prefactor": "intercept of that line, cm^2/s",
    },
)
