"""Results survive the store: what is saved comes back the same."""

from __future__ import annotations

import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict


@pytest.fixture
def result() -> Result:
    return Result(
        kind="nucleation",
        inputs={"protocol": {"area_cm2": 1.0}},
        quantities={"nucleation_overpotential": Quantity(36.1, "mV", 0.4, "tip minus plateau", interval=(35, 37))},
        verdicts={"dip": Verdict("resolved", ("prominence 12 sigma", "<script>alert(1)</script>"))},
        warnings=("one",),
        tables={"trace": pl.DataFrame({"a b": [1.0, 2.0], "c": ["x", None]}), "other": pl.DataFrame({"n": [1]})},
        simulated=True,
        attachments={"top V.xyz": "1\n\nNa 0 0 0\n"},
    )


def test_round_trip(result, tmp_path):
    payload = result.save(tmp_path / "r")
    assert payload == json.loads((tmp_path / "r" / "result.json").read_text())
    back = Result.load(tmp_path / "r")
    assert back.to_dict() == result.to_dict()
    assert back.attachments == result.attachments
    assert list(back.tables) == ["trace", "other"]
    for name, table in result.tables.items():
        assert_frame_equal(back.table(name), table)


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "", "a\x00b"])
def test_names_that_leave_the_folder_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="cannot name"):
        Result("k", {}, {}, attachments={name: "x"}).save(tmp_path)


def test_tables_and_figures_that_are_not_there(result):
    assert result.table().height == 2
    with pytest.raises(InputError, match="trace, other"):
        result.table("nothing")
    with pytest.raises(InputError, match="no figure"):
        result.draw()
