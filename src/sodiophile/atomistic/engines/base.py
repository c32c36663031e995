"""What an engine is: a name, an identity that enters every key, an ASE calculator, and what is known of its error."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.resources import files
from pathlib import Path
from typing import Any

from sodiophile.errors import EngineError, MissingExtraError

_RECORDED: ContextVar[Mapping[str, Mapping[str, Any]]] = ContextVar("_RECORDED", default={})  # noqa: B039  never changed
# of mallopt(3)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What is known of the error of an engine's adsorption energies against DFT.

    Parameters
    ----------
    error_eV
        Size of the error found, taken as the standard uncertainty of every energy; None where none was measured.
    system
        What it was measured on.
    against
        The reference method.
    source
        Who measured it.
    """

    error_eV: float | None = None
    system: str = ""
    against: str = ""
    source: str = ""

    def sentence(self, name: str) -> str:
        """Say in one sentence what is known."""
        if self.error_eV is None:
            return f"the error of {name} against DFT has not been measured"
        return (
            f"{name} is off by about {self.error_eV:g} eV against {self.against} for {self.system} ({self.source}); "
            "for other systems an error of the same size is assumed, of either sign"
        )


@dataclass(frozen=True)
class Engine:
    """Something that gives energies and forces through an ASE calculator.

    Parameters
    ----------
    name
        As users write it.
    summary
        What it is, in a few words.
    package
        The import package that it needs.
    extra
        The extra of sodiophile that installs that package; empty if none does.
    make
        Makes the ASE calculator; the only place where the package is imported.
    weights
        Path of the weights inside the package, or empty; their SHA-256 is part of the identity.
    settings
        Whatever else decides an energy; JSON-ready, part of the identity.
    fingerprint
        Reads more of the identity from installed files, such as the SHA-256 of data sets; None if there is no more.
    aliases
        Other names.
    is_dft
        Whether it solves the electronic structure; every result of one that does not says so.
    seconds_per_atom
        Rough cost of one energy with forces on one core, for the time left.
    """

    name: str
    summary: str
    package: str
    extra: str
    make: Callable[[], Any]
    weights: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: Callable[[], Mapping[str, Any]] | None = None
    aliases: tuple[str, ...] = ()
    is_dft: bool = False
    seconds_per_atom: float = 0.001

    @property
    def installed(self) -> bool:
        """Whether its package is there; it is not imported."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def accuracy(self) -> Accuracy:
        """What is known of its error against DFT."""
        return _accuracies().get(self.name, Accuracy())

    def row(self) -> dict[str, Any]:
        """Return what ``sodiophile engines`` shows of it."""
        error = self.accuracy.error_eV
        known = "not measured" if error is None else f"about {error:g} eV ({self.accuracy.system})"
        if self.is_dft:
            known = f"is DFT; numerical error {known}"
        return {
            "engine": self.name,
            "also": ", ".join(self.aliases),
            "what": self.summary,
            "error against DFT": known,
            "extra": self.extra,
            "installed": self.installed,
        }

    def require(self) -> None:
        """Raise unless the package is installed.

        Raises
        ------
        MissingExtraError
            Naming the extra that installs it.
        """
        if not self.installed:
            if self.extra:
                raise MissingExtraError(self.extra, f"the engine {self.name!r}")
            raise EngineError(f"the engine {self.name!r} needs the package {self.package!r}, which is not installed")

    def identity(self) -> dict[str, Any]:
        """Return everything of the engine that decides an energy: package, version, SHA-256 of the weights, settings.

        It is read from the installed files; the package itself is not imported. Within `as_recorded` it is the one that
        finished work was done with, if there is one of this engine.

        Raises
        ------
        MissingExtraError
            If the package is not installed.
        """
        if (recorded := _RECORDED.get().get(self.name)) is not None:
            return dict(recorded)
        self.require()
        found: dict[str, Any] = {
            "engine": self.name,
            "package": self.package,
            "version": _version_of(self.package),
            "settings": dict(self.settings),
        }
        if self.weights:
            found["weights"] = Path(self.weights).name
            found["weights_sha256"] = sha256_of(self.weights_path())
        if self.fingerprint is not None:
            found |= self.fingerprint()
        return found

    def weights_path(self) -> Path:
        """Return where the weights lie.

        Raises
        ------
        EngineError
            If the installed package does not hold them.
        """
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations or []) if spec is not None else []:
            path = Path(folder) / self.weights
            if path.is_file():
                return path
        raise EngineError(f"the installed {self.package} does not hold the weights {self.weights!r} of {self.name!r}")

    def calculator(self) -> Any:
        """Return the ASE calculator, made once a process; torch gets one thread, since every core has its own process.

        Raises
        ------
        MissingExtraError
            If its package is not installed.
        EngineError
            If it cannot be made.
        """
        self.require()
        return _calculator(self)

    def __hash__(self) -> int:
        return hash((self.name, self.weights))


@cache
def _calculator(engine: Engine) -> Any:
    try:
        return engine.make()
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise EngineError(f"the engine {engine.name!r} cannot be started: {type(error).__name__}: {error}") from error


@contextmanager
def as_recorded(identities: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Plan with the engines that finished work was done with, whatever is installed here.

    Parameters
    ----------
    identities
        Name of an engine -> what `Engine.identity` returned there.
    """
    token = _RECORDED.set(identities)
    try:
        yield
    finally:
        _RECORDED.reset(token)


@contextmanager
def on_one_curve(calculator: Any, cell: Any) -> Iterator[None]:
    """Let the energies of cells that differ from `cell` by a strain lie on one smooth, converged curve.

    A calculator with a basis and k-points that depend on the cell offers the attribute ``lattice_A`` for it: while it is
    set, the k-points are those of that cell and the basis is its largest. Others are left as they are.
    """
    if not hasattr(calculator, "lattice_A"):
        yield
        return
    calculator.lattice_A = cell
    try:
        yield
    finally:
        calculator.lattice_A = None


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        names = packages_distributions().get(package)  # slow: only where the two names differ
        return version(names[0]) if names else "unknown"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; read once while the file does not change."""
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001  a changed file is another entry
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _accuracies() -> dict[str, Accuracy]:
    text = files("sodiophile.atomistic").joinpath("data/engine_errors.toml").read_text(encoding="utf-8")
    return {name: Accuracy(**entry) for name, entry in tomllib.loads(text)["engines"].items()}


def prepare_torch() -> None:
    """Give torch one thread, for the cores are filled by processes; and let the process keep the memory it frees.

    A potential allocates and frees the same large blocks at every step. Given back to the system each time, as the C
    library does with large blocks (and Dask asks it to do with all), they cost up to half of the time.
    """
    import torch

    torch.set_num_threads(1)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)
