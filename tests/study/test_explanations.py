"""Which calculation explains reported energies: the one that made them does, whatever else was tried."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from sodiophile.quantity import Quantity
from sodiophile.result import Result
from sodiophile.study.explanations import explanations
from sodiophile.study.outcome import Comparison, JobOutcome

SITES = {"top V": -1.9, "bridge": -1.6, "hollow": -1.5, "top N": -1.3}
COHESIVE = 1.1


def reported(sites: dict[str, float], electrode: str = "vn", bound: str | None = None) -> list[Comparison]:
    return [
        Comparison(
            reported=Quantity(value, "eV", None, "", "reported", source="x", bound=bound),  # type: ignore[arg-type]
            where="Fig. 1", subject="some", electrode=electrode, quantity=f"adsorption_energy_vs_atom:{site}",
            ours=None, difference=None, sigmas=None, verdict="not yet",
        )
        for site, value in sites.items()
    ]  # fmt: skip


def job(name: str, sites: dict[str, float], terminations: tuple[str, ...] = ("VN",), electrode: str = "vn") -> JobOutcome:
    """A calculation that found `sites` against the free atom, on each termination."""
    quantities = {}
    for termination in terminations:
        prefix = f"{termination}-terminated, " if len(terminations) > 1 else ""
        for site, value in sites.items():
            about = (0.1, "", "computed")
            quantities[f"adsorption_energy_vs_atom:{prefix}{site}"] = Quantity(value, "eV", *about)  # type: ignore[arg-type]
            other = Quantity(value + COHESIVE, "eV", *about)  # type: ignore[arg-type]
            quantities[f"adsorption_energy_vs_bulk:{prefix}{site}"] = other
    inputs = {"terminations": list(terminations), "supercell": "2x2", "engine": {"engine": "toy"}}
    return JobOutcome(name, "calculation", "adsorption", "Adsorption", electrode, Result("adsorption", inputs, quantities))


def test_the_calculation_that_made_the_numbers_is_found_with_its_reference() -> None:
    others = [job(f"other {i}", {site: value + 0.1 * i for site, value in SITES.items()}) for i in (1, 2, 3)]
    made = job("maker", {site: value - COHESIVE for site, value in SITES.items()})
    found = explanations(reported(SITES), [*others, made])
    assert found is not None
    verdict = found.verdicts["reported energies of vn"]
    assert verdict.answer == "the reported order is that of maker (toy), against bulk metal, rms 0.00 eV"
    table = found.table("candidates")
    assert table.height == 8
    first = table.row(0, named=True)
    assert (first["calculation"], first["reference"], first["pairs_in_order"], first["pairs"]) == (
        "maker",
        "bulk metal",
        6,
        6,
    )
    assert first["rms_eV"] == pytest.approx(0.0, abs=1e-12)


def test_a_common_offset_is_told_from_scatter() -> None:
    found = explanations(reported(SITES), [job("shifted", {site: value + 0.4 for site, value in SITES.items()})])
    assert found is not None
    row = next(one for one in found.table("candidates").iter_rows(named=True) if one["reference"] == "free atom")
    assert row["offset_eV"] == pytest.approx(0.4)
    assert row["rms_eV"] == pytest.approx(0.4)
    assert row["scatter_eV"] == pytest.approx(0.0, abs=1e-9)


def test_that_none_has_the_order_is_said() -> None:
    reverse = dict(zip(SITES, reversed(SITES.values()), strict=True))
    found = explanations(reported(SITES), [job("reverse", reverse)])
    assert found is not None
    verdict = found.verdicts["reported energies of vn"]
    assert verdict.answer.startswith("none of 2 tried has the reported order")
    assert "in none is the most stable site the reported one, top V" in verdict.evidence
    assert found.table("candidates")["pairs_in_order"].to_list() == [0, 0]


def test_each_termination_is_tried_and_missing_sites_are_named() -> None:
    some = {site: value for site, value in SITES.items() if site != "bridge"}
    found = explanations(reported(SITES), [job("polar", some, ("N", "V")), job("whole", SITES)])
    assert found is not None
    table = found.table("candidates")
    assert set(table["termination"]) == {"", "N-terminated", "V-terminated"}
    assert set(table.filter(table["calculation"] == "polar")["sites_missing"]) == {"bridge"}
    assert "whole" in found.verdicts["reported energies of vn"].answer
    evidence = found.verdicts["reported energies of vn"].evidence
    assert any("polar, N-terminated" in text and "without bridge" in text for text in evidence)


def test_two_sites_of_four_are_too_few_to_explain() -> None:
    few = {site: SITES[site] for site in ("top V", "top N")}
    found = explanations(reported(SITES), [job("few", few), job("whole", SITES)])
    assert found is not None
    verdict = found.verdicts["reported energies of vn"]
    assert not any("few (toy)" in text for text in verdict.evidence)
    assert any("2 more have too few of the reported sites" in text for text in verdict.evidence)


def test_the_lowest_of_its_kind_stands_in_where_a_surface_has_no_site_of_that_name() -> None:
    other = {"top V": -1.9, "V-V bridge": -1.6, "hollow over N": -1.2, "hollow over V": -1.5, "top N": -1.3}
    found = explanations(reported(SITES), [job("other", other)])
    assert found is not None
    row = next(one for one in found.table("candidates").iter_rows(named=True) if one["reference"] == "free atom")
    assert row["stand_ins"] == "V-V bridge for bridge, hollow over V for hollow"
    assert (row["rms_eV"], row["sites_missing"]) == (pytest.approx(0.0), "")


def test_one_reported_number_has_no_order() -> None:
    found = explanations(reported({"most stable": -0.9}, "bare"), [job("bare", {"most stable": -0.7}, electrode="bare")])
    assert found is not None
    assert found.verdicts["reported energies of bare"].answer == "nearest: bare (toy), against free atom, off by +0.20 eV"


def test_nothing_reported_or_nothing_computed_is_nothing_to_explain() -> None:
    assert explanations([], [job("whole", SITES)]) is None
    assert explanations(reported(SITES), []) is None
    assert explanations(reported(SITES, bound="lower"), [job("whole", SITES)]) is None
    assert explanations(reported(SITES), [job("elsewhere", SITES, electrode="bare")]) is None


def test_the_figure_shows_the_nearest() -> None:
    found = explanations(reported(SITES), [job("whole", SITES), *(job(f"n{i}", SITES) for i in range(9))])
    assert found is not None
    figure, ax = plt.subplots()
    found.draw(ax)
    assert 2 <= len(ax.lines) <= 8
    plt.close(figure)
