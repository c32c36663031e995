"""The task of a prediction from atoms: draws through the chain, each through virtual instrument and analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sodiophile.errors import InputError, SodiophileError
from sodiophile.inference.identifiability import chance_share
from sodiophile.physics.atoms_chain import LINKS, chain
from sodiophile.physics.cell import Cell, load_cell
from sodiophile.quantity import Quantity, format_number
from sodiophile.result import Result, Verdict
from sodiophile.study.calibration_tasks import simulated_result, told

VERSION = 2
SOURCES = ("adhesion", "adsorption")
KIND = "atoms-to-volts"
_INTERVAL = (0.025, 0.5, 0.975)
_FEWEST = 10
_UNITS = {
    "work_of_adhesion": "J/m^2",
    "surface_energy": "J/m^2",
    "contact_angle": "deg",
    "barrier_constant": "V^2",
    "onset_overpotential": "mV",
}


def predict(
    inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Follow draws from the calculated energy to the measurement, and save what comes out.

    Parameters
    ----------
    inputs
        Of `sodiophile.study.volts.resolve`.
    after
        ``atoms``: the result of the calculation, where there is one.
    context
        ``cell``: where it lies.
    folder
        Where the result goes.

    Raises
    ------
    InputError
        If the cell has changed since the study was planned, an energy has no uncertainty, or too few draws gave a value.
    """
    cell = load_cell(context["cell"])
    if cell.to_dict() != inputs["cell"]:
        raise InputError("the cell has changed since the study was planned; run again", context["cell"])
    energies = energies_of(inputs["given"], after.get("atoms"))
    return predicted(cell, inputs, energies).save(folder)


def energies_of(given: Mapping[str, Any], atoms: Mapping[str, Any] | None) -> dict[str, Quantity]:
    """Return adhesion or adsorption energy, and the surface energy, each with its uncertainty.

    Parameters
    ----------
    given
        ``adhesion``, ``adsorption``, ``surface_energy`` and ``uncertainty`` as texts or None; what is given comes before
        what was calculated, and ``uncertainty`` before that of the calculation.
    atoms
        The result of a calculation, JSON-ready.

    Raises
    ------
    InputError
        If one is missing.
    """
    calculated = {name: Quantity.from_dict(one) for name, one in (atoms or {}).get("quantities", {}).items()}
    found: dict[str, Quantity] = {}
    if given["adhesion"] is not None:
        found["adhesion"] = Quantity.parse(given["adhesion"], status="assumed", source="given")
    elif given["adsorption"] is not None:
        found["adsorption"] = Quantity.parse(given["adsorption"], status="assumed", source="given")
    elif "work_of_adhesion" in calculated:
        found["adhesion"] = calculated["work_of_adhesion"]
    elif "adsorption_energy_vs_bulk:most stable" in calculated:
        found["adsorption"] = calculated["adsorption_energy_vs_bulk:most stable"]
    else:
        raise InputError("the calculation gives neither a work of adhesion nor an adsorption energy against bulk metal")
    (name,) = found
    if given["uncertainty"] is not None:
        size = Quantity.parse(given["uncertainty"]).to(found[name].unit).value
        found[name] = Quantity(
            found[name].value, found[name].unit, size, found[name].definition, "computed", source="uncertainty given"
        )
    if not found[name].uncertainty:
        raise InputError(f"the calculated {name} states no uncertainty; expected 'uncertainty' beside it, such as '0.1 eV'")
    if given["surface_energy"] is not None:
        found["surface_energy"] = Quantity.parse(given["surface_energy"], status="assumed", source="given")
    elif "surface_energy" in calculated and calculated["surface_energy"].uncertainty:
        found["surface_energy"] = calculated["surface_energy"]
    else:
        raise InputError(
            "found no surface energy with an uncertainty, expected one, such as '0.22(3) J/m^2'", "surface_energy"
        )
    return found


