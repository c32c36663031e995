"""A package of somebody else: an experiment offered by an entry point, and task functions whose calls leave marks."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.experiments import Experiment, Protocol
from sodiophile.quantity import Quantity
from sodiophile.records import CyclingRecord, Provenance
from sodiophile.result import Result, Verdict
from sodiophile.schema import InUnit, Model


def _mark(context: Any, what: str) -> None:
    """Leave a file that says that this was called; several calls leave several."""
    if "marks" in context:
        Path(context["marks"], f"{what}-{uuid.uuid4().hex}").write_text(str(os.getpid()))


def marks(folder: Path, what: str = "") -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in folder.glob(f"{what}*"))


def number(inputs: Any, after: Any, context: Any, folder: Path) -> dict[str, Any]:
    """Return a number plus the numbers before it; takes its time in steps and can go on from a killed one."""
    name = inputs["name"]
    _mark(context, f"start-{name}")
    print("printed by", name)
    state = folder / "steps.txt"
    first = int(state.read_text()) if state.exists() else 0
    for step in range(first, inputs.get("steps", 1)):
        time.sleep(context.get("step_s", 0.0))
        state.write_text(str(step + 1))
        _mark(context, f"step-{name}")
    _mark(context, f"end-{name}")
    return {"number": inputs["number"] + sum(one["number"] for one in after.values()), "pid": os.getpid()}


def fails(inputs: Any, after: Any, context: Any, folder: Path) -> dict[str, Any]:
    raise InputError("found a fault, expected none", inputs["name"])


def breaks(inputs: Any, after: Any, context: Any, folder: Path) -> dict[str, Any]:
    return {"never": 1 / inputs["zero"]}


def dies(inputs: Any, after: Any, context: Any, folder: Path) -> dict[str, Any]:
    """End the whole process the first times it is called, as a segmentation fault would."""
    _mark(context, "dies")
    if len(list(Path(context["marks"]).glob("dies-*"))) <= inputs["times"]:
        os._exit(11)
    return {"number": 1}


def environment(inputs: Any, after: Any, context: Any, folder: Path) -> dict[str, Any]:
    import sys

    return {"threads": os.environ.get("OMP_NUM_THREADS"), "main": hasattr(sys.modules["__main__"], "SECRET_OF_THE_SCRIPT")}


def not_json(inputs: Any, after: Any, context: Any, folder: Path) -> dict[str, Any]:
    return {"number": float("nan")}


class ToyProtocol(Protocol):
    current_density_mA_cm2: Annotated[float | None, InUnit("mA/cm^2")] = Field(
        default=None, alias="current_density", gt=0, description="the current density that was set"
    )
    points: int = Field(default=3, ge=1, description="how many points are used")


class ToyInstrument(Model):
    noise_mV: Annotated[float, InUnit("mV")] = Field(default=0.0, alias="noise", ge=0, description="noise of the voltage")


def _analyze(records: Any, protocol: ToyProtocol) -> Result:
    record = records[0]
    current = np.abs(record.current_A).max()
    if current == 0:
        raise InputError("no current flows in this file", record.name)
    resistance = float(np.abs(record.voltage_V).max() / current * protocol.area_cm2)
    return Result(
        "toy-resistance",
        {"protocol": protocol.model_dump(), "provenance": [origin.to_dict() for origin in record.provenance]},
        {
            "resistance": Quantity(resistance, "ohm cm^2", 1.0, "peak voltage over peak current"),
            "test_duration": Quantity(float(record.time_s[-1]) / 3600, "h", bound="lower"),
        },
        {"short": Verdict("none seen", ("the voltage never vanishes",))},
        tables={"trace": pl.DataFrame({"time_s": record.time_s})},
        simulated=record.simulated,
    )


def _simulate(cell: Any, protocol: ToyProtocol, seed: int, instrument: ToyInstrument) -> CyclingRecord:
    rng = np.random.default_rng(seed)
    current = -(protocol.current_density_mA_cm2 or 1.0) * 1e-3 * protocol.area_cm2
    voltage = cell.electrode.interphase_resistance.value / protocol.area_cm2 * current
    data = pl.DataFrame(
        {
            "test_time_second": [0.0, 1.0, 2.0],
            "current_ampere": [current] * 3,
            "voltage_volt": voltage + 1e-3 * instrument.noise_mV * rng.normal(size=3),
        }
    )
    return CyclingRecord(data, (Provenance("toy instrument", "0" * 64, "virtual", "1"),), simulated=True)


def _draw(result: Result, ax: Any) -> None:
    ax.plot(result.table()["time_s"])


EXPERIMENT = Experiment(
    "toy-resistance",
    "Toy resistance",
    "A voltage over a current.",
    1,
    ToyProtocol,
    _analyze,
    _draw,
    _simulate,
    ToyInstrument,
    {"resistance": "in ohm cm2"},
)
