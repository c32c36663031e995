"""Runs of a simulator, each kept in a file, and the values that they are held against.

A killed calibration finds its runs again and ends with the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import SodiophileError
from sodiophile.quantity import Bound

Array = NDArray[np.float64]
Simulator = Callable[[Array], Array]
"""Standard normal u, shape (d,) -> all outputs, shape (m,); raises a `SodiophileError` where it has none."""


@dataclass(frozen=True, slots=True)
class Datum:
    """A value that is calibrated to.

    Parameters
    ----------
    output
        Which output of the simulator it is a value of.
    value, sigma
        In the unit of the output; sigma is the standard deviation of measurement and model together, above 0.
    bound
        ``lower`` or ``upper`` where the value only bounds the truth.
    """

    output: int
    value: float
    sigma: float
    bound: Bound | None = None


def log_likelihood(y: Array, data: Sequence[Datum], error: Array | None = None) -> Array:
    """Return the logarithm of the likelihood of outputs `y`, (k, m) -> (k,); `error` widens each output by its own."""
    from scipy.special import log_ndtr

    total = np.zeros(len(y))
    for datum in data:
        sigma = np.full(len(y), datum.sigma) if error is None else np.hypot(datum.sigma, error[:, datum.output])
        beyond = (y[:, datum.output] - datum.value) / sigma
        if datum.bound is None:
            total += -0.5 * beyond**2 - np.log(sigma / datum.sigma)
        else:
            total += log_ndtr(beyond if datum.bound == "lower" else -beyond)
    return total


class Runs:
    """All runs of the simulator so far, in memory and in a file that outlives a killed process.

    Parameters
    ----------
    simulator
        The simulator.
    path
        The file, one JSON object a line: ``u`` and ``y``, or ``u`` and ``failed``. A last line cut short is dropped.
    """

    def __init__(self, simulator: Simulator, path: Path | None = None) -> None:
        self._simulator, self._path = simulator, path
        self.u: list[Array] = []
        self.y: list[Array | None] = []
        self.reasons: list[str] = []
        self._known: dict[tuple[float, ...], int] = {}
        # what a killed process left; it counts once it is asked for, so that everything happens in the same order again
        self._left: dict[tuple[float, ...], tuple[Array | None, str]] = {}
        if path is not None and path.exists():
            kept = []
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    y = None if "failed" in entry else np.array(entry["y"], dtype=float)
                    self._left[tuple(float(x) for x in entry["u"])] = (y, str(entry.get("failed", "")))
                except (ValueError, KeyError, TypeError):
                    break
                kept.append(line)
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def _add(self, key: tuple[float, ...], y: Array | None, reason: str) -> None:
        self._known[key] = len(self.u)
        self.u.append(np.array(key))
        self.y.append(y)
        if y is None:
            self.reasons.append(reason)

    def __call__(self, u: Array) -> Array | None:
        """Return the outputs at `u`, shape (m,); None where the simulator fails."""
        key = tuple(float(x) for x in u)
        if key in self._known:
            return self.y[self._known[key]]
        if key in self._left:
            self._add(key, *self._left[key])
            return self.y[-1]
        y, reason = None, ""
        try:
            y = np.asarray(self._simulator(u), dtype=float)
            if not np.all(np.isfinite(y)):
                y, reason = None, "an output is not finite"
        except SodiophileError as error:
            reason = str(error)
        self._add(key, y, reason)
        if self._path is not None:
            entry = {"u": list(key), **({"failed": reason} if y is None else {"y": [float(x) for x in y]})}
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")
        return y

    def adopt(self, u: Array, y: Sequence[Array | None], reasons: Sequence[str]) -> None:
        """Take in runs made elsewhere."""
        left = iter(reasons)
        for point, outputs in zip(u, y, strict=True):
            reason = next(left) if outputs is None else ""
            self._add(tuple(float(x) for x in point), outputs, reason)

    @property
    def good(self) -> tuple[Array, Array]:
        """Points and outputs of all runs that did not fail, shapes (n, d) and (n, m)."""
        pairs = [(u, y) for u, y in zip(self.u, self.y, strict=True) if y is not None]
        if not pairs:
            return np.empty((0, 0)), np.empty((0, 0))
        return np.array([u for u, _ in pairs]), np.array([y for _, y in pairs])

    def fails(self, u: Array) -> NDArray[np.bool_]:
        """Return where the nearest run failed, (k, d) -> (k,)."""
        if not self.reasons:
            return np.zeros(len(u), dtype=bool)
        points, failed = np.array(self.u), np.array([y is None for y in self.y])
        nearest = np.argmin(((u[:, None, :] - points[None, :, :]) ** 2).sum(axis=2), axis=1)
        return np.asarray(failed[nearest])
