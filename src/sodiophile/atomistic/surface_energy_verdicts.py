"""What surface energies say: the lowest, whether they have converged with thickness, and which ends cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sodiophile.atomistic.surface_energy_model import Surface, Window
from sodiophile.result import Verdict

# A surface energy that still changes by more between the thinnest slab and the rest has not converged with thickness.
_CONVERGED_J_M2 = 0.02


def verdicts(surfaces: Sequence[Surface], window: Window, shapes: Mapping[str, Mapping[str, float]]) -> dict[str, Verdict]:
    """Return the verdicts of a calculation by name."""
    found: dict[str, Verdict] = {}
    told = [surface for surface in surfaces if surface.fitted is not None]
    for words, potential in window.all_ends(told).items():
        energies = {surface.name: surface.gamma_J_m2(potential) for surface in told}
        order = sorted(energies, key=lambda name: energies[name])
        evidence = tuple(f"{name}: {energies[name]:.3f} J/m^2" for name in order)
        found[f"lowest_surface{words}"] = Verdict(order[0] if order else "cannot be told", evidence)
    for surface in surfaces:
        found[f"thickness:{surface.name}"] = _thickness(surface)
    if any(surface.excess for surface in told):
        found["chemical_potential"] = _potential(window)
    for words, fractions in shapes.items():
        parts = tuple(f"{facet}: {100 * fraction:.0f} % of the area" for facet, fraction in fractions.items())
        present = [facet for facet, fraction in fractions.items() if fraction > 0.005]
        found[f"equilibrium_shape{words}"] = Verdict(" and ".join(present), (*parts, "of the facets computed here only"))
    return found


def _thickness(surface: Surface) -> Verdict:
    if surface.fitted is None:
        return Verdict("cannot be told", (surface.why,))
    change = surface.per_face_J_m2(surface.fitted.without_thinnest_eV - surface.fitted.intercept_eV)
    thicknesses = ", ".join(f"{t:.1f}" for t in surface.thicknesses_A)
    off = 1e3 * max(abs(r) for r in surface.fitted.residuals_eV)
    evidence = (
        f"leaving out the thinnest slab changes it by {change:+.4f} J/m^2 (converged: within {_CONVERGED_J_M2:g})",
        f"slabs of {thicknesses} angstrom; largest distance from the line {off:.2f} meV",
    )
    return Verdict("converged" if abs(change) <= _CONVERGED_J_M2 else "not converged: ask for thicker slabs", evidence)


def _potential(window: Window) -> Verdict:
    assert window.composition is not None  # noqa: S101  there is an excess of it
    element, other = window.composition.element, window.composition.other
    rich = f"{element}-rich end: {element} costs what it costs in bulk {element}, computed with the same engine"
    if window.poorest_eV is None:
        return Verdict(f"the {other}-rich end cannot be told", (rich, window.why))
    return Verdict(
        f"{element} from {window.poorest_eV:.2f} to 0 eV against bulk {element}",
        (rich, f"{other}-rich end: formation energy {window.formation_eV:.2f} eV per formula unit, {window.source}"),
    )
