"""Questions of order: what follows from the parameters of two cells, how often, from which; names and settings checked."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.physics.pairs import drawn_pair, one_at_a_time, shared_places
from sodiophile.study.load import load_study
from sodiophile.study.ordering_result import Part, findings, ordered
from sodiophile.study.run import run

NUMBERS = """
[[orderings.numbers]]
name = "dip"
experiment = "dip"
quantity = "nucleation_overpotential"
better = "lower"
reported = "better"
"""

STUDY = f"""
title = "Two electrodes"
[electrodes.bare]
metal = "Na"
area = "1 cm^2"
cell = "bare-na"
[electrodes.layered]
metal = "Na"
area = "1 cm^2"
cell = "na-vn"
[[experiments]]
name = "dip"
kind = "nucleation"
electrodes = ["bare"]
current_density = "0.5 mA/cm^2"
capacity = "0.1 mAh/cm^2"
simulate = {{ sampling_interval = "30 s", voltage_interval = "1 mV", shortest_interval = "1 ms", rest = "10 s" }}
[[orderings]]
name = "order"
electrodes = ["layered", "bare"]
draws = 12
{NUMBERS}"""


def value(x, bound=None):
    return {"value": x, "unit": "h", "bound": bound}


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (value(2.0), value(1.0), "better"),
        (value(1.0), value(2.0), "worse"),
        (value(1.0), value(1.0), "same"),
        (value(3.0, "lower"), value(2.0), "better"),
        (value(1.0, "lower"), value(2.0), "untold"),
        (value(1.0), value(2.0, "lower"), "worse"),
        (value(2.0), value(1.0, "upper"), "better"),
        (value(3.0, "lower"), value(1.0, "lower"), "untold"),
        (value(3.0, "lower"), value(1.0, "upper"), "better"),
        ({"failed": "no value"}, value(1.0), "untold"),
    ],
)
def test_bounds_are_told_where_they_suffice(first, second, told):
    """Higher is better; the mirrored question has the mirrored answer."""
    assert ordered(first, second, "higher") == told
    mirrored = {"better": "worse", "worse": "better"}.get(told, told)
    assert ordered(second, first, "higher") == mirrored
    assert ordered(first, second, "lower") == mirrored


def test_the_interval_of_a_part_covers_as_it_says():
    random = np.random.default_rng(0)
    for chance in (0.1, 0.5, 0.9):
        inside = 0
        for count in random.binomial(40, chance, 400):
            part = Part(int(count), 40 - int(count), 0)
            inside += part.low <= chance <= part.high
        assert 0.90 < inside / 400 <= 0.99


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        ((40, 0, 0), "it follows that a is better than b"),
        ((0, 40, 0), "it follows that b is better than a"),
        ((34, 6, 0), "mostly a is better than b"),
        ((20, 20, 0), "no order follows from the parameters"),
        ((0, 0, 40), "no order follows from the parameters"),
        ((9, 0, 0), "cannot be told: too few pairs gave both numbers"),
    ],
)
def test_answers(counts, answer):
    assert Part(*counts).answer("a", "b") == answer


def test_what_is_the_same_in_both_is_drawn_once():
    first, second = load_cell("na-vn"), load_cell("bare-na")
    shared = set(shared_places(first, second))
    assert "electrolyte.diffusivity" in shared
    assert "substrate.contact_angle" not in shared
    one, other = drawn_pair(first, second, np.random.default_rng(0))
    a, b = one.parameters(), other.parameters()
    for place in second.spreads():
        same = a[place].value == b[place].value if place in a else False
        assert same == (place in shared), place


@pytest.mark.parametrize("names", [("bare-na", "na-vn"), ("na-vn", "bare-na")])
def test_one_parameter_at_a_time_leads_from_one_cell_to_the_other(names):
    first, second = (load_cell(name) for name in names)
    steps = one_at_a_time(first, second)
    before = {place: quantity.value for place, quantity in second.parameters().items()}
    after = {place: quantity.value for place, quantity in first.parameters().items()}
    changed = set()
    for what, cell in steps.items():
        now = {place: quantity.value for place, quantity in cell.parameters().items()}
        moved = {place for place in now.keys() | before.keys() if now.get(place) != before.get(place)}
        assert moved
        assert all(place == what or place.startswith(f"{what}.") for place in moved)
        assert all(now.get(place) == after.get(place) for place in moved)
        changed |= moved
    assert changed == {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}


def test_a_study_tells_whether_an_order_follows(write_study):
    outcome = run(write_study(STUDY), workers=1)
    job = next(job for job in outcome.jobs if job.name == "order")
    assert job.error is None
    result = job.result
    assert result.simulated
    (row,) = result.table("orders").to_dicts()
    assert row["pairs"] == 12
    assert row["layered as it stands"] < row["bare as it stands"]
    part = result.quantities["better:dip"]
    assert part.interval[0] < part.value <= 1.0
    # the layer is as good as absent for the dip; wetting and sites make it
    causes = {one["parameter"]: one["change"] for one in result.table("one parameter at a time").to_dicts()}
    assert {"substrate.contact_angle", "substrate.site_density"} & set(list(causes)[:3])
    assert abs(causes.get("interlayer", 0.0)) < 0.2 * abs(row["layered as it stands"] - row["bare as it stands"])
    (said,) = [one for one in outcome.findings if one.startswith("order, dip:")]
    assert "layered is better than bare" in said
    assert "as reported of layered" in said
    from sodiophile.report.figures import draw

    assert draw(result) is not None


def test_two_cells_that_are_one_have_no_order(write_study):
    outcome = run(write_study(STUDY.replace('cell = "na-vn"', 'cell = "bare-na"')), workers=1)
    result = next(job.result for job in outcome.jobs if job.name == "order")
    assert result.quantities["better:dip"].value == 0.5
    assert result.verdicts["dip"].answer == "no order follows from the parameters"
    assert result.table("one parameter at a time").is_empty()
    (said,) = findings([("order", result)])
    assert "though layered was reported to be better" in said


def test_numbers_that_no_cell_gives_are_told_as_such(write_study):
    """A cycler that samples once a minute sees no dip of either: no order, no quantity, and a figure all the same."""
    settings = 'voltage_interval = "1 mV", shortest_interval = "1 ms", '
    outcome = run(write_study(STUDY.replace(settings, "").replace('"30 s"', '"60 s"')), workers=1)
    job = next(job for job in outcome.jobs if job.name == "order")
    assert job.error is None
    assert job.result.verdicts["dip"].answer == "cannot be told: too few pairs gave both numbers"
    assert not job.result.quantities
    assert "of 24 cells gave no value" in job.result.warnings[0]
    from sodiophile.report.figures import draw

    assert draw(job.result) is not None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('electrodes = ["layered", "bare"]', 'electrodes = ["layered"]', "orderings[1].electrodes"),
        ('electrodes = ["layered", "bare"]', 'electrodes = ["layered", "bar"]', "did you mean 'bare'"),
        ('experiment = "dip"', 'experiment = "dib"', "no experiment on"),
        ('quantity = "nucleation_overpotential"', 'quantity = "nucleation_overpotental"', "did you mean"),
        ('better = "lower"', 'better = "less"', "orderings[1].numbers[1].better"),
        ('reported = "better"', 'simulate = { rest = "10 V" }', "rest"),
        ('reported = "better"', 'simulate = { resst = "10 s" }', "did you mean 'rest'"),
        (NUMBERS, NUMBERS + NUMBERS, "two numbers of the name 'dip'"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(write_study, old, new, said):
    with pytest.raises(InputError) as caught:
        load_study(write_study(STUDY.replace(old, new, 1) if old != 'experiment = "dip"' else STUDY.replace(old, new)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
