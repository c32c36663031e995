"""Long traces thinned for drawing, so that every visible spike stays: minimum and maximum of each interval are kept."""

from __future__ import annotations

import numpy as np


def kept_rows(values: np.ndarray, points: int) -> np.ndarray:
    """Return at most `points` + 2 rows of a trace, those that a figure shows, in order.

    Parameters
    ----------
    values
        What is drawn, shape (n,).
    points
        How many rows to keep; a multiple of 2. The first and the last row are kept as well.
    """
    if values.size <= points:
        return np.arange(values.size)
    from tsdownsample import MinMaxDownsampler

    rows = MinMaxDownsampler().downsample(np.ascontiguousarray(values), n_out=points)
    return np.unique(np.concatenate([[0], rows, [values.size - 1]])).astype(np.int64)
