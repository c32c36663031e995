"""Published lifespans: what ships is sourced, conditions are never mixed, bounds are respected."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.study.lifespans import SAME, Own, lifespan_comparison
from sodiophile.study.literature import published
from sodiophile.study.load import load_study
from sodiophile.study.outcome import JobOutcome

HEADER = "key,doi,material,bound,current_density_mA_cm2,areal_capacity_mAh_cm2,lifespan_h,lifespan_cycles\n"


def _table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "more.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def test_every_row_that_ships_has_its_source() -> None:
    table = published()
    assert table.height > 40
    assert table["doi"].str.contains(r"^10\.\d{4,9}/").all()
    assert set(table["bound"]) <= {"", "at least", "about", "exact", "less than"}
    assert "quoted_fragment" not in table.columns


def test_the_paper_that_studies_here_are_about_is_not_among_them() -> None:
    """The paper that studies are written about is compared with, never shipped."""
    assert not published().select("doi").to_series().str.to_uppercase().str.contains("D2NH00152G").any()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a,,m,exact,1,1,100,", "line 2: doi: found ''"),
        ("a,http://x,m,exact,1,1,100,", "doi: found 'http://x'"),
        (",10.1000/1,m,exact,1,1,100,", "key: missing"),
        ("a,10.1000/1,m,maybe,1,1,100,", "bound: found 'maybe'"),
        ("a,10.1000/1,m,exact,-1,1,100,", "current_density_mA_cm2: found '-1', expected a number above 0"),
        ("a,10.1000/1,m,exact,1,1,1e999,", "lifespan_h: found '1e999'"),
        ("a,10.1000/1,m,exact,1,1,nan,", "lifespan_h: found 'nan'"),
    ],
)
def test_a_bad_row_of_a_user_is_one_line(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        published(_table(tmp_path, row))
    assert words in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"key\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "more.csv"
    path.write_bytes(content)
    with pytest.raises(InputError):
        published(path)
    with pytest.raises(InputError, match="cannot be read"):
        published(tmp_path / "nothing.csv")


def _place(tmp_path: Path, own: Own, *rows: str) -> str:
    result = lifespan_comparison([own], more=_table(tmp_path, *rows))
    return result.verdicts[own.label].answer


@pytest.mark.parametrize(
    ("bound", "hours", "other", "words"),
    [
        ("", 100, "exact,{},200", "1 lived longer, 0 shorter"),
        ("", 100, "exact,{},50", "0 lived longer, 1 shorter"),
        ("", 100, "at least,{},200", "1 lived longer, 0 shorter"),
        ("", 100, "at least,{},100", "1 lived longer, 0 shorter"),
        ("", 100, "at least,{},50", "1 cannot be told"),
        ("", 100, "less than,{},50", "0 lived longer, 1 shorter"),
        ("", 100, "less than,{},200", "1 cannot be told"),
        ("at least", 100, "exact,{},200", "1 cannot be told"),
        ("at least", 100, "exact,{},50", "0 lived longer, 1 shorter"),
        ("at least", 100, "at least,{},50", "1 cannot be told"),
        ("at least", 100, "at least,{},200", "1 cannot be told"),
    ],
)
def test_bounds_are_respected(tmp_path: Path, bound: str, hours: float, other: str, words: str) -> None:
    # conditions that nobody who ships here has
    own = Own("mine", 0.123, 0.456, hours, bound=bound)
    row = f"a,10.1000/1,m,{other.format('0.123,0.456')},"
    assert words in _place(tmp_path, own, row)


@settings(deadline=None)
@given(st.floats(0.01, 50), st.floats(0.01, 50), st.floats(0.5, 2), st.floats(0.5, 2))
def test_conditions_are_never_mixed(current: float, capacity: float, by_current: float, by_capacity: float) -> None:
    own = [Own("one", current, capacity, 10.0), Own("two", current * by_current, capacity * by_capacity, 10.0)]
    table = lifespan_comparison(own).table("lifespans")
    for condition in table["condition"].unique():
        part = table.filter(condition=condition)
        for name in ("current_density_mA_cm2", "areal_capacity_mAh_cm2"):
            # two may each be as far from a third as is allowed
            assert part[name].max() / part[name].min() <= (1 + SAME) ** 2 * (1 + 1e-9)  # type: ignore[operator]
    assert "" not in table["condition"].to_list()


def test_cycles_and_charge_follow_from_hours_and_back(tmp_path: Path) -> None:
    rows = ["h,10.1000/1,m,exact,0.123,0.456,100,", "c,10.1000/2,m,exact,0.123,0.456,,50"]
    own = Own("mine", 0.123, 0.456, 1.0, 1.0, 1.0)
    found = {
        row["key"]: row for row in lifespan_comparison([own], more=_table(tmp_path, *rows)).table("lifespans").to_dicts()
    }
    assert found["h"]["cycles"] == pytest.approx(100 * 0.123 / (2 * 0.456))
    assert found["h"]["plated_capacity_mAh_cm2"] == pytest.approx(100 * 0.123 / 2)
    assert found["c"]["lifespan_h"] == pytest.approx(50 * 2 * 0.456 / 0.123)
    assert found["c"]["plated_capacity_mAh_cm2"] == pytest.approx(50 * 0.456)
    assert "without rests" in found["h"]["how"]


def test_a_median_takes_enough_claims_and_respects_bounds(tmp_path: Path) -> None:
    def median(exact: int, bounds: int) -> float | None:
        rows = [f"a{n},10.1000/{n},m,exact,0.123,0.456,{100 + n}," for n in range(exact)]
        rows += [f"b{n},10.1000/{n},m,at least,0.123,0.456,1000," for n in range(bounds)]
        own = Own("mine", 0.123, 0.456, 1.0)
        table = lifespan_comparison([own], more=_table(tmp_path, *rows)).table("conditions")
        found = table["median"].item()
        return None if found is None else float(found)

    assert median(4, 2) is None
    assert median(4, 9) is None
    # half have failed by the sixth of twelve
    assert median(8, 4) == 105
    assert median(5, 7) is None


def test_unknown_conditions_are_said_and_nothing_is_set_beside_them() -> None:
    result = lifespan_comparison([Own("mine", None, None, 100.0)])
    assert any("not known" in warning for warning in result.warnings)
    assert "nothing published here" in result.verdicts["mine"].answer
    with pytest.raises(InputError, match="axis: found 'days'"):
        lifespan_comparison([], axis="days")  # type: ignore[arg-type]


@pytest.mark.parametrize("show", ["same conditions", "all"])
@pytest.mark.parametrize("axis", ["hours", "cycles", "plated capacity"])
def test_it_draws_with_many_few_and_none(axis: str, show: str) -> None:
    several = [Own(f"cell {n}", 1.0, 1.0, 100.0 + n, 50.0, 50.0, "at least", simulated=True) for n in range(30)]
    for own in ([], several[:1], several):
        result = lifespan_comparison(own, axis=axis, show=show)  # type: ignore[arg-type]
        result.draw().figure.canvas.draw()
        assert json.dumps(result.to_dict())
        assert result.simulated == bool(own)


STUDY = """
title = "A toy"
[electrodes.bare]
metal = "Na"
area = "1 cm^2"
cell = "bare-na"
[[experiments]]
name = "life"
kind = "symmetric-cycling"
electrodes = ["bare"]
current_density = "1 mA/cm^2"
capacity = "1 mAh/cm^2"
simulate = { duration = "30 h", sampling_interval = "120 s" }
[[comparisons]]
name = "among published"
kind = "lifespan-comparison"
experiments = ["life"]
[[coverage]]
row = 1
title = "lifespans against the literature"
by = ["among published"]
"""


def test_a_study_sets_its_lifespans_among_published_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sodiophile import report
    from sodiophile.study.run import run

    monkeypatch.delenv("SODIOPHILE_STORE", raising=False)
    (tmp_path / "study.toml").write_text(STUDY)
    outcome = run(tmp_path, workers=1, progress=False)
    job: JobOutcome = next(job for job in outcome.jobs if job.name == "among published")
    assert job.result is not None
    row = job.result.table("lifespans").filter(whose="simulated").row(0, named=True)
    assert (row["bound"], math.isclose(row["lifespan_h"], 30, rel_tol=0.01)) == ("at least", True)
    assert job.result.table("lifespans").height == 4
    assert outcome.coverage[0].status == "simulated"
    page = report.write(outcome, tmp_path / "out")
    assert "Lifespans among published ones" in page.read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('experiments = ["life"]', 'experiments = ["live"]'), "comparisons[1].experiments: found 'live'"),
        (('name = "among published"\n', 'name = "life"\n'), "comparisons[1].name: found 'life'"),
        (('experiments = ["life"]', 'experiments = ["life"]\naxis = "days"'), "comparisons[1].axis"),
        (('experiments = ["life"]', 'experiments = ["life"]\npublished = "none.csv"'), "there is no such file"),
    ],
)
def test_a_bad_comparison_is_one_line(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    (tmp_path / "study.toml").write_text(STUDY.replace(*change))
    with pytest.raises(InputError) as caught:
        load_study(tmp_path)
    assert words in str(caught.value)


def test_the_command_reads_reports_and_numbers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from sodiophile.cli import main

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(["lifespan-comparison", *words])
        return int(stop.value.code or 0)

    numbers = ["--lifespan", "> 900 h", "--current-density", "1 mA/cm^2", "--capacity", "1 mAh/cm^2"]
    assert run(*numbers, "--json") == 0
    payload = json.loads(capsys.readouterr().out)
    assert "cannot be told" in payload["verdicts"]["mine"]["answer"]
    (tmp_path / "results.json").write_text("[]")
    for words, expected in (
        ([str(tmp_path)], "is no results.json of a report"),
        (["--lifespan", "900"], "without a unit"),
        (["--lifespan", "900 h"], "--current-density: missing"),
        (["--capacity", "1 mAh/cm^2"], "--lifespan: missing"),
        (["--show", "some"], "--show: found 'some'"),
    ):
        assert run(*words) == 1
        assert expected in capsys.readouterr().err
