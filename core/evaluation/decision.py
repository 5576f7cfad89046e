"""When to answer, when to be unsure, when to refuse: one policy for every app, fitted on validation data.

Legend: N examples, K labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from core.config import DecisionConfig, Record
from core.evaluation import conformal
from core.evaluation.calibration import expected_calibration_error, fit_temperature, softmax
from core.evaluation.operating_point import OperatingPoint, alarm_scores, fit_operating_point
from core.texts import Text

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]
Decision = Literal["answered", "unsure", "refused"]

NUM_FOLDS = 5
NO_CLASSES = "none"
"""Name of the novelty score of a model without classes."""
LISTED_LABELS = 6
MORE_LIKELY_THAN_NOT = 0.5
"""The least probability of a label that is answered with. A set always holds the most probable label, however
improbable; where the others alone would leave none, and where the model is so often right that the quantile is 0 and
every set has one label, only this tells that nothing is likely."""


@dataclass(frozen=True)
class Verdict:
    """May one rely on this prediction?

    Args:
        decision: Answered: one label is left, and it is more likely than not. Unsure: several are left, or none is
            likely. Refused: the model should not judge this input.
        reasons: Why, for unsure and refused.
        prediction_set: Labels that hold the right one at the stated coverage, most probable first; never empty.
    """

    decision: Decision
    reasons: tuple[Text, ...]
    prediction_set: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, with reasons in both languages."""
        reasons = [{"en": reason.en, "zh": reason.zh} for reason in self.reasons]
        return {"decision": self.decision, "reasons": reasons, "prediction_set": list(self.prediction_set)}


class DecisionPolicy(Record):
    """What validation data taught about when to answer; decision.json in a bundle.

    Probabilities that it judges are calibrated already: the served graph divides logits by `temperature`.
    """

    temperature: float
    """Divides logits before softmax."""
    ece_before: float | None
    """Expected calibration error on validation data at temperature 1."""
    ece_after: float | None
    """The same after calibration, cross-fitted: each fold is measured with the temperature of the other folds."""
    novelty_score: str = "distance"
    """Which score novelty is: distance of features, or entropy, largest_logit or direction where answers tell."""
    novelty_threshold: float | None
    """Largest novelty that is still judged; none = no gate."""
    accepted_share: float
    """Share of validation examples which that threshold lets pass."""
    coverage: float
    """Share of cases in which the prediction set must hold the right label."""
    conformal_quantile: float
    """A label belongs to the prediction set if 1 - probability is at most this, or if it is the most probable."""
    num_examples: int
    """Validation examples that it was fitted on."""
    operating_point: OperatingPoint | None = None
    """The alarm for labels that must not be missed; none = no such labels."""

    @property
    def has_classes(self) -> bool:
        """Whether it was fitted on classes at all; a model that ranks has none."""
        return self.novelty_score != NO_CLASSES

    def calibrate(self, logits_NK: FloatArray) -> FloatArray:
        """Calibrated probabilities (N, K) of logits, for where no served graph does it."""
        return softmax(logits_NK, self.temperature)

    def prediction_sets(self, probabilities_NK: FloatArray) -> BoolArray:
        """Which labels belong to each example's set, (N, K)."""
        return conformal.prediction_sets(probabilities_NK, self.conformal_quantile)

    def is_familiar(self, novelty_N: FloatArray | None, num_examples: int) -> BoolArray:
        """Which examples pass the novelty gate, (N,); nan does not."""
        if novelty_N is None or self.novelty_threshold is None:
            return np.ones(num_examples, np.bool_)
        return np.asarray(np.asarray(novelty_N, np.float64) <= self.novelty_threshold)

    def alarm_scores(self, probabilities_NK: FloatArray, labels: Sequence[str]) -> FloatArray | None:
        """Summed probability of the positive labels, (N,); None without an operating point."""
        point = self.operating_point
        return alarm_scores(probabilities_NK, labels, point.positive_labels) if point else None

    def judge(
        self,
        probabilities_NK: FloatArray,
        novelty_N: FloatArray | None,
        labels: Sequence[str],
        refusals: Sequence[Sequence[Text]] | None = None,
    ) -> list[Verdict]:
        """A verdict for each example.

        Args:
            probabilities_NK: Calibrated.
            novelty_N: How unlike the training data each example is; higher is stranger.
            labels: The K labels.
            refusals: The task's own reasons not to judge each example (blurred, too dark); empty = none.
        """
        familiar_N = self.is_familiar(novelty_N, len(probabilities_NK))
        members_NK = self.prediction_sets(probabilities_NK)
        order_NK = np.argsort(-np.asarray(probabilities_NK), axis=1, kind="stable")
        verdicts = []
        for index, (members_K, order_K) in enumerate(zip(members_NK, order_NK, strict=True)):
            chosen = tuple(labels[k] for k in order_K if members_K[k])
            highest = float(probabilities_NK[index][order_K[0]])
            if is_unlikely := len(chosen) == 1 and highest < MORE_LIKELY_THAN_NOT:
                chosen = tuple(labels[k] for k in order_K[:2])
            reasons = tuple(refusals[index]) if refusals else ()
            if not familiar_N[index]:
                assert novelty_N is not None
                assert self.novelty_threshold is not None
                reasons = (*reasons, _unfamiliar(float(novelty_N[index]), self.novelty_threshold))
            doubt = _unlikely(chosen, highest) if is_unlikely else _ambiguous(chosen, self.coverage)
            verdicts.append(_verdict(chosen, reasons, doubt))
        return verdicts


