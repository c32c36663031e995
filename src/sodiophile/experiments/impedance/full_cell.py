"""The spectrum of a full cell: an insertion electrode against the metal, after the cycles of its history, half charged."""

from __future__ import annotations

from sodiophile.errors import InputError, SolverError
from sodiophile.experiments.base import electrons_of_metal
from sodiophile.experiments.impedance.protocol import ImpedanceProtocol
from sodiophile.experiments.impedance.simulate import ImpedanceAnalyzer, record_of
from sodiophile.physics.cell import Cell
from sodiophile.physics.porous_cell import PorousCell
from sodiophile.physics.porous_layout import full_cell_cathode
from sodiophile.physics.porous_stretch import Stretch
from sodiophile.physics.sets import load_part
from sodiophile.records.impedance import ImpedanceRecord

_OF_THE_SYMMETRIC_CELL = ("drift", "exponent", "interphase_capacitance_uF_cm2", "double_layer_capacitance_uF_cm2")
_PAUSE_s = 60.0
_LEAST_REST_s = 600.0
_GENTLE_h = 5.0


def spectrum_of_full_cell(
    cell: Cell, protocol: ImpedanceProtocol, seed: int, instrument: ImpedanceAnalyzer
) -> ImpedanceRecord:
    """Cycle a full cell, charge it to half of its capacity, let it rest, and return its spectrum.

    The cycles of the history charge to the upper voltage or to `capacity_before`, whichever comes first, and discharge to
    the lower voltage; between half cycles the cell pauses for a minute. Before the spectrum it rests for 10 min, or for
    `rest_before`. The spectrum is the linearization of the equations that the cell was cycled with, at one temperature.

    Parameters
    ----------
    cell
        Metal electrode, interlayer, separator, electrolyte, and the insertion electrode if it has one.
    protocol
        Area, and the temperature if it is not the cell's own.
    seed
        Of the noise.
    instrument
        The analyzer, the limits of the voltage, and the history.

    Raises
    ------
    InputError
        If something is set that only the symmetric cell has, the metal is not single-charged, or the cell takes no charge.
    SolverError
        If the equations have no solution on the way.
    """
    instrument.refuse_set(
        _OF_THE_SYMMETRIC_CELL, "expected none with electrodes = 1: a full cell has the arcs of its own equations"
    )
    if protocol.temperature_K is not None:
        cell = cell.at(protocol.temperature_K)
    named = load_part("cathode", instrument.cathode) if instrument.cathode else cell.cathode or load_part("cathode", "nvp")
    cell = cell.model_copy(update={"cathode": full_cell_cathode(cell, named)})
    electrons_of_metal(protocol.electrons, cell)
    porous = PorousCell(cell)
    low, high = instrument.lower_voltage_V, instrument.upper_voltage_V
    if not low < named.plateau.value < high:
        raise InputError(
            f"found lower_voltage {low:g} V and upper_voltage {high:g} V, expected them around the plateau of the "
            f"insertion electrode, {named.plateau.value:g} V",
            "impedance",
        )
    j, capacity = instrument.current_density_before_mA_cm2, instrument.capacity_before_mAh_cm2
    if j is not None and capacity is not None:
        for number in range(1, instrument.cycles_before + 1):
            for part, what in (
                (porous.charge(j, high, capacity / j * 3600.0), "charge"),
                (porous.rest(_PAUSE_s), "rest"),
                (porous.discharge(j, low), "discharge"),
                (porous.rest(_PAUSE_s), "rest"),
            ):
                _solved(part, f"the {what} of cycle {number} before the measurement")
    gentle = porous.capacity_mAh_cm2 / _GENTLE_h
    half_s = 0.5 * porous.capacity_mAh_cm2 / gentle * 3600.0
    charged = _solved(porous.charge(gentle, high, half_s), "the charge before the measurement")
    if charged.ended != "duration":
        raise InputError(f"the cell takes no half of its charge before the measurement: {charged.words}", "impedance")
    _solved(porous.rest(max(_LEAST_REST_s, 3600.0 * instrument.rest_before_h)), "the rest before the measurement")
    return record_of(
        cell,
        protocol,
        seed,
        instrument,
        lambda frequency_Hz, _: porous.impedance_ohm_cm2(frequency_Hz),
        f"simulated: a full cell with {named.title}, {porous.loading_mg_cm2:g} mg/cm^2, half charged, after "
        f"{instrument.cycles_before} cycles: arcs of metal and insertion electrode lie together",
    )


def _solved(part: Stretch, what: str) -> Stretch:
    if part.ended == "solver":
        raise SolverError(f"{what}: {part.words}", None)
    return part
