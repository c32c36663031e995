"""From relaxed slabs to surface energies and warnings: the last task of a calculation of surface energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sodiophile._version import __version__
from sodiophile.atomistic.engines import Engine, engine_of
from sodiophile.atomistic.relaxation import unpack
from sodiophile.atomistic.surface_energy_model import Surface, Window, formula_units, surface_of, window_of
from sodiophile.atomistic.surface_energy_tables import shape_table, slab_table, surface_table
from sodiophile.atomistic.surface_energy_verdicts import verdicts
from sodiophile.atomistic.tasks import require
from sodiophile.atomistic.wulff import area_fractions
from sodiophile.quantity import Quantity
from sodiophile.result import Result

_METHOD = (
    "half of the intercept of the straight line through E(slab) against formula units (Fiorentini and Methfessel 1996), "
    "per area; both faces relaxed"
)
_A2_IN_NM2 = 0.01


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Fit the lines, judge them, and save the result into the folder."""
    engine = engine_of(inputs["engine"], trusted=bool(context.get("trusted", False)))
    crystal = require(after["crystal"], "the crystal")
    symbols = unpack(crystal["crystal"]).get_chemical_symbols()
    window = window_of(inputs, after, symbols)
    surfaces = [
        surface_of(about, [after[f"{i} {k}"] for k in range(len(about["layers"]))], window, symbols, inputs["crystal"])
        for i, about in enumerate(inputs["surfaces"])
    ]
    told = [surface for surface in surfaces if surface.fitted is not None]
    shapes = _shapes(told, window, crystal)
    result = Result(
        kind="surface-energy",
        inputs=_shown(inputs, crystal, window),
        quantities=_quantities(told, window, inputs, crystal["energy_eV"] / formula_units(symbols), shapes),
        verdicts=verdicts(surfaces, window, shapes),
        warnings=tuple(_warnings(surfaces, engine, inputs["crystal"])),
        tables={
            "surfaces": surface_table(surfaces, window, inputs),
            "slabs": slab_table(surfaces, after, crystal["energy_eV"] / len(symbols)),
            "shape": shape_table(shapes),
        },
    )
    return result.save(folder)


def _quantities(
    told: Sequence[Surface],
    window: Window,
    inputs: Mapping[str, Any],
    bulk_eV: float,
    shapes: Mapping[str, Mapping[str, float]],
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for surface in told:
        assert surface.fitted is not None  # noqa: S101  told
        fitted, about = surface.fitted, surface.about
        where = (
            f"{inputs['engine']['engine']}, slabs of {', '.join(str(n) for n in about['layers'])} layers cut from the "
            f"relaxed crystal, {inputs['vacuum_A']:g} angstrom of vacuum, forces below {inputs['fmax_eV_A']:g} eV/angstrom"
        )
        faces = "" if about["symmetric"] else "; mean of two different faces, which no symmetry exchanges"
        error = surface.per_face_J_m2(fitted.uncertainty_eV)
        for words, potential in window.ends(surface).items():
            at = f"; the atoms in excess at the {words[2:]} end of the chemical potential" if words else ""
            about_line = f"{_METHOD}{faces}{at}; {where}; uncertainty: of the fit and of the thickness alone"
            value = surface.gamma_J_m2(potential)
            found[f"surface_energy:{surface.name}{words}"] = Quantity(value, "J/m^2", error, about_line, "computed")
            about_two = f"from the two thickest slabs alone{faces}{at}; {where}"
            two = value + surface.per_face_J_m2(fitted.two_slab_eV - fitted.intercept_eV)
            found[f"surface_energy_two_slab:{surface.name}{words}"] = Quantity(two, "J/m^2", None, about_two, "computed")
        definition = "slope of the line minus the energy of the relaxed crystal, per formula unit"
        mismatch = fitted.slope_eV - bulk_eV
        found[f"bulk_energy_mismatch:{surface.name}"] = Quantity(mismatch, "eV", None, definition, "computed")
        if surface.excess and window.composition is not None:
            element = window.composition.element
            definition = (
                f"{element} atoms beyond the bulk composition on one face, per area; for each eV that {element} costs "
                "more, the surface energy falls by one eV for each of them"
            )
            excess = surface.excess / (2 * surface.area_A2) / _A2_IN_NM2
            found[f"excess:{surface.name}"] = Quantity(excess, "1/nm^2", None, definition, "computed")
    if window.formation_eV is not None:
        definition = f"energy of the crystal minus that of its elements, per formula unit; {window.source}"
        found["formation_energy"] = Quantity(
            window.formation_eV, "eV", None, definition, "assumed" if window.given else "computed", source=window.source
        )
    definition = "part of the area of the equilibrium shape (Wulff) made of these facets alone"
    for words, fractions in shapes.items():
        for facet, fraction in fractions.items():
            found[f"area_fraction:{facet}{words}"] = Quantity(fraction, "1", None, definition, "computed")
    return found


def _shapes(told: Sequence[Surface], window: Window, crystal: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the area fractions of the equilibrium shape at each end of the chemical potential that is known."""
    found = {}
    for words, potential in window.all_ends(told).items():
        lowest: dict[tuple[int, int, int], float] = {}
        for surface in told:
            h, k, l = surface.about["miller"]  # noqa: E741  the names of the field
            gamma = surface.gamma_J_m2(potential)
            lowest[h, k, l] = min(gamma, lowest.get((h, k, l), gamma))
        fractions = area_fractions(unpack(crystal["crystal"]), lowest)
        if fractions:
            found[words] = fractions
    return found


def _warnings(surfaces: Sequence[Surface], engine: Engine, crystal: str) -> list[str]:
    found: list[str] = []
    if not engine.is_dft:
        found.append(
            f"{engine.name} is a potential, not DFT; the error of its surface energies has not been measured. Universal "
            "potentials trained on crystals near equilibrium underestimate surface energies (B. Deng et al., npj Comput. "
            "Mater., doi 10.1038/s41524-024-01500-6)."
        )
    for surface in surfaces:
        about, name = surface.about, f"{crystal}{surface.name}"
        if about["polar"]:
            found.append(f"{name} is polar as cut; real ones compensate their dipole, by reconstruction or otherwise.")
        if not about["symmetric"]:
            found.append(
                f"{name}: no symmetry exchanges the faces of its slab; the number is the mean of two different surfaces, "
                "which slabs alone cannot separate."
            )
        lost = len(about["layers"]) - len(surface.energies_eV)
        if surface.fitted is None:
            found.append(f"{name}: no surface energy: {surface.why}.")
        elif lost:
            found.append(f"{name}: {lost} of its slabs did not relax within the steps allowed and are left out.")
    return found


def _shown(inputs: Mapping[str, Any], crystal: Mapping[str, Any], window: Window) -> dict[str, Any]:
    return {
        "crystal": inputs["crystal"],
        "facets": list(dict.fromkeys(about["facet"] for about in inputs["surfaces"])),
        "terminations": [about["termination"] for about in inputs["surfaces"]],
        "layers": [about["layers"] for about in inputs["surfaces"]],
        "engine": inputs["engine"],
        "vacuum_A": inputs["vacuum_A"],
        "fmax_eV_A": inputs["fmax_eV_A"],
        "max_steps": inputs["max_steps"],
        "formation_energy_eV": window.formation_eV,
        "volume_A3_per_atom": crystal["volume_A3_per_atom"],
        "made_with": {"sodiophile": __version__, **crystal["made_with"]},
    }
