"""Are two activation energies different? The difference with its interval and significance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity, Status
from sodiophile.result import Result, Verdict


@dataclass(frozen=True)
class Comparison:
    """The difference of two activation energies, first minus second.

    Parameters
    ----------
    difference
        kJ/mol, with its standard uncertainty.
    low_95, high_95
        95 % interval, kJ/mol.
    p
        Probability of at least this difference if there were none.
    verdict
        The same in words.
    """

    difference: Quantity
    low_95: float
    high_95: float
    p: float
    verdict: Verdict


def compare(first: Result, second: Result, process: str = "charge_transfer") -> Comparison:
    """Compare the activation energies of two electrodes.

    The difference of two lines with unequal scatter is tested by Welch's t with the degrees of freedom of Satterthwaite.

    Parameters
    ----------
    first, second
        Results of kind ``activation-energy``.
    process
        ``charge_transfer``, ``sei`` or ``interfacial``.

    Raises
    ------
    InputError
        If a result has no such activation energy with an interval.

    References
    ----------
    B. L. Welch, Biometrika 1947, 34, 28, doi 10.1093/biomet/34.1-2.28.
    """
    from scipy.special import stdtr, stdtrit

    energies, errors, dofs = [], [], []
    for result in (first, second):
        table = result.table("activation_energies")
        rows = [row for row in table.iter_rows(named=True) if row["process"] == process and row["method"] == "line, T/R"]
        if not rows or not rows[0]["degrees_of_freedom"]:
            known = ", ".join(dict.fromkeys(table["process"].to_list())) or "none"
            raise InputError(f"no activation energy of {process!r} with an interval; the result has {known}", result.kind)
        energies.append(rows[0]["activation_energy_kJ_mol"])
        errors.append(rows[0]["error_kJ_mol"])
        dofs.append(rows[0]["degrees_of_freedom"])
    variances = np.array(errors) ** 2
    total = float(variances.sum())
    dof = total**2 / float(np.sum(variances**2 / np.array(dofs)))
    difference, error = energies[0] - energies[1], float(np.sqrt(total))
    reach = float(stdtrit(dof, 0.975)) * error
    p = 2 * float(stdtr(dof, -abs(difference) / error))
    status: Status = "simulated" if first.simulated or second.simulated else "measured"
    quantity = Quantity(
        difference, "kJ/mol", error, f"activation energy of {process} from T/R, first minus second electrode", status
    )
    said = (
        f"{energies[0]:.1f}({errors[0]:.1f}) against {energies[1]:.1f}({errors[1]:.1f}) kJ/mol",
        f"95 % interval of the difference {difference - reach:.1f} to {difference + reach:.1f} kJ/mol, p = {p:.2g} (Welch)",
    )
    return Comparison(
        quantity,
        difference - reach,
        difference + reach,
        p,
        Verdict("different" if p < 0.05 else "not shown to differ", said),
    )
