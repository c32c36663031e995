"""From bands to barriers, rates, a diffusion coefficient and verdicts: the last task of a diffusion calculation."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
from ase.units import kB

from sodiophile._version import __version__
from sodiophile.atomistic.adsorption_correction import difference_error
from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.diffusion_tables import (
    TABLE_T,
    basin_names,
    basin_table,
    frequencies,
    hop_table,
    map_table,
    paths,
    profile_table,
    temperature_table,
)
from sodiophile.atomistic.engines import Engine
from sodiophile.atomistic.hopping import (
    CM2_PER_A2,
    LatticeHop,
    arrhenius,
    diffusion_tensor_A2_s,
    hop_rate_Hz,
    populations,
)
from sodiophile.atomistic.interaction import thin_slab
from sodiophile.atomistic.tasks import engine_for
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict

# A saddle is one of the adatom in the plane when most of its unstable mode is.
_INPLANE_PART = 0.5
# Rates of transition state theory presume that an adatom rests between two hops: a barrier of some k_B T.
_BARRIER_IN_KT = 4.0
_SAME_ENERGY_EV = 0.005
# The straight line of Arrhenius is taken over this part of the temperature to both sides.
_AROUND_T = 0.1
_ANISOTROPIC = 1.01


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put barriers and rates together, judge them, and save the result into the folder."""
    engine = engine_for(inputs, context)
    found = after["basins"]
    hops = [after[f"hop {i}"] for i in range(inputs["max_hops"])]
    hops = [hop for hop in hops if hop["exists"]]
    names = _names(found, hops)
    faults = [_faults(hop, found) for hop in hops]
    good = [i for i in range(len(hops)) if not faults[i]]
    stable = [_is_basin(basin) for basin in found["basins"]]
    tensors = _tensors(inputs["temperature_K"], found, hops, good) if all(stable) else {}
    result = Result(
        kind="diffusion",
        inputs=_shown_inputs(inputs, after),
        quantities=_quantities(inputs, found, hops, names, good, tensors, engine),
        verdicts=_verdicts(inputs, hops, names, good, tensors, engine),
        warnings=tuple(_warnings(inputs, after, hops, names, faults, engine)),
        tables={
            "hops": hop_table(inputs, found, hops, names, faults),
            "profiles": profile_table(hops, names),
            "basins": basin_table(found),
            "temperatures": temperature_table(inputs, found, hops, good, tensors),
            "map": map_table(after["clean"], inputs, found, hops, names),
        },
        attachments=paths(inputs, hops, names),
    )
    return result.save(folder)


def _is_basin(basin: Mapping[str, Any]) -> bool:
    return bool(basin["converged"]) and min(basin["curvatures_eV_A2"]) > 0


def _names(found: Mapping[str, Any], hops: list[Mapping[str, Any]]) -> list[str]:
    sites = [basin["site"] for basin in found["basins"]]
    names = [f"{sites[hop['start']]} to {sites[hop['end']]} over {hop['saddle_site']}" for hop in hops]
    names = [
        f"{name}, {hop['length_A']:.2f} A" if names.count(name) > 1 else name for name, hop in zip(names, hops, strict=True)
    ]
    # of one length still: along different directions of a supercell that is less symmetric than the surface
    return [f"{name} ({names[:i].count(name) + 1})" if names.count(name) > 1 else name for i, name in enumerate(names)]


