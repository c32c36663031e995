"""From the text of a study file to jobs whose every key, name and file has been checked, before anything runs."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, TypeVar

from sodiophile.errors import InputError, MissingExtraError, importing
from sodiophile.schema import Model, checked, file_fields, file_names, one_a_line
from sodiophile.study import schema
from sodiophile.study.calibration import KIND as CALIBRATION
from sodiophile.study.calibration import Derivation, resolve
from sodiophile.study.literature import published
from sodiophile.study.ordering import KIND as ORDERING
from sodiophile.study.ordering import resolve as resolve_ordering
from sodiophile.study.schema import Coverage, Electrode, Reported, StudyFile, What
from sodiophile.study.volts import KIND as ATOMS_TO_VOLTS
from sodiophile.study.volts import resolve as resolve_volts

if TYPE_CHECKING:
    from sodiophile.readers import ReadOptions

STUDY_NAME = "study.toml"
LARGEST_STUDY_BYTES = 1_000_000

_POSITION = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$")
_AT_END = re.compile(r"^(.*) \(at end of document\)$")


@dataclass(frozen=True)
class Job:
    """One experiment or calculation on one electrode.

    Parameters
    ----------
    name, what, kind, electrode
        As named in the study.
    table
        Where it stands in the file: ``experiments[2]``.
    model
        The checked protocol of an experiment, the checked inputs of a calculation; None where `missing` says why.
    files, read
        The files of a measured experiment, and what to tell their reader.
    cell, instrument, seed
        The cell of a simulated experiment, by file or shipped name, the checked settings of its virtual instrument, and
        the seed of its noise.
    missing
        The extra without which this job cannot run.
    derivation
        What a job needs that rests on others: a calibration.
    """

    name: str
    what: What
    kind: str
    electrode: str
    table: str
    model: Model | None
    files: tuple[Path, ...] = ()
    read: ReadOptions | None = None
    cell: str | Path | None = None
    instrument: Model | None = None
    seed: int = 0
    missing: MissingExtraError | None = None
    derivation: Derivation | None = None

    @property
    def simulated(self) -> bool:
        """True if a virtual instrument makes the record."""
        return self.cell is not None

    @property
    def title(self) -> str:
        """Name and electrode, as in the report."""
        return f"{self.name}: {self.electrode}"


@dataclass(frozen=True)
class Study:
    """A study whose keys, names and files have been checked.

    Parameters
    ----------
    path, folder
        The file, and the folder that its paths are relative to.
    text
        The file as read.
    file
        Its tables, checked.
    jobs
        One for each experiment or calculation and electrode, in the order of the file.
    files
        Every file that the study names, by the name used there.
    """

    path: Path
    folder: Path
    text: str
    file: StudyFile
    jobs: tuple[Job, ...]
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of all experiments and calculations, in the order of the file."""
        return list(dict.fromkeys(job.name for job in self.jobs))


def study_path(path: str | Path) -> Path:
    """Return the study file that `path` means: itself, or ``study.toml`` in it.

    Raises
    ------
    InputError
        If there is none.
    """
    given = Path(path)
    if given.is_dir():
        if not (given / STUDY_NAME).is_file():
            raise InputError(f"the folder holds no {STUDY_NAME}; 'sodiophile new DIR' writes one to fill in", given)
        return given / STUDY_NAME
    if not given.exists():
        raise InputError("no such study; expected a TOML file, or a folder that holds a study.toml", given)
    if not given.is_file():
        raise InputError("is neither a file nor a folder; expected a TOML file, or a folder that holds a study.toml", given)
    return given


