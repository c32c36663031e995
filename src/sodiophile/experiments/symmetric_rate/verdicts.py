"""Whether steps are stable, voltage scales with current, the curve is a straight line, and the cell comes back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sodiophile.experiments.symmetric_rate.limits import CutShort
from sodiophile.experiments.symmetric_rate.line import FALLS, FLAT, Line, scaling
from sodiophile.experiments.symmetric_rate.protocol import SymmetricRateProtocol
from sodiophile.experiments.symmetric_rate.steps import RateStep
from sodiophile.result import Verdict

STABLE = "stable at every current density"
AT_LIMIT = "half cycles end at the voltage limit"
ENDED_EARLY = "half cycles end before their programme is through"
SUSPECTED = "soft short suspected: the voltage falls while the current rises"
SUBLINEAR = "rises less than charge transfer allows: saturating interphase, grown surface or soft short"
SCALES = "scales with the current"
LINE = "a straight line"
THROUGH_ORIGIN = "a straight line through the origin: a resistor"
BENT_DOWN = "bent down: kinetics or a saturating interphase"
BENT_UP = "bent up: depletion of salt or growth with current"
RETURNS = "returns"
NO_RETURN = "the test never went back to its first current density"

_CLEARLY = 2.0
_ROOM_K = 298.15


def stability(steps: list[RateStep], cut: CutShort, protocol: SymmetricRateProtocol) -> Verdict:
    """Say at which steps the polarization moves, or the cell does not take the current to the end of a half cycle."""
    failing = [step for step in steps if not step.stable(protocol)]
    if not failing:
        evidence = tuple(
            f"{step.current_density_mA_cm2:.3g} mA/cm^2: "
            + (f"drift {step.drift_mV:+.2g} mV" if step.drift_mV is not None else f"spread {step.spread_mV:.2g} mV")
            + f" of {step.polarization_mV:.4g} mV over {step.cycles} cycles"
            for step in steps
        )
        return Verdict(STABLE, evidence)
    first = failing[0]
    words = f"not stable from {first.current_density_mA_cm2:.3g} mA/cm^2 (step {first.number})"
    if first.at_limit:
        words += f": {AT_LIMIT}"
    elif first.ended_early:
        words += f": {ENDED_EARLY}"
    return Verdict(words, tuple(_why_not_stable(step, cut, protocol) for step in failing))


def _why_not_stable(step: RateStep, cut: CutShort, protocol: SymmetricRateProtocol) -> str:
    found = []
    if step.ended_early:
        where = f"ended at the voltage limit of {cut.limit_V:.3g} V" if step.at_limit else "ended early"
        found.append(f"{step.at_limit or step.ended_early} half cycles of {step.cycles} cycles {where}")
        if step.share is not None:
            found.append(f"after {100 * step.share:.3g} % of what the programme passes elsewhere")
    if step.drifts(protocol):
        moves = (
            f"drift {step.drift_mV:+.3g} +/- {step.drift_error_mV:.2g} mV"
            if step.drift_mV is not None
            else f"spread {step.spread_mV:.3g} mV"
        )
        found.append(f"{moves} of {step.polarization_mV:.4g} mV")
    return f"step {step.number} at {step.current_density_mA_cm2:.3g} mA/cm^2: " + ", ".join(found)


def scaling_verdict(up: list[RateStep], protocol: SymmetricRateProtocol) -> Verdict:
    """Say whether the voltage answers each rise of the current as a cell without a short does."""
    found = [
        scaling(before, after, protocol.temperature_K or _ROOM_K, protocol.electrons) for before, after in pairwise(up)
    ]
    falls = tuple(words for answer, words in found if answer == FALLS)
    flat = tuple(words for answer, words in found if answer == FLAT)
    if falls:
        return Verdict(SUSPECTED, falls + flat)
    if flat:
        return Verdict(SUBLINEAR, flat)
    if not found:
        return Verdict("cannot be told from this file", ("the current density never rises",))
    return Verdict(SCALES, tuple(words for _, words in found))


def straightness(up: list[RateStep], line: Line | None, protocol: SymmetricRateProtocol) -> Verdict:
    """Say whether polarization against current density is a straight line, and one through the origin."""
    if line is None or len(up) < 3:
        return Verdict("cannot be told from this file", (f"{len(up)} current densities on the way up, expected three",))
    error = np.sqrt(np.diag(line.covariance))
    slope = f"R = {line.resistance_ohm_cm2:.4g} +/- {error[1]:.2g} ohm cm^2"
    evidence = [f"a = {line.intercept_mV:.3g} +/- {error[0]:.2g} mV, {slope}, reduced chi-square {line.scale:.3g}"]
    if line.curvature is None or line.curvature_p is None:
        evidence.append("three levels cannot show a curvature")
    else:
        evidence.append(f"curvature {line.curvature:+.3g} mV/(mA/cm^2)^2, p = {line.curvature_p:.2g}")
        if line.curvature_p < protocol.significance:
            return Verdict(BENT_DOWN if line.curvature < 0 else BENT_UP, tuple(evidence))
    if line.misfit_p is not None and line.misfit_p < protocol.significance:
        return Verdict("no straight line, but not bent one way either", (*evidence, f"misfit p = {line.misfit_p:.2g}"))
    if line.intercept_p is not None:
        evidence.append(f"intercept differs from 0 with p = {line.intercept_p:.2g}")
        if line.intercept_p < protocol.significance:
            if line.intercept_mV > 0:
                return Verdict(
                    BENT_DOWN, (*evidence, "a positive intercept: below the levels measured the curve is steeper")
                )
            return Verdict(BENT_UP, (*evidence, "a negative intercept: below the levels measured the curve is flatter"))
    answer = THROUGH_ORIGIN if line.curvature_p is not None else LINE
    return Verdict(answer, tuple(evidence))


def returned(steps: list[RateStep], protocol: SymmetricRateProtocol) -> RateStep | None:
    """Return the last step at the first current density after a higher one; None if there is none."""
    first = steps[0].current_density_mA_cm2
    higher = False
    found = None
    for step in steps[1:]:
        if step.current_density_mA_cm2 > first * (1 + protocol.same_current):
            higher = True
        elif higher and abs(step.current_density_mA_cm2 / first - 1) <= protocol.same_current:
            found = step
    return found if found is not None and steps[0].polarization_mV != 0 and found.polarization_mV != 0 else None


def returning(first: RateStep, back: RateStep | None, protocol: SymmetricRateProtocol) -> Verdict:
    """Say whether the polarization comes back with the first current density."""
    if back is None:
        return Verdict(NO_RETURN)
    if first.ended_early or back.ended_early:
        which = first if first.ended_early else back
        return Verdict("cannot be told from this file", (f"half cycles of step {which.number} end early",))
    ratio = back.polarization_mV / first.polarization_mV
    error = abs(ratio) * float(np.hypot(back.error_mV / back.polarization_mV, first.error_mV / first.polarization_mV))
    both = f"{first.polarization_mV:.4g} mV in step {first.number}, {back.polarization_mV:.4g} mV in step {back.number}"
    evidence = (f"{both}: ratio {ratio:.3f} +/- {error:.2g}, tolerance {protocol.return_tolerance:g}",)
    if abs(ratio - 1) <= protocol.return_tolerance:
        return Verdict(RETURNS, evidence)
    if abs(ratio - 1) - protocol.return_tolerance <= _CLEARLY * error:
        return Verdict("cannot be told: the scatter is larger than the difference", evidence)
    if ratio < 1:
        return Verdict("lower than at first: a grown surface, or a soft short at the high currents", evidence)
    return Verdict("higher than at first: an interphase or dead metal grew", evidence)
