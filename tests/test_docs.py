"""The complete example of the documentation works as printed."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sodiophile.errors import InputError
from sodiophile.records import CyclingRecord, Provenance

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def example(tmp_path):
    code = re.search(r"```python\n(.*?)```", (DOCS / "adding-an-experiment.md").read_text(), re.DOTALL)[1]
    path = tmp_path / "resting_voltage.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("resting_voltage", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.EXPERIMENT


def record(current_A: float) -> CyclingRecord:
    time_s = np.arange(0.0, 300.0)
    data = pl.DataFrame(
        {
            "test_time_second": time_s,
            "current_ampere": np.full(time_s.size, current_A),
            "voltage_volt": 0.01 + 1e-4 * np.sin(time_s),
        }
    )
    return CyclingRecord(data, (Provenance("a.csv", "0" * 64, "test", "1"),))


def test_the_example_experiment_measures_a_rest(example):
    from sodiophile.schema import checked

    result = example.run([record(0.0)], checked(example.protocol, {"area": "1 cm^2", "window": "2 min"}))
    rest = result.quantities["resting_voltage"]
    assert abs(rest.value - 10.0) < 5 * rest.uncertainty
    assert result.draw().get_ylabel() == "voltage / V"
    with pytest.raises(InputError, match="expected a rest"):
        example.run([record(1e-3)], checked(example.protocol, {"area": "1 cm^2"}))
