"""Everything there is to say about a classifier on one split: figures, tables, and the data of its plots.

Legend: N examples, K labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.evaluation.classification import Estimates, classification_estimates, classification_metrics
from core.evaluation.classification_curves import classification_curves
from core.evaluation.decision import DecisionPolicy, Verdict, risk_coverage
from core.evaluation.evaluation import Cell, Evaluation, Table
from core.evaluation.operating_point import OperatingPoint, is_positive, measure_alarm
from core.evaluation.uncertainty import Estimate, bootstrap_mean, proportion
from core.texts import Text

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]

PER_LABEL = ("sensitivity", "specificity", "precision", "f1", "auroc", "average_precision")
PER_SUBGROUP = ("accuracy", "balanced_accuracy", "auroc")
REFUSED_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
LISTED_CONFUSIONS = 10
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answers:
    """One split's answers, and how their uncertainty is to be measured.

    Args:
        probabilities_NK: Calibrated; rows add up to one.
        targets_N: Positions in `labels`.
        labels: The K labels.
        policy: What judged them; None while training.
        verdicts: One an example; empty without a policy.
        groups: Examples of one group are drawn together; None = each for itself.
        resamples: Bootstrap resamples; 0 = no intervals.
        seed: Of the resamples.
    """

    probabilities_NK: FloatArray
    targets_N: IntArray
    labels: Sequence[str]
    policy: DecisionPolicy | None
    verdicts: Sequence[Verdict]
    groups: Sequence[object] | None
    resamples: int
    seed: int

    @property
    def correct_N(self) -> BoolArray:
        """Whether the most probable label is right, (N,)."""
        return np.asarray(self.probabilities_NK.argmax(axis=1) == self.targets_N)

    def part(self, chosen_N: BoolArray) -> "Answers":
        """The chosen examples only."""
        positions: list[int] = np.flatnonzero(chosen_N).tolist()
        return Answers(
            self.probabilities_NK[chosen_N],
            self.targets_N[chosen_N],
            self.labels,
            self.policy,
            [self.verdicts[index] for index in positions] if self.verdicts else (),
            None if self.groups is None else [self.groups[index] for index in positions],
            self.resamples,
            self.seed,
        )

    def mean(self, values_N: npt.ArrayLike) -> Estimate:
        """The mean of one value an example, with its bootstrap interval."""
        return bootstrap_mean(values_N, self.resamples, self.seed, self.groups)

    def share(self, hits_N: BoolArray) -> Estimate:
        """A share with its Wilson interval, or without one where none are asked for."""
        measured = proportion(hits_N, self.groups)
        return measured if self.resamples else Estimate.exact(measured.value)


def evaluate_classification(
    probabilities_NK: FloatArray,
    targets_N: IntArray,
    labels: Sequence[str],
    *,
    policy: DecisionPolicy | None = None,
    novelty: FloatArray | None = None,
    groups: Sequence[object] | None = None,
    subgroups: Mapping[str, Sequence[str | None]] | None = None,
    refusals: Sequence[Sequence[Text]] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Measures a classifier on one split, with what the policy refuses and promises where there is one.

    Args:
        probabilities_NK: Calibrated; rows add up to one.
        targets_N: Positions in `labels`.
        labels: The K labels.
        policy: Adds set_coverage, set_size, share_answered, share_unsure, share_refused, accuracy_answered, and
            alarm_sensitivity, alarm_specificity where it has an operating point.
        novelty: One score an example, for the policy's gate.
        groups: One lesion, patient or conversation an example; its examples are drawn together.
        subgroups: Name (sex, age_band, site) to one value an example; each gives a table `by_<name>`.
        refusals: The task's own reasons not to judge each example.
        resamples: Bootstrap resamples; 0 = no intervals.
        seed: Of the resamples.
    """
    probabilities_NK, targets_N = np.asarray(probabilities_NK, np.float64), np.asarray(targets_N, np.int64)
    verdicts = policy.judge(probabilities_NK, novelty, labels, refusals) if policy else ()
    answers = Answers(probabilities_NK, targets_N, labels, policy, verdicts, groups, resamples, seed)
    metrics, per_label = classification_estimates(
        probabilities_NK, targets_N, labels, resamples=resamples, seed=seed, groups=groups
    )
    risk = risk_coverage(probabilities_NK.max(axis=1), answers.correct_N)
    tables = {
        "per_label": _per_label_table(labels, per_label),
        "confusions": _confusions_table(answers),
        "risk_coverage": Table(
            ("share_refused", "accuracy"),
            tuple((share, float(risk.accuracy[int(share * len(targets_N))])) for share in REFUSED_SHARES),
        ),
    }
    metrics = metrics | {"aurc": Estimate.exact(risk.aurc)}
    if policy:
        metrics = metrics | decision_metrics(answers)
        tables = tables | _policy_tables(answers, policy)
    for name, values in (subgroups or {}).items():
        tables[f"by_{name}"] = subgroup_table(answers, name, values)
    temperature = policy.temperature if policy else None
    return Evaluation(
        metrics, tables, classification_curves(probabilities_NK, targets_N, labels, per_label, temperature)
    )


