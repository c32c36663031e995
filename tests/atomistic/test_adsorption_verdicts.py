"""Verdicts: what energies say with the engine's error in view."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sodiophile.atomistic.adsorption_verdicts import clean_surface, most_stable, order, sodiophilic, stability_word
from sodiophile.atomistic.engines import Accuracy, Engine
from sodiophile.quantity import Quantity


@dataclass(frozen=True)
class Judged(Engine):
    """An engine with an error of its own."""

    error_eV: float | None = None

    @property
    def accuracy(self) -> Accuracy:
        return Accuracy(self.error_eV, "a surface", "DFT", "a test")

    __hash__ = Engine.__hash__


def _engine(error_eV: float | None = None, *, is_dft: bool = False) -> Engine:
    return Judged("judged", "", "ase", "", lambda: None, is_dft=is_dft, error_eV=error_eV)


@pytest.mark.parametrize(
    ("energy", "error", "is_dft", "answer"),
    [
        (-1.0, 0.4, False, "yes"),
        (-0.5, 0.4, False, "probably yes"),
        (-0.3, 0.4, False, "cannot be told"),
        (+0.3, 0.4, False, "cannot be told"),
        (+0.5, 0.4, False, "probably no"),
        (+0.9, 0.4, False, "no"),
        (+0.03, 0.03, True, "cannot be told"),
        (-0.05, 0.03, True, "cannot be told"),
        (+0.2, 0.03, True, "no"),
        (-0.3, None, False, "yes, by the sign alone"),
        (-0.3, None, True, "yes"),
        (None, 0.4, False, "cannot be told"),
    ],
)
def test_wetting_is_claimed_only_beyond_the_error(
    energy: float | None, error: float | None, is_dft: bool, answer: str
) -> None:
    assert sodiophilic(energy, "Na", _engine(error, is_dft=is_dft)).answer == answer


@pytest.mark.parametrize(
    ("corrected", "answer"), [(-0.9, "yes"), (-0.5, "probably yes"), (0.1, "cannot be told"), (0.9, "no")]
)
def test_where_there_are_dft_points_the_corrected_energy_is_judged(corrected: float, answer: str) -> None:
    quantity = Quantity(corrected, "eV", 0.4, "", "calibrated", "9 DFT points")
    verdict = sodiophilic(-0.3, "Na", _engine(0.05), quantity)
    assert verdict.answer == answer
    assert "9 DFT points" in verdict.evidence[1]


def test_order_says_whether_the_differences_count() -> None:
    sites = {"top": 0.2, "hollow": -0.3, "bridge": 0.1}
    assert order(sites, _engine(0.4)).answer == "hollow < bridge < top"
    assert "not the steps bridge / top" in order(sites, _engine(0.3)).evidence[-1]
    assert "not established" in order(sites, _engine(0.6)).evidence[-1]
    assert "not been measured" in order(sites, _engine()).evidence[-1]
    assert len(order(sites, _engine(0.02, is_dft=True)).evidence) == 2
    assert order({"top": 0.1}, _engine()).answer == "cannot be told"


def test_a_calibrated_scatter_decides_which_steps_count() -> None:
    sites = {"a": -0.5, "b": -0.4, "c": 0.3}
    assert order(sites, _engine(0.5), 0.05).evidence[-1].endswith("0.14 eV are not established: a / b")
    assert "every step exceeds" in order(sites, _engine(0.5), 0.02).evidence[-1]


def test_the_order_of_dft_names_what_its_numerics_leave_open() -> None:
    verdict = order({"a": -0.5, "b": -0.46, "c": 0.1}, _engine(0.03, is_dft=True))
    assert verdict.answer == "a < b < c"
    assert verdict.evidence[-1].endswith("0.03 eV: a / b")
    assert "has not been measured" in order({"a": -0.5, "b": 0.4}, _engine(is_dft=True)).evidence[-1]


def test_most_stable_tells_held_from_let_go() -> None:
    held = {"top": 0.2, "bridge": -0.1}
    assert most_stable(held, {}).answer == "bridge"
    verdict = most_stable(held, {"top": (-0.2, "hollow"), "bridge": (-0.15, "bridge")})
    assert verdict.answer == "bridge (held), hollow (let go)"
    assert verdict.evidence[-1] == "let go, it leaves top to hollow"
    assert most_stable({}, {}).answer == "cannot be told"


def test_a_distorting_surface_is_found_by_either_test() -> None:
    assert clean_surface(0.001, {"top": -0.001}, [], 0.02).answer == "stable"
    assert clean_surface(-0.05, {"top": 0.0}, [], 0.02).answer == "the clean surface distorts"
    assert clean_surface(None, {"top": -0.05}, ["top"], 0.02).answer == "the clean surface distorts"


def test_each_metal_has_its_word() -> None:
    assert [stability_word(metal) for metal in ("Na", "Li", "Zn", "Cu")] == [
        "sodiophilic", "lithiophilic", "zincophilic", "metallophilic"
    ]  # fmt: skip
