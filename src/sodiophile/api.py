"""The verbs of the command line, in Python: read, analyze, simulate, calculate, adsorption, run, kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodiophile.errors import InputError

if TYPE_CHECKING:
    from sodiophile.records import CyclingRecord, ImpedanceRecord
    from sodiophile.result import Result
    from sodiophile.study.outcome import Outcome


def kinds() -> dict[str, list[str]]:
    """Return the kinds of experiment and of calculation that are there."""
    from sodiophile import atomistic, experiments

    return {"experiments": experiments.kinds(), "calculations": atomistic.kinds()}


def read(path: str | Path, **options: Any) -> CyclingRecord | ImpedanceRecord:
    """Read a file of an instrument.

    Parameters
    ----------
    path
        The file.
    **options
        What to tell the reader where it cannot know: ``format``, ``columns``, ``sheet``, ``channel``, ``decimal``,
        ``delimiter``, ``sign``, ``record``, ``imaginary``, ``bad_rows``, ``encoding``; see
        `sodiophile.readers.ReadOptions`.

    Raises
    ------
    InputError
        If the file is missing, damaged, or of no known format; the line says what was found and what to do.
    MissingExtraError
        If its reader needs an extra that is not installed.
    """
    from sodiophile import readers
    from sodiophile.schema import checked

    return readers.read(Path(path), checked(readers.ReadOptions, options, "read"))


def analyze(
    kind: str,
    records: CyclingRecord | ImpedanceRecord | str | Path | Sequence[CyclingRecord | ImpedanceRecord | str | Path],
    /,
    **protocol: Any,
) -> Result:
    """Analyze records of one kind of experiment.

    Parameters
    ----------
    kind
        As in ``sodiophile kinds``: "symmetric-cycling", "nucleation".
    records
        A record, a file, or several of them in the order of measurement.
    **protocol
        What the operator set, as text with units: ``area="1.13 cm^2"``.

    Raises
    ------
    InputError
        If the kind is unknown, a key of the protocol is missing or wrong, or the record does not fit.
    """
    from sodiophile import experiments
    from sodiophile.schema import checked

    chosen = experiments.experiment(kind)
    model = checked(chosen.protocol, protocol, kind)
    several = [records] if isinstance(records, str | Path) or not isinstance(records, Sequence) else list(records)
    if not several:
        raise InputError("no record given, expected at least one", kind)
    return chosen.run([read(one, record=chosen.record) if isinstance(one, str | Path) else one for one in several], model)


def simulate(
    kind: str,
    electrode: str | Path,
    /,
    *,
    seed: int = 0,
    instrument: Mapping[str, Any] | None = None,
    **protocol: Any,
) -> CyclingRecord:
    """Let a virtual instrument make the record that a cell would give.

    Parameters
    ----------
    kind
        The kind of experiment.
    electrode
        The name of a cell that ships with the package, or a TOML file that describes one.
    seed
        Of the noise; the same seed gives the same record.
    instrument
        Settings of the virtual instrument, as text with units.
    **protocol
        What the operator sets, as for `analyze`.

    Raises
    ------
    InputError
        If the kind has no virtual instrument, or a parameter is missing, wrong or unphysical.
    """
    from sodiophile import experiments
    from sodiophile.experiments.base import simulated_record
    from sodiophile.physics.cell import load_cell

    if seed < 0:
        raise InputError(f"found {seed}, expected a whole number, 0 or larger", "seed")
    return simulated_record(experiments.experiment(kind), load_cell(electrode), protocol, instrument or {}, seed)


def calculate(
    kind: str,
    structure: str | Path,
    /,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    **inputs: Any,
) -> Result:
    """Do a calculation of any kind on a crystal.

    Parameters
    ----------
    kind
        As in ``sodiophile kinds``: "adsorption".
    structure
        A crystal structure file (CIF, POSCAR, extended XYZ), or the symbol of a metal.
    workers
        Processes to use; one a core by default.
    scheduler
        The address of a Dask scheduler to use instead.
    fresh
        Compute again what the store holds.
    **inputs
        What the kind takes, as text with units: ``engine="7net"``; see ``sodiophile calculate KIND --help``.

    Raises
    ------
    InputError
        If the kind is unknown, or an input is missing or wrong.
    EngineError, MissingExtraError
        If the engine is unknown, or its extra not installed.
    """
    from sodiophile import atomistic
    from sodiophile.atomistic.engines import needs_trust, trust
    from sodiophile.result import Result
    from sodiophile.schema import checked
    from sodiophile.study.execute import compute

    if needs_trust(str(inputs.get("engine", ""))):
        # whoever calls this has typed it; a study never comes through here
        trust(str(inputs["engine"]))
    chosen = atomistic.calculation(kind)
    model = checked(chosen.inputs, {"structure": str(structure), **inputs}, kind)
    folder = compute(chosen.plan(model), workers=workers, scheduler=scheduler, fresh=fresh)
    return Result.load(folder, drawer=chosen.draw)


def adsorption(structure: str | Path, /, *, workers: int | None = None, fresh: bool = False, **inputs: Any) -> Result:
    """Compute how strongly an atom binds to each site of a surface.

    Parameters
    ----------
    structure, workers, fresh
        As for `calculate`.
    **inputs
        ``facet="001"``, ``adsorbate="Na"``, ``engine="7net"`` and more; see ``sodiophile adsorption --help``.

    Raises
    ------
    InputError
        If an input is missing or wrong.
    EngineError, MissingExtraError
        If the engine is unknown, or its extra not installed.
    """
    return calculate("adsorption", structure, workers=workers, fresh=fresh, **inputs)


def screen(
    candidates: Sequence[str | Path], /, *, workers: int | None = None, fresh: bool = False, **inputs: Any
) -> Result:
    """Rank candidates for an interlayer by how strongly they bind the metal.

    Parameters
    ----------
    candidates
        Crystal structure files, or symbols of metals.
    workers, fresh
        As for `adsorption`.
    **inputs
        What every calculation shares: ``facet="001"``, ``adsorbate="Na"``, ``engine="7net"`` and more.

    Raises
    ------
    InputError
        If no candidate is given, or none could be computed.
    """
    from sodiophile.study.screen import screen as screen_all

    return screen_all(candidates, inputs, workers=workers, fresh=fresh)


def run(
    study: str | Path,
    *,
    out: str | Path | None = None,
    only: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
) -> Outcome:
    """Run a study.

    Parameters
    ----------
    study
        The TOML file, or the folder with a ``study.toml``.
    out
        Where the report goes; ``results`` beside the study by default. No report is written if it is ``"-"``.
    only
        The name of the one experiment or calculation to run.
    workers
        Processes to use; one a core by default.
    scheduler
        The address of a Dask scheduler to use instead.
    fresh
        Compute again what the store holds.

    Raises
    ------
    InputError
        If the study is at fault; the line names the key.
    """
    from sodiophile import report
    from sodiophile.study.run import report_folder
    from sodiophile.study.run import run as run_study

    outcome = run_study(Path(study), only=only, workers=workers, scheduler=scheduler, fresh=fresh)
    if str(out) != "-":
        report.write(outcome, report_folder(Path(study)) if out is None else Path(out))
    return outcome
