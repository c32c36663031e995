"""The energy of an adatom all over the surface cell: a map, its minima and saddles, and the barrier to cross it.

The plane group folds the cell: an adatom is held at each point of an even grid of the irreducible part, and at the labelled
sites, its height and the slab relaxed. The pieces of work are those of an adsorption calculation, with other points in the
plane, so that both share them. A symmetric Fourier series goes through the energies (`sodiophile.atomistic.periodic_map`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sodiophile.atomistic import adsorption
from sodiophile.atomistic.adsorption import AdsorptionInputs
from sodiophile.atomistic.base import Calculation
from sodiophile.atomistic.site_map_figure import draw
from sodiophile.errors import InputError
from sodiophile.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sodiophile.atomistic.symmetry2d import PlaneGroup

_VERSION = 1


class SiteMapInputs(AdsorptionInputs):
    """What the user sets: as for adsorption, on one termination."""

    points: int = Field(24, ge=8, le=200, description="points that are computed, the labelled sites among them")
    free: bool = Field(False, description="also let the adatom go from each labelled site, and mark where it ends")


def plan(inputs: SiteMapInputs) -> Task:
    """Return the last of the tasks that a map asks for.

    Raises
    ------
    InputError
        If the inputs do not make an adsorption calculation, or the facet has several terminations and none is named.
    EngineError, MissingExtraError
        If the engine is missing.
    """
    base = adsorption.plan(inputs)
    surfaces = base.inputs["surfaces"]
    if len(surfaces) > 1:
        names = ", ".join(surface["termination"] for surface in surfaces)
        raise InputError(f"this facet has the terminations {names}, expected one of them", "terminations")
    import numpy as np

    from sodiophile.atomistic.periodic_map import irreducible_points

    surface = surfaces[0]
    group, supercell = plane_group_of(surface)
    numbers = range(len(surface["sites"]))
    labelled = {site["label"]: site["fractional"] for site in surface["known_sites"]}
    sites = [labelled[label] for label in surface["sites"]]
    taken = np.array([to_primitive(point, group, supercell) for point in sites])
    grid = irreducible_points(group, inputs.points, taken)
    pattern = base.after["0 site 0"]
    name = pattern.label.removesuffix(surface["sites"][0])
    after = {name: base.after[name] for name in ("crystal", "metal", "0 clean")}
    after |= {f"site {i}": base.after[f"0 site {i}"] for i in numbers}
    if inputs.free:
        after |= {f"free {i}": base.after[f"0 free {i}"] for i in numbers}
    points = [*(list(map(float, point)) for point in sites)]
    for i, point in enumerate(grid):
        fractional = [round(float(x), 6) % 1.0 for x in point @ group.cell_A @ inverse(supercell)]
        after[f"site {len(sites) + i}"] = moved_to(pattern, fractional, f"{name}point {i + 1} of {len(grid)}")
        points.append(fractional)
    keep = ("engine", "adsorbate", "cohesive_energy", "fmax_eV_A", "max_steps", "vacuum_A", "displacement_A")
    return Task(
        function="sodiophile.atomistic.site_map_result:assemble",
        version=_VERSION,
        inputs={**{key: base.inputs[key] for key in keep}, "surface": surface, "points": points, "free": inputs.free},
        after=after,
        context=base.context,
        label=f"{name}map",
        cost_s=2.0,
    )


def plane_group_of(surface: Mapping[str, Any]) -> tuple[PlaneGroup, NDArray[np.float64]]:
    """Return the plane group of a planned surface and the in-plane cell (2, 2) of its slab (angstrom)."""
    import numpy as np

    from sodiophile.atomistic.relaxation import unpack
    from sodiophile.atomistic.symmetry2d import plane_group

    slab = unpack(surface["slab"])
    cell = np.asarray(slab.cell[:2, :2])
    return plane_group(slab.positions, slab.numbers, cell), cell


def to_primitive(fractional: Sequence[float], group: PlaneGroup, supercell_A: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fractional coordinates in the primitive cell, within it, of a point given in those of the slab's."""
    import numpy as np

    from sodiophile.atomistic.symmetry2d import wrap

    return wrap(group.fractional(np.asarray(fractional, float) @ supercell_A))


def inverse(cell_A: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse of an in-plane cell."""
    import numpy as np

    return np.asarray(np.linalg.inv(cell_A))


def moved_to(task: Task, fractional: Sequence[float], label: str) -> Task:
    """Return the task of a site for another point in the plane; those before it that have a point move with it."""
    before = {
        name: moved_to(one, fractional, f"{label}, before") if "fractional" in one.inputs else one
        for name, one in task.after.items()
    }
    return replace(task, inputs={**task.inputs, "fractional": list(fractional)}, after=before, label=label)


CALCULATION = Calculation(
    kind="site-map",
    title="Map of adsorption energies",
    summary="a crystal, a facet and an adatom in; its energy all over the surface cell, minima, saddles and barrier out",
    inputs=SiteMapInputs,
    plan=plan,
    draw=draw,
    quantities={
        "adsorption_energy_vs_bulk:minimum": "the lowest of the map, against bulk metal, eV",
        "adsorption_energy_vs_bulk:maximum": "the highest of the map, against bulk metal, eV",
        "corrugation": "highest minus lowest, eV",
        "barrier:one direction": "from the lowest minimum, to move without end along rows, eV",
        "barrier:all directions": "from the lowest minimum, to reach all of the surface, eV",
        "interpolation_error": "root mean square of points predicted by the others, eV",
    },
)
