"""What a person sees while tasks run: how many are done, how long it will still take; on standard error only."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from sodiophile.study.plan import duration

if TYPE_CHECKING:
    from rich.console import Console

    from sodiophile.task import Task


class TimeLeft:
    """Estimates the time left from the tasks' own guesses and from how true they were so far.

    Parameters
    ----------
    costs_s
        The guesses for the tasks to do, on one core.
    workers
        How many work at once.
    """

    def __init__(self, costs_s: list[float], workers: int) -> None:
        self._left = sum(costs_s)
        # the first tasks load what they need: they alone tell little of how slow the others will be
        self._trust_s = 0.2 * self._left
        self._workers = max(1, min(workers, len(costs_s)))
        self._guessed = self._took = 0.0

    def finished(self, guessed_s: float, took_s: float) -> None:
        """Take note of a finished task; `took_s` is 0 where another process did it."""
        self._left = max(0.0, self._left - guessed_s)
        if took_s > 0:
            self._guessed += guessed_s
            self._took += took_s

    @property
    def seconds(self) -> float:
        """The time left."""
        slowness = (self._took + self._trust_s) / (self._guessed + self._trust_s) if self._left else 0.0
        return self._left * slowness / self._workers


class Progress:
    """Shows the tasks of one run: a bar on a terminal, lines elsewhere, nothing if there is no console."""

    def __init__(self, console: Console | None, tasks: dict[str, Task], workers: int) -> None:
        from rich import progress

        self._console = console
        self._tasks = tasks
        self._left = TimeLeft([task.cost_s for task in tasks.values()], workers)
        self._count = 0
        self._bar: progress.Progress | None = None
        if console is not None and console.is_terminal:
            self._bar = progress.Progress(
                progress.SpinnerColumn(),
                progress.BarColumn(bar_width=24),
                progress.MofNCompleteColumn(),
                progress.TimeElapsedColumn(),
                progress.TextColumn("{task.fields[left]}", markup=False),
                progress.TextColumn("{task.description}", markup=False),
                console=console,
                transient=True,
            )
            self._row = self._bar.add_task("", total=len(tasks), left=f"about {duration(self._left.seconds)} left")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def finished(self, key: str, seconds: float, failure: str | None = None) -> None:
        """Show that a task has ended."""
        task = self._tasks[key]
        self._left.finished(task.cost_s, seconds)
        self._count += 1
        left = f"about {duration(self._left.seconds)} left" if self._count < len(self._tasks) else ""
        label = task.label or task.function.partition(":")[2]
        if self._bar is not None:
            self._bar.update(self._row, completed=self._count, left=left, description=label)
            if failure is None:
                return
        if self._console is not None:
            took = f"failed: {failure}" if failure is not None else f"{seconds:.1f} s" if seconds > 0 else "done elsewhere"
            line = f"[{self._count}/{len(self._tasks)}] {label}: {took}" + (f"; {left}" if left else "")
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
