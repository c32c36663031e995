"""Charge and energy of a trace up to any row, without an array as long as the trace.

Comes in: time, current and voltage. Goes out: the charge of either sign, int |I| dt, and int V |I| dt, both by the
trapezoid and with nothing across breaks. The charge is kept at every 16th row, the energy, which is asked for at fewer, at
every 64th; what lies between is summed when it is asked for. An array of a million rows costs more in fresh memory than
the arithmetic that fills it, and a table of half cycles asks for a few rows of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_EVERY = 16
_WIDE = 4 * _EVERY
_CHUNK = 512 * _WIDE


@dataclass(frozen=True)
class RunningIntegrals:
    """Integrals of a trace of n rows; `integrated` makes them.

    Parameters
    ----------
    time_s, current_A, voltage_V
        The trace, each of shape (n,).
    breaks
        Rows before which nothing is integrated, shape (m,).
    charge_C
        Charge at every 16th row and at the end of the last 16, shape (ceil((n - 1) / 16) + 1,) or one longer.
    energy_J
        Energy at every 64th row and at the end of the last 64, shape (ceil((n - 1) / 64) + 1,) or one longer.
    """

    time_s: np.ndarray
    current_A: np.ndarray
    voltage_V: np.ndarray
    breaks: np.ndarray
    charge_C: np.ndarray
    energy_J: np.ndarray

    @cached_property
    def passed_C(self) -> np.ndarray:
        """Charge up to each row, C, shape (n,), for those who need all rows."""
        time, current, out = self.time_s, self.current_A, np.zeros(self.time_s.size)
        for start in range(0, time.size - 1, _CHUNK):
            stop = min(start + _CHUNK, time.size - 1)
            size = np.abs(current[start : stop + 1])
            steps = time[start + 1 : stop + 1] - time[start:stop]
            steps *= size[1:] + size[:-1]
            steps *= 0.5
            steps[self.breaks[(self.breaks > start) & (self.breaks <= stop)] - start - 1] = 0.0
            steps[0] += out[start]
            np.cumsum(steps, out=out[start + 1 : stop + 1])
        return out

    def charge_at(self, rows: np.ndarray) -> np.ndarray:
        """Charge up to each of `rows`, C, of the shape of `rows`."""
        blocks, place = self._blocks(rows // _EVERY)
        if blocks is None:
            return np.asarray(self.passed_C[rows])
        return np.asarray(self._within(blocks)[place, rows % _EVERY])

    def energy_between(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Energy from each of the rows `first` to the row `last`, J, shape (k,)."""
        total = self.energy_J[last // _WIDE] - self.energy_J[first // _WIDE]
        for rows, sign in ((first, -1), (last, 1)):
            total += sign * self._part(rows)
        return np.asarray(total)

    def rows_at(self, charge_C: np.ndarray) -> np.ndarray:
        """First row by which each charge has passed, of the shape of `charge_C`; n where it never does."""
        found = np.clip(np.searchsorted(self.charge_C, charge_C) - 1, 0, self.charge_C.size - 2)
        blocks, place = self._blocks(found)
        if blocks is None:
            return np.searchsorted(self.passed_C, charge_C)
        # charge never falls from block to block, so all of them are one ordered list; it is reached in its block, or by the
        # first row of the next
        short = np.searchsorted(self._within(blocks).ravel(), charge_C) - place * _EVERY
        return np.minimum(found * _EVERY + np.clip(short, 0, _EVERY), self.time_s.size)

    def rows_near(self, charge_C: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Rows by which each charge has passed, shape (n, k), within those `first` to `last`, shape (n,).

        In a run of many rows by interpolation between every 16th, which a current that changes slowly makes true to a row;
        at its ends, and in a short run, as `rows_at`.
        """
        found = np.clip(np.searchsorted(self.charge_C, charge_C) - 1, 0, self.charge_C.size - 2)
        begins = self.charge_C[found]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (charge_C - begins) / (self.charge_C[found + 1] - begins)
        rows = found * _EVERY
        inside = (rows >= first[:, None]) & (rows + _EVERY <= last[:, None]) & (part > 0) & (part <= 1)
        inside &= (last - first >= _EVERY * charge_C.shape[1])[:, None]
        rows[inside] += np.ceil(part[inside] * _EVERY).astype(rows.dtype)
        rows[~inside] = self.rows_at(charge_C[~inside])
        return np.clip(rows, first[:, None], last[:, None])

    def _blocks(self, wanted: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """Blocks that are wanted, each once, and the place of each; None where all rows are cheaper at once."""
        if "passed_C" in self.__dict__ or 4 * wanted.size > self.time_s.size:
            return None, wanted
        marked = np.zeros(self.charge_C.size - 1, dtype=bool)
        marked[wanted] = True
        return np.flatnonzero(marked), (np.cumsum(marked) - 1)[wanted]

    def _rows(self, values: np.ndarray, blocks: np.ndarray, length: int) -> np.ndarray:
        """Values at the rows of each of the `blocks` of a length, one after the other; beyond the end the last repeats."""
        whole = values.size // length
        if not blocks.size or blocks.max() < whole:
            return values[: whole * length].reshape(-1, length).take(blocks, axis=0).ravel()
        return values[np.minimum(blocks[:, None] * length + np.arange(length), values.size - 1)].ravel()

    def _steps(self, blocks: np.ndarray, length: int) -> np.ndarray:
        """Charge between each row of the `blocks` and the next, C; from the end of a block on it means nothing."""
        # one long row: many short ones cost more in turns than in numbers
        size, time = self._rows(self.current_A, blocks, length), self._rows(self.time_s, blocks, length)
        np.abs(size, out=size)
        charge = time[1:] - time[:-1]
        charge *= size[1:] + size[:-1]
        charge *= 0.5
        if self.breaks.size:
            charge[np.isin((blocks[:, None] * length + np.arange(1, length + 1)).ravel()[:-1], self.breaks)] = 0.0
        return charge

    def _within(self, blocks: np.ndarray) -> np.ndarray:
        """Charge up to each row of the `blocks`, C, shape (blocks, 16); never falls, whatever is rounded."""
        out = np.empty((blocks.size, _EVERY))
        out.ravel()[1:] = self._steps(blocks, _EVERY)
        out[:, 0] = self.charge_C[blocks]
        np.cumsum(out, axis=1, out=out)
        return np.minimum(out, self.charge_C[blocks + 1, None], out=out)

    def _part(self, rows: np.ndarray) -> np.ndarray:
        """Energy between the last row that is a multiple of 64 and each of `rows`, J, shape (k,)."""
        out = np.empty(rows.size)
        for start in range(0, rows.size, _CHUNK // _WIDE):
            some = rows[start : start + _CHUNK // _WIDE]
            voltage = self._rows(self.voltage_V, some // _WIDE, _WIDE)
            energy = np.zeros((some.size, _WIDE))
            np.multiply(self._steps(some // _WIDE, _WIDE), voltage[1:] + voltage[:-1], out=energy.ravel()[:-1])
            energy *= np.arange(_WIDE) < (some % _WIDE)[:, None]
            out[start : start + some.size] = 0.5 * energy.sum(axis=1)
        return out


def integrated(
    time_s: np.ndarray, current_A: np.ndarray, voltage_V: np.ndarray, breaks: np.ndarray, threshold_A: float
) -> tuple[RunningIntegrals, np.ndarray]:
    """Integrate a trace, and find its runs on the way, in pieces and buffers that stay in the cache.

    Parameters
    ----------
    time_s, current_A, voltage_V
        The trace, each of shape (n,).
    breaks
        Rows before which nothing is integrated, shape (m,).
    threshold_A
        Magnitude above which current flows.

    Returns
    -------
    integrals : RunningIntegrals
    begins : ndarray
        Rows at which a run of one sign, or of no current, begins, shape (k,); the first is 0.
    """
    steps = time_s.size - 1
    charge, energy = np.zeros(steps // _EVERY + 2), np.zeros(steps // _WIDE + 2)
    passed, both, size = np.empty(_CHUNK), np.empty(_CHUNK), np.empty(_CHUNK + 1)
    ones, begins = np.ones(_EVERY), [np.zeros(1, dtype=np.int64)]
    for start in range(0, steps, _CHUNK):
        stop = min(start + _CHUNK, steps)
        count = stop - start
        narrow, wide = -(-count // _EVERY), -(-count // _WIDE)
        current = current_A[start : stop + 1]
        state = (current > threshold_A).view(np.int8) - (current < -threshold_A).view(np.int8)
        begins.append(np.flatnonzero(state[1:] != state[:-1]) + (start + 1))
        passed[count : wide * _WIDE] = both[count : wide * _WIDE] = 0.0
        np.abs(current, out=size[: count + 1])
        np.subtract(time_s[start + 1 : stop + 1], time_s[start:stop], out=passed[:count])
        np.add(size[1 : count + 1], size[:count], out=both[:count])
        passed[:count] *= both[:count]
        if breaks.size:
            passed[breaks[(breaks > start) & (breaks <= stop)] - start - 1] = 0.0
        np.add(voltage_V[start + 1 : stop + 1], voltage_V[start:stop], out=both[:count])
        # a product with ones is the fastest sum of many short rows
        pieces = passed[: narrow * _EVERY].reshape(-1, _EVERY)
        np.matmul(pieces, ones, out=charge[start // _EVERY + 1 :][:narrow])
        pieces, voltages = passed[: wide * _WIDE].reshape(-1, _WIDE), both[: wide * _WIDE].reshape(-1, _WIDE)
        np.vecdot(pieces, voltages, out=energy[start // _WIDE + 1 :][:wide])
    charge *= 0.5
    energy *= 0.25
    sums = RunningIntegrals(time_s, current_A, voltage_V, breaks, np.cumsum(charge), np.cumsum(energy))
    return sums, np.concatenate(begins)
