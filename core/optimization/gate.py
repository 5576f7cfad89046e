"""Whether an optimised graph may be served: measured against the full one on validation examples, on this machine."""

import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.config import ExportConfig
from core.errors import UserError
from core.evaluation.decision import DecisionPolicy
from core.evaluation.recommendation import chunks
from core.evaluation.uncertainty import Estimate, bootstrap_mean
from core.export.bundle import INT8_GRAPH
from core.export.session import Session
from core.optimization.quantize import quantize_graph, quantize_weights
from core.tasks.task import Arrays, Task

BATCH = 32
MAX_TURNS = {1: 30, BATCH: 5}
"""Turns of one example and of a batch, at most."""
MIN_TURNS = 3
CALLS = 5
"""Measured calls of each graph in a turn, after one that fills caches which the other graph emptied."""
SECONDS = 10.0
"""No turn starts later than this, so that a slow model does not take minutes."""
ROUNDING = 1e-9
RESAMPLES = 1000


class Pair(NamedTuple):
    """One figure of both graphs."""

    full: float
    int8: float


@dataclass(frozen=True)
class Trial:
    """What two graphs did on the same examples.

    Args:
        examples: How many, with those that belong to no label.
        accuracy: Share of examples with a label whose most probable label is right.
        given_up: Accuracy of the full graph minus that of the other, with its 95 % interval over the same examples.
        accepted: Share of examples with a label that the novelty gate lets pass.
        refused_outside: Share of the others that it stops; None = there are none.
        sensitivity: Share of examples with an alarm label that raise the alarm; None = no alarm.
        one_ms: Median of a call with one example.
        batch_ms: Median of a call with 32.
        megabytes: Size of the file.
        largest_difference: In probability.
        same_label: Share of examples with the same most probable label.
        method: How the second graph was made: dynamic or static.
    """

    examples: int
    accuracy: Pair
    given_up: Estimate
    accepted: Pair
    refused_outside: Pair | None
    sensitivity: Pair | None
    one_ms: Pair
    batch_ms: Pair
    megabytes: Pair
    largest_difference: float
    same_label: float
    method: str = "dynamic"

    def objections(self, config: ExportConfig) -> tuple[str, ...]:
        """Why the second graph may not be served; empty = it may."""
        found = []
        for what, pair in (("one example", self.one_ms), (f"a batch of {BATCH}", self.batch_ms)):
            speedup = pair.full / pair.int8
            if speedup < config.quantize_speedup:
                found.append(f"{what} is {speedup:.2f} times as fast, {config.quantize_speedup:g} times is asked for")
        for what, shares in (("accuracy", self.accuracy), ("sensitivity", self.sensitivity)):
            if shares and shares.full - shares.int8 > config.quantize_accuracy_given_up + ROUNDING:
                found.append(
                    f"{what} falls by {shares.full - shares.int8:.2%}, "
                    f"at most {config.quantize_accuracy_given_up:.2%} may be given up"
                )
        if abs(self.accepted.full - self.accepted.int8) > config.quantize_accepted_change + ROUNDING:
            found.append(
                f"the share that the novelty gate lets pass changes from {self.accepted.full:.2%} to "
                f"{self.accepted.int8:.2%}, by at most {config.quantize_accepted_change:.2%} is allowed"
            )
        return tuple(found)

    def rows(self) -> list[tuple[str, str, str]]:
        """A table: what, of the full graph, of the other."""
        shares = {
            "accuracy": self.accuracy,
            "let pass by the novelty gate": self.accepted,
            "out of scope, stopped by it": self.refused_outside,
            "sensitivity of the alarm": self.sensitivity,
        }
        lost = self.given_up
        return [
            *((what, *_told(pair, ".2%")) for what, pair in shares.items() if pair),
            ("accuracy given up, and 95 % interval", "", f"{lost.value:.2%}, {lost.low:.2%} to {lost.high:.2%}"),
            ("one example, ms", *_told(self.one_ms, ".2f")),
            (f"a batch of {BATCH}, ms", *_told(self.batch_ms, ".2f")),
            ("file, MB", *_told(self.megabytes, ".1f")),
            ("same first label", "", f"{self.same_label:.2%}"),
            ("largest difference in probability", "", f"{self.largest_difference:.3f}"),
        ]

    def to_json(self, config: ExportConfig) -> dict[str, Any]:
        """For metrics.json: the figures, and whether the graph was kept."""
        figures = {name: value._asdict() if isinstance(value, Pair) else value for name, value in vars(self).items()}
        figures["given_up"] = self.given_up.to_json()
        objections = self.objections(config)
        return {"kept": not objections, "objections": list(objections), **figures}


