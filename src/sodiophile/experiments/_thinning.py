"""Long traces thinned for drawing, so that every visible spike stays: minimum and maximum of each interval are kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl


def thinned(columns: Mapping[str, np.ndarray], points: int) -> pl.DataFrame:
    """Keep at most `points` rows of a trace, those that a figure shows.

    Parameters
    ----------
    columns
        Name -> values, each of shape (n,); the last column decides what is kept.
    points
        How many rows to keep; a multiple of 2.
    """
    values = np.ascontiguousarray(list(columns.values())[-1], dtype=np.float64)
    if values.size <= points:
        return pl.DataFrame(dict(columns))
    from tsdownsample import MinMaxDownsampler

    rows = np.unique(np.concatenate([[0], MinMaxDownsampler().downsample(values, n_out=points), [values.size - 1]])).astype(
        np.int64
    )
    return pl.DataFrame({name: column[rows] for name, column in columns.items()})
