"""The virtual instrument of nucleation: plating on a bare substrate against the metal, sampled as a cycler samples."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sodiophile.errors import SolverError
from sodiophile.experiments._virtual_cycler import Trace, refuse_too_many
from sodiophile.experiments.base import set_by_operator
from sodiophile.experiments.nucleation.protocol import NucleationProtocol
from sodiophile.physics.cell import Cell
from sodiophile.physics.dip import plate
from sodiophile.physics.instrument import Instrument, sample_times_by_voltage_s, sample_times_s, until_limit
from sodiophile.physics.nucleation import Transient
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.physics.symmetric_step import ended_by
from sodiophile.records import CyclingRecord
from sodiophile.schema import InUnit

_PRECISION_s = 1e-3
_ENDING_POINTS = 60
_DENSE_POINTS = 400
_FEWEST_STEPS = 4
_LEFT_OUT = [
    "formation of the interphase on the substrate during plating",
    "growth under diffusion zones that overlap (each nucleus has its own supply, all share that of the separator)",
    "nuclei that move or coalesce, facets, dendrites",
    "change of conductivity, diffusivity and transference number with concentration",
]


class VirtualInstrument(Instrument):
    """The cycler and its programme."""

    rest_s: Annotated[float, InUnit("s")] = Field(default=60.0, alias="rest", ge=0, description="the rest before plating")
    sampling_interval_s: Annotated[float, InUnit("s")] = Field(
        default=1.0, alias="sampling_interval", gt=0, description="the time between two samples"
    )
    compliance_V: Annotated[float, InUnit("V")] = Field(
        default=5.0, alias="compliance", gt=0, description="the highest voltage of the cycler; it ends the plating"
    )


def simulate(
    cell: Cell, protocol: NucleationProtocol, seed: int = 0, instrument: VirtualInstrument | None = None
) -> CyclingRecord:
    """Plate on the cell's substrate against a pristine metal electrode and return what a cycler would have recorded.

    Parameters
    ----------
    cell
        The cell; its substrate is the working electrode.
    protocol
        What the operator sets; current density and capacity must be given.
    seed
        Of the noise.
    instrument
        The cycler; a good one by default.

    Returns
    -------
    CyclingRecord
        Marked simulated: the rest, sampled as plating is, then the plating.

    Raises
    ------
    InputError
        If current density or capacity is missing, no metal can grow, or the record would have more than 20 million rows.
    SolverError
        If the equations of nucleation could not be solved to the end; the error holds the record up to there.

    Notes
    -----
    Plating that uses up salt or metal ends at the compliance of the cycler; a note of the record says so and why.
    """
    instrument = instrument or VirtualInstrument()
    j, capacity = set_by_operator(protocol, "current_density_mA_cm2", "capacity_mAh_cm2")
    duration_s = capacity / j * 3600.0
    refuse_too_many((instrument.rest_s + duration_s) / instrument.sampling_interval_s, instrument.sampling_interval_s)
    failure: SolverError | None = None
    try:
        solved_s, solved_V = cell_voltage(cell, j, duration_s, limit_V=instrument.compliance_V)
    except SolverError as error:
        if not isinstance(error.so_far, tuple):
            raise
        failure, (solved_s, solved_V) = error, error.so_far
    notes: tuple[str, ...] = ()
    if failure is not None:
        duration_s = float(solved_s[-1])
        notes = (f"simulated: the plating ended early: {failure}",)
    elif solved_s[-1] < duration_s * (1.0 - 1e-9):
        duration_s = float(solved_s[-1])
        step = SymmetricCell(cell).step(j, plating=True)
        told = ended_by(step, duration_s, "plating", instrument.compliance_V)
        if abs(float(step.without_plating_V([duration_s])[0])) < 0.5 * instrument.compliance_V:
            told = (
                f"simulated: plating ended at {instrument.compliance_V:g} V: ions do not reach the nuclei fast enough for "
                f"{j:g} mA/cm^2; less current or more sites"
            )
        notes = (told,)
    if instrument.voltage_interval_V is None:
        plating_s = sample_times_s(duration_s, instrument.sampling_interval_s)
    else:
        plating_s = sample_times_by_voltage_s(
            solved_s,
            solved_V,
            instrument.sampling_interval_s,
            instrument.voltage_interval_V,
            instrument.shortest_interval_s,
        )
    open_V = cell.substrate.open_circuit_potential.value
    trace = Trace()
    if plating_s.size == 1:
        # one sample alone counts as stray
        plating_s = np.append(0.5 * plating_s, plating_s)
    rest_s = np.zeros(1)
    if instrument.rest_s > 0:
        rest_s = np.append(rest_s, sample_times_s(instrument.rest_s, instrument.sampling_interval_s))
    trace.add(rest_s, 0.0, np.full(rest_s.size, open_V), 1, instrument.rest_s)
    trace.add(plating_s, -j, np.interp(plating_s, solved_s, solved_V), 1, duration_s)
    record = trace.record("nucleation", cell, protocol, instrument, seed, left_out=_LEFT_OUT, notes=notes)
    if failure is not None:
        raise SolverError(str(failure), record)
    return record


def cell_voltage(
    cell: Cell, current_density_mA_cm2: float, duration_s: float, tolerance_V: float = 2e-5, limit_V: float = 5.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the voltage between substrate and metal without any instrument, plating negative.

    The overpotential of the substrate (`sodiophile.physics.dip.plate`), the drop in its interphase, and all of a symmetric
    cell but for its plating electrode: stripping, electrolyte, concentration.

    Parameters
    ----------
    cell
        The cell.
    current_density_mA_cm2
        mA/cm2, above 0.
    duration_s
        s.
    tolerance_V
        Of the solver, a step.
    limit_V
        Plating ends where the voltage reaches this, V.

    Returns
    -------
    time_s, voltage_V : ndarray
        Shape (n,): the times of the solver, dense where the voltage bends; the last one is the end.

    Raises
    ------
    InputError
        If no metal can grow.
    SolverError
        If the equations of nucleation could not be solved to the end; with times and voltages up to there.
    """
    step = SymmetricCell(cell).step(current_density_mA_cm2, plating=True)
    # beyond the time at which the rest of the cell has run out, nothing of the substrate is seen
    dense_s = np.geomspace(min(_PRECISION_s, duration_s), duration_s, _DENSE_POINTS)
    duration_s = float(until_limit(step.without_plating_V, dense_s, limit_V, _PRECISION_s)[0][-1])
    failure: SolverError | None = None
    try:
        solved = plate(
            cell.nucleation,
            current_density_mA_cm2 * 10.0,
            duration_s,
            start_V=-cell.substrate.open_circuit_potential.value,
            tolerance_V=tolerance_V,
        )
    except SolverError as error:
        if not isinstance(error.so_far, Transient) or error.so_far.time_s.size < _FEWEST_STEPS:
            raise
        failure, solved = error, error.so_far
    interphase_V = 1e-3 * cell.substrate.resistance.value / cell.factor(cell.substrate.resistance_activation_energy)

    def voltage_V(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return step.without_plating_V(times_s) - solved.at(times_s) - interphase_V * current_density_mA_cm2

    times_s, _ = until_limit(voltage_V, solved.time_s[1:], limit_V, _PRECISION_s)
    if times_s[-1] < solved.time_s[-1]:
        # the voltage runs away at the end, between two steps of the solver
        ending_s = times_s[-1] - np.geomspace(_PRECISION_s, 0.5 * times_s[-1], _ENDING_POINTS)
        times_s = np.union1d(times_s, ending_s)
    times_s = np.append(0.0, times_s)
    found_V = np.clip(voltage_V(times_s), -limit_V, limit_V)
    if failure is not None:
        raise SolverError(str(failure), (times_s, found_V))
    return times_s, found_V
