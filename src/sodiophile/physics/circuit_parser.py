"""Circuit strings of the field, such as ``R0-p(R1,CPE1)-p(R2,CPE2)-W1``, read into a tree.

The grammar, with blanks allowed between tokens::

    series   = item { "-" item }
    item     = element | "p(" series "," series { "," series } ")"
    element  = kind [ number ]          R0, CPE1, Wo2, W

Elements in series are joined by ``-``, branches in parallel stand in ``p(...)``. A kind is one of those in
`sodiophile.physics.circuits.ELEMENTS`; an element may stand in the circuit once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sodiophile.errors import InputError

_TOKEN = re.compile(r"\s*(?:(?P<open>p\s*\()|(?P<element>[A-Za-z]+_?\d*)|(?P<mark>[-,)]))")
_MOST_LETTERS = 400
_MOST_ELEMENTS = 24
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its kind (``CPE``) and its name in the circuit (``CPE1``)."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Series:
    """Parts one after the other: impedances add."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Branches side by side: admittances add."""

    branches: tuple[Node, ...]


Node = Element | Series | Parallel


def parse_circuit(text: str, kinds: Collection[str]) -> Node:
    """Read a circuit string.

    Parameters
    ----------
    text
        The circuit.
    kinds
        The kinds of element that are known.

    Raises
    ------
    InputError
        If the text is no circuit; the message names the place, counted in characters from 1.
    """
    if len(text) > _MOST_LETTERS:
        raise InputError(f"a circuit of {len(text)} characters, expected at most {_MOST_LETTERS}", "circuit")
    return _Parser(text, kinds).whole()


def elements(node: Node) -> Iterator[Element]:
    """Yield the elements of a tree in the order of its string."""
    if isinstance(node, Element):
        yield node
    else:
        for part in node.parts if isinstance(node, Series) else node.branches:
            yield from elements(part)


def written(node: Node) -> str:
    """Write a tree as a circuit string."""
    if isinstance(node, Element):
        return node.name
    if isinstance(node, Series):
        return "-".join(written(part) for part in node.parts)
    return f"p({','.join(written(branch) for branch in node.branches)})"


class _Parser:
    def __init__(self, text: str, kinds: Collection[str]) -> None:
        self.text, self.kinds, self.at = text, kinds, 0
        self.names: set[str] = set()

    def whole(self) -> Node:
        node = self.series(0)
        if self.text[self.at :].strip():
            raise self.fault("expected '-' or the end")
        return node

    def series(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self.fault(f"more than {_DEEPEST} parallel groups inside one another")
        parts = [self.item(depth)]
        while self.take("-"):
            parts.append(self.item(depth))
        return parts[0] if len(parts) == 1 else Series(tuple(parts))

    def item(self, depth: int) -> Node:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match["mark"]:
            raise self.fault("expected an element such as R0 or a parallel group p(R1,CPE1)")
        start, self.at = self.at, match.end()
        if match["open"]:
            branches = [self.series(depth + 1)]
            while self.take(","):
                branches.append(self.series(depth + 1))
            if not self.take(")"):
                raise self.fault("expected ',' or ')'")
            if len(branches) < 2:
                raise self.fault("a parallel group needs two branches, such as p(R1,CPE1)")
            return Parallel(tuple(branches))
        name = match["element"]
        kind = name.rstrip("0123456789").rstrip("_")
        if kind not in self.kinds:
            self.at = start
            raise self.fault(f"{name!r} is no element; known kinds are {', '.join(sorted(self.kinds))}")
        if name in self.names:
            self.at = start
            raise self.fault(f"{name!r} stands twice; number the elements, such as {kind}1 and {kind}2")
        self.names.add(name)
        if len(self.names) > _MOST_ELEMENTS:
            raise self.fault(f"more than {_MOST_ELEMENTS} elements")
        return Element(kind, name)

    def take(self, mark: str) -> bool:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match["mark"] != mark:
            return False
        self.at = match.end()
        return True

    def fault(self, what: str) -> InputError:
        place = self.at + 1
        rest = self.text[self.at :].strip()
        found = f"found {rest[:16]!r}" if rest else "it ends"
        return InputError(f"character {place} of {self.text!r}: {found}; {what}", "circuit")
