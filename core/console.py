"""What a run shows in a terminal: environment and plan, config with sources, results, next commands."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from core.config import Config
from core.evaluation.uncertainty import Estimate
from core.hardware import HardwarePlan

PLAIN_WIDTH = 100

HEADLINES = (
    "balanced_accuracy",
    "accuracy",
    "macro_f1",
    "auroc",
    "average_precision",
    "ece",
    "brier",
    "mask_iou",
    "pointing_game",
)


class RunConsole(Console):
    """A console whose lines can be kept in a file too, those said before there was one included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.said: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self.kept: Console | None = None

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*objects, **options)
        if self.kept:
            self.kept.print(*objects, **options)
        else:
            self.said.append((objects, options))

    @contextmanager
    def kept_in(self, file: Path) -> Iterator[None]:
        """Adds to a file what is said, as plain lines."""
        with file.open("a", encoding="utf-8") as stream:
            self.kept = Console(file=stream, width=PLAIN_WIDTH, highlight=False, no_color=True, quiet=self.quiet)
            for objects, options in self.said:
                self.kept.print(*objects, **options)
            try:
                yield
            finally:
                self.kept, self.said = None, []


def open_console(*, is_main: bool = True) -> RunConsole:
    """Messages go to standard error; standard output is for results that programs read."""
    is_terminal = sys.stderr.isatty()
    return RunConsole(stderr=True, width=None if is_terminal else PLAIN_WIDTH, highlight=False, quiet=not is_main)


def show_heading(console: Console, text: str) -> None:
    """A line that starts a part of the output."""
    console.print()
    console.print(f"[bold]{escape(text)}[/bold]")


def show_plan(console: Console, environment: Mapping[str, str], plan: HardwarePlan) -> None:
    """Versions in a line, then each choice for this machine with its reason."""
    show_heading(console, "Machine and plan")
    console.print(escape(", ".join(f"{name} {value}" for name, value in environment.items())), style="dim")
    table = _table("choice", "value", "reason")
    for name, choice in plan.to_json().items():
        table.add_row(name, escape(str(choice["value"])), escape(str(choice["reason"])))
    console.print(table)


def show_config(console: Console, config: Config, sources: Mapping[str, str]) -> None:
    """The settings that are not defaults, each with where its value came from."""
    show_heading(console, "Config (what differs from the defaults)")
    table = _table("setting", "value", "from")
    for key, source in sources.items():
        value: Any = config
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else getattr(value, part)
        table.add_row(key, escape(str(value)), escape(source))
    console.print(table)


def show_metrics(console: Console, title: str, metrics: Mapping[str, Estimate]) -> None:
    """Headline figures with their 95 % intervals."""
    show_heading(console, title)
    table = _table("metric", "value", "95 % interval")
    table.columns[1].justify = "right"
    names = [name for name in HEADLINES if name in metrics] + [name for name in metrics if name not in HEADLINES]
    for name in names:
        estimate = metrics[name]
        interval = "" if estimate.low == estimate.high else f"{estimate.low:.3f} to {estimate.high:.3f}"
        table.add_row(name, f"{estimate.value:.3f}", interval)
    console.print(table)


def show_rows(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of words; figures of all but the first column stand at the right."""
    show_heading(console, title)
    table = _table(*columns)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def show_commands(console: Console, commands: Sequence[str]) -> None:
    """What to type next."""
    show_heading(console, "Next")
    for command in commands:
        console.print(f"  {escape(command)}", soft_wrap=True)


@contextmanager
def progress_bar(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, total) that moves a bar in a terminal and writes a line at the end in a pipe."""
    if not console.is_terminal:
        last = [0, 0]

        def remember(done: int, total: int) -> None:
            last[:] = done, total

        yield remember
        if last[1]:
            console.print(f"{what}: {last[0]:,} of {last[1]:,}")
        return
    with Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _table(*columns: str) -> Table:
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[-1].overflow = "fold"
    return table
