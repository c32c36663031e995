"""Spectra fit to be analyzed: windowed, repeated frequencies averaged; refused with a reason where something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sodiophile.errors import InputError
from sodiophile.experiments.impedance.protocol import SpectrumProtocol
from sodiophile.records.cycling import CyclingRecord
from sodiophile.records.impedance import ImpedanceRecord, Spectrum, impedance_of_trace

FEWEST_POINTS = 8
_SMALL_PHASE = 0.02
# no instrument repeats itself to this part of |Z| at every frequency; a copy may be rounded by it
_SAME = 1e-4


def impedance_records(records: Sequence[ImpedanceRecord | CyclingRecord]) -> list[ImpedanceRecord]:
    """Return the records, the impedance points taken out of cycling traces.

    Raises
    ------
    InputError
        If there is none, or a trace has no impedance points.
    """
    if not records:
        raise InputError("no record given, expected at least one spectrum")
    return [record if isinstance(record, ImpedanceRecord) else impedance_of_trace(record) for record in records]


def prepared(spectrum: Spectrum, protocol: SpectrumProtocol) -> tuple[Spectrum, list[str]]:
    """Return a spectrum fit to be analyzed, and what was done to it.

    Raises
    ------
    InputError
        If too few points are left, the real part is negative, or the imaginary part has the wrong sign.
    """
    where = spectrum.name
    frequency, Z = spectrum.frequency_Hz, spectrum.impedance_ohm
    notes: list[str] = []
    kept = np.ones(len(frequency), dtype=bool)
    if protocol.frequency_min_Hz is not None:
        kept &= frequency >= protocol.frequency_min_Hz
    if protocol.frequency_max_Hz is not None:
        kept &= frequency <= protocol.frequency_max_Hz
    if not kept.all():
        notes.append(f"{where}: {int((~kept).sum())} of {len(kept)} points lie outside the chosen frequencies")
    frequency, Z = frequency[kept], Z[kept]
    if protocol.imaginary_part == "reversed":
        Z = Z.conj()
        notes.append(f"{where}: the sign of Im Z was turned, as asked")
    frequency, Z, repeated = _averaged(frequency, Z)
    if repeated:
        notes.append(f"{where}: {repeated} frequencies were measured more than once and are averaged")
    if len(frequency) < FEWEST_POINTS:
        raise InputError(
            f"{len(frequency)} points at different frequencies, expected at least {FEWEST_POINTS}: "
            "one depressed arc with a series resistance alone has four parameters",
            where,
        )
    _check_signs(frequency, Z, where, reversed_already=protocol.imaginary_part == "reversed")
    return replace(spectrum, frequency_Hz=frequency, impedance_ohm=Z), notes


def repeated(spectra: Sequence[Spectrum]) -> list[tuple[int, int]]:
    """Return which pairs of spectra hold the same numbers, counted from 0: one measurement given twice.

    Parameters
    ----------
    spectra
        Ready ones, sorted by frequency.
    """
    found = []
    for k, one in enumerate(spectra):
        for first, other in enumerate(spectra[:k]):
            if one.frequency_Hz.shape != other.frequency_Hz.shape:
                continue
            size = np.abs(other.impedance_ohm)
            apart = np.abs(one.impedance_ohm - other.impedance_ohm) > _SAME * size
            if not apart.any() and np.allclose(one.frequency_Hz, other.frequency_Hz, rtol=_SAME, atol=0):
                found.append((first, k))
                break
    return found


def _averaged(frequency: np.ndarray, Z: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    different, place, count = np.unique(frequency, return_inverse=True, return_counts=True)
    total = np.zeros(len(different), dtype=complex)
    np.add.at(total, place, Z)
    return different[::-1], (total / count)[::-1], int((count > 1).sum())


def _check_signs(frequency: np.ndarray, Z: np.ndarray, where: str, *, reversed_already: bool) -> None:
    if (Z == 0).any():
        at = frequency[np.flatnonzero(Z == 0)[0]]
        raise InputError(f"the impedance at {at:g} Hz is zero, expected a measured value", where)
    negative = np.flatnonzero(Z.real <= 0)
    if negative.size:
        worst = negative[np.argmin(Z.real[negative])]
        raise InputError(
            f"Re Z is not positive at {negative.size} of {len(Z)} points ("
            f"{Z.real[worst]:.4g} ohm at {frequency[worst]:.4g} Hz), "
            "expected a passive cell; check the columns, or leave frequencies out with frequency_min and frequency_max",
            where,
        )
    clear = np.abs(Z.imag) > _SMALL_PHASE * np.abs(Z)
    inductive = int((clear & (Z.imag > 0)).sum())
    if inductive > int(clear.sum()) - inductive:
        remedy = "leave imaginary_part as stated" if reversed_already else "set imaginary_part = reversed"
        raise InputError(
            f"Im Z is positive at {inductive} of the {int(clear.sum())} points with a clear phase, expected negative "
            f"for a capacitive cell; if the file holds -Im Z, {remedy}",
            where,
        )
