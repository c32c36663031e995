"""What a calibration found, as a result: parameters, predictions with intervals, labels, identifiability, sensitivities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sodiophile.inference.identifiability import Profile, directions, profile, sobol_indices
from sodiophile.inference.least_squares import discrepancy_scale
from sodiophile.inference.posterior import Posterior
from sodiophile.inference.priors import Prior
from sodiophile.inference.runs import Datum, Runs
from sodiophile.physics.cell_file import cell_text
from sodiophile.quantity import Quantity, format_number
from sodiophile.result import Result
from sodiophile.study.calibration import KIND
from sodiophile.study.calibration_words import verdicts, warnings

if TYPE_CHECKING:
    from sodiophile.study.calibration_tasks import Forward

INTERVAL = (0.025, 0.5, 0.975)
MISFIT_SIGMAS = 2.0
_LOOSE_SHARE = 0.2

Array = NDArray[np.float64]


def as_result(
    inputs: Mapping[str, Any],
    forward: Forward,
    values: Sequence[Mapping[str, Any] | None],
    data: Sequence[Datum],
    found: Posterior,
    runs: Runs,
) -> Result:
    """Return the result of a calibration.

    Parameters
    ----------
    inputs
        Of the task.
    forward
        The simulator, with its priors and units.
    values
        What each output is fitted to or compared with.
    data
        What was fitted.
    found
        The posterior.
    runs
        All runs.
    """
    priors, outputs, units = forward.priors, inputs["outputs"], forward.units
    scale = discrepancy_scale(found.fit, data)
    known = directions(found.fit.jacobian, data, priors, found.fit.u)
    profiles = [profile(found.emulator, data, k, found.fit.u) for k in range(len(priors))]
    first, total = sobol_indices(lambda u: found.emulator.predict(u)[0], len(priors))
    told = [_told(k, one, values[k], found, scale or 1.0, units[k]) for k, one in enumerate(outputs)]
    to = "; ".join(_target_words(one, value) for one, value in zip(outputs, values, strict=True) if one["fitted"] and value)
    rows = _parameter_rows(priors, found, profiles)
    return Result(
        KIND,
        {
            **{key: inputs[key] for key in ("experiments", "outputs", "priors", "draws", "runs", "seed")},
            "values": list(values),
        },
        {**_parameters(rows, to), **_predictions(told, to)},
        verdicts(known, rows, told, scale, data, found),
        warnings(found, runs, outputs, units, told),
        {
            "values": pl.DataFrame([*told, *_input_rows(forward)], infer_schema_length=None),
            "parameters": pl.DataFrame(rows, infer_schema_length=None),
            "combinations": pl.DataFrame(
                [{"information": one.information, "informed": one.informed, "combination": one.words} for one in known]
            ),
            "sensitivities": _sensitivities(priors, outputs, first, total, found),
            "profiles": _profiles(priors, profiles),
            "draws": _draws(priors, outputs, found),
        },
        simulated=True,
        attachments={"calibrated-cell.toml": _cell_text(forward, found, to)},
    )


def _target_words(output: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    printed = value["printed"] or format_number(value["value"], value["sigma"] or None)
    where = f", {value['where']}" if value["where"] and value["where"] != output["experiment"] else ""
    return f"{output['quantity'].replace('_', ' ')} {printed} ({output['experiment']}{where})"


def _told(
    k: int, output: Mapping[str, Any], value: Mapping[str, Any] | None, found: Posterior, scale: float, unit: str
) -> dict[str, Any]:
    """Return one row of the table of values: what was fitted or predicted, with interval and label."""
    y = found.y[:, k]
    low, median, high = (float(one) for one in found.quantile(y, INTERVAL))
    stated = value["sigma"] if value is not None else 0.0
    # the model's own error: what the study states of it, and what the scatter about the fit shows
    model = output["discrepancy"] * abs(median)
    spread = scale * math.hypot(stated, model)
    random = np.random.default_rng(k)
    noisy = np.repeat(y, 20) + spread * random.standard_normal(20 * y.size)
    wide_low, _, wide_high = (
        (float(one) for one in _quantiles(noisy, np.repeat(found.weights / 20, 20))) if spread > 0 else (low, median, high)
    )
    best = float(found.fit.y[k])
    row: dict[str, Any] = {
        "experiment": output["experiment"],
        "quantity": output["quantity"],
        "unit": unit,
        "label": "calibrated" if output["fitted"] else "predicted",
        "value": value["value"] if value else None,
        "value_sigma": stated if value else None,
        "bound": value["bound"] if value else None,
        "origin": value["origin"] if value else None,
        "best": best,
        "median": median,
        "parameters_low": low,
        "parameters_high": high,
        "low": wide_low,
        "high": wide_high,
        "sigmas": None,
        "verdict": "nothing to compare with",
    }
    if value is None:
        return row
    centre = best if output["fitted"] else median
    width = value["total"] if output["fitted"] else max((wide_high - wide_low) / (2 * 1.96), 1e-300)
    sigmas = (centre - value["value"]) / width if width else 0.0
    inside = wide_low <= value["value"] <= wide_high
    if value["bound"] is not None:
        beyond = -sigmas if value["bound"] == "lower" else sigmas
        reach = wide_high >= value["value"] if value["bound"] == "lower" else wide_low <= value["value"]
        inside, sigmas = reach, max(beyond, 0.0)
    row["sigmas"] = sigmas
    if output["fitted"]:
        missed = abs(sigmas) > MISFIT_SIGMAS
        row["verdict"] = f"cannot be fitted: {abs(sigmas):.1f} sigma away" if missed else "fitted; no test of the model"
    else:
        missed = not inside
        row["verdict"] = (
            "contradicts: outside the 95 % interval"
            if missed
            else "within the 95 % interval" + _looseness(wide_low, wide_high)
        )
    if missed:
        row["label"] = "contradicts"
    return row


def _looseness(low: float, high: float) -> str:
    middle = 0.5 * abs(low + high)
    if middle and 0.5 * (high - low) > _LOOSE_SHARE * middle:
        return f", which is wide: +/- {100 * (high - low) / 2 / middle:.0f} %"
    return ""


def _quantiles(values: Array, weights: Array) -> Array:
    from sodiophile.inference.posterior import weighted_quantile

    return weighted_quantile(values, weights, INTERVAL)


def _parameter_rows(priors: Sequence[Prior], found: Posterior, profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    rows = []
    for k, prior in enumerate(priors):
        values = prior.value(found.u[:, k])
        low, median, high = (float(one) for one in found.quantile(values, INTERVAL))
        mean = float(found.weights @ found.u[:, k])
        spread = math.sqrt(max(float(found.weights @ (found.u[:, k] - mean) ** 2), 0.0))
        centre = float(found.weights @ values)
        rows.append(
            {
                "parameter": prior.name,
                "unit": prior.unit,
                "prior": prior.words,
                "best": float(prior.value(found.fit.u[k])),
                "median": median,
                "low": low,
                "high": high,
                "standard_deviation": math.sqrt(max(float(found.weights @ (values - centre) ** 2), 0.0)),
                "learned_percent": 100.0 * (1.0 - min(spread, 1.0)),
                "profile": profiles[k].verdict,
            }
        )
    return rows


def _parameters(rows: Sequence[Mapping[str, Any]], to: str) -> dict[str, Quantity]:
    return {
        row["parameter"]: Quantity(
            row["median"],
            row["unit"],
            # of a parameter known to a factor the interval says more than a symmetric error
            row["standard_deviation"] if row["standard_deviation"] < 0.5 * abs(row["median"]) else None,
            f"median of the posterior, 95 % between {format_number(row['low'])} and {format_number(row['high'])} "
            f"{row['unit']}; prior {row['prior']}; {row['profile']} by its profile likelihood",
            "calibrated",
            to,
            interval=(row["low"], row["high"]),
        )
        for row in rows
    }


def _predictions(told: Sequence[Mapping[str, Any]], to: str) -> dict[str, Quantity]:
    found = {}
    for row in told:
        fitted = row["verdict"].startswith(("fitted", "cannot be fitted"))
        found[f"{row['quantity']} ({row['experiment']})"] = Quantity(
            row["median"],
            row["unit"],
            (row["high"] - row["low"]) / (2 * 1.96),
            "median and 95 % interval of parameters, measurement and model" + ("" if fitted else "; held out"),
            "calibrated" if fitted else "simulated",
            to if fitted else "",
            interval=(row["low"], row["high"]),
        )
    return found


def _input_rows(forward: Forward) -> list[dict[str, Any]]:
    """Return the parameters of the cell that somebody reported, measured or calibrated, and that were not fitted here."""
    fitted = {prior.name for prior in forward.priors}
    return [
        {
            "experiment": "the cell's file",
            "quantity": place,
            "unit": quantity.unit,
            "label": "input",
            "value": quantity.value,
            "value_sigma": quantity.uncertainty,
            "origin": quantity.status,
            "verdict": quantity.source or quantity.calibrated_to,
        }
        for place, quantity in forward.cell.parameters().items()
        if place not in fitted and quantity.status in {"reported", "calibrated"}
    ]


def _sensitivities(
    priors: Sequence[Prior], outputs: Sequence[Mapping[str, Any]], first: Array, total: Array, found: Posterior
) -> pl.DataFrame:
    rows = []
    for m, output in enumerate(outputs):
        for k, prior in enumerate(priors):
            rows.append(
                {
                    "experiment": output["experiment"],
                    "quantity": output["quantity"],
                    "parameter": prior.name,
                    "first_order": float(first[k, m]),
                    "total": float(total[k, m]),
                    "posterior_correlation": _correlation(found.u[:, k], found.y[:, m], found.weights),
                    "change_for_1_prior_sigma": float(found.fit.jacobian[m, k]),
                }
            )
    return pl.DataFrame(rows)


def _correlation(a: Array, b: Array, weights: Array) -> float | None:
    a, b = a - weights @ a, b - weights @ b
    size = math.sqrt(float(weights @ a**2) * float(weights @ b**2))
    return float(weights @ (a * b)) / size if size > 1e-300 else None


def _profiles(priors: Sequence[Prior], profiles: Sequence[Profile]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"parameter": prior.name, "unit": prior.unit, "value": float(prior.value(u)), "log_likelihood": float(fall)}
            for prior, one in zip(priors, profiles, strict=True)
            for u, fall in zip(one.u, one.log_likelihood, strict=True)
        ]
    )


def _draws(priors: Sequence[Prior], outputs: Sequence[Mapping[str, Any]], found: Posterior) -> pl.DataFrame:
    columns = {prior.name: prior.value(found.u[:, k]) for k, prior in enumerate(priors)}
    columns |= {f"{one['quantity']} ({one['experiment']})": found.y[:, m] for m, one in enumerate(outputs)}
    return pl.DataFrame({**columns, "weight": found.weights})


def _cell_text(forward: Forward, found: Posterior, to: str) -> str:
    """Return the cell with the best point as a TOML file that the next study can name.

    The medians of several parameters together are no point of the posterior: one at a time they do not fit.
    """
    values = {}
    for k, prior in enumerate(forward.priors):
        low, _, high = (float(one) for one in found.quantile(prior.value(found.u[:, k]), INTERVAL))
        best = float(prior.value(found.fit.u[k]))
        low, high = min(low, best), max(high, best)
        values[prior.name] = Quantity(
            best, prior.unit, status="calibrated", calibrated_to=to, source=f"prior {prior.words}", interval=(low, high)
        )
    remark = f"Calibrated to: {to}\nThe best point; the ranges hold 95 % of the posterior, each alone."
    return cell_text(forward.cell.changed(values), remark)
