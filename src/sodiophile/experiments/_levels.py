"""Levels of current: which half cycles or cycles ran at the same one."""

from __future__ import annotations

import numpy as np

_SAME_LEVEL = 0.05


def same_level(current: np.ndarray) -> np.ndarray:
    """Give each level of current a number from the lowest up, those within 5 % of the next lower being one, shape (n,)."""
    order = np.argsort(current)
    ordered = current[order]
    new = np.concatenate([[False], ordered[1:] > ordered[:-1] * (1 + _SAME_LEVEL)])
    number = np.empty(current.size, dtype=np.int64)
    number[order] = np.cumsum(new)
    return number
