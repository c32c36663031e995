"""Stability against a metal with EMT: atoms kept, a convex hull, phases that change nothing, wrong inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from matplotlib.figure import Figure

from sodiophile.atomistic import calculation
from sodiophile.atomistic.stability_model import Phase, balanced, has_hubbard_u, lowest
from sodiophile.errors import InputError
from sodiophile.schema import checked

Compute = Callable[..., Any]
CORNERS = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]


def _cif(folder: Path, symbols: str, a: float) -> str:
    path = folder / f"{symbols}.cif"
    write(path, Atoms(symbols, scaled_positions=CORNERS, cell=[a, a, a], pbc=True))
    return str(path)


def test_gold_rich_alloy_takes_copper(compute: Compute, tmp_path: Path) -> None:
    """CuAu3 + 8 Cu -> 3 Cu3Au, with the energy of the crystals themselves."""
    start, end = _cif(tmp_path, "CuAu3", 3.95), _cif(tmp_path, "AuCu3", 3.75)
    done = compute("stability", structure=start, metal="Cu", phases=end, margin=0.0)
    e = {name: done.outcome(name)["energy_eV"] for name in ("interlayer", "phase 0")}
    expected = 3 * e["phase 0"] - e["interlayer"] - 8 * done.outcome("metal")["energy_eV_per_atom"]
    assert done.value("reaction_energy") == pytest.approx(expected, abs=1e-6)
    assert done.value("reaction_energy_per_metal_atom") == pytest.approx(expected / 8, abs=1e-6)
    assert expected < 0
    verdict = done.result.verdicts["stability"]
    assert verdict.answer == "reacts"
    assert done.result.quantities["reaction_energy"].status == "computed"
    assert "8 Cu -> 3 " in verdict.evidence[0]
    hull = done.result.table("hull")["reaction_energy_eV"].to_numpy()
    assert np.all(np.diff(hull, 2) > -1e-6)
    assert hull[0] == pytest.approx(0.0, abs=1e-9)
    twice = compute("stability", structure=start, metal="Cu", phases=f"{end}, {start}", elements="Cu", margin=0.0)
    assert twice.value("reaction_energy") == pytest.approx(expected, abs=1e-6)


def test_ordered_alloy_is_stable_against_its_metals(compute: Compute, tmp_path: Path) -> None:
    done = compute("stability", structure=_cif(tmp_path, "AuCu3", 3.75), metal="Cu", elements="Au", margin=0.0)
    assert done.result.verdicts["stability"].answer == "stable against Cu among the phases given"
    assert done.value("reaction_energy") > 0
    assert done.value("energy_above_hull") == 0.0
    without = done.result.table("hull")["without_interlayer_eV_per_atom"].to_numpy()
    assert np.all(without > 0)
    assert without[0] == pytest.approx(done.value("reaction_energy_per_atom"), abs=1e-9)
    ax = Figure().subplots()
    done.result.draw(ax)
    assert ax.get_ylim()[1] > done.value("reaction_energy_per_atom")


def test_nothing_to_compare_cannot_be_told(compute: Compute, tmp_path: Path) -> None:
    done = compute("stability", structure=_cif(tmp_path, "AuCu3", 3.75), metal="Cu")
    assert done.result.verdicts["stability"].answer == "cannot be told"
    assert "reaction_energy" not in done.result.quantities
    assert done.result.table("hull")["without_interlayer_eV_per_atom"].null_count() == len(done.result.table("hull"))
    done.result.draw(Figure().subplots())


def test_atoms_are_kept_exactly() -> None:
    vn, na = Phase("VN", {"V": 1, "N": 1}, -20.0), Phase("Na", {"Na": 1}, -1.0)
    known = {"Na": na, "V": Phase("V", {"V": 1}, -9.0), "Na3N": Phase("Na3N", {"Na": 3, "N": 1}, -15.0)}
    found = lowest({"V": 1, "N": 1, "Na": 7.3}, list(known.values()))
    assert found is not None
    assert balanced(vn, na, found[1], known) == ({"VN": 1, "Na": 3}, {"V": 1, "Na3N": 1})


def test_stated_energies_give_back_the_reaction_energy(compute: Compute, tmp_path: Path) -> None:
    """The stated formation energy of the interlayer fixes its element that has no crystal."""
    given = {"stated": "CuAu3 = -0.5 eV, CuAu = -0.3 eV, Au = 0 eV", "stated_source": "made up for this test"}
    done = compute("stability", structure=_cif(tmp_path, "CuAu3", 3.95), metal="Cu", margin=0.0, **given)
    # CuAu3 + 2 Cu -> 3 CuAu
    assert done.value("reaction_energy") == pytest.approx(3 * -0.3 + 0.5, abs=1e-6)
    assert any("made up for this test" in words for words in done.result.warnings)
    for name in ("reaction_energy", "reaction_energy_per_atom", "energy_above_hull"):
        quantity = done.result.quantities[name]
        assert (quantity.status, quantity.source) == ("assumed", "made up for this test"), name


def test_mixed_theories_are_told_apart() -> None:
    assert has_hubbard_u({"V", "O"})
    assert not has_hubbard_u({"V", "N"})
    assert not has_hubbard_u({"Na", "O"})


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"elements": "Ag"}, "holds Ag"),
        ({"stated": "Au2Cu = much"}, "expected a formula and an energy"),
        ({"stated": "CuAu = -0.1 eV"}, "stated_source"),
    ],
)
def test_wrong_inputs_are_one_line(inputs: dict[str, Any], words: str, tmp_path: Path) -> None:
    write(tmp_path / "au.cif", bulk("Au", cubic=True))
    kind = calculation("stability")
    with pytest.raises(InputError, match=words) as caught:
        kind.plan(checked(kind.inputs, {"engine": "emt", "structure": str(tmp_path / "au.cif"), "metal": "Cu", **inputs}))
    assert "\n" not in str(caught.value)
