"""Activation energies of interphase and charge transfer from impedance spectra at several temperatures.

Each spectrum is fitted with the same circuit; a weighted line goes through ln(T/R) against 1/T, and one fit of all spectra
together stands beside it. For T/R the slope is the activation energy of the exchange current density; for 1/R it is smaller
by about RT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments.activation_energy.arrhenius import ArrheniusLine, arrhenius_line
from sodiophile.experiments.activation_energy.joint import JointFit, joint_fit
from sodiophile.experiments.activation_energy.protocol import ActivationEnergyProtocol, temperatures_K
from sodiophile.experiments.impedance import tables
from sodiophile.experiments.impedance.fitting import Estimate, Finding, Series, fitted
from sodiophile.experiments.impedance.spectra import impedance_records, prepared, repeated
from sodiophile.experiments.impedance.verdicts import warnings
from sodiophile.physics.circuit_fit import Spectra
from sodiophile.physics.circuits import Array
from sodiophile.quantity import Quantity, Status
from sodiophile.records.cycling import CyclingRecord
from sodiophile.records.impedance import ImpedanceRecord, Spectrum
from sodiophile.result import Result, Verdict

KIND = "activation-energy"
VERSION = 1

_FEWEST = 3
_DISAGREE = 2.0
_LARGEST_ERROR = 0.3
# a jackknife over few temperatures is wide by itself (Efron and Stein): Student's t would widen it twice
_NORMAL = 1.959964
_ARC_NAMES = {
    "sei": "the faster arc, called SEI,",
    "charge_transfer": "the slower arc, called charge transfer,",
    "interfacial": "the one arc (interphase and charge transfer together)",
}


@dataclass(frozen=True)
class _Process:
    """One resistance against temperature: which spectra tell it, its lines, its joint fit (Ea, error in kJ/mol)."""

    name: str
    what: str
    estimates: tuple[Estimate | None, ...]
    line: ArrheniusLine
    inverse: ArrheniusLine
    joint: tuple[float, float] | None


def analyze(records: Sequence[ImpedanceRecord | CyclingRecord], protocol: ActivationEnergyProtocol) -> Result:
    """Analyze a temperature series.

    Parameters
    ----------
    records
        Spectra of one cell, one or several a record, in the order of the temperatures in the protocol.
    protocol
        Of the measurement.

    Raises
    ------
    InputError
        If nobody stated the temperatures, there are fewer than three different ones, a spectrum is unfit, or two of them
        hold the same numbers.
    """
    several = impedance_records(records)
    spectra, notes = _spectra(several, protocol)
    kelvins, origin = temperatures_K(
        protocol, [spectrum.name for spectrum in spectra], [spectrum.temperature_K for spectrum in spectra]
    )
    notes += _contradictions(spectra, kelvins)
    _refuse_copies(spectra, kelvins)
    order = np.argsort(kelvins, kind="stable")
    spectra = [replace(spectra[k], temperature_K=kelvins[k]) for k in order]
    T = np.array(kelvins)[order]
    if len(np.unique(np.round(T, 3))) < _FEWEST:
        raise InputError(f"{len(np.unique(T))} different temperatures, expected at least {_FEWEST}", KIND)
    series = fitted(spectra, protocol)
    batch = Spectra.of([(one.frequency_Hz, one.impedance_ohm) for one in spectra], protocol.weighting)
    fits = [finding.fit for finding in series.findings]
    joint = None
    if series.candidate is not None:
        joint = joint_fit(T, fits, batch, series.candidate, protocol.temperature_error_K)
    processes = _processes(series, T, protocol, joint)
    status: Status = "simulated" if any(record.simulated for record in several) else "measured"
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(by_alias=False),
            "temperatures_K": [float(kelvin) for kelvin in T],
            "temperatures_from": origin,
            "records": [one.to_dict() for record in several for one in record.provenance],
            "version": VERSION,
        },
        quantities=_quantities(processes, joint, series, status),
        verdicts=_verdicts(processes, series, joint, T, origin),
        warnings=(*notes, *series.notes, *warnings(series, protocol), *_flagged(processes)),
        tables={
            "activation_energies": _energies(processes),
            "arrhenius": _points(processes, T, protocol),
            "lines": _lines(processes, T, protocol),
            "joint": _joint(joint),
            "fits": tables.fits(series, protocol),
            "points": tables.points(series, protocol),
        },
        simulated=status == "simulated",
    )


def _spectra(records: Sequence[ImpedanceRecord], protocol: ActivationEnergyProtocol) -> tuple[list[Spectrum], list[str]]:
    spectra, notes = [], [note for record in records for note in record.notes]
    for record in records:
        for spectrum in record.spectra():
            ready, remarks = prepared(spectrum, protocol)
            spectra.append(ready)
            notes += remarks
    return spectra, notes


def _refuse_copies(spectra: Sequence[Spectrum], kelvins: Sequence[float]) -> None:
    copies = repeated(spectra)
    if not copies:
        return
    one, other = (f"{spectra[k].name} ({kelvins[k] - 273.15:.1f} degC)" for k in copies[0])
    more = f" ({len(copies)} spectra are copies of another)" if len(copies) > 1 else ""
    raise InputError(
        f"{one} and {other} hold the same impedance, expected a measurement of its own for each temperature{more}", KIND
    )


def _contradictions(spectra: Sequence[Spectrum], kelvins: Sequence[float]) -> list[str]:
    return [
        f"{spectrum.name}: the record states {spectrum.temperature_K:.1f} K, the user {kelvin:.1f} K; the user's is taken"
        for spectrum, kelvin in zip(spectra, kelvins, strict=True)
        if spectrum.temperature_K is not None and abs(spectrum.temperature_K - kelvin) > _DISAGREE
    ]


def _processes(series: Series, T: Array, protocol: ActivationEnergyProtocol, joint: JointFit | None) -> list[_Process]:
    findings = series.findings
    arcs = max(len(finding.arcs) for finding in findings)
    wanted: list[tuple[str, str, Callable[[Finding], Estimate | None]]] = [
        (
            "interfacial",
            "sum of the arcs" if arcs > 1 else _ARC_NAMES["interfacial"],
            lambda finding: finding.total if finding.resolved != "none" else None,
        )
    ]
    if arcs == 2:
        wanted += [(name, _ARC_NAMES[name], _told(which)) for which, name in enumerate(("sei", "charge_transfer"))]
    found = []
    for name, what, get in wanted:
        estimates = tuple(get(finding) for finding in findings)
        told = np.array([estimate is not None for estimate in estimates])
        if len(np.unique(np.round(T[told], 3))) < _FEWEST:
            continue
        values = np.array([estimate.value for estimate in estimates if estimate is not None])
        # a common error of the instrument moves all resistances alike and leaves the slope
        errors = np.array([estimate.relative_error for estimate in estimates if estimate is not None])
        line, inverse = (
            arrhenius_line(T[told], values, errors, protocol.temperature_error_K, with_T=with_T) for with_T in (True, False)
        )
        both = _joint_by_name(joint).get(name)
        found.append(_Process(name, what, estimates, line, inverse, both))
    return found


def _told(which: int) -> Callable[[Finding], Estimate | None]:
    return lambda finding: finding.arcs[which].resistance if finding.resolved == "two" else None


def _joint_by_name(joint: JointFit | None) -> dict[str, tuple[float, float]]:
    """Return activation energy and error of each arc of the joint fit by the name of its process, kJ/mol."""
    if joint is None:
        return {}
    names = ("sei", "charge_transfer") if len(joint.activation_energies_kJ_mol) == 2 else ("interfacial",)
    return dict(zip(names, zip(joint.activation_energies_kJ_mol, joint.errors_kJ_mol, strict=True), strict=True))


def _quantities(
    processes: Sequence[_Process], joint: JointFit | None, series: Series, status: Status
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    n = len(series.findings)
    for process in processes:
        used = len(process.line.y)
        base = f"of {process.what} of {series.findings[0].circuit}"
        at = f"{used} of {n} temperatures" if used < n else f"{n} temperatures"
        definition = f"{base}, from T/R = A exp(-Ea/RT), weighted line through {at}"
        name = f"{process.name}_activation_energy"
        found[name] = Quantity(
            process.line.activation_energy_kJ_mol, "kJ/mol", process.line.error_kJ_mol, definition, status
        )
        found[f"{name}:1/R"] = Quantity(
            process.inverse.activation_energy_kJ_mol,
            "kJ/mol",
            process.inverse.error_kJ_mol,
            definition.replace("T/R = A", "1/R = A"),
            status,
        )
    for name, (energy, error) in _joint_by_name(joint).items():
        if energy <= 0 or error > _LARGEST_ERROR * energy:
            continue
        found[f"{name}_activation_energy:joint"] = Quantity(
            energy,
            "kJ/mol",
            error,
            f"of {_ARC_NAMES[name]} of {series.findings[0].circuit}, from T/R = A exp(-Ea/RT), one fit of all {n} spectra, "
            "error by jackknife over temperatures",
            status,
        )
    main = "charge_transfer" if any(process.name == "charge_transfer" for process in processes) else "interfacial"
    one_arc = max(len(finding.arcs) for finding in series.findings) == 1
    if f"{main}_activation_energy" in found and (main == "charge_transfer" or one_arc):
        found = {"activation_energy": found[f"{main}_activation_energy"], **found}
    return found


def _verdicts(
    processes: Sequence[_Process], series: Series, joint: JointFit | None, T: Array, origin: str
) -> dict[str, Verdict]:
    told = [finding.resolved for finding in series.findings]
    evidence = [
        f"{T[k] - 273.15:.1f} degC: {'; '.join(finding.reasons)}"
        for k, finding in enumerate(series.findings)
        if finding.resolved in {"sum", "none"}
    ]
    answer = (
        f"two arcs told apart at {told.count('two')} of {len(told)} temperatures"
        if max(len(finding.arcs) for finding in series.findings) == 2
        else f"one arc at {told.count('one')} of {len(told)} temperatures"
    )
    found = {
        "arcs": Verdict(answer, (f"circuit {series.findings[0].circuit} for all", *evidence)),
        "temperatures": Verdict(f"{T[0] - 273.15:.1f} to {T[-1] - 273.15:.1f} degC, {origin}"),
    }
    for process in processes:
        line = process.line
        reasons = [
            f"{len(line.y)} points; R between {min(_values(process)):.4g} and {max(_values(process)):.4g} ohm",
            f"scatter beyond the stated uncertainties: {line.scatter:.2%} of R"
            if line.scatter > 0
            else "no scatter beyond the stated uncertainties",
        ]
        if process.joint is not None:
            apart = abs(process.joint[0] - line.activation_energy_kJ_mol)
            room = float(np.hypot(process.joint[1], line.error_kJ_mol))
            agree = "agrees" if apart <= _DISAGREE * room else "DISAGREES"
            reasons.append(f"the joint fit {agree}: {process.joint[0]:.1f}({process.joint[1]:.1f}) kJ/mol")
        found[f"{process.name}_line"] = Verdict(
            "straight" if not line.flags else "to be read with care", (*line.flags, *reasons)
        )
    if joint is not None:
        answer = "ended at a minimum" if joint.converged else "did not end at a minimum for every set of temperatures"
        said = [f"misfit {joint.misfit:.2%} of |Z| rms over all spectra"]
        if joint.lack_of_fit > 1:
            said.append(
                f"what the spectra are made to share costs {joint.lack_of_fit:.1f} times the misfit that noise explains; "
                f"errors are widened by {joint.lack_of_fit**0.5:.1f}"
            )
        found["joint_fit"] = Verdict(answer, tuple(said))
    return found


def _values(process: _Process) -> list[float]:
    return [estimate.value for estimate in process.estimates if estimate is not None]


def _flagged(processes: Sequence[_Process]) -> list[str]:
    return [f"{process.name.replace('_', ' ')}: {flag}" for process in processes for flag in process.line.flags]


def _energies(processes: Sequence[_Process]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for process in processes:
        for variant, line in (("T/R", process.line), ("1/R", process.inverse)):
            low, high = line.interval_kJ_mol or (None, None)
            rows.append(
                {
                    "process": process.name,
                    "method": f"line, {variant}",
                    "activation_energy_kJ_mol": line.activation_energy_kJ_mol,
                    "error_kJ_mol": line.error_kJ_mol,
                    "low_95_kJ_mol": low,
                    "high_95_kJ_mol": high,
                    "log_prefactor": line.log_prefactor,
                    "scatter": line.scatter,
                    "temperatures": len(line.y),
                    "degrees_of_freedom": line.dof,
                }
            )
    schema = {"process": pl.String, "method": pl.String, "activation_energy_kJ_mol": pl.Float64, "error_kJ_mol": pl.Float64}
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame(schema=schema)


def _joint(joint: JointFit | None) -> pl.DataFrame:
    rows = [
        (name, energy, error, energy - _NORMAL * error, energy + _NORMAL * error)
        for name, (energy, error) in _joint_by_name(joint).items()
    ]
    numbers = ("activation_energy_kJ_mol", "error_kJ_mol", "low_95_kJ_mol", "high_95_kJ_mol")
    schema = {"process": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _points(processes: Sequence[_Process], T: Array, protocol: ActivationEnergyProtocol) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    scale = protocol.area_cm2 / protocol.electrodes
    for process in processes:
        for kelvin, estimate in zip(T, process.estimates, strict=True):
            if estimate is None:
                continue
            R = estimate.value * scale
            rows.append(
                {
                    "process": process.name,
                    "temperature_K": float(kelvin),
                    "reciprocal_temperature_1000_K": 1e3 / float(kelvin),
                    "resistance_ohm_cm2": R,
                    "error_ohm_cm2": R * estimate.relative_error,
                    "log_T_over_R": float(np.log(kelvin / R)),
                    "error_of_log": estimate.relative_error,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _lines(processes: Sequence[_Process], T: Array, protocol: ActivationEnergyProtocol) -> pl.DataFrame:
    """Return the lines and their 95 % bands on a grid, for R per area and electrode."""
    grid = 1 / np.linspace(1 / T.max(), 1 / T.min(), 41)
    shift = float(np.log(protocol.area_cm2 / protocol.electrodes))
    parts = []
    for process in processes:
        y, error = process.line.at(grid)
        reach = process.line.coverage_factor * error
        parts.append(
            pl.DataFrame(
                {
                    "process": [process.name] * len(grid),
                    "reciprocal_temperature_1000_K": 1e3 / grid,
                    "log_T_over_R": y - shift,
                    "low_95": y - shift - reach,
                    "high_95": y - shift + reach,
                }
            )
        )
    return pl.concat(parts) if parts else pl.DataFrame()
