"""What a virtual cycler writes down of a full cell, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sodiophile.physics.instrument import Instrument, sample_times_s


@dataclass(frozen=True)
class Truth:
    """What a simulated cell did, without noise.

    Parameters
    ----------
    discharge_mAh, charge_mAh
        Of each cycle, shape (m,).
    rate_C
        Shape (m,).
    """

    discharge_mAh: np.ndarray
    charge_mAh: np.ndarray
    rate_C: np.ndarray


@dataclass
class Trace:
    """The samples of one step after another."""

    _parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]] = field(default_factory=list)
    _clock_s: float = 0.0

    def add(self, times_s: np.ndarray, current_mA: np.ndarray, voltage_V: np.ndarray, cycle: int) -> None:
        """Write down a step: times since its beginning, current and voltage, all of shape (n,)."""
        self._parts.append((self._clock_s + times_s, current_mA, voltage_V, times_s, cycle))
        self._clock_s += float(times_s[-1])

    def rest(self, duration_s: float, interval_s: float, voltage_V: float, cycle: int) -> None:
        """Write down a rest at one voltage; nothing where it has no length."""
        if duration_s > 0:
            times = sample_times_s(duration_s, interval_s)
            self.add(times, np.zeros(times.size), np.full(times.size, voltage_V), cycle)

    def columns(self, instrument: Instrument, current_error: float, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Return the columns of the record as the instrument reads them.

        Parameters
        ----------
        instrument
            Its noise and last digits.
        current_error
            Of the current as it is shown, part of it.
        random
            Of the noise.
        """
        time, current_mA, voltage, step_time = (
            np.concatenate([part[column] for part in self._parts]) for column in range(4)
        )
        return {
            "test_time_second": time,
            "current_ampere": instrument.read_current(1e-3 * current_mA * (1.0 + current_error), random),
            "voltage_volt": instrument.read_voltage(voltage, random),
            "cycle_count": np.concatenate([np.full(part[0].size, part[4]) for part in self._parts]),
            "step_count": np.concatenate([np.full(part[0].size, n) for n, part in enumerate(self._parts, start=1)]),
            "step_time_second": step_time,
        }
