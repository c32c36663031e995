"""The virtual instrument of full cells: a programme of rates, a model of the cell, and a cycler.

The model is that of porous electrodes (`sodiophile.physics.porous_cell`), or the simple one of
`sodiophile.physics.full_cell`, whose capacity, fade and polarization are set rather than follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from sodiophile.errors import InputError, SolverError
from sodiophile.experiments._fullcell import FullCellProtocol
from sodiophile.experiments._fullcell_porous import PorousRun
from sodiophile.experiments._fullcell_trace import Trace, Truth
from sodiophile.physics.cell import Cell
from sodiophile.physics.full_cell import LEFT_OUT, InsertionCell
from sodiophile.physics.instrument import Instrument, sample_times_s, virtual_record
from sodiophile.physics.porous_cell import LEFT_OUT as LEFT_OUT_POROUS
from sodiophile.physics.porous_layout import full_cell_cathode
from sodiophile.physics.sets import load_part
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_MOST_SAMPLES = 20_000_000
_STEP_WIDTH = 0.002
_OF_THE_SIMPLE_MODEL = (
    "plateau_V",
    "softness_V",
    "specific_capacity_mAh_g",
    "electrode_resistance_ohm_cm2",
    "rate_loss",
    "fade_linear",
    "fade_sqrt",
    "scatter",
    "scatter_correlation",
    "counter_step_V",
    "counter_step_at",
)
_OF_THE_POROUS_MODEL = (
    "cathode",
    "active_loss",
    "resistance_growth_ohm_cm2",
    "contact_resistance_ohm_cm2",
    "voltage_interval_V",
    "spectra_at",
    "spectrum_noise",
)


class FullCellInstrument(Instrument):
    """The insertion electrode, the cycler and what goes wrong; every value is assumed unless the user sets it."""

    model: Literal["porous", "simple"] = Field(
        default="porous",
        description="porous: porous electrode, electrolyte and metal with its history; simple: a curve whose polarization, "
        "loss with rate and fade are set, for checks of the analysis",
    )
    cathode: str | None = Field(
        default=None,
        description="porous: an insertion electrode that ships, by name; that of the cell's file if not given, or nvp",
    )
    active_loss: float = Field(
        default=0.0, ge=0, le=0.5, description="porous: part of the active material lost with each full cycle"
    )
    resistance_growth_ohm_cm2: Annotated[float, InUnit("ohm cm^2")] = Field(
        default=0.0, alias="resistance_growth", ge=0, le=1e6, description="porous: added in series by each full cycle"
    )
    contact_resistance_ohm_cm2: Annotated[float, InUnit("ohm cm^2")] = Field(
        default=0.0, alias="contact_resistance", ge=0, le=1e6, description="porous: in series from the beginning"
    )
    spectra_at: str | None = Field(
        default=None,
        description="porous: cycles, separated by commas, in whose charge at half of the capacity the cell rests for 10 "
        "min and its impedance is taken, 1 MHz to 10 mHz",
    )
    spectrum_noise: Annotated[float, InUnit("1")] = Field(
        default=0.003, ge=0, le=0.2, description="porous: standard deviation of either part of a point, share of |Z|"
    )
    plateau_V: Annotated[float, InUnit("V")] = Field(
        default=3.3,
        alias="plateau",
        description="simple: potential of the insertion electrode against the metal, half full",
    )
    softness_V: Annotated[float, InUnit("V")] = Field(
        default=5e-3,
        alias="softness",
        ge=1e-4,
        le=1,
        description="simple: of the ends of the plateau: A in E0 + A (1/x - 1/(1 - x))",
    )
    specific_capacity_mAh_g: Annotated[float, InUnit("mAh/g")] = Field(
        default=110.0, alias="specific_capacity", gt=0, description="simple: accessible capacity of the insertion electrode"
    )
    electrode_resistance_ohm_cm2: Annotated[float, InUnit("ohm cm^2")] = Field(
        default=20.0, alias="electrode_resistance", ge=0, description="simple: of the insertion electrode"
    )
    rate_loss: float = Field(
        default=0.05, ge=0, lt=1, description="simple: part of the capacity lost at 1C, times sqrt(rate)"
    )
    fade_linear: float = Field(default=1e-4, ge=0, lt=1, description="simple: part of the capacity lost each cycle")
    fade_sqrt: float = Field(default=0.0, ge=0, lt=1, description="simple: part of the capacity lost with sqrt(cycles)")
    efficiency: float = Field(default=0.999, gt=0.5, le=1, description="Coulombic efficiency")
    scatter: float = Field(
        default=5e-4, ge=0, lt=0.2, description="simple: standard deviation of the capacity from cycle to cycle, part of it"
    )
    scatter_correlation: float = Field(
        default=0.0,
        ge=0,
        lt=0.99,
        description="simple: correlation of that between neighbouring cycles (temperature of the room)",
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
        description="simple: sudden rise of polarization in each discharge at 1C; in proportion to the rate",
    )
    counter_step_at: float = Field(
        default=0.5, gt=0, lt=1, description="simple: part of the accessible capacity at which that step comes"
    )

    @property
    def spectrum_cycles(self) -> frozenset[int]:
        """Cycles in which a spectrum is taken."""
        return frozenset() if self.spectra_at is None else frozenset(int(part) for part in self.spectra_at.split(","))

    @field_validator("spectra_at")
    @classmethod
    def _counts(cls, text: str | None) -> str | None:
        if text is not None and not all(part.strip().isdigit() and int(part) > 0 for part in text.split(",")):
            raise ValueError(f"found {text!r}, expected numbers of cycles separated by commas, such as '1, 100'")
        return text

    @model_validator(mode="after")
    def _limits(self) -> Self:
        others = _OF_THE_SIMPLE_MODEL if self.model == "porous" else _OF_THE_POROUS_MODEL
        fields = type(self).model_fields
        strange = [name for name in others if getattr(self, name) != fields[name].default]
        if strange:
            name = fields[strange[0]].alias or strange[0]
            other = "simple" if self.model == "porous" else "porous"
            raise ValueError(
                f'found {name}, which the {self.model} model does not have; expected model = "{other}" with it'
            )
        if self.model == "porous":
            if not self.lower_voltage_V < self.upper_voltage_V:
                raise ValueError(
                    f"found lower_voltage {self.lower_voltage_V:g} V and upper_voltage {self.upper_voltage_V:g} V, "
                    "expected the lower below the upper"
                )
            return self
        if not self.lower_voltage_V < self.plateau_V < self.upper_voltage_V:
            raise ValueError(
                f"found lower_voltage {self.lower_voltage_V:g} V, plateau {self.plateau_V:g} V and upper_voltage "
                f"{self.upper_voltage_V:g} V, expected them in this order"
            )
        return self


def insertion_cell(cell: Cell, protocol: FullCellProtocol, instrument: FullCellInstrument) -> InsertionCell:
    """Return the model: the insertion electrode of the instrument against the metal electrode of `cell`.

    Raises
    ------
    InputError
        If the area is missing.
    """
    area = _area_cm2(protocol)
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
        If the area is missing, there would be more than 20 million rows, or (simple model) a rate leaves no capacity.
    SolverError
        If the solver finds no solution; with the record up to there.
    """
    random, trace, failed = np.random.default_rng(seed), Trace(), ""
    area = _area_cm2(protocol)
    if instrument.model == "porous":
        cathode = (
            load_part("cathode", instrument.cathode) if instrument.cathode else cell.cathode or load_part("cathode", "nvp")
        )
        cell = cell.model_copy(update={"cathode": full_cell_cathode(cell, cathode)})
        _hold_limits(cathode.plateau.value, instrument)
        porous = PorousRun(cell, area, protocol.active_mass_mg, instrument, trace, random)
        one_c_mA = protocol.one_c_mA or porous.one_c_mA
        _bounded(rates_C, instrument, porous.one_c_mA / one_c_mA)
        truth = porous.cycle(rates_C, one_c_mA)
        notes, left_out, assumed, failed = porous.told, LEFT_OUT_POROUS, [], porous.failed
    else:
        model = insertion_cell(cell, protocol, instrument)
        one_c_mA = protocol.one_c_mA or model.capacity_mAh
        _bounded(rates_C, instrument, model.capacity_mAh / one_c_mA)
        truth = _simple(model, instrument, rates_C, one_c_mA, random, trace)
        notes, left_out, assumed = (), LEFT_OUT, _assumed(instrument)
    inputs = {
        "experiment": kind,
        "cell": cell.to_dict(),
        "protocol": protocol.model_dump(mode="json"),
        "instrument": instrument.model_dump(mode="json"),
        "seed": seed,
    }
    record = virtual_record(
        kind,
        inputs,
        trace.columns(instrument, instrument.current_error, random),
        assumptions=[*cell.assumptions(), *assumed],
        left_out=left_out,
        notes=notes,
    )
    if failed:
        raise SolverError(failed, record)
    return record, truth


