"""What densities and charges say of a surface and its adatom, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sodiophile.atomistic.engines import engine
from sodiophile.result import Verdict

if TYPE_CHECKING:
    from sodiophile.atomistic.charge_density_result import SiteDensity

# Charges below this say nothing about a direction: schemes differ by more.
_SMALL_E = 0.1
# A vacuum level is told to this.
_FLAT_EV = 0.02
_SAME_STEP_EV = 0.03
_LOST_E = 0.02
# States per electronvolt and atom; gaps found on a mesh, not counting rounding.
_FEW_STATES = 1e-3


def verdicts(
    inputs: Mapping[str, Any], sites: Sequence[SiteDensity], crystal: Mapping[str, Any], clean_eV: float | None
) -> dict[str, Verdict]:
    """Say where the electrons went, whether the interlayer conducts, and what becomes of the work function."""
    found = {
        "electrons_go": _direction(inputs, sites),
        "interlayer": conductor(inputs["surface"]["crystal"], crystal),
    }
    changes = {one.label: one.work_function_eV - clean_eV for one in sites if one.work_function_eV is not None and clean_eV}
    if changes and clean_eV is not None:
        metal = inputs["adsorbate"]
        word = "lowered" if max(changes.values()) < 0 else "raised" if min(changes.values()) > 0 else "lowered or raised"
        evidence = [f"the clean side has {clean_eV:.2f} eV"]
        evidence += [f"{label}: {change:+.2f} eV" for label, change in changes.items()]
        evidence.append(
            f"{metal} that gives electrons away, and bumps of any kind, make dipoles that lower it; for this coverage only"
        )
        found["work_function"] = Verdict(word, tuple(evidence))
    return found


def _direction(inputs: Mapping[str, Any], sites: Sequence[SiteDensity]) -> Verdict:
    metal, crystal = inputs["adsorbate"], inputs["surface"]["crystal"]
    bader = [float(one.bader_e[-1]) for one in sites]
    hirshfeld = [float(one.hirshfeld_e[-1]) for one in sites]
    if metal == crystal:
        answer = "nowhere: adatom and surface are one metal"
    elif min(bader) > _SMALL_E and min(hirshfeld) > 0:
        answer = f"from {metal} to {crystal}"
    elif max(bader) < -_SMALL_E and max(hirshfeld) < 0:
        answer = f"from {crystal} to {metal}"
    elif max(abs(value) for value in bader) <= _SMALL_E:
        answer = "nowhere in particular: the bond is shared"
    else:
        answer = "cannot be told: it differs with the site or the scheme"
    evidence = [
        f"{one.label}: charge of {metal} {one.bader_e[-1]:+.2f} e (Bader), {one.hirshfeld_e[-1]:+.2f} e (Hirshfeld); "
        f"{one.accumulated_e:.2f} e accumulate and as many are depleted in all of the cell"
        for one in sites
    ]
    evidence.append(
        "a charge of an atom is a convention: Bader cuts where the density is lowest and gives large ones, Hirshfeld "
        "shares by neutral atoms and gives small ones; what accumulates also counts what is moved within each partner"
    )
    return Verdict(answer, tuple(evidence))


def conductor(name: str, crystal: Mapping[str, Any]) -> Verdict:
    """Say whether a crystal conducts electrons, by its bands.

    Parameters
    ----------
    name
        Of the crystal.
    crystal
        Outcome of `sodiophile.atomistic.density_tasks.solve_crystal`.
    """
    import numpy as np

    atoms = len(crystal["atoms"]["symbols"])
    above = np.array(crystal["energies_above_fermi_eV"])
    dos = [float(np.interp(0.0, above, mesh["dos_per_eV"])) / atoms for mesh in crystal["meshes"]]
    gaps = [mesh["edges_eV"]["gap_eV"] for mesh in crystal["meshes"]]
    meshes = ["x".join(str(k) for k in mesh["mesh"]) for mesh in crystal["meshes"]]
    states = " and ".join(f"{value:.3f} (mesh {mesh})" for value, mesh in zip(dos, meshes, strict=True))
    evidence = [f"density of states of {name} at the Fermi level, both spins: {states} per eV and atom"]
    gap = gaps[-1]
    if gap is None:
        answer = "conductor"
        evidence.append("an odd number of electrons in the primitive cell fills no whole number of bands")
    elif gap <= 0:
        answer = "conductor" if min(dos) > _FEW_STATES else "semimetal"
        evidence.append(f"filled and empty bands overlap by {-gap:.2f} eV, which no denser mesh can undo")
    else:
        answer = "no conductor"
        evidence.append(
            f"a gap of at most {gap:.2f} eV lies between the bands; semilocal functionals find it too small, often by half"
        )
    evidence.append(
        "of the perfect crystal in bulk: vacancies, grain boundaries and oxide skins, which decide how a real layer "
        "conducts, are not in it, nor is a gap that magnetism or strong correlation opens"
    )
    return Verdict(answer, tuple(evidence))


def warnings(inputs: Mapping[str, Any], sites: Sequence[SiteDensity], clean_error_eV: float) -> list[str]:
    """Say what the reader of the numbers must know."""
    found = []
    relaxed = inputs["relaxed_with"]
    surface = inputs["surface"]
    if not engine(relaxed).is_dft:
        found.append(f"The structures were relaxed with {relaxed}, a potential; only the electrons are from DFT.")
    if surface["polar"]:
        found.append("The surface is polar as cut; real ones compensate their dipole, by reconstruction or otherwise.")
    for one in sites:
        if one.elsewhere:
            found.append(
                f"{one.label}: {one.elsewhere} maxima of the density stand at no nucleus, as they do in simple metals; "
                f"what flows to them and the vacuum, {one.unassigned_e:.3f} e, is no atom's."
            )
        if abs(one.balance_e) > _LOST_E:
            found.append(f"{one.label}: the Bader charges miss {one.balance_e:+.3f} e of all electrons.")
        if one.step_eV is not None and abs(one.step_eV - one.dipole_step_eV) > _SAME_STEP_EV:
            found.append(
                f"{one.label}: the bond moves the two vacuum levels apart by {one.step_eV:+.2f} eV, the dipole of the "
                f"density difference by {one.dipole_step_eV:+.2f} eV: densities reach the border, or are not converged."
            )
    steep = [(one.label, one.work_function_error_eV) for one in sites] + [("the clean slab", clean_error_eV)]
    for label, error in steep:
        if error > _FLAT_EV:
            found.append(
                f"{label}: the potential of the vacuum is not flat ({error:.2f} eV); a larger clearance gives a better "
                "work function."
            )
    return found
