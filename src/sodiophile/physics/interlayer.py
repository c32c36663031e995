r"""A porous interlayer that conducts electrons: metal plates on its inner surface as deep as ions and electrons meet.

Of a layer of thickness L and inner surface a per volume, wetted by metal, with the resistances :math:`R_i = L/\kappa_{eff}`
of its pores and :math:`R_e = L/\sigma` of its solid, and the impedance :math:`\rho` of a unit of its inner surface, the
reaction takes place within the depth :math:`\lambda = L/\nu` and has the admittance of a transmission line,

.. math:: y = \frac{aL}{\rho}\,\frac{\tanh\nu}{\nu},\qquad \nu^2 = \frac{aL\,(R_i+R_e)}{\rho}

per geometric area: all of the inner surface where :math:`\nu\ll1`, and :math:`\sqrt{aL/\rho(R_i+R_e)}` where it is
deep, so that the apparent exchange current density of a deep layer goes as the root of :math:`a\,\kappa_{eff}\,j_0`, not
as the kinetics alone. It is exact where one of the two conductivities is much the larger (titanium or vanadium nitride
against electrolyte: 1e4 times and more). At rest, in direct current, the layer counts as the area
:math:`aL\tanh\nu/\nu` of fresh metal (`LayerSurface.area`). A current of plating that is large beside the exchange current
goes less deep, which this leaves out.

References
----------
R. de Levie, Adv. Electrochem. Electrochem. Eng. 6 (1967) 329.
G. Paasch, K. Micka, P. Gersdorf, Electrochim. Acta 38 (1993) 2653, doi 10.1016/0013-4686(93)85083-B.
J. Newman, N. P. Balsara, Electrochemical Systems, 4th ed. (Wiley, 2021), chapter on porous electrodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LARGEST_ARGUMENT = 300.0
_LEAST_ARGUMENT = 1e-6


@dataclass(frozen=True, slots=True)
class LayerSurface:
    """The inner surface of a layer.

    Parameters
    ----------
    inner_area
        a L: inner surface per geometric area, at least 0.
    resistance_ohm_cm2
        Of pores and solid, end to end, per geometric area, above 0.
    """

    inner_area: float
    resistance_ohm_cm2: float

    def area(self, surface_ohm_cm2: ArrayLike, part: ArrayLike = 1.0) -> NDArray[Any]:
        r"""Return the area of its surface that the layer is worth, :math:`aL\tanh\nu/\nu`, per geometric area.

        Parameters
        ----------
        surface_ohm_cm2
            Impedance of a unit of the inner surface, real or complex.
        part
            Part of the inner surface that takes part, 0 to 1; both broadcast.
        """
        inner = self.inner_area * np.asarray(part, dtype=float)
        nu = np.sqrt(inner * self.resistance_ohm_cm2 / np.asarray(surface_ohm_cm2))
        # far beyond, tanh is 1 to round-off; at 0 it is its argument
        bounded = np.where(np.abs(nu) > _LARGEST_ARGUMENT, _LARGEST_ARGUMENT, nu)
        even = np.abs(nu) < _LEAST_ARGUMENT
        return np.asarray(inner * np.where(even, 1.0, np.tanh(bounded) / np.where(even, 1.0, nu)))