def fit_policy(
    logits_NK: FloatArray,
    targets_N: IntArray,
    novelty_N: FloatArray | None,
    labels: Sequence[str],
    config: DecisionConfig,
    positive_labels: tuple[str, ...] = (),
) -> DecisionPolicy:
    """Everything that the policy needs, from validation data that the weights were not trained on.

    The same examples serve temperature, gate, sets and threshold. One fitted number among many examples hardly
    breaks the exchangeability that coverage rests on; the test split shows what is left of every promise.

    Args:
        logits_NK: Not yet divided by a temperature.
        targets_N: Positions in `labels`.
        novelty_N: How unlike the training data each example is; None = no gate.
        labels: The K labels.
        config: Coverage, share to accept, sensitivity.
        positive_labels: Labels that must not be missed; none = no operating point.
    """
    temperature = fit_temperature(logits_NK, targets_N)
    probabilities_NK = softmax(logits_NK, temperature)
    right_N = probabilities_NK.argmax(axis=1) == targets_N
    point = fit_operating_point(probabilities_NK, targets_N, labels, positive_labels, config.sensitivity)
    threshold = _novelty_threshold(novelty_N, right_N, config)
    return DecisionPolicy(
        temperature=temperature,
        ece_before=_defined(expected_calibration_error(softmax(logits_NK), targets_N)),
        ece_after=_defined(cross_fitted_ece(logits_NK, targets_N)),
        novelty_threshold=threshold,
        accepted_share=1.0 if threshold is None else float(np.mean(np.asarray(novelty_N, np.float64) <= threshold)),
        coverage=config.coverage,
        conformal_quantile=conformal.fit_quantile(probabilities_NK, targets_N, config.coverage),
        num_examples=len(targets_N),
        operating_point=point,
    )


def without_classes(config: DecisionConfig) -> DecisionPolicy:
    """For a model that ranks: there is no class to be sure of, and every answer is given."""
    return DecisionPolicy(
        temperature=1.0,
        ece_before=None,
        ece_after=None,
        novelty_score=NO_CLASSES,
        novelty_threshold=None,
        accepted_share=1.0,
        coverage=config.coverage,
        conformal_quantile=1.0,
        num_examples=0,
    )


