"""What a person at a terminal sees of a result, a file, the kinds, the engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from sodiophile.result import Result


def result(found: Result, console: Console) -> None:
    """Print quantities, verdicts with their evidence, and warnings."""
    origin = "simulated" if found.simulated else ""
    title = f"{found.kind} ({origin})" if origin else found.kind
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    table.add_column("quantity", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("status")
    table.add_column("definition", overflow="fold", ratio=1)
    for name, quantity in found.quantities.items():
        table.add_row(escape(name), escape(str(quantity)), quantity.status, escape(quantity.definition))
    console.print(table)
    for name, verdict in found.verdicts.items():
        console.print(f"\n[bold]{escape(name)}[/bold]: {escape(verdict.answer)}")
        for line in verdict.evidence:
            console.print(f"  - {escape(line)}")
    if found.warnings:
        console.print("\n[bold]warnings[/bold]")
        for warning in found.warnings:
            console.print(f"  - {escape(warning)}")


def tree(content: Mapping[str, Any], console: Console, indent: int = 0) -> None:
    """Print a dictionary of plain values as indented lines."""
    blank = "  " * indent
    for key, value in content.items():
        label = escape(_label(str(key)))
        if isinstance(value, Mapping):
            if not value:
                continue
            console.print(f"{blank}[bold]{label}[/bold]")
            tree(value, console, indent + 1)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            _sequence(label, value, console, blank)
        elif value is not None and value != "":
            console.print(f"{blank}[bold]{label}[/bold]: {escape(_text(value))}")


def _sequence(label: str, value: Sequence[Any], console: Console, blank: str) -> None:
    if not value:
        return
    if all(isinstance(entry, int | float) or (isinstance(entry, str) and len(entry) < 30) for entry in value):
        console.print(f"{blank}[bold]{label}[/bold]: {escape(', '.join(_text(entry) for entry in value))}")
        return
    console.print(f"{blank}[bold]{label}[/bold]")
    for entry in value:
        if isinstance(entry, Mapping):
            console.print(f"{blank}  - {escape(_entry(entry))}")
        else:
            console.print(f"{blank}  - {escape(_text(entry))}")


def _label(key: str) -> str:
    name, _, last = key.rpartition("_")
    if name and last in {"h", "s", "V", "A", "mV", "mA", "Hz", "ohm", "K", "bytes"}:
        return f"{name.replace('_', ' ')} ({last})"
    return key.replace("_", " ")


def _entry(entry: Mapping[str, Any]) -> str:
    """Write one entry of a list on one line; the entries that every file has read as a person would say them."""
    if set(entry) == {"current_A", "time_h"}:
        return f"{1e3 * entry['current_A']:.6g} mA for {entry['time_h']:.4g} h"
    if set(entry) == {"column", "header", "how"}:
        return f"{entry['column']} from {entry['header']!r} ({entry['how']})"
    return ", ".join(f"{key.replace('_', ' ')} {_text(value)}" for key, value in entry.items() if value not in {None, ""})


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def rows(title: str, headers: Sequence[str], lines: Sequence[Sequence[str]], console: Console) -> None:
    """Print a small table."""
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for line in lines:
        table.add_row(*(escape(cell) for cell in line))
    console.print(table)
