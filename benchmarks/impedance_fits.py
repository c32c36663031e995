"""Fits of 100 two-arc spectra of 60 points: ours with its own starting values and 95 % intervals, against impedance.py.

impedance.py (MIT, https://github.com/ECSHackWeek/impedance.py) fits the same spectra in the same run, given a good
starting guess (the true values off by up to 30 %), weighted by the modulus as ours. It is no dependency of this project:
pip install impedance, in any environment that has this package, to see the comparison.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from sodiophile.physics.arc_circuits import FULL, Candidate, arcs_of
from sodiophile.physics.arcs import candidate_bounds, fit_arcs
from sodiophile.physics.circuit_fit import Spectra, profile_intervals
from sodiophile.physics.circuits import Circuit

SPECTRA, POINTS, NOISE = 100, 60, 0.005
ROUNDS = 5
CIRCUIT = "R0-p(R1,CPE1)-p(R2,CPE2)"
TWO_ARCS = Candidate(2, "none", inductance=False)


def drawn() -> tuple[list[tuple[np.ndarray, np.ndarray]], list[dict[str, float]]]:
    """Draw the spectra and what they were made with."""
    random = np.random.default_rng(1)
    frequency = np.geomspace(1e5, 1e-1, POINTS)
    circuit = Circuit("R0-Zarc1-Zarc2")
    spectra, truths = [], []
    for _ in range(SPECTRA):
        R1, R2 = np.exp(random.normal(np.log(100), 0.6, 2))
        tau1 = 10 ** random.uniform(-4.5, -3.2)
        values = {
            "R0": random.uniform(3, 20),
            "Zarc1.R": R1,
            "Zarc1.tau": tau1,
            "Zarc1.alpha": random.uniform(0.75, 0.98),
            "Zarc2.R": R2,
            "Zarc2.tau": tau1 * 10 ** random.uniform(1.3, 2.5),
            "Zarc2.alpha": random.uniform(0.75, 0.98),
        }
        Z = circuit.impedance_ohm(frequency, values)
        Z = Z + NOISE * np.abs(Z) * (random.standard_normal(POINTS) + 1j * random.standard_normal(POINTS))
        spectra.append((frequency, Z))
        truths.append(values)
    return spectra, truths


class LogSum:
    """Logarithm of the sum of some resistances and its gradient."""

    def __init__(self, members: list[int]) -> None:
        self.members = members

    def __call__(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value = np.logaddexp.reduce(u[:, self.members], axis=1)
        gradient = np.zeros_like(u)
        gradient[:, self.members] = np.exp(u[:, self.members] - value[:, None])
        return value, gradient


def ours(spectra: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, list[list[tuple[float, float, bool]]]]:
    """Fit everything; return the residual of each and the intervals of R1, R2 and their sum."""
    batch = Spectra.of(spectra)
    fits = fit_arcs(batch, [TWO_ARCS])[TWO_ARCS]
    places = [arc.resistance for arc in arcs_of(FULL)]
    low, high = candidate_bounds(TWO_ARCS, batch)
    intervals = [profile_intervals(batch, fits, LogSum(group), low, high) for group in ([places[0]], [places[1]], places)]
    return np.array([fit.misfit for fit in fits]), intervals


def theirs(spectra: list[tuple[np.ndarray, np.ndarray]], truths: list[dict[str, float]]) -> np.ndarray:
    """Fit everything with impedance.py from a good guess; return the residual of each."""
    from impedance.models.circuits import CustomCircuit

    random = np.random.default_rng(2)
    residuals = []
    for (frequency, Z), truth in zip(spectra, truths, strict=True):
        guess = [truth["R0"]]
        for k in (1, 2):
            R, tau, alpha = (truth[f"Zarc{k}.{name}"] for name in ("R", "tau", "alpha"))
            guess += [R, tau**alpha / R, alpha]
        off = [value * random.uniform(0.7, 1.3) for value in guess]
        for place in (3, 6):
            off[place] = min(max(guess[place], 0.6), 0.99)
        circuit = CustomCircuit(CIRCUIT, initial_guess=off)
        circuit.fit(frequency, Z, weight_by_modulus=True)
        error = np.abs(Z - circuit.predict(frequency)) / np.abs(Z)
        residuals.append(np.sqrt(np.mean(error**2)))
    return np.array(residuals)


def timed(function, *arguments) -> tuple[float, object]:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def main() -> None:
    spectra, truths = drawn()
    ours(spectra[:2])  # the first call pays for imports
    times, misfits, intervals = [], None, None
    for _ in range(ROUNDS):
        seconds, (misfits, intervals) = timed(ours, spectra)
        times.append(seconds)
    assert misfits is not None
    assert intervals is not None
    truth = np.log([[t["Zarc1.R"], t["Zarc2.R"], t["Zarc1.R"] + t["Zarc2.R"]] for t in truths]).T
    covered = [
        np.mean([low <= value <= high for (low, high, _), value in zip(several, values, strict=True)])
        for several, values in zip(intervals, truth, strict=True)
    ]
    print(f"{SPECTRA} spectra of {POINTS} points, two arcs, noise {NOISE:.1%}; times of {ROUNDS} rounds")
    print(
        f"sodiophile     {statistics.median(times):8.3f} s (best {min(times):.3f}), own starting values, intervals checked"
    )
    print(f"               residual rms median {np.median(misfits):.3%}, largest {misfits.max():.3%}")
    print(f"               95 % intervals hold R1 {covered[0]:.0%}, R2 {covered[1]:.0%}, sum {covered[2]:.0%}")
    try:
        import impedance
    except ImportError:
        print("impedance.py   not installed: pip install impedance for the comparison")
        return
    seconds, other = timed(theirs, spectra, truths)
    print(f"impedance.py   {seconds:8.3f} s, version {impedance.__version__}")
    print("               given a guess within 30 % of the truth, no intervals")
    print(f"               residual rms median {np.median(other):.3%}, largest {other.max():.3%}")
    worse = int(np.sum(misfits > other * (1 + 1e-4)))
    print(f"ratio          {seconds / statistics.median(times):8.1f} x; our residual is larger in {worse} of {SPECTRA}")


if __name__ == "__main__":
    main()
