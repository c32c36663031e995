import csv
import json
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.report.tables import (
    as_json,
    comparisons_table,
    coverage_table,
    harmless,
    job_status,
    quantities_table,
    write_csv,
)

from .sample import sample


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1", " =1", "-1+cmd|' /C calc'!A0"])
def test_formulas_are_taken_the_sting(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "plain", "a=b", "-1.5", "+2e-3", "−3"])
def test_other_texts_stay(cell):
    assert harmless(cell) == cell


@given(st.text(max_size=20))
def test_no_cell_starts_a_formula(cell):
    safe = harmless(cell)
    assert safe.lstrip()[:1] not in {"=", "@"}
    if safe[:1] in {"+", "-"}:
        float(safe)


def test_every_kind_of_column_gets_into_csv(tmp_path):
    table = pl.DataFrame(
        {
            "=evil": ["=1", None, "-2"],
            "list": [[1.0, math.nan], [], None],
            "record": [{"a": 1}, {"a": 2}, {"a": 3}],
            "negative": [-1.0, -2.0, None],
            "category": pl.Series(["+a", "b", "b"], dtype=pl.Categorical),
            "binary": [b"ab", b"", None],
        }
    )
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["'=evil"] == "'=1"
    assert rows[2]["'=evil"] == "-2"
    assert json.loads(rows[0]["list"]) == [1.0, None]
    assert json.loads(rows[1]["record"]) == {"a": 2}
    assert float(rows[1]["negative"]) == -2.0
    assert rows[0]["category"] == "'+a"


def test_the_tables_hold_all_that_the_outcome_holds():
    outcome = sample()
    quantities = quantities_table(outcome.jobs)
    assert quantities.height == sum(len(job.result.quantities) for job in outcome.jobs if job.result)
    assert set(quantities["status"]) == {"measured", "simulated", "computed", "calibrated", "assumed"}
    assert quantities.filter(pl.col("bound") == "lower").height == 3
    comparisons = comparisons_table(outcome.comparisons)
    assert comparisons.height == len(outcome.comparisons)
    assert comparisons["ours"].null_count() == 2
    coverage = coverage_table(outcome.coverage)
    assert coverage["row"].to_list() == list(range(1, 23))


def test_empty_tables_keep_their_columns():
    assert quantities_table(()).columns[:4] == ["job", "electrode", "kind", "quantity"]
    assert comparisons_table(()).height == 0
    assert coverage_table(()).columns[0] == "row"


def test_results_json_holds_the_objects_of_each_job():
    outcome = sample()
    data = json.loads(as_json(outcome, [{} for _ in outcome.jobs]))
    for job, entry in zip(outcome.jobs, data["jobs"], strict=True):
        assert entry["status"] == job_status(job)
        if job.result:
            found = {name: quantity.to_dict() for name, quantity in job.result.quantities.items()}
            assert entry["result"]["quantities"] == json.loads(json.dumps(found))
            assert entry["result"]["simulated"] is job.result.simulated
        else:
            assert entry["error"] == job.error
    assert len(data["comparisons"]) == len(outcome.comparisons)
    assert len(data["coverage"]) == 22
    assert data["study_file"] == outcome.study_file
    assert data["versions"] == dict(outcome.versions)