def load_study(path: str | Path) -> Study:
    """Read and check a study.

    Parameters
    ----------
    path
        The TOML file, or the folder that holds a ``study.toml``.

    Raises
    ------
    InputError
        One line about the first fault: the file, the key, what was found, what was expected.
    """
    file = study_path(path)
    text = _text(file)
    tables = _toml(text, file)
    return _Checker(file, text, checked(StudyFile, tables, file)).study()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_STUDY_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path) from None
    if len(content) > LARGEST_STUDY_BYTES:
        raise InputError(f"larger than {LARGEST_STUDY_BYTES // 1000} kB, which no study is; expected a TOML file", path)
    try:
        # editors on Windows put a mark in front that TOML does not know
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"line {line}: found a byte that is not UTF-8; save the file as UTF-8", path) from None


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError("nested too deeply, which no study is; expected a TOML file", path) from None
    except ValueError as error:
        message, at = str(error), ""
        if not isinstance(error, tomllib.TOMLDecodeError):  # Python refuses to read integers of thousands of digits
            message = "a number has too many digits"
        if match := _POSITION.match(message):
            message, at = match[1], f"line {match[2]}, column {match[3]}: "
        elif match := _AT_END.match(message):
            message, at = match[1], "at the end: "
        message = message[:1].lower() + message[1:]
        raise InputError(f"{at}not TOML: {message}; text, and numbers with a unit, stand in quotes", path) from None


T = TypeVar("T")


