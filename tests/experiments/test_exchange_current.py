"""Exchange current density: closure with curves made without code of the analysis, identifiability, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.experiments.exchange_current.words import IDENTIFIED, NO_TAFEL, NOT_DESCRIBED, SUM_ONLY
from sodiophile.physics.cell import load_cell
from sodiophile.schema import checked

EXPERIMENT = experiment("exchange-current")
T_K = 298.15
F_1_V = 96485.33212 / (8.314462618 * T_K)
J0 = "apparent_exchange_current_density"


def protocol(**changes):
    return checked(EXPERIMENT.protocol, {"area": "1 cm^2", "temperature": f"{T_K} K", "electrodes": "2", **changes})


def electrode(alpha, j0):
    """Return (overpotential, current density) of one electrode as a dense table."""
    eta = np.linspace(-1.2, 1.2, 60001)
    return eta, j0 * (np.exp(alpha * F_1_V * eta) - np.exp(-(1 - alpha) * F_1_V * eta))


def sweep(j0=0.2, ohm=20.0, alpha=0.5, electrodes=2, to=0.3, rows=600, rest=0.0):
    """Return current (mA/cm2, plating positive) and voltage (V) of a sweep from stripping to plating."""
    eta, i = electrode(alpha, j0)
    dense = np.sinh(np.linspace(-19, 19, 60001)) * j0 * 1e-4
    total = np.interp(dense, i, eta) + 1e-3 * ohm * dense
    if electrodes == 2:
        total -= np.interp(-dense, i, eta)
    u = np.linspace(-to, to, rows)
    return np.interp(u, total, dense), u + rest


def recorded(as_record, i, u, seed=None, noise_mA=2e-4, relative=2e-3, noise_V=5e-5, interval_s=1.0):
    if seed is not None:
        random = np.random.default_rng(seed)
        i = i * (1 + relative * random.standard_normal(i.size)) + noise_mA * random.standard_normal(i.size)
        u = np.round((u + noise_V * random.standard_normal(u.size)) / 1e-5) * 1e-5
    return as_record(interval_s * np.arange(i.size), -1e-3 * i, -u)


def run(as_record, curve, seed=None, **changes):
    return EXPERIMENT.run([recorded(as_record, *curve, seed=seed)], protocol(**changes))


@pytest.mark.parametrize("electrodes", [1, 2])
@pytest.mark.parametrize("alpha", [0.5, 0.35])
def test_every_method_gives_it_back(as_record, electrodes, alpha):
    curve = sweep(0.05, 30.0, alpha, electrodes, to=0.25 * electrodes)
    result = run(as_record, curve, electrodes=str(electrodes))
    found = result.quantities
    assert found[J0].value == pytest.approx(0.05, rel=2e-3)
    assert found["apparent_series_resistance"].value == pytest.approx(30.0, rel=5e-3)
    assert found[f"{J0}_micropolarization"].value == pytest.approx(0.05, rel=0.02)
    slope = np.log(10) / F_1_V * 1e3
    if electrodes == 2:
        # the two straight lines share the voltage: the slope is that of 2 alpha (1 - alpha)
        assert found[f"{J0}_tafel"].value == pytest.approx(0.05, rel=0.03)
        assert found["apparent_tafel_slope"].value == pytest.approx(slope / (2 * alpha * (1 - alpha)), rel=0.01)
    else:
        assert found[f"{J0}_tafel_plating"].value == pytest.approx(0.05, rel=0.03)
        assert found["apparent_tafel_slope_plating"].value == pytest.approx(slope / alpha, rel=0.01)
        assert found["apparent_tafel_slope_stripping"].value == pytest.approx(slope / (1 - alpha), rel=0.01)
    if alpha != 0.5:
        assert found["apparent_transfer_coefficient"].value == pytest.approx(alpha, rel=0.01)
    assert result.verdicts["identifiability"].answer == IDENTIFIED
    assert result.verdicts["methods"].answer == "agree within a factor of two"


def test_every_name_says_apparent(as_record):
    result = run(as_record, sweep(), charge_transfer_resistance="250 ohm", model="marcus")
    assert all(name.startswith("apparent_") for name in result.quantities)
    assert set(result.quantities) <= set(EXPERIMENT.quantities)


def test_impedance_of_two_electrodes_is_shared(as_record):
    """R_ct of the cell is that of two electrodes in series: j0 = 2 RT/(F R_ct A)."""
    result = run(as_record, sweep(0.2), charge_transfer_resistance=f"{2 * 1e3 / F_1_V / 0.2} ohm", area="1 cm^2")
    assert result.quantities[f"{J0}_impedance"].value == pytest.approx(0.2, rel=1e-9)
    assert result.verdicts["methods"].answer == "agree within a factor of two"
    odd = run(as_record, sweep(0.2), charge_transfer_resistance="50 ohm")
    assert odd.verdicts["methods"].answer.startswith("differ by a factor of")
    assert any("differ by a factor" in warning for warning in odd.warnings)


def test_area_and_temperature_are_used(as_record):
    i, u = sweep(0.2, 20.0)
    result = EXPERIMENT.run([recorded(as_record, 2.5 * i, u)], protocol(area="2.5 cm^2"))
    assert result.quantities[J0].value == pytest.approx(0.2, rel=2e-3)
    assert result.quantities["apparent_series_resistance"].value == pytest.approx(20.0, rel=5e-3)


def test_signs_follow_the_plating_current(as_record):
    i, u = sweep(0.1, 30.0, 0.35, electrodes=1, to=0.25)
    turned = as_record(np.arange(i.size), 1e-3 * i, u)
    found = EXPERIMENT.run([turned], protocol(electrodes="1", plating="positive current")).quantities
    assert found["apparent_transfer_coefficient"].value == pytest.approx(0.35, rel=0.01)


def test_without_a_tafel_region_none_is_claimed(as_record):
    result = run(as_record, sweep(0.2, 20.0, to=0.15), seed=1)
    assert f"{J0}_tafel" not in result.quantities
    assert result.verdicts["identifiability"].answer == NO_TAFEL
    assert (
        "no Tafel region reached" in result.table("methods").filter(result.table("methods")["method"] == "Tafel")["how"][0]
    )


def test_near_rest_only_the_sum_of_resistances_is_told(as_record):
    """A few millivolts are a straight line: j0 and R trade places, and the value at rest is a lower bound."""
    result = run(as_record, sweep(0.2, 200.0, to=0.012), seed=2)
    assert result.verdicts["identifiability"].answer == SUM_ONLY
    assert J0 not in result.quantities
    bound = result.quantities[f"{J0}_micropolarization"]
    assert bound.bound == "lower"
    assert bound.value < 0.2
    told = run(as_record, sweep(0.2, 200.0, to=0.012), seed=2, series_resistance="200 ohm")
    known = told.quantities[f"{J0}_micropolarization"]
    assert known.bound is None
    assert known.value == pytest.approx(0.2, abs=4 * known.uncertainty)


def test_a_resistance_with_its_uncertainty_enters_the_fit(as_record):
    curve = sweep(0.2, 200.0, to=0.05)
    exact = run(as_record, curve, seed=3, series_resistance="200 ohm").quantities[J0]
    vague = run(as_record, curve, seed=3, series_resistance="200 ohm", series_resistance_uncertainty="20 ohm").quantities[
        J0
    ]
    assert vague.uncertainty > 2 * exact.uncertainty
    assert exact.value == pytest.approx(0.2, abs=4 * exact.uncertainty)


def test_a_tafel_line_without_ir_correction_reads_too_much(as_record):
    """The bias table of the documentation: with R j0 of 4 mV an uncorrected line gives several times j0."""
    i, u = sweep(0.2, 20.0, to=0.6)
    eta = np.abs(u) / 2
    inside = (eta > 0.118) & (u > 0)
    _, intercept = np.polyfit(eta[inside], np.log(i[inside]), 1)
    assert np.exp(intercept) > 2 * 0.2
    found = run(as_record, (i, u)).quantities[f"{J0}_tafel"]
    assert found.value == pytest.approx(0.2, abs=3 * found.uncertainty + 0.004)


def test_steps_of_current_and_of_potential(as_record):
    eta, table = electrode(0.5, 0.2)
    for by_current in (True, False):
        levels = np.array([-2, -1, -0.5, -0.1, -0.02, 0.02, 0.1, 0.5, 1, 2])
        volts = 2 * np.interp(levels, table, eta) + 1e-3 * 30.0 * levels
        fade = np.exp(-np.arange(60) / 4.0)
        i = np.repeat(levels, 60) if by_current else np.concatenate([level * (1 + 0.3 * fade) for level in levels])
        u = np.concatenate([volt * (1 - 0.3 * fade) for volt in volts]) if by_current else np.repeat(volts, 60)
        result = EXPERIMENT.run([recorded(as_record, i, u, seed=4, noise_mA=1e-5, relative=1e-4)], protocol())
        assert result.inputs["data"].startswith("current steps" if by_current else "potential steps")
        found = result.quantities
        assert found[J0].value == pytest.approx(0.2, abs=4 * found[J0].uncertainty)
        assert found["apparent_series_resistance"].value == pytest.approx(30.0, rel=0.05)


def test_steps_that_have_not_settled_are_said(as_record):
    levels = np.array([-2, -1, -0.5, 0.5, 1, 2])
    u = np.concatenate([0.1 * level * (1 + np.linspace(0, 1, 40)) for level in levels])
    result = EXPERIMENT.run([recorded(as_record, np.repeat(levels, 40), u)], protocol())
    assert any("not settled" in warning for warning in result.warnings)


def test_marcus_kinetics_are_recognized_where_they_show(as_record):
    """Rates from the integral of the definition, of 0.2 eV: the curve bends where Butler-Volmer is straight."""
    energy = 0.2 * F_1_V
    y = np.arange(-150, 150, 0.05)

    def one_way(x):
        return np.sum(np.exp(-((energy - x + y) ** 2) / (4 * energy)) / (1 + np.exp(-y)))

    x = np.linspace(-11, 11, 301)
    i = 0.1 * np.array([one_way(at) - one_way(-at) for at in x]) / one_way(0.0)
    u = 2 * x / F_1_V + 1e-3 * 10.0 * i
    result = run(as_record, (i, u), seed=5, model="marcus", series_resistance="10 ohm")
    assert result.verdicts["kinetics"].answer == "Marcus describes it better"
    found = result.quantities
    assert found[f"{J0}_marcus"].value == pytest.approx(0.1, abs=4 * found[f"{J0}_marcus"].uncertainty)
    energy_eV = found["apparent_reorganization_energy"]
    assert energy_eV.value == pytest.approx(0.2, abs=4 * energy_eV.uncertainty)
    plain = run(as_record, sweep(0.1, 10.0, to=0.6), seed=6, model="marcus", series_resistance="10 ohm")
    assert plain.verdicts["kinetics"].answer != "Marcus describes it better"


def draw(as_record, seed, electrodes):
    random = np.random.default_rng(seed)
    j0, ohm = float(np.exp(random.uniform(np.log(0.03), np.log(0.6)))), float(random.uniform(5, 80))
    alpha = float(random.uniform(0.3, 0.5 if electrodes == 2 else 0.7))
    curve = sweep(j0, ohm, alpha, electrodes, to=0.2 * electrodes, rows=400, rest=float(random.normal(0, 0.002)))
    found = run(as_record, curve, seed=seed, electrodes=str(electrodes)).quantities
    at = found[J0]
    resistance = found["apparent_series_resistance"]
    return (
        abs(np.log(at.value / j0)) < 1.96 * at.uncertainty / at.value,
        abs(resistance.value - ohm) < 1.96 * resistance.uncertainty,
    )


@pytest.mark.parametrize("electrodes", [1, 2])
def test_stated_intervals_cover(as_record, electrodes):
    inside = np.mean([draw(as_record, seed, electrodes) for seed in range(40)], axis=0)
    assert np.all(inside >= 0.85)


@pytest.mark.slow
@pytest.mark.parametrize("electrodes", [1, 2])
def test_stated_intervals_cover_in_a_thousand_draws(as_record, electrodes):
    inside = np.mean([draw(as_record, seed, electrodes) for seed in range(1000)], axis=0)
    assert np.all((inside >= 0.90) & (inside <= 0.98)), inside


@pytest.mark.parametrize("electrodes", ["1", "2"])
def test_the_virtual_instrument_closes(electrodes):
    cell = load_cell("bare-na")
    given = protocol(electrodes=electrodes)
    swept = checked(EXPERIMENT.instrument, {"sweep_to": "0.4 V"})
    result = EXPERIMENT.run([EXPERIMENT.simulate(cell, given, 1, swept)], given)
    found = result.quantities[J0]
    assert found.value == pytest.approx(0.2, abs=4 * found.uncertainty)
    assert result.simulated
    result.draw()
    with pytest.raises(InputError, match="electrons"):
        EXPERIMENT.simulate(cell, protocol(electrons="2"), 1, None)


def test_what_is_no_polarization_curve_is_refused(as_record, SymmetricCell):
    i, u = sweep(0.2, 20.0, electrodes=1, to=0.2)
    with pytest.raises(InputError, match="opposes the current"):
        EXPERIMENT.run([as_record(np.arange(i.size), -1e-3 * i, u)], protocol(electrodes="1"))
    one_way = i > 0.01
    with pytest.raises(InputError, match="one direction only"):
        EXPERIMENT.run([recorded(as_record, i[one_way], u[one_way])], protocol(electrodes="1"))
    with pytest.raises(InputError, match="no symmetric cell"):
        EXPERIMENT.run([recorded(as_record, i, u - 0.5)], protocol())
    with pytest.raises(InputError, match="never changes"):
        EXPERIMENT.run([as_record(np.arange(9.0), np.zeros(9), np.zeros(9))], protocol())
    with pytest.raises(InputError, match="tafel_from"):
        protocol(tafel_from="0.2 V", tafel_to="0.1 V")
    with pytest.raises(InputError, match="temperature: missing"):
        checked(EXPERIMENT.protocol, {"area": "1 cm^2", "electrodes": "2"})


def test_a_curve_that_is_none_of_charge_transfer_is_said(as_record):
    """A limiting current: the voltage runs away where Butler-Volmer flattens."""
    u = np.linspace(-0.3, 0.3, 400)
    result = run(as_record, (np.tanh(u / 0.05), u))
    assert result.verdicts["identifiability"].answer == NOT_DESCRIBED
    assert J0 not in result.quantities


def test_real_lithium_in_a_ceramic_is_no_more_than_a_resistance(real_data):
    """Li|LLZO|Li within 4 mV: bulk, grain boundaries and charge transfer in one line; no j0 from that."""
    import sodiophile as sp

    result = sp.analyze(
        "exchange-current",
        real_data("echem/symmetric_metal/li_llzo_li_symmetric_mb.mpt"),
        area="0.283 cm^2",
        temperature="298.15 K",
        electrodes="2",
    )
    assert J0 not in result.quantities
    assert result.verdicts["identifiability"].answer == SUM_ONLY
    bound = result.quantities.get(f"{J0}_micropolarization")
    assert bound is None or bound.bound == "lower"


def test_a_real_sweep_far_from_rest_gives_no_exchange_current(real_data):
    """A cathodic sweep to -4 V against SCE, mostly resistance: refused without its rest potential, no claim with it."""
    import sodiophile as sp

    path = real_data("echem/symmetric_metal/lsv.mpt")
    given = {"area": "1 cm^2", "temperature": "298.15 K", "electrodes": "1"}
    with pytest.raises(InputError, match="one direction only"):
        sp.analyze("exchange-current", path, **given)
    result = sp.analyze("exchange-current", path, rest_potential="-0.065 V", **given)
    assert result.verdicts["kinetics"].answer != "Butler-Volmer describes the curve" or J0 not in result.quantities


def test_the_analysis_is_not_asked_for_what_only_the_instrument_needs():
    models = (EXPERIMENT.protocol, EXPERIMENT.instrument)
    asked, own = ({field.alias or name for name, field in model.model_fields.items()} for model in models)
    assert not asked & own
    assert {"sweep_to", "scan_rate", "sampling_interval"} <= own
