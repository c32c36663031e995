"""From half cycles to blocks: all that is plated and stripped between two strippings that took everything off.

A stripping that ends at the cut-off voltage leaves no metal that could still be stripped. So between two of them the charge
balance closes, and the efficiency is all that was stripped over all that was plated. A block of one plating and one
stripping is a plain cycle; one with cycles of less charge inside is the reservoir protocol.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import HalfCycles

_RISE_FACTOR = 2.0
_LEAST_RISE_V = 0.1
_SAME_CUT_OFF = 0.1
_SAME_CHARGE = 0.1
_LARGEST_PART = 0.8


@dataclass(frozen=True)
class Block:
    """What happened between two exhaustive strippings.

    Parameters
    ----------
    plated, stripped
        Indices of its half cycles, in order.
    kind
        ``cycle``, ``reservoir`` or ``irregular``.
    """

    plated: tuple[int, ...]
    stripped: tuple[int, ...]
    kind: str


def exhaustive(half: HalfCycles, cut_off_V: float | None, where: str) -> tuple[np.ndarray, float]:
    """Tell which half cycles are strippings that ended at the cut-off voltage, and find that voltage.

    Parameters
    ----------
    half
        The half cycles.
    cut_off_V
        As the operator set it, or None: then a stripping ended at a cut-off if its last sample lies 0.1 V above the level
        of its middle, and above twice that level, and the cut-off is the median of those last samples. One that ends more
        than 10 % below it did not reach it.
    where
        The name of the record, for the message.

    Returns
    -------
    tuple
        Mask of shape (n,), and the cut-off voltage, V.

    Raises
    ------
    InputError
        If no stripping ends so: then the charge of stripping is what the cycler set, and its ratio no efficiency.
    """
    last_V = np.max(half.near(-2, -1), axis=1)
    level_V = np.median(half.grid_V[:, 6:37], axis=1)
    stripping = ~half.plating
    if cut_off_V is not None:
        found = stripping & (last_V >= (1 - _SAME_CUT_OFF) * cut_off_V)
        if not found.any():
            raise InputError(
                f"no stripping reaches the stated cut-off of {cut_off_V:g} V (the highest ends at "
                f"{float(last_V[stripping].max()):.4g} V); give the cut-off that was set, or leave it out to have it found",
                where,
            )
        return found, cut_off_V
    rises = stripping & (last_V - level_V > np.maximum(_LEAST_RISE_V, (_RISE_FACTOR - 1) * np.abs(level_V)))
    if not rises.any():
        ratio = float(np.median(half.charge_C[stripping]) / max(float(np.median(half.charge_C[half.plating])), 1e-300))
        raise InputError(
            f"no stripping ends at a cut-off voltage (they end at {float(np.median(last_V[stripping])) * 1e3:.3g} mV, "
            f"like their middle at {float(np.median(level_V[stripping])) * 1e3:.3g} mV): each half cycle ends after a set "
            f"charge, as in a symmetric cell, and the ratio of the charges, {ratio:.4f}, is what the cycler was told, no "
            "efficiency; expected metal on a foreign substrate stripped until the voltage rises",
            where,
        )
    cut_off = float(np.median(last_V[rises]))
    return rises & (last_V >= (1 - _SAME_CUT_OFF) * cut_off), cut_off


def blocks(half: HalfCycles, emptied: np.ndarray) -> tuple[list[Block], str]:
    """Divide the half cycles into blocks.

    Parameters
    ----------
    half
        The half cycles.
    emptied
        True for strippings that took everything off, shape (n,).

    Returns
    -------
    tuple
        The complete blocks, and one sentence on what was left over at the beginning and the end ("" if nothing).
    """
    found: list[Block] = []
    plated: list[int] = []
    stripped: list[int] = []
    lost: list[str] = []
    for k in range(len(half)):
        if half.plating[k]:
            plated.append(k)
            continue
        if not plated:
            lost.append(f"half cycle {k + 1} strips before anything was plated and is left out")
            continue
        stripped.append(k)
        if emptied[k]:
            if min(half.charge_C[plated].sum(), half.charge_C[stripped].sum()) > 0:
                found.append(Block(tuple(plated), tuple(stripped), _kind(half.charge_C, plated, stripped)))
            else:
                lost.append(f"up to half cycle {k + 1} no charge passes (time stands still); that part is left out")
            plated, stripped = [], []
    if plated:
        unfinished = len(plated) + len(stripped)
        lost.append(
            f"the last {unfinished} half cycles do not end with a stripping to the cut-off; unfinished, they are left out"
        )
    return found, "; ".join(lost)


def _kind(charge_C: np.ndarray, plated: list[int], stripped: list[int]) -> str:
    if len(plated) == 1 and len(stripped) == 1:
        return "cycle"
    if len(plated) != len(stripped):
        return "irregular"
    parts = np.concatenate([charge_C[plated[1:]], charge_C[stripped[:-1]]])
    usual = float(np.median(parts))
    even = bool(np.all(np.abs(parts / usual - 1) <= _SAME_CHARGE)) if usual > 0 else False
    return "reservoir" if even and usual <= _LARGEST_PART * charge_C[plated[0]] else "irregular"