def predicted(cell: Cell, inputs: Mapping[str, Any], energies: Mapping[str, Quantity]) -> Result:
    """Return the prediction as a result.

    Parameters
    ----------
    cell
        The cell.
    inputs
        ``experiment``, ``quantity``, ``draws``, ``seed``, and ``reported`` where there is a value.
    energies
        Of `energies_of`.

    Raises
    ------
    InputError
        If fewer than ten draws gave a value.
    """
    experiment = inputs["experiment"]
    density = _current_density_mA_cm2(experiment)
    drawn = chain(
        cell,
        density,
        energies["surface_energy"],
        inputs["draws"],
        inputs["seed"],
        adhesion=energies.get("adhesion"),
        adsorption=energies.get("adsorption"),
    )
    values, reasons, unit = [], [], ""
    for one in drawn.cells:
        try:
            quantity = told(simulated_result(experiment, one), experiment["name"], inputs["quantity"])
            unit = unit or quantity.unit
            values.append(quantity.to(unit).value)
        except SodiophileError as error:
            values.append(np.nan)
            reasons.append(str(error))
    y = np.array(values)
    kept = np.isfinite(y)
    if kept.sum() < _FEWEST:
        raise InputError(f"only {kept.sum()} of {len(y)} draws gave a value; the first reason: {reasons[0]}")
    columns = {name: column[kept] for name, column in drawn.columns.items()}
    shares = _shares(columns, y[kept])
    quantities = _quantities(columns, y[kept], unit, inputs["quantity"], experiment["name"])
    fitted = [
        f"{place} (to {one.calibrated_to})"
        for place, one in cell.parameters().items()
        if place.startswith("substrate.") and one.status == "calibrated"
    ]
    verdicts = {
        "wetting": _wetting(columns),
        **_held_out(quantities, inputs, fitted),
        "what decides": _decides(shares, int(kept.sum())),
    }
    warnings = []
    if reasons:
        warnings.append(
            f"{len(reasons)} of {len(y)} draws gave no value and are left out, so that the interval is that of the others; "
            f"the first: {reasons[0]}"
        )
    if energies.get("adhesion") is None:
        warnings.append("the adhesion is guessed from an adsorption energy; a calculated adhesion is worth more")
    return Result(
        KIND,
        {
            "experiment": dict(experiment),
            "draws": inputs["draws"],
            "seed": inputs["seed"],
            "cell": cell.title,
            **{name: str(quantity) for name, quantity in energies.items()},
        },
        quantities,
        verdicts,
        tuple(warnings),
        {
            "links": _links(quantities),
            "what decides": pl.DataFrame([{"input": name, "share_of_rank_variance": share} for name, share in shares]),
            "draws": pl.DataFrame({**columns, f"{inputs['quantity']}_{unit}": y[kept]}),
        },
        simulated=True,
    )


def _current_density_mA_cm2(experiment: Mapping[str, Any]) -> float:
    from sodiophile.quantity import measure

    text = experiment["protocol"].get("current_density")
    if text is None:
        raise InputError(
            "the experiment sets no current density, expected one: a dip has its own at each", experiment["name"]
        )
    return float(measure(text, "mA/cm^2"))


def _quantities(
    columns: Mapping[str, NDArray[np.float64]], y: NDArray[np.float64], unit: str, name: str, experiment: str
) -> dict[str, Quantity]:
    found = {name: _summary(y, unit, f"median of all draws; {experiment}", "simulated")}
    for link, its_unit in _UNITS.items():
        column = next(values for key, values in columns.items() if key.startswith(link))
        found[link] = _summary(column, its_unit, "median of the draws", "computed")
    return found


def _summary(values: NDArray[np.float64], unit: str, words: str, status: Any) -> Quantity:
    low, median, high = (float(one) for one in np.quantile(values, _INTERVAL))
    words = f"{words}; 95 % between {format_number(low)} and {format_number(high)} {unit}"
    spread = float(np.std(values))
    # of a number known to a factor the interval says more than a symmetric error
    return Quantity(median, unit, spread if spread < 0.5 * abs(median) else None, words, status, interval=(low, high))


def _wetting(columns: Mapping[str, NDArray[np.float64]]) -> Verdict:
    W, gamma, angle = (columns[name] for name in ("work_of_adhesion_J_m2", "surface_energy_J_m2", "contact_angle_deg"))
    complete, none = float(np.mean(2 * gamma <= W)), float(np.mean(W <= 0))
    answer = (
        "the metal wets completely"
        if complete > 0.95
        else "the metal does not stick"
        if none > 0.95
        else "the metal wets in part"
        if complete < 0.05 and none < 0.05
        else "cannot be told within the error of the calculation"
    )
    low, high = np.quantile(angle, (0.025, 0.975))
    return Verdict(
        answer,
        (
            f"complete wetting in {100 * complete:.0f} % of the draws, none in {100 * none:.0f} %",
            f"contact angle {low:.0f} to {high:.0f} deg",
            "where it wets completely there is no barrier: what is left of a dip is the growth of young nuclei",
        ),
    )


