"""The pieces of work of an adsorption calculation; each is a function of its inputs and of the pieces before it.

crystal -> clean slab -> one adatom at a site, held in the plane -> the same, let go; after each, the adatom taken off.
Structures travel as JSON, lengths in angstrom, energies in eV for the whole cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixedLine, FixSymmetry
from ase.units import GPa
from numpy.typing import NDArray

from sodiophile.atomistic.engines import Engine
from sodiophile.atomistic.interaction import interaction_range_A
from sodiophile.atomistic.relaxation import Journal, pack, relax, unpack
from sodiophile.atomistic.sites import contact_height
from sodiophile.atomistic.surfaces import build_slabs
from sodiophile.atomistic.tasks import engine_for, require, versions
from sodiophile.errors import EngineError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# On-site force constant ~ 4 B V^(1/3): 0.6 eV/A2 for Na (its Debye frequency gives the same), 15 for VN.
_STIFFNESS_PER_MODULUS = 4.0
_STIFFNESS_RANGE_EV_A2 = (0.5, 30.0)
_ADATOM_STIFFNESS_EV_A2 = 3.0
# Half of the relative volume difference between the two stresses that give the bulk modulus.
_STRAINED_VOLUME = 0.01
# An adatom set this far off a flat saddle must feel it: its in-plane force counts as zero only below this part of fmax.
_ADATOM_PART_OF_FMAX = 1 / 3
# So that rounding in the larger cell does not lift a force over the criterion again.
_PART_OF_FMAX_IN_ONE_CELL = 0.8
# Of a vector of the smaller cell; in angstrom across it.
_SAME_FRACTION = 1e-4
# Farthest that an atom of the slab cut from the relaxed crystal may be from its place in the slab cut before, in fractions
# of the vectors of the primitive plane.
_CARRY_OVER = 0.15
# Of the metric of a plane, as a part of its trace: a relaxation strains it by a few percent.
_SAME_METRIC = 0.03
# Of an atom above the lowest layer.
_SAME_HEIGHT_A, _SAME_HEIGHT = 0.3, 0.15


def relax_crystal(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Relax the cell and the positions of a crystal at its own symmetry; tell its bulk modulus too.

    Inputs: ``engine`` (identity), ``crystal``, ``fmax_eV_A``, ``max_steps``.
    """
    del after
    engine = engine_for(inputs, context)
    start = unpack(inputs["crystal"])
    start.set_constraint(FixSymmetry(start, symprec=1e-3))
    done = relax(
        start,
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        cell=True,
    )
    modulus_eV_A3 = _bulk_modulus(done.atoms, engine, folder / "modulus.jsonl")
    return {
        **done.summary(),
        "crystal": pack(done.atoms, 9),
        "energy_eV_per_atom": done.energy_eV / len(done.atoms),
        "volume_A3_per_atom": done.atoms.get_volume() / len(done.atoms),
        "volume_change": done.atoms.get_volume() / start.get_volume() - 1.0,
        "bulk_modulus_GPa": modulus_eV_A3 / GPa,
        "stiffness_eV_A2": stiffness_of(modulus_eV_A3, done.atoms.get_volume() / len(done.atoms)),
        "made_with": versions(engine),
    }


def stiffness_of(modulus_eV_A3: float, volume_A3_per_atom: float) -> float:
    """Return how stiff an atom of a crystal is bound (eV/A2), from its bulk modulus (eV/A3) and volume per atom (A3)."""
    stiffness = _STIFFNESS_PER_MODULUS * modulus_eV_A3 * volume_A3_per_atom ** (1 / 3)
    return float(np.clip(stiffness, *_STIFFNESS_RANGE_EV_A2))


