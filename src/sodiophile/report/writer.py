"""A report as a folder: written beside its place and put there at the end, so that no one ever finds half of one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from sodiophile.errors import InputError
from sodiophile.report.kept import Kept
from sodiophile.report.page import render
from sodiophile.report.parts import make_parts
from sodiophile.report.tables import (
    FORMAT,
    as_json,
    comparisons_table,
    coverage_table,
    quantities_table,
    write_csv,
)
from sodiophile.report.text import Names
from sodiophile.study.outcome import Outcome

_FOLDERS = ("figures", "tables", "attachments")
_OURS = frozenset({"report.html", "results.json", *_FOLDERS})


def write(outcome: Outcome, out: Path) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    outcome
        What the study found.
    out
        The folder of the report: new, empty, or holding an earlier report, which is replaced as a whole; other files that
        somebody put beside that one stay.

    Returns
    -------
    pathlib.Path
        Of ``report.html``. Beside it are ``results.json``, ``tables/*.csv``, ``figures/*`` (SVG, PDF, PNG) and
        ``attachments/*``.

    Raises
    ------
    InputError
        If `out` holds something else than a report, or cannot be written.
    """
    out = Path(out).resolve()
    check_place(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.unfinished-", dir=out.parent))
    except OSError as error:
        raise InputError(f"the report cannot be written there: {error.strerror or error}", out) from None
    try:
        _fill(outcome, fresh, Kept(out / "figures"))
        _put_in_place(fresh, out)
    except OSError as error:
        raise InputError(f"the report cannot be written there: {error.strerror or error}", out) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return out / "report.html"


def check_place(out: Path) -> None:
    """Refuse a folder that no report can be written to, before anything is computed for it.

    Raises
    ------
    InputError
        If it is a file, holds other things than a report, or cannot be made.
    """
    above = next((one for one in (out, *out.absolute().parents) if one.exists()), out)
    if not os.access(above, os.W_OK):
        raise InputError(f"the report cannot be written there: {above} is not writable", out)
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError("is a file, expected a folder for the report", out)
    if any(out.iterdir()) and not _is_report(out):
        raise InputError("holds other files and no report; name a new or empty folder for the report", out)


def _is_report(folder: Path) -> bool:
    try:
        found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


def _fill(outcome: Outcome, folder: Path, kept: Kept) -> None:
    for name in _FOLDERS:
        (folder / name).mkdir()
    names = Names()
    parts = [make_parts(job, names, folder, kept) for job in outcome.jobs]
    kept.write(folder / "figures")
    for name, table in (
        ("quantities", quantities_table(outcome.jobs)),
        ("comparisons", comparisons_table(outcome.comparisons)),
        ("coverage", coverage_table(outcome.coverage)),
    ):
        write_csv(table, folder / "tables" / f"{name}.csv")
    (folder / "results.json").write_text(as_json(outcome, [one.files() for one in parts]), encoding="utf-8", newline="\n")
    (folder / "report.html").write_text(render(outcome, parts), encoding="utf-8", newline="\n")


def _put_in_place(fresh: Path, out: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    fresh.chmod(0o777 & ~mask)  # mkdtemp makes folders that only their owner may read
    if not out.exists():
        fresh.rename(out)
        return
    for entry in out.iterdir():
        if entry.name not in _OURS:
            entry.rename(fresh / entry.name)
    former = fresh.with_name(fresh.name.replace("unfinished", "former"))
    out.rename(former)
    try:
        fresh.rename(out)
    except OSError:
        former.rename(out)
        raise
    shutil.rmtree(former, ignore_errors=True)
