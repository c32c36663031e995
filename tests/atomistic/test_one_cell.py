"""A clean slab that repeats a smaller cell relaxes in that cell first, and ends where it would have ended anyway."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import fcc100

from sodiophile.atomistic import adsorption_tasks


def test_it_ends_where_it_did(compute: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"facet": "110", "adsorbate": "Al", "layers": 5, "supercell": "2x3", "sites": "top Cu"}
    done = compute(structure="Cu", **given, fmax="0.01 eV/angstrom", free=False, distortion=False)
    task, crystal = done.task.after["0 clean"], done.outcome("crystal")
    monkeypatch.setattr(adsorption_tasks, "_moved_in_one_cell", lambda slab, *_: np.zeros((len(slab), 3)))
    quick, slow = done.outcome("0 clean"), task.call({"crystal": crystal}, tmp_path)
    assert quick["steps"] == 1 < slow["steps"]
    assert quick["fmax_eV_A"] < 0.01
    assert quick["energy_eV"] == pytest.approx(slow["energy_eV"], abs=1e-3)
    assert np.array(quick["slab"]["positions_A"]) == pytest.approx(np.array(slow["slab"]["positions_A"]), abs=0.01)
    assert quick["cut"] == slow["cut"]


def test_a_slab_that_repeats_nothing_is_one_cell() -> None:
    slab = fcc100("Cu", (2, 2, 3), vacuum=7.5)
    cells, copy_of = adsorption_tasks._repeated(slab, (2, 2))
    assert cells == (2, 2)
    assert len(set(copy_of)) == 3
    shifted = slab.copy()
    shifted.positions[:, :2] -= 2e-9  # atoms on the border of a cell fall to its other side
    assert len(set(adsorption_tasks._repeated(shifted, (2, 2))[1])) == 3
    slab.positions[5, 0] += 0.1
    cells, copy_of = adsorption_tasks._repeated(slab, (2, 2))
    assert cells == (1, 1)
    assert list(copy_of) == list(range(len(slab)))