def decision_metrics(answers: Answers) -> Estimates:
    """What the policy did on this split: coverage and size of its sets, shares, accuracy of the answered, the alarm."""
    held = [answers.labels[target] in verdict.prediction_set for target, verdict in _judged(answers)]
    answered_N = _decided(answers, "answered")
    metrics = {
        "set_coverage": answers.share(np.array(held)),
        "set_size": answers.mean([len(verdict.prediction_set) for verdict in answers.verdicts]),
        "share_answered": answers.share(answered_N),
        "share_unsure": answers.share(_decided(answers, "unsure")),
        "share_refused": answers.share(_decided(answers, "refused")),
    }
    if answered_N.any():
        answered = answers.part(answered_N)
        metrics["accuracy_answered"] = answered.share(answered.correct_N)
    return metrics | alarm_metrics(answers)


def alarm_metrics(answers: Answers) -> Estimates:
    """Sensitivity and specificity of the operating point; without those that are undefined on this split."""
    policy = answers.policy
    scores_N = policy.alarm_scores(answers.probabilities_NK, answers.labels) if policy else None
    if policy is None or policy.operating_point is None or scores_N is None:
        return {}
    point = policy.operating_point
    positive_N = is_positive(answers.targets_N, answers.labels, point.positive_labels)
    measured = measure_alarm(scores_N, positive_N, point.threshold, answers.groups)
    named = zip(("alarm_sensitivity", "alarm_specificity"), measured, strict=True)
    return {
        name: share if answers.resamples else Estimate.exact(share.value)
        for name, share in named
        if np.isfinite(share.value)
    }


def subgroup_table(answers: Answers, name: str, values: Sequence[str | None]) -> Table:
    """The main figures within each value of a property, known values in order, unknown last."""
    given = np.array([UNKNOWN if value is None else str(value) for value in values], np.str_)
    known = sorted(set(given.tolist()) - {UNKNOWN})
    has_alarm = answers.policy is not None and answers.policy.operating_point is not None
    figures = PER_SUBGROUP + (("alarm_sensitivity", "alarm_specificity") if has_alarm else ())
    rows = []
    for value in [*known, UNKNOWN]:
        if (given == value).any():
            part = answers.part(given == value)
            found = alarm_metrics(part) | classification_metrics(
                part.probabilities_NK,
                part.targets_N,
                part.labels,
                resamples=part.resamples,
                seed=part.seed,
                groups=part.groups,
            )
            rows.append((value, len(part.targets_N), *(found.get(figure) for figure in figures)))
    return Table((name, "examples", *figures), tuple(rows))


def _per_label_table(labels: Sequence[str], per_label: Mapping[str, Estimates]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for label in labels:
        found = per_label[label]
        rows.append((label, int(found["support"].value), *(found.get(figure) for figure in PER_LABEL)))
    return Table(("label", "examples", *PER_LABEL), tuple(rows))


def _confusions_table(answers: Answers) -> Table:
    """The pairs of labels that are mistaken most often."""
    labels, targets_N = answers.labels, answers.targets_N
    predicted_N = answers.probabilities_NK.argmax(axis=1)
    wrong_N = predicted_N != targets_N
    pairs, counts = np.unique(targets_N[wrong_N] * len(labels) + predicted_N[wrong_N], return_counts=True)
    support_K = np.bincount(targets_N, minlength=len(labels))
    rows = []
    for index in np.argsort(-counts, kind="stable")[:LISTED_CONFUSIONS].tolist():
        right, given = divmod(int(pairs[index]), len(labels))
        rows.append((labels[right], labels[given], int(counts[index]), float(counts[index] / support_K[right])))
    return Table(("label", "predicted", "examples", "share_of_label"), tuple(rows))


def _policy_tables(answers: Answers, policy: DecisionPolicy) -> dict[str, Table]:
    tables = {"decisions": _decisions_table(answers), "calibration": _calibration_table(policy)}
    if policy.operating_point:
        tables["alarm"] = _alarm_table(answers, policy.operating_point)
    return tables


def _decisions_table(answers: Answers) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for decision in ("answered", "unsure", "refused"):
        chosen_N = _decided(answers, decision)
        part = answers.part(chosen_N)
        accuracy = part.share(part.correct_N) if chosen_N.any() else None
        rows.append((decision, int(chosen_N.sum()), answers.share(chosen_N), accuracy))
    return Table(("decision", "examples", "share", "accuracy_of_first_label"), tuple(rows))


def _calibration_table(policy: DecisionPolicy) -> Table:
    rows: list[tuple[Cell, ...]] = [
        ("temperature", policy.temperature),
        ("ECE before temperature", policy.ece_before),
        ("ECE after, cross-fitted", policy.ece_after),
        ("novelty threshold", policy.novelty_threshold),
        ("stated coverage", policy.coverage),
        ("conformal quantile", policy.conformal_quantile),
    ]
    return Table(("fitted_on_validation", "value"), tuple(rows))


def _alarm_table(answers: Answers, point: OperatingPoint) -> Table:
    here = alarm_metrics(answers)
    rows: list[tuple[Cell, ...]] = [
        ("validation (chose the threshold)", point.sensitivity.estimate, point.specificity.estimate),
        ("this split", here.get("alarm_sensitivity"), here.get("alarm_specificity")),
    ]
    return Table(("measured_on", "sensitivity", "specificity"), tuple(rows))


def _judged(answers: Answers) -> list[tuple[int, Verdict]]:
    targets: list[int] = answers.targets_N.tolist()
    return list(zip(targets, answers.verdicts, strict=True))


def _decided(answers: Answers, decision: str) -> BoolArray:
    return np.array([verdict.decision == decision for verdict in answers.verdicts], np.bool_)