def _area_cm2(protocol: FullCellProtocol) -> float:
    if protocol.area_cm2 is None:
        raise InputError("missing; a virtual instrument needs the area of the cell, such as '1 cm^2'", "area")
    return protocol.area_cm2


def _hold_limits(plateau_V: float, instrument: FullCellInstrument) -> None:
    if not instrument.lower_voltage_V < plateau_V < instrument.upper_voltage_V:
        raise InputError(
            f"found lower_voltage {instrument.lower_voltage_V:g} V and upper_voltage {instrument.upper_voltage_V:g} V, "
            f"expected them around the plateau of the insertion electrode, {plateau_V:g} V",
            "instrument",
        )


def _bounded(rates_C: Sequence[float], instrument: FullCellInstrument, full_h: float) -> None:
    """Refuse a test of too many rows; `full_h` is how long its 1C takes for the whole capacity."""
    samples = sum(2 * (3600 * full_h / rate + instrument.rest_s) / instrument.sampling_interval_s for rate in rates_C)
    if samples > _MOST_SAMPLES:
        raise InputError(
            f"about {samples:.3g} samples, expected at most {_MOST_SAMPLES:.0e}; sample less often", "sampling_interval"
        )


def _simple(
    model: InsertionCell,
    instrument: FullCellInstrument,
    rates_C: Sequence[float],
    one_c_mA: float,
    random: np.random.Generator,
    trace: Trace,
) -> Truth:
    """Run the simple model through its cycles."""
    factor = 1.0 + instrument.scatter * _correlated(random, len(rates_C), instrument.scatter_correlation)
    capacities = []

    def rest(x: float, cycle: int) -> None:
        voltage = float(model.open_circuit_V(np.array(x)))
        trace.rest(instrument.rest_s, instrument.sampling_interval_s, voltage, cycle)

    x = model.discharged_to(instrument.lower_voltage_V, rates_C[0] * one_c_mA)
    trace.add(np.zeros(1), np.zeros(1), model.open_circuit_V(np.array([x])), 1)
    for number, rate in enumerate(rates_C, start=1):
        current = rate * one_c_mA
        accessible = model.accessible_mAh(rate, number) * float(factor[number - 1])
        begins = x
        x = _charge(model, instrument, current, accessible, begins, number, trace)
        charge = (begins - x) * accessible / model.efficiency
        rest(x, number)
        ends = _discharge(model, instrument, current, rate, accessible, x, number, trace)
        if not begins > x or not ends > x:
            raise InputError(
                f"at {rate:g}C polarization exceeds the window of the voltage and no capacity is left; expected a lower "
                "rate or wider limits",
                "rates",
            )
        capacities.append(((ends - x) * accessible, charge))
        x = ends
        rest(x, number)
    out = np.array(capacities)
    return Truth(out[:, 0], out[:, 1], np.array(rates_C, dtype=float))


