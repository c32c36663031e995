"""The virtual instrument of symmetric cycling: a cell of `sodiophile.physics.symmetric` on a cycler, and its failures."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sodiophile.experiments._virtual_cycler import Trace, both_ends, refuse_too_many, sampled
from sodiophile.experiments.base import set_by_operator
from sodiophile.experiments.symmetric_cycling.protocol import SymmetricCyclingProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.instrument import Instrument, sample_times_s
from sodiophile.physics.lifetime import Growth
from sodiophile.physics.symmetric import LEFT_OUT, SymmetricCell
from sodiophile.physics.symmetric_step import Step, ended_by
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_SECANT_STEPS = 8
_DEAD_STEPS = 2


class VirtualInstrument(Instrument):
    """The cycler, its programme, and the failures that are made to happen: none unless it is asked for here."""

    duration_h: Annotated[float, InUnit("h")] = Field(
        default=1000.0, alias="duration", gt=0, le=1e5, description="how long the test runs"
    )
    rest_s: Annotated[float, InUnit("s")] = Field(
        default=0.0, alias="rest", ge=0, description="the rest after each half cycle"
    )
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=30.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )

    compliance_V: Annotated[float, InUnit("V")] = Field(
        default=5.0,
        alias="compliance",
        gt=0,
        description="the highest voltage of the cycler; it ends a half cycle where the protocol sets no limit",
    )
    hard_short_at_h: Annotated[float | None, InUnit("h")] = Field(
        default=None, alias="hard_short_at", ge=0, description="when a short sets in and stays; none if not given"
    )
    hard_short_resistance_ohm_cm2: Annotated[float, InUnit("ohm cm^2")] = Field(
        default=0.5, alias="hard_short_resistance", gt=0, description="resistance of that short"
    )
    soft_shorts_from_h: Annotated[float | None, InUnit("h")] = Field(
        default=None,
        alias="soft_shorts_from",
        ge=0,
        description="when shorts that recover begin to occur; none if not given",
    )
    soft_shorts_per_h: Annotated[float, InUnit("1/h")] = Field(
        default=0.2, gt=0, le=1000, description="how often they occur, on average, at random"
    )
    soft_short_duration_s: Annotated[float, InUnit("s")] = Field(
        default=600.0, alias="soft_short_duration", gt=0, description="how long one lasts, on average, at random"
    )
    soft_short_resistance_ohm_cm2: Annotated[float, InUnit("ohm cm^2")] = Field(
        default=100.0, alias="soft_short_resistance", gt=0, description="resistance of a short that recovers"
    )
    grow_shorts: bool = Field(
        default=False,
        description="let the spots of the cell's table [shorts] grow until one bridges the separator, at a time by chance",
    )
    life_quantile: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="with grow_shorts, no chance: the life that this part of such cells falls short of, 0.5 the median",
    )
    passivation_from_h: Annotated[float | None, InUnit("h")] = Field(
        default=None,
        alias="passivation_from",
        ge=0,
        description="when a layer begins to block the cell; never if not given",
    )
    passivation_rate_ohm_cm2_h: Annotated[float, InUnit("ohm cm^2/h")] = Field(
        default=20.0, alias="passivation_rate", gt=0, description="growth of its resistance"
    )

    @model_validator(mode="after")
    def _sampling_is_possible(self) -> Self:
        if self.life_quantile is not None and not self.grow_shorts:
            raise ValueError("found life_quantile without grow_shorts, expected both: it is of the spots that grow")
        if self.voltage_interval_V is not None and self.voltage_interval_V < self.voltage_noise_V:
            raise ValueError(
                f"found a voltage_interval of {self.voltage_interval_V:g} V below the noise of {self.voltage_noise_V:g} V, "
                "expected more: noise would trigger every sample"
            )
        return self


def simulate(
    cell: Cell, protocol: SymmetricCyclingProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Cycle a symmetric cell of two pristine electrodes and return what a cycler would have recorded.

    Parameters
    ----------
    cell
        The cell.
    protocol
        What the operator sets; current density and capacity must be given.
    seed
        Of the noise, and of the times of shorts that recover.
    instrument
        The cycler, its programme, and the failures that happen; a good cycler, 1000 h and no failure by default.

    Returns
    -------
    CyclingRecord
        Marked simulated; its first row is the rest before the first current.

    Raises
    ------
    InputError
        If current density or capacity is missing, or the record would have more than 20 million rows.

    Notes
    -----
    A half cycle ends by its capacity or at the voltage limit; the test ends by its duration, or once two half cycles in
    succession reach the limit in their first sample. While a short that recovers carries a part of the current, deposits
    and salt are those of the full current; so they are to the end of the half cycle in which a short that stays begins.
    From then on salt and metal move by the part of the current that the cell carries in the middle of each half cycle.
    """
    instrument = instrument or VirtualInstrument()
    j, capacity = set_by_operator(protocol, "current_density_mA_cm2", "capacity_mAh_cm2")
    # every half cycle leaves one sample at least
    interval_s = min(instrument.sampling_interval_s, capacity / j * 3600.0)
    refuse_too_many(instrument.duration_h * 3600.0 / interval_s, interval_s)
    random = np.random.default_rng(seed)
    trace = Trace()
    growth = (
        Growth.of(cell, j, capacity, protocol.area_cm2, rest_h=instrument.rest_s / 3600.0)
        if instrument.grow_shorts
        else None
    )
    shorts = _Shorts(instrument, cell, growth, random)
    ending = _cycle(SymmetricCell(cell), protocol, instrument, j, capacity, shorts, trace)
    return trace.record(
        "symmetric-cycling",
        cell,
        protocol,
        instrument,
        seed,
        random=random,
        left_out=LEFT_OUT,
        notes=(f"simulated: {ending}", *trace.notes, *_events(instrument), *shorts.grown(instrument.duration_h)),
    )


