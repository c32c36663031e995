"""What a report makes of each job before the page is written: files of its figure, tables and attachments, structures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sodiophile.errors import InputError
from sodiophile.report.figures import DrawnFigure, draw
from sodiophile.report.kept import Kept, key
from sodiophile.report.structures import Structure, read_xyz
from sodiophile.report.surfaces import ENDING as SURFACES
from sodiophile.report.surfaces import Surface, read_surfaces
from sodiophile.report.tables import write_csv
from sodiophile.report.text import Names, file_stem
from sodiophile.result import Result
from sodiophile.study.outcome import JobOutcome

_XYZ = (".xyz", ".extxyz")


@dataclass(frozen=True)
class Parts:
    """The files of one job, as addresses relative to the page, and what of them stands in the page.

    Parameters
    ----------
    stem
        The job's name in file names and anchors; no other job has it.
    figure
        As drawn; None if the kind has none or drawing failed.
    figure_files
        SVG, PDF, PNG.
    table_files
        Table name -> CSV.
    attachment_files
        Attachment name -> file.
    structures
        Of all attachments that are xyz, in order.
    problems
        What could not be drawn or read, one sentence each.
    """

    stem: str
    figure: DrawnFigure | None = None
    figure_files: tuple[str, ...] = ()
    table_files: dict[str, str] | None = None
    attachment_files: dict[str, str] | None = None
    structures: tuple[Structure, ...] = ()
    problems: tuple[str, ...] = ()

    def files(self) -> dict[str, object]:
        """Return the addresses, for results.json."""
        return {
            "figures": self.figure_files,
            "tables": self.table_files or {},
            "attachments": self.attachment_files or {},
        }


def make_parts(job: JobOutcome, names: Names, folder: Path, kept: Kept) -> Parts:
    """Write the files of one job below `folder` and return what was made.

    Parameters
    ----------
    job
        The job; one that failed has no files.
    names
        Gives the job a name that no other has.
    folder
        Of the report; ``figures``, ``tables`` and ``attachments`` are in it.
    kept
        What was drawn for an earlier report.
    """
    stem = names.unique(f"{job.name} {job.electrode}")
    if job.result is None:
        return Parts(stem)
    problems: list[str] = []
    figure = _figure(job.result, stem, kept, problems)
    figure_files: tuple[str, ...] = ()
    if figure is not None:
        figure_files = tuple(f"figures/{name}" for name in figure.save(folder / "figures", stem))
    table_files = {}
    own = Names()
    for name, table in job.result.tables.items():
        file = f"tables/{stem}--{own.unique(name)}.csv"
        write_csv(table, folder / file)
        table_files[name] = file
    attachment_files, structures = _attachments(job.result, stem, folder, problems)
    return Parts(stem, figure, figure_files, table_files, attachment_files, structures, tuple(problems))


def _figure(result: Result, stem: str, kept: Kept, problems: list[str]) -> DrawnFigure | None:
    if result.drawer is None:
        return None
    name = key(result)
    figure = kept.find(name)
    if figure is None:
        try:
            figure = draw(result)
        except Exception as error:  # noqa: BLE001 a drawing may come from a third party; the numbers must not be lost with it
            problems.append(f"The figure could not be drawn: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
            return None
    if figure is not None:
        kept.note(name, stem, figure)
    return figure


def _attachments(
    result: Result, stem: str, folder: Path, problems: list[str]
) -> tuple[dict[str, str], tuple[Structure, ...]]:
    files: dict[str, str] = {}
    structures: list[Structure] = []
    surfaces: dict[str, tuple[Surface, ...]] = {}
    own = Names()
    for name, text in result.attachments.items():
        base, dot, ending = name.rpartition(".")
        file = f"attachments/{stem}--{own.unique(base if dot else name)}.{file_stem(ending, 10) if dot else 'txt'}"
        (folder / file).write_text(text, encoding="utf-8", newline="\n")
        files[name] = file
        if name.lower().endswith(_XYZ):
            try:
                structures += [one.centred() for one in read_xyz(text, base)]
            except InputError as error:
                problems.append(f"A structure cannot be shown: {error}")
        elif name.lower().endswith(SURFACES):
            try:
                surfaces |= read_surfaces(text, name)
            except InputError as error:
                problems.append(f"Surfaces cannot be shown: {error}")
    return files, tuple(replace(one, surfaces=surfaces.get(one.name, ())) for one in structures)
