"""One study's numbers against each other: what should agree by electrochemistry, does it, and the usual causes if not.

Numbers found here and numbers that somebody reported are each set against their own kind, never mixed: this is about
whether one set of numbers can be true together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl

from sodiophile.physics.constants import GAS_J_mol_K, inverse_thermal_voltage_1_V
from sodiophile.physics.kinetics import butler_volmer_overpotential_V, charge_transfer_resistance_ohm_cm2
from sodiophile.result import Result, Verdict
from sodiophile.study.facts import Fact, Source, common_temperature, named

KIND = "consistency"
AGREES_WITHIN_SIGMAS = 2.0
FACTOR = 2.0
"""Kinetic numbers without uncertainties are said to disagree beyond this factor: one method repeated scatters by less."""
SETTING_TOLERANCE = 0.02
"""What was set and what the file shows may differ by this: areas and set points are quoted to two digits."""

_KINETIC = r"(apparent_)?exchange_current_density(?!.*impedance)(_\w+)?(:.*)?"
_CYCLING = ("symmetric-cycling", "symmetric-rate")


@dataclass(frozen=True)
class Check:
    """Two numbers that should agree.

    Parameters
    ----------
    source, electrode, relation
        Whose numbers, of which electrode or electrodes, and which relation.
    first, second
        What is compared, in words.
    first_value, second_value, unit
        The same in numbers, in one unit.
    ratio
        First over second.
    sigmas
        Difference over the combined standard uncertainty; None where none is known.
    answer
        ``agree``, ``disagree`` or ``cannot be told``.
    sentence
        What it means, with the numbers and the usual explanations.
    """

    source: Source
    electrode: str
    relation: str
    first: str
    second: str
    first_value: float
    second_value: float
    unit: str
    ratio: float
    sigmas: float | None
    answer: str
    sentence: str


def consistency(facts: Sequence[Fact]) -> list[Check]:
    """Set the facts of each source and electrode against each other.

    Parameters
    ----------
    facts
        As `sodiophile.study.facts.facts_of` returns them.
    """
    checks: list[Check] = []
    for source in dict.fromkeys(fact.source for fact in facts):
        of_source = [fact for fact in facts if fact.source == source]
        electrodes = list(dict.fromkeys(fact.electrode for fact in of_source))
        for electrode in electrodes:
            own = [fact for fact in of_source if fact.electrode == electrode]
            for relation in _RELATIONS:
                checks += relation(own)
        for a, b in combinations(electrodes, 2):
            checks += _activation([fact for fact in of_source if fact.electrode in {a, b}], a, b)
    return checks


def _judge(ratio: float, relative: float | None, factor: float) -> tuple[float | None, str]:
    """Return sigmas and answer for a ratio that should be one, judged on the logarithm."""
    if relative:
        sigmas = math.log(ratio) / relative
        return sigmas, "agree" if abs(sigmas) <= AGREES_WITHIN_SIGMAS else "disagree"
    return None, "agree" if 1 / factor <= ratio <= factor else "disagree"


def _combined(*facts: Fact) -> float | None:
    known = [one for fact in facts if (one := fact.relative_uncertainty) is not None]
    return math.hypot(*known) if known else None


def _weight(sigmas: float | None) -> str:
    return f"{abs(sigmas):.1f} sigma" if sigmas is not None else "no uncertainty is known"


def _resistance(own: Sequence[Fact]) -> list[Check]:
    """Set j0 from polarization curves against RT/(zF R_ct) from impedance."""
    checks = []
    for j0 in named(own, _KINETIC, ("exchange-current",)):
        for resistance in named(own, r"charge_transfer_resistance", ("impedance",)):
            measured, charge = j0.number("mA/cm^2"), resistance.number("ohm cm^2")
            if measured is None or charge is None or measured <= 0 or charge <= 0:
                continue
            temperature, remark = common_temperature(j0, resistance)
            implied = _j0_from_resistance(charge, temperature, resistance)
            if temperature is None or implied is None:
                checks.append(_untold("exchange current and resistance", j0, resistance, measured, charge, remark))
                continue
            ratio = measured / implied
            sigmas, answer = _judge(ratio, _combined(j0, resistance), FACTOR)
            why = (
                "usual causes: a Tafel window that is not all charge transfer, an arc that is not (only) charge transfer, "
                "the surface growing or ageing between the two, an ohmic drop not taken off"
            )
            sentence = (
                f"{j0.where} is {ratio:.3g} times the RT/(zF R_ct) = {implied:.3g} mA/cm^2 that {resistance.where} means "
                f"{remark} ({_weight(sigmas)})" + ("" if answer == "agree" else f"; {why}")
            )
            checks.append(
                Check(
                    j0.source, j0.electrode, "exchange current and resistance", j0.where,
                    f"RT/(zF R_ct), {resistance.where}", measured, implied, "mA/cm^2", ratio, sigmas, answer, sentence,
                )
            )  # fmt: skip
    return checks


def _j0_from_resistance(resistance_ohm_cm2: float, temperature_K: float | None, fact: Fact) -> float | None:
    """Return RT/(zFR), mA/cm2: the relation of `charge_transfer_resistance_ohm_cm2` is its own inverse."""
    if temperature_K is None:
        return None
    z = int(fact.setting("electrons") or 1)
    return float(charge_transfer_resistance_ohm_cm2(resistance_ohm_cm2, temperature_K, z=z))


def _untold(relation: str, first: Fact, second: Fact, a: float, b: float, remark: str) -> Check:
    sentence = f"{first.where} and {second.where} cannot be compared: they hold {remark}"
    return Check(
        first.source,
        first.electrode,
        relation,
        first.where,
        second.where,
        a,
        b,
        "",
        a / b,
        None,
        "cannot be told",
        sentence,
    )


def _overpotentials(own: Sequence[Fact]) -> list[Check]:
    """Set the charge-transfer overpotential that j0 demands against voltages, of which it can only be a part."""
    checks = []
    for j0 in named(own, _KINETIC, ("exchange-current",)):
        for voltage in named(own, r"polarization(_mean)?", _CYCLING):
            checks += _overpotential(j0, voltage, own, 2, "overpotential in cycling", _IN_CYCLING)
        for voltage in named(own, r"tip_overpotential", ("nucleation",)):
            checks += _overpotential(j0, voltage, own, 1, "nucleation overpotential", _AT_TIP)
        # tip minus plateau has no charge transfer in it; what somebody printed may be either
        for voltage in named(own, r"nucleation_overpotential") if j0.source == "reported" else []:
            checks += _overpotential(j0, voltage, own, 1, "nucleation overpotential", _AT_TIP_OR_MINUS_PLATEAU)
    return checks


_IN_CYCLING = "j0 was measured in another state of the surface, or has more in it than charge transfer"
_AT_TIP = "the tip is on a foreign surface with its own kinetics, or j0 was measured in another state of the surface"
_AT_TIP_OR_MINUS_PLATEAU = (
    "the overpotential may be tip minus plateau, which has no charge transfer in it, or j0 was measured in another state "
    "of the surface"
)


def _overpotential(j0: Fact, voltage: Fact, own: Sequence[Fact], electrodes: int, relation: str, why: str) -> list[Check]:
    exchange, found = j0.number("mA/cm^2"), voltage.number("mV")
    current = _current_density(voltage, own)
    if exchange is None or found is None or current is None or min(exchange, found, current) <= 0:
        return []
    temperature, remark = common_temperature(j0, voltage)
    if temperature is None:
        return [_untold(relation, voltage, j0, found, exchange, remark)]
    z = int(j0.setting("electrons") or 1)
    alone = 1e3 * float(butler_volmer_overpotential_V(current, exchange, temperature, z=z))
    demanded = electrodes * alone
    # d eta / d ln j0 of the symmetric Butler-Volmer equation
    f = inverse_thermal_voltage_1_V(temperature, z) * 1e-3
    x = current / (2 * exchange)
    slope_mV = electrodes * (2 / f) * x / math.sqrt(1 + x * x)
    errors = [slope_mV * (j0.relative_uncertainty or 0.0), voltage.quantity.to("mV").uncertainty or 0.0]
    error = math.hypot(*errors)
    beyond = demanded - found
    sigmas = -beyond / error if error else None
    answer = "disagree" if beyond > AGREES_WITHIN_SIGMAS * error else "agree"
    cells = "for both electrodes" if electrodes == 2 else "for the electrode alone"
    base = (
        f"at {current:.3g} mA/cm^2 {j0.where} demands a charge-transfer overpotential of {demanded:.3g} mV {cells} "
        f"{remark} (Butler-Volmer, alpha 1/2)"
    )
    if answer == "agree":
        sentence = (
            f"{base}, {100 * demanded / found:.0f} % of the {voltage.where}; the rest is left for electrolyte, interphase "
            "and transport"
        )
    else:
        per_electrode = found / electrodes
        needed = current / (2 * exchange * math.sinh(f * per_electrode / 2))
        sentence = (
            f"{base}, but the {voltage.where} is only {100 * found / demanded:.0f} % of that ({_weight(sigmas)}): both can "
            f"hold only if the area at work is at least {needed:.2g} times the geometric one; otherwise {why}"
        )
    return [
        Check(
            j0.source, j0.electrode, relation, voltage.where, f"charge-transfer overpotential of {j0.where}", found,
            demanded, "mV", found / demanded, sigmas, answer, sentence,
        )
    ]  # fmt: skip


def _current_density(fact: Fact, own: Sequence[Fact]) -> float | None:
    """Return the current density that a fact holds for: found in the same test, else as set or stated."""
    beside = next((one for one in own if one.subject == fact.subject and one.name == "current_density"), None)
    return beside.number("mA/cm^2") if beside is not None else fact.setting("current_density_mA_cm2")


def _settings(own: Sequence[Fact]) -> list[Check]:
    """Set what the file shows against what was set: current, charge, and whether one wrong area explains both."""
    checks = []
    for subject in dict.fromkeys(fact.subject for fact in own if fact.source == "this study"):
        mine = [fact for fact in own if fact.subject == subject]
        found = {}
        for name, setting, unit in (
            ("current_density", "current_density_mA_cm2", "mA/cm^2"),
            ("(plated_)?capacity", "capacity_mAh_cm2", "mAh/cm^2"),
        ):
            for fact in named(mine, name):
                value, wanted = fact.number(unit), fact.setting(setting)
                if value and wanted:
                    found[unit] = (fact, value, wanted)
        off = [value / wanted for _, value, wanted in found.values()]
        # both off by one factor: the area
        same = len(off) == 2 and abs(off[0] / off[1] - 1) <= SETTING_TOLERANCE
        for unit, (fact, value, wanted) in found.items():
            checks.append(_setting(fact, value, wanted, unit, one_area=same))
    return checks


def _setting(fact: Fact, value: float, wanted: float, unit: str, *, one_area: bool) -> Check:
    ratio = value / wanted
    error = fact.relative_uncertainty or 0.0
    reach = max(SETTING_TOLERANCE, AGREES_WITHIN_SIGMAS * error)
    answer = "agree" if abs(ratio - 1) <= reach else "disagree"
    sentence = f"{fact.where} is {100 * (ratio - 1):+.2g} % off the {wanted:g} {unit} that was set"
    area = fact.setting("area_cm2")
    if answer == "disagree" and one_area and area is not None:
        sentence += f"; current and charge are off alike, so the area is wrong: {area * ratio:.4g} cm^2 instead of {area:g}"
    elif answer == "disagree" and "capacity" in fact.name:
        sentence += "; usual causes: half cycles cut short by a voltage limit, or a capacity limit that counts a rest"
    elif answer == "disagree":
        sentence += "; usual causes: another program than noted, or another area"
    sigmas = (ratio - 1) / error if error else None
    what = "current set and found" if unit == "mA/cm^2" else "charge set and found"
    return Check(
        fact.source, fact.electrode, what, fact.where, f"set: {wanted:g} {unit}", value, wanted, unit, ratio, sigmas,
        answer, sentence,
    )  # fmt: skip


def _direct_current(own: Sequence[Fact]) -> list[Check]:
    """Set the resistance that cycling shows against the whole that impedance shows at rest."""
    checks = []
    for cycling in named(own, r"apparent_resistance", _CYCLING):
        for series in named(own, r"series_resistance", ("impedance",)):
            arcs = [
                fact
                for fact in own
                if fact.subject == series.subject
                and fact.name in {"interfacial_resistance", "sei_resistance", "charge_transfer_resistance"}
            ]
            whole = [fact for fact in arcs if fact.name == "interfacial_resistance"] or arcs
            value, ohmic = cycling.number("ohm cm^2"), series.number("ohm cm^2")
            parts = [fact.number("ohm cm^2") for fact in whole]
            if not value or ohmic is None or not parts or None in parts:
                continue
            total = ohmic + 2 * sum(part for part in parts if part is not None)
            errors = [series.quantity.to("ohm cm^2").uncertainty or 0.0]
            errors += [2 * (fact.quantity.to("ohm cm^2").uncertainty or 0.0) for fact in whole]
            known = [math.hypot(*errors) / total, cycling.relative_uncertainty or 0.0]
            ratio = value / total
            sigmas, answer = _judge(ratio, math.hypot(*known) or None, FACTOR)
            sentence = (
                f"{cycling.where} is {ratio:.3g} times the {total:.4g} ohm cm^2 at rest that impedance shows of both "
                f"electrodes and the electrolyte ({series.subject}; {_weight(sigmas)})"
            )
            if answer == "disagree" and ratio < 1:
                sentence += (
                    "; usual causes: charge transfer is easier far from rest (Butler-Volmer), the surface grew in "
                    "cycling, or a soft short"
                )
            elif answer == "disagree":
                sentence += "; usual causes: slow processes below the lowest frequency of the spectrum, or ageing"
            checks.append(
                Check(
                    cycling.source, cycling.electrode, "resistance in cycling and at rest", cycling.where,
                    f"series and interfacial resistance ({series.subject})", value, total, "ohm cm^2", ratio, sigmas,
                    answer, sentence,
                )
            )  # fmt: skip
    return checks


def _activation(of_source: Sequence[Fact], a: str, b: str) -> list[Check]:
    """Set the ratio of the Boltzmann factors of two electrodes against that of their exchange current densities."""
    energies, currents = [], []
    for electrode in (a, b):
        own = [fact for fact in of_source if fact.electrode == electrode]
        energies.append(next(iter(named(own, r"(charge_transfer_)?activation_energy")), None))
        kinetic = named(own, _KINETIC, ("exchange-current",))
        # impedance has its own route to the same number
        currents.append(next(iter([*kinetic, *named(own, r"apparent_exchange_current_density", ("impedance",))]), None))
    if None in energies or None in currents:
        return []
    first, second, j_a, j_b = (fact for fact in (*energies, *currents) if fact is not None)
    Ea, Eb = first.number("kJ/mol"), second.number("kJ/mol")
    ja, jb = j_a.number("mA/cm^2"), j_b.number("mA/cm^2")
    if Ea is None or Eb is None or not ja or not jb or min(ja, jb) <= 0:
        return []
    if Ea < Eb:  # said of the electrode that should be faster
        a, b, first, second, Ea, Eb, ja, jb, j_a, j_b = b, a, second, first, Eb, Ea, jb, ja, j_b, j_a
    relation = "activation energies and exchange currents"
    temperature, remark = common_temperature(j_a, j_b)
    if temperature is None:
        return [_untold(relation, j_a, j_b, ja, jb, remark)]
    # kJ/mol over J/(mol K) times K
    boltzmann = (Ea - Eb) * 1e3 / (GAS_J_mol_K * temperature)
    observed = math.log(jb / ja)
    scale = 1e3 / (GAS_J_mol_K * temperature)
    errors = [scale * (fact.quantity.to("kJ/mol").uncertainty or 0.0) for fact in (first, second)]
    errors += [fact.relative_uncertainty or 0.0 for fact in (j_a, j_b)]
    prefactors, ratio = _exp(abs(boltzmann - observed)), _exp(observed - boltzmann)
    sigmas, answer = _judge(ratio, math.hypot(*errors) or None, FACTOR)
    sentence = (
        f"the activation energies of {a} and {b}, {first.quantity} and {second.quantity}, would alone make charge transfer "
        f"on {b} {_exp(boltzmann):.3g} times as fast as on {a} {remark}; the exchange current densities, "
        f"{j_a.quantity} and {j_b.quantity}, make it {jb / ja:.3g} times"
    )
    if answer == "disagree":
        sentence += (
            f" ({_weight(sigmas)}): the prefactors must differ by a factor of {prefactors:.2g} the other way "
            "(compensation); usual causes: another number of active sites or another area, an activation energy of another "
            "process, lines through too few temperatures"
        )
    else:
        sentence += f" ({_weight(sigmas)})"
    return [
        Check(
            j_a.source, f"{a}, {b}", relation, f"ratio of exchange current densities, {b} over {a}", "exp(dEa/RT)", jb / ja,
            _exp(boltzmann), "1", ratio, sigmas, answer, sentence,
        )
    ]  # fmt: skip


def _exp(x: float) -> float:
    """Return e to the x, which nonsense in a file may make larger than a float can be."""
    return math.exp(max(-700.0, min(700.0, x)))


_RELATIONS: tuple[Callable[[Sequence[Fact]], list[Check]], ...] = (_resistance, _overpotentials, _direct_current, _settings)


def as_result(checks: Sequence[Check], *, simulated: bool = False) -> Result | None:
    """Return the checks as a result with a table; None if there is none."""
    if not checks:
        return None
    rows: list[dict[str, Any]] = [
        {
            "numbers": one.source, "electrode": one.electrode, "relation": one.relation, "answer": one.answer,
            "first": one.first, "second": one.second, "first_value": one.first_value, "second_value": one.second_value,
            "unit": one.unit, "ratio": one.ratio, "difference_percent": 100 * (one.ratio - 1), "sigmas": one.sigmas,
        }
        for one in checks
    ]  # fmt: skip
    counts = [sum(one.answer == answer for one in checks) for answer in ("agree", "disagree", "cannot be told")]
    answer = f"{counts[0]} agree, {counts[1]} disagree" + (f", {counts[2]} cannot be told" if counts[2] else "")
    ordered = sorted(checks, key=lambda one: ("disagree", "cannot be told", "agree").index(one.answer))
    evidence = tuple(f"{one.electrode}, {one.source}: {one.sentence}" for one in ordered)
    return Result(
        KIND,
        {"checks": len(checks)},
        {},
        {"numbers against each other": Verdict(answer, evidence)},
        tables={"checks": pl.DataFrame(rows, infer_schema_length=None)},
        simulated=simulated,
    )


def findings(checks: Sequence[Check], *, simulated: bool = False) -> tuple[str, ...]:
    """Return one sentence for each contradiction.

    Parameters
    ----------
    checks
        As `consistency` returns them.
    simulated
        Whether the numbers of this study are simulated. One virtual cell cannot contradict itself: where its numbers break
        a simple relation, the relation does not hold for it (its surface grew between two tests). One sentence says so.
    """
    found = []
    broken: dict[str, int] = {}
    for one in checks:
        if one.answer != "disagree":
            continue
        if one.source == "reported":
            found.append(f"The reported numbers of {one.electrode} contradict each other: {one.sentence}.")
        elif simulated:
            broken[one.electrode] = broken.get(one.electrode, 0) + 1
        else:
            found.append(f"Our numbers of {one.electrode} contradict each other: {one.sentence}.")
    for electrode, count in broken.items():
        found.append(
            f"{count} of the usual relations between numbers do not hold among the simulated ones of {electrode}, although "
            "one set of parameters made them all: where reported numbers break the same ones, that alone is no "
            "contradiction (see consistency)."
        )
    return tuple(found)
