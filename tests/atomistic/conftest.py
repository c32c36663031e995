"""Do the tasks of a calculation one after the other, without the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sodiophile.atomistic import calculation
from sodiophile.result import Result
from sodiophile.schema import checked
from sodiophile.task import Task

_OUTCOMES: dict[str, Any] = {}


class Computed:
    """The tasks of one calculation, their outcomes by key, and where they worked."""

    def __init__(self, kind: str, task: Task, folder: Path) -> None:
        self.task, self.folder = task, folder
        self.outcomes: dict[str, Any] = {}
        for one in task.walk():
            if one.key not in self.outcomes:
                self.outcomes[one.key] = self._do(one)
        self.result = Result.load(folder / task.key, drawer=calculation(kind).draw)

    def _do(self, one: Task) -> Any:
        place = self.folder / one.key
        place.mkdir(parents=True, exist_ok=True)
        after = {name: self.outcomes[before.key] for name, before in one.after.items()}
        if one is not self.task and one.key in _OUTCOMES:
            return _OUTCOMES[one.key]
        _OUTCOMES[one.key] = json.loads(json.dumps(one.call(after, place)))
        return _OUTCOMES[one.key]

    def outcome(self, name: str) -> dict[str, Any]:
        return self.outcomes[self.task.after[name].key]

    def again(self, **changed: dict[str, Any]) -> Result:
        """Assemble the result with some outcomes changed."""
        after = {name: dict(self.outcome(name)) for name in self.task.after}
        for name, entries in changed.items():
            after[name.replace("_", " ")].update(entries)
        folder = self.folder / "again"
        folder.mkdir(exist_ok=True)
        self.task.call(after, folder)
        return Result.load(folder)

    def value(self, name: str) -> float:
        return self.result.quantities[name].value


@pytest.fixture
def compute(tmp_path: Path) -> Callable[..., Computed]:
    """Return a function that computes a kind (adsorption) with EMT or another engine, and what the user sets otherwise."""

    def run(kind: str = "adsorption", **inputs: Any) -> Computed:
        chosen = calculation(kind)
        model = checked(chosen.inputs, {"engine": "emt", **inputs}, kind)
        return Computed(kind, chosen.plan(model), tmp_path)

    return run
