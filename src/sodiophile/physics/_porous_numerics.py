"""Numerics of the porous cell: tables, a banded solver with row exchange, and diffusion inside particles; compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

BAND = 5


@njit(cache=True)
def interpolate(table_c, table_y, c):  # type: ignore[no-untyped-def]
    """Return y and dy/dc of a piecewise linear table, constant beyond its ends."""
    if c <= table_c[0]:
        return table_y[0], 0.0
    last = table_c.size - 1
    if c >= table_c[last]:
        return table_y[last], 0.0
    k = np.searchsorted(table_c, c) - 1
    slope = (table_y[k + 1] - table_y[k]) / (table_c[k + 1] - table_c[k])
    return table_y[k] + slope * (c - table_c[k]), slope


@njit(cache=True)
def solve_band(ab, b, work):  # type: ignore[no-untyped-def]  # noqa: C901  one compiled loop
    """Overwrite b, shape (n,), by the solution of the banded system, by elimination with row exchange.

    `work` has the shape (n, 3 BAND + 1): row i holds the columns i - BAND to i + 2 BAND. Return False if it is singular.
    """
    n, width = b.size, 3 * BAND + 1
    for i in range(n):
        for q in range(width):
            work[i, q] = 0.0
        for k in range(max(0, i - BAND), min(n, i + BAND + 1)):
            work[i, BAND + k - i] = ab[BAND + i - k, k]
    for i in range(n):
        pivot, largest = i, abs(work[i, BAND])
        last = min(n, i + BAND + 1)
        for row in range(i + 1, last):
            size = abs(work[row, BAND + i - row])
            if size > largest:
                pivot, largest = row, size
        if not largest > 0.0:
            return False
        end = min(n, i + 2 * BAND + 1)
        if pivot != i:
            for k in range(i, end):
                upper, lower = BAND + k - i, BAND + k - pivot
                kept = work[i, upper]
                work[i, upper] = work[pivot, lower]
                work[pivot, lower] = kept
            kept = b[i]
            b[i] = b[pivot]
            b[pivot] = kept
        for row in range(i + 1, last):
            factor = work[row, BAND + i - row] / work[i, BAND]
            if factor != 0.0:
                for k in range(i, end):
                    work[row, BAND + k - row] -= factor * work[i, BAND + k - i]
                b[row] -= factor * b[i]
    for i in range(n - 1, -1, -1):
        total = b[i]
        for k in range(i + 1, min(n, i + 2 * BAND + 1)):
            total -= work[i, BAND + k - i] * b[k]
        b[i] = total / work[i, BAND]
    return True


@njit(cache=True)
def particle_response(lead, old, rate, volume, surface, outer, base, inside, unit):  # type: ignore[no-untyped-def]
    """Solve the inside of all particles for a step: `inside`, shape (m, nr), at j = 0 and `unit`, shape (nr,), at j = 1.

    volume_k (lead x_k + old_k) = rate_k (x_{k-1} - x_k) + rate_{k+1} (x_{k+1} - x_k) - [k outermost] surface j. The filling
    of the surface is outer_0 x_last + outer_1 x_last-but-one + outer_2 j. Fill `base`, shape (m,), at j = 0; return the
    stiffness -dj/dx.
    """
    nr = volume.size
    upper = np.empty(nr)
    pivots = np.empty(nr)
    for k in range(nr):
        diagonal = volume[k] * lead + rate[k] + rate[k + 1]
        if k > 0:
            diagonal -= rate[k] * upper[k - 1]
        pivots[k] = diagonal
        upper[k] = rate[k + 1] / diagonal
    for particle in range(-1, base.size):
        column = unit if particle < 0 else inside[particle]
        for k in range(nr):
            right = 0.0 if particle < 0 else -volume[k] * old[particle, k]
            if particle < 0 and k == nr - 1:
                right = -surface
            if k > 0:
                right += rate[k] * column[k - 1]
            column[k] = right / pivots[k]
        for k in range(nr - 2, -1, -1):
            column[k] += upper[k] * column[k + 1]
        if particle >= 0:
            base[particle] = outer[0] * column[nr - 1] + outer[1] * column[nr - 2]
    return -1.0 / (outer[0] * unit[nr - 1] + outer[1] * unit[nr - 2] + outer[2])
