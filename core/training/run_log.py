"""What a run says while it trains: a progress bar in a terminal, plain lines in a pipe, metrics.csv, trackers."""

import csv
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

PLAIN_INTERVAL_S = 10.0
BAR_INTERVAL_S = 0.2


class RunLog:
    """Progress of training, for people and for metrics.csv.

    Args:
        console: Where progress goes; None = nowhere (all processes but the first).
        total_steps: Of the whole run.
        first_step: Where it starts.
    """

    def __init__(self, console: Console | None, total_steps: int, first_step: int) -> None:
        self.console, self.total = console, total_steps
        self.started, self.first_step, self.last_shown = time.monotonic(), first_step, 0.0
        self.bar: Progress | None = None
        self.task: TaskID | None = None
        if console is not None and console.is_terminal:
            self.bar = Progress(
                TextColumn("[bold]{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[facts]}"),
                console=console,
                transient=True,
            )
            self.task = self.bar.add_task("train", total=total_steps, completed=first_step, facts="")

    def __enter__(self) -> "RunLog":
        if self.bar:
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar:
            self.bar.stop()

    def is_due(self) -> bool:
        """Is it time to show progress again? Asked before anything is read from the device."""
        interval = BAR_INTERVAL_S if self.bar else PLAIN_INTERVAL_S
        return self.console is not None and time.monotonic() - self.last_shown >= interval

    def show(self, step: int, facts: Mapping[str, str]) -> None:
        """Shows where training stands; `step` steps are done."""
        self.last_shown = time.monotonic()
        text = " ".join(f"{name} {value}" for name, value in facts.items())
        if self.bar and self.task is not None:
            self.bar.update(self.task, completed=step, facts=text)
        elif self.console is not None:
            rate = (step - self.first_step) / max(1e-9, time.monotonic() - self.started)
            left_s = (self.total - step) / rate if rate > 0 else 0.0
            self.console.print(f"step {step}/{self.total} {text} eta {left_s:.0f}s", soft_wrap=True)

    def say(self, text: str) -> None:
        """One line that stays."""
        if self.console is not None:
            self.console.print(text, soft_wrap=True)


def append_metrics(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Writes all rows anew: a resumed run may repeat an epoch, and each stands there once."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    aside = path.with_suffix(".aside")
    with aside.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)
    aside.replace(path)
