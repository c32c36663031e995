"""PyBaMM without its telemetry: the one place from which this package imports it."""

from __future__ import annotations

import os
import sys

from sodiophile.errors import MissingExtraError

# whoever imported it before has answered its question himself
if "pybamm" not in sys.modules:
    os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")

try:
    import pybamm
except ImportError:
    raise MissingExtraError("simulation", "a model or a set of parameters for PyBaMM") from None

__all__ = ["pybamm"]
