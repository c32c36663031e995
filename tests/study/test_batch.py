"""Many cells in one go: one bad file stops nothing, groups are compared, what is done is not done again."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from sodiophile import report
from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.quantity import Quantity
from sodiophile.result import Result
from sodiophile.study.batch import run_batch
from sodiophile.study.cells import cells_of
from sodiophile.study.outcome import Outcome
from sodiophile.study.replicates import Member, replicates

KIND = "toy-resistance"
BDF = "test_time_second,current_ampere,voltage_volt\n0,-0.001,-0.05\n3600,-0.001,-0.05\n7200,-0.001,-0.05\n"


@pytest.fixture
def cells(toykit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two groups of three cells of 50 and 20 ohm, one of them damaged."""
    monkeypatch.setenv("SODIOPHILE_STORE", str(tmp_path / "store"))
    folder = tmp_path / "cells"
    for group, volt in (("bare", 0.05), ("coated", 0.02)):
        (folder / group).mkdir(parents=True)
        for number in range(3):
            text = BDF.replace("0.05", f"{volt + number * 0.001:.3f}")
            (folder / group / f"{group}-{number}.csv").write_text(text)
    (folder / "coated" / "broken.csv").write_text("nothing of a cycler\n")
    (folder / ".DS_Store").write_text("")
    return folder


def _run(source: Path, **more: object) -> Outcome:
    return run_batch(KIND, source, protocol={"area": "1 cm^2"}, workers=2, progress=False, **more)  # type: ignore[arg-type]


def test_a_folder_of_cells_in_groups(cells: Path, tmp_path: Path) -> None:
    outcome = _run(cells)
    failed = [job for job in outcome.jobs if job.error]
    assert [job.name for job in failed] == ["broken"]
    assert "broken.csv" in str(failed[0].error)
    groups = outcome.jobs[0].result
    assert groups is not None
    mean = groups.quantities["resistance:bare"]
    assert mean.value == pytest.approx(51)
    assert mean.uncertainty == pytest.approx(1 / 3**0.5)
    row = groups.table("comparisons").row(0, named=True)
    assert (row["first"], row["second"], row["difference"]) == ("bare", "coated", pytest.approx(30))
    assert row["shown"] == "yes"
    # no cell failed: their durations only bound it
    assert groups.quantities["test_duration:bare"].bound == "lower"
    page = report.write(outcome, tmp_path / "out")
    payload = json.loads((page.parent / "results.json").read_text())
    assert any("bare minus coated" in sentence for sentence in payload["findings"])
    assert (page.parent / "figures" / "replicates-all-groups.svg").is_file()


def test_a_second_run_computes_nothing(cells: Path) -> None:
    first = _run(cells)
    second = _run(cells)
    assert (first.computed, second.computed) == (6, 0)
    assert second.reused == 6
    assert _numbers(first) == _numbers(second)


def _numbers(outcome: Outcome) -> dict[str, float]:
    result = outcome.jobs[0].result
    assert result is not None
    return {name: quantity.value for name, quantity in result.quantities.items()}


def test_a_table_sets_units_and_groups_by_cell(cells: Path) -> None:
    table = cells / "cells.csv"
    table.write_text(
        "file,Area [cm^2],points,batch,Operator\n"
        "bare/bare-0.csv,1,2,A,x\nbare/bare-1.csv,2 cm^2,3,A,y\ncoated/coated-0.csv,100 mm^2,3,B,y\n"
    )
    outcome = _run(table, group_by="Batch")
    values = [job.result.quantities["resistance"].value for job in outcome.jobs[1:4] if job.result is not None]
    assert values == pytest.approx([50, 102, 20])
    assert [job.electrode for job in outcome.jobs[1:4]] == ["A", "A", "B"]
    assert any("operator" in warning for warning in outcome.warnings)


def test_the_same_data_twice_are_one_replicate(cells: Path) -> None:
    (cells / "bare" / "copy.csv").write_bytes((cells / "bare" / "bare-0.csv").read_bytes())
    outcome = _run(cells)
    groups = outcome.jobs[0].result
    assert groups is not None
    assert groups.table("groups").filter(quantity="resistance", group="bare")["n"].item() == 3
    assert any("copy and bare-0 have the same data" in warning for warning in outcome.warnings)


def test_bad_rows_are_their_own_fault(cells: Path) -> None:
    table = cells / "cells.csv"
    table.write_text(
        "file,area\nbare/bare-0.csv,1 cm^2\nbare/bare-9.csv,1 cm^2\n../escape.csv,1 cm^2\nbare/bare-1.csv,1 mV\n,1 cm^2\n"
    )
    errors = [job.error for job in _run(table).jobs[1:]]
    assert errors[0] is None
    assert "line 3: found 'bare/bare-9.csv', but there is no such file; did you mean" in str(errors[1])
    assert "leads out of the folder" in str(errors[2])
    assert "line 5: area" in str(errors[3])
    assert "names no file" in str(errors[4])


