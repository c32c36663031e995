"""What is in a file of impedance spectra, and what is odd about them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sodiophile.readers.spectra import phase_follows_slope
from sodiophile.records import ImpedanceRecord

_FEW_POINTS = 8
_FEW_DECADES = 2.0
_HIGH_HZ = 1e4
_SMALL_PHASE = 0.02
_FOLLOWS = 0.3
_MOST_LISTED = 50


def summary(record: ImpedanceRecord) -> dict[str, Any]:
    """Return number, points and ranges of the spectra, the sign convention found, and temperatures."""
    told = record.describe()
    return {
        "spectra": told["spectra"],
        "points": told["points"],
        "frequency_Hz": {"min": told["frequency_min_Hz"], "max": told["frequency_max_Hz"]},
        "modulus_ohm": {"min": told["modulus_min_ohm"], "max": told["modulus_max_ohm"]},
        "imaginary_part": record.provenance[0].options.get("imaginary_part"),
        "temperatures_K": told["temperatures_K"],
    }


def inside(record: ImpedanceRecord) -> dict[str, Any]:
    """Return `summary` and a line a spectrum."""
    each = [
        {
            "points": len(spectrum.frequency_Hz),
            "frequency_min_Hz": float(spectrum.frequency_Hz[-1]),
            "frequency_max_Hz": float(spectrum.frequency_Hz[0]),
            "real_at_highest_frequency_ohm": float(spectrum.impedance_ohm[0].real),
            "real_at_lowest_frequency_ohm": float(spectrum.impedance_ohm[-1].real),
            "time_s": spectrum.time_s,
            "temperature_K": spectrum.temperature_K,
        }
        for spectrum in record.spectra()[:_MOST_LISTED]
    ]
    columns = record.provenance[0].options.get("column_map", {})
    return {
        "holds": "impedance spectra",
        **summary(record),
        "each": each,
        "columns": [{"column": column, "header": header} for column, header in columns.items()],
    }


def oddities(record: ImpedanceRecord) -> list[str]:
    """Return what is odd about the spectra, one sentence each."""
    out: list[str] = []
    for spectrum in record.spectra():
        frequency, Z = spectrum.frequency_Hz, spectrum.impedance_ohm
        found: list[str] = []
        different = len(np.unique(frequency))
        if different < _FEW_POINTS:
            found.append(f"only {different} different frequencies: too few to fit an arc")
        if different < len(frequency):
            found.append(f"{len(frequency) - different} points repeat a frequency")
        decades = np.log10(frequency[0]) - np.log10(frequency[-1])
        if different > 1 and decades < _FEW_DECADES:
            found.append(f"only {decades:.2g} decades of frequency")
        if frequency[0] < _HIGH_HZ:
            found.append(f"nothing above {frequency[0]:.4g} Hz: the series resistance may not be seen")
        negative = int((Z.real <= 0).sum())
        if negative:
            found.append(f"Re Z is not positive at {negative} points, which no passive cell has")
        clear = np.abs(Z.imag) > _SMALL_PHASE * np.abs(Z)
        inductive = int((clear & (Z.imag > 0)).sum())
        if inductive * 2 > clear.sum() > 0:
            found.append(f"Im Z is positive at {inductive} of {int(clear.sum())} points with a clear phase")
        follows = phase_follows_slope(frequency, Z, np.ones(len(Z)))
        if follows is not None and follows < _FOLLOWS:
            found.append(
                f"the phase does not go with the slope of |Z| ({follows:.2f}, expected near 1): noisy or unstable?"
            )
        out += [f"{spectrum.name}: {sentence}" if record.count > 1 else sentence for sentence in found]
    return out