class _Shorts:
    """The conductance beside the cell in time, 1/(ohm cm2)."""

    def __init__(
        self, instrument: VirtualInstrument, cell: Cell, growth: Growth | None, random: np.random.Generator
    ) -> None:
        self.instrument = instrument
        self.hard_s = np.inf if instrument.hard_short_at_h is None else instrument.hard_short_at_h * 3600.0
        self.begin_s = self.end_s = np.empty(0)
        if instrument.soft_shorts_from_h is not None:
            first_s, last_s = instrument.soft_shorts_from_h * 3600.0, instrument.duration_h * 3600.0
            count = random.poisson(max(last_s - first_s, 0.0) / 3600.0 * instrument.soft_shorts_per_h)
            self.begin_s = np.sort(random.uniform(first_s, last_s, count)) if count else self.begin_s
            self.end_s = self.begin_s + random.exponential(instrument.soft_short_duration_s, count)
        self.bridge_s, self.bridge_ohm_cm2 = np.inf, np.inf
        if growth is not None and cell.shorts is not None:
            part = instrument.life_quantile
            self.bridge_s = 3600.0 * float(growth.draw_h(1, random)[0] if part is None else growth.quantile_h(part))
            self.bridge_ohm_cm2 = cell.shorts.bridge_resistance.value

    @property
    def lasting_s(self) -> float:
        """When the first short that stays begins."""
        return min(self.hard_s, self.bridge_s)

    def grown(self, duration_h: float) -> list[str]:
        """Return what became of the spots of the cell, in words; nothing if they were not asked for."""
        if not self.instrument.grow_shorts:
            return []
        if self.bridge_s >= duration_h * 3600.0:
            return [f"simulated: no spot of the cell bridged its separator within {duration_h:g} h"]
        found = f"{self.bridge_s / 3600.0:.6g} h, with {self.bridge_ohm_cm2:g} ohm cm^2"
        return [f"simulated: a spot of the cell bridged its separator after {found}"]

    def conductance(self, clock_s: NDArray[np.float64]) -> NDArray[np.float64]:
        open_now = np.searchsorted(self.begin_s, clock_s, side="right") - np.searchsorted(
            np.sort(self.end_s), clock_s, side="right"
        )
        soft = open_now / self.instrument.soft_short_resistance_ohm_cm2
        hard = (clock_s >= self.hard_s) / self.instrument.hard_short_resistance_ohm_cm2
        return np.asarray(soft + hard + (clock_s >= self.bridge_s) / self.bridge_ohm_cm2)

    def carried(self, cell: SymmetricCell, j: float, plating: bool, duration_s: float, clock_s: float) -> float:
        """Return the part of the current that the cell carries beside shorts that stay, by its resistance half way."""
        if clock_s < self.lasting_s:
            return 1.0
        beside = float(self.conductance(np.array([clock_s]))[0])
        voltage_V = abs(float(cell.step(j, plating=plating, carried=0.0).voltage_V(0.5 * duration_s)[0]))
        return j / (j + 1e3 * voltage_V * beside)


