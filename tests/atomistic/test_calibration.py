"""Calibration on DFT points: known offsets come back, intervals hold what they promise, files at fault are one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sodiophile.atomistic.calibration import (
    OFFSET_PRIOR_EV,
    calibration_of,
    fit,
    leave_one_out,
    left_out_rms_eV,
)
from sodiophile.atomistic.dft_points import Point, load_points
from sodiophile.errors import InputError
from sodiophile.schema import checked


def _point(energy: float, dft: float, system: str = "VN", site: str = "top N", **more: Any) -> Point:
    given = {
        "adsorbate": "Na", "system": system, "facet": "001", "termination": system, "site": site, "coverage": "1/4",
        "layers": 3, "functional": "PBE", "level": "synthetic", "dft_eV": dft, "engine_eV": {"x": energy},
        "source": "a test", **more,
    }  # fmt: skip
    return checked(Point, given)


def _world(rng: np.random.Generator, surfaces: int, sites: int) -> tuple[list[Point], Any]:
    """Points of an engine whose errors follow the model, with scales drawn from its priors."""
    mu, slope = rng.normal(0, OFFSET_PRIOR_EV), rng.normal(0, 0.3)
    tau, sigma = abs(rng.normal(0, 0.5)), abs(rng.normal(0, 0.3))
    offsets: dict[str, float] = {}
    centre = 0.0

    def new(system: str, site: str) -> Point:
        own = offsets.setdefault(system, rng.normal(0, tau))
        energy = rng.normal(-0.5, 0.5)
        residual = mu + slope * (energy - centre) + own + rng.normal(0, sigma)
        return _point(energy, energy + residual + rng.normal(0, 0.02), system, site)

    return [new(f"S{i}", f"site {j}") for i in range(surfaces) for j in range(sites)], new


@pytest.mark.parametrize(("surfaces", "sites"), [(1, 4), (3, 3)])
def test_the_95_percent_interval_holds_95_percent(surfaces: int, sites: int) -> None:
    """Over worlds drawn from the priors, for a new site of a known surface and for a new surface."""
    rng = np.random.default_rng(7)
    inside: dict[bool, list[bool]] = {True: [], False: []}
    for _ in range(120):
        points, new = _world(rng, surfaces, sites)
        calibration = fit("x", points)
        for system, known in (("S0", True), ("new", False)):
            point = new(system, "another")
            found = calibration.predict(point.engine_eV["x"], point.surface)
            assert found.known_surface is known
            inside[known].append(found.low_eV <= point.dft_eV <= found.high_eV)
    for known in inside.values():
        # 120 trials at 0.95: four binomial standard deviations are 0.08
        assert 0.87 < np.mean(known) <= 1.0


def test_many_points_give_the_offset_of_the_engine_back() -> None:
    rng = np.random.default_rng(1)
    energies = rng.uniform(-1.5, 0.5, 24)
    points = [_point(e, e + 0.4 + rng.normal(0, 0.05), f"S{i // 4}", f"s{i}") for i, e in enumerate(energies)]
    calibration = fit("x", points)
    offset, error = calibration.offset_eV
    assert abs(offset - 0.4) < 3 * error
    assert error < 0.06
    assert abs(calibration.slope[0]) < 3 * calibration.slope[1]
    assert calibration.site_error_eV == pytest.approx(0.05, abs=0.02)
    assert calibration.raw_rms_eV == pytest.approx(0.4, abs=0.03)
    rms = left_out_rms_eV(leave_one_out(calibration))
    assert rms is not None
    assert rms < 0.08


def test_a_new_surface_is_known_worse_than_one_with_points() -> None:
    points = [_point(e, e + 0.5, "VN", f"s{i}") for i, e in enumerate((-0.9, -0.7, -0.6, -0.4))]
    calibration = fit("x", points)
    known = calibration.predict(-0.5, points[0].surface)
    new = calibration.predict(-0.5, ("TiN", "001", "TiN", "Na", "1/4"))
    assert known.energy_eV == pytest.approx(0.0, abs=0.05)
    assert known.error_eV < 0.1 < new.error_eV
    assert known.low_eV < known.energy_eV < known.high_eV
    # a full layer on the same face is another surface: potentials miss a lone adatom by what it gives away
    assert not calibration.predict(-0.5, ("VN", "001", "VN", "Na", "1")).known_surface
    quantity = calibration.corrected(-0.5, points[0].surface)
    assert quantity.status == "calibrated"
    assert "Na on VN(001) (4)" in quantity.calibrated_to
    assert f"95 % between {known.low_eV:+.2f} and {known.high_eV:+.2f} eV" in quantity.definition
    assert "too strongly" in calibration.sentence()


def test_shifting_all_dft_energies_shifts_predictions_and_not_their_errors() -> None:
    base = [_point(e, e + 0.1 * i, "VN", f"s{i}") for i, e in enumerate((-0.9, -0.7, -0.6, -0.4, -0.2))]
    # far inside the prior of the offset, which pulls by its share only
    moved = [point.model_copy(update={"dft_eV": point.dft_eV + 0.05}) for point in base]
    one, two = (fit("x", points).predict(-0.5, base[0].surface) for points in (base, moved))
    assert two.energy_eV - one.energy_eV == pytest.approx(0.05, abs=0.005)
    assert two.error_eV == pytest.approx(one.error_eV, rel=0.03)


def test_the_order_of_the_points_does_not_matter() -> None:
    points, _ = _world(np.random.default_rng(3), 2, 3)
    one, two = (fit("x", order).predict(-0.3, points[0].surface) for order in (points, points[::-1]))
    assert one.energy_eV == pytest.approx(two.energy_eV, abs=1e-12)
    assert one.error_eV == pytest.approx(two.error_eV, abs=1e-12)


def test_leaving_out_a_surface_needs_another() -> None:
    points = [_point(-0.5, 0.0, "VN", "a"), _point(-0.4, 0.1, "VN", "b"), _point(-0.6, 0.2, "TiN", "a")]
    assert len(leave_one_out(fit("x", points), surface=True)) == 3
    assert leave_one_out(fit("x", points[:2]), surface=True) == []
    assert left_out_rms_eV([]) is None


def test_points_of_two_functionals_or_without_the_engine_are_refused() -> None:
    points = [_point(-0.5, 0.0, functional="PBE"), _point(-0.5, 0.0, functional="LDA", site="b")]
    with pytest.raises(InputError, match="several functionals"):
        fit("x", points)
    with pytest.raises(InputError, match="no energy of 'y'"):
        fit("y", points[:1])
    assert calibration_of("x", points=points) is None  # too few of one functional


def test_what_is_common_to_a_surface_is_no_error_of_its_differences() -> None:
    """Offsets of half an electronvolt and more, sites off by 0.1 to both sides: differences are off by 0.2."""
    points = [
        _point(-1.0, -1.0 + offset + own, system, site)
        for system, offset in (("A", 0.5), ("B", -0.8))
        for site, own in (("top", 0.1), ("hollow", -0.1))
    ]
    calibration = fit("x", points)
    assert len(calibration.pairs) == 2
    assert calibration.difference_rms_eV == pytest.approx(0.2)
    assert fit("x", points[::2]).difference_rms_eV is None


def test_the_shipped_points_are_sound() -> None:
    """Every engine named there exists, and what was fitted to them predicts them."""
    from sodiophile.atomistic.engines import engine

    points = load_points()
    names = {name for point in points for name in point.engine_eV}
    for name in names:
        engine(name)
        calibration = calibration_of(name)
        if calibration is not None:
            misses = [one for one in leave_one_out(calibration) if not one.inside]
            assert len(misses) <= 1 + 0.2 * len(calibration.points)


GOOD = """
[[points]]
adsorbate = "Na"
system = "VN"
facet = "001"
termination = "VN"
site = "top N"
coverage = "1/4"
layers = 3
functional = "PBE"
level = "plane waves"
dft_eV = -0.1
engine_eV = { x = -0.5 }
source = "a test"
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD.replace("dft_eV", "dft"), r"points\[1\].dft: unknown key; did you mean 'dft_eV'"),
        (GOOD.replace("-0.1", '"weak"'), r"points\[1\].dft_eV: found 'weak', expected a number"),
        (GOOD.replace('"Na"', '"na"'), r"did you mean 'Na'"),
        (GOOD.replace("-0.5", "nan"), r"points\[1\].engine_eV: found nan for x"),
        (GOOD + GOOD, r"points\[2\]: the same site at the same level as points\[1\]"),
        ("points = 3", r"expected tables \[\[points\]\]"),
        ("points = [", r"is no TOML"),
    ],
)
def test_a_file_at_fault_is_one_line(text: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "points.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=line) as caught:
        load_points(path)
    assert "points.toml" in str(caught.value)
    path.write_text(GOOD)
    assert load_points(path)[0].surface == ("VN", "001", "VN", "Na", "1/4")
