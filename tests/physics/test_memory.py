"""The memory of a cell does not grow with its cycles: in a process of its own, so that nothing before hides it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FEW = 200
MANY = [600, pytest.param(2000, marks=pytest.mark.slow)]

SYMMETRIC = """
from sodiophile.physics.cell import load_cell
from sodiophile.physics.symmetric import SymmetricCell
cell = SymmetricCell(load_cell("na-vn"))
def cycle():
    for plating in (True, False):
        step = cell.step(0.5, plating=plating)
        step.voltage_V([0.0, 600.0, 1800.0])
        step.finish(1800.0)
"""

FULL = """
from sodiophile.physics.cell import load_cell
from sodiophile.physics.porous_cell import PorousCell
from sodiophile.physics.porous_layout import Grid
from sodiophile.physics.sets import load_part
cell = PorousCell(load_cell("na-vn"), load_part("cathode", "nvp"), filling=0.5, grid=Grid(layer=6, electrode=8, particle=8))
def cycle():
    cell.charge(0.5, 3.8, 20.0)
    cell.discharge(0.5, 2.5, 20.0)
"""

MEASURED = """
import gc, json, resource, tracemalloc
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for _ in range({few}):
    cycle()
gc.collect()
before = peak()
tracemalloc.start()
for _ in range({few}):
    cycle()
gc.collect()
held, _ = tracemalloc.get_traced_memory()
for _ in range({more}):
    cycle()
gc.collect()
later, _ = tracemalloc.get_traced_memory()
tracemalloc.stop()
print(json.dumps({{"process_MB": peak() - before, "held_kB": (later - held) / 1024}}))
"""


@pytest.mark.parametrize("many", MANY)
@pytest.mark.parametrize("setup", [SYMMETRIC, FULL], ids=["symmetric cell", "full cell"])
def test_memory_is_flat_in_the_number_of_cycles(setup, many):
    """Up to ten times as many cycles hold no more of Python's memory, and the process has not grown by an array."""
    code = setup + MEASURED.format(few=FEW, more=many - FEW)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    # one float kept a cycle would be 32 bytes of Python's memory for each, a profile of the cell some MB
    assert found["held_kB"] < 0.016 * (many - FEW)
    assert found["process_MB"] < 3


RECORD = """
import sodiophile as sp
given = {"area": "1 cm^2", "current_density": "0.5 mA/cm^2", "capacity": "0.25 mAh/cm^2"}
def cycled(hours):
    programme = {"duration": f"{hours} h", "sampling_interval": f"{hours} s"}
    return sp.simulate("symmetric-cycling", "bare-na", instrument=programme, **given)
import json, tracemalloc
cycled(20)
peaks = []
for hours in (FEW, MANY):
    tracemalloc.start()
    record = cycled(hours)
    peaks.append(tracemalloc.get_traced_memory()[1] / 1024)
    tracemalloc.stop()
    rows = len(record)
print(json.dumps({"peaks_kB": peaks, "rows": rows}))
"""


@pytest.mark.parametrize("many", MANY)
def test_a_virtual_test_takes_the_memory_of_its_samples(many):
    """Up to ten times as many cycles with about as many samples: no more than what the samples at the ends of steps add."""
    code = RECORD.replace("FEW", str(FEW)).replace("MANY", str(many))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    less, more = found["peaks_kB"]
    assert found["rows"] < 3 * 3600
    # six columns, copied a few times on the way to the record
    assert more - less < 6 * 6 * 8 * 2 * many / 1024
