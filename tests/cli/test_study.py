"""A study file with a fault is one line that names the key; what happens to it on the way leaves nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

HEAD = 'title = "t"\n[electrodes.bare]\nmetal = "Na"\narea = "1 cm^2"\n'
CYCLING = '[[experiments]]\nname = "c"\nkind = "symmetric-cycling"\nfiles = { bare = "good.csv" }\n'


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ("", "title: missing"),
        ("title = 'x'\n", "electrodes: missing"),
        (f"{HEAD}{CYCLING}curent_density = '1 mA/cm^2'\n", "experiments[1].curent_density: unknown key; did you mean"),
        (f"titel = 'x'\n{HEAD}", "titel: unknown key; did you mean 'title'?"),
        (f"{HEAD}{CYCLING}current_density = '1 mA'\n", "experiments[1].current_density"),
        (f"{HEAD}{CYCLING}current_density = 1\n", "without a unit"),
        (f"{HEAD}{CYCLING}".replace("good", "goood"), "did you mean 'good.csv'?"),
        (f"{HEAD}{CYCLING}".replace("area", "note"), "experiments[1].area: missing"),
        (f"{HEAD}{CYCLING}".replace("1 cm", "-1 cm"), "electrodes.bare.area: found '-1 cm^2', expected more than 0 cm^2"),
        (f"{HEAD}{CYCLING}".replace("good.csv", "/etc/passwd"), "absolute path"),
        (f"{HEAD}{CYCLING}".replace("good.csv", "../good.csv"), "leads out"),
        (f"{HEAD}{CYCLING}".replace("symmetric", "symetric"), "did you mean 'symmetric-cycling'?"),
        (f"{HEAD}{CYCLING}".replace("{ bare", "{ baer"), "did you mean 'bare'?"),
        (f"{HEAD}{CYCLING}{CYCLING}", "expected a name of its own"),
        (f"{HEAD}{CYCLING}".replace('"Na"', '"na"'), "did you mean 'Na'?"),
        (f"{HEAD}{CYCLING}".replace('"Na"', '"Qq"'), "expected the symbol of an element"),
        (f"{HEAD}[[calculations]]\nkind = 'adsorption'\nengine = 'nonsense'\n", "is not an engine"),
        (f"{HEAD}[[calculations]]\nkind = 'adsorption'\nengine = 'os:system'\n", "import path"),
        ("title = [", "not TOML"),
        (b"title = 'caf\xe9'", "line 1: found a byte that is not UTF-8"),
        (b"\xff\xfet\0i\0t\0", "not UTF-8"),
    ],
)
def test_one_line_names_the_key(command, good, study, expected):
    path = good.with_name("study.toml")
    path.write_bytes(study if isinstance(study, bytes) else study.encode())
    said = command("run", path)
    assert said.code in ({3} if "engine" in str(study) else {1})
    assert "study.toml" in said.line or said.code == 3
    assert expected in said.line


def test_a_pipe_is_no_study(command, tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    assert "neither a file nor a folder" in command("run", tmp_path / "pipe.toml").line


def test_what_is_wrong_beside_the_file(command, good):
    path = good.with_name("study.toml")
    path.write_text(HEAD + CYCLING)
    assert "there are c" in command("run", path, "--only", "nonsense").line
    assert "is a file" in command("run", path, "--out", good).line
    assert "no report" in command("run", path, "--out", good.parent).line
    said = command("run", path, "--scheduler", "nonsense")
    assert said.code == 1
    assert said.err.splitlines()[-1].endswith("expected one such as 'tcp://host:8786'")
    assert not (good.parent / "results").exists()


def test_ctrl_c_while_it_starts_leaves_one_line(good):
    """Sent to the whole group, as a terminal does, while the processes of the cluster start."""
    path = good.with_name("study.toml")
    path.write_text(HEAD + CYCLING)
    run = subprocess.Popen(
        [sys.executable, "-m", "sodiophile", "run", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    seen = ""
    while "tasks to do" not in seen and run.poll() is None:
        seen += run.stderr.readline()
    time.sleep(0.4)
    os.killpg(run.pid, signal.SIGINT)
    out, rest = run.communicate(timeout=60)
    assert (run.returncode, out) == (130, "")
    assert rest.splitlines()[-1].startswith("sodiophile: interrupted")
    assert "Traceback" not in rest