def cross_fitted_ece(logits_NK: FloatArray, targets_N: IntArray, num_folds: int = NUM_FOLDS) -> float:
    """Calibration error after calibration, each fold measured with the temperature of the others.

    Measured on the examples that chose the temperature it would flatter itself.
    """
    fold_N = np.random.default_rng(0).permutation(len(targets_N)) % num_folds
    probabilities_NK = np.empty(logits_NK.shape, np.float64)
    for fold in range(num_folds):
        held_N = fold_N == fold
        probabilities_NK[held_N] = softmax(logits_NK[held_N], fit_temperature(logits_NK[~held_N], targets_N[~held_N]))
    return expected_calibration_error(probabilities_NK, targets_N)


class RiskCoverage(NamedTuple):
    """Accuracy of what is answered when the least confident are refused.

    Args:
        refused: Share refused, rising from 0, (N,).
        accuracy: Accuracy of the rest, (N,).
        aurc: Mean error over all shares: the area under the risk-coverage curve; lower is better.
    """

    refused: FloatArray
    accuracy: FloatArray
    aurc: float


def risk_coverage(confidence_N: FloatArray, correct_N: BoolArray) -> RiskCoverage:
    """What refusing the least confident answers would buy.

    Examples of equal confidence cannot be told apart: they are refused in an order that spreads their mistakes
    evenly, which is the mean over all orders.

    Source: Geifman and El-Yaniv, Selective Classification for Deep Neural Networks, NeurIPS 2017.
    """
    total = len(correct_N)
    if total == 0:
        return RiskCoverage(np.empty(0), np.empty(0), float("nan"))
    _, tie_N, size_T = np.unique(-np.asarray(confidence_N, np.float64), return_inverse=True, return_counts=True)
    share_T = np.bincount(tie_N, correct_N, len(size_T)) / size_T
    accuracy_N = np.cumsum(np.repeat(share_T, size_T)) / np.arange(1, total + 1)
    return RiskCoverage(np.arange(total) / total, accuracy_N[::-1], float(np.mean(1 - accuracy_N)))


def _novelty_threshold(novelty_N: FloatArray | None, right_N: BoolArray, config: DecisionConfig) -> float | None:
    """The least novelty that still lets enough pass: of all examples, or of those that are answered rightly."""
    if novelty_N is None or len(novelty_N) == 0:
        return None
    novelty_N, share = np.asarray(novelty_N, np.float64), config.accepted_share
    if config.accuracy_given_up is not None and right_N.any():
        share = max(0.0, 1 - config.accuracy_given_up * len(right_N) / int(right_N.sum()))
        novelty_N = novelty_N[right_N]
    return float(np.quantile(novelty_N, share, method="higher"))


def _verdict(chosen: tuple[str, ...], refusals: tuple[Text, ...], doubt: Text) -> Verdict:
    if refusals:
        return Verdict("refused", refusals, chosen)
    return Verdict("unsure", (doubt,), chosen) if len(chosen) > 1 else Verdict("answered", (), chosen)


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _unfamiliar(novelty: float, threshold: float) -> Text:
    return Text(
        f"This input is unlike the data the model was trained on (novelty {novelty:.3g}, limit {threshold:.3g}).",
        f"该输入与模型的训练数据差异过大（新颖度 {novelty:.3g}，上限 {threshold:.3g}），不宜作出判断。",
    )


def _unlikely(chosen: tuple[str, ...], highest: float) -> Text:
    return Text(
        f"No label is likely enough: the first, {chosen[0]}, has a probability of {highest:.0%}.",
        f"没有一个标签足够可能：最可能的“{chosen[0]}”概率仅为 {highest:.0%}。",
    )


def _ambiguous(chosen: tuple[str, ...], coverage: float) -> Text:
    shown, more = chosen[:LISTED_LABELS], len(chosen) - LISTED_LABELS
    return Text(
        f"{len(chosen)} labels remain possible at {coverage:.0%} coverage: "
        f"{', '.join(shown)}{f' and {more} more' if more > 0 else ''}.",
        f"要达到 {coverage:.0%} 的覆盖率，仍有 {len(chosen)} 个标签无法排除："
        f"{'、'.join(shown)}{f' 等另外 {more} 个' if more > 0 else ''}。",
    )
