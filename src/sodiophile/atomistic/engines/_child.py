"""What runs in the Python of another environment: an ASE calculator behind JSON lines; this text is its whole program.

It needs ASE there, and nothing of this package. It is handed over as text (``python -c``), so that its own folder, whose
files carry the names of packages, is not where that Python looks for modules. Standard output is for answers alone:
whatever else prints goes to standard error. It ends when standard input closes, as it does when its parent ends.

First argument: JSON with ``calculator`` (``package.module:callable``, or a name of ASE), ``settings``, ``package``,
``weights`` (files), ``identify`` (only say who it is), ``parallel`` (one of several processes of one MPI job: the first
listens and speaks, and hands what it is asked to the others).

::

    -> {"id": 1, "numbers": [...], "positions": [[...]], "cell": [[...]], "pbc": [...], "stress": false}
    <- {"id": 1, "energy": -1.2, "forces": [[...]], "stress": [xx, yy, zz, yz, xz, xy] or null}     eV, angstrom
    <- {"id": 1, "error": "..."}
"""

import hashlib
import importlib
import json
import os
import queue
import sys
import threading


def _main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path[:] = [folder for folder in sys.path if folder]
    given = json.loads(sys.argv[1])

    def say(answer: dict) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        if given["identify"]:
            say(_identity(given))
            return
        lines: queue.Queue[str] = queue.Queue()
        listener = threading.Thread(target=_listen, args=(lines,), daemon=True)
        if not given["parallel"]:
            listener.start()
        calculator = _made(given)
        first, shared = (_first(), _shared) if given["parallel"] else (True, _as_it_is)
        if not first:
            answers = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        elif given["parallel"]:
            listener.start()  # the others have no standard input, which would end them
        say({"ready": True})
    except Exception as error:  # noqa: BLE001  whatever it is, the parent has to know
        say({"error": f"{type(error).__name__}: {error}"})
        return
    while True:
        asked = json.loads(shared(lines.get() if first else None))
        try:
            say({"id": asked["id"], **_computed(calculator, asked)})
        except Exception as error:  # noqa: BLE001
            say({"id": asked["id"], "error": f"{type(error).__name__}: {error}"})


def _listen(lines: "queue.Queue[str]") -> None:
    """Take what the parent asks; end at once when it is gone, whatever is being computed."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _first() -> bool:
    """Return whether this is the first process of the MPI job; the calculator's module has started MPI."""
    from ase.parallel import world

    return int(world.rank) == 0


def _shared(line: "str | None") -> str:
    """Return in all processes what the first one was asked."""
    from ase.parallel import broadcast

    return str(broadcast(line, root=0))


def _as_it_is(line: "str | None") -> str:
    return str(line)


def _made(given: dict) -> object:
    name, _, attribute = given["calculator"].partition(":")
    if attribute:
        return getattr(importlib.import_module(name), attribute)(**given["settings"])
    from ase.calculators.calculator import get_calculator_class

    return get_calculator_class(name)(**given["settings"])


def _computed(calculator: object, asked: dict) -> dict:
    from ase import Atoms

    atoms = Atoms(asked["numbers"], positions=asked["positions"], cell=asked["cell"], pbc=asked["pbc"])
    atoms.calc = calculator
    found = {"energy": float(atoms.get_potential_energy()), "forces": atoms.get_forces().tolist(), "stress": None}
    if asked["stress"]:
        found["stress"] = atoms.get_stress(voigt=True).tolist()
    return found


def _identity(given: dict) -> dict:
    from importlib import metadata

    versions: dict[str, str | None] = {}
    for name in dict.fromkeys(["ase", given["package"]]):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            names = metadata.packages_distributions().get(name, [])
            versions[name] = metadata.version(names[0]) if names else None
    hashes = {}
    for path in given["weights"]:
        with open(path, "rb") as file:
            hashes[os.path.basename(path)] = hashlib.file_digest(file, "sha256").hexdigest()
    return {"python": ".".join(map(str, sys.version_info[:3])), "versions": versions, "weights_sha256": hashes}


# 'gpaw python -c' runs a program without a name of its own
if __name__ in {"__main__", "builtins"}:
    _main()
