"""The virtual instrument of full cells: a programme of rates, the model of `sodiophile.physics.full_cell`, and a cycler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from sodiophile.errors import InputError
from sodiophile.experiments._fullcell import FullCellProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.full_cell import LEFT_OUT, InsertionCell
from sodiophile.physics.instrument import Instrument, sample_times_s, virtual_record
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_MOST_SAMPLES = 20_000_000
_STEP_WIDTH = 0.002
_Add = Callable[[np.ndarray, np.ndarray, np.ndarray, int], None]


class FullCellInstrument(Instrument):
    """The insertion electrode, the cycler and what goes wrong; every value is assumed unless the user sets it."""

    plateau_V: Annotated[float, InUnit("V")] = Field(
        default=3.3, alias="plateau", description="potential of the insertion electrode against the metal, half full"
    )
    softness_V: Annotated[float, InUnit("V")] = Field(
        default=5e-3,
        alias="softness",
        ge=1e-4,
        le=1,
        description="of the ends of the plateau: A in E0 + A (1/x - 1/(1 - x))",
    )
    specific_capacity_mAh_g: Annotated[float, InUnit("mAh/g")] = Field(
        default=110.0, alias="specific_capacity", gt=0, description="accessible capacity of the insertion electrode"
    )
    electrode_resistance_ohm_cm2: Annotated[float, InUnit("ohm cm^2")] = Field(
        default=20.0, alias="electrode_resistance", ge=0, description="of the insertion electrode"
    )
    rate_loss: float = Field(default=0.05, ge=0, lt=1, description="part of the capacity lost at 1C, times sqrt(rate)")
    fade_linear: float = Field(default=1e-4, ge=0, lt=1, description="part of the capacity lost each cycle")
    fade_sqrt: float = Field(default=0.0, ge=0, lt=1, description="part of the capacity lost with sqrt(cycles)")
    efficiency: float = Field(default=0.999, gt=0.5, le=1, description="Coulombic efficiency")
    scatter: float = Field(
        default=5e-4, ge=0, lt=0.2, description="standard deviation of the capacity from cycle to cycle, part of it"
    )
    scatter_correlation: float = Field(
        default=0.0, ge=0, lt=0.99, description="correlation of that between neighbouring cycles (temperature of the room)"
    )
    current_error: float = Field(
        default=0.0, gt=-0.1, lt=0.1, description="error of the current as the cycler shows it, part of it"
    )
    upper_voltage_V: Annotated[float, InUnit("V")] = Field(
        default=3.8, alias="upper_voltage", description="the voltage that ends a charge"
    )
    lower_voltage_V: Annotated[float, InUnit("V")] = Field(
        default=2.5, alias="lower_voltage", description="the voltage that ends a discharge"
    )
    hold_until: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="part of the current down to which the upper voltage is held; no hold if not given",
    )
    rest_s: Annotated[float, InUnit("s")] = Field(
        default=60.0, alias="rest", ge=0, description="the rest after each half cycle"
    )
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=10.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )
    counter_step_V: Annotated[float, InUnit("V")] = Field(
        default=0.0,
        alias="counter_step",
        ge=0,
        le=1,
        description="sudden rise of polarization in each discharge at 1C; in proportion to the rate",
    )
    counter_step_at: float = Field(
        default=0.5, gt=0, lt=1, description="part of the accessible capacity at which that step comes"
    )

    @model_validator(mode="after")
    def _limits(self) -> Self:
        if not self.lower_voltage_V < self.plateau_V < self.upper_voltage_V:
            raise ValueError(
                f"found lower_voltage {self.lower_voltage_V:g} V, plateau {self.plateau_V:g} V and upper_voltage "
                f"{self.upper_voltage_V:g} V, expected them in this order"
            )
        return self


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


def insertion_cell(cell: Cell, protocol: FullCellProtocol, instrument: FullCellInstrument) -> InsertionCell:
    """Return the model: the insertion electrode of the instrument against the metal electrode of `cell`.

    Raises
    ------
    InputError
        If the area is missing.
    """
    if protocol.area_cm2 is None:
        raise InputError("missing; a virtual instrument needs the area of the cell, such as '1 cm^2'", "area")
    area = protocol.area_cm2
    # one metal electrode here, so its interlayer counts once
    layers = (cell.separator, *((cell.interlayer,) if cell.interlayer else ()))
    conductivity_S_cm = 1e-3 * cell.electrolyte.conductivity.value * cell.factor(cell.electrolyte.activation_energy)
    electrolyte = sum(layer.porous.path_m for layer in layers) * 1e2 / conductivity_S_cm
    interphase = cell.electrode.interphase_resistance.value / cell.factor(cell.electrode.interphase_activation_energy)
    exchange = cell.electrode.exchange_current_density.value * cell.factor(cell.electrode.exchange_activation_energy)
    return InsertionCell(
        capacity_mAh=instrument.specific_capacity_mAh_g * protocol.active_mass_mg / 1e3,
        plateau_V=instrument.plateau_V,
        softness_V=instrument.softness_V,
        resistance_ohm=(electrolyte + interphase + instrument.electrode_resistance_ohm_cm2) / area,
        exchange_current_mA=exchange * area,
        temperature_K=cell.temperature.value,
        rate_loss=instrument.rate_loss,
        fade_linear=instrument.fade_linear,
        fade_sqrt=instrument.fade_sqrt,
        efficiency=instrument.efficiency,
    )


def run(
    kind: str,
    cell: Cell,
    protocol: FullCellProtocol,
    seed: int,
    instrument: FullCellInstrument,
    rates_C: Sequence[float],
) -> tuple[CyclingRecord, Truth]:
    """Run a cell through charge and discharge at each of `rates_C`, one cycle each.

    Parameters
    ----------
    kind
        The experiment.
    cell
        Its metal electrode, electrolyte, separator and temperature are those of the full cell.
    protocol
        Area, mass, and what 1C is; where that is not stated, the accessible capacity passes in 1 h.
    seed
        Of the noise, and of the scatter between cycles.
    instrument
        The insertion electrode and the cycler.
    rates_C
        Of each cycle, in order.

    Raises
    ------
    InputError
        If the area is missing, a rate leaves no capacity at all, or there would be more than 20 million rows.
    """
    model = insertion_cell(cell, protocol, instrument)
    random = np.random.default_rng(seed)
    one_c = protocol.one_c_mA or model.capacity_mAh
    samples = sum(2 * 3600 / rate / instrument.sampling_interval_s for rate in rates_C)
    if samples > _MOST_SAMPLES:
        raise InputError(
            f"about {samples:.3g} samples, expected at most {_MOST_SAMPLES:.0e}; sample less often", "sampling_interval"
        )
    factor = 1.0 + instrument.scatter * _correlated(random, len(rates_C), instrument.scatter_correlation)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]] = []
    clock = [0.0]
    capacities = []

    def add(times_s: np.ndarray, current_mA: np.ndarray, voltage_V: np.ndarray, cycle: int) -> None:
        parts.append((clock[0] + times_s, current_mA, voltage_V, times_s, cycle))
        clock[0] += float(times_s[-1])

    def rest(x: float, cycle: int) -> None:
        if instrument.rest_s > 0:
            times = sample_times_s(instrument.rest_s, instrument.sampling_interval_s)
            add(times, np.zeros(times.size), np.full(times.size, float(model.open_circuit_V(np.array(x)))), cycle)

    x = model.discharged_to(instrument.lower_voltage_V, rates_C[0] * one_c)
    add(np.zeros(1), np.zeros(1), model.open_circuit_V(np.array([x])), 1)
    for number, rate in enumerate(rates_C, start=1):
        current = rate * one_c
        accessible = model.accessible_mAh(rate, number) * float(factor[number - 1])
        begins = x
        x = _charge(model, instrument, current, accessible, begins, number, add)
        charge = (begins - x) * accessible / model.efficiency
        rest(x, number)
        ends = _discharge(model, instrument, current, rate, accessible, x, number, add)
        if not begins > x or not ends > x:
            raise InputError(
                f"at {rate:g}C polarization exceeds the window of the voltage and no capacity is left; expected a lower "
                "rate or wider limits",
                "rates",
            )
        capacities.append(((ends - x) * accessible, charge))
        x = ends
        rest(x, number)
    time, current_mA, voltage, step_time = (np.concatenate([part[column] for part in parts]) for column in range(4))
    inputs = {
        "experiment": kind,
        "cell": cell.to_dict(),
        "protocol": protocol.model_dump(mode="json"),
        "instrument": instrument.model_dump(mode="json"),
        "seed": seed,
    }
    shown = 1e-3 * current_mA * (1.0 + instrument.current_error)
    record = virtual_record(
        kind,
        inputs,
        {
            "test_time_second": time,
            "current_ampere": instrument.read_current(shown, random),
            "voltage_volt": instrument.read_voltage(voltage, random),
            "cycle_count": np.concatenate([np.full(part[0].size, part[4]) for part in parts]),
            "step_count": np.concatenate([np.full(part[0].size, number) for number, part in enumerate(parts, start=1)]),
            "step_time_second": step_time,
        },
        assumptions=[*cell.assumptions(), *_assumed(instrument)],
        left_out=LEFT_OUT,
    )
    out = np.array(capacities)
    return record, Truth(out[:, 0], out[:, 1], np.array(rates_C, dtype=float))


def _charge(
    model: InsertionCell,
    instrument: FullCellInstrument,
    current: float,
    accessible: float,
    x: float,
    cycle: int,
    add: _Add,
) -> float:
    """Charge from x to the upper limit, and hold it there if asked for; return x at the end."""
    ends = model.charged_to(instrument.upper_voltage_V, current)
    if not ends < x:
        return x
    duration_s = 3600.0 * (x - ends) * accessible / model.efficiency / current
    times = sample_times_s(duration_s, instrument.sampling_interval_s)
    path = x + (ends - x) * times / duration_s
    add(times, np.full(times.size, current), model.open_circuit_V(path) + model.overpotential_V(current), cycle)
    if instrument.hold_until is None:
        return ends
    solved_s, solved_mA, reached = model.hold(
        instrument.upper_voltage_V, current, instrument.hold_until * current, accessible
    )
    times = sample_times_s(float(solved_s[-1]), instrument.sampling_interval_s)
    add(times, np.interp(times, solved_s, solved_mA), np.full(times.size, instrument.upper_voltage_V), cycle)
    return reached


def _discharge(
    model: InsertionCell,
    instrument: FullCellInstrument,
    current: float,
    rate_C: float,
    accessible: float,
    x: float,
    cycle: int,
    add: _Add,
) -> float:
    """Discharge from x to the lower limit; return x at the end."""
    step_at, step_V = x + instrument.counter_step_at, instrument.counter_step_V * rate_C
    ends = model.discharged_to(instrument.lower_voltage_V, current)
    if step_V > 0 and step_at < ends:
        ends = max(model.discharged_to(instrument.lower_voltage_V, current, step_V), step_at)
    if not ends > x:
        return x
    duration_s = 3600.0 * (ends - x) * accessible / current
    times = sample_times_s(duration_s, instrument.sampling_interval_s)
    path = x + (ends - x) * times / duration_s
    extra = 0.5 * step_V * (1.0 + np.tanh((path - step_at) / _STEP_WIDTH))
    add(
        times,
        np.full(times.size, -current),
        model.open_circuit_V(path) - model.overpotential_V(current) - extra,
        cycle,
    )
    return ends


def _correlated(random: np.random.Generator, count: int, correlation: float) -> np.ndarray:
    white = random.standard_normal(count)
    out = np.empty(count)
    out[0] = white[0]
    for n in range(1, count):
        out[n] = correlation * out[n - 1] + np.sqrt(1.0 - correlation**2) * white[n]
    return out


def _assumed(instrument: FullCellInstrument) -> list[str]:
    text = (
        f"the insertion electrode: plateau {instrument.plateau_V:g} V, {instrument.specific_capacity_mAh_g:g} mAh/g, "
        f"{instrument.electrode_resistance_ohm_cm2:g} ohm cm^2, fade and efficiency as set: stated without a source"
    )
    return [text]
