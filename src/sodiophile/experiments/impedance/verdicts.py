"""What an impedance result says in words: how many arcs, whether the spectrum holds together, whether the circuit does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sodiophile.experiments.impedance.fitting import Finding, Series
from sodiophile.experiments.impedance.protocol import SpectrumProtocol
from sodiophile.physics.relaxation_times import RelaxationTimes
from sodiophile.result import Verdict

_MORE_THAN_CONSISTENT = 2.0
_LOW_END_OF_INTERPHASES_HZ = 1e3
_SMALL_F_CM2 = 1e-8
_ANSWERS = {
    "two": "two arcs",
    "one": "one arc",
    "sum": "arcs not told apart: only their sum is reported",
    "none": "no arc that these data tell",
}


def verdicts(
    finding: Finding, series: Series, protocol: SpectrumProtocol, distribution: RelaxationTimes
) -> dict[str, Verdict]:
    """Return the verdicts ``arcs``, ``kramers_kronig``, ``fit`` and ``circuit`` of one spectrum of a series."""
    return {
        "arcs": _arcs(finding, distribution),
        "kramers_kronig": _kramers_kronig(finding, protocol),
        "fit": _fit(finding, protocol),
        "circuit": _circuit(finding, series),
    }


def _arcs(finding: Finding, distribution: RelaxationTimes) -> Verdict:
    evidence = list(finding.reasons)
    tops = [f"{1 / (2 * np.pi * tau):.3g} Hz" for tau, _ in distribution.peaks]
    count = f"{len(tops)} peak{'' if len(tops) == 1 else 's'}"
    evidence.append(
        f"the distribution of relaxation times has {count} within the measured frequencies"
        + (f", at {', '.join(tops)}" if tops else "")
        + ("; the tail may count as one" if finding.tail else "")
    )
    if finding.resolved == "two":
        evidence.append("by convention the faster arc is called SEI and the slower one charge transfer; it proves nothing")
    return Verdict(_ANSWERS[finding.resolved], tuple(evidence))


def _kramers_kronig(finding: Finding, protocol: SpectrumProtocol) -> Verdict:
    test, limit = finding.consistency, protocol.consistency
    said = (
        f"{test.elements} Voigt elements leave {test.rms:.2%} of |Z| rms, "
        f"{test.systematic().max():.2%} in a running median over five points"
    )
    beyond = finding.spectrum.frequency_Hz[inconsistent(finding, limit)]
    if not beyond.size:
        return Verdict("consistent", (said,))
    reason = (
        f"that median exceeds {limit:.1%} and what noise can do, {test.chance():.2%}, at {beyond.size} points: "
        "drift, non-linearity or a bad contact"
    )
    return Verdict(f"inconsistent between {beyond.min():.3g} and {beyond.max():.3g} Hz", (said, reason))


def inconsistent(finding: Finding, limit: float) -> NDArray[np.bool_]:
    """Return the points where the running median of the Kramers-Kronig residual is too large and no chance, shape (n,)."""
    return finding.consistency.systematic() > max(limit, finding.consistency.chance())


def _fit(finding: Finding, protocol: SpectrumProtocol) -> Verdict:
    fit = finding.fit
    said = [f"misfit {fit.misfit:.2%} of |Z| rms; the Kramers-Kronig test leaves {finding.consistency.rms:.2%}"]
    if fit.widening > 1:
        said.append(
            f"neighbouring residuals are correlated by {fit.correlation_of_neighbours:.2f}: standard errors are widened "
            f"by {fit.widening**0.5:.2f}"
        )
    if not fit.converged:
        return Verdict("the search did not end at a minimum", tuple(said))
    if _too_simple(finding, protocol):
        said.append("a pattern is left that the measurement does not explain: there is more in this cell than the circuit")
        return Verdict("the circuit is too simple", tuple(said))
    return Verdict("adequate", tuple(said))


def _too_simple(finding: Finding, protocol: SpectrumProtocol) -> bool:
    fit = finding.fit
    error = (np.abs(fit.impedance_ohm - fit.fitted_ohm) / np.abs(fit.impedance_ohm))[~finding.consistency.lone]
    return float(np.sqrt(np.mean(error**2))) > max(_MORE_THAN_CONSISTENT * finding.consistency.rms, 1.5 * protocol.accuracy)


def _circuit(finding: Finding, series: Series) -> Verdict:
    if not series.differences:
        return Verdict(finding.circuit, ("chosen by the user",))
    rivals = [f"{text}: {difference:.1f}" for text, difference in list(series.differences.items())[:4]]
    return Verdict(finding.circuit, ("AICc above the lowest: " + "; ".join(rivals),))


def warnings(series: Series, protocol: SpectrumProtocol) -> list[str]:
    """Return what the reader of the numbers of a series must know, one sentence each."""
    found = []
    count = len(series.findings)

    def tell(which: Callable[[Finding], bool], what: str) -> None:
        names = [finding.spectrum.name for finding in series.findings if which(finding)]
        if names:
            where = names[0] if count == 1 else f"{len(names)} of {count} spectra, first {names[0]}"
            found.append(f"{where}: {what}")

    tell(
        lambda finding: finding.series is None and series.candidate is not None,
        "the series resistance is too small to be seen beside the rest",
    )
    tell(
        lambda finding: bool(inconsistent(finding, protocol.consistency).any()),
        "inconsistent with the Kramers-Kronig relations; the numbers describe no one state of the cell",
    )
    for finding in series.findings:
        lone = finding.spectrum.frequency_Hz[finding.consistency.lone]
        if lone.size:
            where = ", ".join(f"{one:.4g}" for one in lone)
            found.append(
                f"{finding.spectrum.name}: a lone point at {where} Hz stands off, as by interference; it is in the fit and "
                "widens the intervals"
            )
    tell(lambda finding: not finding.fit.converged, "the fit did not end at a minimum")
    tell(
        lambda finding: _too_simple(finding, protocol),
        "the circuit leaves a pattern that the measurement does not explain; intervals do not cover what the circuit lacks",
    )
    tell(
        lambda finding: float(finding.spectrum.frequency_Hz.max()) < _LOW_END_OF_INTERPHASES_HZ,
        f"no frequencies above {_LOW_END_OF_INTERPHASES_HZ:g} Hz: faster arcs, such as those of interphases, would be "
        "hidden in the series resistance",
    )
    scale = protocol.electrodes / protocol.area_cm2
    tell(
        lambda finding: finding.resolved in {"one", "two"} and finding.arcs[0].capacitance.value * scale < _SMALL_F_CM2,
        f"an arc has less than {1e6 * _SMALL_F_CM2:g} uF/cm2, as the bulk or the grain boundaries of a solid do (Irvine, "
        "Sinclair, West, Adv. Mater. 1990): it is no interphase and no double layer",
    )
    told = sum(finding.resolved == "two" for finding in series.findings)
    if 0 < told < count:
        found.append(f"two arcs are told apart in {told} of {count} spectra; the table says which")
    return found
