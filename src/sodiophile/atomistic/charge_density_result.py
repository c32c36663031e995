"""From divided densities to numbers, tables and pictures: the last task of a charge-density calculation."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.extxyz import write_extxyz
from ase.units import Bohr, Hartree
from numpy.typing import NDArray

from sodiophile._version import __version__
from sodiophile.atomistic.base import facet_text
from sodiophile.atomistic.charge_density_pictures import (
    SURFACES,
    as_attachment,
    common_level,
    cube,
    surfaces,
)
from sodiophile.atomistic.charge_density_tables import atom_table, plane_table, site_table, state_table, surface_table
from sodiophile.atomistic.charge_density_words import verdicts, warnings
from sodiophile.atomistic.fields import Field
from sodiophile.atomistic.relaxation import unpack
from sodiophile.quantity import Quantity
from sodiophile.result import Result

Array = NDArray[np.float64]

# Of the vacuum above the highest atom: where the potential is looked at for being flat, counted from the cell's border.
_FLAT_FROM_A, _FLAT_TO_A = 0.5, 1.5
# Electrons that flow to a maximum of the density that is no atom's: less is a ripple of the plane waves.
_RIPPLE_E = 0.02
# Elementary charge over vacuum permittivity.
_EV_A_PER_E2 = 4 * pi * Hartree * Bohr


@dataclass(frozen=True)
class SiteDensity:
    """What was found at one site.

    Attributes
    ----------
    label
        Of the site.
    atoms
        The slab with its adatom, which comes last.
    top_A
        Mean height of the top layer in the cell.
    accumulated_e, depleted_e
        Integrals of the positive and of the negative part of the density difference.
    grid_error_e
        Largest change of the former on a coarser grid, or with the smooth density in place of that of all electrons.
    bader_e, hirshfeld_e
        Charge of each atom; positive where electrons were lost.
    bader_alone_e, hirshfeld_alone_e
        The same of the slab without its adatom, atoms in place.
    bader_error_e, hirshfeld_error_e
        Change of the adatom's charge on a coarser grid.
    unassigned_e
        Bader: electrons of maxima that belong to no atom, the vacuum's included.
    elsewhere
        Bader: how many maxima are no atom's and no ripple either.
    balance_e
        Sum of all charges minus electrons that belong to no atom; zero if none was lost.
    work_function_eV
        Of the side with the adatom.
    work_function_error_eV
        By how much the potential above the adatom is not flat.
    fermi_eV
        Fermi level.
    step_eV, dipole_step_eV
        What the bond adds to the difference of the two vacuum levels: from the potentials of whole and parts, and from the
        dipole of the density difference over area and vacuum permittivity. They agree where all is converged.
    height_A, difference_e_A, below_e
        Height of planes above the bottom of the cell, the difference in them, and what was displaced to below them.
    difference
        On a thinned grid.
    """

    label: str
    atoms: Atoms
    top_A: float
    accumulated_e: float
    depleted_e: float
    grid_error_e: float
    bader_e: Array
    hirshfeld_e: Array
    bader_alone_e: Array
    hirshfeld_alone_e: Array
    bader_error_e: float
    hirshfeld_error_e: float
    unassigned_e: float
    elsewhere: int
    balance_e: float
    work_function_eV: float | None
    work_function_error_eV: float
    fermi_eV: float
    step_eV: float | None
    dipole_step_eV: float
    height_A: Array
    difference_e_A: Array
    below_e: Array
    difference: Field

    @property
    def adatom_A(self) -> float:
        """Height of the adatom above the mean height of the top layer."""
        return float(self.atoms.positions[-1, 2] - self.top_A)

    def between(self) -> slice:
        """Return the planes between the top layer and the adatom."""
        inside = np.flatnonzero((self.height_A > self.top_A) & (self.height_A < self.top_A + self.adatom_A))
        return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


def assemble(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put together what was divided, judge it, and save the result into the folder."""
    del context
    surface = inputs["surface"]
    sites = [_site(label, after[f"site {i}"], surface) for i, label in enumerate(surface["sites"])]
    clean, crystal = after["clean"], after["crystal"]
    clean_eV, clean_error_eV = _work_function(clean)
    level = inputs.get("isovalue_e_A3") or common_level([one.difference for one in sites])
    result = Result(
        kind="charge-density",
        inputs=_shown(inputs, after),
        quantities=_quantities(inputs, sites, crystal, clean_eV, clean_error_eV),
        verdicts=verdicts(inputs, sites, crystal, clean_eV),
        warnings=tuple(warnings(inputs, sites, clean_error_eV)),
        tables={
            "sites": site_table(sites, clean_eV),
            "atoms": atom_table(sites),
            "planes": plane_table(sites),
            "states": state_table(crystal),
            "surfaces": surface_table(sites, level),
        },
        attachments=_pictures(inputs, sites, level),
    )
    return result.save(folder)


