"""Screening: many candidates ranked, one that fails does not stop the others."""

from __future__ import annotations

import pytest
from ase.build import bulk
from ase.io import write

from sodiophile.errors import InputError
from sodiophile.study.screen import screen
from sodiophile.study.store import Store

SHARED = {"facet": "111", "adsorbate": "Cu", "engine": "emt", "supercell": "1x1", "layers": "3", "free": False}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_candidates_are_ranked_and_a_broken_one_is_named(tmp_path, store):
    for element in ("Ag", "Pt"):
        write(tmp_path / f"{element}.cif", bulk(element, cubic=True))
    (tmp_path / "broken.cif").write_text("data_nothing")
    candidates = [tmp_path / name for name in ("Ag.cif", "broken.cif", "Pt.cif")]
    result = screen(candidates, SHARED, store=store, workers=1, progress=False)
    energies = result.table("ranking")["energy_vs_bulk_eV"].to_list()
    assert energies == sorted(energies)
    assert set(result.table("ranking")["candidate"]) == {"Ag", "Pt"}
    assert any(warning.startswith("broken: ") for warning in result.warnings)
    assert result.verdicts["ranking"].answer in {"Ag < Pt", "Pt < Ag"}
    assert result.draw().get_xlabel().startswith("$E_")
    again = screen(list(reversed(candidates)), SHARED, store=store, workers=1, progress=False)
    assert again.table("ranking").equals(result.table("ranking"))


def test_nothing_to_rank_is_said(tmp_path, store):
    with pytest.raises(InputError, match="no candidate"):
        screen([], SHARED, store=store, progress=False)
    with pytest.raises(InputError, match="given twice"):
        screen(["Cu", "Cu"], SHARED, store=store, progress=False)
    with pytest.raises(InputError, match=r"nothing\.cif"):
        screen([tmp_path / "nothing.cif"], SHARED, store=store, progress=False)
