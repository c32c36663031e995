"""What a calibration found, in words: what is identified and tested, how well it fits, what the posterior rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sodiophile.inference.identifiability import Direction
from sodiophile.inference.posterior import Posterior
from sodiophile.inference.runs import Datum, Runs
from sodiophile.quantity import format_number
from sodiophile.result import Verdict

_FEW_EFFECTIVE = 50.0
_SETTLED = 1.1
_END_OF_PRIOR = 1.64  # of a standard normal: the last twentieth on either side


def verdicts(
    known: Sequence[Direction],
    rows: Sequence[Mapping[str, Any]],
    told: Sequence[Mapping[str, Any]],
    scale: float | None,
    data: Sequence[Datum],
    found: Posterior,
) -> dict[str, Verdict]:
    """Return the answers.

    Parameters
    ----------
    known
        Combinations of parameters, and whether the values tell them.
    rows, told
        Of the tables of parameters and of values.
    scale
        Of the scatter about the fit, None where it cannot be told.
    data
        What was fitted.
    found
        The posterior.
    """
    informed = [one for one in known if one.informed]
    identified = [row["parameter"] for row in rows if row["profile"] == "identified"]
    answer = f"{len(informed)} of {len(rows)} combinations of parameters can be had from {len(data)} value" + (
        "" if len(data) == 1 else "s"
    )
    evidence = [
        *(f"known {math.sqrt(1 + one.information):.3g} times better than by the prior: {one.words}" for one in informed),
        *(f"not informed: {one.words}" for one in known if not one.informed),
        *(
            f"{row['parameter']}: {row['profile']} by its profile likelihood; the data took {row['learned_percent']:.0f} % "
            "off its prior"
            for row in rows
        ),
    ]
    fitted = [row for row in told if row["verdict"].startswith(("fitted", "cannot be fitted"))]
    held = [row for row in told if row not in fitted]
    tested = [row for row in held if row["value"] is not None]
    wrong = [row for row in tested if row["label"] == "contradicts"]
    unfit = [row for row in fitted if row["label"] == "contradicts"]
    if not tested:
        test = "not tested: nothing was reported of what was held out"
    else:
        test = f"{len(tested) - len(wrong)} of {len(tested)} held-out values lie within their 95 % intervals"
    model = (
        "cannot be estimated: no more values than the parameters that they inform; only what the study states is included"
        if scale is None
        else "no more scatter about the fit than stated"
        if scale == 1.0
        else f"the scatter about the fit is {scale:.2g} times what is stated; intervals are widened by that"
    )
    return {
        "identifiability": Verdict(
            answer if len(identified) < len(rows) else f"{answer}; every parameter is identified on its own",
            tuple(evidence),
        ),
        "hold-out": Verdict(test, tuple(sentence(row) for row in tested)),
        "fit": Verdict(
            f"{len(fitted) - len(unfit)} of {len(fitted)} values can be fitted together"
            if unfit
            else "all values can be fitted",
            (*(sentence(row) for row in fitted), *(_at_ends(rows, found) if unfit else ())),
        ),
        "posterior": _rests_on(found),
        "model discrepancy": Verdict(
            model, (f"chi squared {found.fit.chi_squared:.3g} of {len(data)} values at the best point",)
        ),
    }


def _rests_on(found: Posterior) -> Verdict:
    """Say how many draws there are, and whether what proposed them had settled."""
    settled = "" if found.r_hat <= _SETTLED else "; the ensemble that proposed them had not settled"
    ensemble = f"R-hat {found.r_hat:.3f} of the worst parameter, 1 where the ensemble that proposes draws has settled"
    moves = f"{100 * found.accepted:.0f} % of its moves were accepted; the emulator was taught anew {found.rounds} times"
    made = f"{found.made} simulations in all, {found.failed} without a value"
    return Verdict(f"{found.effective:.0f} effective draws of {len(found.u)}{settled}", (ensemble, moves, made))


def _at_ends(rows: Sequence[Mapping[str, Any]], found: Posterior) -> list[str]:
    """Return which parameters stand at an end of their prior at the best point: a wider one might let them fit."""
    return [
        f"{row['parameter']}: {format_number(row['best'])} {row['unit']} at the best point, at the "
        f"{'upper' if u > 0 else 'lower'} end of its prior ({row['prior']}); a wider one may fit, if it can be defended"
        for row, u in zip(rows, found.fit.u, strict=True)
        if abs(u) > _END_OF_PRIOR
    ]


def sentence(row: Mapping[str, Any]) -> str:
    """Return one row of the table of values as a sentence."""
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    sign = {"lower": "> ", "upper": "< ", None: ""}[row["bound"]]
    ours = f"{format_number(row['median'])} ({format_number(row['low'])} to {format_number(row['high'])}){unit}"
    theirs = f"{row['origin']} {sign}{format_number(row['value'])}{unit}"
    return f"{row['quantity'].replace('_', ' ')} ({row['experiment']}): {theirs}, ours {ours}: {row['verdict']}"


def warnings(
    found: Posterior,
    runs: Runs,
    outputs: Sequence[Mapping[str, Any]],
    units: Sequence[str],
    told: Sequence[Mapping[str, Any]],
) -> tuple[str, ...]:
    """Return what a reader must know.

    Parameters
    ----------
    found, runs
        The posterior and all runs.
    outputs, units, told
        Outputs with their units and rows of the table of values.
    """
    out = []
    if found.failed:
        counts: dict[str, int] = {}
        for reason in runs.reasons:
            key = reason if len(reason) <= 160 else f"{reason[:157]}..."
            counts[key] = counts.get(key, 0) + 1
        often, count = max(counts.items(), key=lambda one: one[1])
        out.append(
            f"{found.failed} of {found.made} simulations gave no value and count as excluded by the data; most often "
            f"({count}): {often}"
        )
    if found.effective < _FEW_EFFECTIVE:
        out.append(
            f"the posterior rests on {found.effective:.0f} effective draws of {len(found.u)}: its ends are uncertain; more "
            "runs teach the emulator better"
        )
    if found.r_hat > _SETTLED:
        out.append(
            f"the ensemble that proposes the draws had not settled (R-hat {found.r_hat:.2f}): a part of the posterior may "
            "be missing; narrower priors or more runs help"
        )
    if not found.fit.converged:
        out.append("least squares had not settled when it stopped; the posterior does not rest on it")
    out += [f"contradiction: {sentence(row)}" for row in told if row["label"] == "contradicts"]
    for k, one in enumerate(outputs):
        width = told[k]["high"] - told[k]["low"]
        if found.emulator.error[k] > 0.25 * width > 0:
            out.append(
                f"the emulator of {one['quantity'].replace('_', ' ')} ({one['experiment']}) is off by "
                f"{found.emulator.error[k]:.3g} {units[k]}: sensitivities and profiles are rough, intervals are not"
            )
    return tuple(out)