def _faults(hop: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return why no barrier can be had from a band, one sentence each; none as a rule."""
    faults = []
    if not hop["converged"]:
        faults.append(f"the band did not converge within {hop['iterations']} steps ({hop['fmax_eV_A']:.3f} eV/A left)")
    if not hop["is_inner"]:
        return [*faults, "no saddle lies between the two ends: one of them is no basin at this fmax"]
    curvatures = np.array(hop["curvatures_eV_A2"])
    below = int(np.sum(curvatures < 0))
    if below != 1:
        faults.append(f"the highest image has {below} unstable directions of the adatom, a saddle has one")
    elif hop["unstable_inplane_part"] < _INPLANE_PART:
        faults.append("the unstable direction of the highest image is not in the plane")
    energies = hop["energies_eV"]
    low = min(energies[0], energies[-1])
    inner = [i for i in range(1, len(energies) - 1) if energies[i] < min(energies[i - 1], energies[i + 1])]
    dips = [f"{energies[i] - low:.3f} eV" for i in inner if energies[i] < max(energies) - _SAME_ENERGY_EV]
    if dips:
        faults.append(f"the path has a basin of its own on the way, at {', '.join(dips)}: it is more than one hop")
    if abs(hop["end_mismatch_eV"]) > _SAME_ENERGY_EV:
        faults.append(f"symmetry takes a basin to one {hop['end_mismatch_eV']:+.3f} eV off: the slab is not symmetric")
    if not all(_is_basin(found["basins"][hop[end]]) for end in ("start", "end")):
        faults.append("one of its ends is no basin: the adatom there has an unstable direction, or did not relax")
    return faults


def _tensors(
    temperature_K: float, found: Mapping[str, Any], hops: list[Mapping[str, Any]], good: list[int]
) -> dict[float, np.ndarray]:
    """Return the diffusion tensor (cm2/s) at some temperatures, that asked for among them; none if there is no hop."""
    if not good:
        return {}
    around = {1.0 - _AROUND_T, 1.0, 1.0 + _AROUND_T, *TABLE_T}
    image_basins = hops[good[0]]["image_basins"]
    energies = np.array([basin["energy_eV"] for basin in found["basins"]])[image_basins]
    curvatures = np.array([basin["curvatures_eV_A2"] for basin in found["basins"]])[image_basins]
    tensors = {}
    for part in sorted(around):
        T = part * temperature_K
        lattice = []
        for i in good:
            hop = hops[i]
            forward, back = frequencies(hop, found)
            rates = (
                hop_rate_Hz(back, hop["barrier_back_eV"], T),
                hop_rate_Hz(forward, hop["barrier_eV"], T),
            )
            lattice += [LatticeHop(a, b, tuple(step), rates[bool(along)]) for a, b, step, along in hop["directed"]]
        tensors[part] = CM2_PER_A2 * diffusion_tensor_A2_s(lattice, populations(energies, curvatures, T))
    return tensors


def _quantities(
    inputs: Mapping[str, Any],
    found: Mapping[str, Any],
    hops: list[Mapping[str, Any]],
    names: list[str],
    good: list[int],
    tensors: Mapping[float, np.ndarray],
    engine: Engine,
) -> dict[str, Quantity]:
    quantities: dict[str, Quantity] = {}
    T, about = inputs["temperature_K"], _about(inputs)
    for i in good:
        hop, name = hops[i], names[i]
        error = _barrier_error(hop, inputs, engine)
        where = f"{name}; {about}"
        for key, value, side in (("barrier", "barrier_eV", "starts"), ("barrier_back", "barrier_back_eV", "ends")):
            what = f"climbing image of the elastic band, above the basin where the hop {side}, without zero-point energy"
            quantities[f"{key}:{name}"] = Quantity(hop[value], "eV", error, f"{what}; {where}", "computed")
        vineyard = "Vineyard: product of the adatom's frequencies in the basin over those on the saddle, slab held"
        rate = f"harmonic transition state theory at {T:g} K, of one such hop"
        for suffix, frequency in zip(("", "_back"), frequencies(hop, found), strict=True):
            quantities[f"attempt_frequency{suffix}:{name}"] = Quantity(
                frequency, "THz", None, f"{vineyard}; {where}", "computed"
            )
        quantities[f"hop_rate:{name}"] = Quantity(
            hop_rate_Hz(frequencies(hop, found)[0], hop["barrier_eV"], T), "1/s", None, f"{rate}; {where}", "computed"
        )
        quantities[f"hop_length:{name}"] = Quantity(hop["length_A"], "angstrom", None, f"in the plane; {where}", "computed")
    if good:
        lowest = min(good, key=lambda i: hops[i]["barrier_eV"])
        one = quantities[f"barrier:{names[lowest]}"]
        quantities["barrier:lowest"] = one
    low = min(basin["energy_eV"] for basin in found["basins"])
    for name, basin in zip(basin_names(found), found["basins"], strict=True):
        quantities[f"basin_energy:{name}"] = Quantity(
            basin["energy_eV"] - low, "eV", None, f"adatom relaxed there, above the lowest basin; {about}", "computed"
        )
    if tensors and float(np.trace(tensors[1.0])) > 0:
        quantities |= _diffusion_quantities(T, about, tensors)
    return quantities


def _diffusion_quantities(T: float, about: str, tensors: Mapping[float, np.ndarray]) -> dict[str, Quantity]:
    slow, fast = (max(float(value), 0.0) for value in np.linalg.eigvalsh(tensors[1.0]))
    what = (
        f"tracer diffusion of one adatom at {T:g} K, exact for the lattice of basins and hops with harmonic rates; {about}"
    )
    found = {"diffusion_coefficient": Quantity((fast + slow) / 2, "cm^2/s", None, f"half the trace; {what}", "computed")}
    if fast > _ANISOTROPIC * slow:
        found["diffusion_coefficient:fast"] = Quantity(fast, "cm^2/s", None, f"larger principal value; {what}", "computed")
        found["diffusion_coefficient:slow"] = Quantity(slow, "cm^2/s", None, f"smaller principal value; {what}", "computed")
    parts = (1.0 - _AROUND_T, 1.0, 1.0 + _AROUND_T)
    energy, prefactor = arrhenius(np.array(parts) * T, np.array([np.trace(tensors[part]) / 2 for part in parts]))
    line = f"ln D against 1/T from {parts[0] * T:.0f} to {parts[-1] * T:.0f} K; {about}"
    found["activation_energy"] = Quantity(energy, "eV", None, f"slope of {line}", "computed")
    found["diffusion_prefactor"] = Quantity(prefactor, "cm^2/s", None, f"intercept of {line}", "computed")
    return found


def _barrier_error(hop: Mapping[str, Any], inputs: Mapping[str, Any], engine: Engine) -> float | None:
    """Return the uncertainty of a barrier: what the curve through the images has above the highest, and the engine's error.

    The latter is that of an energy between two sites of one surface where it was measured for this adatom, else the whole.
    Without a measured error of a potential there is none to give: the first part alone would pass for the whole.
    """
    known = difference_error(inputs)
    error = engine.accuracy.error_eV if known is None else known[0]
    if error is None and not engine.is_dft:
        return None
    return hypot(hop["interpolation_eV"], hop["end_mismatch_eV"], error or 0.0)


def _verdicts(
    inputs: Mapping[str, Any],
    hops: list[Mapping[str, Any]],
    names: list[str],
    good: list[int],
    tensors: Mapping[float, np.ndarray],
    engine: Engine,
) -> dict[str, Verdict]:
    kT = kB * inputs["temperature_K"]
    if not good:
        return {"diffusion": Verdict("cannot be told", ("no hop has a verified saddle",))}
    best = min(good, key=lambda i: hops[i]["barrier_eV"])
    barrier = hops[best]["barrier_eV"]
    evidence = [
        f"lowest barrier {barrier:.3f} eV, {names[best]}: {barrier / kT:.1f} k_B T at {inputs['temperature_K']:g} K"
    ]
    if barrier < _BARRIER_IN_KT * kT:
        answer = "nearly free"
        evidence.append(
            f"below {_BARRIER_IN_KT:g} k_B T an adatom does not rest between hops: rates and D are an order of magnitude"
        )
    else:
        answer = "hops"
    error, known = engine.accuracy.error_eV, difference_error(inputs)
    if known is not None:
        evidence.append(
            f"the energy of {engine.name} between two sites of one surface is off by {known[0]:.2f} eV (root mean square "
            f"of {known[1]}): in a barrier that is a factor of {np.exp(known[0] / kT):.1g} in D"
        )
    elif error is not None:
        evidence.append(
            f"the error of {engine.name}, {error:g} eV, was measured on adsorption energies; most of it is common to basin "
            "and saddle and cancels in a barrier, how much has not been measured: taken whole it is a factor of "
            f"{np.exp(error / kT):.1g} in D"
        )
    elif not engine.is_dft:
        evidence.append(f"the error of {engine.name} against DFT has not been measured")
    verdicts = {"diffusion": Verdict(answer, tuple(evidence))}
    if tensors:
        slow, fast = (float(value) for value in np.linalg.eigvalsh(tensors[1.0]))
        if slow < 1e-9 * fast:
            lattice = Verdict("one-dimensional", ("the hops with a verified saddle lead along one direction only",))
        elif fast <= _ANISOTROPIC * slow:
            lattice = Verdict("isotropic", (f"both principal values of D are {fast:.3g} cm^2/s",))
        else:
            lattice = Verdict("anisotropic", (f"principal values {fast:.3g} and {slow:.3g} cm^2/s",))
        verdicts["directions"] = lattice
    return verdicts


def _warnings(
    inputs: Mapping[str, Any],
    after: Mapping[str, Any],
    hops: list[Mapping[str, Any]],
    names: list[str],
    faults: list[list[str]],
    engine: Engine,
) -> list[str]:
    warnings = []
    found, surface = after["basins"], inputs["surface"]
    if not engine.is_dft:
        warnings.append(
            f"{engine.name} is a potential, not DFT: {engine.accuracy.sentence(engine.name)}. Potentials trained near "
            "equilibrium make barriers too low as a rule (Deng et al., npj Comput. Mater., doi 10.1038/s41524-024-01500-6)."
        )
    warnings += thin_slab(f"{surface['crystal']}{facet_text(surface['miller'])}", after["clean"], engine.name)
    warnings += [f"{text}." for text in found["left_out"]]
    for basin, name in zip(found["basins"], basin_names(found), strict=True):
        if not basin["converged"]:
            warnings.append(
                f"basin {name}: not converged after {inputs['max_steps']} steps ({basin['fmax_eV_A']:.3f} eV/A left)."
            )
        if min(basin["curvatures_eV_A2"]) <= 0:
            warnings.append(f"basin {name}: the adatom has an unstable direction there, so it is no basin.")
    for name, odd in zip(names, faults, strict=True):
        warnings += [f"{name}: {text}; no barrier is given." for text in odd]
    if found["hops"] > len(hops):
        warnings.append(
            f"this surface has {found['hops']} distinct hops between neighbouring basins, the {len(hops)} shortest "
            "were computed (max_hops): D leaves the others out."
        )
    return warnings


def _about(inputs: Mapping[str, Any]) -> str:
    surface = inputs["surface"]
    n, m = surface["supercell"]
    return (
        f"{inputs['adsorbate']} on {surface['crystal']}{facet_text(surface['miller'])}, "
        f"{surface['termination']}-terminated; one in a {n}x{m} surface cell, all of them hop together; "
        f"{surface['layers']} layers, the lowest {surface['fixed_layers']} held; "
        f"{inputs['images']} images; {inputs['engine']['engine']}, forces below {inputs['fmax_eV_A']:g} eV/angstrom"
    )


def _shown_inputs(inputs: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    surface = inputs["surface"]
    return {
        "crystal": surface["crystal"],
        "facet": facet_text(surface["miller"])[1:-1],
        "termination": surface["termination"],
        "adsorbate": inputs["adsorbate"],
        "engine": inputs["engine"],
        "supercell": "x".join(str(n) for n in surface["supercell"]),
        "layers": surface["layers"],
        "fixed_layers": surface["fixed_layers"],
        "vacuum_A": inputs["vacuum_A"],
        "fmax_eV_A": inputs["fmax_eV_A"],
        "max_steps": inputs["max_steps"],
        "images": inputs["images"],
        "max_hops": inputs["max_hops"],
        "temperature_K": inputs["temperature_K"],
        "made_with": {"sodiophile": __version__, **after["basins"]["made_with"]},
    }
