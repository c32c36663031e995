r"""The uncertainty of a Coulombic efficiency: what is common to all cycles, and what differs from one to the next.

With the plated charge :math:`Q_p`, the stripped charge :math:`Q_s` and :math:`CE = Q_s/Q_p`:

- gain, the relative standard uncertainty u of the current, correlated by :math:`\rho` between the two directions:
  :math:`CE\,u\sqrt{2(1-\rho)}`
- zero, :math:`\delta` of the current, which adds to one direction what it takes from the other:
  :math:`CE\,\delta\,(t_p/Q_p + t_s/Q_s)`
- the beginning of a half cycle, up to a sampling interval that the file does not show; the same habit of the cycler in both
  directions: :math:`CE\,\frac{\Delta t}{\sqrt3}\,|I_s N_s/Q_s - I_p N_p/Q_p|` with N half cycles in each sum
- the end of a stripping, one sampling interval: :math:`\frac{I_s\Delta t}{\sqrt{12}\,Q_p}`, different in each cycle

The first three are the same in every cycle and do not average out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.experiments._halfcycles import HalfCycles
from sodiophile.experiments.plating_efficiency.blocks import Block
from sodiophile.experiments.plating_efficiency.protocol import PlatingEfficiencyProtocol


@dataclass(frozen=True)
class Efficiency:
    """The efficiency of one block.

    Parameters
    ----------
    value
        Stripped over plated charge.
    systematic, random
        Standard uncertainties, common to all cycles and of this one alone.
    plated_C, stripped_C
        The charges.
    """

    value: float
    systematic: float
    random: float
    plated_C: float
    stripped_C: float

    @property
    def standard(self) -> float:
        """The combined standard uncertainty."""
        return float(np.hypot(self.systematic, self.random))


def efficiency(half: HalfCycles, block: Block, protocol: PlatingEfficiencyProtocol) -> Efficiency:
    """Return the efficiency of a block of half cycles with its uncertainty."""
    plated, stripped = list(block.plated), list(block.stripped)
    charge = half.charge_C
    plated_C, stripped_C = float(charge[plated].sum()), float(charge[stripped].sum())
    value = stripped_C / plated_C
    duration = half.end_s - half.start_s
    gain = protocol.current_accuracy * np.sqrt(2 * (1 - protocol.accuracy_correlation))
    zero = 1e-3 * protocol.current_offset_mA * (duration[plated].sum() / plated_C + duration[stripped].sum() / stripped_C)
    interval = np.where(half.samples > 1, duration / np.maximum(half.samples - 1, 1), 0.0)
    begun = half.set_A * interval * (half.lead_C == 0) / np.sqrt(3)
    beginning = abs(begun[stripped].sum() / stripped_C - begun[plated].sum() / plated_C)
    last = stripped[-1]
    at_end = half.last[last]
    final_s = float(half.trace.time_s[at_end] - half.trace.time_s[at_end - 1]) if half.samples[last] > 1 else 0.0
    end = float(half.set_A[last]) * final_s / np.sqrt(12) / plated_C
    return Efficiency(value, value * float(np.sqrt(gain**2 + zero**2 + beginning**2)), end, plated_C, stripped_C)
