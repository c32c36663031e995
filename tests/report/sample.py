"""An outcome with a bit of everything, made up: every kind of job, of comparison and of text that a page must survive."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np
import polars as pl

from sodiophile.quantity import Quantity
from sodiophile.result import Result, Verdict
from sodiophile.study.outcome import Comparison, CoverageRow, JobOutcome, Outcome

EVIL = "<script>alert('x')</script>"
EVIL_ATTRIBUTE = '"><img src=x onerror="alert(1)"> \' {{ 7 * 7 }} </script><!--'
BREAKS = "line\u2028separator \u2029 end"
LONG = (
    "an electrode with a name that is so long that nobody would ever put it into a table without thinking twice about it "
    * 2
)


def slab(adsorbate: tuple[float, float, float], name: str, substrate: str = "VN", lattice_A: float = 4.13) -> str:
    """Return a three-layer rocksalt (001) slab with one adsorbed atom, as extended xyz."""
    half = lattice_A / 2
    rows = []
    for layer in range(3):
        for i in range(4):
            for j in range(4):
                element = "V" if (i + j + layer) % 2 == 0 else "N"
                element = element if substrate == "VN" else substrate
                rows.append(f"{element} {i * half:.4f} {j * half:.4f} {6 + layer * half:.4f} {3 - layer}")
    x, y, height = adsorbate
    rows.append(f"Na {x * half:.4f} {y * half:.4f} {6 + 2 * half + height:.4f} 0")
    side = 4 * half
    head = (
        f'Lattice="{side} 0 0 0 {side} 0 0 0 24" Properties=species:S:1:pos:R:3:tags:I:1 pbc="T T F" '
        f"name='{name}' energy=-1.0"
    )
    return "\n".join([str(len(rows)), head, *rows]) + "\n"


def _draw_cycling(result: Result, axes) -> None:
    trace = result.table("trace")
    axes.plot(trace["time_h"], trace["voltage_mV"], lw=0.6)
    axes.set_xlabel("time / h")
    axes.set_ylabel("voltage / mV")


def _draw_sites(result: Result, axes) -> None:
    table = result.table()
    axes.bar(table["site"].to_list(), table["adsorption_energy_eV"].to_numpy(), color="#0072B2", width=0.6)
    axes.axhline(0, color="k", lw=0.6)
    axes.set_ylabel("adsorption energy / eV")


def _draw_broken(result: Result, axes) -> None:
    raise RuntimeError("no drawing today")


def octahedron(middle_A: tuple[float, float, float], radius_A: float = 1.6) -> dict[str, Any]:
    """Return a cyan surface of eight triangles, as the viewer takes it."""
    corners = [np.eye(3)[axis] * sign for sign in (1, -1) for axis in range(3)]
    triangles = [(0, 1, 2), (3, 2, 1), (3, 4, 2), (0, 2, 4), (0, 5, 1), (3, 1, 5), (3, 5, 4), (0, 4, 5)]
    vertices = np.rint((np.array(corners) * radius_A + middle_A) * 100).astype("<i2")
    return {
        "label": f"depletion {EVIL}",
        "colour": "#23c4d9",
        "vertices": base64.b64encode(vertices.tobytes()).decode(),
        "step_A": 0.01,
        "triangles": base64.b64encode(np.array(triangles, "<u2").tobytes()).decode(),
        "bytes_a_number": 2,
    }


def _cycling(simulated: bool, label: str) -> Result:
    time_h = np.linspace(0, 40, 2000)
    voltage_mV = 22 * np.sign(np.sin(time_h * np.pi / 2)) * (1 + 0.01 * time_h) + np.sin(time_h * 40)
    status = "simulated" if simulated else "measured"
    quantities = {
        "lifespan": Quantity(211.4, "h", 2.1, "time to the onset of failure", status, interval=(209.0, 213.5)),
        "polarization": Quantity(23.61, "mV", 0.42, "mean of the half cycle, plating minus stripping, over two", status),
        "plated_capacity": Quantity(66.2, "mAh/cm^2", None, "sum over plating half cycles", status, bound="lower"),
        "exchange_current_density": Quantity(
            0.107, "mA/cm^2", 0.012, "low-field slope", "calibrated", calibrated_to="the Tafel slope of the same cell"
        ),
        "tiny": Quantity(-3.2e-9, "cm^2/s", 4e-10, f"a diffusivity {EVIL}", "assumed", source="doi:10.1039/b801115j"),
    }
    return Result(
        kind="symmetric-cycling",
        inputs={"protocol": {"area_cm2": 1.13, "note": EVIL}, "files": [{"source": f"{label}.mpt", "sha256": "ab" * 32}]},
        quantities=quantities,
        verdicts={
            "failure": Verdict("hard short", ("voltage fell from 31 to 0.4 mV within one sample at 211.4 h", EVIL)),
            "nucleation dip": Verdict("no resolvable dip", ("the noise of 1.1 mV is larger than the dip of 0.3 mV",)),
        },
        warnings=("The sampling of 30 s is too coarse for the tip.", f"Column {EVIL_ATTRIBUTE} was not used."),
        tables={
            "half cycles": pl.DataFrame(
                {
                    "half_cycle": list(range(1, 31)),
                    "direction": ["plating", "stripping"] * 15,
                    "current_density_mA_cm2": [0.5, -0.5] * 15,
                    "mean_voltage_mV": [22.123456 * (-1) ** n for n in range(30)],
                    "flag": [None, '=HYPERLINK("http://x.example")'] * 15,
                }
            ),
            "trace": pl.DataFrame({"time_h": time_h, "voltage_mV": voltage_mV}),
            "odd": pl.DataFrame(
                {
                    EVIL: [EVIL_ATTRIBUTE, "-1.5", "@SUM(A1)"],
                    "=cmd": ["+1", "\t=2", BREAKS],
                    "list": [[1, 2], [], [3]],
                    "nan": [math.nan, math.inf, 1.0],
                    "fine": [True, False, None],
                }
            ),
        },
        simulated=simulated,
        drawer=_draw_cycling,
    )


_DEFINITION = (
    "per adatom, against the free atom: negative means bound; a quarter monolayer on three layers, the lowest of which "
    "is held; the uncertainty is the potential's error against DFT"
)


def _adsorption() -> Result:
    sites = ["top V", "top N", "hollow", "bridge"]
    energies_eV = [-2.13, -1.11, -1.71, -1.92]
    places = [(2, 2, 2.6), (2, 1, 2.3), (1.5, 1.5, 2.2), (1.5, 2, 2.3)]
    quantities = {
        f"adsorption_energy_{site.replace(' ', '_')}": Quantity(
            energy,
            "eV",
            0.4,
            _DEFINITION,
            "computed",
        )
        for site, energy in zip(sites, energies_eV, strict=True)
    }
    return Result(
        kind="adsorption",
        inputs={"structure": "VN.cif", "facet": [0, 0, 1], "engine": "7net-l3i5", "bad": math.nan},
        quantities=quantities,
        warnings=("The energies are those of a potential, not of DFT.",),
        tables={
            "sites": pl.DataFrame({"site": sites, "adsorption_energy_eV": energies_eV, "height_A": [2.6, 2.3, 2.2, 2.3]})
        },
        attachments={
            "clean.extxyz": slab((0, 0, 2), "VN(001) clean").replace(" 0\n", " 9\n"),
            **{f"{site}.extxyz": slab(place, f"Na on VN(001), {site}") for site, place in zip(sites, places, strict=True)},
            "broken.xyz": "7\nno atoms here\n",
            "difference.surfaces.json": json.dumps({"surfaces": {"Na on VN(001), top V": [octahedron((2.0, 2.0, 5.0))]}}),
            "broken.surfaces.json": "{}",
            "relaxation.log": "step 1\nstep 2\n",
        },
        drawer=_draw_sites,
    )


def _reported(text: str) -> Quantity:
    return Quantity.parse(text, status="reported")


def sample() -> Outcome:
    """Return the outcome."""
    adsorption = _adsorption()
    on_sodium = Result(
        kind="adsorption",
        inputs={},
        quantities={"adsorption_energy": Quantity(-0.91, "eV", 0.1, "per adatom, against the free atom", "computed")},
        attachments={"hollow.xyz": slab((1.5, 1.5, 2.4), f"hollow {EVIL}", "Na", 4.2)},
    )
    jobs = (
        JobOutcome(
            "Na on VN(001)", "calculation", "adsorption", "Adsorption of a metal atom", "vn", adsorption, key="ab" * 32
        ),
        JobOutcome(
            "Na on Na(110)", "calculation", "adsorption", "Adsorption of a metal atom", "bare", on_sodium, reused=True
        ),
        JobOutcome(
            "life at 0.5", "experiment", "symmetric-cycling", "Symmetric cell", "bare", _cycling(False, "bare"), seconds=2
        ),
        JobOutcome(
            "life at 0.5", "experiment", "symmetric-cycling", "Symmetric cell", "vn", _cycling(True, "vn"), seconds=100
        ),
        JobOutcome(
            "impedance",
            "experiment",
            "impedance",
            "Impedance spectra",
            "vn",
            None,
            error=f"vn.mpt: row 17: {EVIL} (log: {'/a-long-path' * 20})",
        ),
        JobOutcome(
            EVIL,
            "experiment",
            "nucleation",
            EVIL_ATTRIBUTE,
            "κάτι 钠 äöü",
            Result(
                kind="nucleation",
                inputs={EVIL: EVIL_ATTRIBUTE, "u": BREAKS},
                quantities={},
                drawer=_draw_broken,
                verdicts={EVIL: Verdict(EVIL_ATTRIBUTE)},
            ),
        ),
        JobOutcome(
            "life at 0.5", "experiment", "symmetric-cycling", "Symmetric cell", LONG, _cycling(True, "long"), seconds=9
        ),
    )
    vn = adsorption.quantities
    comparisons = (
        Comparison(
            _reported("-1.65 eV"),
            "Fig. 7a",
            "Na on VN(001)",
            "vn",
            "adsorption_energy_hollow",
            vn["adsorption_energy_hollow"],
            Quantity(-0.06, "eV", 0.4, status="computed"),
            -0.15,
            "agrees within 0.2 σ",
            16,
        ),
        Comparison(
            _reported("-0.60 eV"),
            "Fig. 7a",
            "Na on VN(001)",
            "vn",
            "adsorption_energy_top_V",
            vn["adsorption_energy_top_V"],
            Quantity(-1.53, "eV", 0.4, status="computed"),
            -3.8,
            "disagrees by 3.8 σ",
            16,
            "facet not stated by the source",
        ),
        Comparison(
            _reported("> 199 h"),
            "Fig. 3",
            "life at 0.5",
            "bare",
            "lifespan",
            jobs[2].result.quantities["lifespan"],
            Quantity(12.4, "h", 2.1, status="measured"),
            None,
            "agrees with the bound",
            8,
        ),
        Comparison(
            _reported("41(3) kJ/mol"),
            "Fig. 9",
            "impedance",
            "vn",
            "activation_energy:mean",
            None,
            None,
            None,
            "not yet: failed: " + "/a-long-path" * 20,
            19,
        ),
        Comparison(
            _reported("0.5 eV"),
            f"Fig. {EVIL}",
            "life at 0.5",
            "vn",
            "lifespan",
            None,
            None,
            None,
            "cannot be compared: eV is not h",
            9,
            EVIL_ATTRIBUTE,
        ),
    )
    statuses = ["measured"] * 2 + ["computed"] * 3 + ["simulated"] * 4 + ["failed"] + ["not yet"] * 12
    coverage = tuple(
        CoverageRow(
            number,
            f"experiment {number} of the source, with a title of some length",
            f"Fig. {number}a, S{number}",
            status,
            ("life at 0.5",) if status in {"measured", "simulated"} else (),
            EVIL if number == 3 else "",
        )
        for number, status in enumerate(statuses, start=1)
    )
    return Outcome(
        title=f"An interlayer on a sodium metal anode {EVIL}",
        description="A made-up study that holds a bit of everything, to see what a page does with it.",
        reference="A. Author & B. Author, Journal 2020, 1, 1-9, doi:10.1000/made.up(1)",
        study_name="made-up",
        study_file=f"title = '''{EVIL_ATTRIBUTE}'''\n[electrodes.bare]\nmetal = \"Na\"\n" + "# a line of the study\n" * 60,
        jobs=jobs,
        comparisons=comparisons,
        coverage=coverage,
        electrodes={"bare": {"metal": "Na"}, "vn": {"metal": "Na", "interlayer": "VN, 70 µm", "note": EVIL}},
        versions={"sodiophile": "0.1.0", "numpy": "2.4.6", "sevenn": "0.13", EVIL: EVIL},
        inputs=(
            {"name": "VN.cif", "sha256": "cd" * 32, "size": 812},
            {"name": f"{EVIL}.mpt", "sha256": "ef" * 32, "size": 12_345_678, "reader": "ec-lab", "reader_version": "1"},
        ),
        started="2031-02-03T04:05:06+00:00",
        seconds=93.2,
        computed=5,
        reused=2,
        warnings=("Two numbers of the source contradict each other: 217 Ω cm² against 91 Ω cm².",),
    )
