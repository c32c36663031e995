"""From spectra to arcs: the circuit that the data support, resistances with intervals, and whether arcs are told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sodiophile.experiments.impedance.protocol import SpectrumProtocol
from sodiophile.physics.arc_circuits import ALL, FULL, ArcPlace, Candidate, Place, arcs_of
from sodiophile.physics.arcs import candidate_bounds, fit_arcs, preferred
from sodiophile.physics.circuit_fit import CircuitFit, Spectra, bounds, profile_intervals
from sodiophile.physics.circuit_parser import Element, elements, parse_circuit
from sodiophile.physics.circuit_parser import Series as InSeries
from sodiophile.physics.circuit_search import fit_circuit
from sodiophile.physics.circuits import ELEMENTS, Array, Circuit
from sodiophile.physics.kramers_kronig import KramersKronig, kramers_kronig_test
from sodiophile.records.impedance import Spectrum

Resolved = Literal["two", "one", "sum", "none"]

_OUTSIDE = 3.0
_STEP = 1e-5


@dataclass(frozen=True)
class Estimate:
    """A positive number from a fit.

    Parameters
    ----------
    value
        In its unit.
    relative_error
        Standard error of its logarithm, the accuracy of the instrument included where it is a resistance.
    low, high
        95 % interval.
    """

    value: float
    relative_error: float
    low: float
    high: float

    @classmethod
    def of_log(cls, log: float, error: float, t: float) -> Estimate:
        """Make one from a logarithm and its standard error."""
        return cls(_exp(log), error, _exp(log - t * error), _exp(log + t * error))

    def with_accuracy(self, accuracy: float, t: float) -> Estimate:
        """Return it with the accuracy of the instrument included: a common error of all points, anywhere within it."""
        scale = accuracy / np.sqrt(3.0)
        below, above = (float(np.hypot(np.log(self.value / end), t * scale)) for end in (self.low, self.high))
        return Estimate(
            self.value,
            float(np.hypot(self.relative_error, scale)),
            self.value * _exp(-below),
            self.value * _exp(above),
        )


def _exp(log: float) -> float:
    """Return e^log, at most 1e130: what is unknown to that degree is unknown."""
    return float(np.exp(np.clip(log, -300.0, 300.0)))


@dataclass(frozen=True)
class Arc:
    """One arc of a fit: resistance in ohm, time constant in s, exponent, effective capacitance in F."""

    place: ArcPlace
    resistance: Estimate
    tau: Estimate
    alpha: float
    capacitance: Estimate

    @property
    def apex_Hz(self) -> float:
        """Frequency of its top."""
        return 1 / (2 * np.pi * self.tau.value)


@dataclass(frozen=True)
class Finding:
    """What one spectrum showed.

    Parameters
    ----------
    spectrum, fit
        The spectrum and the fit of the chosen circuit.
    circuit
        The circuit as people write it.
    series
        The series resistance in ohm, None if the circuit has none or the data do not show it.
    arcs
        Fast ones first.
    total
        Sum of the resistances of all arcs, ohm; None without arcs.
    resolved
        ``two``: each arc is told; ``one``: there is one; ``sum``: several that are not told apart; ``none``.
    reasons
        Why, one sentence each.
    consistency
        The Kramers-Kronig test.
    """

    spectrum: Spectrum
    fit: CircuitFit
    circuit: str
    series: Estimate | None
    arcs: tuple[Arc, ...]
    total: Estimate | None
    resolved: Resolved
    reasons: tuple[str, ...]
    consistency: KramersKronig

    @property
    def tail(self) -> bool:
        """True if the circuit has an element for diffusion or blocking outside its arcs."""
        kinds = {element.kind for element in elements(parse_circuit(self.circuit, ELEMENTS))}
        free = len(kinds & {"W", "Wo", "Ws", "G"}) > 0
        return free or self.circuit.endswith("-CPE3")


@dataclass(frozen=True)
class Series:
    """What a series of spectra showed.

    Parameters
    ----------
    findings
        One a spectrum.
    differences
        Circuit -> AICc above the lowest, over the whole series; empty where the user chose the circuit.
    candidate
        The chosen one of the automatic circuits, None where the user chose.
    notes
        What the reader must know of the choice.
    """

    findings: tuple[Finding, ...]
    differences: dict[str, float]
    candidate: Candidate | None
    notes: tuple[str, ...] = field(default=())


def fitted(spectra: Sequence[Spectrum], protocol: SpectrumProtocol) -> Series:
    """Fit a series of spectra with one circuit for all, chosen from the data unless the protocol says which.

    Parameters
    ----------
    spectra
        As `sodiophile.experiments.impedance.spectra.prepared` returns them.
    protocol
        Of the measurement.
    """
    batch = Spectra.of([(one.frequency_Hz, one.impedance_ohm) for one in spectra], protocol.weighting)
    if protocol.circuit is not None:
        circuit = Circuit(protocol.circuit)
        fits, agreement = fit_circuit(circuit, batch)
        lower, upper = bounds(circuit, batch)
        notes = [
            f"{one.name}: only {share:.0%} of the random starts ended at this fit; another minimum may be lower"
            for one, share in zip(spectra, agreement, strict=True)
            if share < 0.05
        ]
        findings = _findings(spectra, batch, fits, circuit.text, arcs_of(circuit), lower, upper, protocol)
        return Series(findings, {}, None, tuple(notes))
    allowed = [candidate for candidate in ALL if _asked_for(candidate, protocol)]
    several = fit_arcs(batch, allowed, series=True)
    chosen, differences = preferred(several, protocol.accuracy)
    notes = []
    while chosen.arcs > 0 and protocol.arcs == "auto":
        unseen = [_unseen(fit, chosen) for fit in several[chosen]]
        if 2 * sum(bool(reason) for reason in unseen) <= len(unseen):
            break
        fewer = {candidate: fits for candidate, fits in several.items() if candidate.arcs < chosen.arcs}
        simpler, _ = preferred(fewer, protocol.accuracy)
        better = differences[simpler] - differences[chosen]
        reason = next(reason for reason in unseen if reason)
        notes.append(
            f"{chosen.text} has an AICc lower by {better:.0f} than {simpler.text}, but {reason}: these data do not tell it"
        )
        chosen = simpler
    lower, upper = candidate_bounds(chosen, batch)
    places = arcs_of(FULL)[: chosen.arcs]
    findings = _findings(spectra, batch, several[chosen], chosen.text, places, lower, upper, protocol)
    named = {candidate.text: difference for candidate, difference in differences.items()}
    return Series(findings, dict(sorted(named.items(), key=lambda item: item[1])), chosen, tuple(notes))


def _asked_for(candidate: Candidate, protocol: SpectrumProtocol) -> bool:
    return (
        protocol.arcs in {"auto", str(candidate.arcs)}
        and protocol.tail in {"auto", candidate.tail}
        and protocol.inductance in {"auto", "yes" if candidate.inductance else "no"}
    )


def _unseen(fit: CircuitFit, candidate: Candidate) -> str:
    """Say why the data do not hold an arc of a fit, or nothing."""
    fast, slow = 2 * np.pi * fit.frequency_Hz.max(), 2 * np.pi * fit.frequency_Hz.min()
    for R, tau in ((Place.R1, Place.TAU1), (Place.R2, Place.TAU2))[: candidate.arcs]:
        time = float(np.exp(fit.coordinates[tau]))
        error = np.sqrt(fit.covariance[R, R])
        top = f"the top of an arc at {1 / (2 * np.pi * time):.3g} Hz"
        if time * fast < 1 / _OUTSIDE or time * slow > _OUTSIDE:
            return f"{top} lies far outside the measured frequencies"
        if (time * fast < 1 or time * slow > 1) and error > 0.3:
            return f"{top} lies outside the measured frequencies and its resistance is uncertain by {error:.0%}"
        if fit.at_bound[R]:
            return f"the resistance of the arc at {1 / (2 * np.pi * time):.3g} Hz runs to the end of its range"
    return ""


def _findings(
    spectra: Sequence[Spectrum],
    batch: Spectra,
    fits: Sequence[CircuitFit],
    text: str,
    places: Sequence[ArcPlace],
    lower: Array,
    upper: Array,
    protocol: SpectrumProtocol,
) -> tuple[Finding, ...]:
    targets = [[place.resistance] for place in places]
    if len(places) > 1:
        targets.append([place.resistance for place in places])
    intervals = [profile_intervals(batch, fits, _LogSum(members), lower, upper) for members in targets]
    found = []
    for k, (spectrum, fit) in enumerate(zip(spectra, fits, strict=True)):
        u = fit.coordinates
        estimates = [
            _estimate(fit, _LogSum(members), intervals[i][k]).with_accuracy(protocol.accuracy, fit.t)
            for i, members in enumerate(targets)
        ]
        series = _series_place(fit)
        arcs = sorted(
            (_arc(fit, place, estimates[i], series, protocol) for i, place in enumerate(places)),
            key=lambda arc: arc.tau.value,
        )
        total = estimates[-1] if estimates else None
        R0 = None
        if series is not None and fit.free[series] and fit.known:
            R0 = Estimate.of_log(float(u[series]), float(np.sqrt(fit.covariance[series, series])), fit.t)
            R0 = R0.with_accuracy(protocol.accuracy, fit.t)
        resolved, reasons = _told_apart(fit, arcs, protocol)
        test = kramers_kronig_test(spectrum.frequency_Hz, spectrum.impedance_ohm)
        found.append(Finding(spectrum, fit, text, R0, tuple(arcs), total, resolved, tuple(reasons), test))
    return tuple(found)


@dataclass(frozen=True)
class _LogSum:
    """Logarithm of a sum of resistances, and its gradient."""

    members: list[int]

    def __call__(self, u: Array) -> tuple[Array, Array]:
        logs = u[:, self.members]
        value = np.logaddexp.reduce(logs, axis=1)
        gradient = np.zeros_like(u)
        gradient[:, self.members] = np.exp(logs - value[:, None])
        return value, gradient


def _estimate(fit: CircuitFit, target: _LogSum, interval: tuple[float, float, bool]) -> Estimate:
    value, gradient = target(fit.coordinates[None])
    error = fit.log_error(gradient[0])
    low, high, _ = interval
    if np.isnan(low):
        return Estimate.of_log(float(value[0]), error, fit.t)
    return Estimate(_exp(float(value[0])), error, _exp(low), _exp(high))


def _series_place(fit: CircuitFit) -> int | None:
    """Return where the series resistance stands: the resistor at the top level of the circuit."""
    tree = fit.circuit.tree
    for part in tree.parts if isinstance(tree, InSeries) else (tree,):
        if isinstance(part, Element) and part.kind == "R":
            return fit.circuit.index(part.name)
    return None


def _arc(fit: CircuitFit, place: ArcPlace, R: Estimate, series: int | None, protocol: SpectrumProtocol) -> Arc:
    def log_C(u: Array) -> float:
        return place.log_capacitance(u, series, protocol.capacitance)

    u = fit.coordinates
    tau = Estimate.of_log(place.log_tau(u), fit.log_error(_gradient(place.log_tau, u)), fit.t)
    capacitance = Estimate.of_log(log_C(u), fit.log_error(_gradient(log_C, u)), fit.t)
    return Arc(place, R, tau, place.exponent(u), capacitance)


def _gradient(function: Callable[[Array], float], u: Array) -> Array:
    steps = _STEP * np.eye(len(u))
    return np.array([(function(u + step) - function(u - step)) / (2 * _STEP) for step in steps])


def _told_apart(fit: CircuitFit, arcs: Sequence[Arc], protocol: SpectrumProtocol) -> tuple[Resolved, list[str]]:
    if not arcs:
        return "none", ["no circuit with an arc describes the spectrum better than one without"]
    faults = [fault for arc in arcs for fault in _faults(fit, arc, protocol)]
    if len(arcs) == 1:
        top = f"one arc with its top at {arcs[0].apex_Hz:.3g} Hz"
        return ("none", [top, *faults]) if faults else ("one", [top])
    if len(arcs) > 2:
        return "sum", [f"{len(arcs)} arcs: their names are not this program's to give", *faults]
    first, second = arcs
    ratio = second.tau.value / first.tau.value
    apart = f"time constants {first.tau.value:.3g} s and {second.tau.value:.3g} s, a ratio of {ratio:.3g}"
    if ratio < protocol.arc_separation:
        faults.append(f"{apart}, below {protocol.arc_separation:g}")
    correlation = fit.correlation(first.place.resistance, second.place.resistance)
    worst = max(arc.resistance.relative_error for arc in arcs)
    # a well-known sum correlates two well-known parts as well: that is no fault
    if abs(correlation) > protocol.largest_correlation and worst > protocol.largest_error / 2:
        faults.append(f"the two resistances are correlated by {correlation:.3f} and one is uncertain by {worst:.0%}")
    return ("sum", faults) if faults else ("two", [apart])


def _faults(fit: CircuitFit, arc: Arc, protocol: SpectrumProtocol) -> list[str]:
    """Say why the resistance of an arc is not told by the data."""
    name = f"the arc at {arc.apex_Hz:.3g} Hz"
    if not fit.known:
        return ["the fit has no unique minimum: some parameters trade freely"]
    faults = []
    held = [
        fit.circuit.parameters[place].name
        for place in (arc.place.resistance, arc.place.tau, arc.place.capacity)
        if place is not None and fit.at_bound[place]
    ]
    if held:
        faults.append(f"{name}: {', '.join(held)} runs to the end of its range")
    if arc.place.alpha is not None and fit.at_bound[arc.place.alpha] and arc.alpha < 0.5:
        faults.append(f"{name}: its exponent runs to {arc.alpha:g}, so flat that it is no arc")
    if arc.resistance.relative_error > protocol.largest_error:
        faults.append(f"{name}: its resistance is uncertain by {arc.resistance.relative_error:.0%}")
    fast, slow = fit.frequency_Hz.max(), fit.frequency_Hz.min()
    if arc.apex_Hz > _OUTSIDE * fast or arc.apex_Hz < slow / _OUTSIDE:
        faults.append(f"{name}: its top lies far outside the measured {slow:.3g} to {fast:.3g} Hz")
    uncertain = arc.resistance.relative_error > protocol.largest_error / 2
    for other, parameter in enumerate(fit.circuit.parameters):
        if other in {arc.place.resistance, arc.place.tau, arc.place.alpha, arc.place.capacity} or not fit.free[other]:
            continue
        correlation = fit.correlation(arc.place.resistance, other)
        mutual = parameter.role in {"R", "Q", "sigma"} and not parameter.name.startswith("Zarc")
        if mutual and abs(correlation) > protocol.largest_correlation and uncertain:
            faults.append(f"{name}: its resistance is correlated with {parameter.name} by {correlation:.3f}")
    return faults
