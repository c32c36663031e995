"""What every protocol has in common: the area of the electrode."""

from __future__ import annotations

import pytest

from sodiophile.errors import InputError
from sodiophile.experiments.base import Protocol
from sodiophile.schema import checked


@pytest.mark.parametrize("area", ["1e308 cm^2", "1e9 cm^2", "1e5 m^2", "0 cm^2", "-1 cm^2"])
def test_an_area_of_no_electrode_is_refused_by_its_key(area):
    with pytest.raises(InputError, match=r"area: found .*, expected (at most|more than) ") as caught:
        checked(Protocol, {"area": area}, "symmetric-cycling")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("area", ["1 um^2", "1.13 cm^2", "1 m^2"])
def test_an_area_of_an_electrode_is_taken(area):
    assert checked(Protocol, {"area": area}).area_cm2 > 0
