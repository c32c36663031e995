"""A piece of work that is done once: what to call, with which inputs, after which other pieces.

The key of a task is the SHA-256 of its canonical JSON: the function and its version, the inputs, and the keys of the
tasks that it follows. Whatever changes an outcome must be among them; whatever does not (a path, a label) must not.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from sodiophile.errors import InputError


class TaskFunction(Protocol):
    """What a task calls.

    It gets its inputs, the outcomes of the tasks it follows (by the names in `Task.after`), what does not enter the key
    (`Task.context`), and a folder of its own, which outlives a killed run: a function that finds its unfinished work there
    goes on from it. Files left in the folder are kept beside the outcome. It returns a JSON-ready dictionary.
    """

    def __call__(
        self, inputs: Mapping[str, Any], after: Mapping[str, Any], context: Mapping[str, Any], folder: Path
    ) -> dict[str, Any]:
        """Do the work."""
        ...


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Parameters
    ----------
    function
        ``package.module:function``, a `TaskFunction` of installed code; never a name read from a user's file.
    version
        Of the function; counted up whenever its outcome for the same inputs changes.
    inputs
        JSON-ready; part of the key.
    after
        The tasks that must be done before, under the names by which the function gets their outcomes.
    context
        JSON-ready things that do not change the outcome (where a file lies now); no part of the key.
    label
        What the user sees while it runs.
    cost_s
        A rough guess of its duration on one core, for the time left.
    """

    function: str
    version: int
    inputs: Mapping[str, Any]
    after: Mapping[str, Task] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    cost_s: float = 1.0

    @cached_property
    def payload(self) -> dict[str, Any]:
        """What the key is made of."""
        return {
            "function": self.function,
            "version": self.version,
            "inputs": dict(self.inputs),
            "after": {name: task.key for name, task in self.after.items()},
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of the canonical JSON of `payload`, 64 hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.payload).encode()).hexdigest()

    def walk(self) -> Iterator[Task]:
        """Yield the tasks before this one, deepest first, then this one; a task reached twice is yielded twice."""
        for task in self.after.values():
            yield from task.walk()
        yield self

    def call(self, after: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """Call the function."""
        module, _, name = self.function.partition(":")
        function: TaskFunction = getattr(importlib.import_module(module), name)
        return function(self.inputs, after, self.context, folder)


def canonical_json(value: object) -> str:
    """Write `value` as JSON in one way only: keys sorted, no blanks, floats by their shortest representation.

    Raises
    ------
    InputError
        If the value holds something that JSON cannot say, NaN and infinities included.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"a key of a task's input is {key!r}, expected text")
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError("an input of a task is not a finite number")
        return 0.0 if value == 0 else value  # -0.0 is 0.0
    raise InputError(f"an input of a task is a {type(value).__name__}, expected text, numbers, lists and tables")
