"""What a trace shows of the meters that took it: from which current on one flows, and the step of the voltmeter."""

from __future__ import annotations

import numpy as np

from sodiophile.experiments._medians import weighted_median

_LEAST_LEVEL = 3
_MANY_VOLTAGES = 10
_SEEN_AGAIN = 5
_NO_CURRENT_A = 1e-30


def current_threshold_A(time_s: np.ndarray, current_A: np.ndarray) -> tuple[float, float]:
    """Find the magnitude above which current flows, and the typical current.

    The typical current is that below which half of the charge passed. The threshold is the geometric middle of the widest
    gap between neighbouring magnitudes, on a logarithmic axis from 0.5 to 70 % of the typical current: noise and offset of
    the instrument at rest lie below it, the levels of the test above. What lies next below the gap is a level too, and the
    threshold goes below it, if it is as narrow as a level (within a factor of 1.5) and has both signs, as rest has not. At
    most 10 000 samples, evenly spread, are looked at.

    Returns
    -------
    tuple
        Threshold and typical current, A; both 0 where no current flows at all (none above 1e-30 A).
    """
    stride = max(1, current_A.size // 10_000)
    current = current_A[::stride]
    lasts = np.diff(time_s[::stride], append=time_s[-1])
    order = np.argsort(np.abs(current))
    current = current[order]
    size = np.abs(current)
    typical = weighted_median(size, size * lasts[order], ordered=True) or float(size[-1])
    if typical <= _NO_CURRENT_A:
        return 0.0, 0.0
    inside = (size > 0.005 * typical) & (size < 0.7 * typical)
    negative = np.concatenate([[0], np.cumsum(current[inside] < 0)])
    marks = np.log10(np.concatenate([[0.005 * typical], size[inside], [0.7 * typical]]))
    gaps = np.diff(marks)
    below = int(np.argmax(gaps))
    while below > 0:
        wide = np.flatnonzero(gaps[:below] > np.log10(1.5))
        lower = int(wide[-1]) if wide.size else 0
        count, signs = below - lower, negative[below] - negative[lower]
        narrow = marks[below] - marks[lower + 1] < np.log10(1.5)
        if not wide.size or not narrow or count < _LEAST_LEVEL or not 0.2 * count <= signs <= 0.8 * count:
            break
        below = lower
    return float(10.0 ** ((marks[below] + marks[below + 1]) / 2)), float(typical)


def resolution_V(voltage_V: np.ndarray, current_A: np.ndarray) -> float:
    """Return the step of the voltmeter: the smallest difference between two voltages among 10 000 samples, to 10 nV.

    0 where the record does not show it: with few distinct voltages the smallest difference may be the signal itself (an
    ideal square wave has three), unless neighbouring samples at the same current differ by it again and again.
    """
    stride = max(1, voltage_V.size // 10_000)
    values = np.unique(np.round(voltage_V[::stride], 8))
    if values.size < 2:
        return 0.0
    step = float(np.diff(values).min())
    if values.size >= _MANY_VOLTAGES:
        return step
    first = np.arange(0, voltage_V.size - 1, stride)
    change_V = np.abs(voltage_V[first + 1] - voltage_V[first])
    steady = np.abs(current_A[first + 1] - current_A[first]) <= 0.01 * np.abs(current_A[first]).max()
    return step if np.count_nonzero(steady & (change_V > 0.5 * step) & (change_V < 1.5 * step)) >= _SEEN_AGAIN else 0.0
