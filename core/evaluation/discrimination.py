"""How well scores part positives from negatives: AUROC and average precision of many resamples at once, curves.

Conventions: a higher score is more positive; equal scores form one threshold (a tie counts half in AUROC); without a
positive or without a negative AUROC is nan, without a positive average precision is nan.
scikit-learn is a reference in tests and not used here: it weighs one resample at a time, sorting anew for each
(a minute where this takes a second), and importing it would slow serving's start by most of a second.

Legend: N examples, R resamples, P positives, T distinct scores that a positive has, V points of a curve.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.evaluation.uncertainty import divide

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]


class Line(NamedTuple):
    """Points of a curve, (V,) each; `thresholds` are the scores at or above which an example counts as positive."""

    x: FloatArray
    y: FloatArray
    thresholds: FloatArray


class Discrimination:
    """Scores sorted once, then weighed by any number of resamples.

    Args:
        scores_N: Higher is more positive.
        positive_N: Which examples are positive.
    """

    def __init__(self, scores_N: FloatArray, positive_N: BoolArray) -> None:
        self.order_N = np.argsort(-np.asarray(scores_N, np.float64), kind="stable")
        sorted_N, hit_N = np.asarray(scores_N)[self.order_N], np.asarray(positive_N)[self.order_N]
        is_start_N = np.append(True, sorted_N[1:] != sorted_N[:-1])[: len(sorted_N)]
        tie_N = np.cumsum(is_start_N) - 1
        starts = np.flatnonzero(is_start_N)
        ends = np.append(starts[1:], len(sorted_N))
        self.positives_P = self.order_N[hit_N]
        ties_T, self.first_T = np.unique(tie_N[hit_N], return_index=True)
        self.start_T, self.end_T = starts[ties_T], ends[ties_T]

    def measure(self, counts_NR: FloatArray) -> tuple[FloatArray, FloatArray]:
        """AUROC and average precision of each resample, (R,) each.

        AUROC = P(score of a positive > of a negative) + P(equal) / 2 (Hanley and McNeil 1982).
        Average precision = sum over thresholds of (recall gained there) x (precision there), not interpolated.
        """
        num_resamples = counts_NR.shape[1]
        if self.positives_P.size == 0:
            return np.full(num_resamples, np.nan), np.full(num_resamples, np.nan)
        drawn_NR = np.cumsum(counts_NR[self.order_N], axis=0)
        until_TR = drawn_NR[self.end_T - 1].astype(np.float64)
        before_TR = np.where(self.start_T[:, None] > 0, drawn_NR[self.start_T - 1], 0).astype(np.float64)
        positive_TR = np.add.reduceat(counts_NR[self.positives_P], self.first_T, axis=0, dtype=np.float64)
        true_TR = np.cumsum(positive_TR, axis=0)
        tied_TR = until_TR - before_TR - positive_TR
        positives_R, all_R = true_TR[-1], drawn_NR[-1].astype(np.float64)
        negatives_R = all_R - positives_R
        beaten_TR = negatives_R - (until_TR - true_TR) + tied_TR / 2
        auroc_R = divide(np.sum(positive_TR * beaten_TR, axis=0), positives_R * negatives_R)
        precision_TR = true_TR / np.maximum(until_TR, 1)
        return auroc_R, divide(np.sum(positive_TR * precision_TR, axis=0), positives_R)


def auroc(scores_N: FloatArray, positive_N: BoolArray) -> float:
    """Area under the ROC curve; nan without a positive or without a negative."""
    return float(Discrimination(scores_N, positive_N).measure(np.ones((len(scores_N), 1)))[0][0])


def average_precision(scores_N: FloatArray, positive_N: BoolArray) -> float:
    """Average precision; nan without a positive."""
    return float(Discrimination(scores_N, positive_N).measure(np.ones((len(scores_N), 1)))[1][0])


def roc_curve(scores_N: FloatArray, positive_N: BoolArray) -> Line:
    """False-positive rate (x) against sensitivity (y), from (0, 0) to (1, 1); needs both kinds of examples."""
    thresholds, true_V, false_V = _counts_at_thresholds(scores_N, positive_N)
    return Line(
        np.append(0.0, divide(false_V, false_V[-1])),
        np.append(0.0, divide(true_V, true_V[-1])),
        np.append(np.inf, thresholds),
    )


def precision_recall_curve(scores_N: FloatArray, positive_N: BoolArray) -> Line:
    """Recall (x, rising) against precision (y); starts at recall 0 with the precision of the highest score."""
    thresholds, true_V, false_V = _counts_at_thresholds(scores_N, positive_N)
    precision_V, recall_V = divide(true_V, true_V + false_V), divide(true_V, true_V[-1])
    return Line(np.append(0.0, recall_V), np.append(precision_V[0], precision_V), np.append(np.inf, thresholds))


def _counts_at_thresholds(scores_N: FloatArray, positive_N: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct scores, falling, with the true and the false positives at or above each."""
    order_N = np.argsort(-np.asarray(scores_N, np.float64), kind="stable")
    sorted_N, hit_N = np.asarray(scores_N)[order_N], np.asarray(positive_N, np.float64)[order_N]
    last_V = np.flatnonzero(np.append(sorted_N[1:] != sorted_N[:-1], True))
    true_N = np.cumsum(hit_N)
    return sorted_N[last_V], true_N[last_V], last_V + 1 - true_N[last_V]
