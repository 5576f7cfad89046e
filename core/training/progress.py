"""Where a training stands, and what a finished one leaves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import UserError
from core.hardware import HardwarePlan


@dataclass
class Progress:
    """Where training stands; with weights and optimiser, all that the next step depends on."""

    step: int = 0
    loss_sum: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best_value: float = -math.inf
    best_epoch: int = -1
    learning_rate_scale: float = 1.0
    recoveries: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class FitResult:
    """What a finished training leaves.

    Args:
        history: One row an epoch, as in metrics.csv.
        best_epoch: Whose weights the model now holds.
        seconds: Of training, over all resumed parts.
        examples_per_second: In the last epoch, validation apart.
        plan: As it ended (a batch that did not fit was halved).
        stopped_by: Why it ended.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    examples_per_second: float
    plan: HardwarePlan
    stopped_by: str


def monitored(row: Mapping[str, float], monitor: str) -> float:
    """The value that chooses the best epoch; higher is better.

    Raises:
        UserError: No metric of that name.
    """
    name = f"validation_{monitor}"
    if name not in row:
        offered = ", ".join(key.removeprefix("validation_") for key in row if key.startswith("validation_"))
        raise UserError(f"train.monitor is `{monitor}`.", f"Metrics: {offered}.", "Use one of these.")
    return -row[name] if monitor == "loss" else row[name]


def is_better(value: float, progress: Progress) -> bool:
    """Is this epoch better than the best so far?"""
    best = progress.best_value
    # A value may be undefined at first: no comparison with it would ever hold.
    return value > best or progress.best_epoch < 0 or (math.isnan(best) and not math.isnan(value))


def describe(result: FitResult) -> dict[str, Any]:
    """The facts of a finished training for metrics.json."""
    return {
        "best_epoch": result.best_epoch + 1,
        "epochs": len(result.history),
        "seconds": round(result.seconds, 1),
        "examples_per_second": round(result.examples_per_second, 1),
        "stopped_by": result.stopped_by,
    }