def _site(label: str, found: Mapping[str, Any], surface: Mapping[str, Any]) -> SiteDensity:
    atoms = unpack(found["atoms"])
    layers = np.array(surface["layer_of"])
    displaced, others = found["displaced"], (found["displaced_coarser"], found["displaced_pseudo"])
    bader = found["bader"]
    unassigned = bader["vacuum_electrons"] + sum(one[3] for one in bader["elsewhere"])
    states = found["states"]
    work_function, error = _work_function(states["whole"] | {"atoms": found["atoms"]})
    planar = found["planar"]
    height_A, difference_e_A = np.array(planar["height_A"]), np.array(planar["difference_e_A"])
    field = Field.unpacked(found["difference"])
    dipole_e_A = -float(height_A @ difference_e_A) * field.height_A / len(height_A)
    return SiteDensity(
        label=label,
        atoms=atoms,
        top_A=float(atoms.positions[:-1][layers == layers.max(), 2].mean()),
        accumulated_e=displaced["accumulated_e"],
        depleted_e=displaced["depleted_e"],
        grid_error_e=max(abs(one["accumulated_e"] - displaced["accumulated_e"]) for one in others),
        bader_e=np.array(bader["charges_e"]),
        hirshfeld_e=np.array(found["hirshfeld_e"]),
        bader_alone_e=np.array(found["bader_slab_alone"]["charges_e"]),
        hirshfeld_alone_e=np.array(found["hirshfeld_slab_alone_e"]),
        bader_error_e=abs(bader["charges_e"][-1] - found["bader_coarser"]["charges_e"][-1]),
        hirshfeld_error_e=abs(found["hirshfeld_e"][-1] - found["hirshfeld_coarser_e"][-1]),
        unassigned_e=float(unassigned),
        elsewhere=sum(one[3] > _RIPPLE_E for one in bader["elsewhere"]),
        balance_e=float(sum(bader["charges_e"]) - unassigned),
        work_function_eV=work_function,
        work_function_error_eV=error,
        fermi_eV=states["whole"]["fermi_eV"],
        step_eV=_step(states["whole"], states["slab"], states["adatom"]),
        dipole_step_eV=_EV_A_PER_E2 * dipole_e_A / field.area_A2,
        height_A=height_A,
        difference_e_A=difference_e_A,
        below_e=np.array(planar["displaced_below_e"]),
        difference=field,
    )


def _work_function(state: Mapping[str, Any]) -> tuple[float | None, float]:
    """Return the work function of the upper side (eV) and by how much the potential of its vacuum is not flat."""
    if state["work_functions_eV"] is None:
        return None, 0.0
    potential = np.array(state["potential_eV"])
    height = float(state["atoms"]["cell_A"][2][2])
    z = np.arange(len(potential)) * height / len(potential)
    flat = potential[(z > height - _FLAT_TO_A) & (z < height - _FLAT_FROM_A)]
    return float(state["work_functions_eV"][0]), float(np.ptp(flat))


def _step(whole: Mapping[str, Any], *parts: Mapping[str, Any]) -> float | None:
    """Return how much farther apart (eV, lower side minus upper) the vacuum levels of the whole are than of its parts."""
    levels = [state["work_functions_eV"] for state in (whole, *parts)]
    if any(level is None for level in levels):
        return None
    first, *others = (float(bottom - top) for top, bottom in levels)
    return first - sum(others)


