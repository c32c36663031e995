"""Engines: names, identity, what is refused."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sodiophile.atomistic import engines as registry
from sodiophile.atomistic.adsorption import AdsorptionInputs
from sodiophile.atomistic.engines import Engine, engine, engine_of, engines
from sodiophile.errors import EngineError, MissingExtraError
from sodiophile.schema import checked

SEVENNET = pytest.mark.skipif(not engine("7net").installed, reason="sevenn is not installed")


def _no_calculator() -> None:
    return None


def test_every_engine_says_what_it_is() -> None:
    rows = {row["engine"]: row for row in engines()}
    assert {"7net-l3i5", "7net-0", "7net-MF-0", "chgnet", "emt"} <= set(rows)
    assert all(row["what"] and isinstance(row["installed"], bool) for row in rows.values())


def test_alias_and_case() -> None:
    assert engine("7net") is engine("7net-l3i5") is engine("7NET-L3I5")
    assert engine("7net-mf-0").name == "7net-MF-0"


def test_unknown_engine_offers_the_nearest() -> None:
    with pytest.raises(EngineError, match="did you mean '7net-l3i5'") as caught:
        engine("7net-l3i6")
    assert caught.value.exit_code == 3


def test_missing_extra_is_named() -> None:
    absent = Engine("absent", "nothing", "a_package_that_is_not_there", "atomistic", _no_calculator)
    with pytest.raises(MissingExtraError, match=r"sodiophile\[atomistic\]"):
        absent.identity()
    with pytest.raises(MissingExtraError):
        absent.calculator()
    assert not absent.installed


def test_an_import_path_needs_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_TRUSTED", set())
    path = "ase.calculators.emt:EMT"
    with pytest.raises(EngineError, match="not in a study file"):
        engine(path)
    with pytest.raises(EngineError, match="not in a study file"):
        checked(AdsorptionInputs, {"structure": "Cu", "adsorbate": "Cu", "engine": path})
    registry.trust(path)
    assert engine(path).identity()["package"] == "ase"
    assert checked(AdsorptionInputs, {"structure": "Cu", "engine": path}).engine == path


@pytest.mark.parametrize("path", ["no.such.module:Class", "ase.atoms:Nothing", "os:getcwd"])
def test_a_trusted_path_must_be_a_calculator(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_TRUSTED", {path})
    with pytest.raises(EngineError):
        engine(path)


def test_other_packages_offer_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = Engine("offered", "theirs", "ase", "", _no_calculator)
    points = [SimpleNamespace(name="offered", value="x:y", load=lambda: lambda: offered)]
    points.append(SimpleNamespace(name="broken", value="x:z", load=lambda: 3))
    monkeypatch.setattr(registry, "entry_points", lambda name=None, **_: [p for p in points if name in {None, p.name}])
    registry._foreign.cache_clear()
    assert engine("Offered") is offered
    with pytest.raises(EngineError, match="is not an Engine"):
        engine("broken")
    registry._foreign.cache_clear()


def test_identity_follows_the_bytes_of_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "potential_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('not to be imported')")
    (package / "weights.pth").write_bytes(b"one")
    monkeypatch.syspath_prepend(tmp_path)
    one = Engine("one", "a test", package.name, "", _no_calculator, weights="weights.pth")
    first = one.identity()
    assert first["weights_sha256"] == hashlib.sha256(b"one").hexdigest()
    (package / "weights.pth").write_bytes(b"another")
    assert one.identity()["weights_sha256"] == hashlib.sha256(b"another").hexdigest()
    (package / "weights.pth").unlink()
    with pytest.raises(EngineError, match="does not hold the weights"):
        one.identity()


def test_a_task_planned_with_another_version_is_refused() -> None:
    identity = engine("emt").identity()
    assert engine_of(identity) is engine("emt")
    with pytest.raises(EngineError, match=r"version '0\.1' planned"):
        engine_of({**identity, "version": "0.1"})


def test_what_is_known_of_the_error_is_said() -> None:
    known, unknown = engine("7net-l3i5"), engine("emt")
    assert known.accuracy.error_eV is not None
    assert "same size is assumed" in known.accuracy.sentence(known.name)
    assert unknown.accuracy.error_eV is None
    assert "not been measured" in unknown.accuracy.sentence(unknown.name)


def test_a_calculator_that_fails_to_start_is_one_line() -> None:
    def fail() -> None:
        raise RuntimeError("no\nlicence")

    with pytest.raises(EngineError, match="cannot be started: RuntimeError: no licence"):
        Engine("fails", "", "ase", "", fail).calculator()


@SEVENNET
def test_planning_starts_no_engine() -> None:
    code = (
        "import sys; from sodiophile.atomistic import calculation; from sodiophile.schema import checked;"
        "c = calculation('adsorption'); t = c.plan(checked(c.inputs, {'structure': 'Na', 'facet': '110'}));"
        "assert len(t.key) == 64; print(sorted({'torch', 'sevenn', 'chgnet'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