def _charge(
    model: InsertionCell,
    instrument: FullCellInstrument,
    current: float,
    accessible: float,
    x: float,
    cycle: int,
    trace: Trace,
) -> float:
    """Charge from x to the upper limit, and hold it there if asked for; return x at the end."""
    ends = model.charged_to(instrument.upper_voltage_V, current)
    if not ends < x:
        return x
    duration_s = 3600.0 * (x - ends) * accessible / model.efficiency / current
    times = sample_times_s(duration_s, instrument.sampling_interval_s)
    path = x + (ends - x) * times / duration_s
    trace.add(times, np.full(times.size, current), model.open_circuit_V(path) + model.overpotential_V(current), cycle)
    if instrument.hold_until is None:
        return ends
    solved_s, solved_mA, reached = model.hold(
        instrument.upper_voltage_V, current, instrument.hold_until * current, accessible
    )
    times = sample_times_s(float(solved_s[-1]), instrument.sampling_interval_s)
    trace.add(times, np.interp(times, solved_s, solved_mA), np.full(times.size, instrument.upper_voltage_V), cycle)
    return reached


def _discharge(
    model: InsertionCell,
    instrument: FullCellInstrument,
    current: float,
    rate_C: float,
    accessible: float,
    x: float,
    cycle: int,
    trace: Trace,
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
    trace.add(
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