def _member(group: str, **quantities: Quantity) -> Member:
    return Member(f"{group} {id(quantities)}", group, Result("toy", {}, quantities))


def test_only_times_are_taken_for_censored() -> None:
    def groups(name: str, unit: str) -> Result:
        one, two = Quantity(1.0, unit), Quantity(2.0, unit, bound="lower")
        found = replicates(experiment("symmetric-cycling"), [_member("a", **{name: q}) for q in (one, two)])
        assert found is not None
        return found

    assert groups("lifespan", "h").table("groups")["still_alive"].item() == 1
    assert groups("cycles_to_failure", "1").table("groups")["still_alive"].item() == 1
    bounded = groups("resistance", "ohm cm^2")
    assert not bounded.quantities
    assert "only a bound in some cells" in bounded.warnings[0]


def test_what_some_cells_lack_is_said() -> None:
    members = [_member("a", x=Quantity(1.0, "mV")), _member("a", x=Quantity(2.0, "mV")), _member("a")]
    found = replicates(experiment("symmetric-cycling"), members)
    assert found is not None
    assert "x is known of 2 of 3 cells of a alone" in found.warnings[0]
    assert replicates(experiment("symmetric-cycling"), []) is None


def test_three_groups_are_adjusted_for_their_pairs_and_one_cell_is_no_group() -> None:
    values = {"a": (1.0, 1.1, 1.2), "b": (1.0, 1.2, 1.1), "c": (5.0, 5.1, 5.2), "d": (9.0,)}
    members = [_member(group, x=Quantity(value, "mV")) for group, own in values.items() for value in own]
    found = replicates(experiment("symmetric-cycling"), members)
    assert found is not None
    tests = {(row["first"], row["second"]): row for row in found.table("comparisons").to_dicts()}
    assert (tests["a", "c"]["shown"], tests["a", "b"]["shown"]) == ("yes", "no")
    assert tests["a", "c"]["p_holm"] > tests["a", "c"]["p"]
    assert tests["a", "d"]["p"] is None
    assert any("One cell alone" in sentence for sentence in found.verdicts["groups"].evidence)
    assert found.draw().get_ylabel() == "x (mV)"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"file\n", "a header and no row"),
        (b"cell,area\na,1\n", "has no column 'file'; found cell, area"),
        (b"file,aera\na.csv,1 cm^2\n", "found the column 'aera'; did you mean 'area'"),
        (b"file,file\na.csv,b.csv\n", "has 2 columns 'file'"),
        (b"file,area\na.csv,1,2\n", "line 2 has 3 fields under 2 headers"),
        (b"file\n\xff\xfe\n", "line 2: found a byte that is not UTF-8"),
        (b"\0\0", "is not a text file"),
        (b"file,[x]\na,b\n", "found the header '[x]'"),
        (b'file\n"a\0.csv"\n', "is not a text file"),
    ],
)
def test_a_bad_table_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    table = tmp_path / "cells.csv"
    table.write_bytes(content)
    with pytest.raises(InputError) as caught:
        cells_of(table, ["area"])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_wrong_with_every_cell_is_said_once(cells: Path) -> None:
    with pytest.raises(InputError, match="none of the 7 cells can be analyzed: area: missing"):
        run_batch(KIND, cells, progress=False)


def test_no_such_source_quantity_or_column(cells: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder or table"):
        _run(tmp_path / "nowhere")
    with pytest.raises(InputError, match="a folder has no columns"):
        _run(cells, group_by="batch")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder holds no file"):
        _run(tmp_path / "empty")
    with pytest.raises(InputError, match="'polarisation_mean' is no quantity of 'symmetric-cycling'; did you mean"):
        run_batch("symmetric-cycling", cells, compare=["polarisation_mean"], progress=False)


def test_the_command_says_what_failed_and_ends_with_one(
    cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sodiophile.cli import main

    def batch(*words: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(["batch", KIND, str(cells), "--area", "1 cm^2", "--workers", "2", *words])
        return int(stop.value.code or 0)

    assert batch("--out", str(tmp_path / "out"), "--json") == 1
    captured = capsys.readouterr()
    payload = json.loads(captured.out)
    assert len(payload["cells"]) == 7
    assert [cell["cell"] for cell in payload["cells"] if cell["error"]] == ["broken"]
    assert payload["groups"]["tables"]["groups"]
    assert "sodiophile: broken: coated:" in captured.err
    (cells / "coated" / "broken.csv").unlink()
    assert batch() == 0
    assert capsys.readouterr().out.strip().endswith(str(tmp_path / f"cells-{KIND}" / "report.html"))
