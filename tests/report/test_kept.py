from dataclasses import replace

import pytest

from sodiophile.report import parts, write

from .sample import sample


@pytest.fixture
def drawn(monkeypatch):
    """The kinds of the figures that are drawn, as they are."""
    kinds = []
    real = parts.draw

    def counted(result):
        kinds.append(result.kind)
        return real(result)

    monkeypatch.setattr(parts, "draw", counted)
    return kinds


def _figures(page):
    return {path.name: path.read_bytes() for path in (page.parent / "figures").iterdir()}


@pytest.fixture
def ours(monkeypatch):
    """One job of the sample, its figure drawn as by the package itself: what others draw is drawn each time."""
    outcome = sample()
    job = next(job for job in outcome.jobs if job.result is not None and job.result.kind == "symmetric-cycling")
    monkeypatch.setattr(job.result.drawer, "__module__", "sodiophile.experiments.symmetric_cycling")
    return replace(outcome, jobs=(job,))


def test_a_figure_is_drawn_once(tmp_path, drawn, ours):
    first = _figures(write(ours, tmp_path / "report"))
    assert len(drawn) == 1
    assert _figures(write(replace(ours, title="another title"), tmp_path / "report")) == first
    assert len(drawn) == 1


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_figure_that_is_not_as_it_was_drawn_is_drawn_again(tmp_path, drawn, ours, damage):
    page = write(ours, tmp_path / "report")
    first = _figures(page)
    picture = next((page.parent / "figures").glob("*.svg"))
    if damage == "changed":
        picture.write_bytes(picture.read_bytes() + b" ")
    else:
        picture.unlink()
    assert _figures(write(ours, tmp_path / "report")) == first
    assert len(drawn) == 2


def test_another_number_in_the_table_draws_the_figure_again(tmp_path, drawn, ours):
    write(ours, tmp_path / "report")
    (job,) = ours.jobs
    name, table = next(iter(job.result.tables.items()))
    column = next(column for column in table.columns if table[column].dtype.is_float())
    other = replace(job.result, tables={**job.result.tables, name: table.with_columns(table[column] * 1.01)})
    write(replace(ours, jobs=(replace(job, result=other),)), tmp_path / "report")
    assert len(drawn) == 2


def test_figures_of_others_are_drawn_each_time(tmp_path, drawn):
    write(sample(), tmp_path / "report")
    count = len(drawn)
    assert count
    write(sample(), tmp_path / "report")
    assert len(drawn) == 2 * count
