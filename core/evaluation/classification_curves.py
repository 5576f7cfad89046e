"""The data behind a classifier's plots, thinned so that it fits in a JSON file.

Legend: N examples, K labels, B bins.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluation.calibration import expected_calibration_error, reliability_bins, softmax
from core.evaluation.classification import Estimates, confusion_matrix
from core.evaluation.decision import risk_coverage
from core.evaluation.discrimination import Line, precision_recall_curve, roc_curve

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]
Curve = dict[str, Any]

MAX_POINTS = 200
DECIMALS = 5
MAX_LINES = 10
"""More lines than this cannot be told apart; the labels with most examples are drawn."""
CONFIDENCE_BINS = 20
SMALLEST_PROBABILITY = 1e-30


def classification_curves(
    probabilities_NK: FloatArray,
    targets_N: IntArray,
    labels: Sequence[str],
    per_label: Mapping[str, Estimates],
    temperature: float | None = None,
) -> dict[str, Curve]:
    """Plot name to named arrays.

    - confusion: labels, counts (K, K), rows are the right labels.
    - reliability: edges, counts, confidence, accuracy, ece; with a temperature also before_confidence,
      before_accuracy and before_ece, of the probabilities that temperature 1 would have given.
    - roc, precision_recall: labels, areas, x and y (one list of points a label).
    - confidence: edges, right, wrong (counts of the top label's probability).
    - risk_coverage: refused, accuracy, aurc.

    Args:
        probabilities_NK: Calibrated.
        targets_N: Positions in `labels`.
        labels: The K labels.
        per_label: Where the areas in the legends come from.
        temperature: What the probabilities were calibrated with.
    """
    predicted_N, confidence_N = probabilities_NK.argmax(axis=1), probabilities_NK.max(axis=1)
    correct_N = predicted_N == targets_N
    risk = risk_coverage(confidence_N, correct_N)
    kept = _spread(len(targets_N))
    return {
        "confusion": {"labels": list(labels), "counts": confusion_matrix(predicted_N, targets_N, len(labels))},
        "reliability": _reliability(probabilities_NK, targets_N, temperature),
        "roc": _lines(probabilities_NK, targets_N, labels, per_label, "auroc"),
        "precision_recall": _lines(probabilities_NK, targets_N, labels, per_label, "average_precision"),
        "confidence": confidence_histogram(confidence_N, correct_N),
        "risk_coverage": {
            "refused": risk.refused[kept].round(DECIMALS),
            "accuracy": risk.accuracy[kept].round(DECIMALS),
            "aurc": risk.aurc,
        },
    }


def confidence_histogram(confidence_N: FloatArray, correct_N: BoolArray) -> Curve:
    """How many right and wrong answers there are at each confidence."""
    edges = np.linspace(0, 1, CONFIDENCE_BINS + 1)
    right, wrong = (np.histogram(confidence_N[chosen_N], edges)[0] for chosen_N in (correct_N, ~correct_N))
    return {"edges": edges, "right": right, "wrong": wrong}


def _reliability(probabilities_NK: FloatArray, targets_N: IntArray, temperature: float | None) -> Curve:
    after = reliability_bins(probabilities_NK, targets_N)
    curve = after._asdict() | {"ece": expected_calibration_error(probabilities_NK, targets_N)}
    if temperature is None:
        return curve
    logits_NK = np.log(np.maximum(probabilities_NK, SMALLEST_PROBABILITY))
    before_NK = softmax(logits_NK, 1 / temperature)
    before = reliability_bins(before_NK, targets_N)
    return curve | {
        "before_confidence": before.confidence,
        "before_accuracy": before.accuracy,
        "before_ece": expected_calibration_error(before_NK, targets_N),
    }


def _lines(
    probabilities_NK: FloatArray,
    targets_N: IntArray,
    labels: Sequence[str],
    per_label: Mapping[str, Estimates],
    area: str,
) -> Curve:
    support_K = np.bincount(targets_N, minlength=len(labels))
    commonest: list[int] = np.argsort(-support_K, kind="stable").tolist()
    drawn = sorted([k for k in commonest if area in per_label[labels[k]]][:MAX_LINES])
    trace = roc_curve if area == "auroc" else precision_recall_curve
    lines = [_thin(trace(probabilities_NK[:, k], targets_N == k)) for k in drawn]
    return {
        "labels": [labels[k] for k in drawn],
        "areas": [per_label[labels[k]][area].value for k in drawn],
        "x": [line.x.round(DECIMALS) for line in lines],
        "y": [line.y.round(DECIMALS) for line in lines],
    }


def _thin(line: Line) -> Line:
    """Points spread evenly along the curve, ends included."""
    length = np.cumsum(np.append(0, np.hypot(np.diff(line.x), np.diff(line.y))))
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], MAX_POINTS)))
    return Line(line.x[kept], line.y[kept], line.thresholds[kept])


def _spread(size: int) -> IntArray:
    return np.unique(np.linspace(0, size - 1, min(size, MAX_POINTS)).astype(np.int64))