def relax_clean(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Cut the slab from the relaxed crystal and relax it, its lowest layers held as in the crystal.

    Inputs: ``engine``, ``slab`` (cut from the crystal as given), ``layer_of``, ``cut`` (arguments of `build_slabs`),
    ``termination`` (index), ``fixed_layers``, ``fmax_eV_A``, ``max_steps``. After: ``crystal``.
    """
    engine = engine_for(inputs, context)
    crystal = require(after["crystal"], "the crystal")
    cut = _carried_over(inputs, unpack(crystal["crystal"]))
    start = cut.copy()
    if "guide" in after:
        start.positions += _moved(after["guide"]["cut"], after["guide"]["slab"])
    fixed = [i for i, layer in enumerate(inputs["layer_of"]) if layer < inputs["fixed_layers"]]
    if "guide" not in after and not engine.is_dft:
        start.positions += _moved_in_one_cell(start, fixed, crystal, engine, inputs, folder)
    start.set_constraint(FixAtoms(indices=fixed))
    done = relax(
        start,
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=crystal["stiffness_eV_A2"],
    )
    return {
        **done.summary(),
        "slab": pack(done.atoms, 9),
        "cut": pack(cut, 9),
        "fixed": fixed,
        "interaction_range_A": interaction_range_A(engine.calculator()),
        "stiffness_eV_A2": crystal["stiffness_eV_A2"],
        "made_with": versions(engine),
    }


def _moved_in_one_cell(
    slab: Atoms, fixed: list[int], crystal: Mapping[str, Any], engine: Engine, inputs: Mapping[str, Any], folder: Path
) -> Array:
    """Return how far (n, 3) the atoms of a slab that repeats a smaller cell move when that cell relaxes: a cheap start.

    Forces have the translations of the slab, so the larger cell would take the same path; with k-points it would not.
    """
    cells, copy_of = _repeated(slab, tuple(inputs["cut"]["supercell"]))
    first = np.unique(copy_of)
    if len(first) == len(slab):
        return np.zeros((len(slab), 3))
    one = slab[first]
    one.set_cell([slab.cell[0] / cells[0], slab.cell[1] / cells[1], slab.cell[2]])
    one.set_constraint(FixAtoms(indices=[i for i, atom in enumerate(first) if atom in set(fixed)]))
    done = relax(
        one,
        engine.calculator(),
        folder / "one-cell.jsonl",
        fmax_eV_A=_PART_OF_FMAX_IN_ONE_CELL * inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=crystal["stiffness_eV_A2"],
    )
    return np.asarray((done.atoms.positions - one.positions)[np.searchsorted(first, copy_of)])


def _repeated(slab: Atoms, supercell: tuple[int, int]) -> tuple[tuple[int, int], Ints]:
    """Return into how many cells along both vectors a slab falls, and for each atom the one it repeats, itself if none."""
    counts = np.array(supercell)
    fractional = slab.get_scaled_positions(wrap=False)[:, :2] * counts
    home = np.floor(fractional + _SAME_FRACTION)
    within = np.hstack([fractional - home, slab.positions[:, 2:], slab.numbers[:, None]])
    copy_of = np.arange(len(slab))
    for i in np.flatnonzero(np.all(home % counts == 0, axis=1)):
        copy_of[np.all(np.abs(within - within[i]) < _SAME_FRACTION, axis=1)] = i
    _, members = np.unique(copy_of, return_counts=True)
    whole = bool(np.all(members == counts.prod()))
    return (supercell, copy_of) if whole else ((1, 1), np.arange(len(slab)))


def relax_rattled(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Relax the clean slab again from positions knocked off their symmetry: it may fall into a lower, distorted state.

    Inputs: ``engine``, ``amplitude_A``, ``seed``, ``fmax_eV_A``, ``max_steps``. After: ``clean``.
    """
    engine = engine_for(inputs, context)
    clean = require(after["clean"], "the clean slab")
    start = _slab(clean)
    if "guide" in after:
        start.positions += _moved(after["guide clean"]["slab"], after["guide"]["slab"])
    else:
        generator = np.random.default_rng(inputs["seed"])
        start.positions += generator.normal(0.0, inputs["amplitude_A"], (len(start), 3))
    return _relaxed_slab(start, clean, engine, inputs, folder)


def relax_site(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Put an adatom at contact height over a site of the relaxed slab and relax all but its place in the plane.

    Inputs: ``engine``, ``adsorbate``, ``fractional`` (in-plane), ``fmax_eV_A``, ``max_steps``. After: ``clean``.
    """
    engine = engine_for(inputs, context)
    clean = require(after["clean"], "the clean slab")
    start = _slab(clean)
    plane = np.asarray(inputs["fractional"], float) @ start.cell[:2, :2]
    if "guide" in after:
        covered, bare = unpack(after["guide"]["slab"]), unpack(after["guide clean"]["slab"])
        height = covered.positions[-1, 2] - bare.positions[:, 2].max() + start.positions[:, 2].max()
        start.positions += _moved(after["guide clean"]["slab"], pack(covered[:-1], 9))
    else:
        height = contact_height(start, inputs["fractional"], inputs["adsorbate"])
    start.extend(Atoms([inputs["adsorbate"]], positions=[(*plane, height)]))
    start.set_constraint([FixAtoms(indices=clean["fixed"]), FixedLine(len(start) - 1, (0, 0, 1))])
    limits = np.full(len(start), inputs["fmax_eV_A"])
    return _with_adatom(start, clean, engine, inputs, folder, limits)


def relax_free(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Let the adatom of a site go, a small step off it in a random direction of the plane, so that a saddle is left.

    Inputs: ``engine``, ``displacement_A``, ``seed``, ``fmax_eV_A``, ``max_steps``. After: ``clean``, ``site``.
    """
    engine = engine_for(inputs, context)
    clean = require(after["clean"], "the clean slab")
    start = unpack(after["site"]["slab"])
    if "guide" in after:
        start.positions += _moved(after["guide site"]["slab"], after["guide"]["slab"])
    else:
        angle = np.random.default_rng(inputs["seed"]).uniform(0.0, 2.0 * np.pi)
        start.positions[-1, :2] += inputs["displacement_A"] * np.array([np.cos(angle), np.sin(angle)])
    start.set_constraint(FixAtoms(indices=clean["fixed"]))
    limits = np.full(len(start), inputs["fmax_eV_A"])
    limits[-1] *= _ADATOM_PART_OF_FMAX
    return _with_adatom(start, clean, engine, inputs, folder, limits)


def relax_emptied(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Take the adatom off and relax what is left: the clean slab again, or a distorted state that the adatom led to.

    Referred to that state, the distortion is on both sides of the difference and does not pass for adsorption energy.

    Inputs: ``engine``, ``fmax_eV_A``, ``max_steps``. After: ``clean``, ``covered``.
    """
    engine = engine_for(inputs, context)
    clean = require(after["clean"], "the clean slab")
    start = unpack(after["covered"]["slab"])[:-1]
    if "guide" in after:
        start = _slab(clean)
        start.positions += _moved(after["guide clean"]["slab"], after["guide"]["slab"])
    return _relaxed_slab(start, clean, engine, inputs, folder)


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> Array:
    """Return how far the atoms of a slab moved, (n, 3), angstrom."""
    return np.array(after["positions_A"]) - np.array(before["positions_A"])


def _relaxed_slab(
    start: Atoms,
    clean: Mapping[str, Any],
    engine: Engine,
    inputs: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    positions = start.get_positions()
    positions[clean["fixed"]] = unpack(clean["slab"]).positions[clean["fixed"]]
    start.set_positions(positions)
    start.set_constraint(FixAtoms(indices=clean["fixed"]))
    done = relax(
        start,
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=inputs["fmax_eV_A"],
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=clean["stiffness_eV_A2"],
    )
    return {**done.summary(), "slab": pack(done.atoms, 9), "made_with": versions(engine)}


def _with_adatom(
    start: Atoms,
    clean: Mapping[str, Any],
    engine: Engine,
    inputs: Mapping[str, Any],
    folder: Path,
    limits_eV_A: Array,
) -> dict[str, Any]:
    stiffness = np.full(len(start), clean["stiffness_eV_A2"])
    stiffness[-1] = min(_ADATOM_STIFFNESS_EV_A2, clean["stiffness_eV_A2"])
    done = relax(
        start,
        engine.calculator(),
        folder / "relaxation.jsonl",
        fmax_eV_A=limits_eV_A,
        max_steps=inputs["max_steps"],
        stiffness_eV_A2=stiffness,
    )
    return {
        **done.summary(),
        "slab": pack(done.atoms, 9),
        "inplane_force_eV_A": float(np.linalg.norm(done.forces_eV_A[-1, :2])),
        "made_with": versions(engine),
    }


def _slab(clean: Mapping[str, Any]) -> Atoms:
    return unpack(clean["slab"])


def _bulk_modulus(crystal: Atoms, engine: Engine, journal: Path) -> float:
    """Return B = -V dp/dV (eV/A3) from the pressures of the crystal at two volumes, fractional positions kept."""
    recorder = Journal(engine.calculator(), journal, stress=True)
    pressures, volumes = [], []
    for sign in (-1, 1):
        strained = crystal.copy()
        strained.set_constraint()
        strained.set_cell(crystal.cell * (1 + sign * _STRAINED_VOLUME) ** (1 / 3), scale_atoms=True)
        strained.calc = recorder
        pressures.append(-float(np.mean(strained.get_stress(voigt=True)[:3])))
        volumes.append(strained.get_volume())
    return -crystal.get_volume() * (pressures[1] - pressures[0]) / (volumes[1] - volumes[0])


def _carried_over(inputs: Mapping[str, Any], crystal: Atoms) -> Atoms:
    """Return the slab cut from the relaxed crystal, its atoms in the order and the frame of the one planned with.

    Sites are planned on the slab of the crystal as given; their in-plane fractional coordinates hold for this one.
    """
    planned = unpack(inputs["slab"])
    layer_of = np.array(inputs["layer_of"])
    cut = dict(inputs["cut"])
    miller, supercell = cut.pop("miller"), tuple(cut.pop("supercell"))
    once = np.asarray(planned.cell[:2, :2]) / np.array(supercell)[:, None]
    # with other axes the terminations come in another order and the facet may be the opposite one
    for indices in (miller, [-i for i in miller]):
        for slab in build_slabs(crystal, indices, **cut):
            for turned in _turned(slab.atoms, once):
                # repeated only now: twice along the shortest vector is another lattice where another vector is taken for it
                repeated, layers = turned.repeat((*supercell, 1)), np.tile(slab.layer_of, supercell[0] * supercell[1])
                order = _in_order_of(planned, layer_of, repeated, layers, supercell)
                if order is not None:
                    return repeated[order]
    raise EngineError(
        f"the slab cut from the crystal relaxed with {inputs['engine']['engine']} is another one than that cut from the "
        "crystal as given: the crystal has changed its structure, so this engine does not describe it"
    )


def _turned(slab: Atoms, once: Array) -> Iterator[Atoms]:
    """Yield a primitive slab in every frame in which its plane looks like the one planned with, its own before all others.

    Digits in which nothing physical is left decide which of several equivalent axes a symmetry search takes, so that a slab
    may come out turned, or mirrored where the crystal has a mirror, against the same slab cut before the relaxation.
    """
    like = once @ once.T
    plane = np.asarray(slab.cell[:2, :2])
    steps = [np.reshape(entries, (2, 2)) for entries in product((1, 0, -1), repeat=4)]
    turns = [step for step in steps if abs(np.linalg.det(step)) > 0.5]
    for turn in sorted(turns, key=lambda step: (np.linalg.det(step) < 0, not np.array_equal(step, np.eye(2)))):
        axes = turn @ plane
        metric = axes @ axes.T
        if not np.allclose(metric / np.trace(metric), like / np.trace(like), atol=_SAME_METRIC):
            continue
        turned = slab.copy()
        turned.set_constraint()
        cell = np.array(slab.cell[:])
        cell[:2, :2] = np.linalg.cholesky(metric)  # the first vector along x, the second to its left
        turned.set_cell(cell)
        turned.positions[:, :2] = slab.positions[:, :2] @ np.linalg.inv(axes) @ cell[:2, :2]
        yield turned


def _in_order_of(planned: Atoms, layer_of: Ints, slab: Atoms, layers: Ints, supercell: tuple[int, ...]) -> list[int] | None:
    """Return which atom of `slab` stands at the place of each of `planned`, None if one has none of its own."""
    if len(slab) != len(planned):
        return None
    before, after = (atoms.get_scaled_positions(wrap=False)[:, :2] for atoms in (planned, slab))
    heights_A, there_A = (atoms.positions[:, 2] - atoms.positions[:, 2].min() for atoms in (planned, slab))
    order = []
    for i, point in enumerate(before):
        same = np.flatnonzero((layers == layer_of[i]) & (slab.numbers == planned.numbers[i]))
        steps = after[same] - point
        distance = np.linalg.norm((steps - np.rint(steps)) * supercell, axis=1)
        if not len(same) or distance.min() >= _CARRY_OVER:
            return None
        if abs(there_A[same[np.argmin(distance)]] - heights_A[i]) > _SAME_HEIGHT_A + _SAME_HEIGHT * heights_A[i]:
            return None
        order.append(int(same[np.argmin(distance)]))
    return order if len(set(order)) == len(planned) else None
