"""From spectra to series, interphase and charge-transfer resistance, per area and per electrode, with verdicts.

Two arcs are named by the convention of the field: the faster one is the interphase (SEI), the slower one charge transfer.
It is a convention, not a proof; temperature series, thickness and time tell more.
"""

from __future__ import annotations

from collections.abc import Sequence

from sodiophile.errors import InputError
from sodiophile.experiments.impedance import tables
from sodiophile.experiments.impedance.fitting import Arc, Estimate, Finding, fitted
from sodiophile.experiments.impedance.protocol import ImpedanceProtocol, SpectrumProtocol
from sodiophile.experiments.impedance.spectra import impedance_records, prepared, repeated
from sodiophile.experiments.impedance.verdicts import verdicts, warnings
from sodiophile.physics.constants import inverse_thermal_voltage_1_V
from sodiophile.physics.relaxation_times import relaxation_times
from sodiophile.quantity import Quantity, Status
from sodiophile.records.cycling import CyclingRecord
from sodiophile.records.impedance import ImpedanceRecord, Spectrum
from sodiophile.result import Result

KIND = "impedance"
VERSION = 1


def analyze(records: Sequence[ImpedanceRecord | CyclingRecord], protocol: ImpedanceProtocol) -> Result:
    """Analyze one spectrum, or a series of them in the order of measurement.

    Parameters
    ----------
    records
        Impedance records, or cycling traces that hold impedance points; all spectra of all records are one series.
    protocol
        Of the measurement.

    Raises
    ------
    InputError
        If there is no spectrum, or one of them is unfit: too few points, negative real part, wrong sign of Im Z.
    """
    several = impedance_records(records)
    spectra: list[Spectrum] = []
    notes = [note for record in several for note in record.notes]
    for record in several:
        for spectrum in record.spectra():
            ready, remarks = prepared(spectrum, protocol)
            spectra.append(ready)
            notes += remarks
    notes += [
        f"{spectra[one].name} and {spectra[other].name} hold the same impedance: one measurement, given twice"
        for one, other in repeated(spectra)
    ]
    if protocol.spectrum > len(spectra):
        raise InputError(f"spectrum {protocol.spectrum} of a series of {len(spectra)}", KIND)
    series = fitted(spectra, protocol)
    chosen = series.findings[protocol.spectrum - 1]
    status: Status = "simulated" if any(record.simulated for record in several) else "measured"
    quantities = area_quantities(chosen, protocol, status)
    accuracy = max(2.5 * protocol.accuracy, 1.5 * chosen.consistency.rms)
    distribution = relaxation_times(chosen.spectrum.frequency_Hz, chosen.spectrum.impedance_ohm, accuracy)
    temperature_K = protocol.temperature_K or chosen.spectrum.temperature_K
    quantities.update(_exchange_current(chosen, protocol, temperature_K, status))
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(by_alias=False),
            "records": [origin.to_dict() for record in several for origin in record.provenance],
            "version": VERSION,
        },
        quantities=quantities,
        verdicts=verdicts(chosen, series, protocol, distribution),
        warnings=(*notes, *series.notes, *warnings(series, protocol)),
        tables={
            "fits": tables.fits(series, protocol),
            "parameters": tables.parameters(series),
            "candidates": tables.candidates(series),
            "points": tables.points(series, protocol),
            "relaxation_times": tables.distribution(distribution, protocol),
        },
        simulated=status == "simulated",
    )


def area_quantities(finding: Finding, protocol: SpectrumProtocol, status: Status) -> dict[str, Quantity]:
    """Return resistances times area and capacitances per area of one spectrum, only those that its data tell."""
    area, share = protocol.area_cm2, protocol.electrodes
    per = "per electrode, both being alike: half of the fitted value" if share == 2 else "of the whole cell"
    found: dict[str, Quantity] = {}

    def resistance(name: str, estimate: Estimate, divisor: int, definition: str) -> None:
        value = estimate.value * area / divisor
        found[name] = Quantity(value, "ohm cm^2", value * estimate.relative_error, definition, status)

    def capacitance(name: str, arc: Arc, what: str) -> None:
        value = arc.capacitance.value * share / area * 1e6
        formula = (
            "(RQ)^(1/alpha)/R (Hsu and Mansfeld 2001)"
            if protocol.capacitance == "hsu-mansfeld"
            else "Q^(1/alpha) (1/R0 + 1/R)^(1 - 1/alpha) (Brug 1984)"
        )
        definition = f"effective capacitance of {what}, C = {formula}; {per.replace('half of', 'twice')}"
        found[name] = Quantity(value, "uF/cm^2", value * arc.capacitance.relative_error, definition, status)

    if finding.series is not None:
        resistance("series_resistance", finding.series, 1, f"R0 of {finding.circuit}, times area, of the whole cell")
    if finding.resolved == "none" or finding.total is None:
        return found
    names = {"two": "sum of the two arcs", "one": "the one arc", "sum": "sum of arcs that are not told apart"}
    resistance(
        "interfacial_resistance",
        finding.total,
        share,
        f"{names[finding.resolved]} of {finding.circuit}, times area, {per}",
    )
    if finding.resolved == "two":
        sei, transfer = finding.arcs
        resistance("sei_resistance", sei.resistance, share, f"the faster arc of {finding.circuit}, times area, {per}")
        resistance(
            "charge_transfer_resistance",
            transfer.resistance,
            share,
            f"the slower arc of {finding.circuit}, times area, {per}",
        )
        capacitance("sei_capacitance", sei, "the faster arc")
        capacitance("charge_transfer_capacitance", transfer, "the slower arc")
    elif finding.resolved == "one":
        capacitance("interfacial_capacitance", finding.arcs[0], "the one arc")
    return found


def _exchange_current(
    finding: Finding, protocol: SpectrumProtocol, temperature_K: float | None, status: Status
) -> dict[str, Quantity]:
    if temperature_K is None or finding.total is None or finding.resolved == "none":
        return {}
    told = finding.resolved == "two"
    estimate = finding.arcs[1].resistance if told else finding.total
    factor = protocol.electrodes / (protocol.area_cm2 * inverse_thermal_voltage_1_V(temperature_K, protocol.electrons))
    value = 1e3 * factor / estimate.value
    what = "R_ct of the slower arc" if told else "all of the interfacial resistance, charge transfer being at most that"
    return {
        "apparent_exchange_current_density": Quantity(
            value,
            "mA/cm^2",
            value * estimate.relative_error,
            f"RT/(zF R_ct) at {temperature_K:.2f} K, z = {protocol.electrons}, with {what}; per geometric area",
            status,
            bound=None if told else "lower",
        )
    }
