"""Charge and energy of a trace up to any row, without an array as long as the trace.

Comes in: time, current and voltage. Goes out: the charge of either sign, int |I| dt, and int V |I| dt, both by the
trapezoid and with nothing across breaks. The integrals are kept at every 32nd row; what lies between is summed when it is
asked for. An array of a million rows costs more in fresh memory than the arithmetic that fills it, and a table of half
cycles asks for a few rows of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_EVERY = 32
_CHUNK = 1024 * _EVERY


@dataclass(frozen=True)
class RunningIntegrals:
    """Integrals of a trace of n rows; `of` makes them.

    Parameters
    ----------
    time_s, current_A, voltage_V
        The trace, each of shape (n,).
    breaks
        Rows before which nothing is integrated, shape (m,).
    charge_C, energy_J
        The integrals at every 32nd row and at the end of the last 32, shape (ceil(n / 32) + 1,).
    """

    time_s: np.ndarray
    current_A: np.ndarray
    voltage_V: np.ndarray
    breaks: np.ndarray
    charge_C: np.ndarray
    energy_J: np.ndarray

    @classmethod
    def of(cls, time_s: np.ndarray, current_A: np.ndarray, voltage_V: np.ndarray, breaks: np.ndarray) -> RunningIntegrals:
        """Integrate a trace, in pieces and buffers that stay in the cache."""
        steps = time_s.size - 1
        charge = np.zeros(steps // _EVERY + 2)
        energy = np.zeros_like(charge)
        passed, both, size = np.empty(_CHUNK), np.empty(_CHUNK), np.empty(_CHUNK + 1)
        ones = np.ones(_EVERY)
        for start in range(0, steps, _CHUNK):
            stop = min(start + _CHUNK, steps)
            count = stop - start
            filled = -(-count // _EVERY) * _EVERY
            passed[count:filled] = both[count:filled] = 0.0
            np.abs(current_A[start : stop + 1], out=size[: count + 1])
            np.subtract(time_s[start + 1 : stop + 1], time_s[start:stop], out=passed[:count])
            np.add(size[1 : count + 1], size[:count], out=both[:count])
            passed[:count] *= both[:count]
            if breaks.size:
                passed[breaks[(breaks > start) & (breaks <= stop)] - start - 1] = 0.0
            np.add(voltage_V[start + 1 : stop + 1], voltage_V[start:stop], out=both[:count])
            pieces, voltages = passed[:filled].reshape(-1, _EVERY), both[:filled].reshape(-1, _EVERY)
            into = slice(start // _EVERY + 1, start // _EVERY + 1 + pieces.shape[0])
            # a product with ones is the fastest sum of many short rows
            np.matmul(pieces, ones, out=charge[into])
            np.vecdot(pieces, voltages, out=energy[into])
        charge *= 0.5
        energy *= 0.25
        return cls(time_s, current_A, voltage_V, breaks, np.cumsum(charge), np.cumsum(energy))

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
        total = self.energy_J[last // _EVERY] - self.energy_J[first // _EVERY]
        for rows, sign in ((first, -1), (last, 1)):
            total += sign * self._part(rows)
        return np.asarray(total)

    def rows_at(self, charge_C: np.ndarray) -> np.ndarray:
        """First row by which each charge has passed, of the shape of `charge_C`; n where it never does."""
        found = np.clip(np.searchsorted(self.charge_C, charge_C) - 1, 0, self.charge_C.size - 2)
        blocks, place = self._blocks(found)
        if blocks is None:
            return np.searchsorted(self.passed_C, charge_C)
        # a charge is reached in its block, or by the first row of the next
        short = np.count_nonzero(self._within(blocks)[place] < charge_C[..., None], axis=-1)
        return np.minimum(found * _EVERY + short, self.time_s.size)

    def _blocks(self, wanted: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """Blocks that are wanted, each once, and the place of each; None where all rows are cheaper at once."""
        if "passed_C" in self.__dict__ or 4 * wanted.size > self.time_s.size:
            return None, wanted
        marked = np.zeros(self.charge_C.size - 1, dtype=bool)
        marked[wanted] = True
        return np.flatnonzero(marked), (np.cumsum(marked) - 1)[wanted]

    def _rows(self, values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        """Values at the rows of each of the `blocks`, shape (blocks, 32); beyond the end the last one repeats."""
        whole = values.size // _EVERY
        if not blocks.size or blocks.max() < whole:
            return values[: whole * _EVERY].reshape(-1, _EVERY).take(blocks, axis=0)
        return values[np.minimum(blocks[:, None] * _EVERY + np.arange(_EVERY), values.size - 1)]

    def _steps(self, blocks: np.ndarray) -> np.ndarray:
        """Charge between each row of the `blocks` and the next in its block, C, shape (blocks, 31)."""
        size = np.abs(self._rows(self.current_A, blocks))
        time = self._rows(self.time_s, blocks)
        charge = time[:, 1:] - time[:, :-1]
        charge *= size[:, 1:] + size[:, :-1]
        charge *= 0.5
        if self.breaks.size:
            charge[np.isin(blocks[:, None] * _EVERY + np.arange(1, _EVERY), self.breaks)] = 0.0
        return charge

    def _within(self, blocks: np.ndarray) -> np.ndarray:
        """Charge up to each row of the `blocks`, C, shape (blocks, 32); never falls, whatever is rounded."""
        out = np.empty((blocks.size, _EVERY))
        out[:, 0] = self.charge_C[blocks]
        np.cumsum(self._steps(blocks), axis=1, out=out[:, 1:])
        out[:, 1:] += out[:, :1]
        return np.minimum(out, self.charge_C[blocks + 1, None], out=out)

    def _part(self, rows: np.ndarray) -> np.ndarray:
        """Energy between the last row that is a multiple of 32 and each of `rows`, J, shape (k,)."""
        out = np.empty(rows.size)
        for start in range(0, rows.size, _CHUNK // _EVERY):
            some = rows[start : start + _CHUNK // _EVERY]
            voltage = self._rows(self.voltage_V, some // _EVERY)
            energy = self._steps(some // _EVERY) * (voltage[:, 1:] + voltage[:, :-1])
            energy *= np.arange(_EVERY - 1) < (some % _EVERY)[:, None]
            out[start : start + some.size] = 0.5 * energy.sum(axis=1)
        return out
