"""Convergence series: members are the calculations that one gets alone, and the conclusion follows from the numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sodiophile.atomistic import calculation
from sodiophile.atomistic.convergence import _with_option
from sodiophile.atomistic.convergence_result import _judged
from sodiophile.errors import InputError
from sodiophile.schema import checked

Compute = Callable[..., Any]
GIVEN = {"structure": "Cu", "facet": "100", "adsorbate": "Al", "supercell": "1x1"}


def _plan(**inputs: Any) -> Any:
    chosen = calculation("convergence")
    return chosen.plan(checked(chosen.inputs, {"engine": "emt", **GIVEN, **inputs}, "convergence"))


@pytest.fixture
def copper(compute: Compute) -> Any:
    return compute(kind="convergence", **GIVEN, layers=5, values="layers: 3 4 5 6; vacuum: 10 15 20")


def test_the_energy_does_not_know_the_vacuum_beyond_the_range_of_the_potential(copper: Any) -> None:
    assert copper.value("convergence_error:vacuum") == pytest.approx(0.0, abs=1e-6)
    assert copper.result.verdicts["convergence:vacuum"].answer == "converged within 0.02 eV from 10 on"


def test_energies_along_the_series_are_those_of_calculations_alone(copper: Any, compute: Compute) -> None:
    alone = compute(**GIVEN, layers=6, free=False, distortion=False)
    rows = copper.result.table("series").to_dicts()
    found = {row["site"]: row["adsorption_energy_vs_bulk_eV"] for row in rows if row["value"] == 6}
    for site, energy in found.items():
        assert energy == pytest.approx(alone.value(f"adsorption_energy_vs_bulk:{site}"), abs=1e-12)
    assert copper.task.after["layers 6"].key == alone.task.key
    changes = [abs(row["change_to_last_eV"]) for row in rows if row["series"] == "layers" and row["value"] == 5]
    assert copper.value("convergence_error:layers") == pytest.approx(max(changes), abs=1e-12)


def test_it_can_be_drawn(copper: Any) -> None:
    axes = copper.result.draw()
    assert [panel.get_xlabel() for panel in axes.child_axes] == ["atomic layers", "vacuum (Å)"]


@pytest.mark.parametrize(
    ("energies", "own", "answer"),
    [
        ([0.50, 0.30, 0.101, 0.100], 3, "converged within 0.02 eV from 3 on"),
        ([0.50, 0.30, 0.101, 0.100], 2, "converged within 0.02 eV from 3 on; the own setting, 2, is too low"),
        ([0.10, 0.10, 0.10, 0.20], 3, "not converged within 0.02 eV up to 4"),
        # an energy that passes the last value by accident has not converged there
        ([0.10, 0.30, 0.11, 0.10], 3, "converged within 0.02 eV from 3 on"),
    ],
)
def test_the_conclusion_follows_from_the_numbers(energies: list[float], own: int, answer: str) -> None:
    table = np.array(energies)[:, None] + np.array([0.0, 0.2])
    inputs = {"tolerance_eV": 0.02, "own": {"layers": own}}
    about = {"adsorbate": "Na", "crystal": "VN", "facet": "001"}
    quantities, verdict = _judged("layers", [1, 2, 3, 4], table, table[own - 1], inputs, ["a", "b"], about)
    assert verdict.answer == answer
    assert quantities["convergence_error:layers"].value == pytest.approx(abs(energies[own - 1] - energies[-1]))
    # both sites move together: their difference has converged
    assert quantities["difference_error:layers"].value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({"series": "kpts"}, "'kpts' needs DFT: emt has no k-points"),
        ({"series": "layers, colour"}, "found 'colour', expected some of: layers, vacuum"),
        ({"values": "layers: 3 5"}, "2 values of layers, expected at least 3"),
        ({"values": "layers: 3 x"}, "found 'layers: 3 x', expected such as"),
        ({"values": "layers: 3 4.5 6"}, "found 4.5 layers, expected a whole number"),
        ({"values": "vacuum: 2 10 20", "series": "vacuum"}, "found a vacuum of 2 angstrom"),
        ({"values": "vacuum: 9 10 20", "series": "layers"}, "values of vacuum, expected those of the series layers"),
    ],
)
def test_a_wrong_series_is_one_line(inputs: dict[str, str], line: str) -> None:
    with pytest.raises(InputError, match=line):
        _plan(**inputs)


def test_dft_has_k_points_and_a_cutoff() -> None:
    pytest.importorskip("gpaw")
    task = _plan(engine="gpaw[xc=RPBE]", series="kpts, cutoff", adsorbate="Na", layers=3)
    engines = {name: member.inputs["engine"] for name, member in task.after.items()}
    assert engines["own"]["settings"]["xc"] == "RPBE"
    assert engines["cutoff 350"] == engines["own"]
    assert {one["settings"]["ecut"] for name, one in engines.items() if name.startswith("cutoff")} == {280, 350, 420, 525}
    assert len({one["settings"]["kpts"] for name, one in engines.items() if name.startswith("kpts")}) == 4


def test_an_option_is_set_among_others() -> None:
    assert _with_option("gpaw", "ecut", 450) == "gpaw[ecut=450]"
    assert _with_option("gpaw[ecut=300, xc=RPBE]", "ecut", 450) == "gpaw[xc=RPBE, ecut=450]"
