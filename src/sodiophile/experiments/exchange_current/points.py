"""From a record to the points of its polarization curve: of a sweep, of steps of current, or of steps of potential.

Directions are counted so that plating is positive: u = s V and i = s I / A, with s the sign of the plating current.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import Trace
from sodiophile.experiments.exchange_current.protocol import ExchangeCurrentProtocol

_Array = NDArray[np.float64]
_MOST_POINTS = 800
_LEAST_POINTS = 5
_JUMP = 10.0
_LEAST_STEPS = 4
_LEAST_SAMPLES = 3
_NOISE_WINDOW = 61
_REST = 1e-3
_LEAST_NOISE = 1e-7
_LEAST_CURRENT_mA_cm2 = 1e-12
_STANDS_STILL = 0.2


@dataclass(frozen=True)
class Points:
    """A polarization curve, n points in the order of measurement.

    Parameters
    ----------
    current_mA_cm2, voltage_V
        Positive for plating, shape (n,).
    current_error_mA_cm2, voltage_error_V
        Standard errors, shape (n,).
    kind
        ``sweep``, ``current steps`` or ``potential steps``.
    drift
        Of a step: change of what was not set over its settled part, relative; the median over the steps. 0 for a sweep.
    """

    current_mA_cm2: _Array
    voltage_V: _Array
    current_error_mA_cm2: _Array
    voltage_error_V: _Array
    kind: str
    drift: float

    @property
    def both_directions(self) -> bool:
        """True if plating and stripping both reach a tenth of the largest current."""
        most = float(np.abs(self.current_mA_cm2).max())
        return bool(self.current_mA_cm2.max() > 0.1 * most and self.current_mA_cm2.min() < -0.1 * most)


def points(trace: Trace, protocol: ExchangeCurrentProtocol, where: str) -> Points:
    """Return the polarization curve of a trace.

    Raises
    ------
    InputError
        If there are fewer than five points, or no current flows.
    """
    sign = -1.0 if protocol.plating == "negative current" else 1.0
    i = sign * trace.current_A * 1e3 / protocol.area_cm2
    u = sign * trace.voltage_V
    # no ammeter spans nine decades at once: what is smaller is a zero with a rounding error
    i = np.where(np.abs(i) < 1e-9 * np.abs(i).max(initial=0.0), 0.0, i)
    if float(np.ptp(i)) < _LEAST_CURRENT_mA_cm2 or float(np.ptp(u)) == 0:
        raise InputError("current or voltage never changes; expected a sweep or steps through rest", where)
    kind = protocol.data if protocol.data != "auto" else _kind(i, u)
    # the last digit of the file bounds what can be claimed, and the span what a sum of squares can bear
    floor_i = max(_resolution(trace.current_A) * 1e3 / protocol.area_cm2 / np.sqrt(12), _LEAST_NOISE * float(np.ptp(i)))
    floor_u = max(_resolution(trace.voltage_V) / np.sqrt(12), _LEAST_NOISE * float(np.ptp(u)))
    if kind == "sweep":
        found = _sweep(i, u, floor_i, floor_u)
    else:
        found = _steps(i, u, floor_i, floor_u, protocol.settled, by_current=kind == "current steps")
    if found.current_mA_cm2.size < _LEAST_POINTS:
        raise InputError(
            f"{found.current_mA_cm2.size} points of {kind} found, expected at least {_LEAST_POINTS}; "
            "a cell cycled at one current has no polarization curve",
            where,
        )
    return found


def _kind(i: _Array, u: _Array) -> str:
    """Tell what was set: that which stands still within the steps, more so than the other."""
    by_current, by_potential = _unrest(i), _unrest(u)
    if min(by_current, by_potential) > _STANDS_STILL:
        return "sweep"
    return "current steps" if by_current <= by_potential else "potential steps"


def _begins(values: _Array) -> NDArray[np.intp]:
    """Return the rows at which a new step begins."""
    change = np.abs(np.diff(values))
    jumps = change > max(_JUMP * float(np.median(change)), 1e-3 * float(np.ptp(values)))
    return np.concatenate([[0], np.flatnonzero(jumps) + 1])


def _unrest(values: _Array) -> float:
    """Return how much the values move within steps, relative to the jumps between; infinite where there are no steps."""
    begins = _begins(values)
    lengths = np.diff(np.append(begins, values.size))
    long = lengths >= _LEAST_SAMPLES
    if long.sum() < _LEAST_STEPS or lengths[long].sum() < 0.7 * values.size:
        return float("inf")
    within = [
        np.ptp(np.sort(values[b : b + n])[n // 10 : n - n // 10]) for b, n in zip(begins[long], lengths[long], strict=True)
    ]
    levels = [float(np.median(values[b : b + n])) for b, n in zip(begins[long], lengths[long], strict=True)]
    jump = float(np.median(np.abs(np.diff(levels))))
    return float(np.median(within)) / jump if jump > 0 else float("inf")


def _steps(i: _Array, u: _Array, floor_i: float, floor_u: float, settled: float, *, by_current: bool) -> Points:
    begins = _begins(i if by_current else u)
    ends = np.append(begins[1:], i.size)
    rows: list[tuple[float, ...]] = []
    most = float(np.abs(i).max())
    for begin, end in zip(begins, ends, strict=True):
        first = end - max(int(np.ceil(settled * (end - begin))), 1)
        part_i, part_u = i[first:end], u[first:end]
        if end - begin < _LEAST_SAMPLES or abs(part_i.mean()) < _REST * most:
            continue
        n = part_i.size
        moving = part_u if by_current else part_i
        drift = abs(moving[-1] - moving[0]) / max(abs(moving.mean()), 1e-300) if n > 1 else 0.0
        errors = [
            max(float(np.std(part, ddof=1)) / np.sqrt(n) if n > 1 else 0.0, floor)
            for part, floor in ((part_i, floor_i), (part_u, floor_u))
        ]
        rows.append((float(part_i.mean()), float(part_u.mean()), *errors, drift))
    table = np.array(rows).reshape(-1, 5)
    drift = float(np.median(table[:, 4])) if rows else 0.0
    kind = "current steps" if by_current else "potential steps"
    return Points(table[:, 0], table[:, 1], table[:, 2], table[:, 3], kind, drift)


def _sweep(i: _Array, u: _Array, floor_i: float, floor_u: float) -> Points:
    size = max(int(np.ceil(i.size / _MOST_POINTS)), 1)
    count = i.size // size
    shape = (count, size)
    keep = count * size
    error_i, error_u = _noise(i, floor_i)[:keep].reshape(shape), _noise(u, floor_u)[:keep].reshape(shape)
    return Points(
        i[:keep].reshape(shape).mean(axis=1),
        u[:keep].reshape(shape).mean(axis=1),
        np.sqrt((error_i**2).mean(axis=1) / size),
        np.sqrt((error_u**2).mean(axis=1) / size),
        "sweep",
        0.0,
    )


def _noise(values: _Array, floor: float) -> _Array:
    """Return the noise of each row: of second differences, which a ramp does not have, at least `floor`."""
    if values.size < 5:
        return np.full(values.size, floor)
    second = np.abs(np.diff(values, 2))
    half = min(_NOISE_WINDOW, second.size) // 2
    padded = np.pad(second, half, mode="reflect") if half else second
    local = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
    local = np.concatenate([local[:1], local, local[-1:]]) * 1.4826 / np.sqrt(6)
    return np.asarray(np.maximum(local, floor))


def _resolution(values: _Array) -> float:
    """Return the place of the last decimal in which the values are written; 0 if there are more than nine."""
    for decimals in range(10):
        scaled = values * 10.0**decimals
        if np.all(np.abs(scaled - np.round(scaled)) < 1e-4):
            return float(10.0**-decimals)
    return 0.0