def _cycle(
    cell: SymmetricCell,
    protocol: SymmetricCyclingProtocol,
    instrument: VirtualInstrument,
    j: float,
    capacity: float,
    shorts: _Shorts,
    trace: Trace,
) -> str:
    """Fill the trace; return how the test ended."""
    limit_V = protocol.voltage_limit_V or instrument.compliance_V
    end_s = instrument.duration_h * 3600.0
    trace.add(np.zeros(1), 0.0, np.zeros(1), 1, 0.0)
    half, stuck = 0, 0
    while end_s - trace.clock_s > 1e-6:
        plating, cycle = half % 2 == 0, half // 2 + 1
        duration_s = min(capacity / j * 3600.0, end_s - trace.clock_s)
        step = cell.step(j, plating=plating, carried=shorts.carried(cell, j, plating, duration_s, trace.clock_s))
        times_s, voltage_V = sampled(
            partial(_with_events, step, clock_s=trace.clock_s, instrument=instrument, shorts=shorts),
            duration_s,
            instrument.sampling_interval_s,
            instrument,
            limit_V,
            instrument.shortest_interval_s,
        )
        if times_s[-1] < duration_s and not trace.notes:
            trace.notes.append(ended_by(step, float(times_s[-1]), f"half cycle {half + 1}, the first to do so,", limit_V))
        duration_s = float(times_s[-1])
        at_once = times_s.size == 1 and abs(voltage_V[-1]) >= limit_V
        stuck = stuck + 1 if at_once else 0
        if at_once:
            times_s, voltage_V = both_ends(step, times_s, voltage_V)
        trace.add(times_s, -j if plating else j, voltage_V, cycle, duration_s)
        step.finish(duration_s)
        if stuck >= _DEAD_STEPS:
            return f"the limit of {limit_V:g} V was reached at once in both directions after {trace.clock_s / 3600:.6g} h"
        if instrument.rest_s > 0 and end_s - trace.clock_s > 1e-6:
            rest = cell.step(0.0, plating=plating)
            duration_s = min(instrument.rest_s, end_s - trace.clock_s)
            times_s = sample_times_s(duration_s, instrument.sampling_interval_s)
            voltage_V = rest.voltage_V(times_s)
            # a rest is not driven: whatever shorts the cell discharges no more than its concentration cell
            trace.add(
                times_s, 0.0, np.where(trace.clock_s + times_s >= shorts.lasting_s, 0.0, voltage_V), cycle, duration_s
            )
            rest.finish(duration_s)
        half += 1
    return f"the test ran for its {instrument.duration_h:g} h"


def _with_events(
    step: Step, times_s: NDArray[np.float64], clock_s: float, instrument: VirtualInstrument, shorts: _Shorts
) -> NDArray[np.float64]:
    r"""Return the voltage with passivation in series and shorts beside: V = U(j_cell), j_cell + V/R_short = j."""
    clock = clock_s + times_s
    series = np.zeros_like(clock)
    if instrument.passivation_from_h is not None:
        blocked_h = np.maximum(clock / 3600.0 - instrument.passivation_from_h, 0.0)
        series = 1e-3 * instrument.passivation_rate_ohm_cm2_h * blocked_h
    sign = -step.sign
    voltage = step.voltage_V(times_s) + sign * series * step.j
    conductance = 1e3 * shorts.conductance(clock)
    beside = np.flatnonzero(conductance > 0)
    if not beside.size:
        return voltage
    times_s, series, conductance = times_s[beside], series[beside], conductance[beside]

    def excess(part: NDArray[np.float64]) -> NDArray[np.float64]:
        through = step.j * part
        loss = sign * step.voltage_V(times_s, through) + series * through
        # an exhausted cell carries nothing: any finite loss above that of the short says so
        return np.minimum(loss, 1e3) - (step.j - through) / conductance

    with np.errstate(invalid="ignore", divide="ignore"):
        resistance = np.minimum(np.abs(voltage[beside]), 1e3) / step.j
    older = 1.0 / (1.0 + resistance * conductance)
    newer = 0.9 * older
    excess_older, excess_newer = excess(older), excess(newer)
    for _ in range(_SECANT_STEPS):
        slope = excess_newer - excess_older
        flat = np.abs(slope) < 1e-300
        change = np.where(flat, 0.0, excess_newer * (newer - older) / np.where(flat, 1.0, slope))
        older, excess_older = newer, excess_newer
        newer = np.clip(newer - change, 0.0, 1.0)
        excess_newer = excess(newer)
        if np.all(np.abs(excess_newer) <= 1e-12):
            break
    voltage[beside] = sign * step.j * (1.0 - newer) / conductance
    return voltage


def _events(instrument: VirtualInstrument) -> list[str]:
    found = []
    if instrument.hard_short_at_h is not None:
        found.append(
            f"simulated: a hard short of {instrument.hard_short_resistance_ohm_cm2:g} ohm cm^2 was set to begin at "
            f"{instrument.hard_short_at_h:g} h"
        )
    if instrument.soft_shorts_from_h is not None:
        found.append(
            f"simulated: shorts of {instrument.soft_short_resistance_ohm_cm2:g} ohm cm^2 that recover were set to occur "
            f"from {instrument.soft_shorts_from_h:g} h, {instrument.soft_shorts_per_h:g} an hour"
        )
    if instrument.passivation_from_h is not None:
        found.append(
            f"simulated: a blocking layer was set to grow from {instrument.passivation_from_h:g} h by "
            f"{instrument.passivation_rate_ohm_cm2_h:g} ohm cm^2 an hour"
        )
    return found
