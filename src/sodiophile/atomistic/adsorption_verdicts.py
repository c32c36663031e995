"""What adsorption energies say, and what they do not: verdicts with the engine's error in view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt

from sodiophile.atomistic.engines import Engine
from sodiophile.quantity import Quantity
from sodiophile.result import Verdict

_WORDS = {"Na": "sodiophilic", "Li": "lithiophilic", "K": "potassiophilic", "Zn": "zincophilic"}


def stability_word(adsorbate: str) -> str:
    """Return the field's word for a surface that the metal prefers to itself."""
    return _WORDS.get(adsorbate, "metallophilic")


def most_stable(held: Mapping[str, float], free: Mapping[str, tuple[float, str]], unsettled: Sequence[str] = ()) -> Verdict:
    """Say which site is lowest.

    Parameters
    ----------
    held
        Site -> energy (eV) with the adatom held in the plane.
    free
        Site -> (energy, final site) with the adatom let go.
    unsettled
        Adatoms that did not converge, so that nothing is known of them.
    """
    if not held:
        return Verdict("cannot be told", ("no relaxation converged",))
    best = min(held, key=lambda label: held[label])
    evidence = [f"held in the plane, the adatom is lowest over {best}, {held[best]:+.3f} eV against bulk metal"]
    unknown = [f"not converged, so not among them: {', '.join(unsettled)}"] if unsettled else []
    if not free:
        return Verdict(best, (*evidence, *unknown))
    energy, end = min(free.values())
    moved = [f"{label} to {final}" for label, (_, final) in free.items() if final != label]
    evidence.append(f"let go, it is lowest near {end}, {energy:+.3f} eV")
    stays = "let go, it stays at every site" + (" that converged" if unsettled else "")
    evidence.append(f"let go, it leaves {', '.join(moved)}" if moved else stays)
    return Verdict(best if end == best else f"{best} (held), {end} (let go)", (*evidence, *unknown))


def order(held: Mapping[str, float], engine: Engine, scatter_eV: float | None = None) -> Verdict:
    """Give the order of the sites, most stable first, and say whether the differences can be trusted.

    The error of a potential is mostly the same for all sites of a surface and cancels in their differences. What is a
    site's own has to be measured against DFT; until then a difference smaller than the whole error is this potential's,
    not established.

    Parameters
    ----------
    held
        Site -> energy (eV).
    engine
        What gave them.
    scatter_eV
        The part of the engine's error that is a site's own, from a calibration on DFT; None where there is none.
    """
    if len(held) < 2:
        return Verdict("cannot be told", ("fewer than two sites converged",))
    ranked = sorted(held, key=lambda label: held[label])
    gaps = [f"{second} lies {held[second] - held[first]:.3f} eV above {first}" for first, second in pairwise(ranked)]
    spread = held[ranked[-1]] - held[ranked[0]]
    error = engine.accuracy.error_eV
    answer = " < ".join(ranked)
    if engine.is_dft:
        return Verdict(answer, (*gaps, *_open_steps(ranked, held, engine)))
    if scatter_eV is not None:
        return Verdict(answer, (*gaps, _within_scatter(ranked, held, engine, scatter_eV)))
    if error is None:
        about = f"the error of {engine.name} against DFT has not been measured: the order is this potential's"
    elif spread < error:
        about = (
            f"the whole spread, {spread:.2f} eV, is below the error of {engine.name}, {error:g} eV; most of that error is "
            "common to all sites and cancels in differences, but how much has not been measured: the order is this "
            "potential's, not established"
        )
    else:
        small = [f"{first} / {second}" for first, second in pairwise(ranked) if held[second] - held[first] < error]
        about = (
            f"the spread, {spread:.2f} eV, exceeds the error of {engine.name}, {error:g} eV"
            + (f", but not the steps {', '.join(small)}" if small else "")
            + "; most of the error is common to all sites and cancels in differences, how much has not been measured"
        )
    return Verdict(answer, (*gaps, about))


def _within_scatter(ranked: Sequence[str], held: Mapping[str, float], engine: Engine, scatter_eV: float) -> str:
    """Say which neighbours a potential tells apart, given what is each site's own in its error."""
    limit = 2 * sqrt(2.0) * scatter_eV
    small = [f"{first} / {second}" for first, second in pairwise(ranked) if held[second] - held[first] < limit]
    text = f"against DFT the error of {engine.name} scatters by {scatter_eV:.2f} eV from site to site"
    if not small:
        return f"{text}: every step exceeds twice what that makes of a difference, {limit:.2f} eV"
    return f"{text}: steps below {limit:.2f} eV are not established: {', '.join(small)}"


