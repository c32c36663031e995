"""Surfaces of a result: read, given to the structure of their title, and refused when damaged."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.report.surfaces import read_surfaces

from .sample import octahedron


def text(**changes: Any) -> str:
    return json.dumps({"surfaces": {"top V": [octahedron((1.0, 2.0, 3.0)) | changes]}})


def test_what_is_read_is_what_was_written():
    (surface,) = read_surfaces(text(), "x")["top V"]
    data = surface.for_viewer()
    places = np.frombuffer(base64.b64decode(data["vertices"]), "<i2").reshape(-1, 3) * data["step"]
    np.testing.assert_allclose(places.mean(axis=0), (1.0, 2.0, 3.0), atol=0.01)
    corners = np.frombuffer(base64.b64decode(data["triangles"]), "<u2").reshape(-1, 3)
    assert corners.shape == (8, 3)
    assert data["colour"] == "#23c4d9"


def test_a_surface_without_triangles_is_left_out():
    assert read_surfaces(text(vertices="", triangles=""), "x") == {"top V": ()}


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"surfaces": 3}',
        '{"surfaces": {"a": [3]}}',
        text(colour="url(x)"),
        text(vertices="<script>"),
        text(vertices="AAAA"),
        text(triangles=base64.b64encode(np.array([0, 1, 6], "<u2").tobytes()).decode()),
        text(bytes_a_number=3),
        text(step_A=float("nan")),
        text(step_A=0),
        text(triangles=base64.b64encode(np.zeros(400_000, "<u2").tobytes()[:600_006]).decode()),
    ],
)
def test_damaged_surfaces_are_one_line(bad):
    with pytest.raises(InputError) as caught:
        read_surfaces(bad, "x.surfaces.json")
    assert "x.surfaces.json" in str(caught.value)
    assert "\n" not in str(caught.value)
