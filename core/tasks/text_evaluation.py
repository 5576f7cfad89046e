"""Figures of a text classifier: those of any classifier on texts in scope, and how well the others are told apart."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.data.module import Example
from core.evaluation.classification_report import evaluate_classification
from core.evaluation.decision import DecisionPolicy
from core.evaluation.discrimination import Discrimination
from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.uncertainty import Estimate, bootstrap, proportion
from core.tasks.task import Arrays


def evaluate_texts(
    outputs: Arrays,
    arrays: Arrays,
    labels: Sequence[str],
    policy: DecisionPolicy | None,
    examples: Sequence[Example],
    *,
    resamples: int,
) -> Evaluation:
    """Classification of texts with a label, and detection of those without (label -1).

    Adds out_of_scope_auroc, and with a policy out_of_scope_recall: the share of texts without a label that are refused
    at the threshold which validation data chose.
    """
    label_N = arrays["label"]
    inside_N = label_N >= 0
    groups = [example.get("group") for example in examples]
    novelty_N = outputs.get("novelty")
    evaluation = evaluate_classification(
        outputs["probabilities"][inside_N],
        label_N[inside_N],
        labels,
        policy=policy,
        novelty=None if novelty_N is None else novelty_N[inside_N],
        groups=[group for group, inside in zip(groups, inside_N, strict=True) if inside] if any(groups) else None,
        resamples=resamples,
    )
    if novelty_N is None or inside_N.all():
        return evaluation
    return _with_out_of_scope(evaluation, novelty_N, inside_N, policy, resamples)


def _with_out_of_scope(
    evaluation: Evaluation,
    novelty_N: npt.NDArray[np.float32],
    inside_N: npt.NDArray[np.bool_],
    policy: DecisionPolicy | None,
    resamples: int,
) -> Evaluation:
    found: dict[str, Estimate] = {"out_of_scope_auroc": _auroc(novelty_N, ~inside_N, resamples)}
    rows: list[tuple[str, int, Estimate | None]] = []
    if policy is not None:
        refused_N = ~policy.is_familiar(novelty_N, len(novelty_N))
        recall = proportion(refused_N[~inside_N], None)
        wrongly = proportion(refused_N[inside_N], None)
        found["out_of_scope_recall"] = recall if resamples else Estimate.exact(recall.value)
        rows = [
            ("out of scope, refused", int((~inside_N).sum()), recall),
            ("in scope, refused", int(inside_N.sum()), wrongly),
        ]
    tables = {"out_of_scope": Table(("texts", "examples", "share"), tuple(rows))} if rows else {}
    return replace(evaluation, metrics={**evaluation.metrics, **found}, tables={**evaluation.tables, **tables})


def _auroc(novelty_N: npt.NDArray[np.float32], outside_N: npt.NDArray[np.bool_], resamples: int) -> Estimate:
    found = Discrimination(novelty_N, outside_N)
    measured = bootstrap(lambda counts_NR: {"auroc": found.measure(counts_NR)[0]}, len(novelty_N), resamples, 0)
    return measured["auroc"]
