"""Texts as arrays and back: which label, and whether any label fits.

Shapes: B batch, L words or tokens, U units a word, K labels.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from core.config import TrainConfig
from core.data.module import Example
from core.data.tokens import TOKENS, TokenEncoder
from core.data.vocabulary import UNITS, TextEncoder, trim
from core.evaluation.decision import DecisionPolicy
from core.evaluation.evaluation import Evaluation
from core.tasks.task import Arrays, ArraySpec, Batch, Task
from core.tasks.text_answer import TextAnswer
from core.tasks.text_decode import decode_texts
from core.tasks.text_evaluation import evaluate_texts
from core.tasks.text_schema import TextSchema

if TYPE_CHECKING:
    from torch import Tensor

OUTSIDE = -1
"""Class number of a text that belongs to no label."""


class TextTask(Task):
    """Which label, or none.

    Args:
        schema: Facts of the training data.
        train: Label smoothing and class weighting.
    """

    novelty = "answers"

    def __init__(self, schema: TextSchema, train: TrainConfig) -> None:
        self.schema, self.train = schema, train
        self.labels = schema.labels
        self.label_number = {label: number for number, label in enumerate(schema.labels)}
        self.units = TextEncoder(schema.vocabulary) if schema.vocabulary else None
        self.tokens = TokenEncoder(schema.tokenizer, schema.max_tokens) if schema.tokenizer else None

    @property
    def inputs(self) -> tuple[ArraySpec, ...]:
        if self.tokens:
            return (
                ArraySpec(
                    name=TOKENS,
                    shape=("batch", "length"),
                    dtype="int32",
                    range=(0, self.tokens.num_tokens - 1),
                    meaning="Tokens of the pretrained model's tokenizer, padded.",
                ),
            )
        assert self.schema.vocabulary is not None
        return (
            ArraySpec(
                name=UNITS,
                shape=("batch", "length", "slots"),
                dtype="int32",
                range=(0, self.schema.vocabulary.num_units - 1),
                meaning="For each word its known units: itself, phrases, character n-grams; 0 = none.",
            ),
        )

    @property
    def outputs(self) -> tuple[ArraySpec, ...]:
        labels = len(self.schema.labels)
        probabilities = ArraySpec(
            name="probabilities",
            shape=("batch", labels),
            dtype="float32",
            range=(0, 1),
            meaning="Calibrated probability of each label, in the order of schema.labels.",
        )
        novelty = ArraySpec(
            name="novelty",
            shape=("batch",),
            dtype="float32",
            meaning="How unlike the training texts; large = out of scope.",
        )
        if not self.schema.widths:
            return (probabilities, novelty)
        contributions = ArraySpec(
            name="contributions",
            shape=("batch", "length", "slots_and_widths"),
            dtype="float32",
            meaning="What each unit, and the window of each width, at each word adds to the most probable logit.",
        )
        return (probabilities, novelty, contributions)

    def encode(self, examples: Sequence[Example]) -> Arrays:
        texts = [str(example["text"]) for example in examples]
        encoder = self.tokens or self.units
        assert encoder is not None
        arrays = encoder.encode(texts)
        if any("label" in example for example in examples):
            numbers = [self.label_number.get(example.get("label", ""), OUTSIDE) for example in examples]
            arrays["label"] = np.asarray(numbers, np.int64)
        if any("soft_label" in example for example in examples):
            arrays["soft_label"] = np.stack([np.asarray(example["soft_label"], np.float32) for example in examples])
        return arrays

    def strata(self, arrays: Arrays) -> npt.NDArray[np.int64]:
        return arrays["label"]

    def lengths(self, arrays: Arrays) -> npt.NDArray[np.int64]:
        if self.tokens:
            return np.asarray((arrays[TOKENS] != self.tokens.pad_id).sum(axis=1), np.int64)
        return np.asarray(arrays[UNITS].any(axis=2).sum(axis=1), np.int64)

    def trim(self, batch: Batch) -> Batch:
        trimmed: dict[str, Any] = self.tokens.trim(batch) if self.tokens else trim(batch)
        return cast(Batch, trimmed)

    def is_measurable(self, example: Example) -> bool:
        return example.get("label") == "" or super().is_measurable(example)

    def loss(self, outputs: "dict[str, Tensor]", batch: "dict[str, Tensor]") -> "Tensor":
        from core.tasks.text_loss import text_loss

        return text_loss(outputs, batch, self.schema, self.train)

    def evaluate(
        self,
        outputs: Arrays,
        arrays: Arrays,
        policy: DecisionPolicy | None = None,
        examples: Sequence[Example] = (),
        *,
        resamples: int = 0,
    ) -> Evaluation:
        return evaluate_texts(outputs, arrays, self.labels, policy, examples, resamples=resamples)

    def decode(
        self, outputs: Arrays, arrays: Arrays, policy: DecisionPolicy, examples: Sequence[Example] = ()
    ) -> list[TextAnswer]:
        texts = [str(example["text"]) for example in examples]
        return decode_texts(outputs, texts, self.schema, policy, self.units)