def try_int8(
    full: Path,
    task: Task,
    arrays: Arrays,
    policy: DecisionPolicy,
    config: ExportConfig,
    calibration: Arrays | None = None,
) -> Trial:
    """Writes the int8 graph beside a graph, measures both, and keeps it only if nothing speaks against it.

    Args:
        full: The .onnx file.
        task: Whose graph it is; it must have classes.
        arrays: Encoded validation examples with their targets.
        policy: Of the bundle.
        config: What may be given up.
        calibration: Encoded training examples that tell the scales of activations; None = each call finds them anew.

    Raises:
        UserError: It has no classes, or no example has a label.
    """
    _labels(task, arrays)
    small = full.with_name(INT8_GRAPH)
    if calibration is None:
        quantize_weights(full, small)
    else:
        names = [spec.name for spec in task.inputs]
        parts = chunks(len(calibration[names[0]]), BATCH)
        quantize_graph(full, small, [task.trim({name: calibration[name][part] for name in names}) for part in parts])
    method = "dynamic" if calibration is None else "static"
    trial = replace(compare_graphs(full, small, task, arrays, policy), method=method)
    if trial.objections(config):
        small.unlink()
    return trial


def compare_graphs(full: Path, small: Path, task: Task, arrays: Arrays, policy: DecisionPolicy) -> Trial:
    """Runs both on all examples, and in turns for their speed.

    Raises:
        UserError: No example has a label.
    """
    names = [spec.name for spec in task.inputs]
    label_N = _labels(task, arrays)
    inside_N = label_N >= 0
    first, second = Session(full, names), Session(small, names)
    before, after = (session.run_all(arrays, task.trim, BATCH) for session in (first, second))
    top_N, other_N = before["probabilities"].argmax(axis=1), after["probabilities"].argmax(axis=1)
    hit_n, other_hit_n = ((found == label_N)[inside_N] for found in (top_N, other_N))
    familiar, still_familiar = (policy.is_familiar(found["novelty"], len(label_N)) for found in (before, after))
    one_ms, batch_ms = (_in_turns(first, second, task, arrays, rows) for rows in MAX_TURNS)
    return Trial(
        examples=len(label_N),
        accuracy=Pair(_share(hit_n), _share(other_hit_n)),
        given_up=bootstrap_mean(hit_n.astype(float) - other_hit_n, RESAMPLES, seed=0),
        accepted=Pair(_share(familiar[inside_N]), _share(still_familiar[inside_N])),
        refused_outside=None
        if inside_N.all()
        else Pair(_share(~familiar[~inside_N]), _share(~still_familiar[~inside_N])),
        sensitivity=_sensitivity(before, after, label_N, task, policy),
        one_ms=one_ms,
        batch_ms=batch_ms,
        megabytes=Pair(full.stat().st_size / 1e6, small.stat().st_size / 1e6),
        largest_difference=float(np.abs(before["probabilities"] - after["probabilities"]).max()),
        same_label=_share(top_N == other_N),
    )


def _labels(task: Task, arrays: Arrays) -> npt.NDArray[np.int64]:
    """Of the examples; below 0 = of none."""
    label_N = task.strata(arrays)
    if label_N is None:
        raise UserError(
            "This model ranks and has no classes, so that no int8 graph can be measured against it.",
            "--quantize is for models that name a class.",
            "Export it with --quantize none.",
        )
    if not (label_N >= 0).any():
        raise UserError(
            "No validation example has a label.", "Examples that accuracy can be measured on.", "Give other data."
        )
    return label_N


def _sensitivity(
    before: Arrays, after: Arrays, label_N: npt.NDArray[np.int64], task: Task, policy: DecisionPolicy
) -> Pair | None:
    point = policy.operating_point
    if point is None:
        return None
    positive_N = np.isin(label_N, [task.labels.index(label) for label in point.positive_labels])
    if not positive_N.any():
        return None
    scores = [policy.alarm_scores(found["probabilities"], task.labels) for found in (before, after)]
    return Pair(*(_share(score[positive_N] >= point.threshold) for score in scores if score is not None))


def _in_turns(full: Session, small: Session, task: Task, arrays: Arrays, rows: int) -> Pair:
    """Median milliseconds of calls with so many examples, each turn with others, each graph first in half of them."""
    names = [spec.name for spec in task.inputs]
    total = len(arrays[names[0]])
    times: tuple[list[float], list[float]] = ([], [])
    started = time.perf_counter()
    for turn in range(MAX_TURNS[rows]):
        if turn >= MIN_TURNS and time.perf_counter() - started > SECONDS:
            break
        chosen = np.arange(turn * rows, (turn + 1) * rows) % total
        batch = task.trim({name: arrays[name][chosen] for name in names})
        for which in (0, 1) if turn % 2 else (1, 0):
            times[which].extend(_milliseconds(full if which == 0 else small, batch))
    return Pair(*map(statistics.median, times))


def _milliseconds(session: Session, batch: Arrays) -> list[float]:
    found = []
    for _ in range(CALLS + 1):
        started = time.perf_counter()
        session.run(batch)
        found.append((time.perf_counter() - started) * 1000)
    return found[1:]


def _told(pair: Pair, form: str) -> tuple[str, str]:
    return format(pair.full, form), format(pair.int8, form)


def _share(hit_N: npt.NDArray[np.bool_]) -> float:
    return float(hit_N.mean())