def _held_out(quantities: Mapping[str, Quantity], inputs: Mapping[str, Any], fitted: Sequence[str]) -> dict[str, Verdict]:
    reported = inputs.get("reported")
    name = inputs["quantity"]
    if reported is None:
        return {}
    if fitted:
        return {"comparison": Verdict("no test: the substrate of this cell was calibrated", tuple(fitted))}
    ours = quantities[name]
    value = Quantity(reported["value"], reported["unit"], status="reported").to(ours.unit).value
    low, high = ours.interval or (ours.value, ours.value)
    inside = low <= value <= high
    if reported["bound"] is not None:
        inside = high >= value if reported["bound"] == "lower" else low <= value
    evidence = (
        f"reported {format_number(value)} {ours.unit} ({reported['where']}), ours {format_number(ours.value)} "
        f"({format_number(low)} to {format_number(high)}) {ours.unit}; nothing was fitted"
    )
    answer = "within the 95 % interval" if inside else "contradicts: outside the 95 % interval"
    return {"hold-out": Verdict(answer, (evidence,))}


def _shares(columns: Mapping[str, NDArray[np.float64]], y: NDArray[np.float64]) -> list[tuple[str, float]]:
    """Return the squared rank correlation of each drawn input with the outcome, largest first, of inputs only."""
    from scipy.stats import spearmanr

    derived = ("contact_angle", "barrier_constant", "onset_overpotential")
    found = []
    for name, values in columns.items():
        if name.startswith(derived) or np.ptp(values) == 0:
            continue
        found.append((name, float(spearmanr(values, y).statistic) ** 2))
    return sorted(found, key=lambda one: -one[1])


def _decides(shares: Sequence[tuple[str, float]], draws: int) -> Verdict:
    """Name the inputs whose share is more than chance gives the largest of so many of them."""
    chance = chance_share(len(shares), draws)
    sure = [(name, share) for name, share in shares if share > chance]
    words = tuple(f"{name}: {100 * share:.0f} % of the variance of ranks" for name, share in sure[:5])
    beyond = f"a share below {100 * chance:.0f} % cannot be told from chance in {draws} draws"
    if not sure:
        return Verdict(f"cannot be told from {draws} draws", (beyond,))
    return Verdict(", ".join(name.rpartition(".")[2].replace("_", " ") for name, _ in sure[:2]), (*words, beyond))


def _links(quantities: Mapping[str, Quantity]) -> pl.DataFrame:
    rows = []
    for link in LINKS:
        quantity = quantities[link.gives]
        low, high = quantity.interval or (None, None)
        rows.append(
            {
                "gives": link.gives,
                "unit": quantity.unit,
                "median": quantity.value,
                "low": low,
                "high": high,
                "equation": link.equation,
                "assumption": link.assumption,
                "reference": link.reference,
            }
        )
    return pl.DataFrame(rows)


def draw(result: Result, ax: Any) -> None:
    """Draw the outcome of every draw over its contact angle; the reported value, if any, stands in the verdict.

    Parameters
    ----------
    result
        Of the kind ``atoms-to-volts``.
    ax
        Where.
    """
    draws = result.table("draws")
    name = draws.columns[-1]
    quantity = result.quantities[next(iter(result.quantities))]
    low, high = quantity.interval or (quantity.value, quantity.value)
    ax.axhspan(low, high, color="#009E73", alpha=0.15, linewidth=0, label="95 % interval")
    ax.axhline(quantity.value, color="#009E73", linewidth=1.0, label="median")
    ax.plot(draws["contact_angle_deg"], draws[name], "o", markersize=2.6, color="#0072B2", alpha=0.6, label="draws")
    ax.set_xlabel("contact angle from the calculated adhesion (deg)")
    ax.set_ylabel(f"{name.rpartition('_')[0].replace('_', ' ')} ({quantity.unit})")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, fontsize=5.6, columnspacing=0.9, handletextpad=0.4)
