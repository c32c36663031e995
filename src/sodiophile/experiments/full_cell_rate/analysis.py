"""From the record of a rate test to capacity, efficiency and polarization at each rate, and what comes back at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from sodiophile.errors import InputError
from sodiophile.experiments._fullcell import FullCell, curve_table, full_cell
from sodiophile.experiments._fullcell_statistics import (
    Mean,
    capacity_systematic,
    efficiency_systematic,
    mean,
    stated,
)
from sodiophile.experiments._fullcell_steps import find_steps, step_quantities
from sodiophile.experiments.full_cell_rate.protocol import FullCellRateProtocol
from sodiophile.quantity import Quantity, Status
from sodiophile.records import CyclingRecord
from sodiophile.records.cycling import joined
from sodiophile.result import Result, Verdict

KIND = "full-cell-rate"
VERSION = 1

NO_RETURN, RETURNED, LOST = (
    "no return to the first rate",
    "capacity comes back at the first rate",
    "capacity does not come back at the first rate",
)
_CURVE_POINTS = 300
_EMPTY = 0.01


@dataclass(frozen=True)
class Block:
    """Cycles in succession at one current.

    Parameters
    ----------
    rows
        Rows of the cycle table, complete cycles after settling.
    level
        Number of the level of current.
    current_mA
        Median current.
    label
        How the rate is called.
    again
        True where an earlier block had the same level.
    """

    rows: np.ndarray
    level: int
    current_mA: float
    label: str
    again: bool

    @property
    def name(self) -> str:
        """The label, and that it is a return."""
        return f"{self.label} again" if self.again else self.label


def analyze(records: Sequence[CyclingRecord], protocol: FullCellRateProtocol) -> Result:
    """Analyze a rate test of a full cell or half cell.

    Parameters
    ----------
    records
        The files of one test of one cell, in order.
    protocol
        Mass, definition of 1C, and thresholds.

    Returns
    -------
    Result
        Tables ``rates`` (one row a stretch of cycles at one current, with mean, spread and 95 % interval), ``cycles``,
        ``curves`` (thinned, of the last cycle of each stretch), ``steps``.

    Raises
    ------
    InputError
        If no cycle is complete, or the voltage is no full cell's.
    """
    record = joined(records)
    cell = full_cell(record, protocol)
    blocks = _blocks(cell, protocol, record.name)
    status: Status = "simulated" if record.simulated else "measured"
    rates = _rate_table(cell, blocks, protocol)
    steps, step_verdict = find_steps(cell, protocol)
    quantities = _quantities(cell, blocks, protocol, status)
    recovery, recovered = _recovery(cell, blocks, status)
    quantities |= recovered | step_quantities(steps, status)
    first = [block for block in blocks if not block.again]
    chosen = [int(block.rows[-1]) for block in first]
    return Result(
        kind=KIND,
        inputs={
            "protocol": protocol.model_dump(mode="json"),
            "records": [origin.to_dict() for origin in record.provenance],
            "version": VERSION,
            "current_threshold_mA": cell.half.threshold_A * 1e3,
            "one_c": protocol.one_c_words,
        },
        quantities=quantities,
        verdicts={
            "rates": Verdict(
                f"{len(first)} rates" if len(first) > 1 else "one rate only",
                tuple(
                    f"{block.name}: cycles {cell.cycles['cycle'][int(block.rows[0])]} to "
                    f"{cell.cycles['cycle'][int(block.rows[-1])]} at {block.current_mA:.4g} mA"
                    for block in blocks
                ),
            ),
            "recovery": recovery,
            "voltage_step": step_verdict,
        },
        warnings=(*_warnings(cell, blocks, protocol), *cell.notes, *record.notes),
        tables={
            "rates": rates,
            "cycles": cell.cycles,
            "curves": curve_table(
                cell, chosen, [block.label for block in first], protocol.active_mass_mg / 1e3, _CURVE_POINTS
            ),
            "steps": steps,
        },
        simulated=record.simulated,
    )


def _blocks(cell: FullCell, protocol: FullCellRateProtocol, where: str) -> list[Block]:
    """Divide the cycles into stretches at one current."""
    table = cell.cycles
    level = table["level"].to_numpy()
    complete = table["complete"].to_numpy()
    current = table["discharge_current_mA" if protocol.uptake_sign > 0 else "charge_current_mA"].to_numpy()
    begins = np.flatnonzero(np.concatenate([[True], level[1:] != level[:-1]]))
    edges = np.append(begins, level.size)
    formation = protocol.formation_cycles or 0
    spans = [np.arange(begin, end) for begin, end in pairwise(edges.tolist())]
    spans = [span[complete[span] & (span >= formation)][protocol.settling_cycles :] for span in spans]
    spans = [span for span in spans if span.size]
    if not spans:
        raise InputError(
            f"no cycle is left after {formation} formation and {protocol.settling_cycles} settling cycles of each rate; "
            f"expected fewer, the record has {level.size} cycles",
            where,
        )
    currents = {number: float(np.median(current[level == number])) for number in {int(level[span[0]]) for span in spans}}
    labels = _labels(currents, protocol)
    blocks: list[Block] = []
    for span in spans:
        number = int(level[span[0]])
        again = any(block.level == number for block in blocks)
        blocks.append(Block(span, number, float(np.median(current[span])), labels[number], again))
    return blocks


def _labels(currents: dict[int, float], protocol: FullCellRateProtocol) -> dict[int, str]:
    """Name each level: '5C' where 1C is known, else its current; with as few digits as keep them apart."""
    one_c = protocol.one_c_mA
    scaled = {number: current if one_c is None else current / one_c for number, current in currents.items()}
    unit = " mA" if one_c is None else "C"
    digits = 2 if one_c is not None else 3
    while True:
        texts = {number: f"{float(f'{value:.{digits}g}'):.12g}{unit}" for number, value in scaled.items()}
        if len(set(texts.values())) == len(texts) or digits >= 12:
            return texts
        digits += 1


def _mean_of(cell: FullCell, block: Block, column: str, relative: float = 0.0) -> Mean | None:
    """Mean of a column over a block; `relative` is the systematic part of its uncertainty."""
    part = cell.cycles[block.rows.tolist()]
    if column != "capacity_mAh_g":
        part = part.filter(pl.col("efficiency_valid"))
    values = part[column].drop_nulls().to_numpy()
    return mean(values, relative * abs(float(values.mean()))) if values.size else None


def _rate_table(cell: FullCell, blocks: list[Block], protocol: FullCellRateProtocol) -> pl.DataFrame:
    mass = capacity_systematic(protocol)
    rows = []
    first: float | None = None
    for block in blocks:
        part = cell.cycles[block.rows.tolist()]
        capacity = _mean_of(cell, block, "capacity_mAh_g", mass)
        assert capacity is not None  # noqa: S101  a block has at least one complete cycle
        efficiency = _mean_of(cell, block, "coulombic_efficiency", efficiency_systematic(protocol))
        energy = _mean_of(cell, block, "energy_efficiency", efficiency_systematic(protocol))
        first = capacity.value if first is None else first
        rows.append(
            {
                "rate": block.name,
                "current_mA": block.current_mA,
                "current_mA_g": block.current_mA / protocol.active_mass_mg * 1e3,
                "rate_C": None if protocol.one_c_mA is None else block.current_mA / protocol.one_c_mA,
                "first_cycle": int(part["cycle"][0]),
                "last_cycle": int(part["cycle"][-1]),
                "cycles": capacity.count,
                "capacity_mAh_g": capacity.value,
                "capacity_spread_mAh_g": capacity.spread if capacity.count > 1 else None,
                "capacity_low_mAh_g": capacity.low,
                "capacity_high_mAh_g": capacity.high,
                "of_the_first": capacity.value / first,
                "coulombic_efficiency": efficiency.value if efficiency else None,
                "coulombic_efficiency_uncertainty": efficiency.uncertainty if efficiency else None,
                "energy_efficiency": energy.value if energy else None,
                "polarization_mean_mV": float(part["polarization_mean_mV"].mean()),
                "polarization_middle_mV": float(part["polarization_middle_mV"].mean()),
                "charge_mean_V": float(part["charge_mean_V"].mean()),
                "discharge_mean_V": float(part["discharge_mean_V"].mean()),
                "charge_cv_share": float(part["charge_cv_share"].mean()),
                "charge_current_mA": float(part["charge_current_mA"].median()),
            }
        )
    return pl.DataFrame(rows, schema_overrides={"rate_C": pl.Float64, "capacity_spread_mAh_g": pl.Float64})


def _quantities(cell: FullCell, blocks: list[Block], protocol: FullCellRateProtocol, status: Status) -> dict[str, Quantity]:
    """State each rate under its name; where a rate comes more than once, the later ones are called so."""
    out: dict[str, Quantity] = {}
    one_c = f", {protocol.one_c_words}" if protocol.one_c_mA is not None else ""
    where = "mean over its cycles"
    energy_words = "discharged over charged energy, mean over its cycles; accuracy of the current alone"
    named: dict[str, int] = {}
    for block in blocks:
        named[block.name] = named.get(block.name, 0) + 1
        name = block.name if named[block.name] == 1 else f"{block.name} {named[block.name]}"
        settings = (
            (
                "capacity",
                "capacity_mAh_g",
                "mAh/g",
                capacity_systematic(protocol),
                f"{protocol.capacity_words}, {where}{one_c}",
            ),
            (
                "coulombic_efficiency",
                "coulombic_efficiency",
                "1",
                efficiency_systematic(protocol),
                f"{protocol.efficiency_words}, {where}",
            ),
            ("energy_efficiency", "energy_efficiency", "1", efficiency_systematic(protocol), energy_words),
            (
                "polarization_mean",
                "polarization_mean_mV",
                "mV",
                0.0,
                "mean charge voltage minus mean discharge voltage, each weighted by charge, " + where,
            ),
            (
                "polarization_middle",
                "polarization_middle_mV",
                "mV",
                0.0,
                "charge voltage minus discharge voltage, each at half of its own capacity, " + where,
            ),
        )
        for quantity, column, unit, relative, words in settings:
            if quantity == "energy_efficiency" and protocol.uptake_sign < 0:
                continue
            found = _mean_of(cell, block, column, relative)
            if found is not None:
                out[f"{quantity}: {name}"] = stated(found, unit, words, status)
        if protocol.area_cm2 is not None:
            current = block.current_mA / protocol.area_cm2
            out[f"current_density: {name}"] = Quantity(current, "mA/cm^2", None, "current per geometric area", status)
    first = [block for block in blocks if not block.again]
    out["rates"] = Quantity(len(first), "1", None, "levels of current, those within 5 % being one", status)
    if len(first) > 1:
        slow, fast = min(first, key=lambda block: block.current_mA), max(first, key=lambda block: block.current_mA)
        out["rate_capability"] = _ratio(
            cell, fast, slow, f"mean capacity at {fast.label} over that at {slow.label}; mass and accuracy cancel", status
        )
    return out


def _ratio(cell: FullCell, top: Block, bottom: Block, words: str, status: Status) -> Quantity:
    a, b = _mean_of(cell, top, "capacity_mAh_g"), _mean_of(cell, bottom, "capacity_mAh_g")
    assert a is not None and b is not None  # noqa: S101, PT018  blocks hold complete cycles
    value = a.value / b.value
    relative = np.hypot(a.uncertainty / a.value if a.value else 0.0, b.uncertainty / b.value)
    return Quantity(value, "1", float(value * relative), words, status)


def _recovery(cell: FullCell, blocks: list[Block], status: Status) -> tuple[Verdict, dict[str, Quantity]]:
    """Compare the last stretch at the first rate with the first one."""
    returns = [block for block in blocks[1:] if block.level == blocks[0].level]
    if not returns:
        return Verdict(NO_RETURN, (f"the rate of the first cycles ({blocks[0].label}) does not come again",)), {}
    words = f"mean capacity at {blocks[0].label} at the end over that at the beginning; mass and accuracy cancel"
    found = _ratio(cell, returns[-1], blocks[0], words, status)
    between = int(cell.cycles["cycle"][int(returns[-1].rows[0])] - cell.cycles["cycle"][int(blocks[0].rows[-1])])
    evidence = f"{100 * found.value:.4g} % of the capacity at {blocks[0].label} after {between - 1} cycles at other rates"
    # the last digit of a sum decides no verdict
    answer = RETURNED if found.value + 2 * (found.uncertainty or 0.0) >= 0.95 - 1e-9 else LOST
    return Verdict(answer, (evidence, "comes back: at least 95 % of it")), {"capacity_recovered": found}


def _warnings(cell: FullCell, blocks: list[Block], protocol: FullCellRateProtocol) -> list[str]:
    out = []
    if protocol.one_c_mA is None:
        out.append("1C is not stated (one_c_current or theoretical_capacity): rates are given as currents only")
    table = cell.cycles
    for block in blocks:
        part = table[block.rows.tolist()]
        up, down = (float(part[name].median()) for name in ("charge_current_mA", "discharge_current_mA"))
        if abs(up / down - 1) > 0.05:
            out.append(
                f"at {block.name} charge ran at {up:.4g} mA and discharge at {down:.4g} mA; "
                "the rate is that of the capacity"
            )
    capacity = [_mean_of(cell, block, "capacity_mAh_g") for block in blocks]
    best = max(one.value for one in capacity if one is not None)
    dead = [
        block.name for block, one in zip(blocks, capacity, strict=True) if one is not None and one.value < _EMPTY * best
    ]
    if dead:
        out.append(f"under {100 * _EMPTY:g} % of the highest capacity is left at {', '.join(dead)}: the cell fails there")
    few = [block.name for block in blocks if block.rows.size == 1]
    if few:
        out.append(
            f"one cycle only at {', '.join(few)}: its scatter cannot be told, the interval holds accuracy and mass alone"
        )
    held = float(table["charge_cv_share"].max() or 0.0)  # type: ignore[arg-type]
    if held > 0:
        out.append(
            f"charge ends with a hold at constant voltage, up to {100 * held:.3g} % of the charge (column charge_cv_share)"
        )
    return out
