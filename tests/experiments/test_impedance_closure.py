"""Closure: spectra of known circuits with noise, gain error, drift and tails give them back within their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.experiments.impedance.fitting import fitted
from sodiophile.experiments.impedance.protocol import ImpedanceProtocol
from sodiophile.experiments.impedance.simulate import ImpedanceAnalyzer, measured_ohm
from sodiophile.experiments.impedance.spectra import prepared
from sodiophile.physics.circuits import Circuit
from sodiophile.records.impedance import impedance_record
from sodiophile.schema import checked

from .conftest import drifting

CIRCUIT = Circuit("L0-R0-Zarc1-Zarc2-CPE3")
PROTOCOL = checked(ImpedanceProtocol, {"area": "1 cm^2", "electrodes": 2}, "impedance")


def drawn(random: np.random.Generator):
    """Draw a cell and an instrument: two depressed arcs, half with a tail, half with an inductance that shows."""
    fast, slow = 10 ** random.uniform(5.3, 6.3), 10 ** random.uniform(-2, -1)
    tau = 10 ** random.uniform(-4.7, -3.3)
    R = np.exp(random.uniform(np.log(20), np.log(400), 2))
    tail, exponent = random.random() < 0.5, float(random.choice([0.5, random.uniform(0.45, 0.9)]))
    size = R.sum() * random.uniform(0.05, 0.6) if tail else 1e-9
    values = {
        "L0": 1e-7 if random.random() < 0.5 else 1e-13,
        "R0": random.uniform(2, 15),
        "Zarc1.R": R[0],
        "Zarc1.tau": tau,
        "Zarc1.alpha": random.uniform(0.75, 0.98),
        "Zarc2.R": R[1],
        "Zarc2.tau": tau * 10 ** random.uniform(1.3, 2.6),
        "Zarc2.alpha": random.uniform(0.75, 0.98),
        "CPE3.Q": (2 * np.pi * slow) ** -exponent / size,
        "CPE3.alpha": exponent,
    }
    instrument = checked(
        ImpedanceAnalyzer,
        {
            "highest_frequency": f"{fast} Hz",
            "lowest_frequency": f"{slow} Hz",
            "points_per_decade": int(random.integers(7, 11)),
            "noise": float(np.exp(random.uniform(np.log(0.002), np.log(0.01)))),
            "gain_error": float(random.uniform(-0.002, 0.002)),
            "drift": float(random.uniform(-0.003, 0.003)),
        },
        "instrument",
    )
    return values, instrument


def coverage(draws: int, seed: int):
    random = np.random.default_rng(seed)
    inside = {"R0": [], "R1": [], "R2": [], "total": []}
    told, converged = [], []
    for _ in range(draws):
        values, instrument = drawn(random)
        frequency = instrument.frequencies_Hz()
        record = impedance_record(frequency, measured_ohm(drifting(CIRCUIT, values), frequency, instrument, random))
        spectrum, _ = prepared(record.spectra()[0], PROTOCOL)
        (finding,) = fitted([spectrum], PROTOCOL).findings
        converged.append(finding.fit.converged)
        told.append(finding.resolved)
        truths = {"total": (finding.total, values["Zarc1.R"] + values["Zarc2.R"]), "R0": (finding.series, values["R0"])}
        if finding.resolved == "two":
            truths |= {f"R{k + 1}": (finding.arcs[k].resistance, values[f"Zarc{k + 1}.R"]) for k in (0, 1)}
        for name, (estimate, truth) in truths.items():
            if estimate is not None:
                inside[name].append(estimate.low <= truth <= estimate.high)
    return {name: (float(np.mean(hits)), len(hits)) for name, hits in inside.items()}, told, converged


def test_intervals_hold_the_truth_and_no_fit_fails():
    found, told, converged = coverage(100, 11)
    assert all(converged)
    assert told.count("two") >= 95
    for name, (share, count) in found.items():
        assert count >= 95, name
        # 90 % to all of 100: three standard deviations of the count below 95 % are 88.5 %
        assert share >= 0.885, (name, share)


@pytest.mark.slow
def test_intervals_cover_as_stated_over_a_thousand_draws():
    found, told, converged = coverage(1000, 2026)
    assert all(converged)
    assert told.count("two") >= 970
    for name, (share, _) in found.items():
        assert 0.90 <= share <= 0.98, (name, share)
