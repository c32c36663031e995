"""Every measured file opens, or says in one line why it does not."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from sodiophile.errors import SodiophileError
from sodiophile.readers import read
from sodiophile.records import CyclingRecord, ImpedanceRecord

FOLDER = Path(os.environ.get("SODIOPHILE_TEST_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")) / "echem"
REFUSED = {
    "exampleDataBioLogic_MissingFreq.mpt": "line 62: holds 18 fields under 17 headers",
    "squarewave_data.dta": "no column found for current_ampere",
    "hybrid-drt_sample_info.txt": "fields under",
    "na_nacoo2_gcpl_C24.mps": "settings file",
    "maccor_two.txt": "cut off",
    "sample_data_maccor.csv": "the current is never negative",
    "TestFile.parquet": "no unit found for 'Total Time'",
    "Experiment_Record.xlsx": "no column found|no sheet",
}
"""What is at fault with the file, or beside our field."""

SPECTRA = {"eis_formats", "eis_temperature", "eis_two_arc"}
TRACES_AMONG_SPECTRA = {
    *("chronoa_data.dta", "chronoa_de_data.dta", "cv_data.dta", "ocvcurve_data.dta"),
    *("exampleDataParstat.txt", "halfcell_gcpl_plus_5PEIS_biol.mpr"),
}


def files() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*/*") if path.is_file())


def need(path: Path) -> None:
    for ending, module in (
        (".mpr", "galvani"),
        (".ndax", "fastnda"),
        (".nda", "fastnda"),
        (".nda.zip", "fastnda"),
        (".xlsx", "fastexcel"),
    ):
        if path.name.endswith(ending) and find_spec(module) is None:
            pytest.skip(f"needs {module}")
    if ".res" in path.suffixes and shutil.which("mdb-export") is None:
        pytest.skip("needs mdbtools")


@pytest.mark.parametrize(
    "path",
    files() or [pytest.param(None, marks=pytest.mark.skip(reason=f"no measured files in {FOLDER}"))],
    ids=lambda path: path.name if path else "none",
)
def test_opens_or_says_why(path):
    need(path)
    if path.name in REFUSED:
        with pytest.raises(SodiophileError, match=REFUSED[path.name]) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        return
    record = read(path)
    spectra = path.parent.name in SPECTRA and path.name not in TRACES_AMONG_SPECTRA
    spectra |= path.name == "PEIS-0.mpr"
    assert isinstance(record, ImpedanceRecord if spectra else CyclingRecord)
    assert len(record) > 1
    assert record.provenance[0].source == path.name
