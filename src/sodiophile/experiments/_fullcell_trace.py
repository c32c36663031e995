"""What a virtual cycler writes down of a full cell, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

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
    _spectra: dict[int, np.ndarray] = field(default_factory=dict)
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

    def spectrum(self, frequency_Hz: np.ndarray, impedance_ohm: np.ndarray, voltage_V: float, cycle: int) -> None:
        """Write down an impedance spectrum at rest, two periods a point, shape (n,)."""
        self._spectra[len(self._parts)] = np.stack([frequency_Hz, impedance_ohm.real, impedance_ohm.imag])
        times = np.cumsum(2.0 / frequency_Hz)
        self.add(times, np.zeros(times.size), np.full(times.size, voltage_V), cycle)

    def columns(self, instrument: Instrument, current_error: float, random: np.random.Generator) -> dict[str, Any]:
        """Return the columns of the record as the instrument reads them, with those of impedance where there is any.

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
        impedance: dict[str, Any] = {}
        if self._spectra:
            parts = [self._spectra.get(n, np.full((3, part[0].size), np.nan)) for n, part in enumerate(self._parts)]
            names = ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm")
            columns = np.concatenate(parts, axis=1)
            impedance = {name: pl.Series(column, nan_to_null=True) for name, column in zip(names, columns, strict=True)}
        return {
            "test_time_second": time,
            "current_ampere": instrument.read_current(1e-3 * current_mA * (1.0 + current_error), random),
            "voltage_volt": instrument.read_voltage(voltage, random),
            "cycle_count": np.concatenate([np.full(part[0].size, part[4]) for part in self._parts]),
            "step_count": np.concatenate([np.full(part[0].size, n) for n, part in enumerate(self._parts, start=1)]),
            "step_time_second": step_time,
            **impedance,
        }
