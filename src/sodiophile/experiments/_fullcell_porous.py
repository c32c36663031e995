"""A virtual full cell of porous electrodes (`sodiophile.physics.porous_cell`) in a cycler with a programme of rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import PchipInterpolator

from sodiophile.experiments._fullcell_trace import Trace, Truth
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import sample_times_by_voltage_s, sample_times_s
from sodiophile.physics.porous_cell import PorousCell
from sodiophile.physics.porous_layout import Ageing
from sodiophile.physics.porous_stretch import Stretch

if TYPE_CHECKING:
    from sodiophile.experiments._fullcell_simulate import FullCellInstrument

_FEWEST_POINTS = 3
_FEWEST_SAMPLES = 2
_MOST_NOTES = 6
_REST_BEFORE_SPECTRUM_s = 600.0
_SPECTRUM_Hz = np.geomspace(1e6, 1e-2, 65)


class PorousRun:
    """A cell with its insertion electrode in a cycler.

    Parameters
    ----------
    cell
        With an insertion electrode.
    area_cm2, active_mass_mg
        Geometric area, and the active material on it.
    instrument
        The cycler and what use does to the insertion electrode.
    trace
        What is written down.
    random
        Of the noise of spectra.
    """

    def __init__(
        self,
        cell: Cell,
        area_cm2: float,
        active_mass_mg: float,
        instrument: FullCellInstrument,
        trace: Trace,
        random: np.random.Generator,
    ) -> None:
        ageing = Ageing(
            instrument.active_loss,
            instrument.resistance_growth_ohm_cm2,
            instrument.efficiency,
            instrument.contact_resistance_ohm_cm2,
        )
        self.area_cm2, self.instrument, self.trace, self._random = area_cm2, instrument, trace, random
        self.cell = PorousCell(cell, loading_mg_cm2=active_mass_mg / area_cm2, ageing=ageing)
        self.one_c_mA = self.cell.capacity_mAh_cm2 * area_cm2
        self.notes: list[str] = []
        self.failed = ""

    def cycle(self, rates_C: Sequence[float], one_c_mA: float) -> Truth:
        """Charge and discharge once at each rate; end early where the solver gives up, and say so in `failed`."""
        set_by, found = self.instrument, []
        self.trace.add(np.zeros(1), np.zeros(1), np.array([self.cell.open_circuit_V]), 1)
        for number, rate in enumerate(rates_C, start=1):
            j = rate * one_c_mA / self.area_cm2
            seen = []
            if number in set_by.spectrum_cycles:
                half_s = 0.5 * self.cell.capacity_mAh_cm2 / j * 3600.0
                seen.append(self.cell.charge(j, set_by.upper_voltage_V, half_s))
                self._write(seen[-1], number)
                self._spectrum(number)
            seen.append(self.cell.charge(j, set_by.upper_voltage_V))
            self._write(seen[-1], number)
            if set_by.hold_until is not None and seen[-1].ended == "limit":
                seen.append(self.cell.hold(set_by.upper_voltage_V, set_by.hold_until * j))
                self._write(seen[-1], number)
            self._rest(number)
            seen.append(self.cell.discharge(j, set_by.lower_voltage_V))
            self._write(seen[-1], number)
            self._rest(number)
            for part in seen:
                self._note(part, f"the {'discharge' if part is seen[-1] else 'charge'} of cycle {number} at {rate:g}C")
            if self.failed:
                break
            charged = sum(part.charge_mAh_cm2 for part in seen[:-1])
            found.append((-seen[-1].charge_mAh_cm2 * self.area_cm2, charged * self.area_cm2))
        table = np.array(found).reshape(-1, 2)
        return Truth(table[:, 0], table[:, 1], np.array(rates_C[: len(found)], dtype=float))

    def _note(self, part: Stretch, what: str) -> None:
        """Keep what a reader must know of how a half cycle ended."""
        if part.ended == "solver":
            self.failed = self.failed or f"{what}: {part.words}"
        elif part.reason:
            self.notes.append(f"simulated: {what}: {part.words}")

    def _spectrum(self, cycle: int) -> None:
        """Let the cell rest, and write down its impedance."""
        rested = self.cell.rest(_REST_BEFORE_SPECTRUM_s)
        self._write(rested, cycle)
        Z = self.cell.impedance_ohm_cm2(_SPECTRUM_Hz) / self.area_cm2
        noise = self._random.standard_normal(Z.size) + 1j * self._random.standard_normal(Z.size)
        Z = Z + self.instrument.spectrum_noise * np.abs(Z) * noise
        self.trace.spectrum(_SPECTRUM_Hz, Z, float(rested.voltage_V[-1]), cycle)
        self.cell.rest(float(np.sum(2.0 / _SPECTRUM_Hz)))

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, the first of many."""
        more = len(self.notes) - _MOST_NOTES
        return (*self.notes[:_MOST_NOTES], *([f"simulated: {more} more such half cycles"] if more > 0 else []))

    def _write(self, seen: Stretch, cycle: int) -> None:
        """Sample a stretch as the cycler does."""
        set_by, end_s = self.instrument, float(seen.time_s[-1])
        if end_s <= 0:
            return
        if set_by.voltage_interval_V is None:
            times = sample_times_s(end_s, set_by.sampling_interval_s)
        else:
            times = sample_times_by_voltage_s(
                seen.time_s,
                seen.voltage_V,
                set_by.sampling_interval_s,
                set_by.voltage_interval_V,
                set_by.shortest_interval_s,
            )
        if times.size < _FEWEST_SAMPLES and np.any(seen.current_density_mA_cm2):
            # however short, a step under current leaves its beginning and its end
            times = np.array([0.5 * end_s, end_s])
        voltage, current = (
            _between(seen.time_s, column, times) for column in (seen.voltage_V, seen.current_density_mA_cm2)
        )
        self.trace.add(times, current * self.area_cm2, voltage, cycle)

    def _rest(self, cycle: int) -> None:
        if self.instrument.rest_s > 0:
            self._write(self.cell.rest(self.instrument.rest_s), cycle)


def _between(times_s: np.ndarray, values: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Return values between the steps of the solver, by a curve that does not overshoot."""
    if times_s.size < _FEWEST_POINTS:
        return np.interp(wanted_s, times_s, values)
    return np.asarray(PchipInterpolator(times_s, values)(wanted_s))
