"""The steps of a rate test: consecutive cycles at one measured current density, their polarization, drift and scatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sodiophile.experiments.symmetric_rate.protocol import SymmetricRateProtocol

_LEAST_FOR_DRIFT = 3


@dataclass(frozen=True)
class RateStep:
    """One step.

    Parameters
    ----------
    number
        From 1, in order of time.
    first_cycle, last_cycle, cycles
        Which cycles, and how many complete ones.
    current_density_mA_cm2, capacity_mAh_cm2
        Medians.
    polarization_mV, error_mV
        (|V_plate| + |V_strip|)/2, mean over the cycles after settling, with its standard error.
    drift_mV, drift_error_mV, drift_p
        Change over the settled cycles by a straight line, its standard error, and the level at which it differs from none;
        None for fewer than three cycles.
    spread_mV
        Largest less smallest polarization of its cycles after settling, or of all where only one is left.
    start_h, end_h
        Times.
    at_limit, ended_early
        Half cycles that ended at the voltage limit, and before their programme was through for any reason.
    share
        Median part of the programme that those passed; None where there are none, or it cannot be told.
    """

    number: int
    first_cycle: int
    last_cycle: int
    cycles: int
    current_density_mA_cm2: float
    capacity_mAh_cm2: float
    polarization_mV: float
    error_mV: float
    drift_mV: float | None
    drift_error_mV: float | None
    drift_p: float | None
    spread_mV: float
    start_h: float
    end_h: float
    at_limit: int
    ended_early: int
    share: float | None

    def stable(self, protocol: SymmetricRateProtocol) -> bool:
        """Tell whether the cell takes the current to the end of every half cycle, and the polarization stays."""
        return self.ended_early == 0 and not self.drifts(protocol)

    def drifts(self, protocol: SymmetricRateProtocol) -> bool:
        """Tell whether the polarization moves by more than is called stable, and significantly so."""
        if self.drift_mV is None or self.drift_p is None:
            return self.spread_mV > protocol.stable_drift * abs(self.polarization_mV)
        large = abs(self.drift_mV) > protocol.stable_drift * abs(self.polarization_mV)
        return large and self.drift_p < protocol.significance


def rate_steps(cycles: pl.DataFrame, resolution_mV: float, protocol: SymmetricRateProtocol) -> list[RateStep]:
    """Group cycles into steps by their measured current density.

    Parameters
    ----------
    cycles
        The table of cycles, in order, with the half cycles of each that ended at the voltage limit (``at_limit``) or early
        at all (``ended_early``), and after which part of their programme (``share``).
    resolution_mV
        Of the voltage in the file.
    protocol
        How near two currents must be to be one, and how many cycles a step needs to settle.
    """
    if cycles.height == 0:
        return []
    density = cycles["current_density_mA_cm2"].to_numpy()
    begins = [0]
    for k in range(1, density.size):
        reference = float(np.median(density[begins[-1] : k]))
        if abs(density[k] / reference - 1) > protocol.same_current:
            begins.append(k)
    ends = [*begins[1:], density.size]
    return [
        _step(number, cycles.slice(begin, end - begin), resolution_mV, protocol)
        for number, (begin, end) in enumerate(zip(begins, ends, strict=True), start=1)
    ]


def _step(number: int, part: pl.DataFrame, resolution_mV: float, protocol: SymmetricRateProtocol) -> RateStep:
    from scipy.stats import linregress, t

    early = part["ended_early"].to_numpy()
    whole = part.filter(pl.col("ended_early") == 0) if (early == 0).any() else part
    eta = whole["polarization_mean_mV"].to_numpy()
    skip = min(protocol.settling_cycles, max(eta.size - 1, 0))
    kept = eta[skip:]
    noise = whole["noise_mV"].to_numpy()[skip:] / np.sqrt(np.maximum(whole["samples"].to_numpy()[skip:], 1))
    floor = float(np.hypot(np.sqrt(np.mean(noise**2)) / np.sqrt(kept.size), resolution_mV / np.sqrt(12 * kept.size)))
    error = floor
    if kept.size > 1:
        # few cycles know their scatter badly: the factor makes two standard errors cover as two of many do
        wide = float(t.ppf(0.975, kept.size - 1)) / 1.96
        error = max(floor, wide * float(np.std(kept, ddof=1)) / np.sqrt(kept.size))
    drift = drift_error = p = None
    if kept.size >= _LEAST_FOR_DRIFT:
        at = np.arange(kept.size, dtype=float)
        line = linregress(at, kept)
        drift = float(line.slope) * (kept.size - 1)
        spread = max(float(line.stderr), floor * np.sqrt(kept.size / float(np.sum((at - at.mean()) ** 2))))
        drift_error = spread * (kept.size - 1)
        p = float(2 * t.sf(abs(drift) / drift_error, kept.size - 2)) if drift_error > 0 else float(drift == 0)
    return RateStep(
        number=number,
        first_cycle=int(part["cycle"][0]),
        last_cycle=int(part["cycle"][-1]),
        cycles=part.height,
        current_density_mA_cm2=float(np.median(part["current_density_mA_cm2"].to_numpy())),
        capacity_mAh_cm2=float(np.median(part["capacity_mAh_cm2"].to_numpy())),
        polarization_mV=float(kept.mean()),
        error_mV=error,
        drift_mV=drift,
        drift_error_mV=drift_error,
        drift_p=p,
        spread_mV=float(np.ptp(kept if kept.size > 1 else eta)),
        start_h=float(part["start_h"][0]),
        end_h=float(part["end_h"][-1]),
        at_limit=int(part["at_limit"].sum()),
        ended_early=int(early.sum()),
        share=part["share"].median() if early.any() else None,  # type: ignore[arg-type]
    )


def step_table(steps: list[RateStep], protocol: SymmetricRateProtocol) -> pl.DataFrame:
    """Return one row a step."""
    return pl.DataFrame(
        {
            "step": [step.number for step in steps],
            "first_cycle": [step.first_cycle for step in steps],
            "last_cycle": [step.last_cycle for step in steps],
            "cycles": [step.cycles for step in steps],
            "start_h": [step.start_h for step in steps],
            "end_h": [step.end_h for step in steps],
            "current_density_mA_cm2": [step.current_density_mA_cm2 for step in steps],
            "capacity_mAh_cm2": [step.capacity_mAh_cm2 for step in steps],
            "polarization_mV": [step.polarization_mV for step in steps],
            "uncertainty_mV": [step.error_mV for step in steps],
            "drift_mV": [step.drift_mV for step in steps],
            "drift_uncertainty_mV": [step.drift_error_mV for step in steps],
            "spread_mV": [step.spread_mV for step in steps],
            "resistance_ohm_cm2": [step.polarization_mV / step.current_density_mA_cm2 for step in steps],
            "ended_at_limit": [step.at_limit for step in steps],
            "ended_early": [step.ended_early for step in steps],
            "share_of_programme": [step.share for step in steps],
            "stable": [step.stable(protocol) for step in steps],
        },
        schema_overrides={"drift_mV": pl.Float64, "drift_uncertainty_mV": pl.Float64, "share_of_programme": pl.Float64},
    )
