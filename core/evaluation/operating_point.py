"""The alarm: the threshold at which the labels that must not be missed are reported, and what it costs.

Legend: N examples, K labels.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.config import Record
from core.errors import UserError
from core.evaluation.uncertainty import Estimate, proportion

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]


class MeasuredShare(Record):
    """A share with its 95 % interval, as decision.json holds it."""

    value: float
    """Measured share."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""

    @classmethod
    def of(cls, estimate: Estimate) -> "MeasuredShare":
        """The same as a record."""
        return cls(**estimate._asdict())

    @property
    def estimate(self) -> Estimate:
        """The same as an `Estimate`."""
        return Estimate(self.value, self.low, self.high)


class OperatingPoint(Record):
    """A threshold on the summed probability of the positive labels; at or above it the alarm is raised."""

    positive_labels: tuple[str, ...]
    """Labels that must not be missed."""
    threshold: float
    """Smallest summed probability that raises the alarm."""
    required_sensitivity: float
    """Sensitivity asked for on validation data."""
    sensitivity: MeasuredShare
    """Share of positives that raise the alarm, measured on the validation data that chose the threshold."""
    specificity: MeasuredShare
    """Share of negatives that do not raise the alarm, measured there too."""


def alarm_scores(probabilities_NK: FloatArray, labels: Sequence[str], positive_labels: Sequence[str]) -> FloatArray:
    """Summed probability of the positive labels, (N,).

    Raises:
        UserError: A positive label is not among the labels.
    """
    positive_NP = np.asarray(probabilities_NK, np.float64)[:, _positions(labels, positive_labels)]
    return np.asarray(positive_NP.sum(axis=1))


def is_positive(targets_N: IntArray, labels: Sequence[str], positive_labels: Sequence[str]) -> BoolArray:
    """Which examples carry one of the positive labels, (N,)."""
    return np.isin(targets_N, _positions(labels, positive_labels))


def fit_operating_point(
    probabilities_NK: FloatArray,
    targets_N: IntArray,
    labels: Sequence[str],
    positive_labels: Sequence[str],
    required_sensitivity: float,
) -> OperatingPoint | None:
    """The highest threshold that reaches the required sensitivity; None without positives or without negatives.

    It lies half-way to the next lower score, so that rounding in an exported model moves no example across it.
    """
    positive_N = is_positive(targets_N, labels, positive_labels)
    if positive_N.all() or not positive_N.any():
        return None
    score_N = alarm_scores(probabilities_NK, labels, positive_labels)
    needed = max(1, math.ceil(required_sensitivity * positive_N.sum() - 1e-9))
    last = np.sort(score_N[positive_N])[-needed]
    below = score_N[score_N < last]
    threshold = float((last + below.max()) / 2) if below.size else 0.0
    sensitivity, specificity = measure_alarm(score_N, positive_N, threshold)
    return OperatingPoint(
        positive_labels=tuple(positive_labels),
        threshold=threshold,
        required_sensitivity=required_sensitivity,
        sensitivity=MeasuredShare.of(sensitivity),
        specificity=MeasuredShare.of(specificity),
    )


def measure_alarm(
    score_N: FloatArray, positive_N: BoolArray, threshold: float, groups: Sequence[object] | None = None
) -> tuple[Estimate, Estimate]:
    """Sensitivity and specificity of a threshold with Wilson intervals; nan without positives or negatives."""
    raised_N = score_N >= threshold

    def share(hit_N: BoolArray, among_N: BoolArray) -> Estimate:
        members = None if groups is None else [groups[index] for index in np.flatnonzero(among_N).tolist()]
        return proportion(hit_N[among_N], members)

    return share(raised_N, positive_N), share(~raised_N, ~positive_N)


def _positions(labels: Sequence[str], positive_labels: Sequence[str]) -> list[int]:
    unknown = [label for label in positive_labels if label not in labels]
    if unknown:
        raise UserError(
            f"Positive labels {', '.join(unknown)} are not in the data.",
            f"Its labels are: {', '.join(labels)}.",
            "Correct decision.positive_labels, or set it to `auto`.",
        )
    return [labels.index(label) for label in positive_labels]
