"""What was seen of a full cell between two changes of what drives it, and why it ended, in words with numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_WEAK_SALT = 0.05


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of operation without a change of what drives the cell.

    Parameters
    ----------
    time_s
        Since its beginning, s, shape (n,); the first is 0.
    voltage_V, current_density_mA_cm2
        Shape (n,); positive current charges.
    least_salt
        The lowest concentration of the electrolyte as a part of the mean one, shape (n,).
    ended
        Why it ended: ``duration``, ``limit``, ``cut-off``, ``salt``, ``metal`` or ``solver``.
    words
        The same in words, with numbers.
    reason
        What ended it before its time, in words: what ran out or nearly did, or a polarization for which the limits leave no
        room; nothing if it ended as it should.
    """

    time_s: _Array
    voltage_V: _Array
    current_density_mA_cm2: _Array
    least_salt: _Array
    ended: str
    words: str
    reason: str = ""

    @property
    def charge_mAh_cm2(self) -> float:
        """Charge passed, positive where it charged the cell."""
        return float(np.trapezoid(self.current_density_mA_cm2, self.time_s) / 3600.0)


def used_up(ended: str, least_salt: float, *, without_metal: bool) -> str:
    """Return what ran out, in words; nothing if nothing did.

    Parameters
    ----------
    ended
        As of `Stretch`.
    least_salt
        The lowest concentration of the electrolyte at the end, as a part of the mean one.
    without_metal
        Whether the metal electrode was stripped to nothing.
    """
    if ended == "salt" or (ended == "limit" and least_salt < _WEAK_SALT):
        how = "above" if ended == "salt" else "near or above"
        return f"the salt was down to {100 * least_salt:.1g} % somewhere: the current is {how} the limiting current"
    if ended == "metal" or (ended == "limit" and without_metal):
        return "the metal electrode was used up"
    return ""


def no_room(current_density_mA_cm2: float, of_metal_V: float, of_salt_V: float, room_V: float) -> str:
    """Return what polarization asks for beside what the limit of the voltage leaves, in words."""
    cathode = "; the insertion electrode asks for the rest" if of_metal_V + of_salt_V < room_V else ""
    return (
        f"at {current_density_mA_cm2:.4g} mA/cm^2 the metal electrode alone asks for {1e3 * of_metal_V:.0f} mV in the "
        f"steady state and the electrolyte in front of the cathode for {1e3 * of_salt_V:.0f} mV, and the limit leaves "
        f"{1e3 * room_V:.0f} mV{cathode}"
    )


def words_of(ended: str, time_s: float, voltage_V: float, filling: float, reason: str) -> str:
    """Return how a stretch ended, when and where, and the reason if there is one."""
    told = {
        "duration": "the time was over",
        "limit": "the limit of the voltage was met",
        "cut-off": "the current had fallen to its cut-off",
        "salt": "no salt was left to carry the current",
        "metal": "no metal was left",
        "solver": "the equations had no solution that the solver found",
    }[ended]
    return f"{told} after {time_s:.4g} s at {voltage_V:.3f} V, filling {filling:.3f}" + (f"; {reason}" if reason else "")
