"""CHGNet 0.3.0, whose weights come inside the wheel of ``chgnet``: an independent second opinion.

Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi 10.1038/s42256-023-00716-3; trained on MPtrj (PBE and PBE+U).
"""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

from sodiophile.atomistic.engines.base import Engine, prepare_torch


def _make() -> Any:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        prepare_torch()
        from chgnet.model import CHGNet
        from chgnet.model.dynamics import CHGNetCalculator

        # what it prints is no part of a result on standard output
        model = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False)
        return CHGNetCalculator(model, use_device="cpu", on_isolated_atoms="error")


ENGINES = (
    Engine(
        name="chgnet",
        summary="CHGNet 0.3.0, a universal potential trained on MPtrj (PBE, PBE+U); a second opinion",
        package="chgnet",
        extra="chgnet",
        make=_make,
        weights="pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar",
        settings={"dtype": "float32", "device": "cpu", "model": "0.3.0"},
        seconds_per_atom=0.006,
    ),
)
