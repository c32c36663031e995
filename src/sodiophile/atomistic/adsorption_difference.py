"""The cheaper engine beside the dearer one, site by site: where a potential led the way to DFT, both have an energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sodiophile.atomistic.adsorption_tables import Adatom, Surface
from sodiophile.quantity import Quantity
from sodiophile.result import Verdict

QUANTITY = "engine_difference"


def difference_table(surfaces: Sequence[Surface], guides: Sequence[Surface], engine: str, guide: str) -> pl.DataFrame:
    """Return one row a site and relaxation: the energy of each engine against its own bulk metal, and their difference.

    Parameters
    ----------
    surfaces, guides
        Of the engine and of the cheaper one; the same terminations and sites.
    engine, guide
        Their names.
    """
    rows = [
        {
            "surface": surface.name,
            "termination": surface.about["termination"],
            "site": label,
            "relaxation": relaxation,
            "engine": engine,
            "adsorption_energy_vs_bulk_eV": ours.energy_eV,
            "cheaper_engine": guide,
            "adsorption_energy_vs_bulk_cheaper_eV": theirs.energy_eV,
            "difference_eV": _difference(ours, theirs),
            "height_difference_A": theirs.height_A - ours.height_A,
        }
        for surface, other in zip(surfaces, guides, strict=True)
        for label, relaxation, ours, theirs in _pairs(surface, other)
    ]
    columns = dict.fromkeys(
        ("surface", "termination", "site", "relaxation", "engine", "cheaper_engine"), pl.String
    ) | dict.fromkeys(
        ("adsorption_energy_vs_bulk_eV", "adsorption_energy_vs_bulk_cheaper_eV", "difference_eV", "height_difference_A"),
        pl.Float64,
    )
    return pl.DataFrame(rows, schema=columns)


def difference_quantities(table: pl.DataFrame) -> dict[str, Quantity]:
    """Return the differences of the adatoms held over their sites as quantities."""
    several = table["termination"].n_unique() > 1
    found = {}
    for row in table.filter(pl.col("relaxation") == "held").iter_rows(named=True):
        if row["difference_eV"] is None:
            continue
        prefix = f"{row['termination']}-terminated, " if several else ""
        definition = (
            f"adsorption energy against bulk metal of {row['cheaper_engine']} minus that of {row['engine']}, adatom held "
            f"in the plane over {row['site']} of {row['surface']}, each relaxed with its own forces on its own lattice"
        )
        found[f"{QUANTITY}:{prefix}{row['site']}"] = Quantity(row["difference_eV"], "eV", None, definition, "computed")
    return found


def difference_verdict(table: pl.DataFrame) -> Verdict:
    """Say how far the cheaper engine is off, how much of it is common to all sites, and whether it has the same order."""
    held = table.filter((pl.col("relaxation") == "held") & pl.col("difference_eV").is_not_null())
    if held.height == 0:
        return Verdict("cannot be told", ("no site converged with both engines",))
    differences = held["difference_eV"].to_numpy()
    engine, cheaper = held["engine"][0], held["cheaper_engine"][0]
    mean = float(differences.mean())
    evidence = [
        f"{row['site']}: {row['adsorption_energy_vs_bulk_cheaper_eV']:+.3f} eV by {cheaper}, "
        f"{row['adsorption_energy_vs_bulk_eV']:+.3f} eV by {engine}"
        for row in held.iter_rows(named=True)
    ]
    word = "too strongly" if mean < 0 else "too weakly"
    answer = f"{cheaper} binds {abs(mean):.2f} eV {word} on average"
    if held.height > 1:
        spread = float(differences.std(ddof=1))
        evidence.append(
            f"the difference scatters by {spread:.2f} eV from site to site: that part no common correction takes out"
        )
        orders = [np.argsort(held[name].to_numpy()).tolist() for name in _ENERGIES]
        answer += ", in the same order of sites" if orders[0] == orders[1] else ", in another order of sites"
    return Verdict(answer, tuple(evidence))


_ENERGIES = ("adsorption_energy_vs_bulk_eV", "adsorption_energy_vs_bulk_cheaper_eV")


def _pairs(surface: Surface, other: Surface) -> list[tuple[str, str, Adatom, Adatom]]:
    found = []
    for site, held, free, their_held, their_free in zip(
        surface.sites, surface.held, surface.free, other.held, other.free, strict=True
    ):
        found.append((site.label, "held", held, their_held))
        if free is not None and their_free is not None:
            found.append((site.label, "free", free, their_free))
    return found


def _difference(ours: Adatom, theirs: Adatom) -> float | None:
    if ours.energy_eV is None or theirs.energy_eV is None:
        return None
    return theirs.energy_eV - ours.energy_eV
