"""The cycler that all virtual tests of plating share: steps of a cell, its samples of them, and the record it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import (
    Instrument,
    sample_times_by_voltage_s,
    sample_times_s,
    until_limit,
    virtual_record,
)
from sodiophile.records import CyclingRecord

if TYPE_CHECKING:
    from sodiophile.experiments._plating_protocol import PlatingProtocol
    from sodiophile.physics.symmetric import SymmetricCell
    from sodiophile.physics.symmetric_step import Step

MOST_SAMPLES = 20_000_000
_STEPS_A_BLOCK = 200
_GRID_POINTS = 240


def refuse_too_many(samples: float, interval_s: float) -> None:
    """Refuse a test that would leave more than 20 million rows.

    Raises
    ------
    InputError
        If it would.
    """
    if samples > MOST_SAMPLES:
        raise InputError(
            f"{samples:.3g} samples at every {interval_s:g} s, expected at most {MOST_SAMPLES:.0e}; sample less often",
            "sampling_interval",
        )


def sampled(
    voltage_V: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    duration_s: float,
    interval_s: float,
    instrument: Instrument,
    limit_V: float,
    precision_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and voltages of the samples of a half cycle, which ends at the voltage limit if that comes first.

    Parameters
    ----------
    voltage_V
        The voltage at times since the beginning of the half cycle, V, shape (n,) for shape (n,).
    duration_s, limit_V
        What ends it.
    interval_s
        Time between two samples.
    instrument
        Whether a change of the voltage triggers a sample too.
    precision_s
        How exactly the moment of the limit is found.
    """
    times_s = sample_times_s(duration_s, interval_s)
    if instrument.voltage_interval_V is not None:
        shortest_s = instrument.shortest_interval_s
        ends_s = np.geomspace(min(shortest_s, duration_s), duration_s, _GRID_POINTS)
        dense_s = np.unique(np.concatenate([[0.0], ends_s, duration_s - ends_s, times_s]).clip(0.0, duration_s))
        dense_V = voltage_V(dense_s).clip(-limit_V, limit_V)
        times_s = sample_times_by_voltage_s(dense_s, dense_V, interval_s, instrument.voltage_interval_V, shortest_s)
    return until_limit(voltage_V, times_s, limit_V, precision_s)


def both_ends(
    step: Step, times_s: NDArray[np.float64], voltage_V: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two samples of a step that a limit ended before its second one: one sample alone counts as stray."""
    first_s = 0.5 * times_s[:1]
    limit_V = abs(float(voltage_V[-1]))
    return np.append(first_s, times_s), np.append(step.voltage_V(first_s).clip(-limit_V, limit_V), voltage_V)


@dataclass
class Trace:
    """The samples so far, plating of the working electrode negative: one array a column and step, or block of steps.

    Notes say what the reader must know; the test that makes the trace writes them.
    """

    blocks: list[tuple[NDArray[np.float64], ...]] = field(default_factory=list)
    parts: list[tuple[NDArray[np.float64], ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    clock_s: float = 0.0
    steps: int = 0

    def add(
        self,
        times_s: NDArray[np.float64],
        current_mA_cm2: float,
        voltage_V: NDArray[np.float64],
        cycle: int,
        duration_s: float,
    ) -> None:
        """Write down a step: times of its samples since its beginning, their voltages, shape (n,), and its length."""
        full = np.ones_like(times_s)
        self.steps += 1
        self.parts.append(
            (self.clock_s + times_s, current_mA_cm2 * full, voltage_V, times_s, cycle * full, self.steps * full)
        )
        self.clock_s += duration_s
        # many small arrays take more memory than what they hold
        if len(self.parts) == _STEPS_A_BLOCK:
            self.blocks.append(tuple(np.concatenate(column) for column in zip(*self.parts, strict=True)))
            self.parts.clear()

    def half_cycle(
        self,
        cell: SymmetricCell,
        j_mA_cm2: float,
        *,
        plating: bool,
        duration_s: float,
        interval_s: float,
        instrument: Instrument,
        limit_V: float,
        precision_s: float,
        cycle: int,
    ) -> tuple[Step, float]:
        """Plate or strip at one current density until a time or a voltage is reached; return the step and how long it was.

        The step is not finished: the cell is still at its beginning.

        Parameters
        ----------
        cell
            The cell.
        j_mA_cm2
            Current density, above 0.
        plating
            Whether the working electrode is plated.
        duration_s, limit_V
            What ends it.
        interval_s, instrument, precision_s
            As of `sampled`.
        cycle
            Its number in the record.
        """
        step = cell.step(j_mA_cm2, plating=plating)
        times_s, voltage_V = sampled(step.voltage_V, duration_s, interval_s, instrument, limit_V, precision_s)
        lasted_s = float(times_s[-1])
        self.add(times_s, -j_mA_cm2 if plating else j_mA_cm2, voltage_V, cycle, lasted_s)
        return step, lasted_s

    def rest(self, cell: SymmetricCell, duration_s: float, interval_s: float, *, plating: bool, cycle: int) -> None:
        """Leave the cell alone after a half cycle, if the rest has any length."""
        if duration_s > 0:
            step = cell.step(0.0, plating=plating)
            times_s = sample_times_s(duration_s, interval_s)
            self.add(times_s, 0.0, step.voltage_V(times_s), cycle, duration_s)
            step.finish(duration_s)

    def record(
        self,
        kind: str,
        cell: Cell,
        protocol: PlatingProtocol,
        instrument: Instrument,
        seed: int,
        *,
        random: np.random.Generator | None = None,
        left_out: list[str],
        notes: tuple[str, ...],
    ) -> CyclingRecord:
        """Return the record of the cycler, marked simulated.

        Parameters
        ----------
        kind
            The experiment.
        cell, protocol, instrument, seed
            What decided it.
        random
            Of the noise, where the test has used chance before; one from `seed` if not given.
        left_out, notes
            As of `sodiophile.physics.instrument.virtual_record`.
        """
        random = random or np.random.default_rng(seed)
        everything = zip(*self.blocks, *self.parts, strict=True)
        time_s, current_mA_cm2, voltage_V, step_s, cycle, step = (np.concatenate(column) for column in everything)
        inputs = {
            "experiment": kind,
            "cell": cell.to_dict(),
            "protocol": protocol.model_dump(mode="json"),
            "instrument": instrument.model_dump(mode="json"),
            "seed": seed,
        }
        to_mA = -protocol.plating_sign * protocol.area_cm2
        return virtual_record(
            kind,
            inputs,
            {
                "test_time_second": time_s,
                "current_ampere": instrument.read_current(1e-3 * to_mA * current_mA_cm2, random),
                "voltage_volt": instrument.read_voltage(-protocol.plating_sign * voltage_V, random),
                "cycle_count": cycle.astype(np.int64),
                "step_count": step.astype(np.int64),
                "step_time_second": step_s,
            },
            assumptions=cell.assumptions(),
            left_out=left_out,
            notes=notes,
        )
