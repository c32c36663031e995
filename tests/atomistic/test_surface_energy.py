"""Surface energies with EMT: independent slabs, invariances, what an excess of atoms costs, wrong inputs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.io import write
from ase.optimize import BFGS
from matplotlib.figure import Figure

from sodiophile.atomistic import calculation
from sodiophile.atomistic.surface_energy_fit import EV_A2_IN_J_M2, Composition, line
from sodiophile.errors import EngineError, InputError
from sodiophile.schema import checked

Compute = Callable[..., Any]
KIND = calculation("surface-energy")
FINE = "0.01 eV/angstrom"


def _plan(**inputs: Any) -> Any:
    return KIND.plan(checked(KIND.inputs, {"engine": "emt", "structure": "Cu", **inputs}, "surface-energy"))


def _cu3au(folder: Path) -> str:
    a = 3.75
    corners = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    cell = Atoms("AuCu3", scaled_positions=corners, cell=[a, a, a], pbc=True)
    write(folder / "cu3au.cif", cell)
    return str(folder / "cu3au.cif")


def test_a_line_is_recovered() -> None:
    N = np.array([3, 5, 6, 9])
    found = line(N, 2.5 - 3.7 * N)
    assert (found.intercept_eV, found.two_slab_eV, found.without_thinnest_eV) == pytest.approx((2.5, 2.5, 2.5))
    assert found.slope_eV == pytest.approx(-3.7)
    assert found.uncertainty_eV == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError, match="expected at least 3"):
        line([1, 2], [1.0, 2.0])


def test_a_slab_too_thin_widens_the_uncertainty() -> None:
    N = np.arange(2, 7)
    off = 2.5 - 3.7 * N + np.array([0.3, 0, 0, 0, 0])
    found = line(N, off)
    assert found.without_thinnest_eV == pytest.approx(2.5)
    assert abs(found.intercept_eV - 2.5) <= found.uncertainty_eV


def test_the_excess_counts_what_the_other_element_does_not_need() -> None:
    counted = Composition("V", "N", 2, 3)
    assert counted.units({"V": 4, "N": 6}) == 2
    assert counted.excess({"V": 4, "N": 6}) == 0
    assert counted.excess({"V": 4, "N": 9}) == -2


def test_copper_against_slabs_of_ase(compute: Compute) -> None:
    """The same number from ASE's own builder and optimizer, against the bulk crystal instead of by the line."""
    done = compute("surface-energy", structure="Cu", facets="111", thicknesses=3, fmax=FINE)
    volume = done.outcome("crystal")["volume_A3_per_atom"]
    a = (4 * volume) ** (1 / 3)
    slab, crystal = fcc111("Cu", (1, 1, 8), a=a, vacuum=10.0), bulk("Cu", a=a)
    slab.calc, crystal.calc = EMT(), EMT()
    BFGS(slab, logfile=None).run(fmax=0.005)
    area = np.linalg.norm(np.cross(slab.cell[0], slab.cell[1]))
    independent = (slab.get_potential_energy() - 8 * crystal.get_potential_energy()) / (2 * area) * EV_A2_IN_J_M2
    assert done.value("surface_energy:(111)") == pytest.approx(independent, abs=1e-3)
    assert done.value("surface_energy_two_slab:(111)") == pytest.approx(independent, abs=1e-3)
    assert abs(done.value("bulk_energy_mismatch:(111)")) < 1e-4
    assert done.result.verdicts["thickness:(111)"].answer == "converged"


def test_the_lattice_put_in_does_not_matter(compute: Compute, tmp_path: Path) -> None:
    found = []
    for scale in (0.97, 1.04):
        path = tmp_path / f"cu{scale}.cif"
        write(path, bulk("Cu", a=3.6 * scale, cubic=True))
        done = compute("surface-energy", structure=str(path), facets="001", thicknesses=3, fmax=FINE)
        found.append(done.value("surface_energy:(001)"))
    assert found[0] == pytest.approx(found[1], abs=1e-3)