def _quantities(
    inputs: Mapping[str, Any],
    sites: list[SiteDensity],
    crystal: Mapping[str, Any],
    clean_eV: float | None,
    clean_error_eV: float,
) -> dict[str, Quantity]:
    surface, metal = inputs["surface"], inputs["adsorbate"]
    n, m = surface["supercell"]
    where = (
        f"{metal} on {surface['crystal']}{facet_text(surface['miller'])}, {surface['termination']}-terminated, one in a "
        f"{n}x{m} surface cell, {surface['layers']} layers, held over the site, relaxed with {inputs['relaxed_with']}, "
        f"electrons from {inputs['engine']['engine']}, paired spins"
    )
    difference = f"n(slab with {metal}) - n(slab in place) - n({metal} in place), density of all electrons"
    changed = "density of all electrons; uncertainty: change on a coarser grid"
    found: dict[str, Quantity] = {}
    for one in sites:
        at = f"{one.label}; {where}"
        entries = {
            "accumulated": (one.accumulated_e, "e", one.grid_error_e, f"integral of the positive part of {difference}"),
            "depleted": (-one.depleted_e, "e", one.grid_error_e, f"integral of the negative part of {difference}"),
            "bader_charge": (
                float(one.bader_e[-1]), "e", one.bader_error_e,
                f"of {metal}, positive if it lost electrons; Bader, weight method (Yu, Trinkle 2011); {changed}",
            ),
            "hirshfeld_charge": (
                float(one.hirshfeld_e[-1]), "e", one.hirshfeld_error_e,
                f"of {metal}, positive if it lost electrons; Hirshfeld (1977), neutral spherical free atoms; {changed}",
            ),
        }  # fmt: skip
        for name, (value, unit, error, what) in entries.items():
            found[f"{name}:{one.label}"] = Quantity(value, unit, error, f"{what}; {at}", "computed")
        if one.work_function_eV is not None:
            error = one.work_function_error_eV
            side = f"vacuum level above {metal} minus Fermi level, layer of dipoles in the vacuum"
            found[f"work_function:{one.label}"] = Quantity(one.work_function_eV, "eV", error, f"{side}; {at}", "computed")
    if clean_eV is not None:
        what = "vacuum level above the relaxed side of the clean slab minus Fermi level, layer of dipoles in the vacuum"
        found["work_function:clean"] = Quantity(clean_eV, "eV", clean_error_eV, f"{what}; {where}", "computed")
    dos, error = dos_at_fermi(crystal)
    atoms = len(crystal["atoms"]["symbols"])
    mesh = "x".join(str(k) for k in crystal["meshes"][-1]["mesh"])
    what = f"of {surface['crystal']} in bulk, both spins, per atom, tetrahedra of {mesh} k-points; other mesh: difference"
    found["dos_at_fermi"] = Quantity(
        dos / atoms, "1/eV", error / atoms, f"{what}; {inputs['engine']['engine']}", "computed"
    )
    return found


def dos_at_fermi(crystal: Mapping[str, Any]) -> tuple[float, float]:
    """Return the density of states at the Fermi level (per eV and cell), and its difference to the coarser mesh."""
    above = np.array(crystal["energies_above_fermi_eV"])
    coarse, fine = (float(np.interp(0.0, above, mesh["dos_per_eV"])) for mesh in crystal["meshes"])
    return fine, abs(fine - coarse)


def _pictures(inputs: Mapping[str, Any], sites: list[SiteDensity], level: float) -> dict[str, str]:
    """Return, for each site, the atoms around the adatom (tag 0) as extended XYZ and the difference as a cube file.

    The surfaces of all sites are in one file, by the title of their structure.
    """
    surface, found = inputs["surface"], {}
    tags = [*(max(surface["layer_of"]) + 1 - layer for layer in surface["layer_of"]), 0]
    meshes = {}
    for one in sites:
        title = f"{inputs['adsorbate']} on {surface['crystal']}, {one.label}"
        atoms, meshes[title] = surfaces(one.atoms, one.difference, level)
        atoms.set_tags(tags)
        atoms.info = {"title": title}
        text = io.StringIO()
        write_extxyz(text, [atoms], columns=["symbols", "positions", "tags"], write_results=False)
        name = _file_name(inputs, one.label)
        found[f"{name}.xyz"] = text.getvalue()
        found[f"{name}.cube"] = cube(one.atoms, one.difference, f"density difference, {title}")
    return {**found, SURFACES: as_attachment(meshes, level)}


def _file_name(inputs: Mapping[str, Any], label: str) -> str:
    """Return what the files of a site are called, without their ending."""
    surface = inputs["surface"]
    facet = "".join(str(abs(i)) for i in surface["miller"])
    return f"{inputs['adsorbate']}-{surface['crystal']}-{facet}-{''.join(c if c.isalnum() else '-' for c in label)}"


def _shown(inputs: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    surface = inputs["surface"]
    return {
        "crystal": surface["crystal"],
        "facet": facet_text(surface["miller"])[1:-1],
        "termination": surface["termination"],
        "adsorbate": inputs["adsorbate"],
        "engine": inputs["engine"],
        "relaxed_with": inputs["relaxed_with"],
        "supercell": "x".join(str(n) for n in surface["supercell"]),
        "layers": surface["layers"],
        "clearance_A": inputs["clearance_A"],
        "vacuum_e_A3": inputs["vacuum_e_A3"],
        "made_with": {"sodiophile": __version__, **after["crystal"]["made_with"]},
    }
