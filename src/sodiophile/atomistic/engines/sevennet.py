"""SevenNet potentials whose weights come inside the wheel of ``sevenn``: nothing is downloaded.

7net-l3i5 and 7net-0: Park et al., J. Chem. Theory Comput. 20, 4857 (2024), doi 10.1021/acs.jctc.4c00190; trained on
MPtrj (PBE and PBE+U). 7net-MF-0: Kim et al., J. Am. Chem. Soc. 147, 1042 (2025), doi 10.1021/jacs.4c14455.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from sodiophile.atomistic.engines.base import Engine, prepare_torch


def _maker(weights: str, modal: str | None) -> Callable[[], Any]:
    def make() -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module=r"(sevenn|e3nn|torch)(\..*)?")
            warnings.filterwarnings("ignore", message=".*accelerator.*")
            prepare_torch()
            from sevenn.calculator import SevenNetCalculator

            engine = next(one for one in ENGINES if one.weights == weights)
            return SevenNetCalculator(str(engine.weights_path()), device="cpu", modal=modal)

    return make


def _engine(name: str, summary: str, weights: str, seconds_per_atom: float, **more: Any) -> Engine:
    path = f"pretrained_potentials/{weights}"
    modal = more.pop("modal", None)
    settings = {"dtype": "float32", "device": "cpu", **({"modal": modal} if modal else {})}
    return Engine(
        name=name,
        summary=summary,
        package="sevenn",
        extra="atomistic",
        make=_maker(path, modal),
        weights=path,
        settings=settings,
        seconds_per_atom=seconds_per_atom,
        **more,
    )


ENGINES = (
    _engine(
        "7net-l3i5",
        "SevenNet-l3i5, a universal potential trained on MPtrj (PBE, PBE+U); the default",
        "SevenNet_l3i5/checkpoint_l3i5.pth",
        0.02,
        aliases=("7net",),
    ),
    _engine(
        "7net-0",
        "SevenNet-0 (July 2024), smaller and three times faster than 7net-l3i5, less accurate",
        "SevenNet_0__11Jul2024/checkpoint_sevennet_0.pth",
        0.007,
    ),
    _engine(
        "7net-MF-0",
        "SevenNet multi-fidelity, its PBE head",
        "SevenNet_MF_0/checkpoint_sevennet_mf_0.pth",
        0.007,
        modal="PBE",
    ),
)
