"""What the arrays mean: a point in, a side out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.module import Example
from core.evaluation.classification_report import evaluate_classification
from core.evaluation.decision import DecisionPolicy, Verdict
from core.evaluation.evaluation import Evaluation
from core.tasks.task import Arrays, ArraySpec, Task


@dataclass(frozen=True)
class PointAnswer:
    verdict: Verdict
    label: str

    def to_json(self) -> dict[str, Any]:
        return {**self.verdict.to_json(), "label": self.label}


class PointTask(Task):
    inputs = (ArraySpec(name="point", shape=("batch", 2), dtype="float32", meaning="x and y."),)
    outputs = (
        ArraySpec(name="probabilities", shape=("batch", 2), dtype="float32", range=(0, 1), meaning="Of each side."),
        ArraySpec(name="novelty", shape=("batch",), dtype="float32", meaning="Large = unlike what was learnt."),
    )

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels

    def encode(self, examples: Sequence[Any]) -> Arrays:
        arrays: Arrays = {"point": np.array([example["point"] for example in examples], np.float32)}
        if all("label" in example for example in examples):
            arrays["label"] = np.array([self.labels.index(example["label"]) for example in examples], np.int64)
        return arrays

    def strata(self, arrays: Arrays) -> Any:
        return arrays["label"]

    def loss(self, outputs: Any, batch: Any) -> Any:
        from torch.nn.functional import cross_entropy

        return cross_entropy(outputs["logits"], batch["label"])

    def evaluate(
        self,
        outputs: Arrays,
        arrays: Arrays,
        policy: DecisionPolicy | None = None,
        examples: Sequence[Any] = (),
        *,
        resamples: int = 0,
    ) -> Evaluation:
        novelty = outputs.get("novelty") if policy else None
        return evaluate_classification(
            outputs["probabilities"],
            arrays["label"],
            self.labels,
            policy=policy,
            novelty=novelty,
            resamples=resamples,
        )

    def decode(
        self, outputs: Arrays, arrays: Arrays, policy: DecisionPolicy, examples: Sequence[Example] = ()
    ) -> list[PointAnswer]:
        verdicts = policy.judge(outputs["probabilities"], outputs["novelty"], self.labels)
        first = outputs["probabilities"].argmax(axis=1)
        return [PointAnswer(verdict, self.labels[k]) for verdict, k in zip(verdicts, first, strict=True)]
