"""Synthetic cells for the tests of the analyses; written from what traces look like, without code of the analyses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from sodiophile.records import CyclingRecord, Provenance


@dataclass(frozen=True)
class SymmetricCell:
    """A symmetric cell under square-wave current; `record` makes its trace."""

    current_mA: float = 0.5
    half_h: float = 2.0
    cycles: int = 30
    interval_s: float = 60.0
    rest_s: float = 0.0
    level_mV: float = 50.0
    first_sign: int = -1
    end_rise: float = 0.2
    start_peak: float = 0.2
    formation: float = 0.0
    formation_cycles: float = 2.0
    drift: float = 0.0
    wiggle: float = 0.0
    wiggle_h: float = 24.0
    asymmetry: float = 0.0
    offset_mV: float = 0.0
    noise_mV: float = 0.1
    current_noise: float = 2e-4
    resolution_mV: float = 0.0
    outliers: float = 0.0
    rates: tuple[float, ...] = ()
    fail_h: float = np.inf
    failure: str = ""
    remains: float = 0.5
    ohm: float = 1.0
    heal_h: float = np.inf
    stop_h: float = np.inf
    limit_mV: float = np.inf
    seed: int = 0

    def trace(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Time (s), current (A), voltage (V)."""
        rng = np.random.default_rng(self.seed)
        period = self.half_h * 3600 + self.rest_s
        end = min(self.cycles * 2 * period, self.stop_h * 3600)
        time = np.arange(0.0, end, self.interval_s)
        number = np.floor(time / period).astype(int)
        within = time - number * period
        on = within < self.half_h * 3600
        sign = np.where(number % 2 == 0, self.first_sign, -self.first_sign)
        rate = np.array(self.rates)[(number // 2) % len(self.rates)] if self.rates else np.ones(time.size)
        fraction = np.clip(within / (self.half_h * 3600), 0, 1)
        cycle = number / 2
        hours = time / 3600
        # asinh: the overpotential of Butler-Volmer kinetics
        level = self.level_mV * np.arcsinh(2 * rate) / np.arcsinh(2)
        level *= 1 + self.formation * np.exp(-cycle / self.formation_cycles)
        level *= 1 + self.drift * hours / max(hours[-1], 1e-9)
        level *= 1 + self.wiggle * np.sin(2 * np.pi * hours / self.wiggle_h + self.seed)
        level *= 1 + self.asymmetry * sign
        shape = 1 + self.end_rise * fraction**3 + self.start_peak * np.exp(-fraction / 0.02)
        noise = np.full(time.size, self.noise_mV)
        failed = (hours >= self.fail_h) & (hours < self.heal_h)
        response = level * shape
        if self.failure == "soft":  # a conductor beside the electrodes: less of everything, flat, and noisier
            response = np.where(failed, level * self.remains, response)
            noise = np.where(failed, 4 * self.noise_mV, noise)
        if self.failure == "dry":
            response = response * np.where(failed, np.exp((hours - self.fail_h) / 5.0), 1.0)
        current = self.current_mA * rate * sign * on * (1 + self.current_noise * rng.standard_normal(time.size))
        voltage = sign * response * on + self.offset_mV
        if self.failure == "hard":
            voltage = np.where(failed, current * self.ohm, voltage)
        voltage = voltage + noise * rng.standard_normal(time.size)
        stray = rng.random(time.size) < self.outliers
        voltage = np.where(stray, voltage * rng.uniform(-1, 3, time.size), voltage)
        if self.resolution_mV:
            voltage = np.round(voltage / self.resolution_mV) * self.resolution_mV
        keep = np.ones(time.size, dtype=bool)
        if np.isfinite(self.limit_mV):  # the cycler ends the half cycle; the rest of its time is left out
            over = (np.abs(voltage) >= self.limit_mV) & on
            for k in np.unique(number[over]):
                rows = np.flatnonzero(number == k)
                keep[rows[rows > np.flatnonzero(over & (number == k))[0]]] = False
        return time[keep], current[keep] * 1e-3, voltage[keep] * 1e-3

    def record(self) -> CyclingRecord:
        """The trace as a record."""
        return as_record(*self.trace())

    def but(self, **changes: object) -> SymmetricCell:
        """The same cell, changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class PlatingCell:
    """Plating on a foreign substrate: a dip of known height that relaxes to a plateau."""

    current_mA: float = 0.5
    hours: float = 2.0
    interval_s: float = 1.0
    plateau_mV: float = 20.0
    dip_mV: float = 30.0
    rise_s: float = 8.0
    relax_s: float = 90.0
    slope_mV: float = 0.0
    noise_mV: float = 0.1
    resolution_mV: float = 0.0
    sei_s: float = 0.0
    rest_s: float = 60.0
    sign: int = -1
    spikes: int = 0
    strip: bool = False
    seed: int = 0

    def response_mV(self, time_s: np.ndarray) -> np.ndarray:
        """Overpotential at times since plating began, mV."""
        top_s = np.log(self.relax_s / self.rise_s) / (1 / self.rise_s - 1 / self.relax_s)
        height = np.exp(-top_s / self.relax_s) - np.exp(-top_s / self.rise_s)
        bump = (np.exp(-time_s / self.relax_s) - np.exp(-time_s / self.rise_s)) / height
        return self.plateau_mV + self.dip_mV * bump + self.slope_mV * (time_s / (self.hours * 3600) - 0.5)

    def record(self) -> CyclingRecord:
        """The trace as a record."""
        rng = np.random.default_rng(self.seed)
        rest = np.arange(0.0, self.rest_s, self.interval_s)
        on = np.arange(0.0, self.sei_s + self.hours * 3600 + self.interval_s / 2, self.interval_s)
        sei = on < self.sei_s
        plating = self.response_mV(np.maximum(on - self.sei_s, 0.0))
        response = np.where(sei, -800.0 * (1 - on / max(self.sei_s, 1.0)) - 5.0, plating)
        voltage = np.concatenate([np.full(rest.size, 800.0 if self.sei_s else 0.0), self.sign * response])
        current = np.concatenate([np.zeros(rest.size), np.full(on.size, self.sign * self.current_mA)])
        time = np.concatenate([rest, self.rest_s + on])
        if self.strip:
            time = np.concatenate([time, time[-1] + self.interval_s + on])
            voltage = np.concatenate([voltage, np.full(on.size, -self.sign * self.plateau_mV)])
            current = np.concatenate([current, np.full(on.size, -self.sign * self.current_mA)])
        voltage = voltage + self.noise_mV * rng.standard_normal(time.size)
        if self.spikes:
            early = rng.choice(np.arange(rest.size + 5, rest.size + on.size // 4), self.spikes, replace=False)
            voltage[early] += self.sign * 50.0
        if self.resolution_mV:
            voltage = np.round(voltage / self.resolution_mV) * self.resolution_mV
        return as_record(time, current * 1e-3, voltage * 1e-3)

    def but(self, **changes: object) -> PlatingCell:
        """The same cell, changed."""
        return replace(self, **changes)


def as_record(time_s: np.ndarray, current_A: np.ndarray, voltage_V: np.ndarray, **more: np.ndarray) -> CyclingRecord:
    """Make a record of arrays."""
    table = {"test_time_second": time_s, "current_ampere": current_A, "voltage_volt": voltage_V, **more}
    return CyclingRecord(pl.DataFrame(table), (Provenance("synthetic", "0" * 64, "test", "1"),))


@pytest.fixture(name="SymmetricCell", scope="session")
def symmetric_cell() -> type[SymmetricCell]:
    return SymmetricCell


@pytest.fixture(name="PlatingCell", scope="session")
def plating_cell() -> type[PlatingCell]:
    return PlatingCell


@pytest.fixture(name="as_record", scope="session")
def record_of_arrays() -> object:
    return as_record


def drifting(circuit, values):
    """Return the impedance of a circuit whose slower arc is scaled point by point, ohm; called as (Hz, factors)."""

    def impedance_ohm(frequency_Hz, kinetics):
        u = np.tile(circuit.coordinates(values), (len(frequency_Hz), 1))
        u[:, circuit.index("Zarc2.R")] += np.log(kinetics)
        return circuit.evaluate(u, np.log(2 * np.pi * frequency_Hz)[:, None])[0][:, 0]

    return impedance_ohm