def nearest(name: str, known: Iterable[str], what: str) -> str:
    """Return the end of a message about an unknown name: the nearest known one, or all of them."""
    several = sorted(known)
    near = difflib.get_close_matches(name, several, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there {'are' if several else 'is'} {', '.join(several) or f'no {what}'}"


class _Checker:
    """Follows the names and files of one study."""

    def __init__(self, path: Path, text: str, file: StudyFile) -> None:
        self.path, self.text, self.content = path, text, file
        self.folder = path.parent
        self.root = path.parent.resolve()
        self.files: dict[str, Path] = {}

    def fault(self, key: str, message: str) -> InputError:
        """Return the error for a key."""
        return InputError(message, f"{self.path}: {key}")

    def study(self) -> Study:
        """Check everything and return the study."""
        for name, electrode in self.content.electrodes.items():
            self._electrode(f"electrodes.{name}", electrode)
        jobs: list[Job] = []
        taken: dict[str, str] = {}
        for at, experiment in enumerate(self.content.experiments, start=1):
            self._unique(taken, experiment.name, f"experiments[{at}]")
            jobs.extend(self._experiment(f"experiments[{at}]", experiment))
        for at, calculation in enumerate(self.content.calculations, start=1):
            self._unique(taken, calculation.name or calculation.kind, f"calculations[{at}]")
            jobs.extend(self._calculation(f"calculations[{at}]", calculation))
        for at, comparison in enumerate(self.content.comparisons, start=1):
            self._unique(taken, comparison.name, f"comparisons[{at}]")
            self._comparison(f"comparisons[{at}]", comparison)
        for at, calibration in enumerate(self.content.calibrations, start=1):
            self._unique(taken, calibration.name, f"calibrations[{at}]")
            jobs.extend(self._derived(f"calibrations[{at}]", calibration, jobs))
        for at, prediction in enumerate(self.content.predictions, start=1):
            self._unique(taken, prediction.name, f"predictions[{at}]")
            jobs.extend(self._derived(f"predictions[{at}]", prediction, jobs))
        for at, question in enumerate(self.content.orderings, start=1):
            self._unique(taken, question.name, f"orderings[{at}]")
            jobs.append(self._ordering(f"orderings[{at}]", question, jobs))
        for at, value in enumerate(self.content.reported, start=1):
            self._reported(f"reported[{at}]", value, jobs)
        self._coverage(self.content.coverage, taken)
        return Study(self.path, self.folder, self.text, self.content, tuple(jobs), dict(self.files))

    def _unique(self, taken: dict[str, str], name: str, table: str) -> None:
        if name in taken:
            raise self.fault(
                f"{table}.name", f"found {name!r}, which {taken[name]} has already; expected a name of its own"
            )
        taken[name] = table

    def _file(self, key: str, name: str) -> Path:
        """Return the path of a file that the study names, which must lie in the study's folder."""
        advice = "name it relative to the study file, in its folder or below"
        if "\0" in name or not name.strip():
            raise self.fault(key, f"found {name!r}, expected the name of a file")
        if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or PureWindowsPath(name).root:
            raise self.fault(key, f"found the absolute path {name!r}; {advice}")
        path = self.folder / name
        try:
            inside = path.resolve().is_relative_to(self.root)
        except (OSError, RuntimeError) as error:
            raise self.fault(key, f"found {name!r}, which cannot be followed: {error}") from None
        if not inside:
            raise self.fault(key, f"found {name!r}, which leads out of the study's folder; {advice}")
        if not path.is_file():
            beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
            near = difflib.get_close_matches(path.name, beside, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f" in {path.parent}"
            raise self.fault(key, f"found {name!r}, but there is no such file{hint}")
        self.files[name] = path
        return path

    def _electrode(self, key: str, electrode: Electrode) -> None:
        if electrode.structure is not None:
            self._file(f"{key}.structure", electrode.structure)
        if electrode.interlayer is not None and electrode.interlayer.structure is not None:
            self._file(f"{key}.interlayer.structure", electrode.interlayer.structure)

    def _electrodes(self, key: str, names: Sequence[str]) -> list[str]:
        for name in names:
            if name not in self.content.electrodes:
                raise self.fault(
                    key, f"found {name!r}, which is no electrode; {nearest(name, self.content.electrodes, 'electrode')}"
                )
        if len(set(names)) < len(names):
            raise self.fault(key, f"names an electrode twice: {', '.join(names)}")
        return list(names)

    def _experiment(self, table: str, entry: schema.Experiment) -> list[Job]:
        from sodiophile import atomistic, experiments

        if entry.kind not in experiments.kinds() and entry.kind in atomistic.kinds():
            raise self.fault(f"{table}.kind", f"{entry.kind!r} is a calculation; write it as [[calculations]]")
        try:
            kind = experiments.experiment(entry.kind)
        except InputError as error:
            raise error.within(f"{self.path}: {table}.kind") from None
        names = self._electrodes(f"{table}.electrodes", entry.electrodes or list(entry.files or self.content.electrodes))
        jobs = []
        for name in names:
            electrode = self.content.electrodes[name]
            given = dict(entry.model_extra or {})
            if electrode.area_cm2 is not None and "area" not in given:
                given["area"] = f"{electrode.area_cm2!r} cm^2"
            given |= self._like_electrodes(table, entry, kind.protocol)
            protocol = checked(kind.protocol, given, self.path, table, list(schema.Experiment.model_fields))
            job = Job(entry.name, "experiment", entry.kind, name, table, protocol)
            jobs.append(self._measured(job, entry) if entry.simulate is None else self._simulated(job, entry, kind))
        stray = [name for name in entry.files or () if name not in names]
        if stray:
            raise self.fault(
                f"{table}.files", f"found files of {stray[0]!r}, which is not among its electrodes {', '.join(names)}"
            )
        return jobs

    def _like_electrodes(self, table: str, entry: schema.Experiment, protocol: type[Model]) -> dict[str, int]:
        """Return what the protocol calls electrodes, a word that means the study's own here."""
        field = protocol.model_fields.get("electrodes")
        if field is None and entry.like_electrodes is not None:
            raise self.fault(f"{table}.like_electrodes", f"unknown to {entry.kind!r}, expected to be left out")
        if field is not None and field.is_required() and entry.like_electrodes is None:
            raise self.fault(f"{table}.like_electrodes", f"missing; expected {field.description}")
        return {} if entry.like_electrodes is None else {"electrodes": entry.like_electrodes}

    def _measured(self, job: Job, entry: schema.Experiment) -> Job:
        from sodiophile.readers import ReadOptions

        assert entry.files is not None  # noqa: S101  the schema asks for files or simulate
        if job.electrode not in entry.files:
            raise self.fault(f"{job.table}.files", f"names no file of the electrode {job.electrode!r}")
        paths = tuple(self._file(f"{job.table}.files.{job.electrode}", name) for name in entry.files[job.electrode])
        read = checked(ReadOptions, entry.read, self.path, f"{job.table}.read")
        return replace(job, files=paths, read=read)

    def _simulated(self, job: Job, entry: schema.Experiment, kind: Any) -> Job:
        if kind.simulate is None or kind.instrument is None:
            raise self.fault(f"{job.table}.simulate", f"{job.kind!r} has no virtual instrument; give files instead")
        settings = dict(entry.simulate or {})
        seed = settings.pop("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise self.fault(f"{job.table}.simulate.seed", f"found {seed!r}, expected a whole number, 0 or larger")
        cell = self._cell(job.table, job.electrode)
        instrument = checked(kind.instrument, settings, self.path, f"{job.table}.simulate", ["seed"])
        return replace(job, cell=cell, instrument=instrument, seed=seed)

    def _calculation(self, table: str, entry: schema.Calculation) -> list[Job]:
        from sodiophile import atomistic, experiments

        if entry.kind not in atomistic.kinds() and entry.kind in experiments.kinds():
            raise self.fault(f"{table}.kind", f"{entry.kind!r} is an experiment; write it as [[experiments]]")
        names = self._electrodes(f"{table}.electrodes", entry.electrodes or list(self.content.electrodes))
        missing: MissingExtraError | None = None
        try:
            with importing("atomistic", f"the calculation {entry.kind!r}"):
                kind = atomistic.calculation(entry.kind)
        except InputError as error:
            raise error.within(f"{self.path}: {table}.kind") from None
        except MissingExtraError as error:
            missing = error
        jobs = []
        for name in names:
            inputs = None
            if missing is None:
                given = self._inputs(table, dict(entry.model_extra or {}), name, kind.inputs)
                inputs = checked(kind.inputs, given, self.path, table, list(schema.Calculation.model_fields))
            jobs.append(
                Job(entry.name or entry.kind, "calculation", entry.kind, name, table, model=inputs, missing=missing)
            )
        return jobs

    def _inputs(self, table: str, given: dict[str, Any], electrode: str, model: type[Model]) -> dict[str, Any]:
        """Return what the entry says, with structure and adsorbate from the electrode where it says neither."""
        facts = self.content.electrodes[electrode]
        keys = {entry.alias or name for name, entry in model.model_fields.items()}
        for key in keys & {"adsorbate", "metal"}:
            given.setdefault(key, facts.metal)
        for key in file_fields(model):
            if key in given:
                given[key] = self._files(f"{table}.{key}", given[key])
        if "structure" not in keys:
            return given
        if isinstance(given.get("structure"), str):
            named = given["structure"]
            symbol = re.fullmatch(r"[A-Z][a-z]?", named) and not (self.folder / named).exists()
            given["structure"] = named if symbol else str(self._file(f"{table}.structure", named))
        elif "structure" not in given:
            surface = facts.interlayer.structure if facts.interlayer is not None else facts.structure
            if facts.interlayer is not None and surface is None:
                raise self.fault(
                    f"electrodes.{electrode}.interlayer.structure", f"missing; {table} needs the crystal structure"
                )
            given["structure"] = facts.metal if surface is None else str(self.folder / surface)
        return given

    def _derived(self, table: str, entry: schema.Calibration | schema.AtomsToVolts, jobs: Sequence[Job]) -> list[Job]:
        names = self._electrodes(f"{table}.electrodes", entry.electrodes or list(self.content.electrodes))
        found: list[Job] = []
        what: What
        for name in names:
            own = entry.cell if isinstance(entry, schema.AtomsToVolts) else None
            cell = self._cell(table, name, own)
            try:
                if isinstance(entry, schema.Calibration):
                    what, kind = "calibration", CALIBRATION
                    derivation = resolve(entry, name, cell, jobs, self.content.reported)
                else:
                    what, kind = "prediction", ATOMS_TO_VOLTS
                    derivation = resolve_volts(entry, name, cell, jobs, self.content.reported)
            except InputError as error:
                raise error.within(f"{self.path}: {table}") from None
            found.append(Job(entry.name, what, kind, name, table, entry, cell=cell, derivation=derivation))
        return found

    def _cell(self, table: str, electrode: str, own: str | None = None) -> str | Path:
        """Return the cell of an electrode, or one that the table names: a file, or the name of one that ships."""
        from sodiophile.physics.cell import load_cell

        facts = self.content.electrodes[electrode]
        named, key = facts.cell, f"electrodes.{electrode}.cell"
        if own is not None:
            named, key = own, f"{table}.cell"
        if named is None:
            raise self.fault(key, f"missing; {table} simulates this electrode and needs the parameters of its cell")
        place = self._file(key, named) if named.endswith(".toml") else named
        try:
            cell = load_cell(place)
        except InputError as error:
            raise error.within(f"{self.path}: {key}") from None
        if cell.metal != facts.metal:
            raise self.fault(
                key, f"found a cell of {cell.metal}, expected one of {facts.metal}, the metal of the electrode"
            )
        return place

    def _ordering(self, table: str, entry: schema.Ordering, jobs: Sequence[Job]) -> Job:
        first, second = self._electrodes(f"{table}.electrodes", entry.electrodes)
        cells = self._cell(table, first), self._cell(table, second)
        try:
            derivation = resolve_ordering(entry, *cells, jobs)
        except InputError as error:
            raise error.within(f"{self.path}: {table}") from None
        return Job(entry.name, "prediction", ORDERING, first, table, entry, cell=cells[0], derivation=derivation)

    def _files(self, key: str, named: object) -> str:
        """Return files that one key names, separated by commas or as a list, as paths, one a line."""
        names = file_names(named) if isinstance(named, str) else named
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.fault(key, f"found {named!r}, expected names of files")
        return one_a_line(str(self._file(key, name)) for name in names)

    def _comparison(self, table: str, entry: schema.LifespanComparison) -> None:
        known = [experiment.name for experiment in self.content.experiments]
        for name in entry.experiments:
            if name not in known:
                hint = nearest(name, known, "experiment")
                raise self.fault(f"{table}.experiments", f"found {name!r}, which is no experiment of this study; {hint}")
        if entry.published is not None:
            published(self._file(f"{table}.published", entry.published))

    def _reported(self, table: str, value: Reported, jobs: Sequence[Job]) -> None:
        if value.electrode is not None:
            self._electrodes(f"{table}.electrode", [value.electrode])
        if value.row is not None and self.content.coverage and value.row not in {row.row for row in self.content.coverage}:
            raise self.fault(f"{table}.row", f"found {value.row}, which no [[coverage]] has")
        if value.subject is None:
            return
        what = "experiment" if value.experiment is not None else "calculation"
        names = {job.name for job in jobs if job.what == what}
        if value.subject not in names:
            hint = nearest(value.subject, names, what)
            raise self.fault(f"{table}.{what}", f"found {value.subject!r}, which is no {what} of this study; {hint}")
        electrodes = [job.electrode for job in jobs if job.name == value.subject]
        if value.electrode is None and len(electrodes) > 1:
            raise self.fault(f"{table}.electrode", f"missing; expected one of {', '.join(electrodes)}")
        if value.electrode is not None and value.electrode not in electrodes:
            raise self.fault(
                f"{table}.electrode", f"found {value.electrode!r}, but {value.subject!r} has {', '.join(electrodes)}"
            )

    def _coverage(self, rows: Sequence[Coverage], names: Mapping[str, str]) -> None:
        seen: set[int] = set()
        for at, row in enumerate(rows, start=1):
            if row.row in seen:
                raise self.fault(f"coverage[{at}].row", f"found {row.row}, which another row has already")
            seen.add(row.row)
            for name in row.by:
                if name not in names:
                    hint = nearest(name, names, "experiment or calculation")
                    raise self.fault(f"coverage[{at}].by", f"found {name!r}, which is not in this study; {hint}")