def _open_steps(ranked: Sequence[str], held: Mapping[str, float], engine: Engine) -> list[str]:
    """Name the neighbours in an order whose difference is within the numerical error of DFT."""
    error = engine.accuracy.error_eV
    if error is None:
        return [f"the numerical error of {engine.name} (cutoff, k-points) has not been measured"]
    small = [f"{first} / {second}" for first, second in pairwise(ranked) if held[second] - held[first] < 2 * error]
    return [f"not told apart within twice the numerical error, {error:g} eV: {', '.join(small)}"] if small else []


def sodiophilic(lowest_eV: float | None, metal: str, engine: Engine, corrected: Quantity | None = None) -> Verdict:
    """Say whether the surface binds the metal more strongly than the bulk metal does: the first layer then wets it.

    An answer needs twice the error; between once and twice it is probable.

    Parameters
    ----------
    lowest_eV
        The lowest adsorption energy against bulk metal.
    metal
        The metal.
    engine
        Where the energy comes from.
    corrected
        The same corrected to DFT, where there are DFT points to calibrate the engine on; judged instead.
    """
    if lowest_eV is None:
        return Verdict("cannot be told", ("no relaxation converged",))
    side = "below" if lowest_eV < 0 else "above"
    evidence = [f"the lowest adatom lies {abs(lowest_eV):.2f} eV {side} bulk {metal}"]
    if corrected is not None and corrected.uncertainty is not None:
        energy, error = corrected.value, corrected.uncertainty
        evidence.append(f"corrected to DFT: {energy:+.2f} eV, with an error of {error:.2f} eV ({corrected.calibrated_to})")
        return Verdict(_side_of_zero(energy, error), tuple(evidence))
    error_eV = engine.accuracy.error_eV
    answer = "yes" if lowest_eV < 0 else "no"
    if engine.is_dft:
        if error_eV is None:
            evidence.append(f"the numerical error of {engine.name} (cutoff, k-points) has not been measured")
        elif abs(lowest_eV) < 2 * error_eV:
            evidence.append(f"that is within twice the numerical error of {engine.name}, {error_eV:g} eV")
            answer = "cannot be told"
        return Verdict(answer, tuple(evidence))
    if error_eV is None:
        evidence.append(f"the error of {engine.name} has not been measured")
        return Verdict(f"{answer}, by the sign alone", tuple(evidence))
    times = "less than" if abs(lowest_eV) < error_eV else "less than twice" if abs(lowest_eV) < 2 * error_eV else "twice"
    evidence.append(f"that is {times} the error of {engine.name}, {error_eV:g} eV{' or more' * (times == 'twice')}")
    return Verdict(_side_of_zero(lowest_eV, error_eV), tuple(evidence))


def _side_of_zero(energy_eV: float, error_eV: float) -> str:
    answer = "yes" if energy_eV < 0 else "no"
    if abs(energy_eV) < error_eV:
        return "cannot be told"
    return answer if abs(energy_eV) >= 2 * error_eV else f"probably {answer}"


def clean_surface(
    rattled_eV: float | None,
    emptied_eV: Mapping[str, float],
    distorted: Sequence[str],
    tolerance_eV: float,
    unsettled: Sequence[str] = (),
) -> Verdict:
    """Say whether the symmetric clean slab is the lowest one found.

    A symmetric slab cannot fall into a distorted state of lower energy; one that an adatom or a random displacement has
    knocked off its symmetry can (cubic nitrides that are stable only when warm do). Referred to the symmetric slab, the
    energy of the distortion would pass for adsorption energy, the more the thicker the slab. So every adatom is
    referred to the clean slab in the state that its own slab is in.

    Parameters
    ----------
    rattled_eV
        Energy of the slab relaxed from random displacements, above the symmetric one; None if not converged.
    emptied_eV
        The same for slabs with the adatom taken off, by the name of the adatom.
    distorted
        The adatoms that are referred to the distorted slab.
    tolerance_eV
        What a relaxation may be off.
    unsettled
        Adatoms of which nothing is known, for a relaxation did not converge.
    """
    lower = {name: energy for name, energy in emptied_eV.items() if energy < -tolerance_eV}
    evidence = [
        "relaxed from random displacements it does not converge"
        if rattled_eV is None
        else f"relaxed from random displacements it ends {rattled_eV:+.3f} eV a cell from the symmetric slab"
    ]
    if lower:
        listed = ", ".join(f"{name} {energy:+.3f} eV" for name, energy in lower.items())
        evidence.append(f"with the adatom taken off it ends distorted: {listed}")
        evidence.append(
            f"under the adatom too for {', '.join(distorted)}, which refer to that state, all others to the symmetric one"
            if distorted
            else "under the adatom it is nearer to the symmetric slab, to which all energies refer"
        )
    elif emptied_eV:
        every = f"every site but {', '.join(unsettled)}, not converged" if unsettled else "every site"
        evidence.append(f"with the adatom taken off it returns to the symmetric slab from {every}")
    if lower or (rattled_eV is not None and rattled_eV < -tolerance_eV):
        return Verdict("the clean surface distorts", tuple(evidence))
    return Verdict("stable", tuple(evidence))
