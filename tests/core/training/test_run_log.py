"""What a run says while it trains."""

import csv
import io
from pathlib import Path

from rich.console import Console

from core.training.run_log import RunLog, append_metrics


def make_log(*, terminal: bool = False, first_step: int = 0) -> tuple[RunLog, io.StringIO]:
    stream = io.StringIO()
    return RunLog(Console(file=stream, width=150, force_terminal=terminal), 100, first_step), stream


def test_a_pipe_gets_plain_lines_with_what_is_left() -> None:
    log, stream = make_log()
    with log:
        assert log.is_due()
        log.show(10, {"loss": "1.5", "rate": "20/s"})
        assert not log.is_due()
        log.say("epoch over")
    first, second = stream.getvalue().splitlines()
    assert first.startswith("step 10/100 loss 1.5 rate 20/s eta ")
    assert second == "epoch over"
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_gets_a_bar() -> None:
    log, stream = make_log(terminal=True, first_step=5)
    with log:
        log.show(50, {"loss": "1.5"})
    assert "50/100" in stream.getvalue()
    assert "loss 1.5" in stream.getvalue()


def test_other_processes_say_nothing() -> None:
    log = RunLog(None, 100, 0)
    with log:
        assert not log.is_due()
        log.say("unheard")
        log.show(1, {})


def test_metrics_hold_all_rows_and_all_columns_once(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    append_metrics(file, [{"epoch": 1.0, "loss": 2.0}])
    append_metrics(file, [{"epoch": 1.0, "loss": 2.0}, {"epoch": 2.0, "loss": 1.0, "accuracy": 0.5}])
    with file.open() as stream:
        assert list(csv.DictReader(stream)) == [
            {"epoch": "1.0", "loss": "2.0", "accuracy": ""},
            {"epoch": "2.0", "loss": "1.0", "accuracy": "0.5"},
        ]
    assert list(tmp_path.iterdir()) == [file]
