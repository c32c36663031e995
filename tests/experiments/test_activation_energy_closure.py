"""Closure: noisy spectra of known circuits at several temperatures give the activation energies back, through the fits."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.activation_energy.arrhenius import arrhenius_line
from sodiophile.experiments.impedance.simulate import ImpedanceAnalyzer, measured_ohm
from sodiophile.physics.circuits import Circuit
from sodiophile.physics.constants import GAS_J_mol_K
from sodiophile.records import Provenance
from sodiophile.records.impedance import impedance_record
from sodiophile.schema import checked

from .conftest import drifting

KIND = experiment("activation-energy")
CIRCUIT = Circuit("L0-R0-Zarc1-Zarc2-CPE3")
PROCESSES = ("sei", "charge_transfer", "interfacial")
MIDDLE_K = 303.15


def resistance_ohm(Ea_kJ_mol, at_middle, kelvin):
    """R with T/R = A exp(-Ea/RT)."""
    return at_middle * kelvin / MIDDLE_K * np.exp(Ea_kJ_mol * 1e3 / GAS_J_mol_K * (1 / kelvin - 1 / MIDDLE_K))


def drawn(random: np.random.Generator):
    """Draw a cell, its temperatures and an instrument: two depressed arcs, half with a tail; return what analyze needs."""
    count = int(random.integers(5, 8))
    stated_K = np.linspace(MIDDLE_K - 20.0, MIDDLE_K + 20.0, count)
    off_K = float(random.uniform(0.1, 0.5))
    true_K = stated_K + off_K * random.standard_normal(count)
    Ea = random.uniform(25.0, 60.0, 2)
    R = np.exp(random.uniform(np.log(30), np.log(300), 2))
    tau = 10 ** random.uniform(-4.7, -3.7)
    capacitance = np.array([tau / R[0], tau * 10 ** random.uniform(1.7, 2.6) / R[1]])
    alpha, tail = random.uniform(0.78, 0.98, 2), random.random() < 0.5
    tail_ohm = R.sum() * random.uniform(0.05, 0.4) if tail else 1e-9
    instrument = checked(
        ImpedanceAnalyzer,
        {
            "highest_frequency": "1 MHz",
            "lowest_frequency": "0.02 Hz",
            "points_per_decade": int(random.integers(7, 11)),
            "noise": float(np.exp(random.uniform(np.log(0.002), np.log(0.01)))),
            "gain_error": float(random.uniform(-0.002, 0.002)),
            "drift": float(random.uniform(-0.003, 0.003)),
        },
        "instrument",
    )
    frequency = instrument.frequencies_Hz()
    records, sums = [], []
    for k, kelvin in enumerate(true_K):
        at_T = [float(resistance_ohm(Ea[i], R[i], kelvin)) for i in (0, 1)]
        values = {"L0": 1e-8, "R0": 8.0 * float(resistance_ohm(15.0, 1.0, kelvin))}
        for i in (0, 1):
            values |= {
                f"Zarc{i + 1}.R": at_T[i],
                f"Zarc{i + 1}.tau": at_T[i] * capacitance[i],
                f"Zarc{i + 1}.alpha": alpha[i],
            }
        values |= {"CPE3.Q": (2 * np.pi * 0.02) ** -0.5 / tail_ohm, "CPE3.alpha": 0.5}
        Z = measured_ohm(drifting(CIRCUIT, values), frequency, instrument, random)
        records.append(impedance_record(frequency, Z, (Provenance(f"cell_{k}.z", "0" * 64, "test", "0"),)))
        sums.append(sum(float(resistance_ohm(Ea[i], R[i], stated_K[k])) for i in (0, 1)))
    protocol = {
        "area": "1 cm^2",
        "electrodes": 2,
        "temperatures": ", ".join(f"{kelvin:.6f}" for kelvin in stated_K) + " K",
        "temperature_error": f"{off_K} K",
    }
    return records, protocol, Ea, np.array(sums)


def judged(seed):
    """Return (process, method, whether the 95 % interval held the truth) of all that one series states."""
    records, protocol, Ea, sums = drawn(np.random.default_rng(seed))
    try:
        result = KIND.run(records, checked(KIND.protocol, protocol, "activation-energy"))
    except InputError:
        return []
    points, truth, found = result.table("arrhenius"), dict(zip(PROCESSES, Ea, strict=False)), []
    for row in result.table("activation_energies").iter_rows(named=True):
        name = row["process"]
        if row["method"] != "line, T/R" or row["degrees_of_freedom"] < 1:
            continue
        if name == "interfacial":
            # a sum of two exponentials is no straight line: the truth is the line through the exact sums, weighed alike
            part = points.filter(points["process"] == name)
            kelvin, error = part["temperature_K"].to_numpy(), part["error_of_log"].to_numpy()
            used = np.isin(np.round(_kelvins(protocol), 3), np.round(kelvin, 3))
            off_K = float(protocol["temperature_error"].split()[0])
            truth[name] = arrhenius_line(kelvin, sums[used], error, off_K).activation_energy_kJ_mol
        found.append((name, "line", row["low_95_kJ_mol"] <= truth[name] <= row["high_95_kJ_mol"]))
    for row in result.table("joint").iter_rows(named=True):
        held = row["low_95_kJ_mol"] <= truth[row["process"]] <= row["high_95_kJ_mol"]
        found.append((row["process"], "joint", held))
    return found


def coverage(series, seed):
    """Return for each process and method how often a 95 % interval held the truth, and in how many series it was stated."""
    inside = defaultdict(list)
    for k in range(series):
        for process, method, held in judged([seed, k]):
            inside[process, method].append(held)
    return {key: (float(np.mean(hits)), len(hits)) for key, hits in inside.items()}


def _kelvins(protocol):
    return np.array([float(kelvin) for kelvin in protocol["temperatures"].removesuffix(" K").split(",")])


def test_a_few_series_give_their_activation_energies_back():
    found = coverage(3, 3)
    assert set(found) == {*((process, "line") for process in PROCESSES), ("sei", "joint"), ("charge_transfer", "joint")}
    # the arcs of a series share its temperatures: of fifteen intervals with fourteen expected, three may fail
    assert sum(round(share * count) for share, count in found.values()) >= 12


@pytest.mark.slow
def test_intervals_cover_as_stated_over_a_thousand_series():
    for name, (share, count) in coverage(1000, 2026).items():
        assert count >= 900, name
        assert 0.90 <= share <= 0.98, (name, share)
