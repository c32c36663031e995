"""The key of a task: the same for the same work, another for other work."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.task import Task, canonical_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_canonical_json_is_json_and_stable(value):
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text(max_size=5), st.integers(), min_size=2, max_size=6))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_json(dict(reversed(list(value.items())))) == canonical_json(value)


@pytest.mark.parametrize("bad", [math.nan, math.inf, {1: 2}, object(), {"a": {3}}, b"x"])
def test_what_json_cannot_say_is_refused(bad):
    with pytest.raises(InputError):
        canonical_json(bad)


def test_the_key_depends_on_what_decides_the_outcome_and_on_nothing_else():
    first = Task("m:f", 1, {"x": 1.0})
    base = Task("m:g", 1, {"y": 2.0}, {"first": first})
    same = Task("m:g", 1, {"y": 2.0}, {"first": Task("m:f", 1, {"x": 1.0}, label="other", cost_s=9)}, {"path": "elsewhere"})
    assert same.key == base.key
    others = [
        Task("m:g", 2, {"y": 2.0}, {"first": first}),
        Task("m:h", 1, {"y": 2.0}, {"first": first}),
        Task("m:g", 1, {"y": 2.1}, {"first": first}),
        Task("m:g", 1, {"y": 2.0}, {"first": Task("m:f", 2, {"x": 1.0})}),
        Task("m:g", 1, {"y": 2.0}),
    ]
    assert len({base.key, *(task.key for task in others)}) == len(others) + 1
    assert [task.function for task in base.walk()] == ["m:f", "m:g"]
