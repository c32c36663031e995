"""A cell written as a file is read back as the same cell."""

from __future__ import annotations

import pytest

from sodiophile.physics.cell import cells, load_cell
from sodiophile.physics.cell_file import cell_text
from sodiophile.quantity import Quantity


@pytest.mark.parametrize("name", cells())
def test_every_shipped_cell_comes_back(name, tmp_path):
    cell = load_cell(name)
    path = tmp_path / "cell.toml"
    path.write_text(cell_text(cell, 'a remark with "quotes"\nand two lines'), encoding="utf-8")
    assert load_cell(path).to_dict() == cell.to_dict()


def test_a_calibrated_parameter_keeps_what_it_was_calibrated_to(tmp_path):
    angle = Quantity(
        51.234567890123,
        "deg",
        3.0,
        status="calibrated",
        calibrated_to='a "dip" of 36 mV\\',
        source="prior",
        interval=(20, 80),
    )
    cell = load_cell("bare-na").changed({"substrate.contact_angle": angle})
    path = tmp_path / "cell.toml"
    path.write_text(cell_text(cell), encoding="utf-8")
    assert load_cell(path).substrate.contact_angle == angle
