"""A charge-density calculation as planned: what it shares, what it refuses, and on which tasks its record rests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ase.build import fcc100

from sodiophile.atomistic import adsorption, calculation
from sodiophile.atomistic import charge_density as module
from sodiophile.atomistic.charge_density import ChargeDensityInputs
from sodiophile.atomistic.density_tasks import centred, primitive
from sodiophile.atomistic.engines.base import as_recorded
from sodiophile.errors import InputError, SodiophileError
from sodiophile.schema import checked
from sodiophile.task import Task

RECORDED = {"gpaw": {"engine": "gpaw", "package": "gpaw", "version": "0"}}
INPUTS = {"structure": "Al", "adsorbate": "Al", "supercell": "1x1", "layers": 2, "vacuum": "9 angstrom"}


@pytest.fixture(autouse=True)
def _without_gpaw() -> Iterator[None]:
    """Nothing here computes: an identity is enough."""
    with as_recorded(RECORDED):
        yield


def planned(**changes: Any) -> Task:
    return module.plan(checked(ChargeDensityInputs, {**INPUTS, **changes}))


def test_structures_are_those_of_an_adsorption_calculation() -> None:
    last = planned()
    inputs = {**INPUTS, "engine": "gpaw", "free": True, "distortion": True}
    other = adsorption.plan(checked(adsorption.AdsorptionInputs, inputs))
    assert last.after["clean"].after["relaxed"].key == other.after["0 clean"].key
    assert last.after["crystal"].after["crystal"].key == other.after["crystal"].key
    for i in range(len(last.inputs["surface"]["sites"])):
        parts = last.after[f"site {i}"].after
        assert sorted(parts) == ["adatom", "slab", "whole"]
        assert {part.after["relaxed"].key for part in parts.values()} == {other.after[f"0 site {i}"].key}


def test_another_engine_may_relax_and_the_electrons_stay_of_dft() -> None:
    last = planned(relax_engine="emt")
    assert last.inputs["relaxed_with"] == "emt"
    part = last.after["site 0"].after["whole"]
    assert part.inputs["engine"]["engine"] == "gpaw"
    assert part.after["relaxed"].inputs["engine"]["engine"] == "emt"


def test_clearance_changes_the_densities_and_not_the_structures() -> None:
    one, two = planned(), planned(clearance="16 angstrom")
    assert one.after["clean"].key != two.after["clean"].key
    assert one.after["clean"].after["relaxed"].key == two.after["clean"].after["relaxed"].key
    assert one.after["crystal"].key == two.after["crystal"].key


@pytest.mark.parametrize("name", ["7net-l3i5", "emt"])
def test_an_engine_without_electrons_is_refused_and_one_with_them_offered(name: str) -> None:
    with pytest.raises(InputError, match=r"engine.*a potential has no electrons; expected 'gpaw'"):
        planned(engine=name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sites": "hollow"}, "expected some of"),
        ({"clearance": "2 angstrom"}, "clearance"),
        ({"clearance": "2 eV"}, "clearance"),
        ({"relax_engine": "gpwa"}, "gpaw"),
        ({"bader": True}, "bader"),
    ],
)
def test_a_wrong_input_is_one_line_with_its_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SodiophileError, match=message) as caught:
        planned(**changes)
    assert "\n" not in str(caught.value)


def test_a_slab_stands_in_the_middle_whatever_vacuum_it_had() -> None:
    slab = fcc100("Al", (1, 1, 3), vacuum=3.0)
    slab.positions[:, 2] += 1.3
    slab.pbc = (True, True, False)
    moved = centred(slab, 11.0)
    z = moved.positions[:, 2]
    assert z.min() == pytest.approx(5.5, abs=1e-8)
    assert moved.cell[2, 2] - z.max() == pytest.approx(5.5, abs=1e-8)
    assert np.ptp(z) == pytest.approx(np.ptp(slab.positions[:, 2]), abs=1e-8)
    assert list(moved.pbc) == [True, True, False]


def test_the_primitive_cell_of_a_conventional_one_has_its_atoms_once() -> None:
    from ase.build import bulk

    assert len(primitive(bulk("NaCl", "rocksalt", a=5.64, cubic=True))) == 2
    assert len(primitive(bulk("Na", "bcc", a=4.2, cubic=True))) == 1


def test_the_kind_is_registered_with_its_quantities() -> None:
    found = calculation("charge-density")
    assert found.quantities is not None
    assert "bader_charge:SITE" in found.quantities
