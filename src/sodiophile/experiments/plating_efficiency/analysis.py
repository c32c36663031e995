"""From the record of a metal||substrate cell to its Coulombic efficiency, by cycle and by the reservoir protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._halfcycles import HalfCycles, doubtful_current
from sodiophile.experiments._thinning import kept_rows
from sodiophile.experiments.plating_efficiency.blocks import Block, blocks, exhaustive
from sodiophile.experiments.plating_efficiency.protocol import PlatingEfficiencyProtocol
from sodiophile.experiments.plating_efficiency.uncertainty import Efficiency, efficiency
from sodiophile.quantity import Quantity, Status
from sodiophile.records import CyclingRecord
from sodiophile.records.cycling import joined
from sodiophile.result import Result, Verdict

KIND = "plating-efficiency"
VERSION = 1

_PROFILE_POINTS = 3000
_CLAIM = 2.0
_SHORTED = 3.0
_LEAST_TREND = 6

RESOLVED = "efficiency measured"
INDISTINGUISHABLE = "cannot be told from 100 %"
MORE_THAN_PLATED = "more stripped than plated"


def analyze(records: Sequence[CyclingRecord], protocol: PlatingEfficiencyProtocol) -> Result:
    """Analyze plating on a substrate and stripping to a cut-off.

    Parameters
    ----------
    records
        The files of one test of one cell, in order.
    protocol
        The area, what was set, how to read the file, and the accuracy of the instrument.

    Returns
    -------
    Result
        Tables ``cycles`` (one row a block between two exhaustive strippings), ``half_cycles`` and ``profile``.

    Raises
    ------
    InputError
        If no current flows, nothing is plated or stripped, no stripping reaches a cut-off (a symmetric cell), the substrate
        takes up the metal above its own potential (an insertion electrode), or no block of the asked kind is complete.
    """
    record = joined(records)
    where = record.name
    half = protocol.half_cycles(record)
    _refuse_what_does_not_plate(half, where)
    emptied, cut_off_V = exhaustive(half, protocol.cut_off_V, where)
    found, left_over = blocks(half, emptied)
    if not found:
        raise InputError(f"no plating is followed by a stripping to the cut-off of {cut_off_V:.4g} V; {left_over}", where)
    values = [efficiency(half, block, protocol) for block in found]
    wanted = _wanted(found, protocol, where)
    status: Status = "simulated" if record.simulated else "measured"

    cycles = _cycle_table(half, found, values, protocol)
    quantities, warnings = _efficiencies(found, values, wanted, protocol, half, status)
    shown = min(protocol.profile_cycle, len(found)) - 1
    if protocol.profile_cycle > len(found):
        warnings.append(f"there is no complete cycle {protocol.profile_cycle}; the last one, {len(found)}, is shown")
    quantities |= _of_one_cycle(half, found[shown], shown + 1, protocol, status)
    quantities |= _conditions(half, found, emptied, cut_off_V, protocol, status)
    warnings += _warnings(found, values, left_over)
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(mode="json"),
            "records": [origin.to_dict() for origin in record.provenance],
            "version": VERSION,
            "method": " and ".join(sorted(wanted)),
            "current_threshold_mA": half.threshold_A * 1e3,
        },
        quantities=quantities,
        verdicts={"efficiency": _verdict(quantities, found, values)},
        warnings=(*warnings, *doubtful_current(half, protocol.area_cm2), *record.notes),
        tables={
            "cycles": cycles,
            "half_cycles": half.table(protocol.area_cm2).with_columns(
                pl.Series("to_cut_off", emptied), pl.col("end_rise", "peak_at_start").fill_nan(None)
            ),
            "profile": _profile(half, found[shown], protocol.area_cm2),
        },
        simulated=record.simulated,
    )


def _refuse_what_does_not_plate(half: HalfCycles, where: str) -> None:
    if half.plating.all() or not half.plating.any():
        only = "plating" if half.plating.all() else "stripping"
        raise InputError(f"current flows in one direction only ({only}); expected plating and stripping", where)
    plating_V = float(np.median(half.level_V[half.plating]))
    stripping_V = float(np.median(half.level_V[~half.plating]))
    if plating_V < -0.01 and -plating_V > 5 * float(np.median(half.noise_V)):
        raise InputError(
            f"while the substrate should be plated its voltage lies at {-plating_V:.4g} V, on the stripping side of 0 V "
            f"(and at {stripping_V:.4g} V while stripped); a metal plates below its own potential, so this is an insertion "
            "electrode or a full cell, or the sign of plating is the other one (option plating)",
            where,
        )


def _wanted(found: list[Block], protocol: PlatingEfficiencyProtocol, where: str) -> set[str]:
    """Return the kinds of block whose efficiency is stated."""
    there = {block.kind for block in found} - {"irregular"}
    if protocol.method == "cycles":
        wanted = {"cycle"}
    elif protocol.method == "reservoir":
        wanted = {"reservoir"}
    else:
        wanted = there
    if not wanted & there:
        asked = {"cycles": "plain cycle", "reservoir": "reservoir protocol", "auto": "cycle or reservoir protocol"}
        raise InputError(
            f"no complete {asked[protocol.method]} found among {len(found)} blocks between strippings to the cut-off "
            f"({', '.join(sorted({block.kind for block in found}))}); expected one, or another method",
            where,
        )
    return wanted & there


def _efficiencies(
    found: list[Block],
    values: list[Efficiency],
    wanted: set[str],
    protocol: PlatingEfficiencyProtocol,
    half: HalfCycles,
    status: Status,
) -> tuple[dict[str, Quantity], list[str]]:
    out: dict[str, Quantity] = {}
    warnings: list[str] = []
    if "cycle" in wanted:
        plain = [value for block, value in zip(found, values, strict=True) if block.kind == "cycle"]
        first = plain[0]
        out["coulombic_efficiency_first"] = Quantity(
            100 * first.value, "%", 100 * first.standard, "stripped over plated charge, first complete cycle", status
        )
        last = min(protocol.last_cycle or len(plain), len(plain))
        inside = plain[protocol.first_cycle - 1 : last]
        if inside:
            out["coulombic_efficiency"] = _mean(inside, protocol.first_cycle, last, status)
            warnings += _trend(inside, protocol.first_cycle)
        else:
            warnings.append(
                f"the window from cycle {protocol.first_cycle} holds no complete cycle (there are {len(plain)}): "
                "no average is stated"
            )
    if "reservoir" in wanted:
        index = next(k for k, block in enumerate(found) if block.kind == "reservoir")
        out |= _reservoir(half, found[index], values[index], protocol.area_cm2, status)
        more = sum(block.kind == "reservoir" for block in found) - 1
        if more:
            warnings.append(
                f"{more} further reservoir protocols follow; the quantities are of the first, the table holds all"
            )
    return out, warnings


def _mean(inside: list[Efficiency], first: int, last: int, status: Status) -> Quantity:
    """Return the mean over cycles: what is systematic stays, what is random shrinks with their number."""
    value = np.array([entry.value for entry in inside])
    systematic = float(np.mean([entry.systematic for entry in inside]))
    random = float(np.sqrt(np.mean([entry.random**2 for entry in inside])))
    scatter = float(np.std(value, ddof=1)) if value.size > 1 else 0.0
    random = max(random, scatter * _small_sample(value.size)) / np.sqrt(value.size)
    words = f"stripped over plated charge, mean over cycles {first} to {last} ({value.size} complete cycles)"
    return Quantity(100 * float(value.mean()), "%", 100 * float(np.hypot(systematic, random)), words, status)


def _small_sample(count: int) -> float:
    """Return the factor that makes two standard errors from `count` values cover as two of many do."""
    if count < 2:
        return 1.0
    from scipy.stats import t

    return float(t.ppf(0.975, count - 1)) / 1.96


def _reservoir(half: HalfCycles, block: Block, value: Efficiency, area_cm2: float, status: Status) -> dict[str, Quantity]:
    charge = half.charge_C / 3.6 / area_cm2
    n = len(block.plated) - 1
    inner = np.concatenate([charge[list(block.plated[1:])], charge[list(block.stripped[:-1])]])
    return {
        "coulombic_efficiency_reservoir": Quantity(
            100 * value.value,
            "%",
            100 * value.standard,
            f"(n Q_C + Q_S)/(n Q_C + Q_T) with n = {n} from the measured charges: all stripped over all plated",
            status,
        ),
        "reservoir_capacity": Quantity(float(charge[block.plated[0]]), "mAh/cm^2", None, "Q_T, plated first", status),
        "cycled_capacity": Quantity(
            float(inner.mean()),
            "mAh/cm^2",
            float(inner.std(ddof=1)) if inner.size > 1 else None,
            "Q_C, mean of what was stripped and plated in the cycles inside; the uncertainty is their scatter",
            status,
        ),
        "final_capacity": Quantity(
            float(charge[block.stripped[-1]]), "mAh/cm^2", None, "Q_S, stripped to the cut-off at the end", status
        ),
        "reservoir_cycles": Quantity(n, "1", None, "n, cycles between the first plating and the final stripping", status),
    }


def _of_one_cycle(
    half: HalfCycles, block: Block, number: int, protocol: PlatingEfficiencyProtocol, status: Status
) -> dict[str, Quantity]:
    p, s = block.plated[0], block.stripped[0]
    plate, strip = float(half.level_V[p]) * 1e3, float(half.level_V[s]) * 1e3
    core = max(float(half.samples[p]) / 2, 1.0)
    noise = 1.2533e3 * float(half.noise_V[p]) / np.sqrt(core) + half.resolution_V * 1e3 / np.sqrt(12)
    words = f"median between 25 and 75 % of the charge, cycle {number}"
    plated = half.charge_C[list(block.plated)].sum()
    stripped = half.charge_C[list(block.stripped)].sum()
    value = efficiency(half, block, protocol)
    lost = (plated - stripped) / 3.6 / protocol.area_cm2
    spread = value.standard * plated / 3.6 / protocol.area_cm2
    return {
        "plating_overpotential": Quantity(plate, "mV", noise, f"|V| while plating, {words}", status),
        "stripping_overpotential": Quantity(strip, "mV", noise, f"|V| while stripping, {words}", status),
        "hysteresis": Quantity(plate + strip, "mV", noise * np.sqrt(2), f"|V_plate| + |V_strip|, {words}", status),
        "irreversible_capacity": Quantity(lost, "mAh/cm^2", spread, f"plated less stripped charge, cycle {number}", status),
    }


def _conditions(
    half: HalfCycles,
    found: list[Block],
    emptied: np.ndarray,
    cut_off_V: float,
    protocol: PlatingEfficiencyProtocol,
    status: Status,
) -> dict[str, Quantity]:
    used = [k for block in found for k in (*block.plated, *block.stripped)]
    first = [block.plated[0] for block in found]
    last_V = np.max(half.near(-2, -1), axis=1)[emptied]
    stated = protocol.cut_off_V is not None
    return {
        "cut_off": Quantity(
            cut_off_V,
            "V",
            None if stated else float(np.std(last_V)) if last_V.size > 1 else None,
            "as stated" if stated else "median of the voltages at which strippings end after a sudden rise",
            "assumed" if stated else status,
        ),
        "current_density": Quantity(
            float(np.median(half.set_A[used])) * 1e3 / protocol.area_cm2,
            "mA/cm^2",
            None,
            "median current of the half cycles per geometric area",
            status,
        ),
        "capacity": Quantity(
            float(np.median(half.charge_C[first])) / 3.6 / protocol.area_cm2,
            "mAh/cm^2",
            None,
            "median charge of the first plating after an exhaustive stripping, per geometric area",
            status,
        ),
    }


def _verdict(quantities: dict[str, Quantity], found: list[Block], values: list[Efficiency]) -> Verdict:
    chosen = quantities.get("coulombic_efficiency_reservoir") or quantities.get("coulombic_efficiency")
    if chosen is None or chosen.uncertainty is None:
        return Verdict("cannot be told from this file", ("no complete cycle in the window",))
    above = [
        k + 1
        for k, value in enumerate(values)
        if found[k].kind != "irregular" and value.value - 1 > max(_SHORTED * value.standard, 1e-6)
    ]
    if above:
        worst = max(values[k - 1].value for k in above)
        return Verdict(
            MORE_THAN_PLATED,
            (
                (
                    f"{len(above)} of {len(found)} cycles (first: {above[0]}) give up to {100 * worst:.4g} %, more than "
                    f"{_SHORTED:g} standard uncertainties above 100 %"
                ),
                "a soft short, metal left from before, or another reaction while stripping gives the rest: no efficiency",
            ),
        )
    distance = 100 - chosen.value
    words = (
        f"{chosen}: {distance:.3g} % below 100 %, {distance / max(chosen.uncertainty, 1e-12):.3g} standard uncertainties"
    )
    if distance < _CLAIM * chosen.uncertainty:
        return Verdict(INDISTINGUISHABLE, (words, "the accuracy of the current allows no closer statement"))
    return Verdict(RESOLVED, (words,))


def _trend(inside: list[Efficiency], first: int) -> list[str]:
    """Warn of an efficiency that moves over the window, for which a mean says little."""
    if len(inside) < _LEAST_TREND:
        return []
    from scipy.stats import linregress

    fit = linregress(np.arange(len(inside)), [100 * value.value for value in inside])
    moved = fit.slope * (len(inside) - 1)
    if fit.pvalue < 0.001 and abs(moved) > 0.1:
        return [
            (
                f"the efficiency moves by {moved:+.3g} % over the window from cycle {first}; "
                "state the window with the mean, or choose one (first_cycle, last_cycle)"
            )
        ]
    return []


def _warnings(found: list[Block], values: list[Efficiency], left_over: str) -> list[str]:
    out = [left_over] if left_over else []
    odd = [k + 1 for k, block in enumerate(found) if block.kind == "irregular"]
    if odd:
        out.append(
            f"block {odd[0]} is neither a cycle nor a reservoir protocol (a stripping missed its cut-off, or the charges "
            f"differ); {len(odd)} such blocks are in the table but in no average"
        )
    share = [value.systematic / max(value.standard, 1e-300) for value in values]
    if len(values) > 1 and np.median(share) > 0.99:
        out.append(
            "the uncertainty is that of the current, the same in every cycle: further cycles do not make the mean more "
            "accurate, a better known instrument does (current_accuracy, accuracy_correlation)"
        )
    return out


def _cycle_table(
    half: HalfCycles, found: list[Block], values: list[Efficiency], protocol: PlatingEfficiencyProtocol
) -> pl.DataFrame:
    area = protocol.area_cm2
    plain = np.cumsum([block.kind == "cycle" for block in found])
    return pl.DataFrame(
        {
            "block": range(1, len(found) + 1),
            "kind": [block.kind for block in found],
            "number": plain.astype(np.int64),
            "inner_cycles": [len(block.plated) - 1 for block in found],
            "start_h": [float(half.start_s[block.plated[0]] - half.start_s[0]) / 3600 for block in found],
            "plated_mAh_cm2": [value.plated_C / 3.6 / area for value in values],
            "stripped_mAh_cm2": [value.stripped_C / 3.6 / area for value in values],
            "coulombic_efficiency_percent": [100 * value.value for value in values],
            "uncertainty_percent": [100 * value.standard for value in values],
            "systematic_percent": [100 * value.systematic for value in values],
            "random_percent": [100 * value.random for value in values],
        }
    )


def _profile(half: HalfCycles, block: Block, area_cm2: float) -> pl.DataFrame:
    """Voltage over the charge of each half cycle of a block, thinned for the figure."""
    parts = []
    points = max(_PROFILE_POINTS // (len(block.plated) + len(block.stripped)) // 2 * 2, 200)
    for k in sorted((*block.plated, *block.stripped)):
        rows = np.arange(half.first[k], half.last[k] + 1)
        rows = rows[kept_rows(half.trace.voltage_V[rows], points)]
        charge = half.passed_C[rows] - half.passed_C[half.first[k]] + half.lead_C[k]
        parts.append(
            pl.DataFrame(
                {
                    "half_cycle": np.full(rows.size, k + 1),
                    "direction": ["plating" if half.plating[k] else "stripping"] * rows.size,
                    "capacity_mAh_cm2": charge / 3.6 / area_cm2,
                    "voltage_V": half.trace.voltage_V[rows],
                }
            )
        )
    return pl.concat(parts)