def test_two_terminations_of_an_alloy_cost_together_what_a_slab_with_both_costs(compute: Compute, tmp_path: Path) -> None:
    """Cu- and CuAu-terminated Cu3Au(001): their sum needs no chemical potential, and is that of a stoichiometric slab."""
    structure = _cu3au(tmp_path)
    done = compute("surface-energy", structure=structure, facets="001", thicknesses=3, fmax=FINE)
    rows = {row["termination"]: row for row in done.result.table("surfaces").to_dicts()}
    assert len(rows) == 2
    excess = [row["excess_per_A2"] for row in rows.values()]
    assert sum(excess) == pytest.approx(0.0, abs=1e-9)
    crystal = done.outcome("crystal")
    a = (4 * crystal["volume_A3_per_atom"]) ** (1 / 3)
    both = Atoms("AuCu3", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0), (0, 0.5, 0.5), (0.5, 0, 0.5)], cell=[a] * 3)
    both = both.repeat((1, 1, 5))
    both.pbc = (True, True, False)
    both.center(vacuum=10.0, axis=2)
    both.calc = EMT()
    BFGS(both, logfile=None).run(fmax=0.005)
    total = (both.get_potential_energy() - 5 * crystal["energy_eV"]) / a**2 * EV_A2_IN_J_M2
    assert sum(row["surface_energy_J_m2"] for row in rows.values()) == pytest.approx(total, abs=2e-3)
    # the ends of the chemical potential are the formation energy apart, by the excess of atoms
    formation = done.value("formation_energy")
    assert formation < 0
    for row in rows.values():
        name = f"surface_energy:{row['surface']}"
        rich, poor = row["element_in_excess"], row["other_element"]
        step = done.value(f"{name}, {poor}-rich") - done.value(f"{name}, {rich}-rich")
        assert step == pytest.approx(-row["excess_per_A2"] * row["poorest_eV"] * EV_A2_IN_J_M2, abs=1e-9)
        per_formula = {"Cu": 3, "Au": 1}[rich]
        assert row["poorest_eV"] == pytest.approx(formation / per_formula)
    figure = Figure()
    done.result.draw(figure.subplots())


def test_slabs_that_do_not_relax_are_left_out_and_named(compute: Compute) -> None:
    done = compute("surface-energy", structure="Cu", facets="111", fmax=FINE)
    less = done.again(**{"0_0": {"converged": False}})
    assert "surface_energy:(111)" in less.quantities
    assert any("1 of its slabs did not relax" in words for words in less.warnings)
    none = done.again(**{"0_0": {"converged": False}, "0_1": {"converged": False}})
    assert not [name for name in none.quantities if name.startswith("surface_energy")]
    assert none.verdicts["thickness:(111)"].answer == "cannot be told"
    assert any("no surface energy" in words for words in none.warnings)
    figure = Figure()
    KIND.draw(none, figure.subplots())


def test_slabs_get_thicker_by_whole_periods() -> None:
    about = _plan(facets="001, 110, 111").inputs["surfaces"]
    assert [one["facet"] for one in about] == ["(001)", "(110)", "(111)"]
    for one in about:
        steps = {b - a for a, b in pairwise(one["layers"])}
        assert len(steps) == 1
        # ABAB, ABAB, ABCABC: the top layer stands over the lowest one in all slabs or in none
        assert min(steps) == {"(001)": 2, "(110)": 2, "(111)": 3}[one["facet"]]
        assert one["symmetric"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"facets": "111, 111"}, r"\(111\) is there twice"),
        ({"facets": " "}, "expected facets such as"),
        ({"facets": "000"}, "000"),
        ({"terminations": "Ag"}, r"found 'Ag', expected some of: Cu"),
        ({"thicknesses": 2}, "thicknesses"),
        ({"structure": "nowhere.cif"}, "nowhere.cif"),
        ({"formation_energy": "1 eV"}, "formation_energy"),
    ],
)
def test_a_wrong_input_is_one_line(inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        _plan(**inputs)
    assert "\n" not in str(caught.value)


def test_an_unknown_engine_offers_the_nearest() -> None:
    with pytest.raises(EngineError, match="'7nett' is not an engine; did you mean '7net'"):
        _plan(engine="7nett")


def test_a_reference_of_another_element_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "ag.cif", bulk("Ag", cubic=True))
    with pytest.raises(InputError, match="holds Ag, expected one of the elements Au and Cu alone"):
        _plan(structure=_cu3au(tmp_path), references=str(tmp_path / "ag.cif"))
