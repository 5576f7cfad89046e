"""Figures of single-label classification with intervals: over all labels, for each label, the confusion matrix.

Conventions: the predicted label is the most probable one, the first of ties; a label that the split does not hold is
left out of every macro mean; a figure that is not defined (precision of a label never predicted) is absent from the
result, so that no NaN reaches a JSON file. Resamples that miss a label leave it out in the same way.
scikit-learn is a reference in tests and not used here: see `discrimination`.

Legend: N examples, K labels, R resamples, B bins.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.evaluation.calibration import NUM_BINS, bin_indices, brier_losses
from core.evaluation.discrimination import Discrimination
from core.evaluation.uncertainty import Estimate, bootstrap, divide, weighted_mean

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
Estimates = dict[str, Estimate]

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Floor under a probability whose logarithm is taken, as in scikit-learn."""


class LabelStatistics:
    """What is the same in every resample, prepared once; see `classification_metrics` for the formulas.

    Args:
        probabilities_NK: Rows add up to one.
        targets_N: Positions of the right labels, 0 to K - 1.
    """

    def __init__(self, probabilities_NK: FloatArray, targets_N: IntArray) -> None:
        probabilities_NK, targets_N = np.asarray(probabilities_NK, np.float64), np.asarray(targets_N, np.int64)
        num_examples, num_labels = probabilities_NK.shape
        assert num_examples > 0, "at least one example"
        assert targets_N.shape == (num_examples,), "one target an example"
        assert np.isin(targets_N, np.arange(num_labels)).all(), "targets are positions of labels"
        predicted_N, confidence_N = probabilities_NK.argmax(axis=1), probabilities_NK.max(axis=1)
        right_N = probabilities_NK[np.arange(num_examples), targets_N]
        self.correct_N = (predicted_N == targets_N).astype(np.float64)
        self.brier_N = brier_losses(probabilities_NK, targets_N)
        self.log_loss_N = -np.log(np.clip(right_N, SMALLEST_PROBABILITY, 1))
        self.target_KN = _one_hot(targets_N, num_labels)
        self.predicted_KN = _one_hot(predicted_N, num_labels)
        self.gap_BN = _one_hot(bin_indices(confidence_N), NUM_BINS) * (self.correct_N - confidence_N)
        self.discriminations = [Discrimination(probabilities_NK[:, k], targets_N == k) for k in range(num_labels)]

    def per_label(self, counts_NR: FloatArray) -> dict[str, FloatArray]:
        """Each figure of each label, (K, R)."""
        support_KR, predicted_KR = self.target_KN @ counts_NR, self.predicted_KN @ counts_NR
        true_KR = (self.target_KN * self.predicted_KN) @ counts_NR
        negative_KR = counts_NR.sum(axis=0) - support_KR
        areas = [discrimination.measure(counts_NR) for discrimination in self.discriminations]
        seen_KR = np.where(support_KR > 0, support_KR + predicted_KR, 0)
        return {
            "sensitivity": divide(true_KR, support_KR),
            "specificity": divide(negative_KR - predicted_KR + true_KR, negative_KR),
            "precision": divide(true_KR, predicted_KR),
            "f1": divide(2 * true_KR, seen_KR),
            "auroc": np.stack([area for area, _ in areas]),
            "average_precision": np.stack([precision for _, precision in areas]),
        }

    def overall(self, counts_NR: FloatArray, per_label: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Each figure over all labels, (R,)."""
        total_R = counts_NR.sum(axis=0)
        return {
            "accuracy": weighted_mean(self.correct_N, counts_NR),
            "balanced_accuracy": _macro(per_label["sensitivity"]),
            "macro_f1": _macro(per_label["f1"]),
            "auroc": _macro(per_label["auroc"]),
            "average_precision": _macro(per_label["average_precision"]),
            "ece": divide(np.abs(self.gap_BN @ counts_NR).sum(axis=0), total_R),
            "brier": weighted_mean(self.brier_N, counts_NR),
            "log_loss": weighted_mean(self.log_loss_N, counts_NR),
        }


def classification_metrics(
    probabilities_NK: FloatArray,
    targets_N: IntArray,
    labels: Sequence[str],
    *,
    resamples: int,
    seed: int,
    groups: Sequence[object] | None = None,
) -> Estimates:
    """Figures over all labels, each with its 95 % bootstrap interval.

    - accuracy: share of right labels.
    - balanced_accuracy: mean over labels of sensitivity.
    - macro_f1: mean over labels of 2 TP / (2 TP + FP + FN).
    - auroc, average_precision: mean over labels of one label against the rest (see `discrimination`).
    - ece: sum over 15 equal-width bins (low, high] of the top probability of
      (share of examples there) x |accuracy - mean top probability| (Guo et al. 2017, equation 3).
    - brier: mean of sum_k (p_k - [k is right])^2, in [0, 2] (Brier 1950).
    - log_loss: mean of -ln p(right label), p at least 2.2e-16.

    Args:
        probabilities_NK: Rows add up to one.
        targets_N: Positions in `labels`.
        labels: The K labels.
        resamples: Bootstrap resamples; 0 = no intervals.
        seed: Of the resamples.
        groups: Examples of one group (lesion, patient) are drawn together.
    """
    return classification_estimates(probabilities_NK, targets_N, labels, resamples=resamples, seed=seed, groups=groups)[
        0
    ]


def per_label_metrics(
    probabilities_NK: FloatArray,
    targets_N: IntArray,
    labels: Sequence[str],
    *,
    resamples: int,
    seed: int,
    groups: Sequence[object] | None = None,
) -> dict[str, Estimates]:
    """Figures of each label against the rest; arguments as in `classification_metrics`.

    - sensitivity TP / (TP + FN), specificity TN / (TN + FP), precision TP / (TP + FP), f1 2 TP / (2 TP + FP + FN).
    - auroc, average_precision: see `discrimination`.
    - support: examples of the label, without an interval.
    """
    return classification_estimates(probabilities_NK, targets_N, labels, resamples=resamples, seed=seed, groups=groups)[
        1
    ]


def classification_estimates(
    probabilities_NK: FloatArray,
    targets_N: IntArray,
    labels: Sequence[str],
    *,
    resamples: int,
    seed: int,
    groups: Sequence[object] | None = None,
) -> tuple[Estimates, dict[str, Estimates]]:
    """`classification_metrics` and `per_label_metrics` from the same resamples, in one pass."""
    statistics = LabelStatistics(probabilities_NK, targets_N)

    def everything(counts_NR: FloatArray) -> dict[tuple[int, str], FloatArray]:
        per_label = statistics.per_label(counts_NR)
        overall = {(-1, name): values_R for name, values_R in statistics.overall(counts_NR, per_label).items()}
        return overall | {(k, name): values_KR[k] for name, values_KR in per_label.items() for k in range(len(labels))}

    found = bootstrap(everything, len(targets_N), resamples, seed, groups)
    support_K = np.bincount(targets_N, minlength=len(labels))
    by_position = [
        {name: value for (k, name), value in found.items() if k == position} for position in range(len(labels))
    ]
    per_label = {label: by_position[k] | {"support": Estimate.exact(support_K[k])} for k, label in enumerate(labels)}
    return {name: value for (k, name), value in found.items() if k < 0}, per_label


def confusion_matrix(predicted_N: IntArray, targets_N: IntArray, num_labels: int) -> npt.NDArray[np.int64]:
    """How often each right label (row) was predicted as each label (column), (K, K)."""
    cells = np.asarray(targets_N, np.int64) * num_labels + predicted_N
    return np.bincount(cells, minlength=num_labels**2).reshape(num_labels, num_labels)


def _one_hot(positions_N: IntArray, size: int) -> npt.NDArray[np.float32]:
    return np.asarray(np.arange(size)[:, None] == positions_N, np.float32)


def _macro(values_KR: FloatArray) -> FloatArray:
    """Mean over the labels for which the figure is defined."""
    defined_KR = np.isfinite(values_KR)
    return divide(np.where(defined_KR, values_KR, 0).sum(axis=0), defined_KR.sum(axis=0))
