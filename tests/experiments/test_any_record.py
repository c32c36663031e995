"""Whatever finite numbers a record holds, an analysis answers or refuses in one line; it never breaks."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.schema import checked


@st.composite
def traces(draw):
    """Square waves with ragged steps, odd values and few samples."""
    current, voltage = [], []
    number = st.one_of(st.sampled_from([0.0, 1e-3, -1e-3, 5.0, -5.0, 1e-9]), st.floats(-10, 10))
    for _ in range(draw(st.integers(1, 12))):
        count = draw(st.integers(1, 40))
        current += [draw(number)] * count
        level, spread = draw(number), draw(st.sampled_from([0.0, 1e-4, 1.0]))
        seed = draw(st.integers(0, 1000))
        voltage += list(level + spread * np.random.default_rng(seed).standard_normal(count))
    intervals = draw(st.sampled_from([0.0, 1.0, 60.0]))
    time = np.cumsum(np.full(len(current), intervals))
    return time, np.array(current), np.array(voltage)


OPTIONS = {
    "symmetric-cycling": {},
    "nucleation": {},
    "symmetric-rate": {},
    "plating-efficiency": {},
    "exchange-current": {"temperature": "25 degC", "electrodes": "2"},
}


@pytest.mark.parametrize("kind", OPTIONS)
@settings(max_examples=150, deadline=None)
@given(trace=traces(), plating=st.sampled_from(["negative current", "positive current"]))
def test_answers_or_refuses(as_record, kind, trace, plating):
    chosen = experiment(kind)
    protocol = checked(chosen.protocol, {"area": "1 cm^2", "plating": plating, **OPTIONS[kind]})
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            result = chosen.run([as_record(*trace)], protocol)
        except InputError:
            return
    json.dumps(result.to_dict(), allow_nan=False)
    result.draw()
